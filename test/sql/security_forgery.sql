-- Forgery: triggers made by hand, on one's own tables, that claim another's
-- history; align's trigger functions called where they have no business.
SET TimeZone = 'UTC';
\set SHOW_CONTEXT never
CREATE ROLE regress_align_victim;
CREATE ROLE regress_align_forger;
CREATE SCHEMA security_forgery;
GRANT ALL ON SCHEMA security_forgery TO PUBLIC;
SET search_path = security_forgery;
SELECT align.agree('security_forgery', $$
	stage mql held by marketing;
	stage sal held by sales;
	won customer;
	success path mql -> sal -> customer;
	handoff take_up: mql from marketing to sales, accept sal, within 2 days;
$$);
SELECT align.admit('security_forgery', 'regress_align_victim'), align.admit('security_forgery', 'regress_align_forger');
SET ROLE regress_align_victim;
CREATE TABLE leads (id int PRIMARY KEY, stage text);
INSERT INTO leads VALUES (1, 'mql'), (2, 'mql');
SELECT align.attach('leads', 'security_forgery');
UPDATE leads SET stage = 'sal' WHERE id = 1;
GRANT SELECT ON leads, leads_history, leads_sla TO regress_align_forger;

-- The trigger functions are for triggers, and each for its own kind.
SET ROLE regress_align_forger;
SELECT align.record_row();
SELECT align.record_statement();
SELECT align.history_guard();
SELECT align.attachment();
CREATE TABLE mine (id int PRIMARY KEY, stage text);
CREATE TRIGGER a AFTER INSERT ON mine FOR EACH ROW EXECUTE FUNCTION align.record_row();
INSERT INTO mine VALUES (1, 'mql');
DROP TRIGGER a ON mine;
CREATE TRIGGER a BEFORE INSERT ON mine FOR EACH ROW EXECUTE FUNCTION align.record_row();
INSERT INTO mine VALUES (1, 'mql');
DROP TRIGGER a ON mine;
CREATE TRIGGER a AFTER INSERT ON mine FOR EACH STATEMENT EXECUTE FUNCTION align.record_row();
INSERT INTO mine VALUES (1, 'mql');
DROP TRIGGER a ON mine;
CREATE TRIGGER a AFTER INSERT ON mine FOR EACH ROW EXECUTE FUNCTION align.record_statement();
INSERT INTO mine VALUES (1, 'mql');
DROP TRIGGER a ON mine;
CREATE TRIGGER a AFTER INSERT ON mine FOR EACH STATEMENT EXECUTE FUNCTION align.record_statement();
INSERT INTO mine VALUES (1, 'mql');
DROP TRIGGER a ON mine;
CREATE TRIGGER a BEFORE INSERT ON mine FOR EACH ROW EXECUTE FUNCTION align.history_guard();
INSERT INTO mine VALUES (2, 'mql');
DROP TRIGGER a ON mine;
CREATE TRIGGER a AFTER INSERT ON mine FOR EACH ROW EXECUTE FUNCTION align.attachment('x');
INSERT INTO mine VALUES (3, 'mql');
DROP TRIGGER a ON mine;
CREATE TRIGGER a BEFORE TRUNCATE ON mine FOR EACH STATEMENT EXECUTE FUNCTION align.record_row();
TRUNCATE mine;
DROP TRIGGER a ON mine;
TRUNCATE mine;
INSERT INTO mine VALUES (1, 'mql');
CREATE VIEW seen AS SELECT * FROM mine;
CREATE TRIGGER a INSTEAD OF INSERT ON seen FOR EACH ROW EXECUTE FUNCTION align.record_row();
INSERT INTO seen VALUES (5, 'mql');
DROP VIEW seen;

-- A marker that claims another's history.
CREATE TRIGGER align_attachment AFTER UPDATE OF id, stage ON mine FOR EACH STATEMENT
	WHEN ('security_forgery.leads_history'::regclass IS NULL AND 'security_forgery.leads_sla'::regclass IS NULL)
	EXECUTE FUNCTION align.attachment('security_forgery', 'enforce', '', 'key', 'stage');
CREATE TRIGGER align_insert AFTER INSERT ON mine FOR EACH ROW EXECUTE FUNCTION align.record_row();
CREATE TRIGGER align_update AFTER UPDATE ON mine FOR EACH ROW EXECUTE FUNCTION align.record_row();
CREATE TRIGGER align_delete AFTER DELETE ON mine FOR EACH ROW EXECUTE FUNCTION align.record_row();
CREATE TRIGGER align_flush AFTER INSERT OR UPDATE OR DELETE ON mine FOR EACH STATEMENT EXECUTE FUNCTION align.record_statement();
CREATE TRIGGER align_truncate BEFORE TRUNCATE ON mine FOR EACH STATEMENT EXECUTE FUNCTION align.record_statement();
INSERT INTO mine VALUES (7, 'mql');
UPDATE mine SET stage = 'sal';
DELETE FROM mine;
TRUNCATE mine;
SELECT align.merge_leads('mine', 1, 2);
SELECT align.erase('mine', 2);
SELECT align.notify_handoffs('mine');
SELECT align.notify_due('mine');
SELECT align.attach('mine', 'security_forgery', history => 'security_forgery.leads_history');
SELECT align.attach('mine', 'security_forgery');
SELECT align.detach('mine');
SELECT id, entry_no, event, stage FROM leads_history ORDER BY id, entry_no;
DROP TABLE mine;

-- The same with a right to insert into it, which the guard takes away again.
SET ROLE regress_align_victim;
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON leads_history, leads_sla TO regress_align_forger;
SET ROLE regress_align_forger;
CREATE TABLE mine (id int PRIMARY KEY, stage text);
INSERT INTO mine VALUES (1, 'mql');
CREATE TRIGGER align_attachment AFTER UPDATE OF id, stage ON mine FOR EACH STATEMENT
	WHEN ('security_forgery.leads_history'::regclass IS NULL AND 'security_forgery.leads_sla'::regclass IS NULL)
	EXECUTE FUNCTION align.attachment('security_forgery', 'enforce', '', 'key', 'stage');
CREATE TRIGGER align_insert AFTER INSERT ON mine FOR EACH ROW EXECUTE FUNCTION align.record_row();
CREATE TRIGGER align_update AFTER UPDATE ON mine FOR EACH ROW EXECUTE FUNCTION align.record_row();
CREATE TRIGGER align_flush AFTER INSERT OR UPDATE OR DELETE ON mine FOR EACH STATEMENT EXECUTE FUNCTION align.record_statement();
INSERT INTO mine VALUES (7, 'mql');
UPDATE mine SET stage = 'sal';
TRUNCATE mine;
SELECT align.erase('mine', 2);
SELECT align.attach('mine', 'security_forgery', history => 'security_forgery.leads_history');
SELECT align.detach('mine');
DROP TABLE mine;
-- through a view of one's own, and from a trigger on a history of one's own
CREATE VIEW mine_history AS SELECT * FROM leads_history;
CREATE VIEW mine_sla AS SELECT * FROM leads_sla;
CREATE TABLE mine (id int PRIMARY KEY, stage text);
CREATE TRIGGER align_attachment AFTER UPDATE OF id, stage ON mine FOR EACH STATEMENT
	WHEN ('security_forgery.mine_history'::regclass IS NULL AND 'security_forgery.mine_sla'::regclass IS NULL)
	EXECUTE FUNCTION align.attachment('security_forgery', 'enforce', '', 'key', 'stage');
CREATE TRIGGER align_insert AFTER INSERT ON mine FOR EACH ROW EXECUTE FUNCTION align.record_row();
CREATE TRIGGER align_flush AFTER INSERT OR UPDATE OR DELETE ON mine FOR EACH STATEMENT EXECUTE FUNCTION align.record_statement();
INSERT INTO mine VALUES (7, 'mql');
DROP TABLE mine;
DROP VIEW mine_history, mine_sla;
CREATE TABLE mine (id int PRIMARY KEY, stage text);
SELECT align.attach('mine', 'security_forgery');
CREATE FUNCTION smuggle() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN INSERT INTO security_forgery.leads_history (id, entry_no, event, effective_at, recorded_at, stage) VALUES (1, 99, 'move', now(), now(), 'customer'); RETURN NULL; END $$;
CREATE TRIGGER smuggle AFTER INSERT ON mine_history FOR EACH ROW EXECUTE FUNCTION smuggle();
INSERT INTO mine VALUES (7, 'mql');
DROP TABLE mine, mine_history, mine_sla;
SELECT id, entry_no, event, stage FROM leads_history ORDER BY id, entry_no;

-- Markers that say nothing sensible: an error, and never more.
CREATE TABLE mine (id int PRIMARY KEY, stage text, n numeric);
CREATE TABLE mine_history (id int);
CREATE TABLE mine_sla (id int);
CREATE TRIGGER align_insert AFTER INSERT ON mine FOR EACH ROW EXECUTE FUNCTION align.record_row();
CREATE TRIGGER align_flush AFTER INSERT ON mine FOR EACH STATEMENT EXECUTE FUNCTION align.record_statement();
CREATE PROCEDURE attempt(columns text, condition text, arguments text) LANGUAGE plpgsql AS
$$
BEGIN
	EXECUTE format('CREATE TRIGGER align_attachment AFTER UPDATE %s ON security_forgery.mine FOR EACH STATEMENT WHEN (%s) EXECUTE FUNCTION align.attachment(%s)', columns, condition, arguments);
	BEGIN
		INSERT INTO security_forgery.mine VALUES (1, 'mql');
		RAISE EXCEPTION 'inserted';
	EXCEPTION WHEN OTHERS THEN
		RAISE NOTICE '% %', SQLSTATE, SQLERRM;
	END;
	BEGIN
		PERFORM FROM align.attachments WHERE relation = 'security_forgery.mine'::regclass;
		RAISE NOTICE 'listed: %', FOUND;
	EXCEPTION WHEN OTHERS THEN
		RAISE NOTICE '% %', SQLSTATE, SQLERRM;
	END;
	DROP TRIGGER align_attachment ON security_forgery.mine;
END
$$;
CALL attempt('OF id, stage', 'false', $$'security_forgery', 'enforce', '', 'key', 'stage'$$);
CALL attempt('OF id, stage', $$'security_forgery.mine_history'::regclass IS NULL$$, $$'security_forgery', 'enforce', '', 'key', 'stage'$$);
CALL attempt('', $$'security_forgery.mine_history'::regclass IS NULL AND 'security_forgery.mine_sla'::regclass IS NULL$$, $$'security_forgery', 'enforce', '', 'key', 'stage'$$);
CALL attempt('OF id, stage', $$'security_forgery.mine_history'::regclass IS NULL AND 'security_forgery.mine_sla'::regclass IS NULL$$, '');
CALL attempt('OF id, stage', $$'security_forgery.mine_history'::regclass IS NULL AND 'security_forgery.mine_sla'::regclass IS NULL$$, $$'security_forgery'$$);
CALL attempt('OF id, stage', $$'security_forgery.mine_history'::regclass IS NULL AND 'security_forgery.mine_sla'::regclass IS NULL$$, $$'security_forgery', 'severe', '', 'key', 'stage'$$);
CALL attempt('OF id, stage', $$'security_forgery.mine_history'::regclass IS NULL AND 'security_forgery.mine_sla'::regclass IS NULL$$, $$'security_forgery', 'enforce', 'loud', 'key', 'stage'$$);
CALL attempt('OF id, stage', $$'security_forgery.mine_history'::regclass IS NULL AND 'security_forgery.mine_sla'::regclass IS NULL$$, $$'no such', 'enforce', '', 'key', 'stage'$$);
CALL attempt('OF id, stage', $$'security_forgery.mine_history'::regclass IS NULL AND 'security_forgery.mine_sla'::regclass IS NULL$$, $$'security_forgery', 'enforce', '', 'key', 'friend'$$);
CALL attempt('OF id, stage', $$'security_forgery.mine_history'::regclass IS NULL AND 'security_forgery.mine_sla'::regclass IS NULL$$, $$'security_forgery', 'enforce', '', 'key', 'key'$$);
CALL attempt('OF id, stage', $$'security_forgery.mine_history'::regclass IS NULL AND 'security_forgery.mine_sla'::regclass IS NULL$$, $$'security_forgery', 'enforce', '', 'stage', 'stage'$$);
CALL attempt('OF id, stage', $$'security_forgery.mine_history'::regclass IS NULL AND 'security_forgery.mine_sla'::regclass IS NULL$$, $$'security_forgery', 'enforce', '', 'key', 'stage', 'reason', 'note'$$);
CALL attempt('OF id, stage', $$'security_forgery.mine'::regclass IS NULL AND 'security_forgery.mine'::regclass IS NULL$$, $$'security_forgery', 'enforce', '', 'key', 'stage'$$);
CALL attempt('OF id, n', $$'security_forgery.mine_history'::regclass IS NULL AND 'security_forgery.mine_sla'::regclass IS NULL$$, $$'security_forgery', 'enforce', '', 'key', 'stage'$$);
CALL attempt('OF id, stage', $$'pg_class'::regclass IS NULL AND 'pg_authid'::regclass IS NULL$$, $$'security_forgery', 'enforce', '', 'key', 'stage'$$);
-- history that has the columns with other types
DROP TABLE mine_history, mine_sla;
CREATE TABLE mine_history (id text, entry_no text, event int, effective_at text, recorded_at text);
CREATE TABLE mine_sla (id int, sla int);
CALL attempt('OF id, stage', $$'security_forgery.mine_history'::regclass IS NULL AND 'security_forgery.mine_sla'::regclass IS NULL$$, $$'security_forgery', 'enforce', '', 'key', 'stage'$$);
SELECT align.attach('mine', 'security_forgery');
DROP TABLE mine_history, mine_sla;

-- Who agrees runs no code of those who attached their tables to the agreement,
-- be it called immutable and hidden where the planner looks.
CREATE FUNCTION tell(text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
$$ BEGIN IF current_user <> 'regress_align_forger' THEN RAISE WARNING 'somebody else runs this'; END IF; RETURN true; END $$;
SELECT align.attach('mine', 'security_forgery');
INSERT INTO mine VALUES (1, 'mql');
CREATE INDEX ON mine (stage) WHERE tell('x');
CREATE INDEX ON mine (tell(stage));
CREATE STATISTICS told ON tell(stage) FROM mine;
CREATE POLICY told ON mine USING (tell(stage));
ALTER TABLE mine ENABLE ROW LEVEL SECURITY;
ALTER TABLE mine FORCE ROW LEVEL SECURITY;
CREATE TABLE child (CHECK (tell(stage))) INHERITS (mine);
ANALYZE mine;
RESET ROLE;
SELECT align.agree('security_forgery', $$
	stage mql, sal held by sales;
	won customer, gift;
	success path mql -> sal -> customer;
	path mql -> gift;
$$);
SELECT align.agree('security_forgery', $$
	stage mql held by marketing;
	stage sal held by sales;
	won customer;
	success path mql -> sal -> customer;
	handoff take_up: mql from marketing to sales, accept sal, within 2 days;
$$);
SELECT align.agree('security_forgery', 'stage sal held by sales; won customer; success path sal -> customer;');
SELECT relation, mode FROM align.attachments WHERE agreement = 'security_forgery' ORDER BY relation::text;
-- nor does who asks, or writes, by way of a condition made by hand
SET ROLE regress_align_forger;
CREATE TRIGGER align_live AFTER DELETE ON mine FOR EACH ROW WHEN (false AND (tell(old.stage))) EXECUTE FUNCTION align.attachment();
RESET ROLE;
SELECT * FROM align.check('mine');
SELECT * FROM align.explain_move('mine', 1, 'sal');
SELECT relation, mode FROM align.attachments WHERE agreement = 'security_forgery' ORDER BY relation::text;
SET ROLE regress_align_forger;
DROP TABLE mine, mine_history, mine_sla, child;
CREATE TABLE mine (id int PRIMARY KEY, stage text, n numeric);

-- To be told that a stage is not gone costs the one who agrees nothing that he
-- may not see: counts, and no keys.
SELECT align.attach('mine', 'security_forgery', history => 'security_forgery.mine_history');
INSERT INTO mine VALUES (1, 'mql'), (2, 'sal');
RESET ROLE;
SELECT align.agree('security_forgery', 'stage mql held by marketing; won customer; success path mql -> customer;');
SELECT id, entry_no, event, stage FROM leads_history ORDER BY id, entry_no;
SELECT * FROM align.check('leads');
SELECT * FROM align.check('mine');

-- Temporary tables, also with a marker by hand, unlogged ones, those of the system, views.
CREATE TEMP TABLE passing (id int PRIMARY KEY, stage text);
CREATE TEMP TABLE passing_history (LIKE leads_history);
CREATE TEMP TABLE passing_sla (LIKE leads_sla);
INSERT INTO passing VALUES (1, 'mql');
SELECT align.attach('passing', 'security_forgery');
CREATE TRIGGER align_attachment AFTER UPDATE OF id, stage ON passing FOR EACH STATEMENT
	WHEN ('pg_temp.passing_history'::regclass IS NULL AND 'pg_temp.passing_sla'::regclass IS NULL)
	EXECUTE FUNCTION align.attachment('security_forgery', 'enforce', '', 'key', 'stage');
CREATE TRIGGER align_update AFTER UPDATE ON passing FOR EACH ROW EXECUTE FUNCTION align.record_row();
CREATE TRIGGER align_flush AFTER UPDATE ON passing FOR EACH STATEMENT EXECUTE FUNCTION align.record_statement();
-- (the name of its schema differs)
\set VERBOSITY sqlstate
UPDATE passing SET stage = 'sal';
SELECT align.check('passing');
\set VERBOSITY default
SELECT align.attach('passing', 'security_forgery');
SELECT align.detach('passing');
UPDATE passing SET stage = 'sal';
CREATE UNLOGGED TABLE swift (id int PRIMARY KEY, stage text);
INSERT INTO swift VALUES (1, 'mql');
SELECT align.attach('swift', 'security_forgery');
UPDATE swift SET stage = 'sal';
SELECT id, entry_no, stage FROM swift_history ORDER BY entry_no;
SELECT * FROM align.check('swift');
SELECT align.attach('pg_catalog.pg_class', 'security_forgery', stage => 'relname', key => '{oid}');
SELECT align.attach('align.agreement', 'security_forgery', stage => 'name');
CREATE VIEW view_of AS SELECT * FROM leads;
SELECT align.attach('view_of', 'security_forgery', key => '{id}');

SET client_min_messages = warning;
RESET search_path;
DROP SCHEMA security_forgery CASCADE;
DROP TABLE IF EXISTS pg_temp.passing, pg_temp.passing_history, pg_temp.passing_sla;
DROP ROLE regress_align_victim, regress_align_forger;
