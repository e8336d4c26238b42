-- History and clocks are written without the executor where both are plain tables, and
-- by SQL where the owner has added a column, a partition or a trigger.  Both write the same.
\set SHOW_CONTEXT never
SET TimeZone = 'UTC';
CREATE SCHEMA record_paths;
SET search_path = record_paths;
SET client_min_messages = error;
SELECT align.agree('record_paths', $$
    hours 'Europe/London Mo-Fr 09:00-17:00';
    stage inquiry, mql, nurture held by marketing;
    stage sal, sql held by sales;
    won customer;
    lost disqualified;
    entry inquiry, mql, sal;
    success path inquiry -> mql -> sal -> sql -> customer;
    path mql, sal, sql -> nurture -> mql;
    path customer -> nurture;
    path any -> disqualified;
    sal known as 'Sales Accepted';
    sql needs amount;
    handoff take_up: mql from marketing to sales, accept sal, reject nurture, disqualified with reason (no_budget, poor_fit), within 4 working hours, warn after 3 working hours;
    sla qualify by sales: from sal to sql, disqualified within 10 days, pause nurture;
    sla answer by marketing: from inquiry to mql, disqualified by end of next working day;
$$);
-- "direct" is what attach() makes of it
CREATE TABLE direct (region text, id int, stage text, team text, owner text, who text, why text, note text, campaign text, amount numeric, at timestamptz, gone boolean DEFAULT false, n int DEFAULT 0, PRIMARY KEY (region, id));
CREATE TABLE added (LIKE direct INCLUDING ALL);
CREATE TABLE altered (LIKE direct INCLUDING ALL);
INSERT INTO direct (region, id, stage, owner, at) VALUES ('here', 1, 'inquiry', 'ann', '2025-03-03 10:00Z'), ('here', 2, 'Sales Accepted', NULL, '2025-03-03 11:00Z'), ('here', 3, 'lead', 'bob', NULL), ('here', 4, NULL, 'bob', '2025-03-03 12:00Z');
INSERT INTO added TABLE direct;
INSERT INTO altered TABLE direct;
CREATE FUNCTION attach(relation regclass) RETURNS bigint LANGUAGE sql AS $$
    SELECT align.attach(relation, 'record_paths', team => 'team', assignee => 'owner', actor => 'who', reason => 'why', note => 'note', campaign => 'campaign', amount => 'amount', changed_at => 'at', live => 'NOT gone', mode => 'observe')
$$;
SELECT attach('direct');
CREATE TABLE altered_history (LIKE direct_history INCLUDING DEFAULTS) PARTITION BY LIST (region);
CREATE TABLE altered_history_here PARTITION OF altered_history FOR VALUES IN ('here');
CREATE TABLE altered_history_else PARTITION OF altered_history DEFAULT;
SELECT attach('added'), attach('altered');
ALTER TABLE added_history ADD COLUMN more text DEFAULT 'more';
CREATE FUNCTION count_clocks() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER count_clocks AFTER INSERT OR UPDATE OR DELETE ON altered_sla FOR EACH ROW EXECUTE FUNCTION count_clocks();

-- what was recorded, but for times that are those of the clock
CREATE FUNCTION told(at timestamptz) RETURNS timestamptz LANGUAGE sql STABLE AS $$ SELECT CASE WHEN at < '2026-01-01' THEN at END $$;
DO $$
DECLARE
    relation text;
BEGIN
    FOREACH relation IN ARRAY '{direct,added,altered}'::text[] LOOP
        EXECUTE format('CREATE VIEW %I AS SELECT region, id, entry_no, event, told(effective_at) AS effective_at, from_stage, stage, from_team, team, assignee, actor, db_role, reason, note, campaign, amount, agreement, version, violation, source, branch, handoff, notified_at IS NULL AS unannounced FROM %I',
            relation || '_entries', relation || '_history');
        EXECUTE format('CREATE VIEW %I AS SELECT region, id, sla, cycle, team, assignee_at_start, assignee_at_due, assignee_at_stop, told(started_at) AS started_at, told(due_at) AS due_at, told(warn_at) AS warn_at,
                CASE WHEN stopped_at < ''2026-01-01'' THEN paused::text ELSE (upper_inf(paused) AND paused <> ''{}'')::text END AS paused, CASE WHEN stopped_at < ''2026-01-01'' THEN elapsed END AS elapsed, told(stopped_at) AS stopped_at, outcome, agreement, version FROM %I',
            relation || '_clocks', relation || '_sla');
    END LOOP;
END $$;
CREATE FUNCTION unequal() RETURNS TABLE (what text, differs text) LANGUAGE plpgsql AS $$
DECLARE
    relation text;
    kind text;
BEGIN
    FOREACH relation IN ARRAY '{added,altered}'::text[] LOOP
        FOREACH kind IN ARRAY '{entries,clocks}'::text[] LOOP
            RETURN QUERY EXECUTE format('(SELECT %1$L, d::text FROM (TABLE %2$I EXCEPT ALL TABLE %1$I) AS d LIMIT 3) UNION ALL (SELECT %2$L, d::text FROM (TABLE %1$I EXCEPT ALL TABLE %2$I) AS d LIMIT 3)', 'direct_' || kind, relation || '_' || kind);
        END LOOP;
        RETURN QUERY SELECT 'check of ' || relation, c::text FROM align.check(relation::regclass) AS c LIMIT 3;
    END LOOP;
    RETURN QUERY SELECT 'check of direct', c::text FROM align.check('direct') AS c LIMIT 3;
END $$;
-- each command, on each table, in a transaction of its own
CREATE PROCEDURE perform(VARIADIC commands text[]) LANGUAGE plpgsql AS $$
DECLARE
    relation text;
    command text;
BEGIN
    FOREACH command IN ARRAY commands LOOP
        FOREACH relation IN ARRAY '{direct,added,altered}'::text[] LOOP
            EXECUTE replace(command, 'leads', relation);
            COMMIT;
        END LOOP;
    END LOOP;
END $$;

-- Single rows: every kind of change.
CALL perform(
    $$UPDATE leads SET stage = 'mql', at = '2025-03-04 16:30Z', who = 'ann', note = 'a note', campaign = 'spring', amount = 12.50 WHERE id = 1$$,
    $$UPDATE leads SET owner = 'cyd', at = '2025-03-05 09:30Z' WHERE id = 1$$,
    $$UPDATE leads SET stage = 'sal', at = '2025-03-05 10:00Z', team = 'sales', note = repeat('long ', 3000) WHERE id = 1$$,
    $$UPDATE leads SET stage = 'nurture', at = '2025-03-06 10:00Z' WHERE id = 1$$,
    $$UPDATE leads SET stage = 'mql', at = '2025-03-09 10:00Z' WHERE id = 1$$,
    $$UPDATE leads SET stage = 'disqualified', at = '2025-03-10 10:00Z', why = 'no_budget', amount = 'NaN' WHERE id = 1$$,
    $$UPDATE leads SET stage = 'sql', at = '2025-03-11 10:00Z', amount = NULL WHERE id = 2$$,
    $$UPDATE leads SET stage = 'customer', at = '2025-03-12 10:00Z', amount = 1e30 WHERE id = 2$$,
    $$UPDATE leads SET stage = 'nurture', at = '2025-03-12 10:00Z' WHERE id = 2$$,
    $$UPDATE leads SET stage = 'inquiry', at = '2025-03-13 10:00Z' WHERE id = 3$$,
    $$UPDATE leads SET stage = 'inquiry', at = '2025-03-13 10:00Z' WHERE id = 4$$,
    $$UPDATE leads SET stage = NULL, at = '2025-03-14 10:00Z' WHERE id = 4$$,
    $$INSERT INTO leads (region, id, stage, at) VALUES ('there', 5, 'mql', '2025-03-10 08:00Z')$$,
    $$INSERT INTO leads (region, id, stage, at) VALUES ('there', 5, 'sal', '2025-03-10 08:30Z'), ('there', 6, 'sal', '2025-03-10 08:30Z') ON CONFLICT (region, id) DO UPDATE SET stage = 'Sales Accepted', at = excluded.at$$,
    $$MERGE INTO leads AS l USING (VALUES (6), (7)) AS s (id) ON l.region = 'there' AND l.id = s.id WHEN MATCHED THEN UPDATE SET stage = 'nurture', at = '2025-03-11 08:30Z' WHEN NOT MATCHED THEN INSERT (region, id, stage, at) VALUES ('there', s.id, 'inquiry', '2025-03-11 09:00Z')$$,
    $$UPDATE leads SET n = n + 1$$,
    $$DELETE FROM leads WHERE id = 7$$,
    $$INSERT INTO leads (region, id, stage, at) VALUES ('there', 7, 'inquiry', '2025-03-01 09:00Z')$$,
    $$SELECT set_config('align.override', 'because', true); UPDATE leads SET stage = 'customer', at = '2025-03-12 09:00Z' WHERE id = 7$$);
SELECT * FROM unequal();
SELECT region, id, entry_no AS no, event, effective_at, from_stage, stage, team, assignee, actor, reason, left(note, 10) AS note, amount, violation, source, handoff FROM direct_entries ORDER BY 1, 2, 3;
SELECT region, id, sla, cycle, assignee_at_start AS started, assignee_at_due AS due, assignee_at_stop AS stopped, started_at, due_at, warn_at, paused, elapsed, stopped_at, outcome FROM direct_clocks ORDER BY 1, 2, 3, 4;

-- Not in order: dated back, also before the beginning, and to the same time.
CALL perform(
    $$UPDATE leads SET stage = 'sal', at = '2025-03-10 09:00Z' WHERE id = 6$$,
    $$UPDATE leads SET stage = 'sql', at = '2025-02-01 09:00Z', amount = 1 WHERE id = 6$$,
    $$UPDATE leads SET owner = 'dan', at = '2025-03-10 09:00Z' WHERE id = 6$$,
    $$UPDATE leads SET stage = 'nurture', at = '2025-03-10 09:00Z' WHERE id = 6$$,
    $$UPDATE leads SET stage = 'mql', at = '2025-04-10 09:00Z' WHERE id = 6$$,
    $$UPDATE leads SET stage = 'sal', at = NULL WHERE id = 6$$,
    $$UPDATE leads SET stage = 'nurture', at = '2025-04-11 09:00Z' WHERE id = 6$$);
SELECT * FROM unequal();
SELECT entry_no AS no, event, effective_at, from_stage, stage, assignee, source FROM direct_entries WHERE id = 6 ORDER BY 1;
SELECT sla, cycle, assignee_at_due AS due, started_at, paused, elapsed, stopped_at, outcome FROM direct_clocks WHERE id = 6 ORDER BY 1, 2;

-- Rows that cease to be live, and changes of rows that are not; keys that change and change places.
CALL perform(
    $$UPDATE leads SET gone = true WHERE id = 2$$,
    $$UPDATE leads SET stage = 'mql', at = '2025-04-01 09:00Z' WHERE id = 2$$,
    $$UPDATE leads SET gone = false WHERE id = 2$$,
    $$UPDATE leads SET gone = true, stage = 'sal' WHERE id = 5$$,
    $$DELETE FROM leads WHERE id = 5$$,
    $$UPDATE leads SET id = 20 WHERE id = 2$$,
    $$UPDATE leads SET id = 2, region = 'there', stage = 'sal', at = '2025-04-02 09:00Z' WHERE id = 20$$,
    $$UPDATE leads SET region = 'here' WHERE id = 2$$,
    $$UPDATE leads SET region = CASE region WHEN 'here' THEN 'there' ELSE 'here' END$$);
SELECT * FROM unequal();
SELECT region, id, count(*), string_agg(concat_ws(' ', event, stage, source), ', ' ORDER BY entry_no) FROM direct_entries WHERE id IN (2, 5) GROUP BY 1, 2 ORDER BY 1, 2;

-- Many rows; several changes in one transaction; triggers; what is rolled back.
CREATE FUNCTION go_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.stage = 'mql' AND new.id % 7 = 0 THEN
        EXECUTE format('UPDATE %I SET stage = ''sal'', at = at + ''1 hour'' WHERE id IN ($1, $1 + 1)', TG_TABLE_NAME) USING new.id;
    END IF;
    RETURN NULL;
END $$;
CALL perform(
    $$INSERT INTO leads (region, id, stage, owner, at) SELECT 'bulk', i, 'inquiry', 'o' || i % 5, timestamptz '2025-05-05 08:00Z' + i * interval '1 minute' FROM generate_series(1001, 1800) AS i$$,
    $$UPDATE leads SET stage = 'mql', at = at + '2 days', owner = 'o' || id % 3 WHERE id > 1000$$,
    $$UPDATE leads SET stage = CASE id % 4 WHEN 0 THEN 'sal' WHEN 1 THEN 'nurture' WHEN 2 THEN 'disqualified' ELSE stage END, at = at + '1 hour', why = 'poor_fit' WHERE id > 1000$$,
    $$DO 'BEGIN UPDATE leads SET stage = ''nurture'', at = at + ''1 hour'' WHERE id > 1300; UPDATE leads SET stage = ''mql'', at = at + ''1 hour'' WHERE id > 1400;
        BEGIN UPDATE leads SET stage = ''sal'', at = at + ''1 hour'' WHERE id > 1000; PERFORM 1 / 0; EXCEPTION WHEN division_by_zero THEN UPDATE leads SET at = at - interval ''3 days'', owner = ''late'' WHERE id < 1200; END;
        DELETE FROM leads WHERE id % 10 = 1; END'$$,
    $$CREATE TRIGGER aa_go_on AFTER UPDATE OF stage ON leads FOR EACH ROW EXECUTE FUNCTION go_on()$$,
    $$UPDATE leads SET stage = CASE stage WHEN 'mql' THEN 'nurture' ELSE 'mql' END, at = at + '1 hour' WHERE id > 1000$$,
    $$DROP TRIGGER aa_go_on ON leads$$,
    $$UPDATE leads SET id = id + 5000 WHERE id > 1000$$,
    $$UPDATE leads SET stage = 'mql', at = '2025-05-01 09:00Z' WHERE id > 6000 AND id % 3 = 0$$);
SELECT * FROM unequal();
SELECT event, count(*) FROM direct_entries GROUP BY 1 ORDER BY 1;
SELECT sla, outcome, count(*), max(cycle) FROM direct_clocks GROUP BY 1, 2 ORDER BY 1, 2;
CALL perform('TRUNCATE leads', $$INSERT INTO leads (region, id, stage, at) VALUES ('here', 1, 'sal', '2025-06-01 09:00Z')$$);
SELECT * FROM unequal();

-- The same table, whose history ceases to be plain and is so again.
ALTER TABLE direct_history ADD COLUMN more text;
UPDATE direct SET stage = 'nurture', at = '2025-06-02 09:00Z';
ALTER TABLE direct_history DROP COLUMN more;
UPDATE direct SET stage = 'mql', at = '2025-06-03 09:00Z';
CREATE INDEX ON direct_sla (outcome);
ALTER TABLE direct_history ADD CONSTRAINT known CHECK (stage <> 'sal') NOT VALID;
\set VERBOSITY terse
UPDATE direct SET stage = 'sal', at = '2025-06-04 09:00Z';
\set VERBOSITY default
ALTER TABLE direct_history DROP CONSTRAINT known;
UPDATE direct SET stage = 'sal', at = '2025-06-04 09:00Z';
SELECT entry_no AS no, event, effective_at, stage FROM direct_entries WHERE region = 'here' AND id = 1 AND effective_at > '2025-06-01' ORDER BY 1;
SELECT sla, cycle, paused, outcome FROM direct_clocks WHERE region = 'here' AND id = 1 AND started_at > '2025-06-01' ORDER BY 1, 2;
SELECT * FROM align.check('direct');

DROP SCHEMA record_paths CASCADE;
