/*
 * write.c
 *	  Writes the entries and clocks of a run.
 *
 * Entries and clocks are collected, and written by one statement at the end of
 * the run.  If the record tables are written directly (direct.h), entries are
 * written at once, and clocks at the end.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "record/entry.h"
#include "record/notify.h"
#include "record/run.h"
#include "record/writer.h"

/*
 * Returns the from_stage of the entry for a change.
 */
static const char *
FromStage(const LeadState *lead, const Change *change)
{
	if (change->event == EVENT_OPENING || change->event == EVENT_ENTRY)
		return NULL;
	if (change->as_found && change->from_stage == NULL)
		return lead->stage;
	return change->from_stage;
}

/*
 * Writes the entry for a change, whose number and recorded_at are in the state
 * of the lead.  For attachments with "notify", sends the notification of a
 * handoff.
 */
static void
WriteEntry(Run *run, RunWriter *writer, LeadState *lead, const Change *change,
		   TimestampTz effective_at, const char *source)
{
	Attachment *attachment = run->attachment;
	HistoryEntry entry = {.key = change->key};
	Datum		values[ATTACHMENT_MAX_KEYS + HISTORY_NCOLUMNS];
	bool		nulls[ATTACHMENT_MAX_KEYS + HISTORY_NCOLUMNS];

	entry.entry_no = lead->entry_no;
	entry.event = change->event;
	entry.effective_at = effective_at;
	entry.recorded_at = lead->recorded_at;
	entry.from_stage = FromStage(lead, change);
	entry.stage = change->stage;
	entry.from_team = change->as_found ? lead->team : change->from_team;
	entry.team = change->team;
	entry.assignee = change->assignee;
	entry.actor = change->actor;
	entry.db_role = change->db_role;
	entry.reason = change->reason;
	entry.note = change->note;
	entry.campaign = change->campaign;
	entry.has_amount = change->has_amount;
	entry.amount = change->amount;
	entry.version = change->version;
	entry.violation = change->violation;
	entry.source = source;
	entry.handoff = change->handoff;
	entry.segments = change->segments;

	/* a handoff that is announced here is not left to notify_handoffs() */
	entry.notified = attachment->marker.options.notify && change->handoff != NULL;
	if (entry.notified)
		align_notify_handoff(attachment, change->key, lead->entry_no, change->handoff,
							 change->handoff_from_team, change->handoff_to_team);

	align_entry_row(attachment, &entry, values, nulls);
	if (run->direct != NULL)
		align_direct_insert(&run->direct->history, values, nulls);
	else
		tuplestore_putvalues(writer->entries, writer->entry_desc, values, nulls);
}

/*
 * Applies a change to the clocks of its lead.
 */
static void
ApplyToClocks(Run *run, LeadState *lead, const Change *change, TimestampTz effective_at)
{
	ReplayEntry entry;

	if (!lead->has_clocks)
	{
		align_replay_begin(&lead->clocks, run->attachment->marker.agreement, run->context);
		align_replay_set_state(&lead->clocks, false, align_lead_cstring(NULL),
							   align_lead_cstring(NULL));
		lead->has_clocks = true;
	}
	entry.event = change->event;
	entry.effective_at = effective_at;
	entry.stage = align_lead_cstring(change->stage);
	entry.assignee = align_lead_cstring(change->assignee);
	entry.agreement = align_lead_cstring(run->attachment->marker.agreement);
	entry.version = change->version;
	entry.recorded_at = lead->recorded_at;
	entry.segments = align_lead_cstring(change->segments);
	align_replay_set_source(&entry, align_lead_cstring(change->source));
	align_run_replay(run, lead, &entry);
}

/*
 * True for the deletion of a lead that is not in the funnel, which is not
 * recorded: the row was not live any more, or its lead has no entries.
 */
static bool
IsDeletionWithoutLife(const LeadState *lead, const Change *change)
{
	return (change->event == EVENT_DELETED || change->event == EVENT_TRUNCATED) && !lead->alive;
}

/*
 * Returns the effective_at of the entry for a change, and sets *source if it
 * is NULL and the time in the row was corrected (history.h).
 *
 * A change without a time of its own happened after all entries, even if one
 * of them is ahead of the server's clock.  So did a change that records the
 * present state of a row.
 */
static TimestampTz
EffectiveAt(const LeadState *lead, const Change *change, const char **source)
{
	TimestampTz at = change->effective_at;
	TimestampTz earliest = change->as_found || !align_is_stage_event(change->event) ?
		Max(lead->latest, lead->latest_stage) : lead->latest_stage;
	const char *correction = NULL;

	if (at == CHANGE_TIME_UNKNOWN)
		return Max(lead->recorded_at, earliest);
	if (at > lead->recorded_at)
	{
		at = lead->recorded_at;
		correction = SOURCE_POSTDATED;
	}
	if (at < earliest)
	{
		at = earliest;
		if (correction == NULL)
			correction = SOURCE_BACKDATED;
	}
	if (*source == NULL)
		*source = correction;
	return at;
}

/*
 * Writes an entry for a change, and brings the state of the lead up to date.
 */
static void
WriteChange(Run *run, RunWriter *writer, LeadState *lead, const Change *change)
{
	const char *source = change->source;
	TimestampTz effective_at;

	lead->recorded_at = lead->entry_no > 0 ? Max(run->now, lead->recorded_at + 1) : run->now;
	lead->entry_no++;

	effective_at = EffectiveAt(lead, change, &source);

	/*
	 * A stage entry may be dated before owner entries that the row had before
	 * it.  In the order of replay, these then come before it.  A lead that is
	 * live again gets back the clocks that the end of its life has closed.
	 */
	if (effective_at < lead->latest || (source != NULL && strcmp(source, SOURCE_RESUMED) == 0))
		lead->recompute = true;
	if (align_is_stage_event(change->event))
		lead->latest_stage = Max(lead->latest_stage, effective_at);
	if (align_is_stage_event(change->event) || change->event == EVENT_OWNER)
		lead->latest = Max(lead->latest, effective_at);

	WriteEntry(run, writer, lead, change, effective_at, source);
	if (!lead->recompute)
		ApplyToClocks(run, lead, change, effective_at);

	lead->recorded = true;
	lead->stage = unconstify(char *, change->stage);
	lead->team = unconstify(char *, change->team);
	lead->assignee = unconstify(char *, change->assignee);
	lead->source = unconstify(char *, source);
	lead->judged_by.agreement = run->attachment->marker.agreement;
	lead->judged_by.version = change->version;
	lead->alive = align_alive_after(change->event, change->stage, source);
	lead->last_command = change->command;
	if (align_ends_life(change->event, false))
		lead->latest = DT_NOBEGIN;
}

/*
 * True if a change must begin at the stage that is recorded last.
 */
static bool
HasFromStage(const Change *change)
{
	return !change->as_found && change->from_stage != NULL &&
		change->event != EVENT_ENTRY && change->event != EVENT_OPENING &&
		!SourceIsNotLive(change->source);
}

/*
 * True if a change begins at the stage that is recorded last, or need not.
 *
 * The recorded stage may have another name in the version of the change.
 * After an entry of a row that is not live, any stage is accepted.
 */
bool
align_fits_recorded_stage(const Run *run, const LeadState *lead, const Change *change)
{
	const char *from = change->from_stage;
	const char *agreement = run->attachment->marker.agreement;
	Funnel	   *funnel;
	int			stage;

	if (!HasFromStage(change))
		return true;
	if (lead->recorded && !lead->alive && lead->source != NULL &&
		(strcmp(lead->source, SOURCE_LIVE) == 0 || SourceIsNotLive(lead->source)))
		return true;
	if (!lead->alive || lead->stage == NULL)
		return false;
	if (strcmp(lead->stage, from) == 0)
		return true;
	funnel = align_agreement_funnel(agreement, change->version);
	if (funnel == NULL)
		return false;
	stage = align_funnel_stage(funnel, from, strlen(from));
	return stage >= 0 && stage == align_carry_stage(&lead->judged_by, agreement, change->version,
													funnel, lead->stage);
}

/*
 * Writes an opening of the stage at which a change begins, with source
 * 'adopted'.  The stage is not the recorded one if triggers were disabled when
 * the row was changed.
 */
static void
AdoptStage(Run *run, RunWriter *writer, LeadState *lead, const Change *change)
{
	Change		found = {0};
	Funnel	   *funnel = align_agreement_funnel(run->attachment->marker.agreement,
												change->version);

	memcpy(found.key, change->key, sizeof(found.key));
	found.event = EVENT_OPENING;
	found.source = SOURCE_ADOPTED;
	found.stage = change->from_stage;
	found.team = change->from_team;
	found.assignee = change->assignee;
	found.db_role = change->db_role;
	found.version = change->version;
	found.command = change->command;
	found.effective_at = change->effective_at;
	if (funnel != NULL &&
		align_funnel_stage(funnel, found.stage, strlen(found.stage)) < 0)
		found.violation = align_rule_name(RULE_UNKNOWN_STAGE);
	WriteChange(run, writer, lead, &found);
}

/*
 * Prepares to write entries.
 */
void
align_run_begin_writing(Run *run, RunWriter *writer)
{
	memset(writer, 0, sizeof(RunWriter));
	if (run->direct == NULL)
		writer->entries = align_recorder_rows(run->attachment, ROWS_ENTRIES, &writer->entry_desc);
}

/*
 * True if a change leaves a lead in the stage that is recorded, or removes it
 * from there, but the label in its row is unknown, and the recorded stage is
 * not.  The label was renamed then.
 */
static bool
HasRenamedLabel(const Run *run, const LeadState *lead, const Change *change)
{
	const char *agreement = run->attachment->marker.agreement;
	Funnel	   *funnel;

	if (align_is_stage_event(change->event) || lead->stage == NULL || !lead->alive)
		return false;
	funnel = align_agreement_funnel(agreement, change->version);
	return funnel != NULL &&
		align_funnel_stage(funnel, change->from_stage, strlen(change->from_stage)) < 0 &&
		align_carry_stage(&lead->judged_by, agreement, change->version, funnel, lead->stage) >= 0;
}

/*
 * Replaces the unknown label of a change by the recorded stage.
 */
static void
KeepRecordedStage(const Run *run, const LeadState *lead, Change *change)
{
	bool		stays = change->stage != NULL;
	bool		by_column = align_has_role(run->attachment, ROW_TEAM);

	change->from_stage = lead->stage;
	change->stage = stays ? lead->stage : NULL;
	if (!by_column)
	{
		change->from_team = lead->team;
		change->team = stays ? lead->team : NULL;
	}
}

/*
 * Makes an entry of a change of a lead.
 */
void
align_run_write(Run *run, RunWriter *writer, LeadState *lead, const Change *change)
{
	Change		corrected;

	if (IsDeletionWithoutLife(lead, change))
		return;
	if (!align_fits_recorded_stage(run, lead, change))
	{
		if (HasRenamedLabel(run, lead, change))
		{
			corrected = *change;
			KeepRecordedStage(run, lead, &corrected);
			change = &corrected;
		}
		else
			AdoptStage(run, writer, lead, change);
	}
	WriteChange(run, writer, lead, change);
}

/*
 * Sets the columns of a row of the clock table: the key, then SlaColumns.
 */
static void
SetClockRow(const Run *run, const LeadState *lead, const LeadClock *clock, Datum *values,
			bool *nulls)
{
	int			nkeys = run->attachment->nkeys;

	memcpy(values, lead->key, nkeys * sizeof(Datum));
	memset(nulls, 0, nkeys * sizeof(bool));
	align_replay_store(clock, values + nkeys, nulls + nkeys);
}

/*
 * Adds a clock to the rows for a statement.
 */
void
align_run_put_clock(const Run *run, Tuplestorestate *rows, TupleDesc desc, const LeadState *lead,
					const LeadClock *clock)
{
	Datum		values[ATTACHMENT_MAX_KEYS + SLA_NCOLUMNS];
	bool		nulls[ATTACHMENT_MAX_KEYS + SLA_NCOLUMNS];

	SetClockRow(run, lead, clock, values, nulls);
	tuplestore_putvalues(rows, desc, values, nulls);
}

/*
 * True if the clocks of a lead are up to date in memory; else they are
 * recomputed.
 */
static inline bool
WritesClocks(const LeadState *lead)
{
	return !lead->recompute && lead->has_clocks;
}

/*
 * Inserts the new clocks of a lead, and updates those that have changed.
 */
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
		SetClockRow(run, lead, clock, values, nulls);
		if (clock->is_new)
			align_direct_insert(&run->direct->sla, values, nulls);
		else
			align_direct_update_clock(run->direct, &clock->tid, values, nulls);
	}
}

/*
 * Raises an error if fewer clocks were updated than expected.  At isolation
 * levels that use a transaction snapshot this may be because another
 * transaction has recomputed the clocks of the lead, which deletes the old
 * ones.
 */
static void
CheckClocksFound(const Run *run, int64 nfound, int64 nexpected)
{
	if (nfound != nexpected && IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access to the clocks of table %s",
						run->attachment->root_name),
				 errhint("The transaction might succeed if retried.")));
	align_check_written(run->attachment, nfound, nexpected);
}

/*
 * Writes all entries and clocks of a run by one statement, and checks that no
 * trigger has suppressed a row.
 */
static void
WriteBySql(Run *run, RunWriter *writer)
{
	Attachment *attachment = run->attachment;
	TupleDesc	desc;
	Tuplestorestate *new_clocks = align_recorder_rows(attachment, ROWS_CLOCKS, &desc);
	Tuplestorestate *changed_clocks = align_recorder_rows(attachment, ROWS_CLOCKS, &desc);
	int64		nentries = tuplestore_tuple_count(writer->entries);
	int64		nnew;
	int64		nchanged;
	bool		isnull;

	/* new clocks are inserted, others updated by key, sla and cycle */
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
	nnew = tuplestore_tuple_count(new_clocks);
	nchanged = tuplestore_tuple_count(changed_clocks);
	if (nentries + nnew + nchanged > 0)
	{
		(void) align_recorder_execute(attachment, WRITE_LEADS, writer->entries, new_clocks,
									  changed_clocks);
		align_check_written(attachment, DatumGetInt64(SpiField(0, 1, &isnull)), nentries);
		align_check_written(attachment, DatumGetInt64(SpiField(0, 2, &isnull)), nnew);
		CheckClocksFound(run, DatumGetInt64(SpiField(0, 3, &isnull)), nchanged);
		SPI_freetuptable(SPI_tuptable);
	}
	tuplestore_end(new_clocks);
	tuplestore_end(changed_clocks);
	tuplestore_end(writer->entries);
}

/*
 * Writes to the tables what is still in memory.
 */
void
align_run_finish_writing(Run *run, RunWriter *writer)
{
	if (run->direct == NULL)
	{
		WriteBySql(run, writer);
		return;
	}
	for (int i = 0; i < run->nleads; i++)
	{
		if (WritesClocks(&run->leads[i]))
			WriteClocksDirectly(run, &run->leads[i]);
	}
}
