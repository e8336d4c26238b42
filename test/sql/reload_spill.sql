-- Reloads whose deletions take more than work_mem: they are in a temporary file, and record the same.
\set SHOW_CONTEXT never
SET TimeZone = 'UTC';
CREATE SCHEMA reload_spill;
SET search_path = reload_spill;
SET client_min_messages = warning;
SELECT align.agree('reload_spill', $$
    stage a held by m; stage b held by s; stage c held by s; won w; success path a -> b -> c -> w; path b, c -> a; path a -> c -> b; entry a, b, c;
    sla s by s: from b to c, w within 4 hours;
$$);
CREATE TABLE mirror AS
SELECT i AS id, (ARRAY['a', 'b', 'c'])[1 + i % 3] AS stage, CASE WHEN i % 5 > 0 THEN 'p' || i % 7 END AS who FROM generate_series(1, 20000) AS i;
CREATE TABLE small (id int PRIMARY KEY, stage text, who text);
CREATE TABLE large (LIKE small INCLUDING ALL);
INSERT INTO small TABLE mirror;
INSERT INTO large TABLE mirror;
SELECT align.attach('small', 'reload_spill', assignee => 'who', reload => true), align.attach('large', 'reload_spill', assignee => 'who', reload => true);
-- what the store takes: temporary files of this session, and bytes of memory for each of the deletions
CREATE VIEW files AS SELECT count(*) > 0 AS spilled, sum(size) AS size FROM pg_ls_tmpdir() WHERE name LIKE 'pgsql\_tmp' || pg_backend_pid() || '.%';
CREATE FUNCTION memory(n bigint) RETURNS numeric LANGUAGE sql AS
    $$ SELECT sum(total_bytes) / n FROM pg_backend_memory_contexts WHERE name = 'align deferred deletions' $$;

-- Unchanged rows leave nothing behind, however they are deleted.
CREATE TABLE many (id int PRIMARY KEY, stage text);
INSERT INTO many SELECT i, 'a' FROM generate_series(1, 100000) AS i;
SELECT align.attach('many', 'reload_spill', reload => true);
CREATE TABLE many_mirror AS TABLE many;
SET work_mem = '64MB';
BEGIN;
DELETE FROM many;
SELECT spilled, memory(100000) BETWEEN 50 AND 110 AS large FROM files;
INSERT INTO many TABLE many_mirror;
COMMIT;
SET work_mem = '64kB';
BEGIN;
DELETE FROM many;
SELECT spilled, memory(100000) BETWEEN 20 AND 50 AS small FROM files;
INSERT INTO many TABLE many_mirror;
SELECT spilled FROM files;
COMMIT;
SELECT spilled FROM files;
SELECT count(*), max(entry_no) FROM many_history;
BEGIN;
TRUNCATE many;
SELECT spilled, memory(100000) BETWEEN 20 AND 50 AS small FROM files;
INSERT INTO many SELECT id, CASE WHEN id % 1000 = 0 THEN 'b' ELSE stage END FROM many_mirror ORDER BY md5(id::text);
COMMIT;
SELECT event, from_stage, stage, count(*), max(entry_no) FROM many_history GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;

-- Savepoints: the same is recorded as in memory.
CREATE PROCEDURE steps(relation text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('DELETE FROM %s WHERE id %% 1000 = 0', relation);
    BEGIN
        -- the file is made in a subtransaction that is rolled back
        EXECUTE format('DELETE FROM %s', relation);
        EXECUTE format('INSERT INTO %s SELECT id, ''b'', who FROM mirror WHERE id %% 4 < 2', relation);
        RAISE 'no';
    EXCEPTION WHEN raise_exception THEN NULL;
    END;
    EXECUTE format('DELETE FROM %s WHERE id %% 2 = 0', relation);
    BEGIN
        EXECUTE format('DELETE FROM %s WHERE id %% 10 = 1', relation);
        EXECUTE format('INSERT INTO %s SELECT id, ''b'', who FROM mirror WHERE id %% 10 IN (1, 2)', relation);
        BEGIN
            EXECUTE format('DELETE FROM %s', relation);
            EXECUTE format('INSERT INTO %s SELECT id, ''c'', ''eve'' FROM mirror WHERE id %% 5 > 0 ORDER BY id DESC', relation);
            RAISE 'no';
        EXCEPTION WHEN raise_exception THEN NULL;
        END;
        EXECUTE format('UPDATE %s SET who = ''ann'' WHERE id %% 10 = 2 AND id %% 3 = 0', relation);
    EXCEPTION WHEN division_by_zero THEN NULL;
    END;
    EXECUTE format('INSERT INTO %s SELECT id, stage, CASE WHEN id %% 20 > 10 THEN who ELSE ''bob'' END FROM mirror WHERE id %% 10 IN (4, 6)', relation);
END $$;
SET work_mem = '64kB';
BEGIN;
CALL steps('small');
SELECT spilled FROM files;
COMMIT;
SELECT spilled FROM files;
SET work_mem = '64MB';
BEGIN;
CALL steps('large');
COMMIT;
CREATE VIEW small_trail AS SELECT id, entry_no, event, from_stage, stage, from_team, team, assignee, violation, source FROM small_history;
CREATE VIEW large_trail AS SELECT id, entry_no, event, from_stage, stage, from_team, team, assignee, violation, source FROM large_history;
SELECT event, count(*) FROM small_trail GROUP BY event ORDER BY event;
SELECT count(*) FROM (TABLE small_trail EXCEPT TABLE large_trail) AS d;
SELECT count(*) FROM (TABLE large_trail EXCEPT TABLE small_trail) AS d;
SELECT count(*) FROM (SELECT id, sla, cycle, outcome, assignee_at_start, assignee_at_stop FROM small_sla
    EXCEPT SELECT id, sla, cycle, outcome, assignee_at_start, assignee_at_stop FROM large_sla) AS d;
SELECT outcome, count(*) FROM small_sla GROUP BY 1 ORDER BY 1;
SELECT outcome, count(*) FROM large_sla GROUP BY 1 ORDER BY 1;
SELECT * FROM align.check('small');
SELECT * FROM align.check('large');
-- what is rolled back leaves no file
SET work_mem = '64kB';
BEGIN;
DELETE FROM small;
SELECT spilled FROM files;
ROLLBACK;
SELECT spilled FROM files;
BEGIN;
DELETE FROM small;
SELECT 1 / 0;
COMMIT;
SELECT spilled FROM files;

-- Rows that are deleted and made many times, while others are gone: space is used again.
CREATE TABLE often (id int PRIMARY KEY, stage text);
INSERT INTO often SELECT id, 'a' FROM mirror WHERE id <= 4000;
SELECT align.attach('often', 'reload_spill', reload => true);
BEGIN;
DELETE FROM often WHERE id > 2000;
DO $$
BEGIN
    FOR i IN 1 .. 20 LOOP
        DELETE FROM often;
        INSERT INTO often SELECT id, 'a' FROM mirror WHERE id <= 2000;
        BEGIN
            DELETE FROM often WHERE id % 2 = 0;
            INSERT INTO often SELECT id, CASE WHEN i = 20 AND id % 4 = 0 THEN 'b' ELSE 'a' END FROM mirror WHERE id <= 2000 AND id % 2 = 0;
            IF i % 3 = 0 THEN RAISE 'no'; END IF;
        EXCEPTION WHEN raise_exception THEN NULL;
        END;
    END LOOP;
END $$;
SELECT spilled, size < 1000000 AS small FROM files;
INSERT INTO often SELECT id, 'a' FROM mirror WHERE id BETWEEN 2001 AND 3999;
COMMIT;
SELECT event, from_stage, stage, count(*), max(entry_no) FROM often_history GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
SELECT * FROM align.check('often');

-- No room for the file: the savepoint is rolled back, and what was deferred before is not lost.
SET temp_file_limit = '128kB';
BEGIN;
DELETE FROM often WHERE id <= 1500;
SAVEPOINT s;
\set VERBOSITY sqlstate
DELETE FROM often;
\set VERBOSITY default
ROLLBACK TO s;
INSERT INTO often SELECT id, CASE WHEN id % 4 = 0 THEN 'b' ELSE 'a' END FROM mirror WHERE id < 1500;
COMMIT;
RESET temp_file_limit;
SELECT id, entry_no, event FROM often_history WHERE entry_no > 1 AND event = 'deleted' ORDER BY 1, 2;
SELECT * FROM align.check('often');

-- Keys that are stored out of line are read before the table is truncated.
CREATE TABLE wide (k text COLLATE "C", n numeric, stage text, filler text, PRIMARY KEY (k, n));
ALTER TABLE wide ALTER k SET STORAGE EXTERNAL;
ALTER TABLE wide ALTER filler SET STORAGE MAIN;
INSERT INTO wide SELECT repeat(md5(i::text), 70) || i, i / 4.0, 'a', (SELECT string_agg(md5((i * j)::text), '') FROM generate_series(1, 90) AS j)
    FROM generate_series(1, 300) AS i;
SELECT pg_relation_size(reltoastrelid) > 0 AS toasted FROM pg_class WHERE oid = 'wide'::regclass;
SELECT align.attach('wide', 'reload_spill', reload => true);
CREATE TABLE wide_mirror AS TABLE wide;
BEGIN; TRUNCATE wide; INSERT INTO wide SELECT k, n::numeric(10, 4), stage FROM wide_mirror; COMMIT;
SELECT count(*), max(entry_no) FROM wide_history;
BEGIN; TRUNCATE wide; INSERT INTO wide SELECT k, n, 'b' FROM wide_mirror WHERE n <= 50; COMMIT;
SELECT event, from_stage, stage, count(*) FROM wide_history GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
SELECT * FROM align.check('wide');
DROP SCHEMA reload_spill CASCADE;
