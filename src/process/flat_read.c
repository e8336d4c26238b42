/*
 * flat_read.c
 *	  Reads the flat form of a process, with all checks.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/timestamp.h"

#include "process/process.h"
#include "value.h"

/* A stage has at least a length and three counts, a move two places and two
 * counts, and a histogram. */
#define STAGE_MIN_SIZE 4
#define MOVE_MIN_SIZE 11

static int64
ReadCount(WireReader *reader)
{
	uint64		count = align_wire_uint(reader);

	if (count > PG_INT64_MAX)
		align_wire_fail(reader, "A count is out of range.");
	return (int64) count;
}

/*
 * A name; one in the client's encoding is checked and converted.
 */
static LeadString
ReadName(WireReader *reader, bool from_client)
{
	LeadString	name;
	uint64		len;
	const char *bytes;

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

static void
ReadIdentity(WireReader *reader, ProcessIdentity *identity)
{
	uint64		flags = align_wire_uint(reader);
	uint64		unknown = flags & ~(uint64) (PROCESS_WORKING | PROCESS_AS_OF);

	align_check_flags(unknown > PG_UINT32_MAX ? PG_UINT32_MAX : (uint32) unknown, PROCESS_TYPE);
	identity->has_working = (flags & PROCESS_WORKING) != 0;
	identity->has_as_of = (flags & PROCESS_AS_OF) != 0;
	identity->calendar = 0;
	if (identity->has_working)
	{
		const uint8 *bytes = (const uint8 *) align_wire_bytes(reader, sizeof(uint64));

		for (int i = 0; i < (int) sizeof(uint64); i++)
			identity->calendar = identity->calendar << 8 | bytes[i];
	}
}

static void
ReadAsOf(WireReader *reader, Process *process)
{
	TimestampTz least = align_wire_int(reader);
	uint64		span = align_wire_uint(reader);

	if (!IS_VALID_TIMESTAMP(least) || span >= (uint64) END_TIMESTAMP - (uint64) least)
		align_wire_fail(reader, "An as_of is out of range.");
	process->least_as_of = least;
	process->most_as_of = least + (int64) span;
}

static void
ReadTimes(WireReader *reader, Process *process, ProcessTimes *times, int64 count)
{
	bool		has_working = process->identity.has_working;
	const char *wrong;

	align_histogram_decode(&times->elapsed, PROCESS_CONTEXT(process), reader, count);
	if (has_working)
		align_histogram_decode(&times->working, PROCESS_CONTEXT(process), reader, count);
	wrong = align_process_check_times(times, has_working);
	if (wrong != NULL)
		align_wire_fail(reader, wrong);
}

static void
ReadStages(WireReader *reader, Process *process, bool from_client)
{
	int			nstages = align_wire_count(reader, STAGE_MIN_SIZE, PROCESS_MAX_STAGES);

	for (int i = 0; i < nstages; i++)
	{
		LeadString	name = ReadName(reader, from_client);
		ProcessStage *stage;

		/* another encoding may have another order */
		if (i > 0 && !from_client)
		{
			LeadString	last = process->stages[i - 1].name;
			int			order = memcmp(last.text, name.text, Min(last.len, name.len));

			if (order > 0 || (order == 0 && last.len >= name.len))
				align_wire_fail(reader, "Its stages do not ascend.");
		}
		if (align_process_stage(process, name) != i)
			align_wire_fail(reader, "A stage occurs twice.");
		stage = &process->stages[i];
		stage->leads = ReadCount(reader);
		stage->starts = ReadCount(reader);
		stage->ends = ReadCount(reader);
		if (process->identity.has_as_of && stage->ends > 0)
			ReadTimes(reader, process, &stage->ages, stage->ends);
	}
}

static void
ReadMoves(WireReader *reader, Process *process)
{
	int			nmoves = align_wire_count(reader, MOVE_MIN_SIZE, PROCESS_MAX_MOVES);
	int			from = 0;
	int			last_to = -1;

	for (int i = 0; i < nmoves; i++)
	{
		uint64		step = align_wire_uint(reader);
		uint64		to = align_wire_uint(reader);
		ProcessMove *move;
		int			added;

		if (step >= (uint64) (process->nstages - from) || to >= (uint64) process->nstages)
			align_wire_fail(reader, "A move has a stage that does not exist.");
		if (step == 0 && (int64) to <= last_to)
			align_wire_fail(reader, "Its moves do not ascend.");
		from += (int) step;
		last_to = (int) to;
		added = align_process_move(process, from, last_to);
		move = &process->moves[added];
		move->moves = ReadCount(reader);
		move->leads = ReadCount(reader);
		if (move->moves == 0)
			align_wire_fail(reader, "A move has a count of zero.");
		ReadTimes(reader, process, &move->times, move->moves);
	}
}

Process *
align_process_decode(WireReader *reader, bool from_client, MemoryContext parent,
					 bool parent_is_shared)
{
	ProcessIdentity identity;
	Process    *process;
	const char *wrong;
	int			stage;

	ReadIdentity(reader, &identity);
	process = align_process_make(&identity, parent, parent_is_shared);
	if (identity.has_as_of)
		ReadAsOf(reader, process);
	ReadStages(reader, process, from_client);
	ReadMoves(reader, process);
	align_wire_end(reader);
	wrong = align_process_check(process, &stage);
	if (wrong != NULL)
		align_wire_fail(reader, wrong);
	return process;
}

Process *
align_process_decode_datum(Datum datum, MemoryContext parent, bool parent_is_shared)
{
	struct varlena *value = PG_DETOAST_DATUM_PACKED(datum);
	WireReader	reader;
	Process    *process;

	align_wire_begin(&reader, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), PROCESS_TYPE);
	process = align_process_decode(&reader, false, parent, parent_is_shared);
	if ((Pointer) value != DatumGetPointer(datum))
		pfree(value);
	return process;
}
