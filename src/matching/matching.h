/*
 * matching.h
 *	  How far a sequence of events gets along a list of steps.
 *
 * An event has a time and matches a set of steps.  A chain is a list of
 * events, in order, that fills the steps 1 to L; it may skip optional ones,
 * but begins with step 1.  Its level is the position of the last step that it
 * fills.  The last event lies within the window counted from the first, and
 * each event within the gap, if the step has one, counted from the event
 * before; windows and gaps are inclusive.  Without MATCH_REUSE the events of a
 * chain are distinct.
 *
 * The result is the highest level; of the chains of that level the one that
 * completes earliest; of these the one that starts latest; and then, from the
 * second step to the last, the earliest time at which such a chain fills the
 * step (a step that is skipped counts as later than any time).  All times are
 * those of one chain.
 *
 * Cost: events times steps, apart from sets of simultaneous events that match
 * several steps each.
 *
 * Nothing here reads a catalog or depends on the current time.
 */
#ifndef ALIGN_MATCHING_H
#define ALIGN_MATCHING_H

#include "compat.h"

#include "pgtime.h"
#include "utils/timestamp.h"

#define MATCH_MAX_STEPS 64

/* The time of a step that a chain skips. */
#define MATCH_NO_TIME DT_NOBEGIN

/*
 * An event: bit i of steps stands for step i, from 0.
 */
typedef struct StepEvent
{
	TimestampTz at;
	uint64		steps;
} StepEvent;

/*
 * Modes, a set of bits.  None of them is the mode "ordered".
 *
 * "Between" is after the first and before the last event of the chain.
 *
 * strict	 an event between that is not the chain's own matches a step that
 *			 the chain has passed (filled or skipped) at that place, or may
 *			 fill next.  What it may fill next are the steps after the last
 *			 one it filled, up to the first that is not optional.  So an event
 *			 that matches no step, or only later ones, ends the chain.
 * no_repeat an event between that is not the chain's own matches neither a
 *			 step that the chain has passed nor one that it may fill next.
 * increase	 the times of a chain rise.
 * any		 a chain fills any steps, in any order, and its level is their
 *			 number; the window counts from its first event.  Times are in the
 *			 order of completion.  strict: every event between matches a step.
 *			 no_repeat: every event between that matches a step is the chain's
 *			 own.  increase: all times differ.  There are neither gaps nor
 *			 optional steps.  Simultaneous events are always a set.
 * reuse	 an event may fill several steps.
 */
typedef uint32 MatchModes;

#define MATCH_ORDERED	0
#define MATCH_STRICT	0x01
#define MATCH_NO_REPEAT 0x02
#define MATCH_INCREASE	0x04
#define MATCH_ANY		0x08
#define MATCH_REUSE		0x10

/*
 * A set of words, separated by commas or white space; the names that other
 * systems have for them are accepted, too.  An unknown word, or words that
 * contradict each other, are an error; an empty text is "ordered".
 */
extern MatchModes align_match_modes(const char *words, size_t len);

/* The canonical words, such as "ordered" or "strict, increase"; palloc'd. */
extern char *align_match_modes_text(MatchModes modes);

/*
 * A window.  Without a zone it is elapsed time, and months and days are zero.
 * With a zone, months and days are those of the zone's calendar, added in
 * PostgreSQL's order: months, days, time.  None of the three is negative.
 */
typedef struct StepWindow
{
	bool		limited;		/* false: there is no window */
	int32		months;
	int32		days;
	int64		time;			/* microseconds */
	pg_tz	   *zone;			/* NULL: elapsed time */
} StepWindow;

/* No window, or one of elapsed time. */
extern StepWindow align_no_window(void);
extern StepWindow align_elapsed_window(int64 time);

/*
 * The last instant of a window, DT_NOEND if there is no window or it ends
 * after the last timestamp.
 */
extern TimestampTz align_window_end(const StepWindow *window, TimestampTz from);

/*
 * What the search depends on, beside the events.  The caller fills in the
 * first part, which must be valid: the search does not check it.
 */
typedef struct StepRules
{
	int			nsteps;			/* 1 to MATCH_MAX_STEPS */
	MatchModes	modes;
	StepWindow	within;
	const StepWindow *gaps;		/* by step: the longest time since the step
								 * filled before it; the first is unused. NULL
								 * if there are none */
	uint64		optional;		/* steps that may be skipped; neither the
								 * first nor the last */
	bool		sets;			/* simultaneous events are a set: the best
								 * order of them counts.  Excludes gaps,
								 * optional steps and calendar windows. false:
								 * they are in order */

	/* set by align_prepare_rules() */
	uint8		mandatory[MATCH_MAX_STEPS]; /* the first step at or after this
											 * one that is not optional */
	uint8		behind[MATCH_MAX_STEPS];	/* the lowest level from which
											 * this step may be filled */
} StepRules;

extern void align_prepare_rules(StepRules *rules);

/*
 * The events of one lead, in ascending order of their time.
 *
 * A cut is a place between two events that no chain may span: something
 * happened there that ends every attempt.  It is the index of the event after
 * it, 0 to nevents.
 */
typedef struct StepEvents
{
	size_t		nevents;
	const StepEvent *events;
	size_t		ncuts;
	const size_t *cuts;			/* ascending */
} StepEvents;

typedef struct StepMatch
{
	int			level;			/* 0: no event matches the first step */
	TimestampTz times[MATCH_MAX_STEPS]; /* of the steps up to level, that of
										 * the start first; undefined after */

	/*
	 * The last instant at which another event could extend some chain that
	 * has not filled the last step; DT_NOEND if there is no limit; before the
	 * last event, or DT_NOBEGIN, if there is none.
	 */
	TimestampTz open_until;
} StepMatch;

/* Find the best chain.  Frees what it allocates. */
extern void align_match(const StepRules *rules, const StepEvents *events, StepMatch *match);

/* Only its level. */
extern int	align_match_level(const StepRules *rules, const StepEvents *events);

#endif							/* ALIGN_MATCHING_H */
