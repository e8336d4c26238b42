/*
 * parse_promise.c
 *	  The grammar of handoffs and service levels.
 */
#include "postgres.h"

#include "funnel/parse.h"

/*
 * Reports a clause that is given twice.  "seen" is NULL if this is the first.
 */
static bool
CheckClauseOnce(TextScan *scan, const char *seen, const char *name)
{
	if (seen == NULL)
		return true;
	align_scan_space(scan);
	return align_scan_fail_code(scan, ERRCODE_DUPLICATE_OBJECT, scan->cur, NULL, NULL,
								"a second \"%s\"", name);
}

/*
 * within ... [when segment].  The promise without a segment is the last one.
 */
static bool
ParseDue(TextScan *scan, DraftPromise *due)
{
	DraftSegmentPromise to_segment = {0};

	align_scan_space(scan);
	to_segment.due_at = scan->cur;
	if (due->due_at != NULL)
		return align_scan_fail_code(scan, ERRCODE_DUPLICATE_OBJECT, scan->cur, NULL,
									"Promises with \"when\" come before the one without.",
									"a second \"within\"");
	if (!align_funnel_scan_due(scan, &to_segment.promise))
		return false;
	if (align_scan_take_word(scan, "when"))
	{
		DraftSegmentPromise *kept;

		if (!align_parse_name(scan, "segment name", &to_segment.segment))
			return false;
		kept = (DraftSegmentPromise *) palloc(sizeof(DraftSegmentPromise));
		*kept = to_segment;
		due->to_segments = lappend(due->to_segments, kept);
		return true;
	}
	due->due_at = to_segment.due_at;
	due->promise.kind = to_segment.promise.kind;
	due->promise.amount = to_segment.promise.amount;
	return true;
}

/* The clauses that handoffs and slas have in common: due and warning. */
static bool
ParseDueOrWarn(TextScan *scan, DraftPromise *due)
{
	if (align_scan_peek_word(scan, "warn"))
		return CheckClauseOnce(scan, due->warn_at, "warn") &&
			align_funnel_scan_warn(scan, due);
	return ParseDue(scan, due);
}

/*
 * Reports promises to segments without one to all other leads.
 */
static bool
CheckCommonPromise(TextScan *scan, const DraftPromise *due)
{
	return due->due_at != NULL || due->to_segments == NIL ||
		align_scan_expected(scan, "\", within ...\"",
							"The last promise has no \"when\"; it is made to all other leads.");
}

/*
 * Reports a missing comma if a clause follows where the statement should end.
 */
static bool
CheckComma(TextScan *scan)
{
	static const char *const words[] = {"accept", "reject", "pause"};
	bool		clause = align_funnel_due_follows(scan) || align_funnel_warn_follows(scan);

	for (int i = 0; !clause && i < (int) lengthof(words); i++)
		clause = align_scan_peek_word(scan, words[i]);
	return !clause ||
		align_scan_expected(scan, "\",\" or \";\"", "Clauses are separated by commas.");
}

/*
 * accept names | reject names [with reason [(names)]] | due | warning
 */
static bool
ParseHandoffClause(TextScan *scan, DraftServiceLevel *handoff)
{
	if (align_funnel_due_follows(scan) || align_funnel_warn_follows(scan))
		return ParseDueOrWarn(scan, &handoff->due);
	if (align_scan_peek_word(scan, "accept"))
	{
		if (!CheckClauseOnce(scan, handoff->accept ? scan->cur : NULL, "accept"))
			return false;
		return align_scan_take_word(scan, "accept") &&
			align_parse_names(scan, "stage name", FOLLOWED_BY_HANDOFF_CLAUSE, &handoff->accept);
	}
	if (align_scan_peek_word(scan, "reject"))
	{
		if (!CheckClauseOnce(scan, handoff->reject ? scan->cur : NULL, "reject"))
			return false;
		if (!align_scan_take_word(scan, "reject") ||
			!align_parse_names(scan, "stage name", FOLLOWED_BY_HANDOFF_CLAUSE, &handoff->reject))
			return false;
		if (!align_scan_take_word(scan, "with"))
			return true;
		return align_scan_expect_word(scan, "reason") &&
			align_parse_reasons(scan, &handoff->reasons);
	}
	return align_scan_expected(scan,
							   "\"accept\", \"reject\", \"within\", \"by end of\" or \"warn\"",
							   align_scan_peek_word(scan, "pause") ?
							   "A move elsewhere withdraws a handoff; only an sla can pause." :
							   NULL);
}

/* handoff name: stage from team to team {, clause} */
bool
align_parse_handoff(TextScan *scan, Draft *draft)
{
	DraftServiceLevel *handoff = (DraftServiceLevel *) palloc0(sizeof(DraftServiceLevel));
	ScanName	stage;

	handoff->is_handoff = true;
	handoff->due.promise.warn = -1;
	if (!align_parse_name(scan, "handoff name", &handoff->name) ||
		!align_scan_expect(scan, ":") ||
		!align_parse_name(scan, "stage name", &stage) ||
		!align_scan_expect_word(scan, "from") ||
		!align_parse_name(scan, "team name", &handoff->from_team) ||
		!align_scan_expect_word(scan, "to") ||
		!align_parse_name(scan, "team name", &handoff->team))
		return false;
	handoff->starts = list_make1(align_copy_name(&stage));
	while (align_scan_take(scan, ","))
	{
		if (!ParseHandoffClause(scan, handoff))
			return false;
	}
	if (!CheckComma(scan))
		return false;
	if (handoff->accept == NIL)
		return align_scan_expected(scan, "\", accept ...\"",
								   "Name the stage that a lead enters when the other team accepts it.");
	if (!CheckCommonPromise(scan, &handoff->due))
		return false;
	draft->service_levels = lappend(draft->service_levels, handoff);
	return true;
}

/*
 * sla name by team: from names to names [,] due
 *					{, due | , warning | , pause names}
 */
bool
align_parse_sla(TextScan *scan, Draft *draft)
{
	DraftServiceLevel *sla = (DraftServiceLevel *) palloc0(sizeof(DraftServiceLevel));

	sla->due.promise.warn = -1;
	if (!align_parse_name(scan, "sla name", &sla->name) ||
		!align_scan_expect_word(scan, "by") ||
		!align_parse_name(scan, "team name", &sla->team) ||
		!align_scan_expect(scan, ":") ||
		!align_scan_expect_word(scan, "from") ||
		!align_parse_names(scan, "stage name", FOLLOWED_BY_NONE, &sla->starts) ||
		!align_scan_expect_word(scan, "to") ||
		!align_parse_names(scan, "stage name", FOLLOWED_BY_DUE, &sla->stops))
		return false;
	/* the comma before the due clause is optional */
	(void) align_scan_take(scan, ",");
	if (!ParseDue(scan, &sla->due))
		return false;
	while (align_scan_take(scan, ","))
	{
		if (align_funnel_due_follows(scan) || align_funnel_warn_follows(scan))
		{
			if (!ParseDueOrWarn(scan, &sla->due))
				return false;
		}
		else if (align_scan_peek_word(scan, "pause"))
		{
			if (!CheckClauseOnce(scan, sla->pauses ? scan->cur : NULL, "pause") ||
				!align_scan_take_word(scan, "pause") ||
				!align_parse_names(scan, "stage name", FOLLOWED_BY_SLA_CLAUSE, &sla->pauses))
				return false;
		}
		else
			return align_scan_expected(scan, "\"warn\" or \"pause\"", NULL);
	}
	if (!CheckComma(scan) || !CheckCommonPromise(scan, &sla->due))
		return false;
	draft->service_levels = lappend(draft->service_levels, sla);
	return true;
}
