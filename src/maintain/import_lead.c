/*
 * import_lead.c
 *	  The rows of one lead in align.import_history(): which of them become
 *	  entries, and what becomes of the first recorded entry.
 *
 * Rows before the first recorded entry are turned into entries as the triggers
 * would have done it, and judged by the version of the agreement that was in
 * force at their time; before there was one, by that of the first recorded
 * entry (import_judge.c).
 *
 * The first recorded entry says where align found the lead.  If that is where
 * the imported past ends, it becomes the last imported entry, at the time of
 * that.  Else it becomes a move at its own time.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/timestamp.h"

#include "attachment/key.h"
#include "history/history.h"
#include "maintain/import.h"
#include "time_text.h"

/*
 * The lead after the rows so far.
 */
typedef struct ImportState
{
	const char *stage;			/* NULL if it is not in the funnel */
	const char *team;
	const char *assignee;
} ImportState;

/* All that the work on a lead needs. */
typedef struct Work
{
	const Attachment *attachment;
	const ImportRows *columns;
	const char *db_role;
	ImportLead *lead;
	ImportVersion before;		/* for times before the first version */
	ImportVersion first;		/* of the first recorded entry */
	ImportState state;
	int			entries_room;	/* allocated size of lead->entries */
} Work;

/*
 * True if entries can be put before the first known one: the history begins
 * with it, and it put the lead into a stage.
 */
static bool
CanPrecede(const KnownEntry *first)
{
	return first->entry.entry_no == 1 && align_is_stage_event(first->entry.event) &&
		first->entry.stage != NULL && first->entry.from_stage == NULL &&
		!first->merged && !first->not_live;
}

/*
 * Returns the time before which rows can be imported: at which the first life
 * of the lead begins, as recorded.  An opening is dated by a column of the row
 * that was found, if at all, and the audit table knows better: it bounds the
 * past by the time at which it was recorded.  in_order is set to true if no
 * other entry is dated before the first one.
 */
static TimestampTz
BeginningOf(const ImportLead *lead, bool *in_order)
{
	const HistoryEntry *first = &lead->known[0].entry;
	TimestampTz others = DT_NOEND;

	for (int i = 1; i < lead->nknown; i++)
	{
		others = Min(others, lead->known[i].entry.effective_at);
		if (align_ends_life(lead->known[i].entry.event, lead->known[i].merged))
			break;
	}
	*in_order = first->effective_at <= others;
	return Min(first->event == EVENT_OPENING ? first->recorded_at : first->effective_at, others);
}

/*
 * Adds an entry, with the columns that a row gives it.
 */
static HistoryEntry *
AddEntry(Work *work, const ImportRow *row, HistoryEvent event, const ImportVersion *by)
{
	ImportLead *lead = work->lead;
	HistoryEntry *entry;

	if (lead->nentries == work->entries_room)
	{
		work->entries_room = Max(2 * work->entries_room, 8);
		if (lead->entries == NULL)
			lead->entries = palloc(work->entries_room * sizeof(HistoryEntry));
		else
			lead->entries = repalloc_huge(lead->entries,
										  work->entries_room * sizeof(HistoryEntry));
	}
	entry = &lead->entries[lead->nentries++];
	memset(entry, 0, sizeof(HistoryEntry));
	entry->key = lead->key;
	entry->event = event;
	entry->effective_at = row->at;
	entry->from_stage = event == EVENT_ENTRY ? NULL :
		align_import_from_stage(by, work->state.stage);
	entry->from_team = event == EVENT_ENTRY ? NULL : work->state.team;
	entry->actor = row->text[IMPORT_ACTOR];
	entry->db_role = work->db_role;
	entry->reason = row->text[IMPORT_REASON];
	entry->note = row->text[IMPORT_NOTE];
	entry->campaign = row->text[IMPORT_CAMPAIGN];
	entry->has_amount = row->has_amount;
	entry->amount = row->amount;
	entry->version = by->version;
	entry->source = SOURCE_IMPORT;
	return entry;
}

/*
 * Returns the team that holds the lead after a row: the one in the row, else
 * the holder of the stage.
 */
static const char *
TeamAfter(const ImportRow *row, const Funnel *funnel, int stage)
{
	if (row->text[IMPORT_TEAM] != NULL)
		return row->text[IMPORT_TEAM];
	if (stage >= 0 && funnel->stages[stage].team >= 0)
		return funnel->teams[funnel->stages[stage].team].name;
	return NULL;
}

/*
 * Turns a row that lies before what is recorded into an entry, unless it says
 * what the row before says.
 */
static void
ImportPastRow(Work *work, const ImportRow *row)
{
	ImportState *state = &work->state;
	const char *label = row->text[IMPORT_STAGE];
	ImportVersion by = align_import_version_at(&work->before, row->at);
	int			stage = label == NULL ? -1 : align_funnel_stage(by.funnel, label, strlen(label));
	HistoryEvent event = state->stage == NULL ? EVENT_ENTRY : EVENT_MOVE;
	const char *team = TeamAfter(row, by.funnel, stage);
	HistoryEntry *entry;

	if (label == NULL && state->stage == NULL)
	{
		work->lead->nrepeated++;
		return;
	}
	if (label != NULL && state->stage != NULL &&
		align_import_same_stage(&by, label, state->stage))
	{
		bool		same_team = !work->columns->has[IMPORT_TEAM] ||
			row->text[IMPORT_TEAM] == NULL || align_same_string(team, state->team);
		bool		same_assignee = !work->columns->has[IMPORT_ASSIGNEE] ||
			align_same_string(row->text[IMPORT_ASSIGNEE], state->assignee);

		if (same_team && same_assignee)
		{
			work->lead->nrepeated++;
			return;
		}
		event = EVENT_OWNER;
	}
	entry = AddEntry(work, row, event, &by);
	entry->stage = stage >= 0 ? by.funnel->stages[stage].name : label;
	entry->team = label != NULL ? team : NULL;
	entry->assignee = row->text[IMPORT_ASSIGNEE];
	if (event != EVENT_OWNER)
		align_import_judge(entry, NULL, by.funnel);
	state->stage = entry->stage;
	state->team = entry->team;
	state->assignee = entry->assignee;
}

/*
 * qsort_arg comparator for indexes of known entries: the order of the journey.
 * Only the first life matters, since nothing is imported into later ones.
 */
static int
CompareKnown(const void *left, const void *right, void *arg)
{
	const KnownEntry *known = (const KnownEntry *) arg;
	const HistoryEntry *a = &known[*(const int *) left].entry;
	const HistoryEntry *b = &known[*(const int *) right].entry;

	if (a->effective_at != b->effective_at)
		return a->effective_at < b->effective_at ? -1 : 1;
	return (a->entry_no > b->entry_no) - (a->entry_no < b->entry_no);
}

/*
 * Raises the error for a lead whose rows begin with one at or after what is
 * recorded, which says otherwise.
 */
static void
RaiseTooLate(const Work *work, const ImportRow *row, TimestampTz beginning)
{
	char	   *key = align_key_text(work->attachment, work->lead->key);

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("imported history of lead %s must begin before what is recorded", key),
			 errdetail("Its first row is at %s, and what is recorded begins at %s.",
					   align_time_text(row->at), align_time_text(beginning)),
			 errhint("Restrict the query to what happened before the table was attached.")));
}

/*
 * Counts rows at or after what is recorded: those that name the stage in which
 * the lead was then, as recorded, and all others.
 */
static void
CountRecordedRows(Work *work, int begin, TimestampTz beginning)
{
	ImportLead *lead = work->lead;
	int		   *order = palloc(lead->nknown * sizeof(int));
	const char *stage = NULL;
	int			n = 0;
	int			next = 0;

	for (int i = 0; i < lead->nknown; i++)
	{
		const KnownEntry *known = &lead->known[i];

		if (!known->not_live && known->entry.event != EVENT_REKEY &&
			known->entry.event != EVENT_OWNER && known->entry.event != EVENT_TOUCH)
			order[n++] = i;
	}
	qsort_arg(order, n, sizeof(int), CompareKnown, lead->known);
	for (int i = begin; i < lead->nrows; i++)
	{
		const ImportRow *row = &lead->rows[i];
		const char *label = row->text[IMPORT_STAGE];
		ImportVersion by = align_import_version_at(&work->before, row->at);
		bool		same;

		/* where several entries have the time of the row, one must match */
		for (;;)
		{
			same = label == NULL || stage == NULL ? label == stage :
				align_import_same_stage(&by, label, stage);
			if (next == n || lead->known[order[next]].entry.effective_at > row->at)
				break;
			if (same && next > 0 &&
				lead->known[order[next - 1]].entry.effective_at == row->at)
				break;
			stage = lead->known[order[next++]].entry.stage;
		}
		if (same)
			lead->nrepeated++;
		else if (i == 0 && label != NULL)
			RaiseTooLate(work, row, beginning);
		else
			lead->nlate++;
	}
	pfree(order);
}

/*
 * True if the table is attached with a column for a role.
 */
static inline bool
HasRole(const Work *work, RowRole role)
{
	return align_has_role(work->attachment, role);
}

/*
 * Makes the first recorded entry the last imported one, which is removed from
 * the new ones.  The entry keeps what the row does not tell.
 */
static void
BecomeLastImported(Work *work)
{
	ImportLead *lead = work->lead;
	HistoryEntry *last = &lead->entries[--lead->nentries];
	HistoryEntry *first = &lead->first.entry;
	ImportVersion by = align_import_version_at(&work->before, last->effective_at);

	if (first->event != EVENT_OVERRIDE)
		first->event = last->event;
	first->effective_at = last->effective_at;
	first->from_stage = last->from_stage;
	first->from_team = last->from_team;
	/* entries of another agreement may follow, so keep a name that fits */
	if (!align_import_same_stage(&by, first->stage, last->stage))
		first->stage = last->stage;
	if (!HasRole(work, ROW_TEAM))
		first->team = last->team;
	if (!HasRole(work, ROW_ASSIGNEE))
		first->assignee = last->assignee;
	if (last->actor != NULL)
		first->actor = last->actor;
	if (last->reason != NULL)
		first->reason = last->reason;
	if (last->note != NULL && first->event != EVENT_OVERRIDE)
		first->note = last->note;
	if (last->campaign != NULL)
		first->campaign = last->campaign;
	if (last->has_amount)
	{
		first->has_amount = true;
		first->amount = last->amount;
	}
	first->version = by.version;
	lead->first.agreement = unconstify(char *, by.agreement);
	first->source = SOURCE_IMPORT;
	if (first->event == EVENT_OWNER)
		first->violation = first->handoff = NULL;
	else
		align_import_judge(first, &lead->known[0], by.funnel);
}

/*
 * Makes the first recorded entry follow the imported ones, at its own time.
 */
static void
FollowImported(Work *work, bool same_stage)
{
	HistoryEntry *first = &work->lead->first.entry;

	first->from_stage = align_import_from_stage(&work->first, work->state.stage);
	first->from_team = work->state.team;
	/* an opening may have been dated too early */
	first->effective_at = Max(first->effective_at,
							  work->lead->entries[work->lead->nentries - 1].effective_at);
	if (same_stage)
	{
		first->event = EVENT_OWNER;
		first->violation = first->handoff = NULL;
		return;
	}
	if (first->event != EVENT_OVERRIDE)
		first->event = EVENT_MOVE;
	if (work->first.funnel != NULL)
		align_import_judge(first, &work->lead->known[0], work->first.funnel);
}

/*
 * Decides what becomes of the first recorded entry.
 */
static void
PutFirstRight(Work *work)
{
	const ImportState *state = &work->state;
	const ImportRows *columns = work->columns;
	ImportLead *lead = work->lead;
	const HistoryEntry *first = &lead->first.entry;
	bool		same_stage;
	bool		same_holder;

	if (state->stage == NULL)
		return;					/* the lead had left the funnel */
	same_stage = align_import_same_stage(&work->before, first->stage, state->stage);
	same_holder =
		(!columns->has[IMPORT_ASSIGNEE] || !HasRole(work, ROW_ASSIGNEE) ||
		 align_same_string(state->assignee, first->assignee)) &&
		(!columns->has[IMPORT_TEAM] || !HasRole(work, ROW_TEAM) ||
		 align_same_string(state->team, first->team));
	if (same_stage && same_holder)
		BecomeLastImported(work);
	else
		FollowImported(work, same_stage);
}

/*
 * Numbers the new entries, and sets recorded_at, which must increase with the
 * numbers, to just before the first recorded entry.
 */
static void
NumberEntries(ImportLead *lead)
{
	TimestampTz recorded_at = lead->first.entry.recorded_at - lead->nentries;

	for (int i = 0; i < lead->nentries; i++)
	{
		HistoryEntry *entry = &lead->entries[i];

		entry->entry_no = i + 1;
		entry->recorded_at = recorded_at + i;
		/* a handoff of the past is not announced */
		entry->notified = entry->handoff != NULL;
	}
	lead->first.entry.entry_no = lead->nentries + 1;
	lead->first.entry.notified = lead->first.entry.handoff != NULL &&
		lead->known[0].entry.handoff == NULL;
}

/*
 * Judges the rows of a lead, and decides which become entries.
 */
void
align_import_lead(const Attachment *attachment, const ImportRows *rows, const char *db_role,
				  ImportLead *lead)
{
	Work		work = {.attachment = attachment,.columns = rows,.db_role = db_role,.lead = lead};
	TimestampTz beginning;
	bool		in_order;
	int			i;

	lead->unknown = lead->nknown == 0;
	if (lead->unknown)
		return;
	work.before = align_import_version_before(attachment, &lead->known[0], &work.first);
	lead->closed = !CanPrecede(&lead->known[0]);
	if (lead->closed)
		return;

	/*
	 * Entries of earlier versions and merged ones can be dated before the
	 * first.  That one then stays as it is, which an override cannot: it
	 * would not continue the entry before it.
	 */
	beginning = BeginningOf(lead, &in_order);
	lead->closed = !in_order && lead->known[0].entry.event == EVENT_OVERRIDE;
	if (lead->closed)
		return;

	for (i = 0; i < lead->nrows; i++)
	{
		const ImportRow *row = &lead->rows[i];

		CHECK_FOR_INTERRUPTS();
		/* at the time of an opening, a row says how the lead came there */
		if (row->at > beginning ||
			(row->at == beginning &&
			 !(in_order && lead->known[0].entry.event == EVENT_OPENING)))
			break;
		ImportPastRow(&work, row);
	}
	CountRecordedRows(&work, i, beginning);
	lead->nimported = lead->nentries;
	lead->changed = lead->nentries > 0;
	if (!lead->changed)
		return;
	lead->first = lead->known[0];
	lead->first.entry.key = lead->key;
	if (in_order)
		PutFirstRight(&work);
	NumberEntries(lead);
}
