-- stage_facts per lead
-- One row per visit of a lead to a stage, as of the instant. Key: row_key (lead and number of the entry that began it). A visit goes on while only team or assignee change, and the entries of a merged duplicate into the stage that the lead is in make no other one. A lead has many rows, so do not add up columns of lead_facts after a join. Leads that were there before the record began are is_late: leave them out of durations and cohorts. Answers: how long was each lead in each stage, and where did it go?
--
-- row_key: lead and entry_no as text; unique
-- visit_no: number of the visit among those of this lead to this stage, from 1
-- entry_no: number of the entry in the history that began it
-- stage: the stage, by its name in the agreement in force; a label that the
--   agreement does not know stands for itself
-- stage_order: its place in the order of declaration; NULL if it is unknown
-- stage_kind: open, won or lost; (other) if it is unknown
-- team: the team that held the lead at the end of the visit, or holds it at the instant; (none) if none does
-- assignee: the person, likewise; (none) if nobody
-- entered_at: when the visit began; NULL if that is not known (found when the table was attached)
-- left_at: when the lead entered another stage, left the funnel or was deleted; NULL while it is there
-- entered_on: local date of entered_at
-- left_on: local date of left_at
-- previous_stage: stage before; (none) if it had none
-- next_stage: stage after; (none) while it is there, and if it left the funnel or was deleted
-- reason: reason of leaving, as recorded with the entry that ended the visit; (none) if none
-- is_current: whether the lead is in the stage at the instant
-- is_late: whether the first entry of the lead only found it in its stage
-- elapsed_seconds: from entered_at to left_at, or to the instant; NULL if the beginning is not known
-- working_seconds: the same in the hours of the team, by the version of the
--   agreement at the beginning; common hours if no team held it; NULL without hours
-- is_entry: false if the lead was only found in the stage
-- left_by: event that ended it: entry, move, override, opening, deleted or truncated; NULL while it is there
-- version: version of the agreement that judged the entry
-- recorded_at: when the beginning was recorded, or, if it has ended, its end

-- (Not joined, so that they are looked up only where the column is asked for.)
WITH calendars AS (
    {part:calendars}
)
SELECT {key_text:v} || ' ' || v.entry_no AS row_key,
    {key:v},
    v.visit_no::int AS visit_no,
    v.entry_no,
    v.stage, v.stage_order, coalesce(v.stage_kind, '(other)') AS stage_kind,
    coalesce(v.team, '(none)') AS team,
    coalesce(v.assignee, '(none)') AS assignee,
    v.entered_at,
    v.left_at,
    timezone({zone}, v.entered_at)::date AS entered_on,
    timezone({zone}, v.left_at)::date AS left_on,
    coalesce(v.previous_stage, '(none)') AS previous_stage,
    coalesce(v.next_stage, '(none)') AS next_stage,
    coalesce(v.left_reason, '(none)') AS reason,
    v.is_current,
    v.is_late,
    extract(epoch FROM coalesce(v.left_at, {as_of}) - v.since)::bigint AS elapsed_seconds,
    extract(epoch FROM align.working_time(
        coalesce((SELECT c.hours FROM calendars AS c
                  WHERE c.version = v.version AND c.team = v.team AND v.agreement = {agreement}),
                 (SELECT c.hours FROM calendars AS c
                  WHERE c.version = v.version AND c.team IS NULL AND v.agreement = {agreement})),
        v.since, coalesce(v.left_at, {as_of})))::bigint AS working_seconds,
    v.is_entry,
    v.left_by,
    v.version,
    greatest(v.recorded_at, v.left_recorded_at) AS recorded_at
    {dimensions}
FROM {stored:visits} AS v
    {dimension_join:v}
