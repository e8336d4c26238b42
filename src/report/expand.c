/*
 * expand.c
 *	  The queries of reports: filling in their placeholders.
 *
 * {NAME} of another view is a reference to it.  Where the attached table has
 * row-level security, a view with one row per lead is a security invoker, and
 * a view that adds up over leads, which runs with the rights of its owner,
 * contains its query instead: PostgreSQL checks what a security invoker reads
 * against the current user, even within another view.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "catalog/relation.h"
#include "history/history.h"
#include "record/changed_leads.h"
#include "report/body.h"
#include "report/campaign_tables.h"

/* Placeholders have at most these parts, separated by colons. */
#define MAX_PARTS 3

/* Dimensions have these names, with a number, in what can be stored. */
#define STORED_DIMENSION "dimension_"

/* A body that contains itself is an error of ours, and found early. */
#define MAX_DEPTH 20

typedef struct Placeholder
{
	int			nparts;
	char	   *part[MAX_PARTS];
} Placeholder;

/*
 * A query that is being filled in.
 */
typedef struct Expansion
{
	const ReportTarget *target;
	ReportForm	form;
	bool		inlined;		/* are views that security applies to included
								 * as queries? */
	bool		storing;		/* is it of what can be stored? */
	const char *keys;			/* the table of the leads that it is about;
								 * NULL: all */
	int			depth;
	StringInfo	out;
} Expansion;

static void Expand(Expansion *expansion, const char *query);

/*
 * Reads the placeholder that begins at a brace.  Returns the length of its
 * text, or 0 if there is none, as in an array literal with commas.
 */
static int
ReadPlaceholder(const char *text, Placeholder *placeholder)
{
	int			length = strcspn(text + 1, "{}, \n'") + 1;
	char	   *parts;

	if (text[length] != '}' || length == 1)
		return 0;
	parts = pnstrdup(text + 1, length - 1);
	placeholder->nparts = 0;
	for (char *part = strtok(parts, ":"); part != NULL; part = strtok(NULL, ":"))
	{
		if (placeholder->nparts == MAX_PARTS)
			elog(ERROR, "placeholder of a report has too many parts");
		placeholder->part[placeholder->nparts++] = part;
	}
	return length + 1;
}

/*
 * The body that a placeholder names: {part:NAME}, {stored:NAME}, or {NAME} of
 * a view; NULL if it is another placeholder.
 */
static const ReportBody *
NamedBody(const Placeholder *placeholder)
{
	if (placeholder->nparts == 1)
		return align_report_body_named(REPORT_VIEW, placeholder->part[0]);
	if (placeholder->nparts == 2 && strcmp(placeholder->part[0], "part") == 0)
		return align_report_body_named(REPORT_PART, placeholder->part[1]);
	if (placeholder->nparts == 2 && strcmp(placeholder->part[0], "stored") == 0)
		return align_report_body_named(REPORT_STORED, placeholder->part[1]);
	return NULL;
}

/*
 * Appends the columns that align has given a history or a clock table, not
 * those that the owner has added, which can then be dropped.
 */
static void
AppendColumns(Expansion *expansion, AttachedTable table, const char *alias)
{
	const Attachment *attachment = expansion->target->attachment;
	const OwnColumn *columns = table == TABLE_HISTORY ? align_history_columns : align_sla_columns;
	int			ncolumns = table == TABLE_HISTORY ? attachment->history_ncolumns : SLA_NCOLUMNS;

	for (int i = 0; i < attachment->nkeys; i++)
		appendStringInfo(expansion->out, "%s%s.%s", i > 0 ? ", " : "", alias, align_table_key(attachment, table, i));
	for (int i = 0; i < ncolumns; i++)
		appendStringInfo(expansion->out, ", %s.%s", alias, columns[i].name);
}

/*
 * Appends one of the attached tables; of history and clocks, the rows of the
 * leads that the query is about.  OFFSET keeps conditions out of the look-up
 * of a lead, so that its rows are always found by its key: for a condition
 * that few rows fulfil, the planner would read the whole table in the order of
 * the key.
 */
static void
AppendTable(Expansion *expansion, AttachedTable table)
{
	const ReportTarget *target = expansion->target;
	const char *name = align_table_name(target->attachment, table);

	if (expansion->keys == NULL || table == TABLE_ITSELF)
	{
		appendStringInfoString(expansion->out, name);
		return;
	}
	appendStringInfo(expansion->out, "(SELECT x.* FROM %s AS k CROSS JOIN LATERAL (SELECT ", expansion->keys);
	AppendColumns(expansion, table, "t");
	appendStringInfo(expansion->out, " FROM %s AS t WHERE ", name);
	for (int i = 0; i < target->attachment->nkeys; i++)
		appendStringInfo(expansion->out, "%st.%s OPERATOR(pg_catalog.=) k.%s", i > 0 ? " AND " : "",
						 align_table_key(target->attachment, table, i), target->key_names[i]);
	appendStringInfoString(expansion->out, " OFFSET 0) AS x)");
}

/*
 * Appends the key columns of an alias, which stands for one of the attached
 * tables, under their names in the reports.
 */
static void
AppendTableKey(Expansion *expansion, AttachedTable table, const char *alias)
{
	const ReportTarget *target = expansion->target;

	for (int i = 0; i < target->attachment->nkeys; i++)
		appendStringInfo(expansion->out, "%s%s.%s AS %s", i > 0 ? ", " : "", alias,
						 align_table_key(target->attachment, table, i), target->key_names[i]);
}

static void
AppendKey(Expansion *expansion, const char *alias)
{
	appendStringInfoString(expansion->out, align_report_key_list(expansion->target, alias));
}

static void
AppendKeyJoin(Expansion *expansion, const char *a, const char *b)
{
	appendStringInfoString(expansion->out, align_report_key_join(expansion->target, a, b));
}

/*
 * The text of a key column, %s, of a type whose output depends on settings of
 * the session, which must not change what identifies a lead: ISO 8601, in UTC;
 * intervals, which are equal in several texts, in seconds.  Types that are
 * rare as keys (money, float8, ranges, arrays of such types) are read as the
 * session prints them.
 */
static const char *
KeyColumnFormat(Oid type)
{
	switch (getBaseType(type))
	{
		case DATEOID:
		case TIMESTAMPOID:
			return "(pg_catalog.to_jsonb(%s) OPERATOR(pg_catalog.#>>) '{}')";
		case TIMESTAMPTZOID:
			return "(pg_catalog.to_jsonb(pg_catalog.timezone('UTC', %s)) OPERATOR(pg_catalog.#>>) '{}')";
		case INTERVALOID:
			return "extract(epoch FROM pg_catalog.justify_interval(%s))";
		case BYTEAOID:
			return "pg_catalog.encode(%s, 'hex')";
		default:
			return "%s";
	}
}

/*
 * Appends the text of a lead's key: of one column, that column; of several,
 * the text of the row, in which commas of values are quoted.
 */
static void
AppendKeyText(Expansion *expansion, const char *alias)
{
	const ReportTarget *target = expansion->target;
	const Attachment *attachment = target->attachment;

	appendStringInfoString(expansion->out, attachment->nkeys > 1 ? "ROW(" : "(");
	for (int i = 0; i < attachment->nkeys; i++)
	{
		const char *column = alias == NULL ? target->key_names[i] :
			psprintf("%s.%s", alias, target->key_names[i]);

		if (i > 0)
			appendStringInfoString(expansion->out, ", ");
		appendStringInfo(expansion->out, KeyColumnFormat(attachment->keys[i].type), column);
	}
	appendStringInfoString(expansion->out, ")::pg_catalog.text");
}

/*
 * True if a query reads what is stored instead of computing it.
 */
static bool
ReadsStored(const Expansion *expansion)
{
	return expansion->target->stored && expansion->form == REPORT_FORM_VIEW;
}

/*
 * The name of a dimension as a column of what can be stored, whose own columns
 * may have any name.
 */
static char *
StoredDimension(int i)
{
	return psprintf(STORED_DIMENSION "%d", i + 1);
}

/*
 * Appends the join of the attached table, for dimensions; or of the stored
 * leads, which have them.
 */
static void
AppendDimensionJoin(Expansion *expansion, const char *alias)
{
	const ReportTarget *target = expansion->target;
	int			i = 0;
	ListCell   *lc;

	if (target->dimensions == NIL)
		return;
	if (ReadsStored(expansion))
	{
		appendStringInfo(expansion->out, "LEFT JOIN %s." REPORT_STORED_LEADS " AS dimension ON ",
						 target->schema);
		AppendKeyJoin(expansion, alias, "dimension");
		return;
	}
	appendStringInfoString(expansion->out, "LEFT JOIN (SELECT ");
	AppendTableKey(expansion, TABLE_ITSELF, "r");
	foreach(lc, target->dimensions)
		appendStringInfo(expansion->out, ", %s AS %s", ((const ReportDimension *) lfirst(lc))->expression,
						 StoredDimension(i++));
	appendStringInfoString(expansion->out, " FROM ");
	AppendTable(expansion, TABLE_ITSELF);
	appendStringInfoString(expansion->out, " AS r) AS dimension ON ");
	AppendKeyJoin(expansion, alias, "dimension");
}

/*
 * Appends the dimensions as columns of an alias, or of the join; under their
 * own names or, if not named, under those that they have in what is stored.
 */
static void
AppendDimensions(Expansion *expansion, const char *alias, bool named)
{
	int			i = 0;
	ListCell   *lc;

	foreach(lc, expansion->target->dimensions)
	{
		appendStringInfo(expansion->out, ", %s.%s", alias != NULL ? alias : "dimension", StoredDimension(i++));
		if (named)
			appendStringInfo(expansion->out, " AS %s",
							 quote_identifier(((const ReportDimension *) lfirst(lc))->name));
	}
}

/*
 * Appends the query of a body in parentheses.
 */
static void
AppendInlined(Expansion *expansion, const ReportBody *body)
{
	appendStringInfoChar(expansion->out, '(');
	Expand(expansion, body->query);
	appendStringInfoChar(expansion->out, ')');
}

/*
 * Appends a table of create_campaign_tables(), or a query without rows in its
 * place if the owner of the reports has none in their schema.
 */
static void
AppendCampaignTable(Expansion *expansion, const char *name)
{
	const ReportTarget *target = expansion->target;
	const ReportBody *none;

	if (OidIsValid(align_campaign_table(target->schema_oid, name, target->attachment->root_owner)))
	{
		appendStringInfo(expansion->out, "%s.%s", target->schema, quote_identifier(name));
		return;
	}
	none = align_report_body_named(REPORT_PART, psprintf("no_%s", name));
	if (none == NULL)
		elog(ERROR, "there is no part no_%s", name);
	AppendInlined(expansion, none);
}

/*
 * Appends a reference to another view.
 */
static void
AppendView(Expansion *expansion, const ReportBody *body)
{
	if (expansion->inlined && body->per_lead)
		AppendInlined(expansion, body);
	else if (expansion->form == REPORT_FORM_WITH)
		appendStringInfoString(expansion->out, align_report_with_name(body));
	else
		appendStringInfo(expansion->out, "%s.%s%s", expansion->target->schema,
						 quote_identifier(body->name), expansion->form == REPORT_FORM_FUNCTION ? "($1)" : "");
}

/*
 * Appends a reference to what can be stored.
 */
static void
AppendStored(Expansion *expansion, const ReportBody *body)
{
	bool		was_storing = expansion->storing;

	if (ReadsStored(expansion))
	{
		appendStringInfo(expansion->out, "%s.%s", expansion->target->schema, align_report_stored_name(body));
		return;
	}
	if (expansion->form == REPORT_FORM_WITH)
	{
		appendStringInfoString(expansion->out, align_report_with_name(body));
		return;
	}
	expansion->storing = true;
	AppendInlined(expansion, body);
	expansion->storing = was_storing;
}

/*
 * Appends what is joined to an alias: a table of what is stored, under its
 * name.  For some leads, its rows are looked up one by one, as above.
 */
static void
AppendStoredJoin(Expansion *expansion, const char *name, const char *alias)
{
	const ReportTarget *target = expansion->target;
	const char *table = align_report_stored_name(align_report_body_named(REPORT_STORED, name));

	if (expansion->keys == NULL)
		appendStringInfo(expansion->out, "%s.%s AS %s ON %s", target->schema, table, name,
						 align_report_key_join(target, name, alias));
	else
		appendStringInfo(expansion->out, "LATERAL (SELECT t.* FROM %s.%s AS t WHERE %s OFFSET 0) AS %s ON true",
						 target->schema, table, align_report_key_join(target, "t", alias), name);
}

/*
 * Appends the query of a part, or, where the page has computed it, its rows.
 */
static void
AppendPart(Expansion *expansion, const ReportBody *body)
{
	if (body->once && expansion->form == REPORT_FORM_WITH)
		appendStringInfo(expansion->out, "SELECT * FROM %s", align_report_with_name(body));
	else
		Expand(expansion, body->query);
}

/*
 * True if the table is attached with a role: assignee, amount, ....
 */
static bool
HasRole(const Attachment *attachment, const char *role)
{
	for (int i = 0; i < ROW_NROLES; i++)
	{
		if (strcmp(align_row_role_names[i], role) == 0)
			return align_has_role(attachment, (RowRole) i);
	}
	elog(ERROR, "unknown role \"%s\" in a report", role);
}

/*
 * Appends what a placeholder stands for.
 */
static void
Replace(Expansion *expansion, const Placeholder *placeholder)
{
	const ReportTarget *target = expansion->target;
	const Attachment *attachment = target->attachment;
	const char *name = placeholder->part[0];
	const char *alias = placeholder->nparts > 1 ? placeholder->part[1] : NULL;
	const ReportBody *body = NamedBody(placeholder);
	StringInfo	out = expansion->out;

	if (strcmp(name, "schema") == 0)
		appendStringInfoString(out, target->schema);
	else if (strcmp(name, "table") == 0)
		AppendTable(expansion, TABLE_ITSELF);
	else if (strcmp(name, "history") == 0)
		AppendTable(expansion, TABLE_HISTORY);
	else if (strcmp(name, "clocks") == 0)
		AppendTable(expansion, TABLE_SLA);
	else if (strcmp(name, "relation") == 0)
		appendStringInfoString(out, quote_literal_cstr(align_table_name(attachment, TABLE_ITSELF)));
	else if (strcmp(name, "history_relation") == 0)
		appendStringInfoString(out, quote_literal_cstr(align_table_name(attachment, TABLE_HISTORY)));
	else if (strcmp(name, "agreement") == 0)
		appendStringInfo(out, "%s::pg_catalog.text",
						 quote_literal_cstr(attachment->marker.agreement));
	else if (strcmp(name, "as_of") == 0)
		appendStringInfoString(out, expansion->form == REPORT_FORM_VIEW ? "pg_catalog.now()" : "$1");
	else if (strcmp(name, "zone") == 0)
		appendStringInfoString(out, target->zone);
	else if (strcmp(name, "settle") == 0)
		appendStringInfoString(out, target->settle);
	else if (strcmp(name, "complete_since") == 0)
		appendStringInfoString(out, target->complete_since);
	else if (strcmp(name, "credit_model") == 0)
		appendStringInfoString(out, target->credit_model);
	else if (strcmp(name, "dimension_list") == 0)
		appendStringInfoString(out, align_report_dimension_list(target));
	else if (strcmp(name, "is_stored") == 0)
		appendStringInfoString(out, target->stored ? "true" : "false");
	else if (strcmp(name, "refreshed_at") == 0)
		appendStringInfo(out, target->stored ? "(SELECT s.refreshed_at FROM %s." REPORT_STORED_STATE " AS s)" : "NULL",
						 target->schema);
	else if (strcmp(name, "has_role") == 0 && placeholder->nparts == 2)
		appendStringInfoString(out, HasRole(attachment, placeholder->part[1]) ? "true" : "false");
	else if (strcmp(name, "history_key") == 0 && placeholder->nparts == 2)
		AppendTableKey(expansion, TABLE_HISTORY, placeholder->part[1]);
	else if (strcmp(name, "history_columns") == 0 && placeholder->nparts == 2)
		AppendColumns(expansion, TABLE_HISTORY, placeholder->part[1]);
	else if (strcmp(name, "segments") == 0 && placeholder->nparts == 2)
	{
		/*
		 * a history of a version before 0.4 has none until it is attached
		 * again
		 */
		if (attachment->history_ncolumns > HISTORY_SEGMENTS)
			appendStringInfo(out, "%s.segments", placeholder->part[1]);
		else
			appendStringInfoString(out, "NULL::pg_catalog.text[]");
	}
	else if (strcmp(name, "table_key") == 0 && placeholder->nparts == 2)
		AppendTableKey(expansion, TABLE_ITSELF, placeholder->part[1]);
	else if (strcmp(name, "key") == 0)
		AppendKey(expansion, alias);
	else if (strcmp(name, "key_text") == 0)
		AppendKeyText(expansion, alias);
	else if (strcmp(name, "key_join") == 0 && placeholder->nparts == 3)
		AppendKeyJoin(expansion, placeholder->part[1], placeholder->part[2]);
	else if (strcmp(name, "dimension_join") == 0 && placeholder->nparts == 2)
		AppendDimensionJoin(expansion, placeholder->part[1]);
	else if (strcmp(name, "dimensions") == 0)
		AppendDimensions(expansion, alias, !expansion->storing);
	else if (strcmp(name, "joined") == 0 && placeholder->nparts == 3)
		AppendStoredJoin(expansion, placeholder->part[1], placeholder->part[2]);
	else if (strcmp(name, "named_dimensions") == 0 && placeholder->nparts == 2)
		AppendDimensions(expansion, alias, true);
	else if (strcmp(name, "cost") == 0 && placeholder->nparts == 2)
		AppendCampaignTable(expansion, placeholder->part[1]);
	else if (body != NULL && body->kind == REPORT_PART)
		AppendPart(expansion, body);
	else if (body != NULL && body->kind == REPORT_STORED)
		AppendStored(expansion, body);
	else if (body != NULL)
		AppendView(expansion, body);
	else
		elog(ERROR, "unknown placeholder \"%s\" in a report", name);
}

/*
 * Appends a query with its placeholders filled in.
 */
static void
Expand(Expansion *expansion, const char *query)
{
	if (++expansion->depth > MAX_DEPTH)
		elog(ERROR, "reports refer to each other in a circle");
	while (*query != '\0')
	{
		Placeholder placeholder;
		int			length = *query == '{' ? ReadPlaceholder(query, &placeholder) : 0;

		if (length > 0)
			Replace(expansion, &placeholder);
		else
			appendStringInfoChar(expansion->out, *query);
		query += Max(length, 1);
	}
	expansion->depth--;
}

char *
align_report_stored_query(const ReportTarget *target, const ReportBody *body, const char *keys)
{
	StringInfoData out;
	Expansion	expansion = {.target = target,.form = REPORT_FORM_FUNCTION,.storing = true,.keys = keys,.out = &out};

	initStringInfo(&out);
	Expand(&expansion, body->query);
	return out.data;
}

/*
 * Appends the columns that a table for what can be stored has of its query,
 * without the dimensions.
 */
static void
AppendStoredColumns(StringInfo out, const ReportTarget *target, const ReportBody *body, const char *alias)
{
	Oid			relid = get_relname_relid(align_report_stored_name(body), target->schema_oid);
	int			ncolumns = 0;

	for (AttrNumber i = 1; i <= align_relation_natts(relid); i++)
	{
		const char *name = get_attname(relid, i, true);

		if (name == NULL || strncmp(name, STORED_DIMENSION, strlen(STORED_DIMENSION)) == 0)
			continue;
		if (strcmp(name, "latest_at") == 0)
			break;
		appendStringInfo(out, "%s%s.%s", ncolumns++ > 0 ? ", " : "", alias, quote_identifier(name));
	}
}

/*
 * What can be stored, as of an instant: the stored rows of the leads about
 * which nothing became known afterwards, and which are not in the log; those
 * of the others are computed.
 */
static char *
StoredAsOf(const ReportTarget *target, const ReportBody *body)
{
	char	   *others = psprintf("(SELECT %s FROM %s." REPORT_STORED_LEADS " AS s WHERE s.latest_at OPERATOR(pg_catalog.>) $1 "
								  "UNION SELECT %s FROM %s." CHANGED_LEADS " AS c)",
								  align_report_key_list(target, "s"), target->schema,
								  align_report_key_list(target, "c"), target->schema);
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoString(&out, "SELECT ");
	AppendStoredColumns(&out, target, body, "s");
	appendStringInfo(&out, " FROM %s.%s AS s WHERE s.latest_at OPERATOR(pg_catalog.<=) $1 "
					 "AND NOT EXISTS (SELECT FROM %s." CHANGED_LEADS " AS c WHERE %s)\nUNION ALL\nSELECT ",
					 target->schema, align_report_stored_name(body),
					 target->schema, align_report_key_join(target, "c", "s"));
	AppendStoredColumns(&out, target, body, "q");
	appendStringInfo(&out, " FROM (%s) AS q", align_report_stored_query(target, body, others));
	return out.data;
}

char *
align_report_query(const ReportTarget *target, const ReportBody *body, ReportForm form)
{
	StringInfoData out;
	Expansion	expansion = {.target = target,.form = form,.storing = body->kind == REPORT_STORED,.out = &out};

	if (body->kind == REPORT_STORED && target->stored && form == REPORT_FORM_WITH)
		return StoredAsOf(target, body);
	expansion.inlined = target->row_security && form == REPORT_FORM_VIEW && !body->per_lead;
	initStringInfo(&out);
	Expand(&expansion, body->query);
	return out.data;
}

void
align_report_references(const ReportBody *body, ReportVisit visit, void *arg)
{
	for (const char *query = body->query; (query = strchr(query, '{')) != NULL; query++)
	{
		Placeholder placeholder;
		const ReportBody *other;

		if (ReadPlaceholder(query, &placeholder) == 0)
			continue;
		other = NamedBody(&placeholder);
		if (other == NULL)
			continue;
		if (other->kind != REPORT_PART || other->once)
			visit(other, arg);
		else
			align_report_references(other, visit, arg);
	}
}
