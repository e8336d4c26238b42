#!/usr/bin/perl
# pg_partman moves rows out of the default partition by DELETE and INSERT.  With
# reload => true that leaves no entry behind, and no clock.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

chomp(my $sharedir = `pg_config --sharedir`);
plan skip_all => $ENV{PG_PARTMAN_MISSING} || 'pg_partman is not there'
  unless -e "$sharedir/extension/pg_partman.control";

my $node = PostgreSQL::Test::Cluster->new('primary');
$node->init;
$node->start;

sub query
{
	my ($sql) = @_;

	return $node->safe_psql('postgres', $sql);
}

query(<<'SQL');
CREATE SCHEMA partman;
CREATE EXTENSION pg_partman SCHEMA partman;
CREATE EXTENSION align;
SELECT align.agree('b2b', $$
    stage mql held by marketing; stage sal held by sales; won customer;
    success path mql -> sal -> customer;
    handoff speed_to_lead: mql from marketing to sales, accept sal, within 4 hours;
    sla qualify by sales: from sal to customer within 2 days;
$$);
CREATE TABLE leads (id int, created date NOT NULL, stage text, PRIMARY KEY (id, created)) PARTITION BY RANGE (created);
SQL
plan skip_all => 'this version of pg_partman has another interface'
  if $node->psql('postgres', q{SELECT partman.create_parent('public.leads', 'created', 'native', 'monthly', p_premake := 1)}) != 0;

query(<<'SQL');
SELECT align.attach('leads', 'b2b', key => '{id}', reload => true);
INSERT INTO leads SELECT i, DATE '2025-01-01' + i, 'mql' FROM generate_series(1, 300) AS i;
UPDATE leads SET stage = 'sal' WHERE id <= 100;
SQL
my $recorded = 'SELECT (SELECT count(*) FROM leads_history), (SELECT count(*) FROM leads_sla), (SELECT count(*) FROM leads_sla WHERE stopped_at IS NOT NULL)';
my $before = query($recorded);
is($before, '400|400|100', 'before');
is(query('SELECT count(*) FROM ONLY leads_default'), '300', 'all rows are in the default partition');

query(q{SELECT partman.partition_data_time('public.leads', p_batch_count := 3)});
isnt(query('SELECT count(*) FROM ONLY leads_default'), '300', 'partition_data_time() has moved some');
is(query($recorded), $before, 'and left nothing behind');
query(q{CALL partman.partition_data_proc('public.leads')});
is(query('SELECT count(*) FROM ONLY leads_default'), '0', 'partition_data_proc() has moved the others');
is(query($recorded), $before, 'and left nothing behind');
is(query(q{SELECT * FROM align.check('leads')}), '', 'check is empty');

# New partitions are judged and recorded, and so is maintenance.
query(q{UPDATE leads SET stage = 'customer' WHERE id <= 50; SELECT partman.run_maintenance('public.leads')});
is(query($recorded), '450|400|150', 'moves in new partitions');
is(query(q{SELECT * FROM align.check('leads')}), '', 'check is empty');

$node->stop;
done_testing();
