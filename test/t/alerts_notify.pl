#!/usr/bin/perl
# Alerts: what is announced, when, to whom; once per event, and only by
# transactions that commit.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use Session;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('primary');
$node->init;
$node->append_conf('postgresql.conf', "timezone = 'UTC'\nmax_prepared_transactions = 2\n");
$node->start;

$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION align;
CREATE ROLE crm_owner LOGIN;
CREATE ROLE stranger LOGIN;
CREATE SCHEMA crm AUTHORIZATION crm_owner;
GRANT USAGE ON SCHEMA crm TO stranger;
SELECT align.agree('b2b', $$
	stage inquiry, mql held by marketing; stage sal, sql held by sales; stage nurture held by marketing;
	won customer; lost disqualified;
	entry inquiry, mql;
	success path inquiry -> mql -> sal -> sql -> customer;
	path sal -> nurture -> sal;
	path any -> disqualified;
	handoff speed_to_lead: mql from marketing to sales, accept sal, reject disqualified, within 4 hours, warn after 3 hours;
	sla qualify by sales: from sal to sql, disqualified within 2 days, warn after 1 day, pause nurture;
$$);
SELECT align.admit('b2b', 'crm_owner');
SET ROLE crm_owner;
CREATE TABLE crm.leads (id bigint PRIMARY KEY, status text, changed_at timestamptz);
SELECT align.attach('crm.leads', 'b2b', stage => 'status', changed_at => 'changed_at');
CREATE TABLE crm."odd ""name" (region text, "Nr" int, status text, changed_at timestamptz, PRIMARY KEY (region, "Nr"));
SELECT align.attach('crm."odd ""name"', 'b2b', stage => 'status', changed_at => 'changed_at');
CREATE TABLE crm.told (id uuid PRIMARY KEY, status text);
SELECT align.attach('crm.told', 'b2b', stage => 'status', notify => true);
SQL

my $owner = Session->new($node, user => 'crm_owner');
my $other = Session->new($node, user => 'crm_owner');
my $stranger = Session->new($node, user => 'stranger');
my $listener = Session->new($node, user => 'stranger');

sub value { return $owner->command('SELECT ' . shift) }

sub heard
{
	my ($expected, $what) = @_;

	is(join("\n", $listener->notifications), join("\n", @$expected), $what);
	return;
}

sub handoff
{
	my ($id, $entry_no) = @_;

	return qq(align_handoff {"relation":"crm.leads","key":{"id":$id},"entry_no":$entry_no,"handoff":"speed_to_lead","from":"marketing","to":"sales"});
}

sub sla
{
	my ($id, $sla, $cycle, $state, $due_at) = @_;

	return qq(align_sla {"relation":"crm.leads","key":{"id":$id},"sla":"$sla","cycle":$cycle,"state":"$state","due_at":"$due_at"});
}

is($listener->command('LISTEN align_handoff; LISTEN align_sla'), '', 'anybody may listen');

# Handoffs.
$owner->command(q(INSERT INTO crm.leads VALUES (1, 'inquiry', '2024-03-02 09:00Z'), (2, 'mql', '2024-03-02 09:30Z'), (3, 'inquiry', now())));
$owner->command(q(UPDATE crm.leads SET status = 'mql', changed_at = '2024-03-02 10:00Z' WHERE id = 1));
heard([], 'a handoff is not announced by the transaction that submits it');

$owner->command('BEGIN');
is(value(q(align.notify_handoffs('crm.leads'))), '2', 'two handoffs to announce');
is(value(q(count(*) FROM crm.leads_history WHERE notified_at IS NOT NULL)), '2', 'both are marked');
heard([], 'nothing is heard before the commit');
$owner->command('ROLLBACK');
heard([], 'nor after a rollback');
is(value(q(count(*) FROM crm.leads_history WHERE notified_at IS NOT NULL)), '0', 'which marks none');

is(value(q(align.notify_handoffs('crm.leads'))), '2', 'again');
heard([ handoff(2, 1), handoff(1, 2) ], 'heard in the order in which they were recorded: the entry into the stage, and the move');
is(value(q(bool_and((notified_at IS NOT NULL) = (handoff IS NOT NULL)) FROM crm.leads_history)), 't', 'and marked');
is(value(q(align.notify_handoffs('crm.leads'))), '0', 'once per event');
heard([], 'silence');

# A savepoint.
$owner->command(q(UPDATE crm.leads SET status = 'mql', changed_at = now() WHERE id = 3));
is($owner->command(q(BEGIN; SAVEPOINT s; SELECT align.notify_handoffs('crm.leads'); ROLLBACK TO s; COMMIT)), '1', 'announced within a savepoint');
heard([], 'that is rolled back: not announced');

# Two schedulers.
$owner->command(q(BEGIN; SELECT align.notify_handoffs('crm.leads')));
$owner->command(q(INSERT INTO crm.leads VALUES (4, 'mql', now())));
is($other->command(q(SELECT align.notify_handoffs('crm.leads'))), '0', 'what one has in hand, the other leaves alone, and does not wait for');
$other->command(q(INSERT INTO crm.leads VALUES (5, 'mql', now())));
is($other->command(q(SELECT align.notify_handoffs('crm.leads'))), '1', 'it takes what is new');
heard([ handoff(5, 1) ], 'which is heard');
$owner->command('COMMIT');
heard([ handoff(3, 2) ], 'the other when its transaction commits');
is(value(q(align.notify_handoffs('crm.leads'))), '1', 'submitted after it was asked for');
heard([ handoff(4, 1) ], 'announced the next time');

# Pending changes of this very transaction.
is($owner->command(q(BEGIN; INSERT INTO crm.leads VALUES (6, 'mql', now()); SELECT align.notify_handoffs('crm.leads'); COMMIT)), '1', 'a handoff of the same transaction');
heard([ handoff(6, 1) ], 'is heard with its commit');

# Clocks.
$node->safe_psql('postgres', 'DELETE FROM crm.leads WHERE id IN (3, 4, 5, 6)');
is(value(q(align.notify_due('crm.leads'))), '2', 'two clocks are overdue');
heard([ sla(2, 'speed_to_lead', 1, 'overdue', '2024-03-02T13:30:00Z'), sla(1, 'speed_to_lead', 1, 'overdue', '2024-03-02T14:00:00Z') ],
	'the one that was due first is told first, and that it was at risk is not told any more');
is(value(q(count(*) FROM crm.leads_sla WHERE outcome IS NULL AND warn_notified_at = due_notified_at)), '2', 'both states are marked');
is(value(q(align.notify_due('crm.leads'))), '0', 'once per cycle and state');

$owner->command(q(INSERT INTO crm.leads VALUES (8, 'mql', now() - interval '200 minutes')));
$owner->command('BEGIN');
is(value(q(align.notify_due('crm.leads'))), '1', 'one is at risk');
$owner->command('ROLLBACK');
heard([], 'a rollback takes that back');
is(value(q(count(*) FROM crm.leads_sla WHERE warn_notified_at IS NOT NULL AND due_notified_at IS NULL)), '0', 'marks included');
is(value(q(align.notify_due('crm.leads'))), '1', 'again');
like(join("\n", $listener->notifications), qr/^align_sla \{"relation":"crm\.leads","key":\{"id":8\},"sla":"speed_to_lead","cycle":1,"state":"at_risk","due_at":"[-0-9T:.]+Z"\}$/, 'at risk');
$owner->command(q(INSERT INTO crm.leads VALUES (7, 'mql', now() - interval '2 hours 59 minutes 58.5 seconds')));
ok($node->poll_query_until('postgres', q(SELECT align.notify_due('crm.leads') = 1)), 'another becomes at risk as time passes, without any write');
like(join("\n", $listener->notifications), qr/^align_sla .*"key":\{"id":7\}.*"state":"at_risk"/, 'heard');
is(value(q(align.notify_due('crm.leads'))), '0', 'no more');

# A clock that was announced at risk and then is overdue: told of both.
$owner->command(q(INSERT INTO crm.leads VALUES (9, 'mql', now() - interval '3 hours 59 minutes 56 seconds')));
is(value(q(align.notify_due('crm.leads'))), '1', 'at risk, and nearly overdue');
ok($node->poll_query_until('postgres', q(SELECT align.notify_due('crm.leads') = 1)), 'overdue a moment later');
like(join("\n", $listener->notifications), qr/"id":9.*"state":"at_risk".*\n.*"id":9.*"state":"overdue"/, 'heard in this order');

# What is closed or paused is not announced.
$owner->command(q(INSERT INTO crm.leads SELECT i, 'mql', now() - interval '10 days' FROM generate_series(20, 22) i));
$owner->command(q(UPDATE crm.leads SET status = 'sal', changed_at = now() - interval '9 days' WHERE id >= 20));
$owner->command(q(UPDATE crm.leads SET status = 'nurture', changed_at = now() - interval '8 days 1 hour' WHERE id = 20));
$owner->command(q(UPDATE crm.leads SET status = 'nurture', changed_at = now() - interval '6 days' WHERE id = 21));
$owner->command(q(UPDATE crm.leads SET status = 'sql', changed_at = now() - interval '8 days' WHERE id = 22));
is(value(q(align.notify_due('crm.leads'))), '1', 'of a clock paused in time, one paused too late, and a closed one');
like(join("\n", $listener->notifications), qr/^align_sla .*"id":21.*"sla":"qualify".*"state":"overdue"/, 'the broken promise alone is told');
$owner->command(q(UPDATE crm.leads SET status = 'sal', changed_at = now() - interval '2 hours' WHERE id = 20));
is(value(q(align.notify_due('crm.leads'))), '1', 'resumed, its time runs on');
like(join("\n", $listener->notifications), qr/"id":20.*"sla":"qualify".*"state":"at_risk"/, 'until it is at risk');
$owner->command(q(UPDATE crm.leads SET status = 'nurture', changed_at = now() - interval '1 hour' WHERE id = 20));
$owner->command(q(UPDATE crm.leads SET status = 'sal', changed_at = now() WHERE id = 20));
is(value(q(align.notify_due('crm.leads'))), '0', 'a pause later it is not told again');

# Names and keys that need care.
$owner->command(q(INSERT INTO crm."odd ""name" VALUES ('a "b" \ü', 7, 'mql', '2024-03-02 09:00Z')));
is(value(q(align.notify_handoffs('crm."odd ""name"'))), '1', 'a table with an odd name');
heard([ q(align_handoff {"relation":"crm.\"odd \"\"name\"","key":{"region":"a \"b\" \\\\ü","Nr":7},"entry_no":1,"handoff":"speed_to_lead","from":"marketing","to":"sales"}) ],
	'is told as it must be quoted, a key of two columns in their order');
$owner->command(q(INSERT INTO crm."odd ""name" VALUES (repeat('x', 8100), 7, 'mql', now()), (repeat('x', 7000), 8, 'mql', now())));
is(value(q(align.notify_handoffs('crm."odd ""name"'))), '2', 'keys of thousands of bytes');
my ($long, $fits) = $listener->notifications;
is($long, q(align_handoff {"relation":"crm.\"odd \"\"name\"","key":null,"entry_no":1,"handoff":"speed_to_lead","from":"marketing","to":"sales"}), 'too long for a notification: left out');
like($fits, qr/"key":\{"region":"x{7000}","Nr":8\}/, 'shorter: told');

# In the writing transaction.
my $told = 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6';
$owner->command(qq(BEGIN; INSERT INTO crm.told VALUES ('$told', 'mql'); ROLLBACK));
heard([], 'notify => true: nothing of a transaction that is rolled back');
$owner->command(qq(BEGIN; INSERT INTO crm.told VALUES ('$told', 'mql')));
heard([], 'nothing before the commit');
$owner->command('COMMIT');
heard([ qq(align_handoff {"relation":"crm.told","key":{"id":"$told"},"entry_no":1,"handoff":"speed_to_lead","from":"marketing","to":"sales"}) ], 'heard with the commit');
is(value(q(bool_and(notified_at IS NOT NULL) FROM crm.told_history)), 't', 'recorded as announced');
is(value(q(align.notify_handoffs('crm.told'))), '0', 'and not announced again');
like($owner->command(q(BEGIN; INSERT INTO crm.told VALUES (gen_random_uuid(), 'mql'); PREPARE TRANSACTION 'told')), qr/cannot PREPARE a transaction that has executed LISTEN, UNLISTEN, or NOTIFY/, 'two-phase commit is refused');
$owner->command('ROLLBACK');
is($owner->command(q(BEGIN; INSERT INTO crm.leads VALUES (30, 'mql', now()); PREPARE TRANSACTION 'untold')), '', 'unless the table notifies through a scheduler');
$owner->command(q(COMMIT PREPARED 'untold'));
is(value(q(align.notify_handoffs('crm.leads') > 0)), 't', 'which then announces it');

# Of two attachments of one table, the second names its history.
$listener->notifications;
$owner->command($_) foreach 'CREATE TABLE crm.two (id int PRIMARY KEY, status text, second text)', q(SELECT align.attach('crm.two', 'b2b', stage => 'status')),
	q(SELECT align.attach('crm.two', 'b2b', stage => 'second', history => 'crm.two_second', notify => true)), q(INSERT INTO crm.two VALUES (1, 'mql', 'mql'));
heard([ q(align_handoff {"relation":"crm.two","history":"crm.two_second","key":{"id":1},"entry_no":1,"handoff":"speed_to_lead","from":"marketing","to":"sales"}) ], 'a further attachment');
is(value(q(align.notify_handoffs('crm.two_history'))), '1', 'and the first');
heard([ q(align_handoff {"relation":"crm.two","key":{"id":1},"entry_no":1,"handoff":"speed_to_lead","from":"marketing","to":"sales"}) ], 'has the relation alone');

# A version that is in force no more still tells the teams of its handoffs.
$owner->command(q(INSERT INTO crm.leads VALUES (31, 'mql', now())));
$node->safe_psql('postgres', <<'SQL');
SELECT align.agree('b2b', $$
	stage inquiry, mql held by growth; stage sal, sql, nurture held by sales; won customer; lost disqualified;
	entry inquiry, mql;
	success path inquiry -> mql -> sal -> sql -> customer; path sal -> nurture -> sal; path any -> disqualified;
	handoff growth_to_sales: mql from growth to sales, accept sal, reject disqualified;
$$);
SQL
$owner->command(q(INSERT INTO crm.leads VALUES (32, 'mql', now())));
$listener->notifications;
is(value(q(align.notify_handoffs('crm.leads'))), '2', 'two handoffs under two versions');
heard([ handoff(31, 1), q(align_handoff {"relation":"crm.leads","key":{"id":32},"entry_no":1,"handoff":"growth_to_sales","from":"growth","to":"sales"}) ],
	'each as its version has it');

# Rights.
like($stranger->command(q(SELECT align.notify_handoffs('crm.leads'))), qr/must be owner of table leads/, 'only the owner announces handoffs');
like($stranger->command(q(SELECT align.notify_due('crm.leads'))), qr/must be owner of table leads/, 'and clocks');
like(value(q(align.notify_due('pg_class'))), qr/is not attached/, 'a table that is not attached');
like(value(q(align.notify_due(NULL))), qr/null/, 'no table');
like($owner->command(q(BEGIN READ ONLY; SELECT align.notify_due('crm.leads'))), qr/cannot execute align\.notify_due\(\) in a read-only transaction/, 'a read-only transaction');
$owner->command('ROLLBACK');
$owner->command(q(INSERT INTO crm.leads VALUES (33, 'mql', now())));
is($node->safe_psql('postgres', q(SELECT align.notify_handoffs('crm.leads'))), '1', 'a superuser may');

$_->finish foreach $owner, $other, $stranger, $listener;
$node->stop;
done_testing();
