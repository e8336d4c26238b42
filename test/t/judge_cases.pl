# Service-level clocks against cases restated from other projects' test suites,
# where these are at hand: sla.json with calendars.json.
use strict;
use warnings;

use Cases;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

need_cases('sla.json');

my $node = PostgreSQL::Test::Cluster->new('judge_cases');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION align');

my $calendars = read_cases('calendars.json');
foreach my $case (@{ read_cases('sla.json') })
{
	my $hours = calendar_text($calendars->{ $case->{cal} });
	my $funnel = sla_agreement($hours, $case);
	my @journey = map { "('$_->[1]'::timestamptz, '@{[stage_after($_->[0])]}')" } @{ $case->{events} };
	my %at = map { $_->[0] => $_->[1] } @{ $case->{events} };

	# The one clock as of an instant, each answer as a text.
	my $clock = sub {
		my ($what, $as_of) = @_;
		return $node->safe_psql('postgres', <<~SQL);
			SELECT $what
			FROM (SELECT align.lead_agg(at, stage) FROM (VALUES @{[join ', ', @journey]}) v(at, stage)) l(journey),
				align.sla_clocks(journey, \$funnel\$$funnel\$funnel\$, '$as_of') c
			SQL
	};

	my $name = $case->{src};
	is($clock->("due_at = '$case->{due_at_start}'", $at{start}), 't', "$name: due at the start")
	  if defined $case->{due_at_start};
	is($clock->("due_at = '$case->{due_after_resume}'", $at{resume}), 't', "$name: due after the pause")
	  if defined $case->{due_after_resume};
	is($clock->("extract(epoch FROM elapsed)::int", $at{stop}), $case->{elapsed_s}, "$name: elapsed");
	is($clock->('state', $at{stop}), $case->{met} ? 'met' : 'missed', "$name: outcome");
	is($clock->('state', $at{pause}), 'paused', "$name: paused");

	# Working time between pause and resumption is not counted as spent.
	is( $node->safe_psql('postgres',
			"SELECT extract(epoch FROM align.working_time('$hours', '$at{pause}', '$at{resume}'))::int"),
		$case->{paused_s}, "$name: working time of the pause")
	  if defined $case->{paused_s};
}

$node->stop;
done_testing();
