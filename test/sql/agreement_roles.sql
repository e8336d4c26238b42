-- Owners of agreements and roles of teams are names, resolved on use: a role that was
-- dropped is nobody, one that was renamed must be tied again, and one that is created
-- under the name is the one that is meant.
SET TimeZone = 'UTC';
\set SHOW_CONTEXT never
CREATE ROLE regress_align_owner;
CREATE ROLE regress_align_sales;
CREATE ROLE regress_align_marketing;
CREATE ROLE regress_align_sam IN ROLE regress_align_sales;
CREATE ROLE regress_align_mary IN ROLE regress_align_marketing;
CREATE ROLE "regress_align Odd ""role""";
CREATE SCHEMA roles;
GRANT USAGE ON SCHEMA roles TO PUBLIC;
SET search_path = roles;
SET ROLE regress_align_owner;
SELECT align.agree('roles', 'stage mql held by marketing; stage sal held by sales; won customer; success path mql -> sal -> customer; entry mql, sal;');
SELECT align.assign_team('roles', 'marketing', 'regress_align_marketing'), align.assign_team('roles', 'sales', 'regress_align_sales');
SELECT * FROM align.teams WHERE agreement = 'roles' ORDER BY team;
SELECT owner, owner_name, agreed_by FROM align.agreements WHERE name = 'roles';
RESET ROLE;
CREATE TABLE leads (id int PRIMARY KEY, stage text);
SELECT align.attach('leads', 'roles');
INSERT INTO leads SELECT g, 'sal' FROM generate_series(1, 9) AS g;
GRANT ALL ON leads TO PUBLIC;
PREPARE win AS UPDATE leads SET stage = 'customer' WHERE id = (SELECT min(id) FROM leads WHERE stage = 'sal');
SET ROLE regress_align_sam;
EXECUTE win;
SET ROLE regress_align_mary;
EXECUTE win;

-- A team whose role is dropped: nobody is in it, superusers neither.
RESET ROLE;
DROP ROLE regress_align_sales;
SELECT * FROM align.teams WHERE agreement = 'roles' ORDER BY team;
SET ROLE regress_align_sam;
EXECUTE win;
SET ROLE regress_align_mary;
EXECUTE win;
SELECT allowed, rule, detail, hint FROM align.explain_move('leads', 5, 'customer');
RESET ROLE;
EXECUTE win;
-- in the same session, at once: a role of that name again
CREATE ROLE regress_align_sales;
EXECUTE win;
SET ROLE regress_align_sam;
EXECUTE win;
RESET ROLE;
GRANT regress_align_sales TO regress_align_sam;
SET ROLE regress_align_sam;
EXECUTE win;
-- renamed: the name is nobody's until it is tied again
RESET ROLE;
ALTER ROLE regress_align_sales RENAME TO regress_align_sellers;
SELECT * FROM align.teams WHERE agreement = 'roles' ORDER BY team;
SET ROLE regress_align_sam;
EXECUTE win;
RESET ROLE;
SELECT align.assign_team('roles', 'sales', 'regress_align_sellers');
SET ROLE regress_align_sam;
EXECUTE win;
-- the name taken by another role
RESET ROLE;
SELECT align.assign_team('roles', 'sales', 'regress_align_sellers');
ALTER ROLE regress_align_sellers RENAME TO regress_align_sales;
ALTER ROLE regress_align_marketing RENAME TO regress_align_sellers;
SET ROLE regress_align_mary;
EXECUTE win;
RESET ROLE;
ALTER ROLE regress_align_sellers RENAME TO regress_align_marketing;
-- the other team has none: everybody may be in a team that is tied to no role
SELECT align.assign_team('roles', 'sales', NULL);
SET ROLE regress_align_mary;
EXECUTE win;
RESET ROLE;
SELECT id, stage, db_role, violation FROM leads_history WHERE stage = 'customer' ORDER BY id;
-- names that need quotes
SELECT align.assign_team('roles', 'sales', '"regress_align Odd ""role"""');
SELECT * FROM align.teams WHERE agreement = 'roles' AND team = 'sales';
SET ROLE "regress_align Odd ""role""";
INSERT INTO leads VALUES (20, 'sal');
UPDATE leads SET stage = 'customer' WHERE id = 20;
RESET ROLE;
DROP ROLE "regress_align Odd ""role""";
SELECT * FROM align.teams WHERE agreement = 'roles' AND team = 'sales';

-- The owner: dropped, nobody but a superuser may agree, tie, admit or pass it on.
DROP ROLE regress_align_owner;
SELECT owner, owner_name FROM align.agreements WHERE name = 'roles';
SET ROLE regress_align_sam;
SELECT align.agree('roles', align.agreed('roles'));
SELECT align.assign_team('roles', 'sales', 'regress_align_sam');
SELECT align.admit('roles', 'regress_align_sam');
SELECT align.set_agreement_owner('roles', 'regress_align_sam');
RESET ROLE;
SELECT align.agree('roles', align.agreed('roles'));
SELECT align.assign_team('roles', 'sales', 'regress_align_sales');
SELECT owner, owner_name, agreed_by = current_user AS by_me FROM align.agreements WHERE name = 'roles' AND version = 2;
-- a table of a superuser stays, one of another role cannot come
UPDATE leads SET stage = 'customer' WHERE id = (SELECT min(id) FROM leads WHERE stage = 'sal');
SELECT * FROM align.check('leads');
CREATE TABLE others (id int PRIMARY KEY, stage text);
ALTER TABLE others OWNER TO regress_align_sam;
SELECT align.attach('others', 'roles');
-- created again, it owns what it owned, until it is renamed
CREATE ROLE regress_align_owner;
SET ROLE regress_align_owner;
SELECT align.agree('roles', align.agreed('roles'));
RESET ROLE;
ALTER ROLE regress_align_owner RENAME TO regress_align_former;
SET ROLE regress_align_former;
SELECT align.agree('roles', align.agreed('roles'));
RESET ROLE;
SELECT align.set_agreement_owner('roles', 'regress_align_former');
SET ROLE regress_align_former;
SELECT align.agree('roles', align.agreed('roles'));
RESET ROLE;
SELECT version, owner, owner_name FROM align.agreements WHERE name = 'roles' ORDER BY version;
-- to pass it to the role of the same name is no new version
SELECT align.set_agreement_owner('roles', 'regress_align_former');

RESET search_path;
SET client_min_messages = warning;
DROP SCHEMA roles CASCADE;
DROP ROLE regress_align_former, regress_align_sales, regress_align_marketing, regress_align_sam, regress_align_mary;
