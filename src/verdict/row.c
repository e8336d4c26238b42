/*
 * row.c
 *	  Reading the columns of a row that have a role for align.
 *
 * Character types are read in place.  Other types go through their output
 * function; for the stage, which is read of every row, what comes of it is
 * remembered by value (LabelMemo), since it is one of a few integers or enum
 * values.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "verdict/verdict.h"

/*
 * Labels by value, in open addressing.  Entries are only added: a label is
 * handed out as it lies here.  A column with more values than any agreement
 * has labels must not grow it without end, so it stops at half its slots.
 */
#define MEMO_SLOTS 1024			/* a power of two */
#define MEMO_MAX_LABELS (MEMO_SLOTS / 2)

typedef struct MemoLabel
{
	bool		used;
	Datum		value;
	LeadString	label;
	const Funnel *funnel;		/* for which stage was looked up */
	int			stage;
} MemoLabel;

typedef struct LabelMemo
{
	MemoryContext context;
	bool		by_value;		/* else nothing is remembered */
	uint64		enum_generation;
	int			nlabels;
	MemoLabel  *labels;			/* NULL unless by_value */
} LabelMemo;

/* Advanced whenever the labels of any enum may have changed. */
static uint64 enum_generation = 0;
static bool watching_enums = false;

static void
InvalidateEnums(Datum arg, int cacheid, uint32 hashvalue)
{
	(void) arg;
	(void) cacheid;
	(void) hashvalue;
	enum_generation++;
}

/*
 * What an earlier memo holds may still be in use by the current command.
 */
static LabelMemo *
MakeMemo(Attachment *attachment)
{
	MemoryContext context;
	LabelMemo  *memo;

	if (!watching_enums)
	{
		CacheRegisterSyscacheCallback(ENUMOID, InvalidateEnums, (Datum) 0);
		watching_enums = true;
	}
	context = AllocSetContextCreate(attachment->context, "align labels", ALLOCSET_SMALL_SIZES);
	memo = MemoryContextAllocZero(context, sizeof(LabelMemo));
	memo->context = context;
	memo->enum_generation = enum_generation;
	memo->by_value = get_typbyval(attachment->type[ROW_STAGE]);
	if (memo->by_value)
		memo->labels = MemoryContextAllocZero(context, MEMO_SLOTS * sizeof(MemoLabel));
	if (attachment->labels)
		MemoryContextSetParent(attachment->labels->context, TopTransactionContext);
	attachment->labels = memo;
	return memo;
}

/*
 * A value of a type that is not null, as text.
 */
static LeadString
ValueString(Attachment *attachment, RowRole role, Datum value)
{
	LeadString	result;

	switch (attachment->type[role])
	{
		case TEXTOID:
		case VARCHAROID:
			return align_lead_varlena(value);
		case BPCHAROID:
			result = align_lead_varlena(value);
			result.len = bpchartruelen(unconstify(char *, result.text), result.len);
			return result;
		case NAMEOID:
			result.text = NameStr(*DatumGetName(value));
			break;
		default:
			result.text = OutputFunctionCall(&attachment->out[role], value);
			break;
	}
	result.len = strlen(result.text);
	return result;
}

static bool
GetColumn(const Attachment *attachment, RowRole role, TupleDesc desc, HeapTuple row, Datum *value)
{
	bool		isnull;

	if (attachment->column[role] == InvalidAttrNumber)
		return false;
	*value = heap_getattr(row, attachment->column[role], desc, &isnull);
	return !isnull;
}

LeadString
align_row_column(Attachment *attachment, RowRole role, TupleDesc desc, HeapTuple row)
{
	LeadString	none = {NULL, 0};
	Datum		value;

	if (!GetColumn(attachment, role, desc, row, &value))
		return none;
	return ValueString(attachment, role, value);
}

/*
 * The slot of a value: that in which it is, or a free one; NULL if it is not
 * there and will not be.
 */
static MemoLabel *
MemoSlot(LabelMemo *memo, Datum value)
{
	uint32		slot = murmurhash32((uint32) value) & (MEMO_SLOTS - 1);

	while (memo->labels[slot].used)
	{
		if (memo->labels[slot].value == value)
			return &memo->labels[slot];
		slot = (slot + 1) & (MEMO_SLOTS - 1);
	}
	return memo->nlabels < MEMO_MAX_LABELS ? &memo->labels[slot] : NULL;
}

static void
FillSlot(Attachment *attachment, LabelMemo *memo, MemoLabel *slot, Datum value)
{
	LeadString	label = ValueString(attachment, ROW_STAGE, value);
	char	   *copy = MemoryContextAlloc(memo->context, label.len + 1);

	memcpy(copy, label.text, label.len + 1);
	slot->label.text = copy;
	slot->label.len = label.len;
	slot->value = value;
	slot->funnel = NULL;
	slot->used = true;
	memo->nlabels++;
}

static int
RememberedStage(Attachment *attachment, LabelMemo *memo, const Funnel *funnel, Datum value,
				LeadString *label)
{
	MemoLabel  *slot = MemoSlot(memo, value);

	if (slot == NULL)
	{
		*label = ValueString(attachment, ROW_STAGE, value);
		return align_funnel_stage(funnel, label->text, label->len);
	}
	if (!slot->used)
		FillSlot(attachment, memo, slot, value);
	*label = slot->label;
	if (slot->funnel != funnel)
	{
		slot->stage = align_funnel_stage(funnel, label->text, label->len);
		slot->funnel = funnel;
	}
	return slot->stage;
}

int
align_row_stage(Attachment *attachment, TupleDesc desc, HeapTuple row, const Funnel *funnel,
				LeadString *label)
{
	LabelMemo  *memo = attachment->labels;
	Datum		value;

	label->text = NULL;
	label->len = 0;
	if (!GetColumn(attachment, ROW_STAGE, desc, row, &value))
		return -1;
	if (unlikely(memo == NULL || memo->enum_generation != enum_generation))
		memo = MakeMemo(attachment);
	if (memo->by_value)
		return RememberedStage(attachment, memo, funnel, value, label);
	*label = ValueString(attachment, ROW_STAGE, value);
	return align_funnel_stage(funnel, label->text, label->len);
}
