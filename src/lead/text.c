/*
 * text.c
 *	  The text form of lead.
 *
 *	  {<time> [stage] [by team] [because reason] [~ campaign] [worth amount]
 *	   [#ordinal] [@version] ["[" segment, ... "]"], ...}
 *
 * Names are bare words or double-quoted.  A stage named by, because or worth
 * must be quoted, because these keywords follow the stage.  Input may have the
 * entries in any order; output has the order of the lead.
 */
#include "postgres.h"

#include "lead/amount.h"
#include "lead/lead.h"
#include "time_text.h"

static const char *const keywords[] = {"by", "because", "worth"};

static bool
IsKeyword(LeadString name)
{
	for (int i = 0; i < (int) lengthof(keywords); i++)
	{
		if ((int) strlen(keywords[i]) == name.len &&
			pg_strncasecmp(keywords[i], name.text, name.len) == 0)
			return true;
	}
	return false;
}

static bool
PeekKeyword(TextScan *scan)
{
	for (int i = 0; i < (int) lengthof(keywords); i++)
	{
		if (align_scan_peek_word(scan, keywords[i]))
			return true;
	}
	return false;
}

/*
 * True if a stage is next.  Any text that cannot begin another field counts as
 * one, so that a stage without its quotes gets the message that they are
 * missing.
 */
static bool
PeekStage(TextScan *scan)
{
	align_scan_space(scan);
	return *scan->cur != '\0' && strchr("~#@[,}", *scan->cur) == NULL && !PeekKeyword(scan);
}

static bool
ScanLeadName(TextScan *scan, const char *what, LeadString *result)
{
	ScanName	name;

	if (!align_scan_name(scan, what, &name))
		return false;
	if (name.len > LEAD_MAX_STRING)
		return align_scan_fail_code(scan, ERRCODE_PROGRAM_LIMIT_EXCEEDED, name.at,
									psprintf("It has %d bytes; the limit is %d.",
											 name.len, LEAD_MAX_STRING),
									NULL, "%s too long", what);
	result->text = name.text;
	result->len = name.len;
	return true;
}

static inline bool
IsAmountChar(char c)
{
	return (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+';
}

static bool
ScanAmount(TextScan *scan, LeadString *result)
{
	const char *start;
	const char *end;
	char	   *text;
	int			len;

	align_scan_space(scan);
	start = end = scan->cur;
	while (IsAmountChar(*end))
		end++;
	text = pnstrdup(start, end - start);
	len = align_amount_canonical(text, (int) (end - start));
	if (len == AMOUNT_MALFORMED)
		return align_scan_expected(scan, "an amount",
								   "Write it as a plain decimal number, such as 1200.50.");
	if (len == AMOUNT_TOO_LONG)
		return align_scan_fail_code(scan, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, start,
									NULL, NULL, "amount out of range");
	scan->cur = end;
	result->text = text;
	result->len = len;
	return true;
}

/*
 * Reads a number that must not be 0, which stands for "not recorded".
 */
static bool
ScanPositive(TextScan *scan, const char *what, uint64 max, uint64 *value)
{
	const char *start;

	align_scan_space(scan);
	start = scan->cur;
	if (!align_scan_uint(scan, what, max, value))
		return false;
	if (*value == 0)
		return align_scan_fail_code(scan, ERRCODE_INVALID_PARAMETER_VALUE, start,
									"Numbers start at 1; leave out one that is not known.",
									NULL, "%s is 0", what);
	return true;
}

/*
 * Reads names up to the closing bracket, in any order.
 */
static bool
ScanSegments(TextScan *scan, LeadString *result)
{
	LeadString *names = NULL;
	int			n = 0;
	int			room = 0;

	do
	{
		if (n == room)
		{
			room = room == 0 ? 8 : 2 * room;
			names = names == NULL ? palloc(room * sizeof(LeadString)) :
				repalloc_huge(names, room * sizeof(LeadString));
		}
		if (!ScanLeadName(scan, "segment name", &names[n++]))
			return false;
	} while (align_scan_take(scan, ","));
	if (!align_scan_take(scan, "]"))
		return align_scan_expected(scan, "\",\" or \"]\"", NULL);
	*result = align_segments_sorted(names, n);
	for (int i = 0; i < n; i++)
		pfree(unconstify(char *, names[i].text));
	pfree(names);
	return true;
}

static bool
ScanEntry(TextScan *scan, LeadInput *entry)
{
	uint64		number;

	memset(entry, 0, sizeof(*entry));
	if (!align_scan_time(scan, &entry->at))
		return false;
	if (PeekStage(scan) && !ScanLeadName(scan, "stage name", &entry->stage))
		return false;
	if (align_scan_take_word(scan, "by") && !ScanLeadName(scan, "team name", &entry->team))
		return false;
	if (align_scan_take_word(scan, "because") && !ScanLeadName(scan, "reason", &entry->reason))
		return false;
	if (align_scan_take(scan, "~") && !ScanLeadName(scan, "campaign", &entry->campaign))
		return false;
	if (entry->stage.text == NULL && entry->campaign.text == NULL)
		return align_scan_expected(scan, "a stage, or \"~\" and a campaign",
								   "An entry is a stage that was entered or a campaign's touch.");
	if (align_scan_take_word(scan, "worth") && !ScanAmount(scan, &entry->amount))
		return false;
	if (align_scan_take(scan, "#"))
	{
		if (!ScanPositive(scan, "ordinal", PG_INT64_MAX, &number))
			return false;
		entry->ordinal = (int64) number;
	}
	if (align_scan_take(scan, "@"))
	{
		if (!ScanPositive(scan, "version", PG_INT32_MAX, &number))
			return false;
		entry->version = (int32) number;
	}
	return !align_scan_take(scan, "[") || ScanSegments(scan, &entry->segments);
}

static inline void
FreeString(LeadString string)
{
	if (string.text != NULL)
		pfree(unconstify(char *, string.text));
}

static void
FreeEntry(const LeadInput *entry)
{
	FreeString(entry->stage);
	FreeString(entry->team);
	FreeString(entry->reason);
	FreeString(entry->campaign);
	FreeString(entry->amount);
	FreeString(entry->segments);
}

static bool
ScanEntries(TextScan *scan, LeadBuilder *builder)
{
	if (!align_scan_expect(scan, "{"))
		return false;
	align_scan_space(scan);
	if (*scan->cur == '}')
		return align_scan_fail(scan, scan->cur, "A lead has at least one entry.",
							   "Use NULL where nothing has happened yet.", "expected a time");
	do
	{
		LeadInput	entry;

		if (!ScanEntry(scan, &entry))
			return false;
		if (align_lead_count(builder) >= LEAD_MAX_ENTRIES)
			return align_scan_fail_code(scan, ERRCODE_PROGRAM_LIMIT_EXCEEDED, scan->cur,
										psprintf("The limit is %d.", LEAD_MAX_ENTRIES),
										NULL, "too many entries");
		align_lead_add(builder, &entry);
		/* the builder has copies, and a text may have millions of entries */
		FreeEntry(&entry);
	} while (align_scan_take(scan, ","));

	align_scan_space(scan);
	if (*scan->cur != '}')
		return align_scan_expected(scan, "\",\" or \"}\"", NULL);
	scan->cur++;
	if (!align_scan_at_end(scan))
		return align_scan_expected(scan, "the end of the text", NULL);
	return true;
}

struct varlena *
align_lead_parse(const char *text, Node *escontext)
{
	TextScan	scan;
	LeadBuilder *builder = align_lead_builder(CurrentMemoryContext);

	align_scan_begin(&scan, text, "lead", false, escontext);
	if (!ScanEntries(&scan, builder))
		return NULL;
	return align_lead_encode(builder, false);
}

static void
WriteName(StringInfo out, const char *before, LeadString name)
{
	if (name.text == NULL)
		return;
	appendStringInfoString(out, before);
	align_write_name(out, name.text, name.len);
}

static void
WriteStage(StringInfo out, LeadString stage)
{
	if (stage.text == NULL)
		return;
	appendStringInfoChar(out, ' ');
	if (IsKeyword(stage))
		align_write_quoted(out, '"', stage.text, stage.len);
	else
		align_write_name(out, stage.text, stage.len);
}

char *
align_lead_write(const struct varlena *lead)
{
	LeadReader	reader;
	LeadEntry	entry;
	StringInfoData out;

	initStringInfo(&out);
	align_lead_read(&reader, lead);
	while (align_lead_next(&reader, &entry))
	{
		appendStringInfoString(&out, out.len == 0 ? "{" : ", ");
		align_write_time(&out, entry.at);
		WriteStage(&out, align_lead_string(&reader, entry.stage));
		WriteName(&out, " by ", align_lead_string(&reader, entry.team));
		WriteName(&out, " because ", align_lead_string(&reader, entry.reason));
		WriteName(&out, " ~ ", align_lead_string(&reader, entry.campaign));
		if (entry.amount >= 0)
		{
			LeadString	amount = align_lead_string(&reader, entry.amount);

			appendStringInfoString(&out, " worth ");
			appendBinaryStringInfo(&out, amount.text, amount.len);
		}
		if (entry.ordinal != 0)
			appendStringInfo(&out, " #" INT64_FORMAT, entry.ordinal);
		if (entry.version != 0)
			appendStringInfo(&out, " @%d", entry.version);
		if (entry.segments >= 0)
		{
			LeadString	list = align_lead_string(&reader, entry.segments);

			appendStringInfo(&out, " [%.*s]", list.len, list.text);
		}
	}
	appendStringInfoChar(&out, '}');
	align_lead_read_end(&reader);
	return out.data;
}
