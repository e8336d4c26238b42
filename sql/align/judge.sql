/*
 * judge.sql: pure functions of (lead, funnel): verdicts, service-level clocks,
 * progress.
 */

CREATE FUNCTION align.violations(lead align.lead, funnel align.funnel)
RETURNS TABLE (entry int, at timestamptz, rule text, from_stage text, stage text, detail text)
AS 'MODULE_PATHNAME', 'align_violations'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10 ROWS 2;

COMMENT ON FUNCTION align.violations(align.lead, align.funnel) IS
'every rule of the agreement that an entry of the lead breaks: number of the entry among entries(lead), its time, the rule (unknown_stage, illegal_move, not_an_entry, missing_reason, unlisted_reason, wrong_team), stages by their name in the agreement (unknown ones by their label), and the sentence that the trigger would say; no row if nothing is wrong or an argument is NULL';

CREATE FUNCTION align.fits(lead align.lead, funnel align.funnel)
RETURNS boolean
AS 'MODULE_PATHNAME', 'align_fits'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;

COMMENT ON FUNCTION align.fits(align.lead, align.funnel) IS
'does the lead break no rule of the agreement, that is, does violations() return no row? NULL if an argument is NULL';

CREATE FUNCTION align.fitness(lead align.lead, funnel align.funnel)
RETURNS float8
AS 'MODULE_PATHNAME', 'align_fitness'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;

COMMENT ON FUNCTION align.fitness(align.lead, align.funnel) IS
'legal moves / moves of the lead, from 0 to 1; a move from or to a stage that the agreement does not know is not legal; 1 for a lead that never moved; NULL if an argument is NULL';

CREATE FUNCTION align.sla_clocks(lead align.lead, funnel align.funnel, as_of timestamptz)
RETURNS TABLE (sla text, cycle int, team text, started_at timestamptz, due_at timestamptz,
			   warn_at timestamptz, stopped_at timestamptz, elapsed interval, remaining interval,
			   state text)
AS 'MODULE_PATHNAME', 'align_sla_clocks'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20 ROWS 3;

COMMENT ON FUNCTION align.sla_clocks(align.lead, align.funnel, timestamptz) IS
'the lead''s service-level clocks (handoffs included) as of an instant, later entries unseen, one row per cycle in the order of start. elapsed and remaining are in the promise''s own kind of time (working or plain), in hours and smaller; remaining is negative once overdue and NULL for a closed clock; due_at and warn_at of a paused clock are what they would be if it resumed at as_of. state: running, at_risk, overdue, paused, met, missed or cancelled. No row if an argument is NULL; as_of must be finite';

CREATE FUNCTION align.advance(lead align.lead, funnel align.funnel, stage text, at timestamptz,
							  team text DEFAULT NULL, reason text DEFAULT NULL)
RETURNS align.lead
AS 'MODULE_PATHNAME', 'align_advance'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;

COMMENT ON FUNCTION align.advance(align.lead, align.funnel, text, timestamptz, text, text) IS
'the lead after moving to a stage (a name or label of the agreement) at a time not before its last entry, by a team (NULL: not told) and for a reason (NULL: none), or the error that the trigger would raise (SQLSTATE class AL). A NULL lead has no history: the move is its entry. The lead unchanged if it is in that stage already. NULL agreement, stage or time is an error';

CREATE FUNCTION align.progress(lead align.lead, steps text[], within interval, mode text, as_of timestamptz,
							   OUT level int, OUT times timestamptz[], OUT amount numeric, OUT status text)
AS 'MODULE_PATHNAME', 'align_progress_sql'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;

COMMENT ON FUNCTION align.progress(align.lead, text[], interval, text, timestamptz) IS
'how far along the steps (stages by the label that the lead bears) the lead got by as_of: level (0 to the number of steps), times (when each step was filled, NULL beyond level), amount (the last one told by as_of) and status (converted; dropped: the window has passed; open). One entry fills one step and others may stand between (mode ordered, also when NULL); among the longest chains the earliest completing, then the latest start. within is counted from the first step, inclusive; NULL: no window; months, years and negative windows are errors. NULL lead: NULL; NULL steps or as_of: an error';

CREATE FUNCTION align.funnel_progress(lead align.lead, funnel align.funnel, as_of timestamptz,
									  OUT level int, OUT times timestamptz[], OUT amount numeric, OUT status text)
AS 'MODULE_PATHNAME', 'align_funnel_progress_sql'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;

COMMENT ON FUNCTION align.funnel_progress(align.lead, align.funnel, timestamptz) IS
'how far along the success path of the agreement the lead got by as_of: level (the furthest position reached, the whole path once in a won stage), times (first entry into each stage of the path, NULL where it was skipped or not reached), amount (the last one told by as_of) and status (converted: was in a won stage; dropped: is in a lost stage; open). NULL lead or agreement: NULL; NULL as_of: an error';
