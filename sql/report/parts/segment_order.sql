-- Once: one row: the segments of the agreement in force at the instant, in its
-- order.
SELECT array_agg(s.segment ORDER BY s.n) AS segments
FROM ({part:funnel}) AS f
    CROSS JOIN LATERAL align.segments(f.funnel) WITH ORDINALITY AS s (segment, condition, n)
