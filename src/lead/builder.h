/*
 * builder.h
 *	  The members of a LeadBuilder, for build.c and encode.c only.
 *
 * Most entries have a time and a stage only and take 16 bytes; their other
 * fields are in a second array.  Strings are interned: two strings are equal
 * if and only if their numbers are.
 */
#ifndef ALIGN_LEAD_BUILDER_H
#define ALIGN_LEAD_BUILDER_H

#include "lead/lead.h"

/*
 * The numbers of strings and extras count from 1; 0 is absent.
 */
typedef struct BuilderEntry
{
	TimestampTz at;
	uint32		stage;
	uint32		extra;
} BuilderEntry;

typedef struct BuilderExtra
{
	uint32		team;
	uint32		reason;
	uint32		campaign;
	uint32		amount;
	int64		ordinal;
	int32		version;
	uint32		segments;
} BuilderExtra;

typedef struct BuilderString
{
	uint32		offset;			/* in LeadBuilder.bytes */
	uint32		len;
} BuilderString;

struct LeadBuilder
{
	MemoryContext context;
	uint32		nentries;
	uint32		entry_room;
	BuilderEntry *entries;
	uint32		nextras;
	uint32		extra_room;
	BuilderExtra *extras;
	uint32		nstrings;
	uint32		string_room;
	BuilderString *strings;
	uint32		nbytes;
	uint32		byte_room;
	char	   *bytes;
	uint32		nslots;			/* power of 2; 0 while strings are few */
	uint32	   *slots;			/* string numbers by hash, 0 where empty */
};

static inline LeadString
BuilderStringAt(const LeadBuilder *builder, uint32 number)
{
	const BuilderString *string = &builder->strings[number - 1];

	return align_lead_bytes(builder->bytes + string->offset, (int) string->len);
}

#endif							/* ALIGN_LEAD_BUILDER_H */
