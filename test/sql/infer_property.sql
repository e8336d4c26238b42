-- infer_agg: any journeys whatever give an agreement
\pset format unaligned
\pset tuples_only on
SET TimeZone = 'UTC';
SET client_min_messages = warning;

-- Names that would break a careless writer.
CREATE TABLE hostile (no int GENERATED ALWAYS AS IDENTITY (START 0 MINVALUE 0), name text);
INSERT INTO hostile (name) VALUES
	('mql'), ('Mql'), ('any'), ('won'), ('lost'), ('stage'), ('path'), ('success'), ('entry'), ('needs'), ('held'), ('by'), ('known'), ('a -> b'), ('a, b'),
	(';'), ('--'), ('-- x'), ('"'), ('""'), ('''' ), (E'line\nbreak'), (E'\r'), (E'\t'), (' '), ('  x '), ('É'), ('営業'), ('-'), ('1st'), ('a-b'), ('a--b'), ('a->b'),
	('won_2'), ('lead'), ('{'), ('}'), ('%'), ('\'), (repeat('x', 63)), (repeat('"', 200)), (repeat('長', 700));

-- Random populations: a few leads, stages and lengths, in turn wild and narrow.
-- The minimal standard generator (Park and Miller), seeded by the population.
CREATE TABLE population (seed int, lead int, journey align.lead);
DO $$
DECLARE
	state bigint;
	stages int;
	first_name int;
	names text[];
BEGIN
	FOR seed IN 1 .. 200 LOOP
		state := seed * 7919 * 48271::bigint % 2147483647;
		stages := 1 + state % CASE seed % 3 WHEN 0 THEN 3 WHEN 1 THEN 8 ELSE 40 END;
		state := state * 48271 % 2147483647;
		first_name := state % 42;
		FOR lead IN 1 .. 1 + seed % 13 LOOP
			names := '{}';
			state := state * 48271 % 2147483647;
			FOR step IN 0 .. state % CASE seed % 4 WHEN 0 THEN 1 ELSE 12 END LOOP
				state := state * 48271 % 2147483647;
				names := names || (SELECT name FROM hostile WHERE no = (first_name + state % stages) % 42);
			END LOOP;
			INSERT INTO population
			SELECT seed, lead, align.lead_agg(timestamptz '2026-01-01 00:00+00' + no * interval '1 hour', name)
			FROM unnest(names) WITH ORDINALITY AS n(name, no);
		END LOOP;
	END LOOP;
END
$$;
CREATE INDEX ON population (seed);

-- Directly-follows moves by plain SQL over the entries.
CREATE TABLE observed_move AS
SELECT DISTINCT seed, before AS from_stage, stage
FROM (SELECT seed, e.stage, lag(e.stage) OVER (PARTITION BY seed, lead ORDER BY e.entry) AS before
	FROM population, align.entries(journey) e) m
WHERE before <> stage;
CREATE INDEX ON observed_move (seed);
SELECT count(DISTINCT seed), count(*) FROM population;

CREATE TABLE outcome (seed int, min_share float8, won text[], lost text[], draft text, parsed boolean, fits boolean, exact boolean, problem text);

DO $$
DECLARE
	a_draft text;
	agreed align.funnel;
	won text[];
	lost text[];
	given text;
BEGIN
	FOR a_seed IN 1 .. 200 LOOP
		FOREACH given IN ARRAY ARRAY['none', 'won', 'both'] LOOP
			SELECT CASE WHEN given <> 'none' THEN ARRAY[h.name] END INTO won FROM hostile h WHERE no = a_seed % 42;
			SELECT CASE WHEN given = 'both' THEN array_agg(h.name) END INTO lost FROM hostile h WHERE no IN ((a_seed + 1) % 42, (a_seed + 5) % 42);
			FOR part IN 0 .. 2 LOOP
				BEGIN
					SELECT align.infer_agg(journey, won, lost, (ARRAY[0, 0.2, 1])[part + 1]) INTO a_draft FROM population WHERE seed = a_seed;
					agreed := a_draft::align.funnel;
					INSERT INTO outcome SELECT a_seed, (ARRAY[0, 0.2, 1])[part + 1], won, lost, a_draft, true,
						(SELECT bool_and(align.fits(journey, agreed)) FROM population WHERE seed = a_seed),
						part > 0 OR NOT EXISTS ((SELECT from_stage, stage FROM align.moves(agreed) WHERE NOT is_success)
							EXCEPT SELECT from_stage, stage FROM observed_move WHERE seed = a_seed) AND NOT EXISTS (SELECT from_stage, stage FROM observed_move WHERE seed = a_seed
							EXCEPT SELECT from_stage, stage FROM align.moves(agreed));
				EXCEPTION WHEN OTHERS THEN
					INSERT INTO outcome VALUES (a_seed, (ARRAY[0, 0.2, 1])[part + 1], won, lost, a_draft, false, NULL, NULL, SQLERRM);
				END;
			END LOOP;
		END LOOP;
	END LOOP;
END
$$;

-- Every draft parses.
SELECT count(*), count(*) FILTER (WHERE parsed) AS parsed FROM outcome;
SELECT seed, min_share, problem, draft FROM outcome WHERE NOT parsed ORDER BY 1, 2 LIMIT 3;
-- With min_share 0 every journey fits, and no move is allowed that was not made (the success path may assume one).
SELECT count(*), count(*) FILTER (WHERE fits) AS fit, count(*) FILTER (WHERE exact) AS exact FROM outcome WHERE min_share = 0;
SELECT seed, won, lost, draft FROM outcome WHERE min_share = 0 AND parsed AND NOT (fits AND exact) ORDER BY seed LIMIT 2;

-- Beyond the limits: more stages, and longer names, than an agreement may hold.
SELECT (align.infer_agg(j, NULL, NULL, 0))::align.funnel IS NOT NULL, max(n)
FROM (SELECT i AS n, align.lead_agg(timestamptz '2026-01-01 00:00+00' + k * interval '1 day', 'stage ' || (i * 7 + k)) AS j
	FROM generate_series(1, 1000) i, generate_series(1, 5) k GROUP BY i) s;
SELECT (align.infer_agg(j, ARRAY['stage 350'], NULL, 0))::align.funnel IS NOT NULL
FROM (SELECT align.lead_agg(timestamptz '2026-01-01 00:00+00' + k * interval '1 day', 'stage ' || k) AS j FROM generate_series(1, 350) k) s;
SELECT (align.infer_agg(j, NULL, NULL, 0))::align.funnel IS NOT NULL
FROM (SELECT align.lead_agg(timestamptz '2026-01-01 00:00+00' + k * interval '1 day', repeat('"', 8000) || (hashint4(i * 50 + k) % 60)) AS j
	FROM generate_series(1, 200) i, generate_series(1, 20) k GROUP BY i) s;
SELECT (align.infer_agg(j, NULL, NULL, 0))::align.funnel
FROM (SELECT align.lead_agg(timestamptz '2026-01-01 00:00+00' + k * interval '1 day', CASE WHEN k = 2 THEN repeat('x', 100000) ELSE 'stage ' || k END) AS j FROM generate_series(1, 3) k) s;
SELECT (align.infer_agg(j, NULL, NULL, 0))::align.funnel
FROM (SELECT align.lead_agg(timestamptz '2026-01-01 00:00+00', repeat('x', 500000)) AS j) s;
