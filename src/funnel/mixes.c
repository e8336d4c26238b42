/*
 * mixes.c
 *	  The statement "mix": its grammar, its checks, and its forms in the
 *	  canonical document and in jsonb.
 *
 * A mix is what share of the leads that enter a stage each segment ought to
 * have.  The unquoted word "other" stands for the leads of no segment.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "funnel/build.h"
#include "funnel/json_document.h"
#include "funnel/parse.h"

#define OTHER_SEGMENT (-1)

/* Longest text of a share. */
#define SHARE_MAX_LEN 30

/* N% segment | N% other */
static bool
ParseShare(TextScan *scan, DraftShare *share)
{
	align_scan_space(scan);
	share->share_at = scan->cur;
	if (!align_parse_decimal(scan, "Write a mix as \"mix of customer: 30% demo, 70% other;\".",
							 &share->share) ||
		!align_scan_expect(scan, "%"))
		return false;
	align_scan_space(scan);
	share->segment.at = scan->cur;
	share->is_other = align_scan_take_word(scan, "other");
	return share->is_other ||
		align_parse_name(scan, "segment name or \"other\"", &share->segment);
}

/* mix of stage: share {, share} */
bool
align_parse_mix(TextScan *scan, Draft *draft)
{
	DraftMix   *mix = (DraftMix *) palloc0(sizeof(DraftMix));

	if (!align_scan_expect_word(scan, "of") ||
		!align_parse_name(scan, "stage name", &mix->stage) ||
		!align_scan_expect(scan, ":"))
		return false;
	do
	{
		DraftShare *share = (DraftShare *) palloc0(sizeof(DraftShare));

		if (!ParseShare(scan, share))
			return false;
		mix->shares = lappend(mix->shares, share);
	} while (align_scan_take(scan, ","));
	draft->mixes = lappend(draft->mixes, mix);
	return true;
}

/*
 * No other mix is of the same stage.
 */
static bool
CheckMixNew(FunnelBuild *build, const ScanName *name, int stage)
{
	for (int i = 0; i < build->funnel->nmixes; i++)
	{
		if (build->funnel->mixes[i].stage == stage)
			return align_scan_fail_code(build->scan, ERRCODE_DUPLICATE_OBJECT, name->at, NULL,
										"Put all shares of a stage into one statement.",
										"mix of stage \"%s\" is set twice", name->text);
	}
	return true;
}

/*
 * The segment has one share of the mix.
 */
static bool
CheckShareNew(FunnelBuild *build, const FunnelMix *mix, const DraftShare *draft, int segment)
{
	for (int i = 0; i < mix->nshares; i++)
	{
		if (mix->shares[i].segment == segment)
			return align_scan_fail_code(build->scan, ERRCODE_DUPLICATE_OBJECT, draft->segment.at,
										"A segment has one share of a mix.", NULL,
										draft->is_other ? "\"other\" is named twice" :
										"segment \"%s\" is named twice",
										draft->is_other ? "" : draft->segment.text);
	}
	return true;
}

/*
 * Adds a share to *sum, which must not become more than 100.
 */
static bool
AddShare(FunnelBuild *build, const DraftMix *mix, const DraftShare *draft, Datum *sum)
{
	Datum		share;
	Datum		most = DirectFunctionCall1(int4_numeric, Int32GetDatum(100));

	if (strlen(draft->share) > SHARE_MAX_LEN)
		return align_scan_fail_code(build->scan, ERRCODE_PROGRAM_LIMIT_EXCEEDED, draft->share_at,
									psprintf("A share may have at most %d digits.", SHARE_MAX_LEN),
									NULL, "share too long");
	share = DirectFunctionCall3(numeric_in, CStringGetDatum(draft->share),
								ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	*sum = DirectFunctionCall2(numeric_add, *sum, share);
	if (DatumGetBool(DirectFunctionCall2(numeric_le, *sum, most)))
		return true;
	return align_scan_fail_code(build->scan, ERRCODE_INVALID_PARAMETER_VALUE, draft->share_at,
								psprintf("Up to here they add up to %s%%.",
										 DatumGetCString(DirectFunctionCall1(numeric_out, *sum))),
								"The shares of a mix may add up to 100% or less.",
								"shares of \"%s\" add up to more than 100%%", mix->stage.text);
}

/*
 * The shares of a mix, that of "other" last.
 */
static bool
BuildShares(FunnelBuild *build, const DraftMix *draft, FunnelMix *mix)
{
	Datum		sum = DirectFunctionCall1(int4_numeric, Int32GetDatum(0));
	MixShare	other = {OTHER_SEGMENT, NULL};
	ListCell   *cell;

	/* one for each segment and one for the others, if no segment repeats */
	mix->shares = (MixShare *)
		align_build_alloc(build, sizeof(MixShare) * (build->funnel->nsegments + 1));
	foreach(cell, draft->shares)
	{
		DraftShare *share = (DraftShare *) lfirst(cell);
		MixShare	result = {OTHER_SEGMENT, NULL};

		if (!share->is_other &&
			!align_check_segment_known(build, &share->segment, &result.segment))
			return false;
		if (!CheckShareNew(build, mix, share, result.segment) ||
			!AddShare(build, draft, share, &sum))
			return false;
		result.share = align_build_strdup(build, share->share);
		mix->shares[mix->nshares++] = result;
	}

	for (int i = 0; i < mix->nshares; i++)
	{
		if (mix->shares[i].segment == OTHER_SEGMENT)
			other = mix->shares[i];
		else if (other.share != NULL)
			mix->shares[i - 1] = mix->shares[i];
	}
	if (other.share != NULL)
		mix->shares[mix->nshares - 1] = other;
	return true;
}

/*
 * The mixes in the order of the document.
 */
bool
align_build_mixes(FunnelBuild *build)
{
	Funnel	   *funnel = build->funnel;
	ListCell   *cell;

	/* there is at most one for each stage */
	funnel->mixes = (FunnelMix *)
		align_build_alloc(build, sizeof(FunnelMix) * funnel->nstages);
	foreach(cell, build->draft->mixes)
	{
		DraftMix   *draft = (DraftMix *) lfirst(cell);
		int			stage;
		FunnelMix  *mix;

		if (!align_check_stage_known(build, &draft->stage, &stage) ||
			!CheckMixNew(build, &draft->stage, stage))
			return false;
		mix = &funnel->mixes[funnel->nmixes];
		mix->stage = stage;
		if (!BuildShares(build, draft, mix))
			return false;
		funnel->nmixes++;
	}
	return true;
}

/*
 * A share's segment, quoted where it would be read as "other".
 */
static void
WriteSegment(StringInfo out, const Funnel *funnel, const MixShare *share)
{
	const char *name;

	if (share->segment == OTHER_SEGMENT)
	{
		appendStringInfoString(out, "other");
		return;
	}
	name = funnel->segments[share->segment].name;
	if (pg_strcasecmp(name, "other") == 0)
		align_write_quoted(out, '"', name, strlen(name));
	else
		align_write_name(out, name, strlen(name));
}

/*
 * The shares of a mix: 30% demo, 70% other
 */
void
align_write_shares(StringInfo out, const Funnel *funnel, const FunnelMix *mix)
{
	for (int i = 0; i < mix->nshares; i++)
	{
		appendStringInfo(out, "%s%s%% ", i > 0 ? ", " : "", mix->shares[i].share);
		WriteSegment(out, funnel, &mix->shares[i]);
	}
}

/*
 * The statements of all mixes.
 */
void
align_write_mixes(StringInfo out, const Funnel *funnel)
{
	for (int i = 0; i < funnel->nmixes; i++)
	{
		const char *stage = funnel->stages[funnel->mixes[i].stage].name;

		appendStringInfoString(out, "mix of ");
		align_write_name(out, stage, strlen(stage));
		appendStringInfoString(out, ": ");
		align_write_shares(out, funnel, &funnel->mixes[i]);
		appendStringInfoString(out, ";\n");
	}
}

/*
 * The statement of an element of the member "mixes".
 */
void
align_json_read_mix(JsonDocument *document, const JsonNode *mix)
{
	static const char *const members[] = {"stage", "shares", "other", NULL};
	static const char *const share_members[] = {"segment", "share", NULL};
	JsonNode	shares;
	JsonNode	other;
	int			n;

	align_json_check_object(mix, members);
	shares = align_json_member(mix, "shares");
	other = align_json_member(mix, "other");
	n = align_json_count(&shares);
	if (n == 0 && other.value == NULL)
		align_json_fail(mix, "must have \"shares\" or \"other\"");
	align_json_put(document, "mix of ");
	align_json_put_name_member(document, mix, "stage");
	align_json_put(document, ": ");
	for (int i = 0; i < n; i++)
	{
		JsonNode	share = align_json_element(&shares, i);

		align_json_check_object(&share, share_members);
		align_json_put(document, i > 0 ? ", " : "");
		align_json_put_number_member(document, &share, "share");
		align_json_put(document, "% ");
		align_json_put_name_member(document, &share, "segment");
	}
	if (other.value != NULL)
	{
		align_json_put(document, n > 0 ? ", " : "");
		align_json_put_number_member(document, mix, "other");
		align_json_put(document, "% other");
	}
	align_json_put(document, ";\n");
}
