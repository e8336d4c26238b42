/*
 * names_kept.c
 *	  Whether names in queries still mean what they meant; see names_kept.h.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_namespace.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "report/names_kept.h"

/* The tables of an attachment, as in AttachedTable. */
#define NTABLES 3

/*
 * Reads the current version of a schema; InvalidOid if it is gone.
 */
static SchemaVersion
ReadSchemaVersion(Oid schema)
{
	HeapTuple	tuple = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(schema));
	SchemaVersion version = {.schema = InvalidOid};

	if (HeapTupleIsValid(tuple))
	{
		version.schema = schema;
		version.xmin = HeapTupleHeaderGetRawXmin(tuple->t_data);
		version.tid = tuple->t_self;
		ReleaseSysCache(tuple);
	}
	return version;
}

static Oid
TableOid(const NamesKept *names, int table)
{
	const AttachmentMarker *marker = &names->attachment->marker;
	const Oid	relids[NTABLES] = {marker->root, marker->history, marker->sla};

	return relids[table];
}

void
align_names_begin(NamesKept *names, const Attachment *attachment, Oid reports, const char *purpose)
{
	StaticAssertStmt(lengthof(names->schemas) == NTABLES + 1, "a schema for each table, and that of the reports");
	names->attachment = attachment;
	names->purpose = purpose;
	AcceptInvalidationMessages();
	for (int i = 0; i < NTABLES; i++)
		names->schemas[i] = ReadSchemaVersion(get_rel_namespace(TableOid(names, i)));
	names->schemas[NTABLES] = ReadSchemaVersion(reports);
}

/*
 * A row of pg_namespace that is the same version as at the beginning has had
 * its name all the time.
 */
void
align_names_check(const NamesKept *names)
{
	bool		is_kept = true;

	AcceptInvalidationMessages();
	for (int i = 0; i < (int) lengthof(names->schemas); i++)
	{
		const SchemaVersion *then = &names->schemas[i];
		SchemaVersion now = ReadSchemaVersion(then->schema);

		is_kept &= OidIsValid(now.schema) && now.xmin == then->xmin &&
			ItemPointerEquals(&now.tid, unconstify(ItemPointerData *, &then->tid));
	}
	for (int i = 0; i < NTABLES; i++)
	{
		Oid			relid = TableOid(names, i);
		char	   *name = get_rel_name(relid);

		is_kept &= name != NULL &&
			strcmp(quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), name),
				   align_table_name(names->attachment, (AttachedTable) i)) == 0;
	}
	if (!is_kept)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not %s because of a concurrent change", names->purpose),
				 errdetail("Another session has changed the schema of the reports or of the table, or renamed one of the tables."),
				 errhint("Try again.")));
}

SPIPlanPtr
align_names_prepare(const NamesKept *names, const char *query, int nargs, Oid *types)
{
	SPIPlanPtr	plan = SPI_prepare_cursor(query, nargs, types, CURSOR_OPT_PARALLEL_OK);

	if (plan == NULL)
		elog(ERROR, "SPI_prepare_cursor failed: %s", SPI_result_code_string(SPI_result));
	/* a plan that is not saved is not parsed again */
	align_names_check(names);
	return plan;
}
