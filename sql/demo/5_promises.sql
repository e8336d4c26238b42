-- 5_promises.sql   who promised what, and who kept it.
\pset footer off
\pset linestyle unicode
\echo '------------------------------------------------------------------------------'
\echo ' (e) Promises: who promised what, and who kept it'
\echo '------------------------------------------------------------------------------'

CREATE TABLE demo.clock AS
SELECT j.lead, c.*
FROM demo.journey j, demo.signed, demo.today, align.sla_clocks(journey, agreement, as_of) c;

SELECT NOT EXISTS (SELECT FROM demo.signed, align.service_levels(agreement)) AS no_promises
\gset
\if :no_promises
\echo 'This agreement promises nothing yet: no handoff and no service level is written'
\echo 'down in it. Copy the draft of section (a) to a file, add lines such as'
\echo
\echo '    hours ''Europe/London Mo-Fr 09:00-17:30'';'
\echo '    sla first_response: from "first stage" to "next stage" within 4 working hours;'
\echo
\echo 'and run the demo again with AGREEMENT=file.'
\echo
\else
\echo 'A clock runs from the stage that starts a promise to the one that keeps it, in'
\echo 'working hours where the promise says so. Clocks that still run are judged on the'
\echo 'day of the story, so a lead that nobody touches becomes overdue all by itself.'
\echo
SELECT s.sla, s.team, s.due AS promise,
	   count(*) FILTER (WHERE state = 'met') AS met,
	   count(*) FILTER (WHERE state = 'missed') AS missed,
	   count(*) FILTER (WHERE state = 'overdue') AS "overdue now",
	   count(*) FILTER (WHERE state IN ('running', 'at_risk', 'paused')) AS "still time",
	   count(*) FILTER (WHERE state = 'cancelled') AS cancelled,
	   to_char(100.0 * count(*) FILTER (WHERE state = 'met')
			   / nullif(count(*) FILTER (WHERE state IN ('met', 'missed', 'overdue')), 0), 'FM990.0') || ' %' AS kept,
	   demo.span(percentile_cont(0.5) WITHIN GROUP (ORDER BY elapsed) FILTER (WHERE state IN ('met', 'missed')),
				 s.due LIKE '%working%') AS "median response"
FROM demo.signed, align.service_levels(agreement) s
LEFT JOIN demo.clock c USING (sla)
GROUP BY s.sla, s.team, s.due
ORDER BY s.team, s.sla;

SELECT EXISTS (SELECT FROM demo.signed, align.handoffs(agreement)) AS has_handoffs
\gset
\if :has_handoffs
-- Every move by the names of the agreement, and where each lead is now (to no
-- stage).  stage_name() would refuse a label that the agreement does not know.
CREATE TABLE demo.move AS
WITH label AS (
	SELECT s.stage, l.label
	FROM demo.signed
	CROSS JOIN LATERAL align.stages(agreement) s
	CROSS JOIN LATERAL unnest(s.stage || s.labels) l (label)
)
SELECT m.lead, f.stage AS from_stage, t.stage, m.stage IS NULL AS is_now, m.reason
FROM (
	SELECT lead, from_stage, stage, reason FROM demo.journey, align.transitions(journey)
	UNION ALL
	SELECT lead, align.current_stage(journey), NULL, NULL FROM demo.journey
) m
LEFT JOIN label f ON f.label = m.from_stage
LEFT JOIN label t ON t.label = m.stage;

\echo 'Handoffs: what became of the leads that one team handed to the other.'
\echo
SELECT h.handoff, h.from_team || ' to ' || h.to_team AS teams,
	   count(*) AS submitted,
	   count(*) FILTER (WHERE m.stage = ANY (h.accept)) AS accepted,
	   count(*) FILTER (WHERE m.stage = ANY (h.reject)) AS rejected,
	   count(*) FILTER (WHERE NOT is_now AND (m.stage = ANY (h.accept || h.reject)) IS NOT TRUE) AS withdrawn,
	   count(*) FILTER (WHERE is_now) AS waiting,
	   to_char(100.0 * count(*) FILTER (WHERE m.stage = ANY (h.accept))
			   / nullif(count(*) FILTER (WHERE m.stage = ANY (h.accept || h.reject)), 0), 'FM990.0') || ' %' AS "acceptance rate"
FROM demo.signed
CROSS JOIN LATERAL align.handoffs(agreement) h
JOIN demo.move m ON m.from_stage = h.stage
GROUP BY h.handoff, h.from_team, h.to_team
ORDER BY h.handoff;

\echo 'The reasons that came back with rejected leads: what one team can learn from the'
\echo 'other.'
\echo
SELECT h.handoff, coalesce(m.reason, '(none given)') AS reason, count(*) AS rejections,
	   to_char(100.0 * count(*) / sum(count(*)) OVER (PARTITION BY h.handoff), 'FM990.0') || ' %' AS share
FROM demo.signed
CROSS JOIN LATERAL align.handoffs(agreement) h
JOIN demo.move m ON m.from_stage = h.stage AND m.stage = ANY (h.reject)
GROUP BY h.handoff, m.reason
ORDER BY h.handoff, rejections DESC, reason
LIMIT 12;
\endif

\echo 'Overdue now, of each promise the longest: somebody could pick up the phone.'
\echo
SELECT sla, team, lead, to_char(due_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS "was due (UTC)",
	   demo.span(as_of - due_at, false) AS "overdue by"
FROM (
	SELECT *, row_number() OVER (PARTITION BY sla ORDER BY due_at, lead) AS place
	FROM demo.clock
	WHERE state = 'overdue'
) c, demo.today
WHERE place <= 3
ORDER BY sla, place;
\endif
