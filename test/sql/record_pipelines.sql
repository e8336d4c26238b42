-- Two pipelines in one table, in mode enforce: each row is judged by the
-- agreement of its pipeline alone, whatever statement makes or changes it.
\set SHOW_CONTEXT never
SET TimeZone = 'UTC';
CREATE SCHEMA record_pipelines;
SET search_path = record_pipelines;
SELECT align.agree('record_pipelines', $$
    stage new, offer held by sales; won won; lost lost;
    success path new -> offer -> won; path any -> lost; entry new, offer;
    sla answer by sales: from new to offer, lost within 2 days;
$$);
SELECT align.agree('record_pipelines_2', $$
    stage due held by care; won renewed; lost lost;
    success path due -> renewed; path any -> lost; entry due;
    sla renew by care: from due to renewed, lost within 30 days;
$$);
CREATE TABLE deals (id int PRIMARY KEY, pipeline int, stage text);
SELECT align.attach('deals', 'record_pipelines', live => 'pipeline = 7');
SELECT align.attach('deals', 'record_pipelines_2', live => 'pipeline = 8', history => 'deal_renewals_history');
CREATE VIEW entries AS
    SELECT 7 AS pipeline, id, entry_no, event, from_stage, stage, violation FROM deals_history
    UNION ALL SELECT 8, id, entry_no, event, from_stage, stage, violation FROM deal_renewals_history
    ORDER BY 1, 2, 3;
CREATE FUNCTION problems() RETURNS TABLE (history regclass, key jsonb, problem text, recorded text, expected text)
LANGUAGE sql AS $$SELECT h, c.* FROM unnest('{deals_history,deal_renewals_history}'::regclass[]) AS h, align.check(h) AS c$$;

INSERT INTO deals VALUES (1, 7, 'new'), (2, 8, 'due'), (3, 9, 'whatever'), (4, 7, 'offer');
INSERT INTO deals VALUES (5, 7, 'due');
INSERT INTO deals VALUES (5, 8, 'new');
UPDATE deals SET stage = 'offer' WHERE id = 1;
UPDATE deals SET stage = 'renewed' WHERE id = 2;
UPDATE deals SET stage = 'anything' WHERE id = 3;
UPDATE deals SET stage = 'renewed' WHERE id = 1;
UPDATE deals SET stage = 'won' WHERE id = 1;
INSERT INTO deals VALUES (6, 8, 'due') ON CONFLICT (id) DO NOTHING;
MERGE INTO deals AS d USING (VALUES (6, 'renewed'), (7, 'due')) AS v (id, stage) ON d.id = v.id
    WHEN MATCHED THEN UPDATE SET stage = v.stage WHEN NOT MATCHED THEN INSERT VALUES (v.id, 8, v.stage);
-- from one pipeline to the other, and to none
UPDATE deals SET pipeline = 8, stage = 'due' WHERE id = 4;
UPDATE deals SET pipeline = 9 WHERE id = 7;
UPDATE deals SET pipeline = 7, stage = 'new' WHERE id = 3;
DELETE FROM deals WHERE id = 2;
TABLE entries;
SELECT pipeline, id, stage FROM deals ORDER BY 1, 2;
SELECT * FROM problems();
TRUNCATE deals;
SELECT pipeline, id, entry_no, event FROM entries WHERE event = 'truncated';
SELECT * FROM problems();

SET client_min_messages = warning;
DROP SCHEMA record_pipelines CASCADE;
