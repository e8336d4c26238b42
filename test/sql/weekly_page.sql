-- The weekly page: its figures are those of the reports, it is written of
-- anything that a table may hold, and published once.
SET timezone = 'UTC';
\set VERBOSITY default
CREATE SCHEMA weekly;
SELECT align.agree('weekly bare', 'stage new held by sales; won done; success path new -> done;');
CREATE TABLE bare (id int PRIMARY KEY, stage text);
SELECT align.attach('bare', 'weekly bare');
SELECT align.weekly_report('bare');
SELECT align.create_reports('bare', 'weekly', time_zone => 'UTC', complete_since => '2025-01-01') > 0 AS created;

-- What a reader sees: the text of the page, without its styles.
CREATE FUNCTION said(page text) RETURNS SETOF text LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
	SELECT btrim(t) FROM regexp_split_to_table(regexp_replace(regexp_replace(page, '<style>.*</style>', ''), '<[^>]*>', E'\n', 'g'), '\n') t WHERE btrim(t) <> '';
END;
-- It is XML, asks for nothing from elsewhere, and holds no number that is none.
CREATE FUNCTION flaws(page text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM xmlparse(document replace(page, '<!DOCTYPE html>', ''));
	RETURN concat_ws(', ', CASE WHEN page ~ '<script|(src|href)=|url\(|@import' THEN 'something from elsewhere' END,
		CASE WHEN page ~* '\m(nan|infinity|null)\M' THEN 'NaN' END,
		CASE WHEN page ~ '[\x01-\x08\x0b-\x1f\x7f]' THEN 'control characters' END,
		CASE WHEN octet_length(page) > 300000 THEN 'too large' END);
END $$;

-- An agreement with nothing in it, and an empty table: what is missing is said.
SELECT s FROM said(align.weekly_report('bare', '2026-03-04')) s WHERE s ~ '(^No |^Nothing|Week of|decided|nobody|None)';
-- a week in the future, before the first lead, and at the ends of time
SELECT w, flaws(align.weekly_report('bare', w)) FROM unnest('{9999-01-01,2024-12-31,0001-01-01,1970-01-01}'::date[]) w;
SELECT s FROM said(align.weekly_report('bare', '9998-12-31')) s WHERE s ~ 'not begun';
SELECT align.weekly_report('bare', 'infinity');
SELECT align.weekly_report('bare', in_schema => 'public');
SELECT align.weekly_report('bare', in_schema => 'no such schema');
-- one lead
INSERT INTO bare VALUES (1, 'new');
SELECT flaws(align.weekly_report('bare', current_date)), flaws(align.weekly_report('bare'));
UPDATE bare SET stage = 'done';
SELECT flaws(align.weekly_report('bare', current_date));

-- A company with everything: its figures against the reports.
SELECT align.agree('weekly', $$
	hours 'Europe/Berlin Mo-Fr 09:00-17:00';
	stage inquiry, mql held by marketing;
	stage sal held by sales;
	won customer;
	lost disqualified;
	entry inquiry;
	success path inquiry -> mql -> sal -> customer;
	path any -> disqualified;
	handoff pass: mql from marketing to sales, accept sal, reject disqualified with reason (poor_fit, "no budget"), within 8 working hours;
	sla touch by marketing: from inquiry to mql within 2 days;
	target marketing: 30 mql per month;
	target sales: 90% of pass;
	target sales: 25% from mql to customer within 30 days;
	target marketing, sales: 20 customer per quarter;
	target sales: 50000 amount of customer per quarter;
$$);
CREATE SCHEMA company;
CREATE TABLE company.leads (id int PRIMARY KEY, stage text, reason text, owner text, note text, campaign text, amount numeric);
CREATE TABLE company.log (id int, no int, at timestamptz, stage text, reason text, owner text, note text, campaign text, amount numeric, PRIMARY KEY (id, no));
CREATE FUNCTION company.pick(what text, n int) RETURNS int LANGUAGE sql IMMUTABLE
	AS $$ SELECT (('x' || substr(md5(what), 1, 7))::bit(28)::int % n) $$;
DO $$
DECLARE
	s text; t timestamptz; r text; a numeric;
BEGIN
	FOR i IN 1 .. 400 LOOP
		s := 'inquiry';
		t := timestamptz '2026-01-05 08:00Z' + company.pick('t' || i, 140 * 24) * interval '1 hour';
		a := NULL;
		FOR n IN 1 .. 5 LOOP
			INSERT INTO company.log VALUES (i, n, t, s, CASE s WHEN 'disqualified' THEN (ARRAY['poor_fit', 'no budget'])[1 + company.pick('r' || i, 2)] END,
				(ARRAY['Ann', 'Bob'])[1 + i % 2], CASE WHEN s IN ('customer', 'disqualified') THEN 'note ' || i END,
				CASE n WHEN 1 THEN (ARRAY['utm_source=google&utm_medium=cpc&utm_campaign=brand', 'utm_source=bing&utm_medium=cpc&utm_campaign=brand',
					'utm_source=expo&utm_medium=event'])[1 + i % 3] || '&utm_term=word' || i % 7 END, a);
			s := CASE s WHEN 'inquiry' THEN (ARRAY['mql', 'mql', 'disqualified', NULL])[1 + company.pick(i || 'i', 4)]
				WHEN 'mql' THEN (ARRAY['sal', 'sal', 'disqualified', NULL])[1 + company.pick(i || 'm', 4)]
				WHEN 'sal' THEN (ARRAY['customer', 'disqualified', NULL])[1 + company.pick(i || 's', 3)] END;
			t := t + (1 + company.pick(i || 'd' || n, 200)) * interval '1 hour';
			IF s = 'sal' THEN a := 500 + company.pick('a' || i, 3000); END IF;
			EXIT WHEN s IS NULL OR t > '2026-05-26 12:00Z';
		END LOOP;
	END LOOP;
END $$;
-- lost, reopened, and lost again in the week of the page
INSERT INTO company.log VALUES (401, 1, '2026-03-02 09:00Z', 'inquiry', NULL, 'Ann', NULL, 'utm_source=expo&utm_medium=event', 90000),
	(401, 2, '2026-03-03 09:00Z', 'disqualified', 'poor_fit', 'Ann', 'note 1', NULL, 90000), (401, 3, '2026-05-04 09:00Z', 'mql', NULL, 'Ann', NULL, NULL, 90000),
	(401, 4, '2026-05-21 09:00Z', 'disqualified', 'no budget', 'Ann', 'note 401', NULL, 90000);
INSERT INTO company.leads SELECT DISTINCT ON (id) id, stage, reason, owner, note, campaign, amount FROM company.log ORDER BY id, no DESC;
SELECT align.attach('company.leads', 'weekly', assignee => 'owner', reason => 'reason', note => 'note', campaign => 'campaign', amount => 'amount', mode => 'observe');
SELECT align.import_history('company.leads', 'SELECT id, no AS ordinal, at, stage, reason, owner AS assignee, note, campaign, amount FROM company.log');
ANALYZE company.leads, company.leads_history, company.leads_sla;
SELECT align.create_campaign_tables('company', 'EUR');
INSERT INTO company.action (what, owner, decided_on, due_on, done_on) VALUES
	('late one', 'Ann', '2026-05-04', '2026-05-12', NULL), ('open one', 'Bob', '2026-05-11', '2026-06-01', '2026-05-27'),
	('done one', 'Bob', '2026-05-11', '2026-05-20', '2026-05-20'), ('older one', 'Bob', '2026-05-01', NULL, '2026-05-02'), ('newer one', 'Bob', '2026-05-26', NULL, NULL);
INSERT INTO company.campaign_cost (day, campaign_source, campaign_medium, campaign_name, amount, currency) VALUES
	('2026-05-01', 'google', 'cpc', 'brand', 1234, 'EUR'), ('2026-05-01', 'nowhere', 'cpc', 'none', 77, 'EUR'), ('2026-04-02', 'google', 'cpc', 'brand', 100, 'EUR'),
	('2026-05-20', 'bing', 'cpc', 'brand', 610, 'EUR'), ('2026-05-26', 'bing', 'cpc', 'brand', 5000, 'EUR');
-- April has no budget of google, March no cost
INSERT INTO company.campaign_budget (month, campaign_source, campaign_medium, campaign_name, amount) VALUES
	('2026-05-01', 'Google', 'cpc', 'brand', 2000), ('2026-03-01', 'google', 'cpc', 'brand', 9000), ('2026-05-01', 'bing', 'cpc', 'brand', 600), ('2026-05-01', 'expo', 'event', NULL, 50), ('2026-06-01', 'bing', 'cpc', 'brand', 1);
INSERT INTO company.campaign_review (campaign_source, campaign_medium, campaign_name, reviewed_on, team, verdict, why, next_step, reviewed_by) VALUES
	('google', 'cpc', 'brand', '2026-05-12', 'sales', 'stop', 'wrong companies', 'pause it', 'Ann'), ('google', 'CPC', 'brand', '2026-05-19', 'sales', 'change', 'too small', 'other words', 'Ann'),
	('google', 'cpc', 'brand', '2026-05-13', 'marketing', 'more of it', 'cheap', NULL, 'Mia'), ('google', 'cpc', 'brand', '2026-05-25', 'sales', 'after the week', NULL, NULL, 'Ann'),
	('expo', 'event', NULL, '2026-05-14', 'marketing', 'As it is', NULL, NULL, 'Mia'), ('expo', 'event', NULL, '2026-05-14', 'sales', 'as it is ', NULL, NULL, 'Ann'), ('expo', 'event', NULL, '2025-12-14', 'agency', 'old', NULL, NULL, NULL);
INSERT INTO company.campaign_review (campaign_source, campaign_medium, campaign_name, reviewed_on, team, request, requested_by, answered_on) VALUES
	('google', 'cpc', 'brand', '2026-05-04', 'sales', 'a case study', 'Ann', NULL), ('expo', 'event', NULL, '2026-04-01', 'marketing', 'which talks were good?', 'Mia', '2026-05-20'),
	('expo', 'event', NULL, '2026-04-01', 'marketing', 'answered before', 'Mia', '2026-05-17'), ('expo', 'event', NULL, '2026-05-05', 'marketing', 'answered later', NULL, '2026-05-25'), ('expo', 'event', NULL, '2026-05-25', 'marketing', 'asked later', 'Mia', NULL);
SELECT align.create_reports('company.leads', 'company', time_zone => 'Europe/Berlin', settle => '30 days', complete_since => '2026-01-05') > 0 AS created;
CREATE TABLE page AS SELECT align.weekly_report('company.leads', '2026-05-20') AS html, timestamptz '2026-05-25 00:00+02' AS a, date '2026-05-18' AS week;
SELECT flaws(html), html = align.weekly_report('company.leads', '2026-05-24', 'company') AS same_week FROM page;
SELECT s FROM page, said(html) s LIMIT 7;
-- sections in their order
SELECT s FROM page, said(html) s WHERE s ~ '^[1-8] .*minutes|^Appendix$';

-- Rows of the tables of the page.
CREATE VIEW cells AS
SELECT n, row_no, (SELECT array_agg(coalesce((xpath('string(.)', c))[1]::text, '') ORDER BY i) FROM unnest(xpath('/tr/td', r)) WITH ORDINALITY c (c, i)) AS cell,
	(xpath('string(//caption)', t))[1]::text AS caption
FROM page, unnest(xpath('//table', xmlparse(document replace(html, '<!DOCTYPE html>', '')))) WITH ORDINALITY t (t, n),
	unnest(xpath('//tbody/tr', t)) WITH ORDINALITY r (r, row_no);
-- (1) actions
SELECT cell FROM cells WHERE caption LIKE 'Decided%' ORDER BY row_no;
SELECT cell FROM cells WHERE caption LIKE 'What, who%' ORDER BY row_no LIMIT 1;
-- (2) the scorecard
SELECT count(*) AS targets, count(*) FILTER (WHERE s.target_no IS NULL) AS differ
FROM cells c LEFT JOIN (SELECT s.* FROM company.scorecard('2026-05-24 22:00Z') s WHERE date '2026-05-24' BETWEEN s.period_start AND s.period_end) s
	ON c.cell[1] = s.teams || CASE WHEN s.is_joint THEN ' (joint)' ELSE '' END AND c.cell[2] = s.metric || ' per ' || s.period
	AND c.cell[3] = CASE WHEN s.actual IS NOT NULL THEN to_char(s.actual, CASE s.unit WHEN '%' THEN 'FM990.0" %"' ELSE 'FM999,999,990' END)
		WHEN s.actual_lower IS NOT NULL THEN round(s.actual_lower) || '-' || round(s.actual_upper) || ' %' ELSE '-' END
	AND c.cell[8] = s.status
WHERE c.caption LIKE 'Share of the goal%';
-- (3) the bridge adds up, and stages are those of pipeline
SELECT count(*) AS stages, count(*) FILTER (WHERE p.stage IS NULL) AS differ
FROM cells c LEFT JOIN (SELECT p.* FROM company.pipeline('2026-05-24 22:00Z') p) p ON c.cell[1] = p.stage AND c.cell[2] = p.leads::text AND c.cell[3] = to_char(p.amount, 'FM999,999,990')
WHERE c.caption LIKE 'Open by stage%';
SELECT s = format('The pipeline %s by %s to %s: %s won and %s lost in the week of 18 May.', CASE WHEN closing > opening THEN 'grew' ELSE 'shrank' END,
	to_char(abs(closing - opening), 'FM999,999,990'), to_char(closing, 'FM999,999,990'), to_char(won, 'FM999,999,990'), to_char(lost, 'FM999,999,990')) AS same
FROM page, said(html) s, LATERAL (SELECT max(amount) FILTER (WHERE step = 'opening') AS opening, max(amount) FILTER (WHERE step = 'closing') AS closing,
	max(amount) FILTER (WHERE step = 'won') AS won, max(amount) FILTER (WHERE step = 'lost') AS lost FROM company.pipeline_movement('2026-05-24 22:00Z') m WHERE m.week = '2026-05-18') m
WHERE s LIKE 'The pipeline %';
-- (4) promises: the week as in the report; the weeks before by hand, from the clocks
SELECT count(*) AS promises, count(*) FILTER (WHERE p.sla IS NULL) AS differ
FROM cells c LEFT JOIN (
	SELECT p.*, round(100.0 * b.met / nullif(b.n, 0)) || ' % of ' || b.n AS before, round(100.0 * b.met1 / nullif(b.n1, 0)) || ' % of ' || b.n1 AS week_before
	FROM company.promises('2026-05-24 22:00Z') p, LATERAL (
		SELECT count(*) FILTER (WHERE x.outcome = 'met') AS met, count(*) AS n, count(*) FILTER (WHERE x.outcome = 'met' AND x.due_at >= timestamptz '2026-05-11 00:00+02') AS met1,
			count(*) FILTER (WHERE x.due_at >= timestamptz '2026-05-11 00:00+02') AS n1
		FROM company.leads_sla x
		WHERE x.sla = p.sla AND x.due_at >= timestamptz '2026-04-20 00:00+02' AND x.due_at < timestamptz '2026-05-18 00:00+02'
			AND (x.outcome IN ('met', 'missed') OR x.stopped_at IS NULL OR x.stopped_at > x.due_at)) b) p
	ON c.cell[1] = p.sla AND c.cell[4] = round((100 * p.rate_week)::numeric) || ' % of ' || p.met_week + p.missed_week AND c.cell[5] = p.week_before AND c.cell[6] = p.before AND c.cell[7] = p.overdue_now::text
	AND p.week_before = round((100 * p.rate_week_before)::numeric) || ' % of ' || p.met_week_before + p.missed_week_before
WHERE c.caption LIKE 'Promises kept%';
-- (5) handoffs: from the history alone, each week as of its own end
WITH moves AS (
	SELECT id, stage, effective_at AS at, lead(stage) OVER w AS next, lead(effective_at) OVER w AS left_at FROM company.leads_history
	WHERE event IN ('entry', 'move', 'opening') WINDOW w AS (PARTITION BY id ORDER BY entry_no)
), weeks AS (
	SELECT i AS n, timestamptz '2026-05-18 00:00+02' - i * interval '168 hours' AS start_at, timestamptz '2026-05-25 00:00+02' - i * interval '168 hours' AS end_at FROM generate_series(0, 4) i
), counted AS (
	SELECT w.n, count(*) AS submitted, count(*) FILTER (WHERE m.next = 'sal' AND m.left_at <= w.end_at) AS accepted, count(*) FILTER (WHERE m.next = 'disqualified' AND m.left_at <= w.end_at) AS rejected
	FROM weeks w JOIN moves m ON m.stage = 'mql' AND m.at >= w.start_at AND m.at < w.end_at GROUP BY w.n
), expected AS (
	SELECT 'week of 18 May' AS span, sum(submitted)::text AS submitted, sum(accepted) AS accepted, sum(accepted + rejected) AS decided FROM counted WHERE n = 0
	UNION ALL SELECT 'week before', to_char(sum(submitted), 'FM990.0'), sum(accepted), sum(accepted + rejected) FROM counted WHERE n = 1
	-- all five weeks have 40 working hours but one with the first of May, which is open here
	UNION ALL SELECT 'four before', to_char(sum(submitted) / 4.0, 'FM990.0'), sum(accepted), sum(accepted + rejected) FROM counted WHERE n BETWEEN 1 AND 4
)
SELECT c.cell[2] AS span, c.cell[3] = e.submitted AS submitted, c.cell[4] = round(100.0 * accepted / decided) || ' % of ' || decided AS accepted
FROM cells c JOIN expected e ON e.span = c.cell[2] ORDER BY c.row_no;
SELECT count(*) AS campaigns, bool_and(cell[2]::int >= cell[3]::int + cell[4]::int) AS in_order, (SELECT sum(first_n) FROM company.feedback('2026-05-24 22:00Z') WHERE moment = 'handoff' AND month >= '2026-03-01') = sum(cell[2]::int) AS all_counted
FROM cells WHERE caption LIKE 'First submissions%';
-- (6) the youngest settled month, once
SELECT s FROM page, said(html) s WHERE s ~ 'won in time';
-- (7) campaigns of one name are told apart
SELECT cell[1:2] || cell[8:9] AS cell FROM cells WHERE caption LIKE 'The last three months%' ORDER BY row_no;
SELECT s FROM page, said(html) s WHERE s ~ '^Over budget|agree on|they agree|requests? (is|are) open';
SELECT cell FROM cells WHERE caption LIKE 'The latest verdict%' ORDER BY row_no;
SELECT cell FROM cells WHERE caption LIKE 'Requests that are open%' ORDER BY row_no;
SELECT cell[1] AS lead, cell[2] AS outcome, cell[4] AS first_campaign, cell[5] = 'note ' || cell[1] AS note FROM cells WHERE caption LIKE 'Leads to talk%' ORDER BY row_no;
-- a promise is said once at the top
SELECT count(*) AS sentences, max(n) AS of_one_promise
FROM (SELECT s, (SELECT count(*) FROM unnest(xpath('//ol/li/text()', xmlparse(document replace(html, '<!DOCTYPE html>', '')))) o WHERE o::text ~ 'pass') AS n
	FROM page, unnest(xpath('//ol/li/text()', xmlparse(document replace(html, '<!DOCTYPE html>', '')))) s) x;

-- Hostile texts, wherever a text reaches the page.
CREATE TABLE hostile_texts (no int, t text);
INSERT INTO hostile_texts VALUES (1, '</script><script>alert(1)</script>'), (2, 'a & b <b> "quoted" ''single'' &amp; ]]>'), (3, repeat('x', 10000)),
	(4, E'\u202eright to left\u05d0\u05d1'), (5, E'bell \x07 and \x01 and \x1b[31m'), (6, E'two\nlines\tand tabs'), (7, '<!--'), (8, U&'\+01F600 {zone} %s $1');
CREATE FUNCTION url(t text) RETURNS text LANGUAGE sql IMMUTABLE
	AS $$ SELECT regexp_replace(encode(convert_to(t, 'UTF8'), 'hex'), '(..)', '%\1', 'g') $$;
CREATE SCHEMA hostile_reports;
CREATE TABLE targets (id text PRIMARY KEY, stage text, reason text, owner text, note text, campaign text, amount numeric);
SELECT align.attach('targets', 'weekly', assignee => 'owner', reason => 'reason', note => 'note', campaign => 'campaign', amount => 'amount', mode => 'observe');
INSERT INTO targets SELECT left(t, 2000) || no, 'inquiry', NULL, t, t, 'utm_source=' || url(t) || '&utm_campaign=' || url(t), 5 FROM (SELECT no, left(t, 900) AS t FROM hostile_texts) h;
UPDATE targets SET stage = 'mql';
UPDATE targets SET stage = 'disqualified', reason = owner;
INSERT INTO targets SELECT left(t, 100) || no || 'b', 'inquiry', NULL, t, t, t, 5 FROM hostile_texts;
INSERT INTO targets SELECT left(t, 100) || no || 'c', 'mql', t, t, t, t, 5 FROM hostile_texts;
UPDATE targets SET stage = 'customer' WHERE id LIKE '%c';
SELECT align.create_campaign_tables('hostile_reports', 'EUR');
INSERT INTO hostile_reports.action (what, owner, decided_on, due_on) SELECT t, t, current_date - 20, current_date - 10 FROM hostile_texts;
INSERT INTO hostile_reports.campaign_cost (day, campaign_source, campaign_name, amount, currency) SELECT current_date, t, t, 5, 'EUR' FROM hostile_texts;
INSERT INTO hostile_reports.campaign_budget (month, campaign_source, campaign_name, amount, currency) SELECT date_trunc('month', current_date), t, t, 5, 'EUR' FROM hostile_texts;
INSERT INTO hostile_reports.campaign_review (campaign_source, campaign_name, reviewed_on, team, verdict, why, next_step, reviewed_by, request, requested_by) SELECT t, t, current_date - 8, t, t, t, t, t, t, t FROM hostile_texts;
SELECT align.create_reports('targets', 'hostile_reports', time_zone => 'UTC', complete_since => '2025-01-01') > 0 AS created;
SELECT flaws(p), p ~ 'alert\(1\)' AS shown, strpos(p, repeat('x', 500)) > 0 AS long FROM align.weekly_report('targets', current_date) p;

-- Hostile names in the agreement, and its own.
SELECT align.agree('it''s <b>&"x" {zone} $1 %s', format($a$
	stage "</script><script>alert(1)</script>", "a & b ""q"" 'x'" held by "R&D <i> ""team""";
	stage %1$s held by "<!-- ]]> -->";
	won "won & <done>"; lost "lost -- 'x' /*";
	entry "</script><script>alert(1)</script>";
	segment "seg <&> %%s": 'amount > 0';
	success path "</script><script>alert(1)</script>" -> "a & b ""q"" 'x'" -> %1$s -> "won & <done>";
	path any -> "lost -- 'x' /*";
	handoff "hand </table>": "a & b ""q"" 'x'" from "R&D <i> ""team""" to "<!-- ]]> -->", accept %1$s, reject "lost -- 'x' /*" with reason ("<b>no</b> & ""no"""), within 2 hours;
	sla "sla & <u> {as_of}" by "R&D <i> ""team""": from "</script><script>alert(1)</script>" to "a & b ""q"" 'x'" within 1 day;
	target "<!-- ]]> -->", "R&D <i> ""team""": 5 "won & <done>" per week;
	target "R&D <i> ""team""": 90%% of "hand </table>";
	mix of "won & <done>": 100%% "seg <&> %%s";
$a$, '"' || chr(8238) || chr(1488) || chr(1489) || ' {zone} %s $1 \"'));
CREATE SCHEMA odd_names;
CREATE TABLE odd_names.leads (id int PRIMARY KEY, stage text, reason text, owner text, amount numeric);
CREATE TABLE odd_names.log (id int, no int, at timestamptz, stage text, reason text, PRIMARY KEY (id, no));
INSERT INTO odd_names.log SELECT i, n, timestamptz '2026-05-18 08:00Z' + i * interval '1 hour' + n * interval '30 min',
		(ARRAY['</script><script>alert(1)</script>', $q$a & b "q" 'x'$q$, CASE WHEN i < 7 THEN chr(8238) || chr(1488) || chr(1489) || ' {zone} %s $1 \' ELSE $q$lost -- 'x' /*$q$ END, 'won & <done>'])[n],
		CASE WHEN n = 3 AND i >= 7 THEN '<b>no</b> & "no"' END
	FROM generate_series(1, 9) i, generate_series(1, 4) n WHERE n <= CASE WHEN i < 3 THEN 1 WHEN i < 5 THEN 2 WHEN i < 6 THEN 3 WHEN i < 7 THEN 4 ELSE 3 END;
INSERT INTO odd_names.leads SELECT DISTINCT ON (id) id, stage, reason, 'Ann', 5 FROM odd_names.log ORDER BY id, no DESC;
SELECT align.attach('odd_names.leads', 'it''s <b>&"x" {zone} $1 %s', reason => 'reason', assignee => 'owner', amount => 'amount', mode => 'observe');
SELECT align.import_history('odd_names.leads', 'SELECT id, no AS ordinal, at, stage, reason, ''Ann'' AS assignee, 5 AS amount FROM odd_names.log');
SELECT align.create_reports('odd_names.leads', 'odd_names', time_zone => 'UTC', settle => '30 days', complete_since => '2026-01-01') > 0 AS created;
SET client_min_messages = warning;
-- every view has a row for each row_key, as of the end of the week
DO $$
DECLARE
	v text; n bigint; keys bigint; total int := 0;
BEGIN
	FOR v IN SELECT c.oid::regproc FROM pg_proc AS c WHERE c.pronamespace = 'odd_names'::regnamespace AND c.proretset ORDER BY 1 LOOP
		EXECUTE format('SELECT count(*), count(DISTINCT row_key) FROM %s(timestamptz ''2026-05-25 00:00Z'')', v) INTO n, keys;
		IF n <> keys THEN RAISE WARNING '% has % rows and % keys', v, n, keys; END IF;
		total := total + (n > 0)::int;
	END LOOP;
	IF total < 25 THEN RAISE WARNING 'only % reports have rows', total; END IF;
END $$;
RESET client_min_messages;
-- (the width of a mark that sets the direction is another in later versions of psql)
\pset format unaligned
SELECT DISTINCT stage, stage_order, team FROM odd_names.stage_facts ORDER BY stage_order;
SELECT DISTINCT handoff, from_team, to_team, segment FROM odd_names.handoff_facts;
SELECT segment, won, target_share FROM odd_names.won_by_segment;
CREATE TABLE odd_page AS SELECT align.weekly_report('odd_names.leads', '2026-05-18') AS html;
SELECT flaws(html) FROM odd_page;
-- each name is there, as text
SELECT name, count(*) FILTER (WHERE strpos(t, name) > 0) > 0 AS shown
FROM odd_page, unnest(ARRAY[$q$it's <b>&"x" {zone} $1 %s$q$, '</script><script>alert(1)</script>', $q$a & b "q" 'x'$q$, chr(8238) || chr(1488) || chr(1489) || ' {zone} %s $1 \', 'R&D <i> "team"', '<!-- ]]> -->', 'won & <done>', 'hand </table>', 'sla & <u> {as_of}', '<b>no</b> & "no"']) name,
	unnest(xpath('//text()', xmlparse(document replace(html, '<!DOCTYPE html>', '')))) x, replace(replace(replace(x::text, '&lt;', '<'), '&gt;', '>'), '&amp;', '&') t
GROUP BY name ORDER BY name COLLATE "C";

\pset format aligned
-- The page of the week that runs: the weeks before as they looked at its age.
SELECT align.agree('weekly running', $$
	stage raw held by marketing; stage warm held by sales; won sold; lost dead; entry raw;
	success path raw -> warm -> sold; path any -> dead;
	handoff pass: raw from marketing to sales, accept warm, reject dead, within 24 hours;
$$);
CREATE SCHEMA running;
CREATE TABLE running.leads (id int PRIMARY KEY, stage text, archived boolean NOT NULL DEFAULT false);
CREATE TABLE running.plan AS
SELECT i AS id, date_trunc('hour', now()) - i * interval '2 hours' AS at, CASE WHEN i % 10 IN (0, 1, 2, 7) THEN 'dead' ELSE 'warm' END AS verdict,
	date_trunc('hour', now()) - i * interval '2 hours' + CASE WHEN i % 10 <= 2 THEN interval '8 h' WHEN i % 10 <= 6 THEN '16 h' WHEN i % 10 = 7 THEN '30 h' ELSE '60 h' END AS decided_at
FROM generate_series(1, 640) i;
CREATE TABLE running.log AS
SELECT id, 1 AS no, at, 'raw' AS stage FROM running.plan UNION ALL SELECT id, 2, decided_at, verdict FROM running.plan WHERE decided_at <= now();
INSERT INTO running.leads (id, stage) SELECT DISTINCT ON (id) id, stage FROM running.log ORDER BY id, no DESC;
SELECT align.attach('running.leads', 'weekly running', mode => 'observe', live => 'NOT archived');
SELECT align.import_history('running.leads', 'SELECT id, no AS ordinal, at, stage FROM running.log');
-- one is deleted, two are set aside, of those that were accepted long ago
DELETE FROM running.leads WHERE id = 633;
UPDATE running.leads SET archived = true WHERE id IN (634, 635);
ANALYZE running.leads, running.leads_history, running.leads_sla;
SELECT align.create_reports('running.leads', 'running', time_zone => 'UTC', complete_since => '2020-01-01') > 0 AS created;
CREATE TABLE kept_page AS TABLE page;
BEGIN;
TRUNCATE page;
INSERT INTO page SELECT align.weekly_report('running.leads', now()::date), now(), date_trunc('week', now())::date;
SELECT flaws(html) FROM page;
WITH weeks AS (
	SELECT n, date_trunc('week', now()) - n * interval '7 days' AS start_at, now() - n * interval '7 days' AS as_of FROM generate_series(0, 4) n
), counted AS (
	SELECT s.span, p.decided_at - p.at AS took, p.verdict, p.decided_at <= w.as_of AS is_decided, w.n
	FROM (VALUES (0, 0, 0), (1, 1, 1), (4, 1, 4)) AS s (span, from_n, to_n) JOIN weeks w ON w.n BETWEEN s.from_n AND s.to_n JOIN running.plan p ON p.at >= w.start_at AND p.at <= w.as_of
), expected AS (
	SELECT ARRAY['pass', CASE span WHEN 0 THEN 'week of ' || to_char(now(), 'FMDD Mon') WHEN 1 THEN 'week before' ELSE 'four before' END,
			CASE span WHEN 0 THEN count(*)::text ELSE to_char(count(*) / span::numeric, 'FM999,990.0') END,
			coalesce(round(100.0 * count(*) FILTER (WHERE is_decided AND verdict = 'warm') / nullif(count(*) FILTER (WHERE is_decided), 0)) || ' % of ' || count(*) FILTER (WHERE is_decided), '-'),
			CASE WHEN count(*) FILTER (WHERE is_decided) < 5 THEN '-' ELSE to_char(extract(epoch FROM percentile_disc(0.5) WITHIN GROUP (ORDER BY took) FILTER (WHERE is_decided)) / 3600, 'FM990.0') || ' h' END] AS cell
	FROM counted GROUP BY span
), shown AS (
	SELECT CASE WHEN cell[2] LIKE 'week of%' THEN ARRAY[cell[1], 'week of ' || to_char(now(), 'FMDD Mon')] || cell[3:5] ELSE cell END AS cell FROM cells WHERE caption LIKE 'The week, the week before%'
)
SELECT 'shown' AS which, s.* FROM (TABLE shown EXCEPT ALL TABLE expected) s UNION ALL SELECT 'plain', e.* FROM (TABLE expected EXCEPT ALL TABLE shown) e;
SELECT s FROM page, said(html) s WHERE s LIKE 'Gone: %';
SELECT count(*) > 1 AS spans FROM cells WHERE caption LIKE 'The week, the week before%';
-- promises: the last week that is over, and those before it, from the plan
WITH due AS (
	SELECT (date_trunc('week', at + interval '24 hours')::date - date_trunc('week', now())::date) / 7 AS n, decided_at <= at + interval '24 hours' AS is_met FROM running.plan WHERE at + interval '24 hours' <= now()
)
SELECT cell[1] AS promise, cell[4] = e.kept[1] AS week, cell[5] = e.kept[2] AS week_before, cell[6] = e.kept[3] AS four_before
FROM cells, (SELECT array_agg((SELECT round(100.0 * count(*) FILTER (WHERE is_met) / count(*)) || ' % of ' || count(*) FROM due WHERE n BETWEEN a AND b) ORDER BY i) AS kept
	FROM unnest('{-1,-2,-5}'::int[], '{-1,-2,-2}'::int[]) WITH ORDINALITY AS i (a, b, i)) e
WHERE caption LIKE 'Promises kept%';
COMMIT;
TRUNCATE page;
INSERT INTO page SELECT * FROM kept_page;

-- Publishing.
SELECT align.publish_week('company.leads', '2026-05-20');
SELECT align.publish_week('company.leads', '2026-05-18');
SELECT week, as_of, published_by = session_user AS by_me, w.page = p.html AS same_page, (SELECT array_agg(k ORDER BY k) FROM jsonb_object_keys(figures) k) AS figures,
	(SELECT jsonb_agg(f ORDER BY f ->> 'row_key') FROM jsonb_array_elements(figures -> 'pipeline') f) = (SELECT jsonb_agg(to_jsonb(x) ORDER BY row_key) FROM company.pipeline('2026-05-24 22:00Z') x) AS same_figures
FROM company.published_week w JOIN page p USING (week);
SELECT obj_description('company.published_week'::regclass);

-- Small numbers: goals with decimals, one case of each, no rejection, no touch.
SELECT align.agree('weekly small', $$
	stage raw held by marketing; stage warm held by sales; won sold; lost dead;
	entry raw;
	success path raw -> warm -> sold; path any -> dead;
	handoff pass: raw from marketing to sales, accept warm, reject dead with reason (bad), within 2 hours;
	sla close by sales: from warm to sold within 1 day;
	target sales: 92.5% of pass;
	target sales: 90% of close;
	target sales: 1.5 warm per week;
	target sales: 0.4 sold per day;
	target marketing: 1000000 amount of sold per quarter;
$$);
CREATE SCHEMA small;
CREATE TABLE small.leads (id int PRIMARY KEY, stage text, reason text, amount numeric, campaign text);
CREATE TABLE small.log (id int, no int, at timestamptz, stage text, amount numeric, PRIMARY KEY (id, no));
INSERT INTO small.log VALUES (1, 1, '2026-05-19 10:00Z', 'raw', 10), (1, 2, '2026-05-19 10:20Z', 'warm', 10), (2, 1, '2026-05-20 10:00Z', 'raw', 10), (2, 2, '2026-05-20 10:20Z', 'warm', 10),
	(2, 3, '2026-05-20 12:00Z', 'sold', 10), (3, 1, '2026-05-20 10:00Z', 'raw', 5), (3, 2, '2026-05-20 11:00Z', 'sold', 5);
INSERT INTO small.leads SELECT DISTINCT ON (id) id, stage, NULL, amount FROM small.log ORDER BY id, no DESC;
SELECT align.attach('small.leads', 'weekly small', reason => 'reason', amount => 'amount', campaign => 'campaign', mode => 'observe');
SELECT align.import_history('small.leads', 'SELECT id, no AS ordinal, at, stage, amount FROM small.log');
SELECT align.create_campaign_tables('small', 'EUR');
INSERT INTO small.action (what, owner, decided_on, due_on) VALUES ('due later', 'Ann', current_date, current_date + 20);
SELECT align.create_reports('small.leads', 'small', time_zone => 'UTC', settle => '30 days', complete_since => '2026-01-01') > 0 AS created;
TRUNCATE page;
INSERT INTO page SELECT align.weekly_report('small.leads', '2026-05-20'), '2026-05-25 00:00Z', '2026-05-18';
SELECT flaws(html) FROM page;
SELECT s FROM page, said(html) s WHERE s ~ '(^sales|^marketing)[: ]..|longer|targets|^The pipeline|missing|so far|in the week|^Nothing was|rejection|No touch|overdue now|^warm .sales';
SELECT cell[1:4] || cell[6:8] AS scorecard FROM cells WHERE caption LIKE 'Share of the goal%' ORDER BY row_no;
SELECT cell FROM cells WHERE caption LIKE 'Overdue now%';
-- a promise of which nothing was due in the week: its overdue lead is said; what is aged is shown
SELECT align.agree('weekly late', 'stage raw held by sales; won sold; success path raw -> sold; entry raw; sla close by sales: from raw to sold within 1 day;');
CREATE SCHEMA late;
CREATE TABLE late.leads (id int PRIMARY KEY, stage text, amount numeric);
INSERT INTO late.leads VALUES (1, 'raw', 7);
SELECT align.attach('late.leads', 'weekly late', amount => 'amount', mode => 'observe');
SELECT align.import_history('late.leads', $$SELECT 1 AS id, 1 AS ordinal, timestamptz '2026-05-19 10:00Z' AS at, 'raw' AS stage, 7 AS amount$$);
SELECT align.create_reports('late.leads', 'late', time_zone => 'UTC', settle => '30 days', complete_since => '2026-01-01') > 0 AS created;
TRUNCATE page;
INSERT INTO page SELECT align.weekly_report('late.leads', '2026-07-06'), '2026-07-13 00:00Z', '2026-07-06';
SELECT flaws(html), s FROM page, said(html) s WHERE s ~ 'overdue now|^Of it older|longer';
SELECT cell FROM cells WHERE caption LIKE 'Open by stage%';
-- a week to come: nothing is late that is due later
SELECT flaws(p), s FROM align.weekly_report('small.leads', current_date + 30) p, said(p) s WHERE s ~ 'not begun|these late|in the pipeline';
-- months from before the record was complete are not judged
SET client_min_messages = warning;
SELECT align.create_reports('small.leads', 'small', time_zone => 'UTC', settle => '30 days', complete_since => '2026-05-18 12:00Z') > 0 AS created;
RESET client_min_messages;
UPDATE page SET html = align.weekly_report('small.leads', '2026-05-20');
SELECT flaws(html) FROM page;
SELECT s FROM page, said(html) s WHERE s ~ 'judged|record that|behind|expected by';
SELECT cell[2] AS target, cell[8] AS status FROM cells WHERE caption LIKE 'Share of the goal%' ORDER BY row_no;

-- An error in one of the thousands of lines of the query does not print them.
SET client_min_messages = warning;
\set SHOW_CONTEXT always
CREATE FUNCTION small.fail(text) RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN RAISE EXCEPTION 'a report fails' USING ERRCODE = 'AL001', HINT = 'Mend it.'; END $$;
SELECT format('CREATE OR REPLACE VIEW small.report_settings AS SELECT %s FROM (%s) AS s', string_agg(CASE attname WHEN 'credit_model' THEN 'small.fail(s.credit_model) AS credit_model' ELSE 's.' || attname END, ', ' ORDER BY attnum), rtrim(pg_get_viewdef('small.report_settings'::regclass), ';'))
FROM pg_attribute WHERE attrelid = 'small.report_settings'::regclass AND attnum > 0 \gexec
SELECT align.weekly_report('small.leads');
DO $$ BEGIN PERFORM align.weekly_report('small.leads'); END $$;
SELECT align.publish_week('small.leads');
ALTER VIEW small.report_settings RENAME COLUMN settle_seconds TO other;
SELECT align.weekly_report('small.leads');
\set SHOW_CONTEXT errors
RESET client_min_messages;

-- Stored reports give the same page, of every week, as those that are computed.
SET client_min_messages = warning;
CREATE SCHEMA computed;
CREATE SCHEMA kept;
SELECT align.create_reports('company.leads', 'computed', complete_since => s.complete_since, time_zone => s.time_zone) = align.create_reports('company.leads', 'kept', complete_since => s.complete_since, time_zone => s.time_zone, stored => true, dimensions => ARRAY['id AS number']) AS created FROM company.report_settings s;
RESET client_min_messages;
CREATE VIEW pages AS
SELECT count(*) AS weeks, count(DISTINCT computed) > 6 AS various, count(*) FILTER (WHERE computed <> kept) AS differ
FROM (SELECT replace(align.weekly_report('company.leads', w, 'computed'), 'computed', 'kept') AS computed, align.weekly_report('company.leads', w, 'kept') AS kept
	FROM unnest('{2026-01-05,2026-03-02,2026-04-13,2026-05-04,2026-05-11,2026-05-18,2026-05-25,2026-06-15}'::date[] || now()::date) w) p;
TABLE pages;
-- also before they are brought up to date
BEGIN;
UPDATE company.leads SET amount = 7777, owner = 'nobody' WHERE id % 7 = 0;
UPDATE company.leads SET stage = 'customer' WHERE id % 11 = 0;
DELETE FROM company.leads WHERE id % 13 = 0;
SELECT count(*) > 10 AS logged FROM kept.stored_changes;
TABLE pages;
ROLLBACK;
DROP VIEW pages;
SET client_min_messages = warning;
DROP SCHEMA computed CASCADE;
DROP SCHEMA kept CASCADE;
RESET client_min_messages;

-- Rights: all reports, or none of the page.
CREATE ROLE regress_align_reader;
SET ROLE regress_align_reader;
SELECT align.weekly_report('company.leads', '2026-05-20');
RESET ROLE;
GRANT USAGE ON SCHEMA company TO regress_align_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA company TO regress_align_reader;
REVOKE SELECT ON company.workload, company.leads, company.leads_history, company.leads_sla FROM regress_align_reader;
SET ROLE regress_align_reader;
SELECT align.weekly_report('company.leads', '2026-05-20');
RESET ROLE;
GRANT SELECT ON company.workload TO regress_align_reader;
SET ROLE regress_align_reader;
SELECT align.weekly_report('company.leads', '2026-05-20') = page AS same_page FROM company.published_week;
SELECT align.publish_week('company.leads', '2026-05-11');
RESET ROLE;
-- row-level security
ALTER TABLE bare ENABLE ROW LEVEL SECURITY;
SELECT align.publish_week('bare', '2026-05-11');
-- a table of another owner in the place of the published weeks
ALTER TABLE bare DISABLE ROW LEVEL SECURITY;
CREATE VIEW weekly.published_week AS SELECT 1 AS one;
SELECT align.publish_week('bare', '2026-05-11');
DROP VIEW weekly.published_week;
-- a report that is missing, or in several schemas
SET client_min_messages = warning;
DROP VIEW weekly.workload CASCADE;
SELECT align.weekly_report('bare');
CREATE SCHEMA weekly2;
SELECT align.create_reports('bare', 'weekly2', time_zone => 'UTC', complete_since => '2025-01-01') > 0 AS created;
SELECT align.weekly_report('bare');
SELECT flaws(align.weekly_report('bare', in_schema => 'weekly2'));
-- detached
SELECT align.detach('bare');
SELECT align.weekly_report('bare', in_schema => 'weekly2');
SELECT align.weekly_report(NULL);

DROP SCHEMA weekly, weekly2, company, hostile_reports, small, late, odd_names, running CASCADE;
DROP TABLE odd_page, kept_page, bare, bare_history, bare_sla, targets, targets_history, targets_sla, hostile_texts, page CASCADE;
DROP ROLE regress_align_reader;
