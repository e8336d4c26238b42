-- A partition that is added below another partition, or gets align's triggers, while a
-- session has the attachment in its cache.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA record_new_partition;
SET search_path = record_new_partition;
SELECT align.agree('record_new_partition', $$
    stage a, b, c held by marketing;
    won w;
    entry a, b, c;
    success path a -> b -> c -> w;
    path any -> a;
    path any -> b;
$$);
CREATE TABLE leads (id int, region int, stage text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE part PARTITION OF leads FOR VALUES IN (1, 2, 3) PARTITION BY LIST (region);
CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1);
CREATE FUNCTION move_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.stage = 'a' THEN
        UPDATE leads SET stage = 'b' WHERE id = NEW.id;
    END IF;
    RETURN NULL;
END
$$;
SELECT align.attach('leads', 'record_new_partition');
-- fires before the row trigger of align, which is called for the UPDATE first
CREATE TRIGGER aa AFTER INSERT ON leads FOR EACH ROW EXECUTE FUNCTION move_on();
INSERT INTO leads VALUES (1, 1, 'c');

CREATE TABLE part_2 PARTITION OF part FOR VALUES IN (2);
INSERT INTO part_2 VALUES (2, 2, 'a');
INSERT INTO leads VALUES (3, 2, 'a');
SELECT id, entry_no, event, from_stage, stage, source FROM leads_history ORDER BY id, entry_no;

-- now the statements on part_2 are listed, until one of its triggers is dropped
SELECT align.attach('leads', 'record_new_partition');
INSERT INTO part_2 VALUES (4, 2, 'a');
DROP TRIGGER align_begin ON part_2;
INSERT INTO part_2 VALUES (5, 2, 'a');
ALTER TABLE part DETACH PARTITION part_2;
INSERT INTO leads VALUES (6, 1, 'a');
ALTER TABLE part ATTACH PARTITION part_2 FOR VALUES IN (2);
INSERT INTO part_2 VALUES (7, 2, 'a');
SELECT id, entry_no, event, from_stage, stage, source FROM leads_history WHERE id > 3 ORDER BY id, entry_no;
SELECT * FROM align.check('leads') WHERE problem <> 'missing_trigger';

SET client_min_messages = error;
DROP SCHEMA record_new_partition CASCADE;
