/*
 * rules.c
 *	  Checks the arguments of credit, and compiles them.
 *
 * A lookback may be given in months: the earliest instant that counts is
 * conversion - lookback by the calendar in UTC, as timestamptz - interval is
 * if TimeZone is UTC.  A half-life is elapsed time, with days of 24 hours.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "attribute/attribute.h"
#include "nearest.h"

#define DEFAULT_HALF_LIFE (7.0 * USECS_PER_DAY)

/* In the order of CreditModel. */
const char *const align_credit_model_names[CREDIT_NMODELS] = {
	"first", "last", "last_non_direct", "linear", "position", "time_decay",
	"u_shaped", "w_shaped", "full_path", "shapley"
};

static CreditModel
ModelArg(text *model)
{
	const char *name = VARDATA_ANY(model);
	int			len = VARSIZE_ANY_EXHDR(model);
	const char *candidates[CREDIT_NMODELS];
	char	   *hint;

	for (int i = 0; i < CREDIT_NMODELS; i++)
	{
		if ((int) strlen(align_credit_model_names[i]) == len && memcmp(align_credit_model_names[i], name, len) == 0)
			return (CreditModel) i;
		candidates[i] = align_credit_model_names[i];
	}
	hint = align_nearest_hint(name, len, candidates, CREDIT_NMODELS);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown model \"%s\"", text_to_cstring(model)),
			 hint ? errhint("%s", hint) : 0));
}

/*
 * Days and smaller units of an interval in microseconds; false if they exceed
 * an int64.
 */
static bool
IntervalMicroseconds(const Interval *interval, int64 *result)
{
	int64		days;

	return !pg_mul_s64_overflow(interval->day, USECS_PER_DAY, &days) &&
		!pg_add_s64_overflow(days, interval->time, result);
}

/*
 * The sign is that of comparisons of intervals, which take a month for 30
 * days.
 */
static void
LookbackArg(const Interval *lookback, CreditRules *rules)
{
	int128		total;

	if (ALIGN_INTERVAL_NOT_FINITE(lookback))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("lookback must be finite"),
				 errhint("NULL means that all touches before the conversion count.")));
	total = ((int128) lookback->month * DAYS_PER_MONTH + lookback->day) * USECS_PER_DAY +
		lookback->time;
	if (total < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("lookback must not be negative"),
				 errdetail("It is the time before the conversion in which touches count.")));
	rules->has_lookback = true;
	rules->months = lookback->month;
	if (!IntervalMicroseconds(lookback, &rules->lookback))
		rules->lookback = PG_INT64_MAX;
}

static double
HalfLifeArg(const Interval *half_life)
{
	int64		result;

	if (ALIGN_INTERVAL_NOT_FINITE(half_life))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("half_life must be finite"),
				 errhint("The model \"linear\" does not reduce credit with age.")));
	if (half_life->month != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("half_life must not be given in months or years"),
				 errdetail("Months differ in length."),
				 errhint("Give it in days, for example \"30 days\".")));
	if (!IntervalMicroseconds(half_life, &result))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("half_life out of range")));
	if (result <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("half_life must be greater than zero"),
				 errdetail("It is the age at which a touch earns half as much.")));
	return (double) result;
}

static LeadString
CopyLabel(Datum label)
{
	LeadString	string = align_lead_varlena(label);

	/* one more byte, so that the label is not NULL even if it is empty */
	return align_lead_bytes(memcpy(palloc(string.len + 1), string.text, string.len), string.len);
}

/*
 * How many milestones a model has, and how many of them must be given.
 */
static void
MilestoneCounts(CreditModel model, int *least, int *most)
{
	*least = *most = 0;
	if (model == CREDIT_U_SHAPED)
		*most = 1;
	else if (model == CREDIT_W_SHAPED || model == CREDIT_FULL_PATH)
		*least = *most = 2;
}

static void
WrongMilestones(CreditModel model, int given, int least, int most, bool has_funnel)
{
	const char *name = align_credit_model_names[model];
	const char *stages = most == 0 ? "" :
		most == 1 ? "the stage of lead creation" :
		"the stages of lead creation and of opportunity creation";

	if (most == 0 && has_funnel)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model \"%s\" has no milestones", name),
				 errdetail("%d were given.", given),
				 errhint("Only the models \"u_shaped\", \"w_shaped\" and \"full_path\" have milestones.")));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("wrong number of milestones for model \"%s\"", name),
			 least == most ? errdetail("%d were given; the model has %d.", given, most) :
			 errdetail("%d were given; the model has at most %d.", given, most),
			 has_funnel ? errhint("Give %s.", stages) :
			 most == 0 ? errhint("Give nothing, or the stage of the conversion.") :
			 errhint("Give %s; the stage of the conversion may follow.", stages)));
}

/*
 * milestones: those of the model, in the order of the journey.  Without a
 * funnel, the stage of the conversion may follow.
 */
static void
MilestonesArg(ArrayType *array, CreditRules *rules)
{
	Datum	   *labels = NULL;
	bool	   *nulls = NULL;
	int			nlabels = 0;
	int			least;
	int			most;
	int			limit;

	MilestoneCounts(rules->model, &least, &most);
	limit = rules->funnel == NULL ? most + 1 : most;
	if (array != NULL)
	{
		if (ARR_NDIM(array) > 1)
			ereport(ERROR,
					(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
					 errmsg("milestones must be a one-dimensional array")));
		deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &labels, &nulls, &nlabels);
	}
	if (nlabels < least || nlabels > limit)
		WrongMilestones(rules->model, nlabels, least, most, rules->funnel != NULL);

	rules->nmilestones = most;
	for (int i = 0; i < most; i++)
	{
		CreditMilestone *milestone = &rules->milestones[i];

		milestone->first_stage = i >= nlabels || nulls[i];
		if (milestone->first_stage && i > 0)
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("only the first of milestones may be null"),
					 errdetail("It then means the first stage entry of the journey.")));
		if (milestone->first_stage)
			continue;
		if (rules->funnel != NULL)
			milestone->stage = align_funnel_stage_arg(rules->funnel, DatumGetTextPP(labels[i]));
		else
			milestone->label = CopyLabel(labels[i]);
	}
	if (nlabels > most)
	{
		if (nulls[most])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("the stage of the conversion must not be null"),
					 errhint("Leave it out to take the last stage entry of the journey.")));
		rules->has_conversion = true;
		rules->conversion = CopyLabel(labels[most]);
	}
}

/*
 * Checks and compiles the arguments.
 */
void
align_credit_rules(const CreditArguments *arguments, const Funnel *funnel, CreditRules *rules)
{
	memset(rules, 0, sizeof(*rules));
	rules->funnel = funnel;
	rules->model = ModelArg(arguments->model);
	if (arguments->lookback != NULL)
		LookbackArg(arguments->lookback, rules);
	rules->half_life = arguments->half_life != NULL ? HalfLifeArg(arguments->half_life) :
		DEFAULT_HALF_LIFE;
	MilestonesArg(arguments->milestones, rules);
}

/*
 * Subtracts months by the calendar in UTC, as timestamptz - interval does;
 * DT_NOBEGIN if the result is before the first timestamp.
 */
static TimestampTz
SubtractMonths(TimestampTz at, int32 months)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int64		month;
	int64		year;
	TimestampTz result;

	if (timestamp2tm(at, NULL, &tm, &fsec, NULL, NULL) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	month = (int64) tm.tm_year * MONTHS_PER_YEAR + (tm.tm_mon - 1) - months;
	year = month >= 0 ? month / MONTHS_PER_YEAR :
		-((-month + MONTHS_PER_YEAR - 1) / MONTHS_PER_YEAR);
	if (year < JULIAN_MINYEAR)
		return DT_NOBEGIN;
	if (year > JULIAN_MAXYEAR)
		return DT_NOEND;
	tm.tm_year = (int) year;
	tm.tm_mon = (int) (month - year * MONTHS_PER_YEAR) + 1;
	/* the 31st of a month of 30 days is its last day */
	tm.tm_mday = Min(tm.tm_mday, day_tab[isleap(tm.tm_year)][tm.tm_mon - 1]);
	if (tm2timestamp(&tm, fsec, NULL, &result) != 0)
		return months > 0 ? DT_NOBEGIN : DT_NOEND;
	return result;
}

/*
 * The earliest instant at which a touch counts, DT_NOBEGIN if any does.
 */
TimestampTz
align_credit_earliest(const CreditRules *rules, TimestampTz conversion)
{
	TimestampTz earliest = conversion;

	if (!rules->has_lookback)
		return DT_NOBEGIN;
	if (rules->months != 0)
		earliest = SubtractMonths(conversion, rules->months);
	if (TIMESTAMP_NOT_FINITE(earliest))
		return earliest;
	if (pg_sub_s64_overflow(earliest, rules->lookback, &earliest))
		return rules->lookback > 0 ? DT_NOBEGIN : DT_NOEND;
	return earliest;
}
