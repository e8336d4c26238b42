-- Once: by every name that the history may have for a stage: the stage of the
-- version in force.  A version that renames a stage keeps its old name as a
-- label ("known as"), so names are carried over from version to version: the
-- version in force gives its names and labels, then each other version, the
-- nearest first, those of its stages that one of the names so far stands for.
-- A name that the version in force has for a stage itself is never carried.
-- (DISTINCT changes nothing: by it the planner knows that recorded is unique,
-- and leaves out a join whose columns are not used.)
WITH RECURSIVE
    in_force AS (
        {part:funnel}
    ),
    versions AS (
        SELECT a.funnel,
            row_number() OVER (ORDER BY a.version > f.version, abs(a.version - f.version)) AS n
        FROM align.agreements AS a, in_force AS f
        WHERE a.name = {agreement}
    ),
    -- as an object: name -> stage
    carried AS (
        SELECT 1::bigint AS n,
            (SELECT jsonb_object_agg(name.name, s.stage)
             FROM align.stages(f.funnel) AS s, unnest(s.stage || s.labels) AS name (name)) AS names
        FROM in_force AS f
        UNION ALL
        SELECT c.n + 1,
            coalesce((SELECT jsonb_object_agg(name.name, known.stage)
                      FROM align.stages(v.funnel) AS s
                          CROSS JOIN LATERAL (SELECT c.names ->> label.name AS stage
                              FROM unnest(s.stage || s.labels) WITH ORDINALITY AS label (name, position)
                              WHERE c.names ? label.name
                              ORDER BY label.position
                              LIMIT 1) AS known
                          CROSS JOIN unnest(s.stage || s.labels) AS name (name)), '{}') || c.names
        FROM carried AS c
            JOIN versions AS v ON v.n = c.n + 1
    )
SELECT DISTINCT ON (names.recorded)
    names.recorded, s.stage, s.stage_order::int AS stage_order, s.kind AS stage_kind,
    s.team, s.on_success_path
FROM (SELECT c.names FROM carried AS c ORDER BY c.n DESC LIMIT 1) AS last
    CROSS JOIN jsonb_each_text(last.names) AS names (recorded, stage)
    CROSS JOIN in_force AS f
    JOIN align.stages(f.funnel) WITH ORDINALITY AS s (stage_position, stage, kind, team,
        on_success_path, is_entry, labels, needs, stage_order) ON s.stage = names.stage
