/*
 * report_privileges.c
 *	  The privileges of other roles on reports, which are kept when these are
 *	  dropped and created again.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "catalog/as_role.h"
#include "report/report_privileges.h"

char *
align_report_names(const ReportTarget *target)
{
	StringInfoData names;
	const ReportBody *body;

	initStringInfo(&names);
	for (int i = 0; (body = align_report_body(i)) != NULL; i++)
	{
		if (body->kind == REPORT_VIEW && OidIsValid(get_relname_relid(body->name, target->schema_oid)))
			appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", quote_literal_cstr(body->name));
	}
	return psprintf("ARRAY[%s]::pg_catalog.name[]", names.data);
}

/* A command that grants or revokes a privilege. */
typedef struct PrivilegeCommand
{
	char	   *command;
	char	   *view;			/* of a privilege on a column, else NULL */
	char	   *column;
} PrivilegeCommand;

List *
align_report_privileges(const ReportTarget *target, const char *names, bool revoke)
{
	MemoryContext context = CurrentMemoryContext;
	List	   *result = NIL;
	char	   *objects = psprintf("SELECT 'TABLE ' || c.oid::pg_catalog.regclass AS object, NULL::pg_catalog.name AS view, NULL::pg_catalog.name AS attname, "
								   "c.relowner AS owner, COALESCE(c.relacl, pg_catalog.acldefault('r', c.relowner)) AS acl "
								   "FROM pg_catalog.pg_class AS c WHERE c.relnamespace = %1$u AND c.relname = ANY (%2$s) "
								   "UNION ALL SELECT 'TABLE ' || c.oid::pg_catalog.regclass, c.relname, a.attname, c.relowner, a.attacl "
								   "FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid "
								   "WHERE c.relnamespace = %1$u AND c.relname = ANY (%2$s) AND a.attacl IS NOT NULL "
								   "UNION ALL SELECT 'FUNCTION ' || p.oid::pg_catalog.regprocedure, NULL, NULL, p.proowner, COALESCE(p.proacl, pg_catalog.acldefault('f', p.proowner)) "
								   "FROM pg_catalog.pg_proc AS p WHERE p.pronamespace = %1$u AND p.proname = ANY (%2$s) AND p.proargtypes = '%3$u'",
								   target->schema_oid, names, TIMESTAMPTZOID);
	char	   *query = psprintf("SELECT pg_catalog.format('%s %%s%%s ON %%s %s %%s%%s', x.privilege_type, ' (' || pg_catalog.quote_ident(o.attname) || ')', o.object, "
								 "CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(x.grantee)) END, %s), "
								 "o.view, o.attname FROM (%s) AS o, pg_catalog.aclexplode(o.acl) AS x WHERE x.grantee <> o.owner",
								 revoke ? "REVOKE" : "GRANT", revoke ? "FROM" : "TO",
								 revoke ? "''" : "CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END",
								 objects);

	/* not read-only: it must see what was created */
	if (SPI_execute(query, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the privileges on reports");
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		PrivilegeCommand *command = MemoryContextAlloc(context, sizeof(PrivilegeCommand));
		char	  **const fields[] = {&command->command, &command->view, &command->column};

		for (int i = 0; i < (int) lengthof(fields); i++)
		{
			char	   *value = SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, i + 1);

			*fields[i] = value != NULL ? MemoryContextStrdup(context, value) : NULL;
		}
		result = lappend(result, command);
	}
	SPI_freetuptable(SPI_tuptable);
	return result;
}

void
align_report_execute_privileges(const ReportTarget *target, List *commands)
{
	ListCell   *lc;

	foreach(lc, commands)
	{
		const PrivilegeCommand *command = lfirst(lc);

		if (command->column == NULL ||
			get_attnum(get_relname_relid(command->view, target->schema_oid),
					   command->column) != InvalidAttrNumber)
			align_spi_execute(command->command);
	}
}
