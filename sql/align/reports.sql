-- Facts and reports

CREATE FUNCTION align.create_reports(relation regclass, in_schema text,
                                     dimensions text[] DEFAULT '{}', time_zone text DEFAULT NULL,
                                     settle interval DEFAULT '90 days',
                                     complete_since timestamptz DEFAULT NULL,
                                     credit_model text DEFAULT 'linear',
                                     stored boolean DEFAULT false)
    RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_create_reports'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000;

COMMENT ON FUNCTION align.create_reports(regclass, text, text[], text, interval, timestamptz, text, boolean) IS
'creates the facts and reports on an attached table, as views in a schema and as functions of an instant, owned by the owner of the table, or replaces them, and returns the number of views. dimensions are columns of the table or expressions with a name; time_zone, that of dates, weeks and months, is by default that of the common hours of the agreement, else UTC; a cohort is settled when settle has passed since its end; complete_since, from which on the record is complete, is by default the time of attach(), and must be given after import_history(); stored makes tables of the facts, which refresh_reports() brings up to date. For the owner of the table; only time_zone and complete_since may be NULL';

CREATE FUNCTION align.refresh_reports(relation regclass, everything boolean DEFAULT false)
    RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_refresh_reports'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000;

COMMENT ON FUNCTION align.refresh_reports(regclass, boolean) IS
'brings the reports on an attached table that create_reports() has made with stored up to date, in all schemas that have some, with all that is committed, and returns the number of leads that were written. The work follows the number of leads that have changed; all leads are written if everything is true, or the agreement has changed. To be called by a scheduler. For the owner of the table; NULLs are errors';

CREATE FUNCTION align.log_changed_lead()
    RETURNS trigger
    AS 'MODULE_PATHNAME', 'align_log_changed_lead'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1;

COMMENT ON FUNCTION align.log_changed_lead() IS
'the trigger function by which stored reports know what has changed; for triggers that create_reports() creates';

CREATE FUNCTION align.weekly_report(relation regclass, week date DEFAULT NULL, in_schema text DEFAULT NULL)
    RETURNS text
    AS 'MODULE_PATHNAME', 'align_weekly_report'
    LANGUAGE C STABLE PARALLEL UNSAFE COST 10000000;

COMMENT ON FUNCTION align.weekly_report(regclass, date, text) IS
'the page for the weekly meeting of both teams, as one self-contained HTML document, from the reports in a schema, by default the only one that has reports on the table. week is any day of the week, by default of the last complete one; the figures are as of its end, or of now if it is not over. The caller must be allowed to read all reports and the campaign tables that the page shows, and, where the table has row-level security, all leads; only relation must not be NULL';

CREATE FUNCTION align.publish_week(relation regclass, week date DEFAULT NULL, in_schema text DEFAULT NULL)
    RETURNS date
    AS 'MODULE_PATHNAME', 'align_publish_week'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000000;

COMMENT ON FUNCTION align.publish_week(regclass, date, text) IS
'keeps the page of weekly_report() and its figures in the table published_week of the schema of the reports, and returns the Monday of the week; a week is published once. For the owner of the table; only relation must not be NULL';

CREATE FUNCTION align.create_campaign_tables(in_schema text, currency text) RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_create_campaign_tables'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000;

COMMENT ON FUNCTION align.create_campaign_tables(text, text) IS
'creates the tables campaign_cost, campaign_budget, campaign_review and action in a schema, as tables of the current user, and returns their number. Amounts are in one currency, three capital letters such as EUR; rows in another are refused. create_reports(), called afterwards for a table of the same owner and the same schema, reads them. NULLs are errors';
