-- The columns of campaign_budget, without rows.
SELECT NULL::bigint AS id, NULL::date AS month, NULL::text AS campaign_source,
    NULL::text AS campaign_medium, NULL::text AS campaign_name, NULL::text AS campaign_id,
    NULL::numeric AS amount, NULL::text AS currency
WHERE false
