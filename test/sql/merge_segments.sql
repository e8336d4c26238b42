-- The opening of a survivor has the segments of its row.
CREATE SCHEMA merge_segments;
SET search_path = merge_segments;
SET client_min_messages = warning;
SET timezone = 'UTC';
SELECT align.agree('merge_segments', $$
	segment demo: 'kind = ''demo''';
	segment big: 'size > 100';
	stage n, q; won w;
	success path n -> q -> w;
	sla answer by sales: from n to q within 1 hour when demo, within 5 days;
$$);
CREATE TABLE deals (id int PRIMARY KEY, stage text, kind text, size int, at timestamptz);
SELECT align.attach('deals', 'merge_segments', changed_at => 'at');
INSERT INTO deals VALUES (1, 'n', 'demo', 500, '2025-03-01 09:00'), (2, 'n', 'trial', 1, '2025-03-01 10:00'), (3, 'n', NULL, NULL, '2025-03-01 09:00'), (4, 'n', 'demo', 1, '2025-03-01 08:00');
UPDATE deals SET stage = 'q', at = '2025-03-03 09:00' WHERE id IN (2, 4);
-- what the row is now, not what it was when its lead entered
UPDATE deals SET kind = 'trial' WHERE id = 1;
SELECT align.merge_leads('deals', 2, 1);
SELECT align.merge_leads('deals', 4, 3);
SELECT id, entry_no, event, stage, segments, source FROM deals_history WHERE event <> 'rekey' ORDER BY id, entry_no;
SELECT id, sla, cycle, started_at, due_at, outcome FROM deals_sla ORDER BY id, sla, cycle;
SELECT * FROM align.check('deals');
-- pure functions get the same clocks from the journeys
SELECT key, c.sla, c.cycle, c.started_at, c.due_at FROM align.journeys('deals'), align.sla_clocks(lead, align.agreed('merge_segments'), '2025-03-02Z') AS c ORDER BY key::text, c.cycle;
DROP SCHEMA merge_segments CASCADE;
