-- Reports as a way to run code as another role, or to see what one may not: planted
-- functions, views and tables, forged marks, row-level security.
\set SHOW_CONTEXT never
SET timezone = 'UTC';
SET client_min_messages = warning;
SET jit = off;
CREATE ROLE regress_report_owner;
CREATE ROLE regress_report_mallory;
CREATE ROLE regress_report_reader;
SELECT align.agree('safe', $$
	stage inquiry, mql held by marketing;
	stage sal held by sales;
	won customer;
	lost disqualified;
	entry inquiry, mql;
	success path inquiry -> mql -> sal -> customer;
	path any -> disqualified;
	handoff intake: mql from marketing to sales, accept sal, within 4 hours;
$$);
SELECT align.admit('safe', 'regress_report_owner');
CREATE SCHEMA safe_crm AUTHORIZATION regress_report_owner;
GRANT USAGE ON SCHEMA safe_crm TO regress_report_reader, regress_report_mallory;

-- A schema of mallory, in which a superuser keeps the reports on a table of his own.
CREATE SCHEMA safe_shared AUTHORIZATION regress_report_mallory;
CREATE TABLE safe_crm.deals (id int PRIMARY KEY, stage text);
SELECT align.attach('safe_crm.deals', 'safe');
INSERT INTO safe_crm.deals VALUES (1, 'mql');
-- a function with a forged mark would stay mallory's
SET ROLE regress_report_mallory;
CREATE FUNCTION safe_shared.lead_facts(timestamptz) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;
COMMENT ON FUNCTION safe_shared.lead_facts(timestamptz) IS 'Mine. Created by align.create_reports().';
RESET ROLE;
SELECT align.create_reports('safe_crm.deals', 'safe_shared');
DROP FUNCTION safe_shared.lead_facts(timestamptz);
SET ROLE regress_report_mallory;
CREATE VIEW safe_shared.scorecard AS SELECT 1 AS a;
COMMENT ON VIEW safe_shared.scorecard IS 'Mine. Created by align.create_reports().';
RESET ROLE;
SELECT align.create_reports('safe_crm.deals', 'safe_shared');
DROP VIEW safe_shared.scorecard;
-- operators, functions, casts and types of the schema are not found
SET ROLE regress_report_mallory;
CREATE FUNCTION safe_shared.planted(anyelement, anyelement) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'planted code runs as %', current_user; RETURN true; END $$;
CREATE OPERATOR safe_shared.= (LEFTARG = anyelement, RIGHTARG = anyelement, FUNCTION = safe_shared.planted);
CREATE FUNCTION safe_shared.now() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'planted code runs as %', current_user; RETURN '2020-01-01'; END $$;
CREATE DOMAIN safe_shared.text AS pg_catalog.text CHECK (safe_shared.planted(VALUE, VALUE));
CREATE FUNCTION pg_temp.now() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'planted code runs as %', current_user; RETURN '2020-01-01'; END $$;
CREATE DOMAIN pg_temp.text AS pg_catalog.text CHECK (false);
RESET ROLE;
SET search_path = safe_shared, pg_temp, pg_catalog;
SELECT align.create_reports('safe_crm.deals', 'safe_shared', dimensions => '{"id = 1 AS is_one"}') > 0 AS created;
SELECT align.weekly_report('safe_crm.deals') ~ '^<!DOCTYPE' AS page;
SELECT count(*) FROM lead_facts;
SELECT count(*) FROM lead_facts('2199-01-01');
RESET search_path;
DROP DOMAIN pg_temp.text;
DROP FUNCTION pg_temp.now();
-- what the owner of the schema puts in the place of a report does not run as the owner of the table
SET ROLE regress_report_mallory;
DROP FUNCTION safe_shared.report_settings(timestamptz);
CREATE FUNCTION safe_shared.report_settings(timestamptz) RETURNS SETOF safe_shared.report_settings LANGUAGE plpgsql AS
	$$ BEGIN RAISE WARNING 'planted code runs as %', current_user; RETURN QUERY SELECT * FROM safe_shared.report_settings; END $$;
COMMENT ON FUNCTION safe_shared.report_settings(timestamptz) IS 'Mine. Created by align.create_reports().';
RESET ROLE;
SELECT align.weekly_report('safe_crm.deals');
SELECT align.publish_week('safe_crm.deals');
SELECT align.create_reports('safe_crm.deals', 'safe_shared');
DROP FUNCTION safe_shared.report_settings(timestamptz);
SELECT align.weekly_report('safe_crm.deals');
SELECT align.create_reports('safe_crm.deals', 'safe_shared', dimensions => '{"id = 1 AS is_one"}') > 0 AS mended;
-- a table of mallory's is not the one that pages are kept in, nor one of campaigns
SET ROLE regress_report_mallory;
CREATE TABLE safe_shared.published_week (week date PRIMARY KEY, as_of timestamptz, published_at timestamptz, published_by text, page text, figures jsonb);
CREATE VIEW safe_shared.action AS SELECT 1::bigint AS id, 'planted'::pg_catalog.text AS what, ''::pg_catalog.text AS owner, current_date AS decided_on, NULL::date AS due_on, NULL::date AS done_on, ''::pg_catalog.text AS note;
RESET ROLE;
SELECT align.publish_week('safe_crm.deals');
SELECT align.weekly_report('safe_crm.deals') ~ 'planted' AS planted;
DROP TABLE safe_shared.published_week;
SET ROLE regress_report_mallory;
CREATE VIEW safe_shared.published_week AS SELECT 1 AS a;
RESET ROLE;
SELECT align.publish_week('safe_crm.deals');
DROP SCHEMA safe_shared CASCADE;

-- The owner of a table replaces the reports: his code runs as himself, for whoever calls.
CREATE SCHEMA safe_reports AUTHORIZATION regress_report_owner;
SET ROLE regress_report_owner;
CREATE TABLE safe_crm.leads (id int PRIMARY KEY, stage text, rep text, amount numeric);
SELECT align.attach('safe_crm.leads', 'safe', assignee => 'rep', amount => 'amount');
INSERT INTO safe_crm.leads VALUES (1, 'mql', 'ann', 10), (2, 'mql', 'bob', 20), (3, 'inquiry', 'bob', 30);
UPDATE safe_crm.leads SET stage = 'sal' WHERE id = 1;
UPDATE safe_crm.leads SET stage = 'customer' WHERE id = 1;
SELECT align.create_reports('safe_crm.leads', 'safe_reports') > 0 AS created;
CREATE TABLE safe_crm.runs (as_whom text);
CREATE FUNCTION safe_crm.spy() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO safe_crm.runs VALUES (current_user);
	BEGIN
		CREATE TEMP TABLE planted (a int);
		RAISE WARNING 'a temporary table is left';
	EXCEPTION WHEN insufficient_privilege THEN NULL;
	END;
	BEGIN
		SET LOCAL ROLE NONE;
		RAISE WARNING 'the role changes';
	EXCEPTION WHEN insufficient_privilege THEN NULL;
	END;
	RETURN '';
END $$;
CREATE TABLE safe_crm.kept AS SELECT * FROM safe_reports.report_settings;
CREATE OR REPLACE VIEW safe_reports.report_settings AS SELECT k.* FROM safe_crm.kept AS k, safe_crm.spy() AS planted WHERE NOT EXISTS (SELECT FROM safe_crm.leads_history WHERE false);
RESET ROLE;
SELECT align.weekly_report('safe_crm.leads') ~ '^<!DOCTYPE' AS page;
SELECT align.publish_week('safe_crm.leads') IS NOT NULL AS published;
SELECT DISTINCT as_whom FROM safe_crm.runs;
-- triggers on what publish_week() writes run as the owner, too, and leave nothing behind
SET ROLE regress_report_owner;
DELETE FROM safe_crm.runs;
CREATE FUNCTION safe_crm.spy_trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM safe_crm.spy(); RETURN NEW; END $$;
CREATE TRIGGER planted BEFORE INSERT ON safe_reports.published_week FOR EACH ROW EXECUTE FUNCTION safe_crm.spy_trigger();
CREATE CONSTRAINT TRIGGER planted_late AFTER INSERT ON safe_reports.published_week DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION safe_crm.spy_trigger();
RESET ROLE;
SELECT align.publish_week('safe_crm.leads', '2020-01-01') IS NOT NULL AS published;
DROP TRIGGER planted_late ON safe_reports.published_week;
SELECT align.publish_week('safe_crm.leads', '2020-01-01') IS NOT NULL AS published;
SELECT DISTINCT as_whom FROM safe_crm.runs;
SET ROLE regress_report_owner;
DROP TABLE safe_reports.published_week;
SELECT align.create_reports('safe_crm.leads', 'safe_reports') > 0 AS mended;

-- Readers: the page needs all that it shows.
SELECT align.create_campaign_tables('safe_reports', 'EUR');
INSERT INTO safe_reports.action (what, owner, decided_on) VALUES ('a secret plan', 'ann', current_date - 8);
SELECT align.create_reports('safe_crm.leads', 'safe_reports') > 0 AS created;
GRANT USAGE ON SCHEMA safe_reports TO regress_report_reader;
SET ROLE regress_report_reader;
SELECT align.weekly_report('safe_crm.leads');
SET ROLE regress_report_owner;
GRANT SELECT ON ALL TABLES IN SCHEMA safe_reports TO regress_report_reader;
REVOKE SELECT ON safe_reports.stuck FROM regress_report_reader;
SET ROLE regress_report_reader;
SELECT align.weekly_report('safe_crm.leads');
SET ROLE regress_report_owner;
GRANT SELECT ON safe_reports.stuck TO regress_report_reader;
REVOKE SELECT ON safe_reports.action FROM regress_report_reader;
SET ROLE regress_report_reader;
SELECT align.weekly_report('safe_crm.leads');
SET ROLE regress_report_owner;
GRANT SELECT ON safe_reports.action TO regress_report_reader;
SET ROLE regress_report_reader;
SELECT align.weekly_report('safe_crm.leads') ~ 'a secret plan' AS page;
SELECT align.publish_week('safe_crm.leads');
SELECT count(*) FROM safe_reports.lead_facts;
-- functions are read with the privileges of the caller
SELECT count(*) FROM safe_reports.lead_facts(now());

-- Row-level security: one row per lead only for who may see the lead; sums over all.
SET ROLE regress_report_owner;
CREATE TABLE safe_crm.hidden (id int PRIMARY KEY, stage text, rep text, amount numeric, region text);
ALTER TABLE safe_crm.hidden ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON safe_crm.hidden USING (rep = current_user);
SELECT align.attach('safe_crm.hidden', 'safe', assignee => 'rep', amount => 'amount');
INSERT INTO safe_crm.hidden VALUES (1, 'inquiry', 'regress_report_reader', 10, 'north'), (2, 'inquiry', 'bob', 20, 'south'), (3, 'inquiry', 'bob', 30, 'south');
UPDATE safe_crm.hidden SET stage = 'mql' WHERE id < 3;
SELECT align.create_campaign_tables('safe_crm', 'EUR') > 0 AS created;
RESET ROLE;
CREATE SCHEMA safe_hidden AUTHORIZATION regress_report_owner;
SET ROLE regress_report_owner;
SELECT align.create_reports('safe_crm.hidden', 'safe_hidden', dimensions => '{region}') > 0 AS created;
GRANT USAGE ON SCHEMA safe_hidden TO regress_report_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA safe_hidden TO regress_report_reader;
-- what has the key columns is an invoker, and only that
SELECT c.relname, a.attname IS NOT NULL AS per_lead, coalesce(array_to_string(c.reloptions, ','), '') AS options
FROM pg_class AS c LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'id' WHERE c.relnamespace = 'safe_hidden'::regnamespace AND c.relkind = 'v'
	AND (a.attname IS NOT NULL) <> coalesce(c.reloptions @> '{security_invoker=true}', false);
SELECT count(*) > 5 AS some FROM pg_class WHERE relnamespace = 'safe_hidden'::regnamespace AND reloptions @> '{security_invoker=true}';
SELECT relname, substring(obj_description(oid, 'pg_class') FROM 'Row-level.*') AS comment FROM pg_class WHERE oid IN ('safe_hidden.lead_facts'::regclass, 'safe_hidden.funnel'::regclass, 'safe_reports.funnel'::regclass) ORDER BY oid::regclass::text;
-- the others let no function of a reader see rows below their sums
SELECT count(*) AS without_barrier FROM pg_class WHERE relnamespace = 'safe_hidden'::regnamespace AND relkind = 'v' AND NOT coalesce(reloptions && '{security_invoker=true,security_barrier=true}', false);
SELECT count(*) FROM safe_hidden.lead_facts;
SELECT count(*), sum(entered) AS entered, max(entered) FROM safe_hidden.funnel;
SET ROLE regress_report_reader;
SELECT count(*) FROM safe_hidden.lead_facts;
SELECT align.weekly_report('safe_crm.hidden');
SET ROLE regress_report_owner;
GRANT SELECT ON safe_crm.hidden, safe_crm.hidden_history, safe_crm.hidden_sla TO regress_report_reader;
SET ROLE regress_report_reader;
SELECT id, region FROM safe_hidden.lead_facts;
SELECT id, region FROM safe_hidden.lead_facts(now());
SELECT id FROM safe_hidden.handoff_facts;
SELECT count(*), max(entered) FROM safe_hidden.funnel;
SELECT max(entered) FROM safe_hidden.funnel(now());
-- every view that has one row per lead shows only that of the reader
DO $$
DECLARE
	v text; n bigint;
BEGIN
	FOR v IN SELECT a.attrelid::regclass FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid AND c.relkind = 'v' WHERE a.attname = 'id' AND c.relnamespace = 'safe_hidden'::regnamespace LOOP
		EXECUTE format('SELECT count(*) FROM %s WHERE id <> 1', v) INTO n;
		IF n > 0 THEN RAISE WARNING '% shows % rows that row-level security hides', v, n; END IF;
	END LOOP;
END $$;
SELECT align.weekly_report('safe_crm.hidden');
-- who may see all leads, since row-level security does not apply to them, gets the page of the owner
RESET ROLE;
ALTER ROLE regress_report_reader BYPASSRLS;
SET ROLE regress_report_owner;
REVOKE SELECT ON safe_crm.hidden_history FROM regress_report_reader;
SET ROLE regress_report_reader;
SELECT align.weekly_report('safe_crm.hidden');
SET ROLE regress_report_owner;
GRANT SELECT ON safe_crm.hidden_history TO regress_report_reader;
BEGIN;
CREATE TEMP TABLE page_of_owner ON COMMIT DROP AS SELECT align.weekly_report('safe_crm.hidden', current_date) AS html;
GRANT SELECT ON page_of_owner TO regress_report_reader;
SET ROLE regress_report_reader;
SELECT html = align.weekly_report('safe_crm.hidden', current_date) AS same_page, html ~ '>60<' AS all_amounts, html ~ '2 handed over' AS all_handoffs FROM page_of_owner;
SELECT id FROM safe_hidden.lead_facts ORDER BY id;
COMMIT;
-- a policy that lets all rows through is one that applies
RESET ROLE;
ALTER ROLE regress_report_reader NOBYPASSRLS;
CREATE POLICY all_of_them ON safe_crm.hidden FOR SELECT TO regress_report_reader USING (true);
SET ROLE regress_report_reader;
SELECT align.weekly_report('safe_crm.hidden');
SET ROLE regress_report_owner;
DROP POLICY all_of_them ON safe_crm.hidden;
SELECT align.weekly_report('safe_crm.hidden') ~ '^<!DOCTYPE' AS page;
SELECT align.publish_week('safe_crm.hidden');
-- row-level security that comes later: the page is refused at once, views follow when they are made again
ALTER TABLE safe_crm.leads ENABLE ROW LEVEL SECURITY;
SET ROLE regress_report_reader;
SELECT align.weekly_report('safe_crm.leads');
SET ROLE regress_report_owner;
SELECT align.create_reports('safe_crm.leads', 'safe_reports') > 0 AS created;
SELECT reloptions FROM pg_class WHERE oid = 'safe_reports.lead_facts'::regclass;
ALTER TABLE safe_crm.leads DISABLE ROW LEVEL SECURITY;
SELECT align.create_reports('safe_crm.leads', 'safe_reports') > 0 AS created;
SELECT reloptions FROM pg_class WHERE oid = 'safe_reports.lead_facts'::regclass;
RESET ROLE;
DROP SCHEMA safe_hidden, safe_reports, safe_crm CASCADE;
DROP OWNED BY regress_report_owner, regress_report_mallory, regress_report_reader;
DROP ROLE regress_report_owner, regress_report_mallory, regress_report_reader;
