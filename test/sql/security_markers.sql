-- Markers that a role forges: on a table of its own, which names history and clocks of
-- another role, and with the TRIGGER privilege on a table of another role.  They lock
-- nobody out, veto no version, and forge no history.
SET TimeZone = 'UTC';
\set SHOW_CONTEXT never
\set VERBOSITY terse
CREATE ROLE regress_align_vic;
CREATE ROLE regress_align_mal;
CREATE SCHEMA security_markers AUTHORIZATION regress_align_vic;
CREATE SCHEMA security_markers_mal AUTHORIZATION regress_align_mal;
GRANT USAGE ON SCHEMA security_markers TO regress_align_mal;
SET search_path = security_markers;
SET ROLE regress_align_vic;
SELECT align.agree('security_markers', 'stage mql held by marketing; stage sal held by sales; won customer; success path mql -> sal -> customer; path sal -> mql;');
CREATE TABLE leads (id bigint PRIMARY KEY, stage text, other bigint NOT NULL DEFAULT 0, rep text, fake text, gone boolean);
INSERT INTO leads VALUES (5, 'mql', 0, 'ann'), (9, 'mql', 0, 'mal');
SELECT align.attach('leads', 'security_markers', live => 'gone IS NOT TRUE');
GRANT TRIGGER, SELECT, UPDATE (fake, other, gone) ON leads TO regress_align_mal;
CREATE TABLE scratch (id bigint PRIMARY KEY, stage text, p point, j json);
GRANT TRIGGER ON scratch TO regress_align_mal;

-- One on a table of his own, which names the history of another role.
SET ROLE regress_align_mal;
CREATE TABLE security_markers_mal.w (id bigint PRIMARY KEY, stage text);
DO $$
BEGIN
	EXECUTE format('CREATE TRIGGER align_attachment AFTER UPDATE OF id, stage ON security_markers_mal.w FOR EACH STATEMENT WHEN (%L::regclass IS NULL AND %L::regclass IS NULL) EXECUTE FUNCTION align.attachment(''x'', ''observe'', '''', ''key'', ''stage'')',
		'leads_history'::regclass::oid, 'leads_sla'::regclass::oid);
END $$;
SET ROLE regress_align_vic;
SET client_min_messages = warning;
SELECT align.attach('leads', 'security_markers', live => 'gone IS NOT TRUE', mode => 'warn');
SELECT align.detach('leads');
SELECT align.attach('leads', 'security_markers', live => 'gone IS NOT TRUE');
-- one on a table of the owner counts: it may be that of the history
SELECT align.detach('leads');
SET ROLE regress_align_mal;
CREATE TRIGGER align_attachment AFTER UPDATE OF id, stage ON scratch FOR EACH STATEMENT
	WHEN ('leads_history'::regclass IS NULL AND 'leads_sla'::regclass IS NULL)
	EXECUTE FUNCTION align.attachment('security_markers', 'observe', '', 'key', 'stage');
SET ROLE regress_align_vic;
SELECT align.attach('leads', 'security_markers', live => 'gone IS NOT TRUE');
DROP TRIGGER align_attachment ON scratch;
SELECT align.attach('leads', 'security_markers', live => 'gone IS NOT TRUE');
RESET client_min_messages;
RESET ROLE;

-- No marker on a table of an admitted role vetoes a version.
CREATE PROCEDURE agree_with(marker text, live text DEFAULT NULL) LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL ROLE regress_align_mal;
	EXECUTE marker;
	IF live IS NOT NULL THEN
		EXECUTE live;
	END IF;
	SET LOCAL ROLE regress_align_vic;
	PERFORM align.agree('security_markers', 'stage mql, sal; won customer; success path mql -> sal -> customer; path sal -> mql; customer needs rep;');
	RAISE INFO '% attached', (SELECT count(*) FROM align.attachments WHERE relation::text LIKE 'security_markers.%' OR relation::text IN ('leads', 'scratch'));
	RESET ROLE;
	ROLLBACK;
END $$;
\set marker 'CREATE TRIGGER align_attachment AFTER UPDATE OF id, stage ON scratch FOR EACH STATEMENT WHEN ('
\set named '''leads_history''::regclass IS NULL AND ''leads_sla''::regclass IS NULL'
\set named_fn ') EXECUTE FUNCTION align.attachment(''security_markers'', ''observe'', '''', ''key'', ''stage'')'
-- relations that do not exist
CALL agree_with(:'marker' || '''99999999''::regclass IS NULL AND ''99999999''::regclass IS NULL' || :'named_fn');
CALL agree_with(:'marker' || '''-''::regclass IS NULL AND ''-''::regclass IS NULL' || :'named_fn');
-- relations that are no tables, or not his
CALL agree_with(:'marker' || '''pg_class_oid_index''::regclass IS NULL AND ''pg_class''::regclass IS NULL' || :'named_fn');
-- the right ones
CALL agree_with(:'marker' || :'named' || :'named_fn');
-- a key that cannot be compared
CALL agree_with(replace(:'marker', 'OF id', 'OF j') || :'named' || :'named_fn');
-- another trigger
CALL agree_with(replace(replace(:'marker', 'AFTER', 'BEFORE'), 'STATEMENT', 'ROW') || :'named' || :'named_fn');
-- conditions of live rows that are not allowed, or not of live rows
CREATE FUNCTION security_markers_mal.f(bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
GRANT USAGE ON SCHEMA security_markers_mal TO PUBLIC;
CALL agree_with(:'marker' || :'named' || :'named_fn', 'CREATE TRIGGER align_live AFTER DELETE ON scratch FOR EACH ROW WHEN (false AND security_markers_mal.f(old.id)) EXECUTE FUNCTION align.attachment()');
CALL agree_with(:'marker' || :'named' || :'named_fn', 'CREATE TRIGGER align_live AFTER INSERT ON scratch FOR EACH ROW WHEN (false AND new.id > 0) EXECUTE FUNCTION align.attachment()');
CALL agree_with(:'marker' || :'named' || :'named_fn', 'CREATE TRIGGER align_live AFTER DELETE ON scratch FOR EACH ROW WHEN (false AND (old IS NULL AND old.tableoid > 0)) EXECUTE FUNCTION align.attachment()');
-- on the attached table itself: everything but the condition is as it was
CALL agree_with('SELECT 1', 'CREATE OR REPLACE TRIGGER align_live AFTER DELETE ON leads FOR EACH ROW WHEN (false AND (security_markers_mal.f(old.id) AND old IS NOT NULL)) EXECUTE FUNCTION align.attachment()');

-- A marker with the same arguments and other columns, or another condition, takes no
-- changes; triggers that are not align's are reported.
CREATE PROCEDURE forge(command text) LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	SET LOCAL ROLE regress_align_mal;
	EXECUTE command;
	EXECUTE 'CREATE OR REPLACE TRIGGER align_update AFTER UPDATE ON leads FOR EACH ROW EXECUTE FUNCTION align.record_row()';
	BEGIN
		UPDATE leads SET other = 5 WHERE id = 9;
		RAISE INFO 'done';
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
		RAISE INFO '% / %', SQLERRM, detail;
	END;
	ROLLBACK;
END $$;
\set marker 'CREATE OR REPLACE TRIGGER align_attachment AFTER UPDATE OF %s ON leads FOR EACH STATEMENT WHEN (''leads_history''::regclass IS NULL AND ''leads_sla''::regclass IS NULL) EXECUTE FUNCTION align.attachment(''security_markers'', ''enforce'', '''', ''key'', ''stage'')'
\set live 'CREATE OR REPLACE TRIGGER align_live AFTER DELETE ON leads FOR EACH ROW WHEN (false AND (%s)) EXECUTE FUNCTION align.attachment()'
CALL forge(format(:'marker', 'other, fake'));
CALL forge(format(:'marker', 'id, fake'));
CALL forge(format(:'live', 'old.gone IS NOT FALSE'));
CALL forge(format(:'live', 'old.other IS NULL'));
-- renamed, they remain what they are
ALTER TABLE leads RENAME COLUMN stage TO status;
ALTER TABLE leads RENAME COLUMN gone TO "is it gone?";
UPDATE leads SET status = 'sal' WHERE id = 5;
SELECT * FROM align.check('leads');
CALL forge(format(:'marker', 'id, fake'));
CALL forge(format(:'live', 'old.other IS NULL'));
-- attached again, they may lend their names to others
SET client_min_messages = warning;
SELECT align.attach('leads', 'security_markers', stage => 'status', live => '"is it gone?" IS NOT TRUE');
RESET client_min_messages;
ALTER TABLE leads RENAME COLUMN fake TO stage;
CALL forge(format(replace(:'marker', 'fake', 'stage'), 'id, stage'));
ALTER TABLE leads RENAME COLUMN stage TO fake;
ALTER TABLE leads RENAME COLUMN status TO stage;
ALTER TABLE leads RENAME COLUMN "is it gone?" TO gone;
SELECT id, entry_no, event, stage FROM leads_history ORDER BY id, entry_no;

-- Triggers that call a function of align and that attach() did not create.
SET ROLE regress_align_mal;
CREATE TRIGGER zz AFTER INSERT OR UPDATE OR DELETE ON leads FOR EACH ROW EXECUTE FUNCTION align.record_row();
CREATE TRIGGER zz_statement AFTER UPDATE ON leads FOR EACH STATEMENT EXECUTE FUNCTION align.record_statement();
SET ROLE regress_align_vic;
UPDATE leads SET stage = 'mql' WHERE id = 5;
INSERT INTO leads VALUES (10, 'mql');
DELETE FROM leads WHERE id = 5;
DROP TRIGGER zz ON leads;
UPDATE leads SET stage = 'mql' WHERE id = 5;
DROP TRIGGER zz_statement ON leads;
SET ROLE regress_align_mal;
CREATE OR REPLACE TRIGGER align_delete AFTER UPDATE OR DELETE ON leads FOR EACH ROW EXECUTE FUNCTION align.record_row();
UPDATE leads SET other = other + 1;
SET ROLE regress_align_vic;
SET client_min_messages = warning;
SELECT align.attach('leads', 'security_markers', live => 'gone IS NOT TRUE');
RESET client_min_messages;
SET ROLE regress_align_mal;
CREATE TRIGGER zz AFTER UPDATE ON leads FOR EACH ROW WHEN (false) EXECUTE FUNCTION align.record_row();
CREATE TRIGGER zz_truncate BEFORE TRUNCATE ON leads FOR EACH STATEMENT WHEN (false) EXECUTE FUNCTION align.record_statement();
SET ROLE regress_align_vic;
SELECT * FROM align.check('leads');
DROP TRIGGER zz ON leads;
DROP TRIGGER zz_truncate ON leads;
-- on partitions, too; clones are those of the root
SET client_min_messages = warning;
CREATE TABLE parts (id int, stage text, region text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE parts_eu PARTITION OF parts FOR VALUES IN ('eu');
SELECT align.attach('parts', 'security_markers');
CREATE TRIGGER zz AFTER UPDATE ON parts FOR EACH ROW WHEN (false) EXECUTE FUNCTION align.record_row();
CREATE TRIGGER zz_eu AFTER UPDATE ON parts_eu FOR EACH ROW WHEN (false) EXECUTE FUNCTION align.record_row();
CREATE TRIGGER zz AFTER UPDATE ON parts_history FOR EACH ROW WHEN (false) EXECUTE FUNCTION align.record_row();
SELECT problem, recorded FROM align.check('parts') ORDER BY recorded COLLATE "C";
RESET ROLE;

-- Conditions of any form agree with their pointers, after names of types and schemas
-- have changed, under any settings.
CREATE TYPE mood AS ENUM ('ok', 'bad');
CREATE DOMAIN feeling AS int;
CREATE DOMAIN code AS varchar(10);
CREATE TYPE pair AS (a int, b text);
CREATE TABLE moody (id int PRIMARY KEY, stage text, m mood, f feeling, c code, ms mood[], p pair, at timestamptz, d date, b bytea, x float8, "C" text COLLATE "C");
SELECT align.attach('moody', 'security_markers', live => $$m <> 'bad' AND f IS DISTINCT FROM 3 AND c <> 'it''s \ $1' AND m = ANY ('{ok,bad}') AND ms[1] = 'ok' AND (p).b = 'old.x'
	AND at < '2026-01-01 12:00+02' AND d > '2020-02-03' AND b <> '\x00ff' AND x > 0.1 AND "C" < 'z' COLLATE "C" AND (stage IN ('mql', 'sal') OR CASE WHEN id > 5 THEN c ELSE 'a' END = 'a') AND (p).a > 1 AND f = 4$$);
INSERT INTO moody VALUES (1, 'mql');
ALTER TYPE mood RENAME TO spirit;
ALTER DOMAIN feeling RENAME TO sentiment;
ALTER TYPE pair RENAME ATTRIBUTE b TO bb;
ALTER SCHEMA security_markers RENAME TO security_markers_2;
SET search_path = security_markers_2;
ALTER TABLE moody RENAME COLUMN m TO mm;
SET TimeZone = 'Asia/Tokyo';
SET DateStyle = 'SQL, DMY';
SET extra_float_digits = -10;
SET bytea_output = 'escape';
SET quote_all_identifiers = on;
UPDATE moody SET stage = 'sal' WHERE id = 1;
SELECT * FROM align.check('moody');
RESET search_path;
INSERT INTO security_markers_2.moody VALUES (2, 'mql');
SELECT * FROM align.check('security_markers_2.moody');

DROP SCHEMA security_markers_2 CASCADE;
DROP SCHEMA security_markers_mal CASCADE;
DROP ROLE regress_align_vic, regress_align_mal;
