/*
 * needs.c
 *	  Does a row bring what a stage or move needs of it?
 *
 * The needs of a funnel are compiled for one relation: names of columns into
 * their numbers, conditions into expressions for the executor.  Everything hangs
 * off one memory context, which the caller's takes over once it is complete.
 *
 * A condition that can no longer be compiled (a column was renamed, say) is
 * never met: writers are told which need it is, as for any other.
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
 * How a column tells that it is filled.
 */
typedef enum Filled
{
	FILLED_NOT_NULL,
	FILLED_TEXT,				/* a varlena of a character type */
	FILLED_NAME
} Filled;

typedef struct CompiledNeed
{
	const FunnelNeed *need;
	AttrNumber	attnum;			/* of a column; InvalidAttrNumber: it is gone */
	Filled		filled;
	RowCondition *condition;	/* NULL: it cannot be compiled; of a column,
								 * what it is computed from if it is not
								 * stored */
	char	   *problem;		/* why it cannot */
} CompiledNeed;

/* Reasons left out: they are part of the move, not of the row. */
typedef struct NeedList
{
	int			nneeds;
	CompiledNeed *needs;
} NeedList;

struct RowNeeds
{
	MemoryContext context;
	const Funnel *funnel;
	RowFrame   *frame;
	NeedList   *stages;			/* by stage */
	NeedList   *moves;			/* as Funnel.move_needs */
};

/*
 * For messages: whose needs are being compiled.
 */
typedef struct NeedsOf
{
	Relation	rel;
	const char *agreement;
	int32		version;
	const char *stage;			/* "stage \"sql\"" or "move from \"sal\" to
								 * \"sql\"" */
	bool		check;
} NeedsOf;

static void
RefuseColumn(const NeedsOf *of, const char *column)
{
	TupleDesc	desc = RelationGetDescr(of->rel);
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
			 errmsg("relation \"%s\" has no column \"%s\"",
					RelationGetRelationName(of->rel), column),
			 errdetail("Agreement \"%s\" version %d needs it for %s.",
					   of->agreement, of->version, of->stage),
			 nearest ? errhint("%s", align_nearest_text(nearest)) :
			 errhint("Add the column, or agree on a version without this need.")));
}

static void
CompileColumn(const NeedsOf *of, RowNeeds *needs, CompiledNeed *need)
{
	AttrNumber	attnum = get_attnum(RelationGetRelid(of->rel), need->need->text);
	Form_pg_attribute attribute;
	Oid			type;
	char		category;
	bool		preferred;

	need->attnum = attnum > 0 ? attnum : InvalidAttrNumber;
	if (attnum <= 0)
	{
		if (of->check)
			RefuseColumn(of, need->need->text);
		need->problem = psprintf("column \"%s\" does not exist", need->need->text);
		return;
	}
	attribute = TupleDescAttr(RelationGetDescr(of->rel), attnum - 1);
	if (ALIGN_IS_VIRTUAL(attribute))
		need->condition =
			align_condition_compile_in(needs->frame, of->rel,
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

static void
CompileCondition(const NeedsOf *of, RowNeeds *needs, CompiledNeed *need)
{
	char	   *what = psprintf("condition of %s in agreement \"%s\" version %d",
								of->stage, of->agreement, of->version);
	Node	   *condition = align_condition_parse(of->rel, need->need->text, what);

	need->condition = align_condition_compile_in(needs->frame, of->rel, condition,
												 psprintf("%s: %s", what,
														  align_condition_clip(need->need->text)),
												 needs->context);
}

/*
 * A condition that may fail to compile, and then cannot be met.  Parsing may
 * leave behind references to catalogs when it fails, hence the subtransaction;
 * what is not about the condition (a cancelled query, no memory) is raised.
 */
static void
TryCondition(const NeedsOf *of, RowNeeds *needs, CompiledNeed *need)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		CompileCondition(of, needs, need);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
	}
	PG_CATCH();
	{
		int			category = ERRCODE_TO_CATEGORY(geterrcode());
		ErrorData  *error;

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

static void
CompileNeeds(const NeedsOf *of, RowNeeds *needs, const FunnelNeed *asked, int nasked,
			 NeedList *list)
{
	for (int i = 0; i < nasked; i++)
	{
		CompiledNeed *need;

		if (asked[i].kind == NEED_REASON)
			continue;
		if (list->needs == NULL)
			list->needs = palloc0(nasked * sizeof(CompiledNeed));
		need = &list->needs[list->nneeds++];
		need->need = &asked[i];
		if (asked[i].kind == NEED_COLUMN)
			CompileColumn(of, needs, need);
		else if (of->check)
			CompileCondition(of, needs, need);
		else
			TryCondition(of, needs, need);
	}
}

RowNeeds *
align_needs_compile(Relation rel, const Funnel *funnel, const char *agreement, int32 version,
					bool check, MemoryContext context)
{
	MemoryContext own_context = AllocSetContextCreate(CurrentMemoryContext, "align needs",
													  ALLOCSET_SMALL_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(own_context);
	RowNeeds   *needs = palloc0(sizeof(RowNeeds));
	NeedsOf		of = {rel, agreement, version, NULL, check};

	needs->context = own_context;
	needs->funnel = funnel;
	needs->frame = align_row_frame(rel, own_context);
	needs->stages = palloc0(funnel->nstages * sizeof(NeedList));
	needs->moves = palloc0(funnel->nmoveneeds * sizeof(NeedList));
	for (int i = 0; i < funnel->nstages; i++)
	{
		const FunnelStage *stage = &funnel->stages[i];

		of.stage = psprintf("stage \"%s\"", stage->name);
		CompileNeeds(&of, needs, stage->needs, stage->nneeds, &needs->stages[i]);
	}
	for (int i = 0; i < funnel->nmoveneeds; i++)
	{
		const MoveNeeds *move = &funnel->move_needs[i];

		of.stage = psprintf("the move from \"%s\" to \"%s\"",
							funnel->stages[move->from].name, funnel->stages[move->to].name);
		CompileNeeds(&of, needs, move->needs, move->nneeds, &needs->moves[i]);
	}
	MemoryContextSwitchTo(old_context);
	MemoryContextSetParent(own_context, context);
	return needs;
}

void
align_needs_free(RowNeeds *needs)
{
	MemoryContextDelete(needs->context);
}

static bool
ListIsSound(const NeedList *list)
{
	for (int i = 0; i < list->nneeds; i++)
	{
		if (list->needs[i].problem != NULL)
			return false;
	}
	return true;
}

bool
align_needs_are_sound(const RowNeeds *needs)
{
	for (int i = 0; i < needs->funnel->nstages; i++)
	{
		if (!ListIsSound(&needs->stages[i]))
			return false;
	}
	for (int i = 0; i < needs->funnel->nmoveneeds; i++)
	{
		if (!ListIsSound(&needs->moves[i]))
			return false;
	}
	return true;
}

bool
align_needs_are_of(const RowNeeds *needs, const Funnel *funnel)
{
	return needs->funnel == funnel;
}

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
		value = slot_getattr(needs->frame->slot, need->attnum, &isnull);
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

static int
Unmet(const RowNeeds *needs, const NeedList *list, const FunnelNeed **unmet, int nunmet, int max)
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

static const NeedList *
MoveList(const RowNeeds *needs, int from, int to)
{
	const MoveNeeds *move;

	if (needs->funnel->nmoveneeds == 0)
		return NULL;
	move = align_funnel_move_needs(needs->funnel, from, to);
	return move == NULL ? NULL : &needs->moves[move - needs->funnel->move_needs];
}

int
align_needs_unmet(RowNeeds *needs, HeapTuple row, int from, int to, const FunnelNeed **unmet,
				  int max)
{
	const NeedList *of_stage = &needs->stages[to];
	const NeedList *of_move = MoveList(needs, from, to);
	int			nunmet;

	if (of_stage->nneeds == 0 && of_move == NULL)
		return 0;
	align_row_frame_put(needs->frame, row);
	nunmet = Unmet(needs, of_stage, unmet, 0, max);
	if (of_move != NULL)
		nunmet = Unmet(needs, of_move, unmet, nunmet, max);
	return nunmet;
}

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

const char *
align_need_problem(const RowNeeds *needs, const FunnelNeed *need)
{
	const CompiledNeed *found = FindNeed(needs->stages, needs->funnel->nstages, need);

	if (found == NULL)
		found = FindNeed(needs->moves, needs->funnel->nmoveneeds, need);
	return found ? found->problem : NULL;
}
