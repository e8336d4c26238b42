-- Reloads in savepoints, in triggers of the owner, in partitions, and beside other changes of the row.
\set SHOW_CONTEXT never
SET TimeZone = 'UTC';
CREATE SCHEMA reload_order;
SET search_path = reload_order;
SET client_min_messages = warning;
SELECT align.agree('reload_order', $$
    stage a held by m; stage b held by s; stage c held by s; won w; success path a -> b -> c -> w; path b, c -> a; entry a, b, c;
    sla s by s: from b to c, w within 4 hours;
$$);
CREATE TABLE leads (id int PRIMARY KEY, stage text, who text, what text);
INSERT INTO leads VALUES (1, 'a'), (2, 'a'), (3, 'b'), (4, 'b');
SELECT align.attach('leads', 'reload_order', assignee => 'who', reload => true);
CREATE VIEW trail AS SELECT id, entry_no AS no, event, from_stage, stage, assignee, source FROM leads_history ORDER BY id, entry_no;

-- Deletions, and their being taken away, belong to their savepoints.
BEGIN;
DELETE FROM leads WHERE id = 1;
SAVEPOINT x;
INSERT INTO leads VALUES (1, 'b');
SAVEPOINT y;
DELETE FROM leads WHERE id IN (1, 2);
SAVEPOINT z;
INSERT INTO leads VALUES (1, 'c'), (2, 'b');
ROLLBACK TO z;
INSERT INTO leads VALUES (1, 'a');
RELEASE z;
RELEASE y;
ROLLBACK TO x;
INSERT INTO leads VALUES (1, 'a', 'ann');
RELEASE x;
SAVEPOINT v;
DELETE FROM leads WHERE id = 3;
ROLLBACK TO v;
SAVEPOINT w;
DELETE FROM leads WHERE id = 4;
RELEASE w;
COMMIT;
SELECT * FROM trail;
SELECT * FROM align.check('leads');
-- a subtransaction takes away what its parent has deleted, many times
DO $$
BEGIN
    DELETE FROM leads;
    FOR i IN 1 .. 50 LOOP
        BEGIN
            INSERT INTO leads VALUES (1, 'a', 'ann'), (2, 'a', NULL), (3, 'b', NULL);
            IF i % 2 = 0 THEN RAISE 'no'; END IF;
            DELETE FROM leads;
        EXCEPTION WHEN raise_exception THEN NULL;
        END;
    END LOOP;
    BEGIN
        INSERT INTO leads VALUES (1, 'b', 'ann'), (2, 'a', NULL);
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
END $$;
SELECT * FROM trail WHERE id < 4;
SELECT * FROM align.check('leads');

-- A trigger replaces the row that is being deleted, before align's trigger fires.
CREATE FUNCTION put_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF old.what = 'put back' THEN
        INSERT INTO leads VALUES (old.id, 'a', 'trigger');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER a_put_back AFTER DELETE ON leads FOR EACH ROW EXECUTE FUNCTION put_back();
INSERT INTO leads VALUES (10, 'a', NULL, 'put back'), (11, 'a', NULL, 'put back');
DELETE FROM leads WHERE id IN (10, 11);
SELECT * FROM trail WHERE id IN (10, 11);
SELECT * FROM align.check('leads');
DROP TRIGGER a_put_back ON leads;
-- the same, after align's trigger
CREATE TRIGGER z_put_back AFTER DELETE ON leads FOR EACH ROW EXECUTE FUNCTION put_back();
INSERT INTO leads VALUES (12, 'a', NULL, 'put back');
DELETE FROM leads WHERE id = 12;
SELECT * FROM trail WHERE id = 12;
DROP TRIGGER z_put_back ON leads;

-- A trigger deletes the row that has just been made, or moves it on.
CREATE FUNCTION after_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.what = 'delete' THEN
        DELETE FROM leads WHERE id = new.id;
    ELSIF new.what = 'move' THEN
        UPDATE leads SET stage = 'c' WHERE id = new.id;
    ELSIF new.what = 'replace' THEN
        DELETE FROM leads WHERE id = new.id;
        INSERT INTO leads VALUES (new.id, 'c', 'trigger');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER a_after_insert AFTER INSERT ON leads FOR EACH ROW EXECUTE FUNCTION after_insert();
INSERT INTO leads VALUES (20, 'a'), (21, 'a'), (22, 'a');
BEGIN;
DELETE FROM leads WHERE id BETWEEN 20 AND 22;
INSERT INTO leads VALUES (20, 'b', NULL, 'delete'), (21, 'b', NULL, 'move'), (22, 'b', NULL, 'replace');
COMMIT;
SELECT * FROM trail WHERE id BETWEEN 20 AND 22;
SELECT * FROM align.check('leads');
DROP TRIGGER a_after_insert ON leads;

-- A BEFORE trigger makes room for a row.
CREATE FUNCTION make_room() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM leads WHERE id = new.id;
    RETURN new;
END $$;
CREATE TRIGGER a_make_room BEFORE INSERT ON leads FOR EACH ROW EXECUTE FUNCTION make_room();
INSERT INTO leads SELECT i, 'a' FROM generate_series(30, 33) AS i;
INSERT INTO leads SELECT i, CASE WHEN i % 2 = 0 THEN 'b' ELSE 'a' END FROM generate_series(30, 33) AS i;
INSERT INTO leads SELECT 33, s FROM unnest('{b,c,a}'::text[]) AS s;
SELECT * FROM trail WHERE id BETWEEN 30 AND 33;
SELECT * FROM align.check('leads');
DROP TRIGGER a_make_room ON leads;

-- A trigger replaces the row while it is being moved.
CREATE FUNCTION after_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.what = 'replace' THEN
        DELETE FROM leads WHERE id = new.id;
        INSERT INTO leads VALUES (new.id, 'c', 'trigger');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER a_after_update AFTER UPDATE ON leads FOR EACH ROW EXECUTE FUNCTION after_update();
INSERT INTO leads VALUES (40, 'a'), (41, 'a');
UPDATE leads SET stage = 'b', what = 'replace' WHERE id IN (40, 41);
SELECT * FROM trail WHERE id IN (40, 41);
SELECT * FROM align.check('leads');
DROP TRIGGER a_after_update ON leads;

-- A trigger gives the new row another key, and makes a third one with its key.
CREATE FUNCTION make_way() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF tg_when = 'BEFORE' AND new.what = 'third' THEN
        UPDATE leads SET id = id + 100 WHERE id = new.id;
    ELSIF tg_when = 'BEFORE' THEN
        DELETE FROM leads WHERE id = new.id;
    ELSIF new.what = 'make way' THEN
        INSERT INTO leads VALUES (new.id, 'b', 'trigger', 'third');
    END IF;
    RETURN new;
END $$;
CREATE TRIGGER a_before BEFORE INSERT ON leads FOR EACH ROW EXECUTE FUNCTION make_way();
CREATE TRIGGER a_after AFTER INSERT ON leads FOR EACH ROW EXECUTE FUNCTION make_way();
INSERT INTO leads VALUES (50, 'a'), (51, 'b');
INSERT INTO leads VALUES (50, 'c', NULL, 'make way'), (51, 'c', NULL, 'make way');
SELECT * FROM trail WHERE id % 100 IN (50, 51);
SELECT * FROM align.check('leads');
DROP TRIGGER a_before ON leads;
DROP TRIGGER a_after ON leads;

-- A row is made without a stage, and gets it later.
INSERT INTO leads VALUES (60, 'a'), (61, 'a'), (62, 'a'), (63, 'a');
BEGIN;
DELETE FROM leads WHERE id BETWEEN 60 AND 63;
INSERT INTO leads VALUES (60, NULL), (61, NULL), (62, NULL), (63, NULL);
UPDATE leads SET stage = 'a' WHERE id = 60;
UPDATE leads SET stage = 'b', who = 'ann' WHERE id = 61;
UPDATE leads SET stage = 'b', id = 64 WHERE id = 62;
COMMIT;
SELECT * FROM trail WHERE id BETWEEN 60 AND 64;
SELECT * FROM align.check('leads');
-- into the key of another one, which is deleted
BEGIN;
DELETE FROM leads WHERE id = 61;
UPDATE leads SET stage = 'c', id = 61 WHERE id = 63;
COMMIT;
SELECT * FROM trail WHERE id IN (61, 63);
SELECT * FROM align.check('leads');

-- A foreign key cascades.
CREATE TABLE companies (name text PRIMARY KEY);
INSERT INTO companies VALUES ('ann'), ('trigger');
INSERT INTO companies SELECT DISTINCT who FROM leads WHERE who NOT IN ('ann', 'trigger');
ALTER TABLE leads ADD FOREIGN KEY (who) REFERENCES companies ON DELETE CASCADE;
BEGIN;
CREATE TEMP TABLE kept ON COMMIT DROP AS SELECT * FROM leads WHERE who = 'trigger';
DELETE FROM companies WHERE name = 'trigger';
INSERT INTO companies VALUES ('trigger');
INSERT INTO leads SELECT id, CASE id WHEN 40 THEN 'w' ELSE stage END, who FROM kept WHERE id <> 41;
COMMIT;
SELECT * FROM trail WHERE id IN (40, 41);
SELECT * FROM align.check('leads');

-- Keys of other types, and a statement that fails.
CREATE TABLE pairs (a text COLLATE "C", b numeric, stage text, PRIMARY KEY (a, b));
INSERT INTO pairs SELECT repeat('x', i), i / 2.0, 'a' FROM generate_series(1, 3000, 500) AS i;
SELECT align.attach('pairs', 'reload_order', reload => true);
CREATE TABLE pairs_mirror AS TABLE pairs;
BEGIN; TRUNCATE pairs; INSERT INTO pairs SELECT a, b::numeric(10, 3), stage FROM pairs_mirror; COMMIT;
BEGIN; DELETE FROM pairs; INSERT INTO pairs SELECT a, b, 'b' FROM pairs_mirror WHERE b > 1000; DELETE FROM pairs; SELECT 1 / 0; COMMIT;
SELECT count(*), max(entry_no) FROM pairs_history;
BEGIN; DELETE FROM pairs; INSERT INTO pairs SELECT a, b, 'b' FROM pairs_mirror WHERE b > 1000; COMMIT;
SELECT length(a), b, entry_no, event, from_stage, stage FROM pairs_history ORDER BY 1, 3;
SELECT * FROM align.check('pairs');

-- Partitions.
CREATE TABLE parts (id int, day date, stage text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE parts_2 (stage text, gone int, day date NOT NULL, id int NOT NULL);
ALTER TABLE parts_2 DROP COLUMN gone;
ALTER TABLE parts ATTACH PARTITION parts_2 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
CREATE TABLE parts_rest PARTITION OF parts DEFAULT;
INSERT INTO parts VALUES (1, '2026-01-10', 'a'), (2, '2026-02-10', 'a'), (3, '2026-03-10', 'a'), (4, '2026-03-11', 'a'), (5, '2026-01-11', NULL);
SELECT align.attach('parts', 'reload_order', key => '{id}', reload => true);
CREATE VIEW parts_trail AS SELECT id, entry_no AS no, event, from_stage, stage FROM parts_history ORDER BY id, entry_no;
CREATE TABLE parts_mirror AS TABLE parts;
BEGIN; TRUNCATE parts; INSERT INTO parts TABLE parts_mirror; COMMIT;
BEGIN; DELETE FROM parts; INSERT INTO parts TABLE parts_mirror; COMMIT;
BEGIN; TRUNCATE parts_1, parts_2; INSERT INTO parts SELECT * FROM parts_mirror WHERE day < '2026-03-01'; COMMIT;
SELECT count(*), max(no) FROM parts_trail;
-- a partition that is made for rows of the default one, as partition managers do
BEGIN;
CREATE TEMP TABLE kept ON COMMIT DROP AS TABLE parts_rest;
DELETE FROM parts_rest;
CREATE TABLE parts_3 PARTITION OF parts FOR VALUES FROM ('2026-03-01') TO ('2026-04-01');
INSERT INTO parts TABLE kept;
COMMIT;
SELECT count(*), max(no) FROM parts_trail;
-- a partition without statement triggers
BEGIN; TRUNCATE parts; INSERT INTO parts TABLE parts_mirror; COMMIT;
BEGIN; DELETE FROM parts_3; INSERT INTO parts_3 SELECT * FROM parts_mirror WHERE day > '2026-03-01'; COMMIT;
WITH d AS (DELETE FROM parts_3 RETURNING *) INSERT INTO parts_1 SELECT id, '2026-01-15', stage FROM d;
SELECT count(*), max(no) FROM parts_trail;
-- rows that move, rows that are moved, rows that are gone
UPDATE parts SET day = day + 31;
BEGIN; TRUNCATE parts; INSERT INTO parts SELECT id, day - id, 'b' FROM parts_mirror WHERE id NOT IN (3, 5); COMMIT;
SELECT * FROM parts_trail;
SELECT * FROM align.check('parts');
BEGIN;
DELETE FROM parts WHERE id = 2;
UPDATE parts SET id = 2, day = '2026-02-05' WHERE id = 1;
COMMIT;
SELECT * FROM parts_trail WHERE id = 2;
SELECT * FROM align.check('parts');
DROP SCHEMA reload_order CASCADE;
