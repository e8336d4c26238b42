-- The incidences in pipeline and funnel_by_month, against Aalen and Johansen's
-- estimator written out in a loop, over visits that a loop found.
\set SHOW_CONTEXT never
\set agreement 'incidence reports'
\getenv dir PG_ABS_SRCDIR
\set company :dir /report/company.sql
SET client_min_messages = warning;
\set ECHO none
\o /dev/null
\i :company
\o
\set ECHO all
RESET client_min_messages;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET jit = off;

-- The share of cases that left with an outcome by a time, and how many are at
-- risk then; NULL after the last time, while one is open.
CREATE FUNCTION co.share(seconds float8[], outcomes text[], outcome text, days int, OUT share text, OUT at_risk bigint)
    LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    t float8; z float8 := days * 86400.0; alive float8 := 1; happened float8 := 0; n bigint; d1 bigint; d bigint;
BEGIN
    SELECT count(*) INTO at_risk FROM unnest(seconds) AS s WHERE s >= z;
    FOR t IN SELECT DISTINCT s FROM unnest(seconds) AS s WHERE s <= z ORDER BY s LOOP
        SELECT count(*) FILTER (WHERE s >= t), count(*) FILTER (WHERE s = t AND o = outcome), count(*) FILTER (WHERE s = t AND o IS NOT NULL)
            INTO n, d1, d FROM unnest(seconds, outcomes) AS x (s, o);
        happened := happened + alive * d1 / n;
        alive := alive * (n - d) / n;
    END LOOP;
    IF at_risk > 0 OR array_position(outcomes, NULL) IS NULL THEN share := round(happened::numeric, 9)::text; END IF;
END $$;

-- The lead's end: lost, if it is in a lost stage, or gone, if it is in none.
CREATE VIEW co.ending AS
SELECT v.id, CASE WHEN count(*) FILTER (WHERE v.left_at IS NULL) = 0 THEN 'gone'
        WHEN bool_or(v.left_at IS NULL AND s.kind = 'lost') THEN 'lost' END AS outcome,
    CASE WHEN count(*) FILTER (WHERE v.left_at IS NULL) = 0 THEN max(v.left_at) ELSE max(v.at) FILTER (WHERE v.left_at IS NULL) END AS at
FROM co.visit AS v LEFT JOIN co.stage AS s USING (stage)
GROUP BY v.id;

-- The pipeline: leads that entered an open stage of the path in the year before.
CREATE VIEW co.entered AS
SELECT v.stage, extract(epoch FROM coalesce(w.at, CASE WHEN e.outcome IS NOT NULL THEN e.at END, i.a) - v.entered_at)::float8 AS seconds,
    CASE WHEN w.at IS NOT NULL THEN 'won' ELSE e.outcome END AS outcome
FROM co.instant AS i, co.visit AS v
    JOIN co.stage AS s ON s.stage = v.stage AND s.kind = 'open' AND s.step IS NOT NULL
    JOIN co.ending AS e ON e.id = v.id,
    LATERAL (SELECT min(x.at) AS at FROM co.visit AS x JOIN co.stage AS y ON y.stage = x.stage AND y.kind = 'won'
             WHERE x.id = v.id AND x.at >= v.entered_at) AS w
WHERE v.no = 1 AND NOT v.is_late AND v.entered_at >= i.a - interval '8760 hours';

SELECT a, c.* FROM unnest('{2025-03-10,2025-05-20,2025-09-15 12:30Z,2025-12-15}'::timestamptz[]) AS a,
    co.compare(a, 'SELECT row_key, entered_n, round(won_30_share::numeric, 9)::text, won_30_at_risk, round(won_90_share::numeric, 9)::text, won_90_at_risk FROM r.pipeline($a)',
        'SELECT s.stage, x.n, CASE WHEN x.n >= 20 THEN t.share END, t.at_risk, CASE WHEN x.n >= 20 THEN n.share END, n.at_risk
         FROM co.stage AS s, LATERAL (SELECT count(*) AS n, array_agg(e.seconds) AS seconds, array_agg(e.outcome) AS outcomes FROM co.entered AS e WHERE e.stage = s.stage) AS x,
             LATERAL co.share(x.seconds, x.outcomes, ''won'', 30) AS t, LATERAL co.share(x.seconds, x.outcomes, ''won'', 90) AS n
         WHERE s.kind = ''open'' AND s.step IS NOT NULL') AS c;
-- There is something to compare: every kind of end, and shares of all stages.
SELECT count(*) FILTER (WHERE outcome = 'won') > 5 AS won, count(*) FILTER (WHERE outcome = 'lost') > 5 AS lost, count(*) FILTER (WHERE outcome = 'gone') > 5 AS gone,
    count(*) FILTER (WHERE outcome IS NULL) > 5 AS open, count(*) FILTER (WHERE seconds = 0) AS at_once FROM co.entered;
SELECT stage, entered_n, round(won_30_share::numeric, 3) AS by_30, round(won_90_share::numeric, 3) AS by_90, won_90_at_risk AS at_risk,
    won_90_lower < won_90_share AND won_90_share < won_90_upper AS between_bounds FROM r.pipeline('2025-12-15') ORDER BY stage_order;
-- while nobody is open for so long, there is no share
SELECT stage, entered_n, won_30_share, won_30_at_risk, won_90_share FROM r.pipeline('2025-03-10') ORDER BY stage_order;

-- The funnel by month: time from entry to each step, or a later one.
CREATE VIEW co.reaching AS
SELECT date_trunc('month', l.at AT TIME ZONE 'Europe/Berlin')::date AS month, s.step,
    extract(epoch FROM coalesce(r.at, CASE WHEN e.outcome IS NOT NULL THEN e.at END, i.a) - l.at)::float8 AS seconds,
    CASE WHEN r.at IS NOT NULL THEN 'reached' ELSE e.outcome END AS outcome
FROM co.instant AS i, (SELECT v.id, min(v.at) AS at FROM co.visit AS v WHERE NOT v.is_late GROUP BY v.id) AS l
    JOIN co.ending AS e USING (id),
    generate_series(1, 5) AS s (step),
    LATERAL (SELECT min(x.at) AS at FROM co.visit AS x JOIN co.stage AS y USING (stage)
             WHERE x.id = l.id AND x.is_entry AND (y.kind = 'won' OR y.step >= s.step)) AS r;

SELECT a, c.* FROM unnest('{2025-03-10,2025-06-14 22:00Z,2025-12-15}'::timestamptz[]) AS a,
    co.compare(a, 'SELECT month, step, round(reached_30_rate::numeric, 9)::text, reached_30_at_risk, round(reached_90_rate::numeric, 9)::text, reached_90_at_risk FROM r.funnel_by_month($a)',
        'SELECT x.month, x.step, CASE WHEN x.yes THEN t.share END, CASE WHEN x.yes THEN t.at_risk END, CASE WHEN x.yes THEN n.share END, CASE WHEN x.yes THEN n.at_risk END
         FROM (SELECT month, step, month > ''2025-02-15'' AS yes, array_agg(seconds) AS seconds, array_agg(outcome) AS outcomes FROM co.reaching GROUP BY month, step) AS x,
             LATERAL co.share(x.seconds, x.outcomes, ''reached'', 30) AS t, LATERAL co.share(x.seconds, x.outcomes, ''reached'', 90) AS n') AS c;
SELECT month, leads, is_settled, round(matured_rate::numeric, 3) AS matured, round(reached_30_rate::numeric, 3) AS by_30, round(reached_90_rate::numeric, 3) AS by_90, reached_90_at_risk AS at_risk
FROM r.funnel_by_month('2025-09-15 12:30Z') WHERE stage = 'customer' ORDER BY month;
-- The bounds are where something has happened, and around the rate.
SELECT count(*) > 20 AS some, count(*) FILTER (WHERE (reached_90_lower IS NULL) <> (reached_90_rate IS NULL OR reached_90_rate IN (0, 1))
    OR (reached_90_lower IS NULL) <> (reached_90_upper IS NULL) OR NOT reached_90_rate BETWEEN reached_90_lower AND reached_90_upper
    OR reached_30_rate > reached_90_rate) AS wrong FROM r.funnel_by_month('2025-12-15');

-- Views are the functions of now, and there is nothing before the first lead.
SELECT (SELECT count(*) FROM (SELECT month, step, reached_30_rate, reached_90_lower FROM r.funnel_by_month EXCEPT SELECT month, step, reached_30_rate, reached_90_lower FROM r.funnel_by_month(now())) AS x) AS months,
    (SELECT count(*) FROM (SELECT stage, entered_n, won_30_share, won_90_lower FROM r.pipeline EXCEPT SELECT stage, entered_n, won_30_share, won_90_lower FROM r.pipeline(now())) AS x) AS stages;
SELECT stage, entered_n, won_30_share, won_30_at_risk FROM r.pipeline('-infinity') ORDER BY stage_order;

-- Stored, the reports say the same.
CREATE TABLE co.plain AS SELECT * FROM r.pipeline('2025-12-15');
CREATE TABLE co.plain_months AS SELECT * FROM r.funnel_by_month('2025-12-15');
SELECT align.create_reports('co.lead', 'r', time_zone => 'Europe/Berlin', settle => '45 days', complete_since => '2025-02-15 23:00+00', stored => true) > 0 AS created;
SELECT (SELECT count(*) FROM (SELECT * FROM r.pipeline('2025-12-15') EXCEPT SELECT * FROM co.plain) AS x) AS stages,
    (SELECT count(*) FROM (SELECT * FROM r.funnel_by_month('2025-12-15') EXCEPT SELECT * FROM co.plain_months) AS x) AS months,
    (SELECT count(*) FROM co.plain) AS n, (SELECT count(*) > 20 FROM co.plain_months) AS many;
SET client_min_messages = warning;
DROP SCHEMA r CASCADE;
DROP SCHEMA co CASCADE;
