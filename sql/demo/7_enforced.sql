-- 7_enforced.sql   the agreement holds on a table that was there before.
--
-- What is refused here is meant to be: errors and warnings are part of the story,
-- so this file is fed to psql's standard input, which keeps its name out of them.
\pset footer off
\pset linestyle unicode
\set ON_ERROR_STOP on
\echo '------------------------------------------------------------------------------'
\echo ' (g) From now on it holds: an existing table under the agreement'
\echo '------------------------------------------------------------------------------'
\echo 'This is the table of a CRM, with every lead in the stage that it is in today.'
\echo

-- The day of the story is today, so that clocks run.
CREATE SCHEMA crm;
CREATE TABLE crm.leads (
	id     int PRIMARY KEY,
	status text,
	reason text,
	owner  text,
	since  timestamptz NOT NULL
);
INSERT INTO crm.leads
SELECT substr(lead, 2)::int, align.current_stage(journey), NULL,
	   CASE align.stage_team(agreement, align.current_stage(journey)) WHEN 'sales' THEN (ARRAY['Ann', 'Bob', 'Eve'])[1 + substr(lead, 2)::int % 3] END,
	   date_trunc('second', now() - (as_of - align.since(journey)))
FROM demo.journey, demo.signed, demo.today
WHERE align.current_stage(journey) IS NOT NULL;

\echo 'One call puts it under the agreement. No column of it changes; the application'
\echo 'stays as it is.'
\echo
\set ECHO queries
SELECT align.attach('crm.leads', agreement => 'demo', stage => 'status', assignee => 'owner',
					reason => 'reason', changed_at => 'since') AS "leads that are there";
\set ECHO none

\echo 'A lead that marketing has qualified cannot become a customer at one stroke, whoever'
\echo 'says so, and from wherever: here from psql.'
\echo
-- Leads for the story: qualified, and waiting for sales since a moment ago.
INSERT INTO crm.leads (id, status, since) VALUES (90001, 'mql', now()), (90002, 'mql', now()), (90003, 'mql', now());
\set ON_ERROR_STOP off
\set ECHO queries
UPDATE crm.leads SET status = 'customer' WHERE id = 90001;
\set ECHO none
\echo
\echo 'And who rejects one says why, for one of the reasons agreed on:'
\echo
\set ECHO queries
UPDATE crm.leads SET status = 'disqualified', reason = 'no idea' WHERE id = 90001;
\set ECHO none

\echo
\echo 'Nor in bulk. A file with one row in the wrong place is not loaded, and a change of'
\echo 'many leads that some may not make is made by none:'
\echo
\set ECHO queries
COPY crm.leads (id, status, since) FROM stdin; -- 90004 in inquiry, 90005 in opportunity
90004	inquiry	2026-01-05 10:00+00
90005	opportunity	2026-01-05 10:00+00
\.
\set ECHO none
\echo
\set ECHO queries
UPDATE crm.leads SET status = 'customer' WHERE status IN ('opportunity', 'sal');
\set ECHO none
\set ON_ERROR_STOP on

\echo
\echo 'What would be needed? Asking changes nothing:'
\echo
\set ECHO queries
SELECT allowed, rule, message, detail, hint FROM align.explain_move('crm.leads', 90001, 'disqualified') \gx
SELECT allowed FROM align.explain_move('crm.leads', 90001, 'disqualified', reason => 'no_budget');
\set ECHO none

\echo 'What the agreement allows goes through, and is remembered:'
\echo
\set ECHO queries
UPDATE crm.leads SET status = 'sal', owner = 'Ann' WHERE id = 90001;
UPDATE crm.leads SET status = 'disqualified', reason = 'no_budget' WHERE id = 90002;
SELECT id, entry_no, event, from_stage, stage, team, assignee, db_role, reason
FROM crm.leads_history WHERE id > 90000 ORDER BY id, entry_no;
\set ECHO none

\echo 'A team that is not ready for rules can begin with warnings. Attaching again keeps'
\echo 'all that was recorded; what breaks a rule passes, and is marked in the history.'
\echo
\set ECHO queries
SELECT align.attach('crm.leads', agreement => 'demo', stage => 'status', assignee => 'owner',
					reason => 'reason', changed_at => 'since', mode => 'warn') AS "new leads";
UPDATE crm.leads SET status = 'customer' WHERE id = 90003;
SELECT id, event, from_stage, stage, violation FROM crm.leads_history WHERE violation IS NOT NULL;
SELECT align.attach('crm.leads', agreement => 'demo', stage => 'status', assignee => 'owner',
					reason => 'reason', changed_at => 'since') AS "new leads";
\set ECHO none

\echo 'Every promise has a clock. Nobody has to touch a lead for it to become overdue: this'
\echo 'is the list for the morning meeting of sales, the longest first.'
\echo
\set ECHO queries
SELECT key->>'id' AS lead, sla, team, assignee, due_at::timestamp(0) AS "was due (UTC)",
	   demo.span(now() - due_at, false) AS "overdue by"
FROM align.clocks('crm.leads')
WHERE state = 'overdue' AND team = 'sales'
ORDER BY due_at LIMIT 8;
\set ECHO none

\echo 'And who does not read lists can be told. A scheduler (pg_cron) calls two functions;'
\echo 'each event is announced once, to whoever listens.'
\echo
-- What was there before is announced to nobody.
SELECT align.notify_handoffs('crm.leads'), align.notify_due('crm.leads') \g /dev/null
\set ECHO queries
LISTEN align_handoff;
LISTEN align_sla;
INSERT INTO crm.leads (id, status, since) VALUES (90006, 'mql', now() - interval '14 days');
SELECT align.notify_handoffs('crm.leads') AS handoffs, align.notify_due('crm.leads') AS clocks;
\set ECHO none
UNLISTEN *;

\echo 'Is it all true? check() reads the history, computes everything anew, and returns what'
\echo 'differs from what the triggers recorded:'
\echo
\set ECHO queries
SELECT * FROM align.check('crm.leads');
\set ECHO none
SELECT count(*) = 0 AS true FROM align.check('crm.leads')
\gset
\if :true
\echo '(no row: it is.)'
\endif
