-- A steady process whose true rates are known: a lead every half hour, of which
-- 7 in 10 are answered in time, and 6 in 10 are accepted.  Rejections come sooner.
-- The reports must find these rates on any day, also for the running week.
\set ECHO none
\set QUIET on
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET jit = off;
SET client_min_messages = warning;
CREATE SCHEMA report_promises_steady;
SET search_path = report_promises_steady;
SELECT align.agree('steady promises', $$
    stage mql held by marketing;
    stage sal held by sales;
    won customer;
    lost disqualified;
    success path mql -> sal -> customer;
    path any -> disqualified;
    handoff intake: mql from marketing to sales, accept sal, reject disqualified, within 24 hours;
    hours 'UTC 24/7';
$$) \g /dev/null
CREATE TABLE leads (id int PRIMARY KEY, stage text, reason text, changed_at timestamptz);
SELECT align.attach('leads', agreement => 'steady promises', reason => 'reason', changed_at => 'changed_at') \g /dev/null
INSERT INTO leads SELECT i, 'mql', NULL, '2026-01-05 00:00+00'::timestamptz + i * interval '30 min' FROM generate_series(1, 2600) AS i;
UPDATE leads SET reason = 'no fit', stage = CASE WHEN id % 10 IN (0, 1, 2, 7) THEN 'disqualified' ELSE 'sal' END,
	changed_at = changed_at + CASE WHEN id % 10 <= 2 THEN '8 h' WHEN id % 10 <= 6 THEN '16 h' WHEN id % 10 = 7 THEN '30 h' ELSE '60 h' END::interval;
-- It was recorded when it happened.
ALTER TABLE leads_history DISABLE TRIGGER align_append_only;
UPDATE leads_history SET recorded_at = effective_at;
ALTER TABLE leads_history ENABLE TRIGGER align_append_only;
CREATE SCHEMA report_promises_steady_views;
SELECT align.create_reports('leads', 'report_promises_steady_views', time_zone => 'UTC', complete_since => '2026-01-05') > 0 AS created \g /dev/null

\echo compliance by week of due: at most two clocks from 70 %, on every day
SELECT count(*) AS weeks, count(*) FILTER (WHERE w.is_running) AS running,
	bool_and(abs(w.met - 0.7 * (w.met + w.missed)) <= 2) AS unbiased, bool_and(w.met + w.missed >= 12) AS has_cases
FROM (SELECT '2026-02-09 06:00+00'::timestamptz + g * interval '18 h' AS as_of FROM generate_series(0, 8) AS g) AS i,
	report_promises_steady_views.sla_by_week(i.as_of) AS w
WHERE w.week BETWEEN '2026-01-12' AND i.as_of::date;
\echo counted by the week of start, as soon as they are answered, it would be more
SELECT i.as_of, round(sum(c.is_met)::numeric / sum(c.is_met + c.is_missed), 2) AS started_this_week
FROM (VALUES (timestamptz '2026-02-10 00:00+00'), ('2026-02-11 00:00+00'), ('2026-02-13 00:00+00')) AS i (as_of), report_promises_steady_views.sla_facts(i.as_of) AS c
WHERE c.started_at >= '2026-02-09' GROUP BY 1 ORDER BY 1;
\echo promises, of the last complete week and the four before it
SELECT i.as_of, p.week, round(p.rate_week::numeric, 3) AS rate_week, round(p.rate_before4::numeric, 3) AS rate_before4
FROM (VALUES (timestamptz '2026-02-09 00:00+00'), ('2026-02-11 13:00+00'), ('2026-02-15 23:59+00')) AS i (as_of), report_promises_steady_views.promises(i.as_of) AS p
ORDER BY 1;

\echo acceptance: the weeks at equal age do not differ, and in the end it is 60 %
SELECT age.hours, round(min(w.acceptance_rate)::numeric, 2) AS least, round(max(w.acceptance_rate)::numeric, 2) AS most, min(w.pending) AS least_pending
FROM (VALUES (0), (24), (48), (96)) AS age (hours), generate_series(0, 4) AS g,
	LATERAL (SELECT timestamptz '2026-01-12 00:00+00' + g * interval '7 days' AS start) AS week,
	LATERAL (SELECT * FROM report_promises_steady_views.handoffs_by_week(week.start + interval '7 days' + age.hours * interval '1 h') AS r WHERE r.week = week.start::date) AS w
GROUP BY 1 ORDER BY 1;
\echo at unequal age the newest week looks worse
SELECT w.week, round(w.acceptance_rate::numeric, 2) AS acceptance_rate, w.pending FROM report_promises_steady_views.handoffs_by_week('2026-02-16') AS w ORDER BY 1 DESC LIMIT 3;
DROP SCHEMA report_promises_steady_views CASCADE;
DROP SCHEMA report_promises_steady CASCADE;
