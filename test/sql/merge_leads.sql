-- merge_leads(): the journey of a duplicate joins that of the lead that stays.
SET timezone = 'UTC';
CREATE SCHEMA merge;
SET search_path = merge, public;
SELECT align.agree('merge', $$
    stage inquiry, mql held by marketing;
    stage sal, sql held by sales;
    stage nurture held by marketing;
    won customer;
    lost disqualified;
    entry inquiry, mql;
    success path inquiry -> mql -> sal -> sql -> customer;
    path mql, sal -> nurture -> mql;
    path any -> disqualified;
    handoff speed_to_lead: mql from marketing to sales, accept sal, reject disqualified, within 4 hours, warn after 3 hours;
    sla qualify by sales: from sal to sql, disqualified within 2 days, pause nurture;
    sla first_touch by marketing: from inquiry to mql, customer, disqualified within 2 days;
$$);
CREATE TABLE leads (id bigint PRIMARY KEY, status text, owner text, changed_at timestamptz, gone boolean NOT NULL DEFAULT false);
SELECT align.attach('leads', 'merge', stage => 'status', assignee => 'owner', changed_at => 'changed_at', live => 'NOT gone');

CREATE VIEW record AS
SELECT id, entry_no AS no, event, CASE WHEN event IN ('rekey', 'deleted') THEN 'then' ELSE to_char(effective_at, 'MM-DD HH24:MI') END AS effective, from_stage, stage, team, assignee, violation, source, handoff, note
FROM leads_history;
CREATE VIEW clock AS
SELECT id, sla, cycle, assignee_at_start AS "start", assignee_at_due AS due, assignee_at_stop AS stop, to_char(started_at, 'MM-DD HH24:MI') AS started_at, to_char(due_at, 'MM-DD HH24:MI') AS due_at,
       elapsed, outcome
FROM leads_sla;
-- What must hold whatever is merged.
CREATE FUNCTION sound() RETURNS TABLE (problem text) LANGUAGE sql AS $$
    SELECT format('%s: %s, %s for %s', key, problem, recorded, expected) FROM align.check('leads')
    UNION ALL
    SELECT 'recorded_at' FROM (SELECT recorded_at - lag(recorded_at) OVER (PARTITION BY id ORDER BY entry_no) AS apart FROM leads_history) h WHERE apart <= '0'
    UNION ALL
    SELECT 'entry_no' FROM leads_history GROUP BY id HAVING min(entry_no) <> 1 OR max(entry_no) <> count(*)
$$;

-- The duplicate came first, and was left behind.
INSERT INTO leads VALUES (7, 'inquiry', 'mia', '2024-03-02 09:00Z'), (42, 'inquiry', 'ann', '2024-03-03 09:00Z');
UPDATE leads SET status = 'mql', changed_at = '2024-03-03 12:00Z' WHERE id = 42;
UPDATE leads SET status = 'sal', owner = 'sam', changed_at = '2024-03-03 13:00Z' WHERE id = 42;
SELECT * FROM clock ORDER BY id, sla COLLATE "C", cycle;
SELECT align.merge_leads('leads', 7, 42);
SELECT * FROM record ORDER BY id, no;
SELECT * FROM clock ORDER BY id, sla COLLATE "C", cycle;
SELECT recorded_at > now() - interval '1 hour' AS recorded_now, effective_at = recorded_at AS effective_when_recorded, db_role = current_user AS by_me, agreement, version
FROM leads_history WHERE event = 'rekey' ORDER BY id;
SELECT key, align.path(j.lead) FROM align.journeys('leads') j;
SELECT * FROM sound();

-- Both go on; then the duplicate is deleted.
UPDATE leads SET status = 'sql', changed_at = '2024-03-05 12:00Z' WHERE id = 42;
UPDATE leads SET status = 'mql', changed_at = '2024-03-06 09:00Z' WHERE id = 7;
SELECT * FROM sound();
DELETE FROM leads WHERE id = 7;
SELECT no, event, from_stage, stage, note FROM record WHERE id = 7 ORDER BY no;
SELECT * FROM sound();

-- A duplicate that was deleted before it was merged, and one that had been merged
-- into it.
INSERT INTO leads VALUES (8, 'mql', 'mia', '2024-03-10 09:00Z'), (9, 'inquiry', 'mia', '2024-03-11 09:00Z'), (43, 'inquiry', 'ann', '2024-03-12 09:00Z');
SELECT align.merge_leads('leads', 9, 8);
DELETE FROM leads WHERE id IN (8, 9);
SELECT align.merge_leads('leads', '8'::text, 43::smallint);
SELECT no, event, effective, from_stage, stage, source, note FROM record WHERE id IN (8, 43) AND event <> 'deleted' ORDER BY id, no;
SELECT count(*) FROM clock WHERE id = 8;
SELECT sla, cycle, started_at, due_at, outcome FROM clock WHERE id = 43 ORDER BY sla COLLATE "C", cycle;
SELECT * FROM sound();

-- The duplicate was moved last, by somebody else: the journey ends where the row stands.
INSERT INTO leads VALUES (10, 'mql', 'mia', '2024-03-10 09:00Z'), (44, 'mql', 'ann', '2024-03-10 09:30Z');
UPDATE leads SET status = 'sal', owner = 'sue', changed_at = '2024-03-10 10:00Z' WHERE id = 10;
SELECT align.merge_leads('leads', 10, 44);
SELECT no, event, effective, from_stage, stage, team, assignee, source FROM record WHERE id = 44 ORDER BY no;
SELECT sla, cycle, "start", due, stop, started_at, outcome FROM clock WHERE id = 44 ORDER BY sla COLLATE "C", cycle;
SELECT * FROM sound();
UPDATE leads SET owner = 'bob', changed_at = '2024-03-10 11:00Z' WHERE id = 44;
UPDATE leads SET status = 'sal', changed_at = '2024-03-10 12:00Z' WHERE id = 44;
SELECT sla, cycle, "start", due, stop, started_at, outcome FROM clock WHERE id = 44 ORDER BY sla COLLATE "C", cycle;
SELECT key, align.path(j.lead) FROM align.journeys('leads') j WHERE key = '{"id": 44}';
SELECT * FROM sound();
-- in the same stage, but held by somebody else
INSERT INTO leads VALUES (11, 'inquiry', 'mia', '2024-03-11 09:00Z'), (45, 'inquiry', 'ann', '2024-03-10 09:30Z');
SELECT align.merge_leads('leads', 11, 45);
UPDATE leads SET status = 'mql', changed_at = '2024-03-11 12:00Z' WHERE id = 45;
SELECT sla, cycle, "start", due, stop, outcome FROM clock WHERE id = 45 ORDER BY sla COLLATE "C", cycle;
SELECT * FROM sound();

-- A backfill after the merge.
UPDATE leads SET status = 'sal', changed_at = '2024-03-11 11:30Z' WHERE id = 45;
SELECT no, event, effective, from_stage, stage, source FROM record WHERE id = 45 ORDER BY no;
SELECT * FROM sound();

-- What was announced of a clock stays announced, though its number changes.
INSERT INTO leads VALUES (12, 'mql', 'mia', '2024-03-01 09:00Z'), (46, 'mql', 'ann', '2024-03-10 09:30Z');
UPDATE leads SET status = 'sal', changed_at = '2024-03-01 10:00Z' WHERE id = 12;
UPDATE leads SET status = 'sql', changed_at = '2024-03-01 11:00Z' WHERE id = 12;
SELECT align.notify_due('leads') > 0;
SELECT align.merge_leads('leads', 12, 46);
SELECT sla, cycle, started_at, outcome FROM clock WHERE id = 46 ORDER BY sla COLLATE "C", cycle;
SELECT align.notify_due('leads');
SELECT * FROM sound();

-- Announced at last under the key that stays.
SELECT id, entry_no FROM leads_history WHERE handoff IS NOT NULL AND notified_at IS NULL AND id = 46 ORDER BY entry_no;

-- Rows that are not live: what happened to them then has no effect, merged or not.
INSERT INTO leads VALUES (13, 'inquiry', 'mia', '2024-03-01 09:00Z'), (47, 'inquiry', 'ann', '2024-03-01 09:30Z');
UPDATE leads SET gone = true, changed_at = '2024-03-01 10:00Z' WHERE id = 13;
UPDATE leads SET status = 'mql', changed_at = '2024-03-01 11:00Z' WHERE id = 13;
SELECT align.merge_leads('leads', 13, 47);
SELECT id, no, event, effective, stage, source, note FROM record WHERE id IN (13, 47) ORDER BY id, no;
SELECT id, sla, cycle, outcome FROM clock WHERE id IN (13, 47) ORDER BY sla COLLATE "C", cycle;
SELECT key, align.path(j.lead) FROM align.journeys('leads') j WHERE key IN ('{"id": 13}', '{"id": 47}');
SELECT * FROM sound();

-- Refused.
\set VERBOSITY default
SELECT align.merge_leads('leads', 42, 42);
SELECT align.merge_leads('leads', 42, 999);
SELECT align.merge_leads('leads', 999, 42);
INSERT INTO leads VALUES (50, NULL, 'ann', NULL), (51, 'inquiry', 'ann', '2024-03-01 09:00Z');
SELECT align.merge_leads('leads', 42, 50);
UPDATE leads SET gone = true WHERE id = 51;
SELECT align.merge_leads('leads', 42, 51);
SELECT align.merge_leads('leads', NULL::bigint, 42);
SELECT align.merge_leads('leads', 'x', 42);
SELECT align.merge_leads(NULL, 7, 42);
SELECT align.merge_leads('pg_class', 7, 42);
CREATE ROLE merge_stranger;
GRANT USAGE ON SCHEMA merge TO merge_stranger;
GRANT ALL ON leads, leads_history, leads_sla TO merge_stranger;
SET ROLE merge_stranger;
SELECT align.merge_leads('leads', 43, 42);
RESET ROLE;
REVOKE ALL ON leads_history, leads_sla FROM merge_stranger;
BEGIN READ ONLY;
SELECT align.merge_leads('leads', 43, 42);
ROLLBACK;
SELECT * FROM sound();

-- A key of two columns whose names collide with align's, a partitioned table, a table without changed_at.
CREATE TABLE parts (entry_no int, "event" varchar(10), stage text, PRIMARY KEY (entry_no, "event")) PARTITION BY LIST ("event");
CREATE TABLE parts_a PARTITION OF parts FOR VALUES IN ('a');
CREATE TABLE parts_b PARTITION OF parts FOR VALUES IN ('b');
SELECT align.attach('parts', 'merge');
INSERT INTO parts VALUES (1, 'a', 'inquiry'), (1, 'b', 'mql'), (2, 'b', 'inquiry');
SELECT align.merge_leads('parts', ROW(1, 'a'), ROW(1, 'b'));
SELECT align.merge_leads('parts_a', '{"event": "b", "entry_no": 2}'::jsonb, '{"event": "b", "entry_no": 1}'::jsonb);
SELECT key_entry_no, key_event, entry_no, event, stage, source, note FROM parts_history ORDER BY 1, 2, 3;
SELECT * FROM align.check('parts');

RESET search_path;
SET client_min_messages = warning;
DROP SCHEMA merge CASCADE;
DROP ROLE merge_stranger;
