-- What history says about a lead is carried into the version that judges: stages that were renamed twice.
\set SHOW_CONTEXT never
SET TimeZone = 'UTC';
CREATE SCHEMA record_renamed;
SET search_path = record_renamed;
SET client_min_messages = warning;
\set VERBOSITY terse
SELECT align.agree('record_renamed', 'stage n, q, a, z; won w; entry n; success path n -> q -> a -> z -> w; path a, z -> n; sla prompt by m: from a to z within 2 days;');
CREATE TABLE leads (id int PRIMARY KEY, stage text, gone boolean DEFAULT false);
SELECT align.attach('leads', 'record_renamed', live => 'NOT gone');
-- the history of copies has a trigger, so it is read by statements
CREATE TABLE copies (LIKE leads INCLUDING ALL);
SELECT align.attach('copies', 'record_renamed', live => 'NOT gone');
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER nothing BEFORE INSERT ON copies_history FOR EACH ROW EXECUTE FUNCTION nothing();
CREATE VIEW trail AS
    SELECT 'leads' AS of, id, entry_no AS no, event, from_stage, stage, version, source, violation FROM leads_history
    UNION ALL SELECT 'copies', id, entry_no, event, from_stage, stage, version, source, violation FROM copies_history;
CREATE VIEW clocks AS
    SELECT 'leads' AS of, id, cycle, stopped_at IS NULL AS open, outcome FROM leads_sla UNION ALL SELECT 'copies', id, cycle, stopped_at IS NULL, outcome FROM copies_sla;

-- 1 to 4 are archived in a; 5, which was there, is merged into 6
CREATE PROCEDURE fill(t regclass) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('INSERT INTO %s SELECT i, ''n'' FROM generate_series(1, 7) AS i', t);
    EXECUTE format('UPDATE %s SET stage = ''q'' WHERE id < 6', t);
    EXECUTE format('UPDATE %s SET stage = ''a'' WHERE id < 6', t);
    EXECUTE format('UPDATE %s SET gone = true WHERE id < 5', t);
    EXECUTE format('UPDATE %s SET stage = ''n'' WHERE id = 5', t);
END $$;
CALL fill('leads');
CALL fill('copies');
SELECT align.agree('record_renamed', 'stage n, q, b, z; b known as ''a''; won w; entry n; success path n -> q -> b -> z -> w; path b, z -> n; sla prompt by m: from b to z within 2 days;');
SELECT align.agree('record_renamed', 'stage n, q, c, z; c known as ''b''; won w; entry n; success path n -> q -> c -> z -> w; path c, z -> n; sla prompt by m: from c to z within 2 days;');

-- back in the same stage: the clock goes on; in another one: a move from there
UPDATE leads SET gone = false, stage = 'c' WHERE id = 1;
UPDATE copies SET gone = false, stage = 'c' WHERE id = 1;
UPDATE leads SET gone = false, stage = 'z' WHERE id = 2;
UPDATE copies SET gone = false, stage = 'z' WHERE id = 2;
UPDATE leads SET gone = false, stage = 'n' WHERE id = 3;
UPDATE copies SET gone = false, stage = 'b', id = 40 WHERE id = 4;
-- within one transaction, before what is pending is written
BEGIN;
UPDATE leads SET gone = true WHERE id = 1;
UPDATE leads SET gone = false WHERE id = 1;
COMMIT;
SELECT * FROM trail WHERE no > 3 AND id IN (1, 2, 3, 4, 40) ORDER BY of, id, no;
SELECT * FROM clocks WHERE id IN (1, 2, 3, 4, 40) ORDER BY 1, 2, 3;
SELECT * FROM align.check('leads');
SELECT * FROM align.check('copies');

-- a merged lead goes on from the furthest stage, under its name of today; others do not, nor does it twice
SELECT align.merge_leads('leads', 5, 6);
SELECT align.merge_leads('copies', 5, 6);
UPDATE leads SET stage = 'z' WHERE id = 6;
UPDATE copies SET stage = 'z' WHERE id = 6;
UPDATE leads SET stage = 'c' WHERE id = 6;
UPDATE copies SET stage = 'c' WHERE id = 6;
UPDATE leads SET stage = 'c' WHERE id = 7;
UPDATE copies SET stage = 'c' WHERE id = 7;
UPDATE leads SET stage = 'n' WHERE id = 6;
UPDATE leads SET stage = 'c' WHERE id = 6;
SELECT * FROM trail WHERE no > 1 AND id IN (6, 7) ORDER BY of, id, no;
SELECT * FROM align.check('leads');
SELECT * FROM align.check('copies');
DROP SCHEMA record_renamed CASCADE;
