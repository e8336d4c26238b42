-- Rows that go: DELETE, TRUNCATE, foreign keys that cascade, rows no longer live.
\set VERBOSITY sqlstate
CREATE SCHEMA roads_delete;
SET search_path = roads_delete;
SET client_min_messages = warning;
SELECT align.agree('roads_delete', $$
    stage inquiry, mql held by marketing;
    stage sal held by sales;
    won customer;
    lost disqualified;
    entry inquiry, mql;
    success path inquiry -> mql -> sal -> customer;
    path any -> disqualified;
    handoff speed_to_lead: mql from marketing to sales, accept sal, within 4 hours;
$$);

-- a lead's rows may be written down by hand, too: a lookup of stages, a parent
CREATE TABLE status (code text PRIMARY KEY);
INSERT INTO status VALUES ('inquiry'), ('mql'), ('sal'), ('customer'), ('disqualified');
CREATE TABLE company (id int PRIMARY KEY);
INSERT INTO company VALUES (1), (2), (3);
CREATE TABLE leads (
    id int PRIMARY KEY,
    company int REFERENCES company ON DELETE CASCADE ON UPDATE CASCADE,
    stage text REFERENCES status ON UPDATE CASCADE ON DELETE SET NULL,
    owner text);
INSERT INTO leads SELECT g, 1 + g % 3, 'inquiry' FROM generate_series(1, 9) AS g;
SELECT align.attach('leads', 'roads_delete', assignee => 'owner', opened_at => 'now');
CREATE VIEW trail AS
SELECT id, entry_no AS no, event, from_stage, stage, from_team, team, source
FROM leads_history WHERE event <> 'opening' ORDER BY id, entry_no;
CREATE VIEW promises AS
SELECT id, sla, cycle, outcome, stopped_at IS NOT NULL AS stopped FROM leads_sla ORDER BY id, sla, cycle;

-- DELETE cancels what was running
UPDATE leads SET stage = 'mql' WHERE id IN (3, 6);
DELETE FROM leads WHERE id = 3;
DELETE FROM leads WHERE id = 3;
SELECT * FROM trail;
SELECT * FROM promises;
SELECT * FROM align.check('leads');
-- a lead that comes back begins anew and goes on counting
INSERT INTO leads VALUES (3, 1, 'mql');
SELECT * FROM trail WHERE id = 3;
SELECT * FROM promises WHERE id = 3;
-- gone and back in one statement, one transaction
BEGIN;
DELETE FROM leads WHERE id = 3;
INSERT INTO leads VALUES (3, 1, 'inquiry');
UPDATE leads SET stage = 'mql' WHERE id = 3;
DELETE FROM leads WHERE id = 3;
INSERT INTO leads VALUES (3, 1, 'mql');
COMMIT;
SELECT * FROM trail WHERE id = 3 AND no > 4;
-- one that never was in the funnel leaves no trace
INSERT INTO leads VALUES (20, 1, NULL);
DELETE FROM leads WHERE id = 20;
SELECT count(*) FROM leads_history WHERE id = 20;
-- come and gone in one transaction
BEGIN;
INSERT INTO leads VALUES (21, 1, 'mql');
DELETE FROM leads WHERE id = 21;
COMMIT;
SELECT * FROM trail WHERE id = 21;
SELECT * FROM align.check('leads');

-- a parent goes, and its leads with it; a parent changes its key, and nothing happens to its leads
DELETE FROM company WHERE id = 1;
UPDATE company SET id = 20 WHERE id = 2;
SELECT * FROM trail WHERE id IN (3, 6, 9) AND event = 'deleted';
SELECT * FROM promises;
SELECT * FROM align.check('leads');

-- the code of a stage changes where it is looked up: to another stage of the agreement or to none
BEGIN;
UPDATE leads SET stage = 'sal' WHERE id = 1;
ROLLBACK;
UPDATE status SET code = 'hot' WHERE code = 'inquiry';
UPDATE leads SET stage = 'mql' WHERE id IN (1, 4);
DELETE FROM status WHERE code = 'disqualified';
UPDATE status SET code = 'disqualified' WHERE code = 'mql';
SELECT * FROM trail WHERE id IN (1, 4);
-- a lead cannot be taken out of the funnel by taking its stage out of the table
DELETE FROM status WHERE code = 'disqualified';
SELECT id, stage FROM leads ORDER BY id;
SELECT * FROM align.check('leads');

-- TRUNCATE
SELECT count(*) FROM leads;
BEGIN;
TRUNCATE leads;
SELECT count(*) FROM leads_history WHERE event = 'truncated';
ROLLBACK;
INSERT INTO status VALUES ('mql');
INSERT INTO leads VALUES (30, 3, 'mql');
TRUNCATE company CASCADE;
SELECT * FROM trail WHERE event = 'truncated' OR id = 30;
SELECT count(*), count(DISTINCT id) FROM leads_history WHERE event = 'truncated';
SELECT * FROM promises WHERE id >= 20;
SELECT * FROM align.check('leads');
-- again, with nothing in it; and all anew, in the transaction of the TRUNCATE too
TRUNCATE leads;
SELECT count(*) FROM leads_history WHERE event = 'truncated';
INSERT INTO company VALUES (3);
BEGIN;
INSERT INTO leads VALUES (30, 3, 'inquiry'), (31, 3, 'mql');
UPDATE leads SET stage = 'mql' WHERE id = 30;
TRUNCATE leads;
INSERT INTO leads VALUES (30, 3, 'mql'), (32, 3, NULL);
UPDATE leads SET stage = 'sal' WHERE id = 30;
COMMIT;
SELECT * FROM trail WHERE id >= 30;
SELECT * FROM promises WHERE id >= 30;
SELECT * FROM align.check('leads');

-- rows that are no longer live
CREATE TABLE soft (id int PRIMARY KEY, stage text, owner text, deleted_at timestamptz, amount numeric);
INSERT INTO soft VALUES (1, 'mql', 'ann', NULL), (2, 'mql', 'ann', '2026-01-01');
SELECT align.attach('soft', 'roads_delete', assignee => 'owner', live => 'deleted_at IS NULL', opened_at => 'now');
INSERT INTO soft VALUES (3, 'mql', 'bob', NULL), (4, 'mql', 'bob', '2026-01-01'), (5, NULL, 'bob', NULL);
UPDATE soft SET deleted_at = '2026-02-01' WHERE id IN (1, 5);
UPDATE soft SET deleted_at = '2026-02-02' WHERE id IN (1, 2, 4, 5);
-- what a row does that is not live is judged and recorded, but it is out of the funnel
UPDATE soft SET stage = 'inquiry' WHERE id = 1;
UPDATE soft SET owner = 'eve' WHERE id = 1;
UPDATE soft SET stage = 'sal' WHERE id IN (1, 4);
SELECT id, entry_no, event, from_stage, stage, assignee, source FROM soft_history ORDER BY 1, 2;
SELECT id, sla, cycle, outcome FROM soft_sla ORDER BY 1, 2, 3;
SELECT * FROM align.check('soft');
-- back to life, alone and with another stage; a move and death at once
UPDATE soft SET deleted_at = NULL WHERE id IN (1, 2, 5);
UPDATE soft SET deleted_at = NULL, stage = 'inquiry' WHERE id = 4;
UPDATE soft SET deleted_at = NULL, stage = 'disqualified' WHERE id = 4;
UPDATE soft SET stage = 'sal', deleted_at = '2026-02-03' WHERE id = 3;
UPDATE soft SET amount = 5;
DELETE FROM soft WHERE id IN (2, 3);
SELECT id, entry_no, event, from_stage, stage, assignee, source FROM soft_history ORDER BY 1, 2;
SELECT id, sla, cycle, outcome FROM soft_sla ORDER BY 1, 2, 3;
SELECT * FROM align.check('soft');
DELETE FROM soft;
SELECT * FROM align.check('soft');

DROP SCHEMA roads_delete CASCADE;
