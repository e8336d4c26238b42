-- What the owner's own triggers or rules keep from being written is an error for every
-- kind of write: here marks of announcements, erasures, purges and merges.  Rules are refused,
-- and constraints of the owner hold.
SET TimeZone = 'UTC';
\set SHOW_CONTEXT never
CREATE SCHEMA security_swallowed;
SET search_path = security_swallowed;
SELECT align.agree('security_swallowed', $$
	stage mql held by marketing;
	stage sal held by sales;
	stage waiting held by sales;
	won customer;
	success path mql -> sal -> customer;
	path sal -> waiting -> sal;
	entry mql, sal;
	handoff take_up: mql from marketing to sales, accept sal, within 1 hours;
	sla qualify by sales: from sal to customer within 2 days, pause waiting;
$$);
CREATE TABLE leads (id int PRIMARY KEY, stage text, owner text, at timestamptz);
SELECT align.attach('leads', 'security_swallowed', assignee => 'owner', changed_at => 'at');
INSERT INTO leads SELECT g, 'mql', 'ann', '2025-01-01 00:00Z' FROM generate_series(1, 12) AS g;
UPDATE leads SET stage = 'sal', at = '2025-01-01 00:30Z' WHERE id > 8;
-- two that are gone, one odd, one even
DELETE FROM leads WHERE id IN (11, 12);
CREATE FUNCTION eat() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	-- TG_ARGV: what is let through all the same
	IF TG_NARGS = 1 AND TG_ARGV[0] = 'odd' AND (CASE WHEN TG_OP = 'DELETE' THEN OLD.id ELSE NEW.id END) % 2 = 1 THEN
		RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
	END IF;
	RETURN NULL;
END $$;
-- marks of announcements
\set eat 'BEGIN; CREATE TRIGGER eat BEFORE UPDATE ON leads_sla FOR EACH ROW EXECUTE FUNCTION eat();'
:eat SELECT align.notify_due('leads'); ROLLBACK;
\set eat 'BEGIN; CREATE TRIGGER eat BEFORE UPDATE ON leads_sla FOR EACH ROW EXECUTE FUNCTION eat(''odd'');'
:eat SELECT align.notify_due('leads'); ROLLBACK;
\set eat 'BEGIN; CREATE TRIGGER eat BEFORE DELETE ON leads_sla FOR EACH ROW EXECUTE FUNCTION eat();'
:eat DELETE FROM leads WHERE id = 1; SELECT align.erase('leads', 1); ROLLBACK;
:eat SELECT align.purge('leads', now()); ROLLBACK;
\set eat 'BEGIN; CREATE TRIGGER eat BEFORE DELETE ON leads_sla FOR EACH ROW EXECUTE FUNCTION eat(''odd'');'
:eat SELECT align.purge('leads', now()); ROLLBACK;
\set eat 'BEGIN; CREATE TRIGGER eat BEFORE UPDATE ON leads_history FOR EACH ROW EXECUTE FUNCTION eat();'
:eat SELECT align.notify_handoffs('leads'); ROLLBACK;
\set eat 'BEGIN; CREATE TRIGGER eat BEFORE UPDATE ON leads_history FOR EACH ROW EXECUTE FUNCTION eat(''odd'');'
:eat SELECT align.notify_handoffs('leads'); ROLLBACK;
-- erasing and purging
\set eat 'BEGIN; CREATE TRIGGER eat BEFORE DELETE ON leads_history FOR EACH ROW EXECUTE FUNCTION eat();'
:eat DELETE FROM leads WHERE id IN (1, 2); SELECT align.erase('leads', 1); ROLLBACK;
:eat SELECT align.purge('leads', now()); ROLLBACK;
\set eat 'BEGIN; CREATE TRIGGER eat BEFORE DELETE ON leads_history FOR EACH ROW EXECUTE FUNCTION eat(''odd'');'
:eat DELETE FROM leads WHERE id IN (1, 2); SELECT align.erase('leads', 2); ROLLBACK;
:eat DELETE FROM leads WHERE id IN (1, 2); SELECT align.erase('leads', 1); ROLLBACK;
:eat SELECT align.purge('leads', now()); ROLLBACK;
-- mentions in others' entries that an erasure would have to change
\set eat 'BEGIN; CREATE TRIGGER eat BEFORE UPDATE ON leads_history FOR EACH ROW WHEN (old.event = ''rekey'') EXECUTE FUNCTION eat();'
:eat SELECT align.merge_leads('leads', 3, 4) > 0 AS merged; DELETE FROM leads WHERE id = 3; SELECT align.erase('leads', 3); ROLLBACK;
\set eat 'BEGIN; CREATE TRIGGER eat BEFORE UPDATE ON leads_history FOR EACH ROW WHEN (new.source = ''merged'') EXECUTE FUNCTION eat();'
:eat SELECT align.merge_leads('leads', 3, 4) > 0 AS merged; DELETE FROM leads WHERE id = 3; SELECT align.erase('leads', 3); ROLLBACK;
-- merging: entries, clocks, entries about the merge
\set eat 'BEGIN; CREATE TRIGGER eat BEFORE UPDATE ON leads_history FOR EACH ROW EXECUTE FUNCTION eat();'
:eat SELECT align.merge_leads('leads', 1, 2); ROLLBACK;
\set eat 'BEGIN; CREATE TRIGGER eat BEFORE UPDATE ON leads_history FOR EACH ROW WHEN (old.entry_no = 2) EXECUTE FUNCTION eat();'
:eat SELECT align.merge_leads('leads', 10, 9); ROLLBACK;
\set eat 'BEGIN; CREATE TRIGGER eat BEFORE UPDATE ON leads_sla FOR EACH ROW WHEN (old.id = 1) EXECUTE FUNCTION eat();'
:eat SELECT align.merge_leads('leads', 1, 2); ROLLBACK;
\set eat 'BEGIN; CREATE TRIGGER eat BEFORE INSERT ON leads_history FOR EACH ROW EXECUTE FUNCTION eat();'
:eat SELECT align.merge_leads('leads', 1, 2); ROLLBACK;
\set eat 'BEGIN; CREATE TRIGGER eat BEFORE INSERT ON leads_history FOR EACH ROW WHEN (new.id = 1) EXECUTE FUNCTION eat();'
:eat SELECT align.merge_leads('leads', 1, 2); ROLLBACK;
CREATE TABLE fresh (id int PRIMARY KEY, stage text);
CREATE TABLE fresh_history (LIKE leads_history);
CREATE TABLE fresh_sla (LIKE leads_sla);
-- rules are refused, whatever they do
\set eat 'BEGIN; CREATE RULE r AS ON INSERT TO leads_history WHERE NEW.id = 5 DO INSTEAD NOTHING;'
:eat UPDATE leads SET stage = 'sal' WHERE id IN (5, 6); ROLLBACK;
:eat SELECT align.erase('leads', 99); ROLLBACK;
:eat SELECT FROM align.check('leads'); ROLLBACK;
:eat SELECT align.attach('leads', 'security_swallowed', assignee => 'owner', changed_at => 'at'); ROLLBACK;
\set eat 'BEGIN; CREATE RULE r AS ON UPDATE TO leads_sla DO ALSO NOTIFY x;'
:eat UPDATE leads SET stage = 'sal' WHERE id = 6; ROLLBACK;
:eat SELECT align.notify_due('leads'); ROLLBACK;
\set eat 'BEGIN; CREATE RULE r AS ON DELETE TO leads_sla DO INSTEAD NOTHING;'
:eat UPDATE leads SET stage = 'sal' WHERE id = 6; ROLLBACK;
:eat SELECT align.purge('leads', now()); ROLLBACK;
\set eat 'BEGIN; CREATE RULE r AS ON INSERT TO fresh_sla DO INSTEAD NOTHING;'
:eat SELECT align.attach('fresh', 'security_swallowed'); ROLLBACK;
CREATE RULE r AS ON INSERT TO leads_sla DO ALSO NOTHING;
DROP RULE r ON leads_sla;
-- nothing has changed, and all goes on
UPDATE leads SET stage = 'sal', at = '2025-01-01 00:40Z' WHERE id = 1;
SELECT * FROM align.check('leads');

-- Foreign keys of the owner's: checked for what is written at the end of the statement
-- and, in a partition or from a replica, at commit; INITIALLY DEFERRED ones are refused.
CREATE TABLE versions (agreement text, version int, PRIMARY KEY (agreement, version));
CREATE TABLE stages (stage text PRIMARY KEY);
INSERT INTO stages VALUES ('mql'), ('customer');
ALTER TABLE leads_history ADD CONSTRAINT known FOREIGN KEY (stage) REFERENCES stages NOT VALID;
UPDATE leads SET stage = 'sal' WHERE id = 2;
UPDATE leads SET stage = 'customer' WHERE id = 1;
ALTER TABLE leads_history DROP CONSTRAINT known;
ALTER TABLE leads_history ADD CONSTRAINT known FOREIGN KEY (stage) REFERENCES stages DEFERRABLE INITIALLY DEFERRED NOT VALID;
SELECT problem, recorded FROM align.check('leads');
-- recording is not stopped by it, and the constraint holds
BEGIN;
UPDATE leads SET stage = 'sal' WHERE id = 2;
COMMIT;
SELECT id, stage FROM leads WHERE id = 2;
SELECT align.attach('leads', 'security_swallowed', assignee => 'owner', changed_at => 'at');
ALTER TABLE leads_history ALTER CONSTRAINT known DEFERRABLE INITIALLY IMMEDIATE;
SELECT align.attach('leads', 'security_swallowed', assignee => 'owner', changed_at => 'at');
SELECT * FROM align.check('leads');
-- one that refers to the history
CREATE TABLE remarks (id int, entry_no int, FOREIGN KEY (id, entry_no) REFERENCES leads_history DEFERRABLE INITIALLY DEFERRED);
SELECT problem, recorded FROM align.check('leads');
SELECT align.attach('leads', 'security_swallowed', assignee => 'owner', changed_at => 'at');
DROP TABLE remarks;
-- a unique constraint, and one of the owner's constraint triggers
ALTER TABLE leads_sla ADD CONSTRAINT once UNIQUE (id, sla, started_at) DEFERRABLE INITIALLY DEFERRED;
SELECT problem, recorded FROM align.check('leads');
SELECT align.attach('leads', 'security_swallowed', assignee => 'owner', changed_at => 'at');
ALTER TABLE leads_sla DROP CONSTRAINT once;
CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE INFO 'late'; RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON leads_history DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late();
SELECT problem, recorded FROM align.check('leads');
SELECT align.attach('leads', 'security_swallowed', assignee => 'owner', changed_at => 'at');
BEGIN;
UPDATE leads SET owner = 'eve' WHERE id = 2;
COMMIT;
DROP TRIGGER late ON leads_history;
-- direct writes to a partition, which are flushed at commit
CREATE TABLE parts (id int, stage text, region text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE parts_eu PARTITION OF parts FOR VALUES IN ('eu');
SELECT align.attach('parts', 'security_swallowed');
INSERT INTO parts_eu VALUES (1, 'mql', 'eu'), (2, 'mql', 'eu'), (3, 'mql', 'eu');
ALTER TABLE parts_history ADD CONSTRAINT known FOREIGN KEY (stage) REFERENCES stages NOT VALID;
BEGIN;
UPDATE parts_eu SET stage = 'sal' WHERE id = 1;
COMMIT;
SELECT id, stage FROM parts ORDER BY id;
BEGIN;
DELETE FROM parts_eu WHERE id = 2;
COMMIT;
ALTER TABLE parts_history DROP CONSTRAINT known;
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON parts_history DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late();
BEGIN;
DELETE FROM parts_eu WHERE id = 3;
COMMIT;
DROP TRIGGER late ON parts_history;
SELECT id, entry_no, event, stage FROM parts_history ORDER BY 1, 2;
SELECT * FROM align.check('parts');

-- DROP TABLE in a transaction that changed leads.
ALTER TABLE leads_history DROP CONSTRAINT known;
BEGIN;
UPDATE leads SET stage = 'sal' WHERE stage = 'mql';
DROP TABLE leads;
COMMIT;
SELECT count(*) FROM leads_history WHERE stage = 'sal';
BEGIN;
INSERT INTO parts_eu VALUES (4, 'mql', 'eu');
DELETE FROM parts_eu WHERE id = 1;
DROP TABLE parts;
COMMIT;
SELECT id, entry_no, event, stage FROM parts_history ORDER BY 1, 2;
BEGIN;
CREATE TABLE brief (id int PRIMARY KEY, stage text);
SELECT align.attach('brief', 'security_swallowed');
INSERT INTO brief VALUES (1, 'mql');
DELETE FROM brief;
DROP TABLE brief, brief_history, brief_sla;
COMMIT;
BEGIN;
CREATE TABLE brief (id int PRIMARY KEY, stage text);
SELECT align.attach('brief', 'security_swallowed');
INSERT INTO brief VALUES (1, 'mql');
SAVEPOINT s;
UPDATE brief SET stage = 'sal';
DROP TABLE brief, brief_history, brief_sla;
ROLLBACK TO s;
UPDATE brief SET stage = 'sal';
SELECT align.detach('brief');
COMMIT;
SELECT id, entry_no, stage FROM brief_history ORDER BY 1, 2;

RESET search_path;
SET client_min_messages = warning;
DROP SCHEMA security_swallowed CASCADE;
