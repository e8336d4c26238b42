-- handoff_facts per lead
-- One row per submission of a lead to another team, as of the instant. Key: row_key (lead and number of the entry that submitted it). The first change of stage after the submission decides it, by the agreement that was recorded with the submission. A lead has several rows, so do not add up columns of lead_facts after a join; the clocks of handoffs stand in sla_facts, too (is_handoff), so do not add both. Acceptance rate: accepted / (accepted + rejected), of submissions of equal age only: rejections are faster. Answers: what became of each lead that was handed over, and how soon?
--
-- row_key: lead and entry_no as text; unique
-- handoff: the handoff
-- from_team: team that submits; (none) if none does
-- to_team: team that accepts or rejects; (none) if none does
-- submission_no: number of the submission among those of this lead to this handoff, from 1
-- is_first: whether it is the first of them
-- submitted_at: when the lead was submitted
-- decided_at: when it was accepted, rejected or withdrawn, or the lead was gone; NULL while it is pending
-- submitted_on: local date of submitted_at
-- outcome: accepted, rejected, withdrawn (another stage), gone (deleted, or left the funnel) or pending
-- reason: reason recorded with the entry that decided it; (none) if none, and while it is pending
-- decided_by: who made that entry (actor); (none) if nobody is recorded, and while it is pending
-- assignee: who held the lead when it was decided, or holds it at the instant; (none) if nobody
-- decisive_campaign: last campaign before the submission that is not direct
--   traffic; if all are, the last one; (none) without any
-- channel: channel of that campaign; (none) without any
-- segment: first segment of the agreement that held at the submission; (other) if none did
-- due_at: when the decision was due; NULL if no time is promised
-- is_met: 1 if it was accepted or rejected by then
-- is_missed: 1 if it was still pending at the due instant, whatever became of it
-- working_seconds: from submission to decision, or to the instant, in the hours
--   of the team that decides; NULL if it has none
-- elapsed_seconds: the same in all hours
-- entry_no: number of the entry in the history that submitted the lead
-- version: version of the agreement recorded with it
-- recorded_at: when the submission was recorded, or, if it is decided, the decision

WITH handoffs AS (
    {part:handoffs}
)
SELECT {key_text:s} || ' ' || s.entry_no AS row_key, {key:s},
    s.handoff,
    coalesce(s.from_team, '(none)') AS from_team,
    coalesce(s.to_team, '(none)') AS to_team,
    s.submission_no,
    s.submission_no = 1 AS is_first,
    s.submitted_at,
    s.decided_at,
    timezone({zone}, s.submitted_at)::date AS submitted_on,
    s.outcome,
    coalesce(s.reason, '(none)') AS reason,
    coalesce(s.decided_by, '(none)') AS decided_by,
    coalesce(s.assignee, '(none)') AS assignee,
    coalesce(s.decisive_campaign, '(none)') AS decisive_campaign,
    coalesce(s.channel, '(none)') AS channel,
    coalesce(s.segment, '(other)') AS segment,
    s.due_at,
    coalesce(s.outcome IN ('accepted', 'rejected') AND s.decided_at <= s.due_at, false)::int AS is_met,
    coalesce(CASE WHEN s.outcome IN ('withdrawn', 'gone') THEN s.decided_at >= s.due_at
                 ELSE coalesce(s.decided_at, {as_of}) > s.due_at END, false)::int AS is_missed,
    extract(epoch FROM align.working_time(h.hours, s.submitted_at, coalesce(s.decided_at, {as_of})))::bigint
        AS working_seconds,
    extract(epoch FROM coalesce(s.decided_at, {as_of}) - s.submitted_at)::bigint AS elapsed_seconds,
    s.entry_no,
    s.version,
    s.recorded_at
    {dimensions}
FROM {stored:handoff_facts} AS s
    LEFT JOIN handoffs AS h
        ON h.agreement = s.agreement AND h.version = s.version AND h.handoff = s.handoff
    {dimension_join:s}
