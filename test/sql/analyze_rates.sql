-- wilson() and compare_rates(): published numbers, edges, errors.
SET search_path = public, align;
\pset null '-'

-- Wilson at 95 percent, recomputed with R.
SELECT s, n, round(rate::numeric, 6) AS rate, round(lower::numeric, 6) AS lower, round(upper::numeric, 6) AS upper
FROM (VALUES (0, 10), (10, 10), (1, 10), (5, 10), (0, 25), (50, 100)) AS v (s, n), wilson(s, n);
SELECT confidence, round(lower::numeric, 6) AS lower, round(upper::numeric, 6) AS upper FROM unnest('{0.5, 0.8, 0.9, 0.99, 0.999999}'::float8[]) AS confidence, wilson(5, 10, confidence);
-- Newcombe 1998, table II, method 10.
SELECT format('%s/%s - %s/%s', s1, n1, s2, n2) AS rates, round(difference::numeric, 4) AS difference, round(lower::numeric, 4) AS lower, round(upper::numeric, 4) AS upper
FROM (VALUES (56, 70, 48, 80), (9, 10, 3, 10), (6, 7, 2, 7), (5, 56, 0, 29), (0, 10, 0, 20), (0, 10, 0, 10), (10, 10, 0, 20), (10, 10, 0, 10)) AS v (s1, n1, s2, n2), compare_rates(s1, n1, s2, n2);
-- The pooled test.
SELECT round(z::numeric, 6) AS z, round(p::numeric, 6) AS p FROM compare_rates(56, 70, 48, 80);
SELECT round(z::numeric, 6) AS z, round(p::numeric, 12) AS p FROM compare_rates(123000, 10000000, 120000, 10000000);
-- Bounds at other confidences hold each other.
SELECT count(*) FILTER (WHERE lower < before) AS wider, count(*) FROM (
	SELECT lower, lag(lower) OVER (ORDER BY confidence) AS before FROM unnest('{0.5, 0.8, 0.9, 0.95, 0.99}'::float8[]) AS confidence, compare_rates(30, 100, 40, 120, confidence)) s;

-- Without trials, and without variance: never NaN.
SELECT * FROM wilson(0, 0);
SELECT v.*, c.difference, round(c.lower::numeric, 4) AS lower, round(c.upper::numeric, 4) AS upper, c.z, c.p
FROM (VALUES (0, 0, 0, 0), (0, 0, 5, 10), (5, 10, 0, 0), (0, 10, 0, 10), (10, 10, 10, 10), (0, 0, 10, 10)) AS v (s1, n1, s2, n2), compare_rates(s1, n1, s2, n2) AS c;
SELECT rate, lower < rate AND rate < upper AS inside FROM wilson(4611686018427387904, 9223372036854775807);
SELECT difference, round(lower::numeric, 6) AS lower, z, p FROM compare_rates(9223372036854775807, 9223372036854775807, 0, 9223372036854775807);
SELECT z < -1e9 AS far, p FROM compare_rates(1, 9223372036854775807, 9223372036854775806, 9223372036854775807);

-- The same bounds as steps(conversion); swapping the rates turns the signs; bounds hold the difference.
SELECT count(*), count(*) FILTER (WHERE w.lower <> s.lower OR w.upper <> s.upper) AS wrong
FROM (SELECT steps.* FROM steps((SELECT conversion_agg(lead, '{a, b}', NULL, 'ordered', '2030-01-01') FROM (
	SELECT CASE WHEN i % 3 = 0 THEN '{2026-01-01T00:00:00Z a, 2026-01-02T00:00:00Z b}'::align.lead ELSE '{2026-01-01T00:00:00Z a}' END AS lead FROM generate_series(1, 100) AS i) l)) AS steps WHERE step = 2) s, wilson(s.reached, 100) AS w;
SELECT count(*), count(*) FILTER (WHERE a.lower > a.difference OR a.upper < a.difference OR a.lower < -1 OR a.upper > 1 OR a.lower = 'NaN' OR a.upper = 'NaN') AS outside,
	count(*) FILTER (WHERE abs(a.lower + b.upper) > 1e-15 OR abs(a.upper + b.lower) > 1e-15 OR a.z <> -b.z OR a.p <> b.p) AS asymmetric,
	count(*) FILTER (WHERE a.p NOT BETWEEN 0 AND 1) AS no_probability
FROM generate_series(1, 12) AS n1, generate_series(0, n1) AS s1, generate_series(1, 12) AS n2, generate_series(0, n2) AS s2, compare_rates(s1, n1, s2, n2) AS a, compare_rates(s2, n2, s1, n1) AS b;

-- NULL in, NULL out; arguments that make no sense.
SELECT wilson(NULL, 10) IS NULL AS a, wilson(1, NULL) IS NULL AS b, wilson(1, 10, NULL) IS NULL AS c, compare_rates(1, 2, NULL, 2) IS NULL AS d;
SELECT wilson(11, 10);
SELECT wilson(-1, 10);
SELECT wilson(0, -1);
SELECT wilson(1, 10, 95);
SELECT wilson(1, 10, 'NaN');
SELECT wilson(1, 10, 0);
SELECT compare_rates(1, 10, 3, 2);
SELECT compare_rates(1, 10, 1, 2, 1);
