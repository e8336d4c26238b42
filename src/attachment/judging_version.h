/*
 * judging_version.h
 *	  Which version of its agreement judges the rows of an attached table.
 *
 * As a rule it is the version in force.  Two cases differ:
 *
 *	  - While the clock of the server shows a time before the first version took
 *		force (it was set back), the first version judges: a table under an
 *		agreement stays writable.
 *	  - A table whose owner is not admitted any more stays under the last version
 *		that fits it (admission.h).  Versions up to the dismissal were checked by
 *		agree().  A later one fits if everything that it needs of the row can be
 *		compiled for the table, and if it knows every label of the last fitting
 *		version before it.
 */
#ifndef ALIGN_ATTACHMENT_JUDGING_VERSION_H
#define ALIGN_ATTACHMENT_JUDGING_VERSION_H

#include "compat.h"

#include "attachment/attachment.h"
#include "funnel/funnel.h"

/* The funnel that judges now, and the number of its version.  Raises if the
 * agreement does not exist. */
extern Funnel *align_judging_funnel(Attachment *attachment, int32 *version);

/* Does a later funnel give up a label that an earlier one knows? */
extern bool align_gives_up_labels(const Funnel *earlier, const Funnel *later);

#endif							/* ALIGN_ATTACHMENT_JUDGING_VERSION_H */
