/*
 * mark.h
 *	  The objects that create_reports() creates, and how they are recognized.
 *
 * The comment of each ends with a mark.  Nothing without it, or of another
 * role than the owner of the attached table, is replaced, dropped or relied
 * upon: any role that may create objects in the schema could have put it
 * there.
 */
#ifndef ALIGN_REPORT_MARK_H
#define ALIGN_REPORT_MARK_H

#include "compat.h"

#include "catalog/dependency.h"
#include "report/body.h"

/* True if a relation is a view, or a table, of reports of an owner. */
extern bool align_is_report(Oid relid, Oid owner);
extern bool align_is_report_table(Oid relid, Oid owner);

/*
 * The function of a report in a schema, or InvalidOid; and whether a function
 * is one of an owner.
 */
extern Oid	align_report_function(Oid schema, const char *name);
extern bool align_is_report_function(Oid function, Oid owner);

/* The view of settings, by which the reports on an attachment are found. */
#define REPORT_SETTINGS "report_settings"

/* The OIDs of the schemas that have reports on an attachment. */
extern List *align_report_schemas(const Attachment *attachment);

/*
 * Raises an error if something that is no report of the owner of the table has
 * the name of a relation, or of a function, that is to be created.
 */
extern void align_check_report_relation(const ReportTarget *target, const char *name);
extern void align_check_report_function(const ReportTarget *target, const char *name);

/*
 * Raises an error unless what was created belongs to the owner of the table:
 * the owner of the schema may have put something else in its place meanwhile.
 */
extern void align_check_report_created(const ReportTarget *target, const char *name, bool relation, bool function);

/*
 * Drops objects of reports, and frees the list.  If objects of users depend on
 * them, that is an error, with a hint.
 */
extern void align_report_drop(ObjectAddresses *objects);

/*
 * Sets the comment of an object, with the mark or, of a column, without it.
 * The caller is connected to SPI.
 */
extern void align_report_comment(const char *object, const char *comment, bool with_mark);

/*
 * Sets the comment, with the mark, of the view or table of a body, and those
 * of its columns.  kind is VIEW or TABLE.
 */
extern void align_report_comment_relation(const ReportTarget *target, const ReportBody *body,
										  const char *kind, const char *comment);

#endif							/* ALIGN_REPORT_MARK_H */
