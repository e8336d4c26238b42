-- What is read for a change does not grow with the tables, also where plans were made when
-- there were hardly any rows, and the statistics say so.  Written by SQL: the history has
-- a column more.
SET client_min_messages = warning;
CREATE SCHEMA record_plans;
SET search_path = record_plans;
SELECT align.agree('record_plans', $$
    stage a, b, c held by marketing;
    won w;
    entry a, b, c;
    success path a -> b -> c -> w;
    path any -> a; path any -> b; path any -> c;
    sla s by marketing: from b to c within 10 days;
    sla t by marketing: from c to a within 10 days;
$$);
CREATE FUNCTION reads(relation regclass) RETURNS bigint LANGUAGE sql AS
$$ SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables WHERE relid = relation $$;
CREATE PROCEDURE measure(relation text, rows int, INOUT report text DEFAULT NULL) LANGUAGE plpgsql AS $$
DECLARE
    command text;
    before bigint;
BEGIN
    EXECUTE format('INSERT INTO %I (region, id, stage, at) SELECT ''many'', i, ''a'', ''2025-01-02'' FROM generate_series(101, 100 + %s) AS i', relation, rows);
    FOREACH command IN ARRAY ARRAY['SET stage = ''b''', 'SET stage = ''c'', at = ''2025-01-04''', 'SET stage = ''a'', at = ''2025-01-03''', 'SET id = id + 100000', 'SET stage = ''b'''] LOOP
        before := reads(relation || '_history') + reads(relation || '_sla');
        EXECUTE format('UPDATE %I %s', relation, command);
        report := concat_ws(E'\n', report, format('%s: %s', command,
            CASE WHEN reads(relation || '_history') + reads(relation || '_sla') - before <= 50 * rows THEN 'at most 50 rows each' ELSE format('%s rows for %s', reads(relation || '_history') + reads(relation || '_sla') - before, rows) END));
    END LOOP;
END $$;
-- two keys, of one and of two columns; one and two rows in the statistics
CREATE TABLE one (id int PRIMARY KEY, region text, stage text, at timestamptz);
CREATE TABLE two (id int, region text, stage text, at timestamptz, PRIMARY KEY (region, id));
CREATE TABLE parts (id int, region text, stage text, at timestamptz, PRIMARY KEY (id, stage)) PARTITION BY LIST (stage);
CREATE TABLE parts_a PARTITION OF parts FOR VALUES IN ('a');
CREATE TABLE parts_rest PARTITION OF parts DEFAULT;
SELECT align.attach('one', 'record_plans', changed_at => 'at'), align.attach('two', 'record_plans', changed_at => 'at'), align.attach('parts', 'record_plans', changed_at => 'at', key => '{id}');
ALTER TABLE one_history ADD COLUMN more text;
ALTER TABLE two_history ADD COLUMN more text;
ALTER TABLE parts_history ADD COLUMN more text;
INSERT INTO one VALUES (1, 'few', 'b', '2025-01-01');
INSERT INTO two VALUES (1, 'few', 'b', '2025-01-01'), (2, 'few', 'b', '2025-01-01');
INSERT INTO parts VALUES (1, 'few', 'b', '2025-01-01');
ANALYZE one_history, one_sla, two_history, two_sla, parts_history, parts_sla;
UPDATE one SET stage = 'c', at = '2025-01-02';
UPDATE two SET stage = 'c', at = '2025-01-02';
UPDATE parts SET stage = 'c', at = '2025-01-02';
UPDATE one SET stage = 'a', at = '2025-01-01';
UPDATE two SET stage = 'a', at = '2025-01-01';
UPDATE parts SET stage = 'a', at = '2025-01-01';
UPDATE one SET id = 10;
UPDATE two SET id = id + 10;
UPDATE parts SET id = 10;
CALL measure('one', 800);
CALL measure('two', 800);
CALL measure('parts', 800);
SELECT * FROM align.check('one') UNION ALL SELECT * FROM align.check('two') UNION ALL SELECT * FROM align.check('parts');

-- Functions for one lead, whose plans were made then, too.
TRUNCATE one;
SELECT align.purge('one', now());
INSERT INTO one VALUES (1, 'few', 'b', '2025-01-01');
ANALYZE one, one_history, one_sla;
DO $$ BEGIN FOR i IN 1 .. 8 LOOP PERFORM align.journeys('one', 1), align.clocks('one', '2025-01-02', 1); END LOOP; END $$;
INSERT INTO one SELECT i, 'many', 'b', '2025-01-01' FROM generate_series(101, 3000) AS i;
BEGIN;
SELECT reads('one_history') AS history, reads('one_sla') AS sla \gset
SELECT count(*) FROM (SELECT align.journeys('one', i), align.clocks('one', '2025-01-02', i) FROM generate_series(101, 110) AS i) AS j;
SELECT reads('one_history') - :history AS history, reads('one_sla') - :sla AS sla;
COMMIT;

-- Nothing is kept for tables that were dropped: neither what a scan by key planned nor
-- what the recorder did.
DO $$
BEGIN
    FOR i IN 1 .. 100 LOOP
        CREATE TABLE short_lived (id int PRIMARY KEY, stage text);
        PERFORM align.attach('short_lived', 'record_plans');
        ALTER TABLE short_lived_history ADD COLUMN extra int;
        INSERT INTO short_lived VALUES (1, 'a');
        PERFORM align.journeys('short_lived', 1), align.clocks('short_lived', now(), 1);
        DROP TABLE short_lived, short_lived_history, short_lived_sla;
    END LOOP;
END
$$;
SELECT count(*) < 40 AS few_row_types FROM pg_backend_memory_contexts WHERE name = 'align recorder row types';
SELECT count(*) < 100 AS few_plans FROM pg_backend_memory_contexts WHERE name = 'CachedPlanSource' AND ident LIKE '%short\_lived%';

DROP SCHEMA record_plans CASCADE;
