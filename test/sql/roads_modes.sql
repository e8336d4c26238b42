-- Modes, overrides, triggers switched off, and another agreement.
\set VERBOSITY sqlstate
CREATE SCHEMA roads_modes;
SET search_path = roads_modes;
SELECT align.agree('roads_modes', $$
    stage inquiry, mql held by marketing;
    stage sal held by sales;
    won customer;
    lost disqualified;
    success path inquiry -> mql -> sal -> customer;
    path any -> disqualified;
    disqualified needs reason (price, competitor);
    sal needs email;
    handoff speed_to_lead: mql from marketing to sales, accept sal, within 4 hours;
$$);
CREATE TABLE leads (id int PRIMARY KEY, stage text, why text, email text);
INSERT INTO leads VALUES (1, 'inquiry', NULL, NULL), (2, 'inquiry', NULL, NULL), (3, 'hot', NULL, NULL);
-- a label that the agreement does not know
SELECT align.attach('leads', 'roads_modes', reason => 'why', opened_at => 'now');
SELECT align.attach('leads', 'roads_modes', reason => 'why', mode => 'warn', opened_at => 'now');
CREATE VIEW trail AS
SELECT id, entry_no AS no, event, from_stage, stage, reason, note, violation, source FROM leads_history ORDER BY id, entry_no;
-- warned, once for each rule
UPDATE leads SET stage = 'sal' WHERE id = 1;
UPDATE leads SET stage = 'disqualified', why = 'weather' WHERE id = 1;
INSERT INTO leads VALUES (4, 'customer'), (5, 'cold');
UPDATE leads SET stage = 'hot' WHERE id = 2;
UPDATE leads SET stage = 'warm' WHERE id = 2;
UPDATE leads SET stage = 'mql' WHERE id = 2;
UPDATE leads SET stage = NULL WHERE id = 2;
UPDATE leads SET stage = NULL WHERE id = 2;
UPDATE leads SET stage = 'inquiry' WHERE id = 2;
SELECT * FROM trail;
SELECT * FROM align.check('leads');
-- silently
SELECT align.attach('leads', 'roads_modes', reason => 'why', mode => 'observe', opened_at => 'now');
UPDATE leads SET stage = 'customer' WHERE id = 2;
UPDATE leads SET stage = 'mql' WHERE id = 3;
SELECT * FROM trail WHERE id IN (2, 3);
SELECT * FROM align.check('leads');
UPDATE leads SET stage = 'mql' WHERE id = 5;
-- enforced
SELECT align.attach('leads', 'roads_modes', reason => 'why', mode => 'enforce', opened_at => 'now');
SELECT mode FROM align.attachments WHERE relation = 'leads'::regclass;
UPDATE leads SET stage = 'sal' WHERE id = 3;
UPDATE leads SET stage = 'disqualified' WHERE id = 3;
UPDATE leads SET stage = 'disqualified', why = 'weather' WHERE id = 3;
UPDATE leads SET stage = 'customer' WHERE id = 3;
UPDATE leads SET stage = 'sal', email = 'a@b' WHERE id = 3;
-- overridden, for as long as it is said
BEGIN;
SET LOCAL align.override = 'the chief said so';
UPDATE leads SET stage = 'inquiry' WHERE id = 3;
UPDATE leads SET stage = 'mql' WHERE id = 3;
INSERT INTO leads VALUES (6, 'sal');
COMMIT;
UPDATE leads SET stage = 'customer' WHERE id = 3;
UPDATE leads SET stage = 'inquiry' WHERE id = 6;
SELECT * FROM trail WHERE id IN (3, 6);
SELECT id, sla, cycle, outcome FROM leads_sla WHERE id IN (3, 6) ORDER BY 1, 2, 3;
SELECT * FROM align.check('leads');

-- a session that replays what others did: triggers do not fire, check tells what is missing
SET session_replication_role = replica;
UPDATE leads SET stage = 'customer' WHERE id = 3;
INSERT INTO leads VALUES (10, 'sal');
DELETE FROM leads WHERE id = 6;
RESET session_replication_role;
SELECT count(*) FROM align.check('leads');
SELECT align.attach('leads', 'roads_modes', reason => 'why', opened_at => 'now');
SELECT * FROM align.check('leads');
SELECT * FROM trail WHERE id IN (3, 6, 10) AND source = 'adopted';
-- triggers switched off and on again
ALTER TABLE leads DISABLE TRIGGER USER;
UPDATE leads SET stage = 'disqualified' WHERE id = 10;
INSERT INTO leads VALUES (11, 'mql');
TRUNCATE leads_sla;
ALTER TABLE leads ENABLE TRIGGER USER;
UPDATE leads SET stage = 'disqualified', why = 'price' WHERE id = 11;
SELECT key FROM align.check('leads') GROUP BY key ORDER BY key;
SELECT align.attach('leads', 'roads_modes', reason => 'why', opened_at => 'now');
SELECT * FROM align.check('leads');
SELECT * FROM trail WHERE id IN (10, 11);
-- triggers that always fire
ALTER TABLE leads ENABLE ALWAYS TRIGGER align_insert, ENABLE ALWAYS TRIGGER align_update, ENABLE ALWAYS TRIGGER align_delete,
    ENABLE ALWAYS TRIGGER align_flush, ENABLE ALWAYS TRIGGER align_truncate;
SET session_replication_role = replica;
INSERT INTO leads VALUES (12, 'inquiry');
UPDATE leads SET stage = 'mql' WHERE id = 12;
UPDATE leads SET stage = 'customer' WHERE id = 12;
DELETE FROM leads WHERE id = 12;
RESET session_replication_role;
SELECT * FROM trail WHERE id = 12;
SELECT * FROM align.check('leads');

-- a new version: open clocks keep theirs; a stage in which leads sit stays
INSERT INTO leads VALUES (20, 'inquiry'), (21, 'inquiry'), (22, 'inquiry');
UPDATE leads SET stage = 'mql' WHERE id IN (20, 21);
SELECT align.agree('roads_modes', $$
    stage inquiry, mql held by marketing;
    stage working, sal held by sales;
    won customer;
    lost disqualified;
    success path inquiry -> mql -> working -> sal -> customer;
    path any -> disqualified;
    handoff speed_to_lead: mql from marketing to sales, accept working, within 1 hour;
$$);
UPDATE leads SET stage = 'sal' WHERE id = 20;
UPDATE leads SET stage = 'working' WHERE id IN (20, 21);
UPDATE leads SET stage = 'sal' WHERE id IN (20);
UPDATE leads SET stage = 'mql' WHERE id = 22;
SELECT id, sla, cycle, due_at - started_at AS within, outcome, version FROM leads_sla WHERE id BETWEEN 20 AND 22 ORDER BY 1, 2, 3;
SELECT id, entry_no, from_stage, stage, version FROM leads_history WHERE id BETWEEN 20 AND 22 ORDER BY 1, 2;
SELECT * FROM align.check('leads');
SELECT align.agree('roads_modes', $$
    stage inquiry, mql held by marketing;
    stage sal held by sales;
    won customer;
    lost disqualified;
    success path inquiry -> mql -> sal -> customer;
    path any -> disqualified;
$$);
UPDATE leads SET stage = 'sal' WHERE id = 21;
SELECT align.agree('roads_modes', $$
    stage inquiry, mql held by marketing;
    stage sal held by sales;
    won customer;
    lost disqualified;
    success path inquiry -> mql -> sal -> customer;
    path any -> disqualified;
$$);
SELECT * FROM align.check('leads');
-- another agreement altogether
SELECT align.agree('roads_modes_2', $$
    stage inquiry, mql held by marketing;
    stage sal held by sales;
    won customer;
    lost disqualified;
    success path inquiry -> mql -> sal -> customer;
    path any -> disqualified;
    sal known as 'SAL';
    sla stay by sales: from sal to customer within 10 days;
$$);
SELECT align.attach('leads', 'roads_modes_2', reason => 'why', replace => true, opened_at => 'now');
UPDATE leads SET stage = 'customer' WHERE id = 20;
UPDATE leads SET stage = 'SAL' WHERE id = 22;
SELECT id, entry_no, event, from_stage, stage, version, source FROM leads_history WHERE id BETWEEN 20 AND 22 ORDER BY 1, 2;
SELECT id, sla, cycle, outcome, version FROM leads_sla WHERE id BETWEEN 20 AND 22 ORDER BY 1, 2, 3;
SELECT * FROM align.check('leads');

-- taken off: nobody minds any more; and back on
SELECT align.detach('leads');
UPDATE leads SET stage = 'customer' WHERE id = 22;
INSERT INTO leads VALUES (30, 'sal');
DELETE FROM leads WHERE id = 20;
SELECT align.attach('leads', 'roads_modes_2', reason => 'why', opened_at => 'now');
SELECT id, entry_no, event, from_stage, stage, version, source FROM leads_history WHERE (id BETWEEN 20 AND 22 AND entry_no > 3) OR id = 30 ORDER BY 1, 2;
SELECT * FROM align.check('leads');

DROP SCHEMA roads_modes CASCADE;
