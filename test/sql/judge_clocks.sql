-- Service-level clocks.
SET timezone = 'UTC';
SET intervalstyle = 'postgres';
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS align;

CREATE TABLE promised (f align.funnel);
INSERT INTO promised VALUES ($$
	hours 'UTC Mo-Fr 09:00-17:00';
	hours of sales 'America/New_York Mo-Fr 08:00-18:00';
	stage inquiry, mql held by marketing;
	stage sal, sql, opportunity held by sales;
	stage nurture held by marketing;
	won customer;
	lost disqualified;
	entry inquiry, mql;
	success path inquiry -> mql -> sal -> sql -> opportunity -> customer;
	path mql, sal, sql, opportunity -> nurture -> mql;
	path nurture -> sql;
	path any -> disqualified;
	handoff speed_to_lead: mql from marketing to sales,
		accept sal, reject nurture, disqualified with reason (poor_fit),
		within 4 working hours, warn after 3 working hours;
	sla qualify by sales: from sal to sql within 40 working hours, pause nurture;
	sla first_touch by marketing: from inquiry to mql within 2 days, warn after 1 day;
	sla call_back by marketing: from sql to opportunity by end of next working day;
$$);

CREATE FUNCTION pg_temp.clocks(journey align.lead, as_of timestamptz)
RETURNS TABLE (sla text, cycle int, team text, started_at timestamptz, due_at timestamptz,
	warn_at timestamptz, stopped_at timestamptz, elapsed interval, remaining interval, state text)
LANGUAGE sql AS 'SELECT c.* FROM promised, align.sla_clocks(journey, f, as_of) c';

-- Sales counts New York hours: 2026-03-02 14:00 UTC is 09:00 there.
SELECT * FROM pg_temp.clocks('{2026-03-02T14:00:00Z mql}', '2026-03-02 15:00+00');
SELECT * FROM pg_temp.clocks('{2026-03-02T14:00:00Z mql}', '2026-03-02 17:00+00');
SELECT * FROM pg_temp.clocks('{2026-03-02T14:00:00Z mql}', '2026-03-02 18:00+00');
SELECT * FROM pg_temp.clocks('{2026-03-02T14:00:00Z mql}', '2026-03-02 18:00:00.000001+00');
-- stopping exactly at the due instant is met, a microsecond later it is missed
SELECT * FROM pg_temp.clocks('{2026-03-02T14:00:00Z mql, 2026-03-02T18:00:00Z sal}', '2026-03-02 18:00+00');
SELECT * FROM pg_temp.clocks('{2026-03-02T14:00:00Z mql, 2026-03-02T18:00:00.000001Z nurture}', '2026-03-05 18:00+00');
-- over the weekend
SELECT * FROM pg_temp.clocks('{2026-03-06T21:00:00Z mql}', '2026-03-09 12:30+00');
-- plain elapsed time runs at night; a lost stage closes what it does not stop
SELECT * FROM pg_temp.clocks('{2026-03-06T21:00:00Z inquiry}', '2026-03-08 12:30+00');
SELECT * FROM pg_temp.clocks('{2026-03-06T21:00:00Z inquiry, 2026-03-07T21:00:00Z disqualified}', '2026-03-20 12:30+00');
-- a handoff that ends in none of its stages is withdrawn
SELECT * FROM pg_temp.clocks('{2026-03-02T14:00:00Z mql, 2026-03-02T14:30:00Z parked}', '2026-03-20 12:30+00');
-- pause and resume: what is left is kept; entering a start stage resumes, it starts no new cycle
SELECT * FROM pg_temp.clocks('{2026-03-02T14:00:00Z sal, 2026-03-02T15:00:00Z nurture}', '2026-03-04 14:00+00');
SELECT * FROM pg_temp.clocks('{2026-03-02T14:00:00Z sal, 2026-03-02T15:00:00Z nurture, 2026-03-04T14:00:00Z sal}', '2026-03-04 15:00+00');
SELECT * FROM pg_temp.clocks('{2026-03-02T14:00:00Z sal, 2026-03-02T15:00:00Z nurture, 2026-03-04T14:00:00Z mql, 2026-03-04T14:20:00Z sal, 2026-03-04T15:00:00Z sql}', '2026-03-04 15:00+00');
-- stopped from a pause: met if nothing was overdue when it began
SELECT * FROM pg_temp.clocks('{2026-03-02T14:00:00Z sal, 2026-03-02T15:00:00Z nurture, 2026-06-01T14:00:00Z sql}', '2026-06-01 15:00+00') WHERE sla = 'qualify';
-- overdue before the pause stays overdue during it, and is missed
SELECT * FROM pg_temp.clocks('{2026-03-02T14:00:00Z sal, 2026-03-20T15:00:00Z nurture}', '2026-03-25 15:00+00');
SELECT * FROM pg_temp.clocks('{2026-03-02T14:00:00Z sal, 2026-03-20T15:00:00Z nurture, 2026-03-25T15:00:00Z sql}', '2026-03-25 15:00+00') WHERE sla = 'qualify';
-- a new cycle after it stopped
SELECT * FROM pg_temp.clocks('{2026-03-02T14:00:00Z mql, 2026-03-02T15:00:00Z nurture, 2026-03-03T14:00:00Z mql, 2026-03-05T15:00:00Z sal}', '2026-03-25 15:00+00') WHERE sla = 'speed_to_lead';
-- a stage that stops one cycle and starts the next
SELECT c.* FROM align.sla_clocks('{2026-03-02T14:00:00Z contacted, 2026-03-02T15:00:00Z waiting, 2026-03-05T15:00:00Z contacted, 2026-03-05T16:00:00Z contacted, 2026-03-06T15:00:00Z customer}',
	'stage contacted, waiting held by sales; won customer; success path contacted -> waiting -> customer; path waiting -> contacted -> customer;
	sla come_back by sales: from contacted to contacted, customer within 2 days;', '2026-03-07 15:00+00') c;
-- by end of next working day, from Thursday, Friday, Saturday
SELECT * FROM pg_temp.clocks('{2026-03-05T14:00:00Z sql}', '2026-03-05 15:00+00');
SELECT * FROM pg_temp.clocks('{2026-03-06T14:00:00Z sql}', '2026-03-06 15:00+00');
SELECT * FROM pg_temp.clocks('{2026-03-07T14:00:00Z sql}', '2026-03-07 15:00+00');
-- entries later than as_of are not seen; touches and staying do nothing
SELECT * FROM pg_temp.clocks('{2026-03-02T14:00:00Z mql, 2026-03-02T15:00:00Z sal}', '2026-03-02 14:30+00');
SELECT * FROM pg_temp.clocks('{2026-03-02T14:00:00Z mql, 2026-03-02T14:10:00Z ~ "c", 2026-03-02T14:20:00Z mql}', '2026-03-02 14:30+00');
SELECT count(*) FROM pg_temp.clocks('{2026-03-02T14:00:00Z mql}', '2026-03-02 13:30+00');
-- NULL and infinite
SELECT count(*) FROM pg_temp.clocks(NULL, '2026-03-02 13:30+00');
SELECT count(*) FROM pg_temp.clocks('{2026-03-02T14:00:00Z mql}', NULL);
SELECT count(*) FROM pg_temp.clocks('{2026-03-02T14:00:00Z mql}', 'infinity');
SELECT count(*) FROM pg_temp.clocks('{2026-03-02T14:00:00Z mql}', '-infinity');

-- Every cycle against a slow reading of the rules: random journeys over one
-- agreement that has a promise of every kind.
CREATE TABLE random_journeys AS
WITH RECURSIVE draw(i, r) AS (
	SELECT 1, 20260307::bigint
	UNION ALL
	SELECT i + 1, (r * 1103515245 + 12345) % 2147483648 FROM draw WHERE i < 8000)
SELECT i / 8 AS id, i % 8 AS no,
	(ARRAY['inquiry', 'mql', 'sal', 'sql', 'opportunity', 'nurture', 'customer', 'disqualified', 'parked', 'nurture', 'sal', 'mql'])[1 + (r >> 9) % 12] AS stage,
	-- steps of up to about three days, some of them none at all
	'2026-03-25Z'::timestamptz + sum(((r >> 4) % 4 > 0)::int * (r % 250000) * interval '1 second') OVER (PARTITION BY i / 8 ORDER BY i) AS at
FROM draw;

-- One SLA of one journey, in the words of the design.  Remaining time is kept
-- over a pause; due only moves if it lay ahead when the pause began.
CREATE FUNCTION pg_temp.oracle(journey int, starts text[], stops text[], pauses text[], handoff boolean,
	kind text, amount interval, hours align.calendar, as_of timestamptz)
RETURNS TABLE (cycle int, started_at timestamptz, due_at timestamptz, stopped_at timestamptz, elapsed interval, state text)
LANGUAGE plpgsql AS $$
DECLARE
	e record;
	active boolean := false;
	paused_since timestamptz;
	resumed timestamptz;
	remaining interval;
	last_stage text;
	final text[] := ARRAY['customer', 'disqualified'];
BEGIN
	cycle := 0;
	FOR e IN SELECT j.stage, j.at FROM random_journeys j WHERE j.id = journey AND j.at <= as_of
		-- a lead orders simultaneous entries by content
		ORDER BY j.at, j.stage COLLATE "C"
	LOOP
		CONTINUE WHEN e.stage = last_stage;
		last_stage := e.stage;
		IF active AND (e.stage = ANY (stops) OR e.stage = ANY (final) OR (handoff AND NOT e.stage = ANY (pauses))) THEN
			IF paused_since IS NOT NULL AND due_at >= paused_since THEN
				due_at := CASE kind WHEN 'elapsed' THEN e.at + (due_at - paused_since)
						  ELSE align.add_working_time(hours, e.at, align.working_time(hours, paused_since, due_at)) END;
			ELSIF paused_since IS NULL THEN
				elapsed := elapsed + CASE kind WHEN 'elapsed' THEN e.at - resumed ELSE align.working_time(hours, resumed, e.at) END;
			END IF;
			stopped_at := e.at;
			state := CASE WHEN e.stage = ANY (stops) AND e.at <= due_at THEN 'met' WHEN e.at < due_at THEN 'cancelled' ELSE 'missed' END;
			RETURN NEXT;
			active := false;
			paused_since := NULL;
		ELSIF active AND paused_since IS NOT NULL AND NOT e.stage = ANY (pauses) THEN
			IF due_at >= paused_since THEN
				due_at := CASE kind WHEN 'elapsed' THEN e.at + (due_at - paused_since)
						  ELSE align.add_working_time(hours, e.at, align.working_time(hours, paused_since, due_at)) END;
			END IF;
			paused_since := NULL;
			resumed := e.at;
		ELSIF active AND paused_since IS NULL AND e.stage = ANY (pauses) THEN
			elapsed := elapsed + CASE kind WHEN 'elapsed' THEN e.at - resumed ELSE align.working_time(hours, resumed, e.at) END;
			paused_since := e.at;
		END IF;
		IF NOT active AND e.stage = ANY (starts) THEN
			active := true;
			cycle := cycle + 1;
			started_at := e.at;
			resumed := e.at;
			elapsed := '0';
			stopped_at := NULL;
			due_at := CASE kind WHEN 'elapsed' THEN e.at + amount
					  WHEN 'working' THEN align.add_working_time(hours, e.at, amount)
					  ELSE align.end_of_working_day(hours, e.at, 1) END;
		END IF;
	END LOOP;
	IF active THEN
		state := CASE WHEN coalesce(paused_since, as_of) > due_at THEN 'overdue'
				 WHEN paused_since IS NOT NULL THEN 'paused' ELSE 'running' END;
		IF paused_since IS NULL THEN
			elapsed := elapsed + CASE kind WHEN 'elapsed' THEN as_of - resumed ELSE align.working_time(hours, resumed, as_of) END;
		ELSIF due_at >= paused_since THEN
			due_at := CASE kind WHEN 'elapsed' THEN as_of + (due_at - paused_since)
					  ELSE align.add_working_time(hours, as_of, align.working_time(hours, paused_since, due_at)) END;
		END IF;
		RETURN NEXT;
	END IF;
END $$;

CREATE TABLE levels (sla text, starts text[], stops text[], pauses text[], handoff boolean, kind text, amount interval, hours align.calendar);
INSERT INTO levels VALUES
	('speed_to_lead', '{mql}', '{sal,nurture,disqualified}', '{}', true, 'working', '4 hours', 'America/New_York Mo-Fr 08:00-18:00'),
	('qualify', '{sal}', '{sql}', '{nurture}', false, 'working', '40 hours', 'America/New_York Mo-Fr 08:00-18:00'),
	('first_touch', '{inquiry}', '{mql}', '{}', false, 'elapsed', '48 hours', NULL),
	('call_back', '{sql}', '{opportunity}', '{}', false, 'day', NULL, 'UTC Mo-Fr 09:00-17:00');

CREATE TABLE expected_clocks AS
SELECT id, sla, o.cycle, o.started_at, o.due_at, o.stopped_at, extract(epoch FROM o.elapsed) AS elapsed, o.state
FROM (SELECT DISTINCT id FROM random_journeys) i, levels,
	LATERAL pg_temp.oracle(id, starts, stops, pauses, handoff, kind, amount, hours, '2026-04-06 15:00Z') o;
CREATE TABLE found_clocks AS
SELECT id, c.sla, c.cycle, c.started_at, c.due_at, c.stopped_at, extract(epoch FROM c.elapsed) AS elapsed,
	replace(c.state, 'at_risk', 'running') AS state
FROM (SELECT id, align.lead_agg(at, stage) AS journey FROM random_journeys GROUP BY id) j, promised,
	LATERAL align.sla_clocks(journey, f, '2026-04-06 15:00Z') c;
SELECT count(*) > 1500 AS many, count(DISTINCT state) AS states FROM expected_clocks;
(TABLE expected_clocks EXCEPT ALL TABLE found_clocks) UNION ALL (TABLE found_clocks EXCEPT ALL TABLE expected_clocks) ORDER BY 1, 2, 3 LIMIT 10;

-- at_risk is exactly: running, and warn_at has come
SELECT count(*) FILTER (WHERE (state = 'at_risk') IS DISTINCT FROM (state IN ('running', 'at_risk') AND warn_at IS NOT NULL AND warn_at <= t)) AS wrong,
	count(*) FILTER (WHERE state = 'at_risk') > 10 AS some
FROM (SELECT id, align.lead_agg(at, stage) AS journey, max(at) + (id % 30) * interval '1 hour' AS t FROM random_journeys GROUP BY id) j, promised,
	LATERAL align.sla_clocks(journey, f, t) c;

-- What remains and what is spent add up to the promise while the clock runs.
SELECT count(*) > 100 AS some, bool_and(elapsed + remaining = CASE sla WHEN 'speed_to_lead' THEN interval '4 hours' WHEN 'qualify' THEN interval '40 hours' ELSE interval '48 hours' END) AS adds_up
FROM (SELECT id, align.lead_agg(at, stage) AS journey, max(at) + (id % 30) * interval '1 hour' AS t FROM random_journeys GROUP BY id) j, promised,
	LATERAL align.sla_clocks(journey, f, t) c
WHERE state IN ('running', 'at_risk', 'paused') AND sla <> 'call_back';

DROP TABLE promised, random_journeys, levels, expected_clocks, found_clocks;

-- A stage that stops one cycle and starts the next: a promise to come back.
SELECT c.sla, c.cycle, c.started_at, c.due_at, c.stopped_at, c.state
FROM align.sla_clocks('{2026-03-02T14:00:00Z contacted, 2026-03-03T14:00:00Z waiting, 2026-03-04T14:00:00Z contacted, 2026-03-05T14:00:00Z waiting, 2026-03-12T14:00:00Z contacted}', $$
	stage contacted, waiting; won customer;
	success path contacted -> customer;
	path contacted -> waiting -> contacted;
	sla come_back by sales: from contacted to contacted, customer within 5 days;$$, '2026-03-13Z') c;

-- A clock that can never be due: the message names the service level, the
-- instant and what is wrong.
CREATE FUNCTION pg_temp.fail(hours text, promise text, journey align.lead, as_of timestamptz) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	due timestamptz;
	warn timestamptz;
BEGIN
	SELECT due_at, warn_at INTO due, warn
	FROM align.sla_clocks(journey, format($f$
		hours %L;
		stage a, b held by sales; won c; success path a -> b -> c; path b -> a;
		sla "call back" by sales: from a to c %s;$f$, hours, promise)::align.funnel, as_of);
	RETURN concat_ws(' | ', due, warn);
EXCEPTION WHEN OTHERS THEN
	RETURN sqlstate || ' ' || sqlerrm;
END $$;
SELECT n, pg_temp.fail(hours, promise, journey::align.lead, as_of::timestamptz) AS answer
FROM (VALUES
	(1, 'off', 'within 4 working hours', '{2026-03-02T14:00:00Z a}', '2026-03-03'),
	(2, 'off', 'by end of working day', '{2026-03-02T14:00:00Z a}', '2026-03-03'),
	(3, 'off', 'by end of 2nd working day', '{2026-03-02T14:00:00Z a}', '2026-03-03'),
	(4, 'off', 'within 4 days', '{2026-03-02T14:00:00Z a}', '2026-03-03'),
	(5, '2026-03-03 09:00-12:00', 'within 3 working hours', '{2026-03-02T14:00:00Z a}', '2026-03-03'),
	(6, '2026-03-03 09:00-12:00', 'within 4 working hours', '{2026-03-02T14:00:00Z a}', '2026-03-03'),
	(7, '2026-03-03 09:00-12:00', 'within 2 working hours', '{2026-03-03T10:00:00.000001Z a}', '2026-03-04'),
	(8, '2026-03-03 09:00-12:00', 'within 2 working hours', '{2026-03-03T12:00:00Z a}', '2026-03-04'),
	(9, '2026-03-03 09:00-12:00', 'by end of working day', '{2026-03-03T11:59:59.999999Z a}', '2026-03-04'),
	(10, '2026-03-03 09:00-12:00', 'by end of working day', '{2026-03-03T12:00:00Z a}', '2026-03-04'),
	(11, '2026-03-03 09:00-12:00', 'by end of next working day', '{2026-03-02T11:00:00Z a}', '2026-03-04'),
	(12, '2026-03-03 09:00-12:00', 'by end of working day, warn after 1 working hour', '{2026-03-03T10:00:00Z a}', '2026-03-04'),
	(13, '2026-03-03 09:00-12:00', 'by end of working day, warn after 9 working hours', '{2026-03-03T10:00:00Z a}', '2026-03-04'),
	(14, '2299-12-31 09:00-12:00', 'within 3 working hours', '{2026-03-02T14:00:00Z a}', '2026-03-03'),
	(15, 'Feb 29 09:00-10:00', 'within 100 working hours', '{2026-03-02T14:00:00Z a}', '2026-03-03'),
	(16, 'Mo-Fr 09:00-17:00', 'within 8 working hours', '{294276-12-30T09:00:00Z a}', '294276-12-31'),
	(17, '24/7', 'within 24 working hours', '{294276-12-31T00:00:00Z a}', '294276-12-31'),
	(18, 'off', 'within 1 day', '{294276-12-31T00:00:00Z a}', '294276-12-31'),
	(19, '24/7', 'within 24 working hours', '{-4713-11-24T00:00:00Z a}', '2026-03-03'),
	-- a pause may outlast the hours; what was overdue before stays where it was
	(20, '2026-03-03 09:00-12:00', 'within 2 working hours, pause b', '{2026-03-02T14:00:00Z a, 2026-03-03T10:00:00Z b, 2026-03-03T11:00:00Z a}', '2026-03-04'),
	(21, '2026-03-03 09:00-12:00', 'within 2 working hours, pause b', '{2026-03-02T14:00:00Z a, 2026-03-03T10:00:00Z b, 2026-03-03T11:30:00Z a}', '2026-03-04'),
	(22, '2026-03-03 09:00-12:00', 'within 2 working hours, pause b', '{2026-03-02T14:00:00Z a, 2026-03-03T10:00:00Z b}', '2026-03-04'),
	(23, '2026-03-03 09:00-12:00', 'within 1 working hour, pause b', '{2026-03-02T14:00:00Z a, 2026-03-03T10:30:00Z b}', '2026-03-04'),
	-- more time than an interval holds
	(24, '24/7', 'within 1 day, pause b', '{-4713-11-24T00:00:00Z a, 150000-01-01T00:00:00Z b, 150001-01-01T00:00:00Z a}', '294276-01-01'),
	(25, '24/7', 'within 24 working hours, pause b', '{-4713-11-24T00:00:00Z a, 150000-01-01T00:00:00Z b, 150001-01-01T00:00:00Z a}', '294276-01-01')
) AS v (n, hours, promise, journey, as_of)
ORDER BY n;
