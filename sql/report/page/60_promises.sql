-- 4: the promises that were due: twelve weeks, a line per team, and who is late now.
WITH
    weeks AS (
        SELECT w.week, w.team, sum(w.met) AS met, sum(w.met) + sum(w.missed) AS due, bool_or(w.is_running) AS is_running,
            sum(w.met)::float8 / nullif(sum(w.met) + sum(w.missed), 0) AS rate,
            12 - ($2 - w.week) / 7 AS n
        FROM {sla_by_week} AS w
        WHERE w.week > $2 - 84 AND w.week <= $2
        GROUP BY w.week, w.team
    ),
    teams AS (
        SELECT w.team, row_number() OVER (ORDER BY w.team)::int AS i,
            string_agg(format('%s,%s', 40 + 46 * w.n, round((150 - 120 * w.rate)::numeric, 1)), ' ' ORDER BY w.n) AS points,
            max(w.rate) FILTER (WHERE w.n = 12) AS last_rate
        FROM weeks AS w
        WHERE w.rate IS NOT NULL
        GROUP BY w.team
    ),
    colours AS (
        SELECT c.i::int AS i, c.class FROM unnest(ARRAY['s-bar', 's-second', 's-good', 's-grey']) WITH ORDINALITY AS c (class, i)
    ),
    late AS (
        SELECT o.team, o.assignee, count(*) AS n, max(o.overrun_seconds) AS longest, sum(o.amount) AS amount
        FROM {sla_now} AS o
        WHERE o.clock_status = 'overdue'
        GROUP BY o.team, o.assignee
        ORDER BY max(o.overrun_seconds) DESC
        LIMIT 15
    )
SELECT xmlelement(name section,
    xmlelement(name h2, '4 Promises (7 minutes)'),
    CASE WHEN NOT EXISTS (SELECT FROM {promises} AS p)
        THEN xmlelement(name p, 'No service level is agreed. Add one to the agreement: sla first_touch by marketing: from inquiry to mql within 2 days;')
        ELSE xmlconcat(
            (SELECT xmlelement(name p, coalesce(string_agg(format('%s kept %s %% of the promises that were due this week.', t.team, round((100 * t.last_rate)::numeric)), ' '
                                                           ORDER BY t.last_rate), 'Nothing was due this week.'))
             FROM teams AS t WHERE t.last_rate IS NOT NULL),
            (SELECT CASE WHEN count(*) > 0 THEN xmlelement(name svg, xmlattributes('0 0 680 180' AS "viewBox", 'img' AS role,
                     'share of promises kept by week of due, the last twelve weeks, a line for each team' AS "aria-label"),
                 xmlelement(name line, xmlattributes('line s-line' AS class, 60 AS x1, 30 AS y1, 600 AS x2, 30 AS y2), ''),
                 xmlelement(name line, xmlattributes('line s-line' AS class, 60 AS x1, 150 AS y1, 600 AS x2, 150 AS y2), ''),
                 xmlelement(name text, xmlattributes('soft' AS class, 55 AS x, 34 AS y, 'end' AS "text-anchor"), '100 %'),
                 xmlelement(name text, xmlattributes('soft' AS class, 55 AS x, 154 AS y, 'end' AS "text-anchor"), '0 %'),
                 xmlelement(name text, xmlattributes('soft' AS class, 86 AS x, 172 AS y, 'middle' AS "text-anchor"), to_char($2 - 77, 'FMDD Mon')),
                 xmlelement(name text, xmlattributes('soft' AS class, 592 AS x, 172 AS y, 'middle' AS "text-anchor"), to_char($2, 'FMDD Mon')),
                 xmlagg(xmlelement(name g,
                     xmlelement(name polyline, xmlattributes('line ' || coalesce(c.class, 's-grey') AS class, t.points AS points), ''),
                     (SELECT xmlagg(xmlelement(name circle, xmlattributes('dot ' || coalesce(c.class, 's-grey') AS class, 40 + 46 * w.n AS cx,
                                                round((150 - 120 * w.rate)::numeric, 1) AS cy, CASE WHEN w.is_running THEN 4 ELSE 2 END AS r), '') ORDER BY w.n)
                      FROM weeks AS w WHERE w.team = t.team AND w.rate IS NOT NULL),
                     xmlelement(name text, xmlattributes(606 AS x, 24 + 16 * t.i AS y), t.team),
                     xmlelement(name line, xmlattributes('line ' || coalesce(c.class, 's-grey') AS class, 606 AS x1, 28 + 16 * t.i AS y1, 640 AS x2, 28 + 16 * t.i AS y2), '')) ORDER BY t.i)) END
             FROM teams AS t LEFT JOIN colours AS c ON c.i = t.i),
            (SELECT xmlelement(name div, xmlattributes('scroll' AS class), xmlelement(name table,
                 xmlelement(name caption, 'Promises: kept in the last complete week, in the four before, and open now'),
                 xmlelement(name thead, xmlelement(name tr,
                     xmlelement(name th, xmlattributes('col' AS scope), 'Promise'), xmlelement(name th, xmlattributes('col' AS scope), 'By'),
                     xmlelement(name th, xmlattributes('col' AS scope), 'Allowed'),
                     xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Kept'), xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Before'),
                     xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Overdue'), xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'At risk'))),
                 xmlelement(name tbody, xmlagg(xmlelement(name tr,
                     xmlelement(name td, p.sla), xmlelement(name td, p.team), xmlelement(name td, p.due_text),
                     xmlelement(name td, xmlattributes('n' AS class), coalesce(round((100 * p.rate_week)::numeric) || ' % of ' || (p.met_week + p.missed_week), '-')),
                     xmlelement(name td, xmlattributes('n' AS class), coalesce(round((100 * p.rate_before4)::numeric) || ' % of ' || (p.met_before4 + p.missed_before4), '-')),
                     xmlelement(name td, xmlattributes(CASE WHEN p.overdue_now > 0 THEN 'n bad' ELSE 'n' END AS class), p.overdue_now),
                     xmlelement(name td, xmlattributes('n' AS class), p.at_risk_now))
                     ORDER BY p.overdue_now DESC, p.rate_week, p.sla))))
             FROM {promises} AS p),
            (SELECT CASE WHEN count(*) > 0 THEN xmlelement(name div, xmlattributes('scroll' AS class), xmlelement(name table,
                 xmlelement(name caption, 'Overdue now, by who holds the lead, the oldest first'),
                 xmlelement(name thead, xmlelement(name tr,
                     xmlelement(name th, xmlattributes('col' AS scope), 'Team'), xmlelement(name th, xmlattributes('col' AS scope), 'Person'),
                     xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Overdue'), xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Oldest, hours'),
                     xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Amount'))),
                 xmlelement(name tbody, xmlagg(xmlelement(name tr,
                     xmlelement(name td, l.team), xmlelement(name td, l.assignee), xmlelement(name td, xmlattributes('n' AS class), l.n),
                     xmlelement(name td, xmlattributes('n' AS class), to_char(l.longest / 3600.0, 'FM999,990')),
                     xmlelement(name td, xmlattributes('n' AS class), coalesce(to_char(l.amount, 'FM999,999,999,990'), '-'))) ORDER BY l.longest DESC)))) END
             FROM late AS l)) END)
