/*
 * verdict.c
 *	  Trigger functions for measurements: one does nothing, and one judges a
 *	  move as align does but records nothing.
 *
 * This is not part of the extension.  test/bench/run compiles it into a
 * library of its own, which calls functions of the align library that is
 * already loaded into the server.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "fmgr.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "attachment/attachment.h"
#include "history/replay.h"
#include "verdict/verdict.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(bench_nothing);
PG_FUNCTION_INFO_V1(bench_verdict);

Datum
bench_nothing(PG_FUNCTION_ARGS)
{
	(void) fcinfo;
	return PointerGetDatum(NULL);
}

/*
 * Does what align.record_row() does for an UPDATE, up to the verdict.
 */
Datum
bench_verdict(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Relation	rel = trigdata->tg_relation;
	AttachmentId id = {RelationGetRelid(rel), ATTACHMENT_FIRST};
	Attachment *attachment = align_attachment(id, false);
	RowMove		row_move;
	Verdict		verdict;

	memset(&row_move, 0, sizeof(RowMove));
	row_move.agreement = attachment->marker.agreement;
	row_move.funnel = align_agreement_funnel_at(row_move.agreement, GetCurrentTimestamp(),
												&row_move.version);
	row_move.move.from = align_row_stage(attachment, rel, trigdata->tg_trigtuple,
										 row_move.funnel, &row_move.move.from_label);
	row_move.move.to = align_row_stage(attachment, rel, trigdata->tg_newtuple,
									   row_move.funnel, &row_move.move.to_label);
	row_move.move.reason = align_role_text(attachment, ROW_REASON, rel, trigdata->tg_newtuple);
	align_verdict(attachment, rel, &row_move, trigdata->tg_newtuple, &verdict);
	if (verdict.nbroken > 0)
		align_verdict_report(attachment, rel, &row_move, trigdata->tg_newtuple, &verdict);
	return PointerGetDatum(NULL);
}
