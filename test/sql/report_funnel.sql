-- funnel, funnel_by_month and funnel_by_channel, against plain SQL over the history.
\set SHOW_CONTEXT never
\set agreement 'report funnel'
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

-- What became of each lead that is not late: the steps that it entered, how far it
-- came (to the fifth if it was won, in any stage, and has not been in an open stage since),
-- and in what kind of stage it was last.
CREATE VIEW co.way AS
SELECT w.*, CASE WHEN w.last_won > coalesce(w.last_open, 0) THEN 5 ELSE least(w.furthest, 4) END AS level
FROM (SELECT e.id, min(e.at) AS entered_at, max(s.step) AS furthest,
        array_agg(DISTINCT s.step) AS steps,
        max(e.k) FILTER (WHERE s.kind = 'won') AS last_won, max(e.k) FILTER (WHERE s.kind = 'open') AS last_open,
        (array_agg(coalesce(s.kind, 'open') ORDER BY e.at DESC, e.entry_no DESC))[1] AS kind,
        (SELECT x.amount FROM co.entry AS x WHERE x.id = e.id AND (x.is_stage_entry OR x.event = 'touch') AND x.amount IS NOT NULL
         ORDER BY x.at DESC, x.entry_no DESC LIMIT 1) AS amount
      FROM (SELECT e.*, row_number() OVER (PARTITION BY e.id ORDER BY e.at, e.entry_no) AS k FROM co.entry AS e WHERE e.is_stage_entry) AS e
          LEFT JOIN co.stage AS s ON s.stage = e.stage
      GROUP BY e.id
      HAVING (array_agg(e.event ORDER BY e.at, e.entry_no))[1] <> 'opening') AS w;
CREATE VIEW co.first_touch AS
SELECT DISTINCT ON (h.id) h.id, align.channel(align.parse_campaign(h.campaign)) AS channel
FROM co.lead_history AS h
WHERE h.campaign IS NOT NULL AND h.event IN ('opening', 'entry', 'move', 'override', 'touch')
    AND h.effective_at <= coalesce((SELECT min(e.at) FROM co.entry AS e JOIN co.stage AS s ON s.stage = e.stage AND s.kind = 'won'
                                    WHERE e.id = h.id AND e.is_stage_entry AND e.event <> 'opening'), (SELECT a FROM co.instant))
ORDER BY h.id, h.effective_at, h.entry_no;

-- The counts of each step, of the leads of "groups" (id, grp).
CREATE FUNCTION co.counts(groups text) RETURNS text LANGUAGE sql AS $$
    SELECT format($q$
        SELECT x.grp, x.step, s.stage, x.entered, x.reached, x.dropped, x.still_open,
            CASE x.step WHEN 1 THEN CASE WHEN x.reached > 0 THEN 1 END ELSE x.reached / nullif(lag(x.reached) OVER w, 0)::float8 END AS step_rate,
            x.reached / nullif(first_value(x.reached) OVER w, 0)::float8 AS overall_rate,
            lead(x.reached) OVER w / nullif(lead(x.reached) OVER w + x.dropped, 0)::float8 AS decided_rate,
            x.amount, x.leads
        FROM (SELECT g.grp, n AS step, count(*) AS leads,
                count(*) FILTER (WHERE n = ANY (w.steps) AND (n < 5 OR w.level = 5)) AS entered,
                count(*) FILTER (WHERE w.level >= n) AS reached,
                count(*) FILTER (WHERE w.level = n AND w.kind = 'lost' AND n < 5) AS dropped,
                count(*) FILTER (WHERE w.level = n AND w.kind <> 'lost' AND n < 5) AS still_open,
                sum(w.amount) FILTER (WHERE w.level >= n) AS amount
            FROM co.way AS w JOIN (%s) AS g USING (id), generate_series(1, 5) AS n GROUP BY g.grp, n) AS x
            JOIN co.stage AS s ON s.step = x.step
        WINDOW w AS (PARTITION BY x.grp ORDER BY x.step)
    $q$, groups) $$;

SELECT a, c.* FROM unnest('{2025-03-10,2025-05-20,2025-12-15}'::timestamptz[]) AS a,
    co.compare(a, 'SELECT NULL::text AS grp, step, stage, entered, reached, dropped, still_open, step_rate, overall_rate, decided_rate, amount FROM r.funnel($a)',
        'SELECT grp, step, stage, entered, reached, dropped, still_open, step_rate, overall_rate, decided_rate, amount FROM (' || co.counts('SELECT id, NULL::text AS grp FROM co.way') || ') AS x') AS c;

-- The rest is that of steps() over journeys().
SELECT a, c.* FROM unnest('{2025-05-20,2025-09-15 12:30Z,2025-12-15}'::timestamptz[]) AS a,
    co.compare(a, 'SELECT row_key, as_of, step, stage, entered, reached, dropped, still_open, step_rate, step_rate_lower, step_rate_upper, overall_rate, median_seconds, p90_seconds, amount FROM r.funnel($a)',
        'SELECT s.step::text, $a, step, name, entered, reached, dropped, still_open, step_rate, CASE WHEN lag(still_open) OVER w = 0 THEN lower END, CASE WHEN lag(still_open) OVER w = 0 THEN upper END, overall_rate,
             CASE WHEN s.step > 1 THEN round(extract(epoch FROM median_time))::bigint END, CASE WHEN s.step > 1 THEN round(extract(epoch FROM p90_time))::bigint END, amount
         FROM (SELECT align.funnel_conversion_agg(j.lead, align.agreed(co.agreement()), $a) AS c
               FROM align.journeys(''co.lead'') AS j WHERE (key ->> ''id'')::int IN (SELECT id FROM co.way)) AS c, align.steps(c.c) AS s WINDOW w AS (ORDER BY s.step)') AS c;
-- The times, within 0.8 %; those to a win are compared above.
SELECT f.step, f.timed = o.n AS timed, abs(f.median_seconds / o.median - 1) < 0.008 AS median, abs(f.p90_seconds / o.p90 - 1) < 0.008 AS p90
FROM r.funnel('2025-12-15') AS f JOIN (
    SELECT s.step, count(*) AS n, percentile_disc(0.5) WITHIN GROUP (ORDER BY d.seconds) AS median, percentile_disc(0.9) WITHIN GROUP (ORDER BY d.seconds) AS p90
    FROM (VALUES (2, 1), (3, 2), (4, 3)) AS s (step, before), co.way AS w,
        LATERAL (SELECT min(e.at) FILTER (WHERE x.step = s.before) AS before,
                     min(e.at) FILTER (WHERE x.step = s.step) AS at
                 FROM co.entry AS e JOIN co.stage AS x USING (stage) WHERE e.id = w.id AND e.is_stage_entry) AS f,
        LATERAL (SELECT extract(epoch FROM f.at - f.before)::float8 AS seconds WHERE f.at >= f.before) AS d
    WHERE d.seconds IS NOT NULL
    GROUP BY s.step) AS o USING (step)
ORDER BY step;

-- By first channel.
SELECT a, c.* FROM unnest('{2025-03-10,2025-09-15 12:30Z,2025-12-15}'::timestamptz[]) AS a,
    co.compare(a, 'SELECT row_key, as_of, channel, step, stage, entered, reached, dropped, still_open, step_rate, overall_rate, decided_rate, amount FROM r.funnel_by_channel($a)',
        'SELECT grp || '' '' || step, $a, grp, step, stage, entered, reached, dropped, still_open, step_rate, overall_rate, decided_rate, amount FROM ('
            || co.counts('SELECT w.id, coalesce(t.channel, ''(none)'') AS grp FROM co.way AS w LEFT JOIN co.first_touch AS t USING (id)') || ') AS x') AS c;
-- Bounds only where nobody is open in the step before.
SELECT count(step_rate_lower) > 0 AS some, count(*) FILTER (WHERE (step_rate_lower IS NULL) <> (step > 1 AND step_rate IS NOT NULL AND open_before > 0 OR step = 1 OR step_rate IS NULL)
        OR (step_rate_lower IS NULL) <> (step_rate_upper IS NULL) OR NOT step_rate BETWEEN step_rate_lower AND step_rate_upper) AS wrong
FROM (SELECT *, lag(still_open) OVER (PARTITION BY channel ORDER BY step) AS open_before FROM r.funnel_by_channel('2025-12-15')) AS f;
-- Channels add up.
SELECT f.step, f.entered = c.entered AND f.reached = c.reached AND f.amount = c.amount AS adds_up
FROM r.funnel AS f JOIN (SELECT step, sum(entered) AS entered, sum(reached) AS reached, sum(amount) AS amount FROM r.funnel_by_channel GROUP BY step) AS c USING (step) ORDER BY 1;

-- By month of entry; the record is complete from 16 February.
SELECT a, c.* FROM unnest('{2025-03-10,2025-06-14 21:59Z,2025-06-14 22:00Z,2025-12-15}'::timestamptz[]) AS a,
    co.compare(a, 'SELECT row_key, month, month_start_at, as_of, is_complete, is_settled, step, stage, entered, reached, dropped, still_open, step_rate, overall_rate, decided_rate, amount, leads,
            matured, matured_rate, matured_rate_lower IS NOT NULL, matured_rate_upper IS NOT NULL, step_rate_lower IS NOT NULL, step_rate_upper IS NOT NULL FROM r.funnel_by_month($a)',
        'SELECT grp || '' '' || step, grp, grp::timestamp AT TIME ZONE ''Europe/Berlin'', $a, grp > ''2025-02-15'', s.yes, step, stage, entered, reached, dropped, still_open, step_rate, overall_rate, decided_rate, amount, leads,
            CASE WHEN s.yes THEN m.n END, CASE WHEN s.yes THEN m.n::float8 / leads END, s.yes, s.yes, coalesce(b.yes, false), coalesce(b.yes, false)
         FROM (SELECT x.*, lag(x.still_open) OVER (PARTITION BY grp ORDER BY step) AS open_before FROM ('
            || co.counts('SELECT id, date_trunc(''month'', entered_at AT TIME ZONE ''Europe/Berlin'')::date AS grp FROM co.way') || ') AS x) AS x,
            LATERAL (SELECT grp > ''2025-02-15'' AND (grp + interval ''1 month'') AT TIME ZONE ''Europe/Berlin'' + interval ''1080 hours'' <= $a AS yes) AS s,
            LATERAL (SELECT open_before = 0 AND step_rate IS NOT NULL AS yes) AS b,
            LATERAL (SELECT count(*) AS n FROM co.way AS w WHERE date_trunc(''month'', w.entered_at AT TIME ZONE ''Europe/Berlin'') = grp
                 AND EXISTS (SELECT FROM co.entry AS e JOIN co.stage AS g USING (stage) WHERE e.id = w.id AND e.is_stage_entry AND e.event <> ''opening''
                     AND (g.step >= x.step OR g.kind = ''won'') AND e.at - w.entered_at <= interval ''1080 hours'')) AS m') AS c;
SELECT month, is_complete, is_settled, leads, matured, round(matured_rate::numeric, 3) AS rate, round(matured_rate_lower::numeric, 3) AS lower, round(matured_rate_upper::numeric, 3) AS upper
FROM r.funnel_by_month('2025-06-14 22:00Z') WHERE stage = 'customer' ORDER BY month;

-- The planner expects as many rows as there are leads and steps, not a thousand times
-- as many: else JIT compilation takes far longer than the view.
ANALYZE co.lead_history;
CREATE FUNCTION pg_temp.expects(query text, OUT rows numeric) LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
    SELECT max(n::numeric) INTO rows FROM jsonb_path_query(plan::jsonb, 'strict $.**."Plan Rows"') AS n;
END $$;
SELECT pg_temp.expects('SELECT * FROM r.funnel_by_month') <= 10 * count(*) AS as_many FROM co.lead_history;

-- Before the first lead there is nothing, and no error.
SELECT count(*) FROM r.funnel('2024-01-01');
SELECT count(*) FROM r.funnel_by_month('2024-01-01');
SELECT count(*) FROM r.funnel_by_channel('-infinity');
SELECT (SELECT count(*) FROM r.funnel) AS now, (SELECT count(*) FROM r.funnel_by_month) AS by_month;
SET client_min_messages = warning;
DROP SCHEMA r CASCADE;
DROP SCHEMA co CASCADE;
