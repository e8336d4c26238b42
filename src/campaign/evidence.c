/*
 * evidence.c
 *	  What click ids and the referrer show about the source of a visit.
 *
 * A tag precedes any evidence, a click id precedes the referrer.  But links
 * with click ids are shared: an id of one platform does not count if the
 * visitor came from another one that is listed, unless advertisements or mail
 * of the first are shown there, too.  Where the medium is tagged, that shows
 * how the visitor came, and the referrer is not considered.
 */
#include "postgres.h"

#include "port/pg_bitutils.h"

#include "campaign/evidence.h"
#include "campaign/lists.h"
#include "campaign/text.h"

/*
 * The referrer of a visit.
 */
typedef struct Referrer
{
	LeadString	host;			/* absent: unknown, or the site itself */
	LeadString	source;			/* as which it is reported */
	const char *medium;
	const SourceRow *row;		/* NULL if not listed */
} Referrer;

static inline bool
Equals(LeadString string, const char *text, int len)
{
	return string.len == len && memcmp(string.text, text, len) == 0;
}

/*
 * The host without a leading "www.".
 */
static LeadString
WithoutWww(LeadString host)
{
	if (host.len > 4 && memcmp(host.text, "www.", 4) == 0)
		return align_lead_bytes(host.text + 4, host.len - 4);
	return host;
}

/*
 * The row of a referrer's host with its path: a listed path is a source of its
 * own, which *source becomes.
 */
static const SourceRow *
FindReferrer(LeadString host, LeadString path, LeadString *source)
{
	const SourceRow *row;
	char		joined[SOURCE_MAX_KEY];
	int			len;
	int			nslashes = 0;

	*source = host;
	/* a listed path has at most two segments */
	for (len = 0; len < path.len && path.text[len] != '?' && path.text[len] != '#'; len++)
		if (path.text[len] == '/' && ++nslashes > 2)
			break;
	while (len > 1)
	{
		if (host.len + len <= SOURCE_MAX_KEY)
		{
			memcpy(joined, host.text, host.len);
			memcpy(joined + host.len, path.text, len);
			row = align_campaign_source(joined, host.len + len);
			if (row != NULL && row->key_len == host.len + len)
			{
				*source = align_lead_bytes(row->key, row->key_len);
				return row;
			}
		}
		for (len--; len > 1 && path.text[len] != '/';)
			len--;
	}
	return align_campaign_source(host.text, host.len);
}

static void
ReadReferrer(Referrer *referrer, LeadString address, LeadString landing_host)
{
	LeadString	host;
	LeadString	path;
	const char *text;
	int			scheme;

	memset(referrer, 0, sizeof(*referrer));
	if (address.text == NULL)
		return;
	address = align_campaign_trim(address);
	text = address.text;
	scheme = align_campaign_scheme(address);
	if (address.len >= 7 && align_campaign_same_letters(text, "mailto:", 7))
		return;
	/* pages of the browser itself, files */
	if (scheme > 0 &&
		!(scheme == 5 && align_campaign_same_letters(text, "http:", 5)) &&
		!(scheme == 6 && align_campaign_same_letters(text, "https:", 6)) &&
		!(scheme == 12 && align_campaign_same_letters(text, "android-app:", 12)) &&
		!(scheme == 8 && align_campaign_same_letters(text, "ios-app:", 8)))
		return;
	host = align_campaign_host(address, &path);
	if (host.text == NULL)
		return;
	/* without scheme and dot it is no host, unless it is a listed name */
	if (scheme == 0 && memchr(host.text, '.', host.len) == NULL &&
		align_campaign_source(host.text, host.len) == NULL)
		return;
	if (landing_host.text != NULL && align_lead_same(WithoutWww(host), WithoutWww(landing_host)))
		return;

	referrer->host = host;
	referrer->row = FindReferrer(WithoutWww(host), path, &referrer->source);
	referrer->medium = "referral";
	if (referrer->row != NULL && referrer->row->category == SOURCE_SEARCH)
	{
		referrer->source = align_lead_bytes(referrer->row->platform, referrer->row->platform_len);
		referrer->medium = "organic";
	}
}

/*
 * True if a platform is one of the names in a list with blanks between them.
 */
static bool
IsPartner(const char *partners, const SourceRow *row)
{
	for (const char *p = partners; *p != '\0';)
	{
		const char *blank = strchr(p, ' ');
		int			len = blank != NULL ? (int) (blank - p) : (int) strlen(p);

		if (len == row->platform_len && memcmp(p, row->platform, len) == 0)
			return true;
		p += len + (blank != NULL);
	}
	return false;
}

/*
 * The source that a click id shows; absent if HubSpot does not name the
 * network.
 */
static LeadString
ClickSource(const ClickId *click, LeadString network)
{
	if (strcmp(click->source, "-") != 0)
		return align_lead_cstring(click->source);
	if (network.text == NULL)
		return network;
	network = align_campaign_clean(network, true);
	if (network.text != NULL && Equals(network, "adwords", 7))
		return align_lead_cstring("google");
	return network;
}

/*
 * True if a row of the lists is that of a platform other than that of the
 * click id, whose source is given.
 */
static bool
Contradicts(const SourceRow *row, const ClickId *click, LeadString source)
{
	const SourceRow *own;

	if (row == NULL || row->category == SOURCE_NONE || strcmp(click->partners, "*") == 0)
		return false;
	if (source.text == NULL || Equals(source, row->platform, row->platform_len))
		return false;
	own = align_campaign_source(source.text, source.len);
	if (own != NULL && own->platform_len == row->platform_len &&
		memcmp(own->platform, row->platform, row->platform_len) == 0)
		return false;
	return !IsPartner(click->partners, row);
}

/*
 * True if a source as tagged may be that of the visit that a click id shows:
 * it is not listed as another platform, and no word for another channel.
 */
static bool
FitsSource(LeadString source, const ClickId *click, LeadString click_source)
{
	if (align_lead_same(source, click_source))
		return true;
	if (click->evidence != EVIDENCE_PAID && click->evidence != EVIDENCE_EMAIL)
		return false;
	return !Contradicts(align_campaign_source(source.text, source.len), click, click_source) &&
		align_campaign_word(source.text, source.len, true) == NULL;
}

void
align_campaign_set_direct(CampaignFields *fields)
{
	fields->source = align_lead_cstring("(direct)");
	fields->medium = align_lead_cstring("(none)");
}

/*
 * True if a medium as tagged may be that of the visit that a click id shows:
 * an ad's link that was sent by mail is still tagged as mail.
 */
static bool
FitsMedium(LeadString medium, const ClickId *click)
{
	if (medium.text == NULL ||
		(click->medium != NULL && Equals(medium, click->medium, strlen(click->medium))))
		return true;
	switch (click->evidence)
	{
		case EVIDENCE_PAID:
			return align_campaign_is_paid(medium) || Equals(medium, "display", 7);
		case EVIDENCE_ANY:
			return align_campaign_is_paid(medium) ||
				(medium.len >= 6 && memcmp(medium.text, "social", 6) == 0);
		case EVIDENCE_SHARE:
			return medium.len >= 6 && memcmp(medium.text, "social", 6) == 0;
		case EVIDENCE_AFFILIATE:
		case EVIDENCE_EMAIL:
		case EVIDENCE_FREE:
			break;
	}
	return false;
}

/*
 * Sets source and medium from the first click id that the referrer does not
 * contradict; false if there is none.
 */
static bool
InferFromClicks(CampaignFields *fields, const CampaignEvidence *evidence, const Referrer *referrer)
{
	bool		has_source = fields->source.text != NULL;
	bool		has_medium = fields->medium.text != NULL;

	for (uint64 left = evidence->clicks; left != 0; left &= left - 1)
	{
		const ClickId *click = align_campaign_click(pg_rightmost_one_pos64(left));
		LeadString	source = ClickSource(click, evidence->hubspot_network);

		if (!has_medium && Contradicts(referrer->row, click, source))
			continue;
		if (!FitsMedium(fields->medium, click) ||
			(has_source && !FitsSource(fields->source, click, source)))
			continue;
		if (!has_source)
			fields->source = source;
		if (!has_medium && click->medium != NULL)
			fields->medium = align_lead_cstring(click->medium);
		return true;
	}
	return false;
}

/*
 * Completes source and medium; false if they are those of the referrer.
 */
static bool
InferSource(CampaignFields *fields, const CampaignEvidence *evidence)
{
	Referrer	referrer;

	if (fields->source.text != NULL && (fields->medium.text != NULL || evidence->clicks == 0))
		return true;
	ReadReferrer(&referrer, evidence->referrer, evidence->landing_host);
	if (InferFromClicks(fields, evidence, &referrer) ||
		fields->source.text != NULL || fields->medium.text != NULL ||
		referrer.host.text == NULL)
		return true;

	fields->source = referrer.source;
	fields->medium = align_lead_cstring(referrer.medium);
	fields->referrer = referrer.host;
	return false;
}

void
align_campaign_infer(CampaignFields *fields, const CampaignEvidence *evidence)
{
	bool		has_tag = false;

	if (InferSource(fields, evidence))
	{
		/* the id that tables of costs have, under another name */
		if (fields->id.text == NULL && evidence->google_campaign.text != NULL)
			fields->id = align_campaign_clean(evidence->google_campaign, false);
		if (fields->id.text == NULL && evidence->hubspot_campaign.text != NULL)
			fields->id = align_campaign_clean(evidence->hubspot_campaign, false);
	}
	for (int i = 0; i < CAMPAIGN_NFIELDS; i++)
		has_tag |= align_campaign_field(fields, i)->text != NULL;
	if (has_tag)
		return;
	if (evidence->redacted >= 0)
		*align_campaign_field(fields, evidence->redacted) = align_lead_cstring(CAMPAIGN_REDACTED);
	else
		align_campaign_set_direct(fields);
}
