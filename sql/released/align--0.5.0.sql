\echo Use "CREATE EXTENSION align" to load this file. \quit

/*
 * Types and functions may be used by everyone, like PostgreSQL's own.  Tables have
 * privileges of their own, and functions that need one check it.
 */
GRANT USAGE ON SCHEMA align TO PUBLIC;
COMMENT ON SCHEMA align IS 'sales-and-marketing alignment: agreements, journeys, and the reports on them';
-- calendar: working hours in a time zone

CREATE TYPE align.calendar;

CREATE FUNCTION align.calendar_in(cstring) RETURNS align.calendar
	AS 'MODULE_PATHNAME', 'align_calendar_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
CREATE FUNCTION align.calendar_out(align.calendar) RETURNS cstring
	AS 'MODULE_PATHNAME', 'align_calendar_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION align.calendar_recv(internal) RETURNS align.calendar
	AS 'MODULE_PATHNAME', 'align_calendar_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
CREATE FUNCTION align.calendar_send(align.calendar) RETURNS bytea
	AS 'MODULE_PATHNAME', 'align_calendar_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE TYPE align.calendar (
	INPUT = align.calendar_in,
	OUTPUT = align.calendar_out,
	RECEIVE = align.calendar_recv,
	SEND = align.calendar_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);

COMMENT ON TYPE align.calendar IS
'working hours in a time zone, with holidays: an optional IANA zone (default UTC) and rules of which the last that names a day decides, as in ''Europe/London Mo-Fr 09:00-17:30; Dec 25 off''. The grammar is a subset of the opening_hours specification of OpenStreetMap';
COMMENT ON FUNCTION align.calendar_in(cstring) IS
'text to calendar. An unknown time zone is an error only when the calendar is used';
COMMENT ON FUNCTION align.calendar_out(align.calendar) IS
'calendar to its canonical text, which reads back to the same calendar';
COMMENT ON FUNCTION align.calendar_recv(internal) IS
'binary form to calendar: a version byte (1) and the text, with the checks of calendar_in';
COMMENT ON FUNCTION align.calendar_send(align.calendar) IS
'calendar to binary form: a version byte (1) and the canonical text';

CREATE FUNCTION align.calendar_eq(align.calendar, align.calendar) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_eq' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION align.calendar_ne(align.calendar, align.calendar) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_ne' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION align.calendar_lt(align.calendar, align.calendar) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_lt' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION align.calendar_le(align.calendar, align.calendar) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_le' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION align.calendar_gt(align.calendar, align.calendar) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_gt' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION align.calendar_ge(align.calendar, align.calendar) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_ge' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION align.calendar_cmp(align.calendar, align.calendar) RETURNS integer
	AS 'MODULE_PATHNAME', 'align_value_cmp' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION align.calendar_hash(align.calendar) RETURNS integer
	AS 'MODULE_PATHNAME', 'align_value_hash' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION align.calendar_hash_extended(align.calendar, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'align_value_hash_extended' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;

COMMENT ON FUNCTION align.calendar_eq(align.calendar, align.calendar) IS 'implementation of the = operator';
COMMENT ON FUNCTION align.calendar_ne(align.calendar, align.calendar) IS 'implementation of the <> operator';
COMMENT ON FUNCTION align.calendar_lt(align.calendar, align.calendar) IS 'implementation of the < operator';
COMMENT ON FUNCTION align.calendar_le(align.calendar, align.calendar) IS 'implementation of the <= operator';
COMMENT ON FUNCTION align.calendar_gt(align.calendar, align.calendar) IS 'implementation of the > operator';
COMMENT ON FUNCTION align.calendar_ge(align.calendar, align.calendar) IS 'implementation of the >= operator';
COMMENT ON FUNCTION align.calendar_cmp(align.calendar, align.calendar) IS 'less than, equal to or greater than: -1, 0 or 1, comparing bytes';
COMMENT ON FUNCTION align.calendar_hash(align.calendar) IS 'hash';
COMMENT ON FUNCTION align.calendar_hash_extended(align.calendar, bigint) IS '64-bit hash with a seed';

CREATE OPERATOR align.= (
	LEFTARG = align.calendar, RIGHTARG = align.calendar, FUNCTION = align.calendar_eq,
	COMMUTATOR = OPERATOR(align.=), NEGATOR = OPERATOR(align.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
CREATE OPERATOR align.<> (
	LEFTARG = align.calendar, RIGHTARG = align.calendar, FUNCTION = align.calendar_ne,
	COMMUTATOR = OPERATOR(align.<>), NEGATOR = OPERATOR(align.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
CREATE OPERATOR align.< (
	LEFTARG = align.calendar, RIGHTARG = align.calendar, FUNCTION = align.calendar_lt,
	COMMUTATOR = OPERATOR(align.>), NEGATOR = OPERATOR(align.>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
CREATE OPERATOR align.<= (
	LEFTARG = align.calendar, RIGHTARG = align.calendar, FUNCTION = align.calendar_le,
	COMMUTATOR = OPERATOR(align.>=), NEGATOR = OPERATOR(align.>), RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
CREATE OPERATOR align.> (
	LEFTARG = align.calendar, RIGHTARG = align.calendar, FUNCTION = align.calendar_gt,
	COMMUTATOR = OPERATOR(align.<), NEGATOR = OPERATOR(align.<=), RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
CREATE OPERATOR align.>= (
	LEFTARG = align.calendar, RIGHTARG = align.calendar, FUNCTION = align.calendar_ge,
	COMMUTATOR = OPERATOR(align.<=), NEGATOR = OPERATOR(align.<), RESTRICT = scalargesel, JOIN = scalargejoinsel
);

COMMENT ON OPERATOR align.= (align.calendar, align.calendar) IS 'equal: both open on the same days at the same times, in the same zone, with the same dates named';
COMMENT ON OPERATOR align.<> (align.calendar, align.calendar) IS 'not equal';
COMMENT ON OPERATOR align.< (align.calendar, align.calendar) IS 'sorts before (bytes of the canonical text)';
COMMENT ON OPERATOR align.<= (align.calendar, align.calendar) IS 'sorts before or equal';
COMMENT ON OPERATOR align.> (align.calendar, align.calendar) IS 'sorts after';
COMMENT ON OPERATOR align.>= (align.calendar, align.calendar) IS 'sorts after or equal';

CREATE OPERATOR CLASS align.calendar_btree_ops
	DEFAULT FOR TYPE align.calendar USING btree AS
	OPERATOR 1 align.<, OPERATOR 2 align.<=, OPERATOR 3 align.=, OPERATOR 4 align.>=, OPERATOR 5 align.>,
	FUNCTION 1 align.calendar_cmp(align.calendar, align.calendar);
CREATE OPERATOR CLASS align.calendar_hash_ops
	DEFAULT FOR TYPE align.calendar USING hash AS
	OPERATOR 1 align.=,
	FUNCTION 1 align.calendar_hash(align.calendar),
	FUNCTION 2 align.calendar_hash_extended(align.calendar, bigint);

COMMENT ON OPERATOR CLASS align.calendar_btree_ops USING btree IS
'order of calendars by the bytes of their canonical text: for sorting and DISTINCT';
COMMENT ON OPERATOR CLASS align.calendar_hash_ops USING hash IS
'hashing of calendars, for joins and grouping';
COMMENT ON OPERATOR FAMILY align.calendar_btree_ops USING btree IS
'order of calendars by the bytes of their canonical text';
COMMENT ON OPERATOR FAMILY align.calendar_hash_ops USING hash IS
'hashing of calendars';

-- casts

CREATE FUNCTION align.calendar_to_jsonb(calendar align.calendar) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'align_calendar_to_jsonb' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 30;
CREATE FUNCTION align.jsonb_to_calendar(document jsonb) RETURNS align.calendar
	AS 'MODULE_PATHNAME', 'align_jsonb_to_calendar' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 30;
CREATE CAST (align.calendar AS jsonb) WITH FUNCTION align.calendar_to_jsonb(align.calendar);
CREATE CAST (jsonb AS align.calendar) WITH FUNCTION align.jsonb_to_calendar(jsonb);

COMMENT ON FUNCTION align.calendar_to_jsonb(align.calendar) IS
'calendar as {"zone": name, "rules": [{"days": text, "open": [[from, to], ...]}, ...]}; a rule without open spans closes its days';
COMMENT ON FUNCTION align.jsonb_to_calendar(jsonb) IS
'calendar from the JSON form of calendar_to_jsonb, in which "zone" defaults to UTC and "days" to every day, or from a JSON string with its text. Unknown keys are errors';
COMMENT ON CAST (align.calendar AS jsonb) IS 'calendar to its JSON form, see align.calendar_to_jsonb';
COMMENT ON CAST (jsonb AS align.calendar) IS 'calendar from its JSON form, see align.jsonb_to_calendar';

-- arithmetic

CREATE FUNCTION align.working_time(calendar align.calendar, start_at timestamp with time zone, end_at timestamp with time zone) RETURNS interval
	AS 'MODULE_PATHNAME', 'align_calendar_working_time' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 3;
COMMENT ON FUNCTION align.working_time(align.calendar, timestamp with time zone, timestamp with time zone) IS
'open time from start_at to end_at, in hours and smaller units, never days; negative if end_at is before start_at, so that working times add up. Infinite times are errors';

CREATE FUNCTION align.working_time(calendar align.calendar, during tstzrange) RETURNS interval
	AS 'MODULE_PATHNAME', 'align_calendar_working_time_range' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 4;
COMMENT ON FUNCTION align.working_time(align.calendar, tstzrange) IS
'open time within a range; 0 if it is empty, an error if a bound is missing or infinite';

CREATE FUNCTION align.working_time(calendar align.calendar, during tstzmultirange) RETURNS interval
	AS 'MODULE_PATHNAME', 'align_calendar_working_time_multirange' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 8;
COMMENT ON FUNCTION align.working_time(align.calendar, tstzmultirange) IS
'open time within a multirange: working_time(hours, running - paused). 0 if it is empty, an error if a bound is missing or infinite';

CREATE FUNCTION align.add_working_time(calendar align.calendar, at timestamp with time zone, amount interval) RETURNS timestamp with time zone
	AS 'MODULE_PATHNAME', 'align_calendar_add_working_time' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 3;
COMMENT ON FUNCTION align.add_working_time(align.calendar, timestamp with time zone, interval) IS
'the first instant at which the amount of open time has passed since "at"; the next opening for an amount of 0, and backwards for a negative one. Days and months in the amount, infinite times and a calendar without so much open time are errors';

CREATE FUNCTION align.is_open(calendar align.calendar, at timestamp with time zone) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_calendar_is_open' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.is_open(align.calendar, timestamp with time zone) IS
'true if the calendar is open at this instant; an opening time is open, a closing time is not. Infinite times are errors';

CREATE FUNCTION align.next_open(calendar align.calendar, at timestamp with time zone) RETURNS timestamp with time zone
	AS 'MODULE_PATHNAME', 'align_calendar_next_open' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 3;
COMMENT ON FUNCTION align.next_open(align.calendar, timestamp with time zone) IS
'the first open instant from "at" on, which is "at" itself if the calendar is open. A calendar that does not open again is an error';

CREATE FUNCTION align.next_close(calendar align.calendar, at timestamp with time zone) RETURNS timestamp with time zone
	AS 'MODULE_PATHNAME', 'align_calendar_next_close' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 3;
COMMENT ON FUNCTION align.next_close(align.calendar, timestamp with time zone) IS
'the end of the open period that contains "at", or else of the next one. An error if there is none or it never ends';

CREATE FUNCTION align.end_of_working_day(calendar align.calendar, at timestamp with time zone, n integer) RETURNS timestamp with time zone
	AS 'MODULE_PATHNAME', 'align_calendar_end_of_working_day' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.end_of_working_day(align.calendar, timestamp with time zone, integer) IS
'closing time of a working day: for n = 0 the day of "at" if it has yet to close, else the next one; for n > 0 the nth working day after the date of "at". A negative n and a calendar that does not open again are errors';

CREATE FUNCTION align.open_periods(calendar align.calendar, during tstzrange) RETURNS tstzmultirange
	AS 'MODULE_PATHNAME', 'align_calendar_open_periods' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION align.open_periods(align.calendar, tstzrange) IS
'the open periods within a range, clipped to it; empty for an empty range. A missing or infinite bound and more than 1,000,000 periods are errors';

CREATE FUNCTION align.with_holidays(calendar align.calendar, holidays date[]) RETURNS align.calendar
	AS 'MODULE_PATHNAME', 'align_calendar_with_holidays' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION align.with_holidays(align.calendar, date[]) IS
'the calendar, closed on these dates, too. NULL or infinite dates and years outside 1800 to 2299 are errors';
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
/* lead: one lead's journey */

CREATE TYPE align.lead;

CREATE FUNCTION align.lead_in(cstring) RETURNS align.lead
	AS 'MODULE_PATHNAME', 'align_lead_in'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.lead_in(cstring) IS
	'input function of type align.lead';

CREATE FUNCTION align.lead_out(align.lead) RETURNS cstring
	AS 'MODULE_PATHNAME', 'align_lead_out'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.lead_out(align.lead) IS
	'output function of type align.lead';

CREATE FUNCTION align.lead_recv(internal) RETURNS align.lead
	AS 'MODULE_PATHNAME', 'align_lead_recv'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.lead_recv(internal) IS
	'binary input function of type align.lead; checks everything that the text form checks';

CREATE FUNCTION align.lead_send(align.lead) RETURNS bytea
	AS 'MODULE_PATHNAME', 'align_lead_send'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.lead_send(align.lead) IS
	'binary output function of type align.lead: a version byte and the stored form, strings in the client encoding';

CREATE TYPE align.lead (
	INPUT = align.lead_in,
	OUTPUT = align.lead_out,
	RECEIVE = align.lead_recv,
	SEND = align.lead_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);
COMMENT ON TYPE align.lead IS
	'one lead''s journey: its stage entries and campaign touches in order, such as {2026-03-01T09:00:00Z inquiry ~ "utm_source=google", 2026-03-02T10:00:00Z mql by marketing}';

/* comparison: by bytes, for sorting, grouping and DISTINCT */

CREATE FUNCTION align.lead_eq(align.lead, align.lead) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_eq'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.lead_eq(align.lead, align.lead) IS
	'implementation of the operator =';

CREATE FUNCTION align.lead_ne(align.lead, align.lead) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_ne'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.lead_ne(align.lead, align.lead) IS
	'implementation of the operator <>';

CREATE FUNCTION align.lead_lt(align.lead, align.lead) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_lt'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.lead_lt(align.lead, align.lead) IS
	'implementation of the operator <';

CREATE FUNCTION align.lead_le(align.lead, align.lead) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_le'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.lead_le(align.lead, align.lead) IS
	'implementation of the operator <=';

CREATE FUNCTION align.lead_gt(align.lead, align.lead) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_gt'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.lead_gt(align.lead, align.lead) IS
	'implementation of the operator >';

CREATE FUNCTION align.lead_ge(align.lead, align.lead) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_ge'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.lead_ge(align.lead, align.lead) IS
	'implementation of the operator >=';

CREATE FUNCTION align.lead_cmp(align.lead, align.lead) RETURNS integer
	AS 'MODULE_PATHNAME', 'align_value_cmp'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.lead_cmp(align.lead, align.lead) IS
	'less, equal or greater (-1, 0, 1) by bytes; for btree';

CREATE FUNCTION align.lead_hash(align.lead) RETURNS integer
	AS 'MODULE_PATHNAME', 'align_value_hash'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.lead_hash(align.lead) IS
	'hash value, for hash joins and grouping';

CREATE FUNCTION align.lead_hash_extended(align.lead, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'align_value_hash_extended'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.lead_hash_extended(align.lead, bigint) IS
	'64-bit hash value with a seed, for hash partitioning';

CREATE OPERATOR align.= (
	FUNCTION = align.lead_eq, LEFTARG = align.lead, RIGHTARG = align.lead,
	COMMUTATOR = OPERATOR(align.=), NEGATOR = OPERATOR(align.<>),
	RESTRICT = eqsel, JOIN = eqjoinsel,
	HASHES, MERGES
);
COMMENT ON OPERATOR align.= (align.lead, align.lead) IS 'equal, comparing bytes';

CREATE OPERATOR align.<> (
	FUNCTION = align.lead_ne, LEFTARG = align.lead, RIGHTARG = align.lead,
	COMMUTATOR = OPERATOR(align.<>), NEGATOR = OPERATOR(align.=),
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR align.<> (align.lead, align.lead) IS 'not equal, comparing bytes';

CREATE OPERATOR align.< (
	FUNCTION = align.lead_lt, LEFTARG = align.lead, RIGHTARG = align.lead,
	COMMUTATOR = OPERATOR(align.>), NEGATOR = OPERATOR(align.>=),
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR align.< (align.lead, align.lead) IS 'less than, comparing bytes';

CREATE OPERATOR align.<= (
	FUNCTION = align.lead_le, LEFTARG = align.lead, RIGHTARG = align.lead,
	COMMUTATOR = OPERATOR(align.>=), NEGATOR = OPERATOR(align.>),
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR align.<= (align.lead, align.lead) IS 'less than or equal, comparing bytes';

CREATE OPERATOR align.> (
	FUNCTION = align.lead_gt, LEFTARG = align.lead, RIGHTARG = align.lead,
	COMMUTATOR = OPERATOR(align.<), NEGATOR = OPERATOR(align.<=),
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR align.> (align.lead, align.lead) IS 'greater than, comparing bytes';

CREATE OPERATOR align.>= (
	FUNCTION = align.lead_ge, LEFTARG = align.lead, RIGHTARG = align.lead,
	COMMUTATOR = OPERATOR(align.<=), NEGATOR = OPERATOR(align.<),
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR align.>= (align.lead, align.lead) IS 'greater than or equal, comparing bytes';

CREATE OPERATOR CLASS align.lead_ops DEFAULT FOR TYPE align.lead USING btree AS
	OPERATOR 1 align.<, OPERATOR 2 align.<=, OPERATOR 3 align.=,
	OPERATOR 4 align.>=, OPERATOR 5 align.>,
	FUNCTION 1 align.lead_cmp(align.lead, align.lead);
COMMENT ON OPERATOR CLASS align.lead_ops USING btree IS
	'order of leads by bytes, for sorting and DISTINCT; a long journey does not fit an index row';

CREATE OPERATOR CLASS align.lead_ops DEFAULT FOR TYPE align.lead USING hash AS
	OPERATOR 1 align.=,
	FUNCTION 1 align.lead_hash(align.lead),
	FUNCTION 2 align.lead_hash_extended(align.lead, bigint);
COMMENT ON OPERATOR CLASS align.lead_ops USING hash IS
	'hashing of leads, for joins, grouping and hash indexes';

/* building leads */

CREATE FUNCTION align.lead_agg_trans(internal, timestamptz, text) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_lead_agg_stage_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION align.lead_agg_trans(internal, timestamptz, text) IS
	'transition function of the aggregate lead_agg(at, stage)';

CREATE FUNCTION align.lead_agg_trans(internal, timestamptz, text, text, text) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_lead_agg_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.lead_agg_trans(internal, timestamptz, text, text, text) IS
	'transition function of the aggregate lead_agg(at, stage, team, reason)';

CREATE FUNCTION align.lead_agg_trans(internal, timestamptz, text, text, text, text, numeric) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_lead_agg_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.lead_agg_trans(internal, timestamptz, text, text, text, text, numeric) IS
	'transition function of the aggregate lead_agg(at, stage, team, reason, campaign, amount)';

CREATE FUNCTION align.lead_agg_trans(internal, timestamptz, text, bigint) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_lead_agg_ordinal_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.lead_agg_trans(internal, timestamptz, text, bigint) IS
	'transition function of the aggregate lead_agg(at, stage, ordinal)';

CREATE FUNCTION align.lead_agg_trans(internal, timestamptz, text, text, text, text, numeric, bigint, text[]) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_lead_agg_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.lead_agg_trans(internal, timestamptz, text, text, text, text, numeric, bigint, text[]) IS
	'transition function of the aggregate lead_agg(at, stage, team, reason, campaign, amount, ordinal, segments)';

CREATE FUNCTION align.lead_agg_final(internal) RETURNS align.lead
	AS 'MODULE_PATHNAME', 'align_lead_agg_final'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.lead_agg_final(internal) IS
	'final function of the aggregates lead_agg';

CREATE FUNCTION align.lead_agg_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_lead_agg_combine'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.lead_agg_combine(internal, internal) IS
	'combine function of the aggregates lead_agg and rollup(lead)';

CREATE FUNCTION align.lead_agg_serialise(internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'align_lead_agg_serialise'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.lead_agg_serialise(internal) IS
	'serialisation of the state of the aggregates lead_agg and rollup(lead)';

CREATE FUNCTION align.lead_agg_deserialise(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_lead_agg_deserialise'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.lead_agg_deserialise(bytea, internal) IS
	'deserialisation of the state of the aggregates lead_agg and rollup(lead)';

CREATE FUNCTION align.lead_rollup_trans(internal, align.lead) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_lead_rollup_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.lead_rollup_trans(internal, align.lead) IS
	'transition function of the aggregate rollup(lead)';

CREATE FUNCTION align.lead_rollup_final(internal) RETURNS align.lead
	AS 'MODULE_PATHNAME', 'align_lead_rollup_final'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.lead_rollup_final(internal) IS
	'final function of the aggregate rollup(lead)';

CREATE AGGREGATE align.lead_agg(at timestamptz, stage text) (
	SFUNC = align.lead_agg_trans, STYPE = internal, SSPACE = 700,
	FINALFUNC = align.lead_agg_final, FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.lead_agg_combine,
	SERIALFUNC = align.lead_agg_serialise, DESERIALFUNC = align.lead_agg_deserialise,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.lead_agg(timestamptz, text) IS
	'one lead''s journey from its stage entries in any order; rows with a NULL time or stage are ignored, infinite times are an error; NULL if no row is left';

CREATE AGGREGATE align.lead_agg(at timestamptz, stage text, team text, reason text) (
	SFUNC = align.lead_agg_trans, STYPE = internal, SSPACE = 1200,
	FINALFUNC = align.lead_agg_final, FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.lead_agg_combine,
	SERIALFUNC = align.lead_agg_serialise, DESERIALFUNC = align.lead_agg_deserialise,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.lead_agg(timestamptz, text, text, text) IS
	'the same as lead_agg(at, stage) with the team that made each change and its reason, which may be NULL';

CREATE AGGREGATE align.lead_agg(at timestamptz, stage text, team text, reason text, campaign text, amount numeric) (
	SFUNC = align.lead_agg_trans, STYPE = internal, SSPACE = 1600,
	FINALFUNC = align.lead_agg_final, FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.lead_agg_combine,
	SERIALFUNC = align.lead_agg_serialise, DESERIALFUNC = align.lead_agg_deserialise,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.lead_agg(timestamptz, text, text, text, text, numeric) IS
	'the same as lead_agg(at, stage, team, reason) with campaigns and amounts; a row with a campaign and no stage is a touch, one with neither is ignored, and an amount that is NaN or infinite is an error';

CREATE AGGREGATE align.lead_agg(at timestamptz, stage text, ordinal bigint) (
	SFUNC = align.lead_agg_trans, STYPE = internal, SSPACE = 1200,
	FINALFUNC = align.lead_agg_final, FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.lead_agg_combine,
	SERIALFUNC = align.lead_agg_serialise, DESERIALFUNC = align.lead_agg_deserialise,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.lead_agg(timestamptz, text, bigint) IS
	'the same as lead_agg(at, stage) with a number that decides between equal times, such as the id of a log; it must be positive, and NULL sorts first';

CREATE AGGREGATE align.lead_agg(at timestamptz, stage text, team text, reason text, campaign text, amount numeric, ordinal bigint, segments text[]) (
	SFUNC = align.lead_agg_trans, STYPE = internal, SSPACE = 1800,
	FINALFUNC = align.lead_agg_final, FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.lead_agg_combine,
	SERIALFUNC = align.lead_agg_serialise, DESERIALFUNC = align.lead_agg_deserialise,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.lead_agg(timestamptz, text, text, text, text, numeric, bigint, text[]) IS
	'the same as lead_agg(at, stage, team, reason, campaign, amount) with a number that decides between equal times and the names of the segments that held of the row, in any order; NULL names, and an array without names, are the same as NULL';

CREATE AGGREGATE align.rollup(align.lead) (
	SFUNC = align.lead_rollup_trans, STYPE = internal, SSPACE = 1200,
	FINALFUNC = align.lead_rollup_final, FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.lead_agg_combine,
	SERIALFUNC = align.lead_agg_serialise, DESERIALFUNC = align.lead_agg_deserialise,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.rollup(align.lead) IS
	'merges partial journeys of one lead, without exact duplicates; an entry without segments is a duplicate of the same one with them; NULLs are ignored; NULL if there is nothing else';

/* functions of one lead that return one value */

CREATE FUNCTION align.current_stage(lead align.lead) RETURNS text
	AS 'MODULE_PATHNAME', 'align_lead_current_stage'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.current_stage(align.lead) IS
	'the stage that the lead entered last; NULL if it has only touches';

CREATE FUNCTION align.stage_at(lead align.lead, at timestamptz) RETURNS text
	AS 'MODULE_PATHNAME', 'align_lead_stage_at'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.stage_at(align.lead, timestamptz) IS
	'the stage that the lead was in at a time, NULL before its first entry; an entry at that time counts, and infinity gives the current stage';

CREATE FUNCTION align.since(lead align.lead) RETURNS timestamptz
	AS 'MODULE_PATHNAME', 'align_lead_since'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.since(align.lead) IS
	'when the lead entered its current stage, without regard to repeated entries; NULL if it has only touches';

CREATE FUNCTION align.reached(lead align.lead, stage text) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_lead_reached'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.reached(align.lead, text) IS
	'true if the lead ever entered the stage; names are compared by bytes';

CREATE FUNCTION align.time_in(lead align.lead, stage text, as_of timestamptz) RETURNS interval
	AS 'MODULE_PATHNAME', 'align_lead_time_in'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.time_in(align.lead, text, timestamptz) IS
	'elapsed time of all visits of the lead to a stage up to as_of, in hours and smaller units, zero if there is none; as_of must be finite';

CREATE FUNCTION align.time_between(lead align.lead, from_stage text, to_stage text) RETURNS interval
	AS 'MODULE_PATHNAME', 'align_lead_time_between'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.time_between(align.lead, text, text) IS
	'elapsed time from the first entry into from_stage to the first entry into to_stage at or after it, in hours and smaller units; NULL if there is no such pair';

CREATE FUNCTION align.path(lead align.lead) RETURNS text[]
	AS 'MODULE_PATHNAME', 'align_lead_path'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 3;
COMMENT ON FUNCTION align.path(align.lead) IS
	'the stages of the lead in order, without repeated entries; empty if it has only touches';

CREATE FUNCTION align.working_time_between(lead align.lead, from_stage text, to_stage text, calendar align.calendar) RETURNS interval
	AS 'MODULE_PATHNAME', 'align_lead_working_time_between'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.working_time_between(align.lead, text, text, align.calendar) IS
	'working time of the calendar in the span of time_between(lead, from_stage, to_stage), in hours and smaller units; NULL if there is no such span';

CREATE FUNCTION align.touchless(lead align.lead, funnel align.funnel) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_lead_touchless'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.touchless(align.lead, align.funnel) IS
	'true if at most one team held the lead; stages that no team holds, and labels that the agreement does not have, do not count; NULL if it has only touches';

CREATE FUNCTION align.canonical(lead align.lead, funnel align.funnel) RETURNS align.lead
	AS 'MODULE_PATHNAME', 'align_lead_canonical'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.canonical(align.lead, align.funnel) IS
	'the lead with its stages by the names that the agreement has for them, where it has another label; labels that the agreement does not have stay';

/* functions of one lead that return rows */

CREATE FUNCTION align.entries(lead align.lead) RETURNS TABLE (
		entry integer, at timestamptz, stage text, team text, reason text,
		campaign text, amount numeric, ordinal bigint, version integer)
	AS 'MODULE_PATHNAME', 'align_lead_entries'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10 ROWS 10;
COMMENT ON FUNCTION align.entries(align.lead) IS
	'one row per entry of the lead, numbered from 1 in its order; NULL for absent fields';

CREATE FUNCTION align.entry_segments(lead align.lead) RETURNS TABLE (
		entry integer, at timestamptz, stage text, segments text[])
	AS 'MODULE_PATHNAME', 'align_lead_entry_segments'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10 ROWS 5;
COMMENT ON FUNCTION align.entry_segments(align.lead) IS
	'one row per entry of the lead that has segments, with its number in entries(lead) and the sorted names of the segments that held of the row';

CREATE FUNCTION align.touches(lead align.lead) RETURNS TABLE (
		touch integer, at timestamptz, campaign text, amount numeric)
	AS 'MODULE_PATHNAME', 'align_lead_touches'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10 ROWS 5;
COMMENT ON FUNCTION align.touches(align.lead) IS
	'one row per campaign touch of the lead (an entry with a campaign and no stage), numbered from 1';

CREATE FUNCTION align.transitions(lead align.lead) RETURNS TABLE (
		transition integer, from_stage text, stage text, from_at timestamptz,
		at timestamptz, duration interval, team text, reason text)
	AS 'MODULE_PATHNAME', 'align_lead_transitions'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10 ROWS 8;
COMMENT ON FUNCTION align.transitions(align.lead) IS
	'one row per move of the lead from one stage to another, numbered from 1, with the elapsed time in from_stage; the first entry and repeated entries are not moves';

/* casts */

CREATE FUNCTION align.lead_to_jsonb(align.lead) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'align_lead_to_jsonb'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.lead_to_jsonb(align.lead) IS
	'the lead as an array of entries, each an object with at, stage, team, reason, campaign, amount, ordinal, version and segments where present';

CREATE FUNCTION align.jsonb_to_lead(jsonb) RETURNS align.lead
	AS 'MODULE_PATHNAME', 'align_jsonb_to_lead'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.jsonb_to_lead(jsonb) IS
	'a lead from an array of entries such as that of lead_to_jsonb, in any order; null members are absent, unknown ones are an error';

CREATE CAST (align.lead AS jsonb) WITH FUNCTION align.lead_to_jsonb(align.lead);
COMMENT ON CAST (align.lead AS jsonb) IS
	'the lead as an array of entries';

CREATE CAST (jsonb AS align.lead) WITH FUNCTION align.jsonb_to_lead(jsonb);
COMMENT ON CAST (jsonb AS align.lead) IS
	'a lead from an array of entries';
/* campaign: the campaign behind a touch, and its channel */

CREATE TYPE align.campaign;

CREATE FUNCTION align.campaign_in(cstring) RETURNS align.campaign
	AS 'MODULE_PATHNAME', 'align_campaign_in'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.campaign_in(cstring) IS
	'input function of type align.campaign: reads its canonical text; parse_campaign() reads addresses';

CREATE FUNCTION align.campaign_out(align.campaign) RETURNS cstring
	AS 'MODULE_PATHNAME', 'align_campaign_out'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.campaign_out(align.campaign) IS
	'output function of type align.campaign';

CREATE FUNCTION align.campaign_recv(internal) RETURNS align.campaign
	AS 'MODULE_PATHNAME', 'align_campaign_recv'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.campaign_recv(internal) IS
	'binary input function of type align.campaign; checks everything that the text form checks';

CREATE FUNCTION align.campaign_send(align.campaign) RETURNS bytea
	AS 'MODULE_PATHNAME', 'align_campaign_send'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.campaign_send(align.campaign) IS
	'binary output function of type align.campaign: a version byte and the canonical text';

CREATE TYPE align.campaign (
	INPUT = align.campaign_in,
	OUTPUT = align.campaign_out,
	RECEIVE = align.campaign_recv,
	SEND = align.campaign_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);
COMMENT ON TYPE align.campaign IS
	'the campaign behind a touch, such as utm_source=google&utm_medium=cpc&utm_campaign=spring';

/* comparison: by bytes, for sorting, grouping and DISTINCT */

CREATE FUNCTION align.campaign_eq(align.campaign, align.campaign) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_eq'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.campaign_eq(align.campaign, align.campaign) IS
	'implementation of the operator =';

CREATE FUNCTION align.campaign_ne(align.campaign, align.campaign) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_ne'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.campaign_ne(align.campaign, align.campaign) IS
	'implementation of the operator <>';

CREATE FUNCTION align.campaign_lt(align.campaign, align.campaign) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_lt'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.campaign_lt(align.campaign, align.campaign) IS
	'implementation of the operator <';

CREATE FUNCTION align.campaign_le(align.campaign, align.campaign) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_le'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.campaign_le(align.campaign, align.campaign) IS
	'implementation of the operator <=';

CREATE FUNCTION align.campaign_gt(align.campaign, align.campaign) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_gt'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.campaign_gt(align.campaign, align.campaign) IS
	'implementation of the operator >';

CREATE FUNCTION align.campaign_ge(align.campaign, align.campaign) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_ge'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.campaign_ge(align.campaign, align.campaign) IS
	'implementation of the operator >=';

CREATE FUNCTION align.campaign_cmp(align.campaign, align.campaign) RETURNS integer
	AS 'MODULE_PATHNAME', 'align_value_cmp'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.campaign_cmp(align.campaign, align.campaign) IS
	'less, equal or greater (-1, 0, 1) by bytes; for btree';

CREATE FUNCTION align.campaign_hash(align.campaign) RETURNS integer
	AS 'MODULE_PATHNAME', 'align_value_hash'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.campaign_hash(align.campaign) IS
	'hash value, for hash joins and grouping';

CREATE FUNCTION align.campaign_hash_extended(align.campaign, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'align_value_hash_extended'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.campaign_hash_extended(align.campaign, bigint) IS
	'64-bit hash value with a seed, for hash partitioning';

CREATE OPERATOR align.= (
	FUNCTION = align.campaign_eq, LEFTARG = align.campaign, RIGHTARG = align.campaign,
	COMMUTATOR = OPERATOR(align.=), NEGATOR = OPERATOR(align.<>),
	RESTRICT = eqsel, JOIN = eqjoinsel,
	HASHES, MERGES
);
COMMENT ON OPERATOR align.= (align.campaign, align.campaign) IS 'equal, comparing bytes';

CREATE OPERATOR align.<> (
	FUNCTION = align.campaign_ne, LEFTARG = align.campaign, RIGHTARG = align.campaign,
	COMMUTATOR = OPERATOR(align.<>), NEGATOR = OPERATOR(align.=),
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR align.<> (align.campaign, align.campaign) IS 'not equal, comparing bytes';

CREATE OPERATOR align.< (
	FUNCTION = align.campaign_lt, LEFTARG = align.campaign, RIGHTARG = align.campaign,
	COMMUTATOR = OPERATOR(align.>), NEGATOR = OPERATOR(align.>=),
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR align.< (align.campaign, align.campaign) IS 'less than, comparing bytes';

CREATE OPERATOR align.<= (
	FUNCTION = align.campaign_le, LEFTARG = align.campaign, RIGHTARG = align.campaign,
	COMMUTATOR = OPERATOR(align.>=), NEGATOR = OPERATOR(align.>),
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR align.<= (align.campaign, align.campaign) IS 'less than or equal, comparing bytes';

CREATE OPERATOR align.> (
	FUNCTION = align.campaign_gt, LEFTARG = align.campaign, RIGHTARG = align.campaign,
	COMMUTATOR = OPERATOR(align.<), NEGATOR = OPERATOR(align.<=),
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR align.> (align.campaign, align.campaign) IS 'greater than, comparing bytes';

CREATE OPERATOR align.>= (
	FUNCTION = align.campaign_ge, LEFTARG = align.campaign, RIGHTARG = align.campaign,
	COMMUTATOR = OPERATOR(align.<=), NEGATOR = OPERATOR(align.<),
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR align.>= (align.campaign, align.campaign) IS 'greater than or equal, comparing bytes';

CREATE OPERATOR CLASS align.campaign_ops DEFAULT FOR TYPE align.campaign USING btree AS
	OPERATOR 1 align.<, OPERATOR 2 align.<=, OPERATOR 3 align.=,
	OPERATOR 4 align.>=, OPERATOR 5 align.>,
	FUNCTION 1 align.campaign_cmp(align.campaign, align.campaign);
COMMENT ON OPERATOR CLASS align.campaign_ops USING btree IS
	'order of campaigns by the bytes of their canonical text, for sorting, DISTINCT and indexes';

CREATE OPERATOR CLASS align.campaign_ops DEFAULT FOR TYPE align.campaign USING hash AS
	OPERATOR 1 align.=,
	FUNCTION 1 align.campaign_hash(align.campaign),
	FUNCTION 2 align.campaign_hash_extended(align.campaign, bigint);
COMMENT ON OPERATOR CLASS align.campaign_ops USING hash IS
	'hashing of campaigns, for joins, grouping and hash indexes';

/* reading addresses */

CREATE FUNCTION align.parse_campaign(url text) RETURNS align.campaign
	AS 'MODULE_PATHNAME', 'align_parse_campaign'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.parse_campaign(text) IS
	'the campaign of a landing address, a query with UTM tags, a canonical text, "source / medium" or a plain source; never an error';

CREATE FUNCTION align.parse_campaign(url text, referrer text) RETURNS align.campaign
	AS 'MODULE_PATHNAME', 'align_parse_campaign_referrer'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 15;
COMMENT ON FUNCTION align.parse_campaign(text, text) IS
	'the same, with the address of the referrer, which gives source and medium where there are neither tags nor click ids; either argument may be NULL, but NULL if both are';

CREATE FUNCTION align.make_campaign(source text, medium text, name text, id text DEFAULT NULL) RETURNS align.campaign
	AS 'MODULE_PATHNAME', 'align_make_campaign'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.make_campaign(text, text, text, text) IS
	'the campaign of these fields, which are cleaned as parse_campaign() cleans tags: for tables of cost; NULL if all are NULL or blank';

/* fields */

CREATE FUNCTION align.campaign_source(campaign align.campaign) RETURNS text
	AS 'MODULE_PATHNAME', 'align_campaign_source_of'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.campaign_source(align.campaign) IS
	'utm_source: where the visitor came from, in lower case; NULL if absent';

CREATE FUNCTION align.campaign_medium(campaign align.campaign) RETURNS text
	AS 'MODULE_PATHNAME', 'align_campaign_medium_of'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.campaign_medium(align.campaign) IS
	'utm_medium: by what kind of link, in lower case; NULL if absent';

CREATE FUNCTION align.campaign_name(campaign align.campaign) RETURNS text
	AS 'MODULE_PATHNAME', 'align_campaign_name_of'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.campaign_name(align.campaign) IS
	'utm_campaign: the name of the campaign; NULL if absent';

CREATE FUNCTION align.campaign_term(campaign align.campaign) RETURNS text
	AS 'MODULE_PATHNAME', 'align_campaign_term_of'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.campaign_term(align.campaign) IS
	'utm_term: the keyword; NULL if absent';

CREATE FUNCTION align.campaign_content(campaign align.campaign) RETURNS text
	AS 'MODULE_PATHNAME', 'align_campaign_content_of'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.campaign_content(align.campaign) IS
	'utm_content: the variant of the advertisement or link; NULL if absent';

CREATE FUNCTION align.campaign_id(campaign align.campaign) RETURNS text
	AS 'MODULE_PATHNAME', 'align_campaign_id_of'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.campaign_id(align.campaign) IS
	'utm_id: the id of the campaign, that of gad_campaignid or hsa_cam if not tagged; NULL if absent';

CREATE FUNCTION align.campaign_referrer(campaign align.campaign) RETURNS text
	AS 'MODULE_PATHNAME', 'align_campaign_referrer_of'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.campaign_referrer(align.campaign) IS
	'the host of the referrer, where source and medium are taken from it; NULL if absent';

CREATE FUNCTION align.campaign_key(campaign align.campaign) RETURNS text
	AS 'MODULE_PATHNAME', 'align_campaign_key'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.campaign_key(align.campaign) IS
	'what identifies a campaign in reports: the canonical text of its source, medium and name alone, without keyword, content and id; of its id if there are none';

/* channels */

CREATE FUNCTION align.channel(campaign align.campaign) RETURNS text
	AS 'MODULE_PATHNAME', 'align_campaign_channel'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.channel(align.campaign) IS
	'the channel of a campaign by the default channel group of Google Analytics 4, then by words for channels without a click; else Unassigned';

CREATE FUNCTION align.channel(campaign align.campaign, funnel align.funnel) RETURNS text
	AS 'MODULE_PATHNAME', 'align_campaign_channel_funnel'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.channel(align.campaign, align.funnel) IS
	'the same, after the channel statements of an agreement; without them if funnel is NULL. NULL for no campaign';

CREATE FUNCTION align.channel_rules_version() RETURNS text
	AS 'MODULE_PATHNAME', 'align_channel_rules_version'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION align.channel_rules_version() IS
	'the version of the built-in rules and lists of channel(); it changes when a campaign may get another channel';

/* casts */

CREATE FUNCTION align.campaign_to_jsonb(align.campaign) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'align_campaign_to_jsonb'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.campaign_to_jsonb(align.campaign) IS
	'the campaign as an object with source, medium, campaign, term, content, id, source_platform, creative_format, marketing_tactic and referrer where present';

CREATE CAST (align.campaign AS jsonb) WITH FUNCTION align.campaign_to_jsonb(align.campaign);
COMMENT ON CAST (align.campaign AS jsonb) IS
	'the campaign as an object of its fields';
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
'how far the lead got along steps by as_of: level, times of the steps, last amount, and status (open, converted, dropped); within is the window from the first step (NULL: none), mode is ordered. NULL for a NULL lead; NULL steps or as_of are an error';

CREATE FUNCTION align.funnel_progress(lead align.lead, funnel align.funnel, as_of timestamptz,
									  OUT level int, OUT times timestamptz[], OUT amount numeric, OUT status text)
AS 'MODULE_PATHNAME', 'align_funnel_progress_sql'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;

COMMENT ON FUNCTION align.funnel_progress(align.lead, align.funnel, timestamptz) IS
'how far the lead got along the success path of the agreement by as_of: level, first entry into each stage, last amount, and status (open, converted, dropped). NULL for a NULL lead or agreement; a NULL as_of is an error';
/* infer: process discovery */

CREATE FUNCTION align.infer_transition(internal, align.lead, text[], text[], float8) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_infer_transition'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION align.infer_transition(internal, align.lead, text[], text[], float8) IS
'Transition function of infer_agg. Not to be called directly.';

CREATE FUNCTION align.infer_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_infer_combine'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION align.infer_combine(internal, internal) IS
'Combine function of infer_agg. Not to be called directly.';

CREATE FUNCTION align.infer_serialize(internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'align_infer_serialize'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION align.infer_serialize(internal) IS
'Serialisation function of infer_agg. Not to be called directly.';

CREATE FUNCTION align.infer_deserialize(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_infer_deserialize'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION align.infer_deserialize(bytea, internal) IS
'Deserialisation function of infer_agg. Not to be called directly.';

CREATE FUNCTION align.infer_final(internal) RETURNS text
	AS 'MODULE_PATHNAME', 'align_infer_final'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION align.infer_final(internal) IS
'Final function of infer_agg. Not to be called directly.';

/* SSPACE: some ten stages and fifty moves, in their hash tables */
CREATE AGGREGATE align.infer_agg(lead align.lead, won text[], lost text[], min_share float8) (
	SFUNC = align.infer_transition,
	STYPE = internal,
	SSPACE = 8192,
	FINALFUNC = align.infer_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.infer_combine,
	SERIALFUNC = align.infer_serialize,
	DESERIALFUNC = align.infer_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.infer_agg(align.lead, text[], text[], float8) IS
'Draft agreement that the journeys follow, as text for type funnel: won and lost list labels (won is guessed if NULL or empty), and moves below min_share (0 to 1, NULL is 0.01) are only comments. These three must be the same for all rows; NULL if no lead ever entered a stage';
/* touches of one lead */

CREATE FUNCTION align.touches(lead align.lead, funnel align.funnel) RETURNS TABLE (
		touch integer, at timestamptz, campaign text, amount numeric,
		campaign_source text, campaign_medium text, campaign_name text, channel text)
	AS 'MODULE_PATHNAME', 'align_funnel_touches'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20 ROWS 5;
COMMENT ON FUNCTION align.touches(align.lead, align.funnel) IS
	'one row per touch: an entry with a campaign and no stage, or a stage entry with another campaign than before; with what parse_campaign reads from the campaign, and its channel under the agreement';

CREATE FUNCTION align.first_touch(lead align.lead, OUT touch integer, OUT at timestamptz, OUT campaign text)
	AS 'MODULE_PATHNAME', 'align_first_touch'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.first_touch(align.lead) IS
	'the first touch, as in touches(lead, funnel); NULL if the lead has no touch';

CREATE FUNCTION align.last_touch(lead align.lead, before timestamptz, OUT touch integer, OUT at timestamptz, OUT campaign text)
	AS 'MODULE_PATHNAME', 'align_last_touch'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.last_touch(align.lead, timestamptz) IS
	'the last touch, as in touches(lead, funnel), at or before a time, which may be infinity; NULL if there is none';

CREATE FUNCTION align.decisive_touch(lead align.lead, funnel align.funnel, OUT touch integer, OUT at timestamptz, OUT campaign text)
	AS 'MODULE_PATHNAME', 'align_decisive_touch'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.decisive_touch(align.lead, align.funnel) IS
	'the last touch whose channel is not Direct at or before the lead''s first submission to a handoff (without handoffs, its first won stage), or the last one of all if all are Direct; NULL if there is none, or no submission yet';

/* credit: what campaigns earned */

CREATE FUNCTION align.credit(lead align.lead, model text, lookback interval DEFAULT NULL,
		half_life interval DEFAULT '7 days', milestones text[] DEFAULT NULL) RETURNS TABLE (
		touch integer, at timestamptz, campaign text, channel text, share float8, amount numeric)
	AS 'MODULE_PATHNAME', 'align_credit_sql'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20 ROWS 5;
COMMENT ON FUNCTION align.credit(align.lead, text, interval, interval, text[]) IS
	'divides the credit for the lead''s conversion, the entry into its current stage, among the touches up to it and within the lookback: one row per touch that earns something, or one for "(none)"; shares add up to 1 and amounts to the amount. Models: first, last, last_non_direct, linear, position, time_decay, u_shaped, w_shaped, full_path';

CREATE FUNCTION align.funnel_credit(lead align.lead, funnel align.funnel, model text, lookback interval DEFAULT NULL,
		half_life interval DEFAULT '7 days', milestones text[] DEFAULT NULL) RETURNS TABLE (
		touch integer, at timestamptz, campaign text, channel text, share float8, amount numeric)
	AS 'MODULE_PATHNAME', 'align_funnel_credit_sql'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20 ROWS 5;
COMMENT ON FUNCTION align.funnel_credit(align.lead, align.funnel, text, interval, interval, text[]) IS
	'the same as credit(lead, model, ...) under an agreement: the conversion is the first entry into a won stage, there are no rows if there is none, and labels and channels are those of the agreement';

/* over many leads */

CREATE TYPE align.campaign_credit AS (
	campaign text, channel text, touches bigint, conversions float8, amount numeric);
COMMENT ON TYPE align.campaign_credit IS
	'what a campaign earned, an element of the result of credit_agg: its channel, the number of touches that earned something, their shares of conversions, and of the amount';

CREATE FUNCTION align.credit_agg_trans(internal, align.lead, text) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_credit_agg_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.credit_agg_trans(internal, align.lead, text) IS
	'transition function of the aggregate credit_agg';

CREATE FUNCTION align.credit_agg_trans(internal, align.lead, text, interval) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_credit_agg_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.credit_agg_trans(internal, align.lead, text, interval) IS
	'transition function of the aggregate credit_agg';

CREATE FUNCTION align.credit_agg_trans(internal, align.lead, text, interval, interval) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_credit_agg_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.credit_agg_trans(internal, align.lead, text, interval, interval) IS
	'transition function of the aggregate credit_agg';

CREATE FUNCTION align.credit_agg_trans(internal, align.lead, text, interval, interval, text[]) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_credit_agg_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.credit_agg_trans(internal, align.lead, text, interval, interval, text[]) IS
	'transition function of the aggregate credit_agg';

CREATE FUNCTION align.funnel_credit_agg_trans(internal, align.lead, align.funnel, text) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_funnel_credit_agg_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.funnel_credit_agg_trans(internal, align.lead, align.funnel, text) IS
	'transition function of the aggregate funnel_credit_agg';

CREATE FUNCTION align.funnel_credit_agg_trans(internal, align.lead, align.funnel, text, interval) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_funnel_credit_agg_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.funnel_credit_agg_trans(internal, align.lead, align.funnel, text, interval) IS
	'transition function of the aggregate funnel_credit_agg';

CREATE FUNCTION align.funnel_credit_agg_trans(internal, align.lead, align.funnel, text, interval, interval) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_funnel_credit_agg_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.funnel_credit_agg_trans(internal, align.lead, align.funnel, text, interval, interval) IS
	'transition function of the aggregate funnel_credit_agg';

CREATE FUNCTION align.funnel_credit_agg_trans(internal, align.lead, align.funnel, text, interval, interval, text[]) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_funnel_credit_agg_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.funnel_credit_agg_trans(internal, align.lead, align.funnel, text, interval, interval, text[]) IS
	'transition function of the aggregate funnel_credit_agg';

CREATE FUNCTION align.credit_agg_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_credit_agg_combine'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION align.credit_agg_combine(internal, internal) IS
	'combine function of the aggregates credit_agg and funnel_credit_agg';

CREATE FUNCTION align.credit_agg_serialise(internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'align_credit_agg_serialise'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION align.credit_agg_serialise(internal) IS
	'serialisation of the state of the aggregates credit_agg and funnel_credit_agg';

CREATE FUNCTION align.credit_agg_deserialise(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_credit_agg_deserialise'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION align.credit_agg_deserialise(bytea, internal) IS
	'deserialisation of the state of the aggregates credit_agg and funnel_credit_agg';

CREATE FUNCTION align.credit_agg_final(internal) RETURNS align.campaign_credit[]
	AS 'MODULE_PATHNAME', 'align_credit_agg_final'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION align.credit_agg_final(internal) IS
	'final function of the aggregates credit_agg and funnel_credit_agg';

CREATE AGGREGATE align.credit_agg(lead align.lead, model text) (
	SFUNC = align.credit_agg_trans, STYPE = internal, SSPACE = 2000,
	FINALFUNC = align.credit_agg_final, FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.credit_agg_combine,
	SERIALFUNC = align.credit_agg_serialise, DESERIALFUNC = align.credit_agg_deserialise,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.credit_agg(align.lead, text) IS
	'what campaigns earned over many leads: the sums of credit(lead, model), by campaign in the order of bytes, as an array of campaign_credit. The other arguments must be the same in all rows; NULL leads are ignored, NULL if there are no others';

CREATE AGGREGATE align.credit_agg(lead align.lead, model text, lookback interval) (
	SFUNC = align.credit_agg_trans, STYPE = internal, SSPACE = 2000,
	FINALFUNC = align.credit_agg_final, FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.credit_agg_combine,
	SERIALFUNC = align.credit_agg_serialise, DESERIALFUNC = align.credit_agg_deserialise,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.credit_agg(align.lead, text, interval) IS
	'the same with lookback (NULL: all touches before the conversion count)';

CREATE AGGREGATE align.credit_agg(lead align.lead, model text, lookback interval, half_life interval) (
	SFUNC = align.credit_agg_trans, STYPE = internal, SSPACE = 2000,
	FINALFUNC = align.credit_agg_final, FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.credit_agg_combine,
	SERIALFUNC = align.credit_agg_serialise, DESERIALFUNC = align.credit_agg_deserialise,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.credit_agg(align.lead, text, interval, interval) IS
	'the same with half_life (NULL: 7 days)';

CREATE AGGREGATE align.credit_agg(lead align.lead, model text, lookback interval, half_life interval, milestones text[]) (
	SFUNC = align.credit_agg_trans, STYPE = internal, SSPACE = 2000,
	FINALFUNC = align.credit_agg_final, FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.credit_agg_combine,
	SERIALFUNC = align.credit_agg_serialise, DESERIALFUNC = align.credit_agg_deserialise,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.credit_agg(align.lead, text, interval, interval, text[]) IS
	'the same with milestones (NULL: none)';

CREATE AGGREGATE align.funnel_credit_agg(lead align.lead, funnel align.funnel, model text) (
	SFUNC = align.funnel_credit_agg_trans, STYPE = internal, SSPACE = 2000,
	FINALFUNC = align.credit_agg_final, FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.credit_agg_combine,
	SERIALFUNC = align.credit_agg_serialise, DESERIALFUNC = align.credit_agg_deserialise,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.funnel_credit_agg(align.lead, align.funnel, text) IS
	'the same as credit_agg(lead, model) under an agreement, from funnel_credit(lead, funnel, model): leads that have not won add nothing';

CREATE AGGREGATE align.funnel_credit_agg(lead align.lead, funnel align.funnel, model text, lookback interval) (
	SFUNC = align.funnel_credit_agg_trans, STYPE = internal, SSPACE = 2000,
	FINALFUNC = align.credit_agg_final, FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.credit_agg_combine,
	SERIALFUNC = align.credit_agg_serialise, DESERIALFUNC = align.credit_agg_deserialise,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.funnel_credit_agg(align.lead, align.funnel, text, interval) IS
	'the same with lookback (NULL: all touches before the conversion count)';

CREATE AGGREGATE align.funnel_credit_agg(lead align.lead, funnel align.funnel, model text, lookback interval, half_life interval) (
	SFUNC = align.funnel_credit_agg_trans, STYPE = internal, SSPACE = 2000,
	FINALFUNC = align.credit_agg_final, FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.credit_agg_combine,
	SERIALFUNC = align.credit_agg_serialise, DESERIALFUNC = align.credit_agg_deserialise,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.funnel_credit_agg(align.lead, align.funnel, text, interval, interval) IS
	'the same with half_life (NULL: 7 days)';

CREATE AGGREGATE align.funnel_credit_agg(lead align.lead, funnel align.funnel, model text, lookback interval, half_life interval, milestones text[]) (
	SFUNC = align.funnel_credit_agg_trans, STYPE = internal, SSPACE = 2000,
	FINALFUNC = align.credit_agg_final, FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.credit_agg_combine,
	SERIALFUNC = align.credit_agg_serialise, DESERIALFUNC = align.credit_agg_deserialise,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.funnel_credit_agg(align.lead, align.funnel, text, interval, interval, text[]) IS
	'the same with milestones (NULL: none)';
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
	'summarises how far leads got along steps by as_of, a finite time; within is the window from the first step (NULL: none), mode is ordered. steps, within and mode must be the same in all rows and steps and as_of not NULL; NULL leads are ignored, NULL if there are no others';

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

/* casts */

CREATE FUNCTION align.conversion_to_jsonb(align.conversion) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'align_conversion_to_jsonb'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION align.conversion_to_jsonb(align.conversion) IS
	'the summary as an object with the members funnel or mode and within, steps, as_of, leads and levels';

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
/* rates with confidence bounds */

CREATE FUNCTION align.wilson(successes bigint, trials bigint, confidence float8 DEFAULT 0.95,
		OUT rate float8, OUT lower float8, OUT upper float8)
	AS 'MODULE_PATHNAME', 'align_wilson_sql'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.wilson(bigint, bigint, float8) IS
	'successes / trials with Wilson''s score bounds, those of steps(conversion); without trials the rate is NULL and the bounds are 0 and 1';

CREATE FUNCTION align.compare_rates(successes_1 bigint, trials_1 bigint, successes_2 bigint, trials_2 bigint, confidence float8 DEFAULT 0.95,
		OUT difference float8, OUT lower float8, OUT upper float8, OUT z float8, OUT p float8)
	AS 'MODULE_PATHNAME', 'align_compare_rates'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.compare_rates(bigint, bigint, bigint, bigint, float8) IS
	'the first rate minus the second with Newcombe''s bounds (1998, method 10), and z and two-sided p of the hypothesis that both are equal (pooled): NULL if all trials have one outcome; without trials of either the difference is NULL';
-- Agreements by name

CREATE TABLE align.agreement (
    name text COLLATE "C" NOT NULL,
    version int NOT NULL,
    valid_from timestamptz NOT NULL,
    funnel align.funnel NOT NULL,
    document text NOT NULL,
    owner name NOT NULL,
    agreed_by name NOT NULL,
    note text,
    PRIMARY KEY (name, version)
);

COMMENT ON TABLE align.agreement IS
'every version of every agreement, written only by align.agree() and align.set_agreement_owner() and never changed; the highest version whose valid_from is not in the future is in force';
COMMENT ON COLUMN align.agreement.name IS 'name of the agreement, 1 to 63 bytes';
COMMENT ON COLUMN align.agreement.version IS 'version, from 1, without gaps';
COMMENT ON COLUMN align.agreement.valid_from IS 'when the version takes effect; not before it was agreed';
COMMENT ON COLUMN align.agreement.funnel IS 'what was agreed';
COMMENT ON COLUMN align.agreement.document IS 'what was agreed, as it was written, comments included';
COMMENT ON COLUMN align.agreement.owner IS 'name of the role that owns the agreement as of this version; the owner of the latest version counts';
COMMENT ON COLUMN align.agreement.agreed_by IS 'name of the role that agreed this version';
COMMENT ON COLUMN align.agreement.note IS 'reason for the version, null if none was given';

CREATE TABLE align.team (
    agreement text COLLATE "C" NOT NULL,
    team text COLLATE "C" NOT NULL,
    role name NOT NULL,
    PRIMARY KEY (agreement, team)
);

COMMENT ON TABLE align.team IS
'database roles to which teams of agreements are tied, written only by align.assign_team()';
COMMENT ON COLUMN align.team.agreement IS 'name of the agreement';
COMMENT ON COLUMN align.team.team IS 'team, as the agreement names it';
COMMENT ON COLUMN align.team.role IS 'name of the role whose members are the team; if the role does not exist, the team has no members';

CREATE TABLE align.admission (
    agreement text COLLATE "C" NOT NULL,
    role name NOT NULL,
    dismissed_after int,
    PRIMARY KEY (agreement, role)
);

COMMENT ON TABLE align.admission IS
'roles besides the owner whose tables can be attached to an agreement, written only by align.admit() and align.dismiss()';
COMMENT ON COLUMN align.admission.agreement IS 'name of the agreement';
COMMENT ON COLUMN align.admission.role IS 'name of the role';
COMMENT ON COLUMN align.admission.dismissed_after IS 'null while the role is admitted; else the latest version when it was dismissed';

SELECT pg_catalog.pg_extension_config_dump('align.agreement', '');
SELECT pg_catalog.pg_extension_config_dump('align.team', '');
SELECT pg_catalog.pg_extension_config_dump('align.admission', '');

CREATE FUNCTION align.agreement_guard() RETURNS trigger
    AS 'MODULE_PATHNAME', 'align_agreement_guard'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1;

COMMENT ON FUNCTION align.agreement_guard() IS
'trigger on align.agreement: refuses UPDATE, DELETE and TRUNCATE, and invalidates the caches of all sessions after INSERT';

-- row-level triggers, so that logical replication fires them, too
CREATE TRIGGER agreement_append_only BEFORE UPDATE OR DELETE ON align.agreement
    FOR EACH ROW EXECUTE FUNCTION align.agreement_guard();
CREATE TRIGGER agreement_no_truncate BEFORE TRUNCATE ON align.agreement
    FOR EACH STATEMENT EXECUTE FUNCTION align.agreement_guard();
CREATE TRIGGER agreement_announce AFTER INSERT ON align.agreement
    FOR EACH ROW EXECUTE FUNCTION align.agreement_guard();
ALTER TABLE align.agreement ENABLE ALWAYS TRIGGER agreement_append_only;
ALTER TABLE align.agreement ENABLE ALWAYS TRIGGER agreement_no_truncate;
ALTER TABLE align.agreement ENABLE ALWAYS TRIGGER agreement_announce;

COMMENT ON TRIGGER agreement_append_only ON align.agreement IS 'refuses to change or delete versions';
COMMENT ON TRIGGER agreement_no_truncate ON align.agreement IS 'refuses to truncate the table';
COMMENT ON TRIGGER agreement_announce ON align.agreement IS 'invalidates the caches of all sessions';

CREATE FUNCTION align.agree(name text, agreement align.funnel,
                            valid_from timestamptz DEFAULT pg_catalog.now(), note text DEFAULT NULL)
    RETURNS int
    AS 'MODULE_PATHNAME', 'align_agree_funnel'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;

COMMENT ON FUNCTION align.agree(text, align.funnel, timestamptz, text) IS
'agrees on a new version of an agreement, in force from valid_from (not before now()), and returns its number; the first version makes the current user the owner, later ones need the owner''s privileges; only note may be null';

CREATE FUNCTION align.agree(name text, agreement text,
                            valid_from timestamptz DEFAULT pg_catalog.now(), note text DEFAULT NULL)
    RETURNS int
    AS 'MODULE_PATHNAME', 'align_agree_text'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;

COMMENT ON FUNCTION align.agree(text, text, timestamptz, text) IS
'agrees on a new version of an agreement from its text, which must be a valid funnel and is kept as written, comments included; otherwise like agree(text, funnel, timestamptz, text)';

CREATE FUNCTION align.agreed(name text) RETURNS align.funnel
    AS 'MODULE_PATHNAME', 'align_agreed'
    LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1;

COMMENT ON FUNCTION align.agreed(text) IS
'the version of an agreement that is in force at now(); an error if there is none';

CREATE FUNCTION align.agreed(name text, at timestamptz) RETURNS align.funnel
    AS 'MODULE_PATHNAME', 'align_agreed_at'
    LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1;

COMMENT ON FUNCTION align.agreed(text, timestamptz) IS
'the version of an agreement that is in force at an instant: the highest one whose valid_from is not later; an error if there is none or the instant is infinite';

CREATE FUNCTION align.set_agreement_owner(name text, owner regrole) RETURNS int
    AS 'MODULE_PATHNAME', 'align_set_agreement_owner'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;

COMMENT ON FUNCTION align.set_agreement_owner(text, regrole) IS
'changes the owner of an agreement, as a new version with the same content, and returns its number; needs the privileges of the owner and the right to SET ROLE to the new one; nulls are refused';

CREATE FUNCTION align.assign_team(agreement text, team text, role regrole) RETURNS void
    AS 'MODULE_PATHNAME', 'align_assign_team'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;

COMMENT ON FUNCTION align.assign_team(text, text, regrole) IS
'ties a team of an agreement to a database role, replacing any previous one; a null role unties it; needs the privileges of the agreement''s owner';

CREATE FUNCTION align.admit(agreement text, role regrole) RETURNS void
    AS 'MODULE_PATHNAME', 'align_admit'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;

COMMENT ON FUNCTION align.admit(text, regrole) IS
'lets tables whose owner has the privileges of a role be attached to an agreement; needs the privileges of the agreement''s owner; nulls are refused';

CREATE FUNCTION align.dismiss(agreement text, role text) RETURNS void
    AS 'MODULE_PATHNAME', 'align_dismiss'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;

COMMENT ON FUNCTION align.dismiss(text, text) IS
'ends the admission of a role, which need not exist: its tables stay under the last version that fits them, and new versions are not checked against them; needs the privileges of the agreement''s owner; nulls are refused';

-- All users can read agreements through the views; the tables are not accessible.
REVOKE ALL ON align.agreement, align.team, align.admission FROM PUBLIC;

CREATE VIEW align.agreements AS
    SELECT name, version, valid_from,
           CASE WHEN next_from IS NOT NULL THEN GREATEST(valid_from, next_from) END AS valid_to,
           valid_from <= pg_catalog.now() AND (next_from IS NULL OR next_from > pg_catalog.now()) AS in_force,
           pg_catalog.to_regrole(pg_catalog.quote_ident(owner)) AS owner, agreed_by, note, funnel, document,
           owner AS owner_name
    FROM (SELECT *, pg_catalog.min(valid_from) OVER (PARTITION BY name ORDER BY version
                        ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS next_from
          FROM align.agreement) AS versions;

COMMENT ON VIEW align.agreements IS
'every version of every agreement and when it is in force; readable by all users';
COMMENT ON COLUMN align.agreements.name IS 'name of the agreement';
COMMENT ON COLUMN align.agreements.version IS 'version, from 1';
COMMENT ON COLUMN align.agreements.valid_from IS 'when the version takes effect';
COMMENT ON COLUMN align.agreements.valid_to IS 'when a later version replaces it, null if none does yet; equal to valid_from if the version never takes effect';
COMMENT ON COLUMN align.agreements.in_force IS 'whether agreed(name) returns this version now';
COMMENT ON COLUMN align.agreements.owner IS 'owner of the agreement as of this version, null if that role does not exist; the owner of the latest version counts';
COMMENT ON COLUMN align.agreements.agreed_by IS 'name of the role that agreed this version';
COMMENT ON COLUMN align.agreements.note IS 'reason for the version, null if none was given';
COMMENT ON COLUMN align.agreements.funnel IS 'what was agreed';
COMMENT ON COLUMN align.agreements.document IS 'what was agreed, as it was written';
COMMENT ON COLUMN align.agreements.owner_name IS 'name of the owner, whether the role exists or not';

CREATE VIEW align.teams AS
    SELECT agreement, team, pg_catalog.to_regrole(pg_catalog.quote_ident(role)) AS role,
           role AS role_name
    FROM align.team;

COMMENT ON VIEW align.teams IS
'database roles to which teams of agreements are tied; readable by all users';
COMMENT ON COLUMN align.teams.agreement IS 'name of the agreement';
COMMENT ON COLUMN align.teams.team IS 'team, as the agreement names it';
COMMENT ON COLUMN align.teams.role IS 'role whose members are the team; null if the role does not exist, in which case the team has no members';
COMMENT ON COLUMN align.teams.role_name IS 'name of the role, whether it exists or not';

CREATE VIEW align.admissions AS
    SELECT agreement, pg_catalog.to_regrole(pg_catalog.quote_ident(role)) AS role,
           role AS role_name
    FROM align.admission
    WHERE dismissed_after IS NULL;

COMMENT ON VIEW align.admissions IS
'roles besides the owner whose tables can be attached to an agreement; readable by all users';
COMMENT ON COLUMN align.admissions.agreement IS 'name of the agreement';
COMMENT ON COLUMN align.admissions.role IS 'role that is admitted; null if it does not exist';
COMMENT ON COLUMN align.admissions.role_name IS 'name of the role, whether it exists or not';

GRANT SELECT ON align.agreements, align.teams, align.admissions TO PUBLIC;

CREATE FUNCTION align.backtest(query text, funnel align.funnel)
    RETURNS TABLE (rule text, from_stage text, stage text, leads bigint, entries bigint,
                   share float8, examples text[])
    AS 'MODULE_PATHNAME', 'align_backtest'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000 ROWS 50;

COMMENT ON FUNCTION align.backtest(text, align.funnel) IS
'what an agreement would have refused or missed in existing data: the query returns (lead, at, stage [, team [, reason]]) by position and runs read-only with the caller''s privileges; one row per broken rule and move and per missed service level, with the leads and entries concerned, their share of all leads and up to 5 keys; nulls are refused';
-- Tables under an agreement

CREATE FUNCTION align.attachment() RETURNS trigger
    AS 'MODULE_PATHNAME', 'align_attachment_marker'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1;

COMMENT ON FUNCTION align.attachment() IS
'function of the triggers that store the arguments of align.attach(); they never fire, and calling it is an error';

CREATE FUNCTION align.record_row() RETURNS trigger
    AS 'MODULE_PATHNAME', 'align_record_row'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1;

COMMENT ON FUNCTION align.record_row() IS
'row trigger of attached tables: judges a change by the agreement and collects it for the history; a violation is an error in mode enforce, a warning in mode warn';

CREATE FUNCTION align.record_statement() RETURNS trigger
    AS 'MODULE_PATHNAME', 'align_record_statement'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1;

COMMENT ON FUNCTION align.record_statement() IS
'statement trigger of attached tables: writes the changes that the row triggers collected to history and clocks, and records TRUNCATE';

CREATE FUNCTION align.history_guard() RETURNS trigger
    AS 'MODULE_PATHNAME', 'align_history_guard'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1;

COMMENT ON FUNCTION align.history_guard() IS
'statement trigger of history and clock tables: refuses all writes except those of align';

CREATE FUNCTION align.in_present_life(history oid, record_table oid, number int, at timestamptz,
                                      VARIADIC key "any")
    RETURNS boolean
    AS 'MODULE_PATHNAME', 'align_in_present_life'
    LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1000;

COMMENT ON FUNCTION align.in_present_life(oid, oid, integer, timestamptz, "any") IS
'for the policies on history and clock tables under row-level security: whether an entry or a clock, given by its key, its number and its recorded_at or started_at, exists and belongs to the present life of its lead';

CREATE FUNCTION align.attach(relation regclass, agreement text, stage text DEFAULT 'stage',
                             key name[] DEFAULT NULL, team text DEFAULT NULL,
                             assignee text DEFAULT NULL, actor text DEFAULT NULL,
                             reason text DEFAULT NULL, note text DEFAULT NULL,
                             campaign text DEFAULT NULL, amount text DEFAULT NULL,
                             changed_at text DEFAULT NULL, history text DEFAULT NULL,
                             mode text DEFAULT 'enforce', live text DEFAULT NULL,
                             notify boolean DEFAULT false, opened_at text DEFAULT NULL,
                             time_zone text DEFAULT NULL, rules jsonb DEFAULT NULL,
                             reload boolean DEFAULT false,
                             reason_must_change boolean DEFAULT false,
                             replace boolean DEFAULT false, stage_labels text DEFAULT NULL,
                             team_labels text DEFAULT NULL, assignee_labels text DEFAULT NULL,
                             reason_labels text DEFAULT NULL, campaign_labels text DEFAULT NULL)
    RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_attach'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000;

COMMENT ON FUNCTION align.attach(regclass, text, text, name[], text, text, text, text, text, text, text, text, text, text, text, boolean, text, text, jsonb, boolean, boolean, boolean, text, text, text, text, text) IS
'attaches a table to an agreement, or changes how it is attached: creates or adopts its history and clock table, creates its triggers, records an opening entry for every lead in a stage (or, in an existing history, for every lead whose stage it does not have, an opening or a move), and returns the number of these entries; needs ownership of the table, and locks it in SHARE ROW EXCLUSIVE mode';

CREATE FUNCTION align.detach(relation regclass) RETURNS void
    AS 'MODULE_PATHNAME', 'align_detach'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;

COMMENT ON FUNCTION align.detach(regclass) IS
'detaches a table from its agreement: drops the triggers of align, and keeps history and clocks; needs ownership of the table, and locks it in ACCESS EXCLUSIVE mode';

CREATE FUNCTION align.attached_tables()
    RETURNS TABLE (relation regclass, agreement text, mode text, stage name, key name[],
                   team name, assignee name, actor name, reason name, note name, campaign name,
                   amount name, changed_at name, history regclass, sla regclass, live text,
                   notify boolean)
    AS 'MODULE_PATHNAME', 'align_attached_tables_rows'
    LANGUAGE C STABLE PARALLEL SAFE COST 1000 ROWS 10;

COMMENT ON FUNCTION align.attached_tables() IS
'the attached tables, with the columns that the view align.attachments had until 0.3';

CREATE FUNCTION align.attachment_details()
    RETURNS TABLE (relation regclass, agreement text, mode text, stage name, key name[],
                   team name, assignee name, actor name, reason name, note name, campaign name,
                   amount name, changed_at name, history regclass, sla regclass, live text,
                   notify boolean, opened_at name, time_zone text, rules jsonb, reload boolean,
                   reason_must_change boolean, expressions jsonb, labels jsonb)
    AS 'MODULE_PATHNAME', 'align_attached_tables_rows'
    LANGUAGE C STABLE PARALLEL SAFE COST 1000 ROWS 10;

COMMENT ON FUNCTION align.attachment_details() IS
'the attached tables, as read from their triggers; see the view align.attachments';

CREATE VIEW align.attachments AS
    SELECT relation, agreement, mode, stage, key, team, assignee, actor, reason, note, campaign,
           amount, changed_at, history, sla, live, notify, opened_at, time_zone, rules, reload,
           reason_must_change, expressions, labels
    FROM align.attachment_details();

COMMENT ON VIEW align.attachments IS
'the attached tables and the arguments of align.attach(), with the current names of tables and columns; readable by every role';
COMMENT ON COLUMN align.attachments.relation IS 'the attached table';
COMMENT ON COLUMN align.attachments.agreement IS 'name of the agreement';
COMMENT ON COLUMN align.attachments.mode IS 'enforce: violations are refused; warn: they are recorded, with a warning; observe: they are recorded';
COMMENT ON COLUMN align.attachments.stage IS 'column of the stage, NULL if it is an expression';
COMMENT ON COLUMN align.attachments.key IS 'key columns, which identify a lead';
COMMENT ON COLUMN align.attachments.team IS 'column of the team that holds the lead, NULL if none';
COMMENT ON COLUMN align.attachments.assignee IS 'column of the person who holds the lead, NULL if none';
COMMENT ON COLUMN align.attachments.actor IS 'column of the person who made the change, NULL if none';
COMMENT ON COLUMN align.attachments.reason IS 'column of the reason of a move, NULL if none';
COMMENT ON COLUMN align.attachments.note IS 'column of the note on a change, NULL if none';
COMMENT ON COLUMN align.attachments.campaign IS 'column of the campaign, NULL if none';
COMMENT ON COLUMN align.attachments.amount IS 'column of the amount, NULL if none';
COMMENT ON COLUMN align.attachments.changed_at IS 'column of the time of a change, NULL if none (then it is the time of recording)';
COMMENT ON COLUMN align.attachments.history IS 'history table';
COMMENT ON COLUMN align.attachments.sla IS 'clock table';
COMMENT ON COLUMN align.attachments.live IS 'condition that is true of live rows, NULL if all rows are live';
COMMENT ON COLUMN align.attachments.notify IS 'true if the writing transaction itself announces handoffs';
COMMENT ON COLUMN align.attachments.opened_at IS 'column of the time since which a lead that is found in a stage has been there, NULL if none (then changed_at)';
COMMENT ON COLUMN align.attachments.time_zone IS 'time zone of changed_at and opened_at where their types have none';
COMMENT ON COLUMN align.attachments.rules IS 'modes of single rules, as an object; {} if all have the mode of the attachment';
COMMENT ON COLUMN align.attachments.reload IS 'true if DELETE and INSERT of one key in one transaction are one change';
COMMENT ON COLUMN align.attachments.reason_must_change IS 'true if a reason counts only if its value changed';
COMMENT ON COLUMN align.attachments.expressions IS 'the roles that are expressions, as an object by role; NULL if all are columns';
COMMENT ON COLUMN align.attachments.labels IS 'the views in which labels are looked up, as an object by role; NULL if there are none';

GRANT SELECT ON align.attachments TO PUBLIC;
-- Caches of teams and admissions; dry runs of moves

CREATE FUNCTION align.team_announce() RETURNS trigger
    AS 'MODULE_PATHNAME', 'align_team_announce'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1;

COMMENT ON FUNCTION align.team_announce() IS
'trigger function of align.team and align.admission: makes every session read their rows again';

-- a row trigger, as logical replication does not fire statement triggers
CREATE TRIGGER team_announce AFTER INSERT OR UPDATE OR DELETE ON align.team
    FOR EACH ROW EXECUTE FUNCTION align.team_announce();
ALTER TABLE align.team ENABLE ALWAYS TRIGGER team_announce;

COMMENT ON TRIGGER team_announce ON align.team IS 'makes every session read the roles of teams again';

CREATE TRIGGER admission_announce AFTER INSERT OR UPDATE OR DELETE ON align.admission
    FOR EACH ROW EXECUTE FUNCTION align.team_announce();
ALTER TABLE align.admission ENABLE ALWAYS TRIGGER admission_announce;

COMMENT ON TRIGGER admission_announce ON align.admission IS 'makes every session read the admissions again';

CREATE FUNCTION align.explain_move(relation regclass, key "any", stage text, reason text DEFAULT NULL)
    RETURNS TABLE (allowed boolean, rule text, message text, detail text, hint text)
    AS 'MODULE_PATHNAME', 'align_explain_move'
    LANGUAGE C STABLE PARALLEL UNSAFE COST 1000 ROWS 1;

COMMENT ON FUNCTION align.explain_move(regclass, "any", text, text) IS
'whether a lead may move to a stage under the version of the agreement that judges now: one row with allowed = true, or one row per broken rule, the gravest first. A NULL stage asks whether the lead may leave the funnel; a NULL reason is none: the one in its row is that of an earlier change';

-- With a key of type text beside "any", a parameter of a driver, which has no type, is text.
CREATE FUNCTION align.explain_move(relation regclass, key text, stage text, reason text DEFAULT NULL)
    RETURNS TABLE (allowed boolean, rule text, message text, detail text, hint text)
    AS 'MODULE_PATHNAME', 'align_explain_move'
    LANGUAGE C STABLE PARALLEL UNSAFE COST 1000 ROWS 1;

COMMENT ON FUNCTION align.explain_move(regclass, text, text, text) IS
'the same with the key as text, and for parameters without a type';

CREATE FUNCTION align.dry_run(relation regclass, query text)
    RETURNS TABLE (row_no bigint, key jsonb, rule text, mode text, from_stage text, stage text,
                   message text, detail text, hint text)
    AS 'MODULE_PATHNAME', 'align_dry_run'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000 ROWS 50;

COMMENT ON FUNCTION align.dry_run(regclass, text) IS
'the rules that a load would break: a query returns rows with columns of an attached table, by name, which are judged as if each were inserted, or updated the row with its key; one row per broken rule, with its mode. Nothing is written; NULLs are errors';

CREATE FUNCTION align.missing_needs(lead_row record, funnel align.funnel, stage text) RETURNS text[]
    AS 'MODULE_PATHNAME', 'align_missing_needs'
    LANGUAGE C STABLE STRICT PARALLEL UNSAFE COST 50;

COMMENT ON FUNCTION align.missing_needs(record, align.funnel, text) IS
'what a stage needs, as written in the agreement, that a row of a table does not have; empty if it has all, or if the agreement does not know the stage';
-- Reading history and clocks

CREATE FUNCTION align.journeys(relation regclass)
    RETURNS TABLE (key jsonb, lead align.lead)
    AS 'MODULE_PATHNAME', 'align_journeys'
    LANGUAGE C STABLE PARALLEL UNSAFE COST 100000 ROWS 10000;

COMMENT ON FUNCTION align.journeys(regclass) IS
'the recorded journeys of an attached table, one row per lead in order of the key: stage entries and touches at their effective_at, with entry_no as ordinal, and stages by their names of today. Reads the history with the privileges of the caller; NULL is an error';

-- A function with an argument "key" cannot declare a result column of that name.
CREATE TYPE align.journeys_row AS (key jsonb, lead align.lead);

COMMENT ON TYPE align.journeys_row IS 'row type of journeys(regclass, "any")';

CREATE FUNCTION align.journeys(relation regclass, key "any")
    RETURNS SETOF align.journeys_row
    AS 'MODULE_PATHNAME', 'align_journeys_of_key'
    LANGUAGE C STABLE PARALLEL UNSAFE COST 100 ROWS 1;

COMMENT ON FUNCTION align.journeys(regclass, "any") IS
'the recorded journey of one lead, as journeys(regclass) returns it, read through an index; no row if it has none. NULLs are errors';

CREATE FUNCTION align.journeys(relation regclass, key text)
    RETURNS SETOF align.journeys_row
    AS 'MODULE_PATHNAME', 'align_journeys_of_key'
    LANGUAGE C STABLE PARALLEL UNSAFE COST 100 ROWS 1;

COMMENT ON FUNCTION align.journeys(regclass, text) IS
'the same with the key as text, and for parameters without a type';

CREATE FUNCTION align.clocks(relation regclass, as_of timestamptz DEFAULT pg_catalog.now())
    RETURNS TABLE (key jsonb, sla text, cycle int, team text, assignee text,
                   started_at timestamptz, due_at timestamptz, warn_at timestamptz,
                   elapsed interval, remaining interval, overrun interval, state text, version int)
    AS 'MODULE_PATHNAME', 'align_clocks'
    LANGUAGE C STABLE PARALLEL UNSAFE COST 10000 ROWS 500;

COMMENT ON FUNCTION align.clocks(regclass, timestamptz) IS
'the service-level clocks of an attached table that were open at a time, by what is recorded now, as they were then: with elapsed and remaining in working or elapsed time as promised, and the state running, at_risk, overdue or paused; NULLs and an infinite as_of are errors';

CREATE TYPE align.clocks_row AS
    (key jsonb, sla text, cycle int, team text, assignee text,
     started_at timestamptz, due_at timestamptz, warn_at timestamptz,
     elapsed interval, remaining interval, overrun interval, state text, version int);

COMMENT ON TYPE align.clocks_row IS 'row type of clocks(regclass, timestamptz, "any")';

CREATE FUNCTION align.clocks(relation regclass, as_of timestamptz, key "any")
    RETURNS SETOF align.clocks_row
    AS 'MODULE_PATHNAME', 'align_clocks_of_key'
    LANGUAGE C STABLE PARALLEL UNSAFE COST 100 ROWS 2;

COMMENT ON FUNCTION align.clocks(regclass, timestamptz, "any") IS
'the service-level clocks of one lead that were open at a time, as clocks(regclass, timestamptz) returns them, read through an index. NULLs and an infinite as_of are errors';

CREATE FUNCTION align.clocks(relation regclass, as_of timestamptz, key text)
    RETURNS SETOF align.clocks_row
    AS 'MODULE_PATHNAME', 'align_clocks_of_key'
    LANGUAGE C STABLE PARALLEL UNSAFE COST 100 ROWS 2;

COMMENT ON FUNCTION align.clocks(regclass, timestamptz, text) IS
'the same with the key as text, and for parameters without a type';

CREATE FUNCTION align.check(relation regclass)
    RETURNS TABLE (key jsonb, problem text, recorded text, expected text)
    AS 'MODULE_PATHNAME', 'align_check'
    LANGUAGE C STABLE PARALLEL UNSAFE COST 1000000 ROWS 1;

COMMENT ON FUNCTION align.check(regclass) IS
'the differences between an attached table, its history and its clocks, one row each; there are none unless triggers were bypassed. The caller must be able to see all rows of the three tables; NULL is an error';

CREATE FUNCTION align.backtest(relation regclass, funnel align.funnel)
    RETURNS TABLE (rule text, from_stage text, stage text, leads bigint, entries bigint,
                   share float8, examples text[])
    AS 'MODULE_PATHNAME', 'align_backtest_relation'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000 ROWS 50;

COMMENT ON FUNCTION align.backtest(regclass, align.funnel) IS
'what an agreement would have refused or missed in the recorded history of an attached table, as backtest(text, align.funnel) returns it for a query. Who moved a lead is not judged; NULLs are errors';
-- Notifications of handoffs and clocks

CREATE FUNCTION align.notify_handoffs(relation regclass) RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_notify_handoffs'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000;

COMMENT ON FUNCTION align.notify_handoffs(regclass) IS
'sends NOTIFY align_handoff for every handoff of an attached table that has not been announced yet, in the order in which they were recorded, and returns their number. For the owner of the table; NULL is an error';

CREATE FUNCTION align.notify_due(relation regclass) RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_notify_due'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000;

COMMENT ON FUNCTION align.notify_due(regclass) IS
'sends NOTIFY align_sla for every open clock of an attached table that is at risk or overdue and has not been announced as such, and returns their number. For the owner of the table; NULL is an error';
-- Merging, erasing and purging leads; rebuilding clocks; history from elsewhere

CREATE FUNCTION align.merge_leads(relation regclass, from_key "any", into_key "any") RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_merge_leads'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000;

COMMENT ON FUNCTION align.merge_leads(regclass, "any", "any") IS
'merges the recorded journey of a duplicate into that of the lead that survives, recomputes its clocks, and returns the number of entries moved; the rows of the table are not changed. For the owner of the table; NULLs are errors';

CREATE FUNCTION align.merge_leads(relation regclass, from_key text, into_key text) RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_merge_leads'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000;

COMMENT ON FUNCTION align.merge_leads(regclass, text, text) IS
'the same with the keys as text, and for parameters without a type';

CREATE FUNCTION align.erase(relation regclass, key "any") RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_erase'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000;

COMMENT ON FUNCTION align.erase(regclass, "any") IS
'deletes entries and clocks of a lead whose row has been deleted, removes its key from the entries of other leads, and returns the number of entries and clocks deleted. For the owner of the table; NULLs are errors';

CREATE FUNCTION align.erase(relation regclass, key text) RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_erase'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000;

COMMENT ON FUNCTION align.erase(regclass, text) IS
'the same with the key as text, and for parameters without a type';

CREATE FUNCTION align.forget(relation regclass, key "any") RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_forget'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000;

COMMENT ON FUNCTION align.forget(regclass, "any") IS
'removes persons and free text from the entries and clocks of a lead that stays, anonymised: assignees, actors, notes, campaigns, former keys, and reasons that the agreement does not list. Stages and times stay. Returns the number of entries and clocks changed. For the owner of the table; NULLs are errors';

CREATE FUNCTION align.forget(relation regclass, key text) RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_forget'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000;

COMMENT ON FUNCTION align.forget(regclass, text) IS
'the same with the key as text, and for parameters without a type';

CREATE FUNCTION align.purge(relation regclass, before timestamptz) RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_purge'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000;

COMMENT ON FUNCTION align.purge(regclass, timestamptz) IS
'deletes entries and clocks of leads whose last life ended before a time that is not in the future, and returns the number of entries and clocks deleted. A life ends when the row is deleted, truncated or no longer live; for the owner of the table; NULLs are errors';

CREATE FUNCTION align.rebuild_clocks(relation regclass) RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_rebuild_clocks'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000;

COMMENT ON FUNCTION align.rebuild_clocks(regclass) IS
'replaces the clocks of an attached table by those that follow from its history, for use after a change of time zone rules or of the history, and returns their number. For the owner of the table, which is locked in SHARE ROW EXCLUSIVE mode; NULL is an error';

CREATE FUNCTION align.rebuild_clocks(relation regclass, to_version_in_force boolean) RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_rebuild_clocks_to_version'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000;

COMMENT ON FUNCTION align.rebuild_clocks(regclass, boolean) IS
'the same as rebuild_clocks(regclass); if to_version_in_force is true, open clocks follow the version of the agreement that is in force now, which they record as theirs. NULLs are errors';

CREATE FUNCTION align.import_history(relation regclass, query text) RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_import_history'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000;

COMMENT ON FUNCTION align.import_history(regclass, text) IS
'adds what happened to the leads of an attached table before it was recorded: the query, run read-only as the caller, returns the key columns, at and stage, and may return ordinal, team, assignee, actor, reason, note, campaign and amount. Violations are recorded, clocks computed, and the number of rows that became entries is returned. For the owner of the table, which is locked in SHARE ROW EXCLUSIVE mode; NULLs are errors';
-- Facts and reports

CREATE FUNCTION align.create_reports(relation regclass, in_schema text,
                                     dimensions text[] DEFAULT '{}', time_zone text DEFAULT NULL,
                                     settle interval DEFAULT '90 days',
                                     complete_since timestamptz DEFAULT NULL,
                                     credit_model text DEFAULT 'linear',
                                     stored boolean DEFAULT false)
    RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_create_reports'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000;

COMMENT ON FUNCTION align.create_reports(regclass, text, text[], text, interval, timestamptz, text, boolean) IS
'creates the facts and reports on an attached table, as views in a schema and as functions of an instant, owned by the owner of the table, or replaces them, and returns the number of views. dimensions are columns of the table or expressions with a name; time_zone, that of dates, weeks and months, is by default that of the common hours of the agreement, else UTC; a cohort is settled when settle has passed since its end; complete_since, from which on the record is complete, is by default the time of attach(), and must be given after import_history(); stored makes tables of the facts, which refresh_reports() brings up to date. For the owner of the table; only time_zone and complete_since may be NULL';

CREATE FUNCTION align.refresh_reports(relation regclass, everything boolean DEFAULT false)
    RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_refresh_reports'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000;

COMMENT ON FUNCTION align.refresh_reports(regclass, boolean) IS
'brings the reports on an attached table that create_reports() has made with stored up to date, in all schemas that have some, with all that is committed, and returns the number of leads that were written. The work follows the number of leads that have changed; all leads are written if everything is true, or the agreement has changed. To be called by a scheduler. For the owner of the table; NULLs are errors';

CREATE FUNCTION align.log_changed_lead()
    RETURNS trigger
    AS 'MODULE_PATHNAME', 'align_log_changed_lead'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1;

COMMENT ON FUNCTION align.log_changed_lead() IS
'the trigger function by which stored reports know what has changed; for triggers that create_reports() creates';

CREATE FUNCTION align.weekly_report(relation regclass, week date DEFAULT NULL, in_schema text DEFAULT NULL)
    RETURNS text
    AS 'MODULE_PATHNAME', 'align_weekly_report'
    LANGUAGE C STABLE PARALLEL UNSAFE COST 10000000;

COMMENT ON FUNCTION align.weekly_report(regclass, date, text) IS
'the page for the weekly meeting of both teams, as one self-contained HTML document, from the reports in a schema, by default the only one that has reports on the table. week is any day of the week, by default of the last complete one; the figures are as of its end, or of now if it is not over. The caller must be allowed to read all reports and the campaign tables that the page shows, and, where the table has row-level security, all leads; only relation must not be NULL';

CREATE FUNCTION align.publish_week(relation regclass, week date DEFAULT NULL, in_schema text DEFAULT NULL)
    RETURNS date
    AS 'MODULE_PATHNAME', 'align_publish_week'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000000;

COMMENT ON FUNCTION align.publish_week(regclass, date, text) IS
'keeps the page of weekly_report() and its figures in the table published_week of the schema of the reports, and returns the Monday of the week; a week is published once. For the owner of the table; only relation must not be NULL';

CREATE FUNCTION align.create_campaign_tables(in_schema text, currency text) RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_create_campaign_tables'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000;

COMMENT ON FUNCTION align.create_campaign_tables(text, text) IS
'creates the tables campaign_cost, campaign_budget, campaign_review and action in a schema, as tables of the current user, and returns their number. Amounts are in one currency, three capital letters such as EUR; rows in another are refused. create_reports(), called afterwards for a table of the same owner and the same schema, reads them. NULLs are errors';
