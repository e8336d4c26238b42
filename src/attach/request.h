/*
 * request.h
 *	  What align.attach() was asked to do, and the steps that do it.
 */
#ifndef ALIGN_ATTACH_REQUEST_H
#define ALIGN_ATTACH_REQUEST_H

#include "compat.h"

#include "attachment/attachment.h"
#include "history/history.h"
#include "funnel/funnel.h"
#include "lib/stringinfo.h"
#include "nodes/pg_list.h"
#include "utils/array.h"

/* The history or the clock table of an attachment. */
typedef struct OwnTable
{
	const char *what;			/* "history", "clock table" */
	const OwnColumn *columns;
	int			ncolumns;
	char	   *schema;
	char	   *name;
	Oid			relid;
	bool		created;		/* by this call */
} OwnTable;

/*
 * What attach() was asked to do; names are resolved and checked one after the
 * other.
 */
typedef struct AttachRequest
{
	Oid			relid;			/* locked */
	Oid			owner;
	bool		partitioned;
	List	   *partitions;		/* OIDs of all of them, locked; without the
								 * root */
	bool		was_attached;
	AttachmentMarker before;	/* if it was */
	char	   *agreement;
	int32		version;		/* in force */
	Funnel	   *funnel;
	AttachMode	mode;
	bool		notify;
	int			nkeys;
	AttrNumber	key[ATTACHMENT_MAX_KEYS];
	AttrNumber	column[ROW_NROLES];
	Node	   *live;			/* parsed; NULL: none */
	OwnTable	history;
	OwnTable	sla;
	bool		without_clocks; /* the clock table is empty */
	bool		fresh;			/* the history too: nothing is recorded yet */
} AttachRequest;

/* check.c: what may be attached, and its columns */
extern void align_attach_check_table(Relation rel, List *partitions);
extern void align_attach_columns(AttachRequest *request, Relation rel, Name const *names);
extern AttrNumber align_attach_find_column(Relation rel, const char *name, const char *what);
extern void align_attach_reasons(const AttachRequest *request);

/* key.c */
extern void align_attach_key(AttachRequest *request, Relation rel, ArrayType *key);

/* own_table.c */
/* Name of the i-th key column in the history and the clock table. */
extern char *align_own_key_name(const AttachRequest *request, int i);

/* Appends "h.id = s.id AND ...": the keys of history and clock table, under these
 * aliases. */
extern void align_append_own_key_join(StringInfo sql, const AttachRequest *request,
									  const char *history, const char *sla);

/* Qualified and quoted; it need not exist yet. */
extern char *align_own_name(const OwnTable *own);

/* Who makes it and its indexes. */
extern Oid	align_own_creator(const AttachRequest *request, const OwnTable *own);

/* Raises that an existing table cannot be used; hint NULL: choose another name. */
extern void align_attach_wrong_table(const OwnTable *own, char *detail, char *hint);

/* tables.c: history and clock table */
extern void align_attach_name_tables(AttachRequest *request, text *history);
extern void align_attach_make_tables(AttachRequest *request);

/* adopt.c: locks an existing table, and raises unless it can be used */
extern void align_attach_adopt(const AttachRequest *request, const OwnTable *own);

/* Raises if the clock table has clocks of leads that the history does not have. */
extern void align_attach_check_clocks(const AttachRequest *request);

/* indexes.c: after the tables are filled, if they are new */
extern void align_attach_make_indexes(AttachRequest *request);

/* privileges.c */
extern void align_attach_privileges(const AttachRequest *request);

/* Warns of roles that can replace the triggers of the table. */
extern void align_attach_warn_of_trigger(const AttachRequest *request);

/* triggers.c */
extern void align_attach_make_triggers(AttachRequest *request);

/* Removes those of a table and its partitions; false if there were none. */
extern bool align_attach_drop_triggers(Oid relid, List *partitions);

/* Makes an ordinary table of a history or clock table: drops guards and pointer. */
extern void align_attach_release(Oid relid);

/* existing.c: rows that are there already; how many leads got an opening
 * entry */
extern int64 align_attach_rows(AttachRequest *request);

#endif							/* ALIGN_ATTACH_REQUEST_H */
