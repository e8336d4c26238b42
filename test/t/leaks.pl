# No function and no aggregate may leak memory that grows with rows: the peak of
# a backend after many calls is that after a few, give or take what allocators
# round.  LEAK_CALLS says how many are many (default 1,000,000).
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'needs /proc/PID/status' unless -r "/proc/$$/status";

my $many = $ENV{LEAK_CALLS} // 1_000_000;
my $few = 20_000;
my $allowed_kb = 6 * 1024;

my $node = PostgreSQL::Test::Cluster->new('leaks');
$node->init;
# one process, no compiler in the way
$node->append_conf('postgresql.conf', <<~CONF);
	jit = off
	max_parallel_workers_per_gather = 0
	CONF
$node->start;
$node->safe_psql('postgres', <<~'SQL');
	CREATE EXTENSION align;
	ALTER DATABASE postgres SET search_path = public, align;
	CREATE TABLE c AS SELECT $$Europe/London Mo-Fr 09:00-12:30,13:30-17:30; Dec 25 off; 2026-12-24 09:00-12:00$$::align.calendar AS cal;
	CREATE TABLE f AS SELECT $$
		hours 'Europe/London Mo-Fr 09:00-17:30';
		stage inquiry, mql held by marketing; stage sal, sql held by sales; stage nurture held by marketing;
		won customer; lost disqualified;
		success path inquiry -> mql -> sal -> sql -> customer;
		path mql, sal -> nurture -> mql; path any -> disqualified;
		handoff speed_to_lead: mql from marketing to sales, accept sal,
			reject nurture with reason (no_budget), within 4 working hours, warn after 3 working hours;
		sal known as 'S-ACC';$$::align.funnel AS f;
	CREATE TABLE l AS SELECT $${2026-03-02T10:00:00Z inquiry ~ "utm_source=x", 2026-03-02T11:00:00Z mql by marketing,
		2026-03-03T11:00:00Z "S-ACC" by sales, 2026-03-04T11:00:00Z nurture, 2026-03-05T11:00:00.5Z customer worth 1200.50}$$::align.lead AS l;
	SQL

# "i" is the number of the call.
my %calls = (
	'calendar in and out' => q{length(('Europe/London Mo-Fr 09:00-17:' || 10 + i % 50)::align.calendar::text)},
	'calendar to and from jsonb' => q{cal::jsonb::align.calendar},
	'working_time' => q{align.working_time(cal, '2026-01-01Z', '2026-01-01Z'::timestamptz + i * interval '1 minute')},
	'working_time of a multirange' => q{align.working_time(cal, tstzmultirange(tstzrange('2026-01-01Z', '2026-01-02Z'), tstzrange('2026-02-01Z', '2026-02-02Z')))},
	'working_time, other calendars' => q{align.working_time(('UTC Mo-Fr 09:00-17:' || 10 + i % 7)::align.calendar, '2026-01-01Z', '2026-02-01Z')},
	'add_working_time' => q{align.add_working_time(cal, '2026-01-01Z', (i % 1000) * interval '1 minute')},
	'next_close' => q{align.next_close(cal, '2026-01-01Z'::timestamptz + (i % 100000) * interval '1 minute')},
	'end_of_working_day' => q{align.end_of_working_day(cal, '2026-01-01Z', (i % 5)::int)},
	'open_periods' => q{align.open_periods(cal, tstzrange('2026-01-01Z', '2026-01-08Z'))},
	'with_holidays' => q{align.with_holidays(cal, ARRAY['2026-01-01'::date + (i % 300)::int])},
	'can_move' => q{align.can_move(f, 'mql', 'S-ACC')},
	'next_stages' => q{align.next_stages(f, 'mql')},
	'route' => q{align.route(f, 'inquiry', 'customer')},
	'hours' => q{align.hours(f)},
	'funnel text' => q{f::text::align.funnel},
	'diff' => q{(SELECT count(*) FROM align.diff(f, f))},
	'stages' => q{(SELECT count(*) FROM align.stages(f))},
	'mermaid' => q{align.mermaid(f)},
	'lead in and out' => q{l::text::align.lead},
	'lead to and from jsonb' => q{l::jsonb::align.lead},
	'lead comparison' => q{l = l AND l >= l},
	'path' => q{align.path(l)},
	'stage_at' => q{align.stage_at(l, '2026-03-03Z')},
	'working_time_between' => q{align.working_time_between(l, 'inquiry', 'customer', cal)},
	'entries' => q{(SELECT count(*) FROM align.entries(l))},
	'violations' => q{(SELECT count(*) FROM align.violations(l, f))},
	'fits' => q{align.fits(l, f)},
	'sla_clocks' => q{(SELECT count(*) FROM align.sla_clocks(l, f, '2026-04-01Z'))},
	'advance' => q{align.advance(l, f, 'customer', '2026-04-01Z')},
	'progress' => q{align.progress(l, '{inquiry,mql,customer}', '30 days', 'ordered', '2026-04-01Z')},
	'progress in every way' => q{align.progress(l, '{inquiry,mql|sal?,customer}', '1 month', 'strict', '2026-04-01Z', '{10 days,NULL}', '{lost}', 'Europe/Berlin')},
	'passages' => q{(SELECT count(*) FROM align.passages(l, '{inquiry,mql|sal?,customer}', '1 month', 'increase', '2026-04-01Z', NULL, '{lost}', 'Europe/Berlin'))},
	'funnel_progress' => q{align.funnel_progress(l, f, '2026-04-01Z')},
	'lead_agg' => q{(SELECT align.lead_agg('2026-01-01Z'::timestamptz + n * interval '1 hour', 'mql', 'm', 'r', 'c', n) FROM generate_series(1, 3) n)},
	'rollup of leads' => q{(SELECT align.rollup(x) FROM (VALUES (l), (l)) v(x))},
	'steps of a conversion' => q{(SELECT count(*) FROM align.steps((SELECT align.conversion_agg(x, '{inquiry,customer}', NULL, 'ordered', '2026-04-01Z') FROM (VALUES (l), (l)) v(x))))},
	'first_deviation' => q{align.first_deviation(l, f)},
	'rows of a process' => q{(SELECT count(*) FROM (SELECT align.dfg_agg(x, cal, '2026-04-01Z') AS p FROM (VALUES (l), (l)) v(x)) s, align.dfg(p), align.dfg_stages(p), align.bottlenecks(p, f))},
	'process in and out, rollup, pictures' => q{(SELECT length(align.dfg_mermaid(p::text::align.process)) + length(align.dfg_dot(p)) FROM (SELECT align.rollup(p) AS p FROM (SELECT align.dfg_agg(x) AS p FROM (VALUES (l), (l)) v(x) GROUP BY x::text) s) s)},
	'times of a conversion' => q{(SELECT count(*) FROM align.histogram(v, NULL, '{1 day,2 days}'), align.way_times(v))},
	'parse_campaign' => q{align.parse_campaign('https://shop.example/?utm_source=Fr%C3%BC' || i || '&gclid=' || i, 'https://www.google.com/')},
	'channel' => q{align.channel(align.parse_campaign('?utm_source=s' || i % 100))},
	'channel of a funnel' => q{align.channel(align.parse_campaign('?utm_source=s' || i % 100), f)},
	'credit' => q{(SELECT sum(amount) FROM align.credit(l, 'linear'))},
	'funnel_credit' => q{(SELECT sum(amount) FROM align.funnel_credit(l, f, 'time_decay'))},
	'credit of a large amount' => q{(SELECT sum(amount) FROM align.credit('{2026-03-02T10:00:00Z ~ a, 2026-03-02T11:00:00Z ~ b, 2026-03-03T11:00:00Z customer worth 123456789012345678901234567890}', 'linear'))},
	'touches of a funnel' => q{(SELECT count(*) FROM align.touches(l, f))},
	'first_touch' => q{align.first_touch(l)},
	'last_touch' => q{align.last_touch(l, 'infinity')},
	'decisive_touch' => q{align.decisive_touch(l, f)},
	'wilson' => q{align.wilson(i, 2 * i)},
	'compare_rates' => q{align.compare_rates(i, 2 * i, 1, 3)},
	'incidence in and out' => q{(CASE WHEN i > 0 THEN '{in days, late (1), open (12*2), outcome won (5)}' END)::align.incidence::text},
	'happened_by' => q{align.happened_by('{in days, late (1), open (12*2), outcome won (5)}', 'won', i * interval '1 second')},
	'curve' => q{(SELECT count(*) FROM align.curve('{in days, open (12*2), outcome won (5)}', 'won'))},
	'log_rank' => q{align.log_rank('{in days, open (12*2), outcome won (5)}', '{in days, outcome won (3, 5)}')},
	'incidence_agg' => q{(SELECT align.incidence_agg(n * interval '1 hour', 'won') FROM generate_series(1, 3) n)},
	'sales_velocity' => q{align.sales_velocity(i::bigint, 10.5, 0.25, '30 days')},
	'credit_agg' => q{(SELECT align.credit_agg(x, 'linear') FROM (VALUES (l), (l)) v(x))},
	'infer_agg' => q{(SELECT align.infer_agg(x, '{customer}', '{disqualified}', 0.0) FROM (VALUES (l), (l)) v(x))});

# Aggregates of all rows into one state.
my %aggregates = (
	'conversion_agg over all' => q{align.conversion_agg(l, '{inquiry,mql,customer}', '30 days', 'ordered', '2026-04-01Z')},
	'conversion_agg of passages over all' => q{align.conversion_agg(l, '{inquiry,mql|sal?,customer}', '1 month', 'strict', '2026-04-01Z', '{10 days,NULL}', '{lost}', 'passages', 'Europe/Berlin')},
	'funnel_conversion_agg over all' => q{align.funnel_conversion_agg(l, f, '2026-04-01Z')},
	'credit_agg over all' => q{align.credit_agg(l, 'linear')},
	'credit_agg of large amounts' => q{align.credit_agg('{2026-03-02T10:00:00Z ~ a, 2026-03-02T11:00:00Z ~ b, 2026-03-03T11:00:00Z customer worth 123456789012345678901234567890}', 'linear')},
	'dfg_agg over all' => q{align.dfg_agg(l, cal, '2026-04-01Z')},
	'infer_agg over all' => q{align.infer_agg(l, '{customer}', '{disqualified}', 0.0)},
	'rollup of equal processes' => q{align.rollup('{leads 1, stage a leads 1 starts 1, stage b leads 1 ends 1, move a -> b moves 1 leads 1 time 9 least 9 most 9 in (9)}'::align.process)},
	'incidence_agg over all' => q{align.incidence_agg(i % 1000 * interval '1 hour', CASE i % 3 WHEN 0 THEN 'won' WHEN 1 THEN 'lost' END)},
	'rollup of equal incidences' => q{align.rollup('{in days, late (1), open (12*2), outcome won (5)}'::align.incidence)},
	'rollup of equal conversions' => q{align.rollup(v)});
$node->safe_psql('postgres', q{CREATE TABLE v AS SELECT align.conversion_agg(l, '{inquiry,customer}', NULL, 'ordered', '2026-04-01Z') AS v FROM l});

# Peak resident memory of one backend after so many calls.
sub peak_kb
{
	my ($select, $calls) = @_;
	my $out = $node->safe_psql('postgres', <<~SQL);
		SELECT count(*) FROM (SELECT $select AS x FROM c, f, l, v,
			generate_series(0, $calls / 1000 - 1) thousands, generate_series(1, 1000) ones, LATERAL (SELECT 1000 * thousands + ones) n(i) OFFSET 0) s WHERE x IS NOT NULL;
		SELECT substring(pg_read_file('/proc/' || pg_backend_pid() || '/status') FROM 'VmHWM:\\s+(\\d+) kB');
		SQL
	return (split /\n/, $out)[-1];
}

foreach my $name (grep { !$ENV{LEAK_ONLY} || /$ENV{LEAK_ONLY}/ } sort keys %calls, sort keys %aggregates)
{
	my $select = $calls{$name} // $aggregates{$name};
	# expensive ones: fewer calls show the same
	my $calls = $select =~ /SELECT|json|text|open_periods|mermaid|::align|with_holidays/ ? $many / 10 : $many;
	my $before = peak_kb($select, $few);
	my $after = peak_kb($select, $calls);

	cmp_ok($after - $before, '<', $allowed_kb, "$name: no growth from $few to $calls calls");
}

# Nor may one call with its rows: a journey in stages that nobody agreed on, each
# of which is told with all that are.
if (!$ENV{LEAK_ONLY} || 'violations of a long journey' =~ /$ENV{LEAK_ONLY}/)
{
	$node->safe_psql('postgres', <<~'SQL');
		CREATE TABLE long AS SELECT n, align.lead_agg('2026-01-01Z'::timestamptz + i * interval '1 minute', 'x' || i % 2) AS long
			FROM (VALUES (100), (100000)) v(n), LATERAL generate_series(1, n) i GROUP BY n;
		SQL
	my ($before, $after) = map {
		my $out = $node->safe_psql('postgres', <<~SQL);
			SELECT count(*) FROM long, f, align.violations(long, f) WHERE n = $_;
			SELECT substring(pg_read_file('/proc/' || pg_backend_pid() || '/status') FROM 'VmHWM:\\s+(\\d+) kB');
			SQL
		my ($rows, $peak) = split /\n/, $out;
		is($rows, $_, "a violation for each of $_ entries");
		$peak;
	} 100, 100_000;
	cmp_ok($after - $before, '<', $allowed_kb + 4 * 1024, 'violations of a long journey: no growth beyond what rows may take');
}

$node->stop;
done_testing();
