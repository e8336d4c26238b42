-- handover per lead
-- One row per submission that is pending at the instant. Key: row_key (lead and number of the entry that submitted it). What the receiving team should know before it answers. A lead can wait in one handoff at a time. Answers: what must I know before I answer this lead?
--
-- row_key: lead and entry_no as text; unique
-- handoff: the handoff
-- from_team: team that submitted it; (none) if none
-- to_team: team that has to answer; (none) if none
-- assignee: who holds the lead; (none) if nobody
-- submitted_at: when it was submitted
-- due_at: when the answer is due; NULL if no time is promised
-- is_overdue: whether that has passed
-- needs_missing: of what the agreement in force needs for this stage, what the row
--   of today does not have; (none) if it has all, NULL if there is no row
-- first_campaign: campaign of the first touch (until the first win); (none) without any
-- decisive_campaign: last campaign before this submission that is not direct
--   traffic; if all are, the last one; (none) without any
-- touches: number of touches of the lead
-- last_touch_at: when the last one was; NULL without any
-- rejections_before: how often it was rejected before, in any handoff
-- last_reject_reason: reason of the last rejection; (none) if none
-- last_note: the latest note that is not blank; NULL if there is none
-- amount: the last amount recorded; NULL if there is none
-- segment: first segment of the agreement that held at the submission; (other) if none did
-- entered_on: local date on which the lead entered the funnel; NULL if it was there before the record began
-- as_of: the instant

WITH
    -- leads whose last change may have been a submission
    candidates AS (
        SELECT {key:e}
        FROM ({part:entries}) AS e
        WHERE e.is_entry OR e.handoff IS NOT NULL
        GROUP BY {key:e}
        HAVING max(e.place) FILTER (WHERE e.handoff IS NOT NULL)
            >= coalesce(max(e.place) FILTER (WHERE e.handoff IS NULL), 0)
    ),
    wanted AS (
        SELECT {key:c} FROM candidates AS c
    ),
    history_rows AS MATERIALIZED (
        {part:rows_of_leads}
    ),
    entries AS MATERIALIZED (
        {part:entries_of_rows}
    ),
    visits AS (
        {part:visits_of_entries}
    ),
    submissions AS (
        {part:submissions_of_visits}
    ),
    pending AS (
        SELECT s.*
        FROM submissions AS s
        WHERE s.outcome = 'pending'
    ),
    rejections AS (
        SELECT {key:s}, count(*) AS rejections,
            (array_agg(s.left_reason ORDER BY s.place DESC))[1] AS reason
        FROM submissions AS s
        WHERE s.outcome = 'rejected'
        GROUP BY {key:s}
    ),
    campaigns AS (
        {part:campaigns}
    ),
    touches AS (
        {part:touches_of_entries}
    ),
    moments AS (
        SELECT {key:s}, s.entry_no AS moment_no, s.entered_at AS at
        FROM pending AS s
    ),
    decisive AS (
        {part:decisive}
    ),
    leads AS (
        SELECT {key:e},
            min(e.at) FILTER (WHERE e.is_stage_entry) AS first_at,
            min(e.at) FILTER (WHERE e.is_entry AND e.stage_kind = 'won') AS won_at,
            (array_agg(e.note ORDER BY e.place DESC) FILTER (WHERE btrim(e.note) <> '' AND e.event IN ('opening', 'entry', 'move', 'override', 'owner')))[1]
                AS last_note,
            (array_agg(e.amount ORDER BY e.place DESC) FILTER (WHERE e.amount IS NOT NULL))[1] AS amount
        FROM entries AS e
        GROUP BY {key:e}
    ),
    touched AS (
        SELECT {key:t}, count(*) AS touches, max(t.touched_at) AS last_touch_at,
            max(t.campaign) FILTER (WHERE t.is_first AND (l.won_at IS NULL OR t.touched_at <= l.won_at))
                AS first_campaign
        FROM touches AS t
            JOIN leads AS l ON {key_join:l:t}
        GROUP BY {key:t}
    ),
    due AS (
        {part:handoffs_due}
    )
SELECT {key_text:s} || ' ' || s.entry_no AS row_key, {key:s},
    s.handoff,
    coalesce(s.from_team, '(none)') AS from_team,
    coalesce(s.to_team, '(none)') AS to_team,
    coalesce(s.assignee, '(none)') AS assignee,
    s.entered_at AS submitted_at,
    due.due_at,
    coalesce({as_of} > due.due_at, false) AS is_overdue,
    CASE WHEN r.is_there THEN
        coalesce(nullif(array_to_string(align.missing_needs(r.lead_row, f.funnel, s.stage), ', '), ''), '(none)')
    END AS needs_missing,
    coalesce(t.first_campaign, '(none)') AS first_campaign,
    coalesce(d.campaign, '(none)') AS decisive_campaign,
    coalesce(t.touches, 0) AS touches,
    t.last_touch_at,
    coalesce(j.rejections, 0) AS rejections_before,
    coalesce(j.reason, '(none)') AS last_reject_reason,
    l.last_note,
    l.amount,
    coalesce(CASE WHEN s.segments IS NOT NULL THEN ({part:first_segment}) END, '(other)') AS segment,
    CASE WHEN NOT s.is_late THEN timezone({zone}, l.first_at)::date END AS entered_on,
    {as_of}::timestamptz AS as_of
FROM pending AS s
    CROSS JOIN ({part:funnel}) AS f
    JOIN leads AS l ON {key_join:l:s}
    LEFT JOIN rejections AS j ON {key_join:j:s}
    LEFT JOIN touched AS t ON {key_join:t:s}
    LEFT JOIN decisive AS d ON {key_join:d:s} AND d.moment_no = s.entry_no
    LEFT JOIN due ON {key_join:due:s} AND due.sla = s.handoff AND due.started_at = s.entered_at
    LEFT JOIN (SELECT {table_key:r}, (r.*)::{table} AS lead_row, true AS is_there FROM {table} AS r) AS r ON {key_join:r:s}
