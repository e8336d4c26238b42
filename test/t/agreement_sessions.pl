#!/usr/bin/perl
# Agreements by name, seen from several sessions: who waits for whom, and what
# each one's cache tells after another has committed.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use IPC::Run;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('primary');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', "max_prepared_transactions = 5\n");
$node->start;

# A psql that stays; the majors' own helpers for this differ.
my $marks = 0;

sub session
{
	my ($on, $user) = @_;
	my $self = { in => '', out => '', err => '' };

	$self->{run} = IPC::Run::start(
		[ 'psql', '-XqAt', '-d', $on->connstr('postgres') . (defined $user ? " user=$user" : '') ],
		'<', \$self->{in}, '>', \$self->{out}, '2>', \$self->{err},
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	return $self;
}

# Sends a command without waiting for what becomes of it.
sub begin_command
{
	my ($session, $sql) = @_;

	$session->{mark} = 'mark ' . ++$marks;
	$session->{out} = $session->{err} = '';
	$session->{in} .= "$sql;\n\\echo $session->{mark}\n\\warn $session->{mark}\n";
	$session->{run}->pump_nb;
	return;
}

# What it printed, errors included.
sub end_command
{
	my ($session) = @_;
	my $mark = $session->{mark};

	$session->{run}->pump until $session->{out} =~ /^\Q$mark\E\n/m && $session->{err} =~ /^\Q$mark\E\n/m;
	my $text = $session->{out} . $session->{err};
	$text =~ s/^\Q$mark\E\n//mg;
	chomp $text;
	return $text;
}

sub command
{
	my ($session, $sql) = @_;

	begin_command($session, $sql);
	return end_command($session);
}

sub waiting
{
	my ($count) = @_;

	return $node->poll_query_until('postgres',
		"SELECT count(*) = $count FROM pg_locks WHERE NOT granted AND locktype = 'object' AND classid = 'align.agreement'::regclass");
}

sub document
{
	my ($stage) = @_;

	return "'stage $stage; won deal; success path $stage -> deal;'";
}

sub first_stage
{
	my ($arguments) = @_;

	return "SELECT substring(align.agreed($arguments)::text FROM 'stage (.*?);')";
}

$node->safe_psql('postgres', 'CREATE EXTENSION align');
my $one = session($node);
my $two = session($node);

# What is committed is seen, and only then.
is(command($one, "SELECT align.agree('b2b', " . document('first') . ")"), '1', 'version 1');
is(command($two, first_stage("'b2b'")), 'first', 'seen by the other session');
command($two, "PREPARE lookup AS " . first_stage("'b2b'"));
command($two, "CREATE FUNCTION look() RETURNS text LANGUAGE plpgsql STABLE AS \$\$ BEGIN RETURN substring(align.agreed('b2b')::text FROM 'stage (.*?);'); END \$\$");
is(command($two, 'EXECUTE lookup'), 'first', 'by a prepared statement');
is(command($two, 'SELECT look()'), 'first', 'and by a function');
command($one, 'BEGIN');
is(command($one, "SELECT align.agree('b2b', " . document('second') . ")"), '2', 'version 2');
is(command($one, first_stage("'b2b'")), 'second', 'its own session sees it');
is(command($two, first_stage("'b2b'")), 'first', 'others do not before it is committed');
command($one, 'COMMIT');
is(command($two, first_stage("'b2b'")), 'second', 'but afterwards');
is(command($two, 'EXECUTE lookup'), 'second', 'also by a prepared statement');
is(command($two, 'SELECT look()'), 'second', 'also by a function');

# Rolled back, by the transaction and to a savepoint.
command($one, 'BEGIN');
command($one, "SELECT align.agree('b2b', " . document('never') . ")");
is(command($one, first_stage("'b2b'")), 'never', 'seen by its own session');
command($one, 'ROLLBACK');
is(command($one, first_stage("'b2b'")), 'second', 'and forgotten when rolled back');
is(command($two, first_stage("'b2b'")), 'second', 'never seen by others');

# In the middle of a transaction the next statement sees what was committed.
command($two, 'BEGIN');
is(command($two, first_stage("'b2b', now() + interval '1 day'")), 'second', 'a transaction looks ahead');
is(command($one, "SELECT align.agree('b2b', " . document('third') . ")"), '3', 'version 3');
is(command($two, first_stage("'b2b', now() + interval '1 day'")), 'third', 'and sees in its next statement what was agreed meanwhile');
command($two, 'COMMIT');

# Two at once: the second waits, and gets the next version.
command($one, 'BEGIN');
is(command($one, "SELECT align.agree('b2b', " . document('fourth') . ")"), '4', 'version 4, not committed');
begin_command($two, "SELECT align.agree('b2b', " . document('fifth') . ")");
ok(waiting(1), 'another that agrees under the same name waits');
my $three = session($node);
is(command($three, "SELECT align.agree('b2c', " . document('other') . ")"), '1', 'one under another name does not');
is(command($three, first_stage("'b2b'")), 'third', 'nor does who reads');
command($one, 'COMMIT');
is(end_command($two), '5', 'the one who waited gets version 5');
is(command($three, first_stage("'b2b'")), 'fifth', 'which is in force');

# The first is rolled back: its number is taken again.
command($one, 'BEGIN');
is(command($one, "SELECT align.agree('b2b', " . document('sixth') . ")"), '6', 'version 6, not committed');
begin_command($two, "SELECT align.agree('b2b', " . document('sixth_again') . ")");
ok(waiting(1), 'another waits');
command($one, 'ROLLBACK');
is(end_command($two), '6', 'and gets version 6 when the first is rolled back');

# A transaction with an old snapshot gets the next version all the same.
command($two, 'BEGIN ISOLATION LEVEL REPEATABLE READ');
command($two, 'SELECT count(*) FROM align.agreements');
is(command($one, "SELECT align.agree('b2b', " . document('seventh') . ")"), '7', 'version 7');
is(command($two, "SELECT align.agree('b2b', " . document('eighth') . ")"), '8', 'version 8 from a repeatable read transaction that does not see 7');
command($two, 'COMMIT');
is(command($one, first_stage("'b2b'")), 'eighth', 'which is in force');

# The first to commit owns the name.
$node->safe_psql('postgres', 'CREATE ROLE ann LOGIN; CREATE ROLE bob LOGIN');
my $ann = session($node, 'ann');
my $bob = session($node, 'bob');
command($ann, 'BEGIN');
is(command($ann, "SELECT align.agree('contested', " . document('ann') . ")"), '1', 'ann agrees under a new name');
begin_command($bob, "SELECT align.agree('contested', " . document('bob') . ")");
ok(waiting(1), 'bob waits');
command($ann, 'COMMIT');
like(end_command($bob), qr/must be owner of agreement "contested"/, 'and is refused');
is(command($bob, 'SELECT current_user'), 'bob', 'as bob');

# Written by other means.
command($one, "COPY align.agreement FROM stdin;\nb2b\t9\t2020-01-01 00:00:00+00\tstage copied; won deal; success path copied -> deal;\tas it was\tann\tann\t\\N\n\\.\nSELECT 1");
is(command($two, first_stage("'b2b'")), 'copied', 'COPY reaches the caches of others');

# Two-phase commit.
command($one, 'BEGIN');
is(command($one, "SELECT align.agree('b2b', " . document('prepared') . ")"), '10', 'version 10');
is(command($one, first_stage("'b2b'")), 'prepared', 'seen by its session');
command($one, "PREPARE TRANSACTION 'agreement'");
is(command($one, first_stage("'b2b'")), 'copied', 'no longer, once prepared');
is(command($two, first_stage("'b2b'")), 'copied', 'not yet by others');
command($two, "COMMIT PREPARED 'agreement'");
is(command($one, first_stage("'b2b'")), 'prepared', 'seen by all, once committed');
is(command($two, first_stage("'b2b'")), 'prepared', 'here too');

# Many at once: every version once, none left out.
my $script = PostgreSQL::Test::Utils::tempdir() . '/agree.sql';
append_to_file($script, "SELECT align.agree('crowd', 'stage s:client_id; won deal; success path s:client_id -> deal;');\nSELECT align.agreed('crowd');\n");
$node->command_ok([ 'pgbench', '-n', '-c', '5', '-j', '2', '-t', '40', '-f', $script, $node->connstr('postgres') ], 'five sessions agree at once');
is($node->safe_psql('postgres', "SELECT count(*), min(version), max(version), bool_and(valid_from IS NOT NULL) FROM align.agreement WHERE name = 'crowd'"),
	'200|1|200|t', 'and get every version once');

# A standby: what is replayed is seen, what would write is refused.
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
my $reader = session($standby);
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
is(command($reader, first_stage("'b2b'")), 'prepared', 'a standby knows what was agreed');
is(command($one, "SELECT align.agree('b2b', " . document('replayed') . ")"), '11', 'version 11');
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
is(command($reader, first_stage("'b2b'")), 'replayed', 'also what is agreed meanwhile');
like(command($reader, "SELECT align.agree('b2b', " . document('refused') . ")"), qr/cannot execute align\.agree\(\)/, 'but agrees to nothing');
is(command($reader, "SELECT rule FROM align.backtest('SELECT 1, now(), ''nowhere''', align.agreed('b2b'))"), 'unknown_stage', 'and runs a backtest');
$standby->stop;

# Another extension of the same name.
is(command($two, first_stage("'b2b'")), 'replayed', 'a session knows an agreement');
$node->safe_psql('postgres', 'DROP EXTENSION align CASCADE');
like(command($two, first_stage("'b2b'")), qr/schema "align" does not exist|function align\.agreed\(unknown\) does not exist/, 'that is dropped with the extension');
$node->safe_psql('postgres', 'CREATE EXTENSION align');
like(command($two, first_stage("'b2b'")), qr/agreement "b2b" does not exist/, 'and does not come back with a new one');
is(command($one, "SELECT align.agree('b2b', " . document('anew') . ")"), '1', 'version 1 again');
is(command($two, first_stage("'b2b'")), 'anew', 'seen by the other session');

foreach my $session ($one, $two, $three, $ann, $bob, $reader)
{
	$session->{in} .= "\\q\n";
	eval { $session->{run}->finish };
}
$node->stop;
done_testing();
