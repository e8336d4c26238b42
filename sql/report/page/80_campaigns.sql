-- 7: campaigns of this month and the two before, with the part of the budget that
-- is used where cost and budget of a month are known; the latest verdict of each
-- team, and requests; and three good and three bad leads with what was noted.
WITH
    labels AS MATERIALIZED (
        {part:campaign_labels}
    ),
    campaigns AS (
        SELECT r.campaign_key, coalesce(max(l.label), left(r.campaign_key, 60)) AS name, min(r.channel) AS channel,
            sum(r.leads) AS leads, sum(r.submitted) AS submitted, sum(r.accepted) AS accepted, sum(r.won) AS won,
            CASE WHEN sum(r.revenue_known) > 0 OR count(r.revenue_linear) = count(*) THEN sum(r.revenue_linear) END AS revenue,
            sum(r.cost) AS cost, max(r.currency) AS currency,
            sum(r.cost) FILTER (WHERE r.budget > 0) AS cost_in_budget,
            sum(r.budget) FILTER (WHERE r.budget > 0 AND r.cost IS NOT NULL) AS budget
        FROM {campaign_results} AS r
            LEFT JOIN labels AS l ON l.campaign_key = r.campaign_key
        WHERE r.month >= date_trunc('month', $2::timestamp)::date - 62
        GROUP BY r.campaign_key
        ORDER BY sum(r.leads) DESC NULLS LAST, r.campaign_key
        LIMIT 12
    ),
    -- of the last quarter, by campaign: where the teams do not agree first, then the
    -- latest reviews
    verdicts AS (
        SELECT v.*
        FROM (SELECT v.*, coalesce(l.label, left(v.campaign_key, 60)) AS name,
                  max(v.reviewed_on) OVER (PARTITION BY v.campaign_key) AS last_on,
                  count(*) OVER (PARTITION BY v.campaign_key) AS teams,
                  min(lower(btrim(v.verdict))) OVER (PARTITION BY v.campaign_key)
                      <> max(lower(btrim(v.verdict))) OVER (PARTITION BY v.campaign_key) AS is_disputed
              FROM {campaign_reviews} AS v
                  LEFT JOIN labels AS l ON l.campaign_key = v.campaign_key
              WHERE v.is_latest AND v.reviewed_on >= $2 - 84) AS v
        ORDER BY v.is_disputed DESC, v.last_on DESC, v.campaign_key, v.team
        LIMIT 20
    ),
    -- open, or answered in the week
    requests AS (
        SELECT r.*, coalesce(l.label, left(r.campaign_key, 60)) AS name
        FROM {campaign_reviews} AS r
            LEFT JOIN labels AS l ON l.campaign_key = r.campaign_key
        WHERE r.is_open OR r.answered_on >= $2
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
    (SELECT CASE WHEN count(*) > 0 THEN xmlelement(name p, 'Over budget: ' || string_agg(c.name, ', ' ORDER BY c.cost_in_budget / c.budget DESC, c.campaign_key) || '.') END
     FROM campaigns AS c WHERE c.cost_in_budget > c.budget),
    (SELECT CASE WHEN coalesce(bool_and(c.campaign_key = '(none)'), true)
         THEN xmlelement(name p, CASE WHEN {has_role:campaign} THEN 'No touch in these months.'
             ELSE 'No campaign is recorded. Attach the table with campaign => its column of landing addresses or UTM parameters.' END)
         ELSE xmlelement(name div, xmlattributes('scroll' AS class, '0' AS tabindex, 'region' AS role, 'The last three months, by first campaign; revenue by touch, model linear; what became of young leads is not known yet' AS "aria-label"), xmlelement(name table,
             xmlelement(name caption, 'The last three months, by first campaign; revenue by touch, model linear; what became of young leads is not known yet'),
             xmlelement(name thead, xmlelement(name tr,
                 xmlelement(name th, xmlattributes('col' AS scope), 'Campaign'), xmlelement(name th, xmlattributes('col' AS scope), 'Channel'),
                 xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Leads'), xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Handed over'),
                 xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Accepted'), xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Won'),
                 xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Revenue'), xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Cost'),
                 xmlelement(name th, xmlattributes('col' AS scope, 'n' AS class), 'Budget used'))),
             xmlelement(name tbody, xmlagg(xmlelement(name tr,
                 xmlelement(name td, xmlattributes('w' AS class), c.name), xmlelement(name td, xmlattributes('w' AS class), left(c.channel, 60)), xmlelement(name td, xmlattributes('n' AS class), c.leads),
                 xmlelement(name td, xmlattributes('n' AS class), c.submitted), xmlelement(name td, xmlattributes('n' AS class), c.accepted),
                 xmlelement(name td, xmlattributes('n' AS class), c.won),
                 xmlelement(name td, xmlattributes('n' AS class), coalesce(to_char(c.revenue, 'FM999,999,999,990'), '-')),
                 xmlelement(name td, xmlattributes('n' AS class), coalesce(to_char(c.cost, 'FM999,999,999,990') || ' ' || c.currency, '-')),
                 xmlelement(name td, xmlattributes(CASE WHEN c.cost_in_budget > c.budget THEN 'n bad' ELSE 'n' END AS class),
                     coalesce(to_char(100 * c.cost_in_budget / c.budget, 'FM999,990') || ' % of ' || to_char(c.budget, 'FM999,999,999,990'), '-'))) ORDER BY c.leads DESC NULLS LAST, c.campaign_key)))) END
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
                                     ELSE align.campaign_key(align.parse_campaign(l.first_campaign)) END),
    (SELECT CASE WHEN count(*) > 0 THEN xmlconcat(
         xmlelement(name h3, 'What both teams think'),
         xmlelement(name p, coalesce('The teams do not agree on ' || string_agg(DISTINCT v.name, ', ') FILTER (WHERE v.is_disputed) || '.',
                                     CASE WHEN max(v.teams) > 1 THEN 'Where both teams have a verdict, they agree.'
                                         ELSE 'Only one team has a verdict on each campaign.' END)),
         xmlelement(name div, xmlattributes('scroll' AS class, '0' AS tabindex, 'region' AS role, 'The latest verdict of each team in twelve weeks' AS "aria-label"), xmlelement(name table,
         xmlelement(name caption, 'The latest verdict of each team in twelve weeks'),
         xmlelement(name thead, xmlelement(name tr,
             xmlelement(name th, xmlattributes('col' AS scope), 'Campaign'), xmlelement(name th, xmlattributes('col' AS scope), 'Team'),
             xmlelement(name th, xmlattributes('col' AS scope), 'Verdict'), xmlelement(name th, xmlattributes('col' AS scope), 'Why'),
             xmlelement(name th, xmlattributes('col' AS scope), 'Next step'), xmlelement(name th, xmlattributes('col' AS scope), 'On'))),
         xmlelement(name tbody, xmlagg(xmlelement(name tr,
             xmlelement(name td, xmlattributes('w' AS class), v.name), xmlelement(name td, xmlattributes('w' AS class), left(v.team, 60)),
             xmlelement(name td, xmlattributes('w' AS class), left(v.verdict, 80)),
             xmlelement(name td, xmlattributes('w' AS class), CASE v.why WHEN '(none)' THEN '-' ELSE left(v.why, 300) END),
             xmlelement(name td, xmlattributes('w' AS class), CASE v.next_step WHEN '(none)' THEN '-' ELSE left(v.next_step, 300) END),
             xmlelement(name td, to_char(v.reviewed_on, 'FMDD Mon'))) ORDER BY v.is_disputed DESC, v.last_on DESC, v.campaign_key, v.team))))) END
     FROM verdicts AS v),
    (SELECT CASE WHEN count(*) > 0 THEN xmlconcat(
         xmlelement(name h3, 'What the teams ask of each other'),
         xmlelement(name p, CASE WHEN count(*) FILTER (WHERE r.is_open) = 0 THEN 'No request is open.'
                 ELSE format('%s since %s.', CASE count(*) FILTER (WHERE r.is_open) WHEN 1 THEN '1 request is open' ELSE count(*) FILTER (WHERE r.is_open) || ' requests are open, the oldest' END,
                             to_char(min(r.reviewed_on) FILTER (WHERE r.is_open), 'FMDD Mon YYYY')) END
             || CASE WHEN count(*) FILTER (WHERE NOT r.is_open) > 0
                    THEN format(' %s answered in the week of %s.', CASE count(*) FILTER (WHERE NOT r.is_open) WHEN 1 THEN '1 was' ELSE count(*) FILTER (WHERE NOT r.is_open) || ' were' END, to_char($2, 'FMDD Mon'))
                    ELSE '' END),
         xmlelement(name div, xmlattributes('scroll' AS class, '0' AS tabindex, 'region' AS role, 'Requests that are open, the oldest first, or were answered in the week' AS "aria-label"), xmlelement(name table,
         xmlelement(name caption, 'Requests that are open, the oldest first, or were answered in the week'),
         xmlelement(name thead, xmlelement(name tr,
             xmlelement(name th, xmlattributes('col' AS scope), 'Request'), xmlelement(name th, xmlattributes('col' AS scope), 'Campaign'),
             xmlelement(name th, xmlattributes('col' AS scope), 'By'), xmlelement(name th, xmlattributes('col' AS scope), 'Since'),
             xmlelement(name th, xmlattributes('col' AS scope), 'Answered'))),
         xmlelement(name tbody, xmlagg(xmlelement(name tr,
             xmlelement(name td, xmlattributes('w' AS class), left(r.request, 300)), xmlelement(name td, xmlattributes('w' AS class), r.name),
             xmlelement(name td, xmlattributes('w' AS class), left(r.team, 60) || CASE r.requested_by WHEN '(none)' THEN '' ELSE ', ' || left(r.requested_by, 80) END),
             xmlelement(name td, to_char(r.reviewed_on, 'FMDD Mon YYYY')),
             CASE WHEN r.is_open THEN xmlelement(name td, xmlattributes('bad' AS class), 'open') ELSE xmlelement(name td, to_char(r.answered_on, 'FMDD Mon')) END)
             ORDER BY r.is_open DESC, r.reviewed_on, r.row_key) FILTER (WHERE r.place <= 20))))) END
     FROM (SELECT r.*, row_number() OVER (ORDER BY r.is_open DESC, r.reviewed_on, r.row_key) AS place FROM requests AS r) AS r))
