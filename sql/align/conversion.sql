/* conversion: a mergeable summary of many leads' progress */

CREATE TYPE align.conversion;

CREATE FUNCTION align.conversion_in(cstring) RETURNS align.conversion
	AS 'MODULE_PATHNAME', 'align_conversion_in'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION align.conversion_in(cstring) IS
	'input function of type align.conversion';

CREATE FUNCTION align.conversion_out(align.conversion) RETURNS cstring
	AS 'MODULE_PATHNAME', 'align_conversion_out'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION align.conversion_out(align.conversion) IS
	'output function of type align.conversion';

CREATE FUNCTION align.conversion_recv(internal) RETURNS align.conversion
	AS 'MODULE_PATHNAME', 'align_conversion_recv'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION align.conversion_recv(internal) IS
	'binary input function of type align.conversion; checks everything that the text form checks';

CREATE FUNCTION align.conversion_send(align.conversion) RETURNS bytea
	AS 'MODULE_PATHNAME', 'align_conversion_send'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.conversion_send(align.conversion) IS
	'binary output function of type align.conversion: a version byte and the stored form, names in the client encoding';

CREATE TYPE align.conversion (
	INPUT = align.conversion_in,
	OUTPUT = align.conversion_out,
	RECEIVE = align.conversion_recv,
	SEND = align.conversion_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);
COMMENT ON TYPE align.conversion IS
	'a mergeable summary of how far many leads got: counts, amounts and times per step, such as {steps (mql, customer) mode ordered as of 2026-03-01T00:00:00Z, level 1 open 7, level 2 converted 1 amount 1200 time 86400000000 least 86400000000 most 86400000000 in (3872)}';

/* comparison: by bytes, for sorting, grouping and DISTINCT */

CREATE FUNCTION align.conversion_eq(align.conversion, align.conversion) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_eq'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.conversion_eq(align.conversion, align.conversion) IS
	'implementation of the operator =';

CREATE FUNCTION align.conversion_ne(align.conversion, align.conversion) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_ne'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.conversion_ne(align.conversion, align.conversion) IS
	'implementation of the operator <>';

CREATE FUNCTION align.conversion_lt(align.conversion, align.conversion) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_lt'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.conversion_lt(align.conversion, align.conversion) IS
	'implementation of the operator <';

CREATE FUNCTION align.conversion_le(align.conversion, align.conversion) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_le'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.conversion_le(align.conversion, align.conversion) IS
	'implementation of the operator <=';

CREATE FUNCTION align.conversion_gt(align.conversion, align.conversion) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_gt'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.conversion_gt(align.conversion, align.conversion) IS
	'implementation of the operator >';

CREATE FUNCTION align.conversion_ge(align.conversion, align.conversion) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_ge'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.conversion_ge(align.conversion, align.conversion) IS
	'implementation of the operator >=';

CREATE FUNCTION align.conversion_cmp(align.conversion, align.conversion) RETURNS integer
	AS 'MODULE_PATHNAME', 'align_value_cmp'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.conversion_cmp(align.conversion, align.conversion) IS
	'less, equal or greater (-1, 0, 1) by bytes; for btree';

CREATE FUNCTION align.conversion_hash(align.conversion) RETURNS integer
	AS 'MODULE_PATHNAME', 'align_value_hash'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.conversion_hash(align.conversion) IS
	'hash value, for hash joins and grouping';

CREATE FUNCTION align.conversion_hash_extended(align.conversion, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'align_value_hash_extended'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.conversion_hash_extended(align.conversion, bigint) IS
	'64-bit hash value with a seed, for hash partitioning';

CREATE OPERATOR align.= (
	FUNCTION = align.conversion_eq, LEFTARG = align.conversion, RIGHTARG = align.conversion,
	COMMUTATOR = OPERATOR(align.=), NEGATOR = OPERATOR(align.<>),
	RESTRICT = eqsel, JOIN = eqjoinsel,
	HASHES, MERGES
);
COMMENT ON OPERATOR align.= (align.conversion, align.conversion) IS 'equal, comparing bytes';

CREATE OPERATOR align.<> (
	FUNCTION = align.conversion_ne, LEFTARG = align.conversion, RIGHTARG = align.conversion,
	COMMUTATOR = OPERATOR(align.<>), NEGATOR = OPERATOR(align.=),
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR align.<> (align.conversion, align.conversion) IS 'not equal, comparing bytes';

CREATE OPERATOR align.< (
	FUNCTION = align.conversion_lt, LEFTARG = align.conversion, RIGHTARG = align.conversion,
	COMMUTATOR = OPERATOR(align.>), NEGATOR = OPERATOR(align.>=),
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR align.< (align.conversion, align.conversion) IS 'less than, comparing bytes';

CREATE OPERATOR align.<= (
	FUNCTION = align.conversion_le, LEFTARG = align.conversion, RIGHTARG = align.conversion,
	COMMUTATOR = OPERATOR(align.>=), NEGATOR = OPERATOR(align.>),
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR align.<= (align.conversion, align.conversion) IS 'less than or equal, comparing bytes';

CREATE OPERATOR align.> (
	FUNCTION = align.conversion_gt, LEFTARG = align.conversion, RIGHTARG = align.conversion,
	COMMUTATOR = OPERATOR(align.<), NEGATOR = OPERATOR(align.<=),
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR align.> (align.conversion, align.conversion) IS 'greater than, comparing bytes';

CREATE OPERATOR align.>= (
	FUNCTION = align.conversion_ge, LEFTARG = align.conversion, RIGHTARG = align.conversion,
	COMMUTATOR = OPERATOR(align.<=), NEGATOR = OPERATOR(align.<),
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR align.>= (align.conversion, align.conversion) IS 'greater than or equal, comparing bytes';

CREATE OPERATOR CLASS align.conversion_ops DEFAULT FOR TYPE align.conversion USING btree AS
	OPERATOR 1 align.<, OPERATOR 2 align.<=, OPERATOR 3 align.=,
	OPERATOR 4 align.>=, OPERATOR 5 align.>,
	FUNCTION 1 align.conversion_cmp(align.conversion, align.conversion);
COMMENT ON OPERATOR CLASS align.conversion_ops USING btree IS
	'order of conversions by bytes, for sorting and DISTINCT; a large summary does not fit an index row';

CREATE OPERATOR CLASS align.conversion_ops DEFAULT FOR TYPE align.conversion USING hash AS
	OPERATOR 1 align.=,
	FUNCTION 1 align.conversion_hash(align.conversion),
	FUNCTION 2 align.conversion_hash_extended(align.conversion, bigint);
COMMENT ON OPERATOR CLASS align.conversion_ops USING hash IS
	'hashing of conversions, for joins, grouping and hash indexes';

/* summarising */

CREATE FUNCTION align.conversion_agg_trans(align.conversion, align.lead, text[], interval, text, timestamptz)
	RETURNS align.conversion
	AS 'MODULE_PATHNAME', 'align_conversion_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.conversion_agg_trans(align.conversion, align.lead, text[], interval, text, timestamptz) IS
	'transition function of the aggregate conversion_agg';

CREATE FUNCTION align.conversion_agg_trans(align.conversion, align.lead, text[], interval, text, timestamptz, interval[], text[], text, text)
	RETURNS align.conversion
	AS 'MODULE_PATHNAME', 'align_conversion_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.conversion_agg_trans(align.conversion, align.lead, text[], interval, text, timestamptz, interval[], text[], text, text) IS
	'transition function of the aggregate conversion_agg with gaps, exclude, count and time_zone';

CREATE FUNCTION align.funnel_conversion_agg_trans(align.conversion, align.lead, align.funnel, timestamptz)
	RETURNS align.conversion
	AS 'MODULE_PATHNAME', 'align_funnel_conversion_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.funnel_conversion_agg_trans(align.conversion, align.lead, align.funnel, timestamptz) IS
	'transition function of the aggregate funnel_conversion_agg';

CREATE FUNCTION align.conversion_combine(align.conversion, align.conversion) RETURNS align.conversion
	AS 'MODULE_PATHNAME', 'align_conversion_combine'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION align.conversion_combine(align.conversion, align.conversion) IS
	'combine function of conversion_agg and funnel_conversion_agg, and transition function of rollup(conversion)';

CREATE AGGREGATE align.conversion_agg(lead align.lead, steps text[], within interval, mode text, as_of timestamptz) (
	SFUNC = align.conversion_agg_trans, STYPE = align.conversion, SSPACE = 4000,
	COMBINEFUNC = align.conversion_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.conversion_agg(align.lead, text[], interval, text, timestamptz) IS
	'summarises how far leads got along steps by as_of, a finite time; within is the window from the first step (NULL: none), mode a set of words (NULL: ordered). steps, within and mode must be the same in all rows and steps and as_of not NULL; NULL leads are ignored, NULL if there are no others';

CREATE AGGREGATE align.conversion_agg(lead align.lead, steps text[], within interval, mode text, as_of timestamptz,
		gaps interval[], exclude text[], count text, time_zone text) (
	SFUNC = align.conversion_agg_trans, STYPE = align.conversion, SSPACE = 4000,
	COMBINEFUNC = align.conversion_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.conversion_agg(align.lead, text[], interval, text, timestamptz, interval[], text[], text, text) IS
	'the same as conversion_agg(lead, steps, within, mode, as_of), with the longest time from each step to the next (gaps), stages that end an attempt (exclude), whether leads or passages are counted (count; NULL: leads), and the time zone in whose calendar months and days of within and gaps are counted; all but lead and as_of must be the same in all rows';

CREATE AGGREGATE align.funnel_conversion_agg(lead align.lead, funnel align.funnel, as_of timestamptz) (
	SFUNC = align.funnel_conversion_agg_trans, STYPE = align.conversion, SSPACE = 4000,
	COMBINEFUNC = align.conversion_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.funnel_conversion_agg(align.lead, align.funnel, timestamptz) IS
	'summarises how far leads got along the success path of an agreement by as_of, a finite time. The agreement must be the same in all rows and, like as_of, not NULL; NULL leads are ignored, NULL if there are no others';

CREATE AGGREGATE align.rollup(align.conversion) (
	SFUNC = align.conversion_combine, STYPE = align.conversion, SSPACE = 8000,
	COMBINEFUNC = align.conversion_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.rollup(align.conversion) IS
	'merges summaries of disjoint leads into the summary of all those leads; NULLs are ignored, different steps, funnels, windows or modes are an error; NULL if there is nothing else';

/* reading */

CREATE FUNCTION align.steps(conversion align.conversion) RETURNS TABLE (
		step integer, name text, entered bigint, reached bigint, dropped bigint, still_open bigint,
		step_rate float8, overall_rate float8, lower float8, upper float8,
		median_time interval, p90_time interval, mean_time interval, amount numeric)
	AS 'MODULE_PATHNAME', 'align_conversion_steps'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50 ROWS 5;
COMMENT ON FUNCTION align.steps(align.conversion) IS
	'one row per step: counts of leads, rates with Wilson bounds at 95 percent confidence, times from the previous step (percentiles within 0.79 percent, mean exact), and the sum of amounts; no row for NULL';

CREATE FUNCTION align.steps(conversion align.conversion, confidence float8) RETURNS TABLE (
		step integer, name text, entered bigint, reached bigint, dropped bigint, still_open bigint,
		step_rate float8, overall_rate float8, lower float8, upper float8,
		median_time interval, p90_time interval, mean_time interval, amount numeric)
	AS 'MODULE_PATHNAME', 'align_conversion_steps'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50 ROWS 5;
COMMENT ON FUNCTION align.steps(align.conversion, float8) IS
	'the same as steps(conversion) with Wilson bounds at another confidence, greater than 0 and less than 1';

CREATE FUNCTION align.step_rates(conversion align.conversion) RETURNS TABLE (
		step integer, name text, entered bigint, reached bigint, dropped bigint, still_open bigint,
		step_rate float8, overall_rate float8, lower float8, upper float8,
		median_time interval, p90_time interval, mean_time interval, amount numeric,
		decided_rate float8, matured_n bigint, matured_reached bigint, matured_rate float8,
		matured_lower float8, matured_upper float8)
	AS 'MODULE_PATHNAME', 'align_conversion_step_rates'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50 ROWS 5;
COMMENT ON FUNCTION align.step_rates(align.conversion) IS
	'steps(conversion) with two more rates: of the leads of a step that are decided, those that reached the next one (no forecast: losses are decided sooner than wins); and of all leads whose window is over, those that reached the step within it, with Wilson bounds; NULL without a window, or if a summary of a release before 0.5 is part of this one';

CREATE FUNCTION align.step_rates(conversion align.conversion, confidence float8) RETURNS TABLE (
		step integer, name text, entered bigint, reached bigint, dropped bigint, still_open bigint,
		step_rate float8, overall_rate float8, lower float8, upper float8,
		median_time interval, p90_time interval, mean_time interval, amount numeric,
		decided_rate float8, matured_n bigint, matured_reached bigint, matured_rate float8,
		matured_lower float8, matured_upper float8)
	AS 'MODULE_PATHNAME', 'align_conversion_step_rates'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50 ROWS 5;
COMMENT ON FUNCTION align.step_rates(align.conversion, float8) IS
	'the same as step_rates(conversion) with Wilson bounds at another confidence, greater than 0 and less than 1';

CREATE FUNCTION align.way_times(conversion align.conversion,
		OUT n bigint, OUT mean_time interval, OUT median_time interval, OUT p90_time interval)
	AS 'MODULE_PATHNAME', 'align_conversion_way_times'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION align.way_times(align.conversion) IS
	'the time from the first to the last step of the leads that converted: their number, mean (exact), median and 90th percentile (within 0.79 percent); NULL if a summary of a release before 0.6 is part of this one';

CREATE FUNCTION align.histogram(conversion align.conversion, step integer, bounds interval[])
	RETURNS TABLE (no integer, lower_bound interval, upper_bound interval, n bigint)
	AS 'MODULE_PATHNAME', 'align_conversion_histogram'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50 ROWS 5;
COMMENT ON FUNCTION align.histogram(align.conversion, integer, interval[]) IS
	'how many leads took how long to a step, from 2, since the step before; or for the whole way (step NULL): one row per class between ascending bounds, each from its lower bound to below its upper bound, the first and the last without one of them. Durations are known within 0.79 percent; no row for a NULL conversion';

/* casts */

CREATE FUNCTION align.conversion_to_jsonb(align.conversion) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'align_conversion_to_jsonb'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION align.conversion_to_jsonb(align.conversion) IS
	'the summary as an object with the members funnel or mode, within, gaps, time_zone, exclude and count, steps, as_of, leads, matured, levels and way';

CREATE FUNCTION align.jsonb_to_conversion(jsonb) RETURNS align.conversion
	AS 'MODULE_PATHNAME', 'align_jsonb_to_conversion'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION align.jsonb_to_conversion(jsonb) IS
	'a summary from an object such as that of conversion_to_jsonb, with the checks of the text form; unknown members, and leads that disagree with levels, are an error';

CREATE CAST (align.conversion AS jsonb) WITH FUNCTION align.conversion_to_jsonb(align.conversion);
COMMENT ON CAST (align.conversion AS jsonb) IS
	'the summary as an object';

CREATE CAST (jsonb AS align.conversion) WITH FUNCTION align.jsonb_to_conversion(jsonb);
COMMENT ON CAST (jsonb AS align.conversion) IS
	'a summary from an object';
