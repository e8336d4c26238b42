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
	'0.2.0' => 'cf25a2c12afecde2c09a33857a6af6de0f4d0d04f9d529a61f4687909e29927e',
	'0.2.1' => '69c9565b4ee8d7e06e75943b8481d9973a7120fadc063921998aeed314eac82b',
	'0.3.0' => '3b66798687fbae010e197fae942da8fb148f08101c2b05e5b56ee5e8bbdce0f0',
	'0.4.0' => 'ac922eb0e7919ccaffb191ef559102c1ed4c529da6a227420104f4bfa0064ba3',
	'0.5.0' => 'be5d188832e36c5885f3ab19df36074c8efdb27f25dbcb4d78808510cf9d1836',
);
my @versions = sort map { /align--([^-]+)\.sql$/ } glob("$top/sql/released/*.sql");
is("@versions", join(' ', sort keys %released), 'the released scripts are here, and no others');
is(sha256_hex(slurp_file("$top/sql/released/align--$_.sql")), $released{$_}, "the script of $_ is as it was released") foreach @versions;

my @deltas = glob("$top/sql/upgrade/*.sql");
my @unguarded = grep { slurp_file($_) =~ /\A(?!\\echo Use "ALTER EXTENSION align UPDATE[^\n]+\\quit$)|^CREATE\s+.*IF\s+NOT\s+EXISTS/mi } @deltas;
is("@unguarded", '', 'deltas are not to be run by hand, and create what is not there');

# Only a member of the version before may be replaced, as a view that views of users
# depend on must be; of others PostgreSQL itself refuses it.
my @foreign;
foreach my $delta (@deltas)
{
	my ($from) = $delta =~ /align--([^-]+)--/;
	my $script = slurp_file("$top/sql/released/align--$from.sql");

	push @foreign, map { basename($delta) . ": $_->[0] $_->[1]" }
	  grep { $script !~ /^CREATE \Q$_->[0]\E \Q$_->[1]\E\b/m }
	  map { [ split / / ] } slurp_file($delta) =~ /^CREATE\s+OR\s+REPLACE\s+(\w+ [\w.]+)/mgi;
}
is("@foreign", '', 'deltas replace nothing but what the version before has');

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
	[ 'extension align | pg_extension extcondition = {"","",""}' ],
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
-- on the views of align, whose columns come from others in later versions
CREATE VIEW signed AS SELECT * FROM align.agreements;
CREATE VIEW owners AS SELECT owner, count(*) AS versions FROM align.agreements WHERE in_force IS NOT NULL GROUP BY owner;
CREATE MATERIALIZED VIEW tied AS SELECT t.*, a.document FROM align.teams t JOIN align.agreements a ON a.name = t.agreement AND a.in_force;
SQL

# What is asked before and after: everything that was there is still called and says the same.
my @questions = (
	'SELECT * FROM kept ORDER BY id',
	q(SELECT md5(string_agg(align.lead_send(l)::text || align.funnel_send(f)::text || align.calendar_send(c)::text || align.conversion_send(s)::text, '' ORDER BY id)) FROM kept WHERE id > 0),
	'SELECT name, version, valid_from, funnel, document, owner, agreed_by, note FROM align.agreement ORDER BY name, version',
	'SELECT name, version, valid_from, valid_to, in_force, owner, agreed_by, note, funnel, document FROM align.agreements ORDER BY name, version',
	'SELECT agreement, team, role, pg_typeof(role) FROM align.teams',
	'SELECT * FROM signed ORDER BY name, version',
	'SELECT *, pg_typeof(owner) FROM owners ORDER BY owner::text',
	'SELECT * FROM tied',
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

# Each version at once, and the first by way of all the others.
foreach my $path ((map { [$_] } @versions), [@versions])
{
	my ($version, @steps) = @$path;
	(my $name = join('_', @$path)) =~ tr/./_/;
	my $update = join '; ', map({ "ALTER EXTENSION align UPDATE TO '$_'" } @steps), 'ALTER EXTENSION align UPDATE';

	$version = join ' -> ', @$path;

	# Nothing but the extension.
	my $bare = "bare_$name";
	$node->safe_psql('postgres', "CREATE DATABASE $bare");
	$node->safe_psql($bare, "CREATE EXTENSION align VERSION '$path->[0]'");
	my $members = members($bare);
	$node->safe_psql($bare, $update);
	ok((grep { !$fresh_members->{$_} } keys %$members) > 0, "$version: was another version");
	same_entries(members($bare), $fresh_members, "$version: updated, it is what a fresh install is");
	same_entries(dump_entries($bare), $fresh_dump, "$version: and is dumped the same");

	# With data in it, and a session that goes on.
	my $full = "full_$name";
	$node->safe_psql('postgres', "CREATE DATABASE $full");
	$node->safe_psql($full, "CREATE EXTENSION align VERSION '$path->[0]'");
	$node->safe_psql($full, $data);
	my $before = answers($full);
	is($node->safe_psql($full, 'SELECT count(*) FROM owners WHERE owner IS NOT NULL'), '1', "$version: views of users read those of align");
	like($before, qr/illegal_move/, "$version: works with the library of now");
	my ($said, $says, $news) = split /<next>\n/, $node->safe_psql($full, <<"SQL");
BEGIN;
SELECT align.agree('next', align.agreed('b2b')) \\g /dev/null
ROLLBACK;
PREPARE q AS SELECT align.fits(l, align.agreed('b2b')), align.sla_clocks(l, f, '2026-06-01') FROM kept WHERE id > 0 ORDER BY id;
EXECUTE q;
\\echo <next>
$update;
EXECUTE q;
\\echo <next>
BEGIN;
CREATE TABLE leads AS SELECT id, align.current_stage(l) AS stage, NULL::text AS email, 11 AS budget, NULL::text AS reason FROM kept WHERE id > 0;
ALTER TABLE leads ADD PRIMARY KEY (id);
SELECT align.agree('next', align.agreed('b2b')) \\g /dev/null
SELECT 'attached', align.attach('leads', 'next', reason => 'reason');
DO \$\$
BEGIN
	UPDATE leads SET stage = 'customer' WHERE stage = 'mql';
EXCEPTION WHEN SQLSTATE '23L02' THEN
	UPDATE leads SET stage = 'sal' WHERE stage = 'mql';
END
\$\$;
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

# Tables that were attached under 0.2.0.  Its library is not at hand: what that of
# now makes more is taken away, and what 0.2.0 made otherwise is made so.
my $attached = <<'SQL';
SELECT align.agree('b2b', $$
    stage inquiry, mql held by marketing; stage sal held by sales; won customer; lost lost;
    success path inquiry -> mql -> sal -> customer; path any -> lost; entry inquiry, mql;
    handoff hand_over: mql from marketing to sales, accept sal, reject lost, within 4 hours, warn after 3 hours;
    sla qualify by sales: from sal to customer within 2 days;
$$);
SELECT align.agree(E'it''s "b2c" \\ EXECUTE FUNCTION align.attachment(', align.agreed('b2b'));
SELECT align.assign_team('b2b', 'marketing', 'revops'), align.assign_team('b2b', 'sales', 'sellers');
CREATE SCHEMA crm;
GRANT ALL ON SCHEMA crm TO sellers, revops;
SET ROLE sellers;
CREATE TABLE crm.leads (id int PRIMARY KEY, status text, owner text, deleted_at timestamptz, changed_at timestamptz);
INSERT INTO crm.leads SELECT g, 'inquiry', 'ann', NULL, '2026-01-01 09:00Z' FROM generate_series(1, 20) AS g;
SELECT align.attach('crm.leads', 'b2b', stage => 'status', assignee => 'owner', changed_at => 'changed_at', live => 'deleted_at IS NULL');
CREATE TABLE crm."The ""deals""" (part int, "no" int, "it's a stage" text, PRIMARY KEY ("no", part));
SELECT align.attach('crm."The ""deals"""', E'it''s "b2c" \\ EXECUTE FUNCTION align.attachment(', stage => 'it''s a stage', mode => 'observe', history => 'crm."what happened"');
INSERT INTO crm."The ""deals""" SELECT g, 1, 'mql' FROM generate_series(1, 5) AS g;
RESET ROLE;
SET ROLE revops;
CREATE TABLE crm.parts (id int, stage text, PRIMARY KEY (id, stage)) PARTITION BY LIST (stage);
CREATE TABLE crm.parts_early PARTITION OF crm.parts FOR VALUES IN ('inquiry', 'mql');
CREATE TABLE crm.parts_late PARTITION OF crm.parts DEFAULT;
SELECT align.attach('crm.parts', 'b2b');
INSERT INTO crm.parts SELECT g, 'inquiry' FROM generate_series(1, 10) AS g;
-- one that a role with TRIGGER on another table of the owner forged
CREATE TABLE crm.victim (id int PRIMARY KEY, stage text);
SELECT align.attach('crm.victim', 'b2b');
INSERT INTO crm.victim VALUES (1, 'inquiry');
CREATE TABLE crm.scratch (id int PRIMARY KEY, stage text);
CREATE TRIGGER align_attachment AFTER UPDATE OF id, stage ON crm.scratch FOR EACH STATEMENT
	WHEN ('crm.victim_history'::regclass IS NULL AND 'crm.victim_sla'::regclass IS NULL)
	EXECUTE FUNCTION align.attachment('b2b', 'observe', '', 'key', 'stage');
-- one whose history was given to another role
CREATE TABLE crm.given (id int PRIMARY KEY, stage text);
SELECT align.attach('crm.given', 'b2b');
RESET ROLE;
ALTER TABLE crm.given_history OWNER TO sellers;
UPDATE crm.leads SET status = 'mql', changed_at = '2026-01-02 09:00Z' WHERE id <= 10;
UPDATE crm.leads SET status = 'sal', changed_at = '2026-01-02 10:00Z' WHERE id <= 5;
DELETE FROM crm.leads WHERE id = 1;
UPDATE crm.parts SET stage = 'mql' WHERE id <= 5;
UPDATE crm.parts SET stage = 'sal' WHERE id <= 2;
ALTER TABLE crm."The ""deals""" ENABLE ALWAYS TRIGGER align_flush;
DO $$
DECLARE
	made record;
BEGIN
	FOR made IN SELECT tgrelid::regclass AS relation, tgname FROM pg_trigger
				WHERE NOT tgisinternal AND tgparentid = 0
				  AND (tgname = 'align_history_of' OR (tgname = 'align_begin' AND tgrelid <> 'crm.parts'::regclass)) LOOP
		EXECUTE format('DROP TRIGGER %I ON %s', made.tgname, made.relation);
	END LOOP;
	FOR made IN SELECT indexrelid::regclass AS relation FROM pg_index JOIN pg_class c ON c.oid = indrelid
				WHERE c.relnamespace = 'crm'::regnamespace AND indkey::text = '0' LOOP
		EXECUTE format('DROP INDEX %s', made.relation);
	END LOOP;
END $$;
COMMENT ON TRIGGER align_begin ON crm.parts IS 'align: a statement on the partitioned table itself begins';
-- what a role can do about an update that it does not like
CREATE ROLE stranger;
CREATE SCHEMA strange AUTHORIZATION stranger;
SET ROLE stranger;
CREATE TABLE strange.taken (id int PRIMARY KEY, stage text);
SELECT align.attach('strange.taken', 'b2b');
DROP TRIGGER align_begin ON strange.taken;
CREATE CONSTRAINT TRIGGER align_begin AFTER INSERT ON strange.taken FOR EACH ROW EXECUTE FUNCTION align.record_statement();
CREATE TABLE strange.pieces (id int, stage text) PARTITION BY LIST (id);
CREATE TABLE strange.pieces_1 PARTITION OF strange.pieces FOR VALUES IN (1);
CREATE TRIGGER align_attachment AFTER UPDATE OF id, stage ON strange.pieces FOR EACH STATEMENT
	WHEN ('strange.pieces_1'::regclass IS NULL AND 'strange.taken'::regclass IS NULL)
	EXECUTE FUNCTION align.attachment('x', 'observe', '', 'key', 'stage');
CREATE TRIGGER align_flush AFTER INSERT ON strange.pieces FOR EACH STATEMENT EXECUTE FUNCTION align.record_statement();
CREATE TRIGGER align_begin AFTER INSERT ON strange.pieces FOR EACH ROW EXECUTE FUNCTION align.record_statement();
CREATE TABLE strange.nothing (id int PRIMARY KEY, stage text);
CREATE TRIGGER align_attachment AFTER UPDATE OF id, stage ON strange.nothing FOR EACH STATEMENT
	WHEN ('99999999'::regclass IS NULL AND '-'::regclass IS NULL)
	EXECUTE FUNCTION align.attachment('x', 'observe', '', 'key', 'stage');
CREATE TABLE strange.claim (id int PRIMARY KEY, stage text);
DO $$
BEGIN
	EXECUTE format('CREATE TRIGGER align_attachment AFTER UPDATE OF id, stage ON strange.claim FOR EACH STATEMENT WHEN (%L::regclass IS NULL AND %L::regclass IS NULL) EXECUTE FUNCTION align.attachment(''x'', ''observe'', '''', ''key'', ''stage'')',
		(SELECT oid FROM pg_class WHERE relname = 'leads_history'), (SELECT oid FROM pg_class WHERE relname = 'leads_sla'));
END $$;
RESET ROLE;
SQL

# In the order of its lines: what was recorded, and what stands.
my @recorded = (
	(map { "SELECT * FROM $_ t ORDER BY t::text" } qw(crm.leads crm.leads_history crm.leads_sla crm.parts crm.parts_history crm.parts_sla crm.victim_history),
		'crm."The ""deals"""', 'crm."what happened"', 'crm."what happened_sla"'),
	'SELECT relation, agreement, mode, stage, key, assignee, changed_at, history, sla, live, notify FROM align.attachments ORDER BY relation::text',
	q(SELECT r, c.* FROM unnest('{crm.leads,crm.parts}'::regclass[]) r, align.clocks(r, '2026-06-01') c ORDER BY r::text, key, sla),
	q(SELECT r, j.* FROM unnest('{crm.leads,crm.parts}'::regclass[]) r, align.journeys(r) j));

sub recorded
{
	my $database = shift;

	return join "\n--\n", map { $node->safe_psql($database, $_) } @recorded;
}

$node->safe_psql('postgres', 'CREATE DATABASE attached');
$node->safe_psql('attached', "CREATE EXTENSION align VERSION '0.2.0'");
$node->safe_psql('attached', $attached);
# A dump of it, as it was.
my $old_dump = "$PostgreSQL::Test::Utils::tmp_check/attached_0_2_0.sql";
$node->command_ok([ 'pg_dump', '-f', $old_dump, $node->connstr('attached') ], '0.2.0, attached: is dumped');
# The library is new, the update is still to come.
$node->safe_psql('attached', q(UPDATE crm.leads SET status = 'mql', changed_at = '2026-01-03 09:00Z' WHERE id = 11; UPDATE crm.parts SET stage = 'mql' WHERE id = 6; INSERT INTO crm.victim VALUES (2, 'mql'); SELECT align.notify_due('crm.leads')));
is($node->safe_psql('attached', q(SELECT DISTINCT problem, coalesce(recorded, expected) FROM align.check('crm.leads') ORDER BY 2)),
	join("\n", map { "missing_trigger|$_" } 'align_begin on crm.leads', 'align_history_of on crm.leads_history', 'align_history_of on crm.leads_sla'),
	'0.2.0, attached: recorded as before, but for what it did not make');
my $recorded = recorded('attached');
like($recorded, qr/hand_over.*overdue/, 'clocks are running');
my ($status, $out, $warnings) = $node->psql('attached', 'ALTER EXTENSION align UPDATE');
is($status, 0, 'is updated with attached tables');
is(join("\n", sort $warnings =~ /(?:WARNING|NOTICE):  (.*)/g),
	join("\n", sort(map({ "table crm.$_->[0] is not tied to its history crm.$_->[1]_history and clock table crm.$_->[1]_sla" } [qw(given given)], [qw(scratch victim)], [qw(victim victim)]),
		'table strange.claim is not tied to its history crm.leads_history and clock table crm.leads_sla',
		'table strange.pieces is not tied to its history strange.pieces_1 and clock table strange.taken',
		map({ qq(table strange.$_ has a trigger "align_begin" that does not belong to align) } qw(pieces pieces_1 taken)))),
	'and says what is left to do');
like($warnings, qr/HINT:  Call align\.detach\(\) for tables that should not be attached and, as the owner of this one, align\.attach\(\) again\./, 'and how');
same_entries(members('attached'), $fresh_members, 'with attached tables, too, it is what a fresh install is');
is(recorded('attached'), $recorded, 'and what was recorded is as before');
my $checks = q(SELECT r, c.* FROM unnest('{crm.leads,crm.parts,"crm.\"The \"\"deals\"\"\""}'::regclass[]) r, align.check(r) c);
is($node->safe_psql('attached', $checks), '', 'check is empty');
is($node->safe_psql('attached', q(SELECT tgrelid::regclass, tgenabled, obj_description(oid, 'pg_trigger') FROM pg_trigger WHERE tgname IN ('align_begin', 'align_flush') AND tgrelid::regclass::text ~ 'deals|parts|leads' ORDER BY tgrelid::regclass::text, tgname)),
	join("\n", map { my $enabled = $_; ("$enabled|align: registers the beginning of a statement", "$enabled|align: writes the changes of a statement to history and clocks") }
		'crm."The ""deals"""|A', 'crm.leads|O', 'crm.parts|O', 'crm.parts_early|O', 'crm.parts_late|O'),
	'tables and partitions have statement triggers, enabled as that of the root');
# As attach() makes them now, comments included.
my $triggers = q(SELECT tgrelid::regclass, tgname, tgenabled, pg_get_triggerdef(oid), obj_description(oid, 'pg_trigger') FROM pg_trigger WHERE NOT tgisinternal AND tgname LIKE 'align%' AND tgrelid::regclass::text ~ 'leads|deals|parts|happened' ORDER BY tgrelid::regclass::text, 2);
my $updated = $node->safe_psql('attached', $triggers);
$node->safe_psql('attached', q{BEGIN; SET LOCAL client_min_messages = warning;
	SELECT align.attach('crm.leads', 'b2b', stage => 'status', assignee => 'owner', changed_at => 'changed_at', live => 'deleted_at IS NULL'), align.attach('crm.parts', 'b2b'),
	align.attach('crm."The ""deals"""', E'it''s "b2c" \\\\ EXECUTE FUNCTION align.attachment(', stage => 'it''s a stage', mode => 'observe', history => 'crm."what happened"'); COMMIT});
is($node->safe_psql('attached', $triggers), $updated, 'attached again, nothing changes');
is($node->safe_psql('attached', q(SELECT count(*) FROM pg_indexes WHERE schemaname = 'crm' AND indexdef ~ 'rekey')), '3', 'but for the index that erase() uses');
# Work goes on.
$node->safe_psql('attached', q(UPDATE crm.leads SET status = 'sal', changed_at = '2026-01-04 09:00Z' WHERE id = 6; UPDATE crm.parts SET stage = 'sal' WHERE id = 3; DELETE FROM crm."The ""deals""" WHERE part = 1; INSERT INTO crm."The ""deals""" VALUES (9, 9, 'customer');
	SELECT align.merge_leads('crm.leads', 7, 6); DELETE FROM crm.leads WHERE id = 7; SELECT align.erase('crm.leads', 7); SELECT align.detach('crm.parts'), align.attach('crm.parts', 'b2b')));
is($node->safe_psql('attached', $checks), '', 'and check stays empty');
($status, $out, $warnings) = $node->psql('attached', q(INSERT INTO crm.victim VALUES (3, 'mql')));
like($warnings, qr/table crm\.victim_history does not belong to table crm\.victim/, 'a history that two tables claim takes no entries');
($status, $out, $warnings) = $node->psql('attached', q(INSERT INTO crm.given VALUES (3, 'mql')));
like($warnings, qr/history or clock table of table crm\.given has another owner/, 'nor does one of another role');
$node->safe_psql('attached', q(SET ROLE revops; SELECT align.detach('crm.scratch'); SELECT align.attach('crm.victim', 'b2b'); INSERT INTO crm.victim VALUES (3, 'mql')));
is($node->safe_psql('attached', q(SELECT c.* FROM align.check('crm.victim') c)), '', 'until the forged attachment is gone and the table attached again');
is($node->safe_psql('attached', q(SELECT agreement, role FROM align.admissions ORDER BY 1, 2)),
	qq{b2b|sellers\nb2b|revops\nb2b|stranger\nit's "b2c" \\ EXECUTE FUNCTION align.attachment(|sellers}, 'who is admitted');
# The dump of a database that was updated.
$node->command_ok([ 'pg_dump', '-f', "$PostgreSQL::Test::Utils::tmp_check/attached.sql", $node->connstr('attached') ], 'attached tables are dumped');
$node->safe_psql('postgres', 'CREATE DATABASE attached_again');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('attached_again'), '-f', "$PostgreSQL::Test::Utils::tmp_check/attached.sql" ], 'and restored');
is($node->safe_psql('attached_again', $checks), '', 'with an empty check');
is(recorded('attached_again'), recorded('attached'), 'as they were');

# A dump of 0.2.0 restores into the extension of now, without what 0.2.0 did not have:
# writes are refused until the tables are attached again.
$node->safe_psql('postgres', 'CREATE DATABASE from_old');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('from_old'), '-f', $old_dump ], 'a dump of 0.2.0 is restored');
is($node->safe_psql('from_old', q(SELECT extversion FROM pg_extension WHERE extname = 'align')), $current, 'into the version of now');
is($node->safe_psql('from_old', 'SELECT name, version, owner, owner_name FROM align.agreements ORDER BY name COLLATE "C", version'),
	join("\n", map { "$_|1|postgres|postgres" } 'b2b', q{it's "b2c" \ EXECUTE FUNCTION align.attachment(}), 'agreements have their owners');
is($node->safe_psql('from_old', 'SELECT team, role, role_name FROM align.teams ORDER BY team'), "marketing|revops|revops\nsales|sellers|sellers", 'and teams their roles');
($status, $out, $warnings) = $node->psql('from_old', q(UPDATE crm.leads SET status = 'sal' WHERE id = 6));
like($warnings, qr/table crm\.leads_history does not belong to table crm\.leads.*Call align\.attach\(\) again/s, 'writes are refused, with what to do');
($status, $out, $warnings) = $node->psql('from_old', q(SELECT * FROM align.check('crm.leads')));
like($warnings, qr/table crm\.leads_history does not belong to table crm\.leads/, 'and so is check()');
$node->safe_psql('from_old', q{SET client_min_messages = warning;
	SELECT align.admit('b2b', 'sellers'), align.admit('b2b', 'revops'), align.admit(E'it''s "b2c" \\\\ EXECUTE FUNCTION align.attachment(', 'sellers');
	SELECT align.attach('crm.leads', 'b2b', stage => 'status', assignee => 'owner', changed_at => 'changed_at', live => 'deleted_at IS NULL'), align.attach('crm.parts', 'b2b'),
	align.attach('crm."The ""deals"""', E'it''s "b2c" \\\\ EXECUTE FUNCTION align.attachment(', stage => 'it''s a stage', mode => 'observe', history => 'crm."what happened"');
	UPDATE crm.leads SET status = 'sal', changed_at = '2026-01-04 09:00Z' WHERE id = 6; UPDATE crm.parts SET stage = 'sal' WHERE id = 3});
is($node->safe_psql('from_old', $checks), '', 'attached again, all is as it should be');

$node->stop;
done_testing();
