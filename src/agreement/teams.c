/*
 * teams.c
 *	  The teams of the current user, from align.team and role memberships.
 *
 * They are needed for every row that moves, so they are cached by agreement
 * and user.  All of the cache is invalidated when align.team changes (a
 * trigger sends a relcache message, as for align.agreement; see cache.c) or
 * when roles or memberships change (syscache messages).
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "agreement/teams.h"
#include "agreement/agreement.h"

PG_FUNCTION_INFO_V1(align_team_announce);

/* Columns of align.team. */
#define Anum_team_agreement 1
#define Anum_team_team 2
#define Anum_team_role 3

/*
 * More than one, because security definer functions change the current user.
 */
#define TEAM_CACHE_SIZE 4

typedef struct CachedTeams
{
	uint64		generation;		/* 0 if unused or incomplete */
	Oid			user;
	Oid			outer_user;		/* outside any security definer function */
	const Funnel *funnel;
	char		agreement[NAMEDATALEN];
	UserTeams	teams;
} CachedTeams;

static CachedTeams cache[TEAM_CACHE_SIZE];
static int	next_cached = 0;	/* the element to replace next */
static uint64 generation = 1;	/* advanced by invalidation messages */
static Oid	team_table = InvalidOid;
static bool callbacks_registered = false;

/*
 * Relcache callback.
 */
static void
InvalidateTeams(Datum arg, Oid relid)
{
	(void) arg;
	if (relid == team_table || relid == InvalidOid)
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
 * Registers the callbacks, once per backend.
 */
static void
RegisterCallbacks(void)
{
	if (callbacks_registered)
		return;
	CacheRegisterRelcacheCallback(InvalidateTeams, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, InvalidateRoles, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHOID, InvalidateRoles, (Datum) 0);
	callbacks_registered = true;
}

/*
 * Returns the membership in a team that is tied to a role.  Superusers are
 * members of every role that exists.  If the role was dropped, the team has no
 * members, rather than being open to every user.
 */
static TeamMembership
Membership(const CachedTeams *cached, const NameData *role_name)
{
	Oid			role = get_role_oid(NameStr(*role_name), true);

	if (OidIsValid(role) &&
		(is_member_of_role(cached->user, role) || is_member_of_role(cached->outer_user, role)))
		return TEAM_MEMBER;
	return TEAM_NOT_MEMBER;
}

/*
 * Sets role and membership of a team, unless the funnel does not know it.
 */
static void
SetTeam(CachedTeams *cached, Datum team_datum, const NameData *role)
{
	text	   *name = DatumGetTextPP(team_datum);
	int			team = align_funnel_team(cached->funnel, VARDATA_ANY(name),
										 VARSIZE_ANY_EXHDR(name));
	TeamMembership membership;

	if (team < 0)
		return;
	membership = Membership(cached, role);
	cached->teams.membership[team] = membership;
	cached->teams.roles[team] = *role;
	if (membership == TEAM_NOT_MEMBER)
		cached->teams.any_not_member = true;
}

/*
 * Reads the teams of the agreement from align.team.
 */
static void
ReadTeams(CachedTeams *cached)
{
	Relation	rel;
	TupleDesc	desc;
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	tuple;

	/* the column is COLLATE "C", as ScanKeyInit assumes */
	ScanKeyInit(&key, Anum_team_agreement, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(cached->agreement));
	rel = table_open(team_table, AccessShareLock);
	desc = RelationGetDescr(rel);
	scan = systable_beginscan(rel, get_relname_relid("team_pkey", RelationGetNamespace(rel)),
							  true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool		team_null;
		bool		role_null;
		Datum		team = heap_getattr(tuple, Anum_team_team, desc, &team_null);
		Datum		role = heap_getattr(tuple, Anum_team_role, desc, &role_null);

		if (!team_null && !role_null)
		{
			NameData	role_name;

			align_read_role_name(role, TupleDescAttr(desc, Anum_team_role - 1)->atttypid,
								 &role_name);
			SetTeam(cached, team, &role_name);
		}
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
}

/*
 * Returns the teams of the current user, from the cache.
 */
const UserTeams *
align_user_teams(const char *agreement, const Funnel *funnel)
{
	Oid			user = GetUserId();
	Oid			outer_user = GetOuterUserId();
	CachedTeams *cached;
	uint64		generation_before;

	for (int i = 0; i < TEAM_CACHE_SIZE; i++)
	{
		cached = &cache[i];
		if (cached->generation == generation && cached->funnel == funnel &&
			cached->user == user && cached->outer_user == outer_user &&
			strcmp(cached->agreement, agreement) == 0)
			return &cached->teams;
	}

	RegisterCallbacks();
	team_table = align_extension_table("team", false);
	generation_before = generation;
	cached = &cache[next_cached];
	next_cached = (next_cached + 1) % TEAM_CACHE_SIZE;
	memset(cached, 0, sizeof(CachedTeams));
	cached->user = user;
	cached->outer_user = outer_user;
	cached->funnel = funnel;
	strlcpy(cached->agreement, agreement, NAMEDATALEN);
	ReadTeams(cached);
	/* complete, but already invalid if a message arrived meanwhile */
	cached->generation = generation_before;
	return &cached->teams;
}

/*
 * Returns true if the current user can act for a team that may make the move,
 * or if the move is not restricted to teams.
 */
bool
align_may_move(const char *agreement, const Funnel *funnel, const Move *move)
{
	const UserTeams *teams = align_user_teams(agreement, funnel);

	if (!teams->any_not_member || move->from < 0 || move->to < 0)
		return true;
	if (funnel->stages[move->from].team < 0 && funnel->stages[move->to].team < 0)
		return true;
	for (int team = 0; team < funnel->nteams; team++)
	{
		if (teams->membership[team] != TEAM_NOT_MEMBER && align_team_may_move(funnel, move, team))
			return true;
	}
	return false;
}

/*
 * Trigger on align.team and align.admission: invalidates the caches of all
 * sessions.
 */
Datum
align_team_announce(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"align.team_announce\" was not called by trigger manager")));
	if (!TRIGGER_FIRED_AFTER(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"align.team_announce\" must be fired AFTER a change")));
	CacheInvalidateRelcache(trigdata->tg_relation);
	return PointerGetDatum(NULL);
}
