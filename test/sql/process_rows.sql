-- What a process answers: rows, bottlenecks, pictures, deviations.
SET search_path = align, public;
SET TimeZone = 'UTC';
SET IntervalStyle = 'postgres';

CREATE TABLE journeys (id int, journey lead);
INSERT INTO journeys VALUES
	(1, '{2026-01-05T09:00:00Z inquiry, 2026-01-06T09:00:00Z mql, 2026-01-08T09:00:00Z sal, 2026-01-12T15:30:00Z customer}'),
	(2, '{2026-01-05T10:00:00Z inquiry, 2026-01-07T10:00:00Z mql, 2026-01-07T10:00:00Z mql by marketing, 2026-01-09T10:00:00Z nurture, 2026-01-20T10:00:00Z mql, 2026-01-21T10:00:00Z lost}'),
	(3, '{2026-01-06T11:00:00Z inquiry, 2026-01-06T12:00:00Z ~ "utm_source=x"}'),
	(4, '{2026-01-07T12:00:00Z inquiry, 2026-01-08T12:00:00Z sal}'),
	(5, '{2026-01-07T13:00:00Z mql, 2026-01-09T13:00:00Z sal, 2026-01-09T13:00:00Z inquiry}'),
	(6, NULL), (7, '{2026-01-07T12:00:00Z ~ "utm_source=x"}');
CREATE FUNCTION agreement() RETURNS funnel LANGUAGE sql IMMUTABLE RETURN
	'stage inquiry, mql, sal, nurture; won customer; lost lost; mql known as ''M''; entry inquiry; success path inquiry -> mql -> sal -> customer; path mql -> nurture -> mql; path any -> lost; lost needs reason;'::funnel;
CREATE TABLE made AS SELECT dfg_agg(journey) AS plain, dfg_agg(journey, 'Mo-Fr 09:00-17:00', '2026-01-31 00:00Z') AS dated FROM journeys;

SELECT d.* FROM made, dfg(plain) d;
SELECT from_stage, stage, mean_working_time, median_working_time, p90_working_time, total_working_seconds FROM made, dfg(dated);
SELECT stage, visits, leads, starts, ends, mean_time, median_time, p90_time, total_seconds, mean_working_time, total_working_seconds FROM made, dfg_stages(dated);
SELECT stage, ends, mean_age, median_age, p90_age, total_age_seconds, mean_working_age, median_working_age, p90_working_age, total_working_age_seconds FROM made, dfg_stages(dated);

-- Bottlenecks: finished visits; with an agreement also the open ones, by any label that it knows.
SELECT place, from_stage, stage, visits, leads, round(share::numeric, 3) AS share, round(cumulative_share::numeric, 3) AS cumulative, round(working_share::numeric, 3) AS working, mean_time, p90_time, total_seconds FROM made, bottlenecks(dated);
SELECT place, from_stage, stage, visits, leads, round(share::numeric, 3) AS share, round(cumulative_share::numeric, 3) AS cumulative, round(working_share::numeric, 3) AS working, median_time, mean_working_time FROM made, bottlenecks(dated, agreement());
SELECT round(sum(share)::numeric, 9) AS shares, max(cumulative_share) AS last, round(sum(working_share)::numeric, 9) AS working FROM made, bottlenecks(dated, agreement());
SELECT from_stage, stage, leads FROM (SELECT dfg_agg(l, NULL, '2026-01-10 00:00Z') AS p FROM (VALUES ('{2026-01-07T13:00:00Z M, 2026-01-08T13:00:00Z customer, 2026-01-09T13:00:00Z M}'::lead), ('{2026-01-07T13:00:00Z lost}'), ('{2026-01-07T13:00:00Z elsewhere}')) v(l)) s, bottlenecks(p, agreement());
SELECT place, from_stage, stage, share, cumulative_share, working_share FROM bottlenecks('{leads 1, stage a leads 1 starts 1, stage b leads 1 ends 1, move a -> b moves 1 leads 1 time 0 least 0 most 0 in (0)}');
SELECT * FROM made, bottlenecks(plain, agreement());
SELECT count(*) FROM bottlenecks(NULL);
SELECT count(*) FROM made, bottlenecks(dated, NULL);

-- Totals that no interval could hold.
SELECT moves, leads, mean_time, total_seconds FROM dfg('{leads 9000000000, stage a leads 9000000000 starts 9000000000, stage b leads 9000000000 ends 9000000000, move a -> b moves 9000000000 leads 9000000000 time 28401624000000000000000000000 least 3155736000000000000 most 3155736000000000000 in (7087*9000000000)}');
SELECT moves, leads, mean_time, total_seconds FROM dfg('{leads 9000000000, stage a leads 9000000000 starts 9000000000, stage b leads 9000000000 ends 9000000000, move a -> b moves 9000000000 leads 9000000000 time 8100000000000000000000000001 least 900000000000000000 most 900000000000000001 in (6855*9000000000)}');

-- Pictures.
SELECT dfg_mermaid(plain) FROM made;
SELECT dfg_dot(dated) FROM made;
SELECT dfg_mermaid(dated, 2) FROM made;
SELECT dfg_dot(plain, min_share => 0.4) FROM made;
SELECT dfg_mermaid(plain, 100) FROM made;
SELECT dfg_dot(plain, 100) FROM made;
-- A share is reached exactly.
SELECT dfg_mermaid(rollup(p), 1, 0.1) = dfg_mermaid(rollup(p), 3) AS exact FROM made, (SELECT plain AS p FROM made CROSS JOIN generate_series(1, 6)) s;
SELECT dfg_mermaid(plain, -1) FROM made;
SELECT dfg_dot(plain, 1, 1.5) FROM made;
SELECT dfg_dot(plain, 1, 'NaN') FROM made;
SELECT dfg_mermaid(NULL) IS NULL AND dfg_mermaid(plain, NULL) IS NULL AND dfg_dot(plain, 1, NULL) IS NULL AS nulls FROM made;

-- Hostile names stay within their labels.
CREATE TABLE hostile AS
SELECT dfg_agg(lead_agg) AS p FROM (SELECT lead_agg(timestamptz '2026-01-01Z' + i * interval '10 second', stage)
	FROM unnest(ARRAY['', 'a"b', 'back\', '\"', E'two\nlines', E'tab\tbell\x07', 'end', '<b>&amp;</b>', '"]; s1 -> s2 [label="x', '"]' || E'\n' || 'click s1 href "javascript:alert(1)"', '1. one', '- list', '`md`', '#35; #quot;', '%% comment', '%%{init: {}}%%',
		'direction TB', 'größe 日本 ✓', '{|}', '\N\G\E', 'style s1 fill:#f00;', '_under_ **bold**', '$$x$$', 'fa:fa-car', 'A::b']) WITH ORDINALITY u(stage, i)) s;
SELECT dfg_mermaid(p) FROM hostile;
SELECT dfg_dot(p) FROM hostile;

-- Durations in pictures.
SELECT d AS microseconds, substring(dfg_dot(format('{leads 1 working 0000000000000000, stage a leads 1 starts 1, stage b leads 1 ends 1, move a -> b moves 1 leads 1 time %1$s least %1$s most %1$s in (%2$s) working %1$s least %1$s most %1$s in (%2$s)}', d,
	CASE WHEN d < 256 THEN d ELSE (floor(log(2, d::numeric + 0.5)) - 7)::bigint * 128 + (d >> (floor(log(2, d::numeric + 0.5)) - 7)::int) END)::process) FROM '-> s2 .label="1.n([^"]*)"') AS text
FROM unnest(ARRAY[0, 1, 999, 1000, 999499, 999500, 999999, 1000000, 59499999, 59500000, 60000000, 3599000000, 3599500000, 3600000000, 86369000000, 86399999999, 86400000000, 90000000000, 172799999999, 8640000000000]::bigint[]) d;

-- The first deviation is the first row of violations.
SELECT id, d.* FROM journeys, first_deviation(journey, agreement()) d ORDER BY id;
SELECT count(*), bool_and(d IS NOT DISTINCT FROM v) AS same
FROM journeys CROSS JOIN LATERAL (SELECT first_deviation(journey, agreement()) AS d) d
	LEFT JOIN LATERAL (SELECT v FROM violations(journey, agreement()) v LIMIT 1) v ON true;
SELECT (first_deviation(journey, agreement())).rule, count(*) AS leads FROM journeys WHERE journey IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1;
SELECT first_deviation(NULL, agreement()) IS NULL AS no_lead, first_deviation('{2026-01-07T13:00:00Z mql}', NULL) IS NULL AS no_agreement;

-- Variants: the paths of the leads of a query.
SELECT place, path, leads, round(share::numeric, 3) AS share, cumulative_share, won, lost, still_open, median_time, p90_time FROM variants('SELECT journey FROM journeys');
SELECT place, path, leads, won, lost, still_open FROM variants('SELECT journey FROM journeys UNION ALL SELECT journey FROM journeys WHERE id = 4 -- twice', agreement());
SELECT path, won, lost, still_open FROM variants($$SELECT '{2026-01-07T13:00:00Z M, 2026-01-08T13:00:00Z customer, 2026-01-09T13:00:00Z M}'::align.lead$$, agreement());
SELECT count(*) FROM variants('SELECT journey FROM journeys WHERE false');
SELECT count(*) FROM variants('SELECT NULL::align.lead UNION ALL SELECT journey FROM journeys WHERE id = 7');
-- Many of them.
SELECT count(*), min(share) = max(share) AS equal, max(cumulative_share), bool_and(path = ARRAY['s' || lpad(place::text, 5, '0')]) AS sorted
FROM variants($$SELECT align.lead_agg(timestamptz '2026-01-01Z', 's' || lpad(i::text, 5, '0')) FROM generate_series(1, 20000) i GROUP BY i$$);
-- No other search path changes what it means.
CREATE FUNCTION public.count() RETURNS int LANGUAGE sql RETURN 1;
CREATE OPERATOR public.- (LEFTARG = timestamptz, RIGHTARG = timestamptz, FUNCTION = timestamptz_mi);
SET search_path = public, pg_catalog, align;
SELECT place, path, leads, lost, median_time FROM variants('SELECT journey FROM journeys', agreement()) WHERE leads > 1 OR lost > 0;
SET search_path = align, public;
DROP OPERATOR public.- (timestamptz, timestamptz);
DROP FUNCTION public.count();
-- Queries that cannot be.
SELECT * FROM variants('SELECT id FROM journeys');
SELECT * FROM variants('SELECT id, journey FROM journeys');
SELECT * FROM variants('DELETE FROM journeys RETURNING journey');
SELECT * FROM variants('SELECT journey FROM journeys; SELECT 1');
SELECT * FROM variants('SELECT journey FROM journeys) AS q (lead); SELECT (1');
SELECT * FROM variants(NULL);
SELECT * FROM variants('SELECT journey FROM journeys', NULL);

DROP TABLE journeys, made, hostile;
DROP FUNCTION agreement();
