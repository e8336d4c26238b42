-- import_history() from audit tables in the shapes of three CRMs, dirty as they are: deleted
-- stages that keep their label, messages that are there twice, rows by field name, ties, rows
-- in no order.  Every number is compared with plain SQL over the audit table.
SET timezone = 'UTC';
SET datestyle = ISO;
SET intervalstyle = postgres;
SET client_min_messages = warning;
CREATE SCHEMA import_shapes;
SET search_path = import_shapes;
SELECT setseed(0.5);
-- what a lead was in, and since when: from one stage to another, in days
CREATE TABLE truth AS
SELECT id, no, timestamp '2025-01-06 08:00' + id * interval '3 hours' + no * interval '1 day' * (1 + id % 4) AS at, stage, (ARRAY['ann', 'bob'])[1 + (id + no) % 2] AS who
FROM (SELECT id, ordinality::int AS no, stage FROM generate_series(1, 400) AS id,
    LATERAL unnest(CASE id % 5 WHEN 0 THEN '{New,Qualified,Won}' WHEN 1 THEN '{New,Obsolete,Qualified,Lost}' WHEN 2 THEN '{New,Qualified,Lost,Qualified,Won}' WHEN 3 THEN '{New}' ELSE '{Qualified,New,Lost}' END::text[]) WITH ORDINALITY AS s (stage, ordinality)) AS t;
CREATE VIEW journey AS SELECT *, lead(at) OVER w AS next, lag(stage) OVER w AS before, first_value(no) OVER (PARTITION BY id ORDER BY no DESC) = no AS last FROM truth WINDOW w AS (PARTITION BY id ORDER BY no);
SELECT align.agree('import_shapes', $$
    stage "New", "Qualified" held by sales;
    won "Won";
    lost "Lost";
    entry "New";
    success path "New" -> "Qualified" -> "Won";
    path any -> "Lost";
    sla first by sales: from "New" to "Qualified", "Won", "Lost" within 2 days;
$$);
-- the journeys of a table, its clocks, funnel and time in stage against the truth
CREATE FUNCTION differences(relation regclass, history regclass, clocks regclass) RETURNS TABLE (what text, n bigint) LANGUAGE plpgsql AS $f$
BEGIN
    RETURN QUERY SELECT 'check', count(*) FROM align.check(relation);
    RETURN QUERY EXECUTE format($$
        SELECT 'entries', count(*) FROM ((SELECT id::int, effective_at AT TIME ZONE 'UTC', stage FROM %1$s WHERE event <> 'owner' EXCEPT ALL SELECT id, at, stage FROM journey)
            UNION ALL (SELECT id, at, stage FROM journey EXCEPT ALL SELECT id::int, effective_at AT TIME ZONE 'UTC', stage FROM %1$s WHERE event <> 'owner')) AS t
        UNION ALL
        -- by hand: what the agreement does not allow, and stages that it does not know
        SELECT 'violations', count(*) FROM ((SELECT id::int, effective_at AT TIME ZONE 'UTC', violation FROM %1$s WHERE violation IS NOT NULL EXCEPT ALL TABLE broken)
            UNION ALL (TABLE broken EXCEPT ALL SELECT id::int, effective_at AT TIME ZONE 'UTC', violation FROM %1$s WHERE violation IS NOT NULL)) AS t
        UNION ALL
        SELECT 'clocks', count(*) FROM ((SELECT id::int, started_at AT TIME ZONE 'UTC', stopped_at AT TIME ZONE 'UTC', outcome FROM %2$s EXCEPT ALL TABLE promised)
            UNION ALL (TABLE promised EXCEPT ALL SELECT id::int, started_at AT TIME ZONE 'UTC', stopped_at AT TIME ZONE 'UTC', outcome FROM %2$s)) AS t$$, history, clocks);
    RETURN QUERY SELECT 'journeys', count(*) FROM ((SELECT (j.key->>'id')::int, align.path(j.lead), align.time_in(j.lead, 'New', '2026-01-01'), align.reached(j.lead, 'Won') FROM align.journeys(relation) AS j
        EXCEPT ALL SELECT id, array_agg(stage ORDER BY no), coalesce(sum(coalesce(next, '2026-01-01') - at) FILTER (WHERE stage = 'New'), '0'), bool_or(stage = 'Won') FROM journey GROUP BY 1)
        UNION ALL (SELECT id, array_agg(stage ORDER BY no), coalesce(sum(coalesce(next, '2026-01-01') - at) FILTER (WHERE stage = 'New'), '0'), bool_or(stage = 'Won') FROM journey GROUP BY 1
        EXCEPT ALL SELECT (j.key->>'id')::int, align.path(j.lead), align.time_in(j.lead, 'New', '2026-01-01'), align.reached(j.lead, 'Won') FROM align.journeys(relation) AS j)) AS t;
END $f$;
CREATE VIEW broken AS
SELECT id, at, CASE WHEN stage = 'Obsolete' THEN 'unknown_stage' WHEN before IS NULL THEN 'not_an_entry' ELSE 'illegal_move' END AS rule FROM journey
WHERE stage = 'Obsolete' OR before IS NULL AND stage <> 'New' OR before <> 'Obsolete' AND (before, stage) NOT IN (('New', 'Qualified'), ('Qualified', 'Won'), ('New', 'Lost'), ('Qualified', 'Lost'));
-- (a stage that is not known stops no promise)
CREATE VIEW promised AS
SELECT id, at, stop, CASE WHEN stop <= at + interval '2 days' THEN 'met' WHEN stop IS NOT NULL THEN 'missed' END
FROM (SELECT *, (SELECT min(l.at) FROM journey AS l WHERE l.id = j.id AND l.no > j.no AND l.stage <> 'Obsolete') AS stop FROM journey AS j WHERE stage = 'New') AS t;
SELECT (SELECT count(*) FROM broken) AS broken, (SELECT count(*) FROM promised) AS promised;

-- Odoo: values of tracked fields, in messages that are there twice for some; lost is a flag.
CREATE TABLE crm_lead (id int PRIMARY KEY, stage text, create_date timestamp, who text);
INSERT INTO crm_lead SELECT id, stage, (SELECT at FROM truth AS f WHERE f.id = j.id AND f.no = 1), who FROM journey AS j WHERE last;
CREATE TABLE mail_message (id int PRIMARY KEY, model text, res_id int, date timestamp);
CREATE TABLE mail_tracking_value (id int PRIMARY KEY, mail_message_id int, field text, old_value_integer int, new_value_integer int, old_value_char text, new_value_char text);
INSERT INTO mail_message SELECT 10 * row_number() OVER (ORDER BY md5(id::text || no)) + twice, CASE WHEN twice = 2 THEN 'res.partner' ELSE 'crm.lead' END, id, at FROM journey, generate_series(0, 2) AS twice WHERE no > 1 AND (twice = 0 OR id % 3 = 0);
INSERT INTO mail_tracking_value
SELECT row_number() OVER (ORDER BY m.id DESC), m.id, v.* FROM mail_message AS m JOIN journey AS j ON j.id = m.res_id AND j.at = m.date,
    LATERAL (SELECT 'active', 1, 0, NULL, NULL WHERE j.stage = 'Lost'
        UNION ALL SELECT 'active', 0, 1, NULL, NULL WHERE j.before = 'Lost'
        UNION ALL SELECT 'stage_id', 1, 2, b.stage, j.stage FROM (SELECT stage FROM truth AS b WHERE b.id = j.id AND b.no < j.no AND b.stage <> 'Lost' ORDER BY no DESC LIMIT 1) AS b WHERE j.stage <> 'Lost' AND b.stage <> j.stage
        UNION ALL SELECT 'name', NULL, NULL, 'a', 'b') AS v;
SELECT align.attach('crm_lead', 'import_shapes', mode => 'observe');
SELECT align.import_history('crm_lead', $$
    WITH change AS (
        SELECT m.res_id AS id, m.date, m.id AS ordinal, v.field, v.old_value_char AS before, v.new_value_char AS after, v.new_value_integer AS number
        FROM mail_tracking_value AS v JOIN mail_message AS m ON m.id = v.mail_message_id AND m.model = 'crm.lead'
    ), state AS (
        SELECT l.id, l.create_date AS date, 0 AS ordinal, true AS active,
            coalesce((SELECT before FROM change AS c WHERE c.id = l.id AND field = 'stage_id' ORDER BY date, ordinal LIMIT 1), nullif(l.stage, 'Lost')) AS stage
        FROM crm_lead AS l
        UNION ALL
        SELECT id, date, ordinal, CASE field WHEN 'active' THEN number <> 0 END, CASE field WHEN 'stage_id' THEN after END FROM change WHERE field IN ('stage_id', 'active')
    ), carried AS (SELECT *, count(stage) OVER w AS stage_no, count(active) OVER w AS active_no FROM state WINDOW w AS (PARTITION BY id ORDER BY date, ordinal))
    SELECT id, date AT TIME ZONE 'UTC' AS at, ordinal, CASE WHEN first_value(active) OVER (PARTITION BY id, active_no ORDER BY date, ordinal)
        THEN first_value(stage) OVER (PARTITION BY id, stage_no ORDER BY date, ordinal) ELSE 'Lost' END AS stage FROM carried$$) = (SELECT count(*) FROM journey) AS imported;
SELECT * FROM differences('crm_lead', 'crm_lead_history', 'crm_lead_sla');

-- HubSpot: a property's values, each with the time at which it was set and at which it was synced.
CREATE TABLE deal (id bigint PRIMARY KEY, pipeline text, stage text, who text);
INSERT INTO deal SELECT id, 'default', stage, who FROM journey WHERE last UNION ALL SELECT id + 1000, 'renewals', 'renewed', NULL FROM journey WHERE last;
CREATE TABLE deal_stage (deal_id bigint, date_entered timestamptz, value text, _fivetran_start timestamptz);
INSERT INTO deal_stage SELECT id, at AT TIME ZONE 'UTC', stage, at AT TIME ZONE 'UTC' + no * interval '1 us' FROM journey ORDER BY md5(id::text || no);
-- synced twice, and of another pipeline
INSERT INTO deal_stage SELECT deal_id, date_entered, value, _fivetran_start + interval '1 day' FROM deal_stage WHERE deal_id % 7 = 0;
INSERT INTO deal_stage SELECT deal_id + 1000, date_entered, 'up for renewal', _fivetran_start FROM deal_stage;
SELECT align.attach('deal', 'import_shapes', live => $$pipeline = 'default'$$, mode => 'observe');
SELECT align.import_history('deal', 'SELECT deal_id AS id, date_entered AS at, row_number() OVER (ORDER BY _fivetran_start) AS ordinal, value AS stage FROM deal_stage') = (SELECT count(*) FROM journey) AS imported;
SELECT * FROM differences('deal', 'deal_history', 'deal_sla');

-- Salesforce: a row for each field that changed.
CREATE TABLE opportunity (id varchar(18) PRIMARY KEY, stage_name text, owner_id text, created_date timestamptz);
INSERT INTO opportunity SELECT lpad(id::text, 5, '0'), stage, who, (SELECT at AT TIME ZONE 'UTC' FROM truth AS f WHERE f.id = j.id AND f.no = 1) FROM journey AS j WHERE last;
CREATE TABLE opportunity_field_history (id text, opportunity_id varchar(18), created_date timestamptz, field text, old_value text, new_value text);
INSERT INTO opportunity_field_history
SELECT to_char(row_number() OVER (ORDER BY at, field), '000000'), lpad(id::text, 5, '0'), at AT TIME ZONE 'UTC', field, old, new
FROM (SELECT *, lag(who) OVER (PARTITION BY id ORDER BY no) AS held FROM journey) AS j,
    LATERAL (VALUES ('StageName', before, stage), ('Owner', held, who), ('Amount', '1', '2')) AS v (field, old, new) WHERE no > 1
ORDER BY md5(id::text || no || field);
SELECT align.attach('opportunity', 'import_shapes', stage => 'stage_name', assignee => 'owner_id', mode => 'observe');
SELECT align.import_history('opportunity', $$
    WITH change AS (
        SELECT *, row_number() OVER (PARTITION BY opportunity_id, field ORDER BY created_date, id) AS no FROM opportunity_field_history WHERE field IN ('StageName', 'Owner')
    ), state AS (
        SELECT o.id, o.created_date AS at, '' AS change, coalesce(s.old_value, o.stage_name) AS stage, coalesce(w.old_value, o.owner_id) AS assignee
        FROM opportunity AS o LEFT JOIN change AS s ON s.opportunity_id = o.id AND s.field = 'StageName' AND s.no = 1
        LEFT JOIN change AS w ON w.opportunity_id = o.id AND w.field = 'Owner' AND w.no = 1
        UNION ALL
        SELECT opportunity_id, created_date, id, CASE field WHEN 'StageName' THEN new_value END, CASE field WHEN 'Owner' THEN new_value END FROM change
    ), carried AS (SELECT *, count(stage) OVER w AS stage_no, count(assignee) OVER w AS assignee_no, row_number() OVER w AS ordinal FROM state WINDOW w AS (PARTITION BY id ORDER BY at, change))
    SELECT id, at, ordinal, first_value(stage) OVER (PARTITION BY id, stage_no ORDER BY ordinal) AS stage, first_value(assignee) OVER (PARTITION BY id, assignee_no ORDER BY ordinal) AS assignee
    FROM carried$$) >= (SELECT count(*) FROM journey) AS imported;
SELECT * FROM differences('opportunity', 'opportunity_history', 'opportunity_sla');
-- who held the lead when
SELECT count(*) FROM (SELECT lpad(id::text, 5, '0') AS id, at AT TIME ZONE 'UTC' AS at, who FROM journey) AS j
WHERE who <> (SELECT h.assignee FROM opportunity_history AS h WHERE h.id = j.id AND h.effective_at <= j.at ORDER BY h.entry_no DESC LIMIT 1);

RESET search_path;
DROP SCHEMA import_shapes CASCADE;
