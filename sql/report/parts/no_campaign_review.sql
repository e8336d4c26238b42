-- The columns of campaign_review, without rows.
SELECT NULL::bigint AS id, NULL::text AS campaign_source, NULL::text AS campaign_medium,
    NULL::text AS campaign_name, NULL::text AS campaign_id, NULL::date AS reviewed_on,
    NULL::text AS team, NULL::text AS verdict, NULL::text AS why, NULL::text AS next_step,
    NULL::text AS reviewed_by, NULL::text AS request, NULL::text AS requested_by,
    NULL::date AS answered_on
WHERE false
