# Patterns of events against cases restated from ClickHouse's documentation, where
# these are at hand: sequence.jsonl.
use strict;
use warnings;

use Cases;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

need_cases('sequence.jsonl');

my $node = PostgreSQL::Test::Cluster->new('sequence_cases');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION align');

my @cases = map { decode_json($_) } grep { /\S/ } split /\n/, case_file('sequence.jsonl');
cmp_ok(scalar @cases, '>', 0, 'there are cases');
foreach my $case (@cases)
{
	# as many conditions as the pattern or an event refers to
	my ($nconditions) = sort { $b <=> $a } 1, $case->{pattern} =~ /\(\?(\d+)/g, map { @{ $_->[1] } } @{ $case->{events} };
	my $conditions = join ', ', map { "$_ = ANY (c)" } 1 .. $nconditions;
	my $values = join ', ', map { "($_->[0], '{" . join(',', @{ $_->[1] }) . "}'::int[])" } @{ $case->{events} };
	my $answer = $node->safe_psql('postgres', "SELECT align.$case->{fn}('$case->{pattern}', to_timestamp(at), $conditions) FROM (VALUES $values) AS e(at, c)");
	my $expected = $case->{expected};

	$expected = $expected ? 't' : 'f' if JSON::PP::is_bool($expected);
	is($answer, $expected, "$case->{id}: $case->{source}");
}

$node->stop;
done_testing();
