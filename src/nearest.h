/*
 * nearest.h
 *	  Hints for unknown names.
 */
#ifndef ALIGN_NEAREST_H
#define ALIGN_NEAREST_H

#include "compat.h"

/* The candidate that a misspelt name probably means, NULL if none. */
extern const char *align_nearest(const char *name, int len, const char **candidates, int n);

/* The sentence "Perhaps you meant "x".", palloc'd. */
extern char *align_nearest_text(const char *nearest);

/*
 * The same of the nearest candidate, else all of them if they are few and
 * short, else NULL.
 */
extern char *align_nearest_hint(const char *name, int len, const char **candidates, int n);

#endif							/* ALIGN_NEAREST_H */
