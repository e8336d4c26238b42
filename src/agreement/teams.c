/*
 * teams.c
 *	  Who is acting: from align.team and the memberships of roles, cached.
 *
 * The question is asked of every row that moves, so the answer is kept per
 * agreement and user.  What it is made of may change in other sessions: a
 * trigger on align.team sends a relcache message, as one on align.agreement does
 * (see cache.c), and changes of roles and memberships come as syscache
 * messages.  Any of them makes all answers void.
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

/* Answers kept: security definer functions switch users to and fro. */
#define KEPT_ANSWERS 4

typedef struct KeptAnswer
{
	uint64		generation;		/* 0: none */
	Oid			user;
	Oid			outer_user;
	const Funnel *funnel;
	char		agreement[NAMEDATALEN];
	Acting		acting;
} KeptAnswer;

static KeptAnswer kept[KEPT_ANSWERS];
static int	next_kept = 0;
static uint64 generation = 1;
static Oid	team_table = InvalidOid;
static bool watching = false;

static void
InvalidateTeams(Datum arg, Oid relid)
{
	(void) arg;
	if (relid == team_table || relid == InvalidOid)
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

static void
Watch(void)
{
	if (watching)
		return;
	CacheRegisterRelcacheCallback(InvalidateTeams, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, InvalidateRoles, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHOID, InvalidateRoles, (Datum) 0);
	watching = true;
}

/*
 * Superusers are members of every role that exists.  A team whose role was dropped
 * has no members, rather than everybody.
 */
static TeamTie
TieOf(const KeptAnswer *answer, const NameData *role_name)
{
	Oid			role = get_role_oid(NameStr(*role_name), true);

	if (OidIsValid(role) &&
		(is_member_of_role(answer->user, role) || is_member_of_role(answer->outer_user, role)))
		return TEAM_MEMBER;
	return TEAM_OTHER;
}

static void
SetTie(KeptAnswer *answer, Datum team_datum, const NameData *role)
{
	text	   *name = DatumGetTextPP(team_datum);
	int			team = align_funnel_team(answer->funnel, VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
	TeamTie		tie;

	if (team < 0)
		return;
	tie = TieOf(answer, role);
	answer->acting.ties[team] = tie;
	answer->acting.roles[team] = *role;
	if (tie == TEAM_OTHER)
		answer->acting.any_other = true;
}

static void
ReadTies(KeptAnswer *answer)
{
	Relation	rel;
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	tuple;

	/* the column is COLLATE "C", as ScanKeyInit assumes */
	ScanKeyInit(&key, Anum_team_agreement, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(answer->agreement));
	rel = table_open(team_table, AccessShareLock);
	scan = systable_beginscan(rel, get_relname_relid("team_pkey", RelationGetNamespace(rel)),
							  true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool		team_null;
		bool		role_null;
		Datum		team = heap_getattr(tuple, Anum_team_team, RelationGetDescr(rel), &team_null);
		Datum		role = heap_getattr(tuple, Anum_team_role, RelationGetDescr(rel), &role_null);

		if (!team_null && !role_null)
		{
			NameData	role_name;

			align_read_role_name(role, TupleDescAttr(RelationGetDescr(rel), Anum_team_role - 1)->atttypid,
								 &role_name);
			SetTie(answer, team, &role_name);
		}
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
}

const Acting *
align_acting(const char *agreement, const Funnel *funnel)
{
	Oid			user = GetUserId();
	Oid			outer_user = GetOuterUserId();
	KeptAnswer *answer;
	uint64		generation_before;

	for (int i = 0; i < KEPT_ANSWERS; i++)
	{
		answer = &kept[i];
		if (answer->generation == generation && answer->funnel == funnel &&
			answer->user == user && answer->outer_user == outer_user &&
			strcmp(answer->agreement, agreement) == 0)
			return &answer->acting;
	}

	Watch();
	team_table = align_own_table("team");
	generation_before = generation;
	answer = &kept[next_kept];
	next_kept = (next_kept + 1) % KEPT_ANSWERS;
	memset(answer, 0, sizeof(KeptAnswer));
	answer->user = user;
	answer->outer_user = outer_user;
	answer->funnel = funnel;
	strlcpy(answer->agreement, agreement, NAMEDATALEN);
	ReadTies(answer);
	/* complete; void again already if a message came meanwhile */
	answer->generation = generation_before;
	return &answer->acting;
}

bool
align_may_move(const char *agreement, const Funnel *funnel, const Move *move)
{
	const Acting *acting = align_acting(agreement, funnel);

	if (!acting->any_other || move->from < 0 || move->to < 0)
		return true;
	if (funnel->stages[move->from].team < 0 && funnel->stages[move->to].team < 0)
		return true;
	for (int team = 0; team < funnel->nteams; team++)
	{
		if (acting->ties[team] != TEAM_OTHER && align_team_may_move(funnel, move, team))
			return true;
	}
	return false;
}

/*
 * Trigger on align.team: every session hears of changes.
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
