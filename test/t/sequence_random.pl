# Random patterns over random events, many of them simultaneous, against an oracle
# that tries every order of simultaneous events and every choice of events.
#
# The seed is fixed and printed.  SEQUENCE_SEED=7 takes another one,
# SEQUENCE_CASES=100000 so many cases (default 20000).
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{SEQUENCE_SEED} // 11;
my $ncases = $ENV{SEQUENCE_CASES} // 20_000;
my $nconditions = 3;

diag("seed $seed, $ncases cases");
srand($seed);

sub pick { return $_[ int rand @_ ] }

# A pattern as items [condition, gap before it]: condition 0 is ".", a gap is '' for
# neighbours, '*', or a list of times [operator, seconds].  With it, its text.
sub random_pattern
{
	my (@items, $text);

	foreach my $i (0 .. int rand 5)
	{
		my $condition = rand() < 0.15 ? 0 : 1 + int rand $nconditions;
		my $gap = $i == 0 ? '*' : pick('', '', '*', 'time');
		my $space = rand() < 0.1 ? ' ' : '';

		$text .= '.*' if $i == 0 ? rand() < 0.1 : $gap eq '*';
		if ($gap eq 'time')
		{
			$gap = [ map { [ pick(qw(< <= > >= == != = <>)), pick(0, 1, 1, 2, 2, 3, '1.5') ] } 0 .. rand() < 0.2 ];
			$text .= '.*' if rand() < 0.1;
			$text .= join $space, map { "(?t$_->[0]" . (rand() < 0.2 ? "'$_->[1] s'" : $_->[1]) . ')' } @$gap;
			$text .= '.*' if rand() < 0.1;
		}
		$text .= $space . ($condition ? "(?$condition)" : '.');
		push @items, [ $condition, $gap ];
	}
	$text .= '.*' if rand() < 0.1;
	return (\@items, $text);
}

# Events as [time, set of conditions].
sub random_events
{
	my $instants = pick(1, 2, 3, 6);

	return map { [ int rand $instants, pick(0 .. 2**$nconditions - 1) ] } 1 .. int rand 8;
}

# All orders of the sets at the same time, as lists of events; equal sets are not
# exchanged.
sub orders_of_set
{
	my ($at, @sets) = @_;
	my (%seen, @orders);

	return [] if !@sets;
	foreach my $i (0 .. $#sets)
	{
		my @others = @sets;
		my ($first) = splice @others, $i, 1;

		next if $seen{$first}++;
		push @orders, map { [ [ $at, $first ], @$_ ] } orders_of_set($at, @others);
	}
	return @orders;
}

sub orders
{
	my %sets;
	my @orders = ([]);

	push @{ $sets{ $_->[0] } }, $_->[1] foreach grep { $_->[1] } @_;
	foreach my $at (sort { $a <=> $b } keys %sets)
	{
		my @more = orders_of_set($at, @{ $sets{$at} });
		@orders = map { my $order = $_; map { [ @$order, @$_ ] } @more } @orders;
	}
	return @orders;
}

my %compare = (
	'<' => sub { $_[0] < $_[1] },
	'<=' => sub { $_[0] <= $_[1] },
	'>' => sub { $_[0] > $_[1] },
	'>=' => sub { $_[0] >= $_[1] },
	'==' => sub { $_[0] == $_[1] },
	'!=' => sub { $_[0] != $_[1] });
$compare{'='} = $compare{'=='};
$compare{'<>'} = $compare{'!='};

# Calls $found with the indexes of the events of each beginning of the pattern, one
# event or more, that the events match from $first on.
sub each_beginning
{
	my ($items, $events, $first, $found) = @_;
	my $go_on;

	$go_on = sub {
		my @chosen = @_;
		my ($condition, $gap) = @{ $items->[@chosen] // return };
		my $last = @chosen ? $chosen[-1] : -1;

		foreach my $i (@chosen ? $last + 1 .. $#$events : $first)
		{
			last if $gap eq '' && $i > $last + 1;
			next if $condition && !($events->[$i][1] & 1 << $condition - 1);
			next
			  if ref $gap
			  && grep { !$compare{ $_->[0] }->($events->[$i][0] - $events->[$last][0], $_->[1]) } @$gap;
			$found->(@chosen, $i);
			$go_on->(@chosen, $i);
		}
	};
	$go_on->();
	return;
}

# The list of numbers that is first: the longest, then the one whose last number is
# least, then whose first is, and so on.
sub is_before
{
	my ($a, $b) = @_;

	return @$a > @$b if @$a != @$b;
	return 0 if !@$a;
	return $a->[-1] < $b->[-1] if $a->[-1] != $b->[-1];
	foreach my $i (0 .. $#$a)
	{
		return $a->[$i] < $b->[$i] if $a->[$i] != $b->[$i];
	}
	return 0;
}

# The answers: the number of matches, and the times.
sub oracle
{
	my ($items, @events) = @_;
	my ($count, @times) = (0);

	foreach my $order (orders(@events))
	{
		my @best = (0) x (@$order + 1);

		foreach my $first (reverse 0 .. $#$order)
		{
			my $end;

			each_beginning($items, $order, $first, sub {
				my @chosen_times = map { $order->[$_][0] } @_;

				$end = $_[-1] if @_ == @$items && (!defined $end || $_[-1] < $end);
				@times = @chosen_times if is_before(\@chosen_times, \@times);
			});
			$best[$first] = $best[ $first + 1 ];
			$best[$first] = 1 + $best[ $end + 1 ] if defined $end && 1 + $best[ $end + 1 ] > $best[$first];
		}
		$count = $best[0] if $best[0] > $count;
	}
	return ($count, map { $times[$_] } grep { $items->[$_][0] } 0 .. $#times);
}

my (@cases, @rows, @names, %seen);
foreach my $id (1 .. $ncases)
{
	my ($items, $text) = random_pattern();
	my @events = random_events();
	my ($count, @times) = oracle($items, @events);

	push @cases, "$id\t$text\t$count\t{" . join(',', @times) . "}";
	push @rows, map { "$id\t$_->[0]\t$_->[1]" } @events;
	$seen{"$count matches"}++;
	$seen{'times of a part'}++ if !$count && @times;
}

my $node = PostgreSQL::Test::Cluster->new('sequence_random');
$node->init;
$node->append_conf('postgresql.conf', 'fsync = off');
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION align;
CREATE TABLE cases (id int, pattern text, count bigint, times int[]);
CREATE TABLE events (id int, at int, conditions int) WITH (parallel_workers = 3);
SQL
my $folder = $node->basedir;
append_to_file("$folder/cases", join "", map { "$_\n" } @cases);
append_to_file("$folder/events", join "", map { "$_\n" } @rows);
$node->safe_psql('postgres', "COPY cases FROM '$folder/cases'");
$node->safe_psql('postgres', "COPY events FROM '$folder/events'");
ok($seen{'0 matches'} > $ncases / 20 && $seen{'1 matches'} > $ncases / 20 && $seen{'2 matches'} > $ncases / 100 &&
	  $seen{'times of a part'} > $ncases / 20, 'the cases vary: ' . join ', ', map { "$_: $seen{$_}" } sort keys %seen);

# Rows in random order, of one backend or of several: each gives some states.
my $wrong = <<'SQL';
WITH answers AS (
    SELECT id, align.sequence_match(pattern, time, conditions & 1 > 0, conditions & 2 > 0, conditions & 4 > 0) AS matched,
        align.sequence_count(pattern, time, conditions & 1 > 0, conditions & 2 > 0, conditions & 4 > 0) AS count,
        align.sequence_match_events(pattern, time, conditions & 1 > 0, conditions & 2 > 0, conditions & 4 > 0) AS times
    FROM (SELECT * FROM cases LEFT JOIN shuffled USING (id)) c, LATERAL (SELECT to_timestamp(at)) t(time)
    GROUP BY id)
SELECT c.*, a.matched, a.count, a.times, (SELECT array_agg((at, conditions) ORDER BY at, conditions) FROM events e WHERE e.id = c.id)
FROM cases c LEFT JOIN answers a USING (id)
WHERE (a.matched, a.count, a.times) IS DISTINCT FROM
    (c.count > 0, c.count, (SELECT coalesce(array_agg(to_timestamp(t) ORDER BY i), '{}') FROM unnest(c.times) WITH ORDINALITY x(t, i)))
ORDER BY id LIMIT 5;
SQL
$node->safe_psql('postgres', 'CREATE TABLE shuffled WITH (parallel_workers = 3) AS SELECT * FROM events ORDER BY random()');
is($node->safe_psql('postgres', "SET max_parallel_workers_per_gather = 0; $wrong"), '', 'one backend answers as the oracle');

my $parallel = 'SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; '
  . 'SET enable_sort = off; SET max_parallel_workers_per_gather = 3;';
like($node->safe_psql('postgres', "$parallel EXPLAIN (COSTS OFF) $wrong"), qr/Partial/, 'a plan with partial states');
is($node->safe_psql('postgres', "$parallel $wrong"), '', 'several backends answer as the oracle');

$node->stop;
done_testing();
