-- Functions of a table's owner that PostgreSQL calls outside of triggers (in indexes,
-- partition keys, domains, casts) never run as the superuser who calls a function of
-- align for the table; nor do they later, in changes that they leave pending.
SET TimeZone = 'UTC';
\set SHOW_CONTEXT never
CREATE ROLE regress_align_mallory;
CREATE SCHEMA as_owner AUTHORIZATION regress_align_mallory;
SET SESSION AUTHORIZATION regress_align_mallory;
SELECT align.agree('as_owner', $$
	stage mql held by marketing;
	stage sal held by sales;
	won customer;
	success path mql -> sal -> customer;
	handoff h: mql from marketing to sales, accept sal, within 1 hours;
$$);
-- the trap: makes its owner a superuser if a superuser runs it
CREATE FUNCTION as_owner.trap() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN
		RAISE WARNING 'the trap was sprung as superuser';
		ALTER ROLE regress_align_mallory SUPERUSER;
	END IF;
END $$;
CREATE FUNCTION as_owner.trapped(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM as_owner.trap(); RETURN 1; END $$;
CREATE FUNCTION as_owner.accepts(text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM as_owner.trap(); RETURN value_ok FROM (SELECT true AS value_ok) AS x; END $$;
RESET SESSION AUTHORIZATION;

-- Index predicates and expressions, partition keys.  The session begins anew, so that
-- nothing is in the caches.
SET SESSION AUTHORIZATION regress_align_mallory;
CREATE TABLE as_owner.t (id int NOT NULL, stage text, at timestamptz);
CREATE UNIQUE INDEX bbb ON as_owner.t (id) WHERE as_owner.trapped(2) = 1;
CREATE UNIQUE INDEX aaa ON as_owner.t ((id + as_owner.trapped(1)));
ALTER TABLE as_owner.t ADD PRIMARY KEY (id);
INSERT INTO as_owner.t VALUES (1, 'mql', '2020-01-01');
CREATE TABLE as_owner.p (id int NOT NULL, stage text) PARTITION BY RANGE ((id + as_owner.trapped(1)), id);
CREATE TABLE as_owner.p1 PARTITION OF as_owner.p DEFAULT;
\c -
\set VERBOSITY terse
SELECT align.attach('as_owner.t', 'as_owner', changed_at => 'at', opened_at => 'now');
-- a partition key that is an expression allows no unique index, but it is looked at
SELECT align.attach('as_owner.p', 'as_owner', key => '{id}', opened_at => 'now');
SET SESSION AUTHORIZATION regress_align_mallory;
CREATE INDEX ccc ON as_owner.t_history (recorded_at) WHERE as_owner.trapped(1) = 1;
CREATE INDEX ddd ON as_owner.t_history ((entry_no + as_owner.trapped(1)));
CREATE INDEX eee ON as_owner.t_sla ((cycle + as_owner.trapped(1)));
ALTER TABLE as_owner.t_sla DROP CONSTRAINT t_sla_pkey;
CREATE UNIQUE INDEX fff ON as_owner.t_sla (id, sla, cycle) WHERE as_owner.trapped(1) = 1;
\c -
\set VERBOSITY terse
SELECT * FROM align.check('as_owner.t');
\c -
SELECT align.notify_due('as_owner.t'), align.notify_handoffs('as_owner.t');
\c -
SELECT align.rebuild_clocks('as_owner.t');
\c -
SELECT align.purge('as_owner.t', now() - interval '1 day');
\c -
SELECT align.attach('as_owner.t', 'as_owner', changed_at => 'at', opened_at => 'now');
\c -
SELECT align.detach('as_owner.t');
SELECT rolsuper FROM pg_roles WHERE rolname = 'regress_align_mallory';

-- A domain as key, and domains inside of its type: not checked, or not read from text.
SET SESSION AUTHORIZATION regress_align_mallory;
CREATE DOMAIN as_owner.d AS text CHECK (as_owner.accepts(value));
CREATE TABLE as_owner.domains (id as_owner.d PRIMARY KEY, stage text);
SELECT align.attach('as_owner.domains', 'as_owner', opened_at => 'now');
INSERT INTO as_owner.domains VALUES ('a', 'mql'), ('b', 'mql'), ('c', 'mql');
DELETE FROM as_owner.domains WHERE id IN ('b', 'c');
CREATE TYPE as_owner.pair AS (a int, b as_owner.d);
CREATE TABLE as_owner.pairs (id as_owner.pair PRIMARY KEY, n int NOT NULL, stage text, UNIQUE (id, n));
SELECT align.attach('as_owner.pairs', 'as_owner', key => '{id,n}', opened_at => 'now');
INSERT INTO as_owner.pairs VALUES ('(1,x)', 1, 'mql');
RESET SESSION AUTHORIZATION;
SELECT align.erase('as_owner.domains', 'b'::text);
SELECT align.merge_leads('as_owner.domains', 'c', 'a');
SELECT key, align.path(lead) FROM align.journeys('as_owner.domains', 'a'::text);
SELECT key, sla FROM align.clocks('as_owner.domains', now(), '{"id": "a"}'::jsonb);
SELECT allowed FROM align.explain_move('as_owner.domains', 'a', 'sal');
\set VERBOSITY default
SELECT key FROM align.journeys('as_owner.pairs', '("(1,x)",1)'::text);
SELECT key FROM align.journeys('as_owner.pairs', '{"id": "(1,x)", "n": 1}'::jsonb);
SELECT key FROM align.clocks('as_owner.pairs', now(), ROW('(1,x)', 1));
SELECT align.erase('as_owner.pairs', ROW('(1,x)', 1));
\set VERBOSITY terse
SELECT rolsuper FROM pg_roles WHERE rolname = 'regress_align_mallory';
-- with a value of its type, whose constraints the caller has checked
SET SESSION AUTHORIZATION regress_align_mallory;
SELECT key FROM align.journeys('as_owner.pairs', ROW('(1,x)'::as_owner.pair, 1));

-- Casts to json.
CREATE TYPE as_owner.k AS ENUM ('a', 'b');
CREATE FUNCTION as_owner.k_to_json(as_owner.k) RETURNS json LANGUAGE plpgsql AS $$ BEGIN PERFORM as_owner.trap(); RETURN '1'; END $$;
CREATE TABLE as_owner.casts (id as_owner.k PRIMARY KEY, stage text, at timestamptz);
SELECT align.attach('as_owner.casts', 'as_owner', changed_at => 'at', opened_at => 'now');
INSERT INTO as_owner.casts VALUES ('a', 'mql', '2020-01-01');
CREATE CAST (as_owner.k AS json) WITH FUNCTION as_owner.k_to_json(as_owner.k);
RESET SESSION AUTHORIZATION;
SELECT align.notify_due('as_owner.casts'), align.notify_handoffs('as_owner.casts');
ALTER TABLE as_owner.casts DISABLE TRIGGER USER;
UPDATE as_owner.casts SET stage = 'sal';
ALTER TABLE as_owner.casts ENABLE TRIGGER USER;
SELECT * FROM align.check('as_owner.casts');
SELECT key, sla FROM align.clocks('as_owner.casts');
SELECT key FROM align.journeys('as_owner.casts');
SELECT rolsuper FROM pg_roles WHERE rolname = 'regress_align_mallory';

-- Changes that the owner's code leaves pending are written as they were made: in a
-- security-restricted operation.
SET SESSION AUTHORIZATION regress_align_mallory;
CREATE TABLE as_owner.clocks (id int PRIMARY KEY, stage text, at timestamptz);
SELECT align.attach('as_owner.clocks', 'as_owner', changed_at => 'at', opened_at => 'now');
INSERT INTO as_owner.clocks VALUES (1, 'mql', '2020-01-01');
CREATE TABLE as_owner.later (id int PRIMARY KEY, stage text);
SELECT align.attach('as_owner.later', 'as_owner', opened_at => 'now');
ALTER TABLE as_owner.later DISABLE TRIGGER align_flush;
CREATE FUNCTION as_owner.spring() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM as_owner.trap(); RETURN NULL; END $$;
CREATE FUNCTION as_owner.leave_table() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	CREATE TEMP TABLE bomb (x int);
	CREATE CONSTRAINT TRIGGER b AFTER INSERT ON bomb DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION as_owner.spring();
	INSERT INTO bomb VALUES (1);
	RETURN NULL;
END $$;
CREATE TRIGGER leave_table AFTER INSERT ON as_owner.later_history FOR EACH STATEMENT EXECUTE FUNCTION as_owner.leave_table();
CREATE FUNCTION as_owner.leave_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO as_owner.later VALUES (1, 'mql'); RETURN NULL; END $$;
CREATE TRIGGER leave_change AFTER UPDATE ON as_owner.clocks_sla FOR EACH STATEMENT EXECUTE FUNCTION as_owner.leave_change();
RESET SESSION AUTHORIZATION;
-- at commit, by the next function, and after a subtransaction
SELECT align.notify_due('as_owner.clocks');
BEGIN;
SELECT align.notify_due('as_owner.clocks');
SELECT align.purge('as_owner.clocks', now() - interval '1 day');
ROLLBACK;
BEGIN;
SELECT align.notify_due('as_owner.clocks');
SELECT key FROM align.journeys('as_owner.later');
ROLLBACK;
BEGIN;
SAVEPOINT a;
SELECT align.notify_due('as_owner.clocks');
ROLLBACK TO a;
COMMIT;
BEGIN;
SAVEPOINT a;
SELECT align.notify_due('as_owner.clocks');
RELEASE a;
COMMIT;
-- a deferred trigger on the history
SET SESSION AUTHORIZATION regress_align_mallory;
DROP TRIGGER leave_table ON as_owner.later_history;
CREATE CONSTRAINT TRIGGER spring AFTER INSERT ON as_owner.later_history DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION as_owner.spring();
RESET SESSION AUTHORIZATION;
SELECT align.notify_due('as_owner.clocks');
-- nothing is left behind without traps
SET SESSION AUTHORIZATION regress_align_mallory;
DROP TRIGGER spring ON as_owner.later_history;
RESET SESSION AUTHORIZATION;
SELECT align.notify_due('as_owner.clocks');
SELECT id, entry_no, event, stage FROM as_owner.later_history;
SELECT rolsuper FROM pg_roles WHERE rolname = 'regress_align_mallory';

-- agree() by a superuser, over a stage column with a cast of the owner's
SELECT align.agree('as_owner_of_all', 'stage mql held by marketing; stage sal held by sales; won customer; success path mql -> sal -> customer;');
SELECT align.admit('as_owner_of_all', 'regress_align_mallory');
SET SESSION AUTHORIZATION regress_align_mallory;
CREATE TYPE as_owner.stage AS ENUM ('mql', 'sal', 'customer');
CREATE TABLE as_owner.stages (id int PRIMARY KEY, stage as_owner.stage);
SELECT align.attach('as_owner.stages', 'as_owner_of_all', opened_at => 'now');
INSERT INTO as_owner.stages VALUES (1, 'mql');
CREATE FUNCTION as_owner.stage_to_text(as_owner.stage) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM as_owner.trap(); RETURN enum_out($1); END $$;
CREATE CAST (as_owner.stage AS text) WITH FUNCTION as_owner.stage_to_text(as_owner.stage);
RESET SESSION AUTHORIZATION;
SELECT align.agree('as_owner_of_all', 'stage mql held by marketing; won customer; success path mql -> customer;');
SELECT rolsuper FROM pg_roles WHERE rolname = 'regress_align_mallory';

-- A trigger that makes the plan invalid that fired it, and needs it again.
SET SESSION AUTHORIZATION regress_align_mallory;
CREATE TABLE as_owner.plans (id int PRIMARY KEY, stage text);
SELECT align.attach('as_owner.plans', 'as_owner', opened_at => 'now');
INSERT INTO as_owner.plans SELECT g, 'mql' FROM generate_series(1, 3) AS g;
CREATE FUNCTION as_owner.again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF pg_trigger_depth() < 3 THEN
		GRANT SELECT ON as_owner.plans_history TO PUBLIC;
		PERFORM align.merge_leads('as_owner.plans', 2, 3);
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER z AFTER INSERT ON as_owner.plans_history FOR EACH ROW EXECUTE FUNCTION as_owner.again();
UPDATE as_owner.plans SET stage = 'sal' WHERE id = 1;
SELECT id, entry_no, event, stage FROM as_owner.plans_history ORDER BY id, entry_no;

-- A constraint of the owner's on the history that rebuilds the clocks meanwhile.
CREATE TABLE as_owner.meanwhile (id int PRIMARY KEY, stage text);
SELECT align.attach('as_owner.meanwhile', 'as_owner', opened_at => 'now');
INSERT INTO as_owner.meanwhile VALUES (1, 'mql');
CREATE FUNCTION as_owner.rebuilds(int) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	IF $1 > 1 THEN PERFORM align.rebuild_clocks('as_owner.meanwhile'); END IF;
	RETURN true;
END $$;
ALTER TABLE as_owner.meanwhile_history ADD CHECK (as_owner.rebuilds(entry_no));
\set VERBOSITY sqlstate
UPDATE as_owner.meanwhile SET stage = 'sal';
\set VERBOSITY terse
-- one that adds a change whenever one is written can be cancelled
CREATE TABLE as_owner.forever (id int PRIMARY KEY, stage text);
SELECT align.attach('as_owner.forever', 'as_owner', opened_at => 'now');
CREATE FUNCTION as_owner.more() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO as_owner.forever SELECT max(id) + 1, 'mql' FROM as_owner.forever; RETURN NULL; END $$;
CREATE TRIGGER more AFTER INSERT ON as_owner.forever_history FOR EACH STATEMENT EXECUTE FUNCTION as_owner.more();
SET statement_timeout = '300ms';
INSERT INTO as_owner.forever VALUES (1, 'mql');
RESET statement_timeout;
RESET SESSION AUTHORIZATION;

-- check(): privileges of the caller.
CREATE ROLE regress_align_reader;
SET SESSION AUTHORIZATION regress_align_mallory;
CREATE TABLE as_owner.read (id int PRIMARY KEY, stage text, gone boolean, other text);
SELECT align.attach('as_owner.read', 'as_owner', live => 'gone IS NOT TRUE', opened_at => 'now');
CREATE FUNCTION as_owner.checked(grants text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE state text = 'ok'; BEGIN
	EXECUTE grants;
	SET LOCAL ROLE regress_align_reader;
	BEGIN PERFORM align.check(current_setting('as_owner.oid')::oid); EXCEPTION WHEN insufficient_privilege THEN state = SQLERRM; END;
	RESET ROLE;
	RETURN state;
END $$;
RESET SESSION AUTHORIZATION;
SELECT set_config('as_owner.oid', 'as_owner.read'::regclass::oid::text, false) = '' AS no;
SELECT as_owner.checked('SELECT');
SELECT as_owner.checked('GRANT USAGE ON SCHEMA as_owner TO regress_align_reader');
SELECT as_owner.checked('GRANT SELECT (id, stage) ON as_owner.read TO regress_align_reader');
SELECT as_owner.checked('GRANT SELECT (gone) ON as_owner.read TO regress_align_reader');
SELECT as_owner.checked('GRANT SELECT ON as_owner.read_history TO regress_align_reader');
SELECT as_owner.checked('GRANT SELECT (id, sla) ON as_owner.read_sla TO regress_align_reader');
SELECT as_owner.checked('GRANT SELECT ON as_owner.read_sla TO regress_align_reader');
SELECT as_owner.checked('REVOKE SELECT (gone) ON as_owner.read FROM regress_align_reader');
-- the owner, where row-level security is forced on the owner
ALTER TABLE as_owner.read ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
SET SESSION AUTHORIZATION regress_align_mallory;
INSERT INTO as_owner.read VALUES (1, 'mql');
ALTER TABLE as_owner.read NO FORCE ROW LEVEL SECURITY, DISABLE TRIGGER USER;
INSERT INTO as_owner.read VALUES (2, 'mql');
ALTER TABLE as_owner.read FORCE ROW LEVEL SECURITY, ENABLE TRIGGER USER;
SELECT count(*) FROM as_owner.read;
SELECT key, problem FROM align.check('as_owner.read') WHERE key IS NOT NULL;
RESET SESSION AUTHORIZATION;

SET client_min_messages = warning;
DROP SCHEMA as_owner CASCADE;
DROP ROLE regress_align_mallory, regress_align_reader;
