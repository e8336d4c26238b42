/*
 * teams.h
 *	  Who is acting: the teams of an agreement and the database roles of the
 *	  current user.
 */
#ifndef ALIGN_AGREEMENT_TEAMS_H
#define ALIGN_AGREEMENT_TEAMS_H

#include "compat.h"

#include "judge/judge.h"

typedef enum TeamTie
{
	TEAM_UNTIED,				/* tied to no role: everybody may act for it */
	TEAM_MEMBER,				/* the current user is a member of its role */
	TEAM_OTHER					/* the current user is not, or its role does
								 * not exist: then nobody is */
} TeamTie;

typedef struct Acting
{
	bool		any_other;		/* is any team TEAM_OTHER? */
	uint8		ties[FUNNEL_MAX_TEAMS]; /* TeamTie, by team of the funnel */
	NameData	roles[FUNNEL_MAX_TEAMS];	/* empty: untied */
} Acting;

/*
 * How the current user, and the role outside of any security definer function,
 * stand to the teams.  From a cache; valid until the next call.
 */
extern const Acting *align_acting(const char *agreement, const Funnel *funnel);

/* May a team that the user belongs to, or one that nobody is tied to, make the
 * move? */
extern bool align_may_move(const char *agreement, const Funnel *funnel, const Move *move);

#endif							/* ALIGN_AGREEMENT_TEAMS_H */
