/*
 * align.c
 *	  Module magic, initialisation and settings.
 */
#include "postgres.h"

#include "compat.h"

#include "fmgr.h"
#include "storage/proc.h"
#include "utils/guc.h"
#include "utils/guc_tables.h"

#include "settings.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

#define OVERRIDE "align.override"

static char *override = "";
static char *actor = "";

/* The transaction in which the value of align.override was set. */
static LocalTransactionId override_transaction = InvalidLocalTransactionId;

/*
 * Number of values that are still to be assigned while the library is being
 * loaded, and were set in an earlier transaction.
 */
static int	earlier_values = 0;

/*
 * Check hook of align.override.  Notes the transaction with the value, so that
 * a value that is restored later, as at the end of a savepoint, keeps its own.
 * A value that is not set by SET or set_config(), but in a configuration file,
 * say, belongs to no transaction.
 */
static bool
CheckOverride(char **value, void **extra, GucSource source)
{
	LocalTransactionId *transaction = align_setting_alloc(sizeof(LocalTransactionId));

	(void) value;
	if (transaction == NULL)
		return false;
	*transaction = InvalidLocalTransactionId;
	if (source >= PGC_S_SESSION)
	{
		if (earlier_values > 0)
			earlier_values--;
		else if (MyProc != NULL)
			*transaction = ALIGN_LOCAL_TRANSACTION;
	}
	*extra = transaction;
	return true;
}

static void
AssignOverride(const char *value, void *extra)
{
	(void) value;
	override_transaction = extra != NULL ? *(LocalTransactionId *) extra :
		InvalidLocalTransactionId;
}

/*
 * Returns how many values of align.override, set before the library was
 * loaded, are of an earlier transaction.  That can be only the value below all
 * those that the current transaction has to restore.
 */
static int
CountEarlierValues(void)
{
	struct config_generic *setting = align_find_setting(OVERRIDE);
	GucStack   *oldest;

	if (setting == NULL)
		return 0;
	if (setting->stack == NULL)
		return 1;
	for (oldest = setting->stack; oldest->prev != NULL; oldest = oldest->prev)
		;
	return oldest->source >= PGC_S_SESSION ? 1 : 0;
}

/*
 * Returns the reason in the setting align.override, or NULL.
 */
const char *
align_override(void)
{
	if (override[0] == '\0' || override_transaction == InvalidLocalTransactionId ||
		override_transaction != ALIGN_LOCAL_TRANSACTION)
		return NULL;
	return override;
}

/*
 * Returns the person in the setting align.actor, or NULL.
 */
const char *
align_actor(void)
{
	return actor[0] != '\0' ? actor : NULL;
}

/*
 * align.override may be set by superusers, and by roles that have been granted
 * SET on it; the server checks that right.
 */
void
_PG_init(void)
{
	earlier_values = CountEarlierValues();
	DefineCustomStringVariable(OVERRIDE,
							   "Reason to allow changes that the agreement of a table refuses.",
							   "Until the transaction that sets it ends, violations are recorded as "
							   "events \"override\" with this text as their note.",
							   &override, "",
							   PGC_SUSET, 0, CheckOverride, AssignOverride, NULL);
	earlier_values = 0;
	DefineCustomStringVariable("align.actor",
							   "Person who makes the changes of leads in this session.",
							   "Recorded as the actor of changes whose row does not name one.",
							   &actor, "",
							   PGC_USERSET, 0, NULL, NULL, NULL);
	MarkGUCPrefixReserved("align");
}
