/*
 * recorder_identity.c
 *	  The identity that history and clocks are written with, as core's referential
 *	  triggers take on that of the owner.
 *
 * Should anything fail in between, the abort of the (sub)transaction restores
 * the identity, and what is below the guard.
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "miscadmin.h"

#include "enforce/recorder.h"

bool		align_recorder_writes = false;

static int	writing_level = 0;	/* nesting level of the outermost writer, 0 none */

static void
StopWriting(SubXactEvent event, SubTransactionId mySubid, SubTransactionId parentSubid, void *arg)
{
	(void) mySubid;
	(void) parentSubid;
	(void) arg;
	if (event == SUBXACT_EVENT_ABORT_SUB && writing_level >= GetCurrentTransactionNestLevel())
	{
		align_recorder_writes = false;
		writing_level = 0;
	}
}

static void
StopWritingAtEnd(XactEvent event, void *arg)
{
	(void) arg;
	if (event == XACT_EVENT_ABORT)
	{
		align_recorder_writes = false;
		writing_level = 0;
	}
}

void
align_become_owner(const Attachment *attachment, OwnerIdentity *identity)
{
	static bool registered = false;

	if (!registered)
	{
		RegisterXactCallback(StopWritingAtEnd, NULL);
		RegisterSubXactCallback(StopWriting, NULL);
		registered = true;
	}
	GetUserIdAndSecContext(&identity->userid, &identity->sec_context);
	identity->writing = align_recorder_writes;
	SetUserIdAndSecContext(attachment->root_owner,
						   identity->sec_context | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_NOFORCE_RLS);
	align_recorder_writes = true;
	if (writing_level == 0)
		writing_level = GetCurrentTransactionNestLevel();
}

void
align_resume_identity(const OwnerIdentity *identity)
{
	align_recorder_writes = identity->writing;
	if (!identity->writing)
		writing_level = 0;
	SetUserIdAndSecContext(identity->userid, identity->sec_context);
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
