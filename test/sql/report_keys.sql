-- Reports of tables whose key columns have names that the reports use themselves,
-- as columns or within: they get the prefix key_.
SET timezone = 'UTC';
SET client_min_messages = warning;
SET jit = off;
CREATE SCHEMA report_keys;
SET search_path = report_keys;
SELECT align.agree('keys', $$ stage a, b held by x; won c; success path a -> b -> c; handoff h: b from x to y, accept c; $$);
CREATE TABLE leads (lead int, place text, event date, at timestamptz, st text, PRIMARY KEY (lead, place, event, at));
CREATE TABLE deals (row_key int, "Deal Id" text, "order" int, campaign text, st text, PRIMARY KEY (row_key, "Deal Id", "order", campaign));
CREATE TABLE plain (id int PRIMARY KEY, st text);
SELECT align.attach('leads', 'keys', stage => 'st'), align.attach('deals', 'keys', stage => 'st'), align.attach('plain', 'keys', stage => 'st');
CREATE SCHEMA keys_of_leads;
CREATE SCHEMA keys_of_deals;
CREATE SCHEMA keys_of_plain;
SELECT align.create_reports('leads', 'keys_of_leads') > 0, align.create_reports('deals', 'keys_of_deals') > 0, align.create_reports('plain', 'keys_of_plain') > 0;
INSERT INTO leads VALUES (1, 'x', '2025-01-01', '2025-01-01Z', 'a'), (1, 'y', '2025-01-01', '2025-01-01Z', 'a');
UPDATE leads SET st = 'b';
INSERT INTO deals VALUES (1, 'x', 1, 'x', 'a'), (1, 'x', 2, 'x', 'a');
INSERT INTO plain VALUES (1, 'a');
SELECT attrelid::regclass AS view, string_agg(quote_ident(attname), ', ' ORDER BY attnum) AS columns FROM pg_attribute
WHERE attrelid IN ('keys_of_leads.lead_facts'::regclass, 'keys_of_deals.stage_facts'::regclass, 'keys_of_plain.handover'::regclass) AND attnum BETWEEN 1 AND 6 GROUP BY 1 ORDER BY 1;
SELECT row_key, key_lead, key_place, stage FROM keys_of_leads.lead_facts ORDER BY 1;
SELECT row_key, "Deal Id", "order", stage FROM keys_of_deals.stage_facts ORDER BY 1;
SELECT count(*) FROM keys_of_leads.handover h JOIN keys_of_leads.handoff_facts f USING (key_lead, key_place, key_event, key_at);
-- a history that an earlier release created has no segments
DROP SCHEMA keys_of_plain CASCADE;
CREATE SCHEMA keys_of_plain;
ALTER TABLE plain_history DROP COLUMN segments;
SELECT align.create_reports('plain', 'keys_of_plain') > 0 AS created;
SELECT row_key, segment FROM keys_of_plain.lead_facts;
DROP SCHEMA keys_of_leads, keys_of_deals, keys_of_plain, report_keys CASCADE;

-- What identifies a lead is the same in every session: dates and times as ISO 8601 in UTC,
-- intervals in seconds, bytes in hexadecimal digits.
CREATE SCHEMA report_days;
SET search_path = report_days;
SELECT align.agree('days', $$ stage a, b held by x; won c; entry a, b; success path a -> b -> c; handoff h: b from x to y, accept c, within 1 day; $$);
CREATE DOMAIN some_instant AS timestamptz;
CREATE TABLE bookings (on_day date, at_time some_instant, local timestamp, span interval, raw bytea, st text, PRIMARY KEY (on_day, at_time, local, span, raw));
CREATE TABLE by_time (at_time timestamptz PRIMARY KEY, st text);
CREATE TABLE by_day (on_day date PRIMARY KEY, st text);
SELECT align.attach('bookings', 'days', stage => 'st'), align.attach('by_time', 'days', stage => 'st'), align.attach('by_day', 'days', stage => 'st');
CREATE SCHEMA days_of_bookings;
CREATE SCHEMA days_of_times;
CREATE SCHEMA days_of_days;
SELECT align.create_reports('bookings', 'days_of_bookings', time_zone => 'UTC') > 0, align.create_reports('by_time', 'days_of_times', time_zone => 'UTC') > 0, align.create_reports('by_day', 'days_of_days', time_zone => 'UTC') > 0;
INSERT INTO bookings VALUES ('2026-02-03', '2026-02-03 23:30+01', '2026-02-03 10:00', '1 day 1 hour', '\x00ff', 'a'), ('0044-03-15 BC', 'infinity', '-infinity', '-1 month', '', 'a'),
	('infinity', '2026-02-03 10:00:00.000001Z', '2026-02-03 10:00:00.5', '365 days', '\x61', 'a'), ('infinity', '2026-02-03 10:00:00.000001Z', '2026-02-03 10:00:00.5', '1 year', '\x61', 'a');
UPDATE bookings SET st = 'b';
INSERT INTO by_time VALUES ('2026-03-29 00:30Z', 'b'), ('2026-10-25 00:30Z', 'b'), ('2026-10-25 01:30Z', 'b');
INSERT INTO by_day VALUES ('2026-02-03', 'b'), ('2026-03-02', 'b');
SELECT row_key FROM days_of_bookings.lead_facts ORDER BY 1;
SELECT row_key FROM days_of_times.lead_facts ORDER BY 1;
CREATE VIEW all_keys AS
SELECT 'lead_facts' AS report, row_key FROM days_of_bookings.lead_facts UNION ALL SELECT 'stage_facts', row_key FROM days_of_bookings.stage_facts
UNION ALL SELECT 'handoff_facts', row_key FROM days_of_bookings.handoff_facts UNION ALL SELECT 'sla_facts', row_key FROM days_of_bookings.sla_facts
UNION ALL SELECT 'touch_facts', row_key FROM days_of_bookings.touch_facts UNION ALL SELECT 'handover', row_key FROM days_of_bookings.handover UNION ALL SELECT 'sla_now', row_key FROM days_of_bookings.sla_now(now() + interval '3 days')
UNION ALL SELECT 'by_time', row_key FROM days_of_times.lead_facts UNION ALL SELECT 'by_day', row_key FROM days_of_days.lead_facts;
CREATE TABLE kept AS SELECT * FROM all_keys;
SELECT report, count(*), count(DISTINCT row_key) FROM kept GROUP BY 1 ORDER BY 1;
SET DateStyle = 'German, DMY';
SET TimeZone = 'Europe/Berlin';
SET IntervalStyle = 'sql_standard';
SET bytea_output = 'escape';
SELECT * FROM all_keys EXCEPT ALL SELECT * FROM kept;
SET DateStyle = 'Postgres, MDY';
SET TimeZone = 'America/New_York';
SET IntervalStyle = 'postgres_verbose';
SELECT * FROM all_keys EXCEPT ALL SELECT * FROM kept;
RESET DateStyle;
RESET IntervalStyle;
RESET bytea_output;
SET timezone = 'UTC';
DROP SCHEMA days_of_bookings, days_of_times, days_of_days, report_days CASCADE;

-- A table may have columns of the names that a report has for tables within.
CREATE SCHEMA report_names;
SET search_path = report_names;
SELECT align.agree('names', $$ stage a, b held by x; won c; success path a -> b -> c; b needs r; handoff h: b from x to y, accept c; $$);
CREATE TABLE leads (h int, l text, r text, t text, e text, s text, c text, f text, d text, k text, st text, PRIMARY KEY (h, l));
SELECT align.attach('leads', 'names', mode => 'observe', stage => 'st', assignee => 's');
CREATE SCHEMA names_of_leads;
SELECT align.create_reports('leads', 'names_of_leads', dimensions => '{t,e,"r || d AS both"}') > 0 AS created;
INSERT INTO leads VALUES (1, 'x', NULL, 't', 'e', 's', 'c', 'f', 'd', 'k', 'a'), (2, 'x', 'r', 't', 'e', 's', 'c', 'f', 'd', 'k', 'a');
UPDATE leads SET st = 'b';
SELECT key_h, key_l, needs_missing, assignee FROM names_of_leads.handover ORDER BY key_h;
SELECT key_h, key_l, stage, t, e, "both" FROM names_of_leads.lead_facts ORDER BY key_h;
DROP SCHEMA names_of_leads, report_names CASCADE;
