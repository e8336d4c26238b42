/*
 * sequence_next.c
 *	  sequence_next: the event that follows, or precedes, a chain of events.
 *
 * The rows of a group are ordered by time; simultaneous ones by the bytes of
 * their text, then by their conditions, so that the answer never depends on
 * the order in which they come.  All rows with a time and a text count, those
 * for which no condition holds, too: the chain is of neighbours.
 *
 * A state is one piece of memory in the aggregate's context: rows of 32 bytes
 * from its beginning, and their texts from its end.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "analyze/event_time.h"
#include "analyze/step_flags.h"
#include "value.h"
#include "wire.h"

PG_FUNCTION_INFO_V1(align_sequence_next_trans);
PG_FUNCTION_INFO_V1(align_sequence_next_combine);
PG_FUNCTION_INFO_V1(align_sequence_next_serialise);
PG_FUNCTION_INFO_V1(align_sequence_next_deserialise);
PG_FUNCTION_INFO_V1(align_sequence_next_final);

/* In messages about a serialised state. */
#define STATE_TYPE "state of sequence_next"

/* The size of a new state, a power of two as PostgreSQL allocates them. */
#define FIRST_SIZE 512

typedef enum NextDirection
{
	NEXT_FORWARD,
	NEXT_BACKWARD
} NextDirection;

/*
 * Where the chain begins.
 */
typedef enum NextBase
{
	NEXT_HEAD,					/* the first row */
	NEXT_TAIL,					/* the last row */
	NEXT_FIRST_MATCH,			/* the first row that may begin a chain */
	NEXT_LAST_MATCH				/* the last one */
} NextBase;

static const char *const directions[] = {"forward", "backward"};
static const char *const bases[] = {"head", "tail", "first_match", "last_match"};

typedef struct NextRow
{
	TimestampTz at;
	uint64		conditions;
	size_t		text;			/* where it begins, counted from the end of
								 * the state */
	int32		len;
	bool		may_begin;		/* a chain: the base condition holds */
} NextRow;

typedef struct NextState
{
	size_t		size;			/* of the piece of memory */
	size_t		nrows;
	size_t		nbytes;			/* of texts */
	uint8		direction;
	uint8		base;
	bool		sorted;
	int			nconditions;
	NextRow		rows[FLEXIBLE_ARRAY_MEMBER];
} NextState;

static inline const char *
RowText(const NextState *state, const NextRow *row)
{
	return (const char *) state + state->size - row->text;
}

static int
CompareRows(const NextRow *a, const NextRow *b, const NextState *state)
{
	int			order;

	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	order = memcmp(RowText(state, a), RowText(state, b), Min(a->len, b->len));
	if (order != 0)
		return order;
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	if (a->may_begin != b->may_begin)
		return a->may_begin ? -1 : 1;
	return a->conditions < b->conditions ? -1 : a->conditions > b->conditions;
}

#define ST_SORT SortRows
#define ST_ELEMENT_TYPE NextRow
#define ST_COMPARE_ARG_TYPE const NextState
#define ST_COMPARE(a, b, state) CompareRows(a, b, state)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

static NextState *
MakeState(MemoryContext context, int direction, int base, int nconditions)
{
	NextState  *state = MemoryContextAlloc(context, FIRST_SIZE);

	memset(state, 0, offsetof(NextState, rows));
	state->size = FIRST_SIZE;
	state->sorted = true;
	state->direction = direction;
	state->base = base;
	state->nconditions = nconditions;
	return state;
}

/*
 * Add a row; returns the state, which may have moved.
 */
static NextState *
AddRow(NextState *state, NextRow row, const char *bytes)
{
	const size_t needed = offsetof(NextState, rows) + (state->nrows + 1) * sizeof(NextRow) +
		state->nbytes + row.len;

	if (needed > state->size)
	{
		size_t		size = state->size;
		size_t		old_size = state->size;

		while (size < needed)
			size *= 2;
		state = repalloc_huge(state, size);
		state->size = size;
		memmove((char *) state + size - state->nbytes, (char *) state + old_size - state->nbytes,
				state->nbytes);
	}
	state->nbytes += row.len;
	row.text = state->nbytes;
	memcpy((char *) state + state->size - state->nbytes, bytes, row.len);
	if (state->nrows > 0 && row.at <= state->rows[state->nrows - 1].at)
		state->sorted = false;
	state->rows[state->nrows++] = row;
	return state;
}

/*
 * The number of a word, an argument that is not NULL.
 */
static int
WordArg(FunctionCallInfo fcinfo, int argno, const char *what, const char *const *words, int nwords)
{
	text	   *word;

	align_require_argument(fcinfo, argno, what);
	word = PG_GETARG_TEXT_PP(argno);
	for (int i = 0; i < nwords; i++)
	{
		if (VARSIZE_ANY_EXHDR(word) == strlen(words[i]) &&
			pg_strncasecmp(VARDATA_ANY(word), words[i], strlen(words[i])) == 0)
			return i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown %s \"%s\"", what, text_to_cstring(word)),
			 nwords == 2 ? errhint("It is \"%s\" or \"%s\".", words[0], words[1]) :
			 errhint("It is \"%s\", \"%s\", \"%s\" or \"%s\".",
					 words[0], words[1], words[2], words[3])));
}

static void
CheckSame(const NextState *state, int direction, int base, int nconditions)
{
	if (unlikely(state->direction != direction || state->base != base))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("direction and base must be the same in all rows of a group"),
				 errdetail("They are \"%s\" from \"%s\" and \"%s\" from \"%s\".",
						   directions[state->direction], bases[state->base],
						   directions[direction], bases[base])));
	if (unlikely(state->nconditions != nconditions))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("number of conditions must be the same in all rows of a group"),
				 errdetail("There are %d and %d.", state->nconditions, nconditions)));
}

/*
 * (state, direction text, base text, at timestamptz, event text,
 * base_condition boolean, conditions boolean[])
 */
Datum
align_sequence_next_trans(PG_FUNCTION_ARGS)
{
	MemoryContext context = align_aggregate_context(fcinfo);
	NextState  *state = PG_ARGISNULL(0) ? NULL : (NextState *) PG_GETARG_POINTER(0);
	int			direction = WordArg(fcinfo, 1, "direction", directions, lengthof(directions));
	int			base = WordArg(fcinfo, 2, "base", bases, lengthof(bases));
	int			nconditions;
	NextRow		row = {0};
	text	   *event;

	if (unlikely((direction == NEXT_FORWARD && base == NEXT_TAIL) ||
				 (direction == NEXT_BACKWARD && base == NEXT_HEAD)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("no event lies %s from the %s", directions[direction], bases[base]),
				 errhint("From the head look forward, from the tail backward.")));
	align_require_argument(fcinfo, 6, "conditions");
	row.conditions = align_step_flags(align_step_flags_arg(PG_GETARG_DATUM(6)), &nconditions);
	if (state == NULL)
		state = MakeState(context, direction, base, nconditions);
	else
		CheckSame(state, direction, base, nconditions);
	if (PG_ARGISNULL(3) || PG_ARGISNULL(4))
		PG_RETURN_POINTER(state);

	row.at = PG_GETARG_TIMESTAMPTZ(3);
	align_check_event_time(row.at);
	event = PG_GETARG_TEXT_PP(4);
	row.len = VARSIZE_ANY_EXHDR(event);
	row.may_begin = !PG_ARGISNULL(5) && PG_GETARG_BOOL(5);
	PG_RETURN_POINTER(AddRow(state, row, VARDATA_ANY(event)));
}

/*
 * Append the rows of another state.
 */
Datum
align_sequence_next_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = align_aggregate_context(fcinfo);
	NextState  *state;
	const NextState *other;

	if (PG_ARGISNULL(1))
		return align_state_as_it_is(fcinfo);
	other = (NextState *) PG_GETARG_POINTER(1);
	if (PG_ARGISNULL(0))
		state = MakeState(context, other->direction, other->base, other->nconditions);
	else
	{
		state = (NextState *) PG_GETARG_POINTER(0);
		CheckSame(state, other->direction, other->base, other->nconditions);
	}
	for (size_t i = 0; i < other->nrows; i++)
		state = AddRow(state, other->rows[i], RowText(other, &other->rows[i]));
	PG_RETURN_POINTER(state);
}

/*
 * A serialised state: direction, base, number of conditions, number of rows,
 * and of each row the time since the one before it, the conditions, the base
 * condition and the text.
 */
Datum
align_sequence_next_serialise(PG_FUNCTION_ARGS)
{
	const NextState *state = (NextState *) PG_GETARG_POINTER(0);
	StringInfoData out;
	TimestampTz before = 0;

	(void) align_aggregate_context(fcinfo);
	initStringInfo(&out);
	appendStringInfoSpaces(&out, VARHDRSZ);
	appendStringInfoChar(&out, state->direction);
	appendStringInfoChar(&out, state->base);
	appendStringInfoChar(&out, state->nconditions);
	align_wire_append_uint(&out, state->nrows);
	for (size_t i = 0; i < state->nrows; i++)
	{
		const NextRow *row = &state->rows[i];

		align_check_state_size(out.len + (size_t) row->len + 4 * WIRE_MAX_VARINT);
		align_wire_append_int(&out, (int64) ((uint64) row->at - (uint64) before));
		align_wire_append_uint(&out, row->conditions);
		appendStringInfoChar(&out, row->may_begin);
		align_wire_append_text(&out, RowText(state, row), row->len);
		before = row->at;
	}
	SET_VARSIZE(out.data, out.len);
	PG_RETURN_BYTEA_P(out.data);
}

Datum
align_sequence_next_deserialise(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	WireReader	reader;
	NextState  *state;
	int			direction;
	int			base;
	int			nconditions;
	int			nrows;
	TimestampTz before = 0;

	(void) align_aggregate_context(fcinfo);
	align_wire_begin(&reader, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), STATE_TYPE);
	direction = align_wire_byte(&reader);
	base = align_wire_byte(&reader);
	nconditions = align_wire_byte(&reader);
	if (direction >= (int) lengthof(directions) || base >= (int) lengthof(bases))
		align_wire_fail(&reader, "A direction or base is unknown.");
	nrows = align_wire_count(&reader, 4, PG_INT32_MAX);
	state = MakeState(CurrentMemoryContext, direction, base, nconditions);
	for (int i = 0; i < nrows; i++)
	{
		NextRow		row = {0};
		const char *event;
		int			len;

		before = (TimestampTz) ((uint64) before + (uint64) align_wire_int(&reader));
		row.at = before;
		row.conditions = align_wire_uint(&reader);
		row.may_begin = align_wire_byte(&reader) != 0;
		event = align_wire_text(&reader, &len);
		row.len = len;
		state = AddRow(state, row, event);
	}
	align_wire_end(&reader);
	PG_RETURN_POINTER(state);
}

/*
 * True if a chain may begin at the row.
 */
static inline bool
BeginsChain(const NextRow *row)
{
	return row->may_begin && (row->conditions & 1) != 0;
}

/*
 * The index of the row at which the chain begins; false if there is none.
 */
static bool
FindBegin(const NextState *state, size_t *begin)
{
	size_t		i = 0;

	if (state->nrows == 0)
		return false;
	switch ((NextBase) state->base)
	{
		case NEXT_HEAD:
			break;
		case NEXT_TAIL:
			i = state->nrows - 1;
			break;
		case NEXT_FIRST_MATCH:
			while (i < state->nrows - 1 && !BeginsChain(&state->rows[i]))
				i++;
			break;
		case NEXT_LAST_MATCH:
			for (i = state->nrows - 1; i > 0 && !BeginsChain(&state->rows[i]);)
				i--;
			break;
	}
	*begin = i;
	return BeginsChain(&state->rows[i]);
}

/*
 * The text of the row next to the chain, NULL if there is no chain or no such
 * row.  Sorting the state does not change its meaning.
 */
Datum
align_sequence_next_final(PG_FUNCTION_ARGS)
{
	NextState  *state;
	const NextRow *next;
	size_t		begin;
	size_t		rest;
	int			step;

	(void) align_aggregate_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (NextState *) PG_GETARG_POINTER(0);
	if (!state->sorted)
		SortRows(state->rows, state->nrows, state);
	state->sorted = true;

	if (!FindBegin(state, &begin))
		PG_RETURN_NULL();
	step = state->direction == NEXT_FORWARD ? 1 : -1;
	rest = state->direction == NEXT_FORWARD ? state->nrows - 1 - begin : begin;
	if (rest < (size_t) state->nconditions)
		PG_RETURN_NULL();
	next = &state->rows[begin];
	for (int i = 0; i < state->nconditions; i++, next += step)
	{
		if (!((next->conditions >> i) & 1))
			PG_RETURN_NULL();
	}
	PG_RETURN_TEXT_P(cstring_to_text_with_len(RowText(state, next), next->len));
}
