/*
 * past.c
 *	  Reads what the history of a lead means for the next change of its row;
 *	  see past.h.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "attachment/key.h"
#include "catalog/as_role.h"
#include "judge/judge.h"
#include "record/direct.h"
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
 * Sets the version that an entry was recorded under.  agreement is copied into
 * the current memory context.
 */
static void
SetSource(const Attachment *attachment, LeadString agreement, int32 version, StageSource *source)
{
	source->agreement = agreement.text != NULL ? pnstrdup(agreement.text, agreement.len) :
		pstrdup(attachment->marker.agreement);
	source->version = version;
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
		SetSource(attachment, align_lead_cstring(NULL), pending->version, &result->source);
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
 * Search for the furthest stage of a joined journey.
 */
typedef struct Furthest
{
	const Attachment *attachment;
	const RowMove *judging;
	int			stage;			/* index in the funnel of judging, or -1 */
} Furthest;

/*
 * Considers a stage that was recorded.
 */
static void
ConsiderStage(Furthest *furthest, LeadString stage, LeadString agreement, int32 version)
{
	const RowMove *judging = furthest->judging;
	StageSource source;

	if (stage.text == NULL)
		return;
	SetSource(furthest->attachment, agreement, version, &source);
	furthest->stage =
		align_further_stage(judging->funnel, furthest->stage,
							align_carry_stage(&source, judging->agreement, judging->version,
											  judging->funnel, pnstrdup(stage.text, stage.len)));
}

/*
 * Reads the furthest stage by statements.  The caller is connected to SPI.
 */
static void
ReadFurthestBySql(Furthest *furthest, Attachment *attachment, const Datum *key)
{
	uint64		nentries;
	bool		isnull;

	if (Read(attachment, READ_PAST, key) == 0 || !DatumGetBool(SpiField(0, PAST_MERGED, &isnull)))
		return;
	SPI_freetuptable(SPI_tuptable);
	nentries = Read(attachment, READ_ENTRIES, key);
	for (uint64 i = 0; i < nentries; i++)
	{
		LeadString	event = align_spi_text(i, ENTRY_EVENT);
		LeadString	source = align_spi_text(i, ENTRY_SOURCE);
		Datum		version = SpiField(i, ENTRY_VERSION, &isnull);

		if (align_is_stage_event(align_history_event(event.text, event.len)) &&
			!align_source_is_not_live(source.text, source.len))
			ConsiderStage(furthest, align_spi_text(i, ENTRY_STAGE),
						  align_spi_text(i, ENTRY_AGREEMENT),
						  isnull ? 0 : DatumGetInt32(version));
	}
}

/*
 * Reads the furthest stage through the index on key and entry_no.  Usually the
 * last entry shows that nothing was merged since the lead entered its stage.
 */
static void
ReadFurthestDirectly(Furthest *furthest, Direct *direct, const Datum *key)
{
	DirectTable *table = &direct->history;
	bool		merged = false; /* the last stage entry is known, and merged */
	bool		recorded = false;	/* there is an entry that is not, as
									 * READ_PAST returns it */
	SysScanDesc scan;
	HeapTuple	tuple;

	align_direct_refresh(direct);
	scan = align_direct_scan(direct, table, key, NULL);
	while ((tuple = align_direct_next(scan)) != NULL)
	{
		LeadString	event_name = DirectText(table, tuple, HISTORY_EVENT);
		LeadString	source = DirectText(table, tuple, HISTORY_SOURCE);
		int			event = align_history_event(event_name.text, event_name.len);
		bool		live = !align_source_is_not_live(source.text, source.len);
		bool		own = !align_source_is_merged(source.text, source.len);
		bool		isnull;
		Datum		version;

		CHECK_FOR_INTERRUPTS();
		if (own && live && event != EVENT_REKEY && event != EVENT_TOUCH)
			recorded = true;
		if (!align_is_stage_event(event))
			continue;
		if (own && !merged)
			break;
		merged = true;
		version = DirectField(table, tuple, HISTORY_VERSION, &isnull);
		if (live)
			ConsiderStage(furthest, DirectText(table, tuple, HISTORY_STAGE),
						  DirectText(table, tuple, HISTORY_AGREEMENT),
						  isnull ? 0 : DatumGetInt32(version));
	}
	align_direct_end_scan(scan);
	if (!recorded)
		furthest->stage = -1;
}

/*
 * Returns the furthest stage of the joined journey of a merged lead.
 */
int
align_past_furthest_stage(Attachment *attachment, Batch *batch, const Datum *key,
						  CommandId before, const RowMove *judging)
{
	Furthest	furthest = {.judging = judging,.stage = -1};
	OwnerIdentity identity;
	Direct	   *direct;

	if (align_pending_last(batch, attachment, key, before) != NULL)
		return -1;
	attachment = align_attachment_locked(attachment->id, RowExclusiveLock);
	furthest.attachment = attachment;
	align_spi_connect();		/* its memory is freed at the end */
	align_become_owner(attachment, &identity);
	direct = align_direct_begin(attachment);
	if (direct != NULL)
	{
		ReadFurthestDirectly(&furthest, direct, key);
		align_direct_end(direct);
	}
	align_resume_identity(&identity);
	if (direct == NULL)
		ReadFurthestBySql(&furthest, attachment, key);
	SPI_finish();
	return furthest.stage;
}
