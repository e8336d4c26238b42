-- 9_analysis.sql   what will be won, where the time goes, which channel is missed.
\pset footer off
\pset linestyle unicode
\echo '------------------------------------------------------------------------------'
\echo ' (i) Analysis: what will be won, where the time goes, what would be missed'
\echo '------------------------------------------------------------------------------'
\echo 'What share of the leads is won within a time? Those that are open still count as open,'
\echo 'and lost ones as lost: they can no longer be won. Bounds are at 95 % confidence.'
\echo

CREATE TABLE demo.outcome AS
SELECT lead, journey, level, started_at, won_at, lost_at, coalesce(won_at, lost_at, as_of) AS ended_at
FROM demo.journey
CROSS JOIN demo.signed
CROSS JOIN demo.today
CROSS JOIN LATERAL (
	SELECT level, times[1] AS started_at, CASE WHEN status = 'converted' THEN times[cardinality(times)] END AS won_at,
		   CASE WHEN status = 'dropped' THEN align.since(journey) END AS lost_at
	FROM align.funnel_progress(journey, agreement, as_of)
) p
WHERE started_at IS NOT NULL AND started_at <= coalesce(won_at, lost_at, as_of);

CREATE TABLE demo.incidence AS
SELECT date_trunc('quarter', started_at)::date AS quarter,
	   align.incidence_agg(ended_at - started_at, CASE WHEN won_at IS NOT NULL THEN 'won' WHEN lost_at IS NOT NULL THEN 'lost' END) AS incidence
FROM demo.outcome
GROUP BY 1;

SELECT quarter, sum(cases) AS leads, sum(cases) FILTER (WHERE outcome IS NULL) AS "still open",
	   (SELECT to_char(100 * rate, 'FM990.0') || ' %' FROM align.happened_by(incidence, 'won', '30 days')) AS "won in 30 days",
	   (SELECT to_char(100 * rate, 'FM990.0') || ' %' FROM align.happened_by(incidence, 'won', '90 days')) AS "in 90 days",
	   (SELECT to_char(100 * lower, 'FM990.0') || ' - ' || to_char(100 * upper, 'FM990.0') FROM align.happened_by(incidence, 'won', '90 days')) AS "95 % bounds",
	   (SELECT to_char(100 * rate, 'FM990.0') || ' %' FROM align.happened_by(incidence, 'lost', '90 days')) AS "lost in 90 days"
FROM demo.incidence
CROSS JOIN LATERAL align.outcomes(incidence)
GROUP BY quarter, incidence
ORDER BY quarter;

\echo 'Where does the time go? Stages by the share of all time that leads spent in them, and'
\echo 'where they went from there (nowhere yet: they are still in it).'
\echo
SELECT from_stage AS "in stage", coalesce(stage, '(still there)') AS "until they moved to", visits,
	   to_char(100 * share, 'FM990.0') || ' %' AS "of all time", demo.span(median_time, false) AS "median time",
	   demo.span(p90_time, false) AS "90 % within"
FROM (SELECT align.dfg_agg(journey, NULL, as_of) AS process FROM demo.journey, demo.today) p, demo.signed, align.bottlenecks(process, agreement)
ORDER BY place
LIMIT 6;

SELECT EXISTS (SELECT FROM demo.event WHERE campaign IS NOT NULL) AS has_campaigns
\gset
\if :has_campaigns
\echo 'Which channel would be missed? Markov: the share of what was won that would be lost if'
\echo 'all ways through the channel ended there. Shapley: each win divided equally among the'
\echo 'channels that touched it. Leads that are open still are in neither.'
\echo
SELECT channel, to_char(100 * m.removal_effect, 'FM990.0') || ' %' AS "would be lost",
	   to_char(m.conversions, 'FM999990.0') AS "won, Markov", to_char(s.conversions, 'FM999990.0') AS "won, Shapley"
FROM (
	SELECT align.paths_agg(path, won_at IS NOT NULL, NULL) AS paths
	FROM demo.outcome
	CROSS JOIN LATERAL (SELECT array_agg(t.channel ORDER BY touch) AS path
						FROM demo.signed, align.touches(journey, agreement) t WHERE t.at <= ended_at) t
	WHERE won_at IS NOT NULL OR lost_at IS NOT NULL
) p
CROSS JOIN LATERAL align.markov(paths) m
JOIN LATERAL align.shapley(paths) s USING (channel)
ORDER BY m.conversions DESC, channel;
\endif

\echo 'And straight from the rows, for those who know it from elsewhere: how far each lead got'
\echo 'along the success path within 60 days.'
\echo
SELECT format('SELECT level, count(*) AS leads FROM (SELECT align.window_funnel(''60 days'', ''ordered'', at, %s) AS level FROM demo.event GROUP BY lead) f GROUP BY level ORDER BY level',
			  string_agg(format('stage = %L', stage), ', ' ORDER BY no)) AS query
FROM demo.signed, LATERAL (SELECT name AS stage, step AS no FROM demo.summary, align.steps(conversion)) s
\gset
\echo :query
\echo
:query;
