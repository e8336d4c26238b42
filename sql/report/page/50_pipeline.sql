-- 3: how the pipeline moved in the week, as a bridge, and whether it is enough.
WITH
    steps AS (
        SELECT m.step, m.step_order, m.leads, m.amount,
            -- amounts where there are any, else leads
            CASE WHEN sum(m.amount) OVER () > 0 THEN m.amount ELSE m.leads END::numeric AS size,
            sum(m.amount) OVER () > 0 AS is_amount
        FROM {pipeline_movement} AS m
        WHERE m.week = $2
    ),
    -- where each bar begins and ends
    bars AS (
        SELECT s.*,
            CASE WHEN s.step IN ('opening', 'closing') THEN 0
                ELSE sum(CASE WHEN s.step IN ('opening', 'created', 'grown') THEN s.size
                             WHEN s.step = 'closing' OR NOT s.is_amount AND s.step = 'shrunk' THEN 0 ELSE -s.size END)
                    OVER (ORDER BY s.step_order)
                    + CASE WHEN s.step IN ('created', 'grown') THEN -s.size ELSE 0 END END AS low,
            max(s.size) OVER () AS most
        FROM steps AS s
        WHERE s.is_amount OR s.step NOT IN ('grown', 'shrunk')
    ),
    scale AS (
        SELECT max(b.low + b.size) AS top FROM bars AS b
    ),
    said AS (
        SELECT max(s.size) FILTER (WHERE s.step = 'opening') AS opening, max(s.size) FILTER (WHERE s.step = 'closing') AS closing,
            max(s.size) FILTER (WHERE s.step = 'lost') AS lost, max(s.size) FILTER (WHERE s.step = 'won') AS won,
            max(s.leads) FILTER (WHERE s.step = 'gone') AS gone,
            bool_or(s.is_amount) AS is_amount
        FROM steps AS s
    )
SELECT xmlelement(name section,
    xmlelement(name h2, '3 Pipeline (8 minutes)'),
    CASE WHEN coalesce(scale.top, 0) = 0 AND NOT EXISTS (SELECT FROM {pipeline} AS p WHERE p.leads > 0)
        THEN xmlelement(name p, CASE WHEN $1 <= timezone({zone}, $2::timestamp) THEN 'Nothing is in the pipeline now.'
                 ELSE 'Nothing was in the pipeline in the week of ' || to_char($2, 'FMDD Mon') || '.' END)
        ELSE xmlconcat(
            CASE WHEN $1 <= timezone({zone}, $2::timestamp) THEN xmlelement(name p, 'This week has not begun: this is the pipeline of now.')
                WHEN coalesce(scale.top, 0) = 0 THEN xmlelement(name p, 'How the pipeline moved in the week of ' || to_char($2, 'FMDD Mon') || ' is not recorded.')
                ELSE xmlelement(name p, format('The pipeline %s to %s%s: %s won and %s lost in the week of %s.',
                CASE WHEN d.closing > d.opening THEN 'grew by ' || to_char(d.closing - d.opening, 'FM999,999,999,990')
                    WHEN d.closing < d.opening THEN 'shrank by ' || to_char(d.opening - d.closing, 'FM999,999,999,990')
                    ELSE 'came' END,
                to_char(d.closing, 'FM999,999,999,990'), CASE WHEN d.is_amount THEN '' WHEN d.closing = 1 THEN ' lead' ELSE ' leads' END,
                to_char(d.won, 'FM999,999,999,990'), to_char(d.lost, 'FM999,999,999,990'), to_char($2, 'FMDD Mon'))) END,
            (SELECT CASE WHEN scale.top > 0 THEN xmlelement(name svg, xmlattributes('chart' AS class, '0 0 640 190' AS "viewBox", 'img' AS role, 'bridge from the opening to the closing pipeline of the week' AS "aria-label"),
                 xmlagg(xmlelement(name g,
                     xmlelement(name rect, xmlattributes(
                         CASE b.step WHEN 'lost' THEN 'f-bad' WHEN 'won' THEN 'f-good' WHEN 'opening' THEN 'f-bar' WHEN 'closing' THEN 'f-bar' ELSE 'f-grey' END AS class,
                         80 * (b.i - 1) + 8 AS x, round(160 - 140 * (b.low + b.size) / scale.top, 1) AS y, 64 AS width,
                         greatest(round(140 * b.size / scale.top, 1), 1) AS height), ''),
                     xmlelement(name text, xmlattributes(80 * (b.i - 1) + 40 AS x, round(156 - 140 * (b.low + b.size) / scale.top, 1) AS y, 'middle' AS "text-anchor"),
                         CASE WHEN b.size >= 999500 THEN to_char(b.size / 1000000, 'FM999,990.00') || ' M'
                             WHEN b.size >= 9999.5 THEN to_char(b.size / 1000, 'FM990') || ' k'
                             ELSE to_char(b.size, 'FM9,990') END),
                     xmlelement(name text, xmlattributes('soft' AS class, 80 * (b.i - 1) + 40 AS x, 178 AS y, 'middle' AS "text-anchor"), b.step)) ORDER BY b.step_order)) END
             FROM (SELECT b.*, row_number() OVER (ORDER BY b.step_order) AS i FROM bars AS b) AS b),
            CASE WHEN scale.top > 0 AND d.gone > 0 THEN xmlelement(name p, xmlattributes('soft' AS class),
                format('Gone: %s out of the funnel, deleted or set aside, or now in a stage beside the success path.',
                       CASE d.gone WHEN 1 THEN '1 lead that is' ELSE to_char(d.gone, 'FM999,999,990') || ' leads that are' END)) END,
            (SELECT xmlelement(name div, xmlattributes('scroll' AS class, '0' AS tabindex, 'region' AS role, 'Open by stage, and what may be won of the part that is not older' AS "aria-label"), xmlelement(name table,
                 xmlelement(name caption, 'Open by stage, and what may be won of the part that is not older'),
                 xmlelement(name thead, xmlelement(name tr,
                     xmlelement(name th, xmlattributes('col' AS scope), 'Stage'), xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Leads'),
                     xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Amount'),
                     xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Of it older than ' || round(extract(epoch FROM {settle}) / 86400) || ' days'),
                     xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Won in time'),
                     xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Expected'))),
                 xmlelement(name tbody, xmlagg(xmlelement(name tr,
                     xmlelement(name td, p.stage), xmlelement(name td, xmlattributes('n' AS class), p.leads),
                     xmlelement(name td, xmlattributes('n' AS class), to_char(p.amount, 'FM999,999,999,990')),
                     xmlelement(name td, xmlattributes('n' AS class), CASE WHEN p.amount_aged > 0 THEN to_char(p.amount_aged, 'FM999,999,999,990')
                         WHEN p.leads_aged > 0 THEN p.leads_aged || CASE p.leads_aged WHEN 1 THEN ' lead' ELSE ' leads' END ELSE '-' END),
                     xmlelement(name td, xmlattributes('n' AS class), coalesce(to_char(100 * p.won_share, 'FM990') || ' % of ' || p.base_n, 'too few')),
                     xmlelement(name td, xmlattributes('n' AS class), coalesce(to_char(nullif(p.expected_low, 0), 'FM999,999,999,990') || '-' || to_char(p.expected_high, 'FM999,999,999,990'), '-')))
                     ORDER BY p.stage_order))))
             FROM {pipeline} AS p),
            (SELECT xmlelement(name ul, xmlagg(xmlelement(name li,
                 CASE WHEN c.remaining = 0 THEN format('%s per %s: reached.', c.metric, c.period)
                     ELSE format('%s per %s: %s missing, and the pipeline is %s times that. %s', c.metric, c.period,
                          CASE WHEN c.remaining < 100 AND c.remaining <> round(c.remaining) THEN to_char(c.remaining, 'FM990.0')
                              ELSE to_char(c.remaining, 'FM999,999,999,990') END, to_char(c.coverage, 'FM999,990.0'),
                          coalesce('At the rates of settled leads, ' || to_char(c.expected_amount, 'FM999,999,999,990') || ' of it will be won, in this '
                                   || c.period || ' or later.', 'Too few leads have settled to say what will be won.')) END) ORDER BY c.target_no))
             FROM {coverage} AS c
                 -- what is missing is not known of a record that is not complete
                 JOIN {scorecard} AS s ON s.target_no = c.target_no AND s.period = c.period AND s.period_start = c.period_start AND s.is_complete
             HAVING count(*) > 0)) END)
FROM said AS d
    CROSS JOIN scale
