-- The visits of all leads to stages; see visits_of_entries.
WITH entries AS (
    {part:entries}
)
SELECT v.*
FROM (
    {part:visits_of_entries}
) AS v
