/*
 * io.c
 *	  Type incidence: in, out, recv, send.
 */
#include "postgres.h"

#include "fmgr.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "incidence/incidence.h"

PG_FUNCTION_INFO_V1(align_incidence_in);
PG_FUNCTION_INFO_V1(align_incidence_out);
PG_FUNCTION_INFO_V1(align_incidence_recv);
PG_FUNCTION_INFO_V1(align_incidence_send);

Datum
align_incidence_in(PG_FUNCTION_ARGS)
{
	Incidence  *incidence = align_incidence_parse(PG_GETARG_CSTRING(0), fcinfo->context);
	struct varlena *result;

	if (incidence == NULL)
		PG_RETURN_NULL();
	result = align_incidence_flatten(incidence);
	MemoryContextDelete(incidence->header.eoh_context);
	PG_RETURN_POINTER(result);
}

Datum
align_incidence_out(PG_FUNCTION_ARGS)
{
	Incidence  *incidence = align_incidence_absorb_datum(NULL, PG_GETARG_DATUM(0),
														 CurrentMemoryContext);
	char	   *result = align_incidence_write(incidence);

	MemoryContextDelete(incidence->header.eoh_context);
	PG_RETURN_CSTRING(result);
}

/*
 * Append a flat form whose names are in the client's encoding, with these
 * converted; the rest is copied.
 */
static void
ReceiveConverted(StringInfo out, WireReader *reader)
{
	int			noutcomes;

	align_wire_append_uint(out, align_wire_uint(reader));	/* flags */
	align_wire_append_uint(out, align_wire_uint(reader));	/* unit */
	noutcomes = align_wire_count(reader, 1, INCIDENCE_MAX_OUTCOMES);
	align_wire_append_uint(out, noutcomes);
	for (int i = 0; i < noutcomes; i++)
	{
		uint64		len = align_wire_uint(reader);
		const char *name = align_wire_bytes(reader, len);
		char	   *text = pg_client_to_server(name, (int) len);

		align_wire_append_text(out, text, text == name ? (int) len : (int) strlen(text));
	}
	appendBinaryStringInfo(out, (const char *) reader->cur, reader->end - reader->cur);
}

/*
 * Binary input.  A summary has exactly one encoding, so the bytes are decoded
 * and encoded again, and refused if the result differs; except that names from
 * another encoding may come in another order.
 */
Datum
align_incidence_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			version = pq_getmsgbyte(buf);
	int			len = buf->len - buf->cursor;
	const char *bytes = pq_getmsgbytes(buf, len);
	bool		converted = pg_get_client_encoding() != GetDatabaseEncoding();
	Incidence  *incidence;
	WireReader	reader;
	const char *wrong;
	struct varlena *result;

	align_wire_begin(&reader, bytes, len, INCIDENCE_TYPE);
	if (version != ALIGN_WIRE_VERSION)
		align_wire_fail(&reader,
						psprintf("Its format version is %d; this release supports only %d.",
								 version, ALIGN_WIRE_VERSION));
	if (len > 0 && bytes[0] != 0)
		align_wire_fail(&reader, "Its flags have bits that this release does not support.");
	if (converted)
	{
		StringInfo	body = makeStringInfo();

		ReceiveConverted(body, &reader);
		bytes = body->data;
		len = body->len;
		align_wire_begin(&reader, bytes, len, INCIDENCE_TYPE);
	}

	incidence = align_incidence_absorb(NULL, &reader, CurrentMemoryContext);
	wrong = align_incidence_check(incidence);
	if (wrong != NULL)
		align_wire_fail(&reader, wrong);
	result = align_incidence_flatten(incidence);
	MemoryContextDelete(incidence->header.eoh_context);

	if (VARSIZE_ANY_EXHDR(result) != (size_t) len ||
		(!converted && memcmp(VARDATA_ANY(result), bytes, len) != 0))
		align_wire_fail(&reader, "It is not in canonical form.");
	PG_RETURN_POINTER(result);
}

/*
 * The flat form with the names in the client's encoding, and in the order that
 * they have there: a database of that encoding reads it as its own.
 */
static void
SendConverted(StringInfo out, Datum datum)
{
	Incidence  *incidence = align_incidence_absorb_datum(NULL, datum, CurrentMemoryContext);
	struct varlena *flat;

	for (int i = 0; i < incidence->noutcomes; i++)
	{
		IncidenceOutcome *outcome = &incidence->outcomes[i];
		char	   *text = pg_server_to_client(outcome->name, outcome->len);

		outcome->len = text == outcome->name ? outcome->len : (int) strlen(text);
		outcome->name = text;
	}
	flat = align_incidence_flatten(incidence);
	pq_sendbytes(out, VARDATA(flat), VARSIZE(flat) - VARHDRSZ);
	MemoryContextDelete(incidence->header.eoh_context);
}

/*
 * Binary output: the stored form, with the names in the client's encoding.
 */
Datum
align_incidence_send(PG_FUNCTION_ARGS)
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
