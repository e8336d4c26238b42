/*
 * verdict.h
 *	  Judges changes of stage of rows, and reports broken rules.
 *
 * align_judge_move() judges what does not depend on the row or the user.
 * Added here are the needs of the row (condition/needs.h), the team of the
 * user (agreement/teams.h), and a stage that is set to NULL.  explain_move()
 * and the triggers call the same functions.
 *
 * Wrong team: the teams that may make a move are those that hold its source or
 * its target stage, and for the answer to a handoff the receiving team.  The
 * rule is broken if all of them are tied to database roles in align.team, and
 * neither the current user nor the role outside any security definer function
 * is a member of one of these roles.  Superusers are members of every role.
 * The team column does not say who makes the move and is not judged.
 */
#ifndef ALIGN_VERDICT_H
#define ALIGN_VERDICT_H

#include "compat.h"

#include "access/htup.h"
#include "agreement/agreement.h"
#include "attachment/attachment.h"
#include "condition/needs.h"
#include "judge/judge.h"

#define VERDICT_MAX_BROKEN (MOVE_MAX_BROKEN + 1)

/*
 * A change of stage of one row.  Labels are as written in the row; move.team
 * is absent.
 */
typedef struct RowMove
{
	const char *agreement;		/* name of the agreement that judges */
	int32		version;		/* its version */
	Funnel	   *funnel;			/* the funnel of that version */
	Move		move;			/* to_label is absent if the stage was set to
								 * NULL, from_label if it was NULL before */
} RowMove;

/* Rules broken by a move, gravest first: by SQLSTATE, except that left_funnel
 * is always the only one. */
typedef struct Verdict
{
	int			nbroken;
	Rule		broken[VERDICT_MAX_BROKEN];
} Verdict;

/*
 * Judge a move.  row is the row after the change, in the layout of rel, which
 * is the attached table or a partition of it.
 */
extern void align_verdict(Attachment *attachment, Relation rel, const RowMove *move,
						  HeapTuple row, Verdict *verdict);

/*
 * The needs of the version that judges, compiled for rel.  They belong to the
 * attachment and are valid until another version judges its rows.
 */
extern RowNeeds *align_verdict_needs(Attachment *attachment, Relation rel, const RowMove *move);

/*
 * The canonical list of the segments of that version that hold of a row;
 * absent if there are none, or if the history has no column for them.
 */
extern LeadString align_verdict_segments(Attachment *attachment, Relation rel,
										 const RowMove *move, HeapTuple row);

/*
 * Fill in the texts of an error about a broken rule, palloc'd.  They show
 * values of the row only if the current user can read them.
 */
extern void align_row_verdict_text(Attachment *attachment, Relation rel, const RowMove *move,
								   HeapTuple row, Rule rule, VerdictText *text);

/*
 * Report the broken rules, each by its mode: an ERROR for the gravest of those
 * that are enforced, or else a WARNING for each in mode warn.  They have the
 * SQLSTATE of the rule, and the schema, table, column and constraint fields
 * set.
 */
extern void align_verdict_report(Attachment *attachment, Relation rel, const RowMove *move,
								 HeapTuple row, const Verdict *verdict);

/* Whether a rule is broken, and a verdict without that rule. */
extern bool align_verdict_breaks(const Verdict *verdict, Rule rule);
extern void align_verdict_remove(Verdict *verdict, Rule rule);

/*
 * Remove illegal_move from a verdict if the trigger would: if another lead was
 * merged into this one, which has not entered a stage since, and the move is
 * to the furthest stage of the joined journey.  (merged.c)
 */
extern void align_verdict_of_merged(Attachment *attachment, Datum *key, const RowMove *move,
									Verdict *verdict);

/* "illegal_move, missing_reason", palloc'd; NULL if no rule is broken. */
extern char *align_verdict_names(const Verdict *verdict);

/*
 * Where a move begins, if that is not the stage in the row before (begin.c):
 *
 *	  - If that stage is unknown and the label changes, in the recorded stage
 *		of the lead: the label may have been renamed, as by ALTER TYPE ...
 *		RENAME VALUE, without a change of the row.
 *
 *	  - If the row was not live, in the stage in which the lead was when its
 *		row ceased to be live; in none if there is no such stage.
 */
typedef struct RecordedStage
{
	char	   *name;			/* NULL: none */
	StageSource source;			/* version that judged the entry */
} RecordedStage;

/*
 * True if the first of these cases applies to a move of a live row; and the
 * two cases, of which the first returns false, and leaves the move as it is,
 * if the version that judges does not know the stage.
 */
extern bool align_begins_as_recorded(const Move *move);
extern bool align_begin_in_stage(RowMove *row_move, const RecordedStage *recorded);
extern void align_begin_suspended(RowMove *row_move, const RecordedStage *suspended);

/*
 * Both cases for functions that predict what the triggers would do: they read
 * the history as the current user, and take it as empty if that one may not.
 */
extern void align_begin_for_reader(const Attachment *attachment, const Datum *key, bool was_live,
								   RowMove *row_move);

/*
 * Read a role of the row as text, which is in the row or in the current memory
 * context.  Absent if it is null, or if the attachment has no such role.  rel
 * is attachment->relid.
 */
extern LeadString align_role_text(Attachment *attachment, RowRole role, Relation rel,
								  HeapTuple row);

/*
 * Likewise, without looking up the label; and the label of a role for the
 * current user, who is shown the value instead if align_may_read_labels() is
 * false.
 */
extern LeadString align_role_unlabeled(Attachment *attachment, RowRole role, Relation rel,
									   HeapTuple row);
extern LeadString align_visible_label(const Attachment *attachment, RowRole role,
									  LeadString value, LeadString label);

/*
 * Read the stage of the row: returns its index in the funnel, -1 if it is
 * unknown or null, and sets *label to the label in the row.  Labels of integer
 * and enum columns are cached.
 */
extern int	align_row_stage(Attachment *attachment, Relation rel, HeapTuple row,
							const Funnel *funnel, LeadString *label);

/*
 * The query for the row of a lead by its key, with all columns of rel; sets
 * types to the types of its parameters.  After it was executed and has found a
 * row, the second function returns it in the layout of rel, allocated in
 * context.
 */
extern char *align_lead_row_query(const Attachment *attachment, Relation rel, Oid *types);
extern HeapTuple align_lead_row_found(Relation rel, MemoryContext context);

#endif							/* ALIGN_VERDICT_H */
