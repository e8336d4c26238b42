# Stored journeys and daily conversions: the statements of docs/incremental.md,
# as they stand there, against summaries of all leads; their cost follows the
# change, not the table; and runs and refreshes at the same time.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use Session;

use File::Basename;
use File::Spec;

my $top = File::Spec->rel2abs(dirname(__FILE__) . '/../..');
my @sizes = split / /, $ENV{INCREMENTAL_SIZES} // '4000 40000';
my $per_day = 20;

# The statements of the page: the tables, and what is run after a refresh.
my @examples = slurp_file("$top/docs/incremental.md") =~ /^```sql\n(.*?)^```/msg;
my ($create_daily) = grep { /^CREATE TABLE daily_conversion/ } @examples;
my ($daily) = grep { /^BEGIN.*INSERT INTO daily_conversion/s } @examples;
my ($create_in_time) = grep { /^CREATE TABLE daily_in_time/ } @examples;
my ($in_time) = map { s/^COMMIT;\n\K.*//msr } grep { /^BEGIN.*INSERT INTO daily_in_time/s } @examples;
ok($create_daily && $daily && $create_in_time && $in_time, 'the page has these statements');

my $node = PostgreSQL::Test::Cluster->new('incremental');
$node->init;
$node->append_conf('postgresql.conf', "timezone = 'UTC'\nautovacuum = off\nmax_parallel_workers_per_gather = 0\n");
$node->start;

# How many rows of the tables that have a row per lead, or more, were read.
sub rows_read
{
	my $database = shift;

	$node->safe_psql($database, 'SELECT pg_stat_force_next_flush()');
	return $node->safe_psql($database, q(SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_user_tables
		WHERE relname IN ('lead_values', 'leads', 'leads_history', 'leads_sla') OR relname LIKE 'stored\_%' AND relname NOT IN ('stored_changes', 'stored_taken', 'stored_state')));
}

# Refreshes and brings the summaries up to date, in sessions of their own, as a
# scheduler does.  Returns how many rows that has read.
sub run
{
	my ($database) = @_;
	my $before = rows_read($database);

	$node->safe_psql($database, "SELECT align.refresh_reports('leads'); SELECT pg_stat_force_next_flush()");
	$node->safe_psql($database, "$_; SELECT pg_stat_force_next_flush()") foreach $daily, $in_time;
	return rows_read($database) - $before;
}

# The summaries and those of all leads at once differ in nothing; as_of apart.
sub is_right
{
	my ($database, $what) = @_;

	is($node->safe_psql($database, q(
		WITH rows AS (
			SELECT 'daily' AS kind, entered_on, lead_source, s.* FROM daily_conversion, align.steps(conversion) AS s
			UNION ALL SELECT 'in time', entered_on, NULL, s.* FROM daily_in_time, align.steps(conversion) AS s),
		anew AS (
			SELECT 'daily' AS kind, c.entered_on, c.lead_source, s.*
			FROM (SELECT entered_on, lead_source, align.funnel_conversion_agg(journey, align.agreed('b2b'), refreshed_at) AS c
				FROM reports.lead_values, reports.report_settings WHERE NOT is_late GROUP BY 1, 2) AS c, align.steps(c.c) AS s
			UNION ALL SELECT 'in time', c.entered_on, NULL, s.*
			FROM (SELECT entered_on, align.conversion_agg(journey, '{inquiry,mql,sql}', '30 days', 'ordered', refreshed_at) AS c
				FROM reports.lead_values, reports.report_settings WHERE NOT is_late GROUP BY 1) AS c, align.steps(c.c) AS s)
		SELECT (SELECT count(*) > 100 FROM rows) || ' ' || (SELECT count(*) FROM (TABLE rows EXCEPT ALL TABLE anew) AS x) || ' ' || (SELECT count(*) FROM (TABLE anew EXCEPT ALL TABLE rows) AS x))),
		'true 0 0', $what);
	is($node->safe_psql($database, q(
		SELECT align.rollup(d.conversion)::text = (SELECT align.rollup(c)::text
			FROM (SELECT align.funnel_conversion_agg(journey, align.agreed('b2b'), d.as_of) AS c
				FROM reports.lead_values JOIN (SELECT DISTINCT entered_on, substring(conversion::text, 'as of (\S+)[ ,}]')::timestamptz AS as_of FROM daily_conversion) AS d USING (entered_on)
				GROUP BY d.entered_on, d.as_of) AS c)
		FROM daily_conversion AS d)), 't', "$what: merged to the last byte");
}

my %read;
foreach my $n (@sizes)
{
	my $database = "leads_$n";

	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, qq(
		CREATE EXTENSION align;
		SELECT align.agree('b2b', \$\$ stage inquiry, mql held by marketing; stage sql held by sales; won customer; lost disqualified;
			success path inquiry -> mql -> sql -> customer; path any -> disqualified; \$\$);
		CREATE TABLE leads (id bigint PRIMARY KEY, stage text, source text, changed_at timestamptz);
		SELECT align.attach('leads', 'b2b', changed_at => 'changed_at', mode => 'observe');
		-- $per_day a day, the youngest yesterday
		INSERT INTO leads SELECT i, 'inquiry', (ARRAY['web', 'fair', NULL])[1 + i % 3], now() - interval '1 day' - i / $per_day * interval '1 day' FROM generate_series(1, $n) AS i;
		UPDATE leads SET stage = (ARRAY['mql', 'disqualified'])[1 + (id % 5 = 0)::int], changed_at = changed_at + interval '5 hours' WHERE id % 4 > 0;
		UPDATE leads SET stage = 'sql', changed_at = changed_at + (id % 40) * interval '1 day' WHERE stage = 'mql' AND id % 3 = 0 AND changed_at + (id % 40) * interval '1 day' < now();
		CREATE SCHEMA reports;
		SELECT align.create_reports('leads', 'reports', dimensions => '{source AS lead_source}', time_zone => 'UTC', stored => true);
		$create_daily $create_in_time));
	run($database);
	$node->safe_psql($database, 'VACUUM ANALYZE');
	is_right($database, "$n leads, all days");
	run($database);
	is($node->safe_psql($database, "SELECT count(DISTINCT xmin::text) FROM daily_conversion"), 1, "$n leads, nothing has changed: no day was summarised again");

	# the same change at each size: of 10 leads of 5 days
	my $change = "UPDATE leads SET stage = 'customer', changed_at = now() - interval '1 hour' WHERE id IN (SELECT $n / 2 + d * 200 + i FROM generate_series(0, 4) AS d, generate_series(1, 2) AS i)";
	$node->safe_psql($database, $change);
	$node->safe_psql($database, 'SELECT pg_stat_force_next_flush()');
	$read{$n} = run($database);
	is_right($database, "$n leads, a change of 10");
	is($node->safe_psql($database, "SELECT count(DISTINCT entered_on) FROM daily_conversion WHERE xmin::text = (SELECT xmin::text FROM daily_conversion ORDER BY refreshed_at DESC LIMIT 1)"), 5, "$n leads: 5 days were summarised again");
	note("$n leads: $read{$n} rows read");
}
cmp_ok($read{ $sizes[1] }, '<', 1.5 * $read{ $sizes[0] } + 200, 'the rows that a change of 10 leads reads do not grow with the table');
cmp_ok($read{ $sizes[1] }, '<', $sizes[1] / 4, 'and are few');

# Many leads at once cost no more than that many times one.
$node->safe_psql("leads_$sizes[0]", "UPDATE leads SET source = 'all'; SELECT pg_stat_force_next_flush()");
cmp_ok(run("leads_$sizes[0]"), '<', 50 * $sizes[0], 'a change of all leads reads rows in proportion');
is_right("leads_$sizes[0]", 'a change of all leads');

# A day that changes while a run is under way is that of the next run.
my $database = "leads_$sizes[0]";
$node->safe_psql($database, "UPDATE leads SET stage = 'customer', changed_at = now() WHERE id BETWEEN 41 AND 45; SELECT align.refresh_reports('leads')");
my $run = Session->new($node, dbname => $database);
my ($delete, $insert) = $daily =~ /^(BEGIN.*?)^(-- are made again.*)/ms;
is($run->command($delete), '', 'a run begins');
$node->safe_psql($database, "UPDATE leads SET stage = 'disqualified', changed_at = now() WHERE id BETWEEN 44 AND 140; DELETE FROM leads WHERE id = 300; SELECT align.erase('leads', 300); SELECT align.refresh_reports('leads')");
is($run->command($insert), '', 'and ends');
$run->finish;
is($node->safe_psql($database, q(SELECT count(*) > 0 FROM reports.entry_days AS d WHERE NOT EXISTS (SELECT FROM daily_conversion AS c WHERE (c.entered_on, c.refreshed_at) = (d.entered_on, d.refreshed_at)))), 't', 'the refresh has changed days since the snapshot of the run');
run($database);
is_right($database, 'and the next run brings them up to date');

# What a run has missed, or lost, the next one makes good; a new version changes all.
$node->safe_psql($database, 'DELETE FROM daily_conversion WHERE extract(dow FROM entered_on) = 0');
run($database);
is_right($database, 'rows that were lost are made again');
$node->safe_psql($database, "SELECT align.agree('b2b', replace(align.agreed('b2b')::text, 'mql', 'qualified') || ' qualified known as ''mql'';')");
$node->safe_psql($database, $_) foreach $daily, $in_time;
is($node->safe_psql($database, 'SELECT align.rollup(conversion) IS NOT NULL FROM daily_conversion'), 't', 'between agree() and the refresh, summaries have one agreement');
run($database);
is($node->safe_psql($database, q(SELECT string_agg(DISTINCT s.name, ' ' ORDER BY s.name) FROM daily_conversion, align.steps(conversion) AS s)), 'customer inquiry qualified sql', 'after it, they have the new one');

$node->stop;
done_testing();
