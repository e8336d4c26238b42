/*
 * settings.h
 *	  Settings of align, defined when the library is loaded.
 */
#ifndef ALIGN_SETTINGS_H
#define ALIGN_SETTINGS_H

/* align.override; never NULL, empty if not set. */
extern char *align_setting_override;

#endif							/* ALIGN_SETTINGS_H */
