/*
 * options.c
 *	  The options of an attachment, as an argument of marker and pointers.
 *
 * The argument has the options that differ from the default, separated by
 * blanks and in this order:
 *
 *	  notify
 *	  opened_at=now
 *	  reason_must_change
 *	  reload
 *	  time_zone=<zone>
 *	  <rule>=<mode>			for each rule that has a mode of its own
 *	  attachment=<n>		the number of the attachment, if not 1
 *
 * Versions before 0.4 know only "notify".
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "attachment/attachment.h"
#include "judge/judge.h"

/* Names of the options without a value, with their place in AttachOptions. */
static const struct
{
	const char *name;
	size_t		offset;
}			flags[] =
{
	{"notify", offsetof(AttachOptions, notify)},
	{"opened_at=now", offsetof(AttachOptions, opened_now)},
	{"reason_must_change", offsetof(AttachOptions, reason_must_change)},
	{"reload", offsetof(AttachOptions, reload)},
};

#define TIME_ZONE "time_zone="
#define NUMBER "attachment="

/*
 * Sets the options that attach() has by default.
 */
void
align_attach_options_init(AttachOptions *options)
{
	memset(options, 0, sizeof(AttachOptions));
	for (int rule = 0; rule < ATTACH_NRULES; rule++)
		options->rule_mode[rule] = ATTACH_MODE_DEFAULT;
	options->number = ATTACHMENT_FIRST;
}

/*
 * The mode of a rule: its own, or else that of the attachment.
 */
AttachMode
align_attach_rule_mode(AttachMode mode, const AttachOptions *options, int rule)
{
	return options->rule_mode[rule] == ATTACH_MODE_DEFAULT ? mode :
		(AttachMode) options->rule_mode[rule];
}

static void
AppendOption(StringInfo text, const char *name, const char *value)
{
	appendStringInfo(text, "%s%s%s", text->len > 0 ? " " : "", name, value);
}

/*
 * The options as an argument of the marker.
 */
char *
align_attach_options_text(const AttachOptions *options)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < (int) lengthof(flags); i++)
	{
		if (*(const bool *) ((const char *) options + flags[i].offset))
			AppendOption(&text, flags[i].name, "");
	}
	if (options->time_zone[0] != '\0')
		AppendOption(&text, TIME_ZONE, options->time_zone);
	for (int rule = 0; rule < ATTACH_NRULES; rule++)
	{
		if (options->rule_mode[rule] != ATTACH_MODE_DEFAULT)
			AppendOption(&text, psprintf("%s=", align_rule_name((Rule) rule)),
						 align_attach_mode_name((AttachMode) options->rule_mode[rule]));
	}
	if (options->number != ATTACHMENT_FIRST)
		AppendOption(&text, NUMBER, psprintf("%d", options->number));
	return text.data;
}

/*
 * Reads "<rule>=<mode>"; false if it is something else.
 */
static bool
ParseRuleMode(const char *option, AttachOptions *options)
{
	const char *equals = strchr(option, '=');

	for (int rule = 0; equals != NULL && rule < ATTACH_NRULES; rule++)
	{
		const char *name = align_rule_name((Rule) rule);

		if (name != NULL && strlen(name) == (size_t) (equals - option) &&
			memcmp(name, option, equals - option) == 0)
		{
			options->rule_mode[rule] = (int8) align_attach_mode(equals + 1);
			return options->rule_mode[rule] >= 0;
		}
	}
	return false;
}

static bool
ParseOption(const char *option, AttachOptions *options)
{
	for (int i = 0; i < (int) lengthof(flags); i++)
	{
		if (strcmp(flags[i].name, option) == 0)
		{
			*(bool *) ((char *) options + flags[i].offset) = true;
			return true;
		}
	}
	if (strncmp(option, TIME_ZONE, strlen(TIME_ZONE)) == 0)
		return strlcpy(options->time_zone, option + strlen(TIME_ZONE), NAMEDATALEN) < NAMEDATALEN;
	if (strncmp(option, NUMBER, strlen(NUMBER)) == 0)
	{
		options->number = align_parse_number(option + strlen(NUMBER));
		return options->number != 0;
	}
	return ParseRuleMode(option, options);
}

/*
 * Reads the argument of a marker.  It must be exactly what
 * align_attach_options_text() writes.
 */
bool
align_attach_options_parse(const char *text, AttachOptions *options)
{
	char	   *copy = pstrdup(text);
	char	   *rest = copy;
	char	   *option;

	align_attach_options_init(options);
	while ((option = strsep(&rest, " ")) != NULL)
	{
		if (text[0] != '\0' && !ParseOption(option, options))
			return false;
	}
	return strcmp(align_attach_options_text(options), text) == 0;
}
