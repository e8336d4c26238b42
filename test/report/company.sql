-- A deterministic company of 300 leads in 2025, for the tests of reports: working
-- hours of two teams, two versions of the agreement of which the second renames a
-- stage, leads that were there before, changes of owner, merges, rekeys, deletions,
-- returns, and a stage that the agreement does not know.
-- (costs of the oracles are estimated far too high)
SET jit = off;
CREATE SCHEMA co;
SELECT align.agree('co', $$
    hours 'Europe/Berlin Mo-Fr 09:00-17:00';
    hours of sales 'Europe/Berlin Mo-Fr 08:00-12:00';
    stage inquiry, mql held by marketing;
    stage sal, opportunity held by sales;
    stage nurture held by marketing;
    won customer;
    won partner;
    lost disqualified;
    success path inquiry -> mql -> sal -> opportunity -> customer;
    path mql, sal, opportunity -> nurture -> mql;
    path inquiry -> customer;
    path customer -> opportunity;
    path any -> partner;
    path any -> disqualified;
    handoff to_sales: mql from marketing to sales, accept sal, reject nurture, disqualified, within 8 working hours;
    sla follow_up by sales: from sal to opportunity within 5 days;
    sla first_look by marketing: from inquiry to mql, disqualified, customer, partner within 3 working days;
    target marketing: 20 mql per month;
    target marketing, sales: 4 customer per month;
    target sales: 6000 amount of customer per quarter;
    target sales: 70% of to_sales;
    target sales: 30% from mql to customer within 30 days;
    target marketing: 45% from inquiry to mql per quarter;
    target sales: 1 opportunity per day;
    fiscal year begins February;
$$) > 0 AS agreed;
CREATE TABLE co.lead (id int PRIMARY KEY, stage text, owner text, amount numeric, reason text, campaign text, changed_at timestamptz);

-- Numbers from 0 to 1 that look random, and are the same everywhere.
CREATE FUNCTION co.random(variadic int[]) RETURNS float8 LANGUAGE sql IMMUTABLE
AS $$ SELECT ('x' || substr(md5($1::text), 1, 7))::bit(28)::int / 268435456.0::float8 $$;

-- Late leads: they were there when the table was attached; of some it is known since when.
INSERT INTO co.lead
SELECT i, (ARRAY['inquiry', 'mql', 'sal', 'customer'])[1 + i % 4], CASE WHEN i % 3 > 0 THEN 'ann' END, 100 * i, NULL, NULL,
    CASE WHEN i % 5 > 0 THEN '2025-02-03 10:00+00'::timestamptz + i * interval '7 hours' END
FROM generate_series(1, 24) AS i;
SELECT align.attach('co.lead', 'co', mode => 'observe', changed_at => 'changed_at', assignee => 'owner', amount => 'amount', reason => 'reason', campaign => 'campaign');

-- The guard of the history is a trigger.
CREATE PROCEDURE co.date_back() LANGUAGE plpgsql AS $$
BEGIN
    SET LOCAL session_replication_role = replica;
    UPDATE co.lead_history AS h SET effective_at = coalesce((SELECT max(x.effective_at) + interval '50 hours' FROM co.lead_history AS x WHERE x.id = h.id AND x.event NOT IN ('deleted', 'rekey')), '2025-11-30')
    WHERE h.event = 'deleted' AND h.effective_at > '2026-01-01';
    UPDATE co.lead_history SET effective_at = '2025-02-10 12:00+00' WHERE event = 'opening' AND source LIKE '%undated';
    UPDATE co.lead_history SET effective_at = '2025-10-21 10:00+00' WHERE event = 'rekey';
    UPDATE co.lead_history SET recorded_at = effective_at;
    SET LOCAL session_replication_role = origin;
END $$;
CALL co.date_back();

-- What each lead does, step by step.
CREATE TABLE co.plan AS
WITH RECURSIVE step AS (
    SELECT i AS id, 1 AS step, CASE WHEN co.random(i, 2) < 0.1 THEN 'mql' ELSE 'inquiry' END AS stage,
        '2025-02-20 08:00+00'::timestamptz + co.random(i, 3) * interval '200 days' AS at
    FROM generate_series(25, 300) AS i
    UNION ALL
    SELECT id, 0, stage, coalesce(changed_at, '2025-02-10 12:00+00') FROM co.lead
    UNION ALL
    SELECT id, step + 1,
        CASE stage
            WHEN 'inquiry' THEN CASE WHEN r < 0.65 THEN 'mql' WHEN r < 0.7 THEN 'customer' WHEN r < 0.72 THEN 'partner' WHEN r < 0.85 THEN 'disqualified' WHEN r < 0.88 THEN 'inquiry' END
            WHEN 'mql' THEN CASE WHEN r < 0.55 THEN 'sal' WHEN r < 0.8 THEN 'nurture' WHEN r < 0.9 THEN 'disqualified' END
            WHEN 'nurture' THEN CASE WHEN r < 0.8 THEN 'mql' WHEN r < 0.9 THEN 'disqualified' WHEN r < 0.95 THEN 'limbo' END
            WHEN 'limbo' THEN CASE WHEN r < 0.7 THEN 'mql' END
            WHEN 'sal' THEN CASE WHEN r < 0.7 THEN 'opportunity' WHEN r < 0.8 THEN 'nurture' WHEN r < 0.9 THEN 'disqualified' END
            WHEN 'opportunity' THEN CASE WHEN r < 0.55 THEN 'customer' WHEN r < 0.65 THEN 'nurture' WHEN r < 0.68 THEN 'partner' WHEN r < 0.9 THEN 'disqualified' END
            WHEN 'customer' THEN CASE WHEN r < 0.15 THEN 'opportunity' END
            WHEN 'disqualified' THEN CASE WHEN r < 0.05 THEN 'mql' END
        END,
        at + (0.01 + co.random(id, step, 5)) * interval '12 days'
    FROM (SELECT s.*, co.random(s.id, s.step, 4) AS r FROM step AS s WHERE s.step < 12 AND s.stage IS NOT NULL) AS s
)
SELECT id, step, CASE WHEN stage = 'mql' AND at > '2025-05-14' THEN 'qualified' ELSE stage END AS stage, at,
    CASE WHEN id % 11 = 0 THEN NULL ELSE round((co.random(id, step, 8) * 1000)::numeric, 2) END AS amount,
    (ARRAY['ann', 'bob', 'cem', ' ', NULL, 'ann'])[1 + floor(co.random(id, step, 9) * 6)::int] AS owner,
    (ARRAY['newsletter', 'google / cpc', '(direct)', NULL])[1 + floor(co.random(id, step, 10) * 4)::int] AS campaign
FROM step WHERE step > 0 AND stage IS NOT NULL;

CREATE FUNCTION co.live(a timestamptz, z timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    p record;
BEGIN
    FOR p IN
        SELECT x.* FROM co.plan AS x WHERE x.at >= a AND x.at < z
        -- another owner a day later, of some nobody
        UNION ALL SELECT x.id, x.step, NULL, x.at + interval '1 day', x.amount, CASE WHEN x.id % 2 = 0 THEN 'dee' END, x.campaign FROM co.plan AS x
        WHERE x.at + interval '1 day' >= a AND x.at + interval '1 day' < z AND co.random(x.id, x.step, 11) < 0.3
            AND NOT EXISTS (SELECT FROM co.plan AS y WHERE y.id = x.id AND y.step = x.step + 1 AND y.at <= x.at + interval '1 day')
        ORDER BY at, id
    LOOP
        IF p.step = 1 AND p.id > 24 AND p.stage IS NOT NULL THEN
            INSERT INTO co.lead (id, stage, owner, amount, campaign, changed_at) VALUES (p.id, p.stage, p.owner, p.amount, p.campaign, p.at);
        ELSE
            UPDATE co.lead SET stage = coalesce(p.stage, stage), owner = p.owner, amount = p.amount, campaign = p.campaign, changed_at = p.at WHERE id = p.id;
        END IF;
    END LOOP;
END $$;
SELECT co.live('-infinity', '2025-05-14');
SELECT align.agree('co', $$
    hours 'Europe/Berlin Mo-Fr 09:00-17:00';
    hours of sales 'Europe/Berlin Mo-Fr 08:00-12:00';
    stage inquiry, qualified held by marketing;
    stage sal, opportunity held by sales;
    stage nurture held by marketing;
    won customer;
    won partner;
    lost disqualified;
    qualified known as 'mql';
    success path inquiry -> qualified -> sal -> opportunity -> customer;
    path qualified, sal, opportunity -> nurture -> qualified;
    path inquiry -> customer;
    path customer -> opportunity;
    path any -> partner;
    path any -> disqualified;
    handoff to_sales: qualified from marketing to sales, accept sal, reject nurture, disqualified, within 8 working hours;
    sla follow_up by sales: from sal to opportunity within 5 days;
    sla first_look by marketing: from inquiry to qualified, disqualified, customer, partner within 3 working days;
    sla revive by marketing: from nurture to qualified, disqualified within 10 working days;
    target marketing: 25 qualified per month;
    target marketing, sales: 4 customer per month;
    target sales: 6000 amount of customer per month;
    target sales: 15% of to_sales per week;
    target sales: 30% from qualified to customer within 30 days;
    target marketing: 45% from inquiry to qualified per quarter;
    fiscal year begins February;
$$) > 0 AS agreed;
SELECT co.live('2025-05-14', 'infinity');
-- duplicates, keys that change, leads that go, and leads that come back
SELECT sum(align.merge_leads('co.lead', from_key => i, into_key => i + 1)) > 0 AS merged FROM generate_series(40, 290, 25) AS i;
DELETE FROM co.lead WHERE id IN (SELECT generate_series(40, 290, 25));
UPDATE co.lead SET id = id + 1000 WHERE id % 50 = 3;
DELETE FROM co.lead WHERE id % 30 = 7;
CALL co.date_back();
UPDATE co.lead SET stage = NULL, changed_at = '2025-11-20 10:00+00' WHERE id % 60 = 8;
INSERT INTO co.lead VALUES (37, 'qualified', 'ann', 500, NULL, NULL, '2025-10-25 10:00+00'), (67, 'sal', NULL, NULL, NULL, NULL, '2025-10-25 10:00+00');
SELECT count(*) AS problems FROM align.check('co.lead');

-- As if each change had been recorded when it happened, so that there is a past
-- to look at.
CALL co.date_back();
ALTER TABLE align.agreement DISABLE TRIGGER agreement_append_only;
UPDATE align.agreement SET valid_from = CASE version WHEN 1 THEN '2025-02-10' ELSE '2025-05-14' END::timestamptz WHERE name = 'co';
ALTER TABLE align.agreement ENABLE ALWAYS TRIGGER agreement_append_only;

CREATE SCHEMA r;
SELECT align.create_reports('co.lead', 'r', time_zone => 'Europe/Berlin', settle => '45 days', complete_since => '2025-02-15 23:00+00') > 0 AS created;

-- What an oracle sees: the entries that are known at an instant, with the stage as
-- the agreement calls it.  Set the instant with co.look().
CREATE TABLE co.instant (a timestamptz);
CREATE FUNCTION co.second_stage() RETURNS text LANGUAGE sql STABLE AS $$ SELECT CASE WHEN a < '2025-05-14' THEN 'mql' ELSE 'qualified' END FROM co.instant $$;
CREATE VIEW co.known AS
SELECT h.id, h.entry_no, h.event, h.effective_at AS at, CASE WHEN h.stage IN ('mql', 'qualified') THEN co.second_stage() ELSE h.stage END AS stage,
    h.team, nullif(btrim(h.assignee), '') AS assignee, h.amount, h.source, h.version, h.handoff,
    coalesce(h.source LIKE 'merged%', false) AS is_merged,
    h.event IN ('opening', 'entry', 'move', 'override') AND h.stage IS NOT NULL AS is_stage_entry
FROM co.lead_history AS h, co.instant AS i
WHERE h.effective_at <= i.a AND h.event <> 'rekey';
CREATE VIEW co.stage AS
SELECT CASE n WHEN 2 THEN co.second_stage() ELSE stage END AS stage, n, kind, team, step
FROM (VALUES ('inquiry', 1, 'open', 'marketing', 1), ('', 2, 'open', 'marketing', 2), ('sal', 3, 'open', 'sales', 3), ('opportunity', 4, 'open', 'sales', 4),
    ('nurture', 5, 'open', 'marketing', NULL), ('customer', 6, 'won', NULL, 5), ('partner', 7, 'won', NULL, NULL), ('disqualified', 8, 'lost', NULL, NULL)) AS s (stage, n, kind, team, step);
CREATE TABLE co.visit (id int, no int, stage text, next_stage text, team text, assignee text, at timestamptz, entered_at timestamptz, left_at timestamptz,
    is_entry boolean, is_late boolean, elapsed bigint, working bigint, version int);

CREATE FUNCTION co.hours(version int, team text) RETURNS align.calendar LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN $2 IN ('marketing', 'sales') THEN align.hours(a.funnel, $2) ELSE align.hours(a.funnel) END FROM align.agreements AS a WHERE a.name = 'co' AND a.version = $1 $$;

CREATE TABLE co.entry AS TABLE co.known WITH NO DATA;
CREATE INDEX ON co.entry (id, at);

-- Walks along the entries of each lead.
CREATE FUNCTION co.look(a timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    e record; v co.visit; late boolean; last_id int;
BEGIN
    DELETE FROM co.instant;
    INSERT INTO co.instant VALUES (a);
    DELETE FROM co.visit;
    DELETE FROM co.entry;
    INSERT INTO co.entry SELECT * FROM co.known;
    ANALYZE co.entry;
    FOR e IN
        SELECT x.*, row_number() OVER (PARTITION BY x.id ORDER BY x.at, x.entry_no) AS k FROM co.entry AS x
        WHERE x.is_stage_entry OR x.event <> 'touch' AND NOT x.is_merged
        UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, false, 1
        ORDER BY id NULLS LAST, k
    LOOP
        IF last_id IS DISTINCT FROM e.id THEN
            IF v.id IS NOT NULL THEN INSERT INTO co.visit SELECT v.*; END IF;
            v := NULL; last_id := e.id; late := e.event = 'opening';
        END IF;
        IF v.id IS NOT NULL AND e.is_stage_entry AND e.stage = v.stage OR e.event = 'owner' THEN
            v.team := e.team; v.assignee := e.assignee;
        ELSE
            IF v.id IS NOT NULL THEN
                v.left_at := e.at; v.next_stage := e.stage;
                INSERT INTO co.visit SELECT v.*;
                v := NULL;
            END IF;
            IF e.is_stage_entry THEN
                v := (e.id, (SELECT count(*) + 1 FROM co.visit AS x WHERE x.id = e.id AND x.stage = e.stage), e.stage, NULL, e.team, e.assignee, e.at,
                    CASE WHEN e.source LIKE '%undated' THEN NULL ELSE e.at END, NULL, e.event <> 'opening', late, NULL, NULL, e.version);
            END IF;
        END IF;
    END LOOP;
    UPDATE co.visit AS x SET elapsed = round(extract(epoch FROM coalesce(x.left_at, look.a) - x.entered_at)),
        working = round(extract(epoch FROM align.working_time(co.hours(x.version, x.team), x.entered_at, coalesce(x.left_at, look.a))));
    RETURN (SELECT count(*) FROM co.visit);
END $$;

-- How a report and an oracle differ at an instant ($a): the rows of the report, and
-- how many are in the one or the other only.
CREATE FUNCTION co.compare(a timestamptz, report text, oracle text, OUT rows bigint, OUT missing bigint, OUT wrong bigint) LANGUAGE plpgsql AS $$
DECLARE
    difference text;
BEGIN
    IF a IS DISTINCT FROM (SELECT i.a FROM co.instant AS i) THEN PERFORM co.look(a); END IF;
    EXECUTE replace(format('WITH ours AS MATERIALIZED (%s), theirs AS MATERIALIZED (%s),
            missing AS MATERIALIZED (SELECT * FROM theirs EXCEPT ALL SELECT * FROM ours),
            wrong AS MATERIALIZED (SELECT * FROM ours EXCEPT ALL SELECT * FROM theirs)
        SELECT (SELECT count(*) FROM ours), (SELECT count(*) FROM missing), (SELECT count(*) FROM wrong),
            (SELECT string_agg(line, E''\n'' ORDER BY line)
             FROM ((SELECT ''is '' || w::text AS line FROM wrong AS w ORDER BY w::text LIMIT 3)
                   UNION ALL (SELECT ''not '' || m::text FROM missing AS m ORDER BY m::text LIMIT 3)) AS x)', report, oracle),
        '$a', quote_literal(a) || '::timestamptz') INTO rows, missing, wrong, difference;
    IF missing + wrong > 0 THEN RAISE NOTICE '%', difference; END IF;
END $$;
