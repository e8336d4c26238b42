-- What the page is about, and what is wrong with its figures.
SELECT xmlelement(name header,
    xmlelement(name h1, 'Week of ' || to_char($2, 'FMDD Month YYYY')),
    xmlelement(name p, xmlattributes('soft' AS class),
        s.relation || ', agreement ' || s.agreement || ' version ' || f.version
        || ', as of ' || to_char(timezone(s.time_zone, $1), 'FMDD Mon YYYY HH24:MI') || ' ' || s.time_zone
        || ', complete since ' || to_char(timezone(s.time_zone, s.complete_since), 'FMDD Mon YYYY')),
    CASE WHEN $1 < s.complete_since
        THEN xmlelement(name p, xmlattributes('bad' AS class), 'The record was not complete in this week: figures are too low.') END,
    CASE WHEN $1 < timezone(s.time_zone, ($2 + 7)::timestamp)
        THEN xmlelement(name p, CASE WHEN $1 <= timezone(s.time_zone, $2::timestamp) THEN 'This week has not begun.'
                                    ELSE 'This week is not over.' END) END,
    (SELECT CASE WHEN count(*) > 0 THEN xmlelement(name p, xmlattributes('bad' AS class),
         count(*) || ' differences between table, history and clocks: see align.check().') END
     FROM align.check(s.history::regclass) AS c),
    (SELECT CASE WHEN sum(r.cost) > 0 THEN xmlelement(name p, xmlattributes('bad' AS class),
         'Cost of ' || to_char(sum(r.cost), 'FM999,999,999,990') || ' ' || min(r.currency) || ' is of campaigns that no lead has.') END
     FROM {campaign_results} AS r WHERE r.cost_match = 'cost only'),
    (SELECT xmlelement(name ol, xmlattributes('say' AS class),
         coalesce(xmlagg(xmlelement(name li, w.sentence) ORDER BY w.gap DESC),
                  xmlelement(name li, 'Nothing that was promised is late or behind.')))
     FROM (SELECT w.* FROM ({part:words}) AS w ORDER BY w.gap DESC LIMIT 3) AS w))
FROM {report_settings} AS s
    CROSS JOIN ({part:funnel}) AS f
