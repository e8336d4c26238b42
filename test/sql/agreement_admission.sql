-- Whose tables may be under an agreement: its owner's, and those of roles that the
-- owner admits.  A table of a role that is dismissed stays under the last version that
-- fits it, and neither vetoes nor stalls the next ones.
SET TimeZone = 'UTC';
\set SHOW_CONTEXT never
CREATE ROLE regress_align_revops;
CREATE ROLE regress_align_clerk IN ROLE regress_align_revops;
CREATE ROLE regress_align_crm;
CREATE ROLE regress_align_crm_member IN ROLE regress_align_crm;
CREATE ROLE regress_align_crm_noinherit NOINHERIT IN ROLE regress_align_crm;
CREATE ROLE regress_align_stranger;
CREATE SCHEMA admission;
GRANT ALL ON SCHEMA admission TO PUBLIC;
SET search_path = admission;
\set base '\'stage inquiry, mql held by marketing; stage sal held by sales; won customer; success path inquiry -> mql -> sal -> customer; entry inquiry, mql, sal; handoff h: mql from marketing to sales, accept sal, within 4 hours; \''
SET ROLE regress_align_revops;
SELECT align.agree('admission', :base);

-- Who may admit: the owner of the agreement, and who has his privileges.
SET ROLE regress_align_stranger;
SELECT align.admit('admission', 'regress_align_stranger');
SELECT align.dismiss('admission', 'regress_align_stranger');
INSERT INTO align.admission VALUES ('admission', 'regress_align_stranger');
SELECT * FROM align.admission;
SET ROLE regress_align_clerk;
SELECT align.admit('admission', 'regress_align_stranger');
SELECT align.dismiss('admission', 'regress_align_stranger');
RESET ROLE;
SELECT align.admit('admission', 'regress_align_stranger');
SELECT align.dismiss('admission', 'regress_align_stranger');
-- what it is given
SET ROLE regress_align_revops;
SELECT align.admit(NULL, 'regress_align_crm');
SELECT align.admit('admission', NULL);
SELECT align.admit('admisson', 'regress_align_crm');
SELECT align.admit('', 'regress_align_crm');
SELECT align.admit('admission', 'regress_align_nobody');
SELECT align.admit('admission', 4000000000::oid::regrole);
SELECT align.dismiss('admission', 'regress_align_crm');
SELECT align.dismiss('admission', NULL);
SELECT align.dismiss('admission', '');
SELECT align.dismiss('admission', 'a.b');
SELECT align.dismiss('admission', '"unclosed');
BEGIN READ ONLY;
SELECT align.admit('admission', 'regress_align_crm');
ROLLBACK;
BEGIN READ ONLY;
SELECT align.dismiss('admission', 'regress_align_crm');
ROLLBACK;

-- Who may attach: the table's owner counts, whoever calls, by the privileges of roles.
SET ROLE regress_align_revops;
CREATE TABLE of_owner (id int PRIMARY KEY, stage text);
SELECT align.attach('of_owner', 'admission');
SET ROLE regress_align_clerk;
CREATE TABLE of_member_of_owner (id int PRIMARY KEY, stage text);
SELECT align.attach('of_member_of_owner', 'admission');
SET ROLE regress_align_crm;
CREATE TABLE leads (id int PRIMARY KEY, stage text, company text, n int);
SELECT align.attach('leads', 'admission');
RESET ROLE;
SELECT align.attach('leads', 'admission');
CREATE TABLE of_superuser (id int PRIMARY KEY, stage text);
SELECT align.attach('of_superuser', 'admission');
SET ROLE regress_align_revops;
SELECT align.admit('admission', 'regress_align_crm');
SELECT align.admit('admission', 'regress_align_crm');
SELECT * FROM align.admissions WHERE agreement = 'admission';
SET ROLE regress_align_crm;
SELECT align.attach('leads', 'admission');
SET ROLE regress_align_crm_member;
CREATE TABLE of_member (id int PRIMARY KEY, stage text);
SELECT align.attach('of_member', 'admission');
SET ROLE regress_align_crm_noinherit;
CREATE TABLE of_noinherit (id int PRIMARY KEY, stage text);
SELECT align.attach('of_noinherit', 'admission');
SET ROLE regress_align_stranger;
CREATE TABLE strange (id int PRIMARY KEY, stage text);
SELECT align.attach('strange', 'admission');
SELECT relation, agreement FROM align.attachments WHERE agreement = 'admission' ORDER BY relation::text;
RESET ROLE;
DROP TABLE of_owner, of_member_of_owner, of_superuser, of_member, of_noinherit;

-- A table that does not fit a new version is named, with the cause, for one who may
-- not even know of it.
SET ROLE regress_align_revops;
SELECT align.agree('admission', :base || 'sal needs phone;');
SELECT align.agree('admission', :base || 'sal needs ''company + 1 > 2'';');
SELECT align.agree('admission', :base || 'sal needs ''company >'';');
SET ROLE regress_align_crm;
INSERT INTO leads VALUES (1, 'mql', 'Acme', 1), (2, 'mql', NULL, 1), (3, 'sal', 'Core', 1);
SET ROLE regress_align_revops;
SELECT align.agree('admission', 'stage inquiry, mql held by marketing; won customer; success path inquiry -> mql -> customer; entry inquiry, mql;');
-- what fits is agreed: version 2 needs company
SELECT align.agree('admission', :base || 'sal needs company;');
SET ROLE regress_align_crm;
UPDATE leads SET stage = 'sal' WHERE id = 2;

-- Dismissed: no more tables of his, and new versions do not ask this one.
SET ROLE regress_align_revops;
SELECT align.dismiss('admission', 'regress_align_crm');
SELECT * FROM align.admissions WHERE agreement = 'admission';
SELECT align.agree('admission', :base || 'sal needs phone;');
SET ROLE regress_align_crm;
-- version 3 needs a column that he has not: he stays under version 2, which fits
UPDATE leads SET stage = 'sal' WHERE id = 2;
UPDATE leads SET stage = 'sal' WHERE id = 1;
SELECT id, entry_no, stage, version FROM leads_history WHERE id = 1 ORDER BY entry_no;
SELECT * FROM align.explain_move('leads', 2, 'sal');
SELECT * FROM align.check('leads');
CREATE TABLE more (id int PRIMARY KEY, stage text);
SELECT align.attach('more', 'admission');
-- nor is he attached again, but he may leave
SELECT align.attach('leads', 'admission');
BEGIN;
SELECT align.detach('leads');
ROLLBACK;
-- once the table has what the version needs, that version holds
ALTER TABLE leads ADD phone text;
UPDATE leads SET stage = 'sal' WHERE id = 2;
UPDATE leads SET stage = 'sal', company = 'Bolt', phone = '1' WHERE id = 2;
SELECT id, entry_no, stage, version FROM leads_history WHERE id = 2 ORDER BY entry_no;
ALTER TABLE leads DROP phone;
UPDATE leads SET stage = 'customer' WHERE id = 2;
SELECT version FROM leads_history WHERE id = 2 ORDER BY entry_no DESC LIMIT 1;
-- a version that gives up a stage does not fit, whether leads are in it or not
SET ROLE regress_align_revops;
SELECT align.agree('admission', 'stage inquiry, mql held by marketing; won customer; success path inquiry -> mql -> customer; entry inquiry, mql;');
SET ROLE regress_align_crm;
INSERT INTO leads VALUES (4, 'mql', 'Delta');
UPDATE leads SET stage = 'sal' WHERE id = 4;
SELECT id, entry_no, stage, version FROM leads_history WHERE id = 4 ORDER BY entry_no;
SELECT id, sla, cycle, outcome, version FROM leads_sla WHERE id = 4;
SELECT * FROM align.check('leads');
-- a later one that knows all labels again fits again
SET ROLE regress_align_revops;
SELECT align.agree('admission', :base || 'lost gone; path any -> gone;');
SET ROLE regress_align_crm;
UPDATE leads SET stage = 'gone' WHERE id = 4;
SELECT id, entry_no, stage, version FROM leads_history WHERE id = 4 ORDER BY entry_no;
SELECT * FROM align.check('leads');
-- one that is agreed for later is judged when it is in force
SET ROLE regress_align_revops;
SELECT align.agree('admission', :base || 'lost gone; path any -> gone; mql needs fax;', '2090-01-01');
SET ROLE regress_align_crm;
INSERT INTO leads VALUES (5, 'mql', 'Eta');
SELECT version FROM leads_history WHERE id = 5;

-- A marker or an align_live that the dismissed makes up stops nothing either.
CREATE FUNCTION f(int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'select true';
CREATE TRIGGER align_live AFTER DELETE ON leads FOR EACH ROW WHEN (false AND f(old.id)) EXECUTE FUNCTION align.attachment();
SET ROLE regress_align_revops;
SELECT align.agree('admission', :base || 'lost gone; path any -> gone; customer needs n;');
SET ROLE regress_align_crm;
UPDATE leads SET stage = 'gone' WHERE id = 5;
DROP TRIGGER align_live ON leads;
UPDATE leads SET stage = 'gone' WHERE id = 5;
SELECT version FROM leads_history WHERE id = 5 ORDER BY entry_no DESC LIMIT 1;
-- nor does a lock that he holds: see the isolation test

-- Admitted again: the latest version counts, and the next one asks him.
SET ROLE regress_align_revops;
SELECT align.agree('admission', :base || 'lost gone; path any -> gone; customer needs fax;');
SET ROLE regress_align_crm;
INSERT INTO leads VALUES (6, 'mql', 'Zeta', 1);
SELECT version FROM leads_history WHERE id = 6;
SET ROLE regress_align_revops;
SELECT align.admit('admission', 'regress_align_crm');
SELECT align.agree('admission', :base || 'lost gone; path any -> gone; customer needs telex;');
SET ROLE regress_align_crm;
INSERT INTO leads VALUES (7, 'mql', 'Theta', 1);
SELECT version FROM leads_history WHERE id = 7;
UPDATE leads SET stage = 'sal' WHERE id = 7;
UPDATE leads SET stage = 'customer' WHERE id = 7;
SELECT align.attach('leads', 'admission');
ALTER TABLE leads ADD fax text;
UPDATE leads SET stage = 'customer', fax = '1' WHERE id = 7;
SELECT align.attach('leads', 'admission');
SELECT * FROM align.check('leads');

-- Through another role: what matters is whether any admission gives the privileges.
SET ROLE regress_align_revops;
SELECT align.admit('admission', 'regress_align_stranger');
SELECT align.dismiss('admission', 'regress_align_crm');
RESET ROLE;
GRANT regress_align_stranger TO regress_align_crm;
SET ROLE regress_align_revops;
SELECT align.agree('admission', :base || 'lost gone; path any -> gone; customer needs telegraph;');
RESET ROLE;
REVOKE regress_align_stranger FROM regress_align_crm;
SET ROLE regress_align_revops;
SELECT align.agree('admission', :base || 'lost gone; path any -> gone; customer needs telegraph;');
SET ROLE regress_align_crm;
INSERT INTO leads VALUES (8, 'mql', 'Iota', 1);
SELECT (SELECT max(version) FROM align.agreements WHERE name = 'admission' AND in_force) - version AS behind FROM leads_history WHERE id = 8;
-- the owner of the agreement changes: his own table no longer counts by itself
RESET ROLE;
CREATE TABLE of_revops (id int PRIMARY KEY, stage text, telegraph text);
ALTER TABLE of_revops OWNER TO regress_align_revops;
SELECT align.attach('of_revops', 'admission');
SELECT align.set_agreement_owner('admission', 'regress_align_stranger') > 0 AS given;
SET ROLE regress_align_stranger;
SELECT align.agree('admission', :base || 'lost gone; path any -> gone; customer needs nothing_that_is_there;') > 0 AS agreed;
SET ROLE regress_align_revops;
INSERT INTO of_revops VALUES (1, 'mql');
SELECT (SELECT max(version) FROM align.agreements WHERE name = 'admission' AND in_force) - version AS behind FROM of_revops_history;
SELECT align.attach('of_revops', 'admission');
RESET ROLE;
ALTER TABLE of_revops OWNER TO regress_align_stranger;
ALTER TABLE of_revops_history OWNER TO regress_align_stranger;
ALTER TABLE of_revops_sla OWNER TO regress_align_stranger;
INSERT INTO of_revops VALUES (2, 'mql');
SELECT (SELECT max(version) FROM align.agreements WHERE name = 'admission' AND in_force) - version AS behind FROM of_revops_history WHERE id = 2;

-- Roles that are dropped, made again and renamed: what is kept is the name.
SET ROLE regress_align_stranger;
SELECT align.admit('admission', 'regress_align_crm');
SELECT align.detach('of_revops');
RESET ROLE;
ALTER TABLE leads ADD nothing_that_is_there text;
ALTER ROLE regress_align_crm RENAME TO regress_align_crm_2;
SELECT role, role_name FROM align.admissions WHERE agreement = 'admission' ORDER BY role_name;
SET ROLE regress_align_crm_2;
SELECT align.attach('leads', 'admission');
RESET ROLE;
SELECT align.admit('admission', 'regress_align_crm_2');
SET ROLE regress_align_crm_2;
SELECT align.attach('leads', 'admission');
RESET ROLE;
-- the old name, which another role could take, is dismissed though there is no such role
SELECT align.dismiss('admission', 'regress_align_crm');
SELECT align.dismiss('admission', 'REGRESS_ALIGN_CRM_2');
SELECT role, role_name FROM align.admissions WHERE agreement = 'admission' ORDER BY role_name;
CREATE ROLE "regress_align CRM";
SELECT align.admit('admission', '"regress_align CRM"');
SELECT align.dismiss('admission', 'regress_align CRM');
SELECT align.dismiss('admission', '"regress_align CRM"');
DROP ROLE "regress_align CRM";

SET client_min_messages = warning;
RESET search_path;
DROP SCHEMA admission CASCADE;
DROP ROLE regress_align_revops, regress_align_clerk, regress_align_crm_2, regress_align_crm_member, regress_align_crm_noinherit, regress_align_stranger;
