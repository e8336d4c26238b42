-- import_history(): keys that cannot be read, and errors of the query.
SET client_min_messages = warning;
CREATE SCHEMA import_keys;
SET search_path = import_keys;
SELECT align.agree('import_keys', 'stage new; won deal; success path new -> deal;');
CREATE TABLE leads (id int PRIMARY KEY, stage text);
CREATE TABLE deals (region varchar(4), no uuid, stage text, PRIMARY KEY (region, no));
INSERT INTO leads VALUES (1, 'deal');
SELECT align.attach('leads', 'import_keys'), align.attach('deals', 'import_keys');
CREATE FUNCTION import(relation regclass, keys text, more text DEFAULT '') RETURNS bigint LANGUAGE sql AS $$
	SELECT align.import_history(relation, 'SELECT x.*, ''2025-01-01Z''::timestamptz AS at, ''new'' AS stage FROM ' || keys || more || ' -- end')
$$;
SELECT import('leads', $$unnest('{1,two,three}'::text[]) AS x(id)$$);
SELECT import('leads', $$unnest('{1,NULL,99999999999}'::bigint[]) AS x(id)$$);
SELECT import('leads', $$unnest('{1,1.5}'::numeric[]) AS x(id)$$);
SELECT import('leads', $$(VALUES ('')) AS x(id)$$);
SELECT import('deals', $$(VALUES ('eu', '00000000-0000-0000-0000-000000000001'), ('eu', '00000000-0000-0000-0000-00000000000x')) AS x(region, no)$$);
SELECT import('deals', $$(VALUES (NULL, 'none')) AS x(region, no)$$);
-- errors of the query show the query of the caller
SELECT import('leads', $$unnest('{1,2}'::int[]) AS x(id)$$, ' WHERE 1 / (x.id - 2) < 5');
SELECT import('leads', $$unnest('{1,two}'::text[]) AS x(id)$$, $$ WHERE 1 / (x.id = '1')::int > 0$$);
SELECT align.import_history('leads', $$SELECT 1 AS id, ('2025-01-01 2' || 40)::timestamptz AS at, 'new' AS stage$$);
-- nothing was imported, and what follows is
SELECT id, entry_no, event FROM leads_history;
SELECT import('leads', $$unnest('{01,2}'::text[]) AS x(id)$$);
SELECT id, entry_no, event, stage, source FROM leads_history;
DROP SCHEMA import_keys CASCADE;
