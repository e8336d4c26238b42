# Campaigns, channels and credit on real data, against plain SQL.
#
#   - X Education: 9,240 leads with a source typed by people or set by tools:
#     "Google" and "google", blanks, chat widgets.
#   - Olist: 8,000 leads with an origin, 842 of which were won.
#   - PathData: 10,000 paths over twelve channels, with the number and the value
#     of their conversions.
use strict;
use warnings;

use RealData;
use Test::More;

my $xeducation = shared_folder('xeducation_leads');
my $olist = shared_folder('olist_funnel');
my $paths = shared_folder('channel_paths');
my $node = start_node('campaigns');

# X Education.  All columns are read as text; the last one has no name.
open my $in, '<', "$xeducation/Leads.csv" or die "could not open Leads.csv: $!";
my $header = <$in>;
close $in;
$header =~ s/\s+$//;
my $columns = join ', ', map { $_ eq '' ? 'nameless text' : qq("$_" text) } split /,/, $header, -1;
$node->safe_psql('postgres', "CREATE TABLE xeducation ($columns)");
load_csv('xeducation', "$xeducation/Leads.csv");
$node->safe_psql('postgres', q{
	CREATE VIEW sources AS
	SELECT "Lead Source" AS source, "Converted" = '1' AS converted, align.parse_campaign("Lead Source") AS campaign FROM xeducation;
});
is_value('SELECT count(*), count(DISTINCT source) FROM sources', '9240|21', '9,240 leads, 21 spellings of a source');
is_value(q{SELECT count(DISTINCT campaign) FROM sources WHERE lower(source) = 'google'}, '1', '"Google" and "google" are one campaign');
is_same(
	q{SELECT campaign, count(*) AS leads FROM sources WHERE source IS NOT NULL GROUP BY campaign HAVING align.campaign_source(campaign) <> '(direct)'},
	q{SELECT align.parse_campaign(min(source)) AS campaign, count(*) AS leads FROM sources WHERE source <> 'Direct Traffic' GROUP BY lower(trim(source))},
	'leads by campaign');
is_same(
	q{SELECT align.channel(campaign) AS channel, count(*) AS leads, count(*) FILTER (WHERE converted) AS converted FROM sources WHERE source IS NOT NULL GROUP BY 1},
	q{SELECT coalesce(channel, 'Unassigned') AS channel, count(*) AS leads, count(*) FILTER (WHERE converted) AS converted
	  FROM sources AS s LEFT JOIN (VALUES ('google', 'Organic Search'), ('bing', 'Organic Search'), ('organic search', 'Organic Search'),
		('direct traffic', 'Direct'), ('facebook', 'Organic Social'), ('social media', 'Organic Social'), ('referral sites', 'Referral')) AS c (source, channel) ON lower(trim(s.source)) = c.source
	  WHERE s.source IS NOT NULL GROUP BY 1},
	'leads by channel');

# Olist: the origin is recorded with the entry into the first stage.
$node->safe_psql('postgres', q{
	CREATE TABLE mql (mql_id text PRIMARY KEY, first_contact_date date, landing_page_id text, origin text);
	CREATE TABLE deal (mql_id text PRIMARY KEY, seller_id text, sdr_id text, sr_id text, won_date timestamp,
		business_segment text, lead_type text, lead_behaviour_profile text, has_company text, has_gtin text,
		average_stock text, business_type text, declared_product_catalog_size float8, declared_monthly_revenue numeric);
});
load_csv('mql', "$olist/olist_marketing_qualified_leads_dataset.csv");
load_csv('deal', "$olist/olist_closed_deals_dataset.csv");
$node->safe_psql('postgres', q{
	CREATE TABLE raw AS
	SELECT mql_id, nullif(trim(origin), '') AS origin, first_contact_date::timestamp AT TIME ZONE 'UTC' AS contact_at,
		won_date AT TIME ZONE 'UTC' AS won_at, declared_monthly_revenue AS revenue
	FROM mql LEFT JOIN deal USING (mql_id);
	CREATE TABLE journeys AS
	SELECT mql_id, align.lead_agg(at, stage, NULL, NULL, campaign, amount) AS journey
	FROM (SELECT mql_id, contact_at AS at, 'mql' AS stage, origin AS campaign, NULL::numeric AS amount FROM raw
		UNION ALL SELECT mql_id, won_at, 'customer', origin, revenue FROM raw WHERE won_at IS NOT NULL) AS entries
	GROUP BY mql_id;
	CREATE TABLE agreed AS SELECT 'stage mql; won customer; success path mql -> customer; channel paid when source ''paid_search''; channel organic when source ''organic_*'';'::align.funnel AS funnel;
});
foreach my $model (qw(first last_non_direct linear))
{
	is_same(
		"SELECT (c).campaign, (c).conversions::numeric AS won, (c).amount FROM (SELECT unnest(align.funnel_credit_agg(journey, funnel, '$model')) AS c FROM journeys, agreed) AS credits",
		q{SELECT coalesce(origin, '(none)') AS campaign, count(*)::numeric AS won, sum(revenue) AS amount FROM raw WHERE won_at IS NOT NULL GROUP BY 1},
		"won deals and revenue by origin, model $model: a lead has one touch");
}
is_value(q{SELECT sum((c).conversions), sum((c).amount) = (SELECT sum(revenue) FROM raw WHERE won_at IS NOT NULL) FROM (SELECT unnest(align.funnel_credit_agg(journey, funnel, 'position')) AS c FROM journeys, agreed) AS credits},
	'842|t', 'credits add up to the deals and their revenue');
is_value(q{SELECT string_agg(DISTINCT (c).channel, ',' ORDER BY (c).channel) FROM (SELECT unnest(align.funnel_credit_agg(journey, funnel, 'first')) AS c FROM journeys, agreed) AS credits WHERE (c).campaign IN ('paid_search', 'organic_search')},
	'organic,paid', 'the channels of the agreement come first');

# PathData: the touches of a path are a day apart, and the conversion follows.
$node->safe_psql('postgres', q{CREATE TABLE path (path text, total_conversions int, total_conversion_value numeric, total_null int)});
load_csv('path', "$paths/PathData.csv");
$node->safe_psql('postgres', q{
	CREATE TABLE touch AS
	SELECT p.n, p.conversions, p.value, t.channel, t.i::int AS i, count(*) OVER (PARTITION BY p.n)::int AS touches
	FROM (SELECT row_number() OVER () AS n, path, total_conversions AS conversions, total_conversion_value AS value FROM path) AS p,
		regexp_split_to_table(p.path, ' > ') WITH ORDINALITY AS t (channel, i);
	CREATE TABLE path_journeys AS
	SELECT n, conversions, value, align.lead_agg(timestamptz '2026-01-01 00:00Z' + i * interval '1 day', stage, NULL, NULL, channel, CASE WHEN stage IS NOT NULL THEN value END) AS journey
	FROM (SELECT n, conversions, value, i, NULL AS stage, channel FROM touch
		UNION ALL SELECT DISTINCT n, conversions, value, touches, 'won', NULL FROM touch) AS entries
	GROUP BY n, conversions, value;
});
my %share = (
	first => '(i = 1)::int',
	last => '(i = touches)::int',
	linear => '1.0 / touches',
	position => 'CASE WHEN touches = 1 THEN 1.0 WHEN touches = 2 THEN 0.5 WHEN i IN (1, touches) THEN 0.4 ELSE 0.2 / (touches - 2) END',
	time_decay => 'power(2.0::float8, (i - touches) / 7.0::float8) / sum(power(2.0::float8, (i - touches) / 7.0::float8)) OVER (PARTITION BY n)');
foreach my $model (sort keys %share)
{
	is_same(
		"SELECT c.campaign, round(sum(c.share * j.conversions)::numeric, 6) AS won FROM path_journeys AS j, align.credit(journey, '$model') AS c GROUP BY 1",
		"SELECT channel AS campaign, round(sum(share * conversions)::numeric, 6) AS won FROM (SELECT channel, conversions, ($share{$model})::float8 AS share FROM touch) AS t GROUP BY 1 HAVING sum(share) > 0",
		"conversions by channel, model $model");
	is_value("SELECT count(*) FROM path_journeys AS j WHERE value IS DISTINCT FROM (SELECT sum(c.amount) FROM align.credit(journey, '$model') AS c)", '0',
		"the values of each path add up, model $model");
}

$node->stop;
done_testing();
