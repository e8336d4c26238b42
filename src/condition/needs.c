/*
 * needs.c
 *	  Checks whether a row meets the needs of a stage or a move; see needs.h.
 *
 * The needs of a funnel are compiled for one relation: names of columns into
 * their numbers, conditions into expressions for the executor.  All of it
 * lives in one memory context, which becomes a child of the caller's once it
 * is complete.
 *
 * A condition that can no longer be compiled (because a column was renamed,
 * say) is never met.  The error names it like any other need that is not met.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "condition/needs.h"
#include "condition/condition.h"
#include "nearest.h"

/*
 * How to test whether a column is filled, by its type.
 */
typedef enum FilledTest
{
	FILLED_NOT_NULL,			/* any other type: not null */
	FILLED_TEXT,				/* varlena of a character type: not blank */
	FILLED_NAME					/* name: not blank */
} FilledTest;

typedef struct CompiledNeed
{
	const FunnelNeed *need;
	AttrNumber	attnum;			/* for a column; InvalidAttrNumber if it does
								 * not exist */
	FilledTest	filled;			/* for a column */
	RowCondition *condition;	/* NULL if it cannot be compiled; for a
								 * virtual generated column, its expression */
	char	   *problem;		/* why it cannot be compiled, else NULL */
} CompiledNeed;

/*
 * The needs of one stage or move, without reasons: those are part of the move,
 * not of the row.
 */
typedef struct NeedList
{
	int			nneeds;
	CompiledNeed *needs;
} NeedList;

struct RowNeeds
{
	MemoryContext context;
	const Funnel *funnel;
	ConditionInput *input;
	NeedList   *stages;			/* one per stage */
	NeedList   *moves;			/* one per element of Funnel.move_needs */
	FunnelNeed *segment_needs;	/* one per segment: its condition */
	NeedList	segments;		/* of segment_needs, in their order */
};

/*
 * Where the needs that are being compiled come from.
 */
typedef struct NeedSource
{
	Relation	rel;
	const char *agreement;
	int32		version;
	const char *subject;		/* for messages: "stage \"sql\"" or "the move
								 * from \"sal\" to \"sql\"" */
	bool		check;			/* raise if a need cannot be compiled */
} NeedSource;

/*
 * Raises the error that the relation lacks a needed column.
 */
static void
RefuseColumn(const NeedSource *source, const char *column)
{
	TupleDesc	desc = RelationGetDescr(source->rel);
	const char **names = palloc(desc->natts * sizeof(char *));
	const char *nearest;
	int			n = 0;

	for (int i = 0; i < desc->natts; i++)
	{
		if (!TupleDescAttr(desc, i)->attisdropped)
			names[n++] = NameStr(TupleDescAttr(desc, i)->attname);
	}
	nearest = align_nearest(column, strlen(column), names, n);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column \"%s\" of relation \"%s\" does not exist",
					column, RelationGetRelationName(source->rel)),
			 errdetail("Agreement \"%s\" version %d needs it for %s.",
					   source->agreement, source->version, source->subject),
			 nearest ? errhint("%s", align_nearest_text(nearest)) :
			 errhint("Add the column, or agree on a version without this need.")));
}

/*
 * Compiles a column that must be filled.
 */
static void
CompileColumn(const NeedSource *source, RowNeeds *needs, CompiledNeed *need)
{
	AttrNumber	attnum = get_attnum(RelationGetRelid(source->rel), need->need->text);
	Form_pg_attribute attribute;
	Oid			type;
	char		category;
	bool		preferred;

	need->attnum = attnum > 0 ? attnum : InvalidAttrNumber;
	if (attnum <= 0)
	{
		if (source->check)
			RefuseColumn(source, need->need->text);
		need->problem = psprintf("column \"%s\" does not exist", need->need->text);
		return;
	}
	attribute = TupleDescAttr(RelationGetDescr(source->rel), attnum - 1);
	/* the row does not hold the value of a virtual column: compute it */
	if (ALIGN_IS_VIRTUAL(attribute))
		need->condition =
			align_condition_compile_for(needs->input, source->rel,
										(Node *) makeVar(1, attnum, attribute->atttypid,
														 attribute->atttypmod,
														 attribute->attcollation, 0),
										NULL, needs->context);
	type = getBaseType(attribute->atttypid);
	get_type_category_preferred(type, &category, &preferred);
	if (type == NAMEOID)
		need->filled = FILLED_NAME;
	else if (category == TYPCATEGORY_STRING && get_typlen(type) == -1)
		need->filled = FILLED_TEXT;
	else
		need->filled = FILLED_NOT_NULL;
}

/*
 * Compiles a condition; raises if it is not allowed.
 */
static void
CompileCondition(const NeedSource *source, RowNeeds *needs, CompiledNeed *need)
{
	char	   *what = psprintf("condition of %s in agreement \"%s\" version %d",
								source->subject, source->agreement, source->version);
	Node	   *condition = align_condition_parse(source->rel, need->need->text, what);

	need->condition = align_condition_compile_for(needs->input, source->rel, condition,
												  psprintf("%s: %s", what,
														   align_condition_clip(need->need->text)),
												  needs->context);
}

/*
 * Compiles a condition, or sets need->problem to the message of the error if
 * that fails.  A failing parser may leave references to catalogs behind, which
 * the abort of a subtransaction releases.  Errors that are not about the
 * condition (query canceled, out of memory) are raised again.
 */
static void
TryCompileCondition(const NeedSource *source, RowNeeds *needs, CompiledNeed *need)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		CompileCondition(source, needs, need);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
	}
	PG_CATCH();
	{
		int			category = ERRCODE_TO_CATEGORY(geterrcode());
		ErrorData  *error;

		/* the classes of errors that parsing a condition can raise */
		if (category != ERRCODE_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION &&
			category != ERRCODE_DATA_EXCEPTION && category != ERRCODE_FEATURE_NOT_SUPPORTED)
			PG_RE_THROW();
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		need->condition = NULL;
		need->problem = pstrdup(error->message);
		FreeErrorData(error);
	}
	PG_END_TRY();
}

/*
 * Compiles the n needs of one stage or move into *list.
 */
static void
CompileNeeds(const NeedSource *source, RowNeeds *needs, const FunnelNeed *funnel_needs, int n,
			 NeedList *list)
{
	for (int i = 0; i < n; i++)
	{
		CompiledNeed *need;

		if (funnel_needs[i].kind == NEED_REASON)
			continue;
		if (list->needs == NULL)
			list->needs = palloc0(n * sizeof(CompiledNeed));
		need = &list->needs[list->nneeds++];
		need->need = &funnel_needs[i];
		if (funnel_needs[i].kind == NEED_COLUMN)
			CompileColumn(source, needs, need);
		else if (source->check)
			CompileCondition(source, needs, need);
		else
			TryCompileCondition(source, needs, need);
	}
}

/*
 * Compiles all needs of a funnel for one relation.
 */
RowNeeds *
align_needs_compile(Relation rel, const Funnel *funnel, const char *agreement, int32 version,
					bool check, MemoryContext context)
{
	MemoryContext own_context = AllocSetContextCreate(CurrentMemoryContext, "align needs",
													  ALLOCSET_SMALL_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(own_context);
	RowNeeds   *needs = palloc0(sizeof(RowNeeds));
	NeedSource	source = {rel, agreement, version, NULL, check};

	needs->context = own_context;
	needs->funnel = funnel;
	needs->input = align_condition_input(rel, own_context);
	needs->stages = palloc0(funnel->nstages * sizeof(NeedList));
	needs->moves = palloc0(funnel->nmoveneeds * sizeof(NeedList));
	for (int i = 0; i < funnel->nstages; i++)
	{
		const FunnelStage *stage = &funnel->stages[i];

		source.subject = psprintf("stage \"%s\"", stage->name);
		CompileNeeds(&source, needs, stage->needs, stage->nneeds, &needs->stages[i]);
	}
	for (int i = 0; i < funnel->nmoveneeds; i++)
	{
		const MoveNeeds *move = &funnel->move_needs[i];

		source.subject = psprintf("the move from \"%s\" to \"%s\"",
								  funnel->stages[move->from].name, funnel->stages[move->to].name);
		CompileNeeds(&source, needs, move->needs, move->nneeds, &needs->moves[i]);
	}
	needs->segment_needs = palloc0(funnel->nsegments * sizeof(FunnelNeed));
	needs->segments.nneeds = funnel->nsegments;
	needs->segments.needs = palloc0(funnel->nsegments * sizeof(CompiledNeed));
	for (int i = 0; i < funnel->nsegments; i++)
	{
		NeedList	one = {0, &needs->segments.needs[i]};

		needs->segment_needs[i].kind = NEED_CONDITION;
		needs->segment_needs[i].text = funnel->segments[i].condition;
		source.subject = psprintf("segment \"%s\"", funnel->segments[i].name);
		CompileNeeds(&source, needs, &needs->segment_needs[i], 1, &one);
	}
	MemoryContextSwitchTo(old_context);
	MemoryContextSetParent(own_context, context);
	return needs;
}

/*
 * Frees the needs before their context is deleted.
 */
void
align_needs_free(RowNeeds *needs)
{
	MemoryContextDelete(needs->context);
}

/*
 * Returns true if every need of a list could be compiled.
 */
static bool
IsCompiled(const NeedList *list)
{
	for (int i = 0; i < list->nneeds; i++)
	{
		if (list->needs[i].problem != NULL)
			return false;
	}
	return true;
}

/*
 * Returns true if every need could be compiled.
 */
bool
align_needs_all_compiled(const RowNeeds *needs)
{
	for (int i = 0; i < needs->funnel->nstages; i++)
	{
		if (!IsCompiled(&needs->stages[i]))
			return false;
	}
	for (int i = 0; i < needs->funnel->nmoveneeds; i++)
	{
		if (!IsCompiled(&needs->moves[i]))
			return false;
	}
	return IsCompiled(&needs->segments);
}

/*
 * Returns true if the needs were compiled from this Funnel.
 */
bool
align_needs_are_for(const RowNeeds *needs, const Funnel *funnel)
{
	return needs->funnel == funnel;
}

/*
 * Returns true if a text is empty or consists of ASCII white space.
 */
static bool
IsBlank(const char *text, int len)
{
	for (int i = 0; i < len; i++)
	{
		if (!isspace((unsigned char) text[i]) || IS_HIGHBIT_SET(text[i]))
			return false;
	}
	return true;
}

/*
 * Returns true if a column of the current row is filled.
 */
static bool
IsFilled(const RowNeeds *needs, const CompiledNeed *need)
{
	bool		isnull;
	Datum		value;
	struct varlena *text;
	bool		result;

	if (need->attnum == InvalidAttrNumber)
		return false;
	if (need->condition)
		value = align_condition_value(need->condition, &isnull);
	else
		value = slot_getattr(needs->input->slot, need->attnum, &isnull);
	if (isnull)
		return false;
	switch (need->filled)
	{
		case FILLED_TEXT:
			text = PG_DETOAST_DATUM_PACKED(value);
			result = !IsBlank(VARDATA_ANY(text), VARSIZE_ANY_EXHDR(text));
			if ((Pointer) text != DatumGetPointer(value))
				pfree(text);
			return result;
		case FILLED_NAME:
			return !IsBlank(NameStr(*DatumGetName(value)), strlen(NameStr(*DatumGetName(value))));
		case FILLED_NOT_NULL:
			break;
	}
	return true;
}

/*
 * Returns true if a condition could be compiled and is true for the current
 * row.
 */
static bool
IsTrue(const CompiledNeed *need)
{
	bool		isnull;
	Datum		value;

	if (need->condition == NULL)
		return false;
	value = align_condition_value(need->condition, &isnull);
	return !isnull && DatumGetBool(value);
}

/*
 * Appends the needs of a list that the current row does not meet to unmet,
 * which holds nunmet so far but has space for max only.  Returns the new
 * number.
 */
static int
CollectUnmet(const RowNeeds *needs, const NeedList *list, const FunnelNeed **unmet, int nunmet,
			 int max)
{
	for (int i = 0; i < list->nneeds; i++)
	{
		const CompiledNeed *need = &list->needs[i];

		if (need->need->kind == NEED_COLUMN ? IsFilled(needs, need) : IsTrue(need))
			continue;
		if (nunmet < max)
			unmet[nunmet] = need->need;
		nunmet++;
	}
	return nunmet;
}

/*
 * Returns the needs of a move, or NULL if it has none of its own.
 */
static const NeedList *
MoveList(const RowNeeds *needs, int from, int to)
{
	const MoveNeeds *move;

	if (needs->funnel->nmoveneeds == 0)
		return NULL;
	move = align_funnel_move_needs(needs->funnel, from, to);
	return move == NULL ? NULL : &needs->moves[move - needs->funnel->move_needs];
}

/*
 * Finds the needs of entering a stage that the row does not meet; returns how
 * many there are.
 */
int
align_needs_unmet(RowNeeds *needs, HeapTuple row, int from, int to, const FunnelNeed **unmet,
				  int max)
{
	const NeedList *of_stage = &needs->stages[to];
	const NeedList *of_move = MoveList(needs, from, to);
	int			nunmet;

	if (of_stage->nneeds == 0 && of_move == NULL)
		return 0;
	align_condition_set_row(needs->input, row);
	nunmet = CollectUnmet(needs, of_stage, unmet, 0, max);
	if (of_move != NULL)
		nunmet = CollectUnmet(needs, of_move, unmet, nunmet, max);
	return nunmet;
}

/*
 * Returns the segments of the funnel that hold of a row.
 */
SegmentMask
align_needs_segments(RowNeeds *needs, HeapTuple row)
{
	SegmentMask result = 0;

	if (needs->segments.nneeds == 0)
		return 0;
	align_condition_set_row(needs->input, row);
	for (int i = 0; i < needs->segments.nneeds; i++)
	{
		if (IsTrue(&needs->segments.needs[i]))
			result |= SEGMENT_BIT(i);
	}
	return result;
}

/*
 * Returns the compiled form of a need, or NULL if it is not in the lists.
 */
static const CompiledNeed *
FindNeed(const NeedList *lists, int nlists, const FunnelNeed *wanted)
{
	for (int i = 0; i < nlists; i++)
	{
		for (int j = 0; j < lists[i].nneeds; j++)
		{
			if (lists[i].needs[j].need == wanted)
				return &lists[i].needs[j];
		}
	}
	return NULL;
}

/*
 * Returns the reason why no row can meet a need, or NULL if one can.
 */
const char *
align_need_problem(const RowNeeds *needs, const FunnelNeed *need)
{
	const CompiledNeed *found = FindNeed(needs->stages, needs->funnel->nstages, need);

	if (found == NULL)
		found = FindNeed(needs->moves, needs->funnel->nmoveneeds, need);
	return found ? found->problem : NULL;
}
