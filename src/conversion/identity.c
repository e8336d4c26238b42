/*
 * identity.c
 *	  The identity of a conversion: its steps, mode and window, or its funnel.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "conversion/conversion.h"

static const char *const mode_names[] = {
	[CONVERSION_ORDERED] = "ordered",
};

const char *
align_mode_name(ConversionMode mode)
{
	return mode_names[mode];
}

void
align_identity_encode(StringInfo out, const ConversionIdentity *identity)
{
	appendStringInfoChar(out, (char) identity->kind);
	if (identity->kind == CONVERSION_STEPS)
	{
		appendStringInfoChar(out, (char) identity->mode);
		align_wire_append_uint(out, identity->within < 0 ? 0 : (uint64) identity->within + 1);
	}
	else
	{
		for (int shift = 56; shift >= 0; shift -= 8)
			appendStringInfoChar(out, (char) (identity->fingerprint >> shift));
	}
	align_wire_append_uint(out, identity->nsteps);
	for (int i = 0; i < identity->nsteps; i++)
		align_wire_append_text(out, identity->names[i].text, identity->names[i].len);
}

void
align_identity_make(ConversionIdentity *identity)
{
	StringInfoData bytes;
	WireReader	reader;

	initStringInfo(&bytes);
	align_identity_encode(&bytes, identity);
	align_wire_begin(&reader, bytes.data, bytes.len, CONVERSION_TYPE);
	align_identity_read(identity, &reader, false);
}

bool
align_name_repeats(const LeadString *names, int n, LeadString name)
{
	for (int i = 0; i < n; i++)
	{
		if (names[i].len == name.len && memcmp(names[i].text, name.text, name.len) == 0)
			return true;
	}
	return false;
}

/*
 * Read a name in the client's encoding, check that it is valid, and convert
 * it.
 */
static LeadString
ReadClientName(WireReader *reader)
{
	uint64		len = align_wire_uint(reader);
	const char *bytes;
	LeadString	name;

	if (len > (uint64) (reader->end - reader->cur))
		align_wire_fail(reader, "A text is longer than the bytes that follow it.");
	bytes = align_wire_bytes(reader, len);
	name.text = pg_client_to_server(bytes, (int) len);
	name.len = name.text == bytes ? (int) len : (int) strlen(name.text);
	return name;
}

void
align_identity_read(ConversionIdentity *identity, WireReader *reader, bool from_client)
{
	const char *start = (const char *) reader->cur;
	int			least_steps = 1;

	memset(identity, 0, sizeof(*identity));
	identity->within = -1;
	identity->kind = align_wire_byte(reader);
	if (identity->kind == CONVERSION_STEPS)
	{
		uint64		window;

		identity->mode = align_wire_byte(reader);
		if ((unsigned int) identity->mode >= lengthof(mode_names))
			align_wire_fail(reader, "Its mode is not supported by this release.");
		/* 0 is no window, else 1 + the window */
		window = align_wire_uint(reader);
		if (window > (uint64) PG_INT64_MAX + 1)
			align_wire_fail(reader, "Its window is out of range.");
		identity->within = window == 0 ? -1 : (int64) (window - 1);
	}
	else if (identity->kind == CONVERSION_FUNNEL)
	{
		const uint8 *fingerprint = (const uint8 *) align_wire_bytes(reader, 8);

		for (int i = 0; i < 8; i++)
			identity->fingerprint = identity->fingerprint << 8 | fingerprint[i];
		least_steps = 2;
	}
	else
		align_wire_fail(reader, "Its kind is not supported by this release.");

	identity->nsteps = align_wire_count(reader, 1, CONVERSION_MAX_STEPS);
	if (identity->nsteps < least_steps)
		align_wire_fail(reader, "It has too few steps.");
	/* steps may repeat a name, the success path of a funnel may not */
	identity->names = palloc(identity->nsteps * sizeof(LeadString));
	for (int i = 0; i < identity->nsteps; i++)
	{
		LeadString	name;

		if (from_client)
			name = ReadClientName(reader);
		else
			name.text = align_wire_text(reader, &name.len);
		if (identity->kind == CONVERSION_FUNNEL && align_name_repeats(identity->names, i, name))
			align_wire_fail(reader, "A stage occurs twice on its success path.");
		identity->names[i] = name;
	}
	identity->bytes = start;
	identity->len = (const char *) reader->cur - start;
}

void
align_write_names(StringInfo out, const ConversionIdentity *identity)
{
	appendStringInfoChar(out, '(');
	for (int i = 0; i < identity->nsteps; i++)
	{
		if (i > 0)
			appendStringInfoString(out, ", ");
		align_write_name(out, identity->names[i].text, identity->names[i].len);
	}
	appendStringInfoChar(out, ')');
}

/*
 * Append a window in the largest unit of which it is a multiple.
 */
void
align_write_window(StringInfo out, int64 within)
{
	static const struct
	{
		const char *name;
		int64		microseconds;
	}			units[] = {
		{"day", USECS_PER_DAY}, {"hour", USECS_PER_HOUR}, {"minute", USECS_PER_MINUTE},
		{"second", USECS_PER_SEC}, {"microsecond", 1}
	};
	int			unit = 0;

	if (within == 0)
		unit = 3;
	while (within % units[unit].microseconds != 0)
		unit++;
	within /= units[unit].microseconds;
	appendStringInfo(out, INT64_FORMAT " %s%s", within, units[unit].name, within == 1 ? "" : "s");
}

static char *
NamesText(const ConversionIdentity *identity)
{
	StringInfoData text;

	initStringInfo(&text);
	align_write_names(&text, identity);
	return text.data;
}

static char *
WindowText(const ConversionIdentity *identity)
{
	StringInfoData text;

	if (identity->within < 0)
		return pstrdup("no window");
	initStringInfo(&text);
	align_write_window(&text, identity->within);
	return text.data;
}

void
align_identity_differs(const ConversionIdentity *a, const ConversionIdentity *b, bool rows)
{
	const char *what;
	const char *hint = NULL;
	char	   *detail;
	bool		same_names;

	/* name the most basic of the differences */
	same_names = a->nsteps == b->nsteps;
	for (int i = 0; same_names && i < a->nsteps; i++)
		same_names = align_name_repeats(&a->names[i], 1, b->names[i]);

	if (a->kind != b->kind)
	{
		what = "kinds";
		detail = psprintf("One is along the steps %s, "
						  "the other along a funnel with the success path %s.",
						  NamesText(a->kind == CONVERSION_STEPS ? a : b),
						  NamesText(a->kind == CONVERSION_STEPS ? b : a));
	}
	else if (!same_names)
	{
		what = a->kind == CONVERSION_FUNNEL ? "funnels" : "steps";
		detail = psprintf("One is along %s, the other along %s.", NamesText(a), NamesText(b));
	}
	else if (a->kind == CONVERSION_FUNNEL)
	{
		what = "funnels";
		detail = psprintf("Their success paths are equal, but the agreements differ elsewhere "
						  "(fingerprints %016llx and %016llx).",
						  (unsigned long long) a->fingerprint,
						  (unsigned long long) b->fingerprint);
		hint = "Group by the version of the agreement, or judge all leads by the same version.";
	}
	else if (a->within != b->within)
	{
		what = "windows";
		detail = psprintf("One has %s, the other %s.", WindowText(a), WindowText(b));
	}
	else
	{
		what = "modes";
		detail = psprintf("One is %s, the other %s.", align_mode_name(a->mode),
						  align_mode_name(b->mode));
	}

	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 rows ?
			 errmsg("cannot summarise leads along different %s in one conversion", what) :
			 errmsg("cannot merge conversions of different %s", what),
			 errdetail("%s", detail),
			 hint ? errhint("%s", hint) : 0));
}
