/*
 * judging_version.h
 *	  Which version of its agreement judges the rows of an attached table.
 *
 * It is the version in force, except in two cases:
 *
 *	  - If no version is in force yet because the clock of the server was set
 *		back, the first version judges, so that an attached table stays
 *		writable.
 *	  - A table whose owner is no longer admitted stays under the last version
 *		that fits it (admission.h).  Versions up to the dismissal fit, since
 *		agree() checked them.  A later version fits if all its needs can be
 *		compiled for the table, and if it has every label of the last fitting
 *		version before it.
 */
#ifndef ALIGN_ATTACHMENT_JUDGING_VERSION_H
#define ALIGN_ATTACHMENT_JUDGING_VERSION_H

#include "compat.h"

#include "attachment/attachment.h"
#include "funnel/funnel.h"

/*
 * The funnel that judges now, and the number of its version.  The funnel lives
 * as long as the backend.  Raises an error if the agreement does not exist.
 */
extern Funnel *align_judging_funnel(Attachment *attachment, int32 *version);

/* True if an earlier funnel has a label that a later one does not have. */
extern bool align_drops_labels(const Funnel *earlier, const Funnel *later);

#endif							/* ALIGN_ATTACHMENT_JUDGING_VERSION_H */
