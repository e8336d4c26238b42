-- What is known of the submissions of leads to another team.
WITH
    entries AS NOT MATERIALIZED (
        {part:entries}
    ),
    visits AS (
        SELECT v.* FROM {stored:visits} AS v
    ),
    submissions AS (
        {part:submissions_of_visits}
    ),
    moments AS (
        SELECT {key:s}, s.entry_no AS moment_no, s.entered_at AS at
        FROM submissions AS s
    ),
    campaigns AS (
        WITH entries AS (
            SELECT h.campaign
            FROM {history} AS h
        )
        SELECT c.*
        FROM ({part:campaigns}) AS c
    ),
    touches AS (
        {part:touches_of_entries}
    ),
    decisive AS (
        {part:decisive}
    ),
    due AS (
        {part:handoffs_due}
    )
SELECT {key:s}, s.entry_no, s.handoff, s.from_team, s.to_team, s.submission_no,
    s.entered_at AS submitted_at, s.left_at AS decided_at, s.outcome,
    s.left_reason AS reason, s.left_actor AS decided_by, s.assignee,
    d.campaign AS decisive_campaign, d.channel,
    CASE WHEN s.segments IS NOT NULL THEN ({part:first_segment}) END AS segment,
    due.due_at, s.agreement, s.version, s.known_at, s.left_known_at AS decided_known_at, s.recorded_at
FROM submissions AS s
    LEFT JOIN decisive AS d ON {key_join:d:s} AND d.moment_no = s.entry_no
    LEFT JOIN due ON {key_join:due:s} AND due.sla = s.handoff AND due.started_at = s.entered_at
