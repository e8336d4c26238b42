/*
 * lead_clocks.h
 *	  Memory and failures of the clocks of a lead, for the files that replay.
 */
#ifndef ALIGN_HISTORY_LEAD_CLOCKS_H
#define ALIGN_HISTORY_LEAD_CLOCKS_H

#include "compat.h"

#include "history/replay.h"

/* Frees a string that may be NULL and sets it to NULL. */
extern void align_free_string(char **string);

/* Copies a string into the memory of the clocks; NULL if it is absent. */
extern char *align_clocks_copy(LeadClocks *clocks, LeadString string);

/* Sets clocks->failure if there is a problem, and it is the first. */
extern void align_clocks_set_failure(LeadClocks *clocks, const LeadClock *clock,
									 ClockProblem problem, bool at_start, TimestampTz at);

#endif							/* ALIGN_HISTORY_LEAD_CLOCKS_H */
