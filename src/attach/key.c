/*
 * key.c
 *	  The key columns: those named in a call of attach(), or the primary key.
 *	  They must be unique and not null.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "nodes/bitmapset.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/partcache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/typcache.h"

#include "attach/request.h"
#include "attachment/privileges.h"
#include "catalog/relation.h"

static bool
IsKey(const AttachRequest *request, AttrNumber attnum)
{
	for (int i = 0; i < request->nkeys; i++)
	{
		if (request->key[i] == attnum)
			return true;
	}
	return false;
}

/*
 * The columns of the root that are partition key columns on any level.
 */
static Bitmapset *
PartitioningColumns(const AttachRequest *request, Relation rel)
{
	List	   *relids = list_concat(list_make1_oid(request->relid), request->partitions);
	Bitmapset  *result = NULL;
	ListCell   *lc;

	foreach(lc, relids)
	{
		Relation	part;
		PartitionKey key;

		if (get_rel_relkind(lfirst_oid(lc)) != RELKIND_PARTITIONED_TABLE)
			continue;
		part = table_open(lfirst_oid(lc), NoLock);
		key = RelationGetPartitionKey(part);
		for (int i = 0; i < get_partition_natts(key); i++)
		{
			AttrNumber	attnum = get_partition_col_attnum(key, i);

			if (attnum != InvalidAttrNumber)	/* not an expression */
				result = bms_add_member(result,
										get_attnum(RelationGetRelid(rel),
												   get_attname(lfirst_oid(lc), attnum, false)));
		}
		table_close(part, NoLock);
	}
	return result;
}

/*
 * True if an index guarantees that the key is unique.  It may have no other
 * columns than those of the key and, since PostgreSQL requires them in every
 * unique index of a partitioned table, partition key columns.
 */
static bool
IndexCovers(const AttachRequest *request, Relation index, Bitmapset *partition_key)
{
	Form_pg_index form = index->rd_index;
	int			nfound = 0;

	if (!form->indisunique || !form->indisvalid || !form->indimmediate ||
		!align_index_is_plain(index))
		return false;
	for (int i = 0; i < form->indnkeyatts; i++)
	{
		AttrNumber	attnum = form->indkey.values[i];

		if (IsKey(request, attnum))
			nfound++;
		else if (!bms_is_member(attnum, partition_key))
			return false;
	}
	return nfound == request->nkeys;
}

/*
 * True if an index has key columns that are not part of the key.
 */
static bool
HasOtherColumns(const AttachRequest *request, Relation index)
{
	return index->rd_index->indnkeyatts > request->nkeys;
}

/*
 * Raises an error if row-level security is enabled on a table whose unique
 * indexes on the key all have partition key columns besides: two leads could
 * have the same key, and a user who sees one of them would see the history of
 * both.
 */
static void
CheckUniqueUnderRowSecurity(const AttachRequest *request, const char *names)
{
	bool		forced;

	if (!align_row_security(request->relid, &forced))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
			 errmsg("key (%s) of relation \"%s\" must include all columns of a unique index",
					names, get_rel_name(request->relid)),
			 errdetail("Row-level security is enabled on the table. Rows with the same key in different partitions would share their history, and a user who sees one of them would see that of the others."),
			 errhint("Use the whole primary key, or name all columns of a unique index with key => '{...}'.")));
}

/*
 * Checks that a key identifies exactly one row, because history is kept per
 * key.
 */
static void
CheckUnique(const AttachRequest *request, Relation rel)
{
	Bitmapset  *partition_key = PartitioningColumns(request, rel);
	StringInfoData names;
	bool		covered = false;
	bool		exactly = false;
	ListCell   *lc;

	initStringInfo(&names);
	for (int i = 0; i < request->nkeys; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(rel), request->key[i] - 1);

		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "",
						 quote_identifier(NameStr(attribute->attname)));
		if (!attribute->attnotnull)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
					 errmsg("key column \"%s\" of relation \"%s\" is not marked NOT NULL",
							NameStr(attribute->attname), RelationGetRelationName(rel)),
					 errdetail("A row without a key has no history."),
					 errhint("Use ALTER TABLE ... ALTER COLUMN %s SET NOT NULL.",
							 quote_identifier(NameStr(attribute->attname)))));
	}
	foreach(lc, RelationGetIndexList(rel))
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);

		if (IndexCovers(request, index, partition_key))
		{
			covered = true;
			exactly |= !HasOtherColumns(request, index);
		}
		index_close(index, NoLock);
	}
	if (!covered)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
				 errmsg("key (%s) of relation \"%s\" is not unique", names.data,
						RelationGetRelationName(rel)),
				 errdetail("There is no primary key, unique constraint or unique index (not deferrable, not partial) on exactly these columns."),
				 errhint("Choose another key with key => '{...}', or create a unique index on (%s).",
						 names.data)));
	if (!exactly)
		CheckUniqueUnderRowSecurity(request, names.data);
}

/*
 * NOTICE if the expression of the stage uses a column of the default key.
 */
static void
ReportStageInKey(const AttachRequest *request, Relation rel)
{
	Bitmapset  *stage = align_attach_role_columns(request, ROW_STAGE);

	for (int i = 0; i < request->nkeys; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(rel), request->key[i] - 1);

		if (request->key[i] != request->column[ROW_STAGE] &&
			bms_is_member(request->key[i] - FirstLowInvalidHeapAttributeNumber, stage))
			ereport(NOTICE,
					(errmsg("key column \"%s\" of relation \"%s\" is used by the expression of the stage",
							NameStr(attribute->attname), RelationGetRelationName(rel)),
					 errdetail("A change of the column is recorded as a change of the lead's key."),
					 errhint("If the other key columns identify a lead, name them with key => '{...}'.")));
	}
}

/*
 * Uses the primary key, without the stage column if the table is partitioned
 * by it: a lead keeps its identity when its stage changes.  A column that an
 * expression of the stage merely uses may well tell leads apart, and stays.
 */
static void
SetDefaultKey(AttachRequest *request, Relation rel)
{
	Bitmapset  *partition_key = PartitioningColumns(request, rel);
	ListCell   *lc;

	foreach(lc, RelationGetIndexList(rel))
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);
		Form_pg_index form = index->rd_index;

		if (form->indisprimary)
		{
			if (form->indnkeyatts > ATTACHMENT_MAX_KEYS)
				ereport(ERROR,
						(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						 errmsg("a key cannot have more than %d columns", ATTACHMENT_MAX_KEYS)));
			for (int i = 0; i < form->indnkeyatts; i++)
			{
				AttrNumber	attnum = form->indkey.values[i];

				if (attnum != request->column[ROW_STAGE] || !bms_is_member(attnum, partition_key))
					request->key[request->nkeys++] = attnum;
			}
		}
		index_close(index, NoLock);
	}
	if (request->nkeys == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
				 errmsg("relation \"%s\" has no primary key", RelationGetRelationName(rel)),
				 errdetail("A lead is identified by its key."),
				 errhint("Add a primary key, or name unique columns with key => '{...}'.")));
	ReportStageInKey(request, rel);
}

/*
 * Uses the columns that the caller named.
 */
static void
SetGivenKey(AttachRequest *request, Relation rel, ArrayType *key)
{
	Datum	   *names;
	bool	   *nulls;
	int			n;

	deconstruct_array(key, NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR, &names, &nulls, &n);
	if (n == 0 || ARR_NDIM(key) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("key must be a list of columns")));
	if (n > ATTACHMENT_MAX_KEYS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a key cannot have more than %d columns", ATTACHMENT_MAX_KEYS)));
	for (int i = 0; i < n; i++)
	{
		AttrNumber	attnum;

		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("key must not contain null")));
		attnum = align_attach_find_column(rel, NameStr(*DatumGetName(names[i])), "key");
		if (IsKey(request, attnum))
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_COLUMN),
					 errmsg("column \"%s\" appears twice in the key",
							NameStr(*DatumGetName(names[i])))));
		request->key[request->nkeys++] = attnum;
	}
}

static void
CheckKeyColumns(const AttachRequest *request, Relation rel)
{
	for (int i = 0; i < request->nkeys; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(rel), request->key[i] - 1);
		TypeCacheEntry *type = lookup_type_cache(attribute->atttypid,
												 TYPECACHE_EQ_OPR | TYPECACHE_HASH_PROC |
												 TYPECACHE_BTREE_OPFAMILY);

		if (request->key[i] == request->column[ROW_STAGE])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
					 errmsg("stage column \"%s\" cannot be part of the key",
							NameStr(attribute->attname)),
					 errdetail("A lead is the same lead in every stage."),
					 errhint("Name the other key columns with key => '{...}'.")));
		if (!OidIsValid(type->eq_opr) || !OidIsValid(type->hash_proc) ||
			!OidIsValid(type->btree_opf))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_FUNCTION),
					 errmsg("column \"%s\" of type %s cannot be part of the key",
							NameStr(attribute->attname), format_type_be(attribute->atttypid)),
					 errdetail("Values of that type cannot be compared and hashed.")));
		if (!type_is_enum(attribute->atttypid) && type_is_enum(getBaseType(attribute->atttypid)))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("column \"%s\" of type %s cannot be part of the key",
							NameStr(attribute->attname), format_type_be(attribute->atttypid)),
					 errdetail("Domains over an enum are not supported in a key."),
					 errhint("Use the enum type itself.")));
	}
}

/*
 * Sets the key columns, which must not include the stage column.
 */
void
align_attach_set_key(AttachRequest *request, Relation rel, ArrayType *key)
{
	if (key != NULL)
		SetGivenKey(request, rel, key);
	else
		SetDefaultKey(request, rel);
	CheckKeyColumns(request, rel);
	CheckUnique(request, rel);
}
