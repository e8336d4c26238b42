-- credit_agg(): overloads, merging, parallel workers, errors.
SET search_path = public, align;
SET TimeZone = 'UTC';
\pset null '-'
CREATE TABLE credit_lead AS
SELECT i AS id, i % 7 AS region, lead_agg(at, stage, NULL, NULL, campaign, amount) AS lead
FROM generate_series(1, 20000) AS i, LATERAL (
	SELECT timestamptz '2026-01-01' + hashint8extended(i, k) % 100 * interval '1 hour' AS at, NULL::text AS stage, format('utm_source=s%s&utm_medium=%s', abs(hashint8extended(i, 10 + k)) % 13, (ARRAY['cpc', 'email', 'organic'])[1 + abs(hashint8extended(i, 10 + k)) % 13 % 3]) AS campaign, NULL::numeric AS amount
	FROM generate_series(0, i % 6) AS k WHERE i % 6 > 0 OR i % 5 > 0
	UNION ALL SELECT timestamptz '2026-01-08', (ARRAY['customer', 'mql', 'customer'])[1 + i % 3], NULL, CASE WHEN i % 11 > 0 THEN (i * 7919 % 100000)::numeric / 100 END) e
GROUP BY i;
ANALYZE credit_lead;
CREATE TABLE credit_agreed AS SELECT 'stage mql; won customer; success path mql -> customer;'::align.funnel AS funnel;

SELECT t.* FROM credit_agreed, LATERAL (SELECT funnel_credit_agg(lead, funnel, 'position') AS c FROM credit_lead) s, unnest(c) AS t;
-- leads that have not won add nothing, and without an agreement every lead counts
SELECT round(sum(conversions)) AS conversions, sum(amount), (SELECT count(*) FROM credit_lead WHERE id % 3 <> 1) AS won, (SELECT sum(a.amount) FROM credit_lead, LATERAL (SELECT e.amount FROM entries(lead) AS e WHERE stage = 'customer') a) AS worth
FROM unnest((SELECT funnel_credit_agg(lead, funnel, 'linear') FROM credit_lead, credit_agreed));
SELECT sum(conversions) FROM unnest((SELECT credit_agg(lead, 'linear') FROM credit_lead));

-- Stored results merge by plain sums.
CREATE TABLE credit_part AS SELECT region, (unnest(funnel_credit_agg(lead, funnel, 'time_decay', '4 days', '1 day'))).* FROM credit_lead, credit_agreed GROUP BY region;
SELECT count(*) AS campaigns, count(*) FILTER (WHERE (p.touches, p.amount) IS DISTINCT FROM (w.touches, w.amount) OR abs(p.conversions - w.conversions) > 1e-9) AS wrong
FROM (SELECT campaign, channel, sum(touches) AS touches, sum(conversions) AS conversions, sum(amount) AS amount FROM credit_part GROUP BY 1, 2) p
FULL JOIN (SELECT * FROM unnest((SELECT funnel_credit_agg(lead, funnel, 'time_decay', '4 days', '1 day') FROM credit_lead, credit_agreed))) w USING (campaign, channel);

-- In parallel, to the last bit.
CREATE TABLE credit_serial AS SELECT credit_agg(lead, 'time_decay', '4 days', '1 day') AS a, funnel_credit_agg(lead, funnel, 'u_shaped', NULL, NULL, '{mql}') AS b FROM credit_lead, credit_agreed;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS off) SELECT credit_agg(lead, 'time_decay', '4 days', '1 day') FROM credit_lead;
SELECT credit_agg(lead, 'time_decay', '4 days', '1 day') = (SELECT a FROM credit_serial) AS same FROM credit_lead;
SELECT funnel_credit_agg(lead, 'stage mql; won customer; success path mql -> customer;'::align.funnel, 'u_shaped', NULL, NULL, '{mql}') = (SELECT b FROM credit_serial) AS same FROM credit_lead;
SELECT region, credit_agg(lead, 'last') = (SELECT credit_agg(lead, 'last' ORDER BY id DESC) FROM credit_lead i WHERE i.region = o.region) AS same FROM credit_lead o GROUP BY region ORDER BY region;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET max_parallel_workers_per_gather;

-- As a window function, and in many groups.
SELECT id, (SELECT round(sum(conversions)) FROM unnest(c)) AS conversions FROM (SELECT id, credit_agg(lead, 'linear') OVER (ORDER BY id) AS c FROM credit_lead WHERE id <= 5) w ORDER BY id;
SELECT count(*), sum(cardinality(c)) FROM (SELECT credit_agg(lead, 'last') AS c FROM credit_lead GROUP BY id) g;

-- A campaign that is called like no campaign; empty campaigns; amounts of every size.
SELECT t.* FROM unnest((SELECT credit_agg(lead, 'linear') FROM unnest(ARRAY['{2026-01-01T00:00:00Z ~ "(none)", 2026-01-02T00:00:00Z a worth 1}', '{2026-01-02T00:00:00Z a worth 2}', '{2026-01-01T00:00:00Z ~ "", 2026-01-02T00:00:00Z a}',
	'{2026-01-01T00:00:00Z ~ b, 2026-01-01T00:00:00Z ~ c, 2026-01-02T00:00:00Z a worth -0.0000000001}', '{2026-01-01T00:00:00Z ~ b, 2026-01-02T00:00:00Z a worth 99999999999999999999999999999999999999999}',
	'{2026-01-01T00:00:00Z ~ c, 2026-01-02T00:00:00Z a worth 1000000000000000.25}']::align.lead[]) AS lead)) AS t;
SELECT t.* FROM unnest((SELECT credit_agg(lead, 'last') FROM (SELECT '{2026-01-01T00:00:00Z ~ c, 2026-01-02T00:00:00Z a worth 999999999999999.99}'::align.lead AS lead FROM generate_series(1, 100000)) s)) AS t;

-- Spellings of one campaign are one; an address is shown as its campaign.
SELECT t.* FROM unnest((SELECT credit_agg(lead, 'last') FROM (SELECT format('{2026-01-01T00:00:00Z ~ %s, 2026-01-02T00:00:00Z a worth 1}', to_json(campaign))::align.lead AS lead FROM unnest(ARRAY['google', 'Google ', 'GOOGLE',
	'https://a.example/?utm_source=google&utm_medium=cpc&gclid=A&email=a%40x.example', 'https://a.example/?utm_source=google&utm_medium=cpc&gclid=B', 'google / cpc', 'utm_source=max%40example.com']) AS campaign) l)) AS t;
SELECT count(*), sum(cardinality(c)) FROM (SELECT id % 100, credit_agg(format('{2026-01-01T00:00:00Z ~ "https://a.example/?utm_source=s%s&gclid=%s%s", 2026-01-02T00:00:00Z a}', id % 5, repeat('x', 100), id)::align.lead, 'last') AS c FROM credit_lead GROUP BY 1) g;
-- The same in parallel and merged, with amounts that are no integers of 10^-6, and more campaigns than are remembered.
CREATE TABLE credit_odd AS
SELECT i AS id, format('{2026-01-01T00:00:00Z ~ %s%s, 2026-01-01T00:00:00Z ~ %s, 2026-01-02T00:00:00Z a worth %s%s.%s}', repeat('c', 150), i % 30000, (ARRAY['b', '"B"', '" b"'])[1 + i % 3], CASE WHEN i % 2 = 0 THEN '-' ELSE '' END, repeat('9', i % 40 + 1), lpad(i::text, 9, '0'))::align.lead AS lead FROM generate_series(1, 60000) AS i;
ANALYZE credit_odd;
CREATE TABLE credit_odd_serial AS SELECT credit_agg(lead, 'linear') AS a FROM credit_odd;
SELECT cardinality(a), (SELECT sum(amount) FROM unnest(a)) = (SELECT sum(amount) FROM credit_odd, entries(lead)) AS all_amounts, (SELECT string_agg(campaign, ' ') FROM unnest(a) WHERE length(campaign) < 5) AS b FROM credit_odd_serial;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
SELECT credit_agg(lead, 'linear') = (SELECT a FROM credit_odd_serial) AS same FROM credit_odd;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET max_parallel_workers_per_gather;
SELECT credit_agg(lead, 'linear' ORDER BY id DESC) = (SELECT a FROM credit_odd_serial) AS same FROM credit_odd;
DROP TABLE credit_odd, credit_odd_serial;
-- Arguments with one meaning are the same, however written.
SELECT conversions FROM unnest((SELECT credit_agg('{2026-01-01T00:00:00Z ~ a, 2026-01-02T00:00:00Z won}', 'last', i, h, m) FROM (VALUES (interval '1 day', interval '7 days', '{won}'::text[]), ('24:00', NULL, '[5:5]={won}')) AS v (i, h, m)));
-- Amounts of very many digits that no touch or many touches earned.
SELECT campaign, length(amount::text), amount::text ~ '^-9+[.]' AS nines FROM unnest((SELECT credit_agg(lead, 'linear') FROM (VALUES (format('{2026-01-02T00:00:00Z a worth -%s.5}', repeat('9', 100))::align.lead)) v (lead)));
SELECT count(*), sum(amount) = ('-' || repeat('7', 5000))::numeric AS whole, max(amount) - min(amount) FROM credit((SELECT lead_agg(timestamptz '2026-01-01' + g * interval '1 minute', CASE WHEN g = 3001 THEN 'won' END, NULL, NULL, CASE WHEN g < 3001 THEN 'c' || g % 3 END, CASE WHEN g = 3001 THEN -repeat('7', 5000)::numeric END) FROM generate_series(1, 3001) g), 'linear');

-- NULLs and errors.
SELECT credit_agg(NULL::align.lead, 'last'), credit_agg(lead, 'last') FILTER (WHERE false) FROM credit_lead;
SELECT credit_agg(NULL::align.lead, 'lost');
SELECT cardinality(credit_agg(lead, 'last')) FROM (VALUES ('{2026-01-01T00:00:00Z ~ a}'::align.lead)) AS v (lead);
SELECT credit_agg(lead, 'lost') FROM credit_lead;
SELECT credit_agg(lead, CASE WHEN id < 3 THEN 'last' ELSE 'first' END) FROM credit_lead;
SELECT credit_agg(lead, 'last', id * interval '1 day') FROM credit_lead;
SELECT credit_agg(lead, NULL) FROM credit_lead;
SELECT funnel_credit_agg(lead, NULL, 'last') FROM credit_lead;
SELECT funnel_credit_agg(lead, funnel, 'u_shaped', NULL, NULL, '{mqll}') FROM credit_lead, credit_agreed;
DROP TABLE credit_lead, credit_agreed, credit_part, credit_serial;
