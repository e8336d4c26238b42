-- The share that each segment is to have among the wins, by the version in
-- force; no rows if no mix is agreed.
SELECT NULL::text AS segment, NULL::float8 AS share
WHERE false
