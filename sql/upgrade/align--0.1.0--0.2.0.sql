\echo Use "ALTER EXTENSION align UPDATE TO '0.2.0'" to load this file. \quit

-- The modules that are new, as they are in the install script ("make delta").
-- Tables under an agreement

CREATE FUNCTION align.attachment() RETURNS trigger
    AS 'MODULE_PATHNAME', 'align_attachment_marker'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1;

COMMENT ON FUNCTION align.attachment() IS
'function of the triggers in which align.attach() writes down what it was told; they never fire, and raise if they do';
-- Verdicts: who is acting, dry runs

CREATE FUNCTION align.team_announce() RETURNS trigger
    AS 'MODULE_PATHNAME', 'align_team_announce'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1;

COMMENT ON FUNCTION align.team_announce() IS
'trigger on align.team: has every session read afresh which role stands for which team';

-- by row, so that logical replication fires it too
CREATE TRIGGER team_announce AFTER INSERT OR UPDATE OR DELETE ON align.team
    FOR EACH ROW EXECUTE FUNCTION align.team_announce();
ALTER TABLE align.team ENABLE ALWAYS TRIGGER team_announce;

COMMENT ON TRIGGER team_announce ON align.team IS 'the roles of teams reach the caches of all sessions';
-- Reading history and clocks
-- Alerts from the outbox
-- Merging and erasing leads
