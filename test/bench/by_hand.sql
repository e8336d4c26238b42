-- A table of :leads leads, attached, and one with a statement trigger by hand that
-- does the same.  Included by enforcement.sql and by clients; what an earlier run
-- has made goes first.
SET client_min_messages = warning;
DROP TABLE IF EXISTS bench.lead, bench.ours, bench.ours_history, bench.ours_sla,
	bench.by_hand, bench.by_hand_history, bench.by_hand_sla, bench.move, bench.team, bench.starts, bench.stops;
DROP FUNCTION IF EXISTS bench.by_hand();
RESET client_min_messages;

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
$$) WHERE NOT EXISTS (SELECT FROM align.agreements WHERE name = 'bench_leads') \g /dev/null

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
CREATE TABLE bench.ours (LIKE bench.lead INCLUDING ALL);
CREATE TABLE bench.by_hand (LIKE bench.lead INCLUDING ALL);
INSERT INTO bench.ours SELECT * FROM bench.lead ORDER BY id;
INSERT INTO bench.by_hand SELECT * FROM bench.lead ORDER BY id;

SELECT align.attach('bench.ours', 'bench_leads', assignee => 'owner') \g /dev/null

-- By hand: the agreement as tables, history and clocks like ours, and the entries
-- and clocks that attach() opened.
CREATE TABLE bench.by_hand_history (LIKE bench.ours_history INCLUDING ALL);
CREATE TABLE bench.by_hand_sla (LIKE bench.ours_sla INCLUDING ALL);
INSERT INTO bench.by_hand_history SELECT * FROM bench.ours_history;
INSERT INTO bench.by_hand_sla SELECT * FROM bench.ours_sla;
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
