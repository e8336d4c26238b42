-- The rows of the history of the leads in "wanted" (key columns, distinct), which
-- must be in scope: few leads, so that they are found by the primary key.
SELECT {history_columns:h}
FROM wanted AS w
    CROSS JOIN {history} AS h
    CROSS JOIN LATERAL (SELECT {history_key:h}) AS k
WHERE {key_join:w:k}
