/*
 * sql.c
 *	  SQL functions violations, first_deviation, fits, fitness, sla_clocks and
 *	  advance.
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "judge/judge.h"

PG_FUNCTION_INFO_V1(align_violations);
PG_FUNCTION_INFO_V1(align_first_deviation);
PG_FUNCTION_INFO_V1(align_fits);
PG_FUNCTION_INFO_V1(align_fitness);
PG_FUNCTION_INFO_V1(align_sla_clocks);
PG_FUNCTION_INFO_V1(align_advance);

static inline struct varlena *
LeadArg(Datum datum)
{
	return PG_DETOAST_DATUM_PACKED(datum);
}

static Datum
StageDatum(const Funnel *funnel, int stage, LeadString label, bool *isnull)
{
	*isnull = stage < 0 && label.text == NULL;
	if (*isnull)
		return (Datum) 0;
	/* an unknown stage is shown as its label */
	return stage >= 0 ? CStringGetTextDatum(funnel->stages[stage].name) :
		align_lead_text_datum(label);
}

/*
 * A context to reset after every output row: a detail may be as long as the
 * agreement, and a journey may give a million rows.
 */
static MemoryContext
RowContext(void)
{
	return AllocSetContextCreate(CurrentMemoryContext, "align judge row", ALLOCSET_SMALL_SIZES);
}

#define VIOLATION_NCOLUMNS 6

/*
 * The row of a rule that the current entry of a walk breaks.
 */
static void
SetViolation(const Funnel *funnel, const Walk *walk, const Move *move, Rule rule,
			 Datum *values, bool *nulls)
{
	VerdictText text;

	align_verdict_text(funnel, move, rule, "lead", "The agreement", &text);
	values[0] = Int32GetDatum(walk->entry_no);
	values[1] = TimestampTzGetDatum(walk->entry.at);
	values[2] = CStringGetTextDatum(align_rule_name(rule));
	values[3] = StageDatum(funnel, move->from, move->from_label, &nulls[3]);
	values[4] = StageDatum(funnel, move->to, move->to_label, &nulls[4]);
	values[5] = CStringGetTextDatum(psprintf("%s: %s", text.message, text.detail));
}

static void
PutViolation(ReturnSetInfo *rsinfo, const Funnel *funnel, const Walk *walk, const Move *move,
			 Rule rule)
{
	Datum		values[VIOLATION_NCOLUMNS];
	bool		nulls[VIOLATION_NCOLUMNS] = {0};

	SetViolation(funnel, walk, move, rule, values, nulls);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/*
 * violations(lead, funnel): every rule that every entry breaks.
 */
Datum
align_violations(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Funnel	   *funnel = align_funnel_arg(fcinfo->flinfo, PG_GETARG_DATUM(1), 0, 1);
	struct varlena *lead = LeadArg(PG_GETARG_DATUM(0));
	MemoryContext row_context = NULL;
	Walk		walk;

	align_begin_rows(fcinfo);
	align_walk_begin(&walk, funnel, lead, DT_NOEND);
	while (align_walk_next(&walk))
	{
		Move		move;
		Rule		broken[MOVE_MAX_BROKEN];
		int			nbroken;

		CHECK_FOR_INTERRUPTS();
		align_walk_move(&walk, &move);
		nbroken = align_judge_move(funnel, &move, broken);
		for (int i = 0; i < nbroken; i++)
		{
			MemoryContext caller;

			/* most journeys break no rule and need no context */
			if (row_context == NULL)
				row_context = RowContext();
			caller = MemoryContextSwitchTo(row_context);
			PutViolation(rsinfo, funnel, &walk, &move, broken[i]);
			MemoryContextSwitchTo(caller);
			MemoryContextReset(row_context);
		}
	}
	if (row_context != NULL)
		MemoryContextDelete(row_context);
	align_walk_end(&walk);
	return (Datum) 0;
}

/*
 * first_deviation(lead, funnel): the first row of violations(), NULL if there
 * is none.  The row type is looked up once per call site.
 */
Datum
align_first_deviation(PG_FUNCTION_ARGS)
{
	Funnel	   *funnel = align_funnel_arg(fcinfo->flinfo, PG_GETARG_DATUM(1), 0, 2);
	ValueMemo  *memo = align_memo(fcinfo->flinfo, 1, 2);
	struct varlena *lead = LeadArg(PG_GETARG_DATUM(0));
	Datum		values[VIOLATION_NCOLUMNS];
	bool		nulls[VIOLATION_NCOLUMNS] = {0};
	bool		deviates = false;
	Walk		walk;

	align_walk_begin(&walk, funnel, lead, DT_NOEND);
	while (!deviates && align_walk_next(&walk))
	{
		Move		move;
		Rule		broken[MOVE_MAX_BROKEN];

		align_walk_move(&walk, &move);
		deviates = align_judge_move(funnel, &move, broken) > 0;
		if (deviates)
			SetViolation(funnel, &walk, &move, broken[0], values, nulls);
	}
	align_walk_end(&walk);
	if (!deviates)
		PG_RETURN_NULL();
	if (memo->compiled == NULL)
		memo->compiled = align_result_desc(fcinfo, memo->context);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple((TupleDesc) memo->compiled, values, nulls)));
}

/*
 * fits(lead, funnel): true if violations() returns no row.
 */
Datum
align_fits(PG_FUNCTION_ARGS)
{
	Funnel	   *funnel = align_funnel_arg(fcinfo->flinfo, PG_GETARG_DATUM(1), 0, 1);
	struct varlena *lead = LeadArg(PG_GETARG_DATUM(0));
	Walk		walk;
	bool		result = true;

	align_walk_begin(&walk, funnel, lead, DT_NOEND);
	while (result && align_walk_next(&walk))
	{
		Move		move;
		Rule		broken[MOVE_MAX_BROKEN];

		align_walk_move(&walk, &move);
		result = align_judge_move(funnel, &move, broken) == 0;
	}
	align_walk_end(&walk);
	PG_FREE_IF_COPY(lead, 0);
	PG_RETURN_BOOL(result);
}

/*
 * fitness(lead, funnel): legal moves / moves, 1 for a lead that never moved.
 * A move from or to an unknown stage is not legal.
 */
Datum
align_fitness(PG_FUNCTION_ARGS)
{
	Funnel	   *funnel = align_funnel_arg(fcinfo->flinfo, PG_GETARG_DATUM(1), 0, 1);
	struct varlena *lead = LeadArg(PG_GETARG_DATUM(0));
	Walk		walk;
	int64		moves = 0;
	int64		legal = 0;

	align_walk_begin(&walk, funnel, lead, DT_NOEND);
	while (align_walk_next(&walk))
	{
		if (walk.from_string < 0)
			continue;			/* the entry into the funnel */
		moves++;
		if (walk.from >= 0 && walk.to >= 0 &&
			(FUNNEL_MOVE(funnel, walk.from, walk.to) & MOVE_LEGAL))
			legal++;
	}
	align_walk_end(&walk);
	PG_FREE_IF_COPY(lead, 0);
	PG_RETURN_FLOAT8(moves == 0 ? 1.0 : (double) legal / moves);
}

static void
PutClock(ReturnSetInfo *rsinfo, const ClockBoard *board, const SlaClock *clock, TimestampTz as_of)
{
	const Funnel *funnel = board->funnel;
	const ServiceLevel *sla = &funnel->service_levels[clock->sla];
	ClockReading reading;
	Datum		values[10];
	bool		nulls[10] = {0};

	align_clock_read(board->funnel, clock, as_of, &reading);
	values[0] = CStringGetTextDatum(sla->name);
	values[1] = Int32GetDatum(clock->cycle);
	nulls[2] = sla->team < 0;
	values[2] = nulls[2] ? (Datum) 0 : CStringGetTextDatum(funnel->teams[sla->team].name);
	values[3] = TimestampTzGetDatum(clock->started_at);
	values[4] = TimestampTzGetDatum(reading.due_at);
	nulls[5] = reading.warn_at == CLOCK_NO_WARNING;
	values[5] = TimestampTzGetDatum(reading.warn_at);
	nulls[6] = !clock->closed;
	values[6] = nulls[6] ? (Datum) 0 : TimestampTzGetDatum(clock->stopped_at);
	values[7] = align_interval_datum(reading.elapsed);
	nulls[8] = clock->closed;
	values[8] = align_interval_datum(reading.remaining);
	values[9] = CStringGetTextDatum(align_clock_state_name(reading.state));
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/*
 * sla_clocks(lead, funnel, as_of): one row per cycle, in the order of start.
 */
Datum
align_sla_clocks(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Funnel	   *funnel = align_funnel_arg(fcinfo->flinfo, PG_GETARG_DATUM(1), 0, 1);
	struct varlena *lead = LeadArg(PG_GETARG_DATUM(0));
	TimestampTz as_of = align_as_of_arg(fcinfo, 2);
	ClockBoard	board;
	MemoryContext row_context;
	MemoryContext caller;

	align_begin_rows(fcinfo);
	align_clocks_begin(&board, funnel);
	align_clocks_run(&board, lead, as_of);
	row_context = RowContext();
	caller = MemoryContextSwitchTo(row_context);
	for (int i = 0; i < board.nclocks; i++)
	{
		CHECK_FOR_INTERRUPTS();
		PutClock(rsinfo, &board, &board.clocks[i], as_of);
		MemoryContextReset(row_context);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(row_context);
	align_clocks_end(&board);
	return (Datum) 0;
}

/*
 * Set the stage from which the lead moves, and the ordinal of the next entry.
 * Simultaneous entries are ordered by ordinal, so an entry at the time of the
 * last one needs an ordinal, as does any in a journey that has ordinals.
 */
static void
LastMove(const Funnel *funnel, const struct varlena *lead, TimestampTz at, Move *move,
		 int64 *ordinal)
{
	Walk		walk;
	LeadReader	reader;
	LeadEntry	entry;

	*ordinal = 0;
	align_lead_read(&reader, lead);
	while (align_lead_next(&reader, &entry))
	{
		if (entry.at > at)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("lead cannot advance to a time before its last entry")));
		if (entry.ordinal == PG_INT64_MAX)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("ordinals of the lead are used up")));
		if (entry.at == at || entry.ordinal > 0)
			*ordinal = Max(*ordinal, entry.ordinal + 1);
	}
	align_lead_read_end(&reader);

	/* the lead moves from the stage of its last stage entry */
	align_walk_begin(&walk, funnel, lead, DT_NOEND);
	while (align_walk_next(&walk))
	{
		move->from = walk.to;
		move->from_label = align_walk_string(&walk, walk.entry.stage);
	}
	align_walk_end(&walk);
}

static LeadString
OptionalString(FunctionCallInfo fcinfo, int argno)
{
	LeadString	result = {NULL, 0};

	if (!PG_ARGISNULL(argno))
	{
		text	   *value = PG_GETARG_TEXT_PP(argno);

		result.text = VARDATA_ANY(value);
		result.len = VARSIZE_ANY_EXHDR(value);
	}
	return result;
}

/*
 * advance(lead, funnel, stage, at, team, reason): the lead after the move, or
 * the error that a trigger would raise.  For a NULL lead the move is its
 * entry.
 */
Datum
align_advance(PG_FUNCTION_ARGS)
{
	struct varlena *lead = PG_ARGISNULL(0) ? NULL : LeadArg(PG_GETARG_DATUM(0));
	Move		move = {.from = -1};
	LeadInput	input = {0};
	Rule		broken[MOVE_MAX_BROKEN];
	LeadBuilder *builder;
	Funnel	   *funnel;

	align_require_argument(fcinfo, 1, "agreement");
	align_require_argument(fcinfo, 2, "stage");
	align_require_argument(fcinfo, 3, "time");
	funnel = align_funnel_arg(fcinfo->flinfo, PG_GETARG_DATUM(1), 0, 1);
	input.at = PG_GETARG_TIMESTAMPTZ(3);
	if (TIMESTAMP_NOT_FINITE(input.at))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("time must be finite")));
	input.team = OptionalString(fcinfo, 4);
	input.reason = OptionalString(fcinfo, 5);

	if (lead != NULL)
		LastMove(funnel, lead, input.at, &move, &input.ordinal);
	move.to_label = OptionalString(fcinfo, 2);
	move.to = align_funnel_stage(funnel, move.to_label.text, move.to_label.len);
	move.team = input.team;
	move.reason = input.reason;
	if (align_judge_move(funnel, &move, broken) > 0)
	{
		VerdictText text;

		align_verdict_text(funnel, &move, broken[0], "lead", "The agreement", &text);
		ereport(ERROR,
				(align_errrule(broken[0]),
				 errmsg("%s", text.message),
				 errdetail("%s", text.detail),
				 text.hint ? errhint("%s", text.hint) : 0));
	}
	/* the lead is in that stage already */
	if (lead != NULL && move.from == move.to)
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));

	input.stage.text = funnel->stages[move.to].name;
	input.stage.len = strlen(funnel->stages[move.to].name);
	builder = align_lead_builder(CurrentMemoryContext);
	if (lead != NULL)
		align_lead_add_all(builder, lead);
	align_lead_add(builder, &input);
	PG_RETURN_POINTER(align_lead_encode(builder, false));
}
