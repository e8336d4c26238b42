-- duties
-- One row per stage and promise that begins in it, of the version of the agreement in force at the instant; a stage without one has one row with the promise (none). Key: row_key (stage, sla). What the document says, in a table: it has no figures. Answers: who owes what to whom, by when?
--
-- row_key: stage and promise as text; unique
-- stage_order: place of the stage in the order of declaration
-- stage: the stage
-- kind: open, won or lost
-- team: team that holds it; (none) if none does
-- needs: what a lead needs to enter it, as the agreement has it; (none) if nothing
-- sla: service level or handoff that begins in it; (none) if none does
-- due_text: what it promises; (none) if no time
-- warn_text: when it warns; (none) if it does not
-- next_stage: next stage on the success path; (none) off it and at its end
-- next_team: team that holds that stage; (none) if none does
-- next_needs: what a lead needs for that stage and for the move to it; (none) if nothing
-- reject_reasons: reasons that the handoff lists for a rejection; (none) if none
-- sla_team: team that promises; (none) without a promise
-- version: the version of the agreement

WITH
    in_force AS (
        {part:funnel}
    ),
    stages AS (
        SELECT s.stage_order::int AS stage_order, s.stage, s.kind, s.team, s.stage_position,
            array_to_string(s.needs, ', ') AS needs
        FROM in_force AS f
            CROSS JOIN LATERAL align.stages(f.funnel) WITH ORDINALITY AS s (stage_position, stage, kind,
                team, on_success_path, is_entry, labels, needs, stage_order)
    ),
    promises AS (
        SELECT l.*, array_to_string(h.reasons, ', ') AS reject_reasons
        FROM in_force AS f
            CROSS JOIN LATERAL align.service_levels(f.funnel) AS l
            LEFT JOIN LATERAL align.handoffs(f.funnel) AS h ON h.handoff = l.sla
    )
SELECT quote_ident(s.stage) || ' ' || coalesce(quote_ident(p.sla), '(none)') AS row_key,
    s.stage_order, s.stage, s.kind,
    coalesce(s.team, '(none)') AS team,
    coalesce(nullif(s.needs, ''), '(none)') AS needs,
    coalesce(p.sla, '(none)') AS sla,
    coalesce(p.due, '(none)') AS due_text,
    coalesce(p.warn, '(none)') AS warn_text,
    coalesce(following.stage, '(none)') AS next_stage,
    coalesce(following.team, '(none)') AS next_team,
    coalesce(nullif(concat_ws(', ', nullif(following.needs, ''), nullif(array_to_string(m.needs, ', '), '')), ''),
             '(none)') AS next_needs,
    coalesce(nullif(p.reject_reasons, ''), '(none)') AS reject_reasons,
    coalesce(p.team, '(none)') AS sla_team,
    f.version
FROM in_force AS f
    CROSS JOIN stages AS s
    LEFT JOIN promises AS p ON s.stage = ANY (p.starts)
    LEFT JOIN stages AS following ON following.stage_position = s.stage_position + 1
    LEFT JOIN LATERAL align.moves(f.funnel) AS m ON m.from_stage = s.stage AND m.stage = following.stage
