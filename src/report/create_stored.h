/*
 * create_stored.h
 *	  Creating and dropping what stored reports (stored.h) consist of.
 */
#ifndef ALIGN_REPORT_CREATE_STORED_H
#define ALIGN_REPORT_CREATE_STORED_H

#include "report/body.h"

/*
 * Raises an error if something else has the name of one of the tables or
 * functions; of those for users, only if reports are to be stored.
 */
extern void align_check_stored_names(const ReportTarget *target, bool stored);

/*
 * Locks the attached table, its history and its clock table for the following.
 */
extern void align_lock_for_stored(const ReportTarget *target);

/*
 * Creates the tables and functions and fills the tables, or drops what there
 * is of them.  Sets target->stored.  The caller is connected to SPI, as the
 * owner, in a restricted operation.
 */
extern void align_create_stored(ReportTarget *target);
extern void align_drop_stored(ReportTarget *target);

#endif							/* ALIGN_REPORT_CREATE_STORED_H */
