-- Nobody but the owner has more than SELECT on history and clocks, and SELECT only
-- who has it on the table as a whole: default privileges of every kind, grants made
-- afterwards, on columns, with grant option, to PUBLIC.
SET TimeZone = 'UTC';
\set SHOW_CONTEXT never
CREATE ROLE regress_align_owner;
CREATE ROLE regress_align_app;
CREATE ROLE regress_align_reader;
CREATE ROLE regress_align_deputy;
CREATE ROLE regress_align_group;
CREATE ROLE regress_align_member IN ROLE regress_align_group;
CREATE SCHEMA security_privileges AUTHORIZATION regress_align_owner;
GRANT USAGE ON SCHEMA security_privileges TO PUBLIC;
SET search_path = security_privileges;
-- (ALL is more in later majors)
\set everything 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER'
SELECT align.agree('security_privileges', 'stage mql held by marketing; stage sal held by sales; won customer; success path mql -> sal -> customer; handoff h: mql from marketing to sales, accept sal, within 1 hours;');
SELECT align.admit('security_privileges', 'regress_align_owner');
CREATE VIEW grants AS
	SELECT c.relname::text AS relation, coalesce(a.attname, '') AS column, acl.grantee::regrole::text AS grantee, string_agg(acl.privilege_type || CASE WHEN is_grantable THEN '*' ELSE '' END, ', ' ORDER BY acl.privilege_type) AS privileges
	FROM pg_class c
	LEFT JOIN LATERAL (SELECT attname, attacl FROM pg_attribute WHERE attrelid = c.oid AND attacl IS NOT NULL AND NOT attisdropped UNION ALL SELECT NULL, c.relacl) a ON true
	CROSS JOIN LATERAL aclexplode(a.attacl) AS acl
	WHERE c.relnamespace = 'security_privileges'::regnamespace AND c.relname ~ 'history|sla' AND acl.grantee <> c.relowner
	GROUP BY 1, 2, 3;
GRANT SELECT ON grants TO PUBLIC;

-- Default privileges: of the owner, in the schema, everywhere; to roles and PUBLIC.
ALTER DEFAULT PRIVILEGES FOR ROLE regress_align_owner GRANT :everything ON TABLES TO PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE regress_align_owner IN SCHEMA security_privileges GRANT :everything ON TABLES TO regress_align_app;
ALTER DEFAULT PRIVILEGES FOR ROLE regress_align_owner IN SCHEMA security_privileges GRANT SELECT ON TABLES TO regress_align_reader, regress_align_group;
ALTER DEFAULT PRIVILEGES FOR ROLE regress_align_owner IN SCHEMA security_privileges GRANT SELECT, INSERT ON TABLES TO regress_align_deputy WITH GRANT OPTION;
SET ROLE regress_align_owner;
CREATE TABLE leads (id int PRIMARY KEY, stage text, secret text);
-- as default privileges left it: everybody may read the table, so everybody may read
SELECT align.attach('leads', 'security_privileges');
SELECT * FROM grants ORDER BY 1, 2, 3;
SELECT * FROM align.check('leads');
SELECT align.detach('leads');
DROP TABLE leads, leads_history, leads_sla;

-- The table is then closed, as it should be: history and clocks follow it.
CREATE TABLE leads (id int PRIMARY KEY, stage text, secret text);
REVOKE ALL ON leads FROM PUBLIC, regress_align_app, regress_align_reader, regress_align_deputy, regress_align_group;
GRANT SELECT (id, stage), UPDATE (stage), INSERT ON leads TO regress_align_app;
GRANT SELECT ON leads TO regress_align_group;
-- what default privileges gave is taken back without a word
SELECT align.attach('leads', 'security_privileges');
SELECT * FROM grants ORDER BY 1, 2, 3;
SELECT * FROM align.check('leads');
INSERT INTO leads VALUES (1, 'mql', 'x');
-- who writes the table needs nothing on them; who reads it in part does not read them
SET ROLE regress_align_app;
UPDATE leads SET stage = 'sal';
SELECT count(*) FROM leads_history;
SELECT count(*) FROM leads_sla;
INSERT INTO leads_history (id, entry_no, event, effective_at, recorded_at) VALUES (1, 9, 'move', now(), now());
CREATE TRIGGER mine AFTER INSERT ON leads_history EXECUTE FUNCTION align.history_guard();
SET ROLE regress_align_member;
SELECT count(*) FROM leads_history;
SELECT count(*) FROM align.journeys('leads');
SET ROLE regress_align_reader;
SELECT count(*) FROM leads_history;
RESET ROLE;

-- Granted afterwards: check() lists it, and attaching again takes it back.
GRANT SELECT ON leads_history TO regress_align_app;
GRANT SELECT (id), INSERT (stage), REFERENCES (entry_no) ON leads_history TO regress_align_reader;
GRANT UPDATE (outcome) ON leads_sla TO PUBLIC;
GRANT TRIGGER, TRUNCATE ON leads_sla TO regress_align_deputy WITH GRANT OPTION;
SET ROLE regress_align_deputy;
GRANT TRIGGER ON leads_sla TO regress_align_app;
RESET ROLE;
GRANT DELETE ON leads_history TO PUBLIC;
SELECT problem, recorded, expected FROM align.check('leads') ORDER BY recorded COLLATE "C";
SET client_min_messages = notice;
SELECT align.attach('leads', 'security_privileges');
SELECT * FROM align.check('leads');
SELECT * FROM grants ORDER BY 1, 2, 3;
-- a superuser's grants are no surplus: they have everything
CREATE ROLE regress_align_root SUPERUSER;
GRANT :everything ON leads_history TO regress_align_root;
SELECT * FROM align.check('leads');
REVOKE ALL ON leads_history FROM regress_align_root;
DROP ROLE regress_align_root;
-- SELECT on the table taken away: reported, and so given again
REVOKE SELECT ON leads FROM regress_align_group;
SELECT problem, recorded, expected FROM align.check('leads') ORDER BY recorded COLLATE "C";
GRANT SELECT ON leads TO regress_align_member;
SELECT problem, recorded, expected FROM align.check('leads') ORDER BY recorded COLLATE "C";
GRANT SELECT ON leads TO PUBLIC;
SELECT problem, recorded, expected FROM align.check('leads') ORDER BY recorded COLLATE "C";
REVOKE SELECT ON leads FROM PUBLIC, regress_align_member;
GRANT SELECT ON leads TO regress_align_group;
SELECT * FROM align.check('leads');

-- Partitions of a history are reached directly, too.
SET ROLE regress_align_owner;
CREATE TABLE deals (id int PRIMARY KEY, stage text);
REVOKE ALL ON deals FROM PUBLIC, regress_align_app, regress_align_reader, regress_align_deputy, regress_align_group;
CREATE TABLE deals_history (LIKE leads_history) PARTITION BY RANGE (recorded_at);
CREATE TABLE deals_history_all PARTITION OF deals_history DEFAULT;
SELECT count(*) > 0 AS open FROM grants WHERE relation = 'deals_history_all';
SELECT align.attach('deals', 'security_privileges');
SELECT * FROM grants WHERE relation ~ 'deals' ORDER BY 1, 2, 3;
SELECT * FROM align.check('deals');
CREATE TABLE deals_history_late (LIKE deals_history);
ALTER TABLE deals_history ATTACH PARTITION deals_history_late FOR VALUES FROM ('2100-01-01') TO (MAXVALUE);
SELECT problem, recorded, expected FROM align.check('deals') ORDER BY problem, recorded COLLATE "C";
SET client_min_messages = warning;
SELECT align.attach('deals', 'security_privileges');
SELECT * FROM align.check('deals');

-- A superuser attaches for a role that may create nothing in the schema: the default
-- privileges of the superuser give nothing away either.
RESET ROLE;
ALTER DEFAULT PRIVILEGES IN SCHEMA security_privileges GRANT :everything ON TABLES TO regress_align_reader;
CREATE TABLE foreign_ground (id int PRIMARY KEY, stage text);
REVOKE ALL ON foreign_ground FROM regress_align_reader;
REVOKE CREATE ON SCHEMA security_privileges FROM regress_align_app;
SELECT align.admit('security_privileges', 'regress_align_app');
ALTER TABLE foreign_ground OWNER TO regress_align_app;
SELECT align.attach('foreign_ground', 'security_privileges');
SELECT * FROM grants WHERE relation ~ 'foreign' ORDER BY 1, 2, 3;
SELECT * FROM align.check('foreign_ground');
ALTER DEFAULT PRIVILEGES IN SCHEMA security_privileges REVOKE ALL ON TABLES FROM regress_align_reader;

-- Names that need quotes; a role that goes while its grant is looked at.
CREATE ROLE "regress_align ""odd"" role";
SET ROLE regress_align_owner;
ALTER TABLE leads_history RENAME TO "the ""history""";
ALTER TABLE "the ""history""" RENAME COLUMN id TO "the id";
GRANT UPDATE ("the id") ON "the ""history""" TO "regress_align ""odd"" role", PUBLIC;
GRANT :everything ON "the ""history""" TO "regress_align ""odd"" role";
SELECT problem, recorded FROM align.check('leads') ORDER BY recorded COLLATE "C";
SELECT align.attach('leads', 'security_privileges');
SELECT * FROM align.check('leads');
RESET ROLE;

-- Whoever has TRIGGER on the table is named when it is attached.
GRANT TRIGGER ON leads TO regress_align_app, PUBLIC;
GRANT TRIGGER ON leads TO "regress_align ""odd"" role" WITH GRANT OPTION;
SELECT align.attach('leads', 'security_privileges');
REVOKE TRIGGER ON leads FROM regress_align_app, PUBLIC, "regress_align ""odd"" role";
SELECT align.attach('leads', 'security_privileges');

RESET search_path;
ALTER DEFAULT PRIVILEGES FOR ROLE regress_align_owner REVOKE ALL ON TABLES FROM PUBLIC;
DROP OWNED BY regress_align_owner CASCADE;
DROP SCHEMA IF EXISTS security_privileges CASCADE;
DROP OWNED BY "regress_align ""odd"" role", regress_align_app;
DROP ROLE regress_align_owner, regress_align_app, regress_align_reader, regress_align_deputy, regress_align_member, regress_align_group, "regress_align ""odd"" role";
