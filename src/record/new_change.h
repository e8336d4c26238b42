/*
 * new_change.h
 *	  A new change of a batch, with what it copies from the row.
 *
 * For the files that find and judge changes.  Strings that these functions
 * return are copies in the batch's memory context, belong to the funnel, or
 * are NULL.
 */
#ifndef ALIGN_RECORD_NEW_CHANGE_H
#define ALIGN_RECORD_NEW_CHANGE_H

#include "compat.h"

#include "record/pending.h"
#include "record/row_version.h"
#include "verdict/verdict.h"

/*
 * The version of the agreement that an event is judged by.
 */
typedef struct JudgingFunnel
{
	const char *agreement;
	int32		version;
	Funnel	   *funnel;
} JudgingFunnel;

/* Looks up the version that judges now. */
extern void align_judging_now(Attachment *attachment, JudgingFunnel *judging);

/* Initializes a move from no stage to no stage. */
extern void align_init_row_move(const JudgingFunnel *judging, RowMove *row_move);

/*
 * Returns a stage by its name in the agreement, or by its label if it is
 * unknown.
 */
extern const char *align_stage_text(Batch *batch, const Funnel *funnel, int stage,
									LeadString label);

/*
 * Returns the team that holds a row: that in the row if the attachment has
 * the role, else the team that holds the stage.
 */
extern const char *align_team_text(Batch *batch, const RowVersion *version,
								   const Funnel *funnel, int stage);

/* Returns a role as text. */
extern const char *align_copy_text(Batch *batch, const RowVersion *version, RowRole role);

/*
 * Returns the reason of a change, not copied; absent if the statement does not
 * give one.  before is NULL for an INSERT.
 */
extern LeadString align_given_reason(const RowVersion *before, const RowVersion *after);

/*
 * Returns the time of a change by the changed_at column, or
 * CHANGE_TIME_UNKNOWN.  If an UPDATE neither sets the column nor changes it,
 * its value is not the time of this change.
 */
extern TimestampTz align_effective_at(const RowVersion *before, const RowVersion *after);

/* Returns the name of the role outside any security definer function. */
extern const char *align_outer_role(Batch *batch);

/* Sets what flush.c needs to know about the replaced row version. */
extern void align_set_replaced(Batch *batch, Change *change, const RowVersion *before);

/*
 * Adds a change with all members that depend neither on the stage nor on the
 * time.  before is NULL if no row version was replaced.
 */
extern Change *align_new_change(Batch *batch, HistoryEvent event, const Datum *key,
								const RowVersion *before, const RowVersion *after,
								const JudgingFunnel *judging);

/* Adds an opening in the stage of a row that was there already. */
extern Change *align_new_opening(Batch *batch, const Datum *key, const RowVersion *version,
								 const JudgingFunnel *judging, const char *source);

/* Sets the handoff that is submitted when a lead enters a stage. */
extern void align_set_handoff(Change *change, const Funnel *funnel, int stage);

#endif							/* ALIGN_RECORD_NEW_CHANGE_H */
