-- The decisive touch of each of the moments: the last one at or before it that
-- is not direct; if all are, the last one.  "moments" (key columns, moment_no,
-- at) and "touches" must be in scope.  Moments without a touch are left out.
-- (By DISTINCT ON the planner knows that a moment has one row, and leaves out a
-- join whose columns are not used.)
SELECT DISTINCT ON ({key:m}, m.moment_no) {key:m}, m.moment_no, t.campaign, t.channel
FROM moments AS m
    JOIN touches AS t ON {key_join:t:m} AND t.touched_at <= m.at
ORDER BY {key:m}, m.moment_no, t.is_direct, t.place DESC
