/*
 * sequence_agg.c
 *	  sequence_match, sequence_count and sequence_match_events: patterns over
 *	  the rows of an event table.
 *
 * The three have the same states, so that the executor shares one where they
 * have the same arguments.  A state is one piece of memory in the aggregate's
 * context, with 16 bytes per event; it is made by the first row, even if it is
 * ignored, so that a pattern that breaks the rules is always an error.  Rows
 * for which no condition holds are not kept.
 *
 * Patterns are compiled once per call site and live as long as it does, which
 * is longer than any state.  If there are many, those after the first
 * MAX_PATTERNS are compiled once per state and live as long as that does.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "catalog/pg_type_d.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "analyze/event_time.h"
#include "analyze/step_flags.h"
#include "matching/sequence.h"
#include "value.h"
#include "wire.h"

PG_FUNCTION_INFO_V1(align_sequence_trans);
PG_FUNCTION_INFO_V1(align_sequence_combine);
PG_FUNCTION_INFO_V1(align_sequence_serialise);
PG_FUNCTION_INFO_V1(align_sequence_deserialise);
PG_FUNCTION_INFO_V1(align_sequence_match_final);
PG_FUNCTION_INFO_V1(align_sequence_count_final);
PG_FUNCTION_INFO_V1(align_sequence_match_events_final);

/* In messages about a serialised state. */
#define STATE_TYPE "state of a sequence"

/* Patterns that a call site keeps; most of them take 1 or 2 kB. */
#define MAX_PATTERNS 1000

/* The size of a new state, a power of two as PostgreSQL allocates them. */
#define FIRST_SIZE 128

typedef struct SequenceState
{
	const SequencePattern *pattern;
	size_t		nevents;
	size_t		room;
	bool		sorted;			/* by time */
	StepEvent	events[FLEXIBLE_ARRAY_MEMBER];
} SequenceState;

#define STATE_SIZE(room) (offsetof(SequenceState, events) + (room) * sizeof(StepEvent))

/*
 * The patterns of a call site.  Most have only one.
 */
typedef struct PatternSite
{
	MemoryContext context;
	const SequencePattern *last;
	HTAB	   *patterns;
} PatternSite;

typedef struct PatternKey
{
	const char *text;
	int			len;
} PatternKey;

typedef struct PatternEntry
{
	PatternKey	key;
	SequencePattern *pattern;
} PatternEntry;

#define ST_SORT SortEvents
#define ST_ELEMENT_TYPE StepEvent
#define ST_COMPARE(a, b) ((a)->at < (b)->at ? -1 : (a)->at > (b)->at)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

static uint32
HashPattern(const void *key, Size size)
{
	const PatternKey *pattern = (const PatternKey *) key;

	(void) size;
	return hash_bytes((const unsigned char *) pattern->text, pattern->len);
}

static int
ComparePatterns(const void *a, const void *b, Size size)
{
	const PatternKey *one = (const PatternKey *) a;
	const PatternKey *other = (const PatternKey *) b;

	(void) size;
	return one->len != other->len || memcmp(one->text, other->text, one->len) != 0;
}

static PatternSite *
MakeSite(FmgrInfo *flinfo)
{
	PatternSite *site = MemoryContextAllocZero(flinfo->fn_mcxt, sizeof(PatternSite));
	HASHCTL		control = {0};

	site->context = AllocSetContextCreate(flinfo->fn_mcxt, "align sequence patterns",
										  ALLOCSET_SMALL_SIZES);
	control.keysize = sizeof(PatternKey);
	control.entrysize = sizeof(PatternEntry);
	control.hash = HashPattern;
	control.match = ComparePatterns;
	control.hcxt = site->context;
	site->patterns = hash_create("align sequence patterns", 16, &control,
								 HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
	flinfo->fn_extra = site;
	return site;
}

static inline bool
HasText(const SequencePattern *pattern, const char *text, int len)
{
	return pattern->len == len && memcmp(pattern->text, text, len) == 0;
}

/*
 * The compiled form of a pattern, valid as long as the context for states is
 * not reset.
 */
static const SequencePattern *
FindPattern(FmgrInfo *flinfo, MemoryContext context, const char *text, int len)
{
	PatternSite *site = (PatternSite *) flinfo->fn_extra;
	PatternKey	key = {text, len};
	PatternEntry *entry;

	if (likely(site != NULL && site->last != NULL && HasText(site->last, text, len)))
		return site->last;
	if (site == NULL)
		site = MakeSite(flinfo);
	entry = hash_search(site->patterns, &key, HASH_FIND, NULL);
	if (entry == NULL)
	{
		bool		keep = hash_get_num_entries(site->patterns) < MAX_PATTERNS;
		MemoryContext old_context = MemoryContextSwitchTo(keep ? site->context : context);
		SequencePattern *pattern = align_pattern_compile(text, len);

		MemoryContextSwitchTo(old_context);
		if (!keep)
			return pattern;
		key.text = pattern->text;
		entry = hash_search(site->patterns, &key, HASH_ENTER, NULL);
		entry->pattern = pattern;
	}
	site->last = entry->pattern;
	return site->last;
}

/*
 * An empty state with room for a number of events.
 */
static SequenceState *
MakeState(MemoryContext context, const SequencePattern *pattern, size_t room)
{
	SequenceState *state;
	size_t		size = FIRST_SIZE;

	while (size < STATE_SIZE(room))
		size *= 2;
	state = MemoryContextAllocHuge(context, size);
	state->pattern = pattern;
	state->nevents = 0;
	state->room = (size - STATE_SIZE(0)) / sizeof(StepEvent);
	state->sorted = true;
	return state;
}

/*
 * The state with room for more events.
 */
static SequenceState *
Reserve(SequenceState *state, size_t more)
{
	size_t		size = STATE_SIZE(state->room);

	if (likely(state->room - state->nevents >= more))
		return state;
	while (size < STATE_SIZE(state->nevents + more))
		size *= 2;
	state = repalloc_huge(state, size);
	state->room = (size - STATE_SIZE(0)) / sizeof(StepEvent);
	return state;
}

static void
CheckSamePattern(const SequencePattern *one, const SequencePattern *other)
{
	if (likely(one == other) || HasText(one, other->text, other->len))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("pattern must be the same in all rows of a group"),
			 errdetail("It is \"%.*s\" and \"%.*s\".", one->len, one->text,
					   other->len, other->text)));
}

/*
 * The conditions of a row that hold.
 */
static inline uint64
ReadConditions(const ArrayType *array, const SequencePattern *pattern)
{
	int			n;
	uint64		result = align_step_flags(array, &n);

	if (unlikely(n < pattern->nconditions))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("pattern refers to condition %d, but the last one is %d",
						pattern->nconditions, n),
				 errdetail("The pattern is \"%.*s\".", pattern->len, pattern->text)));
	return result;
}

/*
 * (state, pattern text, at timestamptz, conditions boolean[])
 */
Datum
align_sequence_trans(PG_FUNCTION_ARGS)
{
	MemoryContext context = align_aggregate_context(fcinfo);
	SequenceState *state = PG_ARGISNULL(0) ? NULL : (SequenceState *) PG_GETARG_POINTER(0);
	const SequencePattern *pattern;
	text	   *text_arg;
	TimestampTz at;
	uint64		conditions;

	align_require_argument(fcinfo, 1, "pattern");
	text_arg = PG_GETARG_TEXT_PP(1);
	if (likely(state != NULL &&
			   HasText(state->pattern, VARDATA_ANY(text_arg), VARSIZE_ANY_EXHDR(text_arg))))
		pattern = state->pattern;
	else
	{
		pattern = FindPattern(fcinfo->flinfo, context, VARDATA_ANY(text_arg),
							  VARSIZE_ANY_EXHDR(text_arg));
		if (state != NULL)
			CheckSamePattern(state->pattern, pattern);
		else
			state = MakeState(context, pattern, 0);
	}
	align_require_argument(fcinfo, 3, "conditions");
	conditions = ReadConditions(align_step_flags_arg(PG_GETARG_DATUM(3)), pattern);
	if (conditions == 0 || PG_ARGISNULL(2))
		PG_RETURN_POINTER(state);

	at = PG_GETARG_TIMESTAMPTZ(2);
	align_check_event_time(at);
	state = Reserve(state, 1);
	if (state->nevents > 0 && at < state->events[state->nevents - 1].at)
		state->sorted = false;
	state->events[state->nevents].at = at;
	state->events[state->nevents++].steps = conditions;
	PG_RETURN_POINTER(state);
}

/*
 * Append the events of another state.
 */
Datum
align_sequence_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = align_aggregate_context(fcinfo);
	SequenceState *state;
	SequenceState *other;

	if (PG_ARGISNULL(1))
		return align_state_as_it_is(fcinfo);
	other = (SequenceState *) PG_GETARG_POINTER(1);
	if (PG_ARGISNULL(0))
	{
		/* the other state, and its pattern with it, may go away earlier */
		const SequencePattern *pattern = FindPattern(fcinfo->flinfo, context,
													 other->pattern->text,
													 other->pattern->len);

		state = MakeState(context, pattern, other->nevents);
	}
	else
	{
		state = (SequenceState *) PG_GETARG_POINTER(0);
		CheckSamePattern(state->pattern, other->pattern);
		state = Reserve(state, other->nevents);
	}
	if (other->nevents > 0)
	{
		state->sorted = state->sorted && other->sorted &&
			(state->nevents == 0 ||
			 state->events[state->nevents - 1].at <= other->events[0].at);
		memcpy(state->events + state->nevents, other->events, other->nevents * sizeof(StepEvent));
		state->nevents += other->nevents;
	}
	PG_RETURN_POINTER(state);
}

/*
 * A serialised state: the pattern, whether the events are sorted, their
 * number, and each as the time since the one before it and its conditions.
 */
Datum
align_sequence_serialise(PG_FUNCTION_ARGS)
{
	const SequenceState *state = (SequenceState *) PG_GETARG_POINTER(0);
	StringInfoData out;
	TimestampTz before = 0;

	(void) align_aggregate_context(fcinfo);
	initStringInfo(&out);
	appendStringInfoSpaces(&out, VARHDRSZ);
	align_wire_append_text(&out, state->pattern->text, state->pattern->len);
	appendStringInfoChar(&out, state->sorted);
	align_wire_append_uint(&out, state->nevents);
	for (size_t i = 0; i < state->nevents; i++)
	{
		const StepEvent *event = &state->events[i];

		align_check_state_size(out.len + 2 * WIRE_MAX_VARINT);
		align_wire_append_int(&out, (int64) ((uint64) event->at - (uint64) before));
		align_wire_append_uint(&out, event->steps);
		before = event->at;
	}
	SET_VARSIZE(out.data, out.len);
	PG_RETURN_BYTEA_P(out.data);
}

Datum
align_sequence_deserialise(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	WireReader	reader;
	SequenceState *state;
	const char *text_of_pattern;
	int			len;
	bool		sorted;
	size_t		nevents;
	TimestampTz before = 0;

	(void) align_aggregate_context(fcinfo);
	align_wire_begin(&reader, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), STATE_TYPE);
	text_of_pattern = align_wire_text(&reader, &len);
	sorted = align_wire_byte(&reader) != 0;
	nevents = align_wire_count(&reader, 2, PG_INT32_MAX);
	state = MakeState(CurrentMemoryContext,
					  FindPattern(fcinfo->flinfo, CurrentMemoryContext, text_of_pattern, len),
					  nevents);
	state->sorted = sorted;
	for (; state->nevents < nevents; state->nevents++)
	{
		StepEvent  *event = &state->events[state->nevents];

		before = (TimestampTz) ((uint64) before + (uint64) align_wire_int(&reader));
		event->at = before;
		event->steps = align_wire_uint(&reader);
	}
	align_wire_end(&reader);
	PG_RETURN_POINTER(state);
}

/*
 * The state with its events sorted, which does not change its meaning; NULL if
 * there was no row.
 */
static const SequenceState *
SortedState(FunctionCallInfo fcinfo)
{
	SequenceState *state;

	(void) align_aggregate_context(fcinfo);
	if (PG_ARGISNULL(0))
		return NULL;
	state = (SequenceState *) PG_GETARG_POINTER(0);
	if (!state->sorted)
		SortEvents(state->events, state->nevents);
	state->sorted = true;
	return state;
}

Datum
align_sequence_match_final(PG_FUNCTION_ARGS)
{
	const SequenceState *state = SortedState(fcinfo);
	SequenceProgress progress;

	if (state == NULL)
		PG_RETURN_BOOL(false);
	align_sequence_search(state->pattern, state->events, state->nevents, true, &progress);
	PG_RETURN_BOOL(progress.matches > 0);
}

Datum
align_sequence_count_final(PG_FUNCTION_ARGS)
{
	const SequenceState *state = SortedState(fcinfo);
	SequenceProgress progress;

	if (state == NULL)
		PG_RETURN_INT64(0);
	align_sequence_search(state->pattern, state->events, state->nevents, false, &progress);
	PG_RETURN_INT64(progress.matches);
}

Datum
align_sequence_match_events_final(PG_FUNCTION_ARGS)
{
	const SequenceState *state = SortedState(fcinfo);
	TimestampTz *times;
	Datum	   *elements;
	int			n;

	if (state == NULL)
		PG_RETURN_ARRAYTYPE_P(construct_empty_array(TIMESTAMPTZOID));
	times = palloc(state->pattern->nitems * sizeof(TimestampTz));
	n = align_sequence_times(state->pattern, state->events, state->nevents, times);
	elements = palloc(Max(n, 1) * sizeof(Datum));
	for (int i = 0; i < n; i++)
		elements[i] = TimestampTzGetDatum(times[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(elements, n, TIMESTAMPTZOID, sizeof(TimestampTz),
										  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
