-- Conditions that mean harm: what a stage needs, and live, may look at the row
-- and nowhere else.
SET TimeZone = 'UTC';
\set SHOW_CONTEXT never
CREATE SCHEMA security_conditions;
SET search_path = security_conditions;
CREATE FUNCTION evil(text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE EXCEPTION 'evil, as %', current_user; END $$;
CREATE FUNCTION evil_definer(text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE SECURITY DEFINER AS $$ BEGIN RAISE EXCEPTION 'evil, as %', current_user; END $$;
CREATE FUNCTION length(text) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1 WHERE security_conditions.evil($1)';
CREATE FUNCTION evil2(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT security_conditions.evil($1)';
CREATE OPERATOR === (FUNCTION = evil2, LEFTARG = text, RIGHTARG = text);
CREATE DOMAIN checked AS text CHECK (VALUE IS NULL OR security_conditions.evil(VALUE));
CREATE TYPE pair AS (a text, b text);
CREATE FUNCTION pair_to_bool(pair) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT security_conditions.evil(''cast'')';
CREATE CAST (pair AS boolean) WITH FUNCTION pair_to_bool(pair) AS IMPLICIT;
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE FUNCTION mood_to_bool(mood) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT security_conditions.evil(''cast'')';
CREATE CAST (mood AS boolean) WITH FUNCTION mood_to_bool(mood) AS IMPLICIT;
CREATE AGGREGATE evil_agg(boolean) (SFUNC = boolor_statefunc, STYPE = boolean);
CREATE TABLE other (id int);
CREATE TABLE leads (id int PRIMARY KEY, stage text, owner text, budget numeric, p pair, m mood, c checked, j jsonb, t timestamptz);
INSERT INTO leads (id, stage, owner, budget) VALUES (1, 'mql', 'ann', 10);

-- Agrees and attaches in a subtransaction, and tells what was said.
CREATE PROCEDURE attempt(condition text) LANGUAGE plpgsql AS
$$
DECLARE
	code text;
	message text;
	detail text;
BEGIN
	PERFORM align.agree('security_conditions', format('stage mql; stage sql; won deal; success path mql -> sql -> deal; sql needs %L;', condition));
	PERFORM align.attach('security_conditions.leads', 'security_conditions');
	RAISE NOTICE 'attached';
	UPDATE security_conditions.leads SET stage = 'sql';
	RAISE EXCEPTION 'moved';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	RAISE NOTICE '% % | %', code, message, CASE WHEN code = '42P17' THEN detail END;
END
$$;

-- what is fine
CALL attempt('budget >= 10 AND owner LIKE ''a%'' AND length(owner) = 3');
CALL attempt('budget BETWEEN 5 AND 20 AND owner IN (''ann'', ''bob'') AND (j IS NULL OR j ->> ''a'' = ''b'') AND coalesce(lower(owner), '''') <> '''' AND CASE WHEN budget > 1 THEN true ELSE false END');
CALL attempt('owner ~ ''^a'' AND NOT owner = ANY (ARRAY[''x'', ''y'']) AND greatest(budget, 3) < 11 AND m IS NULL AND p IS NULL');
-- functions that are not built in, however they are called or labelled
CALL attempt('security_conditions.evil(owner)');
CALL attempt('security_conditions.evil_definer(owner)');
CALL attempt('evil(owner)');
CALL attempt('security_conditions.length(owner) = 1');
CALL attempt('owner OPERATOR(security_conditions.===) ''x''');
CALL attempt('owner === ''x''');
CALL attempt('owner::security_conditions.checked IS NOT NULL');
CALL attempt('p');
CALL attempt('p::boolean');
CALL attempt('ROW(owner, owner)::security_conditions.pair::boolean');
CALL attempt('m');
CALL attempt('m AND true');
CALL attempt('security_conditions.evil_agg(true)');
CALL attempt('align.fits(NULL::align.lead, NULL::align.funnel)');
-- built in, and not immutable
CALL attempt('now() > t');
CALL attempt('t > ''now''');
CALL attempt('t > ''2026-01-01''::timestamptz');
CALL attempt('random() < 2');
CALL attempt('current_user = owner');
CALL attempt('CURRENT_TIMESTAMP > t');
CALL attempt('pg_sleep(0) IS NULL');
CALL attempt('set_config(''role'', ''postgres'', false) = ''''');
CALL attempt('pg_read_file(''/etc/passwd'') = ''''');
CALL attempt('pg_terminate_backend(1)');
CALL attempt('nextval(''x'') = 1');
CALL attempt('query_to_xml(''select 1'', true, true, '''') IS NULL');
-- elsewhere than the row
CALL attempt('(SELECT true)');
CALL attempt('EXISTS (SELECT FROM security_conditions.other)');
CALL attempt('id IN (SELECT id FROM security_conditions.other)');
CALL attempt('count(*) > 0');
CALL attempt('row_number() OVER () = 1');
CALL attempt('generate_series(1, 2) = 1');
CALL attempt('other.id = 1');
CALL attempt('leads.id = 1');
CALL attempt('security_conditions.leads.id = 1');
CALL attempt('ctid IS NOT NULL');
CALL attempt('tableoid = 1');
CALL attempt('leads IS NOT NULL');
CALL attempt('leads.* IS NOT NULL');
CALL attempt('$1 = 1');
CALL attempt('no_such_column = 1');
CALL attempt('new.id = 1');
-- no condition at all
CALL attempt('budget');
CALL attempt('1');
CALL attempt('NULL');
CALL attempt('''yes''');
CALL attempt('true; DROP TABLE security_conditions.other');
CALL attempt('true) OR (true');
CALL attempt('true) FROM security_conditions.other; DELETE FROM security_conditions.other WHERE (true');
CALL attempt('true -- ');
CALL attempt('true /* ');
CALL attempt('true, false');
CALL attempt('true AS a');
CALL attempt('DEFAULT');
CALL attempt('true WHERE true');
CALL attempt('true UNION SELECT true');
CALL attempt('budget >');
CALL attempt(' ');
-- huge, and deeply nested: an error or an answer, and never the end of the server
CALL attempt('true' || repeat(' AND budget > 1', 4000));
CALL attempt('true' || repeat(' AND budget > 1', 500));
CALL attempt(repeat('(', 4000) || 'true' || repeat(')', 4000));
CALL attempt(repeat('NOT ', 2000) || 'true');
CALL attempt(repeat('NOT(', 1600) || 'true' || repeat(')', 1600));
CALL attempt('id < ' || repeat('1+', 4000) || '1');
CALL attempt('id < ' || repeat('-(', 2500) || '2' || repeat(')', 2500));
CALL attempt(repeat('CASE WHEN id=1 THEN ', 330) || 'true' || repeat(' END', 330));
CALL attempt('id = ANY (ARRAY[' || repeat('[', 6) || '1' || repeat(']', 6) || '])');
CALL attempt('owner < ''' || repeat('z', 8000) || '''');
-- raising when it is run: the statement fails, and tells why
CALL attempt('1 / (id - 1) = 1');
CALL attempt('owner::int = 1');
CALL attempt('(''x'' || owner)::numeric > 1');
CALL attempt('repeat(owner, 1000000000) = ''''');

-- The same of live.
CREATE PROCEDURE attempt_live(condition text) LANGUAGE plpgsql AS
$$
DECLARE
	code text;
	message text;
	detail text;
BEGIN
	PERFORM align.agree('security_conditions', 'stage mql; stage sql; won deal; success path mql -> sql -> deal;');
	PERFORM align.attach('security_conditions.leads', 'security_conditions', live => condition);
	RAISE NOTICE 'attached';
	UPDATE security_conditions.leads SET stage = 'sql';
	RAISE EXCEPTION 'moved';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	RAISE NOTICE '% % | %', code, message, CASE WHEN code = '42P17' THEN detail END;
END
$$;
CALL attempt_live('owner IS NOT NULL');
CALL attempt_live('security_conditions.evil(owner)');
CALL attempt_live('owner === ''x''');
CALL attempt_live('t > now()');
CALL attempt_live('(SELECT true)');
CALL attempt_live('p');
CALL attempt_live('owner::security_conditions.checked IS NOT NULL');
CALL attempt_live('old.id = 1');
CALL attempt_live('true) EXECUTE FUNCTION evil(); --');
CALL attempt_live('leads IS NOT NULL');
CALL attempt_live('ctid IS NOT NULL');
CALL attempt_live('');

-- A new version is compiled for the tables that are attached already.
SELECT align.agree('security_conditions', 'stage mql; stage sql; won deal; success path mql -> sql -> deal;') IS NOT NULL AS agreed;
SELECT align.attach('leads', 'security_conditions');
SELECT align.agree('security_conditions', 'stage mql; stage sql; won deal; success path mql -> sql -> deal; sql needs ''security_conditions.evil(owner)'';');
SELECT align.agree('security_conditions', 'stage mql; stage sql; won deal; success path mql -> sql -> deal; sql needs phone;');
SELECT align.agree('security_conditions', 'stage mql; stage sql; won deal; success path mql -> sql -> deal; sql needs ''t > now()'';', '2090-01-01');
UPDATE leads SET stage = 'sql';
SELECT * FROM align.check('leads');

-- A function that becomes what the condition calls is not what it calls.
SELECT align.agree('security_conditions', 'stage mql; stage sql; won deal; success path mql -> sql -> deal; sql needs ''length(owner) = 3'';') IS NOT NULL AS agreed;
INSERT INTO leads (id, stage, owner) VALUES (2, 'mql', 'ann');
UPDATE leads SET stage = 'sql' WHERE id = 2;
-- a column that changes its type under the condition
ALTER TABLE leads ALTER COLUMN owner TYPE varchar(20);
INSERT INTO leads (id, stage, owner) VALUES (3, 'mql', 'ann');
UPDATE leads SET stage = 'sql' WHERE id = 3;
ALTER TABLE leads ALTER COLUMN owner TYPE mood USING 'good';
INSERT INTO leads (id, stage, owner) VALUES (4, 'mql', 'good');
UPDATE leads SET stage = 'sql' WHERE id = 4;
SELECT * FROM align.check('leads');

SET client_min_messages = warning;
RESET search_path;
DROP SCHEMA security_conditions CASCADE;
