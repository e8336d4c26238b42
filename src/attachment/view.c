/*
 * view.c
 *	  align.attachment_details(), which the view align.attachments reads, and
 *	  align.attached_tables(), which has the columns that it had until 0.3.
 *
 * All of it comes from catalogs that every role may read.  Deparsing a live
 * condition calls output functions on its constants, so the row of each
 * attachment is made as the table's owner (as_role.h).
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"
#include "utils/tuplestore.h"

#include "attachment/attachment.h"
#include "catalog/as_role.h"
#include "catalog/relation.h"
#include "judge/judge.h"
#include "value.h"

PG_FUNCTION_INFO_V1(align_attached_tables_rows);

/* Columns of the result, numbered from 0. */
enum AttachmentColumn
{
	COLUMN_RELATION,
	COLUMN_AGREEMENT,
	COLUMN_MODE,
	COLUMN_STAGE,
	COLUMN_KEY,
	COLUMN_TEAM,				/* and the roles after it, in the order of
								 * RowRole */
	COLUMN_HISTORY = COLUMN_TEAM + ROW_CHANGED_AT,
	COLUMN_SLA,
	COLUMN_LIVE,
	COLUMN_NOTIFY,
	/* since 0.4, only in attachment_details() */
	COLUMN_OPENED_AT,
	COLUMN_TIME_ZONE,
	COLUMN_RULES,
	COLUMN_RELOAD,
	COLUMN_REASON_MUST_CHANGE,
	COLUMN_EXPRESSIONS,
	COLUMN_LABELS,
	ATTACHMENT_NCOLUMNS
};

static Datum
ColumnName(Oid relid, AttrNumber attnum)
{
	NameData   *name = palloc0(sizeof(NameData));

	namestrcpy(name, get_attname(relid, attnum, false));
	return NameGetDatum(name);
}

static Datum
KeyNames(const AttachmentMarker *marker)
{
	Datum		names[ATTACHMENT_MAX_KEYS];

	for (int i = 0; i < marker->nkeys; i++)
		names[i] = ColumnName(marker->root, marker->key[i]);
	return PointerGetDatum(construct_array(names, marker->nkeys, NAMEOID, NAMEDATALEN, false,
										   TYPALIGN_CHAR));
}

/*
 * The rules that have a mode of their own, as jsonb.
 */
static Datum
RuleModes(const AttachOptions *options)
{
	StringInfoData json;

	initStringInfo(&json);
	for (int rule = 0; rule < ATTACH_NRULES; rule++)
	{
		if (options->rule_mode[rule] != ATTACH_MODE_DEFAULT)
			appendStringInfo(&json, "%s\"%s\": \"%s\"", json.len > 0 ? ", " : "{",
							 align_rule_name((Rule) rule),
							 align_attach_mode_name((AttachMode) options->rule_mode[rule]));
	}
	appendStringInfoString(&json, json.len > 0 ? "}" : "{}");
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
}

/*
 * A condition or expression as SQL, without the name of the table.
 */
static char *
ExpressionText(const AttachmentMarker *marker, Node *expression)
{
	return deparse_expression(expression,
							  deparse_context_for(get_rel_name(marker->root), marker->root),
							  false, false);
}

/*
 * The expressions by role, as jsonb.
 */
static Datum
Expressions(const AttachmentMarker *marker)
{
	StringInfoData json;

	initStringInfo(&json);
	for (int role = 0; role < ROW_NROLES; role++)
	{
		if (marker->expression[role] == NULL)
			continue;
		appendStringInfo(&json, "%s\"%s\": ", json.len > 0 ? ", " : "{",
						 align_row_role_names[role]);
		escape_json(&json, ExpressionText(marker, marker->expression[role]));
	}
	appendStringInfoChar(&json, '}');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
}

/*
 * The views of look-ups by role, as jsonb.
 */
static Datum
Labels(const AttachmentMarker *marker)
{
	StringInfoData json;

	initStringInfo(&json);
	for (int role = 0; role < ROW_NROLES; role++)
	{
		if (!OidIsValid(marker->labels[role]))
			continue;
		appendStringInfo(&json, "%s\"%s\": ", json.len > 0 ? ", " : "{",
						 align_row_role_names[role]);
		escape_json(&json, align_relation_name(marker->labels[role]));
	}
	appendStringInfoChar(&json, '}');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
}

static void
PutAttachment(ReturnSetInfo *rsinfo, const AttachmentMarker *marker)
{
	Datum		values[ATTACHMENT_NCOLUMNS];
	bool		nulls[ATTACHMENT_NCOLUMNS] = {false};

	values[COLUMN_RELATION] = ObjectIdGetDatum(marker->root);
	values[COLUMN_AGREEMENT] = CStringGetTextDatum(marker->agreement);
	values[COLUMN_MODE] = CStringGetTextDatum(align_attach_mode_name(marker->mode));
	values[COLUMN_KEY] = KeyNames(marker);
	for (int role = 0; role < ROW_NROLES; role++)
	{
		int			column = role == ROW_STAGE ? COLUMN_STAGE :
			role == ROW_OPENED_AT ? COLUMN_OPENED_AT : COLUMN_TEAM + role - ROW_TEAM;

		nulls[column] = marker->column[role] == InvalidAttrNumber;
		if (!nulls[column])
			values[column] = ColumnName(marker->root, marker->column[role]);
	}
	values[COLUMN_HISTORY] = ObjectIdGetDatum(marker->history);
	values[COLUMN_SLA] = ObjectIdGetDatum(marker->sla);
	nulls[COLUMN_LIVE] = marker->live == NULL;
	if (marker->live != NULL)
		values[COLUMN_LIVE] = CStringGetTextDatum(ExpressionText(marker, marker->live));
	values[COLUMN_NOTIFY] = BoolGetDatum(marker->options.notify);
	nulls[COLUMN_TIME_ZONE] = marker->options.time_zone[0] == '\0';
	values[COLUMN_TIME_ZONE] = CStringGetTextDatum(marker->options.time_zone);
	values[COLUMN_RULES] = RuleModes(&marker->options);
	values[COLUMN_RELOAD] = BoolGetDatum(marker->options.reload);
	values[COLUMN_REASON_MUST_CHANGE] = BoolGetDatum(marker->options.reason_must_change);
	nulls[COLUMN_EXPRESSIONS] = !align_marker_has_expressions(marker);
	if (!nulls[COLUMN_EXPRESSIONS])
		values[COLUMN_EXPRESSIONS] = Expressions(marker);
	nulls[COLUMN_LABELS] = !align_marker_has_labels(marker);
	if (!nulls[COLUMN_LABELS])
		values[COLUMN_LABELS] = Labels(marker);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/*
 * attached_tables() returns setof record
 * attachment_details() returns setof record
 *
 * The second has more columns at the end.
 */
Datum
align_attached_tables_rows(PG_FUNCTION_ARGS)
{
	ListCell   *lc;

	align_begin_rows(fcinfo);
	foreach(lc, align_attached_tables(NULL))
	{
		AttachmentMarker marker;
		RestrictedCaller caller;

		if (!align_find_marker(*(AttachmentId *) lfirst(lc), &marker))
			continue;
		align_begin_restricted(&caller, align_relation_owner(marker.root));
		PutAttachment((ReturnSetInfo *) fcinfo->resultinfo, &marker);
		align_end_restricted(&caller);
	}
	return (Datum) 0;
}
