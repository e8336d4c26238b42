-- backtest: queries that are not what they should be, and queries that mean harm.
SET TimeZone = 'UTC';
\set SHOW_CONTEXT never
\set f '''stage a; won b; success path a -> b;'''
CREATE TABLE target (lead int, at timestamptz, stage text);
INSERT INTO target VALUES (1, '2026-01-01', 'a');
CREATE SEQUENCE ticket;

-- Not one SELECT.
SELECT * FROM align.backtest(NULL, :f);
SELECT * FROM align.backtest('SELECT 1', NULL);
SELECT * FROM align.backtest('', :f);
SELECT * FROM align.backtest(' ; -- nothing', :f);
SELECT * FROM align.backtest('SELECT lead, at, stage FROM target; SELECT lead, at, stage FROM target', :f);
SELECT * FROM align.backtest('SELECT lead, at, stage FROM target; DROP TABLE target', :f);
SELECT * FROM align.backtest('DROP TABLE target', :f);
SELECT * FROM align.backtest('COMMIT', :f);
SELECT * FROM align.backtest('ROLLBACK', :f);
SELECT * FROM align.backtest('SET ROLE pg_monitor', :f);
SELECT * FROM align.backtest('DO $$BEGIN DELETE FROM target; END$$', :f);
SELECT * FROM align.backtest('COPY target TO STDOUT', :f);
CREATE PROCEDURE nothing() LANGUAGE sql AS '';
SELECT * FROM align.backtest('CALL nothing()', :f);
DROP PROCEDURE nothing();
SELECT * FROM align.backtest('EXPLAIN ANALYZE DELETE FROM target', :f);
SELECT * FROM align.backtest('SHOW transaction_read_only', :f);
SELECT * FROM align.backtest('CREATE TABLE other AS SELECT * FROM target', :f);
SELECT * FROM align.backtest('SELECT * INTO other FROM target', :f);
SELECT * FROM align.backtest('INSERT INTO target VALUES (2, now(), ''b'') RETURNING *', :f);
SELECT * FROM align.backtest('DELETE FROM target RETURNING *', :f);
SELECT * FROM align.backtest('UPDATE target SET lead = 2 RETURNING *', :f);

-- A SELECT that is more than that.
SELECT * FROM align.backtest('WITH gone AS (DELETE FROM target RETURNING *) SELECT * FROM gone', :f);
SELECT * FROM align.backtest('SELECT * FROM target FOR UPDATE', :f);
SELECT * FROM align.backtest('SELECT * FROM (SELECT * FROM target FOR SHARE) AS t', :f);
SELECT * FROM align.backtest('WITH t AS (SELECT * FROM target FOR KEY SHARE) SELECT * FROM t', :f);
CREATE TEMP TABLE scratch (i int);
CREATE FUNCTION pg_temp.lock_target() RETURNS SETOF target LANGUAGE sql AS 'SELECT * FROM target FOR UPDATE';
SELECT * FROM align.backtest('SELECT * FROM pg_temp.lock_target()', :f);
DROP FUNCTION pg_temp.lock_target();

-- Not well formed: the position is that in the query.
SELECT * FROM align.backtest('SELECT lead, at, stage FROM target) UNION (SELECT lead, at, stage FROM target', :f);
SELECT * FROM align.backtest('SELECT lead, at, stage FROM target) AS q (lead, at, stage) GROUP BY 1; DROP TABLE target; --', :f);
SELECT * FROM align.backtest('SELECT lead, at, stage FROM target /*', :f);
SELECT * FROM align.backtest('SELECT lead, at, ''stage FROM target', :f);
SELECT * FROM align.backtest('SELECT lead, at, nonsense FROM target', :f);
SELECT * FROM align.backtest('SELECT lead, at, $1 FROM target', :f);
SELECT * FROM align.backtest('nonsense', :f);

-- Not the right columns.
SELECT * FROM align.backtest('SELECT lead, at FROM target', :f);
SELECT * FROM align.backtest('SELECT', :f);
SELECT * FROM align.backtest('SELECT lead, at, stage, stage, stage, stage FROM target', :f);
SELECT * FROM align.backtest('SELECT lead, stage, at FROM target', :f);
SELECT * FROM align.backtest('SELECT lead, at, at FROM target', :f);
SELECT * FROM align.backtest('SELECT lead, at, stage, true FROM target', :f);
SELECT * FROM align.backtest('SELECT lead, at, stage, stage, 1.5 FROM target', :f);
SELECT * FROM align.backtest('SELECT ''{}''::json, at, stage FROM target', :f);
SELECT * FROM align.backtest('SELECT ARRAY[''{}''::json], at, stage FROM target', :f);
SELECT * FROM align.backtest('SELECT lead, ''infinity''::timestamptz, stage FROM target', :f);
SELECT * FROM align.backtest('SELECT lead, 1 / 0 * at, stage FROM (SELECT 0 * lead AS lead, interval ''1 s'' AS at, stage FROM target) AS t', :f);
SELECT * FROM align.backtest('SELECT lead, at, stage, stage AS ordinal FROM target', :f);
SELECT * FROM align.backtest('SELECT lead, at, stage, 1.5 AS ordinal FROM target', :f);
SELECT * FROM align.backtest('SELECT lead, at, stage, 1 AS ordinal, 2 AS ordinal FROM target', :f);
SELECT * FROM align.backtest('SELECT lead, at, stage, stage AS segments FROM target', :f);
SELECT * FROM align.backtest('SELECT lead, at, stage, stage, stage, 1 AS ordinal, ''{}''::text[] AS segments, 1 FROM target', :f);
SELECT * FROM align.backtest('SELECT 1, now(), ''a'', 0 AS ordinal', :f);

-- The name of an agreement where a document is expected.
SELECT * FROM align.backtest('SELECT lead, at, stage FROM target', 'b2b');

-- Functions that would write: in the query, in a function, in one that lifts the ban.
CREATE FUNCTION write_it() RETURNS int LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO target VALUES (2, now(), 'b'); RETURN 1; END $$;
CREATE FUNCTION lift_and_write(how text) RETURNS int LANGUAGE plpgsql AS
    $$ BEGIN EXECUTE how; INSERT INTO target VALUES (3, now(), 'b'); RETURN 1; END $$;
CREATE FUNCTION write_quietly() RETURNS int LANGUAGE plpgsql AS
    $$ BEGIN PERFORM write_it(); RETURN 1; EXCEPTION WHEN OTHERS THEN RETURN 2; END $$;
SELECT * FROM align.backtest('SELECT write_it(), at, stage FROM target', :f);
SELECT * FROM align.backtest('SELECT write_quietly(), at, ''seen'' FROM target', :f);
SELECT * FROM align.backtest($$SELECT lift_and_write('SET transaction_read_only = off'), at, stage FROM target$$, :f);
SELECT * FROM align.backtest($$SELECT lift_and_write('SET LOCAL transaction_read_only TO false'), at, stage FROM target$$, :f);
SELECT * FROM align.backtest($$SELECT lift_and_write('SET TRANSACTION READ WRITE'), at, stage FROM target$$, :f);
SELECT * FROM align.backtest($$SELECT lift_and_write('COMMIT'), at, stage FROM target$$, :f);
-- some majors refuse the RESET itself, the others what follows from it
DO $do$
BEGIN
    PERFORM align.backtest($$SELECT lift_and_write('RESET transaction_read_only'), at, stage FROM target$$, 'stage a; won b; success path a -> b;');
    RAISE NOTICE 'not refused';
EXCEPTION WHEN read_only_sql_transaction OR feature_not_supported THEN
    RAISE NOTICE 'refused';
END;
$do$;
SELECT * FROM align.backtest($$SELECT set_config('transaction_read_only', 'off', true), at, stage FROM target$$, :f);
SELECT * FROM align.backtest($$SELECT set_config('transaction_read_only', 'off', false), at, stage FROM target$$, :f);
SELECT * FROM align.backtest($$SELECT nextval('ticket'), at, stage FROM target$$, :f);
SELECT * FROM align.backtest($$SELECT setval('ticket', 1000), at, stage FROM target$$, :f);
SELECT * FROM align.backtest($$SELECT align.agree('backtest_x', 'stage a; won b; success path a -> b;'), at, stage FROM target$$, :f);
-- while planning
CREATE FUNCTION write_early(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO target VALUES (4, now(), 'b'); RETURN 1; END $$;
SELECT * FROM align.backtest('SELECT write_early(1), at, stage FROM target', :f);

-- Who one is stays; what may be undone is undone.
SELECT * FROM align.backtest($$SELECT set_config('role', 'pg_monitor', false), at, stage FROM target$$, :f);
SELECT * FROM align.backtest($$SELECT set_config('session_authorization', 'postgres', false), at, stage FROM target$$, :f);
SET myapp.setting = 'before';
SELECT rule FROM align.backtest($$SELECT set_config('myapp.setting', 'after', false), at, 'c' FROM target$$, :f);
SHOW myapp.setting;
CREATE FUNCTION scribble() RETURNS int LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO scratch VALUES (1); RETURN 1; END $$;
SELECT rule FROM align.backtest('SELECT scribble(), at, ''c'' FROM target', :f);
SELECT count(*) FROM scratch;
CREATE FUNCTION make_temp() RETURNS int LANGUAGE plpgsql AS
    $$ BEGIN CREATE TEMP TABLE made (i int); RETURN 1; END $$;
SELECT * FROM align.backtest('SELECT make_temp(), at, stage FROM target', :f);

-- Cancelled in the middle, and one can write again.
BEGIN;
SAVEPOINT s;
SET LOCAL statement_timeout = '50ms';
SELECT * FROM align.backtest('SELECT 1, now(), ''a'' FROM pg_sleep(60)', :f);
ROLLBACK TO s;
INSERT INTO target VALUES (5, '2026-01-01', 'a');
ROLLBACK;

-- The caller's rights, not the owner's.
CREATE ROLE regress_align_reader;
CREATE VIEW lent AS SELECT * FROM target;
GRANT SELECT ON lent TO regress_align_reader;
SET ROLE regress_align_reader;
SELECT * FROM align.backtest('SELECT * FROM target', :f);
SELECT * FROM align.backtest('SELECT * FROM align.agreement', :f);
SELECT count(*) FROM align.backtest('SELECT * FROM lent', :f);
SELECT current_user;
RESET ROLE;
-- a function with its owner's rights runs a query with those, and cannot be left
CREATE FUNCTION backtest_for_all(query text) RETURNS bigint LANGUAGE sql SECURITY DEFINER
    SET search_path = public, pg_temp AS 'SELECT count(*) FROM align.backtest($1, ''stage a; won b; success path a -> b;'')';
SET ROLE regress_align_reader;
SELECT backtest_for_all('SELECT * FROM target');
SELECT backtest_for_all($$SELECT set_config('role', 'none', false), at, stage FROM target$$);
SELECT backtest_for_all($$SELECT write_it(), at, stage FROM target$$);
RESET ROLE;

-- Nothing was written.
SELECT * FROM target;
SELECT last_value, is_called FROM ticket;
SELECT to_regclass('other') IS NULL AND to_regclass('made') IS NULL AS nothing_made;
SELECT count(*) FROM align.agreement WHERE name = 'backtest_x';
SHOW transaction_read_only;

DROP FUNCTION backtest_for_all(text);
DROP VIEW lent;
DROP ROLE regress_align_reader;
DROP FUNCTION write_it(), lift_and_write(text), write_quietly(), write_early(int), scribble(), make_temp();
DROP SEQUENCE ticket;
DROP TABLE target, scratch;
