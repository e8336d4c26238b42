/*
 * adopt.c
 *	  Existing tables as history or clock table: left by an earlier attachment, or
 *	  created by the owner.  They must fit, and are not altered.
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
CheckKind(const AttachRequest *request, const OwnTable *own)
{
	char		kind = get_rel_relkind(own->relid);

	if (own->relid == request->relid)
		align_attach_wrong_table(own, "It is the table that is to be attached.", NULL);
	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE)
		align_attach_wrong_table(own, "It is not a table.", NULL);
	if (get_rel_persistence(own->relid) != get_rel_persistence(request->relid))
		align_attach_wrong_table(own, "It must be permanent or unlogged as the attached table is.", NULL);
}

/*
 * Exactly the owner: a table of somebody else, even of a member of the owner role,
 * may have triggers of theirs.
 */
static void
CheckOwner(const AttachRequest *request, const OwnTable *own, Oid relid)
{
	char	   *owner = GetUserNameFromId(request->owner, false);
	char	   *name = align_relation_name(relid);

	if (align_relation_owner(relid) == request->owner)
		return;
	align_attach_wrong_table(own,
							 relid == own->relid ?
							 psprintf("Role \"%s\", who owns the attached table, does not own it.", owner) :
							 psprintf("Role \"%s\", who owns the attached table, does not own its partition %s.",
									  owner, name),
							 psprintf("Use ALTER TABLE %s OWNER TO %s, or choose another name with history => '...'.",
									  name, quote_identifier(owner)));
}

static bool
MarkerNames(Oid root, Oid relid)
{
	AttachmentMarker marker;

	return align_find_marker(root, &marker) && (marker.history == relid || marker.sla == relid);
}

static void
BelongsTo(const OwnTable *own, Oid root)
{
	align_attach_wrong_table(own, psprintf("It belongs to the attached table %s.",
										   align_relation_name(root)),
							 NULL);
}

/*
 * Raises if the table belongs to another attached table: that table's marker names
 * it, and its pointer names that table or none.  A pointer to a table that is not
 * attached, or not with this history, is replaced.
 */
static void
CheckNotInUse(const AttachRequest *request, const OwnTable *own)
{
	int			nargs;
	char	  **args;
	Oid			root = align_read_pointer(own->relid, &nargs, &args);
	ListCell   *lc;

	if (OidIsValid(root) && root != request->relid && MarkerNames(root, own->relid))
		BelongsTo(own, root);
	foreach(lc, align_attached_tables(NULL))
	{
		if (lfirst_oid(lc) == own->relid)
			align_attach_wrong_table(own, "It is attached to an agreement itself.", NULL);

		/*
		 * a marker that somebody else made does not count if the pointer is
		 * ours
		 */
		if (lfirst_oid(lc) != request->relid && root != request->relid &&
			MarkerNames(lfirst_oid(lc), own->relid))
			BelongsTo(own, lfirst_oid(lc));
	}
}

/*
 * No rules, which could keep entries from being written, and no triggers of
 * others, which would run with the owner's rights.
 */
static void
CheckCode(const AttachRequest *request, const OwnTable *own, Oid relid)
{
	struct CatalogTrigger *trigger;

	if (align_has_rule(relid))
		align_attach_wrong_table(own, "It has a rule, which could keep entries from being written.",
								 "Drop the rule; use a trigger instead.");
	trigger = align_untrusted_trigger(relid, request->owner);
	if (trigger != NULL)
		align_attach_wrong_table(own,
								 psprintf("The function of its trigger \"%s\" belongs neither to role \"%s\" nor to a superuser.",
										  trigger->name, GetUserNameFromId(request->owner, false)),
								 "Drop or disable the trigger, or give its function to the owner of the table.");
}

/*
 * What attach() and other functions write, they write as a security-restricted
 * operation, in which nothing can be deferred.
 */
static void
CheckNothingDeferred(const OwnTable *own, Oid relid)
{
	char	   *constraint = align_deferred_constraint(relid);

	if (constraint != NULL)
		align_attach_wrong_table(own,
								 psprintf("Its constraint \"%s\" is INITIALLY DEFERRED, which align cannot write under.",
										  constraint),
								 "Make the constraint INITIALLY IMMEDIATE, or drop it.");
}

static void
CheckOwnColumn(const OwnTable *own, const OwnColumn *column)
{
	AttrNumber	attnum = get_attnum(own->relid, column->name);
	char	   *type = format_type_be(column->type);

	if (attnum == InvalidAttrNumber)
		align_attach_wrong_table(own, psprintf("It has no column \"%s\" of type %s.", column->name, type),
								 psprintf("Use ALTER TABLE %s ADD COLUMN %s %s, or choose another name with history => '...'.",
										  align_own_name(own), quote_identifier(column->name), type));
	if (get_atttype(own->relid, attnum) != column->type)
		align_attach_wrong_table(own, psprintf("Its column \"%s\" is of type %s, not %s.", column->name,
											   format_type_be(get_atttype(own->relid, attnum)), type),
								 NULL);
}

/*
 * The key column at its place: of the right type, and not named like another
 * key column.
 */
static void
CheckOwnKey(const AttachRequest *request, const OwnTable *own, int i, Form_pg_attribute attribute)
{
	Oid			type = get_atttype(request->relid, request->key[i]);
	char	   *name = align_own_key_name(request, i);

	if (attribute == NULL || attribute->atttypid != type)
		align_attach_wrong_table(own, psprintf("Its column %d would have to be the key column \"%s\" of type %s.",
											   i + 1, name, format_type_be(type)),
								 NULL);
	for (int j = 0; j < request->nkeys; j++)
	{
		if (j != i && strcmp(NameStr(attribute->attname), align_own_key_name(request, j)) == 0)
			align_attach_wrong_table(own, psprintf("Its column \"%s\" is where key column \"%s\" would have to be.",
												   NameStr(attribute->attname), name),
									 psprintf("Name the key columns in their order in %s with key => '{...}', or choose another name with history => '...'.",
											  align_own_name(own)));
	}
}

static bool
HasColumn(const OwnTable *own, const char *name)
{
	for (int i = 0; i < own->ncolumns; i++)
	{
		if (strcmp(own->columns[i].name, name) == 0)
			return true;
	}
	return false;
}

/*
 * Columns that somebody added get no value from us.
 */
static void
CheckOtherColumn(const OwnTable *own, Form_pg_attribute attribute)
{
	if (!HasColumn(own, NameStr(attribute->attname)) && attribute->attnotnull &&
		!attribute->atthasdef && attribute->attidentity == '\0')
		align_attach_wrong_table(own, psprintf("Its column \"%s\" must not be null and has no default.",
											   NameStr(attribute->attname)),
								 NULL);
}

static void
CheckOwnColumns(const AttachRequest *request, const OwnTable *own)
{
	Relation	rel = table_open(own->relid, ShareRowExclusiveLock);
	TupleDesc	desc = RelationGetDescr(rel);
	int			nlive = 0;

	for (int i = 0; i < own->ncolumns; i++)
		CheckOwnColumn(own, &own->columns[i]);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		if (attribute->attisdropped)
			continue;
		if (nlive < request->nkeys)
			CheckOwnKey(request, own, nlive, attribute);
		else
			CheckOtherColumn(own, attribute);
		nlive++;
	}
	table_close(rel, NoLock);
}

void
align_attach_adopt(const AttachRequest *request, const OwnTable *own)
{
	ListCell   *lc;

	/* only the owner may lock it; and it may change while the lock is awaited */
	CheckKind(request, own);
	CheckOwner(request, own, own->relid);
	LockRelationOid(own->relid, ShareRowExclusiveLock);
	if (get_rel_name(own->relid) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation %s was dropped concurrently", align_own_name(own))));
	CheckNotInUse(request, own);
	CheckOwnColumns(request, own);
	foreach(lc, find_all_inheritors(own->relid, ShareRowExclusiveLock, NULL))
	{
		CheckOwner(request, own, lfirst_oid(lc));
		CheckCode(request, own, lfirst_oid(lc));
		CheckNothingDeferred(own, lfirst_oid(lc));
	}
}

/*
 * A clock table with clocks, but of no lead that the history has, belongs to another
 * history.  (That of a few leads is missing where old partitions of the history
 * were dropped.)
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
					 align_own_name(&request->sla), align_own_name(&request->sla),
					 align_own_name(&request->history));
	align_append_own_key_join(&query, request, "h", "s");
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
		align_attach_wrong_table(&request->sla,
								 psprintf("It has clocks of leads that %s does not have: it belongs to another history.",
										  align_own_name(&request->history)),
								 psprintf("Rename or drop %s, or choose another name with history => '...'.",
										  align_own_name(&request->sla)));
}
