# The weekly page in a browser: accessible in light and dark, on a telephone and
# on paper, with hostile texts; and readable without styles.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use File::Basename;
use File::Spec;

my ($chromium) = grep { -x } map { split ' ' } qx(which chromium chromium-browser google-chrome 2>/dev/null);
plan skip_all => 'no chromium' unless defined $chromium;
plan skip_all => 'no npm' if system('npm --version >/dev/null 2>&1') != 0;

my $tools = PostgreSQL::Test::Utils::tempdir;
plan skip_all => 'npm cannot install axe-core and puppeteer-core (no network?)'
  if system("cd '$tools' && HOME='$tools' timeout 300 npm install --no-audit --no-fund --silent axe-core puppeteer-core >/dev/null 2>&1") != 0;

my $demo = File::Spec->rel2abs(dirname(__FILE__) . '/../../sql/demo');
my $node = PostgreSQL::Test::Cluster->new('weekly');
$node->init;
$node->append_conf('postgresql.conf', "timezone = 'UTC'\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION align');

# The company of the demo, and a table of hostile texts.
sub run_demo
{
	my ($variables, @files) = @_;

	foreach my $file (@files)
	{
		my @command = ('psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'));
		push @command, '-v', "$_=$variables->{$_}" foreach sort keys %$variables;
		my ($out, $err) = run_command([ @command, '-f', "$demo/$file.sql" ]);
		is($err, '', "$file.sql runs");
	}
}
run_demo({ won => '', lost => '', leads => 1500 }, 'generate', 'prepare');
run_demo({ document => slurp_file("$demo/b2b.txt") }, '1_inferred', '2_signed');
run_demo({}, '8_reports');
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE hostile (id text PRIMARY KEY, stage text, reason text, owner text, note text, campaign text, amount numeric);
SELECT align.attach('hostile', 'demo', assignee => 'owner', reason => 'reason', note => 'note', campaign => 'campaign', amount => 'amount', mode => 'observe');
CREATE TABLE texts AS SELECT * FROM (VALUES (1, '</script><script>document.title = "taken"</script>'), (2, '" onload="document.title=1" & '' &amp; ]]> -->'),
	(3, repeat('x', 10000)), (4, E'\u202e\u05d0\u05d1\u05d2 right to left'), (5, E'\x01 \x1b[31m \x7f'), (6, '<img src=http://example.com/x.png>')) t (no, t);
INSERT INTO hostile SELECT left(t, 100) || no, 'mql', t, t, t, 'utm_source=x&utm_campaign=' || regexp_replace(encode(convert_to(left(t, 300), 'UTF8'), 'hex'), '(..)', '%\1', 'g'), 5 FROM texts;
UPDATE hostile SET stage = CASE WHEN id LIKE '%1' THEN 'customer' ELSE 'disqualified' END;
INSERT INTO hostile SELECT left(t, 100) || no || 'b', 'mql', t, t, t, t, 5 FROM texts;
CREATE SCHEMA hostile_reports;
SELECT align.create_campaign_tables('hostile_reports', 'EUR');
INSERT INTO hostile_reports.action (what, owner, decided_on, due_on) SELECT t, t, current_date - 20, current_date - 10 FROM texts;
INSERT INTO hostile_reports.campaign_review (campaign_source, campaign_name, reviewed_on, team, verdict, why, next_step, reviewed_by, request, requested_by)
SELECT left(t, 300), left(t, 300), current_date - 9, t, t, t, t, t, t, t FROM texts;
INSERT INTO hostile_reports.campaign_cost (day, campaign_source, campaign_name, amount) SELECT current_date, 'x', left(t, 300), 5e13 FROM texts;
INSERT INTO hostile_reports.campaign_budget (month, campaign_source, campaign_name, amount) SELECT date_trunc('month', current_date), 'x', left(t, 300), 1e12 FROM texts;
SELECT align.create_reports('hostile', 'hostile_reports', time_zone => 'UTC', complete_since => '2025-01-01');
SQL
my %page = (
	company => $node->safe_psql('postgres', q(SELECT align.weekly_report('company.leads', '2026-05-18'))),
	hostile => $node->safe_psql('postgres', q(SELECT align.weekly_report('hostile', current_date))));

foreach my $name (sort keys %page)
{
	cmp_ok(length $page{$name}, '<', 300_000, "$name: below 300 kB");
	open my $file, '>', "$tools/$name.html" or die "could not write $name.html: $!";
	print $file $page{$name};
	close $file;
}

# The browser looks at each page in each way, and prints a line per finding.
open my $script, '>', "$tools/look.js" or die "could not write look.js: $!";
print $script <<'JS';
const puppeteer = require('puppeteer-core');
(async () => {
	const [chromium, folder, ...names] = process.argv.slice(2);
	const browser = await puppeteer.launch({executablePath: chromium, args: ['--no-sandbox', '--disable-gpu']});
	for (const name of names) {
		const page = await browser.newPage();
		const url = 'file://' + folder + '/' + name + '.html';
		page.on('request', r => { if (r.url() !== url && !r.url().endsWith('/favicon.ico')) console.log(name, 'request', r.url()); });
		for (const [width, scheme] of [[980, 'light'], [980, 'dark'], [390, 'light'], [390, 'dark']]) {
			await page.setViewport({width: width, height: 900});
			await page.emulateMediaFeatures([{name: 'prefers-color-scheme', value: scheme}]);
			await page.goto(url);
			const seen = await page.evaluate(() => ({title: document.title, wide: document.documentElement.scrollWidth,
				charts: document.querySelectorAll('svg[role=img]').length, sections: document.querySelectorAll('section').length,
				strange: document.querySelectorAll('script, img, iframe, link, [onload]').length}));
			console.log(name, width, scheme, 'wide', seen.wide, 'charts', seen.charts, 'sections', seen.sections, 'strange', seen.strange, 'title', seen.title);
			await page.evaluate(require('fs').readFileSync(folder + '/node_modules/axe-core/axe.min.js', 'utf8'));
			const found = await page.evaluate(async () => (await axe.run()).violations
				.filter(v => v.impact === 'serious' || v.impact === 'critical').map(v => v.id + ': ' + v.nodes[0].html));
			found.forEach(f => console.log(name, width, scheme, 'axe', f));
		}
		const pdf = await page.pdf({format: 'A4'});
		console.log(name, 'pdf', pdf.length > 5000 ? 'printed' : 'empty');
		await page.close();
	}
	await browser.close();
})().catch(e => { console.log('failed', e.message); process.exit(1); });
JS
close $script;
my ($seen, $err) = ('', '');
IPC::Run::run([ 'timeout', '240', 'node', "$tools/look.js", $chromium, $tools, sort keys %page ], '<', \undef, '>', \$seen, '2>', \$err);
is($? >> 8, 0, 'the browser looks at the pages') or diag("$seen\n$err");
foreach my $name (sort keys %page)
{
	is(join("\n", grep { /^$name .*axe/ } split /\n/, $seen), '', "$name: nothing serious is found by axe-core");
	unlike($seen, qr/^$name request/m, "$name: nothing is asked for");
	foreach my $width (980, 390)
	{
		foreach my $scheme (qw(light dark))
		{
			like($seen, qr/^$name $width $scheme wide $width charts \d+ sections \d+ strange 0 title Week of /m, "$name: fits $width px, $scheme")
			  or diag($seen);
		}
	}
	like($seen, qr/^$name pdf printed$/m, "$name: prints");
}
like($seen, qr/^company 980 light .* charts (?:[5-9]|\d\d) /m, 'company: the charts are there');

# Without styles and tags the page is sentences and tables in their order.
(my $text = $page{company}) =~ s/<style>.*?<\/style>|<svg.*?<\/svg>//gs;
$text =~ s/<[^>]*>/\n/g;
like($text, qr/Week of 18 May 2026\s.*What is late or behind.*1 What we decided.*2 Scorecard.*3 Pipeline.*4 Promises.*5 Handoffs.*6 The latest.*7 Campaigns.*8 What we decide now.*Appendix/s,
	'readable as text');
like($text, qr/targets are behind or missed: /, 'and what a chart shows is said');

$node->stop;
done_testing();
