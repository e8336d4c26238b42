/*
 * words.c
 *	  Words of the calendar's grammar, and hints for unsupported ones.
 */
#include "postgres.h"

#include "calendar/words.h"

/*
 * True if the run of letters at p is this word.
 */
bool
align_is_word(const char *p, const char *word)
{
	size_t		len = strlen(word);

	return (size_t) CountLetters(p) == len && pg_strncasecmp(p, word, len) == 0;
}

/*
 * Index in the list of the word at p, -1 if it is none of them.
 */
int
align_lookup_word(const char *p, const char *const *words, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (align_is_word(p, words[i]))
			return i;
	}
	return -1;
}

/*
 * Words that begin a rule of the full opening_hours specification but are not
 * supported here.  They are not taken for a zone at the beginning of the text.
 */
static const struct
{
	const char *word;
	const char *hint;
}			UnsupportedWords[] =

{
	{"PH", "Public holidays are not built in: close their dates with align.with_holidays(calendar, date[])."},
	{"SH", "School holidays are not built in: close their dates with align.with_holidays(calendar, date[])."},
	{"easter", "Movable feasts are not built in: close their dates with align.with_holidays(calendar, date[])."},
	{"week", "Week numbers are not supported: name the days."},
	{"sunrise", "Only clock times are supported."},
	{"sunset", "Only clock times are supported."},
	{"dawn", "Only clock times are supported."},
	{"dusk", "Only clock times are supported."},
	{"open", "For a whole day write 00:00-24:00."},
	{"unknown", "A calendar is either open or closed: write times or \"off\"."},
};

/*
 * The name to write instead of a longer form of a weekday or month (at least
 * three letters of its full name); NULL if the word at p is none.
 */
static const char *
Abbreviation(const char *p)
{
	static const char *const weekdays[WEEK_DAYS] =
	{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};
	static const char *const months[MONTHS_PER_YEAR] =
	{"january", "february", "march", "april", "may", "june", "july",
	"august", "september", "october", "november", "december"};
	size_t		len = CountLetters(p);

	if (len < 3)
		return NULL;
	for (int i = 0; i < WEEK_DAYS; i++)
	{
		if (len <= strlen(weekdays[i]) && pg_strncasecmp(p, weekdays[i], len) == 0)
			return align_weekday_names[i];
	}
	for (int i = 0; i < MONTHS_PER_YEAR; i++)
	{
		/* three letters are the name itself */
		if (len > 3 && len <= strlen(months[i]) && pg_strncasecmp(p, months[i], len) == 0)
			return align_month_names[i];
	}
	return NULL;
}

/*
 * Hint for unexpected text that is an unsupported part of the opening_hours
 * specification or a common mistake; NULL for other text.
 */
const char *
align_rules_hint(const char *text)
{
	const char *abbreviation = Abbreviation(text);

	if (abbreviation != NULL)
		return psprintf("Write it as %s.", abbreviation);
	for (size_t i = 0; i < lengthof(UnsupportedWords); i++)
	{
		if (align_is_word(text, UnsupportedWords[i].word))
			return UnsupportedWords[i].hint;
	}
	switch (*text)
	{
		case '"':
			return "Comments are not supported.";
		case '|':
			return "Fallback rules are not supported: separate rules with \";\"; the last one that names a day decides.";
		case '+':
			return "Open ends are not supported: write a closing time.";
		case '[':
			return "The nth weekday of a month is not supported: name the dates.";
		case '(':
			return "Variable times are not supported.";
		case '/':
			return "Intervals are not supported: write every span.";
		default:
			return NULL;
	}
}
