-- touches(lead, funnel), first_touch, last_touch, decisive_touch.
SET search_path = public, align;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
\pset null '-'
CREATE TEMP TABLE agreed AS SELECT $$stage inquiry held by marketing; stage mql held by marketing; stage sal held by sales; won customer; lost gone; success path inquiry -> mql -> sal -> customer; path any -> gone;
	path mql -> inquiry; handoff speed: mql from marketing to sales, accept sal, reject inquiry, within 2 days; mql known as 'Qualified'; channel partner when source 'partner-*';$$::align.funnel AS funnel,
	'stage inquiry; won customer; success path inquiry -> customer;'::align.funnel AS without;
CREATE TEMP TABLE journey AS SELECT '{2026-03-01T08:00:00Z ~ "https://shop.example/?utm_source=Google&utm_medium=cpc&utm_campaign=Spring+Sale" worth 2.50, 2026-03-01T09:00:00Z inquiry,
	2026-03-02T08:00:00Z ~ "utm_source=partner-acme", 2026-03-03T08:00:00Z ~ "utm_source=(direct)&utm_medium=(none)", 2026-03-03T08:00:00Z Qualified, 2026-03-03T08:00:00Z ~ zz,
	2026-03-04T08:00:00Z ~ "utm_source=news&utm_medium=email", 2026-03-05T08:00:00Z mql, 2026-03-06T08:00:00Z ~ "", 2026-03-07T08:00:00Z customer}'::align.lead AS lead;
SELECT t.* FROM journey, agreed, touches(lead, funnel) AS t;
SELECT t.touch, t.channel FROM journey, agreed, touches(lead, without) AS t;
SELECT count(*), count(*) FILTER (WHERE (a.touch, a.at, a.campaign, a.amount) IS DISTINCT FROM (b.touch, b.at, b.campaign, b.amount)) AS differ FROM journey, agreed, touches(lead) AS a FULL JOIN touches((SELECT lead FROM journey), (SELECT funnel FROM agreed)) AS b USING (touch);

SELECT first_touch(lead) FROM journey;
SELECT t.* FROM journey, first_touch(lead) AS t;
SELECT before, t.touch, t.at FROM journey, unnest('{-infinity, 2026-03-01 07:59:59.999999, 2026-03-01 08:00, 2026-03-03 08:00, 2026-03-03 08:00:00.000001, infinity}'::timestamptz[]) AS before, last_touch(lead, before) AS t ORDER BY before;
-- The decisive one is at or before the submission, and not Direct, if there is one; without handoffs the win decides.
SELECT d.touch, d.campaign, w.touch AS without FROM journey, agreed, decisive_touch(lead, funnel) AS d, decisive_touch(lead, without) AS w;
SELECT lead, d.touch, d.at FROM agreed, unnest(ARRAY[
	'{2026-03-01T00:00:00Z ~ a, 2026-03-02T00:00:00Z ~ "(direct)", 2026-03-03T00:00:00Z mql}',
	'{2026-03-01T00:00:00Z ~ "(direct)", 2026-03-02T00:00:00Z ~ "(direct)", 2026-03-03T00:00:00Z mql}',
	'{2026-03-01T00:00:00Z ~ a, 2026-03-02T00:00:00Z inquiry}', '{2026-03-01T00:00:00Z mql, 2026-03-02T00:00:00Z ~ a}', '{2026-03-01T00:00:00Z mql}', '{2026-03-01T00:00:00Z ~ a}',
	'{2026-03-01T00:00:00Z ~ a, 2026-03-02T00:00:00Z mql, 2026-03-03T00:00:00Z inquiry, 2026-03-04T00:00:00Z ~ b, 2026-03-05T00:00:00Z mql}',
	'{2026-03-01T00:00:00Z ~ a, 2026-03-02T00:00:00Z customer}']::align.lead[]) AS lead, decisive_touch(lead, funnel) AS d;
-- NULLs, and journeys without a touch.
SELECT first_touch('{2026-03-01T00:00:00Z mql}') IS NULL AS a, last_touch('{2026-03-01T00:00:00Z mql}', 'infinity') IS NULL AS b, first_touch(NULL) IS NULL AS c, last_touch(NULL, now()) IS NULL AS d,
	last_touch(lead, NULL) IS NULL AS e, decisive_touch(lead, NULL) IS NULL AS f, (SELECT count(*) FROM touches(lead, NULL)) AS g FROM journey;
-- Against plain SQL, on random journeys.
CREATE TEMP TABLE random AS SELECT i AS id, lead_agg(timestamptz '2026-01-01' + abs(hashint8extended(i, k)) % 30 * interval '1 day', CASE WHEN s < 4 THEN (ARRAY['inquiry', 'mql', 'sal', 'customer'])[1 + s] END, NULL, NULL,
	CASE WHEN s >= 4 THEN (ARRAY['(direct)', 'utm_source=a&utm_medium=cpc', 'partner-b', 'https://c.example/?utm_source=c'])[s - 3] END, NULL) AS lead
FROM generate_series(1, 2000) AS i, generate_series(0, i % 9) AS k, LATERAL (SELECT (abs(hashint8extended(i, 50 + k)) % 8)::int AS s) h GROUP BY i;
SELECT count(*), count(d.touch) > 300 AS many, count(*) FILTER (WHERE d.touch IS DISTINCT FROM w.touch OR d.campaign IS DISTINCT FROM w.campaign) AS wrong, count(*) FILTER (WHERE f.touch IS DISTINCT FROM (SELECT min(touch) FROM touches(lead))) AS first_wrong,
	count(*) FILTER (WHERE l.touch IS DISTINCT FROM (SELECT max(touch) FROM touches(lead) WHERE at <= '2026-01-15')) AS last_wrong
FROM random, agreed, decisive_touch(lead, funnel) AS d, first_touch(lead) AS f, last_touch(lead, '2026-01-15') AS l, LATERAL (SELECT min(at) AS submitted FROM entries(lead) WHERE stage = 'mql') s
LEFT JOIN LATERAL (SELECT touch, campaign FROM touches(lead, funnel) WHERE at <= submitted ORDER BY channel = 'Direct', touch DESC LIMIT 1) w ON true;
-- Campaigns of stage entries: a touch where they change, as those of attached tables do.
SELECT lead, t.touch, t.at, t.campaign FROM agreed, unnest(ARRAY[
	'{2026-03-01T00:00:00Z inquiry ~ google, 2026-03-02T00:00:00Z mql ~ google, 2026-03-03T00:00:00Z sal ~ google}',
	'{2026-03-01T00:00:00Z ~ google, 2026-03-02T00:00:00Z inquiry ~ google, 2026-03-03T00:00:00Z ~ news, 2026-03-04T00:00:00Z mql ~ google}',
	'{2026-03-01T00:00:00Z inquiry, 2026-03-02T00:00:00Z mql ~ google, 2026-03-03T00:00:00Z sal, 2026-03-04T00:00:00Z mql ~ google, 2026-03-05T00:00:00Z inquiry ~ fair}',
	'{2026-03-01T00:00:00Z inquiry}']::align.lead[]) WITH ORDINALITY AS l(lead, n), touches(lead, funnel) AS t ORDER BY n, touch;
SELECT c.touch, c.campaign, c.share, f.touch AS first, l.touch AS last, d.campaign AS decisive
FROM agreed, (SELECT '{2026-03-01T00:00:00Z inquiry ~ google, 2026-03-02T00:00:00Z ~ news, 2026-03-03T00:00:00Z mql ~ google, 2026-03-04T00:00:00Z customer ~ google}'::align.lead AS lead) AS j,
	funnel_credit(lead, funnel, 'linear') AS c, first_touch(lead) AS f, last_touch(lead, 'infinity') AS l, decisive_touch(lead, funnel) AS d ORDER BY touch;
CREATE TABLE crm (id int PRIMARY KEY, stage text, source text, amount numeric);
SELECT agree('credit_touches', funnel) > 0 AS agreed FROM agreed;
SELECT attach('crm', 'credit_touches', campaign => 'source', amount => 'amount');
INSERT INTO crm VALUES (1, 'inquiry', 'google / cpc', NULL), (2, 'inquiry', 'partner-acme', NULL), (3, 'inquiry', NULL, NULL);
UPDATE crm SET stage = 'mql';
UPDATE crm SET stage = 'sal', amount = 100;
UPDATE crm SET stage = 'customer' WHERE id <> 2;
SELECT key, c.touch, c.campaign, c.channel, c.share, c.amount FROM agreed, journeys('crm'), funnel_credit(lead, funnel, 'position') AS c ORDER BY key;
DROP TABLE crm, crm_history, crm_sla;
