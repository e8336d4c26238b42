/*
 * erase.c
 *	  erase(): nothing is left of a lead, for data protection.
 *
 * Its entries and clocks are deleted, and its key where the entries of others
 * mention it: those that were merged from it, and rekey entries.
 */
#include "postgres.h"

#include <ctype.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"

#include "enforce/history.h"
#include "enforce/lead_sql.h"
#include "enforce/recorder.h"

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

	/* what an older snapshot did not let us see is there still */
	align_read_as_owner(attachment, ForKey(attachment, "SELECT", table), key);
	if (SPI_processed > 0)
		align_lead_changed(align_key_text(attachment, key));
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
 * A regular expression for the key as messages show it, "(id)=(7)".  Key columns
 * may have had other names when it was written.
 */
static char *
KeyPattern(const Attachment *attachment, const Datum *key)
{
	char	   *text = align_key_text(attachment, key);
	char	   *values = strstr(text, ")=(");
	StringInfoData pattern;

	Assert(values != NULL);
	initStringInfo(&pattern);
	appendStringInfoString(&pattern, "(?:");
	AppendLiteral(&pattern, text, values + 1 - text);
	appendStringInfoString(&pattern, "|\\([^()]*\\))");
	AppendLiteral(&pattern, values + 1, strlen(values + 1));
	return pattern.data;
}

/*
 * Where it was merged from it, an entry says no more than that it was merged;
 * where a rekey entry mentions it, nothing.
 */
static void
EraseTraces(Attachment *attachment, const Datum *key)
{
	Oid			types[] = {TEXTOID, TEXTOID};
	Datum		values[2];
	char	   *pattern = KeyPattern(attachment, key);
	char	   *command;

	values[0] = CStringGetTextDatum(psprintf(SOURCE_MERGED " %s(?=, |$)", pattern));
	values[1] = CStringGetTextDatum(psprintf("^(?:was|merged from|merged into) %s$", pattern));
	command = psprintf("UPDATE %s AS h SET"
					   " source = pg_catalog.regexp_replace(h.source, $1, '" SOURCE_MERGED "', 'g'),"
					   " note = CASE WHEN h.event OPERATOR(pg_catalog.=) 'rekey' AND h.note OPERATOR(pg_catalog.~) $2"
					   " THEN NULL ELSE h.note END"
					   " WHERE h.source OPERATOR(pg_catalog.~) $1"
					   " OR h.event OPERATOR(pg_catalog.=) 'rekey' AND h.note OPERATOR(pg_catalog.~) $2",
					   attachment->history_name);
	align_execute_as_owner(attachment, command, lengthof(types), types, values, NULL);
}

Datum
align_erase(PG_FUNCTION_ARGS)
{
	Attachment *attachment = align_owned_attachment(fcinfo, "align.erase()");
	Datum		key[ATTACHMENT_MAX_KEYS];
	int64		result;

	align_key_argument(fcinfo, 1, attachment, key);
	align_recorder_flush_all();
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	CheckGone(attachment, key);
	result = Delete(attachment, TABLE_HISTORY, key);
	result += Delete(attachment, TABLE_SLA, key);
	EraseTraces(attachment, key);
	SPI_finish();
	PG_RETURN_INT64(result);
}
