/*
 * body.c
 *	  The queries of reports, and the names in them: of bodies, key columns,
 *	  dimensions, and what can be stored.
 */
#include "postgres.h"

#include <ctype.h>

#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "report/body.h"
#include "report/report_bodies.h"

const ReportBody *
align_report_body(int i)
{
	return i < (int) lengthof(report_bodies) ? &report_bodies[i] : NULL;
}

const ReportBody *
align_report_body_named(ReportKind kind, const char *name)
{
	const ReportBody *body;

	for (int i = 0; (body = align_report_body(i)) != NULL; i++)
	{
		if (body->kind == kind && strcmp(body->name, name) == 0)
			return body;
	}
	return NULL;
}

bool
align_report_has_column(const char *name)
{
	const ReportBody *body;

	for (int i = 0; (body = align_report_body(i)) != NULL; i++)
	{
		if (body->columns == NULL)
			continue;
		for (const ReportColumn *column = body->columns; column->name != NULL; column++)
		{
			if (strcmp(column->name, name) == 0)
				return true;
		}
	}
	return false;
}

/*
 * True if a character can be part of a word of a query.
 */
static inline bool
IsWordCharacter(char c)
{
	return isalnum((unsigned char) c) || c == '_';
}

/*
 * True if a query has key columns and uses a name otherwise than in a string,
 * a comment or a placeholder.
 */
static bool
QueryUsesName(const char *query, const char *name)
{
	size_t		len = strlen(name);

	if (strstr(query, "{key") == NULL && strstr(query, "{history_key") == NULL)
		return false;
	while (*query != '\0')
	{
		size_t		word = 0;

		while (IsWordCharacter(query[word]))
			word++;
		if (word == len && memcmp(query, name, len) == 0)
			return true;
		if (word > 0)
			query += word;
		else if (strncmp(query, "--", 2) == 0)
			query += strcspn(query, "\n");
		else if (*query == '\'' || *query == '{')
		{
			/* a doubled quote is read as two strings */
			query += strcspn(query + 1, *query == '{' ? "}" : "'") + 1;
			query += *query != '\0';
		}
		else
			query++;
	}
	return false;
}

/*
 * True if a key column cannot have this name in the reports, because a view
 * has a column of this name, or a query a column or table.
 */
static bool
IsReportName(const char *name)
{
	const ReportBody *body;

	if (align_report_has_column(name))
		return true;
	for (int i = 0; (body = align_report_body(i)) != NULL; i++)
	{
		if (QueryUsesName(body->query, name))
			return true;
	}
	return false;
}

/*
 * Sets the names of the key columns in the reports: those of the table, with
 * "key_" before a name that the reports use themselves, or that another key
 * column has got.
 */
void
align_report_key_names(ReportTarget *target)
{
	const Attachment *attachment = target->attachment;

	for (int i = 0; i < attachment->nkeys; i++)
	{
		char	   *name = get_attname(attachment->marker.root, attachment->marker.key[i], false);
		bool		is_free = !IsReportName(name);

		while (!is_free)
		{
			name = psprintf("key_%s", name);
			is_free = true;
			for (int j = 0; j < attachment->nkeys; j++)
			{
				if (j != i &&
					strcmp(get_attname(attachment->marker.root, attachment->marker.key[j], false), name) == 0)
					is_free = false;
			}
		}
		target->key_names[i] = pstrdup(quote_identifier(name));
	}
}

char *
align_report_key_list(const ReportTarget *target, const char *alias)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < target->attachment->nkeys; i++)
		appendStringInfo(&list, "%s%s%s%s", i > 0 ? ", " : "",
						 alias != NULL ? alias : "", alias != NULL ? "." : "", target->key_names[i]);
	return list.data;
}

char *
align_report_key_join(const ReportTarget *target, const char *a, const char *b)
{
	StringInfoData join;

	initStringInfo(&join);
	for (int i = 0; i < target->attachment->nkeys; i++)
		appendStringInfo(&join, "%s%s.%s OPERATOR(pg_catalog.=) %s.%s", i > 0 ? " AND " : "",
						 a, target->key_names[i], b, target->key_names[i]);
	return join.data;
}

/*
 * The dimensions as a literal, as they were given.
 */
char *
align_report_dimension_list(const ReportTarget *target)
{
	StringInfoData list;
	ListCell   *lc;

	initStringInfo(&list);
	foreach(lc, target->dimensions)
		appendStringInfo(&list, "%s%s", list.len > 0 ? ", " : "",
						 ((const ReportDimension *) lfirst(lc))->text);
	return psprintf("%s::pg_catalog.text", quote_literal_cstr(list.len > 0 ? list.data : "(none)"));
}

char *
align_report_stored_name(const ReportBody *body)
{
	return body->kind == REPORT_TABLE ? pstrdup(body->name) : align_report_rows_name(body);
}

char *
align_report_rows_name(const ReportBody *body)
{
	return psprintf("stored_%s", body->name);
}

char *
align_report_changed_name(const ReportBody *body)
{
	return psprintf("changed_%s", body->name);
}

bool
align_report_is_leads(const ReportBody *body)
{
	return strcmp(align_report_stored_name(body), REPORT_STORED_LEADS) == 0;
}

List *
align_report_stored_bodies(void)
{
	const ReportBody *body;
	List	   *result = NIL;

	for (int i = 0; (body = align_report_body(i)) != NULL; i++)
	{
		if (body->kind != REPORT_STORED && body->kind != REPORT_TABLE)
			continue;
		if (align_report_is_leads(body))
			result = lcons(unconstify(ReportBody *, body), result);
		else
			result = lappend(result, unconstify(ReportBody *, body));
	}
	return result;
}

/*
 * The name of a body as a WITH query.
 */
char *
align_report_with_name(const ReportBody *body)
{
	return psprintf("report_%s%s",
					body->kind == REPORT_STORED ? "stored_" : body->kind == REPORT_PART ? "part_" : "",
					body->name);
}
