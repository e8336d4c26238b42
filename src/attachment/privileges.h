/*
 * privileges.h
 *	  Privileges of other roles on the record tables of an attachment, and the
 *	  row-level security of these tables.
 *
 * A record table must not show more than the attached table does:
 *
 *	  - Roles other than the owner may have SELECT only, and that only together
 *		with SELECT on the attached table as a whole (not on columns of it).
 *		Any further privilege is surplus.
 *	  - If the attached table has row-level security, so have both record
 *		tables, with a policy that passes the rows of those leads that the
 *		current user sees in the attached table.  Rows of leads that are no
 *		longer in the funnel, and those of former leads with the same key, are
 *		visible to the owner only (present_life.c).  A key must identify one
 *		row, or a visible row would show the entries of a hidden one.
 *
 * align.attach() revokes surplus privileges and creates the policies;
 * align.check() reports what was granted or changed afterwards.
 */
#ifndef ALIGN_ATTACHMENT_PRIVILEGES_H
#define ALIGN_ATTACHMENT_PRIVILEGES_H

#include "compat.h"

#include "access/attnum.h"
#include "attachment/attachment.h"
#include "nodes/parsenodes.h"

#define ATTACHMENT_POLICY "align_visible"

/* Surplus privileges of one role on a table, or on a column of it. */
typedef struct SurplusPrivileges
{
	Oid			relid;
	AttrNumber	attnum;			/* 0: on the table as a whole */
	Oid			grantee;		/* ACL_ID_PUBLIC: PUBLIC */
	AclMode		privileges;
} SurplusPrivileges;

/*
 * The surplus privileges on a record table of a root or on a partition of one,
 * as a list of SurplusPrivileges.
 */
extern List *align_surplus_privileges(Oid root, Oid relid);

/* "INSERT, UPDATE", palloc'd. */
extern char *align_privilege_names(AclMode privileges);

/* The name of a role, quoted, or PUBLIC; palloc'd. */
extern char *align_grantee_name(Oid grantee);

/*
 * OIDs of the roles to which TRIGGER on a table was granted, without its owner
 * and superusers.
 */
extern List *align_roles_with_trigger(Oid relid);

/*
 * Returns whether row-level security is enabled on a table, and whether it is
 * forced on the owner.
 */
extern bool align_row_security(Oid relid, bool *forced);

/*
 * The condition of the policy on a record table or on a partition of one, as
 * SQL: does the current user see a row of the same key in the root, and does
 * the entry or clock belong to the present life of that key?
 */
extern char *align_policy_condition(Oid root, Oid history, int nkeys,
									const AttrNumber *root_keys, Oid relid);

/* Is a record table the history, or a partition of it?  (present_life.c) */
extern bool align_is_history(Oid relid, Oid history);

typedef enum PolicyState
{
	POLICY_MISSING,
	POLICY_DIFFERS,
	POLICY_FITS
} PolicyState;

/*
 * Compares the policy on a table with its condition.  If condition is NULL, an
 * existing policy is POLICY_DIFFERS.
 */
extern PolicyState align_policy_state(Oid relid, const char *condition);

#endif							/* ALIGN_ATTACHMENT_PRIVILEGES_H */
