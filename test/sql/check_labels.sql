-- check() and the tables in which labels are looked up.
SET client_min_messages = warning;
CREATE ROLE regress_align_check_owner;
CREATE ROLE regress_align_check_other;
CREATE SCHEMA check_labels AUTHORIZATION regress_align_check_owner;
GRANT USAGE ON SCHEMA check_labels TO regress_align_check_other;
SET search_path = check_labels;
SELECT align.agree('check_labels', 'stage new; won deal; success path new -> deal;');
SELECT align.admit('check_labels', 'regress_align_check_owner');
SET ROLE regress_align_check_owner;
CREATE TABLE stages (id int PRIMARY KEY, name text);
CREATE TABLE people (id int PRIMARY KEY, name text, team int);
CREATE TABLE teams (id int PRIMARY KEY, name text);
INSERT INTO stages VALUES (1, 'new'), (2, 'deal');
CREATE TABLE leads (id int PRIMARY KEY, stage_id int, owner_id int);
INSERT INTO leads VALUES (1, 1, 1), (2, 1, 2);
SELECT align.attach('leads', 'check_labels', stage => 'stage_id', assignee => 'owner_id', stage_labels => 'stages(id, name)', assignee_labels => 'people(id, name)');
SELECT * FROM align.check('leads');
ALTER TABLE stages ENABLE ROW LEVEL SECURITY;
SELECT * FROM align.check('leads');
ALTER TABLE stages DISABLE ROW LEVEL SECURITY;
-- also where the owner has replaced the view
CREATE OR REPLACE VIEW leads_history_assignee_labels WITH (security_invoker = true) AS
	SELECT p.id AS key, p.name || coalesce((SELECT t.name FROM teams AS t WHERE t.id = p.team), '') AS label FROM people AS p;
ALTER TABLE teams ENABLE ROW LEVEL SECURITY;
SELECT * FROM align.check('leads');
ALTER TABLE teams DISABLE ROW LEVEL SECURITY;
-- of another owner, who lets the table be read or not
RESET ROLE;
GRANT CREATE ON SCHEMA check_labels TO regress_align_check_other;
ALTER TABLE people OWNER TO regress_align_check_other;
SET ROLE regress_align_check_other;
GRANT SELECT ON people TO regress_align_check_owner;
SET ROLE regress_align_check_owner;
SELECT * FROM align.check('leads');
SET ROLE regress_align_check_other;
REVOKE SELECT ON people FROM regress_align_check_owner;
SET ROLE regress_align_check_owner;
SELECT * FROM align.check('leads');
RESET ROLE;
ALTER TABLE people OWNER TO regress_align_check_owner;
SELECT * FROM align.check('leads');
DROP SCHEMA check_labels CASCADE;
DROP ROLE regress_align_check_owner, regress_align_check_other;
