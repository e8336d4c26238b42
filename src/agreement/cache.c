/*
 * cache.c
 *	  align.agreed(): the agreement in force, from a cache of the backend.
 *
 * The cache holds, per name, every version of the agreement.  It is filled by a
 * scan with the catalog snapshot, so that it sees what has been committed (and
 * what this transaction itself agreed), needs no right on the table, and works
 * in parallel workers.  A trigger on align.agreement sends a relcache
 * invalidation for every row that is inserted, by whatever means; it reaches
 * other sessions when the writer commits, and this one at the next command and,
 * if the transaction or savepoint is rolled back, once more.
 *
 * Invalidation only advances the cache's generation; an entry of an older
 * generation is read again before it is used.  An entry gets its generation when
 * it is complete, and that of the moment when reading began, so that a message
 * that arrives meanwhile is not lost.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "agreement/agreement.h"
#include "nearest.h"
#include "time_text.h"

PG_FUNCTION_INFO_V1(align_agreed);
PG_FUNCTION_INFO_V1(align_agreed_at);


static HTAB *cache = NULL;
static Oid	cached_table = InvalidOid;
static uint64 cache_generation = 1;

/*
 * What a call site of agreed() remembers: the entry it used last.
 */
typedef struct AgreedMemo
{
	const Agreement *agreement;
	uint64		generation;
	int			name_len;
	char		name[NAMEDATALEN];
} AgreedMemo;

static void
InvalidateAgreements(Datum arg, Oid relid)
{
	(void) arg;
	if (relid == cached_table || relid == InvalidOid)
		cache_generation++;
}

static void
InitializeCache(void)
{
	HASHCTL		control = {0};

	if (CacheMemoryContext == NULL)
		CreateCacheMemoryContext();
	control.keysize = NAMEDATALEN;
	control.entrysize = sizeof(Agreement);
	control.hcxt = CacheMemoryContext;
	cache = hash_create("align agreements", 16, &control,
						HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	CacheRegisterRelcacheCallback(InvalidateAgreements, (Datum) 0);
}

Oid
align_own_table(const char *relname)
{
	Oid			namespace_id = get_namespace_oid("align", true);
	Oid			relid = InvalidOid;

	if (OidIsValid(namespace_id))
		relid = get_relname_relid(relname, namespace_id);
	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table align.%s does not exist", relname),
				 errhint("Create the extension align in this database.")));
	return relid;
}

void
align_read_role_name(Datum value, Oid type, NameData *name)
{
	if (type == NAMEOID)
		*name = *DatumGetName(value);
	else
	{
		char	   *role = GetUserNameFromId(DatumGetObjectId(value), true);

		/* a role that was dropped; no role has such a name */
		namestrcpy(name, role != NULL ? role : psprintf("%u", DatumGetObjectId(value)));
	}
}

Datum
align_role_name_datum(const NameData *name, Oid type)
{
	if (type == NAMEOID)
		return NameGetDatum(name);
	return ObjectIdGetDatum(get_role_oid(NameStr(*name), false));
}

Oid
align_agreement_owner(const Agreement *agreement)
{
	return get_role_oid(NameStr(agreement->versions[agreement->nversions - 1].owner), true);
}

char *
align_agreement_name(const char *text, int len)
{
	if (text == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("name of an agreement must not be null")));
	if (len == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("name of an agreement must not be empty")));
	if (len > AGREEMENT_MAX_NAME)
		ereport(ERROR,
				(errcode(ERRCODE_NAME_TOO_LONG),
				 errmsg("name of an agreement is too long"),
				 errdetail("It has %d bytes; at most %d are allowed.",
						   len, AGREEMENT_MAX_NAME)));
	return pnstrdup(text, len);
}

static Datum
RequiredAttribute(HeapTuple tuple, int attnum, TupleDesc desc)
{
	bool		isnull;
	Datum		result = heap_getattr(tuple, attnum, desc, &isnull);

	if (isnull)
		elog(ERROR, "null value in column %d of align.agreement", attnum);
	return result;
}

static int
CompareVersions(const void *left, const void *right)
{
	int32		a = ((const AgreementVersion *) left)->version;
	int32		b = ((const AgreementVersion *) right)->version;

	return (a > b) - (a < b);
}

/*
 * A version in the context that is current; the value is copied out of the
 * tuple, which lives in a shared buffer.
 */
static void
ReadVersion(HeapTuple tuple, TupleDesc desc, AgreementVersion *version)
{
	Datum		funnel = RequiredAttribute(tuple, Anum_agreement_funnel, desc);

	version->version = DatumGetInt32(RequiredAttribute(tuple, Anum_agreement_version, desc));
	version->valid_from =
		DatumGetTimestampTz(RequiredAttribute(tuple, Anum_agreement_valid_from, desc));
	align_read_role_name(RequiredAttribute(tuple, Anum_agreement_owner, desc),
						 TupleDescAttr(desc, Anum_agreement_owner - 1)->atttypid,
						 &version->owner);
	version->funnel = (TextValue *) PG_DETOAST_DATUM_COPY(funnel);
	align_check_flags(version->funnel->flags, "funnel");
	version->compiled = NULL;
}

void
align_agreement_read(const char *name, MemoryContext context, Agreement *agreement)
{
	Relation	rel;
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	tuple;
	MemoryContext old_context = MemoryContextSwitchTo(context);
	int			room = 4;

	Assert(strlen(name) <= AGREEMENT_MAX_NAME);
	strlcpy(agreement->name, name, NAMEDATALEN);
	agreement->context = context;
	agreement->nversions = 0;
	agreement->versions = palloc(room * sizeof(AgreementVersion));

	/* the column is COLLATE "C", as ScanKeyInit assumes */
	ScanKeyInit(&key, Anum_agreement_name, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(name));
	rel = table_open(align_own_table("agreement"), AccessShareLock);
	scan = systable_beginscan(rel, get_relname_relid("agreement_pkey", RelationGetNamespace(rel)),
							  true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		if (agreement->nversions == room)
		{
			room *= 2;
			agreement->versions = repalloc(agreement->versions, room * sizeof(AgreementVersion));
		}
		ReadVersion(tuple, RelationGetDescr(rel), &agreement->versions[agreement->nversions]);
		agreement->nversions++;
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);

	qsort(agreement->versions, agreement->nversions, sizeof(AgreementVersion), CompareVersions);
	MemoryContextSwitchTo(old_context);
}

const Agreement *
align_agreement_lookup(const char *name)
{
	Agreement  *entry;
	Agreement	fresh;
	MemoryContext context;
	bool		found;

	if (cache == NULL)
		InitializeCache();
	entry = hash_search(cache, name, HASH_FIND, NULL);
	if (entry != NULL && entry->generation == cache_generation)
		return entry;

	/*
	 * Read into a context of the caller's, so that an error leaks nothing,
	 * and hand that to the cache only when all is there.  Opening the table
	 * may take in invalidations, so the table is identified, and the
	 * generation noted, before anything is read.
	 */
	cached_table = align_own_table("agreement");
	fresh.generation = cache_generation;
	context = AllocSetContextCreate(CurrentMemoryContext, "align agreement",
									ALLOCSET_SMALL_SIZES);
	align_agreement_read(name, context, &fresh);

	if (fresh.nversions == 0)
	{
		MemoryContextDelete(context);
		entry = hash_search(cache, name, HASH_FIND, NULL);
		if (entry != NULL)
		{
			MemoryContextDelete(entry->context);
			hash_search(cache, name, HASH_REMOVE, NULL);
		}
		return NULL;
	}

	entry = hash_search(cache, name, HASH_ENTER, &found);
	if (found && entry->context != NULL)
		MemoryContextDelete(entry->context);
	MemoryContextSetParent(context, CacheMemoryContext);
	*entry = fresh;
	return entry;
}

const AgreementVersion *
align_agreement_at(const Agreement *agreement, TimestampTz at)
{
	for (int i = agreement->nversions - 1; i >= 0; i--)
	{
		if (agreement->versions[i].valid_from <= at)
			return &agreement->versions[i];
	}
	return NULL;
}

/*
 * The names of all agreements, palloc'd.
 */
static const char **
AllNames(int *n)
{
	Relation	rel = table_open(align_own_table("agreement"), AccessShareLock);
	SysScanDesc scan;
	HeapTuple	tuple;
	int			room = 16;
	const char **names = palloc(room * sizeof(char *));

	*n = 0;
	/* in the order of the index: names by bytes, the first version of each */
	scan = systable_beginscan(rel, get_relname_relid("agreement_pkey", RelationGetNamespace(rel)),
							  true, NULL, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		TupleDesc	desc = RelationGetDescr(rel);

		if (DatumGetInt32(RequiredAttribute(tuple, Anum_agreement_version, desc)) != 1)
			continue;
		if (*n == room)
		{
			room *= 2;
			names = repalloc(names, room * sizeof(char *));
		}
		names[(*n)++] = TextDatumGetCString(RequiredAttribute(tuple, Anum_agreement_name, desc));
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return names;
}

static const char *
NamesHint(const char *name)
{
	int			n;
	const char **names = AllNames(&n);
	char	   *hint = align_nearest_hint(name, strlen(name), names, n);

	if (hint != NULL)
		return hint;
	return n > 0 ? "The view align.agreements lists them." :
		"Nothing has been agreed yet; see align.agree().";
}

void
align_agreement_unknown(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("agreement \"%s\" does not exist", name),
			 errhint("%s", NamesHint(name))));
}

void
align_agreement_not_in_force(const Agreement *agreement, TimestampTz at)
{
	StringInfoData at_text;
	StringInfoData first_text;
	TimestampTz first = agreement->versions[0].valid_from;

	for (int i = 1; i < agreement->nversions; i++)
		first = Min(first, agreement->versions[i].valid_from);
	initStringInfo(&at_text);
	initStringInfo(&first_text);
	align_write_time(&at_text, at);
	align_write_time(&first_text, first);
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("agreement \"%s\" is not in force at %s", agreement->name, at_text.data),
			 errdetail("Its first version takes force at %s.", first_text.data),
			 at == GetCurrentTransactionStartTimestamp() ?
			 errhint("Agree on a version that takes force at once; or, if the clock of the server was set back, set it right.") : 0));
}

/*
 * The cached agreement of a call site's argument.  A call site takes in other
 * sessions' changes when it is first used, so that a statement sees what was
 * committed before it, also in the middle of a long transaction.
 */
static const Agreement *
AgreementArg(FmgrInfo *flinfo, text *arg)
{
	AgreedMemo *memo = (AgreedMemo *) flinfo->fn_extra;
	int			len = VARSIZE_ANY_EXHDR(arg);
	char	   *name;

	if (memo == NULL)
	{
		memo = MemoryContextAllocZero(flinfo->fn_mcxt, sizeof(AgreedMemo));
		flinfo->fn_extra = memo;
		AcceptInvalidationMessages();
	}
	else if (memo->generation == cache_generation && memo->name_len == len &&
			 memcmp(memo->name, VARDATA_ANY(arg), len) == 0)
		return memo->agreement;

	memo->generation = 0;
	name = align_agreement_name(VARDATA_ANY(arg), len);
	memo->agreement = align_agreement_lookup(name);
	if (memo->agreement == NULL)
		align_agreement_unknown(name);
	memcpy(memo->name, name, len);
	memo->name_len = len;
	memo->generation = memo->agreement->generation;
	pfree(name);
	return memo->agreement;
}

/*
 * The value is copied: what the cache holds may go while a query still uses it.
 */
static Datum
ValueAt(const Agreement *agreement, TimestampTz at)
{
	const AgreementVersion *version = align_agreement_at(agreement, at);
	Size		size;
	void	   *result;

	if (version == NULL)
		align_agreement_not_in_force(agreement, at);
	size = VARSIZE(version->funnel);
	result = palloc(size);
	memcpy(result, version->funnel, size);
	return PointerGetDatum(result);
}

Datum
align_agreed(PG_FUNCTION_ARGS)
{
	const Agreement *agreement = AgreementArg(fcinfo->flinfo, PG_GETARG_TEXT_PP(0));

	return ValueAt(agreement, GetCurrentTransactionStartTimestamp());
}

Datum
align_agreed_at(PG_FUNCTION_ARGS)
{
	TimestampTz at = PG_GETARG_TIMESTAMPTZ(1);

	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("time of an agreement must be finite")));
	return ValueAt(AgreementArg(fcinfo->flinfo, PG_GETARG_TEXT_PP(0)), at);
}
