/*
 * amount_sum.c
 *	  Exact sums of amounts.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/memutils.h"

#include "conversion/amount_sum.h"

/* Digits before the point for which the scaled amount fits 64 bits. */
#define FAST_WHOLE_DIGITS 12

static inline bool
IsDigit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * Convert an amount of common size to units; false if it has more digits.
 */
static inline bool
UnitsOf(LeadString amount, int64 *units)
{
	const char *p = amount.text;
	const char *end = p + amount.len;
	bool		negative = p < end && *p == '-';
	int64		value = 0;
	int			digits;

	p += negative;
	for (digits = 0; p < end && IsDigit(*p); p++, digits++)
	{
		if (digits == FAST_WHOLE_DIGITS)
			return false;
		value = value * 10 + (*p - '0');
	}
	digits = 0;
	if (p < end && *p == '.')
	{
		for (p++; p < end && IsDigit(*p); p++, digits++)
		{
			if (digits == AMOUNT_SUM_DECIMALS)
				return false;
			value = value * 10 + (*p - '0');
		}
	}
	if (p < end)
		return false;
	for (; digits < AMOUNT_SUM_DECIMALS; digits++)
		value *= 10;
	*units = negative ? -value : value;
	return true;
}

void
align_amount_sum_add(AmountSum *sum, MemoryContext context, LeadString amount)
{
	int64		units;
	Numeric		value;

	sum->present = true;
	if (likely(UnitsOf(amount, &units)))
	{
		/* below 10^18 each, so it takes 10^20 of them to overflow */
		sum->units += units;
		return;
	}

	value = DatumGetNumeric(align_amount_numeric(amount));
	if (sum->rest != NULL)
	{
		Datum		total = DirectFunctionCall2(numeric_add, NumericGetDatum(sum->rest),
												NumericGetDatum(value));

		pfree(sum->rest);
		pfree(value);
		value = DatumGetNumeric(total);
	}
	sum->rest = MemoryContextAlloc(context, VARSIZE(value));
	memcpy(sum->rest, value, VARSIZE(value));
	pfree(value);
}

/*
 * The integer part as text, without trailing zeros after the point.
 */
static char *
UnitsText(int128 units)
{
	/* 39 digits, point, minus sign and NUL; filled from the end */
	char		text[48];
	int			at = sizeof(text);
	uint128		rest = units < 0 ? -(uint128) units : (uint128) units;
	bool		point = false;

	text[--at] = '\0';
	for (int i = 0; rest > 0 || i <= AMOUNT_SUM_DECIMALS; i++, rest /= 10)
	{
		char		digit = '0' + (char) (rest % 10);

		if (i == AMOUNT_SUM_DECIMALS && point)
			text[--at] = '.';
		if (i < AMOUNT_SUM_DECIMALS && digit == '0' && !point)
			continue;
		if (i < AMOUNT_SUM_DECIMALS)
			point = true;
		text[--at] = digit;
	}
	if (units < 0)
		text[--at] = '-';
	return pstrdup(text + at);
}

Numeric
align_amount_sum_numeric(const AmountSum *sum)
{
	LeadString	units;
	Datum		result;

	Assert(sum->present);
	units.text = UnitsText(sum->units);
	units.len = strlen(units.text);
	result = align_amount_numeric(units);
	if (sum->rest != NULL)
		result = DirectFunctionCall2(numeric_add, result, NumericGetDatum(sum->rest));
	return DatumGetNumeric(result);
}

char *
align_amount_sum_text(const AmountSum *sum)
{
	Assert(sum->present);
	return sum->rest == NULL ? UnitsText(sum->units) :
		align_amount_text(align_amount_sum_numeric(sum));
}
