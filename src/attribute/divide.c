/*
 * divide.c
 *	  Divides an amount among touches, so that the parts add up to it exactly.
 *
 * The method of the largest remainder (A. Hamilton, 1792): each touch gets the
 * whole units of amount * weight / total, and the units that are left over go
 * one each to the largest remainders, of equal ones to the earlier touch.  A
 * negative amount is divided like its absolute value.
 *
 * Units are those of the amount's last decimal, but at least hundredths.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

#include "attribute/attribute.h"

/* Decimals of the parts, if the amount has no more. */
#define LEAST_SCALE 2

/* So many digits always fit into units. */
#define MAX_UNIT_DIGITS 18

/* Up to here, choosing the largest by searching is faster than sorting. */
#define FEW_TOUCHES 16

/*
 * Reads the canonical decimal text of an amount (see lead/amount.h).
 */
void
align_credit_amount(LeadString text, CreditAmount *amount)
{
	const char *p = text.text;
	const char *end = text.text + text.len;
	const char *point = memchr(text.text, '.', text.len);
	bool		negative = *p == '-';
	int64		units = 0;
	int			missing;
	int			ndigits;

	amount->scale = point == NULL ? LEAST_SCALE : Max((int) (end - point - 1), LEAST_SCALE);
	amount->large = NULL;
	missing = amount->scale - (point == NULL ? 0 : (int) (end - point - 1));
	ndigits = text.len - negative - (point != NULL) + missing;
	if (ndigits > MAX_UNIT_DIGITS)
	{
		amount->units = 0;
		amount->large = DatumGetNumeric(align_amount_numeric(text));
		return;
	}
	for (p += negative; p < end; p++)
	{
		if (p == point)
			continue;
		if (unlikely(*p < '0' || *p > '9'))
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("stored value of type %s is corrupted", "lead"),
					 errdetail("An amount is not a number.")));
		units = units * 10 + (*p - '0');
	}
	for (; missing > 0; missing--)
		units *= 10;
	amount->units = negative ? -units : units;
}

Datum
align_credit_numeric(int64 units, int scale)
{
	return NumericGetDatum(int64_div_fast_to_numeric(units, scale));
}

Datum
align_credit_whole(const CreditAmount *amount)
{
	if (amount->large == NULL)
		return align_credit_numeric(amount->units, amount->scale);
	return DirectFunctionCall2(numeric_round, NumericGetDatum(amount->large),
							   Int32GetDatum(amount->scale));
}

/*
 * qsort comparator of pointers to touches: the largest remainder first.
 */
static int
CompareRests(const void *a, const void *b)
{
	const CreditTouch *left = *(CreditTouch *const *) a;
	const CreditTouch *right = *(CreditTouch *const *) b;

	if (left->rest != right->rest)
		return left->rest > right->rest ? -1 : 1;
	return left->touch < right->touch ? -1 : 1;
}

/*
 * Adds a unit to each of the nleft touches with the largest remainders.
 */
static void
GiveRest(Credit *credit, int64 nleft)
{
	CreditTouch *touches = credit->touches;
	int			n = credit->ntouches;
	CreditTouch **order;

	Assert(nleft >= 0 && nleft < n);
	if (nleft <= 0)
		return;
	if (n <= FEW_TOUCHES)
	{
		while (nleft-- > 0)
		{
			int			best = 0;

			for (int i = 1; i < n; i++)
			{
				if (touches[i].rest > touches[best].rest)
					best = i;
			}
			touches[best].part++;
			touches[best].rest = 0;
		}
		return;
	}

	order = MemoryContextAllocHuge(CurrentMemoryContext, (Size) n * sizeof(CreditTouch *));
	for (int i = 0; i < n; i++)
		order[i] = &touches[i];
	qsort(order, n, sizeof(CreditTouch *), CompareRests);
	for (int64 i = 0; i < nleft; i++)
		order[i]->part++;
	pfree(order);
}

/*
 * Divides an amount in units; sets part.
 */
static void
DivideUnits(Credit *credit, int64 units)
{
	uint64		amount = units < 0 ? -(uint64) units : (uint64) units;
	uint64		total = (uint64) credit->total;
	uint64		nleft = amount;
	bool		fits = amount == 0 || total <= PG_UINT64_MAX / amount;

	for (int i = 0; i < credit->ntouches; i++)
	{
		CreditTouch *touch = &credit->touches[i];
		uint64		part;

		if (likely(fits))
		{
			uint64		product = amount * (uint64) touch->weight;

			part = product / total;
			touch->rest = product % total;
		}
		else
		{
			uint128		product = (uint128) amount * (uint64) touch->weight;

			part = (uint64) (product / total);
			touch->rest = (uint64) (product % total);
		}
		touch->part = (int64) part;
		nleft -= part;
	}
	GiveRest(credit, (int64) nleft);
	if (units < 0)
	{
		for (int i = 0; i < credit->ntouches; i++)
			credit->touches[i].part = -credit->touches[i].part;
	}
}

static Numeric
Calculate(PGFunction function, Numeric a, Numeric b)
{
	return DatumGetNumeric(DirectFunctionCall2(function, NumericGetDatum(a), NumericGetDatum(b)));
}

static int64
Whole(Numeric value)
{
	return DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(value)));
}

/*
 * amount * weight / 10^-scale of a touch, without sign.
 */
static Numeric
LargeProduct(const CreditAmount *amount, const CreditTouch *touch)
{
	Numeric		unit = int64_div_fast_to_numeric(1, amount->scale);
	Numeric		units = DatumGetNumeric(DirectFunctionCall1(numeric_abs,
															NumericGetDatum(amount->large)));

	units = Calculate(numeric_div_trunc, units, unit);
	return Calculate(numeric_mul, units, int64_to_numeric(touch->weight));
}

/*
 * The same for an amount of any size, but part is only the unit that a touch
 * gets of those left over.  What is calculated for a touch is freed at once:
 * touches and digits may both be many.
 */
static void
DivideLarge(Credit *credit, const CreditAmount *amount)
{
	Numeric		total = int64_to_numeric(credit->total);
	uint128		rests = 0;
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "align division",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(scratch);

	for (int i = 0; i < credit->ntouches; i++)
	{
		CreditTouch *touch = &credit->touches[i];

		CHECK_FOR_INTERRUPTS();
		touch->rest = (uint64) Whole(Calculate(numeric_mod, LargeProduct(amount, touch), total));
		touch->part = 0;
		rests += touch->rest;
		MemoryContextReset(scratch);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(scratch);

	/* the units that are left over, times the total, are in the remainders */
	GiveRest(credit, (int64) (rests / (uint64) credit->total));
}

/*
 * Divides an amount among the touches.
 */
void
align_credit_divide(Credit *credit, const CreditAmount *amount)
{
	if (amount->large == NULL)
		DivideUnits(credit, amount->units);
	else
		DivideLarge(credit, amount);
}

/*
 * The part of a large amount that a touch gets.
 */
Numeric
align_credit_large_part(const Credit *credit, const CreditAmount *amount, int touch)
{
	const CreditTouch *of = &credit->touches[touch];
	Numeric		part = Calculate(numeric_div_trunc, LargeProduct(amount, of),
								 int64_to_numeric(credit->total));

	if (of->part > 0)
		part = Calculate(numeric_add, part, int64_to_numeric(1));
	if (DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(amount->large),
										  NumericGetDatum(int64_to_numeric(0)))) < 0)
		part = DatumGetNumeric(DirectFunctionCall1(numeric_uminus, NumericGetDatum(part)));
	return Calculate(numeric_mul, part, int64_div_fast_to_numeric(1, amount->scale));
}
