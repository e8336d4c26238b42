-- report_settings
-- One row: the arguments of align.create_reports() that these views were made with. Key: row_key. Not to be joined with anything. Answers: by which settings were these views made?
--
-- row_key: always settings
-- relation: the attached table
-- history: its history
-- agreement: name of the agreement
-- time_zone: zone of all dates, weeks and months
-- settle_seconds: W: a cohort is settled this long after its end
-- complete_since: R: the record is complete from here on
-- credit_model: the model of cost ratios
-- as_of: the instant of the figures
-- dimensions: the dimensions as they were given, separated by commas; (none) without any
-- stored: whether the views read tables that align.refresh_reports() brings up to date
-- refreshed_at: when it did that last: what was committed by then is in the views;
--   NULL if stored is false

SELECT 'settings'::text AS row_key,
    {relation}::regclass::text AS relation,
    {history_relation}::regclass::text AS history,
    {agreement}::text AS agreement,
    {zone}::text AS time_zone,
    extract(epoch FROM {settle})::bigint AS settle_seconds,
    {complete_since} AS complete_since,
    {credit_model}::text AS credit_model,
    {as_of}::timestamptz AS as_of,
    {dimension_list} AS dimensions,
    {is_stored} AS stored,
    {refreshed_at}::timestamptz AS refreshed_at
