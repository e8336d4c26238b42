/*
 * begin.c
 *	  Where a move begins, if that is not the stage in its row; see verdict.h.
 *
 * The row triggers read the history as the owner (record/past.h).  For
 * explain_move() and dry_run() it is read here, as the current user.
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"

#include "attachment/key.h"
#include "attachment/key_sql.h"
#include "catalog/as_role.h"
#include "history/history.h"
#include "verdict/verdict.h"

/*
 * True if a move begins in the recorded stage of its lead, if that is known.
 */
bool
align_begins_as_recorded(const Move *move)
{
	return move->from < 0 && move->from_label.text != NULL &&
		!align_lead_same(move->from_label, move->to_label);
}

/*
 * Lets a move begin in a recorded stage; returns false if the version that
 * judges the move does not know it.
 */
bool
align_begin_in_stage(RowMove *row_move, const RecordedStage *recorded)
{
	int			stage = -1;

	if (recorded->name != NULL)
		stage = align_carry_stage(&recorded->source, row_move->agreement, row_move->version,
								  row_move->funnel, recorded->name);
	if (stage < 0)
		return false;
	row_move->move.from = stage;
	row_move->move.from_label = align_lead_cstring(row_move->funnel->stages[stage].name);
	return true;
}

/*
 * Lets a move of a row that was not live begin in the stage in which the lead
 * was when its row ceased to be live.
 */
void
align_begin_suspended(RowMove *row_move, const RecordedStage *suspended)
{
	if (align_begin_in_stage(row_move, suspended))
		return;
	row_move->move.from = -1;
	row_move->move.from_label = align_lead_cstring(suspended->name);
}

/*
 * True if the current user may read the history.  The tables in a marker may
 * be forged (see attachment.h).
 */
static bool
MayReadHistory(const Attachment *attachment)
{
	return align_records_problem(attachment) == NULL &&
		align_may_use(get_rel_namespace(attachment->marker.history), GetUserId()) &&
		pg_class_aclcheck(attachment->marker.history, GetUserId(), ACL_SELECT) == ACLCHECK_OK;
}

/*
 * Executes a query for entries of a lead as the current user.  The caller is
 * connected to SPI, and has locked the history.
 */
static void
ReadEntries(const Attachment *attachment, const char *columns, const char *condition,
			const Datum *key, const char *order, long limit)
{
	Oid			types[ATTACHMENT_MAX_KEYS];
	StringInfoData query;

	align_key_types(attachment, types);
	initStringInfo(&query);
	appendStringInfo(&query, "SELECT %s FROM %s AS h WHERE %s AND ", columns,
					 attachment->history_name, condition);
	align_append_key_parameters(&query, attachment, TABLE_HISTORY, "h", 1);
	appendStringInfo(&query, " ORDER BY h.entry_no%s", order);
	if (SPI_execute_with_args(query.data, attachment->nkeys, types, unconstify(Datum *, key),
							  NULL, true, limit) != SPI_OK_SELECT)
		elog(ERROR, "could not read from %s", attachment->history_name);
}

/*
 * Returns a text field of the first row that was read, allocated in context,
 * or NULL.
 */
static char *
EntryText(int column, MemoryContext context)
{
	char	   *text = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column);

	return text != NULL ? MemoryContextStrdup(context, text) : NULL;
}

/*
 * Reads the recorded stage of a lead whose row is live, or else the one in
 * which it is suspended.
 */
static void
ReadRecordedStage(const Attachment *attachment, const Datum *key, bool is_live,
				  RecordedStage *recorded)
{
	MemoryContext context = CurrentMemoryContext;

	align_spi_connect();
	ReadEntries(attachment, "h.event, h.source, h.from_stage, h.stage, h.agreement, h.version",
				is_live ? "true" : HISTORY_SHOWS_STAGE("h"), key, " DESC", 1);
	if (SPI_processed == 1)
	{
		char	   *event = EntryText(1, context);
		char	   *from_stage = EntryText(3, context);
		char	   *stage = EntryText(4, context);
		bool		isnull;
		Datum		version;

		recorded->name = is_live ? stage :
			unconstify(char *, align_suspended_stage(align_history_event(event, strlen(event)),
													 EntryText(2, context), from_stage, stage));
		recorded->source.agreement = EntryText(5, context);
		version = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 6, &isnull);
		if (!isnull && recorded->source.agreement != NULL)
			recorded->source.version = DatumGetInt32(version);
	}
	SPI_finish();
}

/*
 * Sets where a move begins for the current user, as the triggers do.
 */
void
align_begin_for_reader(const Attachment *attachment, const Datum *key, bool was_live,
					   RowMove *row_move)
{
	RecordedStage recorded = {0};

	if (was_live && !align_begins_as_recorded(&row_move->move))
		return;

	/*
	 * Looking up labels may have run code of the owner, who renames the
	 * history.  So get the attachment again, with its tables locked.
	 */
	if (MayReadHistory(attachment))
		ReadRecordedStage(align_attachment_locked(attachment->id, AccessShareLock), key, was_live,
						  &recorded);
	if (was_live)
		(void) align_begin_in_stage(row_move, &recorded);
	else
		align_begin_suspended(row_move, &recorded);
}
