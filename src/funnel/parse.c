/*
 * parse.c
 *	  The grammar of the agreement: from text to draft.
 *
 * Keywords are not reserved.  The first words of a statement determine its
 * kind:
 *
 *	  NAME -> ...			needs of a move
 *	  NAME known as ...		labels of a stage
 *	  NAME needs ...		needs of a stage
 *	  KEYWORD ...			everything else
 *
 * So a stage may be called "stage" or "won".  A keyword followed by the word
 * "needs" is ambiguous, and decided by what follows: "stage needs email;"
 * gives needs to the stage called stage, because a need follows, and then a
 * comma, a parenthesis or the semicolon; "stage needs;", "stage needs, b;" and
 * "stage needs held by x;" declare a stage called needs, and "channel needs
 * when ..." and "segment needs: ..." define a channel and a segment of that
 * name.
 */
#include "postgres.h"

#include "funnel/parse.h"
#include "nearest.h"

/*
 * Moves past a name; false, without an error, if none is next.
 */
static bool
SkipName(TextScan *ahead)
{
	ScanName	name;

	return align_scan_peek_name(ahead) && align_scan_name(ahead, "name", &name);
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
		if (!align_parse_name(scan, "team name", &team))
			return false;
		hours->team = align_copy_name(&team);
	}
	if (!align_parse_string(scan, "calendar", &hours->calendar))
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

	if (!align_parse_names(scan, "stage name", FOLLOWED_BY_NONE, &names))
		return false;
	if (align_scan_take_word(scan, "held"))
	{
		ScanName	name;

		if (!align_scan_expect_word(scan, "by") || !align_parse_name(scan, "team name", &name))
			return false;
		team = align_copy_name(&name);
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
	if (!align_parse_names(scan, "stage name", FOLLOWED_BY_NONE, &entry->stages))
		return false;
	draft->entries = lappend(draft->entries, entry);
	return true;
}

/*
 * Reports an unquoted "any" among the stages of a path.  It means all open
 * stages and is only allowed alone at the start, where ParseSteps reads it.
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
								   "Write the name in double quotes if a stage is called any.",
								   is_success ? "\"any\" in the success path" :
								   "\"any\" not alone at the start of a path");
	}
	return true;
}

/*
 * names {-> names}; the success path takes one stage at a time.
 */
static bool
ParseSteps(TextScan *scan, DraftPath *path, bool is_success)
{
	/* "any" before "->" is all open stages; CheckNoAny reports it elsewhere */
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

			if (!align_parse_name(scan, "stage name", &name))
				return false;
			names = list_make1(align_copy_name(&name));
		}
		else if (!align_parse_names(scan, "stage name", FOLLOWED_BY_NONE, &names))
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
		return align_parse_string(scan, "condition", &need->text);
	}
	if (align_scan_take_word(scan, "reason"))
	{
		need->kind = NEED_REASON;
		return align_parse_reasons(scan, &need->reasons);
	}
	need->kind = NEED_COLUMN;
	return align_parse_name(scan, "column, condition in single quotes or \"reason\"", &need->text);
}

/* [from ->] to needs need {, need} */
static bool
ParseNeeds(TextScan *scan, Draft *draft, const ScanName *from, const ScanName *to)
{
	DraftNeeds *needs = (DraftNeeds *) palloc0(sizeof(DraftNeeds));

	needs->from = from ? align_copy_name(from) : NULL;
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

		if (!align_parse_string(scan, "label", &label))
			return false;
		labels->labels = lappend(labels->labels, align_copy_name(&label));
	} while (align_scan_take(scan, ","));
	draft->labels = lappend(draft->labels, labels);
	return true;
}

typedef bool (*ParseRest) (TextScan *scan, Draft *draft);

/* Statements that begin with a keyword. */
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
	{"handoff", align_parse_handoff},
	{"sla", align_parse_sla},
	{"target", align_parse_target},
	{"channel", align_parse_channel},
	{"segment", align_parse_segment},
	{"mix", align_parse_mix},
	{"fiscal", align_parse_fiscal_year},
};

/*
 * A hint if a whole text without a semicolon seems to be the name of an
 * agreement instead of a document; NULL if it does not.
 */
static char *
AgreementNameHint(const TextScan *scan)
{
	const char *start = scan->start + strspn(scan->start, " \t\r\n");
	int			len = scan->end - start;
	StringInfoData hint;

	while (len > 0 && strchr(" \t\r\n", start[len - 1]) != NULL)
		len--;
	if (len == 0 || len >= NAMEDATALEN || memchr(start, ';', len) != NULL ||
		memchr(start, '\n', len) != NULL)
		return NULL;
	initStringInfo(&hint);
	appendStringInfo(&hint, "To use the version of agreement \"%.*s\" that is in force, write align.agreed(",
					 len, start);
	align_write_quoted(&hint, '\'', start, len);
	appendStringInfoString(&hint, ").");
	return hint.data;
}

/*
 * Reports that no statement begins with a name; returns false.
 */
static bool
FailNoStatement(TextScan *scan, const ScanName *name)
{
	const char *words[lengthof(statements)];
	const char *nearest;
	char	   *agreement = AgreementNameHint(scan);

	if (agreement != NULL)
		return align_scan_fail(scan, name->at,
							   psprintf("No statement begins with \"%s\".", name->text),
							   agreement, "expected statement");
	for (int i = 0; i < (int) lengthof(statements); i++)
		words[i] = statements[i].word;
	nearest = align_nearest(name->text, name->len, words, lengthof(statements));
	return align_scan_fail(scan, name->at,
						   psprintf("No statement begins with \"%s\".", name->text),
						   nearest != NULL && !name->quoted && strcmp(nearest, name->text) != 0 ?
						   align_nearest_text(nearest) :
						   "Statements are hours, stage, won, lost, entry, success path, path, handoff, sla, target, channel, segment, mix of, fiscal year, or a stage followed by needs, known as or ->.",
						   "expected statement");
}

/*
 * A statement that begins with a stage: needs of a move, labels, needs.
 */
static bool
ParseAboutStage(TextScan *scan, Draft *draft)
{
	ScanName	name;
	ScanName	to;
	char	   *agreement = AgreementNameHint(scan);

	if (agreement != NULL && !align_scan_peek_name(scan))
		return align_scan_expected(scan, "statement", agreement);
	if (!align_parse_name(scan, "statement", &name))
		return false;
	if (align_scan_take(scan, "->"))
		return align_parse_name(scan, "stage name", &to) &&
			align_scan_expect_word(scan, "needs") &&
			ParseNeeds(scan, draft, &name, &to);
	if (align_scan_take_word(scan, "known"))
		return align_scan_expect_word(scan, "as") && ParseLabels(scan, draft, &name);
	if (align_scan_take_word(scan, "needs"))
		return ParseNeeds(scan, draft, NULL, &name);
	return FailNoStatement(scan, &name);
}

/*
 * True if a statement that begins with a keyword begins with a stage of that
 * name. See the top of this file.
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

/*
 * One statement, without its semicolon.
 */
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

/*
 * Parses a whole document.
 */
bool
align_funnel_draft(TextScan *scan, Draft *draft)
{
	memset(draft, 0, sizeof(Draft));
	if (align_scan_at_end(scan))
		return align_scan_fail(scan, scan->cur, NULL,
							   "An agreement must have stages and a success path.",
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
