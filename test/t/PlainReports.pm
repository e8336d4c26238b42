# PlainReports.pm   what the tests on CRM-shaped databases share: the reports of
# an owner, from what align recorded, against plain SQL over the raw tables.
#
# A test fills, by plain SQL over the tables of its CRM:
#   plain.entry    each stage that a lead entered, in order; NULL: it is gone
#   plain.holder   who held a lead from when on
#   plain.promise  the service levels and handoffs of its agreement
#   plain.stage    its stages, in order (for the facts and the reports on times)
# What happens while the test runs (a deletion, a merge) has no time that a test
# could know: it is "infinity" here, and what align recorded since
# plain.begun() is compared as such.
package PlainReports;

use strict;
use warnings;

use Exporter 'import';
use RealData;
use Test::More;

our @EXPORT = qw(plain_setup plain_reports plain_instant plain_facts plain_times plain_lists is_same_table);

# The tables, and the clocks that follow from them, in the time zone given.
# period: first and last day with working hours.  Working hours are
# Mo-Fr 09:00-18:00, without Dec 25-26 if without_christmas; teams: by the name
# of a team its own, as a list of days of the week, opening and closing time.
my $node;

sub plain_setup
{
	my ($zone, %options);

	($node, $zone, %options) = @_;

	my ($from, $to) = @{ $options{period} // [ '2025-12-01', '2027-12-31' ] };
	my %teams = ('' => [ [ '1,2,3,4,5', '09:00', '18:00' ] ], %{ $options{teams} // {} });
	my $off = $options{without_christmas} ? q{'1225', '1226'} : q{''};
	my $names = join ', ', map { "'$_'" } sort keys %teams;
	my $hours = join ', ', map { my $team = $_; map { "('$team', '{$_->[0]}'::int[], time '$_->[1]', time '$_->[2]')" } @{ $teams{$team} } } sort keys %teams;

	$node->safe_psql('postgres', "CREATE SCHEMA plain; CREATE FUNCTION plain.zone() RETURNS text LANGUAGE sql IMMUTABLE AS \$\$ SELECT '$zone' \$\$;
		CREATE TABLE plain.hours AS SELECT * FROM (VALUES $hours) AS h (team, days, opens, closes);
		CREATE FUNCTION plain.calendar(team text) RETURNS text LANGUAGE sql IMMUTABLE AS \$\$ SELECT CASE WHEN team IN ($names) THEN team ELSE '' END \$\$;
		CREATE TABLE plain.day AS SELECT day FROM generate_series('$from'::timestamp, '$to', interval '1 day') AS day WHERE to_char(day, 'MMDD') NOT IN ($off);" . q{
		CREATE TABLE plain.began AS SELECT clock_timestamp() AS at;
		CREATE FUNCTION plain.begun() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT at FROM plain.began';
		CREATE TABLE plain.entry (id text, at timestamptz, no bigint, stage text, reason text, raw_no bigint);
		CREATE TABLE plain.holder (id text, at timestamptz, no bigint, person text);
		CREATE TABLE plain.promise (sla text, starts text, stops text[], ends text[], hours interval, elapsed interval, accepts text[], rejects text[],
			team text, from_team text, pauses text[], warn interval);
		CREATE TABLE plain.stage (stage text, stage_order int, kind text, team text, on_path boolean);
		CREATE TABLE plain.late (id text);
		CREATE INDEX ON plain.entry (id, no);
		CREATE INDEX ON plain.holder (id, at);

		-- the times at which a team works, and its working time before each in seconds;
		-- team '' has the common hours
		CREATE TABLE plain.shift AS
		SELECT team, opens, closes, coalesce(sum(extract(epoch FROM closes - opens)) OVER (PARTITION BY team ORDER BY opens ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
		FROM (SELECT team, (day + opens) AT TIME ZONE plain.zone() AS opens, (day + closes) AT TIME ZONE plain.zone() AS closes
			FROM plain.day, plain.hours WHERE extract(isodow FROM day) = ANY (days)) AS s;
		CREATE INDEX ON plain.shift (team, opens);
		CREATE INDEX ON plain.shift (team, before);
		-- working seconds of the calendar of a team, and when so many have passed since an instant
		CREATE FUNCTION plain.worked_until(team text, instant timestamptz) RETURNS numeric LANGUAGE sql STABLE AS $f$
			SELECT before + least(extract(epoch FROM instant - opens), extract(epoch FROM closes - opens)) FROM plain.shift AS s
			WHERE s.team = plain.calendar(worked_until.team) AND opens <= instant ORDER BY opens DESC LIMIT 1 $f$;
		CREATE FUNCTION plain.worked(team text, since timestamptz, until timestamptz) RETURNS numeric LANGUAGE sql STABLE AS $f$
			SELECT plain.worked_until(team, until) - plain.worked_until(team, since) $f$;
		CREATE FUNCTION plain.when_worked(team text, counted numeric) RETURNS timestamptz LANGUAGE sql STABLE AS $f$
			SELECT opens + (counted - before) * interval '1 second' FROM plain.shift AS s
			WHERE s.team = plain.calendar(when_worked.team) AND before < counted ORDER BY before DESC LIMIT 1 $f$;
		CREATE FUNCTION plain.due(at timestamptz, hours interval, elapsed interval, team text DEFAULT '') RETURNS timestamptz LANGUAGE sql STABLE AS $f$
			SELECT CASE WHEN hours IS NULL THEN at + elapsed ELSE plain.when_worked(team, plain.worked_until(team, at) + extract(epoch FROM hours)) END $f$;

		-- entries of a stage in which the lead is already are no moves
		CREATE VIEW plain.move AS
		SELECT id, at, no, stage, reason, raw_no FROM (SELECT *, lag(stage) OVER (PARTITION BY id ORDER BY no) AS before FROM plain.entry) AS e WHERE stage IS DISTINCT FROM before OR before IS NULL;

		-- the times at which a clock runs; after the last one it runs on, so it has no end
		CREATE FUNCTION plain.runs(lead text, from_no bigint, to_no bigint, pauses text[]) RETURNS TABLE (n bigint, begins timestamptz, ends timestamptz) LANGUAGE sql STABLE AS $f$
			SELECT no, at, CASE WHEN pauses IS NOT NULL THEN next_at END FROM (SELECT no, at, stage, lead(at) OVER (ORDER BY no) AS next_at FROM plain.entry WHERE id = lead AND no >= from_no AND (to_no IS NULL OR no <= to_no)) AS e
			WHERE CASE WHEN pauses IS NULL THEN no = from_no ELSE no = to_no OR stage <> ALL (pauses) END $f$;
		CREATE FUNCTION plain.due_with_pauses(lead text, from_no bigint, to_no bigint, pauses text[], hours interval, elapsed interval, team text) RETURNS timestamptz LANGUAGE sql STABLE AS $f$
			SELECT plain.due(begins, hours - (total - spent) * interval '1 second', elapsed - (total - spent) * interval '1 second', team)
			FROM (SELECT n, begins, ends, spent, sum(spent) OVER (ORDER BY n) AS total
				FROM (SELECT *, coalesce(CASE WHEN hours IS NULL THEN extract(epoch FROM ends - begins) ELSE plain.worked(team, begins, ends) END, 0) AS spent FROM plain.runs(lead, from_no, to_no, pauses) OFFSET 0) AS r) AS r
			WHERE ends IS NULL OR total >= extract(epoch FROM coalesce(hours, elapsed)) ORDER BY n LIMIT 1 $f$;

		CREATE VIEW plain.clock AS
		WITH marked AS (
			SELECT e.*, p.*, e.stage IS NULL OR e.stage = ANY (p.stops || p.ends) AS over,
				count(*) FILTER (WHERE e.stage IS NULL OR e.stage = ANY (p.stops || p.ends)) OVER (PARTITION BY p.sla, e.id ORDER BY e.no) AS turn,
				row_number() OVER (PARTITION BY p.sla, e.id ORDER BY e.no) = 1 AND e.id IN (TABLE plain.late) AS is_found
			FROM plain.entry AS e, plain.promise AS p
		), started AS (
			SELECT DISTINCT ON (sla, id, turn) * FROM marked WHERE stage = starts AND NOT is_found ORDER BY sla, id, turn, no
		), ended AS MATERIALIZED (
			SELECT s.id, s.sla, s.at AS started_at, s.turn, s.stops, s.accepts, s.rejects,
				CASE WHEN s.pauses IS NULL THEN plain.due(s.at, s.hours, s.elapsed, s.team) ELSE plain.due_with_pauses(s.id, s.no, e.no, s.pauses, s.hours, s.elapsed, s.team) END AS due_at,
				e.at AS stopped_at, e.stage AS stopped_by, e.reason, e.raw_no AS stopped_no, s.no AS start_no, e.no AS stop_no, s.raw_no AS started_no, s.hours, s.elapsed, s.team, s.from_team, s.pauses, s.warn
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

# What the reports have at an instant: only what is known by then.
sub plain_instant
{
	my ($as_of) = @_;

	$node->safe_psql('postgres', "SET client_min_messages = warning;
		CREATE OR REPLACE FUNCTION plain.as_of() RETURNS timestamptz LANGUAGE sql IMMUTABLE AS \$\$ SELECT timestamptz '$as_of' \$\$;" . q{
		CREATE TABLE IF NOT EXISTS plain.all_entry AS TABLE plain.entry;
		CREATE TABLE IF NOT EXISTS plain.all_holder AS TABLE plain.holder;
		TRUNCATE plain.entry, plain.holder;
		INSERT INTO plain.entry SELECT * FROM plain.all_entry WHERE at <= plain.as_of();
		INSERT INTO plain.holder SELECT * FROM plain.all_holder WHERE at <= plain.as_of();
		ANALYZE plain.entry, plain.holder;

		DROP TABLE IF EXISTS plain.visit, plain.submission, plain.timing, plain.lead;
		-- is_found: the lead was only found in the stage
		CREATE TABLE plain.visit AS
		SELECT v.*, s.stage_order, s.kind, s.team, row_number() OVER (PARTITION BY id, stage ORDER BY no)::int AS visit_no,
			coalesce(plain.held(id, coalesce(left_at, 'infinity'), left_no), '(none)') AS person,
			CASE WHEN NOT is_found THEN extract(epoch FROM coalesce(left_at, plain.as_of()) - at)::bigint END AS elapsed,
			CASE WHEN NOT is_found THEN plain.worked(coalesce(s.team, ''), at, coalesce(left_at, plain.as_of()))::bigint END AS working
		FROM (SELECT id, no, raw_no, at, stage, lag(stage) OVER w AS before, lead(stage) OVER w AS after, lead(at) OVER w AS left_at, lead(raw_no) OVER w AS left_no, coalesce(lead(reason) OVER w, '(none)') AS left_reason,
				id IN (TABLE plain.late) AS is_late, id IN (TABLE plain.late) AND row_number() OVER w = 1 AS is_found
			FROM plain.move WINDOW w AS (PARTITION BY id ORDER BY no)) AS v LEFT JOIN plain.stage AS s USING (stage)
		WHERE stage IS NOT NULL;
		CREATE INDEX ON plain.visit (id, at);

		CREATE TABLE plain.submission AS
		SELECT v.*, p.sla AS handoff, p.from_team, p.team AS to_team, row_number() OVER (PARTITION BY id, p.sla ORDER BY no)::int AS submission_no,
			CASE WHEN left_at IS NULL THEN 'pending' WHEN after IS NULL THEN 'gone' WHEN after = ANY (p.accepts) THEN 'accepted' WHEN after = ANY (p.rejects) THEN 'rejected' ELSE 'withdrawn' END AS outcome,
			coalesce(plain.held(id, left_at, left_no + 1), '(none)') AS decided_by,
			plain.due(at, p.hours, p.elapsed, p.team) AS due_at,
			plain.worked(p.team, at, coalesce(left_at, plain.as_of()))::bigint AS decision_time
		FROM plain.visit AS v JOIN plain.promise AS p ON p.starts = v.stage AND p.accepts IS NOT NULL WHERE NOT is_found;

		CREATE INDEX ON plain.submission (id);

		CREATE TABLE plain.timing AS
		SELECT t.*, CASE WHEN coalesce(outcome NOT IN ('missed', 'met') OR stopped_at <= due_at, due_at IS NULL OR plain.as_of() <= due_at) THEN 0 WHEN hours IS NULL THEN extract(epoch FROM overdue_until - due_at) ELSE plain.worked(team, due_at, overdue_until) END::bigint AS overrun,
			CASE WHEN t.hours IS NULL THEN run_elapsed ELSE run_working END AS own_time,
			coalesce(plain.held(id, started_at, started_no + 1), '(none)') AS person_at_start,
			coalesce(CASE WHEN stopped_at < due_at OR stopped_at = due_at AND outcome = 'met' THEN plain.held(id, stopped_at, stopped_no) ELSE plain.held(id, coalesce(due_at, 'infinity')) END, '(none)') AS person_at_due,
			CASE WHEN stopped_at IS NOT NULL THEN coalesce(plain.held(id, stopped_at, stopped_no), '(none)') END AS person_at_stop,
			CASE WHEN outcome IS NOT NULL THEN outcome WHEN due_at IS NULL THEN 'paused' WHEN plain.as_of() > due_at THEN 'overdue' WHEN is_pausing THEN 'paused' WHEN plain.as_of() >= warn_at THEN 'at risk' ELSE 'running' END AS status
		FROM (SELECT c.*, r.run_elapsed, r.run_working, stopped_at IS NULL AND r.is_pausing AS is_pausing,
				-- a clock that is paused while it is overdue stands still
				coalesce(c.stopped_at, CASE WHEN r.is_pausing THEN r.paused_at END, plain.as_of()) AS overdue_until,
				CASE WHEN c.warn IS NULL THEN NULL WHEN c.pauses IS NULL THEN plain.due(c.started_at, CASE WHEN c.hours IS NOT NULL THEN c.warn END, c.warn, c.team) ELSE plain.due_with_pauses(c.id, c.start_no, c.stop_no, c.pauses, CASE WHEN c.hours IS NOT NULL THEN c.warn END, CASE WHEN c.hours IS NULL THEN c.warn END, c.team) END AS warn_at,
				CASE WHEN c.due_at IS NULL THEN plain.due(plain.as_of(), c.hours - r.run_working * interval '1 second', c.elapsed - r.run_elapsed * interval '1 second', c.team) END AS due_if_resumed_at
			FROM plain.clock AS c, LATERAL (SELECT sum(extract(epoch FROM coalesce(ends, c.stopped_at, plain.as_of()) - begins)) AS run_elapsed,
					sum(plain.worked(c.team, begins, coalesce(ends, c.stopped_at, plain.as_of()))) AS run_working, bool_and(ends IS NOT NULL) AS is_pausing, max(ends) AS paused_at
				FROM plain.runs(c.id, c.start_no, c.stop_no, c.pauses)) AS r OFFSET 0) AS t;

		CREATE TABLE plain.lead AS
		SELECT l.*, m.stage, s.stage_order, s.kind, s.team, CASE WHEN m.stage IS NULL THEN 'gone' WHEN s.kind IN ('won', 'lost') THEN s.kind ELSE 'open' END AS status,
			CASE WHEN m.stage IS NOT NULL THEN coalesce(plain.held(l.id, 'infinity'), '(none)') ELSE '(none)' END AS person,
			CASE WHEN m.stage IS NOT NULL AND NOT v.is_found THEN v.at END AS since, m.at AS last_at
		FROM (SELECT id, bool_or(is_late) AS is_late, min(at) FILTER (WHERE NOT is_late) AS entered_at, (array_agg(stage ORDER BY no))[1] AS entry_stage,
				min(at) FILTER (WHERE kind = 'won' AND NOT is_found) AS won_at, min(at) FILTER (WHERE kind = 'lost' AND NOT is_found) AS lost_at,
				count(before) AS moves, count(*) FILTER (WHERE stage_order < (SELECT b.stage_order FROM plain.stage AS b WHERE b.stage = before)) AS recycles,
				count(DISTINCT team) AS teams, max(no) AS last_no
			FROM plain.visit GROUP BY 1) AS l
		JOIN plain.visit AS v ON v.id = l.id AND v.no = l.last_no
		JOIN LATERAL (SELECT stage, at FROM plain.move WHERE move.id = l.id ORDER BY no DESC LIMIT 1) AS m ON true
		LEFT JOIN plain.stage AS s ON s.stage = m.stage;
		ANALYZE plain.visit, plain.submission, plain.timing, plain.lead;
	});
	return;
}

sub week  { return "date_trunc('week', $_[0] AT TIME ZONE plain.zone())::date" }
sub month { return "date_trunc('month', $_[0] AT TIME ZONE plain.zone())::date" }
sub local_date { return "($_[0] AT TIME ZONE plain.zone())::date" }

# Median and ninth decile of a number of seconds, where there are enough values.
sub quantiles
{
	my ($seconds, $filter) = @_;
	my $values = "FILTER (WHERE $filter)";

	return "CASE WHEN count($seconds) $values >= 5 THEN percentile_disc(0.5) WITHIN GROUP (ORDER BY $seconds) $values END,"
	  . " CASE WHEN count($seconds) $values >= 20 THEN percentile_disc(0.9) WITHIN GROUP (ORDER BY $seconds) $values END";
}

# Wilson's bounds of k of n, 95 %.
sub bounds
{
	my ($k, $n) = @_;
	my $z = 1.959963984540054;

	return join ', ', map { "(($k + $z ^ 2 / 2 $_ $z * sqrt(greatest($k * ($n - $k)::float8 / nullif($n, 0), 0) + $z ^ 2 / 4)) / ($n + $z ^ 2))::numeric(12, 9)" } '-', '+';
}

sub has_rows { return $node->safe_psql('postgres', "SELECT count(*) FROM plain.$_[0]") > 0 }

# Columns of a query are those of a plain one, which need not name them.
sub is_same_table
{
	my ($columns, $from, $plain, $about) = @_;
	my @names = map { /.* AS (\w+)$/s ? $1 : s/::.*//sr } split /,\s*(?![^()]*\))/, $columns;

	is_same("SELECT $columns FROM $from", "SELECT * FROM ($plain) AS p (" . join(', ', @names) . ')', $about);
	return;
}

# Some columns of a report at the instant are those of a query.
my ($reports, $what);

sub is_report
{
	my ($report, $columns, $plain) = @_;

	is_same_table($columns, "$reports.$report(plain.as_of())", $plain, "$what: $report");
	return;
}

# The facts of an instant that plain_instant() has prepared.  The reports are in
# the schema given; key: the key column.
sub plain_facts
{
	(my $key, $reports, $what) = @_;

	is_report('lead_facts', "$key\::text, entered_at, entered_on, entry_stage, is_late, since_known, stage, stage_order, stage_kind, team, assignee, since, status, submitted_at, accepted_at, won_at, lost_at, moves, recycles, is_touchless, age_seconds, in_stage_seconds, in_stage_working_seconds",
		q{SELECT id, entered_at, } . local_date('entered_at') . q{, entry_stage, is_late, since IS NOT NULL, coalesce(stage, '(none)'), stage_order, CASE WHEN stage IS NULL THEN '(none)' ELSE coalesce(kind, '(other)') END, coalesce(team, '(none)'), person, since, status,
				(SELECT min(at) FROM plain.submission AS s WHERE s.id = l.id), (SELECT min(left_at) FROM plain.submission AS s WHERE s.id = l.id AND outcome = 'accepted'), won_at, lost_at, moves, recycles, won_at IS NOT NULL AND teams < 2,
				extract(epoch FROM CASE status WHEN 'open' THEN plain.as_of() ELSE last_at END - entered_at)::bigint,
				extract(epoch FROM plain.as_of() - since)::bigint, plain.worked(coalesce(team, ''), since, plain.as_of())::bigint
			FROM plain.lead AS l});
	is_report('stage_facts', "$key\::text, visit_no, stage, stage_order, stage_kind, team, assignee, entered_at, left_at, entered_on, left_on, previous_stage, next_stage, reason, is_current, is_late, elapsed_seconds, working_seconds",
		q{SELECT id, visit_no, stage, stage_order, coalesce(kind, '(other)'), coalesce(team, '(none)'), person, CASE WHEN NOT is_found THEN at END, left_at, CASE WHEN NOT is_found THEN } . local_date('at') . q{ END, } . local_date('left_at') . q{,
				coalesce(before, '(none)'), coalesce(after, '(none)'), left_reason, left_at IS NULL, is_late, elapsed, working
			FROM plain.visit});
	is_report('sla_facts', "$key\::text, sla, cycle, is_handoff, team, assignee_at_start, assignee_at_due, assignee_at_stop, started_at, due_at, due_if_resumed_at, warn_at, stopped_at, due_on, week, ended_by, clock_status, is_open, is_met, is_missed, is_cancelled, elapsed_seconds, working_seconds, overrun_seconds, paused_seconds",
		q{SELECT id, sla, cycle, accepts IS NOT NULL, team, person_at_start, person_at_due, person_at_stop, started_at, CASE WHEN status <> 'paused' THEN due_at END, due_if_resumed_at, CASE WHEN status <> 'paused' THEN warn_at END, stopped_at,
				CASE WHEN status <> 'paused' THEN } . local_date('due_at') . q{ END, CASE WHEN status <> 'paused' THEN } . week('due_at') . q{ END, CASE WHEN stopped_at IS NOT NULL THEN CASE WHEN stopped_by IS NULL THEN 'left the funnel' ELSE 'stage' END END, status,
				(stopped_at IS NULL)::int, (status = 'met')::int, (status IN ('missed', 'overdue'))::int, (status = 'cancelled')::int, run_elapsed::bigint, run_working::bigint,
				overrun,
				(extract(epoch FROM coalesce(stopped_at, plain.as_of()) - started_at) - run_elapsed)::bigint
			FROM plain.timing})
	  if has_rows('timing');
	is_report('handoff_facts', "$key\::text, handoff, from_team, to_team, submission_no, is_first, submitted_at, decided_at, submitted_on, outcome, reason, decided_by, assignee, due_at, is_met, is_missed, working_seconds, elapsed_seconds",
		q{SELECT id, handoff, coalesce(from_team, '(none)'), coalesce(to_team, '(none)'), submission_no, submission_no = 1, at, left_at, } . local_date('at') . q{, outcome, left_reason, decided_by, person, due_at,
				(outcome IN ('accepted', 'rejected') AND left_at <= due_at)::int, (CASE WHEN outcome IN ('withdrawn', 'gone') THEN left_at >= due_at ELSE coalesce(left_at, plain.as_of()) > due_at END)::int, decision_time, elapsed
			FROM plain.submission})
	  if has_rows('submission');
	return;
}

# The reports on handoffs, promises and times at that instant.  settle: the time to
# settle; since: complete_since of create_reports().
sub plain_times
{
	my ($key, $settle, $since);

	($key, $reports, $what, $settle, $since) = @_;

	my $week_of = week('at');

	if (has_rows('submission'))
	{
		is_report('handoffs_by_week', 'handoff, week, from_team, to_team, submitted, accepted, rejected, withdrawn, pending, gone, first_submissions, acceptance_rate::numeric(12, 9), acceptance_rate_lower::numeric(12, 9), acceptance_rate_upper::numeric(12, 9), median_working_seconds, p90_working_seconds, n, week_start_at, is_complete, is_running',
			qq{SELECT handoff, week, coalesce(from_team, '(none)'), coalesce(to_team, '(none)'), submitted, accepted, rejected, withdrawn, pending, gone, first_submissions, (accepted::float8 / nullif(accepted + rejected, 0))::numeric(12, 9),
					CASE WHEN is_final THEN lower END, CASE WHEN is_final THEN upper END, median, p90, n, week::timestamp AT TIME ZONE plain.zone(), week::timestamp AT TIME ZONE plain.zone() >= '$since', (week + 7)::timestamp AT TIME ZONE plain.zone() > plain.as_of()
				FROM (SELECT *, pending = 0 AND accepted + rejected > 0 AND accepted + rejected = decided_leads AS is_final FROM (
					SELECT handoff, $week_of AS week, from_team, to_team, count(*) AS submitted, count(*) FILTER (WHERE outcome = 'accepted') AS accepted, count(*) FILTER (WHERE outcome = 'rejected') AS rejected, count(*) FILTER (WHERE outcome = 'withdrawn') AS withdrawn,
						count(*) FILTER (WHERE outcome = 'pending') AS pending, count(*) FILTER (WHERE outcome = 'gone') AS gone, count(*) FILTER (WHERE submission_no = 1) AS first_submissions, count(DISTINCT id) FILTER (WHERE outcome IN ('accepted', 'rejected')) AS decided_leads,
						} . quantiles('decision_time', q{outcome IN ('accepted', 'rejected')}) . qq{, count(decision_time) FILTER (WHERE outcome IN ('accepted', 'rejected'))
					FROM plain.submission GROUP BY 1, 2, 3, 4) AS s (handoff, week, from_team, to_team, submitted, accepted, rejected, withdrawn, pending, gone, first_submissions, decided_leads, median, p90, n)) AS s
				LEFT JOIN LATERAL (SELECT } . bounds('accepted', '(accepted + rejected)') . q{ WHERE accepted + rejected > 0) AS b (lower, upper) ON true});
	}
	is_report('sla_by_week', 'sla, week, is_handoff, team, met, missed, cancelled, still_open, compliance::numeric(12, 9), compliance_lower::numeric(12, 9), compliance_upper::numeric(12, 9), median_working_seconds, p90_working_seconds, n, week_start_at, is_complete, is_running',
		q{SELECT sla, week, is_handoff, team, met, missed, cancelled, still_open, (met::float8 / nullif(met + missed, 0))::numeric(12, 9), lower, upper, median, p90, n,
				week::timestamp AT TIME ZONE plain.zone(), week::timestamp AT TIME ZONE plain.zone() >= '} . $since . q{', (week + 7)::timestamp AT TIME ZONE plain.zone() > plain.as_of()
			FROM (SELECT sla, } . week('due_at') . q{, accepts IS NOT NULL, team, count(*) FILTER (WHERE stopped_at <= due_at AND stopped_by = ANY (stops)), count(*) FILTER (WHERE coalesce(stopped_at, plain.as_of()) > due_at OR outcome = 'missed'),
					count(*) FILTER (WHERE outcome = 'cancelled'), count(*) FILTER (WHERE stopped_at IS NULL AND due_at < plain.as_of()), } . quantiles('own_time::bigint', q{outcome IN ('met', 'missed')}) . q{, count(*) FILTER (WHERE outcome IN ('met', 'missed'))
				FROM plain.timing WHERE due_at <= plain.as_of() AND status <> 'paused' GROUP BY 1, 2, 3, 4) AS s (sla, week, is_handoff, team, met, missed, cancelled, still_open, median, p90, n)
			LEFT JOIN LATERAL (SELECT } . bounds('met', '(met + missed)') . q{ WHERE met + missed > 0) AS b (lower, upper) ON true});
	is_report('time_in_stage', 'month, stage, stage_order, left_forward, left_back, left_lost, left_gone, left_other, late, n, median_seconds, p90_seconds, median_working_seconds, p90_working_seconds, open_at_end, open_median_seconds, is_complete, as_of',
		q{SELECT month, stage, coalesce(stage_order, open_order), coalesce(forward, 0), coalesce(back, 0), coalesce(lost, 0), coalesce(gone, 0), coalesce(other, 0), coalesce(late, 0), coalesce(n, 0), median, p90, median_working, p90_working, coalesce(open, 0), open_median,
				month::timestamp AT TIME ZONE plain.zone() >= '} . $since . q{', least((month + interval '1 month') AT TIME ZONE plain.zone(), plain.as_of())
			FROM (SELECT } . month('left_at') . q{, stage, v.stage_order, count(*) FILTER (WHERE a.kind = 'won' OR a.kind = 'open' AND a.stage_order > v.stage_order), count(*) FILTER (WHERE a.kind = 'open' AND a.stage_order < v.stage_order),
					count(*) FILTER (WHERE a.kind = 'lost'), count(*) FILTER (WHERE after IS NULL), count(*) FILTER (WHERE after IS NOT NULL AND (a.kind IS NULL OR a.kind = 'open' AND v.stage_order IS NULL)),
					count(*) FILTER (WHERE is_late), count(elapsed) FILTER (WHERE NOT is_late), } . quantiles('elapsed', 'NOT is_late') . ', ' . quantiles('working', 'NOT is_late') . q{
				FROM plain.visit AS v LEFT JOIN (SELECT stage AS after, stage_order, kind FROM plain.stage) AS a USING (after) WHERE left_at IS NOT NULL GROUP BY 1, 2, 3)
				AS e (month, stage, stage_order, forward, back, lost, gone, other, late, n, median, p90, median_working, p90_working)
			FULL JOIN (SELECT month, stage, stage_order, count(*), } . (quantiles('extract(epoch FROM until - at)::bigint', 'NOT is_late') =~ s/, CASE WHEN count.*>= 20.*//r) . q{
				FROM (SELECT month::date, least((month + interval '1 month') AT TIME ZONE plain.zone(), plain.as_of()) AS until FROM generate_series((SELECT min(} . month('at') . q{) FROM plain.entry), plain.as_of() AT TIME ZONE plain.zone(), interval '1 month') AS month) AS m
				JOIN plain.visit ON at <= until AND (left_at > until OR left_at IS NULL) AND coalesce(kind, 'open') = 'open' GROUP BY 1, 2, 3) AS o (month, stage, open_order, open, open_median) USING (month, stage)});
	is_report('lead_time', 'month, leg, n, late, median_seconds, p90_seconds, median_working_seconds, p90_working_seconds, is_complete',
		q{WITH legs AS (
				SELECT id, 'entry to won' AS leg, is_late, entered_at AS since, won_at AS until FROM plain.lead WHERE won_at IS NOT NULL
				UNION ALL SELECT id, 'entry to ' || handoff, l.is_late, entered_at, at FROM plain.submission JOIN plain.lead AS l USING (id) WHERE submission_no = 1
				UNION ALL SELECT id, handoff || ' to won', l.is_late, at, won_at FROM plain.submission JOIN plain.lead AS l USING (id) WHERE submission_no = 1 AND won_at >= at
			), timed AS (
				SELECT leg, is_late, until, extract(epoch FROM until - since)::bigint AS seconds, coalesce((SELECT sum(working) FROM plain.visit AS v WHERE v.id = l.id AND v.at >= since AND v.at < until), 0)::bigint AS working FROM legs AS l
				UNION ALL
				SELECT handoff || ' to decision', is_late, left_at, elapsed, decision_time FROM plain.submission WHERE submission_no = 1 AND outcome IN ('accepted', 'rejected')
			)
			SELECT } . month('until') . q{ AS month, leg, count(*) FILTER (WHERE NOT is_late), count(*) FILTER (WHERE is_late), } . quantiles('seconds', 'NOT is_late') . ', ' . quantiles('working', 'NOT is_late') . q{, min(date_trunc('month', until AT TIME ZONE plain.zone())) AT TIME ZONE plain.zone() >= '} . $since . q{'
			FROM timed GROUP BY 1, 2});
	is_report('stuck', "$key\::text, stage, stage_order, team, assignee, since, age_seconds, age_working_seconds, limit_working_seconds, limit_basis, as_of",
		qq{WITH base AS (
				SELECT stage, working, cume_dist() OVER (PARTITION BY stage ORDER BY working NULLS LAST) AS share
				FROM (SELECT stage, CASE WHEN left_at <= at + interval '$settle' THEN working END AS working FROM plain.visit
					WHERE NOT is_late AND at >= plain.as_of() - interval '$settle' - interval '8760 hours' AND at < plain.as_of() - interval '$settle') AS v
			), counted AS MATERIALIZED (
				SELECT s.*, (SELECT count(*) FROM base AS b WHERE b.stage = s.stage) AS n, (SELECT min(working) FROM base AS b WHERE b.stage = s.stage AND share >= 0.9) AS left_by_then,
					(SELECT min(plain.worked(coalesce(s.team, ''), plain.as_of(), plain.due(plain.as_of(), p.hours, p.elapsed, p.team))) FROM plain.promise AS p WHERE p.starts = s.stage)::bigint AS allowed
				FROM plain.stage AS s WHERE kind = 'open'
			), limits AS MATERIALIZED (
				SELECT stage, CASE WHEN n < 20 THEN allowed ELSE coalesce(left_by_then, plain.worked(coalesce(team, ''), plain.as_of() - interval '$settle', plain.as_of())::bigint) END AS seconds,
					CASE WHEN n < 20 THEN 'sla' WHEN left_by_then IS NULL THEN 'window' ELSE 'visits' END AS basis
				FROM counted
			)
			SELECT id, stage, stage_order, coalesce(team, '(none)'), person, since, extract(epoch FROM plain.as_of() - since)::bigint, plain.worked(coalesce(team, ''), since, plain.as_of())::bigint, seconds, basis, plain.as_of()
			FROM plain.lead JOIN limits USING (stage) WHERE plain.worked(coalesce(team, ''), since, plain.as_of()) > seconds});
	is_report('workload', 'week, assignee, team, arrivals, departures, in_hand_start, in_hand_end, in_hand_mean::numeric(12, 4), working_days, arrivals_per_day::numeric(12, 6), departures_per_day::numeric(12, 6), best_per_day::numeric(12, 6), load::numeric(12, 6), clear_days::numeric(12, 6), expected_in_hand::numeric(12, 6), is_complete, week_start_at, as_of',
		qq{WITH event AS (
				SELECT id, at, raw_no AS no FROM plain.entry UNION SELECT id, at, no FROM plain.holder
			), held AS (
				SELECT id, at, no, plain.held(id, at, no + 1) AS person, (SELECT stage FROM plain.entry AS e WHERE e.id = v.id AND (e.at, e.raw_no) <= (v.at, v.no) ORDER BY e.at DESC, e.raw_no DESC LIMIT 1) AS stage FROM event AS v
			), change AS (
				SELECT * FROM (SELECT *, lag(person) OVER w AS person_before, lag(stage) OVER w AS stage_before, row_number() OVER w = 1 AS is_first FROM held WINDOW w AS (PARTITION BY id ORDER BY at, no)) AS h
				WHERE is_first OR (person, stage) IS DISTINCT FROM (person_before, stage_before)
			), spell AS (
				SELECT h.person, coalesce(s.team, '(none)') AS team, at AS began, ended, is_first AND id IN (TABLE plain.late) AS is_found
				FROM (SELECT *, lead(at) OVER (PARTITION BY id ORDER BY at, no) AS ended FROM change) AS h JOIN plain.stage AS s USING (stage) WHERE s.kind = 'open' AND person IS NOT NULL
			), week AS (
				SELECT n, day::date AS week, day AT TIME ZONE plain.zone() AS began, (day + interval '7 days') AT TIME ZONE plain.zone() AS ended
				FROM (SELECT n, date_trunc('week', plain.as_of() AT TIME ZONE plain.zone()) - n * interval '7 days' AS day FROM generate_series(0, 38) AS n) AS w
			), capacity AS (
				SELECT team, w.*, least(ended, plain.as_of()) AS until, ended <= plain.as_of() AS is_over, plain.worked(team, began, least(ended, plain.as_of())) AS worked, plain.worked(team, began, ended) AS full_worked,
					(SELECT count(DISTINCT (opens AT TIME ZONE plain.zone())::date) FROM plain.shift AS s WHERE s.team = plain.calendar(t.team) AND opens >= began AND opens < least(ended, plain.as_of())) AS days,
					(SELECT count(DISTINCT (opens AT TIME ZONE plain.zone())::date) FROM plain.shift AS s WHERE s.team = plain.calendar(t.team) AND opens >= began AND opens < ended) AS full_days
				FROM (SELECT DISTINCT team FROM spell) AS t, week AS w
			), part AS (
				SELECT person, c.team, c.n, s.began >= c.began AND NOT is_found AS arrives, s.ended IS NOT NULL AND (s.ended < c.ended OR NOT is_over) AS departs, s.began < c.began AS at_start, s.ended IS NULL OR is_over AND s.ended >= c.ended AS at_end,
					plain.worked(c.team, greatest(s.began, c.began), least(s.ended, c.until)) AS inside, plain.worked(c.team, s.began, s.ended) AS whole
				FROM spell AS s JOIN capacity AS c ON c.team = s.team AND s.began <= c.until AND (s.began < c.ended OR NOT is_over) AND (s.ended >= c.began OR s.ended IS NULL)
			), total AS (
				SELECT person, c.team, c.n, week, c.began, until, is_over, worked, full_worked, days, full_days, count(*) FILTER (WHERE arrives) AS arrivals, count(*) FILTER (WHERE departs) AS departures, count(*) FILTER (WHERE at_start) AS at_start, count(*) FILTER (WHERE at_end) AS at_end,
					coalesce(sum(inside), 0) AS inside, coalesce(sum(whole) FILTER (WHERE departs), 0) AS whole
				FROM (SELECT person, team, max(n) AS first_n FROM part GROUP BY 1, 2) AS f JOIN capacity AS c USING (team) LEFT JOIN part AS p USING (person, team, n) WHERE c.n <= first_n GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
			), pace AS (
				SELECT t.*, departures::float8 / nullif(days, 0) AS departed, arrivals::float8 / nullif(days, 0) AS arrived,
					(SELECT CASE WHEN count(b.days) >= 6 THEN percentile_disc(0.9) WITHIN GROUP (ORDER BY b.departures::float8 / b.days) END FROM total AS b WHERE b.person = t.person AND b.team = t.team AND b.n BETWEEN t.n + 1 AND t.n + 12 AND b.days > 0 AND b.began >= '$since') AS best,
					four.*
				FROM total AS t, LATERAL (SELECT sum(f.departures)::float8 AS departures_4, sum(f.days)::float8 AS days_4, sum(f.whole)::float8 AS whole_4, sum(f.full_worked)::float8 / nullif(sum(f.full_days), 0) AS day FROM total AS f WHERE f.person = t.person AND f.team = t.team AND f.n BETWEEN t.n AND t.n + 3) AS four
			)
			SELECT week, person, team, arrivals, departures, at_start, at_end, (inside / nullif(worked, 0))::numeric(12, 4), days::int, arrived::numeric(12, 6), departed::numeric(12, 6), best::numeric(12, 6), (arrived / nullif(best, 0))::numeric(12, 6),
				(at_end / nullif(departures_4 / nullif(days_4, 0), 0))::numeric(12, 6), (arrived * (whole_4 / nullif(departures_4, 0) / day))::numeric(12, 6), began >= '$since', began, until
			FROM pace WHERE n <= 26 AND arrivals + departures + at_start + at_end > 0});
	return;
}

# The lists of what is to be done at that instant, which may be empty.  since:
# complete_since of create_reports().
sub plain_lists
{
	my ($key, $since);

	($key, $reports, $what, $since) = @_;

	my @lists = (
		[ 'sla_now', "$key\::text, sla, cycle, is_handoff, team, assignee, assignee_at_due, clock_status, started_at, due_at, warn_at, elapsed_seconds, working_seconds, overrun_seconds, stage, stage_order, as_of",
			q{SELECT id, sla, cycle, accepts IS NOT NULL, t.team, person, person_at_due, t.status, started_at, due_at, warn_at, run_elapsed::bigint, run_working::bigint, overrun, stage, stage_order, plain.as_of()
			FROM plain.timing AS t JOIN plain.lead USING (id) WHERE t.status IN ('overdue', 'at risk')} ],
		[ 'promises', 'sla, team, is_handoff, week, met_week, missed_week, rate_week::numeric(12, 9), met_before4, missed_before4, rate_before4::numeric(12, 9), overdue_now, at_risk_now, paused_now, oldest_overdue_working_seconds',
			q{SELECT sla, team, is_handoff, week, met, missed, (met / nullif(met + missed, 0)::float8)::numeric(12, 9), met4, missed4, (met4 / nullif(met4 + missed4, 0)::float8)::numeric(12, 9), overdue, at_risk, paused, oldest
			FROM (SELECT p.sla, p.team, p.accepts IS NOT NULL, last.week, count(*) FILTER (WHERE t.week = last.week AND status = 'met'), count(*) FILTER (WHERE t.week = last.week AND status IN ('missed', 'overdue')),
					count(*) FILTER (WHERE t.week < last.week AND status = 'met'), count(*) FILTER (WHERE t.week < last.week AND status IN ('missed', 'overdue')),
					sum(overdue), sum(at_risk), sum(paused), max(oldest)
				FROM plain.promise AS p, LATERAL (SELECT } . week('plain.as_of()') . q{ - 7 AS week) AS last, LATERAL (
					SELECT } . week('due_at') . q{ AS week, status, NULL::numeric AS overdue, NULL::numeric AS at_risk, NULL::numeric AS paused, NULL::bigint AS oldest FROM plain.timing AS c
					WHERE c.sla = p.sla AND status <> 'paused' AND due_at <= plain.as_of() AND } . week('due_at') . q{ BETWEEN last.week - 28 AND last.week
						AND (} . week('due_at') . q{ = last.week OR date_trunc('week', due_at AT TIME ZONE plain.zone()) AT TIME ZONE plain.zone() >= '} . $since . q{')
					UNION ALL
					SELECT NULL, NULL, count(*) FILTER (WHERE status = 'overdue'), count(*) FILTER (WHERE status = 'at risk'), count(*) FILTER (WHERE status = 'paused'), max(overrun) FILTER (WHERE status = 'overdue') FROM plain.timing AS c WHERE c.sla = p.sla) AS t
				GROUP BY 1, 2, 3, 4) AS p (sla, team, is_handoff, week, met, missed, met4, missed4, overdue, at_risk, paused, oldest)} ],
		[ 'handover', "$key\::text, handoff, from_team, to_team, assignee, submitted_at, due_at, is_overdue, needs_missing, rejections_before, last_reject_reason, entered_on",
			q{SELECT id, handoff, from_team, to_team, s.person, at, due_at, plain.as_of() > due_at, '(none)', rejections, coalesce(reason, '(none)'), } . local_date('entered_at') . q{
			FROM plain.submission AS s JOIN plain.lead USING (id), LATERAL (SELECT count(*) AS rejections, (array_agg(left_reason ORDER BY no DESC))[1] AS reason FROM plain.submission AS b WHERE b.id = s.id AND outcome = 'rejected') AS r
			WHERE outcome = 'pending'} ],
		[ 'unassigned', "$key\::text, stage, stage_order, team, since, unassigned_since, unassigned_working_seconds, next_due_at, is_overdue",
			q{SELECT id, l.stage, l.stage_order, l.team, since, unassigned, plain.worked(l.team, unassigned, plain.as_of())::bigint, due_at, coalesce(is_overdue, false)
			FROM plain.lead AS l JOIN plain.stage AS s USING (stage),
				LATERAL (SELECT min(h.at) AS at FROM plain.holder AS h WHERE h.id = l.id AND NOT EXISTS (SELECT FROM plain.holder AS a WHERE a.id = h.id AND a.person IS NOT NULL AND (a.at, a.no) >= (h.at, h.no))) AS h,
				LATERAL (SELECT CASE WHEN NOT (is_late AND h.at = (SELECT min(at) FROM plain.holder AS a WHERE a.id = l.id)) THEN h.at END AS unassigned) AS u,
				LATERAL (SELECT min(due_at) AS due_at, bool_or(status = 'overdue') AS is_overdue FROM plain.timing AS t WHERE t.id = l.id AND stopped_at IS NULL AND status <> 'paused') AS c
			WHERE l.status = 'open' AND person = '(none)' AND l.team IS NOT NULL AND (on_path OR due_at IS NOT NULL)} ]);

	$node->safe_psql('postgres', 'CREATE INDEX ON plain.timing (id)');
	foreach my $list (@lists)
	{
		if ($node->safe_psql('postgres', "SELECT count(*) FROM ($list->[2]) AS l") > 0)
		{
			is_report(@$list);
		}
		else
		{
			is_value("SELECT count(*) FROM $reports.$list->[0](plain.as_of())", '0', "$what: $list->[0] is empty");
		}
	}
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
