/*
 * words.h
 *	  Recognising the words of the calendar's grammar.
 *
 * The shared scanner would take "Mo-Fr" for one word; here a word is a run of
 * letters.  Letters and digits are ASCII in any locale; words are not
 * case-sensitive.
 */
#ifndef ALIGN_CALENDAR_WORDS_H
#define ALIGN_CALENDAR_WORDS_H

#include "datatype/timestamp.h"

#include "calendar/rules.h"

/* True if the run of letters at p is this word. */
extern bool align_is_word(const char *p, const char *word);

/* Index in the list of the word at p, -1 if it is none of them. */
extern int	align_lookup_word(const char *p, const char *const *words, int n);

static inline bool
IsLetter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool
IsDigit(char c)
{
	return c >= '0' && c <= '9';
}

static inline int
CountLetters(const char *p)
{
	int			n = 0;

	while (IsLetter(p[n]))
		n++;
	return n;
}

static inline int
CountDigits(const char *p)
{
	int			n = 0;

	while (IsDigit(p[n]))
		n++;
	return n;
}

static inline bool
IsWeekday(const char *p)
{
	return align_lookup_word(p, align_weekday_names, WEEK_DAYS) >= 0;
}

static inline bool
IsMonth(const char *p)
{
	return align_lookup_word(p, align_month_names, MONTHS_PER_YEAR) >= 0;
}

static inline bool
IsClosed(const char *p)
{
	return align_is_word(p, "off") || align_is_word(p, "closed");
}

#endif							/* ALIGN_CALENDAR_WORDS_H */
