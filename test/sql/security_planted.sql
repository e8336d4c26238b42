-- Code that an owner plants on history and clocks, waiting for a superuser (or the
-- superuser's scheduler) to call a function of align: it leaves nothing behind that
-- would run with the caller's rights, no deferred trigger, temporary table, setting,
-- cursor, prepared statement or listener.
SET TimeZone = 'UTC';
\set SHOW_CONTEXT never
CREATE ROLE regress_align_mal;
CREATE SCHEMA mal AUTHORIZATION regress_align_mal;
SELECT align.agree('security_planted', $$
	stage mql held by marketing;
	stage sal held by sales;
	won customer;
	success path mql -> sal -> customer;
	handoff take_up: mql from marketing to sales, accept sal, within 1 hours;
$$);
SELECT align.admit('security_planted', 'regress_align_mal');
SET ROLE regress_align_mal;
SET search_path = mal;
-- what runs later; it would make its owner a superuser
CREATE FUNCTION bomb() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE INFO 'the bomb runs as %', current_user;
	IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN
		ALTER ROLE regress_align_mal SUPERUSER;
	END IF;
	RETURN NULL;
END $$;
-- what runs with align's own writes
CREATE TABLE told (what text, how text);
CREATE FUNCTION plant() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	command text;
	what text;
BEGIN
	IF current_user <> 'regress_align_mal' THEN
		RAISE INFO 'planted trigger runs as %', current_user;
	END IF;
	-- each on its own: what is forbidden stops nothing
	FOREACH command IN ARRAY ARRAY[
		'CREATE TEMP TABLE bombs (x int)',
		'CREATE CONSTRAINT TRIGGER b AFTER INSERT ON bombs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION mal.bomb()',
		'INSERT INTO bombs VALUES (1)',
		'INSERT INTO mal.slow VALUES (1)',
		'SET CONSTRAINTS ALL DEFERRED',
		'INSERT INTO mal.slow_if_set VALUES (1)',
		'DECLARE c CURSOR WITH HOLD FOR SELECT mal.shout()',
		'PREPARE planted AS SELECT mal.shout()',
		'LISTEN planted',
		'SET search_path = mal, pg_catalog',
		'SET session_replication_role = replica',
		'SET align.override = ''planted''',
		'SET ROLE regress_align_mal',
		'RESET ROLE',
		'SET SESSION AUTHORIZATION DEFAULT',
		'SET DateStyle = ''SQL, DMY''',
		'SET mal.setting = ''planted''']
	LOOP
		BEGIN
			EXECUTE command;
			what := 'done';
		EXCEPTION WHEN OTHERS THEN
			what := SQLERRM;
		END;
		INSERT INTO mal.told SELECT command, what WHERE what <> 'done' OR command LIKE 'INSERT%';
	END LOOP;
	RETURN NULL;
END $$;
CREATE FUNCTION shout() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE INFO 'shout runs as %', current_user; RETURN 1; END $$;
CREATE TABLE slow (x int);
CREATE CONSTRAINT TRIGGER b AFTER INSERT ON slow DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION bomb();
CREATE TABLE slow_if_set (x int);
CREATE CONSTRAINT TRIGGER b AFTER INSERT ON slow_if_set DEFERRABLE INITIALLY IMMEDIATE FOR EACH ROW EXECUTE FUNCTION bomb();
GRANT ALL ON ALL TABLES IN SCHEMA mal TO PUBLIC;
CREATE TABLE t (id int PRIMARY KEY, stage text, at timestamptz);
SELECT align.attach('t', 'security_planted', changed_at => 'at');
INSERT INTO t SELECT g, 'mql', '2020-01-01 00:00Z' FROM generate_series(1, 9) AS g;
CREATE TRIGGER plant AFTER INSERT OR UPDATE OR DELETE ON t_history FOR EACH STATEMENT EXECUTE FUNCTION plant();
CREATE TRIGGER plant AFTER INSERT OR UPDATE OR DELETE ON t_sla FOR EACH STATEMENT EXECUTE FUNCTION plant();
RESET ROLE;
RESET search_path;

-- Calls a function as the superuser who trusts it and tells what was left behind.
CREATE TABLE mal.settings_before AS SELECT name, setting FROM pg_settings WHERE name IN ('search_path', 'session_replication_role', 'DateStyle', 'align.override');
\set nothing_left 'SELECT current_user = session_user AS myself, coalesce(current_setting(''mal.setting'', true), '''') AS setting, to_regclass(''pg_temp.bombs'') AS temporary, (SELECT count(*) FROM pg_cursors WHERE name = ''c'') + (SELECT count(*) FROM pg_prepared_statements) AS left_over, (SELECT count(*) FROM pg_listening_channels()) AS listening, (SELECT count(*) FROM pg_settings s JOIN mal.settings_before b USING (name) WHERE s.setting <> b.setting) AS changed, (SELECT rolsuper FROM pg_roles WHERE rolname = ''regress_align_mal'') AS superuser;'
\pset format unaligned
SELECT align.notify_handoffs('mal.t');
:nothing_left
SELECT align.notify_due('mal.t');
:nothing_left
SELECT align.merge_leads('mal.t', 1, 2);
:nothing_left
-- (his own changes, which a superuser need not make for him)
\set quietly 'SET ROLE regress_align_mal; ALTER TABLE mal.t_history DISABLE TRIGGER plant; ALTER TABLE mal.t_sla DISABLE TRIGGER plant;'
\set again 'ALTER TABLE mal.t_history ENABLE TRIGGER plant; ALTER TABLE mal.t_sla ENABLE TRIGGER plant; RESET ROLE;'
:quietly
DELETE FROM mal.t WHERE id IN (1, 3);
:again
SELECT align.erase('mal.t', 1);
:nothing_left
SELECT align.purge('mal.t', now());
:nothing_left
SELECT count(*) FROM align.check('mal.t');
:nothing_left
SELECT align.agree('security_planted', $$
	stage mql held by marketing;
	won customer;
	success path mql -> customer;
	handoff take_up: mql from marketing to sales, accept customer, within 1 hours;
$$);
:nothing_left
-- what it did, and what it was told
SELECT what, how, count(*) > 0 AS so FROM mal.told GROUP BY what, how ORDER BY what COLLATE "C", how COLLATE "C";
TRUNCATE mal.told;

-- Attaching again, with rows that are adopted, detaching, and attaching to tables that
-- lie ready.
ALTER TABLE mal.t DISABLE TRIGGER USER;
INSERT INTO mal.t VALUES (20, 'mql', '2020-01-01');
UPDATE mal.t SET stage = 'customer' WHERE id = 4;
DELETE FROM mal.t WHERE id = 5;
SELECT align.attach('mal.t', 'security_planted', changed_at => 'at');
:nothing_left
SELECT align.detach('mal.t');
:nothing_left
DROP TABLE mal.t_sla;
SELECT align.attach('mal.t', 'security_planted', changed_at => 'at');
:nothing_left
SELECT align.detach('mal.t');
TRUNCATE mal.t_history, mal.t_sla;
SELECT align.attach('mal.t', 'security_planted', changed_at => 'at');
:nothing_left
SELECT count(*) > 0 AS planted FROM mal.told;
SELECT * FROM align.check('mal.t');
-- in one transaction with what the caller does afterwards
BEGIN;
SELECT align.notify_due('mal.t') >= 0 AS called;
:nothing_left
COMMIT;
:nothing_left
-- the scheduler's loop over all tables, as the page on alerts had it
DO $$
DECLARE
	attached regclass;
BEGIN
	FOR attached IN SELECT relation FROM align.attachments WHERE relation = 'mal.t'::regclass LOOP
		BEGIN
			PERFORM align.notify_handoffs(attached), align.notify_due(attached);
		EXCEPTION WHEN OTHERS THEN
			RAISE WARNING 'no alerts of %: %', attached, SQLERRM;
		END;
	END LOOP;
END $$;
:nothing_left
-- and in a subtransaction that fails
BEGIN;
SAVEPOINT s;
SELECT align.merge_leads('mal.t', 6, 999);
ROLLBACK TO s;
:nothing_left
COMMIT;

-- An error in planted code is an error, and leaves as little.
CREATE OR REPLACE FUNCTION mal.plant() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('mal.setting', 'planted', false); RAISE EXCEPTION 'no'; END $$;
CREATE TRIGGER plant AFTER UPDATE ON mal.t_sla FOR EACH STATEMENT EXECUTE FUNCTION mal.plant();
:quietly
INSERT INTO mal.t VALUES (30, 'mql', '2020-01-01');
:again
SELECT align.notify_due('mal.t');
:nothing_left

-- Ordinary recording is not restricted: it runs with the owner's rights, as the
-- owner's triggers on the table itself would.
CREATE OR REPLACE FUNCTION mal.plant() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE INFO 'trigger runs as %', current_user; INSERT INTO mal.slow VALUES (1); RETURN NULL; END $$;
DROP TRIGGER plant ON mal.t_sla;
CREATE OR REPLACE FUNCTION mal.bomb() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE INFO 'deferred trigger runs'; RETURN NULL; END $$;
INSERT INTO mal.t VALUES (31, 'mql', '2020-01-01');
:nothing_left
\pset format aligned

SET client_min_messages = warning;
DROP SCHEMA mal CASCADE;
DROP ROLE regress_align_mal;
