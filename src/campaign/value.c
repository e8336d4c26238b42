/*
 * value.c
 *	  The canonical text of a campaign: written, read, and parsed strictly.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "campaign/text.h"
#include "text_scan.h"

/* The longest name of a parameter that a message repeats. */
#define MESSAGE_NAME 64

#define TAG(name) {(name), sizeof(name) - 1}

const LeadString align_campaign_tags[CAMPAIGN_NFIELDS] = {
	TAG("utm_source"),
	TAG("utm_medium"),
	TAG("utm_campaign"),
	TAG("utm_term"),
	TAG("utm_content"),
	TAG("utm_id"),
	TAG("utm_source_platform"),
	TAG("utm_creative_format"),
	TAG("utm_marketing_tactic"),
	TAG("referrer")
};

StaticAssertDecl(sizeof(CampaignFields) == CAMPAIGN_NFIELDS * sizeof(LeadString),
				 "CampaignFields has a member for each CampaignField");

TextValue *
align_campaign_value(CampaignFields *fields)
{
	StringInfoData out;
	TextValue  *value;

	/* the text grows behind the room for the header, so it is not copied */
	initStringInfo(&out);
	out.len = offsetof(TextValue, text);
	for (int i = 0; i < CAMPAIGN_NFIELDS; i++)
	{
		const LeadString *field = align_campaign_field(fields, i);

		if (field->text == NULL)
			continue;
		if (out.len > (int) offsetof(TextValue, text))
			appendStringInfoCharMacro(&out, '&');
		appendBinaryStringInfo(&out, align_campaign_tags[i].text, align_campaign_tags[i].len);
		appendStringInfoCharMacro(&out, '=');
		align_campaign_encode(&out, *field);
	}
	value = (TextValue *) out.data;
	value->flags = 0;
	SET_VARSIZE(value, out.len);
	return value;
}

LeadString
align_campaign_arg(Datum datum)
{
	struct varlena *value = PG_DETOAST_DATUM_PACKED(datum);
	uint32		flags;
	int			len = (int) VARSIZE_ANY_EXHDR(value) - (int) sizeof(flags);

	if (len < 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("stored value of type campaign is too short")));
	memcpy(&flags, VARDATA_ANY(value), sizeof(flags));
	align_check_flags(flags, "campaign");
	if (memchr(VARDATA_ANY(value) + sizeof(flags), '\0', len) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("stored value of type campaign is corrupted"),
				 errdetail("It contains a NUL byte.")));
	return align_lead_bytes(VARDATA_ANY(value) + sizeof(flags), len);
}

void
align_campaign_decode_value(const char *text, int len, CampaignField last, CampaignFields *fields)
{
	const char *end = text + len;
	const char *p = text;
	int			number = 0;

	memset(fields, 0, sizeof(*fields));
	while (p < end && number <= (int) last)
	{
		const LeadString *tag = &align_campaign_tags[number];
		const char *stop;

		/* fields are in order, so each name is compared once */
		if (end - p <= tag->len || p[tag->len] != '=' || memcmp(p, tag->text, tag->len) != 0)
		{
			number++;
			continue;
		}
		p += tag->len + 1;
		stop = memchr(p, '&', end - p);
		if (stop == NULL)
			stop = end;
		*align_campaign_field(fields, number) = align_campaign_decode(p, (int) (stop - p));
		p = stop + 1;
		number++;
	}
}

/*
 * The field of a parameter's name, -1 if none.
 */
static int
FindTag(const char *name, int len)
{
	for (int i = 0; i < CAMPAIGN_NFIELDS; i++)
		if (align_campaign_tags[i].len == len &&
			memcmp(align_campaign_tags[i].text, name, len) == 0)
			return i;
	return -1;
}

/*
 * The number of times that a string of len bytes occurs from p to end.
 */
static int
CountOccurrences(const char *p, const char *end, const char *string, int len)
{
	int			n = 0;

	for (; end - p >= len; p++)
		n += memcmp(p, string, len) == 0;
	return n;
}

static inline bool
IsHexDigit(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

/*
 * Reports an escape in a value, which is in UTF-8, that cannot be decoded;
 * false if there is one.  at is the value in the scanned text.
 */
static bool
CheckEscapes(TextScan *scan, const char *at, LeadString value)
{
	const char *end = value.text + value.len;
	LeadString	decoded;

	for (const char *p = value.text; p < end; p++)
		if (*p == '%' && (end - p < 3 || !IsHexDigit(p[1]) || !IsHexDigit(p[2])))
			return align_scan_fail(scan, value.text == at ? p : at,
								   "A \"%\" must be followed by two hexadecimal digits.",
								   "Write \"%25\" for a percent sign.", "invalid escape");

	/* an escape that could not be decoded is still there */
	decoded = align_campaign_decode(value.text, value.len);
	if (CountOccurrences(decoded.text, decoded.text + decoded.len, "%", 1) !=
		CountOccurrences(value.text, end, "%25", 3))
		return align_scan_fail(scan, at, "The escaped bytes must be characters in UTF-8, and not NUL.", NULL,
							   "invalid escape");
	return true;
}

/*
 * Reads one parameter, p to end, into its field.
 */
static bool
ReadParam(TextScan *scan, const char *p, const char *end, CampaignFields *fields)
{
	const char *equals = memchr(p, '=', end - p);
	const char *value;
	int			number;
	LeadString *field;
	LeadString	decoded;

	if (equals == NULL)
		return align_scan_fail(scan, p, NULL,
							   "Other texts are read by align.parse_campaign().",
							   "expected a parameter \"name=value\"");
	value = equals + 1;
	number = FindTag(p, (int) (equals - p));
	if (number < 0)
	{
		int			shown = pg_mbcliplen(p, (int) (equals - p), MESSAGE_NAME);

		return align_scan_fail(scan, p, NULL,
							   "A landing address with other parameters is read by align.parse_campaign().",
							   "unknown parameter \"%.*s\"", shown, p);
	}
	field = align_campaign_field(fields, number);
	if (field->text != NULL)
		return align_scan_fail(scan, p, NULL, NULL, "repeated parameter \"%s\"",
							   align_campaign_tags[number].text);
	decoded = align_campaign_to_utf8(align_lead_bytes(value, (int) (end - value)));
	if (!CheckEscapes(scan, value, decoded))
		return false;

	decoded = align_campaign_trim(align_campaign_decode(decoded.text, decoded.len));
	if (decoded.len == 0)
		return align_scan_fail(scan, value, "An absent field is left out.", NULL,
							   "empty value of parameter \"%s\"",
							   align_campaign_tags[number].text);
	if (decoded.len > CAMPAIGN_MAX_FIELD)
		return align_scan_fail_code(scan, ERRCODE_PROGRAM_LIMIT_EXCEEDED, value,
									psprintf("A value has at most %d bytes in UTF-8.", CAMPAIGN_MAX_FIELD),
									NULL, "value of parameter \"%s\" is too long",
									align_campaign_tags[number].text);
	if (align_campaign_has_email(decoded))
		return align_scan_fail(scan, value, "A campaign does not contain e-mail addresses.", NULL,
							   "invalid value of parameter \"%s\"",
							   align_campaign_tags[number].text);
	if (number == CAMPAIGN_REFERRER)
	{
		LeadString	path;
		LeadString	host = align_campaign_host(decoded, &path);

		if (host.text == NULL || host.len != decoded.len)
			return align_scan_fail(scan, value, "The referrer of a campaign is a host.", NULL,
								   "invalid value of parameter \"%s\"",
								   align_campaign_tags[number].text);
		decoded = host;
	}
	*field = align_campaign_clean(decoded, number <= CAMPAIGN_MEDIUM);
	return true;
}

TextValue *
align_campaign_parse_value(const char *text, Node *escontext)
{
	TextScan	scan;
	CampaignFields fields;
	const char *p = text;

	align_scan_begin(&scan, text, "campaign", false, escontext);
	memset(&fields, 0, sizeof(fields));
	for (;;)
	{
		const char *stop = strchr(p, '&');

		if (!ReadParam(&scan, p, stop != NULL ? stop : scan.end, &fields))
			return NULL;
		if (stop == NULL)
			break;
		p = stop + 1;
	}

	/* align_campaign_parse would take source and medium from the referrer */
	if (fields.referrer.text != NULL && (fields.source.text == NULL || fields.medium.text == NULL))
	{
		align_scan_fail(&scan, text, "A referrer needs a source and a medium.",
						"A referrer's address is read by align.parse_campaign().",
						"incomplete campaign");
		return NULL;
	}
	return align_campaign_value(&fields);
}
