/*
 * check_entries.c
 *	  Checks the entries of a lead: numbers and times, the chain of stages, and
 *	  recorded violations.
 *
 * Violations are compared with the verdict of the version that judged the
 * entry.  missing_need and wrong_team are left out of that: the columns of the
 * row and the acting role, on which they depend, are not in the history.  Nor
 * is illegal_move compared for the first move after a merge if history was
 * imported: what the joined journey was at that time is not recorded.
 *
 * Entries that were merged from another lead have no influence on the stage of
 * this one.  Their violations are checked, but they are not part of the chain,
 * in which from_stage is the stage of the previous entry.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "judge/judge.h"
#include "report/check.h"

/*
 * Returns "entry 3: illegal_move", or "entry 3: none" if text is NULL.
 */
static char *
EntryText(const RecordedEntry *entry, const char *text)
{
	return psprintf("entry %d: %s", entry->entry_no, text != NULL ? text : "none");
}

static char *
TimeText(TimestampTz at)
{
	return DatumGetCString(DirectFunctionCall1(timestamptz_out, TimestampTzGetDatum(at)));
}

/*
 * Returns the version that judged an entry.
 */
static StageSource
SourceOf(const Check *check, const RecordedEntry *entry)
{
	StageSource source = {check->attachment->marker.agreement, entry->version};

	if (entry->agreement != NULL)
		source.agreement = entry->agreement;
	return source;
}

/*
 * Returns the funnel that judged an entry; NULL if there is no such version.
 */
Funnel *
align_check_funnel(Check *check, const RecordedEntry *entry)
{
	StageSource source = SourceOf(check, entry);

	return align_replay_funnel(&check->clocks, align_lead_cstring(source.agreement),
							   source.version);
}

static void
CheckNumber(const Check *check, const RecordedEntry *entry, int32 expected)
{
	if (entry->entry_no != expected)
		align_check_report(check, "entry_no", psprintf("%d", entry->entry_no),
						   psprintf("%d", expected));
}

static void
CheckRecordedAt(const Check *check, const RecordedEntry *entry, const RecordedEntry *before)
{
	if (before != NULL && entry->recorded_at <= before->recorded_at)
		align_check_report(check, "recorded_at", EntryText(entry, TimeText(entry->recorded_at)),
						   psprintf("after %s", TimeText(before->recorded_at)));
}

/*
 * Checks that from_stage is the stage that the lead was in by a previous
 * entry; that is NULL if it was in none.
 */
static void
CheckFromStage(const Check *check, const RecordedEntry *entry, const RecordedEntry *previous,
			   const Funnel *funnel)
{
	const char *stage = previous != NULL ? previous->stage : NULL;
	StageSource judged = SourceOf(check, entry);
	StageSource source = previous != NULL ? SourceOf(check, previous) : judged;
	int			from;

	if (entry->event == EVENT_OPENING || entry->event == EVENT_ENTRY)
		stage = NULL;
	if (align_same_string(entry->from_stage, stage))
		return;
	/* a later version, or another agreement, may have another name for it */
	if (funnel != NULL && entry->from_stage != NULL && stage != NULL)
	{
		if (source.version == 0)
			source.version = judged.version;
		from = align_funnel_stage(funnel, entry->from_stage, strlen(entry->from_stage));
		if (from >= 0 && from == align_carry_stage(&source, judged.agreement, judged.version,
												   funnel, stage))
			return;
	}
	align_check_report(check, "from_stage", EntryText(entry, entry->from_stage),
					   EntryText(entry, stage));
}

/*
 * Returns whether a rule, given by name, can be judged from the history alone.
 */
static bool
CanBeRecomputed(const char *name, size_t len)
{
	static const Rule others[] = {RULE_MISSING_NEED, RULE_WRONG_TEAM};

	for (int i = 0; i < (int) lengthof(others); i++)
	{
		const char *other = align_rule_name(others[i]);

		if (strlen(other) == len && memcmp(other, name, len) == 0)
			return false;
	}
	return true;
}

static void
AppendRule(StringInfo list, const char *name, size_t len)
{
	if (list->len > 0)
		appendStringInfoString(list, ", ");
	appendBinaryStringInfo(list, name, len);
}

/*
 * Returns the rules of a recorded violation that can be recomputed, without
 * illegal_move if any_move is true; "" if there are none.
 */
static char *
RecordedRules(const char *violation, bool any_move)
{
	const char *illegal_move = align_rule_name(RULE_ILLEGAL_MOVE);
	StringInfoData list;
	const char *name = violation;

	initStringInfo(&list);
	while (name != NULL && *name != '\0')
	{
		const char *end = strstr(name, ", ");
		size_t		len = end != NULL ? (size_t) (end - name) : strlen(name);

		if (CanBeRecomputed(name, len) &&
			!(any_move && strlen(illegal_move) == len && memcmp(illegal_move, name, len) == 0))
			AppendRule(&list, name, len);
		name = end != NULL ? end + 2 : NULL;
	}
	return list.data;
}

/*
 * Returns the rules that an entry breaks, as far as that can be recomputed; ""
 * if there are none.
 */
static char *
ExpectedRules(const Funnel *funnel, const RecordedEntry *entry, bool any_move)
{
	StringInfoData list;
	Move		move = {.from = -1,.to = -1};
	Rule		broken[MOVE_MAX_BROKEN];
	int			nbroken = 1;

	initStringInfo(&list);
	if (entry->stage == NULL)
		broken[0] = RULE_LEFT_FUNNEL;
	else
	{
		move.from_label = align_lead_cstring(entry->from_stage);
		move.to_label = align_lead_cstring(entry->stage);
		move.reason = align_lead_cstring(entry->reason);
		if (entry->from_stage != NULL)
			move.from = align_funnel_stage(funnel, move.from_label.text, move.from_label.len);
		move.to = align_funnel_stage(funnel, move.to_label.text, move.to_label.len);
		nbroken = align_judge_move(funnel, &move, broken);
	}
	for (int i = 0; i < nbroken; i++)
	{
		if (any_move && broken[i] == RULE_ILLEGAL_MOVE)
			continue;
		AppendRule(&list, align_rule_name(broken[i]), strlen(align_rule_name(broken[i])));
	}
	return list.data;
}

/*
 * Returns the stage that is furthest along the success path of those that a
 * lead was in before entry number n of its history, whose funnel is given.
 */
static int
FurthestStage(const Check *check, const Funnel *funnel, const RecordedHistory *history, int n)
{
	StageSource by = SourceOf(check, &history->entries[n]);
	int			result = -1;

	for (int i = 0; i < n; i++)
	{
		const RecordedEntry *entry = &history->entries[i];
		StageSource source = SourceOf(check, entry);

		if (align_is_stage_event(entry->event) && !entry->not_live && entry->stage != NULL)
			result = align_further_stage(funnel, result,
										 align_carry_stage(&source, by.agreement, by.version,
														   funnel, entry->stage));
	}
	return result;
}

/*
 * Returns true if history was imported before entry number n.
 */
static bool
HasImported(const RecordedHistory *history, int n)
{
	for (int i = 0; i < n; i++)
	{
		const char *source = history->entries[i].source;

		if (source != NULL && strcmp(source, SOURCE_IMPORT) == 0)
			return true;
	}
	return false;
}

/*
 * Returns true if an entry is a move of a merged lead to the furthest stage of
 * the joined journey, which is legal.
 */
static bool
GoesOnFromFurthest(const Check *check, const Funnel *funnel, const RecordedHistory *history,
				   int n)
{
	const RecordedEntry *entry = &history->entries[n];
	int			stage = entry->stage == NULL ? -1 :
		align_funnel_stage(funnel, entry->stage, strlen(entry->stage));

	return stage >= 0 && stage == FurthestStage(check, funnel, history, n);
}

/*
 * merged is true if another lead was merged into this one since its last stage
 * entry before entry number n.
 */
static void
CheckViolation(const Check *check, const RecordedHistory *history, int n, const Funnel *funnel,
			   bool merged)
{
	const RecordedEntry *entry = &history->entries[n];
	bool		after_merge = merged && !entry->merged && entry->from_stage != NULL;
	bool		unknown;
	char	   *recorded;
	char	   *expected;

	/* an opening is not judged as a move */
	if (entry->event == EVENT_OPENING || !align_is_stage_event(entry->event) || funnel == NULL)
		return;
	/* whether the import came before that move or later is not recorded */
	unknown = after_merge && HasImported(history, n);
	recorded = RecordedRules(entry->violation, unknown);
	expected = ExpectedRules(funnel, entry,
							 unknown || (after_merge &&
										 GoesOnFromFurthest(check, funnel, history, n)));
	if (strcmp(recorded, expected) != 0)
		align_check_report(check, "violation",
						   EntryText(entry, recorded[0] != '\0' ? recorded : NULL),
						   EntryText(entry, expected[0] != '\0' ? expected : NULL));
}

/*
 * Sets the state of the lead to that after an entry.
 */
static void
UpdateState(RecordedState *state, const RecordedEntry *entry)
{
	state->entry = entry;
	if (align_is_stage_event(entry->event))
		state->entered = entry;
	state->alive = !entry->not_live && entry->stage != NULL && entry->event != EVENT_DELETED &&
		entry->event != EVENT_TRUNCATED;
}

/*
 * Checks the entries of one lead, and sets *state to its state after the last.
 */
void
align_check_entries(Check *check, const RecordedHistory *history, RecordedState *state)
{
	const RecordedEntry *before = NULL;
	bool		chained = !history->lacks_beginning;
	bool		merged = false;
	int32		expected_no = history->lacks_beginning ? history->entries[0].entry_no : 1;

	/*
	 * chained is false where the entry before is missing or merged from
	 * another lead, so that from_stage cannot be checked.
	 */
	memset(state, 0, sizeof(RecordedState));
	for (int i = 0; i < history->nentries; i++)
	{
		const RecordedEntry *entry = &history->entries[i];
		const Funnel *funnel = align_check_funnel(check, entry);

		CHECK_FOR_INTERRUPTS();
		CheckNumber(check, entry, expected_no);
		CheckRecordedAt(check, entry, before);
		if (entry->event < 0)
			align_check_report(check, "event", EntryText(entry, entry->event_name), NULL);
		if (funnel == NULL)
			align_check_report(check, "version", EntryText(entry, psprintf("%d", entry->version)),
							   NULL);
		CheckViolation(check, history, i, funnel, merged);
		if (align_is_stage_event(entry->event))
			merged = entry->merged;
		if (entry->merged)
			chained = false;
		else if (entry->event >= 0 && entry->event != EVENT_TOUCH)
		{
			/* not all changes of a row that is not live are recorded */
			if (chained && !entry->not_live)
				CheckFromStage(check, entry, state->alive ? state->entry : NULL, funnel);
			UpdateState(state, entry);
			chained = true;
		}
		expected_no = entry->entry_no + 1;
		before = entry;
	}
}

/*
 * Returns the last entry of the journey in the present life of a lead, or
 * NULL.
 */
const RecordedEntry *
align_check_journey_end(const RecordedHistory *history)
{
	const RecordedEntry *end = NULL;
	int			life = history->entries[history->nentries - 1].life;

	for (int i = history->nentries - 1; i >= 0 && history->entries[i].life == life; i--)
	{
		const RecordedEntry *entry = &history->entries[i];

		if (entry->source != NULL && strcmp(entry->source, SOURCE_BACKFILL) == 0)
			return NULL;
		if (align_is_stage_event(entry->event) && !entry->not_live && entry->stage != NULL &&
			(end == NULL || entry->effective_at > end->effective_at))
			end = entry;
	}
	return end;
}
