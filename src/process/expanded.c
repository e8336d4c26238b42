/*
 * expanded.c
 *	  Processes in memory: expanded objects that aggregates update in place.
 */
#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/memutils.h"

#include "process/process.h"

static Size FlatSize(ExpandedObjectHeader *header);
static void FlattenInto(ExpandedObjectHeader *header, void *result, Size allocated_size);

static const ExpandedObjectMethods process_methods = {
	FlatSize,
	FlattenInto
};

Process *
align_process_make(const ProcessIdentity *identity, MemoryContext parent, bool parent_is_shared)
{
	MemoryContext context = parent_is_shared ? parent :
		AllocSetContextCreate(parent, "align process", ALLOCSET_START_SMALL_SIZES);
	Process    *process = MemoryContextAllocZero(context, sizeof(Process));

	EOH_init_header(&process->header, &process_methods, context);
	process->in_shared_context = parent_is_shared;
	process->identity = *identity;
	process->least_as_of = DT_NOEND;
	process->most_as_of = DT_NOBEGIN;
	return process;
}

Process *
align_process_writable(Datum datum, MemoryContext context)
{
	ExpandedObjectHeader *header;

	if (!VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(datum)))
		return NULL;
	header = DatumGetEOHP(datum);
	if (header->eoh_methods != &process_methods ||
		MemoryContextGetParent(header->eoh_context) != context)
		return NULL;
	return (Process *) header;
}

/*
 * The encoded form is kept until the next change: the executor asks for the
 * size more than once before it asks for the bytes.
 *
 * Encoding works in a context of its own.  The caller's may be one in which
 * nothing can be freed: since 17, sorting copies values into such a context.
 */
static Size
FlatSize(ExpandedObjectHeader *header)
{
	Process    *process = (Process *) header;
	MemoryContext scratch;
	MemoryContext old_context;

	if (process->flat_valid)
		return VARHDRSZ + process->flat.len;
	old_context = MemoryContextSwitchTo(header->eoh_context);
	if (process->flat.data == NULL)
		initStringInfo(&process->flat);
	resetStringInfo(&process->flat);
	scratch = AllocSetContextCreate(header->eoh_context, "align process encoding",
									ALLOCSET_SMALL_SIZES);
	MemoryContextSwitchTo(scratch);
	align_process_encode(&process->flat, process);
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(scratch);
	process->flat_valid = true;
	return VARHDRSZ + process->flat.len;
}

static void
FlattenInto(ExpandedObjectHeader *header, void *result, Size allocated_size)
{
	Process    *process = (Process *) header;

	Assert(process->flat_valid && allocated_size == VARHDRSZ + (Size) process->flat.len);
	SET_VARSIZE(result, allocated_size);
	memcpy(VARDATA(result), process->flat.data, process->flat.len);

	/* the states of many groups do not keep their encoded forms */
	if (process->in_shared_context)
	{
		pfree(process->flat.data);
		process->flat.data = NULL;
		process->flat_valid = false;
	}
}

struct varlena *
align_process_flatten(Process *process)
{
	Size		size = FlatSize(&process->header);
	struct varlena *result = palloc(size);

	FlattenInto(&process->header, result, size);
	return result;
}
