/*
 * settings.h
 *	  Settings of align, defined when the library is loaded.
 */
#ifndef ALIGN_SETTINGS_H
#define ALIGN_SETTINGS_H

/*
 * The reason in the setting align.override; NULL if that is empty, or was not
 * set in the current transaction.  Setting it needs the SET privilege for the
 * parameter.
 */
extern const char *align_override(void);

/* The person in the setting align.actor, or NULL if that is empty. */
extern const char *align_actor(void);

#endif							/* ALIGN_SETTINGS_H */
