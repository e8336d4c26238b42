-- What happens at COMMIT, and what becomes of changes when their table goes: deferred
-- triggers that change leads, and DROP, TRUNCATE, detach() and attach() in a transaction
-- that has changed leads.
\set SHOW_CONTEXT never
CREATE SCHEMA record_commit;
SET search_path = record_commit;
SET client_min_messages = warning;
SELECT align.agree('record_commit', $$
    stage a, b, c held by marketing;
    won w;
    entry a, b, c;
    success path a -> b -> c -> w;
    path any -> a; path any -> b; path any -> c;
    sla s by marketing: from b to c within 10 days;
$$);
CREATE TABLE leads (id int PRIMARY KEY, stage text, owner text);
CREATE TABLE parts (id int, stage text, owner text, PRIMARY KEY (id, stage)) PARTITION BY LIST (stage);
CREATE TABLE parts_a PARTITION OF parts FOR VALUES IN ('a');
CREATE TABLE parts_b PARTITION OF parts FOR VALUES IN ('b');
CREATE TABLE parts_rest PARTITION OF parts DEFAULT;
INSERT INTO leads SELECT i, 'a' FROM generate_series(1, 1300) AS i;
INSERT INTO parts TABLE leads;
SELECT align.attach('leads', 'record_commit', assignee => 'owner'), align.attach('parts', 'record_commit', assignee => 'owner', key => '{id}');
CREATE FUNCTION summary(relation text) RETURNS TABLE (leads bigint, entries text) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format('SELECT count(*), e FROM (SELECT string_agg(concat_ws('' '', event, stage, assignee), '', '' ORDER BY entry_no) AS e FROM %I GROUP BY id) AS h GROUP BY e ORDER BY 1, 2', relation || '_history');
    RETURN QUERY SELECT count(*), 'problem: ' || problem FROM align.check(relation::regclass) GROUP BY problem;
END $$;

-- Deferred triggers of another table change leads, many and more than once.
CREATE TABLE calls (id int, relation text);
CREATE FUNCTION call() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('UPDATE %I SET stage = ''b'' WHERE id <= 600', new.relation);
    EXECUTE format('UPDATE %I SET owner = ''called'' WHERE id BETWEEN 500 AND 1200', new.relation);
    -- With assertions, PostgreSQL fails one of its own if a deferred trigger
    -- catches an error at COMMIT.
    BEGIN
        IF NOT current_setting('debug_assertions')::boolean THEN
            EXECUTE format('UPDATE %I SET stage = ''c'' WHERE id > 1250', new.relation);
            RAISE EXCEPTION 'undone' USING ERRCODE = 'UE000';
        END IF;
    EXCEPTION WHEN SQLSTATE 'UE000' THEN NULL;
    END;
    EXECUTE format('DELETE FROM %I WHERE id = 1300', new.relation);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER call AFTER INSERT ON calls DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION call();
BEGIN;
UPDATE leads SET stage = 'c' WHERE id <= 700;
UPDATE parts SET stage = 'c' WHERE id <= 700;
INSERT INTO calls VALUES (1, 'leads'), (1, 'parts');
SAVEPOINT a;
INSERT INTO calls VALUES (2, 'leads');
UPDATE leads SET owner = 'nobody' WHERE id <= 700;
ROLLBACK TO a;
SELECT * FROM summary('leads');
COMMIT;
SELECT * FROM summary('leads');
SELECT * FROM summary('parts');
-- without a change of a lead before, and set to be immediate in between
INSERT INTO calls VALUES (3, 'leads');
SELECT * FROM summary('leads');
BEGIN;
INSERT INTO calls VALUES (4, 'leads');
UPDATE leads SET stage = 'a' WHERE id = 1;
SET CONSTRAINTS ALL IMMEDIATE;
UPDATE leads SET stage = 'c' WHERE id = 1;
COMMIT;
SELECT entry_no AS no, event, from_stage, stage, assignee, source FROM leads_history WHERE id = 1 ORDER BY 1;
SELECT * FROM align.check('leads');

-- A deferred trigger of the attached table itself: the row goes on at COMMIT, and so do others.
TRUNCATE leads, parts;
INSERT INTO leads SELECT i, 'a' FROM generate_series(2001, 2700) AS i;
INSERT INTO parts TABLE leads;
CREATE FUNCTION go_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('UPDATE %I SET stage = ''c'' WHERE id = $1 AND stage = ''b''', TG_ARGV[0]) USING new.id;
    IF new.id % 100 = 0 THEN
        EXECUTE format('UPDATE %I SET owner = ''x'' WHERE id BETWEEN $1 AND $1 + 9', TG_ARGV[0]) USING new.id;
        EXECUTE format('DELETE FROM %I WHERE id = $1 + 10', TG_ARGV[0]) USING new.id;
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER aa_go_on AFTER UPDATE OF stage ON leads DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION go_on('leads');
CREATE CONSTRAINT TRIGGER aa_go_on AFTER UPDATE OF stage ON parts DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION go_on('parts');
BEGIN;
UPDATE leads SET stage = 'b';
UPDATE leads SET owner = 'y' WHERE id = 2100;
COMMIT;
SELECT * FROM summary('leads');
-- a row that moves between partitions fires no UPDATE trigger of a partition; within one it does
BEGIN;
UPDATE parts SET stage = 'b';
UPDATE parts_b SET owner = 'y' WHERE id = 2100;
COMMIT;
SELECT * FROM summary('parts');
BEGIN;
UPDATE parts SET stage = 'c' WHERE id <= 2100;
UPDATE parts_rest SET stage = 'w';
COMMIT;
SELECT * FROM summary('parts');
DROP TRIGGER aa_go_on ON leads;
DROP TRIGGER aa_go_on ON parts;

-- TRUNCATE after changes, and new rows after that.
BEGIN;
UPDATE leads SET stage = 'a' WHERE id <= 2600;
TRUNCATE leads;
INSERT INTO leads VALUES (2001, 'b'), (1, 'a');
SAVEPOINT a;
UPDATE leads SET stage = 'c' WHERE id = 2001;
TRUNCATE leads;
ROLLBACK TO a;
COMMIT;
SELECT id, entry_no AS no, event, stage FROM leads_history WHERE id = 2001 ORDER BY 2;
SELECT id, entry_no AS no, event, stage FROM leads_history WHERE id = 2700 ORDER BY 2;
SELECT * FROM align.check('leads');
BEGIN;
UPDATE parts SET stage = 'a' WHERE stage = 'b' AND id <= 2300;
TRUNCATE parts_a;
COMMIT;
SELECT * FROM summary('parts');

-- The partition that rows were written to is detached, or dropped.
BEGIN;
UPDATE parts SET stage = 'a' WHERE stage = 'b' AND id <= 2400;
UPDATE parts_a SET owner = 'z';
ALTER TABLE parts DETACH PARTITION parts_a;
COMMIT;
SELECT problem, count(*) FROM align.check('parts') GROUP BY 1;
SELECT align.attach('parts', 'record_commit', assignee => 'owner', key => '{id}', opened_at => 'now');
SELECT * FROM align.check('parts');
BEGIN;
UPDATE parts_b SET owner = 'z';
DROP TABLE parts_b;
COMMIT;
SELECT problem, count(*) FROM align.check('parts') GROUP BY 1;

-- The table is detached, and attached again.
BEGIN;
UPDATE leads SET stage = 'b' WHERE id = 1;
SELECT align.detach('leads');
UPDATE leads SET stage = 'c' WHERE id = 1;
COMMIT;
SELECT entry_no AS no, event, stage, source FROM leads_history WHERE id = 1 ORDER BY 1;
BEGIN;
SELECT align.attach('leads', 'record_commit', assignee => 'owner', opened_at => 'now');
UPDATE leads SET stage = 'b' WHERE id = 1;
SELECT align.detach('leads');
SELECT align.attach('leads', 'record_commit', assignee => 'owner', opened_at => 'now');
UPDATE leads SET stage = 'a' WHERE id = 1;
COMMIT;
SELECT entry_no AS no, event, stage, source FROM leads_history WHERE id = 1 ORDER BY 1;
SELECT * FROM align.check('leads');

-- The table is dropped: what was recorded stays.
BEGIN;
UPDATE leads SET stage = 'b' WHERE id = 1;
DROP TABLE leads;
COMMIT;
SELECT entry_no AS no, event, stage, source FROM leads_history WHERE id = 1 ORDER BY 1;
BEGIN;
INSERT INTO parts SELECT i, 'c' FROM generate_series(1, 10) AS i;
INSERT INTO parts_rest VALUES (11, 'c'), (12, 'c');
DROP TABLE parts, calls CASCADE;
COMMIT;
SELECT count(*), count(DISTINCT id) FROM parts_history WHERE id <= 12;
-- with its history, and made again under the same name
CREATE TABLE short (id int PRIMARY KEY, stage text);
SELECT align.attach('short', 'record_commit', opened_at => 'now');
BEGIN;
INSERT INTO short VALUES (1, 'a');
DROP TABLE short, short_history, short_sla;
CREATE TABLE short (id int PRIMARY KEY, stage text);
SELECT align.attach('short', 'record_commit', opened_at => 'now');
INSERT INTO short VALUES (2, 'b');
COMMIT;
SELECT id, entry_no AS no, event, stage FROM short_history ORDER BY 1, 2;
SELECT * FROM align.check('short');

DROP SCHEMA record_commit CASCADE;
