/*
 * agreement.h
 *	  Agreements by name: which one is in force at an instant.
 *
 * The table align.agreement holds every version that was ever agreed, and never
 * loses one.  Of the versions whose valid_from has come, the highest is in
 * force: whoever signs last decides, also where an earlier signature was for a
 * later day.  So exactly one version is in force at any instant after the first.
 */
#ifndef ALIGN_AGREEMENT_H
#define ALIGN_AGREEMENT_H

#include "compat.h"

#include "datatype/timestamp.h"
#include "storage/lockdefs.h"
#include "value.h"

/* A name is an identifier in length: it fits a NameData. */
#define AGREEMENT_MAX_NAME (NAMEDATALEN - 1)

/* Columns of align.agreement. */
#define Anum_agreement_name 1
#define Anum_agreement_version 2
#define Anum_agreement_valid_from 3
#define Anum_agreement_funnel 4
#define Anum_agreement_document 5
#define Anum_agreement_owner 6
#define Anum_agreement_agreed_by 7
#define Anum_agreement_note 8

typedef struct AgreementVersion
{
	int32		version;
	TimestampTz valid_from;
	Oid			owner;
	TextValue  *funnel;			/* not toasted, four-byte header */
	struct Funnel *compiled;	/* NULL until asked for; see agreement_funnel.c */
} AgreementVersion;

typedef struct Agreement
{
	char		name[NAMEDATALEN];	/* hash key */
	uint64		generation;		/* that of the cache when it was read, 0 while
								 * incomplete */
	MemoryContext context;		/* holds versions and what they point to */
	int			nversions;
	AgreementVersion *versions; /* by ascending version */
} Agreement;

/* OID of a table of the extension; raises if it is not there. */
extern Oid	align_own_table(const char *relname);

/* The name of an agreement, NUL-terminated and palloc'd; raises if it is NULL,
 * empty or too long. */
extern char *align_agreement_name(const char *text, int len);

/*
 * All versions under a name, read afresh from the table into context; the
 * Agreement has no versions if nothing was ever agreed under it.
 */
extern void align_agreement_read(const char *name, MemoryContext context, Agreement *agreement);

/* The same from the backend's cache, NULL if there is none.  Valid until the
 * next look-up. */
extern const Agreement *align_agreement_lookup(const char *name);

/* The version in force at an instant, NULL if none is yet. */
extern const AgreementVersion *align_agreement_at(const Agreement *agreement, TimestampTz at);

/* Lock a name until the end of the transaction: exclusively for who changes what
 * stands under it, shared for who relies on that. */
extern void align_agreement_lock(const char *name, LOCKMODE mode);

/* Raises that there is no agreement of this name, with the nearest as a hint. */
extern void align_agreement_unknown(const char *name) pg_attribute_noreturn();

/* Raises that no version is in force at an instant yet. */
extern void align_agreement_not_in_force(const Agreement *agreement, TimestampTz at) pg_attribute_noreturn();

#endif							/* ALIGN_AGREEMENT_H */
