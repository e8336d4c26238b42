/*
 * raw_groups.c
 *	  The groups of an aggregate, whose events are added with some delay.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "matching/raw_groups.h"
#include "value.h"

/*
 * Groups that are allocated together, with the callback that forgets them.
 */
typedef struct GroupBlock
{
	MemoryContextCallback callback;
	RawGroup	groups[FLEXIBLE_ARRAY_MEMBER];
} GroupBlock;

#define GROUP_BLOCK_SIZE 1024

/*
 * The context of the groups is reset: those that are free and those of events
 * that wait are gone.
 */
static void
Forget(void *arg)
{
	RawQueue   *queue = (RawQueue *) arg;

	queue->nfree = 0;
	for (int i = 0; i < RAW_QUEUE_LENGTH; i++)
		queue->waiting[i].group = NULL;
}

static void
AllocateGroups(RawQueue *queue, MemoryContext context)
{
	GroupBlock *block = MemoryContextAlloc(context, GROUP_BLOCK_SIZE);

	block->callback.func = Forget;
	block->callback.arg = queue;
	MemoryContextRegisterResetCallback(context, &block->callback);
	queue->free = block->groups;
	queue->nfree = (GROUP_BLOCK_SIZE - offsetof(GroupBlock, groups)) / sizeof(RawGroup);
}

RawGroup *
align_raw_group(RawQueue *queue, const RawEventsKind *kind, MemoryContext context)
{
	RawGroup   *group;

	if (queue == NULL)
		group = MemoryContextAlloc(context, sizeof(RawGroup));
	else
	{
		if (queue->nfree == 0)
			AllocateGroups(queue, context);
		group = queue->free++;
		queue->nfree--;
	}
	group->queue = queue;
	group->events = align_raw_events(kind, context);
	return group;
}

void
align_raw_flush(RawQueue *queue)
{
	/* the order in which they came, so that sorted events stay sorted */
	for (int i = 0; i < RAW_QUEUE_LENGTH; i++)
	{
		RawWaiting *waiting = &queue->waiting[(queue->next + i) & (RAW_QUEUE_LENGTH - 1)];
		RawGroup   *group = waiting->group;

		if (group == NULL)
			continue;
		waiting->group = NULL;
		align_raw_group_add(group, &queue->kind, waiting->at, waiting->steps);
	}
}

static char *
WindowText(const RawEventsKind *kind)
{
	if (kind->window < 0)
		return "no window";
	return psprintf("a window of %s",
					DatumGetCString(DirectFunctionCall1(interval_out,
														align_days_interval_datum(kind->window))));
}

void
align_raw_kinds_differ(const RawEventsKind *a, const RawEventsKind *b)
{
	const char *what;
	char	   *detail;

	if (a->nsteps != b->nsteps)
	{
		what = "numbers of steps";
		detail = psprintf("Their numbers are %d and %d.", a->nsteps, b->nsteps);
	}
	else if (a->window != b->window)
	{
		what = "windows";
		detail = psprintf("One has %s, the other %s.", WindowText(a), WindowText(b));
	}
	else
	{
		what = "modes";
		detail = psprintf("One has the mode \"%s\", the other \"%s\".",
						  align_match_modes_text(a->modes), align_match_modes_text(b->modes));
	}
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("rows of one funnel have different %s", what),
			 errdetail_internal("%s", detail)));
}
