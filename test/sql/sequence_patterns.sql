-- sequence_match, sequence_count and sequence_match_events: what a pattern means.
SET search_path = align, public;
SET TimeZone = 'UTC';
SET IntervalStyle = 'postgres';

-- Events as "seconds:conditions that hold", such as "0:1 5:23 7:".
CREATE FUNCTION pg_temp.seq(pattern text, events text, OUT matched boolean, OUT count bigint, OUT times float8[]) LANGUAGE sql
BEGIN ATOMIC
	SELECT sequence_match($1, at, c ~ '1', c ~ '2', c ~ '3'), sequence_count($1, at, c ~ '1', c ~ '2', c ~ '3'),
		ARRAY(SELECT extract(epoch FROM t)::float8 FROM unnest(sequence_match_events($1, at, c ~ '1', c ~ '2', c ~ '3')) t)
	FROM (SELECT to_timestamp(split_part(e, ':', 1)::float8), split_part(e, ':', 2) FROM unnest(string_to_array(events, ' ')) e) v (at, c);
END;

SELECT pattern, events, (pg_temp.seq(pattern, events)).* FROM (VALUES
	-- neighbours; rows for which no condition holds are skipped, those of conditions outside the pattern are not
	(1, '(?1)(?2)', '1:1 2: 3:2'), (2, '(?1)(?2)', '1:1 2:3 3:2'), (3, '(?1)(?2)', '1:2 2:1'), (4, '(?1)(?2)', '1:1 2:1 3:2 4:1 5:2'),
	-- any number of events, and any one
	(10, '(?1).*(?2)', '1:1 2:3 3:2 4:1 5:3 6:2'), (11, '(?1).*(?2)', '1:1 2:2'), (12, '(?1).(?2)', '1:1 2:2'), (13, '(?1).(?2)', '1:1 2:3 3:2'),
	(14, '(?1)..*(?2)', '1:1 2:2'), (15, '(?1)..*(?2)', '1:1 2:3 3:3 4:2'), (16, '.', '1:1 2: 3:2'), (17, '..', '1:1 2:3 3:2 4:3 5:1'),
	(18, '.*(?1).*.*(?2).*', '1:1 2:3 3:2'),
	-- time between two events, whatever lies between them
	(20, '(?1)(?t<=10)(?2)', '0:1 3:3 10:2'), (21, '(?1)(?t<10)(?2)', '0:1 3:3 10:2'), (22, '(?1)(?t<10)(?2)', '0:1 3:1 10:2'),
	(23, '(?1)(?t>=10)(?2)', '0:1 9:2 10:2'), (24, '(?1)(?t>10)(?2)', '0:1 9:2 10:2'), (25, '(?1)(?t==10)(?2)', '0:1 9:2 11:2'),
	(26, '(?1)(?t==10)(?2)', '0:1 1:1 9:2 11:2'), (27, '(?1)(?t!=10)(?2)', '0:1 10:2'), (28, '(?1)(?t!=10)(?2)', '0:1 10:2 11:2'),
	(29, '(?1)(?t=10)(?2)(?t<>10)(?3)', '0:1 10:2 20:3 21:3'),
	-- ".*" beside a time changes nothing; several times must all hold
	(30, '(?1).*(?t<=10)(?2)', '0:1 11:2'), (31, '(?1)(?t<=10).*(?2)', '0:1 5:3 11:2'), (32, '(?1)(?t>=5)(?t<=10)(?2)', '0:1 4:2 11:2'),
	(33, '(?1)(?t>=5)(?t<=10)(?2)', '0:1 4:2 7:2'), (34, '(?1)(?t>5)(?t<5)(?2)', '0:1 5:2'), (35, '(?1)(?t!=3)(?t!=4)(?t<6)(?2)', '0:1 3:2 4:2 6:2'),
	(36, '(?1)(?t!=3)(?t!=4)(?t<6)(?2)', '0:1 3:2 4:2 5.5:2'), (37, '(?1)(?t<0)(?2)', '0:1 0:2'), (38, '(?1)(?t<=0)(?2)', '0:1 0:2'), (39, '(?1)(?t!=0)(?2)', '0:1 0:2 1:2'),
	-- parts of seconds, intervals, white space
	(40, '(?1)(?t<=1.5)(?2)', '0:1 1.5:2'), (41, '(?1)(?t<=1.499999)(?2)', '0:1 1.5:2'), (42, '(?1)(?t<=''1 minute'')(?2)', '0:1 60:2'),
	(43, '(?1)(?t<"1 minute")(?2)', '0:1 60:2'), (44, ' ( ? 1 ) ( ? t >= ''1 day'' ) . * (? 2)', '0:1 86400:2'), (45, '(?1)(?t<=1.500000000)(?2)', '0:1 1.5:2'),
	(46, '(?1)(?t<=9223372036854)(?2)', '0:1 60:2'),
	-- an event is used once
	(50, '(?1)(?2)', '1:12'), (51, '(?1)(?2)', '1:12 2:12'), (52, '(?1)(?1)', '1:1 2:1 3:1 4:1 5:1'), (53, '(?1)', '1:1 2:1 3:1'),
	-- the first match, and its leftmost events; without one, the longest beginning
	(60, '(?1).*(?2)', '0:1 1:1 2:2 3:2'), (61, '(?1)(?t<=5)(?2)', '0:1 9:1 10:2 11:1 12:2'), (62, '(?1).*(?2).*(?3)', '0:1 1:2 2:1'),
	(63, '(?1)(?1)(?3)', '8:1 15:1 16:1 17:3'), (64, '(?1)(?2)', '0:2'), (65, '(?1)(?2).(?3)', '0:1 1:3 2:1 3:2'), (66, '.(?2)', '0:1 1:3')
) v (id, pattern, events) ORDER BY id;

-- Simultaneous events are a set: the best order counts.
SELECT pattern, events, (pg_temp.seq(pattern, events)).* FROM (VALUES
	(1, '(?1)(?2)', '0:1 0:2'), (2, '(?2)(?1)', '0:1 0:2'), (3, '(?1)(?2)', '0:1 0:2 0:1 0:2'), (4, '(?1)(?2)', '0:1 0:2 1:1 1:2'),
	(5, '(?1)(?2)(?1)(?2)', '0:1 0:2 0:1 0:2'), (6, '(?1)(?2)(?1)(?2)', '0:1 0:2 1:1 1:2'), (7, '(?2)(?1)(?1)(?2)', '0:1 0:2 1:1 1:2'),
	-- neighbours across instants: others of the first before, of the last behind, but none in the middle
	(10, '(?1)(?2)', '0:1 0:3 1:2 1:3'), (11, '(?1)(?2)(?1)', '0:1 1:2 1:3 2:1'), (12, '(?1)(?2)(?3)(?1)', '0:1 1:2 1:3 2:1'),
	(13, '(?1)(?2).*(?1)', '0:1 1:2 1:3 2:1'), (14, '(?1)(?2).(?1)', '0:1 1:2 1:3 2:1'), (15, '(?1)(?2)(?3)', '0:1 1:2 1:1'), (16, '(?1)(?2)(?t>=0)(?3)(?1)', '0:1 1:2 1:3 1:1 2:1'),
	-- an event of several kinds is given where it is needed
	(20, '(?1)(?2)(?3)', '0:123 0:12 0:1'), (21, '(?1)(?2)(?3)', '0:12 0:12 0:12'), (22, '(?3)(?2)(?1)', '0:123 0:12 0:1'), (23, '(?1)(?2)', '0:12 0:12 0:12 0:1 0:2'),
	(24, '(?1).(?2)', '0:1 0:12 0:2'), (25, '..', '0:1 0:2 0:3 0:1 0:2'),
	-- no time passes within an instant
	(30, '(?1)(?t>0)(?2)', '0:1 0:2'), (31, '(?1)(?t>0)(?2)', '0:1 0:2 1:1 1:2 2:2'), (32, '(?1)(?t<1)(?2)', '0:1 0:2 1:1 1:2 2:2')
) v (id, pattern, events) ORDER BY id;

-- A pattern may be long; more events than it may have are an error.
SELECT sequence_match(repeat('(?1)', 1024), to_timestamp(i), true), sequence_count(repeat('.', 100), to_timestamp(i), true),
	sequence_match(repeat('(?1)', 63) || '(?2)', to_timestamp(i), i <> 64, i = 64), sequence_match(repeat('(?1)', 64) || '(?2)', to_timestamp(i), i <> 64, i = 64),
	sequence_match(repeat('(?1)', 64) || '(?2)', to_timestamp(i), i <> 65, i = 65)
FROM generate_series(1, 1024) i;

-- Bad patterns: code, message, detail, hint.
CREATE FUNCTION pg_temp.fail(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	code text; message text; detail text; hint text;
BEGIN
	EXECUTE query;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN code || ' ' || message || coalesce(' | ' || nullif(detail, ''), '') || coalesce(' | ' || nullif(hint, ''), '');
END $$;
SELECT pattern, pg_temp.fail(format('SELECT sequence_match(%L, now(), true, true)', pattern)) FROM (VALUES
	(1, ''), (2, ' .* '), (3, '1'), (4, '('), (5, '(?'), (6, '(1)'), (7, '(?1'), (8, '(?1]'), (9, '(?a)'), (10, '(?0)'), (11, '(?3)'), (12, '(?64)'), (13, '(?65)'), (14, '(?99999999999)'),
	(15, '(?-1)'), (16, '(?1)*'), (17, '(?1)+'), (18, '(?1)|(?2)'), (19, '.**'), (20, '(?1)(?2)é(?1)'), (21, E'(?1)\n(?2)\n x'),
	(30, '(?t<5)(?1)'), (31, '.*(?t<5)(?1)'), (32, '(?1)(?t<5)'), (33, '(?1)(?t<5).*'), (34, '(?1)(?t)(?2)'), (35, '(?1)(?t~5)(?2)'), (36, '(?1)(?t<)(?2)'), (37, '(?1)(?t<-5)(?2)'),
	(38, '(?1)(?t<1 hour)(?2)'), (39, '(?1)(?t<5s)(?2)'), (40, '(?1)(?t<1.)(?2)'), (41, '(?1)(?t<1.2345678)(?2)'), (42, '(?1)(?t<9223372036855)(?2)'), (43, '(?1)(?t<99999999999999999999)(?2)'),
	(50, '(?1)(?t<''1 hour)(?2)'), (51, '(?1)(?t<'''')(?2)'), (52, '(?1)(?t<''soon'')(?2)'), (53, '(?1)(?t<''1 month'')(?2)'), (54, '(?1)(?t<''-1 hour'')(?2)'), (55, '(?1)(?t<''1 year ago'')(?2)'),
	(56, '(?1)(?t<''1 hour ago'')(?2)'), (57, '(?1)(?t<''200000000 days'')(?2)'), (58, '(?1)(?t<''1 day -1 hour'')(?2)')
) v (id, pattern) ORDER BY id;
SELECT pg_temp.fail($$SELECT sequence_match(repeat('(?1)', 1025), now(), true)$$),
	pg_temp.fail($$SELECT sequence_match('(?1)' || repeat('(?t!=1)', 1025) || '(?1)', now(), true)$$),
	pg_temp.fail($$SELECT sequence_match('(?1)(?t<"' || repeat('x', 100) || '")(?1)', now(), true)$$);
-- Seconds that differ, but too many of them.
SELECT pg_temp.fail(format('SELECT sequence_match(%L, now(), true)', '(?1)' || string_agg(format('(?t!=%s)', 2 * i), '') || '(?1)')) FROM generate_series(1, 1023) i;
SELECT pg_temp.fail(format('SELECT sequence_match(%L, now(), true)', '(?1)' || string_agg(format('(?t!=%s)', 2 * i), '') || '(?1)')) FROM generate_series(1, 1024) i;

-- Other arguments.
SELECT call, pg_temp.fail('SELECT ' || call) FROM (VALUES
	(1, 'sequence_match(NULL, now(), true)'), (2, 'sequence_match(''.'', ''infinity'', true)'), (3, 'sequence_match(''.'', ''-infinity'', true)'), (4, 'sequence_match(''.'', ''infinity'', false)'),
	(5, 'sequence_match(''.'', now(), VARIADIC NULL)'), (6, 'sequence_match(''.'', now(), VARIADIC ''{}'')'), (7, 'sequence_match(''.'', now(), VARIADIC ''{{t},{f}}'')'),
	(8, 'sequence_match(''.'', now(), VARIADIC array_fill(true, ''{65}''))'), (9, 'sequence_match(''(?64)'', now(), VARIADIC array_fill(true, ''{64}''))'),
	(10, 'sequence_match(CASE i WHEN 1 THEN ''.'' ELSE ''..'' END, now(), true) FROM generate_series(1, 2) i')
) v (id, call) ORDER BY id;
