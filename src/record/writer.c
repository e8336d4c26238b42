/*
 * writer.c
 *	  The identity that history and clocks are written with, as core's referential
 *	  triggers take on that of the owner.
 *
 * Should anything fail in between, the abort of the (sub)transaction restores
 * the identity, and what is below the guard.
 *
 * The guard on history and clocks lets pass only those of the attachment that is
 * being written: another table's triggers, or a trigger that somebody put on a
 * history of theirs, do not get past it.
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "catalog/as_role.h"
#include "record/writer.h"

/* The writers under way, each within the one before. */
typedef struct Writer
{
	Oid			history;
	Oid			sla;
	Oid			caller;			/* the role that it writes for */
	int			nest_level;
} Writer;

static Writer *writers = NULL;
static int	nwriters = 0;
static int	writers_room = 0;

bool
align_recorder_writes(Oid relid)
{
	return nwriters > 0 &&
		(relid == writers[nwriters - 1].history || relid == writers[nwriters - 1].sla);
}

Oid
align_recorder_caller(void)
{
	return nwriters > 0 ? writers[nwriters - 1].caller : GetUserId();
}

static void
StopWriting(SubXactEvent event, SubTransactionId mySubid, SubTransactionId parentSubid, void *arg)
{
	(void) mySubid;
	(void) parentSubid;
	(void) arg;
	if (event != SUBXACT_EVENT_ABORT_SUB)
		return;
	while (nwriters > 0 && writers[nwriters - 1].nest_level >= GetCurrentTransactionNestLevel())
		nwriters--;
}

static void
StopWritingAtEnd(XactEvent event, void *arg)
{
	(void) arg;
	if (event == XACT_EVENT_ABORT)
		nwriters = 0;
}

static void
AddWriter(const Attachment *attachment)
{
	Writer	   *writer;

	if (writers == NULL)
	{
		writers_room = 4;
		writers = MemoryContextAlloc(TopMemoryContext, writers_room * sizeof(Writer));
		RegisterXactCallback(StopWritingAtEnd, NULL);
		RegisterSubXactCallback(StopWriting, NULL);
	}
	else if (nwriters == writers_room)
	{
		writers = repalloc(writers, 2 * writers_room * sizeof(Writer));
		writers_room *= 2;
	}
	writer = &writers[nwriters++];
	writer->history = attachment->marker.history;
	writer->sla = attachment->marker.sla;
	writer->caller = GetUserId();
	writer->nest_level = GetCurrentTransactionNestLevel();
}

void
align_become_owner(const Attachment *attachment, OwnerIdentity *identity)
{
	Assert(attachment->fault == NULL);
	identity->nwriting = nwriters;
	AddWriter(attachment);
	align_work_as(attachment->root_owner, &identity->caller);
}

void
align_resume_identity(const OwnerIdentity *identity)
{
	nwriters = identity->nwriting;
	align_return_to(&identity->caller);
}

int
align_execute_as_owner(Attachment *attachment, const char *command, int nargs,
					   Oid *types, Datum *values, const char *nulls)
{
	OwnerIdentity identity;
	int			result;

	align_become_owner(attachment, &identity);
	result = SPI_execute_with_args(command, nargs, types, values, nulls, false, 0);
	align_resume_identity(&identity);
	if (result < 0)
		elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(result));
	return result;
}

void
align_check_written(const Attachment *attachment, uint64 nwritten, uint64 ngiven)
{
	if (nwritten == ngiven)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("could not write all history and clock rows of table %s",
					attachment->root_name),
			 errdetail("Only " UINT64_FORMAT " of " UINT64_FORMAT " rows were written to %s or %s.",
					   nwritten, ngiven, attachment->history_name, attachment->sla_name),
			 errhint("Check for a trigger on these tables that returns NULL.")));
}
