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

-- Milliseconds on the wall, or (setting bench.clock = cpu) on a processor.
CREATE FUNCTION bench.now_ms() RETURNS float8 LANGUAGE plpgsql AS
$$
BEGIN
	IF current_setting('bench.clock', true) = 'cpu' THEN
		RETURN split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::float8 / 1e6;
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

CREATE FUNCTION bench.median(measured text, of_side text) RETURNS float8 LANGUAGE sql STABLE
RETURN (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FROM bench.run WHERE what = measured AND side = of_side);

CREATE FUNCTION bench.show_ms(ms float8) RETURNS text LANGUAGE sql IMMUTABLE
RETURN CASE WHEN ms >= 1000 THEN round((ms / 1000)::numeric, 2) || ' s' ELSE round(ms::numeric, 1) || ' ms' END;

-- "1.23 s (1.20-1.31)"
CREATE FUNCTION bench.show(measured text, of_side text) RETURNS text LANGUAGE sql STABLE
RETURN (SELECT bench.show_ms(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)) || ' (' ||
		bench.show_ms(min(ms)) || ' - ' || bench.show_ms(max(ms)) || ')'
	FROM bench.run WHERE what = measured AND side = of_side);

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
