/*
 * check.c
 *	  check(): compares a table with its history, and the history with the
 *	  clocks.
 *
 * The three tables are scanned in order of the key, under one snapshot, and
 * merged, so that one lead at a time is in memory.
 *
 * They are read as their owner, because reading them may run functions of the
 * owner, such as those in expressions of indexes (as_role.h).  So check()
 * itself checks that the caller has the privileges that a SELECT would need.
 * Row-level security must not apply to the caller.  The owner may call it even
 * if row-level security is forced on the owner.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rls.h"
#include "utils/ruleutils.h"
#include "utils/timestamp.h"

#include "attachment/judging_version.h"
#include "attachment/key.h"
#include "attachment/labels.h"
#include "catalog/as_role.h"
#include "record/reload.h"
#include "report/check.h"

PG_FUNCTION_INFO_V1(align_check);

/* Columns of the scan of the attached table, after the key. */
typedef enum RowColumn
{
	COLUMN_STAGE,
	COLUMN_TEAM,
	COLUMN_ASSIGNEE,
	COLUMN_LIVE
} RowColumn;

/*
 * A row of the attached table.  Strings are NULL where the column is null, or
 * the table is attached without that column.
 */
typedef struct LeadRow
{
	bool		exists;
	bool		live;
	char	   *stage;
	char	   *team;
	char	   *assignee;
} LeadRow;

/*
 * The rows of one lead in the clock table.
 */
typedef struct ClockTuples
{
	int			n;
	int			capacity;		/* allocated size of tuples */
	HeapTuple  *tuples;
} ClockTuples;

/*
 * Appends a role, or a null if there is none, to a list of columns.
 */
static void
AppendRole(StringInfo sql, const Attachment *attachment, RowRole role)
{
	char	   *value = align_role_sql(&attachment->marker, role, "r");

	appendStringInfo(sql, "%s, ", value != NULL ? value : "NULL::pg_catalog.text");
}

/*
 * Starts the scan of the attached table.
 */
static void
BeginRowScan(TableScan *scan, const Attachment *attachment)
{
	StringInfoData columns;
	int			nest_level = align_begin_role_sql();

	initStringInfo(&columns);
	AppendRole(&columns, attachment, ROW_STAGE);
	AppendRole(&columns, attachment, ROW_TEAM);
	AppendRole(&columns, attachment, ROW_ASSIGNEE);
	if (attachment->marker.live == NULL)
		appendStringInfoString(&columns, "true");
	else
		appendStringInfo(&columns, "(%s) IS TRUE",
						 deparse_expression(attachment->marker.live,
											deparse_context_for("r", attachment->marker.root),
											true, false));
	align_table_scan_begin(scan, attachment, TABLE_ITSELF, columns.data, NULL, "");
	align_end_role_sql(nest_level);
}

/*
 * Returns a role of a row as text, in the same form as the triggers read it:
 * as the output function of its type returns it, without the padding of
 * character(n).
 */
static char *
RowText(const Check *check, const TableScan *scan, RowColumn column, RowRole role)
{
	Attachment *attachment = check->attachment;
	int			nest_level = 0;
	LeadString	label;
	char	   *text;

	if (!align_has_role(attachment, role) || scan->nulls[column])
		return NULL;
	if (attachment->text_varies[role])
		nest_level = align_use_stored_text_settings();
	text = OidOutputFunctionCall(attachment->out[role].fn_oid, scan->values[column]);
	if (attachment->text_varies[role])
		AtEOXact_GUC(false, nest_level);
	if (attachment->type[role] == BPCHAROID)
		text[bpchartruelen(text, strlen(text))] = '\0';
	if (!align_has_labels(attachment, role))
		return text;
	label = align_role_label(attachment, role, check->funnel, align_lead_cstring(text));
	return pnstrdup(label.text, label.len);
}

static void
ReadRow(const Check *check, TableScan *scan, LeadRow *row)
{
	row->exists = true;
	row->live = !scan->nulls[COLUMN_LIVE] && DatumGetBool(scan->values[COLUMN_LIVE]);
	row->stage = RowText(check, scan, COLUMN_STAGE, ROW_STAGE);
	row->team = RowText(check, scan, COLUMN_TEAM, ROW_TEAM);
	row->assignee = RowText(check, scan, COLUMN_ASSIGNEE, ROW_ASSIGNEE);
}

static TimestampTz
TimeColumn(const TableScan *scan, HistoryColumn column)
{
	return scan->nulls[column] ? 0 : DatumGetTimestampTz(scan->values[column]);
}

/*
 * Appends the entry in the current row to a history.
 */
static void
AddEntry(const TableScan *scan, RecordedHistory *history)
{
	RecordedEntry *entry;
	char	   *source = align_table_scan_text(scan, HISTORY_SOURCE);

	if (history->nentries == history->capacity)
	{
		history->capacity = Max(history->capacity * 2, 16);
		if (history->entries == NULL)
			history->entries = palloc(history->capacity * sizeof(RecordedEntry));
		else
			history->entries = repalloc_huge(history->entries,
											 history->capacity * sizeof(RecordedEntry));
	}
	entry = &history->entries[history->nentries];
	entry->life = 0;
	if (history->nentries > 0)
	{
		const RecordedEntry *before = entry - 1;

		entry->life = before->life + align_ends_life(before->event, before->merged);
	}
	history->nentries++;
	entry->entry_no = DatumGetInt32(scan->values[HISTORY_ENTRY_NO]);
	entry->event_name = align_table_scan_text(scan, HISTORY_EVENT);
	entry->event = entry->event_name == NULL ? -1 :
		align_history_event(entry->event_name, strlen(entry->event_name));
	entry->effective_at = TimeColumn(scan, HISTORY_EFFECTIVE_AT);
	entry->recorded_at = TimeColumn(scan, HISTORY_RECORDED_AT);
	entry->from_stage = align_table_scan_text(scan, HISTORY_FROM_STAGE);
	entry->stage = align_table_scan_text(scan, HISTORY_STAGE);
	entry->team = align_table_scan_text(scan, HISTORY_TEAM);
	entry->assignee = align_table_scan_text(scan, HISTORY_ASSIGNEE);
	entry->segments = scan->nulls[HISTORY_SEGMENTS] ? align_lead_cstring(NULL) :
		align_segments_list(DatumGetArrayTypeP(scan->values[HISTORY_SEGMENTS]));
	entry->reason = align_table_scan_text(scan, HISTORY_REASON);
	entry->agreement = align_table_scan_text(scan, HISTORY_AGREEMENT);
	entry->version = scan->nulls[HISTORY_VERSION] ? 0 : DatumGetInt32(scan->values[HISTORY_VERSION]);
	entry->violation = align_table_scan_text(scan, HISTORY_VIOLATION);
	entry->source = source;
	entry->merged = source != NULL && align_source_is_merged(source, strlen(source));
	entry->not_live = SourceIsNotLive(source);
}

static void
AddClock(const TableScan *scan, ClockTuples *clocks)
{
	if (clocks->n == clocks->capacity)
	{
		clocks->capacity = Max(clocks->capacity * 2, 8);
		if (clocks->tuples == NULL)
			clocks->tuples = palloc(clocks->capacity * sizeof(HeapTuple));
		else
			clocks->tuples = repalloc(clocks->tuples, clocks->capacity * sizeof(HeapTuple));
	}
	clocks->tuples[clocks->n++] = heap_copytuple(scan->row);
}

/*
 * Returns whether the label in a row stands for the stage of an entry, in the
 * version that judges now or in the version that judged the entry.
 */
static bool
LabelMatchesStage(Check *check, const char *label, const RecordedEntry *entry)
{
	const char *agreement = check->attachment->marker.agreement;
	StageSource source = {agreement, check->version};
	const Funnel *funnel = check->funnel;
	int			stage;

	if (strcmp(label, entry->stage) == 0)
		return true;
	if (entry->agreement != NULL && entry->version != 0)
	{
		source.agreement = entry->agreement;
		source.version = entry->version;
	}
	stage = align_funnel_stage(funnel, label, strlen(label));
	if (stage >= 0 && stage == align_carry_stage(&source, agreement, check->version, funnel,
												 entry->stage))
		return true;
	funnel = align_check_funnel(check, entry);
	if (funnel == NULL)
		return false;
	stage = align_funnel_stage(funnel, label, strlen(label));
	return stage >= 0 && stage == align_funnel_stage(funnel, entry->stage, strlen(entry->stage));
}

/*
 * Reports a row in a stage that the agreement does not have, unless the entry
 * into that stage was recorded as a violation.
 */
static void
CheckKnownStage(const Check *check, const LeadRow *row, const RecordedEntry *entered)
{
	const char *violation = entered != NULL ? entered->violation : NULL;

	if (align_funnel_stage(check->funnel, row->stage, strlen(row->stage)) >= 0)
		return;
	if (violation == NULL || strstr(violation, align_rule_name(RULE_UNKNOWN_STAGE)) == NULL)
		align_check_report(check, "unknown_stage", row->stage, NULL);
}

/*
 * Reports a problem if two strings, which may be NULL, differ.
 */
static void
CheckText(const Check *check, const char *problem, const char *recorded, const char *expected)
{
	if (!align_same_string(recorded, expected))
		align_check_report(check, problem, recorded, expected);
}

/*
 * Compares the row of a lead with the state that follows from its history.
 */
static void
CheckRow(Check *check, const LeadRow *row, const RecordedHistory *history,
		 const RecordedState *state)
{
	const Attachment *attachment = check->attachment;
	const RecordedEntry *entry = state->entry;
	const RecordedEntry *end;

	if (!row->exists || !row->live || row->stage == NULL)
	{
		/* the end of a lead whose deletion is deferred is still to come */
		if (state->alive && !align_reload_is_deferred(check->attachment, check->key))
			align_check_report(check, "missing_end", entry->stage, NULL);
		return;
	}
	if (entry == NULL)
	{
		align_check_report(check, "missing_history", NULL, row->stage);
		return;
	}
	if (!state->alive)
	{
		align_check_report(check, "row_stage", NULL, row->stage);
		return;
	}
	if (!LabelMatchesStage(check, row->stage, entry))
		align_check_report(check, "row_stage", entry->stage, row->stage);
	else
	{
		CheckKnownStage(check, row, state->entered);
		end = align_check_journey_end(history);
		if (end != NULL && !LabelMatchesStage(check, row->stage, end))
			align_check_report(check, "journey_stage", end->stage, row->stage);
	}
	if (align_has_role(attachment, ROW_TEAM))
		CheckText(check, "row_team", entry->team, row->team);
	if (align_has_role(attachment, ROW_ASSIGNEE))
		CheckText(check, "row_assignee", entry->assignee, row->assignee);
}

/*
 * Checks one lead.
 */
static void
CheckLead(Check *check, const LeadRow *row, RecordedHistory *history, const ClockTuples *clocks,
		  TupleDesc clock_desc)
{
	RecordedState state = {0};

	if (history->nentries > 0)
	{
		history->lacks_beginning = history->entries[0].entry_no > 1;
		align_check_entries(check, history, &state);
		align_check_count_stages(check, history);
	}
	CheckRow(check, row, history, &state);
	if (history->nentries == 0 && clocks->n > 0)
		align_check_report(check, "stray_clock", psprintf("%d", clocks->n), "0");

	/*
	 * The clocks do not follow from a history without its beginning.  This
	 * sorts the entries, so the pointers in state are not valid after it.
	 */
	if (history->nentries > 0 && !history->lacks_beginning)
		align_check_clocks(check, history, clocks->n, clocks->tuples, clock_desc);
}

/*
 * Returns the smallest key of the current rows of the scans; NULL if all of
 * them are at their end.
 */
static const Datum *
SmallestKey(TableScan *const *scans, int nscans)
{
	const Datum *key = NULL;

	for (int i = 0; i < nscans; i++)
	{
		if (scans[i]->row != NULL && (key == NULL || align_table_scan_compare(scans[i], key) < 0))
			key = scans[i]->key;
	}
	return key;
}

/*
 * Advances a scan.  It may allocate memory that must outlive the current lead.
 */
static void
NextRow(TableScan *scan, MemoryContext scan_context)
{
	MemoryContext lead_context = MemoryContextSwitchTo(scan_context);

	(void) align_table_scan_next(scan);
	MemoryContextSwitchTo(lead_context);
}

/*
 * Checks all leads: those with a row, an entry or a clock.
 */
static void
CheckLeads(Check *check)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(caller, "align check", ALLOCSET_DEFAULT_SIZES);
	TableScan	rows;
	TableScan	entries;
	TableScan	clocks;
	TableScan  *const scans[] = {&rows, &entries, &clocks};
	const Datum *smallest;

	BeginRowScan(&rows, check->attachment);
	align_table_scan_history(&entries, check->attachment, NULL, "r.entry_no");
	align_table_scan_clocks(&clocks, check->attachment, NULL, "");
	for (int i = 0; i < (int) lengthof(scans); i++)
		(void) align_table_scan_next(scans[i]);

	while ((smallest = SmallestKey(scans, lengthof(scans))) != NULL)
	{
		Datum		key[ATTACHMENT_MAX_KEYS];
		LeadRow		row = {0};
		RecordedHistory history = {0};
		ClockTuples tuples = {0};

		/* collect the rows of the smallest key from all three scans */
		MemoryContextSwitchTo(context);
		align_copy_key(check->attachment, smallest, key);
		for (; align_table_scan_compare(&rows, key) == 0; NextRow(&rows, caller))
			ReadRow(check, &rows, &row);
		for (; align_table_scan_compare(&entries, key) == 0; NextRow(&entries, caller))
			AddEntry(&entries, &history);
		for (; align_table_scan_compare(&clocks, key) == 0; NextRow(&clocks, caller))
			AddClock(&clocks, &tuples);
		check->key = key;
		CheckLead(check, &row, &history, &tuples, clocks.desc);
		check->key = NULL;
		MemoryContextSwitchTo(caller);
		MemoryContextReset(context);
	}
	for (int i = 0; i < (int) lengthof(scans); i++)
		align_table_scan_end(scans[i]);
	MemoryContextDelete(context);
}

/*
 * Raises an error unless the current user may select columns of a table; they
 * are given by attnum - FirstLowInvalidHeapAttributeNumber.
 */
static void
CheckMaySelect(Oid relid, const Bitmapset *columns)
{
	Oid			role = GetUserId();
	Oid			schema = get_rel_namespace(relid);
	int			member = -1;

	if (!align_may_use(schema, role))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_SCHEMA, get_namespace_name(schema));
	if (pg_class_aclcheck(relid, role, ACL_SELECT) == ACLCHECK_OK)
		return;
	while ((member = bms_next_member(columns, member)) >= 0)
	{
		if (pg_attribute_aclcheck(relid, member + FirstLowInvalidHeapAttributeNumber, role,
								  ACL_SELECT) != ACLCHECK_OK)
			aclcheck_error(ACLCHECK_NO_PRIV, get_relkind_objtype(get_rel_relkind(relid)),
						   get_rel_name(relid));
	}
}

static Bitmapset *
AddColumn(Bitmapset *columns, AttrNumber attnum)
{
	return bms_add_member(columns, attnum - FirstLowInvalidHeapAttributeNumber);
}

/*
 * Checks that the current user may select the columns of the attached table
 * that are read.
 */
static void
CheckMaySelectRows(const AttachmentMarker *marker)
{
	static const RowRole roles[] = {ROW_STAGE, ROW_TEAM, ROW_ASSIGNEE};
	Bitmapset  *columns = NULL;

	for (int i = 0; i < marker->nkeys; i++)
		columns = AddColumn(columns, marker->key[i]);
	for (int i = 0; i < (int) lengthof(roles); i++)
		columns = bms_join(columns, align_role_columns(marker, roles[i]));
	pull_varattnos(marker->live, 1, &columns);
	CheckMaySelect(marker->root, columns);
}

/*
 * Likewise for the key and align's own columns of a record table.
 */
static void
CheckMaySelectRecords(Oid relid, int nkeys, const OwnColumn *own, int nown)
{
	AttrNumber	keys[ATTACHMENT_MAX_KEYS];
	Bitmapset  *columns = NULL;

	(void) align_record_key_columns(relid, nkeys, keys);
	for (int i = 0; i < nkeys; i++)
		columns = AddColumn(columns, keys[i]);
	for (int i = 0; i < nown; i++)
	{
		AttrNumber	attnum = get_attnum(relid, own[i].name);

		/* an older history does not have all columns */
		if (attnum != InvalidAttrNumber)
			columns = AddColumn(columns, attnum);
	}
	CheckMaySelect(relid, columns);
}

/*
 * Raises an error if row-level security hides rows of a table from the current
 * user.
 */
static void
CheckAllRowsVisible(Oid relid)
{
	if (align_table_ownercheck(relid, GetUserId()) ||
		check_enable_rls(relid, InvalidOid, true) != RLS_ENABLED)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("align.check() must be able to see all rows of table \"%s\"",
					get_rel_name(relid)),
			 errdetail("Row-level security hides rows from the current user."),
			 errhint("Call it as the owner of the table or as a role with BYPASSRLS.")));
}

/*
 * Raises an error unless the current user may read all rows of the three
 * tables.
 */
static void
CheckMayRead(const AttachmentMarker *marker)
{
	CheckAllRowsVisible(marker->root);
	CheckAllRowsVisible(marker->history);
	CheckAllRowsVisible(marker->sla);
	CheckMaySelectRows(marker);
	CheckMaySelectRecords(marker->history, marker->nkeys, align_history_columns, HISTORY_NCOLUMNS);
	CheckMaySelectRecords(marker->sla, marker->nkeys, align_sla_columns, SLA_NCOLUMNS);
}

/*
 * check(relation): one row per difference.
 */
Datum
align_check(PG_FUNCTION_ARGS)
{
	Check		check = {0};
	Attachment *attachment;
	RestrictedCaller caller;
	CallerRole	owner;

	align_require_argument(fcinfo, 0, "relation");
	align_begin_rows(fcinfo);
	check.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	attachment = align_begin_reading(PG_GETARG_OID(0));
	CheckMayRead(&attachment->marker);
	align_begin_restricted(&caller, attachment->root_owner);
	/* also where row-level security is forced on the owner */
	align_work_as(attachment->root_owner, &owner);
	check.attachment = attachment;
	check.funnel = align_judging_funnel(attachment, &check.version);
	align_labels_forget();
	align_replay_begin(&check.clocks, check.attachment->marker.agreement, CurrentMemoryContext);
	/* a version that does not exist is reported, not an error */
	check.clocks.tolerant = true;
	check.stages = align_check_stages_begin();
	align_check_triggers(&check);
	align_check_record_tables(&check);
	if (align_check_labels(&check))
	{
		CheckLeads(&check);
		align_check_report_stages(&check);
	}
	align_return_to(&owner);
	align_end_restricted(&caller);
	align_end_reading();
	return (Datum) 0;
}
