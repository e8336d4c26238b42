-- conversion_agg and funnel_conversion_agg against plain SQL over the raw events.
SET search_path = align, public;
SET TimeZone = 'UTC';
SET IntervalStyle = 'postgres';

-- 4,000 leads; dice(what, lead) is a whole number below 2^28, made from the seed 20260301.  Each lead enters each stage at most once,
-- at its own instant, in any order; amounts come and go.
CREATE FUNCTION pg_temp.dice(what text, lead int) RETURNS bigint LANGUAGE sql IMMUTABLE
	RETURN ('x' || substr(md5('20260301/' || what || '/' || lead), 1, 7))::bit(28)::bigint;
CREATE TABLE event AS
SELECT lead, stage,
	timestamptz '2026-01-01 00:00Z' + pg_temp.dice('cohort', lead) % 60 * interval '1 day'
	+ CASE WHEN pg_temp.dice('rush', lead) % 10 = 0 THEN pg_temp.dice('at ' || stage, lead) % 5000 * interval '1 microsecond'
		ELSE n * interval '3 days' + (pg_temp.dice('at ' || stage, lead) % 8000000 - 2000000) / 10 * interval '1 second' END
	+ n * interval '1 microsecond' AS at,
	CASE WHEN pg_temp.dice('amount ' || stage, lead) % 3 = 0 THEN (pg_temp.dice('worth ' || stage, lead) % 100000 - 20000) / 100.0 END AS amount
FROM generate_series(1, 4000) lead, unnest('{inquiry,mql,sal,customer}'::text[]) WITH ORDINALITY s (stage, n)
WHERE pg_temp.dice('has ' || stage, lead) % 10 < 10 - n;
CREATE TABLE journey AS
SELECT lead, lead_agg(at, stage, NULL, NULL, NULL, amount) AS journey FROM event GROUP BY lead;
SELECT count(*) > 3900 AS enough FROM journey;

-- The oracle: how far each lead got by as_of, within a window from its first step or without one.
CREATE FUNCTION oracle(within interval, as_of timestamptz)
RETURNS TABLE (lead int, t timestamptz[], level int, status text, amount numeric) LANGUAGE sql
BEGIN ATOMIC
	SELECT t.lead, ARRAY[t1, t2, t3, t4],
		CASE WHEN t4 IS NOT NULL THEN 4 WHEN t3 IS NOT NULL THEN 3 WHEN t2 IS NOT NULL THEN 2 WHEN t1 IS NOT NULL THEN 1 ELSE 0 END,
		CASE WHEN t4 IS NOT NULL THEN 'converted' WHEN as_of - t1 > within THEN 'dropped' ELSE 'open' END,
		(SELECT e.amount FROM event e WHERE e.lead = t.lead AND e.amount IS NOT NULL AND e.at <= as_of ORDER BY e.at DESC LIMIT 1)
	FROM (SELECT DISTINCT lead FROM event) t
	LEFT JOIN LATERAL (SELECT e.at AS t1 FROM event e WHERE e.lead = t.lead AND e.stage = 'inquiry' AND e.at <= as_of) a ON true
	LEFT JOIN LATERAL (SELECT e.at AS t2 FROM event e WHERE e.lead = t.lead AND e.stage = 'mql' AND e.at <= as_of AND e.at > t1 AND (e.at - t1 <= within) IS NOT FALSE) b ON true
	LEFT JOIN LATERAL (SELECT e.at AS t3 FROM event e WHERE e.lead = t.lead AND e.stage = 'sal' AND e.at <= as_of AND e.at > t2 AND (e.at - t1 <= within) IS NOT FALSE) c ON true
	LEFT JOIN LATERAL (SELECT e.at AS t4 FROM event e WHERE e.lead = t.lead AND e.stage = 'customer' AND e.at <= as_of AND e.at > t3 AND (e.at - t1 <= within) IS NOT FALSE) d ON true;
END;
CREATE INDEX ON event (lead);
ANALYZE event;

-- What steps() should say of it; percentiles as percentile_disc has them.
CREATE FUNCTION oracle_steps(within interval, as_of timestamptz)
RETURNS TABLE (step int, name text, reached bigint, dropped bigint, still_open bigint, step_rate float8, overall_rate float8,
	median float8, p90 float8, mean numeric, amount numeric) LANGUAGE sql
BEGIN ATOMIC
	WITH o AS (SELECT * FROM oracle(within, as_of)),
	n AS (
		SELECT i, count(*) FILTER (WHERE level >= i) AS reached, count(*) FILTER (WHERE level = i AND status = 'dropped') AS dropped,
			count(*) FILTER (WHERE level = i AND status = 'open') AS still_open, sum(o.amount) FILTER (WHERE level >= i) AS amount,
			percentile_disc(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM t[i] - t[i - 1]) * 1000000) AS median,
			percentile_disc(0.9) WITHIN GROUP (ORDER BY extract(epoch FROM t[i] - t[i - 1]) * 1000000) AS p90,
			round(avg(extract(epoch FROM t[i] - t[i - 1]) * 1000000)) AS mean
		FROM o, generate_series(1, 4) i GROUP BY i)
	SELECT i, ('{inquiry,mql,sal,customer}'::text[])[i], reached, dropped, still_open,
		CASE WHEN i = 1 THEN reached::float8 / nullif(reached, 0) ELSE reached::float8 / nullif(lag(reached) OVER (ORDER BY i), 0) END,
		reached::float8 / nullif(first_value(reached) OVER (ORDER BY i), 0),
		median, p90, mean, amount
	FROM n;
END;

-- Every combination of windows and instants; the median and the 90th percentile within 1/128.
CREATE FUNCTION microseconds(i interval) RETURNS numeric LANGUAGE sql IMMUTABLE RETURN extract(epoch FROM i) * 1000000;
SELECT within, as_of, count(*) AS steps,
	bool_and((s.name, s.entered, s.reached, s.dropped, s.still_open) = (o.name, o.reached, o.reached, o.dropped, o.still_open)) AS counts,
	bool_and(s.step_rate IS NOT DISTINCT FROM o.step_rate AND s.overall_rate IS NOT DISTINCT FROM o.overall_rate) AS rates,
	bool_and(s.amount IS NOT DISTINCT FROM o.amount) AS amounts,
	bool_and(microseconds(s.mean_time) IS NOT DISTINCT FROM o.mean) AS means,
	bool_and(coalesce(abs(microseconds(s.median_time) - o.median) <= o.median / 128, s.median_time IS NULL AND o.median IS NULL)) AS medians,
	bool_and(coalesce(abs(microseconds(s.p90_time) - o.p90) <= o.p90 / 128, s.p90_time IS NULL AND o.p90 IS NULL)) AS p90s
FROM unnest('{NULL,0 seconds,2500 microseconds,5 days,12 days 7 hours,400 days}'::interval[]) within,
	unnest('{2025-12-01 00:00Z,2026-01-03 00:00Z,2026-02-10 12:34:56.789Z,2027-01-01 00:00Z}'::timestamptz[]) as_of,
	LATERAL (SELECT conversion_agg(journey, '{inquiry,mql,sal,customer}', within, 'ordered', as_of) AS c FROM journey) a,
	steps(c) s JOIN LATERAL oracle_steps(within, as_of) o USING (step)
GROUP BY within, as_of ORDER BY within NULLS FIRST, as_of;

-- The leads that got nowhere are counted too.
SELECT (c::jsonb ->> 'leads')::bigint = (SELECT count(*) FROM journey) AS all_leads,
	(c::jsonb #>> '{levels,0,open}')::bigint = (SELECT count(*) FROM oracle(NULL, '2027-01-01') WHERE level = 0) AS nowhere
FROM (SELECT conversion_agg(journey, '{inquiry,mql,sal,customer}', NULL, NULL, '2027-01-01') AS c FROM journey) s;

-- step = reached(next) + dropped + still open, always.
SELECT bool_and(reached = dropped + still_open + coalesce(next, reached - dropped - still_open)) AS adds_up, bool_and(next <= reached) AS shrinks
FROM (SELECT s.*, lead(reached) OVER (PARTITION BY within ORDER BY step) AS next
	FROM unnest('{NULL,5 days,30 days}'::interval[]) within,
		LATERAL (SELECT conversion_agg(journey, '{inquiry,mql,sal,customer}', within, NULL, '2026-02-20') AS c FROM journey) a, steps(c) s) s;

-- Wilson's bounds, against a table computed with 60 decimal digits from the formula as printed in 1927 (17 digits kept).
CREATE TABLE wilson (successes bigint, trials bigint, confidence float8, lower float8, upper float8);
\copy wilson FROM stdin
0	1	0.5	0.0	0.31268474408258331
1	1	0.5	0.68731525591741669	1.0
0	10	0.5	0.0	0.043514030569669171
1	10	0.5	0.052450103698589554	0.18236112075714578
5	10	0.5	0.39569991542468773	0.60430008457531227
9	10	0.5	0.81763887924285422	0.94754989630141045
10	10	0.5	0.95648596943033083	1.0
15	148	0.5	0.08582180570548397	0.11932419453473899
842	8000	0.5	0.10295824986873894	0.10758664411652904
1	1000000	0.5	5.1565497100987695e-7	1.9392803352702086e-6
999999	1000000	0.5	0.99999806071966473	0.99999948434502899
500000000	1000000000	0.5	0.49998933538065714	0.50001066461934286
1	9000000000000000000	0.5	5.7294987337602707e-20	2.1547572634234982e-19
9000000000000000000	9000000000000000000	0.5	1.0	1.0
0	1	0.8	0.0	0.62155249677464719
1	1	0.8	0.37844750322535281	1.0
0	10	0.8	0.0	0.14106868209054092
1	10	0.8	0.030410644282127535	0.2824443013903052
5	10	0.8	0.3122044448805158	0.6877955551194842
9	10	0.8	0.7175556986096948	0.96958935571787247
10	10	0.8	0.85893131790945908	1.0
15	148	0.8	0.073808504615902014	0.13764479889400499
842	8000	0.8	0.10093376411690397	0.10972828444014061
1	1000000	0.8	2.991087936626332e-7	3.3432596393544586e-6
999999	1000000	0.8	0.99999665674036065	0.99999970089120634
500000000	1000000000	0.8	0.49997973689058626	0.50002026310941374
1	9000000000000000000	0.8	3.3234305043796266e-20	3.7147396330618337e-19
9000000000000000000	9000000000000000000	0.8	1.0	1.0
0	1	0.9	0.0	0.73013405121594595
1	1	0.9	0.26986594878405405	1.0
0	10	0.9	0.0	0.21294197008340711
1	10	0.9	0.022634908730867194	0.3477186673358585
5	10	0.9	0.26927182113826717	0.73072817886173283
9	10	0.9	0.6522813326641415	0.97736509126913281
10	10	0.9	0.78705802991659289	1.0
15	148	0.9	0.067443262246871441	0.1495729317464003
842	8000	0.9	0.099739389189752678	0.11102752386176595
1	1000000	0.9	2.230922523521043e-7	4.4824384707254648e-6
999999	1000000	0.9	0.99999551756152927	0.99999977690774765
500000000	1000000000	0.9	0.4999739925806414	0.5000260074193586
1	9000000000000000000	0.9	2.4788024526457677e-20	4.9805013703969954e-19
9000000000000000000	9000000000000000000	0.9	1.0	1.0
0	1	0.95	0.0	0.79345068562276255
1	1	0.95	0.20654931437723745	1.0
0	10	0.95	0.0	0.27753279986288917
1	10	0.95	0.017876213095072909	0.40415002679523843
5	10	0.95	0.23659309051256401	0.76340690948743599
9	10	0.95	0.59584997320476157	0.98212378690492709
10	10	0.95	0.72246720013711083	1.0
15	148	0.95	0.062386399530736286	0.16048724172330803
842	8000	0.95	0.098713828348818344	0.11216509366688396
1	1000000	0.95	1.7652457674537151e-7	5.6649118043114414e-6
999999	1000000	0.95	0.99999433508819569	0.99999982347542325
500000000	1000000000	0.95	0.49996901024844429	0.50003098975155571
1	9000000000000000000	0.95	1.9613839437239219e-20	6.2943714063988572e-19
9000000000000000000	9000000000000000000	0.95	1.0	1.0
0	1	0.99	0.0	0.86902245671981413
1	1	0.99	0.13097754328018587	1.0
0	10	0.99	0.0	0.39885409330490809
1	10	0.99	0.011851503411032943	0.50723177123289353
5	10	0.99	0.18422551824723546	0.81577448175276454
9	10	0.99	0.49276822876710647	0.98814849658896706
10	10	0.99	0.60114590669509191	1.0
15	148	0.99	0.053644869613964856	0.18326735011315252
842	8000	0.99	0.09673713446673435	0.11441710429076538
1	1000000	0.99	1.1740547499963234e-7	8.5174338347555946e-6
999999	1000000	0.99	0.99999148256616524	0.999999882594525
500000000	1000000000	0.99	0.49995927256282001	0.50004072743717999
1	9000000000000000000	0.99	1.3045051568017556e-20	9.4638790410100617e-19
9000000000000000000	9000000000000000000	0.99	1.0	1.0
0	1	0.999	0.0	0.91545175181683492
1	1	0.999	0.084548248183165082	1.0
0	10	0.999	0.0	0.51986708777880209
1	10	0.999	0.0078969657014672298	0.60799670452157444
5	10	0.999	0.13949095442041885	0.86050904557958115
9	10	0.999	0.39200329547842556	0.99210303429853277
10	10	0.999	0.48013291222119791	1.0
15	148	0.999	0.045175649167685239	0.21188027100421279
842	8000	0.999	0.094488875284568493	0.11707822588832874
1	1000000	0.999	7.8436733389108367e-8	1.274899054745594e-5
999999	1000000	0.999	0.99998725100945254	0.99999992156326661
500000000	1000000000	0.999	0.49994797220441575	0.50005202779558425
1	9000000000000000000	0.999	8.7151920146363286e-21	1.4165699380590004e-18
9000000000000000000	9000000000000000000	0.999	1.0	1.0
0	1	0.999999	0.0	0.95988467160298535
1	1	0.999999	0.040115328397014653	1.0
0	10	0.999999	0.0	0.70525929690092938
1	10	0.999999	0.003876479049223283	0.76033095847152022
5	10	0.999999	0.08010141197518615	0.91989858802481385
9	10	0.999999	0.23966904152847978	0.99612352095077672
10	10	0.999999	0.29474070309907062	1.0
15	148	0.999999	0.031317519006423039	0.28234917372810323
842	8000	0.999999	0.089627865796125028	0.12322649929155976
1	1000000	0.999999	3.8625697146289064e-8	2.5888880883063535e-5
999999	1000000	0.999999	0.99997411111911694	0.99999996137430285
500000000	1000000000	0.999999	0.49992265640555882	0.50007734359444118
1	9000000000000000000	0.999999	4.2917439739236815e-21	2.8766112534571284e-18
9000000000000000000	9000000000000000000	0.999999	1.0	1.0
0	1	0.01	0.0	0.00015706318519038395
1	1	0.01	0.99984293681480962	1.0
0	10	0.01	0.0	1.5708539028895504e-5
1	10	0.01	0.098817246833368462	0.10119531999785465
5	10	0.01	0.49801830003350056	0.50198169996649944
9	10	0.01	0.89880468000214535	0.90118275316663154
10	10	0.01	0.9999842914609711	1.0
15	148	0.01	0.10104085326246124	0.10166269569423885
842	8000	0.01	0.10520700579397747	0.1052930097086302
1	1000000	0.01	9.8754483442779913e-7	1.0126122531159102e-6
999999	1000000	0.01	0.99999898738774688	0.99999901245516557
500000000	1000000000	0.01	0.49999980182844685	0.50000019817155315
1	9000000000000000000	0.01	1.0972720314625746e-19	1.1251247328239917e-19
9000000000000000000	9000000000000000000	0.01	1.0	1.0
\.
SELECT count(*) AS cases,
	bool_and(abs(s.lower - w.lower) <= 1e-13 + w.lower * 1e-12) AS lower_agrees, bool_and(abs(s.upper - w.upper) <= 1e-13 + w.upper * 1e-12) AS upper_agrees,
	bool_and(s.lower >= 0 AND s.lower <= s.step_rate AND s.step_rate <= s.upper AND s.upper <= 1) AS enclose
FROM wilson w, LATERAL (SELECT format('{steps (a, b) mode ordered as of 2026-03-01T00:00:00Z, level 1 open %s, level 2 converted %s %s}',
		trials - successes, successes, CASE WHEN successes > 0 THEN 'time 0 least 0 most 0 in (0*' || successes || ')' END)::conversion AS c) made,
	steps(c, w.confidence) s WHERE s.step = 2;
SELECT bool_and(a.* = b.*) AS default_is_95 FROM (SELECT conversion_agg(journey, '{inquiry,mql,sal,customer}', NULL, NULL, '2027-01-01') AS c FROM journey) j,
	steps(c) a JOIN LATERAL steps(c, 0.95) b USING (step) WHERE a.step > 1 AND a.amount IS NOT NULL;

-- Extremes: the longest journey there can be, and none at all.
SELECT step, reached, median_time, mean_time FROM steps((SELECT conversion_agg(l, '{a,b}', NULL, NULL, '294276-12-31 23:59:59.999999Z')
	FROM (VALUES ('{-4713-11-24T00:00:00Z a, 294276-12-31T23:59:59.999999Z b}'::lead), ('{-4713-11-24T00:00:00Z a, 294276-12-31T23:59:59.999999Z b}')) v (l)));
SELECT step, reached, median_time, mean_time FROM steps((SELECT conversion_agg(l, '{a,b}', NULL, NULL, '4714-11-24 00:00Z BC'::timestamptz)
	FROM (VALUES ('{-4713-11-24T00:00:00Z a, -4713-11-24T00:00:00Z b}'::lead)) v (l)));

-- Amounts of any size stay exact.
SELECT step, amount FROM steps((SELECT conversion_agg(lead_agg, '{a,b}', NULL, NULL, '2027-01-01') FROM (
	SELECT lead_agg('2026-01-01'::timestamptz, 'a', NULL, NULL, NULL, x) FROM (VALUES
		(0.1), (0.2), (-0.3), (999999999999.999999), (1000000000000), (0.0000001), (1e50), (-1e50), (123456789012345678.000000000000000001)) v (x) GROUP BY x) s));

-- NULLs: a lead is ignored, an argument is refused.
SELECT conversion_agg(l, '{a}', NULL, NULL, '2026-02-01') FROM (VALUES (NULL), ('{2026-01-01T00:00:00Z a}'::lead), (NULL)) v (l);
SELECT conversion_agg(l, NULL, NULL, NULL, NULL) FROM (VALUES (NULL::lead), (NULL)) v (l);
SELECT conversion_agg(journey, '{a}', NULL, NULL, now()) FROM journey WHERE false;
SELECT rollup(c) FROM (SELECT NULL::conversion AS c) s;
SELECT conversion_agg(journey, NULL, NULL, NULL, now()) FROM journey;
SELECT conversion_agg(journey, '{a}', NULL, NULL, NULL) FROM journey;

-- Arguments that make no sense.
SELECT conversion_agg(journey, '{}', NULL, NULL, now()) FROM journey;
SELECT conversion_agg(journey, '{a,NULL}', NULL, NULL, now()) FROM journey;
SELECT conversion_agg(journey, array_fill('a'::text, '{65}'), NULL, NULL, now()) FROM journey;
SELECT conversion_agg(journey, '{a}', '-1 day', NULL, now()) FROM journey;
SELECT conversion_agg(journey, '{a}', '1 month', NULL, now()) FROM journey;
SELECT conversion_agg(journey, '{a}', NULL, 'sideways', now()) FROM journey;
SELECT conversion_agg(journey, '{a}', NULL, NULL, 'infinity') FROM journey;
SELECT conversion_agg(journey, '{a}', NULL, NULL, '-infinity') FROM journey;

-- Arguments that change from row to row; as_of may.
SELECT conversion_agg(journey, ARRAY['a', lead::text], NULL, NULL, '2026-01-01' ORDER BY lead) FROM journey WHERE lead IN (1, 2);
SELECT conversion_agg(journey, '{a}', lead * interval '1 day', NULL, '2026-01-01' ORDER BY lead) FROM journey WHERE lead IN (1, 2);
SELECT conversion_agg(journey, '{a}', CASE lead WHEN 1 THEN interval '1 day' END, NULL, '2026-01-01' ORDER BY lead) FROM journey WHERE lead IN (1, 2);
SELECT conversion_agg(journey, '{nowhere}', CASE lead WHEN 1 THEN interval '1 day' ELSE interval '24 hours' END, CASE lead WHEN 1 THEN 'ordered' END,
	timestamptz '2026-01-01 00:00Z' + lead * interval '1 day') FROM journey WHERE lead IN (1, 2, 3);

-- Many groups share a call site, and none another's state.
SELECT bool_and(g.c = alone.c) AS same FROM (SELECT lead % 50 AS g, conversion_agg(journey, '{inquiry,mql}', NULL, NULL, '2027-01-01') AS c FROM journey GROUP BY 1) g,
	LATERAL (SELECT conversion_agg(journey, '{inquiry,mql}', NULL, NULL, '2027-01-01') AS c FROM journey WHERE lead % 50 = g.g) alone;

-- As a window function: the state grows, what was handed out does not.
SELECT bool_and(running = fresh) AS same, count(DISTINCT running) AS distinct_summaries
FROM (SELECT lead, conversion_agg(journey, '{inquiry,mql,sal}', NULL, NULL, '2027-01-01') OVER (ORDER BY lead) AS running FROM journey WHERE lead <= 60) w,
	LATERAL (SELECT conversion_agg(journey, '{inquiry,mql,sal}', NULL, NULL, '2027-01-01') AS fresh FROM journey WHERE lead <= w.lead) f;

-- Memory does not grow with rows.  (The first look brings caches of its own.)
CREATE FUNCTION pg_temp.memory() RETURNS bigint LANGUAGE sql VOLATILE RETURN (SELECT sum(used_bytes) FROM pg_backend_memory_contexts);
SELECT conversion_agg(a[1 + i % 100], '{inquiry,mql,sal,customer}', '30 days', 'ordered', timestamptz '2027-01-01 00:00Z') IS NOT NULL AS done,
	max(memory) FILTER (WHERE i > 1) - min(memory) FILTER (WHERE i > 1) < 10000 AS flat
FROM (SELECT i, a, CASE WHEN i = 1 OR i % 50000 = 20000 THEN pg_temp.memory() END AS memory
	FROM generate_series(1, 200000) i, (SELECT array_agg(journey) AS a FROM journey WHERE lead <= 100) s OFFSET 0) s;

DROP TABLE event, journey, wilson CASCADE;
DROP FUNCTION microseconds;
