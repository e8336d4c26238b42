/*
 * picture.h
 *	  What a picture of a process shows.
 */
#ifndef ALIGN_PROCESS_PICTURE_H
#define ALIGN_PROCESS_PICTURE_H

#include "fmgr.h"

#include "process/process.h"

/*
 * Moves, starts and ends of too few leads are left out, and so are stages that
 * are left without any.
 */
typedef struct Picture
{
	Process    *process;
	int64		min_leads;
	double		min_share;		/* of all leads */
	bool	   *stage_shown;	/* by stage */
	int		   *moves;			/* indexes of the moves shown, the most
								 * frequent first */
	int			nmoves;
	int64		moves_shown;	/* their sum */
	int64		moves_in_all;
} Picture;

/*
 * The picture for the arguments (process, min_leads bigint, min_share float8).
 */
extern void align_picture(FunctionCallInfo fcinfo, Picture *picture);

static inline bool
align_picture_shows(const Picture *picture, int64 leads)
{
	return leads > 0 && leads >= picture->min_leads &&
		(double) leads / (double) picture->process->leads >= picture->min_share;
}

/*
 * Append the mean time of moves, and the mean working time if there is one, as
 * in "2 d 3 h (9 h 30 min working)".
 */
extern void align_picture_times(StringInfo out, const ProcessTimes *times);

#endif							/* ALIGN_PROCESS_PICTURE_H */
