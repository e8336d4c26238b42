/*
 * own_table.c
 *	  The history or the clock table of an attached table, by name and by its key
 *	  columns.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "attach/request.h"
#include "attachment/key_sql.h"

static bool
IsOwnName(const char *name)
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
 * The name that it has in the attached table, unless align's own columns have
 * that one.
 */
char *
align_own_key_name(const AttachRequest *request, int i)
{
	char	   *name = get_attname(request->relid, request->key[i], false);

	if (!IsOwnName(name))
		return name;
	do
		name = psprintf("key_%s", name);
	while (IsKeyName(request, name));
	return name;
}

char *
align_own_name(const OwnTable *own)
{
	return quote_qualified_identifier(own->schema, own->name);
}

void
align_append_own_key_join(StringInfo sql, const AttachRequest *request, const char *history,
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
 * Tables and indexes are created by their owner-to-be, so that default privileges
 * and limits are that role's.  A superuser may attach a table whose owner cannot
 * create anything in the schema.
 */
Oid
align_own_creator(const AttachRequest *request, const OwnTable *own)
{
	if (align_may_create_in(get_namespace_oid(own->schema, false), request->owner))
		return request->owner;
	if (!superuser())
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_SCHEMA, own->schema);
	return GetUserId();
}

void
align_attach_wrong_table(const OwnTable *own, char *detail, char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
			 errmsg("relation %s cannot be used as %s", align_own_name(own), own->what),
			 errdetail("%s", detail),
			 hint != NULL ? errhint("%s", hint) :
			 own->columns == align_sla_columns ?
			 errhint("Choose another name with history => '..._history'; that of the clock table is made from it.") :
			 errhint("Choose another name with history => '...'.")));
}
