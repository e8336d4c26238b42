/*
 * value.c
 *	  Conversions between document, stored value and compiled form.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "funnel/build.h"

#define TYPE_NAME "funnel"

/*
 * Reports a text that is too long.
 */
static bool
CheckTextLen(TextScan *scan, Size len, const char *which)
{
	if (len <= FUNNEL_MAX_TEXT)
		return true;
	return align_scan_fail_code(scan, ERRCODE_PROGRAM_LIMIT_EXCEEDED, scan->start,
								psprintf("The %s has %zu bytes; at most %d are allowed.",
										 which, len, FUNNEL_MAX_TEXT),
								NULL, "document too long");
}

/*
 * Compiles a document in a new child of context; NULL after a soft error.
 */
static Funnel *
CompileScan(TextScan *scan, MemoryContext context)
{
	MemoryContext scratch;
	MemoryContext old;
	Draft		draft;
	Funnel	   *funnel = NULL;

	if (!CheckTextLen(scan, scan->end - scan->start, "document"))
		return NULL;
	scratch = AllocSetContextCreate(CurrentMemoryContext, "align funnel draft",
									ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(scratch);
	if (align_funnel_draft(scan, &draft))
		funnel = align_funnel_build(scan, &draft, context);
	MemoryContextSwitchTo(old);

	/*
	 * The texts of a soft error live in scratch, so keep it then; it is a
	 * child of the caller's context.
	 */
	if (funnel != NULL)
		MemoryContextDelete(scratch);
	return funnel;
}

/*
 * Stored value of a document; NULL after a soft error.
 */
TextValue *
align_funnel_value_scan(TextScan *scan)
{
	Funnel	   *funnel = CompileScan(scan, CurrentMemoryContext);
	TextValue  *value;
	char	   *text;

	if (funnel == NULL)
		return NULL;
	text = align_funnel_write(funnel);
	/* the canonical form may repeat long names more often than the document */
	if (!CheckTextLen(scan, strlen(text), "canonical form of the document"))
		return NULL;
	value = align_text_value(text, strlen(text));
	pfree(text);
	MemoryContextDelete(funnel->context);
	return value;
}

/*
 * Stored value of a text; NULL after a soft error.
 */
TextValue *
align_funnel_parse(const char *document, Node *escontext)
{
	TextScan	scan;

	align_scan_begin(&scan, document, TYPE_NAME, true, escontext);
	return align_funnel_value_scan(&scan);
}

/*
 * Compiles a text in a new child of context; NULL after a soft error.
 */
Funnel *
align_funnel_compile(const char *document, MemoryContext context, Node *escontext)
{
	TextScan	scan;

	align_scan_begin(&scan, document, TYPE_NAME, true, escontext);
	return CompileScan(&scan, context);
}

/*
 * Compiled form of an argument, cached in a slot of flinfo while its value
 * stays the same.
 */
Funnel *
align_funnel_arg(FmgrInfo *flinfo, Datum value, int slot, int nslots)
{
	ValueMemo  *memo = align_memo(flinfo, slot, nslots);
	TextValue  *stored = align_text_value_arg(value, TYPE_NAME);
	Funnel	   *funnel;

	if (!align_memo_valid(memo, stored))
	{
		char	   *document = align_text_value_cstring(stored);

		align_memo_reset(memo);
		funnel = align_funnel_compile(document, memo->context, NULL);
		align_memo_keep(memo, stored, funnel);
		pfree(document);
	}
	if ((Pointer) stored != DatumGetPointer(value))
		pfree(stored);
	return (Funnel *) memo->compiled;
}
