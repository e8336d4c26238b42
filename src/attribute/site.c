/*
 * site.c
 *	  Arguments of credit, compiled once per call site.
 */
#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/memutils.h"

#include "attribute/attribute.h"

/* The arguments from the first that is not a lead. */
#define MAX_ARGUMENTS 5

typedef struct ArgumentBytes
{
	const char *bytes;			/* NULL for a NULL or missing argument */
	size_t		len;
} ArgumentBytes;

/*
 * True if the key consists of these arguments.
 */
static bool
MatchesKey(const CreditSite *site, const ArgumentBytes *arguments, int n)
{
	const char *key = site->key;
	size_t		total = 0;

	for (int i = 0; i < n; i++)
		total += sizeof(size_t) + arguments[i].len;
	if (!site->valid || total != site->key_len)
		return false;
	for (int i = 0; i < n; i++)
	{
		size_t		len = arguments[i].bytes != NULL ? arguments[i].len : SIZE_MAX;

		if (memcmp(key, &len, sizeof(size_t)) != 0)
			return false;
		key += sizeof(size_t);
		if (arguments[i].len > 0 && memcmp(key, arguments[i].bytes, arguments[i].len) != 0)
			return false;
		key += arguments[i].len;
	}
	return true;
}

static void
MakeKey(CreditSite *site, const ArgumentBytes *arguments, int n)
{
	char	   *key;

	site->key_len = 0;
	for (int i = 0; i < n; i++)
		site->key_len += sizeof(size_t) + arguments[i].len;
	key = site->key = palloc(site->key_len);
	for (int i = 0; i < n; i++)
	{
		size_t		len = arguments[i].bytes != NULL ? arguments[i].len : SIZE_MAX;

		memcpy(key, &len, sizeof(size_t));
		key += sizeof(size_t);
		if (arguments[i].len > 0)
			memcpy(key, arguments[i].bytes, arguments[i].len);
		key += arguments[i].len;
	}
}

static void
AppendLabel(StringInfo bytes, LeadString label)
{
	appendBinaryStringInfo(bytes, (const char *) &label.len, sizeof(label.len));
	appendBinaryStringInfo(bytes, label.text, label.len);
}

/*
 * A number for the meaning of the arguments, in any way of writing them.
 */
static uint64
RulesFingerprint(const CreditRules *rules, ArgumentBytes document)
{
	StringInfoData bytes;
	uint64		result;

	initStringInfo(&bytes);
	appendStringInfo(&bytes, "%d %d %d " INT64_FORMAT " %.17g %d %d ", rules->model,
					 rules->has_lookback, rules->months, rules->lookback, rules->half_life,
					 rules->nmilestones, rules->has_conversion);
	for (int i = 0; i < rules->nmilestones; i++)
	{
		const CreditMilestone *milestone = &rules->milestones[i];

		appendStringInfo(&bytes, "%d %d ", milestone->first_stage, milestone->stage);
		if (milestone->label.text != NULL)
			AppendLabel(&bytes, milestone->label);
	}
	if (rules->has_conversion)
		AppendLabel(&bytes, rules->conversion);
	if (document.len > 0)
		appendBinaryStringInfo(&bytes, document.bytes, (int) document.len);
	result = align_fingerprint(bytes.data, bytes.len);
	pfree(bytes.data);
	return result;
}

static inline ArgumentBytes
VarlenaBytes(struct varlena *value)
{
	ArgumentBytes result = {NULL, 0};

	if (value != NULL)
	{
		result.bytes = VARDATA_ANY(value);
		result.len = VARSIZE_ANY_EXHDR(value);
	}
	return result;
}

static inline ArgumentBytes
IntervalBytes(const Interval *interval)
{
	ArgumentBytes result = {NULL, 0};

	if (interval != NULL)
	{
		result.bytes = (const char *) interval;
		result.len = sizeof(Interval);
	}
	return result;
}

/*
 * The compiled arguments of a call.
 */
CreditSite *
align_credit_site(FunctionCallInfo fcinfo, int argno, bool has_funnel)
{
	CreditSite *site = (CreditSite *) fcinfo->flinfo->fn_extra;
	int			nargs = PG_NARGS();
	CreditArguments arguments = {0};
	ArgumentBytes bytes[MAX_ARGUMENTS];
	struct varlena *document = NULL;
	TextValue  *value;
	Funnel	   *funnel = NULL;
	MemoryContext caller;

	if (site == NULL)
	{
		site = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(CreditSite));
		site->context = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "align credit arguments",
											  ALLOCSET_SMALL_SIZES);
		align_credit_begin(&site->credit, fcinfo->flinfo->fn_mcxt);
		fcinfo->flinfo->fn_extra = site;
	}

	if (has_funnel)
	{
		align_require_argument(fcinfo, argno, "funnel");
		document = PG_GETARG_VARLENA_PP(argno++);
	}
	align_require_argument(fcinfo, argno, "model");
	arguments.model = PG_GETARG_TEXT_PP(argno++);
	if (argno < nargs && !PG_ARGISNULL(argno))
		arguments.lookback = PG_GETARG_INTERVAL_P(argno);
	argno++;
	if (argno < nargs && !PG_ARGISNULL(argno))
		arguments.half_life = PG_GETARG_INTERVAL_P(argno);
	argno++;
	if (argno < nargs && !PG_ARGISNULL(argno))
		arguments.milestones = PG_GETARG_ARRAYTYPE_P(argno);

	bytes[0] = VarlenaBytes(document);
	bytes[1] = VarlenaBytes((struct varlena *) arguments.model);
	bytes[2] = IntervalBytes(arguments.lookback);
	bytes[3] = IntervalBytes(arguments.half_life);
	bytes[4] = VarlenaBytes((struct varlena *) arguments.milestones);
	if (likely(MatchesKey(site, bytes, MAX_ARGUMENTS)))
		return site;

	/* valid only once all of it is compiled */
	site->valid = false;
	MemoryContextReset(site->context);
	caller = MemoryContextSwitchTo(site->context);
	if (document != NULL)
	{
		value = align_text_value_arg(PointerGetDatum(document), "funnel");
		funnel = align_funnel_compile(align_text_value_cstring(value), site->context, NULL);
	}
	align_credit_rules(&arguments, funnel, &site->rules);
	site->memory = align_campaign_memory(site->context, funnel);
	site->fingerprint = RulesFingerprint(&site->rules, bytes[0]);
	MakeKey(site, bytes, MAX_ARGUMENTS);
	MemoryContextSwitchTo(caller);
	site->valid = true;
	return site;
}
