/*
 * identity.h
 *	  Whose table it is, and working as that role.
 */
#ifndef ALIGN_IDENTITY_H
#define ALIGN_IDENTITY_H

#include "compat.h"

/* Owner of a relation; its qualified and quoted name, palloc'd. */
extern Oid	align_relation_owner(Oid relid);
extern char *align_relation_name(Oid relid);

/* Who to be again afterwards. */
typedef struct CallerIdentity
{
	Oid			userid;
	int			sec_context;
} CallerIdentity;

/*
 * Work as a role, row security off, as core's referential triggers do; it ends
 * with the (sub)transaction at the latest.  sec_context:
 * SECURITY_RESTRICTED_OPERATION where the role's code (a cast, say) must leave
 * nothing behind in the session, else 0.
 */
extern void align_become(Oid role, int sec_context, CallerIdentity *caller);
extern void align_resume(const CallerIdentity *caller);

#endif							/* ALIGN_IDENTITY_H */
