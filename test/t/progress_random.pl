#!/usr/bin/perl
# progress(), passages() and conversion_agg() against brute force over all chains
# of entries of random leads: every mode and combination of modes, with and
# without alternatives, optional steps, gaps, excluded stages, passages, and
# windows of the calendar over a change of clocks and the ends of months.
#
# The seeds are fixed and printed.  PROGRESS_LEADS=500 makes that many leads per
# question (default 120), PROGRESS_SEED=7 takes that seed.
use strict;
use warnings;

use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{PROGRESS_SEED} // 2607;
my $leads = $ENV{PROGRESS_LEADS} // 120;
my $json = JSON::PP->new;

my $node = PostgreSQL::Test::Cluster->new('progress_random');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION align');
note "seed $seed";
srand $seed;

sub one_of { return $_[ int rand @_ ] }

# The stages; no step names "x" and "y".
my @stages = qw(a b c d x y);
my @modes = ('ordered', 'strict', 'no_repeat', 'strict, no_repeat');
@modes = map { ($_, "$_, increase") } @modes;
@modes = map { ($_, $_ =~ /ordered/ ? $_ =~ s/ordered/reuse/r : "$_, reuse") } @modes;
my @any = map { my $words = join ', ', 'any', grep { $_ ne 'ordered' } split /, /, $_; $words } @modes;

# Each shape: steps as lists of stages and a flag for optional ones.
my @shapes = (
	{ steps => [ ['a'], ['b'], ['c'] ] },
	{ steps => [ ['a'], ['a'], ['b'] ] },
	{ steps => [ [ 'a', 'b' ], [ 'b', 'c' ], ['c'], ['d'] ] },
	{ steps => [ ['a'], ['b'], ['a'] ], exclude => ['y'] },
	{ steps => [ ['a'] ], exclude => [ 'x', 'y' ] });
my @ordered_shapes = (
	{ steps => [ ['a'], [ 'b', '?' ], ['c'] ] },
	{ steps => [ ['a'], [ 'b', 'c', '?' ], [ 'c', '?' ], ['d'] ], exclude => ['y'] },
	{ steps => [ ['a'], ['b'], ['c'] ], gaps => 1 },
	{ steps => [ ['a'], [ 'b', 'd', '?' ], ['c'], ['a'] ], gaps => 1, exclude => ['x'] });
my @passage_shapes = (
	{ steps => [ ['a'], ['b'], ['c'] ], passages => 1 },
	{ steps => [ ['a'], [ 'b', 'c', '?' ], ['d'] ], passages => 1, gaps => 1, exclude => ['y'] });

my $second = 1_000_000;
my $hour = 3600 * $second;

# All instants are microseconds since 1970.  The clocks of Berlin change on
# 2026-03-29 01:00Z and on 2026-10-25 01:00Z; months end.
my @starts = map { $_ * $second } (1_774_742_400 - 86_400, 1_774_742_400 - 2 * 86_400, 1_792_886_400 - 86_400, 1_792_886_400, 1_769_817_600);

sub random_lead
{
	my ($calendar) = @_;
	my $at = $calendar ? one_of(@starts) + int(rand one_of(3, 24)) * $hour : 0;
	my $unit = $calendar ? $hour / 2 * one_of(1, 1, 40) : $hour;
	my @entries;

	foreach (1 .. 1 + int rand 8)
	{
		push @entries, { at => $at, stage => one_of(@stages) };
		$at += int(rand 3) * $unit;
	}
	return \@entries;
}

sub literal { return defined $_[0] ? "'" . $_[0] . "'" : 'NULL' }

sub microseconds { return "(extract(epoch FROM $_[0]) * 1000000)::bigint" }

# The arguments of a question, in the order of conversion_agg() without lead and
# as_of.
sub arguments
{
	my ($question) = @_;
	my @steps = map { join('|', grep { $_ ne '?' } @$_) . ($_->[-1] eq '?' ? '?' : '') } @{ $question->{steps} };

	return (steps => "'{" . join(',', @steps) . "}'::text[]",
		within => literal($question->{within}) . '::interval',
		mode => "'$question->{mode}'",
		gaps => defined $question->{gaps} ? "'{" . join(',', map { $_ // 'NULL' } @{ $question->{gaps} }) . "}'::interval[]" : 'NULL',
		exclude => $question->{exclude} ? "'{" . join(',', @{ $question->{exclude} }) . "}'::text[]" : 'NULL',
		count => $question->{passages} ? "'passages'" : one_of('NULL', "'leads'"),
		zone => literal($question->{zone}));
}

# Questions.
my @questions;
foreach my $mode (@modes, @any)
{
	my $any = $mode =~ /any/;

	foreach my $shape (@shapes, $any ? () : (@ordered_shapes, @passage_shapes))
	{
		next if $any && @{ $shape->{steps} } > 3;
		next if $mode !~ /reuse/ && $shape->{passages} && grep { $_ eq 'a' } map { @$_ } @{ $shape->{steps} }[ 1 .. $#{ $shape->{steps} } ];
		my $zone = rand() < 0.25 ? 'Europe/Berlin' : undef;
		my @lengths = $zone ? ('1 day', '2 days', '1 month', '1 month 2 days', '1 day 3 hours', '30 hours') : ('0', '1 hour', '2 hours', '4 hours', '9 hours');

		push @questions, {
			%$shape, mode => $mode, zone => $zone,
			within => rand() < 0.2 ? undef : one_of(@lengths),
			gaps => $shape->{gaps} ? [ map { one_of(undef, @lengths) } 2 .. @{ $shape->{steps} } ] : undef };
	}
}

# Leads, as the database orders their entries, with the ends of windows that it
# computes in the session's time zone.
my $sql = "SET search_path = align, public;\nCREATE TABLE random_lead (q int, id int, journey lead, as_of timestamptz);\n";
foreach my $q (0 .. $#questions)
{
	my $question = $questions[$q];

	my @entries;

	foreach my $id (1 .. $leads)
	{
		my $lead = random_lead($question->{zone});
		my $as_of = $lead->[0]{at} + int(rand 24) * ($question->{zone} ? 12 * $hour : $hour / 2);

		$as_of += 40 * 24 * $hour if rand() < 0.5;
		push @entries, map { "($id, $_->{at}, '$_->{stage}', $as_of)" } @$lead;
	}
	$sql .= "INSERT INTO random_lead SELECT $q, id, lead_agg(to_timestamp(at / 1000000.0), stage), to_timestamp(as_of / 1000000.0) FROM (VALUES " .
	  join(', ', @entries) . ") v (id, at, stage, as_of) GROUP BY id, as_of;\n";
}
$node->safe_psql('postgres', $sql);

my $ends = '';
my %answers;
my %sums;
foreach my $q (0 .. $#questions)
{
	my $question = $questions[$q];
	my %arg = arguments($question);
	my @limits = ($question->{within}, @{ $question->{gaps} // [] });
	my $zone = $question->{zone} // 'UTC';
	my $list = join ', ', map { microseconds('at' . (defined $_ ? " + interval '$_'" : '')) } @limits;

	$ends .= "SET TimeZone = '$zone';\n" .
	  "SELECT json_build_object('q', $q, 'id', id, 'as_of', @{[microseconds('as_of')]}, 'entries', (SELECT json_agg(json_build_array(@{[microseconds('at')]}, stage, json_build_array($list)) ORDER BY entry) FROM entries(journey)),\n" .
	  ($question->{passages}
		? "'rows', (SELECT json_agg(json_build_array(passage, level, (SELECT json_agg(@{[microseconds('t')]}) FROM unnest(times) t), status) ORDER BY passage) FROM passages(journey, $arg{steps}, $arg{within}, $arg{mode}, as_of, $arg{gaps}, $arg{exclude}, $arg{zone}))"
		: "'rows', (SELECT json_agg(json_build_array(1, level, (SELECT json_agg(@{[microseconds('t')]}) FROM unnest(times) t), status)) FROM progress(journey, $arg{steps}, $arg{within}, $arg{mode}, as_of, $arg{gaps}, $arg{exclude}, $arg{zone}))") .
	  ") FROM random_lead WHERE q = $q;\n" .
	  "SELECT json_build_object('q', $q, 'sum', conversion_agg(journey, $arg{steps}, $arg{within}, $arg{mode}, as_of, $arg{gaps}, $arg{exclude}, $arg{count}, $arg{zone})::jsonb) FROM random_lead WHERE q = $q;\n";
}
foreach my $line (split /\n/, $node->safe_psql('postgres', "SET search_path = align, public;\n$ends"))
{
	my $row = $json->decode($line);

	if (exists $row->{sum}) { $sums{ $row->{q} } = $row->{sum}; next }
	push @{ $answers{ $row->{q} } }, $row;
}

# Brute force.

# An event: at, mask of the steps that it matches, whether it is excluded, and
# the ends of the window and of the gaps that begin there.
sub events_of
{
	my ($question, $row) = @_;
	my @events;

	foreach my $entry (@{ $row->{entries} })
	{
		my ($at, $stage, $limits) = @$entry;
		my $mask = 0;

		next if $at > $row->{as_of};
		foreach my $i (0 .. $#{ $question->{steps} })
		{
			$mask |= 1 << $i if grep { $_ eq $stage } @{ $question->{steps}[$i] };
		}
		push @events, {
			at => $at, mask => $mask, excluded => scalar(grep { $_ eq $stage } @{ $question->{exclude} // [] }),
			end => defined $question->{within} ? $limits->[0] : undef,
			gaps => [ undef, map { defined $question->{gaps}[$_] ? $limits->[ $_ + 1 ] : undef } 0 .. $#{ $question->{gaps} // [] } ] };
	}
	return \@events;
}

# The better of two chains: [level, completion, start, times].
sub better
{
	my ($new, $old) = @_;

	return 1 if !defined $old;
	my $order = $new->[0] <=> $old->[0] || $old->[1] <=> $new->[1] || $new->[2] <=> $old->[2];

	return $order > 0 if $order;
	foreach my $i (0 .. $#{ $new->[3] })
	{
		my ($x, $y) = ($new->[3][$i] // 9e18, $old->[3][$i] // 9e18);

		return $x < $y if $x != $y;
	}
	return 0;
}

# All chains but those of the mode "any"; returns the best, and whether another
# event at as_of could extend any that has not filled the last step.
sub chains
{
	my ($question, $events, $as_of) = @_;
	my $mode = $question->{mode};
	my ($strict, $once, $increase, $reuse) = map { scalar($mode =~ /\b$_\b/) } qw(strict no_repeat increase reuse);
	my $nsteps = @{ $question->{steps} };
	my @optional = map { $_->[-1] eq '?' } @{ $question->{steps} };
	my ($best, $open);

	# May the events from $from to $to, all but the last, stand after step $s?
	my $between = sub {
		my ($s, $from, $to) = @_;
		my $next = $s + 1;

		$next++ while $next < $nsteps - 1 && $optional[$next];
		my $known = (1 << ($next + 1)) - 1;

		foreach my $event (@$events[ $from .. $to - 1 ])
		{
			return 0 if $event->{excluded} || ($strict && !($event->{mask} & $known)) || ($once && $event->{mask} & $known);
		}
		return 1;
	};
	my $visit;
	$visit = sub {
		my ($first, $s, $last, @times) = @_;
		my $chain = [ $s + 1, $events->[$last]{at}, $events->[$first]{at}, [@times] ];

		$best = $chain if better($chain, $best);
		return if $s == $nsteps - 1;
		my $end = $events->[$first]{end};

		foreach my $next ($s + 1 .. $nsteps - 1)
		{
			my $gap = $events->[$last]{gaps}[$next];

			$open = 1 if $between->($s, $last + 1, scalar @$events) && (!defined $end || $end >= $as_of) && (!defined $gap || $gap >= $as_of);
			foreach my $i (($reuse ? $last : $last + 1) .. $#$events)
			{
				my $event = $events->[$i];

				next if !($event->{mask} & (1 << $next)) || (defined $end && $event->{at} > $end) || (defined $gap && $event->{at} > $gap)
				  || ($increase && $event->{at} <= $events->[$last]{at}) || ($i > $last && !$between->($s, $last + 1, $i));
				$visit->($first, $next, $i, @times, (undef) x ($next - $s - 1), $event->{at});
			}
			last if !$optional[$next];
		}
	};
	foreach my $i (0 .. $#$events)
	{
		$visit->($i, 0, $i, $events->[$i]{at}) if $events->[$i]{mask} & 1;
	}
	return ($best, $open);
}

# The same in the mode "any".  A chain lies between two excluded events.
sub any_chains
{
	my ($question, $events, $as_of) = @_;
	my $mode = $question->{mode};
	my ($strict, $once, $increase, $reuse) = map { scalar($mode =~ /\b$_\b/) } qw(strict no_repeat increase reuse);
	my $nsteps = @{ $question->{steps} };
	my ($best, $open);
	my @parts = ([]);

	foreach my $event (@$events)
	{
		if ($event->{excluded}) { push @parts, [] }
		else { push @{ $parts[-1] }, $event }
	}
	foreach my $p (0 .. $#parts)
	{
		my @part = @{ $parts[$p] };
		my $assign;

		$assign = sub {
			my ($step, @filled) = @_;    # events by step, undef where it is not filled

			if ($step < $nsteps)
			{
				$assign->($step + 1, @filled, undef);
				foreach my $i (0 .. $#part)
				{
					next if !($part[$i]{mask} & (1 << $step)) || (!$reuse && grep { defined && $_ == $i } @filled);
					$assign->($step + 1, @filled, $i);
				}
				return;
			}
			my @own = grep { defined } @filled;
			return if !@own;
			my %own = map { $_ => 1 } @own;
			my @times = sort { $a <=> $b } map { $part[$_]{at} } @own;
			my ($start, $end) = @times[ 0, -1 ];
			my ($first) = grep { $part[$_]{at} == $start } @own;
			my $limit = $part[$first]{end};

			return if defined $limit && $end > $limit;
			if ($increase)
			{
				foreach my $i (1 .. $#times) { return if $times[$i] == $times[ $i - 1 ] }
			}
			my $fits = sub {
				my ($until) = @_;

				foreach my $i (0 .. $#part)
				{
					my $event = $part[$i];

					next if $own{$i} || $event->{at} <= $start || $event->{at} >= $until;
					return 0 if ($strict && !$event->{mask}) || ($once && $event->{mask});
				}
				return 1;
			};
			return if !$fits->($end);
			my $chain = [ scalar @own, $end, $start, [@times] ];
			$best = $chain if better($chain, $best);
			$open = 1 if @own < $nsteps && $p == $#parts && (!defined $limit || $limit >= $as_of) && $fits->(9e18);
		};
		$assign->(0);
	}
	return ($best, $open);
}

# What a row is: level, times, status and matured level.
sub answer
{
	my ($question, $events, $as_of, $overtaken) = @_;
	my $nsteps = @{ $question->{steps} };
	my $search = $question->{mode} =~ /any/ ? \&any_chains : \&chains;
	my ($best, $open) = $search->($question, $events, $as_of);
	my $level = defined $best ? $best->[0] : 0;
	my ($first) = grep { $question->{mode} =~ /any/ ? $_->{mask} : $_->{mask} & 1 } @$events;
	my $matured = 0;

	if (defined $first && defined $first->{end} && $first->{end} < $as_of)
	{
		my ($within) = $search->($question, [ grep { $_->{at} <= $first->{end} } @$events ], $as_of);
		$matured = $within->[0];
	}
	return [ $level, [ @{ defined $best ? $best->[3] : [] }, (undef) x ($nsteps - $level) ],
		$level == $nsteps ? 'converted' : $level > 0 && ($overtaken || !$open) ? 'dropped' : 'open', $matured ];
}

my ($compared, $converted, $dropped, $passages) = (0, 0, 0, 0);
my @wrong;
foreach my $q (0 .. $#questions)
{
	my $question = $questions[$q];
	my $nsteps = @{ $question->{steps} };
	my @levels = map { { level => $_ } } 0 .. $nsteps;
	my %way = (n => 0, sum => 0);
	my $counted = 0;

	foreach my $row (@{ $answers{$q} })
	{
		my $events = events_of($question, $row);
		my @expected;

		if ($question->{passages})
		{
			my @begins = grep { $events->[$_]{mask} & 1 } 0 .. $#$events;

			foreach my $i (0 .. $#begins)
			{
				my $end = $i < $#begins ? $begins[ $i + 1 ] - 1 : $#$events;
				push @expected, answer($question, [ @$events[ $begins[$i] .. $end ] ], $row->{as_of}, $i < $#begins);
			}
			$passages += @expected;
		}
		else
		{
			push @expected, answer($question, $events, $row->{as_of}, 0);
		}
		my $got = $json->canonical->encode([ map { [ @{$_}[ 1, 2, 3 ] ] } @{ $row->{rows} // [] } ]);
		my $want = $json->encode([ map { [ $_->[0] + 0, [ map { defined $_ ? $_ + 0 : undef } @{ $_->[1] } ], $_->[2] ] } @expected ]);

		push @wrong, $json->encode([ $q, $row->{id}, $question, $row->{as_of}, $row->{entries} ]) . "\ngot  $got\nwant $want" if $got ne $want;

		foreach my $one (@expected)
		{
			my ($level, $times, $status, $matured) = @$one;
			my $before;

			$compared++;
			$counted++;
			$converted++ if $status eq 'converted';
			$dropped++ if $status eq 'dropped';
			$levels[$level]{$status}++;
			$levels[$matured]{matured}++ if $matured;
			foreach my $i (0 .. $level - 1)
			{
				my $at = $times->[$i];

				next if !defined $at;
				$levels[ $i + 1 ]{entered}++ if $question->{steps}[$i][-1] eq '?' && $question->{mode} !~ /any/;
				if (defined $before)
				{
					$levels[ $i + 1 ]{n}++;
					$levels[ $i + 1 ]{sum} += $at - $before;
				}
				$before = $at;
			}
			if ($status eq 'converted')
			{
				$way{n}++;
				$way{sum} += $times->[-1] - $times->[0];
			}
		}
	}

	# The conversion has the same sums.
	my $sum = $sums{$q};
	if (!defined $sum)
	{
		push @wrong, "question $q: no conversion, but $counted were counted" if $counted;
		next;
	}
	my $count = sub { my $n = 0; $n += $_->[1] foreach @{ $_[0]{in} }; return $n };
	my @got = map {
		my $level = $_;
		my %copy = map { exists $level->{$_} ? ($_ => $level->{$_} + 0) : () } qw(level open dropped converted matured entered);

		if (exists $level->{time}) { $copy{n} = $count->($level->{time}); $copy{sum} = $level->{time}{sum} + 0; }
		\%copy;
	} @{ $sum->{levels} };
	my $got = $json->canonical->encode([ \@got, $sum->{leads}, $sum->{way}{time} ? ($count->($sum->{way}{time}), $sum->{way}{time}{sum}) : (0, 0) ]);
	my $want = $json->canonical->encode([ \@levels, $counted, $way{n}, $way{sum} ]);

	push @wrong, "question $q: " . $json->encode($question) . "\ngot  $got\nwant $want" if $got ne $want;
}
is(scalar @wrong, 0, 'all as by brute force');
diag(join "\n", @wrong[ 0 .. ($#wrong < 9 ? $#wrong : 9) ]) if @wrong;
note scalar(@questions), " questions, $compared leads or passages";
cmp_ok($compared, '>', 1000, 'many were compared');
cmp_ok($converted, '>', $compared / 20, 'many converted');
cmp_ok($dropped, '>', $compared / 20, 'many were dropped');
cmp_ok($passages, '>', 100, 'there are passages');

$node->stop;
done_testing();
