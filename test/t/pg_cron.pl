#!/usr/bin/perl
# The recipe of docs/alerts.md: pg_cron calls the functions that announce what
# is due, one job per owner of tables, and a listener hears of each event once.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;
use Test::More;

use File::Basename;

chomp(my $sharedir = `pg_config --sharedir`);
plan skip_all => $ENV{PG_CRON_MISSING} || 'pg_cron is not there'
  unless -e "$sharedir/extension/pg_cron.control";

my $node = PostgreSQL::Test::Cluster->new('primary');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE crm; CREATE ROLE crm_owner LOGIN; CREATE ROLE "Other owner" LOGIN');
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'pg_cron'\ncron.database_name = 'crm'\ncron.use_background_workers = on\n");
$node->stop;
# a package of the distribution and a server from elsewhere
plan skip_all => 'this server does not load pg_cron: ' . slurp_file($node->logfile) =~ s/.*(FATAL:[^\n]*).*/$1/sr
  unless $node->start(fail_ok => 1);

# The job as the page has it.
my $page = slurp_file(dirname(__FILE__) . '/../../docs/alerts.md');
my ($job) = $page =~ /cron\.schedule\('align alerts', '\* \* \* \* \*', \$\$(.*?)\$\$\);/s;
ok(defined $job, 'docs/alerts.md has the job');
like($page, qr/^\Q$_\E/m, "and the setting $_")
  foreach "shared_preload_libraries = 'pg_cron'", "cron.database_name = 'crm'", 'cron.use_background_workers = on';

$node->safe_psql('crm', <<'SQL');
CREATE EXTENSION pg_cron;
CREATE EXTENSION align;
CREATE SCHEMA crm AUTHORIZATION crm_owner;
CREATE SCHEMA other AUTHORIZATION "Other owner";
GRANT USAGE ON SCHEMA cron TO crm_owner;
SELECT align.agree('b2b', $$
	stage inquiry, mql held by marketing; stage sal held by sales; won customer; lost disqualified;
	success path inquiry -> mql -> sal -> customer; path any -> disqualified;
	handoff speed_to_lead: mql from marketing to sales, accept sal, reject disqualified, within 4 hours;
$$);
SELECT align.admit('b2b', 'crm_owner'), align.admit('b2b', '"Other owner"');
SET ROLE crm_owner;
CREATE TABLE crm.leads (id bigint PRIMARY KEY, status text, changed_at timestamptz);
SELECT align.attach('crm.leads', 'b2b', stage => 'status', changed_at => 'changed_at');
INSERT INTO crm.leads VALUES (42, 'inquiry', '2024-03-02 09:00Z');
UPDATE crm.leads SET status = 'mql', changed_at = '2024-03-02 10:00Z';
CREATE TABLE crm.listening (since timestamptz);
GRANT USAGE ON SCHEMA crm TO "Other owner";
GRANT SELECT ON crm.listening TO "Other owner";
CREATE FUNCTION crm.await_listener() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. 600 LOOP
		IF EXISTS (SELECT FROM crm.listening) THEN RETURN; END IF;
		PERFORM pg_sleep(0.1);
	END LOOP;
END $$;
RESET ROLE;
GRANT USAGE ON SCHEMA cron TO "Other owner";
SET ROLE "Other owner";
CREATE TABLE other.leads (id bigint PRIMARY KEY, status text);
SELECT align.attach('other.leads', 'b2b', stage => 'status');
INSERT INTO other.leads VALUES (1, 'inquiry');
UPDATE other.leads SET status = 'mql';
SQL

my $version = $node->safe_psql('crm', q(SELECT extversion FROM pg_extension WHERE extname = 'pg_cron'));
my ($major, $minor) = split /\./, $version;
my $seconds = $major > 1 || $minor >= 5;
note("pg_cron $version");

sub schedule
{
	my ($user, $name, $when, $command) = @_;

	return $node->safe_psql('crm', "SELECT cron.schedule('$name', '$when', \$job\$$command\$job\$)", extra_params => [ '-U', $user ]);
}

# Who hears of it, from now on.
sub listen_in
{
	my $session = Session->new($node, dbname => 'crm', user => 'crm_owner');

	$session->command('LISTEN align_handoff; LISTEN align_sla; INSERT INTO crm.listening VALUES (now())');
	return $session;
}

# Schedules a job as documented and returns a listener that is there before it
# runs.  Minutes are long for a test: a pg_cron that knows no seconds runs the
# same job once more, when the server starts.
sub schedule_and_listen
{
	my ($user, $name, $command) = @_;

	schedule($user, $name, '* * * * *', $command);
	is($node->safe_psql('crm', "SELECT username, active FROM cron.job WHERE jobname = '$name'"), "$user|t", "the job is scheduled every minute, for $user");
	if ($seconds)
	{
		my $listener = listen_in();

		schedule($user, $name, '2 seconds', $command);
		return $listener;
	}
	$node->safe_psql('crm', 'DELETE FROM crm.listening');
	schedule($user, "$name at start", '@reboot', "SELECT crm.await_listener(); $command");
	$node->restart;
	return listen_in();
}

sub hears
{
	my ($listener, @expected) = @_;
	my @heard;

	foreach (1 .. 600)
	{
		push @heard, $listener->notifications;
		last if @heard >= @expected;
		select undef, undef, undef, 0.1;
	}
	is(join("\n", sort @heard), join("\n", @expected), 'is heard');
	return;
}

my $listener = schedule_and_listen('crm_owner', 'align alerts', $job);
hears($listener,
	'align_handoff {"relation":"crm.leads","key":{"id":42},"entry_no":2,"handoff":"speed_to_lead","from":"marketing","to":"sales"}',
	'align_sla {"relation":"crm.leads","key":{"id":42},"sla":"speed_to_lead","cycle":1,"state":"overdue","due_at":"2024-03-02T14:00:00Z"}');
ok($node->poll_query_until('crm', q(SELECT count(*) > 0 FROM cron.job_run_details WHERE status = 'succeeded')), 'pg_cron reports success');
is($node->safe_psql('crm', q(SELECT align.notify_handoffs('crm.leads'), align.notify_due('crm.leads'))), '0|0', 'nothing is left to announce');
is(join("\n", $listener->notifications), '', 'nothing was announced twice');
is($node->safe_psql('crm', q(SELECT count(*) FROM other.leads_history WHERE handoff IS NOT NULL AND notified_at IS NULL)), '1', 'the tables of others are for their own jobs');
is($node->safe_psql('crm', q(SELECT count(*) FROM cron.job_run_details WHERE return_message ~ 'no alerts')), '0', 'and not even tried');
$node->safe_psql('crm', 'SELECT cron.unschedule(jobid) FROM cron.job');
$listener->finish;
$listener = schedule_and_listen('Other owner', 'align alerts', $job);
hears($listener, 'align_handoff {"relation":"other.leads","key":{"id":1},"entry_no":2,"handoff":"speed_to_lead","from":"marketing","to":"sales"}');

# A single table.
$node->safe_psql('crm', 'SELECT cron.unschedule(jobid) FROM cron.job');
my $own = q(SELECT align.notify_handoffs('crm.leads'), align.notify_due('crm.leads'));
like($page, qr/^\Q$own\E;$/m, 'docs/alerts.md has the job of a single table');
$node->safe_psql('crm', q(INSERT INTO crm.leads VALUES (43, 'inquiry', '2024-03-02 09:00Z'); UPDATE crm.leads SET status = 'mql', changed_at = now() WHERE id = 43));
$listener->finish;
$listener = schedule_and_listen('crm_owner', 'align alerts of leads', $own);
hears($listener, 'align_handoff {"relation":"crm.leads","key":{"id":43},"entry_no":2,"handoff":"speed_to_lead","from":"marketing","to":"sales"}');
is($node->safe_psql('crm', q(SELECT count(*) FROM cron.job_run_details WHERE status = 'failed')), '0', 'no job has failed');

$listener->finish;
$node->stop;
done_testing();
