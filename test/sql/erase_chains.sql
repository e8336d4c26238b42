-- erase() along chains of merges and changes of keys, both ways, and through an index,
-- however long the history is.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA erase_chains;
SET search_path = erase_chains;
SELECT align.agree('erase_chains', $$
	stage inquiry, mql held by marketing;
	stage sal held by sales;
	won customer;
	success path inquiry -> mql -> sal -> customer;
	entry inquiry, mql, sal;
	handoff speed_to_lead: mql from marketing to sales, accept sal, within 4 hours;
$$);
CREATE TABLE leads (id text PRIMARY KEY, stage text);
SELECT align.attach('leads', 'erase_chains', opened_at => 'now');
-- everything that is stored, as text
CREATE VIEW stored AS SELECT h::text AS row FROM leads_history h UNION ALL SELECT s::text FROM leads_sla s;
-- a -> b (a new key) merged into c, which becomes d, which d2 is merged into, merged into e
INSERT INTO leads SELECT id, 'mql' FROM unnest('{key-a,key-c,key-d2,key-e,key-ee}'::text[]) AS id;
UPDATE leads SET id = 'key-b' WHERE id = 'key-a';
UPDATE leads SET stage = 'sal' WHERE id = 'key-b';
SELECT align.merge_leads('leads', 'key-b', 'key-c');
UPDATE leads SET id = 'key-d' WHERE id = 'key-c';
SELECT align.merge_leads('leads', 'key-d2', 'key-d');
DELETE FROM leads WHERE id IN ('key-b', 'key-d2');
SELECT align.merge_leads('leads', 'key-d', 'key-e');
UPDATE leads SET id = 'key-f' WHERE id = 'key-e';
DELETE FROM leads WHERE id = 'key-d';
SELECT id, entry_no, event, stage, source, note FROM leads_history ORDER BY id COLLATE "C", entry_no;
SELECT * FROM align.check('leads');
-- each of them once, from the middle; the others stay
CREATE FUNCTION left_of(keys text[]) RETURNS TABLE (key text, mentions bigint) LANGUAGE sql AS
$$ SELECT k, count(row) FROM unnest(keys) AS k LEFT JOIN stored ON row ~ (k || '\M') GROUP BY k ORDER BY k $$;
SELECT * FROM left_of('{key-a,key-b,key-c,key-d,key-d2,key-e,key-ee,key-f}');
SELECT align.erase('leads', 'key-c');
SELECT * FROM left_of('{key-a,key-b,key-c,key-d,key-d2,key-e,key-ee,key-f}');
SELECT align.erase('leads', 'key-a');
SELECT align.erase('leads', 'key-d2') > 0 AS of_the_duplicate;
SELECT * FROM left_of('{key-a,key-b,key-c,key-d,key-d2,key-e,key-ee,key-f}');
SELECT align.erase('leads', 'key-b') > 0 AS b, align.erase('leads', 'key-d') > 0 AS d, align.erase('leads', 'key-e') > 0 AS e;
SELECT * FROM left_of('{key-a,key-b,key-c,key-d,key-d2,key-e,key-ee,key-f}');
SELECT id, entry_no, event, stage, source, note FROM leads_history WHERE id = 'key-f' ORDER BY entry_no;
SELECT * FROM align.check('leads');
-- a key that lives again is not erased, nor are its former mentions; and then it is
INSERT INTO leads VALUES ('key-1', 'mql'), ('key-2', 'mql');
UPDATE leads SET id = 'key-3' WHERE id = 'key-1';
INSERT INTO leads VALUES ('key-1', 'mql');
SELECT align.erase('leads', 'key-1');
DELETE FROM leads WHERE id = 'key-1';
SELECT align.erase('leads', 'key-1');
SELECT * FROM left_of('{key-1,key-2,key-3}');
-- two keys change places
UPDATE leads SET id = CASE id WHEN 'key-2' THEN 'key-x' ELSE 'key-2' END WHERE id IN ('key-2', 'key-3');
DELETE FROM leads WHERE id = 'key-x';
SELECT align.erase('leads', 'key-x');
SELECT id, entry_no, event, note FROM leads_history WHERE id ~ 'key-[0-9x]' ORDER BY id, entry_no;
SELECT * FROM align.check('leads');

-- At size: 20,000 leads with an entry each and 2,000 merges among them.
CREATE TABLE many (id int PRIMARY KEY, stage text);
INSERT INTO many SELECT g, 'mql' FROM generate_series(1, 20000) AS g;
SELECT align.attach('many', 'erase_chains', opened_at => 'now');
UPDATE many SET id = id + 100000 WHERE id % 10 = 0;
ANALYZE many_history;
ANALYZE many_sla;
SELECT indexdef FROM pg_indexes WHERE schemaname = 'erase_chains' AND tablename = 'many_history' AND indexdef LIKE '%rekey%';
SELECT align.merge_leads('many', 1, 2);
DELETE FROM many WHERE id = 1;
-- what was read by sequential scans
CREATE FUNCTION reads() RETURNS TABLE (relation text, scans bigint, rows bigint) LANGUAGE sql AS $$
	SELECT relid::regclass::text, pg_stat_get_xact_numscans(relid), pg_stat_get_xact_tuples_returned(relid)
	FROM unnest('{many_history,many_sla,many}'::regclass[]) AS relid $$;
BEGIN;
CREATE TEMP TABLE before ON COMMIT DROP AS SELECT * FROM reads();
SELECT align.erase('many', 1);
SELECT relation, reads.scans - before.scans AS scans, reads.rows - before.rows AS rows FROM reads() JOIN before USING (relation) ORDER BY relation;
COMMIT;
BEGIN;
CREATE TEMP TABLE before ON COMMIT DROP AS SELECT * FROM reads();
SELECT align.erase('many', 10);
SELECT relation, reads.scans - before.scans AS scans, reads.rows - before.rows AS rows FROM reads() JOIN before USING (relation) ORDER BY relation;
COMMIT;
SELECT id, event, source, note FROM many_history WHERE id IN (2, 100010) ORDER BY id, entry_no;
SELECT * FROM align.check('many');

RESET search_path;
DROP SCHEMA erase_chains CASCADE;
