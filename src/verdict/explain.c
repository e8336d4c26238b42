/*
 * explain.c
 *	  align.explain_move(), which returns whether a move would be allowed and
 *	  which rules it would break.
 *
 * The row is read with the caller's privileges.  A copy of it with the new
 * stage is judged by the functions that the triggers call.  Nothing is
 * written, and no triggers of the table are fired.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "attachment/attachment.h"
#include "attachment/judging_version.h"
#include "attachment/key.h"
#include "attachment/key_sql.h"
#include "attachment/labels.h"
#include "attachment/may_read.h"
#include "catalog/as_role.h"
#include "catalog/relation.h"
#include "verdict/verdict.h"

PG_FUNCTION_INFO_V1(align_explain_move);

#define EXPLAIN_COLUMNS 5

/*
 * Returns the query that reads all columns of the row by its key, and sets
 * types[] to the types of its parameters.
 */
char *
align_lead_row_query(const Attachment *attachment, Relation rel, Oid *types)
{
	TupleDesc	desc = RelationGetDescr(rel);
	StringInfoData query;

	initStringInfo(&query);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		if (!attribute->attisdropped)
			appendStringInfo(&query, "%s%s", query.len == 0 ? "SELECT " : ", ",
							 quote_identifier(NameStr(attribute->attname)));
	}
	appendStringInfo(&query, " FROM %s WHERE ", align_relation_name(RelationGetRelid(rel)));
	for (int i = 0; i < attachment->nkeys; i++)
	{
		const KeyColumn *key = &attachment->keys[i];
		Form_pg_attribute attribute = TupleDescAttr(desc, key->attnum - 1);

		types[i] = key->type;
		align_append_key_equality(&query, i, key->type,
								  quote_identifier(NameStr(attribute->attname)),
								  psprintf("$%d", i + 1));
	}
	return query.data;
}

/*
 * The row that the query has found, in the layout of rel, including dropped
 * columns, which the query leaves out.  It is allocated in a memory context.
 */
HeapTuple
align_lead_row_found(Relation rel, MemoryContext context)
{
	TupleDesc	desc = RelationGetDescr(rel);
	Datum	   *values = palloc0(desc->natts * sizeof(Datum));
	bool	   *nulls = palloc(desc->natts * sizeof(bool));
	int			column = 0;
	MemoryContext old_context;
	HeapTuple	row;

	for (int i = 0; i < desc->natts; i++)
	{
		if (TupleDescAttr(desc, i)->attisdropped)
			nulls[i] = true;
		else
			values[i] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, ++column,
									  &nulls[i]);
	}
	old_context = MemoryContextSwitchTo(context);
	row = heap_form_tuple(desc, values, nulls);
	MemoryContextSwitchTo(old_context);
	return row;
}

/*
 * Reads the row of a lead, in the caller's memory context.
 */
static HeapTuple
ReadRow(const Attachment *attachment, Relation rel, Datum *key)
{
	Oid			types[ATTACHMENT_MAX_KEYS];
	MemoryContext context = CurrentMemoryContext;
	HeapTuple	row;

	align_spi_connect();
	if (SPI_execute_with_args(align_lead_row_query(attachment, rel, types), attachment->nkeys,
							  types, key, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read from relation \"%s\"", RelationGetRelationName(rel));
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("could not find lead %s in table %s", align_key_text(attachment, key),
						attachment->root_name),
				 errhint("Rows hidden by row-level security and uncommitted rows of other transactions are not found.")));
	row = align_lead_row_found(rel, context);
	SPI_finish();
	return row;
}

/*
 * Converts a label to a value of a type; returns false if the type or its
 * length does not allow it.
 */
static bool
LabelDatum(Oid type, int32 typmod, const char *label, Datum *result)
{
	Oid			base = getBaseTypeAndTypmod(type, &typmod);
	char		category;
	bool		preferred;
	char	   *end;
	int64		number;

	switch (base)
	{
		case TEXTOID:
			*result = CStringGetTextDatum(label);
			return true;
		case VARCHAROID:
		case BPCHAROID:
			if (typmod >= (int32) VARHDRSZ && pg_mbstrlen(label) > typmod - (int32) VARHDRSZ)
				return false;
			*result = CStringGetTextDatum(label);
			return true;
		case NAMEOID:
			if (strlen(label) >= NAMEDATALEN)
				return false;
			*result = DirectFunctionCall1(namein, CStringGetDatum(label));
			return true;
		case INT2OID:
		case INT4OID:
		case INT8OID:
			errno = 0;
			number = strtoll(label, &end, 10);
			if (end == label || *end != '\0' || errno != 0)
				return false;
			if (base == INT8OID)
				*result = Int64GetDatum(number);
			else if (base == INT4OID && number >= PG_INT32_MIN && number <= PG_INT32_MAX)
				*result = Int32GetDatum((int32) number);
			else if (base == INT2OID && number >= PG_INT16_MIN && number <= PG_INT16_MAX)
				*result = Int16GetDatum((int16) number);
			else
				return false;
			return true;
	}
	if (type_is_enum(base) && strlen(label) < NAMEDATALEN)
	{
		Oid			value = GetSysCacheOid2(ENUMTYPOIDNAME, Anum_pg_enum_oid,
											ObjectIdGetDatum(base), CStringGetDatum(label));

		*result = ObjectIdGetDatum(value);
		return OidIsValid(value);
	}
	/* other string types, such as citext */
	get_type_category_preferred(base, &category, &preferred);
	if (category == TYPCATEGORY_STRING)
	{
		Oid			input;
		Oid			ioparam;

		getTypeInputInfo(base, &input, &ioparam);
		*result = OidInputFunctionCall(input, unconstify(char *, label), ioparam, typmod);
		return true;
	}
	return false;
}

/*
 * Converts the stage to a value of the stage column: from the label that the
 * caller wrote, or else from the first of the stage's name and labels that the
 * column can hold (an integer column can hold only labels that are numbers).
 * Returns false if it can hold none.
 */
static bool
StageDatum(Relation rel, AttrNumber attnum, const Funnel *funnel, int stage, const char *label,
		   Datum *result)
{
	Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(rel), attnum - 1);
	const FunnelStage *to = stage >= 0 ? &funnel->stages[stage] : NULL;

	if (LabelDatum(attribute->atttypid, attribute->atttypmod, label, result))
		return true;
	if (to == NULL)
		return false;
	if (LabelDatum(attribute->atttypid, attribute->atttypmod, to->name, result))
		return true;
	for (int i = 0; i < to->nlabels; i++)
	{
		if (LabelDatum(attribute->atttypid, attribute->atttypmod, to->labels[i], result))
			return true;
	}
	return false;
}

/*
 * Returns the row after the move, on which conditions are evaluated.  Values
 * that the columns cannot hold are null; a real UPDATE with them would fail.
 * Columns that only an expression uses stay as they are.
 */
static HeapTuple
MovedRow(const Attachment *attachment, Relation rel, HeapTuple row, const RowMove *row_move,
		 const char *label, const char *reason)
{
	TupleDesc	desc = RelationGetDescr(rel);
	Datum	   *values = palloc0(desc->natts * sizeof(Datum));
	bool	   *nulls = palloc0(desc->natts * sizeof(bool));
	bool	   *replaces = palloc0(desc->natts * sizeof(bool));
	AttrNumber	stage_column = attachment->column[ROW_STAGE];
	AttrNumber	reason_column = attachment->column[ROW_REASON];

	if (stage_column != InvalidAttrNumber)
	{
		replaces[stage_column - 1] = true;
		nulls[stage_column - 1] = label == NULL ||
			!StageDatum(rel, stage_column, row_move->funnel, row_move->move.to, label,
						&values[stage_column - 1]);
	}
	if (reason != NULL && reason_column != InvalidAttrNumber)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, reason_column - 1);

		replaces[reason_column - 1] = true;
		nulls[reason_column - 1] = !LabelDatum(attribute->atttypid, attribute->atttypmod, reason,
											   &values[reason_column - 1]);
	}
	return heap_modify_tuple(row, desc, values, nulls, replaces);
}

static void
AppendValue(StringInfo text, const char *name, const char *value, int len)
{
	appendStringInfo(text, "%s%s ", text->len > 0 ? ", " : "", name);
	if (value != NULL)
		appendStringInfo(text, "\"%.*s\"", len, value);
	else
		appendStringInfoString(text, "null");
}

/*
 * Returns the detail of a move that is allowed: what would be recorded of it
 * by the expressions and look-ups of the attachment.  NULL if there are none.
 * row is the row after the move.  Labels that the caller may not see are left
 * as their values.
 */
static char *
RecordedText(Attachment *attachment, Relation rel, const RowMove *row_move, HeapTuple row,
			 LeadString given_reason)
{
	const Move *move = &row_move->move;
	StringInfoData text;

	if (!align_marker_has_expressions(&attachment->marker) &&
		!align_marker_has_labels(&attachment->marker))
		return NULL;
	initStringInfo(&text);
	if (move->from >= 0)
		AppendValue(&text, "from_stage", row_move->funnel->stages[move->from].name, INT_MAX);
	else
		AppendValue(&text, "from_stage", move->from_label.text, move->from_label.len);
	AppendValue(&text, "stage", move->to >= 0 ? row_move->funnel->stages[move->to].name : NULL,
				INT_MAX);
	for (int role = ROW_TEAM; role < ROW_NROLES; role++)
	{
		LeadString	value;

		/* times are recorded only if they change */
		if ((attachment->expression[role] == NULL &&
			 !align_has_labels(attachment, (RowRole) role)) ||
			role == ROW_CHANGED_AT || role == ROW_OPENED_AT)
			continue;
		if (role == ROW_REASON)
			value = move->reason.text == NULL ? move->reason :
				align_visible_label(attachment, ROW_REASON, given_reason, move->reason);
		else if (align_may_read_labels(attachment, GetUserId(), (RowRole) role))
			value = align_role_text(attachment, (RowRole) role, rel, row);
		else
			value = align_role_unlabeled(attachment, (RowRole) role, rel, row);
		AppendValue(&text, align_row_role_names[role], value.text, value.len);
	}
	return psprintf("The entry would have %s.", text.data);
}

/*
 * Adds a row to the result.  If the move is allowed, rule is not used, and
 * only the detail of text, which may be NULL.
 */
static void
PutRow(FunctionCallInfo fcinfo, bool allowed, Rule rule, const VerdictText *text)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum		values[EXPLAIN_COLUMNS] = {0};
	bool		nulls[EXPLAIN_COLUMNS] = {false, true, true, true, true};

	values[0] = BoolGetDatum(allowed);
	nulls[3] = text->detail == NULL;
	if (!nulls[3])
		values[3] = CStringGetTextDatum(text->detail);
	if (!allowed)
	{
		values[1] = CStringGetTextDatum(align_rule_name(rule));
		values[2] = CStringGetTextDatum(text->message);
		if (text->hint)
			values[4] = CStringGetTextDatum(text->hint);
		nulls[1] = nulls[2] = false;
		nulls[4] = text->hint == NULL;
	}
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/*
 * Returns a text argument as a string, or NULL.
 */
static char *
TextArg(FunctionCallInfo fcinfo, int argno)
{
	return PG_ARGISNULL(argno) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(argno));
}

/*
 * explain_move(relation, key, stage, reason): one row per broken rule, or one
 * row if the move is allowed.
 */
Datum
align_explain_move(PG_FUNCTION_ARGS)
{
	char	   *label = TextArg(fcinfo, 2);
	char	   *reason = TextArg(fcinfo, 3);
	AttachmentId id;
	Oid			root;
	Relation	rel;
	Attachment *attachment;
	Datum		key[ATTACHMENT_MAX_KEYS];
	HeapTuple	row;
	HeapTuple	moved;
	RowMove		row_move = {0};
	Move	   *move = &row_move.move;
	Verdict		verdict;

	align_require_argument(fcinfo, 0, "relation");
	align_check_relation_exists(PG_GETARG_OID(0));
	(void) align_find_attachment(PG_GETARG_OID(0), &id, &root);
	rel = table_open(id.relid, AccessShareLock);
	attachment = align_attachment(id, false);
	align_key_argument(fcinfo, 1, attachment, key);
	row = ReadRow(attachment, rel, key);
	align_labels_forget();

	/* from the stage in the row to that of the argument */
	row_move.agreement = attachment->marker.agreement;
	row_move.funnel = align_judging_funnel(attachment, &row_move.version);
	move->from = align_row_stage(attachment, rel, row, row_move.funnel, &move->from_label);
	if (label != NULL)
	{
		move->to_label = align_role_label(attachment, ROW_STAGE, row_move.funnel,
										  align_lead_cstring(label));
		move->to = align_funnel_stage(row_move.funnel, move->to_label.text, move->to_label.len);
	}
	else
		move->to = -1;
	align_begin_for_reader(attachment, key, true, &row_move);
	moved = MovedRow(attachment, rel, row, &row_move, label, reason);
	/* the reason that is in the row is that of an earlier change */
	if (reason != NULL)
		move->reason = align_role_label(attachment, ROW_REASON, row_move.funnel,
										align_lead_cstring(reason));
	if (attachment->marker.options.reason_must_change &&
		align_lead_same(move->reason, align_role_text(attachment, ROW_REASON, rel, row)))
		move->reason = align_lead_cstring(NULL);

	align_verdict(attachment, rel, &row_move, moved, &verdict);
	align_verdict_of_merged(attachment, key, &row_move, &verdict);
	if (move->to < 0 && label != NULL)
		move->to_label = align_visible_label(attachment, ROW_STAGE, align_lead_cstring(label),
											 move->to_label);
	if (move->from < 0 && move->from_label.text != NULL)
		move->from_label =
			align_visible_label(attachment, ROW_STAGE,
								align_role_unlabeled(attachment, ROW_STAGE, rel, row),
								move->from_label);
	align_begin_rows(fcinfo);
	if (verdict.nbroken == 0)
	{
		VerdictText text = {.detail = RecordedText(attachment, rel, &row_move, moved,
												   align_lead_cstring(reason))};

		PutRow(fcinfo, true, RULE_NONE, &text);
	}
	for (int i = 0; i < verdict.nbroken; i++)
	{
		VerdictText text;

		align_row_verdict_text(attachment, rel, &row_move, moved, verdict.broken[i], &text);
		PutRow(fcinfo, false, verdict.broken[i], &text);
	}
	table_close(rel, AccessShareLock);
	return (Datum) 0;
}
