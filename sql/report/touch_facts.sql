-- touch_facts per lead
-- One row per touch of a lead by a campaign, as of the instant, with its share of the win by every model; a won lead that no touch brought has one row with the campaign (none). Key: row_key (lead and number of the touch). A lead has many rows, so do not add up columns of lead_facts after a join, and do not add up shares of several models. Over the rows of a won lead the shares of a model add up to 1, and the amounts to the amount of the lead. Answers: which touches brought the leads that were won?
--
-- row_key: lead and touch_no as text; unique
-- touch_no: number of the touch among those of its lead, from 1; 0 in the row
--   of a won lead that no touch brought
-- touched_at: when it happened; NULL if touch_no is 0
-- touched_on: local date of touched_at
-- campaign_key: source, medium and name as text (align.campaign_key()), as in campaign_results; (none) if touch_no is 0
-- campaign_source: utm_source: where the visitor came from; (none) if absent
-- campaign_medium: utm_medium: by what kind of link; (none) if absent
-- campaign_name: utm_campaign: name of the campaign; (none) if absent
-- campaign_term: utm_term: the keyword; (none) if absent
-- campaign_content: utm_content: the variant; (none) if absent
-- campaign_id: utm_id: id of the campaign in the advertiser's system; (none) if absent
-- channel: channel by the agreement, then by the rules of align
-- is_first: whether it is the first touch until the lead was won
-- is_decisive: whether it is the last touch that is not Direct until the first
--   submission (without handoffs: until the lead was won), or the last one if
--   all are Direct
-- is_last: whether it is the last touch until the lead was won
-- after_win: whether it came after the lead was won; it earns nothing
-- won_share_first: share of the win by the model first; 0 if the lead was not won
-- won_amount_first: the same of its amount; NULL if the lead was won without one
-- won_share_last: by the model last
-- won_amount_last: the same of its amount
-- won_share_last_non_direct: by the model last_non_direct
-- won_amount_last_non_direct: the same of its amount
-- won_share_linear: by the model linear
-- won_amount_linear: the same of its amount
-- won_share_position: by the model position: 40 % first, 40 % last
-- won_amount_position: the same of its amount
-- won_share_time_decay: by the model time_decay: half for every 7 days before the last touch
-- won_amount_time_decay: the same of its amount
-- won_share_u_shaped: by the model u_shaped; lead creation is the first entry into a stage
-- won_amount_u_shaped: the same of its amount
-- won_share_w_shaped: by the model w_shaped; the opportunity is the last open stage of the success path
-- won_amount_w_shaped: the same of its amount
-- won_share_full_path: by the model full_path, with the same milestones
-- won_amount_full_path: the same of its amount
-- won_at: when the lead was won first; NULL if it was not
-- recorded_at: when the latest entry of the lead was recorded

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
            sum(c.amount) FILTER (WHERE c.model = 'full_path') AS amount_full_path
        FROM won AS w
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
            ) AS c (model, touch, share, amount)
        GROUP BY {key:w}, coalesce(c.touch, 0)
    )
SELECT {key_text:t} || ' ' || t.touch AS row_key,
    {key:t},
    t.touch AS touch_no,
    t.at AS touched_at,
    timezone({zone}, t.at)::date AS touched_on,
    coalesce(align.campaign_key(t.campaign), '(none)') AS campaign_key,
    coalesce(align.campaign_source(t.campaign), '(none)') AS campaign_source,
    coalesce(align.campaign_medium(t.campaign), '(none)') AS campaign_medium,
    coalesce(align.campaign_name(t.campaign), '(none)') AS campaign_name,
    coalesce(align.campaign_term(t.campaign), '(none)') AS campaign_term,
    coalesce(align.campaign_content(t.campaign), '(none)') AS campaign_content,
    coalesce(align.campaign_id(t.campaign), '(none)') AS campaign_id,
    coalesce(t.channel, '(none)') AS channel,
    t.touch = least(t.until_won, 1) AS is_first,
    t.decided_at IS NOT NULL AND t.touch = t.decisive AS is_decisive,
    t.touch = t.until_won AS is_last,
    coalesce(t.at > t.won_at, false) AS after_win,
    coalesce(c.share_first, 0) AS won_share_first,
    CASE WHEN t.won_at IS NULL OR t.amount IS NOT NULL THEN coalesce(c.amount_first, 0) END AS won_amount_first,
    coalesce(c.share_last, 0) AS won_share_last,
    CASE WHEN t.won_at IS NULL OR t.amount IS NOT NULL THEN coalesce(c.amount_last, 0) END AS won_amount_last,
    coalesce(c.share_last_non_direct, 0) AS won_share_last_non_direct,
    CASE WHEN t.won_at IS NULL OR t.amount IS NOT NULL THEN coalesce(c.amount_last_non_direct, 0) END AS won_amount_last_non_direct,
    coalesce(c.share_linear, 0) AS won_share_linear,
    CASE WHEN t.won_at IS NULL OR t.amount IS NOT NULL THEN coalesce(c.amount_linear, 0) END AS won_amount_linear,
    coalesce(c.share_position, 0) AS won_share_position,
    CASE WHEN t.won_at IS NULL OR t.amount IS NOT NULL THEN coalesce(c.amount_position, 0) END AS won_amount_position,
    coalesce(c.share_time_decay, 0) AS won_share_time_decay,
    CASE WHEN t.won_at IS NULL OR t.amount IS NOT NULL THEN coalesce(c.amount_time_decay, 0) END AS won_amount_time_decay,
    coalesce(c.share_u_shaped, 0) AS won_share_u_shaped,
    CASE WHEN t.won_at IS NULL OR t.amount IS NOT NULL THEN coalesce(c.amount_u_shaped, 0) END AS won_amount_u_shaped,
    coalesce(c.share_w_shaped, 0) AS won_share_w_shaped,
    CASE WHEN t.won_at IS NULL OR t.amount IS NOT NULL THEN coalesce(c.amount_w_shaped, 0) END AS won_amount_w_shaped,
    coalesce(c.share_full_path, 0) AS won_share_full_path,
    CASE WHEN t.won_at IS NULL OR t.amount IS NOT NULL THEN coalesce(c.amount_full_path, 0) END AS won_amount_full_path,
    t.won_at,
    t.recorded_at
    {dimensions}
FROM touches AS t
    LEFT JOIN credit AS c ON {key_join:c:t} AND c.touch = t.touch
    {dimension_join:t}
