-- harness: times two statements in turn and keeps every run.
CREATE SCHEMA bench;

CREATE TABLE bench.run
(
	what	text,
	side	text,
	run		int,
	ms		float8
);

-- What is printed at the end, in order.
CREATE TABLE bench.line
(
	no		serial,
	what	text,
	ours	text,
	against	text,
	ratio	text,
	aim		text,
	ok		boolean				-- NULL: no aim, shown for comparison
);

-- Sizes and plans, printed below the table.
CREATE TABLE bench.note (no serial, note text);

-- Processor time of this backend in milliseconds.  The kernel adds up the time of
-- a running process every few milliseconds; a short sleep makes the figure exact.
CREATE FUNCTION bench.cpu_ms() RETURNS float8 LANGUAGE plpgsql AS
$$
BEGIN
	PERFORM pg_sleep(0.0001);
	RETURN split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::float8 / 1e6;
END
$$;

-- Milliseconds on the wall, or (setting bench.clock = cpu) on a processor.
CREATE FUNCTION bench.now_ms() RETURNS float8 LANGUAGE plpgsql AS
$$
BEGIN
	IF current_setting('bench.clock', true) = 'cpu' THEN
		RETURN bench.cpu_ms();
	END IF;
	RETURN extract(epoch FROM clock_timestamp())::float8 * 1000;
END
$$;

CREATE FUNCTION bench.time_once(statement text) RETURNS float8 LANGUAGE plpgsql AS
$$
DECLARE
	began float8 := bench.now_ms();
BEGIN
	EXECUTE statement;
	RETURN bench.now_ms() - began;
END
$$;

-- Sides are timed in turn, so that a busy moment hits all of them.
CREATE PROCEDURE bench.measure(measured text, runs int, VARIADIC sides text[]) LANGUAGE plpgsql AS
$$
DECLARE
	took float8;
BEGIN
	FOR run IN 0 .. runs LOOP
		FOR i IN 1 .. cardinality(sides) / 2 LOOP
			took := bench.time_once(sides[2 * i]);
			IF run > 0 THEN
				INSERT INTO bench.run VALUES (measured, sides[2 * i - 1], run, took);
			END IF;
		END LOOP;
		COMMIT;
	END LOOP;
END
$$;

-- Processor time of statements at two sizes, n and twice n, commit included.  Each
-- side is three texts: its name; a statement that prepares a run, which is not
-- measured, or ''; the statement.  In both statements {n} stands for the size.
-- Runs are kept under the names "SIDE 1" (size n) and "SIDE 2" (twice n).
CREATE PROCEDURE bench.measure_growth(measured text, runs int, n int, VARIADIC sides text[]) LANGUAGE plpgsql AS
$$
DECLARE
	began float8;
	took float8;
BEGIN
	FOR run IN 0 .. runs LOOP
		FOR i IN 1 .. cardinality(sides) BY 3 LOOP
			FOR times IN 1 .. 2 LOOP
				IF sides[i + 1] <> '' THEN
					EXECUTE replace(sides[i + 1], '{n}', (times * n)::text);
					COMMIT;
				END IF;
				began := bench.cpu_ms();
				EXECUTE replace(sides[i + 2], '{n}', (times * n)::text);
				COMMIT;
				took := bench.cpu_ms() - began;
				IF run > 0 THEN
					INSERT INTO bench.run VALUES (measured, sides[i] || ' ' || times, run, took);
				END IF;
			END LOOP;
		END LOOP;
		COMMIT;
	END LOOP;
END
$$;

-- NULL if nothing was measured, or less than the clock can tell.
CREATE FUNCTION bench.median(measured text, of_side text) RETURNS float8 LANGUAGE sql STABLE
RETURN (SELECT nullif(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms), 0) FROM bench.run WHERE what = measured AND side = of_side);

CREATE FUNCTION bench.show_ms(ms float8) RETURNS text LANGUAGE sql IMMUTABLE
RETURN CASE WHEN ms >= 1000 THEN round((ms / 1000)::numeric, 2) || ' s' ELSE round(ms::numeric, 1) || ' ms' END;

-- "1.23 s (1.20-1.31)"
CREATE FUNCTION bench.show(measured text, of_side text) RETURNS text LANGUAGE sql STABLE
RETURN (SELECT bench.show_ms(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)) || ' (' ||
		bench.show_ms(min(ms)) || ' - ' || bench.show_ms(max(ms)) || ')'
	FROM bench.run WHERE what = measured AND side = of_side);

-- The line of one side that was measured at two sizes: is it linear?
CREATE FUNCTION bench.add_growth(label text, measured text, of_side text, n int, unit text) RETURNS void LANGUAGE sql
BEGIN ATOMIC
	INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
	SELECT label, 2 * n || ' ' || unit || ': ' || bench.show(measured, of_side || ' 2'), n || ': ' || bench.show(measured, of_side || ' 1'),
		round(ratio::numeric, 2) || ' x the CPU time', '<= 2.5 x', ratio <= 2.5
	FROM (SELECT bench.median(measured, of_side || ' 2') / bench.median(measured, of_side || ' 1') AS ratio) AS r;
END;

-- The line that compares two sides at the larger size.
CREATE FUNCTION bench.add_against(label text, measured text, of_side text, other_label text, other_side text, at_most float8) RETURNS void LANGUAGE sql
BEGIN ATOMIC
	INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
	SELECT label, bench.show(measured, of_side), other_label || ': ' || bench.show(measured, other_side),
		round(ratio::numeric, 2) || ' x the CPU time', coalesce('<= ' || at_most || ' x', 'shown'), ratio <= at_most
	FROM (SELECT bench.median(measured, of_side) / bench.median(measured, other_side) AS ratio) AS r;
END;

-- Node types from the top of the plan down.
CREATE FUNCTION bench.plan_shape(statement text) RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON, COSTS OFF) ' || statement INTO plan;
	RETURN (
		WITH RECURSIVE node AS (
			SELECT plan -> 0 -> 'Plan' AS node, ARRAY[1] AS place
			UNION ALL
			SELECT child.value, place || child.ordinality::int
			FROM node, json_array_elements(node -> 'Plans') WITH ORDINALITY AS child
		)
		SELECT string_agg(coalesce(node ->> 'Strategy' || ' ', '') || (node ->> 'Node Type'), ' < ' ORDER BY place)
		FROM node);
END
$$;

-- Calls a second and nanoseconds a call, beyond what the same rows cost without it.
CREATE FUNCTION bench.call_ns(measured text, of_side text, floor_side text, calls bigint) RETURNS float8 LANGUAGE sql STABLE
RETURN (bench.median(measured, of_side) - bench.median(measured, floor_side)) * 1e6 / calls;

CREATE FUNCTION bench.show_rate(ns float8) RETURNS text LANGUAGE sql IMMUTABLE
RETURN CASE WHEN ns <= 0 THEN 'below noise' ELSE round((1e3 / ns)::numeric, 2) || ' M calls/s (' || round(ns) || ' ns)' END;
