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
 * Make [+-]digits[.digits] canonical in place; the new length or one of the
 * codes above.
 */
extern int	align_amount_canonical(char *text, int len);
extern bool align_amount_is_canonical(const char *text, int len);

#endif							/* ALIGN_LEAD_AMOUNT_H */
