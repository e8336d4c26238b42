-- The table changes under the agreement: names, types, columns, schemas.
\set VERBOSITY sqlstate
CREATE SCHEMA roads_ddl;
SET search_path = roads_ddl;
SET client_min_messages = warning;
SELECT align.agree('roads_ddl', $$
    stage inquiry, mql held by marketing;
    stage sal held by sales;
    won customer;
    lost disqualified;
    success path inquiry -> mql -> sal -> customer;
    path any -> disqualified;
    sal needs email, 'budget >= 100';
    handoff speed_to_lead: mql from marketing to sales, accept sal, within 4 hours;
$$);
CREATE TABLE leads (id int PRIMARY KEY, junk int, stage varchar(20), owner varchar(10), email text, budget int, deleted boolean NOT NULL DEFAULT false);
INSERT INTO leads (id, stage) VALUES (1, 'inquiry');
SELECT align.attach('leads', 'roads_ddl', assignee => 'owner', live => 'NOT deleted', opened_at => 'now');
UPDATE leads SET stage = 'mql' WHERE id = 1;

-- columns are renamed, dropped and added, in a session that has used the table
ALTER TABLE leads RENAME stage TO status;
ALTER TABLE leads RENAME owner TO "whose lead, then?";
ALTER TABLE leads RENAME id TO lead_id;
ALTER TABLE leads RENAME deleted TO dead;
UPDATE leads SET "whose lead, then?" = 'ann';
ALTER TABLE leads DROP COLUMN junk;
ALTER TABLE leads ADD COLUMN more text DEFAULT 'more', ADD COLUMN extra int;
INSERT INTO leads (lead_id, status) VALUES (2, 'inquiry');
UPDATE leads SET status = 'mql' WHERE lead_id = 2;
UPDATE leads SET dead = true WHERE lead_id = 2;
UPDATE leads SET dead = false WHERE lead_id = 2;
SELECT id, entry_no, event, from_stage, stage, assignee, source FROM leads_history ORDER BY 1, 2;
SELECT * FROM align.check('leads');
SELECT relation, stage, key, assignee, history, sla, live FROM align.attachments WHERE relation = 'leads'::regclass;
-- a need is named by the agreement: a column that is renamed is not there
UPDATE leads SET status = 'sal', email = 'a@b', budget = 100 WHERE lead_id = 1;
ALTER TABLE leads RENAME email TO mail;
UPDATE leads SET status = 'sal' WHERE lead_id = 2;
ALTER TABLE leads RENAME mail TO email;
UPDATE leads SET status = 'sal', email = 'a@b', budget = 99 WHERE lead_id = 2;
ALTER TABLE leads RENAME budget TO money;
UPDATE leads SET status = 'sal', email = 'a@b' WHERE lead_id = 2;
ALTER TABLE leads RENAME money TO budget;
UPDATE leads SET status = 'sal', email = 'a@b', budget = 101 WHERE lead_id = 2;
-- the columns of an attachment cannot be dropped, nor their types changed
ALTER TABLE leads DROP COLUMN status;
ALTER TABLE leads DROP COLUMN "whose lead, then?";
ALTER TABLE leads DROP COLUMN lead_id;
ALTER TABLE leads DROP COLUMN dead;
ALTER TABLE leads ALTER COLUMN status TYPE text;
ALTER TABLE leads ALTER COLUMN lead_id TYPE bigint;
DROP TABLE leads_history;
DROP TABLE leads_sla;
-- other columns can; conditions follow
ALTER TABLE leads ALTER COLUMN budget TYPE numeric, ALTER COLUMN email TYPE varchar(100);
INSERT INTO leads (lead_id, status) VALUES (3, 'inquiry');
UPDATE leads SET status = 'mql' WHERE lead_id = 3;
UPDATE leads SET status = 'sal', email = ' ', budget = 100 WHERE lead_id = 3;
UPDATE leads SET status = 'sal', email = 'a@b', budget = 99.5 WHERE lead_id = 3;
UPDATE leads SET status = 'sal', email = 'a@b', budget = 100.5 WHERE lead_id = 3;
SELECT id, entry_no, event, from_stage, stage, assignee, source FROM leads_history WHERE entry_no > 2 ORDER BY 1, 2;
SELECT * FROM align.check('leads');
-- a column in use changes its type between detach and attach
SELECT align.detach('leads');
ALTER TABLE leads ALTER COLUMN status TYPE text;
ALTER TABLE leads RENAME lead_id TO id;
UPDATE leads SET status = 'customer' WHERE id = 3;
DELETE FROM leads WHERE id = 2;
INSERT INTO leads (id, status) VALUES (4, 'mql');
SELECT align.attach('leads', 'roads_ddl', stage => 'status', assignee => '"whose lead, then?"', opened_at => 'now');
SELECT align.attach('leads', 'roads_ddl', stage => 'status', assignee => 'whose lead, then?', opened_at => 'now');
SELECT id, entry_no, event, from_stage, stage, source FROM leads_history WHERE entry_no > 3 OR id = 4 ORDER BY 1, 2;
SELECT * FROM align.check('leads');

-- tables are renamed and moved; history and clocks too
ALTER TABLE leads RENAME TO people;
ALTER TABLE leads_history RENAME TO what_happened;
ALTER TABLE leads_sla RENAME TO "promises & such";
CREATE SCHEMA "roads_ddl ""archive""";
ALTER TABLE what_happened SET SCHEMA "roads_ddl ""archive""";
UPDATE people SET status = 'sal', email = 'a@b', budget = 100 WHERE id = 4;
CREATE SCHEMA roads_ddl_2;
ALTER TABLE people SET SCHEMA roads_ddl_2;
UPDATE roads_ddl_2.people SET status = 'customer' WHERE id = 4;
ALTER SCHEMA roads_ddl_2 RENAME TO roads_ddl_3;
INSERT INTO roads_ddl_3.people (id, status) VALUES (5, 'inquiry');
SELECT id, entry_no, event, from_stage, stage, source FROM "roads_ddl ""archive""".what_happened WHERE id >= 4 ORDER BY 1, 2;
SELECT id, sla, cycle, outcome FROM "promises & such" WHERE id >= 4 ORDER BY 1, 2, 3;
SELECT * FROM align.check('roads_ddl_3.people');
SELECT relation, history, sla FROM align.attachments WHERE relation = 'roads_ddl_3.people'::regclass;
-- rewritten, clustered, without logging
VACUUM FULL roads_ddl_3.people;
VACUUM FULL "promises & such";
ALTER TABLE roads_ddl_3.people SET UNLOGGED;
UPDATE roads_ddl_3.people SET status = 'mql' WHERE id = 5;
ALTER TABLE roads_ddl_3.people SET LOGGED;
SELECT * FROM align.check('roads_ddl_3.people');
-- indexes and constraints come and go
ALTER TABLE roads_ddl_3.people DROP CONSTRAINT leads_pkey;
UPDATE roads_ddl_3.people SET status = 'sal', email = 'a@b', budget = 100 WHERE id = 5;
ALTER TABLE roads_ddl_3.people ADD PRIMARY KEY (id);
SELECT * FROM align.check('roads_ddl_3.people');
-- the table is dropped: its history stays
DROP TABLE roads_ddl_3.people;
SELECT count(*) FROM "roads_ddl ""archive""".what_happened WHERE id = 5;

-- a copy of a table is not attached
SELECT align.agree('roads_ddl_2', 'stage inquiry, sal; won customer; success path inquiry -> sal -> customer;');
CREATE TABLE source (id int PRIMARY KEY, stage text);
SELECT align.attach('source', 'roads_ddl_2', opened_at => 'now');
CREATE TABLE copied (LIKE source INCLUDING ALL);
INSERT INTO copied VALUES (1, 'sal');
-- nor can one inherit from it and be forgotten
CREATE TABLE heir () INHERITS (source);
INSERT INTO heir VALUES (7, 'inquiry');
SELECT key, problem FROM align.check('source');

DROP SCHEMA roads_ddl CASCADE;
DROP SCHEMA roads_ddl_3, "roads_ddl ""archive""" CASCADE;
