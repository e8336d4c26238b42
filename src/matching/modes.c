/*
 * modes.c
 *	  The words of a mode.
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "matching/matching.h"

typedef struct ModeWord
{
	const char *word;
	MatchModes	modes;
} ModeWord;

/* In the order of the canonical text. */
static const ModeWord own_words[] = {
	{"any", MATCH_ANY},
	{"strict", MATCH_STRICT},
	{"no_repeat", MATCH_NO_REPEAT},
	{"increase", MATCH_INCREASE},
	{"reuse", MATCH_REUSE},
};

/*
 * The names of ClickHouse and of DuckDB's extension "behavioral", and of Doris
 * and StarRocks.  allow_reentry has no effect, because strict is the best over
 * every start.
 */
static const ModeWord other_words[] = {
	{"strict_order", MATCH_STRICT},
	{"strict_deduplication", MATCH_NO_REPEAT},
	{"strict_increase", MATCH_INCREASE},
	{"allow_reentry", MATCH_ORDERED},
	{"timestamp_dedup", MATCH_INCREASE},
	{"fixed", MATCH_STRICT},
	{"deduplication", MATCH_NO_REPEAT},
};

/* Words for "one event fills one step", which excludes reuse. */
static const char *const ordered_words[] = {"ordered", "strict_once", "default"};

static const ModeWord *
FindWord(const ModeWord *words, size_t nwords, const char *word)
{
	for (size_t i = 0; i < nwords; i++)
	{
		if (pg_strcasecmp(words[i].word, word) == 0)
			return &words[i];
	}
	return NULL;
}

static bool
IsOrderedWord(const char *word)
{
	for (size_t i = 0; i < lengthof(ordered_words); i++)
	{
		if (pg_strcasecmp(ordered_words[i], word) == 0)
			return true;
	}
	return false;
}

static inline bool
IsSeparator(char c)
{
	return c == ',' || c == ' ' || (c >= '\t' && c <= '\r');
}

/*
 * Add a word to the modes.
 */
static void
AddWord(const char *word, MatchModes *modes, bool *ordered)
{
	const ModeWord *found = FindWord(own_words, lengthof(own_words), word);

	if (found == NULL)
		found = FindWord(other_words, lengthof(other_words), word);
	if (found != NULL)
		*modes |= found->modes;
	else if (IsOrderedWord(word))
		*ordered = true;
	else
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown mode \"%s\"", word),
				 errhint("A mode is a set of the words \"ordered\", \"strict\", \"no_repeat\", \"increase\", \"any\" and \"reuse\".")));
}

MatchModes
align_match_modes(const char *words, size_t len)
{
	const char *end = words + len;
	MatchModes	modes = MATCH_ORDERED;
	bool		ordered = false;

	while (words < end)
	{
		const char *from;
		char	   *word;

		if (IsSeparator(*words))
		{
			words++;
			continue;
		}
		for (from = words; words < end && !IsSeparator(*words);)
			words++;
		word = pnstrdup(from, words - from);
		AddWord(word, &modes, &ordered);
		pfree(word);
	}
	if (ordered && (modes & (MATCH_ANY | MATCH_REUSE)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("mode \"ordered\" cannot be combined with \"%s\"",
						modes & MATCH_ANY ? "any" : "reuse"),
				 errdetail(modes & MATCH_ANY ?
						   "With \"any\", steps may be filled in any order." :
						   "With \"reuse\", one event may fill several steps.")));
	return modes;
}

char *
align_match_modes_text(MatchModes modes)
{
	StringInfoData text;

	initStringInfo(&text);
	for (size_t i = 0; i < lengthof(own_words); i++)
	{
		if (modes & own_words[i].modes)
			appendStringInfo(&text, "%s%s", text.len > 0 ? ", " : "", own_words[i].word);
	}
	if (text.len == 0)
		appendStringInfoString(&text, "ordered");
	return text.data;
}
