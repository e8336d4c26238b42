/*
 * segments.c
 *	  The statement "segment": its grammar, its checks, and its forms in the
 *	  canonical document and in jsonb.
 *
 * A segment is a named condition on the row of a lead.  Promises refer to it
 * by name (parse_promise.c).
 */
#include "postgres.h"

#include "funnel/build.h"
#include "funnel/json_document.h"
#include "funnel/parse.h"
#include "nearest.h"

/* segment name: 'condition' */
bool
align_parse_segment(TextScan *scan, Draft *draft)
{
	DraftSegment *segment = (DraftSegment *) palloc0(sizeof(DraftSegment));

	align_scan_space(scan);
	if (*scan->cur == '\'')
		return align_scan_expected(scan, "segment name",
								   "Write \"segment demo: 'kind = ''demo''';\".");
	if (!align_parse_name(scan, "segment name", &segment->name) ||
		!align_scan_expect(scan, ":") ||
		!align_parse_string(scan, "condition in single quotes", &segment->condition))
		return false;
	draft->segments = lappend(draft->segments, segment);
	return true;
}

/*
 * Index of the segment of this name, -1 if there is none.
 */
int
align_funnel_segment(const Funnel *funnel, const char *name, int len)
{
	for (int i = 0; i < funnel->nsegments; i++)
	{
		if ((int) strlen(funnel->segments[i].name) == len &&
			memcmp(funnel->segments[i].name, name, len) == 0)
			return i;
	}
	return -1;
}

/*
 * The segment is declared.  Sets *segment to its index.
 */
bool
align_check_segment_known(FunnelBuild *build, const ScanName *name, int *segment)
{
	Funnel	   *funnel = build->funnel;
	const char *names[FUNNEL_MAX_SEGMENTS];

	*segment = align_funnel_segment(funnel, name->text, name->len);
	if (*segment >= 0)
		return true;
	for (int i = 0; i < funnel->nsegments; i++)
		names[i] = funnel->segments[i].name;
	return align_scan_fail_code(build->scan, ERRCODE_UNDEFINED_OBJECT, name->at,
								"No \"segment\" statement declares it.",
								align_nearest_hint(name->text, name->len, names, funnel->nsegments),
								"unknown segment \"%s\"", name->text);
}

/*
 * The segments in the order of the document.
 */
bool
align_build_segments(FunnelBuild *build)
{
	Funnel	   *funnel = build->funnel;
	List	   *drafts = build->draft->segments;
	ListCell   *cell;

	if (list_length(drafts) > FUNNEL_MAX_SEGMENTS)
	{
		DraftSegment *first_over = (DraftSegment *) list_nth(drafts, FUNNEL_MAX_SEGMENTS);

		return align_check_limit(build, first_over->name.at, list_length(drafts),
								 FUNNEL_MAX_SEGMENTS, "segments");
	}
	funnel->segments = (FunnelSegment *)
		align_build_alloc(build, sizeof(FunnelSegment) * list_length(drafts));
	foreach(cell, drafts)
	{
		DraftSegment *draft = (DraftSegment *) lfirst(cell);
		FunnelSegment *segment = &funnel->segments[funnel->nsegments];

		if (align_funnel_segment(funnel, draft->name.text, draft->name.len) >= 0)
			return align_scan_fail_code(build->scan, ERRCODE_DUPLICATE_OBJECT, draft->name.at,
										"A segment is defined by one statement.",
										"Join the conditions with \"and\" or \"or\".",
										"segment \"%s\" is defined twice", draft->name.text);
		if (!align_check_condition(build, &draft->condition))
			return false;
		segment->name = align_build_strdup(build, draft->name.text);
		segment->condition = align_build_strdup(build, draft->condition.text);
		funnel->nsegments++;
	}
	return true;
}

/*
 * The statements of all segments.
 */
void
align_write_segments(StringInfo out, const Funnel *funnel)
{
	for (int i = 0; i < funnel->nsegments; i++)
	{
		const FunnelSegment *segment = &funnel->segments[i];

		appendStringInfoString(out, "segment ");
		align_write_name(out, segment->name, strlen(segment->name));
		appendStringInfoString(out, ": ");
		align_write_quoted(out, '\'', segment->condition, strlen(segment->condition));
		appendStringInfoString(out, ";\n");
	}
}

/*
 * The statement of an element of the member "segments".
 */
void
align_json_read_segment(JsonDocument *document, const JsonNode *segment)
{
	static const char *const members[] = {"segment", "condition", NULL};
	JsonNode	condition;

	align_json_check_object(segment, members);
	condition = align_json_member(segment, "condition");
	if (condition.value == NULL)
		align_json_fail(&condition, "is missing");
	align_json_put(document, "segment ");
	align_json_put_name_member(document, segment, "segment");
	align_json_put(document, ": ");
	align_json_put_quoted(document, &condition, '\'');
	align_json_put(document, ";\n");
}
