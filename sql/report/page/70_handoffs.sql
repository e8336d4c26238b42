-- 5: handoffs of the week against the week before and the four before, all seen
-- at one age, and why leads are rejected, by campaign.
WITH
    weeks AS MATERIALIZED (
        {part:page_weeks}
    ),
    submissions AS (
        SELECT w.n, s.handoff,
            CASE WHEN s.decided_at <= w.as_of AND s.decided_known_at <= w.as_of THEN s.outcome
                ELSE 'pending' END AS outcome,
            extract(epoch FROM CASE WHEN h.hours IS NULL THEN s.decided_at - s.submitted_at
                                   ELSE align.working_time(h.hours, s.submitted_at, s.decided_at) END)::bigint AS seconds,
            h.hours IS NOT NULL AS is_working_time
        FROM weeks AS w
            JOIN {stored:handoff_facts} AS s
                ON s.submitted_at >= w.start_at AND s.submitted_at <= w.as_of AND s.known_at <= w.as_of
                    AND date_trunc('week', timezone({zone}, s.submitted_at))::date = w.week
            LEFT JOIN ({part:handoffs}) AS h
                ON h.agreement = s.agreement AND h.version = s.version AND h.handoff = s.handoff
        WHERE w.n = 0 OR w.is_complete
    ),
    -- 0: the week; 1: the week before; 4: the four before, pooled
    spans AS (
        SELECT s.span, w.n, w.working_seconds
        FROM (VALUES (0, 0, 0), (1, 1, 1), (4, 1, 4)) AS s (span, first_n, last_n)
            JOIN weeks AS w ON w.n BETWEEN s.first_n AND s.last_n AND (w.n = 0 OR w.is_complete)
    ),
    compared AS (
        SELECT s.handoff, p.span, count(*) AS submitted,
            count(*) FILTER (WHERE s.outcome = 'accepted') AS accepted,
            count(*) FILTER (WHERE s.outcome = 'rejected') AS rejected,
            count(*) FILTER (WHERE s.outcome = 'withdrawn') AS withdrawn,
            count(*) FILTER (WHERE s.outcome = 'gone') AS gone,
            count(*) FILTER (WHERE s.outcome = 'pending') AS pending,
            bool_and(s.is_working_time) AS is_working_time,
            percentile_disc(0.5) WITHIN GROUP (ORDER BY s.seconds)
                FILTER (WHERE s.outcome IN ('accepted', 'rejected')) AS median_seconds
        FROM spans AS p
            JOIN submissions AS s ON s.n = p.n
        GROUP BY s.handoff, p.span
    ),
    -- how much longer the week is than the span, in working time
    scaled AS (
        SELECT c.*,
            c.submitted * (SELECT max(w.working_seconds) FROM weeks AS w WHERE w.n = 0)
                / nullif((SELECT sum(p.working_seconds) FROM spans AS p WHERE p.span = c.span), 0) AS submitted_scaled
        FROM compared AS c
    ),
    labels AS MATERIALIZED (
        {part:campaign_labels}
    ),
    cells AS (
        SELECT f.campaign_key,
            CASE f.result WHEN 'rejected' THEN left(f.reason, 60) ELSE f.result END AS what,
            CASE f.result WHEN 'accepted' THEN 1 WHEN 'rejected' THEN 2 ELSE 3 END AS kind,
            sum(f.first_n) AS n
        FROM {feedback} AS f
        WHERE f.moment = 'handoff' AND f.month >= date_trunc('month', $2::timestamp)::date - 62
        GROUP BY f.campaign_key, CASE f.result WHEN 'rejected' THEN left(f.reason, 60) ELSE f.result END,
            CASE f.result WHEN 'accepted' THEN 1 WHEN 'rejected' THEN 2 ELSE 3 END
        HAVING sum(f.first_n) > 0
    ),
    rows AS (
        SELECT c.campaign_key, coalesce(max(l.label), left(c.campaign_key, 60)) AS name, sum(c.n) AS n,
            sum(c.n) FILTER (WHERE c.kind = 1) AS accepted, sum(c.n) FILTER (WHERE c.kind = 2) AS rejected,
            row_number() OVER (ORDER BY sum(c.n) DESC, c.campaign_key)::int AS i
        FROM cells AS c
            LEFT JOIN labels AS l ON l.campaign_key = c.campaign_key
        GROUP BY c.campaign_key
        ORDER BY sum(c.n) DESC, c.campaign_key
        LIMIT 8
    ),
    bars AS (
        SELECT c.*, r.i, r.name, r.n AS total, r.rejected,
            sum(c.n) OVER (PARTITION BY c.campaign_key ORDER BY c.kind, c.n DESC, c.what) - c.n AS before,
            max(r.n) OVER () AS most,
            row_number() OVER (PARTITION BY c.kind = 2 ORDER BY c.n DESC, r.i, c.what) AS place
        FROM cells AS c
            JOIN rows AS r ON r.campaign_key = c.campaign_key
    )
SELECT xmlelement(name section,
    xmlelement(name h2, '5 Handoffs and reasons (8 minutes)'),
    CASE WHEN NOT EXISTS (SELECT FROM ({part:funnel}) AS f CROSS JOIN LATERAL align.handoffs(f.funnel) AS h)
            AND NOT EXISTS (SELECT FROM cells)
        THEN xmlelement(name p, 'No handoff is agreed. Add one to the agreement, such as handoff speed_to_lead: mql from marketing to sales, accept sal, reject nurture with reason (poor_fit, no_budget), within 4 working hours;')
        WHEN NOT EXISTS (SELECT FROM compared) THEN xmlelement(name p, CASE WHEN $1 <= timezone({zone}, $2::timestamp) THEN 'This week has not begun.'
            ELSE 'No lead was handed over in the week of ' || to_char($2, 'FMDD Mon') || ' or the four before.' END)
        ELSE xmlconcat(
            (SELECT xmlelement(name p, coalesce(string_agg(format('%s in the week of %s: %s handed over, %s accepted, %s rejected, %s%s waiting.',
                 c.handoff, to_char($2, 'FMDD Mon'), c.submitted, c.accepted, c.rejected,
                 CASE WHEN c.withdrawn > 0 THEN c.withdrawn || ' withdrawn, ' ELSE '' END || CASE WHEN c.gone > 0 THEN c.gone || ' gone, ' ELSE '' END, c.pending), ' ' ORDER BY c.handoff),
                 CASE WHEN $1 <= timezone({zone}, $2::timestamp) THEN 'This week has not begun.' ELSE 'No lead was handed over in the week of ' || to_char($2, 'FMDD Mon') || '.' END))
             FROM scaled AS c WHERE c.span = 0),
            (SELECT xmlelement(name div, xmlattributes('scroll' AS class, '0' AS tabindex, 'region' AS role, 'Handoffs of the week and before' AS "aria-label"), xmlelement(name table,
                 xmlelement(name caption, 'The week, the week before, and the four before pooled; each as it looked at the age that this week has now'),
                 xmlelement(name thead, xmlelement(name tr,
                     xmlelement(name th, xmlattributes('col' AS scope), 'Handoff'), xmlelement(name th, xmlattributes('col' AS scope), 'When'),
                     xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Handed over'), xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Accepted'),
                     xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Half decided in'))),
                 xmlelement(name tbody, xmlagg(xmlelement(name tr,
                     xmlelement(name td, c.handoff),
                     xmlelement(name td, CASE c.span WHEN 0 THEN 'week of ' || to_char($2, 'FMDD Mon') WHEN 1 THEN 'week before' ELSE 'four before' END),
                     xmlelement(name td, xmlattributes('n' AS class),
                         CASE c.span WHEN 0 THEN c.submitted::text ELSE coalesce(to_char(c.submitted_scaled, 'FM999,990.0'), '-') END),
                     xmlelement(name td, xmlattributes('n' AS class),
                         coalesce(round(100.0 * c.accepted / nullif(c.accepted + c.rejected, 0)) || ' % of ' || (c.accepted + c.rejected), '-')),
                     xmlelement(name td, xmlattributes('n' AS class),
                         CASE WHEN c.accepted + c.rejected < 5 THEN '-'
                             ELSE CASE WHEN c.median_seconds < 3570 THEN round(c.median_seconds / 60.0) || CASE WHEN c.is_working_time THEN ' working' ELSE '' END || ' min'
                                      ELSE to_char(c.median_seconds / 3600.0, 'FM999,990.0') || CASE WHEN c.is_working_time THEN ' working' ELSE '' END || ' h' END END))
                     ORDER BY c.handoff, c.span))))
             FROM scaled AS c),
            (SELECT CASE WHEN count(*) > 0 THEN xmlconcat(
                 xmlelement(name h3, 'Why leads come back'),
                 xmlelement(name p, CASE WHEN count(*) FILTER (WHERE b.kind = 2) = 0 THEN 'Nothing was rejected.' ELSE format('The most frequent reason for a rejection is %s, in %s: %s of %s rejected.',
                     max(b.what) FILTER (WHERE b.kind = 2 AND b.place = 1), max(b.name) FILTER (WHERE b.kind = 2 AND b.place = 1),
                     max(b.n) FILTER (WHERE b.kind = 2 AND b.place = 1), max(b.rejected) FILTER (WHERE b.kind = 2 AND b.place = 1)) END),
                 xmlelement(name svg, xmlattributes('chart' AS class, '0 0 680 ' || 28 * max(b.i) + 30 AS "viewBox", 'img' AS role,
                         'first submissions of the last three months by decisive campaign: accepted, rejected by reason, waiting' AS "aria-label"),
                     xmlagg(xmlelement(name g,
                         CASE WHEN b.before = 0 THEN xmlelement(name text, xmlattributes(176 AS x, 28 * b.i - 8 AS y, 'end' AS "text-anchor"),
                             CASE WHEN length(b.name) > 16 THEN left(b.name, 15) || U&'\2026' ELSE b.name END) END,
                         xmlelement(name rect, xmlattributes(CASE b.kind WHEN 1 THEN 'f-good' WHEN 2 THEN 'f-bad' ELSE 'f-grey' END AS class,
                             round(184 + 360 * b.before / b.most, 1) AS x, 28 * b.i - 24 AS y, greatest(round(360 * b.n / b.most - 1, 1), 1) AS width, 20 AS height),
                             xmlelement(name title, b.name || ': ' || b.n || ' ' || b.what)),
                         CASE WHEN b.kind = 2 AND b.place = 1 THEN xmlelement(name text, xmlattributes('wide' AS class,
                             round(190 + 360 * b.total / b.most, 1) AS x, 28 * b.i - 9 AS y), left(b.what, 18) || ' ' || b.n) END)
                         ORDER BY b.i, b.before),
                     xmlelement(name text, xmlattributes('soft' AS class, 184 AS x, 28 * max(b.i) + 20 AS y), 'green accepted, red rejected, grey open'))) END
             FROM bars AS b),
            (SELECT CASE WHEN count(*) > 0 THEN xmlelement(name div, xmlattributes('scroll' AS class, '0' AS tabindex, 'region' AS role, 'Submissions by decisive campaign' AS "aria-label"), xmlelement(name table,
                 xmlelement(name caption, 'First submissions since ' || to_char(date_trunc('month', $2::timestamp) - interval '2 months', 'FMDD Mon YYYY') || ', by decisive campaign'),
                 xmlelement(name thead, xmlelement(name tr,
                     xmlelement(name th, xmlattributes('col' AS scope), 'Campaign'), xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Handed over'),
                     xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Accepted'), xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Rejected'),
                     xmlelement(name th, xmlattributes('col' AS scope), 'Why'))),
                 xmlelement(name tbody, xmlagg(xmlelement(name tr,
                     xmlelement(name td, xmlattributes('w' AS class), r.name), xmlelement(name td, xmlattributes('n' AS class), r.n), xmlelement(name td, xmlattributes('n' AS class), coalesce(r.accepted, 0)),
                     xmlelement(name td, xmlattributes('n' AS class), coalesce(r.rejected, 0)),
                     xmlelement(name td, xmlattributes('w' AS class), coalesce((SELECT string_agg(c.what || ' ' || c.n, ', ' ORDER BY c.n DESC, c.what)
                                                   FROM (SELECT c.what, c.n FROM cells AS c WHERE c.campaign_key = r.campaign_key AND c.kind = 2
                                                         ORDER BY c.n DESC, c.what LIMIT 4) AS c), '-'))) ORDER BY r.i)))) END
             FROM rows AS r)) END)
