/*
 * arguments.c
 *	  Checks of the arguments that progress and conversion share.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "calendar/calendar.h"
#include "judge/judge.h"

/*
 * The elements of an array of texts, in place.
 */
static LeadString *
TextElements(ArrayType *array, const char *what, int *n)
{
	Datum	   *elements;
	bool	   *nulls;
	LeadString *result;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s must be a one-dimensional array", what)));
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, n);
	result = palloc(Max(*n, 1) * sizeof(LeadString));
	for (int i = 0; i < *n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s must not contain nulls", what)));
		result[i] = align_lead_bytes(VARDATA_ANY(DatumGetPointer(elements[i])),
									 VARSIZE_ANY_EXHDR(DatumGetPointer(elements[i])));
	}
	return result;
}

static void
SetSteps(StepList *list, ArrayType *array)
{
	LeadString *texts = TextElements(array, "steps", &list->nsteps);

	if (list->nsteps == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("steps must name at least one stage")));
	if (list->nsteps > PROGRESS_MAX_STEPS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many steps"),
				 errdetail("There are %d steps; the limit is %d.",
						   list->nsteps, PROGRESS_MAX_STEPS)));
	list->steps = palloc(list->nsteps * sizeof(Step));
	for (int i = 0; i < list->nsteps; i++)
		align_step_parse(texts[i], &list->steps[i]);
}

static void
SetExclude(StepList *list, ArrayType *array)
{
	int			n;
	LeadString *texts = TextElements(array, "exclude", &n);

	list->exclude = palloc(STEPS_MAX_EXCLUDED * sizeof(LeadString));
	for (int i = 0; i < n; i++)
	{
		Step		step;

		align_step_parse(texts[i], &step);
		if (step.optional)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("malformed stage \"%.*s\" in exclude", texts[i].len, texts[i].text),
					 errdetail("Only a step can be optional."),
					 errhint("Put a name that ends with \"?\" into double quotes.")));
		if (list->nexclude + step.nstages > STEPS_MAX_EXCLUDED)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("too many stages in exclude"),
					 errdetail("The limit is %d.", STEPS_MAX_EXCLUDED)));
		for (int j = 0; j < step.nstages; j++)
			list->exclude[list->nexclude++] = step.stages[j];
	}
}

/*
 * Elapsed time: a day is 24 hours, but a month has no fixed length.
 */
static int64
ElapsedTime(const Interval *interval, const char *what, const char *months_hint)
{
	int64		days;
	int64		result;

	if (interval->month != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be given in months or years", what),
				 errdetail("Months differ in length."),
				 errhint("%s", months_hint)));
	if (pg_mul_s64_overflow(interval->day, USECS_PER_DAY, &days) ||
		pg_add_s64_overflow(days, interval->time, &result))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("%s out of range", what)));
	if (result < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be negative", what)));
	return result;
}

static void
CheckFinite(const Interval *interval, const char *what)
{
	if (ALIGN_INTERVAL_NOT_FINITE(interval))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be finite", what),
				 errhint("NULL means no %s.", what)));
}

int64
align_window_arg(const Interval *within)
{
	CheckFinite(within, "window");
	return ElapsedTime(within, "window", "Give it in days, for example \"30 days\".");
}

/*
 * A window or gap.  With a time zone, months and days are counted in its
 * calendar; then no part may be negative, so that the limit never lies before
 * the time that it is counted from.
 */
static StepLimit
LimitArg(const Interval *interval, const char *what, bool calendar)
{
	StepLimit	limit = {0};

	CheckFinite(interval, what);
	if (!calendar || (interval->month == 0 && interval->day == 0))
	{
		limit.time = ElapsedTime(interval, what,
								 "Give it in days, for example \"30 days\", or name a time zone in whose calendar months are counted.");
		return limit;
	}
	if (interval->month < 0 || interval->day < 0 || interval->time < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be negative", what),
				 errdetail("In the calendar of a time zone, neither months nor days nor the rest may be negative.")));
	limit.months = interval->month;
	limit.days = interval->day;
	limit.time = interval->time;
	return limit;
}

/*
 * Gaps, an array with an element per step but the first.
 */
static void
SetGaps(StepList *list, ArrayType *array, bool calendar)
{
	Datum	   *elements;
	bool	   *nulls;
	int			n;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("gaps must be a one-dimensional array")));
	deconstruct_array(array, INTERVALOID, sizeof(Interval), false, TYPALIGN_DOUBLE, &elements,
					  &nulls, &n);
	if (n != list->nsteps - 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("gaps must have one element for each step but the first"),
				 errdetail("There are %d gaps and %d steps.", n, list->nsteps),
				 errhint("NULL as an element means that the time until that step has no limit.")));
	list->gaps = palloc(Max(n, 1) * sizeof(StepLimit));
	for (int i = 0; i < n; i++)
		list->gaps[i] = nulls[i] ? align_no_limit() :
			LimitArg(DatumGetIntervalP(elements[i]), "gap", calendar);
}

static void
SetZone(StepList *list, text *zone)
{
	char	   *name = text_to_cstring(zone);
	const char *canonical = align_time_zone_name(name);

	if (canonical == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" does not exist", name),
				 errdetail("It must be a name in the IANA time zone database."),
				 errhint("Use a name such as \"UTC\" or \"Europe/London\"; the view pg_timezone_names lists them.")));
	list->zone = align_lead_cstring(pstrdup(canonical));
}

/*
 * True if count is 'passages', false if it is 'leads'.
 */
static bool
CountsPassages(text *count)
{
	char	   *word = text_to_cstring(count);

	if (strcmp(word, "passages") == 0)
		return true;
	if (strcmp(word, "leads") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown count \"%s\"", word),
				 errhint("Count either \"leads\" or \"passages\".")));
	return false;
}

/*
 * Make the list of steps of the arguments; the current context must live as
 * long as the list.
 */
static void
MakeStepList(FunctionCallInfo fcinfo, const StepArguments *arguments, StepList *list)
{
	const int  *argno = arguments->argno;
	const char *problem;
	bool		calendar;

	/* whether an argument is there and not NULL */
#define GIVEN(arg) (argno[arg] > 0 && !PG_ARGISNULL(argno[arg]))

	memset(list, 0, sizeof(*list));
	list->within = align_no_limit();
	list->passages = arguments->passages;

	SetSteps(list, PG_GETARG_ARRAYTYPE_P_COPY(argno[STEPS_ARG_STEPS]));
	if (GIVEN(STEPS_ARG_MODE))
	{
		text	   *mode = PG_GETARG_TEXT_PP(argno[STEPS_ARG_MODE]);

		list->modes = align_match_modes(VARDATA_ANY(mode), VARSIZE_ANY_EXHDR(mode));
	}
	if (GIVEN(STEPS_ARG_TIME_ZONE))
		SetZone(list, PG_GETARG_TEXT_PP(argno[STEPS_ARG_TIME_ZONE]));
	calendar = list->zone.text != NULL;
	if (GIVEN(STEPS_ARG_WITHIN))
		list->within = LimitArg(PG_GETARG_INTERVAL_P(argno[STEPS_ARG_WITHIN]), "window", calendar);
	if (GIVEN(STEPS_ARG_GAPS))
		SetGaps(list, PG_GETARG_ARRAYTYPE_P(argno[STEPS_ARG_GAPS]), calendar);
	if (GIVEN(STEPS_ARG_EXCLUDE))
		SetExclude(list, PG_GETARG_ARRAYTYPE_P_COPY(argno[STEPS_ARG_EXCLUDE]));
	if (GIVEN(STEPS_ARG_COUNT))
		list->passages = CountsPassages(PG_GETARG_TEXT_PP(argno[STEPS_ARG_COUNT]));
#undef GIVEN

	/* days out of range are an error of LimitArg */
	(void) align_steps_canonical(list);
	problem = align_steps_problem(list);
	if (problem != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid steps"),
				 errdetail("%s", problem)));
}

/* The bytes of an argument that is not NULL. */
static LeadString
ArgumentBytes (FunctionCallInfo fcinfo, int argno, int which)
{
	struct varlena *value;

	if (which == STEPS_ARG_WITHIN)
		return align_lead_bytes((const char *) PG_GETARG_INTERVAL_P(argno), sizeof(Interval));
	value = PG_GETARG_VARLENA_PP(argno);
	return align_lead_bytes(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
}

/*
 * True if the arguments are those that the site has compiled.
 */
static inline bool
SiteMatches(FunctionCallInfo fcinfo, const StepArguments *arguments, const StepSite *site)
{
	if (!site->valid)
		return false;
	for (int i = 0; i < STEPS_NARGS; i++)
	{
		int			argno = arguments->argno[i];
		const LeadString *key = &site->keys[i];
		LeadString	bytes;

		if (argno == 0)
			continue;
		if (PG_ARGISNULL(argno))
		{
			if (key->text != NULL)
				return false;
			continue;
		}
		if (key->text == NULL)
			return false;
		bytes = ArgumentBytes (fcinfo, argno, i);

		if (bytes.len != key->len || memcmp(bytes.text, key->text, bytes.len) != 0)
			return false;
	}
	return true;
}

bool
align_step_site(FunctionCallInfo fcinfo, const StepArguments *arguments, StepSite *site)
{
	MemoryContext old_context;
	StepList   *list;

	align_require_argument(fcinfo, arguments->argno[STEPS_ARG_STEPS], "steps");
	if (likely(SiteMatches(fcinfo, arguments, site)))
		return false;

	site->valid = false;
	if (site->context == NULL)
		site->context = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "align steps",
											  ALLOCSET_SMALL_SIZES);
	MemoryContextReset(site->context);
	old_context = MemoryContextSwitchTo(site->context);
	list = palloc(sizeof(StepList));
	MakeStepList(fcinfo, arguments, list);
	site->plan = align_step_plan(list);
	for (int i = 0; i < STEPS_NARGS; i++)
	{
		int			argno = arguments->argno[i];

		site->keys[i] = argno == 0 || PG_ARGISNULL(argno) ? align_lead_bytes(NULL, 0) :
			align_lead_copy(site->context, ArgumentBytes (fcinfo, argno, i));
	}
	MemoryContextSwitchTo(old_context);
	site->valid = true;
	return true;
}

TimestampTz
align_as_of_arg(FunctionCallInfo fcinfo, int argno)
{
	TimestampTz as_of;

	if (PG_ARGISNULL(argno))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("as_of must not be null"),
				 errhint("Give the time as of which to look, for example now().")));
	as_of = PG_GETARG_TIMESTAMPTZ(argno);
	if (TIMESTAMP_NOT_FINITE(as_of))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("as_of must be finite")));
	return as_of;
}
