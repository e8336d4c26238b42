-- Triggers of an attachment that somebody with the TRIGGER privilege has replaced:
-- attach() warns of the privilege, check() reports the trigger, a marker that does
-- not agree with its history is refused, and attaching again repairs all.
SET TimeZone = 'UTC';
\set SHOW_CONTEXT never
CREATE ROLE regress_align_owner;
CREATE ROLE regress_align_fitter;
CREATE SCHEMA security_replaced AUTHORIZATION regress_align_owner;
GRANT USAGE, CREATE ON SCHEMA security_replaced TO regress_align_fitter;
SET search_path = security_replaced;
SELECT align.agree('security_replaced', $$
	stage mql held by marketing;
	stage sal held by sales;
	won customer;
	success path mql -> sal -> customer;
	handoff take_up: mql from marketing to sales, accept sal, within 2 days;
$$);
SELECT align.agree('security_replaced_2', align.agreed('security_replaced'));
SELECT align.admit('security_replaced', 'regress_align_owner'), align.admit('security_replaced_2', 'regress_align_owner');
SET ROLE regress_align_owner;
CREATE TABLE leads (id int PRIMARY KEY, stage text, owner text, note text, gone boolean);
CREATE TABLE parts (id int, stage text, region text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE parts_eu PARTITION OF parts FOR VALUES IN ('eu');
GRANT ALL ON leads, parts, parts_eu TO regress_align_fitter;
GRANT TRIGGER ON leads TO PUBLIC;

-- attach() names those who hold the privilege.
SELECT align.attach('leads', 'security_replaced', assignee => 'owner', live => 'gone IS NOT TRUE');
REVOKE TRIGGER ON leads FROM PUBLIC;
SELECT align.attach('parts', 'security_replaced');
INSERT INTO leads VALUES (1, 'mql'), (2, 'mql');
INSERT INTO parts VALUES (1, 'mql', 'eu');
-- (on history and clocks nobody has it unless it is granted)
GRANT TRIGGER ON leads_history, leads_sla TO regress_align_fitter;
RESET ROLE;

-- Is a replaced trigger reported, is it the only one that is, and does attaching
-- again put it right?
CREATE FUNCTION problems(relation regclass) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT problem || ' ' || regexp_replace(coalesce(expected, recorded), '^CREATE .*TRIGGER (\S+) .* ON (\S+) .*$', '\1 on \2') AS difference
	FROM align.check(relation) WHERE problem IN ('altered_trigger', 'missing_trigger', 'disabled_trigger') ORDER BY difference $$;
CREATE PROCEDURE attempt(command text, relation text DEFAULT 'security_replaced.leads') LANGUAGE plpgsql AS $$
DECLARE
	problem text;
BEGIN
	RAISE INFO '%', command;
	SET LOCAL ROLE regress_align_fitter;
	BEGIN
		EXECUTE command;
	EXCEPTION WHEN OTHERS THEN
		RAISE INFO '    refused: %', SQLERRM;
	END;
	RESET ROLE;
	BEGIN
		FOR problem IN SELECT security_replaced.problems(relation) LOOP
			RAISE INFO '    %', problem;
		END LOOP;
	EXCEPTION WHEN OTHERS THEN
		RAISE INFO '    not checked: %', SQLERRM;
	END;
	BEGIN
		IF relation = 'security_replaced.leads' THEN
			PERFORM align.attach(relation, 'security_replaced', assignee => 'owner', live => 'gone IS NOT TRUE');
		ELSE
			PERFORM align.attach(relation, 'security_replaced');
		END IF;
	EXCEPTION WHEN OTHERS THEN
		RAISE INFO '    not attached again: %', SQLERRM;
	END;
	FOR problem IN SELECT security_replaced.problems(relation) LOOP
		RAISE INFO '    still %', problem;
	END LOOP;
	ROLLBACK;
END $$;
SET client_min_messages = error;
SELECT problems('leads');
SELECT problems('parts');
-- in full
BEGIN;
CREATE OR REPLACE TRIGGER align_delete AFTER DELETE ON leads FOR EACH ROW WHEN (false) EXECUTE FUNCTION align.record_row();
SELECT * FROM align.check('leads') WHERE problem <> 'surplus_privilege';
ROLLBACK;
-- another WHEN
CALL attempt('CREATE OR REPLACE TRIGGER align_update AFTER UPDATE ON leads FOR EACH ROW WHEN (false) EXECUTE FUNCTION align.record_row()');
CALL attempt('CREATE OR REPLACE TRIGGER align_update AFTER UPDATE ON leads FOR EACH ROW WHEN (old.stage IS DISTINCT FROM new.stage) EXECUTE FUNCTION align.record_row()');
CALL attempt('CREATE OR REPLACE TRIGGER align_update AFTER UPDATE ON leads FOR EACH ROW EXECUTE FUNCTION align.record_row()');
CALL attempt('CREATE OR REPLACE TRIGGER align_insert AFTER INSERT ON leads FOR EACH ROW WHEN (new.stage IS NOT NULL AND new.id > 100) EXECUTE FUNCTION align.record_row()');
CALL attempt('CREATE OR REPLACE TRIGGER align_delete AFTER DELETE ON leads FOR EACH ROW WHEN (old.owner IS NOT NULL) EXECUTE FUNCTION align.record_row()');
-- other events, another moment, another level
CALL attempt('CREATE OR REPLACE TRIGGER align_update AFTER UPDATE OF note ON leads FOR EACH ROW EXECUTE FUNCTION align.record_row()');
CALL attempt('CREATE OR REPLACE TRIGGER align_update AFTER INSERT ON leads FOR EACH ROW EXECUTE FUNCTION align.record_row()');
CALL attempt('CREATE OR REPLACE TRIGGER align_update BEFORE UPDATE ON leads FOR EACH ROW EXECUTE FUNCTION align.record_row()');
CALL attempt('CREATE OR REPLACE TRIGGER align_flush AFTER INSERT ON leads FOR EACH STATEMENT EXECUTE FUNCTION align.record_statement()');
CALL attempt('CREATE OR REPLACE TRIGGER align_flush AFTER INSERT OR UPDATE OR DELETE ON leads FOR EACH STATEMENT WHEN (false) EXECUTE FUNCTION align.record_statement()');
CALL attempt('CREATE OR REPLACE TRIGGER align_begin AFTER INSERT OR UPDATE OR DELETE ON leads FOR EACH STATEMENT EXECUTE FUNCTION align.record_statement()');
CALL attempt('CREATE OR REPLACE TRIGGER align_truncate BEFORE TRUNCATE ON leads FOR EACH STATEMENT WHEN (false) EXECUTE FUNCTION align.record_statement()');
-- another function, of align or not
CREATE FUNCTION idle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CALL attempt('CREATE OR REPLACE TRIGGER align_update AFTER UPDATE ON leads FOR EACH ROW EXECUTE FUNCTION idle()');
CALL attempt('CREATE OR REPLACE TRIGGER align_truncate BEFORE TRUNCATE ON leads FOR EACH STATEMENT EXECUTE FUNCTION align.history_guard()');
CALL attempt('CREATE OR REPLACE TRIGGER align_insert AFTER INSERT ON leads FOR EACH ROW WHEN (new.stage IS NOT NULL) EXECUTE FUNCTION align.record_row(''x'')');
-- deferred, as a constraint trigger
CALL attempt('CREATE CONSTRAINT TRIGGER align_update AFTER UPDATE ON leads DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION align.record_row()');
-- the guard of history and clocks
CALL attempt('CREATE OR REPLACE TRIGGER align_append_only BEFORE DELETE ON leads_history FOR EACH STATEMENT EXECUTE FUNCTION align.history_guard()');
CALL attempt('CREATE OR REPLACE TRIGGER align_append_only BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON leads_sla FOR EACH STATEMENT WHEN (false) EXECUTE FUNCTION align.history_guard()');
-- the condition on live rows
CALL attempt('CREATE OR REPLACE TRIGGER align_live AFTER DELETE ON leads FOR EACH ROW WHEN (false AND old.id > 0) EXECUTE FUNCTION align.attachment()');
-- a partition has clones, which PostgreSQL does not let be replaced, and what is its own
CALL attempt('CREATE OR REPLACE TRIGGER align_update AFTER UPDATE ON parts_eu FOR EACH ROW WHEN (false) EXECUTE FUNCTION align.record_row()', 'security_replaced.parts');
CALL attempt('CREATE OR REPLACE TRIGGER align_truncate BEFORE TRUNCATE ON parts_eu FOR EACH STATEMENT WHEN (false) EXECUTE FUNCTION align.record_statement()', 'security_replaced.parts');
CALL attempt('CREATE OR REPLACE TRIGGER align_update AFTER UPDATE ON parts FOR EACH ROW WHEN (false) EXECUTE FUNCTION align.record_row()', 'security_replaced.parts');

-- Disabled ones, which takes the owner.
ALTER TABLE leads DISABLE TRIGGER align_update;
ALTER TABLE leads ENABLE REPLICA TRIGGER align_flush;
ALTER TABLE parts_eu DISABLE TRIGGER align_delete;
ALTER TABLE leads_history DISABLE TRIGGER align_append_only;
ALTER TABLE leads_sla DISABLE TRIGGER align_history_of;
SELECT problems('leads');
SELECT problems('parts');
ALTER TABLE leads ENABLE TRIGGER align_update;
ALTER TABLE leads ENABLE TRIGGER align_flush;
ALTER TABLE parts_eu ENABLE TRIGGER align_delete;
ALTER TABLE leads_history ENABLE TRIGGER align_append_only;
ALTER TABLE leads_sla ENABLE TRIGGER align_history_of;
SELECT problems('leads');
SELECT problems('parts');

-- A marker that says something else than the history knows of: nothing is judged by
-- it, recorded or read.
RESET client_min_messages;
SET client_min_messages = warning;
CREATE PROCEDURE marker(columns text, arguments text, history text DEFAULT 'security_replaced.leads_history', sla text DEFAULT 'security_replaced.leads_sla') LANGUAGE plpgsql AS $$
DECLARE
	command text;
	detail text;
	last text;
BEGIN
	RAISE INFO '%: %', columns, arguments;
	SET LOCAL ROLE regress_align_fitter;
	EXECUTE format('CREATE OR REPLACE TRIGGER align_attachment AFTER UPDATE OF %s ON security_replaced.leads FOR EACH STATEMENT WHEN (%L::regclass IS NULL AND %L::regclass IS NULL) EXECUTE FUNCTION align.attachment(%s)',
		columns, history, sla, arguments);
	RESET ROLE;
	FOREACH command IN ARRAY ARRAY['UPDATE security_replaced.leads SET stage = ''customer'' WHERE id = 1', 'INSERT INTO security_replaced.leads VALUES (9, ''nowhere'')',
		'DELETE FROM security_replaced.leads', 'TRUNCATE security_replaced.leads', 'SELECT align.merge_leads(''security_replaced.leads'', 1, 2)', 'SELECT align.notify_due(''security_replaced.leads'')',
		'SELECT FROM align.check(''security_replaced.leads'')', 'SELECT FROM align.journeys(''security_replaced.leads'')', 'SELECT FROM align.clocks(''security_replaced.leads'')']
	LOOP
		BEGIN
			EXECUTE command;
			RAISE INFO '    done: %', command;
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
			IF last = SQLERRM THEN
				RAISE INFO '    the same';
			ELSE
				RAISE INFO '    % % / %', SQLSTATE, SQLERRM, detail;
			END IF;
			last := SQLERRM;
		END;
	END LOOP;
	-- what agree() makes of it
	SET LOCAL client_min_messages = notice;
	BEGIN
		PERFORM align.agree('security_replaced', 'stage mql, sal; won customer; success path mql -> sal -> customer; customer needs owner;');
		RAISE INFO '    agreed';
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
		RAISE INFO '    % % / %', SQLSTATE, SQLERRM, detail;
	END;
	ROLLBACK;
END $$;
ALTER TABLE parts ADD owner text;
CALL marker('id, stage, owner', $$'security_replaced_2', 'enforce', '', 'key', 'stage', 'assignee'$$);
CALL marker('id, stage, owner', $$'security_replaced', 'observe', '', 'key', 'stage', 'assignee'$$);
CALL marker('id, stage, owner', $$'security_replaced', 'enforce', 'notify', 'key', 'stage', 'assignee'$$);
CALL marker('id, stage', $$'security_replaced', 'enforce', '', 'key', 'stage'$$);
CALL marker('id, stage, note', $$'security_replaced', 'enforce', '', 'key', 'stage', 'note'$$);
CALL marker('id, stage, owner', $$'security_replaced', 'enforce', '', 'key', 'stage', 'assignee'$$, 'security_replaced.parts_history', 'security_replaced.parts_sla');
CALL marker('id, stage, owner', $$'security_replaced', 'enforce', '', 'key', 'stage', 'assignee'$$, 'security_replaced.leads_sla', 'security_replaced.leads_history');
CALL marker('id, stage, owner', $$'security_replaced', 'enforce', '', 'key', 'stage', 'assignee'$$, 'security_replaced.leads_history', 'security_replaced.parts_sla');
-- one with the same roles of other columns
CREATE OR REPLACE TRIGGER align_attachment AFTER UPDATE OF id, note, owner ON leads FOR EACH STATEMENT
	WHEN ('security_replaced.leads_history'::regclass IS NULL AND 'security_replaced.leads_sla'::regclass IS NULL)
	EXECUTE FUNCTION align.attachment('security_replaced', 'enforce', '', 'key', 'stage', 'assignee');
SELECT problems('leads');
SELECT key, problem, recorded, expected FROM align.check('leads') WHERE key IS NOT NULL ORDER BY key;
SELECT align.attach('leads', 'security_replaced', assignee => 'owner', live => 'gone IS NOT TRUE');
SELECT problems('leads');

-- A pointer that somebody replaced, who has TRIGGER on history and table.  (Attaching
-- again has taken it back.)
GRANT TRIGGER ON leads_history TO regress_align_fitter;
CREATE PROCEDURE pointer(command text) LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	RAISE INFO '%', command;
	-- to drop one takes the owner
	SET LOCAL ROLE regress_align_fitter;
	BEGIN
		DROP TRIGGER align_history_of ON security_replaced.leads_history;
		RAISE INFO '    dropped';
	EXCEPTION WHEN OTHERS THEN
		RAISE INFO '    % %', SQLSTATE, SQLERRM;
	END;
	RESET ROLE;
	DROP TRIGGER align_history_of ON security_replaced.leads_history;
	SET LOCAL ROLE regress_align_fitter;
	BEGIN
		EXECUTE command;
	EXCEPTION WHEN OTHERS THEN
		RAISE INFO '    % %', SQLSTATE, SQLERRM;
	END;
	RESET ROLE;
	BEGIN
		UPDATE security_replaced.leads SET stage = 'sal' WHERE id = 1;
		RAISE INFO '    done';
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
		RAISE INFO '    % % / %', SQLSTATE, SQLERRM, detail;
	END;
	BEGIN
		PERFORM align.attach('security_replaced.leads', 'security_replaced', assignee => 'owner', live => 'gone IS NOT TRUE');
		UPDATE security_replaced.leads SET stage = 'sal' WHERE id = 1;
		RAISE INFO '    attached again: %', (SELECT count(*) FROM security_replaced.problems('security_replaced.leads'));
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
		RAISE INFO '    % % / %', SQLSTATE, SQLERRM, detail;
	END;
	ROLLBACK;
END $$;
CREATE TABLE another (id int PRIMARY KEY, stage text);
GRANT ALL ON another TO regress_align_fitter;
SET client_min_messages = error;
CALL pointer('SELECT 1');
CALL pointer($$CREATE CONSTRAINT TRIGGER align_history_of AFTER DELETE ON leads_history FROM another FOR EACH ROW WHEN (false) EXECUTE FUNCTION align.attachment('security_replaced', 'enforce', '', 'key 1 id', 'stage 2 stage', 'assignee 3 owner', '0 ($1 IS NOT TRUE)', 'live 5 gone')$$);
CALL pointer($$CREATE CONSTRAINT TRIGGER align_history_of AFTER DELETE ON leads_history FROM leads FOR EACH ROW WHEN (false) EXECUTE FUNCTION align.attachment('security_replaced', 'observe', '', 'key 1 id', 'stage 2 stage', 'assignee 3 owner', '0 ($1 IS NOT TRUE)', 'live 5 gone')$$);
CALL pointer($$CREATE CONSTRAINT TRIGGER align_history_of AFTER DELETE ON leads_history FROM leads FOR EACH ROW WHEN (false) EXECUTE FUNCTION align.attachment()$$);
CALL pointer($$CREATE CONSTRAINT TRIGGER align_history_of AFTER INSERT ON leads_history FROM leads FOR EACH ROW EXECUTE FUNCTION align.attachment('security_replaced', 'enforce', '', 'key 1 id', 'stage 2 stage', 'assignee 3 owner', '0 ($1 IS NOT TRUE)', 'live 5 gone')$$);
CALL pointer($$CREATE TRIGGER align_history_of AFTER DELETE ON leads_history FOR EACH ROW WHEN (false) EXECUTE FUNCTION align.attachment('security_replaced', 'enforce', '', 'key 1 id', 'stage 2 stage', 'assignee 3 owner', '0 ($1 IS NOT TRUE)', 'live 5 gone')$$);
CALL pointer($$CREATE TRIGGER align_history_of AFTER DELETE ON leads_history FOR EACH ROW WHEN (false) EXECUTE FUNCTION idle()$$);

-- It follows renames, and goes with the table.
ALTER TABLE leads RENAME TO "the leads";
ALTER TABLE leads_history RENAME TO "the history";
ALTER TABLE "the leads" RENAME COLUMN stage TO status;
UPDATE "the leads" SET status = 'sal' WHERE id = 2;
SELECT problems('"the leads"');
SELECT id, entry_no, stage FROM "the history" ORDER BY id, entry_no;
DROP PROCEDURE attempt, marker, pointer;
DROP TABLE "the leads";
SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE tgrelid IN ('"the history"'::regclass, 'leads_sla'::regclass) ORDER BY tgrelid::regclass::text, tgname;

RESET search_path;
DROP SCHEMA security_replaced CASCADE;
DROP ROLE regress_align_owner, regress_align_fitter;
