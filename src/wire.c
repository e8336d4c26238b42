/*
 * wire.c
 *	  Bounded readers and writers for varlena bodies, send/recv and aggregate
 *	  states.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "port/pg_bitutils.h"
#include "port/pg_bswap.h"

#include "wire.h"

void
align_wire_fail(WireReader *reader, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("invalid binary representation of type %s", reader->type_name),
			 errdetail("%s", detail)));
}

/*
 * Read a number byte by byte: near the end of the data, or above 56 bits.
 */
static uint64
ReadBytewise(WireReader *reader)
{
	const uint8 *p = reader->cur;
	uint64		value = 0;

	for (int shift = 0; shift < 64; shift += 7)
	{
		uint8		byte;

		if (unlikely(p == reader->end))
			align_wire_fail(reader, "The value is truncated.");
		byte = *p++;

		/* the tenth byte holds only the topmost bit */
		if (shift == 63 && byte > 1)
			break;
		value |= (uint64) (byte & 0x7f) << shift;
		if (byte < 0x80)
		{
			if (byte == 0 && shift > 0)
				align_wire_fail(reader, "A number is not in its shortest form.");
			reader->cur = p;
			return value;
		}
	}
	align_wire_fail(reader, "A number has more than 64 bits.");
}

/*
 * Read a number of several bytes.
 *
 * Times take three to six bytes, varying from one to the next, so a loop would
 * mostly mispredict its end.  Instead load eight bytes at once, find the last
 * byte of the number, and squeeze out the bits that continue it.
 */
uint64
align_wire_uint_slow(WireReader *reader)
{
	uint64		word;
	uint64		ends;
	int			last;

	if (unlikely(reader->end - reader->cur < (ptrdiff_t) sizeof(word)))
		return ReadBytewise(reader);
	memcpy(&word, reader->cur, sizeof(word));
#ifdef WORDS_BIGENDIAN
	word = pg_bswap64(word);
#endif

	/* the bytes that end a number have their high bit clear */
	ends = ~word & UINT64CONST(0x8080808080808080);
	if (unlikely(ends == 0))
		return ReadBytewise(reader);

	last = pg_rightmost_one_pos64(ends);	/* high bit of the last byte */
	word &= ~UINT64CONST(0) >> (63 - last);
	if (unlikely(last > 7 && word >> (last - 7) == 0))
		align_wire_fail(reader, "A number is not in its shortest form.");

	/* join groups of 7 bits to 14, those to 28, and those to 56 */
	word = (word & UINT64CONST(0x007f007f007f007f)) |
		((word & UINT64CONST(0x7f007f007f007f00)) >> 1);
	word = (word & UINT64CONST(0x00003fff00003fff)) |
		((word & UINT64CONST(0x3fff00003fff0000)) >> 2);
	word = (word & UINT64CONST(0x000000000fffffff)) |
		((word & UINT64CONST(0x0fffffff00000000)) >> 4);
	reader->cur += last / 8 + 1;
	return word;
}

const char *
align_wire_bytes(WireReader *reader, size_t len)
{
	const char *result = (const char *) reader->cur;

	if (len > (size_t) (reader->end - reader->cur))
		align_wire_fail(reader, "The value is truncated.");
	reader->cur += len;
	return result;
}

uint8
align_wire_byte(WireReader *reader)
{
	return *(const uint8 *) align_wire_bytes(reader, 1);
}

void
align_wire_end(WireReader *reader)
{
	if (reader->cur != reader->end)
		align_wire_fail(reader, "Bytes are left over after the value.");
}

int
align_wire_count(WireReader *reader, size_t min_size, int max)
{
	uint64		count = align_wire_uint(reader);

	if (count > (uint64) max)
		align_wire_fail(reader, "A count exceeds its limit.");
	if (count > (size_t) (reader->end - reader->cur) / min_size)
		align_wire_fail(reader, "A count exceeds the bytes that follow it.");
	return (int) count;
}

const char *
align_wire_text(WireReader *reader, int *len)
{
	uint64		claimed = align_wire_uint(reader);
	const char *text;

	if (claimed > (uint64) (reader->end - reader->cur))
		align_wire_fail(reader, "A text is longer than the bytes that follow it.");
	text = align_wire_bytes(reader, claimed);
	if (!pg_verifymbstr(text, (int) claimed, true) || memchr(text, '\0', claimed) != NULL)
		align_wire_fail(reader, "A text is not valid in the database encoding.");
	*len = (int) claimed;
	return text;
}

void
align_wire_append_uint(StringInfo out, uint64 value)
{
	uint8		bytes[WIRE_MAX_VARINT];
	uint8	   *end = align_wire_put_uint(bytes, value);

	appendBinaryStringInfo(out, (char *) bytes, end - bytes);
}

void
align_wire_append_int(StringInfo out, int64 value)
{
	align_wire_append_uint(out, align_zigzag(value));
}

void
align_wire_append_text(StringInfo out, const char *text, int len)
{
	align_wire_append_uint(out, len);
	appendBinaryStringInfo(out, text, len);
}

uint64
align_fingerprint(const void *data, size_t len)
{
	const uint8 *p = (const uint8 *) data;
	uint64		hash = UINT64CONST(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++)
	{
		hash ^= p[i];
		hash *= UINT64CONST(0x100000001b3);
	}
	return hash;
}
