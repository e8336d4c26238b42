-- What is known of leads that have or had a stage.  "since" and "version" are of
-- the entry into the stage that the lead is in; "over_at" is when it was won, lost
-- or gone last.
WITH
    in_force AS MATERIALIZED (
        SELECT f.funnel,
            EXISTS (SELECT FROM align.handoffs(f.funnel)) AS has_handoffs,
            (SELECT array_agg(s.segment) FROM align.segments(f.funnel) AS s) AS segments
        FROM ({part:funnel}) AS f
    ),
    -- the handoffs of all versions, and the stages that accept
    handoffs AS MATERIALIZED (
        SELECT h.agreement, h.version, h.handoff, h.accept, row_number() OVER () AS handoff_no
        FROM ({part:handoffs}) AS h
    ),
    accepts AS (
        SELECT h.handoff_no, accept.stage
        FROM handoffs AS h
            CROSS JOIN LATERAL unnest(h.accept) AS accept (stage)
    ),
    journeys AS (
        SELECT e.*, h.handoff_no,
            -- a row that was not live for a while has not left
            CASE WHEN e.source = 'resumed' THEN lag(e.stage, 2) OVER journey
                ELSE lag(e.stage) OVER journey END AS previous_stage,
            CASE WHEN e.source = 'resumed' THEN lag(e.stage_order, 2) OVER journey
                ELSE lag(e.stage_order) OVER journey END AS previous_order,
            coalesce(lead(e.source) OVER journey = 'resumed', false) AS is_undone,
            count(*) FILTER (WHERE e.is_stage_entry) OVER journey AS stages_so_far,
            coalesce(lead(e.event) OVER journey, 'touch') = 'touch' AND e.event <> 'touch' AS is_last
        FROM ({part:entries}) AS e
            LEFT JOIN handoffs AS h
                ON h.agreement = e.agreement AND h.version = e.version AND h.handoff = e.handoff
        WHERE e.is_stage_entry OR e.event = 'touch'
            OR NOT e.is_merged AND e.event IN ('owner', 'deleted', 'truncated', 'move', 'override')
            OR e.event = 'rekey' AND e.note LIKE 'merged from %'
        WINDOW journey AS (PARTITION BY {key:e} ORDER BY e.place)
    ),
    changes AS (
        SELECT j.*,
            j.is_stage_entry AND j.stages_so_far = 1 AS is_first,
            j.is_stage_entry AND j.stage IS DISTINCT FROM j.previous_stage AS is_change,
            j.stage IS NULL AND j.event <> 'touch' AND NOT j.is_undone AS is_end
        FROM journeys AS j
    ),
    -- with the handoff that the lead was submitted to by its last change before
    decisions AS (
        SELECT c.*,
            (max(CASE WHEN c.is_change OR c.is_end THEN ARRAY[c.place, c.handoff_no] END) OVER before)[2]
                AS submitted_to
        FROM changes AS c
        WINDOW before AS (PARTITION BY {key:c} ORDER BY c.place
                          ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
        -- the aggregates below take the last element of an array for the last value;
        -- the windows have this order, so nothing is sorted for it
        ORDER BY {key:c}, c.place
        OFFSET 0 -- computed once, not in each of the aggregates
    ),
    leads AS (
        SELECT {key:c},
            min(c.at) FILTER (WHERE c.is_first) AS first_at,
            max(c.stage) FILTER (WHERE c.is_first) AS entry_stage,
            bool_or(c.event = 'opening') FILTER (WHERE c.is_first) AS is_late,
            max(c.segments) FILTER (WHERE c.is_first) AS segments,
            max(c.stage) FILTER (WHERE c.is_last) AS stage,
            max(c.stage_order) FILTER (WHERE c.is_last) AS stage_order,
            max(c.stage_kind) FILTER (WHERE c.is_last) AS stage_kind,
            max(c.team) FILTER (WHERE c.is_last) AS team,
            max(c.assignee) FILTER (WHERE c.is_last) AS assignee,
            max(c.at) FILTER (WHERE c.is_change) AS since,
            (array_agg(CASE WHEN c.source IS NULL OR c.source NOT LIKE '%undated' THEN c.at END)
                 FILTER (WHERE c.is_change))[count(*) FILTER (WHERE c.is_change)] AS dated_since,
            max(c.at) FILTER (WHERE c.stage IS NULL AND c.event <> 'touch') AS gone_at,
            (array_agg(CASE WHEN c.agreement = {agreement} THEN c.version END)
                 FILTER (WHERE c.is_change))[count(*) FILTER (WHERE c.is_change)] AS version,
            min(c.at) FILTER (WHERE c.is_entry AND c.handoff IS NOT NULL) AS submitted_at,
            min(c.at) FILTER (WHERE c.is_change
                                  AND (c.submitted_to, c.stage) IN (SELECT a.handoff_no, a.stage
                                                                     FROM accepts AS a)) AS accepted_at,
            min(c.at) FILTER (WHERE c.is_entry AND c.stage_kind = 'won') AS won_at,
            min(c.at) FILTER (WHERE c.is_entry AND c.stage_kind = 'lost') AS lost_at,
            (array_agg(c.reason) FILTER (WHERE c.is_change AND c.stage_kind = 'lost'))
                [count(*) FILTER (WHERE c.is_change AND c.stage_kind = 'lost')] AS lost_reason,
            (array_agg(c.amount) FILTER (WHERE c.amount IS NOT NULL AND c.event <> 'touch'))
                [count(c.amount) FILTER (WHERE c.event <> 'touch')] AS amount,
            count(*) FILTER (WHERE c.is_change AND c.previous_stage IS NOT NULL) AS moves,
            count(*) FILTER (WHERE c.is_change AND c.stage_order < c.previous_order) AS recycles,
            sum(cardinality(string_to_array(c.violation, ', ')))
                FILTER (WHERE c.event <> 'opening'
                            AND (c.source IS NULL OR c.source NOT LIKE '%import')) AS violations,
            count(*) FILTER (WHERE c.event = 'override') AS overrides,
            min(c.stage_team) AS first_team,
            max(c.stage_team) AS last_team,
            max(c.recorded_at) AS recorded_at,
            align.lead_agg(c.at, CASE WHEN c.is_stage_entry THEN 'any' END, NULL, NULL, c.campaign,
                           NULL, c.entry_no, NULL)
                FILTER (WHERE c.campaign IS NOT NULL AND (c.is_stage_entry OR c.event = 'touch'))
                AS touched
        FROM decisions AS c
        GROUP BY {key:c}
        HAVING bool_or(c.is_first)
    ),
    dated AS (
        SELECT l.*,
            CASE WHEN f.has_handoffs THEN l.submitted_at ELSE l.won_at END AS decided_at,
            CASE WHEN l.stage IS NULL THEN 'gone'
                WHEN l.stage_kind IN ('won', 'lost') THEN l.stage_kind
                ELSE 'open' END AS status,
            CASE WHEN l.stage IS NOT NULL THEN l.dated_since END AS in_stage_since,
            f.funnel,
            (SELECT s.segment
             FROM unnest(f.segments) WITH ORDINALITY AS s (segment, n)
             WHERE s.segment = ANY (l.segments)
             ORDER BY s.n
             LIMIT 1) AS segment
        FROM leads AS l
            CROSS JOIN in_force AS f
    )
SELECT {key:l}, l.first_at, l.entry_stage, l.is_late,
    l.in_stage_since AS since, l.stage, l.stage_order,
    CASE WHEN l.stage IS NOT NULL THEN coalesce(l.stage_kind, '(other)') END AS stage_kind,
    CASE WHEN l.stage IS NOT NULL THEN l.team END AS team,
    CASE WHEN l.stage IS NOT NULL THEN l.assignee END AS assignee,
    l.status, l.submitted_at, l.accepted_at, l.won_at, l.lost_at, l.decided_at, l.lost_reason, l.amount,
    l.segment,
    align.parse_campaign(t.first_campaign)::text AS first_campaign,
    align.parse_campaign(t.decisive_campaign)::text AS decisive_campaign,
    align.parse_campaign(t.last_campaign)::text AS last_campaign,
    t.first_channel, t.decisive_channel, t.last_channel,
    t.touches, t.first_touch_at, t.last_touch_at,
    l.moves, l.recycles, coalesce(l.violations, 0) AS violations, l.overrides,
    l.won_at IS NOT NULL AND l.first_team IS NOT DISTINCT FROM l.last_team AS is_touchless,
    CASE l.status WHEN 'open' THEN NULL WHEN 'gone' THEN l.gone_at ELSE l.since END AS over_at,
    l.version,
    l.recorded_at
    {dimensions}
FROM dated AS l
    -- the touches of a lead come in their order, so touch n is element n
    LEFT JOIN LATERAL (
        SELECT c.touches, c.first_touch_at, c.last_touch_at,
            c.campaigns[least(c.until_won, 1)] AS first_campaign,
            c.channels[least(c.until_won, 1)] AS first_channel,
            c.campaigns[coalesce(c.decisive, c.until_decided)] AS decisive_campaign,
            c.channels[coalesce(c.decisive, c.until_decided)] AS decisive_channel,
            c.campaigns[c.until_won] AS last_campaign,
            c.channels[c.until_won] AS last_channel
        FROM (SELECT count(*) AS touches, min(t.at) AS first_touch_at, max(t.at) AS last_touch_at,
                  array_agg(t.campaign) AS campaigns, array_agg(t.channel) AS channels,
                  count(*) FILTER (WHERE l.won_at IS NULL OR t.at <= l.won_at) AS until_won,
                  count(*) FILTER (WHERE t.at <= l.decided_at) AS until_decided,
                  max(t.touch) FILTER (WHERE t.at <= l.decided_at AND t.channel <> 'Direct') AS decisive
              FROM align.touches(l.touched, l.funnel) AS t) AS c
    ) AS t ON true
    {dimension_join:l}
