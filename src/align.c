/*
 * align.c
 *	  Module magic, initialisation and settings.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/guc.h"

#include "settings.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

char	   *align_setting_override = "";

/*
 * align.override may be set by superusers, and by roles that have been granted
 * SET on it; the server checks that right.
 */
void
_PG_init(void)
{
	DefineCustomStringVariable("align.override",
							   "Reason to allow changes that the agreement of a table refuses.",
							   "While it is not empty, violations are recorded as events "
							   "\"override\" with this text as their note. Meant for SET LOCAL.",
							   &align_setting_override, "",
							   PGC_SUSET, 0, NULL, NULL, NULL);
	MarkGUCPrefixReserved("align");
}
