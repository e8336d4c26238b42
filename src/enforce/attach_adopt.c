/*
 * attach_adopt.c
 *	  Tables that are there already as history or clock table: what an earlier
 *	  attachment left, or what the owner made.  They must fit, and are not altered.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "enforce/attach.h"

void
align_attach_wrong_table(const OwnTable *own, char *detail, char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
			 errmsg("relation %s cannot be used as %s", align_own_name(own), own->what),
			 errdetail("%s", detail),
			 hint != NULL ? errhint("%s", hint) :
			 own->columns == align_sla_columns ?
			 errhint("Choose another name with history => '..._history'; that of the clock table is made from it.") :
			 errhint("Choose another name with history => '...'.")));
}

static void
CheckOwnKind(const AttachRequest *request, const OwnTable *own)
{
	char		kind = get_rel_relkind(own->relid);

	if (own->relid == request->relid)
		align_attach_wrong_table(own, "It is the table that is to be attached.", NULL);
	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE)
		align_attach_wrong_table(own, "It is not a table.", NULL);
	if (get_rel_persistence(own->relid) != get_rel_persistence(request->relid))
		align_attach_wrong_table(own, "It must be permanent, unlogged or temporary as the attached table is.", NULL);
}

static void
CheckOwnOwner(const AttachRequest *request, const OwnTable *own)
{
	if (!align_table_ownercheck(own->relid, request->owner))
		align_attach_wrong_table(own, psprintf("Role \"%s\", who owns the attached table, does not own it.",
								 GetUserNameFromId(request->owner, false)),
				   psprintf("Use ALTER TABLE %s OWNER TO %s, or choose another name with history => '...'.",
							align_own_name(own),
							quote_identifier(GetUserNameFromId(request->owner, false))));
}

static void
CheckNotInUse(const AttachRequest *request, const OwnTable *own)
{
	ListCell   *lc;

	foreach(lc, align_attached_tables(NULL))
	{
		AttachmentMarker marker;

		if (lfirst_oid(lc) == request->relid)
			continue;
		if (lfirst_oid(lc) == own->relid)
			align_attach_wrong_table(own, "It is attached to an agreement itself.", NULL);
		if (align_read_marker(lfirst_oid(lc), &marker) &&
			(marker.history == own->relid || marker.sla == own->relid))
			align_attach_wrong_table(own, psprintf("It belongs to the attached table %s.",
														align_relation_name(lfirst_oid(lc))),
									 NULL);
	}
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
	/* nobody locks what is not theirs; and it may have changed meanwhile */
	CheckOwnKind(request, own);
	CheckOwnOwner(request, own);
	LockRelationOid(own->relid, ShareRowExclusiveLock);
	if (get_rel_name(own->relid) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation %s was dropped meanwhile", align_own_name(own))));
	CheckOwnOwner(request, own);
	CheckNotInUse(request, own);
	CheckOwnColumns(request, own);
}
