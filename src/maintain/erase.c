/*
 * erase.c
 *	  erase(): removes all that is recorded of a lead, for data protection.
 *
 * Its entries and clocks are deleted, and its key where entries of other leads
 * mention it: rekey entries, which say "was", "merged from" or "merged into" and a
 * key, and entries whose source says that they were merged from it.  Of the latter,
 * the lead that they belong to now has a rekey entry "merged from" the same key,
 * since entries change their lead all together.  So the rekey entries that mention
 * the key, which have an index, lead to all of them.
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
#include "record/flush.h"
#include "record/writer.h"

PG_FUNCTION_INFO_V1(align_erase);

static char *
ForKey(const Attachment *attachment, const char *command, AttachedTable table)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "%s FROM %s AS h WHERE ", command, align_table_name(attachment, table));
	align_append_key_condition(&text, attachment, table, 1);
	return text.data;
}

static void
CheckGone(Attachment *attachment, Datum *key)
{
	align_read_as_owner(attachment, ForKey(attachment, "SELECT", TABLE_ITSELF), key);
	if (SPI_processed == 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("lead %s is still there", align_key_text(attachment, key)),
			 errdetail("What is recorded of a lead can be erased only after its row was deleted from %s.",
					   attachment->root_name),
			 errhint("Delete the lead first.")));
}

static uint64
Delete(Attachment *attachment, AttachedTable table, Datum *key)
{
	Oid			types[ATTACHMENT_MAX_KEYS];
	uint64		ndeleted;

	align_key_types(attachment, types);
	align_execute_as_owner(attachment, ForKey(attachment, "DELETE", table),
						   attachment->nkeys, types, key, NULL);
	ndeleted = SPI_processed;

	/* what an older snapshot does not show, or a trigger kept, is still there */
	align_read_as_owner(attachment, ForKey(attachment, "SELECT", table), key);
	if (SPI_processed > 0 && IsolationUsesXactSnapshot())
		align_lead_changed(align_key_text(attachment, key));
	align_check_written(attachment, ndeleted, ndeleted + SPI_processed);
	return ndeleted;
}

/*
 * Whatever the text means to a regular expression, it stands for itself.
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
 * Appends a regular expression for a key as it is stored, "(id)=(7)".  Key columns
 * may have had other names when it was written.
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
 * Changes all entries (h) of which a condition is true, so that it no longer is.
 */
static void
ChangeEntries(Attachment *attachment, const char *change, const char *condition, int nargs,
			  Oid *types, Datum *values)
{
	uint64		nchanged;

	align_execute_as_owner(attachment,
						   psprintf("UPDATE %s AS h SET %s WHERE %s", attachment->history_name,
									change, condition),
						   nargs, types, values, NULL);
	nchanged = SPI_processed;

	/* what a trigger of the owner kept is still there */
	align_execute_as_owner(attachment,
						   psprintf("SELECT FROM %s AS h WHERE %s", attachment->history_name,
									condition),
						   nargs, types, values, NULL);
	align_check_written(attachment, nchanged, nchanged + SPI_processed);
}

/*
 * Appends the condition that h is an entry of a lead that has a rekey entry which
 * mentions one of the keys of parameter $1.
 */
static void
AppendMentioning(StringInfo sql, const Attachment *attachment)
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
 * Sources first: the leads that they belong to are found by the rekey entries.
 *
 * Release 0.2.0 wrote keys as the settings of its session had them.  Those of this
 * session are tried, too.
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

	values[1] = CStringGetTextDatum(psprintf(SOURCE_MERGED " (?:%s)(?=, |$)", pattern.data));
	initStringInfo(&condition);
	appendStringInfoString(&condition, "h.source OPERATOR(pg_catalog.~) $2 AND ");
	AppendMentioning(&condition, attachment);
	ChangeEntries(attachment,
				  "source = pg_catalog.regexp_replace(h.source, $2, '" SOURCE_MERGED "', 'g')",
				  condition.data, lengthof(types), types, values);

	values[1] = CStringGetTextDatum(psprintf("^(?:was|merged from|merged into) (?:%s)$",
											 pattern.data));
	ChangeEntries(attachment, "note = NULL",
				  "h.event OPERATOR(pg_catalog.=) 'rekey' AND h.note OPERATOR(pg_catalog.~) $2"
				  " AND " HISTORY_OLD_KEY_VALUES("h.note") " OPERATOR(pg_catalog.=) ANY ($1)",
				  lengthof(types), types, values);
}

Datum
align_erase(PG_FUNCTION_ARGS)
{
	Attachment *attachment = align_owned_attachment(fcinfo, "align.erase()");
	Datum		key[ATTACHMENT_MAX_KEYS];
	RestrictedCaller caller;
	int64		result;

	align_key_argument(fcinfo, 1, attachment, key);
	align_recorder_flush_all();
	align_begin_restricted(&caller);
	align_spi_connect();
	CheckGone(attachment, key);
	result = Delete(attachment, TABLE_HISTORY, key);
	result += Delete(attachment, TABLE_SLA, key);
	EraseMentions(attachment, key);
	SPI_finish();
	align_end_restricted(&caller);
	PG_RETURN_INT64(result);
}
