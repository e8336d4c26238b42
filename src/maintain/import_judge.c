/*
 * import_judge.c
 *	  Judges the entries of align.import_history().
 *
 * missing_need and wrong_team are not judged, as the contents of the row and
 * the acting role are not known.
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "agreement/agreement.h"
#include "judge/judge.h"
#include "maintain/import.h"

/*
 * Returns the version that judges rows from before the first version, and sets
 * *own to the version of a known entry.
 */
ImportVersion
align_import_version_before(const Attachment *attachment, const KnownEntry *known,
							ImportVersion *own)
{
	ImportVersion result = {attachment->marker.agreement, 0, NULL};
	const Agreement *agreement;

	own->agreement = known->agreement != NULL ? known->agreement : result.agreement;
	own->version = known->entry.version;
	own->funnel = own->version == 0 ? NULL :
		align_agreement_funnel(own->agreement, own->version);
	if (own->funnel != NULL && strcmp(own->agreement, result.agreement) == 0)
		return *own;
	agreement = align_agreement_lookup(result.agreement);
	if (agreement == NULL)
		align_agreement_unknown(result.agreement);
	result.version = agreement->versions[0].version;
	result.funnel = align_compiled_version(&agreement->versions[0]);
	return result;
}

/*
 * Returns the version that judges a row.
 */
ImportVersion
align_import_version_at(const ImportVersion *before, TimestampTz at)
{
	const Agreement *agreement = align_agreement_lookup(before->agreement);
	const AgreementVersion *version;
	ImportVersion result = *before;

	version = agreement == NULL ? NULL : align_agreement_at(agreement, at);
	if (version != NULL)
	{
		result.version = version->version;
		result.funnel = align_compiled_version(version);
	}
	return result;
}

static int
StageIndex(const Funnel *funnel, const char *label)
{
	return label == NULL ? -1 : align_funnel_stage(funnel, label, strlen(label));
}

/*
 * Returns the index of a stage that was recorded under a version or an earlier
 * one, which may have had another name for it.
 */
static int
RecordedStage(const ImportVersion *by, const char *recorded)
{
	StageSource source = {by->agreement, by->version};

	return align_carry_stage(&source, by->agreement, by->version, by->funnel, recorded);
}

/*
 * Returns the name that a version has for a recorded stage.
 */
const char *
align_import_from_stage(const ImportVersion *by, const char *recorded)
{
	int			stage = recorded == NULL || by->funnel == NULL ? -1 : RecordedStage(by, recorded);

	return stage < 0 ? recorded : by->funnel->stages[stage].name;
}

/*
 * True if a label stands for a stage that was recorded so.
 */
bool
align_import_same_stage(const ImportVersion *by, const char *label, const char *recorded)
{
	int			stage;

	if (strcmp(label, recorded) == 0)
		return true;
	stage = StageIndex(by->funnel, label);
	return stage >= 0 && stage == RecordedStage(by, recorded);
}

/*
 * True if a known entry breaks a rule that depends on the row or the role.
 */
static bool
BrokeBefore(const KnownEntry *known, Rule rule)
{
	const char *name = align_rule_name(rule);

	return (rule == RULE_MISSING_NEED || rule == RULE_WRONG_TEAM) &&
		known != NULL && known->entry.violation != NULL &&
		strstr(known->entry.violation, name) != NULL;
}

/*
 * Sets violation and handoff of an entry whose stages and reason are set.  For
 * a recorded entry, what it broke that can no longer be judged remains.
 */
void
align_import_judge(HistoryEntry *entry, const KnownEntry *recorded, const Funnel *funnel)
{
	StringInfoData names;
	Move		move = {0};
	Rule		broken[MOVE_MAX_BROKEN];
	int			nbroken = 1;
	int			next = 0;

	move.from_label = align_lead_cstring(entry->from_stage);
	move.to_label = align_lead_cstring(entry->stage);
	move.reason = align_lead_cstring(entry->reason);
	move.from = StageIndex(funnel, entry->from_stage);
	move.to = StageIndex(funnel, entry->stage);
	if (entry->stage == NULL)
		broken[0] = RULE_LEFT_FUNNEL;
	else
		nbroken = align_judge_move(funnel, &move, broken);

	initStringInfo(&names);
	for (Rule rule = RULE_UNKNOWN_STAGE; rule <= RULE_LEFT_FUNNEL; rule++)
	{
		if (next < nbroken && broken[next] == rule)
			next++;
		else if (!BrokeBefore(recorded, rule))
			continue;
		appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", align_rule_name(rule));
	}
	entry->violation = names.len > 0 ? names.data : NULL;

	entry->handoff = NULL;
	for (int i = 0; i < funnel->nservice_levels && move.to >= 0; i++)
	{
		const ServiceLevel *sla = &funnel->service_levels[i];

		if (!sla->is_handoff || !(sla->effects[move.to] & EFFECT_START))
			continue;
		entry->handoff = sla->name;
		break;
	}
}
