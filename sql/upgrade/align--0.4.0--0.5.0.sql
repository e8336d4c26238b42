\echo Use "ALTER EXTENSION align UPDATE TO '0.5.0'" to load this file. \quit

CREATE FUNCTION align.missing_needs(lead_row record, funnel align.funnel, stage text) RETURNS text[]
    AS 'MODULE_PATHNAME', 'align_missing_needs'
    LANGUAGE C STABLE STRICT PARALLEL UNSAFE COST 50;

-- Comments that are new or read otherwise ("make delta").
