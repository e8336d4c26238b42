-- What is known of the clocks of leads.
WITH clocks AS (
    {part:clocks}
)
SELECT c.*, r.recorded_at
FROM ({part:known_clocks}) AS c
    LEFT JOIN (SELECT {history_key:h}, max(h.recorded_at) AS recorded_at
               FROM {history} AS h
               WHERE h.recorded_at <= {as_of}
               GROUP BY {key}) AS r ON {key_join:r:c}
