-- Tables that are reloaded: DELETE or TRUNCATE and INSERT of one key in one transaction are one change.
\set SHOW_CONTEXT never
SET TimeZone = 'UTC';
CREATE SCHEMA reload;
SET search_path = reload;
SET client_min_messages = warning;
SELECT align.agree('reload', $$
    stage new, work held by m; stage busy held by s; won done; lost gone;
    success path new -> work -> busy -> done; path any -> gone;
    entry new, work;
    busy known as 'in work', '3';
    handoff h: work from m to s, accept busy, reject gone with reason (price, time), within 4 hours;
    sla answer by s: from busy to done within 2 days;
$$);
CREATE TABLE leads (id int PRIMARY KEY, stage text, who text, team text, why text, at timestamptz, dead boolean DEFAULT false);
INSERT INTO leads VALUES
    (1, 'new', 'ann', 'm', NULL, '2026-03-02 09:00Z'), (2, 'work', 'ann', 'm', NULL, '2026-03-02 09:00Z'),
    (3, 'in work', 'bob', 's', NULL, '2026-03-02 09:00Z'), (4, NULL, NULL, NULL, NULL, NULL), (5, 'work', 'cyd', 'm', NULL, NULL);
SELECT align.attach('leads', 'reload', assignee => 'who', team => 'team', reason => 'why', changed_at => 'at',
                    live => 'NOT dead', reload => true);
SELECT reload FROM align.attachments WHERE relation = 'leads'::regclass;
CREATE VIEW trail AS
SELECT id, entry_no AS no, event, from_stage, stage, from_team, team, assignee, violation, source FROM leads_history WHERE id > 0 ORDER BY id, entry_no;
CREATE VIEW promises AS SELECT id, sla, cycle, outcome FROM leads_sla ORDER BY id, sla, cycle;
TABLE trail;
CREATE TABLE mirror AS TABLE leads;

-- Nothing has changed: no entry, no clock.
BEGIN; DELETE FROM leads; INSERT INTO leads TABLE mirror; COMMIT;
BEGIN; TRUNCATE leads; INSERT INTO leads TABLE mirror; COMMIT;
BEGIN; TRUNCATE leads; INSERT INTO leads TABLE mirror; DELETE FROM leads; INSERT INTO leads TABLE mirror; TRUNCATE leads; INSERT INTO leads TABLE mirror; COMMIT;
WITH d AS (DELETE FROM leads RETURNING *) INSERT INTO leads SELECT * FROM d;
BEGIN; DELETE FROM leads; INSERT INTO leads SELECT id, CASE stage WHEN 'in work' THEN 'busy' ELSE stage END, who, team, why, at, dead FROM mirror; COMMIT;
SELECT count(*), max(entry_no) FROM leads_history;
TABLE promises;
SELECT * FROM align.check('leads');

-- Moves, a new holder, a new lead, one that is gone; history shows the old life until commit.
UPDATE mirror SET stage = 'work', at = '2026-03-03 09:00Z' WHERE id = 1;
UPDATE mirror SET who = 'dan' WHERE id = 2;
DELETE FROM mirror WHERE id = 3;
UPDATE mirror SET stage = 'new', at = '2026-03-03 09:00Z' WHERE id = 4;
INSERT INTO mirror VALUES (6, 'new', 'ann', 'm', NULL, '2026-03-03 10:00Z', false);
BEGIN;
TRUNCATE leads;
SELECT * FROM align.check('leads');
SELECT count(*) FROM align.journeys('leads');
SELECT count(*), max(entry_no) FROM leads_history;
INSERT INTO leads TABLE mirror;
SELECT id, entry_no, event FROM leads_history WHERE entry_no > 1 ORDER BY 1;
SELECT * FROM align.check('leads');
COMMIT;
SELECT * FROM trail WHERE no > 1 OR id IN (4, 6);
SELECT id, entry_no, effective_at FROM leads_history WHERE event = 'move';
TABLE promises;
SELECT * FROM align.check('leads');

-- Illegal moves are refused at the INSERT, and nothing is left behind.
BEGIN;
TRUNCATE leads;
INSERT INTO leads SELECT id, 'done', who, team, why, at, dead FROM mirror WHERE id = 1;
ROLLBACK;
BEGIN;
DELETE FROM leads WHERE id = 2;
INSERT INTO leads VALUES (2, 'gone', 'dan', 'm', 'weather');
ROLLBACK;
BEGIN;
DELETE FROM leads WHERE id = 2;
SAVEPOINT s;
INSERT INTO leads VALUES (2, 'done', 'dan', 'm');
ROLLBACK TO s;
INSERT INTO leads VALUES (2, 'busy', 'dan', 's');
COMMIT;
SELECT * FROM trail WHERE id = 2;
SELECT * FROM align.check('leads');
-- without a DELETE before, an INSERT is an entry
INSERT INTO leads VALUES (7, 'busy', 'dan', 's');
-- in other transactions, they are what they are
DELETE FROM leads WHERE id = 2;
INSERT INTO leads VALUES (2, 'busy', 'dan', 's');
INSERT INTO leads VALUES (2, 'work', 'dan', 'm');
SELECT * FROM trail WHERE id = 2;

-- Deleted, inserted, deleted again; moves on the way are recorded.
BEGIN;
DELETE FROM leads WHERE id = 6;
INSERT INTO leads VALUES (6, 'work');
DELETE FROM leads WHERE id = 6;
INSERT INTO leads VALUES (6, 'busy');
UPDATE leads SET who = 'eve' WHERE id = 6;
DELETE FROM leads WHERE id = 6;
SELECT * FROM trail WHERE id = 6;
COMMIT;
SELECT * FROM trail WHERE id = 6;
-- inserted and deleted in one transaction
BEGIN; INSERT INTO leads VALUES (8, 'new'); DELETE FROM leads WHERE id = 8; COMMIT;
BEGIN; INSERT INTO leads VALUES (9, 'new'); DELETE FROM leads WHERE id = 9; INSERT INTO leads VALUES (9, 'work'); COMMIT;
SELECT * FROM trail WHERE id IN (8, 9);
-- upserts, and a row without a stage
BEGIN;
DELETE FROM leads WHERE id IN (5, 9);
INSERT INTO leads VALUES (5, 'busy'), (9, NULL) ON CONFLICT (id) DO UPDATE SET stage = 'gone';
INSERT INTO leads VALUES (5, 'gone', NULL, 's', 'price') ON CONFLICT (id) DO UPDATE SET stage = excluded.stage, why = excluded.why, team = excluded.team;
COMMIT;
SELECT * FROM trail WHERE id IN (5, 9);
SELECT * FROM align.check('leads');
SELECT align.merge_leads('leads', '6', '1') > 0 AS merged;

-- Rows that are not live.
INSERT INTO leads (id, stage, dead) VALUES (20, 'new', false), (21, 'work', false), (22, 'new', true);
BEGIN; DELETE FROM leads WHERE id >= 20; INSERT INTO leads (id, stage, dead) VALUES (20, 'new', true), (21, 'busy', false), (22, 'new', true); COMMIT;
SELECT * FROM trail WHERE id IN (20, 21);
SELECT * FROM align.check('leads');
BEGIN; TRUNCATE leads; INSERT INTO leads (id, stage, dead) VALUES (20, 'new', false), (21, 'busy', false); COMMIT;
SELECT id, no, event, from_stage, stage, source FROM trail WHERE id IN (20, 21);
SELECT id, event FROM leads_history WHERE event = 'truncated' ORDER BY 1;
SELECT * FROM align.check('leads');

-- Keys: another row gets the key of a deleted one.
BEGIN;
DELETE FROM leads WHERE id = 20;
UPDATE leads SET id = 20 WHERE id = 21;
INSERT INTO leads (id, stage) VALUES (21, 'new');
COMMIT;
SELECT id, no, event, from_stage, stage, source FROM trail WHERE id IN (20, 21);
SELECT * FROM align.check('leads');
BEGIN;
UPDATE leads SET id = 30 WHERE id = 21;
DELETE FROM leads WHERE id = 30;
INSERT INTO leads (id, stage) VALUES (21, 'new'), (30, 'work');
COMMIT;
SELECT id, no, event, from_stage, stage, source FROM trail WHERE id IN (21, 30);
SELECT * FROM align.check('leads');

-- Functions that change the history of leads see the deletion.
BEGIN;
DELETE FROM leads WHERE id = 30;
SELECT align.erase('leads', '30') > 0 AS erased;
INSERT INTO leads (id, stage) VALUES (30, 'new');
COMMIT;
SELECT id, no, event, from_stage, stage, source FROM trail WHERE id = 30;
BEGIN;
DELETE FROM leads WHERE id = 21;
SELECT align.merge_leads('leads', '21', '30') > 0 AS merged;
COMMIT;
SELECT id, no, event, from_stage, stage, source FROM trail WHERE id IN (21, 30);
BEGIN;
DELETE FROM leads WHERE id = 30;
SELECT align.detach('leads');
SELECT event FROM leads_history WHERE id = 30 ORDER BY entry_no DESC LIMIT 1;
ROLLBACK;
BEGIN;
DELETE FROM leads WHERE id = 30;
SELECT align.attach('leads', 'reload', assignee => 'who', team => 'team', reason => 'why', changed_at => 'at', live => 'NOT dead');
INSERT INTO leads (id, stage) VALUES (30, 'work');
COMMIT;
SELECT id, no, event, from_stage, stage, source FROM trail WHERE id = 30;
SELECT * FROM align.check('leads');
-- the table is dropped
SELECT align.attach('leads', 'reload', reload => true);
BEGIN; DELETE FROM leads; DROP TABLE leads CASCADE; COMMIT;
SELECT count(*) > 0 FROM leads_history;
DROP SCHEMA reload CASCADE;
