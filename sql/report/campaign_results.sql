-- campaign_results
-- One row per campaign and month: what it cost and might cost, the leads that it brought, what became of them until the instant, and the revenue that its touches earned. Key: campaign_key, month. Costs, budgets and leads are each summed up to campaign and month before they are joined, so cost and budget stand here once: join nothing to it that repeats rows. Leads count once, at their first campaign in the month of that touch; leads + late over all rows are all leads. Revenue stands at the campaign and month of each touch, so the leads and the revenue of a row are not of the same leads; the revenue of a model over all rows is the amount won. The rows of several models are not added up. Leads of young months are not yet won: compare months that are settled. Answers: what did a campaign cost, and what did it bring?
--
-- row_key: month and campaign_key; unique
-- campaign_key: source, medium and name as text (align.campaign_key()); (none) for leads without a touch
-- month: first day of the local month of the touches, the cost and the budget; of leads without a touch, of their entry
-- month_start_at: its first instant
-- campaign_source: source of the campaign; (none) if absent
-- campaign_medium: medium of the campaign; (none) if absent
-- campaign_name: name of the campaign; (none) if absent
-- campaign_id: its id in touches, costs and budgets of the month; (several) if they have more than one, (none) if none
-- channel: channel of the campaign
-- currency: currency of campaign_cost, or of campaign_budget if that is empty; NULL without costs and budgets
-- cost_match: how the cost found the campaign: id or name of a touch; cost only if no touch has either, no cost if there is none
-- is_settled: whether leads had the time to be won: month end + settle is over
-- cost: cost of the month; NULL if no cost is recorded
-- touches: touches in the month
-- leads: leads with their first touch in the month, without late ones
-- qualified: of leads, those that entered the stage of the first handoff
-- submitted: of leads, those that were submitted to a handoff
-- accepted: of leads, those that were accepted
-- rejected: of leads, those that were rejected at least once; they may have been accepted later
-- won: of leads, those that were won, also if they are open, lost or gone again
-- lost: of the others, those that are lost; or are gone and were lost before
-- open: of the others, those that are in an open stage
-- late: leads that were there before the record began; they are in none of the counts of leads
-- revenue_first: amount won by the share of the touches, model first; NULL if leads were won and no amount is known
-- revenue_last: the same by the model last
-- revenue_last_non_direct: by the model last_non_direct
-- revenue_linear: by the model linear
-- revenue_position: by the model position
-- revenue_time_decay: by the model time_decay
-- revenue_u_shaped: by the model u_shaped
-- revenue_w_shaped: by the model w_shaped
-- revenue_full_path: by the model full_path
-- revenue_known: touches, and wins without one, of which a known amount stands in the revenue; a sum of revenue over rows is not known, either, if it has none of these and a revenue in it is NULL
-- cpl: cost / leads; NULL if cost is NULL or 0
-- cac: cost / won; NULL if cost is NULL or 0
-- roas: revenue / cost, by the credit model of the reports; NULL if cost is NULL or 0
-- roi: (revenue - cost) / cost, likewise
-- amount_missing: of won, those without an amount
-- clicks: clicks in the costs of the month; NULL if none are recorded
-- impressions: impressions in the costs of the month; NULL if none are recorded
-- is_complete: whether the record is complete for this month
-- budget: budget of the month, found like the cost, the whole of it also while the month runs; NULL if none is recorded; cost / budget is the part that is used
-- won_shapley: leads won by the share of the touches, model shapley
-- revenue_shapley: amount won by the model shapley

WITH
    in_force AS MATERIALIZED (
        SELECT f.funnel,
            (SELECT h.stage
             FROM align.handoffs(f.funnel) WITH ORDINALITY AS h (handoff, stage, from_team, to_team,
                 accept, reject, reasons, due, warn, n)
             ORDER BY h.n
             LIMIT 1) AS handoff_stage
        FROM ({part:funnel}) AS f
    ),
    qualified AS (
        SELECT DISTINCT {key:e}
        FROM ({part:entries}) AS e
            JOIN in_force AS f ON f.handoff_stage = e.stage
        WHERE e.is_entry
    ),
    rejected AS (
        SELECT DISTINCT {key:h}
        FROM {handoff_facts} AS h
        WHERE h.outcome = 'rejected'
    ),
    -- when late leads were found: the time of those that have no touch
    found AS (
        SELECT {key:o}, min(o.at) AS at
        FROM (SELECT {history_key:h}, h.effective_at AS at
              FROM {history} AS h
              WHERE h.event = 'opening') AS o
        GROUP BY {key:o}
    ),
    leads AS (
        SELECT {key:l},
            l.first_campaign AS campaign,
            date_trunc('month', timezone({zone}, CASE WHEN l.first_campaign <> '(none)' THEN l.first_touch_at
                                                     ELSE coalesce(l.entered_at, found.at) END))::date AS month,
            l.is_late, l.submitted_at, l.accepted_at, l.won_at, l.lost_at, l.status, l.amount
        FROM {lead_facts} AS l
            LEFT JOIN found ON {key_join:found:l} AND l.is_late
    ),
    lead_counts AS MATERIALIZED (
        SELECT l.campaign, l.month,
            count(*) FILTER (WHERE NOT l.is_late) AS leads,
            count(*) FILTER (WHERE NOT l.is_late AND q.is_true) AS qualified,
            count(*) FILTER (WHERE NOT l.is_late AND l.submitted_at IS NOT NULL) AS submitted,
            count(*) FILTER (WHERE NOT l.is_late AND l.accepted_at IS NOT NULL) AS accepted,
            count(*) FILTER (WHERE NOT l.is_late AND r.is_true) AS rejected,
            count(*) FILTER (WHERE NOT l.is_late AND l.won_at IS NOT NULL) AS won,
            count(*) FILTER (WHERE NOT l.is_late AND l.won_at IS NULL
                                 AND (l.status = 'lost' OR l.status = 'gone' AND l.lost_at IS NOT NULL)) AS lost,
            count(*) FILTER (WHERE NOT l.is_late AND l.won_at IS NULL AND l.status = 'open') AS open,
            count(*) FILTER (WHERE l.is_late) AS late,
            count(*) FILTER (WHERE NOT l.is_late AND l.won_at IS NOT NULL AND l.amount IS NULL) AS amount_missing,
            -- what no touch earned
            count(*) FILTER (WHERE l.campaign = '(none)' AND l.won_at IS NOT NULL AND l.amount IS NOT NULL) AS known,
            count(*) FILTER (WHERE l.campaign = '(none)' AND l.won_at IS NOT NULL AND l.amount IS NULL) AS unknown,
            sum(l.amount) FILTER (WHERE l.campaign = '(none)' AND l.won_at IS NOT NULL) AS revenue
        FROM leads AS l
            LEFT JOIN (SELECT {key:q}, true AS is_true FROM qualified AS q) AS q ON {key_join:q:l}
            LEFT JOIN (SELECT {key:r}, true AS is_true FROM rejected AS r) AS r ON {key_join:r:l}
        GROUP BY l.campaign, l.month
    ),
    -- "known" counts touches of wins that have an amount, "unknown" of others
    touch_counts AS MATERIALIZED (
        SELECT t.campaign_key AS campaign, nullif(t.campaign_id, '(none)') AS ad_id,
            date_trunc('month', t.touched_on::timestamp)::date AS month,
            count(*) AS touches,
            count(*) FILTER (WHERE t.won_share_linear > 0 AND t.won_amount_linear IS NOT NULL) AS known,
            count(*) FILTER (WHERE t.won_share_linear > 0 AND t.won_amount_linear IS NULL) AS unknown,
            sum(t.won_amount_first) FILTER (WHERE t.won_share_first > 0) AS first,
            sum(t.won_amount_last) FILTER (WHERE t.won_share_last > 0) AS last,
            sum(t.won_amount_last_non_direct) FILTER (WHERE t.won_share_last_non_direct > 0) AS last_non_direct,
            sum(t.won_amount_linear) FILTER (WHERE t.won_share_linear > 0) AS linear,
            sum(t.won_amount_position) FILTER (WHERE t.won_share_position > 0) AS position,
            sum(t.won_amount_time_decay) FILTER (WHERE t.won_share_time_decay > 0) AS time_decay,
            sum(t.won_amount_u_shaped) FILTER (WHERE t.won_share_u_shaped > 0) AS u_shaped,
            sum(t.won_amount_w_shaped) FILTER (WHERE t.won_share_w_shaped > 0) AS w_shaped,
            sum(t.won_amount_full_path) FILTER (WHERE t.won_share_full_path > 0) AS full_path,
            sum(t.won_amount_shapley) FILTER (WHERE t.won_share_shapley > 0) AS shapley,
            -- as numeric, whose sum does not depend on the order
            sum(t.won_share_shapley::numeric) AS won_shapley
        FROM {touch_facts} AS t
        WHERE t.touch_no > 0
        GROUP BY t.campaign_key, nullif(t.campaign_id, '(none)'), date_trunc('month', t.touched_on::timestamp)
    ),
    by_text AS (
        SELECT t.campaign FROM touch_counts AS t
        UNION
        SELECT l.campaign FROM lead_counts AS l
    ),
    campaigns AS MATERIALIZED (
        {part:campaigns_of_texts}
    ),
    results AS (
        SELECT c.campaign_key, r.month,
            min(r.ad_id) AS first_id,
            max(r.ad_id) AS last_id,
            sum(r.touches)::bigint AS touches, sum(r.leads)::bigint AS leads,
            sum(r.qualified)::bigint AS qualified, sum(r.submitted)::bigint AS submitted,
            sum(r.accepted)::bigint AS accepted, sum(r.rejected)::bigint AS rejected,
            sum(r.won)::bigint AS won, sum(r.lost)::bigint AS lost, sum(r.open)::bigint AS open,
            sum(r.late)::bigint AS late, sum(r.amount_missing)::bigint AS amount_missing,
            sum(r.known)::bigint AS known, sum(r.known) = 0 AND sum(r.unknown) > 0 AS is_unknown,
            sum(r.first) AS first, sum(r.last) AS last, sum(r.last_non_direct) AS last_non_direct,
            sum(r.linear) AS linear, sum(r.position) AS position, sum(r.time_decay) AS time_decay,
            sum(r.u_shaped) AS u_shaped, sum(r.w_shaped) AS w_shaped, sum(r.full_path) AS full_path,
            sum(r.shapley) AS shapley, sum(r.won_shapley) AS won_shapley
        FROM (SELECT t.campaign, t.ad_id, t.month, t.touches, t.known, t.unknown,
                  t.first, t.last, t.last_non_direct, t.linear, t.position, t.time_decay,
                  t.u_shaped, t.w_shaped, t.full_path, t.shapley, t.won_shapley,
                  0 AS leads, 0 AS qualified, 0 AS submitted, 0 AS accepted, 0 AS rejected,
                  0 AS won, 0 AS lost, 0 AS open, 0 AS late, 0 AS amount_missing
              FROM touch_counts AS t
              UNION ALL
              SELECT l.campaign, NULL, l.month, 0, l.known, l.unknown,
                  l.revenue, l.revenue, l.revenue, l.revenue, l.revenue, l.revenue, l.revenue,
                  l.revenue, l.revenue, l.revenue, l.known + l.unknown,
                  l.leads, l.qualified, l.submitted, l.accepted, l.rejected,
                  l.won, l.lost, l.open, l.late, l.amount_missing
              FROM lead_counts AS l) AS r
            JOIN campaigns AS c ON c.campaign = r.campaign
        GROUP BY c.campaign_key, r.month
    ),
    -- costs and budgets of campaigns as they are written, then as align reads them
    costs AS (
        SELECT align.campaign_key(m.made) AS campaign_key,
            coalesce(align.campaign_source(m.made), '') AS source, nullif(align.campaign_id(m.made), '(none)') AS ad_id,
            c.month, c.amount, c.budget, c.clicks, c.impressions
        FROM (SELECT c.campaign_source, c.campaign_medium, c.campaign_name, c.campaign_id,
                  date_trunc('month', c.day::timestamp)::date AS month,
                  sum(c.amount) AS amount, NULL::numeric AS budget, sum(c.clicks)::bigint AS clicks,
                  sum(c.impressions)::bigint AS impressions
              FROM {cost:campaign_cost} AS c
              WHERE c.day <= timezone({zone}, {as_of})::date
              GROUP BY c.campaign_source, c.campaign_medium, c.campaign_name, c.campaign_id,
                  date_trunc('month', c.day::timestamp)
              UNION ALL
              SELECT b.campaign_source, b.campaign_medium, b.campaign_name, b.campaign_id,
                  b.month, NULL, b.amount, NULL, NULL
              FROM {cost:campaign_budget} AS b
              WHERE b.month <= timezone({zone}, {as_of})::date) AS c
            CROSS JOIN LATERAL (
                SELECT coalesce(align.make_campaign(c.campaign_source, c.campaign_medium, c.campaign_name, c.campaign_id),
                                align.parse_campaign('(redacted)')) AS made
                OFFSET 0) AS m
    ),
    campaigns_of_ids AS MATERIALIZED (
        {part:campaign_ids}
    ),
    -- of several campaigns, the one with the most touches in the month, else at all
    of_months AS (
        SELECT DISTINCT ON (i.source, i.ad_id, i.month) i.source, i.ad_id, i.month, i.campaign_key
        FROM campaigns_of_ids AS i
        ORDER BY i.source, i.ad_id, i.month, i.touches DESC, i.campaign_key COLLATE "C"
    ),
    of_all AS (
        {part:campaign_of_ids}
    ),
    cost_counts AS (
        SELECT p.campaign_key, p.month,
            CASE WHEN count(p.amount) = 0 THEN 'no cost'
                WHEN bool_or(p.has_id AND p.amount IS NOT NULL) THEN 'id'
                WHEN bool_or(p.has_name AND p.amount IS NOT NULL) THEN 'name' ELSE 'cost only' END AS cost_match,
            min(p.ad_id) AS first_id, max(p.ad_id) AS last_id,
            sum(p.amount) AS amount, sum(p.budget) AS budget, sum(p.clicks)::bigint AS clicks,
            sum(p.impressions)::bigint AS impressions
        FROM (SELECT coalesce(m.campaign_key, a.campaign_key, c.campaign_key) AS campaign_key,
                  a.campaign_key IS NOT NULL AS has_id, n.campaign_key IS NOT NULL AS has_name,
                  c.ad_id, c.month, c.amount, c.budget, c.clicks, c.impressions
              FROM costs AS c
                  LEFT JOIN of_all AS a ON a.ad_id = c.ad_id AND a.source = c.source
                  LEFT JOIN of_months AS m ON m.ad_id = c.ad_id AND m.source = c.source AND m.month = c.month
                  LEFT JOIN (SELECT DISTINCT k.campaign_key FROM campaigns AS k WHERE k.is_campaign) AS n
                      ON n.campaign_key = c.campaign_key) AS p
        GROUP BY p.campaign_key, p.month
    ),
    joined AS (
        SELECT coalesce(r.campaign_key, c.campaign_key) AS campaign_key,
            coalesce(r.month, c.month) AS month,
            least(r.first_id, c.first_id) AS first_id, greatest(r.last_id, c.last_id) AS last_id,
            coalesce(c.cost_match, 'no cost') AS cost_match,
            c.amount AS cost, nullif(c.amount, 0) AS divisor, c.budget, c.clicks, c.impressions,
            coalesce(r.touches, 0) AS touches, coalesce(r.leads, 0) AS leads,
            coalesce(r.qualified, 0) AS qualified, coalesce(r.submitted, 0) AS submitted,
            coalesce(r.accepted, 0) AS accepted, coalesce(r.rejected, 0) AS rejected,
            coalesce(r.won, 0) AS won, coalesce(r.lost, 0) AS lost, coalesce(r.open, 0) AS open,
            coalesce(r.late, 0) AS late, coalesce(r.amount_missing, 0) AS amount_missing,
            coalesce(r.known, 0) AS known, CASE WHEN r.is_unknown THEN NULL ELSE 0::numeric END AS nothing,
            r.first, r.last, r.last_non_direct, r.linear, r.position, r.time_decay,
            r.u_shaped, r.w_shaped, r.full_path, r.shapley, coalesce(r.won_shapley, 0) AS won_shapley
        FROM results AS r
            FULL JOIN cost_counts AS c ON c.campaign_key = r.campaign_key AND c.month = r.month
    ),
    names AS (
        SELECT k.campaign_key, p.parsed, k.campaign_key <> '(none)' AS is_campaign
        FROM (SELECT DISTINCT j.campaign_key FROM joined AS j) AS k
            CROSS JOIN LATERAL (SELECT align.parse_campaign(k.campaign_key) AS parsed OFFSET 0) AS p
    ),
    valued AS (
        SELECT j.*,
            coalesce(CASE {credit_model}
                         WHEN 'first' THEN j.first
                         WHEN 'last' THEN j.last
                         WHEN 'last_non_direct' THEN j.last_non_direct
                         WHEN 'linear' THEN j.linear
                         WHEN 'position' THEN j.position
                         WHEN 'time_decay' THEN j.time_decay
                         WHEN 'u_shaped' THEN j.u_shaped
                         WHEN 'w_shaped' THEN j.w_shaped
                         WHEN 'full_path' THEN j.full_path
                         WHEN 'shapley' THEN j.shapley
                     END, j.nothing) AS revenue
        FROM joined AS j
    )
SELECT to_char(v.month, 'YYYY-MM') || ' ' || v.campaign_key AS row_key,
    v.campaign_key,
    v.month,
    timezone({zone}, v.month::timestamp) AS month_start_at,
    coalesce(CASE WHEN n.is_campaign THEN align.campaign_source(n.parsed) END, '(none)') AS campaign_source,
    coalesce(CASE WHEN n.is_campaign THEN align.campaign_medium(n.parsed) END, '(none)') AS campaign_medium,
    coalesce(CASE WHEN n.is_campaign THEN align.campaign_name(n.parsed) END, '(none)') AS campaign_name,
    CASE WHEN v.first_id <> v.last_id THEN '(several)' ELSE coalesce(v.first_id, '(none)') END AS campaign_id,
    CASE WHEN n.is_campaign THEN align.channel(n.parsed, f.funnel) ELSE '(none)' END AS channel,
    coalesce((SELECT min(c.currency) FROM {cost:campaign_cost} AS c),
        (SELECT min(b.currency) FROM {cost:campaign_budget} AS b)) AS currency,
    v.cost_match,
    timezone({zone}, v.month + interval '1 month') + {settle} <= {as_of} AS is_settled,
    v.cost,
    v.touches,
    v.leads,
    v.qualified,
    v.submitted,
    v.accepted,
    v.rejected,
    v.won,
    v.lost,
    v.open,
    v.late,
    coalesce(v.first, v.nothing) AS revenue_first,
    coalesce(v.last, v.nothing) AS revenue_last,
    coalesce(v.last_non_direct, v.nothing) AS revenue_last_non_direct,
    coalesce(v.linear, v.nothing) AS revenue_linear,
    coalesce(v.position, v.nothing) AS revenue_position,
    coalesce(v.time_decay, v.nothing) AS revenue_time_decay,
    coalesce(v.u_shaped, v.nothing) AS revenue_u_shaped,
    coalesce(v.w_shaped, v.nothing) AS revenue_w_shaped,
    coalesce(v.full_path, v.nothing) AS revenue_full_path,
    v.known AS revenue_known,
    v.divisor / nullif(v.leads, 0) AS cpl,
    v.divisor / nullif(v.won, 0) AS cac,
    v.revenue / v.divisor AS roas,
    (v.revenue - v.divisor) / v.divisor AS roi,
    v.amount_missing,
    v.clicks,
    v.impressions,
    timezone({zone}, v.month::timestamp) >= {complete_since} AS is_complete,
    v.budget,
    v.won_shapley::float8 AS won_shapley,
    coalesce(v.shapley, v.nothing) AS revenue_shapley
FROM valued AS v
    CROSS JOIN in_force AS f
    JOIN names AS n ON n.campaign_key = v.campaign_key
