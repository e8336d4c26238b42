-- infer_agg: process discovery
\set VERBOSITY default
\pset format unaligned
\pset tuples_only on
SET TimeZone = 'UTC';
SET client_min_messages = warning;

-- A journey from stage names: one entry a day.
CREATE FUNCTION journey(VARIADIC stages text[]) RETURNS align.lead LANGUAGE sql AS
	$$SELECT align.lead_agg(timestamptz '2026-03-01 09:00+00' + (no - 1) * interval '1 day', stage) FROM unnest(stages) WITH ORDINALITY AS s(stage, no)$$;

CREATE TABLE observed (no int, journey align.lead);
INSERT INTO observed
SELECT no, CASE
	WHEN no <= 500 THEN journey('inquiry', 'mql', 'sal', 'opportunity', 'customer')
	WHEN no <= 700 THEN journey('inquiry', 'mql', 'nurture', 'mql', 'disqualified')
	WHEN no <= 850 THEN journey('mql', 'sal', 'disqualified')
	WHEN no <= 950 THEN journey('inquiry')
	WHEN no <= 997 THEN journey('inquiry', 'mql', 'mql', 'sal', 'sal')
	ELSE journey('inquiry', 'customer', 'refund')
END
FROM generate_series(1, 1000) AS no;

-- The draft, rare moves as comments with their counts.
SELECT align.infer_agg(journey, '{customer}', '{disqualified}', 0.01) FROM observed;
-- It is an agreement.
SELECT (align.infer_agg(journey, '{customer}', '{disqualified}', 0.01))::align.funnel FROM observed;
-- Nothing is rare: every move is kept, and so every journey fits.
SELECT align.infer_agg(journey, '{customer}', '{disqualified}', 0) FROM observed;
SELECT count(*), count(*) FILTER (WHERE align.fits(journey, draft::align.funnel))
FROM observed, (SELECT align.infer_agg(journey, '{customer}', '{disqualified}', 0) AS draft FROM observed) d;
-- Nobody says what winning is: a guess, said to be one.
SELECT align.infer_agg(journey, NULL, NULL, NULL) FROM observed;
-- NULL min_share is 0.01, empty arrays are none.
SELECT align.infer_agg(journey, NULL, NULL, NULL) = align.infer_agg(journey, '{}', '{}', 0.01) FROM observed;
-- Everything is rare, and nobody has won yet.
SELECT align.infer_agg(journey, '{champion}', '{gone}', 1) FROM observed;
-- The only way to win is rare: it is kept all the same.
SELECT align.infer_agg(journey, '{refund}', '{disqualified}', 0.5) FROM observed;

-- Small journeys.
SELECT align.infer_agg(journey('new'), NULL, NULL, NULL);
SELECT align.infer_agg(journey('won'), '{won}', NULL, NULL);
SELECT align.infer_agg(journey('won'), NULL, '{won}', 0);
-- Nothing that an agreement could name: all is assumed.
SELECT align.infer_agg('{2026-03-01T09:00:00Z ""}'::align.lead, NULL, NULL, 0);
SELECT align.infer_agg(journey('a', 'b', 'a', 'b', 'a'), NULL, NULL, 0);
SELECT align.infer_agg(journey('customer', 'renewal', 'customer'), '{customer}', NULL, 0);
-- Touches are no stages, and what is none is no row.
SELECT align.infer_agg(j, NULL, NULL, 0)
FROM (VALUES (NULL::align.lead), ('{2026-03-01T00:00:00Z ~ "utm_source=x"}'), ('{2026-03-01T00:00:00Z ~ "utm_source=x", 2026-03-02T00:00:00Z a, 2026-03-03T00:00:00Z ~ y, 2026-03-04T00:00:00Z b}')) AS v(j);
SELECT align.infer_agg(j, NULL, NULL, 0) IS NULL FROM (VALUES (NULL::align.lead), ('{2026-03-01T00:00:00Z ~ "utm_source=x"}')) AS v(j);
SELECT align.infer_agg(journey, NULL, NULL, 0) IS NULL FROM observed WHERE false;
SELECT align.infer_agg(journey, '{a}', '{a}', 7) IS NULL FROM observed WHERE false;

-- Names may hold anything; comments stay on their line.
SELECT align.infer_agg(j, NULL, NULL, 0.5)
FROM (VALUES (journey('any', E'two\nlines', 'say "hi"', '-- done')), (journey('any', E'two\nlines', 'say "hi"', '-- done')),
	(journey('any', E'stage x;\nwon y', repeat('long ', 30), E'a;\n drop', E'tab\there'))) AS v(j);

-- Bad arguments.
SELECT align.infer_agg(journey, '{customer}', '{lost,customer}', 0.01) FROM observed;
SELECT align.infer_agg(journey, '{customer,NULL}', NULL, 0.01) FROM observed;
SELECT align.infer_agg(journey, NULL, '{{a},{b}}', 0.01) FROM observed;
SELECT align.infer_agg(journey, '{""}', NULL, 0.01) FROM observed;
SELECT align.infer_agg(journey, NULL, NULL, 'NaN') FROM observed;
SELECT align.infer_agg(journey, NULL, NULL, -0.01) FROM observed;
SELECT align.infer_agg(journey, NULL, NULL, 1.01) FROM observed;
SELECT align.infer_agg(journey, NULL, NULL, no) FROM observed WHERE no < 3;
SELECT align.infer_agg(journey, CASE WHEN no = 1 THEN '{a}'::text[] END, NULL, 0) FROM observed WHERE no < 3;

-- The same text whatever the order, the plan and the workers.
CREATE TABLE drafts (how text, draft text);
INSERT INTO drafts SELECT 'as stored', align.infer_agg(journey, '{customer}', NULL, 0.01) FROM observed;
INSERT INTO drafts SELECT 'backwards', align.infer_agg(journey, '{customer}', NULL, 0.01 ORDER BY no DESC) FROM observed;
INSERT INTO drafts SELECT 'shuffled', align.infer_agg(journey, '{customer}', NULL, 0.01 ORDER BY hashint4(no)) FROM observed;
INSERT INTO drafts SELECT 'window', align.infer_agg(journey, '{customer}', NULL, 0.01) OVER () FROM observed LIMIT 1;
BEGIN;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 4;
ALTER TABLE observed SET (parallel_workers = 4);
EXPLAIN (COSTS OFF) SELECT align.infer_agg(journey, '{customer}', NULL, 0.01) FROM observed;
CREATE TABLE parallel_draft AS SELECT align.infer_agg(journey, '{customer}', NULL, 0.01) AS draft FROM observed;
COMMIT;
INSERT INTO drafts SELECT 'parallel', draft FROM parallel_draft;
CREATE TABLE parts (no int, journey align.lead) PARTITION BY HASH (no);
CREATE TABLE parts_0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parts SELECT * FROM observed;
SET enable_partitionwise_aggregate = on;
INSERT INTO drafts SELECT 'partitionwise', align.infer_agg(journey, '{customer}', NULL, 0.01) FROM parts;
SELECT count(*), count(DISTINCT draft) FROM drafts;

-- Running totals: the final function leaves the state alone.
SELECT no, length(align.infer_agg(journey, '{customer}', NULL, 0.01) OVER (ORDER BY no)) > 0 FROM observed ORDER BY no LIMIT 3;
