/*
 * json_read.c
 *	  Cast from jsonb to funnel.
 *
 *	  {"hours": calendar, "team_hours": {team: calendar, ...},
 *	   "stages": [{"stage", "kind", "team", "needs": [need, ...], "known_as": [...]}, ...],
 *	   "entry": [...], "success_path": [...],
 *	   "paths": [{"from": [...] or "any", "to": [...]}, ...],
 *	   "move_needs": [{"from", "to", "needs": [need, ...]}, ...],
 *	   "handoffs": [{"handoff", "stage", "from_team", "to_team", "accept": [...],
 *					 "reject": [...], "reasons": [...], "due", "warn"}, ...],
 *	   "slas": [{"sla", "team", "starts": [...], "stops": [...], "pauses": [...],
 *				 "due", "warn"}, ...],
 *	   "targets": [{"team", "goal", "stage", "per"}, {"team", "goal", "of"},
 *				   {"team", "goal", "from", "to", "within"}, ...]}
 *
 * with need one of {"column": name}, {"condition": text}, {"reason": [...]}.
 * Absent and null members are the same.
 *
 * The object is turned into a document, in which every name is quoted, and
 * parsed, so that no rule is checked twice.  Marks remember which member each
 * part of the document came from; a complaint then names the member instead of
 * a position in a text that nobody wrote.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "funnel/draft.h"

PG_FUNCTION_INFO_V1(align_jsonb_to_funnel);

/* From this offset of the document on, it stems from that member. */
typedef struct Mark
{
	int			offset;
	char	   *path;
} Mark;

typedef struct JsonDocument
{
	StringInfoData text;
	Mark	   *marks;
	int			nmarks;
	int			room;
} JsonDocument;

/* A JSON value and how one gets to it: "stages[0].kind". */
typedef struct JsonNode
{
	JsonbValue *value;			/* NULL if absent or null */
	char	   *path;
} JsonNode;

static void BadMember(const JsonNode *node, const char *problem) pg_attribute_noreturn();

static void
BadMember(const JsonNode *node, const char *problem)
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

static bool
IsString(const JsonNode *node, const char *text)
{
	return node->value != NULL && node->value->type == jbvString &&
		(text == NULL ||
		 ((size_t) node->value->val.string.len == strlen(text) &&
		  memcmp(node->value->val.string.val, text, node->value->val.string.len) == 0));
}

/*
 * An object that has none but these members (NULL-terminated; NULL: any).
 */
static void
CheckObject(const JsonNode *node, const char *const *members)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key;

	if (!IsObject(node))
		BadMember(node, "must be an object");
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
			BadMember(&unknown, "is unknown");
		}
	}
}

static JsonNode
Member(const JsonNode *object, const char *key)
{
	JsonNode	result;

	result.value = getKeyJsonValueFromContainer(object->value->val.binary.data,
												key, strlen(key), NULL);
	if (result.value != NULL && result.value->type == jbvNull)
		result.value = NULL;
	result.path = psprintf("%s%s%s", object->path, object->path[0] ? "." : "", key);
	return result;
}

/* Elements of an array; none if it is absent. */
static int
CountElements(const JsonNode *array)
{
	if (array->value == NULL)
		return 0;
	if (!IsArray(array))
		BadMember(array, "must be an array");
	return JsonContainerSize(array->value->val.binary.data);
}

static JsonNode
Element(const JsonNode *array, int i)
{
	JsonNode	result;

	result.value = getIthJsonbValueFromContainer(array->value->val.binary.data, i);
	if (result.value != NULL && result.value->type == jbvNull)
		result.value = NULL;
	result.path = psprintf("%s[%d]", array->path, i);
	return result;
}

/* What is written next stems from this member. */
static void
AddMark(JsonDocument *document, const JsonNode *node)
{
	if (document->nmarks == document->room)
	{
		document->room *= 2;
		document->marks = (Mark *) repalloc(document->marks, sizeof(Mark) * document->room);
	}
	document->marks[document->nmarks].offset = document->text.len;
	document->marks[document->nmarks++].path = node->path;
}

/* The describe function of the scanner. */
static char *
DescribeMark(void *arg, const char *at)
{
	JsonDocument *document = (JsonDocument *) arg;
	int			offset = at - document->text.data;
	int			low = 0;
	int			high = document->nmarks;

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

static void
Write(JsonDocument *document, const char *text)
{
	appendStringInfoString(&document->text, text);
}

static void
WriteQuoted(JsonDocument *document, const JsonNode *node, char quote)
{
	if (!IsString(node, NULL))
		BadMember(node, node->value == NULL ? "is missing" : "must be a string");
	AddMark(document, node);
	align_write_quoted(&document->text, quote, node->value->val.string.val,
					   node->value->val.string.len);
}

static void
WriteName(JsonDocument *document, const JsonNode *node)
{
	WriteQuoted(document, node, '"');
}

static void
WriteNameMember(JsonDocument *document, const JsonNode *object, const char *key)
{
	JsonNode	member = Member(object, key);

	WriteName(document, &member);
}

/* The names of an array, between separators; at least one. */
static void
WriteNames(JsonDocument *document, const JsonNode *array, const char *separator)
{
	int			n = CountElements(array);

	if (n == 0)
		BadMember(array, array->value == NULL ? "is missing" : "must not be empty");
	for (int i = 0; i < n; i++)
	{
		JsonNode	element = Element(array, i);

		if (i > 0)
			Write(document, separator);
		WriteName(document, &element);
	}
}

static void
WriteNamesMember(JsonDocument *document, const JsonNode *object, const char *key)
{
	JsonNode	member = Member(object, key);

	WriteNames(document, &member, ", ");
}

static void
WriteReasons(JsonDocument *document, const JsonNode *reasons)
{
	Write(document, "reason");
	if (CountElements(reasons) == 0)
		return;
	Write(document, " (");
	WriteNames(document, reasons, ", ");
	Write(document, ")");
}

static void
WriteNeeds(JsonDocument *document, const JsonNode *needs)
{
	static const char *const members[] = {"column", "condition", "reason", NULL};
	int			n = CountElements(needs);

	Write(document, " needs ");
	for (int i = 0; i < n; i++)
	{
		JsonNode	need = Element(needs, i);
		JsonNode	column;
		JsonNode	condition;
		JsonNode	reason;

		CheckObject(&need, members);
		column = Member(&need, "column");
		condition = Member(&need, "condition");
		reason = Member(&need, "reason");
		if ((column.value != NULL) + (condition.value != NULL) + (reason.value != NULL) != 1)
			BadMember(&need, "must have one of \"column\", \"condition\" and \"reason\"");
		if (i > 0)
			Write(document, ", ");
		AddMark(document, &need);
		if (column.value != NULL)
			WriteName(document, &column);
		else if (condition.value != NULL)
			WriteQuoted(document, &condition, '\'');
		else
			WriteReasons(document, &reason);
	}
	Write(document, ";\n");
}

/*
 * A time is checked by itself first: nothing but a time may get into the document.
 */
static void
WriteTime(JsonDocument *document, const JsonNode *node, const char *prefix)
{
	TextScan	scan;
	DraftPromise promise;
	char	   *text;
	JsonDocument own;
	Mark		mark = {0, node->path};
	bool		is_due = strcmp(prefix, "within") == 0;

	if (!IsString(node, NULL))
		BadMember(node, "must be a string");
	text = pnstrdup(node->value->val.string.val, node->value->val.string.len);
	if (is_due && pg_strncasecmp(text, "end", 3) == 0)
		prefix = "by";
	text = psprintf("%s %s", prefix, text);

	memset(&promise, 0, sizeof(promise));
	memset(&own, 0, sizeof(own));
	own.text.data = text;
	own.marks = &mark;
	own.nmarks = 1;
	align_scan_begin(&scan, text, "funnel", false, NULL);
	scan.describe = DescribeMark;
	scan.describe_arg = &own;
	if (is_due)
		(void) align_funnel_scan_due(&scan, &promise);
	else
		(void) align_funnel_scan_warn(&scan, &promise);
	if (!align_scan_at_end(&scan))
		(void) align_scan_expected(&scan, "the end of the time", NULL);
	AddMark(document, node);
	Write(document, text);
}

static void
WriteDueAndWarn(JsonDocument *document, const JsonNode *object, const char *separator)
{
	JsonNode	due = Member(object, "due");
	JsonNode	warn = Member(object, "warn");

	if (due.value != NULL)
	{
		Write(document, separator);
		WriteTime(document, &due, "within");
	}
	if (warn.value != NULL)
	{
		Write(document, ", ");
		WriteTime(document, &warn, "warn after");
	}
}

static void
ReadHours(JsonDocument *document, const JsonNode *root)
{
	JsonNode	hours = Member(root, "hours");
	JsonNode	teams = Member(root, "team_hours");
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key;

	if (hours.value != NULL)
	{
		Write(document, "hours ");
		WriteQuoted(document, &hours, '\'');
		Write(document, ";\n");
	}
	if (teams.value == NULL)
		return;
	CheckObject(&teams, NULL);
	iterator = JsonbIteratorInit(teams.value->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		JsonNode	team;

		if (token != WJB_KEY)
			continue;
		team = Member(&teams, pnstrdup(key.val.string.val, key.val.string.len));
		Write(document, "hours of ");
		AddMark(document, &team);
		align_write_quoted(&document->text, '"', key.val.string.val, key.val.string.len);
		Write(document, " ");
		WriteQuoted(document, &team, '\'');
		Write(document, ";\n");
	}
}

/* stage|won|lost name [held by team]; name needs ...; name known as ...; */
static void
ReadStage(JsonDocument *document, const JsonNode *stage)
{
	static const char *const members[] = {"stage", "kind", "team", "needs", "known_as", NULL};
	JsonNode	kind;
	JsonNode	team;
	JsonNode	needs;
	JsonNode	labels;

	CheckObject(stage, members);
	kind = Member(stage, "kind");
	team = Member(stage, "team");
	needs = Member(stage, "needs");
	labels = Member(stage, "known_as");
	if (kind.value == NULL || IsString(&kind, "open"))
		Write(document, "stage ");
	else if (IsString(&kind, "won"))
		Write(document, "won ");
	else if (IsString(&kind, "lost"))
		Write(document, "lost ");
	else
		BadMember(&kind, "must be \"open\", \"won\" or \"lost\"");
	WriteNameMember(document, stage, "stage");
	if (team.value != NULL)
	{
		Write(document, " held by ");
		WriteName(document, &team);
	}
	Write(document, ";\n");
	if (CountElements(&needs) > 0)
	{
		WriteNameMember(document, stage, "stage");
		WriteNeeds(document, &needs);
	}
	if (CountElements(&labels) > 0)
	{
		WriteNameMember(document, stage, "stage");
		Write(document, " known as ");
		for (int i = 0; i < CountElements(&labels); i++)
		{
			JsonNode	label = Element(&labels, i);

			if (i > 0)
				Write(document, ", ");
			WriteQuoted(document, &label, '\'');
		}
		Write(document, ";\n");
	}
}

static void
ReadPath(JsonDocument *document, const JsonNode *path)
{
	static const char *const members[] = {"from", "to", NULL};
	JsonNode	from;

	CheckObject(path, members);
	from = Member(path, "from");
	Write(document, "path ");
	if (IsString(&from, "any"))
	{
		AddMark(document, &from);
		Write(document, "any");
	}
	else
		WriteNames(document, &from, ", ");
	Write(document, " -> ");
	WriteNamesMember(document, path, "to");
	Write(document, ";\n");
}

static void
ReadMoveNeeds(JsonDocument *document, const JsonNode *move)
{
	static const char *const members[] = {"from", "to", "needs", NULL};
	JsonNode	needs;

	CheckObject(move, members);
	needs = Member(move, "needs");
	WriteNameMember(document, move, "from");
	Write(document, " -> ");
	WriteNameMember(document, move, "to");
	if (CountElements(&needs) == 0)
		BadMember(&needs, needs.value == NULL ? "is missing" : "must not be empty");
	WriteNeeds(document, &needs);
}

static void
ReadHandoff(JsonDocument *document, const JsonNode *handoff)
{
	static const char *const members[] = {
		"handoff", "stage", "from_team", "to_team", "accept", "reject", "reasons", "due", "warn", NULL
	};
	JsonNode	reject;
	JsonNode	reasons;

	CheckObject(handoff, members);
	reject = Member(handoff, "reject");
	reasons = Member(handoff, "reasons");
	Write(document, "handoff ");
	WriteNameMember(document, handoff, "handoff");
	Write(document, ": ");
	WriteNameMember(document, handoff, "stage");
	Write(document, " from ");
	WriteNameMember(document, handoff, "from_team");
	Write(document, " to ");
	WriteNameMember(document, handoff, "to_team");
	Write(document, ", accept ");
	WriteNamesMember(document, handoff, "accept");
	if (CountElements(&reject) > 0)
	{
		Write(document, ", reject ");
		WriteNames(document, &reject, ", ");
		Write(document, " with ");
		WriteReasons(document, &reasons);
	}
	else if (CountElements(&reasons) > 0)
		BadMember(&reasons, "must be empty where no stage rejects");
	WriteDueAndWarn(document, handoff, ", ");
	Write(document, ";\n");
}

static void
ReadSla(JsonDocument *document, const JsonNode *sla)
{
	static const char *const members[] = {
		"sla", "team", "starts", "stops", "pauses", "due", "warn", NULL
	};
	JsonNode	due;
	JsonNode	pauses;

	CheckObject(sla, members);
	due = Member(sla, "due");
	pauses = Member(sla, "pauses");
	if (due.value == NULL)
		BadMember(&due, "is missing");
	Write(document, "sla ");
	WriteNameMember(document, sla, "sla");
	Write(document, " by ");
	WriteNameMember(document, sla, "team");
	Write(document, ": from ");
	WriteNamesMember(document, sla, "starts");
	Write(document, " to ");
	WriteNamesMember(document, sla, "stops");
	WriteDueAndWarn(document, sla, " ");
	if (CountElements(&pauses) > 0)
	{
		Write(document, ", pause ");
		WriteNames(document, &pauses, ", ");
	}
	Write(document, ";\n");
}

static void
WriteGoal(JsonDocument *document, const JsonNode *target)
{
	JsonNode	goal = Member(target, "goal");

	if (goal.value == NULL || goal.value->type != jbvNumeric)
		BadMember(&goal, goal.value == NULL ? "is missing" : "must be a number");
	AddMark(document, &goal);
	Write(document, DatumGetCString(DirectFunctionCall1(numeric_out,
														NumericGetDatum(goal.value->val.numeric))));
}

static void
WritePeriod(JsonDocument *document, const JsonNode *target)
{
	static const char *const periods[] = {"day", "week", "month", "quarter", "year"};
	JsonNode	per = Member(target, "per");

	for (int i = 0; i < (int) lengthof(periods); i++)
	{
		if (IsString(&per, periods[i]))
		{
			Write(document, periods[i]);
			return;
		}
	}
	BadMember(&per, "must be \"day\", \"week\", \"month\", \"quarter\" or \"year\"");
}

static void
ReadTarget(JsonDocument *document, const JsonNode *target)
{
	static const char *const count_members[] = {"team", "goal", "stage", "per", NULL};
	static const char *const level_members[] = {"team", "goal", "of", NULL};
	static const char *const conversion_members[] = {"team", "goal", "from", "to", "within", NULL};

	CheckObject(target, NULL);
	Write(document, "target ");
	WriteNameMember(document, target, "team");
	Write(document, ": ");
	WriteGoal(document, target);
	if (Member(target, "stage").value != NULL)
	{
		CheckObject(target, count_members);
		Write(document, " ");
		WriteNameMember(document, target, "stage");
		Write(document, " per ");
		WritePeriod(document, target);
	}
	else if (Member(target, "of").value != NULL)
	{
		CheckObject(target, level_members);
		Write(document, "% of ");
		WriteNameMember(document, target, "of");
	}
	else if (Member(target, "from").value != NULL)
	{
		JsonNode	within = Member(target, "within");

		CheckObject(target, conversion_members);
		Write(document, "% from ");
		WriteNameMember(document, target, "from");
		Write(document, " to ");
		WriteNameMember(document, target, "to");
		if (within.value != NULL)
		{
			Write(document, " ");
			WriteTime(document, &within, "within");
		}
	}
	else
		BadMember(target, "must have one of \"stage\", \"of\" and \"from\"");
	Write(document, ";\n");
}

/*
 * Each element of an array of the root, if it is there.
 */
static void
ReadEach(JsonDocument *document, const JsonNode *root, const char *key,
		 void (*read) (JsonDocument *, const JsonNode *))
{
	JsonNode	array = Member(root, key);
	int			n = CountElements(&array);

	for (int i = 0; i < n; i++)
	{
		JsonNode	element = Element(&array, i);

		AddMark(document, &element);
		read(document, &element);
	}
}

static void
ReadRoot(JsonDocument *document, const JsonNode *root)
{
	static const char *const members[] = {
		"hours", "team_hours", "stages", "entry", "success_path", "paths", "move_needs",
		"handoffs", "slas", "targets", NULL
	};
	JsonNode	entry;
	JsonNode	success;

	CheckObject(root, members);
	ReadHours(document, root);
	ReadEach(document, root, "stages", ReadStage);
	entry = Member(root, "entry");
	if (entry.value != NULL)
	{
		Write(document, "entry ");
		WriteNames(document, &entry, ", ");
		Write(document, ";\n");
	}
	success = Member(root, "success_path");
	Write(document, "success path ");
	WriteNames(document, &success, " -> ");
	Write(document, ";\n");
	ReadEach(document, root, "paths", ReadPath);
	ReadEach(document, root, "move_needs", ReadMoveNeeds);
	ReadEach(document, root, "handoffs", ReadHandoff);
	ReadEach(document, root, "slas", ReadSla);
	ReadEach(document, root, "targets", ReadTarget);
}

Datum
align_jsonb_to_funnel(PG_FUNCTION_ARGS)
{
	Jsonb	   *jsonb = PG_GETARG_JSONB_P(0);
	JsonbValue	value;
	JsonNode	root = {&value, ""};
	JsonDocument document;
	TextScan	scan;

	value.type = jbvBinary;
	value.val.binary.data = &jsonb->root;
	value.val.binary.len = VARSIZE(jsonb) - VARHDRSZ;

	initStringInfo(&document.text);
	document.nmarks = 0;
	document.room = 64;
	document.marks = (Mark *) palloc(sizeof(Mark) * document.room);
	ReadRoot(&document, &root);

	align_scan_begin(&scan, document.text.data, "funnel", false, NULL);
	scan.describe = DescribeMark;
	scan.describe_arg = &document;
	PG_RETURN_POINTER(align_funnel_value_scan(&scan));
}
