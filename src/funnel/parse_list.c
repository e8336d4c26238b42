/*
 * parse_list.c
 *	  Names, strings, numbers and lists in the grammar of the agreement.
 *
 * Commas separate both the stages of a list and the clauses of handoffs and
 * service levels that contain such lists; see ClauseFollows.
 */
#include "postgres.h"

#include "funnel/parse.h"

/*
 * A palloc'd copy.
 */
ScanName *
align_copy_name(const ScanName *name)
{
	ScanName   *kept = (ScanName *) palloc(sizeof(ScanName));

	*kept = *name;
	return kept;
}

/*
 * A name that is not empty.
 */
bool
align_parse_name(TextScan *scan, const char *what, ScanName *name)
{
	if (!align_scan_name(scan, what, name))
		return false;
	if (name->len == 0)
		return align_scan_fail(scan, name->at, NULL, NULL, "empty name");
	return true;
}

/*
 * A string that is not empty.
 */
bool
align_parse_string(TextScan *scan, const char *what, ScanName *string)
{
	if (!align_scan_string(scan, what, string))
		return false;
	if (string->len == 0)
		return align_scan_fail(scan, string->at, NULL, NULL, "empty string");
	return true;
}

/*
 * After a comma: does a clause follow, rather than a stage?  "accept",
 * "reject" and "pause" begin a clause if a name follows.  They are names of
 * stages before "with reason", which ends a list of rejecting stages.
 */
static bool
ClauseFollows(TextScan *scan, Following following)
{
	TextScan	ahead = *scan;

	if (following == FOLLOWED_BY_NONE)
		return false;
	if (align_funnel_due_follows(scan))
		return true;
	if (following == FOLLOWED_BY_DUE)
		return false;
	if (align_funnel_warn_follows(scan))
		return true;
	if (!align_scan_take_word(&ahead, "pause") &&
		(following == FOLLOWED_BY_SLA_CLAUSE ||
		 (!align_scan_take_word(&ahead, "accept") && !align_scan_take_word(&ahead, "reject"))))
		return false;
	if (!align_scan_peek_name(&ahead))
		return false;
	return !(align_scan_take_word(&ahead, "with") && align_scan_peek_word(&ahead, "reason"));
}

/*
 * name {, name}; does not consume a comma that precedes a clause.
 */
bool
align_parse_names(TextScan *scan, const char *what, Following following, List **names)
{
	*names = NIL;
	for (;;)
	{
		TextScan	ahead;
		ScanName	name;

		if (!align_parse_name(scan, what, &name))
			return false;
		*names = lappend(*names, align_copy_name(&name));

		ahead = *scan;
		if (!align_scan_take(&ahead, ",") || ClauseFollows(&ahead, following))
			return true;
		*scan = ahead;
	}
}

/*
 * A decimal number.  *decimal is its shortest form, as numeric prints it.
 */
bool
align_parse_decimal(TextScan *scan, const char *hint, char **decimal)
{
	const char *whole;
	const char *dot = NULL;
	const char *end;

	align_scan_space(scan);
	whole = end = scan->cur;
	if (*end < '0' || *end > '9')
		return align_scan_expected(scan, "number", hint);
	while (*end >= '0' && *end <= '9')
		end++;
	if (end[0] == '.' && end[1] >= '0' && end[1] <= '9')
	{
		dot = end;
		for (end++; *end >= '0' && *end <= '9';)
			end++;
	}
	scan->cur = end;

	/* strip leading zeros, and trailing ones with the point if that ends it */
	while (whole[0] == '0' && whole[1] >= '0' && whole[1] <= '9')
		whole++;
	if (dot != NULL)
	{
		while (end[-1] == '0')
			end--;
		if (end - 1 == dot)
			end--;
	}
	*decimal = pnstrdup(whole, end - whole);
	return true;
}

/*
 * [(name {, name})]
 */
bool
align_parse_reasons(TextScan *scan, List **reasons)
{
	*reasons = NIL;
	if (!align_scan_take(scan, "("))
		return true;
	return align_parse_names(scan, "reason", FOLLOWED_BY_NONE, reasons) &&
		align_scan_expect(scan, ")");
}
