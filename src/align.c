/*
 * align.c
 *	  Module magic, initialisation and settings; nothing else lives here.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/guc.h"

#include "settings.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

char	   *align_setting_override = "";

/*
 * align.override is for superusers and for roles that one of them has granted
 * SET on it: the server itself checks that right.
 */
void
_PG_init(void)
{
	DefineCustomStringVariable("align.override",
							   "Lets changes pass that the agreement of a table refuses, and says why.",
							   "While it is not empty, violations are recorded as events \"override\" with this text as their note. Meant for SET LOCAL.",
							   &align_setting_override, "",
							   PGC_SUSET, 0, NULL, NULL, NULL);
	MarkGUCPrefixReserved("align");
}
