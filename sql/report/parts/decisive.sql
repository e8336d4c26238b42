-- The decisive touch of each of the moments: the last one at or before it that
-- is not direct; if all are, the last one.  "moments" (key columns, moment_no,
-- at) and "touches" must be in scope.  Moments without a touch are left out.
SELECT {key:d}, d.moment_no, t.campaign, t.channel
FROM (SELECT {key:m}, m.moment_no,
          coalesce(max(t.place) FILTER (WHERE NOT t.is_direct), max(t.place)) AS place
      FROM moments AS m
          JOIN touches AS t ON {key_join:t:m} AND t.touched_at <= m.at
      GROUP BY {key:m}, m.moment_no) AS d
    JOIN touches AS t ON {key_join:t:d} AND t.place = d.place
