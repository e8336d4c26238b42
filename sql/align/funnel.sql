/* funnel: the agreement */

CREATE TYPE align.funnel;

CREATE FUNCTION align.funnel_in(cstring) RETURNS align.funnel
	AS 'MODULE_PATHNAME', 'align_funnel_in'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION align.funnel_in(cstring) IS
	'input function of type align.funnel';

CREATE FUNCTION align.funnel_out(align.funnel) RETURNS cstring
	AS 'MODULE_PATHNAME', 'align_funnel_out'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.funnel_out(align.funnel) IS
	'output function of type align.funnel';

CREATE FUNCTION align.funnel_recv(internal) RETURNS align.funnel
	AS 'MODULE_PATHNAME', 'align_funnel_recv'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION align.funnel_recv(internal) IS
	'binary input function of type align.funnel; checks everything that the text form checks';

CREATE FUNCTION align.funnel_send(align.funnel) RETURNS bytea
	AS 'MODULE_PATHNAME', 'align_funnel_send'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.funnel_send(align.funnel) IS
	'binary output function of type align.funnel: a version byte and the canonical document in the client encoding';

CREATE TYPE align.funnel (
	INPUT = align.funnel_in,
	OUTPUT = align.funnel_out,
	RECEIVE = align.funnel_recv,
	SEND = align.funnel_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);
COMMENT ON TYPE align.funnel IS
	'an agreement between teams: stages, who holds them, legal moves, handoffs, needs, service levels, targets and channels, in the language of docs/agreements.md; stored as a canonical document';

/* comparison: by bytes, for sorting, grouping and DISTINCT */

CREATE FUNCTION align.funnel_eq(align.funnel, align.funnel) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_eq'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.funnel_eq(align.funnel, align.funnel) IS
	'implementation of the operator =';

CREATE FUNCTION align.funnel_ne(align.funnel, align.funnel) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_ne'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.funnel_ne(align.funnel, align.funnel) IS
	'implementation of the operator <>';

CREATE FUNCTION align.funnel_lt(align.funnel, align.funnel) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_lt'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.funnel_lt(align.funnel, align.funnel) IS
	'implementation of the operator <';

CREATE FUNCTION align.funnel_le(align.funnel, align.funnel) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_le'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.funnel_le(align.funnel, align.funnel) IS
	'implementation of the operator <=';

CREATE FUNCTION align.funnel_gt(align.funnel, align.funnel) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_gt'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.funnel_gt(align.funnel, align.funnel) IS
	'implementation of the operator >';

CREATE FUNCTION align.funnel_ge(align.funnel, align.funnel) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_ge'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.funnel_ge(align.funnel, align.funnel) IS
	'implementation of the operator >=';

CREATE FUNCTION align.funnel_cmp(align.funnel, align.funnel) RETURNS integer
	AS 'MODULE_PATHNAME', 'align_value_cmp'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.funnel_cmp(align.funnel, align.funnel) IS
	'less, equal or greater (-1, 0, 1) by bytes; for btree';

CREATE FUNCTION align.funnel_hash(align.funnel) RETURNS integer
	AS 'MODULE_PATHNAME', 'align_value_hash'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.funnel_hash(align.funnel) IS
	'hash value, for hash joins and grouping';

CREATE FUNCTION align.funnel_hash_extended(align.funnel, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'align_value_hash_extended'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.funnel_hash_extended(align.funnel, bigint) IS
	'64-bit hash value with a seed, for hash partitioning';

CREATE OPERATOR align.= (
	FUNCTION = align.funnel_eq, LEFTARG = align.funnel, RIGHTARG = align.funnel,
	COMMUTATOR = OPERATOR(align.=), NEGATOR = OPERATOR(align.<>),
	RESTRICT = eqsel, JOIN = eqjoinsel,
	HASHES, MERGES
);
COMMENT ON OPERATOR align.= (align.funnel, align.funnel) IS 'equal, comparing bytes';

CREATE OPERATOR align.<> (
	FUNCTION = align.funnel_ne, LEFTARG = align.funnel, RIGHTARG = align.funnel,
	COMMUTATOR = OPERATOR(align.<>), NEGATOR = OPERATOR(align.=),
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR align.<> (align.funnel, align.funnel) IS 'not equal, comparing bytes';

CREATE OPERATOR align.< (
	FUNCTION = align.funnel_lt, LEFTARG = align.funnel, RIGHTARG = align.funnel,
	COMMUTATOR = OPERATOR(align.>), NEGATOR = OPERATOR(align.>=),
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR align.< (align.funnel, align.funnel) IS 'less than, comparing bytes';

CREATE OPERATOR align.<= (
	FUNCTION = align.funnel_le, LEFTARG = align.funnel, RIGHTARG = align.funnel,
	COMMUTATOR = OPERATOR(align.>=), NEGATOR = OPERATOR(align.>),
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR align.<= (align.funnel, align.funnel) IS 'less than or equal, comparing bytes';

CREATE OPERATOR align.> (
	FUNCTION = align.funnel_gt, LEFTARG = align.funnel, RIGHTARG = align.funnel,
	COMMUTATOR = OPERATOR(align.<), NEGATOR = OPERATOR(align.<=),
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR align.> (align.funnel, align.funnel) IS 'greater than, comparing bytes';

CREATE OPERATOR align.>= (
	FUNCTION = align.funnel_ge, LEFTARG = align.funnel, RIGHTARG = align.funnel,
	COMMUTATOR = OPERATOR(align.<=), NEGATOR = OPERATOR(align.<),
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR align.>= (align.funnel, align.funnel) IS 'greater than or equal, comparing bytes';

CREATE OPERATOR CLASS align.funnel_ops DEFAULT FOR TYPE align.funnel USING btree AS
	OPERATOR 1 align.<, OPERATOR 2 align.<=, OPERATOR 3 align.=,
	OPERATOR 4 align.>=, OPERATOR 5 align.>,
	FUNCTION 1 align.funnel_cmp(align.funnel, align.funnel);
COMMENT ON OPERATOR CLASS align.funnel_ops USING btree IS
	'order of agreements by bytes, for sorting and DISTINCT; a long document does not fit an index row';

CREATE OPERATOR CLASS align.funnel_ops DEFAULT FOR TYPE align.funnel USING hash AS
	OPERATOR 1 align.=,
	FUNCTION 1 align.funnel_hash(align.funnel),
	FUNCTION 2 align.funnel_hash_extended(align.funnel, bigint);
COMMENT ON OPERATOR CLASS align.funnel_ops USING hash IS
	'hashing of agreements, for joins, grouping and hash indexes';

/* the content of an agreement, as rows */

CREATE FUNCTION align.stages(funnel align.funnel) RETURNS TABLE (
	stage_position int,
	stage text,
	kind text,
	team text,
	on_success_path boolean,
	is_entry boolean,
	labels text[],
	needs text[]
)
	AS 'MODULE_PATHNAME', 'align_funnel_stages'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 12;
COMMENT ON FUNCTION align.stages(funnel align.funnel) IS
	'one row per stage, in the order of declaration; stage_position counts from 1 and is NULL off the success path, team is NULL if no team holds the stage';

CREATE FUNCTION align.moves(funnel align.funnel) RETURNS TABLE (
	from_stage text,
	stage text,
	is_success boolean,
	needs text[]
)
	AS 'MODULE_PATHNAME', 'align_funnel_moves'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 40;
COMMENT ON FUNCTION align.moves(funnel align.funnel) IS
	'one row per legal move, in the order of the stages; needs is what this move needs in addition to the stage that it enters';

CREATE FUNCTION align.handoffs(funnel align.funnel) RETURNS TABLE (
	handoff text,
	stage text,
	from_team text,
	to_team text,
	accept text[],
	reject text[],
	reasons text[],
	due text,
	warn text
)
	AS 'MODULE_PATHNAME', 'align_funnel_handoffs'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 3;
COMMENT ON FUNCTION align.handoffs(funnel align.funnel) IS
	'one row per handoff: the stage that submits a lead, both teams, the accepting and rejecting stages, and the reasons for a rejection (empty: any); due and warn are NULL if no time is promised';

CREATE FUNCTION align.service_levels(funnel align.funnel) RETURNS TABLE (
	sla text,
	team text,
	starts text[],
	stops text[],
	pauses text[],
	due text,
	warn text
)
	AS 'MODULE_PATHNAME', 'align_funnel_service_levels'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 6;
COMMENT ON FUNCTION align.service_levels(funnel align.funnel) IS
	'one row per service level, handoffs first: the promising team, the stages that start, stop and pause the clock, when it is due and when it warns; due and warn are NULL if no time is promised';

CREATE FUNCTION align.targets(funnel align.funnel) RETURNS TABLE (
	team text,
	metric text,
	goal numeric,
	unit text,
	per text,
	within interval
)
	AS 'MODULE_PATHNAME', 'align_funnel_targets'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 4;
COMMENT ON FUNCTION align.targets(funnel align.funnel) IS
	'one row per target: team ("marketing, sales" of a joint one), metric (a stage, "amount of STAGE", a handoff or sla, or "STAGE to STAGE" for a conversion), goal, unit (leads, amount or %), period (of a percentage NULL, which means month, if none is given) and window of a conversion';

CREATE FUNCTION align.agreed_targets(funnel align.funnel) RETURNS TABLE (
	team text,
	kind text,
	stage text,
	from_stage text,
	sla text,
	goal numeric,
	unit text,
	per text,
	within interval
)
	AS 'MODULE_PATHNAME', 'align_funnel_agreed_targets'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 5;
COMMENT ON FUNCTION align.agreed_targets(funnel align.funnel) IS
	'the targets of an agreement in the order of the document, with what each measures in columns: kind is count (leads that enter stage), amount (of the same leads), service_level (sla) or conversion (from from_stage to stage)';

CREATE FUNCTION align.target_teams(funnel align.funnel) RETURNS TABLE (
	target_no int,
	team text
)
	AS 'MODULE_PATHNAME', 'align_funnel_target_teams'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 6;
COMMENT ON FUNCTION align.target_teams(funnel align.funnel) IS
	'one row for each team of each target: target_no is the place of the target in agreed_targets(), from 1; a target with several rows is a joint one';

CREATE FUNCTION align.target_mix(funnel align.funnel) RETURNS TABLE (
	stage text,
	segment text,
	share float8
)
	AS 'MODULE_PATHNAME', 'align_funnel_target_mix'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 4;
COMMENT ON FUNCTION align.target_mix(funnel align.funnel) IS
	'the agreed share, 0 to 1, of each segment among the leads that enter a stage, one row per share; the segment (other) stands for the leads of no segment';

CREATE FUNCTION align.segments(funnel align.funnel) RETURNS TABLE (
	segment text,
	condition text
)
	AS 'MODULE_PATHNAME', 'align_funnel_segments'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 5;
COMMENT ON FUNCTION align.segments(funnel align.funnel) IS
	'the segments of an agreement in the order of the document, each with its condition on the row';

CREATE FUNCTION align.channels(funnel align.funnel) RETURNS TABLE (
	channel text,
	source text,
	medium text,
	name text
)
	AS 'MODULE_PATHNAME', 'align_funnel_channels'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 5;
COMMENT ON FUNCTION align.channels(funnel align.funnel) IS
	'one row per channel that the agreement defines, in the order of declaration: the patterns for source, medium and name of a campaign, NULL if there is no condition on it; the first channel whose patterns match decides';

/* functions of one stage or move, by name or label; an unknown one is an error */

CREATE FUNCTION align.stage_name(funnel align.funnel, label text) RETURNS text
	AS 'MODULE_PATHNAME', 'align_funnel_stage_name'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.stage_name(funnel align.funnel, label text) IS
	'the stage that a name or label stands for; an unknown label is an error';

CREATE FUNCTION align.stage_kind(funnel align.funnel, label text) RETURNS text
	AS 'MODULE_PATHNAME', 'align_funnel_stage_kind'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.stage_kind(funnel align.funnel, label text) IS
	'open, won or lost; an unknown label is an error';

CREATE FUNCTION align.stage_position(funnel align.funnel, label text) RETURNS integer
	AS 'MODULE_PATHNAME', 'align_funnel_stage_position'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.stage_position(funnel align.funnel, label text) IS
	'position of the stage on the success path, from 1, NULL off it; an unknown label is an error';

CREATE FUNCTION align.stage_team(funnel align.funnel, label text) RETURNS text
	AS 'MODULE_PATHNAME', 'align_funnel_stage_team'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.stage_team(funnel align.funnel, label text) IS
	'the team that holds the stage, NULL if none does; an unknown label is an error';

CREATE FUNCTION align.can_move(funnel align.funnel, from_stage text, to_stage text) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_funnel_can_move'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.can_move(funnel align.funnel, from_stage text, to_stage text) IS
	'true if a lead may move from one stage to the other, false for a stage and itself; an unknown label is an error';

CREATE FUNCTION align.next_stages(funnel align.funnel, from_stage text) RETURNS text[]
	AS 'MODULE_PATHNAME', 'align_funnel_next_stages'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.next_stages(funnel align.funnel, from_stage text) IS
	'the stages to which a lead may move, in the order of declaration; an unknown label is an error';

CREATE FUNCTION align.route(funnel align.funnel, from_stage text, to_stage text) RETURNS text[]
	AS 'MODULE_PATHNAME', 'align_funnel_route_names'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION align.route(funnel align.funnel, from_stage text, to_stage text) IS
	'the shortest legal route, without its start and with its end, empty from a stage to itself and NULL if there is none; an unknown label is an error';

CREATE FUNCTION align.hours(funnel align.funnel) RETURNS align.calendar
	AS 'MODULE_PATHNAME', 'align_funnel_hours'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION align.hours(funnel align.funnel) IS
	'the common working hours; NULL if the agreement has none';

CREATE FUNCTION align.hours(funnel align.funnel, team text) RETURNS align.calendar
	AS 'MODULE_PATHNAME', 'align_funnel_team_hours'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION align.hours(funnel align.funnel, team text) IS
	'the working hours of a team, its own or else the common ones, NULL if there are neither; a team that is not part of the agreement is an error';

CREATE FUNCTION align.fiscal_year_begins(funnel align.funnel) RETURNS integer
	AS 'MODULE_PATHNAME', 'align_funnel_fiscal_year_begins'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.fiscal_year_begins(funnel align.funnel) IS
	'the first month of the fiscal year, 1 (January, also if the agreement does not say) to 12';

CREATE FUNCTION align.period_start(funnel align.funnel, per text, on_date date) RETURNS date
	AS 'MODULE_PATHNAME', 'align_funnel_period_start'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.period_start(funnel align.funnel, per text, on_date date) IS
	'the first day of the day, week (from Monday), month, quarter or year (fiscal) that contains a date';

CREATE FUNCTION align.period_end(funnel align.funnel, per text, on_date date) RETURNS date
	AS 'MODULE_PATHNAME', 'align_funnel_period_end'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.period_end(funnel align.funnel, per text, on_date date) IS
	'the first day after the day, week (from Monday), month, quarter or year (fiscal) that contains a date';

/* differences and diagrams */

CREATE FUNCTION align.diff(old_funnel align.funnel, new_funnel align.funnel) RETURNS TABLE (
	change text,
	what text,
	before text,
	after text
)
	AS 'MODULE_PATHNAME', 'align_funnel_diff'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200 ROWS 10;
COMMENT ON FUNCTION align.diff(old_funnel align.funnel, new_funnel align.funnel) IS
	'one row per change from one agreement to the other (added, removed or changed), with its form before and after; no row if and only if both are equal';

CREATE FUNCTION align.mermaid(funnel align.funnel) RETURNS text
	AS 'MODULE_PATHNAME', 'align_funnel_mermaid'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION align.mermaid(funnel align.funnel) IS
	'the agreement as a Mermaid state diagram, for Markdown';

/* casts */

CREATE FUNCTION align.funnel_to_jsonb(align.funnel) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'align_funnel_to_jsonb'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION align.funnel_to_jsonb(align.funnel) IS
	'the agreement as a JSON object; empty members are left out';

CREATE FUNCTION align.jsonb_to_funnel(jsonb) RETURNS align.funnel
	AS 'MODULE_PATHNAME', 'align_jsonb_to_funnel'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION align.jsonb_to_funnel(jsonb) IS
	'an agreement from a JSON object such as that of funnel_to_jsonb, with the checks of the text form; errors name the member';

CREATE CAST (align.funnel AS jsonb) WITH FUNCTION align.funnel_to_jsonb(align.funnel);
COMMENT ON CAST (align.funnel AS jsonb) IS
	'the agreement as a JSON object; nothing is lost';

CREATE CAST (jsonb AS align.funnel) WITH FUNCTION align.jsonb_to_funnel(jsonb);
COMMENT ON CAST (jsonb AS align.funnel) IS
	'an agreement from a JSON object';
