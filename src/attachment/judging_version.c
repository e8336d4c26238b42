/*
 * judging_version.c
 *	  Which version of its agreement judges the rows of an attached table; see
 *	  judging_version.h.
 */
#include "postgres.h"

#include "access/table.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "agreement/admission.h"
#include "agreement/agreement.h"
#include "attachment/judging_version.h"
#include "condition/needs.h"

/*
 * Cached with an attachment.
 */
typedef struct JudgingVersion
{
	uint64		admission_generation;	/* when admission was read; 0: not
										 * valid */
	Admission	admission;
	uint64		agreement_generation;	/* when fitting was determined; 0: not
										 * valid */
	int32		in_force;		/* version in force at that time */
	int32		fitting;		/* last version that fits; only for owners
								 * that are not admitted */
} JudgingVersion;

/*
 * The cached data of an attachment, with a current admission.
 */
static JudgingVersion *
GetJudgingVersion(Attachment *attachment)
{
	JudgingVersion *judging = attachment->judging;
	uint64		generation = align_admission_generation();

	if (likely(judging != NULL && judging->admission_generation == generation))
		return judging;
	if (judging == NULL)
		judging = attachment->judging =
			MemoryContextAllocZero(attachment->context, sizeof(JudgingVersion));
	judging->admission_generation = 0;
	judging->agreement_generation = 0;
	align_read_admission(attachment->marker.agreement, attachment->root_owner,
						 &judging->admission);
	judging->admission_generation = generation;
	return judging;
}

/*
 * True if the earlier funnel has a label that the later one does not have.
 */
bool
align_drops_labels(const Funnel *earlier, const Funnel *later)
{
	for (int i = 0; i < earlier->nlabels; i++)
	{
		if (align_funnel_stage(later, earlier->labels[i].text, earlier->labels[i].len) < 0)
			return true;
	}
	return false;
}

/*
 * True if a version fits the table.  before is the last fitting version before
 * it.
 */
static bool
VersionFits(Relation rel, const char *agreement, int32 version, const Funnel *before,
			const Funnel *funnel)
{
	RowNeeds   *needs;
	bool		fits;

	if (align_drops_labels(before, funnel))
		return false;
	needs = align_needs_compile(rel, funnel, agreement, version, false, CurrentMemoryContext);
	fits = align_needs_all_compiled(needs);
	align_needs_free(needs);
	return fits;
}

/*
 * The last version that fits a table whose owner is not admitted, among those
 * whose valid_from has come.  The version numbers are copied first, because
 * compiling may rebuild the cached agreement.
 */
static int32
FindFittingVersion(const Attachment *attachment, const Agreement *agreement, int32 dismissed_after,
				   TimestampTz now)
{
	const char *name = attachment->marker.agreement;
	Relation	rel = table_open(attachment->relid, AccessShareLock);
	int			nversions = 0;
	int32	   *versions = palloc(agreement->nversions * sizeof(int32));
	int32		fitting = agreement->versions[0].version;

	for (int i = 0; i < agreement->nversions; i++)
	{
		const AgreementVersion *version = &agreement->versions[i];

		if (version->valid_from > now)
			continue;
		if (version->version <= dismissed_after)
			fitting = version->version;
		else
			versions[nversions++] = version->version;
	}
	for (int i = 0; i < nversions; i++)
	{
		if (VersionFits(rel, name, versions[i], align_agreement_funnel(name, fitting),
						align_agreement_funnel(name, versions[i])))
			fitting = versions[i];
	}
	pfree(versions);
	table_close(rel, NoLock);
	return fitting;
}

/*
 * The funnel that judges rows of the table now, and its version.
 */
Funnel *
align_judging_funnel(Attachment *attachment, int32 *version)
{
	const char *name = attachment->marker.agreement;
	JudgingVersion *judging = GetJudgingVersion(attachment);
	TimestampTz now = GetCurrentTimestamp();
	const Agreement *agreement = align_agreement_lookup(name);
	const AgreementVersion *in_force;

	if (agreement == NULL)
		align_agreement_unknown(name);
	in_force = align_agreement_at(agreement, now);
	if (in_force == NULL)
		in_force = &agreement->versions[0];
	if (likely(judging->admission.admitted))
	{
		*version = in_force->version;
		return align_compiled_version(in_force);
	}

	if (judging->agreement_generation != agreement->generation ||
		judging->in_force != in_force->version)
	{
		uint64		generation = agreement->generation;

		judging->in_force = in_force->version;
		judging->fitting = FindFittingVersion(attachment, agreement,
											  judging->admission.dismissed_after, now);
		judging->agreement_generation = generation;
	}
	*version = judging->fitting;
	return align_agreement_funnel(name, judging->fitting);
}
