/*
 * attachment.h
 *	  A table under an agreement: its representation in the catalogs, and the
 *	  form in which a backend caches it.
 *
 * An attachment is stored in the catalogs only.  align.attach() creates these
 * triggers on the attached table ("root"), which is an ordinary or a
 * partitioned table:
 *
 *	  align_attachment	the marker, which never fires:
 *			AFTER UPDATE OF <columns> FOR EACH STATEMENT
 *			WHEN ('<history>'::regclass IS NULL AND
 *				  '<clock table>'::regclass IS NULL)
 *			EXECUTE FUNCTION align.attachment('<agreement>', '<mode>',
 *											  '<options>', '<roles>', ...)
 *		Its column list follows renames, is dumped by name, and blocks dropping
 *		a column in use or changing its type; the constants in its WHEN do the
 *		same for the history and the clock table.
 *		(pg_trigger.tgattr keeps the order in which the columns were written.)
 *		options are those that differ from the default, separated by blanks
 *		(options.c).  Then comes one argument per column with its roles,
 *		joined by '+' if there are several: key, stage, team, assignee, actor,
 *		reason, note, campaign, amount, changed_at, opened_at.
 *	  align_live		only with live => ...; never fires either:
 *			AFTER DELETE FOR EACH ROW WHEN (false AND (<live, over OLD>))
 *			EXECUTE FUNCTION align.attachment()
 *	  align_expressions	only if roles have expressions; never fires either:
 *			AFTER DELETE FOR EACH ROW
 *			WHEN (false AND (ROW(<expressions, over OLD>) IS NULL))
 *			EXECUTE FUNCTION align.attachment('<role>', ...)
 *	  align_labels		only if roles have look-ups; never fires either:
 *			AFTER DELETE FOR EACH STATEMENT
 *			WHEN ('<view>'::regclass IS NULL AND ...)
 *			EXECUTE FUNCTION align.attachment('<role>', ...)
 *		Its views have the columns key and label, and belong to the owner of
 *		the root (labels.h).
 *	  align_insert		AFTER INSERT FOR EACH ROW WHEN (new.stage IS NOT NULL)
 *	  align_update		AFTER UPDATE FOR EACH ROW WHEN (old.x IS DISTINCT FROM
 *						new.x OR ...), where x is the stage, each key column,
 *						team, assignee, and the live condition; if some of them
 *						have expressions, also
 *						record_image_ne(ROW(<columns of OLD>), ROW(<of NEW>))
 *						over the columns that these use
 *	  align_delete		AFTER DELETE FOR EACH ROW WHEN (old.stage IS NOT NULL)
 *		These three EXECUTE FUNCTION align.record_row().  On a partitioned
 *		root, or if the stage is an expression, align_insert and align_delete
 *		have no WHEN.  No WHEN evaluates an expression: an error in it would
 *		not name the role.
 *	  align_begin		BEFORE INSERT OR UPDATE OR DELETE FOR EACH STATEMENT
 *	  align_flush		AFTER INSERT OR UPDATE OR DELETE FOR EACH STATEMENT
 *	  align_truncate	BEFORE TRUNCATE FOR EACH STATEMENT, also on partitions
 *		These three EXECUTE FUNCTION align.record_statement().
 *
 * It also creates the history and the clock table (history.h; together the
 * "record tables"), which belong to the owner of the root.  Each has
 *
 *	  align_append_only	BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE FOR EACH
 *						STATEMENT EXECUTE FUNCTION align.history_guard(), which
 *						raises an error unless align itself is writing
 *	  align_history_of	the pointer back to the root, which never fires:
 *			CREATE CONSTRAINT TRIGGER ... AFTER DELETE FROM <root>
 *			FOR EACH ROW WHEN (false)
 *			EXECUTE FUNCTION align.attachment(<what the marker has: pointer.h>)
 *		It follows renames, is dumped, and is dropped with the root, without
 *		CASCADE.
 *
 * Any role with the TRIGGER privilege on a table can create or replace its
 * triggers, so a marker alone proves nothing.  The record tables are read and
 * written only if both belong to exactly the owner of the root, and their
 * pointers name the root and agree with its marker and live condition
 * (records.c).
 *
 * PostgreSQL clones row triggers to partitions.  The marker is not cloned: it
 * is looked up through the ancestors of the partition.
 *
 * A table can have several attachments, each with a history and a clock table
 * of its own.  They are numbered.  The triggers of attachment 2 are
 * align_attachment_2, align_insert_2, and so on; its number is among the
 * options of its marker and pointers, and is the argument of the triggers that
 * call record_row() and record_statement().  The triggers of the first have
 * neither suffix nor argument (number.c).
 */
#ifndef ALIGN_ATTACHMENT_H
#define ALIGN_ATTACHMENT_H

#include "compat.h"

#include "access/htup.h"
#include "fmgr.h"
#include "nodes/bitmapset.h"
#include "nodes/pg_list.h"
#include "storage/lockdefs.h"
#include "utils/rel.h"

/* Names of the triggers of the first attachment. */
#define ATTACHMENT_MARKER "align_attachment"
#define ATTACHMENT_LIVE "align_live"
#define ATTACHMENT_EXPRESSIONS "align_expressions"
#define ATTACHMENT_LABELS "align_labels"
#define ATTACHMENT_POINTER "align_history_of"
#define ATTACH_INSERT "align_insert"
#define ATTACH_UPDATE "align_update"
#define ATTACH_DELETE "align_delete"
#define ATTACH_BEGIN "align_begin"
#define ATTACH_FLUSH "align_flush"
#define ATTACH_TRUNCATE "align_truncate"
#define ATTACH_GUARD "align_append_only"
#define ATTACHMENT_MAX_KEYS 8

/* The number of the first attachment of a table. */
#define ATTACHMENT_FIRST 1

/*
 * The name that a trigger has in an attachment, and the number of the
 * attachment that a trigger of the given name belongs to: 0 if its name is not
 * base, with or without a number.
 */
extern const char *align_numbered_name(const char *name, int32 number);
extern int32 align_number_in_name(const char *name, const char *base);

/* The number of a further attachment as align writes it; 0 for other text. */
extern int32 align_parse_number(const char *text);

/*
 * An attachment of a relation: the attached table, or one of its partitions.
 * Hash key of cached attachments and of batches.
 */
typedef struct AttachmentId
{
	Oid			relid;
	int32		number;
} AttachmentId;

typedef enum AttachMode
{
	ATTACH_ENFORCE,				/* a violation is an error */
	ATTACH_WARN,				/* it is a WARNING, and recorded */
	ATTACH_OBSERVE				/* it is recorded */
} AttachMode;

/* The role of a column or an expression, besides being part of the key. */
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
	ROW_CHANGED_AT,
	ROW_OPENED_AT
} RowRole;

#define ROW_NROLES (ROW_OPENED_AT + 1)

/* Column roles and modes as in SQL: "stage", "enforce". */
extern const char *const align_row_role_names[ROW_NROLES];
extern const char *align_attach_mode_name(AttachMode mode);

/* The AttachMode of a name, or -1. */
extern int	align_attach_mode(const char *name);

/* The rules that can have a mode of their own, by their number (judge.h). */
#define ATTACH_NRULES 9
#define ATTACH_MODE_DEFAULT (-1)

/*
 * Arguments of attach() that are neither columns nor expressions.
 */
typedef struct AttachOptions
{
	bool		notify;			/* send NOTIFY in the writing transaction? */
	bool		opened_now;		/* opened_at => 'now' */
	bool		reason_must_change; /* does a reason count only if changed? */
	bool		reload;			/* is a key deleted and inserted again one
								 * change? */
	char		time_zone[NAMEDATALEN]; /* of times without one; '' if none */
	int8		rule_mode[ATTACH_NRULES];	/* an AttachMode, by rule, or
											 * ATTACH_MODE_DEFAULT */
	int32		number;			/* of the attachment */
} AttachOptions;

/*
 * The mode of a rule in an attachment of a mode: its own, or else that of the
 * attachment.
 */
extern AttachMode align_attach_rule_mode(AttachMode mode, const AttachOptions *options, int rule);

/* Sets the options that attach() has by default. */
extern void align_attach_options_init(AttachOptions *options);

/* The options as an argument of the marker; palloc'd.  '' for the defaults. */
extern char *align_attach_options_text(const AttachOptions *options);

/* Reads such an argument; false if it has another form. */
extern bool align_attach_options_parse(const char *text, AttachOptions *options);

/*
 * The contents of a marker.  What it points to is palloc'd in the memory
 * context that was current when it was read.
 */
typedef struct AttachmentMarker
{
	Oid			root;			/* the attached table */
	bool		partitioned;	/* is root partitioned? */
	char		agreement[NAMEDATALEN];
	AttachMode	mode;
	AttachOptions options;
	Oid			history;
	Oid			sla;			/* the clock table */
	int			nkeys;
	AttrNumber	key[ATTACHMENT_MAX_KEYS];	/* attributes of root */
	AttrNumber	column[ROW_NROLES]; /* attributes of root; 0: none */
	Node	   *expression[ROW_NROLES]; /* varno 1 is root; NULL: none; no
										 * role has a column, too */
	Oid			labels[ROW_NROLES]; /* views to look values up in; InvalidOid:
									 * none */
	Node	   *live;			/* varno 1 is root; NULL: all rows are live */
} AttachmentMarker;

/* Has a role a column or an expression? */
static inline bool
align_marker_has_role(const AttachmentMarker *marker, RowRole role)
{
	return marker->column[role] != InvalidAttrNumber || marker->expression[role] != NULL;
}

/* True if any role has an expression; a look-up. */
extern bool align_marker_has_expressions(const AttachmentMarker *marker);
extern bool align_marker_has_labels(const AttachmentMarker *marker);

/*
 * The columns that a value is read from, which is a column or an expression
 * over varno 1; offset by FirstLowInvalidHeapAttributeNumber.
 */
extern Bitmapset *align_value_columns(AttrNumber column, Node *expression);

/*
 * The columns of the root that a role is read from: its column, or those that
 * its expression uses, by attnum - FirstLowInvalidHeapAttributeNumber.
 */
extern Bitmapset *align_role_columns(const AttachmentMarker *marker, RowRole role);

/*
 * The type of a role's value in the root, and the types that it may have, as
 * the part of a message; the second returns NULL if it may have this type.
 * (role.c)
 */
extern Oid	align_role_type(const AttachmentMarker *marker, RowRole role);
extern const char *align_role_type_problem(RowRole role, Oid type, bool is_expression);

/*
 * The value of a role as an SQL expression over a row with an alias; NULL if
 * the attachment has no such role.  palloc'd.  It is made and parsed between
 * the next two functions, under fixed settings, search_path included.  So its
 * names and constants have the same meaning for every user.  The first returns
 * the level of settings for the second; an abort of the (sub)transaction
 * restores them, too.
 */
extern char *align_role_sql(const AttachmentMarker *marker, RowRole role, const char *alias);
extern int	align_begin_role_sql(void);
extern void align_end_role_sql(int guc_nestlevel);

/*
 * Reads the marker of an attachment; false if the relation has none of that
 * number.  Ancestors of a partition are not considered.  Raises an error if
 * the marker does not have the form that align.attach() creates.
 */
extern bool align_read_marker(AttachmentId id, AttachmentMarker *marker);

/* Likewise, but returns false for a marker of another form. */
extern bool align_find_marker(AttachmentId id, AttachmentMarker *marker);

/*
 * The attachment that the pointer of a record table names, and the arguments
 * of the pointer.  relid is InvalidOid if there is no pointer, and number is 0
 * if its arguments have another form.
 */
extern AttachmentId align_read_pointer(Oid relid, int *nargs, char ***args);

/*
 * OIDs of the tables whose pointers name an attachment of a root, in ascending
 * order; number is 0 for all attachments.
 */
extern List *align_record_tables_of(Oid root, int32 number);

/*
 * The numbers of the markers of a relation in ascending order, as a list of
 * int.  Neither ancestors nor the form of the markers are considered.
 */
extern List *align_attachment_numbers(Oid relid);

/*
 * The relation itself if it has a marker, else its nearest ancestor that has
 * one; InvalidOid if there is none.  The form of the marker is not checked.
 * numbers are those of its markers; NULL if the caller does not need them.
 */
extern Oid	align_attached_root(Oid relid, List **numbers);

/* Likewise for a marker of one number. */
extern Oid	align_numbered_root(AttachmentId id);

/*
 * The attachments to an agreement (NULL: to any), as a list of AttachmentId *,
 * in ascending order of table and number.
 */
extern List *align_attached_tables(const char *agreement);

/*
 * The attachment that the argument of a function means: that of which the
 * relation is the history, else the only attachment of the relation or of its
 * nearest attached ancestor.  The result has the relid of the root in the
 * first case, else the relation.  Raises an error if there are several.
 * root is set to the OID of the root.  Returns false, and an invalid root, if
 * there is none; align_attachment() raises the error for that, given the id.
 * (resolve.c)
 */
extern bool align_find_attachment(Oid relid, AttachmentId *id, Oid *root);

/*
 * True if the history that a marker names belongs to the owner of the root and
 * points back to the attachment.  Then args are the arguments of its pointer.
 */
extern bool align_history_points_back(const AttachmentMarker *marker, char ***args);

/*
 * Raises an error that asks for the history of one of several attachments.
 * The beginning of the hint, which lists them, says how to name it.
 */
extern void align_raise_several(Oid root, List *numbers,
								const char *hint) pg_attribute_noreturn();

/* One key column. */
typedef struct KeyColumn
{
	AttrNumber	attnum;			/* in Attachment.relid */
	char	   *name;			/* in the root */
	char	   *history_column; /* its name in the history, quoted */
	char	   *sla_column;		/* its name in the clock table, quoted */
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
 * A cached attachment.  There is one per attachment and relation that rows are
 * written to: the root, or one of its partitions, which may number its columns
 * differently.
 *
 * A relcache invalidation of the root, any of its partitions or a record table
 * marks it invalid, and the next look-up builds a new one.  The old one stays
 * allocated until the end of the transaction, since callers may still use it.
 */
typedef struct Attachment
{
	AttachmentId id;			/* hash key */
	AttachmentId root_id;		/* that of the root */
	Oid			relid;			/* id.relid: the root or a partition */
	bool		valid;
	MemoryContext context;		/* holds the Attachment and all that it points
								 * to */
	AttachmentMarker marker;
	char	   *root_name;		/* qualified and quoted */
	Oid			root_owner;		/* record tables are written as this role */
	List	   *records;		/* OIDs of the record tables and their
								 * partitions */
	bool		has_other_triggers; /* have records triggers that are not
									 * align's? */
	struct RecordsFault *fault; /* why the record tables cannot be used; NULL
								 * if they can */
	bool		complete;		/* always, if there is no fault; else only the
								 * members up to here may be used */
	int			history_ncolumns;	/* HistoryColumns that the history has:
									 * all, or HISTORY_MIN_COLUMNS */
	char	   *history_name;	/* qualified and quoted */
	char	   *sla_name;		/* likewise */
	int			nkeys;
	KeyColumn	keys[ATTACHMENT_MAX_KEYS];
	bool		key_text_varies;	/* see align_key_text_varies() */
	TupleDesc	json_desc;		/* row type of the key as JSON, see key.c */
	bool		has_begin;		/* does the root have trigger align_begin? */
	bool		lists_statements;	/* do the root and all its partitions have
									 * it? */
	AttrNumber	column[ROW_NROLES]; /* in relid; 0: none */
	Node	   *expression[ROW_NROLES]; /* varno 1 is relid; NULL: none */
	Oid			type[ROW_NROLES];	/* base types of columns and expressions */
	FmgrInfo	out[ROW_NROLES];	/* output functions of these types */
	bool		text_varies[ROW_NROLES];	/* see align_key_text_varies() */
	Bitmapset  *read_columns[ROW_NROLES];	/* of relid, as of
											 * align_role_columns() */
	Node	   *live;			/* planned; varno 1 is relid; NULL: all rows
								 * are live */

	/* these and json_desc are NULL until first used */
	struct RowCondition *live_condition;	/* live, compiled for relid */
	struct ConditionInput *expression_input;	/* row for the next */
	struct RowCondition *compiled[ROW_NROLES];	/* expressions, likewise */
	struct LabelLookup *lookups[ROW_NROLES];	/* see labels.c */
	struct RowNeeds *needs;		/* of the version that last judged a row, see
								 * needs.h */
	struct JudgingVersion *judging; /* see judging_version.c */
	struct DirectLayouts *direct;	/* see record/direct.h */
	struct LabelMemo *labels;	/* see verdict.h */
} Attachment;

/* Has a role a column or an expression? */
static inline bool
align_has_role(const Attachment *attachment, RowRole role)
{
	return attachment->column[role] != InvalidAttrNumber || attachment->expression[role] != NULL;
}

/* True if a row satisfies the live condition, or there is none. */
extern bool align_satisfies_live(Attachment *attachment, Relation rel, HeapTuple row);

/*
 * The value of a role in a row of rel, which is attachment->relid; null if the
 * attachment has no such role.  It is in the row or in the current memory
 * context.  Raises an error if the expression does.  (role.c)
 */
extern Datum align_role_value(Attachment *attachment, RowRole role, Relation rel, HeapTuple row,
							  bool *isnull);

/*
 * Why the record tables cannot be used, as the parts of an error message.
 */
typedef struct RecordsFault
{
	int			sqlstate;
	char	   *message;
	char	   *detail;
	char	   *hint;
} RecordsFault;

/*
 * The attachment of a number of a relation or of its nearest ancestor that has
 * it, from the cache.  If there is none, returns NULL if missing_ok, else
 * raises an error.  The record tables are not locked, and fault may be set.  A
 * fault that leaves the attachment incomplete is raised.
 */
extern Attachment *align_attachment(AttachmentId id, bool missing_ok);

/*
 * Likewise, but returns incomplete attachments too, and NULL if there is none
 * or if the marker has another form.
 */
extern Attachment *align_attachment_with_fault(AttachmentId id);

/*
 * Likewise with the record tables and their partitions locked in a mode, for
 * reading or writing them.  Raises an error unless they can be used: both
 * belong to exactly the owner of the root, point back to it, have the column
 * types of history.h, no rules, and no trigger whose function belongs to a
 * role other than the owner or a superuser.  (lock.c)
 */
extern Attachment *align_attachment_locked(AttachmentId id, LOCKMODE mode);

/*
 * Why the record tables cannot be used, as a sentence; NULL if they can.
 */
extern char *align_records_problem(const Attachment *attachment);

/*
 * Examine the record tables.  The first sets records, and fault if they do not
 * belong to the owner of the root or are not tied to it; it needs only marker,
 * root_name and root_owner.  The second sets has_other_triggers, and fault if
 * there is none yet; it needs the types of the keys.
 */
extern void align_examine_ties(Attachment *attachment);
extern void align_examine_records(Attachment *attachment);

/* Raises a fault as an error. */
extern void align_raise_fault(const RecordsFault *fault) pg_attribute_noreturn();

/*
 * An enabled trigger of a table whose function belongs neither to owner nor to
 * a superuser, palloc'd; NULL if there is none.
 */
struct CatalogTrigger;
extern struct CatalogTrigger *align_untrusted_trigger(Oid relid, Oid owner);

/* True if a table has a rule. */
extern bool align_has_rule(Oid relid);

/*
 * The tables of an attachment.  align_table_name() gives the qualified name of
 * one, align_table_key() the name of a key column in it; both are quoted.
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
 * Finds the attachment that the argument of a function means (see
 * align_find_attachment()), and locks the relation and its root in ACCESS
 * SHARE mode, so that they are not detached meanwhile; a history is not
 * locked.  Returns the attachment of the root, or one that does not exist if
 * the relation is not attached.  Raises an error if the relation does not
 * exist.
 */
extern AttachmentId align_lock_attached(Oid relid);

/*
 * Attribute numbers of the key columns of a record table: its first nkeys
 * columns that are not dropped.  False if it has fewer.
 */
extern bool align_record_key_columns(Oid relid, int nkeys, AttrNumber *attnums);

#endif							/* ALIGN_ATTACHMENT_H */
