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

# Common rooms < nouns, in this order < judge < what works across leads or with tables.
my %floor = (src => 0, calendar => 1, funnel => 2, lead => 3, judge => 4, catalog => 4, analyze => 5, enforce => 5);
my @upward;
foreach my $file (@sources)
{
	my $room = basename(dirname($file));

	ok(exists $floor{$room}, "$file is in a room of the house") or next;
	push @upward, map { "$file includes $_" }
	  grep { exists $floor{$_} && $_ ne $room && $floor{$_} >= $floor{$room} }
	  map { s/\/.*//r }
	  # PostgreSQL has a folder named catalog, too
	  grep { -e "$top/src/$_" }
	  slurp($file) =~ /^#include "(\w+\/\w+\.h)"/mg;
}
is("@upward", '', 'includes point down only');

my @impure = grep {
	my $room = basename(dirname($_));
	($floor{$room} // 9) <= 3 && slurp($_) =~ /\bSPI_\w+\s*\(|\bSearchSysCache|\btable_open\b/
} @sources;
is("@impure", '', 'the nouns neither call SPI nor read catalogs');

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
