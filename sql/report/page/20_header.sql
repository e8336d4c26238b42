-- What the page is about, what is wrong with its figures, and what needs a
-- decision.
SELECT xmlelement(name header,
    xmlelement(name h1, 'Week of ' || to_char($2, 'FMDD FMMonth YYYY')),
    xmlelement(name p, xmlattributes('soft' AS class),
        s.relation || ', agreement ' || s.agreement || ' version ' || f.version
        || ', as of ' || to_char(timezone(s.time_zone, $1), 'FMDD Mon YYYY HH24:MI') || ' ' || s.time_zone
        || coalesce(', complete since ' || to_char(timezone(s.time_zone, CASE WHEN isfinite(s.complete_since) THEN s.complete_since END), 'FMDD Mon YYYY'), '')),
    CASE WHEN $1 < timezone(s.time_zone, ($2 + 7)::timestamp)
        THEN xmlelement(name p, xmlattributes('bad' AS class),
                 CASE WHEN $1 <= timezone(s.time_zone, $2::timestamp) THEN 'This week has not begun: the figures are those of now.'
                     ELSE 'This week is not over: the figures are those of now.' END) END,
    CASE WHEN timezone(s.time_zone, $2::timestamp) < s.complete_since
        THEN xmlelement(name p, xmlattributes('bad' AS class), 'The record was not complete when this week began: its figures are too low.') END,
    (SELECT CASE WHEN count(*) > 0 THEN xmlelement(name p, xmlattributes('bad' AS class),
         'Differences between the table, its history and its clocks: ' || count(*) || '. See align.check().') END
     FROM align.check(s.history::regclass) AS c),
    (SELECT CASE WHEN sum(r.cost) > 0 THEN xmlelement(name p, xmlattributes('bad' AS class),
         'Cost of ' || to_char(sum(r.cost), 'FM999,999,999,990') || ' ' || min(r.currency) || ' is of campaigns that no lead has (cost_match in campaign_results).') END
     FROM {campaign_results} AS r WHERE r.cost_match = 'cost only'),
    xmlelement(name h2, xmlattributes('first' AS class), 'What is late or behind'),
    (SELECT xmlelement(name ol, xmlattributes('say' AS class),
         coalesce(xmlagg(xmlelement(name li, w.sentence) ORDER BY w.gap DESC, w.sentence),
                  xmlelement(name li, 'Nothing that was promised is late or behind.')))
     FROM (SELECT w.* FROM ({part:words}) AS w ORDER BY w.gap DESC, w.sentence LIMIT 3) AS w))
FROM {report_settings} AS s
    CROSS JOIN ({part:funnel}) AS f
