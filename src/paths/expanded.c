/*
 * expanded.c
 *	  Multisets of paths in memory: expanded objects that aggregates update in
 *	  place.
 *
 * A path is found by its key, the numbers that its channels have in this
 * object.  These depend on the order in which paths come; the flat form does
 * not.
 */
#include "postgres.h"

#include "common/int.h"
#include "utils/memutils.h"

#include "attribute/attribute.h"
#include "paths/paths.h"

typedef struct PathSlot
{
	LeadString	key;			/* bytes of a channel, or key of a path */
	uint32		hash;
	int			number;			/* of the channel or path */
	char		status;
} PathSlot;

/* Users of web sites choose campaigns, hence a hash with a seed. */
#define SH_PREFIX pathindex
#define SH_ELEMENT_TYPE PathSlot
#define SH_KEY_TYPE LeadString
#define SH_KEY key
#define SH_HASH_KEY(tb, key) align_campaign_hash(key)
#define SH_EQUAL(tb, a, b) ((a).len == (b).len && memcmp((a).text, (b).text, (a).len) == 0)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, slot) (slot)->hash
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* Channels and paths that a new object has room for. */
#define FIRST_ROOM 4

static Size FlatSize(ExpandedObjectHeader *header);
static void FlattenInto(ExpandedObjectHeader *header, void *result, Size allocated_size);

static const ExpandedObjectMethods paths_methods = {
	FlatSize,
	FlattenInto
};

Paths *
align_paths_make(MemoryContext parent)
{
	MemoryContext context = align_is_group_states(parent) ? parent :
		AllocSetContextCreate(parent, "align paths", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(context);
	Paths	   *paths = palloc0(sizeof(Paths));

	align_campaign_seed_hash();
	EOH_init_header(&paths->header, &paths_methods, context);
	paths->channels_room = FIRST_ROOM;
	paths->channels = palloc(paths->channels_room * sizeof(LeadString));
	paths->channel_index = pathindex_create(context, FIRST_ROOM, NULL);
	paths->paths_room = FIRST_ROOM;
	paths->paths = palloc(paths->paths_room * sizeof(PathEntry));
	paths->path_index = pathindex_create(context, FIRST_ROOM, NULL);
	paths->key.maxlen = 32;
	paths->key.data = palloc(paths->key.maxlen);
	MemoryContextSwitchTo(old_context);
	return paths;
}

void
align_paths_begin(Paths *paths)
{
	paths->flat_valid = false;
	resetStringInfo(&paths->key);
}

/*
 * A new channel, which is copied.
 */
static int
AddChannel(Paths *paths, LeadString channel)
{
	PathSlot   *slot;
	bool		found;

	if (paths->nchannels == paths->channels_room)
	{
		paths->channels_room *= 2;
		paths->channels = repalloc_huge(paths->channels,
										(Size) paths->channels_room * sizeof(LeadString));
	}
	channel = align_lead_copy(paths->header.eoh_context, channel);
	paths->channels[paths->nchannels] = channel;
	slot = pathindex_insert(paths->channel_index, channel, &found);
	slot->number = paths->nchannels;
	return paths->nchannels++;
}

void
align_paths_channel(Paths *paths, LeadString channel)
{
	PathSlot   *slot = pathindex_lookup(paths->channel_index, channel);

	align_wire_append_uint(&paths->key,
						   likely(slot != NULL) ? slot->number : AddChannel(paths, channel));
}

static PathEntry *
AddPath(Paths *paths, LeadString key)
{
	PathEntry  *entry;
	PathSlot   *slot;
	bool		found;

	if (paths->npaths == paths->paths_room)
	{
		if (paths->paths_room > PG_INT32_MAX / 2)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("too many different paths")));
		paths->paths_room *= 2;
		paths->paths = repalloc_huge(paths->paths,
									 (Size) paths->paths_room * sizeof(PathEntry));
	}
	entry = &paths->paths[paths->npaths];
	memset(entry, 0, sizeof(PathEntry));
	entry->key = align_lead_copy(paths->header.eoh_context, key);
	slot = pathindex_insert(paths->path_index, entry->key, &found);
	slot->number = paths->npaths++;
	return entry;
}

void
align_paths_end(Paths *paths, int64 conversions, int64 nulls, LeadString value)
{
	LeadString	key = align_lead_bytes(paths->key.data, paths->key.len);
	PathSlot   *slot = pathindex_lookup(paths->path_index, key);
	PathEntry  *entry;

	Assert(conversions >= 0 && nulls >= 0 && (conversions > 0 || nulls > 0));
	Assert(value.text == NULL || conversions > 0);
	if (unlikely(pg_add_s64_overflow(paths->count, conversions, &paths->count) ||
				 pg_add_s64_overflow(paths->count, nulls, &paths->count)))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("value of type %s cannot count so many paths", PATHS_TYPE),
				 errdetail("Together they are more than a bigint can count.")));
	entry = likely(slot != NULL) ? &paths->paths[slot->number] : AddPath(paths, key);
	entry->conversions += conversions;
	entry->nulls += nulls;
	if (value.text != NULL)
		align_amount_sum_add(&entry->value, paths->header.eoh_context, value);
}

Paths *
align_paths_writable(Datum datum, MemoryContext context)
{
	ExpandedObjectHeader *header;

	if (!VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(datum)))
		return NULL;
	header = DatumGetEOHP(datum);
	if (header->eoh_methods != &paths_methods ||
		MemoryContextGetParent(header->eoh_context) != context)
		return NULL;
	return (Paths *) header;
}

/*
 * The encoded form is kept until the next change: the executor asks for the
 * size more than once before it asks for the bytes.
 *
 * Encoding works in a context of its own.  The caller's may be one in which
 * nothing can be freed: since 17, sorting copies values into such a context.
 */
static void
Encode(Paths *paths)
{
	MemoryContext scratch;
	MemoryContext old_context;

	if (paths->flat_valid)
		return;
	old_context = MemoryContextSwitchTo(paths->header.eoh_context);
	if (paths->flat.data == NULL)
		initStringInfo(&paths->flat);
	resetStringInfo(&paths->flat);
	scratch = AllocSetContextCreate(paths->header.eoh_context, "align paths encoding",
									ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(scratch);
	align_paths_encode(&paths->flat, paths);
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(scratch);
	paths->flat_valid = true;
}

static Size
FlatSize(ExpandedObjectHeader *header)
{
	Paths	   *paths = (Paths *) header;

	Encode(paths);
	return VARHDRSZ + paths->flat.len;
}

static void
FlattenInto(ExpandedObjectHeader *header, void *result, Size allocated_size)
{
	Paths	   *paths = (Paths *) header;

	Assert(paths->flat_valid && allocated_size == VARHDRSZ + (Size) paths->flat.len);
	SET_VARSIZE(result, allocated_size);
	memcpy(VARDATA(result), paths->flat.data, paths->flat.len);

	/* the states of many groups do not keep their encoded forms */
	if (align_is_group_states(header->eoh_context))
	{
		pfree(paths->flat.data);
		paths->flat.data = NULL;
		paths->flat_valid = false;
	}
}

struct varlena *
align_paths_flatten(Paths *paths)
{
	Size		size = FlatSize(&paths->header);
	struct varlena *result = palloc(size);

	FlattenInto(&paths->header, result, size);
	return result;
}
