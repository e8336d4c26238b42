-- import_history(): which version judges, and first entries that are not openings.
SET timezone = 'UTC';
SET datestyle = ISO;
SET client_min_messages = warning;
CREATE SCHEMA import_versions;
SET search_path = import_versions;
SELECT align.agree('import_versions', 'stage a, b held by m; won w; success path a -> b -> w; sla s by m: from a to b, w within 1 days;');
SELECT pg_sleep(0.01);
SELECT align.agree('import_versions', 'stage a, b held by m; won w; success path a -> b -> w; path a -> w; sla s by m: from a to b, w within 5 days;');
CREATE TABLE leads (id int PRIMARY KEY, stage text);
INSERT INTO leads VALUES (1, 'w'), (2, 'w'), (3, 'b');
SELECT align.attach('leads', 'import_versions');
-- entries that the triggers wrote, in mode enforce
INSERT INTO leads VALUES (4, 'a');
BEGIN;
SET LOCAL align.override = 'why not';
INSERT INTO leads VALUES (5, 'b'), (6, 'w');
COMMIT;
UPDATE leads SET stage = 'b' WHERE id = 4;
UPDATE leads SET stage = 'w' WHERE id = 5;
SELECT align.import_history('leads', $$
    SELECT id, at, stage FROM (VALUES
        -- the first version was in force when this lead was won
        (1, '2025-01-01+00', 'a'), (1, (SELECT valid_from + interval '1 ms' FROM align.agreement WHERE name = 'import_versions' AND version = 1), 'w'),
        -- and none when these were, which so come under the version that found them
        (2, timestamptz '2025-01-01+00', 'a'), (2, '2025-01-03+00', 'w'), (3, '2025-01-01+00', 'a'), (3, '2025-01-02+00', 'w'),
        (4, '2025-01-01+00', 'w'), (4, '2025-01-02+00', 'a'), (5, '2025-01-01+00', 'a'), (5, '2025-01-02+00', 'b'), (6, '2025-01-01+00', 'a'), (6, '2025-01-02+00', 'b')) AS v (id, at, stage)$$);
SELECT id, entry_no, event, from_stage, stage, version, violation, note, source FROM leads_history ORDER BY id, entry_no;
SELECT id, cycle, started_at, due_at, outcome, version FROM leads_sla ORDER BY id, cycle;
SELECT * FROM align.check('leads');
-- Under another agreement, its versions judge, and what was recorded stays under the old one.
SELECT align.agree('import_others', 'stage a held by m; stage b held by s; won w; entry a; success path a -> b -> w; handoff h: a from m to s, accept b, within 1 days;');
SELECT align.detach('leads'), align.attach('leads', 'import_others');
SELECT align.import_history('leads', $$SELECT i AS id, timestamptz '2024-12-31+00' AS at, (ARRAY['b', 'a'])[1 + i % 2] AS stage FROM generate_series(1, 6) AS i$$);
SELECT id, entry_no, event, from_stage, stage, agreement, version, violation, handoff, notified_at IS NOT NULL AS announced FROM leads_history WHERE entry_no < 3 ORDER BY id, entry_no;
SELECT * FROM align.check('leads');

-- Versions that rename a stage, keep its name as a label, and drop that.
SELECT align.agree('import_renames', 'stage a, b held by m; won w; success path a -> b -> w; sla s by m: from a to b, w within 1 days;');
SELECT pg_sleep(0.01);
SELECT align.agree('import_renames', 'stage x held by m; stage b held by m; won w; success path x -> b -> w; sla s by m: from x to b, w within 1 days; x known as ''a'';');
SELECT pg_sleep(0.01);
SELECT align.agree('import_renames', 'stage x, b held by m; won w; success path x -> b -> w; sla s by m: from x to b, w within 1 days;');
SELECT pg_sleep(0.01);
CREATE TABLE renamed (id int PRIMARY KEY, stage text);
INSERT INTO renamed VALUES (1, 'b'), (2, 'x'), (3, 'b'), (4, 'w'), (5, 'x'), (6, 'w');
SELECT align.attach('renamed', 'import_renames', mode => 'observe');
UPDATE renamed SET stage = 'b' WHERE id = 5;
CREATE TABLE past (id int, version int, stage text);
INSERT INTO past VALUES (1, 1, 'a'), (1, 2, 'x'), (1, 3, 'x'), (2, 1, 'a'), (2, 3, 'x'), (3, 1, 'a'), (3, 3, 'b'), (4, 2, 'a'), (4, 3, 'w'), (5, 1, 'a'), (6, 2, 'a'), (6, 2, 'x');
\set past 'SELECT id, valid_from + ordinal * interval ''1 us'' AS at, stage FROM (SELECT *, row_number() OVER (PARTITION BY id) AS ordinal FROM past) AS p JOIN align.agreement AS a ON a.name = ''import_renames'' AND a.version = p.version'
SELECT align.import_history('renamed', :'past');
SELECT id, entry_no, event, from_stage, stage, version, violation, source FROM renamed_history ORDER BY id, entry_no;
SELECT id, sla, cycle, outcome, version FROM renamed_sla ORDER BY id, cycle;
SELECT * FROM align.check('renamed');
SELECT align.import_history('renamed', :'past');
SELECT * FROM align.check('renamed');

RESET search_path;
DROP SCHEMA import_versions CASCADE;
