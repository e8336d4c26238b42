/*
 * compiled.c
 *	  Versions of agreements in compiled form, kept as long as the backend lives.
 *
 * The enforcing side refers to versions by number and keeps pointers to their
 * funnels across commands, while the cache of agreed() drops and rereads its
 * entries whenever somebody agrees.  A version never changes, so its compiled
 * form never becomes invalid either.  Numbers may come to mean something else
 * all the same (a version that was rolled back and agreed anew, an extension
 * that was dropped and created), so what was compiled is found by number and
 * text.
 */
#include "postgres.h"

#include "funnel/funnel.h"
#include "utils/inval.h"
#include "utils/memutils.h"

#include "agreement/agreement.h"

/*
 * One compiled version.  The list is in the order of use, the latest first: a
 * backend works with very few.
 */
typedef struct CompiledVersion
{
	struct CompiledVersion *next;
	int32		version;
	Size		size;			/* of the value */
	TextValue  *value;
	Funnel	   *funnel;
} CompiledVersion;

static CompiledVersion *compiled_versions = NULL;

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
	compiled->funnel = align_funnel_compile(align_text_value_cstring(compiled->value), context, NULL);

	/* complete: from here on nothing fails */
	MemoryContextSetParent(context, TopMemoryContext);
	compiled->next = compiled_versions;
	compiled_versions = compiled;
	return compiled->funnel;
}

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
 * The cache of agreements remembers the pointer, since the trigger asks for every
 * row.
 */
Funnel *
align_compiled_version(const AgreementVersion *version)
{
	if (version->compiled == NULL)
		unconstify(AgreementVersion *, version)->compiled = FindOrCompile(version);
	return version->compiled;
}

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
 * A statement that waited for a row lock may meet a version that was agreed while
 * it waited.  It holds all its locks already, so nothing else has made it accept
 * the invalidation of the cache.
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
