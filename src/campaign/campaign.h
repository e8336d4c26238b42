/*
 * campaign.h
 *	  The campaign behind a touch: how an address is read, the stored form, and
 *	  its channel.
 *
 * Stored form.  A word of flags (value.h) and the canonical text: the fields
 * that are present, as "name=value" joined by "&", in the order and with the
 * names of CampaignField, values form-urlencoded by the WHATWG rules.  The
 * escapes are those of UTF-8 in every database encoding, so the text is ASCII,
 * and equal campaigns have equal bytes in all databases.
 *
 * Fields.  None is empty, has blanks around it, is longer than
 * CAMPAIGN_MAX_FIELD bytes in UTF-8, or contains an e-mail address.  ASCII
 * letters of source and medium are lower case.  The referrer is a host.
 *
 * Direct traffic is source "(direct)" with medium "(none)".
 */
#ifndef ALIGN_CAMPAIGN_H
#define ALIGN_CAMPAIGN_H

#include "compat.h"

#include "funnel/funnel.h"
#include "lead/lead.h"
#include "value.h"

/* Longer values are cut. */
#define CAMPAIGN_MAX_FIELD 1024

/* Of an address, so many bytes are read. */
#define CAMPAIGN_MAX_ADDRESS (1024 * 1024)

/* Takes the place of a tag that identifies a person, if it is alone. */
#define CAMPAIGN_REDACTED "(redacted)"

typedef enum CampaignField
{
	CAMPAIGN_SOURCE,
	CAMPAIGN_MEDIUM,
	CAMPAIGN_NAME,
	CAMPAIGN_TERM,
	CAMPAIGN_CONTENT,
	CAMPAIGN_ID,
	CAMPAIGN_SOURCE_PLATFORM,
	CAMPAIGN_CREATIVE_FORMAT,
	CAMPAIGN_MARKETING_TACTIC,
	CAMPAIGN_REFERRER
} CampaignField;

#define CAMPAIGN_NFIELDS 10

/*
 * A campaign as read; absent fields have a NULL text.
 */
typedef struct CampaignFields
{
	LeadString	source;
	LeadString	medium;
	LeadString	name;
	LeadString	term;
	LeadString	content;
	LeadString	id;
	LeadString	source_platform;
	LeadString	creative_format;
	LeadString	marketing_tactic;
	LeadString	referrer;
} CampaignFields;

/* The members by number. */
static inline LeadString *
align_campaign_field(CampaignFields *fields, CampaignField field)
{
	return (LeadString *) fields + field;
}

/* The names of parameters in the canonical text, by CampaignField. */
extern const LeadString align_campaign_tags[CAMPAIGN_NFIELDS];

/*
 * Read a landing address, a UTM query, a canonical text or a plain text, and
 * the address of the referrer (NULL if unknown).  Never raises on what the
 * text contains.  Strings are in the database encoding, and point into the
 * input or to static memory, or are palloc'd in the current context.
 */
extern void align_campaign_parse(const char *url, int len, const char *referrer, int referrer_len,
								 CampaignFields *fields);

/*
 * The same with fields in UTF-8.  True if the text has nothing but what the
 * fields have: a plain text, or a query of tags alone.
 */
extern bool align_campaign_parse_utf8(const char *url, int len, const char *referrer,
									  int referrer_len, CampaignFields *fields);

/* Convert fields from UTF-8 to the database encoding. */
extern void align_campaign_localize(CampaignFields *fields);

/* A palloc'd stored value of fields in UTF-8, at least one present. */
extern TextValue *align_campaign_value(CampaignFields *fields);

/* Parse the text form, strictly; NULL after a soft error. */
extern TextValue *align_campaign_parse_value(const char *text, Node *escontext);

/*
 * Decode the fields of a canonical text up to a field, in UTF-8; those after
 * it become absent.  Strings point into the text or are palloc'd.
 */
extern void align_campaign_decode_value(const char *text, int len, CampaignField last,
										CampaignFields *fields);

/*
 * The canonical text of an SQL argument, in place unless it must be detoasted,
 * flags checked.
 */
extern LeadString align_campaign_arg(Datum datum);

/*
 * The channel of a campaign, a static string or in the funnel, which may be
 * NULL.  Never NULL.  Fields are in the database encoding.
 */
extern const char *align_channel(const CampaignFields *fields, const Funnel *funnel);

#define CHANNEL_DIRECT "Direct"

#endif							/* ALIGN_CAMPAIGN_H */
