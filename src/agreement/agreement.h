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
	NameData	owner;			/* a role, which may have been dropped */
	TextValue  *funnel;			/* not toasted, four-byte header */
	struct Funnel *compiled;	/* NULL until asked for; see compiled.c */
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

/* OID of a table of the extension; raises if it does not exist. */
extern Oid	align_own_table(const char *relname);

/*
 * Roles are kept by name, so that a dump can be loaded where they do not exist,
 * and resolved on use.  Before 0.2.1 the columns had the type regrole; both are
 * read, since the library is installed before the extension is updated.
 */
extern void align_read_role_name(Datum value, Oid type, NameData *name);

/* The same for writing: the name of a role as a value of the column's type. */
extern Datum align_role_name_datum(const NameData *name, Oid type);

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

/* The owner of the name: that of the latest version; InvalidOid if the role does
 * not exist. */
extern Oid	align_agreement_owner(const Agreement *agreement);

/* The version in force at an instant, NULL if none is yet. */
extern const AgreementVersion *align_agreement_at(const Agreement *agreement, TimestampTz at);

/*
 * The compiled funnel of a version; NULL if there is no such version, also after
 * invalidations from other sessions have been accepted.  Lives as long as the
 * backend: versions never change.  (compiled.c)
 */
extern struct Funnel *align_agreement_funnel(const char *name, int32 version);

/* The same of a version that was just looked up. */
extern struct Funnel *align_compiled_version(const AgreementVersion *version);

/* The version in force at an instant; raises if there is none. */
extern struct Funnel *align_agreement_funnel_at(const char *name, TimestampTz at, int32 *version);

/* Lock a name until the end of the transaction: exclusively for who changes what
 * stands under it, shared for who relies on that. */
extern void align_agreement_lock(const char *name, LOCKMODE mode);

/* An argument that is the name of an agreement; raises if it is null, empty or too
 * long. */
extern char *align_agreement_name_arg(FunctionCallInfo fcinfo, int argno);

/*
 * Appends a version and returns its number.  agreement is what the name has so far;
 * the caller holds the lock and has checked everything.
 */
extern int32 align_append_version(const Agreement *agreement, const TextValue *funnel,
								  const text *document, TimestampTz valid_from,
								  const NameData *owner, const text *note);

/* A funnel compiled in the current memory context. */
extern struct Funnel *align_compile_funnel(const TextValue *value);
extern void align_set_role_name(NameData *name, Oid role);

/* Raises unless the current user has the privileges of the owner. */
extern void align_check_agreement_owner(const Agreement *agreement);

/*
 * Run a command on a table of the extension as the table's owner, and return how
 * many rows it processed.  Its parameters have the types of the table's columns, in
 * order.
 */
extern uint64 align_execute_on_own_table(const char *relname, const char *command, int nargs,
										 Datum *values, const char *nulls);

/* Raises that there is no agreement of this name, with the nearest as a hint. */
extern void align_agreement_unknown(const char *name) pg_attribute_noreturn();

/* Raises that no version is in force at an instant yet. */
extern void align_agreement_not_in_force(const Agreement *agreement, TimestampTz at) pg_attribute_noreturn();

#endif							/* ALIGN_AGREEMENT_H */
