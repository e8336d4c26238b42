-- Rows that come: INSERT, COPY, ON CONFLICT, MERGE, and what is refused.
\set VERBOSITY sqlstate
CREATE SCHEMA roads_insert;
SET search_path = roads_insert;
SELECT align.agree('roads_insert', $$
    stage inquiry, mql held by marketing;
    stage sal, sql held by sales;
    won customer;
    lost disqualified;
    entry inquiry, mql;
    success path inquiry -> mql -> sal -> sql -> customer;
    path any -> disqualified;
    mql known as 'Marketing Qualified';
    handoff speed_to_lead: mql from marketing to sales, accept sal, within 4 hours;
    sla qualify by sales: from sal to sql, disqualified within 2 days;
$$);
CREATE TABLE leads (id int PRIMARY KEY, stage text DEFAULT 'inquiry', owner text, n int NOT NULL DEFAULT 0);
INSERT INTO leads VALUES (1, 'inquiry'), (2, 'sql'), (3, NULL);
SELECT align.attach('leads', 'roads_insert', assignee => 'owner', opened_at => 'now');
CREATE VIEW trail AS
SELECT id, entry_no AS no, event, from_stage, stage, from_team, team, assignee, violation, source, handoff
FROM leads_history ORDER BY id, entry_no;
CREATE VIEW promises AS
SELECT id, sla, cycle, outcome, assignee_at_start FROM leads_sla ORDER BY id, sla, cycle;
-- what was there
SELECT * FROM trail;
SELECT * FROM promises;

-- one row, several, straight into a later entry stage, under another label, by default
INSERT INTO leads VALUES (10, 'inquiry');
INSERT INTO leads (id, stage, owner) VALUES (11, 'mql', 'ann'), (12, 'Marketing Qualified', NULL), (13, DEFAULT, NULL);
INSERT INTO leads (id) SELECT 20 + g FROM generate_series(0, 2) AS g;
-- not yet in the funnel: nothing, until the stage is set
INSERT INTO leads VALUES (30, NULL);
UPDATE leads SET stage = 'inquiry' WHERE id = 30;
UPDATE leads SET n = 1 WHERE id = 30;
SELECT * FROM trail WHERE id >= 10;
SELECT * FROM promises WHERE id >= 10;

-- refused: where no lead may appear, what is no stage; one bad row refuses all
INSERT INTO leads VALUES (40, 'sal');
INSERT INTO leads VALUES (40, 'customer');
INSERT INTO leads VALUES (40, 'hot');
INSERT INTO leads VALUES (40, '');
INSERT INTO leads VALUES (40, 'inquiry'), (41, 'mql'), (42, 'customer'), (43, 'mql');
INSERT INTO leads SELECT 40 + g, CASE WHEN g = 5000 THEN 'sql' ELSE 'mql' END FROM generate_series(1, 5000) AS g;
-- into the funnel by a stage that is no entry
UPDATE leads SET stage = 'sal' WHERE id = 3;
-- and out of it
UPDATE leads SET stage = NULL WHERE id = 10;
SELECT count(*) FROM leads WHERE id >= 40;
SELECT count(*) FROM leads_history WHERE id >= 40 OR id = 3;
SELECT * FROM align.check('leads');

-- COPY
COPY leads (id, stage, owner) FROM stdin;
50	inquiry	\N
51	Marketing Qualified	bob
52	\N	\N
\.
COPY leads (id, stage) FROM stdin;
53	inquiry
54	sql
\.
COPY leads (id) FROM stdin;
55
\.
SELECT * FROM trail WHERE id BETWEEN 50 AND 59;
SELECT * FROM align.check('leads');

-- ON CONFLICT: rows that were there are updated, once
INSERT INTO leads VALUES (10, 'mql'), (60, 'inquiry') ON CONFLICT DO NOTHING;
INSERT INTO leads VALUES (10, 'mql', 'eve'), (61, 'mql', 'eve')
    ON CONFLICT (id) DO UPDATE SET stage = excluded.stage, owner = excluded.owner;
INSERT INTO leads VALUES (10, 'mql', 'eve'), (61, 'inquiry', 'eve')
    ON CONFLICT (id) DO UPDATE SET n = leads.n + 1;
INSERT INTO leads VALUES (10, 'sal'), (62, 'inquiry')
    ON CONFLICT (id) DO UPDATE SET stage = excluded.stage WHERE leads.n = 0;
-- the row that was there moves where no path leads; the new one appears where none may
INSERT INTO leads VALUES (10, 'customer') ON CONFLICT (id) DO UPDATE SET stage = excluded.stage;
INSERT INTO leads VALUES (63, 'sal') ON CONFLICT (id) DO UPDATE SET stage = excluded.stage;
-- to update it is legal, as the lead is an mql
INSERT INTO leads VALUES (61, 'sal') ON CONFLICT (id) DO UPDATE SET stage = excluded.stage;
SELECT * FROM trail WHERE id IN (10) OR id BETWEEN 60 AND 69;
SELECT * FROM promises WHERE id IN (10) OR id BETWEEN 60 AND 69;
SELECT * FROM align.check('leads');

-- MERGE
CREATE TABLE incoming (id int, stage text, gone boolean DEFAULT false);
INSERT INTO incoming VALUES (20, 'mql'), (21, 'inquiry'), (22, NULL), (70, 'mql'), (71, 'inquiry');
UPDATE incoming SET gone = true WHERE id = 22;
MERGE INTO leads AS l USING incoming AS i ON l.id = i.id
    WHEN MATCHED AND i.gone THEN DELETE
    WHEN MATCHED THEN UPDATE SET stage = i.stage, n = l.n + 1
    WHEN NOT MATCHED THEN INSERT (id, stage) VALUES (i.id, i.stage);
SELECT * FROM trail WHERE id BETWEEN 20 AND 29 OR id BETWEEN 70 AND 79;
UPDATE incoming SET stage = 'sql' WHERE id = 71;
MERGE INTO leads AS l USING incoming AS i ON l.id = i.id
    WHEN MATCHED THEN UPDATE SET stage = i.stage;
SELECT id, stage FROM leads WHERE id BETWEEN 20 AND 29 OR id BETWEEN 70 AND 79 ORDER BY id;
SELECT * FROM align.check('leads');

-- data-modifying CTEs: all of one statement, on rows as they were before it
WITH come AS (INSERT INTO leads VALUES (80, 'inquiry'), (81, 'mql') RETURNING id),
     go AS (DELETE FROM leads WHERE id = 70 RETURNING id),
     moved AS (UPDATE leads SET stage = 'mql' WHERE id IN (1, 71, 80) RETURNING id)
SELECT 'come', id FROM come UNION ALL SELECT 'go', id FROM go UNION ALL SELECT 'moved', id FROM moved ORDER BY 1, 2;
-- of two that update one row, one does
WITH one AS (UPDATE leads SET stage = 'sal' WHERE id = 81 RETURNING id)
UPDATE leads SET stage = 'disqualified' WHERE id = 81 AND false;
-- the table is not named at the top
WITH moved AS (UPDATE leads SET stage = 'sal' WHERE id = 71) SELECT 1;
WITH moved AS (INSERT INTO leads VALUES (82, 'mql') RETURNING *) INSERT INTO incoming SELECT id, stage FROM moved;
SELECT * FROM trail WHERE id IN (1, 70, 71) OR id BETWEEN 80 AND 89;
SELECT * FROM align.check('leads');

-- many at once, over the batch of the recorder
INSERT INTO leads SELECT g, CASE WHEN g % 3 = 0 THEN 'mql' ELSE 'inquiry' END FROM generate_series(100001, 125000) AS g;
SELECT event, stage, min(entry_no), max(entry_no), count(*), count(DISTINCT id) FROM leads_history WHERE id > 100000 GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*) FROM leads_sla WHERE id > 100000;
SELECT * FROM align.check('leads');

DROP SCHEMA roads_insert CASCADE;
