# Service-level clocks as the triggers keep them, against cases restated from
# other projects' test suites, where these are at hand: sla.json with
# calendars.json.
use strict;
use warnings;

use Cases;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

need_cases('sla.json');

my $node = PostgreSQL::Test::Cluster->new('clocks_cases');
$node->init;
$node->start;

sub query
{
	my ($sql) = @_;
	return $node->safe_psql('postgres', $sql);
}

query('CREATE EXTENSION align');

my $calendars = read_cases('calendars.json');
my $number = 0;
foreach my $case (@{ read_cases('sla.json') })
{
	my $hours = calendar_text($calendars->{ $case->{cal} });
	my $agreement = sla_agreement($hours, $case);
	my $name = $case->{src};
	my $table = 'ticket_' . ++$number;
	my %at = map { $_->[0] => $_->[1] } @{ $case->{events} };

	query(<<~SQL);
		SELECT align.agree('$table', \$\$$agreement\$\$);
		CREATE TABLE $table (id int PRIMARY KEY, stage text, at timestamptz);
		SELECT align.attach('$table', agreement => '$table', changed_at => 'at');
		SQL

	# One event after the other, in a transaction each; the table and the function as of each.
	my $clock = sub { query("SELECT $_[0] FROM ${table}_sla") };
	my $as_of = sub { query("SELECT $_[0] FROM align.clocks('$table', '$_[1]')") };
	foreach my $event (@{ $case->{events} })
	{
		my ($what, $at) = @$event;

		query("INSERT INTO $table VALUES (1, '@{[stage_after($what)]}', '$at') "
			  . "ON CONFLICT (id) DO UPDATE SET stage = excluded.stage, at = excluded.at");
		if ($what eq 'start')
		{
			is($clock->("due_at = '$case->{due_at_start}'"), 't', "$name: due at the start")
			  if defined $case->{due_at_start};
			is($as_of->('state', $at), 'running', "$name: running");
		}
		elsif ($what eq 'pause')
		{
			is($as_of->('state', $at), 'paused', "$name: paused");
			is($clock->("paused = tstzmultirange(tstzrange('$at', NULL))"), 't', "$name: paused from then on");
			is($as_of->("due_at = '$case->{due_after_resume}'", $at{resume}),
				't', "$name: due if it resumed when it will")
			  if defined $case->{due_after_resume};
		}
		elsif ($what eq 'resume')
		{
			is($clock->("due_at = '$case->{due_after_resume}'"), 't', "$name: due after the pause")
			  if defined $case->{due_after_resume};
		}
		is(query("SELECT count(*) FROM align.check('$table')"), 0, "$name: check after $what");
	}
	is($clock->('outcome'), $case->{met} ? 'met' : 'missed', "$name: outcome");
	is($clock->("extract(epoch FROM elapsed)::int"), $case->{elapsed_s}, "$name: elapsed");
	is($clock->("paused = tstzmultirange(tstzrange('$at{pause}', '$at{resume}'))"), 't', "$name: paused")
	  if defined $at{resume};

	# What the triggers kept is what the journey gives.
	is( query(<<~SQL), 't', "$name: as sla_clocks() has it");
		SELECT (c.started_at, c.due_at, c.stopped_at, c.elapsed, c.state) = (s.started_at, s.due_at, s.stopped_at, s.elapsed, s.outcome)
		FROM align.journeys('$table') AS j
		CROSS JOIN LATERAL align.sla_clocks(j.lead, align.agreed('$table'), '$at{stop}') AS c, ${table}_sla AS s
		SQL

	# Written in the reverse order, all have the latest time so far: the journey follows the row.
	my $rows = join ', ', map { "('@{[stage_after($_->[0])]}', '$_->[1]'::timestamptz)" } reverse @{ $case->{events} };
	query(<<~SQL);
		SELECT align.attach('$table', agreement => '$table', changed_at => 'at', mode => 'observe');
		DO \$\$
		DECLARE
			event record;
		BEGIN
			FOR event IN VALUES $rows LOOP
				INSERT INTO $table VALUES (2, event.column1, event.column2)
				ON CONFLICT (id) DO UPDATE SET stage = excluded.stage, at = excluded.at;
			END LOOP;
		END
		\$\$
		SQL
	is( query(<<~SQL), 't', "$name: in the reverse order");
		SELECT count(DISTINCT effective_at) = 1 AND bool_and(source IS NOT DISTINCT FROM CASE WHEN entry_no > 1 THEN 'backdated' END)
		FROM ${table}_history WHERE id = 2
		SQL
	is(query("SELECT count(*) FROM align.check('$table')"), 0, "$name: check after the reverse order");
}

$node->stop;
done_testing();
