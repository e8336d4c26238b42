\echo Use "CREATE EXTENSION align" to load this file. \quit

/*
 * Types and functions may be used by everyone, like PostgreSQL's own.  Tables have
 * privileges of their own, and functions that need one check it.
 */
GRANT USAGE ON SCHEMA align TO PUBLIC;
COMMENT ON SCHEMA align IS 'sales-and-marketing alignment: agreements, journeys, and the reports on them';
