-- Accessors of lead: small examples, then random journeys against plain SQL.
SET search_path = public, align;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
SET IntervalStyle = 'postgres';
\pset null '-'

-- One journey: touches, a repeated entry, a return, entries of one instant.
CREATE TEMP TABLE one AS SELECT '{
	2026-03-01T08:00:00Z ~ "utm_source=google" worth 2.50,
	2026-03-01T09:00:00Z inquiry ~ spring,
	2026-03-02T09:00:00Z mql by marketing,
	2026-03-02T21:00:00Z mql by marketing because "scored again",
	2026-03-03T12:00:00Z ~ webinar,
	2026-03-04T09:00:00Z sal by sales worth 1200 #5 @2,
	2026-03-04T09:00:00Z sql by sales #6 @2,
	2026-03-10T09:00:00Z nurture by sales because no_budget,
	2026-04-10T09:00:00Z mql by marketing,
	2026-04-10T15:00:00Z mql,
	2026-04-11T09:00:00Z ~ call}'::align.lead AS lead;
SELECT current_stage(lead), since(lead), path(lead) FROM one;
SELECT at, stage_at(lead, at) FROM one, unnest('{-infinity, 2026-03-01 08:59:59.999999+00, 2026-03-01 09:00+00, 2026-03-04 08:59+00, 2026-03-04 09:00+00, 2026-04-01 00:00+00, infinity}'::timestamptz[]) AS at;
SELECT stage, reached(lead, stage), align.time_in(lead, stage, '2026-03-03 09:00+00') AS in_march, align.time_in(lead, stage, '2026-04-12 09:00+00') AS in_april
FROM one, unnest('{inquiry, mql, sal, sql, nurture, customer, MQL, spring, marketing}'::text[]) AS stage;
SELECT from_stage, to_stage, time_between(lead, from_stage, to_stage)
FROM one, (VALUES ('inquiry', 'mql'), ('mql', 'nurture'), ('nurture', 'mql'), ('nurture', 'sal'), ('sql', 'sal'), ('mql', 'mql'), ('mql', 'customer'), ('customer', 'mql'), ('spring', 'mql')) AS v (from_stage, to_stage);
SELECT e.* FROM one, entries(lead) AS e;
SELECT t.* FROM one, touches(lead) AS t;
SELECT t.* FROM one, transitions(lead) AS t;

-- A journey of touches only, and one entry.
SELECT current_stage(lead), since(lead), path(lead), stage_at(lead, 'infinity'), reached(lead, 'x'), align.time_in(lead, 'x', now()), time_between(lead, 'x', 'x'),
	(SELECT count(*) FROM entries(lead)) AS entries, (SELECT count(*) FROM touches(lead)) AS touches, (SELECT count(*) FROM transitions(lead)) AS transitions
FROM unnest('{"{2026-03-01T09:00:00Z ~ x, 2026-03-01T10:00:00Z ~ y}", "{2026-03-01T09:00:00Z y ~ x}"}'::align.lead[]) AS lead;

-- NULL in, NULL out (no rows).
SELECT current_stage(NULL), since(NULL), path(NULL), stage_at(NULL, now()), stage_at(lead, NULL), reached(NULL, 'x'), reached(lead, NULL),
	align.time_in(NULL::align.lead, 'x', now()), align.time_in(lead, NULL, now()), align.time_in(lead, 'mql', NULL),
	time_between(NULL, 'a', 'b'), time_between(lead, NULL, 'b'), time_between(lead, 'mql', NULL), NULL::align.lead::jsonb, NULL::jsonb::align.lead FROM one;
SELECT (SELECT count(*) FROM entries(NULL)) AS entries, (SELECT count(*) FROM touches(NULL)) AS touches, (SELECT count(*) FROM transitions(NULL)) AS transitions;

-- Infinity and the ends of time.
SELECT align.time_in(lead, 'mql', 'infinity') FROM one;
SELECT align.time_in(lead, 'customer', '-infinity') FROM one;
SELECT time_between('{-4713-11-24T00:00:00Z a, 294276-12-31T23:59:59.999999Z b}', 'a', 'b');
SELECT * FROM transitions('{-4713-11-24T00:00:00Z a, 294276-12-31T23:59:59.999999Z b}');
SELECT align.time_in('{-4713-11-24T00:00:00Z a}'::align.lead, 'a', '294276-12-31 23:59:59.999999+00');
SELECT time_between('{-4713-11-24T00:00:00Z a, 280000-01-01T00:00:00.000001Z b}', 'a', 'b'), align.time_in('{-4713-11-24T00:00:00Z a}'::align.lead, 'b', '294276-12-31 23:59:59.999999+00');
SELECT align.time_in('{-4713-11-24T00:00:00Z a, 150000-01-01T00:00:00Z b, 150001-01-01T00:00:00Z a}'::align.lead, 'a', '294276-01-01 00:00+00');
SELECT stage_at('{-4713-11-24T00:00:00Z a, 294276-12-31T23:59:59.999999Z b}', at) FROM unnest('{4714-11-24 00:00+00 BC, 294276-12-31 23:59:59.999998+00, 294276-12-31 23:59:59.999999+00}'::timestamptz[]) AS at;

-- A thousand random journeys of some twenty entries, many of them simultaneous.
-- The generator: x -> (69069 x + 1) mod 2^32, seed 20260302.
CREATE TEMP TABLE journey AS
WITH RECURSIVE random (i, x) AS (
	SELECT 1, 20260302::bigint UNION ALL SELECT i + 1, (x * 69069 + 1) % 4294967296 FROM random WHERE i < 20000)
SELECT (x / 65536 % 1000)::int AS id,
	timestamptz '2026-01-01' + x / 4096 % 60 * interval '7 hours 1 second' AS at,
	CASE WHEN x / 32768 % 7 > 0 THEN (ARRAY['a', 'b', 'B', 'ab', 'é', ''])[x / 32768 % 7] END AS stage,
	CASE WHEN i % 3 = 0 THEN 'team' || x / 1024 % 2 END AS team,
	CASE WHEN i % 5 = 0 THEN 'reason' || x / 2048 % 3 END AS reason,
	CASE WHEN x / 32768 % 7 = 0 OR i % 4 = 0 THEN 'campaign' || x / 8192 % 3 END AS campaign,
	CASE WHEN i % 4 = 0 THEN (x / 65536 % 70)::numeric / 10 END AS amount
FROM random;
CREATE TEMP TABLE lead AS
SELECT id, lead_agg(at, stage, team, reason, campaign, amount) AS lead FROM journey GROUP BY id;
CREATE TEMP TABLE probe AS
SELECT lead.*, p AS at FROM lead, unnest('{2025-12-31, 2026-01-01, 2026-01-03 12:00:10, 2026-01-05 15:00:15, 2026-01-10, 2026-03-01}'::timestamptz[]) AS p;

-- The oracle: entries in their order, visits to stages, moves between them.
CREATE TEMP TABLE entry AS
SELECT *, row_number() OVER (PARTITION BY id ORDER BY at, stage COLLATE "C" NULLS FIRST, team COLLATE "C" NULLS FIRST,
	reason COLLATE "C" NULLS FIRST, campaign COLLATE "C" NULLS FIRST, trim_scale(amount)::text COLLATE "C" NULLS FIRST) AS entry
FROM journey;
CREATE TEMP TABLE visit AS
SELECT id, entry, stage, at, lag(stage) OVER w AS from_stage, lag(at) OVER w AS from_at, lead(at) OVER w AS left_at, team, reason, row_number() OVER w - 1 AS transition
FROM (SELECT *, lag(stage) OVER (PARTITION BY id ORDER BY entry) AS before FROM entry WHERE stage IS NOT NULL) e
WHERE before IS DISTINCT FROM stage WINDOW w AS (PARTITION BY id ORDER BY entry);
CREATE INDEX ON entry (id);
CREATE INDEX ON visit (id);
ANALYZE entry; ANALYZE visit;
SELECT count(DISTINCT id) > 500 AS many_leads, count(*) FILTER (WHERE at = from_at) > 1000 AS many_ties FROM visit;

SELECT count(*) AS entries_wrong
FROM (SELECT id, e.* FROM lead, entries(lead) AS e) h
FULL JOIN entry w ON (w.id, w.entry) = (h.id, h.entry)
WHERE (h.at, h.stage, h.team, h.reason, h.campaign, h.amount) IS DISTINCT FROM (w.at, w.stage, w.team, w.reason, w.campaign, w.amount) OR h.ordinal IS NOT NULL OR h.version IS NOT NULL;

SELECT count(*) AS touches_wrong
FROM (SELECT id, t.* FROM lead, touches(lead) AS t) h
FULL JOIN (SELECT *, row_number() OVER (PARTITION BY id ORDER BY entry) AS touch FROM entry WHERE stage IS NULL) w ON (w.id, w.touch) = (h.id, h.touch)
WHERE (h.at, h.campaign, h.amount) IS DISTINCT FROM (w.at, w.campaign, w.amount);

SELECT count(*) AS transitions_wrong
FROM (SELECT id, t.* FROM lead, transitions(lead) AS t) h
FULL JOIN (SELECT * FROM visit WHERE from_stage IS NOT NULL) w ON (w.id, w.transition) = (h.id, h.transition)
WHERE (h.from_stage, h.stage, h.from_at, h.at, h.duration, h.team, h.reason) IS DISTINCT FROM (w.from_stage, w.stage, w.from_at, w.at, w.at - w.from_at, w.team, w.reason);

SELECT count(*) FILTER (WHERE current_stage(lead) IS DISTINCT FROM w.stage) AS current_stage_wrong,
	count(*) FILTER (WHERE since(lead) IS DISTINCT FROM w.at) AS since_wrong,
	count(*) FILTER (WHERE path(lead) <> w.path) AS path_wrong
FROM lead, LATERAL (SELECT (array_agg(stage ORDER BY entry DESC))[1] AS stage, (array_agg(at ORDER BY entry DESC))[1] AS at,
	coalesce(array_agg(stage ORDER BY entry), '{}') AS path FROM visit WHERE visit.id = lead.id) AS w;

SELECT count(*) FILTER (WHERE stage_at(lead, at) IS DISTINCT FROM (SELECT stage FROM visit v WHERE v.id = probe.id AND v.at <= probe.at ORDER BY entry DESC LIMIT 1)) AS stage_at_wrong FROM probe;

SELECT count(*) AS answers,
	count(*) FILTER (WHERE reached(lead, s) <> EXISTS (SELECT FROM visit v WHERE v.id = probe.id AND v.stage = s)) AS reached_wrong,
	count(*) FILTER (WHERE align.time_in(lead, s, at) IS DISTINCT FROM coalesce((SELECT sum(least(left_at, probe.at) - v.at) FROM visit v WHERE v.id = probe.id AND v.stage = s AND v.at <= probe.at), '0')) AS time_in_wrong,
	count(*) FILTER (WHERE extract(day FROM align.time_in(lead, s, at)) <> 0) AS time_in_days
FROM probe, unnest('{a, b, B, ab, é, "", c, team0}'::text[]) AS s;

SELECT count(*) AS answers,
	count(*) FILTER (WHERE time_between(lead, s, t) IS DISTINCT FROM (
		SELECT min(b.at) - a.at FROM (SELECT min(at) AS at FROM entry WHERE entry.id = lead.id AND stage = s) a, entry b
		WHERE b.id = lead.id AND b.stage = t AND b.at >= a.at GROUP BY a.at)) AS time_between_wrong
FROM lead, unnest('{a, b, B, ab, é, "", c}'::text[]) AS s, unnest('{a, b, B, ab, é, "", c}'::text[]) AS t;

-- The parts of a journey add up to the whole.
SELECT count(*) AS wrong FROM probe
WHERE at > (SELECT min(v.at) FROM visit v WHERE v.id = probe.id)
	AND (SELECT sum(align.time_in(lead, s, at)) FROM (SELECT DISTINCT unnest(path(lead)) AS s) p) <> at - (SELECT min(v.at) FROM visit v WHERE v.id = probe.id);

-- Both other forms hold all of it.
SELECT count(*) AS wrong FROM lead WHERE lead::text::align.lead <> lead OR lead::jsonb::align.lead <> lead;
SELECT count(*) AS wrong FROM lead WHERE lead <> (SELECT lead_agg(at, stage, team, reason, campaign, amount ORDER BY entry DESC) FROM entries(lead));
