/*
 * lists.h
 *	  The lists of sources, parameters and words that campaigns are read with.
 *
 * The lists are the files in data, compiled into tables.h.
 */
#ifndef ALIGN_CAMPAIGN_LISTS_H
#define ALIGN_CAMPAIGN_LISTS_H

#include "campaign/campaign.h"

typedef enum SourceCategory
{
	SOURCE_UNLISTED,
	SOURCE_NONE,				/* below a listed host, but of no category */
	SOURCE_SEARCH,
	SOURCE_SHOPPING,
	SOURCE_SOCIAL,
	SOURCE_VIDEO,
	SOURCE_AI
} SourceCategory;

/*
 * A listed source; the key of a wildcard lacks the top-level domain.
 */
typedef struct SourceRow
{
	const char *key;
	int			key_len;
	SourceCategory category;
	const char *platform;		/* empty if category is SOURCE_NONE */
	int			platform_len;
} SourceRow;

/* The longest key. */
#define SOURCE_MAX_KEY 64

/*
 * The row of a source in lower case: of the name itself, or of the longest
 * suffix of a host that is listed.  NULL if there is none.
 */
extern const SourceRow *align_campaign_source(const char *source, int len);

typedef enum ClickEvidence
{
	EVIDENCE_PAID,
	EVIDENCE_AFFILIATE,
	EVIDENCE_EMAIL,
	EVIDENCE_FREE,
	EVIDENCE_ANY,
	EVIDENCE_SHARE
} ClickEvidence;

/* What a click id shows.  The number of a click id is that in the list. */
typedef struct ClickId
{
	const char *source;
	ClickEvidence evidence;
	const char *medium;			/* NULL if unknown */
	const char *partners;		/* platforms with blanks between, or "*" */
} ClickId;

extern const ClickId *align_campaign_click(int number);

typedef enum AddressParamKind
{
	PARAM_TAG,					/* number: a CampaignField */
	PARAM_CLICK,				/* number: of a click id */
	PARAM_GOOGLE_CAMPAIGN,		/* likewise; the value is a campaign's id */
	PARAM_HUBSPOT_CAMPAIGN,		/* likewise */
	PARAM_HUBSPOT_NETWORK		/* the source of PARAM_HUBSPOT_CAMPAIGN */
} AddressParamKind;

typedef struct ParamRow
{
	const char *name;
	int			name_len;
	AddressParamKind kind;
	int			number;
} ParamRow;

/* The longest name that the next function needs to see. */
#define PARAM_MAX_NAME 24

/* The row of a parameter, without regard to ASCII case; NULL if none. */
extern const ParamRow *align_campaign_param(const char *name, int len);

/*
 * True if a medium, in lower case, is that of paid traffic by the rule of
 * Google Analytics 4: ^(.*cp.*|ppc|retargeting|paid.*)$
 */
extern bool align_campaign_is_paid(LeadString medium);

/*
 * The channel that a word stands for, NULL if none.  Words that are names of
 * channels count only if alone is true.
 */
extern const char *align_campaign_word(const char *word, int len, bool alone);

#endif							/* ALIGN_CAMPAIGN_LISTS_H */
