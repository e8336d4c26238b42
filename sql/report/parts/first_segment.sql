-- The first segment of the agreement, in its order, among those of the submission
-- "s" in scope; no row if there is none.
SELECT o.segment
FROM unnest((SELECT g.segments FROM ({part:segment_order}) AS g)) WITH ORDINALITY AS o (segment, n)
WHERE o.segment = ANY (s.segments)
ORDER BY o.n
LIMIT 1
