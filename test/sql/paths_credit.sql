-- markov and shapley: what was published, what follows by hand, and the edges.
-- (Random sets of paths: test/t/paths_oracle.pl.)
SET search_path = align, public;
SET extra_float_digits = 0;

-- Shares of a hundred conversions (tomgorb, after an article of 2018): F 45.5, O 20.5, L 34.
SELECT * FROM shapley('{F conversions 20, O conversions 10, L conversions 17, F > O conversions 17, F > L conversions 30, F > L > O conversions 6}');
-- Four conversions, one null (S. Puzyrov, 2019): three quarters are lost without the one
-- channel, half without the other.
SELECT * FROM markov('{"google ads" conversions 2 nulls 1, mailing conversions 1, "google ads" > mailing conversions 1}');
-- A third converts; half of that is lost without C1, all of it without the others.
SELECT * FROM markov('{C1 > C2 > C3 conversions 1 value 100, C1 nulls 1, C2 > C3 nulls 1}');
-- Of order 2 it matters what came before B.
SELECT m.channel, m.removal_effect AS order_1, n.removal_effect AS order_2 FROM markov('{A > B conversions 1, C > B nulls 1}') m JOIN markov('{A > B conversions 1, C > B nulls 1}', 2) n USING (channel);
-- A channel that is in no conversion of its own may still earn something: C leads to B.
SELECT m.channel, removal_effect, m.conversions, s.conversions AS shapley FROM markov('{A conversions 3, B conversions 1, C > B nulls 1}') m JOIN shapley('{A conversions 3, B conversions 1, C > B nulls 1}') s USING (channel);

-- Nothing converts, everything does, one channel, none, loops, chains that hardly end.
SELECT what, m.* FROM (VALUES (1, 'nothing converts', '{a > b nulls 3, b nulls 1}'), (2, 'everything does', '{a > b conversions 3 value 9, b conversions 1}'), (3, 'one channel', '{a conversions 2 nulls 5}'),
	(4, 'no channel', '{() conversions 2 value 3 nulls 5}'), (5, 'no channel, no conversion', '{() nulls 5}'), (6, 'loops', '{a > b > a > b > a conversions 1 nulls 2, b > b > b conversions 1}'),
	(7, 'hardly ends', '{a > b > a > b conversions 1000000000000000, a > b > a > b > a > b nulls 9000000000000000, b > c > b conversions 1}'),
	(8, 'a channel (none)', '{() conversions 2 value 8, "(none)" > a conversions 2 value 4, A conversions 1}'), (9, 'negative values', '{a conversions 1 value -10, a > b conversions 1 value 3}'),
	(10, 'values of some', '{() conversions 1, a conversions 3 value 7, b > a conversions 3, c nulls 1}'), (11, 'a value without a channel', '{() conversions 1 value 5, a conversions 1}')) AS t (i, what, paths),
	LATERAL markov(paths::paths) m ORDER BY i, m.channel COLLATE "C";
SELECT what, s.* FROM (VALUES (1, 'nothing converts', '{a > b nulls 3, b nulls 1}'), (3, 'one channel', '{a conversions 2 nulls 5}'),
	(4, 'no channel', '{() conversions 2 value 3 nulls 5}'), (5, 'no channel, no conversion', '{() nulls 5}'),
	(8, 'a channel (none)', '{() conversions 2 value 8, "(none)" > a conversions 2 value 4, A conversions 1}'), (9, 'negative values', '{a conversions 1 value -10, a > b conversions 1 value 3}'),
	(10, 'values of some', '{() conversions 1, a conversions 3 value 7, b > a conversions 3, c nulls 1}'), (11, 'a value without a channel', '{() conversions 1 value 5, a conversions 1}')) AS t (i, what, paths),
	LATERAL shapley(paths::paths) s ORDER BY i, s.channel COLLATE "C";
-- Rows are in the order of channels by bytes; NULL has none.
SELECT array_agg(channel) FROM shapley('{z > a nulls 1, () nulls 1, "~" nulls 1, "!" nulls 1, Z nulls 1}');
SELECT * FROM markov(NULL);
SELECT * FROM markov('{a conversions 1}', NULL);
SELECT * FROM shapley(NULL);

-- An order as long as the paths knows them whole: then the removal effect is the share of
-- conversions on paths with the channel.  Shorter paths do not matter to longer orders.
WITH p AS (SELECT paths_agg(path, conversions, NULL, nulls) AS p FROM (SELECT ARRAY(SELECT chr(97 + (hashint4extended(i * 10 + k, 5) & 3)::int) FROM generate_series(1, 1 + (i % 4)) k) AS path, i % 5 AS conversions, 1 + i % 3 AS nulls FROM generate_series(1, 150) i) s)
SELECT m.channel, abs(m.removal_effect - o.effect) < 1e-12 AS same FROM p, markov(p, 4) m JOIN LATERAL
	(SELECT channel, sum(conversions) / (SELECT sum(conversions) FROM p, path_counts(p)) AS effect FROM p, path_counts(p), LATERAL (SELECT DISTINCT unnest(path) AS channel) c GROUP BY channel) o USING (channel) ORDER BY 1;
SELECT bool_and(a.removal_effect = b.removal_effect) AS same FROM (SELECT '{a > b conversions 3 nulls 1, b conversions 1 nulls 5, a nulls 2}'::paths AS p) s, markov(p, 2) a JOIN LATERAL markov(p, 4) b USING (channel);

-- Values add up exactly, with every digit; a third of a cent is not lost.
SELECT m.n, sum(m.value) = p.value AS markov, sum(s.value) = p.value AS shapley, p.value
FROM (VALUES (1, '{a > b > c conversions 1 value 0.01}'), (2, '{a > b > c conversions 1 value 0.00000000000000000000000000000000000000001, a conversions 1 value 99999999999999999999999999999999}'),
	(3, '{a > b > c conversions 7 value -1, a > d conversions 3 value 0.1, e > f > g > h > i > j > k conversions 1 value 100}')) AS t (n, paths),
	LATERAL (SELECT sum(value) AS value FROM path_counts(paths::paths)) p, LATERAL (SELECT t.n, m.* FROM markov(paths::paths, 2) m) m JOIN LATERAL shapley(paths::paths) s USING (channel) GROUP BY m.n, p.value ORDER BY 1;

-- Limits.
SELECT count(*) FROM (SELECT paths_agg(ARRAY(SELECT 'c' || (hashint4extended(i * 10 + j, 1) & 63) FROM generate_series(1, 8) j), true, NULL) AS p FROM generate_series(1, 20000) i) s, markov(p, 4);
-- Many channels: a thousand, of which every path has three.
SELECT count(*), abs(sum(conversions) - 5000) < 1e-6 AS all_conversions, bool_and(removal_effect BETWEEN 0 AND 1) AS in_range, bool_and(conversions >= 0) AS not_negative
FROM (SELECT paths_agg(ARRAY['c' || (i * 7919) % 1000, 'c' || (i * 104729) % 1000, 'c' || i % 1000], i % 2 = 0, 1) AS p FROM generate_series(1, 10000) i) s, markov(p);
SELECT count(*), abs(sum(conversions) - 5000) < 1e-6 AS all_conversions, sum(value) FROM (SELECT paths_agg(ARRAY['c' || (i * 7919) % 1000, 'c' || (i * 104729) % 1000, 'c' || i % 1000], i % 2 = 0, 1) AS p FROM generate_series(1, 10000) i) s, shapley(p);
