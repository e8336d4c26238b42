/*
 * labels.c
 *	  infer_agg: the labels of won and lost stages that its arguments list.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "infer/infer.h"

LeadString *
align_infer_names(ArrayType *array, const char *argument, int *count)
{
	Datum	   *elements;
	LeadString *names;

	*count = 0;
	if (array == NULL || ARR_NDIM(array) == 0)
		return NULL;
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s must be a one-dimensional array", argument)));
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not contain nulls", argument)));

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, NULL, count);
	names = palloc(*count * sizeof(LeadString));
	for (int i = 0; i < *count; i++)
	{
		names[i].text = VARDATA_ANY(DatumGetPointer(elements[i]));
		names[i].len = VARSIZE_ANY_EXHDR(DatumGetPointer(elements[i]));
		if (names[i].len == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s must not contain an empty label", argument)));
	}
	return names;
}

bool
align_infer_listed(LeadString name, const LeadString *names, int count)
{
	for (int i = 0; i < count; i++)
	{
		if (name.len == names[i].len && memcmp(name.text, names[i].text, name.len) == 0)
			return true;
	}
	return false;
}
