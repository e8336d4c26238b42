-- What is known of the clocks in "clocks", which must be in scope: whether they
-- were over at the instant, and when they are due.  (OFFSET 0 keeps the planner
-- from computing an expression once for each use.)
--
-- What the clock table has is what is known today.  "marks" sets it back to the
-- instant: changes that had happened by then but were recorded later, and the
-- ends of lives.  There are few.
WITH
    promises AS MATERIALIZED (
        {part:promises}
    ),
    names AS MATERIALIZED (
        {part:stage_names}
    ),
    marks AS MATERIALIZED (
        SELECT {history_key:h}, h.entry_no, h.event, h.effective_at AS at, h.stage, h.source,
            h.effective_at <= {as_of} AND (h.recorded_at <= {as_of} OR h.event = 'opening'
                                           OR coalesce(h.source LIKE '%import', false)) AS is_known
        FROM {history} AS h
        WHERE (h.stage IS NULL OR h.source = 'resumed'
               OR h.recorded_at > {as_of} AND h.effective_at <= {as_of}
                  AND h.event <> 'opening' AND coalesce(h.source NOT LIKE '%import', true))
            AND h.event NOT IN ('owner', 'rekey', 'touch')
            AND (h.source IS NULL OR h.source NOT LIKE '%not live')
            AND (h.stage IS NOT NULL OR h.source IS NULL OR h.source NOT LIKE 'merged%')
    ),
    ends AS (
        SELECT {key:m}, m.at,
            min(CASE WHEN m.event IN ('deleted', 'truncated') THEN 'deleted' ELSE 'left the funnel' END) AS left_by
        FROM marks AS m
        WHERE m.is_known AND m.stage IS NULL
        GROUP BY {key:m}, m.at
    ),
    -- late_at: when something happened that was not recorded yet; gone_at: the
    -- lead had left at the instant, and its row has come back since
    late_leads AS (
        SELECT {key:m},
            array_agg(m.at) FILTER (WHERE NOT m.is_known) AS late_at,
            max(m.previous_at) FILTER (WHERE m.source = 'resumed' AND NOT m.is_known AND m.previous_known) AS gone_at
        FROM (SELECT {key:m}, m.at, m.source, m.is_known,
                  lag(m.at) OVER life AS previous_at, lag(m.is_known) OVER life AS previous_known
              FROM marks AS m
              WINDOW life AS (PARTITION BY {key:m} ORDER BY m.entry_no)) AS m
        GROUP BY {key:m}
        HAVING NOT bool_and(m.is_known)
    ),
    known_changes AS NOT MATERIALIZED (
        SELECT {history_key:h}, h.effective_at AS at, coalesce(n.stage, h.stage) AS stage, n.stage_kind
        FROM {history} AS h
            LEFT JOIN names AS n ON n.recorded = h.stage
        WHERE h.event IN ('opening', 'entry', 'move', 'override', 'deleted', 'truncated')
            AND (h.recorded_at <= {as_of} OR h.event = 'opening' OR h.source LIKE '%import')
            AND (h.source IS NULL OR h.source NOT LIKE '%not live')
    ),
    -- which clocks had started by the instant, and which were over
    ended AS (
        SELECT c.*, p.counted_in, l.late_at,
            over.is_over,
            CASE WHEN over.is_over THEN c.stopped_at ELSE over.gone_at END AS ended_at,
            CASE WHEN over.is_over AND (c.outcome = 'met' OR i.left_by IS NULL) THEN 'stage'
                WHEN over.is_over THEN i.left_by
                WHEN over.gone_at IS NOT NULL THEN 'deleted' END AS ended_by,
            coalesce(CASE WHEN over.is_over THEN c.stopped_at ELSE over.gone_at END, {as_of}) AS read_at
        FROM clocks AS c
            LEFT JOIN promises AS p
                ON p.agreement = c.agreement AND p.version = c.version AND p.sla = c.sla
            LEFT JOIN ends AS i ON {key_join:i:c} AND i.at = c.stopped_at
            LEFT JOIN late_leads AS l ON {key_join:l:c}
            CROSS JOIN LATERAL (
                SELECT c.outcome IS NOT NULL AND c.stopped_at <= {as_of}
                    AND CASE WHEN c.stopped_at = ANY (l.late_at) THEN
                        -- of its changes at that instant, did a known one stop it?
                        EXISTS (SELECT
                                FROM known_changes AS k
                                WHERE {key_join:k:c} AND k.at = c.stopped_at
                                    AND (k.stage IS NULL OR k.stage = ANY (p.stops) OR k.stage_kind <> 'open'
                                         OR p.is_handoff AND NOT k.stage = ANY (p.starts)))
                        ELSE true END AS is_over,
                    CASE WHEN l.gone_at >= c.started_at THEN l.gone_at END AS gone_at
            ) AS over
        -- likewise: did a known one start it?
        WHERE CASE WHEN c.started_at = ANY (l.late_at) THEN
                  EXISTS (SELECT
                          FROM known_changes AS k
                          WHERE {key_join:k:c} AND k.at = c.started_at AND k.stage = ANY (p.starts))
                  ELSE true END
        OFFSET 0
    ),
    -- what of their pauses had happened: "cut_at" is the beginning of the first
    -- pause that was not over
    paused AS (
        SELECT c.*, pause.cut_at, pause.over, pause.paused_before, pause.whole,
            coalesce(pause.is_paused, false) AS is_paused
        FROM ended AS c
            CROSS JOIN LATERAL (
                SELECT min(lower(r.during)) FILTER (WHERE NOT r.is_over) AS cut_at,
                    bool_or(lower(r.during) <= c.read_at AND NOT lower(r.during) = ANY (coalesce(c.late_at, '{}')))
                        FILTER (WHERE NOT r.is_over) AS is_paused,
                    range_agg(r.during) FILTER (WHERE r.is_over) AS over,
                    sum(upper(r.during) - lower(r.during)) FILTER (WHERE r.is_over) AS paused_before,
                    range_agg(r.during) FILTER (WHERE NOT upper_inf(r.during)) AS whole
                FROM (SELECT r.during,
                          upper(r.during) IS NOT NULL AND upper(r.during) <= c.read_at
                              AND NOT ARRAY[lower(r.during), upper(r.during)] && coalesce(c.late_at, '{}') AS is_over
                      FROM unnest(c.paused) AS r (during)
                      WHERE NOT isempty(c.paused)) AS r
            ) AS pause
    ),
    -- due instants as they were: a pause that began before an instant moves it,
    -- and as much of the promise remains after the pause as before it
    dated AS (
        SELECT c.*, moved.due_at AS due_before, moved.warn_at AS warn_before,
            moved.due_left, moved.warn_left
        FROM paused AS c
            CROSS JOIN LATERAL (
                SELECT left_over.due_left, left_over.warn_left,
                    CASE WHEN left_over.due_left IS NULL THEN c.due_at
                        WHEN left_over.due_left = '0' THEN c.cut_at
                        ELSE align.add_working_time(c.counted_in, c.cut_at, left_over.due_left) END AS due_at,
                    CASE WHEN left_over.warn_left IS NULL THEN c.warn_at
                        WHEN left_over.warn_left = '0' THEN c.cut_at
                        ELSE align.add_working_time(c.counted_in, c.cut_at, left_over.warn_left) END AS warn_at
                FROM (SELECT
                          CASE WHEN c.due_at >= c.cut_at THEN
                              align.working_time(c.counted_in, tstzmultirange(tstzrange(c.cut_at, c.due_at))
                                                     - coalesce(c.whole, '{}')) END AS due_left,
                          CASE WHEN c.warn_at >= c.cut_at THEN
                              align.working_time(c.counted_in, tstzmultirange(tstzrange(c.cut_at, c.warn_at))
                                                     - coalesce(c.whole, '{}')) END AS warn_left
                     ) AS left_over
            ) AS moved
    )
SELECT {key:c}, c.sla, c.cycle, c.agreement, c.version, c.team,
    c.assignee_at_start, c.assignee_at_due, c.assignee_at_stop,
    -- the clock table has who holds the lead today where the past had
    -- another; entries of a merged duplicate do not change the row
    CASE WHEN c.is_over THEN NULL
        WHEN {as_of} >= now() THEN c.assignee_at_due
        ELSE (SELECT CASE WHEN btrim(e.assignee) <> '' THEN e.assignee END
              FROM (SELECT {history_key:h}, h.entry_no, h.effective_at, h.assignee
                    FROM {history} AS h
                    WHERE h.stage IS NOT NULL AND h.event IN ('opening', 'entry', 'move', 'override', 'owner')
                        AND (h.source IS NULL OR h.source NOT LIKE 'merged%' AND h.source NOT LIKE '%not live')
                        AND (h.recorded_at <= {as_of} OR h.event = 'opening' OR h.source LIKE '%import')) AS e
              WHERE {key_join:e:c} AND e.effective_at <= c.read_at
              ORDER BY e.entry_no DESC
              LIMIT 1) END AS holder,
    c.started_at, c.outcome, c.is_over, c.ended_at, c.ended_by,
    c.is_paused, c.cut_at, c.over, c.paused_before,
    c.due_before, c.warn_before, c.due_left, c.warn_left
FROM dated AS c
