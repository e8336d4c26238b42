/*
 * record_table.c
 *	  Names, key columns and creator of a record table, and the error that it
 *	  cannot be used.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "attach/request.h"
#include "attachment/key_sql.h"

/*
 * True if this is the name of a column of align in either record table.
 */
static bool
IsAlignColumn(const char *name)
{
	for (int i = 0; i < HISTORY_NCOLUMNS; i++)
	{
		if (strcmp(align_history_columns[i].name, name) == 0)
			return true;
	}
	for (int i = 0; i < SLA_NCOLUMNS; i++)
	{
		if (strcmp(align_sla_columns[i].name, name) == 0)
			return true;
	}
	return false;
}

static bool
IsKeyName(const AttachRequest *request, const char *name)
{
	for (int i = 0; i < request->nkeys; i++)
	{
		if (strcmp(get_attname(request->relid, request->key[i], false), name) == 0)
			return true;
	}
	return false;
}

/*
 * The name of key column i in new record tables: that in the attached table,
 * or with the prefix "key_" if a column of align has that name.
 */
char *
align_record_key_name(const AttachRequest *request, int i)
{
	char	   *name = get_attname(request->relid, request->key[i], false);

	if (!IsAlignColumn(name))
		return name;
	do
		name = psprintf("key_%s", name);
	while (IsKeyName(request, name));
	return name;
}

/*
 * The name of a record table, qualified and quoted.
 */
char *
align_record_table_name(const RecordTable *table)
{
	return quote_qualified_identifier(table->schema, table->name);
}

/*
 * Appends the condition that history and clock table have the same key.
 */
void
align_append_record_key_join(StringInfo sql, const AttachRequest *request, const char *history,
							 const char *sla)
{
	AttrNumber	history_keys[ATTACHMENT_MAX_KEYS];
	AttrNumber	sla_keys[ATTACHMENT_MAX_KEYS];

	(void) align_record_key_columns(request->history.relid, request->nkeys, history_keys);
	(void) align_record_key_columns(request->sla.relid, request->nkeys, sla_keys);
	for (int i = 0; i < request->nkeys; i++)
	{
		align_append_key_equality(sql, i, get_atttype(request->relid, request->key[i]),
								  psprintf("%s.%s", history,
										   quote_identifier(get_attname(request->history.relid,
																		history_keys[i], false))),
								  psprintf("%s.%s", sla,
										   quote_identifier(get_attname(request->sla.relid,
																		sla_keys[i], false))));
	}
}

/*
 * The role that creates a record table.  It is the owner-to-be if possible, so
 * that the default privileges and limits of that role apply.  A superuser may
 * attach a table whose owner may not create tables in the schema.
 */
Oid
align_record_table_creator(const AttachRequest *request, const RecordTable *table)
{
	if (align_may_create_in(get_namespace_oid(table->schema, false), request->owner))
		return request->owner;
	if (!superuser_arg(request->caller))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_SCHEMA, table->schema);
	return request->caller;
}

/*
 * True if an existing relation has nothing to do with align: it has fewer than
 * half of the columns of the record table.  A table of a CRM, or the mirror of
 * one, may have the default name; to alter it would be bad advice.
 */
static bool
IsForeign(const RecordTable *table)
{
	Oid			schema = get_namespace_oid(table->schema, true);
	Oid			relid = OidIsValid(schema) ? get_relname_relid(table->name, schema) : InvalidOid;
	int			n = 0;

	if (!OidIsValid(relid))
		return false;
	for (int i = 0; i < table->ncolumns; i++)
	{
		if (get_attnum(relid, table->columns[i].name) != InvalidAttrNumber)
			n++;
	}
	return 2 * n < table->ncolumns;
}

/*
 * Raises an error: an existing table cannot be used as record table.
 */
void
align_refuse_record_table(const RecordTable *table, char *detail, char *hint)
{
	if (IsForeign(table))
		hint = psprintf("Choose another name with history => 'another_name'%s. The existing relation is not one of align's.",
						table->columns == align_sla_columns ?
						"; the name of the clock table is derived from it" : "");
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
			 errmsg("relation %s cannot be used as %s", align_record_table_name(table), table->what),
			 errdetail("%s", detail),
			 hint != NULL ? errhint("%s", hint) :
			 table->columns == align_sla_columns ?
			 errhint("Choose another name with history => '..._history'; the name of the clock table is derived from it.") :
			 errhint("Choose another name with history => '...'.")));
}
