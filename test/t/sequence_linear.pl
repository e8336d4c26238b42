# The cost of patterns is in proportion to the events, whatever the pattern: the
# processor time of the backend for some events and for twice as many is compared;
# linear is 2, the limit is 3.  Each time is the best of two runs.  Where many
# simultaneous events of many kinds would take long, the search ends with an error,
# and it can be cancelled.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'needs /proc/PID/schedstat' unless -r "/proc/$$/schedstat" && slurp_file("/proc/$$/schedstat") =~ /^[1-9]/;

my $n = 100_000;
my $limit = 3;

my $node = PostgreSQL::Test::Cluster->new('sequence_linear');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\njit = off\nmax_parallel_workers_per_gather = 0\nstatement_timeout = 60s\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION align');

# Milliseconds of processor time of a query.
sub cost
{
	my ($query) = @_;
	my $cpu = "SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)";
	my ($best) = sort { $a <=> $b } map {
		my ($before, $after) = split /\n/, $node->safe_psql('postgres', "LOAD 'align'; $cpu; DO \$\$BEGIN PERFORM $query; END\$\$; $cpu;");
		($after - $before) / 1e6
	} 1 .. 2;
	return $best;
}

my $thousand = '(?1)' x 1000;
foreach my $case (
	[ 'a thousand neighbours and stars', 'match', "'$thousand.*.*.*.*(?2)', to_timestamp(i), true, false" ],
	[ 'stars', 'match', "'(?1).*(?1).*(?1).*.*.*.*(?2)', to_timestamp(i), true, i < 5" ],
	[ 'many starts', 'count', "'(?1)(?1)(?1)(?1)(?1)(?1)(?1)(?1)(?2)', to_timestamp(i), true, i % 1000 = 0" ],
	[ 'times that never hold', 'match', "'(?1)(?t>=1)(?1)(?t>=1)(?1)(?t>=1)(?1)(?t==0)(?2)', to_timestamp(i), true, i > 10" ],
	[ 'wide windows', 'count', "'(?1)(?t<=50000)(?1)(?t>=10000)(?1)(?t!=20000)(?2)', to_timestamp(i), i % 3 > 0, i % 7 = 0" ],
	[ 'times of the longest beginning', 'match_events', "'(?1)(?t<=50000)(?1)(?t>=10000)(?1).*(?1)(?2)', to_timestamp(i), true, false" ],
	[ 'one instant', 'count', "'(?1)(?2)(?3).*(?1)', to_timestamp(0), i % 2 = 0, i % 3 = 0, i % 5 > 0" ],
	[ 'an instant of many kinds', 'match', "'(?1)(?2)(?3)(?4)(?5)(?6)(?7)(?8)(?9)(?10)(?11)(?12)(?13)(?14)(?15)(?16)', to_timestamp(0), " .
		  join ', ', map { "hashint4(i) >> $_ & 1 = 1" } 1 .. 16 ],
	[ 'small sets', 'count', "'(?1)(?2).*(?3)(?t>0)(?1)', to_timestamp(i / 4), i % 2 = 0, i % 3 = 0, i % 5 = 0" ],
	[ 'random order', 'count', "'(?1).*(?2)', to_timestamp(hashint4(i)), i % 2 = 0, i % 3 = 0" ])
{
	my ($what, $function, $arguments) = @$case;
	my ($one, $two) = map { cost("align.sequence_$function($arguments) FROM generate_series(1, $_) i") } $n, 2 * $n;

	cmp_ok($two, '<', $limit * $one, sprintf "%s: %.0f ms for %d events, %.0f ms for twice as many", $what, $one, $n, $two);
}

# Each of many items moves events of other items, among 200,000 kinds of events.
my $conditions = join ', ', 'i % 10 = 0', 'true', map { "i % 10 > 0 AND hashint4(i) >> $_ & 1 = 1" } 3 .. 20;
my $hard = "SELECT align.sequence_count('(?2)(?1)(?2)(?1)(?2)(?1)@{[join '', map { \"(?$_)\" } 3 .. 20]}', to_timestamp(0), $conditions) FROM generate_series(1, 400000) i";
my $stderr;
$node->psql('postgres', "\\set VERBOSITY sqlstate\n$hard", stderr => \$stderr);
like($stderr, qr/ERROR:\s+54000/, 'too many kinds of simultaneous events are an error');
$node->psql('postgres', "\\set VERBOSITY sqlstate\nSET statement_timeout = '700ms';\n$hard", stderr => \$stderr);
like($stderr, qr/ERROR:\s+57014/, 'and can be cancelled');

$node->stop;
done_testing();
