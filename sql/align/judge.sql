/*
 * judge.sql: pure functions of (lead, funnel): verdicts, service-level clocks,
 * progress.
 */

CREATE FUNCTION align.violations(lead align.lead, funnel align.funnel)
RETURNS TABLE (entry int, at timestamptz, rule text, from_stage text, stage text, detail text)
AS 'MODULE_PATHNAME', 'align_violations'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10 ROWS 2;

COMMENT ON FUNCTION align.violations(align.lead, align.funnel) IS
'one row per rule of the agreement that an entry of the lead breaks: number and time of the entry, rule, stages by name (unknown ones by label) and the text of the trigger''s error; no row if an argument is NULL';

CREATE FUNCTION align.fits(lead align.lead, funnel align.funnel)
RETURNS boolean
AS 'MODULE_PATHNAME', 'align_fits'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;

COMMENT ON FUNCTION align.fits(align.lead, align.funnel) IS
'true if the lead breaks no rule of the agreement, that is, if violations() returns no row; NULL if an argument is NULL';

CREATE FUNCTION align.fitness(lead align.lead, funnel align.funnel)
RETURNS float8
AS 'MODULE_PATHNAME', 'align_fitness'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;

COMMENT ON FUNCTION align.fitness(align.lead, align.funnel) IS
'legal moves / moves of the lead, from 0 to 1, where moves from or to unknown stages are not legal; 1 for a lead that never moved, NULL if an argument is NULL';

CREATE FUNCTION align.sla_clocks(lead align.lead, funnel align.funnel, as_of timestamptz)
RETURNS TABLE (sla text, cycle int, team text, started_at timestamptz, due_at timestamptz,
			   warn_at timestamptz, stopped_at timestamptz, elapsed interval, remaining interval,
			   state text)
AS 'MODULE_PATHNAME', 'align_sla_clocks'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20 ROWS 3;

COMMENT ON FUNCTION align.sla_clocks(align.lead, align.funnel, timestamptz) IS
'the service-level clocks of the lead (handoffs included) as of a finite time, one row per cycle in the order of start. elapsed and remaining are working or elapsed time as promised, in hours and smaller units; no row if an argument is NULL';

CREATE FUNCTION align.advance(lead align.lead, funnel align.funnel, stage text, at timestamptz,
							  team text DEFAULT NULL, reason text DEFAULT NULL)
RETURNS align.lead
AS 'MODULE_PATHNAME', 'align_advance'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;

COMMENT ON FUNCTION align.advance(align.lead, align.funnel, text, timestamptz, text, text) IS
'the lead after a move to a stage (a name or label) at a time not before its last entry, or the error of the trigger (SQLSTATE class AL). For a NULL lead the move is its entry; a NULL agreement, stage or time is an error';

CREATE FUNCTION align.progress(lead align.lead, steps text[], within interval, mode text, as_of timestamptz,
							   OUT level int, OUT times timestamptz[], OUT amount numeric, OUT status text)
AS 'MODULE_PATHNAME', 'align_progress_sql'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;

COMMENT ON FUNCTION align.progress(align.lead, text[], interval, text, timestamptz) IS
'how far the lead got along steps by as_of: level, times of the steps, last amount, and status (open, converted, dropped); a step is a stage, several (sal|sql) or optional (sql?), within is the window from the first step (NULL: none), mode a set of words (NULL: ordered). NULL for a NULL lead; NULL steps or as_of are an error';

CREATE FUNCTION align.progress(lead align.lead, steps text[], within interval, mode text, as_of timestamptz,
							   gaps interval[], exclude text[], time_zone text,
							   OUT level int, OUT times timestamptz[], OUT amount numeric, OUT status text)
AS 'MODULE_PATHNAME', 'align_progress_sql'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;

COMMENT ON FUNCTION align.progress(align.lead, text[], interval, text, timestamptz, interval[], text[], text) IS
'the same as progress(lead, steps, within, mode, as_of), with the longest time from each step to the next (gaps, one less than steps), stages that end an attempt (exclude), and the time zone in whose calendar months and days of within and gaps are counted; NULL for any of them is none';

CREATE FUNCTION align.passages(lead align.lead, steps text[], within interval, mode text, as_of timestamptz,
							   gaps interval[], exclude text[], time_zone text)
RETURNS TABLE (passage int, level int, times timestamptz[], amount numeric, status text)
AS 'MODULE_PATHNAME', 'align_passages_sql'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20 ROWS 2;

COMMENT ON FUNCTION align.passages(align.lead, text[], interval, text, timestamptz, interval[], text[], text) IS
'the passages of the lead along steps by as_of, each with the columns of progress(): an entry into the first step begins one, which ends before the next begins; one that is overtaken and has not converted is dropped. No row for a NULL lead';

CREATE FUNCTION align.funnel_progress(lead align.lead, funnel align.funnel, as_of timestamptz,
									  OUT level int, OUT times timestamptz[], OUT amount numeric, OUT status text)
AS 'MODULE_PATHNAME', 'align_funnel_progress_sql'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;

COMMENT ON FUNCTION align.funnel_progress(align.lead, align.funnel, timestamptz) IS
'how far the lead got along the success path of the agreement by as_of: level, first entry into each stage, last amount, and status (open, converted, dropped). NULL for a NULL lead or agreement; a NULL as_of is an error';
