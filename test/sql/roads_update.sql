-- Rows that change: every way to write an UPDATE, and what is rolled back.
\set VERBOSITY sqlstate
CREATE SCHEMA roads_update;
SET search_path = roads_update;
SELECT align.agree('roads_update', $$
    stage inquiry, mql held by marketing;
    stage sal, sql held by sales;
    stage nurture held by marketing;
    won customer;
    lost disqualified;
    success path inquiry -> mql -> sal -> sql -> customer;
    path mql, sal, sql -> nurture -> mql;
    path any -> disqualified;
    mql known as 'MQL';
    handoff speed_to_lead: mql from marketing to sales, accept sal, within 4 hours;
    sla qualify by sales: from sal to sql, disqualified within 2 days, pause nurture;
$$);
CREATE TABLE leads (id int PRIMARY KEY, stage text, owner text, n int NOT NULL DEFAULT 0);
INSERT INTO leads SELECT g, 'inquiry' FROM generate_series(1, 9) AS g;
SELECT align.attach('leads', 'roads_update', assignee => 'owner');
CREATE VIEW trail AS
SELECT id, entry_no AS no, event, from_stage, stage, assignee, violation, source, handoff
FROM leads_history WHERE event <> 'opening' ORDER BY id, entry_no;

-- several rows; the stage as it was; another column; nothing at all
UPDATE leads SET stage = 'mql' WHERE id <= 3;
UPDATE leads SET stage = stage;
UPDATE leads SET stage = 'mql', n = n + 1 WHERE id <= 3;
UPDATE leads SET n = n + 1;
UPDATE leads SET stage = 'sal' WHERE id > 1000;
-- the same stage under another label is no move
UPDATE leads SET stage = 'MQL' WHERE id = 1;
SELECT * FROM trail;
UPDATE leads SET stage = 'sal' WHERE id = 1;
SELECT * FROM trail WHERE id = 1;
SELECT id, sla, cycle, outcome FROM leads_sla ORDER BY 1, 2, 3;
SELECT * FROM align.check('leads');

-- refused, and all that was moved with it
UPDATE leads SET stage = 'sql';
UPDATE leads SET stage = 'customer' WHERE id = 9;
UPDATE leads SET stage = NULL WHERE id = 9;
UPDATE leads SET stage = 'hot' WHERE id = 9;
UPDATE leads SET stage = CASE WHEN id = 9 THEN 'customer' ELSE 'disqualified' END;
SELECT count(*) FROM trail;

-- who holds it, with the stage and without
UPDATE leads SET owner = 'ann' WHERE id = 2;
UPDATE leads SET owner = 'ann' WHERE id = 2;
UPDATE leads SET owner = 'bob', stage = 'sal' WHERE id = 2;
UPDATE leads SET owner = NULL WHERE id = 2;
SELECT * FROM trail WHERE id = 2;
SELECT id, sla, cycle, outcome, assignee_at_start, assignee_at_due, assignee_at_stop FROM leads_sla WHERE id = 2 ORDER BY 1, 2, 3;
SELECT * FROM align.check('leads');

-- UPDATE ... FROM, also when several rows match one
CREATE TABLE wanted (id int, stage text);
INSERT INTO wanted VALUES (2, 'sql'), (3, 'sal'), (3, 'sal'), (4, 'mql');
UPDATE leads SET stage = wanted.stage FROM wanted WHERE wanted.id = leads.id;
UPDATE leads AS l SET stage = 'disqualified' FROM leads AS other WHERE l.id = 5 AND other.id = 6;
SELECT * FROM trail WHERE id BETWEEN 3 AND 6;
-- a view that can be updated
CREATE VIEW mine AS SELECT id, stage FROM leads WHERE id >= 6;
UPDATE mine SET stage = 'mql' WHERE id = 6;
UPDATE mine SET stage = 'customer' WHERE id = 6;
SELECT * FROM trail WHERE id = 6;
SELECT * FROM align.check('leads');

-- a cursor
BEGIN;
DECLARE c CURSOR FOR SELECT * FROM leads WHERE id >= 7 ORDER BY id FOR UPDATE;
FETCH c;
UPDATE leads SET stage = 'mql' WHERE CURRENT OF c;
FETCH c;
UPDATE leads SET stage = 'mql' WHERE CURRENT OF c;
UPDATE leads SET stage = 'sal' WHERE id = 7;
FETCH c;
DELETE FROM leads WHERE CURRENT OF c;
COMMIT;
SELECT * FROM trail WHERE id >= 7;
SELECT * FROM align.check('leads');

-- functions called from SELECT, once per row of another table
CREATE FUNCTION move(lead int, target text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    UPDATE leads SET stage = target WHERE id = lead RETURNING stage INTO result;
    RETURN result;
END $$;
CREATE FUNCTION try_move(lead int, target text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN move(lead, target);
EXCEPTION WHEN OTHERS THEN
    RETURN sqlstate;
END $$;
SELECT move(7, 'sql'), move(7, 'nurture'), move(7, 'mql');
SELECT g, try_move(8, g) FROM unnest(ARRAY['sql', 'sal', 'inquiry', 'sql', 'hot', 'nurture', 'customer']) AS g;
SELECT * FROM trail WHERE id IN (7, 8);
SELECT id, sla, cycle, outcome FROM leads_sla WHERE id IN (7, 8) ORDER BY 1, 2, 3;
-- called while rows of the very table are read and updated
UPDATE leads SET n = length(move(8, 'mql')) WHERE id = 3;
UPDATE leads SET stage = move(8, 'disqualified') WHERE id = 3;
UPDATE leads SET stage = move(8, 'sal') WHERE id = 3;
SELECT * FROM trail WHERE id IN (3, 8) AND no > 3;
SELECT * FROM align.check('leads');

-- savepoints: what is rolled back was never recorded, and numbers have no gaps
INSERT INTO leads SELECT g, 'inquiry' FROM generate_series(20, 29) AS g;
BEGIN;
UPDATE leads SET stage = 'mql' WHERE id = 20;
SAVEPOINT a;
UPDATE leads SET stage = 'sal' WHERE id = 20;
UPDATE leads SET stage = 'mql' WHERE id = 21;
SAVEPOINT b;
UPDATE leads SET stage = 'sql' WHERE id = 20;
ROLLBACK TO b;
UPDATE leads SET stage = 'nurture' WHERE id = 20;
RELEASE b;
ROLLBACK TO a;
UPDATE leads SET stage = 'disqualified' WHERE id = 20;
SAVEPOINT c;
UPDATE leads SET stage = 'hot' WHERE id = 22;
ROLLBACK TO c;
UPDATE leads SET stage = 'mql' WHERE id = 22;
COMMIT;
SELECT * FROM trail WHERE id BETWEEN 20 AND 22;
SELECT id, sla, cycle, outcome FROM leads_sla WHERE id BETWEEN 20 AND 22 ORDER BY 1, 2, 3;
BEGIN;
UPDATE leads SET stage = 'mql' WHERE id = 23;
ROLLBACK;
SELECT count(*) FROM trail WHERE id = 23 AND event = 'move';
-- the same in PL/pgSQL
DO $$
DECLARE
    lead int;
BEGIN
    FOR lead IN 23..26 LOOP
        UPDATE leads SET stage = 'mql' WHERE id = lead;
        BEGIN
            UPDATE leads SET stage = 'sal' WHERE id = lead;
            IF lead % 2 = 0 THEN
                RAISE EXCEPTION 'never mind';
            END IF;
            UPDATE leads SET stage = 'sql' WHERE id = lead;
        EXCEPTION WHEN raise_exception THEN
            UPDATE leads SET stage = 'nurture' WHERE id = lead;
        END;
    END LOOP;
END $$;
SELECT * FROM trail WHERE id BETWEEN 23 AND 26;
SELECT id, sla, cycle, outcome FROM leads_sla WHERE id BETWEEN 23 AND 26 ORDER BY 1, 2, 3;
SELECT * FROM align.check('leads');

-- a procedure that commits on its way
CREATE PROCEDURE qualify() LANGUAGE plpgsql AS $$
BEGIN
    UPDATE leads SET stage = 'mql' WHERE id = 27;
    COMMIT;
    UPDATE leads SET stage = 'sal' WHERE id = 27;
    ROLLBACK;
    UPDATE leads SET stage = 'nurture' WHERE id = 27;
END $$;
CALL qualify();
SELECT * FROM trail WHERE id = 27;

-- many rows, several times, in one transaction; and there and back in one
BEGIN;
INSERT INTO leads SELECT g, 'inquiry' FROM generate_series(10001, 22000) AS g;
UPDATE leads SET stage = 'mql' WHERE id > 10000;
UPDATE leads SET stage = 'sal' WHERE id > 10000 AND id % 2 = 0;
DELETE FROM leads WHERE id > 10000 AND id % 3 = 0;
COMMIT;
SELECT event, from_stage, stage, min(entry_no), max(entry_no), count(*) FROM leads_history WHERE id > 10000 GROUP BY 1, 2, 3 ORDER BY 4, 1, 2, 3;
SELECT sla, outcome, count(*) FROM leads_sla WHERE id > 10000 GROUP BY 1, 2 ORDER BY 1, 2;
SELECT * FROM align.check('leads');

-- times rise with the entries of a lead, also within one statement's time
SELECT count(*) FROM (SELECT recorded_at <= lag(recorded_at) OVER (PARTITION BY id ORDER BY entry_no) AS wrong FROM leads_history) AS t WHERE wrong;
SELECT count(*) FROM leads_history WHERE effective_at <> recorded_at;

-- a generated stage column
CREATE TABLE scored (id int PRIMARY KEY, score int, closed boolean,
    stage text GENERATED ALWAYS AS (CASE WHEN closed THEN 'customer' WHEN score >= 100 THEN 'sql' WHEN score >= 50 THEN 'sal' WHEN score >= 20 THEN 'mql' WHEN score >= 0 THEN 'inquiry' END) STORED);
INSERT INTO scored VALUES (1, 0), (2, -1);
SELECT align.attach('scored', 'roads_update');
UPDATE scored SET score = score + 21;
UPDATE scored SET score = score + 1;
UPDATE scored SET score = 60 WHERE id = 1;
UPDATE scored SET closed = true WHERE id = 1;
INSERT INTO scored VALUES (3, 60);
SELECT id, entry_no, event, from_stage, stage FROM scored_history ORDER BY 1, 2;
SELECT * FROM align.check('scored');

DROP SCHEMA roads_update CASCADE;
