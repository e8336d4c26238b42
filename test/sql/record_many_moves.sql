-- A thousand moves of one lead in one transaction, by every path to the history, and one
-- statement for thousands of leads after their stages were renamed, with some of them
-- changed while triggers were disabled.  What is due is generated, not listed.
SET timezone = 'UTC';
SET datestyle = ISO;
SET intervalstyle = postgres;
SET client_min_messages = warning;
CREATE SCHEMA record_many_moves;
SET search_path = record_many_moves;
SELECT align.agree('record_many_moves', $$
    stage a held by m; stage b held by n;
    won w;
    entry a, b;
    success path a -> b -> w;
    path b -> a;
    sla answer by n: from b to a, w within 2 hours;
$$);
-- lead 1 moves there and back every hour; every fourth stay in b is of three hours
CREATE FUNCTION hour(n int) RETURNS timestamptz LANGUAGE sql IMMUTABLE RETURN timestamptz '2025-01-01 00:00+00' + (n + 2 * (n / 8)) * interval '1 hour';
CREATE FUNCTION stage(n int) RETURNS text LANGUAGE sql IMMUTABLE RETURN CASE WHEN n % 2 = 0 THEN 'a' ELSE 'b' END;
CREATE FUNCTION owner(n int) RETURNS text LANGUAGE sql IMMUTABLE RETURN 'o' || n / 10;
CREATE VIEW due_history AS SELECT 1 AS id, n + 1 AS entry_no, CASE n WHEN 0 THEN 'entry' ELSE 'move' END AS event, hour(n) AS effective_at, CASE WHEN n > 0 THEN stage(n - 1) END AS from_stage, stage(n) AS stage,
    CASE WHEN n > 0 THEN CASE stage(n) WHEN 'a' THEN 'n' ELSE 'm' END END AS from_team, CASE stage(n) WHEN 'a' THEN 'm' ELSE 'n' END AS team, owner(n) AS assignee, NULL::text AS violation, NULL::text AS source FROM generate_series(0, 1000) AS n;
CREATE VIEW due_clocks AS SELECT 1 AS id, 'answer' AS sla, n / 2 + 1 AS cycle, owner(n) AS at_start, hour(n) AS started_at, hour(n) + interval '2 hours' AS due_at, hour(n + 1) - hour(n) AS elapsed, hour(n + 1) AS stopped_at,
    CASE WHEN hour(n + 1) - hour(n) > interval '2 hours' THEN 'missed' ELSE 'met' END AS outcome FROM generate_series(1, 999, 2) AS n;
CREATE FUNCTION results(relation regclass) RETURNS TABLE (what text, n bigint) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TEMPORARY TABLE history AS SELECT id, entry_no, event, effective_at, from_stage, stage, from_team, team, assignee, violation, source FROM %s_history WHERE id = 1;
        CREATE TEMPORARY TABLE clocks AS SELECT id, sla, cycle, assignee_at_start, started_at, due_at, elapsed, stopped_at, outcome FROM %1$s_sla WHERE id = 1', relation);
    RETURN QUERY SELECT 'history', count(*) FROM history UNION ALL SELECT 'clocks', count(*) FROM clocks UNION ALL SELECT 'clocks missed', count(*) FROM clocks WHERE outcome = 'missed'
        UNION ALL SELECT 'entries not due', count(*) FROM (TABLE history EXCEPT ALL TABLE due_history) AS t UNION ALL SELECT 'entries lacking', count(*) FROM (TABLE due_history EXCEPT ALL TABLE history) AS t
        UNION ALL SELECT 'clocks not due', count(*) FROM (TABLE clocks EXCEPT ALL TABLE due_clocks) AS t UNION ALL SELECT 'clocks lacking', count(*) FROM (TABLE due_clocks EXCEPT ALL TABLE clocks) AS t
        UNION ALL SELECT 'problem ' || problem, count(*) FROM align.check(relation) GROUP BY 1;
    DROP TABLE history, clocks;
END $$;
CREATE PROCEDURE move(relation regclass) LANGUAGE plpgsql AS $$
BEGIN
    FOR n IN 1 .. 1000 LOOP
        EXECUTE format('UPDATE %s SET stage = stage($1), owner = owner($1), at = hour($1) WHERE id = 1', relation) USING n;
    END LOOP;
END $$;

CREATE PROCEDURE attach(relation name, parted boolean DEFAULT false) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TABLE %I (id int, stage text, owner text, at timestamptz, PRIMARY KEY (id%s)) %s', relation, CASE WHEN parted THEN ', stage' END, CASE WHEN parted THEN 'PARTITION BY LIST (stage)' END);
    IF parted THEN
        EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES IN (''a''); CREATE TABLE %I PARTITION OF %2$I DEFAULT', relation || '_a', relation, relation || '_rest');
    END IF;
    PERFORM align.attach(relation::text::regclass, 'record_many_moves', key => '{id}', assignee => 'owner', changed_at => 'at');
END $$;

-- One statement after the other; lead 2 is there, too.
CALL attach('leads');
INSERT INTO leads VALUES (1, 'a', 'o0', hour(0)), (2, 'b', 'o0', hour(0));
CALL move('leads');
SELECT * FROM results('leads');
SELECT id, entry_no, stage FROM leads_history WHERE id = 2;

-- The lead enters in the same transaction, which takes its moves back once.
CALL attach('returned');
BEGIN;
INSERT INTO returned VALUES (1, 'a', 'o0', hour(0));
SAVEPOINT s;
CALL move('returned');
ROLLBACK TO s;
CALL move('returned');
SELECT * FROM results('returned');
COMMIT;
SELECT * FROM results('returned');

-- Each move in an exception block, every third after one that fails.
CALL attach('blocks');
INSERT INTO blocks VALUES (1, 'a', 'o0', hour(0));
DO $$
BEGIN
    FOR n IN 1 .. 1000 LOOP
        BEGIN
            IF n % 3 = 0 THEN
                UPDATE blocks SET stage = stage(n), owner = 'undone', at = hour(n) - interval '1 minute' WHERE id = 1;
                PERFORM 1 / 0;
            END IF;
            UPDATE blocks SET stage = stage(n), owner = owner(n), at = hour(n) WHERE id = 1;
        EXCEPTION WHEN division_by_zero THEN
            UPDATE blocks SET stage = stage(n), owner = owner(n), at = hour(n) WHERE id = 1;
        END;
    END LOOP;
END $$;
SELECT * FROM results('blocks');

-- By a trigger, two for each row of one statement on another table.
CALL attach('nested');
INSERT INTO nested VALUES (1, 'a', 'o0', hour(0));
CREATE TABLE activity (n int);
CREATE FUNCTION move_nested() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN new.n .. new.n + 1 LOOP
        UPDATE nested SET stage = stage(i), owner = owner(i), at = hour(i) WHERE id = 1;
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER move_nested AFTER INSERT ON activity FOR EACH ROW EXECUTE FUNCTION move_nested();
INSERT INTO activity SELECT n FROM generate_series(1, 999, 2) AS n;
SELECT * FROM results('nested');

-- By upserts and MERGE.
CALL attach('upserts');
DO $$
BEGIN
    FOR n IN 0 .. 500 LOOP
        INSERT INTO upserts VALUES (1, stage(n), owner(n), hour(n)) ON CONFLICT (id) DO UPDATE SET stage = excluded.stage, owner = excluded.owner, at = excluded.at;
    END LOOP;
    FOR n IN 501 .. 1000 LOOP
        MERGE INTO upserts AS u USING (VALUES (1)) AS v (id) ON u.id = v.id WHEN MATCHED THEN UPDATE SET stage = stage(n), owner = owner(n), at = hour(n) WHEN NOT MATCHED THEN INSERT VALUES (2, 'a');
    END LOOP;
END $$;
SELECT * FROM results('upserts');

-- The row moves between partitions each time, by the table and by the partition's name.
CALL attach('parted', true);
INSERT INTO parted VALUES (1, 'a', 'o0', hour(0));
CALL move('parted');
SELECT * FROM results('parted');

-- History and clocks have columns of the owner's, so that they are written by SQL.
CALL attach('by_sql');
ALTER TABLE by_sql_history ADD COLUMN seen_at timestamptz DEFAULT now();
ALTER TABLE by_sql_sla ADD COLUMN seen_at timestamptz DEFAULT now();
INSERT INTO by_sql VALUES (1, 'a', 'o0', hour(0));
CALL move('by_sql');
SELECT * FROM results('by_sql');

-- Without a time of change: in order all the same.
CALL attach('untimed');
SELECT align.attach('untimed', 'record_many_moves', key => '{id}', assignee => 'owner');
INSERT INTO untimed VALUES (1, 'a', 'o0', hour(0));
CALL move('untimed');
SELECT count(*), count(*) FILTER (WHERE effective_at >= before AND recorded_at > earlier AND entry_no = previous + 1 AND from_stage = was) AS in_order
FROM (SELECT *, lag(effective_at) OVER w AS before, lag(recorded_at) OVER w AS earlier, lag(entry_no) OVER w AS previous, lag(stage) OVER w AS was FROM untimed_history WINDOW w AS (ORDER BY entry_no)) AS h;
SELECT count(*), min(cycle), max(cycle), count(DISTINCT cycle), array_agg(DISTINCT outcome) FROM untimed_sla;
SELECT * FROM align.check('untimed');

-- Dated back: each move is earlier than those before it.
CALL attach('backwards');
INSERT INTO backwards VALUES (1, 'a', 'o0', '2025-06-01 00:00+00');
DO $$
BEGIN
    FOR n IN 1 .. 200 LOOP
        UPDATE backwards SET stage = stage(n), at = timestamptz '2025-06-01 00:00+00' - n * interval '1 hour' WHERE id = 1;
    END LOOP;
END $$;
SELECT count(*), count(*) FILTER (WHERE source = 'backfill') AS backfill, count(violation) AS violations FROM backwards_history;
SELECT outcome, count(*), min(elapsed), max(elapsed), max(cycle) FROM backwards_sla GROUP BY 1;
SELECT * FROM align.check('backwards');

-- Another key at each move.
CALL attach('rekeyed');
INSERT INTO rekeyed VALUES (1000, 'a', 'o0', hour(0));
DO $$
BEGIN
    FOR n IN 1 .. 200 LOOP
        UPDATE rekeyed SET id = id + 1, stage = stage(n), owner = owner(n), at = hour(n);
    END LOOP;
END $$;
SELECT event, count(*), min(id), max(id) FROM rekeyed_history GROUP BY 1 ORDER BY 1;
SELECT outcome, count(*), min(id), max(id), max(cycle) FROM rekeyed_sla GROUP BY 1 ORDER BY 1;
SELECT * FROM align.check('rekeyed');

-- One statement for all leads, after a version called stage a "first" and b "second", with
-- the old names as labels.  Leads 11 to 16 were changed while triggers were disabled.
CREATE FUNCTION summary(relation regclass) RETURNS TABLE (leads bigint, ids text, entries text) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format($q$SELECT count(*), CASE WHEN count(*) < 10 THEN string_agg(id::text, ' ' ORDER BY id) END, e
        FROM (SELECT id, string_agg(concat_ws(' ', event, from_stage, '->', stage, assignee, source, version), ', ' ORDER BY entry_no) AS e FROM %s_history GROUP BY id) AS h GROUP BY e ORDER BY min(id)$q$, relation);
END $$;
CREATE PROCEDURE rename(relation name, parted boolean) LANGUAGE plpgsql AS $$
BEGIN
    CALL attach(relation, parted);
    EXECUTE format('INSERT INTO %I SELECT i, stage(i %% 3), ''ann'', hour(0) FROM generate_series(1, 3000) AS i', relation);
END $$;
CALL rename('renamed', false);
CALL rename('parted_renamed', true);
SELECT align.agree('record_many_moves', $$
    stage first held by m; stage second held by n;
    won w;
    entry first, second;
    success path first -> second -> w;
    path second -> first;
    first known as 'a'; second known as 'b';
    sla answer by n: from second to first, w within 2 hours;
$$);
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE renamed SET stage = 'b' WHERE id = 11;
UPDATE renamed SET stage = 'w' WHERE id = 12;
UPDATE renamed SET owner = 'eve' WHERE id = 13;
UPDATE renamed SET id = 5014 WHERE id = 14;
DELETE FROM renamed WHERE id = 15;
INSERT INTO renamed VALUES (5016, 'a', 'eve', hour(0));
UPDATE parted_renamed SET stage = 'b' WHERE id = 11;
UPDATE parted_renamed SET stage = 'w' WHERE id = 12;
UPDATE parted_renamed SET owner = 'eve' WHERE id = 13;
UPDATE parted_renamed SET id = 5014 WHERE id = 14;
DELETE FROM parted_renamed WHERE id = 15;
INSERT INTO parted_renamed VALUES (5016, 'a', 'eve', hour(0));
COMMIT;
SELECT key, problem, recorded, expected FROM align.check('renamed') ORDER BY key, problem;
UPDATE renamed SET stage = CASE stage WHEN 'a' THEN 'second' WHEN 'b' THEN 'first' ELSE stage END, at = hour(1), owner = 'bob';
SELECT * FROM summary('renamed');
-- clocks of version 1 go on: it does not know the name "first"
SELECT CASE WHEN id BETWEEN 11 AND 16 OR id > 3000 THEN id END AS id, cycle, outcome, version, count(*) FROM renamed_sla GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;
SELECT key, problem, recorded, expected FROM align.check('renamed') ORDER BY key, problem;
UPDATE parted_renamed SET stage = CASE stage WHEN 'a' THEN 'second' WHEN 'b' THEN 'first' ELSE stage END, at = hour(1), owner = 'bob';
SELECT count(*) FROM ((SELECT id, entry_no, event, from_stage, stage, source, version FROM renamed_history EXCEPT ALL SELECT id, entry_no, event, from_stage, stage, source, version FROM parted_renamed_history)
    UNION ALL (SELECT id, entry_no, event, from_stage, stage, source, version FROM parted_renamed_history EXCEPT ALL SELECT id, entry_no, event, from_stage, stage, source, version FROM renamed_history)) AS differences;
SELECT key, problem, recorded, expected FROM align.check('parted_renamed') ORDER BY key, problem;
-- and back, in another order, in a transaction with other statements
BEGIN;
UPDATE renamed SET stage = CASE stage WHEN 'first' THEN 'b' WHEN 'second' THEN 'a' ELSE stage END, at = hour(2) WHERE id % 2 = 0;
UPDATE renamed SET stage = CASE stage WHEN 'first' THEN 'second' WHEN 'second' THEN 'first' ELSE stage END, at = hour(2) WHERE id % 2 = 1;
UPDATE renamed SET owner = 'cyd' WHERE id % 500 = 0;
COMMIT;
SELECT count(*), array_agg(DISTINCT version) FROM renamed_history WHERE effective_at = hour(2) AND event = 'move';
SELECT id, string_agg(concat_ws(' ', event, from_stage, '->', stage, assignee, source, version), ', ' ORDER BY entry_no) FROM renamed_history WHERE id IN (11, 500, 501) GROUP BY id ORDER BY id;
SELECT key, problem, recorded, expected FROM align.check('renamed') ORDER BY key, problem;

RESET search_path;
DROP SCHEMA record_many_moves CASCADE;
