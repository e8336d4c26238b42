/*
 * json_read.c
 *	  The cast from jsonb to conversion.
 *
 * It writes the text form of the document that json_write.c describes, and
 * parses that, so that there is one set of checks.  The user does not see the
 * text, so errors give the member instead of a position.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "conversion/conversion.h"

PG_FUNCTION_INFO_V1(align_jsonb_to_conversion);

/*
 * The text form made from a document, and where the text of each member
 * begins.
 */
typedef struct Mark
{
	int			offset;
	const char *member;
	int			element;		/* index in "levels", else -1 */
} Mark;

typedef struct Source
{
	StringInfoData text;
	int			nmarks;
	int			room;
	Mark	   *marks;			/* offsets ascend */
} Source;

static void
BeginSource(Source *source)
{
	initStringInfo(&source->text);
	source->nmarks = 0;
	source->room = 8;
	source->marks = palloc(source->room * sizeof(Mark));
}

/* The text of a member begins here. */
static void
MarkMember(Source *source, const char *member, int element)
{
	Mark	   *mark;

	if (source->nmarks == source->room)
	{
		source->room *= 2;
		source->marks = repalloc(source->marks, source->room * sizeof(Mark));
	}
	mark = &source->marks[source->nmarks++];
	mark->offset = source->text.len;
	mark->member = member;
	mark->element = element;
}

/* The describe function of the scanner. */
static char *
DescribeMember(void *arg, const char *at)
{
	const Source *source = (const Source *) arg;
	const Mark *mark = source->marks;

	for (int i = 1; i < source->nmarks && source->marks[i].offset <= at - source->text.data; i++)
		mark = &source->marks[i];
	if (mark->element < 0)
		return psprintf("member \"%s\"", mark->member);
	return psprintf("member \"%s[%d]\"", mark->member, mark->element);
}

static void BadJson(const char *detail) pg_attribute_noreturn();

static void
BadJson(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid jsonb for type %s", CONVERSION_TYPE),
			 errdetail("%s", detail)));
}

/*
 * A member of an object, NULL if it is absent or null.
 */
static JsonbValue *
FindMember(JsonbContainer *object, const char *key)
{
	JsonbValue	name;
	JsonbValue *value;

	name.type = jbvString;
	name.val.string.val = unconstify(char *, key);
	name.val.string.len = strlen(key);
	value = findJsonbValueFromContainer(object, JB_FOBJECT, &name);
	return value != NULL && value->type == jbvNull ? NULL : value;
}

/*
 * Raise an error if an object has a member that is not in the list.
 */
static void
CheckMembers(JsonbContainer *object, const char *const *known, int nknown)
{
	JsonbIterator *it = JsonbIteratorInit(object);
	JsonbValue	key;
	JsonbIteratorToken token;

	(void) JsonbIteratorNext(&it, &key, true);	/* the object itself */
	while ((token = JsonbIteratorNext(&it, &key, true)) != WJB_DONE)
	{
		bool		found = false;

		if (token != WJB_KEY)
			continue;
		for (int i = 0; i < nknown && !found; i++)
			found = key.val.string.len == (int) strlen(known[i]) &&
				memcmp(key.val.string.val, known[i], key.val.string.len) == 0;
		if (!found)
			BadJson(psprintf("It has an unknown member \"%.*s\".",
							 key.val.string.len, key.val.string.val));
	}
}

static JsonbContainer *
AsContainer(JsonbValue *value, const char *what, bool array)
{
	if (value == NULL || value->type != jbvBinary ||
		!(array ? JsonContainerIsArray(value->val.binary.data) :
		  JsonContainerIsObject(value->val.binary.data)))
		BadJson(psprintf("\"%s\" must be an %s.", what, array ? "array" : "object"));
	return value->val.binary.data;
}

static LeadString
AsString(JsonbValue *value, const char *what)
{
	LeadString	string;

	if (value == NULL || value->type != jbvString)
		BadJson(psprintf("\"%s\" must be a string.", what));
	string.text = value->val.string.val;
	string.len = value->val.string.len;
	return string;
}

/*
 * The Append... functions append the text form of a member.
 */
static void
AppendNumber(StringInfo out, JsonbValue *value, const char *what)
{
	Datum		text;

	if (value == NULL || value->type != jbvNumeric)
		BadJson(psprintf("\"%s\" must be a number.", what));
	text = DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric));
	appendStringInfoString(out, DatumGetCString(text));
}

/*
 * Strings other than names are copied without quotes, so they must not contain
 * characters that end their part of the text form.
 */
#define PUNCTUATION "{}(),\"*"
#define BLANKS " \t\n\r\f\v"

static void
AppendWords(StringInfo out, JsonbValue *value, const char *what, const char *forbidden)
{
	LeadString	words = AsString(value, what);

	for (int i = 0; i < words.len; i++)
	{
		if (strchr(forbidden, words.text[i]) != NULL)
			BadJson(psprintf("\"%s\" is not well formed.", what));
	}
	appendBinaryStringInfo(out, words.text, words.len);
}

/*
 * Append the canonical words of modes: words joined by ", ".
 */
static void
AppendModes(StringInfo out, JsonbValue *value)
{
	LeadString	words = AsString(value, "mode");

	for (int i = 0; i < words.len; i++)
	{
		bool		comma = i > 0 && words.text[i - 1] == ',';

		if (words.text[i] == ' ' ? !comma :
			comma || strchr("{}()\"*" "\t\n\r\f\v", words.text[i]) != NULL)
			BadJson("\"mode\" is not well formed.");
	}
	appendBinaryStringInfo(out, words.text, words.len);
}

/*
 * Append a limit: numbers and units in turn.
 */
static void
AppendLimit(StringInfo out, JsonbValue *value, const char *what)
{
	LeadString	words = AsString(value, what);
	bool		unit = true;	/* was the last word a unit? */

	for (int i = 0; i < words.len; i++)
	{
		char		c = words.text[i];
		bool		begins = i == 0 || words.text[i - 1] == ' ';
		bool		digit = c >= '0' && c <= '9';

		if (c == ' ')
			continue;
		if (!digit && !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')))
			BadJson(psprintf("\"%s\" is not well formed.", what));
		if (begins ? digit != unit : digit == unit)
			BadJson(psprintf("\"%s\" is not well formed.", what));
		if (begins)
			unit = !digit;
	}
	appendBinaryStringInfo(out, words.text, words.len);
}

/*
 * Append the strings of an array as names.
 */
static void
AppendNames(StringInfo out, JsonbContainer *names, const char *what, const char *separator)
{
	for (uint32 i = 0; i < JsonContainerSize(names); i++)
	{
		LeadString	name = AsString(getIthJsonbValueFromContainer(names, i), what);

		if (i > 0)
			appendStringInfoString(out, separator);
		align_write_name(out, name.text, name.len);
	}
}

/*
 * Append a step that is an object.
 */
static void
AppendStep(StringInfo out, JsonbContainer *step)
{
	static const char *const known[] = {"stages", "optional"};
	JsonbValue *optional;

	CheckMembers(step, known, lengthof(known));
	AppendNames(out, AsContainer(FindMember(step, "stages"), "stages", true), "stages", "|");
	optional = FindMember(step, "optional");
	if (optional != NULL && optional->type != jbvBool)
		BadJson("\"optional\" must be true or false.");
	if (optional != NULL && optional->val.boolean)
		appendStringInfoChar(out, '?');
}

static void
AppendSteps(StringInfo out, JsonbContainer *root)
{
	JsonbContainer *steps = AsContainer(FindMember(root, "steps"), "steps", true);
	bool		is_funnel = FindMember(root, "funnel") != NULL;

	appendStringInfoString(out, " (");
	for (uint32 i = 0; i < JsonContainerSize(steps); i++)
	{
		JsonbValue *step = getIthJsonbValueFromContainer(steps, i);
		LeadString	name;

		if (i > 0)
			appendStringInfoString(out, ", ");
		if (!is_funnel && step->type == jbvBinary)
		{
			AppendStep(out, AsContainer(step, "steps", false));
			continue;
		}
		name = AsString(step, "steps");
		align_write_name(out, name.text, name.len);
	}
	appendStringInfoChar(out, ')');
}

static void
AppendTimes(StringInfo out, JsonbValue *value)
{
	static const char *const known[] = {"sum", "least", "most", "in"};
	JsonbContainer *time = AsContainer(value, "time", false);
	JsonbContainer *buckets;

	CheckMembers(time, known, lengthof(known));
	appendStringInfoString(out, " time ");
	AppendNumber(out, FindMember(time, "sum"), "sum");
	appendStringInfoString(out, " least ");
	AppendNumber(out, FindMember(time, "least"), "least");
	appendStringInfoString(out, " most ");
	AppendNumber(out, FindMember(time, "most"), "most");
	buckets = AsContainer(FindMember(time, "in"), "in", true);
	for (uint32 i = 0; i < JsonContainerSize(buckets); i++)
	{
		JsonbContainer *pair = AsContainer(getIthJsonbValueFromContainer(buckets, i), "in", true);

		if (JsonContainerSize(pair) != 2)
			BadJson("A bucket of \"in\" must be an array of two numbers.");
		appendStringInfoString(out, i == 0 ? " in (" : ", ");
		AppendNumber(out, getIthJsonbValueFromContainer(pair, 0), "in");
		appendStringInfoChar(out, '*');
		AppendNumber(out, getIthJsonbValueFromContainer(pair, 1), "in");
	}
	appendStringInfoChar(out, ')');
}

static void
AppendLevel(StringInfo out, JsonbValue *value)
{
	static const char *const known[] = {
		"level", "open", "dropped", "converted", "matured", "entered", "amount", "time"
	};
	JsonbContainer *level = AsContainer(value, "levels", false);

	CheckMembers(level, known, lengthof(known));
	appendStringInfoString(out, ", level ");
	AppendNumber(out, FindMember(level, "level"), "level");

	/* all members between "level" and "time" are numbers, in this order */
	for (int i = 1; i < (int) lengthof(known) - 1; i++)
	{
		JsonbValue *member = FindMember(level, known[i]);

		if (member != NULL)
		{
			appendStringInfo(out, " %s ", known[i]);
			AppendNumber(out, member, known[i]);
		}
	}
	if (FindMember(level, "time") != NULL)
		AppendTimes(out, FindMember(level, "time"));
}

static void
AppendGaps(Source *source, JsonbContainer *gaps)
{
	StringInfo	out = &source->text;

	MarkMember(source, "gaps", -1);
	appendStringInfoString(out, " gaps (");
	for (uint32 i = 0; i < JsonContainerSize(gaps); i++)
	{
		JsonbValue *gap = getIthJsonbValueFromContainer(gaps, i);

		if (i > 0)
			appendStringInfoString(out, ", ");
		if (gap->type == jbvNull)
			appendStringInfoString(out, "none");
		else
			AppendLimit(out, gap, "gaps");
	}
	appendStringInfoChar(out, ')');
}

/* Members of a list of steps that a funnel does not have. */
static const char *const list_members[] = {
	"mode", "within", "gaps", "time_zone", "exclude", "count"
};

static void
AppendIdentity(Source *source, JsonbContainer *root)
{
	StringInfo	out = &source->text;

	if (FindMember(root, "funnel") != NULL)
	{
		for (int i = 0; i < (int) lengthof(list_members); i++)
		{
			if (FindMember(root, list_members[i]) != NULL)
				BadJson(psprintf("It has a \"funnel\", and \"%s\" is for steps only.",
								 list_members[i]));
		}
		MarkMember(source, "funnel", -1);
		appendStringInfoString(out, "{funnel ");
		AppendWords(out, FindMember(root, "funnel"), "funnel", PUNCTUATION BLANKS);
		MarkMember(source, "steps", -1);
		AppendSteps(out, root);
		return;
	}
	MarkMember(source, "steps", -1);
	appendStringInfoString(out, "{steps");
	AppendSteps(out, root);
	MarkMember(source, "mode", -1);
	appendStringInfoString(out, " mode ");
	AppendModes(out, FindMember(root, "mode"));
	if (FindMember(root, "within") != NULL)
	{
		MarkMember(source, "within", -1);
		appendStringInfoString(out, " within ");
		AppendLimit(out, FindMember(root, "within"), "within");
	}
	if (FindMember(root, "gaps") != NULL)
		AppendGaps(source, AsContainer(FindMember(root, "gaps"), "gaps", true));
	if (FindMember(root, "time_zone") != NULL)
	{
		LeadString	zone = AsString(FindMember(root, "time_zone"), "time_zone");

		MarkMember(source, "time_zone", -1);
		appendStringInfoString(out, " zone ");
		align_write_name(out, zone.text, zone.len);
	}
	if (FindMember(root, "exclude") != NULL)
	{
		MarkMember(source, "exclude", -1);
		appendStringInfoString(out, " exclude (");
		AppendNames(out, AsContainer(FindMember(root, "exclude"), "exclude", true), "exclude", ", ");
		appendStringInfoChar(out, ')');
	}
	if (FindMember(root, "count") != NULL)
	{
		LeadString	count = AsString(FindMember(root, "count"), "count");

		if (align_lead_same(count, align_lead_cstring("passages")))
			appendStringInfoString(out, " passages");
		else if (!align_lead_same(count, align_lead_cstring("leads")))
			BadJson("\"count\" must be \"leads\" or \"passages\".");
	}
}

/*
 * The member "leads" is redundant, but must be right if it is present.
 */
static void
CheckLeads(Conversion *conversion, JsonbValue *leads)
{
	StringInfoData given;

	if (leads == NULL)
		return;
	initStringInfo(&given);
	AppendNumber(&given, leads, "leads");
	if (strcmp(given.data, psprintf(INT64_FORMAT, conversion->leads)) != 0)
		BadJson("\"leads\" is not the sum of the counts of \"levels\".");
}

Datum
align_jsonb_to_conversion(PG_FUNCTION_ARGS)
{
	static const char *const known[] = {
		"funnel", "mode", "within", "gaps", "time_zone", "exclude", "count", "steps", "as_of",
		"leads", "matured", "levels", "way"
	};
	Jsonb	   *json = PG_GETARG_JSONB_P(0);
	JsonbContainer *root = &json->root;
	JsonbContainer *as_of;
	JsonbContainer *levels;
	Source		source;
	TextScan	scan;
	Conversion *conversion;
	struct varlena *result;

	if (!JB_ROOT_IS_OBJECT(json))
		BadJson("It is not an object.");
	CheckMembers(root, known, lengthof(known));

	/* write the text form, marking where each member begins */
	BeginSource(&source);
	AppendIdentity(&source, root);
	as_of = AsContainer(FindMember(root, "as_of"), "as_of", true);
	if (JsonContainerSize(as_of) != 2)
		BadJson("\"as_of\" must be an array of two times.");
	MarkMember(&source, "as_of", -1);
	appendStringInfoString(&source.text, " as of ");
	AppendWords(&source.text, getIthJsonbValueFromContainer(as_of, 0), "as_of", PUNCTUATION);
	appendStringInfoString(&source.text, " to ");
	AppendWords(&source.text, getIthJsonbValueFromContainer(as_of, 1), "as_of", PUNCTUATION);
	if (FindMember(root, "matured") != NULL)
	{
		MarkMember(&source, "matured", -1);
		appendStringInfoString(&source.text, " matured ");
		AppendNumber(&source.text, FindMember(root, "matured"), "matured");
	}
	levels = AsContainer(FindMember(root, "levels"), "levels", true);
	for (uint32 i = 0; i < JsonContainerSize(levels); i++)
	{
		MarkMember(&source, "levels", (int) i);
		AppendLevel(&source.text, getIthJsonbValueFromContainer(levels, i));
	}
	if (FindMember(root, "way") != NULL)
	{
		static const char *const way_members[] = {"time"};
		JsonbContainer *way = AsContainer(FindMember(root, "way"), "way", false);

		CheckMembers(way, way_members, lengthof(way_members));
		MarkMember(&source, "way", -1);
		appendStringInfoString(&source.text, ", way");
		if (FindMember(way, "time") != NULL)
			AppendTimes(&source.text, FindMember(way, "time"));
	}
	MarkMember(&source, "levels", -1);
	appendStringInfoChar(&source.text, '}');

	/* parse it; errors are raised, with the member as their position */
	align_scan_begin(&scan, source.text.data, CONVERSION_TYPE, false, NULL);
	scan.describe = DescribeMember;
	scan.describe_arg = &source;
	conversion = align_conversion_parse_scan(&scan);
	CheckLeads(conversion, FindMember(root, "leads"));
	result = align_conversion_flatten(conversion);
	MemoryContextDelete(conversion->header.eoh_context);
	PG_RETURN_POINTER(result);
}
