/*
 * identity.c
 *	  The identity of a conversion: its list of steps, or its funnel.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "conversion/conversion.h"

/* Forms of a list of steps. */
#define LIST_PLAIN 0
#define LIST_FULL 1

#define ALL_MODES (MATCH_STRICT | MATCH_NO_REPEAT | MATCH_INCREASE | MATCH_ANY | MATCH_REUSE)

/* A limit that is none has only the first number. */
static void
EncodeLimit(StringInfo out, const StepLimit *limit, bool calendar)
{
	align_wire_append_uint(out, align_is_limited(limit) ? (uint64) limit->time + 1 : 0);
	if (!calendar || !align_is_limited(limit))
		return;
	align_wire_append_uint(out, limit->months);
	align_wire_append_uint(out, limit->days);
}

static void
EncodeName(StringInfo out, LeadString name)
{
	align_wire_append_text(out, name.text, name.len);
}

static void
EncodeFullList(StringInfo out, const StepList *list)
{
	bool		calendar = list->zone.text != NULL;

	align_wire_append_uint(out, list->modes);
	align_wire_append_uint(out, list->passages);
	EncodeName(out, list->zone);
	EncodeLimit(out, &list->within, calendar);
	align_wire_append_uint(out, list->nsteps);
	for (int i = 0; i < list->nsteps; i++)
	{
		const Step *step = &list->steps[i];

		align_wire_append_uint(out, step->nstages << 1 | step->optional);
		for (int j = 0; j < step->nstages; j++)
			EncodeName(out, step->stages[j]);
	}
	align_wire_append_uint(out, list->gaps != NULL ? list->nsteps - 1 : 0);
	for (int i = 0; list->gaps != NULL && i < list->nsteps - 1; i++)
		EncodeLimit(out, &list->gaps[i], calendar);
	align_wire_append_uint(out, list->nexclude);
	for (int i = 0; i < list->nexclude; i++)
		EncodeName(out, list->exclude[i]);
}

void
align_identity_encode(StringInfo out, const ConversionIdentity *identity)
{
	appendStringInfoChar(out, (char) identity->kind);
	if (identity->kind == CONVERSION_FUNNEL)
	{
		for (int shift = 56; shift >= 0; shift -= 8)
			appendStringInfoChar(out, (char) (identity->fingerprint >> shift));
		align_wire_append_uint(out, identity->nsteps);
		for (int i = 0; i < identity->nsteps; i++)
			EncodeName(out, identity->names[i]);
		return;
	}
	if (!align_steps_are_plain(&identity->list))
	{
		appendStringInfoChar(out, LIST_FULL);
		EncodeFullList(out, &identity->list);
		return;
	}

	/* the form of releases before 0.6 */
	appendStringInfoChar(out, LIST_PLAIN);
	EncodeLimit(out, &identity->list.within, false);
	align_wire_append_uint(out, identity->list.nsteps);
	for (int i = 0; i < identity->list.nsteps; i++)
		EncodeName(out, identity->list.steps[i].stages[0]);
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
 * Read a name.  One from the client is checked to be valid in the client's
 * encoding, and converted.
 */
static LeadString
ReadName(WireReader *reader, bool from_client)
{
	LeadString	name;
	const char *bytes;
	uint64		len;

	if (!from_client)
	{
		name.text = align_wire_text(reader, &name.len);
		return name;
	}
	len = align_wire_uint(reader);
	if (len > (uint64) (reader->end - reader->cur))
		align_wire_fail(reader, "A text is longer than the bytes that follow it.");
	bytes = align_wire_bytes(reader, len);
	name.text = pg_client_to_server(bytes, (int) len);
	name.len = name.text == bytes ? (int) len : (int) strlen(name.text);
	return name;
}

static StepLimit
ReadLimit(WireReader *reader, bool calendar)
{
	StepLimit	limit = align_no_limit();
	uint64		time = align_wire_uint(reader);
	uint64		months;
	uint64		days;

	/* 0 is no window, else 1 + the window */
	if (time > (uint64) PG_INT64_MAX + 1)
		align_wire_fail(reader, "Its window is out of range.");
	if (time == 0)
		return limit;
	limit.time = (int64) (time - 1);
	if (!calendar)
		return limit;
	months = align_wire_uint(reader);
	days = align_wire_uint(reader);
	if (months > PG_INT32_MAX || days > PG_INT32_MAX)
		align_wire_fail(reader, "Its window is out of range.");
	limit.months = (int32) months;
	limit.days = (int32) days;
	return limit;
}

/*
 * Steps of one stage each, whose names are theirs.
 */
static void
ReadPlainList(StepList *list, WireReader *reader, bool from_client)
{
	LeadString *names;

	list->within = ReadLimit(reader, false);
	list->nsteps = align_wire_count(reader, 1, CONVERSION_MAX_STEPS);
	if (list->nsteps < 1)
		align_wire_fail(reader, "It has too few steps.");
	names = palloc(list->nsteps * sizeof(LeadString));
	list->steps = palloc(list->nsteps * sizeof(Step));
	for (int i = 0; i < list->nsteps; i++)
	{
		/* steps may repeat a name */
		names[i] = ReadName(reader, from_client);
		list->steps[i].optional = false;
		list->steps[i].nstages = 1;
		list->steps[i].stages = &names[i];
	}
}

static void
ReadFullList(StepList *list, WireReader *reader, bool from_client)
{
	uint64		modes = align_wire_uint(reader);
	uint64		passages = align_wire_uint(reader);
	bool		calendar;
	int			ngaps;
	const char *problem;

	if ((modes & ~(uint64) ALL_MODES) != 0)
		align_wire_fail(reader, "Its mode is not supported by this release.");
	if (passages > 1)
		align_wire_fail(reader, "What it counts is not supported by this release.");
	list->modes = (MatchModes) modes;
	list->passages = passages == 1;
	list->zone = ReadName(reader, from_client);
	calendar = list->zone.len > 0;
	if (!calendar)
		list->zone.text = NULL;
	list->within = ReadLimit(reader, calendar);

	list->nsteps = align_wire_count(reader, 2, CONVERSION_MAX_STEPS);
	if (list->nsteps < 1)
		align_wire_fail(reader, "It has too few steps.");
	list->steps = palloc(list->nsteps * sizeof(Step));
	for (int i = 0; i < list->nsteps; i++)
	{
		Step	   *step = &list->steps[i];
		uint64		head = align_wire_uint(reader);

		if (head >> 1 < 1 || head >> 1 > STEP_MAX_STAGES)
			align_wire_fail(reader, "The number of stages of a step is out of range.");
		step->optional = head & 1;
		step->nstages = (int) (head >> 1);
		step->stages = palloc(step->nstages * sizeof(LeadString));
		for (int j = 0; j < step->nstages; j++)
			step->stages[j] = ReadName(reader, from_client);
	}

	ngaps = align_wire_count(reader, 1, CONVERSION_MAX_STEPS);
	if (ngaps > 0 && ngaps != list->nsteps - 1)
		align_wire_fail(reader, "Its gaps are not as many as steps after the first.");
	if (ngaps > 0)
	{
		list->gaps = palloc(ngaps * sizeof(StepLimit));
		for (int i = 0; i < ngaps; i++)
			list->gaps[i] = ReadLimit(reader, calendar);
	}

	list->nexclude = align_wire_count(reader, 1, STEPS_MAX_EXCLUDED);
	list->exclude = palloc(Max(list->nexclude, 1) * sizeof(LeadString));
	for (int i = 0; i < list->nexclude; i++)
		list->exclude[i] = ReadName(reader, from_client);

	problem = align_steps_problem(list);
	if (problem != NULL)
		align_wire_fail(reader, problem);
}

/*
 * The bytes must be those that the list is written with: stages of another
 * encoding may be in another order, which recv puts right.
 */
static void
CheckCanonical(ConversionIdentity *identity, WireReader *reader, const char *start)
{
	StringInfoData bytes;
	size_t		len = (const char *) reader->cur - start;

	if (!align_steps_canonical(&identity->list))
		align_wire_fail(reader, "Its window is out of range.");
	initStringInfo(&bytes);
	align_identity_encode(&bytes, identity);
	if ((size_t) bytes.len != len || memcmp(bytes.data, start, len) != 0)
		align_wire_fail(reader, "Its list of steps is not in canonical form.");
	pfree(bytes.data);
}

static void
ReadFunnel(ConversionIdentity *identity, WireReader *reader, bool from_client)
{
	const uint8 *fingerprint = (const uint8 *) align_wire_bytes(reader, 8);

	for (int i = 0; i < 8; i++)
		identity->fingerprint = identity->fingerprint << 8 | fingerprint[i];
	identity->nsteps = align_wire_count(reader, 1, CONVERSION_MAX_STEPS);
	if (identity->nsteps < 2)
		align_wire_fail(reader, "It has too few steps.");
	identity->names = palloc(identity->nsteps * sizeof(LeadString));
	for (int i = 0; i < identity->nsteps; i++)
	{
		LeadString	name = ReadName(reader, from_client);

		/* steps may repeat a name, the success path of a funnel may not */
		if (align_name_repeats(identity->names, i, name))
			align_wire_fail(reader, "A stage occurs twice on its success path.");
		identity->names[i] = name;
	}
}

void
align_identity_read(ConversionIdentity *identity, WireReader *reader, bool from_client)
{
	const char *start = (const char *) reader->cur;
	StepList   *list = &identity->list;
	int			form;

	memset(identity, 0, sizeof(*identity));
	list->within = align_no_limit();
	identity->kind = align_wire_byte(reader);
	if (identity->kind == CONVERSION_FUNNEL)
		ReadFunnel(identity, reader, from_client);
	else if (identity->kind == CONVERSION_STEPS)
	{
		form = align_wire_byte(reader);
		if (form == LIST_PLAIN)
			ReadPlainList(list, reader, from_client);
		else if (form == LIST_FULL)
		{
			ReadFullList(list, reader, from_client);
			if (!from_client)
				CheckCanonical(identity, reader, start);
			else if (!align_steps_canonical(list))
				align_wire_fail(reader, "Its window is out of range.");
		}
		else
			align_wire_fail(reader, "Its mode is not supported by this release.");
		identity->nsteps = list->nsteps;
		identity->names = palloc(list->nsteps * sizeof(LeadString));
		for (int i = 0; i < list->nsteps; i++)
			identity->names[i] = align_step_text(&list->steps[i]);
	}
	else
		align_wire_fail(reader, "Its kind is not supported by this release.");
	identity->bytes = start;
	identity->len = (const char *) reader->cur - start;
}
