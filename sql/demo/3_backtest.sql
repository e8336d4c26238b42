-- 3_backtest.sql   what the agreement would have refused or missed.
\pset footer off
\pset linestyle unicode
\echo '------------------------------------------------------------------------------'
\echo ' (c) Had it been in force all along: a backtest'
\echo '------------------------------------------------------------------------------'
\echo 'Every entry of the history judged by the rules that a trigger would enforce. What'
\echo 'is listed here is what people would have been stopped from doing, or service'
\echo 'levels that were missed; the examples are leads to look up. No line: nothing at all.'
\echo

SELECT rule, from_stage AS "from", coalesce(stage, '(not yet)') AS "to", leads, entries,
	   to_char(100 * share, 'FM990.00') || ' %' AS share, array_to_string(examples[1:3], ', ') AS examples
FROM demo.signed,
	 align.backtest('SELECT lead, at, stage, team, reason FROM demo.event WHERE stage IS NOT NULL', agreement)
ORDER BY entries DESC, rule, 2, 3
LIMIT 20;

SELECT count(*) AS leads,
	   count(*) FILTER (WHERE align.fits(journey, agreement)) AS "fit the agreement",
	   to_char(100 * avg(align.fitness(journey, agreement)), 'FM990.0') || ' %' AS "legal moves"
FROM demo.journey, demo.signed;
