# Processes of the Helpdesk log against plain SQL over the raw file: moves and
# their times per edge, working times by clipping every day to its hours, stages,
# variants, first deviations, bottlenecks; and the pictures as their own programs
# read them.  What the data is like: see real_helpdesk.pl.
use strict;
use warnings;

use RealData;
use PostgreSQL::Test::Utils;
use Test::More;

my $folder = shared_folder('helpdesk');
my $node = start_node('process');

load_helpdesk($folder);

$node->safe_psql('postgres', q{
	CREATE TABLE raw AS
	SELECT no, ticket, activity,
		local AT TIME ZONE 'Europe/Rome' + (row_number() OVER (PARTITION BY ticket, local ORDER BY no) - 1) * interval '1 microsecond' AS at
	FROM (SELECT *, left(stamp, 19)::timestamp AS local FROM event) e;
	ANALYZE raw;
	CREATE TABLE lead AS SELECT ticket, align.lead_agg(at, activity) AS journey FROM raw GROUP BY ticket;
	ANALYZE lead;
	CREATE TABLE known AS SELECT max(at) AS at FROM raw;

	-- the raw events as visits, repeated activities left out
	CREATE TABLE visit AS
	SELECT ticket, no, activity AS stage, at, pg_catalog.lead(activity) OVER w AS next_stage, pg_catalog.lead(at) OVER w AS next_at,
		row_number() OVER w = 1 AS first
	FROM (SELECT *, lag(activity) OVER (PARTITION BY ticket ORDER BY no) AS before FROM raw) r
	WHERE before IS DISTINCT FROM activity
	WINDOW w AS (PARTITION BY ticket ORDER BY no);
	ANALYZE visit;

	CREATE FUNCTION worked(from_at timestamptz, to_at timestamptz) RETURNS numeric LANGUAGE sql STABLE AS $$
		SELECT coalesce(sum(greatest(0, extract(epoch FROM
			least(to_at, (day + closes) AT TIME ZONE 'Europe/Rome') - greatest(from_at, (day + opens) AT TIME ZONE 'Europe/Rome')))), 0)
		FROM generate_series(date_trunc('day', from_at AT TIME ZONE 'Europe/Rome'), to_at AT TIME ZONE 'Europe/Rome', interval '1 day') AS day,
			(VALUES (time '09:00', time '13:00'), ('14:00', '18:00')) AS h(opens, closes)
		WHERE extract(isodow FROM day) < 6 AND to_char(day, 'MMDD') NOT IN ('0101', '1225', '1226')
	$$;
	CREATE TABLE process AS
	SELECT align.dfg_agg(journey, 'Europe/Rome Mo-Fr 09:00-13:00,14:00-18:00; Jan 01 off; Dec 25-26 off', known.at) AS p FROM lead, known;

	-- within 1/128, as the histograms promise
	CREATE FUNCTION near(ours interval, exact numeric) RETURNS boolean LANGUAGE sql IMMUTABLE
		RETURN ours IS NULL AND exact IS NULL OR coalesce(abs(extract(epoch FROM ours) - exact) <= exact / 128, false);
});

is_value('SELECT count(*), count(DISTINCT ticket), count(DISTINCT activity) FROM raw', '21348|4580|14', '21,348 events of 4,580 tickets');

# Every edge.
$node->safe_psql('postgres', q{
	CREATE TABLE edge AS
	SELECT stage AS from_stage, next_stage AS stage, count(*) AS moves, count(DISTINCT ticket) AS leads, sum(extract(epoch FROM next_at - at)) AS total,
		percentile_disc(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM next_at - at)) AS median, percentile_disc(0.9) WITHIN GROUP (ORDER BY extract(epoch FROM next_at - at)) AS p90,
		sum(worked(at, next_at)) AS worked, percentile_disc(0.5) WITHIN GROUP (ORDER BY worked(at, next_at)) AS worked_median
	FROM visit WHERE next_stage IS NOT NULL GROUP BY 1, 2});
is_same('SELECT from_stage, stage, moves, leads, total_seconds::numeric(20, 6), total_working_seconds::numeric(20, 6) FROM process, align.dfg(p)',
	'SELECT from_stage, stage, moves, leads, total::numeric(20, 6), worked::numeric(20, 6) FROM edge', 'edges: counts, elapsed and working time');
is_same('SELECT from_stage, stage, extract(epoch FROM mean_time) AS mean, extract(epoch FROM mean_working_time) AS worked FROM process, align.dfg(p)',
	'SELECT from_stage, stage, round(total / moves, 6) AS mean, round(worked / moves, 6) AS worked FROM edge', 'edges: means to the microsecond');
is_value('SELECT count(*) > 0, bool_and(near(median_time, median) AND near(p90_time, p90) AND near(median_working_time, worked_median)) FROM process, align.dfg(p) FULL JOIN edge USING (from_stage, stage)',
	't|t', 'edges: percentiles');

# Every stage.
is_same('SELECT stage, visits, leads, starts, ends, total_seconds::numeric(20, 6), total_working_seconds::numeric(20, 6), total_age_seconds::numeric(20, 6) FROM process, align.dfg_stages(p)',
	'SELECT stage, count(*) AS visits, count(DISTINCT ticket) AS leads, count(*) FILTER (WHERE first) AS starts, count(*) FILTER (WHERE next_at IS NULL) AS ends, sum(extract(epoch FROM next_at - visit.at))::numeric(20, 6) AS total,
		sum(worked(visit.at, next_at)) FILTER (WHERE next_at IS NOT NULL)::numeric(20, 6) AS worked, sum(extract(epoch FROM known.at - visit.at)) FILTER (WHERE next_at IS NULL)::numeric(20, 6) AS age
	FROM visit, known GROUP BY 1', 'stages');

# The same value whatever way it is made: by year of the first event, from stored
# summaries, in parallel.
is_value(q{SELECT align.rollup(s.p) OPERATOR(align.=) (SELECT p FROM process) FROM (
	SELECT align.dfg_agg(journey, 'Europe/Rome Mo-Fr 09:00-13:00,14:00-18:00; Jan 01 off; Dec 25-26 off', known.at) AS p FROM lead, known
	GROUP BY (SELECT extract(year FROM min(at)) FROM align.entries(journey))) s}, 't', 'yearly summaries add up, byte for byte');
is_value(q{SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
	SELECT align.dfg_agg(journey, 'Europe/Rome Mo-Fr 09:00-13:00,14:00-18:00; Jan 01 off; Dec 25-26 off', (SELECT at FROM known)) OPERATOR(align.=) (SELECT p FROM process) FROM lead}, 't', 'so does a parallel plan');

# As of a time in the middle.
is_same(q{SELECT d.* FROM (SELECT align.dfg_agg(journey, NULL, '2012-01-01 00:00Z') AS p FROM lead) s, LATERAL (SELECT from_stage, stage, moves, total_seconds::numeric(20, 6) FROM align.dfg(p)) d},
	q{SELECT stage AS from_stage, next_stage AS stage, count(*) AS moves, sum(extract(epoch FROM next_at - at))::numeric(20, 6) FROM visit WHERE next_at <= '2012-01-01 00:00Z' GROUP BY 1, 2}, 'edges as of 2012');

# Bottlenecks: the edges in the order of their time.
is_same('SELECT place, from_stage, stage, visits, round(share::numeric, 12) AS share, round(cumulative_share::numeric, 12) AS cumulative FROM process, align.bottlenecks(p)',
	'SELECT row_number() OVER w ::int AS place, from_stage, stage, moves AS visits, round(total / sum(total) OVER (), 12) AS share, round(sum(total) OVER w / sum(total) OVER (), 12) AS cumulative
	FROM edge WINDOW w AS (ORDER BY total DESC, from_stage COLLATE "C", stage COLLATE "C")', 'bottlenecks');

# An agreement, and where tickets first leave it.
$node->safe_psql('postgres', q{
	CREATE TABLE written AS SELECT align.funnel $$
		stage "Insert ticket", "Assign seriousness", "Take in charge ticket", Wait, "Resolve ticket", "Require upgrade", "Create SW anomaly", "Resolve SW anomaly";
		won Closed; lost INVALID, DUPLICATE;
		entry "Insert ticket", "Assign seriousness";
		success path "Insert ticket" -> "Assign seriousness" -> "Take in charge ticket" -> "Resolve ticket" -> Closed;
		path "Assign seriousness", "Take in charge ticket" -> Wait -> "Take in charge ticket", "Resolve ticket";
		path "Take in charge ticket" -> "Require upgrade" -> "Resolve ticket";
		path "Take in charge ticket" -> "Create SW anomaly" -> "Resolve SW anomaly" -> "Resolve ticket";
		path any -> INVALID, DUPLICATE;
	$$ AS funnel;
	CREATE TABLE allowed (from_stage text, stage text);
	INSERT INTO allowed VALUES
		(NULL, 'Insert ticket'), (NULL, 'Assign seriousness'),
		('Insert ticket', 'Assign seriousness'), ('Assign seriousness', 'Take in charge ticket'), ('Take in charge ticket', 'Resolve ticket'), ('Resolve ticket', 'Closed'),
		('Assign seriousness', 'Wait'), ('Take in charge ticket', 'Wait'), ('Wait', 'Take in charge ticket'), ('Wait', 'Resolve ticket'),
		('Take in charge ticket', 'Require upgrade'), ('Require upgrade', 'Resolve ticket'),
		('Take in charge ticket', 'Create SW anomaly'), ('Create SW anomaly', 'Resolve SW anomaly'), ('Resolve SW anomaly', 'Resolve ticket');
	INSERT INTO allowed SELECT s, lost FROM (VALUES ('INVALID'), ('DUPLICATE')) l(lost),
		unnest(ARRAY['Insert ticket', 'Assign seriousness', 'Take in charge ticket', 'Wait', 'Resolve ticket', 'Require upgrade', 'Create SW anomaly', 'Resolve SW anomaly']) s;
	CREATE VIEW broken AS
	SELECT DISTINCT ON (ticket) ticket, at, CASE WHEN stage IN ('VERIFIED', 'RESOLVED', 'Schedule intervention') THEN 'unknown_stage'
			WHEN from_stage IS NULL THEN 'not_an_entry' ELSE 'illegal_move' END AS rule, from_stage, stage
	FROM (SELECT *, lag(stage) OVER (PARTITION BY ticket ORDER BY no) AS from_stage FROM visit) m
	WHERE NOT EXISTS (SELECT FROM allowed a WHERE a.from_stage IS NOT DISTINCT FROM m.from_stage AND a.stage = m.stage)
		AND (from_stage IS NULL OR from_stage NOT IN ('VERIFIED', 'RESOLVED', 'Schedule intervention') OR stage IN ('VERIFIED', 'RESOLVED', 'Schedule intervention'))
	ORDER BY ticket, no;
});
is_same('SELECT ticket, d.at, d.rule, d.from_stage, d.stage FROM lead, written, align.first_deviation(journey, funnel) d',
	'SELECT ticket, b.at, b.rule, b.from_stage, b.stage FROM (SELECT DISTINCT ticket FROM raw) t LEFT JOIN broken b USING (ticket)', 'the first deviation of every ticket');
is_same('SELECT d.rule, d.from_stage, d.stage, count(*) FROM lead, written, align.first_deviation(journey, funnel) d WHERE d.rule IS NOT NULL GROUP BY 1, 2, 3',
	'SELECT rule, from_stage, stage, count(*) FROM broken GROUP BY 1, 2, 3', 'and how many of each');

# Variants: by hand, and as the tool that made the log names them (in its variants a
# repeated activity counts, so several may be one of ours).  A stage that the
# agreement does not know neither wins a ticket nor opens it again.
is_same(q{SELECT place, path, leads, round(share::numeric, 12) AS share, round(cumulative_share::numeric, 12) AS cumulative, won, lost, still_open, extract(epoch FROM median_time) AS median, extract(epoch FROM p90_time) AS p90
	FROM written, align.variants('SELECT journey FROM lead', funnel)},
	q{SELECT row_number() OVER w AS place, path, leads, round(leads / sum(leads) OVER (), 12) AS share, round(sum(leads) OVER w / sum(leads) OVER (), 12) AS cumulative, won, lost, still_open, median, p90
	FROM (SELECT path, count(*) AS leads, count(*) FILTER (WHERE last = 'Closed') AS won, count(*) FILTER (WHERE last IN ('INVALID', 'DUPLICATE')) AS lost,
			count(*) FILTER (WHERE last NOT IN ('Closed', 'INVALID', 'DUPLICATE')) AS still_open,
			percentile_disc(0.5) WITHIN GROUP (ORDER BY duration) AS median, percentile_disc(0.9) WITHIN GROUP (ORDER BY duration) AS p90
		FROM (SELECT array_agg(stage ORDER BY no) AS path, (array_agg(stage ORDER BY no DESC) FILTER (WHERE stage NOT IN ('VERIFIED', 'RESOLVED', 'Schedule intervention')))[1] AS last, extract(epoch FROM max(at) - min(at)) AS duration FROM visit GROUP BY ticket) t GROUP BY 1) p
	WINDOW w AS (ORDER BY leads DESC, path COLLATE "C")}, 'variants');
is_same(q{SELECT v.path, leads FROM align.variants('SELECT journey FROM lead') v WHERE leads >= 10},
	q{SELECT path, sum(tickets)::bigint AS leads FROM (SELECT variant, count(DISTINCT ticket) AS tickets FROM event GROUP BY 1) d
		JOIN (SELECT DISTINCT variant, align.path(journey) AS path FROM event JOIN lead USING (ticket)) p USING (variant) GROUP BY 1 HAVING sum(tickets) >= 10},
	'they are those that are named in the log');

# The pictures, read by the programs that draw them.
my $mermaid = $node->safe_psql('postgres', 'SELECT align.dfg_mermaid(p, 20) FROM process');
like($mermaid, qr/^flowchart TD\n    %% moves: \d+ of \d+, arrows: \d+ of \d+, leads: 4580$/m, 'a flowchart that says what it leaves out');

# Names that try to leave their labels.
$node->safe_psql('postgres', q{
	CREATE TABLE hostile AS
	SELECT align.dfg_agg(journey) AS p FROM (SELECT align.lead_agg(timestamptz '2026-01-01Z' + i * interval '1 hour', stage) AS journey
		FROM unnest(ARRAY['', 'a"b', 'back\', '\"', E'two\nlines', 'end', '<b>&amp;</b>', '"]; s1 -> s2 [label="x', '"]' || E'\n' || 'click s1 href "javascript:alert(1)"',
			'1. one', '- list', '`md`', '#35; #quot;', '%% comment', '%%{init: {}}%%', 'direction TB', 'größe 日本', '{|}', '\N\G\E', 'style s1 fill:#f00;', '$$x$$']) WITH ORDINALITY u(stage, i)) s});

my $dot_file = PostgreSQL::Test::Utils::tempdir() . '/process.dot';

sub dot_names
{
	my ($table) = @_;
	my ($names, $stderr);

	append_to_file($dot_file, '');
	open my $out, '>', $dot_file or die "could not write $dot_file: $!";
	print $out $node->safe_psql('postgres', "SELECT align.dfg_dot(p) FROM $table");
	close $out;
	# canonical form, one statement a line
	IPC::Run::run([ $ENV{DOT} // 'dot', '-Tcanon', $dot_file ], '>', \$names, '2>', \$stderr) or return "failed: $stderr";
	is($stderr, '', "$table: Graphviz has nothing to say against it");
	return $names;
}

SKIP:
{
	skip 'no dot of Graphviz (set DOT)', 4 if system(($ENV{DOT} // 'dot') . ' -V >/dev/null 2>&1') != 0;

	foreach my $table ('process', 'hostile')
	{
		my $canon = dot_names($table);
		my ($stages, $moves) = split /\|/, $node->safe_psql('postgres', "SELECT (SELECT count(*) FROM align.dfg_stages(p)), (SELECT count(*) FROM align.dfg(p)) FROM $table");

		is(join(' ', scalar(() = $canon =~ /^\ts\d+\s+\[label=/mg), scalar(() = $canon =~ /^\ts\d+ -> s\d+/mg)), "$stages $moves", "$table: Graphviz reads the stages and moves that there are");
	}
}

SKIP:
{
	my $program = <<'END';
import { JSDOM } from 'jsdom';
import { readFileSync } from 'fs';
const dom = new JSDOM('<!DOCTYPE html><body></body>');
globalThis.window = dom.window;
globalThis.document = dom.window.document;
const mermaid = (await import('mermaid')).default;
const text = readFileSync(0, 'utf8');
await mermaid.parse(text);
const diagram = await mermaid.mermaidAPI.getDiagramFromText(text);
const ours = [...diagram.db.getVertices().keys()].filter(id => /^s\d+$/.test(id));
const others = [...diagram.db.getVertices().keys()].filter(id => !/^s\d+$/.test(id)).sort();
const moves = diagram.db.getEdges().filter(e => /^s\d+$/.test(e.start) && /^s\d+$/.test(e.end));
console.log([diagram.type, ours.length, moves.length, others.join(',')].join(' '));
END
	my $modules = $ENV{MERMAID_MODULES};

	skip 'no Mermaid (set MERMAID_MODULES to a folder with node_modules of mermaid and jsdom)', 2
	  if !defined $modules || !-d "$modules/node_modules/mermaid";
	my $script = "$modules/align_real_process_$$.mjs";
	append_to_file($script, $program);
	foreach my $table ('process', 'hostile')
	{
		my $text = $node->safe_psql('postgres', "SELECT align.dfg_mermaid(p) FROM $table");
		my ($stdout, $stderr);

		IPC::Run::run([ 'node', $script ], '<', \$text, '>', \$stdout, '2>', \$stderr);
		chomp $stdout;
		is($stdout, $node->safe_psql('postgres', "SELECT 'flowchart-v2 ' || (SELECT count(*) FROM align.dfg_stages(p)) || ' ' || (SELECT count(*) FROM align.dfg(p)) || ' first,last' FROM $table"),
			"$table: Mermaid reads the stages and moves that there are") or diag($stderr);
	}
	unlink $script;
}

$node->stop;
done_testing();
