/*
 * cache.c
 *	  Per-backend cache of agreements, and align.agreed(), which returns the
 *	  version in force.
 *
 * The cache holds all versions of an agreement, by name.  It is filled by a
 * scan with the catalog snapshot, which sees committed versions and those of
 * the current transaction, needs no privilege on the table, and works in
 * parallel workers.  A trigger on align.agreement sends a relcache
 * invalidation for every inserted row.  Other sessions receive it when the
 * transaction commits; this one at the next command, and again if the
 * transaction or savepoint is rolled back.
 *
 * Invalidation only advances the generation of the cache.  A cached agreement
 * of an older generation is read again before it is used.  Its generation is
 * the one from before it was read, so that a message that arrives during the
 * read is not lost.
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

static HTAB *cache = NULL;		/* of Agreement, by name */
static Oid	cached_table = InvalidOid;	/* OID of align.agreement */
static uint64 cache_generation = 1;

/*
 * The agreement that a call site of agreed() used last (flinfo->fn_extra).
 */
typedef struct AgreedMemo
{
	const Agreement *agreement;
	uint64		generation;
	int			name_len;
	char		name[NAMEDATALEN];
} AgreedMemo;

/*
 * Relcache callback.
 */
static void
InvalidateAgreements(Datum arg, Oid relid)
{
	(void) arg;
	if (relid == cached_table || relid == InvalidOid)
		cache_generation++;
}

/*
 * Creates the cache and registers its callback.
 */
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

/*
 * Returns the OID of a table in the extension's schema.  If it does not exist,
 * returns InvalidOid if missing_ok, else raises an error.
 */
Oid
align_extension_table(const char *relname, bool missing_ok)
{
	Oid			namespace_id = get_namespace_oid("align", true);
	Oid			relid = InvalidOid;

	if (OidIsValid(namespace_id))
		relid = get_relname_relid(relname, namespace_id);
	if (!OidIsValid(relid) && !missing_ok)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table \"align.%s\" does not exist", relname),
				 errhint("Install the extension with CREATE EXTENSION align.")));
	return relid;
}

/*
 * Sets *name to the name of the role in a column of type name or regrole.
 */
void
align_read_role_name(Datum value, Oid type, NameData *name)
{
	if (type == NAMEOID)
		*name = *DatumGetName(value);
	else
	{
		char	   *role = GetUserNameFromId(DatumGetObjectId(value), true);

		/* a dropped role: its OID as text, which should match no role */
		namestrcpy(name, role != NULL ? role : psprintf("%u", DatumGetObjectId(value)));
	}
}

/*
 * Returns the name of a role as a value of type name or regrole.
 */
Datum
align_role_name_datum(const NameData *name, Oid type)
{
	if (type == NAMEOID)
		return NameGetDatum(name);
	return ObjectIdGetDatum(get_role_oid(NameStr(*name), false));
}

/*
 * Returns the owner of the latest version, or InvalidOid if that role does not
 * exist.
 */
Oid
align_agreement_owner(const Agreement *agreement)
{
	return get_role_oid(NameStr(agreement->versions[agreement->nversions - 1].owner), true);
}

/*
 * Checks the name of an agreement and returns a palloc'd copy.
 */
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

/*
 * Returns a column of align.agreement that must not be null.
 */
static Datum
RequiredAttribute(HeapTuple tuple, int attnum, TupleDesc desc)
{
	bool		isnull;
	Datum		result = heap_getattr(tuple, attnum, desc, &isnull);

	if (isnull)
		elog(ERROR, "null value in column %d of align.agreement", attnum);
	return result;
}

/*
 * qsort comparator.
 */
static int
CompareVersions(const void *left, const void *right)
{
	int32		a = ((const AgreementVersion *) left)->version;
	int32		b = ((const AgreementVersion *) right)->version;

	return (a > b) - (a < b);
}

/*
 * Reads a version from its row.  The funnel is copied to the current memory
 * context, since the tuple is in a shared buffer.
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

/*
 * Reads all versions of an agreement from the table, allocated in context.
 */
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
	rel = table_open(align_extension_table("agreement", false), AccessShareLock);
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

/*
 * Returns an agreement from the cache, or NULL if there is none of that name.
 */
const Agreement *
align_agreement_lookup(const char *name)
{
	Agreement  *cached;
	Agreement	fresh;
	MemoryContext context;
	bool		found;

	if (cache == NULL)
		InitializeCache();
	cached = hash_search(cache, name, HASH_FIND, NULL);
	if (cached != NULL && cached->generation == cache_generation)
		return cached;

	/*
	 * Read into a child of the current context, so that an error leaks
	 * nothing, and give it to the cache when it is complete.  Opening the
	 * table may process invalidations, so the callback must know the table,
	 * and the generation must be saved, before anything is read.
	 */
	cached_table = align_extension_table("agreement", false);
	fresh.generation = cache_generation;
	context = AllocSetContextCreate(CurrentMemoryContext, "align agreement",
									ALLOCSET_SMALL_SIZES);
	align_agreement_read(name, context, &fresh);

	if (fresh.nversions == 0)
	{
		/* it may be cached nevertheless, if its creation was rolled back */
		MemoryContextDelete(context);
		cached = hash_search(cache, name, HASH_FIND, NULL);
		if (cached != NULL)
		{
			MemoryContextDelete(cached->context);
			hash_search(cache, name, HASH_REMOVE, NULL);
		}
		return NULL;
	}

	cached = hash_search(cache, name, HASH_ENTER, &found);
	if (found && cached->context != NULL)
		MemoryContextDelete(cached->context);
	MemoryContextSetParent(context, CacheMemoryContext);
	*cached = fresh;
	return cached;
}

/*
 * Returns the version in force at an instant, or NULL.
 */
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
 * Returns the names of all agreements, palloc'd, and sets *n to their number.
 */
static const char **
AllNames(int *n)
{
	Relation	rel = table_open(align_extension_table("agreement", false), AccessShareLock);
	SysScanDesc scan;
	HeapTuple	tuple;
	int			room = 16;
	const char **names = palloc(room * sizeof(char *));

	*n = 0;
	/* every agreement has a version 1 */
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

/*
 * Returns the hint for an unknown name.
 */
static const char *
NamesHint(const char *name)
{
	int			n;
	const char **names = AllNames(&n);
	char	   *hint = align_nearest_hint(name, strlen(name), names, n);

	if (hint != NULL)
		return hint;
	return n > 0 ? "The view align.agreements lists all agreements." :
		"Create an agreement with align.agree().";
}

/*
 * Raises that there is no agreement of this name.
 */
void
align_agreement_unknown(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("agreement \"%s\" does not exist", name),
			 errhint("%s", NamesHint(name))));
}

/*
 * Raises that no version of an agreement is in force yet at an instant, with a
 * hint if that is the present: the time of the transaction or the current one.
 */
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
			 errdetail("Its first version takes effect at %s.", first_text.data),
			 at >= GetCurrentTransactionStartTimestamp() && at <= GetCurrentTimestamp() ?
			 errhint("Agree on a version that takes effect now, or correct the server's clock if it was set back.") : 0));
}

/*
 * Returns the cached agreement named by the argument of agreed().  The first
 * call from a call site accepts invalidation messages, so that a statement
 * sees what was committed before it, even late in a long transaction.
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
 * Returns the funnel in force at an instant; raises if there is none.  It is a
 * copy, because the cache may free its own while a query still uses the value.
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

/*
 * agreed(name): the agreement in force at now().
 */
Datum
align_agreed(PG_FUNCTION_ARGS)
{
	const Agreement *agreement = AgreementArg(fcinfo->flinfo, PG_GETARG_TEXT_PP(0));

	return ValueAt(agreement, GetCurrentTransactionStartTimestamp());
}

/*
 * agreed(name, at): the agreement in force at an instant.
 */
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
