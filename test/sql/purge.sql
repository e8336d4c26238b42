-- purge(): what is recorded of leads whose last life ended long ago goes, and nothing of
-- leads that live.
SET TimeZone = 'UTC';
\set SHOW_CONTEXT never
CREATE SCHEMA purge;
SET search_path = purge;
SELECT align.agree('purge', $$
	stage inquiry, mql held by marketing;
	stage sal held by sales;
	won customer;
	success path inquiry -> mql -> sal -> customer;
	entry inquiry, mql, sal;
	handoff speed_to_lead: mql from marketing to sales, accept sal, within 4 hours;
$$);
CREATE TABLE leads (id int PRIMARY KEY, stage text, gone boolean);
SELECT align.attach('leads', 'purge', stage => 'stage', live => 'gone IS NOT TRUE', mode => 'observe', opened_at => 'now');
INSERT INTO leads SELECT g, 'mql' FROM generate_series(1, 20) AS g;
-- 1: lives. 2: deleted. 3: deleted, and lives again. 4: deleted twice. 5: not live.
-- 6: not live, and live again. 7: out of the funnel. 8: won. 9: renamed from 10's key.
-- 11: merged into 12, row gone. 13: merged into 14, row there. 15: not live, deleted.
-- 16: changed while not live.
DELETE FROM leads WHERE id IN (2, 3, 4);
INSERT INTO leads VALUES (3, 'mql'), (4, 'mql');
DELETE FROM leads WHERE id = 4;
UPDATE leads SET gone = true WHERE id IN (5, 6, 15, 16);
UPDATE leads SET gone = false WHERE id = 6;
UPDATE leads SET stage = 'sal' WHERE id = 7;
UPDATE leads SET stage = NULL WHERE id = 7;
UPDATE leads SET stage = 'sal' WHERE id = 8;
UPDATE leads SET stage = 'customer' WHERE id = 8;
DELETE FROM leads WHERE id = 9;
UPDATE leads SET id = 9 WHERE id = 10;
SELECT align.merge_leads('leads', 11, 12), align.merge_leads('leads', 13, 14);
DELETE FROM leads WHERE id IN (11, 15);
UPDATE leads SET stage = 'sal' WHERE id = 16;
SELECT * FROM align.check('leads');
CREATE VIEW kept AS SELECT string_agg(DISTINCT id::text, ' ' ORDER BY id::text) AS history, (SELECT string_agg(DISTINCT id::text, ' ' ORDER BY id::text) FROM leads_sla) AS clocks FROM leads_history;
SELECT * FROM kept;
-- a history that is eight years old
CREATE PROCEDURE make_older(interval, VARIADIC ids int[]) LANGUAGE plpgsql AS $$
BEGIN
	ALTER TABLE leads_history DISABLE TRIGGER align_append_only;
	UPDATE leads_history SET recorded_at = recorded_at - $1, effective_at = effective_at - $1 WHERE ids = '{}' OR id = ANY (ids);
	ALTER TABLE leads_history ENABLE TRIGGER align_append_only;
	ALTER TABLE leads_sla DISABLE TRIGGER align_append_only;
	UPDATE leads_sla SET started_at = started_at - $1, due_at = due_at - $1, stopped_at = stopped_at - $1 WHERE ids = '{}' OR id = ANY (ids);
	ALTER TABLE leads_sla ENABLE TRIGGER align_append_only;
END $$;
CALL make_older('8 years', VARIADIC '{}');
-- nothing is as old as that; and what happened since is young: 17 and 18 are deleted,
-- 16 is changed, though it is not live
SELECT align.purge('leads', now() - interval '9 years');
DELETE FROM leads WHERE id IN (17, 18);
UPDATE leads SET stage = 'customer' WHERE id = 16;
BEGIN;
SELECT align.purge('leads', now() - interval '7 years');
SELECT * FROM kept;
SELECT * FROM align.check('leads');
SELECT align.purge('leads', now() - interval '7 years');
-- and what is young goes with a younger instant
ROLLBACK;
BEGIN;
SELECT align.purge('leads', now());
SELECT * FROM kept;
SELECT * FROM align.check('leads');
-- those that live go on where they are
UPDATE leads SET stage = 'sal' WHERE id = 3;
INSERT INTO leads VALUES (2, 'mql');
UPDATE leads SET gone = false WHERE id = 5;
SELECT id, entry_no, event, stage FROM leads_history WHERE id IN (2, 3, 5) ORDER BY id, entry_no;
SELECT * FROM align.check('leads');
ROLLBACK;
-- TRUNCATE ends all lives
BEGIN;
TRUNCATE leads;
SELECT align.purge('leads', now() - interval '1 microsecond') >= 0 AS purged;
ROLLBACK;
TRUNCATE leads;
SELECT align.purge('leads', now()) > 0 AS purged;
SELECT * FROM kept;
SELECT align.purge('leads', now());

-- Refused.
SELECT align.purge(NULL, now());
SELECT align.purge('leads', NULL);
SELECT align.purge('leads', now() + interval '1 second');
SELECT align.purge('leads', 'infinity');
SELECT align.purge('leads', '-infinity');
SELECT align.purge('pg_class', now());
SELECT align.purge('leads_sla', now());
CREATE ROLE regress_align_stranger;
GRANT USAGE ON SCHEMA purge TO regress_align_stranger;
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON leads, leads_history, leads_sla TO regress_align_stranger;
SET ROLE regress_align_stranger;
SELECT align.purge('leads', now());
RESET ROLE;
BEGIN READ ONLY;
SELECT align.purge('leads', now());
ROLLBACK;

-- Partitions, of the table and of its history; keys of several columns; a partition
-- stands for its table.
CREATE TABLE parts (region text, id int, stage text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE parts_eu PARTITION OF parts FOR VALUES IN ('eu');
CREATE TABLE parts_us PARTITION OF parts FOR VALUES IN ('us');
SELECT align.attach('parts', 'purge', opened_at => 'now');
SELECT align.detach('parts');
ALTER TABLE parts_history RENAME TO parts_history_all;
CREATE TABLE parts_history (LIKE parts_history_all) PARTITION BY RANGE (recorded_at);
ALTER TABLE parts_history ATTACH PARTITION parts_history_all DEFAULT;
CREATE TABLE parts_history_past PARTITION OF parts_history FOR VALUES FROM (MINVALUE) TO ('2020-01-01');
SELECT align.attach('parts', 'purge', opened_at => 'now');
INSERT INTO parts SELECT r, g, 'mql' FROM unnest('{eu,us}'::text[]) AS r, generate_series(1, 4) AS g;
DELETE FROM parts WHERE id = 1 AND region = 'eu' OR id = 2;
-- a move from one partition to another is no end
UPDATE parts SET region = 'us', id = 33 WHERE region = 'eu' AND id = 3;
SELECT align.purge('parts_us', now());
SELECT region, id, entry_no, event FROM parts_history ORDER BY region, id, entry_no;
SELECT region, id FROM parts_sla ORDER BY region, id;
SELECT * FROM align.check('parts');

-- A history whose beginning is gone with its partition.
ALTER TABLE parts_history DETACH PARTITION parts_history_all;
CREATE TABLE parts_history_rest PARTITION OF parts_history DEFAULT;
DELETE FROM parts;
SELECT region, id, entry_no, event FROM parts_history ORDER BY region, id, entry_no;
SELECT align.attach('parts', 'purge', opened_at => 'now');
SELECT align.purge('parts', now());
SELECT count(*) FROM parts_history;
SELECT count(*) FROM parts_sla;
SELECT * FROM align.check('parts');
-- (the partition that was detached is an ordinary table, and can be dropped)
SELECT count(*) FROM parts_history_all;
DROP TABLE parts_history_all;
-- with the table go the pointers of a partitioned history
DROP TABLE parts;
SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE tgname = 'align_history_of' AND tgrelid::regclass::text LIKE 'parts%';

-- As the owner, whatever row-level security and other settings say.
CREATE TABLE guarded (id int PRIMARY KEY, stage text);
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
ALTER TABLE guarded FORCE ROW LEVEL SECURITY;
ALTER TABLE guarded OWNER TO regress_align_stranger;
GRANT CREATE ON SCHEMA purge TO regress_align_stranger;
SELECT align.admit('purge', 'regress_align_stranger');
SELECT align.attach('guarded', 'purge', opened_at => 'now');
INSERT INTO guarded VALUES (1, 'mql'), (2, 'mql');
DELETE FROM guarded WHERE id = 1;
SET ROLE regress_align_stranger;
SET row_security = off;
SELECT align.purge('guarded', now());
RESET row_security;
RESET ROLE;
SELECT id, event FROM guarded_history;

RESET search_path;
SET client_min_messages = warning;
DROP SCHEMA purge CASCADE;
DROP OWNED BY regress_align_stranger;
DROP ROLE regress_align_stranger;
