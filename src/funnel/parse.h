/*
 * parse.h
 *	  Between the files of the grammar; private to this room.
 *
 * Every function returns false after a soft error.
 */
#ifndef ALIGN_FUNNEL_PARSE_H
#define ALIGN_FUNNEL_PARSE_H

#include "funnel/draft.h"

/* Which clauses may follow a list of names after a comma? */
typedef enum Following
{
	FOLLOWED_BY_NONE,
	FOLLOWED_BY_DUE,			/* stops of an sla */
	FOLLOWED_BY_SLA_CLAUSE,
	FOLLOWED_BY_HANDOFF_CLAUSE
} Following;

/* parse_list.c; "what" is what a message calls the thing, without an article */
extern ScanName *align_keep_name(const ScanName *name);
/* a name or string, but never an empty one */
extern bool align_parse_name(TextScan *scan, const char *what, ScanName *name);
extern bool align_parse_string(TextScan *scan, const char *what, ScanName *string);
/* name {, name}; a comma before a clause is left alone */
extern bool align_parse_names(TextScan *scan, const char *what, Following following, List **names);
/* [(name {, name})] */
extern bool align_parse_reasons(TextScan *scan, List **reasons);

/* parse_promise.c; what follows the keyword */
extern bool align_parse_handoff(TextScan *scan, Draft *draft);
extern bool align_parse_sla(TextScan *scan, Draft *draft);
extern bool align_parse_target(TextScan *scan, Draft *draft);

#endif							/* ALIGN_FUNNEL_PARSE_H */
