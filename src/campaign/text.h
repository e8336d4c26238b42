/*
 * text.h
 *	  Texts of campaigns: form-urlencoded values, hosts, encodings.
 *
 * All texts but those of the last two functions are in UTF-8.
 */
#ifndef ALIGN_CAMPAIGN_TEXT_H
#define ALIGN_CAMPAIGN_TEXT_H

#include "campaign/campaign.h"

/*
 * Decode a form-urlencoded text: "+" is a blank, "%XX" a byte.  Escapes of NUL
 * and of bytes that are not valid UTF-8, and a "%" without two digits, stay as
 * they are.  Points into the input if there is nothing to decode, else
 * palloc'd.
 */
extern LeadString align_campaign_decode(const char *text, int len);

/*
 * A field's value of a decoded text: without blanks around it, cut at
 * CAMPAIGN_MAX_FIELD, ASCII letters in lower case if fold is true.  Absent if
 * nothing is left, or if it contains an e-mail address.
 */
extern LeadString align_campaign_clean(LeadString text, bool fold);

/* The text without blanks around it. */
extern LeadString align_campaign_trim(LeadString text);

/* True if the text contains an e-mail address, "@" written as "%40" too. */
extern bool align_campaign_has_email(LeadString text);

/* Append a form-urlencoded text. */
extern void align_campaign_encode(StringInfo out, LeadString text);

/*
 * The host of an address "scheme://user@host:port/path", of "//host/path" or
 * "host/path", in lower case, without the dot at its end; *path is what
 * follows it.  Absent if the text has no valid host.
 */
extern LeadString align_campaign_host(LeadString address, LeadString *path);

/* True if the bytes are equal without regard to ASCII case. */
extern bool align_campaign_same_letters(const char *a, const char *b, int len);

/* The length of "scheme:" if the text begins with "scheme:/", else 0. */
extern int	align_campaign_scheme(LeadString text);

/*
 * Convert from the database encoding to UTF-8, and back.  A character that the
 * other encoding does not have becomes "%XX" for each of its bytes.  The same
 * text where nothing changes, else palloc'd.
 */
extern LeadString align_campaign_to_utf8(LeadString text);
extern LeadString align_campaign_from_utf8(LeadString text);

#endif							/* ALIGN_CAMPAIGN_TEXT_H */
