-- The entries of "history_rows", which must be in scope and have all rows of a
-- lead, that are known at the instant, without those of rows that were
-- not live.  What an opening or an import says was so when it is dated.
--
-- "place" is the order of the journey of a lead: that in which its entries
-- were made.  Only entries that were merged from a duplicate (and, before 0.4,
-- ones that were recorded late) stand where their time belongs; an entry that
-- enters no stage stands after those that do and were recorded before it.
-- Touches come after all others: they have no part in the order of stages.  So
-- only the few leads that have such entries are in "places".  (The planner
-- must not believe that there are none, so they are not found by LIKE.
-- DISTINCT ON in "places" changes nothing: by it the planner knows that the join
-- adds no rows, and leaves it out of a query that uses neither place nor stage.)
WITH
    known AS NOT MATERIALIZED (
        SELECT {history_key:h}, h.entry_no, h.event, h.effective_at AS at,
            CASE WHEN h.event = 'opening' OR h.source LIKE '%import' THEN h.effective_at
                ELSE h.recorded_at END AS known_at,
            h.recorded_at, h.from_stage, h.stage,
            -- blank text is none; other text is shown as written
            CASE WHEN btrim(h.from_team) <> '' THEN h.from_team END AS from_team,
            CASE WHEN btrim(h.team) <> '' THEN h.team END AS team,
            CASE WHEN btrim(h.assignee) <> '' THEN h.assignee END AS assignee,
            CASE WHEN btrim(h.actor) <> '' THEN h.actor END AS actor,
            CASE WHEN btrim(h.reason) <> '' THEN h.reason END AS reason,
            h.note, h.campaign,
            CASE WHEN h.amount > '-Infinity' AND h.amount < 'Infinity' THEN h.amount END AS amount,
            {segments:h} AS segments, h.agreement, h.version, h.violation, h.source, h.handoff,
            h.stage IS NOT NULL
                AND h.event IN ('opening', 'entry', 'move', 'override') AS is_stage_entry,
            coalesce(left(h.source, 6) = 'merged', false) AS is_merged
        FROM history_rows AS h
        WHERE h.effective_at <= {as_of}
            AND (h.recorded_at <= {as_of} OR h.event = 'opening' OR h.source LIKE '%import')
            AND (h.source IS NULL OR h.source NOT LIKE '%not live')
    ),
    late AS (
        SELECT DISTINCT {key:k}
        FROM known AS k
        WHERE left(k.source, 6) = 'merged' OR k.source = 'backfill'
    ),
    placed AS (
        SELECT {key:k}, k.entry_no, k.stage, k.event = 'touch' AS is_touch,
            k.is_stage_entry OR k.stage IS NULL AND NOT k.is_merged AND k.event <> 'touch' AS is_change,
            CASE WHEN k.is_stage_entry THEN k.at
                ELSE coalesce(max(k.at) FILTER (WHERE k.is_stage_entry
                                                    AND k.source IS DISTINCT FROM 'backfill')
                                  OVER (PARTITION BY {key:k} ORDER BY k.entry_no),
                              k.at) END AS placed_at
        FROM known AS k
            JOIN late ON {key_join:k:late}
    ),
    numbered AS (
        SELECT {key:p}, p.entry_no, p.stage,
            row_number() OVER journey AS place,
            count(*) FILTER (WHERE p.is_change) OVER journey AS visit
        FROM placed AS p
        WINDOW journey AS (PARTITION BY {key:p} ORDER BY p.is_touch, p.placed_at, p.entry_no)
    ),
    places AS (
        SELECT DISTINCT ON ({key:n}, n.entry_no) {key:n}, n.entry_no, n.place,
            first_value(n.stage) OVER (PARTITION BY {key:n}, n.visit ORDER BY n.place) AS stage
        FROM numbered AS n
    )
SELECT {key:k}, k.entry_no,
    coalesce(p.place, k.entry_no + CASE WHEN k.event = 'touch' THEN 1::bigint << 32 ELSE 0 END) AS place,
    k.event, k.at, k.known_at, k.recorded_at, k.is_stage_entry, k.is_merged,
    -- an entry into the stage; an opening only found the lead there
    k.is_stage_entry AND k.event <> 'opening' AS is_entry,
    coalesce(before.stage, k.from_stage) AS from_stage,
    coalesce(s.stage, CASE WHEN p.place IS NULL THEN k.stage ELSE p.stage END) AS stage,
    s.stage_order, s.stage_kind, s.team AS stage_team, s.on_success_path,
    k.from_team, k.team, k.assignee, k.actor, k.reason, k.note, k.campaign, k.amount, k.segments,
    k.agreement, k.version, k.violation, k.source, k.handoff
FROM known AS k
    LEFT JOIN places AS p ON {key_join:k:p} AND p.entry_no = k.entry_no
    LEFT JOIN ({part:stage_names}) AS s
        ON s.recorded = CASE WHEN p.place IS NULL THEN k.stage ELSE p.stage END
    LEFT JOIN ({part:stage_names}) AS before ON before.recorded = k.from_stage
