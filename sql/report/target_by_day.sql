-- target_by_day
-- The way to a target, day by day: one row per count or amount target and day of its running period. Key: period, target_no, on_date (while a version has come into force in a period, two targets may have one number, but not one kind of period). The goal of a day is the part of the working time of the period that is over at its end, so the line is flat at the weekend. Figures are to date and never summed. Answers: are we ahead or behind, and since when?
--
-- row_key: kind of period, day and number of the target
-- target_no: place of the target in the agreement, from 1
-- teams: who promised
-- metric: what is counted
-- metric_kind: count or amount
-- period: day, week, month, quarter or year
-- period_start: first day of the period
-- on_date: the day
-- is_working_day: whether the team works on it; true without hours
-- actual_to_date: reached by the end of the day; NULL after the instant
-- goal_to_date: goal * working time to the end of the day / that of the period; of all time without hours, or without working time in the period
-- gap: actual_to_date - goal_to_date
-- as_of: the instant of the figures

WITH
    targets AS MATERIALIZED (
        SELECT t.*
        FROM ({part:target_periods}) AS t
        WHERE t.metric_kind IN ('count', 'amount') AND NOT t.is_over
    ),
    leads AS MATERIALIZED (
        {part:target_leads}
    ),
    visits AS MATERIALIZED (
        WITH facts AS (
            SELECT v.* FROM {stored:visits} AS v
        )
        {part:target_visits}
    ),
    entries AS MATERIALIZED (
        SELECT e.per, e.period_start, e.stage, timezone({zone}, e.entered_at)::date AS on_date,
            count(*) AS leads, sum(e.amount) AS amount
        FROM ({part:target_entries}) AS e
        WHERE e.is_first AND NOT e.is_reversed
        GROUP BY e.per, e.period_start, e.stage, timezone({zone}, e.entered_at)::date
    ),
    days AS (
        SELECT t.*, d.day::date AS on_date,
            timezone({zone}, d.day) AS day_start_at,
            timezone({zone}, d.day + interval '1 day') AS day_end_at
        FROM targets AS t
            CROSS JOIN LATERAL generate_series(t.period_start::timestamp, t.period_end - interval '1 day',
                                               interval '1 day') AS d (day)
    ),
    sums AS (
        SELECT d.*,
            CASE WHEN d.day_start_at <= {as_of}
                THEN coalesce(sum(CASE d.metric_kind WHEN 'count' THEN e.leads ELSE e.amount END)
                              OVER (PARTITION BY d.target_no, d.per ORDER BY d.on_date), 0) END AS actual_to_date,
            CASE WHEN d.hours IS NOT NULL AND d.has_working_time
                THEN extract(epoch FROM align.working_time(d.hours, d.start_at, d.day_end_at))
                    / extract(epoch FROM align.working_time(d.hours, d.start_at, d.end_at))
                ELSE extract(epoch FROM d.day_end_at - d.start_at) / extract(epoch FROM d.end_at - d.start_at)
            END * d.goal AS goal_to_date
        FROM days AS d
            LEFT JOIN entries AS e
                ON e.per = d.per AND e.period_start = d.period_start AND e.stage = d.stage AND e.on_date = d.on_date
    )
SELECT s.per || ' ' || to_char(s.on_date, 'YYYY-MM-DD') || ' ' || s.target_no AS row_key,
    s.target_no, s.teams, s.metric, s.metric_kind, s.per AS period, s.period_start, s.on_date,
    coalesce(align.working_time(s.hours, s.day_start_at, s.day_end_at) > interval '0', true) AS is_working_day,
    s.actual_to_date,
    round(s.goal_to_date, 2) AS goal_to_date,
    round(s.actual_to_date - s.goal_to_date, 2) AS gap,
    {as_of}::timestamptz AS as_of
FROM sums AS s
