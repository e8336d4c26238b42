-- Look-ups that mean harm: labels are read as the owner of the table, from the
-- views that attach() made, and from nothing else.
SET TimeZone = 'UTC';
\set SHOW_CONTEXT never
CREATE ROLE regress_align_label_owner;
CREATE ROLE regress_align_label_fitter;
CREATE SCHEMA security_labels AUTHORIZATION regress_align_label_owner;
GRANT USAGE ON SCHEMA security_labels TO regress_align_label_fitter;
CREATE SCHEMA planted_labels AUTHORIZATION regress_align_label_fitter;
GRANT USAGE ON SCHEMA planted_labels TO PUBLIC;
SET search_path = security_labels;
SELECT align.agree('security_labels', 'stage mql, sql; won deal; lost gone; success path mql -> sql -> deal; path any -> gone; entry mql, sql;');
SELECT align.admit('security_labels', 'regress_align_label_owner'), align.admit('security_labels', 'regress_align_label_fitter');
ALTER DEFAULT PRIVILEGES FOR ROLE regress_align_label_owner GRANT SELECT ON TABLES TO PUBLIC;
SET ROLE regress_align_label_owner;
CREATE TABLE leads (id int PRIMARY KEY, stage_id int, owner_id int);
CREATE TABLE stages (id int PRIMARY KEY, name text);
CREATE TABLE people (id int PRIMARY KEY, name text, salary text);
REVOKE ALL ON people, stages FROM PUBLIC;
INSERT INTO stages VALUES (1, 'mql'), (2, 'sql'), (3, 'deal');
INSERT INTO people VALUES (1, 'ann', '100'), (2, 'bob', '200');
-- a view with a secret, of the same owner and form
CREATE VIEW salaries AS SELECT id AS key, salary AS label FROM people;
REVOKE ALL ON salaries FROM PUBLIC;
SELECT align.attach('leads', 'security_labels', stage => 'stage_id', assignee => 'owner_id', stage_labels => 'security_labels.stages(id, name)', assignee_labels => 'security_labels.people(id, name)');
GRANT SELECT, INSERT, UPDATE, DELETE, TRIGGER ON leads TO regress_align_label_fitter;

-- A user of the table needs no privileges on what is looked up, and gets none.
SET ROLE regress_align_label_fitter;
INSERT INTO leads VALUES (1, 1, 1), (2, 2, 2);
UPDATE leads SET stage_id = 2, owner_id = 2 WHERE id = 1;
UPDATE leads SET stage_id = 1 WHERE id = 1;
SELECT message FROM align.explain_move('leads', 1, '1');
SELECT * FROM leads_history_assignee_labels;
SELECT * FROM leads_history_stage_labels;
RESET ROLE;
SELECT id, entry_no, stage, assignee FROM leads_history ORDER BY 1, 2;

-- With TRIGGER on the table, the views are replaced by others.
CREATE PROCEDURE replace_by(condition text, arguments text) LANGUAGE plpgsql AS $$
DECLARE
	statement text;
BEGIN
	EXECUTE format('CREATE OR REPLACE TRIGGER align_labels AFTER DELETE ON security_labels.leads FOR EACH STATEMENT WHEN (%s) EXECUTE FUNCTION align.attachment(%s)', condition, arguments);
	FOREACH statement IN ARRAY ARRAY['INSERT INTO security_labels.leads VALUES (9, 1, 1)', 'SELECT * FROM align.check(''security_labels.leads'')', 'SELECT align.explain_move(''security_labels.leads'', 1, ''1'')'] LOOP
		BEGIN
			EXECUTE statement;
			RAISE INFO 'done: %', statement;
		EXCEPTION WHEN OTHERS THEN
			RAISE INFO '% %', SQLSTATE, SQLERRM;
		END;
	END LOOP;
	RAISE EXCEPTION 'rolled back';
END
$$;
SET ROLE regress_align_label_fitter;
CREATE VIEW planted_labels.labels AS SELECT 1 AS key, 'deal'::text AS label;
CALL replace_by($$'security_labels.leads_history_stage_labels'::regclass IS NULL AND 'security_labels.salaries'::regclass IS NULL$$, $$'stage', 'assignee'$$);
CALL replace_by($$'planted_labels.labels'::regclass IS NULL AND 'security_labels.leads_history_assignee_labels'::regclass IS NULL$$, $$'stage', 'assignee'$$);
CALL replace_by($$'security_labels.leads_history_assignee_labels'::regclass IS NULL AND 'security_labels.leads_history_stage_labels'::regclass IS NULL$$, $$'stage', 'assignee'$$);
CALL replace_by($$'security_labels.leads_history_assignee_labels'::regclass IS NULL AND 'security_labels.leads_history_stage_labels'::regclass IS NULL$$, $$'assignee', 'stage'$$);
CALL replace_by($$'security_labels.leads_history_stage_labels'::regclass IS NULL$$, $$'stage'$$);
CALL replace_by($$'security_labels.leads_history_stage_labels'::regclass IS NULL$$, $$'note'$$);
CALL replace_by('false', '');
RESET ROLE;

-- A view of another owner, or of another form, stops changes.
BEGIN;
ALTER VIEW leads_history_stage_labels OWNER TO regress_align_label_fitter;
INSERT INTO leads VALUES (9, 1, 1);
ROLLBACK;
BEGIN;
ALTER VIEW leads_history_stage_labels RENAME label TO name;
INSERT INTO leads VALUES (9, 1, 1);
ROLLBACK;
BEGIN;
DROP VIEW leads_history_stage_labels CASCADE;
INSERT INTO leads VALUES (9, 1, 1);
ROLLBACK;

-- Code of the owner in the view runs as the owner, in a restricted operation,
-- also for a superuser.
SET ROLE regress_align_label_owner;
CREATE FUNCTION evil(text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RAISE NOTICE 'evil, as %', current_user;
	BEGIN
		EXECUTE 'CREATE TEMP TABLE left_behind ()';
	EXCEPTION WHEN OTHERS THEN
		RAISE NOTICE '%', SQLERRM;
	END;
	RETURN $1;
END
$$;
CREATE OR REPLACE VIEW leads_history_stage_labels AS SELECT id AS key, security_labels.evil(name) AS label FROM stages;
RESET ROLE;
UPDATE leads SET stage_id = 3 WHERE id = 2;
SELECT * FROM align.check('leads');
SELECT allowed FROM align.explain_move('leads', 1, '3');
SELECT align.agree('security_labels', 'stage mql; won deal; lost gone; success path mql -> deal; path any -> gone; entry mql;');
SET ROLE regress_align_label_fitter;
UPDATE leads SET stage_id = 3 WHERE id = 1;
RESET ROLE;

-- Operators and functions planted_labels in the path of the one who attaches or writes.
SET ROLE regress_align_label_fitter;
CREATE FUNCTION planted_labels.eq(int, bigint) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'planted_labels, as %', current_user; RETURN true; END $$;
CREATE OPERATOR planted_labels.= (FUNCTION = planted_labels.eq, LEFTARG = int, RIGHTARG = bigint);
CREATE FUNCTION planted_labels.upper(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'planted_labels, as %', current_user; RETURN $1; END $$;
CREATE TABLE planted_labels.stages (id int PRIMARY KEY, name text);
RESET ROLE;
SET search_path = planted_labels, pg_catalog;
SELECT align.attach('security_labels.leads', 'security_labels', stage => 'stage_id', stage_labels => 'stages(id, lower(upper(name)))');
SET search_path = planted_labels, security_labels, pg_catalog;
DROP TABLE planted_labels.stages;
SELECT align.attach('security_labels.leads', 'security_labels', stage => 'stage_id', stage_labels => 'stages(id, lower(upper(name)))');
INSERT INTO leads VALUES (4, 1, 1);
SELECT replace(pg_get_viewdef('security_labels.leads_history_stage_labels'), 't.', '') AS definition;
