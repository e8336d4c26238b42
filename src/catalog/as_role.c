/*
 * as_role.c
 *	  Running code as another role; see as_role.h.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/guc.h"

#include "catalog/as_role.h"

/*
 * Makes role the current user and saves the previous one in *caller.
 */
void
align_work_as(Oid role, CallerRole *caller)
{
	GetUserIdAndSecContext(&caller->userid, &caller->sec_context);
	SetUserIdAndSecContext(role, caller->sec_context |
						   SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
}

/*
 * Restores the user that align_work_as() saved.
 */
void
align_return_to(const CallerRole *caller)
{
	SetUserIdAndSecContext(caller->userid, caller->sec_context);
}

/*
 * Starts a security-restricted operation as a role, with a fixed search_path.
 */
void
align_begin_restricted(RestrictedCaller *caller, Oid role)
{
	GetUserIdAndSecContext(&caller->role.userid, &caller->role.sec_context);
	SetUserIdAndSecContext(role, caller->role.sec_context | SECURITY_RESTRICTED_OPERATION);
	caller->guc_nestlevel = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

/*
 * Restores the settings, the user and the security context from before
 * align_begin_restricted().
 */
void
align_end_restricted(const RestrictedCaller *caller)
{
	AtEOXact_GUC(false, caller->guc_nestlevel);
	align_return_to(&caller->role);
}

/*
 * Connects to SPI or raises an error.
 */
void
align_spi_connect(void)
{
	int			result = SPI_connect();

	if (result != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed: %s", SPI_result_code_string(result));
}

/*
 * Executes a command as the current user; the caller is connected to SPI.
 */
void
align_spi_execute(const char *command)
{
	int			result = SPI_execute(command, false, 0);

	if (result < 0)
		elog(ERROR, "SPI_execute failed: %s: %s", SPI_result_code_string(result), command);
}

/*
 * Executes a command as a role; the caller is connected to SPI.
 */
void
align_execute_as(Oid role, const char *command)
{
	CallerRole	caller;

	align_work_as(role, &caller);
	align_spi_execute(command);
	align_return_to(&caller);
}

/*
 * Like align_execute_as(), with a format and its arguments.
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
