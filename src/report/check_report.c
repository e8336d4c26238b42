/*
 * check_report.c
 *	  The rows that align.check() returns.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "attachment/key.h"
#include "report/check.h"

/*
 * Returns one difference in the current lead, or in the tables as such.
 */
void
align_check_report(const Check *check, const char *problem, const char *recorded,
				   const char *expected)
{
	Datum		values[4];
	bool		nulls[4] = {false};

	nulls[0] = check->key == NULL;
	values[0] = nulls[0] ? (Datum) 0 : align_key_jsonb(check->attachment, check->key);
	values[1] = CStringGetTextDatum(problem);
	nulls[2] = recorded == NULL;
	values[2] = nulls[2] ? (Datum) 0 : CStringGetTextDatum(recorded);
	nulls[3] = expected == NULL;
	values[3] = nulls[3] ? (Datum) 0 : CStringGetTextDatum(expected);
	tuplestore_putvalues(check->rsinfo->setResult, check->rsinfo->setDesc, values, nulls);
}
