/*
 * sweep.h
 *	  Frees what a session keeps about tables that no longer exist.
 */
#ifndef ALIGN_ATTACHMENT_SWEEP_H
#define ALIGN_ATTACHMENT_SWEEP_H

#include "compat.h"

#include "utils/hsearch.h"

/*
 * Before an element is added to a hash table whose key begins with an
 * AttachmentId: removes the elements of tables that no longer exist, whenever
 * there are twice as many elements as were left the last time.  *sweep_at is
 * for use by this function only, and initially 0.  free_element frees what an
 * element refers to.
 */
extern void align_sweep_dropped(HTAB *table, long *sweep_at, void (*free_element) (void *element));

#endif							/* ALIGN_ATTACHMENT_SWEEP_H */
