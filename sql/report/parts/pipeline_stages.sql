-- The stages of the pipeline: the open ones of the success path.
SELECT s.stage, s.stage_order
FROM ({part:success_path}) AS s
WHERE s.kind = 'open'
