-- The owner of a table replaces views of labels and the history while they are read.
SET TimeZone = 'UTC';
SET client_min_messages = warning;
\set VERBOSITY terse
CREATE SCHEMA replaced_views;
CREATE ROLE regress_align_replacer;
GRANT ALL ON SCHEMA replaced_views TO regress_align_replacer;
SET search_path = replaced_views;
SELECT align.agree('replaced_views', 'stage mql, sql; won deal; lost gone; success path mql -> sql -> deal; path any -> gone; entry mql, sql;');
SELECT align.admit('replaced_views', 'regress_align_replacer');
SET ROLE regress_align_replacer;
CREATE TABLE stages (id int PRIMARY KEY, name text);
INSERT INTO stages VALUES (1, 'mql'), (2, 'sql'), (3, 'deal');
CREATE TABLE leads (id int PRIMARY KEY, stage_id int);
INSERT INTO leads VALUES (1, 1);
SELECT align.attach('leads', 'replaced_views', stage => 'stage_id', stage_labels => 'stages(id, name)');

-- The label gets another type while its plan is run for the first time.
CREATE FUNCTION retype(t text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE 'CREATE OR REPLACE VIEW replaced_views.leads_history_stage_labels AS SELECT id AS key, name AS label, 42::int8 AS n FROM replaced_views.stages';
	EXECUTE 'ALTER VIEW replaced_views.leads_history_stage_labels RENAME COLUMN label TO l2';
	EXECUTE 'ALTER VIEW replaced_views.leads_history_stage_labels RENAME COLUMN n TO label';
	RETURN t;
END $$;
CREATE OR REPLACE VIEW leads_history_stage_labels AS SELECT id AS key, replaced_views.retype(name) AS label FROM stages;
SELECT allowed, rule, message FROM align.explain_move('leads', 1, '2');
UPDATE leads SET stage_id = 2;
SELECT count(*) FROM leads_history;
DROP VIEW IF EXISTS leads_history_stage_labels CASCADE;
RESET ROLE;

-- A view takes the place of the history while a superuser asks what a move would do.
SET ROLE regress_align_replacer;
CREATE TABLE deals (id int PRIMARY KEY, stage_id int);
INSERT INTO deals VALUES (1, 1);
SELECT align.attach('deals', 'replaced_views', stage => 'stage_id', stage_labels => 'stages(id, name)');
CREATE FUNCTION payload() RETURNS text LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'ALTER ROLE regress_align_replacer SUPERUSER'; RETURN 'mql'; END $$;
CREATE FUNCTION rename(t text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	IF to_regclass('replaced_views.deals_history_x') IS NULL THEN
		EXECUTE 'ALTER TABLE replaced_views.deals_history RENAME TO deals_history_x';
		EXECUTE 'CREATE VIEW replaced_views.deals_history WITH (security_invoker = true) AS SELECT 1 AS id, 1::bigint AS entry_no, replaced_views.payload() AS stage';
	END IF;
	RETURN t || '?';
END $$;
CREATE OR REPLACE VIEW deals_history_stage_labels AS SELECT id AS key, replaced_views.rename(name) AS label FROM stages;
RESET ROLE;
SELECT allowed, rule FROM align.explain_move('deals', 1, '2');
SELECT rolsuper FROM pg_roles WHERE rolname = 'regress_align_replacer';

-- A label that is empty is none, and one view is for one attachment.
SET ROLE regress_align_replacer;
CREATE TABLE blank_stages (id int PRIMARY KEY, name text);
INSERT INTO blank_stages VALUES (1, ' '), (2, 'sql');
CREATE TABLE two (id int PRIMARY KEY, a int, b int);
SELECT align.attach('two', 'replaced_views', stage => 'a', history => repeat('h', 51) || '_1', stage_labels => 'stages(id, name)', mode => 'observe');
SELECT align.attach('two', 'replaced_views', stage => 'b', history => repeat('h', 51) || '_2', stage_labels => 'blank_stages(id, name)', mode => 'observe');
SELECT align.attach('two', 'replaced_views', stage => 'b', history => 'second', stage_labels => 'blank_stages(id, name)', mode => 'observe');
INSERT INTO two VALUES (1, 1, 1), (2, 2, 2);
SELECT h.id, h.stage, s.stage FROM second AS s JOIN replaced_views.hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh_1 AS h USING (id) ORDER BY 1;

-- Text that settings of the session change is no base for a judgement.
CREATE TABLE settings (id int PRIMARY KEY, stage text, f float8, b bytea, p point);
SELECT align.attach('settings', 'replaced_views', live => $$f::text <> '0.3'$$);
SELECT align.attach('settings', 'replaced_views', reason => 'b::text');
SELECT align.attach('settings', 'replaced_views', stage => $$CASE WHEN quote_ident(stage) = 'mql' THEN stage END$$);
RESET ROLE;
SELECT align.agree('replaced_views_2', $$stage mql, sql; won deal; success path mql -> sql -> deal; sql needs 'p::text <> ''x''';$$);
SELECT align.admit('replaced_views_2', 'regress_align_replacer');
SELECT align.attach('settings', 'replaced_views_2');

RESET search_path;
DROP SCHEMA replaced_views CASCADE;
DROP OWNED BY regress_align_replacer;
DROP ROLE regress_align_replacer;
