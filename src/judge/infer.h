/*
 * infer.h
 *	  Process discovery: what infer_agg gathers, and the draft made of it.
 *
 * The state is a directly-follows graph: how many leads were ever in a stage,
 * appeared or ended in it, and moved from one stage straight to another.  It
 * holds sums over leads only, so it can be gathered in any order and in parts;
 * labels are numbered as they come, and whoever reads the state sorts them.
 */
#ifndef ALIGN_INFER_H
#define ALIGN_INFER_H

#include "compat.h"

#include "funnel/funnel.h"
#include "lead/lead.h"
#include "utils/array.h"

/* min_share NULL */
#define INFER_DEFAULT_SHARE 0.01

typedef struct InferLabel
{
	LeadString	name;
	int64		leads;			/* were ever in this stage */
	int64		entered;		/* appeared in it */
	int64		ended;			/* were in it last */
	int64		seen_by;		/* the last lead counted; only while gathering */
} InferLabel;

typedef struct InferMove
{
	uint64		key;			/* INFER_MOVE_KEY of the two labels */
	int64		leads;			/* made this move, however often */
	int64		seen_by;		/* as above */
	char		status;			/* of the hash table */
} InferMove;

#define INFER_MOVE_KEY(from, to) (((uint64) (from) << 32) | (uint32) (to))
#define INFER_MOVE_FROM(move) ((int) ((move)->key >> 32))
#define INFER_MOVE_TO(move) ((int) (uint32) (move)->key)

typedef struct InferState
{
	MemoryContext context;		/* holds everything here */
	ArrayType  *won;			/* as given, NULL if not; the same for all rows */
	ArrayType  *lost;
	double		min_share;
	int64		nleads;			/* with at least one stage */
	int64		nstageless;		/* with none: touches only, or empty */
	TimestampTz first;			/* stage entry; meaningless while nleads is 0 */
	TimestampTz last;
	int			nlabels;
	int			room;
	InferLabel *labels;
	struct labelindex_hash *label_index;
	struct movetable_hash *moves;
} InferState;

/* An empty state in context; takes copies of the arrays. */
extern InferState *align_infer_state(MemoryContext context, ArrayType *won, ArrayType *lost,
									 double min_share);
extern void align_infer_add_lead(InferState *state, const struct varlena *lead);
/* Adds all that "from" counted, and keeps nothing of it. */
extern void align_infer_add_state(InferState *into, const InferState *from);
extern void align_infer_write_state(StringInfo out, const InferState *state);
/* Into the current memory context. */
extern InferState *align_infer_read_state(const void *data, size_t len);

/* Elements of won or lost, checked: one dimension, no NULLs. */
extern LeadString *align_infer_names(ArrayType *array, const char *argument, int *count);
extern bool align_infer_listed(LeadString name, const LeadString *names, int count);
/* All moves, in no particular order, palloc'd. */
extern InferMove *align_infer_moves(const InferState *state, int *count);

/*
 * What the draft will say: the graph with stages ranked (by leads, then by
 * bytes), kinds given, and a choice made of what to keep.
 *
 * Whatever the state, the kept part satisfies every invariant of a Funnel.
 */
typedef struct InferStage
{
	LeadString	name;
	StageKind	kind;
	int64		leads;			/* all zero for an invented stage */
	int64		entered;
	int64		ended;
	bool		is_entry;
	bool		kept;			/* reached by kept entries and moves */
	int			position;		/* on the success path, -1 off it */
} InferStage;

typedef struct InferGraph
{
	const InferState *state;
	int			nstages;
	InferStage *stages;
	int64	   *leads;			/* nstages * nstages, as in a Funnel: leads that
								 * made the move */
	bool	   *keep;			/* likewise: is the move kept? */
	int			npath;
	int		   *path;			/* success path, as stage indexes */
	bool		guessed_won;	/* nobody said what winning is */
	int			nleft_out;		/* stages beyond the limits of an agreement */
	int64		leads_left_out; /* how many leads the commonest of them had */
} InferGraph;

#define INFER_CELL(graph, from, to) ((from) * (graph)->nstages + (to))

/* max_stages: how many observed stages may be kept, at most
 * INFER_MAX_STAGES; two more may be invented. */
#define INFER_MAX_STAGES (FUNNEL_MAX_STAGES - 2)

extern InferGraph *align_infer_graph(const InferState *state, int max_stages);
/* The stage where most leads appear, of all or of the open ones; -1 none. */
extern int	align_infer_main_entry(const InferGraph *graph, bool open_only);
/* Sets path, and the position of its stages; its moves are kept. */
extern void align_infer_choose_path(InferGraph *graph);

/* The document; never changes the state. */
extern char *align_infer_draft(const InferState *state);

#endif							/* ALIGN_INFER_H */
