-- rebuild_clocks(relation, to_version_in_force): open promises follow the agreement of today.
SET timezone = 'UTC';
SET datestyle = ISO;
SET intervalstyle = postgres;
SET client_min_messages = warning;
CREATE SCHEMA rebuild_version;
SET search_path = rebuild_version;
CREATE FUNCTION document(hours int, more text) RETURNS text LANGUAGE sql RETURN format($$
    stage a, b held by m;
    stage c, d held by s;
    won w;
    lost l;
    success path a -> b -> c -> w;
    path c -> d -> c;
    path any -> l;
    handoff answer: b from m to s, accept c, reject l with reason (x), within %s hours, warn after 1 hours;
    %s$$, hours, more);
SELECT align.agree('rebuild_version', document(4, 'sla gone by m: from a to b within 1 days; sla close by s: from c to w within 10 days;'));
CREATE TABLE leads (id int PRIMARY KEY, stage text, reason text, changed_at timestamptz);
SELECT align.attach('leads', 'rebuild_version', reason => 'reason', changed_at => 'changed_at');
INSERT INTO leads SELECT i, 'a', NULL, '2025-03-03 08:00+00' FROM generate_series(1, 6) AS i;
UPDATE leads SET stage = 'b', changed_at = '2025-03-03 09:00+00' WHERE id < 6;
UPDATE leads SET stage = 'c', changed_at = '2025-03-03 12:00+00' WHERE id < 4;
UPDATE leads SET stage = 'd', changed_at = '2025-03-05 12:00+00' WHERE id < 3;
UPDATE leads SET stage = 'c', changed_at = '2025-03-06 12:00+00' WHERE id = 1;
CREATE VIEW seen AS SELECT id, sla, cycle, started_at, due_at, paused, stopped_at, outcome, version, warn_notified_at IS NOT NULL AS warned, due_notified_at IS NOT NULL AS announced FROM leads_sla ORDER BY id, sla, cycle;
-- everything that is open is announced as overdue
SELECT align.notify_due('leads');
CREATE TABLE before AS TABLE leads_sla;

-- Another version: a promise is longer, one pauses, one is no longer made, one is new.
SELECT align.agree('rebuild_version', document(800000, 'sla close by s: from c to w within 20 days, pause d; sla new by m: from a to b within 2 days;'));
-- as before, clocks keep their version
SELECT align.rebuild_clocks('leads'), align.rebuild_clocks('leads', false);
(TABLE leads_sla EXCEPT TABLE before) UNION ALL (TABLE before EXCEPT TABLE leads_sla);
-- and now the open ones follow the new one; what they announced is no longer true of the answers
SELECT align.rebuild_clocks('leads', to_version_in_force => true);
SELECT * FROM seen;
SELECT * FROM align.check('leads');
SELECT align.notify_due('leads');
-- that stays so when they are computed again
CREATE TABLE after AS TABLE leads_sla;
SELECT align.rebuild_clocks('leads'), align.rebuild_clocks('leads', true);
(TABLE leads_sla EXCEPT TABLE after) UNION ALL (TABLE after EXCEPT TABLE leads_sla);
SELECT align.merge_leads('leads', 5, 4);
SELECT * FROM seen WHERE id = 4;
SELECT * FROM align.check('leads');
-- and when leads go on
UPDATE leads SET stage = 'w', changed_at = '2025-04-01 12:00+00' WHERE id = 3;
UPDATE leads SET stage = 'c', changed_at = '2025-03-10 12:00+00' WHERE id = 2;
UPDATE leads SET stage = 'b', changed_at = '2025-03-10 12:00+00' WHERE id = 6;
SELECT id, sla, cycle, started_at, outcome, version FROM leads_sla ORDER BY 1, 2, 3;
SELECT * FROM align.check('leads');

-- A version that stops a promise where the lead has been since.
SELECT align.agree('rebuild_version', document(800000, 'sla close by s: from c to w, d within 20 days;'));
SELECT align.rebuild_clocks('leads', true);
SELECT * FROM seen WHERE sla = 'close';
SELECT * FROM align.check('leads');
-- damage is found as ever
BEGIN;
ALTER TABLE leads_sla DISABLE TRIGGER USER;
UPDATE leads_sla SET version = 2 WHERE id = 1 AND sla = 'answer';
SELECT * FROM align.check('leads');
ROLLBACK;
\set VERBOSITY sqlstate
SELECT align.rebuild_clocks('leads', NULL);
SELECT align.rebuild_clocks(NULL, true);

RESET search_path;
DROP SCHEMA rebuild_version CASCADE;
