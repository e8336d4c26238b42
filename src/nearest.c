/*
 * nearest.c
 *	  Hints for unknown names.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/varlena.h"

#include "nearest.h"

/*
 * Longer names are neither compared (the limit of the function is 255) nor
 * shown.
 */
#define NEAREST_MAX_LEN 100
/* So many names are listed. */
#define HINT_MAX_NAMES 20

/*
 * The candidate that a misspelt name probably means: one that differs only in
 * case, else the one that differs in the fewest letters, if these are few
 * enough.  NULL if there is none.
 */
const char *
align_nearest(const char *name, int len, const char **candidates, int n)
{
	const char *best = NULL;
	int			best_distance = 0;

	if (len == 0 || len > NEAREST_MAX_LEN)
		return NULL;
	for (int i = 0; i < n; i++)
	{
		int			candidate_len = strlen(candidates[i]);
		int			shorter = Min(len, candidate_len);
		int			allowed = shorter < 5 ? 1 : Max(2, shorter / 3);
		int			distance;

		if (candidate_len == 0 || candidate_len > NEAREST_MAX_LEN)
			continue;
		if (candidate_len == len && pg_strncasecmp(name, candidates[i], len) == 0)
			return candidates[i];
		/* any two names of one letter differ in one */
		if (shorter < 2)
			continue;
		distance = varstr_levenshtein_less_equal(name, len, candidates[i], candidate_len,
												 1, 1, 1, allowed, true);
		if (distance <= allowed && (best == NULL || distance < best_distance))
		{
			best = candidates[i];
			best_distance = distance;
		}
	}
	return best;
}

char *
align_nearest_text(const char *nearest)
{
	return psprintf("Perhaps you meant \"%s\".", nearest);
}

/*
 * A hint for an unknown name: the nearest candidate, else all of them if they
 * are few and short, else NULL.
 */
char *
align_nearest_hint(const char *name, int len, const char **candidates, int n)
{
	const char *nearest = align_nearest(name, len, candidates, n);
	StringInfoData hint;

	if (nearest != NULL)
		return align_nearest_text(nearest);
	if (n == 0 || n > HINT_MAX_NAMES)
		return NULL;
	initStringInfo(&hint);
	appendStringInfoString(&hint, "Known names are: ");
	for (int i = 0; i < n; i++)
	{
		if (strlen(candidates[i]) > NEAREST_MAX_LEN)
			return NULL;
		if (i > 0)
			appendStringInfoString(&hint, ", ");
		appendStringInfoString(&hint, candidates[i]);
	}
	appendStringInfoChar(&hint, '.');
	return hint.data;
}
