-- Row-level security of the table holds for history, clocks, journeys() and clocks():
-- switched on before and after the table is attached, forced, on a partitioned table,
-- with keys of several columns; leads that are gone are seen by the owner alone.
SET TimeZone = 'UTC';
\set SHOW_CONTEXT never
CREATE ROLE regress_align_owner;
CREATE ROLE regress_align_app;
CREATE ROLE regress_align_seer BYPASSRLS;
CREATE SCHEMA security_visible AUTHORIZATION regress_align_owner;
GRANT USAGE ON SCHEMA security_visible TO PUBLIC;
SELECT align.agree('security_visible', 'stage mql held by marketing; stage sal held by sales; won customer; success path mql -> sal -> customer; handoff h: mql from marketing to sales, accept sal, within 4 hours;');
SELECT align.admit('security_visible', 'regress_align_owner');
SET search_path = security_visible;
SET ROLE regress_align_owner;
ALTER DEFAULT PRIVILEGES IN SCHEMA security_visible GRANT SELECT ON TABLES TO regress_align_app, regress_align_seer;
CREATE TABLE leads (id int PRIMARY KEY, status text, tenant text, memo text);
GRANT INSERT, UPDATE, DELETE ON leads TO regress_align_app;
ALTER TABLE leads ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON leads USING (tenant = current_setting('app.tenant', true));
SELECT align.attach('leads', 'security_visible', stage => 'status', note => 'memo');
SELECT relname, relrowsecurity, relforcerowsecurity, (SELECT string_agg(polname || ' ' || polcmd::text, ',') FROM pg_policy WHERE polrelid = c.oid) AS policy FROM pg_class c WHERE relname IN ('leads', 'leads_history', 'leads_sla') AND relnamespace = 'security_visible'::regnamespace ORDER BY 1;
INSERT INTO leads SELECT g, 'mql', CASE WHEN g % 2 = 0 THEN 'a' ELSE 'b' END, 'secret of ' || g FROM generate_series(1, 6) AS g;
DELETE FROM leads WHERE id = 6;
-- what a tenant sees, by every way
CREATE FUNCTION seen(relation regclass) RETURNS TABLE (what text, keys text) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format($q$
		SELECT 'table', (SELECT string_agg(id::text, ' ' ORDER BY id) FROM %1$s)
		UNION ALL SELECT 'history', (SELECT string_agg(DISTINCT id::text, ' ' ORDER BY id::text) FROM %2$s)
		UNION ALL SELECT 'clock table', (SELECT string_agg(DISTINCT id::text, ' ' ORDER BY id::text) FROM %3$s)
		UNION ALL SELECT 'journeys', (SELECT string_agg(key ->> 'id', ' ' ORDER BY key) FROM align.journeys(%1$L))
		UNION ALL SELECT 'clocks', (SELECT string_agg(key ->> 'id', ' ' ORDER BY key) FROM align.clocks(%1$L))$q$,
		relation, (SELECT history FROM align.attachments a WHERE a.relation = seen.relation), (SELECT sla FROM align.attachments a WHERE a.relation = seen.relation));
END $$;
SET ROLE regress_align_app;
SET app.tenant = 'a';
SELECT * FROM seen('leads');
SELECT note FROM leads_history WHERE note LIKE '%3';
-- writes are as before, and complete
UPDATE leads SET status = 'sal';
UPDATE leads SET tenant = 'a' WHERE id = 3;
INSERT INTO leads VALUES (7, 'mql', 'b');
INSERT INTO leads VALUES (8, 'mql', 'a');
SELECT * FROM seen('leads');
SET app.tenant = 'b';
SELECT * FROM seen('leads');
-- no tenant at all
RESET app.tenant;
SELECT * FROM seen('leads');
-- nor does a filter of one's own leak what policies hide
SET app.tenant = 'a';
CREATE FUNCTION pg_temp.leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN IF $1 ~ '[1356]$' THEN RAISE INFO 'leaked %', $1; END IF; RETURN true; END $$;
SELECT count(*) FROM leads_history WHERE pg_temp.leak(note);
DROP FUNCTION pg_temp.leak(text);
RESET app.tenant;
SELECT * FROM align.check('leads');
-- a role that policies do not bind, and the owner, see all, the one that is gone too
SET ROLE regress_align_seer;
SELECT * FROM seen('leads');
SELECT * FROM align.check('leads');
SET ROLE regress_align_owner;
SELECT * FROM seen('leads');
SELECT * FROM align.check('leads');

-- FORCE is copied: then the owner sees what policies let through.
ALTER TABLE leads FORCE ROW LEVEL SECURITY;
RESET ROLE;
SELECT problem, recorded, expected FROM align.check('leads') ORDER BY recorded;
SET ROLE regress_align_owner;
SELECT align.attach('leads', 'security_visible', stage => 'status', note => 'memo');
SET app.tenant = 'a';
SELECT * FROM seen('leads');
-- yet what he writes is recorded, what he attaches is compared, and what he calls works
UPDATE leads SET status = 'customer' WHERE id = 2;
SELECT align.attach('leads', 'security_visible', stage => 'status', note => 'memo');
SELECT align.notify_handoffs('leads'), align.notify_due('leads');
SELECT align.merge_leads('leads', 1, 2) > 0 AS merged_what_he_does_not_see;
SELECT align.purge('leads', now()) > 0 AS purged;
RESET app.tenant;
RESET ROLE;
SELECT * FROM align.check('leads');
SELECT string_agg(DISTINCT id::text, ' ' ORDER BY id::text) FROM leads_history;
ALTER TABLE leads NO FORCE ROW LEVEL SECURITY;
SELECT problem, recorded, expected FROM align.check('leads') ORDER BY recorded;
SET ROLE regress_align_owner;
SELECT align.attach('leads', 'security_visible', stage => 'status', note => 'memo');
SELECT * FROM align.check('leads');

-- Altered: a policy that lets more through, another of the same name, none, switched off.
ALTER TABLE leads_history DISABLE ROW LEVEL SECURITY;
DROP POLICY align_visible ON leads_sla;
SELECT problem, recorded, expected FROM align.check('leads') ORDER BY expected;
CREATE POLICY align_visible ON leads_sla FOR SELECT USING (true);
SELECT problem, recorded, expected FROM align.check('leads') ORDER BY expected;
DROP POLICY align_visible ON leads_sla;
CREATE POLICY align_visible ON leads_sla FOR ALL USING (EXISTS (SELECT FROM leads AS attached WHERE attached.id = leads_sla.id));
SELECT problem, recorded FROM align.check('leads') ORDER BY recorded;
DROP POLICY align_visible ON leads_sla;
CREATE POLICY align_visible ON leads_sla AS RESTRICTIVE FOR SELECT USING (EXISTS (SELECT FROM leads AS attached WHERE attached.id = leads_sla.id));
SELECT problem, recorded FROM align.check('leads') ORDER BY recorded;
DROP POLICY align_visible ON leads_sla;
CREATE POLICY align_visible ON leads_sla FOR SELECT TO regress_align_app USING (EXISTS (SELECT FROM leads AS attached WHERE attached.id = leads_sla.id));
SELECT problem, recorded FROM align.check('leads') ORDER BY recorded;
SELECT align.attach('leads', 'security_visible', stage => 'status', note => 'memo');
SELECT * FROM align.check('leads');
-- a policy of the owner's own beside it is his to make
CREATE POLICY also ON leads_history FOR SELECT USING (assignee = current_user);
SELECT * FROM align.check('leads');
SELECT align.attach('leads', 'security_visible', stage => 'status', note => 'memo');
SELECT polname FROM pg_policy WHERE polrelid = 'leads_history'::regclass ORDER BY 1;
DROP POLICY also ON leads_history;
-- renamed columns and tables are followed, and other columns are no difference
ALTER TABLE leads RENAME COLUMN id TO "lead id";
ALTER TABLE leads RENAME COLUMN memo TO remark;
ALTER TABLE leads ADD more text;
ALTER TABLE leads_history RENAME COLUMN id TO "the id";
ALTER TABLE leads_history ADD region text;
ALTER TABLE leads_sla RENAME TO "the clocks";
SELECT * FROM align.check('leads');
ALTER TABLE leads RENAME COLUMN remark TO memo;
ALTER TABLE "the clocks" RENAME TO leads_sla;
-- a history called like the alias in the policy
ALTER TABLE leads_history RENAME TO attached;
SELECT align.attach('leads', 'security_visible', stage => 'status', note => 'memo');
SELECT * FROM align.check('leads');
SET ROLE regress_align_app;
SET app.tenant = 'a';
SELECT DISTINCT "the id" FROM attached ORDER BY 1;
SET ROLE regress_align_owner;
ALTER TABLE attached RENAME TO leads_history;
ALTER TABLE leads RENAME COLUMN "lead id" TO id;
ALTER TABLE leads_history RENAME COLUMN "the id" TO id;
-- switched off for the table: nobody is kept from anything any more
ALTER TABLE leads DISABLE ROW LEVEL SECURITY;
SELECT align.attach('leads', 'security_visible', stage => 'status', note => 'memo');
SELECT relname, relrowsecurity, (SELECT count(*) FROM pg_policy WHERE polrelid = c.oid) AS policies FROM pg_class c WHERE relname IN ('leads_history', 'leads_sla') AND relnamespace = 'security_visible'::regnamespace ORDER BY 1;
SELECT * FROM align.check('leads');

-- Switched on later: check() says so until the table is attached again.
CREATE TABLE later (id int PRIMARY KEY, status text, tenant text);
SELECT align.attach('later', 'security_visible', stage => 'status');
INSERT INTO later VALUES (1, 'mql', 'a'), (2, 'mql', 'b');
ALTER TABLE later ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON later USING (tenant = current_setting('app.tenant', true));
SELECT problem, recorded, expected FROM align.check('later') ORDER BY expected COLLATE "C";
SELECT align.attach('later', 'security_visible', stage => 'status');
SELECT * FROM align.check('later');
SET ROLE regress_align_app;
SELECT * FROM seen('later');
SET ROLE regress_align_owner;

-- A partitioned table, a key of two columns of other types, a history that is
-- partitioned itself, whose partitions are reached directly.
CREATE TABLE parts (id int, region varchar(8), status text, tenant text, PRIMARY KEY (region, id)) PARTITION BY LIST (region);
CREATE TABLE parts_eu PARTITION OF parts FOR VALUES IN ('eu');
CREATE TABLE parts_us PARTITION OF parts FOR VALUES IN ('us');
ALTER TABLE parts ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON parts USING (tenant = current_setting('app.tenant', true));
SELECT align.attach('parts', 'security_visible', stage => 'status');
SELECT align.detach('parts');
ALTER TABLE parts_history RENAME TO parts_history_all;
CREATE TABLE parts_history (LIKE parts_history_all) PARTITION BY RANGE (recorded_at);
ALTER TABLE parts_history ATTACH PARTITION parts_history_all DEFAULT;
SELECT align.attach('parts', 'security_visible', stage => 'status');
INSERT INTO parts VALUES (1, 'eu', 'mql', 'a'), (1, 'us', 'mql', 'b'), (2, 'us', 'mql', 'a');
SELECT * FROM align.check('parts');
GRANT SELECT ON parts_history_all TO regress_align_app;
SET ROLE regress_align_app;
SELECT region, id, entry_no, stage FROM parts_history ORDER BY 1, 2;
SELECT region, id, entry_no, stage FROM parts_history_all ORDER BY 1, 2;
SELECT region, id FROM parts_sla ORDER BY 1, 2;
SELECT key FROM align.journeys('parts');
SELECT key FROM align.clocks('parts_eu');
SET ROLE regress_align_owner;
-- row-level security of a partition alone does not hide what is read through the table
ALTER TABLE parts DISABLE ROW LEVEL SECURITY;
ALTER TABLE parts_us ENABLE ROW LEVEL SECURITY;
SELECT align.attach('parts', 'security_visible', stage => 'status');
SELECT * FROM align.check('parts');

-- Who may read only some columns of the table reads neither of the two.
RESET ROLE;
CREATE ROLE regress_align_narrow;
GRANT SELECT (id, status) ON leads TO regress_align_narrow;
SET ROLE regress_align_narrow;
SELECT count(*) FROM leads_history;
SELECT count(*) FROM align.journeys('leads');
SELECT count(*) FROM align.clocks('leads');
RESET ROLE;
DROP OWNED BY regress_align_narrow;
DROP ROLE regress_align_narrow;

-- It all goes with the table.
SET ROLE regress_align_owner;
DROP TABLE later;
DROP TABLE later CASCADE;
SELECT count(*) FROM later_history;

RESET ROLE;
RESET search_path;
RESET app.tenant;
SET client_min_messages = warning;
DROP OWNED BY regress_align_owner CASCADE;
DROP SCHEMA IF EXISTS security_visible CASCADE;
DROP ROLE regress_align_owner, regress_align_app, regress_align_seer;
