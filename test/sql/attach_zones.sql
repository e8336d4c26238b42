-- Times without a zone: attach() asks which one, and no session's settings count.
CREATE SCHEMA attach_zones;
SET search_path = attach_zones;
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SELECT align.agree('attach_zones', $$stage n, m held by marketing; stage s held by sales; won w; success path n -> m -> s -> w; handoff h: m from marketing to sales, accept s, within 4 hours;$$);
CREATE TABLE leads (id int PRIMARY KEY, stage text, at timestamp, day date, stamp timestamptz, note timestamptz);
INSERT INTO leads VALUES (1, 'n', '2025-03-04 08:00', '2025-03-04', '2025-03-04 08:00+00', '2025-03-04 08:00+00');
-- refused
SELECT align.attach('leads', 'attach_zones', changed_at => 'at');
SELECT align.attach('leads', 'attach_zones', changed_at => 'day');
SELECT align.attach('leads', 'attach_zones', changed_at => 'stamp', opened_at => 'day');
SELECT align.attach('leads', 'attach_zones', changed_at => 'at', time_zone => 'Mars');
SELECT align.attach('leads', 'attach_zones', changed_at => 'at', time_zone => 'EST5');
SELECT align.attach('leads', 'attach_zones', changed_at => 'at', time_zone => '+02');
SELECT align.attach('leads', 'attach_zones', changed_at => 'at', time_zone => 'America/Atlantis');
SELECT align.attach('leads', 'attach_zones', changed_at => 'at', time_zone => '');
SELECT align.attach('leads', 'attach_zones', changed_at => 'at', time_zone => 'localtime');
SELECT count(*) FROM align.attachments WHERE relation = 'leads'::regclass;

-- not needed, but allowed
SELECT align.attach('leads', 'attach_zones', changed_at => 'stamp', time_zone => 'UTC');
SELECT align.detach('leads');
DROP TABLE leads_history, leads_sla CASCADE;

SET timezone = 'America/New_York';
SELECT align.attach('leads', 'attach_zones', changed_at => 'at', opened_at => 'day', note => 'note', time_zone => 'eUROPE/berlin');
SELECT time_zone, opened_at, changed_at FROM align.attachments WHERE relation = 'leads'::regclass;
UPDATE leads SET stage = 'm', at = '2025-03-04 09:00' WHERE id = 1;
SET timezone = 'Asia/Tokyo';
SET datestyle = 'SQL, DMY';
SET timezone_abbreviations = 'Australia';
UPDATE leads SET stage = 's', at = '2025-03-04 10:00' WHERE id = 1;
-- summer time: an hour that does not exist, and one that there is twice
INSERT INTO leads VALUES (2, 'n', '2025-03-30 02:30');
UPDATE leads SET stage = 'm', at = '2025-10-26 02:30' WHERE id = 2;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
RESET timezone_abbreviations;
SELECT id, entry_no, stage, effective_at, note FROM leads_history ORDER BY 1, 2;
SELECT id, sla, started_at, due_at, stopped_at, outcome FROM leads_sla ORDER BY 1;
SELECT * FROM align.check('leads');
-- infinite times are refused
\set VERBOSITY terse
UPDATE leads SET stage = 's', at = 'infinity' WHERE id = 2;
\set VERBOSITY default

-- a table that was attached by an earlier version has no time zone, and works as it did
SELECT align.detach('leads');
SELECT pg_get_functiondef('align.attach(regclass,text,text,name[],text,text,text,text,text,text,text,text,text,text,text,boolean,text,text,jsonb,boolean,boolean,boolean,text,text,text,text,text)'::regprocedure) ~ 'align_attach' AS same_function;
CREATE FUNCTION attach_0_3(relation regclass, agreement text, stage name, key name[], team name, assignee name, actor name, reason name, note name, campaign name, amount name, changed_at name, history text, mode text, live text, notify boolean)
    RETURNS bigint LANGUAGE C AS '$libdir/align', 'align_attach';
SET timezone = 'America/New_York';
CREATE TABLE old (id int PRIMARY KEY, stage text, at timestamp);
INSERT INTO old VALUES (1, 'n', '2025-03-04 08:00');
SELECT attach_0_3('old', 'attach_zones', 'stage', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'at', NULL, 'enforce', NULL, false);
UPDATE old SET stage = 'm', at = '2025-03-04 09:00';
SET timezone = 'UTC';
SELECT entry_no, effective_at FROM old_history ORDER BY 1;
SELECT align.attach('old', 'attach_zones', changed_at => 'at');
SELECT align.attach('old', 'attach_zones', changed_at => 'at', time_zone => 'America/New_York');
UPDATE old SET stage = 's', at = '2025-03-04 10:00';
SELECT entry_no, effective_at, source FROM old_history ORDER BY 1;
SELECT * FROM align.check('old');

DROP SCHEMA attach_zones CASCADE;
