-- Every rule, in the three modes: what is raised, with which fields, and what is
-- recorded.
\a
CREATE SCHEMA vr;
SELECT align.agree('vr', $$
    stage inquiry, mql held by marketing;
    stage sal, sql held by sales;
    stage nurture held by marketing;
    won customer;
    lost disqualified;
    entry inquiry, mql;
    success path inquiry -> mql -> sal -> sql -> customer;
    path mql, sal, sql -> nurture -> mql;
    path any -> disqualified;
    handoff speed_to_lead: mql from marketing to sales, accept sal,
        reject nurture, disqualified with reason (no_budget, poor_fit), within 4 hours;
    sql needs budget, 'budget >= 1000';
    sal -> nurture needs timeline, reason;
    sal known as 'S-ACC', '3';
$$);
CREATE TABLE vr.leads (id bigint PRIMARY KEY, stage text, budget numeric, timeline text, reason text);
SELECT align.attach('vr.leads', 'vr', reason => 'reason');
CREATE TABLE vr.no_reason (a int, b text, stage text, budget int, timeline text, PRIMARY KEY (b, a));
SELECT align.attach('vr.no_reason', 'vr', mode => 'warn');

-- What a client gets to see of an error.
CREATE FUNCTION vr.attempt(command text) RETURNS TABLE (field text, value text) LANGUAGE plpgsql AS $$
DECLARE
	message text;
	detail text;
	hint text;
	schema_field text;
	table_field text;
	column_field text;
BEGIN
	EXECUTE command;
	RETURN QUERY SELECT 'allowed', NULL::text;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT,
		schema_field = SCHEMA_NAME, table_field = TABLE_NAME, column_field = COLUMN_NAME;
	RETURN QUERY SELECT * FROM (VALUES (SQLSTATE, message), ('detail', detail), ('hint', hint),
									   ('column', concat_ws(' . ', schema_field, table_field, column_field))) f
				 WHERE column2 <> '';
END $$;

INSERT INTO vr.leads VALUES (1, 'inquiry'), (2, 'mql'), (3, NULL);
\t
-- unknown_stage
SELECT * FROM vr.attempt($$UPDATE vr.leads SET stage = 'Mql' WHERE id = 1$$);
SELECT * FROM vr.attempt($$INSERT INTO vr.leads VALUES (4, '')$$);
-- illegal_move
SELECT * FROM vr.attempt($$UPDATE vr.leads SET stage = 'customer' WHERE id = 1$$);
-- not_an_entry: also where a stage is set at last
SELECT * FROM vr.attempt($$INSERT INTO vr.leads VALUES (4, 'customer')$$);
SELECT * FROM vr.attempt($$UPDATE vr.leads SET stage = 'sal' WHERE id = 3$$);
-- missing_reason, unlisted_reason
SELECT * FROM vr.attempt($$UPDATE vr.leads SET stage = 'disqualified' WHERE id = 2$$);
SELECT * FROM vr.attempt($$UPDATE vr.leads SET stage = 'disqualified', reason = '' WHERE id = 2$$);
SELECT * FROM vr.attempt($$UPDATE vr.leads SET stage = 'disqualified', reason = 'bored' WHERE id = 2$$);
-- no move: another label of the same stage; other columns
SELECT * FROM vr.attempt($$UPDATE vr.leads SET stage = 'sal' WHERE id = 2$$);
SELECT * FROM vr.attempt($$UPDATE vr.leads SET stage = 'S-ACC' WHERE id = 2$$);
SELECT * FROM vr.attempt($$UPDATE vr.leads SET budget = 1, timeline = ' ' WHERE id = 2$$);
-- missing_need: of the stage, of the move; met in the same statement
SELECT * FROM vr.attempt($$UPDATE vr.leads SET stage = 'sql' WHERE id = 2$$);
SELECT * FROM vr.attempt($$UPDATE vr.leads SET stage = 'sql', budget = NULL WHERE id = 2$$);
SELECT * FROM vr.attempt($$UPDATE vr.leads SET stage = 'nurture' WHERE id = 2$$);
SELECT * FROM vr.attempt($$UPDATE vr.leads SET stage = 'sql', budget = 1000 WHERE id = 2$$);
-- left_funnel
SELECT * FROM vr.attempt($$UPDATE vr.leads SET stage = NULL WHERE id = 2$$);
-- one bad row of many, and the statement has not happened
SELECT * FROM vr.attempt($$UPDATE vr.leads SET stage = 'disqualified', reason = 'no_budget'$$);
\t
SELECT id, entry_no, event, from_stage, stage, reason, violation FROM vr.leads_history ORDER BY id, entry_no;

-- Warned: each rule that is broken.
INSERT INTO vr.no_reason VALUES (1, 'x, y', 'sal');
UPDATE vr.no_reason SET stage = 'nowhere';
UPDATE vr.no_reason SET stage = 'mql';
UPDATE vr.no_reason SET stage = NULL;
\set VERBOSITY sqlstate
UPDATE vr.no_reason SET stage = 'mql';
UPDATE vr.no_reason SET stage = 'inquiry';
\set VERBOSITY default
SELECT align.attach('vr.leads', 'vr', reason => 'reason', mode => 'warn');
INSERT INTO vr.leads VALUES (10, 'inquiry'), (11, 'sql');
UPDATE vr.leads SET stage = 'sql' WHERE id = 10;
UPDATE vr.leads SET stage = 'nurture' WHERE id = 10;
SELECT id, entry_no, event, from_stage, stage, violation FROM vr.leads_history WHERE id = 10 ORDER BY entry_no;
SELECT a, b, entry_no, event, from_stage, stage, violation FROM vr.no_reason_history ORDER BY entry_no;

-- Observed: silently.
SELECT align.attach('vr.leads', 'vr', reason => 'reason', mode => 'observe');
UPDATE vr.leads SET stage = 'elsewhere', reason = 'bored' WHERE id = 11;
UPDATE vr.leads SET stage = 'sal', reason = 'bored' WHERE id = 11;
UPDATE vr.leads SET stage = 'mql', reason = 'bored' WHERE id = 11;
UPDATE vr.leads SET stage = 'disqualified', reason = 'bored' WHERE id = 11;
SELECT id, entry_no, event, from_stage, stage, violation FROM vr.leads_history WHERE id = 11 ORDER BY entry_no;

-- Columns of every type that can tell a stage: labels as the row writes them.
CREATE TYPE vr.status AS ENUM ('inquiry', 'mql', 'S-ACC', 'sql', 'customer', 'gone');
CREATE DOMAIN vr.status_domain AS varchar(20) CHECK (VALUE <> 'never');
CREATE DOMAIN vr.status_domain_2 AS vr.status_domain;
CREATE TABLE vr.types (id int PRIMARY KEY, t text, v varchar(20), c char(20), n name, e vr.status, i int, s smallint, l bigint, d vr.status_domain_2);
SELECT align.agree('vt', $$
    stage inquiry, mql, sal, sql; won customer;
    success path inquiry -> mql -> sal -> sql -> customer;
    inquiry known as '1'; mql known as '2'; sal known as 'S-ACC', '3'; sql known as '4';
$$);
INSERT INTO vr.types (id) VALUES (1);
CREATE FUNCTION vr.walk(col text, labels text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	label text;
	message text;
BEGIN
	PERFORM align.attach('vr.types', 'vt', stage => col);
	FOREACH label IN ARRAY labels LOOP
		BEGIN
			EXECUTE format('UPDATE vr.types SET %I = %L', col, label);
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
			RETURN NEXT format('%s: %s', SQLSTATE, message);
		END;
	END LOOP;
	PERFORM align.detach('vr.types');
	RETURN QUERY SELECT string_agg(stage, ' ' ORDER BY entry_no) FROM vr.types_history WHERE event <> 'deleted';
	EXECUTE 'DROP TABLE vr.types_history, vr.types_sla';
END $$;
\t
SELECT col, w FROM unnest('{t,v,c,n,d}'::text[]) col, vr.walk(col, '{inquiry,2,sal,S-ACC,customer,x,"sal ",sql}') w;
SELECT 'e', vr.walk('e', '{inquiry,mql,S-ACC,customer,gone,sql}');
SELECT col, w FROM unnest('{i,s,l}'::text[]) col, vr.walk(col, '{1,2,3,0,-7,5,4}') w;
\t

-- A renamed enum value is read by its new name at once (and found where the
-- history did not see it go); more values than labels.
ALTER TABLE vr.types ADD stage vr.status;
SELECT align.attach('vr.types', 'vt');
UPDATE vr.types SET stage = 'inquiry';
ALTER TYPE vr.status RENAME VALUE 'gone' TO '2';
UPDATE vr.types SET stage = '2';
ALTER TYPE vr.status RENAME VALUE '2' TO 'gone';
ALTER TYPE vr.status RENAME VALUE 'mql' TO '2';
UPDATE vr.types SET stage = 'S-ACC';
SELECT event, from_stage, stage, violation, source FROM vr.types_history ORDER BY entry_no;
CREATE TABLE vr.many (id int PRIMARY KEY, stage int);
SELECT align.attach('vr.many', 'vt', mode => 'observe');
INSERT INTO vr.many SELECT i, i FROM generate_series(1, 3000) i;
UPDATE vr.many SET stage = stage % 5;
SELECT stage, violation, count(*) FROM vr.many_history WHERE entry_no = 2 GROUP BY 1, 2 ORDER BY 1;

-- The fields name the attached table, also of a partition in another schema; odd
-- names are shown as they are.
CREATE SCHEMA "vr ""odd""";
CREATE TABLE "vr ""odd"""."le%ds" ("i%d" int, "st""age" text, PRIMARY KEY ("i%d")) PARTITION BY RANGE ("i%d");
CREATE TABLE vr.part PARTITION OF "vr ""odd"""."le%ds" FOR VALUES FROM (0) TO (100);
SELECT align.attach('"vr ""odd""".le%ds', 'vt', stage => 'st"age');
INSERT INTO "vr ""odd"""."le%ds" VALUES (1, '%s');
SELECT * FROM vr.attempt($$INSERT INTO vr.part VALUES (1, '%s')$$);
SELECT * FROM vr.attempt($$INSERT INTO "vr ""odd"""."le%ds" VALUES (1, 'sal')$$);

SET client_min_messages = warning;
DROP SCHEMA vr CASCADE;
DROP SCHEMA "vr ""odd""" CASCADE;
