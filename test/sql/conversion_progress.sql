-- The summaries agree with progress() and funnel_progress(), lead by lead, counted in plain SQL.
SET search_path = align, public;
SET TimeZone = 'UTC';
SET IntervalStyle = 'postgres';

-- 3,000 journeys that wander: repeated stages, ties, unknown stages, touches; made from the seed 4242.
CREATE FUNCTION pg_temp.dice(what text, n int) RETURNS bigint LANGUAGE sql IMMUTABLE
	RETURN ('x' || substr(md5('4242/' || what || '/' || n), 1, 7))::bit(28)::bigint;
CREATE TABLE journey (lead int, journey lead);
INSERT INTO journey
SELECT lead, lead_agg(timestamptz '2026-01-01 00:00Z' + pg_temp.dice('at', lead * 100 + i) % 300 * interval '7 hours',
	CASE WHEN pg_temp.dice('touch', lead * 100 + i) % 8 > 0
		THEN ('{inquiry,inquiry,mql,mql,sal,sql,customer,self_serve,nurture,lost,nonsense}'::text[])[1 + pg_temp.dice('stage', lead * 100 + i) % 11] END,
	NULL, NULL, 'c', CASE WHEN pg_temp.dice('has', lead * 100 + i) % 4 = 0 THEN pg_temp.dice('amount', lead * 100 + i) / 7.0 END)
FROM generate_series(1, 3000) lead, LATERAL generate_series(1, (1 + pg_temp.dice('length', lead) % 9)::int) i GROUP BY lead;
CREATE FUNCTION agreement() RETURNS funnel LANGUAGE sql IMMUTABLE RETURN
	'stage inquiry, mql, sal, sql, nurture; won customer, self_serve; lost lost;
	 success path inquiry -> mql -> sal -> sql -> customer; path mql, sal, sql -> nurture -> mql; path inquiry -> self_serve; path any -> lost;'::funnel;

-- What steps() should say of a list of progresses.  A time counts where the lead entered both steps, the later not before the earlier.
-- at_end: it entered the last step itself, instead of another won stage.
CREATE TYPE progressed AS (level int, times timestamptz[], amount numeric, status text, at_end boolean);
CREATE FUNCTION tally(p progressed[]) RETURNS TABLE (step int, entered bigint, reached bigint, dropped bigint, still_open bigint,
	step_rate float8, overall_rate float8, median float8, p90 float8, mean numeric, amount numeric) LANGUAGE sql
BEGIN ATOMIC
	WITH n AS (
		SELECT i, count(times[i]) FILTER (WHERE i < cardinality(times) OR at_end) AS entered, count(*) FILTER (WHERE level >= i) AS reached, sum(p.amount) FILTER (WHERE level >= i) AS amount,
			count(*) FILTER (WHERE level = i AND status = 'dropped') AS dropped, count(*) FILTER (WHERE level = i AND status = 'open') AS still_open,
			percentile_disc(0.5) WITHIN GROUP (ORDER BY d) AS median, percentile_disc(0.9) WITHIN GROUP (ORDER BY d) AS p90, round(avg(d)) AS mean
		FROM unnest(p) p, generate_subscripts(times, 1) i,
			LATERAL (SELECT CASE WHEN times[i] >= times[i - 1] THEN extract(epoch FROM times[i] - times[i - 1]) * 1000000 END AS d) d GROUP BY i)
	SELECT i, entered, reached, dropped, still_open, reached::float8 / nullif(CASE i WHEN 1 THEN reached ELSE lag(reached) OVER (ORDER BY i) END, 0),
		reached::float8 / nullif(first_value(reached) OVER (ORDER BY i), 0), median, p90, mean, amount FROM n;
END;
CREATE FUNCTION agrees(c conversion, p progressed[]) RETURNS boolean LANGUAGE sql
BEGIN ATOMIC
	SELECT bool_and((s.entered, s.reached, s.dropped, s.still_open) = (t.entered, t.reached, t.dropped, t.still_open)
		AND (s.step_rate, s.overall_rate, s.amount, extract(epoch FROM s.mean_time) * 1000000) IS NOT DISTINCT FROM (t.step_rate, t.overall_rate, t.amount, t.mean)
		AND coalesce(abs(extract(epoch FROM s.median_time) * 1000000 - t.median) <= t.median / 128, s.median_time IS NULL AND t.median IS NULL)
		AND coalesce(abs(extract(epoch FROM s.p90_time) * 1000000 - t.p90) <= t.p90 / 128, s.p90_time IS NULL AND t.p90 IS NULL))
	FROM steps(c) s FULL JOIN tally(p) t USING (step);
END;

SELECT names, within, count(*) AS instants, bool_and(agrees(c, p)) AS agree
FROM unnest('{"{inquiry,mql,sal}","{mql,mql,customer}","{inquiry}","{inquiry,inquiry,inquiry}"}'::text[]) names, unnest('{NULL,0 hours,7 hours,20 days}'::interval[]) within,
	unnest('{2026-01-10 00:00Z,2026-02-20 05:00Z,2027-01-01 00:00Z}'::timestamptz[]) as_of,
	LATERAL (SELECT conversion_agg(journey, names::text[], within, 'ordered', as_of) AS c,
		array_agg((p.level, p.times, p.amount, p.status, true)::progressed) AS p
		FROM journey, progress(journey, names::text[], within, 'ordered', as_of) p) s
GROUP BY names, within ORDER BY names, within NULLS FIRST;

SELECT as_of, agrees(c, p) AS agree, (SELECT bool_or(entered < reached) FROM steps(c)) AS some_skip,
	(SELECT bool_or(entered < reached) FROM steps(c) WHERE step = 5) AS some_won_elsewhere, (SELECT sum(dropped) > 0 FROM steps(c)) AS some_lost
FROM unnest('{2026-01-10 00:00Z,2026-02-20 05:00Z,2027-01-01 00:00Z}'::timestamptz[]) as_of,
	LATERAL (SELECT funnel_conversion_agg(journey, agreement(), as_of) AS c, array_agg((p.level, p.times, p.amount, p.status,
			EXISTS (SELECT FROM entries(journey) e WHERE at <= as_of AND stage = 'customer' AND NOT EXISTS (
				SELECT FROM entries(journey) o WHERE o.at <= as_of AND o.entry > e.entry AND o.stage IN ('inquiry', 'mql', 'sal', 'sql', 'nurture'))))::progressed) AS p
		FROM journey, funnel_progress(journey, agreement(), as_of) p) s;

-- By hand: one straight, one that skips, one that comes back to a stage it had skipped, one won elsewhere, one lost, one lost at once, one open.
CREATE TABLE few (lead int, journey lead);
INSERT INTO few VALUES
	(1, '{2026-01-01T00:00:00Z inquiry, 2026-01-02T00:00:00Z mql, 2026-01-04T00:00:00Z sal, 2026-01-07T00:00:00Z sql, 2026-01-11T00:00:00Z customer worth 100}'),
	(2, '{2026-01-01T00:00:00Z inquiry, 2026-01-02T00:00:00Z sql worth 10, 2026-01-03T00:00:00Z customer}'),
	(3, '{2026-01-01T00:00:00Z inquiry, 2026-01-02T00:00:00Z sal, 2026-01-03T00:00:00Z nurture, 2026-01-09T00:00:00Z mql worth 7}'),
	(4, '{2026-01-01T00:00:00Z inquiry, 2026-01-02T12:00:00Z self_serve worth 5.50}'),
	(5, '{2026-01-01T00:00:00Z inquiry worth 1, 2026-01-06T00:00:00Z mql, 2026-01-08T00:00:00Z lost}'),
	(6, '{2026-01-01T00:00:00Z lost}'),
	(7, '{2026-01-05T00:00:00Z inquiry}');
SELECT step, name, entered, reached, dropped, still_open, round(step_rate::numeric, 4) AS step_rate, round(overall_rate::numeric, 4) AS overall_rate, median_time, p90_time, mean_time, amount
FROM steps((SELECT funnel_conversion_agg(journey, agreement(), '2026-02-01') FROM few));
SELECT step, entered, reached, dropped, still_open, round(lower::numeric, 6) AS lower, round(upper::numeric, 6) AS upper, median_time, mean_time, amount
FROM steps((SELECT conversion_agg(journey, '{inquiry,mql,sal}', '3 days', NULL, '2026-01-06') FROM few), 0.9);
SELECT regexp_replace(funnel_conversion_agg(journey, agreement(), '2026-02-01')::text, 'funnel [0-9a-f]{16}', 'funnel ...') AS c FROM few;

-- The future is not seen.
SELECT as_of, array_agg(reached ORDER BY step) AS reached, array_agg(still_open ORDER BY step) AS still_open
FROM unnest('{2025-12-31 00:00Z,2026-01-01 00:00Z,2026-01-02 00:00Z,2026-01-04 00:00Z}'::timestamptz[]) as_of,
	LATERAL (SELECT funnel_conversion_agg(journey, agreement(), as_of) AS c FROM few) a, steps(c) GROUP BY as_of ORDER BY as_of;

-- NULLs, nothing, and a funnel that changes.
SELECT funnel_conversion_agg(journey, agreement(), '2026-02-01') IS NULL AS nothing FROM few WHERE false;
SELECT funnel_conversion_agg(NULL, agreement(), '2026-02-01') IS NULL AS nothing FROM few;
SELECT funnel_conversion_agg(journey, NULL, '2026-02-01') FROM few;
SELECT funnel_conversion_agg(journey, agreement(), NULL) FROM few;
SELECT funnel_conversion_agg(journey, agreement(), 'infinity') FROM few;
SELECT funnel_conversion_agg(journey, CASE lead WHEN 3 THEN 'stage a; won b; success path a -> b;' ELSE agreement() END, '2026-02-01' ORDER BY lead) FROM few;
-- also if the row before has made the state
SELECT funnel_conversion_agg('{2026-01-01T00:00:00Z a}', f::funnel, '2026-02-01') FROM (VALUES ('stage a; won b; success path a -> b;'), ('stage a; won c; success path a -> c;')) AS two (f);
-- The fingerprint is that of the canonical document: another spelling of one agreement is the same agreement, another agreement is not.
SELECT funnel_conversion_agg(journey, CASE WHEN lead < 3 THEN 'stage a;won b;   success path a->b; -- spelt otherwise' ELSE 'stage a; won b; success path a -> b;' END::funnel, '2026-02-01' ORDER BY lead) IS NOT NULL AS same
FROM few;
SELECT substring(c::text, 'funnel ([0-9a-f]+)') <> substring(d::text, 'funnel ([0-9a-f]+)') AS different FROM (
	SELECT funnel_conversion_agg(journey, 'stage a; won b; success path a -> b;', '2026-02-01') AS c, funnel_conversion_agg(journey, 'stage a; won b; lost x; success path a -> b; path any -> x;', '2026-02-01') AS d FROM few) s;

DROP TABLE journey, few;
DROP FUNCTION agrees, tally, agreement;
DROP TYPE progressed;
