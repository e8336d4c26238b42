-- Service-level clocks as the triggers keep them, and as clocks() reads them.
SET timezone = 'UTC';
SET datestyle = ISO;
SET intervalstyle = postgres;
SET client_min_messages = warning;
CREATE SCHEMA clocks_triggers;
SET search_path = clocks_triggers;

SELECT align.agree('clocks_triggers', $$
    hours 'UTC Mo-Fr 09:00-17:00';
    stage new, asked held by marketing;
    stage working, waiting, resting held by sales;
    won done;
    lost dropped;
    entry new, working;
    success path new -> asked -> working -> done;
    path working -> waiting, resting -> working;
    path waiting -> resting;
    path resting -> waiting;
    path waiting -> done;
    path working -> asked;
    path any -> dropped;
    handoff speed: asked from marketing to sales, accept working, within 4 working hours, warn after 3 working hours;
    sla fix by sales: from working to done within 16 working hours, warn after 8 working hours, pause waiting, resting;
    sla total by marketing: from new to done within 30 days;
$$);
CREATE TABLE leads (id int PRIMARY KEY, stage text, who text, at timestamptz);
SELECT align.attach('leads', agreement => 'clocks_triggers', assignee => 'who', changed_at => 'at', mode => 'observe');

CREATE PROCEDURE go(lead int, stage text, who text, at timestamptz) LANGUAGE sql AS $$
    UPDATE leads SET at = NULL WHERE id = $1;   -- a time that stays as it is tells nothing
    INSERT INTO leads VALUES ($1, $2, $3, $4)
    ON CONFLICT (id) DO UPDATE SET stage = excluded.stage, who = excluded.who, at = excluded.at
$$;
CREATE VIEW clocks AS
    SELECT id, sla, cycle AS c, team, assignee_at_start AS at_start, assignee_at_due AS at_due, assignee_at_stop AS at_stop,
           started_at, due_at, warn_at, paused, elapsed, stopped_at, outcome, version AS v
    FROM leads_sla ORDER BY id, sla, cycle;
\pset null -

-- Start, pause, resume, stop. Sales' hours are 09:00 to 17:00; 2025-03-03 is a Monday.
CALL go(1, 'new', 'mia', '2025-03-03 09:00+00');
CALL go(1, 'asked', 'mia', '2025-03-03 10:00+00');
CALL go(1, 'working', 'sam', '2025-03-03 14:00+00');
CALL go(1, 'waiting', 'sam', '2025-03-03 16:00+00');
SELECT sla, due_at, warn_at, elapsed, remaining, overrun, state FROM align.clocks('leads', '2025-03-04 10:00+00') ORDER BY sla;
CALL go(1, 'resting', 'sam', '2025-03-04 10:00+00');
CALL go(1, 'working', 'sue', '2025-03-04 16:00+00');
SELECT sla, assignee, due_at, warn_at, elapsed, remaining, overrun, state FROM align.clocks('leads', '2025-03-05 15:00+00') ORDER BY sla;
SELECT sla, assignee, state FROM align.clocks('leads', '2025-03-05 13:59:59+00') ORDER BY sla;
SELECT sla, assignee, state, overrun FROM align.clocks('leads', '2025-03-06 15:00:01+00') ORDER BY sla;
CALL go(1, 'done', 'sue', '2025-03-06 14:00+00');
SELECT * FROM clocks;
SELECT count(*) FROM align.clocks('leads');

-- The due instant: whoever holds the lead then.
CALL go(2, 'asked', 'mia', '2025-03-03 10:00+00');
CALL go(2, 'new', 'mia', '2025-03-03 10:00+00');
CALL go(2, 'asked', 'mia', '2025-03-03 10:00+00');
CALL go(2, 'asked', 'max', '2025-03-03 14:00+00');
CALL go(2, 'asked', 'moe', '2025-03-03 14:00:01+00');
SELECT key, sla, assignee, state FROM align.clocks('leads', '2025-03-03 16:00+00') WHERE sla = 'speed';
CALL go(2, 'working', 'sam', '2025-03-03 15:00+00');
SELECT * FROM clocks WHERE id = 2;

-- A pause puts the due instant off, and with it who is asked; what was due before it stays due.
CALL go(3, 'working', 'sam', '2025-03-03 09:00+00');
CALL go(3, 'waiting', 'sam', '2025-03-03 10:00+00');
CALL go(3, 'waiting', 'sue', '2025-03-07 10:00+00');
CALL go(3, 'working', 'sue', '2025-03-10 10:00+00');
CALL go(3, 'working', 'tom', '2025-03-12 10:00:01+00');
CALL go(4, 'working', 'sam', '2025-03-03 09:00+00');
CALL go(4, 'waiting', 'sue', '2025-03-04 17:30+00');
CALL go(4, 'waiting', 'tom', '2025-03-06 17:30+00');
SELECT id, sla, at_start, at_due, due_at, paused FROM clocks WHERE id IN (3, 4);
SELECT key, state, overrun FROM align.clocks('leads', '2025-03-21 00:00+00') WHERE key IN ('{"id": 3}', '{"id": 4}') ORDER BY key;

-- Pauses that touch are one; those without length are none; what one instant brings is taken in its order.
CALL go(5, 'working', 'sam', '2025-03-03 09:00+00');
CALL go(5, 'waiting', 'sam', '2025-03-03 10:00+00');
CALL go(5, 'working', 'sam', '2025-03-03 12:00+00');
CALL go(5, 'resting', 'sam', '2025-03-03 12:00+00');
SELECT id, due_at, paused FROM clocks WHERE id = 5;
CALL go(5, 'working', 'sam', '2025-03-03 13:00+00');
CALL go(5, 'waiting', 'sam', '2025-03-03 14:00+00');
CALL go(5, 'working', 'sam', '2025-03-03 14:00+00');
SELECT id, due_at, paused FROM clocks WHERE id = 5;

-- Handed back and forth: cycles. From the pause straight to the end.
CALL go(6, 'new', 'mia', '2025-03-03 09:00+00');
CALL go(6, 'asked', 'mia', '2025-03-03 10:00+00');
CALL go(6, 'working', 'sam', '2025-03-03 11:00+00');
CALL go(6, 'asked', 'mia', '2025-03-03 12:00+00');
CALL go(6, 'working', 'sam', '2025-03-03 13:00+00');
CALL go(6, 'waiting', 'sam', '2025-03-03 14:00+00');
CALL go(6, 'done', 'sam', '2025-03-03 16:00+00');
SELECT id, sla, c, started_at, paused, elapsed, outcome FROM clocks WHERE id = 6;

-- Deletion, truncation, a lost stage, and leaving by another way cancel.
CALL go(7, 'new', 'mia', '2025-03-03 09:00+00');
CALL go(7, 'dropped', 'mia', '2025-03-03 10:00+00');
CALL go(8, 'new', 'mia', '2025-03-03 09:00+00');
CALL go(8, 'asked', 'mia', '2025-03-03 10:00+00');
DELETE FROM leads WHERE id = 8;
SELECT id, sla, at_stop, stopped_at > '2025-03-03 10:00+00' AS stopped, elapsed > '0' AS elapsed, outcome FROM clocks WHERE id IN (7, 8);
SELECT * FROM align.check('leads');

-- Told late: the clocks are made anew.
CALL go(9, 'new', 'mia', '2025-03-03 09:00+00');
CALL go(9, 'working', 'sam', '2025-03-03 12:00+00');
CALL go(9, 'asked', 'moe', '2025-03-03 10:00+00');
SELECT id, sla, c, at_start, at_due, at_stop, started_at, elapsed, outcome FROM clocks WHERE id = 9;
SELECT entry_no, event, effective_at, from_stage, stage, source FROM leads_history WHERE id = 9 ORDER BY entry_no;
UPDATE leads SET stage = 'working', at = '2025-03-03 13:00+00' WHERE id = 9;
SELECT id, sla, c, at_start, at_due, at_stop, started_at, elapsed, outcome FROM clocks WHERE id = 9;
SELECT * FROM align.check('leads');

-- The agreement changes while clocks run: each keeps its version.
CALL go(10, 'working', 'sam', '2025-03-03 09:00+00');
CALL go(11, 'new', 'mia', '2025-03-03 09:00+00');
SELECT align.agree('clocks_triggers', $$
    hours 'UTC Mo-Fr 09:00-17:00';
    stage new, asked held by marketing;
    stage working, waiting, resting, quoted held by sales;
    won done, signed;
    lost dropped;
    entry new, working;
    success path new -> asked -> working -> quoted -> done;
    path working -> waiting -> working;
    path waiting -> resting -> working;
    path quoted -> signed;
    path any -> dropped;
    handoff speed: asked from marketing to sales, accept working, within 1 working hour;
    sla fix by sales: from working to done within 1 working hour, pause quoted;
    sla quote by sales: from quoted to done within 2 days;
$$);
CALL go(10, 'waiting', 'sam', '2025-03-03 10:00+00');
CALL go(10, 'working', 'sam', '2025-03-03 16:00+00');
CALL go(10, 'quoted', 'sam', '2025-03-04 10:00+00');
CALL go(11, 'asked', 'mia', '2025-03-04 10:00+00');
CALL go(11, 'working', 'sue', '2025-03-04 12:00+00');
CALL go(11, 'quoted', 'sue', '2025-03-04 12:30+00');
SELECT key, sla, team, due_at, state, version FROM align.clocks('leads', '2025-03-05 10:00+00')
WHERE key IN ('{"id": 10}', '{"id": 11}') ORDER BY key::text COLLATE "C", sla;
-- version 1 does not know "signed", but version 2 calls it won
CALL go(10, 'signed', 'sam', '2025-03-04 14:00+00');
CALL go(11, 'done', 'sue', '2025-03-04 14:00+00');
SELECT id, sla, c, team, due_at, paused, elapsed, outcome, v FROM clocks WHERE id IN (10, 11);
SELECT * FROM align.check('leads');

-- clocks() is as of an instant; nothing that started later.
CALL go(12, 'working', 'sam', '2025-03-03 09:00+00');
SELECT elapsed, remaining, state FROM align.clocks('leads', '2025-03-02 00:00+00') WHERE key = '{"id": 12}';
SELECT elapsed, remaining, state FROM align.clocks('leads', '2025-03-03 09:20+00') WHERE key = '{"id": 12}';
SELECT * FROM align.clocks('leads', 'infinity');
SELECT * FROM align.clocks('leads', NULL);
SELECT * FROM align.clocks(NULL);
BEGIN;
INSERT INTO leads VALUES (13, 'working', 'mia', NULL);
SELECT sla, elapsed, state FROM align.clocks('leads') WHERE key = '{"id": 13}';
ROLLBACK;

-- A clock of the application that goes ahead of ours: what is not told comes after what was told.
INSERT INTO leads VALUES (14, 'working', 'mia', now() + '1 hour'), (15, 'working', 'mia', now() + '1 hour');
UPDATE leads SET stage = 'waiting' WHERE id = 14;
DELETE FROM leads WHERE id = 15;
SELECT id, sla, started_at = lower(paused) AS paused, started_at = stopped_at AS stopped, elapsed, outcome FROM clocks WHERE id IN (14, 15);
SELECT id, entry_no, effective_at = min(effective_at) OVER (PARTITION BY id) AS the_same, source FROM leads_history
WHERE id IN (14, 15) ORDER BY id, entry_no;

TRUNCATE leads;
SELECT count(*) FROM align.clocks('leads');
SELECT outcome, count(*) FROM clocks GROUP BY outcome ORDER BY outcome;
SELECT * FROM align.check('leads');

RESET search_path;
DROP SCHEMA clocks_triggers CASCADE;
