/*
 * amount.h
 *	  Amounts as canonical decimal text.
 */
#ifndef ALIGN_LEAD_AMOUNT_H
#define ALIGN_LEAD_AMOUNT_H

#include "lead/lead.h"

#define AMOUNT_MALFORMED (-1)
#define AMOUNT_TOO_LONG (-2)	/* more digits than numeric holds */

/*
 * Makes [+-]digits[.digits] canonical, in place.  Returns the new length, or
 * one of the codes above (the text is then unchanged).
 */
extern int	align_amount_canonical(char *text, int len);

/* True if the text is a canonical amount. */
extern bool align_amount_is_canonical(const char *text, int len);

#endif							/* ALIGN_LEAD_AMOUNT_H */
