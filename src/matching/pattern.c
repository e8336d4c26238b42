/*
 * pattern.c
 *	  The pattern language of sequences: from text to items, spans and sets.
 */
#include "postgres.h"

#include "common/int.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "matching/pattern.h"
#include "matching/pattern_set.h"
#include "text_scan.h"

/* Bytes of the offending text that a message repeats. */
#define FOUND_LEN 32

#define ELEMENTS_HINT "A pattern is made of (?N), which is condition N, \".\" for any event, " \
	"\".*\" for any number of events, and times between two events such as (?t<=3600) or " \
	"(?t<='1 hour')."

/* More spans than any pattern has use for. */
#define MAX_SPANS PATTERN_MAX_ITEMS

typedef enum TimeOperator
{
	TIME_LESS,
	TIME_LESS_EQUAL,
	TIME_GREATER,
	TIME_GREATER_EQUAL,
	TIME_EQUAL,
	TIME_NOT_EQUAL
} TimeOperator;

typedef struct OperatorWord
{
	const char *word;
	TimeOperator operator;
} OperatorWord;

/* The longest spelling of each beginning comes first. */
static const OperatorWord operators[] = {
	{"<=", TIME_LESS_EQUAL},
	{"<>", TIME_NOT_EQUAL},
	{"<", TIME_LESS},
	{">=", TIME_GREATER_EQUAL},
	{">", TIME_GREATER},
	{"==", TIME_EQUAL},
	{"=", TIME_EQUAL},
	{"!=", TIME_NOT_EQUAL}
};

/*
 * A pattern while it is read.  What follows the items is the gap before the
 * next one; its spans are the last ones.
 */
typedef struct PatternReader
{
	TextScan	scan;
	PatternItem items[PATTERN_MAX_ITEMS];
	int			nitems;
	PatternSpan spans[MAX_SPANS];
	int			nspans;
	PatternGap	gap;
	int			first_span;
	const char *timed_at;		/* its first time, NULL: none; for messages */
} PatternReader;

/*
 * Raise an error at a position of the pattern.  Detail and hint may be NULL.
 */
static void
Fail(PatternReader *reader, const char *at, const char *detail, const char *hint,
	 const char *message)
{
	align_scan_fail_code(&reader->scan, ERRCODE_INVALID_PARAMETER_VALUE, at, detail, hint,
						 "%s", message);
	pg_unreachable();
}

/*
 * Raise the error that something else was expected here.
 */
static void
FailExpected(PatternReader *reader, const char *what, const char *hint)
{
	TextScan   *scan = &reader->scan;
	const char *stop;
	char	   *detail;

	align_scan_space(scan);
	stop = scan->cur;
	while (stop < scan->end && stop - scan->cur < FOUND_LEN)
		stop += Min(pg_mblen(stop), scan->end - stop);
	detail = scan->cur == scan->end ? "The pattern ends there." :
		psprintf("Found \"%.*s\".", (int) (stop - scan->cur), scan->cur);
	Fail(reader, scan->cur, detail, hint, psprintf("expected %s", what));
}

static inline bool
IsDigit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * Add an item; the gap that was read before it is its own.
 */
static void
AddItem(PatternReader *reader, const char *at, int condition)
{
	PatternItem *item;

	if (reader->nitems == PATTERN_MAX_ITEMS)
		align_scan_fail_code(&reader->scan, ERRCODE_PROGRAM_LIMIT_EXCEEDED, at,
							 psprintf("A pattern has at most %d conditions and dots.",
									  PATTERN_MAX_ITEMS), NULL, "too many events");
	item = &reader->items[reader->nitems++];
	item->condition = condition;
	item->gap = reader->nitems == 1 ? PATTERN_LATER : reader->gap;
	item->first_span = reader->first_span;
	item->nspans = reader->nspans - reader->first_span;
	item->same_time = false;
	for (int i = item->first_span; i < reader->nspans; i++)
		item->same_time |= reader->spans[i].least == 0;

	reader->gap = PATTERN_NEXT;
	reader->first_span = reader->nspans;
	reader->timed_at = NULL;
}

static void
ReadCondition(PatternReader *reader, const char *at)
{
	const char *number = reader->scan.cur;
	int			condition = 0;

	for (; IsDigit(*reader->scan.cur); reader->scan.cur++)
	{
		condition = condition * 10 + (*reader->scan.cur - '0');
		if (condition > PATTERN_MAX_CONDITIONS)
			Fail(reader, number, psprintf("There are at most %d conditions.", PATTERN_MAX_CONDITIONS),
				 NULL, "number of a condition is out of range");
	}
	if (condition == 0)
		Fail(reader, number, "Conditions are numbered from 1.", NULL,
			 "number of a condition is out of range");
	AddItem(reader, at, condition - 1);
}

/*
 * Seconds with up to six decimals, in microseconds.
 */
static uint64
ReadSeconds(PatternReader *reader)
{
	const char *p = reader->scan.cur;
	int64		result = 0;
	int64		unit = USECS_PER_SEC;
	bool		valid = true;

	for (; IsDigit(*p); p++)
	{
		valid = valid && !pg_mul_s64_overflow(result, 10, &result) &&
			!pg_add_s64_overflow(result, *p - '0', &result);
	}
	valid = valid && !pg_mul_s64_overflow(result, USECS_PER_SEC, &result);
	if (*p == '.' && IsDigit(p[1]))
	{
		for (p++; IsDigit(*p); p++)
		{
			unit /= 10;
			if (unit == 0 && *p != '0')
				Fail(reader, reader->scan.cur, "Times are exact to the microsecond.", NULL,
					 "too many decimals");
			valid = valid && !pg_add_s64_overflow(result, unit * (*p - '0'), &result);
		}
	}
	if (!valid)
		Fail(reader, reader->scan.cur, NULL, NULL, "time is out of range");
	reader->scan.cur = p;
	return (uint64) result;
}

/*
 * An AlignTextParser for intervals: a palloc'd Interval.
 */
static struct TextValue *
ParseInterval(const char *text, Node *escontext)
{
	Datum		result;

	if (!align_interval_in(unconstify(char *, text), escontext, &result))
		return NULL;
	return (struct TextValue *) DatumGetPointer(result);
}

/*
 * An interval in single or double quotes, in microseconds.
 */
static uint64
ReadInterval(PatternReader *reader)
{
	const char *begin = reader->scan.cur;
	const char *end = strchr(begin + 1, *begin);
	char	   *text;
	Interval   *interval;
	ErrorData  *error;
	int64		result;

	if (end == NULL)
		Fail(reader, begin, NULL, psprintf("Close it with %c.", *begin), "unterminated interval");
	text = pnstrdup(begin + 1, end - begin - 1);
	interval = (Interval *) align_capture_error(ParseInterval, text, &error);
	if (interval == NULL)
		Fail(reader, begin, psprintf("PostgreSQL reports: %s.", error->message), NULL,
			 "not an interval");

	/* the sign of a negative part depends on IntervalStyle */
	if (strchr(text, '-') != NULL)
		Fail(reader, begin, NULL, NULL, "interval must not have a negative part");
	if (ALIGN_INTERVAL_NOT_FINITE(interval))
		Fail(reader, begin, NULL, NULL, "interval must be finite");
	if (interval->month != 0)
		Fail(reader, begin, "Months differ in length.",
			 "Give it in days of 24 hours, for example \"30 days\".",
			 "interval must not be given in months or years");
	if (pg_mul_s64_overflow(interval->day, USECS_PER_DAY, &result) ||
		pg_add_s64_overflow(result, interval->time, &result))
		Fail(reader, begin, NULL, NULL, "time is out of range");
	if (result < 0)
		Fail(reader, begin, NULL, NULL, "interval must not be negative");
	reader->scan.cur = end + 1;
	return (uint64) result;
}

/*
 * Write the parts of the gap's spans that lie within least to most; returns
 * their number, which may be 0.
 */
static int
Intersect(PatternReader *reader, PatternSpan *result, uint64 least, uint64 most)
{
	int			n = 0;

	for (int i = reader->first_span; i < reader->nspans; i++)
	{
		PatternSpan span = reader->spans[i];

		span.least = Max(span.least, least);
		span.most = Min(span.most, most);
		if (span.least <= span.most)
			result[n++] = span;
	}
	return n;
}

static void
AddTime(PatternReader *reader, const char *at, TimeOperator operator, uint64 time)
{
	const uint64 end = PG_UINT64_MAX;
	int			room = MAX_SPANS - reader->first_span;
	PatternSpan *spans;
	int			n = 0;

	if (reader->gap != PATTERN_TIMED)
	{
		if (room > 0)
		{
			reader->spans[reader->nspans].least = 0;
			reader->spans[reader->nspans++].most = end;
		}
		reader->gap = PATTERN_TIMED;
		reader->timed_at = at;
	}

	/* each span is cut in two at most */
	spans = palloc((2 * (reader->nspans - reader->first_span) + 1) * sizeof(PatternSpan));
	switch (operator)
	{
		case TIME_LESS:
			n = time == 0 ? 0 : Intersect(reader, spans, 0, time - 1);
			break;
		case TIME_LESS_EQUAL:
			n = Intersect(reader, spans, 0, time);
			break;
		case TIME_GREATER:
			n = Intersect(reader, spans, time + 1, end);
			break;
		case TIME_GREATER_EQUAL:
			n = Intersect(reader, spans, time, end);
			break;
		case TIME_EQUAL:
			n = Intersect(reader, spans, time, time);
			break;
		case TIME_NOT_EQUAL:
			n = time == 0 ? 0 : Intersect(reader, spans, 0, time - 1);
			n += Intersect(reader, spans + n, time + 1, end);
			break;
	}
	if (n > room || room == 0)
		align_scan_fail_code(&reader->scan, ERRCODE_PROGRAM_LIMIT_EXCEEDED, at,
							 NULL, NULL, "too many times");
	memcpy(reader->spans + reader->first_span, spans, n * sizeof(PatternSpan));
	reader->nspans = reader->first_span + n;
	pfree(spans);
}

/*
 * A time, after "(?t".
 */
static void
ReadTime(PatternReader *reader, const char *at)
{
	TextScan   *scan = &reader->scan;
	uint64		time = 0;
	int			i;

	for (i = 0; i < (int) lengthof(operators); i++)
	{
		if (align_scan_take(scan, operators[i].word))
			break;
	}
	if (i == (int) lengthof(operators))
		FailExpected(reader, "one of < <= > >= == !=", NULL);
	align_scan_space(scan);
	if (IsDigit(*scan->cur))
		time = ReadSeconds(reader);
	else if (*scan->cur == '\'' || *scan->cur == '"')
		time = ReadInterval(reader);
	else
		FailExpected(reader, "seconds or an interval in quotes", NULL);
	if (reader->nitems == 0)
		Fail(reader, at, "A time is that between two events.",
			 "Write what it is counted from before it: a condition, or \".\" for any event.",
			 "time without an event before it");
	AddTime(reader, at, operators[i].operator, time);
}

static void
ReadElements(PatternReader *reader)
{
	TextScan   *scan = &reader->scan;

	while (!align_scan_at_end(scan))
	{
		const char *at = scan->cur;

		if (align_scan_take(scan, "."))
		{
			if (!align_scan_take(scan, "*"))
				AddItem(reader, at, PATTERN_ANY);
			else if (reader->gap == PATTERN_NEXT)
				reader->gap = PATTERN_LATER;
		}
		else if (align_scan_take(scan, "("))
		{
			if (!align_scan_take(scan, "?"))
				FailExpected(reader, "\"?\"", ELEMENTS_HINT);
			if (align_scan_take(scan, "t"))
				ReadTime(reader, at);
			else if (IsDigit(*scan->cur))
				ReadCondition(reader, at);
			else
				FailExpected(reader, "the number of a condition, or \"t\"", ELEMENTS_HINT);
			if (!align_scan_take(scan, ")"))
				FailExpected(reader, "\")\"", NULL);
		}
		else
			FailExpected(reader, "\"(\" or \".\"", ELEMENTS_HINT);
	}
	if (reader->nitems == 0)
		Fail(reader, scan->start, "It has neither a condition nor \".\".", ELEMENTS_HINT,
			 "no event");
	if (reader->timed_at != NULL)
		Fail(reader, reader->timed_at, "A time is that between two events.",
			 "Write what it is counted to after it: a condition, or \".\" for any event.",
			 "time without an event after it");
}

/*
 * Make the sets and lists of positions from the items.
 */
static void
MakeSets(SequencePattern *pattern)
{
	int			n = pattern->nitems;
	int			block_end = n;
	int			first_cut = PG_INT32_MAX;
	int			cut;

	pattern->nwords = POSITION_WORDS(n);
	pattern->waits = palloc0(pattern->nwords * sizeof(uint64));
	pattern->neighbours = palloc0(pattern->nwords * sizeof(uint64));
	pattern->any = palloc0(pattern->nwords * sizeof(uint64));
	pattern->block_end = palloc(n * sizeof(int));
	pattern->cut = palloc(n * sizeof(int));

	for (int p = 0; p < n; p++)
	{
		const PatternItem *item = &pattern->items[p];
		uint64	   *set = pattern->any;

		if (item->gap == PATTERN_LATER)
			align_set_add(pattern->waits, p);
		else if (item->gap == PATTERN_NEXT)
			align_set_add(pattern->neighbours, p);
		else if (!item->same_time)
			first_cut = Min(first_cut, p);

		if (item->condition != PATTERN_ANY)
		{
			if (pattern->matches[item->condition] == NULL)
				pattern->matches[item->condition] = palloc0(pattern->nwords * sizeof(uint64));
			set = pattern->matches[item->condition];
			pattern->conditions |= UINT64CONST(1) << item->condition;
			pattern->nconditions = Max(pattern->nconditions, item->condition + 1);
		}
		align_set_add(set, p);
	}

	/* a run of items that goes on after the last one begins again */
	cut = first_cut == PG_INT32_MAX ? PG_INT32_MAX : n + first_cut;
	for (int p = n - 1; p >= 0; p--)
	{
		const PatternItem *item = &pattern->items[p];

		pattern->block_end[p] = block_end;
		pattern->cut[p] = cut;
		if (item->gap != PATTERN_NEXT)
			block_end = p;
		if (item->gap == PATTERN_TIMED && !item->same_time)
			cut = p;
	}
}

SequencePattern *
align_pattern_compile(const char *text, int len)
{
	PatternReader *reader = palloc(sizeof(PatternReader));
	SequencePattern *pattern = palloc0(sizeof(SequencePattern));
	char	   *copy = pnstrdup(text, len);

	align_scan_begin(&reader->scan, copy, "sequence pattern", false, NULL);
	reader->nitems = 0;
	reader->nspans = 0;
	reader->gap = PATTERN_NEXT;
	reader->first_span = 0;
	reader->timed_at = NULL;
	ReadElements(reader);

	pattern->text = copy;
	pattern->len = len;
	pattern->nitems = reader->nitems;
	pattern->nspans = reader->nspans;
	pattern->items = palloc(reader->nitems * sizeof(PatternItem));
	memcpy(pattern->items, reader->items, reader->nitems * sizeof(PatternItem));
	pattern->spans = palloc(reader->nspans * sizeof(PatternSpan));
	memcpy(pattern->spans, reader->spans, reader->nspans * sizeof(PatternSpan));
	MakeSets(pattern);
	pfree(reader);
	return pattern;
}
