/*
 * attachment.h
 *	  A table under an agreement: how the catalogs describe it, and the form in
 *	  which the triggers cache it.
 *
 * An attachment lives in the catalogs and nowhere else.  align.attach() creates
 * on the table ("root", ordinary or partitioned):
 *
 *	  align_attachment	the marker, which never fires:
 *			AFTER UPDATE OF <columns> FOR EACH STATEMENT
 *			WHEN ('<history>'::regclass IS NULL AND '<sla>'::regclass IS NULL)
 *			EXECUTE FUNCTION align.attachment('<agreement>', '<mode>', '<options>',
 *											  '<roles>', ...)
 *		Its column list (pg_trigger.tgattr keeps the order in which it was
 *		written) follows renames, is dumped by name, and blocks dropping or
 *		retyping a column in use; the constants in its WHEN do the same for the
 *		history and the clock table.  options is '' or 'notify'.  Then comes one
 *		argument per column: its roles, joined by '+' when there are several:
 *		key, stage, team, assignee, actor, reason, note, campaign, amount,
 *		changed_at.
 *	  align_live		only with live => ...; never fires either:
 *			AFTER DELETE FOR EACH ROW WHEN (false AND (<live, over OLD>))
 *			EXECUTE FUNCTION align.attachment()
 *	  align_insert		AFTER INSERT FOR EACH ROW WHEN (new.stage IS NOT NULL)
 *	  align_update		AFTER UPDATE FOR EACH ROW WHEN (old.x IS DISTINCT FROM
 *						new.x OR ...) for x = stage, key columns, team, assignee,
 *						and the live condition
 *	  align_delete		AFTER DELETE FOR EACH ROW WHEN (old.stage IS NOT NULL)
 *						  these three EXECUTE FUNCTION align.record_row(); if the
 *						  root is partitioned, align_insert and align_delete
 *						  have no WHEN
 *	  align_begin		BEFORE INSERT OR UPDATE OR DELETE FOR EACH STATEMENT
 *	  align_flush		AFTER INSERT OR UPDATE OR DELETE FOR EACH STATEMENT
 *	  align_truncate	BEFORE TRUNCATE FOR EACH STATEMENT, also on each partition
 *						  these EXECUTE FUNCTION align.record_statement()
 *
 * and, owned by the table's owner, the history table and the clock table
 * (history.h; together the "record tables"), each with
 *
 *	  align_append_only	BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE FOR EACH
 *						STATEMENT EXECUTE FUNCTION align.history_guard(), which
 *						raises unless align itself is writing.
 *	  align_history_of	the pointer back to the root, which never fires:
 *			CREATE CONSTRAINT TRIGGER ... AFTER DELETE FROM <root>
 *			FOR EACH ROW WHEN (false)
 *			EXECUTE FUNCTION align.attachment(<the arguments of the marker>)
 *		It follows renames, is dumped, and goes with the root without CASCADE.
 *
 * Whoever has the TRIGGER privilege on a table can make or replace its triggers,
 * so a marker alone proves nothing.  Readers and writers use the record tables
 * only if both belong to exactly the owner of the root, and their pointers name
 * the root and have the arguments of its marker (records.c).
 *
 * Row triggers are cloned to partitions by PostgreSQL; the marker is found from
 * there by way of the partition's ancestors.
 */
#ifndef ALIGN_ATTACHMENT_H
#define ALIGN_ATTACHMENT_H

#include "compat.h"

#include "fmgr.h"
#include "nodes/pg_list.h"
#include "storage/lockdefs.h"
#include "utils/rel.h"

/* Names of the triggers of an attachment. */
#define ATTACHMENT_MARKER "align_attachment"
#define ATTACHMENT_LIVE "align_live"
#define ATTACHMENT_POINTER "align_history_of"
#define ATTACH_INSERT "align_insert"
#define ATTACH_UPDATE "align_update"
#define ATTACH_DELETE "align_delete"
#define ATTACH_BEGIN "align_begin"
#define ATTACH_FLUSH "align_flush"
#define ATTACH_TRUNCATE "align_truncate"
#define ATTACH_GUARD "align_append_only"
#define ATTACHMENT_MAX_KEYS 8

typedef enum AttachMode
{
	ATTACH_ENFORCE,				/* an offence is an error */
	ATTACH_WARN,				/* a WARNING, and recorded */
	ATTACH_OBSERVE				/* recorded */
} AttachMode;

/* What a column of the table is to align, besides being part of the key. */
typedef enum RowRole
{
	ROW_STAGE,
	ROW_TEAM,
	ROW_ASSIGNEE,
	ROW_ACTOR,
	ROW_REASON,
	ROW_NOTE,
	ROW_CAMPAIGN,
	ROW_AMOUNT,
	ROW_CHANGED_AT
} RowRole;

#define ROW_NROLES (ROW_CHANGED_AT + 1)

extern const char *const align_row_role_names[ROW_NROLES];	/* "stage", ... */
extern const char *align_attach_mode_name(AttachMode mode);

/* -1 if it is none of them. */
extern int	align_attach_mode(const char *name);

/*
 * The contents of the marker, in the memory context in which it was read.
 */
typedef struct AttachmentMarker
{
	Oid			root;			/* the attached table */
	bool		partitioned;	/* it is partitioned */
	char		agreement[NAMEDATALEN];
	AttachMode	mode;
	bool		notify;			/* NOTIFY in the writing transaction */
	Oid			history;
	Oid			sla;
	int			nkeys;
	AttrNumber	key[ATTACHMENT_MAX_KEYS];	/* attributes of root */
	AttrNumber	column[ROW_NROLES]; /* attributes of root, 0: none */
	Node	   *live;			/* over varno 1 = root; NULL: every row is
								 * live */
	int			nargs;			/* the arguments of the marker as they are */
	char	  **args;
} AttachmentMarker;

/* False if the relation itself is not attached (its ancestors are not
 * considered); raises if its marker is not in the form of align.attach(). */
extern bool align_read_marker(Oid relid, AttachmentMarker *marker);

/* The same, but false for a marker of another form. */
extern bool align_find_marker(Oid relid, AttachmentMarker *marker);

/* The table that the pointer on a history or clock table names, and its
 * arguments; InvalidOid if there is no pointer. */
extern Oid	align_read_pointer(Oid relid, int *nargs, char ***args);

/* The tables whose pointers name a root, by OID. */
extern List *align_record_tables_of(Oid root);

/* The attached one among a relation and its ancestors; InvalidOid if none. */
extern Oid	align_attached_root(Oid relid);

/* All tables attached to an agreement (NULL: to any), by OID. */
extern List *align_attached_tables(const char *agreement);

/* One key column. */
typedef struct KeyColumn
{
	AttrNumber	attnum;			/* in the relation of the Attachment */
	char	   *name;			/* as the root calls it, now */
	char	   *history_column; /* as the history calls it, quoted */
	char	   *sla_column;		/* as the clock table calls it, quoted */
	Oid			type;
	int32		typmod;
	Oid			collation;
	int16		typlen;
	bool		typbyval;
	FmgrInfo	eq;
	FmgrInfo	hash;
	FmgrInfo	out;			/* type's output function */
} KeyColumn;

/*
 * Key of caches and batches.  A relation has one attachment so far, number 1.
 */
typedef struct AttachmentId
{
	Oid			relid;
	int32		number;
} AttachmentId;

#define ATTACHMENT_FIRST 1

/*
 * An attachment as the triggers use it: cached per relation that rows are
 * written to (the root or one of its partitions; attribute numbers are that
 * relation's).  An entry is complete or not there at all.  A relcache message
 * for the relation, the root, the history or the clock table marks it invalid;
 * it is rebuilt by the next look-up, and what an outer caller may still hold
 * lives on until the end of the transaction.
 */
typedef struct Attachment
{
	AttachmentId id;			/* hash key; of the root or a partition */
	AttachmentId root_id;		/* the same of the root */
	Oid			relid;			/* id.relid */
	bool		valid;
	MemoryContext context;		/* holds everything below */
	AttachmentMarker marker;
	char	   *root_name;		/* qualified and quoted */
	Oid			root_owner;		/* whose rights history and clocks are written
								 * with */
	List	   *records;		/* OIDs of history, clock table and the
								 * partitions of both */
	bool		has_other_triggers; /* on records, besides those of align */
	struct RecordsFault *fault; /* why these cannot be used, see records.c;
								 * NULL: they can */
	char	   *history_name;	/* qualified and quoted */
	char	   *sla_name;
	int			nkeys;
	KeyColumn	keys[ATTACHMENT_MAX_KEYS];
	bool		key_text_varies;	/* with settings of the session */
	TupleDesc	key_desc;		/* the key as a row type; NULL until first
								 * used */
	bool		has_begin;		/* the root has the trigger align_begin */
	AttrNumber	column[ROW_NROLES]; /* in relid; 0: none */
	Oid			type[ROW_NROLES];	/* base types (domains looked through) */
	FmgrInfo	out[ROW_NROLES];	/* output functions, to read any type as
									 * text */
	Node	   *live;			/* over varno 1 = relid, planned; NULL: all
								 * live */
	struct RowCondition *live_condition;	/* the same, compiled when first
											 * used; see needs.h */
	struct RowNeeds *needs;		/* of the version that rows were last judged
								 * by; see needs.h */
	struct JudgingVersion *judging; /* see judging_version.c; NULL until first
									 * used */
	struct DirectLayouts *direct;	/* see record/direct.h; NULL until first
									 * used */
	struct LabelMemo *labels;	/* see verdict.h; NULL until first used */
} Attachment;

/*
 * Why history and clock table cannot be used, as the parts of an error.
 */
typedef struct RecordsFault
{
	int			sqlstate;
	char	   *message;
	char	   *detail;
	char	   *hint;
} RecordsFault;

/* From the cache; NULL (or an error) if neither the relation nor an ancestor is
 * attached. */
extern Attachment *align_attachment(Oid relid, bool missing_ok);

/*
 * The same with history and clock table locked, for those who read or write them.
 * Raises unless both can be used: they belong to exactly the table's owner, point
 * back, have columns of the types of history.h, no rules, and no trigger whose
 * function somebody else can change.  (lock.c)
 */
extern Attachment *align_attachment_locked(Oid relid, LOCKMODE mode);

/* The same as a sentence, without locks; NULL if they can be used. */
extern char *align_records_problem(const Attachment *attachment);

/* For the cache: sets records, has_other_triggers and fault. */
extern void align_examine_records(Attachment *attachment);

/* An enabled trigger of a table whose function belongs neither to a role nor to a
 * superuser; NULL if there is none. */
struct CatalogTrigger;
extern struct CatalogTrigger *align_foreign_trigger(Oid relid, Oid owner);

/* Has the table a rule? */
extern bool align_has_rule(Oid relid);

/*
 * The tables of an attachment, by name and by the names of their key columns, all
 * quoted for SQL.
 */
typedef enum AttachedTable
{
	TABLE_ITSELF,
	TABLE_HISTORY,
	TABLE_SLA
} AttachedTable;

extern const char *align_table_name(const Attachment *attachment, AttachedTable table);
extern const char *align_table_key(const Attachment *attachment, AttachedTable table, int keyno);

/*
 * The table that a relation belongs to, if it or an ancestor is attached: that
 * root, else the relation itself.  Both are locked against being detached.
 */
extern Oid	align_lock_attached(Oid relid);

/* Attribute numbers of the key columns of a history or clock table: the first
 * nkeys that are not dropped.  False if it has not so many. */
extern bool align_own_key_columns(Oid relid, int nkeys, AttrNumber *attnums);

#endif							/* ALIGN_ATTACHMENT_H */
