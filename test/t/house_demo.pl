# The demo's story: every section runs on generated leads, the same seed tells
# the same story, and rows as they come from CSV files can be told, too.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use File::Basename;
use File::Spec;

my $demo = File::Spec->rel2abs(dirname(__FILE__) . '/../../sql/demo');
my $node = PostgreSQL::Test::Cluster->new('demo');
$node->init;
$node->append_conf('postgresql.conf', "timezone = 'UTC'\n");
$node->start;

# Runs files of the demo as its script does; returns what they print.
sub tell_story
{
	my ($database, $variables, @files) = @_;
	my $told = '';

	foreach my $file (@files)
	{
		my @command = ('psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($database));
		push @command, '-v', "$_=$variables->{$_}" foreach sort keys %$variables;
		my ($out, $err) = run_command([ @command, '-f', "$demo/$file.sql" ]);
		is($err, '', "$database: $file.sql runs");
		$told .= "$out\n";
	}
	return $told;
}

my @sections = qw(3_backtest 4_funnel 5_promises 6_picture);
my %none = (won => '', lost => '');

# Two databases, one seed.
foreach my $database (qw(story again))
{
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, 'CREATE EXTENSION align');
	tell_story($database, { %none, leads => 500 }, 'generate', 'prepare');
}
my $digest = q(SELECT md5(string_agg(e::text, '|' ORDER BY lead, at, e::text)) FROM demo.event e);
is($node->safe_psql('story', $digest), $node->safe_psql('again', $digest), 'the same seed tells the same story');
is($node->safe_psql('story', 'SELECT won, lost FROM demo.ending'), '{customer}|{disqualified}', 'what ends a journey is found by its name');

like(tell_story('story', \%none, '1_inferred'), qr/^success path inquiry -> mql -> sal -> sql -> opportunity -> customer;/m,
	'(a) the success path is found in the data');
my $signed = tell_story('story', { document => slurp_file("$demo/b2b.txt") }, '2_signed');
like($signed, qr/added\s+\S+ handoff speed_to_lead/, '(b) the differences are told');
my $story = tell_story('story', {}, @sections);
like($story, qr/^ illegal_move\s+\S+ mql\s+\S+ sql\s/m, '(c) the backtest finds what was sown');
like($story, qr/^ customer\s+\S+\s+\d+ \S+\s+\d+ /m, '(d) the funnel ends with customers');
like($story, qr/^ speed_to_lead\s+\S+ sales\s+\S+ 4 working hours\s/m, '(e) promises are told');
like($story, qr/^stateDiagram-v2$/m, '(f) the picture is there');
is($node->safe_psql('story', 'SELECT count(*) FROM demo.journey'), '500', 'every lead has its journey');
tell_story('story', {}, 'try');

# Rows from somewhere else: no teams, reasons or campaigns, other names.
$node->safe_psql('postgres', 'CREATE DATABASE csv');
$node->safe_psql('csv', 'CREATE EXTENSION align');
tell_story('csv', {}, 'load_begin');
$node->safe_psql('csv', <<'SQL');
INSERT INTO demo.csv (file, lead, at, stage) VALUES
	('x', 'a', '2026-01-01 10:00', 'New'), ('x', 'a', '2026-01-02 10:00', 'In talks'), ('x', 'a', '2026-01-03 10:00', 'Closed Won'),
	('x', 'b', '2026-01-01 11:00', 'New'), ('x', 'b', '2026-01-04 10:00', ' Closed Lost '),
	('x', 'c', '2026-01-01 12:00', 'New'), ('x', ' ', '2026-01-01 12:00', 'New'), ('x', 'd', '', 'New'), ('x', 'e', '2026-01-01', '');
SQL
like(tell_story('csv', \%none, 'load_end', 'prepare'), qr/^9 rows, 3 of them without/m, 'rows that say nothing are counted');
is($node->safe_psql('csv', 'SELECT won, lost FROM demo.ending'), '{"Closed Won"}|{"Closed Lost"}', 'won and lost are told apart');
tell_story('csv', \%none, '1_inferred');
my $csv = tell_story('csv', { document => $node->safe_psql('csv', 'SELECT draft FROM demo.inferred') }, '2_signed', @sections);
like($csv, qr/nothing changes/, 'without another agreement they sign the draft');
like($csv, qr/promises nothing yet/, 'and are told what is missing in it');

$node->stop;
done_testing();
