-- Whatever the address, parse_campaign() gives a value, and its text reads back.
SET search_path = public, align;
SELECT setseed(0.30);

-- Addresses made of pieces that matter to the parser, in any order.
CREATE TABLE piece (no serial, text text);
INSERT INTO piece (text) VALUES
	('https://'), ('shop.example'), ('/'), ('?'), ('#'), ('&'), ('&amp;'), ('&#038;'), ('='), ('utm_source='), ('utm_medium='), ('UTM_Campaign='), ('utm_term='), ('utm_content='), ('utm_id='),
	('utm%5Fsource='), ('utm_source_platform='), ('utm_creative_format='), ('utm_marketing_tactic='), ('referrer='), ('gclid=x'), ('fbclid=x'), ('gad_campaignid=7'), ('hsa_cam=8'), ('hsa_net=adwords'), ('srsltid=x'), ('mc_eid=x'),
	('google'), ('Facebook'), ('(direct)'), ('%'), ('%2'), ('%00'), ('%E4'), ('%C3%A4'), ('%C3'), ('%a4'), ('ä'), ('%F0%9F%98%80'), ('%ED%A0%80'), ('%C0%80'), ('+'), (' '), ('%20'), ('%C2%A0'), ('%EF%BB%BF'), (U&'\3000'), ('%0A'), (E'\t'),
	('a'), ('Z'), ('.'), ('..'), (':'), ('@'), ('jane@corp.example'), ('%40corp.example'), (';'), (','), ('"'), (''''), ('\'), ('<b>'), ('*'), ('-'), ('_'), ('~'), ('%25'), ('%2540'), ('%26'), ('%3D'), ('www.'), ('google.co.uk'), ('x.com/i/grok'),
	(repeat('x', 1020)), (repeat('ä', 511)), (repeat('%20', 400));
CREATE FUNCTION pg_temp.dirt(pieces int) RETURNS text LANGUAGE sql VOLATILE AS
$$
	SELECT coalesce(string_agg(p.text, '' ORDER BY i), '')
	FROM (SELECT i, 1 + floor(random() * (SELECT count(*) FROM piece))::int AS no FROM generate_series(1, pieces) AS i OFFSET 0) r JOIN piece p USING (no)
$$;
CREATE TABLE dirt AS
SELECT pg_temp.dirt((i % 13)::int) AS url, CASE WHEN i % 3 = 0 THEN pg_temp.dirt((i % 5)::int) END AS referrer FROM generate_series(1, 60000) AS i;
-- bytes changed in addresses that are not so dirty
INSERT INTO dirt
SELECT overlay(url placing chr((1 + random() * 300)::int) from 1 + (random() * length(url))::int for (random() * 3)::int), referrer
FROM (SELECT 'https://www.shop.example/a?utm_source=Google&utm_medium=cpc&utm_campaign=Fr%C3%BChling+2026&gclid=x&mc_eid=' || i || '#top?utm_term=x' AS url,
	'https://www.google.com/search?q=' || i AS referrer FROM generate_series(1, 40000) AS i) g;
CREATE TABLE result AS SELECT url, referrer, parse_campaign(url, referrer) AS c FROM dirt;

-- each line is 0
SELECT count(*) FROM result WHERE c IS NULL;
SELECT count(*) AS "text reads back" FROM result WHERE c::text::campaign <> c;
SELECT count(*) AS "parse_campaign reads it too" FROM result WHERE parse_campaign(c::text) <> c;
SELECT count(*) AS "with any referrer" FROM result WHERE campaign_source(c) IS NOT NULL AND campaign_medium(c) IS NOT NULL AND parse_campaign(c::text, 'https://other.example/') <> c;
SELECT count(*) AS "canonical: ASCII" FROM result WHERE c::text ~ '[^!-~]';
SELECT count(*) AS "e-mail addresses" FROM result WHERE c::text ~ 'corp.example' AND c::text ~ '[a-z](%40|%2540)corp\.example';
SELECT count(*) AS "no channel" FROM result WHERE channel(c) IS NULL;
SELECT count(*) AS "empty, with blanks, too long" FROM result, unnest(ARRAY[campaign_source(c), campaign_medium(c), campaign_name(c), campaign_term(c), campaign_content(c), campaign_id(c), campaign_referrer(c)]) AS field
	WHERE field = '' OR field <> btrim(field, E' \t\n\r' || U&'\00A0\3000\FEFF\200B') OR octet_length(field) > 1024;
SELECT count(*) AS "upper case" FROM result WHERE campaign_source(c) ~ '[A-Z]' OR campaign_medium(c) ~ '[A-Z]';
SELECT count(*) AS "referrer is none or a host" FROM result WHERE campaign_referrer(c) ~ '[/?#@:A-Z ]';
SELECT count(*) AS "the JSON form" FROM result WHERE c::jsonb ->> 'source' IS DISTINCT FROM campaign_source(c) OR c::jsonb ->> 'campaign' IS DISTINCT FROM campaign_name(c);
-- and what was read is not always the same
SELECT count(DISTINCT c) > 20000 AS varied, count(*) FILTER (WHERE channel(c) = 'Direct') BETWEEN 1 AND 60000 AS direct, count(DISTINCT channel(c)) > 8 AS channels FROM result;
DROP TABLE dirt, result, piece;
