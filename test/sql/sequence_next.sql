-- sequence_next: the event next to a chain.  The tables are those of ClickHouse's documentation of sequenceNextNode.
SET search_path = align, public;
SET TimeZone = 'UTC';

CREATE TABLE next_flow (at int, id int, page text);
INSERT INTO next_flow VALUES (1, 1, 'Home'), (2, 1, 'Gift'), (3, 1, 'Exit'), (1, 2, 'Home'), (2, 2, 'Home'), (3, 2, 'Gift'), (4, 2, 'Basket'),
	(1, 3, 'Gift'), (2, 3, 'Home'), (3, 3, 'Gift'), (4, 3, 'Basket');
SELECT id, sequence_next('forward', 'head', to_timestamp(at), page, page = 'Home', page = 'Home', page = 'Gift') AS head,
	sequence_next('backward', 'tail', to_timestamp(at), page, page = 'Basket', page = 'Basket', page = 'Gift') AS tail,
	sequence_next('forward', 'first_match', to_timestamp(at), page, page = 'Gift', page = 'Gift') AS first_1,
	sequence_next('forward', 'first_match', to_timestamp(at), page, page = 'Gift', page = 'Gift', page = 'Home') AS first_2,
	sequence_next('backward', 'last_match', to_timestamp(at), page, page = 'Gift', page = 'Gift') AS last_1,
	sequence_next('backward', 'last_match', to_timestamp(at), page, page = 'Gift', page = 'Gift', page = 'Home') AS last_2,
	sequence_next('forward', 'last_match', to_timestamp(at), page, true, page = 'Gift') AS forward_last,
	sequence_next('backward', 'first_match', to_timestamp(at), page, true, page = 'Gift') AS backward_first
FROM next_flow GROUP BY id ORDER BY id;

-- The base condition.
SELECT sequence_next('forward', 'head', to_timestamp(at), page, ref = 'ref1', page = 'A') AS head,
	sequence_next('backward', 'tail', to_timestamp(at), page, ref = 'ref4', page = 'B') AS tail,
	sequence_next('forward', 'first_match', to_timestamp(at), page, ref = 'ref3', page = 'A') AS first,
	sequence_next('backward', 'last_match', to_timestamp(at), page, ref = 'ref2', page = 'B') AS last,
	sequence_next('FORWARD', 'Head', to_timestamp(at), page, NULL, page = 'A') AS null_base
FROM (VALUES (1, 'A', 'ref4'), (2, 'A', 'ref3'), (3, 'B', 'ref2'), (4, 'B', 'ref1')) v (at, page, ref);

-- No rows; rows without a time or an event; a row for which no condition holds is a neighbour.
SELECT sequence_next('forward', 'head', now(), 'x', true, true) WHERE false;
SELECT sequence_next('forward', 'head', at, page, true, page = 'A'), sequence_next('forward', 'head', at, page, true, page = 'A', NULL)
FROM (VALUES (to_timestamp(1), 'A'), (NULL, 'x'), (to_timestamp(2), NULL), (to_timestamp(3), ''), (to_timestamp(4), 'B')) v (at, page);
SELECT sequence_next('forward', 'first_match', to_timestamp(i), i::text, true, i = 1, i = 3) FROM generate_series(1, 4) i;

-- Simultaneous rows are in the order of their events, as bytes, however they come.
SELECT sequence_next('forward', 'head', to_timestamp(0), page, true, true ORDER BY o), sequence_next('forward', 'head', to_timestamp(0), page, true, true ORDER BY o DESC),
	sequence_next('backward', 'tail', to_timestamp(0), page, true, true ORDER BY o)
FROM (VALUES (1, 'b'), (2, 'a'), (3, 'B'), (4, 'ab'), (5, 'é')) v (o, page);

-- Errors.
SELECT sequence_next('sideways', 'head', now(), 'x', true, true);
SELECT sequence_next('forward', 'middle', now(), 'x', true, true);
SELECT sequence_next('forward', 'tail', now(), 'x', true, true);
SELECT sequence_next('backward', 'head', now(), 'x', true, true);
SELECT sequence_next(NULL, 'head', now(), 'x', true, true);
SELECT sequence_next('forward', NULL, now(), 'x', true, true);
SELECT sequence_next('forward', 'head', 'infinity', 'x', true, true);
SELECT sequence_next('forward', 'head', now(), 'x', true, VARIADIC '{}');
SELECT sequence_next('forward', 'head', now(), 'x', true, VARIADIC NULL);
SELECT sequence_next('forward', CASE i WHEN 1 THEN 'head' ELSE 'first_match' END, now(), 'x', true, true) FROM generate_series(1, 2) i;
SELECT sequence_next('forward', 'head', now(), 'x', true, VARIADIC array_fill(true, ARRAY[i])) FROM generate_series(1, 2) i;

-- 2,000 groups of 20 rows against plain SQL: all bases and directions, by hashing, sorting and in several processes.
CREATE TABLE next_visit AS
SELECT i % 2000 AS id, timestamptz '2026-01-01' + (hashint4(i) & 31) * interval '1 minute' AS at, repeat(chr(65 + (hashint4(i + 1) & 3)), 1 + i % 7) AS page, hashint4(i + 2) & 1 = 0 AS base
FROM generate_series(1, 40000) i;
ALTER TABLE next_visit SET (parallel_workers = 2);
ANALYZE next_visit;
CREATE VIEW next_numbered AS
SELECT *, row_number() OVER w AS n, pg_catalog.lead(page) OVER w AS p1, pg_catalog.lead(page, 2) OVER w AS p2, lag(page) OVER w AS m1, lag(page, 2) OVER w AS m2, count(*) OVER (PARTITION BY id) AS nrows
FROM next_visit WINDOW w AS (PARTITION BY id ORDER BY at, page COLLATE "C", base DESC);
CREATE TABLE next_expected AS
SELECT id, max(p2) FILTER (WHERE n = 1 AND base AND page ~ 'A|B' AND p1 ~ 'B|C') AS head,
	max(m2) FILTER (WHERE n = nrows AND base AND page ~ 'A|B' AND m1 ~ 'B|C') AS tail,
	(array_agg(CASE WHEN p1 ~ 'B|C' THEN p2 END ORDER BY n) FILTER (WHERE base AND page ~ 'A|B'))[1] AS forward_first,
	(array_agg(CASE WHEN p1 ~ 'B|C' THEN p2 END ORDER BY n DESC) FILTER (WHERE base AND page ~ 'A|B'))[1] AS forward_last,
	(array_agg(CASE WHEN m1 ~ 'B|C' THEN m2 END ORDER BY n) FILTER (WHERE base AND page ~ 'A|B'))[1] AS backward_first,
	(array_agg(CASE WHEN m1 ~ 'B|C' THEN m2 END ORDER BY n DESC) FILTER (WHERE base AND page ~ 'A|B'))[1] AS backward_last
FROM next_numbered GROUP BY id;
CREATE VIEW next_answer AS
SELECT id, sequence_next('forward', 'head', at, page, base, page ~ 'A|B', page ~ 'B|C') AS head,
	sequence_next('backward', 'tail', at, page, base, page ~ 'A|B', page ~ 'B|C') AS tail,
	sequence_next('forward', 'first_match', at, page, base, page ~ 'A|B', page ~ 'B|C') AS forward_first,
	sequence_next('forward', 'last_match', at, page, base, page ~ 'A|B', page ~ 'B|C') AS forward_last,
	sequence_next('backward', 'first_match', at, page, base, page ~ 'A|B', page ~ 'B|C') AS backward_first,
	sequence_next('backward', 'last_match', at, page, base, page ~ 'A|B', page ~ 'B|C') AS backward_last
FROM next_visit GROUP BY id;
SELECT count(*), count(head), count(tail), count(forward_first), count(forward_last), count(backward_first), count(backward_last) FROM next_expected;
SET max_parallel_workers_per_gather = 0;
SET enable_hashagg = off;
SELECT count(*) FROM (TABLE next_answer EXCEPT TABLE next_expected) d;
SET enable_hashagg = on;
SET enable_sort = off;
SELECT count(*) FROM (TABLE next_answer EXCEPT TABLE next_expected) d;
RESET enable_sort;
CREATE VIEW next_all AS
SELECT sequence_next('forward', 'first_match', at, page, id = 7, page ~ 'A|B') AS first,
	sequence_next('backward', 'last_match', at, page, id = 7, page ~ 'A|B') AS last
FROM next_visit;
CREATE TABLE next_parallel AS SELECT * FROM next_all;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 1;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT * FROM next_all;
SELECT count(*) FROM (TABLE next_all EXCEPT TABLE next_parallel) d;
TABLE next_parallel;

-- In window frames.
SELECT i, sequence_next('forward', 'head', to_timestamp(i), chr(64 + i), true, true) OVER (ORDER BY i ROWS 2 PRECEDING) FROM generate_series(1, 5) i;

DROP VIEW next_answer, next_numbered, next_all;
DROP TABLE next_flow, next_visit, next_expected, next_parallel;
