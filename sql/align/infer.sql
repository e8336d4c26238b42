/* infer: process discovery */

CREATE FUNCTION align.infer_transition(internal, align.lead, text[], text[], float8) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_infer_transition'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION align.infer_transition(internal, align.lead, text[], text[], float8) IS
'Transition function of infer_agg. Not to be called directly.';

CREATE FUNCTION align.infer_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_infer_combine'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION align.infer_combine(internal, internal) IS
'Combine function of infer_agg. Not to be called directly.';

CREATE FUNCTION align.infer_serialize(internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'align_infer_serialize'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION align.infer_serialize(internal) IS
'Serialisation function of infer_agg. Not to be called directly.';

CREATE FUNCTION align.infer_deserialize(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_infer_deserialize'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION align.infer_deserialize(bytea, internal) IS
'Deserialisation function of infer_agg. Not to be called directly.';

CREATE FUNCTION align.infer_final(internal) RETURNS text
	AS 'MODULE_PATHNAME', 'align_infer_final'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION align.infer_final(internal) IS
'Final function of infer_agg. Not to be called directly.';

/* SSPACE: some ten stages and fifty moves, in their hash tables */
CREATE AGGREGATE align.infer_agg(lead align.lead, won text[], lost text[], min_share float8) (
	SFUNC = align.infer_transition,
	STYPE = internal,
	SSPACE = 8192,
	FINALFUNC = align.infer_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.infer_combine,
	SERIALFUNC = align.infer_serialize,
	DESERIALFUNC = align.infer_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.infer_agg(align.lead, text[], text[], float8) IS
'Process discovery: a draft agreement, as text that the type funnel reads, which the observed journeys already follow.
lead: journeys; NULL ones are ignored, those without a stage are counted in a comment only.
won, lost: the labels that mean won and lost; NULL or empty: won is guessed (a comment says so), nothing is lost.
min_share: 0 to 1, NULL means 0.01; a move is rare, and becomes a comment with its count, if less than this share of the leads that were ever in the stage it leaves made it. With 0 every observed journey fits the draft.
won, lost and min_share must be the same for all rows. NULL if no lead ever entered a stage.';
