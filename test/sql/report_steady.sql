-- A steady process whose true rates are known: a lead every four hours for 400 days.
-- 4 in 10 are won, after a time that is exponential with a mean of 20 days; the others
-- are lost, with a mean of 3 days.  So 38.0 % are won within 60 days, and a tenth stays
-- longer than 27.7 days.  The reports must find this on any day.
\set seed 1
\set ECHO none
\set QUIET on
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET jit = off;
SET client_min_messages = warning;
CREATE SCHEMA report_steady;
SET search_path = report_steady;
SELECT align.agree('steady', $$
    hours 'UTC 24/7';
    stage offer held by sales;
    won customer;
    lost disqualified;
    success path offer -> customer;
    path any -> disqualified;
$$) \g /dev/null
CREATE TABLE leads (id int PRIMARY KEY, stage text, changed_at timestamptz);
SELECT align.attach('leads', 'steady', changed_at => 'changed_at') \g /dev/null
CREATE FUNCTION random(i int, n int, seed int) RETURNS float8 LANGUAGE sql IMMUTABLE
AS $$ SELECT (('x' || substr(md5(i || ' ' || n || ' ' || seed), 1, 7))::bit(28)::int + 0.5) / 268435456.0::float8 $$;
INSERT INTO leads SELECT i, 'offer', '2025-01-01 00:00+00'::timestamptz + i * interval '4 hours' FROM generate_series(0, 2399) AS i;
UPDATE leads SET stage = CASE WHEN random(id, 1, :seed) < 0.4 THEN 'customer' ELSE 'disqualified' END,
	changed_at = changed_at + -ln(random(id, 2, :seed)) * CASE WHEN random(id, 1, :seed) < 0.4 THEN interval '20 days' ELSE '3 days' END;
-- It was recorded when it happened.
ALTER TABLE leads_history DISABLE TRIGGER align_append_only;
UPDATE leads_history SET recorded_at = effective_at;
ALTER TABLE leads_history ENABLE TRIGGER align_append_only;
CREATE SCHEMA report_steady_views;
SELECT align.create_reports('leads', 'report_steady_views', time_zone => 'UTC', settle => '60 days', complete_since => '2025-01-01 00:00Z') \g /dev/null

\echo seed :seed
\echo matured rate: that of settled cohorts is 0.380 within two standard errors, on every day; that of all leads so far is less while they are young
SELECT a.as_of, count(*) FILTER (WHERE f.is_settled) AS settled,
	abs(sum(f.matured) / sum(f.leads) FILTER (WHERE f.is_settled) - 0.380) <= 2 * sqrt(0.380 * 0.620 / sum(f.leads) FILTER (WHERE f.is_settled)) AS unbiased,
	bool_and(f.matured_rate_lower < 0.380 AND 0.380 < f.matured_rate_upper) AS within_bounds,
	(array_agg(f.overall_rate ORDER BY f.month DESC))[1] < 0.25 AS youngest_looks_bad
FROM unnest('{2025-05-10,2025-11-30 23:59Z}'::timestamptz[]) AS a (as_of), report_steady_views.funnel_by_month(a.as_of) AS f
WHERE f.stage = 'customer' GROUP BY a.as_of ORDER BY a.as_of;
\echo won / (won + lost) of young leads is far from it, for losses are decided sooner
SELECT month, round(decided_rate::numeric, 2) < 0.3 AS too_low FROM report_steady_views.funnel_by_month('2025-08-15') WHERE stage = 'offer' ORDER BY month DESC LIMIT 1;

\echo comparison at equal age: the months do not differ by more than chance
SELECT age.days, max(f.overall_rate) - min(f.overall_rate) < 0.12 AS steady, round(avg(f.overall_rate)::numeric, 1) AS rate
FROM (VALUES (0), (30)) AS age (days), generate_series(timestamp '2025-02-01', '2025-08-01', '2 months') AS m,
	LATERAL (SELECT * FROM report_steady_views.funnel_by_month((m + interval '1 month') AT TIME ZONE 'UTC' + age.days * interval '24 hours') AS r WHERE r.month = m AND r.stage = 'customer') AS f
GROUP BY age.days ORDER BY age.days;
\echo at unequal age they do
SELECT max(overall_rate) - min(overall_rate) > 0.15 AS seem_to_differ FROM report_steady_views.funnel_by_month('2025-10-01') WHERE stage = 'customer';

\echo stuck: a tenth of all leads stays longer than the limit (within three standard errors), which does not shrink with young data; before the first leads have had their time there is none
SELECT a.as_of, s.basis, s.stuck BETWEEN 2 AND 30 AS some,
	abs(s.limit_days - 27.7) < 8 AS limit_is_right,
	abs((SELECT avg((-ln(random(i, 2, :seed)) * CASE WHEN random(i, 1, :seed) < 0.4 THEN 20 ELSE 3 END > s.limit_days)::int) FROM generate_series(0, 2399) AS i) - 0.1)
		<= 3 * sqrt(0.09 / greatest(1, least(2190, extract(epoch FROM a.as_of - interval '1440 hours' - timestamptz '2025-01-01Z') / 14400))) AS a_tenth
FROM unnest('{2025-01-31,2025-03-15,2026-01-15}'::timestamptz[]) AS a (as_of),
	LATERAL (SELECT count(*) AS stuck, min(limit_basis) AS basis, min(limit_working_seconds) / 86400.0 AS limit_days FROM report_steady_views.stuck(a.as_of)) AS s
ORDER BY a.as_of;
\echo nine of ten of those that have left, after a month of data, are much faster
SELECT percentile_disc(0.9) WITHIN GROUP (ORDER BY elapsed_seconds) / 86400.0 < 14 AS too_short FROM report_steady_views.stage_facts('2025-01-31') WHERE stage = 'offer' AND NOT is_current;
\echo time in stage by the month of leaving, of a process that has run for a while: a median as it is
SELECT bool_and(abs(median_seconds / 86400.0 - 4.4) < 1.6) AS unbiased FROM report_steady_views.time_in_stage('2026-02-01') WHERE stage = 'offer' AND month >= '2025-05-01' AND n > 100;
DROP SCHEMA report_steady_views CASCADE;
DROP SCHEMA report_steady CASCADE;
