/*
 * agree.c
 *	  align.agree(): a new version of an agreement, after everything that could
 *	  speak against it has been looked at.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "agreement/agreement.h"
#include "attach/new_version.h"
#include "funnel/funnel.h"
#include "judge/judge.h"
#include "time_text.h"

PG_FUNCTION_INFO_V1(align_agree_funnel);
PG_FUNCTION_INFO_V1(align_agree_text);

/*
 * What is agreed is never backdated: reports on the past stay what they were.
 */
static void
CheckValidFrom(TimestampTz valid_from)
{
	StringInfoData now;

	if (TIMESTAMP_NOT_FINITE(valid_from))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("valid_from must be finite")));
	if (valid_from >= GetCurrentTransactionStartTimestamp())
		return;
	initStringInfo(&now);
	align_write_time(&now, GetCurrentTransactionStartTimestamp());
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("an agreement cannot be backdated"),
			 errdetail("valid_from must not be before the start of the transaction, %s.",
					   now.data),
			 errhint("Leave out valid_from to agree from now on.")));
}

/*
 * The type takes hours in a time zone that this server does not know, so that
 * every dump can be restored; whoever signs them has mistyped it.
 */
static void
CheckZones(Funnel *funnel)
{
	(void) align_funnel_calendar(funnel, -1);
	for (int team = 0; team < funnel->nteams; team++)
		(void) align_funnel_calendar(funnel, team);
}

/*
 * A service level that can never be due from the start would make every lead fail that
 * enters the stage.  (A calendar may end later, too: then it is the change that starts
 * the clock that fails.)
 */
static void
CheckServiceLevels(Funnel *funnel, TimestampTz valid_from)
{
	for (int level = 0; level < funnel->nservice_levels; level++)
	{
		const ServiceLevel *sla = &funnel->service_levels[level];
		SlaClock	clock;
		ClockProblem problem;

		if (sla->promise.kind == DUE_NONE)
			continue;
		problem = align_clock_start(funnel, level, 1, valid_from, &clock);
		if (problem != CLOCK_NO_PROBLEM)
			ereport(ERROR,
					(errcode(align_clock_problem_sqlstate(problem)),
					 errmsg("service level \"%s\" can never be due: %s", sla->name,
							align_clock_problem_text(problem)),
					 errdetail("It would be in force from %s.", align_time_text(valid_from)),
					 problem == CLOCK_OUT_OF_RANGE ? 0 :
					 errhint("Give team \"%s\" working hours after that.",
							 funnel->teams[sla->team].name)));
	}
}

/*
 * Tables that are attached must be able to live with the new version.
 */
static void
CheckAttached(const Agreement *agreement, const Funnel *agreed)
{
	const AgreementVersion *in_force = align_agreement_at(agreement, GetCurrentTimestamp());

	align_agree_attached(agreement->name, in_force == NULL ? NULL : align_compile_funnel(in_force->funnel),
						 agreed, agreement->versions[agreement->nversions - 1].version + 1);
}

/*
 * Versions that were to take force later never will once a newer one that comes
 * no later is agreed.  Say so: it may not be meant.
 */
static void
NoticeSuperseded(const Agreement *agreement, TimestampTz valid_from)
{
	TimestampTz overtaken_from = DT_NOEND;
	TimestampTz now = GetCurrentTimestamp();

	for (int i = agreement->nversions - 1; i >= 0; i--)
	{
		const AgreementVersion *old = &agreement->versions[i];
		StringInfoData when;

		if (old->valid_from >= overtaken_from)
			continue;			/* a newer version had overtaken it already */
		overtaken_from = old->valid_from;
		/* by the clock: one agreed since our transaction began is in force */
		if (old->valid_from < valid_from || old->valid_from <= now)
			break;
		initStringInfo(&when);
		align_write_time(&when, old->valid_from);
		ereport(NOTICE,
				(errmsg("version %d of agreement \"%s\" will not take force",
						old->version, agreement->name),
				 errdetail("It was to do so at %s; the new version supersedes it.",
						   when.data)));
	}
}

static int32
Agree(FunctionCallInfo fcinfo, const TextValue *funnel, const text *document)
{
	char	   *name = align_agreement_name_arg(fcinfo, 0);
	TimestampTz valid_from;
	Funnel	   *agreed = align_compile_funnel(funnel);
	Agreement	agreement;
	NameData	owner;

	align_require_argument(fcinfo, 2, "valid_from");
	valid_from = PG_GETARG_TIMESTAMPTZ(2);
	CheckValidFrom(valid_from);
	CheckZones(agreed);
	CheckServiceLevels(agreed, valid_from);
	PreventCommandIfReadOnly("align.agree()");

	align_agreement_lock(name, ExclusiveLock);
	align_agreement_read(name, CurrentMemoryContext, &agreement);
	align_set_role_name(&owner, GetUserId());
	if (agreement.nversions > 0)
	{
		align_check_agreement_owner(&agreement);
		owner = agreement.versions[agreement.nversions - 1].owner;
		NoticeSuperseded(&agreement, valid_from);
		CheckAttached(&agreement, agreed);
	}
	return align_append_version(&agreement, funnel, document, valid_from, &owner,
								PG_ARGISNULL(3) ? NULL : PG_GETARG_TEXT_PP(3));
}

Datum
align_agree_funnel(PG_FUNCTION_ARGS)
{
	TextValue  *funnel;

	align_require_argument(fcinfo, 1, "agreement");
	funnel = align_text_value_arg(PG_GETARG_DATUM(1), "funnel");
	PG_RETURN_INT32(Agree(fcinfo, funnel,
						  cstring_to_text_with_len(funnel->text, TEXT_VALUE_LEN(funnel))));
}

/*
 * The document is kept as it was written, comments and all.
 */
Datum
align_agree_text(PG_FUNCTION_ARGS)
{
	text	   *document;

	align_require_argument(fcinfo, 1, "agreement");
	document = PG_GETARG_TEXT_PP(1);
	PG_RETURN_INT32(Agree(fcinfo, align_funnel_parse(text_to_cstring(document), NULL), document));
}
