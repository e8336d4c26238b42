-- Once: one row: the version of the agreement that is in force at the instant,
-- or the first one if the instant is before it.
SELECT a.funnel, a.version, a.valid_from
FROM align.agreements AS a
WHERE a.name = {agreement}
ORDER BY a.valid_from <= {as_of} DESC,
    CASE WHEN a.valid_from <= {as_of} THEN -a.version ELSE a.version END
LIMIT 1
