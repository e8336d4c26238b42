-- scorecard
-- Targets against actuals: one row per target and period, a joint target once. Key: target_no, period_start. The target is that of the version in force when the period began, or of the first version before that; stages have their names of today. A count is the leads that entered the stage for the first time in the period; an amount is the sum of their last known amounts; a service level is met / (met + missed) of the clocks that were due in the period and by now; a conversion is the share of the leads that entered the first stage in the period and entered the other within the window, known when the window of all of them is over. Do not add up targets. Answers: are we where we said we would be?
--
-- row_key: period, its first day and the number of the target
-- target_no: place of the target in the agreement, from 1
-- teams: who promised: a team, or several: "marketing, sales"
-- is_joint: whether several teams promised it
-- metric: what is counted: a stage, "amount of" a stage, a handoff or service level, "STAGE to STAGE"
-- metric_kind: count, amount, sla or conversion
-- period: day, week, month, quarter or year
-- period_start: its first day
-- period_end: its last day
-- goal: what was promised, in unit
-- actual: what was reached; NULL if nothing is known yet; of a rate in %, with two digits (attainment and status are exact)
-- unit: leads, amount or %
-- numerator: of a rate: met, or converted; else actual
-- denominator: of a rate: met + missed, or all leads of the period; else NULL
-- repeats: further entries into the stage by leads that had entered it before
-- reversed: leads that entered the won stage and are not won now; not in actual. A won lead that was deleted stays in actual
-- open: clocks that are due in the period and not yet; leads that may still convert
-- amount_missing: leads without an amount, in amounts
-- elapsed_share: part of the working time of the period that is over, by the hours of the team, or the common ones of a joint target; of all time without hours, or if the period has no working time
-- goal_today: goal * elapsed_share; the goal itself of a rate
-- expected_end: actual / elapsed_share: the end of the period at this pace; NULL before a fifth of it is over, and for rates
-- actual_lower: of a conversion whose window is not over: if no open lead converts, in %
-- actual_upper: if all do
-- attainment: actual / goal
-- status: exceeded, met, missed; while the period runs: on track or behind; open: a conversion whose window is not over; no data: no lead or clock to judge, a conversion of a period before complete_since, or a goal that was not reached in a period without working time
-- goal_changed: whether a version that came into force in the period has another goal, or no such target
-- is_complete: whether the record was complete when the period began
-- version: version of the agreement that the target is of
-- as_of: the instant of the figures

WITH
    in_force AS MATERIALIZED (
        {part:funnel}
    ),
    targets AS MATERIALIZED (
        {part:target_periods}
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
        SELECT e.per, e.period_start, e.stage,
            count(*) FILTER (WHERE e.is_first AND NOT e.is_reversed) AS counted,
            count(*) FILTER (WHERE NOT e.is_first) AS repeats,
            count(*) FILTER (WHERE e.is_first AND e.is_reversed) AS reversed,
            sum(e.amount) FILTER (WHERE e.is_first AND NOT e.is_reversed) AS amount,
            count(*) FILTER (WHERE e.is_first AND NOT e.is_reversed AND e.amount IS NULL) AS amount_missing
        FROM ({part:target_entries}) AS e
        GROUP BY e.per, e.period_start, e.stage
    ),
    due AS MATERIALIZED (
        SELECT c.sla, c.due_on, c.due_at, c.is_met, c.is_missed, c.is_open
        FROM {sla_facts} AS c
        WHERE c.due_at IS NOT NULL
    ),
    clocks AS MATERIALIZED (
        SELECT t.per, t.sla, align.period_start(f.funnel, t.per, c.due_on) AS period_start,
            sum(c.is_met) FILTER (WHERE c.due_at <= {as_of}) AS met,
            sum(c.is_missed) FILTER (WHERE c.due_at <= {as_of}) AS missed,
            count(*) FILTER (WHERE c.due_at > {as_of} AND c.is_open = 1) AS still_open
        FROM (SELECT DISTINCT t.per, t.sla FROM targets AS t WHERE t.metric_kind = 'sla') AS t
            JOIN due AS c ON c.sla = t.sla
            CROSS JOIN in_force AS f
        GROUP BY t.per, t.sla, align.period_start(f.funnel, t.per, c.due_on)
    ),
    -- the first entry of each lead that is not late into each stage
    firsts AS MATERIALIZED (
        SELECT {key:v}, v.stage, min(v.entered_at) AS at
        FROM visits AS v
        WHERE v.is_entry AND NOT v.is_late
            AND v.stage IN (SELECT t.stage FROM targets AS t WHERE t.metric_kind = 'conversion'
                            UNION SELECT t.from_stage FROM targets AS t WHERE t.metric_kind = 'conversion')
        GROUP BY {key:v}, v.stage
    ),
    cohorts AS MATERIALIZED (
        SELECT t.per, t.from_stage, t.stage, t.within,
            align.period_start(f.funnel, t.per, timezone({zone}, a.at)::date) AS period_start,
            count(*) AS leads,
            count(*) FILTER (WHERE b.at >= a.at AND b.at <= a.at + t.within) AS converted,
            count(*) FILTER (WHERE (b.at >= a.at AND b.at <= a.at + t.within) IS NOT TRUE
                                 AND l.status = 'open' AND a.at + t.within > {as_of}) AS still_open
        FROM (SELECT DISTINCT t.per, t.from_stage, t.stage, t.within
              FROM targets AS t WHERE t.metric_kind = 'conversion') AS t
            CROSS JOIN in_force AS f
            JOIN firsts AS a ON a.stage = t.from_stage
            JOIN leads AS l ON {key_join:l:a}
            LEFT JOIN firsts AS b ON {key_join:b:a} AND b.stage = t.stage
        GROUP BY t.per, t.from_stage, t.stage, t.within,
            align.period_start(f.funnel, t.per, timezone({zone}, a.at)::date)
    ),
    measured AS (
        SELECT t.*,
            CASE t.metric_kind WHEN 'count' THEN coalesce(e.counted, 0)
                WHEN 'amount' THEN coalesce(e.amount, 0)
                WHEN 'sla' THEN coalesce(c.met, 0)
                ELSE coalesce(x.converted, 0) END::numeric AS numerator,
            CASE t.metric_kind WHEN 'sla' THEN coalesce(c.met + c.missed, 0)
                WHEN 'conversion' THEN coalesce(x.leads, 0) END::numeric AS denominator,
            CASE WHEN t.metric_kind IN ('count', 'amount') THEN coalesce(e.repeats, 0) END AS repeats,
            CASE WHEN t.is_won AND t.metric_kind IN ('count', 'amount') THEN coalesce(e.reversed, 0) END AS reversed,
            CASE t.metric_kind WHEN 'sla' THEN coalesce(c.still_open, 0)
                WHEN 'conversion' THEN coalesce(x.still_open, 0) END AS still_open,
            CASE WHEN t.metric_kind = 'amount' THEN coalesce(e.amount_missing, 0) END AS amount_missing,
            t.metric_kind <> 'conversion'
                OR t.end_at + t.within <= {as_of} AND t.start_at >= {complete_since} AS is_known
        FROM targets AS t
            LEFT JOIN entries AS e
                ON t.metric_kind IN ('count', 'amount')
                AND e.per = t.per AND e.period_start = t.period_start AND e.stage = t.stage
            LEFT JOIN clocks AS c
                ON t.metric_kind = 'sla'
                AND c.per = t.per AND c.period_start = t.period_start AND c.sla = t.sla
            LEFT JOIN cohorts AS x
                ON t.metric_kind = 'conversion'
                AND x.per = t.per AND x.period_start = t.period_start
                AND x.from_stage = t.from_stage AND x.stage = t.stage AND x.within = t.within
    ),
    scored AS (
        SELECT m.*,
            -- compared with the goal as it is, not as it is rounded
            CASE WHEN m.denominator IS NULL THEN m.numerator
                WHEN m.is_known THEN 100 * m.numerator / nullif(m.denominator, 0) END AS exact,
            CASE WHEN m.denominator IS NULL THEN m.numerator
                WHEN m.is_known THEN round(100 * m.numerator / nullif(m.denominator, 0), 2) END AS actual,
            CASE WHEN m.denominator IS NULL THEN round(m.goal * m.elapsed_share::numeric, 2)
                ELSE m.goal END AS goal_today
        FROM measured AS m
    )
SELECT s.per || ' ' || to_char(s.period_start, 'YYYY-MM-DD') || ' ' || s.target_no AS row_key,
    s.target_no, s.teams, s.is_joint, s.metric, s.metric_kind, s.per AS period,
    s.period_start, s.period_end - 1 AS period_end,
    s.goal, s.actual, s.unit, s.numerator, s.denominator,
    s.repeats, s.reversed, s.still_open AS open, s.amount_missing,
    s.elapsed_share, s.goal_today,
    CASE WHEN s.denominator IS NULL AND s.elapsed_share >= 0.2
        THEN round(s.actual / s.elapsed_share::numeric, 2) END AS expected_end,
    CASE WHEN NOT s.is_known THEN round(100 * s.numerator / nullif(s.denominator, 0), 2) END AS actual_lower,
    CASE WHEN NOT s.is_known
        THEN round(100 * (s.numerator + s.still_open) / nullif(s.denominator, 0), 2) END AS actual_upper,
    (s.exact / nullif(s.goal, 0))::float8 AS attainment,
    CASE
        WHEN s.denominator = 0 THEN 'no data'
        WHEN NOT s.is_known THEN CASE WHEN s.end_at + s.within > {as_of} THEN 'open' ELSE 'no data' END
        WHEN s.metric_kind = 'sla' AND NOT s.is_over
            THEN CASE WHEN s.exact >= s.goal THEN 'on track' ELSE 'behind' END
        WHEN s.exact > s.goal THEN 'exceeded'
        WHEN s.exact = s.goal THEN 'met'
        WHEN s.denominator IS NULL AND NOT s.has_working_time THEN 'no data'
        WHEN s.is_over THEN 'missed'
        WHEN s.exact >= s.goal * s.elapsed_share::numeric THEN 'on track'
        ELSE 'behind' END AS status,
    s.goal_changed,
    s.start_at >= {complete_since} AS is_complete,
    s.version,
    {as_of}::timestamptz AS as_of
FROM scored AS s
