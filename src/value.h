/*
 * value.h
 *	  What every align type has in common: a varlena whose first word holds
 *	  version and flags, one comparator on bytes, and (for calendar and funnel)
 *	  canonical text as the stored form.
 *
 * A stored value is canonical: two values are equal exactly when their bytes
 * are.  Comparison, hashing and DISTINCT therefore never look inside, and never
 * depend on the locale.
 */
#ifndef ALIGN_VALUE_H
#define ALIGN_VALUE_H

#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"

#include "wire.h"

/* First byte of every binary (send/recv) form. */
#define ALIGN_WIRE_VERSION 1

/*
 * Calendar and funnel are stored as their canonical text: small, readable in a
 * page dump, and with one validator, the parser.  What computes with them works
 * on a compiled form, cached by its users.
 */
typedef struct TextValue
{
	int32		vl_len_;		/* varlena header, do not touch */
	uint32		flags;			/* version and flags: zero today */
	char		text[FLEXIBLE_ARRAY_MEMBER];	/* canonical, not NUL-terminated */
} TextValue;

#define TEXT_VALUE_LEN(value) ((int) (VARSIZE(value) - offsetof(TextValue, text)))

extern TextValue *align_text_value(const char *text, int len);
/* Detoasted, flags checked; may be the caller's own buffer: never write to it. */
extern TextValue *align_text_value_arg(Datum datum, const char *type_name);
/* Its text as a C string (palloc'd). */
extern char *align_text_value_cstring(const TextValue *value);

/* Raise unless flags is zero; for every accessor of a stored value. */
extern void align_check_flags(uint32 flags, const char *type_name);

/* The common shape of recv and send for a type stored as text. */
extern char *align_text_value_recv(StringInfo buf, const char *type_name);
extern bytea *align_text_value_send(const TextValue *value);

/* Equal, or both absent (NULL). */
static inline bool
align_same_string(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* For functions that are not STRICT: raise unless the argument is there. */
extern void align_require_argument(FunctionCallInfo fcinfo, int argno, const char *what);

/*
 * A span of time as SQL shows it: hours and smaller, never days, since working
 * days differ in length.
 */
extern Datum align_interval_datum(int64 microseconds);
/* The same as days of 24 hours and the rest; holds also what would not fit
 * there. */
extern Datum align_days_interval_datum(uint64 microseconds);

/* Where the state of the calling aggregate lives. */
extern MemoryContext align_aggregate_context(FunctionCallInfo fcinfo);

/* What a transition function returns for a row that does not count. */
static inline Datum
align_state_as_it_is(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

/*
 * Begin a set-returning function that fills rsinfo->setResult.  The row type is
 * the executor's own: looked up anew it would cost more than most calls, and
 * leave memory behind in the query's context at each (a LATERAL call per lead
 * makes millions).
 */
extern void align_begin_rows(FunctionCallInfo fcinfo);

/*
 * Per-call-site memory of something compiled from a value.  "valid" says
 * whether the argument still equals the one last compiled; the caller then
 * reads compiled.  If not, it resets the context, compiles into it, and calls
 * align_memo_keep.
 */
typedef struct ValueMemo
{
	MemoryContext context;		/* holds key and compiled */
	void	   *compiled;		/* NULL while nothing valid is held */
	char	   *key;			/* bytes of the value, without varlena header */
	size_t		key_len;
} ValueMemo;

extern ValueMemo *align_memo(FmgrInfo *flinfo, int slot, int nslots);
extern bool align_memo_valid(ValueMemo *memo, const void *value);
extern void align_memo_reset(ValueMemo *memo);
extern void align_memo_keep(ValueMemo *memo, const void *value, void *compiled);

#endif							/* ALIGN_VALUE_H */
