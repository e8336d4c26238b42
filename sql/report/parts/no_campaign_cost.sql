-- The columns of campaign_cost, without rows.
SELECT NULL::bigint AS id, NULL::date AS day, NULL::text AS campaign_source,
    NULL::text AS campaign_medium, NULL::text AS campaign_name, NULL::text AS campaign_id,
    NULL::numeric AS amount, NULL::text AS currency, NULL::bigint AS clicks,
    NULL::bigint AS impressions, NULL::text AS note
WHERE false
