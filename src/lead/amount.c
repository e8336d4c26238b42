/*
 * amount.c
 *	  Amounts as canonical decimal text.
 *
 * The text is the output of numeric_out for a finite numeric without trailing
 * zeros, so equal amounts have equal bytes.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "lead/amount.h"

/* Digits that every numeric can hold before and after the decimal point. */
#define MAX_WHOLE_DIGITS 131072
#define MAX_FRACTION_DIGITS 16383

char *
align_amount_text(Numeric amount)
{
	Datum		trimmed;

	if (numeric_is_nan(amount) || numeric_is_inf(amount))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("amount of a lead's entry must be a finite number"),
				 errdetail("It is %s.", numeric_is_nan(amount) ? "NaN" : "infinite")));
	trimmed = DirectFunctionCall1(numeric_trim_scale, NumericGetDatum(amount));
	return DatumGetCString(DirectFunctionCall1(numeric_out, trimmed));
}

Datum
align_amount_numeric(LeadString amount)
{
	char	   *text = pnstrdup(amount.text, amount.len);
	Datum		result = DirectFunctionCall3(numeric_in, CStringGetDatum(text),
											 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));

	pfree(text);
	return result;
}

/*
 * The number of digits at p.
 */
static inline int
CountDigits(const char *p, const char *end)
{
	const char *start = p;

	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return (int) (p - start);
}

int
align_amount_canonical(char *text, int len)
{
	const char *end = text + len;
	const char *p = text;
	bool		negative = false;
	const char *whole;
	const char *fraction;
	int			nwhole;
	int			nfraction = 0;
	char	   *out = text;

	if (p < end && (*p == '-' || *p == '+'))
		negative = *p++ == '-';
	whole = p;
	nwhole = CountDigits(p, end);
	if (nwhole == 0)
		return AMOUNT_MALFORMED;
	p += nwhole;
	fraction = p;
	if (p < end && *p == '.')
	{
		fraction = ++p;
		nfraction = CountDigits(p, end);
		if (nfraction == 0)
			return AMOUNT_MALFORMED;
		p += nfraction;
	}
	if (p != end)
		return AMOUNT_MALFORMED;

	/* strip leading and trailing zeros */
	while (nwhole > 1 && *whole == '0')
	{
		whole++;
		nwhole--;
	}
	while (nfraction > 0 && fraction[nfraction - 1] == '0')
		nfraction--;
	if (nwhole > MAX_WHOLE_DIGITS || nfraction > MAX_FRACTION_DIGITS)
		return AMOUNT_TOO_LONG;

	/*
	 * Write the result over the input.  It is never longer, but the parts may
	 * overlap.  There is no negative zero.
	 */
	if (negative && !(nwhole == 1 && *whole == '0' && nfraction == 0))
		*out++ = '-';
	memmove(out, whole, nwhole);
	out += nwhole;
	if (nfraction > 0)
	{
		*out++ = '.';
		memmove(out, fraction, nfraction);
		out += nfraction;
	}
	return (int) (out - text);
}

bool
align_amount_is_canonical(const char *text, int len)
{
	char	   *copy = pnstrdup(text, len);
	int			canonical_len = align_amount_canonical(copy, len);
	bool		result = canonical_len == len && memcmp(copy, text, len) == 0;

	pfree(copy);
	return result;
}
