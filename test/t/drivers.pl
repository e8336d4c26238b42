# Drivers: a refused move is an integrity error with the rule as constraint, and
# parameters without a type are keys.  Needs psycopg 3 for Python, or pg for
# Node.js; a driver that is missing is skipped.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# The first of some interpreters that runs a program; undef if none does.
sub interpreter
{
	my ($option, $program, @candidates) = @_;

	foreach my $candidate (grep { defined } @candidates)
	{
		return $candidate
		  if system("$candidate $option '$program' >/dev/null 2>&1") == 0;
	}
	return undef;
}

# Modules of Node.js may be in a folder of the machine: NODE_PATH.
my $python = interpreter('-c', 'import psycopg; assert psycopg.__version__ >= "3"', $ENV{PYTHON}, 'python3', '/usr/bin/python3');
my $node_js = interpreter('-e', 'require("pg")', 'node', 'nodejs');

plan skip_all => 'neither psycopg 3 (python3-psycopg) nor pg for Node.js (npm) is there'
  unless $python || $node_js;

my $node = PostgreSQL::Test::Cluster->new('primary');
$node->init;
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION align;
SELECT align.agree('b2b', $$
	stage inquiry, mql held by marketing; stage sal held by sales; won customer; lost disqualified;
	success path inquiry -> mql -> sal -> customer; path any -> disqualified;
	disqualified needs reason (price); sal needs email;
	handoff speed_to_lead: mql from marketing to sales, accept sal, within 4 hours;
$$);
CREATE TABLE leads (id int PRIMARY KEY, stage text, why text, email text);
CREATE TABLE deals (region text, id int, stage text, email text, PRIMARY KEY (region, id));
SELECT align.attach('leads', 'b2b', reason => 'why');
SELECT align.attach('deals', 'b2b', rules => '{"illegal_move": "warn"}');
INSERT INTO leads SELECT i, 'inquiry' FROM generate_series(1, 6) i;
UPDATE leads SET stage = 'mql' WHERE id > 1;
INSERT INTO deals VALUES ('emea', 1, 'inquiry'), ('emea', 2, 'inquiry');
SQL

# What each driver prints: the class of the error, its SQLSTATE, constraint,
# schema, table and column; then what the functions return.
my $errors = <<'END';
23L01 align_unknown_stage public leads stage
23L02 align_illegal_move public leads stage
23L03 align_not_an_entry public leads stage
23L04 align_missing_need public leads email
23L05 align_missing_reason public leads why
23L06 align_unlisted_reason public leads why
23L08 align_left_funnel public leads stage
END
my $answers = <<'END';
explain_move true
explain_move of two columns true
journeys 2
clocks speed_to_lead
merge_leads 2
forget 2
erase 2
END

my %programs = (
	psycopg => [ $python, 'py', <<'PY' ],
import os, psycopg
from psycopg import errors
c = psycopg.connect(os.environ["DSN"], autocommit=True)
refused = ["UPDATE leads SET stage = 'sold' WHERE id = 2", "UPDATE leads SET stage = %s WHERE id = 1",
           "INSERT INTO leads VALUES (9, 'sal', NULL, 'a@b')", "UPDATE leads SET stage = 'sal' WHERE id = 2",
           "UPDATE leads SET stage = 'disqualified' WHERE id = 2", "UPDATE leads SET stage = 'disqualified', why = 'weather' WHERE id = 2",
           "UPDATE leads SET stage = NULL WHERE id = 2"]
for q in refused:
    try:
        c.execute(q, ["customer"] if "%s" in q else None)
        print("passed")
    except psycopg.IntegrityError as e:
        d = e.diag
        print(e.sqlstate, d.constraint_name, d.schema_name, d.table_name, d.column_name)
def one(q, *args):
    return c.execute(q, args).fetchone()
print("explain_move", str(one("SELECT allowed FROM align.explain_move(%s, %s, %s)", "leads", "2", "disqualified")[0] == False).lower())
print("explain_move of two columns", str(one("SELECT allowed FROM align.explain_move(%s, %s, %s)", "deals", '["emea", 1]', "mql")[0]).lower())
print("journeys", one("SELECT (key->>'id')::int FROM align.journeys(%s, %s)", "leads", "2")[0])
print("clocks", one("SELECT sla FROM align.clocks(%s, now(), %s)", "leads", "2")[0])
print("merge_leads", one("SELECT align.merge_leads(%s, %s, %s)", "leads", "3", "2")[0])
print("forget", one("SELECT align.forget(%s, %s)", "leads", "2")[0])
c.execute("DELETE FROM leads WHERE id = 3")
print("erase", one("SELECT align.erase(%s, %s)", "leads", 3)[0])
PY
	pg => [ $node_js, 'js', <<'JS' ],
const { Client } = require('pg');
(async () => {
	const c = new Client({ host: process.env.PGHOST, port: +process.env.PGPORT, database: 'postgres', user: process.env.DBUSER });
	await c.connect();
	for (const [q, args] of [["UPDATE leads SET stage = 'sold' WHERE id = 2"], ["UPDATE leads SET stage = $1 WHERE id = 1", ['customer']],
		["INSERT INTO leads VALUES (9, 'sal', NULL, 'a@b')"], ["UPDATE leads SET stage = 'sal' WHERE id = 2"],
		["UPDATE leads SET stage = 'disqualified' WHERE id = 2"], ["UPDATE leads SET stage = 'disqualified', why = 'weather' WHERE id = 2"],
		["UPDATE leads SET stage = NULL WHERE id = 2"]])
		await c.query(q, args).then(() => console.log('passed'), e => console.log(e.code, e.constraint, e.schema, e.table, e.column));
	const one = async (q, ...args) => Object.values((await c.query(q, args)).rows[0])[0];
	console.log('explain_move', !(await one('SELECT allowed FROM align.explain_move($1, $2, $3)', 'leads', 2, 'disqualified')));
	console.log('explain_move of two columns', await one('SELECT allowed FROM align.explain_move($1, $2, $3)', 'deals', JSON.stringify(['emea', 1]), 'mql'));
	console.log('journeys', await one("SELECT (key->>'id')::int FROM align.journeys($1, $2)", 'leads', 2));
	console.log('clocks', await one('SELECT sla FROM align.clocks($1, $2, $3)', 'leads', new Date(), 2));
	console.log('merge_leads', await one('SELECT align.merge_leads($1, $2, $3)', 'leads', 3, 2));
	console.log('forget', await one('SELECT align.forget($1, $2)', 'leads', 2));
	await c.query('DELETE FROM leads WHERE id = 3');
	console.log('erase', await one('SELECT align.erase($1, $2)', 'leads', 3));
	await c.end();
})().catch(e => { console.log(e.message); process.exit(1); });
JS
);

$ENV{DSN} = $node->connstr('postgres');
$ENV{PGHOST} = $node->host;
$ENV{PGPORT} = $node->port;
chomp($ENV{DBUSER} = `id -un`);

foreach my $driver (sort keys %programs)
{
	my ($command, $suffix, $program) = @{ $programs{$driver} };

  SKIP:
	{
		skip "$driver is not there", 1 unless $command;
		my $file = "$PostgreSQL::Test::Utils::tmp_check/driver.$suffix";
		append_to_file($file, $program);
		my $out = `$command $file 2>&1`;
		$out =~ s/^(merge_leads|forget|erase|journeys) \d+$/$1 n/mg;
		(my $expected = "$errors$answers") =~ s/^(merge_leads|forget|erase|journeys) \d+$/$1 n/mg;
		is($out, $expected, "$driver: errors are integrity errors, keys need no type");
		$node->safe_psql('postgres', q{SET align.actor = 'test'; INSERT INTO leads VALUES (3, 'inquiry'); UPDATE leads SET stage = 'mql' WHERE id = 3});
	}
}
is($node->safe_psql('postgres', q{SELECT * FROM align.check('leads')}), '', 'check is empty');
done_testing();
