/*
 * attach.c
 *	  align.attach(): its arguments, and the order of its steps.
 *
 * attach() first locks the agreement in SHARE mode, so that no version is
 * agreed meanwhile.  Then it locks the table in SHARE ROW EXCLUSIVE
 * mode, which blocks writers, but not readers, until the transaction ends.
 * Everything that affects its decisions is read after that.  Ownership of the
 * table and admission are checked before, too: a role that may not attach the
 * table must not hold the lock on the agreement while it waits for the table.
 *
 * It works as the owner of the table, in a security-restricted operation (see
 * as_role.h).  The caller may be a superuser, and triggers of the owner on
 * existing record tables must not gain the caller's rights.
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/pg_class.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "agreement/admission.h"
#include "agreement/agreement.h"
#include "attach/request.h"
#include "calendar/calendar.h"
#include "catalog/as_role.h"
#include "catalog/relation.h"
#include "catalog/trigger.h"
#include "condition/needs.h"
#include "record/commit.h"
#include "record/flush.h"

PG_FUNCTION_INFO_V1(align_attach);

enum AttachArgument
{
	ARG_RELATION,
	ARG_AGREEMENT,
	ARG_STAGE,
	ARG_KEY,
	ARG_TEAM,					/* and the roles after it, in the order of
								 * RowRole */
	ARG_HISTORY = ARG_TEAM + ROW_CHANGED_AT,
	ARG_MODE,
	ARG_LIVE,
	ARG_NOTIFY,
	/* since 0.4; the library may still be used with the SQL of 0.3 */
	NARGS_UNTIL_0_3,
	ARG_OPENED_AT = NARGS_UNTIL_0_3,
	ARG_TIME_ZONE,
	ARG_RULES,
	ARG_RELOAD,
	ARG_REASON_MUST_CHANGE,
	ARG_REPLACE,
	ARG_STAGE_LABELS,
	ARG_TEAM_LABELS,
	ARG_ASSIGNEE_LABELS,
	ARG_REASON_LABELS,
	ARG_CAMPAIGN_LABELS
};

static AttachMode
ModeArgument(FunctionCallInfo fcinfo)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(ARG_MODE));
	int			mode = align_attach_mode(name);

	if (mode < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown mode \"%s\"", name),
				 errhint("Valid modes are \"enforce\" (violations are refused), \"warn\" (violations are recorded, with a warning) and \"observe\" (violations are recorded).")));
	return (AttachMode) mode;
}

/*
 * Until 0.3 a table could have one attachment only, and another one replaced
 * it.
 */
static bool
ReplaceArgument(FunctionCallInfo fcinfo)
{
	if (PG_NARGS() == NARGS_UNTIL_0_3)
		return true;
	align_require_argument(fcinfo, ARG_REPLACE, "replace");
	return PG_GETARG_BOOL(ARG_REPLACE);
}

static char *
AgreementArgument(FunctionCallInfo fcinfo)
{
	text	   *name = PG_GETARG_TEXT_PP(ARG_AGREEMENT);

	return align_agreement_name(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
}

/*
 * The argument time_zone in its canonical form, "" if it is null.
 */
static const char *
TimeZoneArgument(FunctionCallInfo fcinfo)
{
	char	   *name;
	const char *canonical;

	if (PG_ARGISNULL(ARG_TIME_ZONE))
		return "";
	name = text_to_cstring(PG_GETARG_TEXT_PP(ARG_TIME_ZONE));
	canonical = align_time_zone_name(name);
	if (canonical == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" does not exist", name),
				 errdetail("It must be a name in the IANA time zone database."),
				 errhint("Use a name such as \"UTC\" or \"Europe/London\"; the view pg_timezone_names lists them.")));
	return canonical;
}

/*
 * The argument of a column role, or NULL.  Until 0.3 it was of type name.
 */
static char *
RoleArgument(FunctionCallInfo fcinfo, RowRole role)
{
	int			argno = role == ROW_STAGE ? ARG_STAGE :
		role == ROW_OPENED_AT ? ARG_OPENED_AT : ARG_TEAM + role - ROW_TEAM;

	if (argno >= PG_NARGS() || PG_ARGISNULL(argno))
		return NULL;
	return PG_NARGS() == NARGS_UNTIL_0_3 ? pstrdup(NameStr(*PG_GETARG_NAME(argno))) :
		text_to_cstring(PG_GETARG_TEXT_PP(argno));
}

/*
 * The options of the attachment.
 */
static void
ReadOptions(AttachOptions *options, FunctionCallInfo fcinfo)
{
	align_attach_options_init(options);
	align_require_argument(fcinfo, ARG_NOTIFY, "notify");
	options->notify = PG_GETARG_BOOL(ARG_NOTIFY);
	if (PG_NARGS() == NARGS_UNTIL_0_3)
		return;
	align_require_argument(fcinfo, ARG_RELOAD, "reload");
	align_require_argument(fcinfo, ARG_REASON_MUST_CHANGE, "reason_must_change");
	options->reload = PG_GETARG_BOOL(ARG_RELOAD);
	options->reason_must_change = PG_GETARG_BOOL(ARG_REASON_MUST_CHANGE);
	strlcpy(options->time_zone, TimeZoneArgument(fcinfo), sizeof(options->time_zone));
	if (!PG_ARGISNULL(ARG_RULES))
		align_attach_set_rules(options, PG_GETARG_JSONB_P(ARG_RULES));
}

/*
 * Finds the tables of look-ups, by the names that the caller sees.
 */
static void
FindLookups(AttachRequest *request, FunctionCallInfo fcinfo)
{
	static const struct
	{
		int			argno;
		RowRole		role;
		const char *name;
	}			lookups[] =
	{
		{ARG_STAGE_LABELS, ROW_STAGE, "stage_labels"},
		{ARG_TEAM_LABELS, ROW_TEAM, "team_labels"},
		{ARG_ASSIGNEE_LABELS, ROW_ASSIGNEE, "assignee_labels"},
		{ARG_REASON_LABELS, ROW_REASON, "reason_labels"},
		{ARG_CAMPAIGN_LABELS, ROW_CAMPAIGN, "campaign_labels"}
	};

	for (int i = 0; i < (int) lengthof(lookups) && PG_NARGS() > NARGS_UNTIL_0_3; i++)
	{
		if (!PG_ARGISNULL(lookups[i].argno))
			align_attach_find_lookup(request, lookups[i].role, lookups[i].name,
									 text_to_cstring(PG_GETARG_TEXT_PP(lookups[i].argno)));
	}
}

/*
 * Checks that the table satisfies the needs of the version in force and of
 * every later version that will come into force.
 */
static void
CheckNeeds(const AttachRequest *request, Relation rel)
{
	const Agreement *agreement = align_agreement_lookup(request->agreement);
	int			nversions = agreement->nversions;
	int32	   *versions = palloc(nversions * sizeof(int32));
	int			n = 0;
	TimestampTz overtaken_from = DT_NOEND;

	/*
	 * Going back from the latest version, a version comes into force only if
	 * its valid_from is before that of every later one.
	 */
	for (int i = nversions - 1; i >= 0; i--)
	{
		const AgreementVersion *version = &agreement->versions[i];

		if (version->version < request->version)
			break;
		if (version->valid_from < overtaken_from)
		{
			versions[n++] = version->version;
			overtaken_from = version->valid_from;
		}
	}

	/* compiling may remove "agreement" from the cache, so use it no longer */
	while (n-- > 0)
		align_needs_free(align_needs_compile(rel,
											 align_agreement_funnel(request->agreement, versions[n]),
											 request->agreement, versions[n], true,
											 CurrentMemoryContext));
	pfree(versions);
}

/*
 * Recognizes opened_at => 'now', unless there is a column of that name.
 */
static void
SetOpenedNow(AttachRequest *request, char **names)
{
	if (names[ROW_OPENED_AT] == NULL || strcmp(names[ROW_OPENED_AT], "now") != 0 ||
		get_attnum(request->relid, "now") != InvalidAttrNumber)
		return;
	request->options.opened_now = true;
	names[ROW_OPENED_AT] = NULL;
}

/*
 * Checks the table, the agreement and the remaining arguments, and fills in
 * the request.
 */
static void
CheckRequest(AttachRequest *request, FunctionCallInfo fcinfo)
{
	Relation	rel = relation_open(request->relid, NoLock);
	char	   *roles[ROW_NROLES];

	request->funnel = align_agreement_funnel_at(request->agreement, GetCurrentTimestamp(),
												&request->version);
	align_attach_check_table(rel, request->partitions);
	request->owner = rel->rd_rel->relowner;
	align_check_admitted(request->agreement, request->owner);
	request->partitioned = rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE;
	for (int role = 0; role < ROW_NROLES; role++)
		roles[role] = RoleArgument(fcinfo, (RowRole) role);
	SetOpenedNow(request, roles);
	align_attach_set_roles(request, rel, roles);
	if (PG_NARGS() > NARGS_UNTIL_0_3)
		align_attach_check_times(request, rel);
	align_attach_set_key(request, rel,
						 PG_ARGISNULL(ARG_KEY) ? NULL : PG_GETARG_ARRAYTYPE_P(ARG_KEY));
	if (!PG_ARGISNULL(ARG_LIVE))
		request->live = align_condition_parse(rel, text_to_cstring(PG_GETARG_TEXT_PP(ARG_LIVE)),
											  "live");
	align_attach_check_lookups(request);
	CheckNeeds(request, rel);
	align_attach_check_reasons(request);
	relation_close(rel, NoLock);
}

/*
 * Locks the agreement, if the current user may attach the table to it.
 */
static void
LockAgreement(const AttachRequest *request)
{
	int32		version;

	align_check_relation_exists(request->relid);
	align_check_table_owner(request->relid);
	/* raise the error for an agreement that is not in force first */
	(void) align_agreement_funnel_at(request->agreement, GetCurrentTimestamp(), &version);
	align_check_admitted(request->agreement, align_relation_owner(request->relid));
	if (!align_agreement_lock(request->agreement, ShareLock))
		align_agreement_unknown(request->agreement);
}

/*
 * attach(relation regclass, agreement text, ...) returns bigint
 *
 * The result is the number of openings and moves that were recorded.
 */
Datum
align_attach(PG_FUNCTION_ARGS)
{
	AttachRequest *request = palloc0(sizeof(AttachRequest));
	RestrictedCaller caller;
	int64		nopenings;

	align_require_argument(fcinfo, ARG_RELATION, "relation");
	align_require_argument(fcinfo, ARG_AGREEMENT, "agreement");
	align_require_argument(fcinfo, ARG_STAGE, "stage");
	align_require_argument(fcinfo, ARG_MODE, "mode");
	request->relid = PG_GETARG_OID(ARG_RELATION);
	request->agreement = AgreementArgument(fcinfo);
	request->mode = ModeArgument(fcinfo);
	request->replace = ReplaceArgument(fcinfo);
	ReadOptions(&request->options, fcinfo);
	PreventCommandIfReadOnly("align.attach()");

	LockAgreement(request);
	align_lock_own_table(request->relid, ShareRowExclusiveLock);
	request->partitions = align_lock_partitions(request->relid, ShareRowExclusiveLock);
	/* pending changes are written to the history that the old marker names */
	align_recorder_flush_all();
	align_recorder_finish_reload(request->relid);

	request->caller = GetUserId();
	FindLookups(request, fcinfo);
	align_begin_restricted(&caller, align_relation_owner(request->relid));
	align_spi_connect();
	CheckRequest(request, fcinfo);
	align_attach_name_tables(request,
							 PG_ARGISNULL(ARG_HISTORY) ? NULL : PG_GETARG_TEXT_PP(ARG_HISTORY));
	align_attach_make_tables(request);
	align_attach_make_labels(request);

	/*
	 * Existing tables need their indexes for comparing them with the rows.
	 * New ones are filled first.
	 */
	if (!request->fresh)
		align_attach_make_indexes(request);
	align_attach_make_triggers(request);
	nopenings = align_record_existing_rows(request);
	if (request->fresh)
		align_attach_make_indexes(request);
	align_attach_warn_trigger_privilege(request);
	SPI_finish();
	align_end_restricted(&caller);
	PG_RETURN_INT64(nopenings);
}
