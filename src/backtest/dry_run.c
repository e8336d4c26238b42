/*
 * dry_run.c
 *	  dry_run(): the rules that a load would break, row by row.
 *
 * The rows of a query are judged as if each were written to the attached table
 * on its own: a row whose key is in the table as an update of the columns that
 * the query has, any other as an insert.  The row is read, and the query runs,
 * with the privileges of the caller, in a read-only subtransaction.  Triggers
 * and constraints of the table are not taken into account.
 *
 * No code of the table's owner runs: of the defaults of columns that the query
 * does not have, only constants are used, and values are converted to the
 * types of the columns only by input functions that are safe
 * (align_type_is_safe()), without the constraints of domains.  Generated
 * columns are computed if their expressions are such as conditions may be;
 * others are treated as columns without a default.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_proc.h"
#include "executor/spi.h"
#include "nodes/primnodes.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"

#include "attachment/attachment.h"
#include "attachment/judging_version.h"
#include "attachment/key.h"
#include "attachment/labels.h"
#include "catalog/as_role.h"
#include "catalog/relation.h"
#include "catalog/user_query.h"
#include "condition/condition.h"
#include "nearest.h"
#include "value.h"
#include "verdict/verdict.h"

PG_FUNCTION_INFO_V1(align_dry_run);

enum DryRunColumn
{
	DRY_RUN_ROW_NO,
	DRY_RUN_KEY,
	DRY_RUN_RULE,
	DRY_RUN_MODE,
	DRY_RUN_FROM_STAGE,
	DRY_RUN_STAGE,
	DRY_RUN_MESSAGE,
	DRY_RUN_DETAIL,
	DRY_RUN_HINT,
	DRY_RUN_NCOLUMNS
};

/* A column of the query. */
typedef struct DryRunInput
{
	int			attribute;		/* of the table, from 0 */
	bool		as_is;			/* is the value of the column's type? */
	FmgrInfo	out;			/* unless as_is */
	FmgrInfo	in;
	Oid			ioparam;
	int32		typmod;
} DryRunInput;

/* A generated column that is computed. */
typedef struct DryRunGenerated
{
	int			attribute;		/* of the table, from 0 */
	RowCondition *expression;
} DryRunGenerated;

typedef struct DryRun
{
	ReturnSetInfo *rsinfo;
	MemoryContext context;		/* of inputs and defaults */
	Attachment *attachment;
	Relation	rel;
	int			ninputs;
	DryRunInput *inputs;
	bool	   *is_input;		/* by attribute: does the query have it? */
	Datum	   *defaults;		/* by attribute, for rows to be inserted */
	bool	   *no_default;
	ConditionInput *row;		/* on which generated columns are computed;
								 * NULL: there are none */
	int			ngenerated;
	DryRunGenerated *generated;
	SPIPlanPtr	find;			/* the row of a key */
	int64		row_no;
	const char *column;			/* whose value is being converted, or NULL */
} DryRun;

static int
FindAttribute(TupleDesc desc, const char *name)
{
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		if (!attribute->attisdropped && strcmp(NameStr(attribute->attname), name) == 0)
			return i;
	}
	return -1;
}

static void
RaiseNoColumn(Relation rel, const char *name)
{
	TupleDesc	desc = RelationGetDescr(rel);
	const char **names = palloc(desc->natts * sizeof(char *));
	int			n = 0;
	const char *nearest;

	for (int i = 0; i < desc->natts; i++)
	{
		if (!TupleDescAttr(desc, i)->attisdropped)
			names[n++] = NameStr(TupleDescAttr(desc, i)->attname);
	}
	nearest = align_nearest(name, strlen(name), names, n);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column \"%s\" of the query is not a column of relation \"%s\"",
					name, RelationGetRelationName(rel)),
			 nearest != NULL ? errhint("%s", align_nearest_text(nearest)) :
			 errhint("The columns of the query are found by name.")));
}

/*
 * Sets how values of a column of the query become values of its attribute.
 */
static void
SetConversion(DryRun *run, DryRunInput *input, Oid type)
{
	Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(run->rel), input->attribute);
	Oid			base;
	Oid			function;
	bool		is_varlena;

	input->typmod = attribute->atttypmod;
	base = getBaseTypeAndTypmod(attribute->atttypid, &input->typmod);
	input->as_is = getBaseType(type) == base && (input->typmod == -1 || !align_type_is_safe(base));
	if (input->as_is)
		return;
	if (!align_type_is_safe(base))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" is of type %s but the query has a value of type %s",
						NameStr(attribute->attname), format_type_be(attribute->atttypid),
						format_type_be(type)),
				 errhint("Cast the value to type %s.", format_type_be(base))));
	getTypeOutputInfo(type, &function, &is_varlena);
	fmgr_info_cxt(function, &input->out, run->context);
	getTypeInputInfo(base, &function, &input->ioparam);
	fmgr_info_cxt(function, &input->in, run->context);
}

/*
 * Maps the columns of the query to those of the table.
 */
static void
SetInputs(DryRun *run, TupleDesc desc)
{
	run->ninputs = desc->natts;
	run->inputs = palloc0(Max(desc->natts, 1) * sizeof(DryRunInput));
	for (int i = 0; i < desc->natts; i++)
	{
		DryRunInput *input = &run->inputs[i];
		const char *name = NameStr(TupleDescAttr(desc, i)->attname);

		input->attribute = FindAttribute(RelationGetDescr(run->rel), name);
		if (input->attribute < 0)
			RaiseNoColumn(run->rel, name);
		if (run->is_input[input->attribute])
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_COLUMN),
					 errmsg("the query has more than one column \"%s\"", name)));
		run->is_input[input->attribute] = true;
		SetConversion(run, input, TupleDescAttr(desc, i)->atttypid);
	}
	for (int i = 0; i < run->attachment->nkeys; i++)
	{
		if (!run->is_input[run->attachment->keys[i].attnum - 1])
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("the query has no column \"%s\"", run->attachment->keys[i].name),
					 errdetail("It is part of the key of %s.", run->attachment->root_name)));
	}
}

/*
 * The default of a column if it is a constant, perhaps converted by built-in
 * functions; NULL otherwise.
 */
static Const *
ConstantDefault(Relation rel, int attnum)
{
	Node	   *node = build_column_default(rel, attnum);

	if (node != NULL && IsA(node, CoerceToDomain))
		node = (Node *) ((CoerceToDomain *) node)->arg;
	if (node != NULL && IsA(node, FuncExpr))
	{
		FuncExpr   *function = (FuncExpr *) node;
		ListCell   *lc;

		if (function->funcid >= FirstNormalObjectId ||
			func_volatile(function->funcid) != PROVOLATILE_IMMUTABLE)
			return NULL;
		foreach(lc, function->args)
		{
			if (!IsA(lfirst(lc), Const))
				return NULL;
		}
		node = eval_const_expressions(NULL, node);
	}
	return node != NULL && IsA(node, Const) ? (Const *) node : NULL;
}

static void
SetDefaults(DryRun *run)
{
	TupleDesc	desc = RelationGetDescr(run->rel);

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		Const	   *value = NULL;

		if (!attribute->attisdropped && attribute->atthasdef && attribute->attgenerated == '\0' &&
			!run->is_input[i])
			value = ConstantDefault(run->rel, i + 1);
		run->no_default[i] = value == NULL || value->constisnull;
		if (!run->no_default[i])
			run->defaults[i] = datumCopy(value->constvalue, value->constbyval, value->constlen);
	}
}

/*
 * Compiles the expressions of generated columns.  One that calls functions
 * which are not built in is not computed.
 */
static void
SetGenerated(DryRun *run)
{
	TupleDesc	desc = RelationGetDescr(run->rel);

	run->generated = palloc0(desc->natts * sizeof(DryRunGenerated));
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		DryRunGenerated *generated = &run->generated[run->ngenerated];
		Node	   *expression;

		if (attribute->attisdropped || attribute->attgenerated != ATTRIBUTE_GENERATED_STORED)
			continue;
		expression = build_column_default(run->rel, i + 1);
		if (expression != NULL && IsA(expression, CoerceToDomain))
			expression = (Node *) ((CoerceToDomain *) expression)->arg;
		if (expression == NULL || !align_expression_is_safe(expression))
			continue;
		if (run->row == NULL)
			run->row = align_condition_input(run->rel, run->context);
		generated->attribute = i;
		generated->expression =
			align_condition_compile_for(run->row, run->rel, expression,
										psprintf("generated column \"%s\"",
												 NameStr(attribute->attname)),
										run->context);
		run->ngenerated++;
	}
}

/*
 * Returns a row with its generated columns computed.
 */
static HeapTuple
WithGenerated(const DryRun *run, HeapTuple row)
{
	TupleDesc	desc = RelationGetDescr(run->rel);
	Datum	   *values;
	bool	   *nulls;
	bool	   *replaces;

	if (run->ngenerated == 0)
		return row;
	values = palloc0(desc->natts * sizeof(Datum));
	nulls = palloc0(desc->natts * sizeof(bool));
	replaces = palloc0(desc->natts * sizeof(bool));
	align_condition_set_row(run->row, row);
	for (int i = 0; i < run->ngenerated; i++)
	{
		int			attribute = run->generated[i].attribute;

		values[attribute] = align_expression_value(run->generated[i].expression,
												   &nulls[attribute]);
		replaces[attribute] = true;
	}
	return heap_modify_tuple(row, desc, values, nulls, replaces);
}

/*
 * Prepares for the columns of the query, which is run as it is.
 */
static char *
StartDryRun(void *state, const char *statement, TupleDesc desc)
{
	DryRun	   *run = (DryRun *) state;
	int			natts = RelationGetDescr(run->rel)->natts;
	MemoryContext old_context = MemoryContextSwitchTo(run->context);

	(void) statement;
	run->is_input = palloc0(natts * sizeof(bool));
	run->defaults = palloc0(natts * sizeof(Datum));
	run->no_default = palloc0(natts * sizeof(bool));
	SetInputs(run, desc);
	SetDefaults(run);
	SetGenerated(run);
	MemoryContextSwitchTo(old_context);
	return NULL;
}

/*
 * The row as it is in the table; NULL if the caller sees none.
 */
static HeapTuple
FindRow(const DryRun *run, Datum *key)
{
	MemoryContext context = CurrentMemoryContext;
	HeapTuple	row = NULL;

	align_spi_connect();
	if (SPI_execute_plan(run->find, key, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read from relation \"%s\"", RelationGetRelationName(run->rel));
	if (SPI_processed > 0)
		row = align_lead_row_found(run->rel, context);
	SPI_finish();
	return row;
}

/*
 * Sets the attributes that the query has, converted to their types.
 */
static void
SetValues(DryRun *run, const Datum *values, const bool *nulls, Datum *row_values, bool *row_nulls)
{
	for (int i = 0; i < run->ninputs; i++)
	{
		DryRunInput *input = &run->inputs[i];
		Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(run->rel), input->attribute);

		row_nulls[input->attribute] = nulls[i];
		if (nulls[i])
			continue;
		run->column = NameStr(attribute->attname);
		row_values[input->attribute] = input->as_is ? values[i] :
			InputFunctionCall(&input->in, OutputFunctionCall(&input->out, values[i]),
							  input->ioparam, input->typmod);
		run->column = NULL;
	}
}

static void
PutText(Datum *values, bool *nulls, int column, const char *text)
{
	nulls[column] = text == NULL;
	if (text != NULL)
		values[column] = CStringGetTextDatum(text);
}

static void
PutOffender(DryRun *run, Datum *values, bool *nulls, const VerdictText *text)
{
	values[DRY_RUN_ROW_NO] = Int64GetDatum(run->row_no);
	PutText(values, nulls, DRY_RUN_MESSAGE, text->message);
	PutText(values, nulls, DRY_RUN_DETAIL, text->detail);
	PutText(values, nulls, DRY_RUN_HINT, text->hint);
	tuplestore_putvalues(run->rsinfo->setResult, run->rsinfo->setDesc, values, nulls);
}

/*
 * A row without a key breaks no rule, but cannot be written.
 */
static void
PutNullKey(DryRun *run, const KeyColumn *column)
{
	Datum		values[DRY_RUN_NCOLUMNS];
	bool		nulls[DRY_RUN_NCOLUMNS];
	VerdictText text = {0};

	memset(nulls, true, sizeof(nulls));
	nulls[DRY_RUN_ROW_NO] = false;
	text.message = psprintf("key column \"%s\" is null", column->name);
	text.detail = "The history of a lead is kept under its key.";
	PutOffender(run, values, nulls, &text);
}

static const char *
StageText(const Funnel *funnel, int stage, LeadString label)
{
	if (stage >= 0)
		return funnel->stages[stage].name;
	return label.text != NULL ? pnstrdup(label.text, label.len) : NULL;
}

static void
PutBroken(DryRun *run, const Datum *key, const RowMove *row_move, HeapTuple row, Rule rule)
{
	const AttachmentMarker *marker = &run->attachment->marker;
	const Move *move = &row_move->move;
	Datum		values[DRY_RUN_NCOLUMNS];
	bool		nulls[DRY_RUN_NCOLUMNS] = {false};
	VerdictText text;

	align_row_verdict_text(run->attachment, run->rel, row_move, row, rule, &text);
	values[DRY_RUN_KEY] = align_key_jsonb(run->attachment, key);
	PutText(values, nulls, DRY_RUN_RULE, align_rule_name(rule));
	PutText(values, nulls, DRY_RUN_MODE,
			align_attach_mode_name(align_attach_rule_mode(marker->mode, &marker->options, rule)));
	PutText(values, nulls, DRY_RUN_FROM_STAGE,
			StageText(row_move->funnel, move->from, move->from_label));
	PutText(values, nulls, DRY_RUN_STAGE, StageText(row_move->funnel, move->to, move->to_label));
	PutOffender(run, values, nulls, &text);
}

/*
 * True if the query has a column that a role is read from.
 */
static bool
IsInput(const DryRun *run, RowRole role)
{
	Bitmapset  *columns = align_role_columns(&run->attachment->marker, role);
	int			column = -1;

	while ((column = bms_next_member(columns, column)) >= 0)
	{
		AttrNumber	attnum = column + FirstLowInvalidHeapAttributeNumber;

		/* an expression may read the row as a whole */
		if (attnum == InvalidAttrNumber || (attnum > 0 && run->is_input[attnum - 1]))
			return true;
	}
	return false;
}

/*
 * The reason that the load gives: none if the query does not have it, so that
 * a reason which is in the row from before does not count.
 */
static LeadString
GivenReason(const DryRun *run, HeapTuple before, HeapTuple after)
{
	LeadString	none = {NULL, 0};
	LeadString	reason;

	if (!align_has_role(run->attachment, ROW_REASON) || (before != NULL && !IsInput(run, ROW_REASON)))
		return none;
	reason = align_role_text(run->attachment, ROW_REASON, run->rel, after);
	if (before != NULL && run->attachment->marker.options.reason_must_change &&
		align_lead_same(reason, align_role_text(run->attachment, ROW_REASON, run->rel, before)))
		return none;
	return reason;
}

/*
 * Replaces labels of unknown stages that the caller may not see by the values
 * in the row.
 */
static void
HideLabels(DryRun *run, HeapTuple before, HeapTuple after, Move *move)
{
	Attachment *attachment = run->attachment;

	if (move->from < 0 && move->from_label.text != NULL)
		move->from_label =
			align_visible_label(attachment, ROW_STAGE,
								align_role_unlabeled(attachment, ROW_STAGE, run->rel, before),
								move->from_label);
	if (move->to < 0 && move->to_label.text != NULL)
		move->to_label =
			align_visible_label(attachment, ROW_STAGE,
								align_role_unlabeled(attachment, ROW_STAGE, run->rel, after),
								move->to_label);
}

/*
 * Judges a row of the query.
 */
static void
JudgeRow(void *state, const Datum *values, const bool *nulls)
{
	DryRun	   *run = (DryRun *) state;
	Attachment *attachment = run->attachment;
	TupleDesc	desc = RelationGetDescr(run->rel);
	Datum	   *row_values = palloc(desc->natts * sizeof(Datum));
	bool	   *row_nulls = palloc(desc->natts * sizeof(bool));
	Datum		key[ATTACHMENT_MAX_KEYS];
	RowMove		row_move = {0};
	Move	   *move = &row_move.move;
	HeapTuple	before;
	HeapTuple	after;
	Verdict		verdict;
	bool		was_live;

	run->row_no++;
	memcpy(row_values, run->defaults, desc->natts * sizeof(Datum));
	memcpy(row_nulls, run->no_default, desc->natts * sizeof(bool));
	SetValues(run, values, nulls, row_values, row_nulls);
	for (int i = 0; i < attachment->nkeys; i++)
	{
		int			attribute = attachment->keys[i].attnum - 1;

		if (row_nulls[attribute])
		{
			PutNullKey(run, &attachment->keys[i]);
			return;
		}
		key[i] = row_values[attribute];
	}
	before = FindRow(run, key);
	after = before == NULL ? heap_form_tuple(desc, row_values, row_nulls) :
		heap_modify_tuple(before, desc, row_values, row_nulls, run->is_input);
	after = WithGenerated(run, after);
	if (!align_satisfies_live(attachment, run->rel, after))
		return;

	row_move.agreement = attachment->marker.agreement;
	row_move.funnel = align_judging_funnel(attachment, &row_move.version);
	move->from = -1;
	if (before != NULL)
		move->from = align_row_stage(attachment, run->rel, before, row_move.funnel, &move->from_label);
	move->to = align_row_stage(attachment, run->rel, after, row_move.funnel, &move->to_label);
	was_live = before == NULL || align_satisfies_live(attachment, run->rel, before);
	/* a row that was not live is no lead, so it cannot leave the funnel */
	if (!was_live && move->to_label.text == NULL)
		return;
	align_begin_for_reader(attachment, key, was_live, &row_move);
	/* as in the triggers, the same unknown label is no change */
	if (align_lead_same(move->from_label, move->to_label))
		return;
	move->reason = GivenReason(run, before, after);
	align_verdict(attachment, run->rel, &row_move, after, &verdict);
	if (before != NULL)
		align_verdict_of_merged(attachment, key, &row_move, &verdict);
	if (verdict.nbroken > 0)
		HideLabels(run, before, after, move);
	for (int i = 0; i < verdict.nbroken; i++)
		PutBroken(run, key, &row_move, after, verdict.broken[i]);
}

/*
 * Error context callback: which value of the query could not be converted.
 */
static void
DescribeValue(void *arg)
{
	DryRun	   *run = (DryRun *) arg;

	if (run->column != NULL)
		errcontext("row " INT64_FORMAT " of the query, column \"%s\"", run->row_no, run->column);
}

/*
 * Prepares the query for the row of a key.  It must not be prepared while the
 * caller's query runs, on the same SPI connection.
 */
static void
PrepareFind(DryRun *run)
{
	Oid			types[ATTACHMENT_MAX_KEYS];
	char	   *query = align_lead_row_query(run->attachment, run->rel, types);

	run->find = SPI_prepare(query, run->attachment->nkeys, types);
	if (run->find == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
}

/*
 * dry_run(relation, query): one row per broken rule.
 */
Datum
align_dry_run(PG_FUNCTION_ARGS)
{
	DryRun		run = {.context = CurrentMemoryContext};
	ErrorContextCallback callback = {.callback = DescribeValue,.arg = &run};
	AttachmentId id;
	Oid			root;

	align_require_argument(fcinfo, 0, "relation");
	align_require_argument(fcinfo, 1, "query");
	align_check_relation_exists(PG_GETARG_OID(0));
	align_begin_rows(fcinfo);
	run.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	(void) align_find_attachment(PG_GETARG_OID(0), &id, &root);
	run.rel = table_open(id.relid, AccessShareLock);
	run.attachment = align_attachment(id, false);
	/* labels of an earlier statement may have changed */
	align_labels_forget();

	align_spi_connect();
	PrepareFind(&run);
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	align_run_user_query(text_to_cstring(PG_GETARG_TEXT_PP(1)), StartDryRun, JudgeRow, &run);
	error_context_stack = callback.previous;
	SPI_finish();
	table_close(run.rel, NoLock);
	return (Datum) 0;
}
