/*
 * json_document.c
 *	  Writing a document from a JSON object.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "funnel/json_document.h"

/*
 * Raises for a value; "problem" completes the sentence.
 */
void
align_json_fail(const JsonNode *node, const char *problem)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 node->path[0] == '\0' ?
			 errmsg("invalid jsonb for type funnel: the value %s", problem) :
			 errmsg("invalid jsonb for type funnel: member \"%s\" %s", node->path, problem)));
}

static bool
IsObject(const JsonNode *node)
{
	return node->value != NULL && node->value->type == jbvBinary &&
		JsonContainerIsObject(node->value->val.binary.data);
}

static bool
IsArray(const JsonNode *node)
{
	return node->value != NULL && node->value->type == jbvBinary &&
		JsonContainerIsArray(node->value->val.binary.data) &&
		!JsonContainerIsScalar(node->value->val.binary.data);
}

/*
 * True if the value is a string and, if text is not NULL, this one.
 */
bool
align_json_is_string(const JsonNode *node, const char *text)
{
	return node->value != NULL && node->value->type == jbvString &&
		(text == NULL ||
		 ((size_t) node->value->val.string.len == strlen(text) &&
		  memcmp(node->value->val.string.val, text, node->value->val.string.len) == 0));
}

/*
 * Raises unless the value is an object with no other members than these.
 */
void
align_json_check_object(const JsonNode *node, const char *const *members)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key;

	if (!IsObject(node))
		align_json_fail(node, "must be an object");
	if (members == NULL)
		return;
	iterator = JsonbIteratorInit(node->value->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		const char *const *member = members;

		if (token != WJB_KEY)
			continue;
		while (*member != NULL &&
			   (strlen(*member) != (size_t) key.val.string.len ||
				memcmp(*member, key.val.string.val, key.val.string.len) != 0))
			member++;
		if (*member == NULL)
		{
			JsonNode	unknown = {NULL, NULL};

			unknown.path = psprintf("%s%s%.*s", node->path, node->path[0] ? "." : "",
									key.val.string.len, key.val.string.val);
			align_json_fail(&unknown, "is unknown");
		}
	}
}

/*
 * A member of an object.
 */
JsonNode
align_json_member(const JsonNode *object, const char *key)
{
	JsonNode	result;

	result.value = getKeyJsonValueFromContainer(object->value->val.binary.data,
												key, strlen(key), NULL);
	if (result.value != NULL && result.value->type == jbvNull)
		result.value = NULL;
	result.path = psprintf("%s%s%s", object->path, object->path[0] ? "." : "", key);
	return result;
}

/*
 * Number of elements of an array, 0 if it is absent.
 */
int
align_json_count(const JsonNode *array)
{
	if (array->value == NULL)
		return 0;
	if (!IsArray(array))
		align_json_fail(array, "must be an array");
	return JsonContainerSize(array->value->val.binary.data);
}

/*
 * An element of an array.
 */
JsonNode
align_json_element(const JsonNode *array, int i)
{
	JsonNode	result;

	result.value = getIthJsonbValueFromContainer(array->value->val.binary.data, i);
	if (result.value != NULL && result.value->type == jbvNull)
		result.value = NULL;
	result.path = psprintf("%s[%d]", array->path, i);
	return result;
}

/*
 * Records that the text written next comes from this member.
 */
void
align_json_mark(JsonDocument *document, const JsonNode *node)
{
	if (document->nmarks == document->max_marks)
	{
		document->max_marks *= 2;
		document->marks = (Mark *) repalloc(document->marks, sizeof(Mark) * document->max_marks);
	}
	document->marks[document->nmarks].offset = document->text.len;
	document->marks[document->nmarks++].path = node->path;
}

/*
 * TextScan.describe: the member that a position comes from.
 */
char *
align_json_describe(void *arg, const char *at)
{
	JsonDocument *document = (JsonDocument *) arg;
	int			offset = at - document->text.data;
	int			low = 0;
	int			high = document->nmarks;

	/* the last mark at or before the position */
	while (high - low > 1)
	{
		int			middle = (low + high) / 2;

		if (document->marks[middle].offset <= offset)
			low = middle;
		else
			high = middle;
	}
	if (document->nmarks == 0 || document->marks[low].path[0] == '\0')
		return pstrdup("the top of the object");
	return psprintf("member \"%s\"", document->marks[low].path);
}

/*
 * Appends text.
 */
void
align_json_put(JsonDocument *document, const char *text)
{
	appendStringInfoString(&document->text, text);
}

/*
 * Appends a string in quotes; raises if the value is no string.
 */
void
align_json_put_quoted(JsonDocument *document, const JsonNode *node, char quote)
{
	if (!align_json_is_string(node, NULL))
		align_json_fail(node, node->value == NULL ? "is missing" : "must be a string");
	align_json_mark(document, node);
	align_write_quoted(&document->text, quote, node->value->val.string.val,
					   node->value->val.string.len);
}

/*
 * Appends a name, in double quotes so that it is never taken for a keyword.
 */
void
align_json_put_name(JsonDocument *document, const JsonNode *node)
{
	align_json_put_quoted(document, node, '"');
}

void
align_json_put_name_member(JsonDocument *document, const JsonNode *object, const char *key)
{
	JsonNode	member = align_json_member(object, key);

	align_json_put_name(document, &member);
}

/*
 * Appends the names of an array, which must not be empty.
 */
void
align_json_put_names(JsonDocument *document, const JsonNode *array, const char *separator)
{
	int			n = align_json_count(array);

	if (n == 0)
		align_json_fail(array, array->value == NULL ? "is missing" : "must not be empty");
	for (int i = 0; i < n; i++)
	{
		JsonNode	element = align_json_element(array, i);

		if (i > 0)
			align_json_put(document, separator);
		align_json_put_name(document, &element);
	}
}

void
align_json_put_names_member(JsonDocument *document, const JsonNode *object, const char *key)
{
	JsonNode	member = align_json_member(object, key);

	align_json_put_names(document, &member, ", ");
}

/*
 * Appends a number; raises if the value is none.
 */
void
align_json_put_number_member(JsonDocument *document, const JsonNode *object, const char *key)
{
	JsonNode	number = align_json_member(object, key);
	Datum		text;

	if (number.value == NULL || number.value->type != jbvNumeric)
		align_json_fail(&number, number.value == NULL ? "is missing" : "must be a number");
	align_json_mark(document, &number);
	text = DirectFunctionCall1(numeric_out, NumericGetDatum(number.value->val.numeric));
	align_json_put(document, DatumGetCString(text));
}

/*
 * True if a warning counts back from the due instant: "1 hour before".
 */
static bool
EndsWithBefore(const char *text)
{
	static const char word[] = "before";
	int			len = strlen(text);
	int			word_len = sizeof(word) - 1;

	return len >= word_len && pg_strncasecmp(text + len - word_len, word, word_len) == 0;
}

/*
 * Appends a due or warning time.  Unlike names it is not quoted, so it is
 * parsed by itself first: it must not contain anything but a time.
 */
void
align_json_put_time(JsonDocument *document, const JsonNode *node, const char *prefix)
{
	TextScan	scan;
	DraftPromise promise;
	char	   *text;
	JsonDocument time_document; /* for error messages */
	Mark		mark = {0, node->path};
	bool		is_due = strcmp(prefix, "within") == 0;

	if (!align_json_is_string(node, NULL))
		align_json_fail(node, "must be a string");
	text = pnstrdup(node->value->val.string.val, node->value->val.string.len);
	if (is_due && pg_strncasecmp(text, "end", 3) == 0)
		prefix = "by";
	else if (!is_due && EndsWithBefore(text))
		prefix = "warn";
	text = psprintf("%s %s", prefix, text);

	memset(&promise, 0, sizeof(promise));
	memset(&time_document, 0, sizeof(time_document));
	time_document.text.data = text;
	time_document.marks = &mark;
	time_document.nmarks = 1;
	align_scan_begin(&scan, text, "funnel", false, NULL);
	scan.describe = align_json_describe;
	scan.describe_arg = &time_document;
	if (is_due)
		(void) align_funnel_scan_due(&scan, &promise.promise);
	else
		(void) align_funnel_scan_warn(&scan, &promise);
	if (!align_scan_at_end(&scan))
		(void) align_scan_expected(&scan, "the end of the time", NULL);
	align_json_mark(document, node);
	align_json_put(document, text);
}
