/*
 * channel.c
 *	  The channel of a campaign.
 *
 * First the rules of the agreement, then those of the default channel group of
 * Google Analytics 4 for manual traffic, in its order of May 2026, then words
 * for channels without a click.  Everything compares without regard to ASCII
 * case.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "campaign/lists.h"
#include "campaign/text.h"

/*
 * Changes whenever a campaign may get another channel: the year of Google's
 * rules, and a number of align's own.
 */
#define CHANNEL_RULES_VERSION "2026.1"

/* Letters are lower case. */
static inline bool
Is(LeadString string, const char *word)
{
	int			len = strlen(word);

	return string.text != NULL && string.len == len && memcmp(string.text, word, len) == 0;
}

static bool
IsOneOf(LeadString string, const char *const *words, int n)
{
	for (int i = 0; i < n; i++)
		if (Is(string, words[i]))
			return true;
	return false;
}

#define IS_ONE_OF(string, words) IsOneOf(string, words, lengthof(words))

/*
 * The position of a word in a string of any case, from a position on; -1 if it
 * is not there.
 */
static int
Find(LeadString string, const char *word, int from)
{
	int			len = strlen(word);

	for (int i = from; i + len <= string.len; i++)
		if (align_campaign_same_letters(string.text + i, word, len))
			return i;
	return -1;
}

static inline bool
Contains(LeadString string, const char *word)
{
	return string.text != NULL && Find(string, word, 0) >= 0;
}

static inline bool
EndsWith(LeadString string, const char *word)
{
	int			len = strlen(word);

	return string.text != NULL && string.len >= len &&
		memcmp(string.text + string.len - len, word, len) == 0;
}

/* ^(.*(([^a-df-z]|^)shop|shopping).*)$ */
static bool
IsShopName(LeadString name)
{
	if (name.text == NULL)
		return false;
	for (int at = 0; (at = Find(name, "shop", at)) >= 0; at++)
	{
		char		before;

		if (at == 0)
			return true;
		before = name.text[at - 1];
		if (before == 'e' || before == 'E' ||
			!((before >= 'a' && before <= 'z') || (before >= 'A' && before <= 'Z')))
			return true;
		if (name.len - at >= 8 && align_campaign_same_letters(name.text + at, "shopping", 8))
			return true;
	}
	return false;
}

/*
 * The group of Google Analytics 4, NULL if none matches.
 */
static const char *
GoogleChannel(const CampaignFields *fields)
{
	static const char *const direct[] = {"(direct)", "direct"};
	static const char *const no_medium[] = {"(none)", "(not set)", "none"};
	static const char *const display[] = {"display", "banner", "expandable", "interstitial", "cpm"};
	static const char *const social[] = {
		"social", "social-network", "social-media", "sm", "social network", "social media"
	};
	static const char *const referral[] = {"referral", "app", "link"};
	static const char *const email[] = {"email", "e-mail", "e_mail", "e mail"};
	LeadString	source = fields->source;
	LeadString	medium = fields->medium;
	const SourceRow *row = NULL;
	SourceCategory category = SOURCE_UNLISTED;
	bool		shop;

	if (IS_ONE_OF(source, direct) && (medium.text == NULL || IS_ONE_OF(medium, no_medium)))
		return CHANNEL_DIRECT;
	if (Contains(fields->name, "cross-network"))
		return "Cross-network";

	if (source.text != NULL)
		row = align_campaign_source(source.text, source.len);
	if (row != NULL)
		category = row->category;
	shop = category == SOURCE_SHOPPING || IsShopName(fields->name);

	if (align_campaign_is_paid(medium))
	{
		if (shop)
			return "Paid Shopping";
		if (category == SOURCE_SEARCH)
			return "Paid Search";
		if (category == SOURCE_SOCIAL)
			return "Paid Social";
		if (category == SOURCE_VIDEO)
			return "Paid Video";
	}
	if (IS_ONE_OF(medium, display))
		return "Display";
	if (align_campaign_is_paid(medium))
		return "Paid Other";
	if (category == SOURCE_AI || Is(medium, "ai-assistant") ||
		(fields->name.len == 14 && Contains(fields->name, "(ai-assistant)")))
		return "AI Assistant";
	if (shop)
		return "Organic Shopping";
	if (category == SOURCE_SOCIAL || IS_ONE_OF(medium, social))
		return "Organic Social";
	if (category == SOURCE_VIDEO || Contains(medium, "video"))
		return "Organic Video";
	if (category == SOURCE_SEARCH || Is(medium, "organic"))
		return "Organic Search";
	if (IS_ONE_OF(medium, referral))
		return "Referral";
	if (IS_ONE_OF(source, email) || IS_ONE_OF(medium, email))
		return "Email";
	if (Is(medium, "affiliate"))
		return "Affiliates";
	if (Is(medium, "audio"))
		return "Audio";
	if (Is(source, "sms") || Is(medium, "sms"))
		return "SMS";
	if (Is(source, "firebase") || EndsWith(medium, "push") || Contains(medium, "mobile") ||
		Contains(medium, "notification"))
		return "Mobile Push Notifications";
	return NULL;
}

/*
 * The channel that a medium or a source names, NULL if none does.
 */
static const char *
WordChannel(const CampaignFields *fields)
{
	const char *channel = NULL;

	if (fields->medium.text != NULL)
		channel = align_campaign_word(fields->medium.text, fields->medium.len, false);
	if (channel == NULL && fields->source.text != NULL)
		channel = align_campaign_word(fields->source.text, fields->source.len,
									  fields->medium.text == NULL);
	return channel;
}

const char *
align_channel(const CampaignFields *fields, const Funnel *funnel)
{
	const char *channel;

	if (funnel != NULL && funnel->nchannels > 0)
	{
		const FunnelChannel *own =
			align_funnel_channel(funnel, fields->source.text, fields->source.len,
								 fields->medium.text, fields->medium.len,
								 fields->name.text, fields->name.len);

		if (own != NULL)
			return own->name;
	}
	channel = GoogleChannel(fields);
	if (channel == NULL)
		channel = WordChannel(fields);
	return channel != NULL ? channel : "Unassigned";
}

PG_FUNCTION_INFO_V1(align_campaign_channel);
PG_FUNCTION_INFO_V1(align_campaign_channel_funnel);
PG_FUNCTION_INFO_V1(align_channel_rules_version);

/*
 * The channel of the argument, by the rules of a funnel, too, if there is one.
 */
static Datum
ChannelOf(FunctionCallInfo fcinfo, const Funnel *funnel)
{
	LeadString	text = align_campaign_arg(PG_GETARG_DATUM(0));
	CampaignFields fields;

	align_campaign_decode_value(text.text, text.len, CAMPAIGN_NAME, &fields);
	if (fields.source.text != NULL)
		fields.source = align_campaign_from_utf8(fields.source);
	if (fields.medium.text != NULL)
		fields.medium = align_campaign_from_utf8(fields.medium);
	if (fields.name.text != NULL)
		fields.name = align_campaign_from_utf8(fields.name);
	return CStringGetTextDatum(align_channel(&fields, funnel));
}

Datum
align_campaign_channel(PG_FUNCTION_ARGS)
{
	return ChannelOf(fcinfo, NULL);
}

Datum
align_campaign_channel_funnel(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	return ChannelOf(fcinfo, PG_ARGISNULL(1) ? NULL :
					 align_funnel_arg(fcinfo->flinfo, PG_GETARG_DATUM(1), 0, 1));
}

Datum
align_channel_rules_version(PG_FUNCTION_ARGS)
{
	(void) fcinfo;
	PG_RETURN_TEXT_P(cstring_to_text(CHANNEL_RULES_VERSION));
}
