/*
 * decode.c
 *	  Form-urlencoded values, and what of them is kept.
 *
 * The rules are those of application/x-www-form-urlencoded in the URL standard
 * of the WHATWG, except that bytes which are not valid UTF-8 stay escaped: the
 * standard makes them U+FFFD, which loses what was written.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "campaign/text.h"

static inline int
HexDigit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static inline bool
IsAsciiLetter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static inline bool
IsAsciiDigit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * Reads the byte at p, which may be escaped, and returns the length of its
 * spelling.
 */
static inline int
ReadByte(const char *p, const char *end, unsigned char *byte)
{
	if (*p == '%' && end - p >= 3)
	{
		int			high = HexDigit(p[1]);
		int			low = HexDigit(p[2]);

		if (high >= 0 && low >= 0)
		{
			*byte = (unsigned char) (high << 4 | low);
			return 3;
		}
	}
	*byte = (unsigned char) *p;
	return 1;
}

/*
 * Reads a character of several bytes at p, each of which may be escaped.
 * Returns the length of its spelling and sets its bytes; 0 if the bytes are
 * not a character of UTF-8.
 */
static int
ReadCharacter(const char *p, const char *end, unsigned char *bytes, int *nbytes)
{
	const char *start = p;
	int			n = 0;
	int			expected = 1;

	while (n < expected)
	{
		if (p >= end)
			return 0;
		p += ReadByte(p, end, &bytes[n]);
		if (bytes[n] < 0x80)
			return 0;
		if (n == 0)
		{
			expected = pg_utf_mblen(bytes);
			if (expected < 2 || expected > 4)
				return 0;
		}
		n++;
	}
	if (!pg_utf8_islegal(bytes, n))
		return 0;
	*nbytes = n;
	return (int) (p - start);
}

LeadString
align_campaign_decode(const char *text, int len)
{
	const char *end = text + len;
	const char *p = text;
	char	   *out;
	char	   *to;

	while (p < end && *p != '%' && *p != '+' && !IS_HIGHBIT_SET(*p))
		p++;
	if (p == end)
		return align_lead_bytes(text, len);

	out = palloc((Size) len + 1);
	memcpy(out, text, p - text);
	to = out + (p - text);
	while (p < end)
	{
		unsigned char byte;
		unsigned char bytes[4];
		int			spelling;
		int			nbytes;

		if (*p == '+')
		{
			*to++ = ' ';
			p++;
			continue;
		}
		spelling = ReadByte(p, end, &byte);
		if (byte >= 0x80)
		{
			int			whole = ReadCharacter(p, end, bytes, &nbytes);

			if (whole > 0)
			{
				memcpy(to, bytes, nbytes);
				to += nbytes;
				p += whole;
				continue;
			}
		}
		if (byte < 0x80 && byte != 0)
			*to++ = (char) byte;
		else
		{
			memcpy(to, p, spelling);
			to += spelling;
		}
		p += spelling;
	}
	return align_lead_bytes(out, (int) (to - out));
}

/*
 * The length of the blank at p, 0 if there is none: ASCII white space and
 * controls, U+00A0, U+200B, U+3000 and U+FEFF.
 */
static inline int
BlankAt(const char *p, const char *end)
{
	if ((unsigned char) *p <= ' ')
		return 1;
	if (!IS_HIGHBIT_SET(*p))
		return 0;
	if (end - p >= 2 && memcmp(p, "\xC2\xA0", 2) == 0)
		return 2;
	if (end - p >= 3 &&
		(memcmp(p, "\xE2\x80\x8B", 3) == 0 || memcmp(p, "\xE3\x80\x80", 3) == 0 ||
		 memcmp(p, "\xEF\xBB\xBF", 3) == 0))
		return 3;
	return 0;
}

LeadString
align_campaign_trim(LeadString text)
{
	const char *p = text.text;
	const char *end = p + text.len;
	int			n;

	while (p < end && (n = BlankAt(p, end)) > 0)
		p += n;
	while (end > p)
	{
		if ((unsigned char) end[-1] <= ' ')
			end--;
		else if (end - p >= 2 && BlankAt(end - 2, end) == 2)
			end -= 2;
		else if (end - p >= 3 && BlankAt(end - 3, end) == 3)
			end -= 3;
		else
			break;
	}
	return align_lead_bytes(p, (int) (end - p));
}

/* True if the character may stand before or after the "@" of an address. */
static inline bool
IsEmailChar(char c)
{
	return IsAsciiLetter(c) || IsAsciiDigit(c) || IS_HIGHBIT_SET(c) ||
		(c != '\0' && strchr("._-+%!#$&'*/=?^`{|}~\"", c) != NULL);
}

/*
 * The length of a spelling of "@" at p, 0 if there is none: as it is, in full
 * width, as an entity, or escaped, any number of times.
 */
static int
AtSign(const char *p, const char *end)
{
	static const char *const spellings[] = {"@", "\xEF\xBC\xA0", "&#64;", "&#x40;", "&commat;"};
	const char *q = p;

	for (int i = 0; i < (int) lengthof(spellings); i++)
	{
		int			len = strlen(spellings[i]);

		if (end - p >= len && align_campaign_same_letters(p, spellings[i], len))
			return len;
	}
	if (*q != '%')
		return 0;
	for (q++; end - q >= 2 && q[0] == '2' && q[1] == '5';)
		q += 2;
	return end - q >= 2 && q[0] == '4' && q[1] == '0' ? (int) (q + 2 - p) : 0;
}

/*
 * Likewise a dot in a name of a host.
 */
static int
Dot(const char *p, const char *end)
{
	const char *q = p;

	if (*p == '.')
		return 1;
	if (end - p >= 3 && memcmp(p, "\xE3\x80\x82", 3) == 0)
		return 3;
	if (*q != '%')
		return 0;
	for (q++; end - q >= 2 && q[0] == '2' && q[1] == '5';)
		q += 2;
	return end - q >= 2 && q[0] == '2' && (q[1] == 'E' || q[1] == 'e') ? (int) (q + 2 - p) : 0;
}

bool
align_campaign_has_email(LeadString text)
{
	const char *end = text.text + text.len;
	int			len;

	/* most texts have no character that a spelling of "@" begins with */
	if (memchr(text.text, '@', text.len) == NULL && memchr(text.text, '%', text.len) == NULL &&
		memchr(text.text, '&', text.len) == NULL && memchr(text.text, '\xEF', text.len) == NULL)
		return false;
	for (const char *p = text.text; p < end; p += Max(len, 1))
	{
		bool		has_name = false;
		int			letters = -1;	/* after the last dot */

		len = AtSign(p, end);
		if (len == 0 || p == text.text || !IsEmailChar(p[-1]))
			continue;

		/* a domain: a dot with something before it and two letters after it */
		for (const char *q = p + len; q < end;)
		{
			int			dot = Dot(q, end);

			if (dot > 0 && has_name)
			{
				letters = 0;
				q += dot;
			}
			else if (IsAsciiLetter(*q) || IsAsciiDigit(*q) || *q == '-' || *q == '_' || IS_HIGHBIT_SET(*q))
			{
				has_name = true;
				if (letters >= 0 && ++letters == 2)
					return true;
				q++;
			}
			else
				break;
		}
	}
	return false;
}

/*
 * The text up to a parameter that identifies a person, which a broken link may
 * have in the value of another parameter.
 */
static LeadString
CutPersonal(LeadString text)
{
	static const char *const names[] = {"mc_eid", "mkt_tok", "_hsenc"};
	const char *end = text.text + text.len;

	/* all of the names have "_" */
	for (const char *p = text.text; (p = memchr(p, '_', end - p)) != NULL; p++)
	{
		for (int i = 0; i < (int) lengthof(names); i++)
		{
			int			len = strlen(names[i]);
			const char *start = p - (strchr(names[i], '_') - names[i]);

			if (start < text.text || end - start < len ||
				!align_campaign_same_letters(start, names[i], len))
				continue;
			while (start > text.text && strchr(";?&", start[-1]) != NULL)
				start--;
			text.len = (int) (start - text.text);
			return text;
		}
	}
	return text;
}

LeadString
align_campaign_clean(LeadString text, bool fold)
{
	LeadString	result = align_campaign_trim(CutPersonal(text));

	if (result.len > 0 && align_campaign_has_email(result))
		result.len = 0;
	if (result.len > CAMPAIGN_MAX_FIELD)
	{
		result.len = CAMPAIGN_MAX_FIELD;
		while (result.len > 0 && ((unsigned char) result.text[result.len] & 0xC0) == 0x80)
			result.len--;
		result = align_campaign_trim(result);
	}
	if (result.len == 0)
		return align_lead_bytes(NULL, 0);

	if (fold)
	{
		int			i = 0;

		while (i < result.len && !(result.text[i] >= 'A' && result.text[i] <= 'Z'))
			i++;
		if (i < result.len)
		{
			char	   *lower = pnstrdup(result.text, result.len);

			for (; i < result.len; i++)
				if (lower[i] >= 'A' && lower[i] <= 'Z')
					lower[i] += 'a' - 'A';
			result.text = lower;
		}
	}
	return result;
}

void
align_campaign_encode(StringInfo out, LeadString text)
{
	static const char digits[] = "0123456789ABCDEF";
	char	   *to;

	enlargeStringInfo(out, 3 * text.len);
	to = out->data + out->len;
	for (int i = 0; i < text.len; i++)
	{
		char		c = text.text[i];

		if (IsAsciiLetter(c) || IsAsciiDigit(c) || c == '*' || c == '-' || c == '.' || c == '_')
			*to++ = c;
		else if (c == ' ')
			*to++ = '+';
		else
		{
			*to++ = '%';
			*to++ = digits[(unsigned char) c >> 4];
			*to++ = digits[(unsigned char) c & 0x0F];
		}
	}
	*to = '\0';
	out->len = (int) (to - out->data);
}
