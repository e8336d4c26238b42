/*
 * infer.h
 *	  Process discovery: the state of infer_agg, and the draft made from it.
 *
 * The state is a directly-follows graph: how many leads were ever in a stage,
 * entered the funnel or ended in it, and moved from one stage directly to
 * another.  It consists of sums over leads, so it does not depend on the order
 * of the leads and can be computed in parts.  Only the numbers of labels do
 * depend on it, so readers of the state sort the labels.
 */
#ifndef ALIGN_INFER_H
#define ALIGN_INFER_H

#include "compat.h"

#include "funnel/funnel.h"
#include "lead/lead.h"
#include "utils/array.h"

/* The value of min_share for NULL. */
#define INFER_DEFAULT_SHARE 0.01

typedef struct InferLabel
{
	LeadString	name;
	int64		leads;			/* leads that were ever in this stage */
	int64		entered;		/* leads that entered the funnel in it */
	int64		ended;			/* leads whose last stage it is */
	int64		seen_by;		/* number of the last lead counted */
} InferLabel;

typedef struct InferMove
{
	uint64		key;			/* INFER_MOVE_KEY of the two labels */
	int64		leads;			/* leads that made this move at least once */
	int64		seen_by;		/* number of the last lead counted */
	char		status;			/* for the hash table */
} InferMove;

#define INFER_MOVE_KEY(from, to) (((uint64) (from) << 32) | (uint32) (to))
#define INFER_MOVE_FROM(move) ((int) ((move)->key >> 32))
#define INFER_MOVE_TO(move) ((int) (uint32) (move)->key)

typedef struct InferState
{
	MemoryContext context;		/* of all members */
	ArrayType  *won;			/* arguments, the same for all rows; may be
								 * NULL */
	ArrayType  *lost;
	double		min_share;
	int64		nleads;			/* leads with at least one stage */
	int64		nstageless;		/* leads with touches only */
	TimestampTz first;			/* first and last stage entry, not set while */
	TimestampTz last;			/* nleads is 0 */
	int			nlabels;
	int			room;
	InferLabel *labels;
	struct labelindex_hash *label_index;
	struct movetable_hash *moves;
} InferState;

/* Create an empty state in a context, with copies of the arrays. */
extern InferState *align_infer_state(MemoryContext context, ArrayType *won, ArrayType *lost,
									 double min_share);
extern void align_infer_add_lead(InferState *state, const struct varlena *lead);

/* Add the counts of "from", which may be freed afterwards. */
extern void align_infer_add_state(InferState *into, const InferState *from);

/* Serialise the state; read it back into the current memory context. */
extern void align_infer_write_state(StringInfo out, const InferState *state);
extern InferState *align_infer_read_state(const void *data, size_t len);

/*
 * The elements of won or lost; an error if one is NULL or empty, or if there
 * is more than one dimension.  They point into the array, which may be NULL.
 */
extern LeadString *align_infer_names(ArrayType *array, const char *argument, int *count);

/* True if the name is among the names. */
extern bool align_infer_listed(LeadString name, const LeadString *names, int count);

/* All moves, in no particular order, palloc'd. */
extern InferMove *align_infer_moves(const InferState *state, int *count);

/*
 * The content of the draft: the graph with its stages ranked (by leads, then
 * by bytes), their kinds, and the parts to keep.
 *
 * For any state the kept part satisfies every invariant of a Funnel.
 */
typedef struct InferStage
{
	LeadString	name;
	StageKind	kind;
	int64		leads;			/* these are zero for an invented stage */
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
	int64	   *leads;			/* by INFER_CELL: leads that made the move */
	bool	   *keep;			/* by INFER_CELL: true if the move is kept */
	int			npath;
	int		   *path;			/* success path, as stage indexes */
	bool		guessed_won;	/* the won stage is a guess */
	int			nleft_out;		/* stages beyond the limits of an agreement */
	int64		leads_left_out; /* leads of the commonest of them */
} InferGraph;

#define INFER_CELL(graph, from, to) ((from) * (graph)->nstages + (to))

/* Observed stages in a draft; up to two more may be invented. */
#define INFER_MAX_STAGES (FUNNEL_MAX_STAGES - 2)

/*
 * Build the graph, with at most max_stages (<= INFER_MAX_STAGES) observed
 * stages.
 */
extern InferGraph *align_infer_graph(const InferState *state, int max_stages);

/*
 * The stage that most leads enter first, of all or of the open ones; -1 none.
 */
extern int	align_infer_main_entry(const InferGraph *graph, bool open_only);

/* Choose the success path: set path and positions, and keep its moves. */
extern void align_infer_choose_path(InferGraph *graph);

/* The draft document, palloc'd. */
extern char *align_infer_draft(const InferState *state);

#endif							/* ALIGN_INFER_H */
