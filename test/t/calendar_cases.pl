# Working hours against cases restated from other projects' test suites, where
# these are at hand: working_time.tsv with calendars.json.
use strict;
use warnings;

use Cases;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

need_cases('working_time.tsv');

my %query = (
	between => q{SELECT extract(epoch FROM align.working_time('%1$s', '%2$s', '%3$s'))::int = %4$s},
	add => q{SELECT align.add_working_time('%1$s', '%2$s', make_interval(secs => %3$s)) = '%4$s'},
	open => q{SELECT align.is_open('%1$s', '%2$s') = %4$s});

my $node = PostgreSQL::Test::Cluster->new('calendar_cases');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION align');

my $calendars = read_cases('calendars.json');
my ($header, @cases) = split /\n/, case_file('working_time.tsv');
my @sql;

foreach my $case (@cases)
{
	my ($source, $calendar, $op, $arg1, $arg2, $expected) = split /\t/, $case;

	push @sql, sprintf($query{$op}, calendar_text($calendars->{$calendar}), $arg1, $arg2, $expected) . ';';
}

# One session for all of them: an answer a line.
my @answers = split /\n/, $node->safe_psql('postgres', join("\n", @sql));
is(scalar @answers, scalar @cases, 'all cases answered');
is($answers[$_], 't', join(' ', (split /\t/, $cases[$_])[ 0 .. 5 ])) foreach 0 .. $#cases;

$node->stop;
done_testing();
