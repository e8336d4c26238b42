/*
 * io.c
 *	  Type lead: in, out, recv, send.
 */
#include "postgres.h"

#include "fmgr.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

#include "lead/amount.h"
#include "lead/lead.h"

PG_FUNCTION_INFO_V1(align_lead_in);
PG_FUNCTION_INFO_V1(align_lead_out);
PG_FUNCTION_INFO_V1(align_lead_recv);
PG_FUNCTION_INFO_V1(align_lead_send);

Datum
align_lead_in(PG_FUNCTION_ARGS)
{
	struct varlena *lead = align_lead_parse(PG_GETARG_CSTRING(0), fcinfo->context);

	if (lead == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(lead);
}

Datum
align_lead_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(align_lead_write(PG_GETARG_VARLENA_PP(0)));
}

/*
 * The checks of received entries that the reader does not make.
 *
 * Each string is checked once, because many entries of a few bytes may refer
 * to one of a megabyte.
 */
static void
CheckEntries(LeadReader *reader, bool converted)
{
	bool	   *is_amount = palloc0(reader->nstrings * sizeof(bool));
	bool	   *is_list = palloc0(reader->nstrings * sizeof(bool));
	LeadEntry	entry;

	while (align_lead_next(reader, &entry))
	{
		CHECK_FOR_INTERRUPTS();
		if (entry.stage < 0 && entry.campaign < 0)
			align_wire_fail(&reader->wire, "An entry has neither a stage nor a campaign.");
		if (entry.amount >= 0 && !is_amount[entry.amount])
		{
			LeadString	amount = reader->strings[entry.amount];

			if (!align_amount_is_canonical(amount.text, amount.len))
				align_wire_fail(&reader->wire, "An amount is not a canonical decimal number.");
			is_amount[entry.amount] = true;
		}
		if (entry.segments >= 0 && !is_list[entry.segments])
		{
			LeadString *list = &reader->strings[entry.segments];
			LeadString	canonical = align_segments_canonical(*list);

			/* the names may sort differently in another encoding */
			if (converted && canonical.len == list->len)
				*list = canonical;
			else if (!align_lead_same(canonical, *list))
				align_wire_fail(&reader->wire, "The segments of an entry are not a canonical list.");
			is_list[entry.segments] = true;
		}
	}
	align_wire_end(&reader->wire);
	pfree(is_amount);
	pfree(is_list);
}

/*
 * Converts the dictionary from the client's encoding, and checks that every
 * string is valid in it.  Returns true if any string changed.
 */
static bool
ConvertDictionary(LeadReader *reader)
{
	bool		converted = false;

	for (int i = 0; i < reader->nstrings; i++)
	{
		LeadString *string = &reader->strings[i];
		char	   *text = pg_client_to_server(string->text, string->len);

		if (text != string->text)
		{
			string->text = text;
			string->len = strlen(text);
			converted = true;
		}
	}
	return converted;
}

/*
 * Binary input.
 *
 * A journey has exactly one encoding.  So the received bytes are decoded and
 * encoded again, and refused if the result differs: that finds entries out of
 * order, strings that are unused or repeated in the dictionary, and a unit
 * that is too fine.
 *
 * Where strings were converted from another encoding, simultaneous entries may
 * sort differently; then the result is taken as it is.
 */
Datum
align_lead_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			version = pq_getmsgbyte(buf);
	int			len = buf->len - buf->cursor;
	const char *bytes = pq_getmsgbytes(buf, len);
	LeadReader	reader;
	WireReader	entries;
	LeadBuilder *builder;
	struct varlena *lead;
	bool		converted;

	align_wire_begin(&reader.wire, bytes, len, "lead");
	if (version != ALIGN_WIRE_VERSION)
		align_wire_fail(&reader.wire,
						psprintf("Its format version is %d; this release supports only %d.",
								 version, ALIGN_WIRE_VERSION));
	if (len > 0 && (bytes[0] & ~LEAD_FLAG_SEGMENTS) != 0)
		align_wire_fail(&reader.wire, "Its flags have bits that this release does not support.");
	align_lead_read_bytes(&reader, bytes, len);
	converted = ConvertDictionary(&reader);

	/* read the entries twice: to check them, and for the builder */
	entries = reader.wire;
	CheckEntries(&reader, converted);
	reader.wire = entries;
	reader.next = 0;

	builder = align_lead_builder(CurrentMemoryContext);
	align_lead_add_rest(builder, &reader);
	lead = align_lead_encode(builder, false);
	if (!converted &&
		(VARSIZE_ANY_EXHDR(lead) != (size_t) len || memcmp(VARDATA_ANY(lead), bytes, len) != 0))
		align_wire_fail(&reader.wire,
						"Its entries, dictionary or unit are not in canonical form.");
	align_lead_read_end(&reader);
	PG_RETURN_POINTER(lead);
}

/*
 * Binary output: the stored form, with the strings in the client's encoding.
 */
Datum
align_lead_send(PG_FUNCTION_ARGS)
{
	struct varlena *lead = PG_GETARG_VARLENA_PP(0);
	LeadReader	reader;
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbyte(&buf, ALIGN_WIRE_VERSION);

	if (pg_get_client_encoding() == GetDatabaseEncoding())
	{
		pq_sendbytes(&buf, VARDATA_ANY(lead), VARSIZE_ANY_EXHDR(lead));
		PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
	}

	/* only the dictionary differs: entries refer to strings by index */
	align_lead_read(&reader, lead);
	pq_sendbyte(&buf, reader.flags);
	pq_sendbyte(&buf, reader.unit_code);
	align_wire_append_uint(&buf, reader.nstrings);
	for (int i = 0; i < reader.nstrings; i++)
	{
		LeadString	string = reader.strings[i];
		int			word = align_lead_word(string.text, string.len);
		char	   *text;
		int			len;

		if (word >= 0)
		{
			align_wire_append_uint(&buf, (uint64) word * 2 + 1);
			continue;
		}
		text = pg_server_to_client(string.text, string.len);
		len = text == string.text ? string.len : (int) strlen(text);
		align_wire_append_uint(&buf, (uint64) len * 2);
		pq_sendbytes(&buf, text, len);
	}
	align_wire_append_uint(&buf, reader.nentries);
	pq_sendbytes(&buf, (const char *) reader.wire.cur, reader.wire.end - reader.wire.cur);
	align_lead_read_end(&reader);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}
