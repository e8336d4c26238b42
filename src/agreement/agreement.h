/*
 * agreement.h
 *	  Agreements by name: their versions, and which one is in force.
 *
 * The table align.agreement holds every version of every agreement; versions
 * are never changed or deleted.  Of the versions whose valid_from is not in
 * the future the highest is in force.  So a version that is agreed later takes
 * precedence over an earlier one, even if the earlier one has a later
 * valid_from, and exactly one version is in force at any instant after the
 * first.
 */
#ifndef ALIGN_AGREEMENT_H
#define ALIGN_AGREEMENT_H

#include "compat.h"

#include "datatype/timestamp.h"
#include "storage/lockdefs.h"
#include "value.h"

/* Names of agreements fit in a NameData. */
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
	NameData	owner;			/* name of a role, which may not exist */
	TextValue  *funnel;			/* not toasted, four-byte header */
	struct Funnel *compiled;	/* NULL until first used; see compiled.c */
} AgreementVersion;

typedef struct Agreement
{
	char		name[NAMEDATALEN];	/* hash key */
	uint64		generation;		/* cache generation when it was read */
	MemoryContext context;		/* holds versions and what they point to */
	int			nversions;
	AgreementVersion *versions; /* in ascending order */
} Agreement;

/*
 * OID of a table in the extension's schema.  If it does not exist, InvalidOid
 * if missing_ok, else an error.
 */
extern Oid	align_extension_table(const char *relname, bool missing_ok);

/*
 * Convert between the name of a role and a value of a column of type "type".
 *
 * The tables store roles by name, so that a dump can be restored where the
 * roles do not exist, and resolve them on use.  Before 0.2.1 the columns had
 * the type regrole; both types are supported, because the library is installed
 * before the extension is updated.
 */
extern void align_read_role_name(Datum value, Oid type, NameData *name);
extern Datum align_role_name_datum(const NameData *name, Oid type);

/*
 * Check the name of an agreement and return it NUL-terminated and palloc'd;
 * raises if it is NULL, empty or too long.  The second form takes argument
 * argno of an SQL function.
 */
extern char *align_agreement_name(const char *text, int len);
extern char *align_agreement_name_arg(FunctionCallInfo fcinfo, int argno);

/*
 * Read all versions of an agreement from the table, allocated in context.
 * nversions is 0 if there is no agreement of that name.
 */
extern void align_agreement_read(const char *name, MemoryContext context, Agreement *agreement);

/*
 * Look up an agreement in the backend's cache; NULL if there is none of that
 * name.  The result is valid until the next look-up.
 */
extern const Agreement *align_agreement_lookup(const char *name);

/* The owner of the latest version; InvalidOid if the role does not exist. */
extern Oid	align_agreement_owner(const Agreement *agreement);

/* The version in force at an instant, or NULL. */
extern const AgreementVersion *align_agreement_at(const Agreement *agreement, TimestampTz at);

/*
 * Compiled funnels of versions.  They live as long as the backend, because
 * versions never change.
 *
 * align_agreement_funnel() returns NULL if there is no such version, even
 * after accepting invalidation messages.  align_agreement_funnel_at() sets
 * *version to the version in force at an instant, and raises if there is none.
 */
extern struct Funnel *align_compiled_version(const AgreementVersion *version);
extern struct Funnel *align_agreement_funnel(const char *name, int32 version);
extern struct Funnel *align_agreement_funnel_at(const char *name, TimestampTz at, int32 *version);

/*
 * The version of an agreement under which a stage was recorded; 0 if it is
 * unknown.
 */
typedef struct StageSource
{
	const char *agreement;
	int32		version;
} StageSource;

/*
 * The stage of a funnel, which is the given version of an agreement, that a
 * recorded name stands for; -1 if there is none.  Names that the funnel does
 * not know are carried over through the names and labels of the versions
 * between (carry.c).
 */
extern int	align_carry_stage(const StageSource *source, const char *agreement, int32 version,
							  const struct Funnel *funnel, const char *name);

/*
 * Lock an agreement until the end of the transaction: ExclusiveLock to change
 * its versions, teams or admissions, ShareLock to rely on them.  Returns false
 * if there is none of that name.  Check before that the current user may do
 * what the lock is for, or any role could make others wait.
 */
extern bool align_agreement_lock(const char *name, LOCKMODE mode);

/*
 * Lock an agreement in ExclusiveLock mode and read it; raises unless the
 * current user has the privileges of its owner, before or after waiting for
 * the lock.  If there is none of that name, raises unless may_be_new; then
 * nversions is 0, and the name is locked.
 */
extern void align_agreement_lock_own(const char *name, bool may_be_new, Agreement *agreement);

/*
 * Append a version to the table and return its number.  agreement holds the
 * versions so far; the caller has locked it, or its new name, and checked all
 * values.
 */
extern int32 align_append_version(const Agreement *agreement, const TextValue *funnel,
								  const text *document, TimestampTz valid_from,
								  const NameData *owner, const text *note);

/* Compile a funnel in the current memory context. */
extern struct Funnel *align_compile_funnel(const TextValue *value);

/* Set *name to the name of a role; raises if the role does not exist. */
extern void align_set_role_name(NameData *name, Oid role);

/*
 * Execute a command on a table of the extension as the owner of the table, and
 * return the number of rows processed.  Parameter i has the type of the i-th
 * column of the table.
 */
extern uint64 align_write_extension_table(const char *relname, const char *command,
										  int nargs, Datum *values, const char *nulls);

/*
 * Raise that there is no agreement of this name, with a hint on similar names.
 */
extern void align_agreement_unknown(const char *name) pg_attribute_noreturn();

/* Raise that no version is in force yet at an instant. */
extern void align_agreement_not_in_force(const Agreement *agreement, TimestampTz at) pg_attribute_noreturn();

#endif							/* ALIGN_AGREEMENT_H */
