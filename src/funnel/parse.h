/*
 * parse.h
 *	  Shared by the files of the grammar; private to src/funnel.
 *
 * Every function that returns bool returns false after a soft error.
 */
#ifndef ALIGN_FUNNEL_PARSE_H
#define ALIGN_FUNNEL_PARSE_H

#include "funnel/draft.h"

/* The clauses that may follow a list of names after a comma. */
typedef enum Following
{
	FOLLOWED_BY_NONE,
	FOLLOWED_BY_DUE,			/* stops of an sla */
	FOLLOWED_BY_SLA_CLAUSE,
	FOLLOWED_BY_HANDOFF_CLAUSE
} Following;

/* parse_list.c; messages refer to what is read as "what" */

extern ScanName *align_copy_name(const ScanName *name);

/* A name or string that is not empty. */
extern bool align_parse_name(TextScan *scan, const char *what, ScanName *name);
extern bool align_parse_string(TextScan *scan, const char *what, ScanName *string);

/* name {, name}; does not consume a comma that precedes a clause. */
extern bool align_parse_names(TextScan *scan, const char *what, Following following, List **names);

/*
 * A decimal number.  Sets *decimal to its shortest form, as numeric prints it,
 * palloc'd.
 */
extern bool align_parse_decimal(TextScan *scan, const char *hint, char **decimal);

/* [(name {, name})] */
extern bool align_parse_reasons(TextScan *scan, List **reasons);

/* parse_promise.c: the rest of a statement after its keyword */
extern bool align_parse_handoff(TextScan *scan, Draft *draft);
extern bool align_parse_sla(TextScan *scan, Draft *draft);

/* channels.c, segments.c, targets.c, mixes.c, periods.c: the same */
extern bool align_parse_channel(TextScan *scan, Draft *draft);
extern bool align_parse_segment(TextScan *scan, Draft *draft);
extern bool align_parse_target(TextScan *scan, Draft *draft);
extern bool align_parse_mix(TextScan *scan, Draft *draft);
extern bool align_parse_fiscal_year(TextScan *scan, Draft *draft);

/* periods.c: day | week | month | quarter | year */
extern bool align_parse_period(TextScan *scan, const char **period);

#endif							/* ALIGN_FUNNEL_PARSE_H */
