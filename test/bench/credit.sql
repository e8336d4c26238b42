-- Credit by model over journeys of ten touches, beside window functions over the same entries as rows.
\set leads 1000000 * :scale
SELECT greatest(round(:leads), 1000)::int AS leads \gset

-- Two hundred campaigns; the lead is created near the third touch, the opportunity near the seventh.
CREATE UNLOGGED TABLE bench.touch AS
SELECT lead, at, CASE WHEN h % 7 = 0 THEN 'utm_source=(direct)&utm_medium=(none)' ELSE format('utm_source=source%s&utm_medium=cpc&utm_campaign=campaign_%s', h % 13, h % 200) END AS campaign,
	h % 7 = 0 AS is_direct, began + interval '20 days' AS mql_at, began + interval '40 days' AS opportunity_at, began + interval '60 days' AS won_at, (lead % 90000 + 1)::numeric / 10 AS amount
FROM (SELECT lead, timestamptz '2024-01-01 00:00+00' + interval '1 second' * (abs(hashint8extended(lead, 0)) % 63072000) AS began FROM generate_series(1, :leads::bigint) AS lead) l,
	generate_series(0, 9) AS k,
	LATERAL (SELECT abs(hashint8extended(lead, k + 1)) AS h, began + k * interval '6 days' + interval '1 second' * (abs(hashint8extended(lead, k + 100)) % 500000) AS at) t
ORDER BY lead, at;
VACUUM ANALYZE bench.touch;
CREATE UNLOGGED TABLE bench.credit_event AS
SELECT * FROM (SELECT lead, at, NULL AS stage, campaign, NULL::numeric AS amount FROM bench.touch
	UNION ALL SELECT DISTINCT lead, mql_at, 'mql', NULL, NULL::numeric FROM bench.touch
	UNION ALL SELECT DISTINCT lead, opportunity_at, 'opportunity', NULL, NULL::numeric FROM bench.touch
	UNION ALL SELECT DISTINCT lead, won_at, 'customer', NULL, amount FROM bench.touch) e ORDER BY lead, at;
DROP TABLE bench.touch;
CREATE UNLOGGED TABLE bench.credited AS
SELECT lead, align.lead_agg(at, stage, NULL, NULL, campaign, amount) AS journey FROM bench.credit_event GROUP BY lead;
VACUUM ANALYZE bench.credit_event, bench.credited;

-- The touches with their places; a model by hand is a weight of each touch.
CREATE VIEW bench.placed AS
SELECT lead, campaign, worth AS amount, at, won_at, is_direct,
	row_number() OVER w AS rn, count(*) OVER (PARTITION BY lead) AS n,
	max(CASE WHEN NOT is_direct THEN at END) OVER (PARTITION BY lead) AS not_direct_at,
	count(*) FILTER (WHERE at <= mql_at) OVER (PARTITION BY lead) AS mql_rn, count(*) FILTER (WHERE at <= opportunity_at) OVER (PARTITION BY lead) AS opportunity_rn
FROM (SELECT lead, at, stage, campaign, campaign LIKE 'utm_source=(direct)%' AS is_direct,
		min(at) FILTER (WHERE stage = 'mql') OVER (PARTITION BY lead) AS mql_at, min(at) FILTER (WHERE stage = 'opportunity') OVER (PARTITION BY lead) AS opportunity_at,
		min(at) FILTER (WHERE stage = 'customer') OVER (PARTITION BY lead) AS won_at, max(amount) OVER (PARTITION BY lead) AS worth
	FROM bench.credit_event) e
WHERE stage IS NULL AND at <= won_at WINDOW w AS (PARTITION BY lead ORDER BY at);
CREATE TABLE bench.credit_model (no serial, model text, arguments text, weight text, columns text);
INSERT INTO bench.credit_model (model, arguments, weight) VALUES
	('first', '', '(rn = 1)::int'), ('last', '', '(rn = n)::int'),
	('last_non_direct', '', 'CASE WHEN not_direct_at IS NULL THEN rn = n ELSE at = not_direct_at END::int'),
	('linear', '', '1'), ('position', '', 'CASE WHEN n <= 2 THEN 1 WHEN rn IN (1, n) THEN 0.4 ELSE 0.2 / (n - 2) END'),
	('time_decay', ', NULL, ''7 days''', 'power(2::float8, -extract(epoch FROM won_at - at)::float8 / 604800)'),
	('u_shaped', ', NULL, NULL, ''{mql}''', '40 * ((rn = 1)::int + (rn = mql_rn)::int) + CASE WHEN rn NOT IN (1, mql_rn) THEN 20.0 / (n - 2 + (mql_rn <= 1)::int) ELSE 0 END'),
	('w_shaped', ', NULL, NULL, ''{mql, opportunity}''', '30 * ((rn = 1)::int + (rn = mql_rn)::int + (rn = opportunity_rn)::int) + CASE WHEN rn NOT IN (1, mql_rn, opportunity_rn) THEN 10.0 / (n - 3 + (mql_rn <= 1)::int + (opportunity_rn <= mql_rn)::int) ELSE 0 END'),
	('full_path', ', NULL, NULL, ''{mql, opportunity}''', '22.5 * ((rn = 1)::int + (rn = mql_rn)::int + (rn = opportunity_rn)::int + (rn = n)::int) + CASE WHEN rn NOT IN (1, mql_rn, opportunity_rn, n) THEN 10.0 / (n - 4 + (mql_rn <= 1)::int + (opportunity_rn <= mql_rn)::int + (opportunity_rn = n)::int) ELSE 0 END');

CREATE PROCEDURE bench.measure_credit(runs int) LANGUAGE plpgsql AS
$$
DECLARE
	m record;
	ours text;
	weighted text;
	by_hand text;
	to_the_cent text;
	differs boolean;
BEGIN
	FOR m IN SELECT * FROM bench.credit_model ORDER BY no LOOP
		ours := format('SELECT (c).* FROM (SELECT unnest(align.credit_agg(journey, %L%s)) AS c FROM bench.credited) s', m.model, m.arguments);
		weighted := format('SELECT lead, rn, campaign, amount, w, sum(w) OVER (PARTITION BY lead) AS all_w FROM (SELECT lead, rn, campaign, amount, (%s)::float8 AS w FROM bench.placed) p', m.weight);
		by_hand := format('SELECT campaign, sum(w / all_w) AS conversions, round(sum(amount * (w / all_w)::numeric), 2) AS amount
			FROM (%s) p WHERE w > 0 GROUP BY campaign', weighted);
		-- The same with amounts that add up, as those of credit do: the cents that are left over go to the largest remainders.
		to_the_cent := format('SELECT campaign, sum(w / all_w) AS conversions, sum(whole + (place <= left_over)::int) / 100 AS amount
			FROM (SELECT *, row_number() OVER (PARTITION BY lead ORDER BY cents - whole DESC, rn) AS place, 100 * amount - sum(whole) OVER (PARTITION BY lead) AS left_over
				FROM (SELECT *, floor(cents) AS whole FROM (SELECT *, amount * 100 * (w / all_w)::numeric AS cents FROM (%s) p WHERE w > 0) c) q) r GROUP BY campaign', weighted);
		-- The same numbers, or the comparison would be of different things.
		EXECUTE format('SELECT bool_or(a.conversions IS NULL OR b.conversions IS NULL OR abs(a.conversions - b.conversions) > 1e-3) FROM (%s) a FULL JOIN (%s) b USING (campaign) WHERE campaign <> ''(none)''', ours, by_hand) INTO differs;
		IF differs THEN
			RAISE EXCEPTION 'credit_agg and the hand-written % do not agree', m.model;
		END IF;
		CALL bench.measure('credit ' || m.model, runs, 'ours', format('SELECT count(*) FROM (%s) s', ours), 'rows', format('SELECT count(share) FROM bench.credited, align.credit(journey, %L%s)', m.model, m.arguments));
		CALL bench.measure('credit ' || m.model, greatest(1, runs / 3), 'by hand', format('SELECT count(*) FROM (%s) s', by_hand), 'to the cent', format('SELECT count(*) FROM (%s) s', to_the_cent));
	END LOOP;
END
$$;
CALL bench.measure_credit(:runs);
CALL bench.measure('credit rows alone', :runs, 'ours', 'SELECT count(*) FROM bench.credited', 'rows', 'SELECT count(t.at) FROM bench.credited, align.touches(journey) AS t');

SELECT count(*) AS leads, 2000.0 * count(*) / 1000000 AS aim_ms FROM bench.credited \gset
INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
SELECT 'credit_agg, ' || model || ', ' || :'leads' || ' journeys of 10 touches', bench.show('credit ' || model, 'ours'), 'window functions, to the cent: ' || bench.show('credit ' || model, 'to the cent'),
	round((bench.median('credit ' || model, 'to the cent') / bench.median('credit ' || model, 'ours'))::numeric, 1) || ' x', '<= ' || round(:aim_ms) || ' ms, >= 10 x',
	bench.median('credit ' || model, 'ours') <= :aim_ms AND bench.median('credit ' || model, 'to the cent') >= 10 * bench.median('credit ' || model, 'ours')
FROM bench.credit_model ORDER BY no;
INSERT INTO bench.line (what, ours, against, ratio, aim)
SELECT '  the same, amounts rounded at the end', bench.show('credit ' || model, 'ours'), 'window functions, ' || model || ': ' || bench.show('credit ' || model, 'by hand'),
	round((bench.median('credit ' || model, 'by hand') / bench.median('credit ' || model, 'ours'))::numeric, 1) || ' x', 'shown'
FROM bench.credit_model ORDER BY no;
INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
SELECT 'credit() as rows, ' || model, bench.show('credit ' || model, 'rows'), 'touches(): ' || bench.show('credit rows alone', 'rows'),
	round((bench.median('credit ' || model, 'rows') / bench.median('credit rows alone', 'rows'))::numeric, 2) || ' x the time', '<= ' || round(:aim_ms) || ' ms', bench.median('credit ' || model, 'rows') <= :aim_ms
FROM bench.credit_model ORDER BY no;
