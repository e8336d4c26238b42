-- Reading history and clocks

CREATE FUNCTION align.journeys(relation regclass)
    RETURNS TABLE (key jsonb, lead align.lead)
    AS 'MODULE_PATHNAME', 'align_journeys'
    LANGUAGE C STABLE PARALLEL UNSAFE COST 100000 ROWS 10000;

COMMENT ON FUNCTION align.journeys(regclass) IS
'the recorded journeys of an attached table, one row per lead in order of the key: stage entries and touches at their effective_at, with entry_no as ordinal, and stages by their names of today. Reads the history with the privileges of the caller; NULL is an error';

-- A function with an argument "key" cannot declare a result column of that name.
CREATE TYPE align.journeys_row AS (key jsonb, lead align.lead);

COMMENT ON TYPE align.journeys_row IS 'row type of journeys(regclass, "any")';

CREATE FUNCTION align.journeys(relation regclass, key "any")
    RETURNS SETOF align.journeys_row
    AS 'MODULE_PATHNAME', 'align_journeys_of_key'
    LANGUAGE C STABLE PARALLEL UNSAFE COST 100 ROWS 1;

COMMENT ON FUNCTION align.journeys(regclass, "any") IS
'the recorded journey of one lead, as journeys(regclass) returns it, read through an index; no row if it has none. NULLs are errors';

CREATE FUNCTION align.journeys(relation regclass, key text)
    RETURNS SETOF align.journeys_row
    AS 'MODULE_PATHNAME', 'align_journeys_of_key'
    LANGUAGE C STABLE PARALLEL UNSAFE COST 100 ROWS 1;

COMMENT ON FUNCTION align.journeys(regclass, text) IS
'the same with the key as text, and for parameters without a type';

CREATE FUNCTION align.clocks(relation regclass, as_of timestamptz DEFAULT pg_catalog.now())
    RETURNS TABLE (key jsonb, sla text, cycle int, team text, assignee text,
                   started_at timestamptz, due_at timestamptz, warn_at timestamptz,
                   elapsed interval, remaining interval, overrun interval, state text, version int)
    AS 'MODULE_PATHNAME', 'align_clocks'
    LANGUAGE C STABLE PARALLEL UNSAFE COST 10000 ROWS 500;

COMMENT ON FUNCTION align.clocks(regclass, timestamptz) IS
'the service-level clocks of an attached table that were open at a time, by what is recorded now, as they were then: with elapsed and remaining in working or elapsed time as promised, and the state running, at_risk, overdue or paused; NULLs and an infinite as_of are errors';

CREATE TYPE align.clocks_row AS
    (key jsonb, sla text, cycle int, team text, assignee text,
     started_at timestamptz, due_at timestamptz, warn_at timestamptz,
     elapsed interval, remaining interval, overrun interval, state text, version int);

COMMENT ON TYPE align.clocks_row IS 'row type of clocks(regclass, timestamptz, "any")';

CREATE FUNCTION align.clocks(relation regclass, as_of timestamptz, key "any")
    RETURNS SETOF align.clocks_row
    AS 'MODULE_PATHNAME', 'align_clocks_of_key'
    LANGUAGE C STABLE PARALLEL UNSAFE COST 100 ROWS 2;

COMMENT ON FUNCTION align.clocks(regclass, timestamptz, "any") IS
'the service-level clocks of one lead that were open at a time, as clocks(regclass, timestamptz) returns them, read through an index. NULLs and an infinite as_of are errors';

CREATE FUNCTION align.clocks(relation regclass, as_of timestamptz, key text)
    RETURNS SETOF align.clocks_row
    AS 'MODULE_PATHNAME', 'align_clocks_of_key'
    LANGUAGE C STABLE PARALLEL UNSAFE COST 100 ROWS 2;

COMMENT ON FUNCTION align.clocks(regclass, timestamptz, text) IS
'the same with the key as text, and for parameters without a type';

CREATE FUNCTION align.check(relation regclass)
    RETURNS TABLE (key jsonb, problem text, recorded text, expected text)
    AS 'MODULE_PATHNAME', 'align_check'
    LANGUAGE C STABLE PARALLEL UNSAFE COST 1000000 ROWS 1;

COMMENT ON FUNCTION align.check(regclass) IS
'the differences between an attached table, its history and its clocks, one row each; there are none unless triggers were bypassed. The caller must be able to see all rows of the three tables; NULL is an error';

CREATE FUNCTION align.backtest(relation regclass, funnel align.funnel)
    RETURNS TABLE (rule text, from_stage text, stage text, leads bigint, entries bigint,
                   share float8, examples text[])
    AS 'MODULE_PATHNAME', 'align_backtest_relation'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000 ROWS 50;

COMMENT ON FUNCTION align.backtest(regclass, align.funnel) IS
'what an agreement would have refused or missed in the recorded history of an attached table, as backtest(text, align.funnel) returns it for a query. Who moved a lead is not judged; NULLs are errors';
