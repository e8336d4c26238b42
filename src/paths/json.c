/*
 * json.c
 *	  Casts between paths and jsonb.
 *
 * The document is an array with an object for every path: its channels, and
 * the counts and value of the text form under the same words; counts of zero
 * are left out.  The cast from jsonb writes the text form and parses it, so
 * that there is one set of checks.  The user does not see that text, so errors
 * give the element instead of a position.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "paths/paths.h"

PG_FUNCTION_INFO_V1(align_paths_to_jsonb);
PG_FUNCTION_INFO_V1(align_jsonb_to_paths);

static void
WritePath(StringInfo out, const PathsReader *reader)
{
	appendStringInfoString(out, "{\"path\": [");
	for (int i = 0; i < reader->length; i++)
	{
		LeadString	channel = reader->channels[reader->path[i]];
		char	   *text = pnstrdup(channel.text, channel.len);

		if (i > 0)
			appendStringInfoString(out, ", ");
		escape_json(out, text);
		pfree(text);
	}
	appendStringInfoChar(out, ']');
	if (reader->conversions > 0)
		appendStringInfo(out, ", \"conversions\": " INT64_FORMAT, reader->conversions);
	if (reader->value.text != NULL)
		appendStringInfo(out, ", \"value\": %.*s", reader->value.len, reader->value.text);
	if (reader->nulls > 0)
		appendStringInfo(out, ", \"nulls\": " INT64_FORMAT, reader->nulls);
	appendStringInfoChar(out, '}');
}

Datum
align_paths_to_jsonb(PG_FUNCTION_ARGS)
{
	struct varlena *value = PG_GETARG_VARLENA_PP(0);
	PathsReader reader;
	StringInfoData out;

	initStringInfo(&out);
	align_paths_read_begin(&reader, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), false);
	while (align_paths_read_next(&reader))
	{
		appendStringInfoString(&out, reader.nread == 1 ? "[" : ", ");
		WritePath(&out, &reader);
	}
	align_paths_read_end(&reader);
	appendStringInfoChar(&out, ']');
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(out.data)));
}

/*
 * The text form made from a document.
 */
typedef struct Source
{
	StringInfoData text;
	int			nelements;
	int		   *offsets;		/* of the elements in the text */
} Source;

/* The describe function of the scanner. */
static char *
DescribeElement(void *arg, const char *at)
{
	const Source *source = (const Source *) arg;
	int			element = 0;

	while (element + 1 < source->nelements &&
		   source->offsets[element + 1] <= at - source->text.data)
		element++;
	return psprintf("element %d", element);
}

static void BadJson(const char *detail) pg_attribute_noreturn();

static void
BadJson(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid jsonb for type %s", PATHS_TYPE),
			 errdetail("%s", detail)));
}

/*
 * Append the channels of an element.
 */
static void
WriteChannels(StringInfo out, const JsonbValue *value)
{
	JsonbContainer *path;
	uint32		n;

	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data))
		BadJson("\"path\" must be an array of strings.");
	path = value->val.binary.data;
	n = JsonContainerSize(path);
	if (n == 0)
		appendStringInfoString(out, "()");
	for (uint32 i = 0; i < n; i++)
	{
		JsonbValue *channel = getIthJsonbValueFromContainer(path, i);

		if (channel->type != jbvString)
			BadJson("\"path\" must be an array of strings.");
		if (i > 0)
			appendStringInfoString(out, " > ");
		align_write_name(out, channel->val.string.val, channel->val.string.len);
	}
}

/*
 * Append a member that is a number.
 */
static void
AppendNumber(StringInfo out, const char *word, const JsonbValue *value)
{
	Datum		text;

	if (value == NULL || value->type == jbvNull)
		return;
	if (value->type != jbvNumeric)
		BadJson(psprintf("\"%s\" must be a number.", word));
	text = DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric));
	appendStringInfo(out, " %s %s", word, DatumGetCString(text));
}

/*
 * Append the text form of an element.
 */
static void
AppendElement(StringInfo out, JsonbValue *element)
{
	static const char *const known[] = {"path", "conversions", "value", "nulls"};
	JsonbValue	members[lengthof(known)];
	bool		found[lengthof(known)] = {false};
	JsonbIterator *it;
	JsonbValue	value;
	JsonbIteratorToken token;
	int			member = -1;

	if (element->type != jbvBinary || !JsonContainerIsObject(element->val.binary.data))
		BadJson("Its elements must be objects.");
	it = JsonbIteratorInit(element->val.binary.data);
	(void) JsonbIteratorNext(&it, &value, true);	/* the object itself */
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			for (member = lengthof(known) - 1; member >= 0; member--)
			{
				if (value.val.string.len == (int) strlen(known[member]) &&
					memcmp(value.val.string.val, known[member], value.val.string.len) == 0)
					break;
			}
			if (member < 0)
				BadJson(psprintf("It has an unknown member \"%.*s\".",
								 value.val.string.len, value.val.string.val));
		}
		else if (token == WJB_VALUE)
		{
			members[member] = value;
			found[member] = true;
		}
	}
	if (!found[0])
		BadJson("An element has no \"path\".");
	WriteChannels(out, &members[0]);
	for (int i = 1; i < (int) lengthof(known); i++)
		AppendNumber(out, known[i], found[i] ? &members[i] : NULL);
}

Datum
align_jsonb_to_paths(PG_FUNCTION_ARGS)
{
	Jsonb	   *json = PG_GETARG_JSONB_P(0);
	JsonbContainer *root = &json->root;
	Source		source;
	TextScan	scan;
	Paths	   *paths;
	struct varlena *result;
	JsonbIterator *it;
	JsonbValue	element;

	if (!JB_ROOT_IS_ARRAY(json) || JB_ROOT_IS_SCALAR(json))
		BadJson("It is not an array.");
	source.nelements = 0;
	source.offsets = palloc(JsonContainerSize(root) * sizeof(int) + 1);
	initStringInfo(&source.text);
	it = JsonbIteratorInit(root);
	(void) JsonbIteratorNext(&it, &element, true);	/* the array itself */
	while (JsonbIteratorNext(&it, &element, true) == WJB_ELEM)
	{
		appendStringInfoString(&source.text, source.nelements == 0 ? "{" : ", ");
		source.offsets[source.nelements++] = source.text.len;
		AppendElement(&source.text, &element);
	}
	if (source.nelements == 0)
		BadJson("It has no path.");
	appendStringInfoChar(&source.text, '}');

	/* errors are raised, with the element as their position */
	align_scan_begin(&scan, source.text.data, PATHS_TYPE, false, NULL);
	scan.describe = DescribeElement;
	scan.describe_arg = &source;
	paths = align_paths_parse_scan(&scan);
	result = align_paths_flatten(paths);
	MemoryContextDelete(paths->header.eoh_context);
	PG_RETURN_POINTER(result);
}
