/*
 * row_version.c
 *	  Reads the key and the roles of a row version; see row_version.h.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/date.h"

#include "attachment/key.h"
#include "record/column_time.h"
#include "record/pending.h"
#include "record/row_version.h"
#include "verdict/verdict.h"

/*
 * Reads the key of a row, which must not contain nulls.
 */
void
align_version_key(const RowVersion *version, Datum *key)
{
	if (version->deferred != NULL)
	{
		memcpy(key, version->deferred_key, version->attachment->nkeys * sizeof(Datum));
		return;
	}
	align_key_from_row(version->attachment, version->row, RelationGetDescr(version->rel), key);
}

/*
 * True if the live condition holds for a row, or if there is none.
 */
bool
align_row_is_live(const RowVersion *version)
{
	if (version->deferred != NULL)
		return version->deferred->live;
	return align_satisfies_live(version->attachment, version->rel, version->row);
}

/*
 * Returns what is kept of the column of a deleted row.
 */
static LeadString
DeferredText(const DeferredDeletion *deletion, RowRole role)
{
	switch (role)
	{
		case ROW_STAGE:
			return align_lead_cstring(deletion->stage);
		case ROW_TEAM:
			return align_lead_cstring(deletion->team);
		case ROW_ASSIGNEE:
			return align_lead_cstring(deletion->assignee);
		case ROW_REASON:
			return align_lead_cstring(deletion->reason);
		default:
			return align_lead_cstring(NULL);
	}
}

/*
 * Returns a role as text, not copied; its text is NULL for SQL NULL and if the
 * attachment has no such role.
 */
LeadString
align_version_text(const RowVersion *version, RowRole role)
{
	if (version->deferred != NULL)
		return DeferredText(version->deferred, role);
	return align_role_text(version->attachment, role, version->rel, version->row);
}

/*
 * Returns the index of the stage of a row, or -1, and its label as the row has
 * it.
 */
int
align_version_stage(const RowVersion *version, const Funnel *funnel, LeadString *label)
{
	if (version->deferred != NULL)
	{
		*label = DeferredText(version->deferred, ROW_STAGE);
		return align_funnel_stage(funnel, label->text, label->len);
	}
	return align_row_stage(version->attachment, version->rel, version->row, funnel, label);
}

/*
 * Returns what is kept of the column of a deleted row.
 */
static Datum
DeferredDatum(const RowVersion *version, RowRole role, bool *isnull)
{
	const DeferredDeletion *deletion = version->deferred;

	*isnull = role != ROW_CHANGED_AT || deletion->no_changed_at;
	if (*isnull)
		return (Datum) 0;
	if (version->attachment->type[role] == DATEOID)
		return DateADTGetDatum((DateADT) deletion->changed_at);
	return Int64GetDatum(deletion->changed_at);
}

/*
 * Returns the value of a role; null if the attachment has no such role.
 */
Datum
align_version_value(const RowVersion *version, RowRole role, bool *isnull)
{
	if (version->deferred != NULL)
		return DeferredDatum(version, role, isnull);
	return align_role_value(version->attachment, role, version->rel, version->row, isnull);
}

/*
 * Returns the time of a role, or CHANGE_TIME_UNKNOWN.
 */
TimestampTz
align_version_time(const RowVersion *version, RowRole role)
{
	bool		isnull;
	Datum		value = align_version_value(version, role, &isnull);

	return isnull ? CHANGE_TIME_UNKNOWN : align_column_time(version->attachment, role, value);
}
