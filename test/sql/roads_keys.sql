-- Keys: of several types and of two columns, that change, change places, and shift.
\set VERBOSITY sqlstate
CREATE SCHEMA roads_keys;
SET search_path = roads_keys;
SET client_min_messages = warning;
SELECT align.agree('roads_keys', $$
    stage inquiry, mql held by marketing;
    stage sal held by sales;
    won customer;
    lost disqualified;
    success path inquiry -> mql -> sal -> customer;
    path any -> disqualified;
    handoff speed_to_lead: mql from marketing to sales, accept sal, within 4 hours;
$$);
-- unique together with the stage that it is partitioned by: so keys can change places in one statement
CREATE TABLE leads (id bigint NOT NULL, stage text, owner text, UNIQUE (id, stage)) PARTITION BY LIST (stage);
CREATE TABLE leads_sales PARTITION OF leads FOR VALUES IN ('sal', 'customer');
CREATE TABLE leads_others PARTITION OF leads DEFAULT;
INSERT INTO leads SELECT g, 'inquiry' FROM generate_series(1, 8) AS g;
SELECT align.attach('leads', 'roads_keys', key => '{id}', assignee => 'owner', opened_at => 'now');
CREATE VIEW trail AS
SELECT id, entry_no AS no, event, from_stage, stage, note FROM leads_history ORDER BY id, entry_no;
CREATE VIEW promises AS
SELECT id, sla, cycle, outcome FROM leads_sla ORDER BY id, sla, cycle;
UPDATE leads SET stage = 'mql' WHERE id <= 4;
-- one
UPDATE leads SET id = 100 WHERE id = 1;
UPDATE leads SET stage = 'sal' WHERE id = 100;
SELECT * FROM trail WHERE id IN (1, 100);
SELECT * FROM promises WHERE id IN (1, 100);
SELECT * FROM align.check('leads');
-- key and stage at once
UPDATE leads SET id = 105, stage = 'mql' WHERE id = 5;
SELECT * FROM trail WHERE id IN (5, 105);
-- key and owner at once
UPDATE leads SET id = 106, owner = 'ann' WHERE id = 6;
SELECT id, entry_no AS no, event, from_stage, stage, assignee, note FROM leads_history WHERE id IN (6, 106) ORDER BY 1, 2;
SELECT * FROM align.check('leads');
-- a new lead takes the old number
INSERT INTO leads VALUES (1, 'inquiry');
UPDATE leads SET stage = 'mql' WHERE id = 1;
SELECT * FROM trail WHERE id = 1;
SELECT * FROM align.check('leads');
-- two change places
UPDATE leads SET stage = 'sal' WHERE id = 2;
UPDATE leads SET id = 5 - id WHERE id IN (2, 3);
SELECT id, stage FROM leads WHERE id IN (2, 3) ORDER BY id;
SELECT * FROM promises WHERE id IN (2, 3);
SELECT * FROM align.check('leads');
UPDATE leads SET stage = 'disqualified' WHERE id IN (2, 3);
SELECT * FROM promises WHERE id IN (2, 3);
SELECT * FROM align.check('leads');
-- three in a ring, with their stages
INSERT INTO leads VALUES (10, 'inquiry'), (11, 'inquiry'), (12, 'inquiry');
UPDATE leads SET stage = 'mql' WHERE id = 10;
UPDATE leads SET stage = 'disqualified' WHERE id = 12;
UPDATE leads SET id = 10 + (id - 9) % 3, stage = CASE id WHEN 10 THEN 'sal' WHEN 11 THEN 'mql' ELSE stage END WHERE id IN (10, 11, 12);
SELECT id, stage FROM leads WHERE id IN (10, 11, 12) ORDER BY id;
SELECT * FROM promises WHERE id IN (10, 11, 12);
SELECT * FROM align.check('leads');
-- all shift, on to numbers that were others' before
UPDATE leads SET id = id + 1000;
SELECT * FROM align.check('leads');
UPDATE leads SET id = id - 999;
SELECT * FROM align.check('leads');
UPDATE leads SET id = id + 2000;
UPDATE leads SET id = id - 2001;
SELECT * FROM align.check('leads');
CREATE TABLE rows (id int PRIMARY KEY, stage text);
INSERT INTO rows SELECT g, 'inquiry' FROM generate_series(1, 9) AS g;
SELECT align.attach('rows', 'roads_keys', opened_at => 'now');
UPDATE rows SET stage = 'mql' WHERE id % 2 = 0;
DELETE FROM rows WHERE id = 3;
UPDATE rows SET id = id - 1 WHERE id > 3;
UPDATE rows SET stage = 'sal' WHERE stage = 'mql' AND id > 3;
SELECT id, string_agg(concat_ws(' ', event, stage, note), ', ' ORDER BY entry_no) FROM rows_history GROUP BY id ORDER BY id;
SELECT id, sla, cycle, outcome FROM rows_sla ORDER BY 1, 2, 3;
SELECT * FROM align.check('rows');
-- twice in a transaction, there and back, rolled back in part
BEGIN;
UPDATE leads SET id = 200 WHERE id = 4;
UPDATE leads SET stage = 'sal' WHERE id = 200;
SAVEPOINT a;
UPDATE leads SET id = 201 WHERE id = 200;
ROLLBACK TO a;
UPDATE leads SET id = 4 WHERE id = 200;
COMMIT;
SELECT * FROM promises WHERE id IN (4, 200, 201);
SELECT * FROM align.check('leads');
-- a lead that is gone left its number to another; a key that changes outside the funnel
DELETE FROM leads WHERE id = 7;
UPDATE leads SET id = 7 WHERE id = 8;
INSERT INTO leads VALUES (8, NULL);
UPDATE leads SET id = 9 WHERE id = 8;
UPDATE leads SET stage = 'inquiry' WHERE id = 9;
INSERT INTO leads VALUES (300, NULL);
UPDATE leads SET id = 301, stage = 'inquiry' WHERE id = 300;
SELECT id, entry_no AS no, event, from_stage, stage, source, note FROM leads_history WHERE id IN (7, 8, 9, 300, 301) ORDER BY 1, 2;
SELECT * FROM align.check('leads');

-- on to the number of a lead that was taken out of the funnel, and then deleted
CREATE TABLE loose (id int PRIMARY KEY, stage text);
SELECT align.attach('loose', 'roads_keys', mode => 'observe', opened_at => 'now');
INSERT INTO loose VALUES (1, 'mql'), (2, 'mql');
UPDATE loose SET stage = 'sal' WHERE id = 2;
UPDATE loose SET stage = NULL WHERE id = 1;
DELETE FROM loose WHERE id = 1;
UPDATE loose SET id = 1 WHERE id = 2;
SELECT * FROM align.check('loose');
UPDATE loose SET stage = 'customer' WHERE id = 1;
SELECT id, entry_no AS no, event, from_stage, stage FROM loose_history ORDER BY 1, 2;
SELECT * FROM align.check('loose');

-- types of keys, each through the same operations
CREATE PROCEDURE tour(relation regclass, a text, b text, c text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('INSERT INTO %s (id, stage) VALUES (%L, ''inquiry''), (%L, ''inquiry'')', relation, a, b);
    EXECUTE format('UPDATE %s SET stage = ''mql''', relation);
    EXECUTE format('UPDATE %s SET stage = ''sal'' WHERE id = %L', relation, a);
    EXECUTE format('UPDATE %s SET id = %L WHERE id = %L', relation, c, b);
    EXECUTE format('UPDATE %s SET stage = ''sal'' WHERE id = %L', relation, c);
    EXECUTE format('DELETE FROM %s WHERE id = %L', relation, a);
END $$;
CREATE DOMAIN code AS text CHECK (value <> '');
CREATE TYPE color AS ENUM ('red', 'green', 'blue');
CREATE TABLE k_bigint (id bigint PRIMARY KEY, stage text);
CREATE TABLE k_uuid (id uuid PRIMARY KEY, stage text);
CREATE TABLE k_text (stage text, id text PRIMARY KEY);
CREATE TABLE k_varchar (id varchar(10) PRIMARY KEY, stage text);
CREATE TABLE k_char (id char(5) PRIMARY KEY, stage text);
CREATE TABLE k_domain (id code PRIMARY KEY, stage text);
CREATE TABLE k_enum (id color PRIMARY KEY, stage text);
CREATE TABLE k_numeric (id numeric PRIMARY KEY, stage text);
CREATE TABLE k_timestamptz (id timestamptz PRIMARY KEY, stage text);
CREATE TABLE k_bytea (id bytea PRIMARY KEY, stage text);
CREATE TABLE k_array (id int[] PRIMARY KEY, stage text);
CREATE TABLE k_range (id int4range PRIMARY KEY, stage text);
CREATE TABLE k_name (id name PRIMARY KEY, stage text);
CREATE TABLE k_unique (id text NOT NULL UNIQUE, stage text);
CREATE TABLE kinds (t regclass, a text, b text, c text);
INSERT INTO kinds VALUES
    ('k_bigint', '1', '9223372036854775807', '-9223372036854775808'),
    ('k_uuid', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'),
    ('k_text', 'it''s "a" \key', '', repeat('long', 400)),
    ('k_varchar', 'a', 'b', ' b'),
    ('k_char', 'a', 'ab', 'abc'),
    ('k_domain', 'a', 'b', 'c'),
    ('k_enum', 'red', 'green', 'blue'),
    ('k_numeric', '1.0', '2.50', '1e30'),
    ('k_timestamptz', '2026-01-01 00:00+00', '-infinity', '2026-01-01 00:00:00.000001+00'),
    ('k_bytea', '\x', '\x00', '\x01ff'),
    ('k_array', '{}', '{1,NULL}', '{{1},{2}}'),
    ('k_range', 'empty', '[1,2)', '[1,)'),
    ('k_name', 'a', 'b', 'c'),
    ('k_unique', 'a', 'b', 'c');
SELECT t, align.attach(t, 'roads_keys', key => '{id}') FROM kinds;
\set VERBOSITY terse
DO $$
DECLARE
    k record;
    told text;
BEGIN
    FOR k IN SELECT * FROM kinds LOOP
        CALL tour(k.t, k.a, k.b, k.c);
        EXECUTE format('SELECT string_agg(concat_ws('' '', left(id::text, 40), entry_no, event, from_stage, stage), ''; '' ORDER BY entry_no, event, stage, id::text COLLATE "C") FROM %s_history', k.t) INTO told;
        RAISE INFO '%: %', k.t, told;
        EXECUTE format('SELECT string_agg(concat_ws('' '', left(id::text, 40), sla, cycle, outcome), ''; '' ORDER BY id::text COLLATE "C", sla, cycle) FROM %s_sla', k.t) INTO told;
        RAISE INFO '%: %', k.t, told;
        SELECT string_agg(c::text, '; ') FROM align.check(k.t) AS c INTO told;
        RAISE INFO '%: check %', k.t, coalesce(told, 'is empty');
    END LOOP;
END $$;
\set VERBOSITY sqlstate

-- two columns, and their names those of align's own
CREATE TABLE pairs (team text, entry_no int, stage text, PRIMARY KEY (entry_no, team));
INSERT INTO pairs VALUES ('a', 1, 'inquiry'), ('b', 1, 'inquiry');
SELECT align.attach('pairs', 'roads_keys', opened_at => 'now');
UPDATE pairs SET stage = 'mql' WHERE entry_no = 1;
INSERT INTO pairs VALUES ('a', 2, 'inquiry');
UPDATE pairs SET team = 'c', entry_no = 3 WHERE team = 'a' AND entry_no = 1;
UPDATE pairs SET team = 'a', entry_no = 1, stage = 'mql' WHERE entry_no = 2;
UPDATE pairs SET stage = 'sal' WHERE entry_no = 3;
DELETE FROM pairs WHERE team = 'b';
SELECT key_entry_no, key_team, entry_no, event, from_stage, stage, note FROM pairs_history ORDER BY 1, 2, 3;
SELECT key_entry_no, key_team, sla, cycle, outcome FROM pairs_sla ORDER BY 1, 2, 3, 4;
SELECT * FROM align.check('pairs');
SELECT key, align.path(lead) FROM align.journeys('pairs') ORDER BY key;

DROP SCHEMA roads_keys CASCADE;
