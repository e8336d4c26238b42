/*
 * pointer.c
 *	  The arguments of pointers; see pointer.h.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"

#include "attachment/key.h"
#include "attachment/pointer.h"
#include "catalog/relation.h"

static void
AppendRole(StringInfo roles, const char *role)
{
	appendStringInfo(roles, "%s%s", roles->len > 0 ? "+" : "", role);
}

/*
 * The roles of a column, joined by '+'.
 */
char *
align_column_roles(const AttachmentMarker *marker, AttrNumber attnum)
{
	StringInfoData roles;

	initStringInfo(&roles);
	for (int i = 0; i < marker->nkeys; i++)
	{
		if (marker->key[i] == attnum)
			AppendRole(&roles, "key");
	}
	for (int role = 0; role < ROW_NROLES; role++)
	{
		if (marker->column[role] == attnum)
			AppendRole(&roles, align_row_role_names[role]);
	}
	return roles.data;
}

/*
 * The columns in use, each once: the key columns in their order, then the
 * others.
 */
List *
align_used_columns(const AttachmentMarker *marker)
{
	List	   *result = NIL;

	for (int i = 0; i < marker->nkeys; i++)
		result = lappend_int(result, marker->key[i]);
	for (int role = 0; role < ROW_NROLES; role++)
	{
		if (marker->column[role] != InvalidAttrNumber)
			result = list_append_unique_int(result, marker->column[role]);
	}
	return result;
}

/*
 * Replace columns by parameters, and append columns that are new to the list.
 *
 * Types, their fields and schemas may be renamed.  So constants of types that
 * are not built in become text, coercions to such types are left out, and the
 * field of a value becomes a row of the value and the number of the field.
 *
 * The condition may be one that attach() would refuse, and must not lead to an
 * error.
 */
static Node *
Generalize(Node *node, List **columns)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, Var))
	{
		Var		   *var = (Var *) node;
		Param	   *param = makeNode(Param);
		int			i = 0;
		ListCell   *lc;

		*columns = list_append_unique_int(*columns, var->varattno);
		foreach(lc, *columns)
		{
			i++;
			if (lfirst_int(lc) == var->varattno)
				break;
		}
		param->paramkind = PARAM_EXTERN;
		param->paramid = i;
		param->paramtype = var->vartype;
		param->paramtypmod = var->vartypmod;
		param->paramcollid = var->varcollid;
		param->location = -1;
		return (Node *) param;
	}
	if (IsA(node, Const) && ((Const *) node)->consttype >= FirstNormalObjectId)
	{
		Const	   *constant = (Const *) node;
		Oid			output;
		bool		is_varlena;
		char	   *value;

		if (constant->constisnull)
			return (Node *) makeNullConst(TEXTOID, -1, InvalidOid);
		getTypeOutputInfo(constant->consttype, &output, &is_varlena);
		value = OidOutputFunctionCall(output, constant->constvalue);
		return (Node *) makeConst(TEXTOID, -1, InvalidOid, -1, CStringGetTextDatum(value), false,
								  false);
	}
	if (IsA(node, RelabelType) && ((RelabelType *) node)->resulttype >= FirstNormalObjectId)
		return Generalize((Node *) ((RelabelType *) node)->arg, columns);
	if (IsA(node, CoerceToDomain))
		return Generalize((Node *) ((CoerceToDomain *) node)->arg, columns);
	if (IsA(node, FieldSelect))
	{
		FieldSelect *field = (FieldSelect *) node;
		RowExpr    *row = makeNode(RowExpr);

		row->args = list_make2(Generalize((Node *) field->arg, columns),
							   makeConst(INT4OID, -1, InvalidOid, sizeof(int32),
										 Int32GetDatum(field->fieldnum), false, true));
		row->row_typeid = RECORDOID;
		row->row_format = COERCE_EXPLICIT_CALL;
		row->location = -1;
		return (Node *) row;
	}
	return expression_tree_mutator(node, Generalize, columns);
}

/*
 * The text of a condition or expression, and its columns.
 */
static char *
StoredText(Node *condition, List **columns)
{
	static const char *const settings[][2] = {
		{"search_path", "pg_catalog, pg_temp"},
		{"quote_all_identifiers", "off"},
		{"standard_conforming_strings", "on"},
	};
	int			nest_level = align_use_stored_text_settings();
	char	   *result;

	for (int i = 0; i < (int) lengthof(settings); i++)
		(void) set_config_option(settings[i][0], settings[i][1], PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	*columns = NIL;
	result = deparse_expression(Generalize(condition, columns), NIL, false, false);
	AtEOXact_GUC(false, nest_level);
	return result;
}

static char *
ColumnArgument(const AttachmentMarker *marker, const char *roles, AttrNumber attnum)
{
	/* the row as a whole, 0, has no name */
	char	   *name = get_attname(marker->root, attnum, true);

	return psprintf("%s %d %s", roles, attnum, name != NULL ? name : "");
}

/*
 * An argument of a pointer, and how it is compared.
 */
typedef struct PointerArgument
{
	enum
	{
		ARGUMENT_TEXT,
		ARGUMENT_COLUMN,
		ARGUMENT_CONDITION
	}			kind;
	char	   *text;
} PointerArgument;

static List *
AddArgument(List *arguments, int kind, char *text)
{
	PointerArgument *argument = palloc(sizeof(PointerArgument));

	argument->kind = kind;
	argument->text = text;
	return lappend(arguments, argument);
}

/*
 * Adds a condition or expression, and its columns with their role.
 */
static List *
AddCondition(List *arguments, const AttachmentMarker *marker, Node *condition, const char *role)
{
	List	   *columns;
	char	   *text = StoredText(condition, &columns);
	ListCell   *lc;

	arguments = AddArgument(arguments, ARGUMENT_CONDITION,
							psprintf("%d %s", PG_VERSION_NUM / 10000, text));
	foreach(lc, columns)
		arguments = AddArgument(arguments, ARGUMENT_COLUMN,
								ColumnArgument(marker, role, lfirst_int(lc)));
	return arguments;
}

/*
 * The arguments, as a list of PointerArgument *.
 */
static List *
Arguments(const AttachmentMarker *marker)
{
	List	   *result = NIL;
	ListCell   *lc;

	result = AddArgument(result, ARGUMENT_TEXT, pstrdup(marker->agreement));
	result = AddArgument(result, ARGUMENT_TEXT, pstrdup(align_attach_mode_name(marker->mode)));
	result = AddArgument(result, ARGUMENT_TEXT, align_attach_options_text(&marker->options));
	foreach(lc, align_used_columns(marker))
		result = AddArgument(result, ARGUMENT_COLUMN,
							 ColumnArgument(marker, align_column_roles(marker, lfirst_int(lc)),
											lfirst_int(lc)));
	if (marker->live != NULL)
		result = AddCondition(result, marker, marker->live, "live");
	for (int role = 0; role < ROW_NROLES; role++)
	{
		if (marker->expression[role] != NULL)
			result = AddCondition(result, marker, marker->expression[role],
								  psprintf("%s_expression", align_row_role_names[role]));
	}
	for (int role = 0; role < ROW_NROLES; role++)
	{
		if (OidIsValid(marker->labels[role]))
			result = AddArgument(result, ARGUMENT_COLUMN,
								 psprintf("%s_labels %u %s", align_row_role_names[role],
										  marker->labels[role],
										  align_relation_name(marker->labels[role])));
	}
	return result;
}

/*
 * The arguments of the pointers to a root, as SQL.
 */
char *
align_pointer_arguments(const AttachmentMarker *marker)
{
	StringInfoData sql;
	ListCell   *lc;

	initStringInfo(&sql);
	foreach(lc, Arguments(marker))
		appendStringInfo(&sql, "%s%s", sql.len > 0 ? ", " : "",
						 quote_literal_cstr(((const PointerArgument *) lfirst(lc))->text));
	return sql.data;
}

/*
 * Are two arguments about the same column, in the same roles?  Likewise for
 * views of look-ups.
 */
static bool
SameColumn(const char *a, const char *b)
{
	size_t		roles = strcspn(a, " ");
	size_t		number_a;
	size_t		number_b;

	if (strcspn(b, " ") != roles || strncmp(a, b, roles) != 0 || a[roles] == '\0')
		return false;
	a += roles + 1;
	b += roles + 1;
	number_a = strcspn(a, " ");
	number_b = strcspn(b, " ");
	return (number_a == number_b && strncmp(a, b, number_a) == 0) ||
		strcmp(a + number_a, b + number_b) == 0;
}

/*
 * Are two arguments the same condition?  If any_version, those of different
 * versions are.
 */
static bool
SameCondition(const char *a, const char *b, bool any_version)
{
	size_t		version_a = strcspn(a, " ");
	size_t		version_b = strcspn(b, " ");

	if (version_a == version_b && strncmp(a, b, version_a) == 0)
		return strcmp(a, b) == 0;
	return any_version || strcmp(a + version_a, b + version_b) == 0;
}

/*
 * Does an argument of a pointer agree with the expected one?
 */
static bool
SameArgument(const PointerArgument *expected, const char *argument, bool any_version)
{
	switch (expected->kind)
	{
		case ARGUMENT_COLUMN:
			return SameColumn(argument, expected->text);
		case ARGUMENT_CONDITION:
			return SameCondition(argument, expected->text, any_version);
		default:
			return strcmp(argument, expected->text) == 0;
	}
}

/*
 * Do the arguments of a pointer agree with the marker?
 */
bool
align_pointer_fits(const AttachmentMarker *marker, int nargs, char **args, bool any_version)
{
	List	   *expected = Arguments(marker);

	if (nargs != list_length(expected))
		return false;
	for (int i = 0; i < nargs; i++)
	{
		if (!SameArgument((const PointerArgument *) list_nth(expected, i), args[i], any_version))
			return false;
	}
	return true;
}

/*
 * Returns the part of an argument up to the number of the column: its length.
 */
static size_t
NumberLength(const char *argument)
{
	size_t		roles = strcspn(argument, " ");

	return argument[roles] == '\0' ? roles : roles + 1 + strcspn(argument + roles + 1, " ");
}

/*
 * True if only the names in the arguments of a pointer fit.
 */
bool
align_pointer_is_outdated(const AttachmentMarker *marker, int nargs, char **args)
{
	List	   *expected = Arguments(marker);

	for (int i = 0; i < nargs && i < list_length(expected); i++)
	{
		const PointerArgument *argument = (const PointerArgument *) list_nth(expected, i);
		size_t		len = NumberLength(argument->text);

		if (argument->kind == ARGUMENT_COLUMN &&
			(NumberLength(args[i]) != len || strncmp(args[i], argument->text, len) != 0))
			return true;
	}
	return false;
}
