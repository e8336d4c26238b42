-- 2: the scorecard, with a bar for each target: its share of the goal, and a
-- tick where it should be by now.  Periods from before the record was complete
-- are shown and not judged.
WITH
    targets AS (
        SELECT s.*,
            least(coalesce(s.attainment, 0), 1.2) * 100 AS bar,
            least(coalesce((s.goal_today / nullif(s.goal, 0))::float8, 0), 1.2) * 100 AS tick,
            s.is_complete AND s.status IN ('behind', 'missed') AS is_behind,
            s.actual - s.goal_today AS gap
        FROM {scorecard} AS s
        WHERE timezone({zone}, $1 - interval '1 microsecond')::date BETWEEN s.period_start AND s.period_end
    ),
    -- numbers with the digits that they need to agree with the status
    texts AS (
        SELECT t.row_key,
            rtrim(to_char(t.goal, 'FM999,999,999,990.999999'), '.') || CASE t.unit WHEN '%' THEN ' %' ELSE '' END AS goal,
            CASE WHEN t.actual IS NULL AND t.actual_lower IS NOT NULL THEN to_char(t.actual_lower, 'FM990') || '-' || to_char(t.actual_upper, 'FM990') || ' %'
                WHEN t.unit = '%' THEN to_char(t.actual, CASE WHEN t.actual <> t.goal AND abs(t.actual - t.goal) < 0.1 THEN 'FM990.00' ELSE 'FM990.0' END) || ' %'
                WHEN abs(t.actual) < 100 AND t.actual <> round(t.actual) THEN to_char(t.actual, 'FM990.0')
                ELSE to_char(t.actual, 'FM999,999,999,990') END AS actual,
            CASE WHEN abs(t.gap) < 0.005 OR t.is_behind AND t.gap > 0 THEN CASE WHEN t.is_behind THEN 'under 0.01' ELSE '0' END
                WHEN abs(t.gap) < 0.1 THEN to_char(t.gap, 'FMSG990.00')
                WHEN abs(t.gap) < 100 AND (t.unit = '%' OR t.gap <> round(t.gap)) THEN to_char(t.gap, 'FMSG990.0')
                ELSE to_char(t.gap, 'FMSG999,999,999,990') END AS gap,
            CASE WHEN abs(t.expected_end) < 100 AND t.expected_end <> round(t.expected_end) THEN to_char(t.expected_end, 'FM990.0')
                ELSE to_char(t.expected_end, 'FM999,999,999,990') END AS expected,
            CASE WHEN t.is_complete THEN t.status
                WHEN t.status IN ('behind', 'missed') THEN 'record incomplete'
                ELSE t.status || ', record incomplete' END AS status
        FROM targets AS t
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
        SELECT r.target_no, r.period,
            string_agg(CASE WHEN c.metric_kind <> 'amount' THEN to_char(r.needed, 'FM999,999,999,990') || ' ' || r.stage
                           ELSE to_char(r.needed, 'FM999,999,999,990') || ' in ' || r.stage END
                       || CASE WHEN r.needed_in_time IS FALSE THEN ' (too slow for this ' || r.period || ')' ELSE '' END,
                       ' or ' ORDER BY r.stage_order) AS text
        FROM {required} AS r
            JOIN {coverage} AS c ON c.target_no = r.target_no AND c.period = r.period
        WHERE r.gap > 0 AND r.needed IS NOT NULL
            -- what is missing is not known of a record that is not complete
            AND EXISTS (SELECT FROM targets AS t WHERE t.target_no = r.target_no AND t.period = r.period AND t.is_complete)
        GROUP BY r.target_no, r.period
    )
SELECT xmlelement(name section,
    xmlelement(name h2, '2 Scorecard (6 minutes)'),
    CASE WHEN count(t.row_key) = 0
        THEN xmlelement(name p, 'No target is agreed. Add targets to the agreement, such as target marketing: 400 mql per month; or, for both teams, target marketing, sales: 40 customer per quarter;')
        ELSE xmlconcat(
            xmlelement(name p, CASE WHEN NOT bool_or(t.is_complete) THEN 'The record was not complete when these periods began, so no target is judged.'
                WHEN bool_or(t.is_behind)
                THEN format('%s of %s %s behind or missed: %s.', count(*) FILTER (WHERE t.is_behind), count(*) FILTER (WHERE t.is_complete),
                         CASE WHEN count(*) FILTER (WHERE t.is_complete) = 1 THEN 'target is'
                             WHEN count(*) FILTER (WHERE t.is_behind) = 1 THEN 'targets is' ELSE 'targets are' END,
                         string_agg(t.metric || ' (' || t.teams || ')', ', ' ORDER BY t.is_joint DESC, t.teams, t.target_no) FILTER (WHERE t.is_behind))
                WHEN count(*) FILTER (WHERE t.is_complete) = 1 THEN 'The only target is not behind.'
                ELSE format('None of %s targets is behind.', count(*) FILTER (WHERE t.is_complete)) END
                || CASE WHEN bool_or(t.is_complete) AND NOT bool_and(t.is_complete)
                       THEN format(' Not judged, since the record was not complete when the period began: %s.', count(*) FILTER (WHERE NOT t.is_complete)) ELSE '' END),
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
                    xmlelement(name td, xmlattributes('n' AS class), coalesce(x.actual, '-')),
                    xmlelement(name td, xmlattributes('n' AS class), x.goal),
                    xmlelement(name td, xmlelement(name svg, xmlattributes('0 0 120 12' AS "viewBox", 'img' AS role,
                            format('%s %% of the goal, %s %% due by now', coalesce(round(100 * t.attainment)::text, '0'), round(t.tick::numeric)) AS "aria-label"),
                        xmlelement(name rect, xmlattributes('f-back' AS class, 0 AS x, 2 AS y, 100 AS width, 8 AS height), ''),
                        xmlelement(name rect, xmlattributes(CASE WHEN t.is_behind THEN 'f-bad' ELSE 'f-grey' END AS class,
                            0 AS x, 3 AS y, round(t.bar::numeric, 1) AS width, 6 AS height), ''),
                        xmlelement(name line, xmlattributes('line s-bar' AS class, round(t.tick::numeric, 1) AS x1, 0 AS y1, round(t.tick::numeric, 1) AS x2, 12 AS y2), ''))),
                    xmlelement(name td, xmlattributes('n' AS class), coalesce(x.gap, '-')),
                    xmlelement(name td, xmlattributes('n' AS class), coalesce(x.expected, '-')),
                    xmlelement(name td, xmlattributes(CASE WHEN t.is_behind THEN 'bad' WHEN t.is_complete AND t.status IN ('exceeded', 'met') THEN 'good' ELSE '' END AS class), x.status),
                    xmlelement(name td, CASE WHEN l.n > 1 THEN xmlelement(name svg, xmlattributes('0 0 144 26' AS "viewBox", 'img' AS role,
                            'attainment of the last ' || l.n || ' periods' AS "aria-label"),
                        xmlelement(name polyline, xmlattributes('line s-grey' AS class, l.points AS points), '')) ELSE xmlelement(name span, '-') END))
                    ORDER BY t.is_joint DESC, t.teams, t.target_no)))),
            (SELECT xmlelement(name ul, xmlagg(xmlelement(name li,
                 format('%s per %s: %s missing; at the rates of settled leads that takes %s.', c.metric, c.period,
                     CASE WHEN c.remaining < 100 AND c.remaining <> round(c.remaining) THEN to_char(c.remaining, 'FM990.0')
                         ELSE to_char(c.remaining, 'FM999,999,999,990') END, n.text)) ORDER BY c.target_no))
             FROM {coverage} AS c JOIN needs AS n ON n.target_no = c.target_no AND n.period = c.period
             HAVING count(*) > 0)) END)
FROM targets AS t
    JOIN texts AS x ON x.row_key = t.row_key
    LEFT JOIN lines AS l ON l.row_key = t.row_key
