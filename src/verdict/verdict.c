/*
 * verdict.c
 *	  The verdict on a change of stage.
 *
 * It runs once per row that moves; a legal move allocates no memory.
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "agreement/agreement.h"
#include "agreement/teams.h"
#include "history/history.h"
#include "verdict/verdict.h"

/*
 * Returns the needs of the version that judges, compiled for rel.
 */
RowNeeds *
align_verdict_needs(Attachment *attachment, Relation rel, const RowMove *move)
{
	RowNeeds   *needs = attachment->needs;

	if (likely(needs != NULL && align_needs_are_for(needs, move->funnel)))
		return needs;
	needs = align_needs_compile(rel, move->funnel, move->agreement, move->version, false,
								attachment->context);
	if (attachment->needs != NULL)
		align_needs_free(attachment->needs);
	attachment->needs = needs;
	return needs;
}

/*
 * Appends a broken rule.
 */
static inline void
AddBroken(Verdict *verdict, Rule rule)
{
	verdict->broken[verdict->nbroken++] = rule;
}

/*
 * Judges a move.  Rules are added in the order of their SQLSTATEs, which is
 * that of their gravity, except left_funnel, which is always the only one.
 */
void
align_verdict(Attachment *attachment, Relation rel, const RowMove *row_move, HeapTuple row,
			  Verdict *verdict)
{
	const Move *move = &row_move->move;
	Rule		judged[MOVE_MAX_BROKEN];
	int			njudged;
	int			next = 0;

	verdict->nbroken = 0;
	if (move->to_label.text == NULL)
	{
		if (move->from_label.text != NULL)
			AddBroken(verdict, RULE_LEFT_FUNNEL);
		return;
	}
	njudged = align_judge_move(row_move->funnel, move, judged);
	if (move->to < 0)
	{
		AddBroken(verdict, judged[0]);	/* unknown stage */
		return;
	}
	if (move->from == move->to)
		return;					/* another label of the same stage */

	while (next < njudged && judged[next] < RULE_MISSING_NEED)
		AddBroken(verdict, judged[next++]);
	if (align_needs_unmet(align_verdict_needs(attachment, rel, row_move), row,
						  move->from, move->to, NULL, 0) > 0)
		AddBroken(verdict, RULE_MISSING_NEED);
	while (next < njudged)
		AddBroken(verdict, judged[next++]);
	if (!align_may_move(row_move->agreement, row_move->funnel, move))
		AddBroken(verdict, RULE_WRONG_TEAM);
}

/*
 * Returns true if a rule is broken.
 */
bool
align_verdict_breaks(const Verdict *verdict, Rule rule)
{
	for (int i = 0; i < verdict->nbroken; i++)
	{
		if (verdict->broken[i] == rule)
			return true;
	}
	return false;
}

/*
 * Removes a rule from the broken ones.
 */
void
align_verdict_remove(Verdict *verdict, Rule rule)
{
	int			kept = 0;

	for (int i = 0; i < verdict->nbroken; i++)
	{
		if (verdict->broken[i] != rule)
			verdict->broken[kept++] = verdict->broken[i];
	}
	verdict->nbroken = kept;
}

/*
 * Returns the names of the broken rules, or NULL.
 */
char *
align_verdict_names(const Verdict *verdict)
{
	StringInfoData names;

	if (verdict->nbroken == 0)
		return NULL;
	initStringInfo(&names);
	for (int i = 0; i < verdict->nbroken; i++)
		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "", align_rule_name(verdict->broken[i]));
	return names.data;
}

/*
 * Returns the canonical list of the segments that hold of a row; absent if
 * there are none, or if the history has no column for them.
 */
LeadString
align_verdict_segments(Attachment *attachment, Relation rel, const RowMove *move, HeapTuple row)
{
	const Funnel *funnel = move->funnel;
	LeadString	names[FUNNEL_MAX_SEGMENTS];
	SegmentMask segments;
	int			n = 0;

	if (funnel->nsegments == 0 || attachment->history_ncolumns <= HISTORY_SEGMENTS)
		return align_lead_cstring(NULL);
	segments = align_needs_segments(align_verdict_needs(attachment, rel, move), row);
	for (int i = 0; i < funnel->nsegments; i++)
	{
		if (segments & SEGMENT_BIT(i))
			names[n++] = align_lead_cstring(funnel->segments[i].name);
	}
	return align_segments_sorted(names, n);
}
