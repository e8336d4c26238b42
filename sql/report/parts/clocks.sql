-- The clocks that had started by the instant, as they are known today.
SELECT {history_key:c}, c.sla, c.cycle,
    -- blank text is none; other text is shown as written
    CASE WHEN btrim(c.team) <> '' THEN c.team END AS team,
    CASE WHEN btrim(c.assignee_at_start) <> '' THEN c.assignee_at_start END AS assignee_at_start,
    CASE WHEN btrim(c.assignee_at_due) <> '' THEN c.assignee_at_due END AS assignee_at_due,
    CASE WHEN btrim(c.assignee_at_stop) <> '' THEN c.assignee_at_stop END AS assignee_at_stop,
    c.started_at, c.due_at, c.warn_at, c.paused, c.stopped_at, c.outcome,
    coalesce(c.agreement, {agreement}) AS agreement, c.version
FROM {clocks} AS c
WHERE c.started_at <= {as_of}
