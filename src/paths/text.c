/*
 * text.c
 *	  The text form of a multiset of paths.
 *
 *	  {() conversions 2 nulls 5,
 *	   email > "paid search" > email conversions 1 value 1200.50,
 *	   email > referral nulls 3}
 *
 *	  paths	   := "{" path {"," path} "}"
 *	  path	   := channels ["conversions" number ["value" decimal]]
 *				  ["nulls" number]
 *	  channels := "(" ")" | channel {">" channel}
 *
 * Output is in the order of the flat form and leaves out counts of zero.
 * Input may be in any order, and equal paths are added up.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "lead/amount.h"
#include "paths/paths.h"
#include "text_scan.h"

static bool
ScanChannels(TextScan *scan, Paths *paths)
{
	align_paths_begin(paths);
	if (align_scan_take(scan, "("))
		return align_scan_expect(scan, ")");
	do
	{
		ScanName	name;

		if (!align_scan_name(scan, "channel", &name))
			return false;
		align_paths_channel(paths, align_lead_bytes(name.text, name.len));
		pfree(name.text);
	} while (align_scan_take(scan, ">"));
	return true;
}

static bool
ScanValue(TextScan *scan, LeadString *value)
{
	const char *at;
	char	   *text;

	align_scan_space(scan);
	at = scan->cur;
	while (*scan->cur == '-' || *scan->cur == '+' || *scan->cur == '.' ||
		   (*scan->cur >= '0' && *scan->cur <= '9'))
		scan->cur++;
	text = pnstrdup(at, scan->cur - at);
	value->text = text;
	value->len = align_amount_canonical(text, scan->cur - at);
	if (value->len == AMOUNT_TOO_LONG)
		return align_scan_fail_code(scan, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, at, NULL, NULL,
									"value with too many digits");
	if (value->len < 0)
	{
		scan->cur = at;
		return align_scan_expected(scan, "a decimal number", NULL);
	}
	return true;
}

static bool
ScanPath(TextScan *scan, Paths *paths)
{
	int64		conversions;
	int64		nulls;
	LeadString	value = align_lead_bytes(NULL, 0);
	const char *at;

	align_scan_space(scan);
	at = scan->cur;
	if (!ScanChannels(scan, paths) ||
		!align_scan_count(scan, "conversions", &conversions) ||
		(conversions > 0 && align_scan_take_word(scan, "value") && !ScanValue(scan, &value)) ||
		!align_scan_count(scan, "nulls", &nulls))
		return false;
	if (conversions == 0 && nulls == 0)
		return align_scan_fail(scan, at, "Every path has conversions, or nulls, or both.", NULL,
							   "path that counts nothing");
	if (conversions > PG_INT64_MAX - paths->count ||
		nulls > PG_INT64_MAX - paths->count - conversions)
		return align_scan_fail_code(scan, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, at,
									"Together they are more than a bigint can count.", NULL,
									"too many conversions and nulls");
	align_paths_end(paths, conversions, nulls, value);
	return true;
}

Paths *
align_paths_parse_scan(TextScan *scan)
{
	Paths	   *paths = align_paths_make(CurrentMemoryContext);

	if (!align_scan_expect(scan, "{"))
		return NULL;
	do
	{
		CHECK_FOR_INTERRUPTS();
		if (!ScanPath(scan, paths))
			return NULL;
	} while (align_scan_take(scan, ","));
	if (!align_scan_take(scan, "}"))
	{
		align_scan_expected(scan, "\",\" or \"}\"", NULL);
		return NULL;
	}
	if (!align_scan_at_end(scan))
	{
		align_scan_expected(scan, "the end", NULL);
		return NULL;
	}
	return paths;
}

Paths *
align_paths_parse(const char *text, Node *escontext)
{
	TextScan	scan;

	align_scan_begin(&scan, text, PATHS_TYPE, false, escontext);
	return align_paths_parse_scan(&scan);
}

char *
align_paths_write(struct varlena *value)
{
	StringInfoData out;
	PathsReader reader;

	initStringInfo(&out);
	align_paths_read_begin(&reader, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), false);
	while (align_paths_read_next(&reader))
	{
		appendStringInfoString(&out, reader.nread == 1 ? "{" : ", ");
		if (reader.length == 0)
			appendStringInfoString(&out, "()");
		for (int i = 0; i < reader.length; i++)
		{
			LeadString	channel = reader.channels[reader.path[i]];

			if (i > 0)
				appendStringInfoString(&out, " > ");
			align_write_name(&out, channel.text, channel.len);
		}
		if (reader.conversions > 0)
			appendStringInfo(&out, " conversions " INT64_FORMAT, reader.conversions);
		if (reader.value.text != NULL)
			appendStringInfo(&out, " value %.*s", reader.value.len, reader.value.text);
		if (reader.nulls > 0)
			appendStringInfo(&out, " nulls " INT64_FORMAT, reader.nulls);
	}
	align_paths_read_end(&reader);
	appendStringInfoChar(&out, '}');
	return out.data;
}
