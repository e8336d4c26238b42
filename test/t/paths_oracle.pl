# Markov's and Shapley's credit of random sets of paths, against the walk of the
# chain and all coalitions of channels (PathsOracle.pm).  ALIGN_PATHS_CASES sets
# how many, ALIGN_SEED where they begin.
use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__);
use PathsOracle;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $ncases = $ENV{ALIGN_PATHS_CASES} // 400;
my $seed = $ENV{ALIGN_SEED} // 20261129;

note("seed $seed");
srand($seed);

# A set of paths: few or many channels, with loops and repeats; sometimes all of
# them convert, or none, or there is one channel only.
sub random_paths
{
	my $nchannels = 1 + int(rand(6));
	my $kind = int(rand(8));
	my @paths;

	foreach (1 .. 1 + int(rand(10)))
	{
		my $length = int(rand(rand() < 0.1 ? 30 : 7));
		my @channels = map { chr(ord('a') + int(rand($nchannels))) } 1 .. $length;
		my $large = rand() < 0.05 ? 1_000_000_000 : 1;
		my $conversions = $kind == 0 ? 0 : int(rand(4)) * $large;
		my $nulls = $kind == 1 ? 0 : int(rand(6));

		push @paths, [ \@channels, $conversions, $nulls ] if $conversions + $nulls > 0;
	}
	return @paths;
}

my $node = PostgreSQL::Test::Cluster->new('paths_oracle');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION align');

my @cases = map { [ random_paths() ] } 1 .. $ncases;
@cases = grep { @$_ } @cases;
my @sql = ('CREATE TABLE made (i int, path text[], conversions bigint, nulls bigint)');
foreach my $i (0 .. $#cases)
{
	push @sql, 'INSERT INTO made VALUES ' . join(', ', map { sprintf q((%d, '{%s}', %s, %s)), $i, join(',', @{ $_->[0] }), $_->[1], $_->[2] } @{ $cases[$i] });
}
push @sql, 'CREATE TABLE cases AS SELECT i, align.paths_agg(path, conversions, conversions * 1.01, nulls) AS paths FROM made GROUP BY i';
$node->safe_psql('postgres', join(";\n", @sql));

# What the functions return, by case, function and channel.
my %got;
foreach my $row (split /\n/, $node->safe_psql('postgres', q{
	SELECT i, 'shapley', channel, NULL, conversions, value FROM cases, align.shapley(paths)
	UNION ALL SELECT i, 'markov ' || chain_order, channel, removal_effect, conversions, value FROM cases, generate_series(1, 4) AS chain_order, align.markov(paths, chain_order)}))
{
	my ($i, $function, $channel, @numbers) = split /\|/, $row, -1;

	$got{$i}{$function}{$channel} = \@numbers;
}

# Compare the results for a case and a function; returns what is wrong.
sub wrong
{
	my ($i, $function, $effects, $conversions) = @_;
	my $rows = $got{$i}{$function};
	my $case = $cases[$i];
	my ($all, $empty, $sum) = (0, 0, 0);
	my @wrong;

	$all += $_->[1] foreach @$case;
	$empty += $_->[1] foreach grep { !@{ $_->[0] } } @$case;
	push @wrong, 'other channels' if join(' ', sort grep { $_ ne '(none)' } keys %$rows) ne join(' ', sort keys %$conversions);
	push @wrong, 'conversions without a touch' if grep({ !@{ $_->[0] } } @$case) && $rows->{'(none)'}[1] != $empty;
	foreach my $channel (keys %$conversions)
	{
		my ($effect, $got, $value) = @{ $rows->{$channel} // [ 0, -1, -1 ] };
		my $scale = $all > 1 ? $all : 1;

		push @wrong, "$channel: $got, not $conversions->{$channel}" if abs($got - $conversions->{$channel}) > 1e-9 * $scale;
		push @wrong, "$channel: effect $effect, not $effects->{$channel}" if $effects && abs($effect - $effects->{$channel}) > 1e-9;
		push @wrong, "$channel: negative or NaN" if "$effect $got $value" =~ /(?<!e)-|nan|inf/i;
		push @wrong, "$channel: value $value" if $all && abs($value - $got * 1.01) > 1e-9 * $scale;
	}
	$sum += $_->[1] foreach values %$rows;
	push @wrong, "sum $sum, not $all" if abs($sum - $all) > 1e-9 * ($all > 1 ? $all : 1);
	return @wrong;
}

my %failures;
foreach my $i (0 .. $#cases)
{
	my $converted = 0;

	$converted += $_->[1] foreach grep { @{ $_->[0] } } @{ $cases[$i] };
	foreach my $order (1 .. 4)
	{
		my %effects = removal_effects($cases[$i], $order);
		my %shares = markov_shares(%effects);
		my %conversions = map { $_ => $shares{$_} * $converted } keys %shares;

		push @{ $failures{"markov $order"} }, map { "case $i: $_" } wrong($i, "markov $order", \%effects, \%conversions);
	}
	my %conversions = shapley_conversions($cases[$i]);
	push @{ $failures{shapley} }, map { "case $i: $_" } wrong($i, 'shapley', undef, \%conversions);
}
cmp_ok(scalar @cases, '>', 0.8 * $ncases, scalar(@cases) . ' sets of paths');
is(join("\n", @{ $failures{$_} }[ 0 .. ($#{ $failures{$_} } < 9 ? $#{ $failures{$_} } : 9) ]), '', $_) foreach sort keys %failures;
is($node->safe_psql('postgres', q{SELECT count(*) FROM cases WHERE (SELECT sum(value) FROM align.shapley(paths)) IS DISTINCT FROM (SELECT sum(value) FROM align.path_counts(paths))
		OR (SELECT sum(value) FROM align.markov(paths, 2)) IS DISTINCT FROM (SELECT sum(value) FROM align.path_counts(paths))}), '0', 'values add up exactly');

$node->stop;
done_testing();
