-- 8_reports.sql   what both teams look at: the weekly page.
--
-- The leads of the story with their whole history, and the reports as of the end
-- of the last complete week before the day of the story.
\pset footer off
\pset linestyle unicode
\echo '------------------------------------------------------------------------------'
\echo ' (h) What both teams look at once a week'
\echo '------------------------------------------------------------------------------'
\echo 'A CRM holds a row per lead and, somewhere, its audit log. The table is attached, and'
\echo 'the log imported: clocks, handoffs and reports begin with the first day of a lead.'
\echo

CREATE SCHEMA company;
CREATE TABLE company.audit AS
SELECT e.lead AS id, e.at, row_number() OVER (PARTITION BY e.lead ORDER BY e.at, e.no) AS ordinal,
	   e.stage, e.reason, e.amount, e.person AS assignee, e.campaign,
	   CASE WHEN e.team = 'sales' AND (e.amount IS NOT NULL OR substr(md5(e.lead || e.at), 1, 1) < '4') THEN
		   CASE e.reason WHEN 'content_unclear' THEN 'Thought that the e-book was the product; wants a case study of her own industry.'
			   WHEN 'no_budget' THEN 'Budget is planned in October, call again then.'
			   WHEN 'price' THEN 'Compared us with two cheaper offers; nobody had shown him the savings.'
			   WHEN 'competitor' THEN 'Knew the competitor from the trade show, and us from a search only.'
			   WHEN 'no_decision' THEN 'The project was put off; ask again when the new budget is made.'
			   WHEN 'poor_fit' THEN 'Three employees; our smallest plan is for twenty.'
			   ELSE CASE e.stage WHEN 'customer' THEN 'Had read two case studies before the first call; bought what they describe.' END END END AS note
FROM (
	SELECT e.*, row_number() OVER (PARTITION BY e.lead ORDER BY e.at, e.stage) AS no,
		   (ARRAY['Ann', 'Bob', 'Eve', 'Dan', 'Mia', 'Max'])[
			   CASE coalesce(align.stage_team(s.agreement, e.stage), 'sales') WHEN 'sales' THEN 1 ELSE 5 END
			   + ('x' || substr(md5(e.lead), 1, 4))::bit(16)::int % CASE coalesce(align.stage_team(s.agreement, e.stage), 'sales') WHEN 'sales' THEN 4 ELSE 2 END] AS person
	FROM (
		-- a touch belongs to the stage that the lead enters next
		SELECT e.lead, e.at, e.stage, e.team, e.reason, e.amount,
			   coalesce(e.campaign, max(e.campaign) FILTER (WHERE e.stage IS NULL) OVER (PARTITION BY e.lead, e.visit)) AS campaign
		FROM (SELECT e.*, count(e.stage) OVER (PARTITION BY e.lead ORDER BY e.at DESC, e.stage DESC NULLS FIRST) AS visit
			  FROM demo.event e) e
	) e, demo.signed s
	WHERE e.stage IS NOT NULL
) e;
-- Marketing closes what nobody has looked at for 45 days, as any CRM is tidied up.
INSERT INTO company.audit (id, at, ordinal, stage, reason, assignee)
SELECT id, at + interval '45 days', ordinal + 1, 'disqualified', 'no_interest', assignee
FROM (SELECT DISTINCT ON (id) * FROM company.audit ORDER BY id, ordinal DESC) last, demo.today
WHERE stage IN ('inquiry', 'mql', 'sal', 'nurture', 'Sales Accepted') AND at + interval '45 days' < as_of
	  AND EXISTS (SELECT FROM demo.signed, align.stages(agreement) s WHERE s.stage = 'disqualified');
CREATE TABLE company.leads AS
SELECT DISTINCT ON (id) id, stage AS status, reason, assignee AS owner, note, amount, campaign AS landing_page
FROM company.audit
ORDER BY id, ordinal DESC;
UPDATE company.leads l SET amount = a.amount
FROM (SELECT DISTINCT ON (id) id, amount FROM company.audit WHERE amount IS NOT NULL ORDER BY id, ordinal DESC) a
WHERE a.id = l.id;
ALTER TABLE company.leads ADD PRIMARY KEY (id);

\set ECHO queries
SELECT align.attach('company.leads', agreement => 'demo', stage => 'status', assignee => 'owner', reason => 'reason',
					note => 'note', campaign => 'landing_page', amount => 'amount', mode => 'observe') AS leads;
SELECT align.import_history('company.leads', 'SELECT * FROM company.audit') AS imported;
\set ECHO none
ANALYZE;

\echo 'What campaigns cost is in no CRM, nor is what the last meeting decided: four tables of'
\echo 'their own hold it. The reports are views in the same schema.'
\echo
\set ECHO queries
SELECT align.create_campaign_tables('company', currency => 'EUR') AS tables;
\set ECHO none
SELECT to_regclass('demo.channel') IS NOT NULL AS generated
\gset
\if :generated
INSERT INTO company.campaign_cost (day, campaign_source, campaign_medium, campaign_name, amount, currency)
SELECT d::date, c.source, c.medium, c.name, round((c.per_day * (0.8 + 0.4 * abs(sin(extract(doy FROM d)))))::numeric, 2), 'EUR'
FROM demo.today t,
	 generate_series((t.as_of - interval '1 year')::date::timestamp, t.as_of::timestamp, interval '1 day') d,
	 (VALUES ('google', 'cpc', 'brand', 95.0), ('linkedin', 'paid_social', 'ebook', 140.0),
			 ('newsletter', 'email', 'webinar', 30.0), ('expo', 'event', NULL, 120.0)) c (source, medium, name, per_day);
INSERT INTO company.campaign_cost (day, campaign_source, campaign_medium, campaign_name, amount, currency)
SELECT as_of::date - 20, 'bing', 'cpc', 'spring', 640, 'EUR' FROM demo.today;
INSERT INTO company.campaign_budget (month, campaign_source, campaign_medium, campaign_name, amount, currency)
SELECT m::date, c.source, c.medium, c.name, c.per_month, 'EUR'
FROM demo.today t,
	 generate_series(date_trunc('month', t.as_of) - interval '1 year', t.as_of, interval '1 month') m,
	 (VALUES ('google', 'cpc', 'brand', 3500), ('linkedin', 'paid_social', 'ebook', 4000), ('expo', 'event', NULL, 4000)) c (source, medium, name, per_month);
INSERT INTO company.campaign_review (campaign_source, campaign_medium, campaign_name, reviewed_on, team, verdict, why, next_step, reviewed_by, request, requested_by, answered_on)
SELECT r.source, r.medium, r.name, monday + r.reviewed, r.team, r.verdict, r.why, r.next_step, r.person, r.request, CASE WHEN r.request IS NOT NULL THEN r.person END, monday + r.answered
FROM (SELECT date_trunc('week', as_of AT TIME ZONE 'Europe/London')::date AS monday FROM demo.today) t,
	 (VALUES ('linkedin', 'paid_social', 'ebook', -13, 'marketing', 'more of it', 'cheapest leads of the quarter', 'another e-book in autumn', 'Mia', NULL, NULL),
			 ('linkedin', 'paid_social', 'ebook', -12, 'sales', 'change', 'they think that the e-book is the product', 'say on its page what we sell', 'Ann', NULL, NULL),
			 ('google', 'cpc', 'brand', -12, 'marketing', 'as it is', 'they look for us by name', NULL, 'Max', NULL, NULL),
			 ('google', 'cpc', 'brand', -12, 'sales', 'as it is', 'half of them know what they want', NULL, 'Bob', NULL, NULL),
			 ('expo', 'event', NULL, -20, 'sales', NULL, NULL, NULL, 'Eve', 'a case study for manufacturers', NULL),
			 ('expo', 'event', NULL, -12, 'marketing', NULL, NULL, NULL, 'Mia', 'which talks did visitors remember?', -4)) r (source, medium, name, reviewed, team, verdict, why, next_step, person, request, answered);
INSERT INTO company.action (what, owner, decided_on, due_on, done_on)
SELECT a.what, a.owner, monday + a.decided, monday + a.due, monday + a.done
FROM (SELECT date_trunc('week', as_of AT TIME ZONE 'Europe/London')::date AS monday FROM demo.today) t,
	 (VALUES ('Say on the e-book page that it is not the product', 'Mia', -14, -7, -5),
			 ('Call every MQL of the trade show within a day', 'Ann', -14, -10, NULL),
			 ('Case study for manufacturers', 'Max', -7, 7, NULL)) a (what, owner, decided, due, done);
\endif
\set ECHO queries
SELECT align.create_reports('company.leads', 'company', complete_since => min(at)) AS reports FROM company.audit;
\set ECHO none
-- The last week that is complete on the day of the story, and its end.
SELECT week, (week + 7)::timestamp AT TIME ZONE time_zone AS week_end
FROM (SELECT s.time_zone, date_trunc('week', t.as_of AT TIME ZONE s.time_zone)::date - 7 AS week
	  FROM demo.today t, company.report_settings s) w
\gset

\echo 'Every report is a view, as of now, and a function of an instant: here of the end of the'
\echo 'last complete week. Where do both teams stand?'
\echo
\set ECHO queries
SELECT teams, metric, period, round(actual, 1) AS actual, goal, round(goal_today) AS "by now",
	   round(expected_end) AS expected, status
FROM company.scorecard(:'week_end')
WHERE :'week'::date + 6 BETWEEN period_start AND period_end
ORDER BY target_no;
\set ECHO none
SELECT NOT EXISTS (SELECT FROM demo.signed, align.targets(agreement)) AS no_targets
\gset
\if :no_targets
\echo '(This agreement has no targets yet: "target marketing: 400 mql per month;" adds one.)'
\echo
\endif

\echo 'And what do campaigns learn from what became of their leads?'
\echo
\set ECHO queries
SELECT coalesce(nullif(campaign_name, '(none)'), left(campaign_key, 45)) AS campaign, handoff, result, reason, sum(n) AS n
FROM company.feedback(:'week_end')
WHERE moment = 'handoff' AND result IN ('accepted', 'rejected') AND month > :'week'::date - 90
GROUP BY 1, 2, 3, 4
ORDER BY n DESC, campaign, handoff, result, reason
LIMIT 12;
\set ECHO none

\if :{?page}
\echo 'One page has all of it for the weekly meeting, and needs nothing but a browser:'
\echo
\echo 'SELECT align.weekly_report(''company.leads'', week =>' :'week' ');'
\echo
\pset tuples_only on
\pset format unaligned
\o :page
SELECT align.weekly_report('company.leads', week => :'week');
\o
\pset format aligned
\pset tuples_only off
\echo 'It is in the file' :page
\endif
