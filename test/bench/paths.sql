-- Data-driven credit: paths aggregated, and both models computed of them.
SELECT greatest((1000000 * :scale)::int, 1000) AS paths, greatest((10000 * :scale)::int, 100) AS few \gset

-- Twelve channels, up to eight touches.
CREATE UNLOGGED TABLE bench.path AS
SELECT i, ARRAY(SELECT 'channel ' || ((h >> (j * 4)) & 63) * 12 / 64 FROM generate_series(0, (h & 7)::int) AS j) AS path, h % 10 = 0 AS converted, (h % 100000) / 100.0 AS value
FROM (SELECT i, hashint8extended(i, 0) & 9223372036854775807 AS h FROM generate_series(1, :paths) AS i) AS s;
ANALYZE bench.path;
CREATE TABLE bench.paths AS SELECT align.paths_agg(path, converted, value) AS few FROM bench.path WHERE i <= :few;

\set ours 'SELECT align.paths_agg(path, converted, value) IS NULL FROM bench.path'
\set rows_alone 'SELECT count(path) FROM bench.path'
\set by_hand 'SELECT count(*) FROM (SELECT path, count(*) FILTER (WHERE converted), sum(value) FILTER (WHERE converted), count(*) FILTER (WHERE NOT converted) FROM bench.path GROUP BY path) AS s'
CALL bench.measure('paths_agg', :runs, 'ours', :'ours', 'rows alone', :'rows_alone', 'by hand', :'by_hand');
INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
SELECT 'paths_agg of ' || :paths || ' paths', bench.show('paths_agg', 'ours'), 'GROUP BY path: ' || bench.show('paths_agg', 'by hand'),
	round((bench.median('paths_agg', 'ours') / bench.median('paths_agg', 'by hand'))::numeric, 2) || ' x the time', '<= ' || bench.show_ms(2000 * :scale), bench.median('paths_agg', 'ours') <= greatest(2000 * :scale, 10);

\set markov 'SELECT sum(conversions) FROM bench.paths, align.markov(few)'
\set markov_3 'SELECT sum(conversions) FROM bench.paths, align.markov(few, 3)'
\set shapley 'SELECT sum(conversions) FROM bench.paths, align.shapley(few)'
CALL bench.measure('markov', :runs, 'order 1', :'markov', 'order 3', :'markov_3', 'shapley', :'shapley');
INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
SELECT 'markov of ' || :few || ' paths, 12 channels', bench.show('markov', 'order 1'), 'order 3: ' || bench.show('markov', 'order 3') || ', shapley: ' || bench.show('markov', 'shapley'),
	round((bench.median('markov', 'order 3') / bench.median('markov', 'order 1'))::numeric, 1) || ' x', '<= 50 ms', bench.median('markov', 'order 1') <= 50;
