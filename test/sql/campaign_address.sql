-- What parse_campaign() reads from addresses, and the channel of it.
SET search_path = public, align;
\pset null '(null)'

CREATE TABLE address (nr text, url text, referrer text);
INSERT INTO address VALUES
('C01', 'https://shop.example/?utm_source=google&utm_medium=cpc&utm_campaign=12345&utm_source_platform=google_ads&gad_source=1&gclid=AbC', NULL),
('C02', 'https://shop.example/?utm_source=google&utm_medium=cpc&utm_campaign=12345&utm_source_platform=google_ads&gad_source=1&gclid=AbC', 'https://www.google.com/'),
('C03', 'https://shop.example/?fbclid=IwAR1', 'https://l.facebook.com/'),
('C04a', '?utm_source=facebook&utm_medium=paid_social&fbclid=x', NULL),
('C04b', '?utm_source=facebook&utm_medium=social&fbclid=x', NULL),
('C05', '?gclid=1', 'https://www.google.com/'),
('C05b', '?gclid=1', 'https://l.facebook.com/'),
('C05c', '?gclid=1', 'https://publisher.example/article'),
('C06', '?msclkid=1', 'https://www.bing.com/'),
('C08', '?utm_source=google&utm_medium=organic&gclid=AbC', NULL),
('C09a', '?gbraid=1', NULL),
('C09b', '?wbraid=1', NULL),
('C09c', '?dclid=1', NULL),
('C10', '?UTM_SOURCE=Foo&Utm_Medium=Email', NULL),
('C11a', 'utm_source=LinkedIn', NULL),
('C11b', 'utm_source=linkedin ', NULL),
('C13a', '?utm_campaign=spring+sale', NULL),
('C13b', '?utm_campaign=spring%20sale', NULL),
('C13c', '?utm_campaign=a%2Bb', NULL),
('C14a', '?utm_source=uns_footer%&utm_medium=email', NULL),
('C14b', '?utm_source=20%-off', NULL),
('C14c', 'https://shop.example/', 'https://r.example/20%-off/'),
('C15a', '?utm_campaign=Gesch%E4ft', NULL),
('C15b', '?utm_campaign=a%00b', NULL),
('C15c', '?utm_campaign=Gesch%C3%A4ft', NULL),
('C18', 'https://a.example/p?x=1#top?utm_source=', NULL),
('C20a', '?utm_source=&utm_medium=%20&utm_campaign=x', NULL),
('C20b', '?utm_source=&utm_medium=%20&utm_campaign=x', 'https://www.google.com/'),
('C22', '?mtm_campaign=a&utm_source=b', NULL),
('C23', '?utm_campaign=spring', NULL),
('C24', 'https://shop.example/', 'https://blog.example.org/post'),
('C27a', '?utm_source=ebay&utm_medium=cpc', NULL),
('C27b', '?utm_source=ebay', NULL),
('C27c', '?utm_source=x.example&utm_campaign=my-shop-x&utm_medium=organic', NULL),
('C28a', '?utm_source=sms&utm_medium=foo', NULL),
('C28b', '?utm_source=foo&utm_medium=sms', NULL),
('C30a', '(direct)', NULL),
('C30b', '(direct) / (none)', NULL),
('C30c', '?utm_source=(direct)&utm_medium=(none)', NULL),
('C31a', '?utm_source=chatgpt.com', NULL),
('C31b', 'https://shop.example/', 'https://www.perplexity.ai/'),
('C31c', 'https://shop.example/', 'https://gemini.google.com/app'),
('C31d', 'https://shop.example/', 'https://x.com/i/grok?conversation=1'),
('C31e', 'https://shop.example/', 'https://x.com/someone'),
('C35', 'https://shop.example/?utm_source=shop.example', NULL);

SELECT nr, campaign_source(c) AS source, campaign_medium(c) AS medium, campaign_name(c) AS name, campaign_id(c) AS id, campaign_referrer(c) AS referrer, channel(c)
FROM address, parse_campaign(url, referrer) AS c ORDER BY nr;

-- C02: a referrer changes nothing of a tagged address; C11: one campaign
SELECT count(DISTINCT parse_campaign(url, referrer)) FROM address WHERE nr IN ('C01', 'C02');
SELECT c, count(*) FROM address, parse_campaign(url) AS c WHERE nr LIKE 'C11_' GROUP BY c;

-- C21: tags in any order
SELECT count(*), count(DISTINCT parse_campaign('?' || concat_ws('&', a, b, c))) AS campaigns
FROM (VALUES ('utm_source=s'), ('utm_medium=m'), ('utm_campaign=c')) AS x(a),
	(VALUES ('utm_source=s'), ('utm_medium=m'), ('utm_campaign=c')) AS y(b),
	(VALUES ('utm_source=s'), ('utm_medium=m'), ('utm_campaign=c')) AS z(c)
WHERE a <> b AND b <> c AND a <> c;

-- forms of a text
SELECT text, parse_campaign(text) FROM (VALUES
	(''), ('   '), ('newsletter'), ('Google'), (' Olark Chat '), ('google / cpc'), ('google/organic'), ('n/a'), ('linkedin.com'),
	('shop.example/page'), ('shop.example/page?utm_source=a'), ('localhost/?utm_source=a'), ('//shop.example/?utm_source=a'), ('/page?utm_source=a'),
	('/page'), ('#5'), ('C#'), ('why?'), ('#utm_source=a&utm_medium=b'), ('https://shop.example/#!/page?utm_source=a'),
	('https://shop.example/#top&utm_source=a'), ('https://shop.example/?utm_source=a#utm_source=b&utm_medium=c'),
	('?utm_source=a&amp;utm_medium=b&amp;amp;utm_campaign=c'), ('?utm_source=a&#038;utm_medium=b&#038;utm_campaign=c'),
	('?utm%5Fsource=a'), ('?utm_source=&utm_source=b&utm_source=c'), ('?utm_source'), ('?utm_source=a=b?c&utm_medium=d'), ('foo=bar'), ('Direct Traffic'),
	('?utm_source=Caf%C3%89&utm_campaign=Caf%C3%89'), ('?utm_source=%EF%BB%BFa%C2%A0')) AS t(text);

-- personal identifiers
SELECT url, parse_campaign(url, referrer) FROM (VALUES
	('?mc_cid=1&mc_eid=abcdef', NULL), ('?utm_source=news&mkt_tok=abcdef&_hsenc=abcdef&_hsmi=123', NULL),
	('?email=jane@corp.example&utm_source=a', NULL), ('?utm_source=a&utm_term=jane%40corp.example', NULL),
	('?utm_source=a&utm_content=to+jane.doe%2Btag%40corp.example+today', NULL), ('?utm_source=a&utm_id=jane%2540corp.example', NULL),
	('jane@corp.example', NULL), ('?utm_source=@handle', NULL), ('?utm_campaign=2@price', NULL),
	('https://shop.example/', 'https://jane@corp.example:secret@blog.example/jane@corp.example?email=jane@corp.example')) AS t(url, referrer);

-- click ids, and the referrer that contradicts one
SELECT url, referrer, campaign_source(c), campaign_medium(c), campaign_id(c), channel(c) FROM (VALUES
	('?gclid=1&gad_campaignid=77', NULL), ('?gad_source=1', NULL), ('?gclsrc=aw.ds&gclid=', NULL), ('?srsltid=1', 'https://www.google.com/'), ('?ysclid=1', NULL),
	('?utm_source=google&gclid=1', NULL), ('?utm_source=google&gclid=1', 'https://l.facebook.com/'), ('?utm_source=newsletter&gclid=1', NULL),
	('?utm_source=twitter&twclid=1', NULL), ('?ttclid=1', NULL), ('?twclid=1', 'https://t.co/abc'), ('?li_fat_id=1', NULL), ('?ScCid=1', NULL),
	('?gclid=1', 'https://chatgpt.com/'), ('?msclkid=1', 'https://duckduckgo.com/'), ('?fbclid=1', NULL), ('?fbclid=1', 'https://www.google.com/'),
	('?gclid=1&gad_campaignid=77', 'https://www.reddit.com/'), ('?irclickid=1', 'https://www.youtube.com/'), ('?tblci=1', NULL),
	('?hsa_cam=5&hsa_net=adwords', NULL), ('?hsa_cam=5&hsa_net=linkedin', NULL), ('?hsa_cam=5', NULL), ('?mc_cid=1', 'https://mail.google.com/'),
	('?igshid=1', NULL), ('?oppref=1', NULL), ('?utm_medium=email&gclid=1', NULL), ('?utm_medium=ppc&gclid=1', NULL), ('?utm_medium=paid&fbclid=1', NULL), ('?utm_campaign=c&gclid=1', NULL)) AS t(url, referrer),
	parse_campaign(url, referrer) AS c;

-- referrers
SELECT referrer, parse_campaign('https://www.shop.example/', referrer), channel(parse_campaign('https://www.shop.example/', referrer)) FROM (VALUES
	('https://www.google.co.uk/'), ('https://news.google.com/'), ('https://mail.google.com/mail'), ('https://de.search.yahoo.com/search?p=x'), ('http://yandex.ru'),
	('HTTPS://WWW.Bing.COM:443/'), ('https://shop.example/cart'), ('https://blog.shop.example/'), ('android-app://com.google.android.googlequicksearchbox/'),
	('https://out.reddit.com/t3'), ('https://youtu.be/x'), ('https://pay.ebay.de/'), ('www.google.com'), ('google'), ('(direct)'), ('-'), ('about:blank'),
	('chrome-extension://abcdef/x'), ('file:///tmp/x'), ('https:///'), ('https://a b/'), ('https://example.org./'), ('')) AS t(referrer);

-- NULLs
SELECT parse_campaign(NULL) IS NULL, parse_campaign(NULL, NULL) IS NULL, parse_campaign(NULL, 'https://blog.example/'), parse_campaign('a', NULL);

-- long texts
SELECT length(campaign_name(parse_campaign('?utm_campaign=' || repeat('ä', 100000)))), octet_length(campaign_source(parse_campaign(repeat('x', 100000)))),
	channel(parse_campaign(repeat('a.', 50000))), channel(parse_campaign('?' || repeat('utm_source=&', 10000) || 'utm_source=a'));

-- names of direct traffic, and texts with "/" and "=" that are no address
SELECT url, parse_campaign(url) AS campaign, channel(parse_campaign(url)) FROM unnest(ARRAY['direct / none', 'direct/none', '(direct) / (none)', '(not set) / (not set)', 'utm_source=direct&utm_medium=none', 'none',
	'24/7 hotline', 'n/a', 'google/cpc', 'ROI=5 percent', 'Source=Fair 2026', 'foo=bar', 'foo=a b&utm_source=c']) AS url;

-- a tag that is dropped for an e-mail address was there; parameters of persons within a tag
SELECT url, parse_campaign(url) AS campaign, channel(parse_campaign(url)) FROM unnest(ARRAY['?utm_source=max@example.com', 'Max <max@example.com>', '?utm_source=max@example.com&utm_campaign=a',
	'?utm_source=nl?mc_eid=abc123', '?utm_source=nl&utm_campaign=a;mc_eid=abc123', '?utm_source=nl;mkt_tok=Q', '?utm_source=nl&utm_medium=email?_hsenc=p2ANq', '?utm_source=nl%26MC_EID%3Dabc123', 'mkt_tok:abc']) AS url;
SELECT url, parse_campaign('?utm_campaign=' || url) AS campaign FROM unnest(ARRAY['john%2540example.com', 'john%252540example.com', 'john%2540example%252Ecom', 'john%EF%BC%A0gmail.com', 'john@gmail%E3%80%82com', 'john%26%2364%3Bexample.com',
	'john@mail_server.example.com', 'spring@2026', 'v@1.5', 'a@b', '@acme.example']) AS url;

-- a source with a click id of the same platform, of another one, and of mail
SELECT url, referrer, parse_campaign(url, referrer) AS campaign, channel(parse_campaign(url, referrer)) FROM (VALUES ('?utm_source=mailchimp&mc_cid=1', NULL), ('?utm_source=linkedin&mc_cid=1', NULL), ('?utm_source=partner&gclid=1', NULL),
	('?utm_source=youtube&gclid=1', NULL), ('?utm_source=facebook&gclid=1', NULL), ('?utm_source=microsoft&msclkid=1', NULL), ('?fbclid=1&utm_medium=paid_social', 'https://www.instagram.com/'), ('?fbclid=1', 'https://www.instagram.com/'),
	('?gclid=1&utm_medium=cpc', 'https://l.facebook.com/'), ('?mc_cid=1', 'https://mail.yandex.ru/'), ('?dicbo=1', NULL)) AS t(url, referrer);

-- a listed path of an address of any length; applications; no address
SELECT referrer, parse_campaign('', referrer) AS campaign, channel(parse_campaign('', referrer)) FROM (VALUES ('https://x.com/i/grok/share/' || repeat('x', 100)), ('https://x.com/i/grok'), ('https://x.com/i/groklike'), ('https://x.com/' || repeat('x', 100)),
	('android-app://com.openai.chatgpt/'), ('https://ads.google.com/'), ('mailto:max@example.com')) AS t(referrer);

-- the first megabyte of a longer text counts
SELECT parse_campaign('?' || repeat('x', 1024 * 1024 - 16) || '&utm_source=a'), length(campaign_source(parse_campaign(repeat('ä', 100 * 1024 * 1024))));
