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
