/*
 * row.c
 *	  Reads the roles of a row: columns and expressions.
 *
 * Character types are read in place, other types by their output function.
 * The stage is read from every row, and if it is not of a character type it is
 * one of a few integers or enum values, so its labels are cached by value.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "attachment/key.h"
#include "attachment/judging_version.h"
#include "attachment/labels.h"
#include "verdict/verdict.h"

/*
 * Cache of labels by value, a hash table with open addressing.  Labels are
 * never removed, because callers get pointers to them.  A column can have more
 * values than any agreement has labels, so no label is added once half of the
 * slots are in use.
 */
#define MEMO_SLOTS 1024			/* a power of two */
#define MEMO_MAX_LABELS (MEMO_SLOTS / 2)

typedef struct MemoLabel
{
	bool		used;
	Datum		value;
	LeadString	label;
	const Funnel *funnel;		/* in which stage was looked up, or NULL */
	int			stage;
} MemoLabel;

typedef struct LabelMemo
{
	MemoryContext context;
	bool		by_value;		/* false if the type is not passed by value:
								 * then nothing is cached */
	uint64		enum_generation;	/* enum_generation when it was made */
	int			nlabels;
	MemoLabel  *labels;			/* NULL unless by_value */
} LabelMemo;

/* Advanced whenever the labels of any enum may have changed. */
static uint64 enum_generation = 0;
static bool watching_enums = false;

/*
 * Syscache callback for pg_enum.
 */
static void
InvalidateEnums(Datum arg, int cacheid, uint32 hashvalue)
{
	(void) arg;
	(void) cacheid;
	(void) hashvalue;
	enum_generation++;
}

/*
 * Makes an empty cache for an attachment.  Labels of the previous one may
 * still be in use, so it lives on until the end of the transaction.
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
 * Returns a value by the output function of its type, independent of session
 * settings.
 */
static char *
OutputText(Attachment *attachment, RowRole role, Datum value)
{
	int			nest_level;
	char	   *result;

	if (likely(!attachment->text_varies[role]))
		return OutputFunctionCall(&attachment->out[role], value);
	nest_level = align_use_stored_text_settings();
	result = OutputFunctionCall(&attachment->out[role], value);
	AtEOXact_GUC(false, nest_level);
	return result;
}

/*
 * Returns a value, which is not null, as text.
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
			result.text = OutputText(attachment, role, value);
			break;
	}
	result.len = strlen(result.text);
	return result;
}

/*
 * Reads a role of the row as text, without looking up its label.
 */
LeadString
align_role_unlabeled(Attachment *attachment, RowRole role, Relation rel, HeapTuple row)
{
	LeadString	result = {NULL, 0};
	bool		isnull;
	Datum		value = align_role_value(attachment, role, rel, row, &isnull);

	return isnull ? result : ValueString(attachment, role, value);
}

/*
 * Reads a role of the row as text.
 */
LeadString
align_role_text(Attachment *attachment, RowRole role, Relation rel, HeapTuple row)
{
	LeadString	result = align_role_unlabeled(attachment, role, rel, row);
	int32		version;

	if (result.text != NULL && align_has_labels(attachment, role))
		result = align_role_label(attachment, role, align_judging_funnel(attachment, &version),
								  result);
	return result;
}

/*
 * Returns the slot of a value, or a free one for it; NULL if it is not in the
 * cache and the cache is full.
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

/*
 * Adds the label of a value to the cache.
 */
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

/*
 * Returns the stage of a value and sets *label, by way of the cache.
 */
static int
CachedStage(Attachment *attachment, LabelMemo *memo, const Funnel *funnel, Datum value,
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

/*
 * Reads the stage of the row.
 */
int
align_row_stage(Attachment *attachment, Relation rel, HeapTuple row, const Funnel *funnel,
				LeadString *label)
{
	LabelMemo  *memo = attachment->labels;
	bool		isnull;
	Datum		value = align_role_value(attachment, ROW_STAGE, rel, row, &isnull);
	int			stage;

	label->text = NULL;
	label->len = 0;
	if (isnull)
		return -1;
	if (unlikely(memo == NULL || memo->enum_generation != enum_generation))
		memo = MakeMemo(attachment);
	if (memo->by_value)
		stage = CachedStage(attachment, memo, funnel, value, label);
	else
	{
		*label = ValueString(attachment, ROW_STAGE, value);
		stage = align_funnel_stage(funnel, label->text, label->len);
	}
	if (stage >= 0 || !align_has_labels(attachment, ROW_STAGE))
		return stage;
	*label = align_role_label(attachment, ROW_STAGE, funnel, *label);
	return align_funnel_stage(funnel, label->text, label->len);
}
