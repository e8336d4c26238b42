-- The agreement: one verdict, and looking the agreement up.
\set calls 10000000 * :scale
SELECT greatest(round(:calls), 10000) AS calls \gset

CREATE TABLE bench.given AS
SELECT align.funnel $$
	stage inquiry, mql held by marketing;
	stage sal, sql, opportunity held by sales;
	stage nurture held by marketing;
	won customer;
	lost disqualified;
	entry inquiry, mql;
	success path inquiry -> mql -> sal -> sql -> opportunity -> customer;
	path mql, sal, sql, opportunity -> nurture -> mql;
	path inquiry -> customer;
	path any -> disqualified;
$$ AS funnel, text 'mql' AS from_stage, text 'sal' AS to_stage;

SELECT align.agree('bench', (SELECT funnel FROM bench.given)) \g /dev/null

-- Arguments come from a table, else the planner would fold the call away.
CALL bench.measure('can_move', :runs,
	'ours', format('SELECT count(align.can_move((SELECT funnel FROM bench.given), (SELECT from_stage FROM bench.given), (SELECT to_stage FROM bench.given))) FROM generate_series(1, %s)', :calls),
	'floor', format('SELECT count((SELECT to_stage FROM bench.given)) FROM generate_series(1, %s)', :calls));
CALL bench.measure('agreed', :runs,
	'ours', format('SELECT count(align.agreed(''bench'')) FROM generate_series(1, %s)', :calls),
	'floor', format('SELECT count((SELECT to_stage FROM bench.given)) FROM generate_series(1, %s)', :calls));

INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
SELECT what, bench.show(f, 'ours'), 'generate_series: ' || bench.show(f, 'floor'), round(ns) || ' ns a call', '<= ' || aim || ' ns', ns <= aim
FROM (VALUES ('can_move(funnel, from, to)', 'can_move', 150), ('agreed(name), cached', 'agreed', 200)) AS v(what, f, aim),
	LATERAL (SELECT bench.call_ns(f, 'ours', 'floor', :calls) AS ns) c;
INSERT INTO bench.note (note) VALUES (format('agreement: %s calls a run, a funnel of 8 stages', :calls));
