/*
 * risk.c
 *	  Walks an incidence from its first time to its last.
 */
#include "postgres.h"

#include "incidence/risk.h"

void
align_risk_begin(RiskWalk *walk, const Incidence *incidence)
{
	memset(walk, 0, sizeof(RiskWalk));
	walk->incidence = incidence;
	walk->at_risk = incidence->cases;
	for (int i = 0; i < incidence->late.n; i++)
		walk->at_risk -= incidence->late.items[i].count;
}

static inline bool
Peek(const TimeSeries *series, int i, int64 *at, bool found)
{
	if (i < series->n && (!found || series->items[i].at < *at))
	{
		*at = series->items[i].at;
		return true;
	}
	return found;
}

bool
align_risk_peek(const RiskWalk *walk, int64 *at)
{
	const Incidence *incidence = walk->incidence;
	bool		found = Peek(&incidence->open, walk->open, at, false);

	for (int i = 0; i < incidence->noutcomes; i++)
		found = Peek(&incidence->outcomes[i].times, walk->outcomes[i], at, found);
	return found;
}

/*
 * A case that enters at this very time is not at risk yet.
 */
int64
align_risk_at(RiskWalk *walk, int64 at)
{
	const TimeSeries *late = &walk->incidence->late;

	while (walk->late < late->n && late->items[walk->late].at < at)
		walk->at_risk += late->items[walk->late++].count;
	return walk->at_risk;
}

static inline int64
Take(const TimeSeries *series, int *i, int64 at)
{
	if (*i < series->n && series->items[*i].at == at)
		return series->items[(*i)++].count;
	return 0;
}

void
align_risk_take(RiskWalk *walk, int64 at, int outcome, RiskStep *step)
{
	const Incidence *incidence = walk->incidence;

	step->at = at;
	step->at_risk = align_risk_at(walk, at);
	step->censored = Take(&incidence->open, &walk->open, at);
	step->events = 0;
	step->competing = 0;
	for (int i = 0; i < incidence->noutcomes; i++)
	{
		int64		left = Take(&incidence->outcomes[i].times, &walk->outcomes[i], at);

		if (i == outcome)
			step->events = left;
		else
			step->competing += left;
	}
	walk->at_risk -= step->events + step->competing + step->censored;
	if (walk->at_risk < 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("stored value of type %s has impossible late entries", INCIDENCE_TYPE)));
}
