/*
 * backtest.c
 *	  backtest(): returns what an agreement would have refused or missed.
 *
 * The journeys come from a query or from the history of an attached table.
 * Each one is judged as the triggers would judge it, and its service-level
 * clocks are run.  The findings are counted per rule and move, so the memory
 * that they need does not depend on the number of leads.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/varlena.h"

#include "backtest/findings.h"
#include "backtest/query.h"
#include "judge/judge.h"
#include "report/journeys.h"
#include "report/scan.h"

PG_FUNCTION_INFO_V1(align_backtest);
PG_FUNCTION_INFO_V1(align_backtest_relation);

/*
 * State of one call of backtest().
 */
typedef struct Backtest
{
	Funnel	   *funnel;
	Findings   *findings;
	ClockBoard	board;			/* clocks of the current journey */
	int			started_capacity;	/* allocated size of started_by */
	int		   *started_by;		/* for each clock of board, the stage that
								 * started it */
	/* only for journeys from the history of an attached table: */
	const Attachment *attachment;
	TupleDesc	key_desc;		/* row type of the key */
	TimestampTz latest;			/* largest time in all journeys */
} Backtest;

/*
 * Returns the name of a stage, or label if the funnel does not have it (stage
 * is -1).
 */
static LeadString
StageName(const Funnel *funnel, int stage, LeadString label)
{
	if (stage >= 0)
	{
		label.text = funnel->stages[stage].name;
		label.len = strlen(label.text);
	}
	return label;
}

/*
 * Judges the current entry of a walk, and counts the rules that it breaks.
 */
static void
CountViolations(Backtest *backtest, const Walk *walk, const text *lead_key)
{
	Move		move;
	Rule		broken[MOVE_MAX_BROKEN];
	int			nbroken;

	align_walk_move(walk, &move);
	nbroken = align_judge_move(backtest->funnel, &move, broken);
	for (int i = 0; i < nbroken; i++)
	{
		FindingKey	key;

		key.rule = broken[i];
		key.sla = -1;
		key.from = StageName(backtest->funnel, move.from, move.from_label);
		key.to = StageName(backtest->funnel, move.to, move.to_label);
		align_findings_count(backtest->findings, key, lead_key);
	}
}

/*
 * Applies the current entry of a walk to the clocks, and notes its stage for
 * the clocks that it starts.
 */
static void
RunClocks(Backtest *backtest, const Walk *walk)
{
	ClockBoard *board = &backtest->board;
	int			before = board->nclocks;

	align_clocks_enter(board, walk->to, walk->entry.at, align_walk_segments(walk));
	if (board->nclocks > backtest->started_capacity)
	{
		backtest->started_capacity = board->room;
		backtest->started_by = repalloc(backtest->started_by, board->room * sizeof(int));
	}
	for (int i = before; i < board->nclocks; i++)
		backtest->started_by[i] = walk->to;
}

/*
 * Closes an open clock at the end of its lead; false if that is before the
 * last event of the clock, or if the clock cannot be due.
 */
static bool
CloseAt(const Backtest *backtest, SlaClock *clock, TimestampTz ended_at)
{
	if (ended_at < (clock->paused ? clock->paused_at : clock->running_since))
		return false;
	return align_clock_cancel(backtest->funnel, clock, ended_at) == CLOCK_NO_PROBLEM;
}

/*
 * Counts the clocks that were missed or are overdue as of a time.  The end of
 * the lead, if it is not DT_NOEND, closes its open clocks: those that were due
 * by then are missed, the others cancelled.
 */
static void
CountMissed(Backtest *backtest, const text *lead_key, TimestampTz as_of, TimestampTz ended_at)
{
	LeadString	absent = {NULL, 0};

	for (int i = 0; i < backtest->board.nclocks; i++)
	{
		SlaClock   *clock = &backtest->board.clocks[i];
		ClockReading reading;
		FindingKey	key;

		if (ended_at != DT_NOEND && !clock->closed && !CloseAt(backtest, clock, ended_at))
			continue;
		align_clock_read(backtest->funnel, clock, as_of, &reading);
		if (reading.state != CLOCK_MISSED && reading.state != CLOCK_OVERDUE)
			continue;
		key.rule = RULE_NONE;
		key.sla = clock->sla;
		key.from = StageName(backtest->funnel, backtest->started_by[i], absent);
		key.to = StageName(backtest->funnel, clock->closed ? clock->stopped_by : -1, absent);
		align_findings_count(backtest->findings, key, lead_key);
	}
}

/*
 * Judges one journey.  key is the text of the lead's key, latest the largest
 * time of all journeys, and ended_at when the lead left the funnel, DT_NOEND
 * if it is there.
 */
static void
JudgeJourney(Backtest *backtest, const text *key, const struct varlena *lead, TimestampTz latest,
			 TimestampTz ended_at)
{
	Walk		walk;

	align_findings_next_lead(backtest->findings);
	align_clocks_reset(&backtest->board);
	align_walk_begin(&walk, backtest->funnel, lead, DT_NOEND);
	while (align_walk_next(&walk))
	{
		CHECK_FOR_INTERRUPTS();
		CountViolations(backtest, &walk, key);
		RunClocks(backtest, &walk);
	}
	align_walk_end(&walk);
	CountMissed(backtest, key, latest, ended_at);
}

/*
 * Callback of align_query_journeys().
 */
static void
JudgeQueried(void *state, const text *key, const struct varlena *lead, TimestampTz latest)
{
	JudgeJourney((Backtest *) state, key, lead, latest, DT_NOEND);
}

/*
 * Returns a key as text: if it has several columns, as the text of a row, as a
 * query returns it.
 */
static text *
KeyText(const Backtest *backtest, const Datum *key)
{
	const Attachment *attachment = backtest->attachment;
	bool		nulls[ATTACHMENT_MAX_KEYS] = {false};
	Datum		row;

	if (attachment->nkeys == 1)
		return cstring_to_text(OidOutputFunctionCall(attachment->keys[0].out.fn_oid, key[0]));
	row = HeapTupleGetDatum(heap_form_tuple(backtest->key_desc, unconstify(Datum *, key), nulls));
	return cstring_to_text(OidOutputFunctionCall(F_RECORD_OUT, row));
}

/*
 * Callback of align_read_journeys().
 */
static void
JudgeRecorded(void *state, const Datum *key, const struct varlena *lead, TimestampTz ended_at)
{
	Backtest   *backtest = (Backtest *) state;

	JudgeJourney(backtest, KeyText(backtest, key), lead, backtest->latest, ended_at);
}

/*
 * Judges the journeys in the history of an attached table.
 */
static void
JudgeHistory(Backtest *backtest, const Attachment *attachment)
{
	backtest->attachment = attachment;
	backtest->key_desc = CreateTemplateTupleDesc(attachment->nkeys);
	for (int i = 0; i < attachment->nkeys; i++)
		TupleDescInitEntry(backtest->key_desc, i + 1, attachment->keys[i].name,
						   attachment->keys[i].type, attachment->keys[i].typmod, 0);
	backtest->key_desc = BlessTupleDesc(backtest->key_desc);
	backtest->latest = align_latest_journey_time(attachment);
	/* without teams: the team in the history is not the one that moved it */
	align_read_journeys(attachment, NULL, false, backtest->funnel, JudgeRecorded, backtest);
}

/*
 * Returns the attached table, or the history, whose name is the text;
 * InvalidOid if there is none.  A query for backtest() is never just a name.
 */
static Oid
AttachedTableNamed(const char *text)
{
	char	   *copy = pstrdup(text);
	List	   *names;
	ListCell   *cell;
	Oid			relid;
	AttachmentId id;
	Oid			root;

	if (!SplitIdentifierString(copy, '.', &names) || names == NIL || list_length(names) > 2)
		return InvalidOid;
	foreach(cell, names)
		lfirst(cell) = makeString((char *) lfirst(cell));
	relid = RangeVarGetRelid(makeRangeVarFromNameList(names), NoLock, true);
	return OidIsValid(relid) && align_find_attachment(relid, &id, &root) ? relid : InvalidOid;
}

/*
 * Initializes the state of a call.
 */
static void
BeginBacktest(FunctionCallInfo fcinfo, Backtest *backtest)
{
	align_require_argument(fcinfo, 1, "agreement");
	align_begin_rows(fcinfo);
	memset(backtest, 0, sizeof(Backtest));
	backtest->funnel = align_funnel_arg(fcinfo->flinfo, PG_GETARG_DATUM(1), 0, 1);
	backtest->findings = align_findings_begin(backtest->funnel);
	align_clocks_begin(&backtest->board, backtest->funnel);
	backtest->started_capacity = backtest->board.room;
	backtest->started_by = palloc(backtest->started_capacity * sizeof(int));
}

/*
 * backtest(query, funnel): one row per finding.
 */
Datum
align_backtest(PG_FUNCTION_ARGS)
{
	Backtest	backtest;
	char	   *query;
	Oid			relid;

	align_require_argument(fcinfo, 0, "query");
	BeginBacktest(fcinfo, &backtest);
	query = text_to_cstring(PG_GETARG_TEXT_PP(0));
	relid = AttachedTableNamed(query);
	if (OidIsValid(relid))
	{
		JudgeHistory(&backtest, align_begin_reading(relid));
		align_end_reading();
	}
	else
		align_query_journeys(query, JudgeQueried, &backtest);
	align_findings_put(backtest.findings, (ReturnSetInfo *) fcinfo->resultinfo);
	return (Datum) 0;
}

/*
 * backtest(relation, funnel): one row per finding.
 */
Datum
align_backtest_relation(PG_FUNCTION_ARGS)
{
	Backtest	backtest;

	align_require_argument(fcinfo, 0, "relation");
	BeginBacktest(fcinfo, &backtest);
	JudgeHistory(&backtest, align_begin_reading(PG_GETARG_OID(0)));
	align_end_reading();
	align_findings_put(backtest.findings, (ReturnSetInfo *) fcinfo->resultinfo);
	return (Datum) 0;
}
