/*
 * io.c
 *	  Type conversion: in, out, recv, send.
 */
#include "postgres.h"

#include "fmgr.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "conversion/conversion.h"

PG_FUNCTION_INFO_V1(align_conversion_in);
PG_FUNCTION_INFO_V1(align_conversion_out);
PG_FUNCTION_INFO_V1(align_conversion_recv);
PG_FUNCTION_INFO_V1(align_conversion_send);

Datum
align_conversion_in(PG_FUNCTION_ARGS)
{
	Conversion *conversion = align_conversion_parse(PG_GETARG_CSTRING(0), fcinfo->context);
	struct varlena *result;

	if (conversion == NULL)
		PG_RETURN_NULL();
	result = align_conversion_flatten(conversion);
	MemoryContextDelete(conversion->header.eoh_context);
	PG_RETURN_POINTER(result);
}

Datum
align_conversion_out(PG_FUNCTION_ARGS)
{
	Conversion *conversion = align_conversion_absorb_datum(NULL, PG_GETARG_DATUM(0),
														   CurrentMemoryContext);
	char	   *result = align_conversion_write(conversion);

	MemoryContextDelete(conversion->header.eoh_context);
	PG_RETURN_CSTRING(result);
}

/*
 * The received bytes with the names converted from the client's encoding.
 */
static StringInfo
BodyFromClient(const char *bytes, int len)
{
	StringInfo	body = makeStringInfo();
	ConversionIdentity identity;
	WireReader	reader;

	align_wire_begin(&reader, bytes, len, CONVERSION_TYPE);
	align_wire_append_uint(body, align_wire_uint(&reader));
	align_identity_read(&identity, &reader, true);
	align_identity_encode(body, &identity);
	appendBinaryStringInfo(body, (const char *) reader.cur, reader.end - reader.cur);
	return body;
}

/*
 * Binary input.  A summary has exactly one encoding, so the bytes are decoded
 * and encoded again, and refused if the result differs.
 */
Datum
align_conversion_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			version = pq_getmsgbyte(buf);
	int			len = buf->len - buf->cursor;
	const char *bytes = pq_getmsgbytes(buf, len);
	Conversion *conversion;
	WireReader	reader;
	struct varlena *result;

	align_wire_begin(&reader, bytes, len, CONVERSION_TYPE);
	if (version != ALIGN_WIRE_VERSION)
		align_wire_fail(&reader,
						psprintf("Its format version is %d; this release supports only %d.",
								 version, ALIGN_WIRE_VERSION));
	if (len > 0 && (bytes[0] & ~CONVERSION_ALL_FLAGS) != 0)
		align_wire_fail(&reader, "Its flags have bits that this release does not support.");
	if (pg_get_client_encoding() != GetDatabaseEncoding())
	{
		StringInfo	body = BodyFromClient(bytes, len);

		bytes = body->data;
		len = body->len;
		align_wire_begin(&reader, bytes, len, CONVERSION_TYPE);
	}

	conversion = align_conversion_absorb(NULL, &reader, CurrentMemoryContext);
	result = align_conversion_flatten(conversion);
	MemoryContextDelete(conversion->header.eoh_context);

	if (VARSIZE_ANY_EXHDR(result) != (size_t) len || memcmp(VARDATA_ANY(result), bytes, len) != 0)
		align_wire_fail(&reader, "It is not in canonical form.");
	PG_RETURN_POINTER(result);
}

static void
NameToClient(LeadString *name)
{
	char	   *text = pg_server_to_client(name->text, name->len);

	name->len = text == name->text ? name->len : (int) strlen(text);
	name->text = text;
}

/*
 * Convert all names of an identity to the client's encoding.
 */
static void
NamesToClient(ConversionIdentity *identity)
{
	StepList   *list = &identity->list;

	if (identity->kind == CONVERSION_FUNNEL)
	{
		for (int i = 0; i < identity->nsteps; i++)
			NameToClient(&identity->names[i]);
		return;
	}
	for (int i = 0; i < list->nsteps; i++)
	{
		for (int j = 0; j < list->steps[i].nstages; j++)
			NameToClient(&list->steps[i].stages[j]);
	}
	for (int i = 0; i < list->nexclude; i++)
		NameToClient(&list->exclude[i]);
	if (list->zone.text != NULL)
		NameToClient(&list->zone);
}

/*
 * Binary output: the stored form, with the names in the client's encoding.
 */
Datum
align_conversion_send(PG_FUNCTION_ARGS)
{
	struct varlena *value = PG_GETARG_VARLENA_PP(0);
	WireReader	reader;
	StringInfoData buf;

	align_wire_begin(&reader, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), CONVERSION_TYPE);
	pq_begintypsend(&buf);
	pq_sendbyte(&buf, ALIGN_WIRE_VERSION);
	if (pg_get_client_encoding() != GetDatabaseEncoding())
	{
		ConversionIdentity identity;

		align_wire_append_uint(&buf, align_wire_uint(&reader));
		align_identity_read(&identity, &reader, false);
		NamesToClient(&identity);
		align_identity_encode(&buf, &identity);
	}
	pq_sendbytes(&buf, (const char *) reader.cur, reader.end - reader.cur);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}
