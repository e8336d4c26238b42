-- check() finds whatever went round the triggers, of every kind, and nothing else.
SET timezone = 'UTC';
SET client_min_messages = warning;
CREATE SCHEMA check_damage;
SET search_path = check_damage;

CREATE FUNCTION differences(relation regclass) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT difference
    FROM (SELECT concat_ws(' | ', coalesce(key::text, '-'), problem, coalesce(recorded, 'NULL'),
                           regexp_replace(coalesce(expected, 'NULL'), '^after .*', 'after ...')) AS difference
          FROM align.check(relation)) AS differences
    ORDER BY difference COLLATE "C"
$$;

SELECT align.agree('check_damage', $$
    hours 'UTC Mo-Fr 09:00-17:00';
    stage inquiry, mql held by marketing;
    stage sal, nurture held by sales;
    won customer;
    lost disqualified;
    success path inquiry -> mql -> sal -> customer;
    path sal -> nurture -> sal;
    path any -> disqualified;
    disqualified needs reason (price, fit);
    sal known as 'S-ACC';
    handoff speed: mql from marketing to sales, accept sal, reject disqualified, within 4 working hours;
    sla follow_up by sales: from sal to customer within 10 days, pause nurture;
$$);

CREATE TABLE leads (
    id bigint PRIMARY KEY, status text, owner text, team text, reason text, changed_at timestamptz, gone boolean
);
SELECT align.attach('leads', agreement => 'check_damage', stage => 'status', assignee => 'owner', team => 'team',
                    reason => 'reason', changed_at => 'changed_at', live => 'gone IS NOT TRUE');
INSERT INTO leads SELECT i, 'inquiry', 'mia', 'marketing', NULL, '2025-03-03 10:00+00'
FROM generate_series(1, 9) AS i;
UPDATE leads SET status = 'mql', changed_at = '2025-03-03 11:00+00';
UPDATE leads SET status = 'S-ACC', owner = 'sam', team = 'sales', changed_at = '2025-03-03 13:00+00' WHERE id >= 2;
UPDATE leads SET status = 'nurture', changed_at = '2025-03-04 13:00+00' WHERE id IN (3, 4);
UPDATE leads SET status = 'sal', owner = 'sue', changed_at = '2025-03-06 13:00+00' WHERE id = 4;
UPDATE leads SET status = 'customer', changed_at = '2025-03-07 13:00+00' WHERE id = 4;
UPDATE leads SET status = 'disqualified', reason = 'price', changed_at = '2025-03-07 13:00+00' WHERE id = 5;
DELETE FROM leads WHERE id = 6;
UPDATE leads SET gone = true WHERE id = 7;
SELECT * FROM differences('leads');

-- Damage, undone each time.
CREATE PROCEDURE damage(command text) LANGUAGE plpgsql AS $$
DECLARE
    difference text;
BEGIN
    RAISE INFO '%', command;
    ALTER TABLE leads DISABLE TRIGGER USER;
    ALTER TABLE leads_history DISABLE TRIGGER USER;
    ALTER TABLE leads_sla DISABLE TRIGGER USER;
    EXECUTE command;
    ALTER TABLE leads ENABLE TRIGGER USER;
    ALTER TABLE leads_history ENABLE TRIGGER USER;
    ALTER TABLE leads_sla ENABLE TRIGGER USER;
    FOR difference IN SELECT differences('leads') LOOP
        RAISE INFO '    %', difference;
    END LOOP;
    ROLLBACK;
END
$$;
\set VERBOSITY terse

-- the row
CALL damage($$INSERT INTO leads VALUES (10, 'mql', 'mia', 'marketing')$$);
CALL damage($$INSERT INTO leads VALUES (10, NULL, 'mia', 'marketing')$$);
CALL damage($$INSERT INTO leads VALUES (10, 'mql', 'mia', 'marketing', NULL, NULL, true)$$);
CALL damage($$UPDATE leads SET status = 'disqualified' WHERE id = 1$$);
CALL damage($$UPDATE leads SET status = 'sal' WHERE id = 2$$);
CALL damage($$UPDATE leads SET status = NULL WHERE id = 2$$);
CALL damage($$UPDATE leads SET status = 'none of these' WHERE id = 2$$);
CALL damage($$UPDATE leads SET owner = 'eve', team = NULL WHERE id = 2$$);
CALL damage($$UPDATE leads SET gone = true WHERE id = 2$$);
CALL damage($$UPDATE leads SET gone = false WHERE id = 7$$);
CALL damage($$DELETE FROM leads WHERE id = 2$$);
CALL damage($$DELETE FROM leads WHERE id = 7$$);
CALL damage($$UPDATE leads SET id = 22 WHERE id = 2$$);
CALL damage($$TRUNCATE leads$$);

-- the history
CALL damage($$DELETE FROM leads_history WHERE id = 2$$);
CALL damage($$DELETE FROM leads_history WHERE id = 2 AND entry_no = 2$$);
CALL damage($$DELETE FROM leads_history WHERE id = 2 AND entry_no = 3$$);
CALL damage($$DELETE FROM leads_history WHERE id = 4 AND entry_no = 1$$);
CALL damage($$UPDATE leads_history SET recorded_at = '2025-01-02' WHERE id = 2 AND entry_no = 2$$);
CALL damage($$UPDATE leads_history SET stage = 'customer' WHERE id = 2 AND entry_no = 3$$);
CALL damage($$UPDATE leads_history SET from_stage = 'inquiry' WHERE id = 2 AND entry_no = 3$$);
CALL damage($$UPDATE leads_history SET violation = 'illegal_move, missing_need' WHERE id = 2 AND entry_no = 3$$);
CALL damage($$UPDATE leads_history SET violation = 'missing_need, wrong_team' WHERE id = 2 AND entry_no = 3$$);
CALL damage($$UPDATE leads_history SET reason = NULL WHERE id = 5 AND event = 'move'$$);
CALL damage($$UPDATE leads_history SET reason = 'weather' WHERE id = 5 AND entry_no = 4$$);
CALL damage($$UPDATE leads_history SET event = 'melted' WHERE id = 2 AND entry_no = 3$$);
CALL damage($$UPDATE leads_history SET version = 7 WHERE id = 1 AND entry_no = 1$$);
CALL damage($$UPDATE leads_history SET effective_at = '2025-03-03 12:00+00' WHERE id = 2 AND entry_no = 3$$);
CALL damage($$UPDATE leads_history SET assignee = NULL WHERE id = 2$$);

-- the clocks
CALL damage($$DELETE FROM leads_sla WHERE id = 1$$);
CALL damage($$INSERT INTO leads_sla (id, sla, cycle, started_at, due_at, paused, version)
              VALUES (1, 'speed', 2, now(), now(), '{}', 1), (77, 'speed', 1, now(), now(), '{}', 1)$$);
CALL damage($$UPDATE leads_sla SET due_at = due_at + '1 hour' WHERE id = 1$$);
CALL damage($$UPDATE leads_sla SET outcome = 'missed', elapsed = '5 hours', assignee_at_stop = 'eve'
              WHERE id = 2 AND sla = 'speed'$$);
CALL damage($$UPDATE leads_sla SET paused = '{}' WHERE id = 3 AND sla = 'follow_up'$$);
CALL damage($$UPDATE leads_sla SET stopped_at = NULL, outcome = NULL WHERE id = 4 AND sla = 'follow_up'$$);
CALL damage($$UPDATE leads_sla SET warn_notified_at = now(), due_notified_at = now()$$);

-- the triggers
ALTER TABLE leads DISABLE TRIGGER align_update;
ALTER TABLE leads_sla ENABLE REPLICA TRIGGER align_append_only;
SELECT * FROM differences('leads');
ALTER TABLE leads ENABLE ALWAYS TRIGGER align_update;
DROP TRIGGER align_truncate ON leads;
DROP TRIGGER align_append_only ON leads_sla;
SELECT * FROM differences('leads');

-- Attaching again repairs triggers and history.
ALTER TABLE leads DISABLE TRIGGER USER;
INSERT INTO leads VALUES (10, 'mql', 'mia', 'marketing', NULL, '2025-03-10 10:00+00');
UPDATE leads SET status = 'mql', owner = 'mia', team = 'marketing' WHERE id = 2;
DELETE FROM leads WHERE id = 3;
ALTER TABLE leads ENABLE TRIGGER USER;
SELECT count(*) > 0 FROM differences('leads');
SELECT align.attach('leads', agreement => 'check_damage', stage => 'status', assignee => 'owner', team => 'team',
                    reason => 'reason', changed_at => 'changed_at', live => 'gone IS NOT TRUE');
SELECT * FROM differences('leads');

-- Not attached, not there, not known.
\set VERBOSITY default
SELECT * FROM align.check('pg_class');
SELECT * FROM align.check(NULL);

-- With the rights of the caller, who must see all.
CREATE ROLE check_reader;
GRANT USAGE ON SCHEMA check_damage TO check_reader;
SET ROLE check_reader;
SELECT * FROM align.check('leads');
RESET ROLE;
GRANT SELECT ON leads, leads_history, leads_sla TO check_reader;
SET ROLE check_reader;
SELECT * FROM align.check('leads');
RESET ROLE;
ALTER TABLE leads ENABLE ROW LEVEL SECURITY;
SET ROLE check_reader;
SELECT * FROM align.check('leads');
RESET ROLE;
ALTER TABLE leads DISABLE ROW LEVEL SECURITY;

-- Nothing is written: it also runs in a read-only transaction.
BEGIN READ ONLY;
SELECT * FROM align.check('leads');
ROLLBACK;

-- Partitions: every clone of the triggers counts, and a partition names its table.
CREATE TABLE parts (region text, id int, status text, PRIMARY KEY (region, id)) PARTITION BY LIST (region);
CREATE TABLE parts_eu PARTITION OF parts FOR VALUES IN ('eu');
SELECT align.attach('parts', agreement => 'check_damage', stage => 'status');
CREATE TABLE parts_us PARTITION OF parts FOR VALUES IN ('us');
INSERT INTO parts VALUES ('eu', 1, 'inquiry'), ('us', 1, 'inquiry');
UPDATE parts SET region = 'us', id = 3 WHERE region = 'eu';
-- the trigger that no partition inherits comes when the table is attached again
SELECT * FROM align.check('parts_us');
SELECT align.attach('parts', agreement => 'check_damage', stage => 'status');
SELECT * FROM align.check('parts_us');
ALTER TABLE parts_eu DISABLE TRIGGER align_insert;
SELECT * FROM differences('parts');
INSERT INTO parts VALUES ('eu', 4, 'inquiry');
ALTER TABLE parts_eu ENABLE TRIGGER align_insert;
SELECT * FROM differences('parts');

RESET search_path;
DROP SCHEMA check_damage CASCADE;
DROP ROLE check_reader;
