-- conformance
-- One row per week, version of the agreement, rule and team for which entries broke the rule, as far as they were recorded by the instant. Key: row_key (week, version, rule, team). An entry can break several rules, so entries add up only within one rule; moves repeats for each version and rule, and must not be added up. Openings and imports are not counted, and moves that were refused leave no entry. share = entries / moves. Answers: which rules are broken, and by whom?
--
-- row_key: week, version, rule and team as text; unique
-- week: Monday of the week in which the entries were recorded
-- version: version of the agreement that judged them
-- rule: the rule that they broke
-- team: the team that acted: that held the lead before, or for a new lead that
--   holds it; (none) if none did
-- entries: entries that broke the rule
-- leads: leads that they belong to
-- overrides: of the entries, those for which the rule was suspended (align.override)
-- moves: all entries into the funnel and moves of this team in this week
-- share: entries / moves
-- week_start_at: instant at which the week begins
-- is_complete: whether the record was complete by then (complete_since)

WITH
    moves AS NOT MATERIALIZED (
        SELECT {key:e}, e.version, e.violation, e.event = 'override' AS is_override,
            coalesce(e.from_team, e.team, '(none)') AS team,
            date_trunc('week', timezone({zone}, e.recorded_at))::date AS week
        FROM ({part:entries}) AS e
        WHERE e.event IN ('entry', 'move', 'override')
            AND (e.source IS NULL OR e.source NOT LIKE '%import')
    ),
    by_team AS (
        SELECT m.week, m.team, count(*) AS moves
        FROM moves AS m
        GROUP BY m.week, m.team
    ),
    broken AS (
        SELECT m.week, m.version, rule.rule, m.team,
            count(*) AS entries,
            count(DISTINCT ({key:m})) AS leads,
            count(*) FILTER (WHERE m.is_override) AS overrides
        FROM moves AS m
            CROSS JOIN LATERAL unnest(string_to_array(m.violation, ', ')) AS rule (rule)
        WHERE m.violation IS NOT NULL
        GROUP BY m.week, m.version, rule.rule, m.team
    )
SELECT to_char(b.week, 'YYYY-MM-DD') || ' ' || b.version || ' ' || b.rule || ' ' || b.team AS row_key,
    b.week, b.version, b.rule, b.team, b.entries, b.leads, b.overrides, v.moves,
    b.entries::float8 / v.moves AS share,
    timezone({zone}, b.week::timestamp) AS week_start_at,
    timezone({zone}, b.week::timestamp) >= {complete_since} AS is_complete
FROM broken AS b
    JOIN by_team AS v ON v.week = b.week AND v.team = b.team
