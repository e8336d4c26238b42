/*
 * text_write.c
 *	  Writes the text form of a process; text_read.c has the grammar.
 */
#include "postgres.h"

#include "process/process.h"
#include "time_text.h"

static void
WriteTimes(StringInfo out, const char *word, ProcessTimes *times)
{
	if (times->elapsed.count == 0)
		return;
	appendStringInfo(out, " %s ", word);
	align_histogram_write(out, &times->elapsed);
	if (times->working.count > 0)
	{
		appendStringInfoString(out, " working ");
		align_histogram_write(out, &times->working);
	}
}

static void
WriteStage(StringInfo out, ProcessStage *stage)
{
	appendStringInfoString(out, ", stage ");
	align_write_name(out, stage->name.text, stage->name.len);
	appendStringInfo(out, " leads " INT64_FORMAT, stage->leads);
	if (stage->starts > 0)
		appendStringInfo(out, " starts " INT64_FORMAT, stage->starts);
	if (stage->ends > 0)
		appendStringInfo(out, " ends " INT64_FORMAT, stage->ends);
	WriteTimes(out, "age", &stage->ages);
}

static void
WriteMove(StringInfo out, const Process *process, ProcessMove *move)
{
	LeadString	from = process->stages[move->from].name;
	LeadString	to = process->stages[move->to].name;

	appendStringInfoString(out, ", move ");
	align_write_name(out, from.text, from.len);
	appendStringInfoString(out, " -> ");
	align_write_name(out, to.text, to.len);
	appendStringInfo(out, " moves " INT64_FORMAT " leads " INT64_FORMAT, move->moves, move->leads);
	WriteTimes(out, "time", &move->times);
}

char *
align_process_write(Process *process)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfo(&out, "{leads " INT64_FORMAT, process->leads);
	if (process->identity.has_working)
		appendStringInfo(&out, " working %016llx",
						 (unsigned long long) process->identity.calendar);
	if (process->identity.has_as_of)
	{
		appendStringInfoString(&out, " as of ");
		align_write_time(&out, process->least_as_of);
		if (process->most_as_of != process->least_as_of)
		{
			appendStringInfoString(&out, " to ");
			align_write_time(&out, process->most_as_of);
		}
	}
	for (int i = 0; i < process->nstages; i++)
		WriteStage(&out, &process->stages[i]);
	for (int i = 0; i < process->nmoves; i++)
		WriteMove(&out, process, &process->moves[i]);
	appendStringInfoChar(&out, '}');
	return out.data;
}
