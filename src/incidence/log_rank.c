/*
 * log_rank.c
 *	  log_rank() and weighted_log_rank(): do groups have the outcome at the
 *	  same rate?
 *
 * At each time with events, with n(i) of the n cases at risk and d(i) of the d
 * events in group i, the events of group i are expected to be d n(i) / n, with
 * the covariances of the hypergeometric distribution
 *
 *		d (n - d) / (n - 1) * n(i) / n * ((i = j) - n(j) / n)
 *
 * The statistic is the quadratic form of observed minus expected events with
 * the inverse of the covariances (N. Mantel, "Evaluation of survival data and
 * two new rank order statistics arising in its consideration", Cancer
 * Chemotherapy Reports 50 (1966), 163-170), chi-square with one degree of
 * freedom less than groups.  It is not the shortcut sum of (O - E)^2 / E,
 * which is smaller.  Weights are S(t-)^rho with the Kaplan-Meier curve of all
 * groups (D. P. Harrington and T. R. Fleming, "A class of rank test procedures
 * for censored survival data", Biometrika 69 (1982), 553-566); with rho 1 it
 * is Peto and Prentice's test.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/int.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "incidence/risk.h"

PG_FUNCTION_INFO_V1(align_incidence_log_rank);
PG_FUNCTION_INFO_V1(align_incidence_weighted_log_rank);

#define MAX_GROUPS 64
#define LOG_RANK_COLUMNS 5

typedef struct LogRank
{
	int			ngroups;
	Incidence  *groups[MAX_GROUPS]; /* NULL: no cases */
	RiskWalk	walks[MAX_GROUPS];
	int64		events[MAX_GROUPS];
	double		observed[MAX_GROUPS];	/* the same, weighted */
	double		expected[MAX_GROUPS];
	double		covariance[MAX_GROUPS][MAX_GROUPS];
} LogRank;

/*
 * Read the groups.  A NULL is a group without cases.
 */
static void
GroupArgs(ArrayType *array, LogRank *test)
{
	Datum	   *values;
	bool	   *nulls;
	int			n;
	int16		typlen;
	bool		typbyval;
	char		typalign;
	int64		cases = 0;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("groups must be a one-dimensional array")));
	get_typlenbyvalalign(ARR_ELEMTYPE(array), &typlen, &typbyval, &typalign);
	deconstruct_array(array, ARR_ELEMTYPE(array), typlen, typbyval, typalign, &values, &nulls, &n);
	if (n > MAX_GROUPS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many groups"),
				 errdetail("There are %d groups; the limit is %d.", n, MAX_GROUPS)));
	test->ngroups = n;
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			continue;
		test->groups[i] = align_incidence_arg(values[i]);
		/* no sum of cases at risk, or of events, overflows then */
		if (pg_add_s64_overflow(cases, test->groups[i]->cases, &cases))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("a log-rank test cannot count so many cases"),
					 errdetail("Together they are more than a bigint can count.")));
		align_risk_begin(&test->walks[i], test->groups[i]);
	}
}

/*
 * Raise an error if the cases have more than one outcome.
 */
static void
CheckOutcomes(const LogRank *test)
{
	const IncidenceOutcome *first = NULL;

	for (int i = 0; i < test->ngroups; i++)
	{
		const Incidence *group = test->groups[i];

		for (int j = 0; group != NULL && j < group->noutcomes; j++)
		{
			const IncidenceOutcome *outcome = &group->outcomes[j];

			if (first == NULL)
				first = outcome;
			if (outcome->len == first->len &&
				memcmp(outcome->name, first->name, first->len) == 0)
				continue;
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("log-rank test is for one outcome"),
					 errdetail("The cases have the outcomes \"%.*s\" and \"%.*s\".",
							   first->len, first->name, outcome->len, outcome->name),
					 errhint("Compare how many had the outcome by a fixed time with compare_incidence().")));
		}
	}
}

/*
 * Take the next time at which a case of any group leaves, and add it to the
 * sums; false if there is none.  *survival is that of all groups before it.
 */
static bool
AddTime(LogRank *test, double rho, double *survival)
{
	RiskStep	steps[MAX_GROUPS];
	int64		at = 0;
	bool		found = false;
	int64		at_risk = 0;
	int64		events = 0;
	double		n;
	double		d;
	double		weight;
	double		spread;

	for (int i = 0; i < test->ngroups; i++)
	{
		int64		next;

		if (test->groups[i] == NULL || !align_risk_peek(&test->walks[i], &next))
			continue;
		at = found ? Min(at, next) : next;
		found = true;
	}
	if (!found)
		return false;

	memset(steps, 0, test->ngroups * sizeof(RiskStep));
	for (int i = 0; i < test->ngroups; i++)
	{
		if (test->groups[i] == NULL)
			continue;
		/* the only outcome, if there is one, is the first */
		align_risk_take(&test->walks[i], at, 0, &steps[i]);
		at_risk += steps[i].at_risk;
		events += steps[i].events;
	}
	if (events == 0)
		return true;

	n = (double) at_risk;
	d = (double) events;
	weight = pow(*survival, rho);
	*survival *= (n - d) / n;
	spread = at_risk > 1 ? weight * weight * d * (n - d) / (n - 1.0) : 0.0;
	for (int i = 0; i < test->ngroups; i++)
	{
		double		share = (double) steps[i].at_risk / n;

		test->events[i] += steps[i].events;
		test->observed[i] += weight * (double) steps[i].events;
		test->expected[i] += weight * d * share;
		for (int j = 0; j <= i; j++)
			test->covariance[i][j] += spread * share *
				((i == j) - (double) steps[j].at_risk / n);
	}
	return true;
}

/*
 * The quadratic form of observed minus expected of all groups that expect
 * events but the last of these, whose difference follows from the others.
 * Returns the degrees of freedom, 0 if there is nothing to compare.
 */
static int
ChiSquare(LogRank *test, double *chi2)
{
	int			members[MAX_GROUPS];
	double		difference[MAX_GROUPS];
	double		(*a)[MAX_GROUPS] = test->covariance;
	int			n = 0;

	*chi2 = 0.0;
	for (int i = 0; i < test->ngroups; i++)
	{
		if (test->expected[i] > 0.0)
			members[n++] = i;
	}
	n--;

	/* Cholesky's decomposition, row by row, beside the forward substitution */
	for (int i = 0; i < n; i++)
	{
		int			row = members[i];
		double		rest = test->observed[row] - test->expected[row];

		for (int j = 0; j <= i; j++)
		{
			int			column = members[j];
			double		sum = a[row][column];

			for (int k = 0; k < j; k++)
				sum -= a[row][members[k]] * a[column][members[k]];
			if (j < i)
				a[row][column] = sum / a[column][column];
			else if (sum <= 1e-12 * Max(a[row][row], 1.0))
				return 0;		/* no group is left to compare with */
			else
				a[row][row] = sqrt(sum);
		}
		for (int k = 0; k < i; k++)
			rest -= a[row][members[k]] * difference[k];
		difference[i] = rest / a[row][row];
		*chi2 += difference[i] * difference[i];
	}
	return Max(n, 0);
}

/*
 * The probability that chi-square with df degrees of freedom exceeds a value:
 * for 1 and 2 in closed form, and from df to df + 2 it grows by
 * (x/2)^(df/2) exp(-x/2) / gamma(df/2 + 1).
 */
static double
ChiSquareTail(double chi2, int df)
{
	double		half = chi2 / 2.0;
	double		tail = df % 2 == 0 ? exp(-half) : erfc(sqrt(half));

	for (int i = df % 2 == 0 ? 2 : 1; i < df; i += 2)
	{
		if (half > 0.0)
			tail += exp(i / 2.0 * log(half) - half - lgamma(i / 2.0 + 1.0));
	}
	return Min(tail, 1.0);
}

static ArrayType *
Float8Array(const double *values, int n)
{
	Datum		datums[MAX_GROUPS];

	for (int i = 0; i < n; i++)
		datums[i] = Float8GetDatum(values[i]);
	return construct_array(datums, n, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL,
						   TYPALIGN_DOUBLE);
}

static ArrayType *
Int8Array(const int64 *values, int n)
{
	Datum		datums[MAX_GROUPS];

	for (int i = 0; i < n; i++)
		datums[i] = Int64GetDatum(values[i]);
	return construct_array(datums, n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
}

static Datum
RunTest(FunctionCallInfo fcinfo, ArrayType *groups, double rho, bool weighted)
{
	LogRank    *test = palloc0(sizeof(LogRank));
	double		survival = 1.0;
	double		chi2;
	int			df;
	Datum		values[LOG_RANK_COLUMNS] = {0};
	bool		nulls[LOG_RANK_COLUMNS] = {false};
	TupleDesc	desc;

	GroupArgs(groups, test);
	CheckOutcomes(test);
	while (AddTime(test, rho, &survival))
		CHECK_FOR_INTERRUPTS();

	values[3] = PointerGetDatum(weighted ? Float8Array(test->observed, test->ngroups) :
								Int8Array(test->events, test->ngroups));
	values[4] = PointerGetDatum(Float8Array(test->expected, test->ngroups));
	df = ChiSquare(test, &chi2);
	values[1] = Int32GetDatum(df);
	if (df > 0)
	{
		values[0] = Float8GetDatum(chi2);
		values[2] = Float8GetDatum(ChiSquareTail(chi2, df));
	}
	else
		nulls[0] = nulls[2] = true;
	desc = align_result_desc(fcinfo, CurrentMemoryContext);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}

/*
 * log_rank(VARIADIC groups)
 */
Datum
align_incidence_log_rank(PG_FUNCTION_ARGS)
{
	return RunTest(fcinfo, PG_GETARG_ARRAYTYPE_P(0), 0.0, false);
}

/*
 * weighted_log_rank(rho, VARIADIC groups)
 */
Datum
align_incidence_weighted_log_rank(PG_FUNCTION_ARGS)
{
	double		rho = PG_GETARG_FLOAT8(0);

	/* NaN fails this comparison, too */
	if (!(rho >= 0.0 && rho <= 100.0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rho must be between 0 and 100"),
				 errhint("0 is the log-rank test, 1 that of Peto and Prentice.")));
	return RunTest(fcinfo, PG_GETARG_ARRAYTYPE_P(1), rho, true);
}
