/*
 * lists.c
 *	  Look-ups in the lists of sources, parameters and words.
 *
 * The hash of a source runs from its last character to its first, so that one
 * pass computes the hashes of all suffixes of a host.
 */
#include "postgres.h"

#include "campaign/lists.h"

typedef struct WordRow
{
	const char *word;
	int			len;
	const char *channel;
	bool		alone;
} WordRow;

#include "campaign/tables.h"

/* Bits of clicks that a caller keeps. */
StaticAssertDecl(NCLICKS <= 64, "too many click ids for a word of bits");

#define HASH_STEP(hash, c) ((hash) * 33 + (unsigned char) (c))

/* The longest word that is in the list, with room to spare. */
#define WORD_MAX 32

static inline char
LowerChar(char c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

/*
 * The row of exactly this source, whose hash is given.
 */
static inline const SourceRow *
FindSource(uint32 hash, const char *source, int len)
{
	for (uint32 slot = hash % SOURCE_NSLOTS; source_slots[slot] != 0;
		 slot = (slot + 1) % SOURCE_NSLOTS)
	{
		const SourceRow *row = &source_rows[source_slots[slot] - 1];

		if (row->key_len == len && memcmp(row->key, source, len) == 0)
			return row;
	}
	return NULL;
}

/*
 * True if the text is like a top-level domain, or two labels such as "co.uk".
 */
static bool
IsTopLevel(const char *text, int len)
{
	int			dot = -1;

	for (int i = 0; i < len; i++)
	{
		if (text[i] == '.')
		{
			if (dot >= 0)
				return false;
			dot = i;
		}
		else if (text[i] < 'a' || text[i] > 'z')
			return false;
	}
	if (dot < 0)
		return len >= 2 && len <= 4;
	return dot >= 2 && dot <= 3 && len - dot - 1 == 2;
}

/*
 * The wildcard row of a host whose first label ends at dot, NULL if none.
 */
static const SourceRow *
FindWildcard(const char *host, int dot, int len)
{
	for (int i = 0; i < (int) lengthof(wildcard_rows); i++)
	{
		const SourceRow *row = &wildcard_rows[i];

		if (row->key_len == dot && memcmp(row->key, host, dot) == 0)
			return IsTopLevel(host + dot + 1, len - dot - 1) ? row : NULL;
	}
	return NULL;
}

const SourceRow *
align_campaign_source(const char *source, int len)
{
	const SourceRow *best = NULL;
	uint32		hash = 0;
	int			dot = -1;		/* the leftmost that was passed */

	for (int i = len - 1; i >= 0; i--)
	{
		hash = HASH_STEP(hash, source[i]);
		if (source[i] == '.')
			dot = i;
		else if (i == 0 || source[i - 1] == '.')
		{
			/* a suffix must be a host: names are listed as a whole only */
			const SourceRow *row = i > 0 && dot < 0 ? NULL :
				FindSource(hash, source + i, len - i);

			if (row == NULL && dot > i)
				row = FindWildcard(source + i, dot - i, len - i);
			if (row != NULL)
				best = row;
		}
	}
	return best;
}

const ClickId *
align_campaign_click(int number)
{
	return &click_rows[number];
}

const ParamRow *
align_campaign_param(const char *name, int len)
{
	char		lower[PARAM_MAX_NAME];
	uint32		hash = 0;

	if (len > PARAM_MAX_NAME)
		return NULL;
	for (int i = 0; i < len; i++)
	{
		lower[i] = LowerChar(name[i]);
		hash = HASH_STEP(hash, lower[i]);
	}
	for (uint32 slot = hash % PARAM_NSLOTS; param_slots[slot] != 0;
		 slot = (slot + 1) % PARAM_NSLOTS)
	{
		const ParamRow *row = &param_rows[param_slots[slot] - 1];

		if (row->name_len == len && memcmp(row->name, lower, len) == 0)
			return row;
	}
	return NULL;
}

const char *
align_campaign_word(const char *word, int len, bool alone)
{
	char		plain[WORD_MAX];
	uint32		hash = 0;

	if (len > WORD_MAX)
		return NULL;
	for (int i = 0; i < len; i++)
	{
		plain[i] = word[i] == '-' || word[i] == '_' ? ' ' : LowerChar(word[i]);
		hash = HASH_STEP(hash, plain[i]);
	}
	for (uint32 slot = hash % WORD_NSLOTS; word_slots[slot] != 0;
		 slot = (slot + 1) % WORD_NSLOTS)
	{
		const WordRow *row = &word_rows[word_slots[slot] - 1];

		if (row->len == len && memcmp(row->word, plain, len) == 0)
			return row->alone && !alone ? NULL : row->channel;
	}
	return NULL;
}

bool
align_campaign_is_paid(LeadString medium)
{
	if (medium.text == NULL)
		return false;
	for (int i = 0; i + 2 <= medium.len; i++)
		if (medium.text[i] == 'c' && medium.text[i + 1] == 'p')
			return true;
	return (medium.len == 3 && memcmp(medium.text, "ppc", 3) == 0) ||
		(medium.len == 11 && memcmp(medium.text, "retargeting", 11) == 0) ||
		(medium.len >= 4 && memcmp(medium.text, "paid", 4) == 0);
}
