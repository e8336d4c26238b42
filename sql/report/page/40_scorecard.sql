-- 2: the scorecard, with a bar for each target: its share of the goal, and a
-- tick where it should be by now.
WITH
    targets AS (
        SELECT s.*,
            least(coalesce(s.attainment, 0), 1.2) * 100 AS bar,
            least(coalesce((s.goal_today / nullif(s.goal, 0))::float8, 0), 1.2) * 100 AS tick,
            s.status IN ('behind', 'missed') AS is_behind
        FROM {scorecard} AS s
        WHERE timezone({zone}, $1 - interval '1 microsecond')::date BETWEEN s.period_start AND s.period_end
    ),
    -- the attainment of the last eight periods, the oldest first
    lines AS (
        SELECT t.row_key,
            string_agg(format('%s,%s', round((8 + 16 * (8 - p.n))::numeric, 1),
                              round((22 - 18 * least(p.attainment, 1.2) / 1.2)::numeric, 1)), ' ' ORDER BY p.n DESC) AS points,
            count(*) AS n
        FROM targets AS t
            CROSS JOIN LATERAL (SELECT s.attainment, row_number() OVER (ORDER BY s.period_start DESC) AS n
                                FROM {scorecard} AS s
                                WHERE s.teams = t.teams AND s.metric = t.metric AND s.period = t.period
                                    AND s.period_start <= t.period_start AND s.attainment IS NOT NULL AND s.is_complete) AS p
        WHERE p.n <= 8
        GROUP BY t.row_key
    ),
    needs AS (
        SELECT r.target_no, r.period, string_agg(to_char(r.needed, 'FM999,999,999,990') || ' ' || r.stage
                                       || CASE WHEN r.needed_in_time IS FALSE THEN ' (too slow for this ' || r.period || ')' ELSE '' END,
                                       ' or ' ORDER BY r.stage_order) AS text
        FROM {required} AS r
        WHERE r.gap > 0 AND r.needed IS NOT NULL
        GROUP BY r.target_no, r.period
    )
SELECT xmlelement(name section,
    xmlelement(name h2, '2 Scorecard (6 minutes)'),
    CASE WHEN count(t.row_key) = 0
        THEN xmlelement(name p, 'No target is agreed. Add targets to the agreement, such as target marketing: 400 mql per month; or, for both teams, target marketing, sales: 40 customer per quarter;')
        ELSE xmlconcat(
            xmlelement(name p, CASE WHEN bool_or(t.is_behind)
                THEN format('%s of %s targets %s behind or missed: %s.', count(*) FILTER (WHERE t.is_behind), count(*),
                         CASE count(*) FILTER (WHERE t.is_behind) WHEN 1 THEN 'is' ELSE 'are' END,
                         string_agg(t.metric || ' (' || t.teams || ')', ', ' ORDER BY t.is_joint DESC, t.teams, t.target_no) FILTER (WHERE t.is_behind))
                WHEN count(*) = 1 THEN 'The only target is not behind.'
                ELSE format('None of %s targets is behind.', count(*)) END),
            xmlelement(name div, xmlattributes('scroll' AS class, '0' AS tabindex, 'region' AS role, 'Scorecard' AS "aria-label"), xmlelement(name table,
                xmlelement(name caption, 'Share of the goal (bar), where it should be by now (tick), and the periods before'),
                xmlelement(name thead, xmlelement(name tr,
                    xmlelement(name th, xmlattributes('col' AS scope), 'Who'), xmlelement(name th, xmlattributes('col' AS scope), 'What'),
                    xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Actual'), xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Goal'),
                    xmlelement(name th, xmlattributes('col' AS scope), 'Share of goal'), xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Gap today'), xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Expected'),
                    xmlelement(name th, xmlattributes('col' AS scope), 'Status'), xmlelement(name th, xmlattributes('col' AS scope), 'Before'))),
                xmlelement(name tbody, xmlagg(xmlelement(name tr,
                    xmlelement(name td, t.teams || CASE WHEN t.is_joint THEN ' (joint)' ELSE '' END),
                    xmlelement(name td, t.metric || ' per ' || t.period),
                    xmlelement(name td, xmlattributes('n' AS class),
                        CASE WHEN t.actual IS NOT NULL THEN to_char(t.actual, CASE t.unit WHEN '%' THEN 'FM990.0' ELSE 'FM999,999,999,990' END)
                            WHEN t.actual_lower IS NOT NULL THEN to_char(t.actual_lower, 'FM990') || '-' || to_char(t.actual_upper, 'FM990')
                            ELSE '-' END || CASE t.unit WHEN '%' THEN ' %' ELSE '' END),
                    xmlelement(name td, xmlattributes('n' AS class), to_char(t.goal, 'FM999,999,999,990') || CASE t.unit WHEN '%' THEN ' %' ELSE '' END),
                    xmlelement(name td, xmlelement(name svg, xmlattributes('0 0 120 12' AS "viewBox", 'img' AS role,
                            format('%s %% of the goal, %s %% due by now', coalesce(round(100 * t.attainment)::text, '0'), round(t.tick::numeric)) AS "aria-label"),
                        xmlelement(name rect, xmlattributes('f-back' AS class, 0 AS x, 2 AS y, 100 AS width, 8 AS height), ''),
                        xmlelement(name rect, xmlattributes(CASE WHEN t.is_behind THEN 'f-bad' ELSE 'f-grey' END AS class,
                            0 AS x, 3 AS y, round(t.bar::numeric, 1) AS width, 6 AS height), ''),
                        xmlelement(name line, xmlattributes('line s-bar' AS class, round(t.tick::numeric, 1) AS x1, 0 AS y1, round(t.tick::numeric, 1) AS x2, 12 AS y2), ''))),
                    xmlelement(name td, xmlattributes('n' AS class), coalesce(
                        to_char(t.actual - t.goal_today, CASE t.unit WHEN '%' THEN 'FMSG990.0' ELSE 'FMSG999,999,999,990' END), '-')),
                    xmlelement(name td, xmlattributes('n' AS class), coalesce(to_char(t.expected_end, 'FM999,999,999,990'), '-')),
                    xmlelement(name td, xmlattributes(CASE WHEN t.is_behind THEN 'bad' WHEN t.status IN ('exceeded', 'met') THEN 'good' ELSE '' END AS class), t.status),
                    xmlelement(name td, CASE WHEN l.n > 1 THEN xmlelement(name svg, xmlattributes('0 0 144 26' AS "viewBox", 'img' AS role,
                            'attainment of the last ' || l.n || ' periods' AS "aria-label"),
                        xmlelement(name polyline, xmlattributes('line s-grey' AS class, l.points AS points), '')) ELSE xmlelement(name span, '-') END))
                    ORDER BY t.is_joint DESC, t.teams, t.target_no)))),
            (SELECT xmlelement(name ul, xmlagg(xmlelement(name li,
                 format('%s per %s: %s are missing; at the rates of settled leads that takes %s.', c.metric, c.period,
                     to_char(c.remaining, 'FM999,999,999,990'), n.text)) ORDER BY c.target_no))
             FROM {coverage} AS c JOIN needs AS n ON n.target_no = c.target_no AND n.period = c.period
             HAVING count(*) > 0)) END)
FROM targets AS t
    LEFT JOIN lines AS l ON l.row_key = t.row_key
