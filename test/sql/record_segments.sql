-- Segments of attached tables: conditions are evaluated on the row when an
-- entry is recorded, and decide when the clocks that it starts are due.
SET search_path = public, align;
SET TimeZone = 'UTC';
SET client_min_messages = warning;
\pset format unaligned
\pset tuples_only on

SELECT align.agree('seg', $$
	segment demo: 'kind = ''demo''';
	segment big: 'size > 100';
	stage new, mql held by marketing; stage sal, parked held by sales; won customer; lost dq;
	entry new, mql;
	success path new -> mql -> sal -> customer; path any -> dq; path sal -> parked -> sal; path dq -> mql;
	handoff answer: mql from marketing to sales, accept sal, reject dq with reason, within 1 hour when demo, within 2 hours when big, within 1 day, warn 30 minutes before;
	sla win by sales: from sal to customer within 10 days when big, within 20 days, pause parked;
$$);
CREATE TABLE seg_lead (id int PRIMARY KEY, stage text, kind text, size int, reason text, owner_id text, at timestamptz);
SELECT align.attach('seg_lead', agreement => 'seg', reason => 'reason', assignee => 'owner_id', changed_at => 'at');

INSERT INTO seg_lead VALUES
	(1, 'mql', 'demo', 5, NULL, NULL, '2026-03-02 09:00Z'), (2, 'mql', 'trial', 500, NULL, NULL, '2026-03-02 09:00Z'),
	(3, 'mql', 'demo', 500, NULL, NULL, '2026-03-02 09:00Z'), (4, 'mql', NULL, NULL, NULL, NULL, '2026-03-02 09:00Z'), (5, 'new', 'demo', 1, NULL, NULL, '2026-03-02 09:00Z');
-- what the row is when the clock starts decides, not what it becomes
UPDATE seg_lead SET kind = 'demo', size = 1000, at = '2026-03-02 09:30Z' WHERE id = 4;
UPDATE seg_lead SET stage = 'sal', at = '2026-03-02 10:00Z' WHERE id IN (2, 4);
UPDATE seg_lead SET stage = 'parked', at = '2026-03-03 10:00Z' WHERE id IN (2, 4);
UPDATE seg_lead SET stage = 'mql', kind = 'trial', size = 1, at = '2026-03-02 11:00Z' WHERE id = 5;
UPDATE seg_lead SET owner_id = 'ann' WHERE id = 3;
UPDATE seg_lead SET id = 10 WHERE id = 1;
SELECT id, entry_no, event, stage, segments FROM seg_lead_history ORDER BY id, entry_no;
SELECT id, sla, cycle, started_at, due_at, warn_at FROM seg_lead_sla ORDER BY id, sla, cycle;

-- Journeys carry them, and the pure functions compute the recorded clocks from these.
SELECT key, lead FROM align.journeys('seg_lead') ORDER BY key::text;
CREATE FUNCTION pg_temp.wrong_clocks() RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM (SELECT (key ->> 'id')::int AS id, c.sla, c.cycle, c.started_at, c.stopped_at FROM align.journeys('seg_lead'), align.sla_clocks(lead, align.agreed('seg'), '2026-03-09Z') c) p
		FULL JOIN seg_lead_sla s USING (id, sla, cycle) WHERE (p.started_at, p.stopped_at) IS DISTINCT FROM (s.started_at, s.stopped_at) $$;
SELECT pg_temp.wrong_clocks();
SELECT count(*) FROM (SELECT (key ->> 'id')::int AS id, c.sla, c.cycle, c.due_at, c.warn_at FROM align.journeys('seg_lead'), align.sla_clocks(lead, align.agreed('seg'), '2026-03-03 10:00Z') c) p
	FULL JOIN seg_lead_sla s USING (id, sla, cycle) WHERE (p.due_at, p.warn_at) IS DISTINCT FROM (s.due_at, s.warn_at);
SELECT * FROM align.check('seg_lead');
SELECT align.rebuild_clocks('seg_lead');
SELECT id, sla, cycle, due_at FROM seg_lead_sla ORDER BY id, sla, cycle;
SELECT * FROM align.check('seg_lead');

-- Back from a pause, paused again in the same instant: due as the segment's promise says.
UPDATE seg_lead SET stage = 'sal', at = '2026-03-05 10:00Z' WHERE id IN (2, 4);
UPDATE seg_lead SET at = '2026-03-05 10:01Z' WHERE id IN (2, 4);
UPDATE seg_lead SET stage = 'parked', at = '2026-03-05 10:00Z' WHERE id IN (2, 4);
SELECT id, due_at, paused FROM seg_lead_sla WHERE sla = 'win' ORDER BY id;
SELECT * FROM align.check('seg_lead');

-- Openings, and entries in bulk.
CREATE TABLE seg_old AS SELECT i AS id, (ARRAY['mql', 'sal'])[i % 2 + 1] AS stage, CASE WHEN i % 3 = 0 THEN 'demo' END AS kind, i % 7 * 50 AS size, NULL::text AS reason FROM generate_series(1, 1200) i;
ALTER TABLE seg_old ADD PRIMARY KEY (id);
SELECT align.attach('seg_old', agreement => 'seg', reason => 'reason');
UPDATE seg_old SET stage = 'dq', reason = 'x' WHERE stage = 'mql';
UPDATE seg_old SET stage = 'mql', kind = CASE WHEN kind IS NULL THEN 'demo' END WHERE stage = 'dq';
SELECT count(*), count(*) FILTER (WHERE segments IS DISTINCT FROM nullif(array_remove(ARRAY[CASE WHEN size > 100 THEN 'big' END, CASE WHEN (event <> 'move' OR h.stage = 'dq') = (id % 3 = 0) THEN 'demo' END], NULL), '{}')) AS wrong
FROM seg_old_history h JOIN (SELECT id, size FROM seg_old) o USING (id);
SELECT * FROM align.check('seg_old');

-- A history of an earlier release has no such column: none are recorded, until the table is attached again.
ALTER TABLE seg_lead_history DROP COLUMN segments;
INSERT INTO seg_lead VALUES (20, 'mql', 'demo', 500, NULL, NULL, '2026-03-06 09:00Z');
SELECT id, due_at - started_at FROM seg_lead_sla WHERE id = 20;
SELECT lead FROM align.journeys('seg_lead', '20'::int);
SELECT align.rebuild_clocks('seg_lead') > 0;
SELECT * FROM align.check('seg_lead');
ALTER TABLE seg_lead_history ADD COLUMN segments text;	-- of the owner's
INSERT INTO seg_lead VALUES (21, 'mql', 'demo', 500, NULL, NULL, '2026-03-06 09:00Z');
SELECT lead FROM align.journeys('seg_lead', 21);
SELECT * FROM align.check('seg_lead');
SELECT align.attach('seg_lead', agreement => 'seg', reason => 'reason', assignee => 'owner_id', changed_at => 'at');
ALTER TABLE seg_lead_history DROP COLUMN segments;
SELECT align.attach('seg_lead', agreement => 'seg', reason => 'reason', assignee => 'owner_id', changed_at => 'at');
INSERT INTO seg_lead VALUES (22, 'mql', 'demo', 500, NULL, NULL, '2026-03-06 09:00Z');
SELECT lead FROM align.journeys('seg_lead', 22);
SELECT col_description('seg_lead_history'::regclass, attnum) FROM pg_attribute WHERE attrelid = 'seg_lead_history'::regclass AND attname = 'segments';
SELECT * FROM align.check('seg_lead');

-- A condition that does not fit the table is refused by attach() and agree(); one that fits no longer holds of no row.
CREATE TABLE seg_other (id int PRIMARY KEY, stage text, reason text);
SELECT align.attach('seg_other', agreement => 'seg', reason => 'reason');
SELECT align.agree('seg', replace(align.agreed('seg')::text, 'size > 100', 'now() > ''''2020-01-01Z'''''));
SELECT align.agree('seg', replace(align.agreed('seg')::text, 'size > 100', 'siez > 100'));
ALTER TABLE seg_lead DROP COLUMN size;
INSERT INTO seg_lead (id, stage, kind, at) VALUES (23, 'mql', 'demo', '2026-03-06 09:00Z');
SELECT segments FROM seg_lead_history WHERE id = 23;

SELECT align.detach('seg_lead'), align.detach('seg_old');
DROP TABLE seg_lead, seg_lead_history, seg_lead_sla, seg_old, seg_old_history, seg_old_sla, seg_other;
