-- Entries and clocks that a BEFORE trigger of the owner swallows: an error for every
-- kind of change, and for openings.
SET TimeZone = 'UTC';
\set SHOW_CONTEXT never
CREATE SCHEMA security_swallowed_entries;
SET search_path = security_swallowed_entries;
SELECT align.agree('security_swallowed_entries', $$
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
SELECT align.attach('leads', 'security_swallowed_entries', assignee => 'owner', changed_at => 'at', opened_at => 'now');
INSERT INTO leads SELECT g, 'mql', 'ann', '2025-01-01 00:00Z' FROM generate_series(1, 12) AS g;
UPDATE leads SET stage = 'sal', at = '2025-01-01 00:30Z' WHERE id > 8;
CREATE FUNCTION eat() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	-- TG_ARGV: what is let through all the same
	IF TG_NARGS = 1 AND TG_ARGV[0] = 'odd' AND (CASE WHEN TG_OP = 'DELETE' THEN OLD.id ELSE NEW.id END) % 2 = 1 THEN
		RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
	END IF;
	RETURN NULL;
END $$;
-- entries
\set eat 'BEGIN; CREATE TRIGGER eat BEFORE INSERT ON leads_history FOR EACH ROW EXECUTE FUNCTION eat();'
:eat INSERT INTO leads VALUES (20, 'mql'); ROLLBACK;
:eat UPDATE leads SET stage = 'sal' WHERE id = 1; ROLLBACK;
:eat UPDATE leads SET owner = 'bob' WHERE id = 1; ROLLBACK;
:eat UPDATE leads SET id = 99 WHERE id = 1; ROLLBACK;
:eat DELETE FROM leads WHERE id = 1; ROLLBACK;
:eat TRUNCATE leads; ROLLBACK;
:eat SELECT align.merge_leads('leads', 1, 2); ROLLBACK;
\set eat 'BEGIN; CREATE TRIGGER eat BEFORE INSERT ON leads_history FOR EACH ROW EXECUTE FUNCTION eat(''odd'');'
:eat INSERT INTO leads SELECT g, 'mql' FROM generate_series(20, 30) AS g; ROLLBACK;
:eat UPDATE leads SET stage = 'sal' WHERE stage = 'mql'; ROLLBACK;
:eat UPDATE leads SET stage = 'sal' WHERE id = 1; ROLLBACK;
:eat TRUNCATE leads; ROLLBACK;
\set eat 'BEGIN; CREATE TRIGGER eat BEFORE INSERT ON leads_history FOR EACH ROW WHEN (new.event = ''move'') EXECUTE FUNCTION eat();'
:eat INSERT INTO leads VALUES (20, 'mql'); ROLLBACK;
:eat UPDATE leads SET stage = 'sal' WHERE id = 1; ROLLBACK;
-- clocks: new ones, changes
\set eat 'BEGIN; CREATE TRIGGER eat BEFORE INSERT ON leads_sla FOR EACH ROW EXECUTE FUNCTION eat();'
:eat INSERT INTO leads VALUES (20, 'mql'); ROLLBACK;
:eat INSERT INTO leads SELECT g, 'mql' FROM generate_series(20, 3000) AS g; ROLLBACK;
:eat UPDATE leads SET stage = 'sal' WHERE id = 1; ROLLBACK;
\set eat 'BEGIN; CREATE TRIGGER eat BEFORE UPDATE ON leads_sla FOR EACH ROW EXECUTE FUNCTION eat();'
:eat UPDATE leads SET stage = 'sal' WHERE id = 1; ROLLBACK;
:eat UPDATE leads SET stage = 'sal' WHERE stage = 'mql'; ROLLBACK;
:eat UPDATE leads SET stage = 'waiting' WHERE id = 9; ROLLBACK;
:eat UPDATE leads SET owner = 'bob' WHERE id = 9; ROLLBACK;
:eat DELETE FROM leads WHERE id = 9; ROLLBACK;
:eat TRUNCATE leads; ROLLBACK;
\set eat 'BEGIN; CREATE TRIGGER eat BEFORE UPDATE ON leads_sla FOR EACH ROW EXECUTE FUNCTION eat(''odd'');'
:eat UPDATE leads SET stage = 'sal' WHERE id = 1; ROLLBACK;
:eat UPDATE leads SET stage = 'sal' WHERE stage = 'mql'; ROLLBACK;
\set eat 'BEGIN; CREATE TRIGGER eat BEFORE DELETE ON leads_sla FOR EACH ROW EXECUTE FUNCTION eat();'
:eat SELECT align.merge_leads('leads', 1, 9); ROLLBACK;
-- merges, new keys
\set eat 'BEGIN; CREATE TRIGGER eat BEFORE UPDATE ON leads_history FOR EACH ROW EXECUTE FUNCTION eat();'
:eat SELECT align.merge_leads('leads', 1, 2); ROLLBACK;
:eat UPDATE leads SET id = 77 WHERE id = 1; ROLLBACK;
\set eat 'BEGIN; CREATE TRIGGER eat BEFORE UPDATE ON leads_history FOR EACH ROW EXECUTE FUNCTION eat(''odd'');'
:eat SELECT align.merge_leads('leads', 2, 3); ROLLBACK;
:eat UPDATE leads SET id = 77 WHERE id = 2; ROLLBACK;
-- openings, when a table is attached
CREATE TABLE fresh (id int PRIMARY KEY, stage text);
INSERT INTO fresh VALUES (1, 'mql'), (2, 'mql');
CREATE TABLE fresh_history (LIKE leads_history);
CREATE TABLE fresh_sla (LIKE leads_sla);
\set eat 'BEGIN; CREATE TRIGGER eat BEFORE INSERT ON fresh_history FOR EACH ROW EXECUTE FUNCTION eat();'
:eat SELECT align.attach('fresh', 'security_swallowed_entries', opened_at => 'now'); ROLLBACK;
\set eat 'BEGIN; CREATE TRIGGER eat BEFORE INSERT ON fresh_history FOR EACH ROW EXECUTE FUNCTION eat(''odd'');'
:eat SELECT align.attach('fresh', 'security_swallowed_entries', opened_at => 'now'); ROLLBACK;
\set eat 'BEGIN; CREATE TRIGGER eat BEFORE INSERT ON fresh_sla FOR EACH ROW EXECUTE FUNCTION eat(''odd'');'
:eat SELECT align.attach('fresh', 'security_swallowed_entries', opened_at => 'now'); ROLLBACK;
-- nothing has changed
SELECT * FROM align.check('leads');

RESET search_path;
SET client_min_messages = warning;
DROP SCHEMA security_swallowed_entries CASCADE;
