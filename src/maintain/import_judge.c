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
 * Returns the version of a known entry, and sets *funnel to its funnel, NULL
 * if it does not exist.  Instead of one that does not exist or belongs to
 * another agreement, the first one of the attachment's agreement is returned.
 */
ImportVersion
align_import_version_of(const Attachment *attachment, const KnownEntry *known, Funnel **funnel)
{
	ImportVersion result = {attachment->marker.agreement, known->entry.version, NULL};
	const char *agreement_of_entry = known->agreement ? known->agreement : result.agreement;

	*funnel = known->entry.version == 0 ? NULL :
		align_agreement_funnel(agreement_of_entry, known->entry.version);
	if (strcmp(agreement_of_entry, result.agreement) == 0)
		result.funnel = *funnel;
	if (result.funnel == NULL)
	{
		const Agreement *agreement = align_agreement_lookup(result.agreement);

		if (agreement == NULL)
			align_agreement_unknown(result.agreement);
		result.version = agreement->versions[0].version;
		result.funnel = align_compiled_version(&agreement->versions[0]);
	}
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
 * True if two labels, which are not NULL, stand for one stage.
 */
bool
align_import_same_stage(const Funnel *funnel, const char *a, const char *b)
{
	int			stage;

	if (strcmp(a, b) == 0)
		return true;
	stage = StageIndex(funnel, a);
	return stage >= 0 && stage == StageIndex(funnel, b);
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
