\echo Use "CREATE EXTENSION align" to load this file. \quit

/*
 * Types and functions are for everybody, as those of PostgreSQL itself are;
 * what needs a right (the tables, agreeing) asks for it on its own.
 */
GRANT USAGE ON SCHEMA align TO PUBLIC;
COMMENT ON SCHEMA align IS 'sales-and-marketing alignment: agreements, journeys, and the reports on them';
