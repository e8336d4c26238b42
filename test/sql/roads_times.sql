-- When it happened, told by a column: in any order, late, and not at all.
\set VERBOSITY sqlstate
CREATE SCHEMA roads_times;
SET search_path = roads_times;
SET client_min_messages = warning;
SET timezone = 'UTC';
SET intervalstyle = 'postgres';
-- an agreement that was in force before all of this
SELECT align.agree('roads_times', $$
    hours 'Europe/London Mo-Fr 09:00-17:00; Dec 25 off';
    stage inquiry, mql held by marketing;
    stage sal, sql held by sales;
    stage nurture held by marketing;
    won customer;
    lost disqualified;
    entry inquiry, mql;
    success path inquiry -> mql -> sal -> sql -> customer;
    path mql, sal, sql -> nurture -> mql;
    path nurture -> sal;
    path any -> disqualified;
    handoff speed_to_lead: mql from marketing to sales, accept sal, within 4 working hours, warn after 3 working hours;
    sla qualify by sales: from sal to sql, disqualified within 16 working hours, pause nurture;
    sla first_touch by marketing: from inquiry to mql within 2 days;
    sla call_back by sales: from sql to customer, disqualified by end of next working day;
$$);
CREATE TABLE leads (id int PRIMARY KEY, stage text, owner text, changed_at timestamptz);
INSERT INTO leads VALUES (1, 'mql', 'ann', '2024-03-04 16:00');
SELECT align.attach('leads', 'roads_times', assignee => 'owner', changed_at => 'changed_at');
CREATE VIEW trail AS
SELECT id, entry_no AS no, event, CASE WHEN effective_at = recorded_at THEN 'now' ELSE effective_at::text END AS at, from_stage, stage, assignee, source
FROM leads_history ORDER BY id, entry_no;
CREATE VIEW promises AS
SELECT id, sla, cycle, started_at, due_at, warn_at, elapsed, stopped_at, outcome, assignee_at_due AS due, assignee_at_stop AS stop, paused
FROM leads_sla ORDER BY id, sla, cycle;
SELECT * FROM promises;

-- in order: the answer is just in time; a pause over a weekend; the switch to summer time
UPDATE leads SET stage = 'sal', changed_at = '2024-03-05 12:00' WHERE id = 1;
UPDATE leads SET stage = 'nurture', changed_at = '2024-03-07 10:00' WHERE id = 1;
UPDATE leads SET stage = 'sal', changed_at = '2024-03-29 16:00' WHERE id = 1;
UPDATE leads SET stage = 'sql', changed_at = '2024-04-01 15:00:01' WHERE id = 1;
UPDATE leads SET stage = 'customer', changed_at = '2024-04-02 16:00' WHERE id = 1;
SELECT * FROM trail WHERE id = 1;
SELECT * FROM promises WHERE id = 1;
SELECT * FROM align.check('leads');
-- a move that does not say when happens when it is recorded
INSERT INTO leads VALUES (2, 'inquiry', 'ann', '2024-01-08 10:00');
UPDATE leads SET stage = 'mql' WHERE id = 2;
UPDATE leads SET stage = 'sal', changed_at = NULL WHERE id = 2;
SELECT * FROM trail WHERE id = 2;
INSERT INTO leads VALUES (3, 'mql', 'ann', NULL);
SELECT * FROM trail WHERE id = 3;
-- out of order: what was written later happened before
INSERT INTO leads VALUES (4, 'inquiry', 'ann', '2024-05-06 10:00');
UPDATE leads SET stage = 'mql', changed_at = '2024-05-08 10:00' WHERE id = 4;
UPDATE leads SET stage = 'sal', changed_at = '2024-05-07 10:00' WHERE id = 4;
SELECT * FROM trail WHERE id = 4;
SELECT sla, cycle, started_at, due_at, stopped_at, outcome FROM promises WHERE id = 4;
SELECT align.path(lead) FROM align.journeys('leads') WHERE key = '{"id": 4}';
SELECT * FROM align.check('leads');
UPDATE leads SET stage = 'sql', changed_at = '2024-05-06 12:00' WHERE id = 4;
UPDATE leads SET stage = 'disqualified', changed_at = '2024-05-05 12:00' WHERE id = 4;
SELECT * FROM trail WHERE id = 4;
SELECT sla, cycle, started_at, due_at, stopped_at, outcome FROM promises WHERE id = 4;
SELECT * FROM align.check('leads');
-- at one and the same instant: in the order in which it was written
INSERT INTO leads VALUES (5, 'inquiry', 'ann', '2024-05-06 10:00');
UPDATE leads SET stage = 'mql', changed_at = '2024-05-07 10:00' WHERE id = 5;
UPDATE leads SET stage = 'nurture', changed_at = '2024-05-08 10:00' WHERE id = 5;
UPDATE leads SET stage = 'sal', changed_at = '2024-05-07 10:00' WHERE id = 5;
UPDATE leads SET stage = 'sql', changed_at = '2024-05-06 10:00' WHERE id = 5;
SELECT * FROM trail WHERE id = 5;
SELECT sla, cycle, started_at, due_at, stopped_at, outcome FROM promises WHERE id = 5;
SELECT align.path(lead) FROM align.journeys('leads') WHERE key = '{"id": 5}';
SELECT * FROM align.check('leads');
-- a change of hands in between; a deletion does not say when
INSERT INTO leads VALUES (6, 'mql', 'ann', '2024-05-06 10:00');
UPDATE leads SET owner = 'bob', changed_at = '2024-05-06 12:00' WHERE id = 6;
UPDATE leads SET owner = 'eve', changed_at = '2024-05-06 11:00' WHERE id = 6;
UPDATE leads SET owner = 'joe' WHERE id = 6;
UPDATE leads SET stage = 'sal', changed_at = '2024-05-06 14:00:00' WHERE id = 6;
DELETE FROM leads WHERE id = 6;
SELECT * FROM trail WHERE id = 6;
SELECT sla, cycle, started_at, due_at, stopped_at IS NOT NULL AS stopped, outcome, due, stop FROM promises WHERE id = 6;
SELECT * FROM align.check('leads');
-- changed_at alone is no move
UPDATE leads SET changed_at = '2024-01-04' WHERE id = 3;
SELECT count(*) FROM trail WHERE id = 3;
-- refused: never
UPDATE leads SET stage = 'sal', changed_at = 'infinity' WHERE id = 3;
INSERT INTO leads VALUES (7, 'mql', 'ann', '-infinity');
SELECT * FROM align.check('leads');

-- every order of the same changes gives the same clocks
CREATE TABLE changes (no int, stage text, at timestamptz);
INSERT INTO changes VALUES (1, 'inquiry', '2024-06-03 09:00'), (2, 'mql', '2024-06-04 09:00'), (3, 'sal', '2024-06-04 15:00'),
    (4, 'nurture', '2024-06-05 10:00'), (5, 'sql', '2024-06-10 10:00'), (6, 'customer', '2024-06-11 10:00');
CREATE TABLE loose (id int PRIMARY KEY, stage text, at timestamp);
SELECT align.attach('loose', 'roads_times', changed_at => 'at', mode => 'observe');
DO $$
DECLARE
    c record;
BEGIN
    FOR lead IN 1..40 LOOP
        FOR c IN SELECT * FROM changes ORDER BY CASE WHEN lead = 1 THEN no::text WHEN lead = 2 THEN (10 - no)::text ELSE md5(lead || ' ' || no) END LOOP
            INSERT INTO loose VALUES (lead, c.stage, c.at) ON CONFLICT (id) DO UPDATE SET stage = excluded.stage, at = excluded.at;
        END LOOP;
    END LOOP;
END $$;
SELECT align.path(lead), count(*) FROM align.journeys('loose') GROUP BY 1 ORDER BY 1;
SELECT sla, cycle, started_at, due_at, warn_at, elapsed, stopped_at, outcome, paused, version, count(*) FROM loose_sla GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 ORDER BY 1, 2;
SELECT * FROM align.check('loose');

DROP SCHEMA roads_times CASCADE;
