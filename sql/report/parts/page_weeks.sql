-- The week of a page and the four before it, each with the instant as of which
-- it is seen: all at the age that the week of the page has.  n is 0 for the week
-- of the page.  working_seconds, of the common hours, make counts comparable.
SELECT w.n, w.week, w.start_at, w.as_of,
    w.start_at >= {complete_since} AS is_complete,
    extract(epoch FROM CASE WHEN h.hours IS NULL THEN least(w.as_of, w.end_at) - w.start_at
                           ELSE align.working_time(h.hours, w.start_at, least(w.as_of, w.end_at)) END) AS working_seconds
FROM (SELECT i.n, $2 - 7 * i.n AS week,
          timezone({zone}, ($2 - 7 * i.n)::timestamp) AS start_at,
          timezone({zone}, ($2 - 7 * i.n + 7)::timestamp) AS end_at,
          timezone({zone}, ($2 - 7 * i.n + 7)::timestamp) + ($1 - timezone({zone}, ($2 + 7)::timestamp)) AS as_of
      FROM generate_series(0, 4) AS i (n)) AS w
    CROSS JOIN (SELECT align.hours(f.funnel) AS hours FROM ({part:funnel}) AS f) AS h
