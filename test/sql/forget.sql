-- forget(): a lead stays, anonymised.
CREATE SCHEMA forget;
SET search_path = forget;
SET TimeZone = 'UTC';
SELECT align.agree('forget', $$
    stage inquiry, mql held by marketing;
    stage sal held by sales;
    won customer;
    lost disqualified, parked;
    success path inquiry -> mql -> sal -> customer;
    path any -> disqualified, parked;
    path parked, disqualified -> inquiry;
    handoff speed_to_lead: mql from marketing to sales, accept sal,
        reject disqualified with reason (no_budget, poor_fit), within 4 hours;
    parked needs reason;
    sla first_touch by marketing: from inquiry to mql, disqualified within 2 days;
$$);
CREATE TABLE leads (id int PRIMARY KEY, status text, owner text, editor text, why text, remark text, utm text,
    budget numeric, changed_at timestamptz);
SELECT align.attach('leads', 'forget', stage => 'status', assignee => 'owner', actor => 'editor', reason => 'why',
    note => 'remark', campaign => 'utm', amount => 'budget', changed_at => 'changed_at', mode => 'observe');
INSERT INTO leads VALUES (1, 'inquiry', 'mia', 'mia', NULL, 'met at fair', 'utm_source=x&email=ann@example.com', 10, '2026-01-05 10:00Z'),
    (2, 'inquiry', 'mia', 'mia', NULL, 'other', 'utm_source=y', 20, '2026-01-05 10:00Z'),
    (3, 'inquiry', 'joe', NULL, NULL, NULL, NULL, NULL, '2026-01-05 10:00Z');
UPDATE leads SET status = 'mql', owner = 'mia', changed_at = '2026-01-05 11:00Z' WHERE id <= 2;
UPDATE leads SET owner = 'sam', changed_at = '2026-01-05 12:00Z' WHERE id <= 2;
UPDATE leads SET status = 'disqualified', why = 'ann has no money', changed_at = '2026-01-05 13:00Z' WHERE id <= 2;
UPDATE leads SET status = 'inquiry', why = NULL, changed_at = '2026-01-06 09:00Z' WHERE id <= 2;
UPDATE leads SET status = 'parked', why = 'ann is ill', owner = 'kim', changed_at = '2026-01-06 10:00Z' WHERE id <= 2;
UPDATE leads SET status = 'inquiry', why = NULL, changed_at = '2026-01-07 09:00Z' WHERE id <= 2;
UPDATE leads SET status = 'mql', changed_at = '2026-01-07 10:00Z' WHERE id <= 2;
UPDATE leads SET status = 'disqualified', why = 'no_budget', owner = 'sam', changed_at = '2026-01-07 11:00Z' WHERE id <= 2;
SELECT align.merge_leads('leads', 3, 1);
DELETE FROM leads WHERE id = 3;
CREATE TABLE before AS SELECT key, align.path(lead) AS path, lead FROM align.journeys('leads');
CREATE VIEW entries AS SELECT id, entry_no AS no, event, from_stage, stage, assignee, actor, reason, note, campaign, amount, violation, source
FROM leads_history ORDER BY id, entry_no;
SELECT * FROM entries WHERE id = 1;
-- the row keeps the person in charge
UPDATE leads SET editor = NULL, remark = NULL, utm = NULL, why = NULL WHERE id = 1;
SELECT align.forget('leads', 1);
SELECT * FROM entries WHERE id = 1;
SELECT id, sla, cycle, assignee_at_start AS start, assignee_at_due AS due, assignee_at_stop AS stop, outcome FROM leads_sla WHERE id = 1 ORDER BY 2, 3;
SELECT * FROM align.check('leads');
SELECT align.forget('leads', 1) AS again;
-- others are as they were
SELECT count(*) AS others FROM leads_history WHERE id = 2 AND (assignee, actor, note, campaign) IS NOT NULL;
SELECT count(*) AS same_paths FROM align.journeys('leads') j JOIN before b ON b.key = j.key AND b.path = align.path(j.lead);
-- clocks that are computed again are the same
CREATE TABLE clocks AS TABLE leads_sla;
SELECT align.rebuild_clocks('leads') = count(*) AS rebuilt FROM leads_sla;
SELECT * FROM clocks EXCEPT SELECT * FROM leads_sla;
-- the row does not name the person any more
UPDATE leads SET owner = NULL WHERE id = 1;
SELECT align.forget('leads', '1');
SELECT count(*) AS persons FROM leads_history WHERE id = 1 AND COALESCE(assignee, actor) IS NOT NULL;
SELECT count(*) AS persons FROM leads_sla WHERE id = 1 AND COALESCE(assignee_at_start, assignee_at_due, assignee_at_stop) IS NOT NULL;
SELECT * FROM align.check('leads');
-- it goes on
UPDATE leads SET status = 'inquiry', owner = 'eva', changed_at = '2026-01-08 09:00Z' WHERE id = 1;
UPDATE leads SET status = 'mql', changed_at = '2026-01-08 10:00Z' WHERE id = 1;
SELECT * FROM align.check('leads');
SELECT align.forget('leads', 1);
SELECT no, event, stage, assignee FROM entries WHERE id = 1 AND assignee IS NOT NULL;
-- an override's reason, a former key
BEGIN;
SELECT align.attach('leads', 'forget', stage => 'status', assignee => 'owner', reason => 'why');
SET LOCAL align.override = 'ann is a friend of mine';
UPDATE leads SET status = 'customer' WHERE id = 2;
UPDATE leads SET id = 20 WHERE id = 2;
COMMIT;
SELECT no, event, note FROM entries WHERE id = 20 AND event IN ('override', 'rekey');
SELECT align.forget('leads', 20);
SELECT no, event, note FROM entries WHERE id = 20 AND event IN ('override', 'rekey');
SELECT * FROM align.check('leads');
-- a lead that is gone: nobody stays
DELETE FROM leads WHERE id = 20;
SELECT align.forget('leads', 20) > 0 AS forgotten;
SELECT count(*) AS persons FROM leads_history WHERE id = 20 AND assignee IS NOT NULL;
SELECT * FROM align.check('leads');
-- nothing is recorded, or known
SELECT align.forget('leads', 77);
SELECT align.forget('leads', NULL);
SELECT align.forget(NULL, 1);
SELECT align.forget('before', 1);
BEGIN READ ONLY;
SELECT align.forget('leads', 1);
ROLLBACK;
CREATE ROLE regress_forget;
GRANT USAGE ON SCHEMA forget TO regress_forget;
GRANT ALL ON leads, leads_history, leads_sla TO regress_forget;
SET ROLE regress_forget;
SELECT align.forget('leads', 1);
RESET ROLE;
-- a trigger of the owner that keeps persons
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER keep BEFORE UPDATE ON leads_history FOR EACH ROW EXECUTE FUNCTION keep();
UPDATE leads SET owner = 'tom' WHERE id = 1;
SELECT align.forget('leads', 1);
DROP TRIGGER keep ON leads_history;
-- pending changes are included
BEGIN;
DECLARE c CURSOR FOR SELECT 1;
UPDATE leads SET owner = 'liz' WHERE id = 1;
SELECT align.forget('leads', 1);
COMMIT;
SELECT no, event, assignee FROM entries WHERE id = 1 AND assignee IS NOT NULL;
-- a key of several columns that is a person's
CREATE TABLE people (country text, email text, stage text, PRIMARY KEY (country, email));
SELECT align.attach('people', 'forget');
INSERT INTO people VALUES ('de', 'ann@example.com', 'inquiry'), ('de', 'a(b), merged (x)=(y)', 'inquiry');
SELECT align.merge_leads('people', '["de", "a(b), merged (x)=(y)"]', '{"country": "de", "email": "ann@example.com"}');
DELETE FROM people WHERE email ~ '^a\(b';
UPDATE people SET email = 'anonymous';
SELECT align.forget('people', '(de,anonymous)');
SELECT country, email, entry_no, event, note, source FROM people_history WHERE email = 'anonymous' ORDER BY entry_no;
SELECT * FROM align.check('people');
-- a row that a reload has deleted in this transaction
CREATE TABLE loaded (id int PRIMARY KEY, stage text, owner text);
SELECT align.attach('loaded', 'forget', assignee => 'owner', reload => true);
INSERT INTO loaded VALUES (1, 'inquiry', 'ann'), (2, 'inquiry', 'bob');
BEGIN;
DELETE FROM loaded;
SELECT align.forget('loaded', 1);
INSERT INTO loaded VALUES (2, 'inquiry', 'bob');
COMMIT;
SELECT id, entry_no, event, assignee FROM loaded_history ORDER BY 1, 2;
SELECT * FROM align.check('loaded');
SET client_min_messages = warning;
DROP SCHEMA forget CASCADE;
DROP ROLE regress_forget;
