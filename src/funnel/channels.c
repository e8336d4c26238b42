/*
 * channels.c
 *	  The statement "channel": its grammar, its checks, and its forms in the
 *	  canonical document and in jsonb.
 *
 * lookup.c matches campaigns with the patterns.
 */
#include "postgres.h"

#include "funnel/build.h"
#include "funnel/json_document.h"
#include "funnel/parse.h"

/* What a campaign is recognised by, in the order of the canonical document. */
static const char *const kinds[FUNNEL_CHANNEL_KINDS] = {"source", "medium", "name"};

/*
 * source|medium|name 'pattern'
 */
static bool
ParseCondition(TextScan *scan, DraftChannel *channel)
{
	for (int i = 0; i < FUNNEL_CHANNEL_KINDS; i++)
	{
		ScanName   *pattern = &channel->patterns[i];

		if (!align_scan_peek_word(scan, kinds[i]))
			continue;
		if (pattern->text != NULL)
			return align_scan_fail_code(scan, ERRCODE_DUPLICATE_OBJECT, scan->cur,
										"All conditions of a channel must hold.",
										"For another pattern, write a channel of another name.",
										"a second \"%s\"", kinds[i]);
		(void) align_scan_take_word(scan, kinds[i]);
		if (!align_scan_string(scan, "pattern", pattern))
			return false;
		if (pattern->len == 0)
			return align_scan_fail(scan, pattern->at, NULL,
								   psprintf("Write '*' for any %s that is not empty.", kinds[i]),
								   "empty pattern");
		return true;
	}
	return align_scan_expected(scan, "\"source\", \"medium\" or \"name\"",
							   "A campaign is recognised by its source, its medium and its name.");
}

/*
 * Reports that "when" does not follow the name of a channel; returns false.
 */
static bool
FailNoWhen(TextScan *scan, const ScanName *name)
{
	bool		more = !align_scan_at_end(scan) && *scan->cur != ';';

	/* a condition, or a name of which only a part was read? */
	for (int i = 0; i < FUNNEL_CHANNEL_KINDS; i++)
		more = more && !align_scan_peek_word(scan, kinds[i]);
	return align_scan_expected(scan, "\"when\"",
							   more && !name->quoted ?
							   "Put a name that is not one plain ASCII word in double quotes." :
							   NULL);
}

/* channel name when condition {and condition} */
bool
align_parse_channel(TextScan *scan, Draft *draft)
{
	DraftChannel *channel = (DraftChannel *) palloc0(sizeof(DraftChannel));

	align_scan_space(scan);
	if (*scan->cur == '\'')
		return align_scan_expected(scan, "channel name",
								   "Names are in double quotes, patterns in single quotes.");
	if (!align_parse_name(scan, "channel name", &channel->name))
		return false;
	if (!align_scan_take_word(scan, "when"))
		return FailNoWhen(scan, &channel->name);
	do
	{
		if (!ParseCondition(scan, channel))
			return false;
	} while (align_scan_take_word(scan, "and"));

	align_scan_space(scan);
	if (*scan->cur != ';')
		return align_scan_expected(scan, "\"and\" or \";\"",
								   "Conditions are separated by \"and\", and all of them must hold.");
	draft->channels = lappend(draft->channels, channel);
	return true;
}

/*
 * No earlier channel has the name.
 */
static bool
CheckChannelNew(FunnelBuild *build, const ScanName *name)
{
	for (int i = 0; i < build->funnel->nchannels; i++)
	{
		if (strcmp(build->funnel->channels[i].name, name->text) == 0)
			return align_scan_fail_code(build->scan, ERRCODE_DUPLICATE_OBJECT, name->at,
										"A channel is defined by one statement.",
										"Give each statement a name of its own, or write one pattern with \"*\" for both.",
										"channel \"%s\" is defined twice", name->text);
	}
	return true;
}

/*
 * Copies a pattern, NULL if it is absent; it must not be too long.
 */
static bool
BuildPattern(FunnelBuild *build, const ScanName *pattern, char **result)
{
	*result = NULL;
	if (pattern->text == NULL)
		return true;
	if (pattern->len > FUNNEL_MAX_PATTERN)
		return align_scan_fail_code(build->scan, ERRCODE_PROGRAM_LIMIT_EXCEEDED, pattern->at,
									psprintf("It has %d bytes; at most %d are allowed.",
											 pattern->len, FUNNEL_MAX_PATTERN),
									"A \"*\" stands for any text.", "pattern too long");
	*result = align_build_strdup(build, pattern->text);
	return true;
}

/*
 * The channels in the order of the document.
 */
bool
align_build_channels(FunnelBuild *build)
{
	Funnel	   *funnel = build->funnel;
	List	   *drafts = build->draft->channels;
	ListCell   *cell;

	if (list_length(drafts) > FUNNEL_MAX_CHANNELS)
	{
		DraftChannel *first_over = (DraftChannel *) list_nth(drafts, FUNNEL_MAX_CHANNELS);

		return align_check_limit(build, first_over->name.at, list_length(drafts),
								 FUNNEL_MAX_CHANNELS, "channels");
	}
	funnel->channels = (FunnelChannel *)
		align_build_alloc(build, sizeof(FunnelChannel) * list_length(drafts));
	foreach(cell, drafts)
	{
		DraftChannel *draft = (DraftChannel *) lfirst(cell);
		FunnelChannel *channel = &funnel->channels[funnel->nchannels];

		if (!CheckChannelNew(build, &draft->name) ||
			!BuildPattern(build, &draft->patterns[0], &channel->source) ||
			!BuildPattern(build, &draft->patterns[1], &channel->medium) ||
			!BuildPattern(build, &draft->patterns[2], &channel->campaign))
			return false;
		channel->name = align_build_strdup(build, draft->name.text);
		funnel->nchannels++;
	}
	return true;
}

/*
 * The conditions of a channel: source 'a' and name 'b'
 */
void
align_write_conditions(StringInfo out, const FunnelChannel *channel)
{
	const char *patterns[] = {channel->source, channel->medium, channel->campaign};
	bool		first = true;

	for (int i = 0; i < FUNNEL_CHANNEL_KINDS; i++)
	{
		if (patterns[i] == NULL)
			continue;
		appendStringInfo(out, "%s%s ", first ? "" : " and ", kinds[i]);
		align_write_quoted(out, '\'', patterns[i], strlen(patterns[i]));
		first = false;
	}
}

/*
 * The statements of all channels.
 */
void
align_write_channels(StringInfo out, const Funnel *funnel)
{
	for (int i = 0; i < funnel->nchannels; i++)
	{
		const FunnelChannel *channel = &funnel->channels[i];

		appendStringInfoString(out, "channel ");
		align_write_name(out, channel->name, strlen(channel->name));
		appendStringInfoString(out, " when ");
		align_write_conditions(out, channel);
		appendStringInfoString(out, ";\n");
	}
}

/*
 * The statement of an element of the member "channels".
 */
void
align_json_read_channel(JsonDocument *document, const JsonNode *channel)
{
	static const char *const members[] = {"channel", "source", "medium", "name", NULL};
	bool		first = true;

	align_json_check_object(channel, members);
	align_json_put(document, "channel ");
	align_json_put_name_member(document, channel, "channel");
	for (int i = 0; i < FUNNEL_CHANNEL_KINDS; i++)
	{
		JsonNode	pattern = align_json_member(channel, kinds[i]);

		if (pattern.value == NULL)
			continue;
		align_json_put(document, first ? " when " : " and ");
		align_json_put(document, kinds[i]);
		align_json_put(document, " ");
		align_json_put_quoted(document, &pattern, '\'');
		first = false;
	}
	if (first)
		align_json_fail(channel, "must have at least one of \"source\", \"medium\" and \"name\"");
	align_json_put(document, ";\n");
}
