-- The facts of create_reports(), beside plain SQL for the same figures.  That
-- has the stage names of one version, no merged leads and no second lives.
\set leads 1000000 * :scale
SELECT greatest(round(:leads), 1000)::int AS leads \gset
CREATE SCHEMA bench_facts;
SELECT align.agree('bench_facts', $$
	hours 'Europe/London Mo-Fr 09:00-17:30';
	hours of sales 'America/New_York Mo-Fr 08:00-18:00';
	stage inquiry, mql held by marketing;
	stage sal, sql, opportunity held by sales;
	stage nurture held by marketing;
	won customer;
	lost disqualified;
	entry inquiry, mql;
	success path inquiry -> mql -> sal -> sql -> opportunity -> customer;
	path mql, sal, sql, opportunity -> nurture -> mql;
	path any -> disqualified;
	handoff intake: mql from marketing to sales, accept sal, reject nurture, disqualified, within 4 working hours;
	segment demo: 'kind = ''demo''';
$$);
CREATE TABLE bench_facts.leads (id bigint PRIMARY KEY, status text, owner text, reason text, amount numeric, campaign text, kind text, country text, changed_at timestamptz);
SELECT align.attach('bench_facts.leads', 'bench_facts', mode => 'observe', stage => 'status', assignee => 'owner', reason => 'reason', amount => 'amount', campaign => 'campaign', changed_at => 'changed_at');
SELECT align.create_reports('bench_facts.leads', 'bench_facts', dimensions => '{country}', time_zone => 'Europe/London');

-- Three entries a lead, in order of time; a campaign is new with every other one.
SET session_replication_role = replica;
INSERT INTO bench_facts.leads SELECT i, 'inquiry', 'p' || i % 30, NULL, NULL, NULL, 'demo', (ARRAY['DE', 'FR', 'UK'])[1 + i % 3], NULL FROM generate_series(1, :leads) i;
INSERT INTO bench_facts.leads_history (id, entry_no, event, effective_at, recorded_at, from_stage, stage, team, assignee, reason, campaign, amount, agreement, version, handoff, segments)
SELECT id, n, CASE WHEN n = 1 THEN 'entry' WHEN stage = previous THEN 'owner' ELSE 'move' END, at, at, previous, stage,
	CASE WHEN stage IN ('inquiry', 'mql', 'nurture') THEN 'marketing' WHEN stage IN ('sal', 'sql', 'opportunity') THEN 'sales' END, 'p' || (id + n / 3) % 30,
	CASE WHEN stage IN ('nurture', 'disqualified') THEN 'no_budget' END, 'utm_source=source' || (id * 7 + n / 2) % 13 || '&utm_medium=cpc&utm_campaign=campaign_' || (id * 7 + n / 2) % 200,
	(id % 100) * 10, 'bench_facts', 1, CASE WHEN stage = 'mql' AND stage IS DISTINCT FROM previous THEN 'intake' END, CASE WHEN id % 3 = 0 THEN '{demo}'::text[] END
FROM (SELECT id, n, at, stage, lag(stage) OVER (PARTITION BY id ORDER BY n) AS previous
	FROM (SELECT id, n, timestamptz '2024-01-01 00:00+00' + id * interval '20 seconds' + n * (1 + id % 17) * interval '7 hours' AS at,
			(CASE id % 5 WHEN 0 THEN '{inquiry,mql,sal,sql,opportunity,customer}' WHEN 1 THEN '{inquiry,disqualified}' WHEN 2 THEN '{inquiry,mql,mql,nurture}' WHEN 3 THEN '{inquiry}' ELSE '{inquiry,mql,disqualified}' END::text[])[n] AS stage
		FROM generate_series(1, :leads) id, generate_series(1, 6) n) s WHERE stage IS NOT NULL) e
ORDER BY at;
RESET session_replication_role;
VACUUM ANALYZE bench_facts.leads, bench_facts.leads_history;

CREATE VIEW bench_facts.stages AS
SELECT s.* FROM align.stages(align.agreed('bench_facts')) WITH ORDINALITY AS s (place, stage, kind, holder, on_path, is_entry, labels, needs, stage_order);
CREATE VIEW bench_facts.hours AS SELECT team, align.hours(align.agreed('bench_facts'), team) AS hours FROM unnest('{marketing,sales}'::text[]) AS team;
CREATE VIEW bench_facts.campaigns AS
SELECT c.campaign, p.p::text AS key, align.campaign_key(p.p) AS short_key, align.campaign_source(p.p) AS source, align.campaign_medium(p.p) AS medium, align.campaign_name(p.p) AS name, align.campaign_term(p.p) AS term,
	align.campaign_content(p.p) AS content, align.campaign_id(p.p) AS id_of, align.channel(p.p, align.agreed('bench_facts')) AS channel
FROM (SELECT DISTINCT campaign FROM bench_facts.leads_history) c, LATERAL align.parse_campaign(c.campaign) AS p (p);

CREATE VIEW bench_facts.stages_by_hand AS
WITH stages AS MATERIALIZED (SELECT * FROM bench_facts.stages), hours AS MATERIALIZED (SELECT * FROM bench_facts.hours),
e AS (
	SELECT *, lag(stage) OVER w AS previous_stage, lag(team) OVER w AS previous_team, lag(assignee) OVER w AS previous_assignee, last_value(team) OVER w AS last_team,
		last_value(assignee) OVER w AS last_assignee, first_value(event) OVER w = 'opening' AS is_late FROM bench_facts.leads_history
	WHERE effective_at <= now() AND recorded_at <= now() WINDOW w AS (PARTITION BY id ORDER BY effective_at, entry_no ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)),
v0 AS (
	SELECT e.*, lead(effective_at) OVER w AS left_at, lead(previous_team) OVER w AS team_then, lead(previous_assignee) OVER w AS assignee_then, lead(stage) OVER w AS next_stage, lead(reason) OVER w AS left_reason, lead(event) OVER w AS left_by
	FROM e WHERE stage IS DISTINCT FROM previous_stage WINDOW w AS (PARTITION BY id ORDER BY effective_at, entry_no)),
v AS (SELECT v0.*, CASE WHEN left_at IS NULL THEN last_team ELSE team_then END AS held_by, CASE WHEN left_at IS NULL THEN last_assignee ELSE assignee_then END AS holder FROM v0)
SELECT v.id::text || ' ' || v.entry_no AS row_key, v.id, (row_number() OVER (PARTITION BY v.id, v.stage ORDER BY v.effective_at, v.entry_no))::int AS visit_no, v.entry_no,
	v.stage, s.stage_order, s.kind AS stage_kind, coalesce(v.held_by, '(none)') AS team, coalesce(v.holder, '(none)') AS assignee, v.effective_at AS entered_at, v.left_at,
	timezone('Europe/London', v.effective_at)::date AS entered_on, timezone('Europe/London', v.left_at)::date AS left_on, coalesce(v.previous_stage, '(none)') AS previous_stage,
	coalesce(v.next_stage, '(none)') AS next_stage, coalesce(v.left_reason, '(none)') AS reason, v.left_at IS NULL AS is_current, v.is_late,
	extract(epoch FROM coalesce(v.left_at, now()) - v.effective_at)::bigint AS elapsed_seconds,
	extract(epoch FROM align.working_time(coalesce(h.hours, align.hours(align.agreed('bench_facts'))), v.effective_at, coalesce(v.left_at, now())))::bigint AS working_seconds,
	v.event <> 'opening' AS is_entry, v.left_by, v.version, v.recorded_at, l.country
FROM v LEFT JOIN stages s USING (stage) LEFT JOIN hours h ON h.team = v.held_by LEFT JOIN bench_facts.leads l ON l.id = v.id WHERE v.stage IS NOT NULL;

CREATE VIEW bench_facts.leads_by_hand AS
WITH stages AS MATERIALIZED (SELECT * FROM bench_facts.stages), hours AS MATERIALIZED (SELECT * FROM bench_facts.hours), campaigns AS MATERIALIZED (SELECT * FROM bench_facts.campaigns),
e AS (
	SELECT h.*, s.kind, s.stage_order, s.holder, c.key, c.channel, lag(h.stage) OVER w AS previous, lag(s.stage_order) OVER w AS previous_order, lag(h.handoff) OVER w AS previous_handoff,
		lag(h.campaign) OVER w AS previous_campaign, row_number() OVER w AS n, lead(h.entry_no) OVER w IS NULL AS is_last,
		min(h.effective_at) FILTER (WHERE h.handoff IS NOT NULL) OVER whole AS submitted, min(h.effective_at) FILTER (WHERE s.kind = 'won') OVER whole AS won
	FROM bench_facts.leads_history h LEFT JOIN stages s USING (stage) LEFT JOIN campaigns c USING (campaign)
	WHERE h.effective_at <= now() AND h.recorded_at <= now()
	WINDOW w AS (PARTITION BY h.id ORDER BY h.effective_at, h.entry_no), whole AS (PARTITION BY h.id ORDER BY h.effective_at, h.entry_no ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)),
l AS (
	SELECT id, min(effective_at) AS entered_at, max(stage) FILTER (WHERE n = 1) AS entry_stage, bool_or(event = 'opening') FILTER (WHERE n = 1) AS is_late, max(segments) FILTER (WHERE n = 1) AS segments,
		max(stage) FILTER (WHERE is_last) AS stage, max(stage_order) FILTER (WHERE is_last) AS stage_order, max(kind) FILTER (WHERE is_last) AS stage_kind,
		max(team) FILTER (WHERE is_last) AS team, max(assignee) FILTER (WHERE is_last) AS assignee, max(effective_at) FILTER (WHERE stage IS DISTINCT FROM previous) AS since, max(submitted) AS submitted_at,
		min(effective_at) FILTER (WHERE previous_handoff IS NOT NULL AND stage = 'sal') AS accepted_at, max(won) AS won_at, min(effective_at) FILTER (WHERE kind = 'lost') AS lost_at,
		max(reason) FILTER (WHERE kind = 'lost') AS lost_reason, (array_agg(amount) FILTER (WHERE amount IS NOT NULL))[count(amount)] AS amount,
		count(*) FILTER (WHERE stage <> previous) AS moves, count(*) FILTER (WHERE stage_order < previous_order) AS recycles, count(violation) AS violations, count(*) FILTER (WHERE event = 'override') AS overrides,
		min(holder) = max(holder) AS is_touchless, max(recorded_at) AS recorded_at,
		count(*) FILTER (WHERE campaign IS DISTINCT FROM previous_campaign) AS touches, min(effective_at) FILTER (WHERE campaign IS DISTINCT FROM previous_campaign) AS first_touch_at,
		max(effective_at) FILTER (WHERE campaign IS DISTINCT FROM previous_campaign) AS last_touch_at,
		(array_agg(key))[1] AS first_campaign, (array_agg(channel))[1] AS first_channel,
		(array_agg(key) FILTER (WHERE effective_at <= coalesce(won, 'infinity')))[count(*) FILTER (WHERE effective_at <= coalesce(won, 'infinity'))] AS last_campaign,
		(array_agg(channel) FILTER (WHERE effective_at <= coalesce(won, 'infinity')))[count(*) FILTER (WHERE effective_at <= coalesce(won, 'infinity'))] AS last_channel,
		(array_agg(key) FILTER (WHERE effective_at <= submitted AND channel <> 'Direct'))[count(*) FILTER (WHERE effective_at <= submitted AND channel <> 'Direct')] AS decisive_campaign,
		(array_agg(channel) FILTER (WHERE effective_at <= submitted AND channel <> 'Direct'))[count(*) FILTER (WHERE effective_at <= submitted AND channel <> 'Direct')] AS decisive_channel
	FROM e GROUP BY id)
SELECT l.id::text AS row_key, l.*, timezone('Europe/London', l.entered_at)::date AS entered_on, CASE WHEN l.stage_kind IN ('won', 'lost') THEN l.stage_kind ELSE 'open' END AS status,
	CASE WHEN 'demo' = ANY (l.segments) THEN 'demo' ELSE '(other)' END AS segment,
	extract(epoch FROM CASE WHEN l.stage_kind = 'open' THEN now() ELSE l.since END - l.entered_at)::bigint AS age_seconds, extract(epoch FROM now() - l.since)::bigint AS in_stage_seconds,
	extract(epoch FROM align.working_time(coalesce(h.hours, align.hours(align.agreed('bench_facts'))), l.since, now()))::bigint AS in_stage_working_seconds, d.country
FROM l LEFT JOIN hours h ON h.team = l.team LEFT JOIN bench_facts.leads d ON d.id = l.id;

-- Amounts by the largest remainder, as a model by hand needs a rank for each.
CREATE VIEW bench_facts.touches_by_hand AS
WITH campaigns AS MATERIALIZED (SELECT * FROM bench_facts.campaigns),
e AS (
	SELECT id, entry_no, event, effective_at AS at, campaign, lag(campaign) OVER w AS previous, min(effective_at) FILTER (WHERE stage = 'customer') OVER whole AS won_at,
		min(effective_at) FILTER (WHERE stage = 'opportunity') OVER whole AS opportunity_at, min(effective_at) FILTER (WHERE handoff IS NOT NULL) OVER whole AS submitted_at,
		last_value(amount) OVER whole AS amount, max(recorded_at) OVER whole AS recorded_at
	FROM bench_facts.leads_history WHERE effective_at <= now() AND recorded_at <= now() AND event <> 'owner'
	WINDOW w AS (PARTITION BY id ORDER BY effective_at, entry_no), whole AS (PARTITION BY id ORDER BY effective_at, entry_no ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)),
t AS (
	SELECT e.*, c.short_key AS key, c.source, c.medium, c.name, c.term, c.content, c.id_of, c.channel, row_number() OVER (PARTITION BY e.id ORDER BY e.at, e.entry_no) AS n
	FROM e JOIN campaigns c USING (campaign) WHERE e.campaign IS DISTINCT FROM e.previous),
p AS (
	SELECT *, count(*) FILTER (WHERE at <= won_at) OVER w AS k, max(n) FILTER (WHERE channel <> 'Direct' AND at <= won_at) OVER w AS last_non_direct,
		max(n) FILTER (WHERE channel <> 'Direct' AND at <= submitted_at) OVER w AS decisive, max(n) FILTER (WHERE at <= opportunity_at) OVER w AS opportunity,
		sum(power(2::float8, -extract(epoch FROM won_at - at)::float8 / 604800)) FILTER (WHERE at <= won_at) OVER w AS decay
	FROM t WINDOW w AS (PARTITION BY id)),
s AS (
	SELECT *, CASE WHEN n > k THEN 0 ELSE 1.0 / k END::float8 AS linear, CASE WHEN n > k THEN 0 WHEN k <= 2 THEN 1.0 / k WHEN n IN (1, k) THEN 0.4 ELSE 0.2 / (k - 2) END::float8 AS position,
		CASE WHEN n > k THEN 0 ELSE power(2::float8, -extract(epoch FROM won_at - at)::float8 / 604800) / decay END AS time_decay,
		CASE WHEN n > k THEN 0 WHEN k = 1 THEN 1 WHEN n = 1 THEN 0.8 ELSE 0.2 / (k - 1) END::float8 AS u_shaped,
		CASE WHEN n > k THEN 0 ELSE (30 * (1 + (n = 1)::int) * (n = 1)::int + 30 * (n = opportunity)::int + CASE WHEN n NOT IN (1, opportunity) THEN 10.0 / greatest(k - 1 - (opportunity > 1)::int, 1) ELSE 0 END)
			/ (90 + CASE WHEN k - 1 - (opportunity > 1)::int > 0 THEN 10 ELSE 0 END) END::float8 AS w_shaped,
		CASE WHEN n > k THEN 0 ELSE (45 * (n = 1)::int + 22.5 * (n = opportunity)::int + 22.5 * (n = k)::int + CASE WHEN n NOT IN (1, opportunity, k) THEN 10.0 / greatest(k - 1 - (opportunity > 1)::int - (k > 1 AND k <> opportunity)::int, 1) ELSE 0 END)
			/ (90 + CASE WHEN k - 1 - (opportunity > 1)::int - (k > 1 AND k <> opportunity)::int > 0 THEN 10 ELSE 0 END) END::float8 AS full_path
	FROM p),
whole AS (
	SELECT *, floor(amount * 100 * linear::numeric) AS linear_c, floor(amount * 100 * position::numeric) AS position_c, floor(amount * 100 * time_decay::numeric) AS time_decay_c,
		floor(amount * 100 * u_shaped::numeric) AS u_shaped_c, floor(amount * 100 * w_shaped::numeric) AS w_shaped_c, floor(amount * 100 * full_path::numeric) AS full_path_c
	FROM s),
rest AS (
	SELECT *,
		row_number() OVER (PARTITION BY id ORDER BY amount * 100 * linear::numeric - linear_c DESC, n) <= amount * 100 - sum(linear_c) OVER (PARTITION BY id) AS linear_r,
		row_number() OVER (PARTITION BY id ORDER BY amount * 100 * position::numeric - position_c DESC, n) <= amount * 100 - sum(position_c) OVER (PARTITION BY id) AS position_r,
		row_number() OVER (PARTITION BY id ORDER BY amount * 100 * time_decay::numeric - time_decay_c DESC, n) <= amount * 100 - sum(time_decay_c) OVER (PARTITION BY id) AS time_decay_r,
		row_number() OVER (PARTITION BY id ORDER BY amount * 100 * u_shaped::numeric - u_shaped_c DESC, n) <= amount * 100 - sum(u_shaped_c) OVER (PARTITION BY id) AS u_shaped_r,
		row_number() OVER (PARTITION BY id ORDER BY amount * 100 * w_shaped::numeric - w_shaped_c DESC, n) <= amount * 100 - sum(w_shaped_c) OVER (PARTITION BY id) AS w_shaped_r,
		row_number() OVER (PARTITION BY id ORDER BY amount * 100 * full_path::numeric - full_path_c DESC, n) <= amount * 100 - sum(full_path_c) OVER (PARTITION BY id) AS full_path_r
	FROM whole WHERE won_at IS NOT NULL
	UNION ALL
	SELECT *, false, false, false, false, false, false FROM whole WHERE won_at IS NULL)
SELECT r.id::text || ' ' || r.n AS row_key, r.id, r.n::int AS touch_no, r.at AS touched_at, timezone('Europe/London', r.at)::date AS touched_on, r.key AS campaign_key, coalesce(r.source, '(none)') AS campaign_source,
	coalesce(r.medium, '(none)') AS campaign_medium, coalesce(r.name, '(none)') AS campaign_name, coalesce(r.term, '(none)') AS campaign_term, coalesce(r.content, '(none)') AS campaign_content,
	coalesce(r.id_of, '(none)') AS campaign_id, r.channel, r.n = 1 AS is_first, coalesce(r.n = r.decisive, false) AS is_decisive, r.n = CASE WHEN r.won_at IS NULL THEN max(r.n) OVER (PARTITION BY r.id) ELSE r.k END AS is_last,
	coalesce(r.at > r.won_at, false) AS after_win,
	(r.won_at IS NOT NULL AND r.n = 1)::int::float8 AS won_share_first, r.amount * (r.won_at IS NOT NULL AND r.n = 1)::int AS won_amount_first,
	(r.n = r.k)::int::float8 AS won_share_last, r.amount * (r.n = r.k)::int AS won_amount_last, coalesce(r.n = r.last_non_direct, false)::int::float8 AS won_share_last_non_direct, r.amount * coalesce(r.n = r.last_non_direct, false)::int AS won_amount_last_non_direct,
	r.linear AS won_share_linear, CASE WHEN r.won_at IS NULL THEN 0 ELSE (r.linear_c + r.linear_r::int) / 100 END AS won_amount_linear,
	r.position AS won_share_position, CASE WHEN r.won_at IS NULL THEN 0 ELSE (r.position_c + r.position_r::int) / 100 END AS won_amount_position,
	r.time_decay AS won_share_time_decay, CASE WHEN r.won_at IS NULL THEN 0 ELSE (r.time_decay_c + r.time_decay_r::int) / 100 END AS won_amount_time_decay,
	r.u_shaped AS won_share_u_shaped, CASE WHEN r.won_at IS NULL THEN 0 ELSE (r.u_shaped_c + r.u_shaped_r::int) / 100 END AS won_amount_u_shaped,
	r.w_shaped AS won_share_w_shaped, CASE WHEN r.won_at IS NULL THEN 0 ELSE (r.w_shaped_c + r.w_shaped_r::int) / 100 END AS won_amount_w_shaped,
	r.full_path AS won_share_full_path, CASE WHEN r.won_at IS NULL THEN 0 ELSE (r.full_path_c + r.full_path_r::int) / 100 END AS won_amount_full_path,
	r.won_at, r.recorded_at, l.country
FROM rest r LEFT JOIN bench_facts.leads l ON l.id = r.id;

-- Both sides give the same rows; shares of one thousand are compared to nine digits.
DO $$
DECLARE
	f text;
	columns text;
	n bigint;
BEGIN
	FOREACH f IN ARRAY '{lead,stage,touch}'::text[] LOOP
		SELECT string_agg(CASE WHEN atttypid = 'float8'::regtype THEN format('round(%I::numeric, 9)', attname) ELSE quote_ident(attname) END, ', ' ORDER BY attnum) INTO columns
		FROM pg_attribute WHERE attrelid = ('bench_facts.' || f || '_facts')::regclass AND attnum > 0
			AND attname IN (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = ('bench_facts.' || f || CASE f WHEN 'touch' THEN 'es' ELSE 's' END || '_by_hand')::regclass)
			AND attname NOT IN ('lost_reason', 'decisive_campaign', 'decisive_channel', 'team', 'recorded_at', 'is_touchless');
		EXECUTE format('SELECT count(*) FROM (SELECT %1$s FROM bench_facts.%2$s_facts WHERE id <= 1000 EXCEPT ALL SELECT %1$s FROM bench_facts.%3$s_by_hand WHERE id <= 1000) d', columns, f, f || CASE f WHEN 'touch' THEN 'es' ELSE 's' END) INTO n;
		IF n > 0 THEN
			RAISE 'the sides of %_facts differ in % rows', f, n;
		END IF;
	END LOOP;
END $$;
CALL bench.measure('lead_facts', :runs, 'view', 'SELECT count(t) FROM bench_facts.lead_facts t', 'by hand', 'SELECT count(t) FROM bench_facts.leads_by_hand t');
CALL bench.measure('stage_facts', :runs, 'view', 'SELECT count(t) FROM bench_facts.stage_facts t', 'by hand', 'SELECT count(t) FROM bench_facts.stages_by_hand t');
CALL bench.measure('touch_facts', :runs, 'view', 'SELECT count(t) FROM bench_facts.touch_facts t', 'by hand', 'SELECT count(t) FROM bench_facts.touches_by_hand t');
INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
SELECT format('%s of %s leads with three entries', what, :leads), bench.show(what, 'view'), 'plain SQL: ' || bench.show(what, 'by hand'), round(ratio::numeric, 2) || ' x', '<= 1.5 x', ratio <= 1.5
FROM (SELECT what, bench.median(what, 'view') / bench.median(what, 'by hand') AS ratio FROM unnest('{lead_facts,stage_facts,touch_facts}'::text[]) AS what) r;

-- Stored reports: what a dashboard waits for, what bringing them up to date costs,
-- and what it costs the writers.
SELECT align.rebuild_clocks('bench_facts.leads') > 0;
VACUUM ANALYZE bench_facts.leads_sla;
SELECT clock_timestamp() AS began \gset
SELECT align.create_reports('bench_facts.leads', 'bench_facts', dimensions => '{country}', time_zone => 'Europe/London', stored => true) > 0;
INSERT INTO bench.note (note) SELECT format('stored reports on %s leads were created and filled in %s s', :leads, round(extract(epoch FROM clock_timestamp() - :'began')));
VACUUM ANALYZE;
CALL bench.measure('dashboard', :runs,
	'view', 'SELECT country, status, count(*), sum(amount), avg(age_seconds) FROM bench_facts.lead_facts GROUP BY country, status',
	'table', 'SELECT dimension_1, status, count(*), sum(amount), avg(CASE WHEN NOT is_late THEN extract(epoch FROM CASE status WHEN ''open'' THEN now() ELSE over_at END - first_at)::bigint END) FROM bench_facts.stored_lead_facts GROUP BY dimension_1, status');
SELECT bench.add_against(format('dashboard over %s stored lead facts', :leads), 'dashboard', 'view', 'its own scan', 'table', 1.2);
CALL bench.measure_growth('refresh_reports', :runs, 500, 'stored',
	'UPDATE bench_facts.leads SET status = CASE status WHEN ''mql'' THEN ''nurture'' ELSE ''mql'' END WHERE id BETWEEN 5000 AND 4999 + {n}',
	'SELECT align.refresh_reports(''bench_facts.leads'')');
INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
SELECT format('refresh_reports(), 1000 leads of %s changed', :leads), bench.show('refresh_reports', 'stored 2'), '500 changed: ' || bench.show('refresh_reports', 'stored 1'), '', '<= 1 s', bench.median('refresh_reports', 'stored 2') <= 1000;
CREATE SCHEMA bench_kept;
CREATE TABLE bench_facts.logged (id bigint PRIMARY KEY, status text, owner text, kind text);
CREATE TABLE bench_facts.unlogged (LIKE bench_facts.logged INCLUDING ALL);
SELECT align.attach('bench_facts.' || t, 'bench_facts', mode => 'observe', stage => 'status', assignee => 'owner') FROM unnest('{logged,unlogged}'::text[]) AS t;
INSERT INTO bench_facts.logged SELECT i, 'mql', 'p' || i % 30 FROM generate_series(1, 20000) AS i;
INSERT INTO bench_facts.unlogged TABLE bench_facts.logged;
SELECT align.create_reports('bench_facts.logged', 'bench_kept', dimensions => '{owner AS held_by}', stored => true) > 0;
SELECT format('CALL bench.measure(%L, %s, ''stored'', %L, ''computed'', %L)', w.what, 2 * :runs, replace(w.statement, '{t}', 'bench_facts.logged'), replace(w.statement, '{t}', 'bench_facts.unlogged'))
FROM (VALUES ('2000 updates of a row', 'DO $d$ BEGIN FOR i IN 1 .. 2000 LOOP UPDATE {t} SET status = CASE status WHEN ''mql'' THEN ''nurture'' ELSE ''mql'' END WHERE id = i; END LOOP; END $d$'),
	('an update of 10000 rows', 'UPDATE {t} SET status = CASE status WHEN ''mql'' THEN ''nurture'' ELSE ''mql'' END WHERE id > 10000')) AS w (what, statement) \gexec
SELECT bench.add_against(what || ', with stored reports', what, 'stored', 'without', 'computed', NULL) FROM unnest('{2000 updates of a row,an update of 10000 rows}'::text[]) AS what;
SET client_min_messages = warning;
DROP SCHEMA bench_kept CASCADE;
DROP SCHEMA bench_facts CASCADE;
RESET client_min_messages;
