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

COMMENT ON FUNCTION align.lead_agg_trans(internal, timestamptz, text, text, text, text, numeric, bigint, text[], integer) IS
'transition function of the aggregate lead_agg(at, stage, team, reason, campaign, amount, ordinal, segments, version)';
COMMENT ON AGGREGATE align.lead_agg(timestamptz, text, text, text, text, numeric, bigint, text[], integer) IS
'the same as lead_agg(at, stage, team, reason, campaign, amount, ordinal, segments) with the version of the agreement that judged the entry, which must be positive or NULL: all that entries(lead) returns';
COMMENT ON FUNCTION align.carried_stage(text, text, int, text, int) IS
'the name that a version of an agreement (to_agreement, to_version) has for a stage that was recorded under another version, as journeys() shows it; the recorded name if that version does not know the stage, or is NULL; NULL for no stage, an error if there is no such version';
/* funnels over the rows of an event table */
/* patterns of events over the rows of an event table */
/* incidence: a mergeable summary of when leads reach an outcome */
/* process: which stage follows which, how often and how fast */
/* paths: a mergeable summary of the channels that leads came by */
