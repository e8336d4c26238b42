-- Stored reports: who may have and refresh them, what is in their way, and what
-- happens when somebody tampers with them.
SET client_min_messages = warning;
CREATE SCHEMA security_stored;
SET search_path = security_stored;
-- The names of the triggers have an OID.
CREATE FUNCTION triggers(command text, on_table regclass, names text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	name name;
	n int = 0;
BEGIN
	FOR name IN SELECT tgname FROM pg_trigger WHERE tgrelid = on_table AND tgname ~ names LOOP
		EXECUTE format(command, on_table, name);
		n = n + 1;
	END LOOP;
	RETURN n;
END $$;
CREATE ROLE regress_align_owner;
CREATE ROLE regress_align_writer;
CREATE ROLE regress_align_other;
GRANT USAGE ON SCHEMA security_stored TO regress_align_owner, regress_align_writer;
SELECT align.agree('guarded', 'stage inquiry held by marketing; stage sql held by sales; won customer; success path inquiry -> sql -> customer;');
SELECT align.admit('guarded', 'regress_align_owner');
CREATE TABLE leads (id int PRIMARY KEY, stage text, source text);
ALTER TABLE leads OWNER TO regress_align_owner;
GRANT CREATE ON SCHEMA security_stored TO regress_align_owner;
SET ROLE regress_align_owner;
SELECT align.attach('leads', 'guarded');
GRANT SELECT, INSERT, UPDATE, DELETE ON leads TO regress_align_writer;
RESET ROLE;
CREATE SCHEMA kept;
GRANT CREATE, USAGE ON SCHEMA kept TO regress_align_owner;
GRANT USAGE ON SCHEMA kept TO regress_align_writer;
INSERT INTO leads VALUES (1, 'inquiry', 'web');

-- without stored reports, and for others
SELECT align.refresh_reports('leads');
SELECT align.refresh_reports(NULL);
SELECT align.refresh_reports('leads', NULL);
SELECT align.create_reports('leads', 'kept', stored => NULL);
-- what is in the way is not replaced
CREATE TABLE kept.stored_changes (id int);
SELECT align.create_reports('leads', 'kept', stored => true);
DROP TABLE kept.stored_changes;
CREATE FUNCTION kept.changed_visits(timestamptz) RETURNS int LANGUAGE sql RETURN 1;
SELECT align.create_reports('leads', 'kept', stored => true);
DROP FUNCTION kept.changed_visits;
SELECT count(*) FROM pg_class WHERE relnamespace = 'kept'::regnamespace;
SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'align_stored%';

SELECT align.create_reports('leads', 'kept', dimensions => '{source AS lead_source}', stored => true) > 30 AS created;
SELECT DISTINCT pg_get_userbyid(relowner) AS owner FROM pg_class WHERE relnamespace = 'kept'::regnamespace AND relkind = 'r';
SET ROLE regress_align_writer;
SELECT align.refresh_reports('leads');
SELECT * FROM kept.stored_leads;
SELECT * FROM kept.stored_changes;
-- but what a writer does is logged
INSERT INTO leads VALUES (2, 'inquiry', 'web');
UPDATE leads SET source = 'fair' WHERE id = 1;
UPDATE leads SET source = 'fair' WHERE id = 1;
RESET ROLE;
SELECT id, count(*) FROM kept.stored_changes GROUP BY id ORDER BY id;
SET ROLE regress_align_owner;
SELECT align.refresh_reports('leads');
RESET ROLE;
SELECT id, stage, lead_source FROM kept.lead_facts ORDER BY id;

-- Who may create triggers can fill the log of the owner, and no other table.
CREATE SCHEMA other AUTHORIZATION regress_align_other;
SET ROLE regress_align_other;
CREATE TABLE other.stored_changes (id int);
RESET ROLE;
GRANT TRIGGER ON leads TO regress_align_writer;
GRANT CREATE ON SCHEMA security_stored TO regress_align_writer;
SET ROLE regress_align_writer;
CREATE TRIGGER steal AFTER INSERT ON leads FOR EACH ROW EXECUTE FUNCTION align.log_changed_lead('other', '0', 'id');
CREATE TRIGGER fill AFTER INSERT ON leads FOR EACH ROW EXECUTE FUNCTION align.log_changed_lead('kept', '0', 'id');
CREATE TRIGGER wrong_type AFTER INSERT ON leads FOR EACH ROW EXECUTE FUNCTION align.log_changed_lead('kept', '0', 'source');
CREATE TRIGGER missing AFTER INSERT ON leads FOR EACH ROW EXECUTE FUNCTION align.log_changed_lead('nowhere', '0', 'id');
INSERT INTO leads VALUES (3, 'inquiry', 'web');
CREATE TABLE mine (id int);
CREATE TRIGGER bare AFTER INSERT ON mine FOR EACH ROW EXECUTE FUNCTION align.log_changed_lead();
INSERT INTO mine VALUES (1);
DROP TRIGGER bare ON mine;
CREATE TRIGGER before BEFORE INSERT ON mine FOR EACH ROW EXECUTE FUNCTION align.log_changed_lead('kept', '0', 'id');
INSERT INTO mine VALUES (1);
DROP TRIGGER before ON mine;
CREATE TRIGGER into_the_log_of_another AFTER INSERT ON mine FOR EACH ROW EXECUTE FUNCTION align.log_changed_lead('kept', '0', 'id');
INSERT INTO mine VALUES (99);
RESET ROLE;
SELECT count(*) AS stolen FROM other.stored_changes;
SELECT id, count(*) FROM kept.stored_changes GROUP BY id ORDER BY id;
DROP TRIGGER steal ON leads; DROP TRIGGER fill ON leads; DROP TRIGGER wrong_type ON leads; DROP TRIGGER missing ON leads;
SELECT align.refresh_reports('leads') AS all_leads;

-- The owner of the schema may replace what is in it, so it must be the owner of the
-- table or a superuser; and what was replaced does not run.
ALTER SCHEMA kept OWNER TO regress_align_other;
SET ROLE regress_align_other;
GRANT CREATE, USAGE ON SCHEMA kept TO regress_align_owner;
DROP FUNCTION kept.changed_visits(timestamptz);
CREATE FUNCTION kept.changed_visits(as_of timestamptz) RETURNS SETOF kept.stored_visits LANGUAGE plpgsql AS $$ BEGIN RAISE 'planted code runs as %', current_user; END $$;
RESET ROLE;
SET ROLE regress_align_owner;
SELECT align.refresh_reports('leads');
SELECT length(align.weekly_report('leads')) > 1000 AS page;
SELECT align.create_reports('leads', 'kept', dimensions => '{source AS lead_source}', stored => true);
RESET ROLE;
DROP FUNCTION kept.changed_visits(timestamptz);
SELECT align.create_reports('leads', 'kept', dimensions => '{source AS lead_source}', stored => true);
SELECT align.refresh_reports('leads');
ALTER SCHEMA kept OWNER TO regress_align_owner;
SELECT align.create_reports('leads', 'kept', dimensions => '{source AS lead_source}', stored => true) > 30 AS created;
ALTER SCHEMA kept OWNER TO regress_align_other;
SELECT align.refresh_reports('leads');
ALTER SCHEMA kept OWNER TO regress_align_owner;
GRANT CREATE ON SCHEMA kept TO regress_align_owner;
CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER meddle BEFORE INSERT ON kept.stored_leads FOR EACH ROW EXECUTE FUNCTION meddle();
SELECT align.refresh_reports('leads');
DROP TRIGGER meddle ON kept.stored_leads;
-- a log with anything that could run code, or would not be kept up, is an error,
-- since the change would be missing for ever
CREATE TRIGGER meddle BEFORE INSERT ON kept.stored_changes FOR EACH ROW EXECUTE FUNCTION meddle();
UPDATE leads SET stage = 'sql' WHERE id = 1;
UPDATE leads SET source = 'x' WHERE id = 1;
SELECT align.refresh_reports('leads');
DROP TRIGGER meddle ON kept.stored_changes;
CREATE INDEX meddle ON kept.stored_changes (id);
UPDATE leads SET stage = 'sql' WHERE id = 1;
DROP INDEX kept.meddle;
-- one whose column does not fit any more counts a change as one of all leads
ALTER TABLE kept.stored_changes ALTER COLUMN id TYPE text;
UPDATE leads SET stage = 'sql' WHERE id = 1;
UPDATE leads SET source = 'x' WHERE id = 1;
SELECT * FROM kept.stored_changes;
ALTER TABLE kept.stored_changes ALTER COLUMN id TYPE int USING id::int;
SELECT align.refresh_reports('leads') AS all_leads;

-- Triggers that are gone, or do not fire, are told of, and everything is written.
SELECT triggers('ALTER TABLE %s DISABLE TRIGGER %I', 'leads_history', '^align_stored_\d+_row$');
UPDATE leads SET stage = 'sql' WHERE id = 2;
SELECT align.refresh_reports('leads') AS all_leads;
SELECT triggers('ALTER TABLE %s ENABLE TRIGGER %I', 'leads_history', '^align_stored_\d+_row$');
SELECT align.refresh_reports('leads') AS not_always;
SELECT triggers('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', 'leads_history', '^align_stored_\d+_row$');
SELECT align.refresh_reports('leads');
SELECT triggers('DROP TRIGGER %2$I ON %1$s', 'leads', '^align_stored_\d+_row$');
SELECT align.refresh_reports('leads');
SELECT align.create_reports('leads', 'kept', dimensions => '{source AS lead_source}', stored => true) > 30 AS created;
-- disabled and enabled again without a refresh in between: the triggers are other ones
SELECT align.refresh_reports('leads') AS none;
ALTER TABLE leads_history DISABLE TRIGGER USER;
UPDATE leads SET source = 'unseen' WHERE id = 1;
UPDATE leads SET stage = 'sql' WHERE id = 1;
SELECT triggers('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', 'leads_history', '^align_stored');
ALTER TABLE leads_history ENABLE TRIGGER USER;
SELECT triggers('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', 'leads_history', '^align_stored');
SELECT align.refresh_reports('leads') AS all_leads;
-- a publication of all tables does not forbid it; an agreement of others changes nothing
SET client_min_messages = error;
CREATE PUBLICATION regress_align_all FOR ALL TABLES;
SET client_min_messages = warning;
UPDATE leads SET source = 'x' WHERE id = 1;
SELECT align.refresh_reports('leads') AS one_lead;
DROP PUBLICATION regress_align_all;
SELECT align.agree('of others', 'stage raw held by sales; won sold; success path raw -> sold;');
SET extra_float_digits = 0;
SELECT align.refresh_reports('leads') AS none;
RESET extra_float_digits;
-- a renamed schema is followed
ALTER SCHEMA kept RENAME TO renamed;
UPDATE leads SET stage = 'customer' WHERE id = 2;
SELECT align.refresh_reports('leads') AS one_lead;
SELECT id, stage FROM renamed.lead_facts ORDER BY id;
UPDATE leads SET source = 'y' WHERE id = 2;
ALTER SCHEMA renamed RENAME TO kept;
SELECT align.refresh_reports('leads') AS one_lead;
-- columns are followed
ALTER TABLE leads RENAME COLUMN source TO origin;
ALTER TABLE leads RENAME COLUMN id TO number;
UPDATE leads SET origin = 'ad' WHERE number = 1;
SELECT align.refresh_reports('leads') AS all_leads;
SELECT id, lead_source FROM kept.lead_facts ORDER BY id;
SELECT length(align.weekly_report('leads')) > 1000 AS page;
ALTER TABLE leads RENAME COLUMN number TO id;
ALTER TABLE leads RENAME COLUMN origin TO source;
-- detached, attached again
SELECT align.detach('leads');
SELECT align.refresh_reports('leads');
UPDATE leads SET stage = 'customer' WHERE id = 3;
SELECT align.attach('leads', 'guarded', mode => 'observe');
SELECT align.refresh_reports('leads');
SELECT id, stage FROM kept.lead_facts ORDER BY id;
SELECT * FROM align.check('leads');

-- Dropped reports take their triggers along.  Where these are left, as after a restore,
-- check() says so, new reports take them away, and a log in the place of theirs, of a
-- table with another key, counts a change as one of all leads.
SELECT align.create_reports('leads', 'kept', dimensions => '{source AS lead_source}', stored => true) > 30 AS created;
SET client_min_messages = error;
DROP SCHEMA kept CASCADE;
SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'align_stored%';
CREATE SCHEMA kept AUTHORIZATION regress_align_owner;
SELECT align.create_reports('leads', 'kept', dimensions => '{source AS lead_source}', stored => true) > 30 AS created;
DELETE FROM pg_depend WHERE classid = 'pg_trigger'::regclass AND refobjid = 'kept.stored_changes'::regclass;
DROP SCHEMA kept CASCADE;
SET client_min_messages = warning;
SELECT problem, count(*) FROM align.check('leads') GROUP BY problem;
CREATE SCHEMA kept AUTHORIZATION regress_align_owner;
CREATE TABLE words (id text PRIMARY KEY, stage text);
ALTER TABLE words OWNER TO regress_align_owner;
SELECT align.attach('words', 'guarded');
SELECT align.create_reports('words', 'kept', stored => true) > 30 AS created;
INSERT INTO leads VALUES (4, 'inquiry', 'web');
UPDATE leads SET source = 'z' WHERE id = 4;
SELECT * FROM kept.stored_changes;
SELECT align.refresh_reports('words') AS words;
SET client_min_messages = error;
DROP SCHEMA kept CASCADE;
SET client_min_messages = warning;
SELECT align.detach('words');
DROP TABLE words, words_history, words_sla;
CREATE SCHEMA kept AUTHORIZATION regress_align_owner;
-- dimensions may have any name that the reports do not show
SELECT align.create_reports('leads', 'kept', dimensions => '{source AS first_at,stage AS latest_at,id AS dimension_1}', stored => true) > 30 AS created;
SELECT id, first_at, latest_at, dimension_1 FROM kept.lead_facts ORDER BY id;
SELECT id, first_at, latest_at, dimension_1 FROM kept.stage_facts WHERE id = 4;
-- a table that is missing: create_reports() makes all of them again
DROP TABLE kept.stored_state CASCADE;
SELECT align.create_reports('leads', 'kept', dimensions => '{source AS lead_source}', stored => true) > 30 AS created;
SELECT problem, count(*) FROM align.check('leads') GROUP BY problem;
SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'align_stored%';
-- a view of yours on a stored table is in the way, and the hint says what to do
CREATE VIEW on_stored AS SELECT id FROM kept.stored_leads;
SELECT align.create_reports('leads', 'kept', dimensions => '{source AS lead_source}');
DROP VIEW on_stored;

-- Row-level security does not apply to tables that are stored.
ALTER TABLE leads ENABLE ROW LEVEL SECURITY;
SELECT align.refresh_reports('leads');
SELECT align.create_reports('leads', 'kept', stored => true);
ALTER TABLE leads DISABLE ROW LEVEL SECURITY;

-- and back: no table and no trigger is left
SELECT align.create_reports('leads', 'kept') > 30 AS created;
SELECT relname FROM pg_class WHERE relnamespace = 'kept'::regnamespace AND relkind <> 'v' ORDER BY 1;
SELECT proname FROM pg_proc WHERE pronamespace = 'kept'::regnamespace AND proname ~ 'stored|changed';
SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'align_stored%';
SELECT stored, refreshed_at FROM kept.report_settings;
DROP SCHEMA kept CASCADE;
DROP SCHEMA other CASCADE;
DROP SCHEMA security_stored CASCADE;
DROP ROLE regress_align_owner, regress_align_writer, regress_align_other;
