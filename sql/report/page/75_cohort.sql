-- 6: the youngest month whose leads have had the time to settle, against the one
-- before it: the only place where a rate is compared.
WITH
    months AS (
        SELECT m.month, m.leads, m.matured, m.matured_rate, m.matured_rate_lower, m.matured_rate_upper,
            row_number() OVER (ORDER BY m.month DESC) AS n
        FROM {funnel_by_month} AS m
        WHERE m.is_settled
            AND m.step = (SELECT max(x.step) FROM {funnel_by_month} AS x)
    )
SELECT xmlelement(name section,
    xmlelement(name h2, '6 The latest month that is settled (2 minutes)'),
    CASE WHEN a.month IS NULL THEN xmlelement(name p, 'No month is settled yet: the first one will be when its leads have had the time to be won.')
        WHEN b.month IS NULL THEN xmlelement(name p, format('Won in time: %s of %s of %s. There is no settled month before it.',
            a.matured, a.leads || CASE a.leads WHEN 1 THEN ' lead' ELSE ' leads' END, to_char(a.month, 'FMMonth YYYY')))
        WHEN a.leads < 30 OR b.leads < 30 THEN xmlelement(name p, format('Won in time: %s of %s of %s, and %s of %s of the month before. These are too few to compare.',
            a.matured, a.leads || CASE a.leads WHEN 1 THEN ' lead' ELSE ' leads' END, to_char(a.month, 'FMMonth YYYY'), b.matured, b.leads))
        ELSE xmlelement(name p, format('Of %s leads of %s %s %% were won in time; of %s of the month before, %s %%. The difference is %s points, between %s and %s.',
            a.leads, to_char(a.month, 'FMMonth YYYY'), to_char(100 * a.matured_rate, 'FM990.0'), b.leads, to_char(100 * b.matured_rate, 'FM990.0'),
            to_char(100 * c.difference, 'FM990.0'), to_char(100 * c.lower, 'FM990.0'), to_char(100 * c.upper, 'FM990.0'))
            || CASE WHEN c.lower > 0 THEN ' It is better.' WHEN c.upper < 0 THEN ' It is worse.' ELSE ' That may be chance.' END) END)
FROM (SELECT 1) AS one
    LEFT JOIN months AS a ON a.n = 1
    LEFT JOIN months AS b ON b.n = 2 AND b.month = a.month - interval '1 month'
    LEFT JOIN LATERAL align.compare_rates(a.matured, a.leads, b.matured, b.leads) AS c ON true
