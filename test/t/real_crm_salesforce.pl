# A mirror of Salesforce as it stands, by the role that owns it: leads whose
# sync tool has a table lead_history of its own, labels with blanks and dashes,
# opportunities with field history.  Both are imported, the sync tool goes on,
# and every report is that of plain SQL over the raw tables.
use strict;
use warnings;

use File::Basename qw(dirname);
use PlainReports;
use PostgreSQL::Test::Utils;
use RealData;
use Test::More;

my $folder = shared_folder('../crm_shapes');
my $node = start_node('crm_salesforce');
my $page = slurp_file(dirname(__FILE__) . '/../../docs/crm-salesforce.md');
my ($attach_lead) = $page =~ /^(SELECT align\.attach\('lead'.*?;)$/ms;
my ($attach_opportunity) = $page =~ /^(SELECT align\.attach\('opportunity'.*?;)$/ms;
my ($lead_audit) = $page =~ /^(CREATE VIEW lead_audit AS\n.*?;)$/ms;
my ($opportunity_audit) = $page =~ /^(CREATE VIEW opportunity_audit AS\n.*?;)$/ms;
my $as_of = '2026-08-15 10:00Z';

$node->safe_psql('postgres', q{CREATE ROLE mirror LOGIN; GRANT CREATE ON DATABASE postgres TO mirror; GRANT CREATE ON SCHEMA public TO mirror; ALTER ROLE mirror SET search_path = salesforce, public});
$ENV{PGUSER} = 'mirror';
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-f', "$folder/salesforce_mirror.sql" ], 'load salesforce_mirror.sql');

# Some opportunities had another owner before.
$node->safe_psql('postgres', q{
	INSERT INTO opportunity_field_history SELECT '018' || substr(id, 4), id, owner_id, created_date + interval '7 days', 'Owner', CASE WHEN right(id, 5) < '5' THEN '005000000000000099' ELSE '005000000000000098' END, owner_id FROM opportunity WHERE hashtext(id) % 5 = 0;
	-- as if they had been changed last when the last row of their history says
	UPDATE opportunity o SET last_modified_date = (SELECT max(created_date) FROM opportunity_field_history f WHERE f.opportunity_id = o.id);
});
$node->safe_psql('postgres', "$lead_audit $opportunity_audit");

# Infer and sign.
my $leads = $node->safe_psql('postgres', q{SELECT align.infer_agg(lead, '{"Closed - Converted"}', '{"Closed - Not Converted"}', 0.002) FROM (SELECT align.lead_agg(at, initcap(trim(stage))) AS lead FROM lead_audit GROUP BY id) l});
like($leads, qr/^success path "Open - Not Contacted" -> "Working - Contacted" -> "Closed - Converted";/m, 'the success path of leads');
$leads =~ s/^stage ("Open.*?");/stage $1 held by bdr;/m;
$leads =~ s/^stage ("Working.*?");/stage $1 held by bdr;/m;
$leads .= q{
	"Open - Not Contacted" known as 'open - not contacted';
	"Working - Contacted" known as 'Working - Contacted ';
	hours 'America/New_York Mo-Fr 09:00-18:00';
	handoff take_up: "Working - Contacted" from bdr to sales, accept "Closed - Converted", reject "Closed - Not Converted", within 10 days;
	sla first_contact by bdr: from "Open - Not Contacted" to "Working - Contacted", "Closed - Converted", "Closed - Not Converted" within 8 working hours;
};
my $opportunities = $node->safe_psql('postgres', q{SELECT align.infer_agg(lead, '{"Closed Won"}', NULL, 0.01) FROM (SELECT align.lead_agg(at, stage, ordinal) AS lead FROM opportunity_audit GROUP BY id) l});
like($opportunities, qr/^success path Prospecting -> Qualification -> "Proposal\/Price Quote" -> "Negotiation\/Review" -> "Closed Won";/m, 'the success path of opportunities');
$opportunities =~ s/^stage (.*?);/stage $1 held by sales;/mg;
$opportunities .= q{
	lost "Closed Lost";
	path any -> "Closed Lost";
	sla quote by sales: from Qualification to "Proposal/Price Quote" within 5 days;
	sla close by sales: from "Proposal/Price Quote" to "Closed Won" within 30 days;
};
$node->safe_psql('postgres', "SELECT align.agree('leads', \$agreement\$$leads\$agreement\$), align.agree('opportunities', \$agreement\$$opportunities\$agreement\$)");

# The mirror's own lead_history is in the way of align's default name: the hint
# proposes another name first.
my ($status, $stdout, $stderr) = $node->psql('postgres', "SELECT align.attach('lead', 'leads', stage => 'status', mode => 'observe')");
like($stderr, qr/HINT:\s+Choose another name with history => '/, 'the hint begins with the argument history');
is_value($attach_lead, $node->safe_psql('postgres', 'SELECT count(*) FROM lead WHERE status IS NOT NULL AND NOT is_deleted'), 'leads: attached in one call');
is_value($attach_opportunity, $node->safe_psql('postgres', 'SELECT count(*) FROM opportunity'), 'opportunities: attached in one call');
foreach my $table ('lead', 'opportunity')
{
	is_value("SELECT align.import_history('$table', 'TABLE ${table}_audit') > 5000", 't', "$table: the audit is imported");
	is_value("SELECT count(*) FROM align.check('$table')", '0', "$table: check is empty after importing");
	is_value("SELECT align.import_history('$table', 'TABLE ${table}_audit')", '0', "$table: nothing is imported twice");
}

# What happened in Salesforce since: versions of rows, or rows of field history.
$node->safe_psql('postgres', q{
	CREATE TABLE move AS
	SELECT id, timestamptz '2026-07-01 08:00Z' + right(i::text, 5)::int * interval '3 minutes' AS at, status,
		CASE WHEN i % 3 = 0 THEN 'Closed - Not Converted' WHEN status ILIKE 'open%' THEN CASE WHEN i % 11 = 0 THEN 'Working - Contacted ' ELSE 'Working - Contacted' END ELSE 'Closed - Converted' END AS new_status,
		CASE WHEN i % 5 = 0 THEN '005' || lpad((i % 7)::text, 15, '0') ELSE owner_id END AS new_owner
	FROM (SELECT *, substr(id, 4, 12)::int AS i FROM lead) l WHERE i % 2 = 1 AND NOT is_deleted AND (status ILIKE 'open%' OR status LIKE 'Working%');
	INSERT INTO lead_history SELECT id, at, '9999-12-31', true, new_status, new_owner FROM move;
	UPDATE lead_history h SET _fivetran_active = false, _fivetran_end = m.at FROM move m WHERE m.id = h.id AND h._fivetran_start < m.at AND h._fivetran_active;
	CREATE TABLE incoming AS SELECT * FROM lead;
	UPDATE incoming i SET status = new_status, owner_id = new_owner, last_modified_date = m.at, is_converted = new_status = 'Closed - Converted', converted_date = m.at FROM move m WHERE m.id = i.id;
	-- a first status for those that had none
	INSERT INTO lead_history SELECT id, '2026-07-20 08:00Z', '9999-12-31', true, 'Open - Not Contacted', owner_id FROM lead WHERE status IS NULL AND NOT is_deleted;
	UPDATE incoming SET status = 'Open - Not Contacted', last_modified_date = '2026-07-20 08:00Z' WHERE status IS NULL AND NOT is_deleted;
	-- leads that are new
	INSERT INTO incoming (id, name, status, owner_id, is_deleted, _fivetran_deleted, created_date, last_modified_date)
	SELECT '00Q' || lpad((20000 + i)::text, 12, '0') || 'AAQ', 'New ' || i, 'Open - Not Contacted', '005' || lpad((i % 9)::text, 15, '0'), false, false, at, at FROM generate_series(1, 400) i, LATERAL (SELECT timestamptz '2026-07-02Z' + i * interval '19 minutes' AS at) t;
	INSERT INTO lead_history SELECT id, created_date, '9999-12-31', true, status, owner_id FROM incoming WHERE name LIKE 'New %';
	-- tonight's load
	BEGIN; TRUNCATE lead; INSERT INTO lead SELECT * FROM incoming; COMMIT;
	CREATE TABLE counted AS SELECT (SELECT count(*) FROM lead_journey) AS entries, (SELECT count(*) FROM lead_journey_sla) AS clocks;
	BEGIN; DELETE FROM lead; INSERT INTO lead SELECT * FROM incoming ORDER BY md5(id); COMMIT;
	INSERT INTO lead SELECT * FROM incoming ON CONFLICT (id) DO UPDATE SET (_fivetran_synced, name, company, email, status, lead_source, owner_id, last_modified_date, is_deleted) = (now(), excluded.name, excluded.company, excluded.email, excluded.status, excluded.lead_source, excluded.owner_id, excluded.last_modified_date, excluded.is_deleted);

	-- opportunities: the next stage, another owner, lost
	CREATE TABLE next AS
	SELECT '019' || substr(o.id, 4) AS no, o.*, timestamptz '2026-07-03 08:00Z' + substr(id, 4, 12)::int * interval '5 minutes' AS at, CASE WHEN hashtext(id) % 4 = 0 THEN 'Closed Lost' ELSE s[array_position(s, stage_name) + 1] END AS new_stage
	FROM opportunity o, (SELECT ARRAY['Prospecting', 'Qualification', 'Proposal/Price Quote', 'Negotiation/Review', 'Closed Won'] AS s) s WHERE stage_name <> 'Closed Won' AND hashtext(id) % 3 <> 1;
	INSERT INTO opportunity_field_history SELECT no, id, owner_id, at, 'StageName', stage_name, new_stage FROM next;
	UPDATE opportunity o SET stage_name = new_stage, amount = o.amount * 1.1, is_closed = new_stage LIKE 'Closed%', is_won = new_stage = 'Closed Won', last_modified_date = n.at, close_date = n.at::date FROM next n WHERE n.id = o.id;
	INSERT INTO opportunity_field_history SELECT '01A' || substr(id, 4), id, owner_id, '2026-08-01Z', 'Owner', owner_id, '005000000000000077' FROM opportunity WHERE hashtext(id) % 7 = 2;
	UPDATE opportunity SET owner_id = '005000000000000077', last_modified_date = '2026-08-01Z' WHERE hashtext(id) % 7 = 2;

	-- duplicates are merged: Salesforce marks one as deleted, with its master
	CREATE TABLE merged AS SELECT l.id AS tail, '00Q' || lpad((substr(l.id, 4, 12)::int + 1)::text, 12, '0') || 'AAQ' AS head FROM lead l WHERE substr(id, 4, 12)::int % 900 = 41 AND substr(id, 4, 12)::int < 9000;
});
is_value('SELECT (entries, clocks) = ((SELECT count(*) FROM lead_journey), (SELECT count(*) FROM lead_journey_sla)) FROM counted', 't', 'reloads of unchanged rows leave nothing');
$node->safe_psql('postgres', q{
	CREATE TABLE deleted AS SELECT id, timestamptz '2026-08-02Z' + substr(id, 4, 12)::int * interval '1 minute' AS at FROM lead WHERE substr(id, 4, 12)::int % 100 = 50 AND NOT is_deleted;
	UPDATE lead l SET is_deleted = true, last_modified_date = d.at FROM deleted d WHERE d.id = l.id;
	SELECT align.merge_leads('lead', tail, head) FROM merged;
	UPDATE lead l SET is_deleted = true, master_record_id = head, last_modified_date = '2026-08-10Z' FROM merged m WHERE m.tail = l.id;
	CREATE TABLE forgotten AS SELECT id FROM lead WHERE substr(id, 4, 12)::int % 300 = 77 AND NOT is_deleted;
	UPDATE lead SET name = NULL, company = NULL, email = NULL, owner_id = NULL WHERE id IN (TABLE forgotten);
	SELECT align.forget('lead', id) FROM forgotten;
});

plain_setup($node, 'America/New_York');
$node->safe_psql('postgres', q{
	UPDATE plain.began SET at = '2026-09-01Z';
	INSERT INTO plain.promise VALUES ('take_up', 'Working - Contacted', '{Closed - Converted,Closed - Not Converted}', '{Open - Not Contacted}', NULL, '10 days', '{Closed - Converted}', '{Closed - Not Converted}'),
		('first_contact', 'Open - Not Contacted', '{Working - Contacted,Closed - Converted,Closed - Not Converted}', '{}', '8 hours', NULL, NULL, NULL);
	CREATE TABLE plain.version AS
	SELECT id AS own, _fivetran_start AS at, CASE trim(lower(status)) WHEN 'open - not contacted' THEN 'Open - Not Contacted' WHEN 'working - contacted' THEN 'Working - Contacted' ELSE status END AS stage, owner_id
	FROM lead_history h WHERE EXISTS (SELECT FROM lead l WHERE l.id = h.id AND (NOT l.is_deleted OR l.id IN (SELECT id FROM deleted UNION ALL SELECT tail FROM merged)));
	CREATE TABLE plain.joined AS
	SELECT coalesce(head, own) AS id, v.at, v.stage, own, owner_id FROM (SELECT * FROM plain.version WHERE stage IS NOT NULL) v LEFT JOIN merged ON tail = own;
	-- a lead that was merged ends where its row is
	INSERT INTO plain.joined
	SELECT head, (SELECT max(at) FROM plain.joined j WHERE j.id = head), (SELECT stage FROM plain.version v WHERE v.own = head ORDER BY at DESC LIMIT 1), 'z', (SELECT owner_id FROM plain.version v WHERE v.own = head ORDER BY at DESC LIMIT 1) FROM merged;
	INSERT INTO plain.joined SELECT id, at, NULL, 'zz' FROM deleted;
	INSERT INTO plain.entry SELECT id, at, row_number() OVER w, stage, NULL, row_number() OVER w FROM plain.joined WINDOW w AS (PARTITION BY id ORDER BY at, own <> id, own);
	INSERT INTO plain.holder SELECT id, at, row_number() OVER (PARTITION BY id ORDER BY at, own <> id, own), owner_id FROM plain.joined WHERE stage IS NOT NULL AND id NOT IN (TABLE forgotten);
});
plain_reports('lead', 'lead_journey', 'lead_journey_sla', 'id', 'leads', $as_of, 'SELECT id FROM lead WHERE NOT is_deleted');
is_value('SELECT count(*) FROM lead_journey WHERE id IN (TABLE forgotten) AND assignee IS NOT NULL', '0', 'persons are forgotten');

$node->safe_psql('postgres', q{
	TRUNCATE plain.entry, plain.holder, plain.promise;
	INSERT INTO plain.promise VALUES ('quote', 'Qualification', '{Proposal/Price Quote}', '{Closed Won,Closed Lost}', NULL, '5 days', NULL, NULL),
		('close', 'Proposal/Price Quote', '{Closed Won}', '{Closed Lost}', NULL, '30 days', NULL, NULL);
	INSERT INTO plain.entry SELECT id, at, row_number() OVER (PARTITION BY id ORDER BY at, no), stage, NULL, row_number() OVER (PARTITION BY id ORDER BY at, no) FROM (
		SELECT id, created_date AS at, '' AS no, 'Prospecting' AS stage FROM opportunity
		UNION ALL SELECT opportunity_id, created_date, id, new_value FROM opportunity_field_history WHERE field = 'StageName') e;
	INSERT INTO plain.holder
	SELECT id, created_date, 0, coalesce((SELECT old_value FROM opportunity_field_history f WHERE f.opportunity_id = o.id AND field = 'Owner' ORDER BY created_date LIMIT 1), owner_id) FROM opportunity o
	UNION ALL SELECT opportunity_id, created_date, 0, new_value FROM opportunity_field_history WHERE field = 'Owner';
});
plain_reports('opportunity', 'opportunity_history', 'opportunity_sla', 'id', 'opportunities', $as_of);

$node->stop;
done_testing();
