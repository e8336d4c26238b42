\echo Use "ALTER EXTENSION align UPDATE TO '0.5.0'" to load this file. \quit

CREATE FUNCTION align.make_campaign(source text, medium text, name text, id text DEFAULT NULL) RETURNS align.campaign
	AS 'MODULE_PATHNAME', 'align_make_campaign'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;

CREATE FUNCTION align.campaign_key(campaign align.campaign) RETURNS text
	AS 'MODULE_PATHNAME', 'align_campaign_key'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;

-- Comments that are new or read otherwise ("make delta").
