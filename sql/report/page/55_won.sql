-- 3, continued: what was won in the period of the first money or count target of
-- a won stage, day by day: actual, plan, and the period before in grey.
WITH
    target AS (
        SELECT d.target_no, d.metric, d.metric_kind, d.period, d.period_start, max(d.on_date) AS last_on, count(*) AS days
        FROM {target_by_day} AS d
            JOIN {coverage} AS c ON c.target_no = d.target_no AND c.period = d.period
        WHERE d.period IN ('month', 'quarter', 'year')
        GROUP BY d.target_no, d.metric, d.metric_kind, d.period, d.period_start
        ORDER BY d.metric_kind, d.target_no
        LIMIT 1
    ),
    days AS (
        SELECT d.on_date - t.period_start AS n, d.actual_to_date, d.goal_to_date, t.days
        FROM target AS t
            JOIN {target_by_day} AS d ON d.target_no = t.target_no AND d.period = t.period
    ),
    -- the period before, by the same part of it
    before AS (
        SELECT w.n,
            sum(sum(w.size)) OVER (ORDER BY w.n) AS to_date
        FROM (SELECT (l.won_on - (t.period_start - t.days::int))::int AS n,
                  CASE t.metric_kind WHEN 'amount' THEN l.amount ELSE 1 END AS size
              FROM target AS t
                  JOIN (SELECT timezone({zone}, l.won_at)::date AS won_on, l.amount
                        FROM {lead_facts} AS l WHERE l.status = 'won') AS l
                      ON l.won_on < t.period_start AND l.won_on >= t.period_start - t.days::int) AS w
        GROUP BY w.n
    ),
    scale AS (
        SELECT greatest(max(d.actual_to_date), max(d.goal_to_date), (SELECT max(b.to_date) FROM before AS b), 1) AS top,
            max(d.days) AS days
        FROM days AS d
    ),
    -- as the scorecard has it, at the last day that had begun
    now_ AS (
        SELECT timezone({zone}, $1 - interval '1 microsecond')::date - t.period_start AS n,
            s.actual AS actual_to_date, s.goal_today AS goal_to_date, s.goal, s.is_complete
        FROM target AS t
            JOIN {scorecard} AS s ON s.target_no = t.target_no AND s.period = t.period AND s.period_start = t.period_start
    )
SELECT xmlelement(name section,
    xmlelement(name h3, t.metric || ', this ' || t.period || ' day by day'),
    xmlelement(name p, CASE WHEN NOT x.is_complete THEN to_char(x.actual_to_date, 'FM999,999,999,990') || ' so far, in a record that is not complete.'
        WHEN x.actual_to_date = x.goal_to_date THEN to_char(x.actual_to_date, 'FM999,999,999,990') || ' so far, as planned.'
        ELSE format('%s so far: %s %s than planned by now.', to_char(x.actual_to_date, 'FM999,999,999,990'),
            CASE WHEN abs(x.actual_to_date - x.goal_to_date) < 100 AND x.goal_to_date <> round(x.goal_to_date) THEN to_char(abs(x.actual_to_date - x.goal_to_date), 'FM990.09')
                ELSE to_char(abs(x.actual_to_date - x.goal_to_date), 'FM999,999,999,990') END, CASE WHEN x.actual_to_date >= x.goal_to_date THEN 'more' ELSE 'less' END) END),
    xmlelement(name svg, xmlattributes('chart' AS class, '0 0 680 190' AS "viewBox", 'img' AS role,
            'cumulative ' || t.metric || ': this ' || t.period || ', its plan, and the ' || t.period || ' before in grey' AS "aria-label"),
        xmlelement(name line, xmlattributes('line s-line' AS class, 8 AS x1, 160 AS y1, 560 AS x2, 160 AS y2), ''),
        (SELECT xmlelement(name polyline, xmlattributes('line s-grey' AS class,
             '8,160 ' || string_agg(format('%s,%s', round(8 + 552.0 * (b.n + 1) / s.days, 1), round(160 - 140 * b.to_date / s.top, 1)), ' ' ORDER BY b.n) AS points), '')
         FROM before AS b HAVING count(*) > 0),
        (SELECT xmlelement(name polyline, xmlattributes('line s-second' AS class, '6 4' AS "stroke-dasharray",
             '8,160 ' || string_agg(format('%s,%s', round(8 + 552.0 * (d.n + 1) / s.days, 1), round(160 - 140 * d.goal_to_date / s.top, 1)), ' ' ORDER BY d.n) AS points), '')
         FROM days AS d),
        (SELECT xmlelement(name polyline, xmlattributes('line s-bar' AS class,
             '8,160 ' || string_agg(format('%s,%s', round(8 + 552.0 * (d.n + 1) / s.days, 1), round(160 - 140 * d.actual_to_date / s.top, 1)), ' ' ORDER BY d.n) AS points), '')
         FROM days AS d, now_ AS x WHERE d.n <= x.n),
        xmlelement(name text, xmlattributes(568 AS x, round(164 - 140 * x.goal / s.top, 1) AS y), 'plan'),
        (SELECT xmlelement(name text, xmlattributes('soft wide' AS class, 568 AS x,
             round(greatest(least(164 - 140 * max(b.to_date) / s.top, 160), 164 - 140 * x.goal / s.top + 14), 1) AS y), t.period || ' before')
         FROM before AS b HAVING count(*) > 0),
        xmlelement(name circle, xmlattributes('dot s-bar full' AS class, round(8 + 552.0 * (x.n + 1) / s.days, 1) AS cx,
            round(160 - 140 * x.actual_to_date / s.top, 1) AS cy, 3 AS r), ''),
        xmlelement(name text, xmlattributes(round(least(14 + 552.0 * (x.n + 1) / s.days, 500), 1) AS x, round(least(178 - 140 * x.actual_to_date / s.top, 154), 1) AS y),
            'actual' || CASE WHEN NOT x.is_complete OR round(x.actual_to_date - x.goal_to_date) = 0 THEN ''
                ELSE ', ' || to_char(x.actual_to_date - x.goal_to_date, 'FMSG999,999,999,990') END),
        xmlelement(name text, xmlattributes('soft' AS class, 8 AS x, 178 AS y), to_char(t.period_start, 'FMDD Mon')),
        xmlelement(name text, xmlattributes('soft' AS class, 560 AS x, 178 AS y, 'end' AS "text-anchor"), to_char(t.last_on, 'FMDD Mon'))))
FROM target AS t
    CROSS JOIN scale AS s
    CROSS JOIN now_ AS x
