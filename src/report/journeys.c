/*
 * journeys.c
 *	  journeys(): returns the history of leads as values of type lead.
 *
 * A journey consists of the stage entries and touches of a lead.  entry_no
 * becomes the ordinal, so that entries of the same time keep their order.
 * Changes of owner or key and entries of rows that are not live are left out.
 *
 * PostgreSQL sorts the history by key; one lead at a time is in memory.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "attachment/key.h"
#include "report/journeys.h"
#include "report/scan.h"

PG_FUNCTION_INFO_V1(align_journeys);
PG_FUNCTION_INFO_V1(align_journeys_of_key);

/* Columns to read from the history, by JourneyColumn, without the last. */
#define JOURNEY_COLUMNS \
	"r.entry_no, r.event, r.effective_at, r.stage, r.team, r.reason, r.campaign, r.amount, " \
	"r.version, r.source, "

typedef enum JourneyColumn
{
	JOURNEY_ENTRY_NO,
	JOURNEY_EVENT,
	JOURNEY_EFFECTIVE_AT,
	JOURNEY_STAGE,
	JOURNEY_TEAM,
	JOURNEY_REASON,
	JOURNEY_CAMPAIGN,
	JOURNEY_AMOUNT,
	JOURNEY_VERSION,
	JOURNEY_SOURCE,
	JOURNEY_SEGMENTS
} JourneyColumn;

/* Changes of owner or key need not be read. */
#define JOURNEY_CONDITION \
	"r.event OPERATOR(pg_catalog.=) ANY " \
	"('{opening,entry,move,override,touch,deleted,truncated}'::pg_catalog.text[])"

/* Stage entries and touches of live rows. */
#define LATEST_CONDITION \
	"r.event OPERATOR(pg_catalog.=) ANY " \
	"('{opening,entry,move,override,touch}'::pg_catalog.text[]) " \
	"AND (r.stage IS NOT NULL " \
	"OR r.event OPERATOR(pg_catalog.=) 'touch' AND r.campaign IS NOT NULL) " \
	"AND " HISTORY_IS_LIVE("r")

static LeadString
ScanString(const TableScan *scan, JourneyColumn column)
{
	return scan->nulls[column] ? align_lead_cstring(NULL) :
		align_lead_varlena(scan->values[column]);
}

/*
 * Returns the amount as text; absent if it is NaN or infinite, which type lead
 * does not allow.
 */
static LeadString
ScanAmount(const TableScan *scan)
{
	Numeric		amount;

	if (scan->nulls[JOURNEY_AMOUNT])
		return align_lead_cstring(NULL);
	amount = DatumGetNumeric(scan->values[JOURNEY_AMOUNT]);
	if (numeric_is_nan(amount) || numeric_is_inf(amount))
		return align_lead_cstring(NULL);
	return align_lead_cstring(align_amount_text(amount));
}

/*
 * Adds the entry in the current row to the journey, if it is part of it.
 *
 * *ended becomes true if the lead is out of the funnel after the entry, else
 * false.  Touches, entries merged from another lead, and entries of rows that
 * are not live leave it as it is.
 */
static void
AddEntry(LeadBuilder *builder, const TableScan *scan, bool with_team, bool *ended)
{
	LeadString	event_name = ScanString(scan, JOURNEY_EVENT);
	LeadString	source = ScanString(scan, JOURNEY_SOURCE);
	int			event = align_history_event(event_name.text, event_name.len);
	LeadInput	input = {0};

	if (align_source_is_not_live(source.text, source.len))
		return;
	if (event != EVENT_TOUCH && !align_source_is_merged(source.text, source.len))
		*ended = !align_is_stage_event(event) || scan->nulls[JOURNEY_STAGE];
	if (align_is_stage_event(event))
		input.stage = ScanString(scan, JOURNEY_STAGE);
	else if (event != EVENT_TOUCH)
		return;
	input.campaign = ScanString(scan, JOURNEY_CAMPAIGN);
	if (input.stage.text == NULL && (event != EVENT_TOUCH || input.campaign.text == NULL))
		return;
	input.at = DatumGetTimestampTz(scan->values[JOURNEY_EFFECTIVE_AT]);
	if (with_team)
		input.team = ScanString(scan, JOURNEY_TEAM);
	input.reason = ScanString(scan, JOURNEY_REASON);
	input.amount = ScanAmount(scan);
	input.ordinal = DatumGetInt32(scan->values[JOURNEY_ENTRY_NO]);
	if (!scan->nulls[JOURNEY_VERSION])
		input.version = DatumGetInt32(scan->values[JOURNEY_VERSION]);
	if (!scan->nulls[JOURNEY_SEGMENTS])
		input.segments = align_segments_list(DatumGetArrayTypeP(scan->values[JOURNEY_SEGMENTS]));
	align_lead_add(builder, &input);
}

/*
 * Calls back for each lead with a journey, of one key or of all.
 */
void
align_read_journeys(const Attachment *attachment, const Datum *of_key, bool with_team,
					RecordedJourneyCallback callback, void *state)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(caller, "align journey", ALLOCSET_DEFAULT_SIZES);
	TableScan	scan;
	char	   *columns = psprintf(JOURNEY_COLUMNS "%s", align_scan_segments(attachment));

	if (of_key != NULL)
		align_table_scan_key(&scan, attachment, TABLE_HISTORY, columns, JOURNEY_CONDITION,
							 "r.entry_no", of_key);
	else
		align_table_scan_begin(&scan, attachment, TABLE_HISTORY, columns, JOURNEY_CONDITION,
							   "r.entry_no");
	(void) align_table_scan_next(&scan);
	while (scan.row != NULL)
	{
		Datum		key[ATTACHMENT_MAX_KEYS];
		LeadBuilder *builder;
		bool		ended = true;

		MemoryContextSwitchTo(context);
		align_copy_key(scan.attachment, scan.key, key);
		builder = align_lead_builder(context);
		while (align_table_scan_compare(&scan, key) == 0)
		{
			AddEntry(builder, &scan, with_team, &ended);
			MemoryContextSwitchTo(caller);
			(void) align_table_scan_next(&scan);
			MemoryContextSwitchTo(context);
		}
		if (align_lead_count(builder) > 0)
			callback(state, key, align_lead_encode(builder, false), ended);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(context);
	}
	align_table_scan_end(&scan);
	MemoryContextDelete(context);
}

/*
 * Returns the largest time in all journeys; DT_NOBEGIN if there are none.
 */
TimestampTz
align_latest_journey_time(const Attachment *attachment)
{
	StringInfoData sql;
	bool		isnull;
	Datum		latest;

	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT pg_catalog.max(r.effective_at) FROM %s AS r WHERE " LATEST_CONDITION,
					 attachment->history_name);
	if (SPI_execute(sql.data, true, 0) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "could not read the latest time in %s", attachment->history_name);
	latest = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	return isnull ? DT_NOBEGIN : DatumGetTimestampTz(latest);
}

typedef struct JourneysState
{
	ReturnSetInfo *rsinfo;
	const Attachment *attachment;
} JourneysState;

static void
PutJourney(void *arg, const Datum *key, const struct varlena *lead, bool ended)
{
	JourneysState *state = (JourneysState *) arg;
	Datum		values[2];
	bool		nulls[2] = {false};

	(void) ended;
	values[0] = align_key_jsonb(state->attachment, key);
	values[1] = PointerGetDatum(lead);
	tuplestore_putvalues(state->rsinfo->setResult, state->rsinfo->setDesc, values, nulls);
}

/*
 * Common to both forms of journeys().
 */
static Datum
Journeys(FunctionCallInfo fcinfo, bool with_key)
{
	JourneysState state;
	Attachment *attachment;
	Datum		key[ATTACHMENT_MAX_KEYS];

	align_require_argument(fcinfo, 0, "relation");
	align_begin_rows(fcinfo);
	state.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	state.attachment = attachment = align_begin_reading(PG_GETARG_OID(0));
	if (with_key)
		align_key_argument(fcinfo, 1, attachment, key);
	align_read_journeys(attachment, with_key ? key : NULL, true, PutJourney, &state);
	align_end_reading();
	return (Datum) 0;
}

/*
 * journeys(relation): one row per lead, in order of the key.
 */
Datum
align_journeys(PG_FUNCTION_ARGS)
{
	return Journeys(fcinfo, false);
}

/*
 * journeys(relation, key): one row, if the lead has a journey.
 */
Datum
align_journeys_of_key(PG_FUNCTION_ARGS)
{
	return Journeys(fcinfo, true);
}
