/*
 * value.h
 *	  What all align types share: version and flags at the start of the stored
 *	  value, comparison by bytes, and for calendar and funnel the canonical
 *	  text as the stored form.
 *
 * A stored value is canonical: two values are equal if and only if their bytes
 * are.  So comparison and hashing need not decode a value, and do not depend
 * on the locale.
 */
#ifndef ALIGN_VALUE_H
#define ALIGN_VALUE_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "fmgr.h"
#include "lib/stringinfo.h"

#include "wire.h"

/* The first byte of every binary (send/recv) form. */
#define ALIGN_WIRE_VERSION 1

/*
 * Calendar and funnel are stored as their canonical text, so that the parser
 * is the only validator.  Functions compute with a compiled form, which they
 * cache.
 */
typedef struct TextValue
{
	int32		vl_len_;		/* varlena header, do not touch */
	uint32		flags;			/* version and flags: zero today */
	char		text[FLEXIBLE_ARRAY_MEMBER];	/* canonical, not
												 * NUL-terminated */
} TextValue;

#define TEXT_VALUE_LEN(value) ((int) (VARSIZE(value) - offsetof(TextValue, text)))

/* A palloc'd value with a copy of the text. */
extern TextValue *align_text_value(const char *text, int len);

/*
 * Detoasted, flags checked.  May point to the datum itself: do not modify it.
 */
extern TextValue *align_text_value_arg(Datum datum, const char *type_name);

/* The text as a palloc'd C string. */
extern char *align_text_value_cstring(const TextValue *value);

/*
 * Raise an error unless flags is zero; called wherever a stored value is read.
 */
extern void align_check_flags(uint32 flags, const char *type_name);

/*
 * recv and send of a type stored as text.  recv checks the format version and
 * returns the palloc'd text in the database encoding, for the type's parser.
 */
extern char *align_text_value_recv(StringInfo buf, const char *type_name);
extern bytea *align_text_value_send(const TextValue *value);

/* True if the strings are equal or both NULL. */
static inline bool
align_same_string(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/*
 * For functions that are not STRICT: raise an error if the argument is NULL.
 */
extern void align_require_argument(FunctionCallInfo fcinfo, int argno, const char *what);

/*
 * An interval of hours and smaller units, never days, because working days
 * differ in length.
 */
extern Datum align_interval_datum(int64 microseconds);

/*
 * An interval of days of 24 hours and the rest, which can hold any distance of
 * two timestamps.
 */
extern Datum align_days_interval_datum(uint64 microseconds);

/* The memory context of the calling aggregate; an error outside of one. */
extern MemoryContext align_aggregate_context(FunctionCallInfo fcinfo);

/*
 * Raise an error if a serialised state is too large to pass to another
 * process.
 */
extern void align_check_state_size(size_t size);

/*
 * Return the state unchanged, from a transition function that ignores a row.
 */
static inline Datum
align_state_as_it_is(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

/*
 * Begin a set-returning function that fills rsinfo->setResult.  Uses the row
 * type that the executor expects: looking up the type at each call would cost
 * more than most calls, and leak into the query's context (a LATERAL call per
 * lead makes millions).
 */
extern void align_begin_rows(FunctionCallInfo fcinfo);

/*
 * The row type of the result of a function that returns one row, blessed, in a
 * memory context.  To be looked up once per call site.
 */
extern TupleDesc align_result_desc(FunctionCallInfo fcinfo, MemoryContext context);

/*
 * Cache, per call site, of something compiled from a value.  The caller uses
 * "compiled" if the memo is valid for its argument; else it calls
 * align_memo_reset, compiles into the context, and calls align_memo_keep.
 */
typedef struct ValueMemo
{
	MemoryContext context;		/* holds key and compiled */
	void	   *compiled;		/* NULL if the memo is empty */
	char	   *key;			/* the value without its varlena header */
	size_t		key_len;
} ValueMemo;

/*
 * One of the nslots memos of a call site, which has one per cached argument.
 */
extern ValueMemo *align_memo(FmgrInfo *flinfo, int slot, int nslots);

/*
 * The memo of a call site for an argument that alternates between a few
 * values, such as the working hours of teams: one of nslots memos, all for
 * this argument.  Returns the one that is valid for the value, or else an
 * empty one, in place of the one that was filled first.
 */
extern ValueMemo *align_memo_of_value(FmgrInfo *flinfo, int nslots, const void *value);

extern bool align_memo_valid(ValueMemo *memo, const void *value);
extern void align_memo_reset(ValueMemo *memo);
extern void align_memo_keep(ValueMemo *memo, const void *value, void *compiled);

#endif							/* ALIGN_VALUE_H */
