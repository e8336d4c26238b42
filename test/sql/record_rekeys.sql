-- A row keeps the history of its lead under a new key, though it has no stage or is not live when the key changes.
\set SHOW_CONTEXT never
SET TimeZone = 'UTC';
CREATE SCHEMA record_rekeys;
SET search_path = record_rekeys;
SET client_min_messages = warning;
SELECT align.agree('record_rekeys', 'stage mql, sql; won won; entry mql; success path mql -> sql -> won; sla prompt by m: from mql to sql within 2 days;');
CREATE TABLE leads (id int PRIMARY KEY, stage text, gone boolean DEFAULT false);
SELECT align.attach('leads', 'record_rekeys', mode => 'observe', live => 'NOT gone');
CREATE VIEW trail AS SELECT id, entry_no AS no, event, from_stage, stage, source, note, violation FROM leads_history ORDER BY 1, 2;
CREATE VIEW clocks AS SELECT id, sla, cycle, stopped_at IS NULL AS open, outcome FROM leads_sla ORDER BY 1, 2, 3;

-- not live, without stage
INSERT INTO leads VALUES (1, 'mql'), (2, 'mql'), (3, 'mql'), (4, 'mql');
UPDATE leads SET gone = true WHERE id IN (1, 2);
UPDATE leads SET stage = NULL WHERE id IN (1, 2);
UPDATE leads SET id = 11 WHERE id = 1;
UPDATE leads SET gone = false, stage = 'mql' WHERE id = 11;
-- all at once
UPDATE leads SET id = 12, gone = false, stage = 'sql' WHERE id = 2;
-- live, without stage
UPDATE leads SET stage = NULL WHERE id IN (3, 4);
UPDATE leads SET id = 13 WHERE id = 3;
UPDATE leads SET stage = 'mql' WHERE id = 13;
UPDATE leads SET id = 14, stage = 'mql' WHERE id = 4;
TABLE trail;
TABLE clocks;
SELECT * FROM align.check('leads');

-- what never was a lead has no history, under either key
INSERT INTO leads VALUES (21, NULL, false), (22, NULL, true), (23, 'sql', true), (24, NULL, false), (25, NULL, false);
UPDATE leads SET id = id + 100 WHERE id BETWEEN 21 AND 23;
UPDATE leads SET id = 124, stage = 'mql' WHERE id = 24;
BEGIN;
UPDATE leads SET id = 125 WHERE id = 25;
UPDATE leads SET stage = 'mql' WHERE id = 125;
UPDATE leads SET stage = NULL WHERE id = 125;
UPDATE leads SET id = 225 WHERE id = 125;
UPDATE leads SET id = 325, stage = 'mql' WHERE id = 225;
COMMIT;
SELECT * FROM trail WHERE id > 20;
SELECT * FROM align.check('leads');

-- nor does a row take the history of a deleted one along, which had its key
INSERT INTO leads VALUES (41, 'mql'), (42, 'mql'), (43, 'mql');
DELETE FROM leads WHERE id IN (41, 42, 43);
INSERT INTO leads VALUES (41, NULL, false), (42, NULL, true), (43, 'mql', true);
UPDATE leads SET id = id + 100 WHERE id IN (41, 42);
UPDATE leads SET id = id + 100, stage = 'mql', gone = false WHERE id = 43;
UPDATE leads SET stage = 'mql', gone = false WHERE id IN (141, 142);
SELECT * FROM trail WHERE id % 100 IN (41, 42, 43);
SELECT * FROM align.check('leads');

-- two rows swap their keys, one without a stage
UPDATE leads SET stage = NULL WHERE id = 13;
ALTER TABLE leads DROP CONSTRAINT leads_pkey, ADD PRIMARY KEY (id) DEFERRABLE;
UPDATE leads SET id = 27 - id WHERE id IN (13, 14);
UPDATE leads SET stage = 'mql' WHERE id IN (13, 14);
SELECT * FROM trail WHERE id IN (13, 14);
SELECT * FROM align.check('leads');

-- from a nested statement
CREATE FUNCTION renumber() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE leads SET id = id + 1000 WHERE id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER a_renumber AFTER UPDATE OF stage ON leads FOR EACH ROW WHEN (NEW.stage IS NULL AND NEW.id < 1000) EXECUTE FUNCTION renumber();
CREATE TRIGGER z_renumber AFTER INSERT ON leads FOR EACH ROW WHEN (NEW.stage IS NULL) EXECUTE FUNCTION renumber();
UPDATE leads SET stage = NULL WHERE id IN (11, 12);
INSERT INTO leads VALUES (31, NULL), (32, 'mql');
UPDATE leads SET stage = 'mql' WHERE id IN (1011, 1012, 1031);
SELECT * FROM trail WHERE id IN (11, 12, 31, 32, 1011, 1012, 1031);
SELECT * FROM align.check('leads');
DROP SCHEMA record_rekeys CASCADE;
