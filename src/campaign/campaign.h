/*
 * campaign.h
 *	  Stand-in for the campaign folder, until it is merged.
 */
#ifndef ALIGN_CAMPAIGN_H
#define ALIGN_CAMPAIGN_H

#include "compat.h"

#include "funnel/funnel.h"
#include "lead/lead.h"

#define CHANNEL_DIRECT "Direct"

typedef struct CampaignFields
{
	LeadString	source,
				medium,
				name,
				term,
				content,
				id,
				source_platform,
				creative_format,
				marketing_tactic,
				referrer;
} CampaignFields;

extern void align_campaign_parse(const char *url, int len, const char *referrer, int referrer_len,
								 CampaignFields *fields);
extern const char *align_channel(const CampaignFields *fields, const Funnel *funnel);

#endif							/* ALIGN_CAMPAIGN_H */
