-- A relation that does not exist, as an OID, is 42P01 for every function that takes one.
\set SHOW_CONTEXT never
CREATE FUNCTION pg_temp.state(command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE command;
	RETURN 'done: ' || command;
EXCEPTION WHEN OTHERS THEN
	RETURN format('%s %s', SQLSTATE, SQLERRM);
END $$;
SELECT call, pg_temp.state(format('SELECT * FROM align.' || call, '4294967295::oid::regclass'))
FROM unnest(ARRAY['attach(%s, ''none'')', 'detach(%s)', 'check(%s)', 'journeys(%s)', 'clocks(%s)', 'clocks(%s, now())', 'explain_move(%s, 1, ''x'')', 'explain_move(%s, 1, ''x'', ''y'')',
	'backtest(%s, ''stage a; won b; success path a -> b;''::align.funnel)', 'notify_handoffs(%s)', 'notify_due(%s)', 'merge_leads(%s, 1, 2)', 'erase(%s, 1)', 'purge(%s, now())']) AS call;
-- a table that is dropped within the transaction, and one that is no table
BEGIN;
CREATE TABLE gone (id int PRIMARY KEY, stage text);
SELECT 'gone'::regclass::oid AS gone \gset
DROP TABLE gone;
SELECT call, regexp_replace(pg_temp.state(format('SELECT * FROM align.' || call, :gone || '::oid::regclass')), '\d{5,}', 'N')
FROM unnest(ARRAY['attach(%s, ''none'')', 'detach(%s)', 'check(%s)', 'journeys(%s)', 'clocks(%s)', 'explain_move(%s, 1, ''x'')', 'notify_handoffs(%s)', 'notify_due(%s)', 'merge_leads(%s, 1, 2)', 'erase(%s, 1)', 'purge(%s, now())']) AS call;
ROLLBACK;
SELECT call, left(pg_temp.state(format('SELECT * FROM align.' || call, '''pg_catalog.pg_class_oid_index''::regclass')), 5) AS state
FROM unnest(ARRAY['attach(%s, ''none'')', 'detach(%s)', 'check(%s)', 'journeys(%s)', 'clocks(%s)', 'explain_move(%s, 1, ''x'')', 'notify_handoffs(%s)', 'notify_due(%s)', 'merge_leads(%s, 1, 2)', 'erase(%s, 1)', 'purge(%s, now())']) AS call;

-- All functions of the extension that take a relation, with arguments made up from their
-- types: all of them, and as few as there have to be.
CREATE TABLE pg_temp.calls AS
SELECT p.oid::regprocedure::text AS function, format('%s(%s)', p.oid::regproc, string_agg(CASE a.type::regtype
        WHEN 'regclass'::regtype THEN '%1$s' WHEN '"any"'::regtype THEN '1' WHEN 'boolean'::regtype THEN 'false' WHEN 'timestamptz'::regtype THEN 'now()' WHEN 'name[]'::regtype THEN '''{x}'''
        WHEN 'align.funnel'::regtype THEN '''stage a; won b; success path a -> b;''' WHEN 'text[]'::regtype THEN '''{}''' WHEN 'interval'::regtype THEN '''1 day''' WHEN 'date'::regtype THEN '''2026-03-02''' ELSE '''observe''' END || CASE WHEN a.type = '"any"'::regtype THEN '' ELSE '::' || a.type::regtype END, ', ' ORDER BY a.n)) AS call
FROM pg_proc AS p CROSS JOIN LATERAL (SELECT count(*) AS n FROM unnest(p.proargtypes)) AS every
    CROSS JOIN generate_series(p.pronargs - p.pronargdefaults, p.pronargs, greatest(p.pronargdefaults, 1)) AS given
    CROSS JOIN unnest(p.proargtypes) WITH ORDINALITY AS a (type, n)
WHERE p.oid IN (SELECT objid FROM pg_depend WHERE classid = 'pg_proc'::regclass AND refclassid = 'pg_extension'::regclass AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'align'))
    AND 'regclass'::regtype = ANY (p.proargtypes) AND a.n <= given
GROUP BY p.oid, given;
SELECT count(DISTINCT function) >= 15 AS all_functions, count(*) > count(DISTINCT function) AS some_have_defaults FROM pg_temp.calls;
-- OIDs: of nothing, of no class, the invalid one, and one of a table that was dropped
CREATE TABLE gone (id int PRIMARY KEY, stage text);
SELECT 'gone'::regclass::oid AS gone \gset
DROP TABLE gone;
CREATE TABLE pg_temp.oids AS SELECT unnest(ARRAY[4294967295, 2200, 0, :gone])::oid AS oid;
GRANT SELECT ON pg_temp.calls, pg_temp.oids TO PUBLIC;
CREATE TEMPORARY VIEW results AS
SELECT call, replace(pg_temp.state(format('SELECT * FROM ' || call, oid || '::oid::regclass')), ' ' || oid || ' ', ' N ') AS result FROM pg_temp.calls CROSS JOIN pg_temp.oids;
GRANT SELECT ON pg_temp.results TO PUBLIC;
SELECT * FROM pg_temp.results WHERE result <> '42P01 relation with OID N does not exist' ORDER BY 1;
-- for users without any privilege
CREATE ROLE regress_align_stranger;
SET ROLE regress_align_stranger;
SELECT * FROM pg_temp.results WHERE result <> '42P01 relation with OID N does not exist' ORDER BY 1;
RESET ROLE;
-- NULL is an error of its own
SELECT call, result FROM (SELECT call, pg_temp.state(format('SELECT * FROM ' || call, 'NULL')) AS result FROM pg_temp.calls) AS c WHERE result <> '22004 relation must not be null' ORDER BY 1;
DROP ROLE regress_align_stranger;
