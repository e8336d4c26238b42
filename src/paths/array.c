/*
 * array.c
 *	  Paths as arrays of text: reading them, and the functions that change
 *	  them before they are counted.
 *
 * An element that is NULL is a touch without a known channel; none of them is
 * part of the path.
 */
#include "postgres.h"

#include "access/tupmacs.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "attribute/attribute.h"
#include "paths/paths.h"

PG_FUNCTION_INFO_V1(align_collapse_repeats);
PG_FUNCTION_INFO_V1(align_distinct_channels);
PG_FUNCTION_INFO_V1(align_last_channels);

/* Up to here, comparing channels with each other is faster than hashing. */
#define FEW_CHANNELS 16

typedef struct ChannelSlot
{
	LeadString	channel;
	uint32		hash;
	char		status;
} ChannelSlot;

#define SH_PREFIX channelset
#define SH_ELEMENT_TYPE ChannelSlot
#define SH_KEY_TYPE LeadString
#define SH_KEY channel
#define SH_HASH_KEY(tb, key) align_campaign_hash(key)
#define SH_EQUAL(tb, a, b) ((a).len == (b).len && memcmp((a).text, (b).text, (a).len) == 0)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, slot) (slot)->hash
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

LeadString *
align_path_elements(ArrayType *array, int *length)
{
	int			nelements = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	bits8	   *nulls = ARR_NULLBITMAP(array);
	char	   *element = ARR_DATA_PTR(array);
	LeadString *channels;
	int			n = 0;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("path must be a one-dimensional array")));
	Assert(ARR_ELEMTYPE(array) == TEXTOID || ARR_ELEMTYPE(array) == VARCHAROID);
	channels = palloc(nelements * sizeof(LeadString) + 1);
	for (int i = 0; i < nelements; i++)
	{
		if (nulls != NULL && (nulls[i / 8] & (1 << (i % 8))) == 0)
			continue;
		channels[n].text = VARDATA_ANY(element);
		channels[n++].len = (int) VARSIZE_ANY_EXHDR(element);
		element = att_addlength_pointer(element, -1, element);
		element = (char *) att_align_nominal(element, TYPALIGN_INT);
	}
	*length = n;
	return channels;
}

Datum
align_path_array(const LeadString *channels, const uint32 *path, int length)
{
	Datum	   *elements = palloc(length * sizeof(Datum) + 1);

	for (int i = 0; i < length; i++)
	{
		LeadString	channel = path != NULL ? channels[path[i]] : channels[i];

		elements[i] = PointerGetDatum(cstring_to_text_with_len(channel.text, channel.len));
	}
	return PointerGetDatum(construct_array(elements, length, TEXTOID, -1, false, TYPALIGN_INT));
}

/*
 * collapse_repeats(path): of channels that follow themselves, one.
 */
Datum
align_collapse_repeats(PG_FUNCTION_ARGS)
{
	int			length;
	LeadString *channels = align_path_elements(PG_GETARG_ARRAYTYPE_P(0), &length);
	int			n = 0;

	for (int i = 0; i < length; i++)
	{
		if (n == 0 || !align_lead_same(channels[n - 1], channels[i]))
			channels[n++] = channels[i];
	}
	PG_RETURN_DATUM(align_path_array(channels, NULL, n));
}

/*
 * distinct_channels(path): of every channel, its first occurrence.
 */
Datum
align_distinct_channels(PG_FUNCTION_ARGS)
{
	int			length;
	LeadString *channels = align_path_elements(PG_GETARG_ARRAYTYPE_P(0), &length);
	channelset_hash *seen = NULL;
	int			n = 0;

	if (length > FEW_CHANNELS)
	{
		align_campaign_seed_hash();
		seen = channelset_create(CurrentMemoryContext, FEW_CHANNELS, NULL);
	}
	for (int i = 0; i < length; i++)
	{
		bool		found = false;

		if (seen != NULL)
			(void) channelset_insert(seen, channels[i], &found);
		else
		{
			for (int j = 0; j < n && !found; j++)
				found = align_lead_same(channels[j], channels[i]);
		}
		if (!found)
			channels[n++] = channels[i];
	}
	PG_RETURN_DATUM(align_path_array(channels, NULL, n));
}

/*
 * last_channels(path, n)
 */
Datum
align_last_channels(PG_FUNCTION_ARGS)
{
	int			length;
	LeadString *channels = align_path_elements(PG_GETARG_ARRAYTYPE_P(0), &length);
	int32		last = PG_GETARG_INT32(1);

	if (last < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of channels must not be negative"),
				 errdetail("It is %d.", last)));
	last = Min(last, length);
	PG_RETURN_DATUM(align_path_array(channels + (length - last), NULL, last));
}
