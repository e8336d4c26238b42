/*
 * text_scan.h
 *	  The one scanner that the text forms of all types share.
 *
 * A TextScan walks a NUL-terminated text in the database encoding.  It knows
 * white space, comments (where the type has them), numbers, quoted and bare
 * names, and it reports every failure the same way:
 *
 *	  ERROR:  invalid input syntax for type funnel: expected ";" at line 3, column 14
 *	  DETAIL: Found "stage".
 *	  HINT:   ...
 *
 * Every scanning function returns false after a failure has been reported
 * softly (PostgreSQL 16 and up); callers return at once.  On a hard error they
 * do not return.  Columns count characters, not bytes, and start at 1.
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
	/* Says where "at" is, for a text that the user did not write himself; NULL:
	 * line and column. */
	char	   *(*describe) (void *arg, const char *at);
	void	   *describe_arg;
} TextScan;

/*
 * A stretch of text that the scanner read; not NUL-terminated.  "at" is where
 * it began in the source, for messages about its meaning.
 */
typedef struct ScanName
{
	char	   *text;			/* palloc'd, NUL-terminated, unquoted */
	int			len;
	const char *at;
	bool		quoted;
} ScanName;

extern void align_scan_begin(TextScan *scan, const char *text,
							 const char *type_name, bool comments,
							 Node *escontext);
extern void align_scan_space(TextScan *scan);
extern bool align_scan_at_end(TextScan *scan);

/* Punctuation: skip space, then take the exact bytes if they are next. */
extern bool align_scan_take(TextScan *scan, const char *punctuation);
extern bool align_scan_expect(TextScan *scan, const char *punctuation);

/* Keywords: ASCII case-insensitive, whole words, never quoted. */
extern bool align_scan_peek_word(TextScan *scan, const char *word);
extern bool align_scan_take_word(TextScan *scan, const char *word);
extern bool align_scan_expect_word(TextScan *scan, const char *word);

/* [A-Za-z_][A-Za-z0-9_-]* or "anything, "" for a quote". */
extern bool align_scan_name(TextScan *scan, const char *what, ScanName *name);
/* 'anything, '' for a quote' */
extern bool align_scan_string(TextScan *scan, const char *what, ScanName *string);
/* Decimal digits, at most max. */
extern bool align_scan_uint(TextScan *scan, const char *what, uint64 max, uint64 *value);

/* Is a name next (bare or quoted)?  A bare "->" is no name. */
extern bool align_scan_peek_name(TextScan *scan);

/*
 * Report "<message> at <position of at>"; always returns false.  NULL detail
 * and NULL hint are left out.  The form with a code is for a text that is well
 * formed but says something impossible, or exceeds a limit.
 */
extern bool align_scan_fail(TextScan *scan, const char *at, const char *detail,
							const char *hint, const char *fmt,...) pg_attribute_printf(5, 6);
extern bool align_scan_fail_code(TextScan *scan, int sqlstate, const char *at,
								 const char *detail, const char *hint,
								 const char *fmt,...) pg_attribute_printf(6, 7);
/* "expected <what>", with what was found instead as the detail. */
extern bool align_scan_expected(TextScan *scan, const char *what, const char *hint);

/* Write a name so that align_scan_name reads it back; quote only when needed. */
extern bool align_name_is_bare(const char *text, int len);
extern void align_write_name(StringInfo out, const char *text, int len);
extern void align_write_quoted(StringInfo out, char quote, const char *text, int len);

#endif							/* ALIGN_TEXT_SCAN_H */
