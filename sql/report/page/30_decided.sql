-- 1: what was decided before the end of the week.  Late is what was due by then,
-- or by now if the week is not over.
SELECT xmlelement(name section,
    xmlelement(name h2, '1 What we decided (4 minutes)'),
    CASE WHEN count(a.id) = 0
        THEN xmlelement(name p, 'No decision was open or done in the week of ' || to_char($2, 'FMDD Mon') || '. Decisions are rows of the table action, which align.create_campaign_tables() makes.')
        ELSE xmlconcat(xmlelement(name p, format('%s done, %s open, %s of these late.', count(*) FILTER (WHERE a.done_on < $2 + 7),
                count(*) FILTER (WHERE (a.done_on < $2 + 7) IS NOT TRUE), count(*) FILTER (WHERE (a.done_on < $2 + 7) IS NOT TRUE AND a.due_on < timezone({zone}, $1)::date))),
            xmlelement(name div, xmlattributes('scroll' AS class, '0' AS tabindex, 'region' AS role, 'Decided before the end of the week, open or done in it' AS "aria-label"), xmlelement(name table,
            xmlelement(name caption, 'Decided before the end of the week, open or done in it'),
            xmlelement(name thead, xmlelement(name tr,
                xmlelement(name th, xmlattributes('col' AS scope), 'What'), xmlelement(name th, xmlattributes('col' AS scope), 'Who'),
                xmlelement(name th, xmlattributes('col' AS scope), 'Due'), xmlelement(name th, xmlattributes('col' AS scope), 'Done'))),
            xmlelement(name tbody, xmlagg(xmlelement(name tr,
                xmlelement(name td, xmlattributes('w' AS class), left(a.what, 400)), xmlelement(name td, xmlattributes('w' AS class), left(a.owner, 80)),
                xmlelement(name td, coalesce(to_char(a.due_on, 'FMDD Mon'), '-')),
                CASE WHEN a.done_on < $2 + 7 THEN xmlelement(name td, to_char(a.done_on, 'FMDD Mon'))
                    WHEN a.due_on < timezone({zone}, $1)::date THEN xmlelement(name td, xmlattributes('bad' AS class), 'late')
                    ELSE xmlelement(name td, 'open') END)
                ORDER BY (a.done_on < $2 + 7) IS TRUE, a.due_on, a.id))))) END)
FROM {cost:action} AS a
WHERE a.decided_on < $2 + 7 AND (a.done_on IS NULL OR a.done_on >= $2)
