/*
 * missing_needs.c
 *	  missing_needs(): what a stage needs of a row that the row does not have.
 *
 * The needs are compiled once per call site, for the agreement and the type of
 * the row.  The row is given by the caller, and conditions can use nothing but
 * it, so this reads no table and needs no privilege.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "condition/needs.h"
#include "funnel/draft.h"
#include "value.h"

PG_FUNCTION_INFO_V1(align_missing_needs);

/*
 * What a call site keeps from call to call.
 */
typedef struct NeedsSite
{
	Oid			relid;			/* whose rows it is for */
	Funnel	   *funnel;
	RowNeeds   *needs;
} NeedsSite;

/*
 * Returns the table whose row type a row has.
 */
static Oid
RowRelation(HeapTupleHeader row)
{
	Oid			type = HeapTupleHeaderGetTypeId(row);
	Oid			relid = get_typ_typrelid(getBaseType(type));

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("row must be a row of a table"),
				 errdetail("Its type is %s.", format_type_be(type))));
	return relid;
}

/*
 * Returns the site's needs for an agreement and the rows of a table.
 */
static NeedsSite *
Site(FunctionCallInfo fcinfo, Oid relid)
{
	ValueMemo  *memo = align_memo(fcinfo->flinfo, 0, 1);
	TextValue  *value = align_text_value_arg(PG_GETARG_DATUM(1), "funnel");
	NeedsSite  *site = memo->compiled;
	MemoryContext caller;
	Relation	rel;

	if (align_memo_valid(memo, value) && site->relid == relid)
		return site;
	align_memo_reset(memo);
	rel = table_open(relid, AccessShareLock);
	caller = MemoryContextSwitchTo(memo->context);
	site = palloc0(sizeof(NeedsSite));
	site->relid = relid;
	site->funnel = align_funnel_compile(align_text_value_cstring(value), memo->context, NULL);
	site->needs = align_needs_compile(rel, site->funnel, "", 0, false, memo->context);
	MemoryContextSwitchTo(caller);
	table_close(rel, NoLock);
	align_memo_keep(memo, value, site);
	return site;
}

/*
 * missing_needs(row, funnel, stage): the needs of the stage that the row does
 * not meet, as written in the agreement; empty if there are none, or if the
 * agreement does not know the stage.
 */
Datum
align_missing_needs(PG_FUNCTION_ARGS)
{
	HeapTupleHeader header = PG_GETARG_HEAPTUPLEHEADER(0);
	text	   *label = PG_GETARG_TEXT_PP(2);
	NeedsSite  *site = Site(fcinfo, RowRelation(header));
	int			stage = align_funnel_stage(site->funnel, VARDATA_ANY(label), VARSIZE_ANY_EXHDR(label));
	const FunnelNeed *unmet[FUNNEL_MAX_NEEDS];
	Datum		texts[FUNNEL_MAX_NEEDS];
	HeapTupleData row = {0};
	int			nunmet = 0;

	row.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&row.t_self);
	row.t_data = header;
	if (stage >= 0)
		nunmet = align_needs_unmet(site->needs, &row, -1, stage, unmet, FUNNEL_MAX_NEEDS);
	for (int i = 0; i < nunmet; i++)
	{
		StringInfoData need;

		initStringInfo(&need);
		align_write_need(&need, unmet[i]);
		texts[i] = CStringGetTextDatum(need.data);
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(texts, nunmet, TEXTOID, -1, false, TYPALIGN_INT));
}
