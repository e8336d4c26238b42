# The rules of the house that a text search can hold: one version everywhere,
# differences between majors in one header, includes that point down only.
use strict;
use warnings;

use Test::More;

use File::Basename;
use File::Find;
use File::Spec;

my $top = File::Spec->rel2abs(dirname(__FILE__) . '/../..');

sub slurp
{
	my $file = shift;

	open my $in, '<', "$top/$file" or die "could not open $file: $!";
	local $/;
	return scalar <$in>;
}

# The version.
my ($version) = slurp('align.control') =~ /^default_version = '([^']+)'$/m;
like($version, qr/^\d+\.\d+\.\d+$/, 'align.control tells the version');
like(slurp('Makefile'), qr/^EXTVERSION = \Q$version\E$/m, 'Makefile: the same version');
like(slurp('META.json'), qr/^   "version": "\Q$version\E",$/m, 'META.json: the same version');
like(slurp('META.json'), qr/"file": "sql\/align--\Q$version\E\.sql"/, 'META.json: the script of that version');
my ($newest) = slurp('CHANGELOG.md') =~ /^## \[(\d[^\]]*)\]/m;
is($newest, $version, 'CHANGELOG.md: the newest entry is of that version');
ok(eval { require JSON::PP; JSON::PP::decode_json(slurp('META.json')) }, 'META.json is JSON') or diag($@);

# The sources.
my @sources;
find({ no_chdir => 1, wanted => sub { push @sources, File::Spec->abs2rel($_, $top) if /\.[ch]$/ } }, "$top/src");
cmp_ok(scalar @sources, '>', 10, 'there are sources to look at');

my @versioned = grep { $_ ne 'src/compat.h' && slurp($_) =~ /^\s*#.*(PG_VERSION_NUM|PG_MAJORVERSION)/m } @sources;
is("@versioned", '', 'only compat.h tells majors apart');

# The folders of src/, from the bottom up: a file includes headers of lower folders
# and of its own, and calls functions of these only.  Up to analyze nothing reads
# catalogs or runs SQL.
my @floors = ('src', 'calendar', 'funnel', 'lead', 'campaign', 'matching', 'judge', 'infer', 'attribute', 'conversion', 'incidence', 'process', 'paths', 'analyze', 'catalog', 'condition',
	'agreement', 'history', 'attachment', 'verdict', 'record', 'attach maintain report', 'backtest');
my %floor;
foreach my $floor (0 .. $#floors)
{
	$floor{$_} = $floor foreach split ' ', $floors[$floor];
}

my (%code, %home);
foreach my $file (@sources)
{
	ok(exists $floor{ basename(dirname($file)) }, "$file is in a folder of the house") or next;
	($code{$file} = slurp($file)) =~ s/\/\*.*?\*\///gs;
	$home{$_} //= $file foreach $file =~ /\.c$/ ? $code{$file} =~ /^(align_\w+)\(/mg : ();
}

sub is_above
{
	my ($other, $file) = map { basename(dirname($_)) } @_;

	return $other ne $file && $floor{$other} >= $floor{$file};
}

my (@upward, @calls, %calls);
foreach my $file (sort keys %code)
{
	# PostgreSQL has a folder named catalog, too
	push @upward, map { "$file includes $_" }
	  grep { -e "$top/src/$_" && is_above("src/$_", $file) }
	  $code{$file} =~ /^#include "(\w+\/\w+\.h)"/mg;
	next if $file !~ /\.c$/;
	foreach my $called ($code{$file} =~ /\b(align_\w+)\(/g)
	{
		my $other = $home{$called};

		next if !defined $other || $other eq $file;
		$calls{$file}{$other} = $called;
		push @calls, "$file calls $called() of $other" if is_above($other, $file);
	}
}
is("@upward", '', 'includes point down only');
is("@calls", '', 'calls point down only');

# Files that call each other in a circle: those that are left when every file that
# calls no other file that is left is taken away.
my %left = map { $_ => 1 } keys %calls;
while (1)
{
	my @done = grep { my $file = $_; !grep { $left{$_} } keys %{ $calls{$file} } } keys %left;

	last if !@done;
	delete @left{@done};
}
is(join(' ', sort keys %left), '', 'no files call each other in a circle');

# File names in comments: files of align's, by name or by folder and name.
my %named = map { (basename($_) => 1, $_ =~ s/^src\///r => 1) } @sources;
my @stale;
foreach my $file (sort @sources)
{
	push @stale, map { "$file: $_" } grep { !$named{$_} } map { /([\w.\/-]*\b\w+\.[ch])\b/g } slurp($file) =~ /(\/\*.*?\*\/)/gs;
}
is("@stale", '', 'comments name files that exist');

# Comments fit into 79 columns of 4-column tabs.
my @wide;
foreach my $file (sort @sources)
{
	my $in_comment = 0;
	my $number = 0;

	foreach my $line (split /\n/, slurp($file))
	{
		my $has_comment = $in_comment || $line =~ /\/\*/;

		$number++;
		$in_comment = $line =~ /\/\*(?!.*\*\/)/ ? 1 : $line =~ /\*\// ? 0 : $in_comment;
		1 while $line =~ s/^([^\t]*)\t/$1 . ' ' x (4 - length($1) % 4)/e;
		push @wide, "$file:$number" if $has_comment && length($line) > 79 && $line !~ /^\S.*;.*\/\*|^#define/;
	}
}
is("@wide", '', 'comment lines fit into 79 columns');

my @impure = grep {
	$floor{ basename(dirname($_)) } < $floor{catalog} &&
	  $code{$_} =~ /\bSPI_\w+\s*\(|\bSearchSysCache|\btable_open\b/
} sort keys %code;
is("@impure", '', 'the pure folders neither call SPI nor read catalogs');

# The install script.
my ($modules) = slurp('Makefile') =~ /^SQL_MODULES = (.*)$/m;
is(join(' ', sort split ' ', $modules),
	join(' ', sort map { basename($_, '.sql') } glob("$top/sql/align/*.sql")),
	'every module is part of the install script');
my @replacing = grep { slurp("sql/align/$_.sql") =~ /^\s*CREATE\s+OR\s+REPLACE|^\s*CREATE\s+.*IF\s+NOT\s+EXISTS/mi } split ' ', $modules;
is("@replacing", '', 'the install script creates, and replaces nothing');

# Everything in expected/ belongs to a test, and the other way round.
my @tests = map { basename($_) =~ s/\.\w+$//r } glob("$top/test/sql/*.sql $top/test/specs/*.spec");
my %test = map { $_ => 1 } @tests;
is(scalar keys %test, scalar @tests, 'tests that share expected/ have names of their own');
my %expected = map { basename($_, '.out') =~ s/_\d+$//r => 1 } glob("$top/expected/*.out");
is(join(' ', grep { !$test{$_} } sort keys %expected), '', 'no expectation without its test');
is(join(' ', grep { !$expected{$_} } sort keys %test), '', 'no test without its expectation');

done_testing();
