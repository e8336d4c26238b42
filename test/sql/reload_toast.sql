-- Keys that are stored out of line: their TOAST rows may be gone before the changes of a reload are written.
\set SHOW_CONTEXT never
SET TimeZone = 'UTC';
CREATE SCHEMA reload_toast;
SET search_path = reload_toast;
SET client_min_messages = warning;
SELECT align.agree('reload_toast', 'stage new, work; won done; entry new; success path new -> work -> done;');
CREATE TABLE leads (id text PRIMARY KEY, stage text);
ALTER TABLE leads ALTER id SET STORAGE EXTERNAL;
SELECT align.attach('leads', 'reload_toast', mode => 'observe', reload => true);
CREATE VIEW trail AS SELECT right(id, 1) AS id, length(id) AS length, entry_no AS no, event, from_stage, stage FROM leads_history ORDER BY 1, 3;
INSERT INTO leads SELECT string_agg(md5(i::text), '') || n, 'new' FROM generate_series(1, 70) AS i, generate_series(1, 4) AS n GROUP BY n;
SELECT pg_relation_size(reltoastrelid) > 0 AS out_of_line FROM pg_class WHERE oid = 'leads'::regclass;

-- TRUNCATE and INSERT: nothing has changed, but for one stage and one lead
BEGIN;
CREATE TEMP TABLE mirror ON COMMIT DROP AS TABLE leads;
TRUNCATE leads;
INSERT INTO leads SELECT id, CASE WHEN id LIKE '%2' THEN 'work' ELSE stage END FROM mirror WHERE id NOT LIKE '%3';
COMMIT;
TABLE trail;
SELECT * FROM align.check('leads');

-- DELETE, a rewrite of the table, and INSERT
BEGIN;
CREATE TEMP TABLE mirror ON COMMIT DROP AS TABLE leads;
DELETE FROM leads WHERE id NOT LIKE '%1';
CLUSTER leads USING leads_pkey;
INSERT INTO leads SELECT id, 'work' FROM mirror WHERE id LIKE '%4';
COMMIT;
TABLE trail;
SELECT * FROM align.check('leads');

-- without INSERT, also in a subtransaction
BEGIN;
SAVEPOINT s;
TRUNCATE leads;
RELEASE s;
COMMIT;
SELECT id, no, event FROM trail WHERE event = 'truncated';
SELECT * FROM align.check('leads');
DROP SCHEMA reload_toast CASCADE;
