/*
 * refresh_reports.c
 *	  align.refresh_reports(): brings stored reports (stored.h) up to date.
 *
 * Everything happens under one snapshot: what it sees of the log of changed
 * leads is taken from there, and the rows of these leads are computed from
 * what it sees of the history.  A change that it does not see, because its
 * transaction commits later, however long ago it began, has its row in the log
 * committed with it, and so is left for the next call.  So nothing is missed,
 * and a lead that is written once too often gets the same rows again.
 *
 * Rows are computed as of the clock after the snapshot was taken, when all
 * that it sees had happened.  A lead about which the record tells of a later
 * time (whose clock was ahead, or which was imported so) stays in the log
 * until then.
 *
 * The work follows the number of leads in the log.  But if the agreement has
 * changed, or another version has come into force, the rows of all leads are
 * written, since names of stages, segments and promises may have changed.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "attachment/privileges.h"
#include "catalog/as_role.h"
#include "catalog/relation.h"
#include "record/changed_leads.h"
#include "record/flush.h"
#include "report/mark.h"
#include "report/refresh_reports.h"
#include "report/stored.h"
#include "value.h"

PG_FUNCTION_INFO_V1(align_refresh_reports);

typedef struct Refresh
{
	Oid			schema_oid;
	const char *schema;			/* quoted */
	const char *agreement;		/* literal */
	const char *keys;			/* key columns of the reports, as a list */
	const char *first_key;
	Snapshot	snapshot;
	TimestampTz as_of;
} Refresh;

/*
 * Runs a statement under the snapshot, with what it has changed itself.  $1 is
 * the instant.  Returns the number of rows.
 */
static int64
Run			(const Refresh *refresh, const char *statement)
{
	Oid			types[] = {TIMESTAMPTZOID};
	Datum		values[] = {TimestampTzGetDatum(refresh->as_of)};
	SPIPlanPtr	plan = SPI_prepare(statement, 1, types);
	int			result;

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	result = SPI_execute_snapshot(plan, values, NULL, refresh->snapshot, InvalidSnapshot, false, true, 0);
	if (result < 0)
		elog(ERROR, "SPI_execute_snapshot failed: %s", SPI_result_code_string(result));
	SPI_freeplan(plan);
	return (int64) SPI_processed;
}

/*
 * Runs a query that returns one boolean.
 */
static bool
Ask(const Refresh *refresh, const char *query)
{
	bool		isnull;
	bool		answer;

	if (Run (refresh, query) != 1)
		elog(ERROR, "could not read the state of stored reports");
	answer = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_freetuptable(SPI_tuptable);
	return answer && !isnull;
}

/*
 * The version of the agreement in force at the instant, and a digest of all
 * agreements, as the columns version and agreements.
 */
static char *
AgreementQuery(const Refresh *refresh)
{
	return psprintf("SELECT (SELECT a.version FROM align.agreements AS a WHERE a.name OPERATOR(pg_catalog.=) %s "
					"ORDER BY a.valid_from OPERATOR(pg_catalog.<=) $1 DESC, "
					"CASE WHEN a.valid_from OPERATOR(pg_catalog.<=) $1 THEN OPERATOR(pg_catalog.-) a.version ELSE a.version END "
					"LIMIT 1) AS version, "
					"(SELECT pg_catalog.md5(pg_catalog.string_agg(pg_catalog.concat_ws(' ', a.name, a.version, "
					"pg_catalog.date_part('epoch', a.valid_from), a.funnel::pg_catalog.text), ' ' "
					"ORDER BY a.name, a.version)) FROM align.agreements AS a) AS agreements",
					refresh->agreement);
}

/*
 * True if the rows of all leads must be written.
 */
static bool
MustWriteAll(const Refresh *refresh)
{
	return Ask(refresh, psprintf("SELECT EXISTS (SELECT FROM %s." CHANGED_LEADS " AS c WHERE c.%s IS NULL) "
								 "OR (SELECT (s.version, s.agreements) IS DISTINCT FROM (a.version, a.agreements) "
								 "FROM %s." REPORT_STORED_STATE " AS s CROSS JOIN (%s) AS a)",
								 refresh->schema, refresh->first_key, refresh->schema, AgreementQuery(refresh)));
}

/*
 * Writes the rows of all leads.  Returns their number.
 */
static int64
WriteAll(const Refresh *refresh)
{
	ListCell   *lc;
	int64		nleads = -1;

	Run			(refresh, psprintf("DELETE FROM %s." CHANGED_LEADS, refresh->schema));

	foreach(lc, align_report_stored_bodies())
	{
		const char *name = align_report_stored_name(lfirst(lc));
		int64		nrows;

		Run			(refresh, psprintf("DELETE FROM %s.%s", refresh->schema, name));
		nrows = Run (refresh, psprintf("INSERT INTO %s.%s SELECT s.* FROM %s.%s($1) AS s",
									   refresh->schema, name, refresh->schema, name));
		Run			(refresh, psprintf("ANALYZE %s.%s", refresh->schema, name));

		/* the first table is that of the leads */
		if (nleads < 0)
			nleads = nrows;
	}
	return nleads;
}

/*
 * The join of a table with the leads that are being worked on.
 */
static char *
TakenJoin(const Refresh *refresh)
{
	Oid			taken = get_relname_relid(REPORT_STORED_TAKEN, refresh->schema_oid);
	StringInfoData join;

	initStringInfo(&join);
	for (int i = 1; i <= align_relation_natts(taken); i++)
	{
		const char *column = quote_identifier(get_attname(taken, i, false));

		appendStringInfo(&join, "%ss.%s OPERATOR(pg_catalog.=) t.%s", i > 1 ? " AND " : "", column, column);
	}
	return join.data;
}

/*
 * Writes the rows of the leads in the log.  Returns their number.
 */
static int64
WriteChanged(const Refresh *refresh)
{
	int64		nleads = Run (refresh, psprintf("INSERT INTO %s." REPORT_STORED_TAKEN " SELECT DISTINCT %s FROM %s." CHANGED_LEADS,
												refresh->schema, refresh->keys, refresh->schema));
	ListCell   *lc;

	if (nleads == 0)
		return 0;
	Run			(refresh, psprintf("DELETE FROM %s." CHANGED_LEADS, refresh->schema));

	/* the plans below depend on how many there are */
	Run			(refresh, psprintf("ANALYZE %s." REPORT_STORED_TAKEN, refresh->schema));

	foreach(lc, align_report_stored_bodies())
	{
		const char *name = align_report_stored_name(lfirst(lc));

		Run			(refresh, psprintf("DELETE FROM %s.%s AS s USING %s." REPORT_STORED_TAKEN " AS t WHERE %s",
									   refresh->schema, name, refresh->schema, TakenJoin(refresh)));
		Run			(refresh, psprintf("INSERT INTO %s.%s SELECT s.* FROM %s.%s($1) AS s",
									   refresh->schema, name, refresh->schema, align_report_changed_name(lfirst(lc))));
	}
	Run			(refresh, psprintf("DELETE FROM %s." REPORT_STORED_TAKEN, refresh->schema));

	return nleads;
}

/*
 * Sets the key columns, which are those of the log.
 */
static void
SetKeys(Refresh *refresh)
{
	Oid			log = get_relname_relid(CHANGED_LEADS, refresh->schema_oid);
	StringInfoData keys;

	initStringInfo(&keys);
	for (int i = 1; i <= align_relation_natts(log); i++)
		appendStringInfo(&keys, "%s%s", i > 1 ? ", " : "", quote_identifier(get_attname(log, i, false)));
	refresh->keys = keys.data;
	refresh->first_key = pstrdup(quote_identifier(get_attname(log, 1, false)));
}

int64
align_report_refresh(Oid schema, const char *agreement, bool everything)
{
	Refresh		refresh = {.schema_oid = schema};
	int64		nleads;

	refresh.schema = pstrdup(quote_identifier(get_namespace_name(schema)));
	refresh.agreement = quote_literal_cstr(agreement);
	SetKeys(&refresh);
	/* compiling the queries takes longer than running them */
	(void) set_config_option("jit", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	refresh.snapshot = RegisterSnapshot(IsolationUsesXactSnapshot() ? GetTransactionSnapshot() : GetLatestSnapshot());
	refresh.as_of = GetCurrentTimestamp();
	nleads = everything || MustWriteAll(&refresh) ? WriteAll(&refresh) : WriteChanged(&refresh);
	Run			(&refresh, psprintf("INSERT INTO %s." CHANGED_LEADS " SELECT %s FROM %s." REPORT_STORED_LEADS " AS s "
									"WHERE s.latest_at OPERATOR(pg_catalog.>) $1",
									refresh.schema, refresh.keys, refresh.schema));
	Run			(&refresh, psprintf("UPDATE %s." REPORT_STORED_STATE " SET refreshed_at = $1, version = a.version, "
									"agreements = a.agreements FROM (%s) AS a", refresh.schema, AgreementQuery(&refresh)));

	UnregisterSnapshot(refresh.snapshot);
	return nleads;
}

/*
 * refresh_reports(relation regclass, everything boolean) returns bigint, the
 * number of leads
 */
Datum
align_refresh_reports(PG_FUNCTION_ARGS)
{
	const Attachment *attachment;
	AttachmentId id;
	RestrictedCaller caller;
	List	   *schemas;
	ListCell   *lc;
	int64		nleads = 0;
	bool		found = false;
	bool		forced;

	align_require_argument(fcinfo, 0, "relation");
	align_require_argument(fcinfo, 1, "everything");
	PreventCommandIfReadOnly("align.refresh_reports()");
	id = align_lock_attached(PG_GETARG_OID(0));
	align_check_table_owner(id.relid);
	align_recorder_flush_all();
	attachment = align_attachment_locked(id, AccessShareLock);
	if (align_row_security(id.relid, &forced))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("reports on table \"%s\" cannot be stored", get_rel_name(id.relid)),
				 errdetail("It has row-level security, which does not apply to what is stored."),
				 errhint("Create the reports again without \"stored\".")));
	schemas = align_report_schemas(attachment);
	align_begin_restricted(&caller, attachment->root_owner);
	align_spi_connect();
	foreach(lc, schemas)
	{
		Oid			schema = lfirst_oid(lc);
		bool		logged;

		/*
		 * one call at a time; SHARE UPDATE EXCLUSIVE conflicts with itself,
		 * not with writers
		 */
		if (!align_report_lock_stored(schema, attachment->root_owner, ShareUpdateExclusiveLock))
			continue;
		found = true;
		logged = align_stored_triggers_work(schema, attachment);
		if (!logged)
			ereport(WARNING,
					(errmsg("changes of table \"%s\" are not logged for the reports in schema \"%s\"",
							get_rel_name(id.relid), get_namespace_name(schema)),
					 errdetail("A trigger is missing or disabled, so all leads are written."),
					 errhint("Create the reports again with align.create_reports().")));
		nleads += align_report_refresh(schema, attachment->marker.agreement, PG_GETARG_BOOL(1) || !logged);
	}
	SPI_finish();
	align_end_restricted(&caller);
	if (!found)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" has no stored reports", get_rel_name(attachment->marker.root)),
				 errhint("Create them with align.create_reports(stored => true).")));
	PG_RETURN_INT64(nleads);
}
