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
