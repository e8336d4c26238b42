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

-- Comments that are new or read otherwise ("make delta").

COMMENT ON FUNCTION align.progress(align.lead, text[], interval, text, timestamptz) IS
'how far the lead got along steps by as_of: level, times of the steps, last amount, and status (open, converted, dropped); a step is a stage, several (sal|sql) or optional (sql?), within is the window from the first step (NULL: none), mode a set of words (NULL: ordered). NULL for a NULL lead; NULL steps or as_of are an error';
COMMENT ON FUNCTION align.progress(align.lead, text[], interval, text, timestamptz, interval[], text[], text) IS
'the same as progress(lead, steps, within, mode, as_of), with the longest time from each step to the next (gaps, one less than steps), stages that end an attempt (exclude), and the time zone in whose calendar months and days of within and gaps are counted; NULL for any of them is none';
COMMENT ON FUNCTION align.passages(align.lead, text[], interval, text, timestamptz, interval[], text[], text) IS
'the passages of the lead along steps by as_of, each with the columns of progress(): an entry into the first step begins one, which ends before the next begins; one that is overtaken and has not converted is dropped. No row for a NULL lead';
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
/* incidence: a mergeable summary of when leads reach an outcome */
/* process: which stage follows which, how often and how fast */
/* paths: a mergeable summary of the channels that leads came by */
