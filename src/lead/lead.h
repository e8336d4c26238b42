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
 *	  strings	in the order of their first use below: length * 2 and the
 *				bytes, or the number of a vocabulary word * 2 + 1
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
 * Vocabulary.  Half of a short lead would be the spelling of its stages, and
 * those are nearly always the field's own words: so the 64 most usual ones are
 * known to the format (words.c) and take one byte.  A string that is such a
 * word is always stored as one.
 *
 * Order.  Entries are sorted by (time, recorded ordinal, content); an unknown
 * ordinal sorts before a known one; content is compared by bytes, field by
 * field in the order of LeadInput, absent first, a prefix before the longer.
 * Exact duplicates may stand; rollup(lead) removes them.
 *
 * The form is canonical: equal journeys have equal bytes.  The wire (send/recv)
 * form is a version byte followed by the same bytes; only its strings travel in
 * the client's encoding.
 *
 * What is stored was checked when it came in, so a reader does not check again
 * that it is canonical.  It does check what its callers rely on: no bytes make
 * it read out of bounds, a lead has at least one entry, and times are valid
 * timestamps that never descend.
 */
#ifndef ALIGN_LEAD_H
#define ALIGN_LEAD_H

#include "compat.h"

#include "datatype/timestamp.h"
#include "utils/numeric.h"
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
 * indexed when reading starts; small ones need no allocation.  A reader may
 * point into itself: do not copy it.  Strings point into the value (or are
 * static words) and live as long as it does.
 */
#define LEAD_INLINE_STRINGS 16

typedef struct LeadReader
{
	WireReader	wire;			/* just before the next entry */
	LeadString *strings;
	int			nstrings;
	int			nentries;
	int			next;			/* index of the next entry */
	bool		received;		/* bytes from a client, not a stored value */
	LeadUnit	unit_code;
	int64		unit;			/* microseconds */
	int64		last;			/* time of the last entry read, in units */
	int64		min;			/* first and last valid time, in units */
	int64		max;
	LeadString	inline_strings[LEAD_INLINE_STRINGS];
} LeadReader;

/* value: any varlena of type lead, short header allowed, not compressed */
extern void align_lead_read(LeadReader *reader, const struct varlena *value);
/* The same from bare bytes, as they come over the wire. */
extern void align_lead_read_bytes(LeadReader *reader, const void *data, size_t len);
/* What LeadReader allocated (nothing for small leads). */
extern void align_lead_read_end(LeadReader *reader);
/* The part of an entry behind its mask; only align_lead_next calls it. */
extern void align_lead_read_fields(LeadReader *reader, LeadEntry *entry);
extern void align_lead_bad_reference(LeadReader *reader) pg_attribute_noreturn();
extern void align_lead_bad_time(LeadReader *reader) pg_attribute_noreturn();

/*
 * The next entry; false at the end.  This is the inner loop of every report.
 */
static inline bool
align_lead_next(LeadReader *reader, LeadEntry *entry)
{
	uint64		head;

	if (reader->next >= reader->nentries)
		return false;
	head = align_wire_uint(&reader->wire);
	if (unlikely((head >> 1) > (uint64) reader->nstrings))
		align_lead_bad_reference(reader);
	if (reader->next++ == 0)
	{
		reader->last = align_wire_int(&reader->wire);
		if (unlikely(reader->last < reader->min || reader->last > reader->max))
			align_lead_bad_time(reader);
	}
	else
	{
		uint64		step = align_wire_uint(&reader->wire);

		/* last is at most max, so their difference fits */
		if (unlikely(step > (uint64) reader->max - (uint64) reader->last))
			align_lead_bad_time(reader);
		reader->last += (int64) step;
	}

	entry->at = reader->last * reader->unit;
	entry->stage = (int) (head >> 1) - 1;
	entry->team = -1;
	entry->reason = -1;
	entry->campaign = -1;
	entry->amount = -1;
	entry->ordinal = 0;
	entry->version = 0;
	if (head & 1)
		align_lead_read_fields(reader, entry);
	return true;
}

/* The string with that index, or an absent one for -1. */
static inline LeadString
align_lead_string(const LeadReader *reader, int index)
{
	if (index < 0)
		return (LeadString) {NULL, 0};
	return reader->strings[index];
}

/* A C string; absent for NULL. */
static inline LeadString
align_lead_cstring(const char *text)
{
	return (LeadString) {text, text != NULL ? (int) strlen(text) : 0};
}

/* Equal, or both absent. */
static inline bool
align_lead_same(LeadString a, LeadString b)
{
	if (a.text == NULL || b.text == NULL)
		return a.text == NULL && b.text == NULL;
	return a.len == b.len && memcmp(a.text, b.text, a.len) == 0;
}

/* A value of type text (or of one that is stored alike), in place if it can be. */
static inline LeadString
align_lead_varlena(Datum value)
{
	struct varlena *text = PG_DETOAST_DATUM_PACKED(value);

	return (LeadString) {VARDATA_ANY(text), (int) VARSIZE_ANY_EXHDR(text)};
}

/* Index of the dictionary string with these bytes, -1 if the lead has none. */
extern int	align_lead_find(const LeadReader *reader, const char *text, int len);

/* The vocabulary, and the number of a word in it, -1 if it is none. */
#define LEAD_NWORDS 64
extern const LeadString align_lead_words[LEAD_NWORDS];
extern int	align_lead_word(const char *text, int len);

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
/* A stage entry and nothing else: the short cut for the commonest rows. */
extern void align_lead_add_stage(LeadBuilder *builder, TimestampTz at, const char *stage, int len);
extern void align_lead_add_all(LeadBuilder *builder, const struct varlena *lead);
/* The entries that a reader has not read yet. */
extern void align_lead_add_rest(LeadBuilder *builder, LeadReader *reader);
extern void align_lead_add_builder(LeadBuilder *builder, const LeadBuilder *other);
extern int	align_lead_count(const LeadBuilder *builder);
/* Sorts (in place) and encodes, into the current memory context.  Duplicates
 * that are dropped are dropped from the builder too. */
extern struct varlena *align_lead_encode(LeadBuilder *builder, bool drop_duplicates);

/* Text form; NULL after a soft error. */
extern struct varlena *align_lead_parse(const char *text, Node *escontext);
extern char *align_lead_write(const struct varlena *lead);

/* Amounts between numeric and the canonical decimal text that leads hold. */
extern char *align_amount_text(Numeric amount); /* raises for NaN and infinity */
extern Datum align_amount_numeric(LeadString amount);

/* A string of a lead as a value of type text. */
extern Datum align_lead_text_datum(LeadString string);

#endif							/* ALIGN_LEAD_H */
