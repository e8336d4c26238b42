/*
 * new_version.c
 *	  Checks a new version of an agreement against the tables attached to it.
 *
 * The current user need not own these tables, and may not be allowed to read
 * them.  They are read as their owner, and messages show only which stages are
 * in use.  Tables whose owner is no longer admitted are skipped without
 * locking them (judging_version.h).
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "agreement/admission.h"
#include "attach/new_version.h"
#include "attachment/judging_version.h"
#include "attachment/key_sql.h"
#include "attachment/labels.h"
#include "catalog/as_role.h"
#include "catalog/relation.h"
#include "condition/needs.h"
#include "history/history.h"

/*
 * Raises an error if dropped labels are in use; in_use lists them.
 */
static void
CheckNotInUse(const char *agreement, const char *in_use)
{
	if (in_use[0] != '\0')
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("agreement \"%s\" cannot drop stages that contain leads", agreement),
				 errdetail("These labels are in use (number of leads): %s.", in_use),
				 errhint("Move these leads first, or define the labels in the new version, for example: mql known as 'sal'.")));
}

/*
 * True if a funnel knows a stage as it is in a row, or by its label, to which
 * *label is set then.
 */
static bool
KnowsStage(Attachment *attachment, const Funnel *funnel, const char *value, LeadString *label)
{
	*label = align_role_label(attachment, ROW_STAGE, funnel, align_lead_cstring(value));
	return align_funnel_stage(funnel, label->text, label->len) >= 0;
}

/*
 * Appends the dropped labels that are in use, with the number of leads:
 * "crm.leads: "sal" (2), ...".  A new snapshot is taken, so that everything is
 * counted that was committed before the lock on the table was granted.
 */
static void
AppendStagesInUse(Attachment *attachment, const Funnel *current, const Funnel *agreed,
				  StringInfo in_use)
{
	int			nest_level = align_begin_role_sql();
	const char *stage = align_role_sql(&attachment->marker, ROW_STAGE, "t");
	StringInfoData sql;
	CallerRole	caller;
	bool		first = true;

	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT %s::pg_catalog.text, pg_catalog.count(*) FROM %s AS t WHERE %s IS NOT NULL",
					 stage, attachment->root_name, stage);
	if (attachment->marker.live != NULL)
		appendStringInfo(&sql, " AND (%s)",
						 deparse_expression(attachment->marker.live,
											deparse_context_for("t", attachment->relid), true, false));
	appendStringInfo(&sql, " GROUP BY 1 ORDER BY 2 DESC, %s::pg_catalog.text COLLATE \"C\"", stage);

	align_labels_forget();
	PushActiveSnapshot(GetLatestSnapshot());
	align_work_as(attachment->root_owner, &caller);
	if (SPI_execute(sql.data, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute failed: %s", sql.data);
	align_return_to(&caller);
	align_end_role_sql(nest_level);
	PopActiveSnapshot();
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		char	   *value = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1);
		LeadString	label;
		bool		isnull;

		/* a label that current does not have is not dropped by agreed */
		if (KnowsStage(attachment, current, value, &label) &&
			!KnowsStage(attachment, agreed, value, &label))
		{
			if (first)
				appendStringInfo(in_use, "%s%s: ", in_use->len > 0 ? "; " : "",
								 attachment->root_name);
			appendStringInfo(in_use, "%s\"%.*s\" (" INT64_FORMAT ")", first ? "" : ", ",
							 label.len, label.text,
							 DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[i],
														 SPI_tuptable->tupdesc, 2, &isnull)));
			first = false;
		}
	}
	SPI_freetuptable(SPI_tuptable);
}

/*
 * Returns the names and labels of the stages of the current version that the
 * new one knows by none of them, as an array; 0 if there are none.  A stage
 * that it does know is carried over by all its labels.
 */
static Datum
ForgottenLabels(const Funnel *current, const Funnel *agreed)
{
	bool	   *known = palloc0(current->nstages * sizeof(bool));
	Datum	   *labels = palloc(current->nlabels * sizeof(Datum));
	int			n = 0;

	for (int i = 0; i < current->nlabels; i++)
	{
		const FunnelLabel *label = &current->labels[i];

		if (align_funnel_stage(agreed, label->text, label->len) >= 0)
			known[label->stage] = true;
	}
	for (int i = 0; i < current->nlabels; i++)
	{
		const FunnelLabel *label = &current->labels[i];

		if (!known[label->stage])
			labels[n++] = PointerGetDatum(cstring_to_text_with_len(label->text, label->len));
	}
	if (n == 0)
		return (Datum) 0;
	return PointerGetDatum(construct_array(labels, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/*
 * Appends the forgotten labels of stages that leads were in, with the number
 * of leads: "crm.leads: "sal" (2), ...".
 */
static void
AppendStagesRecorded(Attachment *attachment, Datum forgotten, StringInfo recorded)
{
	Oid			types[] = {TEXTARRAYOID};
	StringInfoData sql;
	CallerRole	caller;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT s.stage, pg_catalog.count(*) FROM (SELECT DISTINCT h.stage, ");
	align_append_key(&sql, attachment, TABLE_HISTORY);
	appendStringInfo(&sql, " FROM %s AS h WHERE h.stage OPERATOR(pg_catalog.=) ANY ($1) AND %s) AS s"
					 " GROUP BY 1 ORDER BY 2 DESC, s.stage COLLATE \"C\"",
					 attachment->history_name, HISTORY_IS_LIVE("h"));

	PushActiveSnapshot(GetLatestSnapshot());
	align_work_as(attachment->root_owner, &caller);
	if (SPI_execute_with_args(sql.data, 1, types, &forgotten, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_with_args failed: %s", sql.data);
	align_return_to(&caller);
	PopActiveSnapshot();
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		bool		isnull;

		if (i == 0)
			appendStringInfo(recorded, "%s%s: ", recorded->len > 0 ? "; " : "",
							 attachment->root_name);
		appendStringInfo(recorded, "%s\"%s\" (" INT64_FORMAT ")", i > 0 ? ", " : "",
						 SPI_getvalue(row, SPI_tuptable->tupdesc, 1),
						 DatumGetInt64(SPI_getbinval(row, SPI_tuptable->tupdesc, 2, &isnull)));
	}
	SPI_freetuptable(SPI_tuptable);
}

/*
 * Raises a NOTICE if leads were in stages that the new version does not have;
 * recorded lists them.
 */
static void
ReportForgotten(const char *agreement, int32 version, const char *recorded)
{
	if (recorded[0] != '\0')
		ereport(NOTICE,
				(errmsg("version %d of agreement \"%s\" forgets stages that leads were in",
						version, agreement),
				 errdetail("It has neither a stage nor a label of these names (number of leads): %s.",
						   recorded),
				 errhint("Reports find these leads in unknown stages, unless the new version defines the labels, for example: accepted known as 'sal'.")));
}

/*
 * The new version, for CheckTable and its error handler.
 */
typedef struct NewVersion
{
	const char *agreement;
	int32		version;
	const Funnel *current;		/* in force so far; NULL: none */
	const Funnel *agreed;		/* the new version */
	bool		drops_labels;	/* does agreed lack labels of current? */
	Datum		forgotten;		/* array of those of unknown stages, or 0 */
	StringInfoData in_use;		/* lists the dropped labels in use */
	StringInfoData recorded;	/* and the forgotten ones in the history */
} NewVersion;

/*
 * The attachment of a table whose record tables can be used, else NULL, with a
 * NOTICE.
 */
static Attachment *
UsableAttachment(const NewVersion *new_version, AttachmentId id)
{
	Attachment *attachment = align_attachment_with_fault(id);
	char	   *problem = attachment != NULL ? align_records_problem(attachment) : NULL;

	if (problem == NULL)
		return attachment;
	ereport(NOTICE,
			(errmsg("version %d of agreement \"%s\" was not checked against table %s",
					new_version->version, new_version->agreement, attachment->root_name),
			 errdetail("%s", problem)));
	return NULL;
}

/*
 * Checks the new version against one attachment of a table.
 *
 * A table is skipped, without locking it, if its record tables cannot be used.
 * Its marker may have been created by another role that has TRIGGER on the
 * table, and such a role must not be able to block the agreement.
 *
 * Otherwise it is checked as its owner, in a security-restricted operation of
 * its own (see as_role.h): the owner's casts, for example, may run.
 */
static void
CheckTable(NewVersion *new_version, AttachmentId id)
{
	Oid			relid = id.relid;
	Attachment *attachment;
	Relation	rel;
	RestrictedCaller caller;

	if (UsableAttachment(new_version, id) == NULL)
		return;
	rel = try_relation_open(relid, new_version->drops_labels ? ShareLock : AccessShareLock);
	if (rel == NULL)
		return;					/* dropped concurrently */
	/* now the owner can no longer change */
	align_begin_restricted(&caller, rel->rd_rel->relowner);
	/* it may have changed before the lock was granted */
	attachment = UsableAttachment(new_version, id);
	if (attachment != NULL &&
		strcmp(attachment->marker.agreement, new_version->agreement) == 0)
	{
		align_needs_free(align_needs_compile(rel, new_version->agreed, new_version->agreement,
											 new_version->version, true, CurrentMemoryContext));
		if (new_version->drops_labels)
		{
			/* lock partitions too: their writers do not lock the root */
			(void) find_all_inheritors(relid, ShareLock, NULL);
			AppendStagesInUse(attachment, new_version->current, new_version->agreed,
							  &new_version->in_use);
			if (new_version->forgotten != (Datum) 0)
				AppendStagesRecorded(attachment, new_version->forgotten, &new_version->recorded);
		}
	}
	align_end_restricted(&caller);
	relation_close(rel, NoLock);
}

/*
 * True if an error is caused by the table, not by the session or the server.
 */
static bool
IsAboutTable(int sqlstate)
{
	switch (ERRCODE_TO_CATEGORY(sqlstate))
	{
		case ERRCODE_DATA_EXCEPTION:
		case ERRCODE_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION:
		case ERRCODE_FEATURE_NOT_SUPPORTED:
		case ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE:
			return sqlstate != ERRCODE_LOCK_NOT_AVAILABLE;
		default:
			return false;
	}
}

/*
 * Rethrows an error with a message that names the table, because the user may
 * not know that it is attached.  The original message becomes the detail.
 */
static void
RethrowForTable(const NewVersion *new_version, const char *table, ErrorData *error)
{
	error->detail = psprintf("%s%s%s", error->message, error->detail != NULL ? ": " : "",
							 error->detail != NULL ? error->detail : "");
	error->message = psprintf("version %d of agreement \"%s\" does not fit table %s",
							  new_version->version, new_version->agreement, table);
	ReThrowError(error);
}

/*
 * Calls CheckTable, and names the table in errors that it causes.  The error
 * is always rethrown, so no cleanup is needed.
 */
static void
CheckTableNamingIt(NewVersion *new_version, AttachmentId id)
{
	MemoryContext context = CurrentMemoryContext;

	const char *table;

	if (get_rel_name(id.relid) == NULL)
		return;					/* dropped concurrently */
	/* the catalogs cannot be read in PG_CATCH */
	table = align_relation_name(id.relid);

	PG_TRY();
	{
		CheckTable(new_version, id);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		if (!IsAboutTable(geterrcode()))
			PG_RE_THROW();
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RethrowForTable(new_version, table, error);
	}
	PG_END_TRY();
}

/*
 * True if the owner of a table is admitted to the agreement.
 */
static bool
IsAdmitted(const char *agreement, Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Admission	admission;
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		return false;			/* dropped concurrently */
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	align_read_admission(agreement, owner, &admission);
	return admission.admitted;
}

/*
 * Checks a new version against all tables attached to the agreement.
 */
void
align_check_new_version(const char *agreement, const Funnel *current, const Funnel *agreed,
						int32 version)
{
	List	   *tables = align_attached_tables(agreement);
	NewVersion	new_version = {.agreement = agreement,.version = version,.current = current,
	.agreed = agreed};
	ListCell   *lc;

	if (tables == NIL)
		return;
	new_version.drops_labels = current != NULL && align_drops_labels(current, agreed);
	if (new_version.drops_labels)
		new_version.forgotten = ForgottenLabels(current, agreed);
	initStringInfo(&new_version.in_use);
	initStringInfo(&new_version.recorded);
	align_spi_connect();
	foreach(lc, tables)
	{
		AttachmentId id = *(AttachmentId *) lfirst(lc);

		if (IsAdmitted(agreement, id.relid))
			CheckTableNamingIt(&new_version, id);
	}
	SPI_finish();
	CheckNotInUse(agreement, new_version.in_use.data);
	ReportForgotten(agreement, version, new_version.recorded.data);
}
