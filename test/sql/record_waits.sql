-- Changes are written 500 at a time, but for those whose predecessors may be outstanding:
-- each case in which one has to wait for the end of the statement around it.
\set SHOW_CONTEXT never
CREATE SCHEMA record_waits;
SET search_path = record_waits;
SET client_min_messages = warning;
SELECT align.agree('record_waits', $$
    stage a, b, c held by marketing;
    won w;
    entry a, b, c;
    success path a -> b -> c -> w;
    path any -> a; path any -> b; path any -> c;
    sla s by marketing: from b to c within 10 days;
$$);
-- what a trigger does for a row, at which depth; in the order of the row triggers: before align's
CREATE TABLE tasks (id int, depth int, command text);
CREATE FUNCTION perform_tasks() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    task text;
BEGIN
    FOR task IN SELECT command FROM tasks WHERE id = new.id AND depth = pg_trigger_depth() LOOP
        EXECUTE task;
    END LOOP;
    RETURN NULL;
END $$;
CREATE PROCEDURE prepare() LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE tasks;
    DROP TABLE IF EXISTS leads, leads_history, leads_sla;
    CREATE TABLE leads (id int PRIMARY KEY, stage text, owner text);
    -- so that keys can be counted up
    INSERT INTO leads SELECT i, 'a' FROM generate_series(1300, 1, -1) AS i;
    PERFORM align.attach('leads', 'record_waits', assignee => 'owner');
    CREATE TRIGGER aa_tasks AFTER UPDATE ON leads FOR EACH ROW EXECUTE FUNCTION perform_tasks();
END $$;
-- the entries of a lead, and how many leads have which
CREATE FUNCTION trail(lead int) RETURNS text LANGUAGE plpgsql AS
$$ BEGIN RETURN (SELECT string_agg(concat_ws(' ', event, from_stage, '->', stage, assignee, source), ', ' ORDER BY entry_no) FROM leads_history WHERE id = lead AND event <> 'opening'); END $$;
CREATE FUNCTION summary() RETURNS TABLE (leads bigint, entries text) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY SELECT count(*), e FROM (SELECT string_agg(concat_ws(' ', event, stage, assignee), ', ' ORDER BY entry_no) AS e FROM leads_history GROUP BY id) AS h GROUP BY e ORDER BY 1, 2;
    RETURN QUERY SELECT count(*), 'problem: ' || problem FROM align.check('leads') GROUP BY problem;
END $$;

-- The owner changes and is not recorded yet, when the stage does.
CALL prepare();
INSERT INTO tasks VALUES (1300, 1, 'UPDATE leads SET stage = ''b'' WHERE id = 5');
UPDATE leads SET owner = 'x' WHERE id <= 1300;
SELECT trail(5);
SELECT * FROM summary();

-- Two statements around it have changed the stage there and back.
CALL prepare();
INSERT INTO tasks VALUES (1300, 1, 'UPDATE leads SET stage = ''a'' WHERE id <= 700'), (700, 2, 'UPDATE leads SET stage = ''c'' WHERE id = 5');
UPDATE leads SET stage = 'b';
SELECT trail(5);
SELECT * FROM summary();

-- The key is that of another lead so far.
CALL prepare();
INSERT INTO tasks VALUES (1301, 1, 'UPDATE leads SET stage = ''b'' WHERE id > 700');
UPDATE leads SET id = id + 1;
SELECT id, trail(id) FROM unnest('{2,700,701,702,1301}'::int[]) AS id;
SELECT * FROM summary();

-- It is one of the keys that a statement inside exchanges.
CALL prepare();
INSERT INTO tasks VALUES (1300, 1, 'UPDATE leads SET id = id + 1 WHERE id > 1200'), (1300, 1, 'UPDATE leads SET stage = ''c'' WHERE id = 1250');
UPDATE leads SET stage = 'b', owner = CASE WHEN id = 1249 THEN 'x' END;
SELECT id, trail(id) FROM unnest('{1200,1202,1249,1250,1251,1301}'::int[]) AS id;
SELECT * FROM summary();

-- What waits, waits also at the 1,000th change; what came before it does not.
CALL prepare();
INSERT INTO tasks VALUES (1300, 1, 'UPDATE leads SET stage = ''c'' WHERE id = 1'),
    (900, 1, 'UPDATE leads SET stage = ''a'' WHERE id = 1'),
    (700, 1, 'DELETE FROM leads WHERE id = 1'),
    (600, 1, 'INSERT INTO leads VALUES (1, ''b'', ''new'')'),
    (100, 1, 'UPDATE leads SET stage = ''c'' WHERE id = 1');
UPDATE leads SET stage = 'b', owner = 'x';
SELECT trail(1);
SELECT * FROM summary();

-- More than 500 changes inside an exception block of a trigger: kept, undone, undone in part.
CALL prepare();
CREATE FUNCTION inside_block(undo boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE leads SET stage = 'c' WHERE id BETWEEN 1 AND 600;
    BEGIN
        UPDATE leads SET stage = 'a', owner = 'y' WHERE id BETWEEN 101 AND 1200;
        IF undo THEN
            RAISE EXCEPTION 'undone' USING ERRCODE = 'UE000';
        END IF;
    EXCEPTION WHEN SQLSTATE 'UE000' THEN
        NULL;
    END;
    UPDATE leads SET owner = 'z' WHERE id BETWEEN 201 AND 900;
EXCEPTION WHEN SQLSTATE 'UE001' THEN
    NULL;
END $$;
INSERT INTO tasks VALUES (1300, 1, 'SELECT inside_block(true)');
UPDATE leads SET stage = 'b', owner = 'x';
SELECT id, trail(id) FROM unnest('{50,150,250,650,1000,1250}'::int[]) AS id;
SELECT * FROM summary();
CALL prepare();
INSERT INTO tasks VALUES (1300, 1, 'SELECT inside_block(false)');
UPDATE leads SET stage = 'b', owner = 'x';
SELECT id, trail(id) FROM unnest('{50,150,250,650,1000,1250}'::int[]) AS id;
SELECT * FROM summary();
-- all of it undone, after much was written outside
CALL prepare();
CREATE FUNCTION undo_all() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE leads SET stage = 'c' WHERE id < 1200;
    RAISE EXCEPTION 'undone' USING ERRCODE = 'UE000';
EXCEPTION WHEN SQLSTATE 'UE000' THEN
    UPDATE leads SET stage = 'c' WHERE id = 1;
END $$;
INSERT INTO tasks VALUES (650, 1, 'SELECT undo_all()');
UPDATE leads SET stage = 'b';
SELECT id, trail(id) FROM unnest('{1,2,1199,1300}'::int[]) AS id;
SELECT * FROM summary();

-- A function that reads, inside an exception block of a trigger, has what is known written so far.
CREATE FUNCTION read_inside(undo boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE leads SET stage = 'c' WHERE id IN (1, 2, 1290, 1295);
    UPDATE leads SET stage = 'a' WHERE id IN (2, 700);
    PERFORM count(*) FROM align.check('leads');
    UPDATE leads SET owner = 'y' WHERE id IN (1, 2, 3, 1290);
    PERFORM count(*) FROM align.journeys('leads');
    IF undo THEN
        RAISE EXCEPTION 'undone' USING ERRCODE = 'UE000';
    END IF;
EXCEPTION WHEN SQLSTATE 'UE000' THEN
    NULL;
END $$;
CALL prepare();
INSERT INTO tasks VALUES (1290, 1, 'UPDATE leads SET stage = ''a'' WHERE id = 1295'), (1280, 1, 'SELECT read_inside(true)'), (700, 1, 'SELECT read_inside(true)');
UPDATE leads SET stage = 'b';
SELECT id, trail(id) FROM unnest('{1,2,3,700,1280,1290,1295}'::int[]) AS id;
SELECT * FROM summary();
CALL prepare();
INSERT INTO tasks VALUES (1290, 1, 'UPDATE leads SET stage = ''a'' WHERE id = 1295'), (1280, 1, 'SELECT read_inside(false)'), (700, 1, 'SELECT read_inside(false)');
UPDATE leads SET stage = 'b';
SELECT id, trail(id) FROM unnest('{1,2,3,700,1280,1290,1295}'::int[]) AS id;
SELECT * FROM summary();

-- A trigger of another table, in an exception block, with nothing of the attached table around it.
CALL prepare();
CREATE TABLE calls (id int);
CREATE FUNCTION call() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE leads SET stage = 'b' WHERE id <= 600;
    BEGIN
        UPDATE leads SET stage = 'c' WHERE id <= 700;
        RAISE EXCEPTION 'undone' USING ERRCODE = 'UE000';
    EXCEPTION WHEN SQLSTATE 'UE000' THEN
        UPDATE leads SET stage = 'a', owner = 'called' WHERE id BETWEEN 500 AND 1100;
    END;
    RETURN NULL;
END $$;
CREATE TRIGGER call AFTER INSERT ON calls FOR EACH ROW EXECUTE FUNCTION call();
INSERT INTO calls VALUES (1), (2);
SELECT id, trail(id) FROM unnest('{1,550,1000}'::int[]) AS id;
SELECT * FROM summary();

DROP SCHEMA record_waits CASCADE;
