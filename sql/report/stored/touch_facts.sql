-- What is known of the touches of leads by campaigns, and of the wins that no touch
-- brought (touch 0).  Amounts and shares are NULL where a touch earns nothing.
WITH
    in_force AS MATERIALIZED (
        SELECT f.funnel,
            EXISTS (SELECT FROM align.handoffs(f.funnel)) AS has_handoffs,
            (SELECT s.stage
             FROM align.stages(f.funnel) AS s
             WHERE s.on_success_path
             ORDER BY s.kind = 'open' DESC, s.stage_position DESC
             LIMIT 1) AS opportunity
        FROM ({part:funnel}) AS f
    ),
    -- an opening in a won stage is no win; touches() and funnel_credit() see it
    -- under a name that the agreement does not know
    leads AS (
        SELECT {key:e},
            align.lead_agg(e.at,
                           CASE WHEN e.event = 'opening' AND e.stage_kind = 'won' THEN '(found)'
                               WHEN e.is_stage_entry THEN e.stage END,
                           NULL, NULL, e.campaign, NULL, e.entry_no, NULL)
                FILTER (WHERE e.is_stage_entry OR e.event = 'touch') AS lead,
            min(e.at) FILTER (WHERE e.is_entry AND e.stage_kind = 'won') AS won_at,
            min(e.at) FILTER (WHERE e.is_entry AND e.handoff IS NOT NULL) AS submitted_at,
            -- rows come in the order of the journey
            (array_agg(e.amount) FILTER (WHERE e.amount IS NOT NULL AND e.event <> 'touch'))
                [count(e.amount) FILTER (WHERE e.event <> 'touch')] AS amount,
            min(e.at) FILTER (WHERE e.campaign IS NOT NULL
                                  AND (e.is_stage_entry OR e.event = 'touch')) AS touched_at,
            max(e.recorded_at) AS recorded_at
        FROM (SELECT e.*
              FROM ({part:entries}) AS e
              WHERE e.is_stage_entry OR e.event = 'touch' OR NOT e.is_merged
              ORDER BY {key:e}, e.place) AS e
        GROUP BY {key:e}
        HAVING count(e.campaign) FILTER (WHERE e.is_stage_entry OR e.event = 'touch') > 0
            OR bool_or(e.is_entry AND e.stage_kind = 'won')
    ),
    -- the touches, with the numbers of the last one until the lead was won, and of
    -- the decisive one; a won lead without touches until then has number 0, too
    touches AS (
        SELECT {key:l}, l.won_at, l.decided_at, l.amount, l.recorded_at,
            t.touch, t.at, t.channel, t.until_won, t.decisive,
            align.parse_campaign(t.campaign) AS campaign
        FROM (SELECT l.*, f.funnel,
                  CASE WHEN f.has_handoffs THEN l.submitted_at ELSE l.won_at END AS decided_at
              FROM leads AS l
                  CROSS JOIN in_force AS f) AS l
            CROSS JOIN LATERAL (
                SELECT t.*,
                    count(*) FILTER (WHERE l.won_at IS NULL OR t.at <= l.won_at) OVER () AS until_won,
                    coalesce(max(t.touch) FILTER (WHERE t.at <= l.decided_at AND t.channel <> 'Direct') OVER (),
                             count(*) FILTER (WHERE t.at <= l.decided_at) OVER ()) AS decisive
                FROM (SELECT t.touch, t.at, t.campaign, t.channel
                      FROM align.touches(l.lead, l.funnel) AS t
                      UNION ALL
                      SELECT 0, NULL, NULL, NULL
                      WHERE l.won_at < l.touched_at OR l.won_at IS NOT NULL AND l.touched_at IS NULL) AS t
            ) AS t
        OFFSET 0 -- so that a campaign is parsed once for all of its columns
    ),
    -- the won leads, with their last amount in every entry: it is what is divided
    won AS (
        SELECT {key:l}, f.funnel, f.opportunity,
            (SELECT align.lead_agg(e.at, e.stage, NULL, NULL, e.campaign, l.amount, e.ordinal, NULL)
             FROM align.entries(l.lead) AS e) AS lead
        FROM leads AS l
            CROSS JOIN in_force AS f
        WHERE l.won_at IS NOT NULL
        OFFSET 0 -- made once, not for each model
    ),
    credit AS (
        SELECT {key:w}, coalesce(c.touch, 0) AS touch,
            sum(c.share) FILTER (WHERE c.model = 'first') AS share_first,
            sum(c.amount) FILTER (WHERE c.model = 'first') AS amount_first,
            sum(c.share) FILTER (WHERE c.model = 'last') AS share_last,
            sum(c.amount) FILTER (WHERE c.model = 'last') AS amount_last,
            sum(c.share) FILTER (WHERE c.model = 'last_non_direct') AS share_last_non_direct,
            sum(c.amount) FILTER (WHERE c.model = 'last_non_direct') AS amount_last_non_direct,
            sum(c.share) FILTER (WHERE c.model = 'linear') AS share_linear,
            sum(c.amount) FILTER (WHERE c.model = 'linear') AS amount_linear,
            sum(c.share) FILTER (WHERE c.model = 'position') AS share_position,
            sum(c.amount) FILTER (WHERE c.model = 'position') AS amount_position,
            sum(c.share) FILTER (WHERE c.model = 'time_decay') AS share_time_decay,
            sum(c.amount) FILTER (WHERE c.model = 'time_decay') AS amount_time_decay,
            sum(c.share) FILTER (WHERE c.model = 'u_shaped') AS share_u_shaped,
            sum(c.amount) FILTER (WHERE c.model = 'u_shaped') AS amount_u_shaped,
            sum(c.share) FILTER (WHERE c.model = 'w_shaped') AS share_w_shaped,
            sum(c.amount) FILTER (WHERE c.model = 'w_shaped') AS amount_w_shaped,
            sum(c.share) FILTER (WHERE c.model = 'full_path') AS share_full_path,
            sum(c.amount) FILTER (WHERE c.model = 'full_path') AS amount_full_path,
            sum(c.share) FILTER (WHERE c.model = 'shapley') AS share_shapley,
            sum(c.amount) FILTER (WHERE c.model = 'shapley') AS amount_shapley
        FROM won AS w
            -- a call for each model: one whose model changes takes twice as long
            CROSS JOIN LATERAL (
                SELECT 'first', c.touch, c.share, c.amount
                FROM align.funnel_credit(w.lead, w.funnel, 'first') AS c
                UNION ALL
                SELECT 'last', c.touch, c.share, c.amount
                FROM align.funnel_credit(w.lead, w.funnel, 'last') AS c
                UNION ALL
                SELECT 'last_non_direct', c.touch, c.share, c.amount
                FROM align.funnel_credit(w.lead, w.funnel, 'last_non_direct') AS c
                UNION ALL
                SELECT 'linear', c.touch, c.share, c.amount
                FROM align.funnel_credit(w.lead, w.funnel, 'linear') AS c
                UNION ALL
                SELECT 'position', c.touch, c.share, c.amount
                FROM align.funnel_credit(w.lead, w.funnel, 'position') AS c
                UNION ALL
                SELECT 'time_decay', c.touch, c.share, c.amount
                FROM align.funnel_credit(w.lead, w.funnel, 'time_decay') AS c
                UNION ALL
                SELECT 'u_shaped', c.touch, c.share, c.amount
                FROM align.funnel_credit(w.lead, w.funnel, 'u_shaped') AS c
                UNION ALL
                SELECT 'w_shaped', c.touch, c.share, c.amount
                FROM align.funnel_credit(w.lead, w.funnel, 'w_shaped', milestones => ARRAY[NULL, w.opportunity]) AS c
                UNION ALL
                SELECT 'full_path', c.touch, c.share, c.amount
                FROM align.funnel_credit(w.lead, w.funnel, 'full_path', milestones => ARRAY[NULL, w.opportunity]) AS c
                UNION ALL
                SELECT 'shapley', c.touch, c.share, c.amount
                FROM align.funnel_credit(w.lead, w.funnel, 'shapley') AS c
            ) AS c (model, touch, share, amount)
        GROUP BY {key:w}, coalesce(c.touch, 0)
    )
SELECT {key:t}, t.touch, t.at, t.campaign, t.channel, t.until_won, t.decisive,
    t.decided_at, t.won_at, t.amount,
    c.share_first, c.amount_first,
    c.share_last, c.amount_last,
    c.share_last_non_direct, c.amount_last_non_direct,
    c.share_linear, c.amount_linear,
    c.share_position, c.amount_position,
    c.share_time_decay, c.amount_time_decay,
    c.share_u_shaped, c.amount_u_shaped,
    c.share_w_shaped, c.amount_w_shaped,
    c.share_full_path, c.amount_full_path,
    c.share_shapley, c.amount_shapley,
    t.recorded_at
FROM touches AS t
    LEFT JOIN credit AS c ON {key_join:c:t} AND c.touch = t.touch
