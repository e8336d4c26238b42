-- Reports of an agreement with next to nothing in it: no hours, no handoff, no target,
-- nobody who holds a lead.  An empty table, one lead, and instants before it: no error.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET jit = off;
SET timezone = 'UTC';
CREATE SCHEMA bare;
SELECT align.agree('bare', 'stage a; won b; success path a -> b;') > 0 AS agreed;
CREATE TABLE bare.lead (id int PRIMARY KEY, stage text);
SELECT align.attach('bare.lead', 'bare');
CREATE SCHEMA bare_reports;
SELECT align.create_reports('bare.lead', 'bare_reports') > 0 AS created;
-- The number of rows of each view at an instant, of those that have any.
CREATE FUNCTION bare.rows(a timestamptz) RETURNS TABLE (view text, n bigint) LANGUAGE plpgsql AS $$
BEGIN
    FOR view IN SELECT c.relname FROM pg_class AS c WHERE c.relnamespace = 'bare_reports'::regnamespace AND c.relkind = 'v' ORDER BY 1 LOOP
        -- every column is computed
        EXECUTE format('SELECT count(*) FROM (SELECT x.*::text FROM bare_reports.%I($1) AS x OFFSET 0) AS x', view) INTO n USING a;
        IF n > 0 THEN RETURN NEXT; END IF;
    END LOOP;
END $$;
SELECT * FROM bare.rows(now());
SELECT * FROM bare.rows('1999-12-31');
INSERT INTO bare.lead VALUES (1, 'a');
SELECT * FROM bare.rows(now());
SELECT step, stage, entered, reached, still_open, step_rate, step_rate_lower, median_seconds, timed, amount FROM bare_reports.funnel ORDER BY step;
SELECT step, is_settled, leads, matured_rate FROM bare_reports.funnel_by_month ORDER BY step;
SELECT stage, left_forward, n, median_seconds, open_at_end, open_median_seconds FROM bare_reports.time_in_stage;
SELECT id, stage_kind, team, assignee, in_stage_working_seconds FROM bare_reports.lead_facts;
SELECT view, n FROM bare.rows('1999-12-31');
DROP SCHEMA bare_reports CASCADE;
DROP SCHEMA bare CASCADE;
