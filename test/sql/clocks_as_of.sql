-- clocks(relation, as_of) for a time in the past: the clocks that were open then, as they
-- were then, by what is known today.
SET timezone = 'UTC';
SET datestyle = ISO;
SET intervalstyle = postgres;
SET client_min_messages = warning;
CREATE SCHEMA clocks_as_of;
SET search_path = clocks_as_of;

SELECT align.agree('clocks_as_of', $$
    hours 'Europe/Berlin Mo-Fr 09:00-17:00';
    stage new, mql held by marketing;
    stage sal, parked, waiting held by sales;
    won done;
    lost lost;
    entry new, mql, sal;
    success path new -> mql -> sal -> done;
    path sal -> parked -> sal;
    path sal -> waiting -> parked -> waiting -> sal;
    path sal -> mql;
    path any -> lost;
    handoff speed: mql from marketing to sales, accept sal, reject lost, within 4 working hours, warn after 2 working hours;
    sla close_it by sales: from sal to done within 3 days, warn after 2 days, pause parked, waiting;
    sla answer by sales: from sal to done, lost by end of next working day, pause parked;
$$);
CREATE TABLE leads (id int PRIMARY KEY, stage text, owner text, at timestamptz);
SELECT align.attach('leads', 'clocks_as_of', assignee => 'owner', changed_at => 'at');

-- open then, and closed since; started later; closed before
INSERT INTO leads VALUES (1, 'sal', 'ann', '2025-03-03 10:00+00'), (2, 'sal', 'ann', '2025-03-05 10:00+00'),
    (3, 'sal', 'ann', '2025-03-03 10:00+00');
UPDATE leads SET stage = 'lost', at = '2025-03-04 10:00+00' WHERE id = 3;
UPDATE leads SET stage = 'done', at = '2025-03-10 10:00+00' WHERE id = 1;
CREATE FUNCTION clocks_at(as_of timestamptz) RETURNS TABLE (id int, sla text, assignee text, due_at timestamptz, warn_at timestamptz, elapsed interval, remaining interval, state text)
LANGUAGE sql AS $$
    SELECT (key ->> 'id')::int, c.sla, c.assignee, c.due_at, c.warn_at, c.elapsed, c.remaining, c.state
    FROM align.clocks('leads', as_of) AS c ORDER BY 1, 2
$$;
SELECT * FROM clocks_at('2025-03-03 09:59:59+00');
SELECT * FROM clocks_at('2025-03-03 10:00+00');
SELECT * FROM clocks_at('2025-03-04 09:59:59+00');
SELECT * FROM clocks_at('2025-03-04 10:00+00');
SELECT * FROM clocks_at('2025-03-07 10:00+00');
SELECT * FROM clocks_at('2025-03-10 10:00+00');

-- pauses are cut at that time, and the person is the one of that time; what was overdue
-- stays with the one who had it at the due instant
INSERT INTO leads VALUES (4, 'sal', 'ann', '2025-04-01 08:00+00');
UPDATE leads SET owner = 'bob', at = '2025-04-01 20:00+00' WHERE id = 4;
UPDATE leads SET stage = 'parked', at = '2025-04-02 08:00+00' WHERE id = 4;
UPDATE leads SET owner = 'cyd', at = '2025-04-05 08:00+00' WHERE id = 4;
UPDATE leads SET stage = 'waiting', at = '2025-04-06 08:00+00' WHERE id = 4;
UPDATE leads SET stage = 'sal', at = '2025-04-07 08:00+00' WHERE id = 4;
UPDATE leads SET owner = 'dan', at = '2025-04-08 09:00+00' WHERE id = 4;
UPDATE leads SET owner = 'eve', at = '2025-04-11 08:00+00' WHERE id = 4;
UPDATE leads SET stage = 'parked', at = '2025-04-12 08:00+00' WHERE id = 4;
DELETE FROM leads WHERE id = 4;
CREATE TABLE times (at timestamptz);
INSERT INTO times VALUES ('2025-04-01 09:00+00'), ('2025-04-01 21:00+00'), ('2025-04-02 08:00+00'), ('2025-04-03 08:00+00'), ('2025-04-05 08:00+00'),
    ('2025-04-06 12:00+00'), ('2025-04-07 08:00+00'), ('2025-04-08 10:00+00'), ('2025-04-09 07:59+00'), ('2025-04-09 08:01+00'), ('2025-04-11 09:00+00'), ('2025-04-13 00:00+00');
SELECT at, c.sla, assignee, due_at, warn_at, elapsed, remaining, state FROM times, clocks_at(at) AS c WHERE id = 4 AND c.sla = 'close_it' ORDER BY at;
-- of one lead, the same
SELECT count(*) FROM (
    (SELECT at, key, c.sla, assignee, due_at, state FROM times, align.clocks('leads', at) AS c WHERE key = '{"id": 4}'
     EXCEPT ALL SELECT at, key, c.sla, assignee, due_at, state FROM times, align.clocks('leads', at, 4) AS c)
    UNION ALL
    (SELECT at, key, c.sla, assignee, due_at, state FROM times, align.clocks('leads', at, 4) AS c
     EXCEPT ALL SELECT at, key, c.sla, assignee, due_at, state FROM times, align.clocks('leads', at) AS c WHERE key = '{"id": 4}')) AS different;

-- a merged lead appears as the one into which it was merged
INSERT INTO leads VALUES (5, 'sal', 'ann', '2025-05-05 08:00+00'), (6, 'new', 'bob', '2025-05-07 07:00+00');
UPDATE leads SET stage = 'done', at = '2025-05-06 08:00+00' WHERE id = 5;
SELECT align.merge_leads('leads', 5, 6) > 0 AS merged;
SELECT id, sla, assignee, state FROM clocks_at('2025-05-05 09:00+00') WHERE id IN (5, 6);

-- in the present, what the transaction itself has done counts
BEGIN;
INSERT INTO leads (id, stage, owner) VALUES (7, 'sal', 'ann'), (8, 'sal', 'ann');
UPDATE leads SET stage = 'lost' WHERE id = 8;
SELECT id, sla, assignee, elapsed < '1 minute' AS fresh, state FROM clocks_at(now());
SELECT key, sla FROM align.clocks('leads') WHERE key ->> 'id' IN ('7', '8') ORDER BY sla;
SELECT id, sla FROM clocks_at(now() - interval '1 second') WHERE id IN (7, 8);
ROLLBACK;

-- a lead is read by the index on its key, whatever else there is
INSERT INTO leads SELECT i, 'sal', 'ann', '2025-06-02 08:00+00' FROM generate_series(1001, 6000) AS i;
UPDATE leads SET stage = 'done', at = '2025-06-03 08:00+00' WHERE id BETWEEN 1001 AND 6000;
ANALYZE leads_sla, leads_history;
BEGIN;
SELECT sum(seq_tup_read) AS seq_tup_read, sum(idx_tup_fetch) AS idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relid IN ('leads_sla'::regclass, 'leads_history'::regclass) \gset
SELECT count(*) FROM align.clocks('leads', '2025-06-02 12:00+00', 2000);
SELECT sum(seq_tup_read) - :seq_tup_read AS read_in_sequence, sum(idx_tup_fetch) - :idx_tup_fetch < 20 AS few_by_index
FROM pg_stat_xact_user_tables WHERE relid IN ('leads_sla'::regclass, 'leads_history'::regclass);
COMMIT;
TRUNCATE leads;

-- random journeys at random times: what the pure functions say of the journey by then,
-- and the assignee by the plainest query
CREATE TABLE events (lead int, n int, at timestamptz, stage text, owner text);
SELECT setseed(0.27);
INSERT INTO events
SELECT 10000 + l, n, timestamptz '2025-07-01 00:00+00' + sum(ceil(power(random(), 3) * 200)) OVER (PARTITION BY l ORDER BY n) * interval '30 minutes',
       CASE WHEN n = 1 THEN 'sal' ELSE (ARRAY['new', 'mql', 'sal', 'parked', 'waiting', 'sal', 'parked', 'mql', 'done', 'lost'])[ceil(random() * 10)] END,
       (ARRAY['ann', 'bob', 'cyd', NULL])[ceil(random() * 4)]
FROM generate_series(1, 150) AS l, generate_series(1, 8) AS n;
SELECT align.attach('leads', 'clocks_as_of', assignee => 'owner', changed_at => 'at', mode => 'observe') IS NOT NULL AS observes;
DO $$
DECLARE
    e record;
BEGIN
    FOR e IN SELECT * FROM events ORDER BY n, lead LOOP
        INSERT INTO leads VALUES (e.lead, e.stage, e.owner, e.at)
        ON CONFLICT (id) DO UPDATE SET stage = EXCLUDED.stage, owner = EXCLUDED.owner, at = EXCLUDED.at;
    END LOOP;
END $$;
CREATE TABLE instants AS
SELECT at FROM (SELECT DISTINCT at FROM events ORDER BY at) AS e WHERE random() < 0.1
UNION ALL SELECT timestamptz '2025-07-01 00:00+00' + random() * interval '25 days' FROM generate_series(1, 60);
CREATE TABLE got AS
SELECT at, (key ->> 'id')::int AS lead, c.sla, c.cycle, c.team, c.started_at, c.due_at, c.warn_at, c.elapsed, c.remaining, c.state, c.assignee
FROM instants, align.clocks('leads', at) AS c WHERE (key ->> 'id')::int > 10000;
CREATE TABLE expected AS
SELECT i.at, (j.key ->> 'id')::int AS lead, c.sla, c.cycle, c.team, c.started_at, c.due_at, c.warn_at, c.elapsed, c.remaining, c.state,
       (SELECT e.owner FROM events AS e WHERE e.lead = (j.key ->> 'id')::int
        AND e.at <= CASE WHEN c.state = 'overdue' THEN c.due_at ELSE i.at END ORDER BY e.at DESC, e.n DESC LIMIT 1) AS assignee
FROM instants AS i, align.journeys('leads') AS j, align.sla_clocks(j.lead, align.agreed('clocks_as_of'), i.at) AS c
WHERE c.stopped_at IS NULL AND (j.key ->> 'id')::int > 10000;
SELECT count(*) > 5000 AS enough, count(DISTINCT state) AS states, count(DISTINCT assignee) AS people FROM expected;
SELECT 'got' AS only_in, * FROM (TABLE got EXCEPT ALL TABLE expected) AS t
UNION ALL SELECT 'expected', * FROM (TABLE expected EXCEPT ALL TABLE got) AS t ORDER BY 2, 3, 4 LIMIT 10;
SELECT * FROM align.check('leads');

RESET search_path;
DROP SCHEMA clocks_as_of CASCADE;
