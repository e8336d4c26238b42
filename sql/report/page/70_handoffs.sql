-- 5: handoffs, and why leads are rejected, by campaign.
WITH
    cells AS (
        SELECT f.campaign_key, max(f.campaign_name) AS campaign_name,
            CASE f.result WHEN 'rejected' THEN f.reason ELSE f.result END AS what,
            CASE f.result WHEN 'accepted' THEN 1 WHEN 'rejected' THEN 2 ELSE 3 END AS kind,
            sum(f.first_n) AS n
        FROM {feedback} AS f
        WHERE f.moment = 'handoff' AND f.month >= date_trunc('month', $2::timestamp)::date - 62
        GROUP BY f.campaign_key, CASE f.result WHEN 'rejected' THEN f.reason ELSE f.result END,
            CASE f.result WHEN 'accepted' THEN 1 WHEN 'rejected' THEN 2 ELSE 3 END
    ),
    rows AS (
        SELECT c.campaign_key, max(CASE c.campaign_name WHEN '(none)' THEN c.campaign_key ELSE c.campaign_name END) AS name, sum(c.n) AS n,
            sum(c.n) FILTER (WHERE c.kind = 1) AS accepted, sum(c.n) FILTER (WHERE c.kind = 2) AS rejected,
            row_number() OVER (ORDER BY sum(c.n) DESC, c.campaign_key)::int AS i
        FROM cells AS c
        GROUP BY c.campaign_key
        ORDER BY sum(c.n) DESC, c.campaign_key
        LIMIT 8
    ),
    bars AS (
        SELECT c.*, r.i, r.name,
            sum(c.n) OVER (PARTITION BY c.campaign_key ORDER BY c.kind, c.n DESC, c.what) - c.n AS before,
            (SELECT max(x.n) FROM rows AS x) AS most,
            row_number() OVER (PARTITION BY c.kind = 2 ORDER BY c.n DESC, c.campaign_key, c.what) AS rank
        FROM cells AS c
            JOIN rows AS r ON r.campaign_key = c.campaign_key
        WHERE c.n > 0
    )
SELECT xmlelement(name section,
    xmlelement(name h2, '5 Handoffs and reasons (8 minutes)'),
    (SELECT CASE WHEN count(*) = 0
         THEN xmlelement(name p, 'No lead was handed over this week. (A handoff is agreed like this: handoff h: mql from marketing to sales, accept sal, reject nurture with reason (poor_fit);)')
         ELSE xmlelement(name ul, xmlagg(xmlelement(name li,
             format('%s: %s handed over, %s accepted, %s rejected, %s waiting%s.', h.handoff, h.submitted, h.accepted, h.rejected, h.pending,
                    coalesce('; half were decided within ' || to_char(h.median_working_seconds / 3600.0, 'FM990.0') || ' working hours', ''))) ORDER BY h.handoff)) END
     FROM {handoffs_by_week} AS h WHERE h.week = $2),
    (SELECT CASE WHEN count(*) > 0 THEN xmlconcat(
         xmlelement(name p, coalesce(format('The most frequent reason for a rejection is %s, in %s.',
             max(b.what) FILTER (WHERE b.kind = 2 AND b.rank = 1), max(b.name) FILTER (WHERE b.kind = 2 AND b.rank = 1)), 'Nothing was rejected.')),
         xmlelement(name svg, xmlattributes('0 0 680 ' || 26 * max(b.i) + 10 AS "viewBox", 'img' AS role, 'first submissions of the last three months by campaign: accepted, rejected by reason, waiting' AS "aria-label"),
             xmlagg(xmlelement(name g,
                 CASE WHEN b.before = 0 THEN xmlelement(name text, xmlattributes(176 AS x, 26 * b.i - 6 AS y, 'end' AS "text-anchor"), left(b.name, 26)) END,
                 xmlelement(name rect, xmlattributes(CASE b.kind WHEN 1 THEN 'f-good' WHEN 2 THEN 'f-bad' ELSE 'f-grey' END AS class,
                     round(184 + 480 * b.before / b.most, 1) AS x, 26 * b.i - 20 AS y, greatest(round(480 * b.n / b.most - 1, 1), 1) AS width, 18 AS height),
                     xmlelement(name title, b.name || ': ' || b.n || ' ' || b.what))) ORDER BY b.i, b.before))) END
     FROM bars AS b),
    (SELECT CASE WHEN count(*) > 0 THEN xmlelement(name div, xmlattributes('scroll' AS class), xmlelement(name table,
         xmlelement(name caption, 'First submissions of the last three months, by campaign'),
         xmlelement(name thead, xmlelement(name tr,
             xmlelement(name th, xmlattributes('col' AS scope), 'Campaign'), xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Handed over'),
             xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Accepted'), xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Rejected'),
             xmlelement(name th, xmlattributes('col' AS scope), 'Why'))),
         xmlelement(name tbody, xmlagg(xmlelement(name tr,
             xmlelement(name td, r.name), xmlelement(name td, xmlattributes('n' AS class), r.n), xmlelement(name td, xmlattributes('n' AS class), coalesce(r.accepted, 0)),
             xmlelement(name td, xmlattributes('n' AS class), coalesce(r.rejected, 0)),
             xmlelement(name td, coalesce((SELECT string_agg(c.what || ' ' || c.n, ', ' ORDER BY c.n DESC, c.what) FROM cells AS c WHERE c.campaign_key = r.campaign_key AND c.kind = 2), '-'))) ORDER BY r.i)))) END
     FROM rows AS r))
