-- Rows that follow each other under one key within a statement: the history has them in
-- the order in which they were made, and so the last one is the lead that lives.
\set SHOW_CONTEXT never
CREATE SCHEMA record_same_key;
SET search_path = record_same_key;
SET client_min_messages = warning;
SELECT align.agree('record_same_key', $$
    stage a, b held by m;
    stage c held by s;
    won w;
    success path a -> b -> c -> w;
    entry a, b;
    handoff h: b from m to s, accept c, within 4 hours;
$$);
CREATE FUNCTION show(relation text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format($q$
        SELECT concat_ws(' ', id || ':', string_agg(concat(event, '(', from_stage, '>', stage, ')'), ', ' ORDER BY entry_no),
            (SELECT string_agg(coalesce(outcome, 'open'), ' ' ORDER BY cycle) FROM %1$I AS s WHERE s.id = h.id))
        FROM %2$I AS h GROUP BY id ORDER BY id$q$, relation || '_sla', relation || '_history');
    RETURN QUERY SELECT 'problem: ' || problem FROM align.check(relation::regclass);
END $$;

-- INSERT or replace, by a BEFORE ROW trigger.
CREATE TABLE t (id int PRIMARY KEY, st text, live boolean DEFAULT true);
SELECT align.attach('t', 'record_same_key', stage => 'st', live => 'live');
CREATE FUNCTION delete_same() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM t WHERE id = new.id;
    RETURN new;
END $$;
CREATE TRIGGER delete_same BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION delete_same();
INSERT INTO t VALUES (1, 'a'), (2, 'a');
INSERT INTO t VALUES (1, 'b');
INSERT INTO t VALUES (3, 'a'), (3, 'b'), (3, 'b');
SELECT show('t');
BEGIN;
INSERT INTO t VALUES (2, 'b');
INSERT INTO t VALUES (2, 'a');
COPY t FROM stdin;
1	a	t
3	b	t
3	a	t
\.
COMMIT;
SELECT show('t');
DROP TRIGGER delete_same ON t;
-- an UPDATE that changes a key
CREATE FUNCTION delete_duplicate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM t WHERE id = new.id AND id <> old.id;
    RETURN new;
END $$;
CREATE TRIGGER delete_duplicate BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION delete_duplicate();
UPDATE t SET id = 2, st = 'b' WHERE id = 1;
SELECT show('t');
DROP TRIGGER delete_duplicate ON t;
TRUNCATE t;

-- A BEFORE ROW trigger that gives the old row another key.
CREATE FUNCTION shift_same() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE t SET id = id + 100 WHERE id = new.id;
    RETURN new;
END $$;
CREATE TRIGGER shift_same BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION shift_same();
INSERT INTO t VALUES (11, 'a');
INSERT INTO t VALUES (11, 'b');
SELECT * FROM show('t') AS s WHERE s !~ '^[0-9]:';
DROP TRIGGER shift_same ON t;

-- A BEFORE STATEMENT trigger, and functions in the query.
CREATE FUNCTION delete_all() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM t;
    RETURN NULL;
END $$;
CREATE TRIGGER delete_all BEFORE INSERT ON t FOR EACH STATEMENT EXECUTE FUNCTION delete_all();
INSERT INTO t VALUES (11, 'a'), (12, 'a');
INSERT INTO t VALUES (11, 'b');
DROP TRIGGER delete_all ON t;
CREATE FUNCTION deleted(i int) RETURNS int LANGUAGE sql AS $$
    DELETE FROM t WHERE id = i;
    SELECT i;
$$;
INSERT INTO t SELECT deleted(11), 'a';
INSERT INTO t VALUES (deleted(11), 'b');
SELECT * FROM show('t') AS s WHERE s !~ '^[0-9]:';
-- the new row is changed, and deleted, before align's trigger fires for it
CREATE FUNCTION go_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE t SET st = 'b' WHERE id = new.id;
    IF new.live THEN
        DELETE FROM t WHERE id = new.id;
        INSERT INTO t VALUES (new.id, 'a', NULL);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER a_go_on AFTER INSERT ON t FOR EACH ROW WHEN (new.st = 'a') EXECUTE FUNCTION go_on();
CREATE TRIGGER delete_same BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION delete_same();
INSERT INTO t VALUES (12, 'a');
SELECT * FROM show('t') AS s WHERE s ~ '^12:';
DROP TABLE t, t_history, t_sla;

-- One command deletes a lead, and gives its key to another.
CREATE TABLE t (id int PRIMARY KEY, st text);
SELECT align.attach('t', 'record_same_key', stage => 'st');
INSERT INTO t VALUES (1, 'b'), (2, 'a'), (3, 'b'), (4, 'a');
WITH gone AS (DELETE FROM t WHERE id = 2 RETURNING id) UPDATE t SET id = gone.id FROM gone WHERE t.id = 1;
WITH gone AS (DELETE FROM t WHERE id = 2 RETURNING id) INSERT INTO t SELECT id, 'a' FROM gone;
MERGE INTO t USING (VALUES (4, 0), (3, 4)) AS v (i, k) ON t.id = v.i
    WHEN MATCHED AND k = 0 THEN DELETE
    WHEN MATCHED THEN UPDATE SET id = k;
SELECT show('t');
DROP TABLE t, t_history, t_sla;

-- After a cascade, changes of keys in triggers of other tables, and savepoints.
CREATE TABLE account (id int PRIMARY KEY);
CREATE TABLE leads (id int PRIMARY KEY, account int REFERENCES account ON DELETE CASCADE, st text);
SELECT align.attach('leads', 'record_same_key', stage => 'st');
CREATE TABLE renumber (old int, new int);
CREATE FUNCTION renumber() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE leads SET id = new.new WHERE id = new.old;
    RETURN NULL;
END $$;
CREATE TRIGGER renumber AFTER INSERT ON renumber FOR EACH ROW EXECUTE FUNCTION renumber();
INSERT INTO account VALUES (1), (2);
INSERT INTO leads VALUES (5, NULL, 'a'), (6, NULL, 'a'), (7, 2, 'b');
BEGIN;
DELETE FROM account WHERE id = 1;
INSERT INTO renumber VALUES (5, 15);
SELECT count(*) AS recorded FROM leads_history WHERE id = 15;
SAVEPOINT s;
INSERT INTO leads VALUES (5, NULL, 'b');
RELEASE s;
COMMIT;
SELECT show('leads');
-- the key changes while the cascade is not over, in the trigger of the same query
CREATE FUNCTION renumber_6() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO renumber VALUES (6, 16);
    BEGIN
        INSERT INTO leads VALUES (6, NULL, 'b');
    EXCEPTION WHEN division_by_zero THEN NULL;
    END;
    RETURN NULL;
END $$;
CREATE TRIGGER zz AFTER DELETE ON account FOR EACH ROW EXECUTE FUNCTION renumber_6();
DELETE FROM account WHERE id = 2;
SELECT show('leads');

-- A trigger inserts a lead whose row, which is not live, the statement deletes later.
CREATE TABLE t (id int PRIMARY KEY, st text, live boolean DEFAULT true);
SELECT align.attach('t', 'record_same_key', stage => 'st', live => 'live');
CREATE FUNCTION insert_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF old.id = 1 THEN
        INSERT INTO t VALUES (9999, 'b', true);
        PERFORM align.clocks('t');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER a_insert_again AFTER DELETE ON t FOR EACH ROW EXECUTE FUNCTION insert_again();
INSERT INTO t SELECT i, 'a', true FROM generate_series(1, 600) AS i;
INSERT INTO t VALUES (9999, 'a', false);
DELETE FROM t;
SELECT * FROM show('t') AS s WHERE s ~ '^(1|9999|problem):';
DELETE FROM t;
INSERT INTO t VALUES (1, 'b', true), (9999, 'a', false);
DELETE FROM t;
SELECT * FROM show('t') AS s WHERE s ~ '^(1|9999|problem):';

DROP SCHEMA record_same_key CASCADE;
