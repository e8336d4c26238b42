-- window_funnel and window_funnel_times: what each mode counts.
SET search_path = align, public;
SET TimeZone = 'UTC';
SET IntervalStyle = 'postgres';
SET DateStyle = 'ISO, MDY';

-- A text is a sequence of events: a letter is one at the next second, letters in
-- parentheses are one event that matches several steps, and a letter after "=" is at
-- the same second as the one before.  Steps are A, B, C and D.
CREATE FUNCTION pg_temp.events(sequence text) RETURNS TABLE (at timestamptz, s text) LANGUAGE sql
BEGIN ATOMIC
	SELECT timestamptz '2026-01-01 00:00Z' + interval '1 second' * sum(CASE WHEN token LIKE '=%' THEN 0 ELSE 1 END) OVER (ORDER BY n), token
	FROM (SELECT m[1] AS token, n FROM regexp_matches(sequence, '=?(?:\w|\(\w+\))', 'g') WITH ORDINALITY AS r(m, n)) t;
END;
CREATE FUNCTION pg_temp.funnel(sequence text, mode text, within interval DEFAULT '1 hour') RETURNS text LANGUAGE sql
BEGIN ATOMIC
	SELECT level || CASE WHEN level > 0 THEN ' at' ELSE '' END || (SELECT coalesce(string_agg(' ' || extract(second FROM t)::int, '' ORDER BY n), '') FROM unnest(times) WITH ORDINALITY u(t, n))
	FROM (SELECT align.window_funnel(within, mode, at, s ~ 'A', s ~ 'B', s ~ 'C', s ~ 'D') AS level,
			align.window_funnel_times(within, mode, at, s ~ 'A', s ~ 'B', s ~ 'C', s ~ 'D') AS times
		FROM pg_temp.events(sequence)) f;
END;

-- The sequences with which peers are compared; X matches no step.
SELECT sequence, pg_temp.funnel(sequence, 'ordered') AS ordered, pg_temp.funnel(sequence, 'strict') AS strict,
	pg_temp.funnel(sequence, 'no_repeat') AS no_repeat, pg_temp.funnel(sequence, 'strict, no_repeat') AS both,
	pg_temp.funnel(sequence, 'increase') AS increase
FROM unnest('{ABC,AXBC,AABBCC,AABBXCC,BBCCAA,ACABC,AXABC,ABCAD,ABCBD,ABDC,AB,B,X}'::text[]) WITH ORDINALITY s(sequence, n) ORDER BY n;

-- One event that matches two steps, or three.
SELECT sequence, pg_temp.funnel(sequence, 'ordered') AS ordered, pg_temp.funnel(sequence, 'reuse') AS reuse, pg_temp.funnel(sequence, 'reuse, increase') AS increase
FROM unnest('{(AB),(AB)C,A(BC),(ABC),(AB)(AB),(AB)A,(ABCD)}'::text[]) WITH ORDINALITY s(sequence, n) ORDER BY n;

-- Simultaneous events are a set.
SELECT sequence, pg_temp.funnel(sequence, 'ordered') AS ordered, pg_temp.funnel(sequence, 'strict') AS strict,
	pg_temp.funnel(sequence, 'no_repeat') AS no_repeat, pg_temp.funnel(sequence, 'increase') AS increase
FROM unnest('{A=B,B=A,C=B=A,(AB)=A,(AB)=(AB),A=A=B,AB=XC,A=XB,AB=B=C,AA=BC,AB=D=C}'::text[]) WITH ORDINALITY s(sequence, n) ORDER BY n;

-- In any order.
SELECT sequence, pg_temp.funnel(sequence, 'any') AS any, pg_temp.funnel(sequence, 'any, strict') AS strict,
	pg_temp.funnel(sequence, 'any, no_repeat') AS no_repeat, pg_temp.funnel(sequence, 'any, increase') AS increase, pg_temp.funnel(sequence, 'any, reuse') AS reuse
FROM unnest('{CBA,DXCBA,DDCBA,D=C=B,(AB)(AB),(ABCD),(AB)AB,X}'::text[]) WITH ORDINALITY s(sequence, n) ORDER BY n;

-- The window is inclusive, and counted from the first event of the chain.
SELECT within, pg_temp.funnel('AXXB', 'ordered', within) AS axxb, pg_temp.funnel('ABABCC', 'ordered', within) AS ababcc, pg_temp.funnel('DABCCBAD', 'any', within) AS any
FROM unnest('{0 seconds,1 second,2 seconds,3 seconds,00:00:03.000001}'::interval[]) WITH ORDINALITY w(within, n) ORDER BY n;
SELECT pg_temp.funnel('AXXXXB', 'ordered', NULL) AS no_window;

-- Of the longest chains the earliest complete, then the latest start, then the earliest steps.
SELECT pg_temp.funnel('AABBCABC', 'ordered') AS latest_start, pg_temp.funnel('ABBBC', 'ordered') AS earliest_step, pg_temp.funnel('ABAB', 'ordered') AS earliest_complete;

-- The words of a mode: a set, in any order, of any case; and what peers call them.
SELECT mode, pg_temp.funnel('A=(AB)XBC', mode)
FROM unnest('{"",ordered,ORDERED," , strict,,",strict_order,fixed,Strict Strict,no_repeat,strict_deduplication,deduplication,increase,strict_increase,timestamp_dedup,"increase	no_repeat","no_repeat,increase",reuse,strict_once,default,allow_reentry,"strict_once strict_increase","strict_order,allow_reentry"}'::text[]) WITH ORDINALITY m(mode, n) ORDER BY n;
SELECT pg_temp.funnel('ABC', NULL) AS null_mode;

-- NULL conditions are false, NULL times are ignored, and a row where nothing is true breaks a strict chain.
SELECT window_funnel('1 day', mode, at, a, b), window_funnel_times('1 day', mode, at, a, b)
FROM (VALUES (timestamptz '2026-01-01', true, NULL), (NULL, NULL, true), ('2026-01-01 01:00', NULL, NULL), ('2026-01-01 02:00', NULL, true)) v(at, a, b),
	(VALUES ('ordered'), ('strict')) m(mode) GROUP BY mode ORDER BY mode;

-- Up to 64 steps, in rows that are not in order.
SELECT window_funnel(NULL, 'strict, no_repeat', at, VARIADIC flags), window_funnel('62 seconds', NULL, at, VARIADIC flags), cardinality(window_funnel_times(NULL, 'any', at, VARIADIC flags))
FROM (SELECT timestamptz '2026-01-01' + n * interval '1 second' AS at, ARRAY(SELECT n = i FROM generate_series(1, 64) i ORDER BY i) AS flags
	FROM generate_series(1, 64) n ORDER BY hashint4(n)) e;

-- Every width of a stored event.
SELECT nsteps, window_funnel('1 hour', mode, at, VARIADIC flags[:nsteps]), window_funnel('1 hour', 'reuse', at, VARIADIC flags[:nsteps])
FROM (SELECT n, timestamptz '2026-01-01' + n * interval '1 second' AS at, ARRAY(SELECT n % i = 0 FROM generate_series(1, 64) i ORDER BY i) AS flags
	FROM generate_series(1, 2000) n) e, unnest('{1,7,8,9,16,17,32,33,63,64}'::int[]) nsteps, (VALUES ('increase')) m(mode)
GROUP BY nsteps ORDER BY nsteps;

-- Times before the epoch and at the ends of the type.
SELECT window_funnel(within, 'ordered', at, a, NOT a), window_funnel_times(within, 'ordered', at, a, NOT a)
FROM (VALUES (timestamptz '4713-01-01 00:00Z BC', true), ('294276-12-31 23:59:59.999999Z', false)) v(at, a), (VALUES (interval '100 years' * 0 + '1 day'), (NULL)) w(within)
GROUP BY within ORDER BY within;

-- retention: the first condition, and each other if the first is met by some row.
SELECT retention(a, b, c) AS kept, retention(b, a, c) AS from_b, retention(c, a, b) AS from_c
FROM (VALUES (true, false, NULL), (false, true, NULL), (true, NULL, false)) v(a, b, c);
SELECT retention(VARIADIC ARRAY[day = 1, day = 2, day = 3]) FROM (VALUES (3), (1), (1)) v(day);
