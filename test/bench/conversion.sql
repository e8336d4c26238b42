-- The funnel over stored leads, beside the same funnel over the raw events.
SELECT count(*) AS leads, round(count(*) * 0.7 / 1000, 1) AS aim_ms FROM bench.journey \gset

\set ours 'SELECT align.conversion_agg(journey, ARRAY[''inquiry'', ''mql'', ''sal'', ''sql'', ''opportunity'', ''customer''], NULL, ''ordered'', timestamptz ''2030-01-01 00:00+00'') FROM bench.journey'
\set rows_alone 'SELECT count(*) FROM bench.journey'
\set build 'SELECT count(j) FROM (SELECT align.lead_agg(at, stage) AS j FROM bench.event GROUP BY lead) s'

-- By hand: for every step its earliest time after the step before.
CREATE VIEW bench.funnel_by_hand AS
WITH inquiry AS (
	SELECT lead, min(at) AS at FROM bench.event WHERE stage = 'inquiry' GROUP BY lead
), mql AS (
	SELECT lead, min(e.at) AS at FROM inquiry p JOIN bench.event e USING (lead) WHERE e.stage = 'mql' AND e.at >= p.at GROUP BY lead
), sal AS (
	SELECT lead, min(e.at) AS at FROM mql p JOIN bench.event e USING (lead) WHERE e.stage = 'sal' AND e.at >= p.at GROUP BY lead
), sql AS (
	SELECT lead, min(e.at) AS at FROM sal p JOIN bench.event e USING (lead) WHERE e.stage = 'sql' AND e.at >= p.at GROUP BY lead
), opportunity AS (
	SELECT lead, min(e.at) AS at FROM sql p JOIN bench.event e USING (lead) WHERE e.stage = 'opportunity' AND e.at >= p.at GROUP BY lead
), customer AS (
	SELECT lead, min(e.at) AS at FROM opportunity p JOIN bench.event e USING (lead) WHERE e.stage = 'customer' AND e.at >= p.at GROUP BY lead
)
SELECT ARRAY[(SELECT count(*) FROM inquiry), (SELECT count(*) FROM mql), (SELECT count(*) FROM sal),
	(SELECT count(*) FROM sql), (SELECT count(*) FROM opportunity), (SELECT count(*) FROM customer)] AS reached;

-- The same numbers, or the comparison would be of different things.
SELECT (SELECT array_agg(reached ORDER BY step) FROM align.steps((:ours))) = (SELECT reached FROM bench.funnel_by_hand) AS agree \gset
\if :agree
\else
	\warn 'conversion_agg and the hand-written funnel do not agree'
	SELECT 1 / 0;
\endif

CALL bench.measure('conversion_agg', :runs, 'ours', :'ours', 'rows alone', :'rows_alone');
CALL bench.measure('conversion by hand', greatest(1, :runs / 2), 'by hand', 'SELECT reached FROM bench.funnel_by_hand', 'build', :'build');

-- In many groups.  Memory that PostgreSQL would have to add up for each group shows
-- as processor time, so hashing must not spill.
SELECT greatest(:leads / 10, 1) AS groups \gset
SET work_mem = '2GB';
SET enable_sort = off;
\set grouped 'SELECT count(c) FROM (' :ours ' GROUP BY lead % ' :groups ') AS g(c)'
\set counted 'SELECT count(c) FROM (SELECT count(*) FROM bench.journey GROUP BY lead % ' :groups ') AS g(c)'
CALL bench.measure('conversion_agg grouped', :runs, 'ours', :'ours', 'grouped', :'grouped', 'counted', :'counted');
INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
SELECT 'conversion_agg in ' || :groups || ' groups', bench.show('conversion_agg grouped', 'grouped'), 'in one: ' || bench.show('conversion_agg grouped', 'ours'),
	round(ratio::numeric, 2) || ' x the time', '<= 1.5 x', ratio <= 1.5
FROM (SELECT bench.median('conversion_agg grouped', 'grouped') / bench.median('conversion_agg grouped', 'ours') AS ratio) r;
INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
SELECT 'conversion_agg in ' || :groups || ' groups', bench.show('conversion_agg grouped', 'grouped'), 'count(*) in the same: ' || bench.show('conversion_agg grouped', 'counted'),
	round(ratio::numeric, 2) || ' x the time', 'shown', NULL
FROM (SELECT bench.median('conversion_agg grouped', 'grouped') / bench.median('conversion_agg grouped', 'counted') AS ratio) r;
INSERT INTO bench.note (note) VALUES ('conversion_agg in groups: work_mem 2GB, ' || bench.plan_shape(:'grouped'));
RESET work_mem;
RESET enable_sort;

INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
SELECT 'conversion_agg, 6 steps', bench.show('conversion_agg', 'ours'), 'count(*): ' || bench.show('conversion_agg', 'rows alone'),
	round((bench.median('conversion_agg', 'ours') / bench.median('conversion_agg', 'rows alone'))::numeric, 2) || ' x the time',
	'<= ' || bench.show_ms(:aim_ms), bench.median('conversion_agg', 'ours') <= :aim_ms;
INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
SELECT 'conversion_agg, 6 steps', bench.show('conversion_agg', 'ours'), 'hand-written, raw events: ' || bench.show('conversion by hand', 'by hand'),
	round((bench.median('conversion by hand', 'by hand') / bench.median('conversion_agg', 'ours'))::numeric, 1) || ' x', 'shown', NULL;
INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
SELECT 'the same, leads built first', bench.show_ms(bench.median('conversion_agg', 'ours') + bench.median('conversion by hand', 'build')),
	'hand-written, raw events: ' || bench.show('conversion by hand', 'by hand'),
	round((bench.median('conversion by hand', 'by hand') / (bench.median('conversion_agg', 'ours') + bench.median('conversion by hand', 'build')))::numeric, 2) || ' x', 'shown', NULL;
INSERT INTO bench.note (note)
SELECT format('conversion: %s stored leads of 10 entries, %s; building them: %s, %s', :leads, pg_size_pretty(pg_table_size('bench.journey')),
	bench.show('conversion by hand', 'build'), bench.plan_shape(:'build'));
