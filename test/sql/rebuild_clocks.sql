-- rebuild_clocks(): the clocks of all leads as they follow from the history.  It repairs
-- what check() reports of clocks, and changes nothing where there is nothing to repair.
SET timezone = 'UTC';
SET datestyle = ISO;
SET intervalstyle = postgres;
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE ROLE regress_align_crm;
CREATE ROLE regress_align_clerk IN ROLE regress_align_crm;
CREATE ROLE regress_align_reader;
CREATE SCHEMA rebuild_clocks;
GRANT ALL ON SCHEMA rebuild_clocks TO PUBLIC;
SET search_path = rebuild_clocks;
SET ROLE regress_align_crm;
SELECT align.agree('rebuild_clocks', $$
    hours 'Europe/London Mo-Fr 09:00-17:00';
    stage inquiry, mql held by marketing;
    stage sal, nurture held by sales;
    won customer;
    lost disqualified;
    entry inquiry, mql, sal;
    success path inquiry -> mql -> sal -> customer;
    path sal -> nurture -> sal;
    path sal -> mql;
    path any -> disqualified;
    handoff speed: mql from marketing to sales, accept sal, reject disqualified, within 4 working hours, warn after 2 working hours;
    sla follow_up by sales: from sal to customer, disqualified within 10 days, pause nurture;
$$);
CREATE TABLE leads (region text, id int, stage text, owner text, changed_at timestamptz, gone boolean, PRIMARY KEY (region, id)) PARTITION BY LIST (region);
CREATE TABLE leads_eu PARTITION OF leads FOR VALUES IN ('eu');
CREATE TABLE leads_us PARTITION OF leads FOR VALUES IN ('us');
INSERT INTO leads VALUES ('eu', 1, 'mql', 'ann', '2025-03-03 10:00+00'), ('us', 1, 'inquiry', 'ann', '2025-03-03 10:00+00');
SELECT align.attach('leads', 'rebuild_clocks', assignee => 'owner', changed_at => 'changed_at', live => 'gone IS NOT TRUE');
-- more leads than are computed at a time
INSERT INTO leads SELECT r, i, 'inquiry', 'ann', '2025-03-03 10:00+00' FROM unnest('{eu,us}'::text[]) AS r, generate_series(2, 700) AS i;
UPDATE leads SET stage = 'mql', changed_at = '2025-03-03 11:00+00' WHERE id BETWEEN 2 AND 699;
UPDATE leads SET stage = 'sal', owner = 'bob', changed_at = '2025-03-03 13:00+00' WHERE id BETWEEN 2 AND 400;
UPDATE leads SET stage = 'nurture', changed_at = '2025-03-05 13:00+00' WHERE id BETWEEN 2 AND 9;
UPDATE leads SET stage = 'sal', owner = 'cyd', changed_at = '2025-03-07 13:00+00' WHERE id BETWEEN 2 AND 5;
UPDATE leads SET stage = 'customer', changed_at = '2025-03-08 13:00+00' WHERE id = 3;
-- a second cycle, an entry dated back, one life after another, another key, a merger
UPDATE leads SET stage = 'mql', changed_at = '2025-03-10 13:00+00' WHERE id IN (20, 21);
UPDATE leads SET owner = 'dan', changed_at = '2025-03-04 09:00+00' WHERE id = 21;
UPDATE leads SET gone = true WHERE id = 22;
DELETE FROM leads WHERE id = 23;
INSERT INTO leads VALUES ('eu', 23, 'mql', 'eve', '2025-03-20 10:00+00');
UPDATE leads SET region = 'us', id = 1024 WHERE (region, id) = ('eu', 24);
SELECT align.merge_leads('leads', ROW('eu', 25), ROW('eu', 26)) > 0 AS merged;
-- some clocks run under another version
SELECT align.agree('rebuild_clocks', replace(document, '4 working hours, warn after 2', '8 working hours, warn after 3')) FROM align.agreements WHERE name = 'rebuild_clocks';
UPDATE leads SET stage = 'mql', changed_at = '2025-03-11 13:00+00' WHERE id = 30;
INSERT INTO leads VALUES ('us', 2000, 'mql', 'ann', '2025-03-03 10:00+00');
-- what is overdue or at risk is announced
SELECT align.notify_due('leads') > 0 AS announced;
SELECT * FROM align.check('leads');
CREATE TABLE as_it_was AS TABLE leads_sla;
CREATE FUNCTION differences() RETURNS TABLE (what text, n bigint) LANGUAGE sql AS $$
    SELECT 'lost', count(*) FROM (TABLE as_it_was EXCEPT ALL TABLE leads_sla) AS t
    UNION ALL SELECT 'new', count(*) FROM (TABLE leads_sla EXCEPT ALL TABLE as_it_was) AS t
    UNION ALL SELECT 'check ' || problem, count(*) FROM align.check('leads') GROUP BY 1
$$;
SELECT count(*), count(*) FILTER (WHERE outcome IS NULL) AS open, count(*) FILTER (WHERE due_notified_at IS NOT NULL) AS announced,
    count(*) FILTER (WHERE version = 2) AS version_2, count(*) FILTER (WHERE cycle > 1) AS later_cycles, count(*) FILTER (WHERE paused <> '{}') AS paused FROM leads_sla;

-- nothing to repair; also for a partition, by a member of the owner, twice, by a superuser
SELECT align.rebuild_clocks('leads') - (SELECT count(*) FROM leads_sla) AS more;
SELECT * FROM differences();
SELECT align.rebuild_clocks('leads_us') - (SELECT count(*) FROM leads_sla) AS more;
SET ROLE regress_align_clerk;
SELECT align.rebuild_clocks('rebuild_clocks.leads') - (SELECT count(*) FROM leads_sla) AS more;
RESET ROLE;
SELECT align.rebuild_clocks('leads') - (SELECT count(*) FROM leads_sla) AS more;
SELECT * FROM differences();

-- Clocks as other rules of a time zone would have made them, and worse.  What was
-- announced stays so; of a clock that was gone, nothing is known.
SET ROLE regress_align_crm;
BEGIN;
ALTER TABLE leads_sla DISABLE TRIGGER USER;
UPDATE leads_sla SET due_at = due_at + interval '1 hour', warn_at = warn_at + interval '1 hour' WHERE stopped_at IS NULL;
UPDATE leads_sla SET elapsed = elapsed - interval '1 hour', outcome = 'missed' WHERE outcome = 'met' AND id % 2 = 0;
UPDATE leads_sla SET assignee_at_due = 'eve', assignee_at_start = NULL, assignee_at_stop = 'eve' WHERE id = 40;
UPDATE leads_sla SET outcome = NULL, stopped_at = NULL, elapsed = NULL WHERE id = 41 AND sla = 'speed';
UPDATE leads_sla SET started_at = started_at - interval '1 hour', version = 1, team = 'others' WHERE id = 30 AND cycle = 2;
UPDATE leads_sla SET cycle = cycle + 10 WHERE id = 20 AND cycle = 2;
UPDATE leads_sla SET paused = '{}' WHERE id = 4;
ALTER TABLE leads_sla ENABLE TRIGGER USER;
SELECT count(*) > 1000 AS many FROM align.check('leads') WHERE problem = 'clock';
SELECT align.rebuild_clocks('leads') - (SELECT count(*) FROM as_it_was) AS more;
SELECT * FROM differences();
ROLLBACK;
BEGIN;
ALTER TABLE leads_sla DISABLE TRIGGER USER;
DELETE FROM leads_sla WHERE id BETWEEN 2 AND 10;
INSERT INTO leads_sla (region, id, sla, cycle, team, started_at, due_at, paused, agreement, version)
    SELECT 'eu', 700, 'speed', i, 'sales', '2025-03-03', '2025-03-04', '{}', 'rebuild_clocks', 1 FROM generate_series(1, 3) AS i;
ALTER TABLE leads_sla ENABLE TRIGGER USER;
SELECT problem, count(*) FROM align.check('leads') GROUP BY 1 ORDER BY 1;
SELECT align.rebuild_clocks('leads') - (SELECT count(*) FROM as_it_was) AS more;
SELECT * FROM align.check('leads');
SELECT a.id BETWEEN 2 AND 10 AS was_gone, count(*), count(*) FILTER (WHERE b.due_notified_at IS NULL) AS to_be_announced, count(*) FILTER (WHERE a.due_at = b.due_at) AS equal
FROM as_it_was AS a JOIN leads_sla AS b USING (region, id, sla, cycle) WHERE a.due_notified_at IS NOT NULL GROUP BY 1 ORDER BY 1;
ROLLBACK;
-- all gone
BEGIN;
ALTER TABLE leads_sla DISABLE TRIGGER USER;
DELETE FROM leads_sla;
ALTER TABLE leads_sla ENABLE TRIGGER USER;
SELECT align.rebuild_clocks('leads') - (SELECT count(*) FROM as_it_was) AS more;
SELECT * FROM align.check('leads');
ROLLBACK;

-- A history that was repaired: the handoff of two leads came later, one was never
-- submitted, and one ended.
CREATE VIEW seen AS SELECT region, id, sla, cycle, team, assignee_at_start AS started, assignee_at_due AS due, started_at, due_at, stopped_at, outcome, elapsed,
    warn_notified_at IS NOT NULL AS warned, due_notified_at IS NOT NULL AS announced, version FROM leads_sla;
SELECT * FROM seen WHERE id IN (20, 50, 51, 500) AND region = 'eu' ORDER BY region, id, sla, cycle;
BEGIN;
ALTER TABLE leads_history DISABLE TRIGGER USER;
UPDATE leads_history SET effective_at = '2025-03-03 12:00+00', assignee = 'fay' WHERE id IN (20, 50, 500) AND stage = 'mql' AND entry_no = 2;
UPDATE leads_history SET stage = 'disqualified' WHERE id = 51 AND stage = 'sal';
ALTER TABLE leads_history ENABLE TRIGGER USER;
SELECT problem, count(*) FROM align.check('leads') WHERE problem LIKE '%clock%' GROUP BY 1 ORDER BY 1;
SELECT align.rebuild_clocks('leads') - (SELECT count(*) FROM as_it_was) AS more;
SELECT count(*) FROM align.check('leads') WHERE problem LIKE '%clock%';
SELECT * FROM seen WHERE id IN (20, 50, 51, 500) AND region = 'eu' ORDER BY region, id, sla, cycle;
SELECT align.notify_due('leads');
ROLLBACK;

-- Changes of the transaction that are not written yet count.
BEGIN;
ALTER TABLE leads_sla DISABLE TRIGGER USER;
UPDATE leads_sla SET due_at = '2030-01-01' WHERE id = 100;
ALTER TABLE leads_sla ENABLE TRIGGER USER;
UPDATE leads SET stage = 'mql', changed_at = '2025-03-12 09:00+00' WHERE id = 100;
SELECT align.rebuild_clocks('leads') - (SELECT count(*) FROM as_it_was) AS more;
UPDATE leads SET stage = 'sal', changed_at = '2025-03-12 10:00+00' WHERE id = 100;
SELECT * FROM align.check('leads');
SELECT * FROM seen WHERE (region, id) = ('eu', 100) ORDER BY sla, cycle;
ROLLBACK;
-- from a function that runs between a statement and its triggers
CREATE FUNCTION rebuild() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE WARNING 'rebuilt: % more', align.rebuild_clocks('rebuild_clocks.leads') - (SELECT count(*) FROM rebuild_clocks.as_it_was);
    RETURN NULL;
END $$;
BEGIN;
CREATE TRIGGER a_first AFTER UPDATE ON leads FOR EACH STATEMENT EXECUTE FUNCTION rebuild();
UPDATE leads SET stage = 'mql', changed_at = '2025-03-12 09:00+00' WHERE id = 100;
UPDATE leads SET stage = 'sal', changed_at = '2025-03-12 10:00+00' WHERE id = 100;
SELECT * FROM align.check('leads');
ROLLBACK;
-- rolled back to a savepoint, it leaves nothing
BEGIN;
SAVEPOINT a;
ALTER TABLE leads_sla DISABLE TRIGGER USER;
DELETE FROM leads_sla;
SELECT align.rebuild_clocks('leads') > 0 AS rebuilt;
ROLLBACK TO a;
SELECT * FROM differences();
COMMIT;

-- Who may: the owner.
SET ROLE regress_align_reader;
SELECT align.rebuild_clocks('rebuild_clocks.leads');
RESET ROLE;
GRANT ALL ON leads, leads_history, leads_sla TO regress_align_reader;
SET ROLE regress_align_reader;
SELECT align.rebuild_clocks('rebuild_clocks.leads');
SELECT align.rebuild_clocks('rebuild_clocks.leads_eu');
SET ROLE regress_align_crm;
REVOKE ALL ON leads, leads_history, leads_sla FROM regress_align_reader;
-- of what
\set VERBOSITY sqlstate
SELECT align.rebuild_clocks(NULL);
SELECT align.rebuild_clocks('as_it_was');
SELECT align.rebuild_clocks('leads_sla');
SELECT align.rebuild_clocks('seen');
SELECT align.rebuild_clocks('pg_catalog.pg_class');
BEGIN READ ONLY;
SELECT align.rebuild_clocks('leads');
ROLLBACK;
-- rows that are swallowed
\set VERBOSITY terse
CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
BEGIN;
CREATE TRIGGER swallow BEFORE INSERT ON leads_sla FOR EACH ROW WHEN (new.id = 77) EXECUTE FUNCTION swallow();
SELECT align.rebuild_clocks('leads');
ROLLBACK;
BEGIN;
CREATE TRIGGER swallow BEFORE DELETE ON leads_sla FOR EACH ROW WHEN (old.id = 77) EXECUTE FUNCTION swallow();
SELECT align.rebuild_clocks('leads');
ROLLBACK;
SELECT * FROM differences();
\set VERBOSITY default
-- the locks that it takes
BEGIN;
SELECT align.rebuild_clocks('leads_eu') > 0 AS rebuilt;
SELECT relation::regclass, mode FROM pg_locks WHERE pid = pg_backend_pid() AND relation IN ('leads'::regclass, 'leads_eu'::regclass, 'leads_us'::regclass) AND mode LIKE 'Share%' ORDER BY 1, 2;
ROLLBACK;

-- Leads whose first entry is gone keep their clocks, as wrong as they are.
BEGIN;
ALTER TABLE leads_history DISABLE TRIGGER USER;
ALTER TABLE leads_sla DISABLE TRIGGER USER;
DELETE FROM leads_history WHERE id BETWEEN 200 AND 299 AND entry_no = 1;
DELETE FROM leads_history WHERE id BETWEEN 300 AND 309;
UPDATE leads_sla SET due_at = due_at + interval '1 day' WHERE id BETWEEN 190 AND 309;
ALTER TABLE leads_history ENABLE TRIGGER USER;
ALTER TABLE leads_sla ENABLE TRIGGER USER;
-- the clocks of those are not among the number
SELECT align.rebuild_clocks('leads') - (SELECT count(*) FROM as_it_was WHERE NOT (id BETWEEN 200 AND 309)) AS more;
SELECT min(id), max(id), count(*), (SELECT count(*) FROM as_it_was WHERE id BETWEEN 200 AND 309) AS due FROM (TABLE leads_sla EXCEPT ALL TABLE as_it_was) AS t;
SELECT problem, count(*) FROM align.check('leads') GROUP BY 1 ORDER BY 1;
-- and go on
UPDATE leads SET stage = 'customer', changed_at = '2025-03-12 10:00+00' WHERE (region, id) = ('eu', 200);
SELECT sla, cycle, due_at, outcome, assignee_at_stop FROM leads_sla WHERE (region, id) = ('eu', 200) ORDER BY 1, 2;
ROLLBACK;

-- A table without clocks, one whose agreement has no service level, one that is empty.
CREATE TABLE plain (id int PRIMARY KEY, stage text);
SELECT align.agree('rebuild_none', 'stage a, b held by m; won w; success path a -> b -> w;');
SELECT align.attach('plain', 'rebuild_none');
SELECT align.rebuild_clocks('plain');
INSERT INTO plain VALUES (1, 'a'), (2, 'a');
SELECT align.rebuild_clocks('plain');
SELECT align.detach('plain');
\set VERBOSITY terse
SELECT align.rebuild_clocks('plain');
\set VERBOSITY default

RESET ROLE;
RESET search_path;
DROP SCHEMA rebuild_clocks CASCADE;
DROP ROLE regress_align_clerk, regress_align_crm, regress_align_reader;
