/*
 * json_read.c
 *	  Cast from jsonb to funnel.
 *
 *	  {"hours": calendar, "team_hours": {team: calendar, ...},
 *	   "stages": [{"stage", "kind", "team", "needs": [need, ...],
 *				   "known_as": [...]}, ...],
 *	   "entry": [...], "success_path": [...],
 *	   "paths": [{"from": [...] or "any", "to": [...]}, ...],
 *	   "move_needs": [{"from", "to", "needs": [need, ...]}, ...],
 *	   "handoffs": [{"handoff", "stage", "from_team", "to_team",
 *					 "accept": [...], "reject": [...], "reasons": [...],
 *					 "due_when": [{"segment", "due"}, ...], "due", "warn"},
 *					...],
 *	   "slas": [{"sla", "team", "starts": [...], "stops": [...],
 *				 "pauses": [...], "due_when": [{"segment", "due"}, ...],
 *				 "due", "warn"}, ...],
 *	   "targets": [{"team", "goal", "stage", "per"},
 *				   {"team", "goal", "amount_of", "per"},
 *				   {"team", "goal", "of", "per"},
 *				   {"team", "goal", "from", "to", "within", "per"}, ...],
 *	   "mixes": [{"stage", "shares": [{"segment", "share"}, ...], "other"},
 *				 ...],
 *	   "fiscal_year_begins": month,
 *	   "channels": [{"channel", "source", "medium", "name"}, ...],
 *	   "segments": [{"segment", "condition"}, ...]}
 *
 * where a need is one of {"column": name}, {"condition": text} and
 * {"reason": [...]}, and a joint target has "teams": [...] instead of "team".
 * A null member is treated like an absent one.
 *
 * The object is converted to a document, in which every name is quoted, and
 * the document is parsed.  So all rules are checked in one place.  Marks
 * record which member each part of the document comes from, so that an error
 * is reported for that member instead of a position in a text that the user
 * has not written.
 *
 * The Write functions append to the document; the Read functions convert one
 * part of the object, usually to one statement.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "funnel/json_document.h"

PG_FUNCTION_INFO_V1(align_jsonb_to_funnel);

/*
 * reason [(names)]
 */
static void
WriteReasons(JsonDocument *document, const JsonNode *reasons)
{
	align_json_put(document, "reason");
	if (align_json_count(reasons) == 0)
		return;
	align_json_put(document, " (");
	align_json_put_names(document, reasons, ", ");
	align_json_put(document, ")");
}

/*
 * needs need {, need}
 */
static void
WriteNeeds(JsonDocument *document, const JsonNode *needs)
{
	static const char *const members[] = {"column", "condition", "reason", NULL};
	int			n = align_json_count(needs);

	align_json_put(document, " needs ");
	for (int i = 0; i < n; i++)
	{
		JsonNode	need = align_json_element(needs, i);
		JsonNode	column;
		JsonNode	condition;
		JsonNode	reason;

		align_json_check_object(&need, members);
		column = align_json_member(&need, "column");
		condition = align_json_member(&need, "condition");
		reason = align_json_member(&need, "reason");
		if ((column.value != NULL) + (condition.value != NULL) + (reason.value != NULL) != 1)
			align_json_fail(&need, "must have one of \"column\", \"condition\" and \"reason\"");
		if (i > 0)
			align_json_put(document, ", ");
		align_json_mark(document, &need);
		if (column.value != NULL)
			align_json_put_name(document, &column);
		else if (condition.value != NULL)
			align_json_put_quoted(document, &condition, '\'');
		else
			WriteReasons(document, &reason);
	}
	align_json_put(document, ";\n");
}

/*
 * The due and warning times of a service level, if present.
 */
static void
WriteDueAndWarn(JsonDocument *document, const JsonNode *object, const char *separator)
{
	JsonNode	due = align_json_member(object, "due");
	JsonNode	warn = align_json_member(object, "warn");
	JsonNode	due_when = align_json_member(object, "due_when");

	for (int i = 0; i < align_json_count(&due_when); i++)
	{
		static const char *const members[] = {"segment", "due", NULL};
		JsonNode	to_segment = align_json_element(&due_when, i);
		JsonNode	segment_due;

		align_json_check_object(&to_segment, members);
		segment_due = align_json_member(&to_segment, "due");
		if (segment_due.value == NULL)
			align_json_fail(&segment_due, "is missing");
		align_json_put(document, separator);
		align_json_put_time(document, &segment_due, "within");
		align_json_put(document, " when ");
		align_json_put_name_member(document, &to_segment, "segment");
		separator = ", ";
	}
	if (due.value == NULL && align_json_count(&due_when) > 0)
		align_json_fail(&due, "is missing");
	if (due.value != NULL)
	{
		align_json_put(document, separator);
		align_json_put_time(document, &due, "within");
	}
	if (warn.value != NULL)
	{
		align_json_put(document, ", ");
		align_json_put_time(document, &warn, "warn after");
	}
}

/*
 * hours calendar; hours of team calendar; ...
 */
static void
ReadHours(JsonDocument *document, const JsonNode *root)
{
	JsonNode	hours = align_json_member(root, "hours");
	JsonNode	teams = align_json_member(root, "team_hours");
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key;

	if (hours.value != NULL)
	{
		align_json_put(document, "hours ");
		align_json_put_quoted(document, &hours, '\'');
		align_json_put(document, ";\n");
	}
	if (teams.value == NULL)
		return;
	align_json_check_object(&teams, NULL);
	iterator = JsonbIteratorInit(teams.value->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		JsonNode	team;

		if (token != WJB_KEY)
			continue;
		team = align_json_member(&teams, pnstrdup(key.val.string.val, key.val.string.len));
		align_json_put(document, "hours of ");
		align_json_mark(document, &team);
		align_write_quoted(&document->text, '"', key.val.string.val, key.val.string.len);
		align_json_put(document, " ");
		align_json_put_quoted(document, &team, '\'');
		align_json_put(document, ";\n");
	}
}

/*
 * stage|won|lost name [held by team]; name needs ...; name known as ...;
 */
static void
ReadStage(JsonDocument *document, const JsonNode *stage)
{
	static const char *const members[] = {"stage", "kind", "team", "needs", "known_as", NULL};
	JsonNode	kind;
	JsonNode	team;
	JsonNode	needs;
	JsonNode	labels;

	align_json_check_object(stage, members);
	kind = align_json_member(stage, "kind");
	team = align_json_member(stage, "team");
	needs = align_json_member(stage, "needs");
	labels = align_json_member(stage, "known_as");
	if (kind.value == NULL || align_json_is_string(&kind, "open"))
		align_json_put(document, "stage ");
	else if (align_json_is_string(&kind, "won"))
		align_json_put(document, "won ");
	else if (align_json_is_string(&kind, "lost"))
		align_json_put(document, "lost ");
	else
		align_json_fail(&kind, "must be \"open\", \"won\" or \"lost\"");
	align_json_put_name_member(document, stage, "stage");
	if (team.value != NULL)
	{
		align_json_put(document, " held by ");
		align_json_put_name(document, &team);
	}
	align_json_put(document, ";\n");

	/* needs and labels are statements of their own */
	if (align_json_count(&needs) > 0)
	{
		align_json_put_name_member(document, stage, "stage");
		WriteNeeds(document, &needs);
	}
	if (align_json_count(&labels) > 0)
	{
		align_json_put_name_member(document, stage, "stage");
		align_json_put(document, " known as ");
		for (int i = 0; i < align_json_count(&labels); i++)
		{
			JsonNode	label = align_json_element(&labels, i);

			if (i > 0)
				align_json_put(document, ", ");
			align_json_put_quoted(document, &label, '\'');
		}
		align_json_put(document, ";\n");
	}
}

/*
 * path any|names -> names;
 */
static void
ReadPath(JsonDocument *document, const JsonNode *path)
{
	static const char *const members[] = {"from", "to", NULL};
	JsonNode	from;

	align_json_check_object(path, members);
	from = align_json_member(path, "from");
	align_json_put(document, "path ");
	if (align_json_is_string(&from, "any"))
	{
		align_json_mark(document, &from);
		align_json_put(document, "any");
	}
	else
		align_json_put_names(document, &from, ", ");
	align_json_put(document, " -> ");
	align_json_put_names_member(document, path, "to");
	align_json_put(document, ";\n");
}

/*
 * from -> to needs ...;
 */
static void
ReadMoveNeeds(JsonDocument *document, const JsonNode *move)
{
	static const char *const members[] = {"from", "to", "needs", NULL};
	JsonNode	needs;

	align_json_check_object(move, members);
	needs = align_json_member(move, "needs");
	align_json_put_name_member(document, move, "from");
	align_json_put(document, " -> ");
	align_json_put_name_member(document, move, "to");
	if (align_json_count(&needs) == 0)
		align_json_fail(&needs, needs.value == NULL ? "is missing" : "must not be empty");
	WriteNeeds(document, &needs);
}

/*
 * handoff name: stage from team to team, ...;
 */
static void
ReadHandoff(JsonDocument *document, const JsonNode *handoff)
{
	static const char *const members[] = {
		"handoff", "stage", "from_team", "to_team", "accept", "reject", "reasons", "due_when",
		"due", "warn", NULL
	};
	JsonNode	reject;
	JsonNode	reasons;

	align_json_check_object(handoff, members);
	reject = align_json_member(handoff, "reject");
	reasons = align_json_member(handoff, "reasons");
	align_json_put(document, "handoff ");
	align_json_put_name_member(document, handoff, "handoff");
	align_json_put(document, ": ");
	align_json_put_name_member(document, handoff, "stage");
	align_json_put(document, " from ");
	align_json_put_name_member(document, handoff, "from_team");
	align_json_put(document, " to ");
	align_json_put_name_member(document, handoff, "to_team");
	align_json_put(document, ", accept ");
	align_json_put_names_member(document, handoff, "accept");
	if (align_json_count(&reject) > 0)
	{
		align_json_put(document, ", reject ");
		align_json_put_names(document, &reject, ", ");
		align_json_put(document, " with ");
		WriteReasons(document, &reasons);
	}
	else if (align_json_count(&reasons) > 0)
		align_json_fail(&reasons, "must be empty where no stage rejects");
	WriteDueAndWarn(document, handoff, ", ");
	align_json_put(document, ";\n");
}

/*
 * sla name by team: from names to names ...;
 */
static void
ReadSla(JsonDocument *document, const JsonNode *sla)
{
	static const char *const members[] = {
		"sla", "team", "starts", "stops", "pauses", "due_when", "due", "warn", NULL
	};
	JsonNode	due;
	JsonNode	pauses;

	align_json_check_object(sla, members);
	due = align_json_member(sla, "due");
	pauses = align_json_member(sla, "pauses");
	if (due.value == NULL)
		align_json_fail(&due, "is missing");
	align_json_put(document, "sla ");
	align_json_put_name_member(document, sla, "sla");
	align_json_put(document, " by ");
	align_json_put_name_member(document, sla, "team");
	align_json_put(document, ": from ");
	align_json_put_names_member(document, sla, "starts");
	align_json_put(document, " to ");
	align_json_put_names_member(document, sla, "stops");
	WriteDueAndWarn(document, sla, " ");
	if (align_json_count(&pauses) > 0)
	{
		align_json_put(document, ", pause ");
		align_json_put_names(document, &pauses, ", ");
	}
	align_json_put(document, ";\n");
}

/*
 * Calls "read" for each element of an array of the root, if that is present.
 */
static void
ReadEach(JsonDocument *document, const JsonNode *root, const char *key,
		 void (*read) (JsonDocument *, const JsonNode *))
{
	JsonNode	array = align_json_member(root, key);
	int			n = align_json_count(&array);

	for (int i = 0; i < n; i++)
	{
		JsonNode	element = align_json_element(&array, i);

		align_json_mark(document, &element);
		read(document, &element);
	}
}

/*
 * The whole document.
 */
static void
ReadRoot(JsonDocument *document, const JsonNode *root)
{
	static const char *const members[] = {
		"hours", "team_hours", "stages", "entry", "success_path", "paths", "move_needs",
		"handoffs", "slas", "targets", "mixes", "fiscal_year_begins", "channels", "segments", NULL
	};
	JsonNode	entry;
	JsonNode	success;

	align_json_check_object(root, members);
	ReadHours(document, root);
	ReadEach(document, root, "stages", ReadStage);
	entry = align_json_member(root, "entry");
	if (entry.value != NULL)
	{
		align_json_put(document, "entry ");
		align_json_put_names(document, &entry, ", ");
		align_json_put(document, ";\n");
	}
	success = align_json_member(root, "success_path");
	align_json_put(document, "success path ");
	align_json_put_names(document, &success, " -> ");
	align_json_put(document, ";\n");
	ReadEach(document, root, "paths", ReadPath);
	ReadEach(document, root, "move_needs", ReadMoveNeeds);
	ReadEach(document, root, "segments", align_json_read_segment);
	ReadEach(document, root, "handoffs", ReadHandoff);
	ReadEach(document, root, "slas", ReadSla);
	align_json_read_fiscal_year(document, root);
	ReadEach(document, root, "targets", align_json_read_target);
	ReadEach(document, root, "mixes", align_json_read_mix);
	ReadEach(document, root, "channels", align_json_read_channel);
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
	document.max_marks = 64;
	document.marks = (Mark *) palloc(sizeof(Mark) * document.max_marks);
	ReadRoot(&document, &root);

	align_scan_begin(&scan, document.text.data, "funnel", false, NULL);
	scan.describe = align_json_describe;
	scan.describe_arg = &document;
	PG_RETURN_POINTER(align_funnel_value_scan(&scan));
}
