/*
 * wire.h
 *	  Bounded readers and writers for varlena bodies, send/recv and aggregate
 *	  states.
 *
 * Numbers are LEB128: seven bits a byte, low bits first, the high bit set on
 * all but the last; never a redundant last byte, so every number has exactly
 * one encoding.  Signed numbers are zigzag coded first (0, -1, 1, -2, ...).
 *
 * A WireReader never reads past its end.  What it reads is untrusted: any
 * failure raises ERRCODE_INVALID_BINARY_REPRESENTATION, naming the type.
 */
#ifndef ALIGN_WIRE_H
#define ALIGN_WIRE_H

#include "compat.h"

#include "lib/stringinfo.h"

/* The longest encoding of 64 bits. */
#define WIRE_MAX_VARINT 10

typedef struct WireReader
{
	const uint8 *cur;
	const uint8 *end;
	const char *type_name;
} WireReader;

static inline void
align_wire_begin(WireReader *reader, const void *data, size_t len, const char *type_name)
{
	reader->cur = (const uint8 *) data;
	reader->end = reader->cur + len;
	reader->type_name = type_name;
}

extern void align_wire_fail(WireReader *reader, const char *detail) pg_attribute_noreturn();

extern uint64 align_wire_uint_slow(WireReader *reader);
extern const char *align_wire_bytes(WireReader *reader, size_t len);
extern uint8 align_wire_byte(WireReader *reader);
extern void align_wire_end(WireReader *reader);

/* A count of things that take at least min_size bytes each: never lies about memory. */
extern int	align_wire_count(WireReader *reader, size_t min_size, int max);

/* Length-prefixed text, checked to be valid in the database encoding and free of NULs. */
extern const char *align_wire_text(WireReader *reader, int *len);

static inline uint64
align_wire_uint(WireReader *reader)
{
	if (likely(reader->cur < reader->end && *reader->cur < 0x80))
		return *reader->cur++;
	return align_wire_uint_slow(reader);
}

static inline int64
align_unzigzag(uint64 value)
{
	return (int64) (value >> 1) ^ -(int64) (value & 1);
}

static inline uint64
align_zigzag(int64 value)
{
	return ((uint64) value << 1) ^ (uint64) (value >> 63);
}

static inline int64
align_wire_int(WireReader *reader)
{
	return align_unzigzag(align_wire_uint(reader));
}

/* Write to memory the caller has sized; returns the byte after. */
static inline uint8 *
align_wire_put_uint(uint8 *out, uint64 value)
{
	while (value >= 0x80)
	{
		*out++ = (uint8) (value | 0x80);
		value >>= 7;
	}
	*out++ = (uint8) value;
	return out;
}

extern void align_wire_append_uint(StringInfo out, uint64 value);
extern void align_wire_append_int(StringInfo out, int64 value);
extern void align_wire_append_text(StringInfo out, const char *text, int len);

/* A 64-bit fingerprint (FNV-1a) that is the same on every machine and version. */
extern uint64 align_fingerprint(const void *data, size_t len);

#endif							/* ALIGN_WIRE_H */
