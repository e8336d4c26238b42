-- Names that mean harm, of everything that has one: schema, table, columns,
-- agreement, stages, labels, service levels, teams, reasons, roles.
SET TimeZone = 'UTC';
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE TABLE canary (alive boolean);
INSERT INTO canary VALUES (true);
CREATE ROLE "regress_align_a""b'; drop table canary; --";

-- One of them everywhere.
SELECT align.agree($n$a"b'; drop table canary; -- $1 %s \ {}$n$, $d$
	stage "a""b'; drop table canary; --" held by "it's $1";
	stage "$1" held by "$body$";
	stage "%s \" held by "$body$";
	won "{won}";
	lost "漏斗 ""é""";
	success path "a""b'; drop table canary; --" -> "$1" -> "{won}";
	path "$1" -> "%s \" -> "$1";
	path any -> "漏斗 ""é""";
	handoff "h'""; drop table canary; --": "a""b'; drop table canary; --" from "it's $1" to "$body$", accept "$1", reject "漏斗 ""é""" with reason ("r'""; drop table canary; --"), within 2 days;
	"$1" needs "c""o'l; drop table canary; --";
	"%s \" needs '"c""o''l; drop table canary; --" <> ''''''; drop table canary; --''';
	"$1" known as 'x''"; drop table canary; --', '$2';
$d$) AS version \gset

CREATE SCHEMA "s""c'; drop table canary; --";
CREATE TABLE "s""c'; drop table canary; --"."t""a'; drop table canary; --"
(
	"i""d'; drop table canary; --" text,
	"$1" int,
	"st""a'; drop table canary; --" text,
	"c""o'l; drop table canary; --" text,
	"re""a'; drop table canary; --" text,
	"%s" text,
	PRIMARY KEY ("i""d'; drop table canary; --", "$1")
);
SET search_path = "s""c'; drop table canary; --", public;
ALTER TABLE "t""a'; drop table canary; --" OWNER TO "regress_align_a""b'; drop table canary; --";
SELECT align.admit($n$a"b'; drop table canary; -- $1 %s \ {}$n$, quote_ident($r$regress_align_a"b'; drop table canary; --$r$)::regrole);
SELECT role, role_name FROM align.admissions WHERE role_name LIKE '%canary%';
SELECT align.dismiss($n$a"b'; drop table canary; -- $1 %s \ {}$n$, quote_ident($r$regress_align_a"b'; drop table canary; --$r$));
SELECT align.admit($n$a"b'; drop table canary; -- $1 %s \ {}$n$, quote_ident($r$regress_align_a"b'; drop table canary; --$r$)::regrole);
GRANT ALL ON SCHEMA "s""c'; drop table canary; --" TO "regress_align_a""b'; drop table canary; --";
\set t '"s""c''; drop table canary; --"."t""a''; drop table canary; --"'
\set tl '$$"s""c''; drop table canary; --"."t""a''; drop table canary; --"$$'
INSERT INTO :t VALUES ('k''"; drop table canary; --', 1, 'a"b''; drop table canary; --');
SET ROLE "regress_align_a""b'; drop table canary; --";
SELECT align.attach(:tl, $n$a"b'; drop table canary; -- $1 %s \ {}$n$, stage => 'st"a''; drop table canary; --', reason => 're"a''; drop table canary; --',
	assignee => '%s', history => 'mine'';--');
-- (the hint lists agreements of other tests)
\set VERBOSITY terse
SELECT align.attach(:tl, 'b2b''; drop table canary; --', stage => 'st"a''; drop table canary; --', opened_at => 'now');
\set VERBOSITY default
SELECT align.attach(:tl, $n$a"b'; drop table canary; -- $1 %s \ {}$n$, stage => 'st"a''; drop table canary; --', mode => 'x''; drop table canary; --', opened_at => 'now');
SELECT align.attach(:tl, $n$a"b'; drop table canary; -- $1 %s \ {}$n$, stage => 'no''"; drop table canary; --', opened_at => 'now');
SELECT align.attach(:tl, $n$a"b'; drop table canary; -- $1 %s \ {}$n$, stage => 'st"a''; drop table canary; --', reason => 're"a''; drop table canary; --',
	assignee => '%s', live => '"%s" IS DISTINCT FROM ''it''''s dead, "$1"''');
\x on
SELECT * FROM align.attachments WHERE agreement LIKE 'a"b%';
\x off
UPDATE :t SET "st""a'; drop table canary; --" = '$2', "c""o'l; drop table canary; --" = 'x';
UPDATE :t SET "st""a'; drop table canary; --" = '%s \';
UPDATE :t SET "st""a'; drop table canary; --" = 'x''"; drop table canary; --';
UPDATE :t SET "%s" = E'\\''"; drop table canary; --', "$1" = 2;
INSERT INTO :t VALUES (E'\\''"{}%s$1', -7, 'a"b''; drop table canary; --');
DELETE FROM :t WHERE "$1" = -7;
-- refused, in words
UPDATE :t SET "st""a'; drop table canary; --" = '{won}, $1';
UPDATE :t SET "st""a'; drop table canary; --" = 'a"b''; drop table canary; --';
UPDATE :t SET "st""a'; drop table canary; --" = '%s \', "c""o'l; drop table canary; --" = '''; drop table canary; --';
INSERT INTO :t VALUES ('rejected', 3, 'a"b''; drop table canary; --');
UPDATE :t SET "st""a'; drop table canary; --" = '漏斗 "é"' WHERE "$1" = 3;
UPDATE :t SET "st""a'; drop table canary; --" = '漏斗 "é"', "re""a'; drop table canary; --" = 'none of them''" %s $1' WHERE "$1" = 3;
UPDATE :t SET "st""a'; drop table canary; --" = '漏斗 "é"', "re""a'; drop table canary; --" = 'r''"; drop table canary; --' WHERE "$1" = 3;
SELECT * FROM align.explain_move(:tl, '{"$1": 2, "i\"d''; drop table canary; --": "k''\"; drop table canary; --"}'::jsonb, 'a"b''; drop table canary; --');
SELECT key, align.path(lead) FROM align.journeys(:tl) ORDER BY 1;
SELECT key, sla, team, state FROM align.clocks(:tl);
SELECT "i""d'; drop table canary; --" AS id, "$1", entry_no, event, from_stage, stage, from_team, team, assignee, db_role, reason, note, violation
FROM "mine';--" ORDER BY 1, entry_no, 2;
SELECT sla, team, outcome FROM "mine';--_sla" ORDER BY 1;
SELECT align.notify_handoffs(:tl), align.notify_due(:tl);
INSERT INTO :t VALUES ('other', 0, 'a"b''; drop table canary; --');
DELETE FROM :t WHERE "$1" = 2;
SELECT align.merge_leads(:tl, '{"$1": 2, "i\"d''; drop table canary; --": "k''\"; drop table canary; --"}'::jsonb, ROW('other', 0)) > 0 AS merged;
SELECT align.erase(:tl, ROW('other', 0)) > 0 AS erased;
SELECT * FROM align.check(:tl);
TRUNCATE :t;
SELECT * FROM align.check(:tl);

-- Renamed to worse.
ALTER TABLE :t RENAME COLUMN "st""a'; drop table canary; --" TO "');drop table canary;--";
ALTER TABLE "mine';--" RENAME TO "$h$";
RESET ROLE;
ALTER SCHEMA "s""c'; drop table canary; --" RENAME TO "pg""temp;--";
SET ROLE "regress_align_a""b'; drop table canary; --";
\set t '"pg""temp;--"."t""a''; drop table canary; --"'
\set tl '$$"pg""temp;--"."t""a''; drop table canary; --"$$'
INSERT INTO :t VALUES ('after', 0, 'a"b''; drop table canary; --');
UPDATE :t SET "');drop table canary;--" = '$1', "c""o'l; drop table canary; --" = '-';
SELECT * FROM align.check(:tl);
SELECT align.detach(:tl);
RESET ROLE;
RESET search_path;
SELECT * FROM canary;

-- As long as names can be, in bytes of more than one each.
SELECT align.agree(repeat('é', 31), format('stage %I held by %I; won %I; success path %1$I -> %3$I; sla %I by %2$I: from %1$I to %3$I within 2 days;',
	repeat('漏', 20), repeat('斗', 20), repeat('w', 63), repeat('s', 63))) AS version \gset
SELECT format('CREATE TABLE %I (%I int PRIMARY KEY, %I text)', repeat('t', 63), repeat('é', 31), repeat('ü', 31)) \gexec
SELECT format('INSERT INTO %I VALUES (1, %L)', repeat('t', 63), repeat('漏', 20)) \gexec
SELECT align.attach(repeat('t', 63), repeat('é', 31), stage => repeat('ü', 31));
SELECT history, sla FROM align.attachments WHERE agreement = repeat('é', 31);
SELECT format('UPDATE %I SET %I = %L', repeat('t', 63), repeat('ü', 31), repeat('w', 63)) \gexec
SELECT format('UPDATE %I SET %I = %L', repeat('t', 63), repeat('ü', 31), repeat('x', 100)) \gexec
SELECT * FROM align.check(repeat('t', 63));
-- a second table whose history would be called the same
SELECT format('CREATE TABLE %I (%I int PRIMARY KEY, %I text)', repeat('t', 62) || 'u', repeat('é', 31), repeat('ü', 31)) \gexec
SELECT align.attach(repeat('t', 62) || 'u', repeat('é', 31), stage => repeat('ü', 31));
SELECT history, sla FROM align.attachments WHERE agreement = repeat('é', 31) ORDER BY relation::text;
SELECT format('DROP TABLE %s, %s, %s', relation, history, sla) FROM align.attachments WHERE agreement = repeat('é', 31) \gexec

-- Key columns called like align's own.
CREATE TABLE clash (stage text, entry_no int, recorded_at timestamptz, sla int, key_stage int, version text, PRIMARY KEY (entry_no, sla, recorded_at, version));
SELECT align.agree('security_names', 'stage mql held by marketing; stage sal held by sales; won deal; success path mql -> sal -> deal; handoff h: mql from marketing to sales, accept sal, within 2 days;') AS version \gset
INSERT INTO clash VALUES ('mql', 1, '2026-01-01 00:00+00', 2, 3, 'v');
SELECT align.attach('clash', 'security_names', opened_at => 'now');
UPDATE clash SET stage = 'sal';
UPDATE clash SET version = 'w';
SELECT attname FROM pg_attribute WHERE attrelid = 'clash_history'::regclass AND attnum BETWEEN 1 AND 5 ORDER BY attnum;
SELECT attname FROM pg_attribute WHERE attrelid = 'clash_sla'::regclass AND attnum BETWEEN 1 AND 5 ORDER BY attnum;
SELECT key FROM align.journeys('clash');
SELECT * FROM align.check('clash');
SELECT align.erase('clash', ROW(1, 2, timestamptz '2026-01-01 00:00+00', 'w')) > 0 AS erased;
DROP TABLE clash, clash_history, clash_sla;

-- Names that are commands of their own to those who paste them.
CREATE TABLE "select" ("table" int PRIMARY KEY, "new" text, "old" text, "user" text);
INSERT INTO "select" VALUES (1, 'mql', 'x', 'y');
SELECT align.attach('"select"', 'security_names', stage => 'new', assignee => 'user', note => 'old', opened_at => 'now');
UPDATE "select" SET "new" = 'sal', "user" = 'z';
SELECT "table", entry_no, stage, assignee, note FROM select_history ORDER BY entry_no;
SELECT * FROM align.check('"select"');
DROP TABLE "select", select_history, select_sla;

SELECT * FROM canary;
DROP SCHEMA "pg""temp;--" CASCADE;
DROP TABLE canary;
DROP ROLE "regress_align_a""b'; drop table canary; --";
