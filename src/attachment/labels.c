/*
 * labels.c
 *	  Looks up labels; see labels.h.
 *
 * The view may contain code of the owner, who can replace it.  So it is read
 * in a security-restricted operation.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "attachment/key.h"
#include "attachment/labels.h"
#include "catalog/as_role.h"
#include "catalog/relation.h"

/* So many values are kept at most. */
#define MAX_MEMO 10000

/* A value, and its label; the text of label is NULL if there is none. */
typedef struct LookedUpLabel
{
	LeadString	value;			/* hash key */
	LeadString	label;
} LookedUpLabel;

typedef struct LabelLookup
{
	Oid			key_type;
	SPIPlanPtr	plan;			/* NULL until it is prepared */
	MemoryContextCallback callback; /* frees plan */
	MemoryContext context;		/* holds memo; may be NULL */
	HTAB	   *memo;			/* NULL: nothing is kept */
	uint64		statement;		/* in which memo was made */
} LabelLookup;

/* Number of the current statement. */
static uint64 statement = 0;

/*
 * Forgets what was looked up.
 */
void
align_labels_forget(void)
{
	statement++;
}

/*
 * True if the funnel knows a value as it stands.  It knows no persons and no
 * campaigns.
 */
static bool
FunnelKnows(const Funnel *funnel, RowRole role, LeadString value)
{
	switch (role)
	{
		case ROW_STAGE:
			return align_funnel_stage(funnel, value.text, value.len) >= 0;
		case ROW_TEAM:
			return align_funnel_team(funnel, value.text, value.len) >= 0;
		case ROW_REASON:
			return align_funnel_lists_reason(funnel, value.text, value.len);
		default:
			return false;
	}
}

/*
 * Converts a value to the type of the key; false if no key can have it.
 */
static bool
KeyDatum(Oid type, LeadString value, Datum *key)
{
	char	   *text = pnstrdup(value.text, value.len);
	char	   *end;
	int64		number;

	switch (type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
			errno = 0;
			number = strtoll(text, &end, 10);
			if (end == text || *end != '\0' || errno != 0)
				return false;
			/* the parameter is a bigint for all integer keys */
			*key = Int64GetDatum(number);
			return true;
		case UUIDOID:
			/* the text form that uuid has as output */
			if (value.len != 36 || strspn(text, "0123456789abcdefABCDEF-") != 36)
				return false;
			for (int i = 0; i < 36; i++)
			{
				if ((text[i] == '-') != (i == 8 || i == 13 || i == 18 || i == 23))
					return false;
			}
			*key = DirectFunctionCall1(uuid_in, CStringGetDatum(text));
			return true;
		default:
			*key = CStringGetTextDatum(text);
			return true;
	}
}

/*
 * The type of the parameter for a type of key.
 */
static Oid
ParameterType(Oid type)
{
	switch (type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
			return INT8OID;
		case UUIDOID:
			return UUIDOID;
		default:
			return TEXTOID;
	}
}

static void
FreePlan(void *arg)
{
	LabelLookup *lookup = (LabelLookup *) arg;

	if (lookup->plan != NULL)
		SPI_freeplan(lookup->plan);
	lookup->plan = NULL;
}

/*
 * The look-up of a role, which lives as long as the attachment.
 */
static LabelLookup *
GetLookup(Attachment *attachment, RowRole role)
{
	Oid			view = attachment->marker.labels[role];
	LabelLookup *lookup = attachment->lookups[role];

	if (lookup != NULL)
		return lookup;
	lookup = MemoryContextAllocZero(attachment->context, sizeof(LabelLookup));
	lookup->key_type = getBaseType(get_atttype(view, get_attnum(view, "key")));
	lookup->callback.func = FreePlan;
	lookup->callback.arg = lookup;
	MemoryContextRegisterResetCallback(attachment->context, &lookup->callback);
	attachment->lookups[role] = lookup;
	return lookup;
}

/*
 * Prepares the query of a look-up; the caller is connected to SPI, as the
 * owner.
 */
static void
Prepare(LabelLookup *lookup, Oid view)
{
	Oid			type = ParameterType(lookup->key_type);
	SPIPlanPtr	plan = SPI_prepare(psprintf("SELECT v.label::pg_catalog.text FROM %s AS v WHERE v.key OPERATOR(pg_catalog.=) $1",
											align_relation_name(view)), 1, &type);

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "SPI_keepplan failed");
	lookup->plan = plan;
}

/*
 * Reads the label of a key from the view, in the current memory context.  NULL
 * if there is none.
 */
static char *
ReadLabel(Attachment *attachment, RowRole role, LabelLookup *lookup, Datum key)
{
	Oid			view = attachment->marker.labels[role];
	MemoryContext context = CurrentMemoryContext;
	RestrictedCaller caller;
	CallerRole	owner;
	char	   *result = NULL;

	align_begin_restricted(&caller, attachment->root_owner);
	/* the restricted operation resets these settings, too */
	(void) align_use_stored_text_settings();
	align_work_as(attachment->root_owner, &owner);
	PushActiveSnapshot(GetLatestSnapshot());
	align_spi_connect();
	if (lookup->plan == NULL)
		Prepare(lookup, view);
	if (SPI_execute_plan(lookup->plan, &key, NULL, true, 2) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(SPI_result));
	if (SPI_processed > 1)
		ereport(ERROR,
				(errcode(ERRCODE_CARDINALITY_VIOLATION),
				 errmsg("view %s has several labels for one value of %s",
						align_relation_name(view), align_row_role_names[role]),
				 errdetail("The values of its column \"key\" must be unique.")));
	/* the plan is made again whenever the owner changes the view */
	if (SPI_tuptable->tupdesc->natts != 1 || SPI_gettypeid(SPI_tuptable->tupdesc, 1) != TEXTOID)
		elog(ERROR, "label of view %s is not of type text", align_relation_name(view));
	if (SPI_processed == 1)
	{
		bool		isnull;
		Datum		label = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);

		if (!isnull)
			result = MemoryContextStrdup(context, TextDatumGetCString(label));
		/* an empty label is none */
		if (result != NULL && result[strspn(result, " \t\n\r")] == '\0')
			result = NULL;
	}
	SPI_finish();
	PopActiveSnapshot();
	align_return_to(&owner);
	align_end_restricted(&caller);
	return result;
}

static uint32
HashValue(const void *key, Size size)
{
	const LeadString *value = (const LeadString *) key;

	(void) size;
	return hash_bytes((const unsigned char *) value->text, value->len);
}

static int
CompareValues(const void *left, const void *right, Size size)
{
	(void) size;
	return align_lead_same(*(const LeadString *) left, *(const LeadString *) right) ? 0 : 1;
}

/*
 * Makes the memo empty if it is of another statement, or full.
 */
static void
RefreshMemo(Attachment *attachment, LabelLookup *lookup)
{
	HASHCTL		control = {0};

	if (lookup->memo != NULL && lookup->statement == statement &&
		hash_get_num_entries(lookup->memo) < MAX_MEMO)
		return;
	lookup->memo = NULL;
	if (lookup->context != NULL)
		MemoryContextDelete(lookup->context);
	lookup->context = NULL;
	lookup->context = AllocSetContextCreate(attachment->context, "align look-up",
											ALLOCSET_SMALL_SIZES);
	control.keysize = sizeof(LeadString);
	control.entrysize = sizeof(LookedUpLabel);
	control.hash = HashValue;
	control.match = CompareValues;
	control.hcxt = lookup->context;
	lookup->memo = hash_create("align labels", 64, &control,
							   HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
	lookup->statement = statement;
}

/*
 * The label of a value from the memo, or from the view.  Its text is NULL if
 * there is none.
 */
static LeadString
FindLabel(Attachment *attachment, RowRole role, LeadString value)
{
	LabelLookup *lookup = GetLookup(attachment, role);
	LeadString	label = {NULL, 0};
	LookedUpLabel *found;
	Datum		key;

	RefreshMemo(attachment, lookup);
	found = hash_search(lookup->memo, &value, HASH_FIND, NULL);
	if (found != NULL)
		return found->label;
	if (KeyDatum(lookup->key_type, value, &key))
		label = align_lead_cstring(ReadLabel(attachment, role, lookup, key));

	/* reading may have begun another statement */
	RefreshMemo(attachment, lookup);
	label = align_lead_copy(lookup->context, label);
	value = align_lead_copy(lookup->context, value);
	found = hash_search(lookup->memo, &value, HASH_ENTER, NULL);
	found->label = label;
	return label;
}

/*
 * The label of a role's value.
 */
LeadString
align_role_label(Attachment *attachment, RowRole role, const Funnel *funnel, LeadString value)
{
	LeadString	label;

	if (!align_has_labels(attachment, role) || FunnelKnows(funnel, role, value))
		return value;
	label = FindLabel(attachment, role, value);
	/* a copy, since the memo may be emptied before it is used */
	return label.text != NULL ? align_lead_copy(CurrentMemoryContext, label) : value;
}
