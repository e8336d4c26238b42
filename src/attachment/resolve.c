/*
 * resolve.c
 *	  Which attachment a function means that is given a relation.
 *
 * The history of an attachment means that attachment.  A table means its only
 * attachment; of several, the history must be named.
 *
 * A role with the TRIGGER privilege on a table can create further markers on
 * it.  If there are several, only those count whose history belongs to the
 * owner of the table and points back to the attachment.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/lsyscache.h"

#include "attachment/attachment.h"
#include "catalog/relation.h"

/*
 * True if the history that a marker names belongs to the owner of the root and
 * points back to the attachment.
 */
bool
align_history_points_back(const AttachmentMarker *marker, char ***args)
{
	int			nargs;
	AttachmentId back = align_read_pointer(marker->history, &nargs, args);

	return back.relid == marker->root && back.number == marker->options.number &&
		align_relation_owner(marker->history) == align_relation_owner(marker->root);
}

/*
 * Raises an error that asks for the history of one of several attachments.
 */
void
align_raise_several(Oid root, List *numbers, const char *hint)
{
	StringInfoData histories;
	ListCell   *lc;

	initStringInfo(&histories);
	foreach(lc, numbers)
	{
		AttachmentId id = {root, lfirst_int(lc)};
		AttachmentMarker marker;

		if (align_find_marker(id, &marker))
			appendStringInfo(&histories, "%s%s (agreement \"%s\")", histories.len > 0 ? ", " : "",
							 align_relation_name(marker.history), marker.agreement);
	}
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" has several attachments", get_rel_name(root)),
			 errdetail("Its name alone does not identify one of them."),
			 errhint("%s: %s.", hint, histories.data)));
}

/*
 * The number of the only attachment of a root that has markers.
 */
static int32
OnlyNumber(Oid root, List *numbers)
{
	List	   *tied = NIL;
	ListCell   *lc;

	if (list_length(numbers) == 1)
		return linitial_int(numbers);
	foreach(lc, numbers)
	{
		AttachmentId id = {root, lfirst_int(lc)};
		AttachmentMarker marker;
		char	  **args;

		if (align_find_marker(id, &marker) && align_history_points_back(&marker, &args))
			tied = lappend_int(tied, lfirst_int(lc));
	}
	if (list_length(tied) > 1)
		align_raise_several(root, tied, "Name the history of the attachment instead");
	/* if none is tied, using the first one raises its fault */
	return linitial_int(tied != NIL ? tied : numbers);
}

/*
 * Finds the attachment that the argument of a function means.
 */
bool
align_find_attachment(Oid relid, AttachmentId *id, Oid *root)
{
	List	   *numbers;
	AttachmentMarker marker;
	int			nargs;
	char	  **args;

	*root = align_attached_root(relid, &numbers);
	if (OidIsValid(*root))
	{
		id->relid = relid;
		id->number = OnlyNumber(*root, numbers);
		return true;
	}
	*id = align_read_pointer(relid, &nargs, &args);
	if (id->number != 0 && align_find_marker(*id, &marker) && marker.history == relid)
	{
		*root = id->relid;
		return true;
	}
	id->relid = relid;
	id->number = ATTACHMENT_FIRST;
	return false;
}
