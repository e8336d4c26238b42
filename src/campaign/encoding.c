/*
 * encoding.c
 *	  Between the database encoding and UTF-8, without raising.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "campaign/text.h"

/* The most bytes that are converted at once. */
#define PIECE 16384

/* True if all characters are ASCII. */
static inline bool
IsAscii(LeadString text)
{
	for (int i = 0; i < text.len; i++)
		if (IS_HIGHBIT_SET(text.text[i]))
			return false;
	return true;
}

/*
 * The text with the bytes escaped that are not valid UTF-8.
 */
static LeadString
EscapeInvalid(LeadString text)
{
	StringInfoData out;

	if (pg_encoding_verifymbstr(PG_UTF8, text.text, text.len) == text.len)
		return text;
	initStringInfo(&out);
	for (int i = 0; i < text.len;)
	{
		const unsigned char *p = (const unsigned char *) text.text + i;
		int			len = pg_utf_mblen(p);

		if (len <= text.len - i && pg_utf8_islegal(p, len))
			appendBinaryStringInfo(&out, (const char *) p, len);
		else
		{
			appendStringInfo(&out, "%%%02X", *p);
			len = 1;
		}
		i += len;
	}
	return align_lead_bytes(out.data, out.len);
}

/*
 * Converts a text; escapes characters that cannot be converted.
 */
static LeadString
Convert(LeadString text, int from, int to)
{
	Oid			proc = FindDefaultConversionProc(from, to);
	unsigned char *buffer;
	int			room;
	StringInfoData out;

	initStringInfo(&out);
	room = Min(text.len, PIECE) * MAX_CONVERSION_GROWTH + 1;
	buffer = palloc(room);
	for (int done = 0; done < text.len;)
	{
		unsigned char *rest = (unsigned char *) unconstify(char *, text.text + done);
		int			converted = 0;
		int			len;

		if (OidIsValid(proc))
		{
			/*
			 * A piece may end within a character, which is then converted
			 * with the next one.
			 */
			converted = pg_do_encoding_conversion_buf(proc, from, to, rest,
													  Min(text.len - done, PIECE),
													  buffer, room, true);
			appendBinaryStringInfo(&out, (char *) buffer, strlen((char *) buffer));
			done += converted;
		}
		if (converted > 0)
			continue;
		/* without a conversion between the encodings, ASCII stays as it is */
		if (!IS_HIGHBIT_SET(*rest))
		{
			appendStringInfoCharMacro(&out, (char) *rest);
			done++;
			continue;
		}
		CHECK_FOR_INTERRUPTS();
		len = pg_encoding_mblen(from, (char *) rest);
		len = Max(1, Min(len, text.len - done));
		for (int i = 0; i < len; i++)
			appendStringInfo(&out, "%%%02X", rest[i]);
		done += len;
	}
	pfree(buffer);
	return align_lead_bytes(out.data, out.len);
}

LeadString
align_campaign_to_utf8(LeadString text)
{
	int			encoding = GetDatabaseEncoding();

	if (encoding == PG_UTF8 || IsAscii(text))
		return text;
	if (encoding == PG_SQL_ASCII)
		return EscapeInvalid(text);
	return Convert(text, encoding, PG_UTF8);
}

LeadString
align_campaign_from_utf8(LeadString text)
{
	int			encoding = GetDatabaseEncoding();

	if (encoding == PG_UTF8 || encoding == PG_SQL_ASCII || IsAscii(text))
		return text;
	return Convert(text, PG_UTF8, encoding);
}
