-- lead_facts per lead
-- One row per lead with a stage in its history, as of the instant: leads that were deleted or left the funnel are there, too, with the status gone. Key: row_key (the key of the table). Join the other facts to it by the key columns, but do not add up its columns after such a join: they repeat. Leads that were there before the record began are is_late: they belong to no cohort, conversion or duration. Answers: how many leads, of what kind, and where are they now?
--
-- row_key: the key as text; unique
-- entered_at: time of its first entry into a stage; NULL for a late lead, which
--   was there before
-- entered_on: local date of entered_at
-- entry_stage: stage of its first entry, or in which a late lead was found
-- is_late: whether its first entry only found it in a stage
-- since_known: whether since is known; false also for a lead that is gone
-- stage: stage that it is in; (none) if it is gone. A label that the agreement
--   does not know stands for itself
-- stage_order: its place in the order of declaration; NULL if unknown or gone
-- stage_kind: open, won or lost; (other) if the agreement does not know the
--   stage, (none) if the lead is gone
-- team: team that holds it; (none) if none does, or it is gone
-- assignee: person who holds it; (none) if nobody does, or it is gone
-- since: since when it is in the stage; NULL if it was found there and that is
--   not known, or if it is gone
-- status: open, won or lost by the kind of its stage; gone if it was deleted or
--   left the funnel
-- submitted_at: its first submission to a handoff
-- accepted_at: its first acceptance: the entry into an accepting stage out of
--   that of the submission, by the agreement that was recorded with the submission
-- won_at: its first entry into a won stage; stays if it leaves it again
-- lost_at: its first entry into a lost stage; stays if it is reopened
-- lost_reason: reason of its last entry into a lost stage; (none) if none
-- amount: the last amount recorded; NULL if there is none
-- segment: the agreement's first segment that held at its first entry; (other)
--   if none did
-- first_campaign: campaign of its first touch until it was won; (none) if there is none
-- decisive_campaign: campaign of the last touch that is not Direct until its first
--   submission (without handoffs: until it was won), or the last one if all are
--   Direct; (none) if there is none, (not submitted) until then
-- last_campaign: campaign of its last touch until it was won; (none) if there is none
-- first_channel: channel of first_campaign
-- decisive_channel: channel of decisive_campaign
-- last_channel: channel of last_campaign
-- touches: number of its touches
-- first_touch_at: first touch
-- last_touch_at: last touch, also after it was won
-- moves: changes from one stage to another
-- recycles: of these, into a stage that is declared before the one that it left
-- violations: rules of the agreement that its entries broke, without openings and imports
-- overrides: entries for which a rule was suspended
-- is_touchless: whether it was won without a stage held by a second team; that team may be the one that sells
-- age_seconds: from entered_at to the instant, or to when it was won, lost or gone last
-- in_stage_seconds: from since to the instant
-- in_stage_working_seconds: the same in the hours of its team, by the version
--   of the agreement that it entered the stage under; NULL without hours
-- recorded_at: when its latest entry was recorded

WITH
    in_force AS MATERIALIZED (
        SELECT f.funnel,
            EXISTS (SELECT FROM align.handoffs(f.funnel)) AS has_handoffs,
            (SELECT array_agg(s.segment) FROM align.segments(f.funnel) AS s) AS segments
        FROM ({part:funnel}) AS f
    ),
    calendars AS (
        {part:calendars}
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
SELECT {key_text:l} AS row_key,
    {key:l},
    CASE WHEN NOT l.is_late THEN l.first_at END AS entered_at,
    CASE WHEN NOT l.is_late THEN timezone({zone}, l.first_at)::date END AS entered_on,
    l.entry_stage,
    l.is_late,
    l.in_stage_since IS NOT NULL AS since_known,
    coalesce(l.stage, '(none)') AS stage,
    l.stage_order,
    CASE WHEN l.stage IS NULL THEN '(none)' ELSE coalesce(l.stage_kind, '(other)') END AS stage_kind,
    coalesce(CASE WHEN l.stage IS NOT NULL THEN l.team END, '(none)') AS team,
    coalesce(CASE WHEN l.stage IS NOT NULL THEN l.assignee END, '(none)') AS assignee,
    l.in_stage_since AS since,
    l.status,
    l.submitted_at,
    l.accepted_at,
    l.won_at,
    l.lost_at,
    coalesce(l.lost_reason, '(none)') AS lost_reason,
    l.amount,
    coalesce(l.segment, '(other)') AS segment,
    coalesce(align.parse_campaign(t.first_campaign)::text, '(none)') AS first_campaign,
    CASE WHEN l.decided_at IS NULL THEN '(not submitted)'
        ELSE coalesce(align.parse_campaign(t.decisive_campaign)::text, '(none)') END AS decisive_campaign,
    coalesce(align.parse_campaign(t.last_campaign)::text, '(none)') AS last_campaign,
    coalesce(t.first_channel, '(none)') AS first_channel,
    CASE WHEN l.decided_at IS NULL THEN '(not submitted)'
        ELSE coalesce(t.decisive_channel, '(none)') END AS decisive_channel,
    coalesce(t.last_channel, '(none)') AS last_channel,
    t.touches,
    t.first_touch_at,
    t.last_touch_at,
    l.moves,
    l.recycles,
    coalesce(l.violations, 0) AS violations,
    l.overrides,
    l.won_at IS NOT NULL AND l.first_team IS NOT DISTINCT FROM l.last_team AS is_touchless,
    CASE WHEN NOT l.is_late
        THEN extract(epoch FROM CASE l.status WHEN 'open' THEN {as_of} WHEN 'gone' THEN l.gone_at
                                    ELSE l.since END - l.first_at)::bigint END AS age_seconds,
    extract(epoch FROM {as_of} - l.in_stage_since)::bigint AS in_stage_seconds,
    extract(epoch FROM align.working_time(coalesce(own.hours, common.hours), l.in_stage_since, {as_of}))::bigint
        AS in_stage_working_seconds,
    l.recorded_at
    {dimensions}
FROM dated AS l
    -- the touches of a lead come in their order, so touch n is element n
    CROSS JOIN LATERAL (
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
    ) AS t
    LEFT JOIN calendars AS own ON own.version = l.version AND own.team = l.team
    LEFT JOIN calendars AS common ON common.version = l.version AND common.team IS NULL
    {dimension_join:l}
