/*
 * walk.c
 *	  Walks the moves of a lead under a funnel.
 */
#include "postgres.h"

#include "judge/judge.h"

void
align_walk_begin(Walk *walk, const Funnel *funnel, const struct varlena *lead,
				 TimestampTz as_of)
{
	walk->funnel = funnel;
	align_lead_read(&walk->reader, lead);
	walk->stage_of_string = walk->inline_stages;
	if (walk->reader.nstrings > LEAD_INLINE_STRINGS)
		walk->stage_of_string = palloc(walk->reader.nstrings * sizeof(int));
	for (int i = 0; i < walk->reader.nstrings; i++)
		walk->stage_of_string[i] = WALK_NOT_LOOKED_UP;
	walk->from = walk->to = -1;
	walk->from_string = walk->entry.stage = -1;
	walk->amount = -1;
	walk->as_of = as_of;
	walk->entry_no = 0;
	walk->started = false;
}

LeadString
align_walk_string(const Walk *walk, int string)
{
	LeadString	absent = {NULL, 0};

	return string < 0 ? absent : walk->reader.strings[string];
}

/*
 * Go to the next entry that is a move, or the entry into the funnel.
 */
bool
align_walk_next(Walk *walk)
{
	int			last_stage = walk->to;
	int			last_string = walk->entry.stage;

	while (align_lead_next(&walk->reader, &walk->entry) && walk->entry.at <= walk->as_of)
	{
		int			string = walk->entry.stage;
		int		   *stage;

		walk->entry_no++;
		if (walk->entry.amount >= 0)
			walk->amount = walk->entry.amount;
		if (string < 0)
			continue;			/* a touch */
		stage = &walk->stage_of_string[string];
		if (*stage == WALK_NOT_LOOKED_UP)
			*stage = align_funnel_stage(walk->funnel,
										walk->reader.strings[string].text,
										walk->reader.strings[string].len);
		/* the lead is in that stage, under this label or another */
		if (walk->started && (string == last_string || (*stage >= 0 && *stage == last_stage)))
			continue;
		walk->from = last_stage;
		walk->from_string = walk->started ? last_string : -1;
		walk->to = *stage;
		walk->started = true;
		return true;
	}
	return false;
}

void
align_walk_end(Walk *walk)
{
	if (walk->stage_of_string != walk->inline_stages)
		pfree(walk->stage_of_string);
	align_lead_read_end(&walk->reader);
}

/*
 * The funnel's segments that are in the canonical list of an entry.
 */
SegmentMask
align_segments_of(const Funnel *funnel, LeadString list)
{
	SegmentMask result = 0;
	LeadString	name;

	/* most agreements have no segments */
	while (funnel->nsegments > 0 && align_segments_next(&list, &name))
	{
		int			segment = align_funnel_segment(funnel, name.text, name.len);

		if (segment >= 0)
			result |= SEGMENT_BIT(segment);
	}
	return result;
}

void
align_walk_move(const Walk *walk, Move *move)
{
	move->from = walk->from;
	move->to = walk->to;
	move->from_label = align_walk_string(walk, walk->from_string);
	move->to_label = align_walk_string(walk, walk->entry.stage);
	move->team = align_walk_string(walk, walk->entry.team);
	move->reason = align_walk_string(walk, walk->entry.reason);
}
