-- The leads that are in a table when it is attached: since when, and what was promised.
CREATE SCHEMA attach_openings;
SET search_path = attach_openings;
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'postgres';
SELECT align.agree('attach_openings', $$
    stage open, wait held by s;
    won done;
    lost gone;
    success path open -> done;
    path open -> wait -> open;
    path any -> gone;
    sla x by s: from open to done within 4 hours, warn after 3 hours;
    sla y by s: from wait to open, done within 30000 days, warn after 1 day;
$$);
CREATE TABLE leads (id int PRIMARY KEY, status text, created timestamptz, at timestamptz);
INSERT INTO leads VALUES (1, 'open', '2020-01-01', '2020-01-03'), (2, 'wait', '2020-01-02', NULL), (3, 'open', NULL, now() - interval '210 minutes'),
    (4, 'open', now() - interval '1 hour', now() - interval '1 minute'), (5, 'open', NULL, NULL), (6, 'gone', NULL, NULL), (7, NULL, '2020-01-01', '2020-01-01'),
    (8, 'open', '2999-01-01', '2999-01-01');
\set openings 'SELECT id, entry_no AS no, event, stage, source, CASE WHEN effective_at = recorded_at THEN \'recorded\' WHEN effective_at > \'2021-01-01\' THEN \'lately\' ELSE effective_at::text END AS since FROM leads_history ORDER BY id, entry_no;'
\set promises 'SELECT id, sla, CASE WHEN started_at < \'2021-01-01\' THEN started_at::text ELSE \'lately\' END AS started, outcome, warn_notified_at IS NOT NULL AS warned, due_notified_at IS NOT NULL AS announced FROM leads_sla ORDER BY id, sla;'

-- by changed_at
SELECT align.attach('leads', 'attach_openings', stage => 'status', changed_at => 'at');
:openings
:promises
-- what was due before is shown, but not announced
SELECT key, sla, state FROM align.clocks('leads') ORDER BY key;
SELECT align.notify_due('leads');
SELECT * FROM align.check('leads');
-- rebuilt, too
BEGIN;
ALTER TABLE leads_sla DISABLE TRIGGER align_append_only;
DELETE FROM leads_sla;
SELECT align.rebuild_clocks('leads');
:promises
SELECT align.notify_due('leads');
ROLLBACK;
SELECT align.rebuild_clocks('leads');
:promises
SELECT align.notify_due('leads');
-- a lead without a time goes on like any other
UPDATE leads SET status = 'wait' WHERE id IN (2, 5);
UPDATE leads SET status = 'open' WHERE id IN (2, 5);
:openings
:promises
SELECT * FROM align.check('leads');
-- attached again: nothing has changed; later another lead has come, and one has moved
SELECT align.attach('leads', 'attach_openings', stage => 'status', changed_at => 'at');
SELECT align.detach('leads');
INSERT INTO leads VALUES (9, 'open', NULL, NULL), (10, 'open', '2020-01-01', '2020-01-02');
UPDATE leads SET status = 'wait' WHERE id = 4;
DELETE FROM leads WHERE id = 1;
SELECT align.attach('leads', 'attach_openings', stage => 'status', changed_at => 'at');
:openings
:promises
SELECT align.notify_due('leads');
SELECT * FROM align.check('leads');
SELECT align.detach('leads');
DROP TABLE leads_history, leads_sla CASCADE;

-- by another column
DELETE FROM leads WHERE id > 8;
SELECT align.attach('leads', 'attach_openings', stage => 'status', changed_at => 'at', opened_at => 'created');
SELECT opened_at, changed_at FROM align.attachments WHERE relation = 'leads'::regclass;
:openings
SELECT id, sla, outcome, due_notified_at IS NOT NULL AS announced FROM leads_sla ORDER BY id, sla;
SELECT align.notify_due('leads');
SELECT * FROM align.check('leads');
SELECT align.detach('leads');
DROP TABLE leads_history, leads_sla CASCADE;

-- the promise begins today
SELECT align.attach('leads', 'attach_openings', stage => 'status', changed_at => 'at', opened_at => 'now');
SELECT id, stage, source, effective_at = recorded_at AS recorded FROM leads_history ORDER BY id;
SELECT id, sla, outcome, due_notified_at IS NOT NULL AS announced FROM leads_sla ORDER BY id, sla;
SELECT * FROM align.check('leads');
SELECT align.detach('leads');
DROP TABLE leads_history, leads_sla CASCADE;
-- nothing is known
SELECT align.attach('leads', 'attach_openings', stage => 'status');
SELECT id, stage, source, effective_at = recorded_at AS recorded FROM leads_history ORDER BY id;
SELECT count(*) FROM leads_sla;
SELECT * FROM align.check('leads');
SELECT align.rebuild_clocks('leads');
-- ... nor is it after a merge
SELECT align.merge_leads('leads', 3, 5);
SELECT entry_no, event, source FROM leads_history WHERE id = 5 ORDER BY 1;
SELECT count(*) FROM leads_sla;
SELECT * FROM align.check('leads');
SELECT align.detach('leads');
DROP TABLE leads_history, leads_sla CASCADE;
-- a column named "now" is that column
ALTER TABLE leads ADD now timestamptz DEFAULT '2020-02-02';
SELECT align.attach('leads', 'attach_openings', stage => 'status', opened_at => 'now');
SELECT DISTINCT effective_at, source FROM leads_history;
SELECT align.detach('leads');
DROP TABLE leads_history, leads_sla CASCADE;
-- refused
SELECT align.attach('leads', 'attach_openings', stage => 'status', opened_at => 'nonsense');
SELECT align.attach('leads', 'attach_openings', stage => 'status', opened_at => 'status');
UPDATE leads SET created = 'infinity' WHERE id = 2;
SELECT align.attach('leads', 'attach_openings', stage => 'status', opened_at => 'created');

DROP SCHEMA attach_openings CASCADE;
