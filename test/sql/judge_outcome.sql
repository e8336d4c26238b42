-- How a clock ends: one that still runs at its due instant is missed, whatever ends it; one
-- that ends before, without being met, is cancelled.  The judge, the triggers and backtest()
-- agree with the plainest queries.
SET timezone = 'UTC';
SET datestyle = ISO;
SET intervalstyle = postgres;
SET client_min_messages = warning;
CREATE SCHEMA judge_outcome;
SET search_path = judge_outcome;

SELECT align.agree('judge_outcome', $$
    stage n, m held by marketing;
    stage s, p held by sales;
    won w;
    lost x, l;
    entry n, m, s, p;
    success path n -> m -> s -> w;
    path m -> p -> s -> p -> m -> n;
    path any -> x;
    path any -> l;
    handoff h: m from marketing to sales, accept s, reject l, within 4 hours;
    sla q by sales: from s to w, l within 10 hours;
    sla r by sales: from s to w within 6 hours, pause p;
$$);

-- at the due instant exactly, and one microsecond before and after, by every kind of end
SELECT stage, delta, (SELECT state FROM align.sla_clocks(align.lead_agg(at, s), align.agreed('judge_outcome'), '2025-02-01') WHERE sla = 'h')
FROM unnest('{s,l,x,w,n,p,unheard}'::text[]) WITH ORDINALITY AS e (stage, no), unnest('{-1,0,1}'::int[]) AS delta,
     LATERAL (VALUES (timestamptz '2025-01-01 00:00+00', 'm'), ('2025-01-01 04:00+00'::timestamptz + delta * interval '1 microsecond', stage)) AS v (at, s)
GROUP BY no, stage, delta ORDER BY no, delta;
-- the end of a pause: as much time is left then as when it began
SELECT paused_at, stage, state FROM unnest('{05:59,06:00,06:01}'::time[]) AS paused_at, unnest('{x,w}'::text[]) AS stage,
    LATERAL (SELECT align.lead_agg(v.at, v.s) AS lead FROM (VALUES (timestamptz '2025-01-01 00:00+00', 's'), ('2025-01-01 00:00+00'::timestamptz + paused_at::interval, 'p'), ('2025-01-03 00:00+00', stage)) AS v (at, s)) AS j,
    LATERAL align.sla_clocks(lead, align.agreed('judge_outcome'), '2025-02-01') AS c WHERE sla = 'r' ORDER BY paused_at, stage;

-- random journeys on a coarse grid of times, so that many ends are at a due instant
SELECT setseed(0.3);
CREATE TABLE events AS
SELECT l AS lead, n, timestamptz '2025-01-01 00:00+00' + sum(ceil(random() * 6)) OVER (PARTITION BY l ORDER BY n) * interval '1 hour' AS at,
       (ARRAY['n', 'm', 's', 'm', 's', 'p', 'w', 'x', 'l', 'unheard'])[ceil(random() * CASE n WHEN 1 THEN 6 ELSE 10 END)] AS stage
FROM generate_series(1, 600) AS l, generate_series(1, 7) AS n;
CREATE TABLE moves AS
SELECT lead, at, stage FROM (SELECT *, lag(stage) OVER (PARTITION BY lead ORDER BY at) AS before FROM events) AS e WHERE stage IS DISTINCT FROM before;
CREATE FUNCTION outcome(met boolean, ended_at timestamptz, due_at timestamptz) RETURNS text LANGUAGE sql AS $$
    SELECT CASE WHEN ended_at IS NULL THEN 'open' WHEN met AND ended_at <= due_at THEN 'met' WHEN ended_at < due_at THEN 'cancelled' ELSE 'missed' END
$$;
CREATE TABLE expected AS
SELECT lead, 'h' AS sla, at AS started_at, outcome(next IN ('s', 'l'), ended_at, at + interval '4 hours') AS outcome
FROM (SELECT *, lead(stage) OVER j AS next, lead(at) OVER j AS ended_at FROM moves WINDOW j AS (PARTITION BY lead ORDER BY at)) AS m WHERE stage = 'm'
UNION ALL
-- from the first s after an end to the next end
SELECT lead, 'q', started_at, outcome(stage IN ('w', 'l'), at, started_at + interval '10 hours')
FROM (SELECT lead, min(at) FILTER (WHERE stage = 's') AS started_at, max(at) FILTER (WHERE stage IN ('w', 'l', 'x')) AS at, max(stage) FILTER (WHERE stage IN ('w', 'l', 'x')) AS stage
      FROM (SELECT *, count(*) FILTER (WHERE stage IN ('w', 'l', 'x')) OVER (PARTITION BY lead ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS cycle FROM moves) AS m
      GROUP BY lead, cycle) AS c
WHERE started_at IS NOT NULL;
CREATE TABLE judged AS
SELECT lead, sla, started_at, CASE WHEN stopped_at IS NULL THEN 'open' ELSE state END AS outcome
FROM (SELECT lead, align.lead_agg(at, stage) AS journey FROM events GROUP BY lead) AS j, align.sla_clocks(journey, align.agreed('judge_outcome'), '2025-06-01') WHERE sla <> 'r';
SELECT sla, outcome, count(*) > 50 AS many FROM expected GROUP BY sla, outcome ORDER BY sla, outcome;
SELECT * FROM ((TABLE expected EXCEPT ALL TABLE judged) UNION ALL (TABLE judged EXCEPT ALL TABLE expected)) AS different ORDER BY 1, 2, 3 LIMIT 5;

-- the triggers
CREATE TABLE leads (id int PRIMARY KEY, stage text, at timestamptz, gone boolean);
SELECT align.attach('leads', 'judge_outcome', changed_at => 'at', mode => 'observe', live => 'gone IS NOT TRUE');
DO $$
DECLARE
    e record;
BEGIN
    FOR e IN SELECT * FROM events ORDER BY n, lead LOOP
        INSERT INTO leads VALUES (e.lead, e.stage, e.at) ON CONFLICT (id) DO UPDATE SET stage = EXCLUDED.stage, at = EXCLUDED.at;
    END LOOP;
END $$;
CREATE TABLE recorded AS
SELECT id AS lead, sla, started_at, coalesce(outcome, 'open') AS outcome FROM leads_sla WHERE sla <> 'r';
SELECT * FROM ((TABLE expected EXCEPT ALL TABLE recorded) UNION ALL (TABLE recorded EXCEPT ALL TABLE expected)) AS different ORDER BY 1, 2, 3 LIMIT 5;
SELECT * FROM align.check('leads');
-- backtest(): what is still open is overdue, or not, by the last time of all journeys
CREATE FUNCTION tested() RETURNS TABLE (sla text, missed numeric) LANGUAGE sql AS $$
    SELECT substr(rule, 8), sum(entries) FROM align.backtest('leads', align.agreed('judge_outcome')) WHERE rule IN ('missed h', 'missed q') GROUP BY 1
$$;
CREATE FUNCTION due_at(sla text, started_at timestamptz) RETURNS timestamptz LANGUAGE sql AS $$
    SELECT started_at + CASE sla WHEN 'h' THEN interval '4 hours' ELSE '10 hours' END
$$;
SELECT sla, missed, missed = count(*) AS as_expected
FROM tested() JOIN expected USING (sla)
WHERE outcome = 'missed' OR outcome = 'open' AND due_at(sla, started_at) < (SELECT max(at) FROM events)
GROUP BY sla, missed ORDER BY sla;

-- the end of a life: deleted, no longer live, truncated; and the stage set to null
SELECT count(*) > 100 AS many_open FROM recorded WHERE outcome = 'open';
UPDATE leads SET gone = true WHERE id % 4 = 1;
DELETE FROM leads WHERE id % 4 = 2;
UPDATE leads SET stage = NULL WHERE id % 4 = 3;
TRUNCATE leads;
SELECT l.outcome, count(*) = (SELECT count(*) FROM recorded WHERE outcome = 'open') AS all_of_them
FROM leads_sla AS l JOIN recorded AS r ON (r.lead, r.sla, r.started_at) = (l.id, l.sla, l.started_at) WHERE r.outcome = 'open' GROUP BY 1;
SELECT sla, missed = count(*) AS as_expected FROM tested() JOIN expected USING (sla) WHERE outcome IN ('missed', 'open') GROUP BY sla, missed ORDER BY sla;
-- in time, they are cancelled
INSERT INTO leads (id, stage) SELECT i, 'm' FROM generate_series(1001, 1004) AS i;
UPDATE leads SET gone = true WHERE id = 1001;
DELETE FROM leads WHERE id = 1002;
UPDATE leads SET stage = NULL WHERE id = 1003;
TRUNCATE leads;
SELECT id, sla, outcome FROM leads_sla WHERE id > 1000 ORDER BY id;
SELECT * FROM align.check('leads');

-- clocks that an earlier release recorded: it called all of these cancelled
ALTER TABLE leads_sla DISABLE TRIGGER USER;
UPDATE leads_sla SET outcome = 'cancelled' FROM expected AS e
WHERE (e.lead, e.sla, e.started_at, e.outcome) = (id, leads_sla.sla, leads_sla.started_at, 'missed') AND stopped_at IN (SELECT at FROM events WHERE lead = id AND stage NOT IN ('s', 'w', 'l'));
ALTER TABLE leads_sla ENABLE TRIGGER USER;
SELECT problem, regexp_replace(recorded, '^\S+', 'sla') AS recorded, regexp_replace(expected, '^\S+', 'sla') AS expected, count(*) > 20 AS many
FROM align.check('leads') GROUP BY 1, 2, 3 ORDER BY 2 LIMIT 2;
SELECT align.rebuild_clocks('leads') > 0 AS rebuilt;
SELECT * FROM align.check('leads');

RESET search_path;
DROP SCHEMA judge_outcome CASCADE;
