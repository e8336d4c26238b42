/*
 * parse.c
 *	  The grammar of the agreement: text to draft.
 *
 * Keywords are never reserved.  What kind of statement begins is told by its
 * first words alone:
 *
 *	  NAME -> ...			needs of a move
 *	  NAME known as ...		labels of a stage
 *	  NAME needs ...		needs of a stage
 *	  KEYWORD ...			everything else
 *
 * so a stage may be called "stage" or "won".  The one place where both readings
 * are open, a keyword followed by the word "needs", is decided by what follows:
 * "stage needs email;" gives needs to the stage called stage (an item, then a
 * comma, a parenthesis or the semicolon), "stage needs;", "stage needs, b;" and
 * "stage needs held by x;" declare a stage called needs.
 *
 * Lists of stages are separated by commas, and so are the clauses of handoffs
 * and service levels; see ClauseFollows.
 */
#include "postgres.h"

#include "funnel/draft.h"

static ScanName *
KeepName(const ScanName *name)
{
	ScanName   *kept = (ScanName *) palloc(sizeof(ScanName));

	*kept = *name;
	return kept;
}

/*
 * A name; unlike the scanner's, never an empty one.
 */
static bool
ParseName(TextScan *scan, const char *what, ScanName *name)
{
	if (!align_scan_name(scan, what, name))
		return false;
	if (name->len == 0)
		return align_scan_fail(scan, name->at, NULL, NULL, "empty name");
	return true;
}

static bool
ParseString(TextScan *scan, const char *what, ScanName *string)
{
	if (!align_scan_string(scan, what, string))
		return false;
	if (string->len == 0)
		return align_scan_fail(scan, string->at, NULL, NULL, "empty string");
	return true;
}

static bool
SkipName(TextScan *ahead)
{
	ScanName	name;

	return align_scan_peek_name(ahead) && align_scan_name(ahead, "name", &name);
}

/* Which clauses may follow a list of names after a comma? */
typedef enum Following
{
	FOLLOWED_BY_NONE,
	FOLLOWED_BY_DUE,			/* stops of an sla */
	FOLLOWED_BY_SLA_CLAUSE,
	FOLLOWED_BY_HANDOFF_CLAUSE
} Following;

/*
 * Does a clause begin here, where a stage might stand?  "accept", "reject" and
 * "pause" begin one if a name follows, save that "x with reason" ends a list of
 * rejecting stages.
 */
static bool
ClauseFollows(TextScan *scan, Following following)
{
	TextScan	ahead = *scan;

	if (following == FOLLOWED_BY_NONE)
		return false;
	if (align_funnel_due_follows(scan))
		return true;
	if (following == FOLLOWED_BY_DUE)
		return false;
	if (align_funnel_warn_follows(scan))
		return true;
	if (!align_scan_take_word(&ahead, "pause") &&
		(following == FOLLOWED_BY_SLA_CLAUSE ||
		 (!align_scan_take_word(&ahead, "accept") && !align_scan_take_word(&ahead, "reject"))))
		return false;
	if (!align_scan_peek_name(&ahead))
		return false;
	return !(align_scan_take_word(&ahead, "with") && align_scan_peek_word(&ahead, "reason"));
}

/*
 * name {, name}; a comma before a clause is left alone.
 */
static bool
ParseNames(TextScan *scan, const char *what, Following following, List **names)
{
	*names = NIL;
	for (;;)
	{
		TextScan	ahead;
		ScanName	name;

		if (!ParseName(scan, what, &name))
			return false;
		*names = lappend(*names, KeepName(&name));

		ahead = *scan;
		if (!align_scan_take(&ahead, ",") || ClauseFollows(&ahead, following))
			return true;
		*scan = ahead;
	}
}

/*
 * [(name {, name})]
 */
static bool
ParseReasons(TextScan *scan, List **reasons)
{
	*reasons = NIL;
	if (!align_scan_take(scan, "("))
		return true;
	return ParseNames(scan, "reason", FOLLOWED_BY_NONE, reasons) && align_scan_expect(scan, ")");
}

/* hours [of team] 'calendar' */
static bool
ParseHours(TextScan *scan, Draft *draft)
{
	DraftHours *hours = (DraftHours *) palloc0(sizeof(DraftHours));
	ScanName	team;

	hours->at = draft->statement;
	if (align_scan_take_word(scan, "of"))
	{
		if (!ParseName(scan, "team name", &team))
			return false;
		hours->team = KeepName(&team);
	}
	if (!ParseString(scan, "calendar", &hours->calendar))
		return false;
	draft->hours = lappend(draft->hours, hours);
	return true;
}

/* stage|won|lost name {, name} [held by team] */
static bool
ParseStagesOfKind(TextScan *scan, Draft *draft, StageKind kind)
{
	List	   *names;
	ListCell   *cell;
	ScanName   *team = NULL;

	if (!ParseNames(scan, "stage name", FOLLOWED_BY_NONE, &names))
		return false;
	if (align_scan_take_word(scan, "held"))
	{
		ScanName	name;

		if (!align_scan_expect_word(scan, "by") || !ParseName(scan, "team name", &name))
			return false;
		team = KeepName(&name);
	}
	foreach(cell, names)
	{
		DraftStage *stage = (DraftStage *) palloc0(sizeof(DraftStage));

		stage->name = *(ScanName *) lfirst(cell);
		stage->kind = kind;
		stage->team = team;
		draft->stages = lappend(draft->stages, stage);
	}
	return true;
}

static bool
ParseStage(TextScan *scan, Draft *draft)
{
	return ParseStagesOfKind(scan, draft, STAGE_OPEN);
}

static bool
ParseWon(TextScan *scan, Draft *draft)
{
	return ParseStagesOfKind(scan, draft, STAGE_WON);
}

static bool
ParseLost(TextScan *scan, Draft *draft)
{
	return ParseStagesOfKind(scan, draft, STAGE_LOST);
}

/* entry name {, name} */
static bool
ParseEntry(TextScan *scan, Draft *draft)
{
	DraftEntry *entry = (DraftEntry *) palloc0(sizeof(DraftEntry));

	entry->at = draft->statement;
	if (!ParseNames(scan, "stage name", FOLLOWED_BY_NONE, &entry->stages))
		return false;
	draft->entries = lappend(draft->entries, entry);
	return true;
}

/*
 * A bare "any" is no stage in a path: it is all open ones, and only at the start.
 */
static bool
CheckNoAny(TextScan *scan, List *names, bool is_success)
{
	ListCell   *cell;

	foreach(cell, names)
	{
		ScanName   *name = (ScanName *) lfirst(cell);

		if (!name->quoted && pg_strcasecmp(name->text, "any") == 0)
			return align_scan_fail(scan, name->at, NULL,
								   "Put the name in double quotes if a stage is called any.",
								   is_success ? "\"any\" in the success path" :
								   "\"any\" elsewhere than alone at the start of a path");
	}
	return true;
}

/*
 * names {-> names}; the success path takes one stage at a time.
 */
static bool
ParseSteps(TextScan *scan, DraftPath *path, bool is_success)
{
	if (!is_success && align_scan_peek_word(scan, "any"))
	{
		TextScan	ahead = *scan;

		if (align_scan_take_word(&ahead, "any") && align_scan_take(&ahead, "->"))
		{
			path->any = true;
			*scan = ahead;
		}
	}
	do
	{
		List	   *names;

		if (is_success)
		{
			ScanName	name;

			if (!ParseName(scan, "stage name", &name))
				return false;
			names = list_make1(KeepName(&name));
		}
		else if (!ParseNames(scan, "stage name", FOLLOWED_BY_NONE, &names))
			return false;
		if (!CheckNoAny(scan, names, is_success))
			return false;
		path->steps = lappend(path->steps, names);
	} while (align_scan_take(scan, "->"));

	if (list_length(path->steps) + path->any < 2)
		return align_scan_expected(scan, "\"->\"", "A path leads from one stage to another.");
	return true;
}

/* success path a -> b -> c */
static bool
ParseSuccess(TextScan *scan, Draft *draft)
{
	DraftPath  *path = (DraftPath *) palloc0(sizeof(DraftPath));

	path->at = draft->statement;
	if (!align_scan_expect_word(scan, "path") || !ParseSteps(scan, path, true))
		return false;
	draft->success_paths = lappend(draft->success_paths, path);
	return true;
}

/* path a, b -> c -> d */
static bool
ParsePath(TextScan *scan, Draft *draft)
{
	DraftPath  *path = (DraftPath *) palloc0(sizeof(DraftPath));

	path->at = draft->statement;
	if (!ParseSteps(scan, path, false))
		return false;
	draft->paths = lappend(draft->paths, path);
	return true;
}

/*
 * A clause may be given once; "seen" is where it was.
 */
static bool
ClauseOnce(TextScan *scan, const char *seen, const char *name)
{
	if (seen == NULL)
		return true;
	align_scan_space(scan);
	return align_scan_fail_code(scan, ERRCODE_DUPLICATE_OBJECT, scan->cur, NULL, NULL,
								"a second \"%s\"", name);
}

/* Clauses that handoffs and service levels share: due and warning. */
static bool
ParseDueOrWarn(TextScan *scan, DraftPromise *due)
{
	if (align_scan_peek_word(scan, "warn"))
		return ClauseOnce(scan, due->warn_at, "warn after") && align_funnel_scan_warn(scan, due);
	return ClauseOnce(scan, due->due_at, "within") && align_funnel_scan_due(scan, due);
}

/*
 * accept names | reject names [with reason [(names)]] | due | warning
 */
static bool
ParseHandoffClause(TextScan *scan, DraftServiceLevel *handoff)
{
	if (align_funnel_due_follows(scan) || align_funnel_warn_follows(scan))
		return ParseDueOrWarn(scan, &handoff->due);
	if (align_scan_peek_word(scan, "accept"))
	{
		if (!ClauseOnce(scan, handoff->accept ? scan->cur : NULL, "accept"))
			return false;
		return align_scan_take_word(scan, "accept") &&
			ParseNames(scan, "stage name", FOLLOWED_BY_HANDOFF_CLAUSE, &handoff->accept);
	}
	if (align_scan_peek_word(scan, "reject"))
	{
		if (!ClauseOnce(scan, handoff->reject ? scan->cur : NULL, "reject"))
			return false;
		if (!align_scan_take_word(scan, "reject") ||
			!ParseNames(scan, "stage name", FOLLOWED_BY_HANDOFF_CLAUSE, &handoff->reject))
			return false;
		if (!align_scan_take_word(scan, "with"))
			return true;
		return align_scan_expect_word(scan, "reason") && ParseReasons(scan, &handoff->reasons);
	}
	if (align_scan_peek_word(scan, "pause"))
		return align_scan_expected(scan, "\"accept\", \"reject\", \"within\", \"by end of\" or \"warn after\"",
								   "A move elsewhere withdraws a handoff; a clock that pauses is an sla.");
	return align_scan_expected(scan, "\"accept\", \"reject\", \"within\", \"by end of\" or \"warn after\"",
							   NULL);
}

/* handoff name: stage from team to team {, clause} */
static bool
ParseHandoff(TextScan *scan, Draft *draft)
{
	DraftServiceLevel *handoff = (DraftServiceLevel *) palloc0(sizeof(DraftServiceLevel));
	ScanName	stage;

	handoff->is_handoff = true;
	handoff->due.promise.warn = -1;
	if (!ParseName(scan, "handoff name", &handoff->name) ||
		!align_scan_expect(scan, ":") ||
		!ParseName(scan, "stage name", &stage) ||
		!align_scan_expect_word(scan, "from") ||
		!ParseName(scan, "team name", &handoff->from_team) ||
		!align_scan_expect_word(scan, "to") ||
		!ParseName(scan, "team name", &handoff->team))
		return false;
	handoff->starts = list_make1(KeepName(&stage));
	while (align_scan_take(scan, ","))
	{
		if (!ParseHandoffClause(scan, handoff))
			return false;
	}
	if (handoff->accept == NIL)
		return align_scan_expected(scan, "\", accept ...\"",
								   "Name the stage that a lead enters when the other team accepts it.");
	draft->service_levels = lappend(draft->service_levels, handoff);
	return true;
}

/* sla name by team: from names to names [,] due {, warning | , pause names} */
static bool
ParseSla(TextScan *scan, Draft *draft)
{
	DraftServiceLevel *sla = (DraftServiceLevel *) palloc0(sizeof(DraftServiceLevel));

	sla->due.promise.warn = -1;
	if (!ParseName(scan, "sla name", &sla->name) ||
		!align_scan_expect_word(scan, "by") ||
		!ParseName(scan, "team name", &sla->team) ||
		!align_scan_expect(scan, ":") ||
		!align_scan_expect_word(scan, "from") ||
		!ParseNames(scan, "stage name", FOLLOWED_BY_NONE, &sla->starts) ||
		!align_scan_expect_word(scan, "to") ||
		!ParseNames(scan, "stage name", FOLLOWED_BY_DUE, &sla->stops))
		return false;
	(void) align_scan_take(scan, ",");
	if (!align_funnel_scan_due(scan, &sla->due))
		return false;
	while (align_scan_take(scan, ","))
	{
		if (align_funnel_due_follows(scan) || align_funnel_warn_follows(scan))
		{
			if (!ParseDueOrWarn(scan, &sla->due))
				return false;
		}
		else if (align_scan_peek_word(scan, "pause"))
		{
			if (!ClauseOnce(scan, sla->pauses ? scan->cur : NULL, "pause") ||
				!align_scan_take_word(scan, "pause") ||
				!ParseNames(scan, "stage name", FOLLOWED_BY_SLA_CLAUSE, &sla->pauses))
				return false;
		}
		else
			return align_scan_expected(scan, "\"warn after\" or \"pause\"", NULL);
	}
	draft->service_levels = lappend(draft->service_levels, sla);
	return true;
}

/*
 * A decimal number in its shortest form: as numeric prints it.
 */
static bool
ParseGoal(TextScan *scan, DraftTarget *target)
{
	const char *p;
	const char *whole;
	const char *dot = NULL;
	const char *end;

	align_scan_space(scan);
	target->goal_at = p = scan->cur;
	if (*p < '0' || *p > '9')
		return align_scan_expected(scan, "number",
								   "Write a target as \"400 mql per month\", \"90% of speed_to_lead\" or \"25% from mql to customer\".");
	while (*p >= '0' && *p <= '9')
		p++;
	if (p[0] == '.' && p[1] >= '0' && p[1] <= '9')
	{
		dot = p;
		for (p++; *p >= '0' && *p <= '9';)
			p++;
	}
	scan->cur = p;

	whole = target->goal_at;
	end = p;
	while (whole[0] == '0' && whole[1] >= '0' && whole[1] <= '9')
		whole++;
	if (dot != NULL)
	{
		while (end[-1] == '0')
			end--;
		if (end - 1 == dot)
			end--;
	}
	target->goal = pnstrdup(whole, end - whole);
	return true;
}

static bool
ParsePeriod(TextScan *scan, const char **period)
{
	static const char *const periods[] = {"day", "week", "month", "quarter", "year"};

	for (int i = 0; i < (int) lengthof(periods); i++)
	{
		if (align_scan_take_word(scan, periods[i]))
		{
			*period = periods[i];
			return true;
		}
	}
	return align_scan_expected(scan, "day, week, month, quarter or year", NULL);
}

/* target team: N stage per period | P% of sla | P% from stage to stage [within time] */
static bool
ParseTarget(TextScan *scan, Draft *draft)
{
	DraftTarget *target = (DraftTarget *) palloc0(sizeof(DraftTarget));

	target->at = draft->statement;
	target->within = -1;
	if (!ParseName(scan, "team name", &target->team) ||
		!align_scan_expect(scan, ":") ||
		!ParseGoal(scan, target))
		return false;
	if (!align_scan_take(scan, "%"))
	{
		target->kind = TARGET_COUNT;
		if (!ParseName(scan, "stage name", &target->what) ||
			!align_scan_expect_word(scan, "per") ||
			!ParsePeriod(scan, &target->per))
			return false;
	}
	else if (align_scan_take_word(scan, "of"))
	{
		target->kind = TARGET_SERVICE_LEVEL;
		if (!ParseName(scan, "name of a handoff or sla", &target->what))
			return false;
	}
	else if (align_scan_take_word(scan, "from"))
	{
		target->kind = TARGET_CONVERSION;
		if (!ParseName(scan, "stage name", &target->what) ||
			!align_scan_expect_word(scan, "to") ||
			!ParseName(scan, "stage name", &target->to))
			return false;
		if (align_scan_peek_word(scan, "within") &&
			!align_funnel_scan_window(scan, &target->within))
			return false;
	}
	else
		return align_scan_expected(scan, "\"of\" or \"from\"", NULL);
	draft->targets = lappend(draft->targets, target);
	return true;
}

/*
 * column | 'condition' | reason [(names)]
 */
static bool
ParseNeed(TextScan *scan, DraftNeed *need)
{
	align_scan_space(scan);
	need->text.at = scan->cur;
	if (*scan->cur == '\'')
	{
		need->kind = NEED_CONDITION;
		return ParseString(scan, "condition", &need->text);
	}
	if (align_scan_take_word(scan, "reason"))
	{
		need->kind = NEED_REASON;
		return ParseReasons(scan, &need->reasons);
	}
	need->kind = NEED_COLUMN;
	return ParseName(scan, "column, condition in single quotes or \"reason\"", &need->text);
}

/* [from ->] to needs need {, need} */
static bool
ParseNeeds(TextScan *scan, Draft *draft, const ScanName *from, const ScanName *to)
{
	DraftNeeds *needs = (DraftNeeds *) palloc0(sizeof(DraftNeeds));

	needs->from = from ? KeepName(from) : NULL;
	needs->to = *to;
	do
	{
		DraftNeed  *need = (DraftNeed *) palloc0(sizeof(DraftNeed));

		if (!ParseNeed(scan, need))
			return false;
		needs->needs = lappend(needs->needs, need);
	} while (align_scan_take(scan, ","));
	draft->needs = lappend(draft->needs, needs);
	return true;
}

/* stage known as 'label' {, 'label'} */
static bool
ParseLabels(TextScan *scan, Draft *draft, const ScanName *stage)
{
	DraftLabels *labels = (DraftLabels *) palloc0(sizeof(DraftLabels));

	labels->stage = *stage;
	do
	{
		ScanName	label;

		if (!ParseString(scan, "label", &label))
			return false;
		labels->labels = lappend(labels->labels, KeepName(&label));
	} while (align_scan_take(scan, ","));
	draft->labels = lappend(draft->labels, labels);
	return true;
}

typedef bool (*ParseRest) (TextScan *scan, Draft *draft);

/* Statements that begin with a word of their own. */
static const struct
{
	const char *word;
	ParseRest	parse;
}			statements[] = {
	{"hours", ParseHours},
	{"stage", ParseStage},
	{"won", ParseWon},
	{"lost", ParseLost},
	{"entry", ParseEntry},
	{"success", ParseSuccess},
	{"path", ParsePath},
	{"handoff", ParseHandoff},
	{"sla", ParseSla},
	{"target", ParseTarget},
};

static bool
FailNoStatement(TextScan *scan, const ScanName *name)
{
	const char *words[lengthof(statements)];
	const char *nearest;

	for (int i = 0; i < (int) lengthof(statements); i++)
		words[i] = statements[i].word;
	nearest = align_nearest(name->text, name->len, words, lengthof(statements));
	return align_scan_fail(scan, name->at,
						   psprintf("\"%s\" begins no statement.", name->text),
						   nearest != NULL && !name->quoted && strcmp(nearest, name->text) != 0 ?
						   psprintf("Did you mean \"%s\"?", nearest) :
						   "Statements are hours, stage, won, lost, entry, success path, path, handoff, sla, target, or a stage followed by needs, known as or ->.",
						   "expected statement");
}

/* A statement about a stage, which it begins with. */
static bool
ParseAboutStage(TextScan *scan, Draft *draft)
{
	ScanName	name;
	ScanName	to;

	if (!ParseName(scan, "statement", &name))
		return false;
	if (align_scan_take(scan, "->"))
		return ParseName(scan, "stage name", &to) &&
			align_scan_expect_word(scan, "needs") &&
			ParseNeeds(scan, draft, &name, &to);
	if (align_scan_take_word(scan, "known"))
		return align_scan_expect_word(scan, "as") && ParseLabels(scan, draft, &name);
	if (align_scan_take_word(scan, "needs"))
		return ParseNeeds(scan, draft, NULL, &name);
	return FailNoStatement(scan, &name);
}
/*
 * A statement that begins with a keyword may still be one about a stage of that
 * name; see the head of this file.
 */
static bool
IsAboutStage(TextScan *scan)
{
	TextScan	ahead = *scan;

	if (!SkipName(&ahead))
		return false;
	if (align_scan_take(&ahead, "->"))
		return true;
	if (align_scan_take_word(&ahead, "known"))
		return align_scan_peek_word(&ahead, "as");
	if (!align_scan_take_word(&ahead, "needs"))
		return false;
	align_scan_space(&ahead);
	if (*ahead.cur == '\'')
		return true;
	if (!SkipName(&ahead))
		return false;
	align_scan_space(&ahead);
	return *ahead.cur == ',' || *ahead.cur == ';' || *ahead.cur == '(';
}

static bool
ParseStatement(TextScan *scan, Draft *draft)
{
	draft->statement = scan->cur;
	for (int i = 0; i < (int) lengthof(statements); i++)
	{
		if (align_scan_peek_word(scan, statements[i].word) && !IsAboutStage(scan))
			return align_scan_take_word(scan, statements[i].word) &&
				statements[i].parse(scan, draft);
	}
	return ParseAboutStage(scan, draft);
}

bool
align_funnel_draft(TextScan *scan, Draft *draft)
{
	memset(draft, 0, sizeof(Draft));
	if (align_scan_at_end(scan))
		return align_scan_fail(scan, scan->cur, NULL,
							   "An agreement has at least stages and a success path.",
							   "the agreement is empty");
	do
	{
		if (!ParseStatement(scan, draft))
			return false;
		if (!align_scan_take(scan, ";"))
			return align_scan_expected(scan, "\";\"", NULL);
	} while (!align_scan_at_end(scan));
	return true;
}
