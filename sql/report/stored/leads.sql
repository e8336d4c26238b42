-- The leads, and since when nothing else has become known about them.
SELECT {key:h}
    {dimensions},
    h.latest_at
FROM (SELECT {history_key:h},
          max(CASE WHEN h.event = 'opening' OR h.source LIKE '%import' THEN h.effective_at
                  ELSE greatest(h.effective_at, h.recorded_at) END) AS latest_at
      FROM {history} AS h
      GROUP BY {key}) AS h
    {dimension_join:h}
