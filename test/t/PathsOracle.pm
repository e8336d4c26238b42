# PathsOracle.pm   Markov's and Shapley's credit, slowly: the chain is walked step
# by step until nothing is left in it, and every coalition is looked at.
#
# Paths are a list of [channels, conversions, nulls].
package PathsOracle;

use strict;
use warnings;

use Exporter 'import';

our @EXPORT = qw(markov_shares removal_effects shapley_conversions);

# The chance of a conversion, without a channel if one is given.
sub chance
{
	my ($chain, $without) = @_;
	my %at = ('' => 1);
	my $converted = 0;
	my $steps = 0;

	while (%at)
	{
		my %next;

		while (my ($state, $p) = each %at)
		{
			my $row = $chain->{$state};

			$converted += $p * $row->{'>'} / $row->{all} if $row->{'>'};
			while (my ($to, $weight) = each %{ $row->{to} })
			{
				$next{$to} += $p * $weight / $row->{all} unless defined $without && grep { $_ eq $without } split /\n/, $to;
			}
		}
		delete @next{ grep { $next{$_} < 1e-18 } keys %next };
		%at = %next;
		die 'the chain does not end' if ++$steps > 1_000_000;
	}
	return $converted;
}

# The chain whose states are the last channels of a path.
sub chain
{
	my ($paths, $order) = @_;
	my %chain;

	foreach my $path (@$paths)
	{
		my ($channels, $conversions, $nulls) = @$path;
		my $state = '';

		foreach my $i (0 .. $#$channels)
		{
			my $first = $i < $order ? 0 : $i - $order + 1;
			my $next = join("\n", @$channels[ $first .. $i ]);

			$chain{$state}{to}{$next} += $conversions + $nulls;
			$chain{$state}{all} += $conversions + $nulls;
			$state = $next;
		}
		$chain{$state}{'>'} += $conversions;
		$chain{$state}{all} += $conversions + $nulls;
	}
	return \%chain;
}

sub removal_effects
{
	my ($paths, $order) = @_;
	my $chain = chain($paths, $order);
	my %channels = map { $_ => 1 } map { @{ $_->[0] } } @$paths;
	my $all = chance($chain);

	return map { $_ => $all > 0 ? 1 - chance($chain, $_) / $all : 0 } keys %channels;
}

sub markov_shares
{
	my %effects = @_;
	my $sum = 0;

	$sum += $_ foreach values %effects;
	return map { $_ => $sum > 0 ? $effects{$_} / $sum : 0 } keys %effects;
}

# The value of each channel in the game "conversions of the paths within the
# coalition": its contribution to each coalition of the others, with the weight
# s! (n - s - 1)! / n!.
sub shapley_conversions
{
	my ($paths) = @_;
	my @channels = sort keys %{ { map { $_ => 1 } map { @{ $_->[0] } } @$paths } };
	my %bit = map { $channels[$_] => 1 << $_ } 0 .. $#channels;
	my $n = @channels;
	my (%worth, @value, %result);

	foreach my $path (@$paths)
	{
		my $mask = 0;

		$mask |= $bit{$_} foreach @{ $path->[0] };
		$worth{$mask} += $path->[1] if $mask;
	}
	foreach my $coalition (0 .. 2**$n - 1)
	{
		$value[$coalition] = 0;
		foreach my $mask (keys %worth)
		{
			$value[$coalition] += $worth{$mask} if ($mask & $coalition) == $mask;
		}
	}

	my @weight = map { my $s = $_; my $w = 1 / $n; $w *= $_ / ($n - $s - 1 + $_) foreach 1 .. $s; $w } 0 .. $n - 1;
	foreach my $channel (@channels)
	{
		$result{$channel} = 0;
		foreach my $coalition (grep { !($_ & $bit{$channel}) } 0 .. 2**$n - 1)
		{
			my $size = unpack '%32b*', pack('N', $coalition);

			$result{$channel} += $weight[$size] * ($value[ $coalition | $bit{$channel} ] - $value[$coalition]);
		}
	}
	return %result;
}

1;
