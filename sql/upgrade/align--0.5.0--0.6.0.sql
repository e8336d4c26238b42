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
/* patterns of events over the rows of an event table */
/* incidence: a mergeable summary of when leads reach an outcome */
/* process: which stage follows which, how often and how fast */
/* paths: a mergeable summary of the channels that leads came by */
