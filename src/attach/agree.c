/*
 * agree.c
 *	  align.agree(): checks a new version of an agreement, and appends it.
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
 * A version cannot be backdated, so that reports on the past do not change.
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
 * Raises an error for an unknown time zone.  The type funnel accepts it, so
 * that every dump can be restored, but in a new version it is a mistake.
 */
static void
CheckZones(Funnel *funnel)
{
	(void) align_funnel_calendar(funnel, -1);
	for (int team = 0; team < funnel->nteams; team++)
		(void) align_funnel_calendar(funnel, team);
}

/*
 * Raises an error if the clock of a service level cannot be started at the
 * time when the version comes into force, for example because its calendar
 * never opens again.  Every change that starts the clock would fail.  (If the
 * calendar ends later, changes fail from then on.)  A promise to a segment is
 * checked like the common one.
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
		problem = align_clock_start(funnel, level, 1, valid_from, 0, &clock);
		for (int i = 0; problem == CLOCK_NO_PROBLEM && i < sla->nsegment_promises; i++)
			problem = align_clock_start(funnel, level, 1, valid_from,
										SEGMENT_BIT(sla->segment_promises[i].segment), &clock);
		if (problem != CLOCK_NO_PROBLEM)
			ereport(ERROR,
					(errcode(align_clock_problem_sqlstate(problem)),
					 errmsg("service level \"%s\" can never be due: %s", sla->name,
							align_clock_problem_text(problem)),
					 errdetail("The version would be in force from %s.", align_time_text(valid_from)),
					 problem == CLOCK_OUT_OF_RANGE ? 0 :
					 errhint("Give team \"%s\" working hours after that time.",
							 funnel->teams[sla->team].name)));
	}
}

/*
 * Checks the new version against the attached tables.
 */
static void
CheckAttached(const Agreement *agreement, const Funnel *agreed)
{
	const AgreementVersion *in_force = align_agreement_at(agreement, GetCurrentTimestamp());

	align_check_new_version(agreement->name,
							in_force == NULL ? NULL : align_compile_funnel(in_force->funnel),
							agreed, agreement->versions[agreement->nversions - 1].version + 1);
}

/*
 * NOTICE for each version that was to come into force later and now never
 * will, since the new version supersedes it.  This may not be intended.
 */
static void
ReportSuperseded(const Agreement *agreement, TimestampTz valid_from)
{
	TimestampTz overtaken_from = DT_NOEND;
	TimestampTz now = GetCurrentTimestamp();

	for (int i = agreement->nversions - 1; i >= 0; i--)
	{
		const AgreementVersion *old = &agreement->versions[i];
		StringInfoData when;

		if (old->valid_from >= overtaken_from)
			continue;			/* superseded before */
		overtaken_from = old->valid_from;

		/*
		 * Compare with the clock, not with the start of the transaction: a
		 * version agreed since then is in force.
		 */
		if (old->valid_from < valid_from || old->valid_from <= now)
			break;
		initStringInfo(&when);
		align_write_time(&when, old->valid_from);
		ereport(NOTICE,
				(errmsg("version %d of agreement \"%s\" will not take effect",
						old->version, agreement->name),
				 errdetail("It would have taken effect at %s, but the new version supersedes it.",
						   when.data)));
	}
}

/*
 * Checks a new version and appends it; returns its number.
 */
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

	align_agreement_lock_own(name, true, &agreement);
	align_set_role_name(&owner, GetUserId());
	if (agreement.nversions > 0)
	{
		owner = agreement.versions[agreement.nversions - 1].owner;
		ReportSuperseded(&agreement, valid_from);
		CheckAttached(&agreement, agreed);
	}
	return align_append_version(&agreement, funnel, document, valid_from, &owner,
								PG_ARGISNULL(3) ? NULL : PG_GETARG_TEXT_PP(3));
}

/*
 * agree(name text, agreement funnel, valid_from timestamptz, note text)
 * returns int
 */
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
 * agree(name text, agreement text, valid_from timestamptz, note text)
 * returns int
 *
 * The document is stored as written, including comments.
 */
Datum
align_agree_text(PG_FUNCTION_ARGS)
{
	text	   *document;

	align_require_argument(fcinfo, 1, "agreement");
	document = PG_GETARG_TEXT_PP(1);
	PG_RETURN_INT32(Agree(fcinfo, align_funnel_parse(text_to_cstring(document), NULL), document));
}
