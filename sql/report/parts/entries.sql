-- Once: the entries of all leads that are known at the instant; see
-- entries_of_rows.
WITH history_rows AS NOT MATERIALIZED (
    SELECT {history_columns:h} FROM {history} AS h
)
SELECT e.*
FROM ({part:entries_of_rows}) AS e
