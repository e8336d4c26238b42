/*
 * share.c
 *	  Divides the credit for a conversion among its touches, by a model.
 *
 * Every model gives each touch an integer weight, so that what is divided by
 * the weights adds up exactly.  Its share is the weight divided by their sum,
 * rounded to float8 once; time_decay calculates shares, and makes weights of
 * them.
 */
#include "postgres.h"

#include <math.h>

#include "attribute/attribute.h"

/* Sum of the weights of time_decay, before they are rounded. */
#define DECAY_TOTAL 4611686018427387904.0	/* 2^62 */

/* The most that weights of shapley may add up to. */
#define SHAPLEY_TOTAL (INT64CONST(1) << 62)

/* The points of a model with milestones, and their weights. */
#define MAX_POINTS 4

static void
SetWeight(CreditTouch *touch, int64 weight, int64 total)
{
	touch->weight = weight;
	touch->share = (double) weight / (double) total;
}

/*
 * All credit to one touch.
 */
static void
OnlyTouch(Credit *credit, int index)
{
	credit->touches[0] = credit->touches[index];
	credit->ntouches = 1;
	credit->total = 1;
	SetWeight(&credit->touches[0], 1, 1);
}

/*
 * The last touch that is not direct, or the last one if all are.
 */
static int
LastNonDirect(const Credit *credit, CampaignMemory *memory)
{
	for (int i = credit->ntouches - 1; i >= 0; i--)
	{
		int			campaign = credit->touches[i].campaign;

		/* the next touches often have the campaign just looked at */
		if (i < credit->ntouches - 1 && credit->touches[i + 1].campaign == campaign)
			continue;
		if (!align_campaign_known(memory, credit->reader.strings[campaign])->is_direct)
			return i;
	}
	return credit->ntouches - 1;
}

static void
Linear(Credit *credit)
{
	credit->total = credit->ntouches;
	for (int i = 0; i < credit->ntouches; i++)
		SetWeight(&credit->touches[i], 1, credit->total);
}

/*
 * 40 percent each to the first and the last touch, 20 percent to the others in
 * equal parts.  Half each if there are only two.
 */
static void
Position(Credit *credit)
{
	int64		others = credit->ntouches - 2;

	if (others <= 0)
	{
		Linear(credit);
		return;
	}
	credit->total = 5 * others;
	for (int i = 0; i < credit->ntouches; i++)
		SetWeight(&credit->touches[i], 1, credit->total);
	SetWeight(&credit->touches[0], 2 * others, credit->total);
	SetWeight(&credit->touches[credit->ntouches - 1], 2 * others, credit->total);
}

/*
 * 2^(-age / half-life).  Ages count from the last touch instead of the
 * conversion, which changes all weights by the same factor and so no share:
 * the last one never vanishes, however old all of them are.
 */
static void
TimeDecay(Credit *credit, double half_life)
{
	TimestampTz last = credit->touches[credit->ntouches - 1].at;
	double		sum = 0;
	int			n = 0;

	for (int i = 0; i < credit->ntouches; i++)
	{
		CreditTouch *touch = &credit->touches[i];

		/* unsigned: the difference of valid times may exceed an int64 */
		touch->share = exp2(-(double) ((uint64) last - (uint64) touch->at) / half_life);
		sum += touch->share;
	}

	/* sum is at least 1; a weight may be 0 where the share is not */
	credit->total = 0;
	for (int i = 0; i < credit->ntouches; i++)
	{
		CreditTouch touch = credit->touches[i];

		touch.share /= sum;
		if (touch.share == 0)
			continue;
		touch.weight = (int64) rint(touch.share * DECAY_TOTAL);
		credit->total += touch.weight;
		credit->touches[n++] = touch;
	}
	credit->ntouches = n;
}

/*
 * The last touch at or before an instant, -1 if there is none.
 */
static int
LastTouchAt(const Credit *credit, TimestampTz at)
{
	int			low = 0;
	int			high = credit->ntouches;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (credit->touches[middle].at <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low - 1;
}

/*
 * The models with milestones: a weight for the touch of each point, and one
 * for all other touches together.  A point without a touch, or the others if
 * there are none, leave their weight to the rest in proportion; those of one
 * touch add up.
 */
static void
Milestones(Credit *credit, const CreditRules *rules)
{
	int64		point_weight;
	int64		other_weight;
	int			points[MAX_POINTS];
	int			npoints = 0;
	int64		others = credit->ntouches;

	switch (rules->model)
	{
		case CREDIT_U_SHAPED:
			point_weight = 40;
			other_weight = 20;
			break;
		case CREDIT_W_SHAPED:
			point_weight = 30;
			other_weight = 10;
			break;
		default:
			/* 22.5 percent each, and 10 */
			point_weight = 45;
			other_weight = 20;
	}

	points[npoints++] = 0;
	for (int i = 0; i < rules->nmilestones; i++)
	{
		int			point = credit->reached[i] ? LastTouchAt(credit, credit->milestones[i]) : -1;

		if (point >= 0)
			points[npoints++] = point;
	}
	if (rules->model == CREDIT_FULL_PATH)
		points[npoints++] = credit->ntouches - 1;

	for (int i = 0; i < npoints; i++)
	{
		bool		repeats = false;

		for (int j = 0; j < i; j++)
			repeats |= points[j] == points[i];
		others -= !repeats;
	}

	/* multiplied by the number of other touches, which share one weight */
	if (others > 0)
		point_weight *= others;
	else
		other_weight = 0;
	credit->total = npoints * point_weight + (others > 0 ? others * other_weight : 0);
	for (int i = 0; i < credit->ntouches; i++)
		credit->touches[i].weight = 0;
	for (int i = 0; i < npoints; i++)
		credit->touches[points[i]].weight += point_weight;
	for (int i = 0; i < credit->ntouches; i++)
	{
		CreditTouch *touch = &credit->touches[i];

		SetWeight(touch, touch->weight > 0 ? touch->weight : other_weight, credit->total);
	}
}

/*
 * A channel among the touches of a lead.
 */
typedef struct ChannelTouches
{
	LeadString	channel;
	int64		ntouches;
} ChannelTouches;

/*
 * The least common multiple of the numbers of touches, 0 if it exceeds a
 * limit.
 */
static int64
CommonMultiple(const ChannelTouches *channels, int n, int64 limit)
{
	int64		result = 1;

	for (int i = 0; i < n; i++)
	{
		int64		a = result;
		int64		b = channels[i].ntouches;

		while (b != 0)
		{
			int64		rest = a % b;

			a = b;
			b = rest;
		}
		result /= a;
		if (result > limit / channels[i].ntouches)
			return 0;
		result *= channels[i].ntouches;
	}
	return result;
}

/*
 * Equal parts for the different channels, and of each for its touches.  This
 * is the Shapley value of the channels (paths/shapley.c).
 *
 * The weights are whole if their common multiple is not too large, else they
 * are rounded.
 */
static void
Shapley(Credit *credit, CampaignMemory *memory)
{
	int			ntouches = credit->ntouches;
	ChannelTouches *channels = NULL;
	int			room = 0;
	int			n = 0;
	int		   *channel_of = MemoryContextAllocHuge(CurrentMemoryContext,
													(Size) ntouches * sizeof(int));
	int64		multiple;

	/* an agreement has few channels, so a search for each touch is linear */
	for (int i = 0; i < ntouches; i++)
	{
		int			campaign = credit->touches[i].campaign;
		const KnownCampaign *known = align_campaign_known(memory, credit->reader.strings[campaign]);
		LeadString	channel = align_lead_varlena(known->channel);
		int			j = 0;

		while (j < n && !align_lead_same(channels[j].channel, channel))
			j++;
		if (j == room)
		{
			room = room == 0 ? 8 : room * 2;
			channels = channels == NULL ? palloc(room * sizeof(ChannelTouches)) :
				repalloc(channels, room * sizeof(ChannelTouches));
		}
		if (j == n)
		{
			channels[n].channel = channel;
			channels[n++].ntouches = 0;
		}
		channels[j].ntouches++;
		channel_of[i] = j;
	}

	multiple = CommonMultiple(channels, n, SHAPLEY_TOTAL / n);
	if (multiple == 0)
		multiple = SHAPLEY_TOTAL / n;
	credit->total = 0;
	for (int i = 0; i < ntouches; i++)
	{
		int64		among = channels[channel_of[i]].ntouches;

		credit->touches[i].weight = multiple / among;
		credit->touches[i].share = 1.0 / ((double) n * (double) among);
		credit->total += credit->touches[i].weight;
	}
	pfree(channels);
	pfree(channel_of);
}

/*
 * Divides the credit by the model of the rules.
 */
void
align_credit_share(Credit *credit, const CreditRules *rules, CampaignMemory *memory)
{
	credit->total = 0;
	if (credit->ntouches == 0)
		return;
	switch (rules->model)
	{
		case CREDIT_FIRST:
			OnlyTouch(credit, 0);
			break;
		case CREDIT_LAST:
			OnlyTouch(credit, credit->ntouches - 1);
			break;
		case CREDIT_LAST_NON_DIRECT:
			OnlyTouch(credit, LastNonDirect(credit, memory));
			break;
		case CREDIT_LINEAR:
			Linear(credit);
			break;
		case CREDIT_POSITION:
			Position(credit);
			break;
		case CREDIT_TIME_DECAY:
			TimeDecay(credit, rules->half_life);
			break;
		case CREDIT_U_SHAPED:
		case CREDIT_W_SHAPED:
		case CREDIT_FULL_PATH:
			Milestones(credit, rules);
			break;
		case CREDIT_SHAPLEY:
			Shapley(credit, memory);
			break;
	}
}
