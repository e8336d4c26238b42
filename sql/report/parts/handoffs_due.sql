-- When the handoffs of leads are due, by the start of their clocks.
SELECT {history_key:c}, c.sla, c.started_at, max(c.due_at) AS due_at
FROM {clocks} AS c
WHERE c.sla = ANY (ARRAY(SELECT h.handoff FROM ({part:handoffs}) AS h))
GROUP BY {key}, c.sla, c.started_at
