-- Other triggers: before the row, after it, on other rows, on other tables.
\set VERBOSITY sqlstate
CREATE SCHEMA roads_triggers;
SET search_path = roads_triggers;
SET client_min_messages = warning;
SELECT align.agree('roads_triggers', $$
    stage inquiry, mql, enriched held by marketing;
    stage sal, sql, opportunity held by sales;
    won customer;
    lost disqualified;
    success path inquiry -> mql -> enriched -> sal -> sql -> opportunity -> customer;
    path mql -> sal;
    path any -> disqualified;
    handoff speed_to_lead: mql from marketing to sales, accept sal, within 4 hours;
    sla qualify by sales: from sal to sql, disqualified within 2 days;
$$);
CREATE TABLE leads (id int PRIMARY KEY, stage text, owner text, n int NOT NULL DEFAULT 0);
SELECT align.attach('leads', 'roads_triggers', assignee => 'owner');
CREATE VIEW trail AS
SELECT id, entry_no AS no, event, from_stage, stage, assignee FROM leads_history ORDER BY id, entry_no;
CREATE VIEW promises AS
SELECT id, sla, cycle, outcome FROM leads_sla ORDER BY id, sla, cycle;

-- before the row: the stage is rewritten, the row left out
CREATE FUNCTION before_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.owner = 'nobody' THEN
        RETURN NULL;
    END IF;
    IF new.stage = 'new' THEN
        new.stage := 'inquiry';
    ELSIF new.owner = 'jump' THEN
        new.stage := 'customer';
    END IF;
    RETURN new;
END $$;
CREATE TRIGGER a_before BEFORE INSERT OR UPDATE ON leads FOR EACH ROW EXECUTE FUNCTION before_row();
INSERT INTO leads VALUES (1, 'new', NULL), (2, 'inquiry', 'nobody'), (3, 'inquiry', NULL);
INSERT INTO leads VALUES (4, 'inquiry', 'jump');
UPDATE leads SET stage = 'mql', owner = 'nobody' WHERE id = 1;
UPDATE leads SET n = 1, owner = 'jump' WHERE id = 1;
UPDATE leads SET stage = 'new' WHERE id = 1;
UPDATE leads SET stage = 'mql' WHERE id = 3;
UPDATE leads SET stage = 'new' WHERE id = 3;
CREATE FUNCTION keep_row() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER b_keep BEFORE DELETE ON leads FOR EACH ROW EXECUTE FUNCTION keep_row();
DELETE FROM leads;
SELECT * FROM trail;
SELECT * FROM align.check('leads');
DROP TRIGGER a_before ON leads;
DROP TRIGGER b_keep ON leads;

-- before the row: it updates the row that is about to be updated (refused by
-- PostgreSQL), deletes another one
CREATE FUNCTION before_other() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.stage = 'mql' THEN
        UPDATE leads SET stage = 'disqualified' WHERE id = new.n;
    END IF;
    RETURN new;
END $$;
CREATE TRIGGER a_before BEFORE UPDATE ON leads FOR EACH ROW EXECUTE FUNCTION before_other();
INSERT INTO leads VALUES (10, 'inquiry', NULL, 11), (11, 'inquiry', NULL, 12), (12, 'inquiry', NULL, 12);
UPDATE leads SET stage = 'mql' WHERE id = 10;
UPDATE leads SET stage = 'mql' WHERE id = 12;
SELECT * FROM trail WHERE id BETWEEN 10 AND 12;
SELECT * FROM align.check('leads');
DROP TRIGGER a_before ON leads;

-- after the row: the same row goes on, three moves deep; triggers fire in the
-- order of their names, before align's own and after
CREATE FUNCTION go_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE leads SET stage = (align.next_stages(align.agreed('roads_triggers'), new.stage))[1]
    WHERE id = new.id AND stage = new.stage AND new.stage IN ('mql', 'enriched', 'sal');
    RETURN NULL;
END $$;
CREATE TRIGGER aaa_after AFTER UPDATE ON leads FOR EACH ROW WHEN (new.owner = 'fast') EXECUTE FUNCTION go_on();
INSERT INTO leads VALUES (20, 'inquiry', 'fast'), (21, 'inquiry', 'fast'), (22, 'inquiry', NULL);
UPDATE leads SET stage = 'mql' WHERE id BETWEEN 20 AND 22;
SELECT id, stage FROM leads WHERE id BETWEEN 20 AND 22 ORDER BY id;
SELECT * FROM trail WHERE id BETWEEN 20 AND 22;
SELECT * FROM promises WHERE id BETWEEN 20 AND 22;
SELECT * FROM align.check('leads');
DROP TRIGGER aaa_after ON leads;
CREATE TRIGGER zzz_after AFTER UPDATE ON leads FOR EACH ROW WHEN (new.owner = 'fast') EXECUTE FUNCTION go_on();
INSERT INTO leads VALUES (25, 'inquiry', 'fast'), (26, 'inquiry', 'fast'), (27, 'inquiry', NULL);
UPDATE leads SET stage = 'mql' WHERE id BETWEEN 25 AND 27;
SELECT id, entry_no AS no, event, from_stage, stage FROM leads_history WHERE id BETWEEN 25 AND 27 ORDER BY 1, 2;
SELECT * FROM promises WHERE id BETWEEN 25 AND 27;
SELECT * FROM align.check('leads');
-- both, also on INSERT
CREATE TRIGGER aaa_after AFTER INSERT OR UPDATE ON leads FOR EACH ROW WHEN (new.owner = 'fast') EXECUTE FUNCTION go_on();
CREATE FUNCTION start() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE leads SET stage = 'mql' WHERE id = new.id AND stage = 'inquiry';
    RETURN NULL;
END $$;
CREATE TRIGGER aab_start AFTER INSERT ON leads FOR EACH ROW WHEN (new.owner = 'fast') EXECUTE FUNCTION start();
INSERT INTO leads VALUES (30, 'inquiry', 'fast'), (31, 'inquiry', 'slow'), (32, 'inquiry', 'fast');
SELECT * FROM trail WHERE id BETWEEN 30 AND 32;
SELECT * FROM align.check('leads');
-- where it ends where no path leads, all is refused
CREATE FUNCTION too_far() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE leads SET stage = 'customer' WHERE id = new.id AND stage = 'sql';
    RETURN NULL;
END $$;
CREATE TRIGGER aac_far AFTER UPDATE ON leads FOR EACH ROW EXECUTE FUNCTION too_far();
INSERT INTO leads VALUES (33, 'inquiry', 'fast');
INSERT INTO leads VALUES (33, 'inquiry', 'slow');
UPDATE leads SET stage = 'mql', owner = 'fast' WHERE id = 33;
SELECT * FROM trail WHERE id = 33;
DROP TRIGGER aac_far ON leads;
DROP TRIGGER aab_start ON leads;
DROP TRIGGER aaa_after ON leads;
DROP TRIGGER zzz_after ON leads;
SELECT * FROM align.check('leads');

-- after the row: deletes it; deletes and inserts it again; changes its key
CREATE FUNCTION after_all() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.owner = 'gone' THEN
        DELETE FROM leads WHERE id = new.id;
    ELSIF new.owner = 'again' AND pg_trigger_depth() = 1 THEN
        DELETE FROM leads WHERE id = new.id;
        INSERT INTO leads VALUES (new.id, 'inquiry', 'again');
    ELSIF new.owner = 'renumber' AND new.id < 1000 THEN
        UPDATE leads SET id = new.id + 1000 WHERE id = new.id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER aaa_after AFTER INSERT OR UPDATE ON leads FOR EACH ROW EXECUTE FUNCTION after_all();
INSERT INTO leads VALUES (40, 'inquiry', 'gone'), (41, 'inquiry', 'again'), (42, 'inquiry', 'renumber');
INSERT INTO leads VALUES (43, 'inquiry'), (44, 'inquiry'), (45, 'inquiry');
UPDATE leads SET stage = 'mql', owner = (ARRAY['gone', 'again', 'renumber'])[id - 42] WHERE id BETWEEN 43 AND 45;
SELECT id, stage, owner FROM leads WHERE id % 1000 BETWEEN 40 AND 45 ORDER BY id;
SELECT id, entry_no AS no, event, from_stage, stage, source, note FROM leads_history WHERE id % 1000 BETWEEN 40 AND 45 ORDER BY 1, 2;
SELECT * FROM promises WHERE id % 1000 BETWEEN 40 AND 45;
SELECT * FROM align.check('leads');
DROP TRIGGER aaa_after ON leads;

-- after the row: another row of the table, which the same statement is yet to reach
CREATE FUNCTION follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE leads SET stage = new.stage WHERE id = new.n AND stage <> new.stage;
    RETURN NULL;
END $$;
CREATE TRIGGER aaa_follow AFTER UPDATE OF stage ON leads FOR EACH ROW EXECUTE FUNCTION follow();
INSERT INTO leads VALUES (50, 'inquiry', NULL, 51), (51, 'inquiry', NULL, 52), (52, 'inquiry', NULL, 50);
UPDATE leads SET stage = 'mql' WHERE id = 50;
UPDATE leads SET stage = 'sal' WHERE id IN (50, 51);
SELECT * FROM trail WHERE id BETWEEN 50 AND 52;
SELECT * FROM align.check('leads');
DROP TRIGGER aaa_follow ON leads;

-- at the end of the statement
INSERT INTO leads VALUES (60, 'inquiry', 'sweep'), (61, 'inquiry', 'sweep');
UPDATE leads SET stage = 'mql' WHERE owner = 'sweep';
CREATE FUNCTION depth_limit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() < 4 THEN
        UPDATE leads SET stage = CASE stage WHEN 'sal' THEN 'sql' WHEN 'sql' THEN 'opportunity' ELSE stage END WHERE owner = 'sweep';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER aaa_sweep AFTER UPDATE ON leads FOR EACH STATEMENT EXECUTE FUNCTION depth_limit();
UPDATE leads SET stage = 'sal' WHERE owner = 'sweep';
DROP TRIGGER aaa_sweep ON leads;
INSERT INTO leads VALUES (62, 'inquiry', 'late'), (63, 'inquiry', 'late');
UPDATE leads SET stage = 'mql' WHERE owner = 'late';
CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() < 4 THEN
        UPDATE leads SET stage = CASE stage WHEN 'sal' THEN 'sql' WHEN 'sql' THEN 'opportunity' ELSE stage END WHERE owner = 'late';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER zzz_sweep AFTER UPDATE ON leads FOR EACH STATEMENT EXECUTE FUNCTION late();
UPDATE leads SET stage = 'sal' WHERE owner = 'late';
DROP TRIGGER zzz_sweep ON leads;
SELECT * FROM trail WHERE id BETWEEN 60 AND 69;
SELECT * FROM promises WHERE id BETWEEN 60 AND 69;
SELECT * FROM align.check('leads');
-- with transition tables
CREATE FUNCTION from_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() = 1 THEN
        UPDATE leads AS l SET stage = 'sal' FROM new_rows AS r WHERE l.id = r.id AND r.stage = 'mql';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER aaa_transition AFTER UPDATE ON leads REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION from_transition();
INSERT INTO leads SELECT g, 'inquiry' FROM generate_series(70, 72) AS g;
UPDATE leads SET stage = 'mql' WHERE id BETWEEN 70 AND 72;
DROP TRIGGER aaa_transition ON leads;
SELECT * FROM trail WHERE id BETWEEN 70 AND 79;
SELECT * FROM align.check('leads');

-- deferred: at commit
CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE leads SET stage = 'sal' WHERE id = new.id AND stage = 'mql';
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER aaa_deferred AFTER UPDATE ON leads DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION at_commit();
INSERT INTO leads VALUES (80, 'inquiry'), (81, 'inquiry'), (82, 'inquiry');
UPDATE leads SET stage = 'mql' WHERE id = 80;
BEGIN;
UPDATE leads SET stage = 'mql' WHERE id = 81;
SAVEPOINT a;
UPDATE leads SET stage = 'mql' WHERE id = 82;
SELECT count(*) FROM trail WHERE id IN (81, 82);
ROLLBACK TO a;
COMMIT;
DROP TRIGGER aaa_deferred ON leads;
SELECT * FROM trail WHERE id BETWEEN 80 AND 89;
SELECT * FROM align.check('leads');

-- a trigger of another table
CREATE TABLE calls (lead int, outcome text);
CREATE FUNCTION called() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF tg_op = 'INSERT' THEN
        UPDATE leads SET stage = new.outcome WHERE id = new.lead;
        RETURN new;
    END IF;
    DELETE FROM leads WHERE id = old.lead;
    RETURN old;
END $$;
CREATE TRIGGER called BEFORE INSERT OR DELETE ON calls FOR EACH ROW EXECUTE FUNCTION called();
INSERT INTO leads VALUES (90, 'inquiry'), (91, 'inquiry');
INSERT INTO calls VALUES (90, 'mql'), (90, 'sal'), (91, 'mql'), (90, 'sql');
INSERT INTO calls VALUES (91, 'sal'), (91, 'customer');
DELETE FROM calls WHERE lead = 91;
SELECT * FROM trail WHERE id BETWEEN 90 AND 99;
SELECT * FROM promises WHERE id BETWEEN 90 AND 99;
SELECT * FROM align.check('leads');

-- an exception inside a trigger, caught: what it did is gone
CREATE FUNCTION attempt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        UPDATE leads SET stage = 'sal' WHERE id = new.id;
        UPDATE leads SET stage = 'customer' WHERE id = new.id;
    EXCEPTION WHEN SQLSTATE '23L02' THEN
        NULL;
    END;
    RETURN NULL;
END $$;
CREATE TRIGGER aaa_attempt AFTER UPDATE ON leads FOR EACH ROW WHEN (new.stage = 'mql') EXECUTE FUNCTION attempt();
INSERT INTO leads VALUES (100, 'inquiry'), (101, 'inquiry');
UPDATE leads SET stage = 'mql' WHERE id IN (100, 101);
DROP TRIGGER aaa_attempt ON leads;
CREATE TRIGGER zzz_attempt AFTER UPDATE ON leads FOR EACH ROW WHEN (new.stage = 'mql') EXECUTE FUNCTION attempt();
INSERT INTO leads VALUES (102, 'inquiry'), (103, 'inquiry');
UPDATE leads SET stage = 'mql' WHERE id IN (102, 103);
DROP TRIGGER zzz_attempt ON leads;
UPDATE leads SET stage = 'sal' WHERE id IN (100, 102);
SELECT * FROM trail WHERE id BETWEEN 100 AND 109;
SELECT * FROM align.check('leads');

-- a trigger goes on from where only the owner, or only another column, was changed
CREATE FUNCTION hurry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE leads SET stage = (align.next_stages(align.agreed('roads_triggers'), new.stage))[1]
    WHERE id = new.id AND stage = new.stage AND stage IN ('mql', 'enriched');
    RETURN NULL;
END $$;
INSERT INTO leads VALUES (110, 'inquiry'), (111, 'inquiry'), (112, 'inquiry'), (113, 'inquiry');
UPDATE leads SET stage = 'mql' WHERE id BETWEEN 110 AND 119;
CREATE TRIGGER aaa_hurry AFTER UPDATE ON leads FOR EACH ROW WHEN (new.owner = 'fast') EXECUTE FUNCTION hurry();
UPDATE leads SET owner = 'fast' WHERE id = 110;
UPDATE leads SET n = 1, owner = 'fast' WHERE id IN (111, 112);
BEGIN;
UPDATE leads SET n = 2 WHERE id = 113;
UPDATE leads SET n = 3, owner = 'fast' WHERE id = 113;
COMMIT;
DROP TRIGGER aaa_hurry ON leads;
-- a row comes back in a trigger on its deletion
CREATE FUNCTION resurrect() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO leads VALUES (old.id, 'inquiry', 'again');
    UPDATE leads SET stage = 'mql' WHERE id = old.id;
    RETURN NULL;
END $$;
CREATE TRIGGER aaa_resurrect AFTER DELETE ON leads FOR EACH ROW EXECUTE FUNCTION resurrect();
DELETE FROM leads WHERE id = 110;
DROP TRIGGER aaa_resurrect ON leads;
SELECT id, entry_no AS no, event, from_stage, stage, assignee, source FROM leads_history WHERE id BETWEEN 110 AND 119 ORDER BY 1, 2;
SELECT * FROM promises WHERE id BETWEEN 110 AND 119;
SELECT * FROM align.check('leads');
-- a trigger of another table changes one lead several times
CREATE FUNCTION called_often() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE leads SET stage = 'mql' WHERE id = new.lead;
    UPDATE leads SET n = n + 1 WHERE id = new.lead;
    UPDATE leads SET stage = 'sal' WHERE id = new.lead;
    UPDATE leads SET owner = 'joe' WHERE id = new.lead;
    UPDATE leads SET stage = 'sql' WHERE id = new.lead;
    RETURN NULL;
END $$;
DROP TRIGGER called ON calls;
CREATE TRIGGER called AFTER INSERT ON calls FOR EACH ROW EXECUTE FUNCTION called_often();
INSERT INTO leads VALUES (120, 'inquiry'), (121, 'inquiry');
INSERT INTO calls VALUES (120), (121);
SELECT * FROM trail WHERE id BETWEEN 120 AND 129;
SELECT * FROM align.check('leads');

-- the same on a partitioned table, where a move is a DELETE and an INSERT
CREATE TABLE deals (id int, stage text, owner text, PRIMARY KEY (id, stage)) PARTITION BY LIST (stage);
CREATE TABLE deals_marketing PARTITION OF deals FOR VALUES IN ('inquiry', 'mql', 'enriched');
CREATE TABLE deals_sales PARTITION OF deals FOR VALUES IN ('sal', 'sql', 'opportunity');
CREATE TABLE deals_rest PARTITION OF deals DEFAULT;
SELECT align.attach('deals', 'roads_triggers', assignee => 'owner');
CREATE FUNCTION deal_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE deals SET stage = (align.next_stages(align.agreed('roads_triggers'), new.stage))[1]
    WHERE id = new.id AND stage = new.stage AND new.stage IN ('mql', 'enriched', 'sal', 'sql');
    RETURN NULL;
END $$;
CREATE TRIGGER aaa_after AFTER INSERT OR UPDATE ON deals FOR EACH ROW EXECUTE FUNCTION deal_on();
INSERT INTO deals VALUES (1, 'inquiry'), (2, 'inquiry');
UPDATE deals SET stage = 'mql';
DROP TRIGGER aaa_after ON deals;
CREATE TRIGGER zzz_after AFTER INSERT OR UPDATE ON deals FOR EACH ROW EXECUTE FUNCTION deal_on();
INSERT INTO deals VALUES (3, 'inquiry'), (4, 'inquiry');
UPDATE deals SET stage = 'mql' WHERE id IN (3, 4);
SELECT id, entry_no, event, from_stage, stage FROM deals_history ORDER BY 1, 2;
SELECT id, sla, cycle, outcome FROM deals_sla ORDER BY 1, 2, 3;
SELECT * FROM align.check('deals');

DROP SCHEMA roads_triggers CASCADE;
