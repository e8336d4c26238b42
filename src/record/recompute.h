/*
 * recompute.h
 *	  Clocks computed from all entries of leads.
 */
#ifndef ALIGN_RECORD_RECOMPUTE_H
#define ALIGN_RECORD_RECOMPUTE_H

#include "compat.h"

#include "attachment/attachment.h"

/*
 * Deletes the clocks of some leads and computes them from their histories.  keys are
 * those of one lead after the other; returns how many clocks they have.
 */
extern int64 align_recompute_clocks(Attachment *attachment, const Datum *keys, int nleads);

/*
 * The same of all leads that have entries or clocks.  The caller is connected to SPI
 * and keeps writers out.
 */
extern int64 align_recompute_all_clocks(Attachment *attachment);

#endif							/* ALIGN_RECORD_RECOMPUTE_H */
