/*
 * check_stages.c
 *	  Reports stages that leads were in and the agreement has forgotten.
 *
 * A version of the agreement forgets a stage of an earlier one if it has
 * neither a stage nor a label of its name, nor of a name that the versions
 * between had for it (carry.c).  Reports then find these leads in an unknown
 * stage.  A stage that was unknown to the version of its entry has never been
 * a stage, so it is not forgotten; neither is one of another agreement, which
 * the table was attached to before.
 *
 * Entries are looked at while their lead is checked.  Whether a version's
 * stage is forgotten is determined once.
 */
#include "postgres.h"

#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "report/check.h"
#include "text_scan.h"

/* A stage that is forgotten, by the name that was recorded. */
typedef struct ForgottenStage
{
	char	   *name;
	int64		nleads;
	int64		nentries;
	int64		last_lead;		/* the latest lead that is in nleads */
	struct ForgottenStage *next;
} ForgottenStage;

/* A stage of an earlier version. */
typedef struct VersionStage
{
	int32		version;		/* hash key */
	int32		stage;			/* likewise */
	ForgottenStage *forgotten;	/* NULL: it is not */
} VersionStage;

struct CheckedStages
{
	MemoryContext context;
	HTAB	   *stages;			/* of VersionStage */
	ForgottenStage *forgotten;	/* list in the order of their names */
	int64		lead;			/* number of the current lead */
};

/*
 * Returns the stages of earlier versions, none so far, in the current memory
 * context.
 */
CheckedStages *
align_check_stages_begin(void)
{
	CheckedStages *checked = palloc0(sizeof(CheckedStages));
	HASHCTL		control = {0};

	checked->context = CurrentMemoryContext;
	control.keysize = offsetof(VersionStage, forgotten);
	control.entrysize = sizeof(VersionStage);
	control.hcxt = checked->context;
	checked->stages = hash_create("align check: stages of versions", 32, &control,
								  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	return checked;
}

/*
 * Returns the forgotten stage of a name, which is added if it is new.
 */
static ForgottenStage *
ForgottenByName(CheckedStages *checked, const char *name)
{
	ForgottenStage **place = &checked->forgotten;
	ForgottenStage *result;

	while (*place != NULL && strcmp((*place)->name, name) < 0)
		place = &(*place)->next;
	if (*place != NULL && strcmp((*place)->name, name) == 0)
		return *place;
	result = MemoryContextAllocZero(checked->context, sizeof(ForgottenStage));
	result->name = MemoryContextStrdup(checked->context, name);
	result->next = *place;
	*place = result;
	return result;
}

/*
 * Returns the forgotten stage that an entry names; NULL if the agreement knows
 * it, or the version of the entry did not know it.
 */
static ForgottenStage *
ForgottenStageOf(Check *check, const RecordedEntry *entry)
{
	const char *agreement = check->attachment->marker.agreement;
	StageSource source = {agreement, entry->version};
	VersionStage key = {.version = entry->version};
	VersionStage *stage;
	const Funnel *funnel;
	bool		found;

	if (entry->stage == NULL || entry->not_live || entry->version >= check->version ||
		(entry->agreement != NULL && strcmp(entry->agreement, agreement) != 0))
		return NULL;
	funnel = align_check_funnel(check, entry);
	if (funnel == NULL)
		return NULL;
	key.stage = align_funnel_stage(funnel, entry->stage, strlen(entry->stage));
	if (key.stage < 0)
		return NULL;
	stage = hash_search(check->stages->stages, &key, HASH_ENTER, &found);
	if (!found)
	{
		stage->forgotten = NULL;
		if (align_carry_stage(&source, agreement, check->version, check->funnel, entry->stage) < 0)
			stage->forgotten = ForgottenByName(check->stages, entry->stage);
	}
	return stage->forgotten;
}

/*
 * Counts the current lead, and its entries, in the forgotten stages.
 */
void
align_check_count_stages(Check *check, const RecordedHistory *history)
{
	check->stages->lead++;
	for (int i = 0; i < history->nentries; i++)
	{
		ForgottenStage *stage = ForgottenStageOf(check, &history->entries[i]);

		if (stage == NULL)
			continue;
		stage->nentries++;
		if (stage->last_lead != check->stages->lead)
			stage->nleads++;
		stage->last_lead = check->stages->lead;
	}
}

/*
 * Returns one row for each forgotten stage.
 */
void
align_check_report_stages(const Check *check)
{
	for (const ForgottenStage *stage = check->stages->forgotten; stage != NULL; stage = stage->next)
	{
		StringInfoData expected;

		initStringInfo(&expected);
		appendStringInfoString(&expected, "a stage known as ");
		align_write_quoted(&expected, '\'', stage->name, strlen(stage->name));
		align_check_report(check, "forgotten_stage",
						   psprintf("\"%s\" (leads: " INT64_FORMAT ", entries: " INT64_FORMAT ")",
									stage->name, stage->nleads, stage->nentries),
						   expected.data);
	}
}
