\echo Use "ALTER EXTENSION align UPDATE TO '0.5.0'" to load this file. \quit

CREATE FUNCTION align.make_campaign(source text, medium text, name text, id text DEFAULT NULL) RETURNS align.campaign
	AS 'MODULE_PATHNAME', 'align_make_campaign'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;

CREATE FUNCTION align.campaign_key(campaign align.campaign) RETURNS text
	AS 'MODULE_PATHNAME', 'align_campaign_key'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;

CREATE FUNCTION align.missing_needs(lead_row record, funnel align.funnel, stage text) RETURNS text[]
    AS 'MODULE_PATHNAME', 'align_missing_needs'
    LANGUAGE C STABLE STRICT PARALLEL UNSAFE COST 50;

-- Comments that are new or read otherwise ("make delta").
