-- channel_results
-- One row per channel and month: campaign_results summed by channel, so cost that finds no campaign is in it, too. Key: channel, month. The columns are those of campaign_results and add up likewise; ratios are computed from the sums. The model markov credits channels, not touches: what a channel earned over all months is divided among its months by its touches in the journeys that were won or lost. Answers: which channel is worth its cost?
--
-- row_key: month and channel; unique
-- channel: channel by the agreement, then by the rules of align; (none) for leads without a touch
-- month: first day of the local month of the touches, the cost and the budget; of leads without a touch, of their entry
-- month_start_at: its first instant
-- currency: currency of campaign_cost, or of campaign_budget if that is empty; NULL without costs and budgets
-- is_settled: whether leads had the time to be won: month end + settle is over
-- cost: cost of the month; NULL if no cost is recorded
-- cost_only: of cost, that of campaigns that no touch has; NULL if no cost is recorded
-- touches: touches in the month
-- leads: leads with their first touch in the month, without late ones
-- qualified: of leads, those that entered the stage of the first handoff
-- submitted: of leads, those that were submitted to a handoff
-- accepted: of leads, those that were accepted
-- rejected: of leads, those that were rejected at least once
-- won: of leads, those that were won
-- lost: of the others, those that are lost; or are gone and were lost before
-- open: of the others, those that are in an open stage
-- late: leads that were there before the record began
-- revenue_first: amount won by the share of the touches, model first; NULL if leads were won and no amount is known
-- revenue_last: the same by the model last
-- revenue_last_non_direct: by the model last_non_direct
-- revenue_linear: by the model linear
-- revenue_position: by the model position
-- revenue_time_decay: by the model time_decay
-- revenue_u_shaped: by the model u_shaped
-- revenue_w_shaped: by the model w_shaped
-- revenue_full_path: by the model full_path
-- revenue_known: touches, and wins without one, of which a known amount stands in the revenue
-- cpl: cost / leads; NULL if cost is NULL or 0
-- cac: cost / won; NULL if cost is NULL or 0
-- roas: revenue / cost, by the credit model of the reports; NULL if cost is NULL or 0
-- roi: (revenue - cost) / cost, likewise
-- amount_missing: of won, those without an amount
-- clicks: clicks in the costs of the month; NULL if none are recorded
-- impressions: impressions in the costs of the month; NULL if none are recorded
-- is_complete: whether the record is complete for this month
-- budget: budgets of the month; NULL if none is recorded. Compare it with cost only if all campaigns of the channel have one (campaign_results)
-- won_shapley: leads won by the share of the touches, model shapley
-- revenue_shapley: amount won by the model shapley
-- won_markov: leads won by the removal effect of the channel, model markov: how many wins a chain of
--   all journeys that were won or lost loses without it
-- revenue_markov: amount won by the model markov

WITH
    results AS MATERIALIZED (
        SELECT * FROM {campaign_results}
    ),
    sums AS (
        SELECT c.channel, c.month, c.month_start_at, c.currency, c.is_settled, c.is_complete,
            sum(c.cost) AS cost, sum(c.budget) AS budget,
            sum(CASE WHEN c.cost_match = 'cost only' THEN c.cost WHEN c.cost IS NOT NULL THEN 0 END) AS cost_only,
            sum(c.touches)::bigint AS touches, sum(c.leads)::bigint AS leads,
            sum(c.qualified)::bigint AS qualified, sum(c.submitted)::bigint AS submitted,
            sum(c.accepted)::bigint AS accepted, sum(c.rejected)::bigint AS rejected,
            sum(c.won)::bigint AS won, sum(c.lost)::bigint AS lost, sum(c.open)::bigint AS open,
            sum(c.late)::bigint AS late,
            sum(c.revenue_first) AS revenue_first,
            sum(c.revenue_last) AS revenue_last,
            sum(c.revenue_last_non_direct) AS revenue_last_non_direct,
            sum(c.revenue_linear) AS revenue_linear,
            sum(c.revenue_position) AS revenue_position,
            sum(c.revenue_time_decay) AS revenue_time_decay,
            sum(c.revenue_u_shaped) AS revenue_u_shaped,
            sum(c.revenue_w_shaped) AS revenue_w_shaped,
            sum(c.revenue_full_path) AS revenue_full_path,
            sum(c.revenue_known)::bigint AS revenue_known,
            -- added to a sum, it makes NULL of the 0 of campaigns that won nothing,
            -- if what the others won is not known
            CASE WHEN sum(c.revenue_known) > 0 OR count(c.revenue_linear) = count(*) THEN 0 END AS nothing,
            sum(c.amount_missing)::bigint AS amount_missing,
            sum(c.clicks)::bigint AS clicks, sum(c.impressions)::bigint AS impressions,
            sum(c.revenue_shapley) AS revenue_shapley,
            -- as numeric, whose sum does not depend on the order
            sum(c.won_shapley::numeric) AS won_shapley,
            -- what no touch brought, no model divides
            coalesce(sum(c.won_shapley::numeric) FILTER (WHERE c.campaign_key = '(none)'), 0) AS won_alone,
            CASE WHEN bool_or(c.campaign_key = '(none)')
                THEN sum(c.revenue_shapley) FILTER (WHERE c.campaign_key = '(none)') ELSE 0 END AS revenue_alone
        FROM results AS c
        GROUP BY c.channel, c.month, c.month_start_at, c.currency, c.is_settled, c.is_complete
    ),
    -- the touches of decided journeys: until the lead was won, or all if it is lost
    touches AS MATERIALIZED (
        SELECT {key:t}, t.touch_no, c.channel, date_trunc('month', t.touched_on::timestamp)::date AS month,
            t.won_at IS NOT NULL AS is_won, t.won_amount_linear AS amount
        FROM {touch_facts} AS t
            JOIN {lead_facts} AS l ON {key_join:l:t}
            JOIN (SELECT DISTINCT r.campaign_key, r.channel FROM results AS r) AS c ON c.campaign_key = t.campaign_key
        WHERE t.touch_no > 0
            AND CASE WHEN t.won_at IS NOT NULL THEN NOT t.after_win
                    ELSE l.status = 'lost' OR l.status = 'gone' AND l.lost_at IS NOT NULL END
    ),
    journeys AS (
        SELECT align.paths_agg(j.path, j.is_won, j.amount) AS paths,
            greatest(scale(sum(j.amount) FILTER (WHERE j.is_won)), 2) AS decimals
        FROM (SELECT array_agg(t.channel ORDER BY t.touch_no) AS path, t.is_won, sum(t.amount) AS amount
              FROM touches AS t
              GROUP BY {key:t}, t.is_won) AS j
    ),
    markov AS (
        SELECT m.channel, m.conversions, m.value, j.decimals,
            sum(m.value) OVER (ORDER BY m.channel COLLATE "C") AS value_to
        FROM journeys AS j
            CROSS JOIN LATERAL align.markov(j.paths) AS m
    ),
    -- amounts are rounded where they are summed up over channels and months, so that
    -- the parts add up to what was won
    markov_months AS (
        SELECT m.channel, t.month,
            m.conversions * t.touches / t.all_touches AS won,
            m.conversions > 0 AND m.value IS NULL AS is_unknown,
            round(m.value_to - m.value * (t.all_touches - t.touches_to) / t.all_touches, m.decimals) AS value_to
        FROM markov AS m
            JOIN (SELECT t.channel, t.month, count(*) AS touches,
                      sum(count(*)) OVER (PARTITION BY t.channel ORDER BY t.month)::bigint AS touches_to,
                      sum(count(*)) OVER (PARTITION BY t.channel)::bigint AS all_touches
                  FROM touches AS t
                  GROUP BY t.channel, t.month) AS t ON t.channel = m.channel
    ),
    valued AS (
        SELECT s.*,
            s.nothing + CASE {credit_model}
                WHEN 'first' THEN s.revenue_first
                WHEN 'last' THEN s.revenue_last
                WHEN 'last_non_direct' THEN s.revenue_last_non_direct
                WHEN 'linear' THEN s.revenue_linear
                WHEN 'position' THEN s.revenue_position
                WHEN 'time_decay' THEN s.revenue_time_decay
                WHEN 'u_shaped' THEN s.revenue_u_shaped
                WHEN 'w_shaped' THEN s.revenue_w_shaped
                WHEN 'full_path' THEN s.revenue_full_path
                WHEN 'shapley' THEN s.revenue_shapley
            END AS revenue
        FROM sums AS s
    )
SELECT to_char(v.month, 'YYYY-MM') || ' ' || v.channel AS row_key,
    v.channel,
    v.month,
    v.month_start_at,
    v.currency,
    v.is_settled,
    v.cost,
    v.cost_only,
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
    v.revenue_first + v.nothing AS revenue_first,
    v.revenue_last + v.nothing AS revenue_last,
    v.revenue_last_non_direct + v.nothing AS revenue_last_non_direct,
    v.revenue_linear + v.nothing AS revenue_linear,
    v.revenue_position + v.nothing AS revenue_position,
    v.revenue_time_decay + v.nothing AS revenue_time_decay,
    v.revenue_u_shaped + v.nothing AS revenue_u_shaped,
    v.revenue_w_shaped + v.nothing AS revenue_w_shaped,
    v.revenue_full_path + v.nothing AS revenue_full_path,
    v.revenue_known,
    nullif(v.cost, 0) / nullif(v.leads, 0) AS cpl,
    nullif(v.cost, 0) / nullif(v.won, 0) AS cac,
    v.revenue / nullif(v.cost, 0) AS roas,
    (v.revenue - v.cost) / nullif(v.cost, 0) AS roi,
    v.amount_missing,
    v.clicks,
    v.impressions,
    v.is_complete,
    v.budget,
    v.won_shapley::float8 AS won_shapley,
    v.revenue_shapley + v.nothing AS revenue_shapley,
    coalesce(m.won, 0) + v.won_alone::float8 AS won_markov,
    CASE WHEN m.is_unknown THEN NULL ELSE coalesce(m.revenue, 0) END + v.revenue_alone AS revenue_markov
FROM valued AS v
    LEFT JOIN (SELECT m.*, m.value_to - lag(m.value_to, 1, 0::numeric) OVER (ORDER BY m.channel COLLATE "C", m.month) AS revenue
               FROM markov_months AS m) AS m ON m.channel = v.channel AND m.month = v.month
