-- A search path full of traps: objects of the caller's that are called like those
-- that align needs are never used, neither as the caller nor as the table's owner.
SET TimeZone = 'UTC';
\set SHOW_CONTEXT never
CREATE ROLE regress_align_victim;
CREATE ROLE regress_align_thief;
CREATE SCHEMA security_paths AUTHORIZATION regress_align_victim;
GRANT USAGE ON SCHEMA security_paths TO regress_align_thief;
SELECT align.agree('security_paths', $$
	stage mql held by marketing;
	stage sal, sql held by sales;
	won customer;
	lost disqualified;
	success path mql -> sal -> sql -> customer;
	path any -> disqualified;
	handoff take_up: mql from marketing to sales, accept sal, within 2 days;
	sla qualify by sales: from sal to sql within 5 days;
	sal needs owner;
	sql needs 'budget + 1 > 10 AND owner LIKE ''a%'' AND length(owner) < 10';
$$);
SELECT align.admit('security_paths', 'regress_align_victim');
SET ROLE regress_align_victim;
CREATE TABLE security_paths.leads (id int, region text, stage text, reason text, owner text, budget int, happened_at timestamptz, PRIMARY KEY (id, region));
INSERT INTO security_paths.leads SELECT i, 'emea', 'mql', NULL, 'ann', 100, '2024-01-01 00:00+00' FROM generate_series(1, 9) AS i;
GRANT SELECT, INSERT, UPDATE, DELETE ON security_paths.leads TO regress_align_thief;
RESET ROLE;

-- The traps: all operators and functions that anybody would use, the types, the
-- tables; each tells as whom it was sprung.
CREATE SCHEMA trap AUTHORIZATION regress_align_thief;
GRANT USAGE ON SCHEMA trap TO PUBLIC;
SET ROLE regress_align_thief;
CREATE FUNCTION trap.sprung() RETURNS boolean LANGUAGE plpgsql AS
	$$ BEGIN RAISE EXCEPTION 'the trap is sprung, as %', current_user; END $$;
DO $$
DECLARE
	o record;
	f record;
BEGIN
	FOR o IN SELECT DISTINCT oprname, l.typname AS l, r.typname AS r, t.typname AS result
			 FROM pg_operator JOIN pg_type l ON l.oid = oprleft JOIN pg_type r ON r.oid = oprright JOIN pg_type t ON t.oid = oprresult
			 WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprname IN ('=', '<>', '<', '>', '<=', '>=', '+', '-', '*', '||', '~~', '&&', '@>', '->', '->>')
				AND l.typname IN ('int4', 'int8', 'text', 'name', 'timestamptz', 'interval', 'numeric', 'oid', 'jsonb', 'tstzmultirange', 'tstzrange', 'bool', 'bpchar', 'anyarray', 'anycompatiblearray', 'regclass')
				AND r.typname IN ('int4', 'int8', 'text', 'name', 'timestamptz', 'interval', 'numeric', 'oid', 'jsonb', 'tstzmultirange', 'tstzrange', 'bool', 'bpchar', 'anyarray', 'anycompatiblearray', 'regclass')
	LOOP
		EXECUTE format('CREATE FUNCTION trap.%I(pg_catalog.%I, pg_catalog.%I) RETURNS pg_catalog.%I LANGUAGE sql AS ''SELECT NULL::pg_catalog.%I WHERE trap.sprung()''',
			'op_' || md5(o.oprname || o.l || o.r), o.l, o.r, o.result, o.result);
		EXECUTE format('CREATE OPERATOR trap.%s (FUNCTION = trap.%I, LEFTARG = pg_catalog.%I, RIGHTARG = pg_catalog.%I)',
			o.oprname, 'op_' || md5(o.oprname || o.l || o.r), o.l, o.r);
	END LOOP;
	FOR f IN SELECT p.proname, pg_get_function_identity_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS result
			 FROM pg_proc p
			 WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f' AND NOT proretset AND NOT 'internal'::regtype = ANY (proargtypes) AND NOT 'cstring'::regtype = ANY (proargtypes)
				AND prorettype <> 'internal'::regtype AND prorettype <> 'cstring'::regtype
				AND proname IN ('now', 'clock_timestamp', 'length', 'lower', 'upper', 'btrim', 'format', 'quote_ident', 'quote_literal', 'jsonb_build_object', 'to_jsonb', 'coalesce', 'isempty', 'upper_inf', 'current_user', 'greatest', 'array_length', 'cardinality', 'set_config', 'current_setting', 'make_interval', 'like', 'textlike')
	LOOP
		BEGIN
			EXECUTE format('CREATE FUNCTION trap.%I(%s) RETURNS %s LANGUAGE sql AS ''SELECT NULL::%s WHERE trap.sprung()''', f.proname, f.arguments, f.result, f.result);
		EXCEPTION WHEN invalid_function_definition OR datatype_mismatch OR syntax_error OR undefined_object THEN
			NULL;				-- polymorphic ones
		END;
	END LOOP;
END
$$;
SELECT count(*) > 80 AS many FROM pg_operator WHERE oprnamespace = 'trap'::regnamespace;
CREATE FUNCTION trap.max(int) RETURNS int LANGUAGE sql AS 'SELECT 1 WHERE trap.sprung()';
CREATE FUNCTION trap.max(timestamptz) RETURNS timestamptz LANGUAGE sql AS 'SELECT NULL::timestamptz WHERE trap.sprung()';
CREATE FUNCTION trap.count() RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint WHERE trap.sprung()';
CREATE FUNCTION trap.record_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM trap.sprung(); RETURN NULL; END $$;
CREATE DOMAIN trap.text AS pg_catalog.text CHECK (trap.sprung());
CREATE DOMAIN trap.int4 AS pg_catalog.int4 CHECK (trap.sprung());
CREATE DOMAIN trap.timestamptz AS pg_catalog.timestamptz CHECK (trap.sprung());
CREATE DOMAIN trap.name AS pg_catalog.name CHECK (trap.sprung());
CREATE DOMAIN trap.interval AS pg_catalog.interval CHECK (trap.sprung());
CREATE DOMAIN trap.tstzmultirange AS pg_catalog.tstzmultirange CHECK (trap.sprung());
CREATE DOMAIN trap.jsonb AS pg_catalog.jsonb CHECK (trap.sprung());
CREATE DOMAIN trap.regclass AS pg_catalog.regclass CHECK (trap.sprung());
CREATE TABLE trap.leads (id int, region pg_catalog.text, stage pg_catalog.text);
CREATE TABLE trap.leads_history (id int);
CREATE TABLE trap.leads_sla (id int);
CREATE TABLE trap.agreement (id int);
CREATE TABLE trap.align_changes (id int);
CREATE TABLE trap.align_entries (id int);
CREATE TABLE trap.align_clocks (id int);
CREATE TABLE trap.pg_trigger (id int);
CREATE TABLE trap.pg_class (id int);
CREATE TEMP TABLE leads (id int);
CREATE TEMP TABLE leads_history (id int);
CREATE TEMP TABLE leads_sla (id int);
CREATE TEMP TABLE agreement (id int);
CREATE TEMP TABLE align_changes (id int, entry_no pg_catalog.text);
CREATE TEMP TABLE align_entries (id int, entry_no pg_catalog.text);
CREATE TEMP TABLE align_clocks (id int);
CREATE TEMP TABLE align_leads (id int);
CREATE TEMP TABLE align_history (id int);
CREATE TEMP TABLE align_sla (id int);
CREATE TEMP TABLE align_keys (id int);
CREATE TEMP TABLE pg_trigger (id int);
RESET ROLE;

-- Attaching and reading with the traps set, as the owner.
SET ROLE regress_align_victim;
SET search_path = trap, pg_catalog, align;
SELECT align.attach('security_paths.leads', 'security_paths', reason => 'reason', assignee => 'owner', changed_at => 'happened_at', live => 'owner <> ''gone''');
SELECT align.attach('security_paths.leads', 'security_paths', reason => 'reason', assignee => 'owner', changed_at => 'happened_at');
SELECT relation, agreement, mode, stage, key, history, sla FROM align.attachments;

-- Writing, as the thief.
SET ROLE regress_align_thief;
UPDATE security_paths.leads SET stage = 'sal', happened_at = '2024-01-02 00:00+00' WHERE id OPERATOR(pg_catalog.=) 1;
UPDATE security_paths.leads SET stage = 'sal' WHERE id OPERATOR(pg_catalog.=) ANY ('{2,3,4}'::pg_catalog.int4[]);
UPDATE security_paths.leads SET stage = 'sql' WHERE id OPERATOR(pg_catalog.=) ANY ('{2,3}'::pg_catalog.int4[]);
UPDATE security_paths.leads SET stage = 'disqualified', happened_at = '2023-12-01 00:00+00' WHERE id OPERATOR(pg_catalog.=) 3;
UPDATE security_paths.leads SET stage = 'customer' WHERE id OPERATOR(pg_catalog.=) 5;
UPDATE security_paths.leads SET owner = 'bob' WHERE id OPERATOR(pg_catalog.=) 4;
UPDATE security_paths.leads SET stage = 'sql' WHERE id OPERATOR(pg_catalog.=) 4;
UPDATE security_paths.leads SET region = 'apac' WHERE id OPERATOR(pg_catalog.=) 4;
INSERT INTO security_paths.leads VALUES (10, 'emea', 'mql', NULL, 'ann', 1);
INSERT INTO security_paths.leads VALUES (10, 'emea', 'mql') ON CONFLICT (id, region) DO UPDATE SET stage = 'sal';
DELETE FROM security_paths.leads WHERE id OPERATOR(pg_catalog.=) 6;
SELECT current_user;

-- Reading and repairing, as the owner.
SET ROLE regress_align_victim;
SELECT * FROM align.explain_move('security_paths.leads', '{"id": 1, "region": "emea"}'::pg_catalog.jsonb, 'sql');
SELECT * FROM align.explain_move('security_paths.leads', '{"id": 1, "region": "emea"}'::pg_catalog.jsonb, 'customer');
SELECT key, align.path(lead) FROM align.journeys('security_paths.leads') ORDER BY 1 USING OPERATOR(pg_catalog.<);
SELECT key, sla, cycle, team, assignee, state, version FROM align.clocks('security_paths.leads', '2024-01-02 12:00+00') ORDER BY key USING OPERATOR(pg_catalog.<), sla USING OPERATOR(pg_catalog.<);
SELECT rule, from_stage, stage, leads, entries FROM align.backtest('security_paths.leads'::pg_catalog.regclass, align.agreed('security_paths'));
SELECT align.notify_handoffs('security_paths.leads'), align.notify_due('security_paths.leads') OPERATOR(pg_catalog.>=) 0 AS due;
DELETE FROM security_paths.leads WHERE id OPERATOR(pg_catalog.=) 7;
SELECT align.merge_leads('security_paths.leads', '{"id": 7, "region": "emea"}'::pg_catalog.jsonb, '{"id": 8, "region": "emea"}'::pg_catalog.jsonb) OPERATOR(pg_catalog.>) 0 AS merged;
SELECT align.erase('security_paths.leads', '{"id": 6, "region": "emea"}'::pg_catalog.jsonb) OPERATOR(pg_catalog.>) 0 AS erased;
SELECT * FROM align.check('security_paths.leads');
RESET ROLE;
SELECT align.agree('security_paths', align.agreed('security_paths'));
SELECT align.agree('security_paths', $$
	stage mql, sal held by sales;
	won customer;
	lost disqualified;
	success path mql -> sal -> customer;
	path any -> disqualified;
$$);
SET ROLE regress_align_victim;
TRUNCATE security_paths.leads;
SELECT * FROM align.check('security_paths.leads');
SELECT align.detach('security_paths.leads');
RESET ROLE;
RESET search_path;
SELECT id, region, entry_no, event, from_stage, stage, assignee, db_role, source FROM security_paths.leads_history WHERE id IN (1, 3, 4, 10) ORDER BY id, entry_no, region;

SET client_min_messages = warning;
DROP SCHEMA security_paths, trap CASCADE;
DROP TABLE pg_temp.leads, pg_temp.leads_history, pg_temp.leads_sla, pg_temp.agreement, pg_temp.align_changes, pg_temp.align_entries, pg_temp.align_clocks,
	pg_temp.align_leads, pg_temp.align_history, pg_temp.align_sla, pg_temp.align_keys, pg_temp.pg_trigger;
DROP ROLE regress_align_victim, regress_align_thief;
