# Clients that read reports: pg for Node.js, psycopg 3, JDBC and R read every view
# and every function as of an instant.  The types that the server declares are
# those that tools know, the values are of the types that docs/bi.md tells.  Each
# client that is missing is skipped; test/run brings those that Debian or npm have.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use File::Basename;

my $clients = $ENV{ALIGN_CLIENTS} // '';
my $missing = $ENV{CLIENTS_MISSING} ? ": $ENV{CLIENTS_MISSING}" : '';

# The first of some commands that exits with 0; undef if none does.
sub works
{
	my @commands = @_;

	foreach my $command (@commands)
	{
		return $command->[0] if system("$command->[0] $command->[1] >/dev/null 2>&1") == 0;
	}
	return undef;
}

$ENV{NODE_PATH} = join ':', grep { length } "$clients/node_modules", $ENV{NODE_PATH} // '';
$ENV{PYTHONPATH} = join ':', grep { length } "$clients/usr/lib/python3/dist-packages", $ENV{PYTHONPATH} // '';
$ENV{R_LIBS} = join ':', grep { length } "$clients/usr/lib/R/site-library", $ENV{R_LIBS} // '';
my $node_js = works(map { [ $_, q{-e 'require("pg")'} ] } 'node', 'nodejs');
my $python = works(map { [ $_, q{-c 'import psycopg; assert psycopg.__version__ >= "3"'} ] } grep { defined } $ENV{PYTHON}, 'python3', '/usr/bin/python3');
my ($jar) = grep { -e } "$clients/usr/share/java/postgresql.jar", '/usr/share/java/postgresql.jar';
my $java = $jar && works([ 'java', '--list-modules | grep -q jdk.compiler' ]);
my $r_driver = works(map { [ "Rscript --vanilla -e 'library(DBI); library($_)", q{'} ] } 'RPostgres', 'RPostgreSQL');
($r_driver) = $r_driver =~ /(RPostgre\w+)/ if $r_driver;

plan skip_all => "no client is there (pg for Node.js, python3-psycopg, libpostgresql-jdbc-java with a JDK, r-cran-rpostgresql)$missing"
  unless $node_js || $python || $java || $r_driver;

# What the page recommends.
my $page = slurp_file(dirname(__FILE__) . '/../../docs/bi.md');
my ($js_parsers) = $page =~ /^```js\n(.*?)^```/ms;
my ($java_values) = $page =~ /^```java\n(.*?)^```/ms;
my ($r_plot) = $page =~ /^```r\n(.*?)^```/ms;
ok(defined $js_parsers && defined $java_values && defined $r_plot, 'docs/bi.md shows parsers for pg, values of JDBC and a plot in R');

my $node = PostgreSQL::Test::Cluster->new('primary');
$node->init;
$node->append_conf('postgresql.conf', "listen_addresses = '127.0.0.1'\ntimezone = 'UTC'\njit = off\n");
$node->start;

# A company of 300 leads in the last five months, with all that reports read.
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION align;
SELECT align.agree('company', $$
	hours 'Europe/London Mo-Fr 09:00-17:30';
	stage inquiry, mql held by marketing;
	stage sal, sql held by sales;
	won customer;
	lost disqualified;
	entry inquiry, mql;
	success path inquiry -> mql -> sal -> sql -> customer;
	path any -> disqualified;
	handoff speed_to_lead: mql from marketing to sales, accept sal, reject disqualified with reason (budget, timing), within 4 working hours, warn after 3 working hours;
	sla close by sales: from sal to customer, disqualified within 10 days;
	segment big: 'amount >= 500';
	target marketing: 10 mql per month;
	target sales: 90% of speed_to_lead;
	target sales: 25% from mql to customer within 30 days;
	target sales: 500 amount of customer per quarter;
$$);
CREATE TYPE area AS ENUM ('north', 'south');
CREATE TABLE leads (area area, id uuid, status text, owner text, reason text, amount numeric, campaign text, changed_at timestamptz,
	country varchar(2), employees int, turnover bigint, weight numeric, score float8, priority smallint, vip boolean, founded date, seen timestamptz, PRIMARY KEY (area, id));
SELECT align.attach('leads', 'company', mode => 'observe', stage => 'status', assignee => 'owner', reason => 'reason', amount => 'amount', campaign => 'campaign', changed_at => 'changed_at');
CREATE SCHEMA reports;
SELECT align.create_campaign_tables('reports', 'EUR');
INSERT INTO leads SELECT (ARRAY['north', 'south'])[1 + i % 2]::area, md5(i::text)::uuid, (ARRAY['inquiry', 'mql'])[1 + i % 2], (ARRAY['ann', 'bob', NULL])[1 + i % 3], NULL, nullif(i % 9, 0) * 100.5,
	(ARRAY[NULL, 'Spring', 'utm_source=google&utm_medium=cpc&utm_campaign=crm&utm_id=7'])[1 + i % 3], date_trunc('hour', now()) - i * interval '12 hours',
	(ARRAY['DE', NULL])[1 + i % 2], i, i * 5000000000, i / 7.0, i / 3.0, i % 5, i % 2 = 0, date '2000-01-01' + i, timestamptz '2026-01-01' + i * interval '1 day'
FROM generate_series(1, 300) i;
UPDATE leads SET status = 'mql', changed_at = changed_at + interval '1 hour' WHERE status = 'inquiry' AND employees % 3 > 0;
UPDATE leads SET status = CASE WHEN employees % 4 > 0 THEN 'sal' ELSE 'disqualified' END, reason = CASE WHEN employees % 4 = 0 THEN 'budget' END, changed_at = changed_at + interval '3 hours' WHERE status = 'mql' AND employees % 5 > 0 AND employees > 3;
UPDATE leads SET status = 'sql', changed_at = changed_at + interval '1 day' WHERE status = 'sal' AND employees % 7 > 0 AND employees > 5;
UPDATE leads SET status = CASE employees % 3 WHEN 0 THEN 'disqualified' ELSE 'customer' END, changed_at = changed_at + interval '2 days' WHERE status = 'sql' AND employees > 12;
INSERT INTO reports.campaign_cost (day, campaign_source, campaign_medium, campaign_name, amount) SELECT current_date - i, 'google', 'cpc', 'crm', 12.5 FROM generate_series(1, 90) i;
SELECT align.create_reports('leads', 'reports', time_zone => 'Europe/London', settle => '30 days', complete_since => now() - interval '200 days',
	dimensions => '{country,employees,turnover,weight,score,priority,vip,founded,seen}');
SQL

# What the server declares: name, rows, and per column its name and type.
my $instant = $node->safe_psql('postgres', q{SELECT to_char(now() + interval '1 day', 'YYYY-MM-DD')});
my @relations = split /\n/, $node->safe_psql('postgres', q{SELECT relname FROM pg_class WHERE relnamespace = 'reports'::regnamespace AND relkind = 'v' ORDER BY relname COLLATE "C"});
my (@expected, @expected_names);
cmp_ok(scalar @relations, '>', 20, 'there are views');
foreach my $relation (@relations)
{
	my $declared = $node->safe_psql('postgres', "SELECT string_agg(attname || ':' || atttypid::regtype::oid, ' ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'reports.$relation'::regclass AND attnum > 0");
	my $names = $declared =~ s/:\d+//gr;

	foreach my $from ("reports.$relation", "reports.$relation('$instant')")
	{
		my $rows = $node->safe_psql('postgres', "SELECT count(*) FROM $from");
		push @expected, "$from $rows $declared";
		push @expected_names, "$from $rows $names";
	}
}
my %allowed = map { $_ => 1 } split /\n/, $node->safe_psql('postgres', q{SELECT unnest('{text,int4,int8,numeric,float8,bool,date,timestamptz,area,uuid}'::regtype[])::oid});
my %seen = map { $_ => 1 } map { /:(\d+)/g } @expected;
is_deeply([ grep { !$allowed{$_} } sort keys %seen ], [], 'no other types');
is_deeply([ grep { !$seen{$_} } sort keys %allowed ], [], 'and all of these are read');
my $empty = grep { /^reports\.\w+ 0 / } @expected;
cmp_ok($empty, '<', @relations / 4, 'most views have rows') or diag(join "\n", grep { /^reports\.\w+ 0 / } @expected);

$ENV{DSN} = $node->connstr('postgres');
$ENV{PGHOST} = '127.0.0.1';
$ENV{PGPORT} = $node->port;
chomp($ENV{PGUSER} = `id -un`);
$ENV{PGDATABASE} = 'postgres';
$ENV{FROMS} = join "\n", map { /^(\S+\(.*?\)|\S+) / } @expected;

# Compares lines, and shows those that differ.
sub same_lines
{
	my ($got, $expected, $name) = @_;
	my @got = split /\n/, $got;
	my %got = map { $_ => 1 } @got;
	my %expected = map { $_ => 1 } @$expected;

	ok($got eq join("\n", @$expected), $name)
	  or diag(join("\n", (map { "missing: $_" } grep { !$got{$_} } @$expected), (map { "got: $_" } grep { !$expected{$_} } @got)));
	return;
}

# Runs a program in a file, and returns what it prints.
sub run_program
{
	my ($command, $file, $program) = @_;

	mkdir "$PostgreSQL::Test::Utils::tmp_check/clients";
	my $path = "$PostgreSQL::Test::Utils::tmp_check/clients/$file";
	append_to_file($path, $program);
	my $out = `$command $path 2>&1`;
	chomp $out;
	return $out;
}

SKIP:
{
	skip "pg for Node.js (npm) is not there$missing", 1 unless $node_js;
	my $program = $js_parsers . <<'JS';
const { Client } = require('pg');
const kinds = {
	20: v => typeof v === 'number' && Number.isFinite(v), 23: v => typeof v === 'number', 1700: v => typeof v === 'number' && Number.isFinite(v), 701: v => typeof v === 'number' && Number.isFinite(v),
	16: v => typeof v === 'boolean', 25: v => typeof v === 'string', 1082: v => /^\d{4}-\d\d-\d\d$/.test(v), 1184: v => v instanceof Date,
};
(async () => {
	const c = new Client();
	await c.connect();
	for (const from of process.env.FROMS.split('\n')) {
		const r = await c.query('SELECT * FROM ' + from);
		console.log(from, r.rows.length, r.fields.map(f => f.name + ':' + f.dataTypeID).join(' '));
		for (const f of r.fields)
			for (const row of r.rows)
				if (row[f.name] !== null && kinds[f.dataTypeID] && !kinds[f.dataTypeID](row[f.name]))
					console.log('wrong value', from, f.name, typeof row[f.name], String(row[f.name]));
	}
	await c.end();
})().catch(e => { console.log(e.message); process.exit(1); });
JS
	same_lines(run_program($node_js, 'clients.js', $program), \@expected, 'pg for Node.js reads all, with the parsers of docs/bi.md');
}

SKIP:
{
	skip "psycopg 3 (python3-psycopg) is not there$missing", 1 unless $python;
	same_lines(run_program($python, 'clients.py', <<'PY'), \@expected, 'psycopg reads all');
import os, psycopg, datetime, decimal
kinds = {20: int, 23: int, 1700: decimal.Decimal, 701: float, 16: bool, 25: str, 1082: datetime.date, 1184: datetime.datetime}
with psycopg.connect(os.environ["DSN"]) as c:
    for source in os.environ["FROMS"].split("\n"):
        cursor = c.execute("SELECT * FROM " + source)
        rows = cursor.fetchall()
        print(source, len(rows), " ".join(f"{d.name}:{d.type_code}" for d in cursor.description))
        for i, d in enumerate(cursor.description):
            kind = kinds.get(d.type_code)
            for row in rows:
                if row[i] is not None and kind and (type(row[i]) is not kind or kind is datetime.datetime and row[i].tzinfo is None):
                    print("wrong value", source, d.name, type(row[i]), row[i])
PY
}

SKIP:
{
	skip "JDBC (libpostgresql-jdbc-java, and a JDK) is not there$missing", 1 unless $java;
	my $program = <<'JAVA';
import java.math.BigDecimal;
import java.sql.*;
import java.time.*;

public class Clients {
	public static void main(String[] args) throws Exception {
		String url = "jdbc:postgresql://" + System.getenv("PGHOST") + ":" + System.getenv("PGPORT") + "/postgres?user=" + System.getenv("PGUSER");
		try (Connection connection = DriverManager.getConnection(url)) {
			for (String from : System.getenv("FROMS").split("\n")) {
				try (Statement statement = connection.createStatement(); ResultSet row = statement.executeQuery("SELECT * FROM " + from)) {
					ResultSetMetaData meta = row.getMetaData();
					int n = 0;
					while (row.next()) {
						n++;
						for (int i = 1; i <= meta.getColumnCount(); i++)
							read(row, i, typeName(meta, i));
					}
					StringBuilder line = new StringBuilder(from + " " + n);
					for (int i = 1; i <= meta.getColumnCount(); i++)
						line.append(" " + meta.getColumnName(i) + ":" + typeName(meta, i));
					System.out.println(line);
				}
			}
		}
	}

	static String typeName(ResultSetMetaData meta, int i) throws SQLException {
		return meta.getColumnTypeName(i).replaceAll("\"|^\"public\"\\.", "");
	}

	static void read(ResultSet row, int i, String type) throws SQLException {
		if (row.getObject(i) == null)
			return;
		Object value = row.getObject(i);
		Class<?> expected = switch (type) {
			case "int4" -> Integer.class;
			case "int8" -> Long.class;
			case "numeric" -> BigDecimal.class;
			case "float8" -> Double.class;
			case "bool" -> Boolean.class;
			case "uuid" -> java.util.UUID.class;
			case "text", "area" -> String.class;
			case "date", "timestamptz" -> null;
			default -> throw new SQLException("type " + type);
		};
		if (type.equals("date")) {
@DATE@
			value = day;
			expected = LocalDate.class;
		} else if (type.equals("timestamptz")) {
@INSTANT@
			value = at;
			expected = OffsetDateTime.class;
		}
		if (value.getClass() != expected)
			System.out.println("wrong value " + type + " " + value.getClass() + " " + value);
	}
}
JAVA
	my ($date_line) = $java_values =~ /^(LocalDate day = .*)$/m;
	my ($instant_line) = $java_values =~ /^(OffsetDateTime at = .*)$/m;
	s/"\w+"/i/ foreach $date_line, $instant_line;
	$program =~ s/^\@DATE\@$/$date_line/m;
	$program =~ s/^\@INSTANT\@$/$instant_line/m;
	my %name = map { split /\|/ } split /\n/, $node->safe_psql('postgres', 'SELECT oid, typname FROM pg_type');
	my @named = map { s/:(\d+)/:$name{$1}/gr } @expected;
	same_lines(run_program("java -Duser.timezone=America/New_York -cp $jar", 'Clients.java', $program), \@named, 'JDBC reads all, with the calls of docs/bi.md');
}

SKIP:
{
	skip "R (r-base-core, and r-cran-rpostgresql or RPostgres) is not there$missing", 3 unless $r_driver;
	my $connect = "suppressMessages({ library(DBI); library($r_driver) })\n" . ($r_driver eq 'RPostgres'
		? 'connection <- dbConnect(Postgres(), bigint = "numeric")'
		: 'connection <- dbConnect(PostgreSQL(), host = Sys.getenv("PGHOST"), port = as.integer(Sys.getenv("PGPORT")), user = Sys.getenv("PGUSER"), dbname = "postgres")') . "\n";
	# R warns that it reads an enum or uuid as text
	my $out = run_program('Rscript --vanilla', 'clients.r', $connect . <<'R');
options(warn = -1)
for (from in strsplit(Sys.getenv("FROMS"), "\n")[[1]]) {
	data <- dbGetQuery(connection, paste("SELECT * FROM", from))
	cat(from, nrow(data), names(data), "\n")
	for (name in names(data))
		if (grepl("^(leads|n|entered|met|missed|share|compliance)$|_rate$|_share$|_seconds$|^is_(met|missed)$", name) && !is.numeric(data[[name]]) && !is.logical(data[[name]]))
			cat("wrong value", from, name, class(data[[name]]), "\n")
}
R
	$out =~ s/ +$//mg;
	same_lines($out, \@expected_names, "R ($r_driver) reads all");
	my $plot = "$PostgreSQL::Test::Utils::tmp_check/clients/plot.pdf";
	is(run_program('Rscript --vanilla', 'plot.r', "$connect\npdf('$plot')\n$r_plot\ninvisible(dev.off())\ncat(nrow(reports), class(reports\$week), is.numeric(reports\$compliance))\n"),
		$node->safe_psql('postgres', "SELECT count(*) || ' Date TRUE' FROM reports.sla_by_week"), 'the plot of docs/bi.md: runs');
	cmp_ok(-s $plot // 0, '>', 2000, 'the plot of docs/bi.md: is drawn');
}

$node->stop;
done_testing();
