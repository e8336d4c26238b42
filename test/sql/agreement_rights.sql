-- Rights: who may agree, who may read, and search paths that mean harm.
SET TimeZone = 'UTC';
\set SHOW_CONTEXT never
CREATE ROLE regress_align_owner;
CREATE ROLE regress_align_member IN ROLE regress_align_owner;
CREATE ROLE regress_align_other;
CREATE ROLE regress_align_nothing;
\set one '''stage one; won deal; success path one -> deal;'''
\set teams '''stage one held by marketing; stage two held by sales; won deal; success path one -> two -> deal;'''

BEGIN;
-- The first to agree owns the name.
SET LOCAL ROLE regress_align_owner;
SELECT align.agree('rights_a', :one);

-- A member of the owner role may go on; the owner stays.
SET LOCAL ROLE regress_align_member;
SELECT align.agree('rights_a', :teams);
SELECT version, owner, agreed_by FROM align.agreements WHERE name = 'rights_a' ORDER BY 1;

-- Another may read, and have a name of its own, but not write here.
SET LOCAL ROLE regress_align_other;
SELECT align.agreed('rights_a') IS NOT NULL AS readable;
SAVEPOINT s;
SELECT align.agree('rights_a', :one);
ROLLBACK TO s;
SELECT align.agree('rights_b', :one);
SAVEPOINT s;

-- Nobody has rights on the tables.
SELECT count(*) FROM align.agreement;
ROLLBACK TO s;
INSERT INTO align.agreement SELECT name, version + 1, now(), funnel, document, owner, agreed_by, note FROM align.agreements;
ROLLBACK TO s;
INSERT INTO align.team VALUES ('rights_a', 'sales', 'regress_align_other');
ROLLBACK TO s;
SELECT relname, has_table_privilege('regress_align_owner', oid, 'SELECT') AS sel,
       has_table_privilege('regress_align_owner', oid, 'INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER') AS other
FROM pg_class WHERE oid IN ('align.agreement'::regclass, 'align.team'::regclass, 'align.agreements'::regclass, 'align.teams'::regclass)
ORDER BY relname COLLATE "C";

-- Our identity is our own again, also after an error.
SELECT current_user;
SELECT align.agree('rights_b', :one);
SELECT current_user;
DO $$
BEGIN
    PERFORM align.agree('rights_b', 'nonsense');
EXCEPTION WHEN OTHERS THEN
    RAISE NOTICE 'as %', current_user;
END;
$$;

-- A superuser may agree under any name; the owner stays.
RESET ROLE;
SELECT align.agree('rights_b', :one);
SELECT version, owner, agreed_by = current_user AS by_superuser FROM align.agreements WHERE name = 'rights_b' ORDER BY 1;

-- Security definer functions lend their owner's rights, and no others.
CREATE FUNCTION pg_temp.lend(name text, document text) RETURNS int LANGUAGE sql SECURITY DEFINER
    AS 'SELECT align.agree($1, $2)';
ALTER FUNCTION pg_temp.lend(text, text) OWNER TO regress_align_other;
SET LOCAL ROLE regress_align_owner;
SAVEPOINT s;
SELECT pg_temp.lend('rights_a', :one);
ROLLBACK TO s;
SELECT pg_temp.lend('rights_b', :one);
SELECT agreed_by FROM align.agreements WHERE name = 'rights_b' AND version = 4;

-- Giving a name away.
SAVEPOINT s;
-- (to whom one could not become; the words differ between majors)
\set VERBOSITY sqlstate
SELECT align.set_agreement_owner('rights_a', 'regress_align_other');
\set VERBOSITY default
ROLLBACK TO s;
SELECT align.set_agreement_owner('rights_b', 'regress_align_owner');
ROLLBACK TO s;
RESET ROLE;
SELECT align.set_agreement_owner('rights_a', 'regress_align_other');
SELECT align.set_agreement_owner('rights_a', 'regress_align_other') AS the_same_again;
SELECT version, owner, note, funnel OPERATOR(align.=) lag(funnel) OVER (ORDER BY version) AS same_content
FROM align.agreements WHERE name = 'rights_a' ORDER BY 1;
SET LOCAL ROLE regress_align_owner;
SAVEPOINT s;
SELECT align.agree('rights_a', :one);
ROLLBACK TO s;
RESET ROLE;
SELECT align.set_agreement_owner('rights_x', 'regress_align_other');
ROLLBACK TO s;
RESET ROLE;
SELECT align.set_agreement_owner('rights_a', NULL);
ROLLBACK TO s;
RESET ROLE;
SELECT align.set_agreement_owner('rights_a', 4000000000::oid::regrole);
ROLLBACK TO s;

-- What is agreed for later keeps its day under a new owner.
RESET ROLE;
SELECT align.agree('rights_b', :teams, '2090-01-01');
SELECT align.set_agreement_owner('rights_b', 'regress_align_owner');
SELECT version, valid_from, valid_to, owner FROM align.agreements WHERE name = 'rights_b' AND version >= 5 ORDER BY 1;
SELECT split_part(align.agreed('rights_b')::text, ';', 1) AS still;
ROLLBACK;

-- Teams.
BEGIN;
SET LOCAL ROLE regress_align_owner;
SELECT align.agree('rights_c', :teams);
SELECT align.assign_team('rights_c', 'sales', 'regress_align_member');
SELECT align.assign_team('rights_c', 'marketing', 'regress_align_other');
SELECT * FROM align.teams WHERE agreement = 'rights_c' ORDER BY team;
SELECT align.assign_team('rights_c', 'sales', 'regress_align_owner');
SELECT align.assign_team('rights_c', 'marketing', NULL);
SELECT * FROM align.teams WHERE agreement = 'rights_c' ORDER BY team;
SAVEPOINT s;
SELECT align.assign_team('rights_c', 'support', 'regress_align_other');
ROLLBACK TO s;
SELECT align.assign_team('rights_c', 'support', NULL);
ROLLBACK TO s;
SELECT align.assign_team('rights_c', 'sales', 4000000000::oid::regrole);
ROLLBACK TO s;
SELECT align.assign_team('rights_c', NULL, 'regress_align_other');
ROLLBACK TO s;
SELECT align.assign_team(NULL, 'sales', 'regress_align_other');
ROLLBACK TO s;
SELECT align.assign_team('rights_d', 'sales', 'regress_align_other');
ROLLBACK TO s;
-- a team that only the version agreed for later names, and one that it drops
SELECT align.agree('rights_c', 'stage one held by success; won deal; success path one -> deal;', '2090-01-01');
SELECT align.assign_team('rights_c', 'success', 'regress_align_other');
SELECT align.assign_team('rights_c', 'marketing', 'regress_align_other');
SELECT align.agree('rights_c', :one);
-- an agreement without teams; what was assigned may be let go
SAVEPOINT s;
SELECT align.assign_team('rights_c', 'sales', 'regress_align_other');
ROLLBACK TO s;
SELECT align.assign_team('rights_c', 'sales', NULL);
SELECT * FROM align.teams WHERE agreement = 'rights_c' ORDER BY team;
SET LOCAL ROLE regress_align_other;
SAVEPOINT s;
SELECT align.assign_team('rights_c', 'success', NULL);
ROLLBACK;

-- Without rights on the schema, nothing.
BEGIN;
REVOKE USAGE ON SCHEMA align FROM PUBLIC;
SET LOCAL ROLE regress_align_nothing;
SELECT align.agree('rights_e', 'stage one; won deal; success path one -> deal;');
ROLLBACK;

-- Who may agree at all can be restricted.
BEGIN;
REVOKE EXECUTE ON FUNCTION align.agree(text, text, timestamptz, text), align.agree(text, align.funnel, timestamptz, text) FROM PUBLIC;
SET LOCAL ROLE regress_align_other;
SELECT align.agree('rights_e', 'stage one; won deal; success path one -> deal;');
ROLLBACK;

-- A search path full of traps, set for the most powerful caller.
BEGIN;
CREATE SCHEMA trap;
CREATE FUNCTION trap.sprung() RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the trap is sprung, as %', current_user; END $$;
CREATE FUNCTION trap.text_trap(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT trap.sprung()';
CREATE FUNCTION trap.int_trap(int, int) RETURNS boolean LANGUAGE sql AS 'SELECT trap.sprung()';
CREATE FUNCTION trap.time_trap(timestamptz, timestamptz) RETURNS boolean LANGUAGE sql AS 'SELECT trap.sprung()';
CREATE OPERATOR trap.= (FUNCTION = trap.text_trap, LEFTARG = text, RIGHTARG = text);
CREATE OPERATOR trap.= (FUNCTION = trap.int_trap, LEFTARG = int, RIGHTARG = int);
CREATE OPERATOR trap.> (FUNCTION = trap.time_trap, LEFTARG = timestamptz, RIGHTARG = timestamptz);
CREATE OPERATOR trap.<= (FUNCTION = trap.time_trap, LEFTARG = timestamptz, RIGHTARG = timestamptz);
CREATE FUNCTION trap.now() RETURNS timestamptz LANGUAGE sql AS 'SELECT NULL::timestamptz WHERE trap.sprung()';
CREATE FUNCTION trap.min(timestamptz) RETURNS timestamptz LANGUAGE sql AS 'SELECT NULL::timestamptz WHERE trap.sprung()';
CREATE FUNCTION trap.max(timestamptz) RETURNS timestamptz LANGUAGE sql AS 'SELECT NULL::timestamptz WHERE trap.sprung()';
CREATE FUNCTION trap.lead_agg(timestamptz, text) RETURNS align.lead LANGUAGE sql AS 'SELECT NULL::align.lead WHERE trap.sprung()';
CREATE DOMAIN trap.text AS pg_catalog.text CHECK (trap.sprung());
CREATE DOMAIN trap.timestamptz AS pg_catalog.timestamptz CHECK (trap.sprung());
CREATE TABLE trap.agreement (i int);
CREATE TABLE trap.team (i int);
SET LOCAL search_path = trap, pg_catalog, align;
SELECT align.agree('rights_f', 'stage one held by sales; won deal; success path one -> deal;');
SELECT align.agree('rights_f', align.agreed('rights_f'), note => 'again');
SELECT align.set_agreement_owner('rights_f', 'regress_align_owner');
SELECT align.assign_team('rights_f', 'sales', 'regress_align_other');
SELECT align.assign_team('rights_f', 'sales', 'regress_align_member');
SELECT align.assign_team('rights_f', 'sales', NULL);
SELECT count(*) FROM align.agreements WHERE name OPERATOR(pg_catalog.=) 'rights_f' AND in_force;
SELECT rule, stage FROM align.backtest($$SELECT 1, pg_catalog.now(), 'zzz'::pg_catalog.text$$, align.agreed('rights_f'));
ROLLBACK;

DROP ROLE regress_align_owner, regress_align_member, regress_align_other, regress_align_nothing;
