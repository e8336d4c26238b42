-- Progress along steps and along a success path.
SET timezone = 'UTC';
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS align;

CREATE FUNCTION pg_temp.steps(journey align.lead, steps text[], within interval, as_of timestamptz)
RETURNS TABLE (level int, times timestamptz[], amount numeric, status text)
LANGUAGE sql AS $$SELECT p.* FROM align.progress(journey, steps, within, 'ordered', as_of) p$$;

SELECT * FROM pg_temp.steps('{2026-03-01T00:00:00Z a, 2026-03-02T00:00:00Z b, 2026-03-03T00:00:00Z c}', '{a,b,c}', NULL, '2026-04-01Z');
-- others may stand between; one entry fills one step
SELECT * FROM pg_temp.steps('{2026-03-01T00:00:00Z a, 2026-03-02T00:00:00Z x, 2026-03-03T00:00:00Z b}', '{a,b,c}', NULL, '2026-04-01Z');
SELECT * FROM pg_temp.steps('{2026-03-01T00:00:00Z a}', '{a,a}', NULL, '2026-04-01Z');
SELECT * FROM pg_temp.steps('{2026-03-01T00:00:00Z a, 2026-03-02T00:00:00Z a}', '{a,a}', NULL, '2026-04-01Z');
-- the window counts from the first step and is inclusive
SELECT * FROM pg_temp.steps('{2026-03-01T00:00:00Z a, 2026-03-02T00:00:00Z b, 2026-03-03T00:00:00Z c}', '{a,b,c}', '2 days', '2026-04-01Z');
SELECT * FROM pg_temp.steps('{2026-03-01T00:00:00Z a, 2026-03-02T00:00:00Z b, 2026-03-03T00:00:00.000001Z c}', '{a,b,c}', '2 days', '2026-04-01Z');
-- not yet is not lost: a later start may still make it
SELECT * FROM pg_temp.steps('{2026-03-01T00:00:00Z a, 2026-03-02T00:00:00Z b}', '{a,b,c}', '2 days', '2026-03-03Z');
SELECT * FROM pg_temp.steps('{2026-03-01T00:00:00Z a, 2026-03-02T00:00:00Z b}', '{a,b,c}', '2 days', '2026-03-03 00:00:00.000001Z');
SELECT * FROM pg_temp.steps('{2026-03-01T00:00:00Z a, 2026-03-02T00:00:00Z b, 2026-03-02T12:00:00Z a}', '{a,b,c}', '2 days', '2026-03-04Z');
SELECT * FROM pg_temp.steps('{2026-03-01T00:00:00Z b}', '{a,b,c}', '2 days', '2026-03-04Z');
-- the latest start rescues a chain that an earlier start would lose
SELECT * FROM pg_temp.steps('{2026-03-01T00:00:00Z a, 2026-03-05T00:00:00Z a, 2026-03-06T00:00:00Z b}', '{a,b}', '2 days', '2026-04-01Z');
-- among equally long chains the earliest completing, then the latest start
SELECT * FROM pg_temp.steps('{2026-03-01T00:00:00Z a, 2026-03-02T00:00:00Z a, 2026-03-03T00:00:00Z b, 2026-03-04T00:00:00Z a, 2026-03-05T00:00:00Z b}', '{a,b}', NULL, '2026-04-01Z');
-- amounts: the last one told by as_of, by whatever entry
SELECT * FROM pg_temp.steps('{2026-03-01T00:00:00Z a worth 10, 2026-03-02T00:00:00Z ~ "c" worth 12.5, 2026-03-03T00:00:00Z b worth 99}', '{a,b}', NULL, '2026-03-02Z');
-- simultaneous entries go in the lead's order
SELECT * FROM pg_temp.steps('{2026-03-01T00:00:00Z a, 2026-03-01T00:00:00Z b}', '{a,b}', '0', '2026-03-02Z');
SELECT * FROM pg_temp.steps('{2026-03-01T00:00:00Z a, 2026-03-01T00:00:00Z b}', '{b,a}', '0', '2026-03-02Z');
-- extremes
SELECT * FROM pg_temp.steps('{-4712-01-01T00:00:00Z a, 294276-12-31T00:00:00Z b}', '{a,b}', '106751990 days', '294276-12-31Z');
SELECT * FROM pg_temp.steps('{-4712-01-01T00:00:00Z a, 294276-12-31T00:00:00Z b}', '{a,b}', NULL, '294276-12-31Z');

-- arguments
SELECT * FROM pg_temp.steps(NULL, '{a}', NULL, '2026-04-01Z');
SELECT * FROM align.progress('{2026-03-01T00:00:00Z a}', '{a}', NULL, NULL, '2026-04-01Z');
SELECT * FROM pg_temp.steps('{2026-03-01T00:00:00Z a}', NULL, NULL, '2026-04-01Z');
SELECT * FROM pg_temp.steps('{2026-03-01T00:00:00Z a}', '{}', NULL, '2026-04-01Z');
SELECT * FROM pg_temp.steps('{2026-03-01T00:00:00Z a}', '{a,NULL}', NULL, '2026-04-01Z');
SELECT * FROM pg_temp.steps('{2026-03-01T00:00:00Z a}', '{{a,b}}', NULL, '2026-04-01Z');
SELECT * FROM pg_temp.steps('{2026-03-01T00:00:00Z a}', array_fill('a'::text, '{65}'), NULL, '2026-04-01Z');
SELECT * FROM pg_temp.steps('{2026-03-01T00:00:00Z a}', '{a}', '-1 hour', '2026-04-01Z');
SELECT * FROM pg_temp.steps('{2026-03-01T00:00:00Z a}', '{a}', '1 month', '2026-04-01Z');
SELECT * FROM pg_temp.steps('{2026-03-01T00:00:00Z a}', '{a}', '178000000 days', '2026-04-01Z');
SELECT * FROM pg_temp.steps('{2026-03-01T00:00:00Z a}', '{a}', NULL, NULL);
SELECT * FROM pg_temp.steps('{2026-03-01T00:00:00Z a}', '{a}', NULL, 'infinity');
SELECT * FROM align.progress('{2026-03-01T00:00:00Z a}', '{a}', NULL, 'sideways', '2026-04-01Z');

-- Against all chains there are: random journeys, every chain enumerated.
CREATE TABLE random_events AS
WITH RECURSIVE draw(i, r) AS (
	SELECT 0, 4711::bigint
	UNION ALL
	SELECT i + 1, (r * 1103515245 + 12345) % 2147483648 FROM draw WHERE i < 7999)
SELECT i / 8 AS id, i % 8 AS no, (ARRAY['a', 'b', 'c', 'd', 'x'])[1 + (r >> 9) % 5] AS stage,
	'2026-01-01Z'::timestamptz + ((r >> 15) % 40) * interval '1 hour' AS at
FROM draw;
CREATE TABLE random_leads AS
SELECT id, align.lead_agg(at, stage) AS journey,
	(ARRAY['{a,b,c}', '{a,b,c,d}', '{b,a}', '{a,a,b}', '{c}', '{d,x,d}'])[1 + id % 6]::text[] AS steps,
	(ARRAY[NULL, '3 hours', '10 hours', '20 hours', '0']::interval[])[1 + id % 5] AS within,
	'2026-01-02 04:00Z'::timestamptz AS as_of
FROM random_events GROUP BY id;
CREATE TABLE chains AS
WITH RECURSIVE e AS (
	SELECT id, x.entry AS no, x.stage, x.at FROM random_leads, align.entries(journey) x WHERE x.at <= as_of),
chain AS (
	SELECT l.id, 1 AS level, e.no, e.at AS first_at, e.at AS last_at, steps, within
	FROM random_leads l JOIN e USING (id) WHERE e.stage = steps[1]
	UNION ALL
	SELECT c.id, c.level + 1, e.no, c.first_at, e.at, c.steps, c.within
	FROM chain c JOIN e USING (id)
	WHERE e.no > c.no AND e.stage = c.steps[c.level + 1] AND (c.within IS NULL OR e.at <= c.first_at + c.within))
SELECT DISTINCT ON (id) id, level, first_at, last_at FROM chain ORDER BY id, level DESC, last_at, first_at DESC;
SELECT count(*) AS leads, count(c.id) AS begun,
	count(*) FILTER (WHERE p.level IS DISTINCT FROM coalesce(c.level, 0)
		OR p.times[1] IS DISTINCT FROM c.first_at
		OR p.times[p.level] IS DISTINCT FROM c.last_at
		OR p.status IS DISTINCT FROM CASE
			WHEN coalesce(c.level, 0) = cardinality(l.steps) THEN 'converted'
			WHEN l.within IS NOT NULL AND l.as_of > l.within + (SELECT max(at) FROM align.entries(journey) x WHERE x.at <= l.as_of AND x.stage = l.steps[1]) THEN 'dropped'
			ELSE 'open' END) AS wrong
FROM random_leads l LEFT JOIN chains c USING (id), align.progress(journey, steps, within, 'ordered', as_of) p;

-- Along a success path.
CREATE TABLE agreed_path (f align.funnel);
INSERT INTO agreed_path VALUES ($$
	stage inquiry, mql, sal, nurture;
	won customer, upsold;
	lost disqualified;
	success path inquiry -> mql -> sal -> customer;
	path mql -> nurture -> mql;
	path mql -> upsold;
	path any -> disqualified;
	path disqualified -> mql;
	sal known as 'S-ACC';
$$);
SELECT p.*, j FROM agreed_path, unnest(ARRAY[
	'{2026-03-01T00:00:00Z inquiry}',
	'{2026-03-01T00:00:00Z inquiry, 2026-03-02T00:00:00Z "S-ACC" worth 7}',
	'{2026-03-01T00:00:00Z inquiry, 2026-03-02T00:00:00Z mql, 2026-03-03T00:00:00Z nurture, 2026-03-04T00:00:00Z mql}',
	'{2026-03-01T00:00:00Z inquiry, 2026-03-02T00:00:00Z disqualified}',
	'{2026-03-01T00:00:00Z inquiry, 2026-03-02T00:00:00Z disqualified, 2026-03-03T00:00:00Z mql}',
	'{2026-03-01T00:00:00Z mql, 2026-03-02T00:00:00Z upsold}',
	'{2026-03-01T00:00:00Z inquiry, 2026-03-02T00:00:00Z customer, 2026-03-03T00:00:00Z ~ "later" worth 1200}',
	'{2026-03-01T00:00:00Z parked}',
	'{2026-05-01T00:00:00Z inquiry}']) j,
	align.funnel_progress(j::align.lead, f, '2026-04-01Z') p;
-- Won and put back is open, as lost and reopened is; a second win counts from its own time; the time to win is that of
-- the first won stage, on the path or not.  A customer that is lost afterwards was won.
SELECT p.*, j FROM (SELECT 'stage n, q, r; won w, x; lost l; success path n -> q -> w; path n -> w, x; path w, x, l -> n; path w -> x; path x -> w; path any -> l; path w -> l; path n -> r;'::align.funnel AS f) a, unnest(ARRAY[
	'{2026-03-02T09:00:00Z n worth 10, 2026-03-05T09:00:00Z l, 2026-03-05T09:01:00Z n}',
	'{2026-03-02T09:00:00Z n worth 10, 2026-03-05T09:00:00Z w, 2026-03-05T09:01:00Z n}',
	'{2026-03-02T09:00:00Z n, 2026-03-03T09:00:00Z q, 2026-03-05T09:00:00Z w, 2026-03-05T09:01:00Z n}',
	'{2026-03-02T09:00:00Z n, 2026-03-05T09:00:00Z x, 2026-03-05T09:01:00Z n}',
	'{2026-03-05T09:00:00Z w, 2026-03-05T09:01:00Z r}',
	'{2026-03-02T09:00:00Z n, 2026-03-05T09:00:00Z w, 2026-03-05T09:01:00Z n, 2026-03-06T09:00:00Z w}',
	'{2026-03-02T09:00:00Z n, 2026-03-05T09:00:00Z w, 2026-03-05T09:01:00Z n, 2026-03-06T09:00:00Z l}',
	'{2026-03-02T09:00:00Z n, 2026-03-05T09:00:00Z w, 2026-03-06T09:00:00Z l}',
	'{2026-03-02T09:00:00Z n, 2026-03-05T09:00:00Z w, 2026-03-06T09:00:00Z unheard_of}',
	'{2026-03-02T09:00:00Z n, 2026-03-05T09:00:00Z x, 2026-03-06T09:00:00Z w}',
	'{2026-03-02T09:00:00Z n, 2026-03-05T09:00:00Z w, 2026-03-06T09:00:00Z x}',
	'{2026-03-02T09:00:00Z n, 2026-03-05T09:00:00Z x}']) j,
	align.funnel_progress(j::align.lead, f, '2026-04-01Z') p;
SELECT s.* FROM align.steps((SELECT align.funnel_conversion_agg(j::align.lead, 'stage n; won w, x; lost l; success path n -> w; path n -> x; path w, x -> n; path x -> w; path any -> l;', '2026-04-01Z') FROM unnest(ARRAY[
	'{2026-03-02T09:00:00Z n, 2026-03-05T09:00:00Z w, 2026-03-05T09:01:00Z n}',
	'{2026-03-02T09:00:00Z n, 2026-03-05T09:00:00Z x}',
	'{2026-03-02T09:00:00Z n, 2026-03-04T09:00:00Z x, 2026-03-09T09:00:00Z w}']) j)) s;
SELECT align.funnel_progress(NULL, f, '2026-04-01Z'), align.funnel_progress('{2026-03-01T00:00:00Z mql}', NULL, '2026-04-01Z') FROM agreed_path;
SELECT align.funnel_progress('{2026-03-01T00:00:00Z mql}', f, NULL) FROM agreed_path;

DROP TABLE random_events, random_leads, chains, agreed_path;
