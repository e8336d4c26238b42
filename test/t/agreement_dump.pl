#!/usr/bin/perl
# Dump and restore: agreements, teams and columns of align's types come back as
# they were, and agreeing goes on where it was.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('dump');
$node->init;
$node->start;
my $folder = PostgreSQL::Test::Utils::tempdir();

$node->safe_psql('postgres', <<'SQL');
CREATE ROLE keeper LOGIN;
CREATE ROLE sellers;
CREATE ROLE gone;
CREATE ROLE nightly LOGIN IN ROLE pg_read_all_data;
CREATE ROLE landlord LOGIN;
CREATE DATABASE source OWNER landlord;
SQL
$node->safe_psql('source', <<'SQL');
CREATE EXTENSION align;
SET ROLE keeper;
SELECT align.agree('b2b', $$
    -- signed by both teams, "quoted" and \backslashed	with a tab
    hours 'Europe/London Mo-Fr 09:00-17:30; Dec 25 off';
    stage inquiry, mql held by marketing;
    stage sal held by sales;
    won customer;
    lost lost;
    success path inquiry -> mql -> sal -> customer;
    path any -> lost;
    handoff hand_over: mql from marketing to sales, accept sal, reject lost with reason (price), within 4 working hours;
$$, note => E'first\nof all');
SELECT align.agree('b2b', align.agreed('b2b'));
SELECT align.agree('b2b', 'stage later held by sales; won deal; success path later -> deal;', '2090-01-01');
SELECT align.agree('Ünïcödé 漏斗', 'stage "a stage" held by "a team"; won deal; success path "a stage" -> deal;');
SELECT align.assign_team('b2b', 'sales', 'sellers');
SELECT align.assign_team('Ünïcödé 漏斗', 'a team', 'keeper');
SELECT align.admit('b2b', 'sellers'), align.admit('b2b', 'gone'), align.admit('b2b', 'nightly');
SELECT align.dismiss('b2b', 'nightly');
SET ROLE gone;
SELECT align.agree('orphan', 'stage one; won deal; success path one -> deal;');
RESET ROLE;
DROP ROLE gone;

CREATE TABLE kept (id int PRIMARY KEY, f align.funnel, l align.lead, c align.calendar,
                   d align.funnel DEFAULT 'stage one; won deal; success path one -> deal;');
INSERT INTO kept
SELECT i, align.agreed('b2b'),
       align.lead_agg(timestamptz '2026-01-01 00:00:00.000001+00' + n * interval '1 hour', (ARRAY['inquiry', 'mql', 'a "quoted" stage', '\'])[1 + n % 4], 'sales', NULL, 'utm', n),
       'Europe/London Mo-Fr 09:00-17:30; Dec 25 off'
FROM generate_series(1, 50) AS i, generate_series(1, i) AS n GROUP BY i;
INSERT INTO kept VALUES (0, NULL, NULL, NULL, NULL);
CREATE INDEX ON kept (f);
CREATE MATERIALIZED VIEW judged AS
    SELECT id, align.fits(l, align.agreed('b2b')) AS fits FROM kept WHERE id > 0;
SQL

# Stored summaries as well.
my $conversion = $node->safe_psql('source', "SELECT to_regtype('align.conversion') IS NOT NULL") eq 't';
$node->safe_psql('source', "CREATE TABLE summary AS SELECT align.conversion_agg(l, '{inquiry,mql}', interval '90 days', 'ordered', '2026-06-01') AS s FROM kept")
	if $conversion;

my @queries = (
	'SELECT * FROM align.agreement ORDER BY name, version',
	'SELECT * FROM align.team ORDER BY agreement, team',
	'SELECT * FROM align.admission ORDER BY agreement, role',
	'SELECT * FROM align.admissions ORDER BY agreement, role_name',
	'SELECT name, version, valid_from, valid_to, in_force FROM align.agreements ORDER BY name, version',
	'SELECT * FROM kept ORDER BY id',
	'SELECT * FROM judged ORDER BY id',
	"SELECT align.agreed('b2b'), align.agreed('b2b', '2091-01-01'), align.agreed('Ünïcödé 漏斗')",
	"SELECT md5(string_agg(align.lead_send(l)::text || align.funnel_send(f)::text || align.calendar_send(c)::text, '' ORDER BY id)) FROM kept",
	'SELECT tgrelid::regclass, tgname, tgenabled, tgtype FROM pg_trigger WHERE tgrelid IN (\'align.agreement\'::regclass, \'align.team\'::regclass, \'align.admission\'::regclass) ORDER BY tgrelid::regclass::text, 2',
	'SELECT relname, relacl FROM pg_class WHERE relnamespace = \'align\'::regnamespace AND relkind IN (\'r\', \'v\') ORDER BY 1');
push @queries, 'SELECT s FROM summary' if $conversion;

sub contents
{
	my ($database) = @_;

	return join("\n--\n", map { $node->safe_psql($database, $_) } @queries);
}

my $before = contents('source');
my $before_elsewhere = $node->safe_psql('source', 'SELECT name, version, document, NULL, owner_name FROM align.agreements ORDER BY name, version');
like($before, qr/signed by both teams/, 'there is something to lose');

sub check_restored
{
	my ($database, $how) = @_;

	is(contents($database), $before, "$how: everything is as it was");
	is($node->safe_psql($database, "SELECT align.agree('b2b', 'stage next; won deal; success path next -> deal;')"), '4', "$how: the next version is the next");
	is($node->safe_psql($database, "SELECT substring(align.agreed('b2b')::text FROM 'stage (.*?);'), owner, agreed_by = current_user FROM align.agreements WHERE name = 'b2b' AND version = 4"),
		'next|keeper|t', "$how: under the same owner");
	my ($status, $out, $err) = $node->psql($database, "UPDATE align.agreement SET note = ''");
	like($err, qr/versions of an agreement cannot be changed/, "$how: and versions stay");
	return;
}

# Plain text, by a role that may read all data and nothing else.
$node->command_ok([ 'pg_dump', '-f', "$folder/plain.sql", '-d', $node->connstr('source') . ' user=nightly' ],
	'a member of pg_read_all_data dumps');
$node->safe_psql('postgres', 'CREATE DATABASE plain');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('plain'), '-f', "$folder/plain.sql" ], 'plain text is restored');
check_restored('plain', 'plain text');

# Custom format, several jobs.
$node->command_ok([ 'pg_dump', '-Fc', '-f', "$folder/custom", '-d', $node->connstr('source') ], 'custom format');
$node->safe_psql('postgres', 'CREATE DATABASE custom');
$node->command_ok([ 'pg_restore', '-e', '-j', '3', '-d', $node->connstr('custom'), "$folder/custom" ], 'is restored by three jobs');
check_restored('custom', 'custom format');

# Data apart from the schema, triggers off.
$node->safe_psql('postgres', 'CREATE DATABASE apart');
$node->command_ok([ 'pg_restore', '-e', '--section=pre-data', '-d', $node->connstr('apart'), "$folder/custom" ], 'schema first');
my ($status, $out, $err) = $node->psql('apart', "SELECT align.agreed('b2b')");
like($err, qr/agreement "b2b" does not exist/, 'empty so far');
$node->command_ok([ 'pg_restore', '-e', '--data-only', '--disable-triggers', '-d', $node->connstr('apart'), "$folder/custom" ], 'data afterwards, without triggers');
$node->command_ok([ 'pg_restore', '-e', '--section=post-data', '-d', $node->connstr('apart'), "$folder/custom" ], 'the rest');
$node->safe_psql('apart', 'REFRESH MATERIALIZED VIEW judged');
# pg_restore turns all triggers on, but not as they were
is($node->safe_psql('apart', "SELECT count(*) FROM pg_trigger WHERE tgrelid = 'align.agreement'::regclass AND tgenabled = 'D'"), '0', 'triggers are on again');
$node->safe_psql('apart', <<'SQL');
ALTER TABLE align.agreement ENABLE ALWAYS TRIGGER agreement_append_only,
    ENABLE ALWAYS TRIGGER agreement_no_truncate, ENABLE ALWAYS TRIGGER agreement_announce;
ALTER TABLE align.team ENABLE ALWAYS TRIGGER team_announce;
ALTER TABLE align.admission ENABLE ALWAYS TRIGGER admission_announce;
SQL
check_restored('apart', 'data only');

# The owner of the database needs the rights that the documentation names.
$node->safe_psql('source', 'GRANT SELECT ON ALL TABLES IN SCHEMA public TO landlord');
$node->command_fails_like([ 'pg_dump', '-f', "$folder/refused.sql", '-d', $node->connstr('source') . ' user=landlord' ],
	qr/permission denied for (schema align|table (agreement|team|admission))/, 'the owner of the database alone may not');
$node->safe_psql('source', 'GRANT SELECT ON align.agreement, align.team, align.admission TO landlord');
$node->command_ok([ 'pg_dump', '-f', "$folder/granted.sql", '-d', $node->connstr('source') . ' user=landlord' ],
	'but may with the rights that are documented');

# A name whose owner is gone.
($status, $out, $err) = $node->psql('plain', "SET ROLE keeper; SELECT align.agree('orphan', 'stage two; won deal; success path two -> deal;')");
like($err, qr/must be owner of agreement "orphan".*"gone", does not exist\. A superuser can assign a new owner/s, 'nobody has the rights of a dropped owner');
is($node->safe_psql('plain', "SELECT align.set_agreement_owner('orphan', 'keeper')"), '2', 'a superuser gives the name to another');
is($node->safe_psql('plain', "SET ROLE keeper; SELECT align.agree('orphan', 'stage two; won deal; success path two -> deal;')"), '3', 'who goes on');

# Into a cluster that lacks the roles: what was agreed is there, and they are nobody.
my $elsewhere = PostgreSQL::Test::Cluster->new('elsewhere');
$elsewhere->init;
$elsewhere->start;
my @others = map { "other_$_" } 1 .. 8;
$elsewhere->safe_psql('postgres', join('; ', map { "CREATE ROLE $_" } @others) . '; CREATE DATABASE crm');
$elsewhere->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $elsewhere->connstr('crm'), '-f', "$folder/plain.sql" ], 'is restored where the roles are missing');
is($elsewhere->safe_psql('crm', 'SELECT name, version, document, owner, owner_name FROM align.agreements ORDER BY name, version'),
	$before_elsewhere, 'roles missing: every version is there');
is($elsewhere->safe_psql('crm', 'SELECT * FROM align.teams ORDER BY agreement DESC, team'), "Ünïcödé 漏斗|a team||keeper\nb2b|sales||sellers", 'roles missing: teams are nobody');
is($elsewhere->safe_psql('crm', 'SELECT * FROM align.admissions ORDER BY role_name'), "b2b||gone\nb2b||sellers", 'roles missing: nobody is admitted');
foreach my $role (@others)
{
	($status, $out, $err) = $elsewhere->psql('crm', "SET ROLE $role; SELECT align.agree('b2b', 'stage two; won deal; success path two -> deal;')");
	like($err, qr/must be owner of agreement "b2b".*"keeper", does not exist/s, "roles missing: $role is not taken for the owner");
}
is($elsewhere->safe_psql('crm', q{SELECT count(*) FROM pg_roles r, align.teams t WHERE t.role = r.oid}), '0', 'roles missing: nor any for a team');
# a role that comes later is the one that was meant
$elsewhere->safe_psql('postgres', 'CREATE ROLE keeper');
is($elsewhere->safe_psql('crm', "SET ROLE keeper; SELECT align.agree('b2b', 'stage two; won deal; success path two -> deal;')"), '4', 'roles missing: until they are there');
$elsewhere->stop;

$node->stop;
done_testing();
