-- A change follows what it replaces, whatever clock its writer had.
CREATE SCHEMA record_dated;
SET search_path = record_dated;
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'postgres';
SELECT align.agree('record_dated', $$
    stage a held by m;
    stage b, c held by s;
    won w;
    success path a -> b -> c -> w;
    path c -> b;
    handoff h: a from m to s, accept b, within 4 hours;
    sla deal by s: from b to c within 4 hours;
    sla close by s: from c to w within 30 days;
$$);
CREATE TABLE leads (id int PRIMARY KEY, stage text, owner text, at timestamptz);
SELECT align.attach('leads', 'record_dated', assignee => 'owner', changed_at => 'at');
CREATE VIEW trail AS
    SELECT id, entry_no AS no, event, stage, assignee, CASE WHEN effective_at = recorded_at THEN 'recorded' ELSE to_char(effective_at, 'MM-DD HH24:MI') END AS at, source, violation
    FROM leads_history ORDER BY id, entry_no;
-- of each lead: the journey ends where the row is, no legal move is filed as illegal, and clocks are those of the journey
CREATE VIEW wrong AS
    SELECT l.id, 'stage' AS what, l.stage, align.current_stage(j.lead) AS other FROM leads AS l, align.journeys('leads') AS j
    WHERE (j.key->>'id')::int = l.id AND l.stage <> align.current_stage(j.lead)
    UNION ALL
    SELECT (j.key->>'id')::int, v.rule, v.from_stage, v.stage FROM align.journeys('leads') AS j, align.violations(j.lead, align.agreed('record_dated')) AS v
    UNION ALL
    SELECT id, 'later than recorded', event, stage FROM leads_history WHERE effective_at > recorded_at
    UNION ALL
    SELECT (key->>'id')::int, problem, recorded, expected FROM align.check('leads');

-- nothing but now(), which is the start of the transaction
INSERT INTO leads VALUES (1, 'a', 'ann', '2025-03-01 09:00');
BEGIN;
UPDATE leads SET stage = 'b' WHERE id = 1;
UPDATE leads SET stage = 'c', at = now() WHERE id = 1;
COMMIT;
SELECT no, event, stage, source FROM trail WHERE id = 1;
SELECT sla, outcome, elapsed FROM leads_sla WHERE id = 1 AND sla = 'deal';
-- a client's clock is ahead: the change is as of when it was recorded, and the next is not before it
INSERT INTO leads VALUES (2, 'a', 'ann', now() + interval '1 hour');
UPDATE leads SET stage = 'b', at = now() + interval '30 minutes' WHERE id = 2;
UPDATE leads SET stage = 'c', at = now() - interval '30 minutes' WHERE id = 2;
UPDATE leads SET stage = 'w', at = '2999-01-01' WHERE id = 2;
SELECT no, event, stage, source FROM trail WHERE id = 2;
-- in the past, in order and not
INSERT INTO leads VALUES (3, 'a', 'ann', '2025-03-02 09:00');
UPDATE leads SET stage = 'b', at = '2025-03-02 12:00' WHERE id = 3;
UPDATE leads SET stage = 'c', at = '2025-03-02 11:00' WHERE id = 3;
UPDATE leads SET stage = 'w', at = '2025-03-02 11:30' WHERE id = 3;
SELECT * FROM trail WHERE id = 3;
SELECT sla, started_at, stopped_at, outcome FROM leads_sla WHERE id = 3 ORDER BY 1;
-- a change of owner without a time of its own does not push the next move
INSERT INTO leads VALUES (4, 'a', 'ann', '2025-03-02 09:00');
UPDATE leads SET owner = 'bob' WHERE id = 4;
UPDATE leads SET stage = 'b', at = '2025-03-02 10:00' WHERE id = 4;
UPDATE leads SET owner = 'cyd', at = '2025-03-02 09:30' WHERE id = 4;
UPDATE leads SET stage = 'c', owner = 'dan', at = '2025-03-02 10:30' WHERE id = 4;
UPDATE leads SET stage = 'b', at = '2025-03-02 10:15' WHERE id = 4;
SELECT * FROM trail WHERE id = 4;
SELECT sla, cycle, assignee_at_start AS at_start, assignee_at_due AS at_due, assignee_at_stop AS at_stop, started_at, stopped_at FROM leads_sla WHERE id = 4 ORDER BY started_at, sla;
-- a row that is deleted and comes back with its old time
INSERT INTO leads VALUES (5, 'a', 'ann', '2025-03-02 09:00');
UPDATE leads SET stage = 'b', at = '2025-03-02 10:00' WHERE id = 5;
DELETE FROM leads WHERE id = 5;
INSERT INTO leads VALUES (5, 'a', 'ann', '2025-03-02 09:00');
UPDATE leads SET stage = 'b', at = '2025-03-02 09:30' WHERE id = 5;
SELECT * FROM trail WHERE id = 5;
DELETE FROM leads WHERE id = 5;
SELECT id, what, stage, other FROM wrong WHERE id <> 5;
SELECT what, stage, other FROM wrong WHERE id = 5;

-- changed_at is the time of a change when it changed, or stands in the SET list
INSERT INTO leads VALUES (6, 'a', 'ann', '2025-03-02 09:00');
UPDATE leads SET stage = 'b', at = at WHERE id = 6;
UPDATE leads SET stage = 'c' WHERE id = 6;
UPDATE leads SET stage = 'b', at = NULL WHERE id = 6;
SELECT * FROM trail WHERE id = 6;
INSERT INTO leads VALUES (6, 'c', 'ann', '2025-03-02 10:00') ON CONFLICT (id) DO UPDATE SET stage = excluded.stage, at = excluded.at;
MERGE INTO leads USING (VALUES (6)) AS v (id) ON leads.id = v.id WHEN MATCHED THEN UPDATE SET stage = 'b';
SELECT no, stage, source FROM trail WHERE id = 6 AND no > 4;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.at := '2025-03-03 09:00'; RETURN new; END $$;
CREATE TRIGGER touch BEFORE UPDATE ON leads FOR EACH ROW EXECUTE FUNCTION touch();
INSERT INTO leads VALUES (7, 'a', 'ann', '2025-03-02 09:00');
UPDATE leads SET stage = 'b' WHERE id = 7;
DROP TRIGGER touch ON leads;
SELECT * FROM trail WHERE id = 7;
SELECT * FROM wrong WHERE id <> 5;

-- the same where rows move between partitions, written by SQL
CREATE TABLE parts (id int, stage text, owner text, at timestamptz, year int, PRIMARY KEY (id, year)) PARTITION BY LIST (year);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
CREATE TABLE parts_2 (at timestamptz, year int NOT NULL, owner text, stage text, id int NOT NULL);
ALTER TABLE parts ATTACH PARTITION parts_2 FOR VALUES IN (2);
SELECT align.attach('parts', 'record_dated', key => '{id}', assignee => 'owner', changed_at => 'at');
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER nothing AFTER INSERT ON parts_history EXECUTE FUNCTION nothing();
INSERT INTO parts VALUES (1, 'a', 'ann', '2025-03-02 09:00', 1);
UPDATE parts SET stage = 'b', year = 2 WHERE id = 1;
UPDATE parts SET stage = 'c', year = 1, at = at WHERE id = 1;
INSERT INTO parts VALUES (2, 'a', 'ann', '2025-03-02 09:00', 1);
UPDATE parts SET owner = 'bob' WHERE id = 2;
UPDATE parts SET stage = 'b', year = 2, at = '2025-03-02 10:00' WHERE id = 2;
UPDATE parts SET stage = 'c', at = '2025-03-02 09:45' WHERE id = 2;
UPDATE parts SET owner = 'cyd', year = 1, at = '2025-03-02 09:55' WHERE id = 2;
SELECT id, entry_no AS no, event, stage, assignee, effective_at = recorded_at AS when_recorded, source FROM parts_history ORDER BY 1, 2;
SELECT id, sla, assignee_at_start, assignee_at_due, assignee_at_stop, outcome FROM parts_sla WHERE id = 2 ORDER BY sla;
SELECT * FROM align.check('parts');

-- what an earlier version recorded out of order stands, and is read as it was then
ALTER TABLE leads_history DISABLE TRIGGER align_append_only;
ALTER TABLE leads_sla DISABLE TRIGGER align_append_only;
INSERT INTO leads VALUES (8, 'a', 'ann', '2025-03-02 09:00');
UPDATE leads SET stage = 'b', at = '2025-03-02 12:00' WHERE id = 8;
UPDATE leads SET stage = 'c', at = '2025-03-02 13:00' WHERE id = 8;
UPDATE leads_history SET effective_at = '2025-03-02 11:00', source = 'backfill' WHERE id = 8 AND entry_no = 3;
ALTER TABLE leads_history ENABLE TRIGGER align_append_only;
ALTER TABLE leads_sla ENABLE TRIGGER align_append_only;
SELECT count(*) > 0 AS clocks_differ FROM align.check('leads') WHERE problem ~ 'clock';
SELECT align.rebuild_clocks('leads') > 0 AS rebuilt;
SELECT * FROM align.check('leads');
SELECT align.path(lead) FROM align.journeys('leads', 8);
UPDATE leads SET stage = 'w', at = '2025-03-02 11:30' WHERE id = 8;
SELECT * FROM trail WHERE id = 8;
SELECT sla, started_at, stopped_at, outcome FROM leads_sla WHERE id = 8 ORDER BY 1;
SELECT * FROM align.check('leads');
-- check() compares the end of the journey with the row
ALTER TABLE leads_history DISABLE TRIGGER align_append_only;
UPDATE leads_history SET effective_at = '2025-03-02 14:00' WHERE id = 3 AND entry_no = 2;
ALTER TABLE leads_history ENABLE TRIGGER align_append_only;
SELECT key, problem, recorded, expected FROM align.check('leads') WHERE problem !~ 'clock';

DROP SCHEMA record_dated CASCADE;
