/*
 * privileges.c
 *	  Adjusts privileges and policies of record tables to those of the attached
 *	  table (see attachment/privileges.h).
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_inherits.h"
#include "rewrite/rowsecurity.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "attach/request.h"
#include "attachment/privileges.h"
#include "catalog/as_role.h"
#include "catalog/relation.h"

/*
 * Revokes surplus privileges on a record table or on a partition of one, with
 * CASCADE, since a grantee with the grant option may have passed them on.
 * created: the table was created by this call.
 */
static void
RevokeSurplus(const AttachRequest *request, Oid relid, bool created)
{
	ListCell   *lc;

	foreach(lc, align_surplus_privileges(request->relid, relid))
	{
		const SurplusPrivileges *surplus = (const SurplusPrivileges *) lfirst(lc);
		char	   *grantee = align_grantee_name(surplus->grantee);
		char	   *names = align_privilege_names(surplus->privileges);
		char	   *columns = "";

		if (surplus->attnum != 0)
			columns = psprintf(" (%s)", quote_identifier(get_attname(relid, surplus->attnum, false)));
		for (char *name = strtok(pstrdup(names), ", "); name != NULL; name = strtok(NULL, ", "))
			align_execute_format(request->owner, "REVOKE %s%s ON TABLE %s FROM %s CASCADE",
								 name, columns, align_relation_name(relid), grantee);
		/* default privileges on a new table are revoked silently */
		if (!created)
			ereport(NOTICE,
					(errmsg("revoked %s%s on table %s from %s", names, columns,
							align_relation_name(relid), grantee),
					 errdetail("The history and the clock table must not show more than the attached table.")));
	}
}

static bool
HasPolicies(Oid relid)
{
	Relation	rel = table_open(relid, AccessShareLock);
	bool		result = rel->rd_rsdesc != NULL && rel->rd_rsdesc->policies != NIL;

	table_close(rel, NoLock);
	return result;
}

/*
 * Copies row-level security from the attached table to a record table or to a
 * partition of one.  Commands are run only where something differs, because
 * they lock out readers.
 */
static void
CopyRowSecurity(const AttachRequest *request, Oid relid)
{
	char	   *name = align_relation_name(relid);
	bool		forced;
	bool		wanted = align_row_security(request->relid, &forced);
	bool		is_forced;
	bool		has = align_row_security(relid, &is_forced);
	char	   *condition = NULL;
	PolicyState state;

	if (wanted)
		condition = align_policy_condition(request->relid, request->history.relid, request->nkeys,
										   request->key, relid);
	state = align_policy_state(relid, condition);
	if (state == POLICY_DIFFERS)
		align_execute_format(request->owner, "DROP POLICY %s ON %s", ATTACHMENT_POLICY, name);
	if (!wanted)
	{
		/* disable it together with the policy, unless there are others */
		if (state == POLICY_DIFFERS && has && !HasPolicies(relid))
			align_execute_format(request->owner,
								 "ALTER TABLE %s DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY",
								 name);
		return;
	}
	if (!has)
		align_execute_format(request->owner, "ALTER TABLE %s ENABLE ROW LEVEL SECURITY", name);
	if (forced != is_forced)
		align_execute_format(request->owner, "ALTER TABLE %s %s ROW LEVEL SECURITY", name,
							 forced ? "FORCE" : "NO FORCE");
	if (state != POLICY_FITS)
		align_execute_format(request->owner, "CREATE POLICY %s ON %s FOR SELECT USING (%s)",
							 ATTACHMENT_POLICY, name, condition);
}

/*
 * Adjust privileges and policies of the record tables and their partitions.
 */
void
align_attach_set_privileges(const AttachRequest *request)
{
	const RecordTable *tables[] = {&request->history, &request->sla};

	for (int i = 0; i < (int) lengthof(tables); i++)
	{
		ListCell   *lc;

		foreach(lc, find_all_inheritors(tables[i]->relid, ShareRowExclusiveLock, NULL))
		{
			RevokeSurplus(request, lfirst_oid(lc), tables[i]->created);
			CopyRowSecurity(request, lfirst_oid(lc));
		}
	}
}

/*
 * Warn of roles that can replace the triggers of the attached table.
 */
void
align_attach_warn_trigger_privilege(const AttachRequest *request)
{
	StringInfoData roles;
	ListCell   *lc;

	initStringInfo(&roles);
	foreach(lc, align_roles_with_trigger(request->relid))
		appendStringInfo(&roles, "%s%s", roles.len > 0 ? ", " : "",
						 align_grantee_name(lfirst_oid(lc)));
	if (roles.len == 0)
		return;
	ereport(WARNING,
			(errmsg("roles other than the owner have the TRIGGER privilege on table %s: %s",
					align_relation_name(request->relid), roles.data),
			 errdetail("They can replace the triggers of align, so that changes are neither judged nor recorded; align.check() reports this."),
			 errhint("Use REVOKE TRIGGER ON %s FROM %s.", align_relation_name(request->relid), roles.data)));
}
