/*
 * io.c
 *	  Text and binary forms of type funnel.
 */
#include "postgres.h"

#include "fmgr.h"

#include "funnel/funnel.h"

PG_FUNCTION_INFO_V1(align_funnel_in);
PG_FUNCTION_INFO_V1(align_funnel_out);
PG_FUNCTION_INFO_V1(align_funnel_recv);
PG_FUNCTION_INFO_V1(align_funnel_send);

Datum
align_funnel_in(PG_FUNCTION_ARGS)
{
	TextValue  *value = align_funnel_parse(PG_GETARG_CSTRING(0), fcinfo->context);

	if (value == NULL)
		PG_RETURN_NULL();		/* after a soft error */
	PG_RETURN_POINTER(value);
}

Datum
align_funnel_out(PG_FUNCTION_ARGS)
{
	TextValue  *value = align_text_value_arg(PG_GETARG_DATUM(0), "funnel");

	PG_RETURN_CSTRING(align_text_value_cstring(value));
}

Datum
align_funnel_recv(PG_FUNCTION_ARGS)
{
	char	   *document = align_text_value_recv((StringInfo) PG_GETARG_POINTER(0), "funnel");

	PG_RETURN_POINTER(align_funnel_parse(document, NULL));
}

Datum
align_funnel_send(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(align_text_value_send(align_text_value_arg(PG_GETARG_DATUM(0), "funnel")));
}
