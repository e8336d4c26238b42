-- sla_facts per lead
-- One row per clock: a cycle of a service level or handoff of a lead, as of the instant. Key: row_key (lead, sla, cycle). A lead has several rows, so do not add up columns of lead_facts after a join; is_handoff rows are the submissions of handoff_facts, so do not add both. Shares of kept promises: is_met / (is_met + is_missed) of rows by due_on, with due_at in the past; by the day of start or stop they are biased. Answers: which promises were kept, by whom, and when?
--
-- row_key: lead, service level and cycle as text; unique
-- sla: service level or handoff
-- cycle: number of the clock among those of this lead and service level, from 1
-- is_handoff: whether it is a handoff (also in handoff_facts)
-- team: the team that promises; (none) if none does
-- assignee_at_start: who held the lead when the clock started; (none) if nobody
-- assignee_at_due: who held the lead at the due instant, or before that when the
--   clock stopped; of an open clock that is not due, who holds it at the instant; (none) if nobody
-- assignee_at_stop: who held the lead when the clock stopped, or (none); NULL while it is open
-- started_at: start
-- due_at: due instant; NULL while the clock is paused
-- due_if_resumed_at: of a paused clock: when it would be due if it resumed at the instant
-- warn_at: when it is at risk; NULL without a warning, and while paused
-- stopped_at: stop; NULL while it is open
-- due_on: local date of due_at
-- week: Monday of the week of due_at
-- ended_by: stage, left the funnel or deleted; NULL while it is open
-- clock_status: running, at risk, overdue or paused while it is open; met, missed or cancelled
-- is_open: 1 while it is open
-- is_met: 1 if it was stopped by a stage of the promise, at the due instant or before
-- is_missed: 1 if it still ran at its due instant, whatever ended it, and if it is overdue
-- is_cancelled: 1 if it ended before it was due, without being met
-- elapsed_seconds: from the start to the stop, or to the instant, without pauses
-- working_seconds: the same in the working hours of the team; NULL if there are none
-- overrun_seconds: from the due instant to the stop, or to the instant, in the promise's own kind of time
-- paused_seconds: time that the clock was paused
-- version: version of the agreement that the clock runs under
-- week_start_at: instant at which the week of due_at begins
-- is_working_time: whether the promise counts working time (else all time)
-- recorded_at: when the latest entry of the lead was recorded, by the instant

WITH known_clocks AS (
    SELECT c.* FROM {stored:clocks} AS c
)
SELECT {key_text:c} || ' ' || quote_ident(c.sla) || ' ' || c.cycle AS row_key, {key:c},
    c.sla, c.cycle, c.is_handoff, c.team, c.assignee_at_start, c.assignee_at_due,
    c.assignee_at_stop, c.started_at, c.due_at, c.due_if_resumed_at, c.warn_at, c.stopped_at,
    c.due_on, c.week, c.ended_by, c.clock_status, c.is_open, c.is_met, c.is_missed,
    c.is_cancelled, c.elapsed_seconds, c.working_seconds, c.overrun_seconds, c.paused_seconds,
    c.version, c.week_start_at, c.is_working_time,
    c.recorded_at
    {dimensions}
FROM ({part:clocks_at}) AS c
    {dimension_join:c}
