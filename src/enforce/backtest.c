/*
 * backtest.c
 *	  backtest(): what an agreement would have refused or missed.
 *
 * Every journey (of a query's data, or as recorded for an attached table) is
 * judged as the triggers would judge it, and its service-level clocks are run.
 * What is found is counted per rule and move; the counts are small, whatever the
 * size of the data.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"
#include "utils/typcache.h"
#include "utils/varlena.h"

#include "enforce/history_journeys.h"
#include "enforce/journeys.h"
#include "enforce/record_scan.h"
#include "judge/judge.h"

PG_FUNCTION_INFO_V1(align_backtest);
PG_FUNCTION_INFO_V1(align_backtest_relation);

#define MAX_EXAMPLES 5
#define BACKTEST_COLUMNS 7

/*
 * What was broken, and where.  A missed service level has RULE_NONE and goes
 * from the stage that started the clock to the one that stopped it too late,
 * which is absent while the clock still runs.
 */
typedef struct FindingKey
{
	Rule		rule;
	int			sla;			/* index, -1 unless a service level was missed */
	LeadString	from;			/* absent for an entry */
	LeadString	to;
} FindingKey;

typedef struct Finding
{
	FindingKey	key;
	char		status;			/* of the hash table */
	int64		leads;
	int64		entries;
	int64		last_lead;		/* the last lead that was counted here */
	int			nexamples;
	text	   *examples[MAX_EXAMPLES]; /* the smallest keys, in order of bytes */
} Finding;

static inline uint32
HashString(uint32 hash, LeadString string)
{
	if (string.text == NULL)
		return hash_combine(hash, 1);
	return hash_combine(hash, hash_bytes((const unsigned char *) string.text, string.len));
}

static inline uint32
HashKey(FindingKey key)
{
	uint32		hash = murmurhash32((uint32) key.rule * 1024 + (uint32) (key.sla + 1));

	return HashString(HashString(hash, key.from), key.to);
}

static inline bool
SameString(LeadString a, LeadString b)
{
	if (a.text == NULL || b.text == NULL)
		return a.text == b.text;
	return a.len == b.len && memcmp(a.text, b.text, a.len) == 0;
}

static inline bool
SameKey(FindingKey a, FindingKey b)
{
	return a.rule == b.rule && a.sla == b.sla && SameString(a.from, b.from) &&
		SameString(a.to, b.to);
}

#define SH_PREFIX findings
#define SH_ELEMENT_TYPE Finding
#define SH_KEY_TYPE FindingKey
#define SH_KEY key
#define SH_HASH_KEY(tb, key) HashKey(key)
#define SH_EQUAL(tb, a, b) SameKey(a, b)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

typedef struct Backtest
{
	MemoryContext context;		/* holds all of this */
	Funnel	   *funnel;
	findings_hash *findings;
	ClockBoard	board;
	int			started_room;
	int		   *started_by;		/* per clock of the board: the stage that
								 * started it */
	int64		nleads;			/* including the one that is being judged */
	const Attachment *attachment;	/* of recorded journeys */
	TupleDesc	key_desc;		/* of its key, if that has several columns */
	TimestampTz latest;			/* in the recorded journeys */
} Backtest;

static LeadString
CopyString(MemoryContext context, LeadString string)
{
	LeadString	result = string;

	if (string.text != NULL)
	{
		char	   *copy = MemoryContextAlloc(context, string.len + 1);

		memcpy(copy, string.text, string.len);
		copy[string.len] = '\0';
		result.text = copy;
	}
	return result;
}

static int
CompareTexts(const text *a, const text *b)
{
	int			a_len = VARSIZE_ANY_EXHDR(a);
	int			b_len = VARSIZE_ANY_EXHDR(b);
	int			result = memcmp(VARDATA_ANY(a), VARDATA_ANY(b), Min(a_len, b_len));

	return result != 0 ? result : (a_len > b_len) - (a_len < b_len);
}

/*
 * Keep a lead's key if it is among the smallest.
 */
static void
AddExample(Backtest *backtest, Finding *finding, const text *key)
{
	int			place = finding->nexamples;

	while (place > 0 && CompareTexts(key, finding->examples[place - 1]) < 0)
		place--;
	if (place == MAX_EXAMPLES)
		return;
	if (finding->nexamples == MAX_EXAMPLES)
		pfree(finding->examples[--finding->nexamples]);
	memmove(&finding->examples[place + 1], &finding->examples[place],
			(finding->nexamples - place) * sizeof(text *));
	finding->examples[place] = MemoryContextAlloc(backtest->context, VARSIZE_ANY(key));
	memcpy(finding->examples[place], key, VARSIZE_ANY(key));
	finding->nexamples++;
}

static void
CountFinding(Backtest *backtest, FindingKey key, const text *lead_key)
{
	bool		found;
	Finding    *finding = findings_insert(backtest->findings, key, &found);

	if (!found)
	{
		/* what the key points to may go with the lead */
		finding->key.from = CopyString(backtest->context, key.from);
		finding->key.to = CopyString(backtest->context, key.to);
		finding->leads = 0;
		finding->entries = 0;
		finding->last_lead = 0;
		finding->nexamples = 0;
	}
	finding->entries++;
	if (finding->last_lead != backtest->nleads)
	{
		finding->last_lead = backtest->nleads;
		finding->leads++;
		AddExample(backtest, finding, lead_key);
	}
}

/* A stage by its name; what is unknown, by the label it was given. */
static LeadString
StageLabel(const Funnel *funnel, int stage, LeadString label)
{
	if (stage >= 0)
	{
		label.text = funnel->stages[stage].name;
		label.len = strlen(label.text);
	}
	return label;
}

static void
CountViolations(Backtest *backtest, const Walk *walk, const text *lead_key)
{
	Move		move;
	Rule		broken[MOVE_MAX_BROKEN];
	int			nbroken;

	align_walk_move(walk, &move);
	nbroken = align_judge_move(backtest->funnel, &move, broken);
	for (int i = 0; i < nbroken; i++)
	{
		FindingKey	key;

		key.rule = broken[i];
		key.sla = -1;
		key.from = StageLabel(backtest->funnel, move.from, move.from_label);
		key.to = StageLabel(backtest->funnel, move.to, move.to_label);
		CountFinding(backtest, key, lead_key);
	}
}

/*
 * Tell the clocks of an entry, and note for those that it starts that it did.
 */
static void
RunClocks(Backtest *backtest, const Walk *walk)
{
	ClockBoard *board = &backtest->board;
	int			before = board->nclocks;

	align_clocks_enter(board, walk->to, walk->entry.at);
	if (board->nclocks > backtest->started_room)
	{
		backtest->started_room = board->room;
		backtest->started_by = repalloc(backtest->started_by, board->room * sizeof(int));
	}
	for (int i = before; i < board->nclocks; i++)
		backtest->started_by[i] = walk->to;
}

/*
 * A lead that is gone has no open clocks: they were cancelled.
 */
static void
CountMissed(Backtest *backtest, const text *lead_key, TimestampTz as_of, bool ended)
{
	LeadString	absent = {NULL, 0};

	for (int i = 0; i < backtest->board.nclocks; i++)
	{
		const SlaClock *clock = &backtest->board.clocks[i];
		ClockReading reading;
		FindingKey	key;

		if (ended && !clock->closed)
			continue;
		align_clock_read(backtest->funnel, clock, as_of, &reading);
		if (reading.state != CLOCK_MISSED && reading.state != CLOCK_OVERDUE)
			continue;
		key.rule = RULE_NONE;
		key.sla = clock->sla;
		key.from = StageLabel(backtest->funnel, backtest->started_by[i], absent);
		key.to = StageLabel(backtest->funnel, clock->closed ? clock->stopped_by : -1, absent);
		CountFinding(backtest, key, lead_key);
	}
}

static void
JudgeJourney(Backtest *backtest, const text *key, const struct varlena *lead, TimestampTz latest,
			 bool ended)
{
	Walk		walk;

	backtest->nleads++;
	align_clocks_reset(&backtest->board);
	align_walk_begin(&walk, backtest->funnel, lead, DT_NOEND);
	while (align_walk_next(&walk))
	{
		CHECK_FOR_INTERRUPTS();
		CountViolations(backtest, &walk, key);
		RunClocks(backtest, &walk);
	}
	align_walk_end(&walk);
	CountMissed(backtest, key, latest, ended);
}

static void
JudgeQueried(void *state, const text *key, const struct varlena *lead, TimestampTz latest)
{
	JudgeJourney((Backtest *) state, key, lead, latest, false);
}

/*
 * The key as a query would give it as text: of several columns, as a row.
 */
static text *
KeyText(const Backtest *backtest, const Datum *key)
{
	const Attachment *attachment = backtest->attachment;
	bool		nulls[ATTACHMENT_MAX_KEYS] = {false};
	Datum		row;

	if (attachment->nkeys == 1)
		return cstring_to_text(OidOutputFunctionCall(attachment->keys[0].out.fn_oid, key[0]));
	row = HeapTupleGetDatum(heap_form_tuple(backtest->key_desc, unconstify(Datum *, key), nulls));
	return cstring_to_text(OidOutputFunctionCall(F_RECORD_OUT, row));
}

static void
JudgeRecorded(void *state, const Datum *key, const struct varlena *lead, bool ended)
{
	Backtest   *backtest = (Backtest *) state;

	JudgeJourney(backtest, KeyText(backtest, key), lead, backtest->latest, ended);
}

static void
JudgeHistory(Backtest *backtest, const Attachment *attachment)
{
	backtest->attachment = attachment;
	backtest->key_desc = CreateTemplateTupleDesc(attachment->nkeys);
	for (int i = 0; i < attachment->nkeys; i++)
		TupleDescInitEntry(backtest->key_desc, i + 1, attachment->keys[i].name,
						   attachment->keys[i].type, attachment->keys[i].typmod, 0);
	backtest->key_desc = BlessTupleDesc(backtest->key_desc);
	backtest->latest = align_recorded_latest(attachment);
	/* who holds a lead is no evidence of who moved it */
	align_recorded_journeys(attachment, false, JudgeRecorded, backtest);
}

/*
 * The result: one row per finding, the most frequent first.
 */
typedef struct ResultRow
{
	char	   *rule;
	Finding    *finding;
} ResultRow;

/* Absent strings last. */
static int
CompareStrings(LeadString a, LeadString b)
{
	int			result;

	if (a.text == NULL || b.text == NULL)
		return (a.text == NULL) - (b.text == NULL);
	result = memcmp(a.text, b.text, Min(a.len, b.len));
	return result != 0 ? result : (a.len > b.len) - (a.len < b.len);
}

static int
CompareRows(const void *left, const void *right)
{
	const ResultRow *a = (const ResultRow *) left;
	const ResultRow *b = (const ResultRow *) right;
	int			result;

	if (a->finding->entries != b->finding->entries)
		return a->finding->entries > b->finding->entries ? -1 : 1;
	result = strcmp(a->rule, b->rule);
	if (result == 0)
		result = CompareStrings(a->finding->key.from, b->finding->key.from);
	if (result == 0)
		result = CompareStrings(a->finding->key.to, b->finding->key.to);
	return result;
}

static char *
RuleText(const Funnel *funnel, const FindingKey *key)
{
	if (key->sla >= 0)
		return psprintf("missed %s", funnel->service_levels[key->sla].name);
	return pstrdup(align_rule_name(key->rule));
}

static Datum
StringDatum(LeadString string, bool *isnull)
{
	*isnull = string.text == NULL;
	return *isnull ? (Datum) 0 :
		PointerGetDatum(cstring_to_text_with_len(string.text, string.len));
}

static void
PutRow(ReturnSetInfo *rsinfo, const ResultRow *row, int64 nleads)
{
	const Finding *finding = row->finding;
	Datum		examples[MAX_EXAMPLES];
	Datum		values[BACKTEST_COLUMNS];
	bool		nulls[BACKTEST_COLUMNS] = {0};

	for (int i = 0; i < finding->nexamples; i++)
		examples[i] = PointerGetDatum(finding->examples[i]);
	values[0] = CStringGetTextDatum(row->rule);
	values[1] = StringDatum(finding->key.from, &nulls[1]);
	values[2] = StringDatum(finding->key.to, &nulls[2]);
	values[3] = Int64GetDatum(finding->leads);
	values[4] = Int64GetDatum(finding->entries);
	values[5] = Float8GetDatum((double) finding->leads / (double) nleads);
	values[6] = PointerGetDatum(construct_array(examples, finding->nexamples, TEXTOID, -1, false,
												TYPALIGN_INT));
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

static void
PutResult(ReturnSetInfo *rsinfo, const Backtest *backtest)
{
	ResultRow  *rows = palloc(Max(backtest->findings->members, 1) * sizeof(ResultRow));
	int			nrows = 0;
	findings_iterator iterator;
	Finding    *finding;

	findings_start_iterate(backtest->findings, &iterator);
	while ((finding = findings_iterate(backtest->findings, &iterator)) != NULL)
	{
		rows[nrows].rule = RuleText(backtest->funnel, &finding->key);
		rows[nrows++].finding = finding;
	}
	qsort(rows, nrows, sizeof(ResultRow), CompareRows);
	for (int i = 0; i < nrows; i++)
		PutRow(rsinfo, &rows[i], backtest->nleads);
}

/*
 * The attached table that a text names, if it is a name at all: no query is.
 */
static Oid
AttachedTableNamed(const char *text)
{
	char	   *copy = pstrdup(text);
	List	   *names;
	ListCell   *cell;
	Oid			relid;

	if (!SplitIdentifierString(copy, '.', &names) || names == NIL || list_length(names) > 2)
		return InvalidOid;
	foreach(cell, names)
		lfirst(cell) = makeString((char *) lfirst(cell));
	relid = RangeVarGetRelid(makeRangeVarFromNameList(names), NoLock, true);
	return OidIsValid(relid) && OidIsValid(align_attached_root(relid)) ? relid : InvalidOid;
}

static void
BeginBacktest(FunctionCallInfo fcinfo, Backtest *backtest)
{
	align_require_argument(fcinfo, 1, "agreement");
	align_begin_rows(fcinfo);
	memset(backtest, 0, sizeof(Backtest));
	backtest->context = CurrentMemoryContext;
	backtest->funnel = align_funnel_arg(fcinfo->flinfo, PG_GETARG_DATUM(1), 0, 1);
	backtest->findings = findings_create(backtest->context, 32, NULL);
	align_clocks_begin(&backtest->board, backtest->funnel);
	backtest->started_room = backtest->board.room;
	backtest->started_by = palloc(backtest->started_room * sizeof(int));
}

Datum
align_backtest(PG_FUNCTION_ARGS)
{
	Backtest	backtest;
	char	   *query;
	Oid			relid;

	align_require_argument(fcinfo, 0, "query");
	BeginBacktest(fcinfo, &backtest);
	query = text_to_cstring(PG_GETARG_TEXT_PP(0));
	relid = AttachedTableNamed(query);
	if (OidIsValid(relid))
	{
		JudgeHistory(&backtest, align_reading_begin(relid));
		align_reading_end();
	}
	else
		align_run_journeys(query, JudgeQueried, &backtest);
	PutResult((ReturnSetInfo *) fcinfo->resultinfo, &backtest);
	return (Datum) 0;
}

Datum
align_backtest_relation(PG_FUNCTION_ARGS)
{
	Backtest	backtest;

	align_require_argument(fcinfo, 0, "relation");
	BeginBacktest(fcinfo, &backtest);
	JudgeHistory(&backtest, align_reading_begin(PG_GETARG_OID(0)));
	align_reading_end();
	PutResult((ReturnSetInfo *) fcinfo->resultinfo, &backtest);
	return (Datum) 0;
}
