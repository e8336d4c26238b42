-- channel_results
-- One row per channel and month: campaign_results summed by channel, so cost that finds no campaign is in it, too. Key: channel, month. The columns are those of campaign_results and add up likewise; ratios are computed from the sums. Answers: which channel is worth its cost?
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

WITH
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
            sum(c.clicks)::bigint AS clicks, sum(c.impressions)::bigint AS impressions
        FROM {campaign_results} AS c
        GROUP BY c.channel, c.month, c.month_start_at, c.currency, c.is_settled, c.is_complete
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
    v.budget
FROM valued AS v
