-- Reading history and clocks

CREATE FUNCTION align.journeys(relation regclass)
    RETURNS TABLE (key jsonb, lead align.lead)
    AS 'MODULE_PATHNAME', 'align_journeys'
    LANGUAGE C STABLE PARALLEL UNSAFE COST 100000 ROWS 10000;

COMMENT ON FUNCTION align.journeys(regclass) IS
'the recorded journeys of an attached table as values of type lead, one row per lead in order of the key: key by column name ({"id": 42}); stage entries and touches of the history at their effective_at, with entry_no as ordinal, team, reason, campaign, amount and version; changes of owner or key, and what was changed in rows that are not live, are left out. Reads the history with the caller''s rights; null is an error';

-- A function with an argument "key" cannot declare a result column of that name.
CREATE TYPE align.journeys_row AS (key jsonb, lead align.lead);

COMMENT ON TYPE align.journeys_row IS 'row type of journeys(regclass, "any")';

CREATE FUNCTION align.journeys(relation regclass, key "any")
    RETURNS SETOF align.journeys_row
    AS 'MODULE_PATHNAME', 'align_journeys_of_key'
    LANGUAGE C STABLE PARALLEL UNSAFE COST 100 ROWS 1;

COMMENT ON FUNCTION align.journeys(regclass, "any") IS
'the recorded journey of one lead, as journeys(regclass) returns it, read through an index; no row if nothing is recorded of it; nulls are errors';

CREATE FUNCTION align.clocks(relation regclass, as_of timestamptz DEFAULT pg_catalog.now())
    RETURNS TABLE (key jsonb, sla text, cycle int, team text, assignee text,
                   started_at timestamptz, due_at timestamptz, warn_at timestamptz,
                   elapsed interval, remaining interval, overrun interval, state text, version int)
    AS 'MODULE_PATHNAME', 'align_clocks'
    LANGUAGE C STABLE PARALLEL UNSAFE COST 10000 ROWS 500;

COMMENT ON FUNCTION align.clocks(regclass, timestamptz) IS
'the service-level clocks of an attached table that are open, as of an instant (one before a clock''s last event counts as that), in no particular order: team that promised, assignee who holds the lead (once it is overdue: who held it at the due instant), elapsed, remaining (negative once overdue) and overrun (zero until then) in the promise''s own kind of time, state running, at_risk, overdue or paused, version of the agreement it runs under; due_at and warn_at of a paused clock are what they would be if it resumed at as_of. Reads the open clocks alone, with the caller''s rights; null and infinite as_of are errors';

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
'the open clocks of one lead, as clocks(regclass, timestamptz) returns them, read through an index; nulls and infinite as_of are errors';

CREATE FUNCTION align.check(relation regclass)
    RETURNS TABLE (key jsonb, problem text, recorded text, expected text)
    AS 'MODULE_PATHNAME', 'align_check'
    LANGUAGE C STABLE PARALLEL UNSAFE COST 1000000 ROWS 1;

COMMENT ON FUNCTION align.check(regclass) IS
'differences between an attached table, its history and its clocks, of which there are none unless something went round the triggers: one row per difference, with the key of the lead (null: of the table as such), what is wrong (missing_trigger, disabled_trigger, missing_history, missing_end, row_stage, row_team, row_assignee, unknown_stage, entry_no, recorded_at, event, version, from_stage, violation, clock, missing_clock, extra_clock, stray_clock), what was recorded and what follows from the rest. Reads all three tables from one snapshot with the caller''s rights, who must see all rows; null is an error';

CREATE FUNCTION align.backtest(relation regclass, funnel align.funnel)
    RETURNS TABLE (rule text, from_stage text, stage text, leads bigint, entries bigint,
                   share float8, examples text[])
    AS 'MODULE_PATHNAME', 'align_backtest_relation'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000 ROWS 50;

COMMENT ON FUNCTION align.backtest(regclass, align.funnel) IS
'what an agreement would have refused or missed in the recorded history of an attached table: as backtest(text, funnel) of its journeys, without judging who moved the lead; a service level that is open counts as missed if it is overdue at the largest time in the history, unless the lead is gone. Reads the history with the caller''s rights; nulls are refused';
