/*
 * body.h
 *	  The queries of the views that create_reports() creates, and the
 *	  placeholders in them.
 *
 * Each view is a file in sql/report; the build makes report_bodies.h of them.
 * A query contains placeholders in braces for what differs from one attached
 * table to another: {history}, {zone}.  docs/internals.md lists them.  The
 * same query is the view, as of now(), and the function of the same name, as
 * of its argument.
 *
 * What is known of leads and does not change while time goes by stands in
 * queries of its own, sql/report/stored.  The views add what does, such as
 * ages. So these queries can be tables (stored.h), which views read.  From
 * those, the queries of sql/report/table fill tables that are for users.
 */
#ifndef ALIGN_REPORT_BODY_H
#define ALIGN_REPORT_BODY_H

#include "compat.h"

#include "attachment/attachment.h"
#include "lib/stringinfo.h"

typedef struct ReportColumn
{
	const char *name;
	const char *comment;
} ReportColumn;

typedef enum ReportKind
{
	REPORT_VIEW,
	REPORT_PART,				/* included by others */
	REPORT_STORED,				/* what views read, and tables can store */
	REPORT_TABLE,				/* a table for users, filled from those */
	REPORT_PAGE					/* a section of the weekly page */
} ReportKind;

typedef struct ReportBody
{
	const char *name;
	ReportKind	kind;
	bool		per_lead;		/* has the key columns, after the first */
	bool		once;			/* a part that the weekly page computes once */
	const ReportColumn *columns;	/* of a view or a table for users, without
									 * key columns and dimensions; ends with a
									 * name that is NULL */
	const char *comment;
	const char *query;
} ReportBody;

/*
 * The bodies; those of a kind are in alphabetical order.  NULL after the last.
 */
extern const ReportBody *align_report_body(int i);

/* The body of a kind and name; NULL if there is none. */
extern const ReportBody *align_report_body_named(ReportKind kind, const char *name);

/*
 * True if a view, or a table for users, has a column of this name, without
 * keys and dimensions.
 */
extern bool align_report_has_column(const char *name);

/* A dimension: a column, or an expression, of the attached table. */
typedef struct ReportDimension
{
	const char *text;			/* as given */
	const char *given;			/* the expression of it */
	const char *name;			/* of the column of the facts */
	const char *expression;		/* SQL over the table as "r" */
	Bitmapset  *columns;		/* of the table that it uses, as
								 * pull_varattnos() has them */
} ReportDimension;

/*
 * Reads the dimensions from an array of texts, "EXPRESSION AS NAME".  Raises
 * an error if an expression is not allowed, or a name is taken.  Returns a
 * List of ReportDimension.  (dimension.c)
 */
typedef struct ReportTarget ReportTarget;
extern List *align_report_dimensions(ArrayType *texts, const ReportTarget *target);

/*
 * What the placeholders stand for.  All strings are SQL.
 */
struct ReportTarget
{
	const Attachment *attachment;
	const char *schema;			/* quoted */
	Oid			schema_oid;
	const char *key_names[ATTACHMENT_MAX_KEYS]; /* of the reports, quoted */
	List	   *dimensions;		/* of ReportDimension */
	const char *zone;			/* literals */
	const char *settle;
	const char *complete_since;
	const char *credit_model;
	bool		row_security;	/* does the attached table have row-level
								 * security? */
	bool		stored;			/* are there tables for what can be stored? */
};

/*
 * The key columns of the reports, after an alias that may be NULL, and their
 * equality in two; palloc'd.
 */
extern char *align_report_key_list(const ReportTarget *target, const char *alias);
extern char *align_report_key_join(const ReportTarget *target, const char *a, const char *b);

/* The dimensions of a target as a literal of SQL, as they were given. */
extern char *align_report_dimension_list(const ReportTarget *target);

/* Sets the names of the key columns in the reports. */
extern void align_report_key_names(ReportTarget *target);

/*
 * The forms of a query: as of now(), or as of the parameter $1.  References to
 * other views are to the views, to their functions, or to WITH queries, which
 * have the names that align_report_with_name() returns.
 *
 * Views read what is stored.  Functions never do, so they are right for any
 * instant, at any time.  WITH queries read it of the leads about which nothing
 * became known after the instant, and which have not changed since it was
 * brought up to date (align_stored_unfit_query() must be false).
 */
typedef enum ReportForm
{
	REPORT_FORM_VIEW,
	REPORT_FORM_FUNCTION,
	REPORT_FORM_WITH
} ReportForm;

/* The query of a body with the placeholders filled in, palloc'd. */
extern char *align_report_query(const ReportTarget *target, const ReportBody *body,
								ReportForm form);

/*
 * The query of what can be stored, as of the parameter $1: of all leads, or of
 * those in keys, a table or a query in parentheses, if it is not NULL.
 */
extern char *align_report_stored_query(const ReportTarget *target, const ReportBody *body,
									   const char *keys);

/*
 * The table for what can be stored, the function of its rows of all leads, and
 * that of its rows of leads that have changed; palloc'd.
 */
extern char *align_report_stored_name(const ReportBody *body);
extern char *align_report_rows_name(const ReportBody *body);
extern char *align_report_changed_name(const ReportBody *body);

/* True for the body of the table of the leads. */
extern bool align_report_is_leads(const ReportBody *body);

/*
 * The bodies of what can be stored: a List of ReportBody.  The first is that
 * of the leads, which the others are joined with; the last are those of tables
 * for users, which read the others.
 */
extern List *align_report_stored_bodies(void);

/* The tables of the leads and of the state of what is stored. */
#define REPORT_STORED_LEADS "stored_leads"
#define REPORT_STORED_STATE "stored_state"

/* The name of a body as a WITH query, palloc'd. */
extern char *align_report_with_name(const ReportBody *body);

/*
 * Calls visit for every body that can be a WITH query of its own, a view, what
 * can be stored or a part that is computed once, to which the query of a body
 * refers, itself or in the parts that it includes.
 */
typedef void (*ReportVisit) (const ReportBody *body, void *arg);
extern void align_report_references(const ReportBody *body, ReportVisit visit, void *arg);

#endif							/* ALIGN_REPORT_BODY_H */
