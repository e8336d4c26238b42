/*
 * expanded.c
 *	  Incidences in memory: expanded objects that aggregates update in place;
 *	  and their flat form.
 */
#include "postgres.h"

#include "common/int.h"
#include "nodes/memnodes.h"
#include "utils/memutils.h"

#include "incidence/incidence.h"

const IncidenceUnit align_incidence_units[INCIDENCE_UNITS] = {
	{"days", USECS_PER_DAY},
	{"hours", USECS_PER_HOUR},
	{"minutes", USECS_PER_MINUTE},
	{"seconds", USECS_PER_SEC},
	{"milliseconds", 1000},
	{"microseconds", 1},
};

static Size FlatSize(ExpandedObjectHeader *header);
static void FlattenInto(ExpandedObjectHeader *header, void *result, Size allocated_size);

static const ExpandedObjectMethods incidence_methods = {
	FlatSize,
	FlattenInto
};

/*
 * Contexts with this identifier (compared by address) hold the states of all
 * groups of an aggregate.
 */
static const char states_of_groups[] = "of all groups";

static inline bool
IsStatesContext(MemoryContext context)
{
	return context->ident == states_of_groups;
}

static void
ForgetStatesContext(void *arg)
{
	IncidenceStates *states = (IncidenceStates *) arg;

	states->context = NULL;
}

/*
 * PostgreSQL's hash aggregation adds up the contexts below its own whenever it
 * makes a group, so a context per group would make it quadratic.  One context
 * serves them all.  It is a child of the aggregate's, so that the executor
 * leaves the expanded objects in it where they are.
 */
MemoryContext
align_incidence_states_context(IncidenceStates *states, MemoryContext aggregate_context)
{
	MemoryContext context = aggregate_context->firstchild;
	MemoryContextCallback *callback;

	if (likely(states->context != NULL && states->parent == aggregate_context))
		return states->context;
	while (context != NULL && !IsStatesContext(context))
		context = context->nextchild;
	if (context == NULL)
	{
		context = AllocSetContextCreate(aggregate_context, "align incidence states",
										ALLOCSET_DEFAULT_SIZES);
		MemoryContextSetIdentifier(context, states_of_groups);
	}

	/* the executor resets its context between groups that come sorted */
	callback = MemoryContextAlloc(context, sizeof(MemoryContextCallback));
	callback->func = ForgetStatesContext;
	callback->arg = states;
	MemoryContextRegisterResetCallback(context, callback);
	states->parent = aggregate_context;
	states->context = context;
	return context;
}

Incidence *
align_incidence_make(MemoryContext parent)
{
	MemoryContext context = IsStatesContext(parent) ? parent :
		AllocSetContextCreate(parent, "align incidence", ALLOCSET_START_SMALL_SIZES);
	Incidence  *incidence = MemoryContextAllocZero(context, sizeof(Incidence));

	EOH_init_header(&incidence->header, &incidence_methods, context);
	return incidence;
}

static int64
DistinctTimes(const Incidence *incidence)
{
	int64		times = (int64) incidence->late.n + incidence->open.n;

	for (int i = 0; i < incidence->noutcomes; i++)
		times += incidence->outcomes[i].times.n;
	return times;
}

/*
 * Raise an error if there are too many distinct times; the series are compact.
 */
static void
CheckTimes(const Incidence *incidence)
{
	if (unlikely(DistinctTimes(incidence) > INCIDENCE_MAX_TIMES))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("incidence has too many distinct times"),
				 errdetail("The times of entry and of leaving, by outcome, can be at most %d different ones.",
						   INCIDENCE_MAX_TIMES),
				 errhint("Round them up, for example to hours.")));
}

void
align_incidence_count(Incidence *incidence, int64 cases)
{
	if (unlikely(pg_add_s64_overflow(incidence->cases, cases, &incidence->cases)))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("an incidence cannot count so many cases"),
				 errdetail("Together they are more than a bigint can count.")));

	/* a series that is not compact may repeat times; sort it, but rarely */
	if (unlikely(incidence->cases > INCIDENCE_MAX_TIMES &&
				 DistinctTimes(incidence) > 2 * INCIDENCE_MAX_TIMES))
	{
		align_incidence_sort(incidence);
		CheckTimes(incidence);
	}
}

int
align_incidence_find(const Incidence *incidence, const char *name, int len)
{
	for (int i = 0; i < incidence->noutcomes; i++)
	{
		if (incidence->outcomes[i].len == len &&
			memcmp(incidence->outcomes[i].name, name, len) == 0)
			return i;
	}
	return -1;
}

int
align_incidence_outcome(Incidence *incidence, const char *name, int len)
{
	MemoryContext context = incidence->header.eoh_context;
	IncidenceOutcome *outcome;
	int			found;

	/* most often it is that of the case before */
	found = incidence->last_outcome;
	if (found < incidence->noutcomes && incidence->outcomes[found].len == len &&
		memcmp(incidence->outcomes[found].name, name, len) == 0)
		return found;
	found = align_incidence_find(incidence, name, len);
	if (found >= 0)
		return incidence->last_outcome = found;

	if (len > INCIDENCE_MAX_NAME)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("outcome is too long"),
				 errdetail("It has %d bytes; the limit is %d.", len, INCIDENCE_MAX_NAME)));
	if (incidence->noutcomes == INCIDENCE_MAX_OUTCOMES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("incidence has too many outcomes"),
				 errdetail("There are more than %d different ones.", INCIDENCE_MAX_OUTCOMES),
				 errhint("An outcome is a kind of end, such as won or lost, not a note about it.")));
	if (incidence->noutcomes == incidence->outcomes_room)
	{
		int			room = incidence->outcomes_room == 0 ? 2 : incidence->outcomes_room * 2;
		Size		size = room * sizeof(IncidenceOutcome);

		incidence->outcomes = incidence->outcomes == NULL ? MemoryContextAlloc(context, size) :
			repalloc(incidence->outcomes, size);
		incidence->outcomes_room = room;
	}
	outcome = &incidence->outcomes[incidence->noutcomes];
	memset(outcome, 0, sizeof(IncidenceOutcome));
	outcome->name = MemoryContextAlloc(context, Max(len, 1));
	memcpy(outcome->name, name, len);
	outcome->len = len;
	return incidence->last_outcome = incidence->noutcomes++;
}

static int
CompareOutcomes(const void *left, const void *right)
{
	const IncidenceOutcome *a = (const IncidenceOutcome *) left;
	const IncidenceOutcome *b = (const IncidenceOutcome *) right;
	int			result = memcmp(a->name, b->name, Min(a->len, b->len));

	return result != 0 ? result : (a->len > b->len) - (a->len < b->len);
}

void
align_incidence_sort(Incidence *incidence)
{
	align_series_compact(&incidence->late);
	align_series_compact(&incidence->open);
	if (incidence->noutcomes > 1)
		qsort(incidence->outcomes, incidence->noutcomes, sizeof(IncidenceOutcome),
			  CompareOutcomes);
	for (int i = 0; i < incidence->noutcomes; i++)
		align_series_compact(&incidence->outcomes[i].times);
}

/*
 * From the last time to the first, compare the cases that entered at a time or
 * later with those that left after it.
 */
const char *
align_incidence_check(Incidence *incidence)
{
	int			at[INCIDENCE_MAX_OUTCOMES + 1];
	int64		left = 0;
	int64		entered = 0;

	align_incidence_sort(incidence);
	for (int i = 0; i < incidence->noutcomes; i++)
		at[i] = incidence->outcomes[i].times.n;
	at[incidence->noutcomes] = incidence->open.n;

	for (int late = incidence->late.n - 1; late >= 0; late--)
	{
		const TimeCount *entry = &incidence->late.items[late];

		for (int i = 0; i <= incidence->noutcomes; i++)
		{
			const TimeSeries *times = i == incidence->noutcomes ? &incidence->open :
				&incidence->outcomes[i].times;

			while (at[i] > 0 && times->items[at[i] - 1].at > entry->at)
				left += times->items[--at[i]].count;
		}
		if (entry->at == 0)
			return "A case that is there from the start does not enter late.";
		/* counts of input may not add up */
		if (pg_add_s64_overflow(entered, entry->count, &entered) || entered > left)
			return "More cases enter late than leave after that.";
	}
	return NULL;
}

Incidence *
align_incidence_writable(Datum datum, MemoryContext context)
{
	ExpandedObjectHeader *header;

	if (!VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(datum)))
		return NULL;
	header = DatumGetEOHP(datum);
	if (header->eoh_methods != &incidence_methods ||
		MemoryContextGetParent(header->eoh_context) != context)
		return NULL;
	return (Incidence *) header;
}

Incidence *
align_incidence_arg(Datum datum)
{
	Incidence  *incidence;

	if (VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(datum)) &&
		DatumGetEOHP(datum)->eoh_methods == &incidence_methods)
		incidence = (Incidence *) DatumGetEOHP(datum);
	else
		incidence = align_incidence_absorb_datum(NULL, datum, CurrentMemoryContext);
	align_incidence_sort(incidence);
	return incidence;
}

/*
 * The coarsest unit, from the given one on, that all times of a series are
 * multiples of.
 */
static int
CoarsestUnit(const TimeSeries *series, int unit)
{
	for (int i = 0; i < series->n; i++)
	{
		while (series->items[i].at % align_incidence_units[unit].microseconds != 0)
			unit++;
	}
	return unit;
}

int
align_incidence_unit(const Incidence *incidence)
{
	int			unit = 0;

	unit = CoarsestUnit(&incidence->late, unit);
	unit = CoarsestUnit(&incidence->open, unit);
	for (int i = 0; i < incidence->noutcomes; i++)
		unit = CoarsestUnit(&incidence->outcomes[i].times, unit);
	return unit;
}

static void
EncodeSeries(StringInfo out, const TimeSeries *series, int64 unit)
{
	int64		before = 0;

	align_wire_append_uint(out, series->n);
	for (int i = 0; i < series->n; i++)
	{
		align_wire_append_uint(out, (series->items[i].at - before) / unit);
		align_wire_append_uint(out, series->items[i].count);
		before = series->items[i].at;
	}
}

static void
Encode(StringInfo out, Incidence *incidence)
{
	int			unit;
	int64		microseconds;

	Assert(incidence->cases > 0);

	align_incidence_sort(incidence);
	CheckTimes(incidence);
	unit = align_incidence_unit(incidence);
	microseconds = align_incidence_units[unit].microseconds;

	align_wire_append_uint(out, 0);
	align_wire_append_uint(out, unit);
	align_wire_append_uint(out, incidence->noutcomes);
	for (int i = 0; i < incidence->noutcomes; i++)
		align_wire_append_text(out, incidence->outcomes[i].name, incidence->outcomes[i].len);
	EncodeSeries(out, &incidence->late, microseconds);
	EncodeSeries(out, &incidence->open, microseconds);
	for (int i = 0; i < incidence->noutcomes; i++)
		EncodeSeries(out, &incidence->outcomes[i].times, microseconds);
}

/*
 * The encoded form is kept until the next change: the executor asks for the
 * size more than once before it asks for the bytes.
 */
static Size
FlatSize(ExpandedObjectHeader *header)
{
	Incidence  *incidence = (Incidence *) header;

	if (!incidence->flat_valid)
	{
		MemoryContext old_context = MemoryContextSwitchTo(header->eoh_context);

		if (incidence->flat.data == NULL)
			initStringInfo(&incidence->flat);
		resetStringInfo(&incidence->flat);
		Encode(&incidence->flat, incidence);
		incidence->flat_valid = true;
		MemoryContextSwitchTo(old_context);
	}
	return VARHDRSZ + incidence->flat.len;
}

static void
FlattenInto(ExpandedObjectHeader *header, void *result, Size allocated_size)
{
	Incidence  *incidence = (Incidence *) header;

	Assert(incidence->flat_valid && allocated_size == VARHDRSZ + (Size) incidence->flat.len);
	SET_VARSIZE(result, allocated_size);
	memcpy(VARDATA(result), incidence->flat.data, incidence->flat.len);

	/* the states of many groups do not keep their encoded forms */
	if (IsStatesContext(header->eoh_context))
	{
		pfree(incidence->flat.data);
		incidence->flat.data = NULL;
		incidence->flat_valid = false;
	}
}

struct varlena *
align_incidence_flatten(Incidence *incidence)
{
	Size		size = FlatSize(&incidence->header);
	struct varlena *result = palloc(size);

	FlattenInto(&incidence->header, result, size);
	return result;
}

/*
 * Add a series of the flat form to one in memory.  Returns the number of its
 * cases.
 */
static int64
AbsorbSeries(Incidence *into, TimeSeries *series, WireReader *reader, int64 unit)
{
	int			n = align_wire_count(reader, 2, INCIDENCE_MAX_TIMES);
	int64		at = 0;
	int64		cases = 0;

	for (int i = 0; i < n; i++)
	{
		uint64		distance = align_wire_uint(reader);
		uint64		count = align_wire_uint(reader);

		if (distance > (uint64) (PG_INT64_MAX - at) / unit)
			align_wire_fail(reader, "A time is out of range.");
		if (distance == 0 && i > 0)
			align_wire_fail(reader, "A time is repeated.");
		if (count == 0 || count > (uint64) (PG_INT64_MAX - cases))
			align_wire_fail(reader, "A count is out of range.");
		at += (int64) distance * unit;
		cases += (int64) count;
		align_series_add(series, into->header.eoh_context, at, (int64) count);
	}
	return cases;
}

Incidence *
align_incidence_absorb(Incidence *into, WireReader *reader, MemoryContext context)
{
	uint64		flags = align_wire_uint(reader);
	uint64		unit_index;
	int64		unit;
	int			noutcomes;
	int			outcomes[INCIDENCE_MAX_OUTCOMES];
	int64		late;

	align_check_flags(flags > PG_UINT32_MAX ? PG_UINT32_MAX : (uint32) flags, INCIDENCE_TYPE);
	if (into == NULL)
		into = align_incidence_make(context);
	into->flat_valid = false;

	unit_index = align_wire_uint(reader);
	if (unit_index >= INCIDENCE_UNITS)
		align_wire_fail(reader, "Its unit is unknown.");
	unit = align_incidence_units[unit_index].microseconds;
	noutcomes = align_wire_count(reader, 1, INCIDENCE_MAX_OUTCOMES);
	for (int i = 0; i < noutcomes; i++)
	{
		int			len;
		const char *name = align_wire_text(reader, &len);

		outcomes[i] = align_incidence_outcome(into, name, len);
	}

	late = AbsorbSeries(into, &into->late, reader, unit);
	align_incidence_count(into, AbsorbSeries(into, &into->open, reader, unit));
	for (int i = 0; i < noutcomes; i++)
	{
		int64		cases = AbsorbSeries(into, &into->outcomes[outcomes[i]].times, reader, unit);

		if (cases == 0)
			align_wire_fail(reader, "An outcome is without cases.");
		align_incidence_count(into, cases);
	}
	if (into->cases == 0)
		align_wire_fail(reader, "It is without cases.");
	if (late > into->cases)
		align_wire_fail(reader, "More cases enter late than leave.");
	align_wire_end(reader);
	return into;
}

Incidence *
align_incidence_absorb_datum(Incidence *into, Datum datum, MemoryContext context)
{
	struct varlena *value = PG_DETOAST_DATUM_PACKED(datum);
	WireReader	reader;

	align_wire_begin(&reader, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), INCIDENCE_TYPE);
	into = align_incidence_absorb(into, &reader, context);
	if ((Pointer) value != DatumGetPointer(datum))
		pfree(value);
	return into;
}
