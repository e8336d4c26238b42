-- The campaigns of the "entries" in scope, as they are recorded: in canonical
-- form, with their channel by the agreement in force at the instant.
SELECT c.recorded, c.campaign, c.channel, c.channel = 'Direct' AS is_direct
FROM (SELECT e.campaign AS recorded, coalesce(align.parse_campaign(e.campaign)::text, '(none)') AS campaign,
          align.channel(align.parse_campaign(e.campaign), f.funnel) AS channel
      FROM (SELECT DISTINCT e.campaign FROM entries AS e WHERE e.campaign IS NOT NULL) AS e
          CROSS JOIN ({part:funnel}) AS f) AS c
