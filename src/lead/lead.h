/*
 * lead.h
 *	  One lead's journey: stored form, reader, builder.
 *
 * A lead is an ordered list of entries.  An entry is a stage entry (it has a
 * stage) or a campaign touch (a campaign and no stage); it always has a time.
 *
 * Stored form.  After the varlena header:
 *
 *	  flags		number, zero today; unknown bits are refused
 *	  unit		byte: all times are whole multiples of it (LeadUnit), the
 *				coarsest that fits
 *	  nstrings	number of dictionary strings
 *	  strings	length, bytes; in the order of their first use below
 *	  nentries	number of entries
 *	  entries	head, time, then what the head and mask promise:
 *		head		stage reference * 2 + (1 if a mask follows)
 *		time		first entry: signed, units since 2000-01-01 UTC;
 *					others: units since the entry before (never negative)
 *		mask		byte, never 0: which of the following are there
 *		references	team, reason, campaign, amount
 *		ordinal, version	numbers, never 0
 *
 * Numbers are those of wire.h.  A reference is 1 + the index of a dictionary
 * string, 0 for none (in a head only: a touch).  Amounts are kept as canonical
 * decimal text.  There is no alignment anywhere, so a lead may be read in place
 * from a short (packed) varlena.
 *
 * Order.  Entries are sorted by (time, recorded ordinal, content); an unknown
 * ordinal sorts before a known one; content is compared by bytes, field by
 * field in the order of LeadInput, absent first, a prefix before the longer.
 * Exact duplicates may stand; rollup(lead) removes them.
 *
 * The form is canonical: equal journeys have equal bytes.  The wire (send/recv)
 * form is a version byte followed by the same bytes.
 */
#ifndef ALIGN_LEAD_H
#define ALIGN_LEAD_H

#include "compat.h"

#include "datatype/timestamp.h"
#include "value.h"

#define LEAD_MAX_ENTRIES (16 * 1024 * 1024)
#define LEAD_MAX_STRING (1024 * 1024)

typedef enum LeadUnit
{
	LEAD_UNIT_MICROSECOND,
	LEAD_UNIT_MILLISECOND,
	LEAD_UNIT_SECOND,
	LEAD_UNIT_MINUTE,
	LEAD_UNIT_DAY
} LeadUnit;

/* Bits of an entry's mask, in the order in which the fields are stored. */
#define LEAD_HAS_TEAM		0x01
#define LEAD_HAS_REASON		0x02
#define LEAD_HAS_CAMPAIGN	0x04
#define LEAD_HAS_AMOUNT		0x08
#define LEAD_HAS_ORDINAL	0x10
#define LEAD_HAS_VERSION	0x20

typedef struct LeadString
{
	const char *text;			/* not NUL-terminated; NULL if absent */
	int			len;
} LeadString;

/*
 * An entry as read: strings are dictionary indexes, -1 for none.
 */
typedef struct LeadEntry
{
	TimestampTz at;
	int			stage;
	int			team;
	int			reason;
	int			campaign;
	int			amount;
	int64		ordinal;		/* 0: not recorded */
	int32		version;		/* of the agreement; 0: not recorded */
} LeadEntry;

/*
 * Reads a stored lead front to back without copying it.  The dictionary is
 * indexed when reading starts; small ones need no allocation.
 */
#define LEAD_INLINE_STRINGS 16

typedef struct LeadReader
{
	WireReader	wire;			/* just before the next entry */
	LeadString *strings;
	int			nstrings;
	int			nentries;
	int			next;			/* index of the next entry */
	int64		unit;			/* microseconds */
	int64		last;			/* time of the last entry read, in units */
	LeadString	inline_strings[LEAD_INLINE_STRINGS];
} LeadReader;

/* value: any varlena of type lead, short header allowed, not compressed */
extern void align_lead_read(LeadReader *reader, const struct varlena *value);
/* The next entry; false at the end. */
extern bool align_lead_next(LeadReader *reader, LeadEntry *entry);
/* What LeadReader allocated (nothing for small leads). */
extern void align_lead_read_end(LeadReader *reader);

/*
 * Collects entries in any order and encodes them.  Strings are copied into the
 * builder's own dictionary.  All memory is in the context given at creation.
 */
typedef struct LeadBuilder LeadBuilder;

/* An entry as given to the builder; absent strings have text == NULL. */
typedef struct LeadInput
{
	TimestampTz at;				/* must be finite: raises otherwise */
	LeadString	stage;
	LeadString	team;
	LeadString	reason;
	LeadString	campaign;
	LeadString	amount;			/* canonical decimal text */
	int64		ordinal;
	int32		version;
} LeadInput;

extern LeadBuilder *align_lead_builder(MemoryContext context);
extern void align_lead_add(LeadBuilder *builder, const LeadInput *input);
extern void align_lead_add_all(LeadBuilder *builder, const struct varlena *lead);
extern int	align_lead_count(const LeadBuilder *builder);
/* Sorts (in place) and encodes, into the current memory context. */
extern struct varlena *align_lead_encode(LeadBuilder *builder, bool drop_duplicates);

extern struct varlena *align_lead_parse(const char *text, Node *escontext);
extern char *align_lead_write(const struct varlena *lead);

#endif							/* ALIGN_LEAD_H */
