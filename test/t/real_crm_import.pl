# CRM-shaped databases (Odoo, HubSpot and Salesforce as a sync tool lays them
# down): their audit tables are imported by the recipes of docs/import.md, and
# journeys, clocks, funnel and time in stage are those of plain SQL over the
# audit tables.
use strict;
use warnings;

use File::Basename qw(dirname);
use PostgreSQL::Test::Utils;
use RealData;
use Test::More;

my $folder = shared_folder('../crm_shapes');
my $node = start_node('crm_import');

# The query of a recipe, by the table that it is for.
my $page = slurp_file(dirname(__FILE__) . '/../../docs/import.md');

sub recipe
{
	my ($table) = @_;

	die "no recipe for $table" unless $page =~ /align\.import_history\('$table', (\$\$.*?\$\$)\)/s;
	return $1;
}

sub load_shape
{
	my ($file) = @_;

	$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-f', "$folder/$file" ], "load $file");
	return;
}

# Imports, and compares with a view of the journeys by plain SQL: (id, at, no,
# stage), one row per stage entered, no in order.  The service level "first" is
# from $from to any other stage within 3 days; "second" reaches from there on.
sub import_and_compare
{
	my ($relation, $history, $key, $query, $plain, $from) = @_;
	my $sla = $node->safe_psql('postgres', "SELECT sla FROM align.attachments WHERE relation = '$relation'::regclass");
	my ($stdout, $stderr);

	$node->psql('postgres', "SELECT align.import_history('$relation', $query)", stdout => \$stdout, stderr => \$stderr);
	ok($stdout && $stdout > 5000, "$relation: " . ($stdout // 'no') . ' rows imported') or diag($stderr);
	is_value("SELECT count(*) FROM align.check('$relation')", '0', "$relation: check is empty");
	is_value("SELECT align.import_history('$relation', $query)", '0', "$relation: imported twice, it changes nothing");
	is_same("SELECT $key AS id, effective_at AS at, stage FROM $history WHERE event <> 'owner' AND stage IS NOT NULL",
		"SELECT id, at, stage FROM $plain", "$relation: entries");
	is_same("SELECT j.key->>'$key' AS id, align.path(j.lead) FROM align.journeys('$relation') AS j",
		"SELECT id::text, array_agg(stage ORDER BY no) FROM $plain GROUP BY 1", "$relation: paths");
	is_same("SELECT $key AS id, cycle, started_at, stopped_at, outcome FROM $sla WHERE sla = 'first'",
		qq{SELECT id, (row_number() OVER (PARTITION BY id ORDER BY no))::int, at, next,
			CASE WHEN next <= at + interval '3 days' THEN 'met' WHEN next IS NOT NULL THEN 'missed' END
			FROM (SELECT *, lead(at) OVER (PARTITION BY id ORDER BY no) AS next FROM $plain) t WHERE stage = '$from'},
		"$relation: clocks");
	is_same("SELECT s.stage, count(*) FILTER (WHERE align.reached(j.lead, s.stage)) AS leads, sum(align.time_in(j.lead, s.stage, '2026-11-01Z')) AS time
			FROM align.journeys('$relation') AS j, align.stages(align.agreed('$relation')) AS s GROUP BY 1",
		qq{SELECT s.stage, count(DISTINCT id), coalesce(sum(coalesce(next, '2026-11-01Z') - at), '0') FROM align.stages(align.agreed('$relation')) AS s
			LEFT JOIN (SELECT *, lead(at) OVER (PARTITION BY id ORDER BY no) AS next FROM $plain) t USING (stage) GROUP BY 1},
		"$relation: funnel and time in stage");
	is_value("SELECT align.notify_due('$relation') + align.notify_handoffs('$relation')", '0', "$relation: nothing of the past is announced");
	return;
}

# Odoo.  Lost is active = false, names are in other tables, and leads that are
# no opportunities yet are not live.
load_shape('odoo.sql');
$node->safe_psql('postgres', q{
	SELECT align.agree('crm_lead', $$
		stage "New", "Qualified" held by presales;
		stage "Proposition", "Negotiation" held by sales;
		won "Won";
		lost "Lost";
		success path "New" -> "Qualified" -> "Proposition" -> "Negotiation" -> "Won";
		path "Proposition" -> "Won";
		path "Lost" -> "New", "Qualified", "Proposition", "Negotiation";
		path any -> "Lost";
		sla first by presales: from "New" to "Qualified", "Proposition", "Negotiation", "Won", "Lost" within 3 days;
	$$);
	SELECT align.attach('crm_lead', 'crm_lead', stage => $$CASE WHEN active THEN stage_id::text ELSE 'Lost' END$$, stage_labels => $$crm_stage(id, name ->> 'en_US')$$,
		assignee => 'user_id', assignee_labels => 'res_users(id, login)', reason => 'lost_reason_id', reason_labels => $$crm_lost_reason(id, name ->> 'en_US')$$,
		live => $$type = 'opportunity'$$, mode => 'observe');

	-- the state of a lead at each change, looked up
	CREATE INDEX ON mail_tracking_value (mail_message_id, field_id);
	CREATE TABLE odoo_change AS
	SELECT m.res_id AS id, m.date, v.id AS no, v.field_id, v.old_value_char, v.new_value_char, v.new_value_integer
	FROM mail_tracking_value v JOIN mail_message m ON m.id = v.mail_message_id WHERE v.field_id IN (1, 2);
	CREATE INDEX ON odoo_change (id, date, no);
	CREATE TABLE odoo_state AS
	SELECT l.id, c.date AT TIME ZONE 'UTC' AS at, c.no,
		CASE WHEN (SELECT b.new_value_integer FROM odoo_change b WHERE b.id = l.id AND (b.date, b.no) <= (c.date, c.no) AND b.field_id = 2 ORDER BY b.date DESC, b.no DESC LIMIT 1) = 0 THEN 'Lost'
			ELSE coalesce((SELECT b.new_value_char FROM odoo_change b WHERE b.id = l.id AND (b.date, b.no) <= (c.date, c.no) AND b.field_id = 1 ORDER BY b.date DESC, b.no DESC LIMIT 1), 'New') END AS stage
	FROM crm_lead l, LATERAL (SELECT date, no FROM odoo_change b WHERE b.id = l.id UNION ALL SELECT date_trunc('second', l.create_date), 0) AS c WHERE l.type = 'opportunity';
	CREATE TABLE odoo_move AS
	SELECT id, at, row_number() OVER (PARTITION BY id ORDER BY at, no) AS no, stage
	FROM (SELECT *, lag(stage) OVER (PARTITION BY id ORDER BY at, no) AS before FROM odoo_state) s WHERE stage IS DISTINCT FROM before;
});
is_value('SELECT count(*) FROM (SELECT DISTINCT ON (id) * FROM odoo_move ORDER BY id, no DESC) m JOIN crm_lead l USING (id) JOIN crm_stage s ON s.id = l.stage_id WHERE m.stage <> CASE WHEN active THEN s.name->>\'en_US\' ELSE \'Lost\' END', '0', 'Odoo: the audit ends where the leads are');
import_and_compare('crm_lead', 'crm_lead_history', 'id', recipe('crm_lead'), 'odoo_move', 'New');
is_value(q{SELECT count(*) FROM crm_lead_history WHERE assignee LIKE 'user%@acme.example'}, $node->safe_psql('postgres', q{SELECT count(*) FROM crm_lead WHERE type = 'opportunity' AND user_id IS NOT NULL}), 'Odoo: the last entry has the assignee');
is_same(q{SELECT id, effective_at AS at, reason FROM crm_lead_history WHERE stage = 'Lost' AND reason IS NOT NULL},
	q{SELECT m.res_id AS id, m.date AT TIME ZONE 'UTC' AS at, v.new_value_char::text FROM mail_tracking_value v JOIN mail_message m ON m.id = v.mail_message_id JOIN crm_lead l ON l.id = m.res_id AND l.type = 'opportunity' WHERE v.field_id = 4 AND v.new_value_char IS NOT NULL}, 'Odoo: reasons');

# HubSpot.  Deals of the pipeline of renewals are not live here.
load_shape('hubspot_mirror.sql');
$node->safe_psql('postgres', q{
	SELECT align.agree('hubspot.deal', $$
		stage appointmentscheduled, qualifiedtobuy, presentationscheduled, decisionmakerboughtin, contractsent held by sales;
		won closedwon;
		lost closedlost;
		success path appointmentscheduled -> qualifiedtobuy -> presentationscheduled -> decisionmakerboughtin -> contractsent -> closedwon;
		path presentationscheduled -> contractsent;
		path any -> closedlost;
		sla first by sales: from appointmentscheduled to qualifiedtobuy, presentationscheduled, contractsent, closedwon, closedlost within 3 days;
	$$);
	SELECT align.attach('hubspot.deal', 'hubspot.deal', stage => 'deal_pipeline_stage_id', assignee => 'owner_id', live => $$deal_pipeline_id = 'default' AND NOT is_deleted$$, mode => 'observe');
	CREATE TABLE hubspot_move AS
	SELECT id, at, row_number() OVER (PARTITION BY id ORDER BY at, start) AS no, stage
	FROM (SELECT deal_id AS id, date_entered AS at, _fivetran_start AS start, value AS stage, lag(value) OVER (PARTITION BY deal_id ORDER BY date_entered, _fivetran_start) AS before
		FROM hubspot.deal_stage JOIN hubspot.deal d USING (deal_id) WHERE d.deal_pipeline_id = 'default') s WHERE stage IS DISTINCT FROM before;
});
import_and_compare('hubspot.deal', 'hubspot.deal_history', 'deal_id', recipe('deal') =~ s/FROM deal_stage/FROM hubspot.deal_stage/r, 'hubspot_move', 'appointmentscheduled');

# Salesforce: leads whose mirror keeps versions of rows.  Labels are dirty, and
# some leads have no status at first.
load_shape('salesforce_mirror.sql');
$node->safe_psql('postgres', q{
	SELECT align.agree('salesforce.lead', $$
		stage "Open - Not Contacted", "Working - Contacted" held by sales;
		won "Closed - Converted";
		lost "Closed - Not Converted";
		success path "Open - Not Contacted" -> "Working - Contacted" -> "Closed - Converted";
		path any -> "Closed - Not Converted";
		"Open - Not Contacted" known as 'open - not contacted';
		"Working - Contacted" known as 'Working - Contacted ';
		sla first by sales: from "Open - Not Contacted" to "Working - Contacted", "Closed - Converted", "Closed - Not Converted" within 3 days;
	$$);
	SELECT align.attach('salesforce.lead', 'salesforce.lead', stage => 'status', assignee => 'owner_id', history => 'lead_entries_history', mode => 'observe');
	CREATE TABLE salesforce_move AS
	SELECT id, at, row_number() OVER (PARTITION BY id ORDER BY at) AS no, stage
	FROM (SELECT *, lag(stage) OVER (PARTITION BY id ORDER BY at) AS before
		FROM (SELECT id, _fivetran_start AS at, CASE trim(lower(status)) WHEN 'open - not contacted' THEN 'Open - Not Contacted' WHEN 'working - contacted' THEN 'Working - Contacted' ELSE status END AS stage
			FROM salesforce.lead_history WHERE status IS NOT NULL) h) s
	WHERE stage IS DISTINCT FROM before;
});
my $entries = $node->safe_psql('postgres', q{SELECT history FROM align.attachments WHERE relation = 'salesforce.lead'::regclass});
import_and_compare('salesforce.lead', $entries, 'id', q{'SELECT id, _fivetran_start AS at, status AS stage, owner_id AS assignee FROM salesforce.lead_history'}, 'salesforce_move', 'Open - Not Contacted');

# and opportunities with rows by field
$node->safe_psql('postgres', q{
	SELECT align.agree('salesforce.opportunity', $$
		stage "Prospecting", "Qualification", "Proposal/Price Quote", "Negotiation/Review" held by sales;
		won "Closed Won";
		lost "Closed Lost";
		success path "Prospecting" -> "Qualification" -> "Proposal/Price Quote" -> "Negotiation/Review" -> "Closed Won";
		path any -> "Closed Lost";
		sla first by sales: from "Qualification" to "Proposal/Price Quote", "Negotiation/Review", "Closed Won", "Closed Lost" within 3 days;
	$$);
	SELECT align.attach('salesforce.opportunity', 'salesforce.opportunity', stage => 'stage_name', assignee => 'owner_id', mode => 'observe');
	CREATE TABLE opportunity_move AS
	SELECT opportunity_id AS id, created_date AS at, 1 + row_number() OVER (PARTITION BY opportunity_id ORDER BY created_date, id) AS no, new_value AS stage
	FROM salesforce.opportunity_field_history WHERE field = 'StageName'
	UNION ALL
	SELECT id, created_date, 1, 'Prospecting' FROM salesforce.opportunity;
});
import_and_compare('salesforce.opportunity', 'salesforce.opportunity_history', 'id', recipe('opportunity') =~ s/FROM opportunity/FROM salesforce.opportunity/gr, 'opportunity_move', 'Qualification');

$node->stop;
done_testing();
