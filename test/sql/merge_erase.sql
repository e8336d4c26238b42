-- erase(): nothing is left of a lead, nor of its key.
SET timezone = 'UTC';
CREATE SCHEMA erase;
SET search_path = erase, public;
SELECT align.agree('erase', $$
    stage inquiry, mql held by marketing;
    stage sal held by sales;
    won customer;
    entry inquiry, mql;
    success path inquiry -> mql -> sal -> customer;
    handoff speed_to_lead: mql from marketing to sales, accept sal, within 4 hours;
$$);
CREATE TABLE leads (id text PRIMARY KEY, stage text, note text);
SELECT align.attach('leads', 'erase', note => 'note');
-- All that is stored about leads, as text, but for times.
CREATE VIEW everything AS
SELECT 'history' AS of, (to_jsonb(h) - '{effective_at,recorded_at,notified_at}'::text[])::text AS row FROM leads_history h
UNION ALL
SELECT 'clocks', (to_jsonb(s) - '{started_at,due_at,warn_at,stopped_at,paused,elapsed}'::text[])::text FROM leads_sla s;

INSERT INTO leads SELECT id, 'mql' FROM unnest('{dup-7,dup-77,stays,other}'::text[]) id;
UPDATE leads SET stage = 'sal' WHERE id = 'dup-7';
UPDATE leads SET id = 'dup-8' WHERE id = 'other';
SELECT align.merge_leads('leads', 'dup-7', 'stays'), align.merge_leads('leads', 'dup-77', 'stays');
SELECT id, entry_no, event, source, note FROM leads_history ORDER BY id COLLATE "C", entry_no;

-- Not before the row is gone.
SELECT align.erase('leads', 'dup-7');
SELECT count(*) FROM leads_history WHERE id = 'dup-7';
BEGIN;
DELETE FROM leads WHERE id = 'dup-7';
SELECT align.erase('leads', 'dup-7');
SELECT * FROM everything WHERE row LIKE '%dup-7"%' OR row LIKE '%dup-7)%';
ROLLBACK;
SELECT count(*) FROM everything WHERE row LIKE '%dup-7"%' OR row LIKE '%dup-7)%';
DELETE FROM leads WHERE id = 'dup-7';
SELECT align.erase('leads', 'dup-7');
SELECT * FROM everything WHERE row LIKE '%dup-7"%' OR row LIKE '%dup-7)%';
SELECT align.erase('leads', 'dup-7');
SELECT id, entry_no, event, source, note FROM leads_history ORDER BY id COLLATE "C", entry_no;
SELECT * FROM align.check('leads');

-- A former key of a lead that is there.
SELECT align.erase('leads', 'other');
SELECT * FROM everything WHERE row LIKE '%other%';
-- A lead that others were merged into goes with all of it.
DELETE FROM leads WHERE id IN ('stays', 'dup-77');
SELECT align.erase('leads', 'stays') AS entries_and_clocks, align.erase('leads', 'dup-77') AS of_the_duplicate;
SELECT id, entry_no, event FROM leads_history ORDER BY id COLLATE "C", entry_no;
-- The same key anew has a record of its own.
INSERT INTO leads VALUES ('stays', 'inquiry');
SELECT id, entry_no, event FROM leads_history WHERE id = 'stays';
SELECT * FROM align.check('leads');

-- Chains of merges; keys with characters that mean something to others; a key
-- column with another name since.
TRUNCATE leads;
INSERT INTO leads SELECT id, 'mql' FROM unnest('{a.*,b,c,(1)=(2),"x, y"}'::text[]) id;
SELECT align.merge_leads('leads', 'a.*', 'b'), align.merge_leads('leads', '(1)=(2)', 'b'), align.merge_leads('leads', 'x, y', 'b');
ALTER TABLE leads RENAME id TO "Lead id";
SELECT align.merge_leads('leads', 'b', 'c');
DELETE FROM leads WHERE "Lead id" <> 'c';
SELECT entry_no, event, source, note FROM leads_history WHERE id = 'c' ORDER BY entry_no;
SELECT align.erase('leads', 'a.*') > 0 AS a, align.erase('leads', '(1)=(2)') > 0 AS parentheses, align.erase('leads', 'x, y') > 0 AS comma;
SELECT entry_no, event, source, note FROM leads_history WHERE id = 'c' ORDER BY entry_no;
SELECT align.erase('leads', 'b') > 0 AS b;
SELECT entry_no, event, source, note FROM leads_history WHERE id = 'c' ORDER BY entry_no;
SELECT * FROM align.check('leads');
-- What users write is theirs.
UPDATE leads SET stage = 'sal', note = 'merged from (id)=(b)' WHERE "Lead id" = 'c';
SELECT align.erase('leads', 'b');
SELECT event, note FROM leads_history WHERE id = 'c' AND note IS NOT NULL;

-- Refused.
SELECT align.erase('leads', NULL::text);
SELECT align.erase(NULL, 'c');
SELECT align.erase('leads_sla', 'c');
CREATE ROLE erase_stranger;
GRANT USAGE ON SCHEMA erase TO erase_stranger;
GRANT ALL ON leads, leads_history, leads_sla TO erase_stranger;
SET ROLE erase_stranger;
SELECT align.erase('leads', 'b');
RESET ROLE;
BEGIN READ ONLY;
SELECT align.erase('leads', 'b');
ROLLBACK;

-- As the owner, whatever row-level security says.
ALTER TABLE leads OWNER TO erase_stranger;
ALTER TABLE leads_history OWNER TO erase_stranger;
ALTER TABLE leads_sla OWNER TO erase_stranger;
ALTER TABLE leads ENABLE ROW LEVEL SECURITY;
ALTER TABLE leads FORCE ROW LEVEL SECURITY;
SET ROLE erase_stranger;
SELECT count(*) FROM leads;
SELECT align.erase('leads', 'c');
RESET ROLE;
SELECT count(*) FROM leads;

RESET search_path;
SET client_min_messages = warning;
DROP SCHEMA erase CASCADE;
DROP ROLE erase_stranger;
