#!/usr/bin/perl
# Logical replication: a table that is attached on the subscriber, with its
# triggers always enabled, records what the publisher does, at once.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $publisher = PostgreSQL::Test::Cluster->new('publisher');
$publisher->init(allows_streaming => 'logical');
$publisher->start;
my $subscriber = PostgreSQL::Test::Cluster->new('subscriber');
$subscriber->init(allows_streaming => 'logical');
$subscriber->start;

my $tables = <<'SQL';
CREATE TABLE leads (id bigint PRIMARY KEY, stage text, owner text, changed_at timestamptz, note text);
CREATE TABLE deals (id int, stage text, PRIMARY KEY (id, stage)) PARTITION BY LIST (stage);
CREATE TABLE deals_early PARTITION OF deals FOR VALUES IN ('inquiry', 'mql');
CREATE TABLE deals_late PARTITION OF deals DEFAULT;
CREATE TABLE whole (id int PRIMARY KEY, stage text, a text);
ALTER TABLE whole REPLICA IDENTITY FULL;
CREATE TABLE flat (id int, stage text, note text, PRIMARY KEY (id, stage));
ALTER TABLE flat REPLICA IDENTITY FULL;
CREATE TABLE reloaded (id int PRIMARY KEY, stage text);
CREATE TABLE two (id int, stage text, billing text, PRIMARY KEY (id, stage));
ALTER TABLE two REPLICA IDENTITY FULL;
SQL
$publisher->safe_psql('postgres', "$tables; INSERT INTO leads VALUES (1, 'inquiry'), (2, 'mql'); CREATE PUBLICATION everything FOR ALL TABLES WITH (publish_via_partition_root = true);");
# on the subscriber: columns in another order, more of them
$tables =~ s/CREATE TABLE leads \(.*/CREATE TABLE leads (extra int DEFAULT 7, owner text, changed_at timestamptz, stage text, note text, id bigint PRIMARY KEY);/;
# partitioned there alone, so that the apply worker moves rows between partitions
$tables =~ s/(CREATE TABLE flat .*\));/$1 PARTITION BY LIST (stage); CREATE TABLE flat_early PARTITION OF flat FOR VALUES IN ('inquiry', 'mql'); CREATE TABLE flat_late PARTITION OF flat DEFAULT;/;
$tables =~ s/(CREATE TABLE two .*\));/$1 PARTITION BY LIST (stage); CREATE TABLE two_early PARTITION OF two FOR VALUES IN ('inquiry', 'mql'); CREATE TABLE two_late PARTITION OF two DEFAULT;/;
$subscriber->safe_psql('postgres', <<"SQL");
$tables
CREATE EXTENSION align;
SELECT align.agree('b2b', \$\$
    stage inquiry, mql held by marketing;
    stage sal, sql held by sales;
    won customer;
    lost disqualified;
    entry inquiry, mql;
    success path inquiry -> mql -> sal -> sql -> customer;
    path any -> disqualified;
    handoff speed_to_lead: mql from marketing to sales, accept sal, within 4 hours;
\$\$);
SELECT align.attach('leads', 'b2b', assignee => 'owner', changed_at => 'changed_at', mode => 'observe'),
    align.attach('deals', 'b2b', key => '{id}', mode => 'observe'), align.attach('whole', 'b2b', key => '{id}', mode => 'observe'),
    align.attach('flat', 'b2b', key => '{id}', mode => 'observe'), align.attach('two', 'b2b', key => '{id}', mode => 'observe'),
    align.attach('reloaded', 'b2b', mode => 'observe', reload => true);
SELECT align.attach('two', 'b2b', key => '{id}', stage => 'billing', mode => 'observe', history => 'two_billing_history');
DO \$\$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT tgrelid::regclass AS relation, tgname FROM pg_trigger
        WHERE tgrelid IN ('leads'::regclass, 'deals'::regclass, 'deals_early'::regclass, 'deals_late'::regclass, 'whole'::regclass, 'flat'::regclass, 'flat_early'::regclass, 'flat_late'::regclass, 'two'::regclass, 'two_early'::regclass, 'two_late'::regclass, 'reloaded'::regclass) AND NOT tgisinternal AND tgname LIKE 'align%' LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', t.relation, t.tgname);
    END LOOP;
END \$\$;
SQL
my $source = $publisher->connstr . ' dbname=postgres';
$subscriber->safe_psql('postgres', "CREATE SUBSCRIPTION mirror CONNECTION '$source' PUBLICATION everything");
$subscriber->wait_for_subscription_sync($publisher, 'mirror') if $subscriber->can('wait_for_subscription_sync');
$subscriber->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_subscription_rel WHERE srsubstate NOT IN ('r', 's')}) or die 'no first copy';

sub apply
{
	my ($sql) = @_;

	$publisher->safe_psql('postgres', $sql);
	$publisher->wait_for_catchup('mirror');
	return;
}

sub trail
{
	my ($relation, $where) = @_;

	return $subscriber->safe_psql('postgres', "SELECT id, entry_no, event, from_stage, stage, violation FROM ${relation}_history WHERE $where ORDER BY 1, 2");
}

my $checks = q{SELECT t, c.* FROM unnest('{leads,deals,whole,flat,reloaded}'::regclass[]) AS t, align.check(t) AS c};

is(trail('leads', 'true'), "1|1|entry||inquiry|\n2|1|entry||mql|", 'the first copy is recorded');

apply(q{UPDATE leads SET stage = 'mql', owner = 'ann' WHERE id = 1});
is(trail('leads', 'id = 1 AND entry_no > 1'), '1|2|move|inquiry|mql|', 'a move');
apply(q{INSERT INTO leads VALUES (3, 'inquiry'), (4, NULL); UPDATE leads SET note = 'x'; UPDATE leads SET stage = 'mql' WHERE id >= 3});
is(trail('leads', 'id >= 3'), "3|1|entry||inquiry|\n3|2|move|inquiry|mql|\n4|1|entry||mql|", 'several rows');
apply(q{BEGIN; UPDATE leads SET stage = 'sal' WHERE id = 1; SAVEPOINT a; UPDATE leads SET stage = 'sql' WHERE id = 1; ROLLBACK TO a; UPDATE leads SET stage = 'disqualified' WHERE id = 1; DELETE FROM leads WHERE id = 3; UPDATE leads SET id = 20 WHERE id = 2; COMMIT});
is(trail('leads', 'id = 1 AND entry_no > 2'), "1|3|move|mql|sal|\n1|4|move|sal|disqualified|", 'several moves of one transaction');
is(trail('leads', 'id = 3 AND entry_no > 2'), '3|3|deleted|mql||', 'DELETE');
is($subscriber->safe_psql('postgres', $checks), '', 'a key that changed; check is empty');
apply(q{UPDATE leads SET stage = 'customer' WHERE id = 20; INSERT INTO leads VALUES (5, 'hot')});
like(trail('leads', 'id = 20'), qr/mql\|customer\|illegal_move$/, 'what the publisher let pass is recorded with what is wrong with it');
is(trail('leads', 'id = 5'), '5|1|entry||hot|unknown_stage', 'what is no stage, too');
is($subscriber->safe_psql('postgres', 'SELECT id, sla, cycle, outcome, assignee_at_start FROM leads_sla WHERE id IN (1, 3, 4) ORDER BY 1, 2, 3'),
	"1|speed_to_lead|1|met|ann\n3|speed_to_lead|1|cancelled|\n4|speed_to_lead|1||", 'clocks run');
is($subscriber->safe_psql('postgres', q{SELECT DISTINCT db_role FROM leads_history}), $subscriber->safe_psql('postgres', 'SELECT current_user'), 'by the owner of the subscription');

# When it happened is told by the row.
apply(q{INSERT INTO leads VALUES (6, 'inquiry', NULL, '2026-01-01 00:00+00'); UPDATE leads SET stage = 'mql', changed_at = '2026-01-03 00:00+00' WHERE id = 6; UPDATE leads SET stage = 'sal', changed_at = '2026-01-02 00:00+00' WHERE id = 6});
is($subscriber->safe_psql('postgres', q{SET timezone = 'UTC'; SELECT entry_no, effective_at, stage, source FROM leads_history WHERE id = 6 ORDER BY 1}),
	"1|2026-01-01 00:00:00+00|inquiry|\n2|2026-01-03 00:00:00+00|mql|\n3|2026-01-03 00:00:00+00|sal|backdated", 'changed_at');

# Partitioned, published as the root.
apply(q{INSERT INTO deals VALUES (1, 'inquiry'), (2, 'mql'); UPDATE deals SET stage = 'mql' WHERE id = 1; UPDATE deals SET stage = 'sal'; DELETE FROM deals WHERE id = 2});
is(trail('deals', 'true'), "1|1|entry||inquiry|\n1|2|move|inquiry|mql|\n1|3|move|mql|sal|\n2|1|entry||mql|\n2|2|move|mql|sal|\n2|3|deleted|sal||", 'row movement');
apply(q{TRUNCATE deals; INSERT INTO deals VALUES (1, 'mql')});
is(trail('deals', 'id = 1 AND entry_no > 3'), "1|4|truncated|sal||\n1|5|entry||mql|", 'TRUNCATE');

# Two attachments of one table, which only the subscriber has partitioned.
apply(q{INSERT INTO two VALUES (1, 'inquiry', 'mql'), (2, 'mql', NULL); BEGIN; UPDATE two SET stage = 'mql', billing = 'sal' WHERE id = 1; UPDATE two SET stage = 'sal' WHERE id = 1; UPDATE two SET stage = 'sal', billing = 'mql' WHERE id = 2; COMMIT; DELETE FROM two WHERE id = 2});
is(trail('two', 'true'), "1|1|entry||inquiry|\n1|2|move|inquiry|mql|\n1|3|move|mql|sal|\n2|1|entry||mql|\n2|2|move|mql|sal|\n2|3|deleted|sal||", 'two attachments: the first');
is(trail('two_billing', 'true'), "1|1|entry||mql|\n1|2|move|mql|sal|\n2|1|entry||mql|\n2|2|deleted|mql||", 'two attachments: the second');
$subscriber->safe_psql('postgres', q{SELECT align.attach('two', 'b2b', key => '{id}', stage => 'billing', mode => 'observe', history => 'two_billing_history')});
is($subscriber->safe_psql('postgres', q{SELECT string_agg(DISTINCT tgenabled::text, ',') FROM pg_trigger WHERE tgrelid IN ('two'::regclass, 'two_late'::regclass) AND tgname LIKE 'align%'}), 'A', 'attached again: always enabled');
is($subscriber->safe_psql('postgres', q{SELECT t, c.* FROM unnest('{two_history,two_billing_history}'::regclass[]) AS t, align.check(t) AS c}), '', 'two attachments: check is empty');

# Without a key to identify rows by.
apply(q{INSERT INTO whole VALUES (1, 'inquiry', 'a'), (2, 'mql', 'b'); UPDATE whole SET stage = 'mql' WHERE id = 1; UPDATE whole SET stage = 'sal'; DELETE FROM whole WHERE id = 1});
is(trail('whole', 'true'), "1|1|entry||inquiry|\n1|2|move|inquiry|mql|\n1|3|move|mql|sal|\n1|4|deleted|sal||\n2|1|entry||mql|\n2|2|move|mql|sal|", 'REPLICA IDENTITY FULL');

# Many rows.
apply(q{INSERT INTO leads SELECT g, 'inquiry' FROM generate_series(1001, 3000) AS g; UPDATE leads SET stage = 'mql' WHERE id > 1000; DELETE FROM leads WHERE id > 2000});
is($subscriber->safe_psql('postgres', 'SELECT event, count(*) FROM leads_history WHERE id > 1000 GROUP BY 1 ORDER BY 1'), "deleted|1000\nentry|2000\nmove|2000", 'many rows');
is($subscriber->safe_psql('postgres', $checks), '', 'check is empty');

# Rows that the apply worker itself moves between partitions, alone and many.
apply(q{INSERT INTO flat VALUES (1, 'inquiry'), (2, 'mql'), (3, 'inquiry'); UPDATE flat SET stage = 'mql' WHERE id = 1; UPDATE flat SET stage = 'sal'});
apply(q{BEGIN; UPDATE flat SET note = 'x'; UPDATE flat SET stage = 'sql' WHERE id = 1; UPDATE flat SET stage = 'mql' WHERE id = 1; UPDATE flat SET stage = 'sal' WHERE id = 1; DELETE FROM flat WHERE id = 2; COMMIT});
apply(q{BEGIN; DELETE FROM flat WHERE id = 3; INSERT INTO flat VALUES (3, 'mql'); COMMIT});
apply(q{UPDATE flat SET id = 10 WHERE id = 1});
is(trail('flat', 'true'), <<'TRAIL' =~ s/\n\z//r, 'row movement in the apply worker');
2|1|entry||mql|
2|2|move|mql|sal|
2|3|deleted|sal||
3|1|entry||inquiry|
3|2|move|inquiry|sal|illegal_move
3|3|move|sal|mql|illegal_move
10|1|entry||inquiry|
10|2|move|inquiry|mql|
10|3|move|mql|sal|
10|4|move|sal|sql|
10|5|move|sql|mql|illegal_move
10|6|move|mql|sal|
10|7|rekey|sal|sal|
TRAIL
apply(q{INSERT INTO flat SELECT g, 'mql' FROM generate_series(1001, 3000) AS g; UPDATE flat SET stage = 'sal' WHERE id > 1000; DELETE FROM flat WHERE id > 2000});
apply(q{INSERT INTO deals SELECT g, 'mql' FROM generate_series(1001, 3000) AS g; UPDATE deals SET stage = 'sal' WHERE id > 1000; DELETE FROM deals WHERE id > 2000});
is($subscriber->safe_psql('postgres', "SELECT event, count(*) FROM ${_}_history WHERE id > 1000 GROUP BY 1 ORDER BY 1"), "deleted|1000\nentry|2000\nmove|2000", "many rows of $_")
	foreach 'flat', 'deals';
is($subscriber->safe_psql('postgres', q{SELECT outcome, count(*) FROM flat_sla WHERE id > 1000 GROUP BY 1}), 'met|2000', 'and their clocks');
is($subscriber->safe_psql('postgres', $checks), '', 'check is empty');

# Triggers of the owner fire once for each event, those on history and clocks also for what
# is written at commit, as a DELETE is, which could be half of a row movement.
$subscriber->safe_psql('postgres', <<'SQL');
CREATE TABLE fired (what text, id bigint);
CREATE FUNCTION note_fired() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
    INSERT INTO fired VALUES (concat_ws(' ', tg_name, lower(tg_op), CASE WHEN tg_relid::regclass::text LIKE '%_history' THEN to_jsonb(new)->>'event' END),
        CASE WHEN tg_op = 'DELETE' THEN old.id ELSE new.id END);
    RETURN NULL;
END $$;
DO $$
DECLARE
    r text;
BEGIN
    FOREACH r IN ARRAY '{leads,deals,flat}'::text[] LOOP
        EXECUTE format('CREATE CONSTRAINT TRIGGER deferred_row AFTER INSERT OR UPDATE OR DELETE ON %I DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_fired();
            CREATE TRIGGER entry AFTER INSERT ON %2$I FOR EACH ROW EXECUTE FUNCTION note_fired();
            CREATE CONSTRAINT TRIGGER deferred_entry AFTER INSERT ON %2$I DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_fired();
            CREATE CONSTRAINT TRIGGER deferred_clock AFTER INSERT OR UPDATE ON %3$I DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_fired()', r, r || '_history', r || '_sla');
    END LOOP;
    FOR r IN SELECT format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', tgrelid::regclass, tgname) FROM pg_trigger WHERE tgfoid = 'note_fired'::regproc LOOP
        EXECUTE r;
    END LOOP;
END $$;
SQL

sub fired
{
	return $subscriber->safe_psql('postgres', q{SELECT string_agg(id || ' ' || what, ', ' ORDER BY id, what COLLATE "C") FROM fired; TRUNCATE fired});
}

foreach my $table ('leads', 'deals', 'flat')
{
	apply("INSERT INTO $table (id, stage) VALUES (101, 'mql'), (102, 'mql')");
	is(fired(), join(', ', map { "$_ deferred_clock insert, $_ deferred_entry insert entry, $_ deferred_row insert, $_ entry insert entry" } 101, 102), "$table: triggers of the owner, INSERT");
	apply("UPDATE $table SET stage = 'sal' WHERE id = 101");
	my $moved = $table eq 'leads' ? '101 deferred_row update' : '101 deferred_row delete, 101 deferred_row insert';
	is(fired(), "101 deferred_clock update, 101 deferred_entry insert move, $moved, 101 entry insert move", "$table: UPDATE");
	apply("DELETE FROM $table WHERE id = 101");
	is(fired(), '101 deferred_entry insert deleted, 101 deferred_row delete, 101 entry insert deleted', "$table: DELETE");
	apply("DELETE FROM $table WHERE id = 102");
	is(fired(), '102 deferred_clock update, 102 deferred_entry insert deleted, 102 deferred_row delete, 102 entry insert deleted', "$table: DELETE that cancels a clock");
}
$subscriber->safe_psql('postgres', 'DROP FUNCTION note_fired CASCADE; DROP TABLE fired');
is($subscriber->safe_psql('postgres', $checks), '', 'check is empty');

# A table that is reloaded.
apply(q{INSERT INTO reloaded VALUES (1, 'inquiry'), (2, 'mql'), (3, 'mql')});
apply(q{BEGIN; DELETE FROM reloaded; INSERT INTO reloaded VALUES (1, 'inquiry'), (2, 'mql'), (3, 'mql'); COMMIT});
apply(q{BEGIN; TRUNCATE reloaded; INSERT INTO reloaded VALUES (3, 'mql'), (2, 'mql'), (1, 'inquiry'); COMMIT});
is(trail('reloaded', 'true'), "1|1|entry||inquiry|\n2|1|entry||mql|\n3|1|entry||mql|", 'reloads of unchanged rows leave nothing behind');
apply(q{BEGIN; DELETE FROM reloaded; INSERT INTO reloaded VALUES (1, 'mql'); SAVEPOINT a; INSERT INTO reloaded VALUES (2, 'mql'); ROLLBACK TO a; INSERT INTO reloaded VALUES (3, 'sal'); COMMIT});
is(trail('reloaded', 'entry_no > 1'), "1|2|move|inquiry|mql|\n2|2|deleted|mql||\n3|2|move|mql|sal|", 'a reload with moves');
is($subscriber->safe_psql('postgres', $checks), '', 'check is empty');

# A refused move stops the apply worker and nothing is lost.
apply(q{DELETE FROM leads WHERE id = 5});
$subscriber->safe_psql('postgres', q{SELECT align.attach('leads', 'b2b', assignee => 'owner', changed_at => 'changed_at')});
is($subscriber->safe_psql('postgres', q{SELECT DISTINCT tgenabled FROM pg_trigger WHERE tgrelid = 'leads'::regclass AND NOT tgisinternal AND tgname LIKE 'align%'}),
	'A', 'attached again: triggers stay enabled ALWAYS');
my $log = -s $subscriber->logfile;
$publisher->safe_psql('postgres', q{UPDATE leads SET stage = 'customer' WHERE id = 1001});
ok(poll_log($subscriber, qr/cannot move from "mql" to "customer"/, $log), 'in mode enforce the apply worker stops');
is(trail('leads', 'id = 1001'), "1001|1|entry||inquiry|\n1001|2|move|inquiry|mql|", 'at the move that is refused');
$subscriber->safe_psql('postgres', q{SELECT align.attach('leads', 'b2b', assignee => 'owner', changed_at => 'changed_at', mode => 'observe')});
$publisher->wait_for_catchup('mirror');
is(trail('leads', 'id = 1001'), "1001|1|entry||inquiry|\n1001|2|move|inquiry|mql|\n1001|3|move|mql|customer|illegal_move", 'and goes on there');
is($subscriber->safe_psql('postgres', $checks), '', 'check is empty');

$subscriber->safe_psql('postgres', 'DROP SUBSCRIPTION mirror');
$subscriber->stop;
$publisher->stop;
done_testing();

sub poll_log
{
	my ($node, $pattern, $offset) = @_;

	foreach (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		return 1 if substr(slurp_file($node->logfile), $offset) =~ $pattern;
		select(undef, undef, undef, 0.1);
	}
	return 0;
}
