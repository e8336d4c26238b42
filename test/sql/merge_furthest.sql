-- A merged lead goes on from the furthest stage of the joined journey.
CREATE SCHEMA merge_furthest;
SET search_path = merge_furthest;
SET client_min_messages = warning;
SET timezone = 'UTC';
\set VERBOSITY terse
SELECT align.agree('merge_furthest', 'stage n, q, p; stage side; won w; success path n -> q -> p -> w; path q -> side -> n; path p -> side; sla slow by team_a: from p to w within 2 days;');
CREATE TABLE deals (id int PRIMARY KEY, stage text, at timestamptz);
SELECT align.attach('deals', 'merge_furthest', changed_at => 'at');
INSERT INTO deals VALUES (1, 'n', '2025-03-01 09:00'), (2, 'n', '2025-03-01 09:00'), (3, 'n', '2025-03-02 09:00'), (4, 'n', '2025-03-03 09:00'), (5, 'n', '2025-03-03 09:00');
UPDATE deals SET stage = 'q', at = '2025-03-04 09:00' WHERE id IN (1, 3, 5);
UPDATE deals SET stage = 'p', at = '2025-03-05 09:00' WHERE id IN (1, 3, 5);
UPDATE deals SET stage = 'side', at = '2025-03-05 10:00' WHERE id = 5;
-- not before
UPDATE deals SET stage = 'p', at = '2025-03-06 09:00' WHERE id = 4;
SELECT allowed, message FROM align.explain_move('deals', 4, 'p');
SELECT align.merge_leads('deals', 3, 4);
-- explain_move() and dry_run() say so, to any role that may ask
CREATE ROLE regress_align_merge;
GRANT USAGE ON SCHEMA merge_furthest TO regress_align_merge;
GRANT SELECT ON deals TO regress_align_merge;
SET ROLE regress_align_merge;
SELECT stage, allowed, message FROM unnest('{p,side,q,w,l}'::text[]) AS stage, align.explain_move('deals', 4, stage);
SELECT row_no, stage, message FROM align.dry_run('deals', $$SELECT 4 AS id, stage FROM unnest('{p,side,q,w}'::text[]) AS stage$$);
SELECT key, message FROM align.dry_run('deals', $$SELECT id, 'p' AS stage FROM generate_series(1, 5) AS id$$);
RESET ROLE;
-- only there, and only once
UPDATE deals SET stage = 'w', at = '2025-03-06 09:00' WHERE id = 4;
UPDATE deals SET stage = 'side', at = '2025-03-06 09:00' WHERE id = 4;
UPDATE deals SET stage = 'p', at = '2025-03-06 09:00' WHERE id = 4;
SELECT allowed, message FROM align.explain_move('deals', 4, 'w');
SELECT allowed, message FROM align.explain_move('deals', 4, 'p');
SELECT allowed, message FROM align.explain_move('deals', 4, 'n');
SELECT entry_no AS no, event, from_stage, stage, CASE WHEN event = 'rekey' THEN 'recorded' ELSE effective_at::text END AS at, source, violation FROM deals_history WHERE id = 4 ORDER BY 1;
SELECT sla, cycle, started_at, outcome FROM deals_sla WHERE id = 4 ORDER BY 1, 2;
SELECT * FROM align.check('deals');
-- it has moved since
SELECT align.merge_leads('deals', 1, 2);
UPDATE deals SET stage = 'q' WHERE id = 2;
UPDATE deals SET stage = 'n' WHERE id = 2;
UPDATE deals SET stage = 'w' WHERE id = 2;
UPDATE deals SET stage = 'p' WHERE id = 2;
SELECT * FROM align.check('deals');
-- a duplicate that went astray; two of them
INSERT INTO deals VALUES (6, 'n', '2025-03-06 09:00'), (7, 'n', '2025-03-06 09:00');
UPDATE deals SET stage = 'q', at = '2025-03-07 09:00' WHERE id = 7;
SELECT align.merge_leads('deals', 5, 6);
SELECT align.merge_leads('deals', 7, 6);
UPDATE deals SET stage = 'side' WHERE id = 6;
UPDATE deals SET stage = 'q' WHERE id = 6;
SELECT align.attach('deals', 'merge_furthest', changed_at => 'at', mode => 'observe');
UPDATE deals SET stage = 'p' WHERE id = 6;
SELECT entry_no AS no, event, stage, violation FROM deals_history WHERE id = 6 AND event = 'move' AND source IS NULL ORDER BY 1;
SELECT * FROM align.check('deals');

DROP SCHEMA merge_furthest CASCADE;
DROP ROLE regress_align_merge;
