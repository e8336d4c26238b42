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
 *	  name=...							query (but see IsQuery)
 *	  source / medium, a/b				source and medium
 *	  anything else						a source
 *
 * Tags are read from the query and then from the fragment.  The first value
 * that is not empty counts.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "campaign/evidence.h"
#include "campaign/lists.h"
#include "campaign/text.h"

typedef struct Reading
{
	CampaignFields *fields;
	CampaignEvidence evidence;
	LeadString	referrer;		/* of a canonical text */
	bool		is_canonical;	/* like one: a query without "?" */
	bool		has_other;		/* anything but tags? */
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
 * Sets a field to a text, unless that is empty or identifies a person.
 */
static void
SetField(Reading *reading, CampaignField number, LeadString value)
{
	LeadString *field = align_campaign_field(reading->fields, number);

	*field = align_campaign_clean(value, number <= CAMPAIGN_MEDIUM);
	if (field->text == NULL && reading->evidence.redacted < 0 && align_campaign_trim(value).len > 0)
		reading->evidence.redacted = number;
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
	SetField(reading, number, value);
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
			reading->has_other |= param->kind != PARAM_TAG;
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
		else
			reading->has_other = true;
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
 * True if a text, which may have blanks around it, is a name of direct
 * traffic.
 */
static bool
IsDirect(LeadString text)
{
	static const char *const direct[] = {
		"(direct)", "(none)", "direct", "none", "(not set)", "direct traffic", "direct_traffic"
	};

	text = align_campaign_trim(text);
	for (int i = 0; i < (int) lengthof(direct); i++)
	{
		if (text.len == (int) strlen(direct[i]) &&
			align_campaign_same_letters(text.text, direct[i], text.len))
			return true;
	}
	return false;
}

/*
 * The "/" between source and medium, NULL if the text is a source: in "n/a"
 * and in "24/7 hotline" it stands within a word.
 */
static const char *
FindMedium(LeadString text)
{
	const char *end = text.text + text.len;
	const char *slash = memchr(text.text, '/', text.len);

	if (slash == NULL || slash <= text.text + 1 || slash + 2 >= end ||
		memchr(slash + 1, '/', end - slash - 1) != NULL)
		return NULL;
	return HasBlank(slash - 1, slash + 2) || !HasBlank(text.text, end) ? slash : NULL;
}

/*
 * Reads a text without parameters: "source / medium", or a source.
 */
static void
ReadPlain(Reading *reading, LeadString text)
{
	LeadString	source = text;
	LeadString	medium = {NULL, 0};
	const char *slash = FindMedium(text);

	if (slash != NULL)
	{
		source.len = (int) (slash - text.text);
		medium = align_lead_bytes(slash + 1, text.len - source.len - 1);
	}
	if (IsDirect(source) && (medium.text == NULL || IsDirect(medium)))
	{
		align_campaign_set_direct(reading->fields);
		return;
	}
	if (medium.text != NULL)
		SetField(reading, CAMPAIGN_MEDIUM, medium);
	SetField(reading, CAMPAIGN_SOURCE, source);
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
 * True if a text whose first special character is the "=" at p is a query,
 * and not "ROI=5 percent".
 */
static bool
IsQuery(LeadString text, const char *p)
{
	return FindParam(text.text, (int) (p - text.text)) != NULL ||
		memchr(p, '&', text.text + text.len - p) != NULL ||
		!HasBlank(text.text, text.text + text.len);
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
		reading->has_other = true;
		ReadAddress(reading, text);
		return;
	}
	while (p < end && *p != '=' && *p != '?' && *p != '#' && *p != '/')
		p++;
	if (p < end && *p == '=' && IsQuery(text, p))
	{
		reading->is_canonical = true;
		ReadQueryAndFragment(reading, text.text, end);
	}
	else if (p < end && *p != '=' && (IsAddress(text, p) || (p == text.text && *p == '?')))
	{
		reading->has_other = true;
		if (p > text.text)
			reading->evidence.landing_host = align_campaign_host(text, &path);
		ReadAddress(reading, text);
	}
	else
		ReadPlain(reading, text);
}

/*
 * The beginning of a text in the database encoding, as UTF-8; absent if the
 * text is NULL.
 */
static LeadString
Utf8Text(const char *text, int len)
{
	if (text == NULL)
		return align_lead_bytes(NULL, 0);
	if (len > CAMPAIGN_MAX_ADDRESS)
		len = pg_mbcliplen(text, len, CAMPAIGN_MAX_ADDRESS);
	return align_campaign_to_utf8(align_lead_bytes(text, len));
}

/*
 * Reads an address and a referrer; true if the address consists of tags, or is
 * a plain text.
 */
bool
align_campaign_parse_utf8(const char *url, int len, const char *referrer, int referrer_len,
						  CampaignFields *fields)
{
	LeadString	address = Utf8Text(url, len);
	Reading		reading;

	memset(fields, 0, sizeof(*fields));
	memset(&reading, 0, sizeof(reading));
	reading.fields = fields;
	reading.evidence.redacted = -1;
	reading.evidence.referrer = Utf8Text(referrer, referrer_len);
	if (address.text != NULL)
		ReadText(&reading, address);
	if (reading.referrer.text != NULL)
	{
		LeadString	path;

		if (fields->source.text != NULL && fields->medium.text != NULL)
			fields->referrer = align_campaign_host(reading.referrer, &path);
		else
			SetIfEmpty(&reading.evidence.referrer, reading.referrer);
	}
	align_campaign_infer(fields, &reading.evidence);
	return !reading.has_other && reading.evidence.redacted < 0;
}

/*
 * Converts fields from UTF-8 to the database encoding.
 */
void
align_campaign_localize(CampaignFields *fields)
{
	for (int i = 0; i < CAMPAIGN_NFIELDS; i++)
	{
		LeadString *field = align_campaign_field(fields, i);

		if (field->text != NULL)
			*field = align_campaign_from_utf8(*field);
	}
}

/*
 * Reads an address and a referrer, with fields in the database encoding.
 */
void
align_campaign_parse(const char *url, int len, const char *referrer, int referrer_len,
					 CampaignFields *fields)
{
	(void) align_campaign_parse_utf8(url, len, referrer, referrer_len, fields);
	align_campaign_localize(fields);
}
