-- Campaigns: landing addresses read and their channels, beside the same in SQL.
\set calls 1000000 * :scale
SELECT greatest(round(:calls), 1000) AS calls, greatest(round(:calls / 20), 500) AS recipe_calls \gset

-- Addresses as they arrive: tagged by hand, by Google Ads and Meta, bare with a
-- referrer, with parameters of the shop between the tags.
CREATE TABLE bench.address AS
SELECT CASE i % 8
	WHEN 0 THEN 'https://www.shop.example/products/item-' || i || '?utm_source=google&utm_medium=cpc&utm_campaign=spring_sale_' || i % 50 || '&utm_term=running+shoes&utm_content=ad%20' || i % 9 || '&gclid=EAIaIQobChMI' || md5(i::text)
	WHEN 1 THEN 'https://www.shop.example/?gad_source=1&gad_campaignid=' || 20000000 + i % 50 || '&gbraid=0AAAAA' || md5(i::text) || '&gclid=EAIaIQobChMI' || md5(i::text)
	WHEN 2 THEN 'https://www.shop.example/collections/all?fbclid=IwAR' || md5(i::text) || md5('b' || i) || '&utm_source=facebook&utm_medium=paid_social&utm_campaign=Fr%C3%BChling%202026&utm_id=' || 1200000 + i % 40
	WHEN 3 THEN 'https://www.shop.example/blog/post-' || i % 100
	WHEN 4 THEN 'https://www.shop.example/search?q=red+shoes&page=' || i % 10 || '&sort=price&color=red&size=42'
	WHEN 5 THEN 'https://www.shop.example/news?utm_source=newsletter&utm_medium=email&utm_campaign=weekly-' || i % 52 || '&mc_cid=' || md5(i::text) || '&mc_eid=' || md5('e' || i)
	WHEN 6 THEN 'https://www.shop.example/?utm_source=LinkedIn&utm_medium=Social&utm_campaign=launch'
	ELSE 'https://www.shop.example/pricing?ref=partner&utm_source=partner-' || i % 20 || '&utm_medium=referral#plans' END AS url,
	CASE i % 8 WHEN 3 THEN 'https://www.google.com/' WHEN 4 THEN 'https://l.instagram.com/' WHEN 6 THEN 'https://www.linkedin.com/' END AS referrer
FROM generate_series(1, :calls) i;
CREATE TABLE bench.few_addresses AS SELECT * FROM bench.address LIMIT :recipe_calls;
CREATE TABLE bench.campaign AS SELECT align.parse_campaign(url, referrer) AS campaign FROM bench.address;
VACUUM ANALYZE bench.address, bench.few_addresses, bench.campaign;

-- As people write it: a pattern for each tag, without decoding more than "+" and
-- "%20".
CREATE FUNCTION bench.tag(url text, tag text) RETURNS text LANGUAGE sql IMMUTABLE
RETURN nullif(replace(replace((regexp_match(split_part(url, '#', 1), '[?&]' || tag || '=([^&]*)', 'i'))[1], '+', ' '), '%20', ' '), '');
CREATE FUNCTION bench.campaign_by_hand(url text, referrer text) RETURNS text[] LANGUAGE sql IMMUTABLE
RETURN ARRAY[
	lower(coalesce(bench.tag(url, 'utm_source'), CASE WHEN url ~* '[?&](gclid|gbraid|wbraid)=' THEN 'google' WHEN url ~* '[?&]fbclid=' THEN 'facebook' END, split_part(split_part(referrer, '://', 2), '/', 1))),
	lower(coalesce(bench.tag(url, 'utm_medium'), CASE WHEN url ~* '[?&](gclid|gbraid|wbraid)=' THEN 'cpc' END)),
	bench.tag(url, 'utm_campaign'), bench.tag(url, 'utm_term'), bench.tag(url, 'utm_content'),
	coalesce(bench.tag(url, 'utm_id'), bench.tag(url, 'gad_campaignid'))];

-- The same tags, or the comparison would be of different things.
SELECT bool_and(h[2] IS NOT DISTINCT FROM align.campaign_medium(c) AND h[4] IS NOT DISTINCT FROM align.campaign_term(c) AND h[5] IS NOT DISTINCT FROM align.campaign_content(c)
	AND h[6] IS NOT DISTINCT FROM align.campaign_id(c)) AS agree
FROM (SELECT bench.campaign_by_hand(url, NULL) AS h, align.parse_campaign(url) AS c FROM bench.few_addresses WHERE url ~ 'utm_|gclid' LIMIT 500) s \gset
\if :agree
\else
	\warn 'parse_campaign and the hand-written patterns do not agree'
	SELECT 1 / 0;
\endif

CALL bench.measure('parse_campaign', :runs,
	'ours', 'SELECT count(align.parse_campaign(url, referrer)) FROM bench.address',
	'floor', 'SELECT count(url) FROM bench.address');
CALL bench.measure('campaign by hand', :runs,
	'by hand', 'SELECT count(bench.campaign_by_hand(url, referrer)) FROM bench.few_addresses',
	'floor', 'SELECT count(url) FROM bench.few_addresses');
CALL bench.measure('channel', :runs,
	'ours', 'SELECT count(align.channel(campaign)) FROM bench.campaign',
	'funnel', 'SELECT count(align.channel(campaign, ''stage a; won b; success path a -> b; channel partner when source ''''partner-*''''; channel news when medium ''''email'''' and name ''''weekly*'''';'')) FROM bench.campaign',
	'floor', 'SELECT count(campaign) FROM bench.campaign');

INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
SELECT 'parse_campaign, landing addresses', bench.show_rate(ns), 'the rows alone', '', '>= 0.5 M calls/s', ns <= 2000
FROM (SELECT bench.call_ns('parse_campaign', 'ours', 'floor', :calls) AS ns) c;
INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
SELECT 'parse_campaign', round(ours) || ' ns', 'regexp_match, split_part: ' || round(theirs / 1000) || ' us',
	round((theirs / ours)::numeric) || ' x', '>= 20 x faster', theirs >= 20 * ours
FROM (SELECT bench.call_ns('parse_campaign', 'ours', 'floor', :calls) AS ours, bench.call_ns('campaign by hand', 'by hand', 'floor', :recipe_calls) AS theirs) c;
INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
SELECT what, bench.show_rate(ns), 'the rows alone', '', '>= 2 M calls/s', ns <= 500
FROM (VALUES ('channel(campaign)', 'ours'), ('channel(campaign, funnel)', 'funnel')) AS v(what, side), LATERAL (SELECT bench.call_ns('channel', side, 'floor', :calls) AS ns) c;
INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
SELECT 'stored bytes of a campaign', round(avg(pg_column_size(campaign)), 1)::text, 'canonical text: ' || round(avg(octet_length(campaign::text)), 1),
	'+ ' || max(pg_column_size(campaign) - octet_length(campaign::text)) || ' at most', '<= + 8', max(pg_column_size(campaign) - octet_length(campaign::text)) <= 8
FROM bench.campaign;
INSERT INTO bench.note (note) VALUES
	(format('campaigns: %s addresses a run, %s by hand, of %s bytes on average; the cost of reading the rows is taken off', :calls, :recipe_calls, (SELECT round(avg(octet_length(url))) FROM bench.address)));
