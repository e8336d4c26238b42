-- 4_funnel.sql   where leads are lost.
\pset footer off
\pset linestyle unicode
\echo '------------------------------------------------------------------------------'
\echo ' (d) The funnel: where leads are lost, and where they are only not there yet'
\echo '------------------------------------------------------------------------------'
\echo 'entered: were seen in the stage. reached: in it or past it. dropped: got this far'
\echo 'and are lost. still open: got this far and may yet go on; they are not losses. The'
\echo 'bounds are Wilson''s, of the rate beside them, at 95 % confidence. Times are from the'
\echo 'step before.'
\echo

CREATE TABLE demo.summary AS
SELECT align.funnel_conversion_agg(journey, agreement, as_of) AS conversion
FROM demo.journey, demo.signed, demo.today;

SELECT name AS stage, entered, reached, dropped, still_open AS "still open",
	   to_char(100 * step_rate, 'FM990.0') || ' %' AS "of the step before",
	   to_char(100 * lower, 'FM990.0') || ' - ' || to_char(100 * upper, 'FM990.0') AS "95 % bounds",
	   to_char(100 * overall_rate, 'FM990.0') || ' %' AS overall,
	   demo.span(median_time, false) AS "median time", demo.span(p90_time, false) AS "90 % within"
FROM demo.summary, align.steps(conversion)
ORDER BY step;

-- The same by where the leads came from.  Summaries merge, so a table of daily
-- ones answers this for any week and channel without reading the leads again.
SELECT EXISTS (SELECT FROM demo.event WHERE campaign IS NOT NULL) AS has_campaigns
\gset
\if :has_campaigns
\echo 'By the campaign of the first touch, from the first stage to the last. Where the'
\echo 'bounds of two campaigns overlap, they may well be equally good.'
\echo
SELECT campaign, first.reached AS leads, last.reached AS won,
	   to_char(100 * last.overall_rate, 'FM990.0') || ' %' AS "win rate",
	   to_char(100 * bounds.lower, 'FM990.0') || ' - ' || to_char(100 * bounds.upper, 'FM990.0') AS "95 % bounds",
	   round(last.amount) AS amount
FROM (
	SELECT t.campaign, align.funnel_conversion_agg(journey, agreement, as_of) AS conversion
	FROM demo.journey
	CROSS JOIN demo.signed
	CROSS JOIN demo.today
	CROSS JOIN LATERAL (SELECT campaign FROM align.touches(journey) LIMIT 1) t
	GROUP BY t.campaign
) c
CROSS JOIN LATERAL (SELECT * FROM align.steps(conversion) ORDER BY step LIMIT 1) first
CROSS JOIN LATERAL (SELECT * FROM align.steps(conversion) ORDER BY step DESC LIMIT 1) last
CROSS JOIN LATERAL align.wilson(last.reached, first.reached) bounds
ORDER BY last.overall_rate DESC, campaign
LIMIT 15;

\echo
\echo 'What each channel is owed of what was won, by three models side by side: all to the'
\echo 'first touch, all to the last one that is not direct, or 40 % to the first and the'
\echo 'last one each. Every model divides the same wins and the same money.'
\echo
WITH credit AS (
	SELECT model, c.channel, c.share, c.amount
	FROM demo.journey
	CROSS JOIN demo.signed
	CROSS JOIN (VALUES ('first'), ('last_non_direct'), ('position')) m (model)
	CROSS JOIN LATERAL align.funnel_credit(journey, agreement, model) c
)
SELECT coalesce(channel, 'all channels') AS channel,
	   to_char(sum(share) FILTER (WHERE model = 'first'), 'FM999990.0') AS "won, first",
	   to_char(sum(share) FILTER (WHERE model = 'last_non_direct'), 'FM999990.0') AS "won, last",
	   to_char(sum(share) FILTER (WHERE model = 'position'), 'FM999990.0') AS "won, 40/20/40",
	   sum(amount) FILTER (WHERE model = 'first') AS "amount, first",
	   sum(amount) FILTER (WHERE model = 'last_non_direct') AS "amount, last",
	   sum(amount) FILTER (WHERE model = 'position') AS "amount, 40/20/40"
FROM credit
GROUP BY GROUPING SETS ((channel), ())
ORDER BY GROUPING(credit.channel), sum(amount) FILTER (WHERE model = 'position') DESC NULLS LAST, channel;
\endif
