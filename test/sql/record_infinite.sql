-- An infinite time is an error only where it would be the time of a change.
\set SHOW_CONTEXT never
SET TimeZone = 'UTC';
CREATE SCHEMA record_infinite;
SET search_path = record_infinite;
SET client_min_messages = warning;
\set VERBOSITY terse
SELECT align.agree('record_infinite', 'stage a, b; won w; entry a; success path a -> b -> w;');
CREATE TABLE zoned (id int PRIMARY KEY, stage text, at timestamptz, opened timestamptz, gone boolean DEFAULT false);
CREATE TABLE local (id int PRIMARY KEY, stage text, at timestamp, opened timestamptz, gone boolean DEFAULT false);
CREATE TABLE daily (id int PRIMARY KEY, stage text, at date, opened timestamptz, gone boolean DEFAULT false);
CREATE PROCEDURE try(t regclass, VARIADIC statements text[]) LANGUAGE plpgsql AS $$
DECLARE
    s text;
BEGIN
    FOREACH s IN ARRAY statements LOOP
        BEGIN
            EXECUTE format(s, t);
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING '%: %', format(s, t), SQLERRM;
        END;
    END LOOP;
END $$;
CREATE PROCEDURE fill(t regclass) LANGUAGE plpgsql AS $$
BEGIN
    CALL try(t, 'INSERT INTO %s SELECT i, ''a'', ''infinity'', ''2025-03-01 09:00Z'' FROM generate_series(1, 4) AS i',
             $q$SELECT align.attach('%s', 'record_infinite', changed_at => 'at', opened_at => 'opened', time_zone => 'Europe/Berlin', live => 'NOT gone')$q$);
    -- the time is not that of the change; it is; it was, and is not any more
    CALL try(t, 'UPDATE %s SET stage = ''b'' WHERE id = 1',
             'UPDATE %s SET stage = ''w'', at = at WHERE id = 1',
             'UPDATE %s SET stage = ''b'', at = ''2025-03-02'' WHERE id = 2',
             'UPDATE %s SET at = ''infinity'' WHERE id = 2',
             'UPDATE %s SET stage = ''w'', at = ''-infinity'' WHERE id = 2',
             'UPDATE %s SET id = 5 WHERE id = 2',
             'DELETE FROM %s WHERE id = 3',
             'INSERT INTO %s VALUES (6, ''a'', ''infinity'', NULL)',
             'INSERT INTO %s VALUES (6, ''a'', ''infinity'', NULL, true)',
             'UPDATE %s SET gone = false, at = ''2025-03-03'' WHERE id = 6',
             'UPDATE %s SET gone = true, at = ''infinity'' WHERE id = 4',
             'UPDATE %s SET gone = true WHERE id = 4',
             'UPDATE %s SET gone = false WHERE id = 4');
END $$;
CALL fill('zoned');
CALL fill('local');
CALL fill('daily');
CREATE VIEW trail AS
    SELECT h.of, id, entry_no AS no, event, stage, CASE WHEN effective_at = recorded_at THEN 'recorded' ELSE to_char(effective_at, 'MM-DD HH24:MI') END AS at, source
    FROM (SELECT 1 AS of, * FROM zoned_history UNION ALL SELECT 2, * FROM local_history UNION ALL SELECT 3, * FROM daily_history) AS h;
SELECT * FROM trail ORDER BY of, id, no;
SELECT * FROM align.check('zoned');
SELECT * FROM align.check('local');
SELECT * FROM align.check('daily');
DROP SCHEMA record_infinite CASCADE;
