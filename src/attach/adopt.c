/*
 * adopt.c
 *	  Checks existing tables that are to be used as record tables.
 *
 * An earlier attachment left them, or the owner created them.  They are not
 * altered, except that a history gets the columns that the release which
 * created it did not have.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "attach/request.h"
#include "catalog/as_role.h"
#include "catalog/relation.h"
#include "catalog/trigger.h"

static void
CheckKind(const AttachRequest *request, const RecordTable *table)
{
	char		kind = get_rel_relkind(table->relid);

	if (table->relid == request->relid)
		align_refuse_record_table(table, "It is the table to be attached.", NULL);
	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE)
		align_refuse_record_table(table, "It is not a table.", NULL);
	if (get_rel_persistence(table->relid) != get_rel_persistence(request->relid))
		align_refuse_record_table(table, "It must be permanent or unlogged, like the attached table.",
								  NULL);
}

/*
 * Checks that a table has exactly the owner of the attached table.  A table of
 * another role, even of a member of the owner role, may have triggers of that
 * role.
 */
static void
CheckOwner(const AttachRequest *request, const RecordTable *table, Oid relid)
{
	char	   *owner = GetUserNameFromId(request->owner, false);
	char	   *name = align_relation_name(relid);

	if (align_relation_owner(relid) == request->owner)
		return;
	align_refuse_record_table(table,
							  relid == table->relid ?
							  psprintf("It is not owned by role \"%s\", the owner of the attached table.",
									   owner) :
							  psprintf("Its partition %s is not owned by role \"%s\", the owner of the attached table.",
									   name, owner),
							  psprintf("Use ALTER TABLE %s OWNER TO %s, or choose another name with history => '...'.",
									   name, quote_identifier(owner)));
}

/*
 * True if the marker of an attachment names a table as history or clock table.
 */
static bool
MarkerNamesTable(AttachmentId root, Oid relid)
{
	AttachmentMarker marker;

	return align_find_marker(root, &marker) && (marker.history == relid || marker.sla == relid);
}

/*
 * True if a relation belongs to a role; false if it was dropped concurrently.
 */
static bool
IsOwnedBy(Oid relid, Oid owner)
{
	return get_rel_name(relid) != NULL && align_relation_owner(relid) == owner;
}

static void
RaiseBelongsTo(const AttachRequest *request, const RecordTable *table, AttachmentId root)
{
	align_refuse_record_table(table, root.relid == request->relid ?
							  pstrdup("It belongs to another attachment of the table.") :
							  psprintf("It belongs to the attached table %s.",
									   align_relation_name(root.relid)),
							  NULL);
}

static bool
IsRequested(const AttachRequest *request, AttachmentId root)
{
	return root.relid == request->relid && root.number == request->options.number;
}

/*
 * Checks that the table does not belong to another attachment.  It does if the
 * marker of that attachment names it, unless its pointer names the attachment
 * to be made.  A pointer to an attachment whose marker does not name it is
 * ignored, and replaced later.
 *
 * Any role can create a marker on a table of its own, and name any table in
 * it.  Such a marker means nothing, so only tables of the owner count.
 */
static void
CheckNotInUse(const AttachRequest *request, const RecordTable *table)
{
	int			nargs;
	char	  **args;
	AttachmentId root = align_read_pointer(table->relid, &nargs, &args);
	ListCell   *lc;

	if (OidIsValid(root.relid) && !IsRequested(request, root) &&
		IsOwnedBy(root.relid, request->owner) && MarkerNamesTable(root, table->relid))
		RaiseBelongsTo(request, table, root);
	foreach(lc, align_attached_tables(NULL))
	{
		AttachmentId id = *(AttachmentId *) lfirst(lc);

		if (!IsOwnedBy(id.relid, request->owner))
			continue;
		if (id.relid == table->relid)
			align_refuse_record_table(table, "It is itself attached to an agreement.", NULL);

		/*
		 * If the pointer names the attachment to be made, the marker of
		 * another one may be forged, and is ignored.
		 */
		if (!IsRequested(request, id) && !IsRequested(request, root) &&
			MarkerNamesTable(id, table->relid))
			RaiseBelongsTo(request, table, id);
	}
}

/*
 * Checks that a table has no rules, which could keep entries from being
 * written, and no triggers with functions of other roles, which would run with
 * the rights of the owner.
 */
static void
CheckCode(const AttachRequest *request, const RecordTable *table, Oid relid)
{
	struct CatalogTrigger *trigger;

	if (align_has_rule(relid))
		align_refuse_record_table(table, "It has a rule, which could keep entries from being written.",
								  "Drop the rule; use a trigger instead.");
	trigger = align_untrusted_trigger(relid, request->owner);
	if (trigger != NULL)
		align_refuse_record_table(table,
								  psprintf("The function of its trigger \"%s\" belongs neither to role \"%s\" nor to a superuser.",
										   trigger->name, GetUserNameFromId(request->owner, false)),
								  "Drop or disable the trigger, or give its function to the owner of the table.");
}

/*
 * Checks that a table has no initially deferred constraints.  attach() and
 * other functions write in a security-restricted operation, in which
 * PostgreSQL does not allow deferred triggers.
 */
static void
CheckNothingDeferred(const RecordTable *table, Oid relid)
{
	char	   *constraint = align_deferred_constraint(relid);

	if (constraint != NULL)
		align_refuse_record_table(table,
								  psprintf("Its constraint \"%s\" is INITIALLY DEFERRED, which is not supported.",
										   constraint),
								  "Make the constraint INITIALLY IMMEDIATE, or drop it.");
}

static void
CheckColumn(const RecordTable *table, const OwnColumn *column)
{
	AttrNumber	attnum = get_attnum(table->relid, column->name);
	char	   *type = format_type_be(column->type);

	if (attnum == InvalidAttrNumber)
		align_refuse_record_table(table,
								  psprintf("It has no column \"%s\" of type %s.", column->name, type),
								  psprintf("Use ALTER TABLE %s ADD COLUMN %s %s, or choose another name with history => '...'.",
										   align_record_table_name(table),
										   quote_identifier(column->name), type));
	if (get_atttype(table->relid, attnum) != column->type)
		align_refuse_record_table(table,
								  psprintf("Its column \"%s\" is of type %s, not %s.", column->name,
										   format_type_be(get_atttype(table->relid, attnum)), type),
								  table->columns == align_history_columns &&
								  column - table->columns >= HISTORY_MIN_COLUMNS ?
								  psprintf("Rename it, since align has a column \"%s\", or choose another name with history => '...'.",
										   column->name) :
								  NULL);
}

static void
RefuseNullable(const RecordTable *table, const char *column)
{
	align_refuse_record_table(table, psprintf("Its column \"%s\" is not marked NOT NULL.", column),
							  psprintf("Use ALTER TABLE %s ALTER COLUMN %s SET NOT NULL, or choose another name with history => '...'.",
									   align_record_table_name(table), quote_identifier(column)));
}

/*
 * Checks that the columns are NOT NULL which attach() creates so.
 */
static void
CheckNotNull(const RecordTable *table)
{
	for (int i = 0; i < table->ncolumns; i++)
	{
		const OwnColumn *column = &table->columns[i];

		if (column->not_null &&
			!align_column_is_not_null(table->relid, get_attnum(table->relid, column->name)))
			RefuseNullable(table, column->name);
	}
}

/*
 * Checks key column i.  It must have the right type, be NOT NULL, and must not
 * have the name of another key column.
 */
static void
CheckKeyColumn(const AttachRequest *request, const RecordTable *table, int i,
			   Form_pg_attribute attribute)
{
	Oid			type = get_atttype(request->relid, request->key[i]);
	char	   *name = align_record_key_name(request, i);

	if (attribute == NULL || attribute->atttypid != type)
		align_refuse_record_table(table, psprintf("Its column %d must be key column \"%s\" of type %s.",
												  i + 1, name, format_type_be(type)),
								  NULL);
	if (!attribute->attnotnull)
		RefuseNullable(table, NameStr(attribute->attname));
	for (int j = 0; j < request->nkeys; j++)
	{
		if (j != i && strcmp(NameStr(attribute->attname), align_record_key_name(request, j)) == 0)
			align_refuse_record_table(table, psprintf("Its column \"%s\" is in the place of key column \"%s\".",
													  NameStr(attribute->attname), name),
									  psprintf("Name the key columns in their order in %s with key => '{...}', or choose another name with history => '...'.",
											   align_record_table_name(table)));
	}
}

static bool
HasColumn(const RecordTable *table, const char *name)
{
	for (int i = 0; i < table->ncolumns; i++)
	{
		if (strcmp(table->columns[i].name, name) == 0)
			return true;
	}
	return false;
}

/*
 * Checks a column that is not align's: it gets no value when align inserts
 * rows.
 */
static void
CheckOtherColumn(const RecordTable *table, Form_pg_attribute attribute)
{
	if (!HasColumn(table, NameStr(attribute->attname)) && attribute->attnotnull &&
		!attribute->atthasdef && attribute->attidentity == '\0')
		align_refuse_record_table(table, psprintf("Its column \"%s\" is NOT NULL and has no default.",
												  NameStr(attribute->attname)),
								  NULL);
}

/*
 * Adds the columns that the history of an earlier release does not have.
 */
static void
AddColumns(const AttachRequest *request, const RecordTable *table)
{
	char	   *name = align_record_table_name(table);

	for (int i = HISTORY_MIN_COLUMNS; table->columns == align_history_columns &&
		 i < table->ncolumns; i++)
	{
		const OwnColumn *column = &table->columns[i];

		if (get_attnum(table->relid, column->name) != InvalidAttrNumber)
			continue;
		align_execute_format(request->owner, "ALTER TABLE %s ADD COLUMN %s %s", name,
							 quote_identifier(column->name),
							 format_type_extended(column->type, -1, FORMAT_TYPE_FORCE_QUALIFY));
		align_execute_format(request->owner, "COMMENT ON COLUMN %s.%s IS %s", name,
							 quote_identifier(column->name), quote_literal_cstr(column->comment));
	}
}

static void
CheckColumns(const AttachRequest *request, const RecordTable *table)
{
	Relation	rel = table_open(table->relid, ShareRowExclusiveLock);
	TupleDesc	desc = RelationGetDescr(rel);
	int			nlive = 0;

	for (int i = 0; i < table->ncolumns; i++)
		CheckColumn(table, &table->columns[i]);
	CheckNotNull(table);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		if (attribute->attisdropped)
			continue;
		if (nlive < request->nkeys)
			CheckKeyColumn(request, table, nlive, attribute);
		else
			CheckOtherColumn(table, attribute);
		nlive++;
	}
	table_close(rel, NoLock);
}

/*
 * Locks an existing table and checks that it can be used as record table.
 */
void
align_attach_adopt(const AttachRequest *request, const RecordTable *table)
{
	ListCell   *lc;

	/*
	 * Only a table of the owner may be locked, so check that first.  Check
	 * again once the lock is granted, since the table may have changed.
	 */
	CheckKind(request, table);
	CheckOwner(request, table, table->relid);
	LockRelationOid(table->relid, ShareRowExclusiveLock);
	if (get_rel_name(table->relid) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation %s was dropped concurrently", align_record_table_name(table))));
	CheckNotInUse(request, table);
	AddColumns(request, table);
	CheckColumns(request, table);
	foreach(lc, find_all_inheritors(table->relid, ShareRowExclusiveLock, NULL))
	{
		CheckOwner(request, table, lfirst_oid(lc));
		CheckCode(request, table, lfirst_oid(lc));
		CheckNothingDeferred(table, lfirst_oid(lc));
	}
}

/*
 * Checks that the clock table does not belong to another history: it is empty,
 * or the history has some of its leads.  It need not have all of them, since
 * old partitions of the history may have been dropped.
 */
void
align_attach_check_clocks(const AttachRequest *request)
{
	StringInfoData query;
	CallerRole	caller;
	bool		foreign;
	bool		isnull;

	initStringInfo(&query);
	appendStringInfo(&query, "SELECT EXISTS (SELECT FROM %s) AND NOT EXISTS (SELECT FROM %s AS s, %s AS h WHERE ",
					 align_record_table_name(&request->sla), align_record_table_name(&request->sla),
					 align_record_table_name(&request->history));
	align_append_record_key_join(&query, request, "h", "s");
	appendStringInfoChar(&query, ')');
	PushActiveSnapshot(GetLatestSnapshot());
	align_work_as(request->owner, &caller);
	if (SPI_execute(query.data, true, 1) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "SPI_execute failed: %s", query.data);
	align_return_to(&caller);
	PopActiveSnapshot();
	foreign = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_freetuptable(SPI_tuptable);
	if (foreign)
		align_refuse_record_table(&request->sla,
								  psprintf("It has clocks, but of no lead in %s: it belongs to another history.",
										   align_record_table_name(&request->history)),
								  psprintf("Rename or drop %s, or choose another name with history => '...'.",
										   align_record_table_name(&request->sla)));
}
