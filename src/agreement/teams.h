/*
 * teams.h
 *	  The teams of an agreement that the current user belongs to.
 *
 * align.team ties teams of an agreement to database roles.
 */
#ifndef ALIGN_AGREEMENT_TEAMS_H
#define ALIGN_AGREEMENT_TEAMS_H

#include "compat.h"

#include "judge/judge.h"

typedef enum TeamMembership
{
	TEAM_UNTIED,				/* the team is tied to no role, so every user
								 * can act for it */
	TEAM_MEMBER,				/* the user is a member of its role */
	TEAM_NOT_MEMBER				/* the user is not, or it does not exist */
} TeamMembership;

/* Arrays are indexed by the teams of the funnel. */
typedef struct UserTeams
{
	bool		any_not_member; /* true if any team is TEAM_NOT_MEMBER */
	uint8		membership[FUNNEL_MAX_TEAMS];	/* TeamMembership */
	NameData	roles[FUNNEL_MAX_TEAMS];	/* empty if untied */
} UserTeams;

/*
 * The teams of the current user and of the role outside any security definer
 * function; membership of either counts.  Comes from a cache and is valid
 * until the next call.
 */
extern const UserTeams *align_user_teams(const char *agreement, const Funnel *funnel);

/*
 * True if the current user can act for a team that may make the move, or if
 * the move is not restricted to teams.
 */
extern bool align_may_move(const char *agreement, const Funnel *funnel, const Move *move);

#endif							/* ALIGN_AGREEMENT_TEAMS_H */
