-- The appendix: lists to work through, and what the words mean.
WITH
    stuck AS (
        SELECT s.stage, s.stage_order, s.team, count(*) AS n, max(s.age_seconds) AS oldest, sum(s.amount) AS amount, min(s.limit_working_seconds) AS allowed
        FROM {stuck} AS s
        GROUP BY s.stage, s.stage_order, s.team
    ),
    nobody AS (
        SELECT u.stage, u.team, count(*) AS n, count(*) FILTER (WHERE u.is_overdue) AS overdue, min(u.unassigned_since) AS since
        FROM {unassigned} AS u
        GROUP BY u.stage, u.team
    ),
    broken AS (
        SELECT c.rule, c.team, sum(c.entries) AS entries, sum(c.overrides) AS overrides
        FROM {conformance} AS c
        WHERE c.week = $2
        GROUP BY c.rule, c.team
    )
SELECT xmlelement(name section,
    xmlelement(name h2, 'Appendix'),
    xmlelement(name h3, 'Stuck'),
    (SELECT CASE WHEN count(*) = 0 THEN xmlelement(name p, 'No open lead is in its stage longer than its limit.')
         ELSE xmlelement(name ul, xmlagg(xmlelement(name li, format('%s (%s): %s, for up to %s.', s.stage, s.team,
             s.n || CASE s.n WHEN 1 THEN ' lead' ELSE ' leads' END, s.oldest / 86400 || CASE s.oldest / 86400 WHEN 1 THEN ' day' ELSE ' days' END)) ORDER BY s.stage_order)) END
     FROM stuck AS s),
    xmlelement(name h3, 'Held by a team and by nobody'),
    (SELECT CASE WHEN count(*) = 0 THEN xmlelement(name p, 'None.')
         ELSE xmlelement(name ul, xmlagg(xmlelement(name li, format('%s (%s): %s, overdue: %s.', u.stage, u.team,
             u.n || CASE u.n WHEN 1 THEN ' lead' ELSE ' leads' END, u.overdue)) ORDER BY u.n DESC, u.stage)) END
     FROM nobody AS u),
    xmlelement(name h3, 'Rules that were broken in the week of ' || to_char($2, 'FMDD Mon')),
    (SELECT CASE WHEN count(*) = 0 THEN xmlelement(name p, 'None.')
         ELSE xmlelement(name ul, xmlagg(xmlelement(name li, format('%s by %s: %s%s.', b.rule, b.team,
             b.entries || CASE b.entries WHEN 1 THEN ' entry' ELSE ' entries' END,
             CASE WHEN b.overrides > 0 THEN ', ' || b.overrides || ' by an override' ELSE '' END)) ORDER BY b.entries DESC, b.rule, b.team)) END
     FROM broken AS b),
    xmlelement(name h3, 'What the words mean'),
    xmlelement(name dl,
        xmlelement(name dt, 'Kept'), xmlelement(name dd, 'promises met / (met + missed), of those that were due; what still ran when it was due is missed, whatever ended it'),
        xmlelement(name dt, 'Expected'), xmlelement(name dd, 'of a target: the actual / the part of the working time that is over; of the pipeline: the share of leads that were won from that stage in time, with bounds'),
        xmlelement(name dt, 'Settled'), xmlelement(name dd, 'a month is settled when all its leads have had ' || round(extract(epoch FROM {settle}) / 86400) || ' days; only settled months are compared'),
        xmlelement(name dt, 'First campaign'), xmlelement(name dd, 'the campaign of the first touch of a lead'),
        xmlelement(name dt, 'Complete since'), xmlelement(name dd, 'what happened before is not all recorded, and not compared')))
