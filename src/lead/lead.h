/*
 * lead.h
 *	  One lead's journey: stored form, reader, builder.
 *
 * A lead is an ordered list of entries.  An entry has a time, and is a stage
 * entry (it has a stage) or a campaign touch (a campaign and no stage).
 *
 * Stored form.  After the varlena header:
 *
 *	  flags		number: LEAD_FLAG_SEGMENTS if any entry has segments, else 0;
 *				unknown bits are refused
 *	  unit		byte, a LeadUnit: the coarsest of which all times are multiples
 *	  nstrings	number of dictionary strings
 *	  strings	in the order of their first use below: length * 2 and the
 *				bytes, or the number of a vocabulary word * 2 + 1
 *	  nentries	number of entries
 *	  entries	head, time, and the fields that head and mask announce:
 *		head		stage reference * 2 + (1 if a mask follows)
 *		time		first entry: signed, units since 2000-01-01 UTC;
 *					others: units since the previous entry (never negative)
 *		mask		byte, never 0: which of the following are present
 *		references	team, reason, campaign, amount
 *		ordinal, version	numbers, never 0
 *		reference	segments
 *
 * Numbers are those of wire.h.  A reference is 1 + the index of a dictionary
 * string; 0 means none, which only the head of a touch has.  Amounts are
 * canonical decimal text, and the segments of an entry are the canonical list
 * of segments.c.  Nothing is aligned, so a lead can be read in place from a
 * short (packed) varlena.
 *
 * Vocabulary.  The names of stages would be half of a short lead.  The 64 most
 * usual names of stages, teams and reasons are part of the format (words.c)
 * and take one byte; a string in that list is always stored so.
 *
 * Order.  Entries are sorted by (time, recorded ordinal, content); an unknown
 * ordinal sorts before a known one.  Content is compared by bytes, field by
 * field in the order of LeadInput, absent fields and prefixes first.  Exact
 * duplicates are allowed; rollup(lead) removes them, and also an entry without
 * segments where there is the same one with segments.
 *
 * The form is canonical: equal journeys have equal bytes.  The wire
 * (send/recv) form is a version byte followed by the same bytes, with the
 * strings in the client's encoding.
 *
 * Input functions guarantee the canonical form, so a reader does not check it
 * again.  But for any bytes at all it never reads out of bounds, and it raises
 * an error unless there is at least one entry and all times are valid
 * timestamps in ascending order.
 */
#ifndef ALIGN_LEAD_H
#define ALIGN_LEAD_H

#include "compat.h"

#include "datatype/timestamp.h"
#include "utils/array.h"
#include "utils/numeric.h"
#include "value.h"

/* Bits of the flags. */
#define LEAD_FLAG_SEGMENTS 0x01

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
#define LEAD_HAS_SEGMENTS	0x40

typedef struct LeadString
{
	const char *text;			/* not NUL-terminated; NULL if absent */
	int			len;
} LeadString;

/*
 * An entry as read.  Strings are dictionary indexes, -1 for none.
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
	int			segments;
} LeadEntry;

/*
 * Reads a stored lead from front to back, in place.
 *
 * The dictionary is indexed when reading starts; a small one needs no
 * allocation, and then the reader points into itself, so do not copy a reader.
 * Strings point into the value, or to static words, and live as long as the
 * value does.
 */
#define LEAD_INLINE_STRINGS 16

typedef struct LeadReader
{
	WireReader	wire;			/* before the next entry */
	LeadString *strings;
	int			nstrings;
	int			nentries;
	int			next;			/* index of the next entry */
	bool		received;		/* bytes from a client, not a stored value */
	uint8		flags;
	LeadUnit	unit_code;
	int64		unit;			/* microseconds */
	int64		last;			/* time of the last entry read, in units */
	int64		min;			/* first and last valid time, in units */
	int64		max;
	LeadString	inline_strings[LEAD_INLINE_STRINGS];
} LeadReader;

/* Begins to read a varlena: not compressed, but a short header is allowed. */
extern void align_lead_read(LeadReader *reader, const struct varlena *value);

/* Begins to read bytes received from a client. */
extern void align_lead_read_bytes(LeadReader *reader, const void *data, size_t len);

/* Frees the memory of a reader (small leads have none). */
extern void align_lead_read_end(LeadReader *reader);

/* For align_lead_next only. */
extern void align_lead_read_fields(LeadReader *reader, LeadEntry *entry);
extern void align_lead_bad_reference(LeadReader *reader) pg_attribute_noreturn();
extern void align_lead_bad_time(LeadReader *reader) pg_attribute_noreturn();

/*
 * Reads the next entry; false at the end.  The inner loop of every report.
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
	entry->segments = -1;
	if (head & 1)
		align_lead_read_fields(reader, entry);
	return true;
}

/* A LeadString of some bytes; NULL is absent. */
static inline LeadString
align_lead_bytes(const char *bytes, int len)
{
	LeadString	result;

	result.text = bytes;
	result.len = len;
	return result;
}

/* The dictionary string with that index, absent for -1. */
static inline LeadString
align_lead_string(const LeadReader *reader, int index)
{
	if (index < 0)
		return align_lead_bytes(NULL, 0);
	return reader->strings[index];
}

/* A C string as a LeadString; NULL is absent. */
static inline LeadString
align_lead_cstring(const char *text)
{
	return align_lead_bytes(text, text != NULL ? (int) strlen(text) : 0);
}

/* A copy of a string, with a terminating zero, in a memory context. */
static inline LeadString
align_lead_copy(MemoryContext context, LeadString string)
{
	char	   *copy;

	if (string.text == NULL)
		return string;
	copy = MemoryContextAlloc(context, string.len + 1);
	memcpy(copy, string.text, string.len);
	copy[string.len] = '\0';
	return align_lead_bytes(copy, string.len);
}

/* True if the strings are equal or both absent. */
static inline bool
align_lead_same(LeadString a, LeadString b)
{
	if (a.text == NULL || b.text == NULL)
		return a.text == NULL && b.text == NULL;
	return a.len == b.len && memcmp(a.text, b.text, a.len) == 0;
}

/* A datum of type text or the like, in place unless it must be detoasted. */
static inline LeadString
align_lead_varlena(Datum value)
{
	struct varlena *text = PG_DETOAST_DATUM_PACKED(value);

	return align_lead_bytes(VARDATA_ANY(text), (int) VARSIZE_ANY_EXHDR(text));
}

/* The index of the dictionary string with these bytes, -1 if there is none. */
extern int	align_lead_find(const LeadReader *reader, const char *text, int len);

/* The vocabulary; align_lead_word returns the number of a word, -1 if none. */
#define LEAD_NWORDS 64
extern const LeadString align_lead_words[LEAD_NWORDS];
extern int	align_lead_word(const char *text, int len);

/*
 * Collects entries in any order and encodes them.  Strings are copied.  All
 * memory is in the context given at creation.
 */
typedef struct LeadBuilder LeadBuilder;

/* An entry for the builder; needs a stage or a campaign. */
typedef struct LeadInput
{
	TimestampTz at;				/* an error unless it is finite */
	LeadString	stage;
	LeadString	team;
	LeadString	reason;
	LeadString	campaign;
	LeadString	amount;			/* canonical decimal text */
	int64		ordinal;
	int32		version;
	LeadString	segments;		/* canonical list; see segments.c */
} LeadInput;

extern LeadBuilder *align_lead_builder(MemoryContext context);
extern void align_lead_add(LeadBuilder *builder, const LeadInput *input);

/*
 * Adds an entry that has a time and a stage only; faster than align_lead_add.
 */
extern void align_lead_add_stage(LeadBuilder *builder, TimestampTz at, const char *stage, int len);

/* Adds all entries of a lead. */
extern void align_lead_add_all(LeadBuilder *builder, const struct varlena *lead);

/* Adds the entries that a reader has not read yet. */
extern void align_lead_add_rest(LeadBuilder *builder, LeadReader *reader);

/*
 * The same, with stages[i] as the stage of entries whose stage is dictionary
 * string i; if stages is NULL, stages stay as they are.
 */
extern void align_lead_add_renamed(LeadBuilder *builder, LeadReader *reader,
								   const LeadString *stages);

/* Adds all entries of another builder. */
extern void align_lead_add_builder(LeadBuilder *builder, const LeadBuilder *other);

/* The number of entries. */
extern int	align_lead_count(const LeadBuilder *builder);

/*
 * Sorts the entries in place, drop duplicates from the builder if requested,
 * and encode it (at least one entry) into the current memory context.
 */
extern struct varlena *align_lead_encode(LeadBuilder *builder, bool drop_duplicates);

/* Parses the text form; NULL after a soft error. */
extern struct varlena *align_lead_parse(const char *text, Node *escontext);

/* Writes the text form, palloc'd. */
extern char *align_lead_write(const struct varlena *lead);

/*
 * Converts amounts between numeric and canonical decimal text, both palloc'd.
 * NaN and infinity are an error.
 */
extern char *align_amount_text(Numeric amount);
extern Datum align_amount_numeric(LeadString amount);

/*
 * The segments of an entry as a canonical list (segments.c), palloc'd, of an
 * array of text, of names, which are sorted in place, or of the names of
 * another list.  Absent if there are no names.
 */
extern LeadString align_segments_list(ArrayType *names);
extern LeadString align_segments_sorted(LeadString *names, int n);
extern LeadString align_segments_canonical(LeadString list);

/* text[] of the names in a list. */
extern Datum align_segments_array(LeadString list);

/* Moves past the next name of a list; false at the end. */
extern bool align_segments_next(LeadString *list, LeadString *name);

/* A string that is not absent as a palloc'd value of type text. */
extern Datum align_lead_text_datum(LeadString string);

#endif							/* ALIGN_LEAD_H */
