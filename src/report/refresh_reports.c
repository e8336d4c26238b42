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
 * written, since names of stages, segments and promises may have changed; and
 * so they are if the log or a trigger has been changed, or the partitions of
 * the table, since something may not have been logged meanwhile.
 *
 * Days on which leads entered get the time of the refresh if a row of
 * lead_values of that day was changed or removed, or added.  Every refresh has
 * a time later than those of all refreshes before, whatever the clock does, so
 * that a summary of a day can be compared with the day by its time alone.
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
#include "catalog/trigger.h"
#include "record/changed_leads.h"
#include "record/flush.h"
#include "report/mark.h"
#include "report/names_kept.h"
#include "report/refresh_reports.h"
#include "report/stored.h"
#include "value.h"

PG_FUNCTION_INFO_V1(align_refresh_reports);

typedef struct Refresh
{
	ReportTarget target;		/* attachment, schema, names of the key
								 * columns */
	NamesKept	names;
	const char *schema;			/* of target */
	const char *keys;			/* the key columns, as a list */
	Snapshot	snapshot;
	TimestampTz as_of;
	bool		has_values;		/* are there tables for users? */
	TimestampTz stamp;			/* of days that change; if there are */
} Refresh;

/*
 * Runs a statement under the snapshot, with what it has changed itself.  $1 is
 * the instant, $2 the time of days that change.  Returns the number of rows.
 */
static int64
RunStatement(const Refresh *refresh, const char *statement)
{
	Oid			types[] = {TIMESTAMPTZOID, TIMESTAMPTZOID};
	Datum		values[] = {TimestampTzGetDatum(refresh->as_of), TimestampTzGetDatum(refresh->stamp)};
	SPIPlanPtr	plan = align_names_prepare(&refresh->names, statement, lengthof(types), types);
	int			result;

	result = SPI_execute_snapshot(plan, values, NULL, refresh->snapshot, InvalidSnapshot, false, true, 0);
	if (result < 0)
		elog(ERROR, "SPI_execute_snapshot failed: %s", SPI_result_code_string(result));
	SPI_freeplan(plan);
	return (int64) SPI_processed;
}

/*
 * Runs a query that returns one value, which is passed by value.
 */
static Datum
ReadValue(const Refresh *refresh, const char *query, bool *isnull)
{
	Datum		result;

	if (RunStatement(refresh, query) != 1)
		elog(ERROR, "could not read the state of stored reports");
	result = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, isnull);
	SPI_freetuptable(SPI_tuptable);
	return result;
}

/*
 * Runs a query that returns one boolean; NULL counts as true.
 */
static bool
IsTrue(const Refresh *refresh, const char *query)
{
	bool		isnull;
	bool		answer = DatumGetBool(ReadValue(refresh, query, &isnull));

	return answer || isnull;
}

/*
 * The bodies of the tables that there are.
 */
static List *
Bodies(const Refresh *refresh)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, align_report_stored_bodies())
	{
		if (refresh->has_values || ((const ReportBody *) lfirst(lc))->kind != REPORT_TABLE)
			result = lappend(result, lfirst(lc));
	}
	return result;
}

/*
 * Writes the rows of all leads.  Returns their number.
 */
static int64
WriteAll(const Refresh *refresh)
{
	ListCell   *lc;
	int64		nleads = -1;

	RunStatement(refresh, psprintf("DELETE FROM %s." CHANGED_LEADS, refresh->schema));

	foreach(lc, Bodies(refresh))
	{
		const char *name = align_report_stored_name(lfirst(lc));
		int64		nrows;

		RunStatement(refresh, psprintf("DELETE FROM %s.%s", refresh->schema, name));
		nrows = RunStatement(refresh, psprintf("INSERT INTO %s.%s SELECT s.* FROM %s.%s($1) AS s",
											   refresh->schema, name, refresh->schema, align_report_rows_name(lfirst(lc))));
		RunStatement(refresh, psprintf("ANALYZE %s.%s", refresh->schema, name));

		/* the first table is that of the leads */
		if (nleads < 0)
			nleads = nrows;
	}
	if (refresh->has_values)
	{
		RunStatement(refresh, psprintf("DELETE FROM %s." REPORT_ENTRY_DAYS, refresh->schema));
		RunStatement(refresh, psprintf("INSERT INTO %s." REPORT_ENTRY_DAYS " (entered_on, refreshed_at) "
									   "SELECT DISTINCT v.entered_on, $2 FROM %s." REPORT_LEAD_VALUES " AS v "
									   "WHERE v.entered_on IS NOT NULL",
									   refresh->schema, refresh->schema));
	}
	return nleads;
}

/*
 * Writes the rows of the leads in the log into a table.
 */
static void
WriteRows(const Refresh *refresh, const ReportBody *body)
{
	const char *name = align_report_stored_name(body);

	RunStatement(refresh, psprintf("DELETE FROM %s.%s AS s USING %s." CHANGED_LEADS_TAKEN " AS t WHERE %s",
								   refresh->schema, name, refresh->schema,
								   align_report_key_join(&refresh->target, "s", "t")));
	RunStatement(refresh, psprintf("INSERT INTO %s.%s SELECT s.* FROM %s.%s($1) AS s",
								   refresh->schema, name, refresh->schema, align_report_changed_name(body)));
}

/*
 * Writes the rows of the leads in the log into lead_values, and the time of
 * the refresh into the days of those that are not as they were: not every
 * change of a lead changes its row.  An entry whose time has come since the
 * refresh before counts as a change, because summaries leave out what is later
 * than they are.  (Set operations take linear time whatever the planner
 * believes.)
 *
 * The new rows may have the keys of the old ones, so they wait until those are
 * removed: counting removes them all.
 */
static void
WriteValues(const Refresh *refresh, const ReportBody *body)
{
	RunStatement(refresh, psprintf("WITH computed AS MATERIALIZED (SELECT s.* FROM %1$s.%2$s($1) AS s), "
								   "removed AS (DELETE FROM %1$s." REPORT_LEAD_VALUES " AS s "
								   "USING %1$s." CHANGED_LEADS_TAKEN " AS t WHERE %3$s RETURNING s.*), "
								   "written AS (INSERT INTO %1$s." REPORT_LEAD_VALUES " SELECT n.* FROM computed AS n "
								   "WHERE (SELECT pg_catalog.count(*) FROM removed) IS NOT NULL) "
								   "INSERT INTO %1$s." REPORT_ENTRY_DAYS " (entered_on, refreshed_at) "
								   "SELECT DISTINCT x.entered_on, $2 FROM ("
								   "(TABLE removed EXCEPT ALL TABLE computed) "
								   "UNION ALL (TABLE computed EXCEPT ALL TABLE removed) "
								   "UNION ALL SELECT n.* FROM computed AS n WHERE EXISTS "
								   "(SELECT FROM align.entries(n.journey) AS e, %1$s." REPORT_STORED_STATE " AS s "
								   "WHERE e.at OPERATOR(pg_catalog.>) s.refreshed_at)) AS x "
								   "WHERE x.entered_on IS NOT NULL "
								   "ON CONFLICT (entered_on) DO UPDATE SET refreshed_at = EXCLUDED.refreshed_at",
								   refresh->schema, align_report_changed_name(body),
								   align_report_key_join(&refresh->target, "s", "t")));
}

/*
 * Writes the rows of the leads in the log.  Returns their number.
 */
static int64
WriteChanged(const Refresh *refresh)
{
	int64		nleads = RunStatement(refresh, psprintf("INSERT INTO %s." CHANGED_LEADS_TAKEN " SELECT DISTINCT %s FROM %s." CHANGED_LEADS,
														refresh->schema, refresh->keys, refresh->schema));
	ListCell   *lc;

	if (nleads == 0)
		return 0;
	RunStatement(refresh, psprintf("DELETE FROM %s." CHANGED_LEADS, refresh->schema));

	/* the plans below depend on how many there are */
	RunStatement(refresh, psprintf("ANALYZE %s." CHANGED_LEADS_TAKEN, refresh->schema));

	foreach(lc, Bodies(refresh))
	{
		const ReportBody *body = lfirst(lc);

		if (body->kind == REPORT_TABLE)
			WriteValues(refresh, body);
		else
			WriteRows(refresh, body);
	}
	RunStatement(refresh, psprintf("DELETE FROM %s." CHANGED_LEADS_TAKEN, refresh->schema));

	return nleads;
}

/*
 * Sets the time of the days that the refresh changes: the instant, or, if a
 * clock was set back, the least one after those of all days.
 */
static void
SetStamp(Refresh *refresh)
{
	bool		isnull;

	refresh->stamp = refresh->as_of;
	refresh->has_values = align_stored_has_values(refresh->target.schema_oid, refresh->target.attachment->root_owner);
	if (refresh->has_values)
		refresh->stamp = DatumGetTimestampTz(ReadValue(refresh,
													   psprintf("SELECT GREATEST($1, pg_catalog.max(d.refreshed_at) "
																"OPERATOR(pg_catalog.+) '1 microsecond'::pg_catalog.interval) "
																"FROM %s." REPORT_ENTRY_DAYS " AS d", refresh->schema),
													   &isnull));
}

/*
 * Begins a refresh under a snapshot, as of an instant.
 */
static void
Begin(Refresh *refresh, Oid schema, const Attachment *attachment, Snapshot snapshot, TimestampTz as_of)
{
	align_names_begin(&refresh->names, attachment, schema, "write stored reports");
	refresh->target.attachment = attachment;
	refresh->target.schema_oid = schema;
	refresh->target.schema = pstrdup(quote_identifier(get_namespace_name(schema)));
	align_stored_key_names(&refresh->target);
	refresh->schema = refresh->target.schema;
	refresh->keys = align_report_key_list(&refresh->target, NULL);
	refresh->snapshot = RegisterSnapshot(snapshot);
	refresh->as_of = as_of;
	/* compiling the queries takes longer than running them */
	(void) set_config_option("jit", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	SetStamp(refresh);
}

/*
 * Ends a refresh: logs the leads about which something later is recorded, and
 * sets the state.
 */
static void
End(Refresh *refresh)
{
	RunStatement(refresh, psprintf("INSERT INTO %s." CHANGED_LEADS " SELECT %s FROM %s." REPORT_STORED_LEADS " AS s "
								   "WHERE s.latest_at OPERATOR(pg_catalog.>) $1",
								   refresh->schema, refresh->keys, refresh->schema));
	RunStatement(refresh, psprintf("DELETE FROM %s." REPORT_STORED_STATE, refresh->schema));
	RunStatement(refresh, psprintf("INSERT INTO %s." REPORT_STORED_STATE " (refreshed_at, version, basis) "
								   "SELECT $1, b.version, b.basis FROM (%s) AS b",
								   refresh->schema, align_stored_basis_query(&refresh->target)));
	UnregisterSnapshot(refresh->snapshot);
}

void
align_report_fill(Oid schema, const Attachment *attachment)
{
	Refresh		refresh = {0};
	Snapshot	snapshot;

	/*
	 * Not the snapshot of a transaction that is older than the triggers: what
	 * was committed in between is not in the log.
	 */
	snapshot = GetLatestSnapshot();
	Begin(&refresh, schema, attachment, snapshot, GetCurrentTimestamp());
	(void) WriteAll(&refresh);
	End(&refresh);
}

/*
 * Brings the stored reports in a schema up to date.  Returns the number of
 * leads that were written.
 *
 * The clock is read after the snapshot was taken.  The snapshot of a
 * transaction may be older; then the reports are as of the beginning of the
 * transaction, and leads that have changed since stay in the log.
 */
static int64
RefreshSchema(Oid schema, const Attachment *attachment, bool everything)
{
	Refresh		refresh = {0};
	Snapshot	snapshot;
	int64		nleads;

	if (IsolationUsesXactSnapshot())
		Begin(&refresh, schema, attachment, GetTransactionSnapshot(), GetCurrentTransactionStartTimestamp());
	else
	{
		snapshot = GetLatestSnapshot();
		Begin(&refresh, schema, attachment, snapshot, GetCurrentTimestamp());
	}
	nleads = everything || IsTrue(&refresh, align_stored_unfit_query(&refresh.target)) ? WriteAll(&refresh) : WriteChanged(&refresh);
	End(&refresh);
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
		align_check_stored_schema(schema, attachment);
		align_check_stored_references(schema, attachment->root_owner);
		found = true;
		logged = align_stored_triggers_work(schema, attachment);
		if (!logged)
			ereport(WARNING,
					(errmsg("changes of table \"%s\" are not logged for the reports in schema \"%s\"",
							get_rel_name(id.relid), get_namespace_name(schema)),
					 errdetail("A trigger is missing or disabled, so all leads are written."),
					 errhint("Create the reports again with align.create_reports().")));
		nleads += RefreshSchema(schema, attachment, PG_GETARG_BOOL(1) || !logged);
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
