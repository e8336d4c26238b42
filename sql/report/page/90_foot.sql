-- The end of the page: when and of what it was made.

SELECT '<body><p>' || (SELECT s.relation FROM {report_settings} AS s) || ' ' || $2::text || ' ' || {as_of}::text || '</p></body>'
