/*
 * events.c
 *	  The transition function of an aggregate with the arguments of
 *	  window_funnel that does nothing.
 *
 * This is not part of the extension.  test/bench/run compiles it into a
 * library of its own.
 */
#include "postgres.h"

#include "fmgr.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(bench_no_op_trans);

Datum
bench_no_op_trans(PG_FUNCTION_ARGS)
{
	return PG_GETARG_DATUM(0);
}
