-- lead_time and time_in_stage, against visits that a loop makes of the history.
\set SHOW_CONTEXT never
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

-- Each leg of each lead, once, from the first time to the first time.
CREATE VIEW co.leg AS
WITH lead AS (
    SELECT v.id, bool_or(v.is_late) AS is_late, min(v.at) AS entered_at,
        min(v.at) FILTER (WHERE s.kind = 'won' AND v.is_entry) AS won_at,
        min(v.at) FILTER (WHERE s.step = 2 AND v.is_entry) AS submitted_at
    FROM co.visit AS v LEFT JOIN co.stage AS s USING (stage) GROUP BY v.id
), first_submission AS (
    SELECT DISTINCT ON (v.id) v.id, v.left_at, v.at, v.version,
        v.next_stage IN ('sal', 'nurture', 'disqualified') AS is_decided
    FROM co.visit AS v JOIN co.stage AS s USING (stage) WHERE s.step = 2 AND v.is_entry ORDER BY v.id, v.at
)
SELECT id, 'entry to won' AS leg, is_late, entered_at AS began_at, won_at AS ended_at, NULL::bigint AS working FROM lead WHERE won_at IS NOT NULL
UNION ALL SELECT id, 'entry to to_sales', is_late, entered_at, submitted_at, NULL FROM lead WHERE submitted_at IS NOT NULL
UNION ALL SELECT id, 'to_sales to won', is_late, submitted_at, won_at, NULL FROM lead WHERE won_at >= submitted_at
UNION ALL SELECT s.id, 'to_sales to decision', l.is_late, s.at, s.left_at,
    round(extract(epoch FROM align.working_time(co.hours(s.version, 'sales'), s.at, s.left_at)))::bigint
FROM first_submission AS s JOIN lead AS l USING (id) WHERE s.is_decided;
CREATE VIEW co.timed_leg AS
SELECT g.*, date_trunc('month', g.ended_at AT TIME ZONE 'Europe/Berlin')::date AS month, round(extract(epoch FROM g.ended_at - g.began_at))::bigint AS seconds,
    coalesce(g.working, (SELECT coalesce(sum(v.working), 0)::bigint FROM co.visit AS v WHERE v.id = g.id AND v.at >= g.began_at AND v.at < g.ended_at)) AS working_seconds
FROM co.leg AS g;
-- The value of which at least the share p of all values is no greater.
CREATE FUNCTION co.percentile(v bigint[], p numeric, fewest int) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN cardinality(v) >= fewest THEN (SELECT x FROM unnest(v) AS x ORDER BY x OFFSET ceil(p * cardinality(v)) - 1 LIMIT 1) END $$;

SELECT a, c.* FROM unnest('{2025-03-10,2025-05-20,2025-12-15}'::timestamptz[]) AS a,
    co.compare(a, 'SELECT row_key, month, month_start_at, is_complete, leg, n, late, median_seconds, p90_seconds, median_working_seconds, p90_working_seconds, as_of FROM r.lead_time($a)',
        'SELECT month || '' '' || leg, month, month::timestamp AT TIME ZONE ''Europe/Berlin'', month > ''2025-02-15'', leg, n, late,
            co.percentile(s, 0.5, 5), co.percentile(s, 0.9, 20), co.percentile(w, 0.5, 5), co.percentile(w, 0.9, 20), $a
         FROM (SELECT month, leg, count(*) FILTER (WHERE NOT is_late) AS n, count(*) FILTER (WHERE is_late) AS late,
                   array_agg(seconds) FILTER (WHERE NOT is_late) AS s, array_agg(working_seconds) FILTER (WHERE NOT is_late) AS w
               FROM co.timed_leg GROUP BY month, leg) AS x') AS c;
SELECT leg, sum(n) AS n, sum(late) AS late, count(median_seconds) AS medians, count(p90_working_seconds) AS p90s, bool_and(median_working_seconds < median_seconds) AS fewer
FROM r.lead_time GROUP BY leg ORDER BY leg;

-- Time in stage; visits to open stages that go on at the end of each month.
SELECT a, c.* FROM unnest('{2025-03-10,2025-05-20,2025-12-15}'::timestamptz[]) AS a,
    co.compare(a, 'SELECT row_key, month, month_start_at, as_of, is_complete, stage, stage_order, left_forward, left_back, left_lost, left_gone, left_other, late, n,
            median_seconds, p90_seconds, median_working_seconds, p90_working_seconds, open_at_end, open_median_seconds FROM r.time_in_stage($a)',
        'SELECT m.month || '' '' || g.stage, m.month, m.start_at, m.end_at, m.month > ''2025-02-15'', g.stage, g.n::int, l.forward, l.back, l.lost, l.gone, l.other, l.late, cardinality(l.s)::bigint,
            co.percentile(l.s, 0.5, 5), co.percentile(l.s, 0.9, 20), co.percentile(l.w, 0.5, 5), co.percentile(l.w, 0.9, 20), o.n, co.percentile(o.ages, 0.5, 5)
         FROM (SELECT m::date AS month, m AT TIME ZONE ''Europe/Berlin'' AS start_at, least((m + interval ''1 month'') AT TIME ZONE ''Europe/Berlin'', $a) AS end_at
               FROM generate_series(timestamp ''2025-01-01'', ''2025-12-01'', interval ''1 month'') AS m WHERE m AT TIME ZONE ''Europe/Berlin'' <= $a) AS m
            CROSS JOIN (SELECT stage, n FROM co.stage UNION ALL VALUES (''limbo'', NULL::int)) AS g
            CROSS JOIN LATERAL (
                SELECT count(*) FILTER (WHERE x.kind = ''won'' OR x.kind = ''open'' AND x.n > g.n) AS forward,
                    count(*) FILTER (WHERE x.kind = ''open'' AND x.n < g.n) AS back,
                    count(*) FILTER (WHERE x.kind = ''lost'') AS lost,
                    count(*) FILTER (WHERE v.next_stage IS NULL) AS gone,
                    count(*) FILTER (WHERE v.next_stage = ''limbo'' OR g.stage = ''limbo'' AND x.kind = ''open'') AS other,
                    count(*) FILTER (WHERE v.is_late) AS late,
                    coalesce(array_agg(v.elapsed) FILTER (WHERE NOT v.is_late), ''{}'') AS s, array_agg(v.working) FILTER (WHERE NOT v.is_late) AS w
                FROM co.visit AS v LEFT JOIN co.stage AS x ON x.stage = v.next_stage
                WHERE v.stage = g.stage AND v.left_at >= m.start_at AND v.left_at < (m.month + interval ''1 month'') AT TIME ZONE ''Europe/Berlin'') AS l
            CROSS JOIN LATERAL (
                SELECT count(*) AS n, array_agg(round(extract(epoch FROM m.end_at - v.at))::bigint) FILTER (WHERE NOT v.is_late) AS ages
                FROM co.visit AS v LEFT JOIN co.stage AS x USING (stage)
                WHERE v.stage = g.stage AND coalesce(x.kind, ''open'') = ''open'' AND v.at <= m.end_at AND (v.left_at > m.end_at OR v.left_at IS NULL)) AS o
         WHERE l.forward + l.back + l.lost + l.gone + l.other + o.n > 0') AS c;
SELECT sum(left_forward) AS forward, sum(left_back) AS back, sum(left_lost) AS lost, sum(left_gone) AS gone, sum(left_other) AS other, sum(late) AS late, count(open_median_seconds) AS medians FROM r.time_in_stage;

-- Before the first lead there is nothing.
SELECT count(*) FROM r.lead_time('2024-01-01');
SELECT count(*) FROM r.time_in_stage('2024-01-01');
