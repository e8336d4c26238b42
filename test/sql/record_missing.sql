-- A version of the agreement that is really missing, which only a superuser can bring
-- about: the statement that needs it fails, and leaves nothing half-written.
\set SHOW_CONTEXT never
SET timezone = 'UTC';
SET client_min_messages = warning;
CREATE SCHEMA record_missing;
SET search_path = record_missing;
SELECT align.agree('record_missing', 'stage a, b held by m; won w; entry a, b; success path a -> b -> w; path b -> a; sla s by m: from b to w within 10 days;');
CREATE TABLE leads (id int PRIMARY KEY, stage text, owner text, at timestamptz);
CREATE TABLE altered (LIKE leads INCLUDING ALL);
INSERT INTO leads VALUES (1, 'b', 'ann', '2026-03-02 09:00Z'), (2, 'a', 'bob', '2026-03-02 09:00Z'), (3, 'b', 'cyd', '2026-03-02 09:00Z');
INSERT INTO altered TABLE leads;
SELECT align.attach('leads', 'record_missing', assignee => 'owner', changed_at => 'at'), align.attach('altered', 'record_missing', assignee => 'owner', changed_at => 'at');
-- written by SQL
ALTER TABLE altered_history ADD COLUMN more text;
SELECT align.agree('record_missing', 'stage a, b held by m; won w; entry a, b; success path a -> b -> w; path b -> a; sla s by m: from b to w within 5 days;');
UPDATE leads SET stage = 'b', at = '2026-03-03 09:00Z' WHERE id = 2;
UPDATE altered SET stage = 'b', at = '2026-03-03 09:00Z' WHERE id = 2;

-- the first goes, under which leads 1 and 3 have clocks
CREATE TABLE kept AS SELECT * FROM align.agreement WHERE name = 'record_missing' AND version = 1;
BEGIN;
ALTER TABLE align.agreement DISABLE TRIGGER USER;
DELETE FROM align.agreement WHERE name = 'record_missing' AND version = 1;
ALTER TABLE align.agreement ENABLE ALWAYS TRIGGER agreement_append_only, ENABLE ALWAYS TRIGGER agreement_no_truncate, ENABLE ALWAYS TRIGGER agreement_announce;
COMMIT;
CREATE VIEW everything AS
SELECT 'leads' AS t, id, stage, owner, NULL::int AS entry_no, NULL AS event FROM leads UNION ALL SELECT 'altered', id, stage, owner, NULL, NULL FROM altered
UNION ALL SELECT 'leads', id, stage, assignee, entry_no, event FROM leads_history UNION ALL SELECT 'altered', id, stage, assignee, entry_no, event FROM altered_history
UNION ALL SELECT 'leads', id, sla, outcome, cycle, 'clock' FROM leads_sla UNION ALL SELECT 'altered', id, sla, outcome, cycle, 'clock' FROM altered_sla;
CREATE TABLE before AS TABLE everything;
\set VERBOSITY sqlstate
UPDATE leads SET stage = 'a', at = '2026-03-04 09:00Z' WHERE id = 1;
UPDATE leads SET stage = 'w', at = '2026-03-04 09:00Z';
UPDATE leads SET owner = 'dan' WHERE id = 3;
DELETE FROM leads WHERE id = 1;
UPDATE leads SET id = 10 WHERE id = 1;
TRUNCATE leads;
UPDATE altered SET stage = 'a', at = '2026-03-04 09:00Z' WHERE id = 1;
UPDATE altered SET stage = 'w', at = '2026-03-04 09:00Z';
UPDATE altered SET stage = 'a', at = '2026-03-01 09:00Z' WHERE id = 1;
DELETE FROM altered WHERE id = 1;
SELECT align.merge_leads('leads', 1, 2);
SELECT align.rebuild_clocks('leads');
SELECT * FROM align.clocks('leads');
SELECT * FROM align.clocks('leads', now(), 1);
TABLE everything EXCEPT ALL TABLE before;
TABLE before EXCEPT ALL TABLE everything;
\set VERBOSITY default
UPDATE leads SET stage = 'a', at = '2026-03-04 09:00Z' WHERE id = 1;
SELECT key, problem, recorded, expected FROM align.check('leads');

-- leads that do not need it go on
UPDATE leads SET stage = 'a', at = '2026-03-04 09:00Z' WHERE id = 2;
UPDATE altered SET stage = 'a', at = '2026-03-04 09:00Z' WHERE id = 2;
SELECT id, sla, cycle, outcome, started_at, stopped_at, due_at, version FROM leads_sla WHERE id = 2;

-- and all do when it is back
BEGIN;
ALTER TABLE align.agreement DISABLE TRIGGER agreement_append_only;
INSERT INTO align.agreement TABLE kept;
ALTER TABLE align.agreement ENABLE ALWAYS TRIGGER agreement_append_only;
COMMIT;
UPDATE leads SET stage = 'w', at = '2026-03-14 09:00Z' WHERE id <> 2;
UPDATE altered SET stage = 'w', at = '2026-03-14 09:00Z' WHERE id <> 2;
SELECT id, sla, cycle, outcome, started_at, stopped_at, due_at, version FROM leads_sla ORDER BY id;
SELECT * FROM align.check('leads') UNION ALL SELECT * FROM align.check('altered');

DROP SCHEMA record_missing CASCADE;
