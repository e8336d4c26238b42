-- 7: campaigns of this month and the two before, and three good and three bad
-- leads with what was noted.
WITH
    labels AS MATERIALIZED (
        {part:campaign_labels}
    ),
    campaigns AS (
        SELECT r.campaign_key, coalesce(max(l.label), left(r.campaign_key, 60)) AS name, min(r.channel) AS channel,
            sum(r.leads) AS leads, sum(r.submitted) AS submitted, sum(r.accepted) AS accepted, sum(r.won) AS won,
            CASE WHEN sum(r.revenue_known) > 0 OR count(r.revenue_linear) = count(*) THEN sum(r.revenue_linear) END AS revenue,
            sum(r.cost) AS cost, max(r.currency) AS currency
        FROM {campaign_results} AS r
            LEFT JOIN labels AS l ON l.campaign_key = r.campaign_key
        WHERE r.month >= date_trunc('month', $2::timestamp)::date - 62
        GROUP BY r.campaign_key
        ORDER BY sum(r.leads) DESC NULLS LAST, r.campaign_key
        LIMIT 12
    ),
    -- by the time of the last win or loss: a lead that was reopened may have several
    leads AS (
        (SELECT l.row_key, 'good' AS kind, l.amount, l.first_campaign, coalesce(l.last_channel, '(none)') AS channel, '' AS reason
         FROM {lead_facts} AS l
         WHERE l.status = 'won' AND timezone({zone}, l.since)::date BETWEEN $2 AND $2 + 6
         ORDER BY l.amount DESC NULLS LAST, l.row_key
         LIMIT 3)
        UNION ALL
        (SELECT l.row_key, 'bad', l.amount, l.first_campaign, coalesce(l.last_channel, '(none)'), l.lost_reason
         FROM {lead_facts} AS l
         WHERE l.status = 'lost' AND timezone({zone}, l.since)::date BETWEEN $2 AND $2 + 6
         ORDER BY l.amount DESC NULLS LAST, l.row_key
         LIMIT 3)
    ),
    notes AS (
        SELECT l.row_key, (array_agg(e.note ORDER BY e.place DESC) FILTER (WHERE btrim(e.note) <> ''))[1] AS note
        FROM leads AS l
            JOIN ({part:entries}) AS e ON {key_text:e} = l.row_key
        GROUP BY l.row_key
    )
SELECT xmlelement(name section,
    xmlelement(name h2, '7 Campaigns (6 minutes)'),
    (SELECT CASE WHEN coalesce(bool_and(c.campaign_key = '(none)'), true)
         THEN xmlelement(name p, CASE WHEN {has_role:campaign} THEN 'No touch in these months.'
             ELSE 'No campaign is recorded. Attach the table with campaign => its column of landing addresses or UTM parameters.' END)
         ELSE xmlelement(name div, xmlattributes('scroll' AS class, '0' AS tabindex, 'region' AS role, 'The last three months, by first campaign; revenue by touch, model linear; what became of young leads is not known yet' AS "aria-label"), xmlelement(name table,
             xmlelement(name caption, 'The last three months, by first campaign; revenue by touch, model linear; what became of young leads is not known yet'),
             xmlelement(name thead, xmlelement(name tr,
                 xmlelement(name th, xmlattributes('col' AS scope), 'Campaign'), xmlelement(name th, xmlattributes('col' AS scope), 'Channel'),
                 xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Leads'), xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Handed over'),
                 xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Accepted'), xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Won'),
                 xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Revenue'), xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Cost'))),
             xmlelement(name tbody, xmlagg(xmlelement(name tr,
                 xmlelement(name td, xmlattributes('w' AS class), c.name), xmlelement(name td, xmlattributes('w' AS class), left(c.channel, 60)), xmlelement(name td, xmlattributes('n' AS class), c.leads),
                 xmlelement(name td, xmlattributes('n' AS class), c.submitted), xmlelement(name td, xmlattributes('n' AS class), c.accepted),
                 xmlelement(name td, xmlattributes('n' AS class), c.won),
                 xmlelement(name td, xmlattributes('n' AS class), coalesce(to_char(c.revenue, 'FM999,999,999,990'), '-')),
                 xmlelement(name td, xmlattributes('n' AS class), coalesce(to_char(c.cost, 'FM999,999,999,990') || ' ' || c.currency, '-'))) ORDER BY c.leads DESC NULLS LAST, c.campaign_key)))) END
     FROM campaigns AS c),
    (SELECT CASE WHEN count(*) > 0 THEN xmlelement(name div, xmlattributes('scroll' AS class, '0' AS tabindex, 'region' AS role, 'Leads to talk about: the largest that were won and lost in the week of ' || to_char($2, 'FMDD Mon') AS "aria-label"), xmlelement(name table,
         xmlelement(name caption, 'Leads to talk about: the largest that were won and lost in the week of ' || to_char($2, 'FMDD Mon')),
         xmlelement(name thead, xmlelement(name tr,
             xmlelement(name th, xmlattributes('col' AS scope), 'Lead'), xmlelement(name th, xmlattributes('col' AS scope), 'Outcome'),
             xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Amount'), xmlelement(name th, xmlattributes('col' AS scope), 'First campaign'),
             xmlelement(name th, xmlattributes('col' AS scope), 'Note'))),
         xmlelement(name tbody, xmlagg(xmlelement(name tr,
             xmlelement(name td, xmlattributes('w' AS class), left(l.row_key, 80)),
             xmlelement(name td, CASE l.kind WHEN 'good' THEN 'won' ELSE 'lost: ' || left(l.reason, 80) END),
             xmlelement(name td, xmlattributes('n' AS class), coalesce(to_char(l.amount, 'FM999,999,999,990'), '-')),
             xmlelement(name td, xmlattributes('w' AS class), coalesce(b.label, left(l.first_campaign, 60))),
             xmlelement(name td, xmlattributes('w' AS class), coalesce(left(n.note, 400), '-'))) ORDER BY l.kind DESC, l.amount DESC NULLS LAST, l.row_key)))) END
     FROM leads AS l
         LEFT JOIN notes AS n ON n.row_key = l.row_key
         LEFT JOIN labels AS b
             ON b.campaign_key = CASE l.first_campaign WHEN '(none)' THEN '(none)'
                                     ELSE align.campaign_key(align.parse_campaign(l.first_campaign)) END))
