# make demo DATA=folder: the script itself, on CSV files as people have them.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use File::Basename;
use File::Spec;

my $top = File::Spec->rel2abs(dirname(__FILE__) . '/../..');
plan skip_all => 'test/run says for which PostgreSQL to build' unless $ENV{BUILD_PG_CONFIG};

sub write_file
{
	my ($name, $text) = @_;
	open my $file, '>', $name or die "could not write $name: $!";
	print $file $text;
	close $file or die "could not write $name: $!";
}

# Runs the demo's script with these settings; (exit status, output, errors).
sub demo
{
	my (%settings) = @_;
	my ($out, $err) = ('', '');

	delete local @ENV{qw(PGDATA PGHOST PGPORT PGUSER PGDATABASE PGOPTIONS MAKEFLAGS MAKELEVEL KEEP AGREEMENT TIMEZONE)};
	local $ENV{PG_CONFIG} = $ENV{BUILD_PG_CONFIG};
	local @ENV{ keys %settings } = values %settings;
	IPC::Run::run([ 'bash', "$top/sql/demo/run" ], '<', \undef, '>', \$out, '2>', \$err);
	return ($? >> 8, $out, $err);
}

# 60 leads: every second is won, every tenth jumps to the end.  The header has a
# byte order mark, capitals and a column that nobody needs; one row has no time.
my $folder = PostgreSQL::Test::Utils::tempdir;
my $csv = "\xef\xbb\xbfLead, AT ,Stage,nobody,Reason\r\n";
foreach my $lead (1 .. 60)
{
	my $day = sprintf '2026-%02d-%02d', 1 + $lead % 5, 1 + $lead % 20;
	$csv .= qq{lead "$lead",$day 09:00,new,x,\r\n} =~ s/"//gr;
	if ($lead % 10 == 0)
	{
		$csv .= "lead $lead,$day 10:00,signed,x,\r\n";
		next;
	}
	$csv .= "lead $lead,$day 11:00,met,x,\r\n";
	$csv .= "lead $lead,$day 15:00," . ($lead % 2 == 0 ? 'signed,x,' : 'gone,x,price') . "\r\n";
}
$csv .= "lead 61,,new,x,\r\n";
write_file("$folder/it's a file.csv", $csv);

my ($status, $out, $err) = demo(DATA => $folder, WON => 'signed', LOST => 'gone', PAGE => "$folder/page/weekly.html");
is($status, 0, 'the story is told') or diag($err);
like($out, qr/^read it's a file\.csv$/m, 'the file is read');
like($out, qr/1 of them without lead, time or stage and left out/, 'what is left out is said');
like($out, qr/^success path new -> met -> signed;/m, '(a) the agreement that the data follows');
like($out, qr/They sign what is done today: nothing changes/, '(b) is what they sign');
like($out, qr/^\s*60 \S+\s+60 \S+ 100\.0 %/m, '(c) it fits');
like($out, qr/^ signed\s+\S+\s+30 \S+\s+30 /m, '(d) half of the leads are won');
like($out, qr/^stateDiagram-v2$/m, '(f) the picture');
like($out, qr/^It is in the file \Q$folder\E\/page\/weekly\.html$/m, '(h) where the weekly page is');
like(slurp_file("$folder/page/weekly.html"), qr/No target is agreed.*<\/html>/s, '(h) and it is there');
like($out, qr/make demo KEEP=1/, 'how to go on');

# What cannot be read is refused before anything is told.
my $other = PostgreSQL::Test::Utils::tempdir;
($status, $out, $err) = demo(DATA => $other);
isnt($status, 0, 'a folder without CSV files is refused');
like($err, qr/holds no file whose name ends in \.csv/, 'and it is said why');

done_testing();
