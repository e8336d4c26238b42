-- A thousand random journeys: every model against plain SQL.
SET search_path = public, align;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
SET IntervalStyle = 'postgres';

-- Entries by day, so that many are simultaneous.  The generator: x -> (69069 x + 1) mod 2^32.
CREATE TEMP TABLE event AS
WITH RECURSIVE random (i, x) AS (
	SELECT 1, 20261129::bigint UNION ALL SELECT i + 1, (x * 69069 + 1) % 4294967296 FROM random WHERE i < 15000)
SELECT (x / 65536 % 1000)::int AS id,
	timestamptz '2026-01-01' + x / 4096 % 120 * interval '1 day' + CASE WHEN i % 3 = 0 THEN x / 256 % 86400 * interval '1 second' ELSE '0' END AS at,
	CASE WHEN x / 32768 % 12 < 5 THEN (ARRAY['inquiry', 'mql', 'opportunity', 'gone', 'won'])[1 + x / 32768 % 12] END AS stage,
	CASE WHEN x / 32768 % 12 >= 5 THEN CASE WHEN x / 1024 % 4 = 0 THEN 'utm_source=(direct)&utm_medium=(none)' ELSE format('utm_source=s%s&utm_medium=cpc', x / 2048 % 20) END END AS campaign,
	CASE WHEN i % 4 = 0 THEN (x / 16 % 2000003 - 1000)::numeric / (ARRAY[1, 10, 100, 10000])[1 + x / 512 % 4] END AS amount
FROM random;
CREATE TEMP TABLE journey AS
SELECT id, lead_agg(at, stage, NULL, NULL, campaign, amount) AS lead FROM event GROUP BY id;
CREATE TEMP TABLE entry AS SELECT id, e.* FROM journey, entries(lead) AS e;
CREATE TEMP TABLE agreed AS SELECT 'stage inquiry, mql, opportunity; won won; lost gone; success path inquiry -> mql -> opportunity -> won; path any -> gone;'::align.funnel AS funnel;

-- The oracle: conversions, the touches that count, and the touch of each milestone.
CREATE FUNCTION pg_temp.oracle(lookback interval) RETURNS TABLE (id int, model text, touch int, at timestamptz, campaign text, w numeric, w_all numeric, worth numeric)
LANGUAGE sql AS $$
	WITH converted AS MATERIALIZED (
		SELECT id, min(at) FILTER (WHERE stage = 'won') AS won_at, min(at) FILTER (WHERE stage = 'mql') AS mql_at, min(at) FILTER (WHERE stage = 'opportunity') AS opportunity_at
		FROM entry GROUP BY id HAVING bool_or(stage = 'won')
	), worth AS MATERIALIZED (
		-- the amount of the conversion, of a stage entry before it or at the same instant, of a touch
		SELECT id, coalesce((SELECT amount FROM entry e WHERE id = c.id AND stage IS NOT NULL AND entry <= won ORDER BY entry = won AND amount IS NOT NULL DESC, amount IS NULL, entry DESC LIMIT 1),
			(SELECT amount FROM entry e WHERE id = c.id AND stage IS NOT NULL AND entry > won AND at = won_at AND amount IS NOT NULL ORDER BY entry LIMIT 1),
			(SELECT amount FROM entry e WHERE id = c.id AND stage IS NULL AND at <= won_at AND amount IS NOT NULL ORDER BY entry DESC LIMIT 1)) AS worth
		FROM (SELECT *, (SELECT min(entry) FROM entry e WHERE e.id = converted.id AND stage = 'won') AS won FROM converted) c
	), touch AS MATERIALIZED (
		SELECT *, row_number() OVER (PARTITION BY id ORDER BY touch) AS rn, count(*) OVER (PARTITION BY id) AS n,
			last_value(at) OVER (PARTITION BY id ORDER BY touch ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS last_at
		FROM (SELECT id, row_number() OVER (PARTITION BY id ORDER BY entry) AS touch, at, campaign FROM entry WHERE stage IS NULL) t JOIN converted USING (id)
		WHERE at <= won_at AND (lookback IS NULL OR at >= won_at - lookback)
	), point AS MATERIALIZED (
		SELECT *, max(rn) FILTER (WHERE at <= mql_at AND mql_at <= won_at) OVER w AS mql_rn,
			max(rn) FILTER (WHERE at <= opportunity_at AND opportunity_at <= won_at) OVER w AS opportunity_rn,
			coalesce(max(rn) FILTER (WHERE campaign <> 'utm_source=(direct)&utm_medium=(none)') OVER w, n) AS not_direct_rn,
			count(*) OVER (PARTITION BY id, campaign = 'utm_source=(direct)&utm_medium=(none)') AS of_channel
		FROM touch WINDOW w AS (PARTITION BY id)
	), weight AS (
		SELECT p.*, v.model,
			CASE v.model
				WHEN 'first' THEN (rn = 1)::int
				WHEN 'last' THEN (rn = n)::int
				WHEN 'last_non_direct' THEN (rn = not_direct_rn)::int
				WHEN 'linear' THEN 1
				WHEN 'shapley' THEN 12252240::numeric / of_channel -- the least common multiple of 1 to 18
				WHEN 'position' THEN CASE WHEN n <= 2 THEN 1 WHEN rn IN (1, n) THEN 2 * (n - 2) ELSE 1 END
				WHEN 'time_decay' THEN power(0.5::numeric, extract(epoch FROM last_at - at) / 604800)
				ELSE key * coalesce(nullif(sum((key = 0)::int) OVER (PARTITION BY id, v.model), 0), 1) + CASE WHEN key = 0 THEN other ELSE 0 END
			END::numeric AS w
		FROM point p, unnest('{first, last, last_non_direct, linear, position, time_decay, u_shaped, w_shaped, full_path, shapley}'::text[]) AS v (model),
			LATERAL (SELECT CASE v.model
				WHEN 'u_shaped' THEN 40 * ((rn = 1)::int + coalesce((rn = mql_rn)::int, 0))
				WHEN 'w_shaped' THEN 30 * ((rn = 1)::int + coalesce((rn = mql_rn)::int, 0) + coalesce((rn = opportunity_rn)::int, 0))
				WHEN 'full_path' THEN 45 * ((rn = 1)::int + coalesce((rn = mql_rn)::int, 0) + coalesce((rn = opportunity_rn)::int, 0) + (rn = n)::int) END AS key,
				CASE v.model WHEN 'w_shaped' THEN 10 ELSE 20 END AS other) k
	)
	SELECT id, model, touch::int, at, campaign, w, sum(w) OVER (PARTITION BY id, model), worth FROM weight JOIN worth USING (id) WHERE w > 0
	UNION ALL
	SELECT id, model, NULL, NULL, '(none)', 1, 1, worth FROM converted JOIN worth USING (id), unnest('{first, last, last_non_direct, linear, position, time_decay, u_shaped, w_shaped, full_path, shapley}'::text[]) AS v (model)
	WHERE NOT EXISTS (SELECT FROM touch WHERE touch.id = converted.id)
$$;
CREATE TEMP TABLE expected AS
SELECT coalesce(lookback::text, 'all') AS lookback, o.*,
	-- the largest remainder, at the scale of the amount
	sign(worth) * unit * (floor(quota) + (row_number() OVER (PARTITION BY lookback::text, o.id, o.model ORDER BY quota - floor(quota) DESC, touch) <= units - sum(floor(quota)) OVER (PARTITION BY lookback::text, o.id, o.model))::int) AS amount
FROM unnest('{NULL, 30 days, 1 month, 0}'::interval[]) AS lookback, pg_temp.oracle(lookback) AS o,
	LATERAL (SELECT power(10::numeric, -greatest(2, scale(trim_scale(worth)))) AS unit) u, LATERAL (SELECT abs(worth) / unit AS units) a, LATERAL (SELECT div(units * w, w_all) + (units * w - div(units * w, w_all) * w_all) / w_all AS quota) q;

-- The same from credit.
CREATE TEMP TABLE got AS
SELECT coalesce(lookback::text, 'all') AS lookback, id, model, c.* FROM journey, agreed, unnest('{NULL, 30 days, 1 month, 0}'::interval[]) AS lookback,
	(VALUES ('first', NULL::text[]), ('last', NULL), ('last_non_direct', NULL), ('linear', NULL), ('position', NULL), ('time_decay', NULL), ('u_shaped', '{mql}'), ('w_shaped', '{mql, opportunity}'), ('full_path', '{mql, opportunity}'), ('shapley', NULL)) AS v (model, milestones),
	funnel_credit(lead, funnel, model, lookback, milestones => milestones) AS c;
SELECT model, count(*) > 800 AS many, count(*) FILTER (WHERE g.touch IS NULL) > 30 AS none,
	count(*) FILTER (WHERE g.campaign IS DISTINCT FROM e.campaign OR g.at IS DISTINCT FROM e.at) AS rows_wrong,
	count(*) FILTER (WHERE abs(g.share - w / w_all) < 1e-14) = count(*) AS shares,
	count(*) FILTER (WHERE g.amount IS DISTINCT FROM e.amount) AS amounts_wrong
FROM (SELECT *, coalesce(touch, 0) AS t FROM got) g FULL JOIN (SELECT *, coalesce(touch, 0) AS t FROM expected) e USING (lookback, id, model, t)
GROUP BY model ORDER BY model;
SELECT (SELECT count(*) FROM got) = (SELECT count(*) FROM expected) AS as_many_rows, (SELECT count(*) FROM got) > 25000 AS many;
-- They add up, lead by lead.
SELECT count(*) > 5000 AS many, count(*) FILTER (WHERE abs(shares - 1) > 1e-15 * n) AS shares_wrong, count(*) FILTER (WHERE amounts IS DISTINCT FROM worth) AS amounts_wrong
FROM (SELECT lookback, id, model, sum(share ORDER BY touch) AS shares, sum(amount) AS amounts, count(*) AS n FROM got GROUP BY 1, 2, 3) g
JOIN (SELECT DISTINCT lookback, id, model, worth FROM expected) e USING (lookback, id, model);

-- Without an agreement: the conversion is the entry into the current stage, or the first into the stage given.
SELECT count(*) > 500 AS many, count(*) FILTER (WHERE c.touch IS DISTINCT FROM w.touch) AS wrong
FROM journey, credit(lead, 'last') AS c LEFT JOIN LATERAL (SELECT max(touch) AS touch FROM touches(lead) WHERE at <= since(lead)) w ON true;
SELECT count(*) > 2500 AS many, count(*) FILTER (WHERE (a.touch, a.share, a.amount) IS DISTINCT FROM (b.touch, b.share, b.amount)) AS wrong
FROM (SELECT id, model, c.* FROM journey, (VALUES ('linear', '{won}'::text[]), ('time_decay', '{won}'), ('u_shaped', '{mql, won}'), ('w_shaped', '{mql, opportunity, won}'), ('full_path', '{mql, opportunity, won}')) AS v (model, milestones), credit(lead, model, '1 month', milestones => milestones) AS c) a
FULL JOIN (SELECT * FROM got WHERE lookback = '1 mon' AND model IN ('linear', 'time_decay', 'u_shaped', 'w_shaped', 'full_path')) b
	ON (a.id, a.model, coalesce(a.touch, 0)) = (b.id, b.model, coalesce(b.touch, 0));

-- By campaign over all leads: the sums of credit, to the last cent and in any order.
CREATE TEMP TABLE total AS
SELECT 'linear' AS model, (unnest(funnel_credit_agg(lead, funnel, 'linear'))).* FROM journey, agreed
UNION ALL SELECT 'position', (unnest(funnel_credit_agg(lead, funnel, 'position', NULL))).* FROM journey, agreed
UNION ALL SELECT 'last_non_direct', (unnest(funnel_credit_agg(lead, funnel, 'last_non_direct', NULL, NULL))).* FROM journey, agreed
UNION ALL SELECT 'time_decay', (unnest(funnel_credit_agg(lead, funnel, 'time_decay', NULL, '7 days'))).* FROM journey, agreed
UNION ALL SELECT 'full_path', (unnest(funnel_credit_agg(lead, funnel, 'full_path', NULL, NULL, '{mql, opportunity}'))).* FROM journey, agreed
UNION ALL SELECT 'shapley', (unnest(funnel_credit_agg(lead, funnel, 'shapley'))).* FROM journey, agreed;
SELECT model, count(*) AS campaigns, count(*) FILTER (WHERE (t.channel, t.touches, t.amount) IS DISTINCT FROM (g.channel, g.touches, g.amount)) AS wrong,
	count(*) FILTER (WHERE abs(t.conversions - g.conversions) > 1e-9) AS shares_wrong, round(sum(t.conversions)) = (SELECT count(DISTINCT id) FROM got) AS all_conversions
FROM total t FULL JOIN (SELECT model, campaign, channel, count(touch) AS touches, sum(share) AS conversions, sum(amount) AS amount FROM got
	WHERE lookback = 'all' AND model IN ('linear', 'position', 'last_non_direct', 'time_decay', 'full_path', 'shapley') GROUP BY 1, 2, 3) g USING (model, campaign)
GROUP BY model ORDER BY model;
SELECT model, count(DISTINCT all_of_it) AS results FROM unnest('{first, time_decay, w_shaped}'::text[]) AS model, generate_series(1, 5) AS seed,
	LATERAL (SELECT credit_agg(lead, model, '60 days', '3 days', CASE model WHEN 'w_shaped' THEN '{NULL, opportunity}'::text[] END ORDER BY hashint4extended(id, seed)) AS all_of_it FROM journey) s
GROUP BY model ORDER BY model;
