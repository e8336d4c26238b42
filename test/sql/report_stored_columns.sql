-- Stored reports that 0.5.0 created lack the columns of the model shapley.  They are
-- refreshed, and the weekly page is written, until they are created again.
SET timezone = 'UTC';
SET client_min_messages = warning;
CREATE SCHEMA older;
SET search_path = older;
SELECT align.agree('older', 'stage inquiry, mql held by marketing; won customer; lost gone; success path inquiry -> mql -> customer; path any -> gone; path inquiry -> customer;');
CREATE TABLE leads (id int PRIMARY KEY, status text, campaign text, amount numeric, changed_at timestamptz);
SELECT align.attach('leads', 'older', stage => 'status', campaign => 'campaign', amount => 'amount', changed_at => 'changed_at', mode => 'observe');
INSERT INTO leads SELECT i, 'inquiry', (ARRAY['utm_source=google&utm_medium=cpc', 'utm_source=news&utm_medium=email', NULL])[1 + i % 3], i * 10, timestamptz '2026-01-01' + i * interval '1 day' FROM generate_series(1, 40) i;
UPDATE leads SET status = 'mql', campaign = (ARRAY['utm_source=news&utm_medium=email', 'utm_source=x&utm_medium=social', NULL])[1 + id % 3], changed_at = changed_at + interval '3 days';
UPDATE leads SET status = CASE WHEN id % 3 = 0 THEN 'customer' ELSE 'gone' END, changed_at = changed_at + interval '3 days' WHERE id % 5 > 0;
CREATE SCHEMA kept;
CREATE SCHEMA computed;
SELECT align.create_reports('leads', 'kept', complete_since => '2026-01-01', stored => true), align.create_reports('leads', 'computed', complete_since => '2026-01-01');

-- As they were: the functions without the columns, over a table without them.
CREATE TABLE definitions AS SELECT p.oid::regprocedure::text AS name, regexp_replace(pg_get_functiondef(p.oid), '\n\s*\w+\.(share|amount)_shapley,', '', 'g') AS definition, obj_description(p.oid, 'pg_proc') AS comment
FROM pg_proc p WHERE p.pronamespace = 'kept'::regnamespace AND p.proname IN ('stored_touch_facts', 'changed_touch_facts');
CREATE TABLE views AS SELECT c.relname AS name, obj_description(c.oid, 'pg_class') AS comment FROM pg_class c WHERE c.relnamespace = 'kept'::regnamespace AND c.relkind = 'v';
SELECT count(*), bool_and(definition !~ '\w\.share_shapley') AS without FROM definitions;
DO $$
DECLARE
	d record;
BEGIN
	FOR d IN SELECT * FROM definitions LOOP
		EXECUTE format('DROP FUNCTION %s', d.name);
	END LOOP;
	ALTER TABLE kept.stored_touch_facts DROP COLUMN share_shapley CASCADE, DROP COLUMN amount_shapley CASCADE;
	FOR d IN SELECT * FROM definitions LOOP
		EXECUTE d.definition;
		EXECUTE format('COMMENT ON FUNCTION %s IS %L', d.name, d.comment);
	END LOOP;
	-- views and their functions stood on them; what is in these does not matter here
	FOR d IN SELECT * FROM views WHERE to_regclass('kept.' || name) IS NULL LOOP
		EXECUTE format('CREATE VIEW kept.%1$I AS TABLE computed.%1$I', d.name);
		EXECUTE format('COMMENT ON VIEW kept.%I IS %L', d.name, d.comment);
		EXECUTE format('CREATE FUNCTION kept.%1$I(as_of timestamptz) RETURNS SETOF kept.%1$I LANGUAGE sql STABLE BEGIN ATOMIC TABLE kept.%1$I; END', d.name);
		EXECUTE format('COMMENT ON FUNCTION kept.%I(timestamptz) IS %L', d.name, d.comment);
	END LOOP;
END $$;

UPDATE leads SET status = 'gone', changed_at = changed_at + interval '1 day' WHERE id IN (5, 10);
SELECT align.refresh_reports('leads') AS changed, align.refresh_reports('leads') AS none, align.refresh_reports('leads', true) AS all;
SELECT count(*), sum(share_linear), sum(amount_full_path) FROM kept.stored_touch_facts;
SELECT align.weekly_report('leads', '2026-02-02', 'kept') LIKE '<!DOCTYPE%' AS page;

-- Created again, they have the columns, and are what is computed.
SELECT align.create_reports('leads', 'kept', complete_since => '2026-01-01', stored => true);
SELECT count(*), count(*) FILTER (WHERE won_share_shapley > 0) > 0 AS shapley FROM kept.touch_facts;
SELECT count(*) AS differences FROM (TABLE kept.touch_facts EXCEPT TABLE computed.touch_facts) d;
SELECT count(*) AS differences FROM (TABLE kept.channel_results EXCEPT TABLE computed.channel_results) d;
UPDATE leads SET status = 'customer', changed_at = changed_at + interval '1 day' WHERE id = 15;
SELECT align.refresh_reports('leads') AS changed;
SELECT count(*) AS differences FROM (TABLE kept.channel_results EXCEPT TABLE computed.channel_results) d;
SELECT align.weekly_report('leads', '2026-02-02', 'kept') = align.weekly_report('leads', '2026-02-02', 'computed') AS same_page;
SET client_min_messages = error;
DROP SCHEMA older CASCADE;
DROP SCHEMA kept CASCADE;
DROP SCHEMA computed CASCADE;
