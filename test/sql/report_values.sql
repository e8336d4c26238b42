-- Stored journeys (lead_values) and the days that they changed (entry_days): what is in
-- them, what changes a day, and who may have and replace them.  That journeys are those of
-- journeys() after everything that can happen is in report_stored.
SET timezone = 'UTC';
SET datestyle = ISO;
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE SCHEMA report_values;
SET search_path = report_values;
SELECT align.agree('values', $$
	stage inquiry, mql held by marketing;
	stage sql held by sales;
	won customer;
	success path inquiry -> mql -> sql -> customer;
	handoff intake: mql from marketing to sales, accept sql, within 4 hours;
	segment big: 'amount >= 500';
$$);
CREATE TABLE leads (id int PRIMARY KEY, stage text, source text, amount numeric, campaign text, at timestamptz);
INSERT INTO leads VALUES (0, 'mql', 'old', 1, NULL, NULL);
SELECT align.attach('leads', 'values', amount => 'amount', campaign => 'campaign', changed_at => 'at', mode => 'observe') AS openings;
CREATE SCHEMA kept;
SELECT align.create_reports('leads', 'kept', dimensions => '{source AS lead_source,"amount > 100 AS is_big"}', time_zone => 'Europe/Berlin', complete_since => '2026-01-01', stored => true) > 0 AS created;
-- the days that have changed since this was called last
CREATE TABLE seen (entered_on date PRIMARY KEY, refreshed_at timestamptz);
CREATE FUNCTION changed_days() RETURNS TABLE (changed date) LANGUAGE sql AS $$
	SELECT d.entered_on FROM kept.entry_days AS d LEFT JOIN report_values.seen AS s USING (entered_on) WHERE d.refreshed_at IS DISTINCT FROM s.refreshed_at ORDER BY 1;
	$$;
CREATE PROCEDURE see() LANGUAGE sql AS $$ DELETE FROM report_values.seen; INSERT INTO report_values.seen SELECT entered_on, refreshed_at FROM kept.entry_days $$;

INSERT INTO leads VALUES
	(1, 'inquiry', 'web', 600, 'utm_source=google&utm_medium=cpc', '2026-01-05 10:00Z'),
	(2, 'inquiry', 'web', 20, NULL, '2026-01-05 23:30Z'),
	(3, 'inquiry', 'fair', NULL, NULL, '2026-01-09 10:00Z');
UPDATE leads SET stage = 'mql', at = '2026-01-06 10:00Z' WHERE id = 1;
SELECT align.refresh_reports('leads');
SELECT row_key, id, entered_at, entered_on, entry_stage, is_late, segment, first_channel, lead_source, is_big, journey FROM kept.lead_values WHERE id > 0 ORDER BY id;
SELECT row_key, entered_at, entered_on, entry_stage, is_late FROM kept.lead_values WHERE id = 0;
-- late leads are in no day
SELECT * FROM changed_days();
CALL see();
SELECT col_description('kept.lead_values'::regclass, attnum) IS NOT NULL AS commented, count(*) FROM pg_attribute WHERE attrelid = 'kept.lead_values'::regclass AND attnum > 0 GROUP BY 1;
SELECT obj_description('kept.lead_values'::regclass) ~ 'Key: row_key' AS values, obj_description('kept.entry_days'::regclass) ~ 'Key: entered_on' AS days;

-- a move changes the day; one of a late lead does not
UPDATE leads SET stage = 'sql', at = '2026-01-10 10:00Z' WHERE id = 1;
SELECT align.refresh_reports('leads'), (SELECT count(*) FROM changed_days());
SELECT * FROM changed_days();
CALL see();
UPDATE leads SET stage = 'sql' WHERE id = 0;
SELECT align.refresh_reports('leads') AS late;
SELECT * FROM changed_days();
-- a dimension, a lead that is erased, one that moves to an earlier day
UPDATE leads SET source = 'ad' WHERE id = 3;
SELECT align.refresh_reports('leads');
SELECT * FROM changed_days();
CALL see();
DELETE FROM leads WHERE id = 2;
SELECT align.erase('leads', 2) > 0 AS erased;
SELECT align.refresh_reports('leads');
SELECT * FROM changed_days();
CALL see();
SELECT align.import_history('leads', $$SELECT 3 AS id, timestamptz '2025-12-24 12:00Z' AS at, 1 AS ordinal, 'inquiry' AS stage$$) AS imported;
SELECT align.refresh_reports('leads');
SELECT * FROM changed_days();
CALL see();
-- a row that is written again as it was changes nothing, unless an entry is later than
-- the refresh before (which was made when the clock was behind)
INSERT INTO leads VALUES (4, 'inquiry', 'web', NULL, NULL, '2026-02-02 10:00Z');
SELECT align.refresh_reports('leads');
SELECT * FROM changed_days();
CALL see();
INSERT INTO kept.stored_changes VALUES (1), (4);
SELECT align.refresh_reports('leads');
SELECT * FROM changed_days();
UPDATE kept.stored_state SET refreshed_at = '2026-02-01';
INSERT INTO kept.stored_changes VALUES (1), (4);
SELECT align.refresh_reports('leads');
SELECT * FROM changed_days();
CALL see();
-- two calls in a transaction, and a clock that was set back
BEGIN ISOLATION LEVEL REPEATABLE READ;
UPDATE leads SET source = 'x' WHERE id = 1;
SELECT align.refresh_reports('leads');
SELECT * FROM changed_days();
CALL see();
UPDATE leads SET source = 'y' WHERE id = 1;
SELECT align.refresh_reports('leads');
SELECT * FROM changed_days();
ROLLBACK;
CALL see();
UPDATE kept.entry_days SET refreshed_at = '2199-01-01' WHERE entered_on = '2026-01-05';
UPDATE seen SET refreshed_at = '2199-01-01' WHERE entered_on = '2026-01-05';
UPDATE leads SET source = 'z' WHERE id = 1;
SELECT align.refresh_reports('leads');
SELECT * FROM changed_days();
CALL see();
-- all leads, all days; a day without leads is gone then
SELECT align.refresh_reports('leads', true) AS leads;
SELECT * FROM changed_days();
SELECT entered_on FROM kept.entry_days ORDER BY 1;
SELECT min(refreshed_at) > '2199-01-01' AS still_later FROM kept.entry_days;
-- no time is later than infinity
UPDATE kept.entry_days SET refreshed_at = 'infinity' WHERE entered_on = '2026-01-05';

-- Reports of 0.5 have no such tables: they are brought up to date without.
DROP TABLE kept.lead_values, kept.entry_days CASCADE;
SELECT proname FROM pg_proc WHERE pronamespace = 'kept'::regnamespace AND proname ~ 'values';
UPDATE leads SET stage = 'customer', at = NULL WHERE id = 1;
SELECT align.refresh_reports('leads') AS one, align.refresh_reports('leads', true) AS leads;
SELECT id, stage FROM kept.lead_facts ORDER BY id;
SELECT length(align.weekly_report('leads')) > 1000 AS page;
-- a table of the user of that name is no report
CREATE TABLE kept.lead_values (id int);
SELECT align.refresh_reports('leads') AS none;
SELECT align.create_reports('leads', 'kept', dimensions => '{source AS lead_source}', complete_since => '2026-01-01', stored => true);
SELECT align.create_reports('leads', 'kept', dimensions => '{source AS lead_source}', complete_since => '2026-01-01') > 0 AS not_stored;
SELECT align.create_reports('leads', 'kept', dimensions => '{source AS journey}', complete_since => '2026-01-01');
DROP TABLE kept.lead_values;
SELECT align.create_reports('leads', 'kept', dimensions => '{source AS lead_source}', complete_since => '2026-01-01', stored => true) > 0 AS created;
SELECT count(*) FROM kept.lead_values;

-- Grants stay when the reports are created again; what is in the way is not replaced.
CREATE ROLE regress_align_reader;
GRANT SELECT ON kept.lead_values TO regress_align_reader WITH GRANT OPTION;
GRANT SELECT (entered_on) ON kept.entry_days TO regress_align_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA kept GRANT SELECT ON TABLES TO PUBLIC;
SELECT align.create_reports('leads', 'kept', dimensions => '{source AS lead_source}', complete_since => '2026-01-01', stored => true) > 0 AS created;
ALTER DEFAULT PRIVILEGES IN SCHEMA kept REVOKE SELECT ON TABLES FROM PUBLIC;
SELECT x.grantee::regrole, x.privilege_type, x.is_grantable FROM pg_class AS c, aclexplode(c.relacl) AS x WHERE c.oid = 'kept.lead_values'::regclass AND x.grantee <> c.relowner;
SELECT has_column_privilege('regress_align_reader', 'kept.entry_days', 'entered_on', 'SELECT') AS day, has_column_privilege('regress_align_reader', 'kept.entry_days', 'refreshed_at', 'SELECT') AS refreshed;
CREATE VIEW mine AS SELECT id FROM kept.lead_values;
SELECT align.create_reports('leads', 'kept', dimensions => '{source AS lead_source}', complete_since => '2026-01-01', stored => true);
DROP VIEW mine;
-- what was replaced, or would run code, is refused
CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER meddle BEFORE INSERT ON kept.lead_values FOR EACH ROW EXECUTE FUNCTION meddle();
SELECT align.refresh_reports('leads');
DROP TRIGGER meddle ON kept.lead_values;
CREATE TRIGGER meddle BEFORE INSERT ON kept.entry_days FOR EACH ROW EXECUTE FUNCTION meddle();
SELECT align.refresh_reports('leads');
DROP TRIGGER meddle ON kept.entry_days;
CREATE TABLE summaries (entered_on date REFERENCES kept.entry_days ON DELETE CASCADE);
SELECT align.refresh_reports('leads');
DROP TABLE summaries;
DROP FUNCTION kept.changed_lead_values(timestamptz);
SELECT align.refresh_reports('leads');
SELECT align.create_reports('leads', 'kept', dimensions => '{source AS lead_source}', complete_since => '2026-01-01', stored => true) > 0 AS created;
DROP TABLE kept.entry_days;
SELECT align.refresh_reports('leads');
SELECT align.create_reports('leads', 'kept', dimensions => '{source AS lead_source}', complete_since => '2026-01-01', stored => true) > 0 AS created;
ALTER TABLE leads ENABLE ROW LEVEL SECURITY;
SELECT align.refresh_reports('leads');
ALTER TABLE leads DISABLE ROW LEVEL SECURITY;
SELECT problem, count(*) FROM align.check('leads') GROUP BY problem;
-- detached, they stay as they are; created without "stored", they go
SELECT align.detach('leads') IS NOT NULL AS detached;
SELECT count(*) FROM kept.lead_values;
SELECT align.attach('leads', 'values', amount => 'amount', campaign => 'campaign', changed_at => 'at', mode => 'observe') AS openings;
SELECT align.create_reports('leads', 'kept', complete_since => '2026-01-01') > 0 AS created;
SELECT relname FROM pg_class WHERE relnamespace = 'kept'::regnamespace AND relkind = 'r';

-- the same names for stages as journeys() in SQL
SELECT align.agree('values', $$
	stage inquiry, qualified held by marketing;
	stage sql held by sales;
	won customer;
	success path inquiry -> qualified -> sql -> customer;
	qualified known as 'mql';
$$);
SELECT align.carried_stage('mql', 'values', 1, 'values', 2) AS renamed, align.carried_stage('qualified', 'values', 2, 'values', 1) AS back, align.carried_stage('mql', NULL, NULL, 'values', 2) AS label,
	align.carried_stage('unheard', 'values', 1, 'values', 2) AS unknown, align.carried_stage('mql', 'values', 1, 'values', NULL) AS kept, align.carried_stage('mql', 'values', 1, NULL, 2) AS lost, align.carried_stage(NULL, 'values', 1, 'values', 2) IS NULL AS none;
SELECT align.carried_stage('mql', 'values', 1, 'values', 3);
SELECT align.carried_stage('mql', 'values', 1, 'no such', 1);
SELECT align.lead_agg('2026-01-01Z', 'mql', 'marketing', 'r', 'utm_source=x', 5, 7, '{b,a}', 3) AS lead, align.lead_agg('2026-01-01Z', 'mql', NULL, NULL, NULL, NULL, NULL, NULL, NULL) AS bare;
SELECT align.lead_agg('2026-01-01Z', 'mql', NULL, NULL, NULL, NULL, NULL, NULL, 0);
-- a lead is made again of its entries
SELECT bool_and(l OPERATOR(align.=) (SELECT align.lead_agg(e.at, e.stage, e.team, e.reason, e.campaign, e.amount, e.ordinal, (SELECT s.segments FROM align.entry_segments(l) AS s WHERE s.entry = e.entry), e.version) FROM align.entries(l) AS e)) AS same
FROM (SELECT j.lead AS l FROM align.journeys('leads') AS j) AS j;
SET client_min_messages = error;
DROP SCHEMA kept CASCADE;
DROP SCHEMA report_values CASCADE;
DROP ROLE regress_align_reader;
