-- Reports on campaigns: feedback, campaign_results, channel_results and
-- won_by_segment, each figure against plain SQL over the history.
\set SHOW_CONTEXT never

-- A deterministic company: several touches of a lead, ids and names of
-- campaigns, leads rejected twice, wins without touches, late leads, and leads
-- that were deleted or came back.
CREATE SCHEMA fair;
SELECT align.agree('fair', $$
    hours 'Europe/Berlin Mo-Fr 09:00-17:00';
    stage inquiry, mql held by marketing;
    stage sal, opportunity held by sales;
    stage nurture held by marketing;
    won customer;
    lost disqualified;
    success path inquiry -> mql -> sal -> opportunity -> customer;
    path mql, sal, opportunity -> nurture -> mql;
    path inquiry -> customer;
    path customer -> opportunity;
    path any -> disqualified;
    handoff speed_to_lead: mql from marketing to sales, accept sal,
        reject nurture, disqualified with reason (no_budget, no_interest, poor_fit), within 4 working hours;
    handoff deal: opportunity from sales to marketing, accept customer, reject disqualified, within 5 days;
    segment demo: 'kind = ''demo''';
    segment big: 'amount >= 500';
    channel partner when source 'partner-*';
$$) > 0 AS agreed;
CREATE TABLE fair.lead (id int PRIMARY KEY, stage text, campaign text, kind text, amount numeric, reason text, changed_at timestamptz);

-- Numbers from 0 to 1 that look random, and are the same everywhere.
CREATE FUNCTION fair.random(variadic int[]) RETURNS float8 LANGUAGE sql IMMUTABLE
AS $$ SELECT ('x' || substr(md5($1::text), 1, 7))::bit(28)::int / 268435456.0::float8 $$;
CREATE FUNCTION fair.campaign(n float8) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT (ARRAY['https://shop.example/?utm_source=Google&utm_medium=cpc&utm_campaign=Spring&utm_id=21',
        '?utm_source=google&utm_medium=CPC&utm_campaign=Spring&utm_term=shoes',
        'utm_source=google&utm_medium=cpc&utm_campaign=Spring+2&utm_id=21',
        'https://shop.example/?gclid=x&gad_campaignid=22', 'https://shop.example/?gclid=y&gad_campaignid=23',
        'utm_source=news&utm_medium=email&utm_campaign=March%26April', 'newsletter', '(direct)', 'partner-north',
        'utm_source=bing&utm_medium=cpc&utm_id=21', 'utm_id=44', NULL, ''])[1 + floor(n * 13)::int] $$;

-- Late leads: they were there when the table was attached.
INSERT INTO fair.lead
SELECT i, (ARRAY['inquiry', 'mql', 'sal', 'customer'])[1 + i % 4], fair.campaign(fair.random(i, 1)), CASE WHEN i % 3 = 0 THEN 'demo' END, 100 * i, NULL,
    '2025-01-05 10:00+00'::timestamptz + i * interval '7 hours'
FROM generate_series(1, 24) AS i;
SELECT align.attach('fair.lead', 'fair', mode => 'observe', changed_at => 'changed_at', campaign => 'campaign', amount => 'amount', reason => 'reason');

-- What each lead does, step by step.
CREATE TABLE fair.plan AS
WITH RECURSIVE step AS (
    SELECT i AS id, 1 AS step, CASE WHEN fair.random(i, 2) < 0.1 THEN 'mql' ELSE 'inquiry' END AS stage,
        '2025-01-20 08:00+00'::timestamptz + fair.random(i, 3) * interval '170 days' AS at
    FROM generate_series(25, 424) AS i
    UNION ALL
    SELECT id, 0, stage, changed_at FROM fair.lead
    UNION ALL
    SELECT id, step + 1,
        CASE stage
            WHEN 'inquiry' THEN CASE WHEN r < 0.7 THEN 'mql' WHEN r < 0.75 THEN 'customer' WHEN r < 0.85 THEN 'disqualified' END
            WHEN 'mql' THEN CASE WHEN r < 0.5 THEN 'sal' WHEN r < 0.8 THEN 'nurture' WHEN r < 0.9 THEN 'disqualified' END
            WHEN 'nurture' THEN CASE WHEN r < 0.8 THEN 'mql' WHEN r < 0.9 THEN 'disqualified' END
            WHEN 'sal' THEN CASE WHEN r < 0.7 THEN 'opportunity' WHEN r < 0.8 THEN 'nurture' WHEN r < 0.9 THEN 'disqualified' END
            WHEN 'opportunity' THEN CASE WHEN r < 0.6 THEN 'customer' WHEN r < 0.7 THEN 'nurture' WHEN r < 0.9 THEN 'disqualified' END
            WHEN 'customer' THEN CASE WHEN r < 0.1 THEN 'opportunity' END
            WHEN 'disqualified' THEN CASE WHEN r < 0.05 THEN 'mql' END
        END,
        at + (0.01 + fair.random(id, step, 5)) * interval '12 days'
    FROM (SELECT s.*, fair.random(s.id, s.step, 4) AS r FROM step AS s WHERE s.step < 12 AND s.stage IS NOT NULL) AS s
)
SELECT id, step, stage, at,
    fair.campaign(fair.random(id, CASE WHEN fair.random(id, step, 6) < 0.6 THEN 0 ELSE step END, 7)) AS campaign,
    CASE WHEN id % 11 = 0 THEN NULL ELSE round((fair.random(id, step, 8) * 1000)::numeric, 2) END AS amount,
    CASE WHEN stage IN ('nurture', 'disqualified', 'customer', 'sal') THEN (ARRAY['no_budget', 'no_interest', 'poor_fit', ' ', NULL])[1 + floor(fair.random(id, step, 9) * 5)::int] END AS reason
FROM step WHERE step > 0 AND stage IS NOT NULL;

INSERT INTO fair.lead
SELECT id, stage, campaign, CASE WHEN fair.random(id, 10) < 0.3 THEN 'demo' END, amount, reason, at FROM fair.plan WHERE step = 1 AND id > 24 ORDER BY id;
DO $$
BEGIN
    FOR n IN 1 .. 12 LOOP
        UPDATE fair.lead AS l SET stage = p.stage, campaign = p.campaign, amount = p.amount, reason = p.reason, changed_at = p.at
        FROM fair.plan AS p WHERE p.id = l.id AND p.step = n AND (p.id <= 24 OR p.step > 1);
    END LOOP;
END $$;
DELETE FROM fair.lead WHERE id % 30 = 7;
INSERT INTO fair.lead VALUES (37, 'mql', 'newsletter', NULL, 500, NULL, '2025-09-01 10:00+00'), (67, 'sal', NULL, NULL, NULL, NULL, '2025-09-01 10:00+00');
UPDATE fair.lead SET stage = 'nurture', reason = 'poor_fit', changed_at = '2025-09-02 10:00+00' WHERE id = 37;
SELECT count(*) AS problems FROM align.check('fair.lead');

-- As if each change had been recorded when it happened, so that there is a past
-- to look at.  (The guard of the history is a trigger.)
SET session_replication_role = replica;
UPDATE fair.lead_history SET recorded_at = effective_at + entry_no * interval '1 ms';
UPDATE fair.lead_history AS h SET effective_at = '2025-08-01 10:00+00', recorded_at = '2025-08-01 10:00+00'
WHERE event = 'deleted';
RESET session_replication_role;

-- Costs: by id and by name, of campaigns that no touch has, in months without
-- touches, and in the future.
CREATE SCHEMA boards;
SELECT align.create_campaign_tables('boards', 'EUR');
INSERT INTO boards.campaign_cost (day, campaign_source, campaign_medium, campaign_name, campaign_id, amount, clicks)
SELECT day::date, source, medium, name, id, round(extract(doy FROM day) * weight, 2), extract(doy FROM day)
FROM generate_series('2025-01-01'::timestamp, '2025-07-31', '3 days') AS day,
    (VALUES ('google', 'cpc', 'Old name', '21', 1.5), ('Google ', NULL, NULL, '22', 0.7), ('google', 'cpc', NULL, NULL, 0.1),
        (NULL, NULL, NULL, '22', 0.2), (NULL, NULL, NULL, '21', 0.4), ('google', 'CPC', 'Spring', '999', 0.3),
        ('News', 'email', 'March&April', NULL, 0.05), ('newsletter', '', ' ', NULL, 0.01), ('bing', NULL, NULL, '21', 1),
        (NULL, NULL, NULL, '44', 0.25), ('tv', 'spot', 'Derby', NULL, 2), (NULL, NULL, NULL, '998', 0.5),
        ('partner-south', NULL, NULL, NULL, 3)) AS cost (source, medium, name, id, weight);
INSERT INTO boards.campaign_cost (day, campaign_source, amount) VALUES ('2025-12-01', 'newsletter', 0), ('2999-01-01', 'newsletter', 77);
-- Budgets: likewise, and of campaigns that have no cost.
INSERT INTO boards.campaign_budget (month, campaign_source, campaign_medium, campaign_name, campaign_id, amount)
SELECT month::date, source, medium, name, id, extract(month FROM month) * weight
FROM generate_series('2024-12-01'::timestamp, '2025-08-01', '1 month') AS month,
    (VALUES ('google', 'cpc', 'Old name', '21', 100), ('Google ', 'CPC', 'Spring', NULL, 10), (NULL, NULL, NULL, '22', 7),
        ('News', 'email', 'March&April', NULL, 5), ('bing', NULL, NULL, '21', 0), ('radio', 'spot', NULL, NULL, 3), (NULL, NULL, NULL, '997', 1)) AS budget (source, medium, name, id, weight);
INSERT INTO boards.campaign_budget (month, campaign_source, amount) VALUES ('2999-01-01', 'newsletter', 77);
SELECT align.create_reports('fair.lead', 'boards', time_zone => 'Europe/Berlin', settle => '60 days', complete_since => '2025-01-12', credit_model => 'linear') > 0 AS created;

-- How each text is read, by hand.
CREATE TABLE fair.name (text text, campaign_key text, source text, medium text, name text, id text, channel text);
INSERT INTO fair.name
SELECT fair.campaign((n + 0.5) / 13), campaign_key, source, medium, name, id, channel FROM (VALUES
    (0, 'utm_source=google&utm_medium=cpc&utm_campaign=Spring', 'google', 'cpc', 'Spring', '21', 'Paid Search'),
    (1, 'utm_source=google&utm_medium=cpc&utm_campaign=Spring', 'google', 'cpc', 'Spring', NULL, 'Paid Search'),
    (2, 'utm_source=google&utm_medium=cpc&utm_campaign=Spring+2', 'google', 'cpc', 'Spring 2', '21', 'Paid Search'),
    (3, 'utm_source=google&utm_medium=cpc', 'google', 'cpc', '(none)', '22', 'Paid Search'),
    (4, 'utm_source=google&utm_medium=cpc', 'google', 'cpc', '(none)', '23', 'Paid Search'),
    (5, 'utm_source=news&utm_medium=email&utm_campaign=March%26April', 'news', 'email', 'March&April', NULL, 'Email'),
    (6, 'utm_source=newsletter', 'newsletter', '(none)', '(none)', NULL, 'Unassigned'),
    (7, 'utm_source=%28direct%29&utm_medium=%28none%29', '(direct)', '(none)', '(none)', NULL, 'Direct'),
    (8, 'utm_source=partner-north', 'partner-north', '(none)', '(none)', NULL, 'partner'),
    (9, 'utm_source=bing&utm_medium=cpc', 'bing', 'cpc', '(none)', '21', 'Paid Search'),
    (10, 'utm_id=44', '(none)', '(none)', '(none)', '44', 'Unassigned'),
    (12, 'utm_source=%28direct%29&utm_medium=%28none%29', '(direct)', '(none)', '(none)', NULL, 'Direct')) AS k (n, campaign_key, source, medium, name, id, channel);

-- What is known at an instant, which a setting has.
CREATE FUNCTION fair.as_of() RETURNS timestamptz LANGUAGE sql STABLE AS $$ SELECT current_setting('fair.as_of')::timestamptz $$;
CREATE FUNCTION fair.month(timestamptz) RETURNS date LANGUAGE sql STABLE AS $$ SELECT date_trunc('month', $1 AT TIME ZONE 'Europe/Berlin')::date $$;
CREATE VIEW fair.entry AS
SELECT h.*, event <> 'opening' AND stage IS NOT NULL AS is_entry, lead(stage) OVER lead AS next_stage, lead(event) OVER lead AS next_event,
    lead(reason) OVER lead AS next_reason, row_number() OVER lead = 1 AND event = 'opening' AS is_late
FROM fair.lead_history AS h
WHERE effective_at <= fair.as_of() AND (recorded_at <= fair.as_of() OR event = 'opening')
WINDOW lead AS (PARTITION BY id ORDER BY entry_no);
CREATE VIEW fair.touch AS
SELECT t.*, n.*, row_number() OVER (PARTITION BY t.lead_id ORDER BY entry_no) AS touch_no
FROM (SELECT id AS lead_id, entry_no, effective_at AS at, campaign, lag(campaign) OVER (PARTITION BY id ORDER BY entry_no) AS before
      FROM fair.entry WHERE campaign IS NOT NULL AND stage IS NOT NULL) AS t
JOIN fair.name AS n ON n.text = t.campaign
WHERE t.before IS DISTINCT FROM t.campaign;
CREATE VIEW fair.journey AS
SELECT id, bool_or(is_late) AS is_late, min(effective_at) AS first_at,
    min(effective_at) FILTER (WHERE is_entry AND stage = 'customer') AS won_at,
    min(effective_at) FILTER (WHERE is_entry AND handoff IS NOT NULL) AS submitted_at,
    bool_or(is_entry AND stage = 'mql') AS qualified,
    bool_or(is_entry AND (stage = 'mql' AND next_stage = 'sal' OR stage = 'opportunity' AND next_stage = 'customer')) AS accepted,
    bool_or(is_entry AND (stage = 'mql' AND next_stage IN ('nurture', 'disqualified') OR stage = 'opportunity' AND next_stage = 'disqualified')) AS rejected,
    bool_or(is_entry AND stage = 'disqualified') AS lost_once,
    (array_agg(stage ORDER BY entry_no DESC))[1] AS stage,
    (array_agg(amount ORDER BY entry_no DESC) FILTER (WHERE amount IS NOT NULL))[1] AS amount,
    (array_agg(array_to_string(segments, ',') ORDER BY entry_no))[1] AS segments
FROM fair.entry GROUP BY id;
CREATE VIEW fair.outcome AS
SELECT j.*, coalesce(f.campaign_key, '(none)') AS first_key, coalesce(f.channel, '(none)') AS first_channel,
    fair.month(coalesce(f.at, j.first_at)) AS month,
    CASE WHEN j.submitted_at IS NULL THEN '(not submitted)' ELSE coalesce(d.campaign_key, '(none)') END AS decisive_key
FROM fair.journey AS j
LEFT JOIN LATERAL (SELECT t.* FROM fair.touch AS t WHERE t.lead_id = j.id AND t.at <= least(j.won_at, fair.as_of()) ORDER BY t.touch_no LIMIT 1) AS f ON true
LEFT JOIN LATERAL (SELECT t.* FROM fair.touch AS t WHERE t.lead_id = j.id AND t.at <= j.submitted_at ORDER BY t.channel <> 'Direct' DESC, t.touch_no DESC LIMIT 1) AS d ON true;

-- feedback
CREATE VIEW fair.feedback AS
WITH unit AS (
    SELECT fair.month(e.effective_at) AS month, coalesce(d.campaign_key, '(none)') AS campaign_key, 'handoff' AS moment, e.handoff,
        CASE WHEN e.next_event IS NULL THEN 'pending' WHEN e.next_stage IS NULL THEN 'gone'
            WHEN e.next_stage = CASE e.stage WHEN 'mql' THEN 'sal' ELSE 'customer' END THEN 'accepted'
            WHEN e.next_stage = 'disqualified' OR e.stage = 'mql' AND e.next_stage = 'nurture' THEN 'rejected'
            ELSE 'withdrawn' END AS result,
        coalesce(nullif(trim(e.next_reason), ''), '(none)') AS reason, e.id,
        row_number() OVER (PARTITION BY e.id, e.handoff ORDER BY e.entry_no) = 1 AS is_first
    FROM fair.entry AS e
    LEFT JOIN LATERAL (SELECT t.* FROM fair.touch AS t WHERE t.lead_id = e.id AND t.at <= e.effective_at ORDER BY t.channel <> 'Direct' DESC, t.touch_no DESC LIMIT 1) AS d ON true
    WHERE e.is_entry AND e.handoff IS NOT NULL
    UNION ALL
    SELECT fair.month(c.effective_at), o.decisive_key, 'close', '(none)', CASE c.stage WHEN 'customer' THEN 'won' ELSE 'lost' END,
        coalesce(nullif(trim(c.reason), ''), '(none)'), o.id, true
    FROM fair.outcome AS o
    CROSS JOIN LATERAL (SELECT e.* FROM fair.entry AS e WHERE e.id = o.id AND e.is_entry AND e.stage IN ('customer', 'disqualified') ORDER BY e.entry_no DESC LIMIT 1) AS c
), counted AS (
    SELECT month, campaign_key, moment, handoff, result, reason, count(*) AS n, count(DISTINCT id) AS leads, count(*) FILTER (WHERE is_first) AS first_n
    FROM unit GROUP BY 1, 2, 3, 4, 5, 6
)
SELECT c.*,
    round((CASE WHEN result NOT IN ('pending', 'withdrawn', 'gone') THEN c.first_n / nullif((SELECT sum(o.first_n) FROM counted AS o
        WHERE (o.month, o.campaign_key, o.moment, o.handoff) = (c.month, c.campaign_key, c.moment, c.handoff) AND o.result NOT IN ('pending', 'withdrawn', 'gone')), 0) END)::numeric, 9) AS share
FROM counted AS c;
CREATE VIEW fair.feedback_shown AS
SELECT month, campaign_key, moment, handoff, result, reason, n, leads, first_n, round(share::numeric, 9) FROM boards.feedback;

SET fair.as_of = 'infinity';
SELECT 'shown' AS source, d.* FROM (SELECT * FROM fair.feedback_shown EXCEPT ALL SELECT * FROM fair.feedback) AS d
UNION ALL SELECT 'plain', d.* FROM (SELECT * FROM fair.feedback EXCEPT ALL SELECT * FROM fair.feedback_shown) AS d;
SELECT moment, result, sum(n) AS n, sum(first_n) AS first_n, count(*) > 3 AS several, count(share) > 0 AS has_share FROM boards.feedback GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*) > 0 AS rejected_twice FROM boards.feedback WHERE n > leads AND result = 'rejected';
SELECT count(*) AS wrong_bounds FROM boards.feedback WHERE (share IS NULL) <> (share_lower IS NULL) OR NOT share BETWEEN share_lower AND share_upper OR share_upper > 1 OR share_lower < 0;
SELECT count(*) AS wrong_names FROM boards.feedback AS f LEFT JOIN (SELECT DISTINCT campaign_key, name, channel FROM fair.name) AS n USING (campaign_key)
WHERE f.campaign_name <> coalesce(n.name, '(none)') OR f.channel <> coalesce(n.channel, f.campaign_key);
-- as of an instant
SET fair.as_of = '2025-04-10 10:00+00';
SELECT 'shown' AS source, d.* FROM (SELECT month, campaign_key, moment, handoff, result, reason, n, leads, first_n, round(share::numeric, 9) FROM boards.feedback('2025-04-10 10:00+00') EXCEPT ALL SELECT * FROM fair.feedback) AS d
UNION ALL SELECT 'plain', d.* FROM (SELECT * FROM fair.feedback EXCEPT ALL SELECT month, campaign_key, moment, handoff, result, reason, n, leads, first_n, round(share::numeric, 9) FROM boards.feedback('2025-04-10 10:00+00')) AS d;
SELECT sum(n) > 50 AS many FROM fair.feedback;

-- campaign_results: leads
CREATE VIEW fair.result_leads AS
SELECT first_key AS campaign_key, month,
    count(*) FILTER (WHERE NOT is_late) AS leads, count(*) FILTER (WHERE NOT is_late AND qualified) AS qualified,
    count(*) FILTER (WHERE NOT is_late AND submitted_at IS NOT NULL) AS submitted, count(*) FILTER (WHERE NOT is_late AND accepted) AS accepted,
    count(*) FILTER (WHERE NOT is_late AND rejected) AS rejected, count(*) FILTER (WHERE NOT is_late AND won_at IS NOT NULL) AS won,
    count(*) FILTER (WHERE NOT is_late AND won_at IS NULL AND (stage = 'disqualified' OR stage IS NULL AND lost_once)) AS lost,
    count(*) FILTER (WHERE NOT is_late AND won_at IS NULL AND stage NOT IN ('disqualified', 'customer')) AS open,
    count(*) FILTER (WHERE is_late) AS late, count(*) FILTER (WHERE NOT is_late AND won_at IS NOT NULL AND amount IS NULL) AS amount_missing
FROM fair.outcome GROUP BY 1, 2;
SET fair.as_of = 'infinity';
CREATE VIEW fair.result_leads_shown AS
SELECT campaign_key, month, leads, qualified, submitted, accepted, rejected, won, lost, open, late, amount_missing FROM boards.campaign_results WHERE leads + late > 0;
SELECT 'shown' AS source, d.* FROM (SELECT * FROM fair.result_leads_shown EXCEPT ALL SELECT * FROM fair.result_leads) AS d
UNION ALL SELECT 'plain', d.* FROM (SELECT * FROM fair.result_leads EXCEPT ALL SELECT * FROM fair.result_leads_shown) AS d;
SELECT sum(leads) + sum(late) = (SELECT count(DISTINCT id) FROM fair.lead_history) AS all_leads, sum(qualified), sum(submitted), sum(accepted), sum(rejected), sum(won), sum(lost), sum(open), sum(late), sum(amount_missing) FROM boards.campaign_results;
SET fair.as_of = '2025-04-10 10:00+00';
SELECT 'shown' AS source, d.* FROM (SELECT campaign_key, month, leads, qualified, submitted, accepted, rejected, won, lost, open, late, amount_missing FROM boards.campaign_results('2025-04-10 10:00+00') WHERE leads + late > 0
    EXCEPT ALL SELECT * FROM fair.result_leads) AS d;
SELECT sum(leads + late) = (SELECT sum(leads + late) FROM fair.result_leads) AS same FROM boards.campaign_results('2025-04-10 10:00+00');
SET fair.as_of = 'infinity';

-- touches and revenue: exactly for models that do not divide, and to the cent
-- for each touch of those that do
CREATE VIEW fair.share AS
SELECT t.*, o.amount, o.won_at, count(*) OVER lead AS n, row_number() OVER (PARTITION BY t.lead_id ORDER BY t.touch_no) AS k,
    t.touch_no = coalesce(max(t.touch_no) FILTER (WHERE t.channel <> 'Direct') OVER lead, max(t.touch_no) OVER lead) AS is_last_non_direct,
    2.0 ^ (-extract(epoch FROM o.won_at - t.at) / 604800.0) / sum(2.0 ^ (-extract(epoch FROM o.won_at - t.at) / 604800.0)) OVER lead AS decay
FROM fair.touch AS t JOIN fair.outcome AS o ON o.id = t.lead_id WHERE t.at <= o.won_at
WINDOW lead AS (PARTITION BY t.lead_id);
CREATE VIEW fair.result_revenue AS
SELECT campaign_key, month, sum(touches) AS touches, sum(earning) AS earning, sum(first) AS first, sum(last) AS last, sum(last_non_direct) AS last_non_direct, sum(linear) AS linear, sum(position) AS position, sum(decay) AS decay
FROM (SELECT campaign_key, fair.month(at) AS month, count(*) AS touches, 0 AS earning, 0 AS first, 0 AS last, 0 AS last_non_direct, 0 AS linear, 0 AS position, 0 AS decay FROM fair.touch GROUP BY 1, 2
    UNION ALL
    SELECT campaign_key, fair.month(at), 0, count(*), sum(amount) FILTER (WHERE k = 1), sum(amount) FILTER (WHERE k = n), sum(amount) FILTER (WHERE is_last_non_direct), sum(amount / n),
        sum(amount * CASE WHEN n = 1 THEN 1 WHEN n = 2 THEN 0.5 WHEN k IN (1, n) THEN 0.4 ELSE 0.2 / (n - 2) END), sum(amount * decay)
    FROM fair.share GROUP BY 1, 2
    UNION ALL
    SELECT '(none)', fair.month(first_at), 0, 1, amount, amount, amount, amount, amount, amount FROM fair.outcome AS o
    WHERE won_at IS NOT NULL AND NOT EXISTS (SELECT FROM fair.share AS s WHERE s.lead_id = o.id)) AS parts
GROUP BY 1, 2;
SELECT campaign_key, month FROM boards.campaign_results AS c FULL JOIN fair.result_revenue AS p USING (campaign_key, month)
WHERE (c.touches, coalesce(c.revenue_first, 0), coalesce(c.revenue_last, 0), coalesce(c.revenue_last_non_direct, 0))
    IS DISTINCT FROM (coalesce(p.touches, 0), coalesce(p.first, 0), coalesce(p.last, 0), coalesce(p.last_non_direct, 0))
  OR greatest(abs(coalesce(c.revenue_linear, 0) - coalesce(p.linear, 0)), abs(coalesce(c.revenue_position, 0) - coalesce(p.position, 0)), abs(coalesce(c.revenue_time_decay, 0) - coalesce(p.decay, 0)::numeric)) > 0.01 * coalesce(p.earning, 0);
SELECT (sum(revenue_first), sum(revenue_last), sum(revenue_last_non_direct), sum(revenue_linear), sum(revenue_position), sum(revenue_time_decay), sum(revenue_u_shaped), sum(revenue_w_shaped), sum(revenue_full_path), sum(revenue_shapley))
    = (w.amount, w.amount, w.amount, w.amount, w.amount, w.amount, w.amount, w.amount, w.amount, w.amount) AS revenue_is_what_was_won, w.amount > 30000 AS much
FROM boards.campaign_results, (SELECT sum(amount) AS amount FROM fair.outcome WHERE won_at IS NOT NULL) AS w GROUP BY w.amount;

-- cost and budget: each row of them on its own
CREATE VIEW fair.cost AS
WITH cost AS (
    SELECT c.*, date_trunc('month', c.day)::date AS month, nullif(lower(trim(campaign_source)), '') AS source, nullif(lower(trim(campaign_medium)), '') AS medium,
        nullif(trim(campaign_name), '') AS name
    FROM (SELECT day, campaign_source, campaign_medium, campaign_name, campaign_id, amount, NULL::numeric AS budget, clicks FROM boards.campaign_cost
        UNION ALL
        SELECT month, campaign_source, campaign_medium, campaign_name, campaign_id, NULL, amount, NULL FROM boards.campaign_budget) AS c
    WHERE c.day <= (least(fair.as_of(), now()) AT TIME ZONE 'Europe/Berlin')::date
), touch AS MATERIALIZED (
    SELECT campaign_key, source, medium, name, id, fair.month(at) AS month FROM fair.touch
)
SELECT c.month, c.amount, c.budget, c.clicks, coalesce(i.campaign_key, n.campaign_key,
        CASE WHEN c.source IS NULL THEN 'utm_id=' || c.campaign_id
            ELSE 'utm_source=' || c.source || coalesce('&utm_medium=' || c.medium, '') || coalesce('&utm_campaign=' || c.name, '') END) AS campaign_key,
    CASE WHEN i.campaign_key IS NOT NULL THEN 'id' WHEN n.campaign_key IS NOT NULL THEN 'name' ELSE 'cost only' END AS cost_match
FROM cost AS c
LEFT JOIN LATERAL (
    SELECT t.campaign_key FROM touch AS t
    WHERE t.id = c.campaign_id
      AND (t.source = c.source OR c.source IS NULL AND (SELECT count(DISTINCT o.source) FROM touch AS o WHERE o.id = c.campaign_id) = 1)
    GROUP BY t.campaign_key ORDER BY count(*) FILTER (WHERE t.month = c.month) DESC, count(*) DESC, t.campaign_key COLLATE "C" LIMIT 1) AS i ON true
LEFT JOIN LATERAL (
    SELECT DISTINCT t.campaign_key FROM touch AS t
    WHERE t.source = c.source AND t.medium = coalesce(c.medium, '(none)') AND t.name = coalesce(c.name, '(none)')) AS n ON true;
CREATE VIEW fair.spent AS
SELECT campaign_key, month, sum(amount) AS amount, sum(budget) AS budget, sum(clicks)::bigint AS clicks,
    CASE WHEN bool_or(cost_match = 'id') FILTER (WHERE amount IS NOT NULL) THEN 'id' ELSE min(cost_match) FILTER (WHERE amount IS NOT NULL) END AS cost_match
FROM fair.cost GROUP BY 1, 2;
SELECT campaign_key, month, c.cost, p.amount, c.budget, p.budget, c.cost_match, p.cost_match FROM boards.campaign_results AS c
FULL JOIN fair.spent AS p USING (campaign_key, month)
WHERE (c.cost, c.budget, c.clicks, c.cost_match) IS DISTINCT FROM (p.amount, p.budget, p.clicks, coalesce(p.cost_match, 'no cost'));
SELECT count(*) FILTER (WHERE cost IS NULL) AS budget_only, count(*) FILTER (WHERE leads > 0 AND cost > budget) > 0 AS exceeded, sum(budget) = (SELECT sum(amount) FROM boards.campaign_budget WHERE month < now()) AS all_budgets FROM boards.campaign_results WHERE budget IS NOT NULL;
SET fair.as_of = '2025-03-31 22:30:00+00';
SELECT campaign_key, month, c.cost, p.amount, c.budget, p.budget FROM boards.campaign_results('2025-03-31 22:30:00+00') AS c
FULL JOIN fair.spent AS p USING (campaign_key, month) WHERE (c.cost, c.budget, c.cost_match) IS DISTINCT FROM (p.amount, p.budget, coalesce(p.cost_match, 'no cost'));
SET fair.as_of = 'infinity';
SELECT max(month) AS last_budget FROM boards.campaign_results('2025-03-31 22:30:00+00') WHERE budget IS NOT NULL;
SELECT max(month) AS last_budget FROM boards.campaign_results('2025-03-31 21:59:59+00') WHERE budget IS NOT NULL;
SELECT cost_match, count(*), sum(cost), sum(touches) > 0 AS touched FROM boards.campaign_results GROUP BY 1 ORDER BY 1;
SELECT sum(cost) = (SELECT sum(amount) FROM boards.campaign_cost WHERE day <= now()::date) AS cost_is_what_was_spent, sum(clicks) = (SELECT sum(clicks) FROM boards.campaign_cost) AS clicks FROM boards.campaign_results;
SELECT sum(cost) = (SELECT sum(amount) FROM boards.campaign_cost WHERE day <= '2025-04-10') AS spent_by_then FROM boards.campaign_results('2025-04-10 10:00+00');
SELECT DISTINCT campaign_key, campaign_source, campaign_medium, campaign_name, campaign_id, channel FROM boards.campaign_results WHERE month IN ('2025-03-01', '2025-12-01') ORDER BY 1;

-- ratios, and what is known of the month
SELECT count(*) AS wrong FROM boards.campaign_results
WHERE (cpl, cac, roas, roi) IS DISTINCT FROM (CASE WHEN cost > 0 AND leads > 0 THEN cost / leads END, CASE WHEN cost > 0 AND won > 0 THEN cost / won END,
        CASE WHEN cost > 0 THEN revenue_linear / cost END, CASE WHEN cost > 0 THEN (revenue_linear - cost) / cost END)
    OR row_key <> to_char(month, 'YYYY-MM') || ' ' || campaign_key OR currency <> 'EUR'
    OR month_start_at <> month::timestamp AT TIME ZONE 'Europe/Berlin'
    OR is_settled <> ((month + interval '1 month') AT TIME ZONE 'Europe/Berlin' + interval '60 days' <= now())
    OR is_complete <> (month > '2025-01-12');
SELECT count(*), count(DISTINCT row_key), count(*) FILTER (WHERE cost > 0 AND roas = 0) > 0 AS some_earned_nothing, count(*) FILTER (WHERE cost = 0 AND roas IS NULL) AS free FROM boards.campaign_results;
SELECT month, is_settled, is_complete, count(*) > 0 FROM boards.campaign_results('2025-05-30 21:59:59+00') GROUP BY 1, 2, 3 ORDER BY 1;
SELECT DISTINCT month FROM boards.campaign_results('2025-05-30 22:00:00+00') WHERE is_settled ORDER BY 1;

-- channel_results; where leads were won and no amount is known, so is no revenue
CREATE VIEW fair.channel_wins AS
SELECT channel, month, count(*) AS won, count(amount) AS known
FROM (SELECT channel, fair.month(at) AS month, amount FROM fair.share
    UNION ALL
    SELECT '(none)', fair.month(first_at), amount FROM fair.outcome AS o
    WHERE won_at IS NOT NULL AND NOT EXISTS (SELECT FROM fair.share AS s WHERE s.lead_id = o.id)) AS w
GROUP BY 1, 2;
SELECT channel, month FROM boards.channel_results AS c FULL JOIN (
    SELECT channel, month, sum(cost) AS cost, sum(touches) AS touches, sum(leads) AS leads, sum(qualified) AS qualified, sum(submitted) AS submitted, sum(accepted) AS accepted, sum(rejected) AS rejected, sum(won) AS won, sum(lost) AS lost, sum(open) AS open, sum(late) AS late,
        sum(revenue_first) AS f, sum(revenue_last) AS l, sum(revenue_last_non_direct) AS n, sum(revenue_linear) AS i, sum(revenue_position) AS p, sum(revenue_time_decay) AS d, sum(revenue_u_shaped) AS u, sum(revenue_w_shaped) AS w, sum(revenue_full_path) AS a, sum(revenue_shapley) AS y, sum(won_shapley) AS ws, sum(cost) FILTER (WHERE cost_match = 'cost only') AS cost_only, sum(budget) AS budget
    FROM boards.campaign_results GROUP BY 1, 2) AS s USING (channel, month)
    LEFT JOIN fair.channel_wins AS k USING (channel, month)
    LEFT JOIN LATERAL (SELECT 0 AS o WHERE k.known > 0 OR coalesce(k.won, 0) = 0) AS x ON true
WHERE (c.cost, c.touches, c.leads, c.qualified, c.submitted, c.accepted, c.rejected, c.won, c.lost, c.open, c.late) IS DISTINCT FROM (s.cost, s.touches, s.leads, s.qualified, s.submitted, s.accepted, s.rejected, s.won, s.lost, s.open, s.late)
   OR (c.revenue_first, c.revenue_last, c.revenue_last_non_direct, c.revenue_linear, c.revenue_position, c.revenue_time_decay, c.revenue_u_shaped, c.revenue_w_shaped, c.revenue_full_path, c.revenue_shapley) IS DISTINCT FROM (s.f + x.o, s.l + x.o, s.n + x.o, s.i + x.o, s.p + x.o, s.d + x.o, s.u + x.o, s.w + x.o, s.a + x.o, s.y + x.o) OR abs(c.won_shapley - s.ws) > 1e-9
   OR c.revenue_known <> coalesce(k.known, 0)
   OR coalesce(c.cost_only, 0) <> coalesce(s.cost_only, 0)
   OR c.budget IS DISTINCT FROM s.budget
   OR (c.cpl, c.cac, c.roas, c.roi) IS DISTINCT FROM (CASE WHEN c.cost > 0 AND c.leads > 0 THEN c.cost / c.leads END, CASE WHEN c.cost > 0 AND c.won > 0 THEN c.cost / c.won END,
        CASE WHEN c.cost > 0 THEN c.revenue_linear / c.cost END, CASE WHEN c.cost > 0 THEN (c.revenue_linear - c.cost) / c.cost END);
SELECT channel, sum(leads) AS leads, sum(cost) AS cost, sum(cost_only) AS cost_only FROM boards.channel_results GROUP BY 1 ORDER BY channel COLLATE "C";
SELECT count(*), count(DISTINCT row_key), sum(leads) = (SELECT sum(leads) FROM boards.channel_results('now')) AS same FROM boards.channel_results;

-- shapley: equal parts for the different channels of a win, and of each for its
-- touches
CREATE VIEW fair.shapley AS
SELECT channel, month, sum(won) AS won, sum(amount) AS amount, sum(touches) AS touches
FROM (SELECT s.channel, fair.month(s.at) AS month, 1.0 / d.n / count(*) OVER (PARTITION BY s.lead_id, s.channel) AS won,
        s.amount / d.n / count(*) OVER (PARTITION BY s.lead_id, s.channel) AS amount, 1 AS touches
    FROM fair.share AS s JOIN (SELECT lead_id, count(DISTINCT channel) AS n FROM fair.share GROUP BY 1) AS d USING (lead_id)
    UNION ALL
    SELECT '(none)', fair.month(first_at), 1, amount, 0 FROM fair.outcome AS o
    WHERE won_at IS NOT NULL AND NOT EXISTS (SELECT FROM fair.share AS s WHERE s.lead_id = o.id)) AS w
GROUP BY 1, 2;
SELECT count(*) > 20 AS many, count(*) FILTER (WHERE abs(c.won_shapley - coalesce(p.won, 0)) > 1e-9) AS won_wrong,
    count(*) FILTER (WHERE abs(c.revenue_shapley - coalesce(p.amount, 0)) > 0.01 * coalesce(p.touches, 0)) AS revenue_wrong
FROM boards.channel_results AS c FULL JOIN fair.shapley AS p USING (channel, month);

-- markov: removal effects by walking the chain of all decided journeys, two
-- hundred steps, with and without each channel; then divided among months
CREATE TABLE fair.decided AS
SELECT s.lead_id, s.touch_no, s.channel, fair.month(s.at) AS month, true AS is_won, s.amount FROM fair.share AS s
UNION ALL
SELECT t.lead_id, t.touch_no, t.channel, fair.month(t.at), false, NULL FROM fair.touch AS t JOIN fair.outcome AS o ON o.id = t.lead_id
WHERE o.won_at IS NULL AND (o.stage = 'disqualified' OR o.stage IS NULL AND o.lost_once);
CREATE TABLE fair.edge AS
SELECT coalesce(lag(channel) OVER lead, '<') AS origin, channel AS target FROM fair.decided WINDOW lead AS (PARTITION BY lead_id ORDER BY touch_no)
UNION ALL
SELECT DISTINCT ON (lead_id) channel, CASE WHEN is_won THEN '>' ELSE '!' END FROM (SELECT * FROM fair.decided ORDER BY lead_id, touch_no DESC) AS d;
CREATE VIEW fair.removed AS
WITH RECURSIVE chance AS (
    SELECT origin, target, count(*) / sum(count(*)) OVER (PARTITION BY origin) AS p FROM fair.edge GROUP BY 1, 2
), removed AS (
    SELECT DISTINCT channel FROM fair.decided UNION ALL SELECT NULL
), walk AS (
    SELECT r.channel, s.state, CASE WHEN s.state = '<' THEN 1.0::float8 ELSE 0 END AS p, 0 AS step
    FROM removed AS r, (SELECT '<' AS state UNION SELECT target FROM fair.edge) AS s
    UNION ALL
    SELECT channel, state, p, step + 1
    FROM (SELECT w.channel, c.target AS state, sum(w.p * c.p) OVER (PARTITION BY w.channel, c.target) AS p, w.step,
            row_number() OVER (PARTITION BY w.channel, c.target) AS k
        FROM walk AS w JOIN (SELECT * FROM chance UNION ALL SELECT '>', '>', 1) AS c ON c.origin = w.state AND c.target IS DISTINCT FROM w.channel) AS n
    WHERE k = 1 AND step < 200
)
SELECT channel, 1 - sum(p) / (SELECT sum(p) FROM walk WHERE channel IS NULL AND state = '>' AND step = 200) AS effect
FROM walk WHERE step = 200 AND state = '>' AND channel IS NOT NULL GROUP BY channel;
CREATE TABLE fair.markov AS
SELECT channel, month, share * touches / all_touches * won AS won, share * touches / all_touches * amount AS amount
FROM (SELECT channel, effect / sum(effect) OVER () AS share FROM fair.removed) AS r
JOIN (SELECT channel, month, count(*) AS touches, sum(count(*)) OVER (PARTITION BY channel) AS all_touches FROM fair.decided GROUP BY 1, 2) AS t USING (channel),
    (SELECT count(*) AS won, sum(amount) AS amount FROM (SELECT DISTINCT lead_id, amount FROM fair.decided WHERE is_won) AS w) AS w;
SELECT count(*) > 20 AS many, count(p.won) > 15 AS earned, count(DISTINCT c.channel) > 4 AS channels,
    count(*) FILTER (WHERE abs(c.won_markov - coalesce(p.won, 0) - CASE WHEN c.channel = '(none)' THEN c.won_shapley ELSE 0 END) > 1e-9) AS won_wrong,
    count(*) FILTER (WHERE abs(c.revenue_markov - coalesce(p.amount, 0)::numeric - CASE WHEN c.channel = '(none)' THEN c.revenue_shapley ELSE 0 END) > 0.01) AS revenue_wrong
FROM boards.channel_results AS c FULL JOIN fair.markov AS p USING (channel, month);
SELECT abs(sum(won_markov) - w.won) < 1e-9 AS won_is_all, sum(revenue_markov) = w.amount AS revenue_is_what_was_won, abs(sum(won_shapley) - w.won) < 1e-9 AS won_shapley,
    bool_and(won_markov >= 0 AND revenue_markov >= 0) AS never_negative, bool_and(scale(revenue_markov) <= 2) AS in_cents
FROM boards.channel_results, (SELECT count(*) AS won, sum(amount) AS amount FROM fair.outcome WHERE won_at IS NOT NULL) AS w GROUP BY w.won, w.amount;

-- campaign_reviews: found like costs; the latest verdict of each team, and what
-- is asked and answered
INSERT INTO boards.campaign_review (campaign_source, campaign_medium, campaign_name, campaign_id, reviewed_on, team, verdict, why, next_step, reviewed_by, request, requested_by, answered_on) VALUES
    ('google', 'cpc', 'Old name', '21', '2025-03-01', 'sales', 'stop', 'wrong companies', 'pause it', 'Ann', NULL, NULL, NULL),
    ('Google ', 'CPC', 'Spring', NULL, '2025-03-04', 'sales', 'change', ' ', NULL, 'Ann', NULL, NULL, NULL),
    ('google', 'cpc', 'Spring', NULL, '2025-03-04', 'marketing', 'more of it', NULL, NULL, NULL, 'which companies?', 'Mia', '2025-03-10'),
    ('google', 'cpc', 'Spring', NULL, '2025-03-05', 'sales', NULL, NULL, NULL, NULL, 'a case study', 'Bob', NULL),
    ('google', 'cpc', 'Spring', NULL, '2025-03-06', 'sales', E' \t\n', NULL, NULL, NULL, 'a price list', 'Bob', 'infinity'),
    ('google', 'cpc', 'Spring', NULL, '2025-03-04', 'sales', 'change it soon', NULL, NULL, 'Eve', NULL, NULL, NULL),
    (NULL, NULL, NULL, '998', '2025-03-09', 'sales', 'stop', NULL, NULL, NULL, NULL, NULL, NULL),
    ('bing', NULL, NULL, '21', '2025-03-09', 'sales', 'as it is', NULL, NULL, NULL, NULL, NULL, NULL);
SELECT row_key, campaign_key, channel, team, verdict, why, next_step, reviewed_by, request, requested_by, answered_on, is_open, is_latest FROM boards.campaign_reviews ORDER BY row_key;
SELECT row_key, is_latest, is_open, answered_on FROM boards.campaign_reviews('2025-03-06 00:00+01') ORDER BY row_key;
SELECT row_key, is_open, answered_on FROM boards.campaign_reviews('2025-03-10 00:00+01') WHERE request <> '(none)' ORDER BY row_key;
SELECT row_key, is_open, answered_on FROM boards.campaign_reviews('2025-03-10 00:00:01+01') WHERE request <> '(none)' ORDER BY row_key;
-- the keys are those of costs that are written alike
SELECT count(*) AS wrong FROM boards.campaign_reviews AS v JOIN boards.campaign_review AS r ON r.id::text = v.row_key
WHERE v.campaign_key <> (SELECT coalesce(max(t.campaign_key), v.campaign_key) FROM (SELECT t.campaign_key FROM fair.touch AS t
    WHERE t.id = r.campaign_id AND t.source = coalesce(lower(r.campaign_source), t.source) GROUP BY 1 ORDER BY count(*) DESC, t.campaign_key COLLATE "C" LIMIT 1) AS t);

-- won_by_segment
CREATE VIEW fair.won_by_segment AS
WITH won AS (
    SELECT fair.month(won_at) AS month, first_key AS campaign_key, CASE WHEN segments LIKE '%demo%' THEN 'demo' WHEN segments LIKE '%big%' THEN 'big' ELSE '(other)' END AS segment, count(*) AS won,
        sum(amount) AS won_amount, count(*) FILTER (WHERE amount IS NULL) AS amount_missing
    FROM fair.outcome WHERE won_at IS NOT NULL GROUP BY 1, 2, 3
)
SELECT w.*, round(w.won / (SELECT sum(o.won) FROM won AS o WHERE o.month = w.month AND o.campaign_key = w.campaign_key), 9) AS won_share FROM won AS w;
CREATE VIEW fair.won_by_segment_shown AS
SELECT month, campaign_key, segment, won, won_amount, amount_missing, round(won_share::numeric, 9) AS won_share FROM boards.won_by_segment;
SELECT 'shown' AS source, d.* FROM (SELECT * FROM fair.won_by_segment_shown EXCEPT ALL SELECT * FROM fair.won_by_segment) AS d
UNION ALL SELECT 'plain', d.* FROM (SELECT * FROM fair.won_by_segment EXCEPT ALL SELECT * FROM fair.won_by_segment_shown) AS d;
SELECT segment, sum(won), sum(won_amount), count(target_share), count(difference) FROM boards.won_by_segment GROUP BY 1 ORDER BY 1;
SELECT count(*), count(DISTINCT row_key) FROM boards.won_by_segment;
-- With a mix agreed, its segments have a row even if they were not won.
SELECT align.agree('fair', (align.agreed('fair')::text || ' segment never: ''false''; mix of customer: 30% demo, 5% never, 60% other;')::align.funnel) > 0 AS agreed;
SELECT segment, sum(won) AS won, min(target_share) AS least, max(target_share) AS greatest, count(*) - count(target_share) AS without FROM boards.won_by_segment GROUP BY 1 ORDER BY segment COLLATE "C";
SELECT count(*) AS wrong FROM boards.won_by_segment WHERE difference IS DISTINCT FROM won_share - target_share OR won = 0 AND won_amount IS NOT NULL;
SELECT count(*) AS wrong FROM (SELECT campaign_key, month, sum(won_share) AS shares, sum(won) AS won, count(*) FILTER (WHERE segment IN ('demo', 'never', '(other)')) AS rows FROM boards.won_by_segment GROUP BY 1, 2) AS s
WHERE abs(shares - 1) > 1e-9 OR won = 0 OR rows <> 3;

-- No types but those of reports, no NaN, every column and view commented.
SELECT table_name, column_name, data_type FROM information_schema.columns
WHERE table_schema = 'boards' AND table_name IN ('feedback', 'campaign_results', 'campaign_reviews', 'channel_results', 'won_by_segment')
  AND data_type NOT IN ('text', 'integer', 'bigint', 'numeric', 'double precision', 'boolean', 'date', 'timestamp with time zone');
SELECT c.relname, a.attname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.relnamespace = 'boards'::regnamespace AND c.relname IN ('feedback', 'campaign_results', 'campaign_reviews', 'channel_results', 'won_by_segment') AND col_description(c.oid, a.attnum) IS NULL;
SELECT count(*) AS nan FROM boards.campaign_results AS c WHERE to_jsonb(c)::text ~ 'NaN|Infinity';

-- Without campaign tables, and with those of another role: no costs.  A table of
-- such a name that has other columns is refused.
CREATE SCHEMA bare;
SELECT align.create_reports('fair.lead', 'bare', complete_since => '2025-01-12') > 0 AS created;
SELECT count(cost) AS costs, count(currency) AS currencies, count(*) FILTER (WHERE cost_match <> 'no cost') AS matches, sum(leads) > 0 AS has_leads FROM bare.campaign_results;
CREATE ROLE regress_align_other;
GRANT USAGE, CREATE ON SCHEMA bare TO regress_align_other;
SET ROLE regress_align_other;
SELECT align.create_campaign_tables('bare', 'USD');
INSERT INTO bare.campaign_cost (day, campaign_source, amount) VALUES ('2025-03-01', 'newsletter', 5);
RESET ROLE;
SELECT align.create_reports('fair.lead', 'bare', complete_since => '2025-01-12') > 0 AS created;
SELECT count(cost) AS costs FROM bare.campaign_results;
ALTER TABLE bare.campaign_cost OWNER TO CURRENT_USER;
ALTER TABLE bare.campaign_budget OWNER TO CURRENT_USER;
ALTER TABLE bare.campaign_review OWNER TO CURRENT_USER;
ALTER TABLE bare.action OWNER TO CURRENT_USER;
SELECT align.create_reports('fair.lead', 'bare', complete_since => '2025-01-12') > 0 AS created;
SELECT cost, currency, budget FROM bare.campaign_results WHERE cost IS NOT NULL;
SELECT count(*) AS reviews FROM bare.campaign_reviews;
CREATE SCHEMA odd;
CREATE TABLE odd.action (id int, what text);
SELECT align.create_reports('fair.lead', 'odd', complete_since => '2025-01-12') > 0 AS created;

-- An empty table, one lead, no handoffs, no amounts.
CREATE SCHEMA small;
SELECT align.agree('small', 'stage a; won b; success path a -> b;') > 0 AS agreed;
CREATE TABLE small.lead (channel int PRIMARY KEY, stage text);
SELECT align.attach('small.lead', 'small');
SELECT align.create_campaign_tables('small', 'EUR');
SELECT align.create_reports('small.lead', 'small') > 0 AS created;
SELECT (SELECT count(*) FROM small.feedback) AS feedback, (SELECT count(*) FROM small.campaign_results) AS campaigns, (SELECT count(*) FROM small.channel_results) AS channels, (SELECT count(*) FROM small.won_by_segment) AS segments;
INSERT INTO small.lead VALUES (1, 'a');
UPDATE small.lead SET stage = 'b';
SELECT moment, handoff, campaign_key, result, reason, n, share FROM small.feedback;
SELECT campaign_key, leads, qualified, submitted, accepted, won, revenue_linear, roas, amount_missing, cost_match FROM small.campaign_results;
SELECT channel, leads, won, revenue_linear, cpl FROM small.channel_results;
SELECT campaign_key, segment, won, won_amount, won_share, target_share FROM small.won_by_segment;

-- A key of two columns, row-level security, and campaigns with odd characters:
-- these views add up over all leads, with the rights of their owner.
CREATE SCHEMA guarded;
CREATE TABLE guarded.lead (region text, no int, stage text, source text, PRIMARY KEY (region, no));
ALTER TABLE guarded.lead ENABLE ROW LEVEL SECURITY;
CREATE POLICY north ON guarded.lead USING (region = 'north');
SELECT align.attach('guarded.lead', 'small', campaign => 'source');
INSERT INTO guarded.lead VALUES ('north', 1, 'a', 'a "quoted", (odd) source'), ('south', 1, 'a', 'a "quoted", (odd) source'), ('south', 2, 'a', E'line\nbreak'), ('', 3, 'a', '(none)');
UPDATE guarded.lead SET stage = 'b' WHERE region = 'south';
SELECT align.create_campaign_tables('guarded', 'EUR');
INSERT INTO guarded.campaign_cost (day, campaign_source, amount) VALUES ((now() AT TIME ZONE 'UTC')::date, E' Line\nBreak ', 12), ((now() AT TIME ZONE 'UTC')::date, 'anna@example.org', 1);
SELECT align.create_reports('guarded.lead', 'guarded') > 0 AS created;
CREATE ROLE regress_align_reader;
GRANT USAGE ON SCHEMA guarded TO regress_align_reader;
GRANT SELECT ON guarded.feedback, guarded.campaign_results, guarded.channel_results, guarded.won_by_segment TO regress_align_reader;
SET ROLE regress_align_reader;
SELECT campaign_key, campaign_source, cost, cost_match, leads, won FROM guarded.campaign_results ORDER BY campaign_key COLLATE "C";
SELECT campaign_key, moment, result, n FROM guarded.feedback ORDER BY campaign_key COLLATE "C";
SELECT campaign_key, won FROM guarded.won_by_segment ORDER BY campaign_key COLLATE "C";
SELECT channel, leads FROM guarded.channel_results ORDER BY channel COLLATE "C";
RESET ROLE;

\set VERBOSITY terse
SET client_min_messages = warning;
DROP SCHEMA fair, boards, bare, odd, small, guarded CASCADE;
DROP ROLE regress_align_reader;
DROP ROLE regress_align_other;
