#!/usr/bin/perl
# A streaming standby answers every question about attached tables, refuses
# every write in words, sees attachments come and go, and takes over.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use IPC::Run;
use Test::More;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->start;

$primary->safe_psql('postgres', <<'SQL');
CREATE EXTENSION align;
CREATE ROLE clerk LOGIN;
SELECT align.agree('standby', $$
	hours 'Europe/London Mo-Fr 09:00-17:30';
	stage mql held by marketing;
	stage sal, sql held by sales;
	stage nurture held by marketing;
	won customer;
	lost disqualified;
	entry mql;
	success path mql -> sal -> sql -> customer;
	path mql, sal, sql -> nurture -> mql;
	path any -> disqualified;
	handoff take_up: mql from marketing to sales, accept sal, reject nurture, disqualified with reason (poor_fit), within 4 working hours;
	sla qualify by sales: from sal to sql within 40 working hours, pause nurture;
	sql needs 'budget > 10';
$$);
CREATE TABLE leads (id bigint PRIMARY KEY, stage text, owner text, reason text, budget int DEFAULT 5, happened_at timestamptz);
INSERT INTO leads (id, stage, owner, happened_at) SELECT i, 'mql', 'ann', '2024-03-02 09:00+00' FROM generate_series(1, 20) AS i;
SELECT align.attach('leads', 'standby', assignee => 'owner', reason => 'reason', changed_at => 'happened_at');
UPDATE leads SET stage = 'sal', happened_at = '2024-03-02 11:00+00' WHERE id <= 10;
UPDATE leads SET stage = 'nurture', happened_at = '2024-03-03 11:00+00' WHERE id <= 5;
UPDATE leads SET stage = 'disqualified', reason = 'poor_fit', happened_at = '2024-03-04 11:00+00' WHERE id = 11;
BEGIN;
SET LOCAL align.override = 'the chief said so';
UPDATE leads SET stage = 'customer', happened_at = '2024-03-05 11:00+00' WHERE id = 12;
COMMIT;
DELETE FROM leads WHERE id = 13;
CREATE TABLE parts (id int, region text, stage text, budget int DEFAULT 20, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE parts_emea PARTITION OF parts FOR VALUES IN ('emea');
CREATE TABLE parts_apac PARTITION OF parts FOR VALUES IN ('apac');
INSERT INTO parts SELECT i, 'emea', 'mql' FROM generate_series(1, 10) AS i;
SELECT align.attach('parts', 'standby', mode => 'warn');
UPDATE parts SET region = 'apac', stage = 'sal' WHERE id = 1;
UPDATE parts SET stage = 'customer' WHERE id = 2;
SQL

$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

sub catch_up
{
	$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
	return;
}

# A psql that stays, with caches to go stale.
my ($in, $out, $err) = ('', '', '');
my $run = IPC::Run::start([ 'psql', '-XqAt', '-d', $standby->connstr('postgres') ],
	'<', \$in, '>', \$out, '2>', \$err, IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
my $marks = 0;

sub ask
{
	my ($sql) = @_;
	my $mark = 'mark ' . ++$marks;

	$out = $err = '';
	$in .= "$sql;\n\\echo $mark\n\\warn $mark\n";
	$run->pump until $out =~ /^\Q$mark\E\n/m && $err =~ /^\Q$mark\E\n/m;
	my $text = $out . $err;
	$text =~ s/^\Q$mark\E\n//mg;
	chomp $text;
	return $text;
}

my @reads = (
	"SELECT * FROM align.check('leads')",
	"SELECT * FROM align.check('parts')",
	"SELECT * FROM align.journeys('leads') ORDER BY key",
	"SELECT * FROM align.journeys('parts') ORDER BY key",
	"SELECT * FROM align.clocks('leads', '2024-03-06 12:00+00') ORDER BY key, sla, cycle",
	"SELECT count(*) FROM align.clocks('parts')",
	"SELECT * FROM align.explain_move('leads', 6, 'sql')",
	"SELECT * FROM align.explain_move('leads', 6, 'nurture')",
	"SELECT * FROM align.explain_move('leads', 14, 'disqualified', 'because')",
	"SELECT * FROM align.explain_move('parts', ROW(1, 'apac'), 'customer')",
	'SELECT * FROM align.attachments ORDER BY relation::text',
	"SELECT * FROM align.backtest('leads'::regclass, align.agreed('standby')) ORDER BY rule, from_stage, stage",
	"SELECT * FROM align.backtest('leads', align.agreed('standby')) ORDER BY rule, from_stage, stage",
	"SELECT * FROM align.backtest('SELECT id, effective_at, stage FROM leads_history WHERE stage IS NOT NULL', align.agreed('standby')) ORDER BY rule, from_stage, stage",
	"SELECT align.funnel_conversion_agg(lead, align.agreed('standby'), '2024-06-01') FROM align.journeys('leads')",
	'SELECT * FROM leads_history ORDER BY id, entry_no',
	'SELECT * FROM leads_sla ORDER BY id, sla, cycle');

sub compare
{
	my ($when) = @_;

	catch_up();
	foreach my $read (@reads)
	{
		is(ask($read), $primary->safe_psql('postgres', $read), "$when: $read");
	}
	return;
}

compare('a standby answers as its primary');
cmp_ok(length ask($reads[2]), '>', 500, 'and there is something to answer');
is(ask('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM align.clocks(\'leads\'); SELECT align.check(\'leads\'); COMMIT'),
	$primary->safe_psql('postgres', "SELECT count(*) FROM align.clocks('leads')"), 'also in repeatable read');

# What would write is refused, and says so.
foreach my $write (
	"SELECT align.attach('leads', 'standby')",
	"SELECT align.detach('leads')",
	"SELECT align.notify_handoffs('leads')",
	"SELECT align.notify_due('leads')",
	"SELECT align.merge_leads('leads', 13, 1)",
	"SELECT align.erase('leads', 1)",
	"SELECT align.agree('standby', 'stage one; won deal; success path one -> deal;')",
	"UPDATE leads SET stage = 'sal' WHERE id = 15",
	'DELETE FROM leads_history')
{
	like(ask($write), qr/^ERROR:  cannot execute [\w. ()]+ (in a read-only transaction|during recovery)/, "refused: $write");
}

# What changes on the primary is seen in a session that has asked before.
$primary->safe_psql('postgres', <<'SQL');
UPDATE leads SET stage = 'nurture', happened_at = '2024-03-07 09:00+00' WHERE id = 6;
SELECT align.attach('leads', 'standby', assignee => 'owner', changed_at => 'happened_at', mode => 'observe', live => 'budget > 0');
UPDATE leads SET stage = 'customer' WHERE id = 15;
UPDATE leads SET budget = 0 WHERE id = 16;
ALTER TABLE leads RENAME COLUMN stage TO status;
ALTER TABLE leads_history RENAME TO leads_story;
ALTER TABLE leads_story RENAME TO leads_history;
SQL
compare('attached anew');
like(ask("SELECT * FROM align.explain_move('leads', 6, 'mql')"), qr/^t\|/, 'a dry run of what is there now');
$primary->safe_psql('postgres', <<'SQL');
SELECT align.agree('standby', replace(align.agreed('standby')::text, 'within 4 working hours', 'within 2 days'));
UPDATE leads SET status = 'mql' WHERE id = 6;
SQL
compare('under a new version');
$primary->safe_psql('postgres', "SELECT align.detach('parts')");
catch_up();
like(ask("SELECT * FROM align.check('parts')"), qr/ERROR:  .*not attached/, 'detached here, detached there');
$primary->safe_psql('postgres', "SELECT align.attach('parts', 'standby', mode => 'warn')");
compare('attached again');

# It takes over.
$primary->stop('immediate');
$standby->promote;
is(ask("UPDATE leads SET status = 'sal' WHERE id = 6; SELECT status FROM leads WHERE id = 6"), 'sal', 'promoted, it writes');
is(ask("SELECT event, from_stage, stage FROM leads_history WHERE id = 6 ORDER BY entry_no DESC LIMIT 1"), 'move|mql|sal', 'and records');
is(ask("SELECT * FROM align.check('leads')"), '', 'and check finds nothing');
is(ask("SELECT align.notify_due('leads') > 0"), 't', 'alerts are sent from here now');

$in .= "\\q\n";
eval { $run->finish };
$standby->stop;
done_testing();
