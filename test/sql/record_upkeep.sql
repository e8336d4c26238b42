-- Partition upkeep that moves rows by DELETE and INSERT leaves no mark.
CREATE SCHEMA record_upkeep;
SET search_path = record_upkeep;
SET client_min_messages = warning;
SELECT align.agree('record_upkeep', 'stage a held by m; stage b held by s; won w; success path a -> b -> w; handoff h: a from m to s, accept b, within 4 hours; sla d by s: from b to w within 4 days;');
CREATE TABLE leads (id int, stage text, owner text, created date NOT NULL, PRIMARY KEY (id, created)) PARTITION BY RANGE (created);
CREATE TABLE leads_default PARTITION OF leads DEFAULT;
SELECT align.attach('leads', 'record_upkeep', key => '{id}', assignee => 'owner');
INSERT INTO leads SELECT i, 'a', 'ann', date '2025-01-01' + i FROM generate_series(1, 600) AS i;
UPDATE leads SET stage = 'b' WHERE id % 2 = 0;
CREATE TABLE before AS TABLE leads_history;
CREATE TABLE clocks_before AS TABLE leads_sla;
CREATE FUNCTION differences() RETURNS TABLE (what text, n bigint) LANGUAGE sql AS $$
    SELECT 'history', count(*) FROM ((TABLE leads_history EXCEPT TABLE before) UNION ALL (TABLE before EXCEPT TABLE leads_history)) AS h
    UNION ALL SELECT 'clocks', count(*) FROM ((TABLE leads_sla EXCEPT TABLE clocks_before) UNION ALL (TABLE clocks_before EXCEPT TABLE leads_sla)) AS c
    UNION ALL SELECT 'check', count(*) FROM align.check('leads')
$$;

-- on tables that are no partitions meanwhile
BEGIN;
ALTER TABLE leads DETACH PARTITION leads_default;
CREATE TABLE leads_1 (LIKE leads INCLUDING ALL);
WITH moved AS (DELETE FROM leads_default WHERE created < '2025-07-01' RETURNING *) INSERT INTO leads_1 SELECT * FROM moved;
ALTER TABLE leads ATTACH PARTITION leads_1 FOR VALUES FROM ('2025-01-01') TO ('2025-07-01');
ALTER TABLE leads ATTACH PARTITION leads_default DEFAULT;
COMMIT;
SELECT tableoid::regclass, count(*) FROM leads GROUP BY 1 ORDER BY tableoid::regclass::text COLLATE "C";
SELECT * FROM differences();
-- in a transaction without triggers
BEGIN;
SET LOCAL session_replication_role = replica;
CREATE TEMPORARY TABLE moved ON COMMIT DROP AS SELECT * FROM leads_default WHERE created < '2026-01-01';
DELETE FROM leads_default WHERE created < '2026-01-01';
CREATE TABLE leads_2 PARTITION OF leads FOR VALUES FROM ('2025-07-01') TO ('2026-01-01');
INSERT INTO leads SELECT * FROM moved;
COMMIT;
SELECT tableoid::regclass, count(*) FROM leads GROUP BY 1 ORDER BY tableoid::regclass::text COLLATE "C";
SELECT * FROM differences();
-- row movement is a change of the row, of which there is nothing to record
UPDATE leads SET created = created - 600 WHERE id > 500;
SELECT tableoid::regclass, count(*) FROM leads GROUP BY 1 ORDER BY tableoid::regclass::text COLLATE "C";
SELECT * FROM differences();
-- what is written later is recorded in every partition
UPDATE leads SET stage = 'w' WHERE id IN (2, 200, 400, 510);
INSERT INTO leads VALUES (1001, 'a', 'bob', '2025-02-02'), (1002, 'a', 'bob', '2025-08-08'), (1003, 'a', 'bob', '2026-03-03');
SELECT id, event, stage FROM (TABLE leads_history EXCEPT TABLE before) AS h ORDER BY id;
SELECT * FROM align.check('leads');
-- without either, the leads have ended, and others have entered
WITH gone AS (DELETE FROM leads_default WHERE id = 1003 RETURNING *) INSERT INTO leads_default SELECT * FROM gone;
SELECT entry_no, event, stage FROM leads_history WHERE id = 1003 ORDER BY 1;
SELECT * FROM align.check('leads');

DROP SCHEMA record_upkeep CASCADE;
