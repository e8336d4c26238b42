/*
 * carry.c
 *	  Stages of one version of an agreement in another one.
 *
 * A version may rename a stage and keep its old name as a label ("known as").
 * It is the same stage then, to what was recorded under either version.  So a
 * name is carried over from version to version: each one that knows the stage
 * by one of the names collected so far adds its own name and labels for it.
 */
#include "postgres.h"

#include "funnel/funnel.h"
#include "utils/builtins.h"

#include "agreement/agreement.h"

PG_FUNCTION_INFO_V1(align_carried_stage);

/*
 * The names that a stage has had: the one to carry over, and those of the
 * versions passed so far.
 */
typedef struct Names
{
	const char *name;
	int			nstages;
	int			room;
	const FunnelStage **stages; /* palloc'd; NULL if there are none yet */
} Names;

/*
 * Returns the stage of a funnel that has one of the names, those of the
 * version passed last first; -1 if there is none.
 */
static int
FindStage(const Funnel *funnel, const Names *names)
{
	for (int i = names->nstages - 1; i >= 0; i--)
	{
		const FunnelStage *stage = names->stages[i];
		int			found = align_funnel_stage(funnel, stage->name, strlen(stage->name));

		for (int j = 0; found < 0 && j < stage->nlabels; j++)
			found = align_funnel_stage(funnel, stage->labels[j], strlen(stage->labels[j]));
		if (found >= 0)
			return found;
	}
	return align_funnel_stage(funnel, names->name, strlen(names->name));
}

/*
 * True if two stages have the same names, in the same order.
 */
static bool
SameNames(const FunnelStage *a, const FunnelStage *b)
{
	if (strcmp(a->name, b->name) != 0 || a->nlabels != b->nlabels)
		return false;
	for (int i = 0; i < a->nlabels; i++)
	{
		if (strcmp(a->labels[i], b->labels[i]) != 0)
			return false;
	}
	return true;
}

/*
 * Adds the names that a funnel has for the stage, if it knows it.
 */
static bool
AddNames(Names *names, const Funnel *funnel)
{
	int			found = FindStage(funnel, names);
	const FunnelStage *stage;

	if (found < 0)
		return false;
	stage = &funnel->stages[found];
	/* most versions leave most names as they are */
	if (names->nstages > 0 && SameNames(stage, names->stages[names->nstages - 1]))
		return true;
	if (names->nstages == names->room)
	{
		names->room = Max(names->room * 2, 4);
		if (names->stages == NULL)
			names->stages = palloc(names->room * sizeof(FunnelStage *));
		else
			names->stages = repalloc(names->stages, names->room * sizeof(FunnelStage *));
	}
	names->stages[names->nstages++] = stage;
	return true;
}

/*
 * Returns the index of the latest version up to a number, -1 if there is none.
 */
static int
VersionIndex(const Agreement *agreement, int32 version)
{
	int			i = agreement->nversions - 1;

	while (i >= 0 && agreement->versions[i].version > version)
		i--;
	return i;
}

/*
 * Collects the names that the versions have from one to another, without the
 * latter.  A name that version "from" does not know was recorded before it,
 * and is carried over from the latest version that knows it.
 *
 * Only versions up to the later one of the two are considered, so the result
 * is the same whenever it is computed.
 */
static void
CollectNames(Names *names, const Agreement *agreement, int32 from, int32 to)
{
	int			start = VersionIndex(agreement, from);
	int			end = VersionIndex(agreement, to);

	while (start >= 0 && !AddNames(names, align_compiled_version(&agreement->versions[start])))
		start--;
	if (start < 0)
		return;
	for (int i = start; i != end; i += start < end ? 1 : -1)
		(void) AddNames(names, align_compiled_version(&agreement->versions[i]));
}

/*
 * Returns the stage of a funnel that a name stands for which was recorded
 * under another version, or before it; -1 if the funnel does not know it.
 */
int
align_carry_stage(const StageSource *source, const char *agreement, int32 version,
				  const Funnel *funnel, const char *name)
{
	int			stage = align_funnel_stage(funnel, name, strlen(name));
	Names		names = {.name = name};
	const Agreement *versions;

	if (stage >= 0 || source->version == 0)
		return stage;
	if (strcmp(source->agreement, agreement) != 0)
	{
		const Funnel *other = align_agreement_funnel(source->agreement, source->version);

		if (other != NULL)
			(void) AddNames(&names, other);
	}
	else if ((versions = align_agreement_lookup(agreement)) != NULL)
		CollectNames(&names, versions, source->version, version);
	if (names.nstages > 0)
	{
		stage = FindStage(funnel, &names);
		pfree(names.stages);
	}
	return stage;
}

/*
 * carried_stage(stage text, agreement text, version int, to_agreement text,
 * to_version int): as journeys() names stages.
 */
Datum
align_carried_stage(PG_FUNCTION_ARGS)
{
	StageSource source = {NULL, 0};
	text	   *recorded;
	char	   *agreement;
	const Funnel *funnel;
	int32		version;
	int			stage;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	recorded = PG_GETARG_TEXT_PP(0);
	if (PG_ARGISNULL(3) || PG_ARGISNULL(4))
		PG_RETURN_TEXT_P(recorded);
	agreement = text_to_cstring(PG_GETARG_TEXT_PP(3));
	version = PG_GETARG_INT32(4);
	funnel = align_agreement_funnel(agreement, version);
	if (funnel == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("agreement \"%s\" has no version %d", agreement, version)));
	stage = align_funnel_stage(funnel, VARDATA_ANY(recorded), VARSIZE_ANY_EXHDR(recorded));
	if (stage < 0)
	{
		source.agreement = PG_ARGISNULL(1) ? agreement : text_to_cstring(PG_GETARG_TEXT_PP(1));
		if (!PG_ARGISNULL(2))
			source.version = PG_GETARG_INT32(2);
		stage = align_carry_stage(&source, agreement, version, funnel, text_to_cstring(recorded));
	}
	if (stage < 0)
		PG_RETURN_TEXT_P(recorded);
	PG_RETURN_TEXT_P(cstring_to_text(funnel->stages[stage].name));
}
