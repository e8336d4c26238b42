-- Published and recomputed numbers.
SET search_path = public, align;
SET IntervalStyle = 'postgres';
SET extra_float_digits = 0;

-- Freireich 1963: remission of 42 leukaemia patients, in weeks, here days.
CREATE TABLE freireich AS
SELECT grp, incidence_agg(rtrim(t, '+')::int * interval '1 day', CASE WHEN t !~ '\+' THEN 'relapse' END) AS i
FROM (VALUES ('6-MP', '6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+'), ('placebo', '1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23')) v(grp, times),
	regexp_split_to_table(times, ' ') t GROUP BY grp;
SELECT c.after, c.at_risk, c.events, round(1 - c.probability::numeric, 6) AS s, round(c.std_error::numeric, 6) AS se,
	round(1 - p.upper::numeric, 6) || '-' || round(1 - p.lower::numeric, 6) AS plain, round(1 - l.upper::numeric, 6) || '-' || round(1 - l.lower::numeric, 6) AS log,
	round(1 - c.upper::numeric, 6) || '-' || round(1 - c.lower::numeric, 6) AS log_log
FROM freireich, curve(i, 'relapse') c, happened_by(i, 'relapse', c.after, 0.95, 'plain') p, happened_by(i, 'relapse', c.after, bounds => 'log') l
WHERE grp = '6-MP' AND c.events > 0;
SELECT grp, median(i, 'relapse'), b, after, lower, upper FROM freireich, (VALUES ('plain'), ('log'), ('log-log')) v(b), quantile(i, 'relapse', 0.5, 0.95, b) ORDER BY grp, b;

-- The log-rank test, and the weights of Peto and Prentice; the shortcut is another number.
SELECT round(chi2::numeric, 6) AS chi2, df, p::numeric(12, 9) AS p, observed, round(expected[1]::numeric, 6) AS e1, round(expected[2]::numeric, 6) AS e2,
	round(((observed[1] - expected[1]) ^ 2 / expected[1] + (observed[2] - expected[2]) ^ 2 / expected[2])::numeric, 6) AS shortcut,
	round(((observed[1] - expected[1]) ^ 2 / chi2)::numeric, 6) AS v
FROM (SELECT array_agg(i ORDER BY grp) AS groups FROM freireich) g, log_rank(VARIADIC groups);
SELECT round(chi2::numeric, 6) AS peto_prentice FROM (SELECT array_agg(i ORDER BY grp) AS groups FROM freireich) g, weighted_log_rank(1, VARIADIC groups);
-- a textbook that slipped (4.953): table 10.4 of Essentials of Biostatistics
SELECT round(chi2::numeric, 6) AS chi2, round(p::numeric, 6) AS p, observed, expected
FROM log_rank('{in days, open (16, 18, 20, 24), outcome died (23)}', '{in days, outcome died (15, 18, 19*2, 20)}');

-- Ten deals: lost is not censored.
CREATE TABLE ten AS
SELECT incidence_agg(d * interval '1 day', o) AS i, incidence_agg(d * interval '1 day', nullif(o, 'lost')) AS as_censored
FROM (VALUES (5, 'won'), (10, 'won'), (20, 'won'), (8, 'lost'), (8, 'lost'), (15, 'lost'), (15, 'lost'), (30, 'lost'), (12, NULL), (40, NULL)) v(d, o);
SELECT d AS day, round(k.rate::numeric, 6) AS "1 - KM", round(w.rate::numeric, 6) AS won, round(w.std_error::numeric, 6) AS se, round(l.rate::numeric, 6) AS lost
FROM ten, unnest('{5,8,10,15,20,30}'::int[]) d, happened_by(as_censored, 'won', d * interval '1 day') k,
	happened_by(i, 'won', d * interval '1 day') w, happened_by(i, 'lost', d * interval '1 day') l;
SELECT median(i, 'won') AS won, median(i, 'lost') AS lost, median(as_censored, 'won') AS won_if_lost_were_censored FROM ten;

-- Delayed entry, and what ignoring it would say.
SELECT after, round(1 - probability::numeric, 6) AS s, at_risk FROM (SELECT incidence_agg(a * interval '1 day', b * interval '1 day', CASE e WHEN 1 THEN 'left' END) AS i
	FROM (VALUES (0, 4, 1), (0, 6, 0), (3, 9, 1), (5, 7, 1), (0, 10, 1), (8, 12, 0)) v(a, b, e)) x, curve(i, 'left') WHERE events > 0;
SELECT after, round(1 - probability::numeric, 6) AS s FROM (SELECT incidence_agg(b * interval '1 day', CASE e WHEN 1 THEN 'left' END) AS i
	FROM (VALUES (0, 4, 1), (0, 6, 0), (3, 9, 1), (5, 7, 1), (0, 10, 1), (8, 12, 0)) v(a, b, e)) x, curve(i, 'left') WHERE events > 0;

-- Sales velocity, and what a proportion needs.
SELECT opportunities, average_amount, win_rate, cycle, round(per_day, 2) AS per_day
FROM (VALUES (50, 10000, 0.25, interval '30 days'), (50, 10000, 0.20, '30 days'), (120, 52000, 0.22, '68 days'), (120, 52000, 0.22, '61.2 days')) v(n, a, r, c), sales_velocity(n, a, r, c);
SELECT (sales_velocity(0, -5, 0, '1 hour')).per_day AS nothing, sales_velocity(NULL, 1, 1, '1 day') AS unknown;
SELECT sales_velocity(-1, 1, 1, '1 day');
SELECT sales_velocity(1, 'NaN', 1, '1 day');
SELECT sales_velocity(1, 'Infinity', 1, '1 day');
SELECT sales_velocity(1, 1, 25, '1 day');
SELECT sales_velocity(1, 1, 'NaN', '1 day');
SELECT sales_velocity(1, 1, 1, '0 days');
SELECT sales_velocity(1, 1, 1, '1 month');

-- Newcombe's differences (compare_rates, method 10) and Wilson's bounds.
SELECT s1 || '/' || n1 AS a, s2 || '/' || n2 AS b, round(difference::numeric, 4) AS difference, round(lower::numeric, 4) AS lower, round(upper::numeric, 4) AS upper
FROM (VALUES (9, 10, 3, 10), (6, 7, 2, 7), (5, 56, 0, 29), (0, 10, 0, 20), (0, 10, 0, 10), (10, 10, 0, 20), (10, 10, 0, 10), (56, 70, 48, 80)) v(s1, n1, s2, n2), compare_rates(s1, n1, s2, n2);
SELECT round(z::numeric, 6) AS z, round(p::numeric, 6) AS p FROM compare_rates(56, 70, 48, 80);
SELECT round(z::numeric, 6) AS z, p::numeric(12, 11) AS p FROM compare_rates(123000, 10000000, 120000, 10000000);
SELECT s || '/' || n AS rate, round(lower::numeric, 6) AS lower, round(upper::numeric, 6) AS upper
FROM (VALUES (0, 10), (10, 10), (1, 10), (5, 10), (0, 25), (50, 100)) v(s, n), wilson(s, n);
DROP TABLE freireich, ten;
