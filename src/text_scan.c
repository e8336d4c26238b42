/*
 * text_scan.c
 *	  The scanner shared by the text forms of all types.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "text_scan.h"

/* Bytes of the offending text that a message repeats. */
#define FOUND_LEN 32

static inline bool
IsNameStart(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static inline bool
IsDigit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
IsNameChar(char c)
{
	return IsNameStart(c) || IsDigit(c) || c == '-';
}

static inline bool
IsSpace(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

void
align_scan_begin(TextScan *scan, const char *text, const char *type_name,
				 bool comments, Node *escontext)
{
	scan->start = text;
	scan->cur = text;
	scan->end = text + strlen(text);
	scan->type_name = type_name;
	scan->comments = comments;
	scan->escontext = escontext;
	scan->describe = NULL;
	scan->describe_arg = NULL;
}

void
align_scan_space(TextScan *scan)
{
	for (;;)
	{
		while (IsSpace(*scan->cur))
			scan->cur++;
		if (!scan->comments || scan->cur[0] != '-' || scan->cur[1] != '-')
			return;
		while (*scan->cur != '\0' && *scan->cur != '\n')
			scan->cur++;
	}
}

bool
align_scan_at_end(TextScan *scan)
{
	align_scan_space(scan);
	return scan->cur == scan->end;
}

bool
align_scan_take(TextScan *scan, const char *punctuation)
{
	size_t		len = strlen(punctuation);

	align_scan_space(scan);
	if (strncmp(scan->cur, punctuation, len) != 0)
		return false;
	scan->cur += len;
	return true;
}

bool
align_scan_expect(TextScan *scan, const char *punctuation)
{
	if (align_scan_take(scan, punctuation))
		return true;
	return align_scan_expected(scan, psprintf("\"%s\"", punctuation), NULL);
}

/*
 * A hyphen ends the word in "a->b" (a move) and in "a--b" (a comment).
 */
static inline bool
HyphenEndsWord(char next)
{
	return next == '-' || next == '>';
}

/*
 * End of the bare word at p, or p if none starts there.
 */
static const char *
WordEnd(const char *p)
{
	if (!IsNameStart(*p))
		return p;
	for (p++; IsNameChar(*p); p++)
	{
		if (*p == '-' && HyphenEndsWord(p[1]))
			break;
	}
	return p;
}

bool
align_scan_peek_word(TextScan *scan, const char *word)
{
	size_t		len = strlen(word);

	align_scan_space(scan);
	return (size_t) (WordEnd(scan->cur) - scan->cur) == len &&
		pg_strncasecmp(scan->cur, word, len) == 0;
}

bool
align_scan_take_word(TextScan *scan, const char *word)
{
	if (!align_scan_peek_word(scan, word))
		return false;
	scan->cur += strlen(word);
	return true;
}

bool
align_scan_expect_word(TextScan *scan, const char *word)
{
	if (align_scan_take_word(scan, word))
		return true;
	return align_scan_expected(scan, psprintf("\"%s\"", word), NULL);
}

bool
align_scan_peek_name(TextScan *scan)
{
	align_scan_space(scan);
	return *scan->cur == '"' || IsNameStart(*scan->cur);
}

/*
 * Read a quoted text up to its closing quote; a doubled quote stands for one.
 */
static bool
ScanQuoted(TextScan *scan, const char *what, ScanName *result)
{
	char		quote = *scan->cur;
	const char *p = scan->cur + 1;
	StringInfoData buf;

	initStringInfo(&buf);
	for (;;)
	{
		if (*p == '\0')
			return align_scan_fail(scan, scan->cur, NULL,
								   psprintf("Close it with %c; write %c%c for a quote inside it.",
											quote, quote, quote),
								   "unterminated %s", what);
		if (*p == quote)
		{
			if (p[1] != quote)
				break;
			p++;
		}
		appendStringInfoChar(&buf, *p++);
	}
	result->text = buf.data;
	result->len = buf.len;
	result->at = scan->cur;
	result->quoted = true;
	scan->cur = p + 1;
	return true;
}

bool
align_scan_name(TextScan *scan, const char *what, ScanName *name)
{
	const char *word_end;

	align_scan_space(scan);
	if (*scan->cur == '"')
		return ScanQuoted(scan, what, name);

	word_end = WordEnd(scan->cur);
	/* do not take the ASCII beginning of a word for the name */
	if (word_end == scan->cur || IS_HIGHBIT_SET(*word_end))
		return align_scan_expected(scan, what,
								   (IsDigit(*scan->cur) || IS_HIGHBIT_SET(*word_end)) ?
								   "Put names that are not plain ASCII words in double quotes." :
								   NULL);
	name->at = scan->cur;
	name->len = word_end - scan->cur;
	name->text = pnstrdup(scan->cur, name->len);
	name->quoted = false;
	scan->cur = word_end;
	return true;
}

bool
align_scan_string(TextScan *scan, const char *what, ScanName *string)
{
	align_scan_space(scan);
	if (*scan->cur != '\'')
		return align_scan_expected(scan, what, "Put it in single quotes.");
	return ScanQuoted(scan, what, string);
}

bool
align_scan_uint(TextScan *scan, const char *what, uint64 max, uint64 *value)
{
	uint64		result = 0;
	const char *p;

	align_scan_space(scan);
	p = scan->cur;
	if (!IsDigit(*p))
		return align_scan_expected(scan, what, NULL);
	for (; IsDigit(*p); p++)
	{
		unsigned int digit = *p - '0';

		if (digit > max || result > (max - digit) / 10)
			return align_scan_fail(scan, scan->cur,
								   psprintf("The largest value is " UINT64_FORMAT ".", max),
								   NULL, "%s out of range", what);
		result = result * 10 + digit;
	}
	scan->cur = p;
	*value = result;
	return true;
}

bool
align_scan_count(TextScan *scan, const char *word, int64 *count)
{
	uint64		number = 0;

	if (align_scan_take_word(scan, word) &&
		!align_scan_uint(scan, "a count", PG_INT64_MAX, &number))
		return false;
	*count = (int64) number;
	return true;
}

bool
align_scan_fingerprint(TextScan *scan, uint64 *fingerprint)
{
	const char *p;

	align_scan_space(scan);
	*fingerprint = 0;
	for (p = scan->cur; p < scan->cur + FINGERPRINT_DIGITS; p++)
	{
		int			digit;

		if (*p >= '0' && *p <= '9')
			digit = *p - '0';
		else if (*p >= 'a' && *p <= 'f')
			digit = *p - 'a' + 10;
		else
			return align_scan_expected(scan, "a fingerprint of 16 hexadecimal digits", NULL);
		*fingerprint = *fingerprint << 4 | digit;
	}
	scan->cur = p;
	return true;
}

/*
 * The position of p for a message: line and column, or the character if the
 * text has one line.
 */
static char *
DescribePosition(TextScan *scan, const char *p)
{
	const char *line_start = scan->start;
	int			line = 1;
	int			column;

	if (scan->describe != NULL)
		return scan->describe(scan->describe_arg, p);
	for (const char *q = scan->start; q < p; q++)
	{
		if (*q == '\n')
		{
			line++;
			line_start = q + 1;
		}
	}
	column = pg_mbstrlen_with_len(line_start, p - line_start) + 1;
	if (strchr(scan->start, '\n') != NULL)
		return psprintf("line %d, column %d", line, column);
	return psprintf("character %d", column);
}

static bool FailWith(TextScan *scan, int sqlstate, const char *at,
					 const char *detail, const char *hint, const char *fmt,
					 va_list args) pg_attribute_printf(6, 0);

/*
 * Report a failure; the message is "invalid input syntax" only for a text that
 * breaks the grammar.
 */
static bool
FailWith(TextScan *scan, int sqlstate, const char *at, const char *detail,
		 const char *hint, const char *fmt, va_list args)
{
	char	   *position = DescribePosition(scan, at);
	StringInfoData message;

	initStringInfo(&message);
	for (;;)
	{
		va_list		attempt;
		int			needed;

		va_copy(attempt, args);
		needed = appendStringInfoVA(&message, fmt, attempt);
		va_end(attempt);
		if (needed == 0)
			break;
		enlargeStringInfo(&message, needed);
	}

	ereturn(scan->escontext, false,
			(errcode(sqlstate),
			 sqlstate == ERRCODE_INVALID_TEXT_REPRESENTATION ?
			 errmsg("invalid input syntax for type %s: %s at %s",
					scan->type_name, message.data, position) :
			 errmsg("invalid %s: %s at %s",
					scan->type_name, message.data, position),
			 detail ? errdetail("%s", detail) : 0,
			 hint ? errhint("%s", hint) : 0));
}

bool
align_scan_fail_code(TextScan *scan, int sqlstate, const char *at,
					 const char *detail, const char *hint, const char *fmt,...)
{
	va_list		args;

	va_start(args, fmt);
	FailWith(scan, sqlstate, at, detail, hint, fmt, args);
	va_end(args);
	return false;
}

bool
align_scan_fail(TextScan *scan, const char *at, const char *detail,
				const char *hint, const char *fmt,...)
{
	va_list		args;

	va_start(args, fmt);
	FailWith(scan, ERRCODE_INVALID_TEXT_REPRESENTATION, at, detail, hint, fmt, args);
	va_end(args);
	return false;
}

bool
align_scan_expected(TextScan *scan, const char *what, const char *hint)
{
	const char *stop;
	char	   *detail;

	align_scan_space(scan);
	if (scan->cur == scan->end)
		detail = pstrdup("The text ends there.");
	else
	{
		/* show the offending word, or a few characters if it is not a word */
		stop = WordEnd(scan->cur);
		if (stop == scan->cur || IS_HIGHBIT_SET(*stop))
		{
			stop = scan->cur;
			while (stop < scan->end && !IsSpace(*stop) && stop - scan->cur < FOUND_LEN)
			{
				/* the text may end within its last character */
				stop += Min(pg_mblen(stop), scan->end - stop);
			}
		}
		else if (stop - scan->cur > FOUND_LEN)
			stop = scan->cur + FOUND_LEN;
		detail = psprintf("Found \"%.*s\".", (int) (stop - scan->cur), scan->cur);
	}
	return align_scan_fail(scan, scan->cur, detail, hint, "expected %s", what);
}

/*
 * True if the name needs no quotes.
 */
static bool
NameIsBare(const char *text, int len)
{
	if (len == 0 || !IsNameStart(text[0]))
		return false;
	for (int i = 1; i < len; i++)
	{
		if (!IsNameChar(text[i]))
			return false;
		if (text[i] == '-' && i + 1 < len && HyphenEndsWord(text[i + 1]))
			return false;
	}
	return true;
}

void
align_write_quoted(StringInfo out, char quote, const char *text, int len)
{
	appendStringInfoChar(out, quote);
	for (int i = 0; i < len; i++)
	{
		if (text[i] == quote)
			appendStringInfoChar(out, quote);
		appendStringInfoChar(out, text[i]);
	}
	appendStringInfoChar(out, quote);
}

void
align_write_name(StringInfo out, const char *text, int len)
{
	if (NameIsBare(text, len))
		appendBinaryStringInfo(out, text, len);
	else
		align_write_quoted(out, '"', text, len);
}
