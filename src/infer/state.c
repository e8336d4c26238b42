/*
 * state.c
 *	  infer_agg: the state, a directly-follows graph of many leads.
 *
 * Touches are ignored, and an entry into the stage that the lead is in is not
 * a move.  A lead counts once per stage and once per move, even if it repeats
 * them, because min_share is a share of leads: one lead that moves back and
 * forth a hundred times must not make a move common.
 *
 * Memory depends on the number of labels and of different moves, not on the
 * number of leads.
 */
#include "postgres.h"

#include <limits.h>

#include "common/hashfn.h"

#include "infer/infer.h"
#include "wire.h"

typedef struct LabelSlot
{
	LeadString	name;			/* the same bytes as in labels[label] */
	uint32		hash;
	int			label;
	char		status;
} LabelSlot;

#define SH_PREFIX labelindex
#define SH_ELEMENT_TYPE LabelSlot
#define SH_KEY_TYPE LeadString
#define SH_KEY name
#define SH_HASH_KEY(tb, key) hash_bytes((const unsigned char *) (key).text, (key).len)
#define SH_EQUAL(tb, a, b) ((a).len == (b).len && memcmp((a).text, (b).text, (a).len) == 0)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, slot) (slot)->hash
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

#define SH_PREFIX movetable
#define SH_ELEMENT_TYPE InferMove
#define SH_KEY_TYPE uint64
#define SH_KEY key
#define SH_HASH_KEY(tb, key) hash_combine(murmurhash32((uint32) ((key) >> 32)), \
										  murmurhash32((uint32) (key)))
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/*
 * Create an empty state with copies of the arrays.
 */
InferState *
align_infer_state(MemoryContext context, ArrayType *won, ArrayType *lost, double min_share)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	InferState *state = palloc0(sizeof(InferState));

	state->context = context;
	if (won != NULL)
		state->won = (ArrayType *) memcpy(palloc(VARSIZE(won)), won, VARSIZE(won));
	if (lost != NULL)
		state->lost = (ArrayType *) memcpy(palloc(VARSIZE(lost)), lost, VARSIZE(lost));
	state->min_share = min_share;
	state->room = 16;
	state->labels = palloc(state->room * sizeof(InferLabel));
	state->label_index = labelindex_create(context, 32, NULL);
	state->moves = movetable_create(context, 64, NULL);
	MemoryContextSwitchTo(old);
	return state;
}

/*
 * The number of a label; adds it if it is new.
 */
static int
LabelNumber(InferState *state, LeadString name)
{
	bool		found;
	LabelSlot  *slot = labelindex_insert(state->label_index, name, &found);
	InferLabel *label;

	if (found)
		return slot->label;

	if (state->nlabels == state->room)
	{
		state->room *= 2;
		state->labels = repalloc_huge(state->labels, state->room * sizeof(InferLabel));
	}
	label = &state->labels[state->nlabels];
	memset(label, 0, sizeof(InferLabel));
	label->name.text = memcpy(MemoryContextAlloc(state->context, name.len + 1),
							  name.text, name.len);
	label->name.len = name.len;
	slot->name = label->name;
	slot->label = state->nlabels;
	return state->nlabels++;
}

/*
 * The counts of a move; adds it if it is new.
 */
static InferMove *
MoveCounts(InferState *state, int from, int to)
{
	bool		found;
	InferMove  *move = movetable_insert(state->moves, INFER_MOVE_KEY(from, to), &found);

	if (!found)
	{
		move->leads = 0;
		move->seen_by = 0;
	}
	return move;
}

static void
WidenRange(InferState *state, TimestampTz first, TimestampTz last)
{
	if (state->nleads == 0 || first < state->first)
		state->first = first;
	if (state->nleads == 0 || last > state->last)
		state->last = last;
}

void
align_infer_add_lead(InferState *state, const struct varlena *lead)
{
	int64		this_lead = state->nleads + 1;
	int			inline_labels[LEAD_INLINE_STRINGS];
	int		   *label_of_string = inline_labels;
	int			previous = -1;
	TimestampTz first = 0;
	TimestampTz last = 0;
	LeadReader	reader;
	LeadEntry	entry;

	align_lead_read(&reader, lead);
	if (reader.nstrings > LEAD_INLINE_STRINGS)
		label_of_string = palloc(reader.nstrings * sizeof(int));
	for (int i = 0; i < reader.nstrings; i++)
		label_of_string[i] = -1;

	/* seen_by makes each label and each move count once for this lead */
	while (align_lead_next(&reader, &entry))
	{
		InferLabel *label;
		int			current;

		if (entry.stage < 0)
			continue;
		if (label_of_string[entry.stage] < 0)
			label_of_string[entry.stage] = LabelNumber(state, reader.strings[entry.stage]);
		current = label_of_string[entry.stage];
		last = entry.at;
		if (current == previous)
			continue;

		label = &state->labels[current];
		if (label->seen_by != this_lead)
		{
			label->seen_by = this_lead;
			label->leads++;
		}
		if (previous < 0)
		{
			label->entered++;
			first = entry.at;
		}
		else
		{
			InferMove  *move = MoveCounts(state, previous, current);

			if (move->seen_by != this_lead)
			{
				move->seen_by = this_lead;
				move->leads++;
			}
		}
		previous = current;
	}

	if (previous < 0)
		state->nstageless++;
	else
	{
		state->labels[previous].ended++;
		WidenRange(state, first, last);
		state->nleads++;
	}

	if (label_of_string != inline_labels)
		pfree(label_of_string);
	align_lead_read_end(&reader);
}

/*
 * Add the counts of another state.
 */
void
align_infer_add_state(InferState *into, const InferState *from)
{
	int		   *number = palloc(Max(from->nlabels, 1) * sizeof(int));
	int			nmoves;
	InferMove  *moves = align_infer_moves(from, &nmoves);

	for (int i = 0; i < from->nlabels; i++)
	{
		const InferLabel *label = &from->labels[i];
		InferLabel *mine;

		number[i] = LabelNumber(into, label->name);
		mine = &into->labels[number[i]];
		mine->leads += label->leads;
		mine->entered += label->entered;
		mine->ended += label->ended;
	}
	for (int i = 0; i < nmoves; i++)
		MoveCounts(into, number[INFER_MOVE_FROM(&moves[i])],
				   number[INFER_MOVE_TO(&moves[i])])->leads += moves[i].leads;

	if (from->nleads > 0)
		WidenRange(into, from->first, from->last);
	into->nleads += from->nleads;
	into->nstageless += from->nstageless;

	/*
	 * seen_by is not merged: leads added later are numbered from nleads,
	 * which exceeds every number that this state has used.
	 */
	pfree(number);
	pfree(moves);
}

InferMove *
align_infer_moves(const InferState *state, int *count)
{
	InferMove  *moves = palloc(Max(state->moves->members, 1) * sizeof(InferMove));
	movetable_iterator iterator;
	InferMove  *move;

	*count = 0;
	movetable_start_iterate(state->moves, &iterator);
	while ((move = movetable_iterate(state->moves, &iterator)) != NULL)
		moves[(*count)++] = *move;
	return moves;
}

/* Append the bytes of an array after their length, zero for NULL. */
static void
AppendArray(StringInfo out, const ArrayType *array)
{
	size_t		size = array == NULL ? 0 : VARSIZE(array);

	align_wire_append_uint(out, size);
	appendBinaryStringInfo(out, (const char *) array, size);
}

static ArrayType *
ReadArray(WireReader *reader)
{
	size_t		size = align_wire_uint(reader);
	const char *bytes = align_wire_bytes(reader, size);

	/* copy, because the bytes are not aligned */
	return size == 0 ? NULL : (ArrayType *) memcpy(palloc(size), bytes, size);
}

void
align_infer_write_state(StringInfo out, const InferState *state)
{
	int			nmoves;
	InferMove  *moves = align_infer_moves(state, &nmoves);

	AppendArray(out, state->won);
	AppendArray(out, state->lost);
	appendBinaryStringInfo(out, (const char *) &state->min_share, sizeof(double));
	align_wire_append_uint(out, state->nleads);
	align_wire_append_uint(out, state->nstageless);
	align_wire_append_int(out, state->first);
	align_wire_append_int(out, state->last);
	align_wire_append_uint(out, state->nlabels);
	for (int i = 0; i < state->nlabels; i++)
	{
		const InferLabel *label = &state->labels[i];

		align_wire_append_text(out, label->name.text, label->name.len);
		align_wire_append_uint(out, label->leads);
		align_wire_append_uint(out, label->entered);
		align_wire_append_uint(out, label->ended);
	}
	align_wire_append_uint(out, nmoves);
	for (int i = 0; i < nmoves; i++)
	{
		align_wire_append_uint(out, INFER_MOVE_FROM(&moves[i]));
		align_wire_append_uint(out, INFER_MOVE_TO(&moves[i]));
		align_wire_append_uint(out, moves[i].leads);
	}
	pfree(moves);
}

InferState *
align_infer_read_state(const void *data, size_t len)
{
	ArrayType  *won;
	ArrayType  *lost;
	double		min_share;
	InferState *state;
	WireReader	reader;
	int			count;

	align_wire_begin(&reader, data, len, "state of infer_agg");
	won = ReadArray(&reader);
	lost = ReadArray(&reader);
	memcpy(&min_share, align_wire_bytes(&reader, sizeof(double)), sizeof(double));
	state = align_infer_state(CurrentMemoryContext, won, lost, min_share);
	state->nleads = align_wire_uint(&reader);
	state->nstageless = align_wire_uint(&reader);
	state->first = align_wire_int(&reader);
	state->last = align_wire_int(&reader);

	count = align_wire_count(&reader, 4, INT_MAX);
	for (int i = 0; i < count; i++)
	{
		LeadString	name;
		InferLabel *label;

		name.text = align_wire_text(&reader, &name.len);
		/* labels get their old numbers again, to which the moves refer */
		label = &state->labels[LabelNumber(state, name)];
		label->leads = align_wire_uint(&reader);
		label->entered = align_wire_uint(&reader);
		label->ended = align_wire_uint(&reader);
	}
	if (state->nlabels != count)
		align_wire_fail(&reader, "A label occurs twice.");

	count = align_wire_count(&reader, 3, INT_MAX);
	for (int i = 0; i < count; i++)
	{
		uint64		from = align_wire_uint(&reader);
		uint64		to = align_wire_uint(&reader);

		if (from >= (uint64) state->nlabels || to >= (uint64) state->nlabels)
			align_wire_fail(&reader, "A move refers to a label that is not there.");
		MoveCounts(state, (int) from, (int) to)->leads = align_wire_uint(&reader);
	}
	align_wire_end(&reader);
	return state;
}
