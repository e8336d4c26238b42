/*
 * attach_agree.c
 *	  A new version of an agreement, and the tables attached to it.
 *
 * Whoever agrees need not own these tables, nor be allowed to read them; they
 * are read as their owner, and no more is told than which stages are in use.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/table.h"
#include "catalog/pg_inherits.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/snapmgr.h"

#include "enforce/attach.h"
#include "enforce/needs.h"

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
 * Labels that are known to the version in force and not to the new one.
 */
static bool
LosesLabels(const Funnel *current, const Funnel *agreed)
{
	for (int i = 0; current != NULL && i < current->nlabels; i++)
	{
		if (align_funnel_stage(agreed, current->labels[i].text, current->labels[i].len) < 0)
			return true;
	}
	return false;
}

/*
 * Counted by label, with what the attached table's writers committed before our
 * lock; "crm.leads: "sal" (2), ..." is added to lost.
 */
static void
CountStages(Attachment *attachment, const Funnel *current, const Funnel *agreed, StringInfo lost)
{
	const char *stage = quote_identifier(get_attname(attachment->relid,
													 attachment->column[ROW_STAGE], false));
	StringInfoData sql;
	CallerIdentity caller;
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
	align_become(attachment->root_owner, SECURITY_RESTRICTED_OPERATION, &caller);
	if (SPI_execute(sql.data, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute failed: %s", sql.data);
	align_resume(&caller);
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

void
align_agree_attached(const char *agreement, const Funnel *current, const Funnel *agreed,
					 int32 version)
{
	List	   *tables = align_attached_tables(agreement);
	bool		loses = LosesLabels(current, agreed);
	ListCell   *lc;
	StringInfoData lost;
	int			save_nestlevel;

	if (tables == NIL)
		return;
	initStringInfo(&lost);
	save_nestlevel = align_push_search_path();
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	foreach(lc, tables)
	{
		Relation	rel = try_relation_open(lfirst_oid(lc), loses ? ShareLock : AccessShareLock);
		Attachment *attachment;

		if (rel == NULL)
			continue;			/* dropped meanwhile */
		attachment = align_attachment(lfirst_oid(lc), true);
		if (attachment != NULL && strcmp(attachment->marker.agreement, agreement) == 0)
		{
			align_needs_free(align_needs_compile(rel, agreed, agreement, version, true,
												 CurrentMemoryContext));
			if (loses)
			{
				/* who writes to a partition need not lock the root */
				(void) find_all_inheritors(lfirst_oid(lc), ShareLock, NULL);
				CountStages(attachment, current, agreed, &lost);
			}
		}
		relation_close(rel, NoLock);
	}
	SPI_finish();
	AtEOXact_GUC(false, save_nestlevel);
	CheckNoneLost(agreement, lost.data);
}
