/*
 * campaign_tables.h
 *	  The tables of cost, budgets, reviews and actions that reports read.
 */
#ifndef ALIGN_CAMPAIGN_TABLES_H
#define ALIGN_CAMPAIGN_TABLES_H

#include "compat.h"

/*
 * Checks the campaign tables in the schema of the reports: raises an error if
 * one lacks a column, and a notice if one belongs to another role than the
 * owner of the reports, who does not use it.
 */
extern void align_check_campaign_tables(Oid schema, Oid owner);

/*
 * The campaign table of a name that an owner has in a schema, locked in ACCESS
 * SHARE mode; InvalidOid if there is none.
 */
extern Oid	align_campaign_table(Oid schema, const char *name, Oid owner);

#endif							/* ALIGN_CAMPAIGN_TABLES_H */
