-- Conditions: what is taken, what is refused, and that nothing of what others
-- supply ever runs.
SET client_min_messages = notice;
CREATE SCHEMA vc;
\a
SET search_path = vc;

-- Tries a condition on the row: is it true, or why is it refused?
CREATE FUNCTION try_condition(condition text, key int DEFAULT 1) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text;
	detail text;
	result boolean;
BEGIN
	PERFORM align.agree('vc', format('stage new, ok; won customer; success path new -> ok -> customer; ok needs ''%s'';',
									 replace(condition, '''', '''''')));
	SELECT allowed INTO result FROM align.explain_move('vc.leads', key, 'ok');
	RETURN result;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	-- agree() puts the cause into the detail, some majors with a detail of their own
	RETURN format('%s %s', SQLSTATE, CASE WHEN message LIKE 'version % of agreement "vc" does not fit table vc.leads' THEN regexp_replace(detail, ': There is an entry for table .*', '') ELSE message END);
END $$;

-- What somebody else might supply.
CREATE FUNCTION evil(int) RETURNS boolean IMMUTABLE STRICT LANGUAGE plpgsql AS
$$ BEGIN RAISE NOTICE 'evil runs as %', current_user; RETURN true; END $$;
CREATE FUNCTION evil_definer(int) RETURNS boolean IMMUTABLE STRICT SECURITY DEFINER LANGUAGE plpgsql AS
$$ BEGIN RAISE NOTICE 'evil runs as %', current_user; RETURN true; END $$;
CREATE TYPE mood AS ENUM ('good', 'now', 'won''t');
CREATE TYPE other_mood AS ENUM ('good', 'bad');
CREATE FUNCTION evil_cast(other_mood) RETURNS int IMMUTABLE STRICT LANGUAGE plpgsql AS
$$ BEGIN RAISE NOTICE 'evil runs as %', current_user; RETURN 1; END $$;
CREATE CAST (other_mood AS int) WITH FUNCTION evil_cast(other_mood) AS IMPLICIT;
CREATE FUNCTION evil_equal(int, int) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR = (FUNCTION = evil_equal, LEFTARG = int, RIGHTARG = int);
CREATE DOMAIN evil_domain AS int CHECK (vc.evil(VALUE));
CREATE DOMAIN money_domain AS numeric CHECK (VALUE >= 0);
CREATE TYPE evil_row AS (a evil_domain, b int);
CREATE TYPE address AS (street text, city text);
CREATE TYPE own_range AS RANGE (SUBTYPE = float8);
CREATE COLLATION own_collation FROM "C";
-- shadows of what is built in
CREATE FUNCTION lower(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS
$$ BEGIN RAISE NOTICE 'evil runs as %', current_user; RETURN 'x'; END $$;
CREATE DOMAIN pg_temp.numeric AS int CHECK (vc.evil(VALUE));

CREATE TABLE leads (gone int, id int PRIMARY KEY, stage text, budget pg_catalog.numeric, need text, feeling mood,
	seats money_domain, at timestamptz, day date, doc jsonb, numbers int[], home address, span interval,
	other other_mood, e evil_domain, es evil_domain[], er evil_row, r own_range);
ALTER TABLE leads DROP COLUMN gone;
SELECT align.agree('vc', 'stage new, ok; won customer; success path new -> ok -> customer;');
SELECT align.attach('vc.leads', 'vc');
INSERT INTO leads (id, stage, budget, need, feeling, seats, at, day, doc, numbers, home, span) VALUES
	(1, 'new', 10000, 'speed', 'now', 5, '2026-03-01 12:00+00', '2026-02-01', '{"a": 1, "b": ["x"]}', '{1,2}', '("1 High St",Ely)', '1 day'),
	(2, 'new', NULL, ' ', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
-- added later: older rows hold its value nowhere
ALTER TABLE leads ADD COLUMN source text DEFAULT 'web';

-- True of row 1, and of row 2?
SELECT c AS condition, try_condition(c) AS row_1, try_condition(c, 2) AS row_2 FROM unnest(ARRAY[
	'true', 'null', 'budget >= 10000', 'budget >= 1 /* a comment */ -- and another', '((budget > 1))', 'budget IS NOT NULL AND NOT need = ''x''',
	'feeling = ''now''', 'feeling IN (''good'', ''now'')', 'feeling > ''good''', 'seats > 3', 'seats::int = 5', 'greatest(budget, seats) > 5',
	'at > ''2026-03-01 11:59:59''', 'day > date ''2026-01-31''', 'day = ''2026-02-01''', 'at - ''2026-03-01'' < ''13 hours''',
	'span > interval ''23 hours''', 'extract(year FROM day) = 2026', 'date_trunc(''month'', day::timestamp) = ''2026-02-01''',
	'doc->>''a'' = ''1''', 'doc @> ''{"a": 1}''', 'doc[''b''][0] = ''"x"''', 'jsonb_path_exists(doc, ''$.a ? (@ == 1)'')',
	'1 = ANY (numbers)', 'numbers @> ''{2}''', 'numbers[1:1] = ''{1}''', 'cardinality(numbers) = 2',
	'(home).city = ''Ely''', 'home IS NOT NULL', 'ROW(budget, need) = ROW(10000, ''speed'')', '(budget, need) < (10000, ''t'')',
	'lower(need) = ''speed''', 'need LIKE ''sp%'' COLLATE "C"', 'need ~ ''^[a-z]+$''', 'need SIMILAR TO ''s%''', 'length(trim(need)) > 0',
	'coalesce(need, '''') <> ''''', 'nullif(budget, 0) IS NOT NULL', 'CASE WHEN budget > 5 THEN true ELSE false END', 'CASE need WHEN ''speed'' THEN true END',
	'budget BETWEEN 1 AND 10000', 'budget::text = ''10000''', 'need IS DISTINCT FROM ''x''', 'source = ''web''', 'stage = ''ok''',
	'to_tsvector(''english'', need) @@ ''speed''::tsquery', 'e IS NULL', 'e > 5 IS NULL', 'need = ''now''', 'pg_catalog.lower(need) OPERATOR(pg_catalog.=) ''speed''',
	'budget > ALL (''{1,2}'')', 'budget::numeric > 1']) c;

-- Every session reads them alike.
SET DateStyle = 'SQL, DMY';
SET TimeZone = 'Asia/Tokyo';
SET IntervalStyle = 'sql_standard';
SET transform_null_equals = on;
SET standard_conforming_strings = off;
SET escape_string_warning = off;
SELECT c AS condition, try_condition(c) FROM unnest(ARRAY[
	'at = ''2026-03-01 12:00''', 'day = ''2026-02-01''', 'day = ''01/02/2026''', 'budget = NULL', E'need = ''\\'' IS FALSE']) c;
RESET DateStyle; RESET TimeZone; RESET IntervalStyle; RESET transform_null_equals; RESET standard_conforming_strings; RESET escape_string_warning;
-- and parsing leaves the settings as they were
SHOW search_path;
SHOW transform_null_equals;

-- Not one expression.
SELECT c AS condition, try_condition(c) FROM unnest(ARRAY[
	'budget >=', '1; DROP TABLE vc.leads', 'true; SELECT true', 'true) OR (true', 'budget > 1, true', 'true AS x', 'true x', 'true FROM vc.leads', 'true WHERE true',
	'true GROUP BY 1', 'true ORDER BY 1', 'true LIMIT 1', 'true FOR UPDATE', 'DISTINCT true', 'true UNION SELECT true', 'true INTO x', 'SELECT true', '*', 'leads.*', '(home).*', 'ROW(home.*) IS NULL', '--', 'DEFAULT',
	'budget', '''yes'' || need']) c;

-- More than the row: subqueries, aggregates, the system, the present.
SELECT c AS condition, try_condition(c) FROM unnest(ARRAY[
	'(SELECT true)', 'EXISTS (SELECT FROM vc.leads)', 'budget IN (SELECT 1)', 'budget > ANY (ARRAY(SELECT 1))',
	'count(*) > 1', 'row_number() OVER () > 1', 'generate_series(1, 2) > 1', 'grouping(budget) > 1', 'budget > $1',
	'ctid IS NULL', 'tableoid > 0::oid', 'xmin IS NULL', 'leads IS NOT NULL', 'leads.* IS NOT NULL', 'leads.budget > 1', 'vc.leads.budget > 1', 'nosuch > 1',
	'now() > at', 'current_date > day', 'current_user = need', 'random() > 0.5', 'at::date = day', 'at::text = ''x''', 'feeling::text = ''now''', 'at + ''1 day'' > at',
	'at > ''now''', 'at > ''TODAY''::timestamptz', 'day = date ''tomorrow''', 'day = ANY (''{yesterday,2026-01-01}'')', 'at BETWEEN ''-infinity'' AND ''now''',
	'need::timestamptz > at', 'current_setting(''x'') = ''y''', 'nextval(''vc.s'') > 1', 'pg_sleep(1) IS NULL', 'lastval() > 0', 'txid_current() > 0', 'pg_read_file(''x'') = ''y''',
	'query_to_xml(''select 1'', true, true, '''') IS NULL', 'xmlparse(DOCUMENT need) IS NULL', '''vc.leads''::regclass::oid > 0']) c;

-- What is not built in.
SELECT c AS condition, try_condition(c) FROM unnest(ARRAY[
	'vc.evil(1)', 'evil(1)', 'vc.evil_definer(1)', 'other + 1 > 1', 'other::int > 1', 'other > 1', 'CASE WHEN false THEN vc.evil(1) END',
	'1 OPERATOR(vc.=) 1', 'need COLLATE vc.own_collation = ''a''', 'need COLLATE own_collation = ''a''',
	'''1''::vc.evil_domain = 1', '1::vc.evil_domain = 1', '''1''::evil_domain = 1', '''{1}''::vc.evil_domain[] IS NULL', 'vc._evil_domain(''{1}'') IS NULL', 'vc.evil_domain(''1'') = 1',
	'''(1,2)''::vc.evil_row IS NULL', 'ROW(1, 2)::vc.evil_row IS NULL', '''[1,2]''::vc.own_range IS NULL', '''good''::vc.mood = feeling',
	'es = ''{1}''', 'es IS NULL', '1 = ANY (es)', 'er = ''(1,2)''', '(er).b = 1', 'r = ''[1,2]''', 'seats::vc.money_domain > 1', 'align.can_move(NULL, NULL, NULL)']) c;
-- a domain itself is read as what it is based on
SELECT try_condition('e > ''1'''), try_condition('coalesce(e, ''1'') = 1');

-- Errors while it runs are errors, and say which condition.
SELECT try_condition('budget / (seats - 5) > 1');
SELECT align.agree('vc', 'stage new, ok; won customer; success path new -> ok -> customer; ok needs ''budget / (seats - 5) > 1''; new -> ok needs ''numbers[1] / 1 = 1'';');
UPDATE leads SET stage = 'ok' WHERE id = 1;
UPDATE leads SET stage = 'ok', seats = 6 WHERE id = 1;
SELECT align.agree('vc', 'stage new, ok; won customer; success path new -> ok -> customer; ok needs ''budget > 1 / 0'';');

-- Huge and deep ones.
SELECT left(try_condition('budget > ' || repeat('(', 4000)), 60);
SELECT try_condition(repeat('(', 4000) || 'true' || repeat(')', 4000));
SELECT try_condition(repeat('not ', 2000) || 'true');
SELECT left(try_condition(repeat('x', 9000)), 100);
SET max_stack_depth = '100kB';
SELECT try_condition(repeat('not ', 2000) || 'true');
RESET max_stack_depth;

-- How it is refused, in full.
SELECT align.agree('vc', 'stage new, ok; won customer; success path new -> ok -> customer; ok needs ''budget > 1 AND vc.evil(id)'';');
SELECT align.agree('vc', 'stage new, ok; won customer; success path new -> ok -> customer; new -> ok needs ''buget > 1'';');
SELECT align.agree('vc', 'stage new, ok; won customer; success path new -> ok -> customer; ok needs buget;');
CREATE TABLE others (id int PRIMARY KEY, stage text);
SELECT align.agree('vd', 'stage new, ok; won customer; success path new -> ok -> customer; ok needs zip;');
SELECT align.attach('vc.others', 'vd');

-- Columns: what is filled?
CREATE TABLE filled (id int PRIMARY KEY, stage text, t text, v varchar(9), c char(9), n name, i int, d jsonb, dom text);
SELECT align.agree('vf', 'stage new, ok; won customer; success path new -> ok -> customer; ok needs t, v, c, n, i, d;');
SELECT align.attach('vc.filled', 'vf');
INSERT INTO filled VALUES (1, 'new', '', ' ', '', '', NULL, NULL), (2, 'new', E' \t\n', E'\n', '   ', '  ', 0, 'null'),
	(3, 'new', 'a', 'a', 'a', 'a', 0, '{}'), (4, 'new', repeat(' ', 100000), repeat(' ', 9), ' ', ' ', 1, '1'),
	(5, 'new', repeat(' ', 100000) || 'x', '.', '.', '.', 1, '1'), (6, 'new', U&'\00a0', '0', '-', '0', 1, 'null');
SELECT id, allowed, message FROM generate_series(1, 6) id, align.explain_move('vc.filled', id, 'ok');

-- Columns that go: the need is never met, and nobody is stopped by another error.
SELECT align.agree('vc', 'stage new, ok; won customer; success path new -> ok -> customer; ok needs need, ''budget > 1'';');
INSERT INTO leads (id, stage, budget, need) VALUES (3, 'new', 5, 'x');
SELECT allowed FROM align.explain_move('vc.leads', 3, 'ok');
ALTER TABLE leads RENAME budget TO amount;
SELECT message, detail, hint FROM align.explain_move('vc.leads', 3, 'ok');
ALTER TABLE leads RENAME amount TO budget;
ALTER TABLE leads ALTER budget TYPE text;
SELECT detail FROM align.explain_move('vc.leads', 3, 'ok');
ALTER TABLE leads DROP COLUMN need;
UPDATE leads SET stage = 'ok' WHERE id = 3;

-- Partitions that number their columns otherwise, generated columns, blank and
-- toasted values in conditions.
CREATE TABLE parts (id int, stage text, region text, budget int, twice int GENERATED ALWAYS AS (budget * 2) STORED, PRIMARY KEY (region, id)) PARTITION BY LIST (region);
CREATE TABLE parts_eu (twice int GENERATED ALWAYS AS (budget * 2) STORED, junk int, budget int, region text NOT NULL, stage text, id int NOT NULL);
ALTER TABLE parts_eu DROP COLUMN junk;
ALTER TABLE parts ATTACH PARTITION parts_eu FOR VALUES IN ('eu');
CREATE TABLE parts_us PARTITION OF parts FOR VALUES IN ('us');
SELECT align.agree('vp', 'stage new, ok; won customer; success path new -> ok -> customer; ok needs twice, ''twice >= 20'', ''region <> ''''xx'''''';');
SELECT align.attach('vc.parts', 'vp');
INSERT INTO parts VALUES (1, 'new', 'eu', 10), (2, 'new', 'eu', 9), (3, 'new', 'us', 10), (4, 'new', 'us', NULL);
UPDATE parts SET stage = 'ok' WHERE id = 1;
UPDATE parts SET stage = 'ok' WHERE id = 2;
UPDATE parts SET stage = 'ok' WHERE id = 3;
UPDATE parts SET stage = 'ok' WHERE id = 4;
UPDATE parts_eu SET stage = 'ok' WHERE id = 2;
SELECT tableoid::regclass, id, stage FROM parts ORDER BY id;

-- Generated columns that are not stored, where there are such.
SELECT CASE WHEN current_setting('server_version_num')::int >= 180000 THEN 'VIRTUAL' ELSE 'STORED' END AS kind \gset
CREATE TABLE computed (id int PRIMARY KEY, stage text, budget int, label text,
	twice int GENERATED ALWAYS AS (budget * 2) :kind, trimmed text GENERATED ALWAYS AS (label || ' ') :kind);
SELECT align.agree('vg', 'stage new, ok; won customer; success path new -> ok -> customer; ok needs twice, ''twice >= 20'', trimmed;');
SELECT align.attach('vc.computed', 'vg');
INSERT INTO computed VALUES (1, 'new', 10, 'x'), (2, 'new', 10, ' '), (3, 'new', NULL, NULL);
UPDATE computed SET stage = 'ok' WHERE id = 1;
UPDATE computed SET stage = 'ok' WHERE id = 2;
UPDATE computed SET stage = 'ok' WHERE id = 3;
SELECT id, allowed, message FROM generate_series(1, 3) id, align.explain_move('vc.computed', id, 'ok');

RESET search_path;
SET client_min_messages = warning;
DROP SCHEMA vc CASCADE;
