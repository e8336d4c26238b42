#!/usr/bin/perl
# Agreements by name, seen from several sessions: who waits for whom, and what
# each one's cache tells after another has committed.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('primary');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', "max_prepared_transactions = 5\n");
$node->start;

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
my $one = Session->new($node);
my $two = Session->new($node);

# What is committed is seen, and only then.
is($one->command("SELECT align.agree('b2b', " . document('first') . ")"), '1', 'version 1');
is($two->command(first_stage("'b2b'")), 'first', 'seen by the other session');
$two->command("PREPARE lookup AS " . first_stage("'b2b'"));
$two->command("CREATE FUNCTION look() RETURNS text LANGUAGE plpgsql STABLE AS \$\$ BEGIN RETURN substring(align.agreed('b2b')::text FROM 'stage (.*?);'); END \$\$");
is($two->command('EXECUTE lookup'), 'first', 'by a prepared statement');
is($two->command('SELECT look()'), 'first', 'and by a function');
$one->command('BEGIN');
is($one->command("SELECT align.agree('b2b', " . document('second') . ")"), '2', 'version 2');
is($one->command(first_stage("'b2b'")), 'second', 'its own session sees it');
is($two->command(first_stage("'b2b'")), 'first', 'others do not before it is committed');
$one->command('COMMIT');
is($two->command(first_stage("'b2b'")), 'second', 'but afterwards');
is($two->command('EXECUTE lookup'), 'second', 'also by a prepared statement');
is($two->command('SELECT look()'), 'second', 'also by a function');

# Rolled back, by the transaction and to a savepoint.
$one->command('BEGIN');
$one->command("SELECT align.agree('b2b', " . document('never') . ")");
is($one->command(first_stage("'b2b'")), 'never', 'seen by its own session');
$one->command('ROLLBACK');
is($one->command(first_stage("'b2b'")), 'second', 'and forgotten when rolled back');
is($two->command(first_stage("'b2b'")), 'second', 'never seen by others');

# In the middle of a transaction the next statement sees what was committed.
$two->command('BEGIN');
is($two->command(first_stage("'b2b', now() + interval '1 day'")), 'second', 'a transaction looks ahead');
is($one->command("SELECT align.agree('b2b', " . document('third') . ")"), '3', 'version 3');
is($two->command(first_stage("'b2b', now() + interval '1 day'")), 'third', 'and sees in its next statement what was agreed meanwhile');
$two->command('COMMIT');

# Two at once: the second waits, and gets the next version.
$one->command('BEGIN');
is($one->command("SELECT align.agree('b2b', " . document('fourth') . ")"), '4', 'version 4, not committed');
$two->begin("SELECT align.agree('b2b', " . document('fifth') . ")");
ok(waiting(1), 'another that agrees under the same name waits');
my $three = Session->new($node);
is($three->command("SELECT align.agree('b2c', " . document('other') . ")"), '1', 'one under another name does not');
is($three->command(first_stage("'b2b'")), 'third', 'nor does who reads');
$one->command('COMMIT');
is($two->end, '5', 'the one who waited gets version 5');
is($three->command(first_stage("'b2b'")), 'fifth', 'which is in force');

# The first is rolled back: its number is taken again.
$one->command('BEGIN');
is($one->command("SELECT align.agree('b2b', " . document('sixth') . ")"), '6', 'version 6, not committed');
$two->begin("SELECT align.agree('b2b', " . document('sixth_again') . ")");
ok(waiting(1), 'another waits');
$one->command('ROLLBACK');
is($two->end, '6', 'and gets version 6 when the first is rolled back');

# A transaction with an old snapshot gets the next version all the same.
$two->command('BEGIN ISOLATION LEVEL REPEATABLE READ');
$two->command('SELECT count(*) FROM align.agreements');
is($one->command("SELECT align.agree('b2b', " . document('seventh') . ")"), '7', 'version 7');
is($two->command("SELECT align.agree('b2b', " . document('eighth') . ")"), '8', 'version 8 from a repeatable read transaction that does not see 7');
$two->command('COMMIT');
is($one->command(first_stage("'b2b'")), 'eighth', 'which is in force');

# The first to commit owns the name.
$node->safe_psql('postgres', 'CREATE ROLE ann LOGIN; CREATE ROLE bob LOGIN');
my $ann = Session->new($node, user => 'ann');
my $bob = Session->new($node, user => 'bob');
$ann->command('BEGIN');
is($ann->command("SELECT align.agree('contested', " . document('ann') . ")"), '1', 'ann agrees under a new name');
$bob->begin("SELECT align.agree('contested', " . document('bob') . ")");
ok(waiting(1), 'bob waits');
$ann->command('COMMIT');
like($bob->end, qr/must be owner of agreement "contested"/, 'and is refused');
is($bob->command('SELECT current_user'), 'bob', 'as bob');

# A role without rights makes nobody wait: neither while it waits for a table of its
# own, nor under a new name that has the hash of another.
$node->safe_psql('postgres', 'GRANT CREATE ON SCHEMA public TO bob');
is($one->command("SELECT align.agree('stall', " . document('first') . ")"), '1', 'an agreement of another role');
$bob->command('CREATE TABLE own (id int PRIMARY KEY, stage text)');
my $bob_too = Session->new($node, user => 'bob');
$bob_too->command('BEGIN; LOCK own');
like($bob->command("SELECT align.attach('own', 'stall')"), qr/cannot be attached to agreement "stall"/, 'bob may not attach to it, and does not wait');
$bob_too->command('COMMIT');
$bob_too->finish;
$two->command('BEGIN');
is($two->command("SELECT align.agree('stall', " . document('second') . ")"), '2', 'its owner agrees, not committed');
like($bob->command("SELECT align.agree('stall', " . document('bob') . ")"), qr/must be owner of agreement "stall"/, 'bob is refused at once');
like($bob->command("SELECT align.$_('stall', 'bob')"), qr/must be owner of agreement "stall"/, "and by $_()") foreach ('admit', 'dismiss', 'set_agreement_owner');
like($bob->command("SELECT align.assign_team('stall', 'x', 'bob')"), qr/must be owner of agreement "stall"/, 'and by assign_team()');
$two->command('COMMIT');
$bob->command('BEGIN');
is($bob->command("SELECT align.agree('m28c032f8', " . document('first') . ")"), '1', 'bob agrees under a new name, not committed');
like($one->command("BEGIN; SET LOCAL lock_timeout = '20s'; SELECT align.agree('b2b', " . document('third') . "); ROLLBACK"), qr/^\d+$/, 'who agrees under the other does not wait');
$bob->command('COMMIT');

# Written by other means.
$one->command("COPY align.agreement FROM stdin;\nb2b\t9\t2020-01-01 00:00:00+00\tstage copied; won deal; success path copied -> deal;\tas it was\tann\tann\t\\N\n\\.\nSELECT 1");
is($two->command(first_stage("'b2b'")), 'copied', 'COPY reaches the caches of others');

# Two-phase commit.
$one->command('BEGIN');
is($one->command("SELECT align.agree('b2b', " . document('prepared') . ")"), '10', 'version 10');
is($one->command(first_stage("'b2b'")), 'prepared', 'seen by its session');
$one->command("PREPARE TRANSACTION 'agreement'");
is($one->command(first_stage("'b2b'")), 'copied', 'no longer, once prepared');
is($two->command(first_stage("'b2b'")), 'copied', 'not yet by others');
$two->command("COMMIT PREPARED 'agreement'");
is($one->command(first_stage("'b2b'")), 'prepared', 'seen by all, once committed');
is($two->command(first_stage("'b2b'")), 'prepared', 'here too');

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
my $reader = Session->new($standby);
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
is($reader->command(first_stage("'b2b'")), 'prepared', 'a standby knows what was agreed');
is($one->command("SELECT align.agree('b2b', " . document('replayed') . ")"), '11', 'version 11');
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
is($reader->command(first_stage("'b2b'")), 'replayed', 'also what is agreed meanwhile');
like($reader->command("SELECT align.agree('b2b', " . document('refused') . ")"), qr/cannot execute align\.agree\(\)/, 'but agrees to nothing');
is($reader->command("SELECT rule FROM align.backtest('SELECT 1, now(), ''nowhere''', align.agreed('b2b'))"), 'unknown_stage', 'and runs a backtest');
$standby->stop;

# Another extension of the same name.
is($two->command(first_stage("'b2b'")), 'replayed', 'a session knows an agreement');
$node->safe_psql('postgres', 'DROP EXTENSION align CASCADE');
like($two->command(first_stage("'b2b'")), qr/schema "align" does not exist|function align\.agreed\(unknown\) does not exist/, 'that is dropped with the extension');
$node->safe_psql('postgres', 'CREATE EXTENSION align');
like($two->command(first_stage("'b2b'")), qr/agreement "b2b" does not exist/, 'and does not come back with a new one');
is($one->command("SELECT align.agree('b2b', " . document('anew') . ")"), '1', 'version 1 again');
is($two->command(first_stage("'b2b'")), 'anew', 'seen by the other session');

foreach my $session ($one, $two, $three, $ann, $bob, $reader)
{
	$session->{in} .= "\\q\n";
	eval { $session->{run}->finish };
}
$node->stop;
done_testing();
