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
-- won_share_shapley: by the model shapley: equal parts for the different channels, and of each for its touches
-- won_amount_shapley: the same of its amount

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
    coalesce(t.share_first, 0) AS won_share_first,
    CASE WHEN t.won_at IS NULL OR t.amount IS NOT NULL THEN coalesce(t.amount_first, 0) END AS won_amount_first,
    coalesce(t.share_last, 0) AS won_share_last,
    CASE WHEN t.won_at IS NULL OR t.amount IS NOT NULL THEN coalesce(t.amount_last, 0) END AS won_amount_last,
    coalesce(t.share_last_non_direct, 0) AS won_share_last_non_direct,
    CASE WHEN t.won_at IS NULL OR t.amount IS NOT NULL THEN coalesce(t.amount_last_non_direct, 0) END AS won_amount_last_non_direct,
    coalesce(t.share_linear, 0) AS won_share_linear,
    CASE WHEN t.won_at IS NULL OR t.amount IS NOT NULL THEN coalesce(t.amount_linear, 0) END AS won_amount_linear,
    coalesce(t.share_position, 0) AS won_share_position,
    CASE WHEN t.won_at IS NULL OR t.amount IS NOT NULL THEN coalesce(t.amount_position, 0) END AS won_amount_position,
    coalesce(t.share_time_decay, 0) AS won_share_time_decay,
    CASE WHEN t.won_at IS NULL OR t.amount IS NOT NULL THEN coalesce(t.amount_time_decay, 0) END AS won_amount_time_decay,
    coalesce(t.share_u_shaped, 0) AS won_share_u_shaped,
    CASE WHEN t.won_at IS NULL OR t.amount IS NOT NULL THEN coalesce(t.amount_u_shaped, 0) END AS won_amount_u_shaped,
    coalesce(t.share_w_shaped, 0) AS won_share_w_shaped,
    CASE WHEN t.won_at IS NULL OR t.amount IS NOT NULL THEN coalesce(t.amount_w_shaped, 0) END AS won_amount_w_shaped,
    coalesce(t.share_full_path, 0) AS won_share_full_path,
    CASE WHEN t.won_at IS NULL OR t.amount IS NOT NULL THEN coalesce(t.amount_full_path, 0) END AS won_amount_full_path,
    t.won_at,
    t.recorded_at,
    coalesce(t.share_shapley, 0) AS won_share_shapley,
    CASE WHEN t.won_at IS NULL OR t.amount IS NOT NULL THEN coalesce(t.amount_shapley, 0) END AS won_amount_shapley
    {dimensions}
FROM {stored:touch_facts} AS t
    {dimension_join:t}
