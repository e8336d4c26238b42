/*
 * new_version.c
 *	  Checks a new version of an agreement against the tables attached to it.
 *
 * The role that agrees need not own these tables, nor be allowed to read them:
 * they are read as their owner, and messages show no more than which stages are in
 * use.  Tables of roles that are not admitted any more are left out, without even
 * being locked (judging_version.h).
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "agreement/admission.h"
#include "attach/new_version.h"
#include "attachment/judging_version.h"
#include "catalog/as_role.h"
#include "catalog/relation.h"
#include "condition/needs.h"

/*
 * Stages that are given up may not have leads in them.
 */
static void
CheckNoneLost(const char *agreement, const char *lost)
{
	if (lost[0] != '\0')
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("agreement \"%s\" cannot give up stages that leads are in", agreement),
				 errdetail("There are leads (so many) in stages of these labels: %s.", lost),
				 errhint("Move these leads first, or say in the new version what the labels mean, as in: mql known as 'sal'.")));
}

/*
 * Appends the stages that are given up and in use, with the number of leads:
 * "crm.leads: "sal" (2), ...".  Counts what the writers of the table committed
 * before its lock was granted.
 */
static void
CountStages(Attachment *attachment, const Funnel *current, const Funnel *agreed, StringInfo lost)
{
	const char *stage = quote_identifier(get_attname(attachment->relid,
													 attachment->column[ROW_STAGE], false));
	StringInfoData sql;
	CallerRole	caller;
	bool		first = true;

	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT t.%s::pg_catalog.text, pg_catalog.count(*) FROM %s AS t WHERE t.%s IS NOT NULL",
					 stage, attachment->root_name, stage);
	if (attachment->marker.live != NULL)
		appendStringInfo(&sql, " AND (%s)",
						 deparse_expression(attachment->marker.live,
											deparse_context_for("t", attachment->relid), true, false));
	appendStringInfo(&sql, " GROUP BY 1 ORDER BY 2 DESC, t.%s::pg_catalog.text COLLATE \"C\"", stage);

	PushActiveSnapshot(GetLatestSnapshot());
	align_work_as(attachment->root_owner, &caller);
	if (SPI_execute(sql.data, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute failed: %s", sql.data);
	align_return_to(&caller);
	PopActiveSnapshot();
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		char	   *label = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1);
		bool		isnull;

		if (align_funnel_stage(current, label, strlen(label)) >= 0 &&
			align_funnel_stage(agreed, label, strlen(label)) < 0)
		{
			if (first)
				appendStringInfo(lost, "%s%s: ", lost->len > 0 ? "; " : "", attachment->root_name);
			appendStringInfo(lost, "%s\"%s\" (" INT64_FORMAT ")", first ? "" : ", ", label,
							 DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[i],
														 SPI_tuptable->tupdesc, 2, &isnull)));
			first = false;
		}
	}
	SPI_freetuptable(SPI_tuptable);
}

/*
 * What is being checked, for CheckTable and its error handler.
 */
typedef struct NewVersion
{
	const char *agreement;
	int32		version;
	const Funnel *current;		/* in force so far; NULL: none */
	const Funnel *agreed;
	bool		gives_up;		/* labels that current knows */
	StringInfoData lost;
} NewVersion;

/*
 * A table whose history and clocks cannot be used is left out: its marker may have
 * been made by somebody who has TRIGGER on it, and who must not hold up the
 * agreement.  Nothing is locked before that is known.
 */
static void
CheckTable(NewVersion *new_version, Oid relid)
{
	Attachment *attachment = align_attachment(relid, true);
	char	   *problem = attachment != NULL ? align_records_problem(attachment) : NULL;
	Relation	rel;

	if (problem != NULL)
		ereport(NOTICE,
				(errmsg("version %d of agreement \"%s\" was not checked against table %s",
						new_version->version, new_version->agreement, align_relation_name(relid)),
				 errdetail("%s", problem)));
	if (attachment == NULL || problem != NULL)
		return;
	rel = try_relation_open(relid, new_version->gives_up ? ShareLock : AccessShareLock);
	if (rel == NULL)
		return;					/* dropped concurrently */
	attachment = align_attachment(relid, true);
	if (attachment != NULL &&
		strcmp(attachment->marker.agreement, new_version->agreement) == 0)
	{
		align_needs_free(align_needs_compile(rel, new_version->agreed, new_version->agreement,
											 new_version->version, true, CurrentMemoryContext));
		if (new_version->gives_up)
		{
			/* writers to a partition need not lock the root */
			(void) find_all_inheritors(relid, ShareLock, NULL);
			CountStages(attachment, new_version->current, new_version->agreed,
						&new_version->lost);
		}
	}
	relation_close(rel, NoLock);
}

/*
 * Is an error about the table, rather than about this session or the server?
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
 * Raises an error again with a message that names the table: the role that agrees
 * may not know that it is attached.
 */
static void
RaiseForTable(const NewVersion *new_version, Oid relid, ErrorData *error)
{
	error->detail = psprintf("%s%s%s", error->message, error->detail != NULL ? ": " : "",
							 error->detail != NULL ? error->detail : "");
	error->message = psprintf("version %d of agreement \"%s\" does not fit table %s",
							  new_version->version, new_version->agreement,
							  align_relation_name(relid));
	ReThrowError(error);
}

/*
 * An error ends the statement, so nothing needs to be cleaned up after it.
 */
static void
CheckTableNamed(NewVersion *new_version, Oid relid)
{
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		CheckTable(new_version, relid);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		if (!IsAboutTable(geterrcode()))
			PG_RE_THROW();
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RaiseForTable(new_version, relid, error);
	}
	PG_END_TRY();
}

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

void
align_agree_attached(const char *agreement, const Funnel *current, const Funnel *agreed,
					 int32 version)
{
	List	   *tables = align_attached_tables(agreement);
	NewVersion	new_version = {.agreement = agreement,.version = version,.current = current,
	.agreed = agreed};
	ListCell   *lc;
	RestrictedCaller caller;

	if (tables == NIL)
		return;
	new_version.gives_up = current != NULL && align_drops_labels(current, agreed);
	initStringInfo(&new_version.lost);
	align_begin_restricted(&caller);
	align_spi_connect();
	foreach(lc, tables)
	{
		if (IsAdmitted(agreement, lfirst_oid(lc)))
			CheckTableNamed(&new_version, lfirst_oid(lc));
	}
	SPI_finish();
	align_end_restricted(&caller);
	CheckNoneLost(agreement, new_version.lost.data);
}
