/*
 * labels.h
 *	  Labels of values that are looked up in another table of the owner.
 *
 * align.attach(stage_labels => 'crm_stage(id, name)') creates a view
 * <history>_stage_labels (key, label), which the attachment names.  A value
 * that the agreement knows as it stands is not looked up.  Any other is, once
 * for each value and statement, in the latest snapshot and as the owner of the
 * attached table.  A value that is not found stands for itself.
 */
#ifndef ALIGN_ATTACHMENT_LABELS_H
#define ALIGN_ATTACHMENT_LABELS_H

#include "compat.h"

#include "attachment/attachment.h"
#include "funnel/funnel.h"
#include "lead/lead.h"

/* Has a role a look-up? */
static inline bool
align_has_labels(const Attachment *attachment, RowRole role)
{
	return OidIsValid(attachment->marker.labels[role]);
}

/*
 * The label of a role's value, which is not absent; the value itself if the
 * role has no look-up, the funnel knows it, or it is not found.  A label is
 * palloc'd.  Raises an error if two rows have the value.
 */
extern LeadString align_role_label(Attachment *attachment, RowRole role, const Funnel *funnel,
								   LeadString value);

/*
 * Forget what was looked up: a new statement begins.
 */
extern void align_labels_forget(void);

#endif							/* ALIGN_ATTACHMENT_LABELS_H */
