-- step_rates(): decided and matured rates, against brute force over random leads.
SET search_path = align, public;
SET TimeZone = 'UTC';
SET extra_float_digits = 0;
\pset format unaligned
\pset tuples_only on
\set seed 2026
SELECT 'seed ' || :'seed';

-- 1,200 journeys with repeated stages, ties and touches.
CREATE TABLE event (lead int, i int, at timestamptz, stage text);
INSERT INTO event
SELECT lead, i, timestamptz '2026-01-01 00:00Z' + (d.start % 60 + sum(d.gap % 9) OVER (PARTITION BY lead ORDER BY i)) * interval '1 day',
	(ARRAY['a', 'b', 'c', 'd', 'x', NULL])[1 + d.stage % 6]
FROM generate_series(1, 1200) lead, LATERAL generate_series(1, 1 + ('x' || substr(md5(:'seed' || 'n' || lead), 1, 4))::bit(16)::int % 14) i,
	LATERAL (SELECT ('x' || substr(md5(:'seed' || 's' || lead), 1, 6))::bit(24)::int AS start, ('x' || substr(md5(:'seed' || lead || '/' || i), 1, 6))::bit(24)::int AS gap,
		('x' || substr(md5(:'seed' || lead || '/' || i), 7, 6))::bit(24)::int AS stage) d;
CREATE TABLE journey AS
SELECT lead, lead_agg(at, stage, NULL, NULL, CASE WHEN stage IS NULL THEN 'utm_source=s' END, NULL) AS journey FROM event GROUP BY lead;
CREATE TABLE entry_ AS SELECT lead, e.entry AS i, e.at, e.stage FROM journey, entries(journey) e;
CREATE INDEX ON entry_ (lead, stage);
ANALYZE;

-- What is asked: steps, window, as_of.
CREATE TABLE question AS
SELECT q, steps, w AS within, as_of FROM unnest(ARRAY['{a,b,c}', '{a}', '{a,a,b}', '{d,c,b,a}', '{x,nowhere}', '{a,b,a,b}']) WITH ORDINALITY AS t(s, q), LATERAL (SELECT s::text[] AS steps) x,
	unnest('{0 days,1 day,10 days,30 days}'::interval[]) w, unnest('{2025-12-31 00:00Z,2026-02-01 00:00Z,2026-03-02 00:00Z,2026-03-02 00:00:00.000001Z,2026-12-31 00:00Z}'::timestamptz[]) as_of;
-- Brute force: every chain of entries from the earliest first step, within its window.
CREATE TABLE oracle AS
WITH RECURSIVE first AS (
	SELECT q, steps, within, as_of, lead, i, at FROM (
		SELECT q, steps, within, as_of, lead, e.i, e.at, row_number() OVER (PARTITION BY q, within, as_of, lead ORDER BY i) AS n
		FROM question JOIN entry_ e ON e.stage = steps[1] AND e.at <= as_of) f WHERE n = 1 AND at + within < as_of),
chain AS (
	SELECT q, steps, within, as_of, lead, at AS start, i, 1 AS step FROM first
	UNION
	SELECT q, steps, within, as_of, c.lead, start, e.i, step + 1 FROM chain c JOIN entry_ e ON e.lead = c.lead AND e.stage = steps[step + 1] AND e.i > c.i AND e.at <= start + within)
SELECT q, within, as_of, lead, max(step) AS level FROM chain GROUP BY q, within, as_of, lead;

CREATE TABLE answer AS
SELECT q, steps, within, as_of, conversion_agg(journey, steps, within, 'ordered', as_of) AS c FROM question, journey GROUP BY 1, 2, 3, 4;
-- Every row is a failure.
SELECT 'matured', q, within, as_of, r.step, r.matured_n, r.matured_reached, o.* FROM answer, step_rates(c) r,
	LATERAL (SELECT count(*) AS n, count(*) FILTER (WHERE level >= r.step) AS reached FROM oracle o WHERE (o.q, o.within, o.as_of) = (answer.q, answer.within, answer.as_of)) o
WHERE (r.matured_n, r.matured_reached) <> (o.n, o.reached)
	OR r.matured_rate IS DISTINCT FROM o.reached::float8 / nullif(o.n, 0)
	OR (step > 1 AND o.n > 0 AND (r.matured_lower, r.matured_upper) IS DISTINCT FROM (SELECT (lower, upper) FROM wilson(o.reached, o.n)))
	OR ((step = 1 OR o.n = 0) AND (r.matured_lower, r.matured_upper) IS DISTINCT FROM (NULL::float8, NULL::float8));
SELECT 'decided', q, within, as_of FROM (SELECT *, lead(reached) OVER (PARTITION BY q, within, as_of ORDER BY step) AS next FROM answer, step_rates(c)) r
WHERE decided_rate IS DISTINCT FROM next::float8 / nullif(next + dropped, 0);
SELECT 'columns of steps', q, within, as_of FROM answer
WHERE ARRAY(SELECT s::text FROM steps(c, 0.9) s) <> ARRAY(SELECT ROW(step, name, entered, reached, dropped, still_open, step_rate, overall_rate, lower, upper, median_time, p90_time, mean_time, amount)::text FROM step_rates(c, 0.9));
SELECT 'forms', q, within, as_of FROM answer WHERE c::text::conversion <> c OR c::jsonb::conversion <> c;
-- The data is worth it: some matured, some not, some that got further with a later start.
SELECT count(*) AS answers, count(*) FILTER (WHERE matured_n = 0) > 10 AS none, count(*) FILTER (WHERE matured_n > 100 AND matured_n < reached) > 10 AS some, count(*) FILTER (WHERE step > 1 AND matured_n > 100 AND matured_reached < reached) > 10 AS later
FROM answer, step_rates(c) WHERE step <= 2;
-- Without a window, and along a funnel, nothing matures.
SELECT step, matured_n, matured_reached, matured_rate, matured_lower, matured_upper, decided_rate IS NULL FROM (SELECT conversion_agg(journey, '{a,b,c}', NULL, NULL, '2026-12-31') AS c FROM journey) s, step_rates(c);
SELECT step, dropped > 0, decided_rate BETWEEN 0.01 AND 0.99 AS decided, matured_n, matured_rate FROM (SELECT funnel_conversion_agg(journey, 'stage a, b; won c; lost d; success path a -> b -> c; path any -> d;', '2026-12-31') AS c FROM journey) s, step_rates(c);

-- Merging: matured leads add up, in any order and grouping.
CREATE TABLE part AS SELECT q, within, lead % 7 AS p, conversion_agg(journey, steps, within, 'ordered', as_of) AS c
FROM question, journey WHERE as_of = '2026-03-02 00:00Z' GROUP BY 1, 2, 3;
SELECT 'merged', q, within FROM answer JOIN (SELECT q, within, rollup(c ORDER BY md5(p::text)) AS m, rollup(c ORDER BY p DESC) AS n FROM part GROUP BY q, within) r USING (q, within)
WHERE as_of = '2026-03-02 00:00Z' AND (m <> c OR n <> c);
-- What a release before 0.5 stored has no matured leads.  With one such part the sum has none, wherever it comes and however the parts are grouped.
CREATE TABLE mixed AS SELECT q, within, p, old, CASE WHEN p = old THEN regexp_replace(c::text, ' matured \d+', '', 'g')::conversion ELSE c END AS c FROM part, generate_series(0, 6) old;
SELECT count(*) > 100 AS "old ones", bool_and(c::text !~ 'matured' AND c::text::conversion = c AND c::jsonb::conversion = c) AS lossless FROM mixed WHERE p = old;
SELECT 'mixed', q, within, old FROM mixed JOIN answer a USING (q, within) WHERE as_of = '2026-03-02 00:00Z' GROUP BY q, within, old, a.c
HAVING rollup(mixed.c ORDER BY p) <> regexp_replace(a.c::text, ' matured \d+', '', 'g')::conversion OR rollup(mixed.c ORDER BY p DESC) <> rollup(mixed.c ORDER BY p);
SELECT 'mixed in groups', q, within, old FROM (SELECT q, within, old, seed, rollup(c) AS c FROM (SELECT q, within, old, seed, p * seed % 5, rollup(c) AS c FROM mixed, generate_series(1, 4) seed GROUP BY 1, 2, 3, 4, 5) g GROUP BY 1, 2, 3, 4) r
	JOIN answer a USING (q, within) WHERE as_of = '2026-03-02 00:00Z' AND r.c <> regexp_replace(a.c::text, ' matured \d+', '', 'g')::conversion;
SELECT DISTINCT matured_n, matured_reached, matured_rate, matured_lower, matured_upper FROM (SELECT rollup(c) AS c FROM mixed GROUP BY q, within, old) r, step_rates(c);
-- The other columns are those of the whole.
SELECT 'other columns', q, within FROM answer a JOIN (SELECT q, within, rollup(c) AS m FROM mixed WHERE old = 3 GROUP BY q, within) r USING (q, within)
WHERE as_of = '2026-03-02 00:00Z' AND ARRAY(SELECT s::text FROM steps(c) s) <> ARRAY(SELECT s::text FROM steps(m) s);
-- Parts of an aggregate that come from parallel workers are no old ones.
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
ALTER TABLE journey SET (parallel_workers = 2);
SELECT conversion_agg(journey, '{a,b,c}', '10 days', 'ordered', '2026-03-02 00:00Z') = (SELECT c FROM answer WHERE q = 1 AND within = '10 days' AND as_of = '2026-03-02 00:00Z') AS parallel FROM journey;
RESET max_parallel_workers_per_gather;

-- A steady process: two of five leads convert, after 0 to 24 days.  On any day the matured rate is theirs; the others are not.
CREATE TABLE steady AS
SELECT lead_agg(at, stage) AS journey FROM generate_series(1, 3000) lead, LATERAL (SELECT timestamptz '2026-01-01 00:00Z' + lead / 25 * interval '1 day' AS start) s,
	LATERAL (VALUES (start, 'in'), (CASE WHEN lead % 5 < 2 THEN start + lead % 25 * interval '1 day' + interval '1 minute' END, 'won')) AS e(at, stage) GROUP BY lead;
SELECT as_of, matured_n, round(matured_rate::numeric, 3) AS matured_rate, round(step_rate::numeric, 3) AS step_rate FROM generate_series(timestamptz '2026-02-10 12:00Z', '2026-05-10 12:00Z', '15 days') as_of,
	LATERAL (SELECT conversion_agg(journey, '{in,won}', '25 days', 'ordered', as_of) AS c FROM steady) s, step_rates(c) WHERE step = 2 ORDER BY as_of;

DROP TABLE event, journey, entry_, question, oracle, answer, part, mixed, steady;
