/*
 * json.c
 *	  Casts between lead and jsonb.
 *
 * A lead is an array of objects with the members at, stage, team, reason,
 * campaign, amount, ordinal, version and segments; absent fields are left
 * out.  Amounts, ordinals and versions are numbers, segments an array of
 * strings, the others strings, and "at" is formatted as in the text form.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "lead/lead.h"
#include "time_text.h"

PG_FUNCTION_INFO_V1(align_lead_to_jsonb);
PG_FUNCTION_INFO_V1(align_jsonb_to_lead);

static void
PushKey(JsonbParseState **state, const char *key)
{
	JsonbValue	value;

	value.type = jbvString;
	value.val.string.val = unconstify(char *, key);
	value.val.string.len = strlen(key);
	pushJsonbValue(state, WJB_KEY, &value);
}

static void
PushString(JsonbParseState **state, const char *key, LeadString string)
{
	JsonbValue	value;

	if (string.text == NULL)
		return;
	PushKey(state, key);
	value.type = jbvString;
	value.val.string.val = unconstify(char *, string.text);
	value.val.string.len = string.len;
	pushJsonbValue(state, WJB_VALUE, &value);
}

static void
PushNumber(JsonbParseState **state, const char *key, Numeric number)
{
	JsonbValue	value;

	PushKey(state, key);
	value.type = jbvNumeric;
	value.val.numeric = number;
	pushJsonbValue(state, WJB_VALUE, &value);
}

static void
PushSegments(JsonbParseState **state, LeadString list)
{
	LeadString	name;
	JsonbValue	value;

	PushKey(state, "segments");
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	while (align_segments_next(&list, &name))
	{
		value.type = jbvString;
		value.val.string.val = unconstify(char *, name.text);
		value.val.string.len = name.len;
		pushJsonbValue(state, WJB_ELEM, &value);
	}
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

static void
PushTime(JsonbParseState **state, TimestampTz at)
{
	StringInfoData text;

	initStringInfo(&text);
	align_write_time(&text, at);
	PushString(state, "at", align_lead_bytes(text.data, text.len));
}

Datum
align_lead_to_jsonb(PG_FUNCTION_ARGS)
{
	LeadReader	reader;
	LeadEntry	entry;
	JsonbParseState *state = NULL;
	JsonbValue *result;

	align_lead_read(&reader, PG_GETARG_VARLENA_PP(0));
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	while (align_lead_next(&reader, &entry))
	{
		pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		PushTime(&state, entry.at);
		PushString(&state, "stage", align_lead_string(&reader, entry.stage));
		PushString(&state, "team", align_lead_string(&reader, entry.team));
		PushString(&state, "reason", align_lead_string(&reader, entry.reason));
		PushString(&state, "campaign", align_lead_string(&reader, entry.campaign));
		if (entry.amount >= 0)
			PushNumber(&state, "amount",
					   DatumGetNumeric(align_amount_numeric(reader.strings[entry.amount])));
		if (entry.ordinal != 0)
			PushNumber(&state, "ordinal", int64_to_numeric(entry.ordinal));
		if (entry.version != 0)
			PushNumber(&state, "version", int64_to_numeric(entry.version));
		if (entry.segments >= 0)
			PushSegments(&state, reader.strings[entry.segments]);
		pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	}
	result = pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	align_lead_read_end(&reader);
	PG_RETURN_JSONB_P(JsonbValueToJsonb(result));
}

static void BadJson(int entry_no, const char *detail) pg_attribute_noreturn();

/*
 * Raises an error about an entry, or about the array if entry_no is 0.
 */
static void
BadJson(int entry_no, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("cannot cast jsonb to lead"),
			 entry_no == 0 ? errdetail_internal("%s", detail) :
			 errdetail("Entry %d: %s", entry_no, detail),
			 errhint("Write a lead as an array of entries, "
					 "such as [{\"at\": \"2026-03-01T09:00:00Z\", \"stage\": \"mql\"}].")));
}

static LeadString
JsonText(const JsonbValue *value, int entry_no, const char *key)
{
	if (value->type != jbvString)
		BadJson(entry_no, psprintf("\"%s\" must be a string.", key));
	return align_lead_bytes(value->val.string.val, value->val.string.len);
}

/* The position of a mistake in a time, for the scanner's message. */
static char *
DescribeEntry(void *arg, const char *at)
{
	(void) at;
	return psprintf("entry %d", *(int *) arg);
}

static TimestampTz
JsonTime(const JsonbValue *value, int entry_no)
{
	LeadString	string = JsonText(value, entry_no, "at");
	char	   *text = pnstrdup(string.text, string.len);
	TextScan	scan;
	TimestampTz result;

	/* without an error context the scanner raises its errors */
	align_scan_begin(&scan, text, "lead", false, NULL);
	scan.describe = DescribeEntry;
	scan.describe_arg = &entry_no;
	(void) align_scan_time(&scan, &result);
	if (!align_scan_at_end(&scan))
		(void) align_scan_expected(&scan, "the end of the time", NULL);
	pfree(text);
	return result;
}

static Numeric
JsonNumber(const JsonbValue *value, int entry_no, const char *key)
{
	if (value->type != jbvNumeric)
		BadJson(entry_no, psprintf("\"%s\" must be a number.", key));
	return value->val.numeric;
}

/*
 * A whole number from 1 to max.
 */
static int64
JsonWhole(const JsonbValue *value, int entry_no, const char *key, int64 max)
{
	Datum		number = NumericGetDatum(JsonNumber(value, entry_no, key));
	Datum		floor = DirectFunctionCall1(numeric_floor, number);
	Datum		lowest = NumericGetDatum(int64_to_numeric(1));
	Datum		highest = NumericGetDatum(int64_to_numeric(max));

	if (!DatumGetBool(DirectFunctionCall2(numeric_eq, number, floor)) ||
		DatumGetBool(DirectFunctionCall2(numeric_lt, number, lowest)) ||
		DatumGetBool(DirectFunctionCall2(numeric_gt, number, highest)))
		BadJson(entry_no, psprintf("\"%s\" must be a whole number from 1 to " INT64_FORMAT ".",
								   key, max));
	return DatumGetInt64(DirectFunctionCall1(numeric_int8, number));
}

/*
 * The canonical list of an array of names, absent if it is empty.
 */
static LeadString
JsonSegments(const JsonbValue *value, int entry_no)
{
	JsonbIterator *it;
	JsonbValue	element;
	LeadString *names;
	int			n = 0;

	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data))
		BadJson(entry_no, "\"segments\" must be an array of strings.");
	names = palloc(Max(JsonContainerSize(value->val.binary.data), 1) * sizeof(LeadString));
	it = JsonbIteratorInit(value->val.binary.data);
	(void) JsonbIteratorNext(&it, &element, true);
	while (JsonbIteratorNext(&it, &element, true) == WJB_ELEM)
	{
		if (element.type != jbvString)
			BadJson(entry_no, "\"segments\" must be an array of strings.");
		names[n++] = align_lead_bytes(element.val.string.val, element.val.string.len);
	}
	return align_segments_sorted(names, n);
}

/*
 * The members of an entry, in the order of the text form.
 */
typedef enum Member
{
	MEMBER_AT,
	MEMBER_STAGE,
	MEMBER_TEAM,
	MEMBER_REASON,
	MEMBER_CAMPAIGN,
	MEMBER_AMOUNT,
	MEMBER_ORDINAL,
	MEMBER_VERSION,
	MEMBER_SEGMENTS
} Member;

static const char *const member_names[] = {
	"at", "stage", "team", "reason", "campaign", "amount", "ordinal", "version",
	"segments"
};

static Member
FindMember(const JsonbValue *key, int entry_no)
{
	for (int i = 0; i < (int) lengthof(member_names); i++)
	{
		if (key->val.string.len == (int) strlen(member_names[i]) &&
			memcmp(key->val.string.val, member_names[i], key->val.string.len) == 0)
			return (Member) i;
	}
	BadJson(entry_no, psprintf("\"%.*s\" is not a member of an entry.",
							   key->val.string.len, key->val.string.val));
}

/*
 * Sets the field of an entry that a member stands for.
 */
static void
SetField(LeadInput *entry, Member member, const JsonbValue *value, int entry_no)
{
	const char *name = member_names[member];

	switch (member)
	{
		case MEMBER_AT:
			entry->at = JsonTime(value, entry_no);
			break;
		case MEMBER_STAGE:
			entry->stage = JsonText(value, entry_no, name);
			break;
		case MEMBER_TEAM:
			entry->team = JsonText(value, entry_no, name);
			break;
		case MEMBER_REASON:
			entry->reason = JsonText(value, entry_no, name);
			break;
		case MEMBER_CAMPAIGN:
			entry->campaign = JsonText(value, entry_no, name);
			break;
		case MEMBER_AMOUNT:
			entry->amount.text = align_amount_text(JsonNumber(value, entry_no, name));
			entry->amount.len = strlen(entry->amount.text);
			break;
		case MEMBER_ORDINAL:
			entry->ordinal = JsonWhole(value, entry_no, name, PG_INT64_MAX);
			break;
		case MEMBER_VERSION:
			entry->version = (int32) JsonWhole(value, entry_no, name, PG_INT32_MAX);
			break;
		case MEMBER_SEGMENTS:
			entry->segments = JsonSegments(value, entry_no);
			break;
	}
}

/*
 * Reads the object that the iterator has just begun.  A null member is absent.
 */
static void
ReadEntry(JsonbIterator **it, LeadInput *entry, int entry_no)
{
	JsonbValue	key,
				value;
	bool		has_time = false;

	memset(entry, 0, sizeof(*entry));
	while (JsonbIteratorNext(it, &key, true) == WJB_KEY)
	{
		Member		member = FindMember(&key, entry_no);

		(void) JsonbIteratorNext(it, &value, true);
		if (value.type == jbvNull)
			continue;
		SetField(entry, member, &value, entry_no);
		has_time |= member == MEMBER_AT;
	}
	if (!has_time)
		BadJson(entry_no, "It has no \"at\".");
	if (entry->stage.text == NULL && entry->campaign.text == NULL)
		BadJson(entry_no, "It has neither a \"stage\" nor a \"campaign\".");
}

Datum
align_jsonb_to_lead(PG_FUNCTION_ARGS)
{
	Jsonb	   *json = PG_GETARG_JSONB_P(0);
	LeadBuilder *builder = align_lead_builder(CurrentMemoryContext);
	JsonbIterator *it = JsonbIteratorInit(&json->root);
	JsonbIteratorToken token;
	JsonbValue	value;

	token = JsonbIteratorNext(&it, &value, false);
	if (token != WJB_BEGIN_ARRAY || value.val.array.rawScalar)
		BadJson(0, "It is not an array.");
	while ((token = JsonbIteratorNext(&it, &value, false)) != WJB_END_ARRAY)
	{
		int			entry_no = align_lead_count(builder) + 1;
		LeadInput	entry;

		if (token != WJB_BEGIN_OBJECT)
			BadJson(entry_no, "It is not an object.");
		ReadEntry(&it, &entry, entry_no);
		align_lead_add(builder, &entry);
	}
	if (align_lead_count(builder) == 0)
		BadJson(0, "The array is empty; a lead has at least one entry.");
	PG_RETURN_POINTER(align_lead_encode(builder, false));
}
