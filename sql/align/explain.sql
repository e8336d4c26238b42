-- Verdicts: who is acting, dry runs

CREATE FUNCTION align.team_announce() RETURNS trigger
    AS 'MODULE_PATHNAME', 'align_team_announce'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1;

COMMENT ON FUNCTION align.team_announce() IS
'trigger on align.team and align.admission: has every session read their rows again';

-- by row, so that logical replication fires it too
CREATE TRIGGER team_announce AFTER INSERT OR UPDATE OR DELETE ON align.team
    FOR EACH ROW EXECUTE FUNCTION align.team_announce();
ALTER TABLE align.team ENABLE ALWAYS TRIGGER team_announce;

COMMENT ON TRIGGER team_announce ON align.team IS 'the roles of teams reach the caches of all sessions';

CREATE TRIGGER admission_announce AFTER INSERT OR UPDATE OR DELETE ON align.admission
    FOR EACH ROW EXECUTE FUNCTION align.team_announce();
ALTER TABLE align.admission ENABLE ALWAYS TRIGGER admission_announce;

COMMENT ON TRIGGER admission_announce ON align.admission IS 'admissions reach the caches of all sessions';

CREATE FUNCTION align.explain_move(relation regclass, key "any", stage text, reason text DEFAULT NULL)
    RETURNS TABLE (allowed boolean, rule text, message text, detail text, hint text)
    AS 'MODULE_PATHNAME', 'align_explain_move'
    LANGUAGE C STABLE PARALLEL UNSAFE COST 1000 ROWS 1;

COMMENT ON FUNCTION align.explain_move(regclass, "any", text, text) IS
'would the agreement in force now let this lead move to this stage, for this reason (null: the one in its row)?  One row with allowed = true, or one per broken rule, the gravest first, in the words of the triggers; reads the row with the caller''s rights, writes nothing; a null stage asks whether the lead may leave the funnel; raises if there is no such lead or the table is not attached';
