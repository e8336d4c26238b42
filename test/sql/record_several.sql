-- Several attachments of one table: every change is judged and recorded by
-- each of them, whatever statement makes it.
\set SHOW_CONTEXT never
SET TimeZone = 'UTC';
CREATE SCHEMA record_several;
SET search_path = record_several;
SELECT align.agree('record_several', $$
    stage new held by marketing; stage busy held by sales; won done; lost gone;
    success path new -> busy -> done; path any -> gone; path gone -> new; entry new, busy;
    sla answer by sales: from busy to done, gone within 2 days;
$$);
SELECT align.agree('record_several_2', $$
    stage trial, paid held by billing; won renewed; lost churned;
    success path trial -> paid -> renewed; path any -> churned; entry trial, paid;
    sla bill by billing: from trial to paid, churned within 14 days;
$$);
-- what differs, in any of the attachments, or a hole in their numbers
CREATE FUNCTION problems(VARIADIC histories regclass[]) RETURNS TABLE (history regclass, key jsonb, problem text, recorded text, expected text)
LANGUAGE sql AS 'SELECT h, c.* FROM unnest(histories) AS h, align.check(h) AS c';

-- Two state columns in one row.
CREATE TABLE accounts (id int PRIMARY KEY, stage text, billing text, owner text, note text);
SELECT align.attach('accounts', 'record_several', assignee => 'owner');
SELECT align.attach('accounts', 'record_several_2', stage => 'billing', history => 'accounts_billing');
CREATE VIEW entries AS
    SELECT 'stage' AS of, id, entry_no, event, from_stage, stage, assignee, violation FROM accounts_history
    UNION ALL SELECT 'billing', id, entry_no, event, from_stage, stage, assignee, violation FROM accounts_billing
    ORDER BY 1 DESC, 2, 3;
INSERT INTO accounts VALUES (1, 'new', 'trial', 'ann'), (2, 'new', NULL, 'bob');
UPDATE accounts SET stage = 'busy', billing = 'paid' WHERE id = 1;
UPDATE accounts SET billing = 'trial' WHERE id = 2;
UPDATE accounts SET owner = 'cyd' WHERE id = 2;
UPDATE accounts SET note = 'nothing of interest';
TABLE entries;
-- Each refuses; then nothing is recorded by any.
UPDATE accounts SET stage = 'done', billing = 'trial' WHERE id = 1;
UPDATE accounts SET stage = 'new', billing = 'renewed' WHERE id = 1;
INSERT INTO accounts VALUES (3, 'new', 'renewed', NULL);
SELECT count(*) FROM entries WHERE id = 1;
-- Modes are their own.
SELECT align.attach('accounts', 'record_several_2', stage => 'billing', mode => 'warn');
UPDATE accounts SET stage = 'done', billing = 'trial' WHERE id = 1;
UPDATE accounts SET stage = 'busy', billing = 'paid' WHERE id = 1;
SELECT * FROM entries WHERE id = 1 AND entry_no > 2;
SELECT align.attach('accounts', 'record_several_2', stage => 'billing');
SELECT * FROM problems('accounts_history', 'accounts_billing');

-- Every road: COPY, upsert, MERGE, keys, savepoints, DELETE, TRUNCATE.
COPY accounts (id, stage, billing) FROM stdin;
10	new	trial
11	busy	\N
\.
INSERT INTO accounts (id, stage, billing) VALUES (10, 'busy', 'paid'), (12, 'new', 'trial')
    ON CONFLICT (id) DO UPDATE SET stage = excluded.stage, billing = excluded.billing;
MERGE INTO accounts AS a USING (VALUES (10, 'done', 'renewed'), (13, 'busy', 'paid')) AS v (id, stage, billing) ON a.id = v.id
    WHEN MATCHED THEN UPDATE SET stage = v.stage, billing = v.billing
    WHEN NOT MATCHED THEN INSERT (id, stage, billing) VALUES (v.id, v.stage, v.billing);
UPDATE accounts SET id = 14, stage = 'busy' WHERE id = 12;
BEGIN;
UPDATE accounts SET stage = 'done', billing = 'renewed' WHERE id = 13;
SAVEPOINT s;
UPDATE accounts SET stage = 'gone', billing = 'paid' WHERE id = 14;
SELECT * FROM problems('accounts_history', 'accounts_billing');
ROLLBACK TO s;
UPDATE accounts SET billing = 'churned' WHERE id = 14;
COMMIT;
DO $$
BEGIN
    UPDATE accounts SET stage = 'gone' WHERE id = 11;
    BEGIN
        UPDATE accounts SET stage = 'new', billing = 'renewed' WHERE id = 11;
    EXCEPTION WHEN OTHERS THEN
        UPDATE accounts SET stage = 'new', billing = 'trial' WHERE id = 11;
    END;
END $$;
DELETE FROM accounts WHERE id = 10;
SELECT * FROM entries WHERE id >= 10;
SELECT * FROM problems('accounts_history', 'accounts_billing');
BEGIN;
TRUNCATE accounts;
SELECT of, count(*) FROM entries WHERE event = 'truncated' GROUP BY 1 ORDER BY 1;
SELECT * FROM problems('accounts_history', 'accounts_billing');
ROLLBACK;

-- A trigger of the table that updates the other column, before align's triggers
-- by name and after; and a trigger on one history that updates the table.
CREATE FUNCTION go_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.stage = 'done' AND new.billing = 'trial' THEN
        UPDATE accounts SET billing = 'paid' WHERE id = new.id;
    ELSIF new.billing = 'paid' AND new.stage = 'done' THEN
        UPDATE accounts SET billing = 'renewed' WHERE id = new.id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER a_first AFTER UPDATE ON accounts FOR EACH ROW WHEN (new.id % 2 = 0) EXECUTE FUNCTION go_on();
CREATE TRIGGER z_last AFTER UPDATE ON accounts FOR EACH ROW WHEN (new.id % 2 = 1) EXECUTE FUNCTION go_on();
CREATE FUNCTION take_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE accounts SET billing = 'churned' WHERE id = new.id AND billing <> 'churned';
    RETURN NULL;
END $$;
CREATE TRIGGER take_note AFTER INSERT ON accounts_history FOR EACH ROW WHEN (new.stage = 'gone') EXECUTE FUNCTION take_note();
INSERT INTO accounts SELECT g, 'busy', 'trial', 'o' FROM generate_series(100, 103) AS g;
UPDATE accounts SET stage = 'done' WHERE id IN (100, 101);
UPDATE accounts SET stage = 'gone' WHERE id IN (102, 103);
SELECT * FROM entries WHERE id BETWEEN 100 AND 103 AND entry_no > 1;
SELECT * FROM problems('accounts_history', 'accounts_billing');
-- more rows than a partial flush waits for
INSERT INTO accounts SELECT g, 'busy', 'trial', 'o' FROM generate_series(1001, 2300) AS g;
UPDATE accounts SET stage = 'done', owner = 'p' WHERE id > 1000;
SELECT of, event, stage, count(*) FROM entries WHERE id > 1000 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
SELECT * FROM problems('accounts_history', 'accounts_billing');

-- Two pipelines in one table: a row that changes pipeline leaves one and
-- enters the other.
CREATE TABLE deals (id int PRIMARY KEY, pipeline int, stage text);
SELECT align.attach('deals', 'record_several', live => 'pipeline = 7');
SELECT align.attach('deals', 'record_several', live => 'pipeline = 8', history => 'deal_renewals_history');
INSERT INTO deals SELECT g, 7 + g % 2, 'new' FROM generate_series(1, 6) AS g;
UPDATE deals SET stage = 'busy' WHERE id <= 4;
UPDATE deals SET pipeline = 8 WHERE id = 2;
UPDATE deals SET pipeline = 7 WHERE id = 1;
UPDATE deals SET pipeline = 9 WHERE id = 3;
UPDATE deals SET stage = 'done' WHERE id IN (1, 2);
DELETE FROM deals WHERE id = 4;
SELECT pipeline, id, stage FROM deals ORDER BY 1, 2;
-- the leads of each, as its journeys end
SELECT 7 AS pipeline, key, l.stage FROM align.journeys('deals_history'), LATERAL (SELECT h.stage, h.source FROM deals_history AS h WHERE h.id = (key->>'id')::int ORDER BY entry_no DESC LIMIT 1) AS l
WHERE l.stage IS NOT NULL AND l.source IS DISTINCT FROM 'not live'
UNION ALL SELECT 8, key, l.stage FROM align.journeys('deal_renewals_history'), LATERAL (SELECT h.stage, h.source FROM deal_renewals_history AS h WHERE h.id = (key->>'id')::int ORDER BY entry_no DESC LIMIT 1) AS l
WHERE l.stage IS NOT NULL AND l.source IS DISTINCT FROM 'not live'
ORDER BY 1, 2;
SELECT * FROM problems('deals_history', 'deal_renewals_history');

-- A table and its mirror.
CREATE TABLE mirror (LIKE accounts INCLUDING ALL);
SELECT align.attach('mirror', 'record_several', assignee => 'owner');
SELECT align.attach('mirror', 'record_several_2', stage => 'billing', history => 'mirror_billing');
CREATE FUNCTION reflect() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM mirror WHERE id = old.id AND (TG_OP = 'DELETE' OR old.id <> new.id);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO mirror SELECT new.* ON CONFLICT (id) DO UPDATE SET stage = excluded.stage, billing = excluded.billing, owner = excluded.owner;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER m_reflect AFTER INSERT OR UPDATE OR DELETE ON accounts FOR EACH ROW EXECUTE FUNCTION reflect();
INSERT INTO accounts VALUES (20, 'new', 'trial', 'ann');
UPDATE accounts SET stage = 'busy', billing = 'paid' WHERE id = 20;
UPDATE accounts SET id = 21, owner = 'bob' WHERE id = 20;
SELECT id, entry_no, event, stage FROM mirror_history ORDER BY 1, 2;
SELECT id, entry_no, event, stage FROM mirror_billing ORDER BY 1, 2;
SELECT * FROM problems('accounts_history', 'accounts_billing', 'mirror_history', 'mirror_billing');

-- Partitions: row movement, direct writes, TRUNCATE of one, one added later.
CREATE TABLE parted (id int NOT NULL, stage text, billing text, PRIMARY KEY (id, stage)) PARTITION BY LIST (stage);
CREATE TABLE parted_new PARTITION OF parted FOR VALUES IN ('new');
CREATE TABLE parted_busy (billing text, stage text NOT NULL, id int NOT NULL);
ALTER TABLE parted ATTACH PARTITION parted_busy FOR VALUES IN ('busy');
SELECT align.attach('parted', 'record_several', key => '{id}');
SELECT align.attach('parted', 'record_several_2', key => '{id}', stage => 'billing', history => 'parted_billing');
CREATE TABLE parted_rest PARTITION OF parted DEFAULT;
INSERT INTO parted VALUES (1, 'new', 'trial'), (2, 'new', 'trial'), (3, 'busy', 'paid'), (4, 'busy', 'trial');
UPDATE parted SET stage = 'busy' WHERE id = 1;
UPDATE parted SET stage = 'busy', billing = 'paid' WHERE id = 2;
UPDATE parted SET stage = 'done' WHERE id IN (1, 2);
UPDATE parted_busy SET billing = 'renewed' WHERE id = 3;
UPDATE parted_rest SET billing = 'renewed' WHERE id = 2;
TRUNCATE parted_busy;
SELECT id, entry_no, event, from_stage, stage FROM parted_history ORDER BY 1, 2;
SELECT id, entry_no, event, from_stage, stage FROM parted_billing ORDER BY 1, 2;
SELECT * FROM problems('parted_history', 'parted_billing');
SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE tgrelid IN ('parted_busy'::regclass, 'parted_rest'::regclass) AND tgname LIKE 'align%' ORDER BY tgrelid::regclass::text COLLATE "C", tgname;
SELECT align.attach('parted_busy', 'record_several');
SELECT align.detach('parted_busy');
-- a partition means its table, so the history is needed here, too
SELECT * FROM align.check('parted_busy');
SELECT align.detach('parted_billing');
SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE tgrelid IN ('parted_busy'::regclass, 'parted_rest'::regclass) AND tgname LIKE 'align%' ORDER BY tgrelid::regclass::text COLLATE "C", tgname;
SELECT * FROM align.check('parted_busy');
-- a partition that is detached keeps its statement triggers, which do nothing
SELECT align.attach('parted', 'record_several_2', key => '{id}', stage => 'billing', history => 'parted_billing');
ALTER TABLE parted DETACH PARTITION parted_busy;
INSERT INTO parted_busy (id, stage, billing) VALUES (9, 'busy', 'renewed');
SELECT count(*) FROM parted_billing WHERE id = 9;

-- The agreement is checked against all attachments.
SELECT align.agree('record_several_2', $$
    stage trial held by billing; won renewed; lost churned;
    success path trial -> renewed; path any -> churned; entry trial;
    trial needs no_such_column;
$$);
SELECT align.agree('record_several_2', $$
    stage trial held by billing; won renewed; lost churned;
    success path trial -> renewed; path any -> churned; entry trial;
$$);

SET client_min_messages = warning;
DROP SCHEMA record_several CASCADE;
