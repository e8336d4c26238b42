\echo Use "ALTER EXTENSION align UPDATE TO '0.5.0'" to load this file. \quit

CREATE FUNCTION align.make_campaign(source text, medium text, name text, id text DEFAULT NULL) RETURNS align.campaign
	AS 'MODULE_PATHNAME', 'align_make_campaign'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;

CREATE FUNCTION align.campaign_key(campaign align.campaign) RETURNS text
	AS 'MODULE_PATHNAME', 'align_campaign_key'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;

CREATE FUNCTION align.missing_needs(lead_row record, funnel align.funnel, stage text) RETURNS text[]
    AS 'MODULE_PATHNAME', 'align_missing_needs'
    LANGUAGE C STABLE STRICT PARALLEL UNSAFE COST 50;
-- Joint targets, mixes of segments, periods of the fiscal year.
CREATE FUNCTION align.target_teams(funnel align.funnel) RETURNS TABLE (
	target_no int,
	team text
)
	AS 'MODULE_PATHNAME', 'align_funnel_target_teams'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 6;

CREATE FUNCTION align.target_mix(funnel align.funnel) RETURNS TABLE (
	stage text,
	segment text,
	share float8
)
	AS 'MODULE_PATHNAME', 'align_funnel_target_mix'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 4;

CREATE FUNCTION align.fiscal_year_begins(funnel align.funnel) RETURNS integer
	AS 'MODULE_PATHNAME', 'align_funnel_fiscal_year_begins'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;

CREATE FUNCTION align.period_start(funnel align.funnel, per text, on_date date) RETURNS date
	AS 'MODULE_PATHNAME', 'align_funnel_period_start'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;

CREATE FUNCTION align.period_end(funnel align.funnel, per text, on_date date) RETURNS date
	AS 'MODULE_PATHNAME', 'align_funnel_period_end'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;

-- Rates of decided leads and of those whose window is over.
CREATE FUNCTION align.step_rates(conversion align.conversion) RETURNS TABLE (
		step integer, name text, entered bigint, reached bigint, dropped bigint, still_open bigint,
		step_rate float8, overall_rate float8, lower float8, upper float8,
		median_time interval, p90_time interval, mean_time interval, amount numeric,
		decided_rate float8, matured_n bigint, matured_reached bigint, matured_rate float8,
		matured_lower float8, matured_upper float8)
	AS 'MODULE_PATHNAME', 'align_conversion_step_rates'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50 ROWS 5;

CREATE FUNCTION align.step_rates(conversion align.conversion, confidence float8) RETURNS TABLE (
		step integer, name text, entered bigint, reached bigint, dropped bigint, still_open bigint,
		step_rate float8, overall_rate float8, lower float8, upper float8,
		median_time interval, p90_time interval, mean_time interval, amount numeric,
		decided_rate float8, matured_n bigint, matured_reached bigint, matured_rate float8,
		matured_lower float8, matured_upper float8)
	AS 'MODULE_PATHNAME', 'align_conversion_step_rates'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50 ROWS 5;

-- Comments that are new or read otherwise ("make delta").

COMMENT ON FUNCTION align.targets(funnel align.funnel) IS
'one row per target: team ("marketing, sales" of a joint one), metric (a stage, "amount of STAGE", a handoff or sla, or "STAGE to STAGE" for a conversion), goal, unit (leads, amount or %), period (of a percentage NULL, which means month, if none is given) and window of a conversion';
COMMENT ON FUNCTION align.agreed_targets(funnel align.funnel) IS
'the targets of an agreement in the order of the document, with what each measures in columns: kind is count (leads that enter stage), amount (of the same leads), service_level (sla) or conversion (from from_stage to stage)';
COMMENT ON FUNCTION align.target_teams(funnel align.funnel) IS
'one row for each team of each target: target_no is the place of the target in agreed_targets(), from 1; a target with several rows is a joint one';
COMMENT ON FUNCTION align.target_mix(funnel align.funnel) IS
'the agreed share, 0 to 1, of each segment among the leads that enter a stage, one row per share; the segment (other) stands for the leads of no segment';
COMMENT ON FUNCTION align.fiscal_year_begins(funnel align.funnel) IS
'the first month of the fiscal year, 1 (January, also if the agreement does not say) to 12';
COMMENT ON FUNCTION align.period_start(funnel align.funnel, per text, on_date date) IS
'the first day of the day, week (from Monday), month, quarter or year (fiscal) that contains a date';
COMMENT ON FUNCTION align.period_end(funnel align.funnel, per text, on_date date) IS
'the first day after the day, week (from Monday), month, quarter or year (fiscal) that contains a date';
COMMENT ON FUNCTION align.make_campaign(text, text, text, text) IS
'the campaign of these fields, which are cleaned as parse_campaign() cleans tags: for tables of cost; NULL if all are NULL or blank';
COMMENT ON FUNCTION align.campaign_key(align.campaign) IS
'what identifies a campaign in reports: the canonical text of its source, medium and name alone, without keyword, content and id; of its id if there are none';
COMMENT ON FUNCTION align.step_rates(align.conversion) IS
'steps(conversion) with two more rates: of the leads of a step that are decided, those that reached the next one (no forecast: losses are decided sooner than wins); and of all leads whose window is over, those that reached the step within it, with Wilson bounds; NULL without a window, or if a summary of a release before 0.5 is part of this one';
COMMENT ON FUNCTION align.step_rates(align.conversion, float8) IS
'the same as step_rates(conversion) with Wilson bounds at another confidence, greater than 0 and less than 1';
COMMENT ON FUNCTION align.missing_needs(record, align.funnel, text) IS
'what a stage needs, as written in the agreement, that a row of a table does not have; empty if it has all, or if the agreement does not know the stage';
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
