\echo Use "ALTER EXTENSION align UPDATE TO '0.6.0'" to load this file. \quit

-- Comments that are new or read otherwise ("make delta").

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
/* incidence: a mergeable summary of when leads reach an outcome */
/* process: which stage follows which, how often and how fast */
/* paths: a mergeable summary of the channels that leads came by */
