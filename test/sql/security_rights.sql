-- Rights: what a user may do who may change the leads and nothing else, one who
-- may do nothing, one who owns the table and not the agreement, members of one
-- team, and who may override.
SET TimeZone = 'UTC';
\set SHOW_CONTEXT never
CREATE ROLE regress_align_signer;
CREATE ROLE regress_align_landlord;
CREATE ROLE regress_align_clerk;
CREATE ROLE regress_align_blind;
CREATE ROLE regress_align_nothing;
CREATE ROLE regress_align_boss;
CREATE ROLE regress_align_marketing;
CREATE ROLE regress_align_sales;
CREATE ROLE regress_align_mary IN ROLE regress_align_marketing;
CREATE ROLE regress_align_sam IN ROLE regress_align_sales;
CREATE SCHEMA security_rights AUTHORIZATION regress_align_landlord;
GRANT USAGE ON SCHEMA security_rights TO PUBLIC;

SET ROLE regress_align_signer;
SELECT align.agree('security_rights', $$
	stage mql held by marketing;
	stage sal, sql held by sales;
	stage nurture held by marketing;
	won customer;
	lost disqualified;
	entry mql;
	success path mql -> sal -> sql -> customer;
	path mql, sal, sql -> nurture -> mql;
	path any -> disqualified;
	handoff take_up: mql from marketing to sales, accept sal, reject nurture with reason (poor_fit), within 2 days;
	sql needs budget;
$$);

-- The owner of the table attaches it to an agreement that is not his, once he is
-- admitted.
SELECT align.admit('security_rights', 'regress_align_landlord');
SET ROLE regress_align_landlord;
CREATE TABLE security_rights.leads (id bigint PRIMARY KEY, stage text, reason text, owner text, budget int, secret text);
INSERT INTO security_rights.leads SELECT i, 'mql', NULL, 'ann', 100, 'hidden' FROM generate_series(1, 20) AS i;
SELECT align.attach('security_rights.leads', 'security_rights', reason => 'reason', assignee => 'owner', opened_at => 'now');
SELECT align.agree('security_rights', 'stage one; won deal; success path one -> deal;');
SELECT relname, relowner::regrole, relacl FROM pg_class WHERE relnamespace = 'security_rights'::regnamespace AND relkind = 'r' ORDER BY relname;
GRANT SELECT (id, stage), UPDATE (stage, id) ON security_rights.leads TO regress_align_clerk;
GRANT UPDATE (stage) ON security_rights.leads TO regress_align_blind;
GRANT SELECT, INSERT, UPDATE, DELETE ON security_rights.leads TO regress_align_boss, regress_align_marketing, regress_align_sales;

-- Changes are recorded, and who made them.
SET ROLE regress_align_clerk;
UPDATE security_rights.leads SET stage = 'sal' WHERE id = 1;
UPDATE security_rights.leads SET stage = 'disqualified' WHERE id IN (2, 3);
UPDATE security_rights.leads SET id = 30 WHERE id = 3;
SELECT current_user;
-- key and stage are his to see
UPDATE security_rights.leads SET stage = 'customer' WHERE id = 1;
SELECT current_user;

-- One who may not read the key is not told it.
SET ROLE regress_align_blind;
UPDATE security_rights.leads SET stage = 'sql';
UPDATE security_rights.leads SET stage = 'nowhere';
SELECT current_user;
RESET ROLE;
SELECT id, entry_no, event, from_stage, stage, db_role, note FROM security_rights.leads_history WHERE entry_no > 1 ORDER BY id, entry_no;
SELECT id, sla, cycle, outcome FROM security_rights.leads_sla WHERE id IN (1, 2, 3, 30) ORDER BY id, cycle;
SELECT * FROM align.check('security_rights.leads');

-- He may neither read nor write what is recorded.
SET ROLE regress_align_clerk;
SELECT count(*) FROM security_rights.leads_history;
INSERT INTO security_rights.leads_history SELECT 1;
UPDATE security_rights.leads_history SET stage = 'customer';
DELETE FROM security_rights.leads_history;
TRUNCATE security_rights.leads_history;
COPY security_rights.leads_history TO stdout;
MERGE INTO security_rights.leads_history h USING (SELECT 1 AS id) s ON h.id = s.id WHEN MATCHED THEN DELETE;
DROP TABLE security_rights.leads_history;
ALTER TABLE security_rights.leads_history DISABLE TRIGGER ALL;
CREATE RULE mine AS ON INSERT TO security_rights.leads_history DO INSTEAD NOTHING;
SELECT count(*) FROM security_rights.leads_sla;
UPDATE security_rights.leads_sla SET outcome = 'met';
DELETE FROM security_rights.leads_sla;
TRUNCATE security_rights.leads_sla;

-- Nor ask what is told from it, nor change what is attached.
SELECT * FROM align.check('security_rights.leads');
SELECT * FROM align.journeys('security_rights.leads');
SELECT * FROM align.clocks('security_rights.leads');
SELECT * FROM align.explain_move('security_rights.leads', 1, 'sql');
SELECT * FROM align.backtest('security_rights.leads'::regclass, align.agreed('security_rights'));
SELECT align.notify_handoffs('security_rights.leads');
SELECT align.notify_due('security_rights.leads');
SELECT align.merge_leads('security_rights.leads', 1, 2);
SELECT align.erase('security_rights.leads', 1);
SELECT align.detach('security_rights.leads');
SELECT align.attach('security_rights.leads', 'security_rights', mode => 'observe', opened_at => 'now');
SELECT align.agree('security_rights', 'stage one; won deal; success path one -> deal;');
DROP TRIGGER align_update ON security_rights.leads;
ALTER TABLE security_rights.leads DISABLE TRIGGER ALL;
SET session_replication_role = replica;
SET align.override = 'because';
SELECT current_user;

-- One without any right.
SET ROLE regress_align_nothing;
UPDATE security_rights.leads SET stage = 'sal' WHERE id = 4;
SELECT * FROM align.check('security_rights.leads');
SELECT * FROM align.journeys('security_rights.leads');
SELECT * FROM align.clocks('security_rights.leads');
SELECT * FROM align.explain_move('security_rights.leads', 1, 'sql');
SELECT * FROM align.backtest('security_rights.leads'::regclass, align.agreed('security_rights'));
SELECT align.erase('security_rights.leads', 1);
SELECT relation, agreement, mode, history FROM align.attachments WHERE relation = 'security_rights.leads'::regclass;

-- The owner may read; to change what happened he has to take the lock off first.
SET ROLE regress_align_landlord;
SELECT count(*) FROM security_rights.leads_history;
INSERT INTO security_rights.leads_history SELECT * FROM security_rights.leads_history LIMIT 1;
UPDATE security_rights.leads_history SET stage = 'customer';
DELETE FROM security_rights.leads_history;
TRUNCATE security_rights.leads_history;
UPDATE security_rights.leads_sla SET outcome = 'met';
DELETE FROM security_rights.leads_sla;
TRUNCATE security_rights.leads_sla;
GRANT ALL ON security_rights.leads_history, security_rights.leads_sla TO regress_align_boss;
SET ROLE regress_align_boss;
DELETE FROM security_rights.leads_history;
UPDATE security_rights.leads_sla SET outcome = 'met';
-- also from within a statement that writes leads
WITH moved AS (UPDATE security_rights.leads SET stage = 'sal' WHERE id = 5 RETURNING id)
DELETE FROM security_rights.leads_history WHERE id = 5;
WITH moved AS (UPDATE security_rights.leads SET stage = 'sal' WHERE id = 5 RETURNING id)
UPDATE security_rights.leads_sla SET outcome = 'met';
SET ROLE regress_align_landlord;
REVOKE ALL ON security_rights.leads_history, security_rights.leads_sla FROM regress_align_boss;

-- A trigger of the owner's that writes history while leads are written.
CREATE FUNCTION security_rights.meddle() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN DELETE FROM security_rights.leads_history; RETURN NULL; END $$;
CREATE TRIGGER a_first AFTER UPDATE ON security_rights.leads FOR EACH ROW EXECUTE FUNCTION security_rights.meddle();
UPDATE security_rights.leads SET stage = 'sal' WHERE id = 5;
DROP TRIGGER a_first ON security_rights.leads;
CREATE TRIGGER z_last AFTER UPDATE ON security_rights.leads FOR EACH STATEMENT EXECUTE FUNCTION security_rights.meddle();
UPDATE security_rights.leads SET stage = 'sal' WHERE id = 5;
DROP TRIGGER z_last ON security_rights.leads;

-- The role that did it is the one outside of functions that lend rights; after
-- SET ROLE the role that was set.
CREATE FUNCTION security_rights.take(lead bigint) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
	AS $$ UPDATE security_rights.leads SET stage = 'sal' WHERE id = $1 $$;
SET ROLE regress_align_nothing;
SELECT security_rights.take(6);
RESET ROLE;
SET SESSION AUTHORIZATION regress_align_landlord;
UPDATE security_rights.leads SET stage = 'sal' WHERE id = 7;
RESET SESSION AUTHORIZATION;
SELECT id, db_role FROM security_rights.leads_history WHERE id IN (6, 7) AND event = 'move' ORDER BY id;

-- Teams: only the one that hands over and the one that takes over may.
SET ROLE regress_align_signer;
SELECT align.assign_team('security_rights', 'marketing', 'regress_align_marketing');
SELECT align.assign_team('security_rights', 'sales', 'regress_align_sales');
SET ROLE regress_align_mary;
UPDATE security_rights.leads SET stage = 'sal' WHERE id = 8;
UPDATE security_rights.leads SET stage = 'sql' WHERE id = 8;
INSERT INTO security_rights.leads (id, stage) VALUES (40, 'mql');
SET ROLE regress_align_sam;
UPDATE security_rights.leads SET stage = 'sql' WHERE id = 8;
-- sales answers a handoff; who brings leads in is a matter of the right to INSERT
UPDATE security_rights.leads SET stage = 'nurture', reason = 'poor_fit' WHERE id = 9;
INSERT INTO security_rights.leads (id, stage) VALUES (41, 'mql');
UPDATE security_rights.leads SET stage = 'mql' WHERE id = 9;
SET ROLE regress_align_boss;
UPDATE security_rights.leads SET stage = 'sal' WHERE id = 10;
-- one's own saying so is no evidence
UPDATE security_rights.leads SET stage = 'sal', owner = 'regress_align_sam' WHERE id = 10;
-- by a function that lends the rights of a member, or is called by one
SET ROLE regress_align_landlord;
CREATE FUNCTION security_rights.lend(lead bigint, new_stage text) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
	AS $$ UPDATE security_rights.leads SET stage = $2 WHERE id = $1 $$;
SET ROLE regress_align_boss;
SELECT security_rights.lend(11, 'sal');
SET ROLE regress_align_sam;
SELECT security_rights.lend(11, 'sal');
RESET ROLE;
GRANT ALL ON SCHEMA security_rights TO regress_align_sales;
ALTER FUNCTION security_rights.lend OWNER TO regress_align_sales;
SET ROLE regress_align_boss;
SELECT security_rights.lend(18, 'sal');
RESET ROLE;
UPDATE security_rights.leads SET stage = 'sal' WHERE id = 12;
SELECT id, event, stage, team, db_role = current_user AS ours, violation FROM security_rights.leads_history WHERE id IN (11, 12, 18) AND entry_no > 1 ORDER BY id, entry_no;

-- The override: for those whom SET on the parameter is granted.
GRANT SET ON PARAMETER align.override TO regress_align_boss;
SET ROLE regress_align_boss;
BEGIN;
SET LOCAL align.override = 'the chief said so';
UPDATE security_rights.leads SET stage = 'customer' WHERE id = 13;
COMMIT;
UPDATE security_rights.leads SET stage = 'customer' WHERE id = 14;
SET ROLE regress_align_clerk;
SET align.override = 'mine';
BEGIN;
SET LOCAL align.override = 'mine';
ROLLBACK;
SELECT set_config('align.override', 'mine', true);
ALTER ROLE regress_align_clerk SET align.override = 'mine';
-- a function of one who may, with the setting, is that one's responsibility
SET ROLE regress_align_boss;
CREATE FUNCTION pg_temp.overriding(lead bigint) RETURNS void LANGUAGE sql SECURITY DEFINER SET align.override = 'by function'
	AS $$ UPDATE security_rights.leads SET stage = 'customer' WHERE id = $1 $$;
SET ROLE regress_align_nothing;
SELECT pg_temp.overriding(19);
SET ROLE regress_align_clerk;
CREATE FUNCTION pg_temp.no_better(lead bigint) RETURNS void LANGUAGE sql SET align.override = 'by function'
	AS $$ UPDATE security_rights.leads SET stage = 'customer' WHERE id = $1 $$;
SELECT pg_temp.no_better(20);
RESET ROLE;
SELECT id, event, from_stage, stage, db_role, note, violation FROM security_rights.leads_history WHERE event = 'override' ORDER BY id;

-- Nothing is different before the library is loaded.
SET align.override = '';
\connect -
SET TimeZone = 'UTC';
\set SHOW_CONTEXT never
SET ROLE regress_align_clerk;
SET align.override = 'not loaded yet';
UPDATE security_rights.leads SET stage = 'customer' WHERE id = 15;
\connect -
SET TimeZone = 'UTC';
\set SHOW_CONTEXT never
SET ROLE regress_align_clerk;
BEGIN;
SET LOCAL align.override = 'not loaded yet';
UPDATE security_rights.leads SET stage = 'customer' WHERE id = 15;
ROLLBACK;
\connect -
SET TimeZone = 'UTC';
\set SHOW_CONTEXT never
SET ROLE regress_align_boss;
BEGIN;
SET LOCAL align.override = 'not loaded yet, but granted';
UPDATE security_rights.leads SET stage = 'customer' WHERE id = 16;
COMMIT;
RESET ROLE;
SELECT id, event, from_stage, stage, db_role, note, violation FROM security_rights.leads_history WHERE event = 'override' ORDER BY id;
SELECT * FROM align.check('security_rights.leads');

-- Owners change: so does who writes.
CREATE ROLE regress_align_heir;
GRANT ALL ON SCHEMA security_rights TO regress_align_heir;
ALTER TABLE security_rights.leads OWNER TO regress_align_heir;
SET ROLE regress_align_sam;
UPDATE security_rights.leads SET stage = 'sal' WHERE id = 17;
RESET ROLE;
ALTER TABLE security_rights.leads_history OWNER TO regress_align_heir;
ALTER TABLE security_rights.leads_sla OWNER TO regress_align_heir;
SET ROLE regress_align_sam;
UPDATE security_rights.leads SET stage = 'sal' WHERE id = 17;
RESET ROLE;
SELECT id, event, stage, db_role FROM security_rights.leads_history WHERE id = 17 ORDER BY entry_no;
SELECT * FROM align.check('security_rights.leads');

\set VERBOSITY terse
SET client_min_messages = warning;
DROP SCHEMA security_rights CASCADE;
REVOKE SET ON PARAMETER align.override FROM regress_align_boss;
SELECT align.assign_team('security_rights', 'marketing', NULL), align.assign_team('security_rights', 'sales', NULL);
SELECT align.set_agreement_owner('security_rights', current_user::regrole) > 0 AS given;
DROP ROLE regress_align_signer, regress_align_landlord, regress_align_clerk, regress_align_blind, regress_align_nothing, regress_align_boss,
	regress_align_marketing, regress_align_sales, regress_align_mary, regress_align_sam, regress_align_heir;
