-- handoffs_by_week
-- One row per handoff and week of submission, up to the instant. Key: row_key (handoff, week). Counts add up over weeks and handoffs, rates and percentiles do not. Young weeks are not comparable with old ones: rejections are faster than acceptances, so compare a week with an earlier one as of the same age (the function of this name takes an instant). acceptance_rate = accepted / (accepted + rejected). Answers: does the other team accept what it gets?
--
-- row_key: handoff and week as text; unique
-- handoff: the handoff
-- week: Monday of the week of submission
-- from_team: team that submits, by the latest version of the agreement in the week; (none) if none does
-- to_team: team that decides, likewise
-- submitted: submissions
-- accepted: of these, accepted
-- rejected: rejected
-- withdrawn: moved to another stage before a decision
-- pending: not decided at the instant
-- gone: deleted, or out of the funnel, before a decision
-- first_submissions: submissions that are the first of their lead to this handoff
-- acceptance_rate: accepted / (accepted + rejected); NULL if there are none
-- acceptance_rate_lower: Wilson's lower bound, 95 %; NULL while submissions are pending, and if a lead was decided more than once
-- acceptance_rate_upper: Wilson's upper bound
-- median_working_seconds: half of the decisions (accepted or rejected) took at most so long; NULL under 5
-- p90_working_seconds: 90 % of them; NULL under 20
-- n: decisions whose working time is known
-- week_start_at: instant at which the week begins
-- is_complete: whether the record was complete by then (complete_since); if not, do not compare the week
-- is_running: whether the week is not over at the instant

SELECT quote_ident(w.handoff) || ' ' || to_char(w.week, 'YYYY-MM-DD') AS row_key, w.handoff, w.week,
    w.from_team, w.to_team,
    w.submitted, w.accepted, w.rejected, w.withdrawn, w.pending, w.gone, w.first_submissions,
    w.accepted::float8 / nullif(w.accepted + w.rejected, 0) AS acceptance_rate,
    CASE WHEN w.is_final THEN bounds.lower END AS acceptance_rate_lower,
    CASE WHEN w.is_final THEN bounds.upper END AS acceptance_rate_upper,
    CASE WHEN w.n >= 5 THEN w.median_seconds END AS median_working_seconds,
    CASE WHEN w.n >= 20 THEN w.p90_seconds END AS p90_working_seconds,
    w.n,
    timezone({zone}, w.week::timestamp) AS week_start_at,
    timezone({zone}, w.week::timestamp) >= {complete_since} AS is_complete,
    timezone({zone}, w.week::timestamp + interval '7 days') > {as_of} AS is_running
FROM (
    SELECT h.handoff, date_trunc('week', h.submitted_on::timestamp)::date AS week,
        substr(max(lpad(h.version::text, 10, '0') || h.from_team), 11) AS from_team,
        substr(max(lpad(h.version::text, 10, '0') || h.to_team), 11) AS to_team,
        count(*) AS submitted,
        count(*) FILTER (WHERE h.outcome = 'accepted') AS accepted,
        count(*) FILTER (WHERE h.outcome = 'rejected') AS rejected,
        count(*) FILTER (WHERE h.outcome = 'withdrawn') AS withdrawn,
        count(*) FILTER (WHERE h.outcome = 'pending') AS pending,
        count(*) FILTER (WHERE h.outcome = 'gone') AS gone,
        count(*) FILTER (WHERE h.is_first) AS first_submissions,
        -- whether each lead counts once in the rate, and it stays
        count(*) FILTER (WHERE h.outcome = 'pending') = 0
            AND count(*) FILTER (WHERE h.outcome IN ('accepted', 'rejected')) > 0
            AND count(*) FILTER (WHERE h.outcome IN ('accepted', 'rejected'))
                = count(DISTINCT ({key:h})) FILTER (WHERE h.outcome IN ('accepted', 'rejected')) AS is_final,
        count(h.working_seconds) FILTER (WHERE h.outcome IN ('accepted', 'rejected')) AS n,
        percentile_disc(0.5) WITHIN GROUP (ORDER BY h.working_seconds)
            FILTER (WHERE h.outcome IN ('accepted', 'rejected')) AS median_seconds,
        percentile_disc(0.9) WITHIN GROUP (ORDER BY h.working_seconds)
            FILTER (WHERE h.outcome IN ('accepted', 'rejected')) AS p90_seconds
    FROM {handoff_facts} AS h
    GROUP BY h.handoff, date_trunc('week', h.submitted_on::timestamp)
) AS w
    CROSS JOIN LATERAL align.wilson(w.accepted, w.accepted + w.rejected) AS bounds
