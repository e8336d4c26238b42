/*
 * compiled.c
 *	  Compiled funnels of versions, kept as long as the backend lives.
 *
 * Triggers refer to versions by number and keep pointers to their funnels
 * across commands, while cache.c frees and rereads cached agreements whenever
 * a version is agreed.  A version never changes, so its compiled funnel
 * remains valid.  The same number can stand for different versions
 * nevertheless (after one was rolled back, or the extension was dropped and
 * created again), so a compiled funnel is looked up by number and text.
 */
#include "postgres.h"

#include "funnel/funnel.h"
#include "utils/inval.h"
#include "utils/memutils.h"

#include "agreement/agreement.h"

/*
 * One compiled version.  The list is kept in order of use, the most recently
 * used first; a backend uses very few versions.
 */
typedef struct CompiledVersion
{
	struct CompiledVersion *next;
	int32		version;
	Size		size;			/* of value */
	TextValue  *value;
	Funnel	   *funnel;
} CompiledVersion;

static CompiledVersion *compiled_versions = NULL;

/*
 * Compiles a version and adds it to the list.
 */
static Funnel *
CompileVersion(const AgreementVersion *version)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "align funnel",
												  ALLOCSET_SMALL_SIZES);
	CompiledVersion *compiled = MemoryContextAlloc(context, sizeof(CompiledVersion));

	compiled->version = version->version;
	compiled->size = VARSIZE(version->funnel);
	compiled->value = MemoryContextAlloc(context, compiled->size);
	memcpy(compiled->value, version->funnel, compiled->size);
	compiled->funnel = align_funnel_compile(align_text_value_cstring(compiled->value), context,
											NULL);

	/* complete; nothing can fail from here on */
	MemoryContextSetParent(context, TopMemoryContext);
	compiled->next = compiled_versions;
	compiled_versions = compiled;
	return compiled->funnel;
}

/*
 * Returns the compiled funnel of a version and moves it to the head of the
 * list.
 */
static Funnel *
FindOrCompile(const AgreementVersion *version)
{
	CompiledVersion **link = &compiled_versions;

	for (CompiledVersion *compiled = *link; compiled != NULL;
		 link = &compiled->next, compiled = *link)
	{
		if (compiled->version != version->version ||
			compiled->size != VARSIZE(version->funnel) ||
			memcmp(compiled->value, version->funnel, compiled->size) != 0)
			continue;
		*link = compiled->next;
		compiled->next = compiled_versions;
		compiled_versions = compiled;
		return compiled->funnel;
	}
	return CompileVersion(version);
}

/*
 * Returns the compiled funnel of a version that was just looked up.  The
 * triggers call this for every row, so the version keeps the pointer.
 */
Funnel *
align_compiled_version(const AgreementVersion *version)
{
	if (version->compiled == NULL)
		unconstify(AgreementVersion *, version)->compiled = FindOrCompile(version);
	return version->compiled;
}

/*
 * Returns the compiled funnel of a version, or NULL if it is not in the cache.
 */
static Funnel *
FindFunnel(const char *name, int32 version)
{
	const Agreement *agreement = align_agreement_lookup(name);

	for (int i = 0; agreement != NULL && i < agreement->nversions; i++)
	{
		if (agreement->versions[i].version == version)
			return align_compiled_version(&agreement->versions[i]);
	}
	return NULL;
}

/*
 * Returns the compiled funnel of a version, or NULL if it does not exist.
 *
 * A statement that waited for a row lock can encounter a version that was
 * agreed meanwhile.  It already held all its table locks, so it has not
 * accepted the invalidation message yet.
 */
Funnel *
align_agreement_funnel(const char *name, int32 version)
{
	Funnel	   *funnel = FindFunnel(name, version);

	if (funnel == NULL)
	{
		AcceptInvalidationMessages();
		funnel = FindFunnel(name, version);
	}
	return funnel;
}

/*
 * Returns the compiled funnel of the version in force at an instant and sets
 * *version to its number; raises if there is none.
 */
Funnel *
align_agreement_funnel_at(const char *name, TimestampTz at, int32 *version)
{
	const Agreement *agreement = align_agreement_lookup(name);
	const AgreementVersion *in_force;

	if (agreement == NULL)
		align_agreement_unknown(name);
	in_force = align_agreement_at(agreement, at);
	if (in_force == NULL)
		align_agreement_not_in_force(agreement, at);
	*version = in_force->version;
	return align_compiled_version(in_force);
}
