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
 * Binary input.  The reader makes sure that the bytes are canonical; other
 * than stored bytes, they may have channels in another encoding.
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
 * Binary output: the stored form, with the channels in the client's encoding.
 */
Datum
align_paths_send(PG_FUNCTION_ARGS)
{
	struct varlena *value = PG_GETARG_VARLENA_PP(0);
	StringInfoData buf;
	PathsReader reader;

	pq_begintypsend(&buf);
	pq_sendbyte(&buf, ALIGN_WIRE_VERSION);
	if (pg_get_client_encoding() == GetDatabaseEncoding())
		pq_sendbytes(&buf, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
	else
	{
		align_paths_read_begin(&reader, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), false);
		align_wire_append_uint(&buf, 0);
		align_wire_append_uint(&buf, reader.nchannels);
		for (int i = 0; i < reader.nchannels; i++)
		{
			LeadString	channel = reader.channels[i];
			char	   *text = pg_server_to_client(channel.text, channel.len);

			align_wire_append_text(&buf, text,
								   text == channel.text ? channel.len : (int) strlen(text));
		}
		align_wire_append_uint(&buf, reader.npaths);
		pq_sendbytes(&buf, (const char *) reader.wire.cur, reader.wire.end - reader.wire.cur);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}
