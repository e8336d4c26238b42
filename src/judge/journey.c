/*
 * journey.c
 *	  Progress of a lead, or of each of its passages, by the search of
 *	  matching.h.
 *
 * The lead is read once, into an array of events and one of cuts (entries into
 * excluded stages).  Entries that match no step are events only in the mode
 * "strict", in which they matter.
 */
#include "postgres.h"

#include "judge/journey.h"

#define JOURNEY_INLINE_EVENTS 64

/*
 * The beginning of a passage.
 */
typedef struct Passage
{
	size_t		event;			/* the entry into the first step */
	size_t		cut;			/* the first cut after it */
	LeadString	amount;			/* the last amount before it */
} Passage;

typedef struct Journey
{
	const StepPlan *plan;
	TimestampTz as_of;
	size_t		nevents;
	size_t		events_room;
	StepEvent  *events;
	size_t		ncuts;
	size_t		cuts_room;
	size_t	   *cuts;
	size_t		npassages;		/* counted only for a plan of passages */
	size_t		passages_room;
	Passage    *passages;
	LeadString	amount;			/* the last one */
	StepEvent	inline_events[JOURNEY_INLINE_EVENTS];
} Journey;

struct PassageScan
{
	Journey		journey;
	size_t		next;
	size_t	   *cuts;			/* of the passage; as many as in all */
};

/*
 * Enlarge an array that is full.
 */
#define ENLARGE(array, room) \
	((room) = Max((room) * 2, 16), \
	 (array) = (array) == NULL ? palloc((room) * sizeof(*(array))) : \
	 repalloc_huge(array, (room) * sizeof(*(array))))

static inline void
AddEvent(Journey *journey, TimestampTz at, uint64 steps)
{
	if (unlikely(journey->nevents == journey->events_room))
	{
		if (journey->events == journey->inline_events)
		{
			journey->events_room *= 4;
			journey->events = palloc(journey->events_room * sizeof(StepEvent));
			memcpy(journey->events, journey->inline_events, sizeof(journey->inline_events));
		}
		else
			ENLARGE(journey->events, journey->events_room);
	}
	journey->events[journey->nevents].at = at;
	journey->events[journey->nevents].steps = steps;
	journey->nevents++;
}

/* Of cuts at one place, one is enough. */
static void
AddCut(Journey *journey)
{
	if (journey->ncuts > 0 && journey->cuts[journey->ncuts - 1] == journey->nevents)
		return;
	if (journey->ncuts == journey->cuts_room)
		ENLARGE(journey->cuts, journey->cuts_room);
	journey->cuts[journey->ncuts++] = journey->nevents;
}

/* The next event begins a passage. */
static void
AddPassage(Journey *journey)
{
	Passage    *passage;

	if (journey->npassages == journey->passages_room)
		ENLARGE(journey->passages, journey->passages_room);
	passage = &journey->passages[journey->npassages++];
	passage->event = journey->nevents;
	passage->cut = journey->ncuts;
	passage->amount = journey->amount;
}

static void
ReadJourney(Journey *journey, const StepPlan *plan, const struct varlena *lead,
			TimestampTz as_of)
{
	LeadReader	reader;
	LeadEntry	entry;
	const StepName *inline_names[LEAD_INLINE_STRINGS];
	const StepName **names = inline_names;
	bool		foreign = (plan->rules.modes & MATCH_STRICT) != 0;

	memset(journey, 0, offsetof(Journey, inline_events));
	journey->plan = plan;
	journey->as_of = as_of;
	journey->events = journey->inline_events;
	journey->events_room = JOURNEY_INLINE_EVENTS;

	align_lead_read(&reader, lead);
	if (reader.nstrings > LEAD_INLINE_STRINGS)
		names = palloc(reader.nstrings * sizeof(StepName *));
	/* match each dictionary string once, not each entry */
	for (int i = 0; i < reader.nstrings; i++)
		names[i] = align_step_name(plan, reader.strings[i]);

	while (align_lead_next(&reader, &entry) && entry.at <= as_of)
	{
		const StepName *name = entry.stage >= 0 ? names[entry.stage] : NULL;

		/* an amount of this entry belongs to the passage that it begins */
		if (name != NULL && (name->steps & 1) && plan->list->passages)
			AddPassage(journey);
		if (entry.amount >= 0)
			journey->amount = reader.strings[entry.amount];
		if (name != NULL && name->excluded)
			AddCut(journey);
		else if (name != NULL)
			AddEvent(journey, entry.at, name->steps);
		else if (entry.stage >= 0 && foreign)
			AddEvent(journey, entry.at, 0);
	}

	if (names != inline_names)
		pfree(names);
	align_lead_read_end(&reader);
}

static void
FreeJourney(Journey *journey)
{
	if (journey->events != journey->inline_events)
		pfree(journey->events);
	if (journey->cuts != NULL)
		pfree(journey->cuts);
	if (journey->passages != NULL)
		pfree(journey->passages);
}

/*
 * How far the events get within the window that begins with the earliest first
 * step; 0 if that window is not over, or there is none.
 */
static int
MaturedLevel(const Journey *journey, const StepEvents *events, const Progress *progress)
{
	const StepRules *rules = &journey->plan->rules;
	uint64		begins = (rules->modes & MATCH_ANY) ? ~UINT64CONST(0) : 1;
	StepEvents	within = *events;
	TimestampTz end;
	size_t		i = 0;

	if (!rules->within.limited || progress->level == 0)
		return 0;
	while ((events->events[i].steps & begins) == 0)
		i++;
	end = align_window_end(&rules->within, events->events[i].at);
	if (end >= journey->as_of)
		return 0;

	/* the best chain is also the best within the window if it ends there */
	if (progress->times[progress->level - 1] <= end)
		return progress->level;
	while (i < events->nevents && events->events[i].at <= end)
		i++;
	within.nevents = i;
	while (within.ncuts > 0 && within.cuts[within.ncuts - 1] > i)
		within.ncuts--;
	return align_match_level(rules, &within);
}

static void
MatchEvents(const Journey *journey, const StepEvents *events, Progress *progress)
{
	StepMatch	match;

	align_match(&journey->plan->rules, events, &match);
	progress->level = match.level;
	memcpy(progress->times, match.times, match.level * sizeof(TimestampTz));
	if (match.level == progress->nsteps)
		progress->status = PROGRESS_CONVERTED;
	else if (match.level > 0 && match.open_until < journey->as_of)
		progress->status = PROGRESS_DROPPED;
	progress->matured_level = MaturedLevel(journey, events, progress);
}

void
align_journey_progress(const StepPlan *plan, const struct varlena *lead, TimestampTz as_of,
					   Progress *progress)
{
	Journey		journey;
	StepEvents	events;

	ReadJourney(&journey, plan, lead, as_of);
	events.nevents = journey.nevents;
	events.events = journey.events;
	events.ncuts = journey.ncuts;
	events.cuts = journey.cuts;
	MatchEvents(&journey, &events, progress);
	progress->amount = journey.amount;
	FreeJourney(&journey);
}

PassageScan *
align_passages_begin(const StepPlan *plan, const struct varlena *lead, TimestampTz as_of)
{
	PassageScan *scan = palloc(sizeof(PassageScan));

	Assert(plan->list->passages);
	ReadJourney(&scan->journey, plan, lead, as_of);
	scan->next = 0;
	scan->cuts = scan->journey.ncuts == 0 ? NULL :
		palloc(scan->journey.ncuts * sizeof(size_t));
	return scan;
}

bool
align_passages_next(PassageScan *scan, Progress *progress)
{
	const Journey *journey = &scan->journey;
	const Passage *passage;
	bool		overtaken;
	size_t		end;
	StepEvents	events;

	if (scan->next == journey->npassages)
		return false;
	passage = &journey->passages[scan->next++];
	overtaken = scan->next < journey->npassages;
	end = overtaken ? passage[1].event : journey->nevents;

	/* events and cuts until the next passage, counted from its beginning */
	events.events = journey->events + passage->event;
	events.nevents = end - passage->event;
	events.cuts = scan->cuts;
	events.ncuts = 0;
	for (size_t i = passage->cut; i < journey->ncuts && journey->cuts[i] <= end; i++)
		scan->cuts[events.ncuts++] = journey->cuts[i] - passage->event;

	align_progress_begin(progress, journey->plan->list->nsteps);
	MatchEvents(journey, &events, progress);
	progress->amount = overtaken ? passage[1].amount : journey->amount;
	if (overtaken && progress->status == PROGRESS_OPEN)
		progress->status = PROGRESS_DROPPED;
	return true;
}

void
align_passages_end(PassageScan *scan)
{
	FreeJourney(&scan->journey);
	if (scan->cuts != NULL)
		pfree(scan->cuts);
	pfree(scan);
}
