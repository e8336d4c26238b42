/*
 * sweep.c
 *	  Frees what a session keeps about tables that no longer exist.
 */
#include "postgres.h"

#include "utils/syscache.h"

#include "attachment/attachment.h"
#include "attachment/sweep.h"

/* Number of elements that are never swept. */
#define SMALL_TABLE 16

/*
 * Removes the elements of tables that no longer exist, at times.
 */
void
align_sweep_dropped(HTAB *table, long *sweep_at, void (*free_element) (void *element))
{
	HASH_SEQ_STATUS status;
	void	   *element;

	if (hash_get_num_entries(table) < Max(*sweep_at, SMALL_TABLE))
		return;
	hash_seq_init(&status, table);
	while ((element = hash_seq_search(&status)) != NULL)
	{
		const AttachmentId *id = (AttachmentId *) element;

		if (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(id->relid)))
			continue;
		free_element(element);
		hash_search(table, element, HASH_REMOVE, NULL);
	}
	*sweep_at = 2 * hash_get_num_entries(table);
}
