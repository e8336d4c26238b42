-- The clocks that had started by the instant, as they are known today.
SELECT {history_key:c}, c.sla, c.cycle, c.team, c.assignee_at_start, c.assignee_at_due,
    c.assignee_at_stop, c.started_at, c.due_at, c.warn_at, c.paused, c.stopped_at, c.outcome,
    coalesce(c.agreement, {agreement}) AS agreement, c.version
FROM {clocks} AS c
WHERE c.started_at <= {as_of}
