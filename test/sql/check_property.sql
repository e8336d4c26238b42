-- What the triggers recorded, change by change, is what the pure functions give
-- for the recorded journey as a whole: after random journeys of many kinds, told
-- in any order, under agreements that change meanwhile. And what sla_clocks()
-- gives for journeys() under one agreement is the clock table.
SET timezone = 'UTC';
SET datestyle = ISO;
SET client_min_messages = warning;
CREATE SCHEMA check_property;
SET search_path = check_property;

CREATE FUNCTION document(version int) RETURNS text LANGUAGE sql AS $$
    SELECT format('
        hours ''Europe/London Mo-Fr 09:00-17:30; 2025-04-18 off'';
        hours of sales ''America/New_York Mo-Fr 08:00-12:00,13:00-18:00'';
        stage a, b held by marketing;
        stage c, d, e held by sales;
        won w;
        lost l;
        entry a, b;
        success path a -> b -> c -> d -> w;
        path c, d -> e -> c;
        path c, d -> b -> d;
        path any -> l;
        l needs reason (r1, r2);
        %s
        handoff h: b from marketing to sales, accept c, reject l with reason (r1, r3), within %s working hours, warn after 30 working minutes;
        sla s1 by sales: from c, d to w, l within %s working hours, pause e, b;
        sla s2 by marketing: from a to c, w within %s days, warn after 1 hour, pause l;
        sla s3 by sales: from c to d by end of next working day, pause e;
        sla s4 by marketing: from e to c within %s hours;',
        CASE WHEN version % 2 = 0 THEN 'a known as ''A''; c known as ''C'', ''c1'';' ELSE 'a known as ''A''; c known as ''C'';' END,
        1 + version, 8 * version, version, 24 + version)
$$;
SELECT align.agree('check_property', document(1));

-- Four shapes: plain; two key columns, partitioned; enum and soft deletion; integers, no times told.
CREATE TYPE stage AS ENUM ('a', 'b', 'c', 'd', 'e', 'w', 'l', 'A', 'C', 'other');
CREATE TABLE plain (id int PRIMARY KEY, stage text, team text, who text, why text, at timestamptz, gone bool);
CREATE TABLE parted (id int, part text, stage varchar(20), team text, who text, why text, at timestamptz, gone bool,
                     PRIMARY KEY (part, id)) PARTITION BY LIST (part);
CREATE TABLE parted_0 PARTITION OF parted FOR VALUES IN ('0');
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN ('1');
CREATE TABLE soft (id text PRIMARY KEY, stage stage, team text, who text, why text, at timestamptz, gone bool);
CREATE TABLE untold (id uuid PRIMARY KEY, stage name, who text);
SELECT align.attach('plain', agreement => 'check_property', team => 'team', assignee => 'who', reason => 'why', changed_at => 'at', mode => 'observe');
SELECT align.attach('parted', agreement => 'check_property', assignee => 'who', reason => 'why', changed_at => 'at', mode => 'observe');
SELECT align.attach('soft', agreement => 'check_property', assignee => 'who', reason => 'why', changed_at => 'at', live => 'gone IS NOT TRUE', mode => 'observe');
SELECT align.attach('untold', agreement => 'check_property', assignee => 'who', mode => 'observe');

CREATE FUNCTION any_of(VARIADIC words text[]) RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT words[1 + floor(random() * array_length(words, 1))::int]
$$;
-- mostly forwards, often the same instant, sometimes back; at no more than 15 minutes' precision
CREATE FUNCTION some_time(step int) RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
    SELECT timestamptz '2025-03-24 08:00+00' + step * interval '5 hours'
        + floor(random() * random() * 8) * interval '6 hours' - floor(random() * 1.2) * interval '30 hours' + floor(random() * 4) * interval '15 minutes'
$$;
CREATE PROCEDURE random_steps(from_step int, to_step int) LANGUAGE plpgsql AS $$
DECLARE
    target text;
    t timestamptz;
    k int;
BEGIN
    FOR step IN from_step .. to_step LOOP
        target := any_of('a', 'b', 'c', 'd', 'e', 'b', 'c', 'w', 'l', 'A', 'C', 'other');
        t := some_time(step);
        k := floor(random() * 30);
        CASE any_of('insert', 'move', 'move', 'move', 'move', 'many', 'owner', 'delete', 'key', 'gone', 'back', 'null', 'undone')
        WHEN 'insert' THEN
            INSERT INTO plain VALUES (k, target, any_of('marketing', 'sales', NULL), any_of('mia', 'sam', NULL), any_of('r1', NULL), t) ON CONFLICT DO NOTHING;
            INSERT INTO parted VALUES (k, k % 2, target, NULL, any_of('mia', 'sam', NULL), any_of('r1', NULL), t) ON CONFLICT DO NOTHING;
            INSERT INTO soft VALUES (k, target::stage, NULL, any_of('mia', 'sam', NULL), any_of('r1', NULL), t, any_of('t', 'f', 'f', NULL)::bool) ON CONFLICT DO NOTHING;
            INSERT INTO untold VALUES (md5(k::text)::uuid, target, any_of('mia', 'sam', NULL)) ON CONFLICT DO NOTHING;
        WHEN 'move' THEN
            UPDATE plain SET stage = target, why = any_of('r1', 'r2', 'r9', NULL), who = any_of('mia', 'sam', who, who), at = t WHERE id = k;
            UPDATE parted SET stage = target, why = any_of('r1', 'r2', 'r9', NULL), who = any_of('mia', 'sam', who, who), at = t WHERE id = k;
            UPDATE soft SET stage = target::stage, why = any_of('r1', 'r2', 'r9', NULL), who = any_of('mia', 'sam', who, who), at = t WHERE id = k::text;
            UPDATE untold SET stage = target, who = any_of('mia', 'sam', who, who) WHERE id = md5(k::text)::uuid;
        WHEN 'many' THEN
            UPDATE plain SET stage = target, at = t WHERE id % 7 = k % 7;
            UPDATE parted SET stage = target, at = t WHERE id % 7 = k % 7;
            UPDATE soft SET stage = target::stage, at = t WHERE id::int % 7 = k % 7;
            UPDATE untold SET stage = target WHERE id IN (SELECT md5(i::text)::uuid FROM generate_series(k % 7, 30, 7) AS i);
        WHEN 'owner' THEN
            UPDATE plain SET who = any_of('mia', 'sam', 'sue', NULL), team = any_of('marketing', 'sales', NULL), at = any_of(t::text, at::text)::timestamptz WHERE id = k;
            UPDATE parted SET who = any_of('mia', 'sam', 'sue', NULL), at = t WHERE id = k;
            UPDATE soft SET who = any_of('mia', 'sam', 'sue', NULL), at = t WHERE id = k::text;
            UPDATE untold SET who = any_of('mia', 'sam', 'sue', NULL) WHERE id = md5(k::text)::uuid;
        WHEN 'delete' THEN
            DELETE FROM plain WHERE id = k;
            DELETE FROM parted WHERE id = k;
            DELETE FROM soft WHERE id = k::text;
            DELETE FROM untold WHERE id = md5(k::text)::uuid;
        WHEN 'key' THEN
            UPDATE plain SET id = id + 100, stage = any_of(stage, target), at = t WHERE id = k AND NOT EXISTS (SELECT FROM plain_history h WHERE h.id = k + 100);
            -- from one partition to the other
            UPDATE parted SET part = 1 - part::int, id = id + 100, stage = any_of(stage, target), at = t
            WHERE id = k AND NOT EXISTS (SELECT FROM parted_history h WHERE h.id = k + 100);
        WHEN 'gone' THEN
            UPDATE soft SET gone = true, stage = any_of(stage::text, stage::text, target)::stage, at = t WHERE id::int % 5 = k % 5;
        WHEN 'back' THEN
            UPDATE soft SET gone = NULL, stage = any_of(stage::text, stage::text, target)::stage, at = t WHERE id::int % 3 = k % 3;
        WHEN 'null' THEN
            UPDATE plain SET stage = NULL, at = t WHERE id = k;
            UPDATE soft SET stage = NULL, at = t WHERE id = k::text;
        WHEN 'undone' THEN
            BEGIN
                UPDATE plain SET stage = target, at = t WHERE id % 3 = k % 3;
                UPDATE parted SET stage = target, at = t WHERE id % 3 = k % 3;
                DELETE FROM soft WHERE id::int % 3 = k % 3;
                RAISE 'never mind';
            EXCEPTION WHEN raise_exception THEN
            END;
        END CASE;
        IF random() < 0.3 THEN
            COMMIT;
        END IF;
    END LOOP;
END
$$;
CREATE VIEW differences AS
    SELECT 'plain', * FROM align.check('plain') UNION ALL
    SELECT 'parted', * FROM align.check('parted') UNION ALL
    SELECT 'soft', * FROM align.check('soft') UNION ALL
    SELECT 'untold', * FROM align.check('untold');
-- Clocks by the pure functions; of leads that lived once, since a journey does not tell of ends.
CREATE FUNCTION otherwise(relation regclass, history regclass, sla regclass) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format('
        WITH ended AS (SELECT DISTINCT h.id FROM %2$s AS h WHERE stage IS NULL OR event = ''owner'' AND source = ''backfill''),
        expected AS (
            SELECT j.key->>''id'' AS id, c.sla, c.cycle, c.started_at, c.stopped_at, CASE WHEN c.stopped_at IS NOT NULL THEN c.state END AS outcome,
                CASE WHEN c.stopped_at IS NOT NULL THEN c.elapsed END AS elapsed
            FROM align.journeys(%1$L) AS j, align.sla_clocks(j.lead, align.agreed(''check_property''), ''2100-01-01'') AS c
            WHERE j.key->>''id'' NOT IN (SELECT id::text FROM ended)),
        recorded AS (
            SELECT id::text, sla, cycle, started_at, stopped_at, outcome, elapsed FROM %3$s WHERE id NOT IN (SELECT id FROM ended))
        SELECT row::text FROM (TABLE recorded EXCEPT TABLE expected) AS row UNION ALL
        SELECT row::text FROM (TABLE expected EXCEPT TABLE recorded) AS row', relation, history, sla);
END
$$;

SELECT setseed(0.271);
CALL random_steps(1, 600);
SELECT * FROM differences;
SELECT otherwise('plain', 'plain_history', 'plain_sla');
SELECT otherwise('parted', 'parted_history', 'parted_sla');
SELECT otherwise('soft', 'soft_history', 'soft_sla');
SELECT otherwise('untold', 'untold_history', 'untold_sla');
-- enough happened to be worth a look
SELECT count(*) > 500 AS entries, count(DISTINCT event) >= 6 AS events, count(DISTINCT violation) >= 5 AS violations, count(DISTINCT source) >= 3 AS sources
FROM (SELECT event, violation, source FROM plain_history UNION ALL SELECT event, violation, source FROM parted_history
      UNION ALL SELECT event, violation, source FROM soft_history) AS h;
SELECT array_agg(DISTINCT outcome ORDER BY outcome) FROM (TABLE plain_sla) AS s;

-- The agreement changes, again and again.
SELECT align.agree('check_property', document(2));
CALL random_steps(601, 800);
SELECT align.agree('check_property', document(3));
CALL random_steps(801, 1000);
SELECT * FROM differences;

-- Attached anew, to another agreement, and back.
SELECT align.agree('check_property_2', document(4));
SELECT count(*) FROM align.attach('plain', agreement => 'check_property_2', team => 'team', assignee => 'who', reason => 'why', changed_at => 'at', mode => 'observe', replace => true);
SELECT align.detach('soft');
CALL random_steps(1001, 1150);
SELECT count(*) FROM align.attach('plain', agreement => 'check_property', team => 'team', assignee => 'who', reason => 'why', changed_at => 'at', mode => 'observe', replace => true);
SELECT count(*) FROM align.attach('soft', agreement => 'check_property', assignee => 'who', reason => 'why', changed_at => 'at', live => 'gone IS NOT TRUE', mode => 'observe');
SELECT * FROM differences;
CALL random_steps(1151, 1300);
SELECT * FROM differences;
TRUNCATE plain, parted, soft, untold;
SELECT * FROM differences;
SELECT count(*) FROM align.clocks('plain');

RESET search_path;
DROP SCHEMA check_property CASCADE;
