-- A reason counts when the statement gives it; one that still lies in the row does not.
CREATE SCHEMA record_reasons;
SET search_path = record_reasons;
SET client_min_messages = warning;
\set VERBOSITY terse
SELECT align.agree('record_reasons', 'stage n; won w; lost l; success path n -> w; path any -> l; path l -> n; l needs reason (price, rival);');
CREATE TABLE deals (id int PRIMARY KEY, stage text, why text, n int DEFAULT 0);
SELECT align.attach('deals', 'record_reasons', reason => 'why');
INSERT INTO deals VALUES (1, 'n', 'a source, perhaps');
UPDATE deals SET stage = 'l', why = 'price';
UPDATE deals SET stage = 'n';
UPDATE deals SET stage = 'l';
UPDATE deals SET stage = 'l', why = 'weather';
UPDATE deals SET stage = 'l', why = 'price';
UPDATE deals SET stage = 'n', why = NULL;
UPDATE deals SET why = 'rival';
UPDATE deals SET stage = 'l';
-- who sets all columns says it, and so does a default or a query
UPDATE deals SET stage = 'l', why = why, n = n;
UPDATE deals SET stage = 'n';
UPDATE deals SET (stage, why) = (SELECT 'l', 'rival');
UPDATE deals SET stage = 'n';
INSERT INTO deals VALUES (1, 'l', 'price') ON CONFLICT (id) DO UPDATE SET stage = excluded.stage;
INSERT INTO deals VALUES (1, 'l', 'rival') ON CONFLICT (id) DO UPDATE SET stage = excluded.stage, why = excluded.why;
UPDATE deals SET stage = 'n';
MERGE INTO deals USING (VALUES (1)) AS v (id) ON deals.id = v.id WHEN MATCHED AND v.id = 2 THEN UPDATE SET why = 'price' WHEN MATCHED THEN UPDATE SET stage = 'l';
DELETE FROM deals;
SELECT entry_no AS no, event, from_stage, stage, reason FROM deals_history ORDER BY 1;
-- a trigger may give it
CREATE FUNCTION because() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.why := 'price'; RETURN new; END $$;
CREATE TRIGGER because BEFORE UPDATE ON deals FOR EACH ROW EXECUTE FUNCTION because();
INSERT INTO deals (id, stage, why) VALUES (2, 'n', NULL), (3, 'n', 'price');
UPDATE deals SET stage = 'l' WHERE id = 2;
UPDATE deals SET stage = 'l' WHERE id = 3;
DROP TRIGGER because ON deals;
-- what explain_move() says is what would happen
SELECT allowed, rule FROM align.explain_move('deals', 3, 'l');
SELECT allowed, rule FROM align.explain_move('deals', 3, 'l', 'price');
-- only a changed value
SELECT align.attach('deals', 'record_reasons', reason => 'why', reason_must_change => true);
SELECT reason_must_change FROM align.attachments WHERE relation = 'deals'::regclass;
SELECT allowed, rule FROM align.explain_move('deals', 3, 'l', 'price');
SELECT allowed, rule FROM align.explain_move('deals', 3, 'l', 'rival');
UPDATE deals SET stage = 'l', why = 'price' WHERE id = 3;
UPDATE deals SET stage = 'l', why = 'rival' WHERE id = 3;
INSERT INTO deals VALUES (4, 'n');
UPDATE deals SET stage = 'l', why = 'rival' WHERE id = 4;
SELECT id, entry_no AS no, stage, reason FROM deals_history WHERE id > 1 ORDER BY 1, 2;
SELECT * FROM align.check('deals');

-- rows that move between partitions
CREATE TABLE parts (id int, stage text, why text, PRIMARY KEY (id, stage)) PARTITION BY LIST (stage);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN ('n', 'w');
CREATE TABLE parts_2 (why text, stage text NOT NULL, id int NOT NULL);
ALTER TABLE parts ATTACH PARTITION parts_2 FOR VALUES IN ('l');
SELECT align.attach('parts', 'record_reasons', reason => 'why');
INSERT INTO parts VALUES (1, 'n', 'price');
UPDATE parts SET stage = 'l';
UPDATE parts SET stage = 'l', why = 'price';
UPDATE parts SET stage = 'n';
UPDATE parts SET stage = 'l';
UPDATE parts SET stage = 'l', why = why;
-- within a trigger of another statement on the table
CREATE FUNCTION next() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE parts SET stage = 'l' WHERE id = new.id; RETURN NULL; END $$;
CREATE TRIGGER next AFTER UPDATE OF why ON parts FOR EACH ROW WHEN (new.why = 'rival' AND new.stage = 'n') EXECUTE FUNCTION next();
UPDATE parts SET stage = 'n';
UPDATE parts SET why = 'rival';
SELECT id, entry_no AS no, stage, reason FROM parts_history ORDER BY 1, 2;
SELECT * FROM align.check('parts');

DROP SCHEMA record_reasons CASCADE;
