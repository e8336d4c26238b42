-- Caches of teams and admissions; dry runs of moves

CREATE FUNCTION align.team_announce() RETURNS trigger
    AS 'MODULE_PATHNAME', 'align_team_announce'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1;

COMMENT ON FUNCTION align.team_announce() IS
'trigger function of align.team and align.admission: makes every session read their rows again';

-- a row trigger, as logical replication does not fire statement triggers
CREATE TRIGGER team_announce AFTER INSERT OR UPDATE OR DELETE ON align.team
    FOR EACH ROW EXECUTE FUNCTION align.team_announce();
ALTER TABLE align.team ENABLE ALWAYS TRIGGER team_announce;

COMMENT ON TRIGGER team_announce ON align.team IS 'makes every session read the roles of teams again';

CREATE TRIGGER admission_announce AFTER INSERT OR UPDATE OR DELETE ON align.admission
    FOR EACH ROW EXECUTE FUNCTION align.team_announce();
ALTER TABLE align.admission ENABLE ALWAYS TRIGGER admission_announce;

COMMENT ON TRIGGER admission_announce ON align.admission IS 'makes every session read the admissions again';

CREATE FUNCTION align.explain_move(relation regclass, key "any", stage text, reason text DEFAULT NULL)
    RETURNS TABLE (allowed boolean, rule text, message text, detail text, hint text)
    AS 'MODULE_PATHNAME', 'align_explain_move'
    LANGUAGE C STABLE PARALLEL UNSAFE COST 1000 ROWS 1;

COMMENT ON FUNCTION align.explain_move(regclass, "any", text, text) IS
'whether a lead may move to a stage under the version of the agreement that judges now: one row with allowed = true, or one row per broken rule, the gravest first. A NULL stage asks whether the lead may leave the funnel; a NULL reason is none: the one in its row is that of an earlier change';

-- With a key of type text beside "any", a parameter of a driver, which has no type, is text.
CREATE FUNCTION align.explain_move(relation regclass, key text, stage text, reason text DEFAULT NULL)
    RETURNS TABLE (allowed boolean, rule text, message text, detail text, hint text)
    AS 'MODULE_PATHNAME', 'align_explain_move'
    LANGUAGE C STABLE PARALLEL UNSAFE COST 1000 ROWS 1;

COMMENT ON FUNCTION align.explain_move(regclass, text, text, text) IS
'the same with the key as text, and for parameters without a type';

CREATE FUNCTION align.dry_run(relation regclass, query text)
    RETURNS TABLE (row_no bigint, key jsonb, rule text, mode text, from_stage text, stage text,
                   message text, detail text, hint text)
    AS 'MODULE_PATHNAME', 'align_dry_run'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000 ROWS 50;

COMMENT ON FUNCTION align.dry_run(regclass, text) IS
'the rules that a load would break: a query returns rows with columns of an attached table, by name, which are judged as if each were inserted, or updated the row with its key; one row per broken rule, with its mode. Nothing is written; NULLs are errors';

CREATE FUNCTION align.missing_needs(lead_row record, funnel align.funnel, stage text) RETURNS text[]
    AS 'MODULE_PATHNAME', 'align_missing_needs'
    LANGUAGE C STABLE STRICT PARALLEL UNSAFE COST 50;

COMMENT ON FUNCTION align.missing_needs(record, align.funnel, text) IS
'what a stage needs, as written in the agreement, that a row of a table does not have; empty if it has all, or if the agreement does not know the stage';
