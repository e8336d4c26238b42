\echo Use "ALTER EXTENSION align UPDATE TO '0.2.1'" to load this file. \quit

-- Owners of agreements and roles of teams become names.  Views of users may depend
-- on the views of align, and these on the columns: the columns of the views keep
-- their types, and let go of the tables while those are altered.

CREATE OR REPLACE VIEW align.agreements AS
    SELECT name, version, valid_from, NULL::timestamptz AS valid_to, NULL::boolean AS in_force,
           NULL::regrole AS owner, agreed_by, note, funnel, document
    FROM align.agreement;

CREATE OR REPLACE VIEW align.teams AS
    SELECT agreement, team, NULL::regrole AS role FROM align.team;

ALTER TABLE align.agreement ALTER COLUMN owner TYPE name USING pg_catalog.pg_get_userbyid(owner);
ALTER TABLE align.team ALTER COLUMN role TYPE name USING pg_catalog.pg_get_userbyid(role);

CREATE OR REPLACE VIEW align.agreements AS
    SELECT name, version, valid_from,
           CASE WHEN next_from IS NOT NULL THEN GREATEST(valid_from, next_from) END AS valid_to,
           valid_from <= pg_catalog.now() AND (next_from IS NULL OR next_from > pg_catalog.now()) AS in_force,
           pg_catalog.to_regrole(pg_catalog.quote_ident(owner)) AS owner, agreed_by, note, funnel, document,
           owner AS owner_name
    FROM (SELECT *, pg_catalog.min(valid_from) OVER (PARTITION BY name ORDER BY version
                        ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS next_from
          FROM align.agreement) AS versions;

CREATE OR REPLACE VIEW align.teams AS
    SELECT agreement, team, pg_catalog.to_regrole(pg_catalog.quote_ident(role)) AS role,
           role AS role_name
    FROM align.team;

-- Admission

CREATE TABLE align.admission (
    agreement text COLLATE "C" NOT NULL,
    role name NOT NULL,
    dismissed_after int,
    PRIMARY KEY (agreement, role)
);

SELECT pg_catalog.pg_extension_config_dump('align.admission', '');

REVOKE ALL ON align.admission FROM PUBLIC;

CREATE VIEW align.admissions AS
    SELECT agreement, pg_catalog.to_regrole(pg_catalog.quote_ident(role)) AS role,
           role AS role_name
    FROM align.admission
    WHERE dismissed_after IS NULL;

GRANT SELECT ON align.admissions TO PUBLIC;

CREATE FUNCTION align.admit(agreement text, role regrole) RETURNS void
    AS 'MODULE_PATHNAME', 'align_admit'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;

CREATE FUNCTION align.dismiss(agreement text, role text) RETURNS void
    AS 'MODULE_PATHNAME', 'align_dismiss'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;

CREATE TRIGGER admission_announce AFTER INSERT OR UPDATE OR DELETE ON align.admission
    FOR EACH ROW EXECUTE FUNCTION align.team_announce();
ALTER TABLE align.admission ENABLE ALWAYS TRIGGER admission_announce;

CREATE FUNCTION align.purge(relation regclass, before timestamptz) RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_purge'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000;

CREATE FUNCTION align.rebuild_clocks(relation regclass) RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_rebuild_clocks'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000;

-- Journeys and clocks of one lead

CREATE TYPE align.journeys_row AS (key jsonb, lead align.lead);

CREATE FUNCTION align.journeys(relation regclass, key "any")
    RETURNS SETOF align.journeys_row
    AS 'MODULE_PATHNAME', 'align_journeys_of_key'
    LANGUAGE C STABLE PARALLEL UNSAFE COST 100 ROWS 1;

CREATE TYPE align.clocks_row AS
    (key jsonb, sla text, cycle int, team text, assignee text,
     started_at timestamptz, due_at timestamptz, warn_at timestamptz,
     elapsed interval, remaining interval, overrun interval, state text, version int);

CREATE FUNCTION align.clocks(relation regclass, as_of timestamptz, key "any")
    RETURNS SETOF align.clocks_row
    AS 'MODULE_PATHNAME', 'align_clocks_of_key'
    LANGUAGE C STABLE PARALLEL UNSAFE COST 100 ROWS 2;

-- Tables that are attached already.  Temporary ones, which cannot be attached any
-- more, are left alone: they belong to other sessions.

-- Their owners are admitted; the owner of the agreement may dismiss them.
INSERT INTO align.admission (agreement, role)
SELECT DISTINCT a.agreement, pg_catalog.pg_get_userbyid(c.relowner)
FROM align.attached_tables() AS a
JOIN pg_catalog.pg_class AS c ON c.oid = a.relation
JOIN (SELECT DISTINCT ON (name) name, owner FROM align.agreement ORDER BY name, version DESC) AS latest
    ON latest.name = a.agreement
WHERE latest.owner <> pg_catalog.pg_get_userbyid(c.relowner) AND c.relpersistence <> 't';

-- History and clock table point back to their table, as align.attach() has them do,
-- where it is certain which one that is.  Names come from users, so every one is
-- quoted; the arguments of the marker are read from the catalog, byte by byte, rather
-- than cut from the text of a definition.
DO $do$
DECLARE
    attached record;
    record_table regclass;
    arguments text;
    rest bytea;
    piece bytea;
BEGIN
    FOR attached IN
        SELECT a.relation, a.history, a.sla, t.tgargs,
               a.history <> a.sla
               AND NOT EXISTS (SELECT FROM align.attached_tables() AS other
                               WHERE other.relation <> a.relation
                                 AND (other.history IN (a.history, a.sla) OR other.sla IN (a.history, a.sla)))
               AND NOT EXISTS (SELECT FROM align.attached_tables() AS other
                               WHERE other.relation IN (a.history, a.sla))
               AND (SELECT pg_catalog.count(*) = 3 AND pg_catalog.count(DISTINCT c.relowner) = 1
                    FROM pg_catalog.pg_class AS c
                    WHERE c.oid IN (a.relation, a.history, a.sla) AND c.relkind IN ('r', 'p'))
               AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger AS taken
                               WHERE taken.tgrelid IN (a.history, a.sla) AND taken.tgname = 'align_history_of'
                                 AND (taken.tgfoid <> t.tgfoid OR taken.tgconstrrelid <> a.relation OR taken.tgargs <> t.tgargs))
               AS certain
        FROM align.attached_tables() AS a
        JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = a.relation AND t.tgname = 'align_attachment'
        JOIN pg_catalog.pg_class AS root ON root.oid = a.relation AND root.relpersistence <> 't'
        ORDER BY a.relation
    LOOP
        IF NOT attached.certain THEN
            RAISE WARNING 'table % is not tied to its history % and clock table %', attached.relation, attached.history, attached.sla
                USING DETAIL = 'The three do not have one owner, or another table is attached with the same history or clock table. Changes of the table are refused until it is tied.',
                      HINT = 'Call align.detach() for tables that should not be attached and, as the owner of this one, align.attach() again.';
            CONTINUE;
        END IF;
        arguments := '';
        rest := attached.tgargs;
        WHILE pg_catalog.length(rest) > 0 LOOP
            piece := pg_catalog.substring(rest, 1, position(E'\\000'::bytea IN rest) - 1);
            rest := pg_catalog.substring(rest, pg_catalog.length(piece) + 2);
            arguments := arguments || CASE WHEN arguments <> '' THEN ', ' ELSE '' END
                || pg_catalog.quote_literal(pg_catalog.convert_from(piece, pg_catalog.getdatabaseencoding()));
        END LOOP;
        FOREACH record_table IN ARRAY ARRAY[attached.history, attached.sla] LOOP
            -- attached with the new library before this update
            CONTINUE WHEN EXISTS (SELECT FROM pg_catalog.pg_trigger
                                  WHERE tgrelid = record_table AND tgname = 'align_history_of');
            EXECUTE pg_catalog.format('CREATE CONSTRAINT TRIGGER align_history_of AFTER DELETE ON %s FROM %s '
                'FOR EACH ROW WHEN (false) EXECUTE FUNCTION align.attachment(%s)',
                record_table, attached.relation, arguments);
            EXECUTE pg_catalog.format('COMMENT ON TRIGGER align_history_of ON %s IS %L',
                record_table, 'the table to which this one belongs; never fires');
        END LOOP;
    END LOOP;
END $do$;

-- Every attached table says when a statement begins, which so far partitioned ones
-- did.  The trigger is enabled as the one that says when it ends.
DO $do$
DECLARE
    attached record;
BEGIN
    FOR attached IN
        SELECT a.relation, begins.tgname IS NOT NULL AND begins.tgfoid <> flush.tgfoid AS taken,
               CASE flush.tgenabled WHEN 'A' THEN 'ENABLE ALWAYS' WHEN 'R' THEN 'ENABLE REPLICA'
                                    WHEN 'D' THEN 'DISABLE' END AS enabled
        FROM align.attached_tables() AS a
        JOIN pg_catalog.pg_class AS root ON root.oid = a.relation AND root.relpersistence <> 't'
        JOIN pg_catalog.pg_trigger AS flush ON flush.tgrelid = a.relation AND flush.tgname = 'align_flush'
            AND flush.tgfoid = 'align.record_statement()'::regprocedure
        LEFT JOIN pg_catalog.pg_trigger AS begins ON begins.tgrelid = a.relation AND begins.tgname = 'align_begin'
        ORDER BY a.relation
    LOOP
        IF attached.taken THEN
            RAISE WARNING 'table % has a trigger "align_begin" that is not of align', attached.relation
                USING HINT = 'Rename that trigger and call align.attach() again.';
            CONTINUE;
        END IF;
        EXECUTE pg_catalog.format('CREATE OR REPLACE TRIGGER align_begin BEFORE INSERT OR UPDATE OR DELETE ON %s '
            'FOR EACH STATEMENT EXECUTE FUNCTION align.record_statement()', attached.relation);
        EXECUTE pg_catalog.format('COMMENT ON TRIGGER align_begin ON %s IS %L',
            attached.relation, 'align: a statement on the table begins');
        IF attached.enabled IS NOT NULL THEN
            EXECUTE pg_catalog.format('ALTER TABLE %s %s TRIGGER align_begin', attached.relation, attached.enabled);
        END IF;
    END LOOP;
END $do$;

-- Comments that are new or read otherwise ("make delta").

COMMENT ON COLUMN align.agreement.owner IS
'name of the role whose members may agree the next version; that of the latest version counts';
COMMENT ON COLUMN align.team.role IS
'name of the role whose members are the team; if the role does not exist, the team has no members';
COMMENT ON TABLE align.admission IS
'the roles whose tables may be attached to an agreement besides those of its owner, written by align.admit() and align.dismiss() only';
COMMENT ON COLUMN align.admission.agreement IS
'name of the agreement';
COMMENT ON COLUMN align.admission.role IS
'name of the role';
COMMENT ON COLUMN align.admission.dismissed_after IS
'null while the role is admitted; else the latest version when it was dismissed';
COMMENT ON FUNCTION align.admit(text, regrole) IS
'lets tables whose owner has the privileges of a role be attached to an agreement; needs the privileges of the agreement''s owner; nulls are refused';
COMMENT ON FUNCTION align.dismiss(text, text) IS
'ends the admission of a role, which need not exist any more: its tables stay under the last version that fits them, and new versions are not checked against them; needs the privileges of the agreement''s owner; nulls are refused';
COMMENT ON COLUMN align.agreements.owner IS
'owner of the name as of this version, null if that role does not exist; that of the latest counts';
COMMENT ON COLUMN align.agreements.owner_name IS
'name of the owner, whether the role exists or not';
COMMENT ON COLUMN align.teams.role IS
'role whose members are the team; null if it does not exist: then the team has no members';
COMMENT ON COLUMN align.teams.role_name IS
'name of the role, whether it exists or not';
COMMENT ON VIEW align.admissions IS
'the roles whose tables may be attached to an agreement besides those of its owner, for everyone to read';
COMMENT ON COLUMN align.admissions.agreement IS
'name of the agreement';
COMMENT ON COLUMN align.admissions.role IS
'role that is admitted; null if it does not exist';
COMMENT ON COLUMN align.admissions.role_name IS
'name of the role, whether it exists or not';
COMMENT ON FUNCTION align.team_announce() IS
'trigger on align.team and align.admission: has every session read their rows again';
COMMENT ON TRIGGER admission_announce ON align.admission IS
'admissions reach the caches of all sessions';
COMMENT ON FUNCTION align.purge(regclass, timestamptz) IS
'deletes entries and clocks of all leads whose last life ended (they were deleted, truncated or ceased to be live) before an instant that is not in the future, and returns how many rows it deleted; for the owner of the table; nulls are refused';
