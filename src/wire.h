/*
 * wire.h
 *	  Bounded readers and writers for varlena bodies, send/recv and aggregate
 *	  states.
 *
 * Numbers are LEB128: seven bits per byte, low bits first, the high bit set on
 * all bytes but the last.  A redundant last byte is refused, so every number
 * has exactly one encoding.  Signed numbers are zigzag coded first (0, -1, 1,
 * -2, ...).
 *
 * Input is untrusted.  A WireReader never reads past its end; on any failure
 * it raises ERRCODE_INVALID_BINARY_REPRESENTATION with the type's name.
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

/* Raise the error; detail is a sentence. */
extern void align_wire_fail(WireReader *reader, const char *detail) pg_attribute_noreturn();

/* Numbers that align_wire_uint does not handle; only it calls this. */
extern uint64 align_wire_uint_slow(WireReader *reader);

/* The next len bytes, in place. */
extern const char *align_wire_bytes(WireReader *reader, size_t len);
extern uint8 align_wire_byte(WireReader *reader);

/* Fail if any bytes are left. */
extern void align_wire_end(WireReader *reader);

/*
 * The number of items that follow, at most max.  Fails if the bytes that are
 * left cannot hold so many items of min_size, so it is safe to allocate for.
 */
extern int	align_wire_count(WireReader *reader, size_t min_size, int max);

/*
 * Text after its length, in place, not NUL-terminated.  Checked to be valid in
 * the database encoding, without NULs.
 */
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

/*
 * Write to memory with room for WIRE_MAX_VARINT bytes; returns the byte after.
 */
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

/* 64-bit FNV-1a hash; part of a stored form, so it must never change. */
extern uint64 align_fingerprint(const void *data, size_t len);

#endif							/* ALIGN_WIRE_H */
