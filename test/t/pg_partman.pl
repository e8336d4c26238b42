#!/usr/bin/perl
# The recipe of docs/operations.md for pg_partman: rows that it moves between
# partitions by DELETE and INSERT leave no mark in the history.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use File::Basename;

chomp(my $sharedir = `pg_config --sharedir`);
plan skip_all => 'pg_partman is not there' unless -e "$sharedir/extension/pg_partman.control";

# The recipe as the page has it.
my $page = slurp_file(dirname(__FILE__) . '/../../docs/operations.md');
like($page, qr/^SET LOCAL session_replication_role = replica;\nSELECT partman\.partition_data_time\('crm\.leads'\);$/m, 'docs/operations.md has the recipe');

my $node = PostgreSQL::Test::Cluster->new('partman');
$node->init;
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION align;
CREATE SCHEMA partman;
CREATE EXTENSION pg_partman SCHEMA partman;
SELECT align.agree('b2b', 'stage a held by m; stage b held by s; won w; success path a -> b -> w; handoff h: a from m to s, accept b, within 4 hours; sla d by s: from b to w within 4 days;');
CREATE SCHEMA crm;
CREATE TABLE crm.leads (id int, stage text, owner text, created_at timestamptz NOT NULL, PRIMARY KEY (id, created_at)) PARTITION BY RANGE (created_at);
SQL
my ($version) = $node->safe_psql('postgres', "SELECT extversion FROM pg_extension WHERE extname = 'pg_partman'") =~ /^(\d+)/;
$node->safe_psql('postgres', 'SELECT partman.create_parent(' . ($version < 5 ? "'crm.leads', 'created_at', 'native', 'monthly'" : "'crm.leads', 'created_at', '1 month'") . ')');
$node->safe_psql('postgres', <<'SQL');
SELECT align.attach('crm.leads', 'b2b', key => '{id}', assignee => 'owner');
-- long ago: no partition but the default one
INSERT INTO crm.leads SELECT i, 'a', 'ann', now() - interval '3 years' + i * interval '1 day' FROM generate_series(1, 200) AS i;
UPDATE crm.leads SET stage = 'b' WHERE id % 2 = 0;
CREATE TABLE before AS TABLE crm.leads_history;
CREATE TABLE clocks_before AS TABLE crm.leads_sla;
SQL
is($node->safe_psql('postgres', 'SELECT count(*) FROM crm.leads_default'), 200, 'all rows are in the default partition');
$node->safe_psql('postgres', "BEGIN; SET LOCAL session_replication_role = replica; SELECT partman.partition_data_time('crm.leads', 100); COMMIT");
is($node->safe_psql('postgres', 'SELECT count(*) FROM crm.leads_default'), 0, 'pg_partman has moved them');
is($node->safe_psql('postgres', 'SELECT count(*) FROM crm.leads'), 200, 'and lost none');
is($node->safe_psql('postgres', '(TABLE crm.leads_history EXCEPT TABLE before) UNION ALL (TABLE before EXCEPT TABLE crm.leads_history)'), '', 'the history is as before');
is($node->safe_psql('postgres', '(TABLE crm.leads_sla EXCEPT TABLE clocks_before) UNION ALL (TABLE clocks_before EXCEPT TABLE crm.leads_sla)'), '', 'and so are the clocks');
is($node->safe_psql('postgres', "SELECT * FROM align.check('crm.leads')"), '', 'check finds nothing');
$node->safe_psql('postgres', "UPDATE crm.leads SET stage = 'w' WHERE id = 2");
is($node->safe_psql('postgres', 'SELECT event, from_stage, stage FROM (TABLE crm.leads_history EXCEPT TABLE before) AS h'), 'move|b|w', 'a move in a new partition is recorded');
is($node->safe_psql('postgres', "SELECT * FROM align.check('crm.leads')"), '', 'check finds nothing');
$node->stop;
done_testing();
