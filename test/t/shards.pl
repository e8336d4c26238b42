# Beyond one machine: events and leads on two servers, behind postgres_fdw
# partitions of a third.  Aggregates of one lead are computed whole where its
# rows are; of aggregates over leads, each shard computes its own, and rollup()
# merges them.  All results are those of one server, byte for byte.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JSON::PP;
use List::Util qw(all);

my $nleads = $ENV{SHARDS_LEADS} // 1500;
my $as_of = "timestamptz '2026-03-01 00:00+00'";
my $funnel = "'stage inquiry, mql held by marketing; stage sal, sql held by sales; won customer; lost disqualified; entry inquiry, mql; success path inquiry -> mql -> sal -> sql -> customer; path any -> disqualified; handoff intake: mql from marketing to sales, accept sal, within 4 hours;'::align.funnel";

# postgres_fdw asks a shard for no call that has a text among its arguments, but no
# column of text, since it could have another collation there; so texts are made of a
# column here, whose first no characters are put before them.
my $none = 'left(stage, 0)';
my $mode = "$none || 'ordered'";

# Aggregates of the rows of one lead, over "events": grouped by lead, they are
# computed by the shards.  The columns are align's names of the arguments.
my @per_lead = (
	[ 'lead_agg(at, stage)', 'align.lead_agg(at, stage)', 'align.lead_send' ],
	[ 'lead_agg(at, stage, ordinal)', 'align.lead_agg(at, stage, n)', 'align.lead_send' ],
	[ 'lead_agg of all', 'align.lead_agg(at, stage, team, reason, campaign, amount, n, segments, version)', 'align.lead_send' ],
	[ 'rollup(lead)', 'align.rollup(part)', 'align.lead_send' ],
	[ 'window_funnel', "align.window_funnel('12 days', $mode, at, stage = 'mql', stage = 'sal', stage = 'customer')", 'int4send' ],
	[ 'window_funnel_times', "align.window_funnel_times('30 days', $mode, at, stage = 'inquiry', stage = 'sal')", 'array_send' ],
	[ 'retention', "align.retention(stage = 'inquiry', at < '2026-02-01 00:00Z', amount > 20)", 'array_send' ],
	[ 'sequence_match', "align.sequence_match($none || '(?1).*(?2)', at, stage = 'mql', stage = 'customer')", 'boolsend' ],
	[ 'sequence_count', "align.sequence_count($none || '(?1)(?t<=864000)(?2)', at, stage = 'mql', stage = 'sal')", 'int8send' ],
	[ 'sequence_match_events', "align.sequence_match_events($none || '(?1).*(?2)', at, stage = 'mql', stage = 'customer')", 'array_send' ],
	[ 'sequence_next', "align.sequence_next($none || 'forward', $none || 'first_match', at, stage, amount IS NULL OR amount > 20, stage = 'mql')", 'textsend' ],
);

# Aggregates over leads, over "leads": each shard has one, and they are merged by
# rollup().  The last column says whether a shard is asked for it.
my @over_leads = (
	[ 'conversion_agg', "align.conversion_agg(lead, '{inquiry,mql,sal,sql,customer}', NULL, 'ordered', $as_of)", 'align.conversion_send', 0 ],
	[ 'conversion_agg in a window', "align.conversion_agg(lead, '{mql,sal,customer}', '12 days', 'ordered', $as_of)", 'align.conversion_send', 0 ],
	[ 'funnel_conversion_agg', "align.funnel_conversion_agg(lead, $funnel, $as_of)", 'align.conversion_send', 1 ],
	[ 'conversion_agg with a column', "align.conversion_agg(lead, '{mql,sql}', '3 days', left(source, 0) || 'ordered', $as_of)", 'align.conversion_send', 1 ],
	[ 'conversion_agg, strict', "align.conversion_agg(lead, '{inquiry,mql|sal,sql?,customer}', '1 month', 'strict', $as_of, '{20 days,NULL,NULL}', '{disqualified}', 'passages', 'Europe/Berlin')", 'align.conversion_send', 0 ],
	[ 'conversion_agg, any', "align.conversion_agg(lead, '{mql,sal,sql}', '20 days', 'any', $as_of, NULL, NULL, NULL, NULL)", 'align.conversion_send', 0 ],
	[ 'incidence_agg', "align.incidence_agg(align.since(lead) - timestamptz '2026-01-01 00:00Z', source)", 'align.incidence_send', 1 ],
	[ 'paths_agg', "align.paths_agg(source || align.path(lead), align.reached(lead, left(source, 0) || 'customer'), lead_id / 7.0)", 'align.paths_send', 1 ],
	[ 'dfg_agg', 'align.dfg_agg(lead)', 'align.process_send', 1 ],
);

# The servers.  What their users have set changes nothing: postgres_fdw has
# settings of its own, and texts of align depend on none.
my %settings = (
	shard1 => "timezone = 'America/New_York'\ndatestyle = 'German, DMY'\nintervalstyle = 'iso_8601'\nextra_float_digits = -3\nlc_monetary = 'C'\n",
	shard2 => "timezone = 'Asia/Kolkata'\ndatestyle = 'SQL, MDY'\nintervalstyle = 'sql_standard'\nbytea_output = 'escape'\n",
	one => "timezone = 'Europe/London'\ndatestyle = 'Postgres, YMD'\nenable_partitionwise_aggregate = on\n");
my %node = map { $_ => PostgreSQL::Test::Cluster->new($_) } sort keys %settings;
foreach my $name (sort keys %node)
{
	$node{$name}->init;
	$node{$name}->append_conf('postgresql.conf', "fsync = off\nmax_prepared_transactions = 10\n$settings{$name}");
	$node{$name}->start;
	$node{$name}->safe_psql('postgres', 'CREATE EXTENSION align');
}
my $one = $node{one};
# No aggregate is left out but those whose results cannot be merged.
is($one->safe_psql('postgres', q(SELECT string_agg(DISTINCT proname, ' ' ORDER BY proname) FROM pg_proc
	WHERE pronamespace = 'align'::regnamespace AND prokind = 'a' AND proname NOT IN ('credit_agg', 'funnel_credit_agg', 'infer_agg'))),
	join(' ', sort keys %{ { map { ($_ => 1) } 'rollup', map { $_->[1] =~ /^align\.(\w+)/ } @per_lead, @over_leads } }), 'all aggregates are tested');
my @shards = map { $node{"shard$_"} } 1, 2;
is(join(' ', map { $_->safe_psql('postgres', "SELECT current_setting('timezone') || ' ' || timestamptz '2026-02-01 00:00Z'") } @shards),
	'America/New_York 31.01.2026 19:00:00 EST Asia/Kolkata 02/01/2026 05:30:00 IST', 'the users of the shards have settings of their own');

my $events = 'lead_id int, at timestamptz, stage text, team text, reason text, campaign text, amount numeric, n bigint, segments text[], version int, part align.lead';
my $leads = 'shard int, lead_id int, source text, lead align.lead';

# On each shard: its partitions, and a view of what it knows of all its leads, for
# those who would rather not partition by shard.
foreach my $shard (@shards)
{
	$shard->safe_psql('postgres', "CREATE TABLE events ($events); CREATE TABLE leads ($leads);
		CREATE VIEW summary AS SELECT " . join(', ', map { "$over_leads[$_][1] AS c$_" } 0 .. $#over_leads) . " FROM leads;
		CREATE VIEW summary_of_events AS SELECT source, " . join(', ', map { "$over_leads[$_][1] AS c$_" } 0 .. $#over_leads) . "
			FROM (SELECT lead_id, min(campaign) AS source, align.lead_agg(at, stage) AS lead FROM events GROUP BY lead_id) AS l GROUP BY source");
}
$one->safe_psql('postgres', "CREATE EXTENSION postgres_fdw;
	CREATE TABLE events ($events) PARTITION BY HASH (lead_id);
	CREATE TABLE leads ($leads) PARTITION BY LIST (shard);
	CREATE TABLE all_events ($events);
	CREATE TABLE all_leads ($leads);");
foreach my $i (1, 2)
{
	my ($host, $port) = ($shards[ $i - 1 ]->host, $shards[ $i - 1 ]->port);
	my $summary = join ', ', map { "c$_ " . $over_leads[$_][2] =~ s/_send$//r } 0 .. $#over_leads;

	$one->safe_psql('postgres', "CREATE SERVER shard$i FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '$host', port '$port', dbname 'postgres', extensions 'align', batch_size '1000', async_capable 'true');
		CREATE USER MAPPING FOR CURRENT_USER SERVER shard$i;
		CREATE FOREIGN TABLE events_$i PARTITION OF events FOR VALUES WITH (MODULUS 2, REMAINDER " . ($i - 1) . ") SERVER shard$i OPTIONS (table_name 'events');
		CREATE FOREIGN TABLE leads_$i PARTITION OF leads FOR VALUES IN ($i) SERVER shard$i OPTIONS (table_name 'leads');
		CREATE FOREIGN TABLE summary_$i ($summary) SERVER shard$i OPTIONS (table_name 'summary');
		CREATE FOREIGN TABLE summary_of_events_$i (source text, $summary) SERVER shard$i OPTIONS (table_name 'summary_of_events');");
}

# The same events in one table and on the shards: ties, ways that go back, all fields.
$one->safe_psql('postgres', qq(
	SELECT setseed(0.6);
	INSERT INTO all_events
	SELECT lead_id, at, stage, CASE WHEN n % 3 > 0 THEN 'marketing' END, CASE WHEN stage = 'disqualified' THEN 'budget "x", é' END,
		CASE WHEN n = 1 THEN 'utm_source=' || (ARRAY['google', 'news', 'fair'])[1 + lead_id % 3] END,
		CASE WHEN n > 2 THEN (lead_id % 700) / 7.0 END, n, CASE WHEN lead_id % 5 = 0 THEN '{big,demo}'::text[] END, nullif(n % 4, 0),
		align.lead_agg(at, stage, NULL, NULL) OVER (PARTITION BY lead_id ORDER BY n ROWS 1 PRECEDING)
	FROM (SELECT lead_id, n, timestamptz '2026-01-01 00:00Z' + floor(random() * 40 + n * 4) * interval '1 day' + floor(random() * 3) * interval '1 microsecond' AS at,
			CASE WHEN n = 1 THEN 'inquiry' ELSE (ARRAY['mql', 'mql', 'sal', 'sal', 'sql', 'sql', 'customer', 'disqualified', 'inquiry', 'unheard of'])[1 + floor(random() * 10)] END AS stage
		FROM generate_series(1, $nleads) AS lead_id, generate_series(1, 6) AS n WHERE n <= 1 + lead_id % 6) AS e;
	INSERT INTO events TABLE all_events ORDER BY random();
	ANALYZE all_events; ANALYZE events));
my ($n1, $n2) = map { $_->safe_psql('postgres', 'SELECT count(DISTINCT lead_id) FROM events') } @shards;
cmp_ok($_, '>', $nleads / 3, 'the events are on both shards') foreach $n1, $n2;

# The plan of a query, what it asks the shards, and what else it does.
sub asked
{
	my $plan = $one->safe_psql('postgres', "EXPLAIN (VERBOSE, COSTS OFF, FORMAT json) $_[0]");
	my @nodes = decode_json($plan)->[0]{Plan};
	my (@remote, @types);

	while (my $node = shift @nodes)
	{
		push @nodes, @{ $node->{Plans} // [] };
		push @remote, $node->{'Remote SQL'} =~ s/\s+/ /gr if $node->{'Remote SQL'};
		push @types, $node->{'Node Type'};
	}
	return ($plan, "@types", @remote);
}

# Aggregates of one lead: whole aggregates, by lead, on the shards.
foreach my $aggregate (@per_lead)
{
	my ($name, $call, $send) = @$aggregate;
	my ($function) = $call =~ /^([\w.]+)\(/;
	my $query = "SELECT lead_id, $call AS v FROM %s GROUP BY lead_id";
	my ($plan, $types, @remote) = asked(sprintf $query, 'events');

	ok(@remote == 2 && (all { /^SELECT lead_id, \Q$function\E\(.* GROUP BY 1$/ } @remote), "$name: each shard is asked for whole leads") or diag($plan);
	is($types, 'Append Foreign Scan Foreign Scan', "$name: nothing is left to do");
	is($one->safe_psql('postgres', sprintf "SELECT count(*), bool_and($send(a.v) = $send(b.v) AND a.v::text = b.v::text), count(DISTINCT a.v) > 1 FROM ($query) AS a FULL JOIN ($query) AS b USING (lead_id)", 'events', 'all_events'),
		"$nleads|t|t", "$name: leads of the shards are those of one server");
}

# A condition on leads is asked, too; without "extensions" nothing of align is.
$one->safe_psql('postgres', "INSERT INTO all_leads SELECT 1, lead_id, min(campaign), align.lead_agg(at, stage, team, reason, campaign, amount, n, segments, version) FROM all_events GROUP BY lead_id");

sub split_leads
{
	my ($how) = @_;

	$_->safe_psql('postgres', 'TRUNCATE leads') foreach @shards;
	$one->safe_psql('postgres', "SELECT setseed(0.25); UPDATE all_leads SET shard = $how; INSERT INTO leads TABLE all_leads ORDER BY random(); ANALYZE leads; VACUUM ANALYZE all_leads");
	return;
}

split_leads('1 + floor(random() * 2)::int');
my ($plan, undef, @remote) = asked(q(SELECT lead_id, align.path(lead) FROM leads WHERE align.since(lead) < '2026-02-01 00:00Z'));
ok(@remote == 2 && (all { /WHERE .*align\.since\(lead\) < '[^']*'::timestamp with time zone/ } @remote), 'a condition on a lead is that of the shards') or diag($plan);
($plan, undef, @remote) = asked(q(SELECT lead_id FROM leads WHERE align.reached(lead, source)));
ok(@remote == 2 && (all { /WHERE .*align\.reached\(lead, source\)/ } @remote), 'so is one with a column of text') or diag($plan);
($plan, undef, @remote) = asked(q(SELECT lead_id FROM leads WHERE align.reached(lead, 'customer')));
ok(@remote == 2 && (all { !/align/ } @remote), 'but not one with a text alone, whose collation may be another there') or diag($plan);
($plan, undef, @remote) = asked("SELECT align.conversion_agg(lead, '{mql,sal}', NULL, 'ordered', $as_of) FROM leads");
ok(@remote == 2 && (all { /^SELECT lead FROM / } @remote), 'stock postgres_fdw computes no partial aggregate: the leads are fetched') or diag($plan);
is($one->safe_psql('postgres', "SELECT align.conversion_send(align.conversion_agg(lead, '{mql,sal}', NULL, 'ordered', $as_of)) FROM leads"),
	$one->safe_psql('postgres', "SELECT align.conversion_send(align.conversion_agg(lead, '{mql,sal}', NULL, 'ordered', $as_of)) FROM all_leads"), 'which is right, and slow');
($plan, undef, @remote) = asked("SELECT shard, align.funnel_conversion_agg(lead, (SELECT $funnel), $as_of) FROM leads GROUP BY shard");
ok(@remote == 2 && (all { /^SELECT shard, align\.funnel_conversion_agg\(lead, \$1::align\.funnel/ } @remote), 'the agreement may be a subquery, as agreed() must be') or diag($plan);
($plan, undef, @remote) = asked("SELECT shard, align.funnel_conversion_agg(lead, align.agreed('b2b'), $as_of) FROM leads GROUP BY shard");
ok(@remote == 2 && (all { !/align/ } @remote), 'for agreed() itself is stable, and is not asked') or diag($plan);
$one->safe_psql('postgres', 'ALTER SERVER shard1 OPTIONS (DROP extensions)');
($plan, undef, @remote) = asked("SELECT lead_id, align.lead_agg(at, stage) FROM events GROUP BY lead_id");
is(scalar(grep { /align/ } @remote), 1, 'without extensions, a server is asked for nothing of align');
$one->safe_psql('postgres', "ALTER SERVER shard1 OPTIONS (ADD extensions 'align')");

# Aggregates over leads, at random splits of the leads, and with an empty shard.
foreach my $how ('1 + floor(random() * 2)::int', '1 + (random() < 0.03)::int', '1 + (lead_id % 3 = 0)::int', '2')
{
	split_leads($how);
	foreach my $i (0 .. $#over_leads)
	{
		my ($name, $call, $send, $pushed) = @{ $over_leads[$i] };
		my ($function) = $call =~ /^([\w.]+)\(/;
		my $type = $send =~ s/_send$//r;
		my $merged = "SELECT align.rollup(v) AS v FROM (SELECT shard, $call AS v FROM leads GROUP BY shard) AS s";

		if ($how =~ /random\(\) \*/)
		{
			($plan, undef, @remote) = asked($merged);
			ok(@remote == 2 && (all { $pushed ? /^SELECT .*\Q$function\E\(.* GROUP BY / : /^SELECT shard, lead FROM / } @remote),
				"$name: each shard is asked for " . ($pushed ? 'its summary' : 'its leads')) or diag($plan);
		}
		($plan, undef, @remote) = asked("SELECT align.rollup(c$i) FROM (SELECT c$i FROM summary_1 UNION ALL SELECT c$i FROM summary_2) AS s") if $how eq '2';
		is("@remote", "SELECT c$i FROM public.summary SELECT c$i FROM public.summary", "$name: or for that of a view") if $how eq '2';
		is($one->safe_psql('postgres', "WITH a AS ($merged), b AS (SELECT $call AS v FROM all_leads),
				views AS (SELECT align.rollup(c$i) AS v FROM (SELECT c$i FROM summary_1 UNION ALL SELECT c$i FROM summary_2) AS s),
				a_groups AS (SELECT source, align.rollup(v) AS v FROM (SELECT shard, source, $call AS v FROM leads GROUP BY shard, source) AS s GROUP BY source),
				b_groups AS (SELECT source, $call AS v FROM all_leads GROUP BY source)
			SELECT a.v::text = b.v::text, $send(a.v) = $send(b.v), views.v::text = b.v::text AND $send(views.v) = $send(b.v), length(a.v::text) > 100,
				(SELECT count(*) || ' ' || bool_and(a.v::text = b.v::text AND $send(a.v) = $send(b.v)) FROM a_groups AS a FULL JOIN b_groups AS b USING (source))
			FROM a, b, views"),
			't|t|t|t|3 true', "$name, $how: merged, also of views on the shards and in groups, it is that of one server, as text and in bytes");
		next unless $how eq '2' || $how =~ /random\(\) \*/;
		# what users of the shards see, in their settings, is what was sent
		my @texts = map { $_->safe_psql('postgres', "SELECT c$i FROM summary") } @shards;
		is($one->safe_psql('postgres', "SELECT align.rollup(NULLIF(v, '')::$type)::text FROM (VALUES (\$v\$$texts[0]\$v\$), (\$v\$$texts[1]\$v\$)) AS s (v)"),
			$one->safe_psql('postgres', "SELECT $call FROM all_leads"), "$name, $how: so are their texts");
	}
}

# From events to summaries on the shards: one row of each comes back.
foreach my $i (0 .. $#over_leads)
{
	my ($name, $call, $send) = @{ $over_leads[$i] };

	is($one->safe_psql('postgres', "WITH a AS (SELECT source, align.rollup(c$i) AS v FROM (SELECT source, c$i FROM summary_of_events_1 UNION ALL SELECT source, c$i FROM summary_of_events_2) AS s GROUP BY source),
			b AS (SELECT source, $call AS v FROM (SELECT lead_id, min(campaign) AS source, align.lead_agg(at, stage) AS lead FROM all_events GROUP BY lead_id) AS l GROUP BY source)
		SELECT count(*), bool_and(a.v::text = b.v::text AND $send(a.v) = $send(b.v)) FROM a FULL JOIN b USING (source)"),
		'3|t', "$name: from events to summaries on the shards");
}

# A lead whose rows are on both shards: each makes its part, and rollup() joins them.
$_->safe_psql('postgres', 'TRUNCATE leads') foreach @shards;
$one->safe_psql('postgres', "INSERT INTO leads SELECT 1 + n % 2, lead_id, NULL, align.lead_agg(at, stage, team, reason, campaign, amount, n, segments, version) FROM all_events GROUP BY 1, 2");
is($one->safe_psql('postgres', "WITH a AS (SELECT lead_id, align.rollup(lead) AS v FROM leads GROUP BY lead_id)
	SELECT count(*), bool_and(a.v::text = b.lead::text AND align.lead_send(a.v) = align.lead_send(b.lead)) FROM a FULL JOIN all_leads AS b USING (lead_id)"), "$nleads|t", 'parts of a lead on both shards are joined');

# What is not immutable is never asked of a shard: what reads tables of align or its
# user.  Everything that computes on values is.
is($one->safe_psql('postgres', q(SELECT string_agg(DISTINCT p.proname, ' ' ORDER BY p.proname) FROM pg_proc AS p
	WHERE p.pronamespace = 'align'::regnamespace AND p.provolatile <> 'i' AND NOT p.proretset AND p.prorettype <> 'trigger'::regtype
		AND (p.prorettype IN (SELECT oid FROM pg_type WHERE typnamespace = 'align'::regnamespace) OR p.proargtypes::oid[] && ARRAY(SELECT oid FROM pg_type WHERE typnamespace = 'align'::regnamespace)))),
	'agree agreed missing_needs', 'of the functions on values, only those that read agreements or the row of a table are not immutable');

$_->stop foreach values %node;
done_testing();
