-- Further attachments that are forged: by a role with TRIGGER on the table, or
-- on a table of its own.  They stop changes at most.
\set SHOW_CONTEXT never
SET TimeZone = 'UTC';
CREATE ROLE regress_align_victim;
CREATE ROLE regress_align_forger;
CREATE SCHEMA security_several;
GRANT ALL ON SCHEMA security_several TO PUBLIC;
SET search_path = security_several;
SELECT align.agree('security_several', $$
    stage new held by marketing; stage busy held by sales; won done; lost gone;
    success path new -> busy -> done; path any -> gone; entry new;
    sla answer by sales: from busy to done, gone within 2 days;
$$);
SELECT align.admit('security_several', 'regress_align_victim'), align.admit('security_several', 'regress_align_forger');
SET ROLE regress_align_victim;
CREATE TABLE leads (id int PRIMARY KEY, stage text, second text, region text);
INSERT INTO leads VALUES (1, 'new', 'new', 'emea'), (2, 'new', NULL, 'apac');
SELECT align.attach('leads', 'security_several', live => $$region = 'emea'$$);
CREATE TABLE others (id int PRIMARY KEY, stage text);
SELECT align.attach('others', 'security_several');
GRANT SELECT, UPDATE, TRIGGER, REFERENCES ON leads TO regress_align_forger;

-- Triggers of an attachment that does not exist.
SET ROLE regress_align_forger;
CREATE TRIGGER align_update_2 AFTER UPDATE ON leads FOR EACH ROW EXECUTE FUNCTION align.record_row('2');
UPDATE leads SET stage = stage WHERE id = 2;
DROP TRIGGER align_update_2 ON leads;
SET ROLE regress_align_victim;
DROP TRIGGER align_update_2 ON leads;
-- Names and numbers that do not go together.
SET ROLE regress_align_forger;
CREATE FUNCTION try(name text, arguments text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER %I AFTER UPDATE ON leads FOR EACH ROW EXECUTE FUNCTION align.record_row(%s)', name, arguments);
    UPDATE leads SET region = region WHERE id = 1;
    RAISE EXCEPTION 'not refused';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT name, arguments, try(name, arguments) FROM (VALUES ('another', ''), ('align_update_2', ''), ('align_update_3', '1'), ('align_update_1', '1'),
    ('align_update_02', '02'), ('align_update_2', '''2 '''), ('align_update_2', '2, 2'), ('align_update_0', '0'), ('align_update_2', '''x'''),
    ('align_update_-2', '''-2'''), ('align_update_2', '''''' ), ('align_update_99999999999', '99999999999')) AS v (name, arguments);

-- A second marker that names the history of the first attachment, and triggers for it.
CREATE TRIGGER align_attachment_2 AFTER UPDATE OF id, second ON leads FOR EACH STATEMENT
    WHEN ('security_several.leads_history'::regclass IS NULL AND 'security_several.leads_sla'::regclass IS NULL)
    EXECUTE FUNCTION align.attachment('security_several', 'observe', 'attachment=2', 'key', 'stage');
SELECT relation, stage, mode, history FROM align.attachments WHERE relation = 'leads'::regclass;
SET ROLE regress_align_victim;
-- by the name of the table, the one with a history that points back is meant
SELECT * FROM align.check('leads');
SELECT key, align.path(lead) FROM align.journeys('leads');
SELECT key, align.path(lead) FROM align.journeys('leads_history');
UPDATE leads SET stage = 'busy' WHERE id = 1;
SET ROLE regress_align_forger;
CREATE TRIGGER align_update_2 AFTER UPDATE ON leads FOR EACH ROW EXECUTE FUNCTION align.record_row('2');
UPDATE leads SET second = 'busy' WHERE id = 1;
UPDATE leads SET second = 'done' WHERE id = 1;
SET ROLE regress_align_victim;
SELECT id, entry_no, event, stage FROM leads_history ORDER BY 1, 2;
SELECT * FROM align.check('leads');
-- a further attachment is numbered around it
SELECT align.attach('leads', 'security_several', stage => 'second', mode => 'observe', history => 'leads_second');
SELECT relation, stage, mode, history FROM align.attachments WHERE relation = 'leads'::regclass;
SELECT problem, recorded FROM align.check('leads_second') ORDER BY recorded;
SELECT align.detach('leads_second');
-- a marker of a form that attach() does not create
SET ROLE regress_align_forger;
CREATE OR REPLACE TRIGGER align_attachment_2 AFTER UPDATE OF id, second ON leads FOR EACH STATEMENT
    WHEN ('security_several.leads_history'::regclass IS NULL AND 'security_several.leads_sla'::regclass IS NULL)
    EXECUTE FUNCTION align.attachment('security_several', 'observe', 'attachment=3', 'key', 'stage');
SET ROLE regress_align_victim;
SELECT relation, stage, mode, history FROM align.attachments WHERE relation = 'leads'::regclass;
SELECT key, align.path(lead) FROM align.journeys('leads');
-- detached by name: what was forged goes as well
BEGIN;
SELECT align.detach('leads');
SELECT tgname FROM pg_trigger WHERE tgrelid = 'leads'::regclass;
ROLLBACK;
DROP TRIGGER align_attachment_2 ON leads;
DROP TRIGGER align_update_2 ON leads;
SELECT * FROM align.check('leads');

-- The first marker is replaced by one that names another history of the owner,
-- and says that it is the second.
SET ROLE regress_align_forger;
CREATE TRIGGER align_attachment_2 AFTER UPDATE OF id, second ON leads FOR EACH STATEMENT
    WHEN ('security_several.others_history'::regclass IS NULL AND 'security_several.others_sla'::regclass IS NULL)
    EXECUTE FUNCTION align.attachment('security_several', 'observe', 'attachment=2', 'key', 'stage');
CREATE TRIGGER align_insert_2 AFTER INSERT ON leads FOR EACH ROW EXECUTE FUNCTION align.record_row('2');
SET ROLE regress_align_victim;
INSERT INTO leads VALUES (3, 'new', 'new', 'emea');
SELECT key FROM align.journeys('others_history');
SELECT align.attach('others', 'security_several');
SELECT * FROM align.check('others');
DROP TRIGGER align_insert_2 ON leads;
DROP TRIGGER align_attachment_2 ON leads;

-- Tables of the forger that claim to be its histories: pointers, and a marker.
SET ROLE regress_align_forger;
CREATE TABLE fake_history (LIKE leads_history);
SET ROLE regress_align_victim;
GRANT SELECT ON leads_history, leads_sla TO regress_align_forger;
SET ROLE regress_align_forger;
CREATE TABLE fake_history AS SELECT * FROM leads_history;
CREATE TABLE fake_sla AS SELECT * FROM leads_sla;
CREATE CONSTRAINT TRIGGER align_history_of AFTER DELETE ON fake_history FROM leads FOR EACH ROW WHEN (false)
    EXECUTE FUNCTION align.attachment('security_several', 'observe', 'attachment=2', 'key 1 id', 'stage 3 second');
CREATE CONSTRAINT TRIGGER align_history_of AFTER DELETE ON fake_sla FROM leads FOR EACH ROW WHEN (false)
    EXECUTE FUNCTION align.attachment('security_several', 'observe', 'attachment=2', 'key 1 id', 'stage 3 second');
CREATE TRIGGER align_attachment_2 AFTER UPDATE OF id, second ON leads FOR EACH STATEMENT
    WHEN ('security_several.fake_history'::regclass IS NULL AND 'security_several.fake_sla'::regclass IS NULL)
    EXECUTE FUNCTION align.attachment('security_several', 'observe', 'attachment=2', 'key', 'stage');
SELECT key FROM align.journeys('fake_history');
SELECT align.merge_leads('fake_history', 1, 2);
SELECT align.detach('fake_history');
SET ROLE regress_align_victim;
SELECT key FROM align.journeys('leads');
SELECT align.erase('fake_history', 1);
SELECT align.attach('leads', 'security_several', live => $$region = 'emea'$$);
SELECT align.detach('leads');
-- that of another role is left alone
SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE tgconstrrelid = 'leads'::regclass ORDER BY tgrelid::regclass::text COLLATE "C";
SELECT align.attach('leads', 'security_several', live => $$region = 'emea'$$);
DROP TABLE leads CASCADE;
RESET ROLE;
-- A new version of the agreement is not held up by any of them.
SET ROLE regress_align_victim;
CREATE TABLE leads (id int PRIMARY KEY, stage text, second text);
SELECT align.attach('leads', 'security_several', history => 'new_history');
GRANT TRIGGER ON leads TO regress_align_forger;
INSERT INTO leads VALUES (1, 'new', 'busy');
SET ROLE regress_align_forger;
CREATE TRIGGER align_attachment_2 AFTER UPDATE OF id, second ON leads FOR EACH STATEMENT
    WHEN ('security_several.new_history'::regclass IS NULL AND 'security_several.new_history_sla'::regclass IS NULL)
    EXECUTE FUNCTION align.attachment('security_several', 'observe', 'attachment=2', 'key', 'stage');
RESET ROLE;
SELECT align.agree('security_several', 'stage new held by marketing; won done; lost gone; success path new -> done; path any -> gone; entry new;');

SET client_min_messages = warning;
DROP SCHEMA security_several CASCADE;
SELECT align.dismiss('security_several', 'regress_align_victim'), align.dismiss('security_several', 'regress_align_forger');
DROP ROLE regress_align_victim, regress_align_forger;
