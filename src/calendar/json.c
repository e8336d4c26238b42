/*
 * json.c
 *	  Casts between calendar and jsonb.
 *
 *	  {"zone": "Europe/London",
 *	   "rules": [{"days": "Mo-Fr", "open": [["09:00", "17:30"]]},
 *				 {"days": "Dec 25", "open": []}]}
 *
 * The rules are those of the canonical text, in its order.  In the cast from
 * jsonb "zone" and "days" may be omitted (UTC, every day), and a string is
 * taken for the text of a calendar.  Each string is read by the function that
 * reads that part of the text, and must contain nothing else.
 */
#include "postgres.h"

#include "datatype/timestamp.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "calendar/rules.h"

PG_FUNCTION_INFO_V1(align_calendar_to_jsonb);
PG_FUNCTION_INFO_V1(align_jsonb_to_calendar);

static void
PushString(JsonbParseState **state, JsonbIteratorToken token, const char *string, int len)
{
	JsonbValue	value;

	value.type = jbvString;
	value.val.string.val = pnstrdup(string, len);
	value.val.string.len = len;
	pushJsonbValue(state, token, &value);
}

static void
PushKey(JsonbParseState **state, const char *key)
{
	PushString(state, WJB_KEY, key, strlen(key));
}

static void
PushMinute(JsonbParseState **state, int minute, bool closing)
{
	StringInfoData text;

	initStringInfo(&text);
	align_write_minute(&text, minute, closing);
	PushString(state, WJB_ELEM, text.data, text.len);
	pfree(text.data);
}

static void
PushSpan(JsonbParseState **state, const DaySpan *span)
{
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	PushMinute(state, span->start, false);
	PushMinute(state, span->end, true);
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

static void
PushRule(void *arg, const char *days, const DaySpans *open)
{
	JsonbParseState **state = arg;

	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	PushKey(state, "days");
	PushString(state, WJB_VALUE, days, strlen(days));
	PushKey(state, "open");
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < open->n; i++)
	{
		DaySpan		parts[2];
		int			n = align_span_parts(&open->span[i], parts);

		for (int part = 0; part < n; part++)
			PushSpan(state, &parts[part]);
	}
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

Datum
align_calendar_to_jsonb(PG_FUNCTION_ARGS)
{
	TextValue  *value = align_text_value_arg(PG_GETARG_DATUM(0), "calendar");
	CalendarRules *rules = align_rules_parse(align_text_value_cstring(value), NULL);
	JsonbParseState *state = NULL;
	JsonbValue *result;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	PushKey(&state, "zone");
	PushString(&state, WJB_VALUE, rules->zone, strlen(rules->zone));
	PushKey(&state, "rules");
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	align_rules_walk(rules, PushRule, &state);
	pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	result = pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	PG_RETURN_JSONB_P(JsonbValueToJsonb(result));
}

/*
 * Raises for a document of the wrong shape.
 */
static void
FailDocument(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid calendar document"),
			 errdetail("%s", detail),
			 errhint("Write it as {\"zone\": \"Europe/London\", \"rules\": [{\"days\": \"Mo-Fr\", \"open\": [[\"09:00\", \"17:30\"]]}]}.")));
}

/*
 * Raises if an object has other keys than these two.
 */
static void
CheckKeys(JsonbContainer *object, const char *first, const char *second)
{
	JsonbIterator *it = JsonbIteratorInit(object);
	JsonbIteratorToken token;
	JsonbValue	value;

	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		char	   *key;

		if (token != WJB_KEY)
			continue;
		key = pnstrdup(value.val.string.val, value.val.string.len);
		if (strcmp(key, first) != 0 && strcmp(key, second) != 0)
			FailDocument(psprintf("Unknown key \"%s\".", key));
		pfree(key);
	}
}

/*
 * The member with this key; NULL if there is none.
 */
static JsonbValue *
GetKey(JsonbContainer *object, const char *key)
{
	return getKeyJsonValueFromContainer(object, key, strlen(key), NULL);
}

/*
 * The content of a string, NUL-terminated; raises with this detail if the
 * value is NULL or no string.
 */
static char *
GetString(const JsonbValue *value, const char *detail)
{
	if (value == NULL || value->type != jbvString)
		FailDocument(detail);
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/*
 * The content of an array; raises with this detail if the value is NULL or no
 * array.
 */
static JsonbContainer *
GetArray(const JsonbValue *value, const char *detail)
{
	if (value == NULL || value->type != jbvBinary ||
		!JsonContainerIsArray(value->val.binary.data))
		FailDocument(detail);
	return value->val.binary.data;
}

static void
BeginScan(TextScan *scan, const char *text)
{
	align_scan_begin(scan, text, "calendar", false, NULL);
}

/*
 * Raises if text is left.
 */
static void
EndScan(TextScan *scan)
{
	if (!align_scan_at_end(scan))
		(void) align_scan_expected(scan, "the end of the text", NULL);
}

static void
ReadSpan(const JsonbValue *value, DaySpan *span)
{
	const char *detail = "Every element of \"open\" must be an array of two times.";
	JsonbContainer *pair = GetArray(value, detail);
	TextScan	start;
	TextScan	end;

	if (JsonContainerSize(pair) != 2)
		FailDocument(detail);
	BeginScan(&start, GetString(getIthJsonbValueFromContainer(pair, 0), detail));
	(void) align_rules_scan_minute(&start, false, &span->start);
	EndScan(&start);
	BeginScan(&end, GetString(getIthJsonbValueFromContainer(pair, 1), detail));
	(void) align_rules_scan_minute(&end, true, &span->end);
	EndScan(&end);
	(void) align_rules_check_span(&end, end.start, span);
}

static void
ReadRule(CalendarRules *rules, const JsonbValue *value)
{
	int			rule = align_rules_add(rules);
	JsonbContainer *object;
	JsonbContainer *open;
	JsonbValue *days;
	DaySpan    *spans;
	int			n;

	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		FailDocument("Every element of \"rules\" must be an object.");
	object = value->val.binary.data;
	CheckKeys(object, "days", "open");

	/* as in the text, a rule without days names every day */
	days = GetKey(object, "days");
	if (days == NULL)
		align_rules_name_weekdays(rules, rule, 0, WEEK_DAYS - 1);
	else
	{
		TextScan	scan;

		BeginScan(&scan, GetString(days, "The value of \"days\" must be a string."));
		(void) align_rules_scan_days(&scan, rules, rule);
		EndScan(&scan);
	}

	open = GetArray(GetKey(object, "open"), "Every rule must have an array \"open\".");
	n = JsonContainerSize(open);
	spans = palloc(Max(n, 1) * sizeof(DaySpan));
	for (int i = 0; i < n; i++)
		ReadSpan(getIthJsonbValueFromContainer(open, i), &spans[i]);
	if (!align_rules_set_spans(rules, rule, spans, n))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many spans"),
				 errdetail("A day may have at most %d separate spans.", CALENDAR_MAX_SPANS)));
	pfree(spans);
}

static void
ReadZone(CalendarRules *rules, const JsonbValue *zone)
{
	TextScan	scan;

	if (zone == NULL)
	{
		rules->zone = pstrdup("UTC");
		return;
	}
	BeginScan(&scan, GetString(zone, "The value of \"zone\" must be a string."));
	(void) align_rules_scan_zone(&scan, rules);
	/* the scan stays where it is if the string is empty or begins a rule */
	if (scan.cur == scan.start)
		(void) align_scan_expected(&scan, "a time zone", NULL);
	EndScan(&scan);
}

Datum
align_jsonb_to_calendar(PG_FUNCTION_ARGS)
{
	Jsonb	   *document = PG_GETARG_JSONB_P(0);
	JsonbContainer *list;
	CalendarRules *rules;
	JsonbValue	scalar;
	const char *detail = "The document must be an object, or a string with the text of a calendar.";

	if (JsonbExtractScalar(&document->root, &scalar))
		PG_RETURN_POINTER(align_calendar_parse(GetString(&scalar, detail), NULL));
	if (!JB_ROOT_IS_OBJECT(document))
		FailDocument(detail);
	CheckKeys(&document->root, "zone", "rules");

	rules = align_rules_make();
	ReadZone(rules, GetKey(&document->root, "zone"));
	list = GetArray(GetKey(&document->root, "rules"),
					"The document must have an array \"rules\".");
	for (uint32 i = 0; i < JsonContainerSize(list); i++)
		ReadRule(rules, getIthJsonbValueFromContainer(list, i));
	PG_RETURN_POINTER(align_calendar_value(rules, NULL));
}
