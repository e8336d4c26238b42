/*
 * journeys.c
 *	  journeys(): returns the history of leads as values of type lead.
 *
 * A journey consists of the stage entries and touches of a lead.  entry_no
 * becomes the ordinal, so that entries of the same time keep their order.
 * Changes of owner or key and entries of rows that are not live are left out.
 * Stages that were renamed since have the names of today.
 *
 * PostgreSQL sorts the history by key; one lead at a time is in memory.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "agreement/agreement.h"
#include "attachment/judging_version.h"
#include "attachment/key.h"
#include "report/journeys.h"
#include "report/scan.h"

PG_FUNCTION_INFO_V1(align_journeys);
PG_FUNCTION_INFO_V1(align_journeys_of_key);

/* Columns to read from the history, by JourneyColumn, without the last. */
#define JOURNEY_COLUMNS \
	"r.entry_no, r.event, r.effective_at, r.stage, r.team, r.reason, r.campaign, r.amount, " \
	"r.version, r.source, r.agreement, "

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
	JOURNEY_AGREEMENT,
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
 * By which names journeys have their stages.
 */
typedef struct StageNames
{
	const char *agreement;
	int32		version;		/* that judges the table now */
	Funnel	   *current;		/* its funnel; NULL if the agreement is lost */
	const Funnel *keep;			/* stages that it knows keep their names */
} StageNames;

/*
 * Looks up the version that judges now.  Journeys can be read without it.
 */
static void
InitNames(StageNames *names, const Attachment *attachment, const Funnel *keep)
{
	memset(names, 0, sizeof(StageNames));
	names->keep = keep;
	names->agreement = attachment->marker.agreement;
	if (align_agreement_lookup(names->agreement) != NULL)
		names->current = align_judging_funnel(unconstify(Attachment *, attachment),
											  &names->version);
}

/*
 * Returns the first name or label of a stage that names->keep knows, else its
 * name.
 */
static LeadString
NameToShow(const StageNames *names, const FunnelStage *stage)
{
	LeadString	name = align_lead_cstring(stage->name);

	if (names->keep == NULL || align_funnel_stage(names->keep, name.text, name.len) >= 0)
		return name;
	for (int i = 0; i < stage->nlabels; i++)
	{
		LeadString	label = align_lead_cstring(stage->labels[i]);

		if (align_funnel_stage(names->keep, label.text, label.len) >= 0)
			return label;
	}
	return name;
}

/*
 * Returns the name of a stage that an entry has recorded.
 */
static LeadString
StageName(const StageNames *names, const TableScan *scan, LeadString recorded)
{
	StageSource source = {names->agreement, 0};
	int			stage;

	if (recorded.text == NULL || names->current == NULL ||
		(names->keep != NULL &&
		 align_funnel_stage(names->keep, recorded.text, recorded.len) >= 0))
		return recorded;
	stage = align_funnel_stage(names->current, recorded.text, recorded.len);
	if (stage < 0)
	{
		if (!scan->nulls[JOURNEY_AGREEMENT])
			source.agreement = TextDatumGetCString(scan->values[JOURNEY_AGREEMENT]);
		if (!scan->nulls[JOURNEY_VERSION])
			source.version = DatumGetInt32(scan->values[JOURNEY_VERSION]);
		stage = align_carry_stage(&source, names->agreement, names->version, names->current,
								  pnstrdup(recorded.text, recorded.len));
	}
	return stage < 0 ? recorded : NameToShow(names, &names->current->stages[stage]);
}

/*
 * Adds the entry in the current row to the journey, if it is part of it.
 *
 * *ended_at becomes the time of the entry if the lead is out of the funnel
 * after it, else DT_NOEND.  Touches, entries merged from another lead, and
 * entries of rows that are not live leave it as it is.
 */
static void
AddEntry(LeadBuilder *builder, const TableScan *scan, const StageNames *names, bool with_team,
		 TimestampTz *ended_at)
{
	LeadString	event_name = ScanString(scan, JOURNEY_EVENT);
	LeadString	source = ScanString(scan, JOURNEY_SOURCE);
	int			event = align_history_event(event_name.text, event_name.len);
	LeadInput	input = {0};

	if (align_source_is_not_live(source.text, source.len))
		return;
	if (event != EVENT_TOUCH && !align_source_is_merged(source.text, source.len))
		*ended_at = !align_is_stage_event(event) || scan->nulls[JOURNEY_STAGE] ?
			DatumGetTimestampTz(scan->values[JOURNEY_EFFECTIVE_AT]) : DT_NOEND;
	if (align_is_stage_event(event))
		input.stage = StageName(names, scan, ScanString(scan, JOURNEY_STAGE));
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
					const Funnel *funnel, RecordedJourneyCallback callback, void *state)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(caller, "align journey", ALLOCSET_DEFAULT_SIZES);
	TableScan	scan;
	StageNames	names;
	char	   *columns = psprintf(JOURNEY_COLUMNS "%s", align_scan_segments(attachment));

	InitNames(&names, attachment, funnel);
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
		TimestampTz ended_at = DT_NOBEGIN;

		MemoryContextSwitchTo(context);
		align_copy_key(scan.attachment, scan.key, key);
		builder = align_lead_builder(context);
		while (align_table_scan_compare(&scan, key) == 0)
		{
			AddEntry(builder, &scan, &names, with_team, &ended_at);
			MemoryContextSwitchTo(caller);
			(void) align_table_scan_next(&scan);
			MemoryContextSwitchTo(context);
		}
		if (align_lead_count(builder) > 0)
			callback(state, key, align_lead_encode(builder, false), ended_at);
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
PutJourney(void *arg, const Datum *key, const struct varlena *lead, TimestampTz ended_at)
{
	JourneysState *state = (JourneysState *) arg;
	Datum		values[2];
	bool		nulls[2] = {false};

	(void) ended_at;
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
	align_read_journeys(attachment, with_key ? key : NULL, true, NULL, PutJourney, &state);
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
