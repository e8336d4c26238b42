/*
 * evidence.h
 *	  What click ids and the referrer show about the source of a visit.
 */
#ifndef ALIGN_CAMPAIGN_EVIDENCE_H
#define ALIGN_CAMPAIGN_EVIDENCE_H

#include "campaign/campaign.h"

/*
 * What an address contains beside the tags, in UTF-8.
 */
typedef struct CampaignEvidence
{
	uint64		clicks;			/* bits: the click ids present, by number */
	LeadString	google_campaign;	/* values of PARAM_GOOGLE_CAMPAIGN, ... */
	LeadString	hubspot_campaign;
	LeadString	hubspot_network;
	LeadString	landing_host;
	LeadString	referrer;		/* the referring address */
	int			redacted;		/* the first CampaignField whose tag
								 * identifies a person, -1 if none */
} CampaignEvidence;

/*
 * Complete the fields that tags gave, if they lack source or medium.  Sets
 * direct traffic if there are neither tags nor evidence; a tag that identifies
 * a person is one.
 */
extern void align_campaign_infer(CampaignFields *fields, const CampaignEvidence *evidence);

/* Set the fields of direct traffic. */
extern void align_campaign_set_direct(CampaignFields *fields);

#endif							/* ALIGN_CAMPAIGN_EVIDENCE_H */
