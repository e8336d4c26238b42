-- happened_by, curve, quantile, compare_incidence and log_rank: edges, and brute force.
SET search_path = public, align;
SET IntervalStyle = 'postgres';
SET extra_float_digits = 0;

-- Nothing happened yet: 0 without bounds.  After the last time nothing is known, unless
-- all are decided.
SELECT d, h.* FROM unnest('{0,1,2,3,4}'::int[]) d, happened_by('{in days, open (3), outcome lost (1), outcome won (2)}', 'won', d * interval '1 day') h;
SELECT d, h.* FROM unnest('{0,1,2,3}'::int[]) d, happened_by('{in days, outcome lost (1), outcome won (2)}', 'won', d * interval '1 day') h;
-- The last one to be seen was won on day 6, but a hundred were seen until day 5 only.
SELECT d, rate, at_risk FROM unnest('{5,6,7,90}'::int[]) d, happened_by('{in days, open (5*100), outcome won (1*10, 6)}', 'won', d * interval '1 day') h;
-- All have it: 1 without bounds.
SELECT d, h.* FROM unnest('{0,1,2}'::int[]) d, happened_by('{in days, outcome won (1)}', 'won', d * interval '1 day') h;
-- An outcome that no case has, and one that happens at once.
SELECT rate, lower, std_error, at_risk FROM happened_by('{in days, open (3), outcome lost (1)}', 'won', '2 days');
SELECT d, rate, at_risk FROM unnest('{0,1}'::int[]) d, happened_by('{in days, open (3*2), outcome won (0*2)}', 'won', d * interval '1 day');
-- Only late cases: at risk from their entry.
SELECT after, at_risk, events, censored, competing, probability FROM curve('{in days, late (1, 2), open (4), outcome won (3)}', 'won');
-- Late entries at the very time of an event are not at risk at it.
SELECT after, at_risk, probability FROM curve('{in days, late (2*2), open (4*3), outcome won (2)}', 'won');
-- Those at risk may run out before others enter.
SELECT after, at_risk, events, probability, std_error FROM curve('{in days, late (5*2), outcome lost (1), outcome won (2, 6*2)}', 'won');
-- Other confidence, and NULLs.
SELECT round(lower::numeric, 6) AS lower, round(upper::numeric, 6) AS upper FROM happened_by('{in days, open (9*5), outcome won (1*5)}', 'won', '1 day', 0.5);
SELECT happened_by(NULL, 'won', '1 day') AS no_cases, happened_by('{in days, open (1)}', NULL, '1 day') AS no_outcome;
SELECT count(*) FROM curve(NULL, 'won');
SELECT median('{in days, open (5), outcome won (3)}', 'won') AS half, median('{in days, open (5*2), outcome won (3)}', 'won') AS never;
SELECT q, after, lower, upper FROM unnest('{0.1,0.5,0.9,1}'::float8[]) q, quantile('{in hours, outcome won (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)}', 'won', q);
-- a tenth three times is three tenths, whatever the roundings
SELECT after FROM quantile('{in days, open (9*7), outcome won (1, 2, 3)}', 'won', 0.3);

-- What is refused.
SELECT happened_by('{in days, open (1)}', 'won', '-1 day');
SELECT happened_by('{in days, open (1)}', 'won', '1 month');
SELECT happened_by('{in days, open (1)}', 'won', '1 day', 95);
SELECT happened_by('{in days, open (1)}', 'won', '1 day', 0.95, 'loglog');
SELECT * FROM curve('{in days, open (1)}', 'won', 'NaN');
SELECT quantile('{in days, open (1)}', 'won', 0);
SELECT quantile('{in days, open (1)}', 'won', 'NaN');
SELECT compare_incidence('{in days, open (1)}', '{in days, open (1)}', 'won', '-1 day');

-- Two groups at one time: the bounds of the difference are put together as Newcombe's.
SELECT round(c.difference::numeric, 6) AS difference, round(c.lower::numeric, 6) AS lower, round(c.upper::numeric, 6) AS upper, round(c.z::numeric, 6) AS z, round(c.p::numeric, 6) AS p,
	abs(c.difference - (a.rate - b.rate)) + abs(c.lower - (c.difference - sqrt((a.rate - a.lower) ^ 2 + (b.upper - b.rate) ^ 2)))
		+ abs(c.upper - (c.difference + sqrt((a.upper - a.rate) ^ 2 + (b.rate - b.lower) ^ 2))) + abs(c.z - c.difference / sqrt(a.std_error ^ 2 + b.std_error ^ 2)) < 1e-12 AS by_hand
FROM (VALUES ('{in days, open (12, 40*9), outcome lost (8*2, 15*2), outcome won (5*7, 10*3, 20)}'::incidence, '{in days, open (30*9), outcome lost (9*7), outcome won (4, 10*3)}'::incidence)) v(i, j),
	happened_by(i, 'won', '15 days') a, happened_by(j, 'won', '15 days') b, compare_incidence(i, j, 'won', '15 days') c;
SELECT difference, lower, z FROM compare_incidence('{in days, open (3*4)}', '{in days, open (3*2), outcome won (1)}', 'won', '2 days');
SELECT difference FROM compare_incidence('{in days, open (3)}', '{in days, open (1)}', 'won', '2 days');

-- log_rank: one outcome only; a NULL is a group without cases; nothing to compare is no error.
SELECT log_rank('{in days, outcome won (1), outcome lost (2)}', '{in days, outcome won (2)}');
SELECT log_rank('{in days, outcome won (1)}', '{in days, outcome lost (2)}');
SELECT chi2 IS NOT NULL AS tested, df, observed, expected FROM log_rank(NULL, '{in days, open (3), outcome won (1)}', '{in days, outcome won (2)}', NULL);
SELECT * FROM log_rank('{in days, open (3)}', '{in days, open (4)}');
SELECT * FROM log_rank('{in days, open (3), outcome won (1)}');
SELECT * FROM log_rank('{in days, outcome won (1)}', '{in days, outcome won (1)}');
SELECT * FROM log_rank(VARIADIC '{}');
SELECT log_rank(VARIADIC NULL::incidence[]) IS NULL AS of_nothing;
SELECT log_rank(VARIADIC array_fill('{in days, open (1)}'::incidence, '{65}'));
SELECT weighted_log_rank(-1, '{in days, open (1)}');
-- Counts are exact, and those that together do not fit a bigint are an error.
SELECT observed FROM log_rank('{in days, open (10), outcome won (5*9007199254740993)}', '{in days, open (10), outcome won (6*9214364837600034800)}');
SELECT log_rank('{in days, outcome won (5*9223372036854775807)}', '{in days, open (1)}');
SELECT log_rank(VARIADIC ARRAY[['{in days, open (1)}'::incidence]]);
-- two equal groups do not differ, whatever their size; and the order of groups does not matter
SELECT round(chi2::numeric, 9) AS chi2, df, p FROM log_rank('{in days, open (9*3), outcome won (1, 2, 3)}', '{in days, open (9*3), outcome won (1, 2, 3)}', '{in days, open (9*3), outcome won (1, 2, 3)}');
SELECT abs(a.chi2 - b.chi2) < 1e-9 AS same, a.df FROM log_rank('{in days, open (9*3), outcome won (1*4, 2)}', '{in days, outcome won (1, 2*5, 3)}', '{in days, open (4), outcome won (3, 8)}') a,
	log_rank('{in days, open (4), outcome won (3, 8)}', '{in days, open (9*3), outcome won (1*4, 2)}', '{in days, outcome won (1, 2*5, 3)}') b;

-- Brute force: 2,000 small sets of cases full of ties, with late entries and cases that
-- leave at once, in a loop that looks at all cases at every time (seed 11).
CREATE FUNCTION pg_temp.dice(what text, n int) RETURNS int LANGUAGE sql IMMUTABLE
	RETURN ('x' || substr(md5('11/' || what || '/' || n), 1, 7))::bit(28)::int;
CREATE TABLE cases AS
SELECT s, CASE WHEN pg_temp.dice('late', s * 100 + n) % 3 = 0 AND s % 2 = 0 THEN least(pg_temp.dice('at', s * 100 + n) % 6, d - 1) ELSE 0 END AS entered, d AS left_after,
	('{won,lost,NULL,gone,won}'::text[])[1 + pg_temp.dice('o', s * 100 + n) % (3 + s % 3)] AS outcome
FROM (SELECT s, n, pg_temp.dice('left', s * 100 + n) % (2 + s % 12) AS d FROM generate_series(1, 2000) s, LATERAL generate_series(1, 1 + pg_temp.dice('n', s) % 30) n) x;
CREATE FUNCTION pg_temp.brute(entered int[], left_after int[], outcomes text[], t int, OUT rate float8, OUT std_error float8, OUT at_risk bigint) LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	u int; c record; n float8[]; h float8[]; h1 float8[]; before float8[]; f float8[]; alive float8 := 1; v float8 := 0; b float8; k int := 0;
BEGIN
	rate := 0;
	FOR u IN SELECT DISTINCT x FROM unnest(left_after) x WHERE x <= t ORDER BY x LOOP
		k := k + 1;
		SELECT count(*) AS n, count(*) FILTER (WHERE l = u AND o IS NOT NULL) AS d, count(*) FILTER (WHERE l = u AND o = 'won') AS d1 INTO c
			FROM unnest(entered, left_after, outcomes) x(e, l, o) WHERE l >= u AND (e < u OR e <= 0);
		n[k] := c.n; h[k] := c.d / n[k]; h1[k] := c.d1 / n[k];
		before[k] := alive;
		rate := rate + alive * h1[k];
		alive := CASE WHEN h[k] = 1 THEN 0 ELSE alive * (1 - h[k]) END;
		f[k] := rate;
	END LOOP;
	FOR i IN 1 .. k LOOP
		b := CASE WHEN h[i] < 1 THEN (rate - f[i]) / (1 - h[i]) ELSE 0 END;
		v := v + (before[i] ^ 2 * h1[i] * (1 - h1[i]) + b ^ 2 * h[i] * (1 - h[i]) - 2 * before[i] * b * h1[i] * (1 - h[i])) / n[i];
	END LOOP;
	std_error := sqrt(greatest(v, 0));
	SELECT count(*) INTO at_risk FROM unnest(entered, left_after) x(e, l) WHERE l >= t AND (e < t OR e <= 0);
	-- after the last time, while a case that was at risk is open
	IF t > (SELECT max(x) FROM unnest(left_after) x)
		AND EXISTS (SELECT FROM unnest(entered, left_after, outcomes) x(e, l, o) WHERE o IS NULL AND (e < l OR e <= 0)) THEN rate := NULL; std_error := NULL; END IF;
END $$;
SELECT count(*) AS answers, count(h.rate) > 5000 AS known, count(*) FILTER (WHERE h.at_risk <> b.at_risk
	OR NOT coalesce(abs(h.rate - b.rate) < 1e-9, h.rate IS NULL AND b.rate IS NULL)
	OR NOT coalesce(abs(h.std_error - b.std_error) < 1e-7, h.rate IS NULL)) AS wrong
FROM (SELECT s, incidence_agg(entered * interval '1 day', left_after * interval '1 day', outcome) AS i, array_agg(entered) AS e, array_agg(left_after) AS l, array_agg(outcome) AS o FROM cases GROUP BY s) x,
	unnest('{0,1,3,5,8,12}'::int[]) t, LATERAL happened_by(i, 'won', t * interval '1 day') h, LATERAL pg_temp.brute(e, l, o, t) b;
DROP TABLE cases;
