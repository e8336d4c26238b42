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
'every version of every agreement, written only by align.agree() and align.set_agreement_owner() and never changed; the highest version whose valid_from is not in the future is in force';
COMMENT ON COLUMN align.agreement.name IS 'name of the agreement, 1 to 63 bytes';
COMMENT ON COLUMN align.agreement.version IS 'version, from 1, without gaps';
COMMENT ON COLUMN align.agreement.valid_from IS 'when the version takes effect; not before it was agreed';
COMMENT ON COLUMN align.agreement.funnel IS 'what was agreed';
COMMENT ON COLUMN align.agreement.document IS 'what was agreed, as it was written, comments included';
COMMENT ON COLUMN align.agreement.owner IS 'name of the role that owns the agreement as of this version; the owner of the latest version counts';
COMMENT ON COLUMN align.agreement.agreed_by IS 'name of the role that agreed this version';
COMMENT ON COLUMN align.agreement.note IS 'reason for the version, null if none was given';

CREATE TABLE align.team (
    agreement text COLLATE "C" NOT NULL,
    team text COLLATE "C" NOT NULL,
    role name NOT NULL,
    PRIMARY KEY (agreement, team)
);

COMMENT ON TABLE align.team IS
'database roles to which teams of agreements are tied, written only by align.assign_team()';
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
'roles besides the owner whose tables can be attached to an agreement, written only by align.admit() and align.dismiss()';
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
'trigger on align.agreement: refuses UPDATE, DELETE and TRUNCATE, and invalidates the caches of all sessions after INSERT';

-- row-level triggers, so that logical replication fires them, too
CREATE TRIGGER agreement_append_only BEFORE UPDATE OR DELETE ON align.agreement
    FOR EACH ROW EXECUTE FUNCTION align.agreement_guard();
CREATE TRIGGER agreement_no_truncate BEFORE TRUNCATE ON align.agreement
    FOR EACH STATEMENT EXECUTE FUNCTION align.agreement_guard();
CREATE TRIGGER agreement_announce AFTER INSERT ON align.agreement
    FOR EACH ROW EXECUTE FUNCTION align.agreement_guard();
ALTER TABLE align.agreement ENABLE ALWAYS TRIGGER agreement_append_only;
ALTER TABLE align.agreement ENABLE ALWAYS TRIGGER agreement_no_truncate;
ALTER TABLE align.agreement ENABLE ALWAYS TRIGGER agreement_announce;

COMMENT ON TRIGGER agreement_append_only ON align.agreement IS 'refuses to change or delete versions';
COMMENT ON TRIGGER agreement_no_truncate ON align.agreement IS 'refuses to truncate the table';
COMMENT ON TRIGGER agreement_announce ON align.agreement IS 'invalidates the caches of all sessions';

CREATE FUNCTION align.agree(name text, agreement align.funnel,
                            valid_from timestamptz DEFAULT pg_catalog.now(), note text DEFAULT NULL)
    RETURNS int
    AS 'MODULE_PATHNAME', 'align_agree_funnel'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;

COMMENT ON FUNCTION align.agree(text, align.funnel, timestamptz, text) IS
'agrees on a new version of an agreement, in force from valid_from (not before now()), and returns its number; the first version makes the current user the owner, later ones need the owner''s privileges; only note may be null';

CREATE FUNCTION align.agree(name text, agreement text,
                            valid_from timestamptz DEFAULT pg_catalog.now(), note text DEFAULT NULL)
    RETURNS int
    AS 'MODULE_PATHNAME', 'align_agree_text'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;

COMMENT ON FUNCTION align.agree(text, text, timestamptz, text) IS
'agrees on a new version of an agreement from its text, which must be a valid funnel and is kept as written, comments included; otherwise like agree(text, funnel, timestamptz, text)';

CREATE FUNCTION align.agreed(name text) RETURNS align.funnel
    AS 'MODULE_PATHNAME', 'align_agreed'
    LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1;

COMMENT ON FUNCTION align.agreed(text) IS
'the version of an agreement that is in force at now(); an error if there is none';

CREATE FUNCTION align.agreed(name text, at timestamptz) RETURNS align.funnel
    AS 'MODULE_PATHNAME', 'align_agreed_at'
    LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1;

COMMENT ON FUNCTION align.agreed(text, timestamptz) IS
'the version of an agreement that is in force at an instant: the highest one whose valid_from is not later; an error if there is none or the instant is infinite';

CREATE FUNCTION align.carried_stage(stage text, agreement text, version int, to_agreement text, to_version int) RETURNS text
    AS 'MODULE_PATHNAME', 'align_carried_stage'
    LANGUAGE C STABLE PARALLEL SAFE COST 2;

COMMENT ON FUNCTION align.carried_stage(text, text, int, text, int) IS
'the name that a version of an agreement (to_agreement, to_version) has for a stage that was recorded under another version, as journeys() shows it; the recorded name if that version does not know the stage, or is NULL; NULL for no stage, an error if there is no such version';

CREATE FUNCTION align.set_agreement_owner(name text, owner regrole) RETURNS int
    AS 'MODULE_PATHNAME', 'align_set_agreement_owner'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;

COMMENT ON FUNCTION align.set_agreement_owner(text, regrole) IS
'changes the owner of an agreement, as a new version with the same content, and returns its number; needs the privileges of the owner and the right to SET ROLE to the new one; nulls are refused';

CREATE FUNCTION align.assign_team(agreement text, team text, role regrole) RETURNS void
    AS 'MODULE_PATHNAME', 'align_assign_team'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;

COMMENT ON FUNCTION align.assign_team(text, text, regrole) IS
'ties a team of an agreement to a database role, replacing any previous one; a null role unties it; needs the privileges of the agreement''s owner';

CREATE FUNCTION align.admit(agreement text, role regrole) RETURNS void
    AS 'MODULE_PATHNAME', 'align_admit'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;

COMMENT ON FUNCTION align.admit(text, regrole) IS
'lets tables whose owner has the privileges of a role be attached to an agreement; needs the privileges of the agreement''s owner; nulls are refused';

CREATE FUNCTION align.dismiss(agreement text, role text) RETURNS void
    AS 'MODULE_PATHNAME', 'align_dismiss'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;

COMMENT ON FUNCTION align.dismiss(text, text) IS
'ends the admission of a role, which need not exist: its tables stay under the last version that fits them, and new versions are not checked against them; needs the privileges of the agreement''s owner; nulls are refused';

-- All users can read agreements through the views; the tables are not accessible.
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
'every version of every agreement and when it is in force; readable by all users';
COMMENT ON COLUMN align.agreements.name IS 'name of the agreement';
COMMENT ON COLUMN align.agreements.version IS 'version, from 1';
COMMENT ON COLUMN align.agreements.valid_from IS 'when the version takes effect';
COMMENT ON COLUMN align.agreements.valid_to IS 'when a later version replaces it, null if none does yet; equal to valid_from if the version never takes effect';
COMMENT ON COLUMN align.agreements.in_force IS 'whether agreed(name) returns this version now';
COMMENT ON COLUMN align.agreements.owner IS 'owner of the agreement as of this version, null if that role does not exist; the owner of the latest version counts';
COMMENT ON COLUMN align.agreements.agreed_by IS 'name of the role that agreed this version';
COMMENT ON COLUMN align.agreements.note IS 'reason for the version, null if none was given';
COMMENT ON COLUMN align.agreements.funnel IS 'what was agreed';
COMMENT ON COLUMN align.agreements.document IS 'what was agreed, as it was written';
COMMENT ON COLUMN align.agreements.owner_name IS 'name of the owner, whether the role exists or not';

CREATE VIEW align.teams AS
    SELECT agreement, team, pg_catalog.to_regrole(pg_catalog.quote_ident(role)) AS role,
           role AS role_name
    FROM align.team;

COMMENT ON VIEW align.teams IS
'database roles to which teams of agreements are tied; readable by all users';
COMMENT ON COLUMN align.teams.agreement IS 'name of the agreement';
COMMENT ON COLUMN align.teams.team IS 'team, as the agreement names it';
COMMENT ON COLUMN align.teams.role IS 'role whose members are the team; null if the role does not exist, in which case the team has no members';
COMMENT ON COLUMN align.teams.role_name IS 'name of the role, whether it exists or not';

CREATE VIEW align.admissions AS
    SELECT agreement, pg_catalog.to_regrole(pg_catalog.quote_ident(role)) AS role,
           role AS role_name
    FROM align.admission
    WHERE dismissed_after IS NULL;

COMMENT ON VIEW align.admissions IS
'roles besides the owner whose tables can be attached to an agreement; readable by all users';
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
'what an agreement would have refused or missed in existing data: the query returns (lead, at, stage [, team [, reason]]) by position and runs read-only with the caller''s privileges; one row per broken rule and move and per missed service level, with the leads and entries concerned, their share of all leads and up to 5 keys; nulls are refused';
