-- Whose history it is: history and clock table belong to exactly the owner of the
-- attached table and point back to it, or they are neither read nor written.  And no
-- code runs there but that of their owner and of superusers.
SET TimeZone = 'UTC';
\set SHOW_CONTEXT never
CREATE ROLE regress_align_crm;
CREATE ROLE regress_align_mal;
CREATE ROLE regress_align_heir IN ROLE regress_align_crm;
CREATE ROLE regress_align_root SUPERUSER;
CREATE SCHEMA security_history;
CREATE SCHEMA mal AUTHORIZATION regress_align_mal;
GRANT ALL ON SCHEMA security_history TO regress_align_crm, regress_align_mal, regress_align_heir;
SET search_path = security_history;
SELECT align.agree('security_history', $$
	stage mql held by marketing;
	stage sal held by sales;
	won customer;
	success path mql -> sal -> customer;
	entry mql, sal;
	handoff take_up: mql from marketing to sales, accept sal, within 2 days;
$$);
SELECT align.admit('security_history', r) FROM unnest('{regress_align_crm,regress_align_mal,regress_align_heir}'::regrole[]) AS r;
-- who acts, with what rights
CREATE FUNCTION tell(what text) RETURNS void LANGUAGE plpgsql AS
$$ BEGIN RAISE INFO '% runs as %', what, current_user; END $$;
CREATE FUNCTION mal.pwn() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM security_history.tell('planted trigger'); IF TG_LEVEL = 'ROW' AND TG_OP <> 'DELETE' THEN RETURN NEW; END IF; RETURN NULL; END $$;
ALTER FUNCTION mal.pwn() OWNER TO regress_align_mal;
CREATE FUNCTION tried(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	EXECUTE command;
	RETURN 'done: ' || command;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN format('%s %s / %s', SQLSTATE, SQLERRM, detail);
END $$;

-- A marker by hand on a table of a superuser names a history of one's own.
CREATE TABLE log (id int PRIMARY KEY, stage text);
GRANT ALL ON log TO regress_align_mal;
SET ROLE regress_align_mal;
CREATE TABLE mal.t (id int PRIMARY KEY, stage text);
SELECT align.attach('mal.t', 'security_history');
CREATE TRIGGER pwn AFTER INSERT ON mal.t_history FOR EACH STATEMENT EXECUTE FUNCTION mal.pwn();
CREATE TRIGGER align_attachment AFTER UPDATE OF id, stage ON log FOR EACH STATEMENT
	WHEN ('mal.t_history'::regclass IS NULL AND 'mal.t_sla'::regclass IS NULL)
	EXECUTE FUNCTION align.attachment('security_history', 'observe', '', 'key', 'stage');
CREATE TRIGGER align_insert AFTER INSERT ON log FOR EACH ROW EXECUTE FUNCTION align.record_row();
CREATE TRIGGER align_update AFTER UPDATE ON log FOR EACH ROW EXECUTE FUNCTION align.record_row();
CREATE TRIGGER align_delete AFTER DELETE ON log FOR EACH ROW EXECUTE FUNCTION align.record_row();
CREATE TRIGGER align_flush AFTER INSERT OR UPDATE OR DELETE ON log FOR EACH STATEMENT EXECUTE FUNCTION align.record_statement();
CREATE TRIGGER align_truncate BEFORE TRUNCATE ON log FOR EACH STATEMENT EXECUTE FUNCTION align.record_statement();
-- on his own table it runs, as himself
INSERT INTO mal.t VALUES (1, 'mql');
RESET ROLE;
INSERT INTO log VALUES (1, 'mql');
TRUNCATE log;
SELECT tried(c) FROM unnest(ARRAY[$$SELECT align.merge_leads('log', 1, 2)$$, $$SELECT align.erase('log', 1)$$, $$SELECT align.purge('log', now())$$, $$SELECT align.notify_due('log')$$,
	$$SELECT align.notify_handoffs('log')$$, $$SELECT FROM align.check('log')$$, $$SELECT FROM align.clocks('log')$$, $$SELECT FROM align.journeys('log')$$,
	$$SELECT FROM align.backtest('log', align.agreed('security_history'))$$]) AS c;
-- also where the superuser is a member of that role
GRANT regress_align_mal TO regress_align_root;
ALTER TABLE log OWNER TO regress_align_root;
INSERT INTO log VALUES (1, 'mql');
-- to detach it does no harm to the history of another
SELECT align.detach('log');
INSERT INTO log VALUES (1, 'mql');
SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE tgrelid IN ('mal.t_history'::regclass, 'mal.t_sla'::regclass) AND NOT tgisinternal ORDER BY tgrelid::regclass::text, tgname;
SELECT * FROM align.check('mal.t');

-- Tables that lie ready under the default names.
SET ROLE regress_align_mal;
CREATE TABLE leads0 (id int PRIMARY KEY, stage text);
SELECT align.attach('leads0', 'security_history', history => 'security_history.leads_history');
SELECT align.detach('leads0');
CREATE TRIGGER pwn AFTER INSERT ON leads_history FOR EACH STATEMENT EXECUTE FUNCTION mal.pwn();
ALTER TABLE leads_history_sla RENAME TO leads_sla;
CREATE TRIGGER pwn AFTER INSERT ON leads_sla FOR EACH STATEMENT EXECUTE FUNCTION mal.pwn();
RESET ROLE;
CREATE TABLE leads (id int PRIMARY KEY, stage text);
INSERT INTO leads VALUES (1, 'mql');
SELECT align.attach('leads', 'security_history');
ALTER TABLE leads OWNER TO regress_align_root;
SELECT align.attach('leads', 'security_history');
-- given to the owner of the table, their triggers are still another's
ALTER TABLE leads OWNER TO regress_align_crm;
ALTER TABLE leads_history OWNER TO regress_align_crm;
ALTER TABLE leads_sla OWNER TO regress_align_crm;
SET ROLE regress_align_crm;
SELECT align.attach('leads', 'security_history');
DROP TRIGGER pwn ON leads_history;
SELECT align.attach('leads', 'security_history');
ALTER TABLE leads_sla DISABLE TRIGGER pwn;
SELECT align.attach('leads', 'security_history');
UPDATE leads SET stage = 'sal';
SELECT * FROM align.check('leads');
-- enabled again: refused; as a function of the owner's own, or of a superuser: not
ALTER TABLE leads_sla ENABLE TRIGGER pwn;
INSERT INTO leads VALUES (2, 'mql');
SELECT tried(c) FROM unnest(ARRAY[$$SELECT align.notify_due('leads')$$, $$SELECT align.erase('leads', 7)$$, $$SELECT FROM align.check('leads')$$, $$TRUNCATE leads$$]) AS c;
RESET ROLE;
ALTER FUNCTION mal.pwn() OWNER TO regress_align_root;
INSERT INTO leads VALUES (2, 'mql');
ALTER FUNCTION mal.pwn() OWNER TO regress_align_heir;
INSERT INTO leads VALUES (3, 'mql');
GRANT USAGE, CREATE ON SCHEMA mal TO regress_align_crm;
ALTER FUNCTION mal.pwn() OWNER TO regress_align_crm;
INSERT INTO leads VALUES (3, 'mql');
SELECT * FROM align.check('leads');

-- Owned by a member of the owner role, or by a superuser, who both pass for owners.
ALTER TABLE leads_history OWNER TO regress_align_heir;
SELECT tried($$INSERT INTO leads VALUES (4, 'mql')$$);
ALTER TABLE leads_history OWNER TO regress_align_root;
SELECT tried($$INSERT INTO leads VALUES (4, 'mql')$$);
SELECT tried($$SELECT align.attach('leads', 'security_history')$$);
ALTER TABLE leads_history OWNER TO regress_align_crm;
ALTER TABLE leads_sla OWNER TO regress_align_root;
SELECT tried($$INSERT INTO leads VALUES (4, 'mql')$$);
SELECT tried($$SELECT align.attach('leads', 'security_history')$$);
ALTER TABLE leads_sla OWNER TO regress_align_crm;
INSERT INTO leads VALUES (4, 'mql');
-- the table itself given away, and its companions after it
ALTER TABLE leads OWNER TO regress_align_heir;
SELECT tried($$INSERT INTO leads VALUES (5, 'mql')$$);
ALTER TABLE leads_history OWNER TO regress_align_heir;
ALTER TABLE leads_sla OWNER TO regress_align_heir;
SELECT tried($$INSERT INTO leads VALUES (5, 'mql')$$);
ALTER FUNCTION mal.pwn() OWNER TO regress_align_root;
SELECT tried($$INSERT INTO leads VALUES (5, 'mql')$$);
SELECT * FROM align.check('leads');
-- a superuser no more
ALTER ROLE regress_align_root NOSUPERUSER;
SELECT tried($$INSERT INTO leads VALUES (6, 'mql')$$);
ALTER ROLE regress_align_root SUPERUSER;
SELECT tried($$INSERT INTO leads VALUES (6, 'mql')$$);

-- Forged through another table of the same owner, on which one has TRIGGER.
SET ROLE regress_align_heir;
CREATE TABLE scratch (id int PRIMARY KEY, st text);
GRANT ALL ON scratch TO regress_align_mal;
SET ROLE regress_align_mal;
CREATE TRIGGER align_attachment AFTER UPDATE OF id, st ON scratch FOR EACH STATEMENT
	WHEN ('security_history.leads_history'::regclass IS NULL AND 'security_history.leads_sla'::regclass IS NULL)
	EXECUTE FUNCTION align.attachment('security_history', 'enforce', '', 'key', 'stage');
CREATE TRIGGER align_insert AFTER INSERT ON scratch FOR EACH ROW EXECUTE FUNCTION align.record_row();
CREATE TRIGGER align_update AFTER UPDATE ON scratch FOR EACH ROW EXECUTE FUNCTION align.record_row();
CREATE TRIGGER align_delete AFTER DELETE ON scratch FOR EACH ROW EXECUTE FUNCTION align.record_row();
CREATE TRIGGER align_flush AFTER INSERT OR UPDATE OR DELETE ON scratch FOR EACH STATEMENT EXECUTE FUNCTION align.record_statement();
CREATE TRIGGER align_truncate BEFORE TRUNCATE ON scratch FOR EACH STATEMENT EXECUTE FUNCTION align.record_statement();
INSERT INTO scratch VALUES (1, 'mql');
INSERT INTO scratch VALUES (9, NULL);
TRUNCATE scratch;
RESET ROLE;
-- as its owner, too
SELECT tried(c) FROM unnest(ARRAY[$$INSERT INTO scratch VALUES (1, 'mql')$$, $$SELECT align.merge_leads('scratch', 1, 2)$$, $$SELECT align.erase('scratch', 99)$$, $$SELECT align.purge('scratch', now())$$,
	$$SELECT align.notify_handoffs('scratch')$$, $$SELECT FROM align.check('scratch')$$, $$SELECT FROM align.journeys('scratch')$$,
	$$SELECT align.attach('scratch', 'security_history', stage => 'st', history => 'security_history.leads_history')$$]) AS c;
-- the marker that somebody made does not stop the table whose history it is
INSERT INTO leads VALUES (7, 'mql');
SELECT align.attach('leads', 'security_history');
SELECT align.agree('security_history', align.agreed('security_history'));
-- and detached, it takes nothing along
SELECT align.detach('scratch');
SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE tgrelid IN ('leads_history'::regclass, 'leads_sla'::regclass) AND tgname LIKE 'align%' ORDER BY tgrelid::regclass::text, tgname;
SELECT * FROM align.check('leads');
SELECT id, entry_no, event, stage FROM leads_history ORDER BY id, entry_no;

-- A partitioned history: each partition is looked at, planted triggers and rules on
-- one of them included; those that are added get the guard when attached again.
GRANT SELECT ON leads_history TO regress_align_crm;
SET ROLE regress_align_crm;
CREATE TABLE deals (id int PRIMARY KEY, stage text);
CREATE TABLE deals_history (LIKE leads_history INCLUDING COMMENTS) PARTITION BY RANGE (recorded_at);
CREATE TABLE deals_history_old PARTITION OF deals_history FOR VALUES FROM (MINVALUE) TO ('2020-01-01');
CREATE TABLE deals_history_new PARTITION OF deals_history FOR VALUES FROM ('2020-01-01') TO ('2100-01-01');
SELECT align.attach('deals', 'security_history');
INSERT INTO deals VALUES (1, 'mql');
GRANT TRIGGER ON deals_history_new TO regress_align_mal;
RESET ROLE;
ALTER FUNCTION mal.pwn() OWNER TO regress_align_mal;
SET ROLE regress_align_mal;
CREATE TRIGGER pwn BEFORE INSERT ON deals_history_new FOR EACH ROW EXECUTE FUNCTION mal.pwn();
RESET ROLE;
SELECT tried($$INSERT INTO deals VALUES (2, 'mql')$$);
SELECT tried($$SELECT FROM align.check('deals')$$);
SELECT tried($$SELECT align.attach('deals', 'security_history')$$);
DROP TRIGGER pwn ON deals_history_new;
INSERT INTO deals VALUES (2, 'mql');
SELECT problem, recorded FROM align.check('deals');
-- a partition of another owner, attached later
CREATE TABLE deals_history_late (LIKE deals_history);
ALTER TABLE deals_history_late OWNER TO regress_align_mal;
ALTER TABLE deals_history ATTACH PARTITION deals_history_late FOR VALUES FROM ('2100-01-01') TO (MAXVALUE);
SELECT tried($$INSERT INTO deals VALUES (3, 'mql')$$);
SELECT tried($$SELECT align.attach('deals', 'security_history')$$);
ALTER TABLE deals_history_late OWNER TO regress_align_crm;
INSERT INTO deals VALUES (3, 'mql');
SELECT problem, recorded, expected FROM align.check('deals') ORDER BY problem, expected;
SELECT align.attach('deals', 'security_history');
SELECT problem, recorded, expected FROM align.check('deals') ORDER BY problem, expected;
SELECT tgrelid::regclass FROM pg_trigger WHERE tgname = 'align_append_only' AND tgrelid::regclass::text LIKE 'deals%' ORDER BY tgrelid::regclass::text;
CREATE RULE eat AS ON INSERT TO deals_history_new DO INSTEAD NOTHING;
SELECT tried($$INSERT INTO deals VALUES (4, 'mql')$$);
DROP RULE eat ON deals_history_new;
INSERT INTO deals VALUES (4, 'mql');

-- One clock table of two histories: each has its own, and what belongs to another
-- history is refused.
SET ROLE regress_align_crm;
CREATE TABLE shared (id int PRIMARY KEY, stage text, at timestamptz);
SELECT align.attach('shared', 'security_history', changed_at => 'at', history => 'security_history.h2');
INSERT INTO shared VALUES (1, 'mql', '2026-03-02 09:00Z');
UPDATE shared SET stage = 'sal', at = '2026-03-02 10:00Z';
SELECT align.detach('shared');
SELECT align.attach('shared', 'security_history', changed_at => 'at', history => 'security_history.h3');
SELECT history, sla FROM align.attachments WHERE relation = 'shared'::regclass;
SELECT * FROM align.check('shared');
SELECT align.detach('shared');
DROP TABLE h3_sla;
ALTER TABLE h2_sla RENAME TO h3_sla;
DELETE FROM h3;
INSERT INTO shared VALUES (2, 'mql', '2026-03-02 09:00Z');
SELECT align.attach('shared', 'security_history', changed_at => 'at', history => 'security_history.h3');
ALTER TABLE h3_sla RENAME TO h2_sla;
SELECT align.attach('shared', 'security_history', changed_at => 'at', history => 'security_history.h2');
SELECT * FROM align.check('shared');
-- the default history has the default clock table, named or not
SELECT align.detach('shared');
SELECT align.attach('shared', 'security_history', changed_at => 'at', history => 'security_history.shared_history');
SELECT history, sla FROM align.attachments WHERE relation = 'shared'::regclass;
-- empty tables that the owner made beforehand are taken
CREATE TABLE shared_too (LIKE shared INCLUDING ALL);
CREATE TABLE h4 (LIKE h2);
CREATE TABLE h4_sla (LIKE h2_sla);
SELECT align.attach('shared_too', 'security_history', changed_at => 'at', history => 'security_history.h4');
SELECT history, sla FROM align.attachments WHERE relation = 'shared_too'::regclass;
RESET ROLE;

RESET search_path;
SET client_min_messages = warning;
DROP SCHEMA security_history, mal CASCADE;
DROP ROLE regress_align_crm, regress_align_mal, regress_align_heir, regress_align_root;
