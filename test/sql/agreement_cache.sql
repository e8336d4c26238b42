-- The cache behind agreed(): what is rolled back is forgotten, what is written
-- by other means is seen.
SET TimeZone = 'UTC';
\set one '''stage one; won deal; success path one -> deal;'''
\set two '''stage two; won deal; success path two -> deal;'''
\set three '''stage three; won deal; success path three -> deal;'''

-- A rolled-back transaction leaves nothing.
BEGIN;
SELECT align.agree('cached_a', :one);
SELECT align.agreed('cached_a');
ROLLBACK;
\set VERBOSITY terse
SELECT align.agreed('cached_a');
\set VERBOSITY default

-- Nor does a savepoint, however deep; what stands, stands.
BEGIN;
SELECT align.agree('cached_b', :one);
SELECT align.agreed('cached_b');
SAVEPOINT s1;
SELECT align.agree('cached_b', :two);
SELECT align.agreed('cached_b');
SAVEPOINT s2;
SELECT align.agree('cached_b', :three);
SELECT align.agreed('cached_b');
ROLLBACK TO s2;
SELECT align.agreed('cached_b');
RELEASE s2;
ROLLBACK TO s1;
SELECT align.agreed('cached_b');
RELEASE s1;
ROLLBACK;

-- An exception block is a savepoint.
BEGIN;
SELECT align.agree('cached_c', :one);
DO $$
BEGIN
    PERFORM align.agree('cached_c', 'stage two; won deal; success path two -> deal;');
    RAISE NOTICE 'inside: %', split_part(align.agreed('cached_c')::text, ';', 1);
    RAISE division_by_zero;
EXCEPTION WHEN division_by_zero THEN
    RAISE NOTICE 'outside: %', split_part(align.agreed('cached_c')::text, ';', 1);
END;
$$;

-- A failing statement takes its version along.
SAVEPOINT s;
SELECT align.agree('cached_c', :two), 1 / (SELECT 0);
ROLLBACK TO s;
SELECT align.agreed('cached_c');
SELECT align.agree('cached_c', :three) AS still_version_2;
SELECT align.agreed('cached_c');
ROLLBACK;

-- A prepared statement, and a call site that meets a change in the middle of its loop.
BEGIN;
SELECT align.agree('cached_d', :one);
PREPARE lookup (text) AS SELECT split_part(align.agreed($1)::text, ';', 1) AS stage;
EXECUTE lookup('cached_d');
SELECT align.agree('cached_d', :two);
EXECUTE lookup('cached_d');
DEALLOCATE lookup;
DO $$
BEGIN
    FOR i IN 1 .. 4 LOOP
        RAISE NOTICE '%: %', i, split_part(align.agreed('cached_d')::text, ';', 1);
        IF i % 2 = 0 THEN
            PERFORM align.agree('cached_d', format('stage loop_%s; won deal; success path loop_%s -> deal;', i, i));
        END IF;
    END LOOP;
END;
$$;
-- names that alternate at one call site
SELECT align.agree('cached_e', :one);
SELECT name, split_part(align.agreed(name)::text, ';', 1) AS stage
FROM (VALUES (1, 'cached_d'), (2, 'cached_e'), (3, 'cached_d'), (4, NULL)) AS v(i, name) ORDER BY i;
ROLLBACK;

-- COPY and INSERT, as a restore does them.
BEGIN;
SELECT align.agree('cached_f', :one);
SELECT align.agreed('cached_f');
COPY align.agreement (name, version, valid_from, funnel, document, owner, agreed_by) FROM stdin;
cached_f	2	2020-01-01 00:00:00+00	stage copied; won deal; success path copied -> deal;	as it was	pg_database_owner	somebody
\.
SELECT align.agreed('cached_f');
SELECT align.agree('cached_f', :two) AS version;
SELECT version, owner = current_user::regrole AS mine, agreed_by = current_user AS by_me FROM align.agreements WHERE name = 'cached_f' ORDER BY 1;
ROLLBACK;

-- In parallel workers, also what this transaction has not committed yet.
BEGIN;
SELECT align.agree('cached_g', :one);
SELECT count(*) AS here FROM (SELECT align.agreed('cached_g')) AS s;
CREATE TABLE names AS SELECT 'cached_g'::text AS name FROM generate_series(1, 5000);
ANALYZE names;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL parallel_leader_participation = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM names WHERE align.agreed(name)::text LIKE 'stage one%';
SELECT count(*) FROM names WHERE align.agreed(name)::text LIKE 'stage one%';
ROLLBACK;

-- A cache that is thrown away all the time still answers.
BEGIN;
SELECT align.agree('cached_h', :one);
DO $$
BEGIN
    -- only assertion-enabled servers have the setting's full range
    BEGIN
        SET LOCAL debug_discard_caches = 1;
    EXCEPTION WHEN OTHERS THEN
        NULL;
    END;
    IF split_part(align.agreed('cached_h')::text, ';', 1) <> 'stage one' THEN
        RAISE EXCEPTION 'wrong agreement';
    END IF;
    PERFORM align.agree('cached_h', 'stage two; won deal; success path two -> deal;');
    IF split_part(align.agreed('cached_h')::text, ';', 1) <> 'stage two' THEN
        RAISE EXCEPTION 'wrong agreement';
    END IF;
END;
$$;
ROLLBACK;
