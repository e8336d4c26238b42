-- import_history(): what happened to leads before it was recorded.
SET timezone = 'UTC';
SET datestyle = ISO;
SET intervalstyle = postgres;
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE ROLE regress_align_crm;
CREATE ROLE regress_align_reader;
CREATE SCHEMA import_history;
GRANT ALL ON SCHEMA import_history TO PUBLIC;
SET search_path = import_history;
SET ROLE regress_align_crm;
SELECT align.agree('import_history', $$
    hours 'UTC Mo-Fr 09:00-17:00';
    stage inquiry, mql held by marketing;
    stage sal, nurture held by sales;
    won customer;
    lost disqualified;
    entry inquiry, mql;
    success path inquiry -> mql -> sal -> customer;
    path sal -> nurture -> sal;
    path any -> disqualified;
    sal known as 'Sales Accepted';
    handoff speed: mql from marketing to sales, accept sal, reject disqualified with reason (no_fit, no_answer), within 4 working hours, warn after 2 working hours;
    sla follow_up by sales: from sal to customer within 10 days, pause nurture;
$$);
CREATE TABLE leads (id int PRIMARY KEY, stage text, owner text, reason text);
INSERT INTO leads VALUES (1, 'sal', 'sam', NULL), (2, 'mql', 'mia', NULL), (3, 'customer', 'sam', NULL), (4, 'disqualified', 'sam', 'no_fit'),
    (5, NULL, NULL, NULL), (6, 'inquiry', 'mia', NULL), (7, 'sal', 'sam', NULL), (8, 'old stage', 'sam', NULL), (9, 'sal', 'sam', NULL);
SELECT align.attach('leads', 'import_history', assignee => 'owner', reason => 'reason', mode => 'observe');
DELETE FROM leads WHERE id = 9;
UPDATE leads SET stage = 'nurture' WHERE id = 7;
CREATE VIEW seen AS
SELECT id, entry_no AS no, event, CASE WHEN effective_at < '2026-01-01' THEN effective_at::text END AS effective_at, from_stage, stage, from_team, team, assignee, actor, reason, note, campaign, amount, violation, source,
    handoff, notified_at IS NOT NULL AS announced FROM leads_history ORDER BY id, entry_no;
CREATE VIEW seen_clocks AS
SELECT id, sla, cycle, assignee_at_start AS s, assignee_at_due AS d, assignee_at_stop AS e, CASE WHEN started_at < '2026-01-01' THEN started_at::text END AS started_at, CASE WHEN started_at < '2026-01-01' THEN due_at::text END AS due_at, CASE WHEN stopped_at < '2026-01-01' THEN stopped_at::text END AS stopped_at, outcome,
    warn_notified_at IS NOT NULL AS warned, due_notified_at IS NOT NULL AS announced FROM leads_sla ORDER BY id, sla, cycle;
CREATE TABLE recorded AS SELECT id, entry_no, recorded_at, db_role FROM leads_history;

-- An audit table as it is: rows in no order, twice, of leads that are gone or unknown.
CREATE TABLE audit (no int PRIMARY KEY, lead int, at timestamptz, stage varchar(20), who name, reason text, campaign text, amount float8);
INSERT INTO audit VALUES
    (30, 1, '2025-03-03 16:00+00', 'Sales Accepted', 'sam', NULL, NULL, 100.5),
    (10, 1, '2025-03-03 10:00+00', 'inquiry', 'mia', NULL, 'utm_source=a', NULL),
    (20, 1, '2025-03-03 11:00+00', 'mql', 'mia', NULL, NULL, NULL),
    (21, 1, '2025-03-03 11:00+00', 'mql', 'mia', NULL, NULL, NULL),
    (22, 1, '2025-03-03 12:00+00', 'mql', 'mia', NULL, NULL, NULL),
    -- another owner, and back to the stage that it is found in
    (31, 2, '2025-03-03 10:00+00', 'mql', 'mia', NULL, NULL, NULL),
    (32, 2, '2025-03-03 11:00+00', 'mql', 'max', NULL, NULL, NULL),
    -- the past ends elsewhere
    (41, 3, '2025-03-03 10:00+00', 'inquiry', NULL, NULL, NULL, NULL),
    (42, 3, '2025-03-03 10:00+00', 'mql', NULL, NULL, NULL, NULL),
    (43, 3, '2025-03-03 10:30+00', 'sal', 'sam', NULL, NULL, NULL),
    -- violations: a stage that has been deleted, a move that is not allowed, a reason that is missing
    (51, 4, '2025-03-03 10:00+00', 'Deleted Stage', NULL, NULL, NULL, NULL),
    (52, 4, '2025-03-04 10:00+00', 'customer', NULL, NULL, NULL, NULL),
    (53, 4, '2025-03-05 10:00+00', 'mql', NULL, NULL, NULL, NULL),
    (54, 4, '2025-03-06 10:00+00', 'disqualified', 'sam', NULL, NULL, NULL),
    -- never in the funnel, unknown, without a key
    (61, 5, '2025-03-03 10:00+00', 'inquiry', NULL, NULL, NULL, NULL),
    (62, 99, '2025-03-03 10:00+00', 'inquiry', NULL, NULL, NULL, NULL),
    (63, NULL, '2025-03-03 10:00+00', 'inquiry', NULL, NULL, NULL, NULL),
    -- out of the funnel and back
    (64, 6, '2025-03-03 09:00+00', NULL, NULL, NULL, NULL, NULL),
    (65, 6, '2025-03-03 10:00+00', 'mql', 'mia', NULL, NULL, NULL),
    (66, 6, '2025-03-04 10:00+00', NULL, NULL, NULL, NULL, NULL),
    (67, 6, '2025-03-05 10:00+00', NULL, NULL, NULL, NULL, NULL),
    (68, 6, '2025-03-06 10:00+00', 'inquiry', 'mia', NULL, NULL, NULL),
    -- moved since; gone since; still in a stage that the agreement does not know
    (70, 7, '2025-03-03 10:00+00', 'mql', 'mia', NULL, NULL, NULL),
    (71, 7, '2025-03-04 10:00+00', 'sal', 'sam', NULL, NULL, NULL),
    (80, 8, '2025-03-03 10:00+00', 'mql', 'sam', NULL, NULL, NULL),
    (81, 8, '2025-03-04 10:00+00', 'old stage', 'sam', NULL, NULL, NULL),
    (90, 9, '2025-03-03 10:00+00', 'mql', 'sam', NULL, NULL, NULL);
\set import 'SELECT lead AS id, at, no AS ordinal, stage, who AS assignee, reason, campaign, amount, ''audit ''||no AS note, who AS actor FROM import_history.audit'
SET client_min_messages = notice;
SELECT align.import_history('leads', :'import');
SET client_min_messages = warning;
SELECT * FROM seen;
SELECT * FROM seen_clocks;
SELECT * FROM align.check('leads');
-- what was recorded keeps its times and roles, and what is imported was recorded before it
SELECT count(*) FROM recorded AS r JOIN leads_history AS h USING (id, recorded_at, db_role) WHERE h.entry_no >= r.entry_no;
SELECT count(*), bool_and(recorded_at < (SELECT min(r.recorded_at) FROM recorded AS r WHERE r.id = h.id)) AS before, bool_and(db_role = 'regress_align_crm') FROM leads_history AS h
WHERE NOT EXISTS (SELECT FROM recorded AS r WHERE (r.id, r.recorded_at) = (h.id, h.recorded_at));
-- nothing of it is announced
SELECT align.notify_due('leads'), align.notify_handoffs('leads');

-- The same again changes nothing.
CREATE TABLE imported AS TABLE leads_history;
CREATE TABLE imported_clocks AS TABLE leads_sla;
SET client_min_messages = notice;
SELECT align.import_history('leads', :'import');
SET client_min_messages = warning;
(TABLE leads_history EXCEPT ALL TABLE imported) UNION ALL (TABLE imported EXCEPT ALL TABLE leads_history);
(TABLE leads_sla EXCEPT ALL TABLE imported_clocks) UNION ALL (TABLE imported_clocks EXCEPT ALL TABLE leads_sla);
-- More of the past goes before the past, and what lies in it is left out.
BEGIN;
SET LOCAL client_min_messages = notice;
SELECT align.import_history('leads', $$SELECT 1 AS id, at, stage, 'mia' AS assignee
    FROM (VALUES (timestamp '2025-02-28 10:00', 'nurture'), ('2025-03-01 10:00', 'inquiry'), ('2025-03-03 10:30', 'inquiry'), ('2025-03-03 10:40', 'disqualified')) AS v (naive, stage), timezone('UTC', naive) AS at$$);
SELECT no, event, effective_at, from_stage, stage, violation, note FROM seen WHERE id = 1;
SELECT * FROM seen_clocks WHERE id = 1;
SELECT * FROM align.check('leads');
ROLLBACK;

-- The journeys are those of the audit table, and so are clocks and violations.
SELECT key->>'id' AS id, align.path(j.lead) FROM align.journeys('leads') AS j ORDER BY 1;
WITH pure AS (SELECT (key->>'id')::int AS id, v.entry, string_agg(v.rule, ', ') AS rules FROM align.journeys('leads') AS j, align.violations(j.lead, align.agreed('import_history')) AS v GROUP BY 1, 2),
    written AS (SELECT id, entry_no AS entry, violation FROM leads_history WHERE violation IS NOT NULL)
-- (a lead that left the funnel has a journey without that)
SELECT id, entry, rules, violation FROM pure FULL JOIN written USING (id, entry) ORDER BY 1, 2;
-- new changes go on from it
UPDATE leads SET stage = 'customer' WHERE id IN (1, 7);
DELETE FROM leads WHERE id = 2;
SELECT * FROM align.check('leads');
SELECT id, sla, cycle, outcome FROM leads_sla WHERE id IN (1, 2, 7) ORDER BY 1, 2, 3;

-- What cannot be imported.
\set VERBOSITY default
CREATE TABLE more (id int PRIMARY KEY, stage text);
INSERT INTO more VALUES (1, 'mql');
SELECT align.attach('more', 'import_history', mode => 'observe');
-- rows that begin after what is recorded, and contradict it
DO $$
BEGIN
    PERFORM align.import_history('more', 'SELECT 1 AS id, timestamptz ''2500-01-01'' AS at, ''sal'' AS stage');
EXCEPTION WHEN invalid_parameter_value THEN
    DECLARE detail text; hint text;
    BEGIN
        GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
        RAISE WARNING '%', SQLERRM USING DETAIL = regexp_replace(detail, 'begins at 20\S+', 'begins at (attachment).'), HINT = hint;
    END;
END $$;
SELECT align.import_history('more', 'SELECT 1 AS id, timestamptz ''infinity'' AS at, ''sal'' AS stage');
SELECT align.import_history('more', 'SELECT 1 AS id, timestamptz ''-infinity'' AS at, ''sal'' AS stage');
SELECT align.import_history('more', 'SELECT 1 AS id, NULL::timestamptz AS at, ''sal'' AS stage');
SELECT align.import_history('more', 'SELECT 1 AS id, timestamp ''2025-01-01'' AS at, ''sal'' AS stage');
SELECT align.import_history('more', 'SELECT 1 AS id, date ''2025-01-01'' AS at, ''sal'' AS stage');
SELECT align.import_history('more', 'SELECT 1 AS id, ''2025-01-01'' AS at, ''sal'' AS stage');
SELECT align.import_history('more', 'SELECT 1 AS id, now() AS at');
SELECT align.import_history('more', 'SELECT 1 AS id, ''a'' AS stage');
SELECT align.import_history('more', 'SELECT now() AS at, ''a'' AS stage');
SELECT align.import_history('more', 'SELECT 1 AS id, now() AS at, ''a'' AS stage, ''b'' AS owner');
SELECT align.import_history('more', 'SELECT 1 AS id, now() AS at, ''a'' AS stage, ''b'' AS stage');
SELECT align.import_history('more', 'SELECT 1 AS id, now() AS at, 1.5 AS stage');
SELECT align.import_history('more', 'SELECT 1 AS id, now() AS at, ''a'' AS stage, ''1'' AS ordinal');
SELECT align.import_history('more', 'SELECT 1 AS id, now() AS at, ''a'' AS stage, ''1'' AS amount');
SELECT align.import_history('more', 'SELECT ''x'' AS id, now() AS at, ''a'' AS stage');
SELECT align.import_history('more', 'SELECT 1.5 AS id, now() AS at, ''a'' AS stage');
SELECT align.import_history('more', 'SELECT 10000000000 AS id, now() AS at, ''a'' AS stage');
SELECT align.import_history('more', '');
SELECT align.import_history('more', 'DELETE FROM leads');
SELECT align.import_history('more', 'SELECT 1 AS id, now() AS at, ''a'' AS stage; DELETE FROM leads');
SELECT align.import_history('more', 'SELECT 1 AS id, now() AS at, ''a'' AS stage) AS q; DELETE FROM leads; --');
SELECT align.import_history('more', 'WITH d AS (DELETE FROM leads RETURNING id) SELECT id, now() AS at, ''a'' AS stage FROM d');
SELECT align.import_history('more', 'SELECT id, now() AS at, stage FROM leads FOR UPDATE');
SELECT align.import_history('more', 'SELECT id, now() AS at, set_config(''transaction_read_only'', ''off'', false) AS stage FROM leads');
SELECT align.import_history('more', 'SELECT 1 AS id, now() AS at, ''a'' AS stage FROM nothing');
\set VERBOSITY sqlstate
SELECT align.import_history(NULL, 'SELECT 1');
SELECT align.import_history('more', NULL);
SELECT align.import_history('audit', 'SELECT 1');
-- the history stands for its table
SELECT align.import_history('more_history', 'SELECT 1');
BEGIN READ ONLY;
SELECT align.import_history('more', 'SELECT 1 AS id, timestamptz ''2025-01-01'' AS at, ''mql'' AS stage');
ROLLBACK;
\set VERBOSITY default
-- nothing half done
SELECT count(*) FROM more_history;
SELECT * FROM align.check('more');
-- any form of a key and of a stage
BEGIN;
SELECT align.import_history('more', 'SELECT ''01'' AS id, ''2025-01-01 +00''::timestamptz AS at, ''inquiry''::name AS stage UNION ALL SELECT '' 1'', ''2025-01-02 +00'', ''mql''');
SELECT entry_no, event, effective_at, stage, source FROM more_history ORDER BY 1;
ROLLBACK;
BEGIN;
SELECT align.import_history('more_history', 'SELECT 1 AS id, ''2025-01-02 +00''::timestamptz AS at, ''mql'' AS stage');
SELECT entry_no, event, effective_at, stage, source FROM more_history ORDER BY 1;
ROLLBACK;

-- Who may: the owner of the table.  The query runs with the rights of the caller.
SET ROLE regress_align_reader;
\set VERBOSITY terse
SELECT align.import_history('import_history.more', 'SELECT 1 AS id, timestamptz ''2025-01-01'' AS at, ''mql'' AS stage');
RESET ROLE;
CREATE TABLE secret (id int, at timestamptz, stage text);
INSERT INTO secret VALUES (1, '2025-01-01+00', 'inquiry');
SET ROLE regress_align_crm;
SELECT align.import_history('more', 'TABLE secret');
-- the query of a superuser may read it, but code of the owner of the table does not run as one
CREATE FUNCTION whoami() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE WARNING 'written as % with %', current_user, current_setting('search_path');
    RETURN NEW;
END $$;
CREATE TRIGGER whoami BEFORE INSERT ON more_history FOR EACH ROW EXECUTE FUNCTION whoami();
RESET ROLE;
BEGIN;
SELECT align.import_history('more', 'TABLE secret');
SELECT entry_no, event, stage, db_role = session_user AS by_caller FROM more_history ORDER BY 1;
ROLLBACK;
-- domains of the owner do not run code as the caller
SET ROLE regress_align_crm;
DROP TRIGGER whoami ON more_history;
CREATE FUNCTION is_key(int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'checked as %', current_user; RETURN true; END $$;
CREATE DOMAIN lead_key AS int CHECK (is_key(VALUE));
CREATE TABLE keyed (at lead_key, id text COLLATE "C", stage text, PRIMARY KEY (at, id));
INSERT INTO keyed VALUES (7, 'x', 'mql');
SELECT align.attach('keyed', 'import_history', mode => 'observe');
RESET ROLE;
SELECT align.import_history('keyed', 'SELECT ''7'' AS key_at, ''x'' AS id, timestamptz ''2025-01-01+00'' AS at, ''inquiry'' AS stage');
SELECT at, id, entry_no, event, from_stage, stage FROM keyed_history ORDER BY entry_no;

-- Rows that a trigger of the owner suppresses are an error.
SET ROLE regress_align_crm;
CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER swallow BEFORE UPDATE ON more_history FOR EACH ROW EXECUTE FUNCTION swallow();
SELECT align.import_history('more', 'SELECT 1 AS id, timestamptz ''2025-01-01'' AS at, ''inquiry'' AS stage');
DROP TRIGGER swallow ON more_history;
CREATE TRIGGER swallow BEFORE INSERT ON more_history FOR EACH ROW EXECUTE FUNCTION swallow();
SELECT align.import_history('more', 'SELECT 1 AS id, timestamptz ''2025-01-01'' AS at, ''inquiry'' AS stage');
DROP TRIGGER swallow ON more_history;
SELECT * FROM align.check('more');

-- Entries of a lead that was merged, and of one whose first entry is gone.
INSERT INTO more VALUES (2, 'inquiry'), (3, 'inquiry'), (4, 'inquiry');
UPDATE more SET stage = 'mql' WHERE id IN (2, 3);
SELECT align.merge_leads('more', 3, 2);
ALTER TABLE more_history DISABLE TRIGGER USER;
UPDATE more SET stage = 'mql' WHERE id = 4;
DELETE FROM more_history WHERE id = 4 AND entry_no = 1;
ALTER TABLE more_history ENABLE TRIGGER USER;
SET client_min_messages = notice;
SELECT align.import_history('more', 'SELECT i AS id, timestamptz ''2025-01-01+00'' AS at, ''inquiry'' AS stage FROM generate_series(2, 4) AS i');
SET client_min_messages = warning;
SELECT id, entry_no, event, from_stage, stage, source FROM more_history WHERE id > 1 ORDER BY id, entry_no;
SELECT * FROM align.check('more');
-- A move to the furthest stage of a joined journey, before more of that was imported.
INSERT INTO more VALUES (5, 'inquiry'), (6, 'sal');
DELETE FROM more WHERE id = 6;
SELECT align.merge_leads('more', 6, 5);
UPDATE more SET stage = 'sal' WHERE id = 5;
SELECT align.import_history('more', 'SELECT 5 AS id, timestamptz ''2025-01-01+00'' + i * interval ''1 day'' AS at, (''{inquiry,customer,inquiry}''::text[])[i] AS stage FROM generate_series(1, 3) AS i');
SELECT entry_no, event, from_stage, stage, violation, source FROM more_history WHERE id = 5 ORDER BY entry_no;
SELECT * FROM align.check('more');

-- An opening that a column dates too early: the audit table knows better.
RESET ROLE;
SELECT align.agree('import_openings', 'stage "New", "Qualified" held by s; won "Won"; lost "Lost"; success path "New" -> "Qualified" -> "Won"; path any -> "Lost"; sla q by s: from "New" to "Qualified" within 2 days;');
SELECT align.admit('import_openings', 'regress_align_crm');
SET ROLE regress_align_crm;
CREATE TABLE openings (id int PRIMARY KEY, stage text, active boolean, stage_changed timestamptz);
INSERT INTO openings VALUES (1, 'New', false, '2025-03-01Z'), (2, 'Qualified', true, '2025-03-01Z'), (3, 'Won', true, '2025-03-01Z'), (4, 'New', true, '2025-03-01Z');
SELECT align.attach('openings', 'import_openings', stage => $$CASE WHEN active THEN stage ELSE 'Lost' END$$, opened_at => 'stage_changed', changed_at => 'stage_changed', mode => 'observe');
UPDATE openings SET stage = 'Qualified', stage_changed = '2025-04-01Z' WHERE id = 4;
SELECT align.import_history('openings', $$SELECT * FROM (VALUES (1, '2025-03-01Z'::timestamptz, 'New'), (1, '2025-03-10Z', 'Lost'), (2, '2025-02-01Z', 'New'), (2, '2025-03-01Z', 'Qualified'), (3, '2025-02-01Z', 'New'), (3, '2025-03-05Z', 'Qualified'), (4, '2025-03-20Z', 'New')) AS a (id, at, stage)$$);
SELECT id, entry_no AS no, event, effective_at, from_stage, stage, violation, source FROM openings_history ORDER BY 1, 2;
SELECT id, sla, started_at, stopped_at, outcome FROM openings_sla ORDER BY 1, 3;
SELECT * FROM align.check('openings');

RESET ROLE;
RESET search_path;
DROP SCHEMA import_history CASCADE;
DROP ROLE regress_align_crm, regress_align_reader;
