-- A table under an agreement, beside triggers written by hand.  Every run moves
-- every lead one stage on: a third mql -> sal (one clock stops, one starts), a
-- third sal -> nurture (one stops), a third nurture -> mql (one starts).
\set leads 1000000 * :scale
SELECT greatest(round(:leads), 3000)::int AS leads \gset

SELECT align.agree('bench_leads', $$
	hours 'Europe/London Mo-Fr 09:00-17:30; Dec 25 off';
	stage mql held by marketing;
	stage sal, sql held by sales;
	stage nurture held by marketing;
	won customer;
	lost disqualified;
	entry mql;
	success path mql -> sal -> sql -> customer;
	path mql, sal, sql -> nurture -> mql;
	path any -> disqualified;
	handoff take_up: mql from marketing to sales, accept sal, within 4 working hours, warn after 3 working hours;
	sla qualify by sales: from sal to sql, nurture within 2 days;
	sal needs email, company;
$$) \g /dev/null

-- The same leads again and again.
CREATE TABLE bench.lead
(
	id		bigint PRIMARY KEY,
	stage	text,
	owner	text,
	email	text,
	company	text,
	touched	int
);
INSERT INTO bench.lead
SELECT i, (ARRAY['mql', 'sal', 'nurture'])[1 + i % 3], 'person ' || i % 100, 'somebody' || i || '@example.com', 'company ' || i % 5000, 0
FROM generate_series(1, :leads) AS i;
CREATE TABLE bench.plain (LIKE bench.lead INCLUDING ALL);
CREATE TABLE bench.noop (LIKE bench.lead INCLUDING ALL);
CREATE TABLE bench.judged (LIKE bench.lead INCLUDING ALL);
CREATE TABLE bench.ours (LIKE bench.lead INCLUDING ALL);
CREATE TABLE bench.by_hand (LIKE bench.lead INCLUDING ALL);
CREATE TABLE bench.by_row (LIKE bench.lead INCLUDING ALL);
INSERT INTO bench.plain SELECT * FROM bench.lead ORDER BY id;
INSERT INTO bench.noop SELECT * FROM bench.lead ORDER BY id;
INSERT INTO bench.judged SELECT * FROM bench.lead ORDER BY id;
INSERT INTO bench.ours SELECT * FROM bench.lead ORDER BY id;
INSERT INTO bench.by_hand SELECT * FROM bench.lead ORDER BY id;
INSERT INTO bench.by_row SELECT * FROM bench.lead ORDER BY id;

SELECT align.attach('bench.ours', 'bench_leads', assignee => 'owner') \g /dev/null

-- By hand: the agreement as tables, history and clocks like ours, and the entries
-- and clocks that attach() opened.
CREATE TABLE bench.by_hand_history (LIKE bench.ours_history INCLUDING ALL);
CREATE TABLE bench.by_hand_sla (LIKE bench.ours_sla INCLUDING ALL);
CREATE TABLE bench.by_row_history (LIKE bench.ours_history INCLUDING ALL);
CREATE TABLE bench.by_row_sla (LIKE bench.ours_sla INCLUDING ALL);
INSERT INTO bench.by_hand_history SELECT * FROM bench.ours_history;
INSERT INTO bench.by_hand_sla SELECT * FROM bench.ours_sla;
INSERT INTO bench.by_row_history SELECT * FROM bench.ours_history;
INSERT INTO bench.by_row_sla SELECT * FROM bench.ours_sla;
CREATE TABLE bench.move (from_stage text, stage text, PRIMARY KEY (from_stage, stage));
INSERT INTO bench.move SELECT from_stage, stage FROM align.moves(align.agreed('bench_leads'));
CREATE TABLE bench.team (stage text PRIMARY KEY, team text, handoff text);
INSERT INTO bench.team SELECT s.stage, team, handoff FROM align.stages(align.agreed('bench_leads')) AS s LEFT JOIN align.handoffs(align.agreed('bench_leads')) AS h USING (stage);
CREATE TABLE bench.starts (stage text, sla text, team text, working boolean, within interval, warn interval, PRIMARY KEY (stage, sla));
INSERT INTO bench.starts VALUES ('mql', 'take_up', 'sales', true, '4 hours', '3 hours'), ('sal', 'qualify', 'sales', false, '48 hours', NULL);
CREATE TABLE bench.stops (stage text, sla text, working boolean, PRIMARY KEY (stage, sla));
INSERT INTO bench.stops SELECT stop, sla, sla = 'take_up' FROM align.service_levels(align.agreed('bench_leads')), unnest(stops) AS stop;
INSERT INTO bench.stops SELECT stage, sla, sla = 'take_up' FROM align.stages(align.agreed('bench_leads')), (VALUES ('take_up'), ('qualify')) AS s(sla) WHERE kind <> 'open'
	ON CONFLICT DO NOTHING;
VACUUM ANALYZE;

-- A statement at a time, as sets.
CREATE FUNCTION bench.by_hand() RETURNS trigger LANGUAGE plpgsql AS
$$
DECLARE
	moment timestamptz := clock_timestamp();
	hours align.calendar := align.hours(align.agreed('bench_leads'), 'sales');
	wrong record;
BEGIN
	SELECT o.id, o.stage AS from_stage, n.stage INTO wrong
	FROM gone AS o JOIN come AS n ON n.id = o.id LEFT JOIN bench.move AS m ON m.from_stage = o.stage AND m.stage = n.stage
	WHERE n.stage IS DISTINCT FROM o.stage
		AND (m.stage IS NULL OR n.stage = 'sal' AND (coalesce(btrim(n.email), '') = '' OR coalesce(btrim(n.company), '') = ''))
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'lead % cannot move from "%" to "%"', wrong.id, wrong.from_stage, wrong.stage;
	END IF;

	INSERT INTO bench.by_hand_history (id, entry_no, event, effective_at, recorded_at, from_stage, stage, from_team, team, assignee, db_role, agreement, version, handoff)
	SELECT n.id, h.entry_no + 1, 'move', moment, moment, o.stage, n.stage, f.team, t.team, n.owner, current_user, 'bench_leads', 1, t.handoff
	FROM gone AS o JOIN come AS n ON n.id = o.id JOIN bench.team AS f ON f.stage = o.stage JOIN bench.team AS t ON t.stage = n.stage
		CROSS JOIN LATERAL (SELECT entry_no FROM bench.by_hand_history AS h WHERE h.id = n.id ORDER BY entry_no DESC LIMIT 1) AS h
	WHERE n.stage IS DISTINCT FROM o.stage;

	UPDATE bench.by_hand_sla AS s
	SET stopped_at = moment, outcome = CASE WHEN moment <= s.due_at THEN 'met' ELSE 'missed' END, assignee_at_stop = n.owner,
		elapsed = CASE WHEN x.working THEN align.working_time(hours, s.started_at, moment) ELSE moment - s.started_at END
	FROM gone AS o JOIN come AS n ON n.id = o.id JOIN bench.stops AS x ON x.stage = n.stage
	WHERE n.stage IS DISTINCT FROM o.stage AND s.id = n.id AND s.sla = x.sla AND s.outcome IS NULL;

	WITH due AS MATERIALIZED (
		SELECT stage, sla, team,
			CASE WHEN working THEN align.add_working_time(hours, moment, within) ELSE moment + within END AS due_at,
			CASE WHEN working THEN align.add_working_time(hours, moment, warn) ELSE moment + warn END AS warn_at
		FROM bench.starts
	)
	INSERT INTO bench.by_hand_sla (id, sla, cycle, team, assignee_at_start, assignee_at_due, started_at, due_at, warn_at, paused, agreement, version)
	SELECT n.id, x.sla, coalesce(c.cycle, 0) + 1, x.team, n.owner, n.owner, moment, x.due_at, x.warn_at, '{}', 'bench_leads', 1
	FROM gone AS o JOIN come AS n ON n.id = o.id JOIN due AS x ON x.stage = n.stage
		LEFT JOIN LATERAL (SELECT cycle FROM bench.by_hand_sla AS s WHERE s.id = n.id AND s.sla = x.sla ORDER BY cycle DESC LIMIT 1) AS c ON true
	WHERE n.stage IS DISTINCT FROM o.stage;
	RETURN NULL;
END
$$;
CREATE TRIGGER by_hand AFTER UPDATE ON bench.by_hand REFERENCING OLD TABLE AS gone NEW TABLE AS come
	FOR EACH STATEMENT EXECUTE FUNCTION bench.by_hand();

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

\set next 'SET stage = CASE stage WHEN ''mql'' THEN ''sal'' WHEN ''sal'' THEN ''nurture'' ELSE ''mql'' END'
\set ours 'UPDATE bench.ours ':next
\set by_hand 'UPDATE bench.by_hand ':next
\set by_row 'UPDATE bench.by_row ':next
\set plain 'UPDATE bench.plain ':next

CALL bench.measure('recorded', :runs, 'ours', :'ours', 'by hand', :'by_hand', 'plain', :'plain');
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
SELECT count(*) AS wrong FROM align.check('bench.ours') \gset
\if :wrong
	\warn 'align.check() finds differences'
	SELECT 1 / 0;
\endif

INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
SELECT 'UPDATE: verdict, history, clocks', bench.show('recorded', 'ours'), 'statement trigger by hand: ' || bench.show('recorded', 'by hand'),
	round(ratio::numeric, 2) || ' x the time', '<= 1.2 x', ratio <= 1.2
FROM (SELECT bench.median('recorded', 'ours') / bench.median('recorded', 'by hand') AS ratio) r;
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
