# Data-driven credit on ChannelAttribution's PathData: 10,000 rows of 5,408
# different paths over 12 channels, against all 2^12 coalitions and walks of the
# chains (PathsOracle.pm).
use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__);
use PathsOracle;
use RealData;
use PostgreSQL::Test::Utils;
use Test::More;

my $folder = shared_folder('channel_paths');
my $node = start_node('paths');

$node->safe_psql('postgres', 'CREATE TABLE data (path text, conversions bigint, value numeric, nulls bigint)');
load_csv('data', "$folder/PathData.csv");
$node->safe_psql('postgres', q{
	ALTER TABLE data ADD i int GENERATED ALWAYS AS IDENTITY;
	CREATE TABLE made AS SELECT align.paths_agg(string_to_array(path, ' > '), conversions, value, nulls) AS paths FROM data});

is_value(q{SELECT sum(conversions), sum(value)::numeric(20, 6), sum(nulls), count(*) FROM made, align.path_counts(paths)}, '19785|74802.971587|68602|5408', 'what was aggregated');
is_same(q{SELECT p.path, p.conversions, p.value, p.nulls FROM made, align.path_counts(paths) AS p}, q{SELECT string_to_array(path, ' > '), sum(conversions)::bigint AS conversions, CASE WHEN sum(conversions) > 0 THEN sum(value) END AS value, sum(nulls)::bigint AS nulls FROM data GROUP BY 1}, 'path by path');
foreach my $function ('shapley(paths)', map { "markov(paths, $_)" } 1 .. 4)
{
	is_value(qq{SELECT abs(sum(conversions) - 19785) < 1e-9, sum(value) = (SELECT sum(value) FROM data), abs(sum(value) - 74802.971587) < 1e-6, count(*), min(conversions) > 0, min(value) > 0 FROM made, align.$function},
		't|t|t|12|t|t', "$function: totals are conserved, nothing is negative");
}

# Parts, merged: the same to the last bit.
is_value(q{SELECT bool_and(p OPERATOR(align.=) paths AND (SELECT array_agg(m ORDER BY m.channel) FROM align.markov(p, 2) m)::text = (SELECT array_agg(m ORDER BY m.channel) FROM align.markov(paths, 2) m)::text)
	FROM made, (SELECT seed, align.rollup(p) AS p FROM (SELECT seed, hashint4extended(i, seed) % 5 AS part, align.paths_agg(string_to_array(path, ' > '), conversions, value, nulls) AS p FROM data, generate_series(1, 4) AS seed GROUP BY 1, 2) x GROUP BY seed) m},
	't', 'split at random and merged');

# Published (after Zhao et al., 2018).
my %published = (alpha => 7627.944048, eta => 3613.655952, iota => 3505.044048, beta => 1982.739286, theta => 1190.963095, lambda => 987.782143, epsilon => 374.677381,
	zeta => 199.991667, kappa => 159.057143, gamma => 138.185714, mi => 2.666667, delta => 2.292857);

sub numbers
{
	my ($column, $function) = @_;

	return map { split /\|/ } split /\n/, $node->safe_psql('postgres', "SELECT channel, $column FROM made, align.$function");
}

sub furthest
{
	my ($got, $expected) = @_;
	my $result = join(' ', sort keys %$got) eq join(' ', sort keys %$expected) ? 0 : 'other channels';

	foreach my $channel (keys %$expected)
	{
		my $distance = abs(($got->{$channel} // 1e9) - $expected->{$channel});

		$result = $distance if $distance > $result;
	}
	return $result;
}

my @paths = map { my ($path, $conversions, $nulls) = split /\|/; [ [ split / > /, $path ], $conversions, $nulls ] }
  split /\n/, $node->safe_psql('postgres', 'SELECT path, sum(conversions), sum(nulls) FROM data GROUP BY path');

my %shapley = numbers('conversions', 'shapley(paths)');
cmp_ok(furthest(\%shapley, \%published), '<', 5e-7, 'shapley: as published');
cmp_ok(furthest(\%shapley, { shapley_conversions(\@paths) }), '<', 1e-9, 'shapley: all 4,096 coalitions');
is_same(q{SELECT channel, round(conversions::numeric, 9) AS conversions, round(value, 9) AS value FROM made, align.shapley(paths)},
	q{SELECT channel, round(sum(1.0 * conversions / n), 9) AS conversions, round(sum(value / n), 9) AS value
		FROM (SELECT conversions, value, channels, cardinality(channels) AS n FROM (SELECT conversions, value, ARRAY(SELECT DISTINCT unnest(string_to_array(path, ' > '))) AS channels FROM data) d) d, unnest(channels) AS channel GROUP BY channel},
	'shapley: linear credit over the different channels, of values too');

foreach my $order (1 .. 3)
{
	my %effects = removal_effects(\@paths, $order);
	my %shares = markov_shares(%effects);

	cmp_ok(furthest({ numbers('removal_effect', "markov(paths, $order)") }, \%effects), '<', 1e-9, "markov of order $order: removal effects of the walk");
	cmp_ok(furthest({ numbers('conversions', "markov(paths, $order)") }, { map { $_ => $shares{$_} * 19785 } keys %shares }), '<', 1e-9 * 19785, "markov of order $order: conversions");
	cmp_ok(furthest({ numbers('value', "markov(paths, $order)") }, { map { $_ => $shares{$_} * 74802.97158721086786856 } keys %shares }), '<', 1e-9 * 74802, "markov of order $order: values");
}

# Repeats.
$node->safe_psql('postgres', q{CREATE TABLE collapsed AS SELECT align.paths_agg(align.collapse_repeats(path), conversions, value, nulls) AS paths FROM made, align.path_counts(paths)});
is_value(q{SELECT chain_order, bool_and(abs(a.removal_effect - b.removal_effect) < 1e-9) FROM generate_series(1, 2) AS chain_order, (SELECT made.paths AS a, collapsed.paths AS b FROM made, collapsed) p, align.markov(a, chain_order) AS a JOIN LATERAL align.markov(b, chain_order) AS b USING (channel) GROUP BY 1 ORDER BY 1},
	"1|t\n2|f", 'collapsing repeats changes orders above 1 only');

$node->stop;
done_testing();
