/*
 * expanded.c
 *	  Incidences in memory: expanded objects that aggregates update in place.
 */
#include "postgres.h"

#include "common/int.h"
#include "utils/memutils.h"

#include "incidence/incidence.h"

static Size FlatSize(ExpandedObjectHeader *header);
static void FlattenInto(ExpandedObjectHeader *header, void *result, Size allocated_size);

static const ExpandedObjectMethods incidence_methods = {
	FlatSize,
	FlattenInto
};

Incidence *
align_incidence_make(MemoryContext parent)
{
	MemoryContext context = align_is_group_states(parent) ? parent :
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

static void
CompactSeries(Incidence *incidence)
{
	align_series_compact(&incidence->late);
	align_series_compact(&incidence->open);
	for (int i = 0; i < incidence->noutcomes; i++)
		align_series_compact(&incidence->outcomes[i].times);
}

void
align_incidence_count(Incidence *incidence, int64 cases)
{
	if (unlikely(pg_add_s64_overflow(incidence->cases, cases, &incidence->cases)))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("an incidence cannot count so many cases"),
				 errdetail("Together they are more than a bigint can count.")));

	/*
	 * A series that is not compact may repeat times; sort it, but rarely. The
	 * outcomes stay where they are: the caller may know them by their index.
	 */
	if (unlikely(incidence->cases > INCIDENCE_MAX_TIMES &&
				 DistinctTimes(incidence) > 2 * INCIDENCE_MAX_TIMES))
	{
		CompactSeries(incidence);
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
	CompactSeries(incidence);
	if (incidence->noutcomes > 1)
		qsort(incidence->outcomes, incidence->noutcomes, sizeof(IncidenceOutcome),
			  CompareOutcomes);
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
align_incidence_expanded(Datum datum)
{
	if (!VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(datum)) ||
		DatumGetEOHP(datum)->eoh_methods != &incidence_methods)
		return NULL;
	return (Incidence *) DatumGetEOHP(datum);
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
		align_incidence_sort(incidence);
		CheckTimes(incidence);
		align_incidence_encode(&incidence->flat, incidence);
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
	if (align_is_group_states(header->eoh_context))
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
