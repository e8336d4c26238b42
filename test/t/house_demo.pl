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
my @credit = $story =~ /^ all channels((?:\s+\S+\s+[\d.]+){6})\s*$/m ? $1 =~ /[\d.]+/g : ();
is(scalar @credit, 6, '(d) credit by three models');
ok($credit[0] > 0 && $credit[0] == $credit[1] && $credit[1] == $credit[2] && $credit[3] > 0 && $credit[3] == $credit[4] && $credit[4] == $credit[5],
	"(d) the models divide the same: @credit");
like($story, qr/^ speed_to_lead\s+\S+ sales\s+\S+ 4 working hours\s/m, '(e) promises are told');
like($story, qr/^stateDiagram-v2$/m, '(f) the picture is there');
is($node->safe_psql('story', 'SELECT count(*) FROM demo.journey'), '500', 'every lead has its journey');
tell_story('story', {}, 'try');

# What is refused is part of the story, so errors stand among the output.
my $enforced = '';
IPC::Run::run([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('story') ],
	'<', "$demo/7_enforced.sql", '>', \$enforced, '2>&1');
is($? >> 8, 0, '(g) is told to its end') or diag($enforced);
is(scalar(() = $enforced =~ /^ERROR:/mg), 4, '(g) four changes are refused, and nothing else goes wrong') or diag($enforced);
like($enforced, qr/^ERROR:  lead \(id\)=\(90001\) cannot move from "mql" to "customer"\nDETAIL:  .*\nHINT:  The shortest legal route is sal, /m,
	'(g) an illegal move, with what to do instead');
like($enforced, qr/^ERROR:  lead \(id\)=\(90001\) cannot move to "disqualified" for reason "no idea"$/m, '(g) a reason that nobody agreed on');
like($enforced, qr/^COPY .*\nERROR:  lead \(id\)=\(90005\) cannot enter the funnel in stage "opportunity"$/m, '(g) COPY is held to it');
like($enforced, qr/^UPDATE .*\nERROR:  lead .* cannot move from "sal" to "customer"$/m, '(g) and so is an UPDATE of many rows');
like($enforced, qr/^allowed\s+\S+ f\nrule\s+\S+ missing_reason\n/m, '(g) explain_move says what is missing');
like($enforced, qr/^WARNING:  lead \(id\)=\(90003\) cannot move from "mql" to "customer"$/m, '(g) a move that is only warned of');
like($enforced, qr/^\s*90003 \S+ move\s+\S+ mql\s+\S+ customer\s+\S+ illegal_move\s*$/m, '(g) and recorded');
like($enforced, qr/^ \d+\s+\S+ \w+\s+\S+ \w+\s+\S+ .*\d+\.\d d\s*$/m, '(g) the list of what is overdue');
like($enforced, qr/^Asynchronous notification "align_handoff" with payload "\{.*"id":90006.*speed_to_lead/m, '(g) a handoff is announced');
like($enforced, qr/^Asynchronous notification "align_sla" with payload "\{.*"id":90006.*"overdue"/m, '(g) and a clock that has run out');
like($enforced, qr/^\(no row: it is\.\)$/m, '(g) what was recorded is what the history says');
is($node->safe_psql('story', 'SELECT count(*) FROM crm.leads WHERE id IN (90004, 90005)'), '0', '(g) a file that is refused leaves nothing behind');

my $page = PostgreSQL::Test::Utils::tempdir . '/weekly.html';
my $reports = tell_story('story', { page => $page }, '8_reports');
like($reports, qr/^ marketing, sales\s+\S+ customer\s+\S+ quarter\s/m, '(h) the joint target of the scorecard');
like($reports, qr/^ \w.*\S+ speed_to_lead \S+ rejected\s+\S+ \w+/m, '(h) the feedback table');
like($reports, qr/^It is in the file \Q$page\E$/m, '(h) where the page is');
like(slurp_file($page), qr/^<!DOCTYPE html>.*Week of 18 May 2026.*targets? (?:is|are) behind.*<\/html>/s, '(h) the page is written');

my $analysis = tell_story('story', {}, '9_analysis');
like($analysis, qr/^ 2026-01-01\s+\S+\s+\d+ \S+\s+\d+ \S+ [\d.]+ %/m, '(i) what share is won in 30 days');
like($analysis, qr/^ inquiry\s+\S+ \(still there\)\s+\S+\s+\d+ /m, '(i) where leads wait');
my @missed = map { [ split ] } $analysis =~ /^ (?:Organic Search|Referral|Paid Search|Email|Paid Social|Event)\s+\S+ [\d.]+ %\s+\S+ ([\d.]+\s+\S+ [\d.]+)\s*$/mg;
my ($markov, $shapley) = (0, 0);
$markov += $_->[0], $shapley += $_->[2] foreach @missed;
ok(@missed > 3 && $markov > 0 && abs($markov - $shapley) < 1, "(i) Markov and Shapley divide the same wins: $markov, $shapley");
like($analysis, qr/^\s+6 \S+\s+\d+\s*$/m, '(i) a funnel from raw rows');

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
like(tell_story('csv', {}, '9_analysis'), qr/^ \d{4}-\d\d-01\s+\S+\s+3 /m, 'incidence of what came from files');
$csv = tell_story('csv', { page => $page }, '8_reports');
like($csv, qr/has no targets yet/, 'nor has it targets');
like(slurp_file($page), qr/No target is agreed\..*No promise is agreed\..*No handoff is agreed\./s, 'and the page says what is missing');

$node->stop;
done_testing();
