-- Agreements by name

CREATE TABLE align.agreement (
    name text COLLATE "C" NOT NULL,
    version int NOT NULL,
    valid_from timestamptz NOT NULL,
    funnel align.funnel NOT NULL,
    document text NOT NULL,
    owner name NOT NULL,
    agreed_by name NOT NULL,
    note text,
    PRIMARY KEY (name, version)
);

COMMENT ON TABLE align.agreement IS
'every version of every agreement, written by align.agree() only and never changed; the highest version whose valid_from has come is in force';
COMMENT ON COLUMN align.agreement.name IS 'name of the agreement, 1 to 63 bytes';
COMMENT ON COLUMN align.agreement.version IS 'version, from 1, without gaps';
COMMENT ON COLUMN align.agreement.valid_from IS 'when the version takes force; never before it was agreed';
COMMENT ON COLUMN align.agreement.funnel IS 'what was agreed';
COMMENT ON COLUMN align.agreement.document IS 'what was agreed, as it was written, comments included';
COMMENT ON COLUMN align.agreement.owner IS 'name of the role whose members may agree the next version; that of the latest version counts';
COMMENT ON COLUMN align.agreement.agreed_by IS 'name of the role that agreed this version';
COMMENT ON COLUMN align.agreement.note IS 'why, in the words of who agreed it';

CREATE TABLE align.team (
    agreement text COLLATE "C" NOT NULL,
    team text COLLATE "C" NOT NULL,
    role name NOT NULL,
    PRIMARY KEY (agreement, team)
);

COMMENT ON TABLE align.team IS
'the database roles that teams of an agreement stand for, written by align.assign_team() only';
COMMENT ON COLUMN align.team.agreement IS 'name of the agreement';
COMMENT ON COLUMN align.team.team IS 'team, as the agreement names it';
COMMENT ON COLUMN align.team.role IS 'name of the role whose members are the team; if the role does not exist, the team has no members';

CREATE TABLE align.admission (
    agreement text COLLATE "C" NOT NULL,
    role name NOT NULL,
    dismissed_after int,
    PRIMARY KEY (agreement, role)
);

COMMENT ON TABLE align.admission IS
'the roles whose tables may be attached to an agreement besides those of its owner, written by align.admit() and align.dismiss() only';
COMMENT ON COLUMN align.admission.agreement IS 'name of the agreement';
COMMENT ON COLUMN align.admission.role IS 'name of the role';
COMMENT ON COLUMN align.admission.dismissed_after IS 'null while the role is admitted; else the latest version when it was dismissed';

SELECT pg_catalog.pg_extension_config_dump('align.agreement', '');
SELECT pg_catalog.pg_extension_config_dump('align.team', '');
SELECT pg_catalog.pg_extension_config_dump('align.admission', '');

CREATE FUNCTION align.agreement_guard() RETURNS trigger
    AS 'MODULE_PATHNAME', 'align_agreement_guard'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1;

COMMENT ON FUNCTION align.agreement_guard() IS
'trigger on align.agreement: refuses UPDATE, DELETE and TRUNCATE, and has every session read new versions afresh';

-- by row, so that logical replication fires them too
CREATE TRIGGER agreement_append_only BEFORE UPDATE OR DELETE ON align.agreement
    FOR EACH ROW EXECUTE FUNCTION align.agreement_guard();
CREATE TRIGGER agreement_no_truncate BEFORE TRUNCATE ON align.agreement
    FOR EACH STATEMENT EXECUTE FUNCTION align.agreement_guard();
CREATE TRIGGER agreement_announce AFTER INSERT ON align.agreement
    FOR EACH ROW EXECUTE FUNCTION align.agreement_guard();
ALTER TABLE align.agreement ENABLE ALWAYS TRIGGER agreement_append_only;
ALTER TABLE align.agreement ENABLE ALWAYS TRIGGER agreement_no_truncate;
ALTER TABLE align.agreement ENABLE ALWAYS TRIGGER agreement_announce;

COMMENT ON TRIGGER agreement_append_only ON align.agreement IS 'versions are neither changed nor deleted';
COMMENT ON TRIGGER agreement_no_truncate ON align.agreement IS 'versions are not truncated away';
COMMENT ON TRIGGER agreement_announce ON align.agreement IS 'new versions reach the caches of all sessions';

CREATE FUNCTION align.agree(name text, agreement align.funnel,
                            valid_from timestamptz DEFAULT pg_catalog.now(), note text DEFAULT NULL)
    RETURNS int
    AS 'MODULE_PATHNAME', 'align_agree_funnel'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;

COMMENT ON FUNCTION align.agree(text, align.funnel, timestamptz, text) IS
'agrees a new version under a name, in force from valid_from (not before now()), and returns its number; the first makes the calling role the owner of the name, later ones need its privileges; only note may be null';

CREATE FUNCTION align.agree(name text, agreement text,
                            valid_from timestamptz DEFAULT pg_catalog.now(), note text DEFAULT NULL)
    RETURNS int
    AS 'MODULE_PATHNAME', 'align_agree_text'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;

COMMENT ON FUNCTION align.agree(text, text, timestamptz, text) IS
'agrees a new version under a name from its text, which must be a valid funnel and is kept as written, comments included; otherwise like agree(text, funnel, timestamptz, text)';

CREATE FUNCTION align.agreed(name text) RETURNS align.funnel
    AS 'MODULE_PATHNAME', 'align_agreed'
    LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1;

COMMENT ON FUNCTION align.agreed(text) IS
'the agreement in force under a name at now(); raises if there is none; null for null';

CREATE FUNCTION align.agreed(name text, at timestamptz) RETURNS align.funnel
    AS 'MODULE_PATHNAME', 'align_agreed_at'
    LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1;

COMMENT ON FUNCTION align.agreed(text, timestamptz) IS
'the agreement in force under a name at an instant: the highest version whose valid_from is not later; raises if there is none or the instant is infinite; null if an argument is';

CREATE FUNCTION align.set_agreement_owner(name text, owner regrole) RETURNS int
    AS 'MODULE_PATHNAME', 'align_set_agreement_owner'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;

COMMENT ON FUNCTION align.set_agreement_owner(text, regrole) IS
'gives the name of an agreement to another role, as a new version of equal content, and returns its number; needs the privileges of the owner, and the right to become the new one; nulls are refused';

CREATE FUNCTION align.assign_team(agreement text, team text, role regrole) RETURNS void
    AS 'MODULE_PATHNAME', 'align_assign_team'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;

COMMENT ON FUNCTION align.assign_team(text, text, regrole) IS
'ties a team of an agreement to a database role, instead of any before; a null role unties it; needs the privileges of the agreement''s owner';

CREATE FUNCTION align.admit(agreement text, role regrole) RETURNS void
    AS 'MODULE_PATHNAME', 'align_admit'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;

COMMENT ON FUNCTION align.admit(text, regrole) IS
'lets tables whose owner has the privileges of a role be attached to an agreement; needs the privileges of the agreement''s owner; nulls are refused';

CREATE FUNCTION align.dismiss(agreement text, role text) RETURNS void
    AS 'MODULE_PATHNAME', 'align_dismiss'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;

COMMENT ON FUNCTION align.dismiss(text, text) IS
'ends the admission of a role, which need not exist any more: its tables stay under the last version that fits them, and new versions are not checked against them; needs the privileges of the agreement''s owner; nulls are refused';

-- Everyone may read what was agreed; nobody touches the tables.
REVOKE ALL ON align.agreement, align.team, align.admission FROM PUBLIC;

CREATE VIEW align.agreements AS
    SELECT name, version, valid_from,
           CASE WHEN next_from IS NOT NULL THEN GREATEST(valid_from, next_from) END AS valid_to,
           valid_from <= pg_catalog.now() AND (next_from IS NULL OR next_from > pg_catalog.now()) AS in_force,
           pg_catalog.to_regrole(pg_catalog.quote_ident(owner)) AS owner, agreed_by, note, funnel, document,
           owner AS owner_name
    FROM (SELECT *, pg_catalog.min(valid_from) OVER (PARTITION BY name ORDER BY version
                        ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS next_from
          FROM align.agreement) AS versions;

COMMENT ON VIEW align.agreements IS
'every version of every agreement and when it is in force, for everyone to read';
COMMENT ON COLUMN align.agreements.name IS 'name of the agreement';
COMMENT ON COLUMN align.agreements.version IS 'version, from 1';
COMMENT ON COLUMN align.agreements.valid_from IS 'when the version takes force';
COMMENT ON COLUMN align.agreements.valid_to IS 'when a later version takes its place, null if none does yet; equal to valid_from if the version never takes force';
COMMENT ON COLUMN align.agreements.in_force IS 'whether agreed(name) returns this version now';
COMMENT ON COLUMN align.agreements.owner IS 'owner of the name as of this version, null if that role does not exist; that of the latest counts';
COMMENT ON COLUMN align.agreements.agreed_by IS 'name of the role that agreed this version';
COMMENT ON COLUMN align.agreements.note IS 'why, in the words of who agreed it';
COMMENT ON COLUMN align.agreements.funnel IS 'what was agreed';
COMMENT ON COLUMN align.agreements.document IS 'what was agreed, as it was written';
COMMENT ON COLUMN align.agreements.owner_name IS 'name of the owner, whether the role exists or not';

CREATE VIEW align.teams AS
    SELECT agreement, team, pg_catalog.to_regrole(pg_catalog.quote_ident(role)) AS role,
           role AS role_name
    FROM align.team;

COMMENT ON VIEW align.teams IS
'the database roles that teams of an agreement stand for, for everyone to read';
COMMENT ON COLUMN align.teams.agreement IS 'name of the agreement';
COMMENT ON COLUMN align.teams.team IS 'team, as the agreement names it';
COMMENT ON COLUMN align.teams.role IS 'role whose members are the team; null if it does not exist: then the team has no members';
COMMENT ON COLUMN align.teams.role_name IS 'name of the role, whether it exists or not';

CREATE VIEW align.admissions AS
    SELECT agreement, pg_catalog.to_regrole(pg_catalog.quote_ident(role)) AS role,
           role AS role_name
    FROM align.admission
    WHERE dismissed_after IS NULL;

COMMENT ON VIEW align.admissions IS
'the roles whose tables may be attached to an agreement besides those of its owner, for everyone to read';
COMMENT ON COLUMN align.admissions.agreement IS 'name of the agreement';
COMMENT ON COLUMN align.admissions.role IS 'role that is admitted; null if it does not exist';
COMMENT ON COLUMN align.admissions.role_name IS 'name of the role, whether it exists or not';

GRANT SELECT ON align.agreements, align.teams, align.admissions TO PUBLIC;

CREATE FUNCTION align.backtest(query text, funnel align.funnel)
    RETURNS TABLE (rule text, from_stage text, stage text, leads bigint, entries bigint,
                   share float8, examples text[])
    AS 'MODULE_PATHNAME', 'align_backtest'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000 ROWS 50;

COMMENT ON FUNCTION align.backtest(text, align.funnel) IS
'what an agreement would have refused or missed in data as it is: the query yields (lead, at, stage [, team [, reason]]) by position and runs read-only with the caller''s rights; one row per broken rule and move, and per missed service level ("missed" and its name) from the stage that started the clock to the one that stopped it, null if it is overdue at the largest time in the data; leads and entries concerned, share of all leads, up to 5 keys of leads; nulls are refused';
