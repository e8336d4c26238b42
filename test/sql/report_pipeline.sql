-- Pipeline, its trend and its movement, against a loop that looks at one lead at
-- a time, over a generated past of 160 deals.
SET timezone = 'UTC';
SELECT align.agree('pipeline', $$
	stage lead held by marketing;
	stage offer, contract held by sales;
	stage later held by sales;
	won won;
	lost lost;
	success path lead -> offer -> contract -> won;
	path offer, contract -> later -> offer;
	path won -> contract;
	path any -> lost;
$$);
CREATE TABLE deals (id int PRIMARY KEY, stage text, amount numeric);
CREATE TABLE log (id int, no int, at timestamptz, stage text, amount numeric, PRIMARY KEY (id, no));

-- A number from 0 to n - 1 that looks like chance and is always the same.
CREATE FUNCTION pick(what text, n int) RETURNS int LANGUAGE sql IMMUTABLE
	AS $$ SELECT (('x' || substr(md5(what), 1, 7))::bit(28)::int % n) $$;

DO $$
DECLARE
	i int; n int; s text; t timestamptz; a numeric;
BEGIN
	FOR i IN 1 .. 160 LOOP
		s := 'lead';
		t := timestamptz '2025-01-06 08:00Z' + pick('t' || i, 480) * interval '1 day' + pick('h' || i, 600) * interval '1 minute';
		-- some changes happen on the very first instant of a week
		IF i % 10 = 0 THEN t := date_trunc('week', t AT TIME ZONE 'Europe/Berlin') AT TIME ZONE 'Europe/Berlin'; END IF;
		a := CASE WHEN i % 7 = 0 THEN NULL ELSE 100 + pick('a' || i, 900) END;
		FOR n IN 1 .. 1 + pick('n' || i, 9) LOOP
			EXIT WHEN t > '2026-06-03 10:00Z';
			INSERT INTO log VALUES (i, n, t, s, a);
			t := t + CASE WHEN i % 10 = 0 THEN interval '7 days' ELSE (1 + pick(i || 'd' || n, 40 * 24)) * interval '1 hour' END;
			s := CASE s
				WHEN 'lead' THEN (ARRAY['offer', 'offer', 'lost'])[1 + pick(i || 's' || n, 3)]
				WHEN 'offer' THEN (ARRAY['contract', 'contract', 'later', 'lost'])[1 + pick(i || 's' || n, 4)]
				WHEN 'contract' THEN (ARRAY['won', 'won', 'later', 'lost'])[1 + pick(i || 's' || n, 4)]
				WHEN 'later' THEN (ARRAY['offer', 'lost'])[1 + pick(i || 's' || n, 2)]
				WHEN 'won' THEN 'contract' ELSE NULL END;
			EXIT WHEN s IS NULL OR s = 'contract' AND pick(i || 'w' || n, 3) = 0;
			IF pick(i || 'x' || n, 3) = 0 THEN a := coalesce(a, 0) + pick(i || 'y' || n, 200) - 100; END IF;
		END LOOP;
	END LOOP;
END $$;
INSERT INTO deals SELECT DISTINCT ON (id) id, stage, amount FROM log ORDER BY id, no DESC;
SELECT count(*) AS deals, count(*) FILTER (WHERE stage = 'won') AS won, count(*) FILTER (WHERE amount IS NULL) AS without_amount FROM deals;
SELECT align.attach('deals', 'pipeline', amount => 'amount', mode => 'observe');
SELECT align.import_history('deals', 'SELECT id, at, no AS ordinal, stage, amount FROM log WHERE at < now() - interval ''1 day''');
CREATE SCHEMA reports;
SELECT align.create_reports('deals', 'reports', time_zone => 'Europe/Berlin', settle => '60 days', complete_since => '2025-03-03 00:00+01') > 0 AS created;

-- The state of one deal at an instant.
CREATE FUNCTION state(deal int, at timestamptz, OUT stage text, OUT amount numeric) LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT (SELECT l.stage FROM log l WHERE l.id = deal AND l.at <= state.at ORDER BY l.no DESC LIMIT 1),
		(SELECT l.amount FROM log l WHERE l.id = deal AND l.at <= state.at AND l.amount IS NOT NULL ORDER BY l.no DESC LIMIT 1);
END;

-- The snapshot at an instant, deal by deal.
CREATE FUNCTION snapshot(a timestamptz)
	RETURNS TABLE (stage text, leads bigint, leads_aged bigint, amount_missing bigint, amount numeric, amount_aged numeric, base_n bigint, base_won bigint)
	LANGUAGE plpgsql STABLE AS $$
DECLARE
	d record; x record; f timestamptz; w timestamptz;
BEGIN
	FOREACH stage IN ARRAY ARRAY['lead', 'offer', 'contract'] LOOP
		leads := 0; leads_aged := 0; amount_missing := 0; amount := 0; amount_aged := 0; base_n := 0; base_won := 0;
		FOR d IN SELECT id FROM deals LOOP
			SELECT * INTO x FROM state(d.id, a);
			SELECT min(l.at) INTO f FROM log l WHERE l.id = d.id AND l.stage = snapshot.stage AND l.at <= a;
			SELECT min(l.at) INTO w FROM log l WHERE l.id = d.id AND l.stage = 'won' AND l.at <= a;
			IF x.stage = stage THEN
				leads := leads + 1;
				amount := amount + coalesce(x.amount, 0);
				IF x.amount IS NULL THEN amount_missing := amount_missing + 1; END IF;
				IF f < a - interval '60 days' THEN
					leads_aged := leads_aged + 1;
					amount_aged := amount_aged + coalesce(x.amount, 0);
				END IF;
			END IF;
			IF f >= a - interval '425 days' AND f < a - interval '60 days' THEN
				base_n := base_n + 1;
				IF w >= f AND w <= f + interval '60 days' THEN base_won := base_won + 1; END IF;
			END IF;
		END LOOP;
		RETURN NEXT;
	END LOOP;
END $$;

-- Equal at several instants; and there is something to compare.
SELECT a, count(*) AS stages, sum(p.leads) AS leads, sum(p.leads_aged) AS aged, sum(p.amount) AS amount, sum(p.base_n) AS base_n, sum(p.base_won) AS base_won,
	count(*) FILTER (WHERE (p.leads, p.leads_aged, p.amount_missing, p.amount, p.amount_aged, p.base_n, p.base_won)
		IS DISTINCT FROM (s.leads, s.leads_aged, s.amount_missing, s.amount, s.amount_aged, s.base_n, s.base_won)) AS differ
FROM unnest('{2025-02-01 12:00Z,2025-09-14 22:00Z,2026-01-01 00:00Z,2026-06-01 10:00Z}'::timestamptz[]) a, reports.pipeline(a) p JOIN LATERAL snapshot(a) s USING (stage)
GROUP BY a ORDER BY a;
SELECT stage, won_share = base_won::float8 / base_n AS share, won_share_lower < won_share AND won_share < won_share_upper AS between_bounds,
	expected_amount = round((amount - amount_aged) * won_share::numeric, 2) AS expected, expected_low <= expected_amount AND expected_amount <= expected_high AS in_order
FROM reports.pipeline('2026-06-01 10:00Z') ORDER BY stage_order;
-- under 20 leads no share, and nothing is divided by zero
SELECT stage, base_n, won_share, expected_amount FROM reports.pipeline('2025-01-07') ORDER BY stage_order;

-- The trend is the snapshot as of the end of each week.
SELECT count(*) AS rows, count(DISTINCT week) AS weeks, min(week), max(week), min(week) FILTER (WHERE is_complete) AS first_complete,
	count(*) FILTER (WHERE (w.leads, w.leads_aged, w.amount, w.amount_aged, w.base_n, w.base_won, w.won_share, w.expected_amount)
		IS DISTINCT FROM (p.leads, p.leads_aged, p.amount, p.amount_aged, p.base_n, p.base_won, p.won_share, p.expected_amount)) AS differ
FROM reports.pipeline_by_week('2025-06-04 10:00Z') w
	JOIN (SELECT p.* FROM (SELECT DISTINCT as_of FROM reports.pipeline_by_week('2025-06-04 10:00Z')) a, reports.pipeline(a.as_of) p) p
		USING (as_of, stage);

-- Movement, deal by deal.
CREATE FUNCTION movement(a timestamptz, z timestamptz) RETURNS TABLE (step text, leads bigint, amount numeric)
	LANGUAGE plpgsql STABLE AS $$
DECLARE
	d record; s record; e record; i boolean; o boolean; t boolean; l jsonb := '{}'; m jsonb := '{}'; k text; v numeric;
BEGIN
	FOR d IN SELECT id FROM deals LOOP
		SELECT * INTO s FROM state(d.id, a);
		SELECT * INTO e FROM state(d.id, z);
		i := coalesce(s.stage IN ('lead', 'offer', 'contract'), false);
		o := coalesce(e.stage IN ('lead', 'offer', 'contract'), false);
		SELECT count(*) > 0 INTO t FROM log x WHERE x.id = d.id AND x.at > a AND x.at <= z AND x.stage IN ('lead', 'offer', 'contract');
		FOREACH k IN ARRAY ARRAY['opening', 'created', 'grown', 'shrunk', 'won', 'lost', 'gone', 'closing'] LOOP
			v := CASE k
				WHEN 'opening' THEN CASE WHEN i THEN coalesce(s.amount, 0) END
				WHEN 'created' THEN CASE WHEN NOT i AND (o OR t) THEN coalesce(e.amount, 0) END
				WHEN 'grown' THEN CASE WHEN i AND o AND coalesce(e.amount, 0) > coalesce(s.amount, 0) THEN coalesce(e.amount, 0) - coalesce(s.amount, 0) END
				WHEN 'shrunk' THEN CASE WHEN i AND o AND coalesce(e.amount, 0) < coalesce(s.amount, 0) THEN coalesce(s.amount, 0) - coalesce(e.amount, 0) END
				WHEN 'closing' THEN CASE WHEN o THEN coalesce(e.amount, 0) END
				ELSE CASE WHEN (i OR t) AND NOT o AND k = CASE e.stage WHEN 'won' THEN 'won' WHEN 'lost' THEN 'lost' ELSE 'gone' END
					THEN CASE WHEN i THEN coalesce(s.amount, 0) ELSE coalesce(e.amount, 0) END END
				END;
			IF v IS NOT NULL THEN
				l := jsonb_set(l, ARRAY[k], to_jsonb(coalesce((l ->> k)::bigint, 0) + 1));
				m := jsonb_set(m, ARRAY[k], to_jsonb(coalesce((m ->> k)::numeric, 0) + v));
			END IF;
		END LOOP;
	END LOOP;
	RETURN QUERY SELECT x, coalesce((l ->> x)::bigint, 0), coalesce((m ->> x)::numeric, 0)
		FROM unnest(ARRAY['opening', 'created', 'grown', 'shrunk', 'won', 'lost', 'gone', 'closing']) x;
END $$;
SELECT m.step, count(*) AS weeks, sum(m.leads) AS leads, sum(m.amount) AS amount,
	count(*) FILTER (WHERE (m.leads, m.amount) IS DISTINCT FROM (o.leads, o.amount)) AS differ
FROM reports.pipeline_movement('2025-11-05 10:00Z') m JOIN LATERAL movement(m.week_start_at, m.as_of) o USING (step)
GROUP BY m.step, m.step_order ORDER BY m.step_order;
-- The steps add up, in every week, and one week's closing is the next one's opening.
SELECT count(*) AS weeks,
	count(*) FILTER (WHERE a[1] + a[2] + a[3] - a[4] - a[5] - a[6] - a[7] <> a[8]) AS amounts_off,
	count(*) FILTER (WHERE l[1] + l[2] - l[5] - l[6] - l[7] <> l[8]) AS leads_off,
	count(*) FILTER (WHERE a[8] <> next_opening) AS gaps
FROM (SELECT week, array_agg(amount ORDER BY step_order) AS a, array_agg(leads ORDER BY step_order) AS l,
		lead(min(amount) FILTER (WHERE step = 'opening')) OVER (ORDER BY week) AS next_opening
	FROM reports.pipeline_movement('2025-11-05 10:00Z') GROUP BY week) x;
-- Before the first lead there is nothing, and an empty table is no error.
SELECT sum(leads), sum(amount) FROM reports.pipeline_movement('2024-01-01');
SELECT stage, leads, amount FROM reports.pipeline('2024-01-01') ORDER BY stage_order;
SET client_min_messages = warning;
DROP SCHEMA reports CASCADE;
DROP TABLE deals CASCADE;
DROP TABLE log CASCADE;
