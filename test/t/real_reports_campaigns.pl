# Reports on campaigns on real data, against plain SQL over the files.
#
#   - X Education: 9,240 leads without any timestamps: the source typed by people
#     or set by tools, whether the lead was converted, and a tag, which is what
#     sales says about the lead.  Each lead enters, is submitted and is decided;
#     the tag is the reason.  "Select" means that nothing was chosen.
#   - Olist: 8,000 leads with an origin, of which 842 became sellers; dates of
#     contact and of the win.  The cost of origins is made up.
use strict;
use warnings;

use RealData;
use Test::More;

my $xeducation = shared_folder('xeducation_leads');
my $olist = shared_folder('olist_funnel');
my $node = start_node('reports_campaigns');

# X Education.  All columns are read as text; the last one has no name.
open my $in, '<', "$xeducation/Leads.csv" or die "could not open Leads.csv: $!";
my $header = <$in>;
close $in;
$header =~ s/\s+$//;
my $columns = join ', ', map { $_ eq '' ? 'nameless text' : qq("$_" text) } split /,/, $header, -1;
$node->safe_psql('postgres', "CREATE TABLE xeducation ($columns)");
load_csv('xeducation', "$xeducation/Leads.csv");
$node->safe_psql('postgres', q{
	CREATE SCHEMA school;
	SELECT align.agree('school', $$
		stage lead, qualified held by marketing;
		stage accepted held by sales;
		won customer;
		lost disqualified;
		success path lead -> qualified -> accepted -> customer;
		path any -> disqualified;
		handoff call: qualified from marketing to sales, accept accepted, reject disqualified;
	$$);
	CREATE TABLE school.lead (number int PRIMARY KEY, stage text, source text, tag text, changed_at timestamptz);
	SELECT align.attach('school.lead', 'school', campaign => 'source', reason => 'tag', changed_at => 'changed_at', mode => 'observe');
	-- times are made up: forty days, in two months
	INSERT INTO school.lead
	SELECT "Lead Number"::int, 'lead', nullif("Lead Source", ''), NULL, timestamptz '2026-01-05 09:00Z' + ("Lead Number"::int % 40) * interval '1 day' FROM xeducation;
	UPDATE school.lead SET stage = 'qualified', changed_at = changed_at + interval '1 hour';
	UPDATE school.lead AS l SET stage = CASE "Converted" WHEN '1' THEN 'accepted' ELSE 'disqualified' END, tag = "Tags", changed_at = changed_at + interval '2 hours'
	FROM xeducation AS x WHERE x."Lead Number"::int = l.number AND ("Converted" = '1' OR "Tags" <> '');
	-- a reason counts where the statement names it
	UPDATE school.lead SET stage = 'customer', tag = tag, changed_at = changed_at + interval '5 hours' WHERE stage = 'accepted';

	CREATE SCHEMA reports;
	SELECT align.create_reports('school.lead', 'reports', complete_since => '2026-01-01');

	-- the campaign of a source: what is typed, without blanks and in lower case
	CREATE VIEW plain AS
	SELECT "Lead Number"::int AS number, CASE WHEN trim("Lead Source") IS NULL THEN '(none)'
			WHEN "Lead Source" = 'Direct Traffic' THEN '(direct)' ELSE lower(trim("Lead Source")) END AS source,
		"Converted" = '1' AS converted, coalesce(nullif(trim("Tags"), ''), '(none)') AS tag,
		date_trunc('month', (timestamptz '2026-01-05 09:00Z' + ("Lead Number"::int % 40) * interval '1 day') AT TIME ZONE 'UTC')::date AS month
	FROM xeducation;
	CREATE FUNCTION source(campaign_key text) RETURNS text LANGUAGE sql IMMUTABLE
	AS $$ SELECT CASE WHEN campaign_key = '(none)' THEN campaign_key ELSE align.campaign_source(align.parse_campaign(campaign_key)) END $$;
});
is_same(q{SELECT source(campaign_key) AS source, month, sum(leads)::bigint AS leads, sum(won)::bigint AS won, sum(accepted)::bigint AS accepted, sum(rejected)::bigint AS rejected, sum(open)::bigint AS open, sum(late)::bigint AS late
		FROM reports.campaign_results GROUP BY 1, 2},
	q{SELECT source, month, count(*) AS leads, count(*) FILTER (WHERE converted) AS won, count(*) FILTER (WHERE converted) AS accepted,
			count(*) FILTER (WHERE NOT converted AND tag <> '(none)') AS rejected, count(*) FILTER (WHERE NOT converted AND tag = '(none)') AS open, 0::bigint AS late
		FROM plain GROUP BY 1, 2},
	'X Education: leads by source and month');
is_same(q{SELECT source(campaign_key) AS source, month, result, reason, n, leads, first_n FROM reports.feedback WHERE moment = 'handoff'},
	q{SELECT source, month, CASE WHEN converted THEN 'accepted' WHEN tag <> '(none)' THEN 'rejected' ELSE 'pending' END AS result, tag AS reason, count(*) AS n, count(*) AS leads, count(*) AS first_n
		FROM plain GROUP BY 1, 2, 3, 4},
	'X Education: tags as reasons of the handoff');
is_same(q{SELECT source(campaign_key) AS source, month, result, reason, share::numeric(12, 9) FROM reports.feedback WHERE moment = 'close'},
	q{SELECT source, month, CASE WHEN converted THEN 'won' ELSE 'lost' END AS result, tag AS reason,
			(count(*)::float8 / sum(count(*)) OVER (PARTITION BY source, month))::numeric(12, 9) AS share
		FROM plain WHERE converted OR tag <> '(none)' GROUP BY 1, 2, 3, 4},
	'X Education: tags as reasons of wins and losses, and their shares');
is_value(q{SELECT reason FROM reports.feedback WHERE result = 'lost' GROUP BY reason ORDER BY sum(n) DESC LIMIT 1},
	$node->safe_psql('postgres', q{SELECT tag FROM plain WHERE NOT converted AND tag <> '(none)' GROUP BY tag ORDER BY count(*) DESC LIMIT 1}),
	'X Education: the reason that sales gives most often');
is_value(q{SELECT count(*) FROM (SELECT campaign_key FROM reports.campaign_results WHERE campaign_source = 'google' GROUP BY 1) AS k}, '1', '"Google" and "google" are one campaign');

# Olist: months of the contact, wins, and a cost by origin.
load_olist($olist);
$node->safe_psql('postgres', q{
	-- the one deal that was won before the first contact is left out
	CREATE TABLE raw AS
	SELECT mql_id, CASE trim(origin) WHEN '' THEN NULL WHEN 'direct_traffic' THEN '(direct)' ELSE trim(origin) END AS origin, first_contact_date::timestamp AT TIME ZONE 'America/Sao_Paulo' AS contact_at,
		won_date AT TIME ZONE 'UTC' AS won_at, declared_monthly_revenue AS revenue, coalesce(lead_type, '') AS lead_type
	FROM mql LEFT JOIN deal USING (mql_id)
	WHERE (won_date AT TIME ZONE 'UTC' < first_contact_date::timestamp AT TIME ZONE 'America/Sao_Paulo') IS NOT TRUE;
	CREATE SCHEMA olist;
	SELECT align.agree('olist', $$stage mql; won seller; success path mql -> seller;
		channel paid when source 'paid_search'; channel organic when source 'organic_*';
		segment online: 'lead_type LIKE ''online%''';
		mix of seller: 80% online, 20% other;$$);
	CREATE TABLE olist.lead (mql_id text PRIMARY KEY, stage text, origin text, revenue numeric, lead_type text, changed_at timestamptz);
	SELECT align.attach('olist.lead', 'olist', campaign => 'origin', amount => 'revenue', changed_at => 'changed_at');
	INSERT INTO olist.lead SELECT mql_id, 'mql', CASE origin WHEN '(direct)' THEN 'direct_traffic' ELSE origin END, NULL, lead_type, contact_at FROM raw;
	UPDATE olist.lead AS l SET stage = 'seller', revenue = r.revenue, changed_at = r.won_at FROM raw AS r WHERE r.mql_id = l.mql_id AND r.won_at IS NOT NULL;
	CREATE SCHEMA boards;
	SELECT align.create_campaign_tables('boards', 'BRL');
	INSERT INTO boards.campaign_cost (day, campaign_source, amount)
	SELECT day::date, initcap(origin), 10 + length(origin) FROM generate_series('2017-06-01'::timestamp, '2018-05-31', '1 day') AS day, (VALUES ('paid_search'), ('display'), ('social'), ('television')) AS o (origin);
	SELECT align.create_reports('olist.lead', 'boards', time_zone => 'America/Sao_Paulo', complete_since => '2017-12-01');
});
is_same(q{SELECT CASE WHEN campaign_key = '(none)' THEN NULL ELSE campaign_source END AS origin, month, leads, won, open, cost, revenue_first, revenue_linear, revenue_full_path FROM boards.campaign_results WHERE leads > 0},
	q{SELECT origin, month, coalesce(r.leads, 0) AS leads, coalesce(r.won, 0) AS won, coalesce(r.open, 0) AS open, c.cost, coalesce(r.revenue, 0) AS a, coalesce(r.revenue, 0) AS b, coalesce(r.revenue, 0) AS c
		FROM (SELECT coalesce(origin, '(none)') AS o, origin, date_trunc('month', contact_at AT TIME ZONE 'America/Sao_Paulo')::date AS month,
				count(*) AS leads, count(won_at) AS won, count(*) - count(won_at) AS open, sum(revenue) FILTER (WHERE won_at IS NOT NULL) AS revenue
			FROM raw GROUP BY 1, 2, 3) AS r
		LEFT JOIN (SELECT lower(campaign_source) AS origin, date_trunc('month', day)::date AS month, sum(amount) AS cost
			FROM boards.campaign_cost GROUP BY 1, 2) AS c USING (origin, month)},
	'Olist: leads, wins, cost and revenue by origin and month of contact');
is_value(q{SELECT (SELECT sum(cost) FROM boards.campaign_results) = (SELECT sum(amount) FROM boards.campaign_cost), (SELECT sum(revenue_position) FROM boards.channel_results) = (SELECT sum(revenue) FROM raw WHERE won_at IS NOT NULL)},
	't|t', 'Olist: nothing of cost and revenue is lost');
is_same(q{SELECT channel, sum(leads)::bigint AS leads, sum(cost_only) AS cost_only FROM boards.channel_results WHERE channel IN ('paid', 'organic', '(none)') GROUP BY 1},
	q{SELECT CASE WHEN origin = 'paid_search' THEN 'paid' WHEN origin LIKE 'organic%' THEN 'organic' ELSE '(none)' END AS channel, count(*) AS leads, CASE WHEN origin = 'paid_search' THEN 0::numeric END AS cost_only
		FROM raw WHERE origin IS NULL OR origin = 'paid_search' OR origin LIKE 'organic%' GROUP BY 1, 3},
	'Olist: leads by channel of the agreement');
is_value(q{SELECT campaign_source, cost, cost_match, cpl FROM boards.campaign_results WHERE touches = 0 AND cost_match IN ('id', 'name') ORDER BY 1},
	"paid_search|630|name|\nsocial|480|name|", 'Olist: a month with cost, before the first lead of the origin');
is_value(q{SELECT DISTINCT cost_match, campaign_source FROM boards.campaign_results WHERE cost IS NOT NULL AND campaign_source = 'television'}, 'cost only|television', 'Olist: the cost of an origin that no lead has');
is_same(q{SELECT CASE WHEN campaign_key = '(none)' THEN NULL ELSE align.campaign_source(align.parse_campaign(campaign_key)) END AS origin, month, segment, won, won_share::numeric(12, 9), target_share FROM boards.won_by_segment WHERE won > 0},
	q{SELECT origin, date_trunc('month', won_at AT TIME ZONE 'America/Sao_Paulo')::date AS month, CASE WHEN lead_type LIKE 'online%' THEN 'online' ELSE '(other)' END AS segment, count(*) AS won,
			(count(*) / sum(count(*)) OVER (PARTITION BY origin, date_trunc('month', won_at AT TIME ZONE 'America/Sao_Paulo')::date))::numeric(12, 9) AS won_share,
			CASE WHEN lead_type LIKE 'online%' THEN 0.8::float8 ELSE 0.2 END AS target_share
		FROM raw WHERE won_at IS NOT NULL GROUP BY 1, 2, 3, 6},
	'Olist: sellers by origin, month of the win and segment');
is_value(q{SELECT count(*) FROM boards.campaign_results AS c WHERE to_jsonb(c)::text ~ 'NaN|Infinity'}, '0', 'no NaN');

$node->stop;
done_testing();
