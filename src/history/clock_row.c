/*
 * clock_row.c
 *	  Converts service-level clocks from and to rows of the clock table.
 *
 * The table does not hold the time that an open clock has counted so far; it
 * is computed from the start and the pauses.  due_at and warn_at are read from
 * the table, so that a change of time zone rules does not move the due
 * instants of open clocks.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/multirangetypes.h"
#include "utils/rangetypes.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "history/replay.h"

/*
 * Returns a column of a row of the clock table.
 */
static Datum
Column(HeapTuple tuple, TupleDesc desc, const AttrNumber columns[SLA_NCOLUMNS], SlaColumn column,
	   bool *isnull)
{
	return heap_getattr(tuple, columns[column], desc, isnull);
}

/*
 * Returns a column that align.attach() creates with NOT NULL; raises an error
 * if it is null nevertheless.
 */
static Datum
RequiredColumn(HeapTuple tuple, TupleDesc desc, const AttrNumber columns[SLA_NCOLUMNS],
			   SlaColumn column)
{
	bool		isnull;
	Datum		result = Column(tuple, desc, columns, column, &isnull);

	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("column \"%s\" of a clock is null", align_sla_columns[column].name),
				 errdetail("The columns of a clock table must remain as align.attach() created them.")));
	return result;
}

/*
 * Returns a text column as a string allocated in context, or NULL.
 */
static char *
TextColumn(MemoryContext context, HeapTuple tuple, TupleDesc desc,
		   const AttrNumber columns[SLA_NCOLUMNS], SlaColumn column)
{
	bool		isnull;
	Datum		value = Column(tuple, desc, columns, column, &isnull);
	MemoryContext caller;
	char	   *result;

	if (isnull)
		return NULL;
	caller = MemoryContextSwitchTo(context);
	result = TextDatumGetCString(value);
	MemoryContextSwitchTo(caller);
	return result;
}

/*
 * Returns the index of a service level in a funnel, or -1.
 */
static int
ServiceLevelIndex(const Funnel *funnel, const char *sla)
{
	for (int i = 0; funnel != NULL && i < funnel->nservice_levels; i++)
	{
		if (strcmp(funnel->service_levels[i].name, sla) == 0)
			return i;
	}
	return -1;
}

/*
 * Sets the pauses of a clock from a multirange.
 */
static void
LoadPauses(LeadClocks *clocks, LeadClock *clock, Datum paused)
{
	MultirangeType *multirange = DatumGetMultirangeTypeP(paused);
	TypeCacheEntry *typcache = lookup_type_cache(TSTZMULTIRANGEOID, TYPECACHE_MULTIRANGE_INFO);

	clock->npauses = clock->pauses_room = multirange->rangeCount;
	if (clock->npauses == 0)
		return;
	clock->pauses = MemoryContextAlloc(clocks->context,
									   clock->pauses_room * 2 * sizeof(TimestampTz));
	for (int i = 0; i < clock->npauses; i++)
	{
		RangeBound	lower;
		RangeBound	upper;

		multirange_get_bounds(typcache->rngtype, multirange, i, &lower, &upper);
		clock->pauses[i * 2] = lower.infinite ? DT_NOBEGIN : DatumGetTimestampTz(lower.val);
		clock->pauses[i * 2 + 1] = upper.infinite ? DT_NOEND : DatumGetTimestampTz(upper.val);
	}
}

/*
 * Computes from start and pauses of an open clock whether it is paused, and
 * the time counted so far.
 */
static void
LoadRunningState(LeadClock *clock)
{
	SlaClock   *inner = &clock->clock;

	inner->running_since = inner->started_at;
	for (int i = 0; i < clock->npauses; i++)
	{
		TimestampTz from = clock->pauses[i * 2];
		TimestampTz to = clock->pauses[i * 2 + 1];

		inner->spent += align_clock_time(clock->funnel, inner->sla, inner->running_since, from);
		if (to == DT_NOEND)
		{
			inner->paused = true;
			inner->paused_at = from;
		}
		else
			inner->running_since = to;
	}
}

/*
 * Loads whether and when a clock was announced.
 */
static void
LoadNotified(HeapTuple tuple, TupleDesc desc, const AttrNumber columns[SLA_NCOLUMNS],
			 SlaColumn column, bool *notified, TimestampTz *notified_at)
{
	bool		isnull;
	Datum		value = Column(tuple, desc, columns, column, &isnull);

	*notified = !isnull;
	*notified_at = isnull ? 0 : DatumGetTimestampTz(value);
}

/*
 * Loads the fields that only open clocks need.
 */
static void
LoadOpenClock(LeadClocks *clocks, LeadClock *clock, HeapTuple tuple, TupleDesc desc,
			  const AttrNumber columns[SLA_NCOLUMNS])
{
	SlaClock   *inner = &clock->clock;
	LeadString	agreement = {clock->agreement, strlen(clock->agreement)};
	bool		isnull;
	Datum		value;

	clock->funnel = align_replay_funnel(clocks, agreement, clock->version);
	inner->sla = ServiceLevelIndex(clock->funnel, clock->sla);
	if (inner->sla < 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("service level \"%s\" does not exist in version %d of agreement \"%s\"",
						clock->sla, clock->version, clock->agreement),
				 errdetail("An open clock of this service level runs under that version."),
				 errhint("Restore the original versions of the agreement.")));
	inner->due_at = DatumGetTimestampTz(RequiredColumn(tuple, desc, columns, SLA_DUE_AT));
	value = Column(tuple, desc, columns, SLA_WARN_AT, &isnull);
	inner->warn_at = isnull ? CLOCK_NO_WARNING : DatumGetTimestampTz(value);
	LoadPauses(clocks, clock, RequiredColumn(tuple, desc, columns, SLA_PAUSED));
	LoadRunningState(clock);
}

/*
 * Adds a clock with the fields that all clocks have.
 */
static LeadClock *
LoadClock(LeadClocks *clocks, HeapTuple tuple, TupleDesc desc,
		  const AttrNumber columns[SLA_NCOLUMNS])
{
	int			cycle = DatumGetInt32(RequiredColumn(tuple, desc, columns, SLA_CYCLE));
	int32		version = DatumGetInt32(RequiredColumn(tuple, desc, columns, SLA_VERSION));
	TimestampTz started_at =
		DatumGetTimestampTz(RequiredColumn(tuple, desc, columns, SLA_STARTED_AT));
	LeadClock  *clock;

	(void) RequiredColumn(tuple, desc, columns, SLA_SLA);
	clock = align_replay_new_clock(clocks, TextColumn(clocks->context, tuple, desc, columns,
													  SLA_SLA),
								   cycle);
	clock->tid = tuple->t_self;
	clock->agreement = TextColumn(clocks->context, tuple, desc, columns, SLA_AGREEMENT);
	if (clock->agreement == NULL)
		clock->agreement = MemoryContextStrdup(clocks->context, clocks->agreement);
	clock->clock.sla = -1;
	clock->clock.stopped_by = -1;
	clock->version = version;
	clock->clock.started_at = started_at;
	LoadNotified(tuple, desc, columns, SLA_WARN_NOTIFIED_AT, &clock->warn_notified,
				 &clock->warn_notified_at);
	LoadNotified(tuple, desc, columns, SLA_DUE_NOTIFIED_AT, &clock->due_notified,
				 &clock->due_notified_at);
	return clock;
}

/*
 * Adds an old clock with only its start and the times of its announcements.
 */
void
align_replay_load_announced(LeadClocks *clocks, HeapTuple tuple, TupleDesc desc,
							const AttrNumber columns[SLA_NCOLUMNS])
{
	LoadClock(clocks, tuple, desc, columns)->clock.closed = true;
}

/*
 * Adds a clock with the fields that all clocks have, and its assignees.
 */
static LeadClock *
LoadWithAssignees(LeadClocks *clocks, HeapTuple tuple, TupleDesc desc,
				  const AttrNumber columns[SLA_NCOLUMNS])
{
	MemoryContext context = clocks->context;
	LeadClock  *clock = LoadClock(clocks, tuple, desc, columns);

	clock->assignee_at_start = TextColumn(context, tuple, desc, columns, SLA_ASSIGNEE_AT_START);
	clock->assignee_at_due = TextColumn(context, tuple, desc, columns, SLA_ASSIGNEE_AT_DUE);
	clock->assignee_at_stop = TextColumn(context, tuple, desc, columns, SLA_ASSIGNEE_AT_STOP);
	return clock;
}

/*
 * Adds a clock from a row of the clock table.
 */
void
align_replay_load(LeadClocks *clocks, HeapTuple tuple, TupleDesc desc,
				  const AttrNumber columns[SLA_NCOLUMNS])
{
	LeadClock  *clock = LoadWithAssignees(clocks, tuple, desc, columns);
	bool		isnull;

	(void) Column(tuple, desc, columns, SLA_OUTCOME, &isnull);
	clock->clock.closed = !isnull;
	if (!clock->clock.closed)
		LoadOpenClock(clocks, clock, tuple, desc, columns);
}

/*
 * Adds a clock as if it were open.
 */
LeadClock *
align_replay_load_open(LeadClocks *clocks, HeapTuple tuple, TupleDesc desc,
					   const AttrNumber columns[SLA_NCOLUMNS])
{
	LeadClock  *clock = LoadWithAssignees(clocks, tuple, desc, columns);

	LoadOpenClock(clocks, clock, tuple, desc, columns);
	return clock;
}

/*
 * Returns a string as a text Datum, or sets *isnull.
 */
static Datum
OptionalText(const char *text, bool *isnull)
{
	*isnull = text == NULL;
	return *isnull ? (Datum) 0 : CStringGetTextDatum(text);
}

/*
 * Returns the pauses of a clock as a multirange.
 */
static Datum
PausesDatum(const LeadClock *clock)
{
	TypeCacheEntry *typcache = lookup_type_cache(TSTZMULTIRANGEOID, TYPECACHE_MULTIRANGE_INFO);
	RangeType **ranges = palloc(Max(clock->npauses, 1) * sizeof(RangeType *));

	for (int i = 0; i < clock->npauses; i++)
	{
		RangeBound	lower = {.inclusive = true,.lower = true};
		RangeBound	upper = {0};

		lower.val = TimestampTzGetDatum(clock->pauses[i * 2]);
		upper.val = TimestampTzGetDatum(clock->pauses[i * 2 + 1]);
		upper.infinite = clock->pauses[i * 2 + 1] == DT_NOEND;
		ranges[i] = align_make_range(typcache->rngtype, &lower, &upper, false);
	}
	return MultirangeTypePGetDatum(make_multirange(TSTZMULTIRANGEOID, typcache->rngtype,
												   clock->npauses, ranges));
}

/*
 * Fills in align's own columns of the row of a clock, which must not have been
 * closed when it was loaded.
 */
void
align_replay_store(const LeadClock *clock, Datum values[SLA_NCOLUMNS], bool nulls[SLA_NCOLUMNS])
{
	const SlaClock *inner = &clock->clock;
	const ServiceLevel *level = &clock->funnel->service_levels[inner->sla];
	const char *team = level->team >= 0 ? clock->funnel->teams[level->team].name : NULL;
	const char *outcome = inner->closed ? align_clock_state_name(inner->outcome) : NULL;

	memset(nulls, 0, SLA_NCOLUMNS * sizeof(bool));
	values[SLA_SLA] = CStringGetTextDatum(clock->sla);
	values[SLA_CYCLE] = Int32GetDatum(inner->cycle);
	values[SLA_TEAM] = OptionalText(team, &nulls[SLA_TEAM]);
	values[SLA_ASSIGNEE_AT_START] = OptionalText(clock->assignee_at_start,
												 &nulls[SLA_ASSIGNEE_AT_START]);
	values[SLA_ASSIGNEE_AT_DUE] = OptionalText(clock->assignee_at_due, &nulls[SLA_ASSIGNEE_AT_DUE]);
	values[SLA_ASSIGNEE_AT_STOP] = OptionalText(clock->assignee_at_stop,
												&nulls[SLA_ASSIGNEE_AT_STOP]);
	values[SLA_STARTED_AT] = TimestampTzGetDatum(inner->started_at);
	values[SLA_DUE_AT] = TimestampTzGetDatum(inner->due_at);
	nulls[SLA_WARN_AT] = inner->warn_at == CLOCK_NO_WARNING;
	values[SLA_WARN_AT] = TimestampTzGetDatum(inner->warn_at);
	values[SLA_PAUSED] = PausesDatum(clock);
	nulls[SLA_ELAPSED] = nulls[SLA_STOPPED_AT] = !inner->closed;
	values[SLA_ELAPSED] = inner->closed ? align_interval_datum(inner->spent) : (Datum) 0;
	values[SLA_STOPPED_AT] = TimestampTzGetDatum(inner->stopped_at);
	values[SLA_OUTCOME] = OptionalText(outcome, &nulls[SLA_OUTCOME]);
	values[SLA_AGREEMENT] = CStringGetTextDatum(clock->agreement);
	values[SLA_VERSION] = Int32GetDatum(clock->version);
	nulls[SLA_WARN_NOTIFIED_AT] = !clock->warn_notified;
	values[SLA_WARN_NOTIFIED_AT] = TimestampTzGetDatum(clock->warn_notified_at);
	nulls[SLA_DUE_NOTIFIED_AT] = !clock->due_notified;
	values[SLA_DUE_NOTIFIED_AT] = TimestampTzGetDatum(clock->due_notified_at);
}
