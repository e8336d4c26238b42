\echo Use "ALTER EXTENSION align UPDATE TO '0.6.0'" to load this file. \quit

-- Steps of leads: gaps, excluded stages, passages and time zones; times of conversions.
CREATE FUNCTION align.progress(lead align.lead, steps text[], within interval, mode text, as_of timestamptz,
							   gaps interval[], exclude text[], time_zone text,
							   OUT level int, OUT times timestamptz[], OUT amount numeric, OUT status text)
AS 'MODULE_PATHNAME', 'align_progress_sql'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;

CREATE FUNCTION align.passages(lead align.lead, steps text[], within interval, mode text, as_of timestamptz,
							   gaps interval[], exclude text[], time_zone text)
RETURNS TABLE (passage int, level int, times timestamptz[], amount numeric, status text)
AS 'MODULE_PATHNAME', 'align_passages_sql'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20 ROWS 2;

CREATE FUNCTION align.conversion_agg_trans(align.conversion, align.lead, text[], interval, text, timestamptz, interval[], text[], text, text)
	RETURNS align.conversion
	AS 'MODULE_PATHNAME', 'align_conversion_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;

CREATE AGGREGATE align.conversion_agg(lead align.lead, steps text[], within interval, mode text, as_of timestamptz,
		gaps interval[], exclude text[], count text, time_zone text) (
	SFUNC = align.conversion_agg_trans, STYPE = align.conversion, SSPACE = 4000,
	COMBINEFUNC = align.conversion_combine,
	PARALLEL = SAFE
);

CREATE FUNCTION align.way_times(conversion align.conversion,
		OUT n bigint, OUT mean_time interval, OUT median_time interval, OUT p90_time interval)
	AS 'MODULE_PATHNAME', 'align_conversion_way_times'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;

CREATE FUNCTION align.histogram(conversion align.conversion, step integer, bounds interval[])
	RETURNS TABLE (no integer, lower_bound interval, upper_bound interval, n bigint)
	AS 'MODULE_PATHNAME', 'align_conversion_histogram'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50 ROWS 5;
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
COMMENT ON FUNCTION align.progress(align.lead, text[], interval, text, timestamptz) IS
'how far the lead got along steps by as_of: level, times of the steps, last amount, and status (open, converted, dropped); a step is a stage, several (sal|sql) or optional (sql?), within is the window from the first step (NULL: none), mode a set of words (NULL: ordered). NULL for a NULL lead; NULL steps or as_of are an error';
COMMENT ON FUNCTION align.progress(align.lead, text[], interval, text, timestamptz, interval[], text[], text) IS
'the same as progress(lead, steps, within, mode, as_of), with the longest time from each step to the next (gaps, one less than steps), stages that end an attempt (exclude), and the time zone in whose calendar months and days of within and gaps are counted; NULL for any of them is none';
COMMENT ON FUNCTION align.passages(align.lead, text[], interval, text, timestamptz, interval[], text[], text) IS
'the passages of the lead along steps by as_of, each with the columns of progress(): an entry into the first step begins one, which ends before the next begins; one that is overtaken and has not converted is dropped. No row for a NULL lead';
COMMENT ON FUNCTION align.credit(align.lead, text, interval, interval, text[]) IS
'divides the credit for the lead''s conversion, the entry into its current stage, among the touches up to it and within the lookback: one row per touch that earns something, or one for "(none)"; shares add up to 1 and amounts to the amount. Models: first, last, last_non_direct, linear, position, time_decay, u_shaped, w_shaped, full_path, shapley';
COMMENT ON FUNCTION align.conversion_agg_trans(align.conversion, align.lead, text[], interval, text, timestamptz, interval[], text[], text, text) IS
'transition function of the aggregate conversion_agg with gaps, exclude, count and time_zone';
COMMENT ON AGGREGATE align.conversion_agg(align.lead, text[], interval, text, timestamptz) IS
'summarises how far leads got along steps by as_of, a finite time; within is the window from the first step (NULL: none), mode a set of words (NULL: ordered). steps, within and mode must be the same in all rows and steps and as_of not NULL; NULL leads are ignored, NULL if there are no others';
COMMENT ON AGGREGATE align.conversion_agg(align.lead, text[], interval, text, timestamptz, interval[], text[], text, text) IS
'the same as conversion_agg(lead, steps, within, mode, as_of), with the longest time from each step to the next (gaps), stages that end an attempt (exclude), whether leads or passages are counted (count; NULL: leads), and the time zone in whose calendar months and days of within and gaps are counted; all but lead and as_of must be the same in all rows';
COMMENT ON FUNCTION align.way_times(align.conversion) IS
'the time from the first to the last step of the leads that converted: their number, mean (exact), median and 90th percentile (within 0.79 percent); NULL if a summary of a release before 0.6 is part of this one';
COMMENT ON FUNCTION align.histogram(align.conversion, integer, interval[]) IS
'how many leads took how long to a step, from 2, since the step before; or for the whole way (step NULL): one row per class between ascending bounds, each from its lower bound to below its upper bound, the first and the last without one of them. Durations are known within 0.79 percent; no row for a NULL conversion';
COMMENT ON FUNCTION align.conversion_to_jsonb(align.conversion) IS
'the summary as an object with the members funnel or mode, within, gaps, time_zone, exclude and count, steps, as_of, leads, matured, levels and way';
COMMENT ON FUNCTION align.carried_stage(text, text, int, text, int) IS
'the name that a version of an agreement (to_agreement, to_version) has for a stage that was recorded under another version, as journeys() shows it; the recorded name if that version does not know the stage, or is NULL; NULL for no stage, an error if there is no such version';
/* funnels over the rows of an event table */

CREATE FUNCTION align.window_funnel_trans(internal, within interval, mode text, at timestamptz, VARIADIC steps boolean[]) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_window_funnel_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION align.window_funnel_trans(internal, interval, text, timestamptz, boolean[]) IS
	'transition function of window_funnel and window_funnel_times';

CREATE FUNCTION align.window_funnel_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_window_funnel_combine'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.window_funnel_combine(internal, internal) IS
	'combine function of window_funnel and window_funnel_times';

CREATE FUNCTION align.window_funnel_serialise(internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'align_window_funnel_serialise'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.window_funnel_serialise(internal) IS
	'serialises a partial state of window_funnel and window_funnel_times for another process';

CREATE FUNCTION align.window_funnel_deserialise(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_window_funnel_deserialise'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.window_funnel_deserialise(bytea, internal) IS
	'reads a partial state of window_funnel and window_funnel_times from another process';

CREATE FUNCTION align.window_funnel_final(internal) RETURNS integer
	AS 'MODULE_PATHNAME', 'align_window_funnel_final'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.window_funnel_final(internal) IS
	'final function of window_funnel';

CREATE FUNCTION align.window_funnel_times_final(internal) RETURNS timestamptz[]
	AS 'MODULE_PATHNAME', 'align_window_funnel_times_final'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.window_funnel_times_final(internal) IS
	'final function of window_funnel_times';

/* 10 events with up to 8 steps take 160 bytes */
CREATE AGGREGATE align.window_funnel(within interval, mode text, at timestamptz, VARIADIC steps boolean[]) (
	SFUNC = align.window_funnel_trans, STYPE = internal, SSPACE = 160,
	FINALFUNC = align.window_funnel_final, FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.window_funnel_combine,
	SERIALFUNC = align.window_funnel_serialise, DESERIALFUNC = align.window_funnel_deserialise,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.window_funnel(interval, text, timestamptz, boolean[]) IS
	'how many of the steps, conditions on the rows, a chain of rows fills within a window counted from its first; mode is a set of the words ordered, strict, no_repeat, increase, any and reuse; rows with a NULL time are ignored; 0 if no row matches the first step';

CREATE AGGREGATE align.window_funnel_times(within interval, mode text, at timestamptz, VARIADIC steps boolean[]) (
	SFUNC = align.window_funnel_trans, STYPE = internal, SSPACE = 160,
	FINALFUNC = align.window_funnel_times_final, FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.window_funnel_combine,
	SERIALFUNC = align.window_funnel_serialise, DESERIALFUNC = align.window_funnel_deserialise,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.window_funnel_times(interval, text, timestamptz, boolean[]) IS
	'the times of the chain that window_funnel finds: of the longest ones the one that completes earliest, then the one that starts latest; an empty array if no row matches the first step';

CREATE FUNCTION align.retention_trans(internal, VARIADIC conditions boolean[]) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_retention_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION align.retention_trans(internal, boolean[]) IS
	'transition function of retention';

CREATE FUNCTION align.retention_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_retention_combine'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION align.retention_combine(internal, internal) IS
	'combine function of retention';

CREATE FUNCTION align.retention_serialise(internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'align_retention_serialise'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION align.retention_serialise(internal) IS
	'serialises a partial state of retention for another process';

CREATE FUNCTION align.retention_deserialise(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_retention_deserialise'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION align.retention_deserialise(bytea, internal) IS
	'reads a partial state of retention from another process';

CREATE FUNCTION align.retention_final(internal) RETURNS boolean[]
	AS 'MODULE_PATHNAME', 'align_retention_final'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.retention_final(internal) IS
	'final function of retention';

CREATE AGGREGATE align.retention(VARIADIC conditions boolean[]) (
	SFUNC = align.retention_trans, STYPE = internal, SSPACE = 32,
	FINALFUNC = align.retention_final, FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.retention_combine,
	SERIALFUNC = align.retention_serialise, DESERIALFUNC = align.retention_deserialise,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.retention(boolean[]) IS
	'for each condition whether some row meets it and some row, the same or another, meets the first; NULL is false; NULL if there are no rows';
/* patterns of events over the rows of an event table */

CREATE FUNCTION align.sequence_trans(internal, text, timestamptz, boolean[]) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_sequence_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.sequence_trans(internal, text, timestamptz, boolean[]) IS
	'transition function of sequence_match, sequence_count and sequence_match_events';

CREATE FUNCTION align.sequence_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_sequence_combine'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.sequence_combine(internal, internal) IS
	'combine function of sequence_match, sequence_count and sequence_match_events';

CREATE FUNCTION align.sequence_serialise(internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'align_sequence_serialise'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION align.sequence_serialise(internal) IS
	'serialise function of sequence_match, sequence_count and sequence_match_events';

CREATE FUNCTION align.sequence_deserialise(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_sequence_deserialise'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION align.sequence_deserialise(bytea, internal) IS
	'deserialise function of sequence_match, sequence_count and sequence_match_events';

CREATE FUNCTION align.sequence_match_final(internal) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_sequence_match_final'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION align.sequence_match_final(internal) IS
	'final function of sequence_match';

CREATE FUNCTION align.sequence_count_final(internal) RETURNS bigint
	AS 'MODULE_PATHNAME', 'align_sequence_count_final'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION align.sequence_count_final(internal) IS
	'final function of sequence_count';

CREATE FUNCTION align.sequence_match_events_final(internal) RETURNS timestamptz[]
	AS 'MODULE_PATHNAME', 'align_sequence_match_events_final'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION align.sequence_match_events_final(internal) IS
	'final function of sequence_match_events';

CREATE AGGREGATE align.sequence_match(pattern text, at timestamptz, VARIADIC conditions boolean[]) (
	SFUNC = align.sequence_trans, STYPE = internal, SSPACE = 256,
	FINALFUNC = align.sequence_match_final, FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.sequence_combine,
	SERIALFUNC = align.sequence_serialise, DESERIALFUNC = align.sequence_deserialise,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.sequence_match(text, timestamptz, boolean[]) IS
	'true if the pattern matches the rows, ordered by time, in some order of simultaneous ones: (?N) is a row for which condition N holds, . any row, .* any number, (?t<=3600) a time between two rows; rows without a time, or for which no condition holds, are ignored';

CREATE AGGREGATE align.sequence_count(pattern text, at timestamptz, VARIADIC conditions boolean[]) (
	SFUNC = align.sequence_trans, STYPE = internal, SSPACE = 256,
	FINALFUNC = align.sequence_count_final, FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.sequence_combine,
	SERIALFUNC = align.sequence_serialise, DESERIALFUNC = align.sequence_deserialise,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.sequence_count(text, timestamptz, boolean[]) IS
	'the greatest number of matches of the pattern that do not overlap, as sequence_match() defines a match';

CREATE AGGREGATE align.sequence_match_events(pattern text, at timestamptz, VARIADIC conditions boolean[]) (
	SFUNC = align.sequence_trans, STYPE = internal, SSPACE = 256,
	FINALFUNC = align.sequence_match_events_final, FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.sequence_combine,
	SERIALFUNC = align.sequence_serialise, DESERIALFUNC = align.sequence_deserialise,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.sequence_match_events(text, timestamptz, boolean[]) IS
	'the times of the rows that the conditions of the first match match, in the order of the pattern; without a match, of the longest beginning of the pattern that matches';

CREATE FUNCTION align.sequence_next_trans(internal, text, text, timestamptz, text, boolean, boolean[]) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_sequence_next_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.sequence_next_trans(internal, text, text, timestamptz, text, boolean, boolean[]) IS
	'transition function of sequence_next';

CREATE FUNCTION align.sequence_next_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_sequence_next_combine'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION align.sequence_next_combine(internal, internal) IS
	'combine function of sequence_next';

CREATE FUNCTION align.sequence_next_serialise(internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'align_sequence_next_serialise'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION align.sequence_next_serialise(internal) IS
	'serialise function of sequence_next';

CREATE FUNCTION align.sequence_next_deserialise(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_sequence_next_deserialise'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION align.sequence_next_deserialise(bytea, internal) IS
	'deserialise function of sequence_next';

CREATE FUNCTION align.sequence_next_final(internal) RETURNS text
	AS 'MODULE_PATHNAME', 'align_sequence_next_final'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION align.sequence_next_final(internal) IS
	'final function of sequence_next';

CREATE AGGREGATE align.sequence_next(direction text, base text, at timestamptz, event text, base_condition boolean, VARIADIC conditions boolean[]) (
	SFUNC = align.sequence_next_trans, STYPE = internal, SSPACE = 640,
	FINALFUNC = align.sequence_next_final, FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.sequence_next_combine,
	SERIALFUNC = align.sequence_next_serialise, DESERIALFUNC = align.sequence_next_deserialise,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.sequence_next(text, text, timestamptz, text, boolean, boolean[]) IS
	'the event that follows (direction forward) or precedes (backward) a chain of neighbouring rows that match the conditions in turn, the first of them the base: head, tail, first_match or last_match, at which the base condition holds; NULL if there is no such chain or no event next to it; rows without a time or event are ignored, simultaneous ones ordered by event';
/* incidence: a mergeable summary of when cases had which outcome */

CREATE TYPE align.incidence;

CREATE FUNCTION align.incidence_in(cstring) RETURNS align.incidence
	AS 'MODULE_PATHNAME', 'align_incidence_in'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION align.incidence_in(cstring) IS
	'input function of type align.incidence';

CREATE FUNCTION align.incidence_out(align.incidence) RETURNS cstring
	AS 'MODULE_PATHNAME', 'align_incidence_out'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION align.incidence_out(align.incidence) IS
	'output function of type align.incidence';

CREATE FUNCTION align.incidence_recv(internal) RETURNS align.incidence
	AS 'MODULE_PATHNAME', 'align_incidence_recv'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION align.incidence_recv(internal) IS
	'binary input function of type align.incidence; checks everything that the text form checks';

CREATE FUNCTION align.incidence_send(align.incidence) RETURNS bytea
	AS 'MODULE_PATHNAME', 'align_incidence_send'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.incidence_send(align.incidence) IS
	'binary output function of type align.incidence: a version byte and the stored form, names in the client encoding';

CREATE TYPE align.incidence (
	INPUT = align.incidence_in,
	OUTPUT = align.incidence_out,
	RECEIVE = align.incidence_recv,
	SEND = align.incidence_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);
COMMENT ON TYPE align.incidence IS
	'a mergeable summary of when cases had which outcome, of the open ones, and of those that came under observation late, such as {in days, open (12, 40), outcome lost (8*2, 15*2, 30), outcome won (5, 10, 20)}';

/* comparison: by bytes, for sorting, grouping and DISTINCT */

CREATE FUNCTION align.incidence_eq(align.incidence, align.incidence) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_eq'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.incidence_eq(align.incidence, align.incidence) IS
	'implementation of the operator =';

CREATE FUNCTION align.incidence_ne(align.incidence, align.incidence) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_ne'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.incidence_ne(align.incidence, align.incidence) IS
	'implementation of the operator <>';

CREATE FUNCTION align.incidence_lt(align.incidence, align.incidence) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_lt'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.incidence_lt(align.incidence, align.incidence) IS
	'implementation of the operator <';

CREATE FUNCTION align.incidence_le(align.incidence, align.incidence) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_le'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.incidence_le(align.incidence, align.incidence) IS
	'implementation of the operator <=';

CREATE FUNCTION align.incidence_gt(align.incidence, align.incidence) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_gt'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.incidence_gt(align.incidence, align.incidence) IS
	'implementation of the operator >';

CREATE FUNCTION align.incidence_ge(align.incidence, align.incidence) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_ge'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.incidence_ge(align.incidence, align.incidence) IS
	'implementation of the operator >=';

CREATE FUNCTION align.incidence_cmp(align.incidence, align.incidence) RETURNS integer
	AS 'MODULE_PATHNAME', 'align_value_cmp'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.incidence_cmp(align.incidence, align.incidence) IS
	'less, equal or greater (-1, 0, 1) by bytes; for btree';

CREATE FUNCTION align.incidence_hash(align.incidence) RETURNS integer
	AS 'MODULE_PATHNAME', 'align_value_hash'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.incidence_hash(align.incidence) IS
	'hash value, for hash joins and grouping';

CREATE FUNCTION align.incidence_hash_extended(align.incidence, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'align_value_hash_extended'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.incidence_hash_extended(align.incidence, bigint) IS
	'64-bit hash value with a seed, for hash partitioning';

CREATE OPERATOR align.= (
	FUNCTION = align.incidence_eq, LEFTARG = align.incidence, RIGHTARG = align.incidence,
	COMMUTATOR = OPERATOR(align.=), NEGATOR = OPERATOR(align.<>),
	RESTRICT = eqsel, JOIN = eqjoinsel,
	HASHES, MERGES
);
COMMENT ON OPERATOR align.= (align.incidence, align.incidence) IS 'equal, comparing bytes';

CREATE OPERATOR align.<> (
	FUNCTION = align.incidence_ne, LEFTARG = align.incidence, RIGHTARG = align.incidence,
	COMMUTATOR = OPERATOR(align.<>), NEGATOR = OPERATOR(align.=),
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR align.<> (align.incidence, align.incidence) IS 'not equal, comparing bytes';

CREATE OPERATOR align.< (
	FUNCTION = align.incidence_lt, LEFTARG = align.incidence, RIGHTARG = align.incidence,
	COMMUTATOR = OPERATOR(align.>), NEGATOR = OPERATOR(align.>=),
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR align.< (align.incidence, align.incidence) IS 'less than, comparing bytes';

CREATE OPERATOR align.<= (
	FUNCTION = align.incidence_le, LEFTARG = align.incidence, RIGHTARG = align.incidence,
	COMMUTATOR = OPERATOR(align.>=), NEGATOR = OPERATOR(align.>),
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR align.<= (align.incidence, align.incidence) IS 'less than or equal, comparing bytes';

CREATE OPERATOR align.> (
	FUNCTION = align.incidence_gt, LEFTARG = align.incidence, RIGHTARG = align.incidence,
	COMMUTATOR = OPERATOR(align.<), NEGATOR = OPERATOR(align.<=),
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR align.> (align.incidence, align.incidence) IS 'greater than, comparing bytes';

CREATE OPERATOR align.>= (
	FUNCTION = align.incidence_ge, LEFTARG = align.incidence, RIGHTARG = align.incidence,
	COMMUTATOR = OPERATOR(align.<=), NEGATOR = OPERATOR(align.<),
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR align.>= (align.incidence, align.incidence) IS 'greater than or equal, comparing bytes';

CREATE OPERATOR CLASS align.incidence_ops DEFAULT FOR TYPE align.incidence USING btree AS
	OPERATOR 1 align.<, OPERATOR 2 align.<=, OPERATOR 3 align.=,
	OPERATOR 4 align.>=, OPERATOR 5 align.>,
	FUNCTION 1 align.incidence_cmp(align.incidence, align.incidence);
COMMENT ON OPERATOR CLASS align.incidence_ops USING btree IS
	'order of incidences by bytes, for sorting and DISTINCT; a large summary does not fit an index row';

CREATE OPERATOR CLASS align.incidence_ops DEFAULT FOR TYPE align.incidence USING hash AS
	OPERATOR 1 align.=,
	FUNCTION 1 align.incidence_hash(align.incidence),
	FUNCTION 2 align.incidence_hash_extended(align.incidence, bigint);
COMMENT ON OPERATOR CLASS align.incidence_ops USING hash IS
	'hashing of incidences, for joins, grouping and hash indexes';

/* summarising */

CREATE FUNCTION align.incidence_agg_trans(align.incidence, interval, text) RETURNS align.incidence
	AS 'MODULE_PATHNAME', 'align_incidence_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.incidence_agg_trans(align.incidence, interval, text) IS
	'transition function of the aggregate incidence_agg without late entries';

CREATE FUNCTION align.incidence_agg_trans(align.incidence, interval, interval, text) RETURNS align.incidence
	AS 'MODULE_PATHNAME', 'align_incidence_trans_late'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.incidence_agg_trans(align.incidence, interval, interval, text) IS
	'transition function of the aggregate incidence_agg with late entries';

CREATE FUNCTION align.incidence_combine(align.incidence, align.incidence) RETURNS align.incidence
	AS 'MODULE_PATHNAME', 'align_incidence_combine'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION align.incidence_combine(align.incidence, align.incidence) IS
	'combine function of incidence_agg, and transition function of rollup(incidence)';

CREATE AGGREGATE align.incidence_agg(left_after interval, outcome text) (
	SFUNC = align.incidence_agg_trans, STYPE = align.incidence, SSPACE = 1000,
	COMBINEFUNC = align.incidence_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.incidence_agg(interval, text) IS
	'summarises when cases left, from an origin of each, and with which outcome; NULL: still open, last seen then. Months in intervals are an error, negative times too; rows whose left_after is NULL are ignored, NULL if there are no others';

CREATE AGGREGATE align.incidence_agg(entered interval, left_after interval, outcome text) (
	SFUNC = align.incidence_agg_trans, STYPE = align.incidence, SSPACE = 1000,
	COMBINEFUNC = align.incidence_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.incidence_agg(interval, interval, text) IS
	'the same with the time at which each case came under observation; NULL, zero and negative: from the origin on. A case that left before that is an error, one that left at that very time is ignored, as it was never at risk';

CREATE AGGREGATE align.rollup(align.incidence) (
	SFUNC = align.incidence_combine, STYPE = align.incidence, SSPACE = 2000,
	COMBINEFUNC = align.incidence_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.rollup(align.incidence) IS
	'merges summaries of disjoint cases into the summary of all those cases; NULLs are ignored, NULL if there is nothing else';

/* reading */

CREATE FUNCTION align.outcomes(incidence align.incidence) RETURNS TABLE (
		outcome text, cases bigint, first_after interval, last_after interval)
	AS 'MODULE_PATHNAME', 'align_incidence_outcomes'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50 ROWS 3;
COMMENT ON FUNCTION align.outcomes(align.incidence) IS
	'one row per outcome, with its cases and its first and last time; the open cases are the last row, with a NULL outcome';

CREATE FUNCTION align.happened_by(incidence align.incidence, outcome text, after interval,
		confidence float8 DEFAULT 0.95, bounds text DEFAULT 'log-log',
		OUT rate float8, OUT lower float8, OUT upper float8, OUT std_error float8, OUT at_risk bigint)
	AS 'MODULE_PATHNAME', 'align_incidence_happened_by'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION align.happened_by(align.incidence, text, interval, float8, text) IS
	'the share of all cases that have the outcome by a time (Aalen-Johansen: other outcomes compete, open cases are open), with standard error, bounds (log-log, log or plain) and the cases at risk then. NULL after the last time at which a case was under observation; the bounds are NULL while none has the outcome, and once all have';

CREATE FUNCTION align.curve(incidence align.incidence, outcome text,
		confidence float8 DEFAULT 0.95, bounds text DEFAULT 'log-log')
	RETURNS TABLE (after interval, at_risk bigint, events bigint, censored bigint,
		probability float8, std_error float8, lower float8, upper float8, competing bigint)
	AS 'MODULE_PATHNAME', 'align_incidence_curve'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500 ROWS 100;
COMMENT ON FUNCTION align.curve(align.incidence, text, float8, text) IS
	'the cumulative incidence of an outcome: one row for each time at which a case left, with those at risk until then, those that left with the outcome, open, or with another outcome, and what happened_by() has for that time';

CREATE FUNCTION align.median(incidence align.incidence, outcome text) RETURNS interval
	AS 'MODULE_PATHNAME', 'align_incidence_median'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION align.median(align.incidence, text) IS
	'the first time by which half of all cases have the outcome; NULL if they never do, or not while they were under observation';

CREATE FUNCTION align.quantile(incidence align.incidence, outcome text, fraction float8,
		confidence float8 DEFAULT 0.95, bounds text DEFAULT 'log-log',
		OUT after interval, OUT lower interval, OUT upper interval)
	AS 'MODULE_PATHNAME', 'align_incidence_quantile'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION align.quantile(align.incidence, text, float8, float8, text) IS
	'the first time by which a fraction of all cases has the outcome, and the times at which the bounds of that share reach the fraction; NULL for what is not reached';

/* comparing */

CREATE FUNCTION align.compare_incidence(incidence_1 align.incidence, incidence_2 align.incidence,
		outcome text, after interval, confidence float8 DEFAULT 0.95,
		OUT difference float8, OUT lower float8, OUT upper float8, OUT z float8, OUT p float8)
	AS 'MODULE_PATHNAME', 'align_incidence_compare'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION align.compare_incidence(align.incidence, align.incidence, text, interval, float8) IS
	'the first share that has the outcome by a time minus the second, with bounds from the log-log bounds of both, and z and two-sided p of the hypothesis that they are equal; the difference is NULL where happened_by() is, the rest also where that has no bounds';

CREATE FUNCTION align.log_rank(VARIADIC groups align.incidence[],
		OUT chi2 float8, OUT df integer, OUT p float8, OUT observed bigint[], OUT expected float8[])
	AS 'MODULE_PATHNAME', 'align_incidence_log_rank'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION align.log_rank(align.incidence[]) IS
	'log-rank test of the hypothesis that up to 64 groups have the only outcome at the same rate, with the events observed in each and those expected; several outcomes are an error, a NULL is a group without cases; chi2 and p are NULL if there is nothing to compare';

CREATE FUNCTION align.weighted_log_rank(rho float8, VARIADIC groups align.incidence[],
		OUT chi2 float8, OUT df integer, OUT p float8, OUT observed float8[], OUT expected float8[])
	AS 'MODULE_PATHNAME', 'align_incidence_weighted_log_rank'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION align.weighted_log_rank(float8, align.incidence[]) IS
	'log_rank() with the weights S(t-)^rho of Harrington and Fleming, which give more to early times: 0 is log_rank(), 1 the test of Peto and Prentice; observed and expected are weighted sums';

/* pipeline arithmetic */

CREATE FUNCTION align.sales_velocity(INOUT opportunities bigint, INOUT average_amount numeric,
		INOUT win_rate float8, INOUT cycle interval, OUT per_day numeric)
	AS 'MODULE_PATHNAME', 'align_sales_velocity'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.sales_velocity(bigint, numeric, float8, interval) IS
	'opportunities * average_amount * win_rate / days of the cycle, with its four arguments beside it; days have 24 hours. per_day is NULL if an argument is';

/* does a score predict? */

CREATE FUNCTION align.score_bands(query text, bands integer DEFAULT 5, confidence float8 DEFAULT 0.95)
	RETURNS TABLE (band_no integer, band text, n bigint, happened bigint, undecided bigint,
		rate float8, lower float8, upper float8, lift float8)
	AS 'MODULE_PATHNAME', 'align_score_bands'
	LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000 ROWS 5;
COMMENT ON FUNCTION align.score_bands(text, integer, float8) IS
	'whether a score or a rule predicts an outcome: the query returns (band or score, outcome boolean) by position and runs read-only with the caller''s privileges; numbers are scores and cut into bands of about equally many leads. One row per band, in order: leads whose outcome is known, those that have it, those undecided, the rate with Wilson bounds, and lift, the rate divided by that of all bands; nulls are refused';
/* process: which stage follows which, how often and how fast */

CREATE TYPE align.process;

CREATE FUNCTION align.process_in(cstring) RETURNS align.process
	AS 'MODULE_PATHNAME', 'align_process_in'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION align.process_in(cstring) IS
	'input function of type align.process';

CREATE FUNCTION align.process_out(align.process) RETURNS cstring
	AS 'MODULE_PATHNAME', 'align_process_out'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION align.process_out(align.process) IS
	'output function of type align.process';

CREATE FUNCTION align.process_recv(internal) RETURNS align.process
	AS 'MODULE_PATHNAME', 'align_process_recv'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION align.process_recv(internal) IS
	'binary input function of type align.process; checks everything that the text form checks';

CREATE FUNCTION align.process_send(align.process) RETURNS bytea
	AS 'MODULE_PATHNAME', 'align_process_send'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.process_send(align.process) IS
	'binary output function of type align.process: a version byte and the stored form, names in the client encoding';

CREATE TYPE align.process (
	INPUT = align.process_in,
	OUTPUT = align.process_out,
	RECEIVE = align.process_recv,
	SEND = align.process_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);
COMMENT ON TYPE align.process IS
	'a mergeable directly-follows graph of many leads: stages, the moves between them, and their times, such as {leads 1, stage mql leads 1 ends 1, stage inquiry leads 1 starts 1, move inquiry -> mql moves 1 leads 1 time 86400000000 least 86400000000 most 86400000000 in (3872)}';

/* comparison: by bytes, for sorting, grouping and DISTINCT */

CREATE FUNCTION align.process_eq(align.process, align.process) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_eq'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.process_eq(align.process, align.process) IS
	'implementation of the operator =';

CREATE FUNCTION align.process_ne(align.process, align.process) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_ne'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.process_ne(align.process, align.process) IS
	'implementation of the operator <>';

CREATE FUNCTION align.process_lt(align.process, align.process) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_lt'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.process_lt(align.process, align.process) IS
	'implementation of the operator <';

CREATE FUNCTION align.process_le(align.process, align.process) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_le'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.process_le(align.process, align.process) IS
	'implementation of the operator <=';

CREATE FUNCTION align.process_gt(align.process, align.process) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_gt'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.process_gt(align.process, align.process) IS
	'implementation of the operator >';

CREATE FUNCTION align.process_ge(align.process, align.process) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_ge'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.process_ge(align.process, align.process) IS
	'implementation of the operator >=';

CREATE FUNCTION align.process_cmp(align.process, align.process) RETURNS integer
	AS 'MODULE_PATHNAME', 'align_value_cmp'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.process_cmp(align.process, align.process) IS
	'less, equal or greater (-1, 0, 1) by bytes; for btree';

CREATE FUNCTION align.process_hash(align.process) RETURNS integer
	AS 'MODULE_PATHNAME', 'align_value_hash'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.process_hash(align.process) IS
	'hash value, for hash joins and grouping';

CREATE FUNCTION align.process_hash_extended(align.process, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'align_value_hash_extended'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.process_hash_extended(align.process, bigint) IS
	'64-bit hash value with a seed, for hash partitioning';

CREATE OPERATOR align.= (
	FUNCTION = align.process_eq, LEFTARG = align.process, RIGHTARG = align.process,
	COMMUTATOR = OPERATOR(align.=), NEGATOR = OPERATOR(align.<>),
	RESTRICT = eqsel, JOIN = eqjoinsel,
	HASHES, MERGES
);
COMMENT ON OPERATOR align.= (align.process, align.process) IS 'equal, comparing bytes';

CREATE OPERATOR align.<> (
	FUNCTION = align.process_ne, LEFTARG = align.process, RIGHTARG = align.process,
	COMMUTATOR = OPERATOR(align.<>), NEGATOR = OPERATOR(align.=),
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR align.<> (align.process, align.process) IS 'not equal, comparing bytes';

CREATE OPERATOR align.< (
	FUNCTION = align.process_lt, LEFTARG = align.process, RIGHTARG = align.process,
	COMMUTATOR = OPERATOR(align.>), NEGATOR = OPERATOR(align.>=),
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR align.< (align.process, align.process) IS 'less than, comparing bytes';

CREATE OPERATOR align.<= (
	FUNCTION = align.process_le, LEFTARG = align.process, RIGHTARG = align.process,
	COMMUTATOR = OPERATOR(align.>=), NEGATOR = OPERATOR(align.>),
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR align.<= (align.process, align.process) IS 'less than or equal, comparing bytes';

CREATE OPERATOR align.> (
	FUNCTION = align.process_gt, LEFTARG = align.process, RIGHTARG = align.process,
	COMMUTATOR = OPERATOR(align.<), NEGATOR = OPERATOR(align.<=),
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR align.> (align.process, align.process) IS 'greater than, comparing bytes';

CREATE OPERATOR align.>= (
	FUNCTION = align.process_ge, LEFTARG = align.process, RIGHTARG = align.process,
	COMMUTATOR = OPERATOR(align.<=), NEGATOR = OPERATOR(align.<),
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR align.>= (align.process, align.process) IS 'greater than or equal, comparing bytes';

CREATE OPERATOR CLASS align.process_ops DEFAULT FOR TYPE align.process USING btree AS
	OPERATOR 1 align.<, OPERATOR 2 align.<=, OPERATOR 3 align.=,
	OPERATOR 4 align.>=, OPERATOR 5 align.>,
	FUNCTION 1 align.process_cmp(align.process, align.process);
COMMENT ON OPERATOR CLASS align.process_ops USING btree IS
	'order of processes by bytes, for sorting and DISTINCT; a large summary does not fit an index row';

CREATE OPERATOR CLASS align.process_ops DEFAULT FOR TYPE align.process USING hash AS
	OPERATOR 1 align.=,
	FUNCTION 1 align.process_hash(align.process),
	FUNCTION 2 align.process_hash_extended(align.process, bigint);
COMMENT ON OPERATOR CLASS align.process_ops USING hash IS
	'hashing of processes, for joins, grouping and hash indexes';

/* summarising */

CREATE FUNCTION align.dfg_agg_trans(align.process, align.lead) RETURNS align.process
	AS 'MODULE_PATHNAME', 'align_dfg_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.dfg_agg_trans(align.process, align.lead) IS
	'transition function of the aggregate dfg_agg';

CREATE FUNCTION align.dfg_agg_trans(align.process, align.lead, align.calendar) RETURNS align.process
	AS 'MODULE_PATHNAME', 'align_dfg_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.dfg_agg_trans(align.process, align.lead, align.calendar) IS
	'transition function of the aggregate dfg_agg';

CREATE FUNCTION align.dfg_agg_trans(align.process, align.lead, align.calendar, timestamptz) RETURNS align.process
	AS 'MODULE_PATHNAME', 'align_dfg_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.dfg_agg_trans(align.process, align.lead, align.calendar, timestamptz) IS
	'transition function of the aggregate dfg_agg';

CREATE FUNCTION align.process_combine(align.process, align.process) RETURNS align.process
	AS 'MODULE_PATHNAME', 'align_process_combine'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION align.process_combine(align.process, align.process) IS
	'combine function of dfg_agg, and transition function of rollup(process)';

CREATE AGGREGATE align.dfg_agg(lead align.lead) (
	SFUNC = align.dfg_agg_trans, STYPE = align.process, SSPACE = 6000,
	COMBINEFUNC = align.process_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.dfg_agg(align.lead) IS
	'the directly-follows graph of many leads: stages, moves between them, and elapsed times. Repeated entries and touches do not count; leads without a stage, and NULLs, are ignored; NULL if there are no others';

CREATE AGGREGATE align.dfg_agg(lead align.lead, calendar align.calendar) (
	SFUNC = align.dfg_agg_trans, STYPE = align.process, SSPACE = 6000,
	COMBINEFUNC = align.process_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.dfg_agg(align.lead, align.calendar) IS
	'the same as dfg_agg(lead) with working times of a calendar, which must be the same in all rows; without them if it is NULL';

CREATE AGGREGATE align.dfg_agg(lead align.lead, calendar align.calendar, as_of timestamptz) (
	SFUNC = align.dfg_agg_trans, STYPE = align.process, SSPACE = 6000,
	COMBINEFUNC = align.process_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.dfg_agg(align.lead, align.calendar, timestamptz) IS
	'the same as dfg_agg(lead, calendar) as of a finite time: later entries are ignored, and the ages of the last visits are summarised, too; as_of must not be NULL';

CREATE AGGREGATE align.rollup(align.process) (
	SFUNC = align.process_combine, STYPE = align.process, SSPACE = 12000,
	COMBINEFUNC = align.process_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.rollup(align.process) IS
	'merges processes of disjoint leads into that of all those leads; NULLs are ignored, different calendars, and processes with and without an as_of, are an error; NULL if there is nothing else';

/* reading */

CREATE FUNCTION align.dfg(process align.process) RETURNS TABLE (
		from_stage text, stage text, moves bigint, leads bigint,
		mean_time interval, median_time interval, p90_time interval, total_seconds numeric,
		mean_working_time interval, median_working_time interval, p90_working_time interval,
		total_working_seconds numeric)
	AS 'MODULE_PATHNAME', 'align_dfg'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 20;
COMMENT ON FUNCTION align.dfg(align.process) IS
	'one row per pair of stages of which one directly follows the other: moves, leads that made any, and the time from the entry into from_stage to the move (percentiles within 0.79 percent, mean and total exact); working times are NULL without a calendar; no row for NULL';

CREATE FUNCTION align.dfg_stages(process align.process) RETURNS TABLE (
		stage text, visits bigint, leads bigint, starts bigint, ends bigint,
		mean_time interval, median_time interval, p90_time interval, total_seconds numeric,
		mean_working_time interval, median_working_time interval, p90_working_time interval,
		total_working_seconds numeric,
		mean_age interval, median_age interval, p90_age interval, total_age_seconds numeric,
		mean_working_age interval, median_working_age interval, p90_working_age interval,
		total_working_age_seconds numeric)
	AS 'MODULE_PATHNAME', 'align_dfg_stages'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 10;
COMMENT ON FUNCTION align.dfg_stages(align.process) IS
	'one row per stage: visits, leads that were in it, leads that started and ended in it; times of the visits that are over, and ages of those that are not, NULL without an as_of; no row for NULL';

CREATE FUNCTION align.bottlenecks(process align.process) RETURNS TABLE (
		place integer, from_stage text, stage text, visits bigint, leads bigint,
		share float8, cumulative_share float8, working_share float8,
		mean_time interval, median_time interval, p90_time interval, total_seconds numeric,
		mean_working_time interval, median_working_time interval, p90_working_time interval,
		total_working_seconds numeric)
	AS 'MODULE_PATHNAME', 'align_bottlenecks'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 20;
COMMENT ON FUNCTION align.bottlenecks(align.process) IS
	'where the time goes: the visits of from_stage that ended with a move to stage, and their share of the time of all visits that are over, the largest first; no row for NULL';

CREATE FUNCTION align.bottlenecks(process align.process, funnel align.funnel) RETURNS TABLE (
		place integer, from_stage text, stage text, visits bigint, leads bigint,
		share float8, cumulative_share float8, working_share float8,
		mean_time interval, median_time interval, p90_time interval, total_seconds numeric,
		mean_working_time interval, median_working_time interval, p90_working_time interval,
		total_working_seconds numeric)
	AS 'MODULE_PATHNAME', 'align_bottlenecks'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 20;
COMMENT ON FUNCTION align.bottlenecks(align.process, align.funnel) IS
	'the same as bottlenecks(process) with the leads that are still in from_stage (stage is NULL) and their ages, where the agreement has it as an open stage, or not at all; a process without an as_of is an error';

/* pictures */

CREATE FUNCTION align.dfg_mermaid(process align.process, min_leads bigint DEFAULT 1, min_share float8 DEFAULT 0) RETURNS text
	AS 'MODULE_PATHNAME', 'align_dfg_mermaid'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION align.dfg_mermaid(align.process, bigint, float8) IS
	'the process as a Mermaid flowchart with counts and mean times, without moves, starts and ends of less than min_leads leads, or less than the share min_share of all leads; NULL if an argument is NULL';

CREATE FUNCTION align.dfg_dot(process align.process, min_leads bigint DEFAULT 1, min_share float8 DEFAULT 0) RETURNS text
	AS 'MODULE_PATHNAME', 'align_dfg_dot'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION align.dfg_dot(align.process, bigint, float8) IS
	'the same as dfg_mermaid(process, min_leads, min_share) in the language of Graphviz';

/* deviations */

CREATE FUNCTION align.first_deviation(lead align.lead, funnel align.funnel,
		OUT entry integer, OUT at timestamptz, OUT rule text, OUT from_stage text, OUT stage text, OUT detail text)
	AS 'MODULE_PATHNAME', 'align_first_deviation'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.first_deviation(align.lead, align.funnel) IS
	'the first row of violations(lead, funnel): where the lead left the agreement, and the gravest rule that it broke there; NULL if it broke none, or an argument is NULL';

/* variants */

CREATE FUNCTION align.variants(query text) RETURNS TABLE (
		place bigint, path text[], leads bigint, share float8, cumulative_share float8,
		won bigint, lost bigint, still_open bigint, median_time interval, p90_time interval)
	AS 'MODULE_PATHNAME', 'align_variants'
	LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000 ROWS 100;
COMMENT ON FUNCTION align.variants(text) IS
	'the paths that leads take, the most frequent first: the query returns one column of type lead and runs read-only with the caller''s privileges; leads and their share of all, and the time from the first to the last move; won, lost and still_open are NULL. A NULL query is an error';

CREATE FUNCTION align.variants(query text, funnel align.funnel) RETURNS TABLE (
		place bigint, path text[], leads bigint, share float8, cumulative_share float8,
		won bigint, lost bigint, still_open bigint, median_time interval, p90_time interval)
	AS 'MODULE_PATHNAME', 'align_variants'
	LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000 ROWS 100;
COMMENT ON FUNCTION align.variants(text, align.funnel) IS
	'the same as variants(query) with the leads of each path that are won, lost and still open by an agreement, as funnel_progress() has them; NULLs are errors';
/* paths: a mergeable summary of the channels that leads came by */

CREATE TYPE align.paths;

CREATE FUNCTION align.paths_in(cstring) RETURNS align.paths
	AS 'MODULE_PATHNAME', 'align_paths_in'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION align.paths_in(cstring) IS
	'input function of type align.paths';

CREATE FUNCTION align.paths_out(align.paths) RETURNS cstring
	AS 'MODULE_PATHNAME', 'align_paths_out'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION align.paths_out(align.paths) IS
	'output function of type align.paths';

CREATE FUNCTION align.paths_recv(internal) RETURNS align.paths
	AS 'MODULE_PATHNAME', 'align_paths_recv'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION align.paths_recv(internal) IS
	'binary input function of type align.paths; checks everything that the text form checks';

CREATE FUNCTION align.paths_send(align.paths) RETURNS bytea
	AS 'MODULE_PATHNAME', 'align_paths_send'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.paths_send(align.paths) IS
	'binary output function of type align.paths: a version byte and the stored form, channels in the client encoding';

CREATE TYPE align.paths (
	INPUT = align.paths_in,
	OUTPUT = align.paths_out,
	RECEIVE = align.paths_recv,
	SEND = align.paths_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);
COMMENT ON TYPE align.paths IS
	'a mergeable multiset of the sequences of channels by which leads came, each with the conversions, their value, and the nulls (leads that ended without one), such as {() conversions 2, email > "paid search" conversions 1 value 1200.50 nulls 3}';

/* comparison: by bytes, for sorting, grouping and DISTINCT */

CREATE FUNCTION align.paths_eq(align.paths, align.paths) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_eq'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.paths_eq(align.paths, align.paths) IS
	'implementation of the operator =';

CREATE FUNCTION align.paths_ne(align.paths, align.paths) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_ne'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.paths_ne(align.paths, align.paths) IS
	'implementation of the operator <>';

CREATE FUNCTION align.paths_lt(align.paths, align.paths) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_lt'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.paths_lt(align.paths, align.paths) IS
	'implementation of the operator <';

CREATE FUNCTION align.paths_le(align.paths, align.paths) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_le'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.paths_le(align.paths, align.paths) IS
	'implementation of the operator <=';

CREATE FUNCTION align.paths_gt(align.paths, align.paths) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_gt'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.paths_gt(align.paths, align.paths) IS
	'implementation of the operator >';

CREATE FUNCTION align.paths_ge(align.paths, align.paths) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_ge'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.paths_ge(align.paths, align.paths) IS
	'implementation of the operator >=';

CREATE FUNCTION align.paths_cmp(align.paths, align.paths) RETURNS integer
	AS 'MODULE_PATHNAME', 'align_value_cmp'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.paths_cmp(align.paths, align.paths) IS
	'less, equal or greater (-1, 0, 1) by bytes; for btree';

CREATE FUNCTION align.paths_hash(align.paths) RETURNS integer
	AS 'MODULE_PATHNAME', 'align_value_hash'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.paths_hash(align.paths) IS
	'hash value, for hash joins and grouping';

CREATE FUNCTION align.paths_hash_extended(align.paths, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'align_value_hash_extended'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.paths_hash_extended(align.paths, bigint) IS
	'64-bit hash value with a seed, for hash partitioning';

CREATE OPERATOR align.= (
	FUNCTION = align.paths_eq, LEFTARG = align.paths, RIGHTARG = align.paths,
	COMMUTATOR = OPERATOR(align.=), NEGATOR = OPERATOR(align.<>),
	RESTRICT = eqsel, JOIN = eqjoinsel,
	HASHES, MERGES
);
COMMENT ON OPERATOR align.= (align.paths, align.paths) IS 'equal, comparing bytes';

CREATE OPERATOR align.<> (
	FUNCTION = align.paths_ne, LEFTARG = align.paths, RIGHTARG = align.paths,
	COMMUTATOR = OPERATOR(align.<>), NEGATOR = OPERATOR(align.=),
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR align.<> (align.paths, align.paths) IS 'not equal, comparing bytes';

CREATE OPERATOR align.< (
	FUNCTION = align.paths_lt, LEFTARG = align.paths, RIGHTARG = align.paths,
	COMMUTATOR = OPERATOR(align.>), NEGATOR = OPERATOR(align.>=),
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR align.< (align.paths, align.paths) IS 'less than, comparing bytes';

CREATE OPERATOR align.<= (
	FUNCTION = align.paths_le, LEFTARG = align.paths, RIGHTARG = align.paths,
	COMMUTATOR = OPERATOR(align.>=), NEGATOR = OPERATOR(align.>),
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR align.<= (align.paths, align.paths) IS 'less than or equal, comparing bytes';

CREATE OPERATOR align.> (
	FUNCTION = align.paths_gt, LEFTARG = align.paths, RIGHTARG = align.paths,
	COMMUTATOR = OPERATOR(align.<), NEGATOR = OPERATOR(align.<=),
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR align.> (align.paths, align.paths) IS 'greater than, comparing bytes';

CREATE OPERATOR align.>= (
	FUNCTION = align.paths_ge, LEFTARG = align.paths, RIGHTARG = align.paths,
	COMMUTATOR = OPERATOR(align.<=), NEGATOR = OPERATOR(align.<),
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR align.>= (align.paths, align.paths) IS 'greater than or equal, comparing bytes';

CREATE OPERATOR CLASS align.paths_ops DEFAULT FOR TYPE align.paths USING btree AS
	OPERATOR 1 align.<, OPERATOR 2 align.<=, OPERATOR 3 align.=,
	OPERATOR 4 align.>=, OPERATOR 5 align.>,
	FUNCTION 1 align.paths_cmp(align.paths, align.paths);
COMMENT ON OPERATOR CLASS align.paths_ops USING btree IS
	'order of values by bytes, for sorting and DISTINCT; a large one does not fit an index row';

CREATE OPERATOR CLASS align.paths_ops DEFAULT FOR TYPE align.paths USING hash AS
	OPERATOR 1 align.=,
	FUNCTION 1 align.paths_hash(align.paths),
	FUNCTION 2 align.paths_hash_extended(align.paths, bigint);
COMMENT ON OPERATOR CLASS align.paths_ops USING hash IS
	'hashing of paths, for joins, grouping and hash indexes';

/* summarising */

CREATE FUNCTION align.paths_agg_trans(align.paths, text[], boolean, numeric) RETURNS align.paths
	AS 'MODULE_PATHNAME', 'align_paths_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.paths_agg_trans(align.paths, text[], boolean, numeric) IS
	'transition function of the aggregate paths_agg';

CREATE FUNCTION align.paths_agg_trans(align.paths, text[], bigint, numeric, bigint) RETURNS align.paths
	AS 'MODULE_PATHNAME', 'align_paths_counts_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.paths_agg_trans(align.paths, text[], bigint, numeric, bigint) IS
	'transition function of the aggregate paths_agg';

CREATE FUNCTION align.paths_combine(align.paths, align.paths) RETURNS align.paths
	AS 'MODULE_PATHNAME', 'align_paths_combine'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION align.paths_combine(align.paths, align.paths) IS
	'combine function of paths_agg, and transition function of rollup(paths)';

CREATE AGGREGATE align.paths_agg(path text[], converted boolean, value numeric) (
	SFUNC = align.paths_agg_trans, STYPE = align.paths, SSPACE = 4000,
	COMBINEFUNC = align.paths_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.paths_agg(text[], boolean, numeric) IS
	'counts the paths of leads: converted is true for a conversion, whose value is added, false for a lead that ended without one, and NULL for an open lead, which is in no path. A path that is NULL is the empty one, as array_agg() returns for a lead without touches; elements that are NULL are left out. NULL if all leads are open';

CREATE AGGREGATE align.paths_agg(path text[], conversions bigint, value numeric, nulls bigint) (
	SFUNC = align.paths_agg_trans, STYPE = align.paths, SSPACE = 4000,
	COMBINEFUNC = align.paths_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.paths_agg(text[], bigint, numeric, bigint) IS
	'the same for rows that count leads already: so many conversions with the sum of their values, and so many leads that ended without one; a count that is NULL is zero, and rows that count nothing are ignored';

CREATE AGGREGATE align.rollup(align.paths) (
	SFUNC = align.paths_combine, STYPE = align.paths, SSPACE = 8000,
	COMBINEFUNC = align.paths_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.rollup(align.paths) IS
	'merges the paths of disjoint leads into those of all these leads; NULLs are ignored, NULL if there is nothing else';

/* reading */

CREATE FUNCTION align.path_counts(paths align.paths) RETURNS TABLE (
		path text[], conversions bigint, value numeric, nulls bigint)
	AS 'MODULE_PATHNAME', 'align_path_counts'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500 ROWS 500;
COMMENT ON FUNCTION align.path_counts(align.paths) IS
	'one row per path, in the order of channels by bytes: its conversions, the sum of their values (NULL if none is known), and the leads that ended without one; no row for NULL';

CREATE FUNCTION align.markov(paths align.paths, chain_order integer DEFAULT 1) RETURNS TABLE (
		channel text, removal_effect float8, conversions float8, value numeric)
	AS 'MODULE_PATHNAME', 'align_markov'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5000 ROWS 20;
COMMENT ON FUNCTION align.markov(align.paths, integer) IS
	'divides conversions and value among channels by their removal effects: the share of conversions that a Markov chain of the paths loses if every way through the channel ends without one. A state is the last channels of a path, up to 4 (chain_order). One row per channel, and one for "(none)" with the conversions of empty paths, whose removal_effect is NULL; conversions and values add up to those of the paths';

CREATE FUNCTION align.shapley(paths align.paths) RETURNS TABLE (
		channel text, conversions float8, value numeric)
	AS 'MODULE_PATHNAME', 'align_shapley'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 20;
COMMENT ON FUNCTION align.shapley(align.paths) IS
	'divides conversions and value among channels by the Shapley value of the game in which a coalition is worth the conversions of the paths that need no other channel; it equals equal parts for the different channels of each path. One row per channel, and one for "(none)" with the conversions of empty paths; conversions and values add up to those of the paths';

/* changing paths before they are counted */

CREATE FUNCTION align.collapse_repeats(path text[]) RETURNS text[]
	AS 'MODULE_PATHNAME', 'align_collapse_repeats'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.collapse_repeats(text[]) IS
	'the path with one of each run of equal channels, as a > a > b > a becomes a > b > a; elements that are NULL are left out';

CREATE FUNCTION align.distinct_channels(path text[]) RETURNS text[]
	AS 'MODULE_PATHNAME', 'align_distinct_channels'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.distinct_channels(text[]) IS
	'the channels of the path in the order of their first touch, each once; elements that are NULL are left out';

CREATE FUNCTION align.last_channels(path text[], n integer) RETURNS text[]
	AS 'MODULE_PATHNAME', 'align_last_channels'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.last_channels(text[], integer) IS
	'the last n channels of the path, or all of them if there are fewer; elements that are NULL are left out before';

/* casts */

CREATE FUNCTION align.paths_to_jsonb(align.paths) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'align_paths_to_jsonb'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION align.paths_to_jsonb(align.paths) IS
	'the paths as an array of objects with the members path, conversions, value and nulls';

CREATE FUNCTION align.jsonb_to_paths(jsonb) RETURNS align.paths
	AS 'MODULE_PATHNAME', 'align_jsonb_to_paths'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION align.jsonb_to_paths(jsonb) IS
	'paths from an array such as that of paths_to_jsonb, with the checks of the text form; unknown members are an error';

CREATE CAST (align.paths AS jsonb) WITH FUNCTION align.paths_to_jsonb(align.paths);
COMMENT ON CAST (align.paths AS jsonb) IS
	'the paths as an array of objects';

CREATE CAST (jsonb AS align.paths) WITH FUNCTION align.jsonb_to_paths(jsonb);
COMMENT ON CAST (jsonb AS align.paths) IS
	'paths from an array of objects';
