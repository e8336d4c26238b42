# A mirror of HubSpot as it stands, by the role that owns it: two pipelines in
# one table, soft deletes by two flags, nightly reloads.  The property history
# is imported, the sync tool goes on, and every report of both pipelines is that
# of plain SQL over deal and deal_stage.
use strict;
use warnings;

use File::Basename qw(dirname);
use PlainReports;
use PostgreSQL::Test::Utils;
use RealData;
use Test::More;

my $folder = shared_folder('../crm_shapes');
my $node = start_node('crm_hubspot');
my $page = slurp_file(dirname(__FILE__) . '/../../docs/crm-hubspot.md');
my @attach = $page =~ /^(SELECT align\.attach\('deal'.*?;)$/msg;
my ($audit) = $page =~ /^CREATE VIEW deal_audit AS\n(.*?;)$/ms;
my $as_of = '2026-08-15 10:00Z';
my @pipelines = (
	{ history => 'deal_history', sla => 'deal_sla', agreement => 'sales', id => 'default', live => 7000 },
	{ history => 'deal_renewals_history', sla => 'deal_renewals_history_sla', agreement => 'renewals', id => '7213441', live => 1000 });

$node->safe_psql('postgres', q{CREATE ROLE mirror LOGIN; GRANT CREATE ON DATABASE postgres TO mirror; GRANT CREATE ON SCHEMA public TO mirror; ALTER ROLE mirror SET search_path = hubspot, public});
$ENV{PGUSER} = 'mirror';
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-f', "$folder/hubspot_mirror.sql" ], 'load hubspot_mirror.sql');
$node->safe_psql('postgres', "CREATE VIEW deal_audit AS $audit");

# Infer and sign, for each pipeline.
my ($sales, $renewals) = map {
	$node->safe_psql('postgres', qq{SELECT align.infer_agg(lead, ARRAY[won], ARRAY[lost], 0.01)
		FROM (SELECT align.lead_agg(at, stage, ordinal) AS lead FROM deal_audit JOIN deal USING (deal_id) WHERE deal_pipeline_id = '$_->{id}' GROUP BY deal_id) l,
			(SELECT max(label) FILTER (WHERE closed_won) AS won, max(label) FILTER (WHERE probability = 0) AS lost FROM deal_pipeline_stage WHERE pipeline_id = '$_->{id}') s GROUP BY won, lost})
} @pipelines;
like($sales, qr/^success path "Appointment Scheduled" -> "Qualified To Buy" -> "Presentation Scheduled" -> "Contract Sent" -> "Closed Won";/m, 'the success path of sales');
like($renewals, qr/^success path "Up for renewal" -> Negotiating -> Renewed;/m, 'the success path of renewals');
$sales =~ s/^stage ("[AQ].*?");/stage $1 held by bdr;/mg;
$sales =~ s/^stage ("[PC].*?");/stage $1 held by sales;/mg;
$renewals =~ s/^stage (.*?);/stage $1 held by care;/mg;
$sales .= q{
	hours 'Europe/London Mo-Fr 09:00-18:00';
	handoff offer: "Qualified To Buy" from bdr to sales, accept "Presentation Scheduled",
		reject "Closed Lost" with reason (Price, "No budget", Competitor), within 5 days;
	sla first_contact by bdr: from "Appointment Scheduled" to "Qualified To Buy", "Presentation Scheduled", "Contract Sent", "Closed Won", "Closed Lost" within 8 working hours;
	sla close by sales: from "Presentation Scheduled" to "Closed Won" within 30 days;
};
$renewals .= q{
	sla renew by care: from "Up for renewal" to Renewed within 20 days;
};
$node->safe_psql('postgres', "SELECT align.agree('sales', \$agreement\$$sales\$agreement\$), align.agree('renewals', \$agreement\$$renewals\$agreement\$)");
is_value($attach[0], '6858', 'sales: attached in one call');
is_value($attach[1], '1142', 'renewals: attached in one call');
foreach my $pipeline (@pipelines)
{
	is_value("SELECT align.import_history('$pipeline->{history}', 'TABLE deal_audit') > 1500", 't', "$pipeline->{agreement}: the property history is imported");
	is_value("SELECT count(*) FROM align.check('$pipeline->{history}')", '0', "$pipeline->{agreement}: check is empty after importing");
	is_value("SELECT align.import_history('$pipeline->{history}', 'TABLE deal_audit')", '0', "$pipeline->{agreement}: nothing is imported twice");
}

# What happened in HubSpot since, as the sync tool brings it: the deals as they
# are, and a row of the property's history for each stage.
$node->safe_psql('postgres', q{
	CREATE TABLE owner_was AS SELECT deal_id, -1 AS no, timestamptz '2000-01-01Z' AS at, owner_id FROM deal;
	CREATE TABLE life (deal_id bigint, at timestamptz, no int, live boolean);
	CREATE TABLE lost_reason (deal_id bigint, at timestamptz, reason text);
	INSERT INTO lost_reason SELECT deal_id, property_hs_lastmodifieddate, property_closed_lost_reason FROM deal WHERE deal_pipeline_stage_id = 'closedlost';
	CREATE TABLE incoming (LIKE deal);

	-- moves of every nth open deal to the stage that follows, or to lost
	CREATE FUNCTION happen(n int, rest int, base timestamptz, turn int) RETURNS void LANGUAGE sql AS $f$
		TRUNCATE incoming;
		INSERT INTO incoming SELECT * FROM deal;
		INSERT INTO deal_stage (deal_id, date_entered, value, source, _fivetran_start)
		SELECT deal_id, at, stage, 'CRM_UI', at + turn * interval '1 us' FROM (
			SELECT d.deal_id, base + d.deal_id % 10000 * interval '11 seconds' AS at,
				CASE WHEN d.deal_id % 4 = 0 THEN CASE deal_pipeline_id WHEN 'default' THEN 'closedlost' ELSE '18263544' END
					ELSE (SELECT stage_id FROM deal_pipeline_stage n WHERE n.pipeline_id = s.pipeline_id AND n.display_order > s.display_order AND n.stage_id <> 'decisionmakerboughtin' ORDER BY n.display_order LIMIT 1) END AS stage
			FROM deal d JOIN deal_pipeline_stage s ON s.stage_id = d.deal_pipeline_stage_id
			WHERE s.probability NOT IN (0, 1) AND d.deal_id % n = rest) m;
		UPDATE incoming i SET deal_pipeline_stage_id = s.value, property_hs_lastmodifieddate = s.date_entered, property_closed_lost_reason = CASE WHEN s.value = 'closedlost' AND i.deal_id % 3 > 0 THEN (ARRAY['Price', 'price', 'Competitor'])[1 + i.deal_id % 3] ELSE i.property_closed_lost_reason END
		FROM deal_stage s WHERE s.deal_id = i.deal_id AND s.date_entered >= base AND s.deal_id % n = rest;
		INSERT INTO lost_reason SELECT deal_id, property_hs_lastmodifieddate, property_closed_lost_reason FROM incoming WHERE deal_pipeline_stage_id = 'closedlost' AND property_hs_lastmodifieddate >= base AND deal_id % n = rest;
		-- some have another owner, later
		UPDATE incoming SET owner_id = 900 + (owner_id + 4) % 9, property_hs_lastmodifieddate = base + interval '3 days' WHERE deal_id % 13 = turn AND deal_id % n <> rest;
		INSERT INTO owner_was SELECT deal_id, turn, base + interval '3 days', owner_id FROM incoming WHERE deal_id % 13 = turn AND deal_id % n <> rest;
		UPDATE incoming SET _fivetran_synced = base + interval '4 days' $f$;
	CREATE FUNCTION upsert() RETURNS void LANGUAGE sql AS $f$
		INSERT INTO deal SELECT * FROM incoming ON CONFLICT (deal_id) DO UPDATE SET (portal_id, deal_pipeline_id, deal_pipeline_stage_id, owner_id, is_deleted, property_dealname, property_amount, property_closedate, property_createdate, property_closed_lost_reason, property_hs_analytics_source, property_hs_lastmodifieddate, _fivetran_deleted, _fivetran_synced)
			= (excluded.portal_id, excluded.deal_pipeline_id, excluded.deal_pipeline_stage_id, excluded.owner_id, excluded.is_deleted, excluded.property_dealname, excluded.property_amount, excluded.property_closedate, excluded.property_createdate, excluded.property_closed_lost_reason, excluded.property_hs_analytics_source, excluded.property_hs_lastmodifieddate, excluded._fivetran_deleted, excluded._fivetran_synced) $f$;
});

# An upsert of everything; a reload by DELETE and one by TRUNCATE, with changes.
$node->safe_psql('postgres', q{SELECT happen(5, 1, '2026-07-01 08:00Z', 1); SELECT upsert();});
$node->safe_psql('postgres', q{SELECT happen(7, 2, '2026-07-06 08:00Z', 2); BEGIN; DELETE FROM deal; INSERT INTO deal SELECT * FROM incoming; COMMIT;});
$node->safe_psql('postgres', q{SELECT happen(5, 3, '2026-07-11 08:00Z', 3);
	-- new deals come with a reload
	INSERT INTO incoming SELECT 6000000000 + i, 123, CASE WHEN i % 3 = 0 THEN '7213441' ELSE 'default' END, CASE WHEN i % 3 = 0 THEN '18263541' ELSE 'appointmentscheduled' END, 900 + i % 9, false, 'New ' || i, i, NULL, at, NULL, 'PAID_SEARCH', at, false, now()
	FROM generate_series(1, 300) i, LATERAL (SELECT timestamptz '2026-07-12 07:00Z' + i * interval '7 minutes' AS at) t;
	INSERT INTO deal_stage (deal_id, date_entered, value, source, _fivetran_start) SELECT deal_id, property_createdate, deal_pipeline_stage_id, 'CRM_UI', property_createdate FROM incoming WHERE deal_id > 6000000000;
	INSERT INTO owner_was SELECT deal_id, -1, property_createdate, owner_id FROM incoming WHERE deal_id > 6000000000;
	BEGIN; TRUNCATE deal; INSERT INTO deal SELECT * FROM incoming; COMMIT;});
my $recorded = q{(SELECT count(*) FROM deal_history) || '|' || (SELECT count(*) FROM deal_renewals_history) || '|' || (SELECT count(*) FROM deal_sla)};
my $before = $node->safe_psql('postgres', "SELECT $recorded");
$node->safe_psql('postgres', q{BEGIN; TRUNCATE deal; INSERT INTO deal SELECT * FROM incoming ORDER BY md5(deal_id::text); COMMIT; BEGIN; DELETE FROM deal; INSERT INTO deal SELECT * FROM incoming; COMMIT; SELECT upsert();});
is_value("SELECT $recorded", $before, 'reloads of unchanged rows leave nothing');

# Deals are deleted by one flag or the other, and some are taken back; deals
# change their pipeline; HubSpot renames a stage.
$node->safe_psql('postgres', q{
	CREATE TABLE gone AS SELECT deal_id, timestamptz '2026-07-21 08:00Z' + deal_id % 1000 * interval '1 minute' AS at, deal_id % 3 AS kind FROM deal WHERE deal_id % 61 = 5;
	UPDATE deal d SET is_deleted = true, property_hs_lastmodifieddate = g.at FROM gone g WHERE g.deal_id = d.deal_id AND kind = 0;
	UPDATE deal d SET _fivetran_deleted = true, property_hs_lastmodifieddate = g.at FROM gone g WHERE g.deal_id = d.deal_id AND kind > 0;
	UPDATE deal d SET is_deleted = false, _fivetran_deleted = false, property_hs_lastmodifieddate = g.at + interval '1 day' FROM gone g WHERE g.deal_id = d.deal_id AND kind = 2;
	CREATE TABLE switched AS SELECT deal_id, timestamptz '2026-07-24 08:00Z' + deal_id % 1000 * interval '1 minute' AS at FROM deal WHERE deal_id % 67 = 6 AND deal_pipeline_id = 'default' AND deal_id NOT IN (SELECT deal_id FROM gone);
	UPDATE deal d SET deal_pipeline_id = '7213441', deal_pipeline_stage_id = '18263541', property_hs_lastmodifieddate = s.at FROM switched s WHERE s.deal_id = d.deal_id;
	INSERT INTO deal_stage (deal_id, date_entered, value, source, _fivetran_start) SELECT deal_id, at, '18263541', 'CRM_UI', at FROM switched;
	UPDATE deal_pipeline_stage SET label = 'Contract out' WHERE stage_id = 'contractsent';
});
$node->safe_psql('postgres', "SELECT align.agree('sales', \$agreement\$$sales \"Contract Sent\" known as 'Contract out';\$agreement\$)");
$node->safe_psql('postgres', q{SELECT happen(3, 1, '2026-07-27 08:00Z', 4); DELETE FROM incoming WHERE is_deleted OR _fivetran_deleted; SELECT upsert();});

# A person asks to be deleted: nothing is left.
my $erased = $node->safe_psql('postgres', q{SELECT string_agg(deal_id::text, ',') FROM (SELECT deal_id FROM deal WHERE deal_id % 401 = 7 AND deal_pipeline_id = 'default') d});
$node->safe_psql('postgres', "DELETE FROM deal WHERE deal_id IN ($erased); DELETE FROM deal_stage WHERE deal_id IN ($erased); SELECT align.erase('deal_history', deal_id) FROM unnest(ARRAY[$erased]) AS deal_id");
is_value("SELECT count(*) FROM deal_history WHERE deal_id IN ($erased)", '0', 'erased');

# Plain SQL over the raw tables, for each pipeline.
plain_setup($node, 'Europe/London');
$node->safe_psql('postgres', q{UPDATE plain.began SET at = '2026-09-01Z'});
foreach my $pipeline (@pipelines)
{
	my $is_sales = $pipeline->{agreement} eq 'sales' ? 'true' : 'false';

	$node->safe_psql('postgres', qq{
		TRUNCATE plain.entry, plain.holder, plain.promise;
		INSERT INTO plain.entry (id, at, no, stage, raw_no, reason)
		SELECT e.deal_id, e.at, row_number() OVER (PARTITION BY e.deal_id ORDER BY e.at, start), e.stage, extract(epoch FROM start) * 1000000, r.reason
		FROM (SELECT s.deal_id, date_entered AS at, _fivetran_start AS start, CASE WHEN p.label = 'Contract out' THEN 'Contract Sent' ELSE p.label END AS stage
			FROM deal_stage s JOIN deal_pipeline_stage p ON p.stage_id = s.value WHERE p.pipeline_id = '$pipeline->{id}' AND EXISTS (SELECT FROM deal d WHERE d.deal_id = s.deal_id)
				AND NOT EXISTS (SELECT FROM gone g WHERE g.deal_id = s.deal_id AND s.date_entered > g.at AND kind < 2)
			UNION ALL SELECT deal_id, at, at, NULL FROM gone g JOIN deal d USING (deal_id) WHERE kind < 2 AND d.deal_pipeline_id = '$pipeline->{id}'
			UNION ALL SELECT deal_id, at, at, NULL FROM switched JOIN deal d USING (deal_id) WHERE $is_sales) e
		LEFT JOIN lost_reason r ON r.deal_id = e.deal_id AND r.at = e.at AND e.stage = 'Closed Lost';
		INSERT INTO plain.holder SELECT deal_id, at, no, owner_id FROM owner_was WHERE deal_id NOT IN (SELECT deal_id FROM gone g WHERE kind < 2 AND owner_was.at > g.at);
	} . ($is_sales eq 'true' ? q{INSERT INTO plain.promise VALUES
		('offer', 'Qualified To Buy', '{Presentation Scheduled,Closed Lost}', '{Appointment Scheduled,Contract Sent,Closed Won}', NULL, '5 days', '{Presentation Scheduled}', '{Closed Lost}'),
		('first_contact', 'Appointment Scheduled', '{Qualified To Buy,Presentation Scheduled,Contract Sent,Closed Won,Closed Lost}', '{}', '8 hours', NULL, NULL, NULL),
		('close', 'Presentation Scheduled', '{Closed Won}', '{Closed Lost}', NULL, '30 days', NULL, NULL)}
		: q{INSERT INTO plain.promise VALUES ('renew', 'Up for renewal', '{Renewed}', '{Churned}', NULL, '20 days', NULL, NULL)}));
	plain_reports($pipeline->{history}, $pipeline->{history}, $pipeline->{sla}, 'deal_id', $pipeline->{agreement}, $as_of,
		"SELECT deal_id::text FROM deal WHERE deal_pipeline_id = '$pipeline->{id}' AND is_deleted IS NOT TRUE AND _fivetran_deleted IS NOT TRUE");
}

$node->stop;
done_testing();
