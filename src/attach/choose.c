/*
 * choose.c
 *	  Which attachment of the table a call of align.attach() is about.
 *
 * A table may have several attachments.  The call changes the attachment
 * whose history it names.  If it names none, it changes the attachment to the
 * same agreement; of several, the one with the default history.  Any other
 * call makes a further attachment.  An attachment to another agreement, or
 * with another history, is replaced only with replace => true.
 *
 * The agreement of an attachment is read from its history, whose pointer only
 * the owner can have made, rather than from the marker, and markers whose
 * history does not point back are ignored if there are others.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "utils/lsyscache.h"

#include "attach/request.h"
#include "catalog/relation.h"

/*
 * The attachments of the table.  Markers of another form are left out.
 */
typedef struct Existing
{
	List	   *all;			/* of AttachmentMarker * */
	List	   *tied;			/* those whose history points back; all, if
								 * there are none */
} Existing;

static void
FindExisting(const AttachRequest *request, Existing *existing)
{
	ListCell   *lc;

	existing->all = existing->tied = NIL;
	foreach(lc, align_attachment_numbers(request->relid))
	{
		AttachmentId id = {request->relid, lfirst_int(lc)};
		AttachmentMarker *marker = palloc(sizeof(AttachmentMarker));
		char	  **args;

		if (!align_find_marker(id, marker))
			continue;
		existing->all = lappend(existing->all, marker);
		if (!align_history_points_back(marker, &args))
			continue;
		strlcpy(marker->agreement, args[0], NAMEDATALEN);
		existing->tied = lappend(existing->tied, marker);
	}
	if (existing->tied == NIL)
		existing->tied = existing->all;
}

static AttachmentMarker *
WithHistory(List *markers, Oid history)
{
	ListCell   *lc;

	foreach(lc, markers)
	{
		AttachmentMarker *marker = (AttachmentMarker *) lfirst(lc);

		if (marker->history == history)
			return marker;
	}
	return NULL;
}

static AttachmentMarker *
WithNumber(List *markers, int32 number)
{
	ListCell   *lc;

	foreach(lc, markers)
	{
		AttachmentMarker *marker = (AttachmentMarker *) lfirst(lc);

		if (marker->options.number == number)
			return marker;
	}
	return NULL;
}

static bool
SameAgreement(const AttachRequest *request, const AttachmentMarker *marker)
{
	return strcmp(marker->agreement, request->agreement) == 0;
}

static void
RaiseSeveral(const AttachRequest *request, List *markers)
{
	List	   *numbers = NIL;
	ListCell   *lc;

	foreach(lc, markers)
		numbers = lappend_int(numbers, ((AttachmentMarker *) lfirst(lc))->options.number);
	align_raise_several(request->relid, numbers,
						"Name the one to be changed with history => '...'");
}

/*
 * The attachment to the same agreement; of several, by_default, the one with
 * the default history.  NULL if there is none.
 */
static AttachmentMarker *
WithAgreement(const AttachRequest *request, List *markers, AttachmentMarker *by_default)
{
	List	   *found = NIL;
	ListCell   *lc;

	foreach(lc, markers)
	{
		AttachmentMarker *marker = (AttachmentMarker *) lfirst(lc);

		if (SameAgreement(request, marker))
			found = lappend(found, marker);
	}
	if (list_length(found) <= 1)
		return found != NIL ? (AttachmentMarker *) linitial(found) : NULL;
	if (by_default == NULL || !SameAgreement(request, by_default))
		RaiseSeveral(request, found);
	return by_default;
}

/*
 * The attachment that is replaced by one to another agreement or with another
 * history: that of the default history, if none is named, else the only one.
 */
static AttachmentMarker *
Replaced(const AttachRequest *request, List *markers, AttachmentMarker *by_default)
{
	if (by_default != NULL)
		return by_default;
	if (list_length(markers) > 1)
		RaiseSeveral(request, markers);
	return (AttachmentMarker *) linitial(markers);
}

static void
RaiseOtherAgreement(const AttachRequest *request, const AttachmentMarker *other)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" is attached to agreement \"%s\"", get_rel_name(request->relid),
					other->agreement),
			 errdetail("History %s belongs to that attachment.",
					   align_relation_name(other->history)),
			 errhint("To attach the table to both agreements, name another history with history => '...'. To attach it to agreement \"%s\" instead, use replace => true.",
					 request->agreement)));
}

/*
 * True if a number belongs to an attachment: the marker has it, or the pointer
 * of a record table.
 */
static bool
IsUsed(const AttachRequest *request, const Existing *existing, int32 number)
{
	ListCell   *lc;

	if (WithNumber(existing->all, number) != NULL)
		return true;
	foreach(lc, align_record_tables_of(request->relid, number))
	{
		if (align_relation_owner(lfirst_oid(lc)) == request->owner)
			return true;
	}
	return false;
}

/*
 * The number of a further attachment.  If the history was that of one whose
 * marker is lost or replaced, it is the same again.
 */
static int32
FurtherNumber(const AttachRequest *request, const Existing *existing, Oid history)
{
	int32		number = ATTACHMENT_FIRST;

	if (OidIsValid(history) && align_relation_owner(history) == request->owner)
	{
		int			nargs;
		char	  **args;
		AttachmentId root = align_read_pointer(history, &nargs, &args);
		const AttachmentMarker *marker = WithNumber(existing->all, root.number);

		if (root.relid == request->relid && root.number != 0 &&
			(marker == NULL || !align_history_points_back(marker, &args)))
			return root.number;
	}
	while (IsUsed(request, existing, number))
		number++;
	return number;
}

/*
 * Decides which attachment of the table is changed, or whether a further one
 * is made.
 */
void
align_attach_choose(AttachRequest *request, bool history_is_named)
{
	Oid			schema = get_namespace_oid(request->history.schema, true);
	Oid			history = get_relname_relid(request->history.name, schema);
	Existing	existing;
	AttachmentMarker *with_history;
	AttachmentMarker *chosen;

	FindExisting(request, &existing);
	with_history = WithHistory(existing.tied, history);
	chosen = history_is_named ? with_history :
		WithAgreement(request, existing.tied, with_history);
	if (chosen == NULL && existing.tied != NIL && request->replace)
		chosen = Replaced(request, existing.tied, with_history);
	/* the default history is in use */
	if (chosen == NULL)
		chosen = with_history;
	if (chosen != NULL && !SameAgreement(request, chosen) && !request->replace)
		RaiseOtherAgreement(request, chosen);

	request->was_attached = chosen != NULL;
	if (chosen != NULL)
		request->before = *chosen;
	request->options.number = chosen != NULL ? chosen->options.number :
		FurtherNumber(request, &existing, history);
}
