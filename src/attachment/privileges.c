/*
 * privileges.c
 *	  Privileges of other roles on record tables, and row-level security; see
 *	  privileges.h.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_policy.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"

#include "attachment/key_sql.h"
#include "attachment/privileges.h"
#include "catalog/relation.h"
#include "condition/condition.h"

static const struct
{
	AclMode		privilege;
	const char *name;
}			privilege_names[] =

{
	{ACL_SELECT, "SELECT"},
	{ACL_INSERT, "INSERT"},
	{ACL_UPDATE, "UPDATE"},
	{ACL_DELETE, "DELETE"},
	{ACL_TRUNCATE, "TRUNCATE"},
	{ACL_REFERENCES, "REFERENCES"},
	{ACL_TRIGGER, "TRIGGER"},
#ifdef ACL_MAINTAIN
	{ACL_MAINTAIN, "MAINTAIN"},
#endif
};

/*
 * "INSERT, UPDATE"
 */
char *
align_privilege_names(AclMode privileges)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < (int) lengthof(privilege_names); i++)
	{
		if (privileges & privilege_names[i].privilege)
			appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", privilege_names[i].name);
	}
	return names.data;
}

/*
 * The name of a role, quoted, or PUBLIC.
 */
char *
align_grantee_name(Oid grantee)
{
	if (grantee == ACL_ID_PUBLIC)
		return pstrdup("PUBLIC");
	return pstrdup(quote_identifier(GetUserNameFromId(grantee, false)));
}

/*
 * Copies an ACL column of a catalog row.  Returns NULL for the default, which
 * for tables and columns grants privileges to the owner only.
 */
static Acl *
CopyAcl(Datum datum, bool isnull)
{
	return isnull ? NULL : DatumGetAclPCopy(datum);
}

static Acl *
TableAcl(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	bool		isnull;
	Datum		datum;
	Acl		   *acl;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relid);
	datum = SysCacheGetAttr(RELOID, tuple, Anum_pg_class_relacl, &isnull);
	acl = CopyAcl(datum, isnull);
	ReleaseSysCache(tuple);
	return acl;
}

static Acl *
ColumnAcl(Oid relid, AttrNumber attnum)
{
	HeapTuple	tuple = SearchSysCache2(ATTNUM, ObjectIdGetDatum(relid), Int16GetDatum(attnum));
	Acl		   *acl = NULL;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	if (!((Form_pg_attribute) GETSTRUCT(tuple))->attisdropped)
	{
		bool		isnull;
		Datum		datum = SysCacheGetAttr(ATTNUM, tuple, Anum_pg_attribute_attacl, &isnull);

		acl = CopyAcl(datum, isnull);
	}
	ReleaseSysCache(tuple);
	return acl;
}

static bool
PublicMaySelect(Oid relid)
{
	Acl		   *acl = TableAcl(relid);

	for (int i = 0; acl != NULL && i < ACL_NUM(acl); i++)
	{
		const AclItem *item = &ACL_DAT(acl)[i];

		if (item->ai_grantee == ACL_ID_PUBLIC && (ACLITEM_GET_PRIVS(*item) & ACL_SELECT))
			return true;
	}
	return false;
}

static bool
MaySelect(Oid relid, Oid grantee)
{
	if (grantee == ACL_ID_PUBLIC)
		return PublicMaySelect(relid);
	return pg_class_aclcheck(relid, grantee, ACL_SELECT) == ACLCHECK_OK;
}

/*
 * Adds what an ACL grants to roles other than the owner and superusers, except
 * SELECT for those that have it on the root.  Roles that are dropped
 * concurrently are skipped.
 */
static void
AddSurplus(List **result, Oid root, Oid owner, Oid relid, AttrNumber attnum, const Acl *acl)
{
	for (int i = 0; acl != NULL && i < ACL_NUM(acl); i++)
	{
		const AclItem *item = &ACL_DAT(acl)[i];
		Oid			grantee = item->ai_grantee;
		AclMode		surplus = ACLITEM_GET_PRIVS(*item);
		SurplusPrivileges *found;

		if (grantee == owner)
			continue;
		if (grantee != ACL_ID_PUBLIC &&
			(superuser_arg(grantee) ||
			 !SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(grantee))))
			continue;
		if ((surplus & ACL_SELECT) && MaySelect(root, grantee))
			surplus &= ~ACL_SELECT;
		if (surplus == ACL_NO_RIGHTS)
			continue;
		found = palloc(sizeof(SurplusPrivileges));
		found->relid = relid;
		found->attnum = attnum;
		found->grantee = grantee;
		found->privileges = surplus;
		*result = lappend(*result, found);
	}
}

/*
 * The surplus privileges on a record table, and on its columns.
 */
List *
align_surplus_privileges(Oid root, Oid relid)
{
	Oid			owner = align_relation_owner(relid);
	List	   *result = NIL;
	int			natts = align_relation_natts(relid);

	AddSurplus(&result, root, owner, relid, 0, TableAcl(relid));
	for (AttrNumber attnum = 1; attnum <= natts; attnum++)
		AddSurplus(&result, root, owner, relid, attnum, ColumnAcl(relid, attnum));
	return result;
}

/*
 * OIDs of the roles to which TRIGGER on a table was granted.
 */
List *
align_roles_with_trigger(Oid relid)
{
	Acl		   *acl = TableAcl(relid);
	Oid			owner = align_relation_owner(relid);
	List	   *result = NIL;

	for (int i = 0; acl != NULL && i < ACL_NUM(acl); i++)
	{
		const AclItem *item = &ACL_DAT(acl)[i];

		if (item->ai_grantee != owner && (ACLITEM_GET_PRIVS(*item) & ACL_TRIGGER) &&
			(item->ai_grantee == ACL_ID_PUBLIC || !superuser_arg(item->ai_grantee)))
			result = list_append_unique_oid(result, item->ai_grantee);
	}
	return result;
}

/*
 * Returns whether row-level security is enabled on a table, and whether it is
 * forced.
 */
bool
align_row_security(Oid relid, bool *forced)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Form_pg_class form;
	bool		result;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relid);
	form = (Form_pg_class) GETSTRUCT(tuple);
	result = form->relrowsecurity;
	*forced = form->relforcerowsecurity;
	ReleaseSysCache(tuple);
	return result;
}

/*
 * The condition of the policy on a record table.  Its subquery runs with the
 * rights of the current user, so the policies of the root apply to it.  The
 * function is called with columns that identify the row (present_life.c).
 */
char *
align_policy_condition(Oid root, Oid history, int nkeys, const AttrNumber *root_keys, Oid relid)
{
	const char *relname = quote_identifier(get_rel_name(relid));

	/* the alias must not hide the table that has the policy */
	const char *alias = strcmp(relname, "attached") == 0 ? "lead" : "attached";
	AttrNumber	keys[ATTACHMENT_MAX_KEYS];
	StringInfoData condition;

	if (!align_record_key_columns(relid, nkeys, keys))
		elog(ERROR, "table \"%s\" does not begin with the key columns", get_rel_name(relid));
	initStringInfo(&condition);
	appendStringInfo(&condition, "EXISTS (SELECT FROM %s AS %s WHERE ", align_relation_name(root),
					 alias);
	for (int i = 0; i < nkeys; i++)
	{
		const char *root_key = quote_identifier(get_attname(root, root_keys[i], false));
		const char *key = quote_identifier(get_attname(relid, keys[i], false));

		align_append_key_equality(&condition, i, get_atttype(root, root_keys[i]),
								  psprintf("%s.%s", alias, root_key),
								  psprintf("%s.%s", relname, key));
	}
	appendStringInfo(&condition,
					 ") AND align.in_present_life(%s::pg_catalog.regclass, %s.tableoid, %s.%s, %s.%s",
					 quote_literal_cstr(align_relation_name(history)), relname,
					 relname, align_is_history(relid, history) ? "entry_no" : "cycle",
					 relname, align_is_history(relid, history) ? "recorded_at" : "started_at");
	for (int i = 0; i < nkeys; i++)
		appendStringInfo(&condition, ", %s.%s", relname,
						 quote_identifier(get_attname(relid, keys[i], false)));
	appendStringInfoChar(&condition, ')');
	return condition.data;
}

/*
 * True if two conditions are the same.  They are compared as text, because the
 * parse trees contain the names that columns had when they were parsed.
 */
static bool
SamePolicyCondition(Oid relid, Node *a, Node *b)
{
	List	   *context = deparse_context_for(get_rel_name(relid), relid);

	return strcmp(deparse_expression(a, context, true, false),
				  deparse_expression(b, context, true, false)) == 0;
}

static bool
IsForPublic(Datum roles)
{
	ArrayType  *array = DatumGetArrayTypeP(roles);

	return ARR_NDIM(array) == 1 && ARR_DIMS(array)[0] == 1 &&
		((Oid *) ARR_DATA_PTR(array))[0] == ACL_ID_PUBLIC;
}

/*
 * True if a policy is the one that attach() would create.
 */
static bool
PolicyFits(Relation catalog, HeapTuple tuple, Oid relid, const char *condition)
{
	Form_pg_policy form = (Form_pg_policy) GETSTRUCT(tuple);
	TupleDesc	desc = RelationGetDescr(catalog);
	bool		isnull;
	Datum		roles = heap_getattr(tuple, Anum_pg_policy_polroles, desc, &isnull);
	Datum		qual;

	if (form->polcmd != ACL_SELECT_CHR || !form->polpermissive || isnull || !IsForPublic(roles))
		return false;
	qual = heap_getattr(tuple, Anum_pg_policy_polqual, desc, &isnull);
	return !isnull &&
		SamePolicyCondition(relid, stringToNode(TextDatumGetCString(qual)),
							align_condition_stored(relid, condition, EXPR_KIND_POLICY));
}

/*
 * Compares the policy on a table with its condition.
 */
PolicyState
align_policy_state(Oid relid, const char *condition)
{
	Relation	catalog = table_open(PolicyRelationId, AccessShareLock);
	SysScanDesc scan;
	ScanKeyData keys[2];
	HeapTuple	tuple;
	NameData	name;
	PolicyState result = POLICY_MISSING;

	namestrcpy(&name, ATTACHMENT_POLICY);
	ScanKeyInit(&keys[0], Anum_pg_policy_polrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	ScanKeyInit(&keys[1], Anum_pg_policy_polname, BTEqualStrategyNumber, F_NAMEEQ,
				NameGetDatum(&name));
	scan = systable_beginscan(catalog, PolicyPolrelidPolnameIndexId, true, NULL, 2, keys);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		result = condition != NULL && PolicyFits(catalog, tuple, relid, condition) ?
			POLICY_FITS : POLICY_DIFFERS;
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return result;
}
