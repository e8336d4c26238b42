-- Attaching again, detaching, taking over what is there; history is never lost.
\set SHOW_CONTEXT never
SET TimeZone = 'UTC';
CREATE SCHEMA again;
SET search_path = again;
SELECT align.agree('again', $$
    stage new, busy held by sales; won done; lost gone;
    success path new -> busy -> done; path any -> gone;
    sla answer by sales: from busy to done within 2 days;
    busy known as 'in work';
$$);
CREATE TABLE leads (id int PRIMARY KEY, stage text, stage2 text, who text, dead bool DEFAULT false, at timestamptz);
INSERT INTO leads (id, stage, stage2, who) VALUES
    (1, 'new', 'new', 'ann'), (2, 'in work', 'busy', 'bob'), (3, 'busy', NULL, 'cyd'), (4, NULL, 'new', 'dan');
SELECT align.attach('leads', 'again', assignee => 'who', opened_at => 'now');
CREATE VIEW entries AS
    SELECT id, entry_no, event, from_stage, stage, assignee, agreement, violation, source FROM leads_history;
CREATE VIEW clocks AS
    SELECT id, sla, cycle, assignee_at_start, outcome, agreement, version FROM leads_sla;
TABLE entries ORDER BY id, entry_no;
TABLE clocks ORDER BY id, sla, cycle;

SELECT * FROM align.check('leads');

-- Nothing has changed: nothing is recorded.
SELECT align.attach('leads', 'again', assignee => 'who', opened_at => 'now');
SELECT count(*) FROM leads_history;

-- Another mode; ENABLE ALWAYS stays, disabled triggers are enabled.
ALTER TABLE leads ENABLE ALWAYS TRIGGER align_insert;
ALTER TABLE leads DISABLE TRIGGER align_flush;
SELECT align.attach('leads', 'again', assignee => 'who', mode => 'observe', opened_at => 'now');
SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = 'leads'::regclass ORDER BY 1;
ALTER TABLE leads ENABLE TRIGGER align_insert;
ALTER TABLE leads ENABLE TRIGGER align_flush;

-- Another column, which tells another story.
SELECT align.attach('leads', 'again', stage => 'stage2', opened_at => 'now');
TABLE entries ORDER BY id, entry_no;
TABLE clocks ORDER BY id, sla, cycle;

SELECT * FROM align.check('leads');

-- Another agreement.
SELECT align.agree('again_2', 'stage new held by desk; stage busy held by desk; won done; success path new -> busy -> done;');
SELECT align.attach('leads', 'again_2', stage => 'stage2', mode => 'warn');
SELECT align.attach('leads', 'again_2', stage => 'stage2', mode => 'warn', replace => true, opened_at => 'now');
UPDATE leads SET stage2 = 'done' WHERE id = 1;
SELECT relation, agreement, mode, stage, key, assignee, history, sla, live, notify FROM align.attachments WHERE relation = 'leads'::regclass;
SELECT * FROM entries WHERE id = 1 ORDER BY entry_no;

SELECT * FROM align.check('leads');

-- A condition, and without it again.
UPDATE leads SET dead = true WHERE id = 2;
SELECT align.attach('leads', 'again', stage => 'stage2', live => 'NOT dead', notify => true, replace => true, opened_at => 'now');
SELECT live, notify FROM align.attachments WHERE relation = 'leads'::regclass;
SELECT * FROM entries WHERE id = 2 ORDER BY entry_no;
SELECT * FROM align.check('leads');
SELECT align.attach('leads', 'again', stage => 'stage2', opened_at => 'now');
SELECT * FROM align.check('leads');
SELECT * FROM entries WHERE id = 2 ORDER BY entry_no;
SELECT tgname FROM pg_trigger WHERE tgrelid = 'leads'::regclass AND tgname = 'align_live';

-- Who holds a lead is compared as well, where a column tells.
SELECT align.attach('leads', 'again', stage => 'stage2', assignee => 'who', opened_at => 'now');
SELECT * FROM entries WHERE id = 2 ORDER BY entry_no;
SELECT align.attach('leads', 'again', stage => 'stage2', assignee => 'who', opened_at => 'now');
SELECT * FROM entries WHERE id = 2 ORDER BY entry_no DESC LIMIT 1;

SELECT * FROM align.check('leads');

-- Detached: nobody is watching, and the tables are the owner's.
SELECT align.detach('leads');
SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE tgname LIKE 'align%';
SELECT count(*) FROM align.attachments WHERE relation = 'leads'::regclass;
UPDATE leads SET stage2 = 'new' WHERE id = 1;
DELETE FROM leads WHERE id = 3;
DELETE FROM leads WHERE id = 4;
INSERT INTO leads (id, stage2) VALUES (5, 'busy'), (6, NULL);
UPDATE leads SET stage2 = NULL WHERE id = 2;
-- Attached: what happened is found out.
SELECT align.attach('leads', 'again', stage => 'stage2', opened_at => 'now');
SELECT * FROM entries WHERE source = 'adopted' ORDER BY id, entry_no;
SELECT * FROM align.check('leads');
SELECT max(entry_no) = count(*) AS without_gaps FROM entries GROUP BY id ORDER BY id;

-- An own name, in quotes and in another schema; the old history is let go.
CREATE SCHEMA "again""; x";
SELECT align.attach('leads', 'again', stage => 'stage2', history => '"again""; x"."Leads, as they were"', replace => true, opened_at => 'now');
SELECT history, sla FROM align.attachments WHERE relation = 'leads'::regclass;
SELECT * FROM "again""; x"."Leads, as they were" WHERE false;
SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE tgname = 'align_append_only' ORDER BY tgrelid::regclass::text COLLATE "C";
UPDATE leads SET stage2 = 'busy' WHERE id = 1;
SELECT id, entry_no, event, stage FROM "again""; x"."Leads, as they were" ORDER BY id, entry_no;
SELECT * FROM align.check('leads');
-- Not told, it stays; told, it goes back, and the gap is found.
SELECT align.attach('leads', 'again', stage => 'stage2', opened_at => 'now');
SELECT align.attach('leads', 'again', stage => 'stage2', history => 'again.leads_history', replace => true, opened_at => 'now');
SELECT history, sla FROM align.attachments WHERE relation = 'leads'::regclass;
SELECT * FROM entries WHERE id = 1 ORDER BY entry_no DESC LIMIT 1;

SELECT * FROM align.check('leads');

-- Long names are cut so that the ends stay.
CREATE TABLE a_name_that_is_as_long_as_names_can_be_in_this_database_system1 (id int PRIMARY KEY, stage text);
SELECT align.attach('a_name_that_is_as_long_as_names_can_be_in_this_database_system1', 'again', opened_at => 'now');
SELECT history, sla FROM align.attachments WHERE relation::text LIKE 'a_name%';
CREATE TABLE a_name_that_is_as_long_as_names_can_be_in_this_database_system2 (id int PRIMARY KEY, stage text);
SELECT align.attach('a_name_that_is_as_long_as_names_can_be_in_this_database_system2', 'again', opened_at => 'now');

-- Columns named like align's own, and names that mean harm.
CREATE TABLE "no""; DROP TABLE leads; --" ("stage" int, "key_stage" text, "ev'ent" text, "st""ate" text, PRIMARY KEY ("stage", key_stage, "ev'ent"));
INSERT INTO "no""; DROP TABLE leads; --" VALUES (1, 'a', 'b', 'new');
SELECT align.attach('"no""; DROP TABLE leads; --"', 'again', stage => 'st"ate', live => '"ev''ent" <> ''\''', opened_at => 'now');
UPDATE "no""; DROP TABLE leads; --" SET "st""ate" = 'busy';
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = '"no""; DROP TABLE leads; --"'::regclass AND tgname IN ('align_attachment', 'align_live', 'align_update') ORDER BY tgname;
SELECT attname FROM pg_attribute WHERE attrelid = '"no""; DROP TABLE leads; --_history"'::regclass AND attnum BETWEEN 1 AND 4 ORDER BY attnum;
SELECT key_key_stage, key_stage, "ev'ent", entry_no, stage FROM "no""; DROP TABLE leads; --_history" ORDER BY entry_no;

SELECT * FROM align.check('"no""; DROP TABLE leads; --"');

-- Tables that are there but do not fit are not touched.
CREATE TABLE misfit (id int PRIMARY KEY, stage text);
CREATE TABLE misfit_history (id bigint, entry_no int);
SELECT align.attach('misfit', 'again', opened_at => 'now');
DROP TABLE misfit_history;
CREATE TABLE misfit_history (LIKE leads_history INCLUDING ALL);
ALTER TABLE misfit_history ALTER id TYPE bigint;
SELECT align.attach('misfit', 'again', opened_at => 'now');
ALTER TABLE misfit_history ALTER id TYPE int;
ALTER TABLE misfit_history ALTER version TYPE bigint;
SELECT align.attach('misfit', 'again', opened_at => 'now');
ALTER TABLE misfit_history ALTER version TYPE int, ADD region text NOT NULL;
SELECT align.attach('misfit', 'again', opened_at => 'now');
ALTER TABLE misfit_history ALTER region SET DEFAULT 'emea';
CREATE ROLE regress_align_other;
SELECT align.admit('again', 'regress_align_other');
ALTER TABLE misfit OWNER TO regress_align_other;
GRANT USAGE, CREATE ON SCHEMA again TO regress_align_other;
SELECT align.attach('misfit', 'again', opened_at => 'now');
ALTER TABLE misfit_history OWNER TO regress_align_other;
ALTER TABLE misfit_history SET UNLOGGED;
SELECT align.attach('misfit', 'again', opened_at => 'now');
ALTER TABLE misfit_history SET LOGGED;
INSERT INTO misfit VALUES (1, 'new');
SELECT align.attach('misfit', 'again', opened_at => 'now');
SELECT id, entry_no, event, stage, source, region FROM misfit_history;
SELECT * FROM align.check('misfit');
SELECT indexdef FROM pg_indexes WHERE schemaname = 'again' AND tablename LIKE 'misfit\_%' ORDER BY indexdef COLLATE "C";

-- A superuser may attach a table whose owner can create nothing in the schema.
CREATE TABLE foreign_ground (id int PRIMARY KEY, stage text);
INSERT INTO foreign_ground VALUES (1, 'new');
ALTER TABLE foreign_ground OWNER TO regress_align_other;
REVOKE CREATE ON SCHEMA again FROM regress_align_other;
SET ROLE regress_align_other;
SELECT align.attach('again.foreign_ground', 'again', opened_at => 'now');
RESET ROLE;
SELECT align.attach('foreign_ground', 'again', opened_at => 'now');
SET ROLE regress_align_other;
UPDATE again.foreign_ground SET stage = 'busy';
SELECT id, entry_no, event, stage FROM again.foreign_ground_history ORDER BY entry_no;
SELECT * FROM align.check('again.foreign_ground');
SELECT align.detach('again.foreign_ground');
RESET ROLE;
SELECT relname, relowner::regrole FROM pg_class WHERE relname LIKE 'foreign\_ground%' ORDER BY relname COLLATE "C";

-- A history that its owner has partitioned.
CREATE TABLE split (id int PRIMARY KEY, stage text);
CREATE TABLE split_history (LIKE leads_history) PARTITION BY RANGE (recorded_at);
CREATE TABLE split_history_past PARTITION OF split_history FOR VALUES FROM (MINVALUE) TO ('2020-01-01');
CREATE TABLE split_history_rest PARTITION OF split_history FOR VALUES FROM ('2020-01-01') TO (MAXVALUE);
INSERT INTO split VALUES (1, 'new');
SELECT align.attach('split', 'again', opened_at => 'now');
UPDATE split SET stage = 'busy';
SELECT tableoid::regclass, id, entry_no, event, stage FROM split_history ORDER BY entry_no;
SELECT * FROM align.check('split');
DELETE FROM split_history_rest;
SELECT indexdef FROM pg_indexes WHERE schemaname = 'again' AND tablename = 'split_history' ORDER BY indexdef COLLATE "C";
SELECT align.detach('split');
SELECT count(*) FROM pg_trigger WHERE tgrelid IN ('split_history'::regclass, 'split_history_rest'::regclass, 'split_history_past'::regclass);

-- A history without its clocks: they are made anew from it.
CREATE TABLE clockless (id int PRIMARY KEY, stage text, at timestamptz);
INSERT INTO clockless VALUES (1, 'new', '2026-01-01'), (2, 'new', '2026-01-01'), (3, 'new', '2026-01-01');
SELECT align.attach('clockless', 'again', changed_at => 'at');
UPDATE clockless SET stage = 'busy', at = '2026-01-02';
UPDATE clockless SET stage = 'done', at = '2026-01-05' WHERE id = 2;
CREATE TABLE clocks_before AS SELECT * FROM clockless_sla;
SELECT align.detach('clockless');
DROP TABLE clockless_sla;
DELETE FROM clockless WHERE id = 3;
SELECT align.attach('clockless', 'again', changed_at => 'at');
SELECT id, sla, cycle, started_at, due_at, stopped_at, outcome FROM clocks_before ORDER BY id;
SELECT id, sla, cycle, started_at, due_at, stopped_at IS NOT NULL AS stopped, outcome FROM clockless_sla ORDER BY id;

SELECT * FROM align.check('clockless');

-- Unlogged tables have tables of their kind, temporary ones cannot be attached.
CREATE UNLOGGED TABLE quick (id int PRIMARY KEY, stage text);
SELECT align.attach('quick', 'again', opened_at => 'now');
CREATE TEMP TABLE brief (id int PRIMARY KEY, stage text);
INSERT INTO brief VALUES (1, 'new');
SELECT align.attach('brief', 'again', opened_at => 'now');
SELECT relname, relpersistence FROM pg_class WHERE relname IN ('quick_history', 'quick_sla', 'brief_history', 'brief_sla') ORDER BY 1;

-- In a transaction that is rolled back, nothing has happened.
CREATE TABLE undone (id int PRIMARY KEY, stage text);
INSERT INTO undone VALUES (1, 'new');
BEGIN;
SELECT align.attach('undone', 'again', opened_at => 'now');
UPDATE undone SET stage = 'busy';
SAVEPOINT s;
SELECT align.detach('undone');
UPDATE undone SET stage = 'nowhere';
ROLLBACK TO s;
UPDATE undone SET stage = 'done';
SELECT entry_no, event, stage FROM undone_history ORDER BY entry_no;
ROLLBACK;
UPDATE undone SET stage = 'nowhere';
SELECT to_regclass('undone_history');

-- Repeatable read.
BEGIN ISOLATION LEVEL REPEATABLE READ;
UPDATE undone SET stage = 'new';
SELECT align.attach('undone', 'again', opened_at => 'now');
UPDATE undone SET stage = 'busy';
SELECT entry_no, event, stage FROM undone_history ORDER BY entry_no;
COMMIT;

SET client_min_messages = error;
DROP TABLE brief, quick;
-- After a rename, a history keeps its clock table, and what was announced stays announced.
CREATE TABLE renamed (id int PRIMARY KEY, stage text, at timestamptz);
SELECT align.agree('attach_again_renamed', 'stage a held by m; stage c held by s; won w; success path a -> c -> w; handoff h: a from m to s, accept c, within 4 hours;');
SELECT align.attach('renamed', 'attach_again_renamed', changed_at => 'at');
INSERT INTO renamed VALUES (1, 'a', now() - interval '1 day');
SELECT align.notify_due('renamed');
SELECT align.detach('renamed');
ALTER TABLE renamed RENAME TO deals_renamed;
SELECT align.attach('deals_renamed', 'attach_again_renamed', changed_at => 'at', history => 'renamed_history');
SELECT history, sla FROM align.attachments WHERE agreement = 'attach_again_renamed';
SELECT align.notify_due('deals_renamed');
SELECT align.detach('deals_renamed');
-- both renamed
CREATE TABLE renamed (id int PRIMARY KEY, stage text);
ALTER TABLE renamed_history RENAME TO former_history;
ALTER TABLE renamed_sla RENAME TO former_sla;
SELECT align.attach('renamed', 'attach_again_renamed', history => 'former_history', opened_at => 'now');
SELECT history, sla FROM align.attachments WHERE agreement = 'attach_again_renamed';

DROP SCHEMA again, "again""; x" CASCADE;
DROP ROLE regress_align_other;
