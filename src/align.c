/*
 * align.c
 *	  Module magic and initialisation; nothing else lives here.
 */
#include "postgres.h"

#include "fmgr.h"

PG_MODULE_MAGIC;
