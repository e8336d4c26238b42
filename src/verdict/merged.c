/*
 * merged.c
 *	  The stage to which a merged lead may go on, for explain_move() and
 *	  dry_run().
 *
 * The trigger reads it with the plans of the recorder (record/past.h).  As
 * there, the history is read as the owner, whatever the caller may read: the
 * caller learns no more than whether the move is allowed.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "utils/snapmgr.h"

#include "agreement/agreement.h"
#include "attachment/key_sql.h"
#include "catalog/as_role.h"
#include "history/history.h"
#include "verdict/verdict.h"

/*
 * Returns the furthest stage of the entries in the result of SPI, in order;
 * -1 if the lead has entered a stage by itself since the last merge.
 */
static int
FurthestOfResult(const RowMove *judging)
{
	int			result = -1;
	bool		merged = false;

	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		char	   *event = SPI_getvalue(row, SPI_tuptable->tupdesc, 1);
		char	   *source = SPI_getvalue(row, SPI_tuptable->tupdesc, 2);
		char	   *stage = SPI_getvalue(row, SPI_tuptable->tupdesc, 3);

		char	   *agreement = SPI_getvalue(row, SPI_tuptable->tupdesc, 4);
		bool		isnull;
		Datum		version = SPI_getbinval(row, SPI_tuptable->tupdesc, 5, &isnull);
		StageSource recorded = {agreement != NULL ? agreement : judging->agreement,
		isnull ? judging->version : DatumGetInt32(version)};

		if (!align_is_stage_event(align_history_event(event, strlen(event))))
			continue;
		merged = source != NULL && align_source_is_merged(source, strlen(source));
		if (stage != NULL && !SourceIsNotLive(source))
			result = align_further_stage(judging->funnel, result,
										 align_carry_stage(&recorded, judging->agreement,
														   judging->version, judging->funnel, stage));
	}
	return merged ? result : -1;
}

/*
 * Returns the furthest stage of the joined journey of a lead, as an index in
 * the funnel; -1 if it may not be set to it.
 */
static int
FurthestStage(Attachment *attachment, Datum *key, const RowMove *judging)
{
	Oid			types[ATTACHMENT_MAX_KEYS];
	StringInfoData query;
	RestrictedCaller caller;
	CallerRole	owner;
	int			result;

	align_key_types(attachment, types);
	initStringInfo(&query);
	appendStringInfo(&query, "SELECT h.event, h.source, h.stage, h.agreement, h.version FROM %s AS h WHERE ",
					 attachment->history_name);
	align_append_key_parameters(&query, attachment, TABLE_HISTORY, "h", 1);
	appendStringInfoString(&query, " ORDER BY h.entry_no");

	align_begin_restricted(&caller, attachment->root_owner);
	align_work_as(attachment->root_owner, &owner);
	PushActiveSnapshot(GetLatestSnapshot());
	align_spi_connect();
	if (SPI_execute_with_args(query.data, attachment->nkeys, types, key, NULL, true,
							  0) != SPI_OK_SELECT)
		elog(ERROR, "could not read from %s", attachment->history_name);
	result = FurthestOfResult(judging);
	SPI_finish();
	PopActiveSnapshot();
	align_return_to(&owner);
	align_end_restricted(&caller);
	return result;
}

/*
 * Removes illegal_move from a verdict if the move is that of a merged lead to
 * the furthest stage of its joined journey.
 */
void
align_verdict_of_merged(Attachment *attachment, Datum *key, const RowMove *row_move,
						Verdict *verdict)
{
	const Move *move = &row_move->move;

	if (move->from < 0 || move->to < 0 || !align_verdict_breaks(verdict, RULE_ILLEGAL_MOVE) ||
		align_records_problem(attachment) != NULL)
		return;
	attachment = align_attachment_locked(attachment->id, AccessShareLock);
	if (FurthestStage(attachment, key, row_move) == move->to)
		align_verdict_remove(verdict, RULE_ILLEGAL_MOVE);
}
