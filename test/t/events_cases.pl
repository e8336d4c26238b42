# window_funnel against cases restated from other projects' issues and documentation,
# where these are at hand: window_funnel.jsonl.
use strict;
use warnings;

use Cases;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

need_cases('window_funnel.jsonl');

my $node = PostgreSQL::Test::Cluster->new('events_cases');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION align');

my @cases = map { decode_json($_) } grep { /\S/ } split /\n/, case_file('window_funnel.jsonl');
cmp_ok(scalar @cases, '>', 0, 'there are cases');
foreach my $case (@cases)
{
	my $columns = join ', ', map { "s$_" } 1 .. $case->{steps};
	my @rows;

	foreach my $event (@{ $case->{events} })
	{
		my ($at, $steps) = @$event;
		my %matches = map { $_ => 1 } @$steps;

		push @rows, "($at, " . join(', ', map { $matches{$_} ? 'true' : 'false' } 1 .. $case->{steps}) . ')';
	}
	my $values = @rows ? 'VALUES ' . join(', ', @rows) : 'SELECT ' . join(', ', 0, ('true') x $case->{steps}) . ' WHERE false';

	is($node->safe_psql('postgres', <<~SQL), $case->{expected}, "$case->{id}: $case->{source}");
		SELECT align.window_funnel('$case->{window} seconds', '@{ $case->{modes} }', to_timestamp(at), $columns)
		FROM ($values) AS e(at, $columns)
		SQL
}

$node->stop;
done_testing();
