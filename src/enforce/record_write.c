/*
 * record_write.c
 *	  Entries and clocks of a run, from its changes to the tables.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "enforce/alerts.h"
#include "enforce/record_run.h"

static void
SetText(Datum *values, bool *nulls, int column, const char *text)
{
	nulls[column] = text == NULL;
	if (text != NULL)
		values[column] = CStringGetTextDatum(text);
}

/* Which stage the entry says that the lead came from. */
static const char *
FromStage(const LeadState *lead, const Change *change)
{
	if (change->event == EVENT_OPENING || change->event == EVENT_ENTRY)
		return NULL;
	if (change->standing)
		return lead->stage;
	return change->from_stage;
}

static void
WriteEntry(Run *run, Tuplestorestate *rows, TupleDesc desc, LeadState *lead,
		   const Change *change, TimestampTz effective_at, const char *source)
{
	Attachment *attachment = run->attachment;
	Datum		all[ATTACHMENT_MAX_KEYS + HISTORY_NCOLUMNS];
	bool		all_nulls[ATTACHMENT_MAX_KEYS + HISTORY_NCOLUMNS] = {false};
	Datum	   *values = all + attachment->nkeys;
	bool	   *nulls = all_nulls + attachment->nkeys;
	bool		notified = false;

	memcpy(all, change->key, attachment->nkeys * sizeof(Datum));
	if (attachment->marker.notify && change->handoff != NULL)
	{
		align_notify_handoff(attachment, change->key, lead->entry_no, change->handoff,
							 change->handoff_from_team, change->handoff_to_team);
		notified = true;
	}

	values[HISTORY_ENTRY_NO] = Int32GetDatum(lead->entry_no);
	SetText(values, nulls, HISTORY_EVENT, align_history_event_names[change->event]);
	values[HISTORY_EFFECTIVE_AT] = TimestampTzGetDatum(effective_at);
	values[HISTORY_RECORDED_AT] = TimestampTzGetDatum(lead->recorded_at);
	SetText(values, nulls, HISTORY_FROM_STAGE, FromStage(lead, change));
	SetText(values, nulls, HISTORY_STAGE, change->stage);
	SetText(values, nulls, HISTORY_FROM_TEAM, change->standing ? lead->team : change->from_team);
	SetText(values, nulls, HISTORY_TEAM, change->team);
	SetText(values, nulls, HISTORY_ASSIGNEE, change->assignee);
	SetText(values, nulls, HISTORY_ACTOR, change->actor);
	SetText(values, nulls, HISTORY_DB_ROLE, change->db_role);
	SetText(values, nulls, HISTORY_REASON, change->reason);
	SetText(values, nulls, HISTORY_NOTE, change->note);
	SetText(values, nulls, HISTORY_CAMPAIGN, change->campaign);
	values[HISTORY_AMOUNT] = change->amount;
	nulls[HISTORY_AMOUNT] = !change->has_amount;
	SetText(values, nulls, HISTORY_AGREEMENT, attachment->marker.agreement);
	values[HISTORY_VERSION] = Int32GetDatum(change->version);
	SetText(values, nulls, HISTORY_VIOLATION, change->violation);
	SetText(values, nulls, HISTORY_SOURCE, source);
	nulls[HISTORY_BRANCH] = true;
	SetText(values, nulls, HISTORY_HANDOFF, change->handoff);
	values[HISTORY_NOTIFIED_AT] = TimestampTzGetDatum(lead->recorded_at);
	nulls[HISTORY_NOTIFIED_AT] = !notified;
	if (run->direct != NULL)
		align_direct_insert(&run->direct->history, all, all_nulls);
	else
		tuplestore_putvalues(rows, desc, all, all_nulls);
}

static void
ApplyToClocks(Run *run, LeadState *lead, const Change *change, TimestampTz effective_at)
{
	ReplayEntry entry;

	if (!lead->has_clocks)
	{
		align_replay_begin(&lead->clocks, run->attachment->marker.agreement, run->context);
		align_replay_set_state(&lead->clocks, false, align_lead_cstring(NULL), align_lead_cstring(NULL));
		lead->has_clocks = true;
	}
	entry.event = change->event;
	entry.merged = false;
	entry.effective_at = effective_at;
	entry.stage = align_lead_cstring(change->stage);
	entry.assignee = align_lead_cstring(change->assignee);
	entry.agreement = align_lead_cstring(run->attachment->marker.agreement);
	entry.version = change->version;
	entry.not_live = SaysNotLive(change->source);
	align_replay_entry(&lead->clocks, &entry);
}

/*
 * Does this end a life that has ended, or that nothing is known of?  A row may be
 * deleted after it was no longer live, or without ever having been recorded.
 */
static bool
SaysNothing(const LeadState *lead, const Change *change)
{
	return (change->event == EVENT_DELETED || change->event == EVENT_TRUNCATED) && !lead->alive;
}

static void
WriteChange(Run *run, Tuplestorestate *rows, TupleDesc desc, LeadState *lead, const Change *change)
{
	const char *source = change->source;
	TimestampTz effective_at;

	lead->recorded_at = lead->entry_no > 0 ? Max(run->now, lead->recorded_at + 1) : run->now;
	lead->entry_no++;
	effective_at = change->effective_at;
	/* what is not told came after all that is known, also where that was told to
	 * lie ahead of our clock */
	if (effective_at == PENDING_NOT_TOLD)
		effective_at = Max(lead->recorded_at, lead->latest);
	/* and where a lead was found is where it is now, whatever its row says */
	if (change->standing)
		effective_at = Max(effective_at, lead->latest);

	if (effective_at < lead->latest)
	{
		if (source == NULL)
			source = SOURCE_BACKFILL;
		lead->recompute = true;
	}
	else
		lead->latest = effective_at;

	WriteEntry(run, rows, desc, lead, change, effective_at, source);
	if (!lead->recompute)
		ApplyToClocks(run, lead, change, effective_at);

	lead->recorded = true;
	lead->stage = unconstify(char *, change->stage);
	lead->team = unconstify(char *, change->team);
	lead->source = unconstify(char *, source);
	lead->alive = align_leaves_alive(change->event, change->stage, source);
	if (align_ends_life(change->event, false))
		lead->latest = DT_NOBEGIN;
}

/*
 * Is what the change comes from what was recorded last, perhaps under a name that
 * the agreement has given up since?  Of a row that is not live nothing is expected.
 */
static bool
FollowsRecord(const Run *run, const LeadState *lead, const Change *change)
{
	const char *from = change->from_stage;
	Funnel	   *funnel;
	int			stage;

	if (!align_comes_out_of_a_stage(change))
		return true;
	if (lead->recorded && !lead->alive && lead->source != NULL &&
		(strcmp(lead->source, SOURCE_LIVE) == 0 || SaysNotLive(lead->source)))
		return true;
	if (!lead->alive)
		return false;
	if (strcmp(lead->stage, from) == 0)
		return true;
	funnel = align_agreement_funnel(run->attachment->marker.agreement, change->version);
	if (funnel == NULL)
		return false;
	stage = align_funnel_stage(funnel, from, strlen(from));
	return stage >= 0 && stage == align_funnel_stage(funnel, lead->stage, strlen(lead->stage));
}

/*
 * Something happened that we have not been told: triggers were switched off, say.
 * Where the lead was found is recorded first, as attach() would have done it.
 */
static void
AdoptStage(Run *run, Tuplestorestate *rows, TupleDesc desc, LeadState *lead, const Change *change)
{
	Change		found = {0};

	memcpy(found.key, change->key, sizeof(found.key));
	found.event = EVENT_OPENING;
	found.source = SOURCE_ADOPTED;
	found.stage = change->from_stage;
	found.team = change->from_team;
	found.assignee = change->assignee;
	found.db_role = change->db_role;
	found.version = change->version;
	found.effective_at = change->effective_at;
	WriteChange(run, rows, desc, lead, &found);
}

void
align_run_write_entries(Run *run)
{
	TupleDesc	desc = NULL;
	Tuplestorestate *rows = NULL;

	if (run->direct == NULL)
		rows = align_recorder_rows(run->attachment, ROWS_ENTRIES, &desc);
	for (int i = 0; i < run->nchanges; i++)
	{
		Change	   *change = run->changes[i];
		LeadState  *lead = run->lead_of[i];

		if (SaysNothing(lead, change))
			continue;
		if (!FollowsRecord(run, lead, change))
			AdoptStage(run, rows, desc, lead, change);
		WriteChange(run, rows, desc, lead, change);
	}
	if (rows == NULL)
		return;
	if (tuplestore_tuple_count(rows) > 0)
		(void) align_recorder_execute(run->attachment, ADD_ENTRIES, rows);
	tuplestore_end(rows);
}

/* A clock as a row: the key, then SlaColumns. */
static void
ClockRow(const Run *run, const LeadState *lead, const LeadClock *clock, Datum *values, bool *nulls)
{
	int			nkeys = run->attachment->nkeys;

	memcpy(values, lead->key, nkeys * sizeof(Datum));
	memset(nulls, 0, nkeys * sizeof(bool));
	align_replay_store(clock, values + nkeys, nulls + nkeys);
}

void
align_run_put_clock(const Run *run, Tuplestorestate *rows, TupleDesc desc, const LeadState *lead,
					const LeadClock *clock)
{
	Datum		values[ATTACHMENT_MAX_KEYS + SLA_NCOLUMNS];
	bool		nulls[ATTACHMENT_MAX_KEYS + SLA_NCOLUMNS];

	ClockRow(run, lead, clock, values, nulls);
	tuplestore_putvalues(rows, desc, values, nulls);
}

/* Are the clocks of a lead to be written as they stand in memory? */
static inline bool
WritesClocks(const LeadState *lead)
{
	return !lead->recompute && lead->has_clocks;
}

static void
WriteClocksDirectly(Run *run, LeadState *lead)
{
	Datum		values[ATTACHMENT_MAX_KEYS + SLA_NCOLUMNS];
	bool		nulls[ATTACHMENT_MAX_KEYS + SLA_NCOLUMNS];

	for (int i = 0; i < lead->clocks.nclocks; i++)
	{
		LeadClock  *clock = &lead->clocks.clocks[i];

		if (!clock->is_new && !clock->changed)
			continue;
		ClockRow(run, lead, clock, values, nulls);
		if (clock->is_new)
			align_direct_insert(&run->direct->sla, values, nulls);
		else
			align_direct_update_clock(run->direct, &clock->tid, values, nulls);
	}
}

static void
WriteClocksBySql(Run *run)
{
	TupleDesc	desc;
	Tuplestorestate *new_clocks = align_recorder_rows(run->attachment, ROWS_CLOCKS, &desc);
	Tuplestorestate *changed_clocks = align_recorder_rows(run->attachment, ROWS_CLOCKS, &desc);
	int64		nchanged;

	for (int i = 0; i < run->nleads; i++)
	{
		LeadState  *lead = &run->leads[i];

		for (int j = 0; WritesClocks(lead) && j < lead->clocks.nclocks; j++)
		{
			LeadClock  *clock = &lead->clocks.clocks[j];

			if (clock->is_new)
				align_run_put_clock(run, new_clocks, desc, lead, clock);
			else if (clock->changed)
				align_run_put_clock(run, changed_clocks, desc, lead, clock);
		}
	}
	nchanged = tuplestore_tuple_count(changed_clocks);
	if (nchanged > 0 &&
		align_recorder_execute(run->attachment, CHANGE_CLOCKS, changed_clocks) != (uint64) nchanged)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access to the clocks of table %s",
						run->attachment->root_name),
				 errhint("The transaction might succeed if retried.")));
	if (tuplestore_tuple_count(new_clocks) > 0)
		(void) align_recorder_execute(run->attachment, ADD_CLOCKS, new_clocks);
	tuplestore_end(new_clocks);
	tuplestore_end(changed_clocks);
}

void
align_run_write_clocks(Run *run)
{
	if (run->direct == NULL)
	{
		WriteClocksBySql(run);
		return;
	}
	for (int i = 0; i < run->nleads; i++)
	{
		if (WritesClocks(&run->leads[i]))
			WriteClocksDirectly(run, &run->leads[i]);
	}
}
