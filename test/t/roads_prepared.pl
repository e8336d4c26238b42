#!/usr/bin/perl
# Two-phase commit: what a prepared transaction changed is recorded with it, and
# only if it commits; a crash in between changes nothing.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('prepared');
$node->init;
$node->append_conf('postgresql.conf', "max_prepared_transactions = 5\n");
$node->start;

sub query
{
	my ($sql) = @_;

	return $node->safe_psql('postgres', $sql);
}

sub refused
{
	my ($sql) = @_;
	my ($status, $out, $err) = $node->psql('postgres', "\\set VERBOSITY sqlstate\n$sql");

	return join(' ', $err =~ /ERROR:  (\w{5})/g);
}

query(<<'SQL');
CREATE EXTENSION align;
SELECT align.agree('b2b', $$
    stage inquiry, mql held by marketing;
    stage sal held by sales;
    won customer;
    lost disqualified;
    success path inquiry -> mql -> sal -> customer;
    path any -> disqualified;
    handoff speed_to_lead: mql from marketing to sales, accept sal, within 4 hours;
$$);
CREATE TABLE leads (id int PRIMARY KEY, stage text, owner text);
CREATE TABLE deals (id int, stage text, PRIMARY KEY (id, stage)) PARTITION BY LIST (stage);
CREATE TABLE deals_early PARTITION OF deals FOR VALUES IN ('inquiry', 'mql');
CREATE TABLE deals_late PARTITION OF deals DEFAULT;
INSERT INTO leads SELECT g, 'inquiry' FROM generate_series(1, 9) AS g;
SELECT align.attach('leads', 'b2b', assignee => 'owner'), align.attach('deals', 'b2b');
SQL

my $trail = 'SELECT id, entry_no, event, from_stage, stage FROM leads_history WHERE entry_no > 1 ORDER BY 1, 2';

query(q{BEGIN; UPDATE leads SET stage = 'mql' WHERE id <= 2; SAVEPOINT a; UPDATE leads SET stage = 'disqualified' WHERE id = 3; ROLLBACK TO a;
	UPDATE leads SET stage = 'sal' WHERE id = 2; PREPARE TRANSACTION 'one';});
is(query($trail), '', 'prepared: nothing is seen yet');
is(query(q{SELECT * FROM align.check('leads')}), '', 'and nothing is missing');
query(q{COMMIT PREPARED 'one'});
is(query($trail), "1|2|move|inquiry|mql\n2|2|move|inquiry|mql\n2|3|move|mql|sal", 'committed: recorded');
is(query('SELECT id, outcome FROM leads_sla ORDER BY 1'), "1|\n2|met", 'and clocked');

query(q{BEGIN; UPDATE leads SET stage = 'sal' WHERE id = 1; DELETE FROM leads WHERE id = 4; INSERT INTO leads VALUES (20, 'inquiry'); PREPARE TRANSACTION 'two'; ROLLBACK PREPARED 'two'});
is(query($trail . ' OFFSET 3'), '', 'rolled back: not recorded');
is(query(q{SELECT * FROM align.check('leads')}), '', 'check is empty');

# Changes of a cursor's transaction and of deferred triggers come before PREPARE.
query(q{CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN UPDATE leads SET stage = ''sal'' WHERE id = new.id AND stage = ''mql''; RETURN NULL; END';
	CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON leads DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late();});
query(q{BEGIN; UPDATE leads SET stage = 'mql' WHERE id = 5; PREPARE TRANSACTION 'three'; COMMIT PREPARED 'three'});
is(query('SELECT entry_no, event, from_stage, stage FROM leads_history WHERE id = 5 ORDER BY 1'), "1|opening||inquiry\n2|move|inquiry|mql\n3|move|mql|sal",
	'a deferred trigger of another is heard before PREPARE');
query('DROP TRIGGER late ON leads');

# A direct write to a partition, row movement, TRUNCATE.
query(q{BEGIN; INSERT INTO deals_early VALUES (1, 'inquiry'); INSERT INTO deals VALUES (2, 'inquiry'), (3, 'inquiry'); UPDATE deals SET stage = 'mql'; UPDATE deals SET stage = 'sal' WHERE id <> 3;
	DELETE FROM deals WHERE id = 2; PREPARE TRANSACTION 'four'; COMMIT PREPARED 'four'});
is(query('SELECT id, entry_no, event, from_stage, stage FROM deals_history ORDER BY 1, 2'),
	"1|1|entry||inquiry\n1|2|move|inquiry|mql\n1|3|move|mql|sal\n2|1|entry||inquiry\n2|2|move|inquiry|mql\n2|3|move|mql|sal\n2|4|deleted|sal|\n3|1|entry||inquiry\n3|2|move|inquiry|mql",
	'partitioned');
query(q{BEGIN; TRUNCATE deals; PREPARE TRANSACTION 'five'; ROLLBACK PREPARED 'five'; BEGIN; TRUNCATE deals; PREPARE TRANSACTION 'six'; COMMIT PREPARED 'six'});
is(query(q{SELECT id, count(*) FROM deals_history WHERE event = 'truncated' GROUP BY 1 ORDER BY 1}), "1|1\n3|1", 'TRUNCATE');

# A refused move refuses the transaction.
is(refused(q{BEGIN; UPDATE leads SET stage = 'mql' WHERE id = 6; UPDATE leads SET stage = 'customer' WHERE id = 6; PREPARE TRANSACTION 'seven'}), '23L02', 'refused');
is(query('SELECT count(*) FROM pg_prepared_xacts'), '0', 'and not prepared');

# attach(), detach() and agree() can be prepared as well.
query(q{CREATE TABLE more (id int PRIMARY KEY, stage text); INSERT INTO more VALUES (1, 'mql');
	BEGIN; SELECT align.attach('more', 'b2b'); UPDATE more SET stage = 'sal'; PREPARE TRANSACTION 'eight'; COMMIT PREPARED 'eight'});
is(query('SELECT entry_no, event, stage FROM more_history ORDER BY 1'), "1|opening|mql\n2|move|sal", 'attached in a prepared transaction');
query(q{BEGIN; SELECT align.detach('more'); PREPARE TRANSACTION 'nine'; ROLLBACK PREPARED 'nine'; UPDATE more SET stage = 'customer'});
is(query('SELECT max(entry_no) FROM more_history'), '3', 'not detached after all');

# A reload: what did not come back is recorded when the transaction is prepared.
query(q{CREATE TABLE mirror (id int PRIMARY KEY, stage text); INSERT INTO mirror VALUES (1, 'mql'), (2, 'mql'), (3, 'mql'); SELECT align.attach('mirror', 'b2b', reload => true)});
query(q{BEGIN; TRUNCATE mirror; INSERT INTO mirror VALUES (1, 'mql'), (2, 'sal'); PREPARE TRANSACTION 'reload'; ROLLBACK PREPARED 'reload'});
is(query('SELECT count(*), max(entry_no) FROM mirror_history'), '3|1', 'a reload that is rolled back');
query(q{BEGIN; TRUNCATE mirror; INSERT INTO mirror VALUES (1, 'mql'), (2, 'sal'); PREPARE TRANSACTION 'reload'});
query(q{COMMIT PREPARED 'reload'; INSERT INTO mirror VALUES (3, 'inquiry')});
is(query('SELECT id, entry_no, event, from_stage, stage FROM mirror_history WHERE entry_no > 1 ORDER BY 1, 2'),
	"2|2|move|mql|sal\n3|2|truncated|mql|\n3|3|entry||inquiry", 'a reload that is committed');
is(query(q{SELECT * FROM align.check('mirror')}), '', 'check is empty');

# A large one, whose deletions are in a temporary file.
query(q{TRUNCATE mirror; INSERT INTO mirror SELECT i, 'inquiry' FROM generate_series(11, 20000) AS i});
query(q{SET work_mem = '64kB'; BEGIN; DELETE FROM mirror; SAVEPOINT s; INSERT INTO mirror SELECT i, 'mql' FROM generate_series(11, 20000) AS i; ROLLBACK TO s;
	INSERT INTO mirror SELECT i, CASE i % 1000 WHEN 0 THEN 'mql' ELSE 'inquiry' END FROM generate_series(11, 19990) AS i; PREPARE TRANSACTION 'large'});
my $temporary = q{SELECT count(*) FROM pg_ls_tmpdir()};
is(query($temporary), '0', 'prepared: the temporary file is gone');
query(q{COMMIT PREPARED 'large'});
is(query('SELECT event, count(*), max(entry_no) FROM mirror_history WHERE id > 10 GROUP BY 1 ORDER BY 1'), "deleted|10|2\nentry|19990|1\nmove|19|2", 'a large reload');
is(query(q{SELECT * FROM align.check('mirror')}), '', 'check is empty');
query(q{SET work_mem = '64kB'; BEGIN; DELETE FROM mirror; PREPARE TRANSACTION 'large'; ROLLBACK PREPARED 'large'});
is(query($temporary), '0', 'rolled back: the temporary file is gone');
is(query('SELECT max(entry_no) FROM mirror_history WHERE id > 20'), '2', 'and nothing is recorded');

# A crash while a transaction is prepared.
query(q{BEGIN; UPDATE leads SET stage = 'mql' WHERE id = 7; UPDATE leads SET id = 70 WHERE id = 8; PREPARE TRANSACTION 'ten'});
$node->stop('immediate');
$node->start;
is(query(q{SELECT * FROM align.check('leads')}), '', 'after a crash: check is empty');
query(q{COMMIT PREPARED 'ten'});
is(query('SELECT entry_no, event, from_stage, stage FROM leads_history WHERE id = 7 ORDER BY 1'), "1|opening||inquiry\n2|move|inquiry|mql", 'the prepared move is recorded when it commits');
is(query(q{SELECT c.* FROM unnest('{leads,deals,more}'::regclass[]) AS t, align.check(t) AS c}), '', 'check is empty for all');

$node->stop;
done_testing();
