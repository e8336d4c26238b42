# The same random cases in align and in ClickHouse of today (npm's chdb, which
# is the engine as a library): equal, or of a class that the tables of
# differences in docs/sequence.md and docs/events.md list.
#
# The seed is fixed and printed; CLICKHOUSE_SEED=7 takes another one,
# CLICKHOUSE_CASES=10 so many times the cases.  chdb is installed into a
# temporary folder, or found in the folder ALIGN_CHDB.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{CLICKHOUSE_SEED} // 5;
my $factor = $ENV{CLICKHOUSE_CASES} // 1;

my $chdb = $ENV{ALIGN_CHDB} // PostgreSQL::Test::Utils::tempdir();
plan skip_all => 'npm and node are not both installed' if system('npm --version >/dev/null 2>&1 && node --version >/dev/null 2>&1') != 0;
plan skip_all => 'npm cannot install chdb (no network?)'
  if !-d "$chdb/node_modules/chdb"
  && system("cd '$chdb' && HOME='$chdb' timeout 300 npm install --no-audit --no-fund --silent chdb >/dev/null 2>&1") != 0;

my $work = PostgreSQL::Test::Utils::tempdir();
append_to_file("$work/run.cjs", <<'JS');
// Runs the queries of a file, one a line, and prints the answers, or "error" and the
// message, each on the lines after "## " and its number.
const { Session } = require('chdb');
const { readFileSync, writeFileSync } = require('fs');
const session = new Session();
const lines = [];
readFileSync(process.argv[2], 'utf8').split('\n').filter(q => q).forEach((q, i) => {
	lines.push('## ' + i);
	try { lines.push(session.query(q, 'TabSeparated').trimEnd()); }
	catch (e) { lines.push('error\t' + String(e.message).split('\n')[0]); }
});
writeFileSync(process.argv[3], lines.join('\n') + '\n');
session.cleanup();
JS

# The answers of ClickHouse to queries, as texts.
my $runs = 0;
sub clickhouse
{
	my ($in, $out) = map { "$work/$_" . $runs } qw(queries answers);
	my @answers;

	$runs++;
	append_to_file($in, join "", map { tr/\n/ /r . "\n" } @_);
	system("cd '$work' && HOME='$work' NODE_PATH='$chdb/node_modules' node run.cjs '$in' '$out' >'$out.log' 2>&1") == 0 or BAIL_OUT(slurp_file("$out.log"));
	foreach my $line (split /\n/, slurp_file($out))
	{
		if ($line =~ /^## \d+$/) { push @answers, ''; }
		else { $answers[-1] .= ($answers[-1] eq '' ? '' : "\n") . $line; }
	}
	return @answers;
}

my ($version) = clickhouse('SELECT version()');
diag("ClickHouse $version, seed $seed");
srand($seed);

sub pick { return $_[ int rand @_ ] }

# Lists of events, for both: half of them without simultaneous ones, but for those of
# the same kind, whose order cannot matter; and half without events of several kinds.
my (@lists, @has_ties, @has_several);
foreach my $list (0 .. 120 * $factor)
{
	my $n = pick(1 .. 9, 20);
	my @at = $list % 2 ? map { 2 * $_ + int rand 2 } 1 .. $n : map { int rand 6 } 1 .. $n;
	my %sets;

	foreach my $at (@at)
	{
		my $set = pick(0, 1, 1, 2, 2, 4, 4, $list % 4 < 2 ? (3, 5, 6, 7) : ());
		my $page = pick(qw(A B C D));

		push @{ $lists[$list] }, join "\t", $list, $at, $set, $page, pick(0, 1);
		$sets{$at}{$set} = 1;
	}
	$has_ties[$list] = grep { keys %$_ > 1 } values %sets;
	$has_several[$list] = grep { grep { /[3567]/ } keys %$_ } values %sets;
	@{ $lists[$list] } = sort { rand() <=> 0.5 } @{ $lists[$list] };
}
# Patterns, a fifth of them with ".*" beside a time.
my @patterns = map {
	my $text = '';
	my $star = $_ % 5 == 0;

	foreach my $i (0 .. int rand 4)
	{
		my $gap = pick('', '', '.*', 'time');
		if ($i > 0 && $gap eq 'time')
		{
			$gap = '(?t' . pick(qw(< <= > >= ==)) . pick(0 .. 5) . ')';
			$gap = pick(".*$gap", "$gap.*") if $star;
		}
		$text .= $gap if $i > 0 || $gap ne 'time';
		$text .= pick('(?1)', '(?1)', '(?2)', '(?2)', '(?3)', '.');
	}
	$text
} 0 .. 100 * $factor;

my $node = PostgreSQL::Test::Cluster->new('clickhouse');
$node->init;
$node->append_conf('postgresql.conf', 'fsync = off');
$node->start;

my $folder = $node->basedir;
append_to_file("$folder/events", join "", map { map { "$_\n" } @$_ } @lists);
$node->safe_psql('postgres', <<SQL);
CREATE EXTENSION align;
CREATE TABLE event (list int, at int, c int, page text, base int);
COPY event FROM '$folder/events';
SQL
my @setup = (
	'CREATE TABLE event (list UInt32, at UInt32, c UInt8, page String, base UInt8) ENGINE = Memory',
	"INSERT INTO event SELECT * FROM file('$folder/events', 'TSV', 'list UInt32, at UInt32, c UInt8, page String, base UInt8')",
	'SET allow_experimental_funnel_functions = 1');
my $conditions = 'c % 2 >= 1, c % 4 >= 2, c >= 4';

# Compares answers by key (a number of a query, a list, a function).  $class names the
# class of a difference, from the key and both answers, undef if it has none.
sub compare
{
	my ($what, $ours, $theirs, $class) = @_;
	my (%number, @unlisted);

	foreach my $key (sort keys %$ours)
	{
		my $their = $theirs->{$key} // 'no answer';

		next if $ours->{$key} eq $their;
		my ($query, $list) = split / /, $key;
		my $name = $class->($query, $list, $ours->{$key}, $their);
		if (defined $name) { $number{$name}++; }
		elsif (push(@unlisted, $key) < 6)
		{
			diag("$what $key: align $ours->{$key}, ClickHouse $their, events (list, at, conditions, page, base)\n",
				join "\n", sort { (split /\t/, $a)[1] <=> (split /\t/, $b)[1] } @{ $lists[$list] });
		}
	}
	my $equal = keys(%$ours) - @unlisted;

	$equal -= $_ foreach values %number;
	cmp_ok($equal, '>', keys(%$ours) / 2, "$what: most are equal, $equal");
	is(scalar @unlisted, 0, "$what: " . keys(%$ours) . ' cases, equal' . join '', map { ", $_: $number{$_}" } sort keys %number);
	return;
}

# The answers to SQL of align that gives rows (query, list, answer).
sub ours
{
	my ($sql) = @_;
	return { map { /^(\d+)\|(\d+)\|(.*)$/ ? ("$1 $2" => $3) : BAIL_OUT($_) } split /\n/, $node->safe_psql('postgres', $sql) };
}

# The answers to queries of ClickHouse, each of which gives rows (list, answer).
sub theirs
{
	my @answers = clickhouse(@setup, @_);
	my %theirs;

	splice @answers, 0, @setup;
	foreach my $query (0 .. $#answers)
	{
		foreach my $row (split /\n/, $answers[$query])
		{
			my ($list, $answer) = split /\t/, $row, 2;

			BAIL_OUT("$_[$query]: $answer") if $list eq 'error';
			$theirs{"$query $list"} = $answer;
		}
	}
	return \%theirs;
}

sub sql_values { return join ', ', map { "($_, '$_[$_]')" } 0 .. $#_ }

# sequenceMatch and sequenceCount.
$node->safe_psql('postgres', 'CREATE TABLE pattern (query int, pattern text); INSERT INTO pattern VALUES ' . sql_values(@patterns));

foreach my $function (['sequence_match', 'sequenceMatch'], ['sequence_count', 'sequenceCount'])
{
	my ($our, $their) = @$function;

	compare($our, ours(<<~SQL), theirs(map { "SELECT list, $their('$_')(at, $conditions) FROM event GROUP BY list" } @patterns), sub {
		SELECT query, list, align.$our(pattern, to_timestamp(at), $conditions)::int FROM event, pattern GROUP BY query, list
		SQL
		my ($query, $list, $ours, $theirs) = @_;

		return '".*" beside a time' if $patterns[$query] =~ /\.\*\(\?t|\(\?t[^)]*\)\.\*/;
		return 'simultaneous events' if $has_ties[$list] && $ours > $theirs;
		return undef;
	});
}

# True if the times are those of the (?N) of a beginning of the pattern that the
# events, of which no two are simultaneous, match.
my %holds = ('<' => sub { $_[0] < $_[1] }, '<=' => sub { $_[0] <= $_[1] }, '>' => sub { $_[0] > $_[1] }, '>=' => sub { $_[0] >= $_[1] },
	'==' => sub { $_[0] == $_[1] });
sub is_chain
{
	my ($events, $last, $gap, $pattern, @times) = @_;

	return 1 if !@times;
	return is_chain($events, $last, '.*', $pattern, @times) if $pattern =~ s/^\.\*//;
	return is_chain($events, $last, $1, $pattern, @times) if $pattern =~ s/^(\(\?t[^)]*\))//;
	return 0 if $pattern !~ s/^\((\?\d)\)|^(\.)//;
	my $condition = defined $1 ? substr($1, 1) : 0;
	foreach my $i ($last + 1 .. $#$events)
	{
		last if $gap eq '' && $i > $last + 1;
		next if $condition && !($events->[$i][1] & 1 << $condition - 1);
		next if $condition && $events->[$i][0] != $times[0];
		next if $gap =~ /\?t(\D+)(\d+)/ && !$holds{$1}->($events->[$i][0] - $events->[$last][0], $2);
		return 1 if is_chain($events, $i, '', $pattern, @times[ ($condition ? 1 : 0) .. $#times ]);
	}
	return 0;
}

# sequenceMatchEvents.  It keeps times of attempts that it has given up.
compare('sequence_match_events', ours(<<~SQL), theirs(map { "SELECT list, sequenceMatchEvents('$_')(at, $conditions) FROM event GROUP BY list" } @patterns), sub {
	SELECT query, list, '[' || array_to_string(ARRAY(SELECT extract(epoch FROM t)::int FROM unnest(times) t), ',') || ']'
	FROM (SELECT query, list, align.sequence_match_events(pattern, to_timestamp(at), $conditions) FROM event, pattern GROUP BY query, list) e(query, list, times)
	SQL
	my ($query, $list, $ours, $theirs) = @_;

	return '".*" beside a time' if $patterns[$query] =~ /\.\*\(\?t|\(\?t[^)]*\)\.\*/;
	return 'simultaneous events' if $has_ties[$list];
	my @events = sort { $a->[0] <=> $b->[0] } map { [ (split /\t/)[1, 2] ] } grep { (split /\t/)[2] } @{ $lists[$list] };
	return 'not the times of one chain' if !is_chain(\@events, -1, '.*', $patterns[$query], $theirs =~ /\d+/g);
	return '"." counts in the longest beginning' if $patterns[$query] =~ /\.(?!\*)/ && ($ours =~ tr/,//) == ($theirs =~ tr/,//);
	return undef;
});

# Patterns that one of them refuses, or ClickHouse gives up; undef: it answers.
my @refused = (
	[ '', '22023', undef, 'an empty pattern' ],
	[ '.*', '22023', undef, 'a pattern without an event' ],
	[ '(?t<=5)(?1)', '22023', undef, 'a time without an event before it' ],
	[ '(?1)(?t<=5)', '22023', undef, 'a time without an event after it' ],
	[ '(?1)(?t>=1)(?t<=5)(?2)', undef, 'preceded by an event', 'two times' ],
	[ '(?1)(?t!=5)(?2)', undef, 'Unknown time condition', 'a time that differs' ],
	[ '(?1)(?t<=1.5)(?2)', undef, 'closing parenthesis', 'part of a second' ],
	[ '(?1)(?t<="1 hour")(?2)', undef, 'Could not parse number', 'an interval' ],
	[ '(?1) (?2)', undef, 'Could not parse pattern', 'white space' ],
	[ '(?4)', '22023', 'out of range', 'a condition that does not exist' ],
	[ '(?1', '22023', 'closing parenthesis', 'a parenthesis that is not closed' ]);
my @their_words = clickhouse(@setup, map { "SELECT sequenceMatch('$_->[0]')(at, $conditions) FROM event WHERE list = 0" } @refused);
splice @their_words, 0, @setup;
foreach my $case (@refused)
{
	my ($pattern, $sqlstate, $words, $what) = @$case;
	my $stderr;
	my $theirs = shift @their_words;

	$node->psql('postgres', "\\set VERBOSITY sqlstate\nSELECT align.sequence_match('$pattern', to_timestamp(at), $conditions) FROM event WHERE list = 0", stderr => \$stderr);
	is($stderr =~ /ERROR:\s+(\w+)/ ? $1 : undef, $sqlstate, "align: $what");
	like($theirs, defined $words ? qr/^error\t.*\Q$words/ : qr/^[01]$/, "ClickHouse: $what");
}
my $hard = '(?1)(?t>=1)(?1)(?t>=1)(?1)(?t>=5000)(?2)';
my ($given_up) = clickhouse("SELECT sequenceMatch('$hard')(number, number < 999, number = 999) FROM numbers(1000)");
like($given_up, qr/^error\t.*too difficult/, 'ClickHouse gives up');
is($node->safe_psql('postgres', "SELECT align.sequence_match('$hard', to_timestamp(i), i < 999, i = 999) FROM generate_series(0, 999) i"), 'f', 'align does not');

# sequenceNextNode.
my @bases = (['forward', 'head'], ['forward', 'first_match'], ['forward', 'last_match'], ['backward', 'tail'], ['backward', 'first_match'], ['backward', 'last_match']);
my @chains = ("page = 'A'", "page = 'A', page = 'B'", "page = 'B', page IN ('A', 'B'), page IN ('A', 'B', 'C')");
my @next = map { my $base = $_; map { [ @$base, $_ ] } @chains } @bases;
my @may_differ;
foreach my $list (0 .. $#lists)
{
	my %kinds;

	$kinds{ join ' ', (split /\t/)[1, 3] }{ (split /\t/)[4] } = 1 foreach @{ $lists[$list] };
	$may_differ[$list] = grep { keys %$_ > 1 } values %kinds;
}
compare('sequence_next', ours(join ' UNION ALL ', map {
	my ($direction, $base, $chain) = @{ $next[$_] };
	"SELECT $_, list, coalesce(align.sequence_next('$direction', '$base', to_timestamp(at), page, base > 0, $chain), '\\N') FROM event GROUP BY list"
	} 0 .. $#next), theirs(map {
	my ($direction, $base, $chain) = @$_;
	"SELECT list, sequenceNextNode('$direction', '$base')(at, page, base > 0, $chain) FROM event GROUP BY list"
	} @next), sub {
	return $may_differ[ $_[1] ] ? 'base condition of simultaneous equal events' : undef;
});

# windowFunnel.  By default, one event may be several steps.
my @modes = (
	[ '', 'reuse' ],
	[ 'strict_once', 'ordered' ],
	[ 'strict_increase', 'increase, reuse' ],
	[ 'strict_increase strict_once', 'increase' ],
	[ 'strict_order', 'strict, reuse' ],
	[ 'strict_order strict_once', 'strict' ],
	[ 'strict_order strict_increase', 'strict, increase, reuse' ],
	[ 'strict_order strict_increase strict_once', 'strict, increase' ],
	[ 'strict_order allow_reentry', 'strict, reuse' ],
	[ 'strict_order strict_once allow_reentry', 'strict' ],
	[ 'strict_deduplication', 'no_repeat, reuse' ],
	[ 'strict_deduplication strict_once', 'no_repeat' ],
	[ 'strict_deduplication strict_increase', 'no_repeat, increase, reuse' ],
	[ 'strict_deduplication strict_increase strict_once', 'no_repeat, increase' ],
	[ 'strict_order strict_deduplication', 'strict, no_repeat, reuse' ],
	[ 'strict_order strict_deduplication strict_once', 'strict, no_repeat' ],
	[ 'strict_order strict_deduplication strict_increase strict_once', 'strict, no_repeat, increase' ]);
my @windows = (0, 2, 5, 100);
my @funnels = map { my $mode = $_; map { [ @$mode, $_ ] } @windows } @modes;
compare('window_funnel', ours(join ' UNION ALL ', map {
	my (undef, $mode, $window) = @{ $funnels[$_] };
	"SELECT $_, list, align.window_funnel('$window s', '$mode', to_timestamp(at), $conditions) FROM event GROUP BY list"
	} 0 .. $#funnels), theirs(map {
	my ($modes, undef, $window) = @$_;
	"SELECT list, windowFunnel(" . join(', ', $window, map { "'$_'" } split ' ', $modes) . ")(at, $conditions) FROM event GROUP BY list"
	} @funnels), sub {
	my ($query, $list, $ours, $theirs) = @_;
	my $mode = $funnels[$query][0];

	return 'allow_reentry' if $mode =~ /allow_reentry/;
	return 'strict_deduplication' if $mode =~ /strict_deduplication/;
	return undef if $ours < $theirs;
	return 'strict_order' if $mode =~ /strict_order/;
	return 'strict_increase without strict_once' if $mode eq 'strict_increase' && ($has_ties[$list] || $has_several[$list]);
	return undef;
});

# retention: no difference is listed.
compare('retention', ours(<<SQL), theirs("SELECT list, retention($conditions) FROM event GROUP BY list"), sub { return undef });
SELECT 0, list, '[' || array_to_string((align.retention($conditions))::int[], ',') || ']' FROM event GROUP BY list
SQL

$node->stop;
done_testing();
