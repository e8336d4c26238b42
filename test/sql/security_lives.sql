-- Row-level security and keys that are used again: who sees the row of a key sees the
-- history and the clocks of the present life of that key, and nothing from before.
SET TimeZone = 'UTC';
\set SHOW_CONTEXT never
CREATE ROLE regress_align_vic;
CREATE ROLE regress_align_mal;
CREATE SCHEMA lives AUTHORIZATION regress_align_vic;
GRANT USAGE ON SCHEMA lives TO regress_align_mal;
SET SESSION AUTHORIZATION regress_align_vic;
SET search_path = lives;
SELECT align.agree('lives', $$
	stage mql held by marketing;
	stage sal held by sales;
	won customer;
	success path mql -> sal -> customer;
	handoff h: mql from marketing to sales, accept sal, within 1 hours;
$$);
CREATE TABLE leads (id int PRIMARY KEY, stage text, who text, note text, gone boolean);
ALTER TABLE leads ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON leads USING (who = current_user);
SELECT align.attach('leads', 'lives', assignee => 'who', note => 'note', live => 'gone IS NOT TRUE', mode => 'observe', opened_at => 'now');
GRANT SELECT, INSERT, UPDATE, DELETE ON leads TO regress_align_mal;
GRANT SELECT ON leads_history, leads_sla TO regress_align_mal;
INSERT INTO leads SELECT g, 'mql', 'ann', 'secret' FROM generate_series(1, 7) AS g;
UPDATE leads SET stage = 'sal' WHERE id = 1;
DELETE FROM leads WHERE id IN (1, 2);

CREATE FUNCTION seen(OUT history text, OUT clocks text, OUT journeys text, OUT open_clocks text) LANGUAGE sql AS $$
	SELECT (SELECT string_agg(format('%s.%s %s', id, entry_no, event) || CASE WHEN note = 'secret' THEN ' SECRET' ELSE '' END, ', ' ORDER BY id, entry_no) FROM lives.leads_history),
		(SELECT string_agg(format('%s.%s', id, cycle), ', ' ORDER BY id, cycle) FROM lives.leads_sla),
		(SELECT string_agg(format('%s %s', key, align.path(lead)), ', ') FROM align.journeys('lives.leads')),
		(SELECT string_agg(format('%s %s', key, cycle), ', ') FROM align.clocks('lives.leads'))
$$;
SET SESSION AUTHORIZATION regress_align_mal;
SELECT * FROM lives.seen();
-- the key of a deleted lead, inserted again
INSERT INTO lives.leads VALUES (1, 'mql', 'regress_align_mal');
SELECT * FROM lives.seen();
-- a lead moved onto the key of a deleted one, with its own history
UPDATE lives.leads SET id = 2 WHERE id = 1;
SELECT * FROM lives.seen();
UPDATE lives.leads SET stage = 'sal';
SELECT * FROM lives.seen();
-- a row that has no stage when it is deleted, which is not recorded
SET SESSION AUTHORIZATION regress_align_vic;
UPDATE lives.leads SET stage = NULL WHERE id = 3;
DELETE FROM lives.leads WHERE id = 3;
SET SESSION AUTHORIZATION regress_align_mal;
INSERT INTO lives.leads VALUES (3, 'mql', 'regress_align_mal');
SELECT * FROM lives.seen();
-- a row that is not live when it is deleted, without and with a stage
SET SESSION AUTHORIZATION regress_align_vic;
UPDATE lives.leads SET gone = true WHERE id IN (4, 5, 6);
UPDATE lives.leads SET stage = NULL WHERE id = 4;
UPDATE lives.leads SET stage = 'sal' WHERE id = 6;
DELETE FROM lives.leads WHERE id IN (4, 5, 6);
SET SESSION AUTHORIZATION regress_align_mal;
DELETE FROM lives.leads WHERE id < 4;
INSERT INTO lives.leads VALUES (4, 'mql', 'regress_align_mal'), (5, 'mql', 'regress_align_mal'), (6, 'mql', 'regress_align_mal');
SELECT * FROM lives.seen();
-- one's own lead that ceases to be live: its row could be deleted without an entry
UPDATE lives.leads SET gone = true WHERE id = 5;
SELECT * FROM lives.seen();
UPDATE lives.leads SET gone = false WHERE id = 5;
SELECT * FROM lives.seen();
DELETE FROM lives.leads;
SELECT * FROM lives.seen();
-- truncated
SET SESSION AUTHORIZATION regress_align_vic;
TRUNCATE lives.leads;
SET SESSION AUTHORIZATION regress_align_mal;
INSERT INTO lives.leads VALUES (7, 'mql', 'regress_align_mal');
SELECT * FROM lives.seen();
-- nothing more through a function that leaks
CREATE FUNCTION pg_temp.leak(text, text) RETURNS boolean COST 0.0000001 LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE '% %', $1, $2; RETURN true; END $$;
SELECT id, entry_no FROM lives.leads_history WHERE pg_temp.leak(event, note);
DROP FUNCTION pg_temp.leak(text, text);

-- The function of the policies tells nothing of rows that are not seen.
SELECT align.in_present_life('lives.leads_history'::regclass, 'lives.leads_history'::regclass, entry_no, now(), 1) FROM generate_series(1, 4) AS entry_no;
SELECT align.in_present_life('lives.leads_history'::regclass, 'lives.leads_sla'::regclass, 1, now(), 6);
SELECT align.in_present_life('lives.leads_history'::regclass, 'lives.leads_history'::regclass, 1, now(), NULL::int);
SELECT align.in_present_life('lives.leads_history'::regclass, 'lives.leads_history'::regclass, 1, now(), 1::bigint);
SELECT align.in_present_life('lives.leads_history'::regclass, 'lives.leads_history'::regclass, 1, now(), VARIADIC ARRAY[1]);
SELECT align.in_present_life('lives.leads_history'::regclass, 'pg_class'::regclass, 1, now(), 1);
SELECT align.in_present_life('lives.leads_pkey'::regclass, 'lives.leads_pkey'::regclass, 1, now(), 1);
SELECT align.in_present_life(0, 0, 1, now(), 1);

-- The owner sees everything; so does a superuser, and one under FORCE what the others do.
SET SESSION AUTHORIZATION regress_align_vic;
SELECT count(*) FROM leads_history WHERE note = 'secret';
ALTER TABLE leads FORCE ROW LEVEL SECURITY;
SELECT align.attach('leads', 'lives', assignee => 'who', note => 'note', live => 'gone IS NOT TRUE', mode => 'observe', opened_at => 'now');
SELECT * FROM seen();
SET SESSION AUTHORIZATION regress_align_mal;
SELECT * FROM lives.seen();
SET SESSION AUTHORIZATION regress_align_vic;
SELECT * FROM align.check('leads');
-- partitions of the history have the policy, too, and the tables keep it when detached
SELECT align.detach('leads');
SET SESSION AUTHORIZATION regress_align_mal;
SELECT id, entry_no, event FROM lives.leads_history;
SELECT id, cycle FROM lives.leads_sla;
SET SESSION AUTHORIZATION regress_align_vic;
DROP TABLE leads, leads_history, leads_sla CASCADE;

-- Partitioned, with a key that leaves out a column of the primary key.
CREATE TABLE leads (id int, region text, stage text, who text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE leads_a PARTITION OF leads FOR VALUES IN ('a');
CREATE TABLE leads_b PARTITION OF leads FOR VALUES IN ('b');
ALTER TABLE leads ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON leads USING (who = current_user);
SELECT align.attach('leads', 'lives', key => '{id}', assignee => 'who', opened_at => 'now');
CREATE TABLE leads_history (id int NOT NULL, region text NOT NULL, entry_no int NOT NULL, event text NOT NULL, effective_at timestamptz NOT NULL, recorded_at timestamptz NOT NULL, from_stage text, stage text,
	from_team text, team text, assignee text, actor text, db_role text, reason text, note text, campaign text, amount numeric, agreement text NOT NULL, version int NOT NULL, violation text,
	source text, branch text, handoff text, notified_at timestamptz) PARTITION BY HASH (id);
CREATE TABLE leads_history_0 PARTITION OF leads_history FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE leads_history_1 PARTITION OF leads_history FOR VALUES WITH (MODULUS 2, REMAINDER 1);
SELECT align.attach('leads', 'lives', assignee => 'who', opened_at => 'now');
GRANT SELECT, INSERT ON leads TO regress_align_mal;
GRANT SELECT ON leads_history, leads_history_0, leads_history_1, leads_sla TO regress_align_mal;
INSERT INTO leads SELECT g, r, 'mql', 'ann' FROM generate_series(1, 4) AS g, unnest('{a,b}'::text[]) AS r;
DELETE FROM leads WHERE region = 'b';
SET SESSION AUTHORIZATION regress_align_mal;
INSERT INTO lives.leads SELECT g, 'b', 'mql', 'regress_align_mal' FROM generate_series(1, 4) AS g;
SELECT id, region, entry_no, event, assignee FROM lives.leads_history ORDER BY id, region, entry_no;
SELECT id, region, entry_no, event, assignee FROM lives.leads_history_0 UNION ALL SELECT id, region, entry_no, event, assignee FROM lives.leads_history_1 ORDER BY 1, 2, 3;
SELECT id, region, cycle FROM lives.leads_sla ORDER BY 1, 2, 3;
SET SESSION AUTHORIZATION regress_align_vic;
SELECT * FROM align.check('leads');

RESET SESSION AUTHORIZATION;
SET client_min_messages = warning;
DROP SCHEMA lives CASCADE;
DROP ROLE regress_align_vic, regress_align_mal;
