/*
 * findings.c
 *	  The findings of a backtest, counted per rule and move.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "backtest/findings.h"

#define MAX_EXAMPLES 5
#define BACKTEST_COLUMNS 7

/*
 * Element of the hash table.
 */
typedef struct Finding
{
	FindingKey	key;			/* hash key */
	char		status;			/* for simplehash */
	int64		leads;			/* number of leads */
	int64		entries;		/* number of occurrences */
	int64		last_lead;		/* number of the lead counted last */
	int			nexamples;
	text	   *examples[MAX_EXAMPLES]; /* the smallest keys of these leads,
										 * in order of bytes */
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
SameKey(FindingKey a, FindingKey b)
{
	return a.rule == b.rule && a.sla == b.sla && align_lead_same(a.from, b.from) &&
		align_lead_same(a.to, b.to);
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

struct Findings
{
	MemoryContext context;		/* for everything below */
	const Funnel *funnel;
	findings_hash *table;
	int64		nleads;			/* number of leads so far, with the current
								 * one */
};

/*
 * Returns an empty set of findings.
 */
Findings *
align_findings_begin(const Funnel *funnel)
{
	Findings   *findings = palloc0(sizeof(Findings));

	findings->context = CurrentMemoryContext;
	findings->funnel = funnel;
	findings->table = findings_create(findings->context, 32, NULL);
	return findings;
}

/*
 * Proceeds to the next lead.
 */
void
align_findings_next_lead(Findings *findings)
{
	findings->nleads++;
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
 * Adds a copy of a key to the examples if it is among the smallest.
 */
static void
AddExample(Findings *findings, Finding *finding, const text *key)
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
	finding->examples[place] = MemoryContextAlloc(findings->context, VARSIZE_ANY(key));
	memcpy(finding->examples[place], key, VARSIZE_ANY(key));
	finding->nexamples++;
}

/*
 * Counts one finding in the current lead.
 */
void
align_findings_count(Findings *findings, FindingKey key, const text *lead_key)
{
	bool		found;
	Finding    *finding = findings_insert(findings->table, key, &found);

	if (!found)
	{
		/* the strings of the key may be freed with the lead */
		finding->key.from = align_lead_copy(findings->context, key.from);
		finding->key.to = align_lead_copy(findings->context, key.to);
		finding->leads = 0;
		finding->entries = 0;
		finding->last_lead = 0;
		finding->nexamples = 0;
	}
	finding->entries++;
	if (finding->last_lead != findings->nleads)
	{
		finding->last_lead = findings->nleads;
		finding->leads++;
		AddExample(findings, finding, lead_key);
	}
}

/*
 * A row of the result.
 */
typedef struct ResultRow
{
	char	   *rule;			/* see RuleText() */
	Finding    *finding;
} ResultRow;

/*
 * Compares by bytes; absent strings sort last.
 */
static int
CompareStrings(LeadString a, LeadString b)
{
	int			result;

	if (a.text == NULL || b.text == NULL)
		return (a.text == NULL) - (b.text == NULL);
	result = memcmp(a.text, b.text, Min(a.len, b.len));
	return result != 0 ? result : (a.len > b.len) - (a.len < b.len);
}

/*
 * Order of the result: by entries, descending, then rule and stages.
 */
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

/*
 * Returns the name of the rule, or "missed" and the name of the service level.
 */
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

/*
 * Returns the result.
 */
void
align_findings_put(const Findings *findings, ReturnSetInfo *rsinfo)
{
	ResultRow  *rows = palloc(Max(findings->table->members, 1) * sizeof(ResultRow));
	int			nrows = 0;
	findings_iterator iterator;
	Finding    *finding;

	findings_start_iterate(findings->table, &iterator);
	while ((finding = findings_iterate(findings->table, &iterator)) != NULL)
	{
		rows[nrows].rule = RuleText(findings->funnel, &finding->key);
		rows[nrows++].finding = finding;
	}
	qsort(rows, nrows, sizeof(ResultRow), CompareRows);
	for (int i = 0; i < nrows; i++)
		PutRow(rsinfo, &rows[i], findings->nleads);
}
