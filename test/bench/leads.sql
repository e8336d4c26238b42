-- Building leads from raw events, and what they take up.
\set leads 1000000 * :scale
SELECT greatest(round(:leads), 1000)::int AS leads \gset

-- Ten events a lead over two years, whole seconds, in the order of time as they
-- would have come in.  Hashes instead of random(): the same on every machine.
CREATE UNLOGGED TABLE bench.event AS
SELECT lead, at, stage
FROM (SELECT lead,
		timestamptz '2024-01-01 00:00+00' + interval '1 second' * (start % 63072000) + k * interval '1 day'
			+ interval '1 second' * (abs(hashint8extended(lead, k)) % 86400) AS at,
		CASE WHEN abs(hashint8extended(lead, 100 + k)) % 7 = 0 THEN 'nurture'
			ELSE (ARRAY['inquiry', 'mql', 'sal', 'sql', 'opportunity', 'customer'])[1 + least(5, k * (start % 71) / 100)] END AS stage
	FROM (SELECT lead, abs(hashint8extended(lead, 0)) AS start FROM generate_series(1, :leads::bigint) AS lead) l,
		generate_series(0, 9) AS k) e
ORDER BY at;
VACUUM ANALYZE bench.event;

CREATE UNLOGGED TABLE bench.event_by_lead AS SELECT * FROM bench.event ORDER BY lead, at;
CREATE INDEX ON bench.event_by_lead (lead);
VACUUM ANALYZE bench.event_by_lead;

-- Both sides sort and group alike.
SET enable_hashagg = off;
\set ours 'SELECT count(j) FROM (SELECT align.lead_agg(at, stage) AS j FROM bench.event GROUP BY lead) s'
\set arrays 'SELECT count(a), count(b) FROM (SELECT array_agg(at) AS a, array_agg(stage) AS b FROM bench.event GROUP BY lead) s'
\set counts 'SELECT sum(a), sum(b) FROM (SELECT count(at) AS a, count(stage) AS b FROM bench.event GROUP BY lead) s'
CALL bench.measure('lead_agg', :runs, 'ours', :'ours', 'arrays', :'arrays', 'counts', :'counts');
INSERT INTO bench.note (note)
SELECT format('lead_agg: %s events of %s leads, %s; sorting and grouping alone (count(at), count(stage)): %s; table order: ours %s, arrays %s',
	count(*), :leads, pg_size_pretty(pg_table_size('bench.event')), bench.show('lead_agg', 'counts'), bench.plan_shape(:'ours'), bench.plan_shape(:'arrays'))
FROM bench.event;

SET enable_sort = off;
\set ours_sorted 'SELECT count(j) FROM (SELECT align.lead_agg(at, stage) AS j FROM bench.event_by_lead GROUP BY lead) s'
\set arrays_sorted 'SELECT count(a), count(b) FROM (SELECT array_agg(at) AS a, array_agg(stage) AS b FROM bench.event_by_lead GROUP BY lead) s'
\set counts_sorted 'SELECT sum(a), sum(b) FROM (SELECT count(at) AS a, count(stage) AS b FROM bench.event_by_lead GROUP BY lead) s'
CALL bench.measure('lead_agg sorted', :runs, 'ours', :'ours_sorted', 'arrays', :'arrays_sorted', 'counts', :'counts_sorted');
INSERT INTO bench.note (note)
SELECT format('lead_agg, rows in the order of the leads: reading and grouping alone: %s; ours %s, arrays %s',
	bench.show('lead_agg sorted', 'counts'), bench.plan_shape(:'ours_sorted'), bench.plan_shape(:'arrays_sorted'));
RESET enable_sort;
RESET enable_hashagg;

INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
SELECT what, bench.show(m, 'ours'), 'array_agg(at), array_agg(stage): ' || bench.show(m, 'arrays'),
	round((bench.median(m, 'arrays') / bench.median(m, 'ours'))::numeric, 2) || ' x', 'faster', bench.median(m, 'ours') < bench.median(m, 'arrays')
FROM (VALUES ('lead_agg, events in the order of time', 'lead_agg'), ('lead_agg, events in the order of leads', 'lead_agg sorted')) AS v(what, m);

-- What is stored.  Both forms in a table, as pg_column_size sees them there.
CREATE UNLOGGED TABLE bench.journey AS
SELECT lead, align.lead_agg(at, stage) AS journey FROM bench.event_by_lead GROUP BY lead;
VACUUM ANALYZE bench.journey;

CREATE UNLOGGED TABLE bench.stored AS
SELECT 'whole seconds' AS precision, align.lead_agg(at, stage) AS journey, array_agg(at) AS ats, array_agg(stage) AS stages
FROM bench.event_by_lead WHERE lead <= :leads / 10 GROUP BY lead
UNION ALL
SELECT 'microseconds', align.lead_agg(at, stage), array_agg(at), array_agg(stage)
FROM (SELECT lead, at + interval '1 microsecond' * (abs(hashint8extended(lead, extract(epoch FROM at)::bigint)) % 1000000) AS at, stage
	FROM bench.event_by_lead WHERE lead <= :leads / 10) e GROUP BY lead;

INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
SELECT 'stored lead, ' || precision, ours || ' bytes', 'the two arrays: ' || arrays || ' bytes', ratio || ' x', '<= ' || aim || ' x', ratio <= aim
FROM (SELECT precision, round(avg(pg_column_size(journey)), 1) AS ours,
		round(avg(pg_column_size(ats) + pg_column_size(stages)), 1) AS arrays,
		round(sum(pg_column_size(journey))::numeric / sum(pg_column_size(ats) + pg_column_size(stages)), 3) AS ratio,
		CASE precision WHEN 'whole seconds' THEN 0.4 ELSE 0.6 END AS aim
	FROM bench.stored GROUP BY precision) s
ORDER BY precision DESC;

INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
SELECT 'bytes an entry, ' || precision, per_entry || ' bytes', 'beyond the dictionary', '', '<= 8 bytes', per_entry <= 8
FROM (SELECT precision,
		-- a dictionary string is its length and its bytes
		round(sum(pg_column_size(journey) - (SELECT sum(1 + length(stage)) FROM (SELECT DISTINCT unnest(stages) AS stage) d))::numeric
			/ sum(cardinality(ats)), 2) AS per_entry
	FROM bench.stored GROUP BY precision) s
ORDER BY precision DESC;
INSERT INTO bench.note (note)
SELECT format('stored bytes: %s leads of 10 entries each, pg_column_size in the table', count(*) / 2) FROM bench.stored;
