# Upgrades: every released version, installed as it was released, with data of
# every type, works with the library of now; updated, it is what a fresh install
# is, object by object, and says the same of the same data.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use Digest::SHA qw(sha256_hex);
use File::Basename;
use File::Spec;

my $top = File::Spec->rel2abs(dirname(__FILE__) . '/../..');

# What was released stays what it was.
my %released = (
	'0.1.0' => 'dfa166f0948fe58f802ce1ee7837cd5b1d5910f1704ad5641fb56c64d4aa2edb',
);
my @versions = sort map { /align--([^-]+)\.sql$/ } glob("$top/sql/released/*.sql");
is("@versions", join(' ', sort keys %released), 'the released scripts are here, and no others');
is(sha256_hex(slurp_file("$top/sql/released/align--$_.sql")), $released{$_}, "the script of $_ is as it was released") foreach @versions;

my @creating = grep { slurp_file($_) =~ /^CREATE\s+OR\s+REPLACE|^CREATE\s+.*IF\s+NOT\s+EXISTS|\A(?!\\echo Use "ALTER EXTENSION align UPDATE[^\n]+\\quit$)/mi }
  glob("$top/sql/upgrade/*.sql");
is("@creating", '', 'deltas create, replace nothing, and are not to be run by hand');

my $node = PostgreSQL::Test::Cluster->new('upgrade');
$node->init;
$node->append_conf('postgresql.conf', "timezone = 'UTC'\n");
$node->start;

my $current = $node->safe_psql('postgres', q(SELECT default_version FROM pg_available_extensions WHERE name = 'align'));
is($node->safe_psql('postgres', q(SELECT string_agg(version, ' ' ORDER BY version) FROM pg_available_extension_versions WHERE name = 'align')),
	join(' ', sort @versions, $current), 'the server knows these versions');
is($node->safe_psql('postgres', qq(SELECT string_agg(source, ' ') FROM pg_extension_update_paths('align') WHERE target = '$current' AND path IS NULL)),
	'', 'from each there is a way to the current one');

# Every property of every object, one a line, without the numbers that PostgreSQL gives.
my $members = slurp_file("$top/test/t/members.sql");

sub members
{
	my $text = $node->safe_psql(shift, "$members SELECT replace(m, E'\\n', '\\n') FROM pg_temp.members('align') m");

	$text =~ s/((?:pg_toast|RI_ConstraintTrigger_[ac])_)\d+/$1N/g;
	# when a column was made, where the server notes it
	$text =~ s/pg_attver=\d+/pg_attver=N/g;
	return { map { $_ => 1 } split /\n/, $text };
}

# The entries of a dump that keeps object identities, likewise.
sub dump_entries
{
	my $database = shift;
	my $file = "$PostgreSQL::Test::Utils::tmp_check/$database.dump";

	$node->command_ok([ 'pg_dump', '--schema-only', '--binary-upgrade', '-f', $file, $node->connstr($database) ], "$database: is dumped");
	my $text = slurp_file($file);
	$text =~ s/'\d+'::pg_catalog\.oid|\boid = '\d+'|\brel(frozenxid|minmxid) = '\d+'/N/g;
	$text =~ s/(set_next_attribute_versions\()'[^']*'/$1N/g;
	$text =~ s/^\\(un)?restrict .*$//mg;
	$text =~ s/^(SELECT pg_catalog\.binary_upgrade_create_empty_extension\(.*, )'\{[\d,]+\}'/$1N/m;
	return { map { $_ => 1 } split /^--\n(?=-- Name: )/m, $text };
}

# Fails with what only one of the two has.
sub same_entries
{
	my ($got, $expected, $name) = @_;
	my @missing = grep { !$got->{$_} } sort keys %$expected;
	my @surplus = grep { !$expected->{$_} } sort keys %$got;

	ok(!@missing && !@surplus, $name)
	  or diag(join("\n", (map { "- $_" } @missing), (map { "+ $_" } @surplus))
		  . "\n(-: only in a fresh install, +: only after the update; did new modules change without \"make delta\"?)");
}

$node->safe_psql('postgres', 'CREATE ROLE sellers; CREATE ROLE revops; CREATE DATABASE fresh');
$node->safe_psql('fresh', 'CREATE EXTENSION align');
my $fresh_members = members('fresh');
my $fresh_dump = dump_entries('fresh');

cmp_ok(scalar keys %$fresh_members, '>', 5000, 'there are properties to compare');
cmp_ok(scalar keys %$fresh_dump, '>', 100, 'there are entries to compare');
# The comparison sees what it should.
ok((grep { $fresh_members->{$_} } @$_) == 1, "compared: $_->[0]") foreach (
	[ 'extension align | pg_extension extcondition = {"",""}' ],
	[ 'operator class align.lead_ops USING btree | pg_opclass opckeytype = -' ],
	[ 'table align.agreement | pg_attribute version attnotnull = true' ],
	[ 'table constraint agreement_pkey on align.agreement | pg_constraint conbin = PRIMARY KEY (name, version)' ],
	[ 'trigger agreement_append_only on align.agreement | pg_trigger tgenabled = A' ]);

# Data of every type in the keeping of a released version.
my $data = <<'SQL';
SET ROLE revops;
SELECT align.agree('b2b', $$
    -- signed by both teams
    hours 'Europe/London Mo-Fr 09:00-17:30; Dec 25 off';
    stage inquiry, mql held by marketing;
    stage sal held by sales;
    won customer;
    lost lost;
    success path inquiry -> mql -> sal -> customer;
    path any -> lost;
    handoff hand_over: mql from marketing to sales, accept sal, reject lost with reason (price), within 4 working hours;
    mql needs email, 'budget > 10';
    sla qualify by sales: from sal to customer within 2 days;
    target sales: 90% of hand_over;
    sal known as 'Sales Accepted', '3';
$$, note => 'the first');
SELECT align.agree('b2b', align.agreed('b2b'));
SELECT align.agree('b2b', 'stage later held by sales; won deal; success path later -> deal;', '2090-01-01');
SELECT align.assign_team('b2b', 'sales', 'sellers');
RESET ROLE;

CREATE TABLE kept (
    id int PRIMARY KEY, c align.calendar, f align.funnel, l align.lead, s align.conversion, a align.lead[],
    d align.calendar DEFAULT 'Mo-Fr 09:00-17:00',
    opens timestamptz GENERATED ALWAYS AS (align.next_open('Europe/London Mo-Fr 09:00-17:30'::align.calendar, timestamptz '2026-03-28 00:00+00')) STORED,
    CHECK (align.is_open(d, '2026-03-02 10:00+00')));
INSERT INTO kept (id, c, f, l, s)
SELECT i, 'Europe/London Mo-Fr 09:00-17:30; Dec 25 off', align.agreed('b2b'), lead, align.conversion_agg(lead, '{inquiry,mql,sal}', interval '90 days', 'ordered', '2026-06-01')
FROM (SELECT i, align.lead_agg(timestamptz '2026-01-01 00:00:00.000001+00' + n * interval '1 hour', (ARRAY['inquiry', 'mql', 'Sales Accepted', 'lost'])[1 + n % 4],
                               'sales', 'price', 'utm_source=google', n) AS lead
      FROM generate_series(1, 60) AS i, generate_series(1, i) AS n GROUP BY i) leads
GROUP BY i, lead;
UPDATE kept SET a = ARRAY[l, NULL, l];
INSERT INTO kept VALUES (0);
CREATE INDEX kept_calendar ON kept (c);
CREATE INDEX kept_funnel ON kept USING hash (f);
CREATE INDEX kept_lead ON kept (l);
CREATE INDEX kept_conversion ON kept (s);
CREATE INDEX kept_stage ON kept (align.current_stage(l));
CREATE VIEW judged AS
    SELECT id, align.fits(l, align.agreed('b2b')) AS fits, v.* FROM kept, align.violations(l, align.agreed('b2b')) v;
CREATE MATERIALIZED VIEW clocks AS
    SELECT id, t.* FROM kept, align.sla_clocks(l, f, '2026-06-01') t;
CREATE FUNCTION legal(text, text) RETURNS boolean LANGUAGE sql STABLE
    BEGIN ATOMIC SELECT align.can_move(align.agreed('b2b'), $1, $2); END;
CREATE FUNCTION doc() RETURNS align.funnel LANGUAGE sql STABLE AS $$ SELECT align.agreed('b2b') $$;
SQL

# What is asked before and after: everything that was there is still called and says the same.
my @questions = (
	'SELECT * FROM kept ORDER BY id',
	q(SELECT md5(string_agg(align.lead_send(l)::text || align.funnel_send(f)::text || align.calendar_send(c)::text || align.conversion_send(s)::text, '' ORDER BY id)) FROM kept WHERE id > 0),
	'SELECT name, version, valid_from, funnel, document, owner, agreed_by, note FROM align.agreement ORDER BY name, version',
	'SELECT * FROM align.agreements ORDER BY name, version',
	'SELECT * FROM align.teams',
	'SELECT * FROM judged ORDER BY id, entry',
	'SELECT * FROM clocks ORDER BY id, started_at, sla',
	q(SELECT legal('mql', 'sal'), legal('mql', 'customer'), doc()),
	q(SELECT * FROM align.stages(align.agreed('b2b'))),
	q(SELECT * FROM align.moves(align.agreed('b2b'))),
	q(SELECT * FROM align.handoffs(align.agreed('b2b'))),
	q(SELECT * FROM align.service_levels(align.agreed('b2b'))),
	q(SELECT * FROM align.targets(align.agreed('b2b'))),
	q(SELECT align.mermaid(align.agreed('b2b')), align.agreed('b2b')::jsonb, align.route(align.agreed('b2b'), 'inquiry', 'customer')),
	q(SELECT * FROM align.diff(align.agreed('b2b'), align.agreed('b2b', '2091-01-01'))),
	q(SELECT align.advance(l, f, 'lost', '2026-05-01', 'sales', 'price') FROM kept WHERE id = 1),
	q(SELECT (align.progress(l, '{inquiry,sal}', '2 days', 'ordered', '2026-05-01')).*, (align.funnel_progress(l, f, '2026-05-01')).* FROM kept ORDER BY id),
	q(SELECT * FROM align.steps((SELECT align.rollup(s) FROM kept), 0.9)),
	q(SELECT * FROM align.steps((SELECT align.funnel_conversion_agg(l, f, '2026-05-01') FROM kept))),
	q(SELECT align.infer_agg(l, '{customer}', '{lost}', 0.01) FROM kept),
	q(SELECT * FROM align.backtest('SELECT id, at, stage, team, reason FROM kept, align.entries(l)', align.agreed('b2b')) ORDER BY 1, 2, 3),
	q(SELECT align.rollup(l), count(DISTINCT l), count(DISTINCT f), count(DISTINCT s) FROM kept),
	q(SELECT align.working_time(c, '2026-01-01', '2026-05-01'), align.hours(f), align.with_holidays(c, '{2026-01-02}') FROM kept WHERE id = 1),
	q(SET search_path = public, align; SET enable_seqscan = off; SELECT id FROM kept WHERE l = (SELECT l FROM kept WHERE id = 7); SELECT id FROM kept WHERE align.current_stage(l) = 'mql' ORDER BY id; SELECT count(*) FROM kept WHERE f = align.agreed('b2b')));

sub answers
{
	my $database = shift;

	return join "\n--\n", map { $node->safe_psql($database, $_) } @questions;
}

foreach my $version (@versions)
{
	(my $name = $version) =~ tr/./_/;

	# Nothing but the extension.
	my $bare = "bare_$name";
	$node->safe_psql('postgres', "CREATE DATABASE $bare");
	$node->safe_psql($bare, "CREATE EXTENSION align VERSION '$version'");
	my $members = members($bare);
	$node->safe_psql($bare, 'ALTER EXTENSION align UPDATE');
	ok((grep { !$fresh_members->{$_} } keys %$members) > 0, "$version: was another version");
	same_entries(members($bare), $fresh_members, "$version: updated, it is what a fresh install is");
	same_entries(dump_entries($bare), $fresh_dump, "$version: and is dumped the same");

	# With data in it, and a session that goes on.
	my $full = "full_$name";
	$node->safe_psql('postgres', "CREATE DATABASE $full");
	$node->safe_psql($full, "CREATE EXTENSION align VERSION '$version'");
	$node->safe_psql($full, $data);
	my $before = answers($full);
	like($before, qr/illegal_move/, "$version: works with the library of now");
	my ($said, $says, $news) = split /<next>\n/, $node->safe_psql($full, <<'SQL');
BEGIN;
SELECT align.agree('next', align.agreed('b2b')) \g /dev/null
ROLLBACK;
PREPARE q AS SELECT align.fits(l, align.agreed('b2b')), align.sla_clocks(l, f, '2026-06-01') FROM kept WHERE id > 0 ORDER BY id;
EXECUTE q;
\echo <next>
ALTER EXTENSION align UPDATE;
EXECUTE q;
\echo <next>
BEGIN;
CREATE TABLE leads AS SELECT id, align.current_stage(l) AS stage, NULL::text AS email, 11 AS budget, NULL::text AS reason FROM kept WHERE id > 0;
ALTER TABLE leads ADD PRIMARY KEY (id);
SELECT align.agree('next', align.agreed('b2b')) \g /dev/null
SELECT 'attached', align.attach('leads', 'next', reason => 'reason');
DO $$
BEGIN
	UPDATE leads SET stage = 'customer' WHERE stage = 'mql';
EXCEPTION WHEN SQLSTATE 'AL002' THEN
	UPDATE leads SET stage = 'sal' WHERE stage = 'mql';
END
$$;
SELECT 'recorded', event, from_stage, stage, count(*) > 0 FROM leads_history WHERE entry_no > 1 GROUP BY event, from_stage, stage;
SELECT 'agreed', align.agree('next', align.agreed('b2b'));
SELECT 'checked', count(*) FROM align.check('leads');
ROLLBACK;
SQL
	is($says, $said, "$version: a session goes on through the update");
	is($news, "attached|60\nrecorded|move|mql|sal|t\nagreed|2\nchecked|0", "$version: and uses at once what is new");
	is($node->safe_psql($full, q(SELECT extversion FROM pg_extension WHERE extname = 'align')), $current, "$version: is updated with data in it");
	is(answers($full), $before, "$version: and says the same as before");
	same_entries(members($full), $fresh_members, "$version: with data, too, it is what a fresh install is");
	is($node->safe_psql($full, q(SELECT align.agree('b2b', align.agreed('b2b')))), '4', "$version: the next version is the next");

	# Everything leaves by one dump and comes back from it.
	my $dump = "$PostgreSQL::Test::Utils::tmp_check/$full.sql";
	$node->command_ok([ 'pg_dump', '-f', $dump, $node->connstr($full) ], "$version: data is dumped");
	my $all = answers($full);
	$node->safe_psql('postgres', "CREATE DATABASE again_$name");
	$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr("again_$name"), '-f', $dump ], "$version: and restored");
	is(answers("again_$name"), $all, "$version: as it was");

	# And what was created goes.
	$node->safe_psql($bare, 'DROP EXTENSION align');
	is($node->safe_psql($bare, q(SELECT pg_describe_object(classid, objid, objsubid) FROM pg_depend
								 WHERE refclassid = 'pg_namespace'::regclass AND refobjid = 'align'::regnamespace)), '', "$version: goes away whole");
}

$node->stop;
done_testing();
