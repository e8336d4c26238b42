-- 1_inferred.sql   the agreement that the data already follows.
\pset footer off
\pset linestyle unicode
\pset border 1

\echo '------------------------------------------------------------------------------'
\echo ' (a) The agreement that the data already follows'
\echo '------------------------------------------------------------------------------'
SELECT count(*) AS leads, sum(cardinality(align.path(journey))) AS "stages entered",
	   (SELECT count(*) FROM demo.event WHERE stage IS NULL) AS touches,
	   (SELECT min(at)::date FROM demo.event WHERE stage IS NOT NULL) AS "from",
	   (SELECT max(at)::date FROM demo.event WHERE stage IS NOT NULL) AS "to",
	   (SELECT coalesce(nullif(array_to_string(won, ', '), ''), '(guessed below)') FROM demo.ending) AS "won means",
	   (SELECT coalesce(nullif(array_to_string(lost, ', '), ''), '(nothing)') FROM demo.ending) AS "lost means"
FROM demo.journey;

\echo 'Nobody has written anything down yet, but the history shows what people do. This'
\echo 'draft keeps every move that at least 1 % of the leads in a position to make it'
\echo 'made; rarer ones are comments, with their counts.'
\echo

CREATE TABLE demo.inferred AS
SELECT align.infer_agg(journey, won, lost, 0.01) AS draft
FROM demo.journey, demo.ending;

\pset tuples_only on
\pset format unaligned
SELECT draft FROM demo.inferred;
\pset format aligned
\pset tuples_only off
\echo
