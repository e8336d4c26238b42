-- What campaigns are called on a page: by name, else by source and medium; two
-- of one name by all three.
WITH named AS (
    SELECT DISTINCT r.campaign_key,
        CASE r.campaign_name WHEN '(none)' THEN '' ELSE left(r.campaign_name, 60) END AS name,
        left(btrim(concat_ws(' ', nullif(r.campaign_source, '(none)'), nullif(r.campaign_medium, '(none)'))), 60) AS origin
    FROM {campaign_results} AS r
)
SELECT n.campaign_key,
    CASE WHEN n.name = '' THEN coalesce(nullif(n.origin, ''), left(n.campaign_key, 60))
        WHEN count(*) OVER (PARTITION BY n.name) = 1 OR n.origin = '' THEN n.name
        ELSE n.name || ' (' || n.origin || ')' END AS label
FROM named AS n
