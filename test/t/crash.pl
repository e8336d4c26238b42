#!/usr/bin/perl
# The server is killed while several sessions load and move leads: what is there
# after recovery was recorded, and what was recorded is there.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use IPC::Run;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('crash');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
max_prepared_transactions = 50
restart_after_crash = on
checkpoint_timeout = 30s
CONF
$node->start;

$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION align;
SELECT align.agree('crash', $$
	hours 'Europe/London Mo-Fr 09:00-17:30';
	stage mql held by marketing;
	stage sal, sql held by sales;
	stage nurture held by marketing;
	won customer;
	lost disqualified;
	entry mql, nurture;
	success path mql -> sal -> sql -> customer;
	path mql, sal, sql -> nurture -> mql;
	path any -> disqualified;
	handoff take_up: mql from marketing to sales, accept sal, reject nurture, disqualified, within 4 working hours;
	sla qualify by sales: from sal to sql within 40 working hours, pause nurture;
$$);
CREATE TABLE leads (id bigint PRIMARY KEY, stage text, owner text, padding text DEFAULT repeat('x', 200));
CREATE TABLE parts (id int, region text, stage text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE parts_emea PARTITION OF parts FOR VALUES IN ('emea');
CREATE TABLE parts_apac PARTITION OF parts FOR VALUES IN ('apac');
SELECT align.attach('leads', 'crash', assignee => 'owner');
SELECT align.attach('parts', 'crash', mode => 'observe');
CREATE SEQUENCE names;
SQL

# Loads in batches, moves many at once, changes its mind, deletes, moves between
# partitions; now and then leaves a prepared transaction behind.
my $folder = PostgreSQL::Test::Utils::tempdir();
append_to_file("$folder/load.sql", <<'SQL');
\set base random(1, 20000000)
\set other random(1, 60)
BEGIN;
INSERT INTO leads SELECT :base * 100 + i, 'mql', 'ann' FROM generate_series(1, 20) AS i ON CONFLICT DO NOTHING;
UPDATE leads SET stage = 'sal' WHERE id BETWEEN :base * 100 + 1 AND :base * 100 + 15;
SAVEPOINT s;
UPDATE leads SET stage = 'sql' WHERE id BETWEEN :base * 100 + 1 AND :base * 100 + 15;
ROLLBACK TO s;
UPDATE leads SET stage = 'nurture', owner = 'bob' WHERE id BETWEEN :base * 100 + 5 AND :base * 100 + 10;
DELETE FROM leads WHERE id = :base * 100 + 20;
COMMIT;
INSERT INTO parts VALUES (:other, 'emea', 'mql') ON CONFLICT (id, region) DO UPDATE SET stage = CASE parts.stage WHEN 'mql' THEN 'sal' ELSE 'mql' END;
UPDATE parts SET region = 'apac' WHERE id = :other AND region = 'emea' AND NOT EXISTS (SELECT FROM parts p WHERE p.id = :other AND p.region = 'apac');
DELETE FROM parts WHERE id = :other AND region = 'apac';
SQL
append_to_file("$folder/prepare.sql", <<'SQL');
\set base random(1, 20000000)
BEGIN;
INSERT INTO leads SELECT :base * 100 + i, 'mql', 'two' FROM generate_series(1, 20) AS i ON CONFLICT DO NOTHING;
UPDATE leads SET stage = 'sal' WHERE id BETWEEN :base * 100 + 1 AND :base * 100 + 15;
SELECT nextval('names') AS name \gset
PREPARE TRANSACTION 'left :name';
\sleep 100 ms
SQL

sub load
{
	my @arguments = @_;
	my $output = '';
	my $run = IPC::Run::start([ 'pgbench', '-n', '-T', $PostgreSQL::Test::Utils::timeout_default, @arguments, $node->connstr('postgres') ],
		'<', \undef, '>&', \$output);

	return $run;
}

# What the server shared in memory is free once the last of its processes is gone.
sub start_again
{
	my @processes = @_;

	foreach (1 .. 20)
	{
		sleep 1 while grep { kill 0, $_ } @processes;
		return if $node->start(fail_ok => 1);
		$node->stop('fast', fail_ok => 1);
		sleep 1;
	}
	die 'the server does not come back';
}

sub committed
{
	return $node->safe_psql('postgres', 'SELECT count(*) FROM leads');
}

# Independent of check(): last entries against the rows themselves.
my $agree = <<'SQL';
WITH last AS (SELECT DISTINCT ON (id) id, event, stage, assignee, entry_no FROM leads_history ORDER BY id, entry_no DESC)
SELECT count(*) FILTER (WHERE l.id IS NULL AND h.event <> 'deleted') AS gone,
	count(*) FILTER (WHERE h.id IS NULL) AS unrecorded,
	count(*) FILTER (WHERE l.stage <> h.stage OR l.owner <> h.assignee) AS different,
	(SELECT count(*) FROM (SELECT id FROM leads_history GROUP BY id HAVING max(entry_no) <> count(*) OR min(entry_no) <> 1) AS g) AS gaps,
	(SELECT count(*) FROM leads_sla s WHERE outcome IS NULL AND NOT EXISTS (SELECT FROM leads l WHERE l.id = s.id)) AS ghosts,
	(SELECT count(*) FROM leads l WHERE stage = 'mql' AND NOT EXISTS (SELECT FROM leads_sla s WHERE s.id = l.id AND s.sla = 'take_up' AND s.outcome IS NULL)) AS clockless
FROM leads l FULL JOIN last h ON h.id = l.id
SQL

sub check_all
{
	my ($when) = @_;

	is($node->safe_psql('postgres', "SELECT * FROM align.check('leads') LIMIT 10"), '', "$when: check finds nothing");
	is($node->safe_psql('postgres', "SELECT * FROM align.check('parts') LIMIT 10"), '', "$when: nor in partitions");
	is($node->safe_psql('postgres', $agree), '0|0|0|0|0|0', "$when: table and history agree");
	return;
}

foreach my $round (1 .. 4)
{
	my $before = committed();
	my $what = $round % 2 ? 'the server is killed' : 'a backend is killed';
	my @load = (load('-c', '4', '-j', '2', '-f', "$folder/load.sql"), load('-c', '1', '-f', "$folder/prepare.sql"));

	$node->poll_query_until('postgres', "SELECT count(*) > $before + 1000 FROM leads") or die "nothing is loaded";
	# A checkpoint in between: recovery begins in the middle.
	$node->safe_psql('postgres', 'CHECKPOINT') if $round > 2;
	$node->poll_query_until('postgres', "SELECT count(*) > $before + 2000 FROM leads") or die "nothing is loaded";
	$node->poll_query_until('postgres', 'SELECT count(*) > 0 FROM pg_prepared_xacts') or die "nothing is prepared";
	my @processes = split /\n/, $node->safe_psql('postgres', q(SELECT pid FROM pg_stat_activity ORDER BY application_name = 'pgbench' DESC, state = 'active' DESC));
	if ($round % 2)
	{
		$node->kill9;
		kill 'KILL', @processes;
		$_->finish foreach @load;
		start_again(@processes);
	}
	else
	{
		kill 'KILL', $processes[0];
		$_->finish foreach @load;
		$node->poll_query_until('postgres', 'SELECT true') or die 'the server does not come back';
	}
	cmp_ok(committed(), '>=', $before + 2000, "$what: what was committed is there");
	my $prepared = $node->safe_psql('postgres', 'SELECT count(*) FROM pg_prepared_xacts');
	cmp_ok($prepared, '>', 0, "$what: and prepared transactions");
	check_all($what);

	# Half of what is prepared is committed, the other half is not.
	my $i = 0;
	foreach my $name (split /\n/, $node->safe_psql('postgres', 'SELECT gid FROM pg_prepared_xacts ORDER BY gid'))
	{
		next if $round == 1;    # some go through two crashes
		$node->safe_psql('postgres', ($i++ % 2 ? 'ROLLBACK' : 'COMMIT') . " PREPARED '$name'");
	}
	check_all("$what, prepared transactions ended") if $round > 1;
}
cmp_ok($node->safe_psql('postgres', "SELECT count(*) FROM leads WHERE owner = 'two'"), '>', 0, 'some were committed');

$node->stop;
done_testing();
