/*
 * privileges.h
 *	  What others may do with the history and the clock table of an attachment.
 *
 * Neither table may show more than the attached table does:
 *
 *	  - Nobody but the owner has any privilege on them but SELECT, and SELECT only
 *		together with SELECT on the attached table as a whole (not on columns of
 *		it).  What goes beyond that is surplus.
 *	  - Where the attached table has row-level security, both have it too, with a
 *		policy that lets through the rows of the leads that the reader sees in the
 *		table.  Rows of leads that are no longer there are visible to the owner
 *		only.
 *
 * align.attach() removes the surplus and makes the policies; align.check() reports
 * what was granted or changed since.
 */
#ifndef ALIGN_ATTACHMENT_PRIVILEGES_H
#define ALIGN_ATTACHMENT_PRIVILEGES_H

#include "compat.h"

#include "access/attnum.h"
#include "attachment/attachment.h"
#include "nodes/parsenodes.h"

#define ATTACHMENT_POLICY "align_visible"

/* Privileges of a role on a table, or on a column of it. */
typedef struct SurplusPrivileges
{
	Oid			relid;
	AttrNumber	attnum;			/* 0: on the table as a whole */
	Oid			grantee;		/* ACL_ID_PUBLIC: everybody */
	AclMode		privileges;
} SurplusPrivileges;

/* The surplus on one history or clock table (or partition of one) of a root. */
extern List *align_surplus_privileges(Oid root, Oid relid);

/* "INSERT, UPDATE"; "crm_app" quoted, or PUBLIC; palloc'd. */
extern char *align_privilege_names(AclMode privileges);
extern char *align_grantee_name(Oid grantee);

/* Roles other than the owner that have TRIGGER on a table by a grant; OIDs. */
extern List *align_roles_with_trigger(Oid relid);

/* Has a table row-level security, and is it forced on the owner? */
extern bool align_row_security(Oid relid, bool *forced);

/*
 * The condition of the policy on a history or clock table, as SQL: is there a row
 * of the same key in the root that the reader sees?
 */
extern char *align_policy_condition(Oid root, int nkeys, const AttrNumber *root_keys, Oid relid);

typedef enum PolicyState
{
	POLICY_MISSING,
	POLICY_DIFFERS,
	POLICY_FITS
} PolicyState;

/* Compares the policy on a table with that condition. */
extern PolicyState align_policy_state(Oid relid, const char *condition);

#endif							/* ALIGN_ATTACHMENT_PRIVILEGES_H */
