-- Statements that the stack of open statements must tell exactly: direct writes to a
-- partition, statements inside triggers of other tables, COPY FREEZE, exception blocks.
\set SHOW_CONTEXT never
CREATE SCHEMA record_statements;
SET search_path = record_statements;
SET client_min_messages = warning;
SELECT align.agree('record_statements', $$
    stage inquiry, mql, sal, sql held by marketing;
    won customer;
    lost disqualified;
    success path inquiry -> mql -> sal -> sql -> customer;
    path any -> disqualified;
    path sal -> mql;
    sla quick by marketing: from mql to sal, disqualified within 2 days;
$$);

-- A statement archives leads; a trigger that fires before align's takes it back, but not
-- for lead 1.
CREATE TABLE leads (id int PRIMARY KEY, stage text, owner text, archived boolean NOT NULL DEFAULT false);
SELECT align.attach('leads', 'record_statements', assignee => 'owner', live => 'NOT archived');
CREATE VIEW trail AS
SELECT id, entry_no AS no, event, from_stage, stage, assignee, source FROM leads_history ORDER BY id, entry_no;
INSERT INTO leads SELECT i, 'inquiry', 'ann' FROM generate_series(1, 1500) AS i;
CREATE FUNCTION set_archived() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE leads SET archived = tg_argv[0]::boolean WHERE id = new.id;
    RETURN NULL;
END $$;
CREATE TRIGGER a_restore AFTER UPDATE ON leads FOR EACH ROW
    WHEN (new.archived AND NOT old.archived AND old.id <> 1) EXECUTE FUNCTION set_archived('false');
UPDATE leads SET archived = true;
SELECT * FROM trail WHERE id = 1;
SELECT no, event, from_stage, stage, source, count(*) FROM trail WHERE id > 1 GROUP BY 1, 2, 3, 4, 5 ORDER BY 1;
SELECT * FROM align.check('leads');
DROP TRIGGER a_restore ON leads;
TRUNCATE leads;

-- A statement changes the assignee, and a trigger archives all but lead 2001.
INSERT INTO leads SELECT i, 'inquiry', 'ann' FROM generate_series(2001, 3500) AS i;
CREATE TRIGGER a_archive AFTER UPDATE ON leads FOR EACH ROW
    WHEN (new.owner <> old.owner AND old.id <> 2001) EXECUTE FUNCTION set_archived('true');
UPDATE leads SET owner = 'bob';
SELECT * FROM trail WHERE id = 2001;
SELECT no, event, from_stage, stage, assignee, source, count(*) FROM trail WHERE id > 2001 GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1;
SELECT * FROM align.check('leads');
DROP VIEW trail;

-- A function in the SET list of an UPDATE updates a row that this UPDATE has processed;
-- directly on a partition, and by way of the root.
CREATE TABLE deals (id int, part int, stage text, owner text, PRIMARY KEY (id, part)) PARTITION BY LIST (part);
CREATE TABLE deals_1 PARTITION OF deals FOR VALUES IN (1);
CREATE TABLE deals_2 PARTITION OF deals FOR VALUES IN (2);
SELECT align.attach('deals', 'record_statements', assignee => 'owner');
CREATE VIEW trail AS
SELECT id, entry_no AS no, event, from_stage, stage, assignee, source, violation FROM deals_history ORDER BY id, entry_no;
INSERT INTO deals VALUES (1, 1, 'inquiry', 'ann'), (2, 1, 'inquiry', 'ann');
CREATE FUNCTION mql_after(i int) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    IF i % 2 = 0 THEN
        UPDATE deals SET stage = 'sal' WHERE id = i - 1;
    END IF;
    RETURN 'mql';
END $$;
UPDATE deals_1 SET stage = mql_after(id);
TABLE trail;
SELECT * FROM align.check('deals');
TRUNCATE deals;
INSERT INTO deals VALUES (11, 1, 'inquiry', 'ann'), (12, 1, 'inquiry', 'ann');
UPDATE deals SET stage = mql_after(id);
SELECT * FROM trail WHERE id > 10;
SELECT * FROM align.check('deals');

-- The trigger of a row updates the root, in a statement on a partition and on the root.
TRUNCATE deals;
CREATE FUNCTION to_mql() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('UPDATE %s SET stage = ''mql'' WHERE id = %s', tg_argv[0], new.id);
    RETURN NULL;
END $$;
CREATE TRIGGER a_mql AFTER UPDATE ON deals FOR EACH ROW
    WHEN (old.owner <> new.owner) EXECUTE FUNCTION to_mql('deals');
INSERT INTO deals VALUES (21, 1, 'inquiry', 'ann'), (22, 1, 'inquiry', 'ann');
UPDATE deals_1 SET owner = 'bob' WHERE id = 21;
UPDATE deals SET owner = 'bob' WHERE id = 22;
SELECT * FROM trail WHERE id > 20;
SELECT * FROM align.check('deals');

-- A partition that was attached later has no statement triggers; then one that is no
-- longer a partition.
CREATE TABLE deals_3 PARTITION OF deals FOR VALUES IN (3);
INSERT INTO deals_3 VALUES (31, 3, 'inquiry', 'ann'), (32, 3, 'inquiry', 'ann');
UPDATE deals_3 SET owner = 'bob';
SELECT * FROM trail WHERE id > 30;
SELECT * FROM align.check('deals');
ALTER TABLE deals DETACH PARTITION deals_1;
UPDATE deals_1 SET stage = 'sal';
DELETE FROM deals_1;
SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE tgname IN ('align_begin', 'align_flush')
AND tgrelid::regclass::text LIKE 'deals%' ORDER BY 1, 2;
SELECT align.detach('deals');
SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE tgname LIKE 'align%'
AND tgrelid::regclass::text LIKE 'deals%' ORDER BY 1, 2;
DROP VIEW trail;

-- The whole statement happens inside the trigger of another table, and its changes can
-- be read after it.
CREATE TABLE jobs (i int);
CREATE TABLE contacts (id int PRIMARY KEY, stage text, owner text);
SELECT align.attach('contacts', 'record_statements', assignee => 'owner');
INSERT INTO contacts SELECT i, 'inquiry', 'ann' FROM generate_series(1, 1500) AS i;
CREATE FUNCTION to_sal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE contacts SET stage = 'sal' WHERE id = new.id;
    RETURN NULL;
END $$;
CREATE TRIGGER a_sal AFTER UPDATE ON contacts FOR EACH ROW
    WHEN (new.stage = 'mql' AND new.id <> 1) EXECUTE FUNCTION to_sal();
CREATE FUNCTION all_to_mql() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE contacts SET stage = 'mql';
    RETURN NULL;
END $$;
CREATE TRIGGER all_to_mql AFTER INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION all_to_mql();
BEGIN;
INSERT INTO jobs VALUES (1);
SELECT count(*) FROM contacts_history;
SELECT id, count(*) FROM contacts_history GROUP BY id HAVING count(*) <> 3;
COMMIT;
SELECT count(*) FROM contacts_history;
SELECT * FROM align.check('contacts');
DROP TRIGGER a_sal ON contacts;

-- COPY FREEZE: rows look as if another transaction had made them.
CREATE TRIGGER a_mql AFTER INSERT ON contacts FOR EACH ROW EXECUTE FUNCTION to_mql('contacts');
BEGIN;
TRUNCATE contacts;
COPY contacts FROM stdin WITH (FREEZE);
2001	inquiry	ann
2002	inquiry	bob
\.
COMMIT;
SELECT id, entry_no AS no, event, from_stage, stage, assignee, source, violation FROM contacts_history WHERE id > 2000 ORDER BY id, entry_no;
SELECT * FROM align.check('contacts');
DROP TRIGGER a_mql ON contacts;

-- A lead moved while the triggers were disabled, then moved with earlier times.
CREATE TABLE dated (id int PRIMARY KEY, stage text, at timestamptz);
SELECT align.attach('dated', 'record_statements', changed_at => 'at');
INSERT INTO dated VALUES (1, 'inquiry', '2026-01-01 00:00Z');
UPDATE dated SET stage = 'mql', at = '2026-01-10 00:00Z';
ALTER TABLE dated DISABLE TRIGGER USER;
UPDATE dated SET stage = 'sal';
ALTER TABLE dated ENABLE TRIGGER USER;
UPDATE dated SET stage = 'mql', at = '2026-01-03 00:00Z';
UPDATE dated SET stage = 'sal', at = '2026-01-05 00:00Z';
SELECT entry_no, event, from_stage, stage, source, effective_at AT TIME ZONE 'UTC' AS at FROM dated_history ORDER BY 1;
SELECT sla, cycle, started_at AT TIME ZONE 'UTC' AS started, stopped_at AT TIME ZONE 'UTC' AS stopped, outcome FROM dated_sla ORDER BY 1, 2;
SELECT * FROM align.check('dated');

-- The memory of changes goes with the exception blocks that are rolled back.
DO $$
BEGIN
    FOR i IN 1 .. 500 LOOP
        BEGIN
            UPDATE dated SET stage = 'sql' WHERE id = 1;
            UPDATE leads SET stage = CASE WHEN id = 2200 THEN 'customer' ELSE 'mql' END WHERE id < 2202;
            RAISE division_by_zero;
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
    END LOOP;
    RAISE WARNING 'pending changes occupy much memory: %',
        (SELECT sum(total_bytes) > 200000 FROM pg_backend_memory_contexts WHERE name ~ '^align (pending|waiting)');
END $$;

DROP SCHEMA record_statements CASCADE;
