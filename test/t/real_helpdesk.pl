# The Helpdesk log: 4,580 tickets of an Italian software company, 21,348 events.
#
# What the data is like, and what is done about it:
#   - The offsets in the file are not in the original: they are dropped, and the
#     times taken as the local wall clock of Europe/Rome.
#   - 130 events bear the same time as the event before them in their ticket.
#     The file's order is the true one, so each gets as many microseconds as
#     there are earlier events of that ticket in the same second.  A journey
#     orders by time, and has no other place for a tie-break that a query gives.
#   - The same activity may be recorded twice in a row.  That is no move.
use strict;
use warnings;

use RealData;
use Test::More;

my $folder = shared_folder('helpdesk');
my $node = start_node('helpdesk');

load_helpdesk($folder);

$node->safe_psql('postgres', q{
	CREATE TABLE raw AS
	SELECT no, ticket, activity, local,
		local AT TIME ZONE 'Europe/Rome' + (row_number() OVER (PARTITION BY ticket, local ORDER BY no) - 1) * interval '1 microsecond' AS at
	FROM (SELECT *, left(stamp, 19)::timestamp AS local FROM event) e;
	ANALYZE raw;
	CREATE TABLE lead AS SELECT ticket, align.lead_agg(at, activity) AS journey FROM raw GROUP BY ticket;
	CREATE TABLE known AS SELECT max(at) AS at FROM raw;

	-- the raw events with what came before, repeated activities left out
	CREATE TABLE move AS
	SELECT no, ticket, at, local, before AS from_stage, activity AS stage
	FROM (SELECT *, lag(activity) OVER (PARTITION BY ticket ORDER BY no) AS before FROM raw) r
	WHERE before IS DISTINCT FROM activity;
	CREATE INDEX ON move (ticket, no);
	ANALYZE move;
});

is_value('SELECT count(*), count(DISTINCT ticket), count(DISTINCT activity) FROM raw', '21348|4580|14', '21,348 events of 4,580 tickets');

# The traps are there, and the wall clock is a possible one.
is_value(q{SELECT count(*) FILTER (WHERE local = before), count(*) FILTER (WHERE local < before)
	FROM (SELECT local, lag(local) OVER (PARTITION BY ticket ORDER BY no) AS before FROM raw) r}, '130|0',
	'130 ties, and otherwise the order of the file is that of the times');
is_value(q{SELECT count(*) FROM raw WHERE date_trunc('second', at) AT TIME ZONE 'Europe/Rome' <> local
		OR (at + interval '1 hour') AT TIME ZONE 'Europe/Rome' <= local}, '0', 'no time that the clock skipped or showed twice');

# The journeys hold the events in the order of the file.
is_same('SELECT ticket, e.entry, e.at, e.stage FROM lead, align.entries(journey) e',
	'SELECT ticket, (row_number() OVER (PARTITION BY ticket ORDER BY no))::int, at, activity FROM raw', 'entries in the order of the file');
is_same('SELECT align.path(journey), count(*) FROM lead GROUP BY 1',
	'SELECT path, count(*) FROM (SELECT array_agg(stage ORDER BY no) AS path FROM move GROUP BY ticket) p GROUP BY 1', 'variants');
is_same('SELECT t.from_stage, t.stage, count(*) AS moves, count(DISTINCT ticket) AS tickets FROM lead, align.transitions(journey) t GROUP BY 1, 2',
	'SELECT from_stage, stage, count(*) AS moves, count(DISTINCT ticket) AS tickets FROM move WHERE from_stage IS NOT NULL GROUP BY 1, 2', 'transitions');

# The agreement that the log follows, with and without its rare moves, against
# the same rule in plain SQL: shares of the tickets that were in a stage, then
# what can be reached through what is kept.
foreach my $min_share ('0', '0.01', '0.1')
{
	my $table = 'draft_' . $min_share =~ s/\./_/r;

	$node->safe_psql('postgres', qq{
		CREATE TABLE $table AS
		SELECT draft, draft::align.funnel AS funnel FROM (SELECT align.infer_agg(journey, '{Closed}', NULL, $min_share) AS draft FROM lead) d;

		CREATE VIEW kept_$table AS
		WITH RECURSIVE was_in AS (
			SELECT activity, count(DISTINCT ticket) AS tickets FROM raw GROUP BY 1
		), common AS (
			SELECT from_stage, stage FROM move JOIN was_in ON activity = from_stage
			GROUP BY from_stage, stage, tickets HAVING count(DISTINCT ticket) >= $min_share * tickets
		), common_entry AS (
			SELECT stage FROM move WHERE from_stage IS NULL GROUP BY 1 HAVING count(*) >= $min_share * (SELECT count(DISTINCT ticket) FROM raw)
		), reached AS (
			SELECT stage FROM common_entry UNION SELECT c.stage FROM reached r JOIN common c ON c.from_stage = r.stage
		)
		SELECT from_stage, stage FROM common WHERE from_stage IN (TABLE reached)
		UNION ALL
		SELECT NULL, stage FROM common_entry;});
	is_same("SELECT m.from_stage, m.stage FROM $table, align.moves(funnel) m UNION ALL SELECT NULL, s.stage FROM $table, align.stages(funnel) s WHERE is_entry",
		"SELECT from_stage, stage FROM kept_$table", "inferred with min_share $min_share: moves and entries");
	is_same("SELECT align.fits(journey, funnel), count(*) FROM lead, $table GROUP BY 1",
		qq{SELECT fits, count(*) FROM (SELECT ticket, bool_and(EXISTS (SELECT FROM kept_$table k
				WHERE k.from_stage IS NOT DISTINCT FROM m.from_stage AND k.stage = m.stage)) AS fits FROM move m GROUP BY ticket) f GROUP BY 1},
		"inferred with min_share $min_share: tickets that fit");
}
is_value('SELECT bool_and(align.fits(journey, funnel)) FROM lead, draft_0', 't', 'with min_share 0 every ticket fits');
is_value(q{SELECT array_to_string(array_agg(stage ORDER BY stage_position), ' > ') FROM draft_0_01, align.stages(funnel) WHERE on_success_path},
	'Assign seriousness > Take in charge ticket > Resolve ticket > Closed', 'the success path');
is_value(q{SELECT draft ~ 'path "Resolve ticket" -> "Take in charge ticket";|, "Resolve ticket" -> |path "Resolve ticket", ' FROM draft_0_01}, 't', 'reopened tickets are a habit');
is_value(q{SELECT draft LIKE '%-- path "Take in charge ticket" -> "Schedule intervention";  -- 5 leads (0.1 \%)%' FROM draft_0_01}, 't', 'a rare move is a comment with its count');
is_value(q{SELECT align.infer_agg(journey, NULL, NULL, 0.01) LIKE '%won Closed;%guessed%' FROM lead}, 't', 'that Closed is the end can be guessed');

# An agreement as the team might write it.
$node->safe_psql('postgres', q{
	CREATE TABLE written AS SELECT align.funnel $$
		hours 'Europe/Rome Mo-Fr 09:00-13:00,14:00-18:00; Jan 01 off; Dec 25-26 off';
		stage "Insert ticket", "Assign seriousness" held by frontdesk;
		stage "Take in charge ticket", Wait, "Resolve ticket", "Require upgrade" held by support;
		stage "Create SW anomaly", "Resolve SW anomaly" held by development;
		won Closed;
		lost INVALID, DUPLICATE;
		entry "Insert ticket", "Assign seriousness";
		success path "Insert ticket" -> "Assign seriousness" -> "Take in charge ticket" -> "Resolve ticket" -> Closed;
		path "Assign seriousness", "Take in charge ticket" -> Wait -> "Take in charge ticket", "Resolve ticket";
		path "Resolve ticket" -> "Take in charge ticket";
		path "Take in charge ticket" -> "Require upgrade" -> "Resolve ticket";
		path "Take in charge ticket" -> "Create SW anomaly" -> "Resolve SW anomaly" -> "Resolve ticket";
		path any -> INVALID, DUPLICATE;
		sla first_response by support: from "Assign seriousness" to "Take in charge ticket", Wait, "Resolve ticket" within 8 working hours, warn after 4 working hours;
		sla solve by support: from "Assign seriousness" to "Resolve ticket" within 30 days;
	$$ AS funnel;

	CREATE TABLE allowed (from_stage text, stage text);
	INSERT INTO allowed VALUES
		(NULL, 'Insert ticket'), (NULL, 'Assign seriousness'),
		('Insert ticket', 'Assign seriousness'), ('Assign seriousness', 'Take in charge ticket'), ('Take in charge ticket', 'Resolve ticket'), ('Resolve ticket', 'Closed'),
		('Assign seriousness', 'Wait'), ('Take in charge ticket', 'Wait'), ('Wait', 'Take in charge ticket'), ('Wait', 'Resolve ticket'),
		('Resolve ticket', 'Take in charge ticket'), ('Take in charge ticket', 'Require upgrade'), ('Require upgrade', 'Resolve ticket'),
		('Take in charge ticket', 'Create SW anomaly'), ('Create SW anomaly', 'Resolve SW anomaly'), ('Resolve SW anomaly', 'Resolve ticket');
	INSERT INTO allowed SELECT s, lost FROM (VALUES ('INVALID'), ('DUPLICATE')) l(lost),
		unnest(ARRAY['Insert ticket', 'Assign seriousness', 'Take in charge ticket', 'Wait', 'Resolve ticket', 'Require upgrade', 'Create SW anomaly', 'Resolve SW anomaly']) s;

	-- What the log does against it.  A stage that the agreement does not know is
	-- a violation of its own, and nothing is said about the way out of it.
	CREATE VIEW broken AS
	SELECT *, CASE WHEN stage IN ('VERIFIED', 'RESOLVED', 'Schedule intervention') THEN 'unknown_stage'
			WHEN from_stage IS NULL THEN 'not_an_entry' ELSE 'illegal_move' END AS rule
	FROM move m
	WHERE NOT EXISTS (SELECT FROM allowed a WHERE a.from_stage IS NOT DISTINCT FROM m.from_stage AND a.stage = m.stage)
		AND (from_stage IS NULL OR from_stage NOT IN ('VERIFIED', 'RESOLVED', 'Schedule intervention') OR stage IN ('VERIFIED', 'RESOLVED', 'Schedule intervention'));
});
is_same('SELECT ticket, v.at, v.rule, v.from_stage, v.stage FROM lead, written, align.violations(journey, funnel) v',
	'SELECT ticket, at, rule, from_stage, stage FROM broken', 'violations of the written agreement');
is_same('SELECT ticket, align.fits(journey, funnel) FROM lead, written',
	'SELECT ticket, NOT EXISTS (SELECT FROM broken b WHERE b.ticket = t.ticket) FROM (SELECT DISTINCT ticket FROM raw) t', 'tickets that fit it');
# Service levels.  By hand: cycles by looking at the events that start, stop or
# cancel; working time by clipping every day to its hours.  Who takes all eight
# hours and answers before the doors open again is late: the promise was due when
# they closed.  So no more than eight hours must have been used, and the last of
# them not before the answer.
$node->safe_psql('postgres', q{
	CREATE FUNCTION worked(from_at timestamptz, to_at timestamptz) RETURNS interval LANGUAGE sql STABLE AS $$
		SELECT make_interval(secs => coalesce(sum(greatest(0, extract(epoch FROM
			least(to_at, (day + closes) AT TIME ZONE 'Europe/Rome') - greatest(from_at, (day + opens) AT TIME ZONE 'Europe/Rome')))), 0)::float8)
		FROM generate_series(date_trunc('day', from_at AT TIME ZONE 'Europe/Rome'), to_at AT TIME ZONE 'Europe/Rome', interval '1 day') AS day,
			(VALUES (time '09:00', time '13:00'), ('14:00', '18:00')) AS h(opens, closes)
		WHERE extract(isodow FROM day) < 6 AND to_char(day, 'MMDD') NOT IN ('0101', '1225', '1226')
	$$;

	CREATE FUNCTION cycles(stops text[]) RETURNS TABLE (ticket text, cycle bigint, started_at timestamptz, stopped_at timestamptz, stopped_by text, effect text)
	LANGUAGE sql STABLE AS $$
		SELECT ticket, row_number() OVER (PARTITION BY ticket ORDER BY no), at, next_at, next_stage, next_effect
		FROM (SELECT *, lead(at) OVER w AS next_at, lead(stage) OVER w AS next_stage, lead(effect) OVER w AS next_effect
			FROM (SELECT *, lag(effect) OVER (PARTITION BY ticket ORDER BY no) AS effect_before
				FROM (SELECT *, CASE WHEN stage = 'Assign seriousness' THEN 'start' WHEN stage = ANY (stops) THEN 'stop'
						WHEN stage IN ('Closed', 'INVALID', 'DUPLICATE') THEN 'cancel' END AS effect
					FROM move) m WHERE effect IS NOT NULL) e
			WHERE effect <> 'start' OR effect_before IS DISTINCT FROM 'start'
			WINDOW w AS (PARTITION BY ticket ORDER BY no)) c
		WHERE effect = 'start'
	$$;

	CREATE TABLE clock AS
	SELECT 'first_response' AS sla, ticket, cycle, started_at, stopped_at, stopped_by, elapsed,
		CASE effect WHEN 'stop' THEN CASE WHEN elapsed < '8 hours' OR (elapsed = '8 hours' AND just_before < '8 hours') THEN 'met' ELSE 'missed' END
			WHEN 'cancel' THEN CASE WHEN elapsed < '8 hours' THEN 'cancelled' ELSE 'missed' END
			ELSE CASE WHEN elapsed > '8 hours' THEN 'overdue' WHEN elapsed >= '4 hours' THEN 'at_risk' ELSE 'running' END END AS state
	FROM (SELECT *, worked(started_at, coalesce(stopped_at, (SELECT at FROM known))) AS elapsed, worked(started_at, stopped_at - interval '1 microsecond') AS just_before
		FROM cycles('{Take in charge ticket,Wait,Resolve ticket}')) c
	UNION ALL
	SELECT 'solve', ticket, cycle, started_at, stopped_at, stopped_by, elapsed,
		CASE effect WHEN 'stop' THEN CASE WHEN elapsed <= '720 hours' THEN 'met' ELSE 'missed' END
			WHEN 'cancel' THEN CASE WHEN elapsed < '720 hours' THEN 'cancelled' ELSE 'missed' END
			ELSE CASE WHEN elapsed > '720 hours' THEN 'overdue' ELSE 'running' END END
	FROM (SELECT *, make_interval(secs => extract(epoch FROM coalesce(stopped_at, (SELECT at FROM known)) - started_at)::float8) AS elapsed
		FROM cycles('{Resolve ticket}')) c;
});
foreach my $sla ('first_response', 'solve')
{
	is_same(qq{SELECT ticket, c.cycle::bigint, c.started_at, c.stopped_at, c.elapsed, c.state
			FROM lead, written, align.sla_clocks(journey, funnel, (SELECT at FROM known)) c WHERE sla = '$sla'},
		qq{SELECT ticket, cycle, started_at, stopped_at, elapsed, state FROM clock WHERE sla = '$sla'},
		"$sla: every cycle of every ticket");
}

is_same('SELECT b.rule, b.from_stage, b.stage, b.leads, b.entries, b.share FROM written, align.backtest($$SELECT ticket, at, activity FROM raw$$, funnel) b',
	q{SELECT rule, from_stage, stage, count(DISTINCT ticket) AS leads, count(*) AS entries, count(DISTINCT ticket) / 4580.0::float8 AS share
		FROM (SELECT ticket, rule, from_stage, stage FROM broken
			UNION ALL SELECT ticket, 'missed ' || sla, 'Assign seriousness', stopped_by FROM clock WHERE state IN ('missed', 'overdue')) b
		GROUP BY 1, 2, 3},
	'a backtest of the raw table tells the same violations and missed promises');
is_same(q{SELECT ticket, align.fitness(journey, funnel) FROM lead, written},
	q{SELECT ticket, coalesce(count(*) FILTER (WHERE from_stage IS NOT NULL AND EXISTS (SELECT FROM allowed a WHERE a.from_stage = m.from_stage AND a.stage = m.stage))::float8
			/ nullif(count(from_stage), 0), 1)
		FROM move m GROUP BY ticket}, 'fitness');

# The same tickets, written and inferred: the differences can be read.
is_same('SELECT count(*) > 0 FROM written w, draft_0_01 d, align.diff(d.funnel, w.funnel)', 'SELECT true', 'the written agreement differs from the inferred one');

$node->stop;
done_testing();
