/*
 * erase.c
 *	  erase(): deletes a lead's history and clocks, for data protection.
 *
 * The key of the lead is also removed from entries of other leads that mention
 * it: rekey entries, whose note is "was", "merged from" or "merged into" and a
 * key, and entries that were merged from the lead, whose source contains its
 * key.
 *
 * merge_leads() moves all entries of a lead together and writes a rekey entry
 * for the surviving lead.  So every lead with an entry whose source mentions a
 * key has a rekey entry that mentions the same key, and the index on rekey
 * entries finds them all.
 */
#include "postgres.h"

#include <ctype.h>

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "attachment/key.h"
#include "attachment/key_sql.h"
#include "catalog/as_role.h"
#include "history/history.h"
#include "maintain/owned.h"
#include "record/commit.h"
#include "record/flush.h"
#include "record/writer.h"

PG_FUNCTION_INFO_V1(align_erase);

/*
 * Returns a SELECT or DELETE for the rows of one key, which is the parameters
 * from $1 on.
 */
static char *
CommandForKey(const Attachment *attachment, const char *command, AttachedTable table)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "%s FROM %s AS h WHERE ", command, align_table_name(attachment, table));
	align_append_key_condition(&text, attachment, table, 1);
	return text.data;
}

static void
CheckLeadDeleted(Attachment *attachment, Datum *key)
{
	align_read_latest_as_owner(attachment, CommandForKey(attachment, "SELECT", TABLE_ITSELF), key);
	if (SPI_processed == 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("lead %s still exists", align_key_text(attachment, key)),
			 errdetail("A lead can be erased only after its row has been deleted from %s.",
					   attachment->root_name),
			 errhint("Delete the row first.")));
}

/*
 * Deletes the rows of one key from the history or the clock table, and returns
 * their number.
 */
static uint64
DeleteRows(Attachment *attachment, AttachedTable table, Datum *key)
{
	Oid			types[ATTACHMENT_MAX_KEYS];
	uint64		ndeleted;

	align_key_types(attachment, types);
	align_execute_as_owner(attachment, CommandForKey(attachment, "DELETE", table),
						   attachment->nkeys, types, key, NULL);
	ndeleted = SPI_processed;

	/*
	 * Rows remain if the snapshot of the transaction is too old to show them,
	 * or if a trigger of the owner suppressed the delete.
	 */
	align_read_latest_as_owner(attachment, CommandForKey(attachment, "SELECT", table), key);
	if (SPI_processed > 0 && IsolationUsesXactSnapshot())
		align_report_concurrent_change(align_key_text(attachment, key));
	align_check_written(attachment, ndeleted, ndeleted + SPI_processed);
	return ndeleted;
}

/*
 * Appends text to a regular expression that matches it literally.
 */
static void
AppendLiteral(StringInfo pattern, const char *text, int len)
{
	for (int i = 0; i < len; i++)
	{
		if (!IS_HIGHBIT_SET(text[i]) && !isalnum((unsigned char) text[i]))
			appendStringInfoChar(pattern, '\\');
		appendStringInfoChar(pattern, text[i]);
	}
}

/*
 * Appends a regular expression for the text of a key, "(id)=(7)", as an
 * alternative to what the pattern has already.  It accepts any column names:
 * the key columns may have been renamed since the text was stored.
 */
static void
AppendKeyPattern(StringInfo pattern, const char *text)
{
	const char *values = align_key_text_values(text);

	appendStringInfoString(pattern, pattern->len > 0 ? "|(?:" : "(?:");
	AppendLiteral(pattern, text, values - text);
	appendStringInfoString(pattern, "|\\([^()]*\\)=)");
	AppendLiteral(pattern, values, strlen(values));
}

/*
 * Appends the condition that the lead of entry h has a rekey entry that
 * mentions one of the keys in $1, an array of their values as text.
 */
static void
AppendLeadMentions(StringInfo sql, const Attachment *attachment)
{
	appendStringInfoString(sql, "EXISTS (SELECT FROM (SELECT ");
	for (int i = 0; i < attachment->nkeys; i++)
		appendStringInfo(sql, "%sm.%s AS key_%d", i > 0 ? ", " : "",
						 align_table_key(attachment, TABLE_HISTORY, i), i + 1);
	appendStringInfo(sql, " FROM %s AS m WHERE m.event OPERATOR(pg_catalog.=) 'rekey'"
					 " AND " HISTORY_OLD_KEY_VALUES("m.note") " OPERATOR(pg_catalog.=) ANY ($1)) AS m WHERE ",
					 attachment->history_name);
	align_append_key_match(sql, attachment, TABLE_HISTORY, "h", "m.key");
	appendStringInfoChar(sql, ')');
}

/*
 * Removes the key from the entries of other leads.
 *
 * Release 0.2.0 stored the text of keys under the settings of the session
 * (DateStyle, TimeZone, ...), so the text under the current settings is looked
 * for, too.
 */
static void
EraseMentions(Attachment *attachment, const Datum *key)
{
	char	   *texts[2];
	Datum		mentioned[2];
	int			ntexts = 0;
	StringInfoData pattern;
	StringInfoData condition;
	Oid			types[] = {TEXTARRAYOID, TEXTOID};
	Datum		values[2];

	texts[ntexts++] = align_stored_key_text(attachment, key);
	texts[ntexts] = align_key_text(attachment, key);
	if (strcmp(texts[0], texts[1]) != 0)
		ntexts++;
	initStringInfo(&pattern);
	for (int i = 0; i < ntexts; i++)
	{
		AppendKeyPattern(&pattern, texts[i]);
		mentioned[i] = CStringGetTextDatum(align_key_text_values(texts[i]));
	}
	values[0] = PointerGetDatum(construct_array(mentioned, ntexts, TEXTOID, -1, false,
												TYPALIGN_INT));

	/* sources first, as the rekey entries are needed to find them */
	values[1] = CStringGetTextDatum(psprintf(SOURCE_MERGED " (?:%s)(?=, |$)", pattern.data));
	initStringInfo(&condition);
	appendStringInfoString(&condition, "h.source OPERATOR(pg_catalog.~) $2 AND ");
	AppendLeadMentions(&condition, attachment);
	align_update_rows(attachment, TABLE_HISTORY,
					  "source = pg_catalog.regexp_replace(h.source, $2, '" SOURCE_MERGED "', 'g')",
					  condition.data, lengthof(types), types, values, NULL);

	values[1] = CStringGetTextDatum(psprintf("^(?:was|merged from|merged into) (?:%s)$",
											 pattern.data));
	align_update_rows(attachment, TABLE_HISTORY, "note = NULL",
					  "h.event OPERATOR(pg_catalog.=) 'rekey' AND h.note OPERATOR(pg_catalog.~) $2"
					  " AND " HISTORY_OLD_KEY_VALUES("h.note") " OPERATOR(pg_catalog.=) ANY ($1)",
					  lengthof(types), types, values, NULL);
}

/*
 * erase(relation, key): returns the number of entries and clocks deleted.
 */
Datum
align_erase(PG_FUNCTION_ARGS)
{
	Attachment *attachment = align_owned_attachment(fcinfo, "align.erase()");
	Datum		key[ATTACHMENT_MAX_KEYS];
	RestrictedCaller caller;
	int64		result;

	align_key_argument(fcinfo, 1, attachment, key);
	align_recorder_flush_all();
	align_recorder_finish_reload(attachment->marker.root);
	align_begin_restricted(&caller, attachment->root_owner);
	align_spi_connect();
	CheckLeadDeleted(attachment, key);
	result = DeleteRows(attachment, TABLE_HISTORY, key);
	result += DeleteRows(attachment, TABLE_SLA, key);
	EraseMentions(attachment, key);
	SPI_finish();
	align_end_restricted(&caller);
	PG_RETURN_INT64(result);
}
