/*
 * verdict.h
 *	  Judging a row that stands, and saying what is wrong with it.
 *
 * align_judge_move() gives the verdict as far as a move can be judged without
 * the row; here come what the row must bring (needs.h), who is acting, and a
 * lead taken out of the funnel.  explain_move() and the triggers both call this.
 *
 * Who is acting: a move is wrong_team when both the source's and the target's
 * team (where there is one) are tied to database roles in align.team, and
 * neither the current user nor the role outside any security definer function
 * is a member of either; the team that a handoff asks may answer it, and then
 * is one of the teams concerned.  Where one of these is tied to no role, nothing
 * is checked.  Superusers are members of every role.  (acting.h)  The team column is no evidence of who acts, and is not
 * judged.
 */
#ifndef ALIGN_VERDICT_H
#define ALIGN_VERDICT_H

#include "compat.h"

#include "access/htup.h"
#include "attachment/attachment.h"
#include "condition/needs.h"
#include "judge/judge.h"

#define VERDICT_MAX_BROKEN (MOVE_MAX_BROKEN + 1)

/*
 * A change of stage of one row, as read from it.  Labels are as the row writes
 * them; move.team is not told (see above).
 */
typedef struct RowMove
{
	const char *agreement;		/* its name */
	int32		version;		/* that judges */
	Funnel	   *funnel;
	Move		move;			/* to_label.text NULL: the stage was set to
								 * NULL; from_label.text NULL: an entry */
} RowMove;

typedef struct Verdict
{
	int			nbroken;
	Rule		broken[VERDICT_MAX_BROKEN]; /* gravest first: unknown stage,
											 * left funnel, illegal move, not
											 * an entry, missing need, missing
											 * or unlisted reason, wrong team */
} Verdict;

/* The row as it would stand; relid's own attribute numbers. */
extern void align_verdict(Attachment *attachment, Relation rel, const RowMove *move,
						  HeapTuple row, Verdict *verdict);

/* The needs of the version that judges, compiled for rel. */
extern RowNeeds *align_verdict_needs(Attachment *attachment, Relation rel, const RowMove *move);

/* One broken rule in words, as the triggers would say it to the current user:
 * row values are shown only to those who may read them. */
extern void align_verdict_words(Attachment *attachment, Relation rel, const RowMove *move,
								HeapTuple row, Rule rule, VerdictText *text);

/* Says the same as an ERROR or WARNING, with SQLSTATE and the schema, table and
 * column fields.  An error is for the gravest rule; warnings for each. */
extern void align_verdict_report(Attachment *attachment, Relation rel, const RowMove *move,
								 HeapTuple row, const Verdict *verdict, int elevel);

/* "illegal_move, missing_reason"; NULL if nothing is broken.  palloc'd */
extern char *align_verdict_names(const Verdict *verdict);

/*
 * Reading columns of the row.  Text lives in the current memory context or in
 * the row; text NULL if the column is null or the attachment has none.
 */
extern LeadString align_row_column(Attachment *attachment, RowRole role, TupleDesc desc, HeapTuple row);

/*
 * The stage of the row: its index in the funnel, -1 if unknown or null; *label
 * as the row writes it.  Remembers what it looked up (LabelMemo: by value for
 * integers and enums), since a bulk load asks the same few labels again and
 * again.
 */
extern int	align_row_stage(Attachment *attachment, TupleDesc desc, HeapTuple row,
							const Funnel *funnel, LeadString *label);

/* SET LOCAL align.override = 'why' (needs SET on the parameter); NULL if it is
 * not set or empty. */
extern const char *align_override(void);

#endif							/* ALIGN_VERDICT_H */
