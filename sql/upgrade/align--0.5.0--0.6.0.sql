\echo Use "ALTER EXTENSION align UPDATE TO '0.6.0'" to load this file. \quit

CREATE FUNCTION align.lead_agg_trans(internal, timestamptz, text, text, text, text, numeric, bigint, text[], integer) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_lead_agg_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;

CREATE AGGREGATE align.lead_agg(at timestamptz, stage text, team text, reason text, campaign text, amount numeric, ordinal bigint, segments text[], version integer) (
	SFUNC = align.lead_agg_trans, STYPE = internal, SSPACE = 1800,
	FINALFUNC = align.lead_agg_final, FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.lead_agg_combine,
	SERIALFUNC = align.lead_agg_serialise, DESERIALFUNC = align.lead_agg_deserialise,
	PARALLEL = SAFE
);

CREATE FUNCTION align.carried_stage(stage text, agreement text, version int, to_agreement text, to_version int) RETURNS text
    AS 'MODULE_PATHNAME', 'align_carried_stage'
    LANGUAGE C STABLE PARALLEL SAFE COST 2;

-- Comments that are new or read otherwise ("make delta").

/* funnels over the rows of an event table */
/* patterns of events over the rows of an event table */
/* incidence: a mergeable summary of when leads reach an outcome */
/* process: which stage follows which, how often and how fast */
/* paths: a mergeable summary of the channels that leads came by */
