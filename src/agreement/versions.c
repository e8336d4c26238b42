/*
 * versions.c
 *	  Writing agreements: new versions, their owner, the roles of teams, and
 *	  the trigger that keeps the table append-only.
 *
 * Users have no privileges on the tables.  The functions here check that the
 * current user has the privileges of the agreement's owner, then write as the
 * owner of the table, as referential integrity triggers do.  If the write
 * fails, the abort of the (sub)transaction restores the current user.
 *
 * Versions, teams and admissions of an agreement are changed under an
 * exclusive lock on it, which is held until the end of the transaction.  What
 * decides about the change is read after the lock is granted.  A role must
 * have its privileges before it waits for the lock, or it could make others
 * wait for it.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "agreement/agreement.h"
#include "catalog/as_role.h"
#include "catalog/relation.h"
#include "funnel/funnel.h"

PG_FUNCTION_INFO_V1(align_set_agreement_owner);
PG_FUNCTION_INFO_V1(align_assign_team);
PG_FUNCTION_INFO_V1(align_agreement_guard);

#define AGREEMENT_COLUMNS Anum_agreement_note
#define TEAM_COLUMNS 3

/*
 * Finds the first version of an agreement; false if there is none.
 */
static bool
FindFirstVersion(Relation rel, const char *name, ItemPointer tid)
{
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	tuple;
	int32		first = 0;

	ScanKeyInit(&key, Anum_agreement_name, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(name));
	scan = systable_beginscan(rel, get_relname_relid("agreement_pkey", RelationGetNamespace(rel)),
							  true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool		isnull;
		int32		version = DatumGetInt32(heap_getattr(tuple, Anum_agreement_version,
														 RelationGetDescr(rel), &isnull));

		if (first == 0 || version < first)
		{
			first = version;
			*tid = tuple->t_self;
		}
	}
	systable_endscan(scan);
	return first != 0;
}

/*
 * Locks an agreement until the end of the transaction; false if there is none
 * of that name.
 *
 * It is an object lock whose class is the table, and whose object is the place
 * of the row of the first version, which is never updated.  So agreements do
 * not share it, unlike one on a hash of the name, and it cannot conflict with
 * locks that users take.  The lock on the table is kept, too, so that the row
 * stays where it is.
 */
bool
align_agreement_lock(const char *name, LOCKMODE mode)
{
	Relation	rel = table_open(align_extension_table("agreement", false), AccessShareLock);
	ItemPointerData tid;
	bool		found = FindFirstVersion(rel, name, &tid);

	if (found)
		LockDatabaseObject(RelationGetRelid(rel), (Oid) ItemPointerGetBlockNumber(&tid),
						   ItemPointerGetOffsetNumber(&tid), mode);
	table_close(rel, found ? NoLock : AccessShareLock);
	return found;
}

/*
 * Locks a name that no agreement has, so that only one session at a time
 * creates it.
 *
 * It is an object lock like that on an agreement, on a hash of the name; no
 * row has offset 0.  Names with equal hashes share a lock, which only makes
 * their transactions wait for each other.
 */
static void
LockNewName(const char *name)
{
	uint32		hash = DatumGetUInt32(hash_any((const unsigned char *) name, strlen(name)));

	LockDatabaseObject(align_extension_table("agreement", false), (Oid) hash, 0, ExclusiveLock);
}

/*
 * Raises unless the current user has the privileges of the agreement's owner,
 * which is PostgreSQL's rule for objects.  Superusers have the privileges of
 * every role, and only they have those of an owner that does not exist.
 */
static void
CheckOwner(const Agreement *agreement)
{
	Oid			owner = align_agreement_owner(agreement);

	if (OidIsValid(owner) ? has_privs_of_role(GetUserId(), owner) : superuser())
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("must be owner of agreement \"%s\"", agreement->name),
			 OidIsValid(owner) ?
			 errdetail("It is owned by role \"%s\".", GetUserNameFromId(owner, false)) :
			 errdetail("Its owner, role \"%s\", does not exist. A superuser can assign a new owner.",
					   NameStr(agreement->versions[agreement->nversions - 1].owner))));
}

/*
 * Locks and reads an agreement of which the current user is owner.
 */
void
align_agreement_lock_own(const char *name, bool may_be_new, Agreement *agreement)
{
	bool		name_locked = false;
	bool		locked = false;

	for (;;)
	{
		align_agreement_read(name, CurrentMemoryContext, agreement);
		if (agreement->nversions > 0)
			CheckOwner(agreement);
		else if (!may_be_new)
			align_agreement_unknown(name);
		else if (name_locked)
			return;

		/* what was read may change until the lock is granted */
		if (agreement->nversions == 0)
		{
			LockNewName(name);
			name_locked = true;
		}
		else if (!locked)
			locked = align_agreement_lock(name, ExclusiveLock);
		else
			return;
	}
}

/*
 * Executes a command on a table of the extension as the table's owner and
 * returns the number of rows processed.
 */
uint64
align_write_extension_table(const char *relname, const char *command, int nargs, Datum *values,
							const char *nulls)
{
	Oid			relid = align_extension_table(relname, false);
	Oid			types[AGREEMENT_COLUMNS];
	CallerRole	caller;
	uint64		result;

	Assert(nargs <= AGREEMENT_COLUMNS);
	for (int i = 0; i < nargs; i++)
		types[i] = get_atttype(relid, i + 1);

	align_spi_connect();
	align_work_as(align_relation_owner(relid), &caller);
	if (SPI_execute_with_args(command, nargs, types, values, nulls, false, 0) < 0)
		elog(ERROR, "SPI_execute_with_args failed: %s", command);
	result = SPI_processed;
	align_return_to(&caller);
	SPI_finish();
	return result;
}

/*
 * Raises unless the role exists.
 */
static void
CheckRole(Oid role)
{
	if (!SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(role)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("role with OID %u does not exist", role)));
}

/*
 * Sets *name to the name of a role; raises if the role does not exist.
 */
void
align_set_role_name(NameData *name, Oid role)
{
	namestrcpy(name, GetUserNameFromId(role, false));
}

/*
 * Compiles a funnel in the current memory context.
 */
Funnel *
align_compile_funnel(const TextValue *value)
{
	return align_funnel_compile(align_text_value_cstring(value), CurrentMemoryContext, NULL);
}

/*
 * Checks an argument that is the name of an agreement and returns a palloc'd
 * copy.
 */
char *
align_agreement_name_arg(FunctionCallInfo fcinfo, int argno)
{
	text	   *name = PG_ARGISNULL(argno) ? NULL : PG_GETARG_TEXT_PP(argno);

	if (name == NULL)
		return align_agreement_name(NULL, 0);	/* raises */
	return align_agreement_name(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
}

/*
 * Appends a version to the table and returns its number.
 */
int32
align_append_version(const Agreement *agreement, const TextValue *funnel, const text *document,
					 TimestampTz valid_from, const NameData *owner, const text *note)
{
	Datum		values[AGREEMENT_COLUMNS];
	char		nulls[AGREEMENT_COLUMNS + 1];
	NameData	agreed_by;
	int32		version = 1;

	if (agreement->nversions > 0)
		version = agreement->versions[agreement->nversions - 1].version + 1;
	namestrcpy(&agreed_by, GetUserNameFromId(GetUserId(), false));

	memset(nulls, ' ', AGREEMENT_COLUMNS);
	nulls[AGREEMENT_COLUMNS] = '\0';
	values[Anum_agreement_name - 1] = CStringGetTextDatum(agreement->name);
	values[Anum_agreement_version - 1] = Int32GetDatum(version);
	values[Anum_agreement_valid_from - 1] = TimestampTzGetDatum(valid_from);
	values[Anum_agreement_funnel - 1] = PointerGetDatum(funnel);
	values[Anum_agreement_document - 1] = PointerGetDatum(document);
	values[Anum_agreement_owner - 1] =
		align_role_name_datum(owner, get_atttype(align_extension_table("agreement", false),
												 Anum_agreement_owner));
	values[Anum_agreement_agreed_by - 1] = NameGetDatum(&agreed_by);
	values[Anum_agreement_note - 1] = PointerGetDatum(note);
	if (note == NULL)
		nulls[Anum_agreement_note - 1] = 'n';

	align_write_extension_table("agreement",
								"INSERT INTO align.agreement (name, version, valid_from, funnel, document, "
								"owner, agreed_by, note) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
								AGREEMENT_COLUMNS, values, nulls);
	return version;
}

/*
 * Returns the document of a version as it was written.
 */
static text *
ReadDocument(const char *name, int32 version)
{
	Relation	rel = table_open(align_extension_table("agreement", false), AccessShareLock);
	SysScanDesc scan;
	ScanKeyData keys[2];
	HeapTuple	tuple;
	Datum		document;
	bool		isnull;
	text	   *result;

	ScanKeyInit(&keys[0], Anum_agreement_name, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(name));
	ScanKeyInit(&keys[1], Anum_agreement_version, BTEqualStrategyNumber, F_INT4EQ,
				Int32GetDatum(version));
	scan = systable_beginscan(rel, get_relname_relid("agreement_pkey", RelationGetNamespace(rel)),
							  true, NULL, 2, keys);
	tuple = systable_getnext(scan);
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "could not find version %d of agreement \"%s\"", version, name);
	document = heap_getattr(tuple, Anum_agreement_document, RelationGetDescr(rel), &isnull);
	if (isnull)
		elog(ERROR, "null document in align.agreement");
	result = DatumGetTextPCopy(document);
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return result;
}

/*
 * set_agreement_owner(name, owner): appends a copy of the latest version with
 * a new owner.  The copy takes effect when that version does, but not before
 * now.
 */
Datum
align_set_agreement_owner(PG_FUNCTION_ARGS)
{
	char	   *name = align_agreement_name_arg(fcinfo, 0);
	Oid			new_owner;
	Agreement	agreement;
	AgreementVersion *latest;
	NameData	new_name;
	TimestampTz valid_from;
	char	   *note;

	align_require_argument(fcinfo, 1, "owner");
	new_owner = PG_GETARG_OID(1);
	CheckRole(new_owner);
	PreventCommandIfReadOnly("align.set_agreement_owner()");

	align_agreement_lock_own(name, false, &agreement);
	check_can_set_role(GetUserId(), new_owner);

	latest = &agreement.versions[agreement.nversions - 1];
	align_set_role_name(&new_name, new_owner);
	if (strcmp(NameStr(latest->owner), NameStr(new_name)) == 0)
		PG_RETURN_INT32(latest->version);
	note = psprintf("owner changed to %s", NameStr(new_name));
	valid_from = Max(latest->valid_from, GetCurrentTransactionStartTimestamp());
	PG_RETURN_INT32(align_append_version(&agreement, latest->funnel,
										 ReadDocument(name, latest->version), valid_from,
										 &new_name, cstring_to_text(note)));
}

/*
 * Raises unless the version in force or a later one has the team.
 */
static void
CheckTeam(const Agreement *agreement, const char *team)
{
	const AgreementVersion *in_force =
		align_agreement_at(agreement, GetCurrentTransactionStartTimestamp());
	StringInfoData teams;

	initStringInfo(&teams);
	for (int i = agreement->nversions - 1; i >= 0; i--)
	{
		const AgreementVersion *version = &agreement->versions[i];
		Funnel	   *funnel = align_compile_funnel(version->funnel);

		if (align_funnel_team(funnel, team, strlen(team)) >= 0)
			return;
		if (i == agreement->nversions - 1)
		{
			for (int j = 0; j < funnel->nteams; j++)
				appendStringInfo(&teams, "%s\"%s\"", j > 0 ? ", " : "", funnel->teams[j].name);
		}
		if (version == in_force)
			break;
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("agreement \"%s\" has no team \"%s\"", agreement->name, team),
			 teams.len > 0 ? errdetail("Its teams are %s.", teams.data) :
			 errdetail("It has no teams.")));
}

/*
 * assign_team(agreement, team, role): ties a team to a role, or to none if
 * role is null.
 */
Datum
align_assign_team(PG_FUNCTION_ARGS)
{
	char	   *name = align_agreement_name_arg(fcinfo, 0);
	char	   *team;
	Agreement	agreement;
	Datum		values[TEAM_COLUMNS];

	align_require_argument(fcinfo, 1, "team");
	team = text_to_cstring(PG_GETARG_TEXT_PP(1));
	if (!PG_ARGISNULL(2))
		CheckRole(PG_GETARG_OID(2));
	PreventCommandIfReadOnly("align.assign_team()");

	align_agreement_lock_own(name, false, &agreement);

	values[0] = CStringGetTextDatum(name);
	values[1] = CStringGetTextDatum(team);
	if (PG_ARGISNULL(2))
	{
		/* a team that was removed from the agreement can still be untied */
		if (align_write_extension_table("team",
										"DELETE FROM align.team WHERE agreement OPERATOR(pg_catalog.=) $1 "
										"AND team OPERATOR(pg_catalog.=) $2",
										2, values, NULL) == 0)
			CheckTeam(&agreement, team);
	}
	else
	{
		NameData	role;

		CheckTeam(&agreement, team);
		align_set_role_name(&role, PG_GETARG_OID(2));
		values[2] = align_role_name_datum(&role, get_atttype(align_extension_table("team", false),
															 TEAM_COLUMNS));
		align_write_extension_table("team",
									"INSERT INTO align.team (agreement, team, role) VALUES ($1, $2, $3) "
									"ON CONFLICT (agreement, team) DO UPDATE SET role = EXCLUDED.role",
									TEAM_COLUMNS, values, NULL);
	}
	PG_RETURN_VOID();
}

/*
 * Trigger on align.agreement: refuses changes of versions, and invalidates the
 * caches of all sessions when one is inserted.
 */
Datum
align_agreement_guard(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"align.agreement_guard\" was not called by trigger manager")));

	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
	{
		if (!TRIGGER_FIRED_AFTER(trigdata->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigdata->tg_event))
			ereport(ERROR,
					(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
					 errmsg("function \"align.agreement_guard\" must be fired AFTER INSERT FOR EACH ROW")));
		CacheInvalidateRelcache(trigdata->tg_relation);
		return PointerGetDatum(NULL);
	}

	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ?
			 errmsg("versions of an agreement cannot be changed") :
			 errmsg("versions of an agreement cannot be deleted"),
			 errdetail("Reports on past periods need the versions that were in force then."),
			 errhint("Agree on a new version with align.agree().")));
	return PointerGetDatum(NULL);	/* keep compiler quiet */
}
