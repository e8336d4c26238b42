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
INSERT INTO company.campaign_cost (day, campaign_source, campaign_medium, campaign_name, amount, currency)
SELECT d::date, c.source, c.medium, c.name, round((c.per_day * (0.8 + 0.4 * abs(sin(extract(doy FROM d)))))::numeric, 2), 'EUR'
FROM demo.today t,
	 generate_series((t.as_of - interval '1 year')::date::timestamp, t.as_of::timestamp, interval '1 day') d,
	 (VALUES ('google', 'cpc', 'brand', 95.0), ('linkedin', 'paid_social', 'ebook', 140.0),
			 ('newsletter', 'email', 'webinar', 30.0), ('expo', 'event', NULL, 120.0)) c (source, medium, name, per_day);
INSERT INTO company.campaign_cost (day, campaign_source, campaign_medium, campaign_name, amount, currency)
SELECT as_of::date - 20, 'bing', 'cpc', 'spring', 640, 'EUR' FROM demo.today;
INSERT INTO company.action (what, owner, decided_on, due_on, done_on)
SELECT a.what, a.owner, monday + a.decided, monday + a.due, monday + a.done
FROM (SELECT date_trunc('week', as_of AT TIME ZONE 'Europe/London')::date AS monday FROM demo.today) t,
	 (VALUES ('Say on the e-book page that it is not the product', 'Mia', -14, -7, -5),
			 ('Call every MQL of the trade show within a day', 'Ann', -14, -10, NULL),
			 ('Case study for manufacturers', 'Max', -7, 7, NULL)) a (what, owner, decided, due, done);
\set ECHO queries
SELECT align.create_reports('company.leads', 'company', time_zone => 'Europe/London', complete_since => min(at)) AS reports
FROM company.audit;
\set ECHO none
