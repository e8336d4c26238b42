/*
 * text_read.c
 *	  Reads the text form of a process; text_write.c writes it.
 *
 *	  {leads 2 working 0123456789abcdef as of 2026-03-01T00:00:00Z,
 *	   stage inquiry leads 2 starts 2 ends 1 age 86400000000 least ... in (...)
 *	   working 28800000000 least ... in (...), stage mql leads 1 ends 1 ...,
 *	   move inquiry -> mql moves 1 leads 1 time ... working ...}
 *
 *	  process	:= "{" "leads" number ["working" fingerprint]
 *				   ["as" "of" time ["to" time]] {"," item} "}"
 *	  item		:= "stage" name "leads" number ["starts" number]
 *				   ["ends" number ["age" times]]
 *				 | "move" name "->" name "moves" number "leads" number
 *				   "time" times
 *	  times		:= histogram ["working" histogram]
 *
 * Output has all stages first, sorted by the bytes of their names, then the
 * moves in the order of their stages, and leaves out starts and ends of zero.
 * Input may have another order, but has a stage before its moves.  Histograms
 * are those of histogram_forms.c.
 */
#include "postgres.h"

#include "process/process.h"
#include "time_text.h"

static bool
ReadCount(TextScan *scan, const char *word, int64 *count)
{
	uint64		number;

	if (!align_scan_expect_word(scan, word) ||
		!align_scan_uint(scan, "a count", PG_INT64_MAX, &number))
		return false;
	*count = (int64) number;
	return true;
}

/*
 * A count that is zero if it is absent.
 */
static bool
ReadOptionalCount(TextScan *scan, const char *word, int64 *count)
{
	*count = 0;
	return !align_scan_peek_word(scan, word) || ReadCount(scan, word, count);
}

/*
 * Elapsed and working times, count of each.
 */
static bool
ReadTimes(TextScan *scan, Process *process, ProcessTimes *times, int64 count)
{
	bool		has_working = process->identity.has_working;
	const char *at;
	const char *wrong = NULL;

	align_scan_space(scan);
	at = scan->cur;
	if (!align_histogram_parse(scan, &times->elapsed, PROCESS_CONTEXT(process)))
		return false;
	if (has_working &&
		(!align_scan_expect_word(scan, "working") ||
		 !align_histogram_parse(scan, &times->working, PROCESS_CONTEXT(process))))
		return false;
	if (times->elapsed.count != count || (has_working && times->working.count != count))
		wrong = "The buckets do not add up to the number of times.";
	else
		wrong = align_process_check_times(times, has_working);
	if (wrong != NULL)
		return align_scan_fail(scan, at, wrong, NULL, "impossible times");
	return true;
}

/*
 * Everything after "stage".
 */
static bool
ReadStage(TextScan *scan, Process *process)
{
	ScanName	name;
	LeadString	text;
	ProcessStage *stage;
	int			added;

	if (!align_scan_name(scan, "a stage", &name))
		return false;
	text = align_lead_bytes(name.text, name.len);
	if (align_process_find_stage(process, text) >= 0)
		return align_scan_fail(scan, name.at, NULL, NULL, "repeated stage");
	if (process->nstages == PROCESS_MAX_STAGES)
		return align_scan_fail_code(scan, ERRCODE_PROGRAM_LIMIT_EXCEEDED, name.at,
									psprintf("A process has at most %d stages.",
											 PROCESS_MAX_STAGES),
									NULL, "too many stages");
	added = align_process_stage(process, text);
	stage = &process->stages[added];
	if (!ReadCount(scan, "leads", &stage->leads) ||
		!ReadOptionalCount(scan, "starts", &stage->starts) ||
		!ReadOptionalCount(scan, "ends", &stage->ends))
		return false;
	if (process->identity.has_as_of && stage->ends > 0)
		return align_scan_expect_word(scan, "age") &&
			ReadTimes(scan, process, &stage->ages, stage->ends);
	return true;
}

static bool
ReadMoveStage(TextScan *scan, const Process *process, int *stage)
{
	ScanName	name;

	if (!align_scan_name(scan, "a stage", &name))
		return false;
	*stage = align_process_find_stage(process, align_lead_bytes(name.text, name.len));
	if (*stage < 0)
		return align_scan_fail(scan, name.at, "A stage precedes its moves.", NULL,
							   "unknown stage");
	return true;
}

/*
 * Everything after "move".
 */
static bool
ReadMove(TextScan *scan, Process *process)
{
	ProcessMove *move;
	const char *at;
	int			from;
	int			to;
	int			nmoves = process->nmoves;
	int			added;

	align_scan_space(scan);
	at = scan->cur;
	if (!ReadMoveStage(scan, process, &from) ||
		!align_scan_expect(scan, "->") ||
		!ReadMoveStage(scan, process, &to))
		return false;
	added = nmoves < PROCESS_MAX_MOVES ? align_process_move(process, from, to) : -1;
	if (added < 0)
		return align_scan_fail_code(scan, ERRCODE_PROGRAM_LIMIT_EXCEEDED, at,
									psprintf("A process has moves between at most %d pairs of stages.",
											 PROCESS_MAX_MOVES),
									NULL, "too many moves");
	if (added < nmoves)
		return align_scan_fail(scan, at, NULL, NULL, "repeated move");
	move = &process->moves[added];
	return ReadCount(scan, "moves", &move->moves) &&
		ReadCount(scan, "leads", &move->leads) &&
		align_scan_expect_word(scan, "time") &&
		ReadTimes(scan, process, &move->times, move->moves);
}

static bool
ReadAsOf(TextScan *scan, Process *process)
{
	const char *at;

	if (!align_scan_expect_word(scan, "of") || !align_scan_time(scan, &process->least_as_of))
		return false;
	process->most_as_of = process->least_as_of;
	if (align_scan_take_word(scan, "to"))
	{
		align_scan_space(scan);
		at = scan->cur;
		if (!align_scan_time(scan, &process->most_as_of))
			return false;
		if (process->most_as_of < process->least_as_of)
			return align_scan_fail(scan, at, NULL, NULL, "times in the wrong order");
	}
	return true;
}

static bool
ReadItem(TextScan *scan, Process *process)
{
	if (align_scan_take_word(scan, "stage"))
		return ReadStage(scan, process);
	if (align_scan_take_word(scan, "move"))
		return ReadMove(scan, process);
	return align_scan_expected(scan, "\"stage\" or \"move\"", NULL);
}

/*
 * The checks that need all counts.
 */
static bool
CheckAll(TextScan *scan, Process *process, int64 leads, const char *leads_at)
{
	int			stage;
	const char *wrong = align_process_check(process, &stage);

	if (wrong != NULL && stage >= 0)
	{
		StringInfoData name;

		initStringInfo(&name);
		align_write_name(&name, process->stages[stage].name.text,
						 process->stages[stage].name.len);
		return align_scan_fail(scan, scan->end, wrong, NULL, "impossible counts of stage %s",
							   name.data);
	}
	if (wrong == NULL && leads != process->leads)
		wrong = "It is not the sum of the starts.";
	if (wrong != NULL)
		return align_scan_fail(scan, leads_at, wrong, NULL, "impossible number of leads");
	return true;
}

Process *
align_process_parse(const char *text, Node *escontext)
{
	TextScan	scan;
	ProcessIdentity identity = {0};
	Process    *process;
	const char *leads_at;
	int64		leads;

	align_scan_begin(&scan, text, PROCESS_TYPE, false, escontext);
	if (!align_scan_expect(&scan, "{"))
		return NULL;
	align_scan_space(&scan);
	leads_at = scan.cur;
	if (!ReadCount(&scan, "leads", &leads))
		return NULL;
	identity.has_working = align_scan_take_word(&scan, "working");
	if (identity.has_working && !align_scan_fingerprint(&scan, &identity.calendar))
		return NULL;
	identity.has_as_of = align_scan_take_word(&scan, "as");
	process = align_process_make(&identity, CurrentMemoryContext, false);
	if (identity.has_as_of && !ReadAsOf(&scan, process))
		return NULL;
	while (align_scan_take(&scan, ","))
	{
		if (!ReadItem(&scan, process))
			return NULL;
	}
	if (!align_scan_take(&scan, "}"))
	{
		align_scan_expected(&scan, "\",\" or \"}\"", NULL);
		return NULL;
	}
	if (!align_scan_at_end(&scan))
	{
		align_scan_expected(&scan, "the end", NULL);
		return NULL;
	}
	if (!CheckAll(&scan, process, leads, leads_at))
		return NULL;
	return process;
}
