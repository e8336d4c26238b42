/* lead: one lead's journey */

CREATE TYPE align.lead;

CREATE FUNCTION align.lead_in(cstring) RETURNS align.lead
	AS 'MODULE_PATHNAME', 'align_lead_in'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.lead_in(cstring) IS
	'input function of type align.lead';

CREATE FUNCTION align.lead_out(align.lead) RETURNS cstring
	AS 'MODULE_PATHNAME', 'align_lead_out'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.lead_out(align.lead) IS
	'output function of type align.lead';

CREATE FUNCTION align.lead_recv(internal) RETURNS align.lead
	AS 'MODULE_PATHNAME', 'align_lead_recv'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.lead_recv(internal) IS
	'binary input function of type align.lead; checks everything that the text form checks';

CREATE FUNCTION align.lead_send(align.lead) RETURNS bytea
	AS 'MODULE_PATHNAME', 'align_lead_send'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.lead_send(align.lead) IS
	'binary output function of type align.lead: a version byte and the stored form, strings in the client encoding';

CREATE TYPE align.lead (
	INPUT = align.lead_in,
	OUTPUT = align.lead_out,
	RECEIVE = align.lead_recv,
	SEND = align.lead_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);
COMMENT ON TYPE align.lead IS
	'one lead''s journey: its stage entries and campaign touches in order, such as {2026-03-01T09:00:00Z inquiry ~ "utm_source=google", 2026-03-02T10:00:00Z mql by marketing}';

/* comparison: by bytes, for sorting, grouping and DISTINCT */

CREATE FUNCTION align.lead_eq(align.lead, align.lead) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_eq'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.lead_eq(align.lead, align.lead) IS
	'implementation of the operator =';

CREATE FUNCTION align.lead_ne(align.lead, align.lead) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_ne'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.lead_ne(align.lead, align.lead) IS
	'implementation of the operator <>';

CREATE FUNCTION align.lead_lt(align.lead, align.lead) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_lt'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.lead_lt(align.lead, align.lead) IS
	'implementation of the operator <';

CREATE FUNCTION align.lead_le(align.lead, align.lead) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_le'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.lead_le(align.lead, align.lead) IS
	'implementation of the operator <=';

CREATE FUNCTION align.lead_gt(align.lead, align.lead) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_gt'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.lead_gt(align.lead, align.lead) IS
	'implementation of the operator >';

CREATE FUNCTION align.lead_ge(align.lead, align.lead) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_ge'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.lead_ge(align.lead, align.lead) IS
	'implementation of the operator >=';

CREATE FUNCTION align.lead_cmp(align.lead, align.lead) RETURNS integer
	AS 'MODULE_PATHNAME', 'align_value_cmp'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.lead_cmp(align.lead, align.lead) IS
	'less, equal or greater (-1, 0, 1) by bytes; for btree';

CREATE FUNCTION align.lead_hash(align.lead) RETURNS integer
	AS 'MODULE_PATHNAME', 'align_value_hash'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.lead_hash(align.lead) IS
	'hash value, for hash joins and grouping';

CREATE FUNCTION align.lead_hash_extended(align.lead, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'align_value_hash_extended'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.lead_hash_extended(align.lead, bigint) IS
	'64-bit hash value with a seed, for hash partitioning';

CREATE OPERATOR align.= (
	FUNCTION = align.lead_eq, LEFTARG = align.lead, RIGHTARG = align.lead,
	COMMUTATOR = OPERATOR(align.=), NEGATOR = OPERATOR(align.<>),
	RESTRICT = eqsel, JOIN = eqjoinsel,
	HASHES, MERGES
);
COMMENT ON OPERATOR align.= (align.lead, align.lead) IS 'equal, comparing bytes';

CREATE OPERATOR align.<> (
	FUNCTION = align.lead_ne, LEFTARG = align.lead, RIGHTARG = align.lead,
	COMMUTATOR = OPERATOR(align.<>), NEGATOR = OPERATOR(align.=),
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR align.<> (align.lead, align.lead) IS 'not equal, comparing bytes';

CREATE OPERATOR align.< (
	FUNCTION = align.lead_lt, LEFTARG = align.lead, RIGHTARG = align.lead,
	COMMUTATOR = OPERATOR(align.>), NEGATOR = OPERATOR(align.>=),
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR align.< (align.lead, align.lead) IS 'less than, comparing bytes';

CREATE OPERATOR align.<= (
	FUNCTION = align.lead_le, LEFTARG = align.lead, RIGHTARG = align.lead,
	COMMUTATOR = OPERATOR(align.>=), NEGATOR = OPERATOR(align.>),
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR align.<= (align.lead, align.lead) IS 'less than or equal, comparing bytes';

CREATE OPERATOR align.> (
	FUNCTION = align.lead_gt, LEFTARG = align.lead, RIGHTARG = align.lead,
	COMMUTATOR = OPERATOR(align.<), NEGATOR = OPERATOR(align.<=),
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR align.> (align.lead, align.lead) IS 'greater than, comparing bytes';

CREATE OPERATOR align.>= (
	FUNCTION = align.lead_ge, LEFTARG = align.lead, RIGHTARG = align.lead,
	COMMUTATOR = OPERATOR(align.<=), NEGATOR = OPERATOR(align.<),
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR align.>= (align.lead, align.lead) IS 'greater than or equal, comparing bytes';

CREATE OPERATOR CLASS align.lead_ops DEFAULT FOR TYPE align.lead USING btree AS
	OPERATOR 1 align.<, OPERATOR 2 align.<=, OPERATOR 3 align.=,
	OPERATOR 4 align.>=, OPERATOR 5 align.>,
	FUNCTION 1 align.lead_cmp(align.lead, align.lead);
COMMENT ON OPERATOR CLASS align.lead_ops USING btree IS
	'order of leads by bytes, for sorting and DISTINCT; a long journey does not fit an index row';

CREATE OPERATOR CLASS align.lead_ops DEFAULT FOR TYPE align.lead USING hash AS
	OPERATOR 1 align.=,
	FUNCTION 1 align.lead_hash(align.lead),
	FUNCTION 2 align.lead_hash_extended(align.lead, bigint);
COMMENT ON OPERATOR CLASS align.lead_ops USING hash IS
	'hashing of leads, for joins, grouping and hash indexes';

/* building leads */

CREATE FUNCTION align.lead_agg_trans(internal, timestamptz, text) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_lead_agg_stage_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION align.lead_agg_trans(internal, timestamptz, text) IS
	'transition function of the aggregate lead_agg(at, stage)';

CREATE FUNCTION align.lead_agg_trans(internal, timestamptz, text, text, text) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_lead_agg_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.lead_agg_trans(internal, timestamptz, text, text, text) IS
	'transition function of the aggregate lead_agg(at, stage, team, reason)';

CREATE FUNCTION align.lead_agg_trans(internal, timestamptz, text, text, text, text, numeric) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_lead_agg_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.lead_agg_trans(internal, timestamptz, text, text, text, text, numeric) IS
	'transition function of the aggregate lead_agg(at, stage, team, reason, campaign, amount)';

CREATE FUNCTION align.lead_agg_trans(internal, timestamptz, text, bigint) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_lead_agg_ordinal_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.lead_agg_trans(internal, timestamptz, text, bigint) IS
	'transition function of the aggregate lead_agg(at, stage, ordinal)';

CREATE FUNCTION align.lead_agg_trans(internal, timestamptz, text, text, text, text, numeric, bigint, text[]) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_lead_agg_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.lead_agg_trans(internal, timestamptz, text, text, text, text, numeric, bigint, text[]) IS
	'transition function of the aggregate lead_agg(at, stage, team, reason, campaign, amount, ordinal, segments)';

CREATE FUNCTION align.lead_agg_trans(internal, timestamptz, text, text, text, text, numeric, bigint, text[], integer) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_lead_agg_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.lead_agg_trans(internal, timestamptz, text, text, text, text, numeric, bigint, text[], integer) IS
	'transition function of the aggregate lead_agg(at, stage, team, reason, campaign, amount, ordinal, segments, version)';

CREATE FUNCTION align.lead_agg_final(internal) RETURNS align.lead
	AS 'MODULE_PATHNAME', 'align_lead_agg_final'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.lead_agg_final(internal) IS
	'final function of the aggregates lead_agg';

CREATE FUNCTION align.lead_agg_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_lead_agg_combine'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.lead_agg_combine(internal, internal) IS
	'combine function of the aggregates lead_agg and rollup(lead)';

CREATE FUNCTION align.lead_agg_serialise(internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'align_lead_agg_serialise'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.lead_agg_serialise(internal) IS
	'serialisation of the state of the aggregates lead_agg and rollup(lead)';

CREATE FUNCTION align.lead_agg_deserialise(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_lead_agg_deserialise'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.lead_agg_deserialise(bytea, internal) IS
	'deserialisation of the state of the aggregates lead_agg and rollup(lead)';

CREATE FUNCTION align.lead_rollup_trans(internal, align.lead) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_lead_rollup_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.lead_rollup_trans(internal, align.lead) IS
	'transition function of the aggregate rollup(lead)';

CREATE FUNCTION align.lead_rollup_final(internal) RETURNS align.lead
	AS 'MODULE_PATHNAME', 'align_lead_rollup_final'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.lead_rollup_final(internal) IS
	'final function of the aggregate rollup(lead)';

CREATE AGGREGATE align.lead_agg(at timestamptz, stage text) (
	SFUNC = align.lead_agg_trans, STYPE = internal, SSPACE = 700,
	FINALFUNC = align.lead_agg_final, FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.lead_agg_combine,
	SERIALFUNC = align.lead_agg_serialise, DESERIALFUNC = align.lead_agg_deserialise,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.lead_agg(timestamptz, text) IS
	'one lead''s journey from its stage entries in any order; rows with a NULL time or stage are ignored, infinite times are an error; NULL if no row is left';

CREATE AGGREGATE align.lead_agg(at timestamptz, stage text, team text, reason text) (
	SFUNC = align.lead_agg_trans, STYPE = internal, SSPACE = 1200,
	FINALFUNC = align.lead_agg_final, FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.lead_agg_combine,
	SERIALFUNC = align.lead_agg_serialise, DESERIALFUNC = align.lead_agg_deserialise,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.lead_agg(timestamptz, text, text, text) IS
	'the same as lead_agg(at, stage) with the team that made each change and its reason, which may be NULL';

CREATE AGGREGATE align.lead_agg(at timestamptz, stage text, team text, reason text, campaign text, amount numeric) (
	SFUNC = align.lead_agg_trans, STYPE = internal, SSPACE = 1600,
	FINALFUNC = align.lead_agg_final, FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.lead_agg_combine,
	SERIALFUNC = align.lead_agg_serialise, DESERIALFUNC = align.lead_agg_deserialise,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.lead_agg(timestamptz, text, text, text, text, numeric) IS
	'the same as lead_agg(at, stage, team, reason) with campaigns and amounts; a row with a campaign and no stage is a touch, one with neither is ignored, and an amount that is NaN or infinite is an error';

CREATE AGGREGATE align.lead_agg(at timestamptz, stage text, ordinal bigint) (
	SFUNC = align.lead_agg_trans, STYPE = internal, SSPACE = 1200,
	FINALFUNC = align.lead_agg_final, FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.lead_agg_combine,
	SERIALFUNC = align.lead_agg_serialise, DESERIALFUNC = align.lead_agg_deserialise,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.lead_agg(timestamptz, text, bigint) IS
	'the same as lead_agg(at, stage) with a number that decides between equal times, such as the id of a log; it must be positive, and NULL sorts first';

CREATE AGGREGATE align.lead_agg(at timestamptz, stage text, team text, reason text, campaign text, amount numeric, ordinal bigint, segments text[]) (
	SFUNC = align.lead_agg_trans, STYPE = internal, SSPACE = 1800,
	FINALFUNC = align.lead_agg_final, FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.lead_agg_combine,
	SERIALFUNC = align.lead_agg_serialise, DESERIALFUNC = align.lead_agg_deserialise,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.lead_agg(timestamptz, text, text, text, text, numeric, bigint, text[]) IS
	'the same as lead_agg(at, stage, team, reason, campaign, amount) with a number that decides between equal times and the names of the segments that held of the row, in any order; NULL names, and an array without names, are the same as NULL';

CREATE AGGREGATE align.lead_agg(at timestamptz, stage text, team text, reason text, campaign text, amount numeric, ordinal bigint, segments text[], version integer) (
	SFUNC = align.lead_agg_trans, STYPE = internal, SSPACE = 1800,
	FINALFUNC = align.lead_agg_final, FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.lead_agg_combine,
	SERIALFUNC = align.lead_agg_serialise, DESERIALFUNC = align.lead_agg_deserialise,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.lead_agg(timestamptz, text, text, text, text, numeric, bigint, text[], integer) IS
	'the same as lead_agg(at, stage, team, reason, campaign, amount, ordinal, segments) with the version of the agreement that judged the entry, which must be positive or NULL: all that entries(lead) returns';

CREATE AGGREGATE align.rollup(align.lead) (
	SFUNC = align.lead_rollup_trans, STYPE = internal, SSPACE = 1200,
	FINALFUNC = align.lead_rollup_final, FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.lead_agg_combine,
	SERIALFUNC = align.lead_agg_serialise, DESERIALFUNC = align.lead_agg_deserialise,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.rollup(align.lead) IS
	'merges partial journeys of one lead, without exact duplicates; an entry without segments is a duplicate of the same one with them; NULLs are ignored; NULL if there is nothing else';

/* functions of one lead that return one value */

CREATE FUNCTION align.current_stage(lead align.lead) RETURNS text
	AS 'MODULE_PATHNAME', 'align_lead_current_stage'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.current_stage(align.lead) IS
	'the stage that the lead entered last; NULL if it has only touches';

CREATE FUNCTION align.stage_at(lead align.lead, at timestamptz) RETURNS text
	AS 'MODULE_PATHNAME', 'align_lead_stage_at'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.stage_at(align.lead, timestamptz) IS
	'the stage that the lead was in at a time, NULL before its first entry; an entry at that time counts, and infinity gives the current stage';

CREATE FUNCTION align.since(lead align.lead) RETURNS timestamptz
	AS 'MODULE_PATHNAME', 'align_lead_since'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.since(align.lead) IS
	'when the lead entered its current stage, without regard to repeated entries; NULL if it has only touches';

CREATE FUNCTION align.reached(lead align.lead, stage text) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_lead_reached'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.reached(align.lead, text) IS
	'true if the lead ever entered the stage; names are compared by bytes';

CREATE FUNCTION align.time_in(lead align.lead, stage text, as_of timestamptz) RETURNS interval
	AS 'MODULE_PATHNAME', 'align_lead_time_in'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.time_in(align.lead, text, timestamptz) IS
	'elapsed time of all visits of the lead to a stage up to as_of, in hours and smaller units, zero if there is none; as_of must be finite';

CREATE FUNCTION align.time_between(lead align.lead, from_stage text, to_stage text) RETURNS interval
	AS 'MODULE_PATHNAME', 'align_lead_time_between'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.time_between(align.lead, text, text) IS
	'elapsed time from the first entry into from_stage to the first entry into to_stage at or after it, in hours and smaller units; NULL if there is no such pair';

CREATE FUNCTION align.path(lead align.lead) RETURNS text[]
	AS 'MODULE_PATHNAME', 'align_lead_path'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 3;
COMMENT ON FUNCTION align.path(align.lead) IS
	'the stages of the lead in order, without repeated entries; empty if it has only touches';

CREATE FUNCTION align.working_time_between(lead align.lead, from_stage text, to_stage text, calendar align.calendar) RETURNS interval
	AS 'MODULE_PATHNAME', 'align_lead_working_time_between'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.working_time_between(align.lead, text, text, align.calendar) IS
	'working time of the calendar in the span of time_between(lead, from_stage, to_stage), in hours and smaller units; NULL if there is no such span';

CREATE FUNCTION align.touchless(lead align.lead, funnel align.funnel) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_lead_touchless'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.touchless(align.lead, align.funnel) IS
	'true if at most one team held the lead; stages that no team holds, and labels that the agreement does not have, do not count; NULL if it has only touches';

CREATE FUNCTION align.canonical(lead align.lead, funnel align.funnel) RETURNS align.lead
	AS 'MODULE_PATHNAME', 'align_lead_canonical'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.canonical(align.lead, align.funnel) IS
	'the lead with its stages by the names that the agreement has for them, where it has another label; labels that the agreement does not have stay';

/* functions of one lead that return rows */

CREATE FUNCTION align.entries(lead align.lead) RETURNS TABLE (
		entry integer, at timestamptz, stage text, team text, reason text,
		campaign text, amount numeric, ordinal bigint, version integer)
	AS 'MODULE_PATHNAME', 'align_lead_entries'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10 ROWS 10;
COMMENT ON FUNCTION align.entries(align.lead) IS
	'one row per entry of the lead, numbered from 1 in its order; NULL for absent fields';

CREATE FUNCTION align.entry_segments(lead align.lead) RETURNS TABLE (
		entry integer, at timestamptz, stage text, segments text[])
	AS 'MODULE_PATHNAME', 'align_lead_entry_segments'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10 ROWS 5;
COMMENT ON FUNCTION align.entry_segments(align.lead) IS
	'one row per entry of the lead that has segments, with its number in entries(lead) and the sorted names of the segments that held of the row';

CREATE FUNCTION align.touches(lead align.lead) RETURNS TABLE (
		touch integer, at timestamptz, campaign text, amount numeric)
	AS 'MODULE_PATHNAME', 'align_lead_touches'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10 ROWS 5;
COMMENT ON FUNCTION align.touches(align.lead) IS
	'one row per campaign touch of the lead (an entry with a campaign and no stage), numbered from 1';

CREATE FUNCTION align.transitions(lead align.lead) RETURNS TABLE (
		transition integer, from_stage text, stage text, from_at timestamptz,
		at timestamptz, duration interval, team text, reason text)
	AS 'MODULE_PATHNAME', 'align_lead_transitions'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10 ROWS 8;
COMMENT ON FUNCTION align.transitions(align.lead) IS
	'one row per move of the lead from one stage to another, numbered from 1, with the elapsed time in from_stage; the first entry and repeated entries are not moves';

/* casts */

CREATE FUNCTION align.lead_to_jsonb(align.lead) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'align_lead_to_jsonb'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.lead_to_jsonb(align.lead) IS
	'the lead as an array of entries, each an object with at, stage, team, reason, campaign, amount, ordinal, version and segments where present';

CREATE FUNCTION align.jsonb_to_lead(jsonb) RETURNS align.lead
	AS 'MODULE_PATHNAME', 'align_jsonb_to_lead'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.jsonb_to_lead(jsonb) IS
	'a lead from an array of entries such as that of lead_to_jsonb, in any order; null members are absent, unknown ones are an error';

CREATE CAST (align.lead AS jsonb) WITH FUNCTION align.lead_to_jsonb(align.lead);
COMMENT ON CAST (align.lead AS jsonb) IS
	'the lead as an array of entries';

CREATE CAST (jsonb AS align.lead) WITH FUNCTION align.jsonb_to_lead(jsonb);
COMMENT ON CAST (jsonb AS align.lead) IS
	'a lead from an array of entries';
