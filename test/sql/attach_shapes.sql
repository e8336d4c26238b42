-- Tables of every shape: types of stage and key, partitions, names that change.
\set SHOW_CONTEXT never
SET TimeZone = 'UTC';
CREATE SCHEMA shapes;
SET search_path = shapes;
SELECT align.agree('shapes', $$
    stage new, busy held by sales; won done; lost gone;
    success path new -> busy -> done; path any -> gone;
    new known as '1'; busy known as '2'; done known as '3';
$$);

-- Stages of all types, before and after the table is attached.
CREATE TYPE mood AS ENUM ('new', 'busy', 'done');
CREATE DOMAIN word AS varchar(20) CHECK (VALUE <> '');
CREATE DOMAIN enumerated AS mood;
CREATE DOMAIN number AS smallint;
CREATE FUNCTION attach_type(type text) RETURNS TABLE (entries text) LANGUAGE plpgsql AS $$
DECLARE
	labels text[] := CASE WHEN type IN ('int2', 'int4', 'int8', 'number') THEN '{1,2,3}' ELSE '{new,busy,done}' END;
	openings bigint;
BEGIN
	EXECUTE format('CREATE TABLE typed (id int PRIMARY KEY, stage %s)', type);
	EXECUTE format('INSERT INTO typed VALUES (1, %L), (2, %L)', labels[1], labels[2]);
	openings := align.attach('typed', 'shapes');
	EXECUTE format('UPDATE typed SET stage = %L WHERE id = 2', labels[3]);
	EXECUTE format('UPDATE typed SET stage = %L WHERE id = 1', labels[1]);
	BEGIN
		EXECUTE format('UPDATE typed SET stage = %L WHERE id = 1', labels[3]);
	EXCEPTION WHEN OTHERS THEN
		RAISE NOTICE '% %', SQLSTATE, SQLERRM;
	END;
	RETURN QUERY SELECT format('%s: %s', openings, string_agg(format('%s %s', id, stage), ', ' ORDER BY id, entry_no)) FROM typed_history;
	RETURN QUERY SELECT format('%s', c) FROM align.check('typed') AS c;
	PERFORM align.detach('typed');
	DROP TABLE typed, typed_history, typed_sla;
END
$$;
SELECT type, entries FROM unnest('{text,varchar(20),name,char(7),mood,word,enumerated,int2,int4,int8,number}'::text[]) AS type, attach_type(type);

-- Keys of many types.
CREATE FUNCTION attach_key(type text, value text) RETURNS TABLE (key text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TABLE keyed (k %s PRIMARY KEY, stage text)', type);
	EXECUTE format('INSERT INTO keyed VALUES (%L, ''new'')', value);
	PERFORM align.attach('keyed', 'shapes');
	UPDATE keyed SET stage = 'busy';
	RETURN QUERY SELECT format('%s %s %s', pg_typeof(k), k, string_agg(stage, ' ' ORDER BY entry_no)) FROM keyed_history GROUP BY k;
	RETURN QUERY SELECT format('%s', c) FROM align.check('keyed') AS c;
	DROP TABLE keyed, keyed_history, keyed_sla;
END
$$;
SELECT attach_key(type, value) FROM (VALUES ('bigint', '42'), ('uuid', '6ecd8c99-4036-403d-bf84-cf8400f67836'), ('text', 'a b'),
	('varchar(7)', 'a'), ('char(5)', 'x'), ('name', 'n'), ('date', '2026-01-01'), ('timestamptz', '2026-01-01 00:00Z'), ('numeric(10,2)', '1.50'),
	('int[]', '{1,2}'), ('mood', 'done'), ('word', 'w'), ('inet', '10.0.0.1'), ('boolean', 't'), ('text COLLATE "C"', 'c')) AS k (type, value);
SELECT attach_key('enumerated', 'done');
-- Two columns, not in their order in the table, and the rest of the roles, two of them on one column.
CREATE TABLE two (a int, region text, stage text, b bigint, who text, at date, amount float8, UNIQUE (region, b));
ALTER TABLE two ALTER region SET NOT NULL, ALTER b SET NOT NULL, DROP a;
INSERT INTO two VALUES ('emea', 'new', 7, 'ann', '2026-01-02', 12.5);
SELECT align.attach('two', 'shapes', key => '{region,b}', assignee => 'who', actor => 'who', changed_at => 'at', amount => 'amount', campaign => 'region');
UPDATE two SET stage = 'busy', who = 'bob', at = '2026-02-03';
SELECT region, b, entry_no, effective_at, stage, assignee, actor, amount, campaign FROM two_history ORDER BY entry_no;
SELECT * FROM align.check('two');
SELECT key, assignee, actor, amount, changed_at, campaign FROM align.attachments WHERE relation = 'two'::regclass;
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'two'::regclass AND tgname = 'align_attachment';

-- A partitioned table, with partitions of partitions that number their columns otherwise.
CREATE TABLE parts (id bigint NOT NULL, gone_by int, region text NOT NULL, stage text, dead bool, who text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
ALTER TABLE parts DROP gone_by;
CREATE TABLE parts_a PARTITION OF parts FOR VALUES IN ('a');
CREATE TABLE parts_b (who text, stage text, x int, dead bool, region text NOT NULL, id bigint NOT NULL) PARTITION BY RANGE (id);
ALTER TABLE parts_b DROP x;
ALTER TABLE parts ATTACH PARTITION parts_b FOR VALUES IN ('b');
CREATE TABLE parts_b1 PARTITION OF parts_b FOR VALUES FROM (0) TO (100);
INSERT INTO parts VALUES (1, 'a', 'new', false, 'ann'), (2, 'b', 'busy', false, 'bob'), (3, 'b', 'busy', true, 'cyd');
SELECT align.attach('parts', 'shapes', key => '{id}', assignee => 'who', live => 'NOT dead');
SELECT tgrelid::regclass, tgname, tgparentid <> 0 AS cloned FROM pg_trigger WHERE tgrelid::regclass::text LIKE 'parts%' AND tgname LIKE 'align%'
	AND tgname <> 'align_append_only' ORDER BY tgrelid::regclass::text COLLATE "C", tgname;
UPDATE parts SET stage = 'done' WHERE id = 2;
UPDATE parts_b1 SET who = 'dan' WHERE id = 2;
UPDATE parts SET region = 'a' WHERE id = 2;
UPDATE parts SET dead = false WHERE id = 3;
INSERT INTO parts_a VALUES (4, 'a', 'new', false, 'eve');
SELECT id, entry_no, event, from_stage, stage, assignee, source FROM parts_history ORDER BY id, entry_no;
SELECT * FROM align.check('parts');
-- A partition that comes later.
CREATE TABLE parts_c PARTITION OF parts FOR VALUES IN ('c');
INSERT INTO parts_c VALUES (5, 'c', 'new', false, 'fay');
UPDATE parts SET stage = 'busy' WHERE id = 5;
SELECT align.attach('parts', 'shapes', key => '{id}', assignee => 'who', live => 'NOT dead');
TRUNCATE parts_c;
SELECT entry_no, event, stage FROM parts_history WHERE id = 5 ORDER BY entry_no;
SELECT * FROM align.check('parts');
-- One that leaves: nothing of ours is in its way.
ALTER TABLE parts DETACH PARTITION parts_a;
UPDATE parts_a SET stage = 'nowhere';
TRUNCATE parts_a;
-- What happened is found out.
SELECT align.attach('parts', 'shapes', key => '{id}', assignee => 'who', live => 'NOT dead');
SELECT id, entry_no, event, stage, source FROM parts_history WHERE source = 'adopted' ORDER BY id, entry_no;
SELECT * FROM align.check('parts');
SELECT align.detach('parts');
SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE tgname LIKE 'align%' AND tgrelid::regclass::text LIKE 'parts%' ORDER BY 1, 2;
SELECT align.detach('parts_a');
SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE tgname LIKE 'align%' AND tgrelid::regclass::text LIKE 'parts%' ORDER BY 1, 2;

-- Partitioned by stage, which then is in the primary key, but not in ours.
CREATE TABLE board (id int, stage text, PRIMARY KEY (id, stage)) PARTITION BY LIST (stage);
CREATE TABLE board_open PARTITION OF board FOR VALUES IN ('new', 'busy');
CREATE TABLE board_rest PARTITION OF board DEFAULT;
INSERT INTO board VALUES (1, 'new'), (2, 'busy');
SELECT align.attach('board', 'shapes');
SELECT key FROM align.attachments WHERE relation = 'board'::regclass;
UPDATE board SET stage = 'done' WHERE id = 2;
SELECT id, entry_no, event, from_stage, stage FROM board_history ORDER BY id, entry_no;

SELECT * FROM align.check('board');

-- Names change while the table is attached.
CREATE TABLE leads (id int PRIMARY KEY, stage text, who text, dead bool NOT NULL DEFAULT false);
INSERT INTO leads VALUES (1, 'new', 'ann');
SELECT align.attach('leads', 'shapes', assignee => 'who', live => 'NOT dead');
ALTER TABLE leads RENAME stage TO "St'age";
ALTER TABLE leads RENAME id TO "Id";
ALTER TABLE leads RENAME who TO owner;
ALTER TABLE leads RENAME dead TO "is ""dead""";
UPDATE leads SET "St'age" = 'busy', owner = 'bob';
ALTER TABLE leads RENAME TO "Leads";
ALTER TABLE leads_history RENAME TO "What, happened";
ALTER TABLE leads_sla RENAME id TO lead;
CREATE SCHEMA "shapes, too";
ALTER TABLE "Leads" SET SCHEMA "shapes, too";
ALTER TABLE "What, happened" SET SCHEMA "shapes, too";
ALTER SCHEMA "shapes, too" RENAME TO "shapes, moved";
UPDATE "shapes, moved"."Leads" SET "St'age" = 'done';
UPDATE "shapes, moved"."Leads" SET "is ""dead""" = true;
SELECT id, entry_no, event, stage, assignee FROM "shapes, moved"."What, happened" ORDER BY entry_no;
SELECT * FROM align.attachments WHERE relation = '"shapes, moved"."Leads"'::regclass \gx
-- Attached again with its new names, it keeps what it has.
UPDATE "shapes, moved"."Leads" SET "is ""dead""" = false;
SELECT align.attach('"shapes, moved"."Leads"', 'shapes', stage => 'St''age', assignee => 'owner');
UPDATE "shapes, moved"."Leads" SET owner = 'cyd';
SELECT id, entry_no, event, stage, assignee, source FROM "shapes, moved"."What, happened" ORDER BY entry_no;

SELECT * FROM align.check('"shapes, moved"."Leads"');

-- Columns and tables in use cannot go unnoticed.
\set VERBOSITY terse
ALTER TABLE "shapes, moved"."Leads" DROP "St'age";
ALTER TABLE "shapes, moved"."Leads" ALTER owner TYPE varchar(50);
DROP TABLE "shapes, moved"."What, happened";
DROP TABLE leads_sla;
DROP FUNCTION align.record_row();
\set VERBOSITY default
-- Retyped in one transaction.
BEGIN;
SELECT align.detach('"shapes, moved"."Leads"');
ALTER TABLE "shapes, moved"."Leads" ALTER owner TYPE varchar(50), ALTER "St'age" TYPE varchar(20);
SELECT align.attach('"shapes, moved"."Leads"', 'shapes', stage => 'St''age', assignee => 'owner', history => '"shapes, moved"."What, happened"');
COMMIT;
SELECT history, sla FROM align.attachments WHERE relation = '"shapes, moved"."Leads"'::regclass;
SELECT * FROM align.check('"shapes, moved"."Leads"');
-- Dropped by force, the marker goes; what is left says so, and can be removed.
CREATE TABLE forced (id int PRIMARY KEY, stage text, who text);
INSERT INTO forced VALUES (1, 'new', 'ann');
SELECT align.attach('forced', 'shapes', assignee => 'who');
\set VERBOSITY terse
ALTER TABLE forced DROP who CASCADE;
\set VERBOSITY default
SELECT count(*) FROM align.attachments WHERE relation = 'forced'::regclass;
UPDATE forced SET stage = 'busy';
SELECT align.attach('forced', 'shapes');
UPDATE forced SET stage = 'busy';
SELECT entry_no, event, stage FROM forced_history ORDER BY entry_no;
\set VERBOSITY terse
DROP TABLE forced_history CASCADE;
\set VERBOSITY default
UPDATE forced SET stage = 'done';
SELECT align.detach('forced');
UPDATE forced SET stage = 'done';

SET client_min_messages = error;
DROP SCHEMA shapes, "shapes, moved" CASCADE;
