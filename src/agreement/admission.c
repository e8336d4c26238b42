/*
 * admission.c
 *	  admit() and dismiss(), and the check of who is admitted; see admission.h.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "agreement/admission.h"
#include "agreement/agreement.h"

PG_FUNCTION_INFO_V1(align_admit);
PG_FUNCTION_INFO_V1(align_dismiss);

/* Columns of align.admission. */
#define Anum_admission_agreement 1
#define Anum_admission_role 2
#define Anum_admission_dismissed_after 3

static uint64 generation = 1;	/* advanced by invalidation messages */
static bool callbacks_registered = false;
static Oid	admission_table = InvalidOid;
static Oid	agreement_table = InvalidOid;

/*
 * Relcache callback: admissions depend on align.admission, and on the owner
 * of the agreement, which align.agreement has.
 */
static void
InvalidateAdmissions(Datum arg, Oid relid)
{
	(void) arg;
	/* without the table, relid may be the one that an update creates */
	if (!OidIsValid(admission_table) || relid == admission_table || relid == agreement_table ||
		relid == InvalidOid)
		generation++;
}

/*
 * Syscache callback for roles and memberships.
 */
static void
InvalidateRoles(Datum arg, int cacheid, uint32 hashvalue)
{
	(void) arg;
	(void) cacheid;
	(void) hashvalue;
	generation++;
}

/*
 * Returns a counter that advances whenever roles, memberships or admissions
 * may have changed.
 */
uint64
align_admission_generation(void)
{
	if (!callbacks_registered)
	{
		CacheRegisterRelcacheCallback(InvalidateAdmissions, (Datum) 0);
		CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, InvalidateRoles, (Datum) 0);
		CacheRegisterSyscacheCallback(AUTHOID, InvalidateRoles, (Datum) 0);
		callbacks_registered = true;
	}
	return generation;
}

/*
 * Returns true if a role has the privileges of another one that exists.
 */
static bool
HasPrivilegesOf(Oid member, Oid role)
{
	return OidIsValid(role) && has_privs_of_role(member, role);
}

/*
 * Returns the last version that was checked against the tables of a role
 * because the role had the privileges of the agreement's owner, or 0.  A
 * version whose owner differs from that of the version before is a copy that
 * set_agreement_owner() made, and was not checked.
 */
static int32
LastVersionAsOwner(const Agreement *agreement, Oid role)
{
	for (int i = agreement->nversions - 1; i >= 0; i--)
	{
		const NameData *owner = &agreement->versions[i].owner;

		if (i > 0 && strcmp(NameStr(*owner), NameStr(agreement->versions[i - 1].owner)) != 0)
			continue;
		if (HasPrivilegesOf(role, get_role_oid(NameStr(*owner), true)))
			return agreement->versions[i].version;
	}
	return 0;
}

/*
 * Reads whether tables of a role can be attached to an agreement.
 */
void
align_read_admission(const char *agreement, Oid owner, Admission *admission)
{
	const Agreement *found = align_agreement_lookup(agreement);

	/* the table does not exist before the extension is updated to 0.2.1 */
	Oid			table = align_extension_table("admission", true);
	Relation	rel;
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	tuple;

	/* without the table, before the update to 0.2.1, every role is admitted */
	admission_table = table;
	agreement_table = align_extension_table("agreement", true);
	admission->admitted = !OidIsValid(table) ||
		(found != NULL && HasPrivilegesOf(owner, align_agreement_owner(found)));
	admission->dismissed_after = 0;
	if (admission->admitted)
		return;
	if (found != NULL)
		admission->dismissed_after = LastVersionAsOwner(found, owner);

	/* the column is COLLATE "C", as ScanKeyInit assumes */
	ScanKeyInit(&key, Anum_admission_agreement, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(agreement));
	rel = table_open(table, AccessShareLock);
	scan = systable_beginscan(rel, get_relname_relid("admission_pkey", RelationGetNamespace(rel)),
							  true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool		isnull;
		Datum		role = heap_getattr(tuple, Anum_admission_role, RelationGetDescr(rel), &isnull);
		Datum		after;

		if (isnull || !HasPrivilegesOf(owner, get_role_oid(NameStr(*DatumGetName(role)), true)))
			continue;
		after = heap_getattr(tuple, Anum_admission_dismissed_after, RelationGetDescr(rel), &isnull);
		if (isnull)
			admission->admitted = true; /* not dismissed */
		else
			admission->dismissed_after = Max(admission->dismissed_after, DatumGetInt32(after));
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
}

/*
 * Raises unless tables of a role can be attached to the agreement.
 */
void
align_check_admitted(const char *agreement, Oid owner)
{
	Admission	admission;

	align_read_admission(agreement, owner, &admission);
	if (admission.admitted)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("tables of role \"%s\" cannot be attached to agreement \"%s\"",
					GetUserNameFromId(owner, false), agreement),
			 errdetail("The role is not admitted and does not have the privileges of the agreement's owner."),
			 errhint("The agreement's owner can admit it: SELECT align.admit(%s, %s);",
					 quote_literal_cstr(agreement),
					 quote_literal_cstr(quote_identifier(GetUserNameFromId(owner, false))))));
}

/*
 * Locks and reads the agreement named by the first argument; raises unless the
 * current user has the privileges of its owner.
 */
static void
LockOwnAgreement(FunctionCallInfo fcinfo, const char *function, Agreement *agreement)
{
	char	   *name = align_agreement_name_arg(fcinfo, 0);

	align_require_argument(fcinfo, 1, "role");
	PreventCommandIfReadOnly(function);
	align_agreement_lock_own(name, false, agreement);
}

/*
 * admit(agreement, role): lets tables of the role be attached to the
 * agreement.
 */
Datum
align_admit(PG_FUNCTION_ARGS)
{
	Agreement	agreement;
	NameData	role;
	Datum		values[2];

	LockOwnAgreement(fcinfo, "align.admit()", &agreement);
	namestrcpy(&role, GetUserNameFromId(PG_GETARG_OID(1), false));
	values[0] = CStringGetTextDatum(agreement.name);
	values[1] = NameGetDatum(&role);
	align_write_extension_table("admission",
								"INSERT INTO align.admission (agreement, role) VALUES ($1, $2) "
								"ON CONFLICT (agreement, role) DO UPDATE SET dismissed_after = NULL",
								2, values, NULL);
	PG_RETURN_VOID();
}

/*
 * Returns the name of the role in a text, folded and unquoted like the input
 * of regrole.  The role need not exist, since roles that were dropped can be
 * dismissed.
 */
static char *
RoleName(const text *role)
{
	List	   *names;

	if (!SplitIdentifierString(text_to_cstring(role), '.', &names) || list_length(names) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("invalid role name: \"%s\"", text_to_cstring(role))));
	return linitial(names);
}

/*
 * dismiss(agreement, role): ends the admission of the role.  Its tables remain
 * attached.
 */
Datum
align_dismiss(PG_FUNCTION_ARGS)
{
	Agreement	agreement;
	NameData	role;
	Datum		values[3];

	LockOwnAgreement(fcinfo, "align.dismiss()", &agreement);
	namestrcpy(&role, RoleName(PG_GETARG_TEXT_PP(1)));
	values[0] = CStringGetTextDatum(agreement.name);
	values[1] = NameGetDatum(&role);
	values[2] = Int32GetDatum(agreement.versions[agreement.nversions - 1].version);
	if (align_write_extension_table("admission",
									"UPDATE align.admission SET dismissed_after = $3 "
									"WHERE agreement OPERATOR(pg_catalog.=) $1 "
									"AND role OPERATOR(pg_catalog.=) $2 AND dismissed_after IS NULL",
									3, values, NULL) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("role \"%s\" is not admitted to agreement \"%s\"", NameStr(role),
						agreement.name)));
	PG_RETURN_VOID();
}
