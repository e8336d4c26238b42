-- create_reports(): bad input, names that are taken, privileges, and what stands on the reports.
\set VERBOSITY default
SET timezone = 'UTC';
SET client_min_messages = warning;
SET jit = off;
CREATE ROLE regress_report_crm;
CREATE ROLE regress_report_other;
CREATE ROLE regress_report_reader;
SELECT align.agree('created', $$
	stage inquiry, mql held by marketing;
	stage sal held by sales;
	won customer;
	lost disqualified;
	entry inquiry, mql;
	success path inquiry -> mql -> sal -> customer;
	path any -> disqualified;
	handoff intake: mql from marketing to sales, accept sal, within 4 hours;
$$);
SELECT align.admit('created', 'regress_report_crm');
CREATE SCHEMA report_crm AUTHORIZATION regress_report_crm;
CREATE SCHEMA report_made AUTHORIZATION regress_report_crm;
CREATE SCHEMA report_second AUTHORIZATION regress_report_crm;
CREATE SCHEMA report_foreign AUTHORIZATION regress_report_other;
GRANT USAGE ON SCHEMA report_crm, report_made TO regress_report_reader, regress_report_other;
SET ROLE regress_report_crm;
CREATE TYPE report_crm.size AS ENUM ('small', 'big');
CREATE DOMAIN report_crm.country AS text CHECK (VALUE <> '');
CREATE FUNCTION report_crm.shout(text) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT upper($1) $$;
CREATE TABLE report_crm.leads (id int PRIMARY KEY, stage text, billing text, why text, amount numeric, country report_crm.country, size report_crm.size,
	source text, tags text[], extra jsonb, born timestamp, seen timestamptz, score real, small smallint, flag boolean, "Sales Rep" text, token uuid, letter "char", code char(3));
SELECT align.attach('report_crm.leads', 'created', reason => 'why', amount => 'amount');
INSERT INTO report_crm.leads (id, stage, amount, country, size, source, score, flag, code) VALUES
	(1, 'inquiry', 10, 'DE', 'big', 'web', 0.5, true, 'a'), (2, 'mql', 20, NULL, NULL, '', NULL, NULL, NULL);

-- which table
SELECT align.create_reports(NULL, 'report_made');
SELECT align.create_reports('report_crm.leads', NULL);
SELECT align.create_reports('report_crm.leads', 'report_made', dimensions => NULL);
SELECT align.create_reports('report_crm.leads', 'report_made', settle => NULL);
SELECT align.create_reports('report_crm.leads', 'report_made', credit_model => NULL);
SELECT align.create_reports(0, 'report_made');
CREATE TABLE report_crm.plain (id int PRIMARY KEY, stage text);
SELECT align.create_reports('report_crm.plain', 'report_made');
SET ROLE regress_report_other;
SELECT align.create_reports('report_crm.leads', 'report_foreign');
SET ROLE regress_report_crm;
-- which schema
SELECT align.create_reports('report_crm.leads', 'no such "schema"');
SELECT align.create_reports('report_crm.leads', 'report_foreign');
SELECT align.create_reports('report_crm.leads', 'pg_catalog');
SELECT align.create_reports('report_crm.leads', '');
CREATE TEMP TABLE a_temporary_table ();
SELECT align.create_reports('report_crm.leads', 'pg_temp');
\set VERBOSITY terse
SELECT align.create_reports('report_crm.leads', nspname::text) FROM pg_namespace WHERE oid = pg_my_temp_schema() \gset
\set VERBOSITY default
-- settings
SELECT align.create_reports('report_crm.leads', 'report_made', time_zone => 'Atlantis/Main');
SELECT align.create_reports('report_crm.leads', 'report_made', time_zone => '');
SELECT align.create_reports('report_crm.leads', 'report_made', settle => '3 months');
SELECT align.create_reports('report_crm.leads', 'report_made', settle => '-1 day');
SELECT align.create_reports('report_crm.leads', 'report_made', settle => '0');
SELECT align.create_reports('report_crm.leads', 'report_made', settle => '900 microseconds');
SELECT align.create_reports('report_crm.leads', 'report_made', settle => '40000 days');
SELECT align.create_reports('report_crm.leads', 'report_made', complete_since => 'infinity');
SELECT align.create_reports('report_crm.leads', 'report_made', complete_since => '-infinity');
SELECT align.create_reports('report_crm.leads', 'report_made', credit_model => 'Linear');
SELECT align.create_reports('report_crm.leads', 'report_made', credit_model => '');
-- dimensions
CREATE FUNCTION report_crm.refused(VARIADIC dimensions text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text; detail text; hint text; state text;
BEGIN
	PERFORM align.create_reports('report_crm.leads', 'report_made', dimensions => dimensions);
	RAISE EXCEPTION 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n', state, message, nullif(detail, ''), nullif(hint, ''));
END $$;
CREATE FUNCTION pg_temp.spy(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'planted code runs'; RETURN $1; END $$;
\pset format unaligned
\pset tuples_only
SELECT d, report_crm.refused(d) FROM unnest(ARRAY['', 'nothing', 'source', 'source AS stage', 'source AS row_key', 'id', 'source AS id', 'lower(source)', 'source AS', 'source lead_source', 'canvas x',
	'source AS a, country AS b', 'source AS a FROM report_crm.leads', 'source AS a; DROP TABLE report_crm.leads', 'DISTINCT source AS a', 'source AS a WHERE true', '* AS a', 'leads AS a', 'leads.*', 'ctid AS a', 'tableoid AS a',
	'(SELECT 1) AS a', 'count(*) AS a', 'row_number() OVER () AS a', 'random() AS a', 'now() AS a', 'report_crm.shout(source) AS a', 'shout(source) AS a', 'pg_temp.spy(source) AS a', 'source OPERATOR(public.=) '''' AS a', 'source::report_crm.country AS a',
	'generate_series(1, 2) AS a', '$1 AS a', 'pg_sleep(1) AS a', 'current_user AS a', 'tags', 'extra', 'born', '"char"(1) AS a', 'ARRAY[source] AS a', 'ROW(source) AS a', '1/0 AS a', 'source AS a -- AS b', 'source AS "a" "b"']) AS d;
SELECT report_crm.refused(NULL);
SELECT report_crm.refused('source AS a', NULL);
SELECT report_crm.refused('source AS a', 'country AS a');
SELECT report_crm.refused('country', 'country');
\pset format aligned
\pset tuples_only off
-- nothing half-written is left
SELECT count(*) FROM pg_class WHERE relnamespace = 'report_made'::regnamespace;

-- what the user has is never replaced
CREATE FUNCTION report_crm.in_the_way(what text, command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text; detail text; hint text; state text;
BEGIN
	EXECUTE format(command, 'report_made.' || what);
	PERFORM align.create_reports('report_crm.leads', 'report_made');
	RAISE EXCEPTION 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', state, message, detail, hint);
END $$;
SELECT what, report_crm.in_the_way(what, command)
FROM unnest(ARRAY['scorecard', 'lead_facts']) AS what,
	unnest(ARRAY['CREATE VIEW %s AS SELECT 1 AS a', 'CREATE TABLE %s (a int)', 'CREATE MATERIALIZED VIEW %s AS SELECT 1 AS a', 'CREATE SEQUENCE %s', 'CREATE TYPE %s AS ENUM (''a'')', 'CREATE TYPE %s AS (a int)', 'CREATE DOMAIN %s AS int',
		'CREATE FUNCTION %s(timestamptz) RETURNS int LANGUAGE sql AS ''SELECT 1''']) AS command WHERE what <> 'lead_facts' OR command ~ 'TABLE|FUNCTION' ORDER BY 1, 2;
-- functions and views beside them, with other arguments or names, are no concern
CREATE FUNCTION report_made.scorecard(text) RETURNS text LANGUAGE sql AS $$ SELECT 'mine' $$;
CREATE FUNCTION report_made.scorecard() RETURNS text LANGUAGE sql AS $$ SELECT 'mine' $$;

-- all types that a dimension may have
SELECT align.create_reports('report_crm.leads', 'report_made', settle => '30 days', time_zone => 'Europe/London',
	dimensions => '{country,"size AS company_size","source AS \"Lead source\"","score * 2 AS doubled","small","flag AS is_flagged","\"Sales Rep\"","token","letter::text AS letter","code",seen,"amount > 15 AS large","left(source, 1) as initial","CASE WHEN country = ''DE'' THEN ''home'' END AS \"it''s \"\"here\"\"\""}') > 0 AS created;
SELECT a.attname, a.atttypid::regtype, col_description(a.attrelid, a.attnum) FROM pg_attribute AS a
WHERE a.attrelid = 'report_made.lead_facts'::regclass AND a.attnum > (SELECT attnum FROM pg_attribute WHERE attrelid = 'report_made.lead_facts'::regclass AND attname = 'recorded_at') ORDER BY a.attnum;
SELECT id, country, company_size, "Lead source", doubled, is_flagged, code, large, initial, "it's ""here""" FROM report_made.lead_facts ORDER BY 1;
SELECT report_made.scorecard(), report_made.scorecard('');
SELECT time_zone, settle_seconds, complete_since <= now() AS complete FROM report_made.report_settings;

-- again with the same columns: in place, so that grants and views of users stay
CREATE VIEW report_crm.mine AS SELECT l.id, l.stage, f.n FROM report_made.lead_facts AS l, (SELECT count(*) AS n FROM report_made.funnel('2026-01-01')) AS f;
GRANT SELECT ON report_made.lead_facts TO regress_report_reader WITH GRANT OPTION;
GRANT SELECT ON report_made.funnel TO PUBLIC;
GRANT SELECT (sla, is_met) ON report_made.sla_facts TO regress_report_reader;
REVOKE EXECUTE ON FUNCTION report_made.lead_facts(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION report_made.lead_facts(timestamptz) TO regress_report_reader;
SET ROLE regress_report_reader;
GRANT SELECT ON report_made.lead_facts TO regress_report_other;
SET ROLE regress_report_crm;
CREATE TABLE report_crm.privileges AS SELECT 0 AS run, c.oid::regclass::text AS object, NULL::text AS part, x.grantee::regrole::text, x.privilege_type, x.is_grantable FROM pg_class AS c, aclexplode(c.relacl) AS x LIMIT 0;
CREATE FUNCTION report_crm.note_privileges(run int) RETURNS void LANGUAGE sql AS $$
	INSERT INTO report_crm.privileges
	SELECT run, o.object, o.part, x.grantee::regrole::text, x.privilege_type, x.is_grantable FROM (
		SELECT c.oid::regclass::text, NULL::text, relacl FROM pg_class AS c WHERE c.relnamespace = 'report_made'::regnamespace AND c.relkind = 'v'
		UNION ALL SELECT c.oid::regclass::text, a.attname, a.attacl FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid WHERE c.relnamespace = 'report_made'::regnamespace
		UNION ALL SELECT p.oid::regprocedure::text, NULL, coalesce(p.proacl, acldefault('f', p.proowner)) FROM pg_proc AS p WHERE p.pronamespace = 'report_made'::regnamespace
	) AS o (object, part, acl), aclexplode(o.acl) AS x WHERE x.grantee <> 'regress_report_crm'::regrole
$$;
SELECT report_crm.note_privileges(1);
CREATE TABLE report_crm.oids AS SELECT oid FROM pg_class WHERE relnamespace = 'report_made'::regnamespace;
SELECT align.create_reports('report_crm.leads', 'report_made', settle => '60 days', time_zone => 'Europe/Berlin', complete_since => '2026-01-01',
	dimensions => '{country,"size AS company_size","source AS \"Lead source\"","score * 3 AS doubled","small","flag AS is_flagged","\"Sales Rep\"","token","letter::text AS letter","code",seen,"amount > 15 AS large","left(source, 1) as initial","CASE WHEN country = ''DE'' THEN ''home'' END AS \"it''s \"\"here\"\"\"","why AS last_why"}') > 0 AS created;
SELECT count(*) FROM report_crm.oids WHERE oid NOT IN (SELECT oid FROM pg_class);
SELECT report_crm.note_privileges(2);
(SELECT object, part, grantee, privilege_type FROM report_crm.privileges WHERE run = 1) EXCEPT SELECT object, part, grantee, privilege_type FROM report_crm.privileges WHERE run = 2;
SELECT * FROM report_crm.mine ORDER BY 1;
SELECT time_zone, settle_seconds, complete_since FROM report_made.report_settings;
-- with other columns: a view of the user is in the way
SELECT align.create_reports('report_crm.leads', 'report_made', dimensions => '{country}');
SELECT count(*) FROM report_crm.oids WHERE oid NOT IN (SELECT oid FROM pg_class);
SELECT time_zone FROM report_made.report_settings;
DROP VIEW report_crm.mine;
-- default privileges do not add to what was granted
ALTER DEFAULT PRIVILEGES FOR ROLE regress_report_crm IN SCHEMA report_made GRANT SELECT ON TABLES TO regress_report_other;
SELECT align.create_reports('report_crm.leads', 'report_made', dimensions => '{country}') > 0 AS created;
SELECT count(*) > 0 AS made_again FROM report_crm.oids WHERE oid NOT IN (SELECT oid FROM pg_class);
SELECT report_crm.note_privileges(3);
(SELECT object, part, grantee, privilege_type, is_grantable FROM report_crm.privileges WHERE run = 1) EXCEPT SELECT object, part, grantee, privilege_type, is_grantable FROM report_crm.privileges WHERE run = 3;
(SELECT object, part, grantee, privilege_type, is_grantable FROM report_crm.privileges WHERE run = 3) EXCEPT SELECT object, part, grantee, privilege_type, is_grantable FROM report_crm.privileges WHERE run = 1;
SELECT object, part, grantee, privilege_type, is_grantable FROM report_crm.privileges WHERE run = 3 AND object !~ 'scorecard\(' AND (grantee <> '-' OR object !~ '\(') ORDER BY object, part, grantee;
-- the page of a day that has no lead, and of a week that is to come
SELECT align.weekly_report('report_crm.leads', '1999-01-01') LIKE '<!DOCTYPE html>%' AS page;
SELECT align.weekly_report('report_crm.leads', '2199-01-01') LIKE '<!DOCTYPE html>%' AS page;
SELECT align.weekly_report('report_crm.leads', 'infinity');
SELECT align.weekly_report('report_crm.leads', in_schema => 'report_second');
SELECT align.weekly_report('report_crm.leads', in_schema => 'nowhere');

-- a second attachment has reports in a schema of its own
SELECT align.attach('report_crm.leads', 'created', stage => 'billing', history => 'report_crm.billing_history');
SELECT align.create_reports('report_crm.leads', 'report_second');
SELECT align.create_reports('report_crm.billing_history', 'report_second') > 0 AS created;
UPDATE report_crm.leads SET billing = 'inquiry' WHERE id = 2;
SELECT (SELECT string_agg(id || stage, ',' ORDER BY id) FROM report_made.lead_facts) AS leads, (SELECT string_agg(id || stage, ',' ORDER BY id) FROM report_second.lead_facts) AS billing;
SELECT align.weekly_report('report_crm.billing_history') LIKE '<!DOCTYPE html>%' AS page;
-- reports of the other attachment are not replaced unnoticed
SELECT align.create_reports('report_crm.leads_history', 'report_second');

-- key columns with names that the reports have or use themselves
CREATE TABLE report_crm.odd (name text, "at" date, source uuid, key_source int, "Sales ""Rep""" bigint, stage_order bool, actor numeric, week timestamptz, stage text, country text,
	PRIMARY KEY (name, "at", source, key_source, "Sales ""Rep""", stage_order, actor, week));
SELECT align.attach('report_crm.odd', 'created');
INSERT INTO report_crm.odd VALUES ('it''s, "x"', '2026-01-01', '00000000-0000-0000-0000-000000000001', 1, 2, true, 1.5, '2026-02-01', 'mql', 'DE');
UPDATE report_crm.odd SET stage = 'sal';
RESET ROLE;
CREATE SCHEMA report_odd AUTHORIZATION regress_report_crm;
SET ROLE regress_report_crm;
SELECT align.create_reports('report_crm.odd', 'report_odd', dimensions => '{"country AS key_at"}');
SELECT align.create_reports('report_crm.odd', 'report_odd', dimensions => '{country}') > 0 AS created;
SELECT string_agg(quote_ident(attname) || ' ' || atttypid::regtype, ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'report_odd.lead_facts'::regclass AND attnum < 11;
SELECT row_key, key_name, key_at, key_key_source, key_source, stage, country FROM report_odd.lead_facts;
SELECT count(DISTINCT row_key) AS visits FROM report_odd.stage_facts(now() + interval '1 second');
SELECT align.weekly_report('report_crm.odd') LIKE '<!DOCTYPE html>%' AS page;

-- an import must be followed by complete_since
CREATE TABLE report_crm.old (id int PRIMARY KEY, stage text);
CREATE TABLE report_crm.old_log (id int, stage text, at timestamptz);
INSERT INTO report_crm.old VALUES (1, 'mql');
INSERT INTO report_crm.old_log VALUES (1, 'inquiry', '2026-01-01'), (1, 'mql', '2026-01-02');
SELECT align.attach('report_crm.old', 'created');
SELECT align.import_history('report_crm.old', 'SELECT id, at, stage FROM report_crm.old_log');
RESET ROLE;
CREATE SCHEMA report_old AUTHORIZATION regress_report_crm;
SET ROLE regress_report_crm;
SELECT align.create_reports('report_crm.old', 'report_old');
SELECT align.create_reports('report_crm.old', 'report_old', complete_since => '2026-01-01') > 0 AS created;

-- detached: the reports still answer, as of what was recorded
SELECT align.detach('report_crm.old');
SELECT id, stage, entered_at FROM report_old.lead_facts;
SELECT count(*) FROM report_old.stage_facts('2026-01-01 12:00Z');
SELECT align.create_reports('report_crm.old', 'report_old', complete_since => '2026-01-01');
SELECT align.weekly_report('report_crm.old');
RESET ROLE;

-- another owner of the table: the reports of the one before are not taken over
ALTER TABLE report_crm.plain OWNER TO regress_report_other;
SELECT align.admit('created', 'regress_report_other');
GRANT USAGE, CREATE ON SCHEMA report_old, report_crm TO regress_report_other;
SET ROLE regress_report_other;
SELECT align.attach('report_crm.plain', 'created');
SELECT align.create_reports('report_crm.plain', 'report_old');
RESET ROLE;

-- they stand on the extension
BEGIN;
\set VERBOSITY terse
DROP EXTENSION align;
\set VERBOSITY default
ROLLBACK;
DROP SCHEMA report_made, report_odd, report_second, report_old, report_foreign, report_crm CASCADE;
DROP OWNED BY regress_report_crm, regress_report_other, regress_report_reader;
DROP ROLE regress_report_crm, regress_report_other, regress_report_reader;

-- what changes is said; a table that was empty when it was attached misses nothing
SET client_min_messages = notice;
CREATE SCHEMA report_told;
CREATE TABLE report_told.leads (id int PRIMARY KEY, stage text, source text);
SELECT align.agree('report_told', 'stage a; won b; success path a -> b;');
SELECT align.attach('report_told.leads', 'report_told', stage => 'stage');
INSERT INTO report_told.leads VALUES (1, 'a', 'x');
SELECT align.create_reports('report_told.leads', 'report_told', dimensions => '{source AS origin}', settle => '60 days') > 0 AS created;
SELECT align.create_reports('report_told.leads', 'report_told', dimensions => '{source AS origin}', settle => '60 days') > 0 AS created;
SELECT align.create_reports('report_told.leads', 'report_told', dimensions => '{source AS origin}') > 0 AS created;
SELECT dimensions, settle_seconds, complete_since = date_trunc('year', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS since_new_year FROM report_told.report_settings;
SET client_min_messages = warning;
DROP SCHEMA report_told CASCADE;
