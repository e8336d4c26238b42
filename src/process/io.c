/*
 * io.c
 *	  Type process: in, out, recv, send.
 */
#include "postgres.h"

#include "fmgr.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "process/process.h"
#include "value.h"

PG_FUNCTION_INFO_V1(align_process_in);
PG_FUNCTION_INFO_V1(align_process_out);
PG_FUNCTION_INFO_V1(align_process_recv);
PG_FUNCTION_INFO_V1(align_process_send);

Datum
align_process_in(PG_FUNCTION_ARGS)
{
	Process    *process = align_process_parse(PG_GETARG_CSTRING(0), fcinfo->context);
	struct varlena *result;

	if (process == NULL)
		PG_RETURN_NULL();
	result = align_process_flatten(process);
	MemoryContextDelete(PROCESS_CONTEXT(process));
	PG_RETURN_POINTER(result);
}

Datum
align_process_out(PG_FUNCTION_ARGS)
{
	Process    *process = align_process_decode_datum(PG_GETARG_DATUM(0), CurrentMemoryContext,
													 false);
	char	   *result = align_process_write(process);

	MemoryContextDelete(PROCESS_CONTEXT(process));
	PG_RETURN_CSTRING(result);
}

/*
 * Binary input.  A process has exactly one encoding, so the bytes are decoded
 * and encoded again, and refused if the result differs.  Names in another
 * encoding may have another order, which is not an error.
 */
Datum
align_process_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			version = pq_getmsgbyte(buf);
	int			len = buf->len - buf->cursor;
	const char *bytes = pq_getmsgbytes(buf, len);
	bool		from_client = pg_get_client_encoding() != GetDatabaseEncoding();
	Process    *process;
	WireReader	reader;
	struct varlena *result;

	align_wire_begin(&reader, bytes, len, PROCESS_TYPE);
	if (version != ALIGN_WIRE_VERSION)
		align_wire_fail(&reader,
						psprintf("Its format version is %d; this release supports only %d.",
								 version, ALIGN_WIRE_VERSION));
	if (len > 0 && (bytes[0] & ~(PROCESS_WORKING | PROCESS_AS_OF)) != 0)
		align_wire_fail(&reader, "Its flags have bits that this release does not support.");

	process = align_process_decode(&reader, from_client, CurrentMemoryContext, false);
	result = align_process_flatten(process);
	MemoryContextDelete(PROCESS_CONTEXT(process));
	if (!from_client && (VARSIZE_ANY_EXHDR(result) != (size_t) len ||
						 memcmp(VARDATA_ANY(result), bytes, len) != 0))
		align_wire_fail(&reader, "It is not in canonical form.");
	PG_RETURN_POINTER(result);
}

/*
 * The flat form with the names in the client's encoding.
 */
static void
SendConverted(StringInfo out, Datum datum)
{
	Process    *process = align_process_decode_datum(datum, CurrentMemoryContext, false);
	StringInfoData flat;

	for (int i = 0; i < process->nstages; i++)
	{
		LeadString *name = &process->stages[i].name;
		char	   *text = pg_server_to_client(name->text, name->len);

		name->len = text == name->text ? name->len : (int) strlen(text);
		name->text = text;
	}
	initStringInfo(&flat);
	align_process_encode(&flat, process);
	pq_sendbytes(out, flat.data, flat.len);
	MemoryContextDelete(PROCESS_CONTEXT(process));
}

/*
 * Binary output: the stored form, with the names in the client's encoding.
 */
Datum
align_process_send(PG_FUNCTION_ARGS)
{
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbyte(&buf, ALIGN_WIRE_VERSION);
	if (pg_get_client_encoding() != GetDatabaseEncoding())
		SendConverted(&buf, PG_GETARG_DATUM(0));
	else
	{
		struct varlena *value = PG_GETARG_VARLENA_PP(0);

		pq_sendbytes(&buf, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}
