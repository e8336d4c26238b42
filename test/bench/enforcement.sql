-- A table under an agreement, beside triggers written by hand.  Every run moves
-- every lead one stage on: a third mql -> sal (one clock stops, one starts), a
-- third sal -> nurture (one stops), a third nurture -> mql (one starts).
\set leads 1000000 * :scale
SELECT greatest(round(:leads), 3000)::int AS leads \gset

\ir by_hand.sql

-- The same leads again and again.
CREATE TABLE bench.plain (LIKE bench.lead INCLUDING ALL);
CREATE TABLE bench.noop (LIKE bench.lead INCLUDING ALL);
CREATE TABLE bench.judged (LIKE bench.lead INCLUDING ALL);
CREATE TABLE bench.by_row (LIKE bench.lead INCLUDING ALL);
INSERT INTO bench.plain SELECT * FROM bench.lead ORDER BY id;
INSERT INTO bench.noop SELECT * FROM bench.lead ORDER BY id;
INSERT INTO bench.judged SELECT * FROM bench.lead ORDER BY id;
INSERT INTO bench.by_row SELECT * FROM bench.lead ORDER BY id;
CREATE TABLE bench.by_row_history (LIKE bench.ours_history INCLUDING ALL);
CREATE TABLE bench.by_row_sla (LIKE bench.ours_sla INCLUDING ALL);
INSERT INTO bench.by_row_history SELECT * FROM bench.ours_history;
INSERT INTO bench.by_row_sla SELECT * FROM bench.ours_sla;
-- The floor: the very rows that align writes, written by plain statements.
CREATE TABLE bench.floor (LIKE bench.lead INCLUDING ALL);
CREATE TABLE bench.floor_history (LIKE bench.ours_history INCLUDING ALL);
CREATE TABLE bench.floor_sla (LIKE bench.ours_sla INCLUDING ALL);
INSERT INTO bench.floor SELECT * FROM bench.lead ORDER BY id;
INSERT INTO bench.floor_history SELECT * FROM bench.ours_history;
INSERT INTO bench.floor_sla SELECT * FROM bench.ours_sla;
CREATE UNLOGGED TABLE bench.new_entry (LIKE bench.ours_history);
CREATE UNLOGGED TABLE bench.stopped_clock (LIKE bench.ours_sla);
CREATE UNLOGGED TABLE bench.started_clock (LIKE bench.ours_sla);
VACUUM ANALYZE;

-- A row at a time, as most people would.
CREATE FUNCTION bench.by_row() RETURNS trigger LANGUAGE plpgsql AS
$$
DECLARE
	moment timestamptz := clock_timestamp();
	hours align.calendar := align.hours(align.agreed('bench_leads'), 'sales');
	last int;
	f bench.team;
	t bench.team;
	x bench.starts;
BEGIN
	IF NOT EXISTS (SELECT FROM bench.move AS m WHERE m.from_stage = old.stage AND m.stage = new.stage) THEN
		RAISE EXCEPTION 'lead % cannot move from "%" to "%"', new.id, old.stage, new.stage;
	END IF;
	IF new.stage = 'sal' AND (coalesce(btrim(new.email), '') = '' OR coalesce(btrim(new.company), '') = '') THEN
		RAISE EXCEPTION 'lead % needs an email and a company', new.id;
	END IF;
	SELECT * INTO f FROM bench.team AS e WHERE e.stage = old.stage;
	SELECT * INTO t FROM bench.team AS e WHERE e.stage = new.stage;
	SELECT entry_no INTO last FROM bench.by_row_history AS h WHERE h.id = new.id ORDER BY entry_no DESC LIMIT 1;
	INSERT INTO bench.by_row_history (id, entry_no, event, effective_at, recorded_at, from_stage, stage, from_team, team, assignee, db_role, agreement, version, handoff)
	VALUES (new.id, last + 1, 'move', moment, moment, old.stage, new.stage, f.team, t.team, new.owner, current_user, 'bench_leads', 1, t.handoff);
	UPDATE bench.by_row_sla AS s
	SET stopped_at = moment, outcome = CASE WHEN moment <= s.due_at THEN 'met' ELSE 'missed' END, assignee_at_stop = new.owner,
		elapsed = CASE WHEN e.working THEN align.working_time(hours, s.started_at, moment) ELSE moment - s.started_at END
	FROM bench.stops AS e
	WHERE e.stage = new.stage AND s.id = new.id AND s.sla = e.sla AND s.outcome IS NULL;
	FOR x IN SELECT * FROM bench.starts AS e WHERE e.stage = new.stage LOOP
		SELECT cycle INTO last FROM bench.by_row_sla AS s WHERE s.id = new.id AND s.sla = x.sla ORDER BY cycle DESC LIMIT 1;
		INSERT INTO bench.by_row_sla (id, sla, cycle, team, assignee_at_start, assignee_at_due, started_at, due_at, warn_at, paused, agreement, version)
		VALUES (new.id, x.sla, coalesce(last, 0) + 1, x.team, new.owner, new.owner, moment,
			CASE WHEN x.working THEN align.add_working_time(hours, moment, x.within) ELSE moment + x.within END,
			CASE WHEN x.working THEN align.add_working_time(hours, moment, x.warn) ELSE moment + x.warn END, '{}', 'bench_leads', 1);
	END LOOP;
	RETURN NULL;
END
$$;
CREATE TRIGGER by_row AFTER UPDATE ON bench.by_row FOR EACH ROW WHEN (old.stage IS DISTINCT FROM new.stage) EXECUTE FUNCTION bench.by_row();

-- Keeps the rows that the last run of align's side wrote: every lead made one move.
CREATE FUNCTION bench.keep_written() RETURNS void LANGUAGE plpgsql AS
$$
BEGIN
	TRUNCATE bench.new_entry, bench.stopped_clock, bench.started_clock;
	INSERT INTO bench.new_entry SELECT * FROM bench.ours_history WHERE entry_no = (SELECT max(entry_no) FROM bench.ours_history);
	INSERT INTO bench.stopped_clock SELECT o.* FROM bench.ours_sla AS o JOIN bench.floor_sla AS f USING (id, sla, cycle)
		WHERE o.outcome IS NOT NULL AND f.outcome IS NULL;
	INSERT INTO bench.started_clock SELECT * FROM bench.ours_sla AS o
		WHERE NOT EXISTS (SELECT FROM bench.floor_sla AS f WHERE f.id = o.id AND f.sla = o.sla AND f.cycle = o.cycle);
	ANALYZE bench.new_entry, bench.stopped_clock, bench.started_clock;
END
$$;
CREATE FUNCTION bench.write_floor() RETURNS void LANGUAGE plpgsql AS
$$
BEGIN
	UPDATE bench.floor SET stage = CASE stage WHEN 'mql' THEN 'sal' WHEN 'sal' THEN 'nurture' ELSE 'mql' END;
	INSERT INTO bench.floor_history SELECT * FROM bench.new_entry;
	UPDATE bench.floor_sla AS f
	SET stopped_at = s.stopped_at, outcome = s.outcome, elapsed = s.elapsed, assignee_at_stop = s.assignee_at_stop
	FROM bench.stopped_clock AS s
	WHERE f.id = s.id AND f.sla = s.sla AND f.cycle = s.cycle;
	INSERT INTO bench.floor_sla SELECT * FROM bench.started_clock;
END
$$;

\set next 'SET stage = CASE stage WHEN ''mql'' THEN ''sal'' WHEN ''sal'' THEN ''nurture'' ELSE ''mql'' END'
\set ours 'UPDATE bench.ours ':next
\set by_hand 'UPDATE bench.by_hand ':next
\set by_row 'UPDATE bench.by_row ':next
\set plain 'UPDATE bench.plain ':next

CALL bench.measure('recorded', :runs, 'ours', :'ours', 'by hand', :'by_hand', 'plain', :'plain',
	'rows to write', 'SELECT bench.keep_written()', 'floor', 'SELECT bench.write_floor()');
CALL bench.measure('by row', greatest(1, :runs / 2), 'by row', :'by_row');

-- The same entries and clocks (row by row fewer of them, since that ran less
-- often), or the comparison would be of different things.
SELECT count(*) = 0 AS agree FROM (
	(SELECT id, entry_no, event, from_stage, stage, from_team, team, assignee, db_role, version, handoff FROM bench.ours_history
	 EXCEPT SELECT id, entry_no, event, from_stage, stage, from_team, team, assignee, db_role, version, handoff FROM bench.by_hand_history)
	UNION ALL
	(SELECT id, entry_no, event, from_stage, stage, from_team, team, assignee, db_role, version, handoff FROM bench.by_row_history
	 EXCEPT SELECT id, entry_no, event, from_stage, stage, from_team, team, assignee, db_role, version, handoff FROM bench.ours_history)) AS d \gset
\if :agree
\else
	\warn 'history by hand is not the same'
	SELECT 1 / 0;
\endif
SELECT count(*) = 0 AS agree FROM (
	(SELECT id, sla, cycle, team, assignee_at_start, assignee_at_stop, due_at - started_at <> '48 hours', outcome, elapsed IS NULL FROM bench.ours_sla
	 EXCEPT SELECT id, sla, cycle, team, assignee_at_start, assignee_at_stop, due_at - started_at <> '48 hours', outcome, elapsed IS NULL FROM bench.by_hand_sla)
	UNION ALL
	(SELECT id, sla, cycle, team, assignee_at_start, NULL::text, due_at - started_at <> '48 hours', NULL::text, NULL::boolean FROM bench.by_row_sla
	 EXCEPT SELECT id, sla, cycle, team, assignee_at_start, NULL::text, due_at - started_at <> '48 hours', NULL::text, NULL::boolean FROM bench.ours_sla)) AS d \gset
\if :agree
\else
	\warn 'clocks by hand are not the same'
	SELECT 1 / 0;
\endif
SELECT NOT EXISTS (TABLE bench.ours_history EXCEPT TABLE bench.floor_history)
	AND NOT EXISTS (TABLE bench.ours_sla EXCEPT TABLE bench.floor_sla) AS agree \gset
\if :agree
\else
	\warn 'the floor has other rows'
	SELECT 1 / 0;
\endif
SELECT count(*) AS wrong FROM align.check('bench.ours') \gset
\if :wrong
	\warn 'align.check() finds differences'
	SELECT 1 / 0;
\endif

INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
SELECT 'UPDATE: verdict, history, clocks', bench.show('recorded', 'ours'), 'statement trigger by hand: ' || bench.show('recorded', 'by hand'),
	round(ratio::numeric, 2) || ' x the time', '<= 0.9 x', ratio <= 0.9
FROM (SELECT bench.median('recorded', 'ours') / bench.median('recorded', 'by hand') AS ratio) r;
INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
SELECT 'UPDATE: verdict, history, clocks', bench.show('recorded', 'ours'), 'INSERTs and UPDATEs of the same rows: ' || bench.show('recorded', 'floor'),
	round(ratio::numeric, 2) || ' x the time', '<= 1.6 x', ratio <= 1.6
FROM (SELECT bench.median('recorded', 'ours') / bench.median('recorded', 'floor') AS ratio) r;
INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
SELECT 'UPDATE: verdict, history, clocks', bench.show('recorded', 'ours'), 'PL/pgSQL row triggers: ' || bench.show('by row', 'by row'),
	round(ratio::numeric, 1) || ' x faster', '>= 4 x', ratio >= 4
FROM (SELECT bench.median('by row', 'by row') / bench.median('recorded', 'ours') AS ratio) r;
INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
SELECT 'UPDATE: verdict, history, clocks', bench.show('recorded', 'ours'), 'no triggers: ' || bench.show('recorded', 'plain'),
	round((bench.median('recorded', 'ours') / bench.median('recorded', 'plain'))::numeric, 1) || ' x the time', 'shown', NULL;

-- What leaves the stage alone.
CALL bench.measure('left alone', :runs, 'ours', 'UPDATE bench.ours SET touched = touched + 1', 'plain', 'UPDATE bench.plain SET touched = touched + 1');
INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
SELECT 'UPDATE of another column', bench.show('left alone', 'ours'), 'no triggers: ' || bench.show('left alone', 'plain'),
	round(ratio::numeric, 2) || ' x the time', 'not to be measured', NULL
FROM (SELECT bench.median('left alone', 'ours') / bench.median('left alone', 'plain') AS ratio) r;

DROP TABLE bench.by_row, bench.by_row_history, bench.by_row_sla;
DROP TABLE bench.floor, bench.floor_history, bench.floor_sla, bench.new_entry, bench.stopped_clock, bench.started_clock;
DROP TABLE bench.ours, bench.ours_history, bench.ours_sla;

-- attach(): reads the table once and writes the opening history.
CREATE TABLE bench.large (LIKE bench.lead INCLUDING ALL);
INSERT INTO bench.large
SELECT i, (ARRAY['mql', 'sal', 'nurture'])[1 + i % 3], 'person ' || i % 100, 'somebody' || i || '@example.com', 'company ' || i % 5000, 0
FROM generate_series(1, :leads * 5::bigint) AS i;
VACUUM ANALYZE bench.large;
SELECT pg_relation_filenode('bench.large') AS file_before \gset
SELECT align.attach('bench.large', 'bench_leads', assignee => 'owner') \g /dev/null
CREATE TABLE bench.opened_history (LIKE bench.large_history INCLUDING ALL);
CREATE TABLE bench.opened_sla (LIKE bench.large_sla INCLUDING ALL);
CREATE TABLE bench.opened_entry AS SELECT * FROM bench.large_history;
CREATE TABLE bench.opened_clock AS SELECT * FROM bench.large_sla;
-- The floor: one scan of the table, and the rows that attach() writes, written.
CREATE FUNCTION bench.open_by_hand() RETURNS void LANGUAGE plpgsql AS
$$
BEGIN
	TRUNCATE bench.opened_history, bench.opened_sla;
	PERFORM count(l) FROM bench.large AS l;
	INSERT INTO bench.opened_history SELECT * FROM bench.opened_entry;
	INSERT INTO bench.opened_sla SELECT * FROM bench.opened_clock;
END
$$;
CREATE FUNCTION bench.open() RETURNS void LANGUAGE plpgsql AS
$$
BEGIN
	PERFORM align.detach('bench.large');
	DROP TABLE bench.large_history, bench.large_sla;
	PERFORM align.attach('bench.large', 'bench_leads', assignee => 'owner');
END
$$;
CALL bench.measure('attach', greatest(1, :runs / 2), 'ours', 'SELECT bench.open()', 'floor', 'SELECT bench.open_by_hand()');
SELECT pg_relation_filenode('bench.large') = :file_before AS not_rewritten \gset
INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
SELECT 'attach()', bench.show('attach', 'ours'), 'one scan, INSERT ... SELECT of the same rows: ' || bench.show('attach', 'floor'),
	round(ratio::numeric, 2) || ' x the time', 'no rewrite', :'not_rewritten'
FROM (SELECT bench.median('attach', 'ours') / bench.median('attach', 'floor') AS ratio) r;
INSERT INTO bench.note (note) VALUES (format('enforcement: %s leads moved by one UPDATE, every entry with its history row and half a clock; attach() on %s leads',
	:leads, :leads * 5::bigint));
DROP TABLE bench.large, bench.large_history, bench.large_sla, bench.opened_history, bench.opened_sla, bench.opened_entry, bench.opened_clock;
