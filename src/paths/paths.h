/*
 * paths.h
 *	  The type paths: a mergeable multiset of paths, which are sequences of
 *	  channels, with what became of the leads that came by them.
 *
 * Invariants, checked for all input (text, binary, stored bytes):
 *	  - there is at least one path, paths differ, and each has a conversion or
 *		a null (a lead that ended without one);
 *	  - the sum of all conversions and nulls fits a bigint;
 *	  - a path without conversions has no value;
 *	  - every channel is in a path.
 *
 * The empty path is that of leads without a touch.
 *
 * Flat form, after the varlena header, in the numbers of wire.h and without
 * alignment, so that it can be read in place from a short varlena:
 *
 *	  flags		number: zero; unknown bits are refused
 *	  channels	their number; each as text, in ascending order of bytes
 *	  paths		their number; each as
 *				number of channels in it, their indexes from 0
 *				conversions, nulls
 *				value: canonical decimal text, empty for none
 *
 * Paths ascend by their indexes, a path before those that it begins.  The form
 * is canonical: equal multisets have equal bytes.  The wire (send/recv) form
 * is a version byte followed by the same bytes, with channels in the client's
 * encoding.
 *
 * In memory a multiset is an expanded object, which an aggregate updates in
 * place; its size depends on the number of different paths.
 */
#ifndef ALIGN_PATHS_H
#define ALIGN_PATHS_H

#include "compat.h"

#include "conversion/amount_sum.h"
#include "group_states.h"
#include "lead/lead.h"
#include "lib/stringinfo.h"
#include "text_scan.h"
#include "utils/array.h"
#include "utils/expandeddatum.h"
#include "value.h"
#include "wire.h"

#define PATHS_TYPE "paths"

/* The channel in results of the empty path, as in credit. */
#define PATHS_NO_CHANNEL "(none)"

typedef struct PathEntry
{
	LeadString	key;			/* numbers of its channels, as in wire.h */
	int64		conversions;
	int64		nulls;
	AmountSum	value;
} PathEntry;

typedef struct Paths
{
	ExpandedObjectHeader header;
	int64		count;			/* of conversions and nulls */
	int			nchannels;
	int			channels_room;
	LeadString *channels;		/* in the order of their first path */
	int			npaths;
	int			paths_room;
	PathEntry  *paths;
	struct pathindex_hash *channel_index;
	struct pathindex_hash *path_index;
	StringInfoData key;			/* of the path that is being added */
	StringInfoData flat;		/* encoded form, if flat_valid */
	bool		flat_valid;
} Paths;

/* expanded.c */
/*
 * An empty multiset in a context of its own below parent, or in parent if that
 * comes from align_group_states().
 */
extern Paths *align_paths_make(MemoryContext parent);

/*
 * Add a path: begin, its channels in order, end.  Conversions and nulls must
 * not be negative and not both be zero; value is a canonical amount, text NULL
 * for none, and only with conversions.  Raises if a bigint cannot count all.
 */
extern void align_paths_begin(Paths *paths);
extern void align_paths_channel(Paths *paths, LeadString channel);
extern void align_paths_end(Paths *paths, int64 conversions, int64 nulls, LeadString value);

/* The expanded object that the datum lets one write to, if it is a child of
 * context; else NULL. */
extern Paths *align_paths_writable(Datum datum, MemoryContext context);

/* A flat value in the current context. */
extern struct varlena *align_paths_flatten(Paths *paths);

/* flat_write.c */
/* Append the flat form; allocates in the current context. */
extern void align_paths_encode(StringInfo out, const Paths *paths);

/* flat_read.c */
/*
 * Reads a flat form from front to back, with all checks.  What is palloc'd is
 * in the context of align_paths_read_begin(), and channels and values point
 * into the bytes (from_client: channels are converted from the client's
 * encoding, in which they ascend).
 */
typedef struct PathsReader
{
	WireReader	wire;
	int			nchannels;
	LeadString *channels;		/* ascending by bytes */
	int			npaths;
	int			nread;			/* paths read */
	int64		count;			/* of conversions and nulls read */
	bool	   *used;			/* by channel */

	/* the path read last */
	int			length;
	uint32	   *path;			/* indexes of its channels */
	int64		conversions;
	int64		nulls;
	LeadString	value;			/* text NULL: none */

	int			previous_length;
	uint32	   *previous;
	int			room;			/* of both arrays */
} PathsReader;

extern void align_paths_read_begin(PathsReader *reader, const void *bytes, size_t len,
								   bool from_client);

/* Read the next path; false at the end, after the last checks. */
extern bool align_paths_read_next(PathsReader *reader);

/* Add the path read last to another object, which copies it. */
extern void align_paths_add_read(Paths *into, const PathsReader *reader);

/* Free what the reader has palloc'd. */
extern void align_paths_read_end(PathsReader *reader);

/*
 * Add all paths of a flat form to "into".  Malformed bytes are an error, after
 * which it must not be used.
 */
extern void align_paths_absorb(Paths *into, const void *bytes, size_t len, bool from_client);

/* The same with a datum of any form; makes "into" below context if NULL. */
extern Paths *align_paths_absorb_datum(Paths *into, Datum datum, MemoryContext context);

/* The order of channels: by bytes, a prefix first. */
extern int	align_channel_compare(LeadString a, LeadString b);

/* array.c */
/*
 * The channels of a path, an array of text of one dimension, in place: the
 * elements that are not NULL.  Palloc'd; raises for another dimension.
 */
extern LeadString *align_path_elements(ArrayType *array, int *length);

/* An array of the channels with these indexes; path NULL: the first ones. */
extern Datum align_path_array(const LeadString *channels, const uint32 *path, int length);

/* text.c */
/* Parse, into a child of the current context; NULL after a soft error. */
extern Paths *align_paths_parse(const char *text, Node *escontext);

/* The same with a scan that the caller has begun. */
extern Paths *align_paths_parse_scan(TextScan *scan);

/* The text form of a flat value, palloc'd. */
extern char *align_paths_write(struct varlena *value);

#endif							/* ALIGN_PATHS_H */
