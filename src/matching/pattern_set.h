/*
 * pattern_set.h
 *	  Sets of small numbers: the positions of a pattern that a search has
 *	  reached.
 *
 * A set is an array of words of 64 bits, as many as the pattern says.
 */
#ifndef ALIGN_PATTERN_SET_H
#define ALIGN_PATTERN_SET_H

#include "compat.h"

#include "port/pg_bitutils.h"

/* Words of a set of the numbers 0 to max. */
#define POSITION_WORDS(max) ((max) / 64 + 1)

static inline bool
align_set_has(const uint64 *set, int number)
{
	return (set[number / 64] >> (number % 64)) & 1;
}

static inline void
align_set_add(uint64 *set, int number)
{
	set[number / 64] |= UINT64CONST(1) << (number % 64);
}

/* Add first to last. */
static inline void
align_set_add_range(uint64 *set, int first, int last)
{
	for (int word = first / 64; word <= last / 64; word++)
	{
		uint64		bits = ~UINT64CONST(0);

		if (word == first / 64)
			bits &= ~UINT64CONST(0) << (first % 64);
		if (word == last / 64)
			bits &= ~UINT64CONST(0) >> (63 - last % 64);
		set[word] |= bits;
	}
}

/* The least member from a number on, -1 if there is none. */
static inline int
align_set_next(const uint64 *set, int nwords, int from)
{
	int			word = from / 64;
	uint64		bits;

	if (word >= nwords)
		return -1;
	bits = set[word] & (~UINT64CONST(0) << (from % 64));
	while (bits == 0)
	{
		if (++word >= nwords)
			return -1;
		bits = set[word];
	}
	return word * 64 + pg_rightmost_one_pos64(bits);
}

/* The greatest member, -1 if there is none. */
static inline int
align_set_last(const uint64 *set, int nwords)
{
	for (int word = nwords - 1; word >= 0; word--)
	{
		if (set[word] != 0)
			return word * 64 + pg_leftmost_one_pos64(set[word]);
	}
	return -1;
}

/* The greatest member of first to last, -1 if there is none. */
static inline int
align_set_last_of_range(const uint64 *set, int first, int last)
{
	for (int word = last / 64; word >= first / 64; word--)
	{
		uint64		bits = set[word];

		if (word == last / 64)
			bits &= ~UINT64CONST(0) >> (63 - last % 64);
		if (word == first / 64)
			bits &= ~UINT64CONST(0) << (first % 64);
		if (bits != 0)
			return word * 64 + pg_leftmost_one_pos64(bits);
	}
	return -1;
}

#endif							/* ALIGN_PATTERN_SET_H */
