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

-- (Not joined, so that they are looked up only where the column is asked for.)
WITH calendars AS (
    {part:calendars}
)
SELECT {key_text:l} AS row_key,
    {key:l},
    CASE WHEN NOT l.is_late THEN l.first_at END AS entered_at,
    CASE WHEN NOT l.is_late THEN timezone({zone}, l.first_at)::date END AS entered_on,
    l.entry_stage,
    l.is_late,
    l.since IS NOT NULL AS since_known,
    coalesce(l.stage, '(none)') AS stage,
    l.stage_order,
    coalesce(l.stage_kind, '(none)') AS stage_kind,
    coalesce(l.team, '(none)') AS team,
    coalesce(l.assignee, '(none)') AS assignee,
    l.since,
    l.status,
    l.submitted_at,
    l.accepted_at,
    l.won_at,
    l.lost_at,
    coalesce(l.lost_reason, '(none)') AS lost_reason,
    l.amount,
    coalesce(l.segment, '(other)') AS segment,
    coalesce(l.first_campaign, '(none)') AS first_campaign,
    CASE WHEN l.decided_at IS NULL THEN '(not submitted)'
        ELSE coalesce(l.decisive_campaign, '(none)') END AS decisive_campaign,
    coalesce(l.last_campaign, '(none)') AS last_campaign,
    coalesce(l.first_channel, '(none)') AS first_channel,
    CASE WHEN l.decided_at IS NULL THEN '(not submitted)'
        ELSE coalesce(l.decisive_channel, '(none)') END AS decisive_channel,
    coalesce(l.last_channel, '(none)') AS last_channel,
    l.touches,
    l.first_touch_at,
    l.last_touch_at,
    l.moves,
    l.recycles,
    l.violations,
    l.overrides,
    l.is_touchless,
    CASE WHEN NOT l.is_late
        THEN extract(epoch FROM CASE l.status WHEN 'open' THEN {as_of} ELSE l.over_at END - l.first_at)::bigint END
        AS age_seconds,
    extract(epoch FROM {as_of} - l.since)::bigint AS in_stage_seconds,
    extract(epoch FROM align.working_time(
        coalesce((SELECT c.hours FROM calendars AS c WHERE c.version = l.version AND c.team = l.team),
                 (SELECT c.hours FROM calendars AS c WHERE c.version = l.version AND c.team IS NULL)),
        l.since, {as_of}))::bigint AS in_stage_working_seconds,
    l.recorded_at
    {dimensions:l}
FROM {stored:lead_facts} AS l
