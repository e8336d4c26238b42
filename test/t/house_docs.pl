# Documentation that is true: the examples in README.md and docs/ run and show
# what they say, and every SQL object is mentioned.
#
# A block that begins with ```sql is run; a block without a language right after
# it is what psql must print.  One file is one session in a database of its own.
# ```sql norun is shown only (it needs something that only the reader has).
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use File::Basename;
use File::Spec;

my $top = File::Spec->rel2abs(dirname(__FILE__) . '/../..');
my @pages = ("$top/README.md", glob("$top/docs/*.md"));

# Returns [line, sql, what psql shall print or undef], ...
sub examples
{
	my $page = shift;
	my (@examples, @lines);
	my ($language, $begin, $last_sql);
	my $gap = '';

	open my $in, '<', $page or die "could not open $page: $!";
	while (my $line = <$in>)
	{
		if (!defined $language)
		{
			if ($line =~ /^```\s*(.*?)\s*$/)
			{
				($language, $begin, @lines) = ($1, $.);
			}
			else
			{
				$gap .= $line;
			}
			next;
		}
		if ($line !~ /^```\s*$/)
		{
			push @lines, $line;
			next;
		}
		if ($language eq 'sql')
		{
			push @examples, [ $begin, join('', @lines), undef ];
			$last_sql = $examples[-1];
		}
		else
		{
			# Output belongs to the example it follows at once.
			$last_sql->[2] = join('', @lines)
			  if $language eq '' && $last_sql && $gap !~ /\S/;
			$last_sql = undef;
		}
		undef $language;
		$gap = '';
	}
	die "$page: a block that begins at line $begin does not end" if defined $language;
	close $in;
	return @examples;
}

sub tidy
{
	my $text = shift;

	$text =~ s/[ \t]+$//mg;
	$text =~ s/\A\n+//;
	$text =~ s/\n+\z//;
	return "$text\n";
}

my $node = PostgreSQL::Test::Cluster->new('docs');
$node->init;
$node->append_conf('postgresql.conf', "timezone = 'UTC'\nmax_parallel_workers_per_gather = 0\n");
$node->start;

foreach my $page (@pages)
{
	my $name = File::Spec->abs2rel($page, $top);
	my @examples = examples($page);

	next unless @examples;

	(my $database = basename($page, '.md')) =~ s/[^a-z]/_/gi;
	$node->safe_psql('postgres', qq(CREATE DATABASE "doc_$database"));
	# A reader has created the extension, unless the page says how to.
	$node->safe_psql("doc_$database", 'CREATE EXTENSION align')
	  unless grep { $_->[1] =~ /CREATE EXTENSION align/ } @examples;

	my $script = "\\set VERBOSITY default\nSET client_min_messages = warning;\n";
	$script .= "\\echo <<<$_->[0]>>>\n$_->[1]\n" foreach @examples;
	my $file = "$PostgreSQL::Test::Utils::tmp_check/$database.sql";
	open my $out, '>', $file or die "could not write $file: $!";
	print $out $script;
	close $out;

	# Errors belong where they happen, so both streams go to one file.
	my $log = "$PostgreSQL::Test::Utils::tmp_check/$database.out";
	system(sprintf "psql -X -q -h '%s' -p %s -d 'doc_%s' <'%s' >'%s' 2>&1",
		$node->host, $node->port, $database, $file, $log);
	my $text = slurp_file($log);
	my %printed;

	$printed{$1} = $2 while $text =~ /^<<<(\d+)>>>\n(.*?)(?=^<<<\d+>>>\n|\z)/msg;

	foreach my $example (@examples)
	{
		my ($line, undef, $expected) = @$example;
		my $got = $printed{$line} // '(nothing: the session ended before)';

		if (defined $expected)
		{
			is(tidy($got), tidy($expected), "$name, line $line: prints what it says");
		}
		else
		{
			ok(defined $printed{$line} && $got !~ /^(psql:.*)?(ERROR|FATAL):/m, "$name, line $line: runs")
			  or diag($got);
		}
	}
}

# The objects that a user meets by name; what only implements a type, an
# operator or an aggregate is found through those.
$node->safe_psql('postgres', 'CREATE EXTENSION align');
my @objects = split /\n/, $node->safe_psql('postgres', <<'SQL');
SELECT DISTINCT o.name
FROM pg_depend d
JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND e.extname = 'align'
CROSS JOIN LATERAL (
	SELECT proname::text FROM pg_proc p
	WHERE d.classid = 'pg_proc'::regclass AND p.oid = d.objid
	  AND NOT EXISTS (SELECT FROM pg_type t WHERE p.oid IN (t.typinput, t.typoutput, t.typreceive, t.typsend, t.typmodin, t.typmodout))
	  AND NOT EXISTS (SELECT FROM pg_operator op WHERE p.oid = op.oprcode)
	  AND NOT EXISTS (SELECT FROM pg_amproc ap WHERE p.oid = ap.amproc)
	  AND NOT EXISTS (SELECT FROM pg_cast c WHERE p.oid = c.castfunc)
	  AND NOT EXISTS (SELECT FROM pg_trigger tg WHERE p.oid = tg.tgfoid)
	  AND NOT EXISTS (SELECT FROM pg_aggregate a
					  WHERE p.oid IN (a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn,
									  a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn))
	UNION ALL
	SELECT relname::text FROM pg_class c
	WHERE d.classid = 'pg_class'::regclass AND c.oid = d.objid AND c.relkind IN ('r', 'v', 'm', 'p', 'f')
	UNION ALL
	SELECT typname::text FROM pg_type t
	WHERE d.classid = 'pg_type'::regclass AND t.oid = d.objid AND t.typtype <> 'c' AND t.typelem = 0
) o (name)
ORDER BY 1;
SQL
my $docs = join "\n", map { slurp_file($_) } glob("$top/docs/*.md");

cmp_ok(scalar @objects, '>', 20, 'the extension has objects to document');
foreach my $object (@objects)
{
	ok($docs =~ /\b\Q$object\E\b/, "$object is documented");
}

# Every code that an error of align may have is in one of the tables of codes.
my $sources = join "\n", map { slurp_file($_) } glob("$top/src/*.[ch] $top/src/*/*.[ch]");
my %raised = map { $_ => 1 } $sources =~ /\berrcode\(ERRCODE_(\w+)\)/g;
my ($own) = slurp_file("$top/src/judge/judge.h") =~ /typedef enum Rule\n\{(.*?)\} Rule;/s;
my $operations = slurp_file("$top/docs/operations.md");
my %numbers;

if ($ENV{BUILD_PG_CONFIG})
{
	chomp(my $include = `$ENV{BUILD_PG_CONFIG} --includedir-server`);
	my $header = slurp_file("$include/utils/errcodes.h");
	$numbers{$1} = join '', $2 =~ /'(.)'/g while $header =~ /^#define ERRCODE_(\w+) MAKE_SQLSTATE\((.*)\)/mg;
}
my @unexplained = grep {
	my $number = $numbers{$_} // '\w{5}';
	my $name = lc($_) =~ s/^(?:[a-z]_)+//r;
	$operations !~ /^\| $number \| .*`$name`/m;
} sort keys %raised;
is("@unexplained", '', 'every SQLSTATE of PostgreSQL that is raised is explained');
my %rows;
$rows{$1}++ while $docs =~ /^\| `(AL\d{3})` \|/mg;
is(join(' ', map { "$_:" . ($rows{$_} // 0) } sort keys %{ { %rows, map { $_ => 1 } $own =~ /\bAL\d{3}\b/g } }),
	join(' ', map { "$_:1" } sort($own =~ /\bAL\d{3}\b/g)), 'and each of our own once');

# Links between the pages lead somewhere.
foreach my $page (@pages, "$top/CHANGELOG.md")
{
	my $text = slurp_file($page);
	my @broken = grep { !/^[a-z]+:/ && !-e dirname($page) . "/$_" }
	  map { s/#.*//r } grep { !/^#/ } $text =~ /\]\(([^)\s]+)\)/g;

	is("@broken", '', File::Spec->abs2rel($page, $top) . ': links lead somewhere');
}

$node->stop;
# The sections on views are written from the files of sql/report.
my ($written) = slurp_file("$top/docs/reports.md") =~ /^<!-- From here on.*?\n(.*)/ms;
my @files = sort glob("$top/sql/report/*.sql");
my $sections = `LC_ALL=C awk -f '$top/sql/report/docs.awk' @files`;
is($?, 0, 'each view names its question and has an example');
ok(defined $written && $written eq $sections, 'docs/reports.md is as "make docs/reports.md" writes it');

done_testing();
