-- Rows that are not live are no leads, by whatever statement they come or change.
CREATE SCHEMA record_live;
SET search_path = record_live;
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'postgres';
\set VERBOSITY terse
SELECT align.agree('record_live', $$
    stage a, q held by m;
    stage b, p held by s;
    won w;
    lost l;
    entry a;
    success path a -> q -> b -> w;
    path b -> p -> b;
    path any -> l;
    handoff h: q from m to s, accept b, within 4 hours;
    sla deal by s: from b to w, l within 10 days, pause p;
$$);
CREATE TABLE leads (id int PRIMARY KEY, stage text, pipeline text DEFAULT 'sales', owner text, at timestamptz);
SELECT align.attach('leads', 'record_live', assignee => 'owner', changed_at => 'at', live => $$pipeline = 'sales'$$);
CREATE VIEW trail AS
    SELECT id, entry_no AS no, event, from_stage, stage, assignee, CASE WHEN effective_at = recorded_at THEN 'recorded' ELSE to_char(effective_at, 'MM-DD HH24:MI') END AS at, source, violation
    FROM leads_history ORDER BY id, entry_no;
CREATE VIEW clocks AS
    SELECT id, sla, cycle, started_at, due_at, paused, elapsed, outcome, assignee_at_due AS due, assignee_at_stop AS stop FROM leads_sla ORDER BY id, sla, cycle;

-- every kind of statement
INSERT INTO leads VALUES (1, 'up_for_renewal', 'renewals'), (2, 'w', 'renewals'), (3, 'a', NULL), (4, 'b', 'renewals');
COPY leads (id, stage, pipeline) FROM stdin;
5	nonsense	renewals
\.
INSERT INTO leads VALUES (1, 'w', 'renewals') ON CONFLICT (id) DO UPDATE SET stage = excluded.stage;
UPDATE leads SET stage = 'renewed', owner = 'ann' WHERE id = 2;
UPDATE leads SET stage = NULL WHERE id = 5;
UPDATE leads SET id = id + 100 WHERE id IN (4, 5);
MERGE INTO leads USING (VALUES (3)) AS v (id) ON leads.id = v.id WHEN MATCHED THEN UPDATE SET stage = 'w';
DELETE FROM leads WHERE id = 1;
WITH gone AS (DELETE FROM leads WHERE id = 2 RETURNING *) INSERT INTO leads SELECT 200, 'renewed', pipeline FROM gone;
TRUNCATE leads;
SELECT count(*) FROM leads_history;
SELECT count(*) FROM leads_sla;
SELECT * FROM align.check('leads');

-- one that begins to be live enters
INSERT INTO leads VALUES (10, 'a', 'renewals'), (11, 'w', 'renewals'), (12, 'nonsense', 'renewals'), (13, NULL, 'renewals');
UPDATE leads SET pipeline = 'sales' WHERE id = 10;
UPDATE leads SET pipeline = 'sales' WHERE id = 11;
UPDATE leads SET pipeline = 'sales' WHERE id = 12;
UPDATE leads SET pipeline = 'sales', stage = 'a' WHERE id = 12;
UPDATE leads SET pipeline = 'sales' WHERE id = 13;
UPDATE leads SET stage = 'a' WHERE id = 13;
SELECT id, no, event, stage, source FROM trail;
SELECT * FROM align.check('leads');

-- one that comes back to life resumes its clocks: archiving buys no time
INSERT INTO leads VALUES (20, 'a', 'sales', 'ann', '2025-03-02 08:00');
UPDATE leads SET stage = 'q', at = '2025-03-02 09:00' WHERE id = 20;
UPDATE leads SET pipeline = 'archive', at = '2025-03-02 10:00' WHERE id = 20;
SELECT id, sla, cycle, started_at, due_at, outcome, due, stop FROM clocks WHERE id = 20;
UPDATE leads SET pipeline = 'sales', at = '2025-03-02 20:00' WHERE id = 20;
SELECT id, sla, cycle, started_at, due_at, outcome FROM clocks WHERE id = 20;
SELECT key, sla, state FROM align.clocks('leads') WHERE key = '{"id": 20}';
SELECT * FROM align.check('leads');
UPDATE leads SET stage = 'b', owner = 'bob' WHERE id = 20;
SELECT id, no, event, from_stage, stage, assignee, source FROM trail WHERE id = 20;
SELECT id, sla, cycle, outcome, due, stop FROM clocks WHERE id = 20;
-- several times, in one transaction, in one statement each, and paused
BEGIN;
UPDATE leads SET stage = 'p' WHERE id = 20;
UPDATE leads SET pipeline = 'archive' WHERE id = 20;
UPDATE leads SET owner = 'cyd' WHERE id = 20;
UPDATE leads SET pipeline = 'sales' WHERE id = 20;
UPDATE leads SET pipeline = 'archive' WHERE id = 20;
UPDATE leads SET pipeline = 'sales' WHERE id = 20;
COMMIT;
SELECT id, sla, cycle, outcome, multirange(range_merge(paused)) = paused AND upper_inf(paused) AS paused, due FROM clocks WHERE id = 20;
SELECT * FROM align.check('leads');
UPDATE leads SET stage = 'b' WHERE id = 20;
SELECT id, sla, cycle, outcome, upper_inf(paused) AS paused FROM clocks WHERE id = 20;
SELECT * FROM align.check('leads');
-- rebuilt, they are the same
CREATE TABLE before AS TABLE leads_sla;
SELECT align.rebuild_clocks('leads') > 0 AS rebuilt;
TABLE before EXCEPT TABLE leads_sla;
TABLE leads_sla EXCEPT TABLE before;

-- where it stands when it comes back is judged as a move from where it was
INSERT INTO leads VALUES (30, 'a');
UPDATE leads SET stage = 'q' WHERE id = 30;
UPDATE leads SET pipeline = 'archive', stage = 'w' WHERE id = 30;
UPDATE leads SET pipeline = 'sales' WHERE id = 30;
UPDATE leads SET pipeline = 'sales', stage = 'b' WHERE id = 30;
SELECT id, no, event, from_stage, stage, source FROM trail WHERE id = 30;
SELECT id, sla, cycle, outcome FROM clocks WHERE id = 30;
SELECT v.* FROM align.journeys('leads', 30) AS j, align.violations(j.lead, align.agreed('record_live')) AS v;
-- its key follows, and deletion is the end
UPDATE leads SET pipeline = 'archive' WHERE id = 30;
UPDATE leads SET id = 31 WHERE id = 30;
UPDATE leads SET pipeline = 'sales' WHERE id = 31;
SELECT id, no, event, from_stage, stage, source FROM trail WHERE id IN (30, 31);
SELECT id, sla, cycle, outcome FROM clocks WHERE id IN (30, 31);
UPDATE leads SET pipeline = 'archive' WHERE id = 31;
DELETE FROM leads WHERE id = 31;
INSERT INTO leads VALUES (31, 'a');
SELECT id, no, event, from_stage, stage, source FROM trail WHERE id = 31 AND no > 6;
UPDATE leads SET stage = NULL WHERE id = 31;
DELETE FROM leads WHERE id = 31;
INSERT INTO leads VALUES (31, 'a');
SELECT * FROM align.check('leads');

-- changes within triggers of the statement
CREATE FUNCTION back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE leads SET stage = 'w' WHERE id = new.id;
    UPDATE leads SET pipeline = 'sales', stage = 'b' WHERE id = new.id;
    RETURN NULL;
END $$;
CREATE TRIGGER aaa AFTER UPDATE OF pipeline ON leads FOR EACH ROW WHEN (new.pipeline = 'once') EXECUTE FUNCTION back();
CREATE TRIGGER zzz AFTER UPDATE OF owner ON leads FOR EACH ROW WHEN (new.pipeline = 'twice') EXECUTE FUNCTION back();
INSERT INTO leads SELECT i, 'a' FROM generate_series(41, 44) AS i;
UPDATE leads SET stage = 'q' WHERE id > 40;
UPDATE leads SET pipeline = 'once' WHERE id IN (41, 42);
UPDATE leads SET pipeline = 'twice', owner = 'ann' WHERE id IN (43, 44);
SELECT id, string_agg(event || '(' || coalesce(from_stage, '') || '>' || coalesce(stage, '') || ')', ', ' ORDER BY no) FROM trail WHERE id > 40 GROUP BY id ORDER BY id;
SELECT id, sla, cycle, outcome FROM clocks WHERE id > 40;
SELECT * FROM align.check('leads');
DROP TRIGGER aaa ON leads;
DROP TRIGGER zzz ON leads;

-- what an earlier version recorded of rows that were not live is read as it was then
ALTER TABLE leads_history DISABLE TRIGGER align_append_only;
ALTER TABLE leads_sla DISABLE TRIGGER align_append_only;
INSERT INTO leads VALUES (50, 'a', 'sales', NULL, '2025-03-02 08:00');
UPDATE leads SET stage = 'q', at = '2025-03-02 09:00' WHERE id = 50;
UPDATE leads SET pipeline = 'archive' WHERE id = 50;
UPDATE leads SET pipeline = 'sales' WHERE id = 50;
UPDATE leads_history SET source = 'live' WHERE id = 50 AND entry_no = 4;
SELECT align.rebuild_clocks('leads') > 0 AS rebuilt;
SELECT id, sla, cycle, outcome FROM clocks WHERE id = 50;
SELECT * FROM align.check('leads');
UPDATE leads SET pipeline = 'archive' WHERE id = 50;
INSERT INTO leads_history SELECT id, 6, 'move', now(), clock_timestamp(), 'q', 'b', from_team, team, assignee, actor, db_role, reason, note, campaign, amount, agreement, version, violation, 'not live' FROM leads_history WHERE id = 50 AND entry_no = 5;
UPDATE leads SET stage = 'b' WHERE id = 50;
SELECT * FROM align.check('leads');
UPDATE leads SET pipeline = 'sales', stage = 'a' WHERE id = 50;
SELECT id, no, event, from_stage, stage, source FROM trail WHERE id = 50;
SELECT * FROM align.check('leads');

-- A row that is archived later than its promise was due, by the time that the application gives,
-- has missed it; one that was archived before has not, however late that is recorded.
CREATE TABLE archived (id int PRIMARY KEY, stage text, gone boolean DEFAULT false, at timestamptz);
SELECT align.agree('record_archived', 'stage new held by sales; won done; success path new -> done; sla s by sales: from new to done within 2 days;');
SELECT align.attach('archived', 'record_archived', changed_at => 'at', live => 'NOT gone');
INSERT INTO archived VALUES (1, 'new', false, '2025-01-01Z'), (2, 'new', false, '2025-01-01Z'), (3, 'new', false, '2025-01-01Z');
UPDATE archived SET gone = true, at = CASE id WHEN 1 THEN timestamptz '2025-01-02Z' ELSE '2025-01-04Z' END WHERE id < 3;
UPDATE archived SET gone = true WHERE id = 3;
UPDATE archived SET gone = false, at = '2025-01-02 12:00Z' WHERE id = 1;
UPDATE archived SET gone = true, at = '2025-01-02 18:00Z' WHERE id = 1;
SELECT id, event, CASE WHEN effective_at < '2025-02-01' THEN effective_at AT TIME ZONE 'UTC' END AS at, source FROM archived_history ORDER BY id, entry_no;
SELECT id, CASE WHEN stopped_at < '2025-02-01' THEN stopped_at AT TIME ZONE 'UTC' END AS stopped_at, outcome FROM archived_sla ORDER BY id;
SELECT key, sla FROM align.clocks('archived', '2025-01-02 06:00Z') ORDER BY 1;
SELECT * FROM align.check('archived');

DROP SCHEMA record_live CASCADE;
