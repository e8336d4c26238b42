-- All that is recorded of a lead lies in a partition of the history that is dropped; its
-- clocks are still there.  Numbers of cycles go on after those.
SET client_min_messages = warning;
CREATE SCHEMA record_dropped_history;
SET search_path = record_dropped_history;
SELECT align.agree('record_dropped_history',
	'stage mql held by m; stage sal held by s; won w; success path mql -> sal -> w; entry mql, sal; '
	'handoff h: mql from m to s, accept sal, within 4 hours;') AS version;

CREATE TABLE leads (id int PRIMARY KEY, stage text);
SELECT align.attach('leads', 'record_dropped_history');
SELECT align.detach('leads');
ALTER TABLE leads_history RENAME TO leads_history_old;
CREATE TABLE leads_history (LIKE leads_history_old) PARTITION BY RANGE (recorded_at);
ALTER TABLE leads_history ATTACH PARTITION leads_history_old DEFAULT;
SELECT align.attach('leads', 'record_dropped_history');
INSERT INTO leads VALUES (1, 'mql'), (2, 'mql'), (3, 'mql');

ALTER TABLE leads_history DETACH PARTITION leads_history_old;
DROP TABLE leads_history_old;
CREATE TABLE leads_history_new PARTITION OF leads_history DEFAULT;
UPDATE leads SET stage = 'sal' WHERE id = 1;
DELETE FROM leads WHERE id = 3;
INSERT INTO leads VALUES (3, 'mql');
SELECT id, entry_no, event, from_stage, stage FROM leads_history ORDER BY id, entry_no;
SELECT id, sla, cycle, outcome FROM leads_sla ORDER BY id, sla, cycle;
SELECT align.attach('leads', 'record_dropped_history');
SELECT id, entry_no, event, from_stage, stage FROM leads_history ORDER BY id, entry_no;
SELECT id, sla, cycle, outcome FROM leads_sla ORDER BY id, sla, cycle;
DROP SCHEMA record_dropped_history CASCADE;
