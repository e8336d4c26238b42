/*
 * attach_as.c
 *	  Working as the owner of a table.
 *
 * What attach() makes belongs to the table's owner, whoever of that role's
 * members (or which superuser) calls it.  Should a command fail, the abort of
 * the (sub)transaction restores the caller's identity and settings.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/guc.h"

#include "enforce/attach.h"

void
align_execute_as(Oid role, const char *command)
{
	CallerIdentity caller;

	align_become(role, 0, &caller);
	if (SPI_execute(command, false, 0) < 0)
		elog(ERROR, "SPI_execute failed: %s", command);
	align_resume(&caller);
}

/*
 * The same for a command that is put together.
 */
void
align_execute_format(Oid role, const char *format,...)
{
	StringInfoData command;

	initStringInfo(&command);
	for (;;)
	{
		va_list		args;
		int			needed;

		va_start(args, format);
		needed = appendStringInfoVA(&command, format, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&command, needed);
	}
	align_execute_as(role, command.data);
	pfree(command.data);
}

/*
 * Names in what we write and read back (conditions of triggers, collations)
 * must mean the same wherever attach() is called; so only what is built in is
 * found without its schema.
 */
int
align_push_search_path(void)
{
	int			nestlevel = NewGUCNestLevel();

	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	return nestlevel;
}
