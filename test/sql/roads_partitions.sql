-- Partitioned tables: row movement, direct writes to partitions, their own order of columns.
\set VERBOSITY sqlstate
CREATE SCHEMA roads_partitions;
SET search_path = roads_partitions;
SET client_min_messages = warning;
SELECT align.agree('roads_partitions', $$
    stage inquiry, mql held by marketing;
    stage sal, sql held by sales;
    won customer;
    lost disqualified;
    entry inquiry, mql;
    success path inquiry -> mql -> sal -> sql -> customer;
    path any -> disqualified;
    handoff speed_to_lead: mql from marketing to sales, accept sal, within 4 hours;
    sla qualify by sales: from sal to sql, disqualified within 2 days;
$$);

-- by stage: every move is one from a partition to another
CREATE TABLE leads (id int NOT NULL, stage text, owner text, n int, UNIQUE (id, stage)) PARTITION BY LIST (stage);
CREATE TABLE leads_early PARTITION OF leads FOR VALUES IN ('inquiry', 'mql');
-- a partition with its columns in another order, and one that is gone
CREATE TABLE leads_late (owner text, gone int, n int, id int NOT NULL, stage text);
ALTER TABLE leads_late DROP COLUMN gone;
ALTER TABLE leads ATTACH PARTITION leads_late FOR VALUES IN ('sal', 'sql');
CREATE TABLE leads_rest PARTITION OF leads DEFAULT;
INSERT INTO leads VALUES (1, 'inquiry'), (2, 'sal'), (3, NULL);
-- nothing unique can leave out the stage: the key is told
SELECT align.attach('leads', 'roads_partitions', key => '{id}', assignee => 'owner', opened_at => 'now');
CREATE VIEW trail AS
SELECT id, entry_no AS no, event, from_stage, stage, assignee, source FROM leads_history ORDER BY id, entry_no;
CREATE VIEW promises AS
SELECT id, sla, cycle, outcome, assignee_at_start FROM leads_sla ORDER BY id, sla, cycle;
SELECT * FROM trail;
INSERT INTO leads VALUES (4, 'mql', 'ann', 1), (5, 'inquiry', 'ann', 1), (6, NULL, NULL, 1);
UPDATE leads SET stage = 'mql' WHERE id IN (1, 5);
UPDATE leads SET stage = 'sal', owner = 'bob' WHERE id IN (4, 5);
UPDATE leads SET stage = 'sql' WHERE id IN (4);
UPDATE leads SET stage = 'customer' WHERE id IN (4);
UPDATE leads SET n = n + 1;
UPDATE leads SET owner = 'eve' WHERE id = 5;
UPDATE leads SET stage = 'mql' WHERE id IN (3);
SELECT * FROM trail;
SELECT * FROM promises;
SELECT * FROM align.check('leads');
-- refused
INSERT INTO leads VALUES (7, 'sal');
INSERT INTO leads VALUES (7, 'hot');
UPDATE leads SET stage = 'customer' WHERE id = 5;
UPDATE leads SET stage = 'hot' WHERE id = 5;
UPDATE leads SET stage = NULL WHERE id = 5;
SELECT * FROM align.check('leads');
-- several times in a transaction, there and back
BEGIN;
INSERT INTO leads VALUES (8, 'inquiry');
UPDATE leads SET stage = 'mql' WHERE id = 8;
UPDATE leads SET stage = 'sal' WHERE id = 8;
SAVEPOINT a;
UPDATE leads SET stage = 'sql' WHERE id = 8;
UPDATE leads SET stage = 'customer' WHERE id = 8;
ROLLBACK TO a;
UPDATE leads SET stage = 'disqualified' WHERE id = 8;
DELETE FROM leads WHERE id = 8;
INSERT INTO leads VALUES (8, 'inquiry');
COMMIT;
SELECT * FROM trail WHERE id = 8;
-- straight to a partition: each row is recorded at once
BEGIN;
INSERT INTO leads_early VALUES (9, 'inquiry'), (10, 'mql');
UPDATE leads_early SET stage = 'mql' WHERE id = 9;
INSERT INTO leads_late (id, stage, owner) VALUES (11, 'sal', 'ann');
ROLLBACK;
INSERT INTO leads_early VALUES (9, 'inquiry'), (10, 'mql');
UPDATE leads_early SET stage = 'mql' WHERE id = 9;
INSERT INTO leads_late (id, stage) VALUES (11, 'sal');
DELETE FROM leads_early WHERE id = 10;
UPDATE leads_late SET stage = 'sql' WHERE id = 5;
COPY leads_early FROM stdin;
12	mql	ann	1
\.
SELECT * FROM trail WHERE id IN (5, 9, 10, 11, 12);
SELECT * FROM align.check('leads');
-- COPY and MERGE to the root
COPY leads FROM stdin;
13	inquiry	ann	1
14	mql	ann	1
15	\N	ann	1
\.
MERGE INTO leads USING (VALUES (13, 'mql'), (14, 'sal'), (16, 'inquiry')) AS v (id, stage) ON leads.id = v.id
    WHEN MATCHED THEN UPDATE SET stage = v.stage
    WHEN NOT MATCHED THEN INSERT (id, stage) VALUES (v.id, v.stage);
SELECT * FROM trail WHERE id BETWEEN 13 AND 19;
-- a CTE that deletes and inserts the same lead is not a move between partitions
WITH gone AS (DELETE FROM leads WHERE id = 13 RETURNING id)
INSERT INTO leads SELECT id, 'inquiry' FROM gone;
SELECT * FROM trail WHERE id = 13;
SELECT * FROM align.check('leads');
-- keys that change together with the partition
UPDATE leads SET id = 113, stage = 'mql' WHERE id = 13;
UPDATE leads SET id = 114 WHERE id = 14;
UPDATE leads SET id = 214, stage = 'sql' WHERE id = 114;
SELECT * FROM align.check('leads');

-- partitions that come later, are filled before or after, and leave
CREATE TABLE leads_won (LIKE leads);
INSERT INTO leads_won VALUES (50, 'customer');
ALTER TABLE leads DETACH PARTITION leads_rest;
INSERT INTO leads_rest VALUES (70, 'sal');
TRUNCATE leads_rest;
ALTER TABLE leads ATTACH PARTITION leads_won FOR VALUES IN ('customer', 'disqualified');
CREATE TABLE leads_null PARTITION OF leads DEFAULT;
UPDATE leads SET stage = 'customer' WHERE id = 214;
INSERT INTO leads VALUES (51, 'inquiry');
UPDATE leads SET stage = 'disqualified' WHERE id = 51;
SELECT * FROM trail WHERE id IN (50, 51, 214);
-- what came and left with a partition is told by check, and put right by attaching again
SELECT * FROM align.check('leads') ORDER BY key;
SELECT align.attach('leads', 'roads_partitions', key => '{id}', assignee => 'owner', opened_at => 'now');
SELECT * FROM align.check('leads');

-- TRUNCATE of one partition, of all
INSERT INTO leads VALUES (60, 'inquiry'), (61, 'mql');
UPDATE leads SET stage = 'sal' WHERE id = 61;
TRUNCATE leads_late;
SELECT id FROM leads_history WHERE event = 'truncated' ORDER BY id;
SELECT * FROM trail WHERE id = 61;
SELECT * FROM align.check('leads');
TRUNCATE leads;
SELECT count(*), count(DISTINCT id) FROM leads_history WHERE event = 'truncated';
SELECT * FROM promises WHERE outcome IS NULL;
SELECT * FROM align.check('leads');
INSERT INTO leads VALUES (61, 'mql');
TRUNCATE leads_won;
SELECT * FROM trail WHERE id = 61;
SELECT * FROM align.check('leads');

-- by hash of the key, below that by range: moves stay where they are
CREATE TABLE deals (owner text, id bigint PRIMARY KEY, n int, stage text) PARTITION BY HASH (id);
CREATE TABLE deals_0 PARTITION OF deals FOR VALUES WITH (MODULUS 2, REMAINDER 0) PARTITION BY RANGE (id);
CREATE TABLE deals_0_low PARTITION OF deals_0 FOR VALUES FROM (MINVALUE) TO (100);
CREATE TABLE deals_0_high (id bigint NOT NULL, stage text, n int, owner text);
ALTER TABLE deals_0 ATTACH PARTITION deals_0_high FOR VALUES FROM (100) TO (MAXVALUE);
CREATE TABLE deals_1 PARTITION OF deals FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO deals (id, stage) SELECT g, 'inquiry' FROM generate_series(1, 200) AS g;
SELECT align.attach('deals', 'roads_partitions', assignee => 'owner', opened_at => 'now');
UPDATE deals SET stage = 'mql';
UPDATE deals SET stage = 'sal' WHERE id % 2 = 0;
UPDATE deals SET id = id + 1000 WHERE id % 50 = 0;
INSERT INTO deals (id, stage) VALUES (2, 'disqualified'), (300, 'mql') ON CONFLICT (id) DO UPDATE SET stage = excluded.stage;
DELETE FROM deals WHERE id IN (3, 4);
INSERT INTO deals_0 (id, stage) SELECT g, 'mql' FROM generate_series(400, 420) AS g WHERE satisfies_hash_partition('deals'::regclass, 2, 0, g::bigint);
INSERT INTO deals_1 (id, stage) SELECT g, 'mql' FROM generate_series(400, 420) AS g WHERE satisfies_hash_partition('deals'::regclass, 2, 1, g::bigint);
UPDATE deals_0 SET stage = 'sal' WHERE id BETWEEN 400 AND 420;
SELECT count(*) FROM deals;
SELECT event, from_stage, stage, count(*) FROM deals_history GROUP BY 1, 2, 3 HAVING count(*) > 20 ORDER BY 1, 2, 3;
SELECT id, entry_no, event, from_stage, stage FROM deals_history WHERE id IN (2, 3, 4, 300) AND event <> 'opening' ORDER BY 1, 2;
SELECT * FROM align.check('deals');
-- sub-partitions that are split off and come back
ALTER TABLE deals_0 DETACH PARTITION deals_0_high;
ALTER TABLE deals_0 ATTACH PARTITION deals_0_high FOR VALUES FROM (100) TO (MAXVALUE);
UPDATE deals SET stage = 'disqualified' WHERE id > 100;
TRUNCATE deals_0;
SELECT * FROM align.check('deals');

DROP SCHEMA roads_partitions CASCADE;
