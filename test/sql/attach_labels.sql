-- Labels that are looked up in other tables.
SET TimeZone = 'UTC';
\set VERBOSITY default
\set SHOW_CONTEXT never
CREATE SCHEMA labels;
SET search_path = labels;
SELECT align.agree('labels', $$
    stage "New", "Qualified" held by "Sales"; won "Won"; lost lost;
    "Qualified" known as '2', 'Proposition';
    success path "New" -> "Qualified" -> "Won"; path any -> lost; path lost -> "New"; entry "New", "Qualified";
    "Qualified" -> lost needs reason ("Too expensive", "7");
$$);
CREATE TABLE stages (id int PRIMARY KEY, name jsonb NOT NULL, seq int);
CREATE TABLE teams (id smallint PRIMARY KEY, name text);
CREATE TABLE users (id uuid PRIMARY KEY, login varchar(20));
CREATE TABLE reasons (code text PRIMARY KEY, text text);
CREATE TABLE campaigns (id bigint PRIMARY KEY, name text);
INSERT INTO stages VALUES (1, '{"en": "New", "de": "Neu"}'), (2, '{"en": "Qualified"}'), (4, '{"en": "Won"}'), (5, '{"de": "Nur deutsch"}'), (6, '{"en": "Negotiation"}');
INSERT INTO teams VALUES (1, 'Sales'), (2, 'Pre-Sales');
INSERT INTO users VALUES ('00000000-0000-0000-0000-000000000005', 'ann'), ('00000000-0000-0000-0000-000000000006', 'bob');
INSERT INTO reasons VALUES ('1', 'Too expensive'), ('7', 'Seven'), ('it''s', 'Too expensive');
INSERT INTO campaigns VALUES (9000000000, 'utm_campaign=spring');
CREATE TABLE leads (id int PRIMARY KEY, stage_id int, active boolean DEFAULT true, team_id int, owner_id uuid, reason text, campaign_id bigint);
INSERT INTO leads VALUES (1, 1, true, 1, '00000000-0000-0000-0000-000000000005', NULL, 9000000000), (2, 2, true, 9, '00000000-0000-0000-0000-000000000009', NULL, 1), (3, 1, false, NULL, NULL, '1', NULL);
SELECT align.attach('leads', 'labels', stage => $$CASE WHEN active THEN stage_id::text ELSE 'lost' END$$, team => 'team_id', assignee => 'owner_id', reason => 'reason', campaign => 'campaign_id',
	stage_labels => 'stages(id, name ->> ''en'')', team_labels => 'teams(id, name)', assignee_labels => 'labels.users(id, upper(login))', reason_labels => 'reasons(code, text)', campaign_labels => 'campaigns(id, name)');
SELECT labels FROM align.attachments WHERE agreement = 'labels';
SELECT replace(pg_get_viewdef('leads_history_stage_labels'), 't.', '') AS stages, replace(pg_get_viewdef('leads_history_assignee_labels'), 't.', '') AS assignees, reloptions FROM pg_class WHERE relname = 'leads_history_stage_labels';
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'leads'::regclass AND tgname = 'align_labels';
-- what is not found stands for itself
SELECT id, stage, team, assignee, reason, campaign FROM leads_history ORDER BY 1, 2;
UPDATE leads SET stage_id = 2, team_id = 2, owner_id = '00000000-0000-0000-0000-000000000006' WHERE id = 1;
UPDATE leads SET active = false WHERE id = 1;
UPDATE leads SET active = false, reason = 'dear' WHERE id = 1;
UPDATE leads SET active = false, reason = 'it''s' WHERE id = 1;
UPDATE leads SET active = false, reason = '7' WHERE id = 2;		-- a reason that the agreement knows as it stands
UPDATE leads SET active = true, stage_id = 1 WHERE id = 2;
UPDATE leads SET stage_id = 6 WHERE id = 2;
UPDATE leads SET stage_id = 5 WHERE id = 2;
UPDATE leads SET stage_id = 77 WHERE id = 2;
SELECT id, entry_no, event, from_stage, stage, team, assignee, reason FROM leads_history WHERE entry_no > 1 ORDER BY 1, 2;
SELECT * FROM align.check('leads');

-- explain_move() takes values and labels.
SELECT * FROM align.explain_move('leads', 1, '1');
SELECT * FROM align.explain_move('leads', 1, 'New');
SELECT * FROM align.explain_move('leads', 2, '6');
SELECT rule, message FROM align.explain_move('leads', 1, '4');

-- A renamed label is an unknown stage, except where the agreement knows the value; a change of this
-- transaction counts.
BEGIN;
UPDATE stages SET name = '{"en": "Prospect"}' WHERE id IN (1, 2);
UPDATE leads SET active = true, stage_id = 1 WHERE id = 3;
ROLLBACK;
UPDATE stages SET name = '{"en": "Prospect"}' WHERE id IN (1, 2);
UPDATE leads SET active = true, stage_id = 2 WHERE id = 3;
UPDATE leads SET active = true, stage_id = 1 WHERE id = 3;
SELECT * FROM align.check('leads');
SELECT align.agree('labels', $$
    stage "New", "Qualified" held by "Sales"; won "Won"; lost lost; "New" known as 'Prospect'; "Qualified" known as '2';
    success path "New" -> "Qualified" -> "Won"; path any -> lost; path lost -> "New"; entry "New", "Qualified";
$$);
UPDATE leads SET active = true, stage_id = 1 WHERE id = 3;
SELECT * FROM align.check('leads');
-- a version may not forget the label of leads
SELECT align.agree('labels', $$stage "Qualified"; won "Won"; lost lost; "Qualified" known as '2'; success path "Qualified" -> "Won"; path any -> lost; entry "Qualified";$$);

-- Views, tables and columns are renamed; nothing in use is dropped.
ALTER VIEW leads_history_stage_labels RENAME TO "the labels";
ALTER TABLE stages RENAME TO "the stages";
ALTER TABLE "the stages" RENAME name TO names;
UPDATE leads SET active = false WHERE id = 3;
UPDATE leads SET active = true WHERE id = 3;
SELECT entry_no, stage FROM leads_history WHERE id = 3 ORDER BY 1 DESC LIMIT 1;
SELECT labels ->> 'stage' FROM align.attachments WHERE agreement = 'labels';
SELECT * FROM align.check('leads');
DROP TABLE "the stages";
DROP VIEW "the labels";
ALTER TABLE "the stages" RENAME TO stages;
ALTER TABLE stages RENAME names TO name;
ALTER VIEW "the labels" RENAME TO leads_history_stage_labels;

-- One look-up for each value and statement, however many rows.
CREATE FUNCTION counted(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'looked up as %', current_user; RETURN $1; END $$;
CREATE OR REPLACE VIEW leads_history_team_labels WITH (security_invoker = true) AS SELECT id AS key, counted(name) AS label FROM teams;
INSERT INTO leads (id, stage_id, team_id) SELECT 100 + g, 2, 1 + g % 2 FROM generate_series(1, 10) AS g;
UPDATE leads SET team_id = 3 - team_id WHERE id > 100;
DELETE FROM leads WHERE id > 100;

-- Two rows for one value are an error.
CREATE OR REPLACE VIEW leads_history_team_labels WITH (security_invoker = true) AS SELECT t.id AS key, t.name AS label FROM teams AS t, generate_series(1, 2);
UPDATE leads SET team_id = 2 WHERE id = 3;
UPDATE leads SET team_id = 9 WHERE id = 3;

-- Attached again: with another look-up, and without.
SELECT align.attach('leads', 'labels', stage => $$CASE WHEN active THEN stage_id::text ELSE 'lost' END$$, stage_labels => 'stages(id, CASE WHEN seq IS NULL THEN name ->> ''en'' END)');
SELECT labels FROM align.attachments WHERE agreement = 'labels';
SELECT * FROM align.check('leads');
SELECT align.attach('leads', 'labels', stage => 'stage_id', mode => 'observe');
SELECT labels FROM align.attachments WHERE agreement = 'labels';
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'leads'::regclass AND tgname = 'align_labels';
SELECT align.detach('leads');

-- What is refused, leaving nothing behind.
CREATE ROLE regress_align_label_other;
GRANT USAGE ON SCHEMA labels TO regress_align_label_other;
CREATE VIEW seen AS SELECT id, name ->> 'en' AS name FROM stages;
CREATE TABLE hidden (id int PRIMARY KEY, name text);
ALTER TABLE hidden ENABLE ROW LEVEL SECURITY;
CREATE TABLE foreign_owned (id int PRIMARY KEY, name text);
ALTER TABLE foreign_owned OWNER TO regress_align_label_other;
CREATE TABLE loose (id int, name text, day date PRIMARY KEY, part int, at timestamptz, UNIQUE (id, name), UNIQUE (part) DEFERRABLE);
CREATE UNIQUE INDEX ON loose (id) WHERE id > 0;
CREATE TEMP TABLE passing (id int PRIMARY KEY, name text);
CREATE TABLE drafts (id int PRIMARY KEY, stage text);
CREATE FUNCTION mine(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE TABLE drafts_history_team_labels (key int);
CREATE PROCEDURE refuse(arguments text) LANGUAGE plpgsql AS $$
DECLARE
	detail text;
	hint text;
BEGIN
	EXECUTE format('SELECT align.attach(''drafts'', ''labels'', %s)', arguments);
	RAISE EXCEPTION 'attached';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RAISE INFO E'% %\n\t%\n\t%', SQLSTATE, SQLERRM, detail, hint;
END
$$;
CALL refuse($$stage_labels => 'seen(id, name)'$$);
CALL refuse($$stage_labels => 'hidden(id, name)'$$);
CALL refuse($$stage_labels => 'foreign_owned(id, name)'$$);
CALL refuse($$stage_labels => 'passing(id, name)'$$);
CALL refuse($$stage_labels => 'pg_catalog.pg_class(oid, relname)'$$);
CALL refuse($$stage_labels => 'nowhere(id, name)'$$);
CALL refuse($$stage_labels => 'no_schema.stages(id, name)'$$);
CALL refuse($$stage_labels => 'stages(key, name)'$$);
CALL refuse($$stage_labels => 'stages(ctid, name)'$$);
CALL refuse($$stage_labels => 'loose(id, name)'$$);
CALL refuse($$stage_labels => 'loose(part, name)'$$);
CALL refuse($$stage_labels => 'loose(day, name)'$$);
CALL refuse($$stage_labels => 'stages(id, label)'$$);
CALL refuse($$stage_labels => 'stages(id, labels.mine(name::text))'$$);
CALL refuse($$stage_labels => 'stages(id, (SELECT name))'$$);
CALL refuse($$stage_labels => 'stages(id, clock_timestamp()::text)'$$);
CALL refuse($$stage_labels => 'stages(id)'$$);
CALL refuse($$stage_labels => 'stages'$$);
CALL refuse($$stage_labels => 'stages(id, name, seq)'$$);
CALL refuse($$stage_labels => 'stages(id + 1, name)'$$);
CALL refuse($$stage_labels => 'stages(DISTINCT id, name)'$$);
CALL refuse($$stage_labels => 'stages(id, name) OVER ()'$$);
CALL refuse($$stage_labels => 'stages(id, name'$$);
CALL refuse($$stage_labels => ''$$);
CALL refuse($$team_labels => 'teams(id, name)'$$);
CALL refuse($$team => 'id', team_labels => 'teams(id, name)'$$);
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'drafts'::regclass;
SELECT relname FROM pg_class WHERE relnamespace = 'labels'::regnamespace AND relname LIKE 'drafts%' ORDER BY 1;
-- a table that its owner may not read
ALTER TABLE drafts OWNER TO regress_align_label_other;
REVOKE SELECT ON foreign_owned FROM regress_align_label_other;
SELECT align.admit('labels', 'regress_align_label_other');
CALL refuse($$stage_labels => 'foreign_owned(id, name)'$$);
