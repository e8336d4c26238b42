/*
 * role.c
 *	  What a role of an attachment is read from: a column, or an expression on
 *	  the row.
 *
 * Expressions are compiled when a role is first read, once per cached
 * attachment.  They follow the rules of conditions (condition.h).
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"

#include "attachment/attachment.h"
#include "attachment/key.h"
#include "condition/condition.h"

/*
 * True if any role has an expression.
 */
bool
align_marker_has_expressions(const AttachmentMarker *marker)
{
	for (int role = 0; role < ROW_NROLES; role++)
	{
		if (marker->expression[role] != NULL)
			return true;
	}
	return false;
}

/*
 * True if any role has a look-up.
 */
bool
align_marker_has_labels(const AttachmentMarker *marker)
{
	for (int role = 0; role < ROW_NROLES; role++)
	{
		if (OidIsValid(marker->labels[role]))
			return true;
	}
	return false;
}

/*
 * The columns that a value is read from.
 */
Bitmapset *
align_value_columns(AttrNumber column, Node *expression)
{
	Bitmapset  *columns = NULL;

	if (column != InvalidAttrNumber)
		columns = bms_make_singleton(column - FirstLowInvalidHeapAttributeNumber);
	pull_varattnos(expression, 1, &columns);
	return columns;
}

/*
 * The columns of the root that a role is read from.
 */
Bitmapset *
align_role_columns(const AttachmentMarker *marker, RowRole role)
{
	return align_value_columns(marker->column[role], marker->expression[role]);
}

/*
 * The type of a role's value.
 */
Oid
align_role_type(const AttachmentMarker *marker, RowRole role)
{
	return marker->expression[role] != NULL ? exprType(marker->expression[role]) :
		get_atttype(marker->root, marker->column[role]);
}

/*
 * The value of a role as an SQL expression.
 */
char *
align_role_sql(const AttachmentMarker *marker, RowRole role, const char *alias)
{
	if (marker->expression[role] != NULL)
		return psprintf("(%s)", deparse_expression(marker->expression[role],
												   deparse_context_for(alias, marker->root),
												   true, false));
	if (marker->column[role] == InvalidAttrNumber)
		return NULL;
	return psprintf("%s.%s", quote_identifier(alias),
					quote_identifier(get_attname(marker->root, marker->column[role], false)));
}

/*
 * Uses fixed settings for SQL; returns the level of settings.
 */
int
align_begin_role_sql(void)
{
	int			guc_nestlevel = align_use_stored_text_settings();

	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	return guc_nestlevel;
}

/*
 * Restores the settings.
 */
void
align_end_role_sql(int guc_nestlevel)
{
	AtEOXact_GUC(false, guc_nestlevel);
}

/*
 * Types of values that are read as text.  A column may have any.  An
 * expression must have one whose output depends on no setting, as a cast to
 * text under the rules of conditions.
 */
static const char *
TextProblem(Oid type, bool is_expression)
{
	Oid			output;
	bool		is_varlena;

	if (!is_expression)
		return NULL;
	if (get_typtype(type) == TYPTYPE_PSEUDO)
		return "a type that columns can have";
	getTypeOutputInfo(type, &output, &is_varlena);
	if (type_is_enum(type) || func_volatile(output) == PROVOLATILE_IMMUTABLE)
		return NULL;
	return "a type whose text form depends on no setting";
}

/*
 * The types that a role's value may have; NULL if it may have this one.
 */
const char *
align_role_type_problem(RowRole role, Oid type, bool is_expression)
{
	type = getBaseType(type);
	switch (role)
	{
		case ROW_STAGE:
			if (align_type_is_string(type) || type_is_enum(type) ||
				type == INT2OID || type == INT4OID || type == INT8OID)
				return NULL;
			return "a character type, an enum or an integer type";
		case ROW_AMOUNT:
			if (type == NUMERICOID || type == INT2OID || type == INT4OID || type == INT8OID ||
				type == FLOAT4OID || type == FLOAT8OID)
				return NULL;
			return type == CASHOID ?
				"type numeric, an integer or a floating-point type (the meaning of money depends on lc_monetary)" :
				"type numeric, an integer or a floating-point type";
		case ROW_CHANGED_AT:
		case ROW_OPENED_AT:
			if (type == TIMESTAMPTZOID || type == TIMESTAMPOID || type == DATEOID)
				return NULL;
			return "type timestamp with time zone, timestamp without time zone or date";
		default:
			return TextProblem(type, is_expression);
	}
}

/*
 * Compiles the expression of a role.
 */
static void
CompileRole(Attachment *attachment, RowRole role, Relation rel)
{
	MemoryContext context = attachment->context;
	char	   *line = psprintf("expression for %s of table %s", align_row_role_names[role],
								attachment->root_name);

	if (attachment->expression_input == NULL)
		attachment->expression_input = align_condition_input(rel, context);
	attachment->compiled[role] =
		align_condition_compile_for(attachment->expression_input, rel,
									attachment->expression[role],
									MemoryContextStrdup(context, line), context);
}

/*
 * The value of a role in a row.
 */
Datum
align_role_value(Attachment *attachment, RowRole role, Relation rel, HeapTuple row, bool *isnull)
{
	if (attachment->column[role] != InvalidAttrNumber)
		return heap_getattr(row, attachment->column[role], RelationGetDescr(rel), isnull);
	if (attachment->expression[role] == NULL)
	{
		*isnull = true;
		return (Datum) 0;
	}
	if (unlikely(attachment->compiled[role] == NULL))
		CompileRole(attachment, role, rel);
	align_condition_set_row(attachment->expression_input, row);
	return align_expression_value(attachment->compiled[role], isnull);
}

/*
 * True if a row satisfies the live condition, or there is none.
 */
bool
align_satisfies_live(Attachment *attachment, Relation rel, HeapTuple row)
{
	if (attachment->live == NULL)
		return true;
	if (attachment->live_condition == NULL)
		attachment->live_condition = align_condition_compile(rel, attachment->live,
															 attachment->context);
	return align_condition_true(attachment->live_condition, row);
}
