/*
 * rules.c
 *	  The argument "rules" of attach(): a mode for single rules, as in
 *	  {"unknown_stage": "warn"}.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "attach/request.h"
#include "judge/judge.h"
#include "nearest.h"

#define FIRST_RULE RULE_UNKNOWN_STAGE

StaticAssertDecl(ATTACH_NRULES == RULE_LEFT_FUNNEL + 1, "each rule can have a mode");

/*
 * "unknown_stage, illegal_move, ..."
 */
static char *
RuleNames(void)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int rule = FIRST_RULE; rule < ATTACH_NRULES; rule++)
		appendStringInfo(&names, "%s%s", rule > FIRST_RULE ? ", " : "",
						 align_rule_name((Rule) rule));
	return names.data;
}

static int
RuleByName(const JsonbValue *name)
{
	const char *names[ATTACH_NRULES];
	const char *nearest;

	for (int rule = FIRST_RULE; rule < ATTACH_NRULES; rule++)
	{
		names[rule - FIRST_RULE] = align_rule_name((Rule) rule);
		if (strlen(align_rule_name((Rule) rule)) == (size_t) name->val.string.len &&
			memcmp(align_rule_name((Rule) rule), name->val.string.val, name->val.string.len) == 0)
			return rule;
	}
	nearest = align_nearest(name->val.string.val, name->val.string.len, names,
							ATTACH_NRULES - FIRST_RULE);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown rule \"%.*s\"", name->val.string.len, name->val.string.val),
			 errdetail("The rules are %s.", RuleNames()),
			 nearest != NULL ? errhint("%s", align_nearest_text(nearest)) : 0));
}

/*
 * The mode of a rule, which must be one of the names that the argument "mode"
 * accepts.
 */
static AttachMode
RuleMode(const JsonbValue *value, const char *rule)
{
	int			mode = -1;

	if (value->type == jbvString)
		mode = align_attach_mode(pnstrdup(value->val.string.val, value->val.string.len));
	if (mode < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 value->type == jbvString ?
				 errmsg("unknown mode \"%.*s\" of rule \"%s\"", value->val.string.len,
						value->val.string.val, rule) :
				 errmsg("mode of rule \"%s\" must be a string", rule),
				 errhint("Valid modes are \"enforce\" (violations are refused), \"warn\" (violations are recorded, with a warning) and \"observe\" (violations are recorded).")));
	return (AttachMode) mode;
}

/*
 * Sets the modes of single rules from an object of modes by rule.
 */
void
align_attach_set_rules(AttachOptions *options, Jsonb *rules)
{
	JsonbIterator *iterator;
	JsonbValue	name;
	JsonbValue	value;
	JsonbIteratorToken token;

	if (!JB_ROOT_IS_OBJECT(rules))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"rules\" must be a JSON object"),
				 errdetail("It has a mode for each rule that differs from argument \"mode\". The rules are %s.",
						   RuleNames()),
				 errhint("For example: rules => '{\"unknown_stage\": \"warn\"}'.")));
	iterator = JsonbIteratorInit(&rules->root);
	(void) JsonbIteratorNext(&iterator, &name, true);
	while ((token = JsonbIteratorNext(&iterator, &name, true)) == WJB_KEY)
	{
		int			rule = RuleByName(&name);

		(void) JsonbIteratorNext(&iterator, &value, true);
		options->rule_mode[rule] = (int8) RuleMode(&value, align_rule_name((Rule) rule));
	}
}
