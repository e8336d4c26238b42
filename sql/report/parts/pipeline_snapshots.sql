-- The pipeline at each of the instants of "snapshots", a table of the including
-- query (as_of timestamptz, distinct): a row for each open stage of the success
-- path.
--
-- Leads are found in their timelines by the numbers of the instants that these
-- contain, and the base of a share by the numbers of its limits, so the cost
-- does not grow with leads times instants.
WITH
    numbered AS (
        SELECT s.as_of, row_number() OVER (ORDER BY s.as_of)::int AS n
        FROM snapshots AS s
    ),
    instants AS (
        SELECT array_agg(n.as_of ORDER BY n.n) AS all_of, count(*)::int AS n FROM numbered AS n
    ),
    stages AS (
        {part:pipeline_stages}
    ),
    -- (the planner takes visit_no <= 1 for a third of the visits, but visit_no = 1
    -- for next to none)
    visits AS MATERIALIZED (
        SELECT {key:v}, v.visit_no, v.stage, v.stage_kind, v.is_late, v.entered_at, v.since_known, v.known_at
        FROM {stored:visits} AS v
        WHERE v.visit_no <= 1 OR v.stage_kind = 'won'
    ),
    -- since when a lead is in a stage for the first time; NULL if that is not known
    firsts AS (
        SELECT {key:v}, v.stage, v.is_late, v.known_at,
            CASE WHEN v.since_known THEN v.entered_at END AS entered_at
        FROM visits AS v
        WHERE v.visit_no <= 1
    ),
    wins AS (
        SELECT DISTINCT ON ({key:v}) {key:v}, v.entered_at AS won_at, v.known_at
        FROM visits AS v
        WHERE v.stage_kind = 'won'
        ORDER BY {key:v}, v.entered_at
    ),
    present AS (
        SELECT n.n, t.stage,
            count(*) AS leads,
            count(*) FILTER (WHERE f.entered_at < n.as_of - {settle}) AS leads_aged,
            count(*) FILTER (WHERE t.amount IS NULL) AS amount_missing,
            sum(t.amount) AS amount,
            sum(t.amount) FILTER (WHERE f.entered_at < n.as_of - {settle}) AS amount_aged
        FROM ({part:timeline}) AS t
            JOIN stages AS s ON s.stage = t.stage
            CROSS JOIN instants AS i
            -- an instant is in [since, until)
            CROSS JOIN LATERAL generate_series(
                width_bucket(t.since - interval '1 microsecond', i.all_of) + 1,
                CASE WHEN t.until IS NULL THEN i.n
                    ELSE width_bucket(t.until - interval '1 microsecond', i.all_of) END) AS g (n)
            JOIN numbered AS n ON n.n = g.n
            LEFT JOIN firsts AS f ON {key_join:f:t} AND f.stage = t.stage
        GROUP BY n.n, t.stage
    ),
    -- A lead is in the base of the instants in (entered_at + settle, entered_at +
    -- settle + 365 days] at which its entry was known, and is won at those of
    -- them at which its win was known, too: from one number of an instant to
    -- another.  So it is counted at the first, and taken off after the last.
    spans AS (
        SELECT f.stage, s.first_n, s.last_n,
            CASE WHEN w.won_at >= f.entered_at AND w.won_at <= f.entered_at + {settle}
                THEN greatest(s.first_n, width_bucket(w.known_at - interval '1 microsecond', i.all_of) + 1) END AS first_won_n
        FROM firsts AS f
            CROSS JOIN instants AS i
            CROSS JOIN LATERAL (
                SELECT greatest(width_bucket(f.entered_at + {settle}, i.all_of),
                                width_bucket(f.known_at - interval '1 microsecond', i.all_of)) + 1 AS first_n,
                    width_bucket(f.entered_at + {settle} + interval '8760 hours', i.all_of) AS last_n) AS s
            LEFT JOIN wins AS w ON {key_join:w:f}
        WHERE NOT f.is_late AND s.first_n <= s.last_n
    ),
    -- leads with the same numbers are added up first: there are few such groups
    grouped AS (
        SELECT s.stage, s.first_n, s.last_n, s.first_won_n, count(*) AS leads
        FROM spans AS s
        GROUP BY s.stage, s.first_n, s.last_n, s.first_won_n
    ),
    counted AS (
        SELECT g.stage, c.n, sum(c.entered) AS entered, sum(c.won) AS won
        FROM grouped AS g
            CROSS JOIN LATERAL (VALUES
                (g.first_n, g.leads, 0),
                (g.last_n + 1, -g.leads, 0),
                (CASE WHEN g.first_won_n <= g.last_n THEN g.first_won_n END, 0, g.leads),
                (CASE WHEN g.first_won_n <= g.last_n THEN g.last_n + 1 END, 0, -g.leads)) AS c (n, entered, won)
        WHERE c.n IS NOT NULL
        GROUP BY g.stage, c.n
    ),
    base AS (
        SELECT n.n, c.stage, sum(c.entered)::bigint AS n_leads, sum(c.won)::bigint AS won
        FROM numbered AS n
            JOIN counted AS c ON c.n <= n.n
        GROUP BY n.n, c.stage
    )
SELECT v.*
FROM ({part:pipeline_values}) AS v
