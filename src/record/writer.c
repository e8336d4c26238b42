/*
 * writer.c
 *	  The identity that record tables are written with; see writer.h.
 *
 * As PostgreSQL's referential integrity triggers do, the recorder works as the
 * owner of the table.  The guard on record tables lets pass only writes to
 * those of the attachment that is being written.  So code that runs meanwhile,
 * such as triggers of the owner on these tables, cannot write to the record
 * tables of other attachments.
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "catalog/as_role.h"
#include "record/writer.h"

/* A stack of the calls of align_become_owner() in effect. */
typedef struct Writer
{
	Oid			history;
	Oid			sla;
	Oid			caller;			/* current user before */
	int			nest_level;
} Writer;

static Writer *writers = NULL;
static int	nwriters = 0;
static int	maxwriters = 0;

/*
 * True if align is writing the record tables that relid is one of.
 */
bool
align_recorder_writes(Oid relid)
{
	return nwriters > 0 &&
		(relid == writers[nwriters - 1].history || relid == writers[nwriters - 1].sla);
}

/*
 * Returns the role for which record tables are being written.
 */
Oid
align_recorder_caller(void)
{
	return nwriters > 0 ? writers[nwriters - 1].caller : GetUserId();
}

/*
 * Subtransaction callback: removes the writers of an aborted subtransaction.
 */
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

/*
 * Transaction callback: likewise.
 */
static void
StopWritingAtEnd(XactEvent event, void *arg)
{
	(void) arg;
	if (event == XACT_EVENT_ABORT)
		nwriters = 0;
}

/*
 * Pushes a writer on the stack.
 */
static void
AddWriter(const Attachment *attachment)
{
	Writer	   *writer;

	if (writers == NULL)
	{
		maxwriters = 4;
		writers = MemoryContextAlloc(TopMemoryContext, maxwriters * sizeof(Writer));
		RegisterXactCallback(StopWritingAtEnd, NULL);
		RegisterSubXactCallback(StopWriting, NULL);
	}
	else if (nwriters == maxwriters)
	{
		writers = repalloc(writers, 2 * maxwriters * sizeof(Writer));
		maxwriters *= 2;
	}
	writer = &writers[nwriters++];
	writer->history = attachment->marker.history;
	writer->sla = attachment->marker.sla;
	writer->caller = GetUserId();
	writer->nest_level = GetCurrentTransactionNestLevel();
}

/*
 * Switches to the identity that record tables are written with.
 */
void
align_become_owner(const Attachment *attachment, OwnerIdentity *identity)
{
	Assert(attachment->fault == NULL);
	identity->nwriters = nwriters;
	AddWriter(attachment);
	align_work_as(attachment->root_owner, &identity->caller);
}

/*
 * Restores the identity before align_become_owner().
 */
void
align_resume_identity(const OwnerIdentity *identity)
{
	nwriters = identity->nwriters;
	align_return_to(&identity->caller);
}

/*
 * Executes a command as the owner, and returns SPI's result code.
 */
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

/*
 * Raises an error unless all rows were written.
 */
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
