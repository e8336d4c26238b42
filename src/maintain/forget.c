/*
 * forget.c
 *	  forget(): removes persons and free text from what is recorded of a lead
 *	  whose row stays, anonymised, or has been deleted.
 *
 * Stages, teams, times, amounts and violations stay, and with them all
 * figures, except those by person or campaign, and those by reasons that the
 * agreement does not list.  What goes:
 *
 *	  - assignees, in entries and clocks, other than the one whom the row of a
 *		live lead names.  That one is in the row anyway, and the latest entry
 *		must agree with the row.  A clock has only assignees that its lead had,
 *		so removing the same ones there keeps it equal to what follows from
 *		the history;
 *	  - actors, notes and campaigns;
 *	  - reasons that the version that judged the entry does not list: they are
 *		the words of a person.  FORGOTTEN_REASON replaces them, which is not
 *		listed either, so the entry is judged as before;
 *	  - former keys of the lead: the notes of rekey entries, and the key in the
 *		source of entries that were merged from another lead.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "agreement/agreement.h"
#include "attachment/key.h"
#include "attachment/key_sql.h"
#include "catalog/as_role.h"
#include "funnel/funnel.h"
#include "history/history.h"
#include "maintain/owned.h"
#include "record/commit.h"
#include "record/flush.h"
#include "record/writer.h"

PG_FUNCTION_INFO_V1(align_forget);

#define FORGOTTEN_REASON "(forgotten)"

/* Identifies the reason of an entry with the version that judged it. */
#define JUDGED_REASON \
	"pg_catalog.concat(h.version, ' ', pg_catalog.quote_literal(h.agreement), ' ', h.reason)"

/* The source of an entry that was merged from another lead, up to its key. */
#define MERGED_KEY "'^" SOURCE_MERGED " [(].*[)]'"

/*
 * What is to be removed, with the parameters of the statements that remove it:
 * the key, then those named here.
 */
typedef struct Forgetting
{
	int			nkeys;
	Oid			types[ATTACHMENT_MAX_KEYS + 2];
	Datum		values[ATTACHMENT_MAX_KEYS + 2];
	char		nulls[ATTACHMENT_MAX_KEYS + 2];
} Forgetting;

/* Offsets of the parameters that follow the key. */
#define PARAMETER_ASSIGNEE 0	/* text: the one who stays, or NULL */
#define PARAMETER_REASONS 1		/* text[]: JUDGED_REASON of those that go */
#define NPARAMETERS 2

/*
 * Locks the row of the lead against changes, if there is one; returns whether
 * there is.
 */
static bool
LockRow(Attachment *attachment, Forgetting *forgetting)
{
	StringInfoData query;

	initStringInfo(&query);
	appendStringInfo(&query, "SELECT FROM %s AS h WHERE ", attachment->root_name);
	align_append_key_condition(&query, attachment, TABLE_ITSELF, 1);
	appendStringInfoString(&query, " FOR UPDATE OF h");
	align_execute_as_owner(attachment, query.data, forgetting->nkeys, forgetting->types,
						   forgetting->values, NULL);
	return SPI_processed > 0;
}

/*
 * Sets the assignee who stays: the one in the latest entry of a lead that is
 * not gone.
 */
static void
SetAssignee(Attachment *attachment, Forgetting *forgetting)
{
	int			parameter = forgetting->nkeys + PARAMETER_ASSIGNEE;
	StringInfoData query;
	bool		isnull = true;

	if (LockRow(attachment, forgetting) &&
		align_has_role(attachment, ROW_ASSIGNEE))
	{
		initStringInfo(&query);
		appendStringInfo(&query, "SELECT CASE WHEN NOT (" HISTORY_ENDS_LIFE("h") ") THEN h.assignee END"
						 " FROM %s AS h WHERE ", attachment->history_name);
		align_append_key_condition(&query, attachment, TABLE_HISTORY, 1);
		appendStringInfoString(&query, " ORDER BY h.entry_no DESC LIMIT 1");
		align_execute_as_owner(attachment, query.data, forgetting->nkeys, forgetting->types,
							   forgetting->values, NULL);
		if (SPI_processed > 0)
			forgetting->values[parameter] = SPI_getbinval(SPI_tuptable->vals[0],
														  SPI_tuptable->tupdesc, 1, &isnull);
	}
	forgetting->nulls[parameter] = isnull ? 'n' : ' ';
}

/*
 * Sets the reasons that go.
 */
static void
SetReasons(Attachment *attachment, Forgetting *forgetting)
{
	StringInfoData query;
	SPITupleTable *rows;
	Datum	   *reasons;
	int			nreasons = 0;

	initStringInfo(&query);
	appendStringInfo(&query, "SELECT DISTINCT h.agreement, h.version, h.reason, " JUDGED_REASON
					 " FROM %s AS h WHERE h.reason OPERATOR(pg_catalog.<>) ALL ('{\"\"," FORGOTTEN_REASON "}') AND ",
					 attachment->history_name);
	align_append_key_condition(&query, attachment, TABLE_HISTORY, 1);
	align_execute_as_owner(attachment, query.data, forgetting->nkeys, forgetting->types,
						   forgetting->values, NULL);
	rows = SPI_tuptable;
	reasons = palloc(Max(rows->numvals, 1) * sizeof(Datum));
	for (uint64 i = 0; i < rows->numvals; i++)
	{
		HeapTuple	row = rows->vals[i];
		TupleDesc	desc = rows->tupdesc;
		char	   *agreement = SPI_getvalue(row, desc, 1);
		char	   *reason = SPI_getvalue(row, desc, 3);
		bool		isnull;
		Datum		version = SPI_getbinval(row, desc, 2, &isnull);
		Funnel	   *funnel = agreement == NULL || isnull ? NULL :
			align_agreement_funnel(agreement, DatumGetInt32(version));

		if (funnel == NULL || !align_funnel_lists_reason(funnel, reason, strlen(reason)))
			reasons[nreasons++] = SPI_getbinval(row, desc, 4, &isnull);
	}
	forgetting->values[forgetting->nkeys + PARAMETER_REASONS] =
		PointerGetDatum(construct_array(reasons, nreasons, TEXTOID, -1, false, TYPALIGN_INT));
}

/*
 * Appends "(h.x is not null and is not the assignee who stays)".
 */
static void
AppendGoes(StringInfo sql, const Forgetting *forgetting, const char *column)
{
	appendStringInfo(sql, "(h.%s IS NOT NULL AND COALESCE(h.%s OPERATOR(pg_catalog.<>) $%d, true))",
					 column, column, forgetting->nkeys + PARAMETER_ASSIGNEE + 1);
}

static void
AppendAssignment(StringInfo sql, const Forgetting *forgetting, const char *column)
{
	appendStringInfo(sql, "%s%s = CASE WHEN NOT ", sql->len > 0 ? ", " : "", column);
	AppendGoes(sql, forgetting, column);
	appendStringInfo(sql, " THEN h.%s END", column);
}

static uint64
ForgetEntries(Attachment *attachment, Forgetting *forgetting)
{
	char	   *goes = psprintf("(COALESCE(" JUDGED_REASON " OPERATOR(pg_catalog.=) ANY ($%d), false))",
								forgetting->nkeys + PARAMETER_REASONS + 1);
	StringInfoData assignments;
	StringInfoData condition;

	initStringInfo(&assignments);
	AppendAssignment(&assignments, forgetting, "assignee");
	appendStringInfo(&assignments, ", actor = NULL, note = NULL, campaign = NULL, "
					 "reason = CASE WHEN %s THEN '" FORGOTTEN_REASON "' ELSE h.reason END, "
					 "source = pg_catalog.regexp_replace(h.source, " MERGED_KEY ", '" SOURCE_MERGED "')",
					 goes);
	initStringInfo(&condition);
	align_append_key_condition(&condition, attachment, TABLE_HISTORY, 1);
	appendStringInfoString(&condition, " AND (");
	AppendGoes(&condition, forgetting, "assignee");
	appendStringInfo(&condition, " OR h.actor IS NOT NULL OR h.note IS NOT NULL OR h.campaign IS NOT NULL"
					 " OR %s OR COALESCE(h.source OPERATOR(pg_catalog.~) " MERGED_KEY ", false))", goes);
	return align_update_rows(attachment, TABLE_HISTORY, assignments.data, condition.data,
							 forgetting->nkeys + NPARAMETERS, forgetting->types,
							 forgetting->values, forgetting->nulls);
}

static uint64
ForgetClocks(Attachment *attachment, Forgetting *forgetting)
{
	static const SlaColumn columns[] = {
		SLA_ASSIGNEE_AT_START, SLA_ASSIGNEE_AT_DUE, SLA_ASSIGNEE_AT_STOP
	};
	StringInfoData assignments;
	StringInfoData condition;

	initStringInfo(&assignments);
	initStringInfo(&condition);
	align_append_key_condition(&condition, attachment, TABLE_SLA, 1);
	for (int i = 0; i < (int) lengthof(columns); i++)
	{
		const char *name = align_sla_columns[columns[i]].name;

		AppendAssignment(&assignments, forgetting, name);
		appendStringInfoString(&condition, i == 0 ? " AND (" : " OR ");
		AppendGoes(&condition, forgetting, name);
	}
	appendStringInfoChar(&condition, ')');
	return align_update_rows(attachment, TABLE_SLA, assignments.data, condition.data,
							 forgetting->nkeys + PARAMETER_ASSIGNEE + 1, forgetting->types,
							 forgetting->values, forgetting->nulls);
}

/*
 * forget(relation, key): returns the number of entries and clocks changed.
 */
Datum
align_forget(PG_FUNCTION_ARGS)
{
	Attachment *attachment = align_owned_attachment(fcinfo, "align.forget()");
	Forgetting	forgetting = {.nkeys = attachment->nkeys};
	RestrictedCaller caller;
	int64		result;

	align_key_argument(fcinfo, 1, attachment, forgetting.values);
	align_key_types(attachment, forgetting.types);
	forgetting.types[attachment->nkeys + PARAMETER_ASSIGNEE] = TEXTOID;
	forgetting.types[attachment->nkeys + PARAMETER_REASONS] = TEXTARRAYOID;
	memset(forgetting.nulls, ' ', sizeof(forgetting.nulls));
	align_recorder_flush_all();
	/* the entry of a deferred deletion would have the assignee */
	align_recorder_finish_reload(attachment->marker.root);
	align_begin_restricted(&caller, attachment->root_owner);
	align_spi_connect();
	SetAssignee(attachment, &forgetting);
	SetReasons(attachment, &forgetting);
	result = ForgetEntries(attachment, &forgetting);
	result += ForgetClocks(attachment, &forgetting);
	SPI_finish();
	align_end_restricted(&caller);
	PG_RETURN_INT64(result);
}
