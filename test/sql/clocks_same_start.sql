-- Clocks of several cycles that start at the same instant, as where a new row with an old
-- key gives a time before the end of the life before: each keeps what is its own.
CREATE SCHEMA clocks_same_start;
SET search_path = clocks_same_start;
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'postgres';
\set VERBOSITY terse
SELECT align.agree('clocks_same_start', 'stage a, b; won w; entry a; success path a -> b -> w; sla s by m: from a to b within 1 hour, warn after 30 minutes;');
CREATE TABLE leads (id int PRIMARY KEY, stage text, owner text, at timestamptz);
SELECT align.attach('leads', 'clocks_same_start', assignee => 'owner', changed_at => 'at', mode => 'observe');
CREATE VIEW clocks AS
    SELECT id, cycle, version, started_at, due_at - started_at AS within, outcome, warn_notified_at IS NOT NULL AS warned, due_notified_at IS NOT NULL AS announced
    FROM leads_sla ORDER BY id, cycle;

-- three lives, under three versions
INSERT INTO leads VALUES (1, 'a', 'ann', '2026-03-02 09:00');
SELECT align.notify_due('leads');
DELETE FROM leads;
SELECT align.agree('clocks_same_start', 'stage a, b; won w; entry a; success path a -> b -> w; sla s by m: from a to b within 2 hours, warn after 30 minutes;');
INSERT INTO leads VALUES (1, 'a', 'bob', '2026-03-02 08:00');
DELETE FROM leads;
SELECT align.agree('clocks_same_start', 'stage a, b; won w; entry a; success path a -> b -> w; sla s by m: from a to b within 3 hours, warn after 30 minutes;');
INSERT INTO leads VALUES (1, 'a', 'cyd', '2026-03-02 07:00');
SELECT align.notify_due('leads');
TABLE clocks;
SELECT * FROM align.check('leads');

-- computed again: nothing changes, and nothing is announced again
SELECT align.rebuild_clocks('leads');
TABLE clocks;
SELECT align.notify_due('leads');
SELECT * FROM align.check('leads');

-- only what is open follows the version in force
SELECT align.agree('clocks_same_start', 'stage a, b; won w; entry a; success path a -> b -> w; sla s by m: from a to b within 4 hours, warn after 30 minutes;');
SELECT align.rebuild_clocks('leads', true);
TABLE clocks;
SELECT align.notify_due('leads');
SELECT * FROM align.check('leads');
SELECT align.rebuild_clocks('leads');
TABLE clocks;
SELECT * FROM align.check('leads');

DROP SCHEMA clocks_same_start CASCADE;
