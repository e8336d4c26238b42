-- What cannot be attached, and why.
\set SHOW_CONTEXT never
\set VERBOSITY default
CREATE ROLE regress_align_leads;
CREATE ROLE regress_align_stranger;
CREATE SCHEMA refused AUTHORIZATION regress_align_leads;
GRANT USAGE ON SCHEMA refused TO PUBLIC;
SELECT align.agree('refused', $$
    stage new, busy held by sales; won done; lost gone;
    success path new -> busy -> done; path any -> gone;
    busy known as 'in work';
$$);
CREATE TABLE refused.leads (id int PRIMARY KEY, stage text, status text, amount money, at time, doc json, budget int);
ALTER TABLE refused.leads OWNER TO regress_align_leads;

-- Arguments.
SELECT align.attach(NULL, 'refused');
SELECT align.attach('refused.leads', NULL);
SELECT align.attach('refused.leads', 'refused', stage => NULL);
SELECT align.attach('refused.leads', 'refused', mode => NULL);
SELECT align.attach('refused.leads', 'refused', notify => NULL);
SELECT align.attach('refused.leads', 'refused', mode => 'strict');
SELECT align.attach(4294967295::oid::regclass, 'refused');

-- Rights: the table must be the caller's, and its owner admitted to the agreement.
SELECT align.attach('refused.leads', 'refused');
SELECT align.admit('refused', 'regress_align_leads');
SET ROLE regress_align_stranger;
SELECT align.attach('refused.leads', 'refused');
SELECT align.detach('refused.leads');
RESET ROLE;

-- The agreement.
SELECT align.attach('refused.leads', 'refuse');
SELECT align.attach('refused.leads', '');
SELECT align.agree('refused_later', 'stage new; won done; success path new -> done;', now() + interval '1 year') > 0 AS agreed;
\set VERBOSITY sqlstate
SELECT align.attach('refused.leads', 'refused_later');
\set VERBOSITY default

-- Kinds of tables.
CREATE TEMP TABLE brief (id int PRIMARY KEY, stage text);
SELECT align.attach('brief', 'refused');
DROP TABLE brief;
CREATE VIEW refused.v AS SELECT * FROM refused.leads;
SELECT align.attach('refused.v', 'refused');
CREATE MATERIALIZED VIEW refused.m AS SELECT * FROM refused.leads;
SELECT align.attach('refused.m', 'refused');
CREATE SEQUENCE refused.s;
SELECT align.attach('refused.s', 'refused');
CREATE FOREIGN DATA WRAPPER refused_wrapper;
CREATE SERVER refused_server FOREIGN DATA WRAPPER refused_wrapper;
CREATE FOREIGN TABLE refused.f (id int, stage text) SERVER refused_server;
SELECT align.attach('refused.f', 'refused');
SELECT align.attach('pg_catalog.pg_class', 'refused', stage => 'relname');
SELECT align.attach('align.agreement', 'refused', stage => 'note');
CREATE TABLE refused.parent (id int PRIMARY KEY, stage text);
CREATE TABLE refused.child () INHERITS (refused.parent);
SELECT align.attach('refused.parent', 'refused');
SELECT align.attach('refused.child', 'refused');
CREATE TABLE refused.with_foreign (id int, stage text) PARTITION BY LIST (id);
CREATE FOREIGN TABLE refused.with_foreign_1 PARTITION OF refused.with_foreign FOR VALUES IN (1) SERVER refused_server;
SELECT align.attach('refused.with_foreign', 'refused', key => '{id}');

-- Columns.
SELECT align.attach('refused.leads', 'refused', stage => 'stadium');
SELECT align.attach('refused.leads', 'refused', assignee => 'owner');
SELECT align.attach('refused.leads', 'refused', stage => 'ctid');
SELECT align.attach('refused.leads', 'refused', stage => 'doc');
SELECT align.attach('refused.leads', 'refused', amount => 'amount');
SELECT align.attach('refused.leads', 'refused', amount => 'status');
SELECT align.attach('refused.leads', 'refused', changed_at => 'at');
SELECT align.attach('refused.leads', 'refused', team => 'doc');

-- Keys.
CREATE TABLE refused.keys (a int, b int NOT NULL, c int NOT NULL, d point NOT NULL, stage text,
                           UNIQUE (a), UNIQUE (b, c) DEFERRABLE, e int NOT NULL);
CREATE UNIQUE INDEX ON refused.keys (e) WHERE e > 0;
SELECT align.attach('refused.keys', 'refused');
SELECT align.attach('refused.keys', 'refused', key => '{}');
SELECT align.attach('refused.keys', 'refused', key => '{a,NULL}');
SELECT align.attach('refused.keys', 'refused', key => '{b,b}');
SELECT align.attach('refused.keys', 'refused', key => '{z}');
SELECT align.attach('refused.keys', 'refused', key => '{a}');
SELECT align.attach('refused.keys', 'refused', key => '{b}');
SELECT align.attach('refused.keys', 'refused', key => '{b,c}');
SELECT align.attach('refused.keys', 'refused', key => '{e}');
SELECT align.attach('refused.keys', 'refused', key => '{d}');
SELECT align.attach('refused.keys', 'refused', key => '{a,b,c,d,e,f,g,h,i}');
CREATE TABLE refused.by_stage (id int, stage text, PRIMARY KEY (id, stage));
SELECT align.attach('refused.by_stage', 'refused');

-- Conditions: of the attachment, and of the agreement.
SELECT align.attach('refused.leads', 'refused', live => 'deleted_at IS NULL');
SELECT align.attach('refused.leads', 'refused', live => 'id');
SELECT align.attach('refused.leads', 'refused', live => 'now() > ''today''');
SELECT align.attach('refused.leads', 'refused', live => 'EXISTS (SELECT 1)');
SELECT align.agree('refused_needs', 'stage new; won done; success path new -> done; done needs phone;');
SELECT align.admit('refused_needs', 'regress_align_leads');
SELECT align.attach('refused.leads', 'refused_needs');

-- Names.
SELECT align.attach('refused.leads', 'refused', history => 'nowhere.h');
SELECT align.attach('refused.leads', 'refused', history => 'other_database.refused.h');
SELECT align.attach('refused.leads', 'refused', history => 'a.b.c.d');
SELECT align.attach('refused.leads', 'refused', history => '');
SELECT align.attach('refused.leads', 'refused', history => repeat('h', 64));
SELECT align.attach('refused.leads', 'refused', history => 'refused.' || repeat('é', 32));
SELECT align.attach('refused.leads', 'refused', history => '"' || repeat('s', 64) || '".h');
SELECT align.attach('refused.leads', 'refused', history => 'refused."' || repeat('""', 64) || '"');
SELECT align.attach('refused.leads', 'refused', history => 'refused.' || repeat('h', 59) || '_sla');
SELECT align.attach('refused.leads', 'refused', history => 'refused.leads');
SELECT align.attach('refused.leads', 'refused', history => 'refused.v');
CREATE FUNCTION refused.mine() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER align_update AFTER UPDATE ON refused.leads EXECUTE FUNCTION refused.mine();
SELECT align.attach('refused.leads', 'refused');
DROP TRIGGER align_update ON refused.leads;

-- Rows that the agreement has no place for.
INSERT INTO refused.leads VALUES (1, 'new'), (2, 'in work'), (3, 'nowhere'), (4, 'nowhere'), (5, ''), (6, NULL);
SELECT align.attach('refused.leads', 'refused');
SELECT align.attach('refused.leads', 'refused', live => 'id < 3');
-- Whose triggers, whose tables.
SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = 'refused.leads'::regclass ORDER BY 1;
SELECT relname, relowner::regrole, relacl FROM pg_class WHERE relname IN ('leads_history', 'leads_sla') AND relnamespace = 'refused'::regnamespace ORDER BY 1;
SELECT id, event, stage FROM refused.leads_history ORDER BY 1;
-- What belongs to an attachment is not attached itself.
SELECT align.attach('refused.leads_history', 'refused', mode => 'observe');
SELECT align.attach('refused.leads_sla', 'refused', stage => 'sla');
-- Nobody else gets the same history.
CREATE TABLE refused.others (id int PRIMARY KEY, stage text);
ALTER TABLE refused.others OWNER TO regress_align_leads;
SELECT align.attach('refused.others', 'refused', history => 'refused.leads_history');

-- Partitions of what is attached, and the other way round.
CREATE TABLE refused.parts (id int PRIMARY KEY, stage text) PARTITION BY RANGE (id);
CREATE TABLE refused.parts_1 PARTITION OF refused.parts FOR VALUES FROM (0) TO (10);
SELECT align.attach('refused.parts_1', 'refused');
SELECT align.attach('refused.parts', 'refused');
SELECT align.detach('refused.parts_1');
SELECT align.attach('refused.parts', 'refused');
SELECT align.attach('refused.parts_1', 'refused');
SELECT align.detach('refused.parts_1');
SELECT align.detach('refused.parts');

-- A read-only transaction.
BEGIN READ ONLY;
SELECT align.attach('refused.parts', 'refused');
ROLLBACK;
BEGIN READ ONLY;
SELECT align.detach('refused.leads');
ROLLBACK;

-- The triggers' functions are for triggers.
SELECT align.attachment();
CREATE TRIGGER by_hand AFTER INSERT ON refused.others EXECUTE FUNCTION align.attachment();
INSERT INTO refused.others VALUES (1, 'new');

SELECT align.detach('refused.leads');
SELECT align.detach('refused.leads');
SET client_min_messages = error;
DROP SCHEMA refused CASCADE;
DROP SERVER refused_server;
DROP FOREIGN DATA WRAPPER refused_wrapper;
DROP ROLE regress_align_leads, regress_align_stranger;
-- A mirror has a table, or a view, of the default name: another name is proposed, not to alter it.
CREATE SCHEMA mirror;
CREATE TABLE mirror.lead (id text PRIMARY KEY, stage text);
CREATE TABLE mirror.lead_history (id text PRIMARY KEY, lead_id text, field text, old_value text, new_value text, created_date timestamptz);
CREATE TABLE mirror.contact (id text PRIMARY KEY, stage text);
CREATE VIEW mirror.contact_history AS SELECT 1 AS id;
CREATE TABLE mirror.deal (id text PRIMARY KEY, stage text);
CREATE TABLE mirror.deal_sla (id int, name text);
SELECT align.agree('attach_refused_mirror', 'stage a; won b; success path a -> b;');
SELECT align.attach('mirror.lead', 'attach_refused_mirror');
SELECT align.attach('mirror.contact', 'attach_refused_mirror');
SELECT align.attach('mirror.deal', 'attach_refused_mirror');
SELECT align.attach('mirror.lead', 'attach_refused_mirror', history => 'mirror.another_name');
SELECT align.attach('mirror.deal', 'attach_refused_mirror', history => 'mirror.deal_moves');
SET client_min_messages = warning;
DROP SCHEMA mirror CASCADE;
