-- Row-level security on the leads, on history and on clocks: history is whole
-- whoever writes, nobody reads what policies hide, and messages tell no values.
SET TimeZone = 'UTC';
\set SHOW_CONTEXT never
CREATE ROLE regress_align_landlord;
CREATE ROLE regress_align_ann;
CREATE ROLE regress_align_bob;
CREATE SCHEMA security_rows AUTHORIZATION regress_align_landlord;
GRANT USAGE ON SCHEMA security_rows TO PUBLIC;
SELECT align.agree('security_rows', $$
	stage mql held by marketing;
	stage sal, sql held by sales;
	won customer;
	lost disqualified;
	success path mql -> sal -> sql -> customer;
	path any -> disqualified;
	handoff take_up: mql from marketing to sales, accept sal, reject disqualified with reason (poor_fit), within 2 days;
	sql needs 'budget > 10';
$$);
SELECT align.admit('security_rows', 'regress_align_landlord');
SET ROLE regress_align_landlord;
CREATE TABLE security_rows.leads (id int PRIMARY KEY, stage text, owner name, budget int, reason text);
INSERT INTO security_rows.leads VALUES (1, 'mql', 'regress_align_ann'), (2, 'mql', 'regress_align_bob'), (3, 'mql', 'regress_align_ann'), (4, 'mql', 'regress_align_bob');
GRANT SELECT, INSERT, UPDATE, DELETE ON security_rows.leads TO regress_align_ann, regress_align_bob;
CREATE POLICY own ON security_rows.leads USING (owner = current_user);
ALTER TABLE security_rows.leads ENABLE ROW LEVEL SECURITY;
-- the owner is not bound by it: all rows are there
SELECT align.attach('security_rows.leads', 'security_rows', assignee => 'owner', reason => 'reason', opened_at => 'now');
SELECT align.detach('security_rows.leads');
DROP TABLE security_rows.leads_history, security_rows.leads_sla;
-- even where he is, in all else
ALTER TABLE security_rows.leads FORCE ROW LEVEL SECURITY;
SELECT count(*) FROM security_rows.leads;
SELECT align.attach('security_rows.leads', 'security_rows', assignee => 'owner', reason => 'reason', opened_at => 'now');
SELECT id, entry_no, event, stage FROM security_rows.leads_history ORDER BY id;
-- he does not see his table any more, so neither its history; but it is whole
RESET ROLE;
SELECT id, entry_no, event, stage FROM security_rows.leads_history ORDER BY id;

-- Everybody moves what is his; no value and no key is told where policies apply.
SET ROLE regress_align_ann;
UPDATE security_rows.leads SET stage = 'sal';
UPDATE security_rows.leads SET stage = 'sql';
UPDATE security_rows.leads SET stage = 'mql' WHERE id = 1;
UPDATE security_rows.leads SET stage = 'nowhere' WHERE id = 1;
UPDATE security_rows.leads SET stage = 'sql', budget = 11 WHERE id = 3;
INSERT INTO security_rows.leads VALUES (5, 'sal', 'regress_align_ann');
SET ROLE regress_align_bob;
UPDATE security_rows.leads SET stage = 'disqualified', reason = 'my secret' WHERE id = 2;
UPDATE security_rows.leads SET owner = 'regress_align_ann' WHERE id = 2;
SELECT * FROM align.explain_move('security_rows.leads', 2, 'customer');
-- another's lead is not there for him, nor whether it is
SELECT * FROM align.explain_move('security_rows.leads', 1, 'customer');
SELECT * FROM align.explain_move('security_rows.leads', 1000, 'customer');
RESET ROLE;

-- Policies on history and clocks bind who reads, and not what is written.
ALTER TABLE security_rows.leads_history ENABLE ROW LEVEL SECURITY;
ALTER TABLE security_rows.leads_history FORCE ROW LEVEL SECURITY;
ALTER TABLE security_rows.leads_sla ENABLE ROW LEVEL SECURITY;
ALTER TABLE security_rows.leads_sla FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON security_rows.leads_history FOR SELECT USING (assignee = current_user);
CREATE POLICY own ON security_rows.leads_sla FOR SELECT USING (assignee_at_start = current_user);
GRANT SELECT ON security_rows.leads_history, security_rows.leads_sla TO regress_align_ann, regress_align_bob;
SET ROLE regress_align_bob;
UPDATE security_rows.leads SET stage = 'sal' WHERE id = 4;
SELECT id, entry_no, event, stage FROM security_rows.leads_history ORDER BY id, entry_no;
SELECT id, sla, outcome FROM security_rows.leads_sla ORDER BY id;
SELECT key, align.path(lead) FROM align.journeys('security_rows.leads') ORDER BY key;
SELECT key, sla, state FROM align.clocks('security_rows.leads') ORDER BY key;
SET ROLE regress_align_ann;
DELETE FROM security_rows.leads WHERE id = 3;
SELECT key, align.path(lead) FROM align.journeys('security_rows.leads') ORDER BY key;
SELECT key, sla, state FROM align.clocks('security_rows.leads') ORDER BY key;
RESET ROLE;
SELECT id, entry_no, event, from_stage, stage, assignee, db_role FROM security_rows.leads_history ORDER BY id, entry_no;
SELECT id, sla, cycle, assignee_at_start, outcome FROM security_rows.leads_sla ORDER BY id, cycle;
SELECT * FROM align.check('security_rows.leads');

-- A table that nobody reads in whole would be recorded in part: what the owner
-- cannot see he still has recorded, also when he attaches anew.
SET ROLE regress_align_landlord;
SELECT align.attach('security_rows.leads', 'security_rows', assignee => 'owner', reason => 'reason', mode => 'warn', opened_at => 'now');
RESET ROLE;
SELECT id, entry_no, event, stage FROM security_rows.leads_history WHERE entry_no > 2 ORDER BY id, entry_no;
SET ROLE regress_align_ann;
UPDATE security_rows.leads SET stage = 'customer' WHERE id = 1;
RESET ROLE;
SELECT * FROM align.check('security_rows.leads');

\set VERBOSITY terse
SET client_min_messages = warning;
DROP SCHEMA security_rows CASCADE;
DROP ROLE regress_align_landlord, regress_align_ann, regress_align_bob;
