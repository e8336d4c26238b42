/*
 * expanded.c
 *	  Conversions in memory: expanded objects that aggregates update in place.
 */
#include "postgres.h"

#include "common/int.h"
#include "utils/memutils.h"

#include "conversion/conversion.h"

static Size FlatSize(ExpandedObjectHeader *header);
static void FlattenInto(ExpandedObjectHeader *header, void *result, Size allocated_size);

static const ExpandedObjectMethods conversion_methods = {
	FlatSize,
	FlattenInto
};

MemoryContext
align_conversion_states_context(ConversionStates *states, MemoryContext aggregate_context)
{
	MemoryContext context = align_group_states(&states->group, aggregate_context);

	if (states->identity_number != states->group.number)
	{
		/* the identity was in a context that has been reset, or in another */
		states->identity.bytes = NULL;
		states->identity_number = states->group.number;
	}
	return context;
}

/* Without an identity. */
static Conversion *
MakeEmpty(int nsteps, MemoryContext context)
{
	Conversion *conversion;

	conversion = MemoryContextAllocZero(context, offsetof(Conversion, levels) +
										(nsteps + 1) * sizeof(ConversionLevel));
	EOH_init_header(&conversion->header, &conversion_methods, context);
	conversion->least_as_of = DT_NOEND;
	conversion->most_as_of = DT_NOBEGIN;
	return conversion;
}

static void
CopyIdentity(ConversionIdentity *to, const ConversionIdentity *from, MemoryContext context)
{
	MemoryContext old_context = MemoryContextSwitchTo(context);
	char	   *bytes = palloc(from->len);
	WireReader	reader;

	memcpy(bytes, from->bytes, from->len);
	align_wire_begin(&reader, bytes, from->len, CONVERSION_TYPE);
	align_identity_read(to, &reader, false);
	MemoryContextSwitchTo(old_context);
}

Conversion *
align_conversion_make(const ConversionIdentity *identity, MemoryContext parent)
{
	MemoryContext context = align_is_group_states(parent) ? parent :
		AllocSetContextCreate(parent, "align conversion", ALLOCSET_START_SMALL_SIZES);
	Conversion *conversion = MakeEmpty(identity->nsteps, context);

	CopyIdentity(&conversion->identity, identity, context);
	conversion->knows_matured = align_identity_matures(identity);
	conversion->knows_way = true;
	return conversion;
}

Conversion *
align_conversion_make_state(const ConversionIdentity *identity, ConversionStates *states,
							MemoryContext aggregate_context)
{
	MemoryContext context = align_conversion_states_context(states, aggregate_context);
	Conversion *conversion = MakeEmpty(identity->nsteps, context);

	if (states->identity.bytes == NULL || !align_identity_equal(&states->identity, identity))
		CopyIdentity(&states->identity, identity, context);
	conversion->identity = states->identity;
	conversion->knows_matured = align_identity_matures(identity);
	conversion->knows_way = true;
	return conversion;
}

void
align_conversion_count(Conversion *conversion, int64 leads)
{
	if (unlikely(pg_add_s64_overflow(conversion->leads, leads, &conversion->leads)))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("a conversion cannot count so many leads"),
				 errdetail("Together they are more than a bigint can count.")));
}

void
align_conversion_see(Conversion *conversion, TimestampTz least_as_of, TimestampTz most_as_of)
{
	conversion->least_as_of = Min(conversion->least_as_of, least_as_of);
	conversion->most_as_of = Max(conversion->most_as_of, most_as_of);
}

void
align_conversion_forget_matured(Conversion *conversion)
{
	if (!conversion->knows_matured)
		return;
	conversion->knows_matured = false;
	for (int i = 0; i <= conversion->identity.nsteps; i++)
		conversion->levels[i].matured = 0;
}

void
align_conversion_forget_way(Conversion *conversion)
{
	if (conversion->knows_way)
		align_histogram_clear(&conversion->way);
	conversion->knows_way = false;
}

/*
 * A lead has converted exactly if it reached the last step, and it entered the
 * step whose level it has; along a funnel any won stage is the last step.
 */
static inline void
AssertProgress(const Conversion *conversion PG_USED_FOR_ASSERTS_ONLY,
			   const Progress *progress PG_USED_FOR_ASSERTS_ONLY)
{
	Assert(progress->nsteps == conversion->identity.nsteps);
	Assert(progress->level >= 0 && progress->level <= progress->nsteps);
	Assert((progress->status == PROGRESS_CONVERTED) == (progress->level == progress->nsteps));
	Assert(progress->level == 0 || progress->times[progress->level - 1] != PROGRESS_NO_TIME);
}

void
align_conversion_add(Conversion *conversion, const Progress *progress, TimestampTz as_of)
{
	const ConversionIdentity *identity = &conversion->identity;
	bool		is_funnel = identity->kind == CONVERSION_FUNNEL;
	ConversionLevel *level = &conversion->levels[progress->level];
	TimestampTz before = PROGRESS_NO_TIME;

	AssertProgress(conversion, progress);
	conversion->flat_valid = false;
	align_conversion_count(conversion, 1);
	align_conversion_see(conversion, as_of, as_of);

	if (progress->status == PROGRESS_CONVERTED)
		conversion->converted++;
	else if (progress->status == PROGRESS_DROPPED)
		level->dropped++;
	else
		level->open++;

	if (progress->matured_level > 0 && conversion->knows_matured)
		conversion->levels[progress->matured_level].matured++;

	if (progress->amount.text != NULL && progress->level > 0)
		align_amount_sum_add(&level->amount, conversion->header.eoh_context, progress->amount);

	for (int i = 0; i < progress->level; i++)
	{
		TimestampTz at = progress->times[i];
		ConversionLevel *step = &conversion->levels[i + 1];

		if (at != PROGRESS_NO_TIME)
		{
			/* a win elsewhere is a time of the last step, but not an entry */
			if (align_counts_entered(identity, i + 1))
				step->entered += i + 1 < identity->nsteps || progress->entered_end;

			/*
			 * Along a funnel a lead may come to a step before the one that
			 * precedes it; that is no time from the one to the other.
			 */
			if (before != PROGRESS_NO_TIME && at >= before)
				align_histogram_add(&step->times, conversion->header.eoh_context,
									(uint64) at - (uint64) before);
		}
		/* along plain steps, times are since the last step entered */
		if (is_funnel || at != PROGRESS_NO_TIME)
			before = at;
	}

	if (progress->status == PROGRESS_CONVERTED && conversion->knows_way)
	{
		TimestampTz first = progress->times[0];

		if (first != PROGRESS_NO_TIME && before >= first)
			align_histogram_add(&conversion->way, conversion->header.eoh_context,
								(uint64) before - (uint64) first);
	}
}

Conversion *
align_conversion_writable(Datum datum, MemoryContext context)
{
	ExpandedObjectHeader *header;

	if (!VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(datum)))
		return NULL;
	header = DatumGetEOHP(datum);
	if (header->eoh_methods != &conversion_methods ||
		MemoryContextGetParent(header->eoh_context) != context)
		return NULL;
	return (Conversion *) header;
}

/*
 * The encoded form is kept until the next change: the executor asks for the
 * size more than once before it asks for the bytes.
 *
 * Encoding works in a context of its own.  The caller's may be one in which
 * nothing can be freed: since 17, sorting copies values into such a context.
 */
static void
Encode(Conversion *conversion)
{
	MemoryContext scratch;
	MemoryContext old_context;

	if (conversion->flat_valid)
		return;
	old_context = MemoryContextSwitchTo(conversion->header.eoh_context);
	if (conversion->flat.data == NULL)
		initStringInfo(&conversion->flat);
	resetStringInfo(&conversion->flat);
	scratch = AllocSetContextCreate(conversion->header.eoh_context,
									"align conversion encoding", ALLOCSET_SMALL_SIZES);
	MemoryContextSwitchTo(scratch);
	align_conversion_encode(&conversion->flat, conversion);
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(scratch);
	conversion->flat_valid = true;
}

static Size
FlatSize(ExpandedObjectHeader *header)
{
	Conversion *conversion = (Conversion *) header;

	Encode(conversion);
	return VARHDRSZ + conversion->flat.len;
}

static void
FlattenInto(ExpandedObjectHeader *header, void *result, Size allocated_size)
{
	Conversion *conversion = (Conversion *) header;

	Assert(conversion->flat_valid && allocated_size == VARHDRSZ + (Size) conversion->flat.len);
	SET_VARSIZE(result, allocated_size);
	memcpy(VARDATA(result), conversion->flat.data, conversion->flat.len);

	/* the states of many groups do not keep their encoded forms */
	if (align_is_group_states(header->eoh_context))
	{
		pfree(conversion->flat.data);
		conversion->flat.data = NULL;
		conversion->flat_valid = false;
	}
}

struct varlena *
align_conversion_flatten(Conversion *conversion)
{
	Size		size = FlatSize(&conversion->header);
	struct varlena *result = palloc(size);

	FlattenInto(&conversion->header, result, size);
	return result;
}
