#!/usr/bin/perl
# The search for chains of events against brute force, which matching_oracle.c
# does in C: every order of simultaneous events, and every chain in it.
#
# First the search itself, in every set of modes, on few events at few instants: in
# sets and in order, with cuts, optional steps, gaps and windows in the calendar of a
# zone.  Then window_funnel() and window_funnel_times() over shuffled rows, by one
# process and by several.  Then larger cases against a search from every start.
#
# The seed is fixed and printed; RANDOM_SEED=7 takes another one, RANDOM_OPS=100000
# so many cases for each set of modes (default 20000).
use strict;
use warnings;

use File::Basename;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'test/run says for which PostgreSQL to build' unless $ENV{BUILD_PG_CONFIG};

my $seed = $ENV{RANDOM_SEED} // 20261129;
my $cases = $ENV{RANDOM_OPS} // 20_000;
diag("seed $seed, $cases cases for each set of modes");

my $top = dirname(__FILE__) . '/../..';
my $library = PostgreSQL::Test::Utils::tempdir . '/oracle.so';
chomp(my $include = `$ENV{BUILD_PG_CONFIG} --includedir-server`);
my @search = map { "$top/src/matching/$_.c" } qw(any assignment instant match modes order order_trace plain rules sets window);
command_ok([ 'sh', '-c', "cc -std=gnu99 -O2 -Wall -Werror -fPIC -shared -Wl,-Bsymbolic -I$top/src -isystem $include -o $library $top/test/t/matching_oracle.c @search" ],
	'the oracle is compiled');

my $node = PostgreSQL::Test::Cluster->new('events');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\njit = off\nwork_mem = 64MB\n");
$node->start;

sub sql { return $node->safe_psql('postgres', $_[0]) }

sql(<<SQL);
CREATE EXTENSION align;
CREATE FUNCTION matching_compare(seed bigint, cases int, mode text, sets boolean, features text) RETURNS text
	LANGUAGE c STRICT AS '$library';
CREATE FUNCTION matching_oracle(within bigint, mode text, nsteps int, at timestamptz[], steps bigint[]) RETURNS timestamptz[]
	LANGUAGE c AS '$library';
CREATE FUNCTION matching_window_end(at timestamptz, within interval, zone text) RETURNS timestamptz
	LANGUAGE c STRICT AS '$library';
SQL

# Every set of modes.
my @modes = ('ordered');
foreach my $word (qw(any strict no_repeat increase reuse))
{
	push @modes, map { $_ eq 'ordered' ? $word : "$_, $word" } @modes;
}
is(scalar @modes, 32, 'every set of modes');

# The search.
my $fewer = int($cases / 4);
foreach my $mode (@modes)
{
	my @features = $mode =~ /any/ ? qw(c z) : qw(c o g goc z zgoc);
	my @wrong;

	foreach my $case ([ 'true', '', $cases ], [ 'false', '', $cases ], map { [ 'false', $_, $fewer ] } @features)
	{
		my ($sets, $features, $n) = @$case;
		my $wrong = sql("SELECT matching_compare($seed, $n, '$mode', $sets, '$features')");

		push @wrong, ($sets eq 'true' ? 'sets' : 'in order') . " $features: $wrong" if $wrong ne '';
	}
	is(join("\n", @wrong), '', "the search, $mode");
}

# Windows in the calendar of a zone are PostgreSQL's own.
foreach my $zone (qw(UTC America/New_York Europe/Berlin Australia/Lord_Howe Pacific/Apia))
{
	like(sql(<<~SQL), qr/^0\|t$/m, "windows in $zone");
		SET TimeZone = '$zone';
		SELECT setseed(0.5);
		SELECT count(*) FILTER (WHERE matching_window_end(at, within, '$zone') IS DISTINCT FROM at + within), count(*) = 40000
		FROM (SELECT timestamptz '1895-01-01 00:00Z' + floor(random() * 8e6) * interval '15 minutes' AS at,
				make_interval(months => floor(random() * 40)::int, days => floor(random() * 40)::int) * (random() < 0.9)::int
				+ floor(random() * 50) * interval '30 minutes' AS within
			FROM generate_series(1, 40000)) r
		SQL
}

# The aggregates.  Cases of 2 to 4 steps, most of them with simultaneous events;
# rows of many cases are mixed.
sql(<<SQL);
SELECT setseed(0.$seed);
CREATE TABLE cases AS
SELECT id, 2 + id % 3 AS nsteps, CASE WHEN random() < 0.7 THEN floor(random() * 6)::int END AS within,
	1 + floor(random() * 5)::int AS instants, floor(random() * 8)::int AS nevents, random() < 0.5 AS wide
FROM generate_series(1, $cases) AS id;
CREATE TABLE events AS
SELECT id, nsteps, timestamptz '2026-01-01 00:00Z' + floor(random() * instants) * interval '1 second' AS at,
	(CASE WHEN random() < 0.12 THEN 0 ELSE 1 << floor(random() * nsteps)::int END
		| CASE WHEN wide THEN (CASE WHEN random() < 0.3 THEN 1 ELSE 0 END | CASE WHEN random() < 0.3 THEN 2 ELSE 0 END
			| CASE WHEN random() < 0.3 AND nsteps > 2 THEN 4 ELSE 0 END | CASE WHEN random() < 0.3 AND nsteps > 3 THEN 8 ELSE 0 END) ELSE 0 END)::bigint AS steps
FROM cases, generate_series(1, nevents)
ORDER BY random();
CREATE TABLE gathered AS
SELECT id, c.nsteps, within * 1000000::bigint AS microseconds, array_agg(e.at) FILTER (WHERE e.id IS NOT NULL) AS at, array_agg(e.steps) FILTER (WHERE e.id IS NOT NULL) AS steps
FROM cases c LEFT JOIN events e USING (id) GROUP BY id, c.nsteps, within;
CREATE TABLE rows AS SELECT id, e.nsteps, within * interval '1 second' AS within, at,
	(steps & 1) <> 0 AS a, (steps & 2) <> 0 AS b, (steps & 4) <> 0 AS c, (steps & 8) <> 0 AS d
FROM events e JOIN cases USING (id)
ORDER BY random();
VACUUM ANALYZE;
CREATE FUNCTION answers(mode text) RETURNS TABLE (id int, level int, times timestamptz[]) LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT id, align.window_funnel(within, mode, at, a, b), align.window_funnel_times(within, mode, at, a, b) FROM rows WHERE nsteps = 2 GROUP BY id
	UNION ALL
	SELECT id, align.window_funnel(within, mode, at, a, b, c), align.window_funnel_times(within, mode, at, a, b, c) FROM rows WHERE nsteps = 3 GROUP BY id
	UNION ALL
	SELECT id, align.window_funnel(within, mode, at, a, b, c, d), align.window_funnel_times(within, mode, at, a, b, c, d) FROM rows WHERE nsteps = 4 GROUP BY id;
END;
CREATE TABLE expected (mode text, id int, times timestamptz[]);
SQL

foreach my $mode (@modes)
{
	sql("INSERT INTO expected SELECT '$mode', id, matching_oracle(microseconds, '$mode', nsteps, coalesce(at, '{}'), coalesce(steps, '{}')) FROM gathered");
	is(sql("SELECT count(*), min(a.id) FROM expected e LEFT JOIN answers('$mode') a USING (id)
		WHERE e.mode = '$mode' AND (coalesce(a.level, 0) <> cardinality(e.times) OR coalesce(a.times, '{}') <> e.times)"),
		'0|', "the aggregates, $mode");
}

# The same from the partial states of several processes, in larger groups.
my $parallel = 'SET parallel_setup_cost = 0; SET parallel_tuple_cost = 1; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 3;';
my $serial = 'SET max_parallel_workers_per_gather = 0;';
my $grouped = sub {
	my ($mode) = @_;

	return "SELECT id / 60, align.window_funnel('3 seconds', '$mode', at, a, b, c, d) AS level, align.window_funnel_times('3 seconds', '$mode', at, a, b, c, d) AS times FROM rows GROUP BY id / 60";
};
my $digest = sub { return 'SELECT md5(string_agg(r::text, chr(10) ORDER BY r)), count(*) > 100 FROM (' . $grouped->(@_) . ') r' };

like(sql("$parallel EXPLAIN (COSTS off) " . $grouped->('strict')), qr/Partial/, 'by several processes, partial states are combined');
is(join(' ', grep { sql($parallel . $digest->($_)) ne sql($serial . $digest->($_)) } @modes), '', 'by several processes, the same');
like(sql($serial . $digest->('strict')), qr/\|t$/, 'in many groups');

# Larger cases, in which each event matches one step: a search from every start.
srand($seed);
foreach my $mode (qw(ordered increase))
{
	my @wrong;

	foreach my $case (1 .. 60)
	{
		my $nsteps = 2 + int rand 9;
		my $window = 5 + int rand 150;
		my @events = sort { $a->[0] <=> $b->[0] || $a->[1] <=> $b->[1] } map { [ int rand 200, int rand $nsteps ] } 1 .. 200;
		my ($best, @times) = (0);

		foreach my $start (grep { $events[$_][1] == 0 } 0 .. $#events)
		{
			my @chain = ($events[$start][0]);

			foreach my $event (@events[ $start + 1 .. $#events ])
			{
				last if $event->[0] - $chain[0] > $window;
				push @chain, $event->[0]
				  if @chain < $nsteps && $event->[1] == @chain && ($mode eq 'ordered' || $event->[0] > $chain[-1]);
			}
			($best, @times) = (scalar @chain, @chain)
			  if @chain > $best || (@chain == $best && ($chain[-1] < $times[-1] || ($chain[-1] == $times[-1] && $chain[0] > $times[0])));
		}
		my $steps = join ', ', map { "step = $_" } 0 .. $nsteps - 1;
		my $rows = join ', ', map { "($_->[0], $_->[1])" } @events;
		my $found = sql(<<~SQL);
			SELECT level || ' ' || array_to_string(ARRAY(SELECT extract(epoch FROM t)::int FROM unnest(times) WITH ORDINALITY u(t, n) ORDER BY n), ' ')
			FROM (SELECT align.window_funnel('$window seconds', '$mode', to_timestamp(at), $steps) AS level,
					align.window_funnel_times('$window seconds', '$mode', to_timestamp(at), $steps) AS times
				FROM (SELECT * FROM (VALUES $rows) v(at, step) ORDER BY hashint4(at * 11 + step)) e) f
			SQL
		push @wrong, "case $case: $found, not $best @times" if $found ne "$best @times";
	}
	is(join("\n", @wrong), '', "200 events, $mode");
}

$node->stop;
done_testing();
