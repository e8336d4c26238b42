/*
 * pauses.h
 *	  The pauses of a clock.
 */
#ifndef ALIGN_HISTORY_PAUSES_H
#define ALIGN_HISTORY_PAUSES_H

#include "compat.h"

#include "history/replay.h"

/* Appends a pause that begins at an instant. */
extern void align_pause_begin(LeadClocks *clocks, LeadClock *clock, TimestampTz at);

/* Ends the last pause, or removes it if it would be empty. */
extern void align_pause_end(LeadClock *clock, TimestampTz at);

/*
 * Continues the last pause, which ended at the instant at which another one
 * begins.
 */
extern void align_pause_continue(LeadClocks *clocks, LeadClock *clock);

#endif							/* ALIGN_HISTORY_PAUSES_H */
