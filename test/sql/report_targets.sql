-- scorecard, target_by_day, coverage and required, against plain SQL over the history
-- and a list of the targets.
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

-- The targets, "second" is the stage that the second version renames.
CREATE TABLE co.target (version int, no int, teams text, is_joint boolean, kind text, stage text, from_stage text, goal numeric, per text, within interval);
INSERT INTO co.target VALUES
    (1, 1, 'marketing', false, 'count', 'second', NULL, 20, 'month', NULL), (1, 2, 'marketing, sales', true, 'count', 'customer', NULL, 4, 'month', NULL),
    (1, 3, 'sales', false, 'amount', 'customer', NULL, 6000, 'quarter', NULL), (1, 4, 'sales', false, 'sla', NULL, NULL, 70, 'month', NULL),
    (1, 5, 'sales', false, 'conversion', 'customer', 'second', 30, 'month', '720 hours'), (1, 6, 'marketing', false, 'conversion', 'second', 'inquiry', 45, 'quarter', '1080 hours'),
    (1, 7, 'sales', false, 'count', 'opportunity', NULL, 1, 'day', NULL),
    (2, 1, 'marketing', false, 'count', 'second', NULL, 25, 'month', NULL), (2, 2, 'marketing, sales', true, 'count', 'customer', NULL, 4, 'month', NULL),
    (2, 3, 'sales', false, 'amount', 'customer', NULL, 6000, 'month', NULL), (2, 4, 'sales', false, 'sla', NULL, NULL, 15, 'week', NULL),
    (2, 5, 'sales', false, 'conversion', 'customer', 'second', 30, 'month', '720 hours'), (2, 6, 'marketing', false, 'conversion', 'second', 'inquiry', 45, 'quarter', '1080 hours');
-- The periods from February on; quarters begin in February, May, August and November.
CREATE VIEW co.period AS
SELECT per, d::date AS first_day, z::date AS next_day, d AT TIME ZONE 'Europe/Berlin' AS start_at, z AT TIME ZONE 'Europe/Berlin' AS end_at,
    CASE WHEN d AT TIME ZONE 'Europe/Berlin' < '2025-05-14' THEN 1 ELSE 2 END AS version
FROM (SELECT 'day' AS per, d, d + interval '1 day' AS z FROM generate_series(timestamp '2025-02-10', '2025-12-31', '1 day') AS d
      UNION ALL SELECT 'week', d, d + interval '1 week' FROM generate_series(timestamp '2025-02-10', '2025-12-31', '1 week') AS d
      UNION ALL SELECT 'month', d, d + interval '1 month' FROM generate_series(timestamp '2025-02-01', '2025-12-31', '1 month') AS d
      UNION ALL SELECT 'quarter', d, d + interval '3 months' FROM generate_series(timestamp '2025-02-01', '2025-12-31', '3 months') AS d) AS p, co.instant AS i
WHERE d AT TIME ZONE 'Europe/Berlin' <= i.a;
CREATE VIEW co.first_entries AS
SELECT v.id, v.stage, min(v.at) AS at, bool_and(v.is_late) AS is_late,
    (SELECT g.kind FROM co.visit AS x LEFT JOIN co.stage AS g USING (stage) WHERE x.id = v.id ORDER BY x.at DESC, x.left_at DESC NULLS FIRST LIMIT 1) AS last_kind,
    (SELECT bool_or(x.left_at IS NULL AND coalesce(g.kind, 'open') = 'open') FROM co.visit AS x LEFT JOIN co.stage AS g USING (stage) WHERE x.id = v.id) AS is_open,
    (SELECT e.amount FROM co.entry AS e WHERE e.id = v.id AND e.event <> 'touch' AND e.amount IS NOT NULL ORDER BY e.at DESC, e.entry_no DESC LIMIT 1) AS amount
FROM co.visit AS v WHERE v.is_entry GROUP BY v.id, v.stage;
CREATE TABLE co.first_entry AS TABLE co.first_entries WITH NO DATA;
CREATE FUNCTION co.filled(a timestamptz) RETURNS timestamptz LANGUAGE plpgsql AS $$
BEGIN
    PERFORM co.look(a);
    DELETE FROM co.first_entry;
    INSERT INTO co.first_entry SELECT * FROM co.first_entries;
    ANALYZE co.visit, co.first_entry;
    RETURN a;
END $$;

CREATE VIEW co.score AS
SELECT t.no, t.teams, t.is_joint, CASE t.kind WHEN 'sla' THEN 'to_sales' WHEN 'count' THEN s.stage WHEN 'amount' THEN 'amount of ' || s.stage ELSE s.from_stage || ' to ' || s.stage END AS metric,
    t.kind, t.per, p.first_day, p.next_day - 1 AS last_day, p.start_at, p.end_at, t.goal, t.within, p.version, s.stage, n.*,
    EXISTS (SELECT WHERE p.start_at < '2025-05-14' AND p.end_at > '2025-05-14' AND i.a >= '2025-05-14'
            AND NOT EXISTS (SELECT FROM co.target AS x WHERE x.version = 2 AND (x.teams, x.kind, x.stage, x.from_stage, x.goal, x.per, x.within)
                IS NOT DISTINCT FROM (t.teams, t.kind, t.stage, t.from_stage, t.goal, t.per, t.within))) AS goal_changed,
    c.hours, i.a,
    CASE WHEN p.end_at <= i.a THEN 1
        WHEN align.working_time(c.hours, p.start_at, p.end_at) = '0' THEN extract(epoch FROM i.a - p.start_at) / extract(epoch FROM p.end_at - p.start_at)
        ELSE extract(epoch FROM align.working_time(c.hours, p.start_at, i.a)) / extract(epoch FROM align.working_time(c.hours, p.start_at, p.end_at)) END::float8 AS share,
    align.working_time(c.hours, p.start_at, p.end_at) > '0' AS works
FROM co.period AS p JOIN co.target AS t USING (version, per) CROSS JOIN co.instant AS i
    CROSS JOIN LATERAL (SELECT CASE t.stage WHEN 'second' THEN co.second_stage() ELSE t.stage END AS stage, CASE t.from_stage WHEN 'second' THEN co.second_stage() ELSE t.from_stage END AS from_stage OFFSET 0) AS s
    CROSS JOIN LATERAL (SELECT co.hours(p.version, t.teams) AS hours OFFSET 0) AS c
    CROSS JOIN LATERAL (
        -- counts and amounts
        SELECT CASE t.kind WHEN 'count' THEN count(*) FILTER (WHERE f.counts) ELSE coalesce(sum(f.amount) FILTER (WHERE f.counts), 0) END AS numerator, NULL::numeric AS denominator,
            (SELECT count(*) FROM co.visit AS v WHERE v.stage = s.stage AND v.is_entry AND v.at >= p.start_at AND v.at < p.end_at AND v.at > (SELECT x.at FROM co.first_entry AS x WHERE x.id = v.id AND x.stage = v.stage)) AS repeats,
            CASE s.stage WHEN 'customer' THEN count(*) FILTER (WHERE NOT f.counts) END AS reversed, NULL::bigint AS still_open,
            CASE t.kind WHEN 'amount' THEN count(*) FILTER (WHERE f.counts AND f.amount IS NULL) END AS amount_missing
        FROM (SELECT x.*, s.stage <> 'customer' OR x.last_kind = 'won' AS counts FROM co.first_entry AS x WHERE x.stage = s.stage AND x.at >= p.start_at AND x.at < p.end_at) AS f
        WHERE t.kind IN ('count', 'amount') HAVING t.kind IN ('count', 'amount')
        -- clocks that were due
        UNION ALL SELECT count(*) FILTER (WHERE k.due_at <= i.a AND k.outcome = 'met'), count(*) FILTER (WHERE k.due_at <= i.a AND k.outcome IS DISTINCT FROM 'cancelled'), NULL, NULL,
            count(*) FILTER (WHERE k.due_at > i.a AND (k.stopped_at IS NULL OR k.stopped_at > i.a)), NULL
        FROM co.lead_sla AS k WHERE t.kind = 'sla' AND k.sla = 'to_sales' AND k.started_at <= i.a AND k.due_at >= p.start_at AND k.due_at < p.end_at HAVING t.kind = 'sla'
        -- cohorts
        UNION ALL SELECT count(*) FILTER (WHERE b.at - f.at BETWEEN '0' AND t.within), count(*), NULL, NULL,
            count(*) FILTER (WHERE (b.at - f.at BETWEEN '0' AND t.within) IS NOT TRUE AND f.is_open AND i.a - f.at < t.within), NULL
        FROM co.first_entry AS f LEFT JOIN co.first_entry AS b ON b.id = f.id AND b.stage = s.stage
        WHERE t.kind = 'conversion' AND NOT f.is_late AND f.stage = s.from_stage AND f.at >= p.start_at AND f.at < p.end_at HAVING t.kind = 'conversion') AS n;

CREATE VIEW co.scorecard AS
SELECT per || ' ' || first_day || ' ' || no AS row_key, no, teams, is_joint, metric, kind, per, first_day, last_day, goal, round(e.actual, 2) AS actual,
    CASE WHEN kind = 'count' THEN 'leads' WHEN kind = 'amount' THEN 'amount' ELSE '%' END AS unit, numerator, denominator, repeats, reversed, still_open, amount_missing,
    share, CASE WHEN denominator IS NULL THEN round(goal * share::numeric, 2) ELSE goal END AS goal_today,
    CASE WHEN denominator IS NULL AND share >= 0.2 THEN round(e.actual / share::numeric, 2) END AS expected_end,
    CASE WHEN kind = 'conversion' AND NOT e.is_settled THEN round(100 * numerator / nullif(denominator, 0), 2) END AS lower,
    CASE WHEN kind = 'conversion' AND NOT e.is_settled THEN round(100 * (numerator + still_open) / nullif(denominator, 0), 2) END AS upper,
    (e.actual / goal)::float8 AS attainment,
    CASE WHEN denominator = 0 OR e.actual IS NULL AND end_at + within <= a THEN 'no data'
        WHEN e.actual IS NULL THEN 'open'
        WHEN kind = 'sla' AND end_at > a THEN CASE WHEN e.actual < goal THEN 'behind' ELSE 'on track' END
        WHEN e.actual >= goal THEN CASE WHEN e.actual = goal THEN 'met' ELSE 'exceeded' END
        WHEN denominator IS NULL AND NOT works THEN 'no data'
        WHEN end_at <= a THEN 'missed'
        WHEN e.actual >= goal * share::numeric THEN 'on track' ELSE 'behind' END AS status,
    goal_changed, start_at >= '2025-02-15 23:00Z' AS is_complete, version, a, stage, start_at, end_at, hours
FROM co.score
    CROSS JOIN LATERAL (SELECT kind <> 'conversion' OR end_at + within <= a AND start_at >= '2025-02-15 23:00Z' AS is_settled) AS d
    CROSS JOIN LATERAL (SELECT d.is_settled, CASE WHEN denominator IS NULL THEN numerator WHEN d.is_settled THEN 100 * numerator / nullif(denominator, 0) END AS actual) AS e;

SELECT a, c.* FROM unnest('{2025-03-10 09:00Z,2025-05-20 11:00Z,2025-09-15 12:30Z}'::timestamptz[]) AS a,
    co.compare(co.filled(a), 'SELECT * FROM r.scorecard($a)', 'SELECT row_key, no, teams, is_joint, metric, kind, per, first_day, last_day, goal, actual, unit, numerator, denominator, repeats, reversed, still_open, amount_missing,
        share, goal_today, expected_end, lower, upper, attainment, status, goal_changed, is_complete, version, a FROM co.scorecard') AS c;
SELECT metric_kind, status, count(*) AS periods, sum(repeats) AS repeats, sum(reversed) AS reversed, sum(open) AS open, sum(amount_missing) AS missing, count(*) FILTER (WHERE goal_changed) AS changed
FROM r.scorecard('2025-09-15 12:30Z') GROUP BY metric_kind, status ORDER BY metric_kind, status;
SELECT metric, period_start, version, goal, goal_changed FROM r.scorecard('2025-06-15') WHERE period IN ('month', 'quarter') AND period_start = '2025-05-01' ORDER BY target_no;

-- The way to each target, day by day; nothing is known after the instant.
SELECT a, c.* FROM unnest('{2025-05-20 11:00Z}'::timestamptz[]) AS a,
    co.compare(co.filled(a), 'SELECT row_key, target_no, teams, metric, metric_kind, period, period_start, on_date, is_working_day, actual_to_date, goal_to_date, gap, as_of FROM r.target_by_day($a)',
        'SELECT c.per || '' '' || d.day || '' '' || c.no, c.no, c.teams, c.metric, c.kind, c.per, c.first_day, d.day, align.working_time(c.hours, d.start_at, d.end_at) > ''0'', n.actual, round(g.goal, 2), round(n.actual - g.goal, 2), $a
         FROM co.scorecard AS c
            CROSS JOIN LATERAL (SELECT x::date AS day, x AT TIME ZONE ''Europe/Berlin'' AS start_at, (x + interval ''1 day'') AT TIME ZONE ''Europe/Berlin'' AS end_at
                FROM generate_series(c.first_day::timestamp, c.last_day, interval ''1 day'') AS x) AS d
            CROSS JOIN LATERAL (SELECT CASE WHEN d.start_at <= $a THEN CASE c.kind WHEN ''count'' THEN count(*) ELSE coalesce(sum(f.amount), 0) END END AS actual
                FROM co.first_entry AS f WHERE f.stage = c.stage AND f.at >= c.start_at AND f.at < d.end_at AND (c.stage <> ''customer'' OR f.last_kind = ''won'')) AS n
            CROSS JOIN LATERAL (SELECT c.goal * extract(epoch FROM align.working_time(c.hours, c.start_at, d.end_at)) / extract(epoch FROM align.working_time(c.hours, c.start_at, c.end_at)) AS goal) AS g
         WHERE c.kind IN (''count'', ''amount'') AND c.end_at > $a') AS c;

-- Whether the pipeline covers what is missing.  (The share that is won of each stage is
-- that of the report pipeline, which has a test of its own.)
CREATE VIEW co.present AS
SELECT v.stage, count(*) AS leads, sum(e.amount) AS amount
FROM co.visit AS v JOIN co.stage AS g USING (stage)
    LEFT JOIN LATERAL (SELECT x.amount FROM co.entry AS x WHERE x.id = v.id AND x.event <> 'touch' AND x.amount IS NOT NULL ORDER BY x.at DESC, x.entry_no DESC LIMIT 1) AS e ON true
WHERE v.left_at IS NULL AND g.step < 5 GROUP BY v.stage;
CREATE FUNCTION co.coverage(a timestamptz) RETURNS TABLE (row_key text, no int, teams text, metric text, kind text, per text, first_day date, last_day date, end_at timestamptz, goal numeric, actual numeric,
    remaining numeric, open_amount numeric, expected_amount numeric) LANGUAGE sql STABLE AS $$
    SELECT c.per || ' ' || c.no, c.no, c.teams, c.metric, c.kind, c.per, c.first_day, c.last_day, c.end_at, c.goal, c.actual, CASE WHEN c.actual > c.goal THEN 0 ELSE c.goal - c.actual END, o.n, e.n
    FROM co.scorecard AS c
        CROSS JOIN LATERAL (SELECT coalesce(sum(CASE c.kind WHEN 'count' THEN p.leads ELSE p.amount END), 0) AS n FROM co.present AS p) AS o
        CROSS JOIN LATERAL (SELECT CASE WHEN bool_or(p.won_share IS NULL AND p.leads > 0) THEN NULL WHEN c.kind = 'amount' THEN sum(p.expected_amount)
            ELSE round(sum((p.leads - p.leads_aged) * p.won_share)::numeric, 2) END AS n FROM r.pipeline(a) AS p) AS e
    WHERE c.stage = 'customer' AND c.kind IN ('count', 'amount') AND c.end_at > a $$;
SELECT a, c.* FROM unnest('{2025-05-20 11:00Z,2025-12-15}'::timestamptz[]) AS a,
    co.compare(co.filled(a), 'SELECT row_key, target_no, teams, metric, metric_kind, period, period_start, period_end, goal, actual, remaining, open_amount, expected_amount, coverage, expected_coverage, as_of FROM r.coverage($a)',
        'SELECT row_key, no, teams, metric, kind, per, first_day, last_day, goal, actual, remaining, open_amount, expected_amount,
            (open_amount / nullif(remaining, 0))::float8, (expected_amount / nullif(remaining, 0))::float8, $a FROM co.coverage($a)') AS c;

-- What the gap requires of each stage.
SELECT a, c.* FROM unnest('{2025-09-15 12:30Z}'::timestamptz[]) AS a,
    co.compare(co.filled(a), 'SELECT row_key, target_no, teams, metric, period, period_start, gap, stage, stage_order, base_n, rate_to_next, round(rate_to_won::numeric, 9), needed, median_seconds_to_won, needed_in_time, as_of FROM r.required($a)',
        'WITH way AS (SELECT f.id, CASE WHEN g.kind = ''won'' THEN 5 ELSE g.step END AS step, min(f.at) AS at FROM co.first_entry AS f JOIN co.stage AS g USING (stage)
                     WHERE NOT f.is_late AND (g.kind = ''won'' OR g.step IS NOT NULL) GROUP BY 1, 2),
            base AS (SELECT w.step, w.id,
                    EXISTS (SELECT FROM way AS x WHERE x.id = w.id AND x.step > w.step AND x.at >= w.at AND x.at - w.at <= interval ''1080 hours'') AS goes_on,
                    (SELECT round(extract(epoch FROM x.at - w.at))::bigint FROM way AS x WHERE x.id = w.id AND x.step = 5 AND x.at >= w.at AND x.at - w.at <= interval ''1080 hours'') AS seconds
                FROM way AS w WHERE w.step < 5 AND w.at < $a - interval ''1080 hours'' AND w.at >= $a - interval ''1080 hours'' - interval ''8760 hours''),
            rate AS (SELECT g.step, g.stage, g.n, count(b.id) AS base_n, CASE WHEN count(b.id) >= 20 THEN count(*) FILTER (WHERE b.goes_on) / count(b.id)::float8 END AS rate,
                    CASE WHEN count(b.seconds) >= 5 THEN (array_agg(b.seconds ORDER BY b.seconds))[ceil(count(b.seconds) / 2.0)::int] END AS seconds
                FROM co.stage AS g LEFT JOIN base AS b USING (step) WHERE g.step < 5 GROUP BY 1, 2, 3),
            chain AS (SELECT r.*, (SELECT CASE WHEN count(x.rate) < count(*) THEN NULL WHEN min(x.rate) = 0 THEN 0 ELSE exp(sum(ln(nullif(x.rate, 0)))) END FROM rate AS x WHERE x.step >= r.step) AS to_won FROM rate AS r)
        SELECT c.row_key || '' '' || r.stage, c.no, c.teams, c.metric, c.per, c.first_day, c.remaining, r.stage, r.n, r.base_n, r.rate, round(r.to_won::numeric, 9),
            CASE c.kind WHEN ''count'' THEN ceil(round((c.remaining::float8 / nullif(r.to_won, 0))::numeric, 6)) ELSE round((c.remaining::float8 / nullif(r.to_won, 0))::numeric, 2) END,
            r.seconds, $a + r.seconds * interval ''1 second'' <= c.end_at, $a
        FROM co.coverage($a) AS c CROSS JOIN chain AS r') AS c;
SELECT period, target_no, metric, gap, stage, base_n, round(rate_to_next::numeric, 3) AS rate_to_next, round(rate_to_won::numeric, 3) AS rate_to_won, needed, needed_in_time FROM r.required('2025-08-10') ORDER BY row_key;

-- Before the agreement and the first lead: the targets of the first version, and nothing reached.
SELECT metric, period_start, actual, status FROM r.scorecard('2025-01-15') ORDER BY target_no;
SELECT count(*) AS days, sum(actual_to_date) AS reached FROM r.target_by_day('2025-01-15');
SELECT metric, remaining, open_amount, coverage FROM r.coverage('2025-01-15') ORDER BY target_no;
SELECT count(*) FROM r.required('2025-01-15') WHERE needed IS NULL AND base_n = 0;
