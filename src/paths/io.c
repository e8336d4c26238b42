/*
 * io.c
 *	  Type paths: in, out, recv, send.
 */
#include "postgres.h"

#include "fmgr.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "paths/paths.h"

PG_FUNCTION_INFO_V1(align_paths_in);
PG_FUNCTION_INFO_V1(align_paths_out);
PG_FUNCTION_INFO_V1(align_paths_recv);
PG_FUNCTION_INFO_V1(align_paths_send);

Datum
align_paths_in(PG_FUNCTION_ARGS)
{
	Paths	   *paths = align_paths_parse(PG_GETARG_CSTRING(0), fcinfo->context);
	struct varlena *result;

	if (paths == NULL)
		PG_RETURN_NULL();
	result = align_paths_flatten(paths);
	MemoryContextDelete(paths->header.eoh_context);
	PG_RETURN_POINTER(result);
}

Datum
align_paths_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(align_paths_write(PG_GETARG_VARLENA_PP(0)));
}

/*
 * Binary input.  The reader makes sure that the bytes are canonical, by the
 * order that channels have in the client's encoding.
 */
Datum
align_paths_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			version = pq_getmsgbyte(buf);
	int			len = buf->len - buf->cursor;
	const char *bytes = pq_getmsgbytes(buf, len);
	WireReader	wire;
	Paths	   *paths;
	struct varlena *result;

	align_wire_begin(&wire, bytes, len, PATHS_TYPE);
	if (version != ALIGN_WIRE_VERSION)
		align_wire_fail(&wire,
						psprintf("Its format version is %d; this release supports only %d.",
								 version, ALIGN_WIRE_VERSION));
	if (len > 0 && bytes[0] != 0)
		align_wire_fail(&wire, "Its flags have bits that this release does not support.");
	paths = align_paths_make(CurrentMemoryContext);
	align_paths_absorb(paths, bytes, len, pg_get_client_encoding() != GetDatabaseEncoding());
	result = align_paths_flatten(paths);
	MemoryContextDelete(paths->header.eoh_context);
	PG_RETURN_POINTER(result);
}

/*
 * The flat form with the channels in the client's encoding, and in the order
 * that they have there: a database of that encoding reads it as its own.
 */
static void
SendConverted(StringInfo out, struct varlena *value)
{
	Paths	   *paths = align_paths_make(CurrentMemoryContext);
	PathsReader reader;
	struct varlena *flat;

	align_paths_read_begin(&reader, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), false);
	for (int i = 0; i < reader.nchannels; i++)
	{
		LeadString *channel = &reader.channels[i];
		char	   *text = pg_server_to_client(channel->text, channel->len);

		if (text != channel->text)
			*channel = align_lead_cstring(text);
	}
	while (align_paths_read_next(&reader))
		align_paths_add_read(paths, &reader);
	align_paths_read_end(&reader);
	flat = align_paths_flatten(paths);
	pq_sendbytes(out, VARDATA(flat), VARSIZE(flat) - VARHDRSZ);
	MemoryContextDelete(paths->header.eoh_context);
}

/*
 * Binary output: the stored form, with the channels in the client's encoding.
 */
Datum
align_paths_send(PG_FUNCTION_ARGS)
{
	struct varlena *value = PG_GETARG_VARLENA_PP(0);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbyte(&buf, ALIGN_WIRE_VERSION);
	if (pg_get_client_encoding() != GetDatabaseEncoding())
		SendConverted(&buf, value);
	else
		pq_sendbytes(&buf, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}
