/*
 * request.h
 *	  The request of an align.attach() call, and the steps that carry it out.
 *
 * The functions raise an error if the request cannot be carried out.  They are
 * called in the security-restricted operation of attach() or detach(), as the
 * owner of the table, connected to SPI.
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
#include "utils/jsonb.h"

/*
 * A record table of the attachment: the history or the clock table.
 */
typedef struct RecordTable
{
	const char *what;			/* "history" or "clock table" */
	const OwnColumn *columns;	/* the columns after the key */
	int			ncolumns;
	char	   *schema;
	char	   *name;
	Oid			relid;			/* InvalidOid until it exists */
	bool		created;		/* was it created by this call? */
} RecordTable;

/*
 * A look-up of labels: attach(stage_labels => 'crm_stage(id, name)').
 */
struct LookupText;
typedef struct Lookup
{
	struct LookupText *text;
	Oid			relid;			/* the table that is looked up in */
	AttrNumber	key;
	Node	   *label;			/* parsed; varno 1 is that table */
} Lookup;

/*
 * The request.  The steps fill it in, in about the order of its members.
 */
typedef struct AttachRequest
{
	Oid			relid;			/* the table, which is locked */
	Oid			caller;			/* of attach(); the current user is owner */
	Oid			owner;			/* of the table */
	bool		partitioned;
	List	   *partitions;		/* OIDs of the partitions of every level,
								 * which are locked */
	bool		replace;		/* may it replace another attachment? */
	bool		was_attached;	/* does the attachment exist? */
	AttachmentMarker before;	/* its marker, if was_attached */
	char	   *agreement;
	int32		version;		/* version in force */
	Funnel	   *funnel;			/* that of version */
	AttachMode	mode;
	AttachOptions options;		/* the number is set last (choose.c) */
	int			nkeys;
	AttrNumber	key[ATTACHMENT_MAX_KEYS];
	AttrNumber	column[ROW_NROLES];
	Node	   *expression[ROW_NROLES]; /* parsed; varno 1 is the table; NULL:
										 * none */
	Node	   *live;			/* parsed; varno 1 is the table; NULL: all
								 * rows are live */
	Lookup	   *lookup[ROW_NROLES]; /* NULL: none */
	Oid			labels[ROW_NROLES]; /* their views, InvalidOid until created */
	RecordTable history;
	RecordTable sla;
	bool		without_clocks; /* is the clock table empty? */
	bool		fresh;			/* are both record tables empty? */
} AttachRequest;

/* check.c */

/* Checks that a table of this kind, with these partitions, can be attached. */
extern void align_attach_check_table(Relation rel, List *partitions);

/*
 * Sets column and expression.  texts has the argument for each role, NULL:
 * none: the exact name of a column, or an expression on the row.
 */
extern void align_attach_set_roles(AttachRequest *request, Relation rel, char *const *texts);

/*
 * The columns that a role is read from, by attnum -
 * FirstLowInvalidHeapAttributeNumber.
 */
extern Bitmapset *align_attach_role_columns(const AttachRequest *request, RowRole role);

/* Checks that columns of times without a zone have one by time_zone. */
extern void align_attach_check_times(const AttachRequest *request, Relation rel);

/* A column of the table by name; what is the argument that names it. */
extern AttrNumber align_attach_find_column(Relation rel, const char *name, const char *what);

/* NOTICE if the agreement requires reasons and there is no reason column. */
extern void align_attach_check_reasons(const AttachRequest *request);

/* rules.c */

/*
 * Sets the modes of single rules from the argument "rules" of attach(), an
 * object of modes by rule.
 */
extern void align_attach_set_rules(AttachOptions *options, Jsonb *rules);

/* key.c */

/*
 * Sets key and nkeys: the columns named in an array of name, or the primary
 * key if that is NULL.  Called after align_attach_set_roles().
 */
extern void align_attach_set_key(AttachRequest *request, Relation rel, ArrayType *key);

/* record_table.c */

/* Name that key column i gets in new record tables; palloc'd. */
extern char *align_record_key_name(const AttachRequest *request, int i);

/*
 * Appends "h.id = s.id AND ..." for the keys of the record tables, with "h"
 * and "s" as the aliases of history and clock table.
 */
extern void align_append_record_key_join(StringInfo sql, const AttachRequest *request,
										 const char *history, const char *sla);

/* Name of a record table, qualified and quoted; it need not exist yet. */
extern char *align_record_table_name(const RecordTable *table);

/*
 * The role that creates a record table and its indexes: the owner of the
 * attached table if it may create tables in the schema, else the caller if it
 * is a superuser.  Raises an error if neither is the case.
 */
extern Oid	align_record_table_creator(const AttachRequest *request, const RecordTable *table);

/*
 * Raises an error: the existing table cannot be used as record table.  If hint
 * is NULL, the hint is to choose another name.
 */
extern void align_refuse_record_table(const RecordTable *table, char *detail, char *hint);

/* choose.c */

/*
 * Decides which attachment of the table is changed, or whether a further one
 * is made: sets was_attached, before, and the number of the attachment.  The
 * name of the history is set: the one that the caller has named, or else the
 * default.
 */
extern void align_attach_choose(AttachRequest *request, bool history_is_named);

/* tables.c */

/*
 * Sets the names of the record tables, and chooses the attachment; history is
 * the argument, or NULL.
 */
extern void align_attach_name_tables(AttachRequest *request, text *history);

/* Creates the record tables, or checks the existing ones. */
extern void align_attach_make_tables(AttachRequest *request);

/* adopt.c */

/* Locks an existing table and checks that it can be used as record table. */
extern void align_attach_adopt(const AttachRequest *request, const RecordTable *table);

/*
 * Checks that the clock table belongs to the history: it has no clocks, or
 * some of leads that the history has.
 */
extern void align_attach_check_clocks(const AttachRequest *request);

/* labels.c */

/*
 * Finds and locks the table of a look-up by the names that the caller sees,
 * before the security-restricted operation.  name is that of the argument.
 */
extern void align_attach_find_lookup(AttachRequest *request, RowRole role, const char *name,
									 const char *text);

/* Checks the tables of look-ups, and parses labels. */
extern void align_attach_check_lookups(AttachRequest *request);

/* Creates or replaces the views of labels, after the history exists. */
extern void align_attach_make_labels(AttachRequest *request);

/* indexes.c */

/*
 * Creates the indexes that are missing.  New tables are filled first, which is
 * much faster.
 */
extern void align_attach_make_indexes(AttachRequest *request);

/* privileges.c */

/* Revokes surplus privileges, and copies row-level security. */
extern void align_attach_set_privileges(const AttachRequest *request);

/* WARNING if roles other than the owner have TRIGGER on the table. */
extern void align_attach_warn_trigger_privilege(const AttachRequest *request);

/* triggers.c */

/* Creates the triggers of the attachment, or replaces them. */
extern void align_attach_make_triggers(AttachRequest *request);

/* Creates or replaces only the pointers of the record tables. */
extern void align_attach_make_pointers(const AttachmentMarker *marker);

/*
 * Drops the triggers that a table and its partitions have for an attachment,
 * or for any if number is 0; false if there were none.  The pointers and
 * guards of the record tables stay.
 */
extern bool align_attach_drop_triggers(Oid relid, List *partitions, int32 number);

/*
 * Turns a record table into an ordinary table: drops its pointer, and the
 * guards of the table and its partitions.
 */
extern void align_release_record_table(Oid relid);

/* existing.c */

/*
 * Records the rows that the table contains.  Returns the number of leads that
 * got an opening entry.
 */
extern int64 align_record_existing_rows(AttachRequest *request);

#endif							/* ALIGN_ATTACH_REQUEST_H */
