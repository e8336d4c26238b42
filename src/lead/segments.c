/*
 * segments.c
 *	  The segments of an entry: the names of those that held of its row.
 *
 * A dictionary string holds all segments of an entry, as the text form writes
 * them: names sorted by bytes, each once, bare or in double quotes, separated
 * by a comma and a space.  Entries mostly have one of a few such lists, so an
 * entry takes one byte more for its segments.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "lead/lead.h"
#include "text_scan.h"

static int
CompareNames(const void *a, const void *b)
{
	const LeadString *left = (const LeadString *) a;
	const LeadString *right = (const LeadString *) b;
	int			result = memcmp(left->text, right->text, Min(left->len, right->len));

	return result != 0 ? result : left->len - right->len;
}

/*
 * The canonical list of n names, palloc'd; absent if n is 0.  Sorts the array.
 */
LeadString
align_segments_sorted(LeadString *names, int n)
{
	StringInfoData out;

	if (n == 0)
		return align_lead_bytes(NULL, 0);
	qsort(names, n, sizeof(LeadString), CompareNames);
	initStringInfo(&out);
	for (int i = 0; i < n; i++)
	{
		if (i > 0 && CompareNames(&names[i - 1], &names[i]) == 0)
			continue;
		if (i > 0)
			appendStringInfoString(&out, ", ");
		align_write_name(&out, names[i].text, names[i].len);
	}
	return align_lead_bytes(out.data, out.len);
}

/*
 * The canonical list of an array of names, in which NULLs are ignored; absent
 * if there are no names.
 */
LeadString
align_segments_list(ArrayType *names)
{
	Datum	   *elements;
	bool	   *nulls;
	int			nelements;
	LeadString *strings;
	int			n = 0;
	LeadString	list;

	deconstruct_array(names, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &nelements);
	strings = palloc(Max(nelements, 1) * sizeof(LeadString));
	for (int i = 0; i < nelements; i++)
	{
		if (!nulls[i])
			strings[n++] = align_lead_varlena(elements[i]);
	}
	list = align_segments_sorted(strings, n);
	pfree(strings);
	return list;
}

/*
 * Moves past the next name of a list, which is in place, or palloc'd if it was
 * quoted; false at the end.  Any bytes can be read, canonical or not.
 */
bool
align_segments_next(LeadString *list, LeadString *name)
{
	const char *p = list->text;
	const char *end = p + list->len;

	if (list->text == NULL || list->len == 0)
		return false;
	if (*p == '"')
	{
		char	   *unquoted = palloc(list->len);
		int			len = 0;

		/* a quote in the name is doubled */
		for (p++; p < end && (*p != '"' || (p + 1 < end && p[1] == '"')); p++)
		{
			unquoted[len++] = *p;
			if (*p == '"')
				p++;
		}
		*name = align_lead_bytes(unquoted, len);
		p = Min(p + 1, end);
	}
	else
	{
		while (p < end && *p != ',')
			p++;
		*name = align_lead_bytes(list->text, (int) (p - list->text));
	}
	while (p < end && (*p == ',' || *p == ' '))
		p++;
	*list = align_lead_bytes(p, (int) (end - p));
	return true;
}

/*
 * The names of a list; sets *n.
 */
static LeadString *
ReadNames(LeadString list, int *n)
{
	int			room = 8;
	LeadString *names = palloc(room * sizeof(LeadString));

	*n = 0;
	while (align_segments_next(&list, &names[*n]))
	{
		if (++*n == room)
		{
			room *= 2;
			names = repalloc_huge(names, room * sizeof(LeadString));
		}
	}
	return names;
}

/*
 * The canonical list of the names in a list; absent if it has none.
 */
LeadString
align_segments_canonical(LeadString list)
{
	int			n;
	LeadString *names = ReadNames(list, &n);

	return align_segments_sorted(names, n);
}

/*
 * text[] of the names in a list.
 */
Datum
align_segments_array(LeadString list)
{
	int			n;
	LeadString *names = ReadNames(list, &n);
	Datum	   *elements = palloc(Max(n, 1) * sizeof(Datum));

	for (int i = 0; i < n; i++)
		elements[i] = align_lead_text_datum(names[i]);
	return PointerGetDatum(construct_array(elements, n, TEXTOID, -1, false, TYPALIGN_INT));
}
