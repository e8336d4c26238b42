-- The columns of action, without rows.
SELECT NULL::bigint AS id, NULL::text AS what, NULL::text AS owner, NULL::date AS decided_on,
    NULL::date AS due_on, NULL::date AS done_on, NULL::text AS note
WHERE false
