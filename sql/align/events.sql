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
