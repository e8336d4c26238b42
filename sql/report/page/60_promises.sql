-- 4: the promises that were due: twelve weeks, a line per team, and who is late
-- now.  The weeks before are seen at the age that the last one has.
WITH
    weeks AS (
        SELECT w.week, w.team, sum(w.met) AS met, sum(w.met) + sum(w.missed) AS due, bool_or(w.is_running) AS is_running,
            sum(w.met)::float8 / nullif(sum(w.met) + sum(w.missed), 0) AS rate,
            12 - ($2 - w.week) / 7 AS n
        FROM {sla_by_week} AS w
        WHERE w.week > $2 - 84 AND w.week <= $2
        GROUP BY w.week, w.team
    ),
    lines AS (
        SELECT w.team, row_number() OVER (ORDER BY w.team)::int AS i,
            string_agg(format('%s,%s', 40 + 46 * w.n, round((150 - 120 * w.rate)::numeric, 1)), ' ' ORDER BY w.n) AS points,
            max(w.rate) FILTER (WHERE w.n = 12) AS last_rate,
            (array_agg(w.rate ORDER BY w.n DESC))[1] AS end_rate
        FROM weeks AS w
        WHERE w.rate IS NOT NULL
        GROUP BY w.team
    ),
    ends AS (
        SELECT l.*, row_number() OVER (ORDER BY l.end_rate DESC, l.team) AS place
        FROM lines AS l
    ),
    -- the name of a team stands where its line ends, below the name above it
    teams AS (
        SELECT e.*, max(154 - 120 * e.end_rate - 18 * e.place) OVER (ORDER BY e.place) + 18 * e.place AS label_y
        FROM ends AS e
    ),
    colours AS (
        SELECT c.i::int AS i, c.class FROM unnest(ARRAY['s-bar', 's-second', 's-good', 's-grey']) WITH ORDINALITY AS c (class, i)
    ),
    -- the goal that the agreement has for promises, if it has a single one
    goals AS (
        SELECT max(s.goal) AS goal
        FROM {scorecard} AS s
        WHERE s.metric_kind = 'sla'
            AND timezone({zone}, $1 - interval '1 microsecond')::date BETWEEN s.period_start AND s.period_end
        HAVING min(s.goal) = max(s.goal)
    ),
    before AS (
        SELECT c.sla, sum(c.is_met)::numeric AS met4, sum(c.is_missed)::numeric AS missed4,
            (sum(c.is_met) FILTER (WHERE w.n = 1))::numeric AS met, (sum(c.is_missed) FILTER (WHERE w.n = 1))::numeric AS missed
        FROM (SELECT i.n, p.week - 7 * i.n AS week,
                  timezone({zone}, (p.week - 7 * i.n + 7)::timestamp)
                      + ($1 - timezone({zone}, (p.week + 7)::timestamp)) AS as_of
              FROM (SELECT max(p.week) AS week FROM {promises} AS p) AS p
                  CROSS JOIN generate_series(1, 4) AS i (n)) AS w
            JOIN {sla_facts} AS c
                ON c.week = w.week AND c.due_at <= w.as_of AND c.week_start_at >= {complete_since}
        GROUP BY c.sla
    ),
    late AS (
        SELECT o.team, o.assignee, count(*) AS n, min(o.due_at) AS due_at, sum(o.amount) AS amount
        FROM {sla_now} AS o
        WHERE o.clock_status = 'overdue'
        GROUP BY o.team, o.assignee
        ORDER BY min(o.due_at), o.team, o.assignee
        LIMIT 15
    )
SELECT xmlelement(name section,
    xmlelement(name h2, '4 Promises (7 minutes)'),
    CASE WHEN NOT EXISTS (SELECT FROM {promises} AS p)
        THEN xmlelement(name p, 'No promise is agreed. Add one to the agreement, such as sla first_touch by marketing: from inquiry to mql within 2 days;')
        ELSE xmlconcat(
            (SELECT xmlelement(name p, coalesce(string_agg(format('%s kept %s %% of what was due in the week of %s.', t.team, round((100 * t.last_rate)::numeric), to_char($2, 'FMDD Mon')), ' '
                                                           ORDER BY t.last_rate, t.team),
                                                CASE WHEN $1 <= timezone({zone}, $2::timestamp) THEN 'This week has not begun.'
                                                    ELSE 'Nothing was due in the week of ' || to_char($2, 'FMDD Mon') || '.' END)
                                        || (SELECT coalesce(format(' %s %s overdue now.', to_char(nullif(sum(p.overdue_now), 0), 'FM999,999,990'),
                                                                   CASE sum(p.overdue_now) WHEN 1 THEN 'is' ELSE 'are' END), '')
                                            FROM {promises} AS p HAVING sum(p.overdue_now) > 0))
             FROM teams AS t WHERE t.last_rate IS NOT NULL),
            (SELECT xmlelement(name p, xmlattributes('soft' AS class), 'No hours are agreed, so all time counts, nights and weekends included. Add them to the agreement: hours ''Europe/London Mo-Fr 09:00-17:30'';')
             FROM ({part:funnel}) AS f WHERE align.hours(f.funnel) IS NULL),
            (SELECT CASE WHEN count(*) > 0 THEN xmlelement(name svg, xmlattributes('chart' AS class, '0 0 720 190' AS "viewBox", 'img' AS role,
                     'share of promises kept by week of due, the last twelve weeks, a line for each team' AS "aria-label"),
                 xmlelement(name line, xmlattributes('line s-line' AS class, 60 AS x1, 30 AS y1, 600 AS x2, 30 AS y2), ''),
                 xmlelement(name line, xmlattributes('line s-line' AS class, 60 AS x1, 150 AS y1, 600 AS x2, 150 AS y2), ''),
                 xmlelement(name text, xmlattributes('soft' AS class, 55 AS x, 34 AS y, 'end' AS "text-anchor"), '100 %'),
                 xmlelement(name text, xmlattributes('soft' AS class, 55 AS x, 154 AS y, 'end' AS "text-anchor"), '0 %'),
                 xmlelement(name text, xmlattributes('soft' AS class, 86 AS x, 172 AS y, 'middle' AS "text-anchor"), to_char($2 - 77, 'FMDD Mon')),
                 xmlelement(name text, xmlattributes('soft' AS class, 592 AS x, 172 AS y, 'middle' AS "text-anchor"), to_char($2, 'FMDD Mon')),
                 (SELECT xmlconcat(
                      xmlelement(name line, xmlattributes('line s-grey' AS class, '4 4' AS "stroke-dasharray", 60 AS x1, round(150 - 1.2 * g.goal, 1) AS y1,
                          600 AS x2, round(150 - 1.2 * g.goal, 1) AS y2), ''),
                      xmlelement(name text, xmlattributes('soft' AS class, 55 AS x, round(154 - 1.2 * g.goal, 1) AS y, 'end' AS "text-anchor"),
                          CASE WHEN g.goal BETWEEN 15 AND 85 THEN rtrim(to_char(g.goal, 'FM990.999999'), '.') || ' %' END))
                  FROM goals AS g),
                 (SELECT xmlelement(name text, xmlattributes('soft' AS class, 330 AS x, 172 AS y, 'middle' AS "text-anchor"), 'dashed: goal ' || rtrim(to_char(g.goal, 'FM990.999999'), '.') || ' %') FROM goals AS g),
                 xmlagg(xmlelement(name g,
                     xmlelement(name polyline, xmlattributes('line ' || coalesce(c.class, 's-grey') AS class, t.points AS points), ''),
                     (SELECT xmlagg(xmlelement(name circle, xmlattributes('dot ' || coalesce(c.class, 's-grey') || CASE WHEN w.is_running THEN ' hollow' ELSE ' full' END AS class, 40 + 46 * w.n AS cx,
                                                round((150 - 120 * w.rate)::numeric, 1) AS cy, CASE WHEN w.is_running THEN 4 ELSE 2.5 END AS r), '') ORDER BY w.n)
                      FROM weeks AS w WHERE w.team = t.team AND w.rate IS NOT NULL),
                     xmlelement(name text, xmlattributes(604 AS x, round(t.label_y::numeric, 1) AS y), left(t.team, 12))) ORDER BY t.i)) END
             FROM teams AS t LEFT JOIN colours AS c ON c.i = t.i),
            (SELECT xmlelement(name div, xmlattributes('scroll' AS class, '0' AS tabindex, 'region' AS role, max(x.caption) AS "aria-label"), xmlelement(name table,
                 xmlelement(name caption, max(x.caption)),
                 xmlelement(name thead, xmlelement(name tr,
                     xmlelement(name th, xmlattributes('col' AS scope), 'Promise'), xmlelement(name th, xmlattributes('col' AS scope), 'By'),
                     xmlelement(name th, xmlattributes('col' AS scope), 'Allowed'),
                     xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Kept'), xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Week before'),
                     xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Four before'),
                     xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Overdue'), xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'At risk'))),
                 xmlelement(name tbody, xmlagg(xmlelement(name tr,
                     xmlelement(name td, p.sla), xmlelement(name td, p.team), xmlelement(name td, p.due_text),
                     xmlelement(name td, xmlattributes('n' AS class), coalesce(round((100 * p.rate_week)::numeric) || ' % of ' || (p.met_week + p.missed_week), '-')),
                     xmlelement(name td, xmlattributes('n' AS class), coalesce(round(100 * b.met / nullif(b.met + b.missed, 0)) || ' % of ' || (b.met + b.missed), '-')),
                     xmlelement(name td, xmlattributes('n' AS class), coalesce(round(100 * b.met4 / nullif(b.met4 + b.missed4, 0)) || ' % of ' || (b.met4 + b.missed4), '-')),
                     xmlelement(name td, xmlattributes(CASE WHEN p.overdue_now > 0 THEN 'n bad' ELSE 'n' END AS class), p.overdue_now),
                     xmlelement(name td, xmlattributes('n' AS class), p.at_risk_now))
                     ORDER BY p.overdue_now DESC, p.rate_week, p.sla))))
             FROM {promises} AS p
                 LEFT JOIN before AS b ON b.sla = p.sla
                 CROSS JOIN LATERAL (SELECT 'Promises kept: of those due in the week of ' || to_char(p.week, 'FMDD Mon') || ', in the week before, and in the four before together' AS caption) AS x),
            (SELECT CASE WHEN count(*) > 0 THEN xmlelement(name div, xmlattributes('scroll' AS class, '0' AS tabindex, 'region' AS role, 'Overdue now, by who holds the lead, the oldest first' AS "aria-label"), xmlelement(name table,
                 xmlelement(name caption, 'Overdue now, by who holds the lead, the oldest first'),
                 xmlelement(name thead, xmlelement(name tr,
                     xmlelement(name th, xmlattributes('col' AS scope), 'Team'), xmlelement(name th, xmlattributes('col' AS scope), 'Person'),
                     xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Overdue'), xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Oldest'),
                     xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Amount'))),
                 xmlelement(name tbody, xmlagg(xmlelement(name tr,
                     xmlelement(name td, l.team), xmlelement(name td, xmlattributes('w' AS class), left(l.assignee, 80)), xmlelement(name td, xmlattributes('n' AS class), l.n),
                     xmlelement(name td, xmlattributes('n' AS class), 'since ' || to_char(timezone({zone}, l.due_at), 'FMDD Mon YYYY')),
                     xmlelement(name td, xmlattributes('n' AS class), coalesce(to_char(l.amount, 'FM999,999,999,990'), '-'))) ORDER BY l.due_at, l.team, l.assignee)))) END
             FROM late AS l)) END)
