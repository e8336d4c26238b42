/*
 * campaign.c
 *	  Stand-in for the campaign folder, until it is merged.
 */
#include "postgres.h"

#include "campaign/campaign.h"

static LeadString
Tag(const char *url, int len, const char *tag)
{
	int			tag_len = strlen(tag);

	for (int i = 0; i + tag_len <= len; i++)
	{
		if (memcmp(url + i, tag, tag_len) == 0)
		{
			int			end = i + tag_len;

			while (end < len && url[end] != '&')
				end++;
			if (end == i + tag_len)
				break;
			return align_lead_bytes(url + i + tag_len, end - i - tag_len);
		}
	}
	return align_lead_bytes(NULL, 0);
}

static bool
Is(LeadString string, const char *text)
{
	return string.text != NULL && string.len == (int) strlen(text) &&
		memcmp(string.text, text, string.len) == 0;
}

void
align_campaign_parse(const char *url, int len, const char *referrer, int referrer_len,
					 CampaignFields *fields)
{
	(void) referrer;
	(void) referrer_len;
	memset(fields, 0, sizeof(*fields));
	fields->source = Tag(url, len, "utm_source=");
	fields->medium = Tag(url, len, "utm_medium=");
	fields->name = Tag(url, len, "utm_campaign=");
	if (memchr(url, '=', len) == NULL && len > 0)
		fields->source = align_lead_bytes(url, len);
}

const char *
align_channel(const CampaignFields *fields, const Funnel *funnel)
{
	(void) funnel;
	if (fields->source.text == NULL || Is(fields->source, "direct") ||
		Is(fields->source, "(direct)"))
		return CHANNEL_DIRECT;
	if (Is(fields->medium, "organic"))
		return "Organic Search";
	if (Is(fields->medium, "cpc"))
		return "Paid Search";
	if (Is(fields->medium, "email"))
		return "Email";
	return "Unassigned";
}
