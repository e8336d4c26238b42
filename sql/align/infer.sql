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
'Draft agreement that the journeys follow, as text for type funnel: won and lost list labels (won is guessed if NULL or empty), and moves below min_share (0 to 1, NULL is 0.01) are only comments. These three must be the same for all rows; NULL if no lead ever entered a stage';
