-- Once: the success path of the agreement in force at the instant.
SELECT s.stage, s.stage_order::int AS stage_order, s.kind,
    row_number() OVER (ORDER BY s.stage_position)::int AS step
FROM ({part:funnel}) AS f,
    align.stages(f.funnel) WITH ORDINALITY AS s (stage_position, stage, kind, team,
        on_success_path, is_entry, labels, needs, stage_order)
WHERE s.on_success_path
