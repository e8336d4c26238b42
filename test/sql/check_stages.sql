-- check() reports stages that leads were in and the agreement has forgotten.
SET timezone = 'UTC';
SET client_min_messages = warning;
CREATE SCHEMA check_stages;
SET search_path = check_stages;
SELECT align.agree('check_stages', $$
    stage n, m, sal; stage "it's"; won w; lost l;
    success path n -> m -> sal -> w; path m -> "it's" -> sal -> n; path any -> l;
$$);
CREATE TABLE deals (id int PRIMARY KEY, stage text, live boolean DEFAULT true);
SELECT align.attach('deals', 'check_stages', live => 'live', rules => '{"unknown_stage": "observe"}');
INSERT INTO deals SELECT g, 'n' FROM generate_series(1, 5) AS g;
UPDATE deals SET stage = 'm';
UPDATE deals SET stage = $$it's$$ WHERE id = 4;
UPDATE deals SET stage = 'sal' WHERE id < 5;
-- never a stage of any version
UPDATE deals SET stage = 'typo' WHERE id = 5;
UPDATE deals SET stage = 'm' WHERE id = 5;
UPDATE deals SET stage = 'w' WHERE id IN (2, 3, 4);
SELECT * FROM align.check('deals');

-- One row for each stage; leads count once, entries as often as they are.
UPDATE deals SET stage = 'n' WHERE id = 1;
UPDATE deals SET stage = 'm' WHERE id = 1;
UPDATE deals SET stage = 'sal' WHERE id = 1;
UPDATE deals SET stage = 'w' WHERE id = 1;
SELECT align.agree('check_stages', 'stage n, m, accepted; won w; lost l; success path n -> m -> accepted -> w; path any -> l;');
SELECT * FROM align.check('deals');
SELECT stage, count(*), count(DISTINCT id) FROM deals_history
WHERE stage IN ('sal', $$it's$$) GROUP BY stage ORDER BY stage COLLATE "C";
-- The label that is defined later ends it, also by way of versions between.
SELECT align.agree('check_stages', $$
    stage n, m, accepted; won w; lost l; success path n -> m -> accepted -> w; path any -> l;
    accepted known as 'sal', 'it''s';
$$);
SELECT * FROM align.check('deals');
SELECT align.agree('check_stages', 'stage n, m, won_over; won w; lost l; success path n -> m -> won_over -> w; path any -> l; won_over known as ''accepted'';');
SELECT * FROM align.check('deals');
-- A stage of two versions, under the name of each.
INSERT INTO deals VALUES (6, 'n');
UPDATE deals SET stage = 'm' WHERE id = 6;
UPDATE deals SET stage = 'won_over' WHERE id = 6;
UPDATE deals SET stage = 'l' WHERE id = 6;
SELECT align.agree('check_stages', 'stage n, m; won w; lost l; success path n -> m -> w; path any -> l;');
SELECT * FROM align.check('deals');
-- What is not recorded any more is not forgotten.
DELETE FROM deals WHERE id = 6;
SELECT align.erase('deals', '6');
SELECT * FROM align.check('deals');
-- A version that knows them again.
SELECT align.agree('check_stages', $$
    stage n, m, sal; stage "it's"; won w; lost l;
    success path n -> m -> sal -> w; path m -> "it's" -> sal -> n; path any -> l;
$$);
SELECT * FROM align.check('deals');

-- The stages of another agreement that the table had are not forgotten.
SELECT align.agree('check_stages_2', 'stage n, m; won w; lost l; success path n -> m -> w; path any -> l;');
SELECT align.attach('deals', 'check_stages_2', live => 'live', replace => true);
SELECT * FROM align.check('deals');
DROP SCHEMA check_stages CASCADE;
