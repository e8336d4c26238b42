-- lead_values per lead
-- One row per lead with a journey: the journey as a value of type align.lead, the same as align.journeys() returns, with what leads are grouped by. Key: row_key. Only for stored reports: align.refresh_reports() brings it up to date. Aggregates over leads read it without grouping: SELECT align.funnel_conversion_agg(journey, ...). Other columns of lead_facts are joined by the key columns.
--
-- row_key: the key as text; unique
-- entered_at: as in lead_facts: time of its first entry into a stage; NULL for a
--   late lead, and for one that has none
-- entered_on: local date of entered_at
-- entry_stage: stage of its first entry, or in which a late lead was found; (none)
--   if there are only touches
-- is_late: whether its first entry only found it in a stage
-- segment: the agreement's first segment that held at its first entry; (other)
--   if none did
-- first_channel: channel of its first touch until it was won; (none) if there is none
-- journey: of type align.lead, with stages under their names of today, and all entries that
--   are recorded, also those that are dated after the refresh

SELECT {key_text:l} AS row_key,
    {key:l},
    CASE WHEN NOT lead_facts.is_late THEN lead_facts.first_at END AS entered_at,
    CASE WHEN NOT lead_facts.is_late THEN timezone({zone}, lead_facts.first_at)::date END AS entered_on,
    coalesce(lead_facts.entry_stage, '(none)') AS entry_stage,
    coalesce(lead_facts.is_late, false) AS is_late,
    coalesce(lead_facts.segment, '(other)') AS segment,
    coalesce(lead_facts.first_channel, '(none)') AS first_channel,
    l.journey
    {named_dimensions:leads}
FROM (SELECT {history_key:h},
          align.lead_agg(h.effective_at,
                         CASE WHEN h.event <> 'touch' THEN
                             align.carried_stage(h.stage, h.agreement, h.version, {agreement},
                                                 (SELECT f.version FROM ({part:funnel}) AS f)) END,
                         h.team, h.reason, h.campaign,
                         CASE WHEN h.amount > '-Infinity' AND h.amount < 'Infinity' THEN h.amount END,
                         h.entry_no, {segments:h}, nullif(h.version, 0)) AS journey
      FROM {history} AS h
      WHERE (h.event IN ('opening', 'entry', 'move', 'override') AND h.stage IS NOT NULL
              OR h.event = 'touch' AND h.campaign IS NOT NULL)
          AND (h.source IS NULL OR h.source NOT LIKE '%not live')
      GROUP BY {key}) AS l
    JOIN {joined:leads:l}
    LEFT JOIN {joined:lead_facts:l}
