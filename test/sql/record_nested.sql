-- What is recorded of a lead that a change depends on is what preceded it, even where the
-- row trigger of a nested statement fires first.
\set SHOW_CONTEXT never
\set VERBOSITY terse
CREATE SCHEMA record_nested;
SET search_path = record_nested;
SET client_min_messages = warning;
SELECT align.agree('record_nested', $$
    stage a, b, c;
    won w;
    entry a;
    success path a -> b -> c -> w;
    path c -> a;
$$);
CREATE TYPE status AS ENUM ('a', 'b', 'c', 'w', 'zz');
CREATE TABLE leads (id int PRIMARY KEY, stage status, live boolean NOT NULL DEFAULT true, command text);
CREATE FUNCTION run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE new.command;
    RETURN NULL;
END $$;
-- fires before the triggers of align
CREATE TRIGGER a_run AFTER UPDATE ON leads FOR EACH ROW
    WHEN (new.command IS NOT NULL AND old.command IS DISTINCT FROM new.command) EXECUTE FUNCTION run();
SELECT align.attach('leads', 'record_nested', live => 'live', mode => 'observe');
CREATE VIEW trail AS
    SELECT id, entry_no AS no, event, from_stage, stage, source, violation FROM leads_history ORDER BY id, entry_no;

-- a move from an unknown label that the outer statement has set
INSERT INTO leads VALUES (1, 'a');
UPDATE leads SET stage = 'zz', command = 'UPDATE leads SET stage = ''b'' WHERE id = 1' WHERE id = 1;
-- in two levels
INSERT INTO leads VALUES (2, 'a');
UPDATE leads SET stage = 'b', command = $$UPDATE leads SET stage = 'zz',
    command = 'UPDATE leads SET stage = ''c'' WHERE id = 2' WHERE id = 2$$ WHERE id = 2;
-- by the second attachment of a table, whose batch has its own changes
CREATE TABLE deals (LIKE leads INCLUDING ALL, other status);
CREATE TRIGGER a_run AFTER UPDATE ON deals FOR EACH ROW
    WHEN (new.command IS NOT NULL AND old.command IS DISTINCT FROM new.command) EXECUTE FUNCTION run();
SELECT align.attach('deals', 'record_nested', stage => 'stage', mode => 'observe');
SELECT align.attach('deals', 'record_nested', stage => 'other', mode => 'observe', history => 'deals_other');
INSERT INTO deals (id, stage, other) VALUES (1, 'a', 'a');
UPDATE deals SET other = 'zz', command = 'UPDATE deals SET stage = ''b'', other = ''b'' WHERE id = 1' WHERE id = 1;
SELECT * FROM trail;
SELECT entry_no AS no, event, from_stage, stage, source FROM deals_history ORDER BY entry_no;
SELECT entry_no AS no, event, from_stage, stage, source FROM deals_other ORDER BY entry_no;

-- a move from a label that was renamed under the row, which the nested statement moves on
INSERT INTO leads VALUES (10, 'a');
UPDATE leads SET stage = 'b' WHERE id = 10;
ALTER TYPE status RENAME VALUE 'b' TO 'was_b';
UPDATE leads SET stage = 'c', command = 'UPDATE leads SET stage = ''a'' WHERE id = 10' WHERE id = 10;
SELECT * FROM trail WHERE id = 10;
ALTER TYPE status RENAME VALUE 'was_b' TO 'b';

-- a lead that goes on where it was, and is ended again by the nested statement
INSERT INTO leads VALUES (20, 'a');
UPDATE leads SET live = false WHERE id = 20;
UPDATE leads SET live = true, stage = 'b', command = 'UPDATE leads SET live = false WHERE id = 20' WHERE id = 20;
SELECT * FROM trail WHERE id = 20;

-- one whose key has changed within the outer statement, since its life ended
INSERT INTO leads VALUES (40, 'a');
UPDATE leads SET live = false WHERE id = 40;
INSERT INTO leads VALUES (42, 'a');
UPDATE leads SET stage = 'b', command = $$UPDATE leads SET id = 41, stage = 'c' WHERE id = 40;
    UPDATE leads SET live = true WHERE id = 41$$ WHERE id = 42;
SELECT * FROM trail WHERE id IN (40, 41);

-- an INSERT that begins before its BEFORE trigger gives the old row another key, and makes
-- its row afterwards; that of the outer statement comes first
CREATE FUNCTION make_room() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE leads SET id = id + 30 WHERE id = new.id;
    RETURN new;
END $$;
CREATE TRIGGER make_room BEFORE INSERT ON leads FOR EACH ROW EXECUTE FUNCTION make_room();
INSERT INTO leads VALUES (50, 'a');
UPDATE leads SET stage = 'b', command = 'INSERT INTO leads VALUES (50, ''a'')' WHERE id = 50;
SELECT * FROM trail WHERE id IN (50, 80);
-- twice
INSERT INTO leads VALUES (51, 'a');
UPDATE leads SET stage = 'b', command = $$INSERT INTO leads VALUES (51, 'a');
    UPDATE leads SET id = 91 WHERE id = 81; INSERT INTO leads VALUES (51, 'b')$$ WHERE id = 51;
SELECT * FROM trail WHERE id IN (51, 81, 91);

-- one that begins to live under a key that another one has left in the same statement
INSERT INTO leads VALUES (53, 'a');
INSERT INTO leads VALUES (52, 'a');
UPDATE leads SET stage = 'b', command = 'INSERT INTO leads VALUES (53, ''a'', false); UPDATE leads SET live = true WHERE id = 53' WHERE id = 52;
SELECT * FROM trail WHERE id IN (52, 53, 83);

SELECT * FROM align.check('leads');
SELECT * FROM align.check('deals_history');
SELECT * FROM align.check('deals_other');
DROP SCHEMA record_nested CASCADE;
