/*
 * names_kept.h
 *	  Whether names in queries still mean what they meant.
 *
 * The queries of reports run as the owner of the attached table, and name the
 * schemas of the reports, of the table and of its history.  The owner of such
 * a schema can rename it, and create another one of its name, with code that
 * would then run as the owner of the table.  So these names are taken down at
 * the beginning.  A query is parsed, which locks what it names, then the names
 * are checked, and only then is it executed.
 */
#ifndef ALIGN_REPORT_NAMES_KEPT_H
#define ALIGN_REPORT_NAMES_KEPT_H

#include "compat.h"

#include "attachment/attachment.h"
#include "executor/spi.h"
#include "storage/itemptr.h"

/* A version of a schema's row in pg_namespace. */
typedef struct SchemaVersion
{
	Oid			schema;
	TransactionId xmin;
	ItemPointerData tid;
} SchemaVersion;

typedef struct NamesKept
{
	const Attachment *attachment;
	const char *purpose;		/* for the message: "write the weekly page" */
	SchemaVersion schemas[4];
} NamesKept;

/*
 * Takes down the names of the schemas of an attachment and of its reports,
 * before they are used.
 */
extern void align_names_begin(NamesKept *names, const Attachment *attachment, Oid reports, const char *purpose);

/*
 * Raises an error if a name in a query that has been parsed may have referred
 * to another schema or table than at the beginning.
 */
extern void align_names_check(const NamesKept *names);

/*
 * Parses a query, checks the names, and returns its plan, to be executed at
 * once.  The caller is connected to SPI.
 */
extern SPIPlanPtr align_names_prepare(const NamesKept *names, const char *query, int nargs, Oid *types);

#endif							/* ALIGN_REPORT_NAMES_KEPT_H */
