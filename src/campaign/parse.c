/*
 * parse.c
 *	  Reading addresses.
 *
 * What people record as the campaign of a lead is a landing address, the query
 * of one, Google's "source / medium", or a plain word.  Which of them a text
 * is depends on the first of its characters "=", "?", "#" and "/":
 *
 *	  scheme://..., //..., /..., ?...	address
 *	  a.b?..., a.b/..., a.b#...			address without scheme
 *	  name=...							query
 *	  source / medium, a/b				source and medium
 *	  anything else						a source
 *
 * Tags are read from the query and then from the fragment.  The first value
 * that is not empty counts.
 */
#include "postgres.h"

#include "campaign/evidence.h"
#include "campaign/lists.h"
#include "campaign/text.h"

typedef struct Reading
{
	CampaignFields *fields;
	CampaignEvidence evidence;
	LeadString	referrer;		/* of a canonical text */
	bool		is_canonical;	/* like one: a query without "?" */
} Reading;

/*
 * Skips what is left of an "&amp;", "&#38;" or "&#038;" whose "&" has been
 * taken for a separator.
 */
static const char *
SkipEntity(const char *p, const char *end)
{
	static const char *const entities[] = {"amp;", "#38;", "#038;", "38;", "038;"};

	for (;;)
	{
		const char *start = p;

		if (p == end || (*p != 'a' && *p != 'A' && *p != '#' && *p != '3' && *p != '0'))
			return p;
		for (int i = 0; i < (int) lengthof(entities); i++)
		{
			int			len = strlen(entities[i]);

			if (end - p >= len && align_campaign_same_letters(p, entities[i], len))
			{
				p += len;
				break;
			}
		}
		if (p == start)
			return p;
	}
}

/*
 * The parameter of a name, which may be escaped.
 */
static const ParamRow *
FindParam(const char *name, int len)
{
	LeadString	decoded;

	if (len > 3 * PARAM_MAX_NAME)
		return NULL;
	if (memchr(name, '%', len) == NULL)
		return align_campaign_param(name, len);
	decoded = align_campaign_decode(name, len);
	return align_campaign_param(decoded.text, decoded.len);
}

static void
SetIfEmpty(LeadString *string, LeadString value)
{
	if (string->text == NULL)
		*string = value;
}

/*
 * Reads a tag into its field.
 */
static void
ReadTag(Reading *reading, CampaignField number, LeadString value)
{
	LeadString *field = align_campaign_field(reading->fields, number);

	if (field->text != NULL)
		return;
	if (number == CAMPAIGN_REFERRER)
	{
		/* no tag: only the canonical text has it */
		if (reading->is_canonical)
			SetIfEmpty(&reading->referrer, value);
		return;
	}
	*field = align_campaign_clean(value, number <= CAMPAIGN_MEDIUM);
}

/*
 * Reads the parameters of a query.
 */
static void
ReadQuery(Reading *reading, const char *p, const char *end)
{
	while (p < end)
	{
		const char *next = memchr(p, '&', end - p);
		const char *stop = next != NULL ? next : end;
		const char *equals;
		const ParamRow *param;
		LeadString	value;

		p = SkipEntity(p, stop);
		equals = memchr(p, '=', stop - p);
		if (equals != NULL && equals + 1 < stop &&
			(param = FindParam(p, (int) (equals - p))) != NULL)
		{
			value = align_campaign_decode(equals + 1, (int) (stop - equals - 1));
			if (param->kind == PARAM_TAG)
				ReadTag(reading, param->number, value);
			else if (align_campaign_trim(value).len > 0)
			{
				if (param->kind != PARAM_HUBSPOT_NETWORK)
					reading->evidence.clicks |= UINT64CONST(1) << param->number;
				if (param->kind == PARAM_GOOGLE_CAMPAIGN)
					SetIfEmpty(&reading->evidence.google_campaign, value);
				else if (param->kind == PARAM_HUBSPOT_CAMPAIGN)
					SetIfEmpty(&reading->evidence.hubspot_campaign, value);
				else if (param->kind == PARAM_HUBSPOT_NETWORK)
					SetIfEmpty(&reading->evidence.hubspot_network, value);
			}
		}
		p = next != NULL ? next + 1 : end;
	}
}

/*
 * Reads the parameters of a fragment: all of it, or what follows a "?" if that
 * comes before any "=" and "&".
 */
static void
ReadFragment(Reading *reading, const char *p, const char *end)
{
	const char *q = p;

	while (q < end && *q != '?' && *q != '=' && *q != '&')
		q++;
	ReadQuery(reading, q < end && *q == '?' ? q + 1 : p, end);
}

/*
 * Reads a query and the fragment after it.
 */
static void
ReadQueryAndFragment(Reading *reading, const char *p, const char *end)
{
	const char *fragment = memchr(p, '#', end - p);

	ReadQuery(reading, p, fragment != NULL ? fragment : end);
	if (fragment != NULL)
		ReadFragment(reading, fragment + 1, end);
}

/*
 * Reads an address.
 */
static void
ReadAddress(Reading *reading, LeadString address)
{
	const char *p = address.text;
	const char *end = p + address.len;

	while (p < end && *p != '?' && *p != '#')
		p++;
	if (p == end)
		return;
	if (*p == '?')
		ReadQueryAndFragment(reading, p + 1, end);
	else
		ReadFragment(reading, p + 1, end);
}

static bool
HasBlank(const char *p, const char *end)
{
	for (; p < end; p++)
		if (*p == ' ' || *p == '\t')
			return true;
	return false;
}

/*
 * Reads a text without parameters: "source / medium", or a source.
 */
static void
ReadPlain(Reading *reading, LeadString text)
{
	static const char *const direct[] = {
		"(direct)", "(none)", "(direct) / (none)", "direct / none", "direct", "(not set)",
	"direct traffic", "direct_traffic"};
	CampaignFields *fields = reading->fields;
	const char *end = text.text + text.len;
	const char *slash = memchr(text.text, '/', text.len);

	for (int i = 0; i < (int) lengthof(direct); i++)
	{
		if (text.len == (int) strlen(direct[i]) &&
			align_campaign_same_letters(text.text, direct[i], text.len))
		{
			align_campaign_set_direct(fields);
			return;
		}
	}
	/* not "n/a" */
	if (slash != NULL && slash > text.text + 1 && slash + 2 < end &&
		memchr(slash + 1, '/', end - slash - 1) == NULL)
	{
		fields->medium = align_campaign_clean(align_lead_bytes(slash + 1, (int) (end - slash - 1)),
											  true);
		text.len = (int) (slash - text.text);
	}
	fields->source = align_campaign_clean(text, true);
}

/*
 * True if a text without scheme is an address; p is the first of its special
 * characters, which is not "=".
 */
static bool
IsAddress(LeadString text, const char *p)
{
	const char *end = text.text + text.len;
	bool		has_dot = memchr(text.text, '.', p - text.text) != NULL;

	if (p == end || HasBlank(text.text, p))
		return false;
	if (*p == '/' && (p == text.text || has_dot || memchr(p, '?', end - p) != NULL))
		return true;
	if (*p == '/')
		return false;
	/* not "why?" and "#5" */
	return (has_dot && *p == '?') || memchr(p, '=', end - p) != NULL;
}

/*
 * Reads a text of any form.
 */
static void
ReadText(Reading *reading, LeadString text)
{
	const char *p;
	const char *end;
	LeadString	path;

	text = align_campaign_trim(text);
	if (text.len == 0)
		return;
	p = text.text;
	end = p + text.len;
	if (align_campaign_scheme(text) > 0 || (text.len >= 2 && p[0] == '/' && p[1] == '/'))
	{
		reading->evidence.landing_host = align_campaign_host(text, &path);
		ReadAddress(reading, text);
		return;
	}
	while (p < end && *p != '=' && *p != '?' && *p != '#' && *p != '/')
		p++;
	if (p < end && *p == '=')
	{
		reading->is_canonical = true;
		ReadQueryAndFragment(reading, text.text, end);
	}
	else if (IsAddress(text, p) || (p == text.text && *p == '?'))
	{
		if (p > text.text)
			reading->evidence.landing_host = align_campaign_host(text, &path);
		ReadAddress(reading, text);
	}
	else
		ReadPlain(reading, text);
}

void
align_campaign_read_address(const char *url, int len, const char *referrer, int referrer_len,
							CampaignFields *fields)
{
	Reading		reading;

	memset(fields, 0, sizeof(*fields));
	memset(&reading, 0, sizeof(reading));
	reading.fields = fields;
	if (referrer != NULL)
		reading.evidence.referrer = align_lead_bytes(referrer, referrer_len);
	if (url != NULL)
		ReadText(&reading, align_lead_bytes(url, len));
	if (reading.referrer.text != NULL)
	{
		LeadString	path;

		if (fields->source.text != NULL && fields->medium.text != NULL)
			fields->referrer = align_campaign_host(reading.referrer, &path);
		else
			SetIfEmpty(&reading.evidence.referrer, reading.referrer);
	}
	align_campaign_infer(fields, &reading.evidence);
}

void
align_campaign_parse(const char *url, int len, const char *referrer, int referrer_len,
					 CampaignFields *fields)
{
	LeadString	address = align_campaign_to_utf8(align_lead_bytes(url, url != NULL ? len : 0));
	LeadString	from = align_campaign_to_utf8(align_lead_bytes(referrer, referrer != NULL ? referrer_len : 0));

	align_campaign_read_address(address.text, address.len, from.text, from.len, fields);
	for (int i = 0; i < CAMPAIGN_NFIELDS; i++)
	{
		LeadString *field = align_campaign_field(fields, i);

		if (field->text != NULL)
			*field = align_campaign_from_utf8(*field);
	}
}
