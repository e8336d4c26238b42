-- Labels that were looked up are shown to roles that may read them, in history
-- or where they are looked up, and to no others.
SET TimeZone = 'UTC';
\set SHOW_CONTEXT never
CREATE ROLE regress_align_texts_owner;
CREATE ROLE regress_align_texts_user;
CREATE SCHEMA security_label_texts AUTHORIZATION regress_align_texts_owner;
GRANT USAGE ON SCHEMA security_label_texts TO regress_align_texts_user;
SET search_path = security_label_texts;
SELECT align.agree('security_label_texts', 'stage new, busy; won deal; lost gone; success path new -> busy -> deal; path any -> gone; gone needs reason (price);');
SELECT align.admit('security_label_texts', 'regress_align_texts_owner');
SET ROLE regress_align_texts_owner;
CREATE TABLE stages (id int PRIMARY KEY, name text);
CREATE TABLE people (id int PRIMARY KEY, name text);
CREATE TABLE reasons (id int PRIMARY KEY, name text);
INSERT INTO stages VALUES (1, 'new'), (2, 'busy'), (3, 'deal'), (4, 'gone'), (7, 'secret stage'), (8, 'secret too');
INSERT INTO people VALUES (1, 'secret person');
INSERT INTO reasons VALUES (1, 'price'), (2, 'secret reason');
CREATE TABLE leads (id int PRIMARY KEY, stage_id int, owner_id int, reason_id int);
SELECT align.attach('leads', 'security_label_texts', stage => 'stage_id', assignee => 'owner_id', reason => 'reason_id',
	stage_labels => 'stages(id, name)', assignee_labels => 'people(id, name)', reason_labels => 'reasons(id, name)',
	rules => '{"unknown_stage": "warn"}');
INSERT INTO leads VALUES (1, 1, 1), (2, 1, 1);
SET client_min_messages = error;
INSERT INTO leads VALUES (3, 7, 1);
RESET client_min_messages;
GRANT SELECT, UPDATE ON leads TO regress_align_texts_user;

CREATE PROCEDURE look() LANGUAGE plpgsql AS $$
DECLARE
	statement text;
	line text;
	answer text;
BEGIN
	FOREACH statement IN ARRAY ARRAY[
		'SELECT concat_ws('' | '', allowed, message, detail) FROM align.explain_move(''leads'', 1, ''2'')',
		'SELECT concat_ws('' | '', allowed, message, detail) FROM align.explain_move(''leads'', 1, ''7'')',
		'SELECT concat_ws('' | '', allowed, message, detail) FROM align.explain_move(''leads'', 1, ''4'', ''1'')',
		'SELECT concat_ws('' | '', allowed, message, detail) FROM align.explain_move(''leads'', 1, ''4'', ''2'')',
		'SELECT concat_ws('' | '', allowed, message, detail) FROM align.explain_move(''leads'', 3, ''2'')',
		'SELECT concat_ws('' | '', allowed, message, detail) FROM align.explain_move(''leads'', 3, NULL)',
		'SELECT concat_ws('' | '', from_stage, stage, message) FROM align.dry_run(''leads'', ''SELECT 1 AS id, 7 AS stage_id UNION ALL SELECT 3, 8'')',
		'SELECT concat_ws('' | '', from_stage, stage, message) FROM align.dry_run(''leads'', ''SELECT 1 AS id, 4 AS stage_id, 2 AS reason_id'')',
		'UPDATE leads SET stage_id = 7 WHERE id = 2 RETURNING NULL',
		'UPDATE leads SET stage_id = 4, reason_id = 2 WHERE id = 1 RETURNING NULL'] LOOP
		RAISE INFO '%', statement;
		BEGIN
			FOR line IN EXECUTE statement LOOP
				RAISE INFO '   %', line;
			END LOOP;
			-- undoes the change
			RAISE EXCEPTION SQLSTATE 'UNDOO';
		EXCEPTION WHEN SQLSTATE 'UNDOO' THEN
			NULL;
		WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS answer = PG_EXCEPTION_DETAIL;
			RAISE INFO '   % % | %', SQLSTATE, SQLERRM, answer;
		END;
	END LOOP;
END
$$;
SET search_path = security_label_texts;
\echo the table alone: nothing secret
SET ROLE regress_align_texts_user;
CALL look();
\echo the history
SET ROLE regress_align_texts_owner;
GRANT SELECT ON leads_history TO regress_align_texts_user;
SET ROLE regress_align_texts_user;
CALL look();
\echo one column of the history
SET ROLE regress_align_texts_owner;
REVOKE SELECT ON leads_history FROM regress_align_texts_user;
GRANT SELECT (id, entry_no, stage) ON leads_history TO regress_align_texts_user;
SET ROLE regress_align_texts_user;
CALL look();
\echo the tables that are looked up
SET ROLE regress_align_texts_owner;
REVOKE SELECT (id, entry_no, stage) ON leads_history FROM regress_align_texts_user;
GRANT SELECT ON stages TO regress_align_texts_user;
GRANT SELECT (id, name) ON people TO regress_align_texts_user;
GRANT SELECT (id) ON reasons TO regress_align_texts_user;
SET ROLE regress_align_texts_user;
CALL look();
\echo rows of which are hidden
RESET ROLE;
ALTER TABLE stages ENABLE ROW LEVEL SECURITY;
SET ROLE regress_align_texts_user;
SELECT message FROM align.explain_move('leads', 1, '7');
RESET ROLE;
ALTER TABLE stages DISABLE ROW LEVEL SECURITY;
\echo a view that its owner has made another
SET ROLE regress_align_texts_owner;
CREATE OR REPLACE VIEW leads_history_stage_labels AS SELECT s.id AS key, (SELECT s.name || max(p.name) FROM people AS p) AS label FROM stages AS s;
SET ROLE regress_align_texts_user;
SELECT message FROM align.explain_move('leads', 1, '7');
RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA security_label_texts CASCADE;
DROP ROLE regress_align_texts_owner, regress_align_texts_user;
