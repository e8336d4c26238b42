-- Expressions that mean harm: they may look at the row and nowhere else, and no
-- code of another user runs when one is parsed, printed or evaluated.
SET TimeZone = 'UTC';
\set SHOW_CONTEXT never
CREATE ROLE regress_align_expr_owner;
CREATE ROLE regress_align_expr_writer;
CREATE SCHEMA security_expressions AUTHORIZATION regress_align_expr_owner;
CREATE SCHEMA planted_expressions AUTHORIZATION regress_align_expr_writer;
GRANT USAGE ON SCHEMA security_expressions TO regress_align_expr_writer;
GRANT USAGE ON SCHEMA planted_expressions TO PUBLIC;
SELECT align.agree('security_expressions', 'stage mql, sql; won deal; lost gone; success path mql -> sql -> deal; path any -> gone; entry mql, sql;');
SELECT align.admit('security_expressions', 'regress_align_expr_owner'), align.admit('security_expressions', 'regress_align_expr_writer');

-- Everything that an expression could use, planted_expressions in a schema that comes first.
SET ROLE regress_align_expr_writer;
SET search_path = planted_expressions, pg_catalog;
CREATE FUNCTION evil(what text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE WARNING 'evil %, as %', what, current_user; RETURN true; END $$;
CREATE FUNCTION lower(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'mql' WHERE planted_expressions.evil('lower') $$;
CREATE FUNCTION "coalesce"(text, text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'mql' WHERE planted_expressions.evil('coalesce') $$;
CREATE FUNCTION record_image_ne(record, record) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN planted_expressions.evil('record_image_ne'); END $$;
CREATE FUNCTION text(int) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'mql' WHERE planted_expressions.evil('text') $$;
CREATE FUNCTION eq(int, int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN planted_expressions.evil('='); END $$;
CREATE FUNCTION eq(text, text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN planted_expressions.evil('='); END $$;
CREATE FUNCTION cat(text, text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'mql' WHERE planted_expressions.evil('||') $$;
CREATE OPERATOR = (FUNCTION = eq, LEFTARG = int, RIGHTARG = int);
CREATE OPERATOR = (FUNCTION = eq, LEFTARG = text, RIGHTARG = text);
CREATE OPERATOR || (FUNCTION = cat, LEFTARG = text, RIGHTARG = text);
CREATE DOMAIN checked AS text CHECK (VALUE IS NULL OR planted_expressions.evil('domain'));
CREATE TYPE mood AS ENUM ('mql', 'sql');
CREATE FUNCTION mood_text(mood) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'mql' WHERE planted_expressions.evil('cast') $$;
CREATE CAST (mood AS text) WITH FUNCTION mood_text(mood) AS IMPLICIT;

-- Attached by a superuser, under that path: built-in objects are used.
RESET ROLE;
CREATE TABLE security_expressions.leads (id int PRIMARY KEY, stage text, owner_id int, note text, secret text, m mood);
ALTER TABLE security_expressions.leads OWNER TO regress_align_expr_owner;
GRANT SELECT (id, stage, owner_id), INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER ON security_expressions.leads TO regress_align_expr_writer;
SELECT align.attach('security_expressions.leads', 'security_expressions', stage => 'lower(coalesce(stage, ''mql'') || '''')', assignee => 'CASE WHEN owner_id IN (1, 2) THEN nullif(owner_id, 1)::text END', note => 'note || ''!''');
INSERT INTO security_expressions.leads (id, stage, owner_id) VALUES (1, 'MQL', 1), (2, 'SQL', 2);
SET ROLE regress_align_expr_writer;
INSERT INTO security_expressions.leads (id, stage, owner_id) VALUES (3, 'MQL', 1);
UPDATE security_expressions.leads SET stage = 'Sql', note = 'x' WHERE id OPERATOR(pg_catalog.=) 1;
RESET ROLE;
SELECT * FROM align.check('security_expressions.leads');
SELECT expressions FROM align.attachments WHERE agreement OPERATOR(pg_catalog.=) 'security_expressions';
SELECT rule, detail FROM align.explain_move('security_expressions.leads', 1, 'deal');
SELECT align.agree('security_expressions', 'stage mql; won deal; success path mql -> deal; entry mql;');
SET ROLE regress_align_expr_writer;
TRUNCATE security_expressions.leads;
INSERT INTO security_expressions.leads (id, stage, owner_id) VALUES (1, 'MQL', 1), (2, 'SQL', 2);
RESET ROLE;
RESET search_path;
SELECT id, entry_no, event, stage, assignee, note FROM security_expressions.leads_history ORDER BY 1, 2;

-- Casts of types that are not built in, however they are hidden.
SELECT align.attach('security_expressions.leads', 'security_expressions', stage => 'CASE WHEN owner_id IS NULL THEN m::text END');
SELECT align.attach('security_expressions.leads', 'security_expressions', stage => 'coalesce(m, stage)');
SELECT align.attach('security_expressions.leads', 'security_expressions', stage => 'lower(m)');
SELECT align.attach('security_expressions.leads', 'security_expressions', stage => 'coalesce(stage::planted_expressions.checked, '''')');
SELECT align.attach('security_expressions.leads', 'security_expressions', stage => '''mql''::planted_expressions.checked || stage');
SELECT align.attach('security_expressions.leads', 'security_expressions', stage => 'planted_expressions.lower(stage)');
SELECT align.attach('security_expressions.leads', 'security_expressions', stage => 'stage OPERATOR(planted_expressions.||) stage');

-- A role with TRIGGER replaces the expressions, with one that evaluates its code
-- or shows what it may not read: writes are refused, and nothing of it runs.
CREATE PROCEDURE replace_by(condition text, arguments text) LANGUAGE plpgsql AS $$
DECLARE
	statement text;
BEGIN
	EXECUTE format('CREATE OR REPLACE TRIGGER align_expressions AFTER DELETE ON security_expressions.leads FOR EACH ROW WHEN (%s) EXECUTE FUNCTION align.attachment(%s)', condition, arguments);
	FOREACH statement IN ARRAY ARRAY['INSERT INTO security_expressions.leads (id, stage, owner_id) VALUES (9, ''MQL'', 1)', 'UPDATE security_expressions.leads SET stage = ''sql'' WHERE id = 1',
		'TRUNCATE security_expressions.leads', 'SELECT align.check(''security_expressions.leads'')', 'SELECT align.explain_move(''security_expressions.leads'', 1, ''deal'')', 'SELECT expressions IS NULL FROM align.attachments WHERE agreement = ''security_expressions'''] LOOP
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
SET ROLE regress_align_expr_writer;
CALL replace_by($$false AND (ROW(planted_expressions.lower(old.stage), CASE WHEN old.owner_id IN (1, 2) THEN nullif(old.owner_id, 1)::text END, old.note || '!') IS NULL)$$, $$'stage', 'assignee', 'note'$$);
CALL replace_by($$false AND (ROW(lower(coalesce(old.stage, 'mql') || ''), old.secret, old.note || '!') IS NULL)$$, $$'stage', 'assignee', 'note'$$);
CALL replace_by($$false AND (ROW(lower(coalesce(old.stage, 'mql') || ''), CASE WHEN old.owner_id IN (1, 2) THEN nullif(old.owner_id, 1)::text END, old.secret || '!') IS NULL)$$, $$'stage', 'assignee', 'note'$$);
CALL replace_by($$false AND (ROW(lower(coalesce(old.stage, 'mql') || ''), CASE WHEN old.owner_id IN (1, 2) THEN nullif(old.owner_id, 1)::text END, old.note || '!') IS NULL)$$, $$'stage', 'note', 'assignee'$$);
CALL replace_by($$false AND (ROW(lower(coalesce(old.stage, 'mql') || ''), old.secret) IS NULL)$$, $$'stage', 'stage'$$);
CALL replace_by($$false AND (ROW(lower(coalesce(old.stage, 'mql') || '')) IS NULL)$$, $$'stage', 'actor'$$);
CALL replace_by('false AND old.stage IS NULL', $$'stage'$$);
CALL replace_by('false', $$'stage'$$);
CALL replace_by($$false AND (ROW(old.*) IS NULL)$$, $$'stage'$$);

-- The same on a table of one's own, that claims another's history.
CREATE TABLE planted_expressions.mine (id int PRIMARY KEY, stage text);
CREATE TRIGGER align_attachment AFTER UPDATE OF id ON planted_expressions.mine FOR EACH STATEMENT
	WHEN ('security_expressions.leads_history'::regclass IS NULL AND 'security_expressions.leads_sla'::regclass IS NULL)
	EXECUTE FUNCTION align.attachment('security_expressions', 'enforce', '', 'key');
CREATE TRIGGER align_expressions AFTER DELETE ON planted_expressions.mine FOR EACH ROW
	WHEN (false AND (ROW(planted_expressions.lower(old.stage)) IS NULL)) EXECUTE FUNCTION align.attachment('stage');
CREATE TRIGGER align_insert AFTER INSERT ON planted_expressions.mine FOR EACH ROW EXECUTE FUNCTION align.record_row();
INSERT INTO planted_expressions.mine VALUES (1, 'mql');
RESET ROLE;
INSERT INTO planted_expressions.mine VALUES (1, 'mql');
SELECT relation, expressions FROM align.attachments WHERE agreement = 'security_expressions' ORDER BY 1;
SELECT align.agree('security_expressions', 'stage mql, sql; won deal; lost gone; success path mql -> sql -> deal; path any -> gone; path gone -> sql;');
SELECT * FROM align.check('security_expressions.leads');
