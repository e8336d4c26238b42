-- sla_by_week
-- One row per service level or handoff and week in which clocks were due, up to the instant. Key: row_key (sla, week). Counts add up over weeks and service levels (handoffs are among them: is_handoff); rates do not: add up met and missed, and divide. A clock counts when it is due, however early it was met, so a running week is not biased; paused clocks are not due. compliance = met / (met + missed). Answers: are promises kept, week by week?
--
-- row_key: sla and week as text; unique
-- sla: service level or handoff
-- week: Monday of the week in which the clocks were due
-- is_handoff: whether it is a handoff
-- team: the team that promises, by the latest version of the agreement in the week; (none) if none does
-- met: clocks stopped at the due instant or before
-- missed: clocks that still ran at their due instant
-- cancelled: clocks that ended before they were due, without being met
-- still_open: of the missed, those that are not done yet
-- compliance: met / (met + missed); NULL if there are none
-- compliance_lower: Wilson's lower bound of compliance, 95 %
-- compliance_upper: Wilson's upper bound
-- median_working_seconds: half of the clocks that stopped, met or missed, took at
--   most so long, in the promise's own kind of time; NULL under 5
-- p90_working_seconds: likewise 90 % of them; NULL under 20
-- n: clocks that stopped, met or missed
-- week_start_at: instant at which the week begins
-- is_complete: whether the record was complete by then (complete_since); if not, do not compare the week
-- is_running: whether the week is not over at the instant

SELECT quote_ident(w.sla) || ' ' || to_char(w.week, 'YYYY-MM-DD') AS row_key, w.sla, w.week, w.is_handoff, w.team,
    w.met, w.missed, w.cancelled, w.still_open,
    w.met::float8 / nullif(w.met + w.missed, 0) AS compliance,
    CASE WHEN w.met + w.missed > 0 THEN bounds.lower END AS compliance_lower,
    CASE WHEN w.met + w.missed > 0 THEN bounds.upper END AS compliance_upper,
    CASE WHEN w.n >= 5 THEN w.median_seconds END AS median_working_seconds,
    CASE WHEN w.n >= 20 THEN w.p90_seconds END AS p90_working_seconds,
    w.n,
    w.week_start_at,
    w.week_start_at >= {complete_since} AS is_complete,
    timezone({zone}, w.week::timestamp + interval '7 days') > {as_of} AS is_running
FROM (
    SELECT c.sla, c.week, c.week_start_at,
        bool_or(c.is_handoff) AS is_handoff,
        substr(max(lpad(c.version::text, 10, '0') || c.team), 11) AS team,
        sum(c.is_met) AS met,
        sum(c.is_missed) AS missed,
        sum(c.is_cancelled) AS cancelled,
        sum(c.is_missed * c.is_open) AS still_open,
        count(*) FILTER (WHERE c.is_open + c.is_cancelled = 0) AS n,
        percentile_disc(0.5) WITHIN GROUP (ORDER BY own.seconds)
            FILTER (WHERE c.is_open + c.is_cancelled = 0) AS median_seconds,
        percentile_disc(0.9) WITHIN GROUP (ORDER BY own.seconds)
            FILTER (WHERE c.is_open + c.is_cancelled = 0) AS p90_seconds
    FROM {sla_facts} AS c
        CROSS JOIN LATERAL (
            SELECT CASE WHEN c.is_working_time THEN c.working_seconds ELSE c.elapsed_seconds END AS seconds
        ) AS own
    WHERE c.due_at <= {as_of}
    GROUP BY c.sla, c.week, c.week_start_at
) AS w
    CROSS JOIN LATERAL align.wilson(w.met, w.met + w.missed) AS bounds
