-- The reports of create_reports(), beside plain SQL over the history, the clocks
-- and the table for the same figures, as one writes it who knows the company: it
-- has the stages of one version, no merged leads, no second lives, no openings
-- and no imports.
\set leads 1000000 * :scale
SELECT greatest(round(:leads), 20000)::int AS leads, date_trunc('day', now()) - interval '400 days' AS began \gset
CREATE SCHEMA bench_reports;
SELECT align.agree('bench_reports', $$
	hours 'Europe/London Mo-Fr 09:00-17:30';
	hours of sales 'Europe/London Mo-Fr 08:00-18:00';
	stage inquiry, mql held by marketing;
	stage sal, sql, opportunity held by sales;
	stage nurture held by marketing;
	won customer;
	lost disqualified;
	entry inquiry;
	success path inquiry -> mql -> sal -> sql -> opportunity -> customer;
	path mql, sal, sql, opportunity -> nurture -> mql;
	path any -> disqualified;
	handoff intake: mql from marketing to sales, accept sal, reject nurture, disqualified, within 4 working hours, warn after 3 working hours;
	target marketing: 5000 mql per month;
	target sales: 1000000 amount of customer per quarter;
	target marketing, sales: 5000 customer per quarter;
	target sales: 60% of intake;
	target sales: 30% from mql to customer within 30 days;
	mix of customer: 40% demo, 60% other;
	segment demo: 'kind = ''demo''';
$$);
CREATE TABLE bench_reports.leads (id bigint PRIMARY KEY, status text, owner text, reason text, amount numeric, campaign text, kind text, changed_at timestamptz);
SELECT align.attach('bench_reports.leads', 'bench_reports', mode => 'observe', stage => 'status', assignee => 'owner', reason => 'reason', amount => 'amount', campaign => 'campaign', changed_at => 'changed_at');
SELECT align.create_reports('bench_reports.leads', 'bench_reports', time_zone => 'Europe/London', complete_since => :'began', settle => '30 days');

-- Three entries a lead over 400 days, in order of time.  A campaign is new with
-- every other entry, every tenth open lead has no assignee.
SET session_replication_role = replica;
INSERT INTO bench_reports.leads_history (id, entry_no, event, effective_at, recorded_at, from_stage, from_team, stage, team, assignee, actor, reason, campaign, amount, agreement, version, handoff, segments, violation)
SELECT id, n, CASE WHEN n = 1 THEN 'entry' WHEN stage = previous THEN 'owner' ELSE 'move' END, at, at, previous,
	CASE WHEN previous IN ('inquiry', 'mql', 'nurture') THEN 'marketing' WHEN previous IN ('sal', 'sql', 'opportunity') THEN 'sales' END, stage,
	CASE WHEN stage IN ('inquiry', 'mql', 'nurture') THEN 'marketing' WHEN stage IN ('sal', 'sql', 'opportunity') THEN 'sales' END,
	CASE WHEN id % 50 <> 3 THEN 'p' || (id + n / 3) % 30 END, 'p' || (id + n) % 30,
	CASE WHEN stage IN ('nurture', 'disqualified') THEN (ARRAY['no_budget', 'no_need', 'too_small'])[1 + id % 3] END,
	'utm_source=source' || (id * 7 + n / 2) % 13 || '&utm_medium=cpc&utm_campaign=campaign_' || (id * 7 + n / 2) % 200,
	(id % 100 + n / 4) * 10, 'bench_reports', 1, CASE WHEN stage = 'mql' AND stage IS DISTINCT FROM previous THEN 'intake' END, CASE WHEN id % 3 = 0 THEN '{demo}'::text[] END,
	CASE WHEN id % 40 = 7 AND stage IS DISTINCT FROM previous AND n > 1 THEN 'path' END
FROM (SELECT id, n, at, stage, lag(stage) OVER (PARTITION BY id ORDER BY n) AS previous
	FROM (SELECT id, n, date_trunc('second', :'began'::timestamptz + id * (interval '400 days' / :leads) + n * (1 + id % 17) * interval '3 hours') AS at,
			(CASE id % 5 WHEN 0 THEN '{inquiry,mql,sal,sql,opportunity,customer}' WHEN 1 THEN '{inquiry,disqualified}' WHEN 2 THEN '{inquiry,mql,mql,nurture}' WHEN 3 THEN '{inquiry}' ELSE '{inquiry,mql,disqualified}' END::text[])[n] AS stage
		FROM generate_series(1, :leads) id, generate_series(1, 6) n) s WHERE stage IS NOT NULL AND at <= now()) e
ORDER BY at;
INSERT INTO bench_reports.leads (id, status, owner, reason, amount, campaign, kind, changed_at)
SELECT DISTINCT ON (id) id, stage, assignee, reason, amount, campaign, CASE WHEN id % 3 = 0 THEN 'demo' END, effective_at FROM bench_reports.leads_history ORDER BY id, entry_no DESC;
INSERT INTO bench_reports.leads_sla (id, sla, cycle, team, assignee_at_start, assignee_at_due, assignee_at_stop, started_at, due_at, warn_at, paused, stopped_at, outcome, agreement, version)
SELECT id, 'intake', 1, 'sales', assignee, assignee, left_assignee, at, due_at, warn_at, '{}', left_at,
	CASE WHEN left_at IS NULL THEN NULL WHEN next_stage IN ('sal', 'nurture', 'disqualified') AND left_at <= due_at THEN 'met' ELSE 'missed' END, 'bench_reports', 1
FROM (SELECT h.*, h.effective_at AS at, lead(effective_at) OVER w AS left_at, lead(stage) OVER w AS next_stage, lead(assignee) OVER w AS left_assignee,
		align.add_working_time(c.hours, effective_at, '4 hours') AS due_at, align.add_working_time(c.hours, effective_at, '3 hours') AS warn_at
	FROM bench_reports.leads_history h CROSS JOIN (SELECT align.hours(align.agreed('bench_reports'), 'sales') AS hours OFFSET 0) c
	WHERE event <> 'owner' WINDOW w AS (PARTITION BY id ORDER BY entry_no)) v
WHERE handoff IS NOT NULL;
RESET session_replication_role;
VACUUM ANALYZE bench_reports.leads, bench_reports.leads_history, bench_reports.leads_sla;

-- What one knows who writes by hand: the stages, their numbers on the success
-- path, the hours, and the campaigns.
CREATE TABLE bench_reports.stage (stage text PRIMARY KEY, stage_order int, kind text, team text, step int);
INSERT INTO bench_reports.stage VALUES ('inquiry', 1, 'open', 'marketing', 1), ('mql', 2, 'open', 'marketing', 2), ('sal', 3, 'open', 'sales', 3), ('sql', 4, 'open', 'sales', 4),
	('opportunity', 5, 'open', 'sales', 5), ('nurture', 6, 'open', 'marketing', NULL), ('customer', 7, 'won', NULL, 6), ('disqualified', 8, 'lost', NULL, NULL);
ANALYZE bench_reports.stage;
CREATE VIEW bench_reports.hours AS SELECT t.team, align.hours(align.agreed('bench_reports'), t.team) AS hours FROM unnest('{marketing,sales}'::text[]) AS t (team)
UNION ALL SELECT '(none)', align.hours(align.agreed('bench_reports'));
CREATE VIEW bench_reports.campaign AS
SELECT c.campaign, align.campaign_key(p.p) AS key, align.campaign_name(p.p) AS name, align.channel(p.p, align.agreed('bench_reports')) AS channel
FROM (SELECT DISTINCT campaign FROM bench_reports.leads_history) AS c CROSS JOIN LATERAL (SELECT align.parse_campaign(c.campaign) AS p OFFSET 0) AS p;
CREATE VIEW bench_reports.entry AS
SELECT * FROM bench_reports.leads_history WHERE effective_at <= now() AND recorded_at <= now();
CREATE VIEW bench_reports.clock AS
SELECT *, CASE WHEN stopped_at IS NOT NULL THEN outcome WHEN due_at < now() THEN 'overdue' WHEN warn_at <= now() THEN 'at risk' ELSE 'running' END AS status
FROM bench_reports.leads_sla WHERE started_at <= now();
-- A visit: an entry into a stage up to the next one, with who held it last.
CREATE VIEW bench_reports.visit AS
SELECT id, entry_no, stage, effective_at AS entered_at, lead(effective_at) OVER w AS left_at, lead(stage) OVER w AS next_stage, lead(reason) OVER w AS left_reason, handoff
FROM bench_reports.entry WHERE event <> 'owner' WINDOW w AS (PARTITION BY id ORDER BY entry_no);

-- The funnel: of each lead, when it first entered each step.
CREATE VIEW bench_reports.journey AS
SELECT e.id, ARRAY[min(effective_at) FILTER (WHERE stage = 'inquiry'), min(effective_at) FILTER (WHERE stage = 'mql'), min(effective_at) FILTER (WHERE stage = 'sal'),
		min(effective_at) FILTER (WHERE stage = 'sql'), min(effective_at) FILTER (WHERE stage = 'opportunity'), min(effective_at) FILTER (WHERE stage = 'customer')] AS at,
	max(s.step) AS furthest, max(e.entry_no) FILTER (WHERE s.kind = 'lost') = max(e.entry_no) AS is_lost, max(s.kind) FILTER (WHERE s.kind = 'won') IS NOT NULL AS is_won,
	(array_agg(e.amount ORDER BY e.entry_no DESC) FILTER (WHERE e.amount IS NOT NULL))[1] AS amount, min(e.effective_at) AS entered_at, (array_agg(e.campaign ORDER BY e.entry_no))[1] AS campaign
FROM bench_reports.entry AS e JOIN bench_reports.stage AS s USING (stage) GROUP BY e.id;
\set funnel 'count(j.at[s.step]) AS entered, count(*) FILTER (WHERE j.furthest >= s.step) AS reached, count(*) FILTER (WHERE j.furthest = s.step AND j.is_lost) AS dropped, count(*) FILTER (WHERE j.furthest = s.step AND j.is_lost IS NOT TRUE AND NOT j.is_won) AS still_open, sum(j.amount) FILTER (WHERE j.furthest >= s.step) AS amount, count(j.at[s.step] - j.at[s.step - 1]) AS timed, percentile_disc(0.5) WITHIN GROUP (ORDER BY j.at[s.step] - j.at[s.step - 1]) AS median, percentile_disc(0.9) WITHIN GROUP (ORDER BY j.at[s.step] - j.at[s.step - 1]) AS p90'
CREATE VIEW bench_reports.funnel_by_hand AS
SELECT s.step, s.stage, :funnel FROM bench_reports.journey AS j JOIN bench_reports.stage AS s ON s.step IS NOT NULL GROUP BY s.step, s.stage;
CREATE VIEW bench_reports.funnel_by_month_by_hand AS
SELECT date_trunc('month', timezone('Europe/London', j.entered_at))::date AS month, s.step, s.stage, :funnel, count(*) AS leads,
	CASE WHEN timezone('Europe/London', date_trunc('month', timezone('Europe/London', j.entered_at)) + interval '1 month') + interval '720 hours' <= now()
			AND timezone('Europe/London', date_trunc('month', timezone('Europe/London', j.entered_at))) >= :'began'
		THEN count(*) FILTER (WHERE least(j.at[s.step], j.at[s.step + 1], j.at[s.step + 2], j.at[s.step + 3], j.at[s.step + 4], j.at[s.step + 5]) <= j.entered_at + interval '720 hours') END AS matured
FROM bench_reports.journey AS j JOIN bench_reports.stage AS s ON s.step IS NOT NULL GROUP BY date_trunc('month', timezone('Europe/London', j.entered_at)), s.step, s.stage;
CREATE VIEW bench_reports.funnel_by_channel_by_hand AS
SELECT c.channel, s.step, s.stage, :funnel
FROM bench_reports.journey AS j JOIN bench_reports.campaign AS c USING (campaign) JOIN bench_reports.stage AS s ON s.step IS NOT NULL GROUP BY c.channel, s.step, s.stage;

-- Targets: the first entries of leads into mql and customer, and the clocks.
CREATE VIEW bench_reports.first_entry AS
SELECT id, stage, min(effective_at) AS at, count(*) FILTER (WHERE event <> 'owner') AS entries, max(entry_no) AS entry_no FROM bench_reports.entry WHERE stage IN ('mql', 'customer') GROUP BY id, stage;
CREATE VIEW bench_reports.last_entry AS
SELECT DISTINCT ON (id) id, stage, assignee, amount, effective_at FROM bench_reports.entry ORDER BY id, entry_no DESC;
CREATE VIEW bench_reports.scorecard_by_hand AS
WITH f AS MATERIALIZED (SELECT f.*, l.stage AS stage_now, l.amount FROM bench_reports.first_entry AS f JOIN bench_reports.last_entry AS l USING (id)),
r AS (
	SELECT 1 AS target_no, date_trunc('month', timezone('Europe/London', at))::date AS period_start, count(*) AS numerator, NULL::numeric AS denominator, 0 AS reversed, NULL::bigint AS open FROM f WHERE stage = 'mql' GROUP BY 2
	UNION ALL SELECT 2, date_trunc('quarter', timezone('Europe/London', at))::date, sum(amount) FILTER (WHERE stage_now = 'customer'), NULL, count(*) FILTER (WHERE stage_now <> 'customer'), NULL FROM f WHERE stage = 'customer' GROUP BY 2
	UNION ALL SELECT 3, date_trunc('quarter', timezone('Europe/London', at))::date, count(*) FILTER (WHERE stage_now = 'customer'), NULL, count(*) FILTER (WHERE stage_now <> 'customer'), NULL FROM f WHERE stage = 'customer' GROUP BY 2
	UNION ALL SELECT 4, date_trunc('month', timezone('Europe/London', due_at))::date, count(*) FILTER (WHERE status = 'met' AND due_at <= now()), count(*) FILTER (WHERE status IN ('met', 'missed', 'overdue') AND due_at <= now()), 0,
		count(*) FILTER (WHERE stopped_at IS NULL AND due_at > now()) FROM bench_reports.clock GROUP BY 2
	UNION ALL SELECT 5, date_trunc('month', timezone('Europe/London', a.at))::date, count(*) FILTER (WHERE b.at - a.at BETWEEN '0' AND '720 hours'), count(*), 0,
		count(*) FILTER (WHERE (b.at - a.at BETWEEN '0' AND '720 hours') IS NOT TRUE AND a.stage_now NOT IN ('customer', 'disqualified') AND a.at + interval '720 hours' > now())
	FROM f AS a LEFT JOIN f AS b ON b.id = a.id AND b.stage = 'customer' WHERE a.stage = 'mql' GROUP BY 2)
SELECT target_no, period_start, numerator, denominator, open FROM r;
CREATE VIEW bench_reports.target_by_day_by_hand AS
WITH f AS MATERIALIZED (SELECT f.*, l.stage AS stage_now, l.amount FROM bench_reports.first_entry AS f JOIN bench_reports.last_entry AS l USING (id)
	WHERE f.at >= timezone('Europe/London', date_trunc('quarter', timezone('Europe/London', now()))) AND (f.stage = 'mql' OR l.stage = 'customer')),
d AS (
	SELECT t.target_no, t.stage, t.goal, d::date AS on_date, timezone('Europe/London', d) AS start_at, timezone('Europe/London', d + interval '1 day') AS end_at, min(timezone('Europe/London', d)) OVER (PARTITION BY t.target_no) AS first_at,
		max(timezone('Europe/London', d + interval '1 day')) OVER (PARTITION BY t.target_no) AS last_at, h.hours
	FROM (VALUES (1, 'mql', 'month', 5000, 'marketing'), (2, 'customer', 'quarter', 1000000, 'sales'), (3, 'customer', 'quarter', 5000, '(none)')) AS t (target_no, stage, per, goal, team) JOIN bench_reports.hours AS h USING (team),
		generate_series(date_trunc(t.per, timezone('Europe/London', now())), date_trunc(t.per, timezone('Europe/London', now())) + ('1 ' || replace(t.per, 'quarter', 'month') || 's')::interval * CASE t.per WHEN 'quarter' THEN 3 ELSE 1 END - interval '1 day', '1 day') AS d)
SELECT d.target_no, d.on_date, CASE WHEN d.start_at <= now() THEN coalesce(sum(s.n) OVER (PARTITION BY d.target_no ORDER BY d.on_date), 0) END AS actual_to_date,
	round(d.goal * extract(epoch FROM align.working_time(d.hours, d.first_at, d.end_at)) / extract(epoch FROM align.working_time(d.hours, d.first_at, d.last_at)), 2) AS goal_to_date
FROM d LEFT JOIN (SELECT stage, timezone('Europe/London', at)::date AS on_date, k.target_no, CASE k.target_no WHEN 2 THEN sum(amount) ELSE count(*) END AS n
	FROM f JOIN (VALUES ('mql', 1), ('customer', 2), ('customer', 3)) AS k (stage, target_no) USING (stage) GROUP BY 1, 2, 3) AS s ON s.target_no = d.target_no AND s.on_date = d.on_date;

-- The pipeline at each of some instants: a lead's stage from an entry to the next.
CREATE VIEW bench_reports.span AS
SELECT e.id, e.stage, e.effective_at AS since, lead(e.effective_at) OVER w AS until, e.amount, min(e.effective_at) OVER (PARTITION BY e.id, e.stage) AS first_at, s.stage_order, s.step, s.kind
FROM bench_reports.entry AS e JOIN bench_reports.stage AS s USING (stage) WINDOW w AS (PARTITION BY e.id ORDER BY e.entry_no);
CREATE VIEW bench_reports.first_time AS
SELECT id, stage, at, min(at) FILTER (WHERE stage = 'customer') OVER (PARTITION BY id) AS won_at FROM (SELECT id, stage, min(effective_at) AS at FROM bench_reports.entry GROUP BY id, stage) AS f;
CREATE VIEW bench_reports.pipeline_by_hand AS
SELECT s.stage, s.stage_order, p.leads, p.leads_aged, p.amount, p.amount_aged, b.base_n, b.base_won, b.base_won::float8 / b.base_n AS won_share, round((p.amount - p.amount_aged) * (b.base_won::float8 / b.base_n)::numeric, 2) AS expected_amount,
	(p.leads - p.leads_aged) * b.base_won::float8 / b.base_n AS expected_leads
FROM bench_reports.stage AS s
	JOIN (SELECT p.stage, count(*) AS leads, count(*) FILTER (WHERE p.first_at < now() - interval '720 hours') AS leads_aged, sum(p.amount) AS amount, coalesce(sum(p.amount) FILTER (WHERE p.first_at < now() - interval '720 hours'), 0) AS amount_aged
		FROM bench_reports.span AS p WHERE p.until IS NULL GROUP BY p.stage) AS p USING (stage)
	JOIN (SELECT f.stage, count(*) AS base_n, count(*) FILTER (WHERE won_at - at BETWEEN '0' AND '720 hours') AS base_won FROM bench_reports.first_time AS f
		WHERE at >= now() - interval '720 hours' - interval '8760 hours' AND at < now() - interval '720 hours' GROUP BY f.stage) AS b USING (stage)
WHERE s.step IS NOT NULL AND s.kind = 'open';
CREATE VIEW bench_reports.pipeline_by_week_by_hand AS
WITH w AS MATERIALIZED (SELECT w::date AS week, timezone('Europe/London', w + interval '7 days') AS as_of FROM generate_series(date_trunc('week', timezone('Europe/London', now())) - interval '182 days', date_trunc('week', timezone('Europe/London', now())) - interval '7 days', '7 days') AS w)
SELECT w.week, s.stage, s.stage_order, coalesce(p.leads, 0) AS leads, coalesce(p.leads_aged, 0) AS leads_aged, coalesce(p.amount, 0) AS amount, coalesce(p.amount_aged, 0) AS amount_aged, coalesce(b.base_n, 0) AS base_n, coalesce(b.base_won, 0) AS base_won,
	round((coalesce(p.amount, 0) - coalesce(p.amount_aged, 0)) * (b.base_won::float8 / b.base_n)::numeric, 2) AS expected_amount
FROM w CROSS JOIN bench_reports.stage AS s
	LEFT JOIN (SELECT w.week, p.stage, count(*) AS leads, count(*) FILTER (WHERE p.first_at < w.as_of - interval '720 hours') AS leads_aged, sum(p.amount) AS amount, sum(p.amount) FILTER (WHERE p.first_at < w.as_of - interval '720 hours') AS amount_aged
		FROM bench_reports.span AS p JOIN w ON p.since <= w.as_of AND (p.until > w.as_of OR p.until IS NULL) GROUP BY w.week, p.stage) AS p ON p.week = w.week AND p.stage = s.stage
	LEFT JOIN (SELECT w.week, f.stage, count(*) AS base_n, count(*) FILTER (WHERE f.won_at - f.at BETWEEN '0' AND '720 hours' AND f.won_at <= w.as_of) AS base_won
		FROM bench_reports.first_time AS f JOIN w ON f.at >= w.as_of - interval '720 hours' - interval '8760 hours' AND f.at < w.as_of - interval '720 hours' GROUP BY w.week, f.stage) AS b ON b.week = w.week AND b.stage = s.stage
WHERE s.step IS NOT NULL AND s.kind = 'open';
CREATE VIEW bench_reports.pipeline_movement_by_hand AS
WITH w AS MATERIALIZED (SELECT w::date AS week, timezone('Europe/London', w) AS start_at, least(timezone('Europe/London', w + interval '7 days'), now()) AS end_at
	FROM generate_series(date_trunc('week', timezone('Europe/London', now())) - interval '182 days', date_trunc('week', timezone('Europe/London', now())), '7 days') AS w),
p AS MATERIALIZED (SELECT *, step IS NOT NULL AND kind = 'open' AS is_in FROM bench_reports.span),
c AS (
	SELECT id, week, bool_or(at_start) AS at_start, bool_or(at_end) AS at_end, max(kind) AS kind, coalesce(max(amount_start), 0) AS amount_start, coalesce(max(amount_end), 0) AS amount_end
	FROM (SELECT p.id, w.week, p.is_in AND p.since <= w.start_at AS at_start, p.is_in AND (p.until > w.end_at OR p.until IS NULL) AS at_end, p.is_in AS in_week, CASE WHEN p.until > w.end_at OR p.until IS NULL THEN p.kind END AS kind,
			CASE WHEN p.since <= w.start_at THEN p.amount END AS amount_start, CASE WHEN p.until > w.end_at OR p.until IS NULL THEN p.amount END AS amount_end
		FROM p JOIN w ON p.since <= w.end_at AND (p.until > w.start_at OR p.until IS NULL)) AS x
	GROUP BY id, week HAVING bool_or(in_week)),
s AS (
	SELECT c.week, m.step, count(*) AS leads, sum(m.amount) AS amount
	FROM c CROSS JOIN LATERAL (VALUES ('opening', at_start, amount_start), ('created', NOT at_start, amount_end), ('grown', at_start AND at_end AND amount_end > amount_start, amount_end - amount_start),
		('shrunk', at_start AND at_end AND amount_end < amount_start, amount_start - amount_end), ('won', NOT at_end AND kind = 'won', CASE WHEN at_start THEN amount_start ELSE amount_end END),
		('lost', NOT at_end AND kind = 'lost', CASE WHEN at_start THEN amount_start ELSE amount_end END), ('gone', NOT at_end AND kind = 'open', CASE WHEN at_start THEN amount_start ELSE amount_end END), ('closing', at_end, amount_end)) AS m (step, counts, amount)
	WHERE m.counts GROUP BY c.week, m.step)
SELECT w.week, x.step, coalesce(s.leads, 0) AS leads, coalesce(s.amount, 0) AS amount
FROM w CROSS JOIN unnest('{opening,created,grown,shrunk,won,lost,gone,closing}'::text[]) AS x (step) LEFT JOIN s ON s.week = w.week AND s.step = x.step;

CREATE VIEW bench_reports.coverage_by_hand AS
SELECT t.target_no, a.actual, greatest(t.goal - a.actual, 0) AS remaining, CASE t.target_no WHEN 2 THEN p.amount ELSE p.leads END AS open_amount, CASE t.target_no WHEN 2 THEN p.expected_amount ELSE p.expected_leads END AS expected_amount
FROM (VALUES (2, 1000000), (3, 5000)) AS t (target_no, goal)
	JOIN LATERAL (SELECT CASE t.target_no WHEN 2 THEN coalesce(sum(l.amount), 0) ELSE count(*) END AS actual
		FROM (SELECT id, min(effective_at) AS at FROM bench_reports.entry WHERE stage = 'customer' GROUP BY id) AS f JOIN bench_reports.last_entry AS l USING (id)
		WHERE l.stage = 'customer' AND f.at >= timezone('Europe/London', date_trunc('quarter', timezone('Europe/London', now())))) AS a ON true
	CROSS JOIN (SELECT sum(amount) AS amount, sum(leads) AS leads, sum(expected_amount) AS expected_amount, round(sum(expected_leads)::numeric, 2) AS expected_leads FROM bench_reports.pipeline_by_hand) AS p;
CREATE VIEW bench_reports.required_by_hand AS
WITH f AS MATERIALIZED (SELECT f.*, s.step FROM bench_reports.first_time AS f JOIN bench_reports.stage AS s USING (stage) WHERE s.step IS NOT NULL),
r AS (
	SELECT f.step, f.stage, count(*) AS base_n, count(*) FILTER (WHERE f.next_at <= f.at + interval '720 hours')::float8 / count(*) AS rate_to_next,
		percentile_disc(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM f.won_at - f.at)::bigint) FILTER (WHERE f.won_at <= f.at + interval '720 hours') AS median_seconds_to_won
	FROM (SELECT f.*, lead(f.at) OVER (PARTITION BY f.id ORDER BY f.step) AS next_at FROM f) AS f
	WHERE f.step < 6 AND f.at >= now() - interval '720 hours' - interval '8760 hours' AND f.at < now() - interval '720 hours' GROUP BY f.step, f.stage),
a AS (SELECT sum(l.amount) AS amount, count(*) AS n FROM f JOIN bench_reports.last_entry AS l USING (id)
	WHERE f.stage = 'customer' AND l.stage = 'customer' AND f.at >= timezone('Europe/London', date_trunc('quarter', timezone('Europe/London', now()))))
SELECT t.target_no, t.gap, r.stage, r.base_n, r.rate_to_next, r.median_seconds_to_won, CASE t.target_no WHEN 3 THEN ceil(round(t.gap / p.rate::numeric, 6)) ELSE round(t.gap / p.rate::numeric, 2) END AS needed
FROM a CROSS JOIN LATERAL (VALUES (2, greatest(1000000 - a.amount, 0)), (3, greatest(5000 - a.n, 0))) AS t (target_no, gap)
	CROSS JOIN r CROSS JOIN LATERAL (SELECT exp(sum(ln(x.rate_to_next))) AS rate FROM r AS x WHERE x.step >= r.step) AS p;

-- Service levels.
CREATE VIEW bench_reports.sla_by_week_by_hand AS
SELECT sla, date_trunc('week', timezone('Europe/London', due_at))::date AS week, count(*) FILTER (WHERE status = 'met') AS met, count(*) FILTER (WHERE status IN ('missed', 'overdue')) AS missed, count(*) FILTER (WHERE status = 'overdue') AS still_open,
	CASE WHEN count(stopped_at) >= 5 THEN percentile_disc(0.5) WITHIN GROUP (ORDER BY s.seconds) FILTER (WHERE stopped_at IS NOT NULL) END AS median_working_seconds, CASE WHEN count(stopped_at) >= 20 THEN percentile_disc(0.9) WITHIN GROUP (ORDER BY s.seconds) FILTER (WHERE stopped_at IS NOT NULL) END AS p90_working_seconds, count(stopped_at) AS n
FROM bench_reports.clock AS c CROSS JOIN (SELECT hours FROM bench_reports.hours WHERE team = 'sales' OFFSET 0) AS h
	CROSS JOIN LATERAL (SELECT round(extract(epoch FROM align.working_time(h.hours, c.started_at, c.stopped_at)))::bigint AS seconds) AS s
WHERE due_at <= now() GROUP BY 1, 2;
CREATE VIEW bench_reports.promises_by_hand AS
WITH w AS (SELECT timezone('Europe/London', date_trunc('week', timezone('Europe/London', now())) - interval '7 days' * n) AS at, n FROM generate_series(0, 5) AS n),
c AS (
	SELECT count(*) FILTER (WHERE status = 'met' AND due_at >= a.at) AS met_week, count(*) FILTER (WHERE status IN ('missed', 'overdue') AND due_at >= a.at) AS missed_week, count(*) FILTER (WHERE status = 'met' AND due_at < a.at) AS met_before4,
		count(*) FILTER (WHERE status IN ('missed', 'overdue') AND due_at < a.at) AS missed_before4
	FROM bench_reports.clock, (SELECT at FROM w WHERE n = 1) AS a, (SELECT at FROM w WHERE n = 0) AS z, (SELECT at FROM w WHERE n = 5) AS b WHERE due_at >= b.at AND due_at < z.at),
o AS (
	SELECT count(*) FILTER (WHERE status = 'overdue') AS overdue_now, count(*) FILTER (WHERE status = 'at risk') AS at_risk_now, max(round(extract(epoch FROM align.working_time(h.hours, due_at, now())))::bigint) FILTER (WHERE status = 'overdue') AS oldest_overdue_working_seconds
	FROM bench_reports.clock, (SELECT hours FROM bench_reports.hours WHERE team = 'sales' OFFSET 0) AS h WHERE stopped_at IS NULL)
SELECT * FROM c CROSS JOIN o;
CREATE VIEW bench_reports.sla_now_by_hand AS
SELECT c.id, c.sla, c.cycle, coalesce(e.assignee, '(none)') AS assignee, c.status AS clock_status, c.started_at, c.due_at, e.stage, e.amount, t.last_touch_at,
	round(extract(epoch FROM now() - c.started_at))::bigint AS elapsed_seconds, round(extract(epoch FROM align.working_time(h.hours, c.started_at, now())))::bigint AS working_seconds,
	CASE WHEN now() > c.due_at THEN round(extract(epoch FROM align.working_time(h.hours, c.due_at, now())))::bigint ELSE 0 END AS overrun_seconds
FROM bench_reports.clock AS c CROSS JOIN (SELECT hours FROM bench_reports.hours WHERE team = 'sales' OFFSET 0) AS h
	CROSS JOIN LATERAL (SELECT * FROM bench_reports.entry AS e WHERE e.id = c.id ORDER BY e.entry_no DESC LIMIT 1) AS e
	CROSS JOIN LATERAL (SELECT max(effective_at) AS last_touch_at FROM (SELECT effective_at, campaign, lag(campaign) OVER (ORDER BY entry_no) AS previous FROM bench_reports.entry AS e WHERE e.id = c.id AND event <> 'owner') AS t WHERE campaign IS DISTINCT FROM previous) AS t
WHERE c.stopped_at IS NULL AND c.status IN ('overdue', 'at risk');

-- Handoffs: the visit that a submission begins, and its decisive touch: the last
-- change of campaign until then that is not direct.
CREATE VIEW bench_reports.submission AS
SELECT v.*, CASE WHEN v.left_at IS NULL THEN 'pending' WHEN v.next_stage = 'sal' THEN 'accepted' WHEN v.next_stage IN ('nurture', 'disqualified') THEN 'rejected' ELSE 'withdrawn' END AS outcome,
	row_number() OVER (PARTITION BY v.id ORDER BY v.entry_no) AS submission_no
FROM bench_reports.visit AS v WHERE v.handoff IS NOT NULL;
CREATE VIEW bench_reports.touch AS
SELECT * FROM (SELECT id, entry_no, effective_at AS at, campaign, lag(campaign) OVER (PARTITION BY id ORDER BY entry_no) AS previous FROM bench_reports.entry WHERE event <> 'owner') AS t WHERE campaign IS DISTINCT FROM previous;
CREATE VIEW bench_reports.handoffs_by_week_by_hand AS
SELECT s.handoff, date_trunc('week', timezone('Europe/London', s.entered_at))::date AS week, count(*) AS submitted, count(*) FILTER (WHERE outcome = 'accepted') AS accepted, count(*) FILTER (WHERE outcome = 'rejected') AS rejected,
	count(*) FILTER (WHERE outcome = 'pending') AS pending, count(*) FILTER (WHERE submission_no = 1) AS first_submissions,
	CASE WHEN count(*) FILTER (WHERE outcome IN ('accepted', 'rejected')) >= 5 THEN percentile_disc(0.5) WITHIN GROUP (ORDER BY t.seconds) FILTER (WHERE outcome IN ('accepted', 'rejected')) END AS median_working_seconds, CASE WHEN count(*) FILTER (WHERE outcome IN ('accepted', 'rejected')) >= 20 THEN percentile_disc(0.9) WITHIN GROUP (ORDER BY t.seconds) FILTER (WHERE outcome IN ('accepted', 'rejected')) END AS p90_working_seconds
FROM bench_reports.submission AS s CROSS JOIN (SELECT hours FROM bench_reports.hours WHERE team = 'sales' OFFSET 0) AS h
	CROSS JOIN LATERAL (SELECT extract(epoch FROM align.working_time(h.hours, s.entered_at, s.left_at))::bigint AS seconds) AS t
GROUP BY 1, 2;
CREATE VIEW bench_reports.feedback_by_hand AS
WITH s AS MATERIALIZED (
	SELECT DISTINCT ON (s.id, s.entry_no) s.*, c.key, c.name, c.channel
	FROM bench_reports.submission AS s JOIN bench_reports.touch AS t ON t.id = s.id AND t.at <= s.entered_at JOIN bench_reports.campaign AS c USING (campaign)
	ORDER BY s.id, s.entry_no, c.channel = 'Direct', t.entry_no DESC),
x AS (
	SELECT key, name, channel, date_trunc('month', timezone('Europe/London', entered_at))::date AS month, 'handoff' AS moment, handoff, outcome AS result, coalesce(left_reason, '(none)') AS reason, count(*) AS n, count(DISTINCT id) AS leads, count(*) FILTER (WHERE submission_no = 1) AS first_n
	FROM s GROUP BY 1, 2, 3, 4, 6, 7, 8
	UNION ALL
	SELECT coalesce(s.key, '(not submitted)'), coalesce(s.name, '(none)'), coalesce(s.channel, '(not submitted)'), date_trunc('month', timezone('Europe/London', e.effective_at))::date, 'close', '(none)', e.kind, coalesce(e.reason, '(none)'), count(*), count(*), count(*)
	FROM (SELECT DISTINCT ON (e.id) e.id, e.effective_at, e.reason, k.kind FROM bench_reports.entry AS e JOIN bench_reports.stage AS k USING (stage) WHERE k.kind <> 'open' AND e.event <> 'owner' ORDER BY e.id, e.entry_no DESC) AS e LEFT JOIN s ON s.id = e.id AND s.submission_no = 1
	GROUP BY 1, 2, 3, 4, 7, 8)
SELECT x.month, x.key AS campaign_key, x.name AS campaign_name, x.channel, x.moment, x.handoff, x.result, x.reason, x.n, x.leads, x.first_n,
	CASE WHEN x.result <> 'pending' THEN x.first_n::float8 / nullif(sum(x.first_n) FILTER (WHERE x.result IN ('accepted', 'rejected', 'won', 'lost')) OVER (PARTITION BY x.key, x.month, x.moment, x.handoff), 0) END AS share
FROM x;
CREATE VIEW bench_reports.handover_by_hand AS
SELECT s.id, s.handoff, s.entered_at AS submitted_at, k.due_at, coalesce(now() > k.due_at, false) AS is_overdue, coalesce(e.assignee, '(none)') AS assignee, t.touches, t.last_touch_at, e.amount, f.entered_on, p.rejections AS rejections_before
FROM (SELECT * FROM bench_reports.submission WHERE outcome = 'pending') AS s
	CROSS JOIN LATERAL (SELECT count(*) AS rejections FROM bench_reports.visit AS v WHERE v.id = s.id AND v.entry_no < s.entry_no AND v.handoff IS NOT NULL AND v.next_stage IN ('nurture', 'disqualified')) AS p
	CROSS JOIN LATERAL (SELECT * FROM bench_reports.entry AS e WHERE e.id = s.id ORDER BY e.entry_no DESC LIMIT 1) AS e
	CROSS JOIN LATERAL (SELECT timezone('Europe/London', min(effective_at))::date AS entered_on FROM bench_reports.entry AS e WHERE e.id = s.id) AS f
	CROSS JOIN LATERAL (SELECT count(*) AS touches, max(effective_at) AS last_touch_at FROM (SELECT effective_at, campaign, lag(campaign) OVER (ORDER BY entry_no) AS previous FROM bench_reports.entry AS e WHERE e.id = s.id AND event <> 'owner') AS t WHERE campaign IS DISTINCT FROM previous) AS t
	LEFT JOIN bench_reports.leads_sla AS k ON k.id = s.id AND k.sla = s.handoff AND k.started_at = s.entered_at;

-- Campaigns.
CREATE VIEW bench_reports.lead_by_hand AS
SELECT e.id, (array_agg(e.campaign ORDER BY e.entry_no))[1] AS campaign, min(e.effective_at) AS entered_at, bool_or(e.stage = 'mql') AS is_mql, min(e.effective_at) FILTER (WHERE e.handoff IS NOT NULL) AS submitted_at,
	min(e.effective_at) FILTER (WHERE e.stage = 'opportunity') AS opportunity_at, min(e.effective_at) FILTER (WHERE e.stage = 'customer') AS won_at, (array_agg(e.stage ORDER BY e.entry_no DESC))[1] AS stage, (array_agg(e.amount ORDER BY e.entry_no DESC))[1] AS amount, max(e.segments) FILTER (WHERE e.entry_no = 1) AS segments
FROM bench_reports.entry AS e GROUP BY e.id;
CREATE VIEW bench_reports.campaign_results_by_hand AS
WITH campaigns AS MATERIALIZED (SELECT * FROM bench_reports.campaign),
r AS (SELECT id, bool_or(next_stage = 'sal') AS is_accepted, bool_or(next_stage IN ('nurture', 'disqualified')) AS is_rejected FROM bench_reports.visit WHERE handoff IS NOT NULL GROUP BY id),
l AS MATERIALIZED (SELECT * FROM bench_reports.lead_by_hand),
k AS (
	SELECT c.key, c.channel, date_trunc('month', timezone('Europe/London', l.entered_at))::date AS month, count(*) AS leads, count(*) FILTER (WHERE l.is_mql) AS qualified, count(l.submitted_at) AS submitted, count(*) FILTER (WHERE r.is_accepted) AS accepted,
		count(*) FILTER (WHERE r.is_rejected) AS rejected, count(l.won_at) AS won, count(*) FILTER (WHERE l.won_at IS NULL AND l.stage = 'disqualified') AS lost, count(*) FILTER (WHERE l.won_at IS NULL AND l.stage <> 'disqualified') AS open
	FROM l JOIN campaigns AS c USING (campaign) LEFT JOIN r USING (id) GROUP BY 1, 2, 3),
u AS MATERIALIZED (SELECT t.id, t.entry_no, t.at, c.key, c.channel, row_number() OVER (PARTITION BY t.id ORDER BY t.entry_no) AS n FROM bench_reports.touch AS t JOIN campaigns AS c USING (campaign)),
n AS (SELECT key, channel, date_trunc('month', timezone('Europe/London', at))::date AS month, count(*) AS touches FROM u GROUP BY 1, 2, 3),
-- the touches of won leads; w_shaped and full_path have a milestone in the last open stage
p AS (
	SELECT u.*, l.won_at, l.amount, count(*) FILTER (WHERE u.at <= l.won_at) OVER w AS k, max(u.n) FILTER (WHERE u.channel <> 'Direct' AND u.at <= l.won_at) OVER w AS last_non_direct, max(u.n) FILTER (WHERE u.at <= l.opportunity_at) OVER w AS opportunity,
		sum(power(2::float8, -extract(epoch FROM l.won_at - u.at)::float8 / 604800)) FILTER (WHERE u.at <= l.won_at) OVER w AS decay
	FROM u JOIN l USING (id) WHERE l.won_at IS NOT NULL WINDOW w AS (PARTITION BY u.id)),
s AS (
	SELECT *, (CASE WHEN n > k THEN 0 ELSE 1.0 / k END::float8::numeric * amount * 100) AS linear, (CASE WHEN n > k THEN 0 WHEN k <= 2 THEN 1.0 / k WHEN n IN (1, k) THEN 0.4 ELSE 0.2 / (k - 2) END::float8::numeric * amount * 100) AS position,
		(CASE WHEN n > k THEN 0 ELSE power(2::float8, -extract(epoch FROM won_at - at)::float8 / 604800) / decay END::numeric * amount * 100) AS time_decay, (CASE WHEN n > k THEN 0 WHEN k = 1 THEN 1 WHEN n = 1 THEN 0.8 ELSE 0.2 / (k - 1) END::float8::numeric * amount * 100) AS u_shaped,
		(CASE WHEN n > k THEN 0 ELSE (30 * (1 + (n = 1)::int) * (n = 1)::int + 30 * (n = opportunity)::int + CASE WHEN n NOT IN (1, opportunity) THEN 10.0 / greatest(k - 1 - (opportunity > 1)::int, 1) ELSE 0 END)
			/ (90 + CASE WHEN k - 1 - (opportunity > 1)::int > 0 THEN 10 ELSE 0 END) END::float8::numeric * amount * 100) AS w_shaped,
		(CASE WHEN n > k THEN 0 ELSE (45 * (n = 1)::int + 22.5 * (n = opportunity)::int + 22.5 * (n = k)::int + CASE WHEN n NOT IN (1, opportunity, k) THEN 10.0 / greatest(k - 1 - (opportunity > 1)::int - (k > 1 AND k <> opportunity)::int, 1) ELSE 0 END)
			/ (90 + CASE WHEN k - 1 - (opportunity > 1)::int - (k > 1 AND k <> opportunity)::int > 0 THEN 10 ELSE 0 END) END::float8::numeric * amount * 100) AS full_path
	FROM p),
c AS (
	SELECT *, amount * 100 - sum(floor(linear)) OVER w AS linear_rest, row_number() OVER (PARTITION BY id ORDER BY linear - floor(linear) DESC, n) AS linear_rank, amount * 100 - sum(floor(position)) OVER w AS position_rest, row_number() OVER (PARTITION BY id ORDER BY position - floor(position) DESC, n) AS position_rank,
		amount * 100 - sum(floor(time_decay)) OVER w AS time_decay_rest, row_number() OVER (PARTITION BY id ORDER BY time_decay - floor(time_decay) DESC, n) AS time_decay_rank, amount * 100 - sum(floor(u_shaped)) OVER w AS u_shaped_rest, row_number() OVER (PARTITION BY id ORDER BY u_shaped - floor(u_shaped) DESC, n) AS u_shaped_rank,
		amount * 100 - sum(floor(w_shaped)) OVER w AS w_shaped_rest, row_number() OVER (PARTITION BY id ORDER BY w_shaped - floor(w_shaped) DESC, n) AS w_shaped_rank, amount * 100 - sum(floor(full_path)) OVER w AS full_path_rest, row_number() OVER (PARTITION BY id ORDER BY full_path - floor(full_path) DESC, n) AS full_path_rank
	FROM s WINDOW w AS (PARTITION BY id)),
t AS (
	SELECT key, channel, date_trunc('month', timezone('Europe/London', at))::date AS month, sum(amount) FILTER (WHERE n = 1) AS first, sum(amount) FILTER (WHERE n = k) AS last, sum(amount) FILTER (WHERE n = last_non_direct) AS last_non_direct,
		sum((floor(linear) + (linear_rank <= linear_rest)::int) / 100) AS linear, sum((floor(position) + (position_rank <= position_rest)::int) / 100) AS position, sum((floor(time_decay) + (time_decay_rank <= time_decay_rest)::int) / 100) AS time_decay,
		sum((floor(u_shaped) + (u_shaped_rank <= u_shaped_rest)::int) / 100) AS u_shaped, sum((floor(w_shaped) + (w_shaped_rank <= w_shaped_rest)::int) / 100) AS w_shaped, sum((floor(full_path) + (full_path_rank <= full_path_rest)::int) / 100) AS full_path
	FROM c GROUP BY 1, 2, 3)
SELECT key AS campaign_key, channel, month, touches, coalesce(leads, 0) AS leads, coalesce(qualified, 0) AS qualified, coalesce(submitted, 0) AS submitted, coalesce(accepted, 0) AS accepted, coalesce(rejected, 0) AS rejected, coalesce(won, 0) AS won, coalesce(lost, 0) AS lost,
	coalesce(open, 0) AS open, coalesce(first, 0) AS revenue_first, coalesce(last, 0) AS revenue_last, coalesce(last_non_direct, 0) AS revenue_last_non_direct, coalesce(linear, 0) AS revenue_linear, coalesce(position, 0) AS revenue_position, coalesce(time_decay, 0) AS revenue_time_decay,
	coalesce(u_shaped, 0) AS revenue_u_shaped, coalesce(w_shaped, 0) AS revenue_w_shaped, coalesce(full_path, 0) AS revenue_full_path
FROM n LEFT JOIN t USING (key, channel, month) LEFT JOIN k USING (key, channel, month);
CREATE VIEW bench_reports.channel_results_by_hand AS
SELECT channel, month, sum(touches)::bigint AS touches, sum(leads)::bigint AS leads, sum(qualified)::bigint AS qualified, sum(submitted)::bigint AS submitted, sum(accepted)::bigint AS accepted, sum(rejected)::bigint AS rejected, sum(won)::bigint AS won, sum(lost)::bigint AS lost, sum(open)::bigint AS open,
	sum(revenue_first) AS revenue_first, sum(revenue_last) AS revenue_last, sum(revenue_linear) AS revenue_linear, sum(revenue_position) AS revenue_position, sum(revenue_last_non_direct) AS revenue_last_non_direct, sum(revenue_time_decay) AS revenue_time_decay, sum(revenue_u_shaped) AS revenue_u_shaped, sum(revenue_w_shaped) AS revenue_w_shaped, sum(revenue_full_path) AS revenue_full_path
FROM bench_reports.campaign_results_by_hand GROUP BY channel, month;
CREATE VIEW bench_reports.won_by_segment_by_hand AS
WITH w AS (SELECT date_trunc('month', timezone('Europe/London', l.won_at))::date AS month, c.key AS campaign_key, c.name AS campaign_name, c.channel, CASE WHEN 'demo' = ANY (l.segments) THEN 'demo' ELSE '(other)' END AS segment, count(*) AS won, sum(l.amount) AS won_amount
	FROM bench_reports.lead_by_hand AS l JOIN bench_reports.campaign AS c USING (campaign) WHERE l.won_at IS NOT NULL GROUP BY 1, 2, 3, 4, 5)
SELECT k.month, k.campaign_key, k.campaign_name, k.channel, s.segment, coalesce(w.won, 0) AS won, w.won_amount, coalesce(w.won, 0)::float8 / sum(w.won) OVER (PARTITION BY k.campaign_key, k.month)::float8 AS won_share
FROM (SELECT DISTINCT month, campaign_key, campaign_name, channel FROM w) AS k CROSS JOIN unnest('{demo,(other)}'::text[]) AS s (segment) LEFT JOIN w ON w.month = k.month AND w.campaign_key = k.campaign_key AND w.segment = s.segment;

-- Times.
CREATE VIEW bench_reports.timed_visit AS
SELECT v.*, s.stage_order, s.kind, n.stage_order AS next_order, n.kind AS next_kind, extract(epoch FROM coalesce(v.left_at, now()) - v.entered_at)::bigint AS elapsed, extract(epoch FROM align.working_time(h.hours, v.entered_at, coalesce(v.left_at, now())))::bigint AS working
FROM bench_reports.visit AS v JOIN bench_reports.stage AS s USING (stage) JOIN bench_reports.hours AS h ON h.team = coalesce(s.team, '(none)') LEFT JOIN bench_reports.stage AS n ON n.stage = v.next_stage;
CREATE VIEW bench_reports.lead_time_by_hand AS
WITH v AS MATERIALIZED (SELECT * FROM bench_reports.timed_visit),
l AS (SELECT id, min(entered_at) AS entered_at, min(entered_at) FILTER (WHERE stage = 'customer') AS won_at FROM v GROUP BY id),
s AS (SELECT DISTINCT ON (id) id, entered_at AS submitted_at, left_at, next_stage, elapsed, working FROM v WHERE handoff IS NOT NULL ORDER BY id, entry_no),
g AS (
	SELECT id, 'entry to won' AS leg, entered_at AS began_at, won_at AS ended_at FROM l WHERE won_at IS NOT NULL
	UNION ALL SELECT id, 'entry to intake', entered_at, submitted_at FROM s JOIN l USING (id)
	UNION ALL SELECT id, 'intake to won', submitted_at, won_at FROM s JOIN l USING (id) WHERE won_at >= submitted_at),
t AS (
	SELECT leg, ended_at, extract(epoch FROM ended_at - began_at)::bigint AS elapsed, sum(v.working)::bigint AS working FROM g JOIN v ON v.id = g.id AND v.entered_at >= g.began_at AND v.entered_at < g.ended_at GROUP BY g.id, leg, began_at, ended_at
	UNION ALL SELECT 'intake to decision', left_at, elapsed, extract(epoch FROM align.working_time((SELECT hours FROM bench_reports.hours WHERE team = 'sales'), submitted_at, left_at))::bigint FROM s WHERE next_stage IN ('sal', 'nurture', 'disqualified'))
SELECT leg, date_trunc('month', timezone('Europe/London', ended_at))::date AS month, count(*) AS n,
	CASE WHEN count(*) >= 5 THEN percentile_disc(0.5) WITHIN GROUP (ORDER BY elapsed) END AS median_seconds, CASE WHEN count(*) >= 20 THEN percentile_disc(0.9) WITHIN GROUP (ORDER BY elapsed) END AS p90_seconds,
	CASE WHEN count(*) >= 5 THEN percentile_disc(0.5) WITHIN GROUP (ORDER BY working) END AS median_working_seconds, CASE WHEN count(*) >= 20 THEN percentile_disc(0.9) WITHIN GROUP (ORDER BY working) END AS p90_working_seconds
FROM t GROUP BY 1, 2;
CREATE VIEW bench_reports.time_in_stage_by_hand AS
WITH v AS MATERIALIZED (SELECT * FROM bench_reports.timed_visit),
m AS MATERIALIZED (SELECT m::date AS month, least(timezone('Europe/London', m + interval '1 month'), now()) AS end_at FROM generate_series(date_trunc('month', timezone('Europe/London', :'began'::timestamptz)), timezone('Europe/London', now()), '1 month') AS m),
e AS (
	SELECT date_trunc('month', timezone('Europe/London', left_at))::date AS month, stage, count(*) FILTER (WHERE next_kind = 'won' OR next_kind = 'open' AND next_order > stage_order) AS left_forward, count(*) FILTER (WHERE next_kind = 'open' AND next_order < stage_order) AS left_back,
		count(*) FILTER (WHERE next_kind = 'lost') AS left_lost, count(*) AS n, percentile_disc(0.5) WITHIN GROUP (ORDER BY elapsed) AS median_seconds, percentile_disc(0.9) WITHIN GROUP (ORDER BY elapsed) AS p90_seconds,
		percentile_disc(0.5) WITHIN GROUP (ORDER BY working) AS median_working_seconds, percentile_disc(0.9) WITHIN GROUP (ORDER BY working) AS p90_working_seconds
	FROM v WHERE left_at IS NOT NULL GROUP BY 1, 2),
o AS (
	SELECT m.month, v.stage, count(*) AS open_at_end, percentile_disc(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM m.end_at - v.entered_at)::bigint) AS open_median_seconds
	FROM v JOIN m ON m.end_at >= v.entered_at AND (v.left_at IS NULL OR v.left_at > m.end_at) WHERE v.kind = 'open' GROUP BY 1, 2)
SELECT month, stage, coalesce(left_forward, 0) AS left_forward, coalesce(left_back, 0) AS left_back, coalesce(left_lost, 0) AS left_lost, coalesce(n, 0) AS n, CASE WHEN n >= 5 THEN median_seconds END AS median_seconds, CASE WHEN n >= 20 THEN p90_seconds END AS p90_seconds,
	CASE WHEN n >= 5 THEN median_working_seconds END AS median_working_seconds, CASE WHEN n >= 20 THEN p90_working_seconds END AS p90_working_seconds, coalesce(open_at_end, 0) AS open_at_end, CASE WHEN open_at_end >= 5 THEN open_median_seconds END AS open_median_seconds
FROM e FULL JOIN o USING (month, stage);
CREATE VIEW bench_reports.stuck_by_hand AS
WITH v AS MATERIALIZED (SELECT v.*, s.kind, h.hours FROM bench_reports.visit AS v JOIN bench_reports.stage AS s USING (stage) JOIN bench_reports.hours AS h USING (team) WHERE s.kind = 'open'),
m AS (
	SELECT v.stage, nullif(percentile_disc(0.9) WITHIN GROUP (ORDER BY coalesce(CASE WHEN v.left_at <= v.entered_at + interval '720 hours' THEN extract(epoch FROM align.working_time(v.hours, v.entered_at, v.left_at))::bigint END, 1e15)), 1e15) AS seconds, min(v.hours::text)::align.calendar AS hours
	FROM v WHERE v.entered_at >= now() - interval '720 hours' - interval '8760 hours' AND v.entered_at < now() - interval '720 hours' GROUP BY v.stage),
l AS (SELECT m.stage, coalesce(m.seconds::bigint, extract(epoch FROM align.working_time(m.hours, now() - interval '720 hours', now()))::bigint) AS seconds FROM m),
t AS (SELECT id, max(at) AS last_touch_at FROM bench_reports.touch GROUP BY id)
SELECT v.id, v.stage, x.assignee, v.entered_at AS since, a.age AS age_working_seconds, l.seconds AS limit_working_seconds, x.amount, t.last_touch_at
FROM v JOIN l USING (stage) CROSS JOIN LATERAL (SELECT extract(epoch FROM align.working_time(v.hours, v.entered_at, now()))::bigint AS age) AS a
	JOIN (SELECT id, coalesce(assignee, '(none)') AS assignee, amount FROM bench_reports.last_entry) AS x USING (id) JOIN t USING (id)
WHERE v.left_at IS NULL AND a.age > l.seconds;
CREATE VIEW bench_reports.unassigned_by_hand AS
WITH l AS MATERIALIZED (SELECT l.* FROM (SELECT *, max(effective_at) FILTER (WHERE assignee IS NOT NULL) OVER (PARTITION BY id) AS assigned_until, row_number() OVER (PARTITION BY id ORDER BY entry_no DESC) AS n FROM bench_reports.entry) AS l WHERE l.n = 1 AND l.assignee IS NULL)
SELECT l.id, l.stage, s.team, u.at AS unassigned_since, extract(epoch FROM align.working_time(h.hours, u.at, now()))::bigint AS unassigned_working_seconds, c.due_at AS next_due_at, coalesce(c.status = 'overdue', false) AS is_overdue
FROM l JOIN bench_reports.stage AS s USING (stage) JOIN bench_reports.hours AS h ON h.team = s.team LEFT JOIN bench_reports.clock AS c ON c.id = l.id AND c.stopped_at IS NULL
	CROSS JOIN LATERAL (SELECT min(e.effective_at) AS at FROM bench_reports.entry AS e WHERE e.id = l.id AND e.effective_at > coalesce(l.assigned_until, '-infinity')) AS u
WHERE s.kind = 'open' AND (s.step IS NOT NULL OR c.id IS NOT NULL);
CREATE VIEW bench_reports.workload_by_hand AS
WITH w AS MATERIALIZED (SELECT n, w::date AS week, timezone('Europe/London', w) AS start_at, least(timezone('Europe/London', w + interval '7 days'), now()) AS end_at, timezone('Europe/London', w + interval '7 days') > now() AS is_running
	FROM generate_series(1, 39) AS n, LATERAL (SELECT date_trunc('week', timezone('Europe/London', now())) - (39 - n) * interval '7 days' AS w) AS x),
c AS MATERIALIZED (SELECT w.*, h.team, h.hours, extract(epoch FROM align.working_time(h.hours, w.start_at, w.end_at))::float8 AS seconds,
		(SELECT count(*) FROM generate_series(0, 6) AS d, LATERAL (SELECT timezone('Europe/London', (w.week + d)::timestamp) AS day) AS y WHERE y.day < w.end_at AND align.working_time(h.hours, y.day, least(w.end_at, timezone('Europe/London', (w.week + d + 1)::timestamp))) > '0') AS days
	FROM w CROSS JOIN bench_reports.hours AS h),
s AS MATERIALIZED (
	SELECT assignee, team, effective_at AS began_at, lead(effective_at) OVER w AS ended_at, kind
	FROM (SELECT e.id, e.entry_no, e.effective_at, e.assignee, coalesce(e.team, '(none)') AS team, k.kind, lag(e.assignee) OVER w AS p_assignee, lag(e.stage) OVER w AS p_stage, e.stage FROM bench_reports.entry AS e JOIN bench_reports.stage AS k USING (stage) WINDOW w AS (PARTITION BY e.id ORDER BY e.entry_no)) AS e
	WHERE entry_no = 1 OR (assignee, stage) IS DISTINCT FROM (p_assignee, p_stage) WINDOW w AS (PARTITION BY id ORDER BY entry_no)),
t AS (
	SELECT s.assignee, c.team, c.n, count(*) FILTER (WHERE s.began_at >= c.start_at) AS arrivals, count(*) FILTER (WHERE s.ended_at < c.end_at OR c.is_running AND s.ended_at = c.end_at) AS departures, count(*) FILTER (WHERE s.began_at < c.start_at) AS in_hand_start,
		count(*) FILTER (WHERE s.ended_at IS NULL OR s.ended_at >= c.end_at AND NOT c.is_running) AS in_hand_end, sum(extract(epoch FROM align.working_time(c.hours, greatest(s.began_at, c.start_at), least(coalesce(s.ended_at, c.end_at), c.end_at)))::float8) AS seconds,
		sum(CASE WHEN s.ended_at < c.end_at OR c.is_running AND s.ended_at = c.end_at THEN extract(epoch FROM align.working_time(c.hours, s.began_at, s.ended_at))::float8 END) AS whole
	FROM s JOIN c ON c.team = s.team AND (s.began_at < c.end_at OR c.is_running) AND (s.ended_at IS NULL OR s.ended_at >= c.start_at) WHERE s.assignee IS NOT NULL AND s.kind = 'open' GROUP BY 1, 2, 3)
SELECT c.week, t.assignee, t.team, t.arrivals, t.departures, t.in_hand_start, t.in_hand_end, round((t.seconds / nullif(c.seconds, 0))::numeric, 6) AS mean, c.days::int AS working_days FROM t JOIN c USING (team, n) WHERE n > 12;
CREATE VIEW bench_reports.conformance_by_hand AS
SELECT * FROM (
	SELECT week, version, rule, team, entries, leads, overrides, moves
	FROM (SELECT date_trunc('week', timezone('Europe/London', recorded_at))::date AS week, version, r AS rule, coalesce(from_team, team, '(none)') AS team, count(*) AS entries, count(DISTINCT id) AS leads, count(*) FILTER (WHERE event = 'override') AS overrides
		FROM bench_reports.entry, unnest(string_to_array(violation, ', ')) AS r WHERE event <> 'owner' AND violation IS NOT NULL GROUP BY 1, 2, 3, 4) AS b
		JOIN (SELECT date_trunc('week', timezone('Europe/London', recorded_at))::date AS week, coalesce(from_team, team, '(none)') AS team, count(*) AS moves FROM bench_reports.entry WHERE event <> 'owner' GROUP BY 1, 2) AS m USING (week, team)) AS c;

-- Both sides give the same rows, in the columns that both have.
CREATE PROCEDURE bench_reports.compare(reports text[]) LANGUAGE plpgsql AS $$
DECLARE
	f text;
	columns text;
	n bigint;
	m bigint;
BEGIN
	FOREACH f IN ARRAY reports LOOP
		SELECT string_agg(CASE WHEN atttypid = 'float8'::regtype THEN format('round(%I::numeric, 9)', attname) WHEN atttypid = 'numeric'::regtype THEN format('%I::numeric', attname) ELSE quote_ident(attname) END, ', ' ORDER BY attnum) INTO columns
		FROM pg_attribute WHERE attrelid = ('bench_reports.' || f)::regclass AND attnum > 0
			AND attname IN (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = ('bench_reports.' || f || '_by_hand')::regclass);
		EXECUTE format('WITH a AS MATERIALIZED (SELECT %1$s FROM bench_reports.%2$I), b AS MATERIALIZED (SELECT %1$s FROM bench_reports.%3$I) SELECT (SELECT count(*) FROM (TABLE b EXCEPT ALL TABLE a) d), (SELECT count(*) FROM (TABLE a EXCEPT ALL TABLE b) d)', columns, f, f || '_by_hand') INTO n, m;
		IF n > 0 OR m > 0 THEN
			RAISE 'the sides of % differ in % and % rows', f, m, n;
		END IF;
	END LOOP;
END $$;
-- Planning is part of what a reader waits for, so the statement is planned each time.
\set reports '{funnel,funnel_by_month,funnel_by_channel,scorecard,target_by_day,coverage,required,pipeline,pipeline_by_week,pipeline_movement,sla_by_week,promises,sla_now,handoffs_by_week,feedback,handover,campaign_results,channel_results,won_by_segment,lead_time,time_in_stage,stuck,unassigned,workload,conformance}'
CALL bench_reports.compare(:'reports');
SELECT format('CALL bench.measure(%L, %s, ''view'', %L, ''by hand'', %L)', r, :runs, format('SELECT count(t) FROM bench_reports.%I t', r), format('SELECT count(t) FROM bench_reports.%I t', r || '_by_hand'))
FROM unnest(:'reports'::text[]) AS r \gexec
INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
SELECT format('%s of %s leads', what, :leads), bench.show(what, 'view'), 'plain SQL: ' || bench.show(what, 'by hand'), round(ratio::numeric, 2) || ' x', '<= 1.5 x', ratio <= 1.5
FROM (SELECT what, bench.median(what, 'view') / bench.median(what, 'by hand') AS ratio FROM unnest(:'reports'::text[]) AS what) r;

-- The same with stored reports.
SELECT align.create_reports('bench_reports.leads', 'bench_reports', time_zone => 'Europe/London', complete_since => :'began', settle => '30 days', stored => true);
VACUUM ANALYZE;
CALL bench_reports.compare(:'reports');
SELECT format('CALL bench.measure(%L, %s, ''stored'', %L, ''by hand, too'', %L)', r, :runs, format('SELECT count(t) FROM bench_reports.%I t', r), format('SELECT count(t) FROM bench_reports.%I t', r || '_by_hand'))
FROM unnest(:'reports'::text[]) AS r \gexec
INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
SELECT format('%s, stored', what), bench.show(what, 'stored'), 'plain SQL: ' || bench.show(what, 'by hand, too'), round(ratio::numeric, 2) || ' x', '<= 1.5 x', ratio <= 1.5
FROM (SELECT what, bench.median(what, 'stored') / bench.median(what, 'by hand, too') AS ratio FROM unnest(:'reports'::text[]) AS what) r;

-- The weekly page, beside the reports that it shows.
\set shown '{scorecard,coverage,required,pipeline_movement,pipeline,target_by_day,promises,sla_by_week,sla_now,feedback,funnel_by_month,campaign_results,conformance,stuck,unassigned}'
CALL bench.measure('weekly_report', :runs, 'page', 'SELECT align.weekly_report(''bench_reports.leads'', now()::date)');
INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
SELECT 'weekly_report(), stored', bench.show('weekly_report', 'page'), 'its reports: ' || bench.show_ms(total), round((page / total)::numeric, 2) || ' x', '<= 3 x, <= 2 s', page / total <= 3 AND page <= 2000
FROM (SELECT sum(bench.median(r, 'stored')) AS total, bench.median('weekly_report', 'page') AS page FROM unnest(:'shown'::text[]) AS r) t;
SET client_min_messages = warning;
DROP SCHEMA bench_reports CASCADE;
RESET client_min_messages;
