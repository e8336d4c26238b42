/*
 * past.c
 *	  Reads what the history of a lead means for the next change of its row;
 *	  see past.h.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "utils/builtins.h"

#include "attachment/key.h"
#include "catalog/as_role.h"
#include "record/past.h"
#include "record/plans.h"
#include "record/run.h"
#include "record/writer.h"

/*
 * Executes a statement that reads, for one key, with the identity that record
 * tables are written with.  The caller is connected to SPI.
 */
static uint64
Read(Attachment *attachment, RecorderStatement statement, const Datum *key)
{
	OwnerIdentity identity;
	TupleDesc	desc;
	Tuplestorestate *rows = align_recorder_rows(attachment, ROWS_KEYS, &desc);
	Datum		values[1 + ATTACHMENT_MAX_KEYS];
	bool		nulls[1 + ATTACHMENT_MAX_KEYS] = {false};
	uint64		result;

	values[0] = Int32GetDatum(0);
	memcpy(values + 1, key, attachment->nkeys * sizeof(Datum));
	tuplestore_putvalues(rows, desc, values, nulls);
	align_become_owner(attachment, &identity);
	result = align_recorder_execute(attachment, statement, rows, NULL, NULL);
	align_resume_identity(&identity);
	tuplestore_end(rows);
	return result;
}

/*
 * Returns a text field of the current result of SPI, copied, or NULL.
 */
static char *
PastText(int attnum)
{
	LeadString	text = align_spi_text(0, attnum);

	return text.text != NULL ? pnstrdup(text.text, text.len) : NULL;
}

/*
 * Sets the stage in which a lead was when its row ceased to be live.  After a
 * change that did not end its life, it is the one after that: the row trigger
 * of that change has fired before the one that will end the life.
 */
void
align_past_suspended_stage(Attachment *attachment, Batch *batch, const Datum *key,
						   CommandId before, RecordedStage *result)
{
	const Change *pending = align_pending_last(batch, attachment, key, before);
	MemoryContext context = CurrentMemoryContext;
	const char *stage = NULL;

	memset(result, 0, sizeof(RecordedStage));
	/* a change of key does not show in which stage the lead was */
	while (pending != NULL && pending->event == EVENT_REKEY)
	{
		if (!align_same_key(attachment, pending->key, key))
			return;				/* what is recorded is of another lead */
		key = pending->old_key;
		pending = align_pending_last(batch, attachment, key, pending->command);
	}
	if (pending != NULL)
	{
		stage = align_suspended_stage(pending->event, pending->source, pending->from_stage,
									  pending->stage);
		result->name = stage != NULL ? pstrdup(stage) : NULL;
		result->source.agreement = pstrdup(attachment->marker.agreement);
		result->source.version = pending->version;
		return;
	}
	attachment = align_attachment_locked(attachment->id, RowExclusiveLock);
	align_spi_connect();
	if (Read(attachment, READ_PAST, key) > 0)
	{
		char	   *event = PastText(PAST_EVENT);
		char	   *agreement = PastText(PAST_AGREEMENT);
		int			number = align_history_event(event, strlen(event));
		bool		isnull;
		Datum		version = SpiField(0, PAST_VERSION, &isnull);

		if (number >= 0)
			stage = align_suspended_stage(number, PastText(PAST_SOURCE),
										  PastText(PAST_FROM_STAGE), PastText(PAST_STAGE));
		if (stage != NULL)
			result->name = MemoryContextStrdup(context, stage);
		if (!isnull && agreement != NULL)
		{
			result->source.agreement = MemoryContextStrdup(context, agreement);
			result->source.version = DatumGetInt32(version);
		}
	}
	SPI_finish();
}

/*
 * Returns the furthest stage of the joined journey of a merged lead.
 */
int
align_past_furthest_stage(Attachment *attachment, Batch *batch, const Datum *key,
						  CommandId before, Funnel *funnel)
{
	int			result = -1;
	uint64		nentries;
	bool		isnull;

	if (align_pending_last(batch, attachment, key, before) != NULL)
		return -1;
	attachment = align_attachment_locked(attachment->id, RowExclusiveLock);
	align_spi_connect();
	if (Read(attachment, READ_PAST, key) > 0 && DatumGetBool(SpiField(0, PAST_MERGED, &isnull)))
	{
		SPI_freetuptable(SPI_tuptable);
		nentries = Read(attachment, READ_ENTRIES, key);
		for (uint64 i = 0; i < nentries; i++)
		{
			LeadString	event = align_spi_text(i, ENTRY_EVENT);
			LeadString	source = align_spi_text(i, ENTRY_SOURCE);
			LeadString	stage = align_spi_text(i, ENTRY_STAGE);

			if (align_is_stage_event(align_history_event(event.text, event.len)) &&
				!align_source_is_not_live(source.text, source.len))
				result = align_further_stage(funnel, result, stage);
		}
	}
	SPI_finish();
	return result;
}
