/*
 * text_scan.h
 *	  The scanner shared by the text forms of all types.
 *
 * A TextScan reads a NUL-terminated text in the database encoding: white
 * space, comments (where the type has them), numbers, quoted and bare names.
 * Every failure is reported in the same way:
 *
 *	  ERROR:  invalid input syntax for type funnel: expected ";" at line 3,
 *			  column 14
 *	  DETAIL: Found "stage".
 *	  HINT:   ...
 *
 * With an error context (PostgreSQL 16 and up) a scanning function reports a
 * failure softly and returns false; the caller must return at once.  Without
 * one it does not return.  Columns count characters, not bytes, from 1.
 *
 * Nothing here may depend on a setting or on the locale.
 */
#ifndef ALIGN_TEXT_SCAN_H
#define ALIGN_TEXT_SCAN_H

#include "compat.h"

#include "lib/stringinfo.h"

typedef struct TextScan
{
	const char *start;			/* the whole text */
	const char *cur;			/* next byte to read */
	const char *end;			/* its terminating NUL */
	const char *type_name;		/* for messages */
	bool		comments;		/* does "--" start a comment? */
	Node	   *escontext;		/* soft error context or NULL */

	/*
	 * Describes the position "at" where the text is not the user's own; NULL:
	 * line and column.  The result is palloc'd.
	 */
	char	   *(*describe) (void *arg, const char *at);
	void	   *describe_arg;
} TextScan;

/*
 * A name or string as read.
 */
typedef struct ScanName
{
	char	   *text;			/* palloc'd, NUL-terminated, unquoted */
	int			len;
	const char *at;				/* its beginning in the source */
	bool		quoted;
} ScanName;

/* The text must outlive the scan; type_name is used in messages. */
extern void align_scan_begin(TextScan *scan, const char *text,
							 const char *type_name, bool comments,
							 Node *escontext);

/* Skip white space and comments. */
extern void align_scan_space(TextScan *scan);

/* Skip space; true at the end of the text. */
extern bool align_scan_at_end(TextScan *scan);

/*
 * Punctuation and keywords, after space.  "peek" only looks, "take" advances
 * and returns true if the token is next, "expect" reports a failure if it is
 * not.  Keywords are whole bare words, without regard to ASCII case.
 */
extern bool align_scan_take(TextScan *scan, const char *punctuation);
extern bool align_scan_expect(TextScan *scan, const char *punctuation);
extern bool align_scan_peek_word(TextScan *scan, const char *word);
extern bool align_scan_take_word(TextScan *scan, const char *word);
extern bool align_scan_expect_word(TextScan *scan, const char *word);

/*
 * Names, strings and numbers, after space.  "what" is the noun in the message
 * "expected <what>".
 */
/* [A-Za-z_][A-Za-z0-9_-]* or "anything, "" for a quote". */
extern bool align_scan_name(TextScan *scan, const char *what, ScanName *name);

/* 'anything, '' for a quote' */
extern bool align_scan_string(TextScan *scan, const char *what, ScanName *string);

/* Decimal digits, at most max. */
extern bool align_scan_uint(TextScan *scan, const char *what, uint64 max, uint64 *value);

/* An optional word with a count after it; zero if it is absent. */
extern bool align_scan_count(TextScan *scan, const char *word, int64 *count);

/* A fingerprint: 16 hexadecimal digits in lower case. */
#define FINGERPRINT_DIGITS 16
extern bool align_scan_fingerprint(TextScan *scan, uint64 *fingerprint);

/* True if a bare or quoted name is next. */
extern bool align_scan_peek_name(TextScan *scan);

/*
 * Report "<message> at <position of at>"; always returns false.  detail and
 * hint may be NULL.  The form with a SQLSTATE is for a text that follows the
 * grammar but is contradictory, or exceeds a limit.
 */
extern bool align_scan_fail(TextScan *scan, const char *at, const char *detail,
							const char *hint, const char *fmt,...) pg_attribute_printf(5, 6);
extern bool align_scan_fail_code(TextScan *scan, int sqlstate, const char *at,
								 const char *detail, const char *hint,
								 const char *fmt,...) pg_attribute_printf(6, 7);

/* Report "expected <what>", with the text found there as the detail. */
extern bool align_scan_expected(TextScan *scan, const char *what, const char *hint);

/* Write a name for align_scan_name to read back, quoted only if it must be. */
extern void align_write_name(StringInfo out, const char *text, int len);

/* Write text in quotes, quotes in it doubled. */
extern void align_write_quoted(StringInfo out, char quote, const char *text, int len);

#endif							/* ALIGN_TEXT_SCAN_H */
