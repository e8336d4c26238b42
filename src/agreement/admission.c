/*
 * admission.c
 *	  Whose tables may be under an agreement: admit(), dismiss(), and who is
 *	  admitted; see admission.h.
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

static uint64 generation = 1;
static bool watching = false;
static Oid	watched_table = InvalidOid;

static void
InvalidateRelation(Datum arg, Oid relid)
{
	(void) arg;
	/* an update of the extension may create the table */
	if (!OidIsValid(watched_table) || relid == watched_table || relid == InvalidOid)
		generation++;
}

static void
InvalidateRoles(Datum arg, int cacheid, uint32 hashvalue)
{
	(void) arg;
	(void) cacheid;
	(void) hashvalue;
	generation++;
}

uint64
align_admission_generation(void)
{
	if (!watching)
	{
		CacheRegisterRelcacheCallback(InvalidateRelation, (Datum) 0);
		CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, InvalidateRoles, (Datum) 0);
		CacheRegisterSyscacheCallback(AUTHOID, InvalidateRoles, (Datum) 0);
		watching = true;
	}
	return generation;
}

/* InvalidOid before the extension is updated to 0.2.1. */
static Oid
AdmissionTable(void)
{
	Oid			namespace_id = get_namespace_oid("align", true);

	return OidIsValid(namespace_id) ? get_relname_relid("admission", namespace_id) : InvalidOid;
}

static bool
HasPrivilegesOf(Oid member, Oid role)
{
	return OidIsValid(role) && has_privs_of_role(member, role);
}

void
align_read_admission(const char *agreement, Oid owner, Admission *admission)
{
	const Agreement *found = align_agreement_lookup(agreement);
	Oid			table = AdmissionTable();
	Relation	rel;
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	tuple;

	watched_table = table;
	admission->admitted = !OidIsValid(table) ||
		(found != NULL && HasPrivilegesOf(owner, align_agreement_owner(found)));
	admission->dismissed_after = 0;
	if (admission->admitted)
		return;

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
			admission->admitted = true;
		else
			admission->dismissed_after = Max(admission->dismissed_after, DatumGetInt32(after));
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
}

void
align_check_admitted(const char *agreement, Oid owner)
{
	Admission	admission;

	align_read_admission(agreement, owner, &admission);
	if (admission.admitted)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("tables of role \"%s\" may not be attached to agreement \"%s\"",
					GetUserNameFromId(owner, false), agreement),
			 errdetail("The role neither has the privileges of the owner of the agreement nor is admitted."),
			 errhint("The owner of the agreement can admit it: SELECT align.admit(%s, %s);",
					 quote_literal_cstr(agreement),
					 quote_literal_cstr(quote_identifier(GetUserNameFromId(owner, false))))));
}

/*
 * The agreement of the first argument, locked, if the caller may change who is
 * admitted.
 */
static void
BeginChange(FunctionCallInfo fcinfo, const char *function, Agreement *agreement)
{
	char	   *name = align_agreement_name_arg(fcinfo, 0);

	align_require_argument(fcinfo, 1, "role");
	PreventCommandIfReadOnly(function);
	align_agreement_lock(name, ExclusiveLock);
	align_agreement_read(name, CurrentMemoryContext, agreement);
	if (agreement->nversions == 0)
		align_agreement_unknown(name);
	align_check_agreement_owner(agreement);
}

/*
 * admit(agreement, role): tables of the role may be attached to the agreement.
 */
Datum
align_admit(PG_FUNCTION_ARGS)
{
	Agreement	agreement;
	NameData	role;
	Datum		values[2];

	BeginChange(fcinfo, "align.admit()", &agreement);
	namestrcpy(&role, GetUserNameFromId(PG_GETARG_OID(1), false));
	values[0] = CStringGetTextDatum(agreement.name);
	values[1] = NameGetDatum(&role);
	align_execute_on_own_table("admission",
							   "INSERT INTO align.admission (agreement, role) VALUES ($1, $2) "
							   "ON CONFLICT (agreement, role) DO UPDATE SET dismissed_after = NULL",
							   2, values, NULL);
	PG_RETURN_VOID();
}

/*
 * The name in the text of a role, which need not exist: a role that was dropped is
 * dismissed, too.  Folded and unquoted as the input of regrole does it.
 */
static char *
RoleName(const text *role)
{
	List	   *names;

	if (!SplitIdentifierString(text_to_cstring(role), '.', &names) || list_length(names) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("invalid name of a role: \"%s\"", text_to_cstring(role))));
	return linitial(names);
}

/*
 * dismiss(agreement, role): no more tables of the role, and those that are
 * attached stay where they are.
 */
Datum
align_dismiss(PG_FUNCTION_ARGS)
{
	Agreement	agreement;
	NameData	role;
	Datum		values[3];

	BeginChange(fcinfo, "align.dismiss()", &agreement);
	namestrcpy(&role, RoleName(PG_GETARG_TEXT_PP(1)));
	values[0] = CStringGetTextDatum(agreement.name);
	values[1] = NameGetDatum(&role);
	values[2] = Int32GetDatum(agreement.versions[agreement.nversions - 1].version);
	if (align_execute_on_own_table("admission",
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
