# PlainReports.pm   what the tests on CRM-shaped databases share: the reports of
# an owner, from what align recorded, against plain SQL over the raw tables.
#
# A test fills, by plain SQL over the tables of its CRM:
#   plain.entry    each stage that a lead entered, in order; NULL: it is gone
#   plain.holder   who held a lead from when on
#   plain.promise  the service levels and handoffs of its agreement
# What happens while the test runs (a deletion, a merge) has no time that a test
# could know: it is "infinity" here, and what align recorded since
# plain.begun() is compared as such.
package PlainReports;

use strict;
use warnings;

use Exporter 'import';
use RealData;
use Test::More;

our @EXPORT = qw(plain_setup plain_reports);

# The tables, and the clocks that follow from them.  Working hours are
# Mo-Fr 09:00-18:00 in the time zone given.
my $node;

sub plain_setup
{
	my $zone;

	($node, $zone) = @_;

	$node->safe_psql('postgres', "CREATE SCHEMA plain; CREATE FUNCTION plain.zone() RETURNS text LANGUAGE sql IMMUTABLE AS \$\$ SELECT '$zone' \$\$;" . q{
		CREATE TABLE plain.began AS SELECT clock_timestamp() AS at;
		CREATE FUNCTION plain.begun() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT at FROM plain.began';
		CREATE TABLE plain.entry (id text, at timestamptz, no bigint, stage text, reason text, raw_no bigint);
		CREATE TABLE plain.holder (id text, at timestamptz, no bigint, person text);
		CREATE TABLE plain.promise (sla text, starts text, stops text[], ends text[], hours interval, elapsed interval, accepts text[], rejects text[]);
		CREATE INDEX ON plain.entry (id, no);
		CREATE INDEX ON plain.holder (id, at);

		-- working days, numbered; the working time before each is 9 hours times its number
		CREATE TABLE plain.day AS
		SELECT day::date AS day, row_number() OVER (ORDER BY day) - 1 AS no
		FROM generate_series('2025-12-01', '2027-12-31', interval '1 day') AS day WHERE extract(isodow FROM day) < 6;
		CREATE INDEX ON plain.day (day);
		CREATE INDEX ON plain.day (no);
		CREATE FUNCTION plain.due(at timestamptz, hours interval, elapsed interval) RETURNS timestamptz LANGUAGE sql STABLE AS $f$
			SELECT CASE WHEN hours IS NULL THEN at + elapsed ELSE
				(SELECT (e.day + time '09:00' + (counted - (ceil(counted / 32400) - 1) * 32400) * interval '1 second') AT TIME ZONE plain.zone()
				FROM (SELECT d.no * 32400 + CASE WHEN d.day < local::date THEN 32400
						ELSE greatest(least(extract(epoch FROM local::time - time '09:00'), 32400), 0) END + extract(epoch FROM hours) AS counted
					FROM (SELECT at AT TIME ZONE plain.zone() AS local) AS l, plain.day AS d
					WHERE d.day <= local::date ORDER BY d.day DESC LIMIT 1) AS c
				JOIN plain.day AS e ON e.no = ceil(counted / 32400) - 1) END $f$;

		-- entries of a stage in which the lead is already are no moves
		CREATE VIEW plain.move AS
		SELECT id, at, no, stage, reason FROM (SELECT *, lag(stage) OVER (PARTITION BY id ORDER BY no) AS before FROM plain.entry) AS e WHERE stage IS DISTINCT FROM before OR before IS NULL;

		CREATE VIEW plain.clock AS
		WITH marked AS (
			SELECT e.*, p.*, e.stage IS NULL OR e.stage = ANY (p.stops || p.ends) AS over,
				count(*) FILTER (WHERE e.stage IS NULL OR e.stage = ANY (p.stops || p.ends)) OVER (PARTITION BY p.sla, e.id ORDER BY e.no) AS turn
			FROM plain.entry AS e, plain.promise AS p
		), started AS (
			SELECT DISTINCT ON (sla, id, turn) * FROM marked WHERE stage = starts ORDER BY sla, id, turn, no
		), ended AS (
			SELECT s.id, s.sla, s.at AS started_at, s.turn, s.stops, s.accepts, s.rejects, plain.due(s.at, s.hours, s.elapsed) AS due_at, e.at AS stopped_at, e.stage AS stopped_by, e.reason, e.raw_no AS stopped_no
			FROM started AS s LEFT JOIN marked AS e ON e.sla = s.sla AND e.id = s.id AND e.over AND e.turn = s.turn + 1
		)
		SELECT *, row_number() OVER (PARTITION BY sla, id ORDER BY turn)::int AS cycle,
			CASE WHEN stopped_at IS NULL THEN NULL WHEN stopped_by = ANY (stops) AND stopped_at <= due_at THEN 'met'
				WHEN due_at <= stopped_at THEN 'missed' ELSE 'cancelled' END AS outcome
		FROM ended;
		-- who held a lead at an instant, or before a row of the audit of that instant
		CREATE FUNCTION plain.held(lead text, instant timestamptz, before_no bigint DEFAULT NULL) RETURNS text LANGUAGE sql STABLE AS
			'SELECT person FROM plain.holder WHERE id = lead AND (at < instant OR at = instant AND (before_no IS NULL OR no < before_no)) ORDER BY at DESC, no DESC LIMIT 1';
	});
	return;
}

# Compares every report of one attachment.  name: the history, or the table if
# it is its only attachment; key: the key column; live: a query for the keys of
# the leads that are not gone (default: all), since time in stage is theirs.
sub plain_reports
{
	my ($name, $history, $sla, $key, $agreement, $as_of, $live) = @_;

	$live //= 'SELECT id FROM plain.entry';

	is_value("SELECT count(*) FROM align.check('$name')", '0', "$name: check is empty");
	is_value(q{SELECT count(*) FROM plain.entry WHERE at IS NULL}, '0', "$name: the raw tables have all times");
	is_same(qq{SELECT id, CASE WHEN at > plain.begun() THEN 'infinity' ELSE at END AS at, stage
			FROM (SELECT $key\::text AS id, effective_at AS at, stage, source, lag(stage) OVER w AS before FROM $history WHERE event NOT IN ('owner', 'rekey') WINDOW w AS (PARTITION BY $key ORDER BY effective_at, entry_no)) AS h
			WHERE stage IS DISTINCT FROM before AND stage IS NOT NULL AND source IS DISTINCT FROM 'resumed'},
		q{SELECT id, at, stage FROM plain.move WHERE stage IS NOT NULL}, "$name: stages entered");
	is_same("SELECT j.key->>'$key' AS id, align.path(j.lead) FROM align.journeys('$name') AS j",
		q{SELECT id, array_agg(stage ORDER BY no) FROM plain.move WHERE stage IS NOT NULL GROUP BY 1}, "$name: paths");
	is_same(qq{SELECT $key\::text AS id, sla, cycle, started_at, due_at, CASE WHEN stopped_at > plain.begun() THEN 'infinity' ELSE stopped_at END AS stopped_at, outcome FROM $sla},
		q{SELECT id, sla, cycle, started_at, due_at, stopped_at, outcome FROM plain.clock}, "$name: clocks");

	# SLA compliance per week and person: by the week in which it was due; one
	# that is overdue counts as missed.
	is_same(qq{SELECT sla, date_trunc('week', due_at AT TIME ZONE plain.zone())::date AS week, assignee_at_due,
			count(*) FILTER (WHERE outcome = 'met') AS met, count(*) FILTER (WHERE outcome = 'missed' OR outcome IS NULL AND due_at < '$as_of') AS missed,
			count(*) FILTER (WHERE outcome = 'cancelled') AS cancelled
			FROM $sla WHERE outcome <> 'cancelled' OR due_at < '$as_of' GROUP BY 1, 2, 3},
		qq{SELECT sla, date_trunc('week', due_at AT TIME ZONE plain.zone())::date AS week, CASE WHEN outcome IN ('met', 'cancelled') THEN plain.held(id, stopped_at, stopped_no) ELSE plain.held(id, due_at) END AS person,
			count(*) FILTER (WHERE stopped_at <= due_at AND stopped_by = ANY (stops)) AS met,
			count(*) FILTER (WHERE due_at < '$as_of' AND (stopped_at IS NULL OR stopped_at > due_at)) AS missed, count(*) FILTER (WHERE outcome = 'cancelled') AS cancelled
			FROM plain.clock WHERE outcome <> 'cancelled' OR due_at < '$as_of' GROUP BY 1, 2, 3}, "$name: SLA compliance per week and person");
	is_same(qq{SELECT key->>'$key' AS id, sla, due_at, assignee, overrun > '0' AS late FROM align.clocks('$name', '$as_of') WHERE state = 'overdue'},
		qq{SELECT id, sla, due_at, plain.held(id, due_at), true FROM plain.clock WHERE started_at <= '$as_of' AND (stopped_at > '$as_of' OR stopped_at IS NULL) AND due_at < '$as_of'}, "$name: overdue");

	# Acceptance and reasons, where there is a handoff.
	if ($node->safe_psql('postgres', "SELECT count(*) FROM align.handoffs(align.agreed('$agreement'))") > 0)
	{
		is_same(qq{WITH submitted AS (
				SELECT handoff, at, lead(stage) OVER w AS stage, lead(reason) OVER w AS reason
				FROM (SELECT $key AS id, entry_no, handoff, effective_at AS at, stage, reason, lag(stage) OVER (PARTITION BY $key ORDER BY effective_at, entry_no) AS before
					FROM $history WHERE event NOT IN ('owner', 'rekey')) AS h
				WHERE stage IS DISTINCT FROM before WINDOW w AS (PARTITION BY id ORDER BY at, entry_no))
			SELECT s.handoff, date_trunc('month', s.at)::date AS month, count(*) FILTER (WHERE s.stage = ANY (a.accept)) AS accepted, count(*) FILTER (WHERE s.stage = ANY (a.reject)) AS rejected,
				count(*) FILTER (WHERE s.stage <> ALL (a.accept || a.reject)) AS withdrawn, CASE WHEN s.stage = ANY (a.reject) THEN s.reason END AS reason
			FROM submitted AS s, align.handoffs(align.agreed('$agreement')) AS a WHERE a.handoff = s.handoff GROUP BY 1, 2, 6},
			q{SELECT sla, date_trunc('month', started_at)::date, count(*) FILTER (WHERE stopped_by = ANY (accepts)) AS accepted, count(*) FILTER (WHERE stopped_by = ANY (rejects)) AS rejected,
				count(*) FILTER (WHERE stopped_by <> ALL (accepts || rejects)) AS withdrawn, CASE WHEN stopped_by = ANY (rejects) THEN reason END
				FROM plain.clock WHERE accepts IS NOT NULL GROUP BY 1, 2, 6}, "$name: acceptance and reasons");
	}

	# The funnel, by the month in which leads came.
	is_same(qq{SELECT date_trunc('month', e.at)::date AS month, s.stage, count(*) AS leads, count(*) FILTER (WHERE align.reached(j.lead, s.stage)) AS reached
			FROM align.journeys('$name') AS j, align.stages(align.agreed('$agreement')) AS s, LATERAL (SELECT min(at) AS at FROM align.entries(j.lead)) AS e GROUP BY 1, 2},
		qq{SELECT date_trunc('month', came)::date, s.stage, count(*) AS leads, count(*) FILTER (WHERE s.stage = ANY (stages)) AS reached
			FROM (SELECT min(at) AS came, array_agg(stage) AS stages FROM plain.entry WHERE stage IS NOT NULL GROUP BY id) AS l, align.stages(align.agreed('$agreement')) AS s GROUP BY 1, 2}, "$name: funnel by month");
	is_same(qq{SELECT s.stage, sum(align.time_in(j.lead, s.stage, '$as_of')) AS time
			FROM align.journeys('$name') AS j, align.stages(align.agreed('$agreement')) AS s WHERE j.key->>'$key' IN ($live) GROUP BY 1},
		qq{SELECT s.stage, coalesce(sum(least(coalesce(next, 'infinity'), '$as_of') - at) FILTER (WHERE at < '$as_of'), '0')
			FROM align.stages(align.agreed('$agreement')) AS s LEFT JOIN (SELECT *, lead(at) OVER (PARTITION BY id ORDER BY no) AS next FROM plain.entry WHERE id IN ($live)) AS e USING (stage) GROUP BY 1}, "$name: time in stage");
	return;
}

1;
