/*
 * import.h
 *	  Shared by the files of align.import_history().
 */
#ifndef ALIGN_MAINTAIN_IMPORT_H
#define ALIGN_MAINTAIN_IMPORT_H

#include "compat.h"

#include "datatype/timestamp.h"
#include "attachment/attachment.h"
#include "funnel/funnel.h"
#include "record/entry.h"
#include "utils/tuplestore.h"

/*
 * Columns of the user's query besides the key, in the order in which they
 * follow the key in the rows of a tuplestore.
 */
typedef enum ImportColumn
{
	IMPORT_AT,					/* timestamptz */
	IMPORT_ORDINAL,				/* bigint; decides between equal times */
	IMPORT_STAGE,				/* text, as the following ones */
	IMPORT_TEAM,
	IMPORT_ASSIGNEE,
	IMPORT_ACTOR,
	IMPORT_REASON,
	IMPORT_NOTE,
	IMPORT_CAMPAIGN,
	IMPORT_AMOUNT				/* numeric */
} ImportColumn;

#define IMPORT_NCOLUMNS (IMPORT_AMOUNT + 1)

/*
 * The rows of a user's query: key columns, then ImportColumns, which are null
 * where the query does not have them.  They are sorted by key, time, ordinal
 * and contents.
 */
typedef struct ImportRows
{
	Tuplestorestate *rows;
	TupleDesc	desc;
	bool		has[IMPORT_NCOLUMNS];	/* does the query have the column? */
} ImportRows;

/*
 * Runs a query with the privileges of the current user, and fills in its rows,
 * which use work_mem and temporary files.  (import_query.c)
 */
extern void align_import_query(const Attachment *attachment, const char *query, ImportRows *rows);

/* A row of the query.  Strings are NULL where the column is null. */
typedef struct ImportRow
{
	TimestampTz at;
	char	   *text[IMPORT_AMOUNT];	/* from IMPORT_STAGE on */
	bool		has_amount;
	Datum		amount;			/* numeric */
} ImportRow;

/* An entry of the history before the import. */
typedef struct KnownEntry
{
	HistoryEntry entry;			/* without the key */
	char	   *agreement;
	bool		merged;			/* merged from another lead */
	bool		not_live;		/* of a row that was not live */
} KnownEntry;

/*
 * The lead whose rows are imported: rows and known are the input, all others
 * the result.
 */
typedef struct ImportLead
{
	Datum	   *key;
	int			nrows;
	int			rows_room;		/* allocated size of rows, likewise below */
	ImportRow  *rows;			/* sorted */
	int			nknown;
	int			known_room;
	KnownEntry *known;			/* by entry_no */
	int			nentries;		/* new entries, which become the first ones */
	HistoryEntry *entries;
	bool		changed;		/* false if there is nothing to import */
	KnownEntry	first;			/* if changed: what known[0] becomes */
	int64		nimported;		/* rows that became entries */
	int64		nrepeated;		/* rows that say what is recorded, or what the
								 * row before says */
	int64		nlate;			/* other rows at or after what is recorded */
	bool		unknown;		/* nothing is recorded of the lead */
	bool		closed;			/* nothing can be put before its first entry */
} ImportLead;

/*
 * The version of an agreement that judges an entry.
 */
typedef struct ImportVersion
{
	const char *agreement;
	int32		version;
	Funnel	   *funnel;
} ImportVersion;

/*
 * The version that judges rows from before the first version of the agreement:
 * that of a known entry or, if that does not exist or is of another agreement,
 * the first one.  *own becomes the version of the entry, with a NULL funnel if
 * it does not exist.
 */
extern ImportVersion align_import_version_before(const Attachment *attachment,
												 const KnownEntry *known, ImportVersion *own);

/*
 * The version that judges a row: that in force at its time, or "before" if
 * there was none.  (import_judge.c, like the following ones)
 */
extern ImportVersion align_import_version_at(const ImportVersion *before, TimestampTz at);

/*
 * The name that a version has for a stage that was recorded under it or under
 * an earlier one; the recorded name if the version does not know the stage.
 */
extern const char *align_import_from_stage(const ImportVersion *by, const char *recorded);

/* True if a label stands for a stage that was recorded so. */
extern bool align_import_same_stage(const ImportVersion *by, const char *label,
									const char *recorded);

/*
 * Sets violation and handoff of an entry whose stages and reason are set.
 * recorded is the entry as it was recorded, NULL for a new one.
 */
extern void align_import_judge(HistoryEntry *entry, const KnownEntry *recorded,
							   const Funnel *funnel);

/*
 * Judges the rows of a lead, and decides which become entries.  Raises an
 * error if they begin at or after what is recorded, and contradict it.  Memory
 * belongs to the current context.  (import_lead.c)
 */
extern void align_import_lead(const Attachment *attachment, const ImportRows *rows,
							  const char *db_role, ImportLead *lead);

#endif							/* ALIGN_MAINTAIN_IMPORT_H */
