-- Costs that must grow in proportion to rows, statements and past events: each is
-- measured at two sizes.  All figures are processor time of the backend, commit
-- included.
SET bench.clock = cpu;
SET synchronous_commit = off;
\set nested 20000 * :scale
\set bulk 100000 * :scale
\set moves 10000 * :scale
\set past 7000 * :scale
\set singles 20000 * :scale
SELECT greatest(round(:nested), 1000)::int AS nested, greatest(round(:bulk), 2000)::int AS bulk, greatest(round(:moves), 1000)::int AS moves,
	greatest(round(:past), 200)::int AS past, greatest(round(:singles), 1000)::int AS singles \gset
SELECT greatest(:singles / 40, 100) AS few_singles \gset

SELECT align.agree('linear', $$
	stage a, b, d held by sales;
	won c;
	success path a -> b -> d -> c;
	path b -> a;
	path d -> a;
	sla answer by sales: from b to a, d within 10 days;
$$) \g /dev/null
CREATE FUNCTION bench.other(stage text) RETURNS text LANGUAGE sql IMMUTABLE RETURN CASE stage WHEN 'a' THEN 'b' ELSE 'a' END;
CREATE FUNCTION bench.one_of_three(stage text) RETURNS text LANGUAGE sql IMMUTABLE RETURN CASE stage WHEN 'a' THEN 'b' WHEN 'b' THEN 'd' ELSE 'a' END;

-- Triggers of the user that update a lead twice per row: one on a table of
-- activities, whose first UPDATE leaves the stage alone; one on the leads
-- themselves, named so that it fires before align's.
CREATE TABLE bench.nested (id bigint PRIMARY KEY, stage text, score int DEFAULT 0, active_at timestamptz);
INSERT INTO bench.nested SELECT i, 'a' FROM generate_series(1, 2 * :nested) AS i;
CREATE TABLE bench.nested_free (LIKE bench.nested INCLUDING ALL);
INSERT INTO bench.nested_free SELECT * FROM bench.nested;
SELECT align.attach('bench.nested', 'linear') \g /dev/null
CREATE FUNCTION bench.on_activity() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
	IF TG_TABLE_NAME = 'activity' THEN
		UPDATE bench.nested SET active_at = clock_timestamp() WHERE id = new.lead;
		UPDATE bench.nested SET stage = bench.other(stage) WHERE id = new.lead;
	ELSE
		UPDATE bench.nested_free SET active_at = clock_timestamp() WHERE id = new.lead;
		UPDATE bench.nested_free SET stage = bench.other(stage) WHERE id = new.lead;
	END IF;
	RETURN NULL;
END
$$;
CREATE TABLE bench.activity (lead bigint);
CREATE TABLE bench.activity_free (lead bigint);
CREATE TRIGGER on_activity AFTER INSERT ON bench.activity FOR EACH ROW EXECUTE FUNCTION bench.on_activity();
CREATE TRIGGER on_activity AFTER INSERT ON bench.activity_free FOR EACH ROW EXECUTE FUNCTION bench.on_activity();
VACUUM ANALYZE;
CALL bench.measure_growth('activity', :runs, :nested,
	'ours', '', 'INSERT INTO bench.activity SELECT generate_series(1, {n})',
	'free', '', 'INSERT INTO bench.activity_free SELECT generate_series(1, {n})');

CREATE FUNCTION bench.on_score() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
	IF TG_TABLE_NAME = 'nested' THEN
		UPDATE bench.nested SET active_at = clock_timestamp() WHERE id = new.id;
		UPDATE bench.nested SET stage = bench.other(stage) WHERE id = new.id;
	ELSE
		UPDATE bench.nested_free SET active_at = clock_timestamp() WHERE id = new.id;
		UPDATE bench.nested_free SET stage = bench.other(stage) WHERE id = new.id;
	END IF;
	RETURN NULL;
END
$$;
CREATE TRIGGER aa_score AFTER UPDATE OF score ON bench.nested FOR EACH ROW EXECUTE FUNCTION bench.on_score();
CREATE TRIGGER aa_score AFTER UPDATE OF score ON bench.nested_free FOR EACH ROW EXECUTE FUNCTION bench.on_score();
CALL bench.measure_growth('score', :runs, :nested,
	'ours', '', 'UPDATE bench.nested SET score = score + 1, stage = bench.other(stage) WHERE id <= {n}',
	'free', '', 'UPDATE bench.nested_free SET score = score + 1, stage = bench.other(stage) WHERE id <= {n}');
SELECT bench.add_growth(label, measured, 'ours', :nested, 'rows'), bench.add_against(label, measured, 'ours 2', 'the same without align', 'free 2', 4)
FROM (VALUES (1, 'trigger that updates a lead twice', 'activity'), (2, 'trigger on leads that updates the lead', 'score')) AS v(no, label, measured)
ORDER BY no \g /dev/null

-- One UPDATE of many leads: under the version they were recorded under; after a
-- version renamed all stages; with one lead changed while triggers were off.  Other
-- leads for each size: none is updated more often than others.  Pages are half empty,
-- so that the lead changed unseen stays the first of them.
CREATE TABLE bench.kept (id bigint PRIMARY KEY, stage text) WITH (fillfactor = 50);
INSERT INTO bench.kept SELECT i, 'a' FROM generate_series(:bulk, 4 * :bulk - 1) AS i;
CREATE TABLE bench.unseen (LIKE bench.kept INCLUDING ALL) WITH (fillfactor = 50);
INSERT INTO bench.unseen SELECT * FROM bench.kept;
CREATE TABLE bench.renamed (LIKE bench.kept INCLUDING ALL) WITH (fillfactor = 50);
INSERT INTO bench.renamed SELECT id, 'a0' FROM bench.kept;
CREATE SEQUENCE bench.version MINVALUE 0;
-- Each version calls the stages a0, b0, or a1, b1, or a2, b2, and knows the other
-- names as labels.  With three names, also a lead that is updated under every
-- second version only was recorded under another name.
CREATE FUNCTION bench.rename() RETURNS void LANGUAGE plpgsql AS
$$
DECLARE
	this bigint := nextval('bench.version') % 3;
	next bigint := (this + 1) % 3;
	last bigint := (this + 2) % 3;
BEGIN
	PERFORM align.agree('linear_renamed', format('stage a%1$s, b%1$s held by sales; won c; success path a%1$s -> b%1$s -> c; path b%1$s -> a%1$s;
		sla answer by sales: from b%1$s to a%1$s within 10 days; a%1$s known as ''a%2$s'', ''a%3$s''; b%1$s known as ''b%2$s'', ''b%3$s'';', this, next, last));
END
$$;
CREATE FUNCTION bench.move_renamed(n int) RETURNS void LANGUAGE plpgsql AS
$$
BEGIN
	UPDATE bench.renamed SET stage = CASE WHEN left(stage, 1) = 'a' THEN 'b' ELSE 'a' END || currval('bench.version') % 3 WHERE id >= n AND id < 2 * n;
END
$$;
CREATE FUNCTION bench.change_unseen(wanted bigint) RETURNS void LANGUAGE plpgsql AS
$$
BEGIN
	SET LOCAL session_replication_role = replica;
	UPDATE bench.unseen SET stage = bench.one_of_three(stage) WHERE id = wanted;
END
$$;
SELECT bench.rename() \g /dev/null
SELECT align.attach('bench.kept', 'linear'), align.attach('bench.unseen', 'linear'), align.attach('bench.renamed', 'linear_renamed') \g /dev/null
VACUUM ANALYZE;
CALL bench.measure_growth('bulk', :runs, :bulk,
	'kept', '', 'UPDATE bench.kept SET stage = bench.one_of_three(stage) WHERE id >= {n} AND id < 2 * {n}',
	'renamed', 'SELECT bench.rename()', 'SELECT bench.move_renamed({n})',
	'unseen', 'SELECT bench.change_unseen({n})', 'UPDATE bench.unseen SET stage = bench.one_of_three(stage) WHERE id >= {n} AND id < 2 * {n}');
SELECT bench.add_growth(label, 'bulk', side, :bulk, 'rows'), bench.add_against(label, 'bulk', side || ' 2', 'without it', 'kept 2', 1.25)
FROM (VALUES (1, 'UPDATE after all stages were renamed', 'renamed'), (2, 'UPDATE, one lead changed unseen before', 'unseen')) AS v(no, label, side)
ORDER BY no \g /dev/null
SELECT count(*) AS wrong FROM align.check('bench.renamed') \gset
\if :wrong
	\warn 'align.check() finds differences'
	SELECT 1 / 0;
\endif
DROP TABLE bench.kept, bench.kept_history, bench.kept_sla, bench.renamed, bench.renamed_history, bench.renamed_sla,
	bench.unseen, bench.unseen_history, bench.unseen_sla, bench.nested, bench.nested_history, bench.nested_sla, bench.nested_free;

-- DELETE directly from a partition, where no statement trigger fires, as none does
-- in the apply worker of logical replication (test/t/linear.pl measures that one).
CREATE TABLE bench.parted (id bigint PRIMARY KEY, stage text) PARTITION BY RANGE (id);
CREATE TABLE bench.part PARTITION OF bench.parted FOR VALUES FROM (0) TO (1000000000);
SELECT align.attach('bench.parted', 'linear') \g /dev/null
CALL bench.measure_growth('delete', :runs, :nested,
	'ours', 'INSERT INTO bench.parted SELECT i, ''a'' FROM generate_series(1, {n}) AS i', 'DELETE FROM bench.part');
SELECT bench.add_growth('DELETE directly from a partition', 'delete', 'ours', :nested, 'rows') \g /dev/null
DROP TABLE bench.parted, bench.parted_history, bench.parted_sla;

-- Many moves of one lead in one transaction.  The row is found by its ctid: by its
-- key, PostgreSQL itself would read every version that the transaction made before.
CREATE TABLE bench.single_free (id bigint PRIMARY KEY, stage text);
INSERT INTO bench.single_free SELECT i, CASE WHEN i % 2 = 0 THEN 'a' ELSE 'b' END FROM generate_series(1, :singles) AS i;
CREATE TABLE bench.single (LIKE bench.single_free INCLUDING ALL);
INSERT INTO bench.single SELECT * FROM bench.single_free;
CREATE TABLE bench.single_by_sql (LIKE bench.single_free INCLUDING ALL);
INSERT INTO bench.single_by_sql SELECT * FROM bench.single_free;
SELECT align.attach('bench.single', 'linear'), align.attach('bench.single_by_sql', 'linear') \g /dev/null
-- With a column more, align writes by SQL instead of directly.
ALTER TABLE bench.single_by_sql_history ADD COLUMN extra int;
VACUUM ANALYZE;
CREATE FUNCTION bench.move_one(relation text, moves int) RETURNS void LANGUAGE plpgsql AS
$$
DECLARE
	place tid;
BEGIN
	EXECUTE format('SELECT ctid FROM %s WHERE id = 1', relation) INTO place;
	FOR i IN 1 .. moves LOOP
		EXECUTE format('UPDATE %s SET stage = bench.other(stage) WHERE ctid = $1 RETURNING ctid', relation) INTO place USING place;
	END LOOP;
END
$$;
CALL bench.measure_growth('moves', :runs, :moves,
	'ours', '', 'SELECT bench.move_one(''bench.single'', {n})',
	'free', '', 'SELECT bench.move_one(''bench.single_free'', {n})');
SELECT bench.add_growth('moves of one lead in one transaction', 'moves', 'ours', :moves, 'moves'),
	bench.add_against('moves of one lead in one transaction', 'moves', 'ours 2', 'the same without align', 'free 2', NULL) \g /dev/null

-- Moves of single leads, a transaction each: by the recorder's direct path and by
-- SQL; and of a lead with a long past.  A lead closes a clock with every second move.
CREATE TABLE bench.past (LIKE bench.single_free INCLUDING ALL);
INSERT INTO bench.past SELECT i, 'a' FROM generate_series(0, :few_singles) AS i;
SELECT align.attach('bench.past', 'linear') \g /dev/null
CREATE PROCEDURE bench.give_past(clocks int) LANGUAGE plpgsql AS
$$
BEGIN
	FOR i IN 1 .. 20 LOOP
		UPDATE bench.past SET stage = bench.other(stage) WHERE id > 0;
		COMMIT;
	END LOOP;
	FOR i IN 1 .. 2 * clocks LOOP
		UPDATE bench.past SET stage = bench.other(stage) WHERE id = 0;
		COMMIT;
	END LOOP;
END
$$;
CALL bench.give_past(:past);
VACUUM ANALYZE;
CREATE PROCEDURE bench.measure_singles(measured text, runs int, moves int, VARIADIC sides text[]) LANGUAGE plpgsql AS
$$
DECLARE
	began float8;
	took float8;
BEGIN
	FOR run IN 0 .. runs LOOP
		FOR side IN 1 .. cardinality(sides) LOOP
			began := bench.cpu_ms();
			FOR i IN 1 .. moves LOOP
				CASE sides[side]
					WHEN 'free' THEN UPDATE bench.single_free SET stage = bench.other(stage) WHERE id = i;
					WHEN 'direct' THEN UPDATE bench.single SET stage = bench.other(stage) WHERE id = i;
					WHEN 'by SQL' THEN UPDATE bench.single_by_sql SET stage = bench.other(stage) WHERE id = i;
					WHEN 'short past' THEN UPDATE bench.past SET stage = bench.other(stage) WHERE id = i;
					WHEN 'long past' THEN UPDATE bench.past SET stage = bench.other(stage) WHERE id = 0;
				END CASE;
				COMMIT;
			END LOOP;
			took := bench.cpu_ms() - began;
			IF run > 0 THEN
				INSERT INTO bench.run VALUES (measured, sides[side], run, took);
			END IF;
			COMMIT;
		END LOOP;
	END LOOP;
END
$$;
CALL bench.measure_singles('past', :runs, :few_singles, 'short past', 'long past');
CALL bench.measure_singles('single', :runs, :singles, 'free', 'direct', 'by SQL');
SELECT bench.add_against(:few_singles || ' moves of a lead with ' || :past || ' closed clocks', 'past', 'long past', 'of leads with 10', 'short past', 1.5),
	bench.add_against(:singles || ' single-row UPDATEs, written directly', 'single', 'direct', 'no triggers', 'free', NULL),
	bench.add_against(:singles || ' single-row UPDATEs, written by SQL', 'single', 'by SQL', 'no triggers', 'free', NULL),
	bench.add_against(:singles || ' single-row UPDATEs, written directly', 'single', 'direct', 'written by SQL', 'by SQL', 0.9) \g /dev/null
SELECT count(*) AS wrong FROM align.check('bench.single') \gset
\if :wrong
	\warn 'align.check() finds differences'
	SELECT 1 / 0;
\endif
INSERT INTO bench.note (note) VALUES ('linear: processor time of the backend, commit included; synchronous_commit off');
DROP TABLE bench.single, bench.single_history, bench.single_sla, bench.single_by_sql, bench.single_by_sql_history, bench.single_by_sql_sla,
	bench.single_free, bench.past, bench.past_history, bench.past_sla;
