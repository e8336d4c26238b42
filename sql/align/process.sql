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
