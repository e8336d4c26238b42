-- promises
-- One row per promise (service level or handoff with a time) of the agreement in force at the instant. Key: row_key (sla). As in sla_by_week: the last complete week, the week before it, and the four weeks before it, pooled. Rates do not add up; add up met and missed, and divide. A clock is met or missed when it is due, so all these weeks are as old as they need to be. Weeks that begin before the record is complete are left out of those before. Answers: are promises kept, last week and before?
--
-- row_key: the promise as text; unique
-- sla: service level or handoff
-- team: the team that promises; (none) if none does
-- due_text: what is promised, as the agreement has it
-- met_week: clocks due in the last complete week that were met
-- missed_week: clocks due in that week that were missed
-- rate_week: met / (met + missed) of that week; NULL if nothing was due
-- met_before4: clocks due in the four weeks before it that were met
-- missed_before4: clocks due in these weeks that were missed
-- rate_before4: met / (met + missed) of these weeks; NULL if nothing was due
-- overdue_now: open clocks that are overdue at the instant
-- at_risk_now: open clocks from their warning on
-- paused_now: open clocks that are paused before they are due
-- oldest_overdue_working_seconds: time since the due instant of the clock that is
--   overdue longest, in the promise's own kind of time; NULL if none is
-- is_handoff: whether it is a handoff
-- week: Monday of the last complete week
-- week_start_at: instant at which that week begins
-- as_of: the instant
-- met_week_before: clocks due in the week before the last complete one that were met
-- missed_week_before: clocks due in that week that were missed
-- rate_week_before: met / (met + missed) of that week; NULL if nothing was due

WITH
    clocks AS (
        SELECT c.sla,
            sum(c.is_met) FILTER (WHERE c.due_at <= {as_of} AND c.week = last.week) AS met_week,
            sum(c.is_missed) FILTER (WHERE c.due_at <= {as_of} AND c.week = last.week) AS missed_week,
            sum(c.is_met) FILTER (WHERE c.due_at <= {as_of} AND c.week = last.week - 7
                                      AND c.week_start_at >= {complete_since}) AS met_week_before,
            sum(c.is_missed) FILTER (WHERE c.due_at <= {as_of} AND c.week = last.week - 7
                                         AND c.week_start_at >= {complete_since}) AS missed_week_before,
            sum(c.is_met) FILTER (WHERE c.due_at <= {as_of} AND c.week BETWEEN last.week - 28 AND last.week - 7
                                      AND c.week_start_at >= {complete_since}) AS met_before4,
            sum(c.is_missed) FILTER (WHERE c.due_at <= {as_of} AND c.week BETWEEN last.week - 28 AND last.week - 7
                                         AND c.week_start_at >= {complete_since}) AS missed_before4,
            count(*) FILTER (WHERE c.clock_status = 'overdue') AS overdue_now,
            count(*) FILTER (WHERE c.clock_status = 'at risk') AS at_risk_now,
            count(*) FILTER (WHERE c.clock_status = 'paused') AS paused_now,
            max(c.overrun_seconds) FILTER (WHERE c.clock_status = 'overdue') AS oldest_overdue
        FROM {sla_facts} AS c
            CROSS JOIN (SELECT date_trunc('week', timezone({zone}, {as_of}))::date - 7 AS week) AS last
        WHERE c.is_open = 1 OR c.week BETWEEN last.week - 28 AND last.week
        GROUP BY c.sla
    )
SELECT quote_ident(p.sla) AS row_key, p.sla, coalesce(p.team, '(none)') AS team, p.due AS due_text,
    coalesce(c.met_week, 0)::bigint AS met_week,
    coalesce(c.missed_week, 0)::bigint AS missed_week,
    c.met_week::float8 / nullif(c.met_week + c.missed_week, 0) AS rate_week,
    coalesce(c.met_before4, 0)::bigint AS met_before4,
    coalesce(c.missed_before4, 0)::bigint AS missed_before4,
    c.met_before4::float8 / nullif(c.met_before4 + c.missed_before4, 0) AS rate_before4,
    coalesce(c.overdue_now, 0) AS overdue_now,
    coalesce(c.at_risk_now, 0) AS at_risk_now,
    coalesce(c.paused_now, 0) AS paused_now,
    c.oldest_overdue AS oldest_overdue_working_seconds,
    EXISTS (SELECT FROM align.handoffs(f.funnel) AS h WHERE h.handoff = p.sla) AS is_handoff,
    date_trunc('week', timezone({zone}, {as_of}))::date - 7 AS week,
    timezone({zone}, date_trunc('week', timezone({zone}, {as_of})) - interval '7 days') AS week_start_at,
    {as_of}::timestamptz AS as_of,
    coalesce(c.met_week_before, 0)::bigint AS met_week_before,
    coalesce(c.missed_week_before, 0)::bigint AS missed_week_before,
    c.met_week_before::float8 / nullif(c.met_week_before + c.missed_week_before, 0) AS rate_week_before
FROM ({part:funnel}) AS f
    CROSS JOIN LATERAL align.service_levels(f.funnel) AS p
    LEFT JOIN clocks AS c ON c.sla = p.sla
WHERE p.due IS NOT NULL
