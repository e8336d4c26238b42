-- The table.
\pset format aligned
\pset tuples_only off
\pset footer off
SELECT what, ours, against, ratio, aim, CASE WHEN ok THEN 'yes' WHEN ok IS NULL THEN '' ELSE 'NO' END AS "ok?"
FROM bench.line ORDER BY no;
\pset tuples_only on
\pset format unaligned
SELECT '- ' || note FROM bench.note ORDER BY no;
SELECT '- ' || format('%s, one backend, jit off, no parallel workers', string_agg(name || ' ' || current_setting(name), ', ' ORDER BY name))
FROM unnest(ARRAY['work_mem', 'shared_buffers', 'hash_mem_multiplier']) AS name;
