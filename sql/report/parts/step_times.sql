-- How many leads the times of a step of the summary "c.conversion" are of: those
-- that entered it and the step before.
SELECT coalesce(sum((b.bucket ->> 1)::bigint), 0)::bigint AS n
FROM jsonb_array_elements(c.conversion::jsonb -> 'levels' -> s.step -> 'time' -> 'in') AS b (bucket)
