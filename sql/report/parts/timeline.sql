-- Once: what was known of each lead from when to when: its stage, and its
-- amount, the last that was recorded.  "since" is when the change was both
-- made and known, and never goes back within a lead.  A lead that is gone, or
-- has left the funnel, has no stage.
WITH
    changes AS (
        SELECT {key:e}, e.place,
            max(greatest(e.at, e.known_at)) OVER journey AS since,
            CASE WHEN e.is_stage_entry THEN e.stage END AS stage,
            e.amount,
            count(*) FILTER (WHERE e.is_stage_entry OR e.stage IS NULL AND NOT e.is_merged
                                 AND e.event IN ('deleted', 'truncated', 'move', 'override'))
                OVER journey AS stage_no,
            count(e.amount) OVER journey AS amount_no
        FROM ({part:entries}) AS e
        -- touches and what was made of the row of a duplicate come after others, so
        -- their amounts are not the last ones
        WHERE e.is_stage_entry
            OR NOT e.is_merged AND e.event IN ('owner', 'deleted', 'truncated', 'move', 'override')
            OR e.event = 'rekey' AND e.note LIKE 'merged from %'
        WINDOW journey AS (PARTITION BY {key:e} ORDER BY e.place)
    )
SELECT {key:c}, c.place, c.since,
    lead(c.since) OVER (PARTITION BY {key:c} ORDER BY c.place) AS until,
    first_value(c.stage) OVER (PARTITION BY {key:c}, c.stage_no ORDER BY c.place) AS stage,
    CASE WHEN c.amount_no > 0
        THEN first_value(c.amount) OVER (PARTITION BY {key:c}, c.amount_no ORDER BY c.place)
    END AS amount
FROM changes AS c
