/*
 * value.c
 *	  What all align types share.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "funcapi.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "value.h"

PG_FUNCTION_INFO_V1(align_value_eq);
PG_FUNCTION_INFO_V1(align_value_ne);
PG_FUNCTION_INFO_V1(align_value_lt);
PG_FUNCTION_INFO_V1(align_value_le);
PG_FUNCTION_INFO_V1(align_value_gt);
PG_FUNCTION_INFO_V1(align_value_ge);
PG_FUNCTION_INFO_V1(align_value_cmp);
PG_FUNCTION_INFO_V1(align_value_hash);
PG_FUNCTION_INFO_V1(align_value_hash_extended);

/*
 * A serialised state is a value in a tuple, which palloc() must be able to
 * allocate: this leaves room for its header and the columns of the group.
 */
#define STATE_MAX_SIZE (MaxAllocSize - 1024 * 1024)

void
align_check_flags(uint32 flags, const char *type_name)
{
	if (flags != 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("stored value of type %s has an unknown format", type_name),
				 errdetail("Its flags have the bits %08X, which this release does not support.", flags),
				 errhint("It was written by a newer release of align; update the extension.")));
}

TextValue *
align_text_value(const char *text, int len)
{
	Size		size = offsetof(TextValue, text) + len;
	TextValue  *result = (TextValue *) palloc(size);

	SET_VARSIZE(result, size);
	result->flags = 0;
	memcpy(result->text, text, len);
	return result;
}

TextValue *
align_text_value_arg(Datum datum, const char *type_name)
{
	TextValue  *value = (TextValue *) PG_DETOAST_DATUM(datum);

	if (VARSIZE(value) < offsetof(TextValue, text))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("stored value of type %s is too short", type_name)));
	align_check_flags(value->flags, type_name);
	return value;
}

char *
align_text_value_cstring(const TextValue *value)
{
	return pnstrdup(value->text, TEXT_VALUE_LEN(value));
}

char *
align_text_value_recv(StringInfo buf, const char *type_name)
{
	int			version = pq_getmsgbyte(buf);
	int			nbytes;

	if (version != ALIGN_WIRE_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary representation of type %s", type_name),
				 errdetail("Its format version is %d; this release supports only %d.",
						   version, ALIGN_WIRE_VERSION)));
	/* converts to the database encoding and verifies it */
	return pq_getmsgtext(buf, buf->len - buf->cursor, &nbytes);
}

bytea *
align_text_value_send(const TextValue *value)
{
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbyte(&buf, ALIGN_WIRE_VERSION);
	pq_sendtext(&buf, value->text, TEXT_VALUE_LEN(value));
	return pq_endtypsend(&buf);
}

/*
 * Compare two values by their bytes; a prefix sorts first.
 */
static int
CompareValues(Datum left, Datum right)
{
	struct varlena *a = PG_DETOAST_DATUM_PACKED(left);
	struct varlena *b = PG_DETOAST_DATUM_PACKED(right);
	size_t		a_len = VARSIZE_ANY_EXHDR(a);
	size_t		b_len = VARSIZE_ANY_EXHDR(b);
	int			result = memcmp(VARDATA_ANY(a), VARDATA_ANY(b), Min(a_len, b_len));

	if (result == 0)
		result = (a_len > b_len) - (a_len < b_len);
	else
		result = result > 0 ? 1 : -1;

	if ((Pointer) a != DatumGetPointer(left))
		pfree(a);
	if ((Pointer) b != DatumGetPointer(right))
		pfree(b);
	return result;
}

Datum
align_value_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(CompareValues(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)) == 0);
}

Datum
align_value_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(CompareValues(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)) != 0);
}

Datum
align_value_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(CompareValues(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)) < 0);
}

Datum
align_value_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(CompareValues(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)) <= 0);
}

Datum
align_value_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(CompareValues(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)) > 0);
}

Datum
align_value_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(CompareValues(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)) >= 0);
}

Datum
align_value_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(CompareValues(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)));
}

Datum
align_value_hash(PG_FUNCTION_ARGS)
{
	struct varlena *value = PG_GETARG_VARLENA_PP(0);
	Datum		result = hash_any((unsigned char *) VARDATA_ANY(value),
								  VARSIZE_ANY_EXHDR(value));

	PG_FREE_IF_COPY(value, 0);
	PG_RETURN_DATUM(result);
}

Datum
align_value_hash_extended(PG_FUNCTION_ARGS)
{
	struct varlena *value = PG_GETARG_VARLENA_PP(0);
	Datum		result = hash_any_extended((unsigned char *) VARDATA_ANY(value),
										   VARSIZE_ANY_EXHDR(value),
										   PG_GETARG_INT64(1));

	PG_FREE_IF_COPY(value, 0);
	PG_RETURN_DATUM(result);
}

void
align_require_argument(FunctionCallInfo fcinfo, int argno, const char *what)
{
	if (PG_ARGISNULL(argno))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", what)));
}

Datum
align_interval_datum(int64 microseconds)
{
	Interval   *result = palloc0(sizeof(Interval));

	result->time = microseconds;
	return IntervalPGetDatum(result);
}

Datum
align_days_interval_datum(uint64 microseconds)
{
	Interval   *result = palloc0(sizeof(Interval));

	result->day = (int32) (microseconds / USECS_PER_DAY);
	result->time = (TimeOffset) (microseconds % USECS_PER_DAY);
	return IntervalPGetDatum(result);
}

MemoryContext
align_aggregate_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "transition function of align called outside an aggregate");
	return context;
}

void
align_check_state_size(size_t size)
{
	if (unlikely(size > STATE_MAX_SIZE))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("events of one group are too many to pass to another process"),
				 errdetail("They take more than %zu bytes.", (size_t) STATE_MAX_SIZE),
				 errhint("Set \"max_parallel_workers_per_gather\" to 0 for this query.")));
}

void
align_begin_rows(FunctionCallInfo fcinfo)
{
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
}

/*
 * Returns the row type of the result of a function.
 */
TupleDesc
align_result_desc(FunctionCallInfo fcinfo, MemoryContext context)
{
	MemoryContext caller = MemoryContextSwitchTo(context);
	TupleDesc	desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	desc = BlessTupleDesc(desc);
	MemoryContextSwitchTo(caller);
	return desc;
}

ValueMemo *
align_memo(FmgrInfo *flinfo, int slot, int nslots)
{
	Assert(slot < nslots);
	if (flinfo->fn_extra == NULL)
	{
		ValueMemo  *memos = MemoryContextAllocZero(flinfo->fn_mcxt,
												   nslots * sizeof(ValueMemo));

		for (int i = 0; i < nslots; i++)
			memos[i].context = AllocSetContextCreate(flinfo->fn_mcxt,
													 "align compiled value",
													 ALLOCSET_SMALL_SIZES);
		flinfo->fn_extra = memos;
	}
	return (ValueMemo *) flinfo->fn_extra + slot;
}

bool
align_memo_valid(ValueMemo *memo, const void *value)
{
	size_t		len = VARSIZE_ANY_EXHDR(value);

	return memo->compiled != NULL && memo->key_len == len &&
		memcmp(memo->key, VARDATA_ANY(value), len) == 0;
}

/*
 * Memos are in the order in which they were filled, the latest first.
 */
ValueMemo *
align_memo_of_value(FmgrInfo *flinfo, int nslots, const void *value)
{
	ValueMemo  *memos = align_memo(flinfo, 0, nslots);
	ValueMemo	oldest;

	for (int i = 0; i < nslots; i++)
	{
		if (align_memo_valid(&memos[i], value))
			return &memos[i];
	}
	oldest = memos[nslots - 1];
	memmove(memos + 1, memos, (nslots - 1) * sizeof(ValueMemo));
	memos[0] = oldest;
	align_memo_reset(memos);
	return memos;
}

void
align_memo_reset(ValueMemo *memo)
{
	memo->compiled = NULL;
	memo->key = NULL;
	MemoryContextReset(memo->context);
}

void
align_memo_keep(ValueMemo *memo, const void *value, void *compiled)
{
	size_t		len = VARSIZE_ANY_EXHDR(value);

	memo->key = MemoryContextAlloc(memo->context, len);
	memcpy(memo->key, VARDATA_ANY(value), len);
	memo->key_len = len;
	/* last, because this makes the memo valid */
	memo->compiled = compiled;
}
