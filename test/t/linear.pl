#!/usr/bin/perl
# Costs that must grow in proportion to rows, statements or past events, and no
# faster.  What is compared is the processor time of the backend for a piece of work
# and for twice as much: linear is 2, quadratic is 4, the limit is 3.  Each time is
# the best of two runs, or of four where two do not suffice.  Memory is compared
# with that of a trigger that does nothing, scans by key by the buffers they read.
# "make bench" measures the same at full size.
use strict;
use warnings;

use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;
use Test::More;

plan skip_all => 'needs /proc/PID/stat' unless -r "/proc/$$/stat";

my $limit = 3;
my $endless = 1e6;				# the ratio where a statement ran into its time-out

my $node = PostgreSQL::Test::Cluster->new('linear');
$node->init(allows_streaming => 'logical');
$node->append_conf('postgresql.conf', <<'CONF');
shared_buffers = 128MB
autovacuum = off
fsync = off
jit = off
max_parallel_workers_per_gather = 0
statement_timeout = 40s
CONF
$node->start;

$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION align;
SELECT align.agree('linear', $$
	stage a, b, d held by sales;
	won c;
	success path a -> b -> d -> c;
	path b -> a;
	path d -> a;
	sla answer by sales: from b to a, d within 10 days;
$$);
CREATE FUNCTION other(stage text) RETURNS text LANGUAGE sql IMMUTABLE RETURN CASE stage WHEN 'a' THEN 'b' ELSE 'a' END;
CREATE FUNCTION one_of_three(stage text) RETURNS text LANGUAGE sql IMMUTABLE RETURN CASE stage WHEN 'a' THEN 'b' WHEN 'b' THEN 'd' ELSE 'a' END;
SQL

# Processor time of a process so far, in milliseconds.
sub cpu
{
	my ($pid) = @_;
	my $nanoseconds = 0;

	($nanoseconds) = split ' ', slurp_file("/proc/$pid/schedstat") if -r "/proc/$pid/schedstat";
	return $nanoseconds / 1e6 if $nanoseconds > 0;

	# field 2, the name, is in parentheses
	my @fields = split ' ', slurp_file("/proc/$pid/stat") =~ s/^.*\)//sr;
	return ($fields[11] + $fields[12]) * 1000 / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}

# The largest address space that a process has had, in megabytes.
sub memory
{
	my ($pid) = @_;
	my ($kb) = slurp_file("/proc/$pid/status") =~ /^VmPeak:\s+(\d+) kB/m;

	return $kb / 1024;
}

# A function that returns the cost of SQL at a size: "{n}" stands for it, both in what
# is measured and in what is run before.  Undefined if one of them ran into its
# time-out.  All in one session, which compare_costs() ends.
my @sessions;

sub cost_of
{
	my ($statement, $prepare) = @_;
	my $session = Session->new($node);
	my $pid = $session->command('SELECT pg_backend_pid()');
	my $run = sub {
		my ($sql, $n) = @_;
		my $output = $session->command($sql =~ s/\{n\}/$n/gr);

		return 1 if $output !~ /ERROR/;
		die "$sql: $output" unless $output =~ /statement timeout/;
		return 0;
	};

	push @sessions, $session;
	return sub {
		my ($n) = @_;

		if (defined $prepare)
		{
			$run->($prepare, $n) or return;
		}
		my $before = cpu($pid);
		$run->($statement, $n) or return;
		return cpu($pid) - $before;
	};
}

# The ratio of the costs of two pieces of work, each the lowest seen.
sub compare_costs
{
	my ($small, $large, $at_most) = @_;
	my ($least_small, $least_large, $ratio);

	foreach my $attempt (1 .. 4)
	{
		my ($one, $two) = ($small->());

		$two = $large->() if defined $one;
		if (!defined $two)
		{
			$ratio = $endless;
			last;
		}
		$least_small = $one if !defined $least_small || $one < $least_small;
		$least_large = $two if !defined $least_large || $two < $least_large;
		$ratio = $least_large / ($least_small || 0.001);
		last if $attempt >= 2 && $ratio < $at_most;
	}
	$_->finish foreach splice @sessions;
	return ($ratio, $ratio < $endless ? sprintf('%.0f ms and %.0f ms', $least_small, $least_large) : 'time-out');
}

sub grows_linearly
{
	my ($cost, $n, $name) = @_;
	my ($ratio, $figures) = compare_costs(sub { $cost->($n) }, sub { $cost->(2 * $n) }, $limit);

	note sprintf '%s: %.2f (%s for %d and %d)', $name, $ratio, $figures, $n, 2 * $n;
	return ok($ratio < $limit, "$name: cost is linear") || diag sprintf 'ratio %.2f: %s for %d and %d', $ratio, $figures, $n, 2 * $n;
}

sub costs_the_same
{
	my ($one, $other, $n, $at_most, $name) = @_;
	my ($ratio, $figures) = compare_costs(sub { $one->($n) }, sub { $other->($n) }, $at_most);

	note sprintf '%s: %.2f (%s)', $name, $ratio, $figures;
	return ok($ratio < $at_most, "$name: cost is the same") || diag sprintf 'ratio %.2f: %s', $ratio, $figures;
}

# The measure itself: it tells a quadratic cost from a linear one.
grows_linearly(cost_of('SELECT count(*) FROM generate_series(1, {n})'), 2_000_000, 'rows of generate_series');
{
	my $pairs = cost_of('SELECT count(*) FROM generate_series(1, {n}) AS a, generate_series(1, {n}) AS b');
	my ($ratio, $figures) = compare_costs(sub { $pairs->(1500) }, sub { $pairs->(3000) }, $limit);

	note "pairs of rows: $figures";
	cmp_ok($ratio, '>=', $limit, 'pairs of rows: a quadratic cost is seen');
	cmp_ok($ratio, '<', $endless, 'and not by a time-out');
	($ratio) = compare_costs(cost_of(q{SET statement_timeout = '10ms'; SELECT pg_sleep(1)}), sub { 1 }, $limit);
	cmp_ok($ratio, '>=', $limit, 'a time-out is seen as well');
}

# Triggers of the user that update a lead twice per row: on a table of activities,
# also inside an exception block, and on the leads themselves, there named so that it
# fires before align's.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE nested (id bigint PRIMARY KEY, stage text, score int DEFAULT 0, active_at timestamptz);
INSERT INTO nested SELECT i, 'a' FROM generate_series(1, 50000) AS i;
SELECT align.attach('nested', 'linear');
CREATE FUNCTION on_activity() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
	UPDATE nested SET active_at = clock_timestamp() WHERE id = new.lead;
	UPDATE nested SET stage = other(stage) WHERE id = new.lead;
	RETURN NULL;
END
$$;
CREATE FUNCTION on_careful_activity() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
	UPDATE nested SET active_at = clock_timestamp() WHERE id = new.lead;
	UPDATE nested SET stage = other(stage) WHERE id = new.lead;
	RETURN NULL;
EXCEPTION WHEN unique_violation THEN
	RETURN NULL;
END
$$;
CREATE FUNCTION on_score() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
	UPDATE nested SET active_at = clock_timestamp() WHERE id = new.id;
	UPDATE nested SET stage = other(stage) WHERE id = new.id;
	RETURN NULL;
END
$$;
CREATE TABLE activity (lead bigint);
CREATE TRIGGER on_activity AFTER INSERT ON activity FOR EACH ROW EXECUTE FUNCTION on_activity();
CREATE TABLE careful_activity (lead bigint);
CREATE TRIGGER on_activity AFTER INSERT ON careful_activity FOR EACH ROW EXECUTE FUNCTION on_careful_activity();
CREATE TRIGGER aa_on_score AFTER UPDATE OF score ON nested FOR EACH ROW EXECUTE FUNCTION on_score();
VACUUM ANALYZE;
SQL
grows_linearly(cost_of('INSERT INTO activity SELECT generate_series(1, {n})'), 12_000, 'trigger that updates a lead twice per row');
grows_linearly(cost_of('INSERT INTO careful_activity SELECT generate_series(1, {n})'), 9_000, 'the same in an exception block');
grows_linearly(cost_of('UPDATE nested SET score = score + 1, stage = other(stage) WHERE id <= {n}'), 10_000, 'trigger on leads that updates the lead twice');
is($node->safe_psql('postgres', q{SELECT * FROM align.check('nested')}), '', 'check is empty');

# A subtransaction per row, while all changes of an UPDATE are pending: they wait, since
# the leads were changed while triggers were off, or belong to an outer subtransaction,
# that of an exception block in a trigger.  In the last case, each of the inner ones
# also makes a change and reads the clocks, for which it looks what can be written.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE pending (id bigint PRIMARY KEY, stage text);
SELECT align.attach('pending', 'linear');
CREATE FUNCTION careful() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
	BEGIN
		IF new.id >= 1000000 AND pg_trigger_depth() = 2 THEN
			UPDATE pending SET stage = other(stage) WHERE id = new.id;
			PERFORM * FROM align.clocks('pending', now(), new.id);
		END IF;
	EXCEPTION WHEN division_by_zero THEN
		NULL;
	END;
	IF new.id IN (0, 999999) THEN
		BEGIN
			UPDATE pending SET stage = other(stage) WHERE id > new.id;
		EXCEPTION WHEN division_by_zero THEN
			NULL;
		END;
	END IF;
	RETURN NULL;
END
$$;
CREATE TRIGGER aa_careful AFTER UPDATE ON pending FOR EACH ROW EXECUTE FUNCTION careful();
CREATE PROCEDURE fill_pending(first bigint, leads int, stage_unseen text) LANGUAGE plpgsql AS
$$
BEGIN
	SET LOCAL session_replication_role = replica;
	TRUNCATE pending, pending_history, pending_sla;
	SET LOCAL session_replication_role = origin;
	INSERT INTO pending SELECT i, 'a' FROM generate_series(first, first + leads) AS i;
	SET LOCAL session_replication_role = replica;
	UPDATE pending SET stage = stage_unseen;
END
$$;
SQL
grows_linearly(cost_of(q{UPDATE pending SET stage = 'd'}, q{CALL fill_pending(1, {n}, 'b')}), 25_000, 'a subtransaction per row while changes wait');
grows_linearly(cost_of(q{UPDATE pending SET stage = 'b' WHERE id = 0}, q{CALL fill_pending(0, {n}, 'a')}), 25_000, 'the same while changes of an outer one are pending');
grows_linearly(cost_of(q{UPDATE pending SET stage = 'b' WHERE id = 999999}, q{CALL fill_pending(999999, {n}, 'a')}), 8_000, 'the same if each also reads');
is($node->safe_psql('postgres', q{SELECT * FROM align.check('pending')}), '', 'check is empty');

# One UPDATE of many leads after a version renamed all stages, or with one lead
# changed while triggers were off.  Each version calls the stages a0, b0, or a1, b1,
# or a2, b2, and has the others as labels.  Other leads for each size: none is updated
# more often than others.  Pages are half empty, so that the lead changed unseen stays
# the first of its table.
$node->safe_psql('postgres', <<'SQL');
CREATE SEQUENCE version MINVALUE 0;
CREATE FUNCTION rename_stages() RETURNS void LANGUAGE plpgsql AS
$$
DECLARE
	this bigint := nextval('version') % 3;
BEGIN
	PERFORM align.agree('renamed', format('stage a%1$s, b%1$s held by sales; won c; success path a%1$s -> b%1$s -> c; path b%1$s -> a%1$s;
		sla answer by sales: from b%1$s to a%1$s within 10 days; a%1$s known as ''a%2$s'', ''a%3$s''; b%1$s known as ''b%2$s'', ''b%3$s'';',
		this, (this + 1) % 3, (this + 2) % 3));
END
$$;
CREATE FUNCTION move_renamed(n int) RETURNS void LANGUAGE plpgsql AS
$$
BEGIN
	UPDATE renamed SET stage = CASE WHEN left(stage, 1) = 'a' THEN 'b' ELSE 'a' END || (SELECT last_value % 3 FROM version) WHERE id >= n AND id < 2 * n;
END
$$;
CREATE TABLE renamed (id bigint PRIMARY KEY, stage text) WITH (fillfactor = 50);
INSERT INTO renamed SELECT i, 'a0' FROM generate_series(30000, 119999) AS i;
CREATE TABLE unseen (id bigint PRIMARY KEY, stage text) WITH (fillfactor = 50);
INSERT INTO unseen SELECT i, 'a' FROM generate_series(30000, 119999) AS i;
CREATE TABLE seen (id bigint PRIMARY KEY, stage text) WITH (fillfactor = 50);
INSERT INTO seen SELECT i, 'a' FROM generate_series(30000, 119999) AS i;
SELECT rename_stages();
SELECT align.attach('renamed', 'renamed'), align.attach('unseen', 'linear'), align.attach('seen', 'linear');
VACUUM ANALYZE;
SQL
my $seen = 'UPDATE seen SET stage = one_of_three(stage) WHERE id >= {n} AND id < 2 * {n}';
my @renamed = ('SELECT move_renamed({n})', 'SELECT rename_stages()');
my @unseen = ($seen =~ s/seen/unseen/r,
	'BEGIN; SET LOCAL session_replication_role = replica; UPDATE unseen SET stage = one_of_three(stage) WHERE id = {n}; COMMIT');
grows_linearly(cost_of(@renamed), 30_000, 'UPDATE after a version renamed the stages');
is($node->safe_psql('postgres', q{SELECT * FROM align.check('renamed')}), '', 'check is empty');
is($node->safe_psql('postgres', q{SELECT count(DISTINCT stage) > 3, count(DISTINCT version) > 3 FROM renamed_history WHERE event = 'move'}), 't|t',
	'and the stages were recorded under several names');
grows_linearly(cost_of(@unseen), 30_000, 'UPDATE with one lead changed while triggers were off');
$node->safe_psql('postgres', 'VACUUM');
costs_the_same(cost_of($seen), cost_of(@renamed), 60_000, 1.7, 'UPDATE without, and after a version renamed the stages');
costs_the_same(cost_of($seen), cost_of(@unseen), 60_000, 1.7, 'UPDATE without, and with one lead changed while triggers were off');

# Many moves of one lead in one transaction.  The row is found by its ctid: by its
# key, PostgreSQL itself reads every version that the transaction made before.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE moved (id bigint PRIMARY KEY, stage text);
INSERT INTO moved SELECT i, 'a' FROM generate_series(0, 5000) AS i;
SELECT align.attach('moved', 'linear');
CREATE FUNCTION move_one(wanted bigint, moves int) RETURNS void LANGUAGE plpgsql AS
$$
DECLARE
	place tid := (SELECT ctid FROM moved WHERE id = wanted);
BEGIN
	FOR i IN 1 .. moves LOOP
		UPDATE moved SET stage = other(stage) WHERE ctid = place RETURNING ctid INTO place;
	END LOOP;
END
$$;
SQL
grows_linearly(cost_of('SELECT move_one(5000, {n})'), 10_000, 'moves of one lead in one transaction');

# One more move of a lead with a long past: lead 0 has 7,000 closed clocks, 5,000
# others have 10 each.
{
	$node->safe_psql('postgres', <<'SQL');
CREATE PROCEDURE give_past(wanted bigint, upto bigint, clocks int) LANGUAGE plpgsql AS
$$
BEGIN
	FOR i IN 1 .. 2 * clocks LOOP
		UPDATE moved SET stage = other(stage) WHERE id BETWEEN wanted AND upto;
		COMMIT;
	END LOOP;
END
$$;
CREATE PROCEDURE move_each(step bigint, moves int) LANGUAGE plpgsql AS
$$
BEGIN
	FOR i IN 1 .. moves LOOP
		UPDATE moved SET stage = other(stage) WHERE id = i * step;
		COMMIT;
	END LOOP;
END
$$;
SET statement_timeout = 0;
CALL give_past(1, 4000, 10);
CALL give_past(0, 0, 7000);
VACUUM ANALYZE;
SQL
	is($node->safe_psql('postgres', q{SELECT count(*) FROM moved_sla WHERE id IN (0, 7) GROUP BY id ORDER BY id}), "7000\n10", 'a long past and a short one');
	costs_the_same(cost_of('CALL move_each(1, {n})'), cost_of('CALL move_each(0, {n})'), 4000, 2, 'moves after 10 closed clocks, and after 7,000');
	is($node->safe_psql('postgres', q{SELECT * FROM align.check('moved')}), '', 'check is empty');
}

# Single rows by SQL, since the history has a column more, through statements that
# were planned when the clock table was known to be empty.  Each run moves leads that
# have not moved before, so it also finds more clocks.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE by_sql (id bigint PRIMARY KEY, stage text);
INSERT INTO by_sql SELECT i, 'a' FROM generate_series(1, 50000) AS i;
SELECT align.attach('by_sql', 'linear');
ALTER TABLE by_sql_history ADD COLUMN extra int;
VACUUM ANALYZE;
CREATE SEQUENCE lead_by_sql;
CREATE PROCEDURE move_by_sql(leads int) LANGUAGE plpgsql AS
$$
DECLARE
	lead bigint;
BEGIN
	FOR i IN 1 .. leads LOOP
		lead := nextval('lead_by_sql');
		UPDATE by_sql SET stage = 'b' WHERE id = lead;
		COMMIT;
		UPDATE by_sql SET stage = 'a' WHERE id = lead;
		COMMIT;
	END LOOP;
END
$$;
SQL
grows_linearly(cost_of('CALL move_by_sql({n})'), 600, 'single rows, written by SQL');
is($node->safe_psql('postgres', q{SELECT * FROM align.check('by_sql')}), '', 'check is empty');

# A table that is attached: its history and clocks have no index until they are filled.
$node->safe_psql('postgres', q{
	CREATE TABLE attached (id int PRIMARY KEY, stage text NOT NULL);
	CREATE PROCEDURE fill_attached(n int) LANGUAGE plpgsql AS $$
	BEGIN
		IF EXISTS (SELECT FROM align.attachments WHERE relation = 'attached'::regclass) THEN
			PERFORM align.detach('attached');
		END IF;
		DROP TABLE IF EXISTS attached_history, attached_sla;
		TRUNCATE attached;
		INSERT INTO attached SELECT i, 'b' FROM generate_series(1, n) AS i;
	END $$;
});
grows_linearly(cost_of(q{SELECT align.attach('attached', 'linear')}, 'CALL fill_attached({n})'), 100_000, 'attach(), rows of the table');

# A table that is reloaded: unchanged rows, in one transaction and in savepoints.
$node->safe_psql('postgres', q{
	CREATE TABLE reloaded (id int PRIMARY KEY, stage text NOT NULL);
	SELECT align.attach('reloaded', 'linear', reload => true);
	CREATE PROCEDURE fill_reloaded(n int) LANGUAGE plpgsql AS $$
	BEGIN
		PERFORM align.detach('reloaded');
		DROP TABLE reloaded_history, reloaded_sla;
		TRUNCATE reloaded;
		INSERT INTO reloaded SELECT i, 'b' FROM generate_series(1, n) AS i;
		PERFORM align.attach('reloaded', 'linear', reload => true);
	END $$;
	CREATE FUNCTION reload(n int) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		DELETE FROM reloaded;
		INSERT INTO reloaded SELECT i, 'b' FROM generate_series(1, n) AS i;
	END $$;
	CREATE FUNCTION reload_row_by_row(n int) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		DELETE FROM reloaded;
		FOR i IN 1 .. n LOOP
			BEGIN
				INSERT INTO reloaded VALUES (i, 'b');
			EXCEPTION WHEN unique_violation THEN NULL;
			END;
		END LOOP;
	END $$;
});
grows_linearly(cost_of('SELECT reload({n})', 'CALL fill_reloaded({n})'), 50_000, 'reload of unchanged rows');
grows_linearly(cost_of('SELECT reload_row_by_row({n})', 'CALL fill_reloaded({n})'), 15_000, 'the same with a subtransaction per row');
grows_linearly(cost_of('DELETE FROM reloaded', 'CALL fill_reloaded({n})'), 15_000, 'deletions that are recorded at commit');
is($node->safe_psql('postgres', q{SELECT * FROM align.check('reloaded')}), '', 'check is empty');

# Aggregates in many groups by hashing.
grows_linearly(cost_of(<<'SQL'), 400_000, 'conversion_agg, rows and groups');
SET work_mem = '1GB';
SET enable_sort = off;
SELECT count(c) FROM (
	SELECT align.conversion_agg('{2026-01-01T00:00:00Z a, 2026-01-02T00:00:00Z b, 2026-01-03T00:00:00Z c}', '{a,b,c}', interval '90 days', 'ordered', '2026-03-01 00:00Z') AS c
	FROM generate_series(1, {n}) AS i
	GROUP BY i % ({n} / 5)) AS g
SQL
grows_linearly(cost_of(<<'SQL'), 400_000, 'incidence_agg, rows and groups');
SET work_mem = '1GB';
SET enable_sort = off;
SELECT count(c) FROM (
	SELECT align.incidence_agg(i * interval '1 second', CASE i % 3 WHEN 0 THEN 'won' END) AS c
	FROM generate_series(1, {n}) AS i
	GROUP BY i % ({n} / 5)) AS g
SQL

# More times than are kept apart: they are sorted while incidences are merged.
is($node->safe_psql('postgres', <<'SQL'), "a|21000000\nb|1\n|21000000", 'incidences with many equal times are merged');
WITH many AS MATERIALIZED (SELECT align.incidence_agg(i * interval '1 second', o) AS m FROM generate_series(1, 4200000) AS i, unnest('{NULL,a}'::text[]) AS o)
SELECT o.outcome, o.cases
FROM (SELECT align.rollup(i ORDER BY k) AS r
	FROM (SELECT 0 AS k, '{in days, outcome b (1)}'::align.incidence AS i UNION ALL SELECT k, m FROM many, generate_series(1, 5) AS k) AS x) AS x,
	align.outcomes(r) AS o
SQL

# One lead by its key: as many buffers among 100,000 leads as among 1,000, but for
# the levels of an index, and not more than three times those of a look-up.
{
	my %buffers;
	my $session = Session->new($node);

	foreach my $leads (1_000, 100_000)
	{
		$node->safe_psql('postgres', <<"SQL");
CREATE TABLE keyed_$leads (id bigint PRIMARY KEY, stage text);
INSERT INTO keyed_$leads SELECT i, 'a' FROM generate_series(1, $leads) AS i;
SELECT align.attach('keyed_$leads', 'linear');
UPDATE keyed_$leads SET stage = 'b';
VACUUM ANALYZE;
SQL
		my %queries = (
			journeys => "SELECT * FROM align.journeys('keyed_$leads', 77::bigint)",
			history => "SELECT * FROM keyed_${leads}_history WHERE id = 77",
			clocks => "SELECT * FROM align.clocks('keyed_$leads', now(), 77::bigint)",
			sla => "SELECT * FROM keyed_${leads}_sla WHERE id = 77");

		foreach my $query (keys %queries)
		{
			my $rows = () = $session->command($queries{$query}) =~ /^./mg;
			my ($plan) = $session->command("EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF) $queries{$query}") =~ /\A(.*?)(?:^Planning|\z)/ms;

			is($rows, $query eq 'history' ? 2 : 1, "$query: one lead of $leads");
			$buffers{$query}{$leads} = 0;
			$buffers{$query}{$leads} += $1 if $plan =~ /shared hit=(\d+)/;
			$buffers{$query}{$leads} += $1 if $plan =~ /read=(\d+)/;
		}
	}
	foreach my $pair ([ 'journeys', 'history' ], [ 'clocks', 'sla' ])
	{
		my ($function, $table) = @$pair;
		my ($few, $many) = @{ $buffers{$function} }{ 1_000, 100_000 };
		my $look_up = $buffers{$table}{100_000};

		note "$function: $few buffers of 1,000 leads, $many of 100,000; a look-up: $look_up";
		cmp_ok($many, '>', 0, "$function: buffers are counted");
		# a larger index has one more level, for each of the scans
		cmp_ok($many, '<=', $few + 6, "$function: as many buffers for a lead of 100,000 as of 1,000");
		cmp_ok($many, '<=', 3 * $look_up, "$function: at most three times the buffers of a look-up");
	}
	$session->finish;
}

# DELETE where no statement trigger fires: directly from a partition, and in the
# apply worker of logical replication.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE parted (id bigint PRIMARY KEY, stage text) PARTITION BY RANGE (id);
CREATE TABLE part PARTITION OF parted FOR VALUES FROM (0) TO (1000000000);
SELECT align.attach('parted', 'linear');
SQL
grows_linearly(cost_of('DELETE FROM part', q{INSERT INTO parted SELECT i, 'a' FROM generate_series(1, {n}) AS i}), 30_000, 'DELETE directly from a partition');
is($node->safe_psql('postgres', q{SELECT * FROM align.check('parted')}), '', 'check is empty');

{
	my $tables = <<'SQL';
CREATE TABLE whole (id bigint PRIMARY KEY, stage text);
CREATE TABLE deals (id bigint PRIMARY KEY, stage text)
SQL
	my $bare = 'CREATE TABLE bare (id bigint PRIMARY KEY, stage text)';

	$node->safe_psql('postgres', <<"SQL");
CREATE DATABASE source;
\\connect source
$tables;
$bare;
CREATE PUBLICATION everything FOR ALL TABLES;
SELECT pg_create_logical_replication_slot('mirror', 'pgoutput');
\\connect postgres
$tables PARTITION BY RANGE (id);
CREATE TABLE deals_all PARTITION OF deals FOR VALUES FROM (0) TO (1000000000);
$bare PARTITION BY RANGE (id);
CREATE TABLE bare_all PARTITION OF bare FOR VALUES FROM (0) TO (1000000000);
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER nothing AFTER DELETE ON bare FOR EACH ROW EXECUTE FUNCTION nothing();
ALTER TABLE bare_all ENABLE ALWAYS TRIGGER nothing;
SELECT align.attach('whole', 'linear'), align.attach('deals', 'linear');
DO \$\$
DECLARE
	t record;
BEGIN
	FOR t IN SELECT tgrelid::regclass AS relation, tgname FROM pg_trigger
		WHERE tgrelid IN ('whole'::regclass, 'deals'::regclass, 'deals_all'::regclass) AND NOT tgisinternal AND tgname LIKE 'align%' LOOP
		EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', t.relation, t.tgname);
	END LOOP;
END
\$\$;
SQL
	my $connection = $node->connstr . ' dbname=source';

	# in the same cluster, so the slot is there already
	$node->safe_psql('postgres', "CREATE SUBSCRIPTION mirror CONNECTION '$connection' PUBLICATION everything WITH (create_slot = false, copy_data = false)");
	$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_subscription WHERE subname = 'mirror' AND pid IS NOT NULL}) or die 'no apply worker';

	my $worker = sub { $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_subscription WHERE subname = 'mirror' AND relid IS NULL}) };
	my $first = $worker->();
	my $apply = sub {
		my ($sql) = @_;

		$node->safe_psql('source', $sql);
		$node->wait_for_catchup('mirror');
		return;
	};

	my $last_id = 0;
	my $memory = 0;
	my $cost = sub {
		my ($table, $n) = @_;

		# other keys each time: dead index entries of the same ones would cost time
		$apply->("INSERT INTO $table SELECT $last_id + i, 'a' FROM generate_series(1, $n) AS i");
		$last_id += $n;
		my ($before, $memory_before) = (cpu($first), memory($first));
		$apply->("DELETE FROM $table");
		$memory += memory($first) - $memory_before;
		return cpu($first) - $before;
	};

	foreach my $table ('whole', 'deals')
	{
		# In PostgreSQL 18 the apply worker keeps a reference to the partitioned
		# table for each row that has an AFTER trigger, and looks through them all
		# for the next.  So what a trigger that does nothing costs is no part of
		# what is compared.
		my $own_cost = $table eq 'whole' ? sub { $cost->($table, $_[0]) } : sub { $cost->($table, $_[0]) - $cost->('bare', $_[0]) };
		my $entries = sub { $node->safe_psql('postgres', "SELECT count(*) FROM ${table}_history WHERE event = 'deleted'") };

		$memory = 0;
		grows_linearly($own_cost, 15_000, "DELETE in the apply worker, $table");
		cmp_ok($entries->(), '>=', 2 * 45_000, 'and it recorded them');
		note "memory: $memory MB more";
		cmp_ok($memory, '<', 8, 'and kept none of them in memory');
	}
	is($worker->(), $first, 'the apply worker is the same as before');
	is($node->safe_psql('postgres', q{SELECT count(*) FROM align.check('whole')}), '0', 'check is empty');
	is($node->safe_psql('postgres', q{SELECT count(*) FROM align.check('deals')}), '0', 'check is empty, partitioned');
	$node->safe_psql('postgres', 'DROP SUBSCRIPTION mirror');
}

# Memory: the peak of a fresh backend that updates many leads in one statement, above
# that of the same UPDATE with a trigger that does nothing, under align's WHEN.  Few
# shared buffers, since the peak counts those that the backend has touched.
$node->safe_psql('postgres', <<'SQL');
CREATE FUNCTION no_op() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TABLE many_no_op (id bigint PRIMARY KEY, stage text);
INSERT INTO many_no_op SELECT i, 'a' FROM generate_series(1, 300000) AS i;
CREATE TRIGGER no_op AFTER UPDATE ON many_no_op FOR EACH ROW
	WHEN (old.stage IS DISTINCT FROM new.stage OR old.id IS DISTINCT FROM new.id) EXECUTE FUNCTION no_op();
CREATE TABLE many (id bigint PRIMARY KEY, stage text);
INSERT INTO many SELECT * FROM many_no_op;
SELECT align.attach('many', 'linear');
SELECT rename_stages();
SET session_replication_role = replica;
UPDATE unseen SET stage = one_of_three(stage) WHERE id = 60000;
SQL
$node->append_conf('postgresql.conf', 'shared_buffers = 4MB');
$node->restart;

# Peak resident memory in megabytes.
sub peak
{
	my ($statement) = @_;

	return $node->safe_psql('postgres', <<"SQL") / 1024;
$statement \\g /dev/null
SELECT substring(pg_read_file('/proc/self/status') FROM 'VmHWM:\\s+(\\d+) kB');
SQL
}

{
	my %more;

	foreach my $leads (100_000, 300_000)
	{
		my ($noop, $ours) = map { peak("UPDATE $_ SET stage = other(stage) WHERE id <= $leads") } 'many_no_op', 'many';

		$more{$leads} = $ours - $noop;
		note sprintf '%d leads: %.1f MB, with a trigger that does nothing %.1f MB', $leads, $ours, $noop;
	}
	cmp_ok($more{300_000}, '<', 20, 'UPDATE of 300,000 leads: less than 20 MB above a trigger that does nothing');
	cmp_ok($more{300_000} - $more{100_000}, '<', 4, 'and no more of them than for 100,000');

	my @peaks = map { peak($_ =~ s/\{n\}/60000/gr) } $seen, $renamed[0], $unseen[0];

	note sprintf '60,000 leads: %.1f MB, after a version renamed the stages %.1f MB, one lead changed while triggers were off %.1f MB', @peaks;
	cmp_ok($peaks[1] - $peaks[0], '<', 6, 'and no more after a version renamed the stages');
	cmp_ok($peaks[2] - $peaks[0], '<', 6, 'and no more with one lead changed while triggers were off');
}
is($node->safe_psql('postgres', q{SELECT t, count(*) FROM unnest('{many,renamed,seen}'::regclass[]) AS t, align.check(t) GROUP BY t}), '', 'check is empty');

$node->stop;
done_testing();
