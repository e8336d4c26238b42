-- The tables of cost, budgets, reviews and actions: what they refuse, whose
-- they are, and the recipe that loads cost from a CSV file.
\set SHOW_CONTEXT never
\set VERBOSITY default
CREATE ROLE regress_align_marketing;
CREATE ROLE regress_align_stranger;
CREATE SCHEMA spend AUTHORIZATION regress_align_marketing;

-- Arguments.
SELECT align.create_campaign_tables(NULL, 'EUR');
SELECT align.create_campaign_tables('spend', NULL);
SELECT align.create_campaign_tables('spend', 'eur');
SELECT align.create_campaign_tables('spend', 'EURO');
SELECT align.create_campaign_tables('spend', '');
SELECT align.create_campaign_tables('spend', 'E''R');
SELECT align.create_campaign_tables('spend', 'ÄU');
SELECT align.create_campaign_tables('nowhere', 'EUR');
CREATE TEMP TABLE makes_a_schema ();
SELECT nspname AS temporary FROM pg_namespace WHERE oid = pg_my_temp_schema() \gset
\set VERBOSITY sqlstate
SELECT align.create_campaign_tables(:'temporary', 'EUR');
\set VERBOSITY default
BEGIN READ ONLY;
SELECT align.create_campaign_tables('spend', 'EUR');
ROLLBACK;

-- Rights: in a schema of another role only with its privileges.
SET ROLE regress_align_stranger;
SELECT align.create_campaign_tables('spend', 'EUR');
RESET ROLE;
GRANT USAGE ON SCHEMA spend TO regress_align_stranger;
SET ROLE regress_align_stranger;
SELECT align.create_campaign_tables('spend', 'EUR');
RESET ROLE;

-- Names that are taken; nothing is left of an attempt.
CREATE VIEW spend.campaign_review AS SELECT 1 AS one;
SELECT align.create_campaign_tables('spend', 'EUR');
DROP VIEW spend.campaign_review;
CREATE TYPE spend.action AS ENUM ('call');
SELECT align.create_campaign_tables('spend', 'EUR');
DROP TYPE spend.action;
SELECT count(*) FROM pg_class WHERE relnamespace = 'spend'::regnamespace;

-- What is created belongs to the caller.  A search_path with other functions
-- and operators changes nothing.
CREATE SCHEMA planted;
CREATE FUNCTION planted.concat(VARIADIC text[]) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'x' $$;
CREATE FUNCTION planted.always(numeric, numeric) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT true $$;
CREATE OPERATOR planted.>= (LEFTARG = numeric, RIGHTARG = numeric, FUNCTION = planted.always);
CREATE TYPE planted.text AS (a int);
GRANT USAGE ON SCHEMA planted TO regress_align_marketing;
SET ROLE regress_align_marketing;
SET search_path = planted, pg_catalog, public;
SELECT align.create_campaign_tables('spend', 'EUR');
SHOW search_path;
RESET search_path;
SELECT align.create_campaign_tables('spend', 'USD');
SELECT c.relname, pg_get_userbyid(c.relowner), obj_description(c.oid, 'pg_class')
FROM pg_class AS c WHERE c.relnamespace = 'spend'::regnamespace AND c.relkind = 'r' ORDER BY c.relname;
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, col_description(c.oid, a.attnum)
FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.relnamespace = 'spend'::regnamespace AND c.relkind = 'r' ORDER BY c.relname, a.attnum;
SELECT c.relname, o.conname, pg_get_constraintdef(o.oid)
FROM pg_class AS c JOIN pg_constraint AS o ON o.conrelid = c.oid
WHERE c.relnamespace = 'spend'::regnamespace AND o.contype <> 'n' ORDER BY c.relname, o.conname COLLATE "C";

-- What the tables refuse.
\set VERBOSITY terse
INSERT INTO spend.campaign_cost (day, campaign_source, amount, currency) VALUES ('2026-03-01', 'google', 10, 'USD');
INSERT INTO spend.campaign_cost (day, campaign_source, amount, currency) VALUES ('2026-03-01', 'google', 10, NULL);
INSERT INTO spend.campaign_cost (day, campaign_source, amount) VALUES ('2026-03-01', 'google', -1);
INSERT INTO spend.campaign_cost (day, campaign_source, amount) VALUES ('2026-03-01', 'google', 'NaN');
INSERT INTO spend.campaign_cost (day, campaign_source, amount) VALUES ('2026-03-01', 'google', 'Infinity');
INSERT INTO spend.campaign_cost (day, campaign_source, amount) VALUES ('2026-03-01', 'google', NULL);
INSERT INTO spend.campaign_cost (day, campaign_source, amount) VALUES ('infinity', 'google', 1);
INSERT INTO spend.campaign_cost (day, amount) VALUES ('2026-03-01', 1);
INSERT INTO spend.campaign_cost (day, campaign_source, campaign_id, amount) VALUES ('2026-03-01', ' ', '', 1);
INSERT INTO spend.campaign_cost (day, campaign_source, amount, clicks) VALUES ('2026-03-01', 'google', 1, -1);
INSERT INTO spend.campaign_cost (day, campaign_source, amount, impressions) VALUES ('2026-03-01', 'google', 1, -1);
INSERT INTO spend.campaign_budget (month, campaign_id, amount) VALUES ('2026-03-02', '21', 1);
INSERT INTO spend.campaign_budget (month, campaign_id, amount) VALUES ('2026-03-01', '21', 1), ('2026-03-01', '21', 2);
INSERT INTO spend.campaign_budget (month, amount) VALUES ('2026-03-01', 1);
INSERT INTO spend.campaign_budget (month, campaign_id, amount, currency) VALUES ('2026-03-01', '21', 1, 'USD');
INSERT INTO spend.campaign_review (campaign_id, team) VALUES ('21', 'sales');
INSERT INTO spend.campaign_review (campaign_id, team, verdict) VALUES ('21', ' ', 'stop');
INSERT INTO spend.campaign_review (team, verdict) VALUES ('sales', 'stop');
INSERT INTO spend.campaign_review (campaign_id, team, verdict, answered_on) VALUES ('21', 'sales', 'stop', CURRENT_DATE);
INSERT INTO spend.action (what, owner) VALUES ('', 'anna');
INSERT INTO spend.action (what) VALUES ('call the partner');
INSERT INTO spend.action (what, owner, decided_on, due_on) VALUES ('call the partner', 'anna', '2026-03-02', '2026-03-01');
INSERT INTO spend.action (what, owner, decided_on, done_on) VALUES ('call the partner', 'anna', '2026-03-02', '2026-03-01');
\set VERBOSITY default

-- What they take.
INSERT INTO spend.campaign_cost (day, campaign_id, amount) VALUES ('2026-03-01', '21', 0);
INSERT INTO spend.campaign_cost (day, campaign_source, campaign_medium, campaign_name, amount, clicks, impressions, note)
VALUES ('2026-03-01', 'news', 'email', 'Spring', 12.345, 0, 10, 'agency'), ('2026-03-01', 'news', 'email', 'Spring', 12.345, 0, 10, 'agency');
INSERT INTO spend.campaign_budget (month, campaign_id, amount) VALUES ('2026-03-01', '21', 500), ('2026-04-01', '21', 500);
INSERT INTO spend.campaign_review (campaign_name, team, request, requested_by, reviewed_on, answered_on)
VALUES ('Spring', 'sales', 'a page on prices', 'ben', '2026-03-01', '2026-03-03');
INSERT INTO spend.campaign_review (campaign_name, team, verdict) VALUES ('Spring', 'sales', 'more of it');
INSERT INTO spend.action (what, owner, due_on) VALUES ('a page on prices', 'anna', 'today');
SELECT id, day, campaign_source, amount, currency FROM spend.campaign_cost ORDER BY id;
TRUNCATE spend.campaign_cost;

-- The recipe of docs/reports.md: everything as text, then what fits.
CREATE TEMP TABLE cost_csv (
  line bigint GENERATED ALWAYS AS IDENTITY,
  day text, source text, medium text, campaign text, campaign_id text,
  cost text, currency text, clicks text, impressions text);
\copy cost_csv (day, source, medium, campaign, campaign_id, cost, currency, clicks, impressions) FROM STDIN WITH (FORMAT csv, HEADER)
Day,Source,Medium,Campaign,Campaign ID,Cost,Currency,Clicks,Impressions
2026-03-01,Google,cpc,"Spring, first",21,100.50,EUR,12,3400
2026-03-02,google,cpc,"Spring, first",21,99.5,EUR,11,3100
2026-02-30,google,cpc,Spring,21,1,EUR,,
01.03.2026,google,cpc,Spring,21,1,EUR,,
2026-03-03,google,cpc,Spring,21,"1,000.00",EUR,,
2026-03-03,google,cpc,Spring,21,-5,EUR,,
2026-03-03,bing,cpc,Spring,22,7,USD,,
2026-03-03,,,,,7,EUR,,
2026-03-03,news,email,"",,7,EUR,many,
2026-03-03,news,email,March,,7,EUR,,
,,,,,,,,
\.
CREATE TEMP VIEW cost_read AS
SELECT c.*, CASE
    WHEN d.day IS NULL THEN 'the day is not a date such as 2026-03-31'
    WHEN c.cost IS NULL OR c.cost !~ '^[0-9]+(\.[0-9]+)?$' THEN 'the cost is not a number such as 1250.00'
    WHEN c.currency IS DISTINCT FROM 'EUR' THEN 'another currency'
    WHEN concat(c.source, c.medium, c.campaign, c.campaign_id) !~ '\S' THEN 'no campaign'
    WHEN concat(c.clicks, c.impressions) !~ '^[0-9]*$' THEN 'clicks or impressions are no whole numbers'
  END AS problem
FROM cost_csv AS c
LEFT JOIN (SELECT to_char(day, 'YYYY-MM-DD') AS day FROM generate_series('2000-01-01'::date, '2099-12-31', '1 day') AS day) AS d ON d.day = c.day;
BEGIN;
DELETE FROM spend.campaign_cost
WHERE day BETWEEN (SELECT min(day::date) FROM cost_read WHERE problem IS NULL) AND (SELECT max(day::date) FROM cost_read WHERE problem IS NULL);
INSERT INTO spend.campaign_cost (day, campaign_source, campaign_medium, campaign_name, campaign_id, amount, currency, clicks, impressions)
SELECT day::date, source, medium, campaign, campaign_id, cost::numeric, currency, clicks::bigint, impressions::bigint
FROM cost_read WHERE problem IS NULL;
COMMIT;
SELECT line, problem, day, source, cost, currency FROM cost_read WHERE problem IS NOT NULL ORDER BY line;
SELECT day, campaign_source, campaign_medium, campaign_name, campaign_id, amount, currency, clicks, impressions FROM spend.campaign_cost ORDER BY day, campaign_name COLLATE "C";
RESET ROLE;

-- A name that needs quotes.
CREATE SCHEMA "Odd ""name";
SELECT align.create_campaign_tables('Odd "name', 'CHF');
SELECT count(*), count(DISTINCT obj_description(oid)) FROM pg_class WHERE relnamespace = '"Odd ""name"'::regnamespace AND relkind = 'r';
INSERT INTO "Odd ""name".campaign_cost (day, campaign_id, amount) VALUES ('2026-03-01', '21', 1) RETURNING currency;

\set VERBOSITY terse
DROP VIEW cost_read;
DROP TABLE cost_csv;
DROP SCHEMA "Odd ""name" CASCADE;
DROP SCHEMA planted CASCADE;
DROP SCHEMA spend CASCADE;
DROP ROLE regress_align_marketing;
DROP ROLE regress_align_stranger;
