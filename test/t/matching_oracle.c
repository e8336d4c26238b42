/*
 * matching_oracle.c
 *	  Brute force for the search in src/matching: every order of simultaneous
 *	  events, and every chain in it.
 *
 * This is not part of the extension.  The tests compile it, with the files of
 * src/matching, into a library of their own.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "matching/matching.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(matching_compare);
PG_FUNCTION_INFO_V1(matching_oracle);
PG_FUNCTION_INFO_V1(matching_window_end);

#define MOST_EVENTS 8
#define LATER_THAN_ALL DT_NOEND

typedef struct Answer
{
	int			level;
	TimestampTz times[MATCH_MAX_STEPS];
	TimestampTz open_until;
} Answer;

typedef struct Oracle
{
	const StepRules *rules;
	int			n;
	StepEvent	events[MOST_EVENTS];
	bool		cut[MOST_EVENTS + 1];	/* before this event */
	Answer		best;

	/* the chain being made */
	int			own[MATCH_MAX_STEPS];	/* event by step, -1 skipped */
	int			filled;
} Oracle;

static bool
HasMode(const Oracle *oracle, MatchModes mode)
{
	return (oracle->rules->modes & mode) != 0;
}

static bool
Matches(const StepEvent *event, int step)
{
	return (event->steps >> step) & 1;
}

static bool
Optional(const Oracle *oracle, int step)
{
	return (oracle->rules->optional >> step) & 1;
}

/* Is the first list of times better than the second of the same level? */
static bool
BetterTimes(const TimestampTz *a, const TimestampTz *b, int level)
{
	if (a[level - 1] != b[level - 1])
		return a[level - 1] < b[level - 1];
	if (a[0] != b[0])
		return a[0] > b[0];
	for (int i = 1; i < level; i++)
	{
		TimestampTz left = a[i] == MATCH_NO_TIME ? LATER_THAN_ALL : a[i];
		TimestampTz right = b[i] == MATCH_NO_TIME ? LATER_THAN_ALL : b[i];

		if (left != right)
			return left < right;
	}
	return false;
}

static void
Offer(Oracle *oracle, int level, const TimestampTz *times)
{
	Answer	   *best = &oracle->best;

	if (level < best->level || (level == best->level && !BetterTimes(times, best->times, level)))
		return;
	best->level = level;
	memcpy(best->times, times, level * sizeof(TimestampTz));
}

/* May an event that is not the chain's own stand where it has this level? */
static bool
MayStand(const Oracle *oracle, const StepEvent *event, int level)
{
	int			next = level;
	bool		matches = false;

	while (next < oracle->rules->nsteps && Optional(oracle, next))
		next++;
	for (int step = 0; step <= next && step < oracle->rules->nsteps; step++)
		matches |= Matches(event, step);
	if (HasMode(oracle, MATCH_STRICT) && !matches)
		return false;
	if (HasMode(oracle, MATCH_NO_REPEAT) && matches)
		return false;
	return true;
}

static bool
InWindow(const StepWindow *window, TimestampTz from, TimestampTz at)
{
	return at <= align_window_end(window, from);
}

/*
 * Chains in events that are in order.
 */
static void
Extend(Oracle *oracle, int level, int last, TimestampTz *times)
{
	const StepRules *rules = oracle->rules;
	TimestampTz first_at = level > 0 ? times[0] : 0;
	bool		may_pass = true;

	if (level > 0)
		Offer(oracle, level, times);
	if (level == rules->nsteps)
		return;

	for (int i = Max(last, 0); i <= oracle->n && may_pass; i++)
	{
		const StepEvent *event = &oracle->events[i];

		/* nothing may be between two events of a chain but what may stand */
		if (level > 0 && i > last && oracle->cut[i])
			break;
		if (i == oracle->n)
			break;
		if (i > last || (HasMode(oracle, MATCH_REUSE) && level > 0))
		{
			for (int step = level; step < rules->nsteps; step++)
			{
				TimestampTz before = level > 0 ? oracle->events[last].at : 0;

				if (Matches(event, step) &&
					(level == 0 ||
					 (InWindow(&rules->within, first_at, event->at) &&
					  (!HasMode(oracle, MATCH_INCREASE) || event->at > before) &&
					  (rules->gaps == NULL || InWindow(&rules->gaps[step], before, event->at)))))
				{
					for (int skipped = level; skipped < step; skipped++)
						times[skipped] = MATCH_NO_TIME;
					times[step] = event->at;
					Extend(oracle, step + 1, i, times);
				}
				if (!Optional(oracle, step))
					break;
			}
		}
		if (level > 0 && i > last)
			may_pass = MayStand(oracle, event, level);
	}

	/* could an event after all others extend the chain? */
	if (level > 0 && may_pass)
	{
		for (int i = last + 1; i <= oracle->n; i++)
		{
			if (oracle->cut[i])
				return;
		}
		for (int step = level; step < rules->nsteps; step++)
		{
			TimestampTz until = align_window_end(&rules->within, first_at);

			if (rules->gaps != NULL)
				until = Min(until, align_window_end(&rules->gaps[step], oracle->events[last].at));
			oracle->best.open_until = Max(oracle->best.open_until, until);
			if (!Optional(oracle, step))
				break;
		}
	}
}

/*
 * Every order of simultaneous events.
 */
static void
EveryOrder(Oracle *oracle, int from)
{
	TimestampTz times[MATCH_MAX_STEPS];

	if (from == oracle->n)
	{
		Extend(oracle, 0, -1, times);
		return;
	}
	for (int i = from; i < oracle->n && oracle->events[i].at == oracle->events[from].at; i++)
	{
		StepEvent	event = oracle->events[from];

		oracle->events[from] = oracle->events[i];
		oracle->events[i] = event;
		EveryOrder(oracle, from + 1);
		event = oracle->events[from];
		oracle->events[from] = oracle->events[i];
		oracle->events[i] = event;
	}
}

/*
 * With reuse, in sets: a chain fills its steps with any events in ascending
 * order of time; another event of an instant may stand at any level that the
 * chain has at that instant.
 */
static bool
OthersMayStand(const Oracle *oracle, const int *own, int level)
{
	TimestampTz first = oracle->events[own[0]].at;
	TimestampTz last = oracle->events[own[level - 1]].at;

	for (int i = 0; i < oracle->n; i++)
	{
		const StepEvent *event = &oracle->events[i];
		bool		stands = false;
		int			before = 0;
		int			after = 0;

		for (int step = 0; step < level; step++)
		{
			stands |= own[step] == i;
			before += oracle->events[own[step]].at < event->at;
			after += oracle->events[own[step]].at <= event->at;
		}
		if (stands || event->at <= first || event->at >= last)
			continue;
		for (int place = before; place <= after; place++)
			stands |= MayStand(oracle, event, place);
		if (!stands)
			return false;
	}
	return true;
}

static void
ExtendReuse(Oracle *oracle, int level, int *own)
{
	TimestampTz times[MATCH_MAX_STEPS];

	if (level > 0 && OthersMayStand(oracle, own, level))
	{
		for (int step = 0; step < level; step++)
			times[step] = oracle->events[own[step]].at;
		Offer(oracle, level, times);
	}
	if (level == oracle->rules->nsteps)
		return;
	for (int i = 0; i < oracle->n; i++)
	{
		const StepEvent *event = &oracle->events[i];

		if (!Matches(event, level) ||
			(level > 0 &&
			 (event->at < oracle->events[own[level - 1]].at ||
			  !InWindow(&oracle->rules->within, oracle->events[own[0]].at, event->at))))
			continue;
		own[level] = i;
		ExtendReuse(oracle, level + 1, own);
	}
}

/*
 * Any order of steps: each event fills none, one or, with reuse, several of
 * those that are left.
 */
static int
CompareTimes(const void *a, const void *b)
{
	TimestampTz left = *(const TimestampTz *) a;
	TimestampTz right = *(const TimestampTz *) b;

	return left < right ? -1 : left > right;
}

static void
JudgeAny(Oracle *oracle, const uint64 *fills)
{
	TimestampTz times[MATCH_MAX_STEPS];
	int			level = 0;
	TimestampTz until;
	bool		open;

	for (int i = 0; i < oracle->n; i++)
	{
		for (int step = 0; step < oracle->rules->nsteps; step++)
		{
			if ((fills[i] >> step) & 1)
				times[level++] = oracle->events[i].at;
		}
	}
	if (level == 0)
		return;
	qsort(times, level, sizeof(TimestampTz), CompareTimes);
	open = level < oracle->rules->nsteps;
	until = align_window_end(&oracle->rules->within, times[0]);
	if (!InWindow(&oracle->rules->within, times[0], times[level - 1]))
		return;
	for (int i = 1; i < level; i++)
	{
		if (HasMode(oracle, MATCH_INCREASE) && times[i] == times[i - 1])
			return;
	}
	for (int i = 0; i < oracle->n; i++)
	{
		const StepEvent *event = &oracle->events[i];
		bool		matches = (event->steps & ((UINT64CONST(1) << oracle->rules->nsteps) - 1)) != 0;
		bool		stands = fills[i] != 0 ||
			!(matches ? HasMode(oracle, MATCH_NO_REPEAT) : HasMode(oracle, MATCH_STRICT));

		if (event->at > times[0] && event->at < times[level - 1] && !stands)
			return;
		if (event->at > times[0] && !stands)
			open = false;
	}

	/* cuts are never within an instant */
	for (int i = 1; i < oracle->n; i++)
	{
		if (oracle->cut[i] && oracle->events[i].at > times[0] &&
			oracle->events[i].at <= times[level - 1])
			return;
	}
	for (int i = 1; i <= oracle->n; i++)
	{
		if (oracle->cut[i] && (i == oracle->n || oracle->events[i].at > times[0]))
			open = false;
	}
	if (open)
		oracle->best.open_until = Max(oracle->best.open_until, until);
	Offer(oracle, level, times);
}

static void
EveryFilling(Oracle *oracle, int event, uint64 left, uint64 *fills)
{
	uint64		steps;

	if (event == oracle->n)
	{
		JudgeAny(oracle, fills);
		return;
	}
	fills[event] = 0;
	EveryFilling(oracle, event + 1, left, fills);
	steps = oracle->events[event].steps & left;
	for (uint64 own = steps; own != 0; own = (own - 1) & steps)
	{
		if ((own & (own - 1)) != 0 && !HasMode(oracle, MATCH_REUSE))
			continue;
		fills[event] = own;
		EveryFilling(oracle, event + 1, left & ~own, fills);
	}
}

static void
Ask(Oracle *oracle)
{
	uint64		fills[MOST_EVENTS];
	TimestampTz times[MATCH_MAX_STEPS];
	int			own[MATCH_MAX_STEPS];

	oracle->best.level = 0;
	oracle->best.open_until = DT_NOBEGIN;
	if (HasMode(oracle, MATCH_ANY))
		EveryFilling(oracle, 0, (UINT64CONST(1) << oracle->rules->nsteps) - 1, fills);
	else if (!oracle->rules->sets)
		Extend(oracle, 0, -1, times);
	else if (HasMode(oracle, MATCH_REUSE) && !HasMode(oracle, MATCH_INCREASE))
		ExtendReuse(oracle, 0, own);
	else
		EveryOrder(oracle, 0);
}

/* A small number, uniform enough, from a state that is never zero. */
static int
Random(uint64 *state, int below)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (*state >> 20) % below;
}

static void
PrintAnswer(StringInfo text, int level, const TimestampTz *times, TimestampTz unit)
{
	appendStringInfo(text, "%d (", level);
	for (int i = 0; i < level; i++)
	{
		if (times[i] == MATCH_NO_TIME)
			appendStringInfoString(text, " -");
		else
			appendStringInfo(text, " %.6g", (double) times[i] / unit);
	}
	appendStringInfoString(text, " )");
}

/*
 * matching_compare(seed bigint, cases int, mode text, sets bool, features text)
 * returns a description of the first case in which the search differs, else
 * NULL.  features has letters: g gaps, o optional steps, c cuts, z calendar
 * windows.
 */
Datum
matching_compare(PG_FUNCTION_ARGS)
{
	uint64		state = (uint64) PG_GETARG_INT64(0) * UINT64CONST(0x9E3779B97F4A7C15) + 88172645463325252ULL;
	int			ncases = PG_GETARG_INT32(1);
	text	   *mode = PG_GETARG_TEXT_PP(2);
	bool		sets = PG_GETARG_BOOL(3);
	char	   *features = text_to_cstring(PG_GETARG_TEXT_PP(4));
	MatchModes	modes = align_match_modes(VARDATA_ANY(mode), VARSIZE_ANY_EXHDR(mode));
	bool		zoned = strchr(features, 'z') != NULL;
	TimestampTz unit = zoned ? 6 * USECS_PER_HOUR : USECS_PER_SEC;
	TimestampTz origin = 0;

	for (int number = 0; number < ncases; number++)
	{
		Oracle		oracle;
		StepRules	rules = {0};
		StepWindow	gaps[MATCH_MAX_STEPS];
		StepEvents	events;
		size_t		cuts[MOST_EVENTS + 1];
		StepMatch	match;
		int			spread = 1 + Random(&state, zoned ? 24 : 6);
		int			level;
		bool		wide = Random(&state, 2) == 0;
		bool		same;

		memset(&oracle, 0, sizeof(oracle));
		memset(&match, 0, sizeof(match));
		rules.nsteps = 1 + Random(&state, 4);
		rules.modes = modes;
		rules.sets = sets;
		rules.within = Random(&state, 3) == 0 ? align_no_window() :
			align_elapsed_window(Random(&state, 6) * unit);
		if (zoned)
		{
			static const char *const zones[] = {"America/New_York", "Europe/Berlin", "Australia/Lord_Howe"};

			/* ends of January, or a change of the clocks */
			origin = ((Random(&state, 2) ? 9526 : 9796) + Random(&state, 3)) * USECS_PER_DAY;
			unit = Random(&state, 2) ? 6 * USECS_PER_HOUR : USECS_PER_HOUR / 2;
			rules.within.limited = true;
			rules.within.zone = pg_tzset(zones[Random(&state, 3)]);
			rules.within.months = Random(&state, 2);
			rules.within.days = Random(&state, 3);
			rules.within.time = Random(&state, 3) * USECS_PER_HOUR;
		}
		if (strchr(features, 'o') && rules.nsteps > 2)
		{
			for (int step = 1; step < rules.nsteps - 1; step++)
				rules.optional |= (uint64) Random(&state, 2) << step;
		}
		if (strchr(features, 'g'))
		{
			for (int step = 0; step < rules.nsteps; step++)
			{
				gaps[step] = Random(&state, 3) == 0 ? align_no_window() :
					align_elapsed_window(Random(&state, 4) * unit);
				if (zoned && gaps[step].limited)
				{
					gaps[step].zone = rules.within.zone;
					gaps[step].days = Random(&state, 3);
					gaps[step].months = Random(&state, 4) == 0;
				}
			}
			rules.gaps = gaps;
		}
		align_prepare_rules(&rules);

		oracle.rules = &rules;
		oracle.n = Random(&state, 8);
		for (int i = 0; i < oracle.n; i++)
		{
			TimestampTz at = origin + Random(&state, spread) * unit;
			int			place = i;

			/* a month later */
			if (zoned && rules.within.months && Random(&state, 2))
				at += (30 + Random(&state, 3)) * USECS_PER_DAY - 12 * USECS_PER_HOUR;

			/* sometimes no step, one, or several */
			for (; place > 0 && oracle.events[place - 1].at > at; place--)
				oracle.events[place] = oracle.events[place - 1];
			oracle.events[place].at = at;
			oracle.events[place].steps = Random(&state, 8) == 0 ? 0 :
				UINT64CONST(1) << Random(&state, rules.nsteps);
			for (int step = 0; wide && step < rules.nsteps; step++)
				oracle.events[place].steps |= (uint64) (Random(&state, 3) == 0) << step;
		}
		events.nevents = oracle.n;
		events.events = oracle.events;
		events.ncuts = 0;
		events.cuts = cuts;
		for (int i = 0; strchr(features, 'c') && i <= oracle.n; i++)
		{
			/* within an instant the order of "any" is not defined */
			if (Random(&state, 5) == 0 &&
				!((modes & MATCH_ANY) && i > 0 && i < oracle.n &&
				  oracle.events[i].at == oracle.events[i - 1].at))
			{
				cuts[events.ncuts++] = i;
				oracle.cut[i] = true;
			}
		}

		align_match(&rules, &events, &match);
		level = align_match_level(&rules, &events);
		Ask(&oracle);
		same = match.level == oracle.best.level && level == match.level &&
			memcmp(match.times, oracle.best.times, level * sizeof(TimestampTz)) == 0;
		for (int i = 0; i < oracle.n; i++)
		{
			if (match.open_until < oracle.events[i].at)
				match.open_until = DT_NOBEGIN;
			if (oracle.best.open_until < oracle.events[i].at)
				oracle.best.open_until = DT_NOBEGIN;
		}
		/* the oracle of reuse in sets does not know */
		if (!sets || (modes & (MATCH_ANY | MATCH_INCREASE)) || !(modes & MATCH_REUSE))
			same = same && match.open_until == oracle.best.open_until;
		if (!same)
		{
			StringInfoData text;

			initStringInfo(&text);
			appendStringInfo(&text, "case %d: %d steps", number, rules.nsteps);
			if (rules.within.limited)
				appendStringInfo(&text, ", within %d months %d days %.6g", rules.within.months, rules.within.days, (double) rules.within.time / unit);
			for (int step = 0; step < rules.nsteps; step++)
			{
				if (rules.gaps && rules.gaps[step].limited)
					appendStringInfo(&text, ", gap %d %d months %d days %.6g", step, gaps[step].months, gaps[step].days, (double) gaps[step].time / unit);
				if (rules.optional >> step & 1)
					appendStringInfo(&text, ", optional %d", step);
			}
			appendStringInfoString(&text, ";");
			for (int i = 0; i <= oracle.n; i++)
			{
				if (oracle.cut[i])
					appendStringInfoString(&text, " |");
				if (i < oracle.n)
				{
					appendStringInfo(&text, " %.6g:", (double) oracle.events[i].at / unit);
					for (int step = 0; step < rules.nsteps; step++)
					{
						if (Matches(&oracle.events[i], step))
							appendStringInfoChar(&text, 'A' + step);
					}
				}
			}
			appendStringInfoString(&text, "; found ");
			PrintAnswer(&text, match.level, match.times, unit);
			appendStringInfo(&text, " (level alone %d), brute force ", level);
			PrintAnswer(&text, oracle.best.level, oracle.best.times, unit);
			appendStringInfo(&text, "; open until %.6g, %.6g",
							 match.open_until == DT_NOBEGIN ? -1.0 : (double) match.open_until / unit,
							 oracle.best.open_until == DT_NOBEGIN ? -1.0 : (double) oracle.best.open_until / unit);
			PG_RETURN_TEXT_P(cstring_to_text_with_len(text.data, text.len));
		}
	}
	PG_RETURN_NULL();
}

/*
 * matching_oracle(within bigint, mode text, nsteps int, at timestamptz[],
 * steps bigint[]) returns the times of the best chain, in sets; the events are
 * in any order, and a window of NULL is none.
 */
Datum
matching_oracle(PG_FUNCTION_ARGS)
{
	text	   *mode = PG_GETARG_TEXT_PP(1);
	ArrayType  *at = PG_GETARG_ARRAYTYPE_P(3);
	ArrayType  *steps = PG_GETARG_ARRAYTYPE_P(4);
	StepRules	rules = {0};
	Oracle		oracle;
	Datum		times[MATCH_MAX_STEPS];

	memset(&oracle, 0, sizeof(oracle));
	rules.nsteps = PG_GETARG_INT32(2);
	rules.modes = align_match_modes(VARDATA_ANY(mode), VARSIZE_ANY_EXHDR(mode));
	rules.sets = true;
	rules.within = PG_ARGISNULL(0) ? align_no_window() : align_elapsed_window(PG_GETARG_INT64(0));
	align_prepare_rules(&rules);
	oracle.rules = &rules;
	oracle.n = ArrayGetNItems(ARR_NDIM(at), ARR_DIMS(at));
	if (oracle.n > MOST_EVENTS)
		elog(ERROR, "too many events");
	for (int i = 0; i < oracle.n; i++)
	{
		StepEvent	event = {((TimestampTz *) ARR_DATA_PTR(at))[i], ((int64 *) ARR_DATA_PTR(steps))[i]};
		int			place;

		for (place = i; place > 0 && oracle.events[place - 1].at > event.at; place--)
			oracle.events[place] = oracle.events[place - 1];
		oracle.events[place] = event;
	}
	Ask(&oracle);
	for (int i = 0; i < oracle.best.level; i++)
		times[i] = TimestampTzGetDatum(oracle.best.times[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(times, oracle.best.level, TIMESTAMPTZOID,
										  sizeof(TimestampTz), FLOAT8PASSBYVAL,
										  TYPALIGN_DOUBLE));
}

/*
 * matching_window_end(from timestamptz, within interval, zone text) returns
 * the end of a window in the calendar of a zone.
 */
Datum
matching_window_end(PG_FUNCTION_ARGS)
{
	Interval   *within = PG_GETARG_INTERVAL_P(1);
	StepWindow	window = {.limited = true,.months = within->month,.days = within->day,.time = within->time};

	window.zone = pg_tzset(text_to_cstring(PG_GETARG_TEXT_PP(2)));
	PG_RETURN_TIMESTAMPTZ(align_window_end(&window, PG_GETARG_TIMESTAMPTZ(0)));
}
