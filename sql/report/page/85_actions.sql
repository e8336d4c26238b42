-- 8: room for what is decided now.
SELECT xmlelement(name section,
    xmlelement(name h2, '8 What we decide now (4 minutes)'),
    xmlelement(name table,
        xmlelement(name caption, 'What, who, until when'),
        xmlelement(name thead, xmlelement(name tr,
            xmlelement(name th, xmlattributes('col' AS scope), 'What'), xmlelement(name th, xmlattributes('col' AS scope), 'Who'), xmlelement(name th, xmlattributes('col' AS scope), 'Until'))),
        xmlelement(name tbody,
            (SELECT xmlagg(xmlelement(name tr, xmlelement(name td, xmlattributes('w' AS class), left(a.what, 400)), xmlelement(name td, xmlattributes('w' AS class), left(a.owner, 80)), xmlelement(name td, coalesce(to_char(a.due_on, 'FMDD Mon'), '-'))) ORDER BY a.due_on, a.id)
             FROM {cost:action} AS a WHERE a.decided_on >= $2 + 7 AND a.decided_on < $2 + 14),
            xmlelement(name tr, xmlelement(name td, '...'), xmlelement(name td, '...'), xmlelement(name td, '...')),
            xmlelement(name tr, xmlelement(name td, '...'), xmlelement(name td, '...'), xmlelement(name td, '...')))))
